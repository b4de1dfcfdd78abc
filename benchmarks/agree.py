"""Whether lossctl gives the numbers of other libraries: those that are installed, on random data, through ``compat``.

``python benchmarks/agree.py`` prints a line a loss, and writes ``docs/compat.json``, from which ``docs/generate.py``
makes a table. What is not installed is left as it was there. A loss that lossctl does not have is left out.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

import lossctl
from lossctl.errors import UsageError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "compat.json"
N, K = 200, 4
rng = np.random.default_rng(15)
REAL, GUESS, WEIGHT = rng.normal(size=N), rng.normal(size=N), rng.uniform(0.1, 2.0, N)
FAR = np.copysign(1.0, GUESS) + GUESS
"""No number near 0."""
BITS, CHANCE = rng.integers(0, 2, N).astype(float), rng.uniform(0.01, 0.99, N)
ENDS = np.where(np.arange(N) % 20 == 0, 1.0 - BITS, CHANCE)
"""Some probabilities are as wrong as they can be."""
SIGNS, SCORE = 2.0 * BITS - 1.0, rng.normal(size=N)
CODES, LOGITS = rng.integers(0, K, N), rng.normal(size=(N, K))
ROWS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SOFT = rng.dirichlet(np.full(K, 2.0), N)
HOT = np.eye(K)[CODES]
COUNTS, RATES, SIZES = rng.poisson(3, N).astype(float), rng.uniform(0.5, 6.0, N), rng.uniform(0.5, 6.0, N)
WIDE, WIDE_GUESS = rng.normal(size=(N, K)), rng.normal(size=(N, K))
MANY, MANY_CHANCE = rng.integers(0, 2, (N, K)).astype(float), rng.uniform(0.01, 0.99, (N, K))
CLASS_WEIGHT = [0.5, 2.0, 1.0, 3.0]


@dataclass(frozen=True)
class Case:
    """A loss as both sides measure it."""

    loss: str
    calls: str
    """What the library calls it."""
    label: Any
    prediction: Any
    theirs: Callable[[], Any]
    options: dict[str, Any] = field(default_factory=dict)
    weight: Any = None
    tolerance: float = 1e-12

    def ours(self, peer: str | None) -> float:
        """The number of lossctl."""
        table = {"y": self.label, "p": self.prediction} | ({} if self.weight is None else {"w": self.weight})
        weight = None if self.weight is None else "w"
        report = lossctl.evaluate(
            table, self.loss, label="y", prediction="p", weight=weight, compat=peer, **self.options
        )
        return report.value


def of_sklearn() -> Iterator[Case]:
    """scikit-learn: all with weights."""
    metrics = import_module("sklearn.metrics")

    def case(loss: str, calls: str, y: Any, p: Any, **more: Any) -> Case:
        return Case(loss, calls, y, p, lambda: getattr(metrics, calls)(y, p, sample_weight=WEIGHT, **more), {}, WEIGHT)

    yield case("mse", "mean_squared_error", REAL, GUESS)
    yield case("mse", "mean_squared_error", WIDE, WIDE_GUESS)
    yield case("rmse", "root_mean_squared_error", REAL, GUESS)
    yield case("mae", "mean_absolute_error", REAL, GUESS)
    yield case("mape", "mean_absolute_percentage_error", FAR, GUESS)
    yield case("msle", "mean_squared_log_error", COUNTS, RATES)
    yield case("rmsle", "root_mean_squared_log_error", COUNTS, RATES)
    yield case("bce", "log_loss", BITS, ENDS)
    yield case("cross_entropy", "log_loss", CODES, ROWS)
    yield case("hinge", "hinge_loss", SIGNS, SCORE)
    yield case("quantile:tau=0.3", "mean_pinball_loss", REAL, GUESS, alpha=0.3)
    yield case("poisson_deviance", "mean_poisson_deviance", COUNTS, RATES)
    yield case("gamma_deviance", "mean_gamma_deviance", SIZES, RATES)
    yield case("tweedie_deviance:power=1.3", "mean_tweedie_deviance", COUNTS, RATES, power=1.3)
    yield case("brier", "brier_score_loss", BITS, CHANCE)
    yield case("categorical_brier", "brier_score_loss", CODES, ROWS)
    yield case("crammer_singer", "hinge_loss", CODES, LOGITS)


def of_torch() -> Iterator[Case]:
    """torch: with weights where its functions take them."""
    torch, functional = import_module("torch"), import_module("torch.nn.functional")
    t = torch.tensor

    def case(
        loss: str, calls: str, label: Any, prediction: Any, weight: Any = None, options: Any = None, **more: Any
    ) -> Case:
        weights = {} if weight is None else {"weight": t(weight)}
        return Case(
            loss,
            calls,
            label,
            prediction,
            lambda: getattr(functional, calls)(t(prediction), t(label), **weights, **more),
            options or {},
            weight,
        )

    yield case("mse", "mse_loss", REAL, GUESS, WEIGHT)
    yield case("mae", "l1_loss", REAL, GUESS, WEIGHT)
    yield case("huber", "huber_loss", REAL, GUESS, WEIGHT)
    yield case("bce", "binary_cross_entropy", BITS, ENDS, WEIGHT)
    yield case("bce", "binary_cross_entropy_with_logits", BITS, 50 * SCORE, WEIGHT, {"from_logits": True})
    yield case("bce", "binary_cross_entropy", MANY, MANY_CHANCE)
    logits = {"from_logits": True}
    yield case("cross_entropy", "cross_entropy", CODES, LOGITS, None, logits)
    yield case("cross_entropy", "cross_entropy", SOFT, LOGITS, None, logits)
    codes = np.where(np.arange(N) % 7 == 0, -100, CODES)
    yield case("cross_entropy", "cross_entropy", codes, LOGITS, None, logits)
    of_classes = {"class_weight": CLASS_WEIGHT}
    yield Case(
        "cross_entropy",
        "cross_entropy",
        codes,
        LOGITS,
        lambda: functional.cross_entropy(t(LOGITS), t(codes), weight=t(CLASS_WEIGHT, dtype=torch.float64)),
        logits | of_classes,
    )
    yield Case(
        "nll",
        "nll_loss",
        CODES,
        np.log(ROWS),
        lambda: functional.nll_loss(t(np.log(ROWS)), t(CODES), weight=t(CLASS_WEIGHT, dtype=torch.float64)),
        of_classes,
    )
    yield Case(
        "kl_divergence",
        "kl_div",
        SOFT,
        ROWS,
        lambda: functional.kl_div(t(np.log(ROWS)), t(SOFT), reduction="batchmean"),
    )
    yield case("poisson", "poisson_nll_loss", COUNTS, GUESS, None, logits)
    yield case("poisson:full=stirling", "poisson_nll_loss", COUNTS, np.log(RATES), None, logits, full=True)
    yield case("smooth_l1:beta=0.7", "smooth_l1_loss", REAL, GUESS, beta=0.7)
    yield case("soft_margin", "soft_margin_loss", SIGNS, SCORE)
    yield case("multi_margin:p=2", "multi_margin_loss", CODES, LOGITS, p=2)


def of_keras() -> Iterator[Case]:
    """Keras: all with weights, in float64, where its floor is 1e-7 all the same."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = import_module("keras")
    keras.config.set_floatx("float64")

    def case(loss: str, calls: str, y: Any, p: Any, tolerance: float = 1e-6, **more: Any) -> Case:
        return Case(
            loss,
            calls,
            y,
            p,
            lambda: getattr(keras.losses, calls)(**more)(
                y if y.ndim == 2 or y is CODES else y[:, None],
                p if p.ndim == 2 else p[:, None],
                sample_weight=WEIGHT,
            ),
            {},
            WEIGHT,
            tolerance,
        )

    yield case("mse", "MeanSquaredError", REAL, GUESS)
    yield case("mse", "MeanSquaredError", WIDE, WIDE_GUESS)
    yield case("mae", "MeanAbsoluteError", REAL, GUESS)
    yield case("mape", "MeanAbsolutePercentageError", FAR, GUESS)
    yield case("msle", "MeanSquaredLogarithmicError", COUNTS, RATES)
    yield case("huber", "Huber", REAL, GUESS)
    yield case("log_cosh", "LogCosh", REAL, GUESS)
    yield case("bce", "BinaryCrossentropy", BITS, ENDS)
    yield case("bce", "BinaryCrossentropy", MANY, MANY_CHANCE)
    yield case("cross_entropy", "SparseCategoricalCrossentropy", CODES, ROWS)
    yield case("cross_entropy", "CategoricalCrossentropy", SOFT, 0.999 * ROWS + 0.001 * (rng.random((N, 1)) - 0.5))
    yield case("kl_divergence", "KLDivergence", SOFT, ROWS)
    yield case("poisson", "Poisson", COUNTS, RATES)
    yield case("hinge", "Hinge", SIGNS, SCORE)
    yield case("hinge", "Hinge", BITS, SCORE)
    yield case("squared_hinge", "SquaredHinge", SIGNS, SCORE)
    yield case("focal", "BinaryFocalCrossentropy", BITS, CHANCE)
    yield case("cosine_proximity", "CosineSimilarity", WIDE, WIDE_GUESS)
    yield case("categorical_focal", "CategoricalFocalCrossentropy", HOT, ROWS)
    yield case("categorical_hinge", "CategoricalHinge", HOT, LOGITS)
    yield case("gce", "CategoricalGeneralizedCrossEntropy", CODES, ROWS)


