"""Groups by any number of columns are those that Python's dictionaries find."""

import tracemalloc
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.evaluation import fold, vocabulary
from lossctl.evaluation.engines.processes import packed
from lossctl.evaluation.groups import grouped
from lossctl.inference.grouping import Grouping
from lossctl.reading.formats.parquet import ROWS as ROWS_AT_A_TIME
from lossctl.reading.formats.parquet import WORDS as ROW_GROUP

ROWS = 300

MAKES = {
    "numbers": pa.array,
    "short numbers": lambda values: pa.array(values - 9, pa.int16()),
    "unsigned numbers": lambda values: pa.array(values + 2**31, pa.uint32()),
    "far numbers": lambda values: pa.array(values * 10**15),
    "words": lambda values: pa.array([f"w{value}" for value in values]),
    "words and nulls": lambda values: pa.array([None if value % 7 == 0 else str(value) for value in values]),
    "numbers and nulls": lambda values: pa.array([None if value % 5 == 0 else int(value) for value in values]),
    "far numbers and nulls": lambda values: pa.array(
        [None if value % 5 == 0 else int(value) * 10**15 for value in values]
    ),
    "truths": lambda values: pa.array([None if value % 7 == 0 else bool(value % 2) for value in values]),
    "dates": lambda values: pa.array(values.astype(np.int32)).cast(pa.date32()),
    "categories": lambda values: pa.array([f"w{value}" for value in values]).dictionary_encode(),
}


@settings(max_examples=25)
@given(
    kinds=st.sampled_from([1, 2, 3, 12]).flatmap(
        lambda number: st.lists(st.sampled_from(sorted(MAKES)), min_size=number, max_size=number)
    ),
    values=st.sampled_from([2, 20, ROWS]),
    seed=st.integers(0, 99),
)
def test_every_row_counts_in_the_group_of_its_own_words(kinds, values, seed):
    """Twelve columns of 300 words have 10^29 combinations: more than any machine number counts."""
    rng = np.random.default_rng(seed)
    names = [f"g{place}" for place in range(len(kinds))]
    columns = [MAKES[kind](rng.integers(0, values, ROWS)) for kind in kinds]
    label = rng.integers(0, 9, ROWS).astype(float)
    table = pa.table([pa.array(label), pa.array(np.zeros(ROWS)), *columns], names=["y", "p", *names])
    words = [column.cast(pa.string()).to_pylist() for column in columns]
    keys = list(zip(*words, strict=True))
    sums = Counter()
    for key, value in zip(keys, label.tolist(), strict=True):
        sums[key] += value
    report = lossctl.evaluate(table, "mae", label="y", prediction="p", by=names, reduction="sum", engine="serial")
    assert {tuple(result.group.values()): (result.n, result.value) for result in report.results} == {
        key: (count, sums[key]) for key, count in Counter(keys).items()
    }


def test_a_group_takes_little_room_at_most_and_less_on_its_way_between_processes(tmp_path, monkeypatch):
    """Digits of levels that occur, a count and a name; counts that are 0 in all groups take none."""
    groups, rows, sent = 1 << 16, 1 << 19, []
    lift_shard = fold.lift_shard

    def lifted(*arguments):
        result = lift_shard(*arguments)
        pickled, arrays = packed(result)
        sent.append(len(pickled) + sum(map(len, arrays)))
        return result

    monkeypatch.setattr(fold, "lift_shard", lifted)
    rng = np.random.default_rng(5)
    table = pa.table({"y": rng.normal(size=rows), "p": rng.normal(size=rows), "g": rng.permutation(rows) % groups})
    pq.write_table(table, tmp_path / "groups.parquet")
    columns = {"label": "y", "prediction": "p", "engine": "serial"}
    peaks = []
    for by in (None, "g"):
        tracemalloc.start()
        report = lossctl.evaluate(tmp_path / "groups.parquet", "huber", by=by, **columns)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len(report.table) == groups
    assert max(sent) < 104 * groups
    assert peaks[1] - peaks[0] < 550 * groups


@settings(max_examples=12, deadline=None)
@given(
    words=st.sampled_from([7, 900, 6000]),
    page=st.sampled_from([100, 1 << 20]),
    dictionary=st.booleans(),
    nulls=st.booleans(),
    engine=st.sampled_from(["serial", "threads"]),
)
def test_words_that_a_file_has_once_and_words_that_are_hashed_are_the_same_groups(
    tmp_path_factory, words, page, dictionary, nulls, engine
):
    """Dictionaries end where a page is full, grow from batch to batch, and differ from row group to row group."""
    rng = np.random.default_rng(words + page)
    code, label = rng.permutation(ROW_GROUP * 2) % words, rng.integers(0, 9, ROW_GROUP * 2).astype(float)
    if nulls:
        code[::3] = 0
    names = np.array([None if nulls and not place else f"w{place % (words - 1)}" for place in range(words)], object)
    names[1] = "" if nulls else names[1]
    table = pa.table({"y": label, "p": np.zeros(len(label)), "g": pa.array(names[code]), "n": code % (words - 1)})
    path = tmp_path_factory.mktemp("words") / "words.parquet"
    pq.write_table(table, path, row_group_size=ROW_GROUP, use_dictionary=dictionary, dictionary_pagesize_limit=page)
    roles = {"label": "y", "prediction": "p", "reduction": "sum", "engine": engine}
    read, held = (lossctl.evaluate(given, "mse", by=["g"], **roles).results for given in (path, table))
    assert read == held


def test_the_words_of_a_dictionary_are_looked_at_once_for_all_its_batches(tmp_path, monkeypatch):
    looked, named = [], vocabulary._named
    monkeypatch.setattr(vocabulary, "_named", lambda words, missing: looked.append(len(words)) or named(words, missing))
    rows, words = 5 * ROWS_AT_A_TIME, np.array([f"w{place}" for place in range(90)])
    table = pa.table({"y": np.ones(rows), "p": np.zeros(rows), "g": pa.array(words[np.arange(rows) % 90])})
    pq.write_table(table, tmp_path / "words.parquet", row_group_size=rows)
    report = lossctl.evaluate(tmp_path / "words.parquet", "mse", label="y", prediction="p", by="g", engine="serial")
    assert len(report.results) == 90
    assert looked == [90]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.int64(), pa.float64(), pa.bool_()]
)
def test_what_is_kept_of_a_dictionary_is_no_memory_of_who_gave_it(kind):
    cells = [f"a name of more than a dozen letters {n}" for n in range(2)] if "string" in str(kind) else [0, 1]
    own = pa.array([*cells, None], pa.string() if "string" in str(kind) else pa.int64()).cast(kind)
    kept = vocabulary.vocabulary(own, "g")
    places = [[one.address for one in array.buffers() if one is not None and one.size] for array in (own, kept.entries)]
    assert kept.entries.equals(own)
    assert not {*places[0]} & {*places[1]}
    assert vocabulary.vocabulary(own, "g") is kept


@pytest.mark.parametrize("apart", [1, 10**6])
def test_integers_are_grouped_as_numbers_however_far_apart(apart):
    """Their names are written once, at the end."""
    table = pa.table({"g": pa.array(np.arange(300) % 7 * apart)})
    groups, keys = grouped(table.to_batches()[0], [Grouping("g")])
    assert keys.columns[0].type == pa.int64()
    assert keys.columns[0].to_pylist() == [apart * place for place in range(7)]
    assert groups.code.tolist() == [place % 7 for place in range(300)]
