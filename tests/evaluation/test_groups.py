"""Groups by any number of columns are those that Python's dictionaries find."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

ROWS = 300

MAKES = {
    "numbers": pa.array,
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
