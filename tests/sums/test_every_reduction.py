"""States are sums: a true zero, an associative and pure ``+``, and no digit that depends on how rows are cut.

Expected numbers come from ``math.fsum``, from ``fractions.Fraction`` (every double is one exactly), from ``mpmath`` at
60 digits, or from plain NumPy where only the definition is in question.
"""

import copy
import itertools
import math
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction

import mpmath
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossctl import evaluate
from lossctl.evaluation.batch import validate
from lossctl.evaluation.measure import Measured, lift, nothing
from lossctl.evaluation.plan import Request, make_plan
from lossctl.reading.format import open_source
from lossctl.sums import exact
from lossctl.sums.exact import BLOCK, ExactSum, exact_products, square_root, to_float
from lossctl.sums.gradients import Gradients, Histogram
from lossctl.sums.moments import Moments
from lossctl.sums.state import Finding, Findings, Groups, Rows
from lossctl.sums.worst import Worst

SEEDS = st.integers(0, 2**32 - 1)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
SPREADS = ("plain", "wide", "whole range", "subnormal", "cancelling", "near overflow", "equal")


def hostile(kind, rng, n):
    """Numbers that break one summation or another."""
    sign = rng.choice([-1.0, 1.0], n)
    if kind == "plain":
        return rng.normal(size=n)
    if kind == "wide":
        return sign * 10.0 ** rng.uniform(-20, 20, n)
    if kind == "whole range":
        return sign * 10.0 ** rng.uniform(-300, 300, n)
    if kind == "subnormal":
        return sign * rng.integers(0, 2**52, n) * 5e-324
    if kind == "cancelling":
        half = sign * 10.0 ** rng.uniform(-300, 300, n)
        return rng.permutation(np.concatenate([half, -half, [rng.normal()]]))
    if kind == "near overflow":
        return np.concatenate([sign, -sign]) * rng.uniform(0.5, 1.0, 2 * n) * np.finfo(float).max
    return np.full(n, rng.normal() * 10.0 ** rng.integers(-50, 50))


def total(values):
    """The correctly rounded sum: by `math.fsum`, or by fractions where its intermediate sums overflow."""
    try:
        return math.fsum(values)
    except OverflowError:
        return to_float(sum(map(Fraction, values.tolist()), Fraction(0)))


def pieces(values, cuts):
    """An array cut at fractions of its length; pieces may be empty."""
    return np.split(values, sorted(int(cut * len(values)) for cut in cuts))


def bits(figure):
    """Anything made of floats, such that -0.0, NaN and the last digit count."""
    return repr(figure)


