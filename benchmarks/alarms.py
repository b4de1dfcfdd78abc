"""How often ``lossctl compare`` and gates are right: the tables at the end of docs/statistics.md.

``python benchmarks/alarms.py [--files 20000] [--seed 14] [--only WORD]`` draws files of two models again and again:
once where both are as good, and counts alarms, once where the second is worse, and counts those that are shown. Both
are worked out for many files at once, from the formulas; the first of each kind is held against lossctl itself. What
is said and what is trusted is asked of lossctl's own estimates, of every file.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist

import numpy as np

import lossctl
from lossctl.comparison.gate import Gate, Measurement, decide
from lossctl.sums.estimate import Estimate

LEVEL = 0.95
AGREE = 1e-9
"""How near the figures of lossctl have to be; shares of rows with weights within `NEARLY`."""
NEARLY = 0.05
FEW = 200
"""Of fewer files no rate is told."""
AT_ONCE = 2_000_000
"""Rows that are drawn at a time."""
Generator = np.random.Generator
Shape = tuple[int, int]


@dataclass(frozen=True)
class Files:
    """Files of as many rows, ``(files, rows)`` each."""

    label: np.ndarray
    baseline: np.ndarray
    candidate: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of files."""

    name: str
    rows: int
    draw: Callable[[Generator, Shape, float], Files]
    """Files in which the second model is worse by so much."""
    worse: float
    """By how much, to ask what is shown."""
    loss: str = "mae"
    clusters: np.ndarray | None = None
    """How many rows each cluster has."""


LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mae": lambda label, prediction: np.abs(label - prediction),
    "rmse": lambda label, prediction: (label - prediction) ** 2,
    "bce": lambda label, prediction: -(label * np.log(prediction) + (1.0 - label) * np.log1p(-prediction)),
}


def apart(
    noise: Callable[[Generator, Shape], np.ndarray],
    weigh: Callable[[Generator, Shape], np.ndarray] | None = None,
) -> Callable[[Generator, Shape, float], Files]:
    """Losses of both models that have most in common, and a difference of mean 0 beside it, of standard deviation 1."""

    def draw(random: Generator, shape: Shape, worse: float) -> Files:
        common = 100.0 + 3.0 * random.standard_normal(shape)
        weight = None if weigh is None else weigh(random, shape)
        return Files(np.zeros(shape), common, common + noise(random, shape) + worse, weight)

    return draw


def normal(random: Generator, shape: Shape) -> np.ndarray:
    """Differences with no tails to speak of."""
    return random.standard_normal(shape)


def student(random: Generator, shape: Shape) -> np.ndarray:
    """Differences with heavy tails on both sides."""
    return random.standard_t(3, shape) / math.sqrt(3.0)


def log_normal(sigma: float) -> Callable[[Generator, Shape], np.ndarray]:
    """Differences with a heavy tail on one side: a few rows on which the second model is much worse."""

    def noise(random: Generator, shape: Shape) -> np.ndarray:
        mean = math.exp(sigma * sigma / 2.0)
        return (random.lognormal(0.0, sigma, shape) - mean) / (mean * math.sqrt(math.expm1(sigma * sigma)))

    return noise


def weights(sigma: float) -> Callable[[Generator, Shape], np.ndarray]:
    """Weights that are log-normal."""
    return lambda random, shape: random.lognormal(0.0, sigma, shape)


def users(sizes: np.ndarray) -> Callable[[Generator, Shape], np.ndarray]:
    """Differences of which half of the variance is one number for all rows of a cluster."""

    def noise(random: Generator, shape: Shape) -> np.ndarray:
        own = random.standard_normal((shape[0], len(sizes)))
        return (np.repeat(own, sizes, axis=1) + random.standard_normal(shape)) / math.sqrt(2.0)

    return noise


def regression(random: Generator, shape: Shape, worse: float) -> Files:
    """Errors of two models that have most in common, for a root of a mean."""
    common = random.standard_normal(shape)
    first, second = (common + 0.4 * random.standard_normal(shape) for _ in range(2))
    return Files(np.zeros(shape), first, second * (1.0 + worse))


def probabilities(random: Generator, shape: Shape, worse: float) -> Files:
    """Two models that are off the true probability by as much, each in its own way; the second by more."""
    logit = 1.5 * random.standard_normal(shape)
    label = (random.random(shape) < 1.0 / (1.0 + np.exp(-logit))).astype(np.float64)
    first, second = (
        1.0 / (1.0 + np.exp(-logit - off * random.standard_normal(shape))) for off in (0.4, 0.4 * (1.0 + worse))
    )
    return Files(label, first, second)


