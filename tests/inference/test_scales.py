"""Losses of ordered classes take them in the order of the columns, and say so where names tell another."""

import numpy as np
import pytest

import lossctl
from lossctl.inference.scales import SCALES, in_order


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale[0][0])
def test_names_of_steps_are_put_in_order_wherever_they_stand(scale):
    names = [step[-1] for step in scale]
    for seed in range(5):
        shuffled = np.random.default_rng(seed).permutation(names).tolist()
        assert in_order(shuffled) == tuple(names)
        assert in_order([name.upper().replace(" ", "-") for name in shuffled]) is not None
    assert in_order([*names, "no step of any scale"]) is None


def frame(names):
    """Probabilities of classes in columns that are sorted by name."""
    names, rng = sorted(names), np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(len(names)), 50)
    table = {f"p_{name}": column for name, column in zip(names, rows.T, strict=True)}
    return {**table, "y": rng.choice(names, 50)}


def warned(names, loss="rps", **more):
    return lossctl.evaluate(frame(names), loss, label="y", prediction="p_*", **more).warnings


def test_an_order_that_the_names_contradict_is_a_warning_and_said_rightly_is_none():
    (warning,) = warned(["low", "medium", "high"])
    assert warning == (
        "rps takes the classes in the order high, low, medium, but their names say low, medium, high: "
        "name the classes in that order"
    )
    for order in (["low", "medium", "high"], ["high", "medium", "low"]):  # which of both ends is first changes nothing
        assert warned(["low", "medium", "high"], classes=order) == ()
    assert warned(["low", "medium", "high"], "cross_entropy") == ()
    assert warned(["low", "medium", "high"], classes=["low", "high", "medium"]) != ()


def test_names_that_tell_no_order_are_shown_in_the_one_that_is_taken_unless_it_was_said():
    names = ["ant", "cat", "bee"]
    assert warned(names) == (
        "rps takes the classes in the order ant, bee, cat: name the classes where theirs is another",
    )
    assert warned(names, classes=names) == ()
    assert warned(["1", "2", "10"]) == ()


def test_another_order_is_another_value():
    names = ["low", "medium", "high"]
    asked = {"label": "y", "prediction": "p_*"}
    sorted_by_name = lossctl.evaluate(frame(names), "rps", **asked).value
    by_size = lossctl.evaluate(frame(names), "rps", classes=names, **asked).value
    assert sorted_by_name != pytest.approx(by_size, rel=1e-3)
