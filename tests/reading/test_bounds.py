"""No file takes more than its share: lines, nesting, rows and batches have bounds, and say so."""

import io
import itertools
import json
from pipes import fed

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import TEXT, compress, narrow

import lossctl as library
from lossctl.errors import DataError, UsageError
from lossctl.evaluation import fold, steady
from lossctl.reading import ipc_messages, line_ends
from lossctl.reading.files import open_source
from lossctl.reading.format import Reading, Wanted
from lossctl.reading.formats import parquet
from lossctl.reading.line_ends import LineEnds
from lossctl.reading.lines import Stream
from lossctl.reading.location import SUFFIXES, Location
from lossctl.reading.nesting import DEEPEST, too_deep
from lossctl.reading.stores import unreadable
from lossctl.words import in_bytes, size_of

ROWS = [{"y": 1, "p": 2, "t": "a"}, {"y": 3, "p": 4, "t": "b"}, {"y": 5, "p": 7, "t": "c"}]
EVAL = ("-l", "mse", "-y", "y", "-p", "p")


def value(path, **reading):
    return library.evaluate(str(path), "mse", label="y", prediction="p", reading=Reading(**reading)).value


# --- lines -----------------------------------------------------------------------------------------------------------


def ends_by_reading(text, delimiter):
    """Where lines end outside quotes, and whether the text ends inside: sign by sign."""
    ends, inside, closed, before = [], False, False, "\n"
    for place, sign in enumerate(text):
        if sign == '"':
            opens = not inside and (closed or before in f"{delimiter}\r\n")
            closed = inside
            inside = opens
        else:
            closed = False
            if sign == "\n" and not inside:
                ends.append(place + 1)
        before = sign
    return ends, inside


