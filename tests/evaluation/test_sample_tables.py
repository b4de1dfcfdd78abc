"""The per-sample table is right whatever columns are called, and whatever types they have in each file."""

import datetime as dt
import decimal
import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import FORMATS, store

from lossctl import DataError
from lossctl.cli.app import run
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.running import Running
from lossctl.evaluation.samples import every_row, worst_rows
from lossctl.inference.request import Request
from lossctl.reading.agreement import Agreement
from lossctl.reading.files import open_source

OURS = ("file", "row", "loss", "gradient")
NAMES = (
    *OURS, "lossctl_row", "lossctl_loss", "lossctl_lossctl_loss", "loss_", "loss_mae", "lossctl order", "nonfinite",
    "0", "",
)  # fmt: skip
"""What columns of the data may be called; the first are what ours are called."""


def samples(paths, top=0, **how):
    source = open_source([str(path) for path in paths])
    plan = make_plan(source, Request(loss=["mae"], label=["y"], prediction=["p"]))
    if top:
        pieces = worst_rows(source, plan, top, lambda *_: None, Running("serial"), **how)
    else:
        pieces = every_row(source, plan, lambda *_: None, **how)
    return list(pieces)


@settings(max_examples=40)
@given(
    names=st.lists(st.sampled_from(NAMES), unique=True, max_size=6),
    suffix=st.sampled_from([".arrows", ".parquet"]),  # a stream is read once, and ranked on the way
    top=st.integers(0, 9),
    files=st.sampled_from([1, 2]),
    seed=st.integers(0, 9),
)
def test_rows_are_ranked_by_the_loss_and_keep_their_columns(names, suffix, top, files, seed, tmp_path):
    rng = np.random.default_rng(seed)
    own = {name: rng.integers(0, 100, 8) for name in names} | {"p": rng.permutation(8).astype(float), "y": np.zeros(8)}
    table = pa.table(own)
    paths = [tmp_path / f"{place}{suffix}" for place in range(files)]
    for place, path in enumerate(paths):
        store(table.slice(place * 4, 4) if files > 1 else table, path)
    found = pa.Table.from_batches(samples(paths, top))
    order = np.argsort(-own["p"], kind="stable")[:top] if top else np.arange(8)
    ours, theirs = found.column_names[: -len(own)], found.column_names[-len(own) :]
    assert theirs == list(own)
    assert len({*found.column_names}) == found.num_columns
    assert all(name.endswith(ours) for name, ours in zip(ours, OURS[files == 1 :], strict=True))
    columns = [column.to_pylist() for column in found.columns]
    assert columns[len(ours) - 2] == own["p"][order].tolist(), "the loss is |0 - p|"
    assert columns[len(ours) - 3] == [(row % 4 if files > 1 else row) + 1 for row in order.tolist()]
    assert columns[len(ours) :] == [values[order].tolist() for values in own.values()]


DAY, MOMENT = dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 13, 5)  # noqa: DTZ001

KINDS = {
    "bool": pa.array([True]), "int8": pa.array([5], pa.int8()), "int64": pa.array([2**53 + 1]),
    "small int64": pa.array([7]), "uint64": pa.array([2**64 - 1], pa.uint64()),
    "float32": pa.array([0.1], pa.float32()), "float64": pa.array([0.1234567890123]),
    "decimal": pa.array([decimal.Decimal("0.5")], pa.decimal128(5, 1)),
    "wide decimal": pa.array([decimal.Decimal("12345678.1234")], pa.decimal128(20, 4)),
    "date": pa.array([DAY]), "timestamp": pa.array([MOMENT]), "seconds": pa.array([MOMENT], pa.timestamp("s")),
    "zoned": pa.array([MOMENT], pa.timestamp("us", "UTC")), "time": pa.array([dt.time(1, 2, 3)]),
    "text": pa.array(["007"]), "large text": pa.array(["x"], pa.large_string()), "null": pa.nulls(1),
    "category": pa.array(["true"]).dictionary_encode(), "numbered": pa.array([5]).dictionary_encode(),
    "bytes": pa.array([b"\xff"]), "list": pa.array([[1, 2]]), "list of floats": pa.array([[0.5]]),
    "fixed list": pa.array([[3, 4]], pa.list_(pa.int64(), 2)), "struct": pa.array([{"a": 1}]),
    "struct of floats": pa.array([{"a": 0.5}]), "other struct": pa.array([{"b": 2}]),
}  # fmt: skip


def telling(cell):
    """What Python's equality forgets: true is no 1, and a day no midnight."""
    return type(cell) if isinstance(cell, bool | dt.date) else None


def table_of(name):
    return pa.table({"y": [0.0], "p": [1.0], "x": KINDS[name]})


def test_a_type_for_two_files_keeps_every_value_or_both_files_are_named():
    """Types that nothing holds without loss are refused, not cast."""
    refusals = []
    for pair in itertools.permutations(KINDS, 2):
        agreement = Agreement()
        batches = [table_of(name).to_batches()[0] for name in pair]
        try:
            for name, batch in zip(pair, batches, strict=True):
                agreement.widen(batch.schema, f"{name}.parquet")
            fitted = [agreement.fitted(batch, f"{name}.parquet") for name, batch in zip(pair, batches, strict=True)]
        except DataError as error:
            refusals.append((pair, str(error)))
            continue
        assert fitted[0].schema == fitted[1].schema
        for name, record in zip(pair, fitted, strict=True):
            cell, kept = KINDS[name][0].as_py(), record["x"][0].as_py()
            assert (kept, telling(kept)) == (cell, telling(cell)), pair
    assert all(f"{name}.parquet" in words for pair, words in refusals for name in pair)


