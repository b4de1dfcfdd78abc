"""How other libraries make the number of a loss, where they do it otherwise: which settings make lossctl give theirs.

What they call a loss stands with it (`Definition.peers`); here is what is to be set for the same number. What is not
here agrees as it is. Only what is different for all losses of a library is said of the library.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any

from lossctl.dataclass import dataclass
from lossctl.errors import UsageError, option
from lossctl.functions.loss import Loss
from lossctl.functions.parameter import Value, spell
from lossctl.words import did_you_mean, either, normal

TORCH_FLOOR = 3.720075976020836e-44
"""e^−100: torch's logarithms of probabilities end at −100."""


@dataclass(frozen=True)
class Peer:
    """A library, and what it does for all of its losses."""

    title: str
    """As `Definition.peers` has it."""
    weight_norm: str = "sum"
    """What it divides a sum of weighted losses by: ``sum`` of the weights, or ``n`` rows."""
    columns: str = "mean"
    """What it makes of several columns."""
    names: tuple[str, ...] = ()
    """What else it is called."""


@dataclass(frozen=True)
class Usage:
    """What a library does otherwise for a loss."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Those of the loss that make the number its own; what it leaves to its user is not among them."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options likewise; they go before what is true of the library."""
    rest: str = ""
    """What no option does."""
    differs: bool = False
    """Whether that is so of ordinary data."""
    note: str = ""
    """What else is to be known to have its number."""


@dataclass(frozen=True)
class Agreement:
    """Whether a library gives the number that lossctl gives."""

    peer: str
    """The word for `compat`; empty for a library that has none."""
    title: str
    calls: str
    """What it calls the loss."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """What is to be set for its number."""
    where: Sequence[str] = ()
    """Where alone what is to be set makes a difference, as far as it does not always."""
    rest: str = ""
    differs: bool = False
    note: str = ""

    @property
    def by_default(self) -> bool:
        """Whether lossctl gives its number with nothing set, except of the data that `where` tells of."""
        return not (self.differs or self.parameters or (self.options.keys() - CONDITIONS.keys()))

    @property
    def settings(self) -> dict[str, Any]:
        """All that is to be set."""
        return {**self.parameters, **self.options}

    @property
    def listed(self) -> str:
        """The settings, as a person reads them."""
        return ", ".join(f"{name}={_spelled(value)}" for name, value in self.settings.items())

    @property
    def words(self) -> str:
        """Whether its number is lossctl's, and what makes it so; empty for a library that nothing is set for."""
        if not self.peer:
            return ""
        if self.differs:
            return f"another number, with no option for it: {self.rest}"
        told = "the same" if self.by_default else "another number"
        told += f", but of {either(self.where)}" if self.by_default and self.settings else ""
        told += f"; no option for this: {self.rest}" if self.rest else ""
        return f"{told}; {self.note}" if self.note else told

    def to_dict(self) -> dict[str, Any]:
        """What is known, ready for strict JSON."""
        agrees = None if not self.peer else self.by_default
        return {
            "library": self.title,
            "calls": self.calls,
            "compat": self.peer or None,
            "agrees": agrees,
            "settings": self.settings,
            "where": list(self.where),
            "rest": self.rest,
            "note": self.note,
        }


CONDITIONS = {
    "eps": "probabilities near 0 or 1",
    "normalize_rows": "rows that do not sum to 1",
    "ignore_label": "rows to be ignored",
    "weight_norm": "rows with weights",
    "columns": "several columns",
}
"""Of what data alone an option changes a number."""

PEERS: Mapping[str, Peer] = {
    "keras": Peer("Keras", weight_norm="n", names=("tensorflow", "tf")),
    "torch": Peer("torch", names=("pytorch",)),
    "sklearn": Peer("scikit-learn", names=("scikit-learn", "scikit")),
    "dl4j": Peer("DL4J", weight_norm="n", columns="sum", names=("deeplearning4j", "nd4j")),
    "catboost": Peer("CatBoost"),
    "lightgbm": Peer("LightGBM", names=("lgb", "lgbm")),
    "xgboost": Peer("XGBoost", names=("xgb",)),
}

