"""A parameter may be a list: a number for each column, written with / between them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.domain import Interval, Listed
from lossctl.errors import UsageError
from lossctl.functions.definition import Parameter, in_json, spell

OPEN = Interval(0.0, 1.0, low_open=True, high_open=True)
several = Parameter("tau", None, Listed(OPEN), optional=True)
either = Parameter("alpha", 0.25, Listed(Interval(0.0, 1.0), alone=True))
fractions = st.lists(st.floats(0.0, 1.0, exclude_min=True, exclude_max=True), min_size=1, max_size=9)


@given(fractions)
def test_a_list_is_read_back_from_how_it_is_spelled_and_from_json(numbers):
    value = several.check(numbers)
    assert value == tuple(numbers)
    assert several.read(spell(value)) == value
    assert several.check(json.loads(json.dumps(in_json({"tau": value})))["tau"]) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        *((several, text) for text in ("0.1/1", "0/0.5", "0.1//0.9", "0.1/", "/", "", "0.1;0.9", "a/b", "nan")),
        *((either, text) for text in ("2", "0.1/2", "x", "0.1/none")),
    ],
)  # fmt: skip
def test_what_is_no_list_of_legal_numbers_is_refused_with_how_one_is_written(parameter, text):
    with pytest.raises(UsageError, match=r"a/b/c"):
        parameter.read(text)


@pytest.mark.parametrize("value", [(), [], "0.1", True, (0.1, True), (0.1, "0.2"), [[0.1]], 2.0, {"a": 1}, (0.1, None)])
def test_what_python_gives_that_is_no_list_of_numbers_is_refused(value):
    with pytest.raises(UsageError, match="tau"):
        several.check(value)


def test_one_number_is_a_list_of_one_or_goes_for_all_columns_as_the_parameter_says():
    assert several.read("0.5") == (0.5,)
    assert either.read("0.5") == 0.5
    assert either.read("0.2/0.3") == either.check([0.2, np.float64(0.3)]) == (0.2, 0.3)
    assert several.read("none") is None
