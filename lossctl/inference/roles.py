"""Which column plays which role, as somebody named it: names, globs, patterns, numbers."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from lossctl.dataclass import dataclass
from lossctl.errors import UsageError, option
from lossctl.inference.grouping import Grouping, is_unit, legal_unit, unit_of
from lossctl.inference.patterns import find, titled
from lossctl.reading.columns import Column, fields_in


@dataclass(frozen=True)
class Model:
    """One model: a name and the columns that make its prediction, a vector when there are several."""

    name: str
    columns: tuple[str, ...]
    width: int = 0
    """How many numbers a prediction has; 0 for a plain number, and until a layout has looked at lists."""


@dataclass(frozen=True)
class Roles:
    """The columns of a run by role."""

    label: tuple[str, ...]
    models: tuple[Model, ...]
    weight: str | None
    by: tuple[Grouping, ...]
    notes: tuple[str, ...]
    """What was chosen without being asked for."""
    cluster: tuple[Grouping, ...] = ()
    """What says which rows move together: columns, and perhaps periods of their dates."""
    ids: tuple[str, ...] = ()
    """What identifies a row, where rows are to be told apart later."""
    inside: frozenset[str] = frozenset()
    """Columns to read that stand inside others."""
    objects: frozenset[str] = frozenset()
    """Objects whose keys are columns of a role, every one of them."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column to read, once each."""
        predictions = (name for model in self.models for name in model.columns)
        weight = () if self.weight is None else (self.weight,)
        groups = (grouping.column for grouping in self.by)
        identifying = (*(grouping.column for grouping in self.cluster), *self.ids)
        return tuple(dict.fromkeys((*self.label, *predictions, *weight, *groups, *identifying)))

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        """What each column of a group's key is called: like the column, unless that is grouped by in several units."""
        times = Counter(grouping.column for grouping in dict.fromkeys(self.by))
        return tuple(str(grouping) if times[grouping.column] > 1 else grouping.column for grouping in self.by)


TAGS = (
    f"Where it lists the classes of a row, split it into a column of 0 and 1 for each class, all of them one label: "
    f"{option(label='y_*')} {option(loss='bce')}."
)
"""What to do about a label that lists words."""


def groupings(pattern: str, columns: Sequence[Column], role: str = "group") -> tuple[Grouping, ...]:
    """What ``PATTERN`` or ``PATTERN:UNIT``, or a comma list of these, groups by; patterns are those of `find`.

    A column of exactly that name wins over any other reading.

    Raises:
        UsageError: nothing matches, or there is no such unit.
    """
    names = {column.name for column in (*columns, *fields_in(columns))}
    if pattern in names:
        return (Grouping(pattern),)
    if "," in pattern and not pattern.startswith("/"):
        parts = [part if part in names else part.strip() for part in pattern.split(",")]
        return tuple(grouping for part in parts for grouping in groupings(part, columns, role))
    stem, unit = unit_of(pattern)
    if unit and not is_unit(unit) and not grouped_columns([stem], columns):
        stem, unit = pattern, ""  # a name with a colon, and a mistake
    matching = find(stem, columns, role)
    unit = unit and legal_unit(pattern, unit)
    return tuple(Grouping(name, unit) for name in matching)


def clusterings(pattern: str, columns: Sequence[Column]) -> tuple[Grouping, ...]:
    """As `groupings`, of rows that move together; a `UsageError` where they are to do so by quantiles."""
    clusters = groupings(pattern, columns, "cluster")
    quantiles = next((grouping for grouping in clusters if grouping.quantiles), None)
    if quantiles is not None:
        what = f"cluster {pattern!r}: rows do not move together for being of one quantile of {quantiles.column!r}"
        raise UsageError(what, f"Periods of its dates are written as in {quantiles.column}:day.")
    return clusters


def grouped_columns(patterns: Sequence[str], columns: Sequence[Column]) -> set[str]:
    """The columns that patterns to group by name, as far as these columns have them."""
    named: set[str] = set()
    for pattern in patterns:
        with contextlib.suppress(UsageError):
            named |= {grouping.column for grouping in groupings(pattern, columns)}
    return named


def _models(patterns: Sequence[str], columns: Sequence[Column], names: Sequence[str]) -> tuple[Model, ...]:
    """The model of each pattern; a `UsageError` where one matches nothing, or two models have one name."""
    models = []
    for place, pattern in enumerate(patterns):
        title, rest = titled(pattern, columns)
        matching = find(rest, columns, "prediction")
        if len(set(matching)) < len(matching):
            raise UsageError(f"prediction {pattern!r} names a column twice")
        title = names[place] if names else title
        models.append(Model(title or (matching[0] if len(matching) == 1 else pattern), matching))
    for title, times in Counter(model.name for model in models).items():
        if times > 1:
            raise UsageError(
                f"two models are called {title!r}",
                f"Name them: {option(prediction=['first=COL', 'second=COL'])}.",
            )
    return tuple(models)


