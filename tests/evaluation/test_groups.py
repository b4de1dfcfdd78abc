"""Groups by any number of columns are those that Python's dictionaries find."""

import tracemalloc
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.evaluation import fold
from lossctl.evaluation.engines.processes import packed

ROWS = 300

MAKES = {
    "numbers": pa.array,
    "short numbers": lambda values: pa.array(values - 9, pa.int16()),
    "unsigned numbers": lambda values: pa.array(values + 2**31, pa.uint32()),
    "far numbers": lambda values: pa.array(values * 10**15),
    "words": lambda values: pa.array([f"w{value}" for value in values]),
    "words and nulls": lambda values: pa.array([None if value % 7 == 0 else str(value) for value in values]),
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
    words = [[None if word is None else str(word) for word in column.to_pylist()] for column in columns]
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
        sent.append(len(packed(result)))
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
