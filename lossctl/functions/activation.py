"""What an activation is: an output function of a model, with its derivative or pullback."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from lossctl.arrays import numbers
from lossctl.dataclass import dataclass
from lossctl.domain import REAL, Domain, FloatArray
from lossctl.errors import LossctlError, UsageError
from lossctl.functions.definition import NO_PEERS, Bound, Definition, Kind, read_spec
from lossctl.functions.parameter import Value
from lossctl.functions.stable import amended
from lossctl.registry import Registry
from lossctl.words import said

if TYPE_CHECKING:
    from numpy.random import Generator


SMALL = 1e-290
"""A derivative below which a slope may be a number with more digits than it."""


class Activation(Definition):
    """An activation by its formula; see `activation`."""

    def __init__(
        self,
        function: Callable[..., FloatArray],
        *,
        range: Domain | Callable[..., Domain] = REAL,  # noqa: A002  (the field's word)
        takes: Domain = REAL,
        kinks: tuple[float, ...] = (),
        aliases: tuple[str, ...] = (),
        rows: bool = False,
        tail: float = -math.inf,
        references: tuple[str, ...] = (),
        peers: Mapping[str, str] = NO_PEERS,
    ) -> None:
        super().__init__(function, aliases, references, peers)
        self._range = range
        self.tail = tail
        """Where it is e^z to the last digit from there down."""
        self.takes = takes
        """Which pre-activations are legal."""
        self.kinks = kinks
        self.rows = rows
        self._pullback: Callable[..., FloatArray] | None = None
        self._root: Callable[..., FloatArray] | None = None
        self._error: Callable[..., FloatArray] | None = None

    def range(self, **parameters: Value) -> Domain:
        """What it can come to."""
        return self._range(**parameters) if callable(self._range) else self._range

    def derivative(self, function: Callable[..., FloatArray]) -> Callable[..., FloatArray]:
        """Declare the derivative ``(z, *, parameters) -> shape of z`` of an elementwise activation."""

        def pull(z: FloatArray, upstream: FloatArray, **parameters: Any) -> FloatArray:
            derivative = np.asarray(function(z, **parameters))
            slope = np.asarray(upstream * derivative)
            if self._root is not None:
                root, far = self._root, ~((np.abs(derivative) >= SMALL) & (np.abs(derivative) < np.inf))
                slope = amended(slope, far, lambda z, upstream: _twice(root(z, **parameters), upstream), z, upstream)
            # What the loss does not feel counts for nothing, also where the activation overflows; and what a flat
            # activation does not pass on, also where the loss does. A derivative with a root may have underflowed.
            nothing = (upstream == 0) if self._root is not None else (upstream == 0) | (derivative == 0)
            return np.where(nothing, 0.0, slope)

        self._pullback = pull
        return function

    def root(self, function: Callable[..., FloatArray]) -> Callable[..., FloatArray]:
        """Declare the square root of the derivative, for where that is no double, or lacks digits, and a slope is one.

        e^−745 has one digit, e^−372.5 all of them.
        """
        self._root = function
        return function

    def pullback(self, function: Callable[..., FloatArray]) -> Callable[..., FloatArray]:
        """Declare ``(z, upstream, *, parameters) -> shape of z`` of an activation of rows."""
        self._pullback = function
        return function

    def error(self, function: Callable[..., FloatArray]) -> Callable[..., FloatArray]:
        """Declare value less label, ``(z, label, *, parameters) -> shape of z``, where it has more digits than that.

        So has what comes near a number that is not 0: 1 − σ(z) is e^−z where σ(z) itself is 1.
        """
        self._error = function
        return function

    def apart(self, z: FloatArray, label: FloatArray, **parameters: Any) -> FloatArray:
        """Value less label."""
        if self._error is None:
            return np.asarray(self.function(z, **parameters) - label)
        return self._error(z, label, **parameters)

    @property
    def differentiable(self) -> bool:
        """Whether it declares a derivative or a pullback."""
        return self._pullback is not None

    def pull(self, z: FloatArray, upstream: FloatArray, **parameters: Any) -> FloatArray:
        """The gradient with respect to ``z`` from the gradient with respect to the output."""
        if self._pullback is None:
            raise TypeError(f"activation {self.name} declares no derivative")
        return self._pullback(z, upstream, **parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)


activations: Registry[Activation] = Registry("activation", "lossctl.functions.activations", group="lossctl.activations")


def _named(name: str) -> Activation:
    return activations.get(name)


def _twice(root: FloatArray, upstream: FloatArray) -> FloatArray:
    return np.asarray(upstream * root * root)


def activation(
    *,
    range: Domain | Callable[..., Domain] = REAL,  # noqa: A002
    takes: Domain = REAL,
    kinks: tuple[float, ...] = (),
    aliases: tuple[str, ...] = (),
    rows: bool = False,
    tail: float = -math.inf,
    references: tuple[str, ...] = (),
    peers: Mapping[str, str] = NO_PEERS,
) -> Callable[[Callable[..., FloatArray]], Activation]:
    """Turn a formula ``(z, *, parameters)`` into a registered activation.

    Args:
        range: what it can come to: a domain, or a function from the parameters to one.
        takes: the legal pre-activations; with infinite ones where the formula gives its limit there.
        kinks: where its derivative jumps.
        aliases: exact synonyms.
        rows: whether the formula works on rows of an ``(n, k)`` array rather than on each number by itself.
        tail: where it is e^z to the last digit from there down: losses that have a form for exp use it there.
        references: where the formula comes from.
        peers: what other libraries call it, by library, each name with what is different about it in parentheses.
    """

    def register(function: Callable[..., FloatArray]) -> Activation:
        definition = Activation(
            function,
            range=range,
            takes=takes,
            kinks=kinks,
            aliases=aliases,
            rows=rows,
            tail=tail,
            references=references,
            peers=peers,
        )
        activations.add(definition.name, definition, aliases)
        return definition

    return register


@dataclass(frozen=True)
class BoundActivation(Bound):
    """An activation with a value for each of its parameters."""

    definition: Activation

    kind: ClassVar[Kind] = "activation"
    values: ClassVar[str] = "value"
    wrt: ClassVar[str] = "pre-activation"
    reduction: ClassVar[None] = None
    activation: ClassVar[None] = None

    @property
    def domains(self) -> dict[str, Domain]:
        return {"range": self.range}

    @property
    def registered(self) -> bool:
        return self.name in activations

    def sample(self, rng: "Generator", n: int, k: int) -> tuple[FloatArray, ...]:
        return (np.asfortranarray(rng.normal(0.0, 3.0, (n, k) if self.definition.rows else n)),)

    def slopes(self, *arguments: FloatArray) -> tuple[FloatArray, FloatArray]:
        (z,) = arguments
        return self.value(z), self.pullback(z, np.ones_like(z))

    def shape_of(self, prediction: FloatArray) -> tuple[int, ...]:
        return prediction.shape

    def value_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG002
        value = self.value(prediction)
        return value if value.ndim == 1 else value[:, 0]

    def gradient_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray:  # noqa: ARG002
        upstream = np.ones_like(prediction)
        if prediction.ndim == 2:
            upstream[:, 1:] = 0.0
        return self.pullback(prediction, upstream)

    def kinks_at(self, label: FloatArray) -> tuple[float, ...]:  # noqa: ARG002
        return self.definition.kinks

    @property
    def range(self) -> Domain:
        """What it can come to."""
        return self.definition.range(**self.parameters)

    def value(self, z: npt.ArrayLike) -> FloatArray:
        """The activation at ``z``: ``(n,)``, or ``(n, k)``; the result has the same shape.

        Each number of an ``(n,)`` array is a row of its own to an activation of rows.

        Raises:
            UsageError: ``z`` is no such array of numbers.
            DataError: a number is missing, or too large.
        """
        points = self._numbers(z)
        with np.errstate(all="ignore"):
            value = self.definition.function(self._shaped(points), **self.parameters)
        return np.asarray(value).reshape(points.shape, order="A")

    def error(self, z: npt.ArrayLike, label: npt.ArrayLike) -> FloatArray:
        """The activation at ``z`` less a label of its shape, with the digits that both have in common left out."""
        points, labels = self._numbers(z), self._numbers(label, "the label")
        self._ensure_alike(points, labels, "label")
        with np.errstate(all="ignore"):
            error = self.definition.apart(self._shaped(points), self._shaped(labels), **self.parameters)
        return np.asarray(error).reshape(points.shape, order="A")

    def derivative(self, z: npt.ArrayLike) -> FloatArray:
        """The derivative at ``z``, elementwise.

        Raises:
            UsageError: the activation works on rows, so it has a Jacobian; ask for the `pullback`. Or as for `value`.
        """
        if self.definition.rows:
            raise UsageError(f"{self.name} has a Jacobian, not a derivative", "Use pullback(z, upstream_gradient).")
        points = self._numbers(z)
        return self.pullback(points, np.ones_like(points))

    def pullback(self, z: npt.ArrayLike, upstream_gradient: npt.ArrayLike) -> FloatArray:
        """The gradient with respect to ``z`` of something whose gradient with respect to the output is given.

        Both are of one shape; errors are those of `value`.
        """
        if not self.definition.differentiable:
            raise UsageError(f"{self.name} declares no derivative")
        points, upstream = self._numbers(z), self._numbers(upstream_gradient, "the upstream gradient")
        self._ensure_alike(points, upstream, "upstream gradient")
        with np.errstate(all="ignore"):
            slope = self.definition.pull(self._shaped(points), self._shaped(upstream), **self.parameters)
        return np.asarray(slope).reshape(points.shape, order="A")

    def _numbers(self, values: npt.ArrayLike, title: str = "z") -> FloatArray:
        try:
            return numbers(values, title)
        except LossctlError as wrong:
            raise wrong.about(self.name) from None

    def _ensure_alike(self, points: FloatArray, others: FloatArray, title: str) -> None:
        if points.shape != others.shape:
            what = f"{self.name}: z is of shape {points.shape}, the {title} of {others.shape}"
            raise UsageError(what, "Give both alike.")

    def _shaped(self, values: FloatArray) -> FloatArray:
        return values[:, None] if self.definition.rows and values.ndim == 1 else values


def get_activation(spec: str | BoundActivation) -> BoundActivation:
    """The activation that a text such as ``leaky_relu:slope=0.2`` names; one that is there already stays.

    Raises:
        UsageError: an unknown name or parameter, or a parameter out of range.
    """
    if isinstance(spec, BoundActivation):
        return spec
    if not isinstance(spec, str):
        raise UsageError(
            f"{said(spec)} is no activation", "Give a name such as 'tanh', or what get_activation returns."
        )
    name, values = read_spec(spec)
    definition = activations.get(name)
    return BoundActivation(definition, definition.settings(values, read=True))
