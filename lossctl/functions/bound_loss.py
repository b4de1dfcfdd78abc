"""A loss with a value for each of its parameters, on predictions or through an activation."""

from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import numpy.typing as npt

from lossctl.arguments import checked
from lossctl.arrays import numbers
from lossctl.dataclass import dataclass
from lossctl.domain import (
    LARGEST,
    LEAST,
    BoolArray,
    Domain,
    FloatArray,
    IntArray,
    Listed,
    Unlabelled,
    filled_sum,
    infinite_in,
    laid_out,
    row_sum,
)
from lossctl.errors import DataError, LossctlError, UsageError, option
from lossctl.functions.activation import BoundActivation, get_activation
from lossctl.functions.definition import Bound, Kind
from lossctl.functions.forms import Forms
from lossctl.functions.loss import REDUCTIONS, Loss, losses
from lossctl.functions.parameter import Value
from lossctl.functions.parts import Parts, pieces
from lossctl.functions.shapes import ensure_shapes, even
from lossctl.reduction import PER_ROW, OverColumns, Reduction, reduction_of
from lossctl.words import normal

if TYPE_CHECKING:
    from numpy.random import Generator


SMALLEST = 2.0**-960
"""Squares below this may have lost digits to underflow."""
CODES = "Class labels are integer codes from 0; what names them is lossctl.evaluate with classes."
RESAMPLED = 100
"""How often pre-activations that come to no legal prediction are sampled anew."""


