"""Which output activations go with which losses, which should not, and why."""

from collections.abc import Iterator

from lossctl.arguments import checked
from lossctl.dataclass import dataclass
from lossctl.functions.activation import BoundActivation, get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.row_domains import inside


@dataclass(frozen=True)
class Pairing:
    """A task with the output activations and losses that fit it."""

    task: str
    """What they are for."""
    activations: tuple[str, ...]
    """Empty where none is for all numbers of a prediction."""
    losses: tuple[str, ...]
    """Best first; empty where the activation is for hidden layers, whatever the loss."""
    why: str
    """Why they go together."""
    usual: int = 1
    """How many of the losses, the first, are measured where nobody says which."""

    @property
    def outputs(self) -> str:
        """The activations in words."""
        return ", ".join(self.activations) or "as they are"


@dataclass(frozen=True)
class Risk:
    """Losses that should not follow some activations."""

    losses: tuple[str, ...]
    """The losses."""
    activations: tuple[str, ...]
    """The activations that they should not follow."""
    why: str
    """What would go wrong."""


PAIRINGS = (
    Pairing(
        "binary classification",
        ("sigmoid",),
        ("bce", "focal", "brier"),
        "with bce the gradient on the logit is σ(z) − y: σ′ cancels, so a saturated mistake still learns; "
        "focal under imbalance; brier to judge",
    ),
    Pairing(
        "multi-label classification", ("sigmoid",), ("bce",), "one sigmoid a column: each label is its own yes or no"
    ),
    Pairing(
        "multi-class classification",
        ("softmax",),
        (
            "cross_entropy",
            "nll",
            "kl_divergence",
            "categorical_focal",
            "poly1_ce",
            "gce",
            "categorical_brier",
            "spherical",
            "js_divergence",
        ),
        "the gradient on the logits is p − y; categorical_focal under imbalance, gce with noisy labels, "
        "categorical_brier and spherical to judge",
    ),
    Pairing(
        "classification of ordered classes",
        ("softmax",),
        ("rps",),
        "the further off a class is, the more it costs; the order is that of the columns",
    ),
    Pairing(
        "multi-class classification in logarithms",
        ("log_softmax",),
        ("nll",),
        "with nll:log=true; the gradient on the logits is p − y, and no small probability is rounded to 0",
    ),
    Pairing(
        "unbounded regression",
        ("identity",),
        ("mse", "mae", "huber", "rmse", "log_cosh", "l2", "l1", "mape"),
        "labels live on all of ℝ, and so does the output",
        usual=3,
    ),
    Pairing(
        "positive regression",
        ("softplus", "exp", "relu"),
        ("msle", "rmsle", "mse", "mae", "mape"),
        "the output cannot be negative; relu has no gradient where z ≤ 0",
    ),
    Pairing(
        "bounded regression",
        ("sigmoid", "tanh"),
        ("mse", "mae"),
        "the output is scaled to the bounds; the gradient carries the derivative, which vanishes near them",
    ),
    Pairing(
        "counts",
        ("exp", "softplus"),
        ("poisson", "poisson_deviance"),
        "the output is a rate above 0; after exp the gradient on the log-rate is e^z − y",
    ),
    Pairing(
        "amounts that are often 0",
        ("exp", "softplus"),
        ("tweedie_deviance", "tweedie_nll"),
        "the output is a mean above 0, the label may be exactly 0: a power between 1 and 2 has room for both",
    ),
    Pairing(
        "skewed amounts above 0",
        ("exp", "softplus"),
        ("gamma_deviance", "gamma_nll", "tweedie_deviance"),
        "the output is a mean above 0, and the spread of labels grows with it",
    ),
    Pairing(
        "regression with outliers",
        ("identity",),
        ("huber", "smooth_l1", "pseudo_huber", "log_cosh", "fair", "cauchy", "epsilon_insensitive", "lq"),
        "a row that is far off pulls no harder than others, or not much",
    ),
    Pairing(
        "quantile regression",
        ("identity",),
        ("quantile", "expectile"),
        "the output is a quantile or an expectile of what may come, anywhere on ℝ",
    ),
    Pairing(
        "max-margin classification",
        ("identity",),
        ("hinge", "squared_hinge", "exponential", "soft_margin", "modified_huber", "perceptron"),
        "these losses are made for scores, not for probabilities",
    ),
    Pairing(
        "max-margin classification of several classes",
        ("identity",),
        ("crammer_singer", "multi_margin", "categorical_hinge", "bi_tempered"),
        "these losses are made for scores, not for probabilities; bi_tempered has a softmax of its own",
    ),
    Pairing(
        "ranking of the labels of a row",
        ("identity",),
        ("multilabel_margin", "bpmll"),
        "scores of labels that apply are held against those that do not",
    ),
    Pairing(
        "rows of counts or intensities",
        ("exp", "softplus"),
        ("generalized_kl",),
        "the output is an amount above 0; after exp the gradient on its logarithm is e^z − y",
    ),
    Pairing("critics", ("identity",), ("wasserstein",), "a score of either sign, that something else bounds"),
    Pairing(
        "forecasts of a mean and its scale",
        (),
        ("crps_gaussian", "gaussian_nll"),
        "both are least in expectation for the true distribution; crps_gaussian is in the unit of the label",
        usual=2,
    ),
    Pairing(
        "forecasts of an interval", (), ("interval",), "narrow intervals count, and the labels that they do not hold"
    ),
    Pairing(
        "forecasts of quantiles", ("identity",), ("quantiles",), "each column is pulled to the quantile of its level"
    ),
    Pairing("ensembles", ("identity",), ("crps_ensemble",), "members count by their spread as well as by their errors"),
    Pairing("ranked pairs", (), ("margin_ranking",), "only which of two scores is larger counts"),
    Pairing("embeddings", ("identity",), ("cosine_proximity",), "only the direction of a vector counts"),
    Pairing(
        "hidden layers",
        ("relu", "leaky_relu", "elu", "selu", "tanh"),
        (),
        "between layers, with any loss; elu and selu are not used as outputs",
    ),
)

