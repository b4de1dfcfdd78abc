"""Ranges name columns: ``#2-#4`` by place, ``p[0:3]`` by the number in the name."""

import pytest

import lossctl
from lossctl.inference.roles import choose
from lossctl.reading.columns import Column

PS, QS = ["p_0", "p_1", "p_2"], ["q[0]", "q[1]", "q[2]"]
NAMES = ["y", *PS, *QS, "p_3", "r1", "r01"]


def columns_of(pattern):
    (model,) = choose([Column(name, "number") for name in NAMES], label=["y"], prediction=[pattern]).models
    return list(model.columns)


@pytest.mark.parametrize(
    ("pattern", "columns"),
    [
        ("#2-#4", PS),
        ("#2-4", PS),
        ("m=#5-#7", QS),
        ("#2,#3-#4", PS),
        ("p_[0:3]", PS),
        ("q[0:3]", QS),
        ("p_[0:1],p_[1:3]", PS),
        ("m=p_[0:2]", PS[:2]),
    ],
)
def test_a_range_is_the_columns_that_it_names(pattern, columns):
    assert columns_of(pattern) == columns


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("#4-#2", "#1 to #10"),
        ("#0-#2", "#1 to #10"),
        ("#7-#11", "#1 to #10"),
        ("p_[0:5]", "p_4 is no column"),
        ("p_[2:2]", "names no column"),
        ("p_[0:999999999]", "p_4 is no column"),
        ("p[0:3]", "p0 is no column"),
        ("r[1:2]", "r1 is two columns: r1, r01"),
        ("#1-#3", "both label and prediction"),
        *((pattern, "no column") for pattern in ("p_[0:]", "p_[:3]", "p_[-1:2]", "p_[0:3:1]", "p_[0..2]", "m=p_[1:]")),
        *((pattern, "A range has two ends") for pattern in ("p_[0:]", "#2:#4", "#2-", "#2 - #4")),
    ],
)
def test_a_range_that_names_anything_else_is_refused(pattern, words):
    with pytest.raises(lossctl.UsageError, match=words):
        columns_of(pattern)
