"""One table, every format, equal reports: how numbers are stored cannot change a digit."""

import contextlib
import datetime as dt
import decimal
import io
import itertools
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.format import NULLS, Reading, Wanted, format_for, formats, open_location, open_source
from lossctl.location import SUFFIXES as COMPRESSIONS
from lossctl.location import locate

SAMPLES = Path(__file__).parent.parent / "sample_data"
ON_DISK = [found for found in formats if found.suffixes]
SUFFIXES = [(found, suffix) for found in ON_DISK for suffix in found.suffixes]

RUNS = {
    "regression": {"loss": ["mse", "mae", "huber"], "label": "y", "weight": "weight", "by": "segment"},
    "binary": {"loss": ["bce", "focal"], "label": "label", "prediction": ["p_a", "p_b"], "by": "segment"},
    "classes": {"loss": ["cross_entropy"], "prediction": "p_*"},
    "counts": {"loss": ["poisson"], "by": "region"},
    "logits": {"loss": ["bce"], "prediction": "logit", "from_logits": True},
    "scores": {"loss": ["hinge", "exponential"]},
}


def bits(report):
    """The results of a report, to the last bit."""
    return [repr(result) for result in report.results]


def open_path(path):
    return open_location(locate(str(path)), Reading())


def run(source, asked, **more):
    return lossctl.evaluate(source, **{"gradient": True, "samples": 3, **asked, **more})


def write(found, path, table):
    """A file by the format's own writer, some rows at a time."""
    with open(path, "wb") as file:
        writer = found.writer(file, table.schema)
        for batch in table.to_batches(max_chunksize=100):
            writer.write_batch(batch)
        writer.close()
    return str(path)


@pytest.fixture(params=SUFFIXES, ids=lambda pair: pair[1])
def stored(request, tmp_path):
    """A function that writes a table in one format and gives the path."""
    found, suffix = request.param

    def store(table):
        return write(found, tmp_path / f"rows{suffix}", table)

    return store


# --- every format ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_sample_data_are_the_same_in_every_format(name, stored):
    table = pq.read_table(SAMPLES / f"{name}.parquet")
    expected = bits(run(SAMPLES / f"{name}.csv", RUNS[name]))
    assert bits(run(SAMPLES / f"{name}.parquet", RUNS[name])) == expected
    assert bits(run(table, RUNS[name])) == expected
    assert bits(run(stored(table), RUNS[name])) == expected


def test_any_double_survives_every_format(stored):
    rng = np.random.default_rng(4)
    odd = [
        0.1,
        1e23,
        5e-324,
        2.2250738585072014e-308,
        1e300,
        -0.0,
        123456789012345680.0,
        math.pi,
        1 / 3,
        9007199254740993.0,
    ]
    values = np.concatenate([odd, rng.normal(size=500) * 10.0 ** rng.integers(-300, 150, 500)])
    table = pa.table({"label": np.zeros(len(values)), "prediction": values})
    asked = {"loss": "mae", "samples": len(values)}
    assert bits(run(stored(table), asked)) == bits(run(table, asked))


def test_text_survives_every_format(stored):
    words = [
        "plain",
        "a,b",
        'say "x"',
        "two\nlines",
        "tab\there",
        "übergröße",
        "NA",
        "null",
        "nan",
        "1",
        " x ",
        "",
        None,
        "ß|",
    ]
    table = pa.table({"label": np.arange(28.0), "prediction": np.arange(28.0) ** 1.1, "g": pa.array(words * 2)})
    found, expected = (run(source, {"loss": "mse", "by": "g"}) for source in (stored(table), table))
    assert [result.group["g"] for result in found.results] == [result.group["g"] for result in expected.results]
    assert bits(found) == bits(expected)


def test_nulls_are_met_in_every_format(stored):
    label = pa.array([1.0, None, 3.0, float("nan"), 5.0])
    table = pa.table(
        {"label": label, "prediction": pa.array([1.5, 2.0, None, 4.0, 5.5]), "w": [1.0, 1.0, 1.0, None, 2.0]}
    )
    asked = {"loss": "mse", "weight": "w", "nulls": "drop"}
    path = stored(table)
    assert bits(run(path, asked)) == bits(run(table, asked))
    assert run(path, asked).results[0].n_null == 3
    with pytest.raises(lossctl.LossctlError, match=r"row 2.*null"):
        run(path, {**asked, "nulls": "error"})


def test_vectors_survive_every_format_that_holds_lists(stored, tmp_path):
    rng = np.random.default_rng(5)
    flat = pa.array(rng.normal(size=300 * 12))
    table = pa.table({"label": rng.integers(0, 12, 300), "prediction": pa.FixedSizeListArray.from_arrays(flat, 12)})
    path = stored(table)
    if next(column.kind for column in open_path(path).columns if column.name == "prediction") != "list":
        return
    asked = {"loss": "cross_entropy", "from_logits": True}
    assert bits(run(path, asked)) == bits(run(table, asked))


