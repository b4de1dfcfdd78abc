"""Decides from names, types and the first batch how the columns of each role are read."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import pyarrow as pa

from lossctl.errors import DataError, UsageError, option
from lossctl.inference.classes import (
    affixed,
    are_counted,
    are_numbers,
    class_names,
    framed,
    key_of,
    loose_names,
    mapping,
    refuse_other_numbers,
    respelled,
    within,
)
from lossctl.inference.layout import ClassLabels, Layout, words_among
from lossctl.inference.objects import Keys
from lossctl.inference.request import Request
from lossctl.inference.roles import Model, Roles, choose
from lossctl.reading.cells import BadRow, class_number, elements, illegible, not_utf8
from lossctl.reading.columns import Column, fields_in
from lossctl.reading.counted import counts
from lossctl.reading.format import Source, Wanted
from lossctl.reading.missing import nulled
from lossctl.reading.rounding import EXACT
from lossctl.reading.rows import first_rows, shards_of
from lossctl.reading.selection import no_rows


class LayoutPlanner:
    """Decides how the columns of a data set are read; each decision is made once, when it is first asked for.

    Args:
        source: the data set.
        request: what is asked of it; losses are of no concern here.
    """

    def __init__(self, source: Source, request: Request) -> None:
        self.source, self.request = source, request
        self.kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
        self.notes: list[str] = []
        self._keys = Keys()

    @cached_property
    def _chosen(self) -> Roles:
        """The columns as asked for; in place of an object, its keys."""
        request = self.request
        roles = choose(
            self.source.columns,
            label=request.label,
            prediction=request.prediction,
            models=request.models,
            weight=request.weight,
            by=request.by,
            cluster=request.cluster,
            ids=request.ids,
        )
        given = {name for names in (roles.label, *(model.columns for model in roles.models)) for name in names}
        columns = (*self.source.columns, *fields_in(self.source.columns))
        objects = [column for column in columns if column.kind == "object" and column.name in given]
        keyed = {column.name: self._keyed(column, columns) for column in objects}
        models = [replace(model, columns=keyed.get(model.columns[0], model.columns)) for model in roles.models]
        return replace(
            roles,
            label=keyed.get(roles.label[0], roles.label) if roles.label else (),
            models=tuple(models),
            inside=roles.inside.union(*keyed.values()) - keyed.keys(),
            objects=frozenset(keyed),
        )

    def _keyed(self, column: Column, columns: Sequence[Column]) -> tuple[str, ...]:
        """A column for each key of an object; errors as for `Keys.enter`, in words for people."""
        wanted = Wanted(frozenset({column.name}), frozenset())
        try:
            names = self._keys.enter(column, columns, lambda: self._first(wanted).column(column.name))
        except BadRow as bad:
            raise self.bad(bad) from None
        self.kinds |= dict.fromkeys(names, "number")
        return names

    @cached_property
    def roles(self) -> Roles:
        """The columns as asked for, models with their widths; the order of classes may still change that of columns."""
        ragged = not self._chosen.label
        models = (replace(model, width=self.width(model.columns, ragged=ragged)) for model in self._chosen.models)
        return replace(self._chosen, models=tuple(models))

    @cached_property
    def label_width(self) -> int:
        """How many numbers a label has; 0 for a plain number."""
        return self.width(self.roles.label) if self.roles.label else 0

    @property
    def text(self) -> bool:
        """Whether the label is one column of text."""
        return len(self.roles.label) == 1 and self.kinds[self.roles.label[0]] == "text"

    @cached_property
    def head(self) -> pa.RecordBatch:
        """The first batch that has rows, with the columns of every role; a label to be ignored is null.

        Raises:
            DataError: there is none, or a row cannot be read.
        """
        label, ignored = self._chosen.label, self.request.ignore_label
        texts = {name for name in self._chosen.needed if self.kinds[name] == "text"}
        texts |= {*label} if words_among(ignored) else set()
        numbers = frozenset(self._chosen.needed) - texts
        return nulled(
            self._first(Wanted(numbers, frozenset(texts), whole=self._chosen.objects)), label, lambda _: ignored
        )

    def _first(self, wanted: Wanted) -> pa.RecordBatch:
        """The first batch that has rows; errors as for `head`."""
        for shard in shards_of(self.source):
            try:
                first = first_rows(shard, wanted)
            except BadRow as bad:
                raise self.bad(bad, shard.file) from None
            if first is not None:
                for place in illegible(first):
                    raise self.bad(not_utf8(first.schema.names[place]), shard.file)
                return first
        raise no_rows(self.source)

    def bad(self, bad: BadRow, file: str = "") -> DataError:
        """What is wrong with one of the first rows."""
        file = file or next(iter(self.source.files), "the table")
        return DataError(f"{file}: row {bad.row + 1}: {bad.what}", bad.hint)

    def width(self, columns: Sequence[str], *, ragged: bool = False) -> int:
        """How many numbers a row of these columns holds; 0 for a plain number, and for a list of one, which is as good.

        Of ``ragged`` lists it is 1, since each row has its own.

        Raises:
            DataError: they are a column of lists, and the first rows do not tell how long these are.
        """
        if len(columns) > 1:
            return len(columns)
        if self.kinds[columns[0]] != "list":
            return 0
        if ragged:
            return 1
        import pyarrow.compute as pc

        lengths = pc.list_value_length(self.head.column(columns[0])).drop_null()
        if not len(lengths):
            raise DataError(f"column {columns[0]!r}: the first {self.head.num_rows} rows are all null")
        if lengths[0].as_py() == 0:
            raise DataError(f"column {columns[0]!r}: the list of the first row is empty")
        if lengths[0].as_py() == 1:
            self.kinds[columns[0]] = "number"  # nor is (n, 1) ever spread over (n,)
            return 0
        return int(lengths[0].as_py())

    def class_order(self, model: Model) -> tuple[Model, tuple[str, ...] | None]:
        """The model with its columns in the order of the classes, and the classes; ``None`` where nothing names them.

        Raises:
            UsageError: the classes asked for do not fit the columns.
        """
        classes = tuple(self.request.classes)
        if not classes:
            return model, self._names_that_fit(model.columns)
        if len(classes) != (model.width or 2):
            single = [column for each in self.roles.models for column in each.columns if not each.width]
            one = f"One model with a column a class is one prediction: {option(prediction=','.join(single))}."
            raise UsageError(
                f"{option('classes')} names {len(classes)} classes, but {model.name!r} has {model.width or 2}",
                one if len(single) == len(classes) else "" if classes[1:] else f"No file is called {classes[0]!r}.",
            )
        if len(set(classes)) < len(classes):
            raise UsageError(f"{option('classes')} names a class twice")
        if len(model.columns) > 1:
            matched = self._keys.match_classes(classes, model.columns)
            if matched is None:
                pairs = mapping(model.columns, classes)
                counted = are_counted(model.columns)
                why = "whatever the numbers in their names" if counted else "no column is named for one"
                self.notes.append(f"classes by position, {why}: {pairs}")
            else:
                model = replace(model, columns=matched)
        elif not model.width and within(classes, model.columns) == classes[:1]:
            self.notes.append(
                f"{model.name}: of class {classes[1]}, the second named, though its name says {classes[0]}"
            )
        return model, classes

    def _names_that_fit(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        """The reading of the columns' names that the labels of the first rows agree with, else the shortest.

        Numbers are read as numbers where the labels are some. Where they are, and columns are named for none, classes
        go by position.

        Raises:
            UsageError: the labels are numbers, and names say other numbers than their positions beside other things.
        """
        columns, label = self._keys.said_by(columns), self.roles.label
        counted = columns[0] != "0" and counts([column.name for column in self.source.columns])
        choices = [] if counted else class_names(columns)
        kind = self.kinds[label[0]] if len(label) == 1 else ""
        if kind == "number" and choices:
            truths = framed(("true", "false"), [column.casefold() for column in columns])
            choices = [names for names in (*choices, *truths) if are_numbers(names)] or choices
            if not are_numbers(choices[0]):
                refuse_other_numbers(columns)
        if kind == "text" and choices:
            words = self.first_labels
            readings = (*choices, *framed(words, columns), *loose_names(columns))
            fitting = next((names for names in readings if words <= {*names}), None)
            fitting = fitting or next(filter(None, (respelled(names, words) for names in readings)), None)
            if fitting is None and words:
                fitting = next(filter(None, (affixed(names, words) for names in readings)), None)
                self.notes += [] if fitting is None else [f"classes: {mapping(columns, fitting)}"]
            numbered = are_numbers(choices[0]) and all(class_number(word) is None for word in words)
            return fitting or (None if numbered and words else choices[0])  # numbers name no words
        if len(choices) > 1 and kind == "number":
            numbers = {key for key in map(key_of, self.first_labels) if isinstance(key, int)}
            return next((names for names in choices if numbers <= {*map(key_of, names)}), choices[0])
        if not choices and len(columns) > 1 and kind == "number":
            self.notes.append(f"classes by position: {mapping(columns, [*map(str, range(len(columns)))])}")
        return choices[0] if choices else None

    @property
    def first_labels(self) -> set[str]:
        """The different labels of the first rows, as text."""
        import pyarrow.compute as pc

        words = pc.unique(elements(self.head.column(self.roles.label[0]))).to_pylist()
        return {str(word) for word in words if word is not None} - {""}

    def class_labels(self, classes: tuple[str, ...] | None) -> ClassLabels:
        """How the label column says a class.

        Raises:
            UsageError: two classes are the same number, and the labels are numbers.
        """
        label = self.roles.label
        if self.text:
            return "text"
        if classes is None or len(label) != 1 or self.kinds[label[0]] != "number":
            return "codes"
        numbers = [number for name in classes if (number := class_number(name)) is not None]
        if len(numbers) == len(classes):
            first = {number: name for name, number in zip(reversed(classes), reversed(numbers), strict=True)}
            for name, number in zip(classes, numbers, strict=True):
                if first[number] != name:
                    what = f"classes {first[number]!r} and {name!r} are the same number, and the labels are numbers"
                    raise UsageError(what, "Rename one, or write the labels as text.")
            if max(map(abs, numbers)) >= EXACT:
                return "text"  # a double cannot tell such numbers apart: their digits are compared
            if numbers != list(range(len(classes))):
                return "numbers"
        else:
            codes = [str(code) for code in range(len(classes))]
            self.notes.append(f"classes by position, labels are codes: {mapping(codes, classes)}")
        return "codes"

    def aligned(self, roles: Roles) -> Roles:
        """The roles with the columns of vector labels and predictions in one order, where their names tell it.

        Raises:
            UsageError: some of the classes asked for have a column, and others none or several.
        """
        classes = self.request.classes
        label = (self._keys.match_classes(classes, roles.label) if classes else None) or roles.label
        models = []
        for model in roles.models:
            if model.width != len(label):
                models.append(model)  # which no loss takes, and each says it in its own words
                continue
            order = (
                self._keys.match_classes(classes, model.columns)
                if classes
                else self._keys.in_order_of(label, model.columns)
            )
            if order is None:
                self.notes.append(f"{model.name}: by position, no name tells it: {mapping(label, self._places(model))}")
            elif order != model.columns:
                self.notes.append(f"{model.name}: columns in the order of the labels: {', '.join(order)}")
            models.append(replace(model, columns=order or model.columns))
        return replace(roles, label=label, models=tuple(models))

    @staticmethod
    def _places(model: Model) -> Sequence[str]:
        """The columns of a vector, or the places in its list."""
        if len(model.columns) > 1:
            return model.columns
        return [f"{model.columns[0]}[{place}]" for place in range(model.width)]

    def agreed(self, roles: Roles) -> tuple[Roles, tuple[str, ...] | None]:
        """The roles with the columns of every model in one order of the classes, and the classes.

        Of a model that has no names, beside one that has, the numbers are by position, and that is noted.

        Raises:
            UsageError: two models have different classes.
        """
        ordered = [self.class_order(model) for model in roles.models]
        first, classes = next(((model, names) for model, names in ordered if names is not None), (None, None))
        if first is None or classes is None:
            return roles, None
        if not self.request.classes and are_numbers(classes) and any(names is None for _, names in ordered):
            classes = tuple(sorted(classes, key=key_of))  # as positions of a list are counted
        models = []
        for model, names in ordered:
            if names is None and not (model.width or len(classes) > 2):
                self.notes.append(f"{model.name}: of class {classes[-1]}, no name tells it")
            elif names is None and model.width == len(classes):
                pairs = mapping(self._places(model), classes)
                self.notes.append(f"{model.name}: classes by position, no name tells it: {pairs}")
            elif names is not None and names != classes:
                keys = [*map(key_of, names)]
                if {*keys} != {*map(key_of, classes)}:
                    raise UsageError(
                        f"models {first.name!r} and {model.name!r} have different classes: "
                        f"{', '.join(classes)} and {', '.join(names)}",
                        f"Name the classes: {option(classes='a,b,c')}.",
                    )
                by_class = dict(zip(keys, model.columns, strict=True))
                columns = tuple(by_class[key_of(name)] for name in classes)
                model = replace(model, columns=columns)  # noqa: PLW2901
            models.append(model)
        return replace(roles, models=tuple(models)), classes

    def _note_codes_without_0(self) -> None:
        """Note where codes that go by position may have been counted from 1."""
        label = self.roles.label
        if len(label) == 1 and not self.label_width and self.kinds[label[0]] == "number":
            labels = {key_of(word) for word in self.first_labels}
            if labels and 0 not in labels:
                self.notes.append("labels are codes from 0 by position, and none of the first rows is of class 0")

    def layout(self, *, rows: bool, numbers: bool = False) -> Layout:
        """The layout: all decisions together.

        Args:
            rows: whether rows of a vector are judged as a whole, so that labels are classes.
            numbers: whether labels are numbers, also beside vectors.

        Raises:
            UsageError: classes that do not fit the columns, or that nothing here knows.
            DataError: there are no rows to decide by.
        """
        roles, classes = self.roles, None
        if self.label_width:
            roles = self.aligned(roles) if len(roles.label) > 1 else roles
        elif (rows or self.text or self.request.classes) and not numbers:
            roles, classes = self.agreed(roles)
        mode = self.class_labels(classes)
        if mode == "codes" and rows and not (classes and are_numbers(classes)):
            self._note_codes_without_0()
        if self.request.classes and (numbers or (mode == "codes" and not rows and not self.label_width)):
            raise UsageError(f"{option('classes')}: neither the labels nor the losses know classes", "Leave it out.")
        notes = (*roles.notes, *dict.fromkeys(self.notes))
        return Layout(
            replace(roles, notes=notes),
            self.label_width,
            classes,
            mode,
            ignored=tuple(self.request.ignore_label),
            mask_null=self.request.mask_null,
            numbers=numbers,
        )