def choose(
    columns: Sequence[Column],
    *,
    label: Sequence[str],
    prediction: Sequence[str],
    models: Sequence[str] = (),
    weight: str | None = None,
    by: Sequence[str] = (),
    cluster: Sequence[str] = (),
    ids: Sequence[str] = (),
) -> Roles:
    """Give every role its columns.

    Args:
        columns: the columns of the data.
        label: patterns of the label columns.
        prediction: one pattern a model, ``name=PATTERN`` to name it.
        models: what each model is called, whatever its pattern says.
        weight: pattern of the weight column.
        by: patterns of the columns to group by, with their units.
        cluster: patterns of the columns that say which rows move together, with their units.
        ids: patterns of the columns that identify a row.

    Raises:
        UsageError: a column is missing, ambiguous, named twice or of the wrong type.
    """
    weights = find(weight, columns, "weight") if weight is not None else ()
    if len(weights) > 1:
        raise UsageError(f"weight {weight!r} matches {len(weights)} columns: {', '.join(weights)}", "Name one.")
    groups = tuple(grouping for pattern in by for grouping in groupings(pattern, columns))
    clusters = tuple(grouping for pattern in cluster for grouping in clusterings(pattern, columns))
    identifying = tuple(name for pattern in ids for name in find(pattern, columns, "id"))
    named = _models(prediction, columns, models)
    labels = tuple(name for pattern in label for name in find(pattern, columns, "label"))
    roles = Roles(labels, named, weights[0] if weights else None, groups, (), clusters, identifying)
    _check_kinds(roles, columns)
    notes = _hidden(roles.needed, columns)
    fields = {field.name for field in fields_in(columns)}.intersection(roles.needed)
    inside = fields.union(column.name for column in columns if column.inside)
    return replace(roles, notes=tuple(notes), inside=frozenset(inside))


def _hidden(names: Sequence[str], columns: Sequence[Column]) -> Iterator[str]:
    """Notes on columns whose names are paths to fields as well."""
    own = {column.name for column in columns if not column.inside}
    for column in columns:
        paths = {field.name for field in fields_in([column])} if column.fields else set()
        for name in names if paths else ():
            if name in paths and name in own:
                yield f"{name!r} is the column of that name, not the field in column {column.name!r}"


def _check_kinds(roles: Roles, columns: Sequence[Column]) -> None:
    """Raise a `UsageError` where a column is ambiguous, named twice, or of a kind that its role cannot have."""
    known = (*columns, *fields_in(columns))
    times = Counter(column.name for column in known)
    kinds = {column.name: column.kind for column in known}
    for name in roles.needed:
        if times[name] > 1:
            places = [f"#{place}" for place, column in enumerate(columns, 1) if column.name == name]
            told = f"In delimited text and tables in memory, its place tells it apart: {' or '.join(places)}."
            hint = f"Rename one. {told}" if len(places) > 1 else "Rename one."
            raise UsageError(f"the data have two columns called {name!r}", hint)
    if len({*roles.label}) < len(roles.label):
        raise UsageError("a label column is named twice")
    for model in roles.models:
        _check_prediction(model, roles.label, kinds, columns)
    several = roles.label if len(roles.label) > 1 else ()
    for name in (*roles.label, *filter(None, [roles.weight])):
        vector = kinds[name] in {"list", "object"} and name in several
        if kinds[name] == "other" or vector or (name == roles.weight and kinds[name] == "object"):
            tags = kinds[name] == "other" and name != roles.weight
            hint = _its_fields(name, columns) or (TAGS if tags else "")
            raise UsageError(f"column {name!r} does not hold numbers", hint)


def _its_fields(name: str, columns: Sequence[Column]) -> str:
    """A hint that names the fields inside a column; empty where it has none."""
    leaves = [field.name for field in fields_in(columns) if field.name.startswith(f"{name}.") and not field.fields]
    shown = ", ".join(leaves[:30]) + (", …" if len(leaves) > 30 else "")
    return f"Name a field inside it: {shown}." if leaves else ""


def _check_prediction(model: Model, label: tuple[str, ...], kinds: dict[str, str], columns: Sequence[Column]) -> None:
    """As `_check_kinds`, for the columns of one model."""
    for name in model.columns:
        if name in label:
            raise UsageError(f"column {name!r} is both label and prediction")
        if kinds[name] in {"list", "object"} and len(model.columns) > 1:
            what = "a list" if kinds[name] == "list" else "an object"
            raise UsageError(f"column {name!r} is {what}, which is a vector by itself", "Give it alone.")
        if kinds[name] == "other":
            hint = _its_fields(name, columns)
            raise UsageError(f"prediction column {name!r} holds neither numbers nor lists of numbers", hint)
