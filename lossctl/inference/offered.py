"""Columns for a loss that was named and takes several numbers for one: parts of a prediction, or quantiles."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lossctl.errors import LossctlError, Undecided, UsageError, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import read_spec, split_specs
from lossctl.functions.lookup import get_loss, meanings
from lossctl.inference.look import Look
from lossctl.inference.names import HALF, levels_among
from lossctl.inference.parts import HALVED, interval_of, pairs_in, scale_of, spellings, stem_of_interval, unsaid_of
from lossctl.inference.patterns import find, titled
from lossctl.inference.questions import COLUMNS, SHOWN
from lossctl.inference.request import Completed, Request, Settings
from lossctl.inference.suitable import fails, see, without_nulls
from lossctl.reading.format import Source


def ensure_taken(source: Source, request: Request, completed: Callable[[Source, Request], Completed]) -> None:
    """Check that a loss gets as many columns as it takes.

    Args:
        source: the data set.
        request: what was asked for; it is of one loss, or nothing is checked.
        completed: what finds the label of a request without a loss.

    Raises:
        UsageError: it does not, or nobody says which; with the columns that are named for it, where there are some.
    """
    specs = split_specs(request.loss)
    bounds = meanings(specs[0])
    if len(specs) > 1 or (len(bounds) > 1 and any(not bound.of_number for bound in bounds)):
        return  # which of several is meant is told by the columns
    bound, widths = bounds[0], [*_widths(source, request)]
    if None in widths or any(width == len(bound.parts) if bound.parts else width > 1 for width in widths if width):
        return
    numbers = [column.name for column in source.columns if column.kind == "number"]
    offers = _offers(bound, specs[0], numbers) if len(request.prediction) < 2 else ()
    ways = [way for columns, loss in offers if (way := _way(source, request, completed, columns, loss))][:SHOWN]
    parts = f"{len(bound.parts)} columns, {' and '.join(bound.parts)}" if bound.parts else "two or more columns"
    what = f"{bound.title} needs a prediction of {parts}" + (f", not of {widths[0]}" if widths else "")
    if ways:
        pair = str(dict(ways[0])["prediction"]).split(",")
        unsaid = bound.parts and interval_of(pair) == 0 and "alpha" not in read_spec(specs[0])[1]
        raise Undecided(what + (f"; {unsaid_of(pair)[0]}" if unsaid else ""), ways=tuple(ways))
    lists = any(column.kind not in {"number", "text"} for column in source.columns)
    if bound.parts and (widths or not (request.prediction or lists)):
        shown = ", ".join(numbers[:COLUMNS]) + (", …" if len(numbers) > COLUMNS else "")
        named = ",".join(part.upper() for part in bound.parts)
        hint = f"Name them in this order, {option(prediction=named)}. Columns of numbers: {shown}."
        halved = f" {HALVED[0].upper()}{HALVED[1:]}." if "log_var" in map(scale_of, pairs_in(numbers)) else ""
        raise UsageError(what, hint + halved)


def _widths(source: Source, request: Request) -> Iterator[int | None]:
    """How many columns each prediction is that was named; ``None`` of one of lists or objects."""
    kinds = {column.name: column.kind for column in source.columns}
    for pattern in request.prediction:
        columns = find(titled(pattern, source.columns)[1], source.columns, "prediction")
        yield len(columns) if len(columns) > 1 or kinds.get(columns[0]) in {"number", "text"} else None


def _offers(bound: BoundLoss, asked: str, names: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Columns by their names, with the loss that they are measured by, likeliest first."""
    models: dict[str, dict[float, str]] = {}
    for name, level in levels_among(names).items():
        models.setdefault(stem_of_interval(name), {})[level] = name
    pairs = [*pairs_in(names)]
    if bound.parts == ("lower", "upper"):
        mirrored = [
            (levels[low], levels.get(round(1.0 - low, 12), ""))
            for levels in models.values()
            for low in sorted(levels)
            if low < HALF
        ]
        ends = [pair for pair in pairs if interval_of(pair) is not None]
        for pair in [pair for pair in mirrored if pair[1]] or ends:
            yield from ((pair, loss) for loss in spellings(asked, pair))
    elif bound.parts == ("mean", "scale"):
        for pair in [pair for pair in pairs if scale_of(pair) is not None]:
            yield from ((pair, loss) for loss in spellings(asked, pair))
    elif any(len(levels) > 1 for levels in models.values()):
        for levels in models.values():
            if len(levels) > 1:
                ordered = tuple(levels[level] for level in sorted(levels))
                yield ordered, asked if "tau" in bound.parameters else "quantiles"
    elif "tau" not in bound.parameters:
        yield from ((pair, "crps_gaussian") for pair in pairs if scale_of(pair) == "std")


def _way(
    source: Source,
    request: Request,
    completed: Callable[[Source, Request], Completed],
    columns: Sequence[str],
    loss: str,
) -> Settings:
    """How to ask for a loss of some columns; nothing where these, or the label, are not what it takes."""
    pattern, bound = ",".join(columns), get_loss(loss)
    try:
        rows = Look(source, {*columns}).rows(columns)
        if rows is None or not len(rows) or bound.prediction_domain.illegal(rows) is not None:
            return ()
        asked = completed(source, replace(request, loss=(), prediction=(pattern,))).request
        seen = see(source, asked)
        failing = any(fitting is not None and fails(seen, fitting) for fitting in seen.fits)
        if seen.layout.text or seen.layout.label_width or failing:
            return ()
    except LossctlError:
        return ()
    label = () if request.label else tuple(("label", name) for name in asked.label)
    return (*label, ("prediction", pattern), ("loss", loss), *without_nulls(seen, request))