@dataclass(frozen=True)
class BoundLoss(Bound):
    """A loss with a value for each of its parameters, on predictions or on pre-activations."""

    definition: Loss
    reduction: str = "mean"
    activation: BoundActivation | None = None
    masked: bool = False
    """Whether a row leaves out the columns whose label is NaN: its mean is over the others."""
    over_columns: OverColumns | None = None
    """What is made of the numbers of a row with several columns; ``None`` for what the reduction makes of them."""
    typed: str = field(default="", compare=False, repr=False)
    """The name by which somebody asked for it."""

    kind: ClassVar[Kind] = "loss"
    values: ClassVar[str] = "loss of a row"

    @property
    def domains(self) -> dict[str, Domain]:
        return {"label": self.label_domain, "prediction": self.prediction_domain}

    @property
    def registered(self) -> bool:
        return self.name in losses

    def sample(self, rng: "Generator", n: int, k: int) -> tuple[FloatArray, ...]:
        k = self.columns or k
        label = self.label_domain.for_width(k).sample(rng, n, k)
        if self.activation is None:
            return label, np.asfortranarray(self.prediction_domain.sample(rng, n, k))
        z = rng.normal(0.0, 3.0, (n, k) if self.rows else n)
        for _ in range(RESAMPLED):
            bad = self.output_domain.illegal(self.activated(z)) if self.chained else None
            if bad is None:
                return label, np.asfortranarray(z)
            z[bad] = rng.normal(0.0, 3.0, z[bad].shape)
        raise UsageError(f"{self.activation} does not come to what {self.name} needs: {self.output_domain.describe()}")

    def slopes(self, *arguments: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.value(*arguments), self.gradient(*arguments)

    def shape_of(self, prediction: FloatArray) -> tuple[int, ...]:
        return prediction.shape[:1]

    def value_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray:
        return self.value(np.repeat(label, len(prediction), axis=0), prediction)

    def gradient_along(self, label: FloatArray, prediction: FloatArray) -> FloatArray | None:
        if self.definition.slope is None:
            return None
        return self.gradient(np.repeat(label, len(prediction), axis=0), prediction)

    def kinks_at(self, label: FloatArray) -> tuple[float, ...]:
        if self.activation is not None:
            return self.activation.definition.kinks
        if self.rows:
            return ()
        kinks = self.row_kinks(self.label_domain.convert(label))
        return tuple(kink for array in kinks for kink in np.ravel(array).tolist())

    def row_kinks(self, label: FloatArray) -> tuple[FloatArray, ...]:
        """The predictions at which the gradient is known to jump beside some labels, in the shape of these each."""
        return self.definition.kinks_beside(label, label, **self.parameters)

    @property
    def title(self) -> str:
        """What messages call it: the name that was typed, with its own where that is another."""
        return self.definition.title(self.typed)

    @property
    def label_domain(self) -> Domain:
        """Which labels are legal."""
        return self.definition.label_domain(**self.parameters)

    @property
    def other_width(self) -> str:
        """The loss that is most like this one for the other number of prediction columns; empty where there is none."""
        return "" if self.definition.other_width is None else self.definition.other_width[0]

    @property
    def unlabelled(self) -> bool:
        """Whether the loss has no label."""
        return isinstance(self.label_domain, Unlabelled)

    @property
    def prediction_domain(self) -> Domain:
        """Which predictions (or pre-activations) are legal."""
        return self.output_domain if self.activation is None else self.activation.definition.takes

    @property
    def chained(self) -> bool:
        """Whether an activation is applied by the chain rule, for want of a form of the pair."""
        return self.activation is not None and self._forms.pair is None

    @property
    def output_domain(self) -> Domain:
        """What the activation may come to."""
        return self.definition.prediction_domain(**self.parameters)

    def activated(self, prediction: FloatArray) -> FloatArray:
        """The predictions after the activation, where what leaves the doubles is the last of them: a number still."""
        if self.activation is None:
            return prediction
        output = np.clip(self.activation.value(prediction), -LARGEST, LARGEST)
        gone = (output == 0) & (prediction < self.activation.definition.tail) & (prediction > -np.inf)
        return np.where(gone, LEAST, output)

    @property
    def rows(self) -> bool:
        """Whether the loss compares whole rows of a vector prediction."""
        return self.definition.prediction_domain(**self.parameters).rows

    @property
    def of_classes(self) -> bool:
        """Whether labels are classes, of which each has a number in a prediction; if not, a row is of one number."""
        return self.rows and self.label_domain.classes

    @property
    def of_number(self) -> bool:
        """Whether a vector prediction is held against a label of one number."""
        return self.rows and not self.label_domain.classes and not self.label_domain.rows

    @property
    def parts(self) -> tuple[str, ...]:
        """What the numbers of a prediction are, where they are different things."""
        domain = self.output_domain
        return domain.names if isinstance(domain, Parts) else ()

    @property
    def lists(self) -> dict[str, tuple[float, ...] | None]:
        """The parameters that have a number for each column, by name; ``None`` where nobody says these numbers."""
        values: dict[str, tuple[float, ...] | None] = {}
        for parameter in self.definition.parameters:
            value = self.parameters[parameter.name]
            if isinstance(value, tuple):
                values[parameter.name] = value
            elif value is None and isinstance(parameter.domain, Listed) and parameter.domain.named:
                values[parameter.name] = None
        return values

    @property
    def columns(self) -> int | None:
        """How many numbers a prediction must have; ``None`` where they may be any number."""
        return len(self.parts) or next((len(value) for value in self.lists.values() if value), None)

    def listing(self, **values: Value) -> "BoundLoss":
        """The same loss with other values of some parameters."""
        return replace(self, settings=self.definition.settings({**self.parameters, **values}))

    def tried(self, k: int) -> "BoundLoss":
        """The same loss, with an example of each list that nobody says, for ``k`` columns: evenly spaced."""
        return self.listing(**dict.fromkeys((name for name, value in self.lists.items() if value is None), even(k)))

    @property
    def wrt(self) -> str:
        """What gradients are with respect to."""
        return "prediction" if self.activation is None else f"pre-activation of {self.activation}"

    def value(self, label: npt.ArrayLike | None, prediction: npt.ArrayLike) -> FloatArray:
        """The loss of each row.

        Arrays are taken as float64, so integers of 2^53 and more are rounded; `lossctl.evaluate` computes errors of
        such columns exactly, or warns.

        Args:
            label: ``(n,)``, or ``(n, k)`` for several columns; class labels are ``(n,)`` integer codes; anything where
                the loss has none.
            prediction: ``(n,)`` or ``(n, k)``; a loss of rows needs ``(n, k)``, one with `parts` in their order.

        Returns:
            ``(n,)`` float64. Over several columns a row is their mean, or their sum where the reduction is a sum.

        Raises:
            UsageError: the shapes do not fit.
            DataError: a number is outside the domain.
        """
        return self.row_value(*self.accept(label, prediction))

    def gradient(self, label: npt.ArrayLike | None, prediction: npt.ArrayLike) -> FloatArray:
        """The derivative of each row's value with respect to its prediction, in the shape of ``prediction``.

        Arguments and errors are those of `value`. At a kink the value is the one the documentation states.
        """
        return self.row_gradient(*self.accept(label, prediction))

    def through(self, activation: str | BoundActivation | None) -> "BoundLoss":
        """The same loss on pre-activations: exact where the loss has a form for the pair, else by the chain rule.

        Raises:
            UsageError: the numbers of a prediction are different things.
        """
        if self.parts and activation is not None:
            what = f"{self.title}: no activation is for all of {' and '.join(self.parts)}"
            raise UsageError(what, "Write what comes after it into the columns.")
        return replace(self, activation=None if activation is None else get_activation(activation))

    def from_logits(self) -> "BoundLoss":
        """The same loss through its natural activation.

        Raises:
            UsageError: it has none.
        """
        natural = self.definition.natural_activation
        if natural is None:
            names = ", ".join(loss.name for loss in losses if loss.natural_activation)
            raise UsageError(f"{self.name} has no natural activation", f"Losses that have one: {names}.")
        return self.through(natural)

    @cached_property
    def reduced(self) -> Reduction:
        """What is made of its rows."""
        return reduction_of(self.reduction, {"empty": self.definition.empty, **self.parameters})

    @checked()
    def under(self, reduction: str) -> "BoundLoss":
        """The same loss under another reduction.

        Raises:
            UsageError: there is no such reduction, or the loss has none but its own.
        """
        for name in dict.fromkeys((*REDUCTIONS, PER_ROW.name, self.definition.reduction)):
            if normal(name) == normal(reduction):
                if self.definition.others and name != self.definition.reduction:
                    what = f"{self.title} is a {self.definition.reduction} of several numbers of each row, not a {name}"
                    raise UsageError(what, f"Leave {option('reduction')} out for it.")
                return replace(self, reduction=name)
        raise UsageError(f"unknown reduction {reduction!r}", f"Known: {', '.join(REDUCTIONS)}.")

    @property
    def adds_columns(self) -> bool:
        """Whether the numbers of a row with several columns are added up, not averaged."""
        return self.reduced.adds_columns if self.over_columns is None else self.over_columns == "sum"

    @checked()
    def flooring(self, eps: float) -> "BoundLoss":
        """The same loss with another floor under probabilities.

        Raises:
            UsageError: it has none.
        """
        return self.listing(eps=eps)

    def accept(self, label: npt.ArrayLike | None, prediction: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Label and prediction as the arrays kernels take, if shapes and values are legal; see `value`."""
        try:
            predictions = numbers(prediction, "the prediction")
            given = np.zeros_like(predictions) if self.unlabelled else cast("npt.ArrayLike", label)
            labels = numbers(given, "the label", CODES if self.of_classes else "")
        except LossctlError as wrong:
            raise wrong.about(self.title) from None
        try:
            self._accept_rows(labels.shape, predictions.shape)
        except UsageError as wrong:
            shapes = f"the label is of shape {labels.shape}, the prediction of {predictions.shape}"
            raise UsageError(f"{wrong.parts[0]}; {shapes}", wrong.parts[1]) from None
        label_domain = self.label_domain.for_width(predictions.shape[1] if predictions.ndim == 2 else 1)
        roles = (("label", label_domain, labels), ("prediction", self.prediction_domain, predictions))
        for role, domain, values in roles:
            for part, _, own, piece in pieces(domain, values):
                bad = own.illegal(piece)
                if bad is not None:
                    row = int(bad.argmax())
                    raise DataError(f"{self}: {part or role} {piece[row]} at index {row} must be {own.describe()}")
            if domain.exclusive and all((values == value).any() for value in domain.exclusive):
                raise DataError(f"{self}: {role} holds both 0 and -1", "Use 0 and 1, or -1 and 1.")
        labels, predictions = (rows if rows.ndim == 1 else laid_out(rows) for rows in (labels, predictions))
        return self.as_codes(label_domain.convert(labels)), predictions

    def _accept_rows(self, label: tuple[int, ...], prediction: tuple[int, ...]) -> None:
        """Check the shapes of labels and predictions; a `UsageError` where this loss is not defined for them."""
        self.accept_shapes(label[1:], prediction[1:])
        if label[0] != prediction[0]:
            raise UsageError(f"{self.title}: {label[0]} labels and {prediction[0]} predictions")

    def accept_shapes(self, label: tuple[int, ...], prediction: tuple[int, ...]) -> None:
        """Check the shapes of one row's label and prediction: ``()`` or ``(k,)``.

        Raises:
            UsageError: this loss is not defined for them.
        """
        ensure_shapes(self, label, prediction)

    def as_codes(self, label: FloatArray) -> FloatArray:
        """Class labels as the integers kernels index with; any other label as it is."""
        if self.of_classes and label.ndim == 1:
            return label.astype(np.intp)  # type: ignore[return-value,unused-ignore]  # codes are the one label not float64
        return label

    def row_value(self, label: FloatArray, prediction: FloatArray) -> FloatArray:
        """`value` of arrays known to be legal."""
        with np.errstate(all="ignore"):
            return self._over_columns(self._forms.value(label, prediction, self.parameters), label)

    @property
    def over_cells(self) -> bool:
        """Whether a row counts once for each label that it has."""
        return self.masked and not self.adds_columns

    def cells(self, label: FloatArray) -> FloatArray | None:
        """How many labels each row has, where it counts once for each; ``None`` where a row is a row."""
        if not self.over_cells:
            return None
        return np.asarray((~np.isnan(label)).sum(axis=1, dtype=np.float64))

    def row_others(self, label: FloatArray, prediction: FloatArray) -> tuple[FloatArray, ...]:
        """The further numbers of each row that the reduction takes, ``(n,)`` each, of arrays known to be legal."""
        with np.errstate(all="ignore"):
            output = self.activated(prediction)
            return tuple(
                self._over_columns(np.asarray(other.function(label, output, **self.parameters)), label)
                for other in self.definition.others
            )

    def row_ends(self, label: FloatArray) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """The smallest and the largest of each further number within rows of several columns, where the reduction asks.

        It asks for numbers that are of labels alone; there are none of rows of one column.
        """
        if label.ndim == 1 or self.reduced.takes != "spans":
            return ()
        numbers = [np.asarray(other.function(label, label, **self.parameters)) for other in self.definition.others]
        none = np.isnan(label)
        return tuple(
            (np.where(none, np.inf, each).min(axis=1), np.where(none, -np.inf, each).max(axis=1)) for each in numbers
        )

    @property
    def moves_others(self) -> bool:
        """Whether a further number of a row depends on its prediction."""
        return any(other.slope is not None for other in self.definition.others)

    def row_gradients_of_others(self, label: FloatArray, prediction: FloatArray) -> list[FloatArray | None]:
        """The gradients of the further numbers of each row, in the shape of ``prediction``; ``None`` for 0."""
        gradients: list[FloatArray | None] = []
        with np.errstate(all="ignore"):
            output = self.activated(prediction)
            for other in self.definition.others:
                slope = None if other.slope is None else other.slope(label, output, **self.parameters)
                if slope is not None and self.activation is not None:
                    slope = self.activation.pullback(prediction, slope)
                gradients.append(None if slope is None else self._of_mean(label, slope))
        return gradients

    def far_squares(
        self, label: FloatArray, prediction: FloatArray, value: FloatArray
    ) -> tuple[IntArray, FloatArray, IntArray] | None:
        """The rows whose value is a square that is no double, or has lost digits; ``None`` when there are none.

        Returns:
            Where they are, and their values as numbers below 1 times powers of two.
        """
        root = self.definition.square_root
        if root is None or self._forms.pair is not None:
            return None
        if float(value.min()) >= SMALLEST and float(value.max()) < np.inf:
            return None
        rows = np.flatnonzero((value < SMALLEST) | (value == np.inf))
        with np.errstate(all="ignore"):
            labels = label[rows]
            size = np.abs(root(labels, self.activated(prediction[rows]), **self.parameters))
            size = np.where(np.isnan(labels), 0.0, size) if self.masked else size
            largest = size if size.ndim == 1 else size.max(axis=1)
            far = (largest > 0) & (largest < np.inf)
            rows, labels, size, largest = rows[far], labels[far], size[far], largest[far]
            if not len(rows):
                return None
            exponent = np.frexp(largest)[1].astype(np.int64)
            scaled = np.ldexp(size, -exponent if size.ndim == 1 else -exponent[:, None])
            squares = self._over_columns(np.square(scaled), labels)
            number, more = np.frexp(squares)
        return rows, number, 2 * exponent + more

    def row_gradient(self, label: FloatArray, prediction: FloatArray) -> FloatArray:
        """`gradient` of arrays known to be legal."""
        with np.errstate(all="ignore"):
            return self._of_mean(label, self._forms.slope(label, prediction, self.parameters))

    @property
    def takes_error(self) -> bool:
        """Whether `value_of_error` and `gradient_of_error` are defined."""
        return self.activation is None and self.definition.of_label_error

    def value_of_error(self, label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
        """`row_value` where prediction less label, in their shape, is known better than these two tell it."""
        form, arguments = self._forms.of_error(label, error, prediction)
        with np.errstate(all="ignore"):
            function = form.function
            return self._over_columns(np.asarray(function(*arguments, **self.parameters)), label)

    def gradient_of_error(self, label: FloatArray, error: FloatArray, prediction: FloatArray) -> FloatArray:
        """`row_gradient`, likewise."""
        form, arguments = self._forms.of_error(label, error, prediction)
        if form.slope is None:
            raise UsageError(f"{self.name} declares no gradient")
        with np.errstate(all="ignore"):
            return self._of_mean(label, np.asarray(form.slope(*arguments, **self.parameters)))

    def _of_mean(self, label: FloatArray, slope: FloatArray) -> FloatArray:
        """The derivative of the value of a row, from that of each number's."""
        if self.masked and slope.ndim == 2:
            slope, cells = np.where(np.isnan(label), 0.0, slope), self.cells(label)
            return slope if cells is None else np.asarray(slope / cells[:, None])
        if slope.ndim == 1 or self.rows or self.adds_columns:
            return slope
        return np.asarray(slope / slope.shape[1])

    def clipped(self, label: FloatArray, prediction: FloatArray, *, finite: bool = False) -> BoolArray | None:
        """Rows whose value the floor under probabilities changed; ``None`` when there are none.

        Args:
            label: as kernels take it, known to be legal.
            prediction: likewise.
            finite: whether all predictions are known to be finite.
        """
        eps = self.parameters.get("eps")
        if not isinstance(eps, float) or eps == 0 or not prediction.size:
            return None
        if self._forms.pair is not None:
            infinite = None if finite else infinite_in(prediction)
            return None if infinite is None else self._floored(label, prediction, np.flatnonzero(infinite))
        with np.errstate(all="ignore"):
            probability = prediction if self.activation is None else self.activation.value(prediction)
            floored = self.definition.floored(label, probability, **self.parameters)
            if floored.min() >= eps and floored.max() <= 1.0 - eps:
                return None
            near = (floored < eps) | (floored > 1.0 - eps)
        return self._floored(label, prediction, np.flatnonzero(near if near.ndim == 1 else near.any(axis=1)))

    def _floored(self, label: FloatArray, prediction: FloatArray, rows: IntArray) -> BoolArray | None:
        """Those of some rows whose value is another without the floor, as a mask of all rows."""
        labels, predictions = label[rows], prediction[rows]
        with np.errstate(all="ignore"):
            bare = self._over_columns(self._forms.value(labels, predictions, {**self.parameters, "eps": 0.0}), labels)
            changed = bare != self._over_columns(self._forms.value(labels, predictions, self.parameters), labels)
        if not changed.any():
            return None
        mask = np.zeros(len(label), dtype=np.bool_)
        mask[rows[changed]] = True
        return mask

    @cached_property
    def _forms(self) -> Forms:
        return Forms(self.definition, self.activation, self.rows)

    def _over_columns(self, values: FloatArray, label: FloatArray) -> FloatArray:
        if values.ndim == 1:
            return values
        if self.masked:
            total, cells = filled_sum(np.where(np.isnan(label), 0.0, values)), self.cells(label)
            return total if cells is None else np.asarray(total / cells)
        total = row_sum(values)
        return total if self.adds_columns else np.asarray(total / values.shape[1])
