"""Logarithms of the probability of what each row is, such as those of tokens: their loss needs no label."""

from lossctl.errors import option
from lossctl.inference.names import is_log_probability


def own_loss(name: str) -> str:
    """What to do where a column of logarithms of probabilities, or their negatives, is its own loss."""
    own = f"−{name}" if is_log_probability(name) else name
    zeros = f"{option(label='zeros')} {option(prediction=name)} {option(loss='mae')}"
    return f"Their loss is the mean of {own}: add a column of zeros, and say {zeros}."
