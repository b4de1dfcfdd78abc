"""Evaluate loss functions on data files: named losses, per-sample values and gradient norms.

>>> import lossctl
>>> lossctl.evaluate({"y": [1.0, 2.0], "p": [1.5, 2.0]}, "mae", label="y", prediction="p").value
0.25
"""

from lossctl.activation import activation, get_activation
from lossctl.errors import LossctlError
from lossctl.evaluate import evaluate
from lossctl.loss import get_loss, loss

__all__ = ["LossctlError", "activation", "evaluate", "get_activation", "get_loss", "loss"]
