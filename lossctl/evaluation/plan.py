"""What is decided once about a data set, before its rows are read."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lossctl.dataclass import dataclass
from lossctl.domain import Domain
from lossctl.evaluation.group_keys import Group
from lossctl.functions.bound_loss import BoundLoss
from lossctl.inference.grouping import Grouping
from lossctl.inference.layout import Layout
from lossctl.inference.request import Nulls
from lossctl.inference.roles import Roles

if TYPE_CHECKING:
    from lossctl.sums.evidence import Measure


@dataclass(frozen=True)
class PlannedModel:
    """A model, and the losses it is measured with."""

    name: str
    columns: tuple[str, ...]
    width: int
    """How many numbers a prediction has; 0 for a plain number."""
    losses: tuple[BoundLoss, ...]
    factor: float = 1.0
    """What the losses of rows are multiplied with."""


@dataclass(frozen=True)
class Plan:
    """What is to be read, and what is to be measured of it."""

    layout: Layout
    models: tuple[PlannedModel, ...]
    nulls: Nulls
    normalize_rows: bool = False
    clip_rounding: bool = False
    class_weights: tuple[tuple[str, float], ...] = ()
    """What the weight of a row is multiplied with by the class of its label, in the order of the codes."""
    conventions: tuple[tuple[str, Any], ...] = ()
    """What was asked for of how numbers are made that is no parameter of a loss, for the settings of a report."""
    gradient: bool = False
    samples: int = 0
    skill: bool = False
    paired: bool = False
    """Whether models are compared with the first, row by row."""
    held: bool = False
    """Whether every second model is held against the one before it, row by row; each has one loss then."""
    lags: int = 0
    """How many of the rows before it each row moves with, in the differences of models."""
    moved: int = 0
    """How many of the rows that moved most to keep, each way, where models are compared."""
    judged: bool = False
    """Whether it is asked how sure values are beyond their standard errors."""
    drawn: bool = False
    """Whether the differences of rows are to be drawn."""
    slopes: tuple[Mapping[Group, tuple[float, ...]], ...] = ()
    """By place among `losses` and group, ``()`` for all of them, what the slopes of a reduction by further numbers of
    rows are of its first, where these numbers move with predictions: known after a pass."""
    doubts: tuple[str, ...] = ()
    """Why what was asked for may not be what was meant."""
    null_numbers: tuple[str, ...] = ()
    """Numbers that mean a missing one in every column, because somebody says so."""

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.roles.weight is not None or bool(self.class_weights)

    @property
    def roles(self) -> Roles:
        """The columns by role."""
        return self.layout.roles

    def grouped_by(self, by: tuple[Grouping, ...], notes: tuple[str, ...]) -> "Plan":
        """The same plan with other groups, and other notes."""
        return replace(self, layout=replace(self.layout, roles=replace(self.roles, by=by, notes=notes)))

    @property
    def losses(self) -> tuple[tuple[PlannedModel, BoundLoss], ...]:
        """Every loss with its model, in the order in which their sums stand."""
        return tuple((model, bound) for model in self.models for bound in model.losses)

    @property
    def places(self) -> tuple[tuple[int, BoundLoss], ...]:
        """Likewise, every loss with the index of its model."""
        return tuple((index, bound) for index, model in enumerate(self.models) for bound in model.losses)

    @cached_property
    def domains(self) -> tuple[tuple[tuple[bool, Domain], ...], ...]:
        """For each of `losses` the domains of its labels (``True``) and predictions, each of each column once."""
        seen: set[tuple[str, Domain]] = set()
        sides: list[tuple[tuple[bool, Domain], ...]] = []
        for model, bound in self.losses:
            label = (",".join(self.roles.label), bound.label_domain.for_width(model.width or 1))
            own = []
            for of_labels, side in ((True, label), (False, (model.name, bound.prediction_domain))):
                if side not in seen:
                    own.append((of_labels, side[1]))
                seen.add(side)
            sides.append(tuple(own))
        return tuple(sides)

    @property
    def measures(self) -> "tuple[Measure, ...]":
        """What is known beforehand of how each of `losses` is measured."""
        from lossctl.sums.evidence import Measure

        weighted, grouped = self.weighted, bool(self.roles.by)
        return tuple(
            Measure(bound.reduced, bound.over_cells, weighted or bound.over_cells, self.lags, grouped)
            for _, bound in self.losses
        )

    @property
    def single(self) -> bool:
        """Whether it is asked how sure each value is by itself, where rows move by themselves."""
        return self.judged and not self.roles.cluster

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The places among `losses` of what is compared: those of the first model with the same of each other."""
        if self.held:
            return tuple((place, place + 1) for place in range(0, len(self.losses), 2))
        if not self.paired:
            return ()
        count = len(self.models[0].losses)
        return tuple((place % count, place) for place in range(count, len(self.losses)))