def same_state(one, other):
    """Whether two states hold the same sums (an exact sum may hold them in other digits)."""
    if isinstance(one, ExactSum):
        return one == other
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same_state(getattr(one, part.name), getattr(other, part.name)) for part in fields(one)
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same_state, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_state(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return one == other


# --- exact sums ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPREADS)
@given(seed=SEEDS, n=st.integers(1, 400))
@settings(max_examples=25)
def test_a_sum_is_correctly_rounded_whatever_the_values_and_their_order(kind, seed, n):
    rng = np.random.default_rng(seed)
    values = hostile(kind, rng, n)
    assert ExactSum.of(values).result() == [total(values)]
    assert ExactSum.of(rng.permutation(values)).result() == [total(values)]


@given(st.lists(DOUBLES, max_size=30))
@example([])
@example([5e-324])
@example([-0.0])
@example([1e308, 1e308, -1e308])
@example([1.7976931348623157e308, 9.9e291])
@example([2.0**900, -(2.0**900), 2.0**-1074])
@example([1e16, 1.0, 1.0])
@example([1.0, 2.0**-53, 2.0**-105])
def test_a_sum_of_any_doubles_is_correctly_rounded(values):
    values = np.array(values, dtype=np.float64)
    assert ExactSum.of(values).result() == [total(values)]
    assert ExactSum.of(values).exact() == [sum(map(Fraction, values.tolist()), Fraction(0))]


@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_a_sum_of_many_values_crosses_blocks_unharmed(kind, n):
    values = hostile(kind, np.random.default_rng(n), n)
    assert ExactSum.of(values).result() == [total(values)]


@pytest.mark.parametrize(("mean", "spread"), [(1e10, 1e-3), (1e10, 1e-5), (1.0, 1e-14), (-3e5, 10.0), (0.0, 1.0)])
def test_a_variance_by_group_keeps_its_digits_however_far_the_mean_is(mean, spread):
    rng = np.random.default_rng(5)
    values, group = mean + spread * rng.normal(size=6000), rng.integers(0, 50, 6000)
    found = Moments.lift(rows_of(values, group=group, groups=50)).result()
    for at, total in enumerate(found):
        mine = [Fraction(value) for value in values[group == at].tolist()]
        middle = sum(mine) / len(mine)
        squared = sum((value - middle) ** 2 for value in mine) / (len(mine) - 1) / len(mine)
        assert math.isclose(total.standard_error("mean"), math.sqrt(squared), rel_tol=1e-12)


@given(value=st.floats(-1e100, 1e100).filter(lambda x: abs(x) > 1e-100), sizes=st.lists(st.integers(1, 60), min_size=1))
def test_groups_of_one_value_have_no_spread(value, sizes):
    group = np.repeat(np.arange(len(sizes)), sizes)
    found = Moments.lift(rows_of(np.full(len(group), value), group=group, groups=len(sizes))).result()
    assert all(total.standard_error("mean") == 0.0 for total in found if total.n > 1)


def test_a_full_block_of_the_largest_digits_is_exact():
    """2^14 values that each fill a 38-bit digit to the brim: the tightest case of the extraction."""
    for exponent in (-1074 + 38 * 20, -1074 + 38 * 28 + 37, 0, 37, 900, 971):
        for significand in (2**53 - 1, 2**52 + 1, 2**53 - 2**14, 3 * 2**51):
            for sign in (1, -1):
                values = np.full(BLOCK, math.ldexp(sign * significand, exponent - 52))
                assert ExactSum.of(values).exact() == [BLOCK * Fraction(values[0])]


@pytest.mark.parametrize("kind", SPREADS)
@given(seed=SEEDS, n=st.integers(1, 200), groups=st.integers(1, 9))
@settings(max_examples=15)
def test_a_sum_by_group_is_the_sum_of_each_group(kind, seed, n, groups):
    rng = np.random.default_rng(seed)
    values = hostile(kind, rng, n)
    group = rng.integers(0, groups, len(values))
    assert ExactSum.of(values, Groups(group, groups)).result() == [total(values[group == at]) for at in range(groups)]


@given(
    values=st.lists(st.sampled_from([1.0, -2.5, 1e300, 5e-324, math.inf, -math.inf, math.nan]), max_size=12),
    groups=st.integers(1, 3),
)
def test_infinities_and_nan_are_what_floating_point_says(values, groups):
    values = np.array(values, dtype=np.float64)
    group = np.arange(len(values)) % groups
    found = ExactSum.of(values, Groups(group, groups))
    for at, sum_ in enumerate(found.result()):
        mine = values[group == at]
        odd = mine[~np.isfinite(mine)]
        with np.errstate(invalid="ignore"):
            expected = float(odd.sum()) if len(odd) else math.fsum(mine)
        assert bits(sum_) == bits(expected).replace("-nan", "nan")
        kinds = [int((mine == math.inf).sum()), int((mine == -math.inf).sum()), int(np.isnan(mine).sum())]
        assert found.infinite[at].tolist() == kinds
        assert found.exact()[at] == sum(map(Fraction, mine[np.isfinite(mine)].tolist()), Fraction(0))


def test_the_sum_of_nothing_is_zero():
    assert ExactSum.of(np.zeros(0)).result() == [0.0]
    assert ExactSum.of(np.zeros(0), Groups(np.zeros(0, dtype=np.int64), 3)).result() == [0.0, 0.0, 0.0]
    assert ExactSum.zero(2).exact() == [0, 0]


def test_a_sum_beyond_the_largest_double_is_infinite_until_something_takes_it_back():
    largest = np.finfo(float).max
    beyond = ExactSum.of(np.array([largest, largest]))
    assert beyond.result() == [math.inf]
    assert (beyond + ExactSum.of(np.array([-largest]))).result() == [largest]
    assert ExactSum.of(np.array([-largest, -largest])).result() == [-math.inf]


@pytest.mark.parametrize("kind", SPREADS)
def test_a_sum_survives_the_carry_of_its_digits(kind):
    """More additions than an int64 digit could take without a carry, doubled and one by one."""
    values = hostile(kind, np.random.default_rng(1), BLOCK // 2)
    one = ExactSum.of(values)
    once = one.exact()[0]
    doubled = one
    for _ in range(40):
        doubled = doubled + doubled
    assert doubled.exact() == [once * 2**40]
    repeated = ExactSum.zero()
    for _ in range(2 * exact.CARRY + 77):
        repeated = repeated + one
    assert repeated.exact() == [once * (2 * exact.CARRY + 77)]


def test_full_digits_survive_the_carry():
    """Blocks whose digits are as large as a digit can get, so that one carry too late would overflow."""
    for sign in (1.0, -1.0):
        brim = ExactSum.of(np.full(BLOCK, sign * (2.0**53 - 1)))
        summed = ExactSum.zero()
        for _ in range(1 << 12):
            summed = summed + brim
        assert summed.exact() == [int(sign) * (2**53 - 1) * BLOCK * 2**12]


@given(seed=SEEDS, groups=st.integers(1, 4), carry=st.integers(2, 5))
@settings(max_examples=25)
def test_when_digits_are_carried_cannot_be_seen(seed, groups, carry):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(SPREADS, 12)
    values = [hostile(kind, rng, 40) for kind in kinds]
    group = [rng.integers(0, groups, len(part)) for part in values]
    states = [ExactSum.of(part, Groups(at, groups)) for part, at in zip(values, group, strict=True)]
    late = sum(states, ExactSum.zero(groups))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "CARRY", carry)
        early = sum(states, ExactSum.zero(groups))
    everything, where = np.concatenate(values), np.concatenate(group)
    assert early == late
    assert early.result() == [total(everything[where == at]) for at in range(groups)]


@given(st.fractions(), st.integers(-1100, 1100))
def test_an_exact_number_becomes_the_nearest_double(number, exponent):
    scaled = number * Fraction(2) ** exponent
    found = to_float(scaled)
    if math.isinf(found):
        assert abs(scaled) >= Fraction(2) ** 1024 - Fraction(2) ** 970
        assert (found > 0) == (scaled > 0)
        return
    error = abs(Fraction(found) - scaled)
    for neighbour in (math.nextafter(found, math.inf), math.nextafter(found, -math.inf)):
        assert math.isinf(neighbour) or error <= abs(Fraction(neighbour) - scaled)


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9), st.integers(-2000, 2000))
def test_the_root_of_an_exact_number_is_within_an_ulp(number, exponent):
    scaled = number * Fraction(2) ** exponent
    with mpmath.workdps(60):
        root = mpmath.sqrt(mpmath.mpf(scaled.numerator) / scaled.denominator)
        if root < 2.3e-308 or root > 1.7e308:
            return
        assert abs(square_root(scaled) - root) <= math.ulp(float(root))


