"""`dataclasses.dataclass` with methods that are shared instead of generated.

Python compiles six functions for each frozen class, which takes it 0.2 to 0.4 ms: for the hundred and fifty classes of
a short run as long as importing NumPy. The fields are its own all the same, so that `replace`, `fields`, `asdict`,
patterns, pickle and type checkers see no difference.
"""

import dataclasses
import functools
import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["dataclass"]

MISSING = dataclasses.MISSING


class _Fields:
    """What the shared methods need to know of the fields of a class."""

    def __init__(self, cls: type) -> None:
        fields = dataclasses.fields(cls)
        given = [field for field in fields if field.init]
        made = [field for field in fields if field.default_factory is not MISSING]
        self.title = cls.__qualname__
        self.positional = tuple(field.name for field in given if not field.kw_only)
        self.given = frozenset(field.name for field in given)
        self.defaults = {field.name: field.default for field in given if field.default is not MISSING}
        self.factories: tuple[tuple[str, Any], ...] = tuple((field.name, field.default_factory) for field in made)
        self.stored = frozenset(field.name for field in (*given, *made))
        self.positional_alone = len(self.positional) == len(self.stored) and not made
        self.tail = tuple(self.defaults[name] for name in self.positional if name in self.defaults)
        """What stands for the last of the positional ones, where they are not given."""
        self.compared = tuple(field.name for field in fields if field.compare)
        self.shown = tuple(field.name for field in fields if field.repr)
        self.completed = hasattr(cls, "__post_init__")

    def mismatch(self, values: tuple[Any, ...], named: dict[str, Any]) -> TypeError:
        """What is wrong with the arguments of a class."""
        if len(values) > len(self.positional):
            return TypeError(f"{self.title}() takes {len(self.positional)} positional arguments, not {len(values)}")
        first = self.positional[: len(values)]
        optional = {*self.defaults, *(name for name, _ in self.factories)}
        for what, names in (
            ("does not know", named.keys() - self.given),
            ("has twice", named.keys() & {*first}),
            ("lacks", self.given - {*first} - named.keys() - optional),
        ):
            if names:
                return TypeError(f"{self.title}() {what} {', '.join(sorted(names))}")
        raise AssertionError(self.title)


class _Later:
    """The fields of a class, looked into when its first instance is made: of most classes a run makes none."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls

    def __get__(self, instance: object, owner: type) -> _Fields:
        fields: _Fields = _Fields(self.cls)
        self.cls.__class_fields__ = fields
        return fields


def _init(self: Any, /, *values: Any, **named: Any) -> None:
    fields: _Fields = self.__class_fields__
    state = self.__dict__
    missing = len(fields.positional) - len(values)
    if not named and fields.positional_alone and 0 <= missing <= len(fields.tail):
        # As a batch makes them by the dozen.
        state.update(zip(fields.positional, values + fields.tail[len(fields.tail) - missing :], strict=True))
    else:
        state.update(fields.defaults)
        state.update(zip(fields.positional, values, strict=False))
        state.update(named)
        for name, factory in fields.factories:
            if name not in state:
                state[name] = factory()
        twice = named and values and not named.keys().isdisjoint(fields.positional[: len(values)])
        if twice or len(values) > len(fields.positional) or state.keys() != fields.stored:
            raise fields.mismatch(values, named)
    if fields.completed:
        self.__post_init__()


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    fields: _Fields = self.__class_fields__
    return f"{fields.title}({', '.join(f'{name}={getattr(self, name)!r}' for name in fields.shown)})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__class_fields__.compared])


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _frozen(self: Any, name: str) -> bool:
    """Whether an attribute cannot be changed; what a subclass that is no dataclass has beside the fields can be."""
    return "__class_fields__" in vars(type(self)) or name in self.__dataclass_fields__


def _set(self: Any, name: str, value: object) -> None:
    if _frozen(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete(self: Any, name: str) -> None:
    if _frozen(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


class _Signature:
    """What `inspect` tells of the arguments of a class, for notebooks and editors: made when somebody asks."""

    def __get__(self, instance: object, owner: type) -> "Signature":
        if instance is not None or owner.__init__ is not _init:  # type: ignore[misc]
            raise AttributeError("__signature__")
        from inspect import Parameter, Signature  # noqa: PLC0415  (which few runs need)

        parameters = [
            Parameter(
                field.name,
                Parameter.KEYWORD_ONLY if field.kw_only else Parameter.POSITIONAL_OR_KEYWORD,
                default=...
                if field.default_factory is not MISSING
                else Parameter.empty
                if field.default is MISSING
                else field.default,
                annotation=field.type,
            )
            for field in dataclasses.fields(owner)
            if field.init
        ]
        return Signature(sorted(parameters, key=lambda parameter: parameter.kind), return_annotation=None)


_MADE = {"__init__": _init, "__repr__": _repr}
_FROZEN = {"__setattr__": _set, "__delattr__": _delete}

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
        """Make a class a dataclass.

        Args:
            cls: the class, where nothing else is said.
            frozen: whether nothing can be assigned to its fields.
            eq: whether instances with the same fields are equal.
        """
        if cls is None:
            return functools.partial(dataclass, frozen=frozen, eq=eq)
        compared = {"__eq__": _eq, "__hash__": _hash if frozen else None} if eq else {}
        methods = _MADE | (_FROZEN if frozen else {}) | compared
        own = {name for name in methods if vars(cls).get(name) is not None}
        # Python would compile what makes a class frozen, and has to know of it for those that inherit from this one.
        parents = [parent.__dataclass_params__ for parent in cls.__mro__[1:] if "__class_fields__" in vars(parent)]
        before = [parent.frozen for parent in parents]
        for parent in parents:
            parent.frozen = False
        try:
            dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        finally:
            for parent, was in zip(parents, before, strict=True):
                parent.frozen = was
        cls.__dataclass_params__.frozen = frozen
        for name in methods.keys() - own:
            setattr(cls, name, methods[name])
        cls.__class_fields__, cls.__signature__ = _Later(cls), _Signature()
        return cls
