"""Softmax with the digits of what is left beside the largest, against exact arithmetic."""

import numpy as np
import pytest
from mpmath import mp

from lossctl.functions.softmax import Softmax, largest_and_total

ROWS = np.array([[40.0, 0.0, -3.0], [0.0, 0.0, 0.0], [1e-12, 0.0, -1e-12], [700.0, 1.0, 2.0], [-3.0, 90.0, 89.5]])


def exact(row):
    powers = [mp.exp(mp.mpf(z)) for z in row]
    total = mp.fsum(powers)
    return [power / total for power in powers]


def assert_close(numbers, true):
    for number, digits in zip(np.ravel(numbers), true, strict=True):
        assert abs(mp.mpf(float(number)) - digits) <= 4e-15 * abs(digits)


@pytest.mark.parametrize("row", ROWS.tolist())
def test_what_is_left_and_what_it_costs_keep_their_digits(row):
    soft = Softmax(np.array([row]))
    with mp.workdps(350):
        p = exact(row)
        assert_close(soft.rest, [1 - x for x in p])
        assert_close(soft.cost(0.5), [-mp.log(x) for x in p])


@pytest.mark.parametrize("row", ROWS.tolist())
def test_a_pull_to_one_class_keeps_its_digits(row):
    with mp.workdps(350):
        p = exact(row)
        for k in range(3):
            weight = np.zeros((1, 3))
            weight[0, k] = -2.0
            assert_close(Softmax(np.array([row])).pulled(weight), [-2 * ((j == k) - x) for j, x in enumerate(p)])


def test_an_impossible_class_costs_what_the_floor_does_and_an_overflow_is_none():
    with np.errstate(over="ignore"):
        soft = Softmax(np.array([[0.0, -np.inf], [1e308, -1e308]]))
    assert soft.cost(0.5).tolist() == [[0.0, np.log(2.0)], [0.0, np.inf]]


@pytest.mark.parametrize("k", [3, 200])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_total_keeps_its_digits_however_far_the_others_are_and_however_rows_stand_in_memory(k, order):
    rng = np.random.default_rng(k)
    leads = np.array([0.0, 1e-9, 3.0, 10.0, 15.5, 17.0, 25.0, 80.0, 600.0])  # above the second largest
    logit = np.array(-np.abs(rng.normal(0.0, 9.0, (len(leads), k))), order=order)
    logit[:, k // 2] = logit.max(axis=1) + leads
    largest, total = largest_and_total(logit)
    with mp.workdps(350):
        p = [exact(row) for row in logit.tolist()]
        assert_close(total, [-mp.log(row[k // 2]) for row in p])
        assert_close(Softmax(logit).p, [x for row in p for x in row])
    assert largest.tolist() == logit.max(axis=1).tolist()
    alone = [largest_and_total(logit[[row]])[1][0] for row in range(len(leads))]
    assert total.tolist() == alone  # bit for bit, whatever travels with a row
