"""The library says what may be set, the command line which flag does it."""

import pickle
import re
from pathlib import Path

import pytest

import lossctl as package
from lossctl.cli.app import wired
from lossctl.cli.command import commands
from lossctl.cli.flags import flag, worded
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
        (option(header=False), "reading=Reading(header=False)", "--no-header"),
        (option(verify=False), "reading=Reading(verify=False)", "--no-verify"),
        (option(prediction="p_*"), "prediction='p_*'", "-p 'p_*'"),
        (option(prediction="a,b"), "prediction='a,b'", "-p a,b"),
        (option(delimiter="\t"), r"reading=Reading(delimiter='\t')", r"-d '\t'"),
        (option(delimiter=","), "reading=Reading(delimiter=',')", "-d ','"),
        (option("null_values"), "reading=Reading(nulls=…)", "--null-values"),
        (option(prediction=["a=x", "b=y"]), "prediction=['a=x', 'b=y']", "-p a=x -p b=y"),
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


def test_no_part_of_an_error_shows_what_is_still_to_be_worded():
    error = pickle.loads(pickle.dumps(UsageError(option("classes"), option(nulls="drop"))))
    assert (error.what, error.hint) == ("classes", "nulls='drop'")
    assert repr(error) == """UsageError('classes', "nulls='drop'")"""
    assert worded(error.about("mse").message) == "mse: --classes\n--nulls drop"


def test_what_an_error_advises_can_be_typed(tmp_path):
    (tmp_path / "rows.csv").write_text("y;p\n1;2\n3;5\n")
    with pytest.raises(package.DataError, match="Reading") as met:
        package.evaluate(tmp_path / "rows.csv", "mse")
    advised = re.search(r"reading=(Reading\(.*?\))", met.value.hint)[1]
    reading = eval(advised, {"Reading": package.Reading})
    assert package.evaluate(tmp_path / "rows.csv", "mse", reading=reading).value == 2.5


def test_every_option_that_a_message_names_is_a_flag_of_a_command():
    flags = {name for command in commands.names() for each in wired(commands.get(command)).params for name in each.opts}
    flags |= {"--no-header", "--no-verify"}
    flags |= {"--baseline", "--others"}  # of models in a data set each, which the command line names as files
    named = set()
    for file in Path(package.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        named |= {*re.findall(r"\boption\((?:['\"])(\w+)['\"]\)", text), *re.findall(r"\boption\((\w+)=", text)}
    assert len(named) > 20
    assert {name for name in named if flag(name, []) not in flags} == set()
