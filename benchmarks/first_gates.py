"""How often the gates that ``lossctl check --init`` writes fail: the table of docs/statistics.md.

``python benchmarks/first_gates.py [--files 2000] [--seed 16]`` draws files of 0/1 labels and of the probabilities of a
model, from which a limit is made as ``--init`` makes it, and files of a model whose expected ``bce`` is so much higher,
of the same rows or of as many others, and counts those that fail. Many files are worked out at once; the first of each
is held against lossctl itself.
"""

import argparse

import numpy as np

import lossctl
from lossctl.cli.limits import above
from lossctl.comparison.gate import Gate, Measurement, decide
from lossctl.sums.estimate import TOP_SHARE, Estimate
from lossctl.sums.student import quantile

SHOWN = (200, 1000, 10_000)
WORSE = (0.0, 0.05, 0.10, 0.20)
SPREAD = 1.2
"""Of the labels' logits: a model that knows them has a ``bce`` of 0.565."""
AT_ONCE = 4_000_000
"""Rows that are drawn at a time."""
Generator = np.random.Generator


def softplus(logit: np.ndarray) -> np.ndarray:
    """ln(1 + eˣ)."""
    return np.logaddexp(0.0, logit)


def expected(noise: float) -> float:
    """The expected ``bce`` of a model that sees logits with noise."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    logit, seen = SPREAD * nodes[:, None], SPREAD * nodes[:, None] + noise * nodes
    loss = softplus(seen) - seen / (1.0 + np.exp(-logit))
    return float(weights @ loss @ weights)


def noise_of(worse: float) -> float:
    """The noise with which the expected ``bce`` is so much higher."""
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expected(middle) < (1.0 + worse) * expected(0.0) else (low, middle)
    return low


def losses(random: Generator, logit: np.ndarray, label: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The logits that a model gives, and its losses."""
    seen = logit + noise * random.standard_normal(logit.shape)
    return seen, softplus(seen) - label * seen


def rows(random: Generator, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of files."""
    logit = SPREAD * random.standard_normal(shape)
    return logit, (random.random(shape) < 1.0 / (1.0 + np.exp(-logit))).astype(float)


def proven(losses: np.ndarray, limit: np.ndarray, kind: str = "max") -> tuple[np.ndarray, np.ndarray]:
    """Which files have a mean that is proven to be above a limit, and which are inconclusive."""
    n = losses.shape[1]
    mean, squares = losses.mean(axis=1), (losses - losses.mean(axis=1, keepdims=True)) ** 2
    error = np.sqrt(squares.sum(axis=1) / (n - 1.0) / n)
    share = squares.max(axis=1) / squares.sum(axis=1)
    down = mean - losses.min(axis=1) > losses.max(axis=1) - mean
    above = mean - quantile(0.9, n - 1.0) * error > limit
    unclear = np.zeros(len(mean), dtype=bool)
    gate = Gate("first", kind, 0.0)  # type: ignore[arg-type]  # one of these
    for place in np.flatnonzero((mean > limit) & (share > TOP_SHARE)).tolist():
        one = Estimate(
            mean[place], error[place], n - 1.0, n, float(n), None, share[place], pulled_down=bool(down[place])
        )
        chance = limit[place] / mean[place] if kind == "max" else 1.0
        measured = Measurement("bce", "p", {}, one, limit[place], mean[place], chance=chance)
        (verdict,) = decide([(gate, measured)])
        above[place], unclear[place] = verdict.state == "fail", verdict.state == "inconclusive"
    return np.asarray(above), unclear


def failing(n: int, worse: float, files: int, random: Generator, *, same: bool) -> tuple[float, float, float]:
    """The share of files that fail the limit, or an increase of 1 % over the earlier model on the same rows.

    And of those that are inconclusive at the limit.

    Raises:
        SystemExit: lossctl decides otherwise.
    """
    noise, failed, paired, unclear = noise_of(worse), 0, 0, 0
    for left in range(files, 0, -max(1, AT_ONCE // n)):
        shape = min(left, max(1, AT_ONCE // n)), n
        logit, label = rows(random, shape)
        before = losses(random, logit, label, 0.0)[1]
        if not same:
            logit, label = rows(random, shape)
        seen, now = losses(random, logit, label, noise)
        limits = np.array([above(value) for value in before.mean(axis=1).tolist()])
        fails, unsure = proven(now, limits)
        failed, unclear = failed + int(fails.sum()), unclear + int(unsure.sum())
        increase = now - 1.01 * losses(random, logit, label, 0.0)[1]
        paired += int(proven(increase, np.zeros(len(limits)), "max_increase")[0].sum())
        gate = {"name": "first", "loss": "bce", "max": float(limits[0]), "from_logits": True}
        status = lossctl.check_gates(gate, {"label": label[0], "prediction": seen[0]}).exit_code
        if status != fails[0]:  # what is inconclusive is 0
            raise SystemExit(f"lossctl exits with {status}, n = {n}")
    return failed / files, paired / files, unclear / files


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=16)
    asked = parser.parse_args()
    print('| `bce` | rows | same rows | other rows | inconclusive there | `max_increase = "1%"` |')
    print("|---|--:|--:|--:|--:|--:|")
    for worse in WORSE:
        for n in SHOWN:
            random = np.random.default_rng(asked.seed)
            shares = [failing(n, worse, asked.files, random, same=same) for same in (True, False)]
            shown = (shares[0][0], shares[1][0], shares[1][2], shares[0][1])
            cells = " | ".join(f"{100 * share:.1f}" for share in shown)
            title = f"{100 * worse:.0f} % worse" if worse else "no worse"
            print(f"| {title} | {n:,} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
