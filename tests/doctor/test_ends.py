"""What doctor prints of the ends of a column tells them apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl as library

FINITE = st.floats(-1e12, 1e12).map(lambda value: float(f"{value:.12g}"))


def ends(low, high, columns):
    """The words under from and to in the table of columns that play no known role."""
    text = str(library.diagnose({"q": [low, high], "r": [high, low]}))
    line = next(line for line in text.splitlines() if line.startswith(columns))
    return line.split()[4:6]


@settings(max_examples=12, deadline=None)
@given(low=st.integers(-(10**14), 10**14), span=st.integers(1, 10**6))
def test_whole_numbers_have_all_of_their_digits(low, span):
    assert [*map(float, ends(low, low + span, "q"))] == [low, low + span]


@settings(max_examples=12, deadline=None)
@given(pair=st.tuples(FINITE, FINITE).map(sorted).filter(lambda pair: pair[1] - pair[0] > 1e-9 * abs(pair[1])))
def test_other_ends_are_off_by_a_part_of_their_distance(pair):
    low, high = pair
    for word, end in zip(map(float, ends(low, high, "q")), pair, strict=True):
        assert word == pytest.approx(end, abs=max(0.1 * (high - low), 5e-4 * abs(end) if abs(end) < high - low else 0))
