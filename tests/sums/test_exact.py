"""Exact sums and sums of products.

Expected numbers come from ``math.fsum``, from ``fractions.Fraction`` (every double is one exactly), or
from ``mpmath`` at 60 digits.
"""

import math
import tracemalloc
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hostile import DOUBLES, SEEDS, SPREADS, bits, hostile, rounded_sum, rows_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossctl.rational import quotient, square_root, to_float
from lossctl.reduction import MEAN
from lossctl.sums import compiled, exact
from lossctl.sums.centred import sum_and_squares
from lossctl.sums.digits import BLOCK
from lossctl.sums.exact import ExactSum
from lossctl.sums.gradients import Gradients
from lossctl.sums.moments import Moments
from lossctl.sums.products import exact_products
from lossctl.sums.state import Groups

# --- exact sums ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPREADS)
@given(seed=SEEDS, n=st.integers(1, 400))
@settings(max_examples=25)
def test_a_sum_is_correctly_rounded_whatever_the_values_and_their_order(kind, seed, n):
    rng = np.random.default_rng(seed)
    values = hostile(kind, rng, n)
    assert ExactSum.of(values).result() == [rounded_sum(values)]
    assert ExactSum.of(rng.permutation(values)).result() == [rounded_sum(values)]


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
    assert ExactSum.of(values).result() == [rounded_sum(values)]
    assert ExactSum.of(values).exact() == [sum(map(Fraction, values.tolist()), Fraction(0))]


@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_a_sum_of_many_values_crosses_blocks_unharmed(kind, n):
    values = hostile(kind, np.random.default_rng(n), n)
    assert ExactSum.of(values).result() == [rounded_sum(values)]


@pytest.mark.parametrize(("mean", "spread"), [(1e10, 1e-3), (1e10, 1e-5), (1.0, 1e-14), (-3e5, 10.0), (0.0, 1.0)])
def test_a_variance_by_group_keeps_its_digits_however_far_the_mean_is(mean, spread):
    rng = np.random.default_rng(5)
    values, group = mean + spread * rng.normal(size=6000), rng.integers(0, 50, 6000)
    found = Moments.lift(rows_of(values, group=group, groups=50)).result()
    for at, total in enumerate(found):
        mine = [Fraction(value) for value in values[group == at].tolist()]
        middle = sum(mine) / len(mine)
        squared = sum((value - middle) ** 2 for value in mine) / (len(mine) - 1) / len(mine)
        assert math.isclose(total.standard_error(MEAN), math.sqrt(squared), rel_tol=1e-12)


@given(value=st.floats(-1e100, 1e100).filter(lambda x: abs(x) > 1e-100), sizes=st.lists(st.integers(1, 60), min_size=1))
def test_groups_of_one_value_have_no_spread(value, sizes):
    group = np.repeat(np.arange(len(sizes)), sizes)
    found = Moments.lift(rows_of(np.full(len(group), value), group=group, groups=len(sizes))).result()
    assert all(total.standard_error(MEAN) == 0.0 for total in found if total.n > 1)


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
    assert ExactSum.of(values, Groups(group, groups)).result() == [
        rounded_sum(values[group == at]) for at in range(groups)
    ]


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
    assert early.result() == [rounded_sum(everything[where == at]) for at in range(groups)]


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
def test_products_add_up_exactly_at_any_scale(scale, seed, n, groups):
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
        assert found[at] == expected


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


@settings(max_examples=50, deadline=None)
@given(st.fractions(), st.fractions(min_value=0).filter(bool), st.integers(-1200, 1200))
def test_a_quotient_is_the_nearest_double(one, other, power):
    one = one * Fraction(2) ** power
    assert quotient(one, other) == to_float(one / other)


@pytest.mark.parametrize("work", ["sum", "squares", "gradients"])
def test_without_a_compiler_sums_take_the_room_of_a_few_blocks_however_many_rows(monkeypatch, work):
    monkeypatch.setattr(compiled, "kernels", None)
    values = np.abs(np.random.default_rng(4).normal(size=40 * BLOCK))
    rows = rows_of(values, gradient=values)
    does = {
        "sum": lambda: ExactSum.of(values),
        "squares": lambda: sum_and_squares(values, None),
        "gradients": lambda: Gradients.lift(rows),
    }[work]
    tracemalloc.start()
    try:
        does()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (8 if work == "gradients" else 4) * BLOCK * values.itemsize