def of_catboost() -> Iterator[Case]:
    """CatBoost: all with weights; what is a probability goes in as its logit."""
    evaluated = import_module("catboost.utils").eval_metric

    def case(loss: str, calls: str, y: Any, p: Any, tolerance: float = 1e-7, **options: Any) -> Case:
        return Case(
            loss,
            calls,
            y,
            p,
            lambda: evaluated(y, p, calls, weight=WEIGHT)[0],
            options,
            WEIGHT,
            tolerance,
        )

    yield case("mae", "MAE", REAL, GUESS, 1e-5)
    yield case("rmse", "RMSE", REAL, GUESS)
    yield case("rmse", "MultiRMSE", WIDE, WIDE_GUESS)
    yield case("mape", "MAPE", REAL, GUESS)
    yield case("msle", "MSLE", COUNTS, RATES)
    yield case("huber:delta=0.7", "Huber:delta=0.7", REAL, GUESS)
    yield case("log_cosh", "LogCosh", REAL, GUESS, 1e-3)
    yield case("bce", "Logloss", BITS, 20 * SCORE, from_logits=True)
    yield case("bce", "CrossEntropy", CHANCE, SCORE, from_logits=True)
    yield case("cross_entropy", "MultiClass", CODES, LOGITS, from_logits=True)
    yield case("poisson", "Poisson", COUNTS, GUESS, from_logits=True)
    yield case("hinge", "HingeLoss", BITS, SCORE)
    yield case("quantile:tau=0.3", "Quantile:alpha=0.3", REAL, GUESS, 1e-5)
    yield case("expectile:tau=0.3", "Expectile:alpha=0.3", REAL, GUESS)
    yield case("lq:q=1.7", "Lq:q=1.7", REAL, GUESS)
    yield case("fair:c=0.7", "FairLoss:smoothness=0.7", REAL, GUESS)
    yield case("smape", "SMAPE", REAL, GUESS)
    yield case("brier", "BrierScore", BITS, SCORE, activation="sigmoid")
    yield case("tweedie_nll:power=1.3", "Tweedie:variance_power=1.3", COUNTS, GUESS, 1e-6, from_logits=True)


