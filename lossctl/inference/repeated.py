"""Choices of columns that repeat each other: models of the same classes, members, points beside their intervals."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lossctl.inference.choice import BY_NAME, NUMBERED, POINT, SUM, Choice
from lossctl.inference.classes import YES_AND_NO, are_counted, are_places, class_names, key_of
from lossctl.inference.families import apart, grids, named_models, numbered, of_classes
from lossctl.inference.names import PREDICTIONS, is_component, is_guess, is_key, level_of, plain_name
from lossctl.inference.parts import WORDS, are_members, interval_end, stem_of_interval
from lossctl.inference.side import Side

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate

LISTED = 8
"""Columns up to which a command line lists them as models beside what else they may be."""
MEANS = frozenset(WORDS["mean"])


def models(truths: Side, guesses: Side, label: Choice, others: Collection[str]) -> Iterator[Choice]:
    """Columns of several models, each with one for every class of a label, or for each of several labels."""
    if len(label.columns) > 1:
        families = of_labels(guesses, label.columns)
        known = any(len(family) == len(label.columns) for family in guesses.families(PREDICTIONS).values())
        if families and not known:
            yield models_of_labels(guesses, families)
        return
    truth = truths.look.candidate(label.columns[0])
    yield from models_of_classes(guesses, truth, others) if truth is not None else ()


def alike(
    truths: Side, guesses: Side, label: Choice, others: Collection[str], *, logits: bool = False
) -> Iterator[Choice]:
    """Columns that are alike but for a number, or all that are left, a number each for the codes of a label.

    Args:
        truths: where the label is.
        guesses: where they are looked for.
        label: the label.
        others: columns that have a role.
        logits: whether logits of classes are asked for.
    """
    truth = truths.look.candidate(label.columns[0]) if len(label.columns) == 1 else None
    if truth is None:
        return
    beside = truths is guesses
    choices = [*of_numbers(guesses, label, truth, others, beside=beside)]
    choices = choices or ([] if beside else [*of_position(guesses, truth)])
    choices = choices or [*of_scores(guesses, label, truth, others, beside=beside)]
    vectors = [choice for choice in choices if choice.near and len(choice.patterns) == 1 < len(choice.columns)]
    yield from (replace(choice, sure=True) for choice in vectors) if logits and len(vectors) == 1 else choices


def of_labels(guesses: Side, labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Columns of numbers that are named for each of several labels, of each model."""
    names = [each.name for each in guesses.free if each.kind == "number" and each.name not in labels]
    rests = [*class_names(labels), tuple(labels)]
    readings = (apart(of_classes(names, {*map(key_of, rest)})) for rest in rests)
    widths = ([family for family in families if len(family) == len(labels)] for families in readings)
    return next((families for families in widths if families), [])


def no_labels(truths: Side) -> set[str]:
    """Columns of numbered ones, of rows of probabilities and of intervals: none is a label by itself."""
    names = [column.name for column in truths.candidates if column.kind == "number"]
    families = [family for family in numbered(names) if len(family) > 2]
    of_interval = {end: [name for name in names if interval_end(name) == end] for end in ("lower", "upper")}
    both = [*of_interval.values()] if all(of_interval.values()) else []
    return {name for family in (*families, truths.probabilities, *both) for name in family}


def steps(side: Side) -> tuple[str, ...]:
    """The free columns of numbers, where their names differ in a number alone; none where others are among them."""
    names = [column.name for column in side.free if column.kind == "number" and not is_key(column.name)]
    families = numbered(names)
    return families[0] if len(families) == 1 and len(families[0]) == len(names) else ()


def decided(side: Side, name: str) -> bool:
    """Whether a column holds in every row which of some numbered columns is the largest: made of them, no label."""
    names = [column.name for column in side.free if column.kind == "number" and column.name != name]
    return any(side.look.is_largest(name, family) for family in numbered(names))


def intervals(guesses: Side, label: Choice) -> Iterator[Choice]:
    """The intervals of several models or kinds, after the points that they are about."""
    pairs = [*ends(guesses, label)]
    if pairs:
        yield from points(guesses, label, [name for each in pairs for name in each.columns])
    yield from pairs


