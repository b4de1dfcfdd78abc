"""Values against scikit-learn and torch on random data, and gradients against autograd, where they are installed."""

import inspect
import re

import numpy as np
import pytest

from lossctl import evaluate, get_activation, get_loss
from lossctl.checks.contract import sampled_points
from lossctl.functions.activation import activations
from lossctl.functions.explanation import definitions
from lossctl.functions.loss import losses
from lossctl.row_domains import inside

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
LEVELS = np.array(get_loss("quantiles").tried(K).parameters["tau"])
SCALED = np.column_stack([GUESS, RATES])


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
        ("brier", BITS, CHANCE, metrics.brier_score_loss(BITS, CHANCE, **w)),
        ("brier", CODES, ROWS, metrics.brier_score_loss(CODES, ROWS, **w)),
        ("zero_one", BITS, CHANCE, metrics.zero_one_loss(BITS, CHANCE > 0.5, **w)),
        ("zero_one", CODES, ROWS, metrics.zero_one_loss(CODES, ROWS.argmax(axis=1), **w)),
        ("crammer_singer", CODES, LOGITS, metrics.hinge_loss(CODES, LOGITS, **w)),
        ("quantile:tau=0.8", REAL, GUESS, metrics.mean_pinball_loss(REAL, GUESS, alpha=0.8, **w)),
        ("poisson_deviance", COUNTS, RATES, metrics.mean_poisson_deviance(COUNTS, RATES, **w)),
        ("gamma_deviance", COUNTS + 0.5, RATES, metrics.mean_gamma_deviance(COUNTS + 0.5, RATES, **w)),
        *(
            (f"tweedie_deviance:power={p}", y, RATES, metrics.mean_tweedie_deviance(y, RATES, power=p, **w))
            for p, y in ((-1.5, REAL), (0, REAL), (1, COUNTS), (1.3, COUNTS), (2, COUNTS + 0.5), (3, COUNTS + 0.5))
        ),
        (
            "quantiles:tau=0.1/0.5/0.9",
            REAL,
            LOGITS[:, :3],
            np.mean([metrics.mean_pinball_loss(REAL, LOGITS[:, k], alpha=(1 + 4 * k) / 10, **w) for k in range(3)]),
        ),
    ]
    for spec, label, prediction, theirs in pairs:
        assert ours(spec, label, prediction, weight) == pytest.approx(theirs, rel=1e-12), spec


def test_losses_of_scores_are_those_that_scikit_learn_boosts_with():
    boosted = pytest.importorskip("sklearn._loss", reason="scikit-learn is not installed")
    for spec, activation, label, theirs in [
        ("poisson", "exp", COUNTS, boosted.HalfPoissonLoss()),
        ("gamma_nll", "exp", COUNTS + 0.5, boosted.HalfGammaLoss()),
        ("tweedie_nll:power=1.3", "exp", COUNTS, boosted.HalfTweedieLoss(power=1.3)),
        ("soft_margin", None, BITS, boosted.HalfBinomialLoss()),
    ]:
        loss = get_loss(spec)
        loss = loss.through(activation) if activation else loss
        expected = theirs.loss_gradient(label.astype(float), GUESS)
        for mine, other in zip((loss.value, loss.gradient), expected, strict=True):
            np.testing.assert_allclose(mine(label, GUESS), other, rtol=1e-12, atol=1e-15, err_msg=spec)


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
        ("gaussian_nll", None, REAL, SCALED, lambda p: functional.gaussian_nll_loss(p[:, 0], y, p[:, 1], **none)),
        (
            "gaussian_nll:full=true",
            None,
            REAL,
            SCALED,
            lambda p: functional.gaussian_nll_loss(p[:, 0], y, p[:, 1], full=True, **none),
        ),
        (
            "margin_ranking:margin=0.3",
            None,
            SIGNS,
            LOGITS[:, :2].copy(),
            lambda p: functional.margin_ranking_loss(p[:, 0], p[:, 1], signs, margin=0.3, **none),
        ),
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


def torch_activations(torch):
    """What torch calls each activation, as functions of rows or numbers."""
    functional = torch.nn.functional
    return {
        "identity": lambda z: z,
        "relu": functional.relu,
        "leaky_relu": functional.leaky_relu,
        "elu": functional.elu,
        "selu": functional.selu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "exp": torch.exp,
        "softplus": lambda z: functional.softplus(z, threshold=1e9),  # linear from 20 on unless told otherwise
        "softmax": lambda z: functional.softmax(z, 1),
        "log_softmax": lambda z: functional.log_softmax(z, 1),
    }