def clustered(count: int, *, mean: int = 10, unequal: float = 0.0) -> Kind:
    """Files with so many clusters, of sizes that are log-normal."""
    ranks = (np.arange(count) + 0.5) / count
    spread = np.exp(unequal * np.array([NormalDist().inv_cdf(rank) for rank in ranks.tolist()]))
    sizes = np.maximum(np.rint(spread * mean * count / spread.sum()), 1).astype(np.int64)
    said = f"{count} clusters, " + (f"σ of log sizes {unequal:g}" if unequal else "of one size")
    worse = 2.8 * math.sqrt((0.5 + 0.5 / mean) / count)
    return Kind(said, int(sizes.sum()), apart(users(sizes)), worse, clusters=sizes)


KINDS = (
    *(Kind("normal differences", rows, apart(normal), 2.8 / math.sqrt(rows)) for rows in (30, 200, 1000)),
    Kind("bce", 500, probabilities, 1.0, loss="bce"),
    Kind("rmse", 500, regression, 0.07, loss="rmse"),
    *(
        Kind(
            f"log-normal weights, σ = {sigma:g}",
            rows,
            apart(normal, weights(sigma)),
            2.8 * math.exp(sigma**2 / 2) / math.sqrt(rows),
        )
        for sigma, sizes in ((0.5, (200, 1000)), (1.5, (200, 1000, 10000)))
        for rows in sizes
    ),
    *(
        Kind("Student's t differences, 3 degrees of freedom", rows, apart(student), 2.8 / math.sqrt(rows))
        for rows in (200, 1000, 10000)
    ),
    *(
        Kind(f"log-normal differences, σ = {sigma:g}", rows, apart(log_normal(sigma)), 2.8 / math.sqrt(rows))
        for sigma in (0.5, 1.0, 1.5)
        for rows in (200, 1000, 10000)
    ),
    *(clustered(count) for count in (5, 10, 30, 100)),
    *(clustered(count, unequal=sigma, mean=20) for sigma in (0.5, 1.0, 1.5) for count in (5, 10, 30, 100)),
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What follows from files, one entry a file."""

    value: np.ndarray
    error: np.ndarray
    units: np.ndarray
    share: np.ndarray
    pulled_down: np.ndarray
    """Whether what carries most makes the value lower."""
    apart: np.ndarray
    """The standard error as if the models had been measured on other rows each."""


def figures(kind: Kind, files: Files) -> Figures:
    """The difference of both models, by the formulas of docs/statistics.md."""
    losses = [LOSSES[kind.loss](files.label, prediction) for prediction in (files.baseline, files.candidate)]
    weight = np.ones_like(files.label) if files.weight is None else files.weight
    total = weight.sum(axis=1, keepdims=True)
    values, moved = [], []
    for loss in losses:
        mean = (weight * loss).sum(axis=1, keepdims=True) / total
        slope = 0.5 / np.sqrt(mean) if kind.loss == "rmse" else 1.0
        values.append((np.sqrt(mean) if kind.loss == "rmse" else mean)[:, 0])
        moved.append(slope * weight * (loss - mean) / total)
    change = moved[1] - moved[0]
    if kind.clusters is not None:
        starts = np.cumsum(kind.clusters) - kind.clusters
        change, weight, *moved = (np.add.reduceat(one, starts, axis=1) for one in (change, weight, *moved))
    n = change.shape[1]
    squares = (change**2).sum(axis=1)
    errors = [np.sqrt(n / (n - 1) * (one**2).sum(axis=1)) for one in moved]
    return Figures(
        values[1] - values[0],
        np.sqrt(n / (n - 1) * squares),
        total[:, 0] ** 2 / (weight**2).sum(axis=1),
        (change**2).max(axis=1) / squares,
        -change.min(axis=1) > change.max(axis=1),
        np.hypot(*errors),
    )


def estimates(kind: Kind, found: Figures) -> list[Estimate]:
    """The same as lossctl has them."""
    clusters = None if kind.clusters is None else len(kind.clusters)
    columns = (found.value, found.error, found.units, found.share, found.pulled_down)
    return [
        Estimate(
            value,
            error,
            (units if clusters is None else clusters) - 1.0,
            kind.rows,
            units,
            clusters,
            share,
            pulled_down=down,
        )
        for value, error, units, share, down in zip(*(column.tolist() for column in columns), strict=True)
    ]


def fails(estimate: Estimate, kind: str = "max_increase", *, power: float = 1.0) -> bool:
    """Whether a gate fails of which the claim is that this is at most 0."""
    gate = Gate("gate", kind, 0.0)  # type: ignore[arg-type]  # one of these
    (verdict,) = decide([(gate, Measurement("", "", {}, estimate, 0.0, estimate.value, power=power))])
    return verdict.state == "fail"


def held(kind: Kind, files: Files, estimate: Estimate) -> None:
    """Hold the first file against lossctl.

    Raises:
        SystemExit: it says something else.
    """
    source = {"label": files.label[0], "a": files.baseline[0], "b": files.candidate[0]}
    weight = cluster = None
    if files.weight is not None:
        source["weight"], weight = files.weight[0], "weight"
    if kind.clusters is not None:
        source["user"], cluster = np.repeat(np.arange(len(kind.clusters)), kind.clusters), "user"
    compared = lossctl.compare(source, kind.loss, prediction=["a", "b"], label="label", weight=weight, cluster=cluster)
    (one,) = compared.results
    ours = (estimate.value, estimate.standard_error, *estimate.interval(LEVEL))
    theirs = (one.difference, one.standard_error, one.ci_low, one.ci_high)
    # of rows with weights, what one carries is sought among those that are outermost in a few directions
    alike = math.isclose(one.top_share, estimate.top_share, rel_tol=AGREE if files.weight is None else NEARLY)
    if not np.allclose(ours, theirs, rtol=AGREE) or not alike or bool(one.doubt) != bool(estimate.doubt):
        raise SystemExit(f"{kind.name}: lossctl says {theirs}, not {ours}")


def drawn(kind: Kind, count: int, seed: int, worse: float) -> tuple[list[Estimate], np.ndarray]:
    """The estimates of so many files, and their standard errors as if the models had been measured on other rows."""
    random, parts = np.random.default_rng(seed), []
    step = max(AT_ONCE // kind.rows, 1)
    for start in range(0, count, step):
        files = kind.draw(random, (min(step, count - start), kind.rows), worse)
        parts.append(figures(kind, files))
        if not start:
            held(kind, files, estimates(kind, parts[0])[0])
    names = vars(parts[0])
    together = Figures(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    return estimates(kind, together), together.apart


@dataclass(frozen=True)
class Rates:
    """Shares of files."""

    alarms: float
    trusted: float
    """Of all files, those whose interval lossctl trusts."""
    alarms_trusted: float
    """Of those, with an alarm."""
    said: float
    """Of all files, those with an alarm that lossctl stands by."""
    fails: float
    """Of all files, those on which a gate of no increase fails, whichever model is the baseline: the more of both."""
    apart: float
    """Of all files, those in which the values are more than two standard errors apart, as if of other rows each."""

    @classmethod
    def of(cls, estimates: Sequence[Estimate], errors: np.ndarray, power: float) -> "Rates":
        """Count; ``power`` as a gate has it."""
        low, high = np.array([one.interval(LEVEL) for one in estimates]).T
        alarm, trusted = (low > 0.0) | (high < 0.0), np.array([not one.doubt for one in estimates])
        turned = [one.turned() for one in estimates]
        above, below = (np.mean([fails(one, power=power) for one in side]) for side in (estimates, turned))
        values = np.array([one.value for one in estimates])
        return cls(
            float(alarm.mean()),
            float(trusted.mean()),
            float(alarm[trusted].mean()) if trusted.sum() > FEW else math.nan,
            float(np.mean([one.side(LEVEL) != 0 for one in estimates])),
            max(float(above), float(below)),
            float((np.abs(values) > 2.0 * errors).mean()),
        )


def percent(share: float) -> str:
    """A share as tables show it."""
    return "–" if math.isnan(share) else f"{100.0 * share:.1f}"


def rows_of(count: int, seed: int, only: str) -> Iterator[tuple[str, ...]]:
    """A row for each kind of files."""
    yield "files", "rows", "alarms", "trusted", "of these", "said", "gate fails", "apart", "shown", "apart shows"
    for kind in KINDS:
        if only not in kind.name:
            continue
        power = math.nan if kind.loss == "rmse" else 1.0
        same = Rates.of(*drawn(kind, count, seed, 0.0), power)
        worse = Rates.of(*drawn(kind, count // 4, seed + 1, kind.worse), power)
        figures = (same.alarms, same.trusted, same.alarms_trusted, same.said, same.fails, same.apart)
        yield kind.name, f"{kind.rows:,}", *map(percent, (*figures, worse.alarms, worse.apart))


@dataclass(frozen=True)
class Series:
    """A kind of files whose differences are a series in time, of standard deviation 1."""

    name: str
    rows: int
    lags: int
    draw: Callable[[Generator, Shape], np.ndarray]
    """Differences of mean 0, ``(rows, files)``."""
    lasting: float
    """How many times the variance of a mean is that of as many independent rows."""


def carried_on(part: float) -> Callable[[Generator, Shape], np.ndarray]:
    """Differences of which each carries on so much of the one before it: AR(1)."""

    def draw(random: Generator, shape: Shape) -> np.ndarray:
        rows = random.standard_normal(shape)
        rows[1:] *= math.sqrt(1.0 - part * part)
        for row in range(1, shape[0]):
            rows[row] += part * rows[row - 1]
        return rows

    return draw


def sums(steps: int) -> Callable[[Generator, Shape], np.ndarray]:
    """Differences that are each a sum over so many steps, of which all but one are the next one's too."""

    def draw(random: Generator, shape: Shape) -> np.ndarray:
        return windows(random.standard_normal((shape[0] + steps - 1, shape[1])), steps) / math.sqrt(steps)

    return draw


def windows(rows: np.ndarray, length: int) -> np.ndarray:
    """The sums of so many rows, from each that has enough after it."""
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    return total[length:] - total[:-length]


SERIES = (
    *(
        Series(f"AR(1), φ = {part:g}", rows, lags, carried_on(part), (1.0 + part) / (1.0 - part))
        for part, several in ((0.5, (0, 4, 12)), (0.9, (0, 20, 80)))
        for rows in (200, 1000, 10000)
        for lags in several
        if lags < rows // 5
    ),
    *(Series("sums over 6 steps", rows, lags, sums(6), 6.0) for rows in (200, 1000) for lags in (0, 5, 20)),
)


def lagged(kind: Series, rows: np.ndarray) -> list[Estimate]:
    """The mean difference of each file, by the formulas of docs/statistics.md."""
    n, h = kind.rows, kind.lags + 1
    value = rows.mean(axis=0)
    moved = (rows - value) / n
    apart = np.pad(moved, ((h - 1, h - 1), (0, 0)))
    squares = (windows(apart, h) ** 2).sum(axis=0) / h  # Σᵢⱼ max(0, 1 − ∣i − j∣/h)·uᵢuⱼ
    errors = np.sqrt(squares * n * n / ((n - h) * (n - h + 1)))
    shares = (moved**2).max(axis=0) / (moved**2).sum(axis=0)
    columns = zip(value.tolist(), errors.tolist(), shares.tolist(), strict=True)
    return [Estimate(one, error, n - 1.0, n, float(n), None, share, kind.lags) for one, error, share in columns]


def held_in_time(kind: Series, rows: np.ndarray, estimate: Estimate) -> None:
    """Hold a file against lossctl; a `SystemExit` where that says something else."""
    common = np.full(kind.rows, 100.0)
    source = {"label": np.zeros(kind.rows), "a": common, "b": common + rows}
    (one,) = lossctl.compare(source, "mae", prediction=["a", "b"], label="label", lags=kind.lags).results
    ours, theirs = (estimate.value, estimate.standard_error), (one.difference, one.standard_error)
    if not np.allclose(ours, theirs, rtol=AGREE, atol=1e-12) or bool(one.doubt) != bool(estimate.doubt):
        raise SystemExit(f"{kind.name}: lossctl says {theirs}, not {ours}")


def series_of(count: int, seed: int, only: str) -> Iterator[tuple[str, ...]]:
    """A row for each kind of series, and how many lags were given."""
    yield "series", "rows", "--lags", "alarms", "trusted", "shown"
    for kind in SERIES:
        if only not in kind.name:
            continue
        random, estimates = np.random.default_rng(seed), []
        step = max(AT_ONCE // kind.rows, 1)
        for start in range(0, count, step):
            rows = kind.draw(random, (kind.rows, min(step, count - start)))
            estimates += lagged(kind, rows)
            if not start:
                held_in_time(kind, rows[:, 0], estimates[0])
        worse = 2.8 * math.sqrt(kind.lasting / kind.rows)
        alarms = np.mean([_apart(one) for one in estimates])
        shown = np.mean([_apart(replace(one, value=one.value + worse)) for one in estimates])
        trusted = np.mean([not one.doubt for one in estimates])
        yield kind.name, f"{kind.rows:,}", f"{kind.lags}", *map(percent, (alarms, trusted, shown))


@dataclass(frozen=True)
class Skilful:
    """A kind of files whose model has some skill in truth."""

    loss: str
    rows: int
    skill: float


SKILFUL = tuple(
    Skilful(loss, rows, skill) for loss in ("mse", "mae", "bce") for skill in (0.0, 0.5, 0.9) for rows in (200, 1000)
)
RARE = 1.5
"""How far below 0 the logits of labels are on average."""


def with_skill(kind: Skilful, random: Generator, files: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, predictions, and the best constant of each file; of no skill the model is a constant."""
    shape, left = (files, kind.rows), 1.0 - kind.skill
    if kind.loss == "bce":
        spread = _spread(kind.skill)
        logit = spread * random.standard_normal(shape) - RARE
        prediction = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
        label = (random.random(shape) < prediction).astype(np.float64)
        return label, prediction, label.mean(axis=1, keepdims=True)
    error = math.sqrt(left) if kind.loss == "mse" else left  # of labels with a standard deviation of 1
    known, noise = (random.standard_normal(shape) for _ in range(2))
    label = math.sqrt(1.0 - error * error) * known + error * noise
    best = np.mean if kind.loss == "mse" else np.median
    return label, label - error * noise, best(label, axis=1, keepdims=True)


@cache
def _spread(skill: float) -> float:
    """The standard deviation of logits at which the probabilities themselves have that skill in ``bce``."""
    count = 20_001
    normal = np.array([NormalDist().inv_cdf((rank + 0.5) / count) for rank in range(count)])
    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2.0
        logit = middle * normal - RARE
        probability = 1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))
        loss, rate = float((np.logaddexp(0.0, logit) - probability * logit).mean()), float(probability.mean())
        constant = -rate * math.log(rate) - (1.0 - rate) * math.log1p(-rate)
        low, high = (middle, high) if 1.0 - loss / constant < skill else (low, middle)
    return low


def margins(kind: Skilful, label: np.ndarray, prediction: np.ndarray, constant: np.ndarray) -> list[list[Estimate]]:
    """The loss of each file less what of the constant's counts; and the same where that is taken for known."""
    evaluated = LOSSES["rmse" if kind.loss == "mse" else kind.loss]
    left, n = 1.0 - kind.skill, kind.rows
    loss, other = (evaluated(label, one) for one in (prediction, np.broadcast_to(constant, label.shape)))
    value = loss.mean(axis=1) - left * other.mean(axis=1)
    both = []
    for rows in (loss - left * other, loss):
        moved = rows - rows.mean(axis=1, keepdims=True)
        squares = (moved**2).sum(axis=1)
        errors = np.sqrt(squares / (n * (n - 1)))
        columns = (value, errors, (moved**2).max(axis=1) / squares, -moved.min(axis=1) > moved.max(axis=1))
        listed = zip(*(column.tolist() for column in columns), strict=True)
        both.append(
            [
                Estimate(one, error, n - 1.0, n, float(n), None, share, pulled_down=down)
                for one, error, share, down in listed
            ]
        )
    return both


def held_with_skill(kind: Skilful, label: np.ndarray, prediction: np.ndarray, estimate: Estimate) -> None:
    """Hold a file against lossctl; a `SystemExit` where that says something else."""
    gate = Gate("skill", "min_skill", kind.skill, loss=kind.loss)
    (verdict,) = lossctl.check_gates(gate, {"label": label, "prediction": prediction}).verdicts
    measured = verdict.measured
    if measured is None:
        raise SystemExit(f"{kind}: lossctl says {verdict.reason}")
    ours = estimate.value, estimate.standard_error, estimate.top_share
    theirs = measured.estimate.value - measured.limit, measured.estimate.standard_error, measured.estimate.top_share
    if not np.allclose(ours, theirs, rtol=1e-6, atol=AGREE):
        raise SystemExit(f"{kind}: lossctl says {theirs}, not {ours}")


def skills_of(count: int, seed: int, only: str) -> Iterator[tuple[str, ...]]:
    """A row for each kind of files with a model that has just the skill that a gate claims."""
    yield "gates on skill", "rows", "skill", "below", "trusted", "gate fails", "constant taken for known"
    for kind in SKILFUL:
        if only not in f"skill of {kind.loss}":
            continue
        random, estimates, before = np.random.default_rng(seed), [], []
        step = max(AT_ONCE // kind.rows, 1)
        for start in range(0, count, step):
            files = with_skill(kind, random, min(step, count - start))
            ours, theirs = margins(kind, *files)
            estimates += ours
            before += theirs
            if not start:
                held_with_skill(kind, files[0][0], files[1][0], ours[0])
        below = [one.lower(LEVEL) > 0.0 for one in estimates]
        trusted = [not one.doubt for one in estimates]
        failed, known = (np.mean([fails(one, "min_skill") for one in side]) for side in (estimates, before))
        yield (
            kind.loss,
            f"{kind.rows:,}",
            f"{kind.skill:g}",
            *map(percent, (np.mean(below), np.mean(trusted), failed, known)),
        )


def family(count: int, seed: int, gates: int, common: float) -> tuple[float, float]:
    """Of builds that changed nothing, how many fail at one gate or more: by lossctl, and without Holm."""
    random, rows = np.random.default_rng(seed), 200
    errors = math.sqrt(common) * random.standard_normal((count, 1)) + math.sqrt(1.0 - common) * random.standard_normal(
        (count, gates)
    )
    spreads = np.sqrt(random.chisquare(rows - 1, (count, gates)) / (rows - 1) / rows)  # means of normal differences
    values = errors / math.sqrt(rows)
    claims = [Gate(f"gate {place}", "max_increase", 0.0) for place in range(gates)]
    failed = single = 0
    for value, error in zip(values.tolist(), spreads.tolist(), strict=True):
        found = [
            Measurement("mae", "b", {}, Estimate(one, spread, rows - 1.0, rows, float(rows), None, 0.05), 0.0, one)
            for one, spread in zip(value, error, strict=True)
        ]
        verdicts = decide(list(zip(claims, found, strict=True)))
        failed += any(verdict.state == "fail" for verdict in verdicts)
        single += any(one.estimate.lower(LEVEL) > 0.0 for one in found)
    return failed / count, single / count


def peeks(count: int, seed: int) -> tuple[float, float]:
    """Of files without a difference, looked at ten times while they grow, in how many there is one at some time.

    With ``--anytime``, and without it.
    """
    random = np.random.default_rng(seed)
    steps = np.arange(100, 1001, 100)
    alarmed, often = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    rows = random.standard_normal((count, int(steps[-1])))
    for n in steps.tolist():
        part = rows[:, :n]
        values, errors = part.mean(axis=1).tolist(), (part.std(axis=1, ddof=1) / math.sqrt(n)).tolist()
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            once = Estimate(value, error, n - 1.0, n, float(n), None, 0.0)
            alarmed[place] |= _apart(replace(once, anytime=float(steps[-1])))
            often[place] |= _apart(once)
    return float(alarmed.mean()), float(often.mean())


def _apart(estimate: Estimate) -> bool:
    low, high = estimate.interval(LEVEL)
    return low > 0.0 or high < 0.0


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--only", default="", help="kinds of files with this in their name")
    asked = parser.parse_args()
    for table in (rows_of, series_of, skills_of):
        for place, cells in enumerate(table(asked.files, asked.seed, asked.only)):
            print(f"| {' | '.join(cells)} |", flush=True)
            if not place:
                print("|---|" + "--:|" * (len(cells) - 1))
        print()
    if asked.only:
        return
    print("| several gates | fail, by Holm | fail, each alone |\n|---|--:|--:|")
    for gates, common in ((5, 0.0), (10, 0.0), (10, 0.5), (50, 0.0)):
        rates = family(asked.files, asked.seed, gates, common)
        said = f"{gates} gates, " + (f"correlated by {common:g}" if common else "independent")
        print(f"| {said} | {' | '.join(map(percent, rates))} |", flush=True)
    print("\n| ten looks at a growing file | `--anytime` | without |\n|---|--:|--:|")
    print(f"| 100, 200, … 1,000 rows | {' | '.join(map(percent, peeks(asked.files, asked.seed)))} |")


if __name__ == "__main__":
    main()