def of_lightgbm() -> Iterator[Case]:
    """LightGBM: all with weights; a model that learns nothing predicts what it begins with."""
    lightgbm = import_module("lightgbm")

    def measured(y: Any, p: Any, metric: str, more: dict[str, Any]) -> float:
        data = lightgbm.Dataset(np.arange(N, dtype=float)[:, None], y, weight=WEIGHT, init_score=p.ravel(order="F"))
        zero = np.zeros(p.size)
        seen: dict[str, Any] = {}
        settings = {"objective": lambda *_: (zero, zero + 1.0), "metric": metric, "verbose": -1, "num_threads": 1}
        settings |= {"num_class": p.shape[1]} if p.ndim == 2 else {}
        seeing = {"valid_sets": [data], "valid_names": ["it"], "callbacks": [lightgbm.record_evaluation(seen)]}
        lightgbm.train(settings | more, data, 1, **seeing)
        return float(next(iter(seen["it"].values()))[0])

    def case(loss: str, calls: str, y: Any, p: Any, **more: Any) -> Case:
        # labels and weights are float32 there
        return Case(loss, calls, y, p, lambda: measured(y, p, calls, more), {}, WEIGHT, 1e-5)

    yield case("mse", "l2", REAL, GUESS)
    yield case("l2", "l2", REAL, GUESS)
    yield case("mae", "l1", REAL, GUESS)
    yield case("l1", "l1", REAL, GUESS)
    yield case("rmse", "rmse", REAL, GUESS)
    yield case("huber", "huber", REAL, GUESS)
    yield case("mape", "mape", REAL, GUESS)
    yield case("bce", "binary_logloss", BITS, ENDS)
    yield case("cross_entropy", "multi_logloss", CODES, ROWS)
    yield case("poisson", "poisson", COUNTS, RATES)
    yield case("quantile", "quantile", REAL, GUESS)
    yield case("fair", "fair", REAL, GUESS)
    yield case("gamma_nll", "gamma", SIZES, RATES)
    yield case("gamma_deviance", "gamma_deviance", SIZES, RATES)
    yield case("tweedie_nll", "tweedie", COUNTS, RATES)
    yield case("zero_one", "binary_error", BITS, CHANCE)