@given(st.text('a," \n\r', max_size=60), st.lists(st.integers(0, 60), max_size=4), st.integers(1, 20))
@settings(max_examples=200)
def test_line_ends_are_those_outside_quotes_however_a_text_is_cut(text, cuts, block):
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    data = text.encode()
    expected, inside = ends_by_reading(text, ",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_ends, "BLOCK", block)
        every, last = LineEnds(","), LineEnds(",")
        for start, stop in itertools.pairwise(places):
            within = [end - start for end in expected if start < end <= stop]
            assert every.all(data[start:stop]).tolist() == within
            assert last.last(data[start:stop]) == max(within, default=0)
    assert every.inside == last.inside == inside


LONG = {"csv": ["x" * 200, '"' + "x\n," * 70 + '"'], "tsv": ["x" * 200, '"' + "x\n\t" * 70 + '"'], "jsonl": ["x" * 200]}
"""Cells of more than 200 bytes."""


@pytest.mark.parametrize("suffix", ["", *SUFFIXES])
@pytest.mark.parametrize(("name", "cell"), [(name, cell) for name, cells in LONG.items() for cell in cells])
@pytest.mark.parametrize("row", [1, 2])
def test_a_line_of_any_text_is_read_up_to_the_bound_and_refused_beyond(name, cell, row, suffix, tmp_path, monkeypatch):
    path = tmp_path / f"rows.{name}{suffix}"
    rows = [dict(cells) for cells in ROWS]
    rows[row]["t"] = cell
    body = TEXT[name](rows).encode()
    path.write_bytes(compress(body, suffix) if suffix else body)
    length = len(TEXT[name](rows[: row + 1])) - len(TEXT[name](rows[:row]))
    for n in (1 << 20, 64):
        narrow(monkeypatch, n)
        assert value(path, max_line=length) == 2.0
        with pytest.raises(DataError, match=rf"row {row + 1}: the line is longer than {length - 1} bytes"):
            value(path, max_line=length - 1)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_quote_that_is_never_closed_is_bounded_and_told(suffix, tmp_path, monkeypatch, lossctl):
    narrow(monkeypatch, 64)
    body = b'y,p,t\n1,2,a\n3,4,"b\n' + b"5,6,c\n" * 100
    path = tmp_path / f"rows.csv{suffix}"
    path.write_bytes(compress(body, suffix) if suffix else body)
    done = lossctl("eval", path, *EVAL, "--max-line", "300")
    assert (done.status, done.out) == (3, "")
    assert "row 2: the line is longer than 300 bytes\nIs a quote opened and never closed?" in done.err
    assert "--max-line" in done.err


@pytest.mark.parametrize("name", TEXT)
def test_a_header_or_first_line_is_bounded_too(name, tmp_path):
    path = tmp_path / f"rows.{name}"
    path.write_text(TEXT[name]([{"y": 1, "p": 1, "n" * 100: 1}]))
    with pytest.raises(DataError, match="line 1: the line is longer than 64 bytes"):
        value(path, max_line=64)


@pytest.mark.parametrize("name", TEXT)
def test_a_line_is_bounded_in_a_pipe(name, tmp_path, monkeypatch):
    narrow(monkeypatch, 64)
    rows = [*ROWS, {"y": 1, "p": 1, "t": "x" * 5000}]
    with fed(tmp_path / f"pipe.{name}", TEXT[name](rows).encode()) as path, pytest.raises(DataError, match="row 4: "):
        value(path, max_line=1000)
    with fed(tmp_path / f"more.{name}", TEXT[name](rows).encode()) as path:
        assert value(path) == pytest.approx(6 / 4)


class Endless:
    """A file that never ends, and counts what was read of it."""

    def __init__(self, begin):
        self.begin, self.read_on = io.BytesIO(begin), 0

    def read(self, n):
        self.read_on += n
        return self.begin.read(n) or bytes(n)

    def close(self):
        pass


def test_of_a_line_without_end_no_more_is_read_than_the_bound():
    location = Location("endless.csv", pipe=True, handle=Endless(b""))
    with pytest.raises(DataError, match="line 1: the line is longer than 1 MiB"):
        Stream(location, 1 << 20).head(2, 1 << 16)
    assert location.handle.read_on <= (1 << 20) + (1 << 16)


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 1 << 29), ("1 GiB", 1 << 30), ("4kb", 4096), ("100", 100), ("7 bytes", 7)]
)
def test_a_size_is_said_in_units(text, size):
    assert size_of(text) == size
    assert size_of(in_bytes(size)) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5M", "M", "0", "2G", "9" * 30])
