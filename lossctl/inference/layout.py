"""How the columns of each role are read: decided once a data set."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from lossctl.dataclass import dataclass
from lossctl.inference.roles import Model, Roles
from lossctl.reading.format import Wanted
from lossctl.reading.missing import as_number

ClassLabels = Literal["codes", "numbers", "text"]
"""How a label column says a class: by code 0 to k-1, by a name that is a number, or by a name."""


@dataclass(frozen=True)
class Layout:
    """Which columns hold what, and how they are read."""

    roles: Roles
    """The columns by role; models know their widths."""
    label_width: int
    """How many numbers a label has; 0 for a plain number or a class."""
    classes: tuple[str, ...] | None
    """The names of the classes in the order of their codes, and of the columns of a vector prediction."""
    class_labels: ClassLabels
    ids: tuple[str, ...] = ()
    """Columns that identify a row, where they are to be read."""
    unread: frozenset[str] = frozenset()
    """Models whose columns hold text, of which nothing is read."""
    unread_text: str = ""
    """What stands in the first of these."""
    worded: bool = False
    """Whether these hold words alone, as far as was looked, which may be decisions."""
    ignored: tuple[str, ...] = ()
    """Labels that say that there is none: numbers, or names of no class."""
    mask_null: bool = False
    """Whether a null among the numbers of a label is left out of its row, which counts all the same."""
    numbers: bool = False
    """Whether labels are numbers, also beside vectors: none of a class."""
    decided: bool = False
    """Whether predictions are classes as the labels are, words or codes, so that each is right or wrong."""

    @property
    def models(self) -> tuple[Model, ...]:
        """The models, with their widths."""
        return self.roles.models

    @property
    def vectors(self) -> bool:
        """Whether some prediction is a vector."""
        return any(model.width for model in self.models)

    @property
    def ragged(self) -> bool:
        """Whether lists of predictions may have any length, since no label says what their numbers are of."""
        return not self.roles.label

    @property
    def masked(self) -> bool:
        """Whether a row may have numbers for some of its labels only."""
        return bool(self.label_width) and (self.mask_null or bool(self.ignored))

    @property
    def text(self) -> bool:
        """Whether the labels are words."""
        return self.class_labels == "text"

    def width_of(self, column: str) -> int:
        """How many numbers the role of a column has."""
        if column == self.roles.weight:
            return 0
        return next((model.width for model in self.models if column in model.columns), self.label_width)

    def wanted(self, *, others: bool = False) -> Wanted:
        """The columns to read: as text the names of classes, ids, groups and clusters that are no numbers otherwise."""
        roles = self.roles
        bare = replace(roles, by=(), cluster=(), ids=())
        numbers = {*bare.needed, *(grouping.column for grouping in roles.by if grouping.quantiles)}
        groups = {*(grouping.column for grouping in (*roles.by, *roles.cluster)), *roles.ids} - numbers
        texts = groups | {*self.ids} | ({*roles.label} if self.text or words_among(self.ignored) else set())
        texts |= {name for model in self.models for name in model.columns} if self.decided and self.text else set()
        unread = {name for model in self.models if model.name in self.unread for name in model.columns}
        grouped = {grouping.column for grouping in roles.by if not grouping.unit}
        coded = frozenset() if others else frozenset(grouped - {*bare.needed, *roles.ids, *self.ids})
        return Wanted(
            frozenset(roles.needed) - texts - unread, frozenset(texts), others, whole=roles.objects, coded=coded
        )


def words_among(labels: Sequence[str]) -> bool:
    """Whether some labels are words, so that a column of numbers that has them is one of text."""
    return any(as_number(label) is None for label in labels)
