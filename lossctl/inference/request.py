"""What somebody asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from lossctl.dataclass import dataclass
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.reading.columns import Column
from lossctl.reading.format import Source
from lossctl.reduction import OverColumns, WeightNorm

Settings = tuple[tuple[str, str | bool | float], ...]
"""Names of options with their values, in an order."""

Nulls = Literal["error", "drop"]
"""What to do with rows that have a null."""
ClassWeight = str | Sequence[float] | Mapping[str | int, float]
"""Weights as somebody says them: by class, or in the order of the classes; in text ``cat=2,dog=0.5`` or ``2,0.5``."""


@dataclass(frozen=True)
class Request:
    """What somebody asked for, in words; see `lossctl.evaluate` for what each means."""

    loss: Sequence[str | BoundLoss]
    label: Sequence[str] = ()
    prediction: Sequence[str] = ()
    models: Sequence[str] = ()
    """What each model is called, whatever its pattern says; told from the patterns where left out."""
    weight: str | None = None
    by: Sequence[str] = ()
    classes: Sequence[str] = ()
    activation: str | BoundActivation | None = None
    from_logits: bool = False
    reduction: str | None = None
    weight_norm: WeightNorm | None = None
    columns: OverColumns | None = None
    class_weight: ClassWeight | None = None
    compat: str | None = None
    eps: float | None = None
    normalize_rows: bool = False
    clip_rounding: bool = False
    gradient: bool = False
    samples: int = 0
    skill: bool = False
    nulls: Nulls = "error"
    ignore_label: Sequence[str] = ()
    mask_null: bool = False
    where: str | None = None
    limit: int | None = None
    cluster: Sequence[str] = ()
    ids: Sequence[str] = ()
    """What identifies a row, where rows are to be told apart later: then clusters are in few buckets from the start."""
    lags: int = 0
    """How many of the rows before it each row moves with."""
    paired: bool = False
    """Whether models are compared with the first, row by row."""
    moved: int = 0
    """How many of the rows that moved most to keep, each way, where models are compared."""
    judged: bool = False
    """Whether it is asked how sure values are beyond their standard errors."""
    drawn: bool = False
    """Whether the differences of rows are to be drawn."""


@dataclass(frozen=True)
class Completed:
    """A request that leaves nothing out, and what was taken for it."""

    request: Request
    notes: tuple[str, ...] = ()
    """What was taken, and why."""


@dataclass(frozen=True)
class Elsewhere:
    """Labels that stand in another data set than the predictions."""

    labels: Source
    keys: tuple[str, ...]
    """The columns by which rows are matched, as the predictions call them; none where they are by their order."""
    label_keys: tuple[str, ...]
    """Likewise, as the labels do."""
    matched: Callable[[Request], tuple[Source, Request]]
    """The rows of both for a request that names its columns, and the request as these are called there."""
    columns: tuple[Column, ...]
    """Those of the labels, and again, where the predictions have one of that name, as they are called beside it."""
