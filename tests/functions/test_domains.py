"""What domains say of a span, the least and the largest number, is what they say of the numbers."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.domain import ABOVE_MINUS_ONE, NONZERO, POSITIVE, REAL, Interval, Outside, span_of
from lossctl.functions.activation import activations
from lossctl.functions.lookup import get_loss
from lossctl.functions.loss import losses
from lossctl.sums import span

BOUNDS = [get_loss(loss.name) for loss in losses if not any(p.required for p in loss.parameters)]
DOMAINS = {
    domain
    for bound in BOUNDS
    for domain in (bound.label_domain, bound.label_domain.for_width(3), bound.prediction_domain)
} | {activation.takes for activation in activations}
INTERVALS = [REAL, POSITIVE, NONZERO, ABOVE_MINUS_ONE, Interval(0.0, 1.0), Outside(hole=(0.0, 1.0))]
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 5e-324, -5e-324, 1.0 + 2**-52, 1e308, math.inf, -math.inf, math.nan]
NUMBERS = st.lists(st.sampled_from(EDGES), min_size=3, max_size=9)


@given(domain=st.sampled_from(sorted(DOMAINS, key=repr)), numbers=NUMBERS)
@settings(max_examples=150)
def test_numbers_are_legal_where_their_span_is_covered(domain, numbers):
    for values in (np.array(numbers), np.asfortranarray(np.array(numbers[: len(numbers) // 3 * 3]).reshape(-1, 3))):
        if values.ndim in domain.dimensions and domain.covers(span_of(values)):
            assert domain.illegal(values) is None


@given(domain=st.sampled_from(INTERVALS), numbers=NUMBERS)
@settings(max_examples=60)
def test_an_interval_says_of_each_number_what_its_bounds_say(domain, numbers):
    values = np.array(numbers)
    wrong = domain.illegal(values)
    said = [False] * len(values) if wrong is None else wrong.tolist()
    assert said == [not (math.isfinite(x) and legal(domain, x)) for x in numbers]
    assert not domain.covers((math.nan, math.nan))


def legal(domain, x):
    """Whether a finite number is in an interval, by its fields."""
    above = x > domain.low or (x == domain.low and not domain.low_open)
    below = x < domain.high or (x == domain.high and not domain.high_open)
    hole = getattr(domain, "hole", (0.0, 0.0))
    return above and below and not (domain.nonzero and x == 0) and not hole[0] < x < hole[1]


@given(numbers=NUMBERS, more=st.integers(0, 40))
@settings(max_examples=30)
def test_a_span_is_the_least_and_the_largest_compiled_and_not(numbers, more):
    values = np.array([*numbers, *[numbers[0]] * more])
    for low, high in (span_of(values), span.span_of(values)):
        if any(map(math.isnan, numbers)):
            assert math.isnan(low)
            assert math.isnan(high)
        else:
            assert (low, high) == (min(numbers), max(numbers))


def test_nothing_lies_between_infinities_that_are_the_wrong_way_round():
    for span_of_none in (span_of(np.empty(0)), span.span_of(np.empty(0))):
        assert span_of_none == (math.inf, -math.inf)