# --- sums of products ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["1", "1e-300", "1e300", "mixed", "subnormal", "split"])
@given(seed=SEEDS, n=st.integers(1, 200), groups=st.integers(1, 3))
@settings(max_examples=15)
def test_products_add_up_to_twenty_digits_at_any_scale(scale, seed, n, groups):
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=n), rng.normal(size=n)
    if scale == "mixed":
        left, right = hostile("whole range", rng, n), hostile("whole range", rng, n)
    elif scale == "subnormal":
        left, right = hostile("subnormal", rng, n), hostile("whole range", rng, n)
    elif scale == "split":
        left = left * rng.choice([2.0**-480, 2.0**480, 1e-308, 1e307], n)
    else:
        left, right = left * float(scale), right * float(scale)
    group = rng.integers(0, groups, n)
    found = exact_products(left, right, Groups(group, groups)).exact()
    for at in range(groups):
        pairs = list(zip(left[group == at].tolist(), right[group == at].tolist(), strict=True))
        expected = sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0))
        size = sum((abs(Fraction(a) * Fraction(b)) for a, b in pairs), Fraction(0))
        assert abs(found[at] - expected) <= size / 10**20


def test_products_of_many_values_cross_blocks_unharmed():
    values = np.random.default_rng(3).normal(1e8, 1.0, 2 * BLOCK + 5)
    expected = sum((Fraction(value) ** 2 for value in values.tolist()), Fraction(0))
    assert abs(exact_products(values, values).exact()[0] - expected) <= expected / 10**20
    halves = exact_products(values[:BLOCK], values[:BLOCK]) + exact_products(values[BLOCK:], values[BLOCK:])
    assert halves == exact_products(values, values)


def test_products_leave_infinities_and_nan_out():
    odd = np.array([3.0, math.inf, math.nan, -math.inf, 2.0])
    assert exact_products(odd, odd).exact() == [13]
    assert exact_products(np.zeros(0), np.zeros(0)).exact() == [0]


# --- moments ---------------------------------------------------------------------------------------------------------


def rows_of(value, weight=None, group=None, groups=1, gradient=None, position=None, label=None, prediction=None):
    """Rows of which only some fields matter."""
    label = np.zeros(len(value)) if label is None else label
    prediction = np.zeros(len(value)) if prediction is None else prediction
    return Rows(value, weight, None if group is None else Groups(group, groups), position, label, prediction, gradient)


