"""Several files are one table, which is said; and that they look like models of the same rows, where they do."""

import shlex

import numpy as np
import pytest
from joined import store
from stored import write_lines

import lossctl as library
from lossctl.errors import DataError

POOLED = "2 files are measured as one table"


def notes(report):
    return [note for note in report.notes if POOLED in note]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("keys", "labels", "same"),
    [
        ("abc", (1, 2, 3), "the same ids and labels in their first 3 rows"),
        ("def", (1, 2, 3), ""),
        ("abc", (1, 2, 4), ""),
        ("cba", (3, 2, 1), ""),
        (None, (1, 2, 3), "the same labels in their first 3 rows"),
        (None, (1, 2, 3, 4), ""),
        (None, (1, 1, 1), ""),
    ],
)
def test_several_files_are_told_from_models_of_the_same_rows(tmp_path, suffix, keys, labels, same):
    first = (1, 1, 1) if set(labels) == {1} else (1, 2, 3)
    files = []
    for name, words, cells in (("a", "abc", first), ("b", keys, labels)):
        columns = {"id": [*words]} if keys else {}
        files.append(
            store(tmp_path / f"{name}{suffix}", {**columns, "y": np.array(cells, float), "p": np.ones(len(cells))})
        )
    said = notes(library.evaluate(files, "mse", label="y", prediction="p"))
    assert len(said) == 1
    assert (same in said[0]) if same else ("same" not in said[0])
    assert "compare measures a file a model" in said[0]
    assert not notes(library.evaluate(files[0], "mse", label="y", prediction="p"))


def test_files_of_a_model_each_that_are_joined_as_one_table_say_what_compares_them(tmp_path):
    files = [write_lines(tmp_path / f"{name}.csv", "id,p", "a,1", "b,2") for name in "AB"]
    labels = {"id": ["a", "b"], "y": [1.0, 2.0]}
    with pytest.raises(DataError, match="compare measures a file a model"):
        library.evaluate(files, "mse", labels=labels, ids="id")


@pytest.mark.parametrize(
    ("claim", "way"),
    [({"max": 9}, "check one at a time"), ({"max_increase": 0}, 'say baseline = "{}", and check the others')],
)
def test_gates_say_what_they_pool_and_how_models_in_a_file_each_are_checked(tmp_path, claim, way):
    files = [str(write_lines(tmp_path / f"{name}.csv", "id,p,q", "a,1,2", "b,2,2")) for name in "AB"]
    more = str(write_lines(tmp_path / "C.csv", "id,p,q", "c,1,2", "d,2,2"))
    labels = {"id": [*"abcd"], "y": [1.0, 2.0, 3.0, 4.0]}
    gate = {"name": "m", "loss": "mse", **claim}
    asked = {"labels": labels, "ids": "id", "join": "inner", "prediction": ["p", "q"]}
    (line,) = library.check_gates(gate, files, **asked).lines
    assert line.endswith(f"for models of the same rows, {way.format(files[0])}")
    pooled = library.check_gates(gate, [files[0], more], **asked)
    assert pooled.verdict in {"pass", "fail", "inconclusive"}
    assert notes(pooled)


def test_the_note_is_silenced_like_others_and_not_said_of_models_that_are_compared(lossctl, tmp_path):
    files = [write_lines(tmp_path / f"{name}.csv", "y,p,q", "1,1,2", "2,2,2") for name in "ab"]
    assert POOLED in lossctl("eval", *files, "-l", "mse", "-p", "p").err
    assert lossctl("eval", *files, "-l", "mse", "-p", "p", "-q").err == ""
    assert POOLED not in lossctl("compare", *files, "-l", "mse", "-p", "p", "-p", "q").err


@pytest.mark.parametrize(
    "more", [[], ["--id", "id"], ["-f", "json", "--grad"], ["-q", "-o", "report.txt"], ["-p", "p"]]
)
def test_models_in_a_file_each_have_the_line_that_compares_them(lossctl, tmp_path, more, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [str(write_lines(tmp_path / f"model {name}.csv", "id,p", *rows)) for name, rows in MODELS.items()]
    labels = str(write_lines(tmp_path / "labels.csv", "id,y", "a,1", "b,2", "c,4"))
    done = lossctl("eval", *files, "--labels", labels, "-l", "mae", *more)
    *_, line = done.err.rstrip().split("\n")
    name, command, *words = shlex.split(line)
    assert (name, command, done.status) == ("lossctl", "compare", 3)
    (result,) = lossctl(command, *words, *([] if "json" in words else ["-f", "json"])).json["results"]
    assert result["difference"] == pytest.approx(1.0)


MODELS = {"A": ("a,1", "b,2", "c,4"), "B": ("c,5", "a,2", "b,1")}
