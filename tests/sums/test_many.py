"""The figures of many groups, told at once from two doubles each, are those of exact numbers, to the bit."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
from hostile import SEEDS, SPREADS, hostile, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.rational import to_float
from lossctl.reduction import MEAN, PER_ROW, ROOT_MEAN, SUM, ExpMean, ExpRatio, Normalized, PowerMean, Ratio
from lossctl.sums.gradients import Gradients
from lossctl.sums.many import FEW, figures, gradient_figures, shares
from lossctl.sums.moments import Moments

REDUCTIONS = [
    MEAN, SUM, PER_ROW, ROOT_MEAN, PowerMean(3.0), PowerMean(1.5), PowerMean(0.37), ExpMean(), ExpMean(0.5),
    Ratio(), Ratio(smooth=1.0), Ratio(empty=1.0), ExpRatio(), ExpRatio(2.0),
    *(Normalized(denominator) for denominator in ("mean", "std", "l2", "range")),
]  # fmt: skip
SEVERAL = [reduction for reduction in REDUCTIONS if reduction.columns > 1]
WEIGHTED = st.sampled_from([None, "few", "moderate", "any"])
UNITS = st.sampled_from([None, -1074, -600, -300, 0, 299])


def many_rows(rng, reduction, kind, unit, equal, weighted):
    """Rows of many groups as a reduction takes them."""
    number = FEW + int(rng.integers(0, 100))
    code = np.concatenate([rng.integers(0, number, 2 * number), np.zeros(int(rng.integers(0, 60)), dtype=np.int64)])
    values, *others = (drawn(rng, kind, unit, code, equal) for _ in range(reduction.columns))
    if reduction.bends:
        values, others = np.abs(values), [np.abs(other) for other in others]
    if isinstance(reduction, Normalized):
        others = [others[0], others[0] ** 2]
    weight = None
    if weighted is not None:  # few of few digits, so that ratios are ties and whole numbers; or any
        weight = rng.integers(1, 4, len(code)) * 0.5
        weight = np.abs(hostile(kind, rng, len(code)))[: len(code)] + 5e-324 if weighted == "any" else weight
        weight = rng.uniform(0.5, 2.0, len(code)) if weighted == "moderate" else weight
    rows = rows_of(values, weight, code, number, drawn(rng, kind, unit, code, equal))
    return replace(rows, others=tuple(others))


def drawn(rng, kind, unit, code, equal):
    """Numbers of rows; of a unit such that sums are 0 without all being so, or the same in a group."""
    if unit is None:
        values = hostile(kind, rng, len(code))[: len(code)]
    else:
        values = np.ldexp(rng.integers(-2, 5, len(code)).astype(float), unit)
    return values[code] if equal else values  # as many ties and errors of 0 as there can be


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=repr)
@given(seed=SEEDS, kind=st.sampled_from(SPREADS), unit=UNITS, equal=st.booleans(), weighted=WEIGHTED)
@settings(max_examples=8)
@np.errstate(all="ignore")
def test_the_figures_of_many_groups_are_those_of_each(reduction, seed, kind, unit, equal, weighted):
    rows = many_rows(np.random.default_rng(seed), reduction, kind, unit, equal, weighted)
    moments, gradients = Moments.lift(rows), Gradients.lift(rows)
    found, slopes, totals = (
        figures(moments, reduction),
        gradient_figures(gradients, moments, reduction),
        moments.result(),
    )
    none, expected = (math.nan,) * len(slopes), gradients.result(totals, reduction)
    for group, total in enumerate(totals):
        assert repr(float(found.value[group])) == repr(total.value(reduction) if total.n else math.nan)
        assert repr(float(found.standard_error[group])) == repr(total.standard_error(reduction))
        assert repr(float(found.sum_weight[group])) == repr(to_float(total.sum_weight))
        assert repr(float(found.effective_n[group])) == repr(total.effective_n)
        own = expected[group]
        assert repr(tuple(slopes[:, group].tolist())) == repr(none if own is None else astuple(own))


@pytest.mark.parametrize("reduction", SEVERAL, ids=repr)
@given(seed=SEEDS, kind=st.sampled_from(SPREADS), unit=UNITS, equal=st.booleans(), weighted=WEIGHTED)
@settings(max_examples=8)
@np.errstate(all="ignore")
def test_what_means_of_many_groups_share_of_a_slope_is_that_of_each(reduction, seed, kind, unit, equal, weighted):
    moments = Moments.lift(many_rows(np.random.default_rng(seed), reduction, kind, unit, equal, weighted))
    for found, total in zip(shares(moments, reduction).tolist(), moments.result(), strict=True):
        slopes = total.slopes(reduction) if total.n and total.special is None else None
        expected = [math.nan] * len(found)
        if slopes is not None:
            expected = [to_float(slope / slopes[0]) if slopes[0] else 0.0 for slope in slopes[1:]]
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_of_many_ordinary_groups_hardly_one_takes_exact_numbers(reduction, weighted, monkeypatch):
    rng, number = np.random.default_rng(0), 4 * FEW
    code = rng.permutation(np.arange(8 * number) % number)
    value, gradient, *others = (rng.lognormal(size=len(code)) for _ in range(1 + reduction.columns))
    if isinstance(reduction, Normalized):
        others = [others[0], others[0] ** 2]
    rows = rows_of(value, rng.uniform(0.5, 2.0, len(code)) if weighted else None, code, number, gradient)
    moments, gradients = Moments.lift(replace(rows, others=tuple(others))), Gradients.lift(rows)
    exact, result = [], Moments.result
    monkeypatch.setattr(Moments, "result", lambda moments: exact.append(len(moments.n)) or result(moments))
    figures(moments, reduction)
    gradient_figures(gradients, moments, reduction)
    shares(moments, reduction)
    assert sum(exact) <= number // 16 or reduction == PowerMean(0.37)  # a power that takes logarithms
