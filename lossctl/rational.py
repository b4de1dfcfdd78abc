"""What exact numbers come to: doubles that are rounded once, and powers to fifty digits.

Numbers of many groups (`lossctl.sums.doubled`) come to arrays of the same.
"""

import math
from decimal import Context, Decimal
from fractions import Fraction

DIGITS = Context(prec=50, Emin=-(10**6), Emax=10**6)
"""Enough digits that a difference of two powers, as of models that are nearly alike, has all of a double's left."""
MOST = 10**6
"""Exponentials of more than this, or of less than its negative, are no numbers anybody could use."""


def to_float(exact: Fraction) -> float:
    """The nearest double, infinite where there is none."""
    return over(exact.numerator, exact.denominator) if isinstance(exact, Fraction | int) else exact.rounded()


def quotient(one: Fraction, other: Fraction) -> float:
    """The nearest double to a quotient, as `to_float`; the divisor is above 0. Nothing is reduced, which takes long."""
    return over(one.numerator * other.denominator, one.denominator * other.numerator)


def over(above: int, below: int) -> float:
    """The same of whole numbers."""
    try:
        return above / below
    except OverflowError:
        return math.inf if above > 0 else -math.inf


def square_root(exact: Fraction) -> float:
    """The square root of an exact number, infinite where no double is so large; 0 for a negative one."""
    return root_of_quotient(exact.numerator, exact.denominator) if isinstance(exact, Fraction | int) else exact.root()


def root_of_quotient(above: int, below: int) -> float:
    """As `square_root`, of a quotient of whole numbers, the divisor above 0. Nothing is reduced, which takes long."""
    if above <= 0:
        return 0.0
    half = (above.bit_length() - below.bit_length()) // 2
    if half < 0:
        above <<= -2 * half
    else:
        below <<= 2 * half
    try:
        return math.ldexp(math.sqrt(above / below), half)
    except OverflowError:
        return math.inf


def decimal(exact: Fraction) -> Decimal:
    """An exact number to fifty digits."""
    return DIGITS.divide(DIGITS.create_decimal(exact.numerator), DIGITS.create_decimal(exact.denominator))


def logarithm(exact: Fraction) -> Fraction:
    """The natural logarithm of a number above 0, to fifty digits."""
    return Fraction(DIGITS.ln(decimal(exact)))


def exponential(exact: Fraction) -> Fraction | None:
    """E to a power, to fifty digits; ``None`` where it is beyond all use."""
    return _exponential(exact) if isinstance(exact, Fraction | int) else exact.exponential()


def _exponential(exact: Fraction) -> Fraction | None:
    return Fraction(DIGITS.exp(decimal(exact))) if abs(exact) < MOST else None


def power(exact: Fraction, exponent: Fraction) -> Fraction:
    """A power of a number of 0 or more, to fifty digits; of 0 it is 0."""
    return _power(exact, exponent) if isinstance(exact, Fraction | int) else exact.power(exponent)


def _power(exact: Fraction, exponent: Fraction) -> Fraction:
    if exact <= 0:
        return Fraction(0)
    root = exponent == Fraction(1, 2)  # which takes a tenth of the time
    number = decimal(exact)
    return Fraction(DIGITS.sqrt(number) if root else DIGITS.power(number, decimal(exponent)))
