"""The limits that gates begin with, and what is said of them in the configuration that has them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossctl.comparison.wording import rounded, spelled
from lossctl.errors import DataError
from lossctl.words import printable

if TYPE_CHECKING:
    from lossctl.comparison.gate import Gate, Measurement, Verdict

MARGIN = 0.05
"""How far above what is measured the limits begin."""
LIMITS = """\
# A limit is 5 % above what the loss is now, and its gate fails where the loss is proven to be above that: by chance in
# none of 100 builds on these rows, in 2 on others (of a bce, 0/1 labels). It is for what got much worse: 10 % fails in
# 3 of 100 builds of 200 rows, in 45 of 1,000 rows and 100 of 10,000; 20 % in 48, 100 and 100; 5 % in none. To catch
# that, hold the loss against an earlier model on the same rows: max_increase = "1%" fails it in 32, 90 and 100.
# Where a single row alone puts the loss above its limit, or carries so much (20 % of the sum of squares) that there may
# be a second like it, that is a broken prediction, or chance (in 3 of 100 builds of 200 other rows, in none of 1,000):
# exit status 4; from 20 times the limit on (of one gate) it is no chance, and the gate fails.
"""
"""What limits are for, by the table of docs/statistics.md, of which benchmarks/first_gates.py makes the figures."""


def above(value: float) -> float:
    """A number of few digits a little above a value."""
    if not math.isfinite(value):
        raise DataError(f"--init: the loss is {value}, which no gate can hold", "lossctl doctor says more.")
    wanted = value + MARGIN * abs(value)
    if not wanted:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(wanted))) - 2)
    return float(f"{math.ceil(wanted / step) * step:.3g}")


def limits_told(verdicts: Sequence["Verdict"]) -> dict[str, str]:
    """What is to be said of the limits of gates that hold, by the names of these."""
    listed = [(one.gate, one.measured) for one in verdicts if one.measured is not None]
    claims = sum(gate.kind == "max" and gate.fail_if == "proven" for gate, _ in listed)
    worst: dict[str, tuple[Gate, Measurement]] = {}
    for gate, measured in listed:
        if gate.name not in worst or measured.estimate.value > worst[gate.name][1].estimate.value:
            worst[gate.name] = gate, measured
    return {name: _rows(*one) if one[0].kind == "min_n" else _limit(*one, claims) for name, one in worst.items()}


def _rows(gate: "Gate", smallest: "Measurement") -> str:
    """Of a number of rows."""
    group = "" if gate.only else printable(spelled(smallest.group))
    of = f"the smallest group, {group}, had, and each needs them" if group else "there were"
    return f"as many rows as {of}; lower it where fewer are enough"


def _limit(gate: "Gate", worst: "Measurement", claims: int) -> str:
    """Of a loss, that stands beside so many claims."""
    estimate, group = worst.estimate, "" if gate.only else printable(spelled(worst.group))
    value, error = estimate.value, estimate.standard_error
    was = f"what it was{f' in the worst group, {group}' if group else ''}, {rounded(value, error)}"
    least = gate.limit + estimate.upper(1.0 - (1.0 - gate.confidence) / max(claims, 1)) - value
    if not value or gate.fail_if == "point" or not math.isfinite(least):
        return f"{100.0 * MARGIN:g} % above {was}" if value else was
    more = f"{100.0 * (least - value) / abs(value):.2g} % more"
    return f"{100.0 * MARGIN:g} % above {was}; fails where proven, from about {rounded(least, error)} on ({more})"