def expected_moments(value, weight, reduction):
    """The reported number and its standard error by the formulas of LOSSES.md §3, at 60 digits."""
    with mpmath.workdps(60):
        values = [mpmath.mpf(v) for v in value.tolist()]
        weights = [mpmath.mpf(w) for w in (np.ones(len(values)) if weight is None else weight).tolist()]
        n, whole = len(values), mpmath.fsum(weights)
        weighted = [w * v for w, v in zip(weights, values, strict=True)]
        mean = mpmath.fsum(weighted) / whole
        spread = mpmath.fsum((w * (v - mean)) ** 2 for w, v in zip(weights, values, strict=True))
        error = mpmath.sqrt(mpmath.mpf(n) / (n - 1) * spread) / whole if n > 1 else mpmath.nan
        if reduction == "sum":
            middle = mpmath.fsum(weighted) / n
            spread = mpmath.fsum((it - middle) ** 2 for it in weighted)
            error = mpmath.sqrt(mpmath.mpf(n) / (n - 1) * spread) if n > 1 else mpmath.nan
            return mpmath.fsum(weighted), error
        if reduction == "root-mean":
            return mpmath.sqrt(mean), error / (2 * mpmath.sqrt(mean)) if mean else mpmath.mpf(0)
        return mean, error


@given(seed=SEEDS, n=st.integers(1, 200), kind=st.sampled_from(["plain", "wide", "whole range", "cancelling", "equal"]))
def test_the_mean_and_the_sum_are_correctly_rounded(seed, n, kind):
    values = hostile(kind, np.random.default_rng(seed), n)
    sum_ = sum(map(Fraction, values.tolist()), Fraction(0))
    (found,) = Moments.lift(rows_of(values)).result()
    assert found.value("mean") == to_float(sum_ / len(values))
    assert found.value("sum") == to_float(sum_)
    assert (found.n, found.sum_weight, found.effective_n) == (len(values), len(values), len(values))


@given(seed=SEEDS, n=st.integers(1, 200))
def test_the_weighted_mean_is_the_exact_quotient_of_the_products_that_were_added(seed, n):
    """A product w·ℓ is a double; what is made of them is rounded once."""
    rng = np.random.default_rng(seed)
    values, weights = rng.lognormal(size=n), rng.uniform(0.1, 3.0, n)
    products = sum(map(Fraction, (weights * values).tolist()), Fraction(0))
    (found,) = Moments.lift(rows_of(values, weights)).result()
    assert found.value("mean") == to_float(products / sum(map(Fraction, weights.tolist()), Fraction(0)))
    assert found.value("sum") == to_float(products)
    effective = sum(map(Fraction, weights.tolist())) ** 2 / sum(Fraction(w) ** 2 for w in weights.tolist())
    assert found.effective_n == pytest.approx(float(effective), rel=1e-15, abs=0)


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@given(seed=SEEDS, n=st.integers(2, 150))
@settings(max_examples=20)
def test_value_and_standard_error_are_those_of_the_formulas(reduction, weighted, seed, n):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(sigma=2.0, size=n)
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    (found,) = Moments.lift(rows_of(values, weights)).result()
    value, error = expected_moments(values, weights, reduction)
    assert found.value(reduction) == pytest.approx(float(value), rel=1e-15, abs=0)
    assert found.standard_error(reduction) == pytest.approx(float(error), rel=1e-12, abs=0)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("base", "noise"), [(1e8, 1.0), (1e8, 1e-2), (-1e8, 1e-2), (1e-200, 1e-208), (1e150, 1e141)])
def test_the_standard_error_sees_noise_far_below_the_mean(weighted, base, noise):
    """Σℓ² − (Σℓ)²/n in doubles would be noise, or negative: the mean is up to 1e10 times the spread."""
    rng = np.random.default_rng(8)
    values = base + rng.normal(scale=noise, size=1000)
    weights = rng.choice([0.5, 1.0, 2.0], 1000) if weighted else None  # powers of two, so that w·ℓ is not rounded
    (found,) = Moments.lift(rows_of(values, weights)).result()
    value, error = expected_moments(values, weights, "mean")
    assert found.value("mean") == float(value)
    assert found.standard_error("mean") == pytest.approx(float(error), rel=1e-3, abs=0)


@given(seed=SEEDS, n=st.integers(2, 3000))
def test_equal_rows_have_no_standard_error(seed, n):
    """What is left of Σℓ² − (Σℓ)²/n must not look like a spread."""
    value = float(np.random.default_rng(seed).lognormal(sigma=5.0))
    (found,) = Moments.lift(rows_of(np.full(n, value))).result()
    assert found.standard_error("mean") <= 1e-16 * value


def test_fewer_than_two_rows_have_no_standard_error():
    for value in (np.array([3.0]), np.zeros(0)):
        (found,) = Moments.lift(rows_of(value)).result()
        assert all(math.isnan(found.standard_error(reduction)) for reduction in ("mean", "sum", "root-mean"))
    (nothing_,) = Moments.zero(1, weighted=False).result()
    assert math.isnan(nothing_.value("mean"))
    assert math.isnan(nothing_.value("root-mean"))
    assert nothing_.effective_n == 0


