"""The contract of losses and activations, runnable on a stranger's.

>>> from lossctl import get_loss
>>> from lossctl.checks import check_loss
>>> check_loss(get_loss("huber:delta=2"), seed=0)
[]
"""

from lossctl.checks.contract import (
    Check,
    check,
    check_activation,
    check_draws,
    check_loss,
    sampled_activation,
    sampled_loss,
    sampled_parameters,
    sampled_points,
    undocumented,
)

__all__ = [
    "Check",
    "check",
    "check_activation",
    "check_draws",
    "check_loss",
    "sampled_activation",
    "sampled_loss",
    "sampled_parameters",
    "sampled_points",
    "undocumented",
]
