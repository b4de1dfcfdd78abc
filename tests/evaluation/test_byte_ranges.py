"""A file of text may be cut at any byte, and no digit changes."""

import csv
import io
import itertools
import json
import string

import numpy as np
import pyarrow as pa
import pytest
from figures import digits
from hypothesis import assume, given
from hypothesis import strategies as st
from ways import FEW, WAYS, in_turn, run

import lossctl
from lossctl.reading.formats import delimited, jsonlines

pytestmark = pytest.mark.usefixtures("at_the_cluster")

PLAIN = {"loss": ["mse", "huber"], "by": "t", "gradient": True, "samples": 3}


def text_of(rows, *, end="\n", last=True, header="label,prediction,t"):
    """CSV text; a cell is quoted where it must be."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(header.split(","))
    writer.writerows(rows)
    text = out.getvalue()
    return text if last else text[: -len(end)]


def unsplit(path, asked=PLAIN):
    """The answer with the file in one shard, held against the rows as Python's own reader sees them."""
    return lossctl.evaluate(path, **asked, engine="serial")


def as_python_reads(path):
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, zip(*[row for row in rows if row], strict=True), strict=True))
    return {name: pa.array(cells) if name == "t" else np.array(cells, dtype=float) for name, cells in columns.items()}


WORDS = ["plain", "quoted, comma", 'a "quote"', "übergröße €", ""]


def ended_in_turn(items):
    """Each item with either line end, by turns at the end of the file or not: each meets all in two neighbours."""
    ends = [("\n", True), ("\n", False), ("\r\n", False), ("\r\n", True)]
    return [(item, *ends[(at + way) % 4]) for at, item in enumerate(items) for way in (0, 2)]


@pytest.mark.parametrize(("word", "end", "last"), ended_in_turn(WORDS))
def test_a_csv_may_be_cut_at_any_byte(end, last, word, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    rows = [(at % 7, at * 0.37, f"{word}{at % 3}") for at in range(16)]
    path.write_bytes(text_of(rows, end=end, last=last).encode())
    whole = digits(unsplit(path))
    assert whole == digits(run(as_python_reads(path), PLAIN))
    for size in (3, 7, 17, 64, 200, path.stat().st_size - 1, path.stat().st_size):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


FIRST = [0, 1, 20, 39]


@pytest.mark.parametrize(("first", "end", "last"), ended_in_turn(FIRST))
def test_a_csv_with_line_ends_inside_quotes_may_be_cut_at_any_byte(end, last, first, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    words = ["two\nlines", "a\n\n,\nb", "plain", '"\n"', "x\n\ry"]
    rows = [(at % 7, at * 0.37, words[at % 5] if at >= first else "plain") for at in range(40)]
    path.write_bytes(text_of(rows, end=end, last=last).encode())
    whole = digits(unsplit(path))
    assert whole == digits(run(as_python_reads(path), PLAIN))
    turn = FIRST.index(first) + 4 * last + 8 * (end == "\n")
    for size, engine, threads in in_turn((64, 65, 77, 128, 200, 350, path.stat().st_size - 1), turn):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, engine=engine, threads=threads)) == whole, (size, engine, threads)


@pytest.mark.parametrize("word", ["x" * 1000, "line\n" * 200, "x" * 500 + "\n"], ids=["one line", "lines", "both"])
def test_a_row_may_be_longer_than_a_range(word, tmp_path, monkeypatch):
    """A range that no line begins in has no rows; a quoted cell may span many ranges."""
    path = tmp_path / "rows.csv"
    path.write_text(text_of([(1, 2, "a"), (2, 4, word), (0, 1, "b"), (3, 3, word)]))
    whole = digits(unsplit(path))
    for size in (50, 64, 300):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


def test_a_lone_quote_does_not_hide_an_open_one(tmp_path, monkeypatch):
    """Two quotes before an edge need not be a pair: an inch sign in a bare cell, and one that opens two lines."""
    path = tmp_path / "rows.csv"
    rows = ['0,0,5" pipe', '1,1,"x\n1,1,y"', *(f"{at},{at},z" for at in range(2, 20))]
    path.write_text("label,prediction,t\n" + "\n".join(rows) + "\n")
    whole = digits(unsplit(path))
    for size in range(12, 60):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


