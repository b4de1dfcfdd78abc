"""How often a 95 % interval of ``--ci`` holds the true loss: the figures of docs/statistics.md.

``python benchmarks/coverage.py [--draws 20000] [--rows 200]`` draws files again and again, from distributions whose
true loss is known, and counts. The intervals are worked out for many files at once, by the formula of the standard
error; the first of each kind is held against lossctl itself. Of 20,000 draws a figure is off by 0.2 to 0.4 points.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import lossctl
from lossctl.sums.student import quantile

LEVEL = 0.95
AGREE = 1e-9
"""How near the interval of lossctl has to be."""
SHOWN = (20, 50, 200, 1000)


@dataclass(frozen=True)
class Case:
    """Rows to draw: squared errors, and weights that have nothing to do with them."""

    name: str
    errors: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    loss: float
    """The mean of the squares of the errors."""
    weights: Callable[[np.random.Generator, tuple[int, int]], np.ndarray] | None = None


def _heavy(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return random.lognormal(0.0, 1.5, shape)


def _normal(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return random.standard_normal(shape)


CASES = (
    Case("normal errors", _normal, 1.0),
    Case("normal errors, log-normal weights, σ = 0.5", _normal, 1.0, lambda draw, shape: draw.lognormal(0, 0.5, shape)),
    Case("normal errors, log-normal weights, σ = 1.5", _normal, 1.0, _heavy),
    Case("Student's t errors, 5 degrees of freedom", lambda draw, shape: draw.standard_t(5, shape), 5 / 3),
    Case("Student's t errors, 3 degrees of freedom", lambda draw, shape: draw.standard_t(3, shape), 3.0),
    Case("log-normal errors, σ = 0.5", lambda draw, shape: draw.lognormal(0, 0.5, shape), math.exp(0.5)),
    Case("log-normal errors, σ = 1", lambda draw, shape: draw.lognormal(0, 1, shape), math.exp(2.0)),
)  # fmt: skip


def intervals(losses: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals of files, ``(files,)`` and ``(files,)``, from their rows, ``(files, rows)``."""
    n, total = losses.shape[1], weights.sum(axis=1)
    mean = (weights * losses).sum(axis=1) / total
    error = np.sqrt(n / (n - 1) * (weights**2 * (losses - mean[:, None]) ** 2).sum(axis=1)) / total
    effective = total**2 / (weights**2).sum(axis=1)
    reach = np.array([quantile(LEVEL, freedom) for freedom in (effective - 1.0).tolist()]) * error
    return mean - reach, mean + reach


def covered(case: Case, rows: int, draws: int, seed: int) -> float:
    """The share of intervals that hold the true loss.

    Raises:
        SystemExit: lossctl gives another interval.
    """
    random, hits, left = np.random.default_rng(seed), 0, draws
    while left:
        shape = min(left, 1_000_000 // rows), rows
        errors = case.errors(random, shape)
        weights = np.ones(shape) if case.weights is None else case.weights(random, shape)
        low, high = intervals(errors**2, weights)
        if left == draws:
            source = {"label": np.zeros(rows), "prediction": errors[0], "weight": weights[0]}
            weight = None if case.weights is None else "weight"
            (result,) = lossctl.evaluate(source, "mse", weight=weight, ci=LEVEL).results
            if not np.allclose((result.ci_low, result.ci_high), (low[0], high[0]), rtol=AGREE):
                raise SystemExit(f"{case.name}: lossctl says {result.ci_low} to {result.ci_high}, not {low[0]}")
        hits += int(((low <= case.loss) & (case.loss <= high)).sum())
        left -= shape[0]
    return hits / draws


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--rows", type=int, nargs="+", default=SHOWN)
    parser.add_argument("--seed", type=int, default=13)
    asked = parser.parse_args()
    print("| mse of |", " | ".join(f"n = {rows:,}" for rows in asked.rows), "|")
    print("|---|" + "---|" * len(asked.rows))
    for case in CASES:
        shares = (covered(case, rows, asked.draws, asked.seed) for rows in asked.rows)
        print(f"| {case.name} |", " | ".join(f"{100 * share:.1f} %" for share in shares), "|", flush=True)


if __name__ == "__main__":
    main()
