"""A parameter of a function: its name, its default, which values are legal, and how these are read and spelled."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, TypeGuard

from lossctl.dataclass import dataclass
from lossctl.domain import Interval, Listed, Words
from lossctl.errors import UsageError

Value = float | str | bool | tuple[float, ...] | None


@dataclass(frozen=True)
class Parameter:
    """One keyword-only parameter: its name, default, legal values."""

    name: str
    """What it is called."""
    default: Value
    """The value where nothing is said."""
    domain: Interval | Words | Listed | None
    """``None`` for a switch that is true or false."""
    optional: bool = False
    """Whether it may be none."""
    required: bool = False
    """Whether it has no default: who asks for the function must say it."""
    meaning: str = ""
    """What it is, in a few words, where its name does not say it."""

    @property
    def example(self) -> Value:
        """A legal value: the default, or one to show what cannot be shown without."""
        if not self.required:
            return self.default
        if isinstance(self.domain, Words):
            return self.domain.allowed[0]
        if isinstance(self.domain, Interval):
            return _number_of(self.domain)
        return False if self.domain is None else (_number_of(self.domain.each),)

    def read(self, text: str) -> Value:
        """The value that ``text`` spells.

        Raises:
            UsageError: it spells none, or one outside the domain.
        """
        word = text.strip().lower()
        if self.optional and word == "none":
            return None
        if isinstance(self.domain, Words):
            return self.check(word)
        if self.domain is None:
            if word in {"true", "yes", "on", "1"}:
                return True
            if word in {"false", "no", "off", "0"}:
                return False
            raise UsageError(f"parameter {self.name} must be true or false, not {text!r}")
        try:
            if isinstance(self.domain, Listed) and ("/" in word or not self.domain.alone):
                return self.check(tuple(float(part) for part in word.split("/")))
            return self.check(float(word))
        except ValueError:
            raise UsageError(f"parameter {self.name} must be {self.describe()}, not {text!r}") from None

    def check(self, value: object) -> Value:
        """The value in its one type, if it is legal; a list of numbers may be a list or a tuple.

        Raises:
            UsageError: it is not.
        """
        legal: Value = None
        if isinstance(self.domain, Words):
            legal = value if isinstance(value, str) and value in self.domain.allowed else None
        elif self.domain is None:
            legal = value if isinstance(value, bool) else None
        elif isinstance(self.domain, Interval):
            legal = float(value) if _is_number(value) and self.domain.contains(float(value)) else None
        elif isinstance(value, list | tuple):
            several = all(map(_is_number, value)) and self.domain.contains(value)
            legal = tuple(map(float, value)) if several else None
        elif self.domain.alone and _is_number(value) and self.domain.contains([value]):
            legal = float(value)
        if legal is None and not (value is None and self.optional):
            raise UsageError(f"parameter {self.name} must be {self.describe()}, not {value!r}")
        return legal

    def words(self) -> tuple[str, ...]:
        """The legal values that are words."""
        words: tuple[str, ...] = ("true", "false") if self.domain is None else ()
        words = self.domain.allowed if isinstance(self.domain, Words) else words
        return (*words, "none") if self.optional else words

    def describe(self) -> str:
        """The legal values in English."""
        words = "true or false" if self.domain is None else self.domain.describe()
        return f"{words}, or none" if self.optional else words


def _number_of(domain: Interval) -> float:
    """A plain number of an interval."""
    low, high = max(domain.low, -1e300), min(domain.high, 1e300)
    return next(filter(domain.contains, (1.0, 0.5, 0.5 * low + 0.5 * high, low, high)))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def spell(value: Value) -> str:
    """A parameter value as a user would type it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "/".join(map(repr, value))
    return repr(value) if isinstance(value, float) else value


def in_json(parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Values by name as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The keyword-only parameters of a function, read from its annotations.

    A number is ``Annotated[float, Interval]`` (``| None`` when it may be absent), a number for each column
    ``Annotated[tuple[float, ...], Listed]``, a choice ``Annotated[str, Words]``, a switch ``bool``; a text beside the
    domain says what the parameter is. One without a default must be given.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        hint = hints.get(parameter.name)
        optional = typing.get_origin(hint) in {typing.Union, types.UnionType}
        if optional:
            hint = next(part for part in typing.get_args(hint) if part is not type(None))
        extras = getattr(hint, "__metadata__", ())
        domains = [extra for extra in extras if isinstance(extra, Interval | Words | Listed)]
        if not domains and hint is not bool:
            raise TypeError(f"{function.__name__}: annotate parameter {parameter.name} with its domain")
        required = parameter.default is inspect.Parameter.empty
        parameters.append(
            Parameter(
                parameter.name,
                None if required else parameter.default,
                domains[0] if domains else None,
                optional,
                required,
                next((extra for extra in extras if isinstance(extra, str)), ""),
            )
        )
    return tuple(parameters)
