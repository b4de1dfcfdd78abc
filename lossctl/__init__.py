"""Evaluate loss functions on data files: named losses, per-sample values and gradient norms.

>>> import lossctl
>>> lossctl.evaluate({"y": [1.0, 2.0], "p": [1.5, 2.0]}, "mae", label="y", prediction="p").value
0.25
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossctl.errors import LossctlError
    from lossctl.evaluation.evaluate import evaluate
    from lossctl.functions.activation import activation, get_activation
    from lossctl.functions.bound_loss import get_loss
    from lossctl.functions.loss import loss

__all__ = ["LossctlError", "activation", "evaluate", "get_activation", "get_loss", "loss"]

_HOMES = {
    "LossctlError": "lossctl.errors",
    "activation": "lossctl.functions.activation",
    "evaluate": "lossctl.evaluation.evaluate",
    "get_activation": "lossctl.functions.activation",
    "get_loss": "lossctl.functions.bound_loss",
    "loss": "lossctl.functions.loss",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``lossctl --help`` must load neither NumPy nor Arrow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return [*__all__]