def test_an_infinite_row_makes_the_value_infinite_and_the_error_unknown():
    (found,) = Moments.lift(rows_of(np.array([1.0, math.inf, 2.0]))).result()
    assert found.value("mean") == found.value("sum") == found.value("root-mean") == math.inf
    assert math.isnan(found.standard_error("mean"))


def test_a_root_mean_of_a_negative_mean_is_no_number():
    """A loss may be negative (cosine, poisson): the root of its mean does not exist, and is not 0."""
    (found,) = Moments.lift(rows_of(np.array([-1.0, -2.0, -4.0]))).result()
    assert math.isnan(found.value("root-mean"))
    assert math.isnan(found.standard_error("root-mean"))


def test_weights_may_be_of_any_size():
    """Their sum may pass the largest double though the mean does not."""
    columns = {"label": [0.0, 0.0, 0.0], "prediction": [0.25, 0.5, 0.75]}
    for size in (1e308, 1e-300, 2.0**-1070):
        (found,) = evaluate({**columns, "w": [size] * 3}, "mae", weight="w").results
        assert found.value == pytest.approx(0.5, rel=1e-15)
        assert found.sum_weight == (3 * size if size < 1e300 else math.inf)
        assert found.effective_n == pytest.approx(3.0)


@given(seed=SEEDS, n=st.integers(2, 150), groups=st.integers(1, 5), weighted=st.booleans())
def test_moments_by_group_are_those_of_each_group(seed, n, groups, weighted):
    rng = np.random.default_rng(seed)
    values, group = rng.lognormal(size=n), rng.integers(0, groups, n)
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    found = Moments.lift(rows_of(values, weights, group, groups)).result()
    for at in range(groups):
        mine = group == at
        (alone,) = Moments.lift(rows_of(values[mine], None if weights is None else weights[mine])).result()
        assert replace(found[at], value_squares=0) == replace(alone, value_squares=0)
        assert found[at].standard_error("mean") == pytest.approx(alone.standard_error("mean"), rel=1e-12, nan_ok=True)


# --- gradients -------------------------------------------------------------------------------------------------------


