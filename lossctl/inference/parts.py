"""What the columns of one prediction are by their names: a mean and its scale, the ends of an interval, levels."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lossctl.dataclass import dataclass
from lossctl.errors import Undecided, option
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import read_spec
from lossctl.functions.lookup import get_loss
from lossctl.functions.parameter import Value, spell
from lossctl.inference.classes import SHOWN
from lossctl.inference.levels import levels_of, other_levels, some_levels
from lossctl.inference.names import level_of, plain_name
from lossctl.inference.roles import Model

SCALES = {
    "std": ("std", "sd", "sigma", "stdev", "stddev", "deviation", "scale", "se", "stderr"),
    "var": ("var", "variance", "sigma2", "sigmasq", "sigma_sq", "sigma_squared", "std2", "cov"),
    "log_std": ("log_std", "logstd", "log_sigma", "logsigma", "log_scale", "logscale", "log_sd", "logsd"),
    "log_var": ("log_var", "logvar", "log_variance", "logvariance", "log_sigma2", "logsigma2", "log_sigma_sq"),
}
"""What a scale may be, by the words that say so; of words that say several the last counts."""

HALVED = (
    f"half of the logarithm of a variance is that of a standard deviation, which "
    f"{option(loss='gaussian_nll:scale=log_std')} takes"
)
"""What to do about the logarithm of a variance, which no loss takes."""

WORDS = {
    "mean": ("mean", "mu", "loc", "location", "avg", "average", "expected", "center", "centre"),
    "scale": ("spread", "uncertainty", *(word for words in SCALES.values() for word in words)),
    "lower": ("lower", "lo", "low", "lwr", "lb", "min"),
    "upper": ("upper", "hi", "high", "upr", "ub", "max"),
    "first": ("first", "x1", "1"),
    "second": ("second", "x2", "2"),
}
"""Words in the names of columns, by the part of a prediction that they tell."""

DISTINCT = ("mean", "scale", "lower", "upper")
"""Parts of which one is never meant by the name of another."""

ENSEMBLES = frozenset({
    "ens", "ensemble", "member", "members", "mem", "sample", "samples", "draw", "draws", "realization", "realisation",
    "scenario", "perturbation", "bootstrap", "trajectory",
})  # fmt: skip
"""Words for the members of an ensemble."""

POINT = ("pred", "prediction", "predicted", "yhat", "hat", "forecast", "estimate", "point", "output")
"""Words for a mean, where no other word tells what it is."""


def interval_end(name: str) -> str | None:
    """Which end of an interval a column is named for, in words; ``None`` where it is not."""
    spaced = name if level_of(name) is None else re.sub(r"[\d.]+", " ", name)  # lo80
    told = [part for part in ("lower", "upper") if _has(spaced, WORDS[part])]
    return told[0] if len(told) == 1 else None


def stem_of_interval(name: str) -> str:
    """What a column is called, in plain letters, without the end of an interval or the level that it is named for.

    >>> [stem_of_interval(name) for name in ("AutoARIMA-lo-80", "yhat_upper", "lower", "y_q0.1")]
    ['auto_arima', 'yhat', '', 'y']
    """
    ends = "|".join((*WORDS["lower"], *WORDS["upper"]))
    bare = re.sub(rf"(^|_)({ends}|median|(q|p|quantile|percentile|pct|tau)_?\d+)(_[\d_]+)?$", "", plain_name(name))
    return re.sub(rf"^({ends})_", "", bare)


def scale_of(columns: Sequence[str]) -> str | None:
    """What the scale of two columns is that are named for a mean and its scale, empty where their names do not say.

    ``None`` where they are not named so. A scale is the standard deviation, as that of ``scipy.stats.norm`` is.
    """
    parts = ("mean", "scale")
    if len(columns) != 2 or {_part_of(name, DISTINCT) for name in columns} != {*parts}:
        return None
    return _kind_of(next(name for name in columns if _part_of(name, DISTINCT) == "scale"))


def scale_way(bound: BoundLoss, columns: Sequence[str]) -> Iterator[str]:
    """What to do about numbers that the scale of a loss cannot be, by the names of the columns."""
    if "scale" in bound.parameters:
        if scale_of(columns) == "log_var":
            yield f"{HALVED[0].upper()}{HALVED[1:]}."
        elif bound.parameters["scale"] != "log_std":
            way = option(loss=f"{bound.name}:scale=log_std")
            yield f"If those are logarithms of standard deviations: {way}."


def _kind_of(scale: str) -> str:
    """What a scale is by its name; empty where that does not say."""
    return next((kind for kind, words in reversed(SCALES.items()) if _has(scale, words)), "")


def interval_of(columns: Sequence[str]) -> float | None:
    """How much lies outside an interval by the names of its ends, 0 where they do not say; ``None`` of others."""
    if len(columns) != 2 or {*map(interval_end, columns)} != {"lower", "upper"}:
        return None
    return _outside(columns) or 0.0


def _outside(columns: Sequence[str]) -> float | None:
    """How much lies outside two columns that are named for quantiles; ``None`` of others."""
    levels = levels_of(columns)
    return None if levels is None or len(levels) != 2 else round(1.0 - abs(levels[1] - levels[0]), 12)


UNSAID: dict[tuple[str, ...], tuple[str, tuple[float, ...]]] = {
    ("yhat_lower", "yhat_upper"): ("Prophet's default is 80 %, interval_width=0.8", (0.2,)),
    ("mean_ci_lower", "mean_ci_upper"): ("at statsmodels the mean lies there, the labels in obs_ci", ()),
}
"""What else is known of ends of intervals that a library names so, and what lies outside of these by its default."""


def unsaid_of(columns: Sequence[str]) -> tuple[str, tuple[float, ...]]:
    """What is to be said of an interval whose names say no level, and what may lie outside of it, likeliest first."""
    words, outside = UNSAID.get(tuple(sorted(map(plain_name, columns))), ("", ()))
    known = f" ({words})" if words else ""
    return f"how many of the labels they are meant to hold their names do not say{known}", (*outside, 0.1, 0.05)


@dataclass(frozen=True)
class Forecast:
    """What some columns are together, and what they are measured by."""

    task: str
    """The task of a pairing."""
    loss: str
    """One loss or a comma list."""
    why: str


def pairs_in(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pairs of a mean and its scale, and of the ends of an interval, where just one column is named for each."""
    told = [_part_of(name, DISTINCT) for name in names]
    for parts in (DISTINCT[:2], DISTINCT[2:]):
        columns = [[name for name, part in zip(names, told, strict=True) if part == wanted] for wanted in parts]
        if all(len(each) == 1 for each in columns):
            pair = columns[0][0], columns[1][0]
            if scale_of(pair) is not None or interval_of(pair) is not None:
                yield pair


