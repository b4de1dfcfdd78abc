"""Values against scikit-learn and torch on random data, and gradients against autograd, where they are installed."""

import numpy as np
import pytest

from lossctl import evaluate, get_loss

N, K = 500, 4
rng = np.random.default_rng(20)
REAL, GUESS = rng.normal(size=N), rng.normal(size=N)
BITS, CHANCE = rng.integers(0, 2, N).astype(float), rng.uniform(0.01, 0.99, N)
CODES, LOGITS = rng.integers(0, K, N), rng.normal(size=(N, K))
ROWS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SOFT = rng.dirichlet(np.ones(K), N)
COUNTS, RATES = rng.poisson(3, N).astype(float), rng.uniform(0.1, 6, N)
WEIGHT = rng.uniform(0, 2, N)
SIGNS = 2 * BITS - 1


def ours(spec, label, prediction, weight=None, **options):
    table = {"y": label, "p": prediction} | ({} if weight is None else {"w": weight})
    return evaluate(table, spec, label="y", prediction="p", weight=None if weight is None else "w", **options).value


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_values_are_those_of_scikit_learn(weight):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    w = {"sample_weight": weight}
    pairs = [
        ("mse", REAL, GUESS, metrics.mean_squared_error(REAL, GUESS, **w)),
        ("rmse", REAL, GUESS, metrics.root_mean_squared_error(REAL, GUESS, **w)),
        ("mae", REAL, GUESS, metrics.mean_absolute_error(REAL, GUESS, **w)),
        ("mape", REAL, GUESS, 100 * metrics.mean_absolute_percentage_error(REAL, GUESS, **w)),
        ("msle", COUNTS, RATES, metrics.mean_squared_log_error(COUNTS, RATES, **w)),
        ("rmsle", COUNTS, RATES, metrics.root_mean_squared_log_error(COUNTS, RATES, **w)),
        ("bce", BITS, CHANCE, metrics.log_loss(BITS, CHANCE, **w)),
        ("bce", BITS, BITS[::-1].copy(), metrics.log_loss(BITS, BITS[::-1], **w)),
        ("hinge", SIGNS, GUESS, metrics.hinge_loss(SIGNS, GUESS, **w)),
        ("cross_entropy", CODES, ROWS, metrics.log_loss(CODES, ROWS, **w)),
    ]
    for spec, label, prediction, theirs in pairs:
        assert ours(spec, label, prediction, weight) == pytest.approx(theirs, rel=1e-12), spec


def test_values_and_gradients_are_those_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    functional = torch.nn.functional

    def t(array):
        return torch.tensor(array)

    y, bits, codes, soft, counts, signs = t(REAL), t(BITS), t(CODES), t(SOFT), t(COUNTS), t(SIGNS)
    none = {"reduction": "none"}
    pairs = [
        ("mse", None, REAL, GUESS, lambda p: functional.mse_loss(p, y, **none)),
        ("mae", None, REAL, GUESS, lambda p: functional.l1_loss(p, y, **none)),
        ("huber:delta=0.7", None, REAL, GUESS, lambda p: functional.huber_loss(p, y, delta=0.7, **none)),
        ("bce", None, BITS, CHANCE, lambda p: functional.binary_cross_entropy(p, bits, **none)),
        (
            "bce:pos_weight=3",
            "sigmoid",
            BITS,
            GUESS,
            lambda z: functional.binary_cross_entropy_with_logits(z, bits, pos_weight=t(3.0), **none),
        ),
        ("cross_entropy", "softmax", CODES, LOGITS, lambda z: functional.cross_entropy(z, codes, **none)),
        ("cross_entropy", "softmax", SOFT, LOGITS, lambda z: functional.cross_entropy(z, soft, **none)),
        (
            "cross_entropy:label_smoothing=0.1",
            "softmax",
            CODES,
            LOGITS,
            lambda z: functional.cross_entropy(z, codes, label_smoothing=0.1, **none),
        ),
        (
            "kl_divergence",
            "softmax",
            SOFT,
            LOGITS,
            lambda z: functional.kl_div(functional.log_softmax(z, 1), soft, **none).sum(1),
        ),
        ("poisson", "exp", COUNTS, GUESS, lambda z: functional.poisson_nll_loss(z, counts, **none)),
        (
            "poisson:full=stirling",
            "exp",
            COUNTS,
            GUESS,
            lambda z: functional.poisson_nll_loss(z, counts, full=True, **none),
        ),
        ("hinge", None, SIGNS, GUESS, lambda f: (1 - signs * f).clamp(min=0)),
        ("exponential", None, SIGNS, GUESS, lambda f: torch.exp(-signs * f)),
        ("cosine_proximity", None, SOFT, LOGITS, lambda p: -functional.cosine_similarity(p, soft)),
        ("log_cosh", None, REAL, GUESS, lambda p: torch.log(torch.cosh(p - y))),
    ]
    for spec, activation, label, point, theirs in pairs:
        bound = get_loss(spec).through(activation)
        at = torch.tensor(point, requires_grad=True)
        rows = theirs(at)
        rows.sum().backward()
        np.testing.assert_allclose(
            bound.value(label, point), rows.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=spec
        )
        np.testing.assert_allclose(bound.gradient(label, point), at.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=spec)
