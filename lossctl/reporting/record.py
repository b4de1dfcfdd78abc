"""What the JSON of a page holds: that of each command that it is of, without what these say of their own form."""

from typing import Annotated, Any, TypedDict

from lossctl.comparison.record import DECIDED, REPORT, ComparisonRecord
from lossctl.doctor.record import DIAGNOSIS
from lossctl.functions.record import LOSS
from lossctl.rendering.record import CURVE, ChartsRecord
from lossctl.schema import Member, Object, members_of, object_of


class WorstRowsRecord(TypedDict):
    """The rows with the largest losses, the worst first."""

    loss: str
    """The loss by which they are the worst."""
    model: str
    """The model whose loss that is."""
    rows: list[dict[str, Any]]
    """What the file says of each by column, losses and gradients beside; of what is read once, what was measured."""


class Versions(TypedDict):
    """What a page was made with."""

    lossctl: str
    """The version of lossctl."""
    Python: str
    """That of Python."""
    NumPy: str
    """That of NumPy."""
    Arrow: str
    """That of Arrow."""


class DossierRecord(TypedDict):
    """All that is known of a file of predictions."""

    command: str
    """A command line that gives this again."""
    versions: Versions
    """What it was made with."""
    eval: Annotated[dict[str, Any], REPORT]
    """What lossctl eval tells: the losses, with skill and gradients."""
    notes: list[str]
    """What was chosen without being asked for, and what is left out."""
    warnings: list[str]
    """What may be wrong."""


_DRAWN = Member(list[str], "What is to be said of the rows that the charts are of.")
CHARTS = Object("DrawnCharts", object_of(ChartsRecord).words, {**members_of(ChartsRecord), "drawn": _DRAWN})
EXPLAINED = Object(
    "Explained",
    LOSS.words,
    {**LOSS.members, "curve": CURVE},
)
DOSSIER = Object(
    "Dossier",
    object_of(DossierRecord).words,
    {
        **members_of(DossierRecord),
        "plot": Member(Annotated[dict[str, Any], CHARTS], "What lossctl plot draws of the rows."),
        "explain": Member(list[Annotated[dict[str, Any], EXPLAINED]], "What lossctl explain says of each loss."),
        "worst_rows": Member(WorstRowsRecord, "The worst rows; not there where none were asked for.", required=False),
        "compare": Member(
            ComparisonRecord, "What lossctl compare tells; not there where no models are compared.", required=False
        ),
        "doctor": Member(
            Annotated[dict[str, Any], DIAGNOSIS],
            "What lossctl doctor finds; not there where nothing was looked for.",
            required=False,
        ),
        **DECIDED,
    },
    together=(tuple(DECIDED),),
)
"""A page, with what was decided where a limit was given on the command line."""
