"""The library says what may be set, the command line which flag does it."""

import re
from pathlib import Path

import pytest

import lossctl as package
from lossctl.cli.flags import worded
from lossctl.errors import UsageError, option

ROOMS = ("reading", "sums", "functions", "inference", "evaluation", "checks", "plots", "rendering")


def test_an_option_is_an_argument_in_python_and_a_flag_in_a_shell():
    error = UsageError(f"{option('classes')} names a class twice", f"Try {option(nulls='drop')}, {option(threads=1)}.")
    assert str(error) == "classes names a class twice\nTry nulls='drop', threads=1."
    assert worded(error.message) == "--classes names a class twice\nTry --nulls drop, --threads 1."


@pytest.mark.parametrize(
    ("setting", "python", "shell"),
    [
        (option(from_logits=True), "from_logits=True", "--from-logits"),
        (option(header=False), "header=False", "--no-header"),
        (option(prediction="p_*"), "prediction='p_*'", "-p 'p_*'"),
        (option(prediction="a,b"), "prediction='a,b'", "-p a,b"),
        (option(delimiter="\t"), r"delimiter='\t'", r"-d '\t'"),
        (option("label"), "label", "-y"),
    ],
)
def test_values_are_quoted_as_each_language_does(setting, python, shell):
    error = UsageError(setting)
    assert (str(error), worded(error.message)) == (python, shell)


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_of_the_library_names_a_flag(room):
    for file in (Path(package.__file__).parent / room).rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"""["' (]--[a-z]{2}""", line) or "dask worker" in line, f"{file.name}: {line.strip()}"


def test_the_same_error_speaks_both_languages(lossctl, sample_data):
    done = lossctl("eval", sample_data / "logits.csv", "-l", "bce")
    assert "Then add --from-logits." in done.err
    with pytest.raises(package.DataError, match="Then add from_logits=True"):
        package.evaluate(sample_data / "logits.csv", "bce")