_KERAS_FLOOR = "it computes in float32, and floors what is near 1 too: 1e-7 for a perfect row"
_FLOORED_LABEL = "it floors labels as well, so that a label of 0 counts for a little"
_LOG_INPUT = "it takes log ŷ: where the file has that, say from_logits"
_LOGITS = "it takes what comes before the softmax: where the file has that, say from_logits"
_RATIO = MappingProxyType({"unit": "ratio"})
_MAX1 = MappingProxyType({"unit": "ratio", "zero": "max1"})
_MEAN = MappingProxyType({"reduction": "mean"})
_BY_N = MappingProxyType({"weight_norm": "n"})
_OVER_COLUMNS = MappingProxyType({"columns": "mean"})


def _eps(value: float, **more: Any) -> Mapping[str, Any]:
    return MappingProxyType({"eps": value, **more})


USAGES: Mapping[str, Mapping[str, Usage]] = {
    "keras": {
        "bce": Usage(options=_eps(1e-7), rest=_KERAS_FLOOR),
        "cross_entropy": Usage(options=_eps(1e-7, normalize_rows=True), rest=_KERAS_FLOOR),
        "kl_divergence": Usage(options=_eps(1e-7), rest=_FLOORED_LABEL),
        "focal": Usage({"alpha": None}, _eps(1e-7), rest=_KERAS_FLOOR),
        "categorical_focal": Usage(options=_eps(1e-7, normalize_rows=True), rest=_KERAS_FLOOR),
        "gce": Usage({"q": 0.5}),
        "mape": Usage(rest="a label of 0 counts as 1e-7"),
        "msle": Usage(rest="numbers below 0 count as 1e-7"),
        "poisson": Usage(rest="it adds 1e-7 inside the logarithm"),
        "dice": Usage(rest="it adds 1e-7 to the sum below"),
        "tversky": Usage(rest="up to 3.15.1 its alpha is beta here, and its beta alpha"),
    },
    "torch": {
        "bce": Usage(options=_eps(TORCH_FLOOR, weight_norm="n")),
        "huber": Usage(options=_BY_N),
        "cross_entropy": Usage(options={"ignore_label": "-100"}, note=_LOGITS),
        "nll": Usage({"log": True}, {"ignore_label": "-100"}),
        "kl_divergence": Usage(note="it takes log ŷ, and 'batchmean' is this: its 'mean' divides by the columns too"),
        "poisson": Usage(note=_LOG_INPUT),
        "hinge": Usage(rest="its hinge_embedding_loss is another loss", differs=True),
        "cosine_proximity": Usage(rest="its numbers have another sign, or another zero", differs=True),
        "gaussian_nll": Usage(rest="variances below 1e-6 count as 1e-6"),
        "l1": Usage(options=_MEAN),
    },
    "sklearn": {
        "mape": Usage(_RATIO, rest="a label of 0 counts as 2.2e-16"),
        "rmse": Usage(rest="of several columns it is the mean of the roots"),
        "rmsle": Usage(rest="of several columns it is the mean of the roots"),
        "poisson": Usage(note=f"{_LOG_INPUT}; mean_poisson_deviance is poisson_deviance here"),
        "tweedie_nll": Usage(note=_LOG_INPUT),
        "huber": Usage(rest="in gradient boosting δ is the 0.9-quantile of |e|, which takes a pass before"),
        "exponential": Usage(rest="its scores are half the logit", differs=True),
        "generalized_kl": Usage(options={"reduction": "sum"}),
        "zero_one": Usage(note="it takes decisions"),
        "categorical_zero_one": Usage(note="it takes decisions"),
        "gamma_nll": Usage(note=_LOG_INPUT),
        "categorical_brier": Usage(rest="of two classes it is half, unless scale_by_half=False"),
    },
    "dl4j": {
        "mse": Usage(options=_OVER_COLUMNS),
        "mae": Usage(options=_OVER_COLUMNS),
        "mape": Usage(options=_OVER_COLUMNS, rest="a label of 0 gives an infinity"),
        "msle": Usage(options=_OVER_COLUMNS),
        "l1": Usage(options=_MEAN),
        "l2": Usage(options=_MEAN),
        "bce": Usage(options=_eps(1e-5)),
        "cross_entropy": Usage(options=_eps(1e-10)),
        "nll": Usage(options=_eps(1e-10)),
        "kl_divergence": Usage(options=_eps(1e-5), rest=_FLOORED_LABEL),
        "hinge": Usage(rest="a label of 0 is not −1 there"),
        "squared_hinge": Usage(rest="a label of 0 is not −1 there"),
        "wasserstein": Usage(options=_OVER_COLUMNS),
        "poisson": Usage(),
    },
    "catboost": {
        "bce": Usage(options=_eps(0.0)),
        "cross_entropy": Usage(options=_eps(0.0)),
        "mape": Usage(_MAX1),
        "mse": Usage(rest="MultiRMSE is its root: rmse", differs=True),
        "rmse": Usage(options={"columns": "sum"}),
        "quantile": Usage(rest="errors of less than 1e-6 cost nothing"),
        "log_cosh": Usage(rest="its logarithm is good to about 1e-4"),
        "poisson": Usage(note=_LOG_INPUT),
        "zero_one": Usage(rest="Accuracy is 1 less this", differs=True),
        "categorical_zero_one": Usage(rest="Accuracy is 1 less this", differs=True),
    },
    "lightgbm": {
        "bce": Usage(options=_eps(1e-15), note="cross_entropy, of soft labels, floors at 1e-12"),
        "cross_entropy": Usage(options=_eps(1e-15)),
        "huber": Usage({"delta": 0.9}),
        "quantile": Usage({"tau": 0.9}),
        "mape": Usage(_MAX1),
        "poisson": Usage(rest="predictions below 1e-10 count as 1e-10"),
        "kl_divergence": Usage(rest="its kullback_leibler is of a binary label", differs=True),
        "gamma_deviance": Usage(options={"reduction": "sum"}, rest="it adds 1e-9 to y"),
        "l1": Usage(options=_MEAN),
        "l2": Usage(options=_MEAN),
    },
    "xgboost": {
        "bce": Usage(options=_eps(1e-16), rest="it computes in float32"),
        "cross_entropy": Usage(options=_eps(1e-16), rest="it computes in float32"),
        "mape": Usage(_RATIO, rest="a label of 0 gives an infinity"),
        "poisson": Usage({"full": "lgamma"}),
        "msle": Usage(note="reg:squaredlogerror is half of it; its metric is rmsle"),
        "mse": Usage(note="reg:squarederror is half of it; its metric is rmse"),
        "huber": Usage(rest="mphe is pseudo_huber", differs=True),
        "hinge": Usage(rest="it computes in float32"),
        "gamma_deviance": Usage(rest="it adds 1e-6 to y and ŷ"),
    },
}
"""By library and loss. Losses that are not named there agree as they are."""