def test_what_is_no_size_is_a_usage_error(text, tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    assert lossctl("eval", tmp_path / "rows.csv", *EVAL, f"--max-line={text}").status == UsageError.status


# --- nesting ---------------------------------------------------------------------------------------------------------


def depth(cell):
    parts = cell.values() if isinstance(cell, dict) else cell if isinstance(cell, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


SIDES = st.sampled_from([None, 1, "]}" * 90, '{"[' * 90, "\\", '\\"{', [[1]] * 70, {"}": "\n"}])


@st.composite
def nested(draw):
    cell = draw(SIDES)
    for _ in range(draw(st.sampled_from([0, 1, 2, DEEPEST - 3, DEEPEST - 2, DEEPEST - 1, DEEPEST, 90]))):
        cell = [cell] if draw(st.booleans()) else {'{"': cell}
    return {"a": cell, "side": draw(SIDES)}


@given(st.lists(nested(), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_depth_is_counted_outside_text_only(rows, end):
    text = end.join(json.dumps(row) for row in rows).encode()
    assert too_deep(text) == (max(map(depth, rows)) > DEEPEST)
    assert too_deep(b"\n" * (1 << 16) + text) == too_deep(text)


DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000
CASES = {
    "deep": [json.dumps(ROWS[0]), f'{{"y":3,"p":4,"t":{DEEP}}}'],
    "lists": [json.dumps(ROWS[0]), '{"y":3,"p":4,"t":' + "[" * 100_000 + "]" * 100_000 + "}"],
    "never closed": [json.dumps(ROWS[0]), '{"y":3,"p":' + "[" * 100_000],
    "a line a level": ['{"y":1,"p":2}', *['{"a":'] * 100_000],
    "hidden by text": [json.dumps(ROWS[0]), '{"a]}\\"}":' * 100_000 + "1" + "}" * 100_000],
    "500": [json.dumps(ROWS[0]), '{"y":3,"p":4,"t":' + "[" * 500 + "]" * 500 + "}"],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("begin", [0, 1 << 20], ids=["in the first rows", "later"])
def test_nesting_is_refused_before_a_parser_sees_it(case, begin, tmp_path, lossctl):
    path = tmp_path / "rows.jsonl"
    line = json.dumps(ROWS[0]) + "\n"
    before = begin // len(line) + 1 if begin else 0
    path.write_text(line * before + "\n".join(CASES[case]) + "\n")
    done = lossctl("eval", path, *EVAL)
    assert (done.status, done.out) == (3, ""), done.err
    assert "bug" not in done.err
    if "line" not in case and "never" not in case:
        assert f"row {before + 2:,}: objects and lists are nested more than 64 levels deep" in done.err


@pytest.mark.parametrize("suffix", ["", ".zst"])
@pytest.mark.parametrize("command", ["doctor", "samples", "labels"])
def test_nesting_is_refused_by_every_way_in(command, suffix, tmp_path, lossctl):
    path = tmp_path / f"rows.jsonl{suffix}"
    body = "\n".join(CASES["deep"]).encode()
    path.write_bytes(compress(body, suffix) if suffix else body)
    (tmp_path / "p.csv").write_text("y,q\n1,1\n3,3\n")
    line = {
        "doctor": ["doctor", path],
        "samples": ["samples", path, *EVAL],
        "labels": ["eval", tmp_path / "p.csv", "--labels", path, "--id", "y", "-l", "mse", "-y", "p", "-p", "q"],
    }
    done = lossctl(*line[command])
    assert done.status == 3
    assert "row 2: objects and lists are nested" in done.err


@pytest.mark.parametrize("suffix", ["arrow", "parquet", "csv", "jsonl"])
def test_what_is_nested_as_deep_as_allowed_can_be_written_and_read(suffix, tmp_path, lossctl):
    path, copy = tmp_path / "rows.jsonl", tmp_path / f"copy.{suffix}"
    inner = '{"a":' * (DEEPEST - 1) + "1" + "}" * (DEEPEST - 1)
    path.write_text(f'{{"y":1,"p":2,"t":{inner}}}\n')
    assert lossctl("samples", path, *EVAL, "-o", copy).status == 0
    assert lossctl("eval", copy, *EVAL, "-f", "json").values == [1.0]


# --- rows and batches ------------------------------------------------------------------------------------------------


def lists(rows, length):
    ends = pa.array(np.arange(rows + 1) * length, pa.int32())
    return pa.table({
        "y": np.zeros(rows), "p": np.ones(rows), "v": pa.ListArray.from_arrays(ends, pa.array(np.zeros(rows * length)))
    })  # fmt: skip


def test_the_footer_says_how_many_values_there_are_as_arrow_does(tmp_path):
    path = str(tmp_path / "rows.parquet")
    table = lists(10, 7).append_column("s", pa.array([{"a": [1, 2], "b": "x"}] * 10))
    pq.write_table(table, path, row_group_size=4)
    metadata = pq.read_metadata(path)
    with open(path, "rb") as file:
        lengths = parquet._lengths(file)
    assert len(lengths) == metadata.num_row_groups
    for index, values in enumerate(lengths):
        group = metadata.row_group(index)
        expected = {}
        for column in map(group.column, range(group.num_columns)):
            for name in itertools.accumulate(column.path_in_schema.split("."), "{}.{}".format):
                expected[name] = expected.get(name, 0) + column.num_values
        assert values == expected


def test_a_row_of_parquet_is_refused_before_it_is_decoded(tmp_path, monkeypatch, lossctl):
    path = tmp_path / "rows.parquet"
    pq.write_table(lists(3, 1 << 17), path, compression="zstd")
    assert path.stat().st_size < 4000
    monkeypatch.setattr(parquet, "MOST", (1 << 20) - 1)
    before = pa.total_allocated_bytes()
    done = lossctl("samples", path, *EVAL)
    assert done.status == 3
    assert f"{path}: a row takes 1 MiB, and more than 1,048,575 bytes are not read" in done.err
    assert pa.total_allocated_bytes() - before < 1 << 20
    assert lossctl("eval", path, *EVAL).status == 0, "columns that nobody wants are not read"


def test_fewer_rows_are_read_at_once_where_they_are_long(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    pq.write_table(lists(300, 1000), path)
    monkeypatch.setattr(parquet, "MOST", 1 << 16)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1 << 15)
    wanted = Wanted(frozenset({"v"}), frozenset())
    batches = [batch for shard in open_source(str(path)).shards() for batch in shard.read(wanted)]
    assert sum(batch.num_rows for batch in batches) == 300
    assert max(batch.nbytes for batch in batches) < 1 << 17


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("suffix", ["arrow", "arrows", "a pipe"])
@pytest.mark.parametrize("what", ["batch", "dictionary"])
def test_a_compressed_batch_is_refused_before_it_is_decompressed(
    what, suffix, compression, tmp_path, monkeypatch, lossctl
):
    n = 1 << 20
    text = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), ["x" * n])
    tables = {"dictionary": {"y": [0.0], "p": [1.0], "g": text}, "batch": {"y": np.zeros(n), "p": np.ones(n)}}
    table, options = pa.table(tables[what]), pa.ipc.IpcWriteOptions(compression=compression)
    path = tmp_path / f"rows.{'arrow' if suffix == 'arrow' else 'arrows'}"
    new = pa.ipc.new_file if suffix == "arrow" else pa.ipc.new_stream
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema, options=options) as writer:
        writer.write_table(table)
    assert lossctl("eval", path, *EVAL, "-f", "json").values == [1.0]
    monkeypatch.setattr(ipc_messages, "MOST", n - 1)
    if suffix == "a pipe":
        with fed(tmp_path / "pipe", path.read_bytes()) as pipe:
            done = lossctl("eval", pipe, *EVAL)
    else:
        done = lossctl("eval", path, *EVAL)
    assert done.status == 3, done.err
    assert f"takes {'1 MiB' if what == 'dictionary' else '16 MiB'} once it is decompressed" in done.err
    monkeypatch.setattr(ipc_messages, "RATIO", 1 << 20)
    assert lossctl("eval", path, *EVAL).status == 0, "what compresses little is no bomb"


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [MemoryError(), pa.ArrowMemoryError("x"), OSError(12, "x"), OSError("std::bad_alloc")]
)
def test_too_little_memory_is_called_so(error):
    assert str(unreadable("a.csv", error)).startswith("a.csv: too little memory\n")


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
@pytest.mark.parametrize("error", [MemoryError, pa.ArrowMemoryError])
def test_memory_that_runs_out_in_a_pass_is_an_error_that_names_the_file(error, engine, tmp_path, monkeypatch, lossctl):
    def scarce(*_):
        raise error("malloc of size 9 failed")

    narrow(monkeypatch, 64)
    path = tmp_path / "rows.csv"
    path.write_text("y,p\n" + "1,2\n" * 100)
    for pass_ in (fold, steady):
        monkeypatch.setattr(pass_, "validate", scarce)
    done = lossctl("eval", path, *EVAL, "--engine", engine, *([] if engine == "serial" else ["--threads", "2"]))
    assert (done.status, done.out) == (3, "")
    assert f"{path}: too little memory" in done.err
