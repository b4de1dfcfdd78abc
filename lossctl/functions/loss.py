"""What a loss is: a formula for each row, its gradient, and the numbers it is defined for.

Everything else lossctl does with a loss is derived from its one definition: validation, parsing of ``huber:delta=2``,
gradients of the reported value, the generated documentation, the tests.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from lossctl.domain import Domain, FloatArray
from lossctl.errors import UsageError
from lossctl.functions.definition import NO_PEERS, Definition
from lossctl.functions.parameter import Value
from lossctl.reduction import KNOWN
from lossctl.registry import Registry
from lossctl.words import said

REDUCTIONS = ("mean", "sum", "root-mean", "exp-mean")
"""Those that any loss may be reported under which gives a row one number."""

Kernel = Callable[..., FloatArray]
Kinks = Callable[..., FloatArray | tuple[FloatArray, ...]]
DomainOf = Domain | Callable[..., Domain]


class Through:
    """A loss on pre-activations: one formula for the pair, exact where the two in a row would lose digits."""

    def __init__(self, function: Kernel) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.slope: Kernel | None = None

    def gradient(self, function: Kernel) -> Kernel:
        """Declare the gradient of the row value with respect to the pre-activation."""
        self.slope = function
        return function


class Loss(Definition):
    """A loss by its formula; see `loss`."""

    def __init__(
        self,
        function: Kernel,
        *,
        label: DomainOf,
        prediction: DomainOf,
        aliases: tuple[str, ...] = (),
        references: tuple[str, ...] = (),
        reduction: str = "mean",
        empty: float = math.nan,
        other_width: tuple[str, tuple[str, ...]] | None = None,
        floored: Kernel | None = None,
        of_error: bool = False,
        ordered: bool = False,
        peers: Mapping[str, str] = NO_PEERS,
    ) -> None:
        super().__init__(function, aliases, references, peers)
        for role, domain in (("label", label), ("prediction", prediction)):
            if not callable(domain) and not hasattr(domain, "illegal"):
                raise UsageError(f"{self.name}: {role} must be a domain or a function to one, not {said(domain)}")
        if reduction not in KNOWN:
            raise UsageError(f"{self.name}: unknown reduction {said(reduction)}", f"Known: {', '.join(KNOWN)}.")
        self.reduction = reduction
        self.empty = empty
        self.other_width = other_width
        self._label = label
        self._prediction = prediction
        self.floored = floored or _the_prediction
        self.slope: Kernel | None = None
        self.kink: Kinks | None = None
        self.square_root: Kernel | None = None
        self.best: Kernel | None = None
        self.of_error = of_error
        self.ordered = ordered
        self.apart: Through | None = None
        self.anchor: Kernel = _the_label
        self.mirrored: Through | None = None
        self.pairs: dict[str, Through] = {}
        self.others: tuple[Through, ...] = ()
        self.natural_activation: str | None = None
        """The activation that ``--from-logits`` means."""

    def gradient(self, function: Kernel) -> Kernel:
        """Declare the gradient of the row value with respect to the prediction, in the shape of the prediction."""
        self.slope = function
        return function

    def kinks(self, function: Kinks) -> Kinks:
        """Declare the predictions at which the gradient jumps, in the shape of the prediction, or several such arrays.

        NaN where there is none; of a loss of rows each number is the kink of its column beside the others as they are.
        """
        self.kink = function
        return function

    def beside(self, function: Kernel) -> Through:
        """Declare a further number of each row, ``(label, prediction, **parameters)``, for a reduction made of several.

        Its gradient is declared where it depends on the prediction.
        """
        number = Through(function)
        self.others = (*self.others, number)
        return number

    def kinks_beside(self, label: FloatArray, prediction: FloatArray, **parameters: Value) -> tuple[FloatArray, ...]:
        """The predictions at which the gradient is declared to jump, in the shape of the prediction each."""
        if self.kink is None:
            return ()
        kinks = self.kink(label, prediction, **parameters)
        return kinks if isinstance(kinks, tuple) else (kinks,)

    def root(self, function: Kernel) -> Kernel:
        """Declare the numbers whose squares the formula gives, so that they count where a square is no double."""
        self.square_root = function
        return function

    def constant(self, function: Kernel) -> Kernel:
        """Declare the best constant row of a loss whose numbers count together: others are found, none is declared.

        ``(label, weight, width, **parameters)`` to ``(width,)``: of the different labels, ascending, and their weights;
        NaN where there is none.
        """
        self.best = function
        return function

    def on_error(self, anchor: Kernel | None = None) -> Callable[[Kernel], Through]:
        """Declare this loss on ``(label, error, prediction)``, for activations that keep the digits of an error.

        Args:
            anchor: ``(label, **parameters)`` to what the error is from; the label when left out.
        """

        def declare(function: Kernel) -> Through:
            self.apart, self.anchor = Through(function), anchor or _the_label
            return self.apart

        return declare

    @property
    def of_label_error(self) -> bool:
        """Whether there is a form of this loss on prediction less label."""
        return self.of_error or (self.apart is not None and self.anchor is _the_label)

    def mirror(self, function: Kernel) -> Through:
        """Declare the form of this loss on ``(label, 1 − prediction)``, for activations that keep the digits of it."""
        self.mirrored = Through(function)
        return self.mirrored

    def through(self, activation: str, *, natural: bool = True) -> Callable[[Kernel], Through]:
        """Declare the form of this loss on the pre-activations of an activation.

        Args:
            activation: its name.
            natural: whether scores are meant to go through it unless another is named; the first such counts.
        """

        def declare(function: Kernel) -> Through:
            self.pairs[activation] = pair = Through(function)
            if natural and self.natural_activation is None:
                self.natural_activation = activation
            return pair

        return declare

    def under(
        self, reduction: str, *, aliases: tuple[str, ...] = (), peers: Mapping[str, str] = NO_PEERS
    ) -> Callable[[Callable[[], None]], "Loss"]:
        """Name this loss under another default reduction; the decorated function gives the name and the docstring."""

        def register(declaration: Callable[[], None]) -> Loss:
            named_loss = Loss(
                self.function,
                label=self._label,
                prediction=self._prediction,
                aliases=aliases,
                references=self.references,
                reduction=reduction,
                floored=self.floored,
                of_error=self.of_error,
                ordered=self.ordered,
                peers=peers,
            )
            functools.update_wrapper(cast("Callable[..., Any]", named_loss), declaration)
            named_loss.name = declaration.__name__
            named_loss.slope, named_loss.kink, named_loss.pairs = self.slope, self.kink, self.pairs
            named_loss.square_root, named_loss.others = self.square_root, self.others
            named_loss.apart, named_loss.anchor = self.apart, self.anchor
            named_loss.mirrored, named_loss.natural_activation = self.mirrored, self.natural_activation
            losses.add(named_loss.name, named_loss, aliases)
            return named_loss

        return register

    def label_domain(self, **parameters: Value) -> Domain:
        """Which labels are legal."""
        return self._label(**parameters) if callable(self._label) else self._label

    def prediction_domain(self, **parameters: Value) -> Domain:
        """Which predictions are legal."""
        return self._prediction(**parameters) if callable(self._prediction) else self._prediction

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)


def _the_label(label: FloatArray, **parameters: Value) -> FloatArray:  # noqa: ARG001
    return label


def _the_prediction(label: FloatArray, prediction: FloatArray, **parameters: Value) -> FloatArray:  # noqa: ARG001
    return prediction


def _no_losses() -> Mapping[str, tuple[str, str]]:
    from lossctl.functions.metrics import METRICS  # noqa: PLC0415  (hundreds of names, which no known loss waits for)

    return METRICS


losses: Registry[Loss] = Registry("loss", "lossctl.functions.losses", group="lossctl.losses", others=_no_losses)


def _named(name: str) -> Loss:
    return losses.get(name)


def loss(
    *,
    label: DomainOf,
    prediction: DomainOf,
    aliases: tuple[str, ...] = (),
    references: tuple[str, ...] = (),
    reduction: str = "mean",
    empty: float = math.nan,
    other_width: tuple[str, tuple[str, ...]] | None = None,
    floored: Kernel | None = None,
    of_error: bool = False,
    ordered: bool = False,
    peers: Mapping[str, str] = NO_PEERS,
) -> Callable[[Kernel], Loss]:
    """Turn a formula into a registered loss.

    The formula takes ``(label, prediction, *, parameters)`` as float64 arrays and returns one value for each number,
    or for each row when the prediction domain is one of rows. Its name is the function's, its parameters are the
    annotated keyword-only ones, its documentation is the docstring.

    Args:
        label: the legal labels: a domain, or a function from the parameters to one.
        prediction: the legal predictions, likewise.
        aliases: exact synonyms of the name.
        references: where the formula comes from.
        reduction: how rows become the reported number: one of those in `lossctl.reduction`.
        empty: what a ratio is where both sums are 0.
        other_width: a loss and the spellings that mean it instead when the number of prediction columns is not the
            one this loss is for (one column for a loss of rows, several for any other). Without spellings messages
            name the loss, which may have parameters then.
        floored: ``(label, prediction, **parameters)`` to the probabilities whose logarithm is floored at ``eps``;
            the prediction when left out.
        of_error: whether the value is one of prediction less label alone; behind an activation that keeps the digits
            of that difference, the formula then gets the difference, and a label of 0.
        ordered: whether the order of the classes counts.
        peers: what other libraries call it, by library, each name with what is different about it in parentheses.
    """

    def register(function: Kernel) -> Loss:
        definition = Loss(
            function,
            label=label,
            prediction=prediction,
            aliases=aliases,
            references=references,
            reduction=reduction,
            empty=empty,
            other_width=other_width,
            floored=floored,
            of_error=of_error,
            ordered=ordered,
            peers=peers,
        )
        losses.add(definition.name, definition, aliases)
        return definition

    return register
