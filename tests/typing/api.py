"""User code for the type checker: the public names with the types they promise."""

from typing import assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd

import lossctl
from lossctl import BoundActivation, BoundLoss, Diagnosis, Explanation, Report, Result

report = lossctl.evaluate("preds.csv", ["mse", "huber:delta=0.5"], label="y", prediction=["a", "b=p_*"], by="segment")
assert_type(report, Report)
assert_type(report.results, tuple[Result, ...])
assert_type(report["mse"], Result)
assert_type(report.value, float)
assert_type(report.results[0].standard_error, float)
assert_type(report.to_frame(), pd.DataFrame)

bound = lossctl.get_loss("huber:delta=0.5")
assert_type(bound, BoundLoss)
assert_type(bound.value([1.0], [2.0]), npt.NDArray[np.float64])
assert_type(bound.gradient(np.zeros(3), np.ones(3)), npt.NDArray[np.float64])
assert_type(bound.through("sigmoid"), BoundLoss)
assert_type(bound.name, str)

sigmoid = lossctl.get_activation("sigmoid")
assert_type(sigmoid, BoundActivation)
assert_type(sigmoid.pullback([0.0], [1.0]), npt.NDArray[np.float64])

try:
    lossctl.evaluate({"y": [1.0], "p": [2.0]}, "mse", samples=3, gradient=True, nulls="drop", threads=2)
except (lossctl.UsageError, lossctl.DataError) as wrong:
    assert_type(wrong.what, str)
except lossctl.LossctlError as error:
    assert_type(error.status, int)
    assert_type(error.hint, str)

diagnosis = lossctl.diagnose({"y": [1.0], "p": [2.0]}, label="y", prediction="p")
assert_type(diagnosis, Diagnosis)
assert_type(diagnosis.commands, tuple[str, ...])
assert_type(diagnosis.suspicious, bool)

gate = {"name": "no-worse", "loss": "mse", "max_increase": "1%"}
rows = {"y": [1.0], "a": [2.0], "b": [1.0]}
verdicts = lossctl.check_gates([gate], rows, label="y", prediction=["a", "b"])
verdicts = lossctl.check_gates(lossctl.Gate("low", "max", 0.5, loss="mse"), rows, label="y", prediction="a")
assert_type(verdicts, lossctl.Verdicts)
assert_type(verdicts.verdicts, tuple[lossctl.Verdict, ...])
assert_type(verdicts.exit_code, int)
assert_type(verdicts.lines, tuple[str, ...])

explanation = lossctl.explain("huber:delta=0.5")
assert_type(explanation, Explanation)
assert_type(explanation.legal, list[str])


@lossctl.activation()
def identity(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """As it is."""
    return z


assert_type(lossctl.__version__, str)
