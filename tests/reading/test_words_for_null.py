"""The same words mean a missing number wherever there is text, and a key that stands twice is no number at all."""

import gzip

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joined import store
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


STORED = st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows"])


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.sampled_from([-1.0, 0.5, 7.0, None])] * 2), min_size=1, max_size=6), STORED,
       st.sampled_from([(), ("-1",), ("7", "0.5")]), st.sampled_from([None, ("-1.0",), ("7",), ()]),
       st.sampled_from([pa.float64(), pa.float32(), pa.decimal128(5, 2), pa.string()]))  # fmt: skip
def test_words_for_null_hold_in_every_format_and_own_ones_in_one_column(tmp_path, rows, suffix, words, own, kind):
    """A number is compared as a number, so text and types agree; in a column of its own words no others hold."""
    cells = {name: [row[place] for row in rows] for place, name in enumerate("yp")}
    stored = {name: pa.array(column, pa.float64()).cast(kind) for name, column in cells.items()}
    path = store(tmp_path / f"rows{suffix}", stored)
    alone = {} if own is None else {"y": (*own, "")}  # as an empty cell is what text has for null
    reading = Reading(nulls=("", *words), column_nulls=alone)
    missing = {"y": words if own is None else own, "p": words}
    kept = [row for row in rows if all(
        cell is not None and not any(float(word) == cell for word in missing[name])
        for name, cell in zip("yp", row, strict=True)
    )]  # fmt: skip
    if not kept:
        with pytest.raises(lossctl.DataError):
            lossctl.evaluate(path, "mae", reading=reading, **ASKED)
        return
    report = lossctl.evaluate(path, "mae", reading=reading, **ASKED)
    assert report.results[0].n == len(kept)
    assert report.value == pytest.approx(sum(abs(y - p) for y, p in kept) / len(kept), rel=1e-15)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_a_word_said_of_one_column_is_null_there_in_text_too_and_plain_ones_are_of_numbers(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", {"y": ["no", "NA", "yes"], "p": [0.5, 0.25, 0.5], "g": ["a", "b", "?"]})
    asked = ["eval", path, "-y", "y", "-p", "p", "-l", "bce", "--classes", "no,yes", "--json", "--nulls", "drop"]
    assert "'NA'" in lossctl(*asked, "--null-values", "NA").err, "Namibia is a class that is not there"
    done = lossctl(*asked, "--null-values", "y=NA,x", "--null-values=g=?", "--by", "g")
    assert done.json["inputs"]["nulls"] == {"y": 1}
    assert [(it["group"], it["n"]) for it in done.json["results"]] == [
        ({"g": "a"}, 1), ({"g": "b"}, 0), ({"g": None}, 1)
    ]  # fmt: skip


def test_a_table_in_memory_heeds_words_for_null():
    source = {"y": [1.0, -1.0], "p": [-1.0, 5.0]}
    reading = Reading(column_nulls={"y": ("-1",)})
    report = lossctl.evaluate(source, "mae", reading=reading, **ASKED)
    assert (report.value, report.results[0].n_null) == (2.0, 1)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_word_for_null_of_a_column_that_is_not_there_is_refused(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", {"label": [1, 2], "p": [1, 2]})
    for command in ("eval", "doctor"):
        done = lossctl(command, path, "--null-values", "lable=-1")
        assert (done.status, done.out) == (2, "")
        assert "--null-values: no column 'lable'\nNear names: label." in done.err


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_what_is_carried_along_is_as_it_was_whatever_means_null(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", {"y": [1, 2], "p": [-1, 1], "other": [5, -1], "word": ["NA", "-1"]})
    done = lossctl("samples", path, "-l", "mae", "--null-values=y=-1", "--null-values=-1", "--nulls", "drop", "-q")
    assert done.out.splitlines()[1:] == ["2,1,-1,2,1,-1,-1"]


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
