"""Losses of what a model of text said, token by token; no label says what came true."""

from typing import Annotated

import numpy as np

from lossctl.domain import EPS, LOG_PROBABILITY, NO_LABEL, PROBABILITY, Domain, FloatArray, Floor, Interval, Words
from lossctl.functions.loss import loss

Base = Annotated[float, Interval(low=1.0, low_open=True)]
Per = Annotated[str, Words(("token", "row"))]


def _prediction(*, log: bool = False, **_others: object) -> Domain:
    return LOG_PROBABILITY if log else PROBABILITY


@loss(
    aliases=("token_nll", "negative_log_probability", "neg_log_prob"),
    label=NO_LABEL,
    prediction=_prediction,
    reduction="ratio",
    references=("Shannon 1948, A Mathematical Theory of Communication",),
    peers={
        "torch": "nll_loss, cross_entropy (of the class that came true, from all scores)",
        "lm-evaluation-harness": "bits_per_byte (base=2, by bytes instead of tokens)",
    },
)
def surprisal(
    label: FloatArray,  # noqa: ARG001
    prediction: FloatArray,
    *,
    log: bool = False,
    base: Base | None = None,
    per: Per = "token",  # noqa: ARG001
    eps: Floor = EPS,
) -> FloatArray:
    """−log of the probability of what came true, of each token: from these probabilities alone, without a label.

    Formula: Σ −log p / number of tokens (``per=row``: rows), over all rows, where a row has one p or a list of them,
    of any length; with ``log=true`` the prediction is log p; with ``base=2`` it is bits; a single row is the sum over
    its tokens.
    Gradient: −1/(p log b), b = ``base``; with ``log=true`` −1/log b. Divided by the number of tokens for the value.
    Properties: 0 where what came true was certain, without bound as it was ruled out; probabilities below ``eps`` count
    as ``eps``, logarithms as they are; long rows count as many tokens as they have; its standard error takes rows as
    independent, and the tokens of a row not; it has no best constant.

    Use it for log-probabilities of tokens as models of language return them.
    Avoid it to compare models with other tokens: by row, or by bytes as weights, they compare.

    >>> import lossctl
    >>> lossctl.evaluate({"p": [0.5, 0.125]}, "surprisal:base=2", prediction="p").value
    2.0
    """
    bits = 1.0 if base is None else np.log(base)
    return np.asarray(-prediction if log else -np.log(np.maximum(prediction, eps))) / bits


@surprisal.gradient
def _(
    label: FloatArray,  # noqa: ARG001
    prediction: FloatArray,
    *,
    log: bool,
    base: Base | None,
    per: Per,  # noqa: ARG001
    eps: Floor,
) -> FloatArray:
    bits = 1.0 if base is None else float(np.log(base))
    return np.full_like(prediction, -1.0 / bits) if log else -1.0 / (np.maximum(prediction, eps) * bits)


@surprisal.beside
def tokens(
    label: FloatArray,
    prediction: FloatArray,
    *,
    log: bool,  # noqa: ARG001
    base: Base | None,  # noqa: ARG001
    per: Per,
    eps: Floor,  # noqa: ARG001
) -> FloatArray:
    """How many tokens a row has, or 1."""
    return np.ones(len(label)) if per == "row" else np.ones_like(prediction)


@surprisal.under(
    "exp-ratio",
    aliases=("ppl",),
    peers={
        "torchmetrics": "perplexity (from the scores of all tokens, with a label)",
        "Keras": "Perplexity (of keras_hub, from the scores of all tokens, with a label)",
    },
)
def perplexity() -> None:
    """The number of equally likely tokens that would surprise as much: e to the mean surprisal.

    Formula: exp(Σ −log p / number of tokens) over all rows; with ``base`` the power of that base, which is the same;
    with ``log=true`` the prediction is log p; a single row is the sum of −log p over its tokens.
    Gradient: −1/p for the sum of a row; times the value and divided by the number of tokens for the value.
    Properties: 1 of a model that is always certain and right; orders models just as `surprisal` does; a few tokens that
    were ruled out decide of it; its standard error is that of the mean surprisal, times the value.

    Use it to report a model of language as the field does, with how sure the number is.
    Avoid it to compare models with other tokens.

    >>> import lossctl
    >>> round(lossctl.evaluate({"p": [0.5, 0.125]}, "perplexity", prediction="p").value, 12)
    4.0
    """
