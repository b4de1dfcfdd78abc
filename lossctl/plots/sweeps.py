"""Along which predictions, and at which labels, a loss or an activation is drawn.

The horizontal axis is derived from the domains of a definition: it is the error where nothing but the error counts, the
margin, a probability, the angle between two directions, or the prediction for a given label.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lossctl.dataclass import dataclass
from lossctl.domain import NONNEGATIVE, PROBABILITY, REAL, Domain, FloatArray, Interval, Values
from lossctl.errors import UsageError, option
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.parts import Parts
from lossctl.row_domains import Amounts, Direction, LogSimplex, Simplex, inside

Curved = BoundLoss | BoundActivation
Numbers = Callable[[FloatArray], FloatArray]
REACH = 3.0
"""How far from a label predictions are drawn, in units of the label, or of 1 where that is more."""


@dataclass(frozen=True)
class Path:
    """A way through predictions along which a curve is drawn."""

    title: str
    """What ``x`` is."""
    low: float
    high: float
    """Where the axis begins and ends unless the user says otherwise."""
    legal: Domain = REAL
    """Which ``x`` are legal."""
    prediction: Numbers = lambda x: x
    """The predictions ``(n,)`` or ``(n, 2)`` at ``x``."""
    velocity: Numbers = np.ones_like
    """Their derivative with respect to ``x``, in their shape."""


@dataclass(frozen=True)
class Sweep:
    """A path at one label."""

    path: Path
    label: FloatArray
    """The label of one row: ``(1,)``, or ``(1, 2)``."""
    named: str = ""
    """What is written behind the name of the loss to tell this sweep from others of it."""


def _pair(first: Numbers, second: Numbers) -> Numbers:
    return lambda x: np.stack([first(x), second(x)], axis=1)


def _reciprocal(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / x)


SCORE = Path("pre-activation z", -6.0, 6.0)
"""A sigmoid is within 1/400 of its limits there."""
OF_TWO = replace(
    SCORE,
    title="pre-activation z, the other at 0",
    prediction=_pair(lambda x: x, np.zeros_like),
    velocity=_pair(np.ones_like, np.zeros_like),
)
OF_TWO_AMOUNTS = Path(
    "first amount, the other at 1",
    0.0,
    REACH,
    NONNEGATIVE,
    _pair(lambda x: x, np.ones_like),
    _pair(np.ones_like, np.zeros_like),
)
ANGLE = Path(
    "angle to the label (radians)",
    0.0,
    np.pi,
    Interval(0.0, np.pi),
    _pair(np.cos, np.sin),
    _pair(lambda x: -np.sin(x), np.cos),
)
CHANCE = Path(
    "probability of the true class",
    0.0,
    1.0,
    PROBABILITY,
    _pair(lambda x: x, lambda x: 1.0 - x),
    _pair(np.ones_like, lambda x: -np.ones_like(x)),
)
LOG_CHANCE = replace(
    CHANCE,
    prediction=_pair(np.log, lambda x: np.log1p(-x)),
    velocity=_pair(_reciprocal, lambda x: -_reciprocal(1.0 - x)),
)


def sweeps(bound: Curved, labels: Sequence[float] = ()) -> tuple[Sweep, ...]:
    """The ways through the predictions of a loss, or the pre-activations of an activation, that show its shape.

    Raises:
        UsageError: a label is not legal, or no picture of such a loss is known.
    """
    if isinstance(bound, BoundActivation):
        return (Sweep(OF_TWO if bound.definition.rows else SCORE, np.empty(0)),)
    return tuple(_of_rows(bound, labels) if bound.rows else _of_numbers(bound, labels))


def _of_numbers(bound: BoundLoss, labels: Sequence[float]) -> Iterator[Sweep]:
    domain, raw = bound.label_domain, bound.activation is None
    if bound.unlabelled:
        if labels:
            raise UsageError(f"{bound.name} has no label", f"Leave {option('label')} out.")
        yield Sweep(_beside(bound, 1.0), np.array([1.0]))
        return
    for label in labels:
        if not _holds(domain, label):
            raise UsageError(f"{bound.name}: label {label:g} must be {domain.describe()}")
    x = np.linspace(-2.9, 2.9, 30)
    signs = _holds(domain, -1.0, 1.0) and not _holds(domain, 2.0)
    if not labels and signs and _agree(bound, (1.0, x), (-1.0, -x)):
        yield Sweep(replace(_beside(bound, 0.0), title="margin y·f" if raw else "margin y·z"), np.array([1.0]))
    elif not labels and raw and inside(REAL, domain) and _agree(bound, (0.0, x), (1.0, x + 1.0)):
        yield Sweep(replace(_beside(bound, 0.0), title="error e = ŷ − y"), np.array([0.0]))
    else:
        for label in labels or _telling(bound, signs=signs):
            yield Sweep(_beside(bound, label), np.array([label]), f", y = {label:g}")


def _telling(bound: BoundLoss, *, signs: bool) -> list[float]:
    """The labels at which a loss is drawn where the user names none."""
    domain = bound.label_domain
    if signs:
        return [1.0, -1.0]
    bounded = bound.activation is not None and inside(bound.activation.range, PROBABILITY)
    if _holds(domain, 0.0, 1.0) and (bounded or not _holds(domain, 2.0)):
        return [1.0, 0.0]
    samples = domain.sample(np.random.default_rng(0), 8, 1).tolist()
    return [next(label for label in (1.0, 0.5, 2.0, 0.0, -1.0, *samples) if _holds(domain, label))]


def _beside(bound: BoundLoss, label: float) -> Path:
    """The path through predictions around a label, as far as they are legal."""
    if bound.activation is not None:
        return SCORE
    legal, reach = bound.prediction_domain, REACH * max(1.0, abs(label))
    low, high, title = label - reach, label + reach, "prediction ŷ"
    if isinstance(legal, Interval):
        low = legal.low if np.isfinite(legal.low) else low
        high = legal.high if np.isfinite(legal.high) else high
        title = "predicted probability ŷ" if inside(legal, PROBABILITY) else title
    elif isinstance(legal, Values):
        low, high = min(legal.allowed), max(legal.allowed)
    return Path(title, low, high, legal)


def _holds(domain: Domain, *values: float) -> bool:
    return all(domain.illegal(np.array([value])) is None for value in values)


def _agree(bound: BoundLoss, *places: tuple[float, FloatArray]) -> bool:
    """Whether a loss has the same values at these labels and predictions."""
    if any(bound.prediction_domain.illegal(x) is not None for _, x in places):
        return False
    first, second = (bound.value(np.full(len(x), label), x) for label, x in places)
    return np.allclose(first, second, rtol=1e-9, atol=1e-12, equal_nan=True)


def _beside_number(bound: BoundLoss, labels: Sequence[float]) -> Iterator[Sweep]:
    """Sweeps of several numbers beside a label of one: over the first of the parts, or all of them, 1 apart."""
    for label in labels or [next(label for label in (0.0, 1.0, -1.0) if _holds(bound.label_domain, label))]:
        if not _holds(bound.label_domain, label):
            raise UsageError(f"{bound.name}: label {label:g} must be {bound.label_domain.describe()}")
        path, domain, k = _beside(bound, label), bound.output_domain, bound.columns or 3
        if bound.activation is None:
            path = replace(path, title="middle of the numbers, 1 apart", legal=REAL)
        offsets, moving = np.linspace(0.5 - 0.5 * k, 0.5 * k - 0.5, k), np.ones(k)
        if isinstance(domain, Parts):
            held = [label + 1.0 if domain.ascending else float(own.low == 0.0) for _, own in domain.domains[1:]]
            offsets, moving = np.array([0.0, *held]), np.where(np.arange(k) == 0, 1.0, 0.0)
            beside = " and ".join(f"{name} {value:g}" for name, value in zip(domain.names[1:], held, strict=True))
            legal = replace(domain.domains[0][1], high=held[0]) if domain.ascending else domain.domains[0][1]
            path = replace(path, title=f"{domain.names[0]}, beside {beside}", legal=legal)
        prediction, velocity = _moving(moving, offsets), _moving(np.zeros(k), moving)
        yield Sweep(replace(path, prediction=prediction, velocity=velocity), np.array([label]), f", y = {label:g}")


def _moving(slopes: FloatArray, offsets: FloatArray) -> Numbers:
    """Rows of numbers that each are a straight line of ``x``."""
    return lambda x: x[:, None] * slopes + offsets


def _wide(rows: npt.ArrayLike, k: int, rest: float = 0.0) -> FloatArray:
    """Rows of two numbers as rows of ``k``."""
    return np.pad(np.asarray(rows, dtype=np.float64), ((0, 0), (0, k - 2)), constant_values=rest)


def _among(bound: BoundLoss, k: int) -> Path:
    """The path through rows of ``k`` numbers along which a loss of classes is drawn: the first two of them move."""
    output = bound.output_domain
    if bound.activation is not None:
        path = OF_TWO
    elif isinstance(output, Direction):
        path = ANGLE
    elif isinstance(output, LogSimplex | Simplex):
        path = CHANCE if isinstance(output, Simplex) else LOG_CHANCE
    elif isinstance(output, Amounts):
        path = OF_TWO_AMOUNTS
    else:
        path = replace(OF_TWO, title="score of the true class, other at 0", low=-REACH, high=REACH)
    if k == 2:
        return path
    wide, moving, rest = path.prediction, path.velocity, -np.inf if isinstance(output, LogSimplex) else 0.0
    return replace(path, prediction=lambda x: _wide(wide(x), k, rest), velocity=lambda x: _wide(moving(x), k))


def _of_rows(bound: BoundLoss, labels: Sequence[float]) -> Iterator[Sweep]:
    """Sweeps of a loss of rows: over two columns, of which the first is the true class."""
    if bound.of_number:
        yield from _beside_number(bound, labels)
        return
    k = max(bound.columns or 2, 2)
    domain, output = bound.label_domain.for_width(k), bound.output_domain
    soft, codes = 2 in domain.dimensions and not isinstance(output, Direction), 1 in domain.dimensions
    for label in labels:
        if not soft or domain.illegal(_wide([[label, 1.0 - label]], k)) is not None:
            raise UsageError(f"{bound.name}: label {label:g} cannot be drawn; its labels are {domain.describe()}")
    path = _among(bound, k)
    true = np.array([0.0]) if codes else _wide([[1.0, 0.0]], k)
    rows = [(_wide([[label, 1.0 - label]], k), f", y = {label:g}") for label in labels] or [(true, "")]
    for row, named in rows:
        if domain.illegal(row) is not None:
            raise UsageError(f"{bound.name} cannot be drawn: its labels are {domain.describe()}")
        yield Sweep(path, row, named)