def peer_of(name: str) -> str:
    """The word for a library by what it may be called.

    Raises:
        UsageError: there is no such library.
    """
    words = {normal(word): key for key, peer in PEERS.items() for word in (key, peer.title, *peer.names)}
    if normal(name) not in words:
        known = did_you_mean(name, [*PEERS]) or f"Known: {', '.join(PEERS)}."
        raise UsageError(f"{option(compat=name)}: no such library", known)
    return words[normal(name)]


def agreement(peer: str, loss: Loss) -> Agreement | None:
    """How a library and lossctl agree on a loss; ``None`` where it has no such loss.

    Args:
        peer: one of `PEERS`.
        loss: the loss.
    """
    library = PEERS[peer]
    if library.title not in loss.peers:
        return None
    usage = USAGES[peer].get(loss.name, Usage())
    common: dict[str, Any] = {}
    means = usage.options.get("reduction", loss.reduction) == "mean"
    if means and library.weight_norm != "sum":
        common["weight_norm"] = library.weight_norm
    if means and not loss.prediction_domain().rows:
        common["columns"] = library.columns
    options = {**usage.options, **{name: value for name, value in common.items() if name not in usage.options}}
    usual = {"columns": "mean" if means or loss.reduction == "root-mean" else None, "weight_norm": "sum"}
    options = {name: value for name, value in options.items() if value != usual.get(name)}
    own = {name: value for name, value in usage.parameters.items() if value != _default(loss, name)}
    where = [CONDITIONS[name] for name in options if name in CONDITIONS]
    calls = loss.peers[library.title]
    return Agreement(peer, library.title, calls, own, options, where, usage.rest, usage.differs, usage.note)


def agreements(loss: Loss) -> Iterator[Agreement]:
    """How other libraries and lossctl agree on a loss, of those that have it."""
    by_title = {peer.title: word for word, peer in PEERS.items()}
    for title, calls in loss.peers.items():
        known = agreement(by_title[title], loss) if title in by_title else None
        yield known or Agreement("", title, calls)


def _spelled(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else spell(value)


def _default(loss: Loss, name: str) -> Value:
    return next(parameter.default for parameter in loss.parameters if parameter.name == name)
