"""Confidence intervals of the values of a report, from their standard errors."""

from dataclasses import replace

import numpy as np

from lossctl.arrow import in_arrow
from lossctl.errors import UsageError, option
from lossctl.evaluation.report import Report
from lossctl.evaluation.results import Block, Results
from lossctl.records import Same


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
    table, whole = (_bounded(results, level) for results in (report.table, report.whole))
    return replace(report, table=table, whole=whole, settings={**report.settings, "ci": level})


def _bounded(results: Results, level: float) -> Results:
    return results.having([_with_ends(block, level) for block in results.blocks])


def _with_ends(block: Block, level: float) -> Block:
    """Results with value ± t · standard error, t of as many degrees of freedom as rows or clusters count, less one.

    Of weighted rows as many count as their effective number. There are no ends where nothing is known of the error.
    """
    from lossctl.sums.student import quantile  # noqa: PLC0415  (nothing else of a start needs the normal distribution)

    value, error = block.numbers("value"), block.numbers("standard_error")
    clustered = not isinstance(block.columns["n_clusters"], Same)
    freedom = block.numbers("n_clusters" if clustered else "effective_n") - 1.0
    known = np.isfinite(value) & np.isfinite(error) & (freedom > 0.0)
    moved = known & (error != 0.0)
    distinct, place = np.unique(freedom[moved], return_inverse=True)
    reach = np.zeros(len(value))
    with np.errstate(over="ignore"):  # an end that is no double is infinite
        reach[moved] = np.array([quantile(level, one) for one in distinct.tolist()])[place] * error[moved]
        low, high = (in_arrow(ends, ~known) for ends in (value - reach, value + reach))
    return block.having(ci=Same(level), ci_low=low, ci_high=high)
