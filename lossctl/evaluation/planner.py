"""What is decided once about a data set, before its rows are read: columns, widths, classes, losses.

Only names, types and, where those do not tell, the first batch are looked at. Nothing is decided again later.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal

import pyarrow as pa

from lossctl.domain import BINARY, PROBABILITY, SIMPLEX
from lossctl.errors import DataError, UsageError
from lossctl.evaluation.plan import Plan
from lossctl.functions.activation import get_activation
from lossctl.functions.bound_loss import BoundLoss, get_loss
from lossctl.functions.definition import split_specs
from lossctl.functions.pairing import doubts
from lossctl.inference.classes import class_names, match_classes
from lossctl.inference.request import Request
from lossctl.inference.roles import Model, Roles, choose
from lossctl.reading.cells import BadRow, class_number, kind_of, scalar_column
from lossctl.reading.format import Source, Wanted


class Planner:
    """Decides, one question after the other."""

    def __init__(self, source: Source, request: Request) -> None:
        self.source, self.request = source, request
        self.kinds = {column.name: column.kind for column in source.columns}
        self.notes: list[str] = []

    @cached_property
    def roles(self) -> Roles:
        """The columns as asked for; the order of classes may still change that of a prediction's columns."""
        asked = self.request
        return choose(
            self.source.columns, label=asked.label, prediction=asked.prediction, weight=asked.weight, by=asked.by
        )

    @cached_property
    def head(self) -> pa.RecordBatch:
        """The first batch that has rows."""
        texts = {name for name in self.roles.needed if self.kinds[name] == "text"}
        wanted = Wanted(frozenset(self.roles.needed) - texts, frozenset(texts))
        for shard in self.source.shards():
            try:
                for batch in shard.read(wanted):
                    if batch.num_rows:
                        return batch
            except BadRow as bad:
                raise DataError(f"{shard.file}: row {bad.row + 1}: {bad.what}", bad.hint) from None
        raise DataError(f"{' '.join(self.source.files) or 'the table'}: no data rows")

    def width(self, columns: Sequence[str]) -> int:
        """How many numbers a row of these columns holds; 0 for a plain number."""
        if len(columns) > 1:
            return len(columns)
        if self.kinds[columns[0]] != "list":
            return 0
        import pyarrow.compute as pc

        lengths = pc.list_value_length(self.head.column(columns[0])).drop_null()
        if not len(lengths):
            raise DataError(f"column {columns[0]!r}: the first {self.head.num_rows} rows are all null")
        if lengths[0].as_py() == 0:
            raise DataError(f"column {columns[0]!r}: the list of the first row is empty")
        return int(lengths[0].as_py())

    def losses(self, width: int) -> tuple[BoundLoss, ...]:
        """The losses of a model of that width, with everything asked for applied."""
        asked = self.request
        chosen = [get_loss(spec, columns=width or 1) for spec in asked.loss or self.suitable()]
        if asked.reduction is not None:
            chosen = [bound.under(asked.reduction) for bound in chosen]
        if asked.from_logits and asked.activation is not None:
            raise UsageError("--from-logits and --activation say the same thing twice", "Give one.")
        if asked.from_logits:
            chosen = [bound.from_logits() for bound in chosen]
        elif asked.activation is not None:
            chosen = [bound.through(get_activation(asked.activation)) for bound in chosen]
        if asked.eps is not None:
            if not any("eps" in bound.parameters for bound in chosen):
                raise UsageError("--eps: none of the losses takes a logarithm of a probability")
            chosen = [bound.flooring(asked.eps) if "eps" in bound.parameters else bound for bound in chosen]
        return tuple(dict.fromkeys(chosen))

    def suitable(self) -> list[str]:
        """The losses that fit the columns, for somebody who names none."""
        roles, head = self.roles, self.head
        widths = [self.width(model.columns) for model in roles.models]
        if self.kinds[roles.label[0]] == "text" or (all(widths) and len(roles.label) == 1):
            picked, why = ["cross_entropy" if all(widths) else "bce"], "the labels are classes"
        elif not any(widths) and all(
            self._all_in(head, name, domain)
            for names, domain in (
                (roles.label, BINARY),
                (tuple(name for model in roles.models for name in model.columns), PROBABILITY),
            )
            for name in names
        ):
            picked, why = ["bce"], "the labels are 0 and 1 and the predictions probabilities"
        else:
            picked, why = ["mse", "mae", "huber"], "the labels are numbers"
        self.notes.append(f"loss: {', '.join(picked)}, chosen because {why}")
        return picked

    @staticmethod
    def _all_in(head: pa.RecordBatch, name: str, domain: object) -> bool:
        if kind_of(head.column(name).type) != "number":
            return False
        values, null = scalar_column(head.column(name))
        known = values if null is None else values[~null]
        return bool(len(known)) and domain.illegal(known) is None  # type: ignore[attr-defined]  # a Domain

    def class_order(self, model: Model, width: int) -> tuple[Model, tuple[str, ...] | None]:
        """The model with its columns in the order of the classes, and the classes."""
        asked = tuple(self.request.classes)
        if not asked:
            return model, self._names_that_fit(class_names(model.columns))
        if len(asked) != (width or 2):
            raise UsageError(f"--classes names {len(asked)} classes, but {model.name!r} has {width or 2}")
        if len(set(asked)) < len(asked):
            raise UsageError("--classes names a class twice")
        if len(model.columns) > 1:
            matched = match_classes(asked, model.columns)
            if matched is None:
                pairs = ", ".join(f"{column} = {name}" for column, name in zip(model.columns, asked, strict=True))
                self.notes.append(f"classes by position, no column is named for one: {pairs}")
            else:
                model = Model(model.name, matched)
        return model, asked

    def _names_that_fit(self, choices: list[tuple[str, ...]]) -> tuple[str, ...] | None:
        """The reading of the columns' names that the labels of the first rows agree with, else the shortest."""
        import pyarrow.compute as pc

        label = self.roles.label
        if len(choices) > 1 and len(label) == 1 and self.kinds[label[0]] == "text":
            met = {str(word) for word in pc.unique(self.head.column(label[0])).to_pylist() if word}
            choices = [names for names in choices if met <= set(names)] or choices
        return choices[0] if choices else None

    def class_labels(self, classes: tuple[str, ...] | None, *, rows: bool) -> Literal["codes", "numbers", "text"]:
        """How the label column says a class."""
        label = self.roles.label
        if len(label) == 1 and self.kinds[label[0]] == "text":
            if classes is not None:
                return "text"
            if rows:
                raise UsageError(
                    f"label column {label[0]!r} holds text", "Name the classes in order: --classes no,yes."
                )
            return "codes"  # if it is text indeed, its first row says so
        if classes is None or len(label) != 1 or self.kinds[label[0]] != "number":
            return "codes"
        numbers = all(class_number(name) is not None for name in classes)
        if numbers and [class_number(name) for name in classes] != list(range(len(classes))):
            return "numbers"
        if not numbers:
            listed = ", ".join(f"{code} = {name}" for code, name in enumerate(classes[:8]))
            self.notes.append(f"classes: {listed}{', …' if len(classes) > 8 else ''}")
        return "codes"

    @staticmethod
    def check_normalizing(losses: tuple[tuple[BoundLoss, ...], ...]) -> None:
        """Rows may be normalised only where every loss wants rows of probabilities."""
        for bound in (bound for chosen in losses for bound in chosen):
            if bound.prediction_domain != SIMPLEX:
                hint = "It is for losses of rows of probabilities, without an activation."
                raise UsageError(f"--normalize-rows: {bound.name} does not take rows of probabilities here", hint)

    def aligned(self, roles: Roles) -> Roles:
        """The roles with the columns of vector labels and predictions in one order, where their names tell it."""
        names = list(self.request.classes) or list((class_names(roles.label) or [()])[0])
        label = match_classes(names, roles.label) if self.request.classes else roles.label
        models = []
        for model in roles.models:
            by_name = [found for found in class_names(model.columns) if set(found) == set(names)]
            if self.request.classes:
                columns = match_classes(names, model.columns) or model.columns
            elif by_name:
                columns = tuple(model.columns[by_name[0].index(name)] for name in names)
            else:
                columns = model.columns
            if columns != model.columns:
                self.notes.append(f"{model.name}: columns in the order of the labels: {', '.join(columns)}")
            models.append(Model(model.name, columns))
        return replace(roles, label=label or roles.label, models=tuple(models))

    def agreed(self, roles: Roles, widths: Sequence[int]) -> tuple[Roles, tuple[str, ...] | None]:
        """The roles with the columns of every model in one order of the classes, and the classes.

        Raises:
            UsageError: two models have different classes.
        """
        ordered = [self.class_order(model, width) for model, width in zip(roles.models, widths, strict=True)]
        classes = ordered[0][1]
        models = []
        for model, names in ordered:
            if names != classes and names is not None and classes is not None:
                if set(names) != set(classes):
                    raise UsageError(
                        f"models {ordered[0][0].name!r} and {model.name!r} have different classes: "
                        f"{', '.join(classes)} and {', '.join(names)}",
                        "Name the classes: --classes a,b,c.",
                    )
                by_class = dict(zip(names, model.columns, strict=True))
                model = Model(model.name, tuple(by_class[name] for name in classes))  # noqa: PLW2901
            models.append(model)
        return replace(roles, models=tuple(models)), classes

    def plan(self) -> Plan:
        """All decisions."""
        roles = self.roles
        widths = tuple(self.width(model.columns) for model in roles.models)
        label_width = self.width(roles.label)
        losses = tuple(self.losses(width) for width in widths)
        rows = any(bound.rows for chosen in losses for bound in chosen)
        text = self.kinds[roles.label[0]] == "text"
        classes = None
        if label_width and len(roles.label) > 1:
            roles = self.aligned(roles)
        if (rows or text or self.request.classes) and not label_width:
            roles, classes = self.agreed(roles, widths)
        if self.request.normalize_rows:
            self.check_normalizing(losses)
        mode = self.class_labels(classes, rows=rows)
        if self.request.classes and mode == "codes" and not rows and not label_width:
            raise UsageError("--classes: neither the labels nor the losses know classes", "Leave it out.")
        for width, chosen in zip(widths, losses, strict=True):
            for bound in chosen:
                bound.accept_shapes((label_width,) if label_width else (), (width,) if width else ())
        return Plan(
            roles=replace(roles, notes=(*roles.notes, *dict.fromkeys(self.notes))),
            widths=widths,
            label_width=label_width,
            losses=losses,
            classes=classes,
            class_labels=mode,
            nulls=self.request.nulls,
            normalize_rows=self.request.normalize_rows,
            gradient=self.request.gradient,
            samples=self.request.samples,
            skill=self.request.skill,
            doubts=tuple(
                dict.fromkeys(
                    doubt
                    for width, chosen in zip(widths, losses, strict=True)
                    for bound in chosen
                    for doubt in doubts(bound, width)
                )
            ),
        )


def make_plan(source: Source, request: Request) -> Plan:
    """Decide everything about a data set.

    Raises:
        UsageError: a loss, column, class or parameter that does not exist or does not fit the others.
        DataError: there are no rows to decide by.
    """
    specs = [spec for given in request.loss for spec in (split_specs([given]) if isinstance(given, str) else [given])]
    if request.loss and not specs:
        raise UsageError("no loss named")
    if request.samples < 0:
        raise UsageError(f"samples must be 0 or more, not {request.samples}")
    if request.nulls not in {"error", "drop"}:
        raise UsageError(f"nulls must be error or drop, not {request.nulls!r}")
    return Planner(source, replace(request, loss=specs)).plan()
