"""Columns that are only carried along come out as they went in."""

import datetime as dt
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from stored import TEXT, by_hand, narrow, read_back, store, table_of

DAY, MOMENT = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 23, 59, 58, 123456)  # noqa: DTZ001

CARRIED = {
    "string": pa.array(["a", 'b,"c"\n', None]),
    "large_string": pa.array(["a", "ü", None], pa.large_string()),
    "string_view": pa.array(["a", "a text longer than twelve bytes", None], pa.string_view()),
    "dictionary": pa.array(["a", "b", None]).dictionary_encode(),
    "binary": pa.array([b"a", b"\xff\x00", None]),
    "large_binary": pa.array([b"a", b"\xff\x00", None], pa.large_binary()),
    "fixed_binary": pa.array([b"ab", b"\xff\x00", None], pa.binary(2)),
    "bool": pa.array([True, False, None]),
    "null": pa.nulls(3),
    "int8": pa.array([1, -128, None], pa.int8()),
    "int64": pa.array([2**53 + 1, -(2**63), None]),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float16": pa.array(np.array([1.5, -0.25, 0.0], dtype=np.float16)),
    "float32": pa.array([1.5, -0.1, None], pa.float32()),
    "float64": pa.array([0.1, math.inf, None]),
    "decimal": pa.array([decimal.Decimal("1.10"), decimal.Decimal("-99999999.99"), None], pa.decimal128(12, 2)),
    "decimal256": pa.array([decimal.Decimal("1.10"), decimal.Decimal("-99999999.99"), None], pa.decimal256(50, 2)),
    "date32": pa.array([DAY, dt.date(1, 1, 1), None]),
    "date64": pa.array([DAY, dt.date(1, 1, 1), None], pa.date64()),
    "time32": pa.array([dt.time(1, 2, 3), None, None], pa.time32("s")),
    "time64": pa.array([dt.time(1, 2, 3, 4), None, None], pa.time64("us")),
    "timestamp": pa.array([MOMENT, None, MOMENT], pa.timestamp("us")),
    "timestamp ns": pa.array([1709251198123456789, None, 0], pa.timestamp("ns")),
    "timestamp with zone": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "UTC")),
    "duration": pa.array([dt.timedelta(days=1, microseconds=5), None, None], pa.duration("us")),
    "list": pa.array([["a"], [], None]),
    "list of lists": pa.array([[[1], []], [], None]),
    "large list": pa.array([[1], [], None], pa.large_list(pa.int64())),
    "fixed list": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int64(), 2)),
    "struct": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": None}, None]),
    "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "struct of times": pa.array([{"t": MOMENT, "d": decimal.Decimal("1.5")}, None, None]),
}  # fmt: skip


TARGETS = (".parquet", ".arrow", ".arrows", ".csv", ".tsv", ".jsonl")


