"""Evaluate loss functions on data files: named losses, per-sample values and gradient norms.

>>> import lossctl
>>> lossctl.evaluate({"y": [1.0, 2.0], "p": [1.5, 2.0]}, "mae", label="y", prediction="p").value
0.25
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossctl.activation import activation, get_activation
    from lossctl.errors import LossctlError
    from lossctl.evaluate import evaluate
    from lossctl.loss import get_loss, loss

__all__ = ["LossctlError", "activation", "evaluate", "get_activation", "get_loss", "loss"]

_HOMES = {
    "LossctlError": "lossctl.errors",
    "activation": "lossctl.activation",
    "evaluate": "lossctl.evaluate",
    "get_activation": "lossctl.activation",
    "get_loss": "lossctl.loss",
    "loss": "lossctl.loss",
}


class _Package(ModuleType):
    """Imports a public name when it is first used: ``lossctl --help`` must load neither NumPy nor Arrow.

    The names are properties because some of them are modules as well (``lossctl.loss``): importing the module sets an
    attribute of the package, which must not hide the function.
    """


def _public(name: str) -> property:
    def read(package: ModuleType) -> Any:
        return vars(package).get(f"_{name}") or getattr(import_module(_HOMES[name]), name)

    def write(package: ModuleType, value: Any) -> None:
        """Keep what somebody puts there, unless it is the import system, which offers the module of that name."""
        if not isinstance(value, ModuleType):
            vars(package)[f"_{name}"] = value

    def forget(package: ModuleType) -> None:
        vars(package).pop(f"_{name}", None)

    return property(read, write, forget)


for _name in __all__:
    setattr(_Package, _name, _public(_name))
sys.modules[__name__].__class__ = _Package
