"""Evaluate loss functions on data files: named losses, per-sample values and gradient norms.

Examples:
    >>> import lossctl
    >>> lossctl.evaluate({"y": [1.0, 2.0], "p": [1.5, 2.0]}, "mae", label="y", prediction="p").value
    0.25
"""

TYPE_CHECKING = False  # as typing has it; nothing is imported here, for Ctrl-C is not answered before this is done
if TYPE_CHECKING:
    from lossctl.comparison.check import check_gates
    from lossctl.comparison.compare import compare
    from lossctl.comparison.comparison import Comparison
    from lossctl.comparison.difference import Difference
    from lossctl.comparison.gate import Gate, Verdict
    from lossctl.comparison.verdicts import Verdicts
    from lossctl.doctor.diagnose import diagnose
    from lossctl.doctor.diagnosis import Diagnosis
    from lossctl.errors import DataError, LossctlError, UsageError
    from lossctl.evaluation.evaluate import evaluate
    from lossctl.evaluation.report import Report
    from lossctl.evaluation.result import Result
    from lossctl.evaluation.running import Running
    from lossctl.functions.activation import BoundActivation, activation, get_activation
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.functions.explanation import Explanation, explain
    from lossctl.functions.lookup import get_loss
    from lossctl.functions.loss import loss
    from lossctl.reading.format import Reading
    from lossctl.version import __version__

_HOMES = {
    "BoundActivation": "functions.activation",
    "BoundLoss": "functions.bound_loss",
    "Comparison": "comparison.comparison",
    "DataError": "errors",
    "Diagnosis": "doctor.diagnosis",
    "Difference": "comparison.difference",
    "Explanation": "functions.explanation",
    "Gate": "comparison.gate",
    "LossctlError": "errors",
    "Reading": "reading.format",
    "Report": "evaluation.report",
    "Result": "evaluation.result",
    "Running": "evaluation.running",
    "UsageError": "errors",
    "Verdict": "comparison.gate",
    "Verdicts": "comparison.verdicts",
    "__version__": "version",
    "activation": "functions.activation",
    "check_gates": "comparison.check",
    "compare": "comparison.compare",
    "diagnose": "doctor.diagnose",
    "evaluate": "evaluation.evaluate",
    "explain": "functions.explanation",
    "get_activation": "functions.activation",
    "get_loss": "functions.lookup",
    "loss": "functions.loss",
}

__all__ = [
    "BoundActivation",
    "BoundLoss",
    "Comparison",
    "DataError",
    "Diagnosis",
    "Difference",
    "Explanation",
    "Gate",
    "LossctlError",
    "Reading",
    "Report",
    "Result",
    "Running",
    "UsageError",
    "Verdict",
    "Verdicts",
    "__version__",
    "activation",
    "check_gates",
    "compare",
    "diagnose",
    "evaluate",
    "explain",
    "get_activation",
    "get_loss",
    "loss",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``lossctl --help`` must load neither NumPy nor Arrow.

    Raises:
        AttributeError: nothing public is called that.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  (see above)

    value = globals()[name] = getattr(import_module(f"lossctl.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__]