@pytest.mark.parametrize(
    ("kind", "source", "top"),
    [
        pytest.param(kind, source, top, id=f"{kind}-{source}-{'top' if top else 'all'}")
        for turn, kind in enumerate(CARRIED)
        for at, source in enumerate((".parquet", ".arrow", ".arrows"))
        for top in ([], ["--top", "9"])
        if not top or (at + turn) % 3 == 0
    ],
)
def test_samples_keep_a_column_of_any_type(kind, source, top, tmp_path, lossctl):
    """From every source to every target, by turns as they come and worst first: a writer sees batches either way.

    Of every type, each format to itself and every target as the rows come; worst first, from one source in turn.
    """
    column, turn = CARRIED[kind], TARGETS.index(source) + (1 + list(CARRIED).index(kind) % 2 if top else 0)
    table = pa.table(
        {"y": [1.0, None, 1.0, 1.0], "p": [4.0, 3.0, 3.0, 2.0], "it": pa.concat_arrays([column, column.slice(0, 1)])}
    )
    path = tmp_path / f"in{source}"
    try:
        store(table, path, rows=3)
    except pa.ArrowNotImplementedError:
        pytest.skip(f"{source} cannot hold a {kind}")
    column = table_of(path)["it"]
    cells = column.to_pylist()
    kept = [cells[0], cells[2], cells[3]]
    for suffix in TARGETS[turn % 3 :: 3]:
        target = tmp_path / f"out{suffix}"
        done = lossctl("samples", path, "-l", "mse", "--nulls", "drop", "-o", target, *top)
        assert done.status == 0, f"{suffix}: {done.err}"
        rows = read_back(target)
        assert [float(row["loss"]) for row in rows] == [9.0, 4.0, 1.0]
        if suffix in {".arrow", ".arrows"} or (suffix == ".parquet" and source == ".parquet"):
            found = table_of(target)["it"]
            assert found.to_pylist() == kept
            assert found.type == column.type or str(column.type).startswith(
                ("dictionary", "string_view", "binary_view")
            )
        elif suffix == ".jsonl":
            plain = [cell if cell is None or isinstance(cell, bool | int | str) else ... for cell in kept]
            assert all(
                ours == theirs
                for ours, theirs in zip(plain, (row["it"] for row in rows), strict=True)
                if ours is not ...
            )
        elif suffix in {".csv", ".tsv"}:
            assert [row["it"] == "" for row in rows] == [cell is None for cell in kept]


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".arrow"])
def test_samples_keep_what_text_says(name, suffix, tmp_path, lossctl):
    """Postcodes keep their zeros, ids all their digits, dates their spelling."""
    words = {
        "postcode": ["00501", "01234"], "id": ["18446744073709551615", "12345678901234567890123"],
        "day": ["2024-01-05", "2024-01-06"],
        "when": ["2024-01-05T10:00:00Z", "2024-01-05 10:00:00"], "country": ["NA", "null"], "answer": ["True", "no"],
    }  # fmt: skip
    rows = [{"y": 1.0, "p": 2.0, **{key: cells[at] for key, cells in words.items()}} for at in range(2)]
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", by_hand(tmp_path, name, rows), "-l", "mse", "-o", target)
    assert done.status == 0, done.err
    found = {key: [row[key] for row in read_back(target)] for key in words}
    if not (suffix in {".jsonl", ".parquet", ".arrow"} and name in {"csv", "tsv"}):
        assert found == words
    else:  # what looks like a number may become one where types are kept, but no digit may be lost
        assert {key: found[key] for key in ("day", "when", "country", "answer")} == {
            key: words[key] for key in ("day", "when", "country", "answer")
        }
        assert list(map(str, found["id"])) == words["id"]
        assert list(map(str, found["postcode"])) == words["postcode"]


@pytest.fixture
def fickle(tmp_path, monkeypatch):
    """A file of text whose carried column is of another type than its first megabyte says."""
    for module in ("delimited", "jsonlines"):
        monkeypatch.setattr(f"lossctl.reading.formats.{module}.HEAD", 256)
    narrow(monkeypatch, 256)

    def make(name, first, later):
        rows = [{"y": 1.0, "p": 2.0, "note": first}] * 50 + [{"y": 1.0, "p": 2.0, "note": later}] * 50
        return by_hand(tmp_path, name, rows)

    return make


every_text = pytest.mark.parametrize("name", TEXT)
CHANGES = [(1, 0.5), (1, "many"), (0.5, "many"), ("2024-01-05", "never"), (True, "maybe"), (None, "x"), (1, 2**70)]
every_change = pytest.mark.parametrize(("first", "later"), CHANGES)


@every_text
@every_change
def test_a_carried_column_that_changes_its_mind_does_not_end_a_run(name, first, later, fickle, lossctl):
    """What nobody asked about must not matter to a loss."""
    assert lossctl("eval", fickle(name, first, later), "-l", "mse", "-f", "value", "-q").out == "1.0\n"


@every_text
@every_change
@pytest.mark.parametrize("top", [[], ["--top", "200"]], ids=["all", "top"])
def test_samples_survive_a_carried_column_that_changes_its_mind(name, first, later, top, fickle, tmp_path, lossctl):
    """The targets take turns: each meets every text, every change, and either order of rows."""
    turn = list(TEXT).index(name) + CHANGES.index((first, later)) + bool(top)
    suffix = (".csv", ".jsonl", ".parquet")[turn % 3]
    path, target = fickle(name, first, later), tmp_path / f"out{suffix}"
    done = lossctl("samples", path, "-l", "mse", "-o", target, *top)
    if name == "json" and suffix != ".csv" and done.status:  # an array is read in one go, and not again as text
        assert (done.status, target.exists()) == (3, False)
        assert "-o FILE.csv" in done.err
        return
    assert done.status == 0, done.err
    cells = [row["note"] for row in read_back(target)]
    assert len(cells) == 100
    assert str(cells[99]) == str(later)
    assert str(cells[0]) in {str(first), "" if first is None else str(first).lower(), f"{first}.0"}