def models_of_classes(guesses: Side, truth: "Candidate", others: Collection[str]) -> Iterator[Choice]:
    """Columns of two or more models, each with one for every class of a label."""
    families = guesses.class_families(truth, others)
    if not families and truth.kind == "number":
        free = [each.name for each in guesses.candidates if each.kind == "number" and each.name not in others]
        coded = [family for family in grids(free) if truth.is_coded(len(family)) and guesses.look.sum_to_one(family)]
        if len(coded) > 1:
            patterns, every = named_models(coded, guesses.columns), tuple(name for family in coded for name in family)
            yield Choice(patterns, every, SUM, sure=False)
    if len(families) > 1:
        names = tuple(name for family in families for name in family)
        sure = all(map(guesses.look.sum_to_one, families))
        patterns = named_models(families, guesses.columns)
        yield Choice(patterns, names, "because they are named for the classes, of each model", sure=sure)


def models_of_labels(guesses: Side, families: list[tuple[str, ...]]) -> Choice:
    """Columns of models that have one for each of several labels."""
    names = tuple(name for family in families for name in family)
    patterns = named_models(families, guesses.columns) if len(families) > 1 else (guesses.pattern(families[0]),)
    return Choice(patterns, names, BY_NAME)


def of_position(guesses: Side, truth: "Candidate") -> Iterator[Choice]:
    """All columns that are left, where they are rows of probabilities, one for each code of a label."""
    names = guesses.probabilities
    if names and truth.kind == "number" and (truth.is_coded(len(names)) or truth.is_classed(len(names))):
        yield Choice((guesses.pattern(names),), names, SUM)


def of_scores(
    guesses: Side, label: Choice, truth: "Candidate", others: Collection[str], *, beside: bool
) -> Iterator[Choice]:
    """All columns that are left, where they are fractions of either sign, as logits of the codes of a label are.

    Those that have names are as many as the codes, and may be models as well; beside the label its rows have to tell.
    """
    columns = [each for each in guesses.candidates if each.kind == "number" and each.name not in others]
    names, spans = tuple(each.name for each in columns), [each.content.numbers for each in columns]
    placed, codes = are_places(names), truth.distinct if truth.kind == "number" else None
    if codes is None or not 1 < codes <= len(names) or not truth.is_coded(len(names)):
        return
    if codes == 2 and (len(names) > 2 or not placed):
        return
    if not all((values.values % 1).any() for values in spans) or not any(values.low < 0 for values in spans):
        return
    if (beside and not guesses.look.picks(label.columns[0], names)) or not (placed or codes == len(names)):
        return
    yield Choice((guesses.pattern(names),), names, NUMBERED, sure=False)
    if (codes == 2 or not placed) and len(names) <= LISTED:
        yield Choice(names, names, NUMBERED, sure=False)


def of_numbers(
    guesses: Side, label: Choice, truth: "Candidate", others: Collection[str], *, beside: bool
) -> Iterator[Choice]:
    """Columns that differ in a number alone, each way that they may be meant, likeliest first.

    Args:
        guesses: where they are looked for.
        label: the label.
        truth: what is in its column.
        others: columns that have a role.
        beside: whether the label stands beside them.
    """
    columns = {each.name: each for each in guesses.candidates if each.kind == "number" and each.name not in others}
    families = [family for family in numbered([*columns]) if len(family) > 2]
    classed = [family for family in families if truth.is_classed(len(family)) and guesses.look.sum_to_one(family)]
    if len(classed) == 1:
        yield Choice((guesses.pattern(classed[0]),), classed[0], SUM)
        return
    classes = truth.kind == "number" and truth.distinct is not None and truth.distinct > 2
    coded = [
        family for family in families if classes and (truth.is_coded(len(family)) or truth.is_classed(len(family)))
    ]
    coded = [family for family in coded if not beside or guesses.look.picks(label.columns[0], family)]
    if len(coded) > 1:
        names = tuple(name for family in coded for name in family)
        yield Choice(named_models(coded, guesses.columns), names, NUMBERED, sure=False)
        return
    ensembles = [family for family in families if are_members(family, label.columns[0])]
    if len(ensembles) > 1 and truth.kind == "number":
        names = tuple(name for family in ensembles for name in family)
        yield Choice(named_models(ensembles, guesses.columns), names, NUMBERED, sure=False)
        return
    for family in families if truth.kind == "number" else ():
        binary = truth.distinct is not None and truth.distinct <= 2
        near = binary or any(guesses.look.alike(truth, columns[name], beside=beside) for name in family)
        members = are_members(family, label.columns[0])
        together = near or members or family in coded
        vector = Choice((guesses.pattern(family),), family, NUMBERED, near=together, sure=False)
        models = [Choice(family, family, NUMBERED, near=near, sure=False)] if len(family) <= LISTED else []
        if binary and may_lack_classes(guesses, truth, family):
            yield from (replace(vector, near=True), *models)
        elif binary:
            yield from models
        else:
            yield from (vector, *models) if members or family in coded else (*models, vector)


