"""Whether log-probabilities are those of tokens, as perplexity takes them, or sums over the tokens of a row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from lossctl.arrow import filled
from lossctl.domain import FloatArray, distinct
from lossctl.errors import Undecided, UsageError, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.inference.look import rows_of
from lossctl.inference.names import is_count, is_mean, is_sum
from lossctl.inference.patterns import find, titled
from lossctl.inference.reader import Reader
from lossctl.inference.request import Request
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow, floats
from lossctl.reading.columns import fields_in
from lossctl.reading.format import Source, Wanted

LIMIT = 20.0
"""Nats that no token has in the middle: one of a hundred thousand has 12 where nothing is known of it."""
PROPORTIONAL = 0.5
"""The power of the number of tokens with which a sum grows, and a mean does not."""
SIGNIFICANT = 3.0
"""Standard errors from which such a power is no accident."""
FEW = 2
"""Rows through which there always is such a power."""
EXPONENTIAL = "exp-ratio"


class _Column(NamedTuple):
    """A prediction: the column, and whether its title says that it is a sum or a mean."""

    name: str
    sum: bool
    mean: bool


def ensure_of_tokens(source: Source, request: Request) -> None:
    """Check that numbers averaged by tokens are no sums over these, and lists are not weighted by their length.

    Args:
        source: the data set.
        request: what was asked for, with predictions and losses without a label.

    Raises:
        Undecided: they are, or look like it; with what to ask instead.
    """
    kinds = {column.name: column.kind for column in (*source.columns, *fields_in(source.columns))}
    try:
        columns = [_column(pattern, source) for pattern in request.prediction]
        weight = None if request.weight is None else find(request.weight, source.columns, "weight")[0]
    except UsageError:
        return  # which is said when its turn comes
    lists = [column.name for column in columns if column is not None and kinds[column.name] == "list"]
    numbers = [column for column in columns if column is not None and kinds[column.name] == "number"]
    if weight is not None:
        for name in lists:
            _ensure_once(source, name, weight)
    losses = [get_loss(spec) for spec in split_specs(request.loss)]
    averaged = [bound for bound in losses if weight is not None or bound.reduction == EXPONENTIAL]
    counts = [weight] if weight is not None else [name for name in kinds if is_count(name) and kinds[name] == "number"]
    if averaged and counts:
        told = {column.name: _is_sum(source, column, counts[0], averaged[0]) for column in numbers}
        sums = [name for name, sure in told.items() if sure is not None]
        if sums:
            raise _of_sums(sums, counts[0], averaged[0], sure=any(told.values()))


def _column(pattern: str, source: Source) -> _Column | None:
    title, pattern = titled(pattern, source.columns)
    names = find(pattern, source.columns, "prediction")
    if len(names) > 1:
        return None
    named = title or names[0]
    return _Column(names[0], is_sum(named), is_mean(named))


def _is_sum(source: Source, column: _Column, count: str, bound: BoundLoss) -> bool | None:
    """Whether it is sure that numbers are sums over as many tokens as another column says; ``None`` if they are none.

    It is where they are more than a token has, and not where that is told by their name, or as they grow with it.
    """
    names = column.name, count
    rows = rows_of(sampled(source, Wanted(frozenset(names), frozenset())).records, names)
    if rows is None or not len(rows) or not _counts(rows[:, 1], count):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        surprisals = -rows[:, 0] if bound.parameters.get("log") else -np.log(rows[:, 0])
    legal = np.isfinite(surprisals) & (surprisals > 0) & (rows[:, 1] > 0)
    if legal.any() and np.median(surprisals[legal]) > LIMIT:
        return True
    return False if not column.mean and (column.sum or _grow(surprisals[legal], rows[legal, 1])) else None


def _counts(numbers: FloatArray, name: str) -> bool:
    """Whether numbers are those of tokens: by their name, or whole ones that differ."""
    whole = bool((numbers % 1 == 0).all() and (numbers >= 1).all())
    return is_count(name) or (whole and len(distinct(numbers)) > 1)


def _grow(surprisals: FloatArray, counts: FloatArray) -> bool:
    """Whether surprisals grow with the number of tokens rather than not."""
    x, y = np.log(counts), np.log(surprisals)
    x, y = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    spread = float(x @ x)
    if len(x) <= FEW or not spread:
        return False
    power = float(x @ y) / spread
    rest = y - power * x
    error = np.sqrt(float(rest @ rest) / (len(x) - FEW) / spread)
    return bool(power > PROPORTIONAL and power > SIGNIFICANT * error)


def _of_sums(sums: Sequence[str], count: str, bound: BoundLoss, *, sure: bool) -> Undecided:
    """The question for sums."""
    look, shown = "look like sums" if sums[1:] else "looks like a sum", ", ".join(map(repr, sums))
    flags = f"{option(prediction='mean')} {option(weight=count)} {option(loss=str(bound))}"
    quotient = f"{sums[0]} / {count}" if bound.parameters.get("log") else f"{sums[0]} ** (1 / {count})"
    otherwise = "" if sure else f" What is a mean already is called so: {option(prediction=f'mean={sums[0]}')}."
    return Undecided(
        f"{shown} {look} of log-probabilities over the tokens of a row, {count!r} of them",
        f"{bound.title.capitalize()} is of the mean of all tokens: add a column mean = {quotient}, and say {flags}."
        + otherwise,
    )


def _ensure_once(source: Source, name: str, weight: str) -> None:
    """Check that lists are not weighted by how many tokens they have, each of which counts once without it."""
    matching = total = 0
    for record in sampled(source, Wanted(frozenset({name, weight}), frozenset())).records:
        lists, reader = record.column(name), Reader(record)
        try:
            counts = reader.numbers(weight)
        except BadRow:
            return
        lengths = floats(filled(pc.list_value_length(lists), -1))
        rows = ~reader.null & (lengths >= 0)
        total += int(rows.sum())
        matching += int((np.abs(counts - lengths) <= 1)[rows].sum())  # the first token may be counted, and have none
    if total and matching == total and (is_count(weight) or total > 2):
        what = f"{weight!r} is the number of tokens in the lists {name!r}: each token counts once without it"
        raise Undecided(what, f"Leave {option(weight=weight)} out: with it, those of long rows count more than others.")