MEMBERS = Forecast("ensembles", "crps_ensemble", "labels are numbers, and the prediction of each is several")
"""What columns forecast that are named for nothing else."""


def are_members(family: Sequence[str], label: str = "") -> bool:
    """Whether numbered columns are named for the members of an ensemble, or the samples of what a label is called.

    >>> are_members(["ens_0", "ens_1"]), are_members(["m0", "m1"]), are_members(["value_s0", "value_s1"], "value")
    (True, False, True)
    """
    stems = {re.sub(r"[\d_]+$", "", plain_name(name)) for name in family}
    if len(stems) != 1:
        return False
    (stem,) = stems
    return bool({*stem.split("_")} & ENSEMBLES) or (bool(label) and stem == f"{plain_name(label)}_s")


def forecast_of(columns: Sequence[str]) -> Forecast | None:
    """What columns forecast by their names; ``None`` where these do not tell."""
    scale, interval, levels = scale_of(columns), interval_of(columns), levels_of(columns)
    if scale is not None:
        losses = ("crps_gaussian," if scale == "std" else "") + _only("gaussian_nll", columns)
        return Forecast("forecasts of a mean and its scale", losses, "the columns are named for a mean and its scale")
    if interval is not None:
        loss = _only("interval", columns)
        return Forecast("forecasts of an interval", loss, "the columns are named for the ends of one")
    if levels is not None and len(columns) > 1:
        return Forecast("forecasts of quantiles", "quantiles", "the columns are named for quantiles")
    return MEMBERS if len(columns) > 1 and are_members(columns) else None


