"""By which conventions losses become numbers: what somebody asked for, else what a library does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl.errors import UsageError, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import read_spec
from lossctl.functions.lookup import get_loss
from lossctl.inference.request import Request
from lossctl.reduction import MEAN, PER_ROW
from lossctl.row_domains import SIMPLEX
from lossctl.words import normal

if TYPE_CHECKING:
    from lossctl.functions.compat import Agreement


class Conventions(NamedTuple):
    """What a library would have set for a loss, as far as nobody said otherwise."""

    agreement: "Agreement | None"
    settings: Mapping[str, Any]


def _of_library(request: Request, spec: str | BoundLoss, bound: BoundLoss, width: int) -> Conventions | None:
    """What a library sets for a loss; ``None`` where none was asked for.

    Args:
        request: what was asked for, which goes first.
        spec: the loss as it was asked for.
        bound: that loss.
        width: how many numbers a prediction has, 0 for a plain one.

    Raises:
        UsageError: there is no such library.
    """
    if request.compat is None:
        return None
    from lossctl.functions.compat import agreement, peer_of  # noqa: PLC0415  (most runs have no use for it)

    known = agreement(peer_of(request.compat), bound.definition)
    if known is None:
        return Conventions(None, {})
    if isinstance(spec, str):
        typed = set(map(normal, read_spec(spec)[1]))
    else:
        typed = {normal(p.name) for p in bound.definition.parameters if bound.parameters[p.name] != p.default}
    weighted = request.weight is not None or request.class_weight is not None
    needless = {
        "weight_norm": not weighted or request.mask_null or bool(request.ignore_label),
        "columns": not width,
        "normalize_rows": request.from_logits or request.activation is not None or not bound.rows,
        "ignore_label": False,
    }
    given = {name for name in known.options if getattr(request, name) not in {None, (), False}}
    settings = {name: value for name, value in known.parameters.items() if normal(name) not in typed}
    settings |= {
        name: value
        for name, value in known.options.items()
        if name not in given and normal(name) not in typed and not needless.get(name, False)
    }
    return Conventions(known, settings)


def bound_by(
    request: Request, specs: Sequence[str | BoundLoss], losses: Sequence[BoundLoss], width: int
) -> tuple[list[BoundLoss], list[Conventions | None]]:
    """Losses under the conventions that were asked for, and what a library does of each.

    Args:
        request: what was asked for.
        specs: the losses as they were asked for.
        losses: those losses.
        width: how many numbers a prediction has, 0 for a plain one.

    Raises:
        UsageError: there is no such library, or no such reduction.
    """
    ways = [_of_library(request, spec, bound, width) for spec, bound in zip(specs, losses, strict=True)]
    settings = [{} if way is None else way.settings for way in ways]
    return [_bound_by(bound, request, own) for bound, own in zip(losses, settings, strict=True)], ways


def _bound_by(bound: BoundLoss, request: Request, settings: Mapping[str, Any]) -> BoundLoss:
    """The loss under the conventions that were asked for, else under those settings."""
    own = {p.name for p in bound.definition.parameters} & settings.keys()
    if own:
        given = {**bound.parameters, **{name: settings[name] for name in own}}
        bound = replace(bound, settings=bound.definition.settings(given))
    reduction = request.reduction or settings.get("reduction")
    bound = bound if reduction is None else bound.under(reduction)
    columns = request.columns or settings.get("columns")
    if columns is not None and _has_columns(bound):
        bound = replace(bound, over_columns=columns)
    if (request.weight_norm or settings.get("weight_norm")) == "n" and bound.reduction == MEAN.name:
        bound = bound.under(PER_ROW.name)
    return bound


def _has_columns(bound: BoundLoss) -> bool:
    """Whether a loss may be of several columns, one by one."""
    return not (bound.rows or bound.definition.others)


class Settled(NamedTuple):
    """What the conventions of all losses come to."""

    normalized: bool
    """Whether rows are rescaled."""
    settings: tuple[tuple[str, Any], ...]
    """What stands in the settings of a report."""
    notes: tuple[str, ...]
    """What no setting makes like the library."""


def settled(request: Request, losses: Mapping[BoundLoss, Conventions | None], *, wide: bool, masked: bool) -> Settled:
    """What the conventions of all losses come to.

    Args:
        request: what was asked for.
        losses: all losses, with what a library does of each.
        wide: whether some prediction has several columns.
        masked: whether single labels may be left out of their rows.

    Raises:
        UsageError: something that was asked for has nothing to do.
    """
    _ensure_conventions(request, list(losses), wide=wide, masked=masked)
    normalized = _normalized_by(request, losses)
    settings = _told(request, losses, normalized=normalized)
    return Settled(normalized, tuple(settings.items()), tuple(_remarks(request, losses)))


def _ensure_conventions(request: Request, bounds: Sequence[BoundLoss], *, wide: bool, masked: bool) -> None:
    """Check that what was asked for has something to do.

    Args:
        request: what was asked for.
        bounds: all losses.
        wide: whether some prediction has several columns.
        masked: whether single labels may be left out of their rows.

    Raises:
        UsageError: it has not.
    """
    if request.weight_norm == "n":
        flag = option(weight_norm="n")
        if request.weight is None and request.class_weight is None:
            raise UsageError(f"{flag}: rows have no weights", f"Name a column of them: {option('weight')}.")
        if not any(bound.reduction == PER_ROW.name for bound in bounds):
            raise UsageError(f"{flag}: none of the losses is a mean of rows", "Leave it out.")
        if masked:
            hint = f"Leave it out, or say {option(columns='sum')}."
            if any(bound.over_cells and bound.reduction == PER_ROW.name for bound in bounds):
                raise UsageError(f"{flag}: the mean is over the labels that are there, not over rows", hint)
    if request.columns == "sum" and not (wide and any(map(_has_columns, bounds))):
        what = f"{option(columns='sum')}: no loss here has several columns that it judges one by one"
        raise UsageError(what, "Leave it out.")


def ignored_by(request: Request, specs: Sequence[str | BoundLoss]) -> tuple[str, ...]:
    """The labels that a library ignores in all of the losses.

    Raises:
        UsageError: there is no such library, or no such loss.
    """
    if request.compat is None or request.ignore_label or not specs:
        return ()
    from lossctl.functions.compat import agreement, peer_of  # noqa: PLC0415  (likewise)

    peer = peer_of(request.compat)
    known = [agreement(peer, get_loss(spec, columns=2).definition) for spec in specs]
    words = {"" if one is None else str(one.options.get("ignore_label", "")) for one in known}
    return tuple(words) if len(words) == 1 and words != {""} else ()


def _normalized_by(request: Request, losses: Mapping[BoundLoss, Conventions | None]) -> bool:
    """Whether rows are rescaled, since somebody says so or a library does it for all losses."""
    return request.normalize_rows or (
        bool(losses)
        and all(
            one is not None and "normalize_rows" in one.settings and bound.prediction_domain == SIMPLEX
            for bound, one in losses.items()
        )
    )


def _told(request: Request, losses: Mapping[BoundLoss, Conventions | None], *, normalized: bool) -> dict[str, Any]:
    """What of conventions stands in the settings of a report; nothing where nothing was asked for."""
    settings: dict[str, Any] = {}
    if request.weight_norm is not None:
        settings["weight_norm"] = request.weight_norm
    if request.columns is not None:
        settings["columns"] = request.columns
    if request.compat is not None:
        from lossctl.functions.compat import peer_of  # noqa: PLC0415  (likewise)

        settings["compat"] = {
            "peer": peer_of(request.compat),
            "set": {
                str(bound): {
                    name: value for name, value in one.settings.items() if name != "normalize_rows" or normalized
                }
                for bound, one in losses.items()
                if one is not None and one.agreement is not None
            },
        }
    return settings


def _remarks(request: Request, losses: Mapping[BoundLoss, Conventions | None]) -> Iterator[str]:
    """What no setting makes like the library."""
    if request.compat is None:
        return
    from lossctl.functions.compat import PEERS, peer_of  # noqa: PLC0415  (likewise)

    peer = peer_of(request.compat)
    title = PEERS[peer].title
    for bound, one in losses.items():
        if one is not None and one.agreement is None:
            yield f"compat {peer}: {title} has no {bound.name}, which is as lossctl has it"
        elif one is not None and one.agreement is not None:
            if one.agreement.rest:
                yield f"compat {peer}: {bound.name}: {one.agreement.rest}; lossctl has no option for this"
            if one.agreement.note:
                yield f"compat {peer}: {bound.name}: {one.agreement.note}"