def of_xgboost() -> Iterator[Case]:
    """XGBoost: all with weights; a model without trees predicts what it begins with, in float32."""
    xgboost = import_module("xgboost")

    def measured(y: Any, p: Any, metric: str, more: dict[str, Any]) -> float:
        rows = p.ndim == 2
        data = xgboost.DMatrix(np.zeros((N, 1)), y, weight=WEIGHT, base_margin=np.log(p) if rows else p)
        settings = {"objective": "reg:squarederror", "eval_metric": metric, "base_score": 0.0, "nthread": 1}
        settings |= {"objective": "multi:softprob", "num_class": p.shape[1], "base_score": 0.5} if rows else {}
        booster = xgboost.Booster(settings | more, [data])
        return float(booster.eval(data).rpartition(":")[2])

    def case(loss: str, calls: str, y: Any, p: Any, **more: Any) -> Case:
        return Case(loss, calls, y, p, lambda: measured(y, p, calls, more), {}, WEIGHT, 2e-5)

    yield case("rmse", "rmse", REAL, GUESS)
    yield case("mae", "mae", REAL, GUESS)
    yield case("mape", "mape", FAR, GUESS)
    yield case("rmsle", "rmsle", COUNTS, RATES)
    yield case("bce", "logloss", BITS, ENDS)
    yield case("cross_entropy", "mlogloss", CODES, ROWS)
    yield case("poisson", "poisson-nloglik", COUNTS, RATES)
    yield case("pseudo_huber", "mphe", REAL, GUESS)
    yield case("gamma_nll", "gamma-nloglik", SIZES, RATES)
    yield case("gamma_deviance", "gamma-deviance", SIZES, RATES)
    yield case("tweedie_nll:power=1.3", "tweedie-nloglik@1.3", COUNTS, RATES)
    yield case("quantile:tau=0.3", "quantile", REAL, GUESS, quantile_alpha=0.3)
    yield case("zero_one", "error", BITS, CHANCE)


def of_optax() -> Iterator[Case]:
    """optax, which has no weights: nothing is set for it but what its user leaves out."""
    import_module("jax").config.update("jax_enable_x64", val=True)
    optax = import_module("optax")

    def case(loss: str, calls: str, y: Any, p: Any, **options: Any) -> Case:
        return Case(loss, calls, y, p, lambda: attrgetter(calls)(optax)(p, y).mean(), options)

    yield case("mse", "squared_error", REAL, GUESS)
    yield case("huber", "huber_loss", REAL, GUESS)
    yield case("log_cosh", "log_cosh", REAL, GUESS)
    yield case("bce", "sigmoid_binary_cross_entropy", BITS, SCORE, from_logits=True)
    yield case("cross_entropy", "softmax_cross_entropy", SOFT, LOGITS, from_logits=True)
    yield case("cross_entropy", "softmax_cross_entropy_with_integer_labels", CODES, LOGITS, from_logits=True)
    yield case("hinge", "hinge_loss", SIGNS, SCORE)
    yield case("focal:alpha=none", "sigmoid_focal_loss", BITS, SCORE, from_logits=True)
    yield case("half_squared_error", "l2_loss", REAL, GUESS)
    yield case("poly1_ce", "losses.poly_loss_cross_entropy", HOT, LOGITS, from_logits=True)