def torch_losses(torch):
    """Each loss by torch, from a label and a prediction to one number a row."""
    functional, none = torch.nn.functional, {"reduction": "none"}
    columns = {
        "mse": lambda y, p: functional.mse_loss(p, y, **none),
        "rmse": lambda y, p: functional.mse_loss(p, y, **none),
        "l2": lambda y, p: functional.mse_loss(p, y, **none),
        "mae": lambda y, p: functional.l1_loss(p, y, **none),
        "l1": lambda y, p: functional.l1_loss(p, y, **none),
        "huber": lambda y, p: functional.huber_loss(p, y, **none),
        "log_cosh": lambda y, p: functional.softplus(-2 * (p - y).abs(), threshold=1e9) + (p - y).abs() - np.log(2),
        "msle": lambda y, p: (torch.log1p(p) - torch.log1p(y)) ** 2,
        "rmsle": lambda y, p: (torch.log1p(p) - torch.log1p(y)) ** 2,
        "mape": lambda y, p: 100 * ((p - y) / y).abs(),
        "half_squared_error": lambda y, p: 0.5 * functional.mse_loss(p, y, **none),
        "quantile": lambda y, p: 0.5 * (p - y).abs(),
        "expectile": lambda y, p: 0.5 * (p - y) ** 2,
        "smooth_l1": lambda y, p: functional.smooth_l1_loss(p, y, **none),
        "pseudo_huber": lambda y, p: torch.sqrt(1 + (p - y) ** 2) - 1,
        "fair": lambda y, p: (p - y).abs() - torch.log1p((p - y).abs()),
        "cauchy": lambda y, p: 0.5 * torch.log1p((p - y) ** 2),
        "lq": lambda y, p: (p - y).abs() ** 1.5,
        "epsilon_insensitive": lambda y, p: ((p - y).abs() - 0.1).clamp(min=0),
        "squared_epsilon_insensitive": lambda y, p: ((p - y).abs() - 0.1).clamp(min=0) ** 2,
        "smape": lambda y, p: 200 * (p - y).abs() / (p.abs() + y.abs()),
        "mase:scale=2": lambda y, p: (p - y).abs() / 2,
        "tweedie_deviance": lambda y, p: 4 * (torch.sqrt(y) - torch.sqrt(p)) ** 2 / torch.sqrt(p),
        "poisson_deviance": lambda y, p: 2 * (torch.xlogy(y, y / p) - y + p),
        "gamma_deviance": lambda y, p: 2 * (torch.log(p / y) + y / p - 1),
        "tweedie_nll": lambda y, p: 2 * y / torch.sqrt(p) + 2 * torch.sqrt(p),
        "gamma_nll": lambda y, p: torch.log(p) + y / p,
        "bce": lambda y, p: functional.binary_cross_entropy(p, y, **none),
        "poisson": lambda y, p: p - y * torch.log(p),
        "hinge": lambda y, p: (1 - y * p).clamp(min=0),
        "squared_hinge": lambda y, p: (1 - y * p).clamp(min=0) ** 2,
        "exponential": lambda y, p: torch.exp(-y * p),
        "brier": lambda y, p: (p - y) ** 2,
        "zero_one": lambda y, p: ((p > 0.5) != (y > 0)).double() + 0 * p,
        "soft_margin": lambda y, p: functional.soft_margin_loss(p, y, **none),
        "modified_huber": lambda y, p: torch.where(y * p < -1, -4 * y * p, (1 - y * p).clamp(min=0) ** 2),
        "perceptron": lambda y, p: (-y * p).clamp(min=0),
        "wasserstein": lambda y, p: y * p,
        "focal": lambda y, p: torch.where(
            y == 1, -0.25 * (1 - p) ** 2 * torch.log(p), -0.75 * p**2 * torch.log1p(-p)
        ),
    }  # fmt: skip
    rows = {
        "cross_entropy": lambda y, p: functional.nll_loss(torch.log(p), y.long(), **none),
        "nll": lambda y, p: functional.nll_loss(torch.log(p), y.long(), **none),
        "kl_divergence": lambda y, p: functional.kl_div(torch.log(p), y, **none).sum(1),
        "cosine_proximity": lambda y, p: -functional.cosine_similarity(p, y),
        **torch_losses_of_classes(torch),
        "gaussian_nll": lambda y, p: functional.gaussian_nll_loss(p[:, 0], y, p[:, 1], **none),
        "crps_gaussian": lambda y, p: crps_of_normal(torch, (y - p[:, 0]) / p[:, 1]) * p[:, 1],
        "crps_ensemble": lambda y, p: (
            (p - y[:, None]).abs().mean(1) - (p[:, :, None] - p[:, None]).abs().mean((1, 2)) / 2
        ),
        "interval": lambda y, p: p[:, 1] - p[:, 0] + 20 * ((p[:, 0] - y).clamp(min=0) + (y - p[:, 1]).clamp(min=0)),
        "quantiles": lambda y, p: torch.maximum(
            torch.tensor(LEVELS) * (y[:, None] - p), torch.tensor(LEVELS - 1) * (y[:, None] - p)
        ).mean(1),
        "margin_ranking": lambda y, p: functional.margin_ranking_loss(p[:, 0], p[:, 1], y, **none),
    }  # fmt: skip
    return columns, rows


