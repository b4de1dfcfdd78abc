"""Which of a loss's formulas is evaluated: its own, that of the pair with an activation, or that on errors."""

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.domain import LARGEST, BoolArray, FloatArray, infinite_in
from lossctl.errors import UsageError
from lossctl.functions.activation import BoundActivation
from lossctl.functions.loss import Loss, Through
from lossctl.functions.parameter import Value
from lossctl.functions.stable import amended


@dataclass(frozen=True)
class Forms:
    """The formulas of a loss on predictions, or on pre-activations: exact for a pair that has one, else chained."""

    definition: Loss
    activation: BoundActivation | None
    rows: bool
    """Whether the loss compares whole rows."""

    @property
    def pair(self) -> Through | None:
        """The form of the loss and its activation in one, where there is one."""
        if self.activation is None:
            return None
        return self.definition.pairs.get(self.activation.name)

    @property
    def tail(self) -> Through | None:
        """The form of the loss through exp, where its activation comes to that, and nothing is said of the pair."""
        chained = self.activation is not None and self.pair is None
        return self.definition.pairs.get("exp") if chained and not self.rows else None

    @staticmethod
    def _in_tail(activation: BoundActivation, prediction: FloatArray) -> BoolArray:
        return np.asarray((prediction < activation.definition.tail) & (prediction > -np.inf))

    def value(self, label: FloatArray, prediction: FloatArray, parameters: dict[str, Value]) -> FloatArray:
        """The loss of each number, or of each row."""
        if self.activation is not None and self.pair is not None:
            value = self.pair.function(label, prediction, **parameters)
            if self.rows or infinite_in(prediction) is None:
                return value
            # The probability is exactly 0 or 1, and the form of the pair a product of 0 and infinity.
            certain = np.isinf(prediction)
            value[certain] = self.definition.function(
                label[certain], self.activation.value(prediction[certain]), **parameters
            )
            return value
        if self.activation is None:
            return np.asarray(self.definition.function(label, prediction, **parameters))
        form, arguments = self._behind(self.activation, label, prediction, parameters)
        value = np.asarray(form.function(*arguments, **parameters))
        if self.tail is not None:
            tail = self.tail.function
            low = self._in_tail(self.activation, prediction)
            return amended(value, low, lambda label, z: tail(label, z, **parameters), label, prediction)
        if self.definition.mirrored is None:
            return value
        rest = -self.activation.error(prediction, np.ones_like(prediction))
        return np.where(rest < 0.5, self.definition.mirrored.function(label, rest, **parameters), value)

    def _behind(
        self, activation: BoundActivation, label: FloatArray, prediction: FloatArray, parameters: dict[str, Value]
    ) -> tuple[Loss | Through, tuple[FloatArray, ...]]:
        """The form that is evaluated behind an activation, and what it gets of label, error and output."""
        definition = self.definition
        if definition.of_error:
            return self.of_error(label, activation.error(prediction, label), prediction)
        output = activation.value(prediction)
        if definition.apart is None:
            return definition, (label, output)
        return self.of_error(label, activation.error(prediction, definition.anchor(label, **parameters)), output)

    def of_error(
        self, label: FloatArray, error: FloatArray, output: FloatArray
    ) -> tuple[Loss | Through, tuple[FloatArray, ...]]:
        """The form on errors, and what it gets."""
        definition = self.definition
        if definition.of_error or definition.apart is None:
            return definition, (np.zeros_like(error), error)
        return definition.apart, (label, error, output)

    def slope(self, label: FloatArray, prediction: FloatArray, parameters: dict[str, Value]) -> FloatArray:
        """The derivative of `value`, in the shape of the prediction.

        Raises:
            UsageError: none is declared.
        """
        pair = self.pair
        if pair is not None and pair.slope is not None:
            finite = (
                prediction if self.rows or infinite_in(prediction) is None else np.clip(prediction, -LARGEST, LARGEST)
            )
            return pair.slope(label, finite, **parameters)
        if self.definition.slope is None:
            raise UsageError(f"{self.definition.name} declares no gradient")
        if self.activation is None:
            return self.definition.slope(label, prediction, **parameters)
        form, arguments = self._behind(self.activation, label, prediction, parameters)
        if form.slope is None:
            raise UsageError(f"{self.definition.name} declares no gradient")
        upstream = form.slope(*arguments, **parameters)
        mirrored = self.definition.mirrored
        if mirrored is not None and mirrored.slope is not None:
            rest = -self.activation.error(prediction, np.ones_like(prediction))
            upstream = np.where(rest < 0.5, -mirrored.slope(label, rest, **parameters), upstream)
        slope = self.activation.pullback(prediction, upstream)
        if self.tail is None or self.tail.slope is None:
            return slope
        tail, low = self.tail.slope, self._in_tail(self.activation, prediction)
        return amended(slope, low, lambda label, z: tail(label, z, **parameters), label, prediction)
