"""The columns of one data set among which a role is looked for: what their names say, and what is in them."""

import contextlib
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lossctl.domain import FloatArray
from lossctl.errors import UsageError, option
from lossctl.inference.classes import are_in_a_row, are_numbers, class_names, in_order_of, key_of
from lossctl.inference.names import ENDINGS, LABELS, PREDICTIONS, is_index, is_key, is_query, plain_name, stem_of
from lossctl.inference.patterns import in_order, pattern_of
from lossctl.inference.request import Elsewhere
from lossctl.reading.columns import Column, unnested
from lossctl.reading.format import Source

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate
    from lossctl.inference.look import Look


class Side:
    """The columns of a data set that may still get a role.

    Args:
        source: the data, of which some rows are looked at where names do not tell.
        named: columns that have a role, by which rows are weighted, or matched.
        groups: columns to group by, which are taken for a label or a prediction by their names alone.
    """

    def __init__(self, source: Source, named: Collection[str], groups: Collection[str] = ()) -> None:
        self.source, self.columns = source, unnested(source.columns)
        self._named, self._groups = {*named}, {*groups}

    @cached_property
    def free(self) -> list[Column]:
        """The columns that have no role, and are neither an index nor the number of a list."""
        apart = {column.name for column in self.columns if is_query(column.name) or is_index(column.name)}
        taken = self._named | apart
        return [column for column in self.columns if column.name not in taken]

    @property
    def left(self) -> tuple[str, ...]:
        """The free columns that tell neither rows nor groups apart, by their names; others where there are none."""
        names = [column.name for column in self.free]
        for others in (self._groups, {*filter(is_key, names)}):
            names = [name for name in names if name not in others] or names
        return tuple(names)

    # --- by name

    def known(self, names: frozenset[str], but: Collection[str] = ()) -> list[str]:
        """The free columns with a known name."""
        return [column.name for column in self.free if plain_name(column.title) in names and column.name not in but]

    def families(self, tiers: Sequence[frozenset[str]]) -> dict[str, tuple[str, ...]]:
        """The free columns of numbers whose names share a beginning that is known for a role, by that; two or more."""
        known = frozenset().union(*tiers)
        families: dict[str, list[str]] = {}
        for column in self.free:
            stem = stem_of(column.name)
            if stem in known and column.kind in {"number", "text"}:
                families.setdefault(stem, []).append(column.name)
        return {stem: in_order(names) for stem, names in families.items() if len(names) > 1}

    def ending(self, endings: tuple[str, ...]) -> list[str]:
        """The free columns of numbers whose names end so."""
        return [
            column.name for column in self.free if column.kind == "number" and plain_name(column.name).endswith(endings)
        ]

    def named_like(self, vector: Sequence[str]) -> tuple[str, ...]:
        """The free columns of numbers, one each of a vector: ``cat, dog`` or ``y_cat, y_dog`` of ``p_cat, p_dog``."""
        names = [column.name for column in self.free if column.kind == "number" and column.name not in vector]
        rests = [{*map(plain_name, rest)} for rest in class_names(vector)]
        families = [[name for name in names if plain_name(name) in rest] for rest in rests]
        families += [[name for name in names if plain_name(name).endswith(ENDINGS.label)], names]
        for family in families:
            with contextlib.suppress(UsageError):
                if len(family) == len(vector) and in_order_of(family, vector) is not None:
                    return tuple(family)
        return ()

    def pattern(self, family: tuple[str, ...]) -> str:
        """The shortest way to name columns."""
        return pattern_of(family, self.columns)

    # --- by what is in them

    @cached_property
    def look(self) -> "Look":
        """What is in the columns."""
        from lossctl.inference.look import Look

        return Look(self.source)

    def glance(self, name: str) -> "Candidate | None":
        """A column with what is in it, where others need not be looked at; ``None`` where several have the name."""
        from lossctl.inference.look import Look

        return (self.look if "look" in vars(self) else Look(self.source, {name})).candidate(name)

    @property
    def candidates(self) -> "list[Candidate]":
        """The free columns with what is in them, less weights, ids and groups."""
        return [candidate for candidate in self.named if candidate.name not in self._groups]

    @property
    def named(self) -> "list[Candidate]":
        """The free columns with what is in them, less weights and ids: groups too, for which a name has to speak."""
        free = {column.name for column in self.free}
        return [
            candidate
            for candidate in self.look.candidates
            if candidate.name in free and candidate.roles[:1] not in {("weight",), ("id",), ()}
        ]

    @cached_property
    def bits(self) -> "list[Candidate]":
        """The free columns that hold 0 and 1 and nothing else."""
        numbers = [column for column in self.candidates if column.kind == "number" and column.content.numbers.n]
        return [column for column in numbers if {*column.content.numbers.values.tolist()} <= {0.0, 1.0}]

    def class_columns(self, truth: "Candidate", but: Collection[str] = ()) -> tuple[str, ...]:
        """The columns of numbers that are named for the values of a label; none where not all values have one.

        Of columns that are called by numbers in a row, and nothing else, those of classes that no label has as well.
        """
        words = truth.classes
        others = [column.name for column in self.candidates if column.kind == "number" and column.name not in but]
        if len(words) < 2 or len(others) < 2:
            return ()
        if any(words <= {*map(key_of, names)} for names in class_names(others)) and self.look.sum_to_one(others):
            return tuple(others)
        exact = tuple(name for name in others if key_of(name) in words)
        numbered = in_order([name for name in others if are_numbers([name])])
        if len(exact) == len(words) < len(numbered) and {*exact} <= {*numbered} and are_in_a_row(numbered):
            return numbered
        return exact if len(exact) == len(words) else ()

    def class_families(self, truth: "Candidate", but: Collection[str] = ()) -> list[tuple[str, ...]]:
        """The columns of each model whose columns are named for the values of a label; those of numbers sum to 1.

        Columns of 0 and 1 alone are labels themselves.
        """
        from lossctl.inference.families import apart, of_variants

        classes = truth.classes
        others = [column.name for column in self.candidates if column.kind == "number" and column.name not in but]
        families = of_variants(others, classes) if len(classes) > 1 and len(others) > 1 else []
        bits = {column.name for column in self.bits}
        families = [family for family in families if not {*family} <= bits] or families
        families = [self._whole(family, others) for family in families]
        return apart([family for family in families if truth.kind == "text" or self.look.sum_to_one(family)])

    def _whole(self, family: tuple[str, ...], others: Sequence[str]) -> tuple[str, ...]:
        """Columns of classes with those of classes that no label has, where they sum to 1 with these alone."""
        from lossctl.inference.families import widened

        more = widened(family, others)
        whole = len(more) > len(family) and not self.look.sum_to_one(family) and self.look.sum_to_one(more)
        return more if whole else family

    @cached_property
    def probabilities(self) -> tuple[str, ...]:
        """All columns of numbers, where every row of them sums to 1; not of two decisions, each of which tells all."""
        names = tuple(column.name for column in self.candidates if column.kind == "number")
        wide = len(names) > 2 or (len(names) == 2 and len(self.bits) < 2)
        return names if wide and self.look.sum_to_one(names) else ()

    def numbers(self, name: str) -> FloatArray:
        """The different numbers of a column ``(d,)``; none where it holds others."""
        candidate = self.look.candidate(name)
        return np.empty(0) if candidate is None else candidate.content.numbers.values


def names_of(source: Source, elsewhere: Elsewhere | None) -> list[str]:
    """What the columns are called that are no key, each once."""
    names = [column.name for column in source.columns]
    if elsewhere is None:
        return names
    names = [name for name in names if name not in elsewhere.keys]
    theirs = (column.name for column in elsewhere.labels.columns if column.name not in elsewhere.label_keys)
    return [*dict.fromkeys((*names, *theirs))]


def ensure_in_place(truths: Side, guesses: Side) -> None:
    """Check that the labels and the predictions of two data sets do not stand in each other's place, by their names.

    Raises:
        UsageError: they do.
    """
    labels, predictions = (frozenset().union(*tiers) for tiers in (LABELS, PREDICTIONS))
    swapped = [*guesses.known(labels)[:1], *truths.known(predictions)[:1]]
    if len(swapped) == 2 and not truths.known(labels) and not guesses.known(predictions):
        what = f"{swapped[0]!r} of the predictions looks like a label, {swapped[1]!r} of the labels like a prediction"
        columns = f"{option('label')} and {option('prediction')}"
        raise UsageError(what, f"Swap the files, or say which columns are meant with {columns}.")
