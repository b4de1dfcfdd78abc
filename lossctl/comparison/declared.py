"""Gates as they are declared: the keys of a configuration, or of a mapping in Python, become a `Gate`."""

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossctl.arguments import argument_of, described, fits
from lossctl.comparison.gate import FailIf, Gate, Kind, OnInconclusive, PassIf
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.evaluation.evaluate import evaluate
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import get_loss
from lossctl.words import did_you_mean, either, said, split

Cell = str | int | bool | None


@dataclass(frozen=True)
class Key:
    """A key of a gate that is about the claim; the others are about the data, as for `lossctl.evaluate`."""

    hint: Any
    """The type of its value."""
    words: str


CLAIMS: Mapping[str, Key] = {
    "max": Key(float, "The loss is at most this."),
    "max_increase": Key(
        float | str, 'The loss is above that of the baseline by at most this; "0.5%" is a part of the baseline.'
    ),
    "min_skill": Key(float, "1 minus the ratio of the loss to that of the best constant is at least this."),
    "min_n": Key(int, "At least so many rows are measured."),
}
"""What a gate claims: it has exactly one of these."""
KEYS: Mapping[str, Key] = {
    "name": Key(str, "What the gate is called; no two are called the same."),
    **CLAIMS,
    "loss": Key(str, "Which loss, such as huber:delta=1."),
    "model": Key(str, "Which model; left out, every one but the baseline of a max_increase."),
    "file": Key(str | list[str], "The predictions; left out, those that the command is given."),
    "baseline": Key(
        str,
        "What a max_increase is held against: a model of the same file, a file of predictions whose rows are matched "
        "by id, or a .json that lossctl baseline save wrote; left out, the first model.",
    ),
    "by": Key(str | list[str], "Columns to group by: each group is held against the limit."),
    "only": Key(Mapping[str, Cell], "Which of these groups."),
    "confidence": Key(float, "Of the bounds, which are of one side."),
    "fail_if": Key(FailIf, "Whether it fails only where that is proven, or by the number alone."),
    "pass_if": Key(PassIf, "Whether it passes wherever it does not fail, or only where that is proven."),
    "on_inconclusive": Key(OnInconclusive, "What a gate that is neither counts as."),
}
"""The keys that are about the claim."""
SETTINGS = {
    name: {"pred": "prediction", "id": "ids"}.get(name, name)
    for name in (
        "label", "pred", "weight", "classes", "ignore_label", "where", "limit", "cluster", "activation", "from_logits",
        "reduction", "weight_norm", "columns", "class_weight", "compat", "eps", "normalize_rows", "clip_rounding",
        "nulls", "mask_null", "labels", "id", "join",
    )
}  # fmt: skip
"""The keys that are about the data, each with the argument of `lossctl.evaluate` that it is."""
LISTS = {"by", "cluster", "id", "classes", "ignore_label"}
"""Keys whose text is a comma list."""
DATA = {"file", "baseline", "labels"}
"""Keys whose value is a path, or in Python anything that holds data."""

HINTS = {name: inspect.signature(evaluate).parameters[argument].annotation for name, argument in SETTINGS.items()}
"""The types of their values."""
PERCENT = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*%\s*"
"""What a limit looks like that is a part of the baseline."""