def gradient_case(rng, n, width, groups, weighted):
    gradient = rng.standard_t(3, size=(n, width) if width else n)
    return (
        np.asfortranarray(gradient),
        rng.uniform(0.1, 3.0, n) if weighted else None,
        rng.integers(0, groups, n) if groups > 1 else None,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "root-mean"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("width", [0, 1, 7], ids=["scalar", "one column", "vector"])
@pytest.mark.parametrize("groups", [1, 4])
def test_gradient_figures_are_what_numpy_makes_of_all_rows(reduction, weighted, width, groups):
    rng = np.random.default_rng(5)
    n = 2000
    gradient, weight, group = gradient_case(rng, n, width, groups, weighted)
    rows = rows_of(rng.lognormal(size=n), weight, group, groups, gradient)
    totals = Moments.lift(rows).result()
    found = Gradients.lift(rows).result(totals, reduction)
    code = np.zeros(n, dtype=int) if group is None else group
    for at, figures in enumerate(found):
        mine = code == at
        g = gradient[mine].reshape(mine.sum(), -1)
        w = np.ones(len(g)) if weight is None else weight[mine]
        value = np.average(rows.value[mine], weights=w)
        slope = {"sum": 1.0, "mean": 1 / w.sum(), "root-mean": 0.5 / np.sqrt(value) / w.sum()}[reduction]
        whole, norms = slope * w[:, None] * g, np.linalg.norm(g, axis=1)
        assert figures.l2 == pytest.approx(np.linalg.norm(whole), rel=1e-12, abs=0)
        assert figures.l1 == pytest.approx(np.abs(whole).sum(), rel=1e-12, abs=0)
        assert figures.linf == pytest.approx(np.abs(whole).max(), rel=1e-14, abs=0)
        assert figures.row_mean == pytest.approx(np.average(norms, weights=w), rel=1e-12, abs=0)
        assert figures.row_rms == pytest.approx(np.sqrt(np.average(norms**2, weights=w)), rel=1e-12, abs=0)
        assert figures.row_max == pytest.approx(norms.max(), rel=1e-14, abs=0)
        carried = np.sort(w * norms)[::-1]
        share = carried[: math.ceil(0.01 * len(carried))].sum() / carried.sum()
        assert figures.top1_share == pytest.approx(share, rel=0.01, abs=0)


@given(
    seed=SEEDS,
    n=st.integers(1, 3000),
    kind=st.sampled_from(["plain", "wide", "whole range", "equal", "zeros", "one"]),
)
def test_the_share_of_the_top_rows_is_within_one_percent_of_itself(seed, n, kind):
    rng = np.random.default_rng(seed)
    if kind == "zeros":
        norms = np.where(rng.random(n) < 0.9, 0.0, rng.exponential(size=n))
    elif kind == "one":
        norms = np.concatenate([[1e6], rng.exponential(1e-3, n - 1)])
    else:
        norms = np.abs(hostile(kind, rng, n)) * (1e-8 if kind == "whole range" else 1.0)
    carried = np.sort(norms)[::-1]
    whole = math.fsum(carried)
    found = Histogram.of(norms, None).top_share(0, 0.01)
    if whole == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(math.fsum(carried[: math.ceil(0.01 * n)]) / whole, rel=0.01, abs=0)
        assert 0 <= found <= 1


@pytest.mark.parametrize("width", [0, 3], ids=["scalar", "vector"])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_gradient_figures_have_no_scale(width, size):
    """Finite gradients have finite, non-zero norms, though their squares overflow or underflow."""
    rng = np.random.default_rng(6)
    gradient = np.asfortranarray(rng.normal(size=(50, width) if width else 50))
    value = rng.lognormal(size=50)
    plain, scaled = (
        Gradients.lift(rows).result(Moments.lift(rows).result(), "mean")[0]
        for rows in (rows_of(value, gradient=gradient), rows_of(value, gradient=size * gradient))
    )
    for part in fields(plain):
        factor = 1.0 if part.name == "top1_share" else size
        expected = factor * getattr(plain, part.name)
        assert getattr(scaled, part.name) == pytest.approx(expected, rel=0.02 if factor == 1.0 else 1e-10, abs=0), (
            part.name
        )


def test_an_infinite_gradient_makes_figures_infinite_without_a_warning():
    gradient = np.array([1.0, math.inf, 2.0])
    rows = rows_of(np.ones(3), gradient=gradient)
    (figures,) = Gradients.lift(rows).result(Moments.lift(rows).result(), "mean")
    assert (
        figures.l1 == figures.l2 == figures.linf == figures.row_mean == figures.row_rms == figures.row_max == math.inf
    )
    assert math.isnan(figures.top1_share)


def test_a_group_without_rows_has_no_gradient_figures():
    group = np.array([0, 0, 2])
    rows = rows_of(np.ones(3), group=group, groups=3, gradient=np.ones(3))
    found = Gradients.lift(rows).result(Moments.lift(rows).result(), "mean")
    assert found[1] is None
    assert found[0] is not None
    assert found[2] is not None


# --- worst rows ------------------------------------------------------------------------------------------------------


def sloped(label, prediction):
    return prediction - label


@given(
    value=st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf]), min_size=1, max_size=40),
    most=st.integers(1, 8),
    groups=st.integers(1, 3),
    dropped=st.booleans(),
    seed=SEEDS,
)
def test_the_worst_rows_are_the_first_of_the_sorted_ones(value, most, groups, dropped, seed):
    rng = np.random.default_rng(seed)
    value = np.array(value)
    n = len(value)
    group = rng.integers(0, groups, n) if groups > 1 else None
    position = np.sort(rng.choice(3 * n, n, replace=False)) if dropped else None
    label, prediction = rng.normal(size=n), rng.normal(size=n)
    rows = rows_of(value, None, group, groups, position=position, label=label, prediction=prediction)
    found = Worst.lift(rows, most, sloped)
    numbers = np.arange(n) if position is None else position
    code = np.zeros(n, dtype=int) if group is None else group
    for at in range(groups):
        expected = sorted((-value[i], numbers[i], label[i], prediction[i]) for i in np.flatnonzero(code == at))[:most]
        kept = [(-found.value[i], found.row[i], found.label[i], found.prediction[i]) for i in found.of(at)]
        assert kept == expected
        assert all(found.gradient[i] == found.prediction[i] - found.label[i] for i in found.of(at))


def test_worst_rows_keep_vectors_whole():
    prediction = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    rows = rows_of(np.array([1.0, 4.0, 2.0, 4.0]), label=np.zeros((4, 3)), prediction=prediction)
    found = Worst.lift(rows, 2, sloped)
    assert found.row.tolist() == [1, 3]
    assert found.prediction.tolist() == [[3, 4, 5], [9, 10, 11]]


# --- findings --------------------------------------------------------------------------------------------------------


def test_findings_count_all_and_show_the_first():
    key, other = ("error", "p", "a probability"), ("null", "p", "null")
    early, late = (
        Findings({key: Finding(2, 3, "1.5")}),
        Findings({key: Finding(5, 0, "7"), other: Finding(1, 4, "null")}),
    )
    both = early + late.shift(10)
    assert list(both.of("error")) == [("p", "a probability", Finding(7, 3, "1.5"))]
    assert list(both.of("null")) == [("p", "null", Finding(1, 14, "null"))]