def torch_losses_of_classes(torch):
    """Those of classes that torch has no name for, from a class code or a row for each class."""
    functional = torch.nn.functional

    def hot(y, p):
        return y if y.ndim == 2 else functional.one_hot(y.long(), p.shape[1]).double()

    def code(y):
        return y.argmax(1) if y.ndim == 2 else y.long()

    def rivals(y, p):
        return (p - 1e300 * hot(code(y), p)).amax(1) - (p * hot(y, p)).sum(1)

    def of_sets(y, p):
        indices = [[*row.nonzero().ravel().tolist(), -1, *[0] * len(row)][: len(row)] for row in y]
        return functional.multilabel_margin_loss(p, torch.tensor(indices), reduction="none")

    def bpmll(y, p):
        pairs = (y[:, :, None] == 1) & (y[:, None, :] == 0)
        return (torch.exp(p[:, None, :] - p[:, :, None]) * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)

    def shannon(y, p):
        m = 0.5 * (y + p)
        return 0.5 * (torch.xlogy(y, y / m) + torch.xlogy(p, p / m)).sum(1)

    def tempered(y, p):
        c, y = 0.2, hot(y, p)
        x = torch.ones(len(p), 1, dtype=p.dtype)
        below = c * (p.amax(1, keepdim=True) - p)
        for _ in range(60):
            total, slope = ((x + below) ** (-1 / c)).sum(1, True), ((x + below) ** (-1 / c - 1)).sum(1, True)
            x = x + (1 - total**-c) * total ** (1 + c) / slope
        q = (x + below) ** (-1 / c)
        return (5 * y * (y**0.2 - q**0.2) - (y**1.2 - q**1.2) / 1.2).sum(1)

    return {
        "categorical_brier": lambda y, p: ((p - hot(y, p)) ** 2).sum(1),
        "categorical_zero_one": lambda y, p: 1 - hot(y, p)[torch.arange(len(p)), p.argmax(1)] + 0 * p.sum(1),
        "spherical": lambda y, p: -(p * hot(y, p)).sum(1) / p.norm(dim=1),
        "rps": lambda y, p: ((p - hot(y, p)).cumsum(1)[:, :-1] ** 2).mean(1),
        "js_divergence": shannon,
        "generalized_kl": lambda y, p: (torch.xlogy(y, y / p) - y + p).sum(1),
        "categorical_focal": lambda y, p: -0.25 * (hot(y, p) * (1 - p) ** 2 * torch.log(p)).sum(1),
        "gce": lambda y, p: (hot(y, p) * (1 - p**0.7)).sum(1) / 0.7,
        "poly1_ce": lambda y, p: (hot(y, p) * (2 * (1 - p) - torch.log(p))).sum(1),
        "bi_tempered": tempered,
        "crammer_singer": lambda y, p: (1 + rivals(y, p)).clamp(min=0),
        "categorical_hinge": lambda y, p: (
            1 + ((1 - hot(y, p)) * p).amax(1) - (p * hot(y, p)).sum(1)
        ).clamp(min=0),
        "multi_margin": lambda y, p: functional.multi_margin_loss(p, code(y), reduction="none"),
        "multilabel_margin": of_sets,
        "bpmll": bpmll,
    }  # fmt: skip


def crps_of_normal(torch, error):
    normal = torch.distributions.Normal(0.0, 1.0)
    return error * (2 * normal.cdf(error) - 1) + 2 * torch.exp(normal.log_prob(error)) - 1 / np.sqrt(np.pi)


