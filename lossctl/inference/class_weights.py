"""A weight for each class, which that of a row is multiplied with by its label.

A soft label is of every class by its part, and so is its weight: a row that is half cat has the mean of the weights of
cat and the rest. Weights of rows and of classes are then one, and values are Σwℓ/Σw for hard and soft labels alike.
"""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from lossctl.domain import BoolArray, FloatArray, row_sum
from lossctl.errors import UsageError, option
from lossctl.inference.classes import class_names, key_of
from lossctl.inference.layout import Layout
from lossctl.inference.request import ClassWeight
from lossctl.row_domains import SIMPLEX_ERROR
from lossctl.words import counted, did_you_mean, said, split

BINARY = ("0", "1")
SHOWN = 12
"""How many classes a message lists."""
_PAIR = re.compile(r"""(?P<quote>["']?)(?P<name>[^=:"']+)(?P=quote)\s*:\s*(?P<weight>[\d.eE+-]+)""")
"""A class and its weight, as a dictionary has them."""


def class_weights(given: ClassWeight, layout: Layout, *, rows: bool) -> dict[str, float]:
    """The weight of each class, by name and in the order of their codes; of a class that has none it is 1.

    Args:
        given: weights as somebody said them.
        layout: what labels are.
        rows: whether the losses are of rows, so that a label is a class or a row of their parts.

    Raises:
        UsageError: one is no weight, or is of no class, or labels have no class.
    """
    if not layout.roles.label:
        raise UsageError(f"{option('class_weight')}: there are no labels, which would be of a class", "Leave it out.")
    names, spellings = _classes(layout, rows=rows)
    weights: dict[str, float] = {}
    _ensure_spelled(given, names)
    places = _by_place(given)
    if places is not None:
        if len(places) != len(names):
            what = f"{option('class_weight')}: {counted(len(places), 'weight')}, and there are {len(names)} classes"
            raise UsageError(what, f"Their order is {', '.join(names[:SHOWN])}.")
        return dict(zip(names, map(_weight, places), strict=True))
    for name, weight in _by_name(given):
        place = spellings.get(key_of(name))
        if place is None:
            known = did_you_mean(name, [*names]) or f"The classes are {', '.join(names[:SHOWN])}."
            raise UsageError(f"{option('class_weight')}: there is no class {name!r}", known)
        if names[place] in weights:
            raise UsageError(f"{option('class_weight')}: class {names[place]} has two weights")
        weights[names[place]] = _weight(weight)
    return {name: weights.get(name, 1.0) for name in names}


def weighed(weights: Sequence[float], label: FloatArray) -> tuple[FloatArray, BoolArray]:
    """The weight that each label gives its row, ``(n,)``, and where it is of no class.

    Args:
        weights: one a class, in the order of their codes.
        label: ``(n,)`` codes, of two classes also 1 and −1 or parts between 0 and 1; or ``(n, k)`` parts of classes,
            which sum to 1.
    """
    of_class = np.array(weights)
    with np.errstate(all="ignore"):
        if label.ndim == 2:
            wrong = ~((label >= 0).all(axis=1) & (np.abs(row_sum(label) - 1.0) <= SIMPLEX_ERROR))
            return row_sum(np.where(label == 0, 0.0, label * of_class)), wrong
        if len(weights) > 2:
            wrong = ~((label >= 0) & (label < len(weights)) & (np.floor(label) == label))
            return of_class[np.where(wrong, 0.0, label).astype(np.intp)], wrong
        low, high = of_class
        wrong = ~(((label >= 0) & (label <= 1)) | (label == -1))
        mixed = (1.0 - label) * low + label * high
        return np.where(label == 1, high, np.where((label <= 0) | wrong, low, mixed)), wrong


