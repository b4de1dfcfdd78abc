"""Which loss a text such as ``huber:delta=0.5`` means, and what it may mean on other columns."""

import re
from collections.abc import Iterable

from lossctl.arguments import checked
from lossctl.errors import UsageError, option
from lossctl.functions.activation import activations
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import read_spec
from lossctl.functions.loss import Loss, losses
from lossctl.words import normal, said


@checked("spec")
def get_loss(spec: str | BoundLoss, *, columns: int | None = None, label_columns: int = 1) -> BoundLoss:
    """The loss that a text such as ``huber:delta=0.5`` names, with its parameters.

    Args:
        spec: a name or alias, and parameters after a colon; a bound loss is returned as it is.
        columns: the number of prediction columns where it is known: ``cross_entropy`` on one column means ``bce``,
            ``log_loss`` on several means ``cross_entropy``.
        label_columns: the number of label columns: beside as many predictions, each has its own.

    Raises:
        UsageError: an unknown name or parameter, a parameter out of range, or one that must be given and is not.
    """
    if isinstance(spec, BoundLoss):
        return spec
    if not isinstance(spec, str):
        raise UsageError(f"{said(spec)} is no loss", "Give a name such as 'huber:delta=0.5', or what get_loss returns.")
    return _read(spec, columns, label_columns, example=False)


def example_of(spec: str) -> BoundLoss:
    """As `get_loss`, with an example of each parameter that must be given and is not: to show what a loss is like."""
    return _read(spec, None, 1, example=True)


def _read(spec: str, columns: int | None, label_columns: int, *, example: bool) -> BoundLoss:
    if ":" in spec and "=" not in spec and normal(spec) in losses.others():  # such as reg:squarederror
        raise losses.unknown(spec)
    name, values = read_spec(spec)
    _ensure_spelled(spec, name)
    definition, other = losses.get(name), _otherwise(name)
    if other is not None and columns is not None and (columns > 1) != definition.prediction_domain().rows:
        single = not other.label_domain().classes and not other.label_domain().rows
        if label_columns < 2 or not single or not other.prediction_domain().rows:
            definition, other = other, definition
    try:
        settings = definition.settings(values, read=True, typed=name, example=example)
    except UsageError as wrong:
        if other is None or not _takes(other, values):
            raise
        if columns is not None:
            number = "one prediction column" if columns == 1 else f"{columns} prediction columns"
            hint = wrong.parts[1] or f"That is for {'several columns' if columns == 1 else 'one column'}: {other.name}."
            raise UsageError(f"{wrong.parts[0]}, with {number}", hint) from None
        definition, settings = other, other.settings(values, read=True, typed=name, example=example)
    return BoundLoss(definition, settings, definition.reduction, typed=name)


def _ensure_spelled(spec: str, name: str) -> None:
    """Refuse what is written as elsewhere, or names something else, with the way it is written here."""
    known, at, value = name.partition("@")
    if at and known in losses and losses.get(known).parameters:
        said_here = f"{losses.get(known).name}:{losses.get(known).parameters[0].name}={value}"
        raise UsageError(f"{spec!r}: a parameter stands behind a colon, by its name", f"Say {option(loss=said_here)}.")
    called = re.fullmatch(r"([\w.]+)\((.*)\)", spec)
    if called and read_spec(called[1])[0] in losses:
        first = [parameter.name for parameter in losses.get(read_spec(called[1])[0]).parameters][:1]
        given = "".join(f"{name}=" for name in first if "=" not in called[2]) + called[2].replace(" ", "")
        said_here = f"{read_spec(called[1])[0]}:{given}" if called[2] else read_spec(called[1])[0]
        raise UsageError(f"{spec!r}: a parameter stands behind a colon, by its name", f"Say {option(loss=said_here)}.")
    if re.fullmatch(r"\d*\.?\d+", name):
        raise UsageError(f"{name} is a number, no loss", "A list has / between its numbers: quantiles:tau=0.1/0.5/0.9.")
    if name not in losses and name in activations:
        own = activations.get(name).name
        fits = (loss for loss in ("bce", "cross_entropy", "poisson") if losses.get(loss).natural_activation == own)
        said_here = f"{option(loss=next(fits, 'mse'))} {option(activation=own)}"
        raise UsageError(f"unknown loss {name!r}: it is an activation", f"Name a loss of what it gives: {said_here}.")


def _otherwise(name: str) -> Loss | None:
    """The loss that a name means for another number of prediction columns; ``None`` where it means one for any."""
    definition = losses.get(name)
    if definition.other_width is None:
        return None
    other, spellings = definition.other_width
    return losses.get(other) if normal(name) in map(normal, spellings) and other in losses else None


def _takes(definition: Loss, values: dict[str, str]) -> bool:
    """Whether a loss has parameters of these names, and they may have these values."""
    try:
        definition.settings(values, read=True, example=True)
    except UsageError:
        return False
    return True


def meanings(spec: str | BoundLoss) -> tuple[BoundLoss, ...]:
    """What a text may mean, by how many prediction columns there are; errors as for `example_of`."""
    if isinstance(spec, BoundLoss):
        return (spec,)
    bound = example_of(spec)
    name, values = read_spec(spec)
    others = (each for each in (losses.get(name), _otherwise(name)) if each is not None and _takes(each, values))
    settings = ((each, each.settings(values, read=True, example=True)) for each in others)
    return (bound, *(BoundLoss(each, setting, each.reduction, typed=name) for each, setting in settings))


def of_each_column(bound: BoundLoss) -> str:
    """A name of the loss that judges each column as this one judges a row, with however many columns."""
    single = losses.get((bound.definition.other_width or ("bce", ()))[0])
    wider = () if single.other_width is None else single.other_width[1]
    return next((name for name in (single.name, *single.aliases) if name not in wider), "bce")


def meant(spec: str, known: Iterable[str]) -> list[str]:
    """Those of some losses, as they are spelled, that a text means: the loss it spells, else those of the bare name."""
    bounds, known = meanings(spec), list(known)
    whole = {*map(str, bounds)}
    names = whole | {bound.name for bound in bounds if ":" not in str(spec)}
    return [loss for loss in known if loss in whole] or [loss for loss in known if loss.partition(":")[0] in names]