def spellings(loss: str, columns: Sequence[str]) -> tuple[str, ...]:
    """A loss of a mean and its scale or of an interval with what the names of its columns say that it has to know.

    Several where they do not say, likeliest first; none where they say what it does not take.

    >>> spellings("gaussian_nll", ("mu", "sigma")), spellings("interval", ("lo-80", "hi-80"))
    (('gaussian_nll:scale=std',), ('interval:alpha=0.2',))
    """
    bound, typed = get_loss(loss), read_spec(loss)[1]
    outside = _outside(columns)
    values: tuple[Value, ...]
    name, values = "alpha", ((outside,) if outside else unsaid_of(columns)[1])
    kind = scale_of(columns) if "scale" in bound.parameters else None
    if kind is not None:
        name, values = "scale", (kind,) if kind else ("std", "var", "log_std")
    if name not in bound.parameters or name in typed:
        return (loss,)
    if len(values) > 1:
        return tuple(f"{loss}{',' if typed else ':'}{name}={spell(value)}" for value in values)
    return () if kind == "log_var" else (str(bound.listing(**{name: values[0]})),)


def _only(loss: str, columns: Sequence[str]) -> str:
    """A loss as names spell it, bare where they do not say how."""
    spelled = spellings(loss, columns)
    return spelled[0] if len(spelled) == 1 else loss


TOLD = {"tau": levels_of}
"""Parameters that the names of columns tell."""


def listed(bound: BoundLoss, model: Model, beside: Sequence[Model], *, alone: bool = False) -> tuple[BoundLoss, str]:
    """A loss with the numbers for each column that nobody said, where names tell them; and a note that says so.

    Args:
        bound: the loss.
        model: the model that it is of.
        beside: all models, of which another may have columns of the same kind that are named for it.
        alone: whether there is no other loss and no other model.

    Raises:
        Undecided: the names of some columns tell them, and those of others do not.
    """
    unsaid = [name for name, value in bound.lists.items() if value is None and name in TOLD]
    for other in (model, *(each for each in beside if each.width == model.width)) if unsaid else ():
        values = {name: TOLD[name](other.columns) for name in unsaid}
        told = {name: value for name, value in values.items() if value is not None}
        if told:
            words = ", ".join(f"{name} is {spell(value)}" for name, value in told.items())
            whose = "the columns are" if other == model else f"those of {other.name} are"
            return bound.listing(**told), f"{model.name}: {words}, as {whose} named"
    if "tau" in unsaid:
        _ensure_levels(bound, model.columns, alone=alone)
    return bound, ""


def _ensure_levels(bound: BoundLoss, columns: Sequence[str], *, alone: bool) -> None:
    """Check that columns are not named for levels but for some of them; arguments and errors as for `listed`."""
    levels = some_levels(columns)
    rest = [name for name, level in zip(columns, levels, strict=True) if level is None]
    if len(rest) in {0, len(columns)}:
        return
    known = dict(sorted((level, name) for name, level in zip(columns, levels, strict=True) if level is not None))
    means = {*WORDS["mean"], *POINT, *map(stem_of_interval, known.values())}
    said, central = (
        bound.typed or bound.name,
        0.5 not in known and [plain_name(name) in means for name in rest] == [True],
    )
    middle = tuple(0.5 if level is None else level for level in levels)
    ways: list[tuple[tuple[str, str], ...]] = []
    if central:
        ways.append((("loss", f"{said}{',' if ':' in said else ':'}tau={spell(middle)}"),))
    if len(known) > 1:
        ways.append((("prediction", ",".join(known.values())), ("loss", said)))
    without = f"{', '.join(rest[:SHOWN])}{', …' if len(rest) > SHOWN else ''}"
    what = f"{bound.title} needs tau, a number for each of the {len(columns)} columns, and no name says it of {without}"
    advice = f"By the names tau is {spell(tuple(known))} of {', '.join(known.values())}: name those alone."
    raise Undecided(what + (": the median?" if central else ""), advice, tuple(ways) if alone else ())