HELD = [
    ("float32", "float64"), ("int8", "small int64"), ("int8", "float32"), ("text", "category"), ("text", "large text"),
    ("null", "struct"), ("seconds", "timestamp"), ("list", "list of floats"), ("list", "fixed list"),
    ("struct", "struct of floats"), ("decimal", "wide decimal"), ("numbered", "float64"),
]  # fmt: skip
REFUSED = [
    ("bool", "int8"), ("bool", "float64"), ("date", "timestamp"), ("int64", "float64"), ("int8", "text"),
    ("numbered", "category"), ("bytes", "text"), ("struct", "other struct"), ("uint64", "int8"),
    ("timestamp", "zoned"), ("decimal", "float64"),
]  # fmt: skip


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("suffix", [".parquet", ".arrows"])
def test_files_of_two_types_are_one_table_or_both_are_named(suffix, apart, tmp_path):
    """Pieces that may differ in type, as text does, hold every pair."""
    for name in KINDS:
        store(table_of(name), tmp_path / f"{name}{suffix}")
    for turn, pair in enumerate([*HELD, *REFUSED]):
        paths = [tmp_path / f"{name}{suffix}" for name in pair[:: -1 if turn % 2 else 1]]
        if pair in HELD or apart:
            pieces = samples(paths, 2 * (turn % 3 == 0), several_types=apart)
            found = [cell for piece in pieces for cell in piece.column("x").to_pylist()]
            assert found == [KINDS[path.stem][0].as_py() for path in paths], pair
            assert apart or all(piece.schema == pieces[0].schema for piece in pieces)
        else:
            with pytest.raises(DataError) as refusal:
                samples(paths, 2 * (turn % 3 == 0))
            assert all(str(path) in str(refusal.value) for path in paths), str(refusal.value)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".csv", ".jsonl"])
def test_a_column_that_is_measured_is_never_narrowed(suffix, tmp_path, lossctl):
    store(pa.table({"y": [0.5], "p": pa.array([0.5], pa.float32())}), tmp_path / "a.parquet")
    store(pa.table({"y": [0.0], "p": [1e10 + 0.1]}), tmp_path / "b.parquet")
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", tmp_path / "a.parquet", tmp_path / "b.parquet", "-l", "mae", "-o", target)
    assert done.status == 0, done.err
    assert lossctl("eval", target, "-y", "y", "-p", "p", "-l", "mae", "-f", "value").out == f"{(1e10 + 0.1) / 2!r}\n"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_a_dictionary_of_small_floats_is_written_as_the_doubles_that_were_measured(suffix, tmp_path, lossctl):
    cells = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([0.1, 0.7], pa.float32()))
    store(pa.table({"y": [0.0, 1.0], "p": cells}), tmp_path / "in.arrow")
    asked = ["-y", "y", "-p", "p", "-l", "mse"]
    assert lossctl("samples", tmp_path / "in.arrow", *asked, "-o", tmp_path / f"out{suffix}").status == 0
    values = [lossctl("eval", tmp_path / name, *asked, "-f", "value").out for name in ("in.arrow", f"out{suffix}")]
    assert values[0] == values[1] == "0.05000000372529037\n"


@pytest.mark.parametrize("top", [[], ["--top", "3"]])
@pytest.mark.parametrize("form", ["arrows", "jsonl"])
def test_text_whose_types_differ_by_file_goes_to_stdout_as_text(form, top, tmp_path, capfdbinary):
    for name, cell in (("a", "1"), ("b", "007"), ("c", "x")):
        (tmp_path / f"{name}.csv").write_text(f"y,p,note\n0,1,{cell}\n")
    assert run(["samples", str(tmp_path / "*.csv"), "-l", "mae", "-f", form, "-q", *top]) == 0
    body = capfdbinary.readouterr().out
    rows = pa.ipc.open_stream(body).read_all().to_pylist() if form == "arrows" else map(json.loads, body.splitlines())
    assert [row["note"] for row in rows] == ["1", "007", "x"]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.int8()], ids=str)
def test_what_was_measured_is_measured_again_from_the_table(suffix, kind, tmp_path, lossctl):
    """Whether or not its shortest text is another double, as it is of 0.1 in 32 bits."""
    p = pa.array([0.1, 2.3]).cast(kind, safe=False)
    store(pa.table({"y": [0.0, 1.0], "p": p}), tmp_path / "in.parquet")
    target = tmp_path / f"out{suffix}"
    assert lossctl("samples", tmp_path / "in.parquet", "-l", "mae", "-o", target).status == 0
    asked = ["-y", "y", "-p", "p", "-l", "mae", "-f", "value"]
    assert lossctl("eval", target, *asked).out == lossctl("eval", tmp_path / "in.parquet", *asked).out != ""


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".jsonl"])  # an object has a key once
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_two_columns_of_a_name_are_refused_in_any_file(suffix, command, tmp_path, lossctl):
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    for path, names in ((one, ["y", "p"]), (two, ["y", "p", "p"])):
        table = pa.Table.from_arrays([pa.array([1.0])] * len(names), names=names)
        if suffix in {".csv", ".tsv"}:
            sign = "," if suffix == ".csv" else "\t"
            path.write_text(f"{sign.join(names)}\n{sign.join('1' * len(names))}\n")
        else:
            store(table, path)
    statuses = []
    for files in ((two,), (two, one), (one, two)):
        done = lossctl(command, *files, "-y", "y", "-p", "p", "-l", "mae")
        assert "two columns called 'p'" in done.err
        assert done.out == "" or command == "samples"
        statuses.append(done.status)
    assert len({*statuses}) == 1
    assert statuses[0] in {2, 3}