# --- every state -----------------------------------------------------------------------------------------------------

PLANS = {
    "one loss": {"loss": ["huber"]},
    "losses, models, weights, groups, gradients, worst rows": {
        "loss": ["mse", "bce", "rmse"], "prediction": ["p", "q"], "weight": "w", "by": ["g", "h"], "gradient": True,
        "samples": 3, "nulls": "drop",
    },
    "vectors": {
        "loss": ["cross_entropy"], "label": ["class"], "prediction": ["m=z_*"], "by": ["g"], "gradient": True,
        "samples": 2, "from_logits": True, "nulls": "drop",
    },
    "wide vectors": {"loss": ["mse"], "label": ["v"], "prediction": ["u"], "gradient": True, "samples": 2},
}  # fmt: skip


def table_of(rng, n):
    """Rows with ties, nulls, weights of 0, warnings and more groups than any part of them has."""
    label = rng.integers(0, 2, n).astype(float)
    p, q = np.round(rng.random(n), 1), rng.random(n)
    names = np.array(["a", "b", "", "c", "d"])
    columns = {
        "label": label,
        "p": pa.array(
            [None if hole else x for x, hole in zip(p.tolist(), rng.random(n) < 0.05, strict=True)], pa.float64()
        ),
        "q": q,
        "w": rng.choice([0.0, 0.5, 1.0, 2.7], n),
        "g": pa.array(names[rng.integers(0, 5, n)]),
        "h": pa.array(rng.integers(0, 2, n)),
        "class": rng.integers(0, 3, n),
        "u": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=n * 20)), 20),
        "v": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=n * 20)), 20),
    }
    columns |= {f"z_{at}": rng.normal(scale=4, size=n) for at in range(3)}
    return pa.table(columns)


class nearly(float):  # noqa: N801  (reads as a word)
    """A number equal to those that differ from it in the last digits only."""

    __hash__ = None

    def __eq__(self, other):
        return math.isclose(self, other, rel_tol=1e-11, abs_tol=1e-15) or (math.isnan(self) and math.isnan(other))

    def __repr__(self):
        return f"about {float(self):.6g}"


def measured(plan, table):
    """The state of a table in one piece."""
    found = nothing(plan)
    for batch in table.combine_chunks().to_batches():
        found = found + lift(plan, validate(batch, plan))
    return found


def summary(state: Measured, spread=bits):
    """Everything a report is made of, group by name, with floats to the last bit.

    Squares and gradients are rounded where rows are lifted together: figures made of them have a ``spread``.
    """
    rounded = ("l2", "l1", "row_mean", "row_rms")
    found = [bits((state.rows, [(kind, list(state.findings.of(kind))) for kind in ("error", "warning", "null")]))]
    for part in state.parts:
        totals = part.moments.result()
        figures = None if part.gradients is None else part.gradients.result(totals, "mean")
        for at, key in enumerate(state.keys):
            worst, gradient = part.worst, None if figures is None else figures[at]
            rows = [] if worst is None else worst.of(at)
            found.append(
                (
                    key,
                    int(state.null[at]),
                    int(state.unweighted[at]),
                    int(part.clipped[at]),
                    replace(totals[at], value_squares=0),
                    spread(totals[at].standard_error("mean")),
                    None if gradient is None else bits(replace(gradient, **dict.fromkeys(rounded, 0.0))),
                    None if gradient is None else [spread(getattr(gradient, name)) for name in rounded],
                    [bits((int(worst.row[i]), worst.value[i].tolist(), worst.gradient[i].tolist())) for i in rows],
                )
            )
    return found[:1] + sorted(found[1:], key=repr)


@pytest.fixture(scope="module", params=PLANS)
def plan(request):
    table = table_of(np.random.default_rng(0), 50)
    return make_plan(open_source(table), Request(**{"label": ["label"], "prediction": ["q"], **PLANS[request.param]}))


@given(seed=SEEDS, n=st.integers(2, 60), cuts=st.lists(st.floats(0, 1), max_size=8))
@settings(max_examples=40)
def test_how_rows_are_cut_cannot_change_a_digit(plan, seed, n, cuts):
    table = table_of(np.random.default_rng(seed), n)
    whole = measured(plan, table)
    edges = [0, *sorted(int(cut * n) for cut in cuts), n]
    parts = [measured(plan, table.slice(a, b - a)) for a, b in itertools.pairwise(edges)]
    assert summary(sum(parts, nothing(plan)), nearly) == summary(whole, nearly)


@given(seed=SEEDS, shuffle=SEEDS, n=st.integers(2, 40))
@settings(max_examples=25)
def test_the_order_of_rows_changes_no_value(plan, seed, shuffle, n):
    table = table_of(np.random.default_rng(seed), n)
    order = np.random.default_rng(shuffle).permutation(n)
    one, other = (summary(measured(replace(plan, samples=0), it), nearly) for it in (table, table.take(order)))
    assert one[1:] == other[1:]


