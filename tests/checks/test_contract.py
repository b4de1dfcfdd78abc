"""The contract finds what is wrong with a loss that breaks it."""

import itertools

import numpy as np

from lossctl.checks.contract import check_loss
from lossctl.domain import REAL
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.loss import Loss, losses

NAMES = (f"stranger{at}" for at in itertools.count())


def good(label, prediction):
    """Squares the error.

    Formula: e². Use it here. Avoid it elsewhere.

    >>> 1
    1
    """
    return np.square(prediction - label)


def slope(label, prediction):
    return 2.0 * (prediction - label)


def bound(kernel, gradient=slope, *, register=True, **options):
    kernel.__doc__ = kernel.__doc__ or good.__doc__
    made = Loss(kernel, label=REAL, prediction=REAL, references=options.pop("references", ("nobody",)))
    made.name = next(NAMES)
    made.gradient(gradient)
    if register:
        losses.add(made.name, made)
    return BoundLoss(made, made.settings({}))


def test_a_good_loss_breaks_nothing():
    assert check_loss(bound(good)) == []


def test_a_wrong_gradient_is_found_with_a_point():
    (said,) = check_loss(bound(good, lambda label, prediction: prediction - label))
    assert "the gradient is" in said
    assert "differences say" in said


def test_a_value_that_depends_on_other_rows_is_found():
    def together(label, prediction):
        return np.square(prediction - label) + 0.0 * prediction + prediction.mean()

    assert any("depends on" in said for said in check_loss(bound(together)))


def test_a_kernel_that_changes_its_arguments_is_found():
    def greedy(label, prediction):
        prediction -= label
        return np.square(prediction)

    assert any("changes its arguments" in said for said in check_loss(bound(greedy, lambda y, p: 2.0 * p)))


def test_a_wrong_shape_is_found():
    (said,) = check_loss(bound(lambda label, prediction: np.zeros((len(label), 2))[:, :1][0]))
    assert "shape" in said


def test_an_infinite_value_is_found():
    (said,) = check_loss(bound(lambda label, prediction: np.full(len(label), np.inf)))
    assert "not finite" in said


def test_a_loss_nobody_registered_is_found():
    assert any("not registered" in said for said in check_loss(bound(good, register=False)))


def test_missing_words_and_references_are_found():
    def silent(label, prediction):
        """no full stop"""
        return np.square(prediction - label)

    said = " ".join(check_loss(bound(silent, references=())))
    for word in ("full stop", "'Formula:'", "'Use it'", "'Avoid it'", "'>>>'", "no reference"):
        assert word in said
