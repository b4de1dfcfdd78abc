"""What callers give, held against what is declared: a public function refuses a wrong type in one way.

The annotations of a function or of a dataclass are the declaration; there is no second one.
"""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from lossctl.errors import OF_READING, UsageError, option
from lossctl.words import either, near, normal, said

P = ParamSpec("P")
R = TypeVar("R")

WORDS: Mapping[Any, str] = {
    bool: "True or False", int: "a whole number", float: "a number", str: "text", None: "None", type(None): "None",
}  # fmt: skip
"""What types are called in messages."""

ELSEWHERE = {
    "loss": "losses metric metrics objective criterion",
    "label": "y target y_true truth",
    "prediction": "p pred preds predictions y_pred y_hat y_prob y_score",
    "weight": "w weights sample_weight",
    "by": "group groups groupby group_by",
    "gradient": "grad gradients grads",
    "ids": "id key keys on index",
    "nulls": "dropna skipna",
    "threads": "jobs n_jobs workers",
    "join": "how merge",
}
"""What arguments are called on the command line and elsewhere, by their names here."""
LARGE = 1 << 64
"""No whole number that is asked for is as large."""


def checked(*elsewhere: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse arguments that are not of the types it declares.

    A scalar of NumPy's is passed as what Python calls it. A wrong number of arguments is Python's to refuse; one of an
    unknown name is a `TypeError` as well, which says the name that is meant.

    Args:
        elsewhere: the names of those that are refused where they are looked up.
    """

    def refusing(function: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(function).parameters
        hints = {
            name: parameter.annotation
            for name, parameter in parameters.items()
            if name not in elsewhere and parameter.annotation is not parameter.empty
        }

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs.keys() - parameters.keys():
                raise TypeError(
                    f"{function.__name__}() got an unexpected keyword argument {name!r}. {_meant(name, parameters)}"
                )
            for name, value in (*zip(parameters, args, strict=False), *kwargs.items()):
                if name in hints:
                    ensure(name, value, hints[name])
            return function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})

        return call

    return refusing


def argument_of(name: str, parameters: Collection[str]) -> str | None:
    """Which of some arguments a word stands for on the command line or elsewhere; ``None`` where it is none of these.

    >>> argument_of("target", ["label", "weight"]), argument_of("target", ["weight"]), argument_of("label", ["label"])
    ('label', None, None)
    """
    return next((ours for ours, names in ELSEWHERE.items() if name in names.split() and ours in parameters), None)


def _meant(name: str, parameters: Collection[str]) -> str:
    """What is meant by an argument that a function does not have, in words; empty where nothing is like it."""
    ours = argument_of(name, parameters)
    if ours is None and "reading" in parameters and normal(name) in map(normal, OF_READING):
        ours = next(option for option in OF_READING if normal(option) == normal(name))
        return f"It is a field of reading=Reading({OF_READING[ours]}=…)."
    close = [ours] if ours is not None else near(name, [*parameters], cutoff=0.61)
    return f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(parameters)}."


def ensure_fields(value: Any) -> None:
    """Check that the fields of a dataclass are of the types that it declares.

    Raises:
        UsageError: one is not.
    """
    for field in fields(value):
        ensure(option(field.name), getattr(value, field.name), field.type)


def ensure(name: str, value: object, hint: Any) -> None:
    """Check that a value is of a type; a `UsageError` that calls it ``name`` where it is not."""
    if not fits(value, hint):
        models = f"Models are named in a list: {option(prediction=['a=forecast', 'b=other'])}."
        advice = models if name == "prediction" and isinstance(value, Mapping) else ""
        raise UsageError(f"{name} must be {described(hint)}, not {said(value)}", advice)


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of an annotated type; anything is of one that this knows nothing of."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if isinstance(origin, type):
        return _contains(value, origin, parts)
    if hint is None:
        return value is None
    if hint is bool:
        return isinstance(value, bool | np.bool_)
    if hint is int:
        return not isinstance(value, bool) and isinstance(value, Integral) and abs(int(value)) < LARGE
    if hint is float:
        return _is_a_double(value)
    return hint is Any or not isinstance(hint, type) or isinstance(value, hint)


def _contains(value: object, origin: type, parts: Sequence[Any]) -> bool:
    """`fits`, for what holds others: lists and tuples are sequences, and so are arrays of one dimension."""
    if origin in {Sequence, list, tuple}:
        elements = value.tolist() if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist") else value
        return isinstance(elements, list | tuple) and all(fits(element, parts[0]) for element in elements)
    if origin is Iterator and hasattr(value, "read"):
        return False  # the lines of a file are nothing that anybody asks for
    if origin is Mapping:
        entries = [*value.items()] if isinstance(value, Mapping) else [(None, None)]
        return all(fits(key, parts[0]) and fits(cell, parts[1]) for key, cell in entries)
    return isinstance(value, origin) and not isinstance(value, str | bytes)


def described(hint: Any) -> str:
    """An annotated type in English, to follow "must be"."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return either([described(part) for part in parts])
    if origin is Literal:
        return either(parts)
    if origin in {Sequence, Collection, list, tuple}:
        each = described(parts[0])
        return f"a list of {each}" if parts[0] is str else f"a list of which each is {each}"
    if origin is Callable:
        return "a function"
    if hint in WORDS:
        return WORDS[hint]
    name = getattr(origin or hint, "__name__", str(hint))
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _is_a_double(value: object) -> bool:
    """Whether a value is a real number that is not too large."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except (OverflowError, TypeError, ValueError):
        return False
    return True


def _plain(value: Any) -> Any:
    """The value, of Python's own type where it is a scalar of NumPy's."""
    return value.item() if isinstance(value, np.generic) else value