def in_parts(model: Model, parts: Sequence[str]) -> tuple[Model, str]:
    """A model with its columns in the order of the parts, as far as their names tell it; and a note of which is which.

    Args:
        model: as many columns as there are parts, or one of lists.
        parts: what the numbers of its prediction are.
    """
    columns = model.columns
    if len(columns) != len(parts):
        return model, f"{model.name}: {', '.join(parts)} by position in the list"
    told = [_part_of(name, parts) for name in columns]
    known = [part for part in told if part is not None]
    if not known or len({*known}) < len(known):
        return model, f"{model.name}: {_pairs(parts, columns)}, by position"
    rest = iter([part for part in parts if part not in known])
    places = [part or next(rest) for part in told]
    order = tuple(columns[places.index(part)] for part in parts)
    return replace(model, columns=order), f"{model.name}: {_pairs(parts, order)}, as the columns are named"


def _pairs(parts: Sequence[str], columns: Sequence[str]) -> str:
    return ", ".join(f"{part} is {name}" for part, name in zip(parts, columns, strict=True))


def _has(name: str, words: Sequence[str]) -> bool:
    """Whether some words stand in a name, whole."""
    return any(f"_{word}_" in f"_{plain_name(name)}_" for word in words)


def _part_of(name: str, parts: Sequence[str]) -> str | None:
    """Which of the parts a column is named for."""
    told = [part for part in parts if _has(name, WORDS.get(part, (part,)))]
    told = [part for part in told if part in {"lower", "upper"}] or told  # of an interval of the mean
    level = level_of(name)
    if not told and level is not None and level != 0.5:
        told = [part for part in parts if part == ("lower" if level < 0.5 else "upper")]
    if not told and "mean" in parts and _has(name, POINT):
        return "mean"
    return told[0] if len(told) == 1 else None


def contradictions(bound: BoundLoss, columns: Sequence[str]) -> Iterator[str]:
    """Where a loss takes the columns of a prediction for something else than they are named for."""
    if len(columns) == len(bound.parts):
        by_part = dict(zip(bound.parts, columns, strict=True))
        yield from _other_scale(bound, by_part)
        for part, name in by_part.items():
            known = _part_of(name, DISTINCT) or part
            if part in DISTINCT and known != part and level_of(name) is None:
                yield f"{bound.title}: the {part} is {name!r}, which is a name for a {known}"
    if bound.of_number and not bound.parts and len(columns) == 2:
        first, second = (_part_of(name, DISTINCT) for name in columns)
        if first and second and level_of(columns[0]) is None:
            yield f"{bound.title}: {columns[0]!r} is named for a {first}, and {columns[1]!r} for a {second}"
    if "tau" in bound.parameters or bound.parts == ("lower", "upper"):
        yield from other_levels(bound, columns)


def _other_scale(bound: BoundLoss, by_part: dict[str, str]) -> Iterator[str]:
    """Where a scale is named for another kind of scale than the loss takes."""
    name, takes = by_part.get("scale", ""), bound.parameters.get("scale", "std")
    named = _kind_of(name) or takes
    if named == takes:
        return
    choices = next((each.words() for each in bound.definition.parameters if each.name == "scale"), ())
    way = f"; if it is that, say {option(loss=f'{bound.name}:scale={named}')}" if named in choices else ""
    way = f"; {HALVED}" if named == "log_var" else way
    yield f"{bound.title}: the scale {name!r} is named for {named}, and is taken for {takes}{way}"
