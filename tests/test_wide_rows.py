"""Rows of many numbers: the same bits however they are stored, and no more memory and time than they need."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.domain import WIDE, filled_sum, row_sum
from lossctl.errors import Undecided
from lossctl.functions.loss import losses
from lossctl.inference import sample
from lossctl.reading import column_blocks, memory
from lossctl.reading.files import open_source
from lossctl.reading.format import Wanted
from lossctl.reading.formats import parquet
from lossctl.reading.memory import MemorySource
from lossctl.row_domains import AMOUNTS, CLASSES_OR_SIMPLEX, SIMPLEX


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 5), k=st.sampled_from([1, 7, 63, 64, 65, 127, 200, 1000]))
def test_the_sum_of_a_row_depends_neither_on_its_neighbours_nor_on_how_they_stand_in_memory(seed, n, k):
    rows = np.random.default_rng(seed).normal(size=(n, k)) * 10.0 ** np.random.default_rng(seed).integers(-9, 9, (n, k))
    padded = np.zeros((2 * n, k + 3))
    padded[::2, :k] = rows
    forms = (np.asfortranarray(rows), padded[::2, :k], np.array(rows.T)[:, ::-1].T[::-1])
    sums = row_sum(rows).tolist()
    assert all(row_sum(form).tolist() == sums for form in forms)
    assert [row_sum(rows[[row]])[0] for row in range(n)] == sums
    bound = k * 2.0**-53 * np.abs(rows).sum(axis=1)
    assert all(
        abs(Fraction(total) - sum(map(Fraction, row))) <= most
        for total, row, most in zip(sums, rows, bound, strict=True)
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), k=st.integers(1, 300))
def test_the_sum_of_a_row_that_is_filled_up_does_not_depend_on_how_far(seed, k):
    numbers = np.random.default_rng(seed).normal(size=k)
    sums = set()
    for width in (WIDE, 2 * WIDE, 4 * WIDE, 8 * WIDE):
        if width >= k:
            filled = np.zeros((2, width), order="F")
            filled[0, :k] = numbers
            sums.add(float(filled_sum(filled)[0]))
    assert len(sums) == 1


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("hole", ["", "null", "NaN", "integers", "float32", "infinities"])
def test_many_columns_and_their_lists_are_the_same_rows(kind, hole):
    n, k = 1_100, 70
    rng = np.random.default_rng(5)
    label, numbers = rng.integers(0, k, n), rng.normal(0.0, 4.0, (n, k)).astype(kind.to_pandas_dtype())
    rows = np.where(np.arange(k) == 3, np.rint(numbers), numbers) if hole in {"integers", "float32"} else numbers
    rows[7, 5] = np.nan if hole in {"null", "NaN"} else rows[7, 5]
    rows[8, [1, 2]] = -np.inf if hole == "infinities" else rows[8, [1, 2]]
    columns = {f"z{place}": pa.array(rows[:, place], kind, from_pandas=hole == "null") for place in range(k)}
    others = {"integers": pa.int32(), "float32": pa.float32()}
    columns["z3"] = columns["z3"].cast(others[hole]) if hole in others else columns["z3"]
    listed = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), kind, from_pandas=hole == "null"), k)
    asked = {"label": "y", "from_logits": True, "gradient": True, "nulls": "drop"}
    table = pa.table({"y": label, **columns})
    beside = lossctl.evaluate(pa.concat_tables([table[:5], table[5:]]), "cross_entropy", prediction="z*", **asked)
    inside = lossctl.evaluate(pa.table({"y": label, "z": listed}), "cross_entropy", prediction="z", **asked)
    assert beside.value == inside.value
    assert [report.results[0].n for report in (beside, inside)] == [n - (hole in {"null", "NaN"})] * 2


def test_of_wide_rows_no_more_cells_are_read_to_look_at_than_of_narrow_ones(monkeypatch):
    monkeypatch.setattr(sample, "CELLS", 200 * 100)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(3_000 * 99)), 99)
    batches = [
        pa.record_batch({"y": pa.array(np.arange(start, start + 50)), "p": rows.slice(start, 50)})
        for start in range(0, 3_000, 50)
    ]
    source = MemorySource(pa.Table.from_batches(batches))
    looked = sample.sampled(source, Wanted(frozenset({"y", "p"}), frozenset()))
    assert looked.rows == 200
    assert not looked.whole


@pytest.mark.parametrize("parts", [1, 4])
def test_of_wide_rows_no_more_cells_are_looked_at_than_of_narrow_ones(monkeypatch, parts):
    monkeypatch.setattr(sample, "KEPT", 400 * 100)
    monkeypatch.setattr(memory, "ROWS", 3_000 // parts)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(3_000 * 99)), 99)
    source = MemorySource(pa.table({"y": np.arange(3_000), "p": rows}))
    looked = sample.sampled(source, Wanted(frozenset({"y", "p"}), frozenset()))
    assert 200 <= looked.rows <= 400
    assert not looked.whole
    assert len(looked.records) >= parts
    narrow = sample.sampled(source, Wanted(frozenset({"y"}), frozenset()))
    assert narrow.rows == 3_000


@pytest.mark.parametrize("first", [0, 1])
def test_that_few_rows_of_many_classes_lack_one_is_no_doubt_unless_the_columns_before_fit_better(first):
    k, n = 100, 300
    rng = np.random.default_rng(2)
    label, scores = rng.integers(1, k - 1, n), rng.normal(size=(n, k))
    scores[np.arange(n), label - first] += 9.0 * first
    data = {"y": label, "z": scores}
    if first:
        with pytest.raises(Undecided, match="do they count from 0, or from 1"):
            lossctl.evaluate(data, "cross_entropy", prediction="z", from_logits=True)
    else:
        expected = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(n), label]
        value = lossctl.evaluate(data, "cross_entropy", prediction="z", from_logits=True).value
        assert value == pytest.approx(expected.mean())


def many_columns(n, k):
    """Labels in words, columns of numbers that are called as pandas calls those of one name, nulls, and lists."""
    rng = np.random.default_rng(3)
    numbers = {f"x.{place}" if place else "x": rng.normal(size=n) for place in range(k)}
    holes = {"x.2": pa.array(numbers["x.2"], mask=rng.random(n) < 0.1)}
    return pa.table({"y": rng.choice(["a", "bc"], n), **numbers, **holes, "z": [[1.0]] * n})


@pytest.mark.parametrize("group", [7, 40, 1000])
@pytest.mark.parametrize("held", [3, 40, 1 << 20])
@pytest.mark.parametrize("crowd", [1, 1 << 20])
def test_many_columns_of_parquet_are_the_rows_that_were_written(group, held, crowd, tmp_path, monkeypatch):
    table = many_columns(100, 70)
    names = [name for name in table.column_names if name != "z"]
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=group)
    width = 8 * len(names)
    monkeypatch.setattr(column_blocks, "HELD", held * width)
    monkeypatch.setattr(column_blocks, "CROWD", crowd)
    wanted = Wanted(frozenset(names) - {"y"}, frozenset({"y"}))
    shards = open_source(str(tmp_path / "x.parquet")).shards()
    read = pa.Table.from_batches([batch.select(names) for shard in shards for batch in shard.read(wanted)])
    assert read.equals(table.select(names))


@pytest.mark.parametrize("group", [2_000, 10_000])
def test_of_many_columns_a_few_are_open_at_a_time_and_few_rows_are_held(group, tmp_path, monkeypatch):
    n, k, held = 10_000, 600, 1 << 23
    rng = np.random.default_rng(4)
    pq.write_table(
        pa.table({f"z{place}": rng.normal(size=n) for place in range(k)}), tmp_path / "x.parquet", row_group_size=group
    )
    monkeypatch.setattr(column_blocks, "HELD", held)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1 << 20)
    wanted = Wanted(frozenset(f"z{place}" for place in range(k)), frozenset())
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        source = open_source(str(tmp_path / "x.parquet"))
        assert sum(batch.num_rows for shard in source.shards() for batch in shard.read(wanted)) == n
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 1.5 * held + column_blocks.BESIDE * (1 << 19)
    assert n * k * 8 > 5 * held


@pytest.mark.parametrize("k", [100, 260])
@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.large_binary()])
def test_of_many_texts_no_more_is_held_because_a_dictionary_makes_them_short(k, kind, tmp_path):
    """There, no size tells how many bytes the rows take that a page stands for."""
    words = pa.array([f"{number:0500}" for number in range(9)])
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(400_000 // k) % 9, pa.int32()), words)
    column = column if pa.types.is_dictionary(kind) else column.cast(pa.string()).cast(kind)
    table = pa.table({"y": np.ones(len(column)), **{f"t{place}": column for place in range(k)}})
    pq.write_table(table, tmp_path / "x.parquet")
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        (shard,) = open_source(str(tmp_path / "x.parquet")).shards()
        rows = [batch.num_rows for batch in shard.read(Wanted(frozenset({"y"}), frozenset(), others=True))]
    finally:
        pa.set_memory_pool(before)
    assert sum(rows) == len(column)
    assert pool.max_memory() < 3 * max(rows) * k * 500
    assert max(rows) * k <= 1 << 17


def test_rows_of_many_texts_are_read_where_all_of_them_together_are_not_too_long(tmp_path):
    table = pa.table({f"t{place}": ["x" * 1000, "y" * 1000] for place in range(600)})
    pq.write_table(table, tmp_path / "x.parquet", compression="none")
    (shard,) = open_source(str(tmp_path / "x.parquet")).shards()
    assert pa.Table.from_batches(shard.read(Wanted(frozenset(), frozenset(), others=True))).equals(table)


OF_CLASSES = [it for it in losses if it.label_domain() == CLASSES_OR_SIMPLEX]
DIVERGENCES = [it for it in losses if it.prediction_domain().rows and it.label_domain() in {SIMPLEX, AMOUNTS}]
FORMS = [(it.name, pair) for it in (*OF_CLASSES, *DIVERGENCES) for pair in ("", *it.pairs)]


@pytest.mark.parametrize(("name", "pair"), FORMS)
@pytest.mark.parametrize("k", [5, 100])
def test_what_a_row_costs_does_not_depend_on_how_many_labels_beside_it_are_0(name, pair, k):
    rng, bound = np.random.default_rng(8), lossctl.get_loss(name)
    bound = bound.through(pair) if pair else bound
    n = 40
    label = np.where(np.arange(n)[:, None] < 8, np.eye(k)[rng.integers(0, k, n)], rng.dirichlet(np.ones(k), n))
    prediction = rng.normal(0.0, 3.0, (n, k)) if pair else rng.dirichlet(np.ones(k), n)
    value, gradient = bound.value(label, prediction), bound.gradient(label, prediction)
    for rows in (slice(0, 8), slice(3, 4), slice(8, 40)):
        np.testing.assert_array_equal(bound.value(label[rows], prediction[rows]), value[rows])
        np.testing.assert_array_equal(bound.gradient(label[rows], prediction[rows]), gradient[rows])


@pytest.mark.parametrize("name", [it.name for it in OF_CLASSES])
def test_a_class_costs_the_same_by_its_code_as_by_a_row_of_a_single_1(name):
    rng, bound, k = np.random.default_rng(9), lossctl.get_loss(name), 100
    code, prediction = rng.integers(0, k, 30), rng.dirichlet(np.ones(k), 30)
    for taken in (bound, *([bound.from_logits()] if bound.definition.natural_activation else [])):
        np.testing.assert_array_equal(taken.value(np.eye(k)[code], prediction), taken.value(code, prediction))


def test_each_chosen_label_of_a_wide_row_is_held_against_each_other_one():
    rng, bound, k = np.random.default_rng(4), lossctl.get_loss("multilabel_margin"), WIDE + 6
    label, prediction = (rng.random((9, k)) < np.linspace(0.0, 1.0, 9)[:, None]).astype(float), rng.normal(size=(9, k))
    for row, scores in zip(label, prediction, strict=True):
        short = 1.0 + scores[None, row == 0] - scores[row == 1, None]
        slope = np.zeros(k)
        slope[row == 0], slope[row == 1] = (short > 0).sum(axis=0), -(short > 0).sum(axis=1)
        assert bound.value([row], [scores])[0] == pytest.approx(np.maximum(short, 0.0).sum() / k)
        np.testing.assert_allclose(bound.gradient([row], [scores])[0], slope / k)
    np.testing.assert_array_equal(
        bound.value(label, prediction), [bound.value([y], [p])[0] for y, p in zip(label, prediction, strict=True)]
    )
