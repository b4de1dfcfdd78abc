"""The same words mean a missing number wherever there is text, and a key that stands twice is no number at all."""

import gzip

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stored import TEXT, by_hand

import lossctl
from lossctl.reading.format import Reading

ASKED = {"label": "y", "prediction": "p", "nulls": "drop"}
CELLS = st.lists(st.sampled_from([-999, 7, 3, "n/a", "-"]), min_size=1, max_size=5)


@settings(max_examples=25)
@given(CELLS, st.lists(st.sampled_from([-999, 7, 0, 12]), unique=True))
@example([3, -999], [-999])
@example(["-", 7, 3], [7])
def test_a_word_for_null_is_null_in_every_format_of_text(tmp_path, cells, numbers):
    words = (*map(str, numbers), "n/a", "-")
    kept = [cell for cell in cells if str(cell) not in words]
    rows = [{"y": cell, "p": 2} for cell in cells] + [{"y": 2, "p": 2}]
    for name in TEXT:
        path = by_hand(tmp_path, name, rows)
        report = lossctl.evaluate(path, "mae", reading=Reading(nulls=words), **ASKED)
        assert report.results[0].n == 1 + len(kept)
        assert report.value == sum(abs(cell - 2) for cell in kept) / (1 + len(kept))


def test_a_word_for_null_is_null_inside_a_list_and_as_a_truth(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"y": [0, 0], "p": [3, -999]}\n{"y": [0, 0], "p": [1, 3]}\n')
    report = lossctl.evaluate(path, "mae", reading=Reading(nulls=("-999",)), **ASKED)
    assert (report.value, report.results[0].n) == (2.0, 1)
    path.write_text('{"y": true, "p": 0.5}\n{"y": false, "p": 1}\n')
    report = lossctl.evaluate(path, "mae", reading=Reading(nulls=("false",)), **ASKED)
    assert (report.value, report.results[0].n) == (0.5, 1)


@pytest.mark.parametrize("missing", ["NA", "-", "n a"])
def test_a_word_for_null_is_null_in_the_name_of_a_folder(missing, tmp_path):
    for word in (missing, "1"):
        (tmp_path / f"y={word}").mkdir()
        (tmp_path / f"y={word}" / "rows.csv").write_text("p\n3\n")
    reading = Reading(nulls=("NA", "-", "n a"))
    assert lossctl.evaluate(tmp_path, "mae", reading=reading, **ASKED).value == 2.0
    with pytest.raises(lossctl.DataError, match=r"y=.*rows\.csv: the folder y=.* names no number"):
        lossctl.evaluate(tmp_path, "mae", reading=Reading(nulls=("none",)), **ASKED)


TWINS = {
    "a number": '"y": 1, "y": 2',
    "a null": '"y": null, "y": 2',
    "a null behind": '"y": 2, "y": null',
    "spelled otherwise": '"y": 2, "\\u0079": 1',
    "equal": '"y": 1, "y": 1',
}


@pytest.mark.parametrize("twins", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("row", [1, 2, 700])
def test_a_key_that_stands_twice_is_refused_where_it_is_used(twins, row, tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = ['{"y": 1, "p": 0, "q": 5}'] * 800
    lines[row - 1] = f'{{{twins}, "p": 0, "q": 5}}'
    path.write_text("\n".join(lines))
    with pytest.raises(lossctl.DataError, match=rf"rows\.jsonl: row {row}: key 'y' stands twice"):
        lossctl.evaluate(path, "mae", **ASKED)
    # Where it is not used, nothing is lost by it.
    assert lossctl.evaluate(path, "mae", label="q", prediction="p").value == 5.0


@pytest.mark.parametrize("inside", ['{"a": 1, "a": 2}', '[{"a": 1, "a": 2}]', '{"b": {"a": 1, "a": 1}}'])
def test_a_key_that_stands_twice_is_not_carried_along_as_one(inside, lossctl, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"y": 1, "p": 0, "x": {inside}}}\n')
    assert lossctl("eval", path, "-l", "mae", "-q", "-f", "value").out == "1.0\n"
    told = lossctl("samples", path, "-l", "mae", "-q")
    assert told.status == 3
    assert "key 'a' stands twice" in told.err


MARK, LINE = b"\xef\xbb\xbf", b"\n"


@pytest.mark.parametrize("before", [(MARK,), (LINE, MARK), (MARK, LINE), (LINE, b"\r\n", MARK, LINE), (MARK, MARK)])
@pytest.mark.parametrize("name", TEXT)
def test_marks_and_empty_lines_before_the_first_are_no_part_of_a_name(before, name, tmp_path):
    path = by_hand(tmp_path, name, [{"y": 3, "p": 1}])
    path.write_bytes(b"".join(before) + path.read_bytes())
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for source in (path, packed):
        report = lossctl.evaluate(source, "mae", label="y", prediction="p")
        assert (report.value, report.results[0].n) == (2.0, 1)


def test_a_key_that_only_later_rows_have_is_refused_where_it_would_be_lost(tmp_path, lossctl):
    rows = '{"y": 0, "p": 1, "note": "x"}\n' * 40_000
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{rows}{{"y": 0, "p": 1, "late": 5}}\n')
    asked = [path, "-y", "y", "-p", "p", "-l", "mae"]
    done = lossctl("samples", *asked, "-o", tmp_path / "out.jsonl")
    assert (done.status, (tmp_path / "out.jsonl").exists()) == (3, False)
    assert "row 40,001: key 'late' is in none of the first rows" in done.err
    assert lossctl("eval", *asked, "-f", "value").out == "1.0\n"
