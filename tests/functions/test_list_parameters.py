"""A parameter may be a list: a number for each column, written with / between them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl import get_loss
from lossctl.checks.contract import check
from lossctl.domain import Interval, Listed
from lossctl.errors import UsageError
from lossctl.functions.parameter import Parameter, in_json, spell
from lossctl.plots.curves import curves

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


def test_a_factor_for_each_class_is_that_of_the_true_class_and_one_for_all_is_the_same_for_each():
    rows, rng = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]), np.random.default_rng(3)
    codes, soft, logits = np.array([0, 2]), np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]), rng.normal(size=(2, 3))
    plain, each = get_loss("categorical_focal:alpha=none"), get_loss("categorical_focal:alpha=0.2/0.3/0.5")
    assert each.value(codes, rows) == pytest.approx(plain.value(codes, rows) * [0.2, 0.5])
    share = -np.array([0.2, 0.3, 0.5]) * soft * (1.0 - rows) ** 2 * np.log(rows)
    assert each.value(soft, rows) == pytest.approx(share.sum(axis=1))
    alike, one = get_loss("categorical_focal:alpha=0.3/0.3/0.3"), get_loss("categorical_focal:alpha=0.3")
    for way in (None, "softmax"):
        for label in (codes, soft):
            points = rows if way is None else logits
            same, single = (loss if way is None else loss.through(way) for loss in (alike, one))
            assert same.value(label, points) == pytest.approx(single.value(label, points), rel=1e-14)
            assert same.gradient(label, points) == pytest.approx(single.gradient(label, points), rel=1e-13)


def test_a_list_of_any_length_is_drawn_and_proven():
    spec = "categorical_focal:alpha=0.2/0.3/0.5/0.1"
    assert curves([get_loss(spec)])[0].panels
    assert check(get_loss(spec)).gradient.wrong == 0
