"""Which shapes of labels and predictions a loss is defined for, and what to do where they do not fit."""

from typing import Protocol

from lossctl.domain import Domain
from lossctl.errors import UsageError, option
from lossctl.words import counted

SHOWN = 12
"""How many numbers of a list are shown."""
Shape = tuple[int, ...]
"""Of one row: ``()`` or ``(k,)``."""


class Shaped(Protocol):
    """What a loss says of its columns; see `lossctl.functions.bound_loss.BoundLoss`."""

    @property
    def typed(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def other_width(self) -> str: ...
    @property
    def label_domain(self) -> Domain: ...
    @property
    def unlabelled(self) -> bool: ...
    @property
    def rows(self) -> bool: ...
    @property
    def of_classes(self) -> bool: ...
    @property
    def of_number(self) -> bool: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def lists(self) -> dict[str, tuple[float, ...] | None]: ...


def even(k: int) -> tuple[float, ...]:
    """Numbers between 0 and 1 for ``k`` columns, as an example of such a list."""
    return tuple(round((place + 1) / (k + 1), 3) for place in range(k))


def _places(k: int) -> str:
    """A list of ``k`` numbers that only its user knows; an example with numbers would be copied as it is."""
    return "/".join(f"T{place}" for place in range(1, k + 1)) if k <= SHOWN else f"T1/T2/…/T{k}"


def ensure_shapes(bound: Shaped, label: Shape, prediction: Shape) -> None:
    """Check that a loss is defined for one row's label and prediction of these shapes.

    Raises:
        UsageError: it is not.
    """
    if max(len(label), len(prediction)) > 1 or 0 in (*label, *prediction):
        raise UsageError(f"{bound.title}: arrays must be (n,) or (n, k), with k >= 1")
    if bound.unlabelled:
        return
    if bound.rows:
        _ensure_columns(bound, prediction)
        _ensure_label(bound, label, prediction)
    elif label != prediction:
        counts = [shape[0] if shape else 1 for shape in (label, prediction)]
        if counts == [1, 1]:
            side = "label" if label else "prediction"
            raise UsageError(f"{bound.title}: the {side} is (n, 1), but not the other", "Give both as (n,).")
        losses = option(loss=bound.other_width) if bound.other_width else "losses such as cross_entropy"
        hint = f"Name one prediction column; a class a column is for {losses}."
        raise UsageError(
            f"{bound.title} needs as many label columns as prediction columns, not {counts[0]} and {counts[1]}", hint
        )


def _ensure_label(bound: Shaped, label: Shape, prediction: Shape) -> None:
    """Check the label of a loss of rows."""
    single = bound.of_number or bound.label_domain.dimensions == (1,)
    if label not in {(), prediction} or (label and single) or len(label) + 1 not in bound.label_domain.dimensions:
        columns = "one label column" if single else f"{prediction[0]} label columns"
        hint = f"Name one for each; where a single column says the class, there is {option(loss='cross_entropy')}."
        raise UsageError(
            f"{bound.title} needs {columns} with {prediction[0]} prediction columns", "" if single or label else hint
        )


def _ensure_columns(bound: Shaped, prediction: Shape) -> None:
    """Check how many numbers the prediction of a loss of rows has."""
    number = prediction[0] if prediction else 1
    if bound.parts and number != len(bound.parts):
        listed = " and ".join(bound.parts)
        what = f"{bound.title} needs a prediction of {len(bound.parts)} columns, {listed}, not of {number}"
        raise UsageError(what, f"Name them in this order: {option(prediction=','.join(bound.parts))}.")
    if number < 2:
        alone = f"; of the probability of each label alone, {option(loss='bce')} with labels of 1"
        logs = f" (of its logarithm, {option(activation='exp')} as well)"
        single = f"; of one column beside labels of two classes there is {option(loss=bound.other_width)}"
        single = single if bound.other_width not in {"", "bce", "quantile"} else ""
        raise UsageError(
            f"{bound.title} needs a vector prediction: two or more columns",
            f"Use {option(prediction='p_*')} or {option(prediction='a,b,c')}"
            f"{single}{alone + logs if bound.of_classes and 1 in bound.label_domain.dimensions else ''}.",
        )
    for name, value in bound.lists.items():
        example = option(loss=f"{bound.typed or bound.name}:{name}={_places(number)}")
        if value is None:
            what = f"{bound.title} needs {name}, a number for each of the {number} columns"
            hint = f"Say it with a number for each T, in the order of the columns: {example}; or name these for it"
            raise UsageError(what, f"{hint}, such as q10, q50, q90.")
        if len(value) != number:
            what = f"{bound.title}: {name} lists {counted(len(value), 'number')}, the prediction has {number} columns"
            raise UsageError(what, f"Say one for each T, in the order of the columns: {example}.")