def test_a_line_end_inside_quotes_may_fall_on_the_edge_of_a_range(tmp_path, monkeypatch):
    """A file of Windows has two characters there, and Arrow's blocks may end between them."""
    path = tmp_path / "rows.csv"
    path.write_text(text_of([(at, at, "x\r\ny") for at in range(60)]), newline="")
    whole = digits(unsplit(path))
    for size in range(64, 90):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


ORDERS = [(0, 1), (0, 1, 0), (0, 0), (1, 0, 0)]


@pytest.mark.parametrize("order", ORDERS, ids="files {}".format)
def test_a_file_that_must_be_cut_again_leaves_the_next_ones_alone(order, tmp_path, monkeypatch):
    """Also where the next one is the same file again."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(text_of([(at, at * 1.5, "a\nb" if at % 3 else "c") for at in range(40)]))
    second.write_text(text_of([(at, at * 2.5, "c" if at % 5 else "d\ne") for at in range(40)]))
    files = [(first, second)[at] for at in order]
    whole = lossctl.evaluate(files, **PLAIN, engine="serial")
    assert sum(result.n for result in whole.results) == 2 * 40 * len(files)
    assert all(sample.row <= 40 for result in whole.results for sample in result.samples)
    monkeypatch.setattr(delimited, "RANGE", 64)
    for engine, threads in FEW[ORDERS.index(order) % 2 :: 2]:
        assert digits(run(files, PLAIN, engine=engine, threads=threads)) == digits(whole)


def test_a_bad_row_is_named_by_its_number_wherever_the_file_is_cut(tmp_path, monkeypatch):
    """Every way with every text and every fault; of the sizes each in turn, so that every way meets each of them."""
    path, sizes = tmp_path / "rows.csv", (64, 100, 1 << 20)
    faults = ((3, "x", "c"), "'x'"), ((3, 4, "c", "d"), "4 fields")
    for turn, (word, (bad, what)) in enumerate(itertools.product(("a\nb", "ab"), faults)):
        rows = [(at, at, word) for at in range(50)]
        path.write_text(text_of([*rows[:37], bad, *rows[37:]]))
        for at, (engine, threads) in enumerate(WAYS):
            monkeypatch.setattr(delimited, "RANGE", sizes[(at + turn) % 3])
            with pytest.raises(lossctl.LossctlError, match=f"rows.csv: row 38: .*{what}"):
                run(path, PLAIN, engine=engine, threads=threads)


CELLS = st.text(alphabet=string.ascii_letters[:3] + ' ",\n\r\té', max_size=8)


@given(
    rows=st.lists(st.tuples(st.integers(-9, 9), st.floats(-1e6, 1e6), CELLS), min_size=1, max_size=25),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
    size=st.integers(64, 300),
    way=st.sampled_from(WAYS),
)
def test_any_small_csv_may_be_cut_at_any_byte(rows, end, last, quoting, size, way, tmp_path):
    assume(quoting != csv.QUOTE_MINIMAL or not any("\r" in cell for *_, cell in rows))  # Python would not quote it
    assume(not any("\r\n" in cell for *_, cell in rows))  # has a test of its own, above
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(["label", "prediction", "t"])
    writer.writerows(rows)
    text = out.getvalue().encode()
    path = tmp_path / "rows.csv"
    path.write_bytes(text if last else text[: -len(end)])
    label, prediction, word = zip(*rows, strict=True)
    in_memory = {"label": np.array(label, dtype=float), "prediction": np.array(prediction), "t": pa.array(word)}
    expected = digits(run(in_memory, PLAIN))
    assert digits(unsplit(path)) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, engine=way[0], threads=way[1])) == expected


@pytest.mark.parametrize("size", [13, 64, 1000])
def test_json_lines_may_be_cut_at_any_byte(size, tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    rows = [{"label": at % 7, "prediction": at * 0.37, "t": 'a\n"b"é'[: at % 7]} for at in range(24)]
    for turn, end in enumerate(("\n", ""), (13, 64, 1000).index(size)):
        path.write_text("\n".join(json.dumps(row) for row in rows) + end)
        monkeypatch.undo()
        whole = digits(unsplit(path))
        monkeypatch.setattr(jsonlines, "RANGE", size)
        for engine, threads in FEW[turn % 2 :: 2]:
            assert digits(run(path, PLAIN, engine=engine, threads=threads)) == whole
