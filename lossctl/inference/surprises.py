"""Logarithms of the probability of what each row is, such as those of tokens: their loss needs no label."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lossctl.errors import Undecided, option
from lossctl.inference.names import (
    PREDICTIONS,
    is_count,
    is_log_probability,
    is_mask,
    is_mean,
    is_sum,
    is_surprisal,
    kept_by,
)
from lossctl.inference.request import Settings

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate
    from lossctl.inference.request import Request
    from lossctl.inference.side import Side
    from lossctl.reading.columns import Column

MOST = 3
"""How many ways are shown."""
LOGS = "log=true"
LOSS = f"surprisal:{LOGS}"
"""The loss of logarithms of probabilities."""
_PROBABLE = re.compile(r"prob|(^|_)p(_|$)", re.IGNORECASE)
ROUNDING = 1e-6
"""What the logarithm of a probability may be above 0."""


def own_loss(name: str) -> str:
    """What to do where a column of logarithms of probabilities, or their negatives, is its own loss."""
    if is_log_probability(name):
        return f"Their loss needs no label: {option(prediction=name)} {option(loss=LOSS)}."
    zeros = f"{option(label='zeros')} {option(prediction=name)} {option(loss='mae')}"
    return f"Their loss is their mean: add a column of zeros, and say {zeros}."


def unlabelled(side: "Side", named: Sequence[str], request: "Request") -> Undecided | None:
    """The question for predictions that are logarithms of probabilities, or their negatives, where nothing is a label.

    Args:
        side: the columns that have no role.
        named: the predictions that were named; they are told by their names where none were.
        request: what was asked for.

    Returns:
        The error, with a way to the mean for each mask by which there is one; ``None`` where predictions are something
        else, or another column may hold a yes or no.
    """
    known = [*named] or side.known(PREDICTIONS[0] | PREDICTIONS[1])
    logarithms, negatives = (_columns(side, named, is_named) for is_named in (is_log_probability, is_surprisal))
    negatives_only = not logarithms
    own, loose = logarithms or negatives, {*named} - {*logarithms, *negatives}
    if not own:
        return None if request.loss or request.where is not None else _of_tokens(side, named, known)
    if loose or not {*known} <= {*logarithms, *negatives}:
        return None
    looks = (side.look.candidate(name) for name in own)
    numbers = [column.content.numbers for column in looks if column is not None and column.kind == "number"]
    if not all(values.n and (negatives_only or values.high <= ROUNDING) for values in numbers):
        return None
    if any("label" in column.roles and column.classes == {0, 1} for column in side.candidates):
        return None
    summed = of_sums(side, own, request, "−" if negatives_only else "")
    if summed is not None:
        return summed
    shown, sign = ", ".join(map(repr, own)), "" if logarithms else "−"
    what = f"the predictions {shown} are {sign}log-probabilities of what each row is, and no column looks like a label"
    nulls = _without_nulls(side, own)
    free = tuple((*way, *nulls) for way in _ways(side, named, own, negatives=negatives_only))[:MOST]
    free = () if request.loss or request.where is not None else free
    masks = () if request.where is not None else _masks(side)[:1]
    rest = [
        f" Rows that do not count are left out with {option(where=_condition(mask, kept_by(mask.name)[0]))}."
        for mask in masks
    ]
    return Undecided(what, own_loss(own[0]) + "".join(rest), free)


def _of_tokens(side: "Side", named: Sequence[str], known: Sequence[str]) -> Undecided | None:
    """The question for lists of several lengths that may be of probabilities, where no other prediction is known."""
    lists = [column for column in side.columns if column.kind == "list" and column.name in {*named}]
    lists = lists or [column for column in side.free if column.kind == "list" and _PROBABLE.search(column.title)]
    own = [column.name for column in lists if side.look.differ_in_length(column.name)]
    if not own or not {*known} <= {*own}:
        return None
    what = f"lists of {_listed(own)} differ in length, as those of tokens do, and no column looks like a label"
    models: Settings = () if named else tuple(("prediction", name) for name in own)
    hint = f"Probabilities of what each token is need no label: {option(prediction=own[0])} {option(loss='surprisal')}."
    return Undecided(what, hint, ((*models, ("loss", "surprisal"), *_without_nulls(side, own)),))


def of_sums(side: "Side", own: Sequence[str], request: "Request", sign: str = "") -> Undecided | None:
    """The question for logarithms that are sums over the tokens of a row, or means of them; ``None`` of others.

    Args:
        side: the columns.
        own: those of the logarithms.
        request: what was asked for.
        sign: ``−`` of what is negative already.
    """
    single = [name for name in own if any(each.name == name and each.kind == "number" for each in side.columns)]
    counts = [each.name for each in side.columns if each.kind == "number" and is_count(each.name)]
    means = [name for name in single if is_mean(name)]
    if counts and not sign and [*own] == means and request.weight is None:
        what = f"the predictions {_listed(means)} are means over the tokens of a row, {counts[0]!r} of them"
        models = tuple(("prediction", name) for name in means)
        return Undecided(what, ways=((*models, ("loss", f"perplexity:{LOGS}"), ("weight", counts[0])),))
    single = [name for name in single if name not in means and "token" not in name.casefold()]
    sums = [name for name in single if is_sum(name) or (counts and request.weight is None)]
    if not sums:
        return None
    count, verb = counts[0] if counts else "n_tokens", "are sums" if sums[1:] else "is a sum"
    many = f"{count!r} of them" if counts else "and no column says of how many"
    flags = f"{option(prediction='mean')} {option(weight=count)} {option(loss=f'perplexity:{LOGS}')}"
    return Undecided(
        f"{_listed(sums)} {verb} of {sign}log-probabilities over the tokens of a row, {many}",
        f"Perplexity is of the mean of all tokens: add a column mean = {sign}{sums[0]} / {count}, and say {flags}.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _columns(side: "Side", named: Sequence[str], is_named: Callable[[str], bool]) -> list[str]:
    """The columns of numbers with such a name: of those named, or else of those that are free."""
    numbers = [column for column in side.columns if column.kind in {"number", "list"}]
    among = {*named} or {column.name for column in side.free}
    known = [column for column in numbers if column.name in among and is_named(column.title)]
    return [column.name for column in (known if named else of_tokens(known))]


def of_tokens(columns: "Sequence[Column]") -> "list[Column]":
    """Those of some columns of logarithms that are of a token each, without sums and means of these beside them."""
    single = [column for column in columns if not (is_sum(column.title) or is_mean(column.title))]
    return single or [*columns]


def _ways(side: "Side", named: Sequence[str], own: Sequence[str], *, negatives: bool) -> Iterator[Settings]:
    """How to ask for the mean over the rows that count, by each mask; over all where there is none.

    Of what is negative already a label of 0 has mae for ∣p∣, where a mask has one.
    """
    predictions: Settings = () if named else tuple(("prediction", name) for name in own)
    masks = _masks(side)
    for mask in masks:
        for bit in kept_by(mask.name):
            if bit in mask.classes and not (negatives and bit):
                label: Settings = (("label", mask.name),) if negatives else ()
                chosen: Settings = (("where", _condition(mask, bit)),) if len(mask.classes) > 1 else ()
                yield (*label, *predictions, ("loss", "mae" if negatives else LOSS), *chosen)
    if not masks and not negatives:
        yield (*predictions, ("loss", LOSS))


def _without_nulls(side: "Side", names: Sequence[str]) -> Settings:
    """What leaves out nulls: numbers of lists, such as that of the first token, and rows of other columns."""
    lists = {column.name for column in side.columns if column.kind == "list"}
    nulls = {name in lists for name in names if side.look.has_null(name)}
    return ((("mask_null", True),) if True in nulls else ()) + ((("nulls", "drop"),) if False in nulls else ())


def _masks(side: "Side") -> "list[Candidate]":
    """The columns that say as 0 or 1 which rows count, that of the loss first."""
    numbers = [candidate for candidate in side.look.candidates if candidate.kind == "number" and candidate.classes]
    masks = [candidate for candidate in numbers if is_mask(candidate.name) and candidate.classes <= {0, 1}]
    return sorted(masks, key=lambda mask: "loss" not in mask.name.casefold())


def _condition(mask: "Candidate", bit: int) -> str:
    """That the bit of a mask is that."""
    from lossctl.reading.where import written

    return f"{written(mask.name)} = {bit}"
