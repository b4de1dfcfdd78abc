"""Numbers for people: digits that their errors warrant, points below each other, one style a column."""

import math
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.document import Approximate, Column, Document, Estimates, Piece, Table, phrase
from lossctl.rendering.digits import exponent, exponents, written
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.wording import cells

NUMBERS = st.one_of(
    st.floats(-1e3, 1e3),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1e-200, 4.1e7, 5e-324, 1.7976931348623157e308, 9.9996, 0.0996, 999999.5, math.nan]),
)
ERRORS = st.one_of(st.floats(0.0, 1e3), st.floats(0.0, allow_infinity=True), st.sampled_from([0.0, math.nan]))
VALUES = st.one_of(
    NUMBERS,
    st.builds(Approximate, NUMBERS),
    st.none(),
    st.sampled_from(["many", Piece("none", "bad"), (1.0, 2.5), (Piece("one "), Piece("two"))]),
)
ESTIMATES = st.lists(st.tuples(st.none() | NUMBERS, ERRORS, st.booleans()), min_size=1, max_size=6).map(
    lambda cells: Estimates.of(*zip(*cells, strict=True))
)
EXPONENT = re.compile(r"\de[-+]\d")


def text_of(words):
    return "".join(piece.text for piece in phrase(words))


def is_number(value):
    value = value.value if isinstance(value, Approximate) else value
    return isinstance(value, float)


def point(text):
    """Where the point of a number is, or would be."""
    number = text.rstrip(" *")
    return next((number.find(sign) for sign in ".e" if sign in number), len(number))


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6) | ESTIMATES, st.none() | st.integers(1, 17))
def test_points_stand_below_each_other_and_all_or_none_have_exponents(values, precision):
    heading, below = cells(Column("value", "number"), values, precision)
    texts = [*map(text_of, below)]
    assert {len(text) for text in texts} == {len(heading)}
    numbers = [text for text, value in zip(texts, values, strict=True) if is_number(value)]
    assert len({point(text) for text in numbers}) <= 1
    others = [text for text in numbers if not re.fullmatch(r"(≈ )?(nan|-?inf|0)\*?", text.strip())]
    assert len({bool(EXPONENT.search(text)) for text in others}) <= 1
    assert max(map(len, others), default=0) < 45


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9)), min_size=1, max_size=4))
def test_an_error_has_two_digits_and_its_value_ends_where_it_ends(pairs):
    errors = written([error for _, error in pairs], [error for _, error in pairs])
    values = written([value for value, _ in pairs], [error for _, error in pairs])
    for (value, error), value_text, error_text in zip(pairs, values, errors, strict=True):
        last = Decimal(f"{error:.1e}").adjusted() - 1
        assert float(error_text) == float(f"{error:.1e}")
        capped = value != 0 and Decimal(f"{value:.9e}").adjusted() - last >= 10
        if not capped:
            assert abs(Decimal(value_text) - Decimal(value)) <= Decimal(5).scaleb(last - 1)
            assert float(value_text) == 0 or last >= 0 or Decimal(value_text).as_tuple().exponent == last
        assert not re.fullmatch(r"-0(\.0*)?", value_text)


POWERS = st.builds(
    lambda power, share: 10.0**power * share,
    st.integers(-320, 308),
    st.sampled_from([1.0, 0.9, 0.95, 0.995, 0.9999995, 0.99999999995, 1 - 2**-53]),
)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([(1.01432, 0.216823), (0.473746, 0.0363135)], ["1.01", "0.474"]),
        ([(0.07, 0.0996)], ["0.07"]),  # 0.0996 is 0.10
        ([(1234.5, 345.6)], ["1230"]),
        ([(41234567.0, 1234567.0)], ["4.12e+07"]),
        ([(41234567.0, 1234567.0), (0.5, 0.01)], ["41200000", "0.500"]),
        ([(4.1234567e10, 1234567.0), (0.5, 0.01)], ["4.12346e+10", "5.00e-01"]),
        ([(3.21e-200, 1.1e-202)], ["3.210e-200"]),
        ([(1e-9, 0.5)], ["0.00"]),
        ([(9.9996, 0.012)], ["10.000"]),
        ([(0.5, 0.0), (1 / 3, math.nan), (2.0, math.inf)], ["0.5", "0.333333", "2"]),
        ([(math.inf, math.nan), (math.nan, math.nan), (0.25, 0.0)], ["inf", "nan", "0.25"]),
    ],
)
def test_the_digits_are_those_of_arithmetic(values, shown):
    assert written(*zip(*values, strict=True)) == shown


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | POWERS, max_size=9), st.integers(1, 17))
def test_the_powers_of_ten_of_many_numbers_are_those_of_each(values, digits):
    assert exponents(np.array(values, dtype=float), digits).tolist() == [exponent(value, digits) for value in values]


@pytest.mark.parametrize("digits", [1, 3, 6, 12, 17])
def test_with_a_precision_everything_has_so_many_significant_digits(digits):
    for value, error in ((1.0143216, 0.216823), (0.473746, 3e-7), (6.25, math.nan)):
        assert float(*written([value], [error], digits)) == float(f"{value:.{digits}g}")


@pytest.mark.parametrize("form", ["table", "plain", "markdown", "html"])
def test_points_are_aligned_in_every_format_for_people(form):
    column = Column("value", "number")
    values = [1.014, 10.4737, 5.0, math.nan, -math.inf, None]
    estimates = Estimates.of(values, [0.22, 0.036, *[math.nan] * 4], [place == 1 for place in range(6)])
    document = Document("", lambda: [(Table((Column("name", "name"), column), [["n"] * 6, estimates]),)])
    text = re.sub(r"(<[^>]+>)+", " ", renderers.get(form).render(document, Style()).rpartition("<tbody>")[2])
    lines = [line for line in text.split("\n") if re.search(r"\bn\b", line)]
    numbers = [re.search(r"-?(\d+|nan|inf)", line).end() for line in lines[:5]]
    assert len(set(numbers)) == 1


@given(shares=st.lists(st.floats(-10, 10), min_size=1, max_size=9))
def test_percents_stand_right_behind_their_numbers_with_points_below_each_other(shares):
    _, texts = cells(Column("share", "share"), shares, None)
    assert [text.strip() for text in texts] == [f"{100 * share:.3g} %" for share in shares]
    points = [text.find(".") for text in texts if "." in text and "e" not in text]
    assert len({*points}) <= 1
