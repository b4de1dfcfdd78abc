"""What the JSON of comparisons, of gates and of baselines holds, beside what their classes say themselves."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from lossctl.comparison.difference import Difference, Verdict
from lossctl.comparison.gate import FailIf, Kind, OnInconclusive, PassIf, State
from lossctl.evaluation.record import Inputs, ReportRecord, Settings
from lossctl.rendering.record import CHART
from lossctl.schema import Finite, Member, Object, members_of, object_of, optional, without

DIFFERENCE = Object(
    "Difference",
    "One loss of a model beside that of the baseline, on the same rows.",
    optional(without(members_of(Difference), "estimate"), "samples"),
)
COMPARED = Object(
    "ComparisonSettings",
    "What changes a number.",
    {**members_of(Settings), "ci": Member(Finite, "The level of the confidence intervals.")},
)


class ComparisonRecord(TypedDict):
    """How the losses of models differ from those of the first, on the same rows."""

    verdict: Verdict
    """The least good of the verdicts, of all rows where there are groups."""
    exit_code: Literal[0]
    """The exit status: a difference is no failure."""
    inputs: Inputs
    """What was read."""
    settings: Annotated[dict[str, Any], COMPARED]
    """What changes a number."""
    results: list[Annotated[dict[str, Any], DIFFERENCE]]
    """One for each loss, model and group, in this order."""
    overall: NotRequired[list[Annotated[dict[str, Any], DIFFERENCE]]]
    """The same of all groups together, where rows are grouped."""
    sentences: list[str]
    """What was found, to be read aloud: one sentence for each loss and model."""
    charts: NotRequired[list[Annotated[dict[str, Any], CHART]]]
    """A picture for each loss and model, where they were asked for."""
    notes: list[str]
    """What was chosen without being asked for."""
    warnings: list[str]
    """What is to be looked at before the numbers are believed."""


class GateVerdict(TypedDict):
    """What was decided of a gate for one model and group, and why."""

    name: str
    """What the gate is called; empty of a limit that was given on the command line."""
    verdict: State
    """What came of it; info where it is told what was measured and nothing is decided."""
    exit_code: Literal[0, 1, 3, 4]
    """The exit status that it asks for: 0, 1 failed, 3 not measured, 4 inconclusive where that must not be."""
    file: str | None
    """The predictions; null where they are in several files, in memory, or those of the command."""
    kind: Kind
    """What it claims."""
    limit: float
    """What the loss, its increase, the skill or the number of rows is held against; of percent a part of 1."""
    percent: bool
    """Whether the limit is a part of the baseline."""
    fail_if: FailIf
    """Whether it fails only where that is proven, or by the number alone."""
    pass_if: PassIf
    """Whether it passes wherever it does not fail, or only where that is proven."""
    on_inconclusive: OnInconclusive
    """What it counts as where it is neither."""
    confidence: Finite
    """Of the bounds, which are of one side."""
    adjusted_confidence: Finite
    """That of the bound that decides whether it fails, as one of several gates."""
    p: float | None
    """How likely a value as large is by chance where the claim is true; null where nobody knows."""
    reason: str
    """Why it is inconclusive or an error; empty where it is not."""
    line: str
    """The verdict in one line, with the inequality in full."""
    loss: str | None
    """The loss as a user would type it; null where it is not known which was meant."""
    model: str | None
    """The model; null where it is not known which was meant."""
    group: dict[str, str | None]
    """The values of the group-by columns; empty without them."""
    n: NotRequired[int]
    """Rows measured."""
    clusters: NotRequired[int | None]
    """How many clusters they are of; null where rows move by themselves, or are in buckets."""
    buckets: NotRequired[int]
    """How many buckets of a baseline they are in."""
    value: NotRequired[float]
    """The loss of the model."""
    baseline: NotRequired[float | None]
    """The loss of the baseline, where one is needed."""
    constant_loss: NotRequired[float | None]
    """The loss of the best constant, where it is needed."""
    claim: NotRequired[float]
    """The left side of the claim, which is that it is at most claim_limit."""
    claim_limit: NotRequired[float]
    """The right side of the claim."""
    standard_error: NotRequired[float]
    """That of the left side."""
    lower: NotRequired[float]
    """What the left side is at least, at the adjusted confidence."""
    upper: NotRequired[float]
    """What the left side is at most, at the confidence."""
    top_share: NotRequired[float]
    """The largest part of the sum of squares that one row or cluster carries, of 1."""


GATE = object_of(
    GateVerdict,
    together=(
        ("n", "clusters", "value", "baseline", "constant_loss"),
        ("claim", "claim_limit", "standard_error", "lower", "upper", "top_share"),
    ),
)


class Decisions(TypedDict):
    """What was decided of all gates."""

    verdict: Literal["error", "fail", "inconclusive", "pass"]
    """The worst of the verdicts."""
    exit_code: Literal[0, 1, 3, 4]
    """The exit status: 3 where something could not be measured, else 1 where a gate failed, else 4, else 0."""
    gates: list[Annotated[dict[str, Any], GATE]]
    """What was decided of each gate, for each model and group."""
    overall: NotRequired[list[Annotated[dict[str, Any], GATE]]]
    """What was measured of all rows together where a gate is about groups; nothing is decided of that."""
    notes: list[str]
    """What was chosen without being asked for."""
    warnings: list[str]
    """What is to be looked at before the verdicts are believed."""


DECIDED = optional(without(members_of(Decisions), "overall", "notes", "warnings"))
"""What was decided where a limit was given on the command line: all of it or nothing."""
REPORT = Object(
    "ReportRecord",
    object_of(ReportRecord).words,
    {**members_of(ReportRecord), **DECIDED},
    together=(tuple(DECIDED),),
)
"""A report, with what was decided where a limit was given on the command line."""


class BaselineInputs(TypedDict):
    """Files, rows, and the columns of each role but the predictions."""

    files: list[str]
    """The files that it was made from."""
    rows: int
    """Rows that were read."""
    rows_used: int
    """Rows that count, in all groups."""
    by: list[str]
    """The columns that rows are grouped by."""
    label: list[str]
    """The label columns."""
    weight: str | None
    """The weight column; null where rows have none."""
    class_weight: NotRequired[dict[str, float] | None]
    """The weight of the rows of each class; null, or not there, where they have none."""
    cluster: list[str]
    """The columns that tell the buckets: those of clusters, or of ids."""
    classes: list[str] | None
    """The names of the classes in the order of their columns; null where there are none."""
    where: str | None
    """The condition that rows were chosen by; null where all were taken."""
    limit: int | None
    """How many rows were taken at most; null where all were."""
    id: list[str]
    """The columns that identify a row."""


class BaselineGroup(TypedDict):
    """The buckets of rows of one group, which are those of all its results."""

    group: dict[str, str | None]
    """The values of the group-by columns; empty for all rows together."""
    bucket: list[int]
    """The buckets that hold rows, ascending, from 0 to 1023."""
    n: list[int]
    """Rows in each of them."""
    marks: list[str]
    """The sum of the hashes of the ids of each, in hexadecimal: whether they are still the same rows."""


class BaselineResult(TypedDict):
    """The exact sums of one loss of one model in one group; hexadecimal numbers as C writes them, or as NpM, N/2^M."""

    loss: str
    """The loss as a user would type it."""
    reduction: str
    """How rows become the value."""
    wrt: str
    """What gradients are with respect to."""
    model: str
    """The model."""
    group: int
    """Its place among the groups, from 0."""
    value: str
    """The value, rounded for people."""
    sum_weight: str
    """Σw, exact."""
    sum_value: str
    """Σwℓ, exact."""
    bucket_values: list[str]
    """Σwℓ of each bucket."""
    bucket_weights: list[str] | None
    """Σw of each bucket; null where rows have no weights."""
    sums_beside: NotRequired[list[str]]
    """The sums of what the loss gives each row beside its value, exact."""
    spans: NotRequired[list[str]]
    """The largest of each of these."""
    bucket_values_beside: NotRequired[list[list[str]]]
    """The sums of these in each bucket."""


BASELINE_RESULT = object_of(BaselineResult, together=(("sums_beside", "spans", "bucket_values_beside"),))
KEPT = Object("BaselineSettings", "What changes a number.", without(members_of(Settings), "losses", "ci"))


class BaselineRecord(TypedDict):
    """What an earlier model came to, without its predictions: the file that a later one is held against."""

    kind: Literal["lossctl baseline"]
    """What the file is."""
    inputs: BaselineInputs
    """What was read."""
    settings: Annotated[dict[str, Any], KEPT]
    """What changes a number."""
    groups: list[BaselineGroup]
    """The groups, and in which buckets their rows are."""
    results: list[Annotated[dict[str, Any], BASELINE_RESULT]]
    """What was kept of each loss, model and group."""


class BaselineLine(TypedDict):
    """One result of a baseline; beside these fields those of the group, by column."""

    loss: str
    """The loss as a user would type it."""
    model: str
    """The model."""
    n: int
    """Rows measured."""
    buckets: int
    """How many buckets they are in."""
    value: float
    """The value."""
    standard_error: float
    """That of the value."""


BASELINE_LINE = object_of(BaselineLine, others=str | None)
