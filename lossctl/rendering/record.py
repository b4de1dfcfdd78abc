"""What the JSON of charts holds, beside what `Chart` and its parts say themselves."""

from typing import Annotated, Any, NotRequired, TypedDict

from lossctl.document import Chart
from lossctl.schema import Member, Object, members_of, without

CHART = Object(
    "Chart",
    "Panels that belong together. A number that is not finite is null there, and not named.",
    without(members_of(Chart), "subject"),
)


CURVE = Member(Annotated[dict[str, Any], CHART], "Its shape and its slope.")
"""What an explanation has beside its facts."""


class ChartsRecord(TypedDict):
    """What is drawn: shapes of losses and activations, or what a file of predictions looks like."""

    charts: list[Annotated[dict[str, Any], CHART]]
    """The charts, one below the other."""


class ChartPoint(TypedDict):
    """A point of a chart, the edge of a bar or of a cell."""

    chart: str
    """The title of the chart."""
    panel: str
    """That of the panel, or of its upright axis."""
    series: str
    """The name of the series."""
    x: float
    """Where it is."""
    y: float
    """How high; of a bar, the rows in it."""
    rows: NotRequired[int]
    """Of a cell, the rows in it."""
