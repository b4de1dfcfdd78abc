"""What a named, parameterised function is, and how ``huber:delta=2`` is read.

Losses and activations are both such functions. Everything a user may say about one is derived from the function
itself: its name, what its docstring states, its annotated keyword-only parameters.
"""

import functools
import re
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from lossctl.arguments import ensure
from lossctl.dataclass import dataclass
from lossctl.domain import Domain, FloatArray
from lossctl.errors import UsageError, option
from lossctl.functions.docstring import Sections, sections_of
from lossctl.functions.parameter import Parameter, Value, parameters_of, spell
from lossctl.words import did_you_mean, normal, said

if TYPE_CHECKING:
    from numpy.random import Generator

NO_PEERS: Mapping[str, str] = types.MappingProxyType({})


ELSEWHERE = {
    **dict.fromkeys(
        ("weight", "weights", "sampleweight"),
        f"Weights of rows are a column: name it with {option('weight')}; of classes there is {option('class_weight')}.",
    ),
    **dict.fromkeys(("classweight", "classweights"), f"Say {option('class_weight')}, for all losses."),
    **dict.fromkeys(("fromlogits", "logits", "loginput"), f"Say {option(from_logits=True)}, for all losses."),
    "reduction": f"Say {option('reduction')}, for all losses.",
    **dict.fromkeys(("ignoreindex", "ignoreclass"), f"Say {option('ignore_label')}."),
    "multioutput": f"{option('prediction')} for each column makes a model of each; a comma list is one vector.",
}
"""What other libraries have as a parameter of a loss, by its `normal` name, and how it is said here."""

CALLED: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "tau": ("alpha", "quantile", "level", "quantilealpha", "expectilealpha"),
        "delta": ("alpha", "slope", "huberslope"),
        "power": ("p", "rho", "variancepower", "tweedievariancepower"),
        "c": ("fairc", "smoothness"),
        "alpha": ("focalalpha",),
        "gamma": ("focalgamma",),
        "threshold": ("t",),
        "pos_weight": ("scaleposweight",),
        "denominator": ("normalization",),
    }
)
"""What other libraries call a parameter, by its name here, in their `normal` forms."""


