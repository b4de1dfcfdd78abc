"""The names of many classes stand in a file, one a line, in the order of the columns."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl as library
from lossctl.errors import Undecided, UsageError

K, N = 70, 60


def coded(seed=0):
    """Word codes in no order of the alphabet, rows of probabilities, and the cross-entropy."""
    rng = np.random.default_rng(seed)
    words = np.array([f"n{code:05d}" for code in rng.permutation(K)])
    label, rows = rng.integers(0, K, N), rng.dirichlet(np.ones(K), N)
    return words, {"wnid": words[label]}, rows, float(-np.log(rows[np.arange(N), label]).mean())


def columns_of(form, rows):
    if form == "list":
        return {"probs": pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), K)}
    return {form.format(place): column for place, column in enumerate(rows.T)}


@pytest.mark.parametrize("form", ["list", "{}", "p_{}"])
def test_labels_of_many_words_are_told_how_to_name_their_classes_and_each_line_then_works(form, tmp_path):
    words, label, rows, expected = coded()
    file, data = tmp_path / "synsets.txt", pa.table(label | columns_of(form, rows))
    file.write_text("\ufeff" + "\r\n".join(words) + "\r\n\r\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"classes='FILE', which has a name a line"):
        library.evaluate(data, None, label="wnid")
    asked = {"label": "wnid", "classes": str(file)}
    try:
        value = library.evaluate(data, None, **asked).value
    except Undecided as question:
        (way,) = question.ways
        assert len(dict(way)["prediction"]) < 12
        value = library.evaluate(data, **asked, **dict(way)).value
    assert value == pytest.approx(expected)


def test_the_command_line_and_gates_take_the_file_as_well(lossctl, tmp_path):
    words, label, rows, expected = coded(1)
    pq.write_table(pa.table(label | columns_of("list", rows)), tmp_path / "val.parquet")
    (tmp_path / "synsets.txt").write_text("\n".join(words))
    asked = (tmp_path / "val.parquet", "-y", "wnid", "--classes", tmp_path / "synsets.txt")
    assert float(lossctl("eval", *asked, "-f", "value").out) == pytest.approx(expected)
    assert lossctl("samples", *asked, "--top", "2").status == 0
    gate = {"name": "a", "loss": "cross_entropy", "label": "wnid", "classes": str(tmp_path / "synsets.txt"), "max": 9}
    checked = library.check_gates([{**gate, "pred": "probs"}], tmp_path / "val.parquet")
    assert [verdict.measured.value for verdict in checked.verdicts] == [pytest.approx(expected)]
    told = lossctl("eval", *asked[:-1], "nope.txt")
    assert (told.status, "No file is called 'nope.txt'" in told.err) == (2, True)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    told = lossctl("eval", *asked[:-1], tmp_path / "bytes")
    assert (told.status, "is no list of names" in told.err) == (2, True)


def test_the_label_of_many_words_is_proposed_beside_lists_of_as_many_numbers():
    _, label, rows, _ = coded(2)
    source = pa.table({"file": [f"{place}.jpg" for place in range(N)], **label, **columns_of("list", rows)})
    with pytest.raises(UsageError, match="the label, which may be wnid; no name tells which of the 70 numbers"):
        library.evaluate(source, None)