def test_the_format_of_a_file_is_known_by_its_suffix_in_any_case():
    for found, suffix in SUFFIXES:
        assert format_for(f"some/rows{suffix}") is format_for(f"rows{suffix.upper()}") is found
    assert len({suffix for _, suffix in SUFFIXES}) == len(SUFFIXES)


@given(wanted=st.sets(st.sampled_from(["label", "p", "g", "other"])), others=st.booleans())
def test_a_shard_reads_the_columns_it_is_asked_for(wanted, others, tmp_path):
    table = pa.table({"other": [1, 2], "g": ["x", "y"], "p": [0.5, 1.5], "label": [1, 0]})
    texts = frozenset(wanted & {"g"})
    asked = Wanted(frozenset(wanted) - texts, texts, others)
    sources = [open_path(write(found, tmp_path / f"rows{found.suffixes[0]}", table)) for found in ON_DISK]
    for source in [*sources, open_source(table)]:
        assert {column.name: column.kind for column in source.columns} == {
            "other": "number", "g": "text", "p": "number", "label": "number",
        }  # fmt: skip
        names = set(table.column_names) if others else wanted
        for shard in source.shards():
            if names:
                assert all(set(batch.schema.names) == names for batch in shard.read(asked))


def test_shards_are_small_and_can_be_sent_elsewhere(stored):
    import pickle

    table = pa.table({"label": np.arange(1000.0), "prediction": np.arange(1000.0)})
    asked = Wanted(frozenset({"label", "prediction"}), frozenset())
    for shard in open_path(stored(table)).shards():
        sent = pickle.dumps(shard)
        assert len(sent) < 2000
        assert [batch.num_rows for batch in pickle.loads(sent).read(asked)] == [it.num_rows for it in shard.read(asked)]


# --- how numbers are stored ------------------------------------------------------------------------------------------

WHOLE = [0, 1, 1, 0, 5, 100, 127, 3, 0, 1]
HALVES = [0.0, 0.5, -1.25, 1024.0, 0.125, 3.0, -2.0, 7.5, 1.0, 0.0]
CENTS = [0.1, 0.29, 1.15, -2.675, 12345.67, 0.07, 99.99, 1e-3, 0.3, 1234567.891]


def decimals(values, kind):
    return pa.array([decimal.Decimal(repr(value)) for value in values], kind)


TYPES = {
    **{str(kind): (WHOLE, pa.array(WHOLE, kind)) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(),
        pa.float32(), pa.float64(),
    )},
    "bool": ([0, 1, 1, 0, 1] * 2, pa.array([False, True, True, False, True] * 2)),
    "halves in float16": (HALVES, pa.array(np.array(HALVES, dtype=np.float16))),
    "halves in float32": (HALVES, pa.array(HALVES, pa.float32())),
    "float32": (np.float32(CENTS).astype(float).tolist(), pa.array(np.float32(CENTS))),
    "decimal128": (CENTS, decimals(CENTS, pa.decimal128(20, 4))),
    "decimal128 of 38 digits": (CENTS, decimals(CENTS, pa.decimal128(38, 10))),
    "decimal256": (CENTS, decimals(CENTS, pa.decimal256(60, 10))),
    "dictionary": (CENTS, pa.array(CENTS).dictionary_encode()),
    "dictionary of integers": (WHOLE, pa.array(WHOLE, pa.int16()).dictionary_encode()),
}  # fmt: skip


@pytest.mark.parametrize("role", ["label", "prediction", "weight"])
@pytest.mark.parametrize("name", TYPES)
def test_the_type_of_a_column_cannot_change_a_digit(name, role, tmp_path):
    values, stored_as = TYPES[name]
    if role == "weight":
        values, keep = np.abs(values).tolist(), pa.array([value >= 0 for value in values])
    else:
        keep = pa.array([True] * len(values))
    others = {
        column: np.linspace(0.3, 2.7, len(values)) for column in ("label", "prediction", "weight") if column != role
    }
    asked = {"loss": ["mse", "huber"], "weight": "weight"}
    expected = bits(run(pa.table({**others, role: pa.array(np.array(values, dtype=float))}).filter(keep), asked))
    table = pa.table({**others, role: stored_as}).filter(keep)
    assert bits(run(table, asked)) == expected
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    assert bits(run(path, asked)) == expected


