"""What the JSON of a diagnosis holds, beside what `Diagnosis` says itself."""

from typing import Literal, TypedDict

from lossctl.doctor.diagnosis import Diagnosis
from lossctl.schema import Member, Object, members_of


class CandidateColumn(TypedDict):
    """A column, and the roles that it could play."""

    name: str
    """What it is called."""
    kind: Literal["number", "text", "list", "other"]
    """What it holds."""
    nulls: int
    """Rows without a value."""
    distinct: int | None
    """How many different values there are; null where they are more than are kept, or lists."""
    low: float | None
    """The smallest number; null where there is none."""
    high: float | None
    """The largest number; null where there is none."""
    integers: bool | None
    """Whether all numbers are whole; null where there are none, or more different ones than are kept."""
    could_be: list[str]
    """The roles that it could play, likeliest first: label, prediction, weight, group, id."""


_MEMBERS = members_of(Diagnosis)
DIAGNOSIS = Object(
    "Diagnosis",
    "What the columns look like, which task that is, what fits, and what is suspicious.",
    {**_MEMBERS, "columns": Member(list[CandidateColumn], _MEMBERS["columns"].words)},
)