def test_every_activation_and_its_pullback_are_those_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    known = torch_activations(torch)
    assert set(known) == set(activations.names())
    for name, theirs in known.items():
        bound = get_activation(name)
        z = np.random.default_rng(1).normal(0.0, 4.0, (N, K) if bound.definition.rows else N)
        upstream = np.random.default_rng(2).normal(size=z.shape)
        at = torch.tensor(z, requires_grad=True)
        value = theirs(at)
        value.backward(torch.tensor(upstream))
        np.testing.assert_allclose(bound.value(z), value.detach().numpy(), rtol=1e-12, atol=1e-14, err_msg=name)
        np.testing.assert_allclose(bound.pullback(z, upstream), at.grad.numpy(), rtol=1e-9, atol=1e-13, err_msg=name)


def test_every_loss_through_every_legal_activation_has_the_gradient_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    columns, rows = torch_losses(torch)
    assert {name.partition(":")[0] for name in (*columns, *rows)} == set(losses.names())
    outputs, tried = torch_activations(torch), 0
    for name, theirs in {**columns, **rows}.items():
        for activation in activations:
            bound = get_loss(name).tried(K)
            if bound.parts and activation.name != "identity":
                continue
            through = bound if bound.parts else bound.through(activation.name)
            fits = through.activation is None or inside(through.activation.range, through.output_domain)
            if not fits or (through.activation is not None and activation.rows != through.rows):
                continue
            label, z = sampled_points(through, 7)
            if through.rows and name in {"cross_entropy", "nll"}:
                label = np.random.default_rng(3).integers(0, z.shape[1], len(z)).astype(float)
            at = torch.tensor(np.ascontiguousarray(z), requires_grad=True)
            values = theirs(torch.tensor(np.ascontiguousarray(label)), outputs[activation.name](at))
            values.sum().backward()
            where = f"{name} through {activation.name}"
            np.testing.assert_allclose(
                through.value(label, z), values.detach().numpy(), rtol=1e-7, atol=1e-10, err_msg=where
            )
            np.testing.assert_allclose(through.gradient(label, z), at.grad.numpy(), rtol=1e-6, atol=1e-9, err_msg=where)
            tried += 1
    assert tried > 70


def names_of(definition, library):
    """The names a definition says it has in a library, without what is different about them."""
    words = re.sub(r"\([^)]*\)", "", definition.peers.get(library, ""))
    return [word.strip() for word in words.split(",") if word.strip()]


def test_the_names_said_to_be_torchs_are():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for definition in definitions():
        for name in names_of(definition, "torch"):
            assert any(hasattr(place, name) for place in (torch.nn.functional, torch.nn, torch)), name


def test_the_names_said_to_be_scikit_learns_are():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    import sklearn._loss
    import sklearn.metrics
    from sklearn.decomposition import NMF
    from sklearn.linear_model import SGDClassifier, SGDRegressor
    from sklearn.neural_network import MLPRegressor

    choices = {*MLPRegressor._parameter_constraints["activation"][0].options}
    choices |= SGDRegressor._parameter_constraints["loss"][0].options
    choices |= (
        SGDClassifier._parameter_constraints["loss"][0].options | NMF._parameter_constraints["beta_loss"][0].options
    )
    for definition in definitions():
        for name in names_of(definition, "scikit-learn"):
            known = hasattr(sklearn.metrics, name) or hasattr(sklearn._loss, name) or name in choices
            assert known or hasattr(sklearn._loss.loss, name), name


def test_what_is_said_to_be_different_in_torch_is():
    """The caveats beside torch's names: each is what its signature or a number says."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    functional = torch.nn.functional
    assert inspect.signature(functional.poisson_nll_loss).parameters["log_input"].default is True
    assert inspect.signature(functional.leaky_relu).parameters["negative_slope"].default == 0.01
    assert functional.binary_cross_entropy(torch.tensor(0.0), torch.tensor(1.0)).item() == 100.0
    error = torch.tensor([3.0, 1.0])
    assert functional.l1_loss(error, torch.zeros(2)).item() == 2.0
    label, chance = torch.tensor(SOFT), torch.tensor(ROWS)
    with pytest.warns(UserWarning, match="batchmean"):
        mean = functional.kl_div(torch.log(chance), label, reduction="mean").item()
    assert mean == pytest.approx(get_loss("kl_divergence").value(SOFT, ROWS).mean() / K)
