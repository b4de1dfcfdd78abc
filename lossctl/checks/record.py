"""What the JSON of a check of gradients holds, beside what `Point` and `Agreement` say themselves."""

from typing import Annotated, Any, TypedDict

from lossctl.checks.differences import Agreement, Point
from lossctl.schema import Finite, Member, Object, members_of, without

WORST = Object(
    "WorstNumber",
    "One number of a prediction, with its gradient as stated and as differences find it.",
    {
        "file": Member(str, "The file it is in, of those that were checked.", required=False),
        "row": Member(int | None, "Its row in that file, from 1; null where points were drawn."),
        **without(members_of(Point), "row"),
    },
)
_COUNTS = members_of(Agreement)


class Form(TypedDict):
    """One thing that was checked: a loss on predictions or through an activation, or an activation."""

    name: str
    """As a user would type it."""
    model: str | None
    """The model whose rows it was checked at; null where points were drawn."""
    wrt: str
    """What the gradient is with respect to: the prediction or a pre-activation."""
    passed: bool
    """Whether nothing is wrong with it."""
    faults: list[str]
    """What else than the gradient is wrong with it."""
    error: float
    """The largest relative error of a gradient."""


FORM = Object(
    "Form",
    Form.__doc__ or "",
    {
        **members_of(Form),
        **{name: _COUNTS[name] for name in ("compared", "kinks", "unresolved", "wrong")},
        "worst": Member(list[Annotated[dict[str, Any], WORST]], _COUNTS["worst"].words),
    },
)


class OutcomeRecord(TypedDict):
    """A loss or an activation held against its contract."""

    name: str
    """Its name."""
    passed: bool
    """Whether nothing is wrong with any form."""
    tolerance: Finite
    """The relative error from which a gradient is wrong."""
    checks: list[Annotated[dict[str, Any], FORM]]
    """What was checked, a form each."""
