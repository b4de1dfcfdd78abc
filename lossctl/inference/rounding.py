"""What rounding put beyond the end of what it may be: a probability of 1.0000000000000002."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, Domain, FloatArray
from lossctl.errors import option
from lossctl.reading.storage import contents, is_list
from lossctl.row_domains import SIMPLEX_ERROR
from lossctl.sums.problems import Key, Problem, Problems
from lossctl.words import counted

ULPS = 4
"""How far beyond 1, in units of its last place, a number may be by rounding."""

LAST_PLACES = {pa.float16(): 2.0**-10, pa.float32(): 2.0**-23}
"""Of 1, in types shorter than a double."""

NEAR = SIMPLEX_ERROR
"""How far beyond an end a number hardly is a score before an activation."""

ROUNDING, NEARLY = "by rounding", "nearly"
"""Kinds of problems: rows of an error that are near enough."""


@dataclass(frozen=True)
class Ends:
    """The least and the largest number that a column may hold; infinite where it has none."""

    low: float
    high: float

    def describe(self) -> str:
        opening = "(" if np.isinf(self.low) else "["
        return f"{opening}{self.low:g}, {self.high:g}{')' if np.isinf(self.high) else ']'}"

    def clip(self, values: FloatArray, slack: FloatArray | float) -> tuple[FloatArray, BoolArray | None]:
        """Numbers ``(n,)`` or ``(n, k)`` with those a little beyond an end at it, and the rows of these.

        Args:
            values: the numbers.
            slack: how far beyond an end of 1 or less, for all of them or by column; of a larger end in proportion.
        """
        if not values.size or (values.min() >= self.low and values.max() <= self.high):
            return values, None
        below = (values < self.low) & (values >= self.low - slack * max(1.0, abs(self.low)))
        above = (values > self.high) & (values <= self.high + slack * max(1.0, abs(self.high)))
        beyond = below | above
        if not beyond.any():
            return values, None
        clipped = values.copy(order="A")
        clipped[below], clipped[above] = self.low, self.high
        return clipped, beyond if beyond.ndim == 1 else np.asarray(beyond.any(axis=1))


def ends_of(domains: Sequence[Domain], dimensions: int) -> Ends | None:
    """The ends that belong to the domains of some losses; ``None`` where they have none.

    Args:
        domains: the domains that the numbers must lie in.
        dimensions: how many the array of them has.
    """
    closed = [domain.closed(dimensions) for domain in domains]
    ends = Ends(max(low for low, _ in closed), min(high for _, high in closed))
    return None if np.isinf(ends.low) and np.isinf(ends.high) else ends


def slack_of(record: pa.RecordBatch, columns: Sequence[str]) -> FloatArray:
    """How far rounding may carry the numbers of some columns beyond 1: by their types, ``(k,)``.

    Text has no type of its own, and is read as doubles.
    """
    return np.array([ULPS * LAST_PLACES.get(_number(record.column(name).type), 2.0**-52) for name in columns])


def _number(kind: pa.DataType) -> pa.DataType:
    kind = contents(kind)
    return _number(kind.value_type) if is_list(kind) else kind


def closeness(key: Key, domain: Domain, numbers: FloatArray, slack: FloatArray) -> dict[Key, Problem]:
    """How many of the rows of an error are beyond the ends of a domain by rounding, and how many by little.

    Args:
        key: of the error.
        domain: what was not kept to.
        numbers: ``(n,)`` or ``(n, k)``.
        slack: what is rounding, by column.
    """
    ends, bad = ends_of([domain], numbers.ndim), domain.illegal(numbers)
    problems: dict[Key, Problem] = {}
    if ends is None or bad is None:
        return problems
    for kind, reach in ((ROUNDING, slack), (NEARLY, np.maximum(slack, NEAR))):
        still = domain.illegal(ends.clip(numbers, reach)[0])
        mended = bad if still is None else bad & ~still
        if mended.any():
            problems[kind, *key[1:]] = Problem(int(mended.sum()), int(mended.argmax()), "row" * domain.rows)
    return problems


def advice(problems: Problems, column: str, what: str) -> str:
    """What to do about numbers of which each misses its domain by rounding, or by too little for a score; else nothing.

    Args:
        problems: everything that was met.
        column, what: of the error.
    """
    met = problems.by_key
    count = {kind: met[key].count for kind in (ROUNDING, NEARLY) if (key := (kind, column, what)) in met}
    every = met["error", column, what].count
    if count.get(ROUNDING) == every:
        return f"That is rounding: {option(clip_rounding=True)} takes such numbers for the end, and counts them."
    if count.get(NEARLY) == every:
        rescaled = f", or rescale rows without a negative number by {option(normalize_rows=True)}"
        return (
            "That is more than rounding (text counts as doubles), and less than a score before an activation: clip it "
            f"where it is made{rescaled if met[NEARLY, column, what].value else ''}."
        )
    return ""


def said(problems: Problems) -> Iterator[str]:
    """What was clipped, in words."""
    for column, ends, problem in problems.of("rounded"):
        yield f"{counted(problem.count, 'row')} of {column!r} clipped to {ends}"
