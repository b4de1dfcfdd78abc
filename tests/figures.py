"""The results of a report as tests compare them."""

import math
from dataclasses import replace

import lossctl

ROUNDED = ("grad_l2", "grad_l1", "row_mean", "row_rms")
"""Figures of a gradient that are rounded once a batch, as the standard error is."""


def bits(report, *, without=()):
    """The results, to the last bit."""
    return [repr(replace(result, **dict.fromkeys(without, ()))) for result in report.results]


class Nearly(float):
    """A number equal to those that differ from it in the last digits only."""

    __hash__ = None

    def __eq__(self, other):
        return math.isclose(self, other, rel_tol=1e-12) or (math.isnan(self) and math.isnan(other))


def digits(report, *, without=()):
    """The results, to the last bit but for figures that are rounded once a batch of rows."""
    found = []
    for result in report.results:
        slope = result.gradient
        near = [Nearly(result.standard_error), *(Nearly(getattr(slope, name)) for name in ROUNDED if slope)]
        slope = slope and replace(slope, **dict.fromkeys(ROUNDED, 0.0))
        found.append((near, repr(replace(result, standard_error=0.0, gradient=slope, **dict.fromkeys(without, ())))))
    return found


def run(source, asked, **more):
    return lossctl.evaluate(source, **{"gradient": True, "samples": 3, **asked, **more})


def result(path, **asked):
    """The number of rows and the value of the only result, or the error."""
    try:
        (found,) = lossctl.evaluate(path, "mse", **asked).results
    except lossctl.LossctlError as error:
        return error
    return found.n, found.value