def described(weights: Sequence[float], label: FloatArray) -> str:
    """What labels must be that have such weights."""
    if label.ndim == 2:
        what = "parts of classes that sum to 1"
    elif len(weights) > 2:
        what = f"a class in 0..{len(weights) - 1}"
    else:
        what = "0 or 1 (or -1 and 1, or a part between 0 and 1)"
    return f"{what}, where classes have weights"


def _classes(layout: Layout, *, rows: bool) -> tuple[tuple[str, ...], dict[str | int, int]]:
    """The names of the classes, and the place of each by what it may be called.

    Raises:
        UsageError: a label is of several numbers, and each is judged by itself.
    """
    if layout.label_width and not rows:
        what = f"{option('class_weight')}: a label of several numbers, each judged by itself, is of no one class"
        raise UsageError(what, f"{option('weight')} names a column with the weights of rows.")
    if layout.label_width:
        columns = layout.roles.label if len(layout.roles.label) > 1 else ()
        readings = [*class_names(columns), columns]
        names = readings[0] or tuple(map(str, range(layout.label_width)))
        spelled = {key_of(name): place for reading in readings for place, name in enumerate(reading)}
        return names, {**{place: place for place in range(layout.label_width)}, **spelled}
    width = max((model.width for model in layout.models), default=0)
    if layout.classes is not None:
        return layout.classes, {key_of(name): place for place, name in enumerate(layout.classes)}
    if rows:
        return tuple(map(str, range(width))), {place: place for place in range(width)}
    return BINARY, {0: 0, -1: 0, 1: 1}


def _ensure_spelled(given: ClassWeight, names: Sequence[str]) -> None:
    """Check that weights are not said as other tools do: balanced, or a dictionary as Python or JSON spells it.

    Raises:
        UsageError: they are.
    """
    if not isinstance(given, str):
        return
    if given.strip(" \"'").casefold() in {"balanced", "auto", "balanced_subsample"}:
        shown = ",".join(f"{name}=W" for name in names[:SHOWN]) + (",…" if len(names) > SHOWN else "")
        part = f"a class that is a part p of the labels has the weight 1 / ({len(names)} p), as scikit-learn takes it"
        raise UsageError(
            f"{option('class_weight')}: {given} is not known before all labels are counted",
            f"lossctl doctor prints the parts; {part}: {option(class_weight=shown)}.",
        )
    pairs = [_PAIR.fullmatch(part.strip()) for part in split(given.strip().removeprefix("{").removesuffix("}"))]
    if pairs and all(pairs):
        said_as = ",".join(f"{pair['name'].strip()}={pair['weight']}" for pair in pairs if pair)
        what = f"{option('class_weight')}: {given!r} is how others say the weights of classes"
        raise UsageError(what, f"Say {option(class_weight=said_as)}.")


def _by_place(given: ClassWeight) -> Sequence[str | float] | None:
    """Weights in the order of the classes; ``None`` where they are by name."""
    if isinstance(given, Mapping):
        return None
    if not isinstance(given, str):
        return given
    parts = split(given)
    return None if any("=" in part for part in parts) else parts


def _by_name(given: ClassWeight) -> list[tuple[str, str | float]]:
    """Weights by the names of classes.

    Raises:
        UsageError: some have no name.
    """
    if isinstance(given, Mapping):
        return [(str(name), weight) for name, weight in given.items()]
    parts = [part.rpartition("=") for part in split(str(given))]
    bare = next((weight for name, _, weight in parts if not name), None)
    if bare is not None:
        what = f"{option('class_weight')}: {bare!r} is of no class, and others are"
        raise UsageError(what, "Such as cat=2,dog=0.5; or a number for each class, in their order.")
    return [(name.strip(), weight) for name, _, weight in parts]


def _weight(given: str | float) -> float:
    """A weight.

    Raises:
        UsageError: it is none.
    """
    try:
        weight = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0.0 <= weight < math.inf:
        raise UsageError(f"{option('class_weight')}: {said(given)} is no weight, a finite number >= 0")
    return weight