class Definition:
    """A function with a name, aliases and parameters, registered under them.

    Args:
        function: the kernel; its docstring starts with one line in plain English, see `lossctl.functions.docstring`.
        aliases: exact synonyms of its name.
        references: where the formula comes from.
        peers: what other libraries call it, by library, each name with what is different about it in parentheses.

    Raises:
        UsageError: something is of another type.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        aliases: tuple[str, ...],
        references: tuple[str, ...],
        peers: Mapping[str, str] = NO_PEERS,
    ) -> None:
        if not callable(function) or not hasattr(function, "__name__"):
            raise UsageError(f"a definition is made of a function, not {said(function)}")
        ensure("aliases", aliases, tuple[str, ...])
        ensure("references", references, tuple[str, ...])
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self.function = function
        self.name = function.__name__
        self.aliases = aliases
        self.references = references
        self.peers = dict(peers)
        self.parameters = parameters_of(function)

    @property
    def sections(self) -> Sections:
        """What the docstring states."""
        return sections_of(self.__doc__)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.sections.summary

    @property
    def family(self) -> str:
        """The module of a built-in, the package of a plug-in."""
        path = self.__module__.split(".")
        return path[-1] if path[0] == "lossctl" else path[0]

    def settings(
        self, given: Mapping[str, Value | str], *, read: bool = False, typed: str = "", example: bool = False
    ) -> tuple[tuple[str, Value], ...]:
        """Every parameter with its effective value, in the order of the definition.

        Args:
            given: values by parameter name.
            read: whether the values are text still to be read.
            typed: the name that was typed, where it may be another.
            example: whether a parameter that must be given, and is not, has an example of a value.

        Raises:
            UsageError: a name is unknown, a value illegal, or a parameter that must be given is not.
        """
        by_name = {normal(parameter.name): parameter for parameter in self.parameters}
        chosen: dict[str, Value] = {parameter.name: parameter.default for parameter in self.parameters}
        for name, value in given.items():
            parameter = by_name.get(normal(name))
            if parameter is None:
                names = [parameter.name for parameter in self.parameters]
                hint = did_you_mean(name, names) if names else f"{self.name} has no parameters."
                hint = ELSEWHERE.get(normal(name), hint)
                own = self._own_name(name)
                if own != name:
                    own_names = [f"{self._own_name(each)}={spell(worth)}" for each, worth in given.items()]
                    said_here = f"{typed or self.name}:{','.join(own_names)}"
                    hint = f"Here it is {own}: {option(loss=said_here)}."
                raise UsageError(f"{self.title(typed)} has no parameter {name!r}", hint)
            try:
                chosen[parameter.name] = parameter.read(str(value)) if read else parameter.check(value)
            except UsageError as wrong:
                raise wrong.about(self.title(typed)) from None
        for parameter in self.parameters:
            if parameter.required and chosen[parameter.name] is None:
                if not example:
                    raise self._needs(parameter, typed)
                chosen[parameter.name] = parameter.example
        return tuple(chosen.items())

    def _own_name(self, name: str) -> str:
        """What a parameter is called here that another library calls by that name; else the name."""
        own = {parameter.name for parameter in self.parameters}
        called = (here for here, names in CALLED.items() if here in own and normal(name) in names)
        return name if normal(name) in map(normal, own) else next(called, name)

    def _needs(self, parameter: Parameter, typed: str) -> UsageError:
        """The error for a parameter that must be given and is not."""
        meaning = f": {parameter.meaning}" if parameter.meaning else ""
        spec = f"{typed or self.name}:{parameter.name}={spell(parameter.example)}"
        return UsageError(
            f"{self.title(typed)} needs {parameter.name}{meaning}",
            f"Write it like {option(loss=spec)}; it must be {parameter.describe()}.",
        )

    def title(self, typed: str) -> str:
        """What messages call it: the name that was typed, with its own where that is another."""
        return self.name if not typed or normal(typed) == normal(self.name) else f"{typed} ({self.name})"

    def spelling(self, settings: tuple[tuple[str, Value], ...]) -> str:
        """``name:parameter=value,...`` with the parameters that differ from their defaults."""
        default = {parameter.name: parameter.default for parameter in self.parameters}
        changed = [f"{name}={spell(value)}" for name, value in settings if value != default[name]]
        return f"{self.name}:{','.join(changed)}" if changed else self.name


def split_specs(given: Iterable[Any]) -> list[Any]:
    """Single specifications from comma-separated ones: an item with ``=`` and no ``:`` belongs to the one before.

    What is no text stays as it is.

    >>> split_specs(["mse,huber:delta=0.5,focal:gamma=2,alpha=none", "mae"])
    ['mse', 'huber:delta=0.5', 'focal:gamma=2,alpha=none', 'mae']
    """
    specs: list[Any] = []
    for text in given:
        if not isinstance(text, str):
            specs.append(text)
            continue
        fresh = True
        for item in filter(None, (part.strip() for part in text.split(","))):
            number = re.fullmatch(r"[-+.\d][^:=]*", item) and specs and "=" in str(specs[-1])
            if (("=" in item and ":" not in item) or number) and not fresh:
                specs[-1] += f",{item}"
            else:
                specs.append(item)
            fresh = False
    return specs


def read_spec(text: str) -> tuple[str, dict[str, str]]:
    """The name and the raw parameters of one specification, without the modules that a name in Python starts with.

    Raises:
        UsageError: an item is not ``parameter=value``, or is said twice.

    >>> read_spec("torch.nn.HuberLoss:delta=0.5")
    ('HuberLoss', {'delta': '0.5'})
    """
    name, _, items = text.partition(":")
    if name.strip().replace(".", "").isidentifier():
        name = name.rpartition(".")[2]
    values: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in items.replace(";", ",").split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            listed = re.sub(r"[,;]\s*(?=[-+.\d])", "/", text)
            hint = (
                "Write it like huber:delta=0.5." if listed == text else f"A list has / between its numbers: {listed}."
            )
            raise UsageError(f"{text!r}: {item!r} is not parameter=value", hint)
        if key.strip() in values:
            raise UsageError(f"{text!r}: parameter {key.strip()} is given twice")
        values[key.strip()] = value
    return name.strip(), values


Kind = Literal["loss", "activation"]


@dataclass(frozen=True)
class Bound(ABC):
    """A definition with a value for each of its parameters: a loss or an activation."""

    definition: Definition
    settings: tuple[tuple[str, Value], ...]

    kind: ClassVar[Kind]
    values: ClassVar[str]
    """What its values are, in English."""

    @property
    def name(self) -> str:
        """The name of the definition."""
        return self.definition.name

    @property
    def parameters(self) -> dict[str, Value]:
        """Every parameter with its effective value."""
        return dict(self.settings)

    def __str__(self) -> str:
        return self.definition.spelling(self.settings)

    @property
    @abstractmethod
    def wrt(self) -> str:
        """What gradients are with respect to."""

    @property
    @abstractmethod
    def domains(self) -> dict[str, Domain]:
        """Which numbers go in, or which come out, by role."""

    @property
    @abstractmethod
    def registered(self) -> bool:
        """Whether its name can be looked up."""

    @abstractmethod
    def sample(self, rng: "Generator", n: int, k: int) -> tuple[FloatArray, ...]:
        """Legal arguments of `slopes` to try it on: ``n`` rows, of ``k`` columns where it takes rows.

        Raises:
            UsageError: none are found.
        """

    @abstractmethod
    def slopes(self, *arguments: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values, and gradients in the shape of the last argument; of an activation of rows the pullback of ones."""

    @abstractmethod
    def shape_of(self, prediction: FloatArray) -> tuple[int, ...]:
        """The shape of the values of `slopes`."""

    @abstractmethod
    def value_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray:
        """What to draw over a path through predictions, ``(n,)``: the value at one label, or of the first column.

        Args:
            label: the label of one row.
            prediction: ``(n,)``, or ``(n, 2)``.
        """

    @abstractmethod
    def gradient_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray | None:
        """The gradient of `value_along`, in the shape of ``prediction``; ``None`` where none is declared."""

    @abstractmethod
    def kinks_at(self, label: FloatArray) -> tuple[float, ...]:
        """The predictions at which the gradient is known to jump."""