RISKS = (
    Risk(
        ("hinge", "squared_hinge", "exponential", "soft_margin", "modified_huber", "perceptron", "wasserstein"),
        ("sigmoid", "softmax"),
        "it is made for scores of either sign: a probability is never below 0, so no row of the negative class is "
        "ever on the right side; leave the activation out, or use bce",
    ),
    Risk(
        ("crammer_singer", "multi_margin", "categorical_hinge", "multilabel_margin", "bpmll", "bi_tempered"),
        ("sigmoid", "softmax", "log_softmax"),
        "it is made for scores: probabilities are never more than 1 apart, so no row is ever right by the margin; "
        "leave the activation out",
    ),
    Risk(
        ("mse", "rmse", "l2", "half_squared_error"),
        ("sigmoid", "softmax"),
        "slow learning: the gradient carries the derivative of the activation, which vanishes just where a saturated "
        "prediction is wrong; bce and cross_entropy have no such factor",
    ),
    Risk(
        ("bce", "focal"),
        ("softmax",),
        "softmax makes the columns compete, while each is judged as its own yes or no; use sigmoid, or cross_entropy",
    ),
)


@checked()
def pairings_of(name: str) -> list[Pairing]:
    """The pairings that a loss or an activation is part of."""
    return [pairing for pairing in PAIRINGS if name in (*pairing.activations, *pairing.losses)]


@checked()
def risks_of(name: str) -> list[Risk]:
    """The risks that a loss or an activation is part of."""
    return [risk for risk in RISKS if name in (*risk.activations, *risk.losses)]


@checked()
def doubts(bound: BoundLoss, width: int) -> Iterator[str]:
    """Why a loss through its activation is a risky pair, for predictions of ``width`` columns."""
    activation = bound.activation
    if activation is None:
        return
    pair = f"{bound.title} after {activation}"
    if activation.definition.rows and width < 2:
        constant = f"{float(activation.value([0.0])[0]):g}"
        yield f"{pair}: {activation.name} over one column is always {constant}, whatever the score; use sigmoid"
        return
    for risk in RISKS:
        if bound.name in risk.losses and activation.name in risk.activations:
            yield f"{pair}: {risk.why}"
    if bound.chained and not inside(activation.range, bound.output_domain):
        yield f"{pair}: {_outside(bound, activation)}"


def _outside(bound: BoundLoss, activation: BoundActivation) -> str:
    partners = dict.fromkeys(name for pairing in pairings_of(bound.name) for name in pairing.activations)
    fitting = [name for name in partners if inside(get_activation(name).range, bound.output_domain)]
    better = f"; {bound.name} goes with {' or '.join(fitting)}" if fitting else ""
    return (
        f"the activation comes to {activation.range.describe()}, but the loss needs {bound.output_domain.describe()}, "
        f"so a row may be an error{better}"
    )