def may_lack_classes(guesses: Side, truth: "Candidate", family: Sequence[str]) -> bool:
    """Whether columns that are only counted may be scores of more classes than the two that a label has.

    They may not be where the label says yes and no.
    """
    known = {*map(key_of, YES_AND_NO), -1, 0, 1}
    if truth.distinct != 2 or len(family) < 3 or truth.classes <= known or not are_counted(family):
        return False
    columns = (guesses.look.candidate(name) for name in family)
    return all(each is not None and each.content.numbers.low < 0 for each in columns)


def points(guesses: Side, label: Choice, parts: Collection[str]) -> Iterator[Choice]:
    """The forecasts beside quantiles or the ends of intervals: what these are named behind, a mean, or models."""
    stems = {stem for name in parts if (stem := stem_of_interval(name))}
    free = [each.name for each in guesses.free if each.kind == "number" and each.name not in {*parts, *label.columns}]
    named = tuple(name for name in free if plain_name(name) in stems)
    models = _beside(guesses, named, free, label) if named else ()
    if models:
        yield Choice((*named, *models), (*named, *models), POINT, sure=False)
    named = named or tuple(name for name in free if plain_name(name) in MEANS)
    named = named or tuple(name for name in free if is_guess(name) and level_of(name) is None)
    if named:
        yield Choice(named, named, POINT, sure=False)


def _beside(guesses: Side, named: Sequence[str], free: Sequence[str], label: Choice) -> tuple[str, ...]:
    """The columns that are models beside those that have an interval: by their names, else near to the first of them.

    Where the label stands among them, what is near may be what it was told from: only names count.
    """
    look = guesses.look
    point = None if {*label.columns} & {column.name for column in guesses.columns} else look.candidate(named[0])
    columns = [look.candidate(name) for name in free if name not in named and not is_component(name)]
    return tuple(
        each.name
        for each in columns
        if each is not None
        and each.kind == "number"
        and level_of(each.name) is None
        and (is_guess(each.name) or (point is not None and "prediction" in each.roles and look.alike(point, each)))
    )


def ends(guesses: Side, label: Choice) -> Iterator[Choice]:
    """The ends of intervals, of each of several models or kinds, where just two columns are named for each."""
    by_stem: dict[str, list[str]] = {}
    for column in guesses.free:
        if column.kind == "number" and column.name not in label.columns and interval_end(column.name):
            by_stem.setdefault(stem_of_interval(column.name), []).append(column.name)
    pairs = [
        tuple(sorted(names, key=lambda name: str(interval_end(name))))
        for names in by_stem.values()
        if sorted(map(str, map(interval_end, names))) == ["lower", "upper"]
    ]
    models = _of_levels(guesses, label)
    if len(models) > 1:
        names = tuple(name for model in models for name in model)
        yield Choice(named_models(models, guesses.columns), names, BY_NAME, sure=False)
        return
    if len(pairs) < 2 or any(len(names) != 2 for names in by_stem.values()):
        return
    for pair in sorted(pairs, key=lambda pair: any(f"_{word}_" in f"_{plain_name(pair[0])}" for word in MEANS)):
        yield Choice((",".join(pair),), pair, BY_NAME, sure=False)


def _of_levels(guesses: Side, label: Choice) -> list[tuple[str, ...]]:
    """The quantiles of each of several models, which are named for the same levels; none where others are there."""
    by_stem: dict[str, dict[float, str]] = {}
    for column in guesses.free:
        level = level_of(column.name, alone=True)
        if column.kind == "number" and level is not None and column.name not in label.columns:
            by_stem.setdefault(stem_of_interval(column.name), {})[level] = column.name
    same = len({frozenset(levels) for levels in by_stem.values()}) == 1
    models = [tuple(levels[level] for level in sorted(levels)) for levels in by_stem.values()]
    return models if same and len(models[0]) > 1 else []
