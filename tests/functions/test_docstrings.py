"""What a docstring states: every fact has its heading, and what it says of properties is what numbers show."""

import numpy as np
import pytest

from lossctl import get_loss
from lossctl.checks.contract import sampled_loss, sampled_points
from lossctl.functions.docstring import Sections, sections_of
from lossctl.functions.explanation import definitions
from lossctl.functions.loss import losses

every_loss = pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)

# --- what a docstring states -----------------------------------------------------------------------------------------


def test_every_fact_has_its_heading_in_a_built_in():
    for definition in definitions():
        found = definition.sections
        for part in ("summary", "formula", "gradient", "properties", "use", "avoid", "example"):
            assert getattr(found, part), (definition.name, part)
        assert not found.notes, definition.name
        assert definition.peers, definition.name


def test_headings_may_stand_within_a_paragraph():
    found = sections_of("Squares.\n\nFormula: e². Gradient: 2e. Smooth.\n\nMore of it.\n\nAvoid it here.\n\n>>> 1\n1\n")
    assert found == Sections("Squares.", "e².", "2e. Smooth.", avoid="here.", notes="More of it.", example=">>> 1\n1")


@pytest.mark.parametrize("docstring", [None, "", "Only this."])
def test_a_docstring_with_nothing_but_a_line_has_nothing_but_that(docstring):
    assert sections_of(docstring) == Sections(summary=docstring or "")


# --- what is said of properties is what numbers show -----------------------------------------------------------------


@every_loss
def test_losses_called_convex_are_and_others_are_not(definition):
    """Midpoints of pairs of predictions, over parameters drawn from their domains."""
    broken = 0
    for seed in range(30):
        bound = sampled_loss(definition, seed)
        if bound.parameters.get("reverse") or bound.parameters.get("log"):
            continue
        label, first = sampled_points(bound, seed)
        _, second = sampled_points(bound, seed + 1000)
        middle = bound.row_value(bound.accept(label, first)[0], 0.5 * (first + second))
        ends = 0.5 * (bound.value(label, first) + bound.value(label, second))
        broken += int((middle > ends + 1e-9 * (1.0 + np.abs(ends))).sum())
    said = definition.sections.properties
    if "not convex in the logit" in said or "convex" not in said or bound.moves_others:
        return  # what is said of a ratio is said of the ratio
    assert (broken == 0) == ("not convex" not in said), broken


Y = np.array([0.5, 1.0, 1.5, 4.0, 9.0, 2.0, 2.5])

BITS = np.array([1.0, 0.0, 1.0, 1.0, 0.0])

SHARE = BITS.mean()

BEST = {  # the constant that the properties of each loss name, from its definition
    "mse": (Y, Y.mean()),
    "mae": (Y, np.median(Y)),
    "msle": (Y, np.exp(np.mean(np.log(1.0 + Y))) - 1.0),
    "mape": (Y, 1.0),  # by weights 2, 1, ⅔, ¼, ⅑, ½, ⅖ of 4.9: half is reached at 1
    "bce": (BITS, SHARE),
    "poisson": (Y, Y.mean()),
    "hinge:margin=2": (2 * BITS - 1, 2.0),
    "squared_hinge:margin=2": (2 * BITS - 1, 2.0 * (2.0 * SHARE - 1.0)),
    "exponential": (2 * BITS - 1, 0.5 * np.log(SHARE / (1.0 - SHARE))),
}


@pytest.mark.parametrize("spec", BEST)
def test_the_best_constant_is_the_one_that_is_named(spec):
    label, best = BEST[spec]
    bound = get_loss(spec)

    def total(constant):
        return bound.value(label, np.full(len(label), constant)).sum()

    for step in (1e-3, 0.1):
        assert total(best) < total(best - step)
        assert total(best) < total(best + step)


def test_focal_is_not_a_proper_score():
    label = BITS
    slope = get_loss("focal:alpha=none").gradient(label, np.full(len(label), SHARE)).sum()
    assert abs(slope) > 0.1


def test_the_best_constants_of_robust_losses_lie_between_median_and_mean():
    for spec in ("huber:delta=0.5", "log_cosh"):
        slope = [get_loss(spec).gradient(Y, np.full(len(Y), at)).sum() for at in (np.median(Y), Y.mean())]
        assert slope[0] <= 0 < slope[1]


def test_the_best_constant_row_is_the_shares_of_the_classes():
    codes = np.array([0.0, 1.0, 1.0, 2.0, 1.0])
    shares = np.array([0.2, 0.6, 0.2])
    rng = np.random.default_rng(5)
    for spec in ("cross_entropy", "nll", "kl_divergence"):
        label = np.eye(3)[codes.astype(int)] if spec == "kl_divergence" else codes
        best = get_loss(spec).value(label, np.tile(shares, (5, 1))).sum()
        for _ in range(20):
            other = rng.dirichlet(np.ones(3))
            assert best < get_loss(spec).value(label, np.tile(other, (5, 1))).sum()
