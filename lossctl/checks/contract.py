"""What every loss and activation promises, and whether one keeps it."""

import pickle
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from lossctl.arguments import checked
from lossctl.checks.differences import NOTHING, Agreement, compare
from lossctl.dataclass import dataclass
from lossctl.domain import BoolArray, FloatArray, Interval, Listed, Words
from lossctl.errors import LossctlError, UsageError
from lossctl.functions.activation import Activation, BoundActivation, get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import Bound, Definition
from lossctl.functions.lookup import get_loss
from lossctl.functions.loss import Loss
from lossctl.functions.parameter import Parameter, Value

ROWS, COLUMNS = 200, 4
WORDS = {"formula": "Formula:", "use": "Use it", "avoid": "Avoid it", "example": ">>>"}
"""What a docstring must have, by section."""


def sampled_parameters(definition: Definition, seed: int, given: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """A value for each parameter of a loss or an activation: as given, else sampled from its domain.

    The floor under probabilities (``eps``) keeps its default unless it is given.

    Args:
        definition: whose parameters.
        seed: of the random numbers.
        given: values by parameter name.
    """
    rng = _random(seed)
    values: dict[str, Value] = {}
    for parameter in definition.parameters:
        values[parameter.name] = parameter.default if parameter.name == "eps" else _sampled_value(parameter, rng)
    return {**values, **(given or {})}


def sampled_loss(definition: Loss, seed: int) -> BoundLoss:
    """The loss with each parameter sampled from its domain."""
    return BoundLoss(definition, definition.settings(sampled_parameters(definition, seed)), definition.reduction)


def _random(seed: int) -> np.random.Generator:
    """Random numbers; a `UsageError` where a seed is negative."""
    if seed < 0:
        raise UsageError(f"a seed must be 0 or more, not {seed}")
    return np.random.default_rng(seed)


def sampled_activation(definition: Activation, seed: int) -> BoundActivation:
    """The activation with each parameter sampled from its domain."""
    return BoundActivation(definition, definition.settings(sampled_parameters(definition, seed)))


def _sampled_value(parameter: Parameter, rng: np.random.Generator) -> Value:
    needed = isinstance(parameter.domain, Listed) and parameter.domain.named
    if parameter.optional and not needed and rng.integers(4) == 0:
        return None
    if isinstance(parameter.domain, Words):
        return str(rng.choice(np.array(parameter.domain.allowed)))
    if isinstance(parameter.domain, Interval):
        return float(parameter.domain.sample(rng, 1, 1)[0])
    if isinstance(parameter.domain, Listed):
        if parameter.domain.alone and rng.integers(2):
            return float(parameter.domain.each.sample(rng, 1, 1)[0])
        return tuple(parameter.domain.each.sample(rng, COLUMNS, 1).tolist())
    return bool(rng.integers(2))


@checked()
def sampled_points(bound: BoundLoss, seed: int, n: int = ROWS, k: int = COLUMNS) -> tuple[FloatArray, FloatArray]:
    """Legal labels and predictions to try a loss on, away from the edges of its domains.

    Args:
        bound: the loss; through an activation, the predictions are pre-activations.
        seed: of the random numbers.
        n: how many rows.
        k: how many columns, where the loss takes rows or several columns.

    Returns:
        Labels and predictions, ``(n,)`` or ``(n, k)``.

    Raises:
        UsageError: what the activation comes to is not legal for the loss.
    """
    if n < 0 or k < 1:
        raise UsageError(f"no points have {n} rows of {k} columns")
    label, prediction = bound.sample(_random(seed), n, k)
    return label, prediction


@dataclass(frozen=True)
class Check:
    """The result of holding a loss or an activation against the mathematical part of its contract; results add up."""

    faults: tuple[str, ...] = ()
    """What it breaks, in English, but for its gradient."""
    gradient: Agreement = NOTHING
    """How far its gradient agrees with finite differences."""

    def __add__(self, other: "Check") -> "Check":
        return Check(tuple(dict.fromkeys((*self.faults, *other.faults))), self.gradient + other.gradient)

    @property
    def passed(self) -> bool:
        """Whether it keeps the contract; where nothing was compared it has not been shown to."""
        return not self.faults and not self.gradient.wrong and self.gradient.compared > 0


@checked()
def check_loss(bound: BoundLoss, seed: int = 0) -> list[str]:
    """What a loss breaks of the contract every loss keeps, in English; nothing when it keeps it.

    Values and gradients are float64 of the right shape, finite on ordinary points, depend on their own row alone and
    leave their arguments as they were; the gradient is that of the value; the loss survives its own spelling and a
    pickle; its documentation states what everybody asks.
    """
    return _broken(bound, check(bound, seed))


@checked()
def check_activation(bound: BoundActivation, seed: int = 0) -> list[str]:
    """What an activation breaks of the contract every activation keeps, in English; see `check_loss`."""
    return _broken(bound, check(bound, seed))


def _broken(bound: Bound, result: Check) -> list[str]:
    broken = [*result.faults, *undocumented(bound.definition)]
    if result.gradient.wrong:
        worst = result.gradient.worst[0]
        where = f"prediction {worst.prediction!r}, column {worst.column}"
        where = where if worst.label is None else f"label {worst.label!r}, {where}"
        broken.append(f"{bound}: the gradient is {worst.stated!r}, differences say {worst.difference!r}, at {where}")
    return broken


@checked()
def check(bound: Bound, seed: int = 0) -> Check:
    """Hold a loss or an activation against the mathematical part of its contract, at points of its domains."""
    faults: list[str] = []
    bound = bound.tried(COLUMNS) if isinstance(bound, BoundLoss) else bound
    try:
        faults += _spelling(bound)
        faults += _behaviour(bound, seed)
        return Check(tuple(faults), NOTHING if faults else compare(bound, *_arguments(bound, seed)))
    except LossctlError as error:
        return Check((*faults, f"{bound}: {error}"))
    except Exception as error:  # noqa: BLE001  (whatever a stranger's formula raises is a fault of it)
        return Check((*faults, f"{bound} raises {type(error).__name__}: {error}"))


@checked()
def check_draws(bound: Bound, given: Collection[str] = (), *, draws: int = 20, seed: int = 0) -> Check:
    """`check` as it is, then again with parameters and points sampled anew; results are added up.

    Args:
        bound: the loss or the activation.
        given: names of parameters that keep their values.
        draws: how often it is checked in all.
        seed: of the first draw; each of the others has the next.
    """
    fixed = {name: value for name, value in bound.parameters.items() if name in given}
    total = check(bound, seed)
    for other_seed in range(seed + 1, seed + draws):
        settings = bound.definition.settings(sampled_parameters(bound.definition, other_seed, fixed))
        total = total + check(replace(bound, settings=settings), other_seed)
    return total


def undocumented(definition: Definition) -> Iterator[str]:
    """What the documentation of a loss or an activation lacks, in English; nothing when it is whole."""
    if not definition.summary.endswith("."):
        yield f"{definition.name}: the docstring needs a first line that ends with a full stop"
    for section, word in WORDS.items():
        if not getattr(definition.sections, section):
            yield f"{definition.name}: the docstring lacks {word!r}"
    if not definition.references:
        yield f"{definition.name}: no reference"


def _spelling(bound: Bound) -> Iterator[str]:
    if not bound.registered:
        yield f"{bound.name} is not registered"
        return
    reread = get_loss(str(bound)) if isinstance(bound, BoundLoss) else get_activation(str(bound))
    if reread.settings != bound.settings:
        yield f"{bound} does not survive being spelled: {reread.settings}"
    if pickle.loads(pickle.dumps(bound)) != bound:  # noqa: S301  (our own bytes)
        yield f"{bound} does not survive a pickle"


def _behaviour(bound: Bound, seed: int) -> Iterator[str]:
    """What is wrong with the shapes and types of values and gradients, and with what they depend on."""
    arguments = _arguments(bound, seed)
    copies = [array.copy() for array in arguments]
    value, slope = bound.slopes(*arguments)
    if not all(np.array_equal(*pair) for pair in zip(copies, arguments, strict=True)):
        yield f"{bound} changes its arguments"
    value_shape = bound.shape_of(arguments[-1])
    for name, array, shape in (("value", value, value_shape), ("gradient", slope, arguments[-1].shape)):
        if array.shape != shape or array.dtype != np.float64:
            yield f"{bound}: the {name} has shape {array.shape} and type {array.dtype}, not {shape} and float64"
            return
        if not np.isfinite(array).all():
            yield f"{bound}: the {name} is not finite at {_point(arguments, ~np.isfinite(array))}"
            return
    order = _random(seed).permutation(ROWS)
    if not np.array_equal(bound.slopes(*(array[order] for array in arguments))[0], value[order]):
        yield f"{bound}: the value of a row depends on other rows"
    if not np.array_equal(bound.slopes(*(array[:1] for array in arguments))[0], value[:1]):
        yield f"{bound}: the value of a row depends on how many there are"


def _arguments(bound: Bound, seed: int) -> tuple[FloatArray, ...]:
    """Label and prediction, or pre-activation."""
    return bound.sample(_random(seed), ROWS, COLUMNS)


def _point(arguments: tuple[FloatArray, ...], rows: BoolArray) -> str:
    row = int(np.argmax(rows.reshape(len(rows), -1).any(axis=1)))
    names = ("label", "prediction")[-len(arguments) :]
    return ", ".join(f"{name} {array[row].tolist()}" for name, array in zip(names, arguments, strict=True))