def of_torchmetrics() -> Iterator[Case]:
    """torchmetrics, which has no weights here."""
    torch, functional = import_module("torch"), import_module("torchmetrics.functional")
    t = torch.tensor

    def case(loss: str, calls: str, y: Any, p: Any, **more: Any) -> Case:
        return Case(loss, calls, y, p, lambda: getattr(functional, calls)(t(p), t(y), **more), {}, None, 1e-9)

    yield case("mse", "mean_squared_error", REAL, GUESS)
    yield case("mae", "mean_absolute_error", REAL, GUESS)
    yield case("msle", "mean_squared_log_error", COUNTS, RATES)
    yield case("mape:unit=ratio", "mean_absolute_percentage_error", FAR, GUESS)
    yield case("wmape:unit=ratio", "weighted_mean_absolute_percentage_error", REAL, GUESS)
    yield case("nrmse:denominator=std", "normalized_root_mean_squared_error", REAL, GUESS, normalization="std")
    theirs = lambda: functional.kl_divergence(t(SOFT), t(ROWS))  # noqa: E731  (the label is first)
    yield Case("kl_divergence", "kl_divergence", SOFT, ROWS, theirs, {}, None, 1e-9)
    yield case("tweedie_deviance:power=1.3", "tweedie_deviance_score", COUNTS, RATES, power=1.3)


LIBRARIES: dict[str, tuple[str | None, Callable[[], Iterator[Case]]]] = {
    "scikit-learn": ("sklearn", of_sklearn),
    "torch": ("torch", of_torch),
    "keras": ("keras", of_keras),
    "catboost": ("catboost", of_catboost),
    "lightgbm": ("lightgbm", of_lightgbm),
    "xgboost": ("xgboost", of_xgboost),
    "optax": (None, of_optax),
    "torchmetrics": (None, of_torchmetrics),
}
"""By the name of the package: the word for ``compat``, and the cases."""


@dataclass(frozen=True)
class Outcome:
    """A case, and by how much of their number ours is another."""

    case: Case
    theirs: float
    ours: float

    @property
    def difference(self) -> float:
        """Relative."""
        return abs(self.ours - self.theirs) / abs(self.theirs)

    @property
    def agrees(self) -> bool:
        """Whether it is within what the arithmetic of the library allows."""
        return self.difference <= self.case.tolerance


def outcomes(package: str) -> Iterator[Outcome]:
    """The cases of a library, of losses that lossctl has.

    Raises:
        ImportError: it is not installed.
    """
    peer, cases = LIBRARIES[package]
    for case in cases():
        try:
            lossctl.get_loss(case.loss)
        except UsageError:
            continue
        with redirect_stderr(StringIO()), np.errstate(all="ignore"):
            yield Outcome(case, float(case.theirs()), case.ours(peer))


def main() -> int:
    """Run what is installed, print it, and write the page's table."""
    table = json.loads(PAGE.read_text()) if PAGE.exists() else {}
    wrong = 0
    for package in LIBRARIES:
        try:
            listed = list(outcomes(package))
        except ImportError as error:
            print(f"{package}: not installed ({error})")
            continue
        for outcome in listed:
            wrong += not outcome.agrees
            mark = "" if outcome.agrees else f"  DIFFERENT: {outcome.theirs!r}, lossctl {outcome.ours!r}"
            print(f"{package} {outcome.case.calls}: {outcome.case.loss}  {outcome.difference:.1e}{mark}")
        largest: dict[str, float] = {}
        for outcome in listed:
            name = outcome.case.loss.partition(":")[0]
            largest[name] = max(largest.get(name, 0.0), outcome.difference)
        table[package] = {
            "version": version(package),
            "losses": {name: f"{difference:.0e}" if difference else "0" for name, difference in largest.items()},
        }
    PAGE.write_text(json.dumps(table, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
