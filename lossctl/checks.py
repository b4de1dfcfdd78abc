"""The contract of a loss, runnable on a stranger's loss.

>>> from lossctl import get_loss
>>> from lossctl.checks import check_loss
>>> check_loss(get_loss("huber:delta=2"), seed=0)
[]
"""

import pickle
from collections.abc import Iterator

import numpy as np

from lossctl.definition import Parameter, Value
from lossctl.domain import BoolArray, FloatArray, Interval, Words
from lossctl.loss import BoundLoss, Loss, get_loss, losses

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""Relative step of a central difference: its error is of the order of its square."""
TOLERANCE = 1e-5
ROWS, COLUMNS = 200, 4


def sampled(definition: Loss, seed: int) -> BoundLoss:
    """The loss with each parameter drawn from its domain."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, Value] = {}
    for parameter in definition.parameters:
        drawn[parameter.name] = parameter.default if parameter.name == "eps" else _draw(parameter, rng)
    return BoundLoss(definition, definition.settings(drawn), definition.reduction)


def _draw(parameter: Parameter, rng: np.random.Generator) -> Value:
    if parameter.optional and rng.integers(4) == 0:
        return None
    if isinstance(parameter.domain, Words):
        return str(rng.choice(np.array(parameter.domain.allowed)))
    if isinstance(parameter.domain, Interval):
        return float(parameter.domain.sample(rng, 1, 1)[0])
    return bool(rng.integers(2))


def points(bound: BoundLoss, seed: int, n: int = ROWS, k: int = COLUMNS) -> tuple[FloatArray, FloatArray]:
    """Legal labels and predictions to try a loss on, away from the edges of its domains."""
    rng = np.random.default_rng(seed)
    definition, parameters = bound.definition, bound.parameters
    label = bound.label_domain.for_width(k).sample(rng, n, k)
    if bound.activation is not None:
        prediction = rng.normal(0.0, 3.0, (n, k) if bound.rows else n)
    else:
        prediction = definition.prediction_domain(**parameters).sample(rng, n, k)
    return label, np.asfortranarray(prediction)


def check_loss(bound: BoundLoss, seed: int = 0) -> list[str]:
    """What a loss breaks of the contract every loss keeps, in English; nothing when it keeps it.

    Values and gradients are float64 of the right shape, finite on ordinary points, depend on their own row alone and
    leave their arguments as they were; the gradient is that of the value; the loss survives its own spelling and a
    pickle.
    """
    return [*_spelling(bound), *_documentation(bound.definition), *_behaviour(bound, seed)]


def _spelling(bound: BoundLoss) -> Iterator[str]:
    if bound.definition.name not in losses:
        yield f"{bound.name} is not registered"
        return
    again = get_loss(str(bound))
    if again.settings != bound.settings:
        yield f"{bound} does not survive being spelled: {again.settings}"
    if pickle.loads(pickle.dumps(bound)) != bound:  # noqa: S301  (our own bytes)
        yield f"{bound} does not survive a pickle"


def _documentation(definition: Loss) -> Iterator[str]:
    if not definition.summary.endswith("."):
        yield f"{definition.name}: the docstring needs a first line that ends with a full stop"
    for word in ("Formula:", "Use it", "Avoid it", ">>>"):
        if word not in (definition.__doc__ or ""):
            yield f"{definition.name}: the docstring lacks {word!r}"
    if not definition.references:
        yield f"{definition.name}: no reference"


def _behaviour(bound: BoundLoss, seed: int) -> Iterator[str]:
    label, prediction = points(bound, seed)
    before = label.copy(), prediction.copy()
    value, slope = bound.value(label, prediction), bound.gradient(label, prediction)
    if not (np.array_equal(before[0], label) and np.array_equal(before[1], prediction)):
        yield f"{bound} changes its arguments"
    for name, array, shape in (("value", value, (ROWS,)), ("gradient", slope, prediction.shape)):
        if array.shape != shape or array.dtype != np.float64:
            yield f"{bound}: the {name} has shape {array.shape} and type {array.dtype}, not {shape} and float64"
            return
        if not np.isfinite(array).all():
            yield f"{bound}: the {name} is not finite at {_point(label, prediction, ~np.isfinite(array))}"
            return
    order = np.random.default_rng(seed).permutation(ROWS)
    if not np.array_equal(bound.value(label[order], prediction[order]), value[order]):
        yield f"{bound}: the value of a row depends on other rows"
    if not np.array_equal(bound.value(label[:1], prediction[:1]), value[:1]):
        yield f"{bound}: the value of a row depends on how many there are"
    yield from _gradient(bound, label, prediction, slope)


def _gradient(bound: BoundLoss, label: FloatArray, prediction: FloatArray, slope: FloatArray) -> Iterator[str]:
    """Hold the gradient against central differences, column by column, away from declared kinks."""
    matrix = prediction.reshape(ROWS, -1)
    for column in range(matrix.shape[1]):
        step = STEP * np.maximum(np.abs(matrix[:, column]), 1e-2)
        ahead, behind = matrix.copy(order="F"), matrix.copy(order="F")
        ahead[:, column] += step
        behind[:, column] -= step
        accepted, _ = bound.accept(label, prediction)
        up = bound.row_value(accepted, ahead.reshape(prediction.shape, order="A"))
        down = bound.row_value(accepted, behind.reshape(prediction.shape, order="A"))
        found = (up - down) / (ahead[:, column] - behind[:, column])
        stated = slope.reshape(ROWS, -1)[:, column]
        scale = np.maximum(np.maximum(np.abs(found), np.abs(stated)), 1e-3)
        noise = 8.0 * np.finfo(np.float64).eps * np.abs(up) / step
        wrong = np.abs(found - stated) > TOLERANCE * scale + noise
        wrong &= ~_kinked(bound, accepted, *(it.reshape(prediction.shape, order="A") for it in (behind, ahead)))
        if wrong.any():
            row = int(wrong.argmax())
            where = _point(label, prediction, wrong)
            yield f"{bound}: the gradient is {stated[row]!r}, differences say {found[row]!r}, at {where}"
            return


def _kinked(bound: BoundLoss, label: FloatArray, behind: FloatArray, ahead: FloatArray) -> BoolArray:
    """Rows with a declared kink of the loss or of its activation between two predictions."""
    crossed = np.zeros(len(label), dtype=np.bool_)
    pairs: list[tuple[FloatArray, FloatArray, FloatArray | float]] = []
    if bound.activation is not None:
        pairs += [(behind, ahead, kink) for kink in bound.activation.definition.kinks]
    if bound.definition.kink is not None:
        low, high = bound.activated(behind), bound.activated(ahead)
        pairs.append((low, high, bound.definition.kink(label, low, **bound.parameters)))
    for low, high, kink in pairs:
        between = (low - kink) * (high - kink) <= 0
        crossed |= between if between.ndim == 1 else between.any(axis=1)
    return crossed


def _point(label: FloatArray, prediction: FloatArray, rows: BoolArray) -> str:
    row = int(np.argmax(rows.reshape(len(label), -1).any(axis=1)))
    return f"label {label[row]!r}, prediction {prediction[row]!r}"