@given(seed=SEEDS, sizes=st.tuples(*[st.integers(0, 12)] * 3))
@settings(max_examples=25)
def test_states_add_up_like_numbers(plan, seed, sizes):
    """Associative, with a zero on either side, and without touching what is added."""
    rng = np.random.default_rng(seed)
    a, b, c = (measured(plan, table_of(rng, n)) for n in sizes)
    before = copy.deepcopy((a, b, c))
    assert summary((a + b) + c) == summary(a + (b + c))
    assert summary(nothing(plan) + a) == summary(a) == summary(a + nothing(plan))
    assert all(map(same_state, before, (a, b, c)))


def lifted(kind, rng, n, groups, start=0):
    """A state of some random rows, many of them equal."""
    group = rng.integers(0, groups, n)
    value = hostile(rng.choice(["plain", "wide", "whole range", "equal"]), rng, n)
    label, prediction, gradient = (rng.choice([-1.0, 0.0, 2.0], n) for _ in range(3))
    weight = rng.uniform(0.1, 3.0, n)
    rows = Rows(value, weight, Groups(group, groups), np.arange(start, start + n), label, prediction, gradient)
    match kind:
        case "exact sum":
            return ExactSum.of(value, Groups(group, groups))
        case "moments":
            return Moments.lift(rows)
        case "gradients":
            return Gradients.lift(rows)
        case "histogram":
            return Histogram.of(np.abs(gradient), Groups(group, groups))
        case "worst":
            return Worst.lift(replace(rows, value=np.round(rng.random(n), 1)), 3, sloped)
    raise ValueError(kind)


ZEROS = {
    "exact sum": ExactSum.zero,
    "moments": lambda groups: Moments.zero(groups, weighted=True),
    "gradients": Gradients.zero,
    "histogram": lambda _: Histogram({}),
    "worst": lambda _: Worst.zero(3),
}


@pytest.mark.parametrize("kind", ZEROS)
@given(seed=SEEDS, groups=st.integers(1, 4), sizes=st.tuples(*[st.integers(1, 30)] * 3))
@settings(max_examples=25)
def test_every_state_is_associative_with_a_zero_and_pure(kind, seed, groups, sizes):
    rng = np.random.default_rng(seed)
    starts = np.cumsum([0, *sizes])
    a, b, c = (lifted(kind, rng, n, groups, start) for n, start in zip(sizes, starts, strict=False))
    before = copy.deepcopy((a, b, c))
    zero = ZEROS[kind](groups)
    assert same_state((a + b) + c, a + (b + c))
    assert same_state(zero + a, a)
    assert same_state(a + zero, a)
    if kind != "worst":
        assert same_state(a + b, b + a)
    assert all(map(same_state, before, (a, b, c)))


def test_worst_rows_remember_which_came_first():
    """The one state whose + is not commutative: among equals the first row is kept."""
    rows = rows_of(np.array([1.0]), label=np.array([0.0]), prediction=np.array([1.0]))
    first, second = Worst.lift(rows, 1, sloped), Worst.lift(rows, 1, sloped).shift(1)
    assert (first + second).row.tolist() == [0]


@pytest.mark.parametrize("kind", ZEROS)
@given(seed=SEEDS, groups=st.integers(1, 4), more=st.integers(0, 3))
@settings(max_examples=25)
def test_regrouping_moves_groups_and_changes_nothing(kind, seed, groups, more):
    rng = np.random.default_rng(seed)
    a, b = lifted(kind, rng, 20, groups), lifted(kind, rng, 20, groups, 20)
    index = rng.permutation(groups + more)[:groups]
    before = copy.deepcopy(a)

    def figures(state, at):
        match kind:
            case "exact sum":
                return state.exact()[at], state.result()[at]
            case "moments":
                return state.result()[at]
            case "gradients":
                parts = (state.absolute, state.squares, state.norm, state.norm_squares)
                return [part.exact()[at] for part in parts], state.largest[at], state.largest_norm[at]
            case "histogram":
                return {octave: counts[:, at].tolist() for octave, counts in state.octaves.items()}
        return [(state.row[i], state.value[i], state.gradient[i]) for i in state.of(at)]

    moved = a.regroup(index, groups + more)
    assert all(figures(moved, index[at]) == figures(a, at) for at in range(groups))
    both = (a + b).regroup(index, groups + more)
    apart = a.regroup(index, groups + more) + b.regroup(index, groups + more)
    assert all(figures(both, at) == figures(apart, at) for at in range(groups + more))
    assert same_state(before, a)
