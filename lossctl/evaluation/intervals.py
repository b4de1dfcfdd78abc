"""Confidence intervals of the values of a report, from their standard errors."""

import math
from dataclasses import replace

from lossctl.errors import UsageError, option
from lossctl.evaluation.report import Report
from lossctl.evaluation.result import Result


def check_level(level: float | None) -> None:
    """Refuse a confidence level that is none.

    Raises:
        UsageError: it is not between 0 and 1.
    """
    if level is not None and not 0.0 < level < 1.0:
        hint = f"For {level:g} % it is {level / 100:g}." if 1.0 < level < 100.0 else "Such as 0.95."
        raise UsageError(f"{option(ci=f'{level:g}')}: a confidence level is between 0 and 1", hint)


def bounded(report: Report, level: float | None) -> Report:
    """The report with an interval for each value, the same report where no level is asked for."""
    if level is None:
        return report
    results, overall = (tuple(_bounded(one, level) for one in many) for many in (report.results, report.overall))
    return replace(report, results=results, overall=overall, settings={**report.settings, "ci": level})


def _bounded(result: Result, level: float) -> Result:
    """The result with value ± t · standard error, t of as many degrees of freedom as rows or clusters count, less one.

    Of weighted rows as many count as their effective number. There are no ends where nothing is known of the error.
    """
    from lossctl.sums.student import quantile  # noqa: PLC0415  (nothing else of a start needs the normal distribution)

    freedom = (result.effective_n if result.n_clusters is None else result.n_clusters) - 1.0
    if not (math.isfinite(result.value) and math.isfinite(result.standard_error) and freedom > 0.0):
        return replace(result, ci=level)
    reach = quantile(level, freedom) * result.standard_error if result.standard_error else 0.0
    return replace(result, ci=level, ci_low=result.value - reach, ci_high=result.value + reach)
