"""What the JSON of a report holds, beside what is measured: `Result` says that itself."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from lossctl.evaluation.result import BestConstant, Gradient, Result, Sample
from lossctl.functions.parameter import Value
from lossctl.schema import Finite, Member, Object, members_of, optional, without

SAMPLE = Object("Sample", "One row among the worst.", optional(members_of(Sample), "id"))
RESULT = Object(
    "Result",
    "One loss of one model in one group.",
    {
        **optional(
            without(members_of(Result), "ci", "gradient", "best_constant", "samples"), "n_clusters", "ci_low", "ci_high"
        ),
        **optional(members_of(Gradient)),
        **optional(members_of(BestConstant)),
        "samples": Member(list[Annotated[dict[str, Any], SAMPLE]], members_of(Result)["samples"].words, required=False),
    },
    together=(("ci_low", "ci_high"), tuple(members_of(Gradient)), tuple(members_of(BestConstant))),
)
"""A result of `Report.results`: the figures of gradients and of the best constant stand beside the others."""


class Rounded(TypedDict):
    """Numbers beyond an end of what they may be by no more than rounding, which were clipped to it."""

    to: str
    """What they may be, in words."""
    rows: int
    """In how many rows."""


class Groups(TypedDict):
    """Which groups are listed, where they were sorted or cut."""

    measured: int
    """How many groups there are."""
    shown: int
    """How many of them are listed."""
    by: str
    """What they are sorted by: name, n, or the value of a loss of a model."""


class ModelFiles(TypedDict):
    """Where the predictions of a model are, that has files of its own."""

    files: list[str]
    """Their paths."""
    unmatched: int
    """Rows that the other models lack."""
    id: NotRequired[list[str]]
    """The key columns, where they are called otherwise than those of the first model."""


How = Literal["strict", "inner", "left", "order"]


class Labels(TypedDict):
    """How labels were matched with the first of several models."""

    labels: list[str]
    """The files of the labels."""
    predictions: list[str]
    """The files of the predictions."""
    id: list[str]
    """The key columns; none where rows were matched in their order."""
    labels_id: NotRequired[list[str]]
    """The key columns of the labels, where they are called otherwise."""
    how: How
    """Every key in both, keys in both, every prediction; or row by row."""
    matched: int
    """Rows that were matched."""
    unmatched_predictions: int
    """Rows of predictions without a label."""
    unmatched_labels: int
    """Rows of labels without a prediction."""


class Join(TypedDict):
    """How labels from another source, or the files of several models, were matched with the predictions."""

    how: How
    """Every key in both, keys in both, every prediction; or row by row."""
    id: list[str]
    """The key columns; none where rows were matched in their order."""
    matched: int
    """Rows that were matched."""
    labels: NotRequired[list[str] | Labels]
    """The files of the labels; of several models in a file each, how these were matched with the first."""
    predictions: NotRequired[list[str]]
    """The files of the predictions."""
    labels_id: NotRequired[list[str]]
    """The key columns of the labels, where they are called otherwise."""
    unmatched_predictions: NotRequired[int]
    """Rows of predictions without a label."""
    unmatched_labels: NotRequired[int]
    """Rows of labels without a prediction."""
    models: NotRequired[dict[str, ModelFiles]]
    """The models of files of their own, by name."""


class Inputs(TypedDict):
    """What was read: files, rows, and the columns of each role."""

    files: list[str]
    """The files; none where the data were in memory."""
    rows: int
    """Rows that were read."""
    rows_used: int
    """Rows that count, in all groups."""
    nulls: dict[str, int]
    """Rows dropped for a null, by column."""
    zero_weights: int
    """Rows dropped for a weight of 0."""
    rounded: dict[str, Rounded]
    """What was clipped, by column."""
    rows_ignored: int
    """Rows left out for their label."""
    masked: dict[str, int]
    """Labels left out of rows that count, by column; of those that need not be there."""
    ignored: dict[str, int]
    """How often each label was met that says that there is none."""
    label: list[str]
    """The label columns; none where the loss needs no label."""
    models: dict[str, list[str]]
    """The prediction columns of each model, by its name."""
    weight: str | None
    """The weight column; null where rows have none."""
    class_weight: NotRequired[dict[str, float]]
    """The weight of the rows of each class."""
    by: list[str]
    """The columns that rows are grouped by."""
    units: NotRequired[dict[str, str]]
    """In what units they are grouped, by column: a period of time, or a number of quantiles."""
    cluster: NotRequired[list[str]]
    """The columns whose values tell which rows move together."""
    cluster_buckets: NotRequired[int]
    """How many buckets clusters are hashed into; only where there are too many to keep one by one."""
    lags: NotRequired[int]
    """With how many rows before it a row moves together."""
    classes: list[str] | None
    """The names of the classes in the order of their columns; null where there are none."""
    where: NotRequired[str | None]
    """The condition that rows were chosen by; null where a limit alone chose them."""
    limit: NotRequired[int | None]
    """How many rows were taken at most; null where a condition alone chose them."""
    rows_chosen: NotRequired[int]
    """Rows that were chosen by where and limit."""
    join: NotRequired[Join]
    """What was matched, where labels or models are in files of their own."""
    groups: NotRequired[Groups]
    """Which groups are listed, where they were sorted or cut."""


class LossSettings(TypedDict):
    """A loss as it was measured."""

    loss: str
    """The loss as a user would type it, such as huber:delta=0.5."""
    parameters: dict[str, Value]
    """Every parameter with its effective value."""
    reduction: str
    """How rows become the value: mean, sum, root-mean and others."""
    columns: NotRequired[Literal["mean", "sum"]]
    """What several columns of a row come to, where that was said."""
    wrt: str
    """What gradients are with respect to: the prediction or a pre-activation."""


class Compat(TypedDict):
    """What was set so that numbers are those of another library."""

    peer: str
    """The library."""
    set: dict[str, dict[str, Any]]
    """What was set, by name, for each loss."""


class Settings(TypedDict):
    """What changes a number."""

    nulls: Literal["error", "drop"]
    """What a null comes to."""
    ignore_label: list[str]
    """Labels that say that there is none."""
    mask_null: bool
    """Whether a null label of several is left out of its row."""
    normalize_rows: bool
    """Whether each row of a vector prediction is divided by its sum."""
    clip_rounding: bool
    """Whether numbers beyond an end of what they may be by rounding are clipped to it."""
    weight_norm: NotRequired[Literal["sum", "n"]]
    """What a sum of weighted rows is divided by, where that was said."""
    columns: NotRequired[Literal["mean", "sum"]]
    """What several columns of a row come to, where that was said."""
    compat: NotRequired[Compat]
    """The library whose numbers were asked for."""
    losses: list[LossSettings]
    """Each loss, with its parameters."""
    ci: NotRequired[Finite]
    """The level of confidence intervals, where they were asked for."""


class ReportRecord(TypedDict):
    """The losses of predictions, by model and group, with what was read and how it was measured."""

    inputs: Inputs
    """What was read."""
    settings: Settings
    """What changes a number."""
    results: list[Annotated[dict[str, Any], RESULT]]
    """One for each loss, model and group, in this order."""
    overall: NotRequired[list[Annotated[dict[str, Any], RESULT]]]
    """The same of all groups together, where rows are grouped."""
    notes: list[str]
    """What was chosen without being asked for."""
    warnings: list[str]
    """What is to be looked at before the numbers are believed."""
    profile: NotRequired[dict[str, float]]
    """Seconds by phase, added up over workers, where they were asked for."""