def declared(given: Mapping[str, Any], place: Callable[[str], str] = lambda _: "", *, paths: bool = False) -> Gate:
    """The gate that keys and values declare.

    Args:
        given: keys and values; ``-`` and ``_`` are the same in a key.
        place: where a key is said, to begin a message with; asked for the empty key, where the gate is.
        paths: whether data can only be named by paths, as a file can.

    Raises:
        UsageError: a key that no gate has, a value of the wrong type, no claim or several.
    """
    values: dict[str, Any] = {}
    for key, value in given.items():
        known = key.replace("-", "_") if isinstance(key, str) else key
        if known not in KEYS and known not in SETTINGS:
            title = f"gate {given['name']!r}" if isinstance(given.get("name"), str) else "a gate"
            raise UsageError(f"{place(key)}{title} has no key {key!r}", key_meant(str(known), [*KEYS, *SETTINGS]))
        if known in values:
            raise UsageError(f"{place(key)}{known} is said twice")
        values[known] = value
    name = values.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"{place('')}a gate needs a name", 'Such as name = "huber-no-regress".')
    for key, value in values.items():
        in_memory = key in DATA and not paths and not isinstance(value, str)
        hint = KEYS[key].hint if key in KEYS else str | list[str] if key == "labels" else HINTS[key]
        if value is None or not (in_memory or fits(value, hint)):
            raise UsageError(f"{place(key)}gate {name!r}: {key} must be {described(hint)}, not {said(value)}")
    claims = [key for key in values if key in CLAIMS]
    if len(claims) != 1:
        what = f"claims {' and '.join(claims)} at once" if claims else "claims nothing"
        hint = "Make a gate of each." if claims else f"Say one of {either([*CLAIMS])}."
        raise UsageError(f"{place(claims[1] if claims else '')}gate {name!r} {what}", hint)
    (kind,) = claims
    if "baseline" in values and kind != "max_increase":
        raise UsageError(f"{place('baseline')}gate {name!r}: baseline is for max_increase, and this is {kind}")
    try:
        return _gate(name, kind, values)  # type: ignore[arg-type]  # one of these
    except UsageError as wrong:
        about = next((key for key in ("loss", "confidence", "only") if re.search(rf"\b{key}\b", wrong.parts[0])), kind)
        raise UsageError(place(about) + wrong.parts[0], wrong.parts[1]) from None


def key_meant(name: str, known: Sequence[str]) -> str:
    """What to do about a key that there is not: the one that is meant, as Python or other tools call it, or near ones.

    >>> key_meant("prediction", ["pred", "label"]), key_meant("target", ["pred", "label"])
    ('Say pred.', 'Say label.')
    """
    arguments = {SETTINGS.get(key, key): key for key in known}
    meant = arguments.get(name) or arguments.get(argument_of(name, arguments) or "")
    return f"Say {meant}." if meant else did_you_mean(name, [*known])


def _gate(name: str, kind: Kind, values: Mapping[str, Any]) -> Gate:
    """The gate of values that are of the right types."""
    limit, percent = _limit(name, kind, values[kind])
    only = {column: _word(word) for column, word in values.get("only", {}).items()}
    settings = {SETTINGS[key]: listed(key, value) for key, value in values.items() if key in SETTINGS}
    settings |= {key: values[key] for key in ("file", "baseline") if key in values}
    if "by" in values:
        settings["by"] = listed("by", values["by"])
    loss = values.get("loss")
    if loss is not None:
        ensure_loss(f"gate {name!r}", loss)
    return Gate(
        name=name,
        kind=kind,
        limit=limit,
        percent=percent,
        loss=loss,
        model=values.get("model"),
        by=tuple(settings.get("by", only)),
        only=only,
        **{key: values[key] for key in ("confidence", "fail_if", "pass_if", "on_inconclusive") if key in values},
        settings=settings,
    )


def listed(key: str, value: Any) -> Any:
    """A value with its comma list split, where it is one."""
    if key not in LISTS:
        return value
    return (
        split(value) if isinstance(value, str) else tuple(map(str, value if isinstance(value, Sequence) else [value]))
    )


def ensure_loss(subject: str, loss: str) -> None:
    """Check that a loss is there, and is one.

    Raises:
        UsageError: it is not.
    """
    specs = split_specs([loss])
    if len(specs) != 1:
        raise UsageError(f"{subject} is about one loss, not {loss!r}", "Make a gate of each.")
    try:
        get_loss(specs[0])
    except UsageError as wrong:
        raise wrong.about(subject) from None


def _limit(name: str, kind: Kind, value: float | str) -> tuple[float, bool]:
    """A limit, and whether it is a part of the baseline."""
    if isinstance(value, str):
        met = re.fullmatch(PERCENT, value)
        if met is None:
            what = f"gate {name!r}: {kind} {value!r} is neither a number nor a percentage"
            raise UsageError(what, f'Such as {kind} = 0.001 or {kind} = "0.5%".')
        value = float(met[1]) / 100.0
        percent = True
    else:
        percent = False
    if math.isinf(value):
        raise UsageError(f"gate {name!r}: {kind} {value} is no limit: it would hold always or never")
    return float(value), percent


def _word(cell: Cell) -> str | None:
    """The name of a group as it is reported."""
    return str(cell).lower() if isinstance(cell, bool) else None if cell is None else str(cell)
