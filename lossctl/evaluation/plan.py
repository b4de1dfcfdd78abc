"""What is decided once about a data set, before its rows are read."""

from dataclasses import dataclass, replace
from typing import Literal

from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.request import Nulls
from lossctl.inference.roles import Roles


@dataclass(frozen=True)
class Plan:
    """What is decided once about a data set, before its rows are read."""

    roles: Roles
    widths: tuple[int, ...]
    """For each model, the number of numbers in a prediction; 0 for a scalar one."""
    label_width: int
    losses: tuple[tuple[BoundLoss, ...], ...]
    """The losses of each model."""
    classes: tuple[str, ...] | None
    """The names of the classes in the order of their codes."""
    class_labels: Literal["codes", "numbers", "text"]
    """How the label column says a class: by code 0 to k-1, by a name that is a number, or by a name."""
    nulls: Nulls
    normalize_rows: bool = False
    gradient: bool = False
    samples: int = 0
    skill: bool = False
    doubts: tuple[str, ...] = ()
    """Why what was asked for may not be what was meant."""

    @property
    def text_columns(self) -> frozenset[str]:
        """Columns to be read as text: class names, and groups that have no other role."""
        names = set(self.roles.label) if self.class_labels == "text" else set()
        groups = replace(self.roles, by=()).needed
        return frozenset(names | {name for name in self.roles.by if name not in groups})
