"""Risky pairs of a loss and an output activation: evaluated, with a warning that says why."""

import pytest

from lossctl import get_activation, get_loss
from lossctl.functions.pairing import PAIRINGS, RISKS, doubts
from lossctl.row_domains import inside


@pytest.mark.parametrize(
    ("loss", "activation", "why"),
    [
        ("hinge", "sigmoid", "made for scores"),
        ("squared_hinge", "sigmoid", "made for scores"),
        ("mse", "sigmoid", "slow learning"),
        ("bce", "identity", "the loss needs a number in [0, 1], so a row may be an error; bce goes with sigmoid"),
        ("bce", "softmax", "softmax over one column is always 1"),
        ("mse", "softmax", "softmax over one column is always 1"),
        ("poisson", "relu", "poisson goes with exp or softplus"),
        ("poisson", "identity", "poisson goes with exp or softplus"),
    ],
)
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_a_risky_pair_is_evaluated_with_a_warning_that_says_why(lossctl, tmp_path, command, loss, activation, why):
    (tmp_path / "preds.csv").write_text("y,p\n1,0.9\n0,0.2\n1,0.4\n")
    done = lossctl(command, tmp_path / "preds.csv", "-y", "y", "-p", "p", "-l", loss, "--activation", activation)
    assert done.status == 0, done.err
    (warning,) = (line for line in done.err.splitlines() if line.startswith(f"warning: {loss} after {activation}: "))
    assert warning.endswith(why) or why in warning


def test_samples_say_what_their_gradients_are_with_respect_to(lossctl, tmp_path):
    (tmp_path / "preds.csv").write_text("y,p\n1,0.9\n0,-0.2\n")
    asked = ("samples", tmp_path / "preds.csv", "-y", "y", "-p", "p", "-l", "bce")
    for flags in (("--activation", "sigmoid"), ("--from-logits",)):
        done = lossctl(*asked, *flags)
        assert done.err == "note: bce: gradients are with respect to the pre-activation of sigmoid\n"


def test_no_activation_is_advised_that_the_loss_may_refuse():
    for loss in {name for pairing in PAIRINGS if pairing.activations for name in pairing.losses}:
        for activation in ("relu", "identity", "tanh", "leaky_relu"):
            bound = get_loss(loss).through(activation)
            for doubt in doubts(bound, 3):
                for advised in doubt.partition(" goes with ")[2].split(" or "):
                    assert not advised or inside(get_activation(advised).range, bound.output_domain), doubt


def test_a_pair_that_fits_raises_no_doubt():
    risky = {(loss, activation) for risk in RISKS for loss in risk.losses for activation in risk.activations}
    for pairing in PAIRINGS:
        for loss in pairing.losses:
            for activation in pairing.activations:
                bound = get_loss(loss).through(activation)
                if (loss, activation) == ("nll", "log_softmax"):
                    bound = get_loss("nll:log=true").through(activation)
                assert inside(bound.activation.range, bound.output_domain), (loss, activation)
                assert (loss, activation) in risky or not list(doubts(bound, 3))