@pytest.mark.parametrize("value", [pa.float32(), pa.float16(), pa.int8()], ids=str)
@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda it: pa.list_(it, 2)], ids=["list", "large", "fixed"])
def test_the_type_of_a_list_cannot_change_a_digit(kind, value, tmp_path):
    vectors = [[1, 2], [3, 4], [0, 7], [5, 5]]
    table = pa.table(
        {"label": pa.array(vectors, kind(value)), "prediction": pa.array([[2, 2], [0, 1], [9, 9], [4, 6]], kind(value))}
    )
    plain = {"label": np.array(vectors, dtype=float), "prediction": np.array([[2.0, 2], [0, 1], [9, 9], [4, 6]])}
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    expected = bits(run(plain, {"loss": "mse"}))
    for source in (table, path, table.slice(0, 1), table.slice(1)):
        if isinstance(source, pa.Table) and source.num_rows < 4:
            cut = slice(0, 1) if source.num_rows == 1 else slice(1, None)
            part = {name: values[cut] for name, values in plain.items()}
            assert bits(run(source, {"loss": "mse"})) == bits(run(part, {"loss": "mse"}))
        else:
            assert bits(run(source, {"loss": "mse"})) == expected


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64()], ids=str)
@pytest.mark.parametrize("holes", [False, True], ids=["full", "with nulls"])
def test_groups_may_be_a_dictionary_of_any_index(index, holes):
    """Also one that has as many words as its index can count."""
    most = {"int8": 128, "uint8": 256}.get(str(index), 300)
    codes = [None if holes and at % 50 == 0 else at for at in range(most)]
    words = [f"group {at:03}" for at in range(most)]
    dictionary = pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(words))
    columns = {"label": np.zeros(most), "prediction": np.arange(float(most))}
    asked = {"loss": "mae", "by": "g"}
    plain = pa.array([None if code is None else words[code] for code in codes])
    assert bits(run(pa.table({**columns, "g": dictionary}), asked)) == bits(
        run(pa.table({**columns, "g": plain}), asked)
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_text_may_be_of_any_text_type(kind):
    columns = {"label": np.zeros(4), "prediction": np.arange(4.0)}
    words = ["a", None, "b", "a"]
    asked = {"loss": "mae", "by": "g"}
    expected = bits(run(pa.table({**columns, "g": pa.array(words)}), asked))
    assert bits(run(pa.table({**columns, "g": pa.array(words, pa.string()).cast(kind)}), asked)) == expected


# --- tables in memory ------------------------------------------------------------------------------------------------


def test_a_masked_array_keeps_its_mask():
    """What is masked is a null; the number underneath must never be measured."""
    label = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    source = {"label": label, "prediction": np.array([1.0, 100.0, 4.0])}
    assert run(source, {"loss": "mse"}, nulls="drop").value == 0.5
    with pytest.raises(lossctl.LossctlError, match="null"):
        run(source, {"loss": "mse"})


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_layout_of_an_array_cannot_change_a_digit(order, step):
    rng = np.random.default_rng(1)
    label, prediction = rng.normal(size=(60, 9)), rng.normal(size=(60, 9))
    expected = bits(run({"label": label[::step].copy(), "prediction": prediction[::step].copy()}, {"loss": "mse"}))
    laid = {
        "label": np.asarray(label, order=order)[::step],
        "prediction": np.asarray(prediction, order=order)[::step],
    }
    assert bits(run(laid, {"loss": "mse"})) == expected
    narrow = {name: values[:, 0] for name, values in laid.items()}
    plain = {name: values[:, 0].copy() for name, values in laid.items()}
    assert bits(run(narrow, {"loss": "mse"})) == bits(run(plain, {"loss": "mse"}))


def test_a_run_leaves_its_source_as_it_was():
    table = pq.read_table(SAMPLES / "binary.parquet")
    frame, arrays = table.to_pandas(), {name: np.array(table[name].to_pylist()) for name in table.column_names}
    before = frame.copy(), {name: values.copy() for name, values in arrays.items()}
    run(frame, RUNS["binary"])
    run(arrays, RUNS["binary"])
    assert frame.equals(before[0])
    assert all(np.array_equal(arrays[name], before[1][name]) for name in arrays)
    assert all(values.flags.writeable for values in arrays.values())


# --- what stands at the beginning and the end of a file --------------------------------------------------------------


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"\n\n", b"\r\n"], ids=["plain", "BOM", "LF LF", "CRLF"])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\n\n\n"], ids=["nothing", "LF", "CRLF", "empty lines"])
def test_what_surrounds_the_rows_of_a_csv_does_not_matter(head, tail, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(head + b"label,prediction\n1,2\n3,5" + tail)
    assert run(path, {"loss": "mse"}).value == 2.5


def test_a_csv_may_end_its_lines_as_old_macs_did(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"label,prediction\r1,2\r3,5\r")
    assert run(path, {"loss": "mse"}).value == 2.5


def test_a_file_replaced_between_two_runs_is_read_anew(tmp_path):
    for found in ON_DISK:
        path = tmp_path / f"rows{found.suffixes[0]}"
        for rows in (3, 5, 4):
            write(found, path, pa.table({"label": np.zeros(rows), "prediction": np.arange(float(rows))}))
            assert run(path, {"loss": "mae"}).results[0].n == rows


def test_writers_leave_the_file_open():
    for found in ON_DISK:
        file = io.BytesIO()
        writer = found.writer(file, pa.schema([("x", pa.float64())]))
        writer.write_batch(pa.record_batch({"x": [1.0]}))
        writer.close()
        assert not file.closed
        assert file.getvalue()
