"""Arrays of NumPy have no names: their columns are named by place, many of them as a range, in every line to copy."""

import math
import shlex

import numpy as np
import pytest
from stored import write_lines

N = 12


def lines_of(text):
    """The command lines in what was told, as arguments."""
    return [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("  lossctl")]


@pytest.mark.parametrize("width", [6, 7, 15])
def test_many_columns_are_said_as_a_range_and_each_line_works(lossctl, tmp_path, width):
    """Every class has the probability of 1/2 in its rows."""
    codes = np.arange(2 * width) % width
    labels = np.eye(width)[codes]
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "guesses.npy", np.where(labels == 1, 0.5, 0.5 / (width - 1)))
    files = [tmp_path / "guesses.npy", "--labels", tmp_path / "labels.npy", "--join", "order"]
    done, told = lossctl("eval", *files, "-f", "plain"), lossctl("doctor", *files)
    assert (done.status, told.status) == (0, 0), done.err
    (line,) = lines_of(told.out)
    assert lossctl(*line, "-f", "json").values == [pytest.approx(math.log(2), rel=1e-14)]
    middle = f"#{width - 1}"
    text = "".join((done.out, told.out, " ".join(line), *done.err.splitlines()[:1]))
    assert (text.count(middle) == 0) == (width > 6)
    assert (line[line.index("-p") + 1] == f"#1-#{width}") == (width > 6)


@pytest.mark.parametrize("labels", ["labels.npy", "labels.csv"])
@pytest.mark.parametrize("flags", [[], ["--classes", "ant,bee,cow"]])
def test_labels_of_words_beside_a_matrix_are_asked_about_with_a_line_that_works(lossctl, tmp_path, labels, flags):
    """A probability of 1/2 for what is true."""
    words = np.array(["ant", "bee", "cow"] * 4)
    np.save(tmp_path / "guesses.npy", np.where(words[:, None] == ["ant", "bee", "cow"], 0.5, 0.25))
    path = tmp_path / labels
    np.save(path, words) if path.suffix == ".npy" else write_lines(path, "kind", *words)
    done = lossctl("eval", tmp_path / "guesses.npy", "--labels", path, "--join", "order", *flags)
    assert done.status == 2
    assert "the prediction may be #1 … #3, rows of which sum to 1" in done.err
    (line,) = lines_of(done.err)
    assert lossctl(*line, "-f", "json").values == [pytest.approx(math.log(2), rel=1e-14)]


def test_labels_of_many_columns_are_named_like_their_predictions(lossctl, tmp_path):
    names = [*(f"y_test_{place}" for place in range(3)), *(f"y_pred_{place}" for place in range(3))]
    rows = [
        [*np.eye(3)[row % 3].astype(int), *(0.5 if row % 3 == place else 0.25 for place in range(3))]
        for row in range(N)
    ]
    path = write_lines(tmp_path / "k.csv", ",".join(names), *(",".join(map(str, row)) for row in rows))
    out = lossctl("doctor", path).out
    assert [line.split()[1] for line in out.splitlines() if line.startswith(("label ", "prediction "))] == [
        "y_test_*",
        "y_pred_*",
    ]


def test_a_finding_without_advice_has_no_arrow(lossctl, tmp_path):
    path = write_lines(tmp_path / "t.jsonl", *['{"id": 1, "token_logprobs": [null, -0.5, -1.25]}'] * 3)
    out = lossctl("doctor", path).out
    assert "log-probabilities" in out
    assert all(line.strip() != "→" for line in out.splitlines())
