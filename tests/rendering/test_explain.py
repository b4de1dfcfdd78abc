"""``lossctl explain`` states everything that is known of every loss and activation, on one screen.

The pages in ``golden/explain`` are looked at by eye; after a change that is meant, write them anew:

    pytest tests/rendering/test_explain.py --write-golden
"""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from lossctl.cli.flags import worded
from lossctl.domain import REAL
from lossctl.errors import UsageError
from lossctl.functions.activation import activations
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.explanation import KINDS, Explanation, definitions, families, find
from lossctl.functions.loss import Loss, losses
from lossctl.functions.pairing import PAIRINGS, RISKS
from lossctl.functions.parameter import spell
from lossctl.functions.tables import explained, paired
from lossctl.plots.curves import curve
from lossctl.rendering.renderer import Style, renderers

GOLDEN = Path(__file__).parent / "golden" / "explain"

WIDTHS = (80, 120)

MOST = {80: 62, 120: 51}
"""Lines of a page at each width: a tall terminal, and an ordinary window."""

SHOWN = ("bce", "huber:delta=0.5", "cosine_proximity", "leaky_relu", "softmax")

every_definition = pytest.mark.parametrize("definition", list(definitions()), ids=lambda it: it.name)

every_width = pytest.mark.parametrize("width", WIDTHS)


def bound_to(definition, spec=None):
    return find(spec or definition.name, "loss" if isinstance(definition, Loss) else "activation")[0]


def page(bound, width, *, color=False):
    document = explained(Explanation(bound), curve(bound))
    return renderers.get("table").render(document, Style(width=width, color=color))


def flowing(text, margin):
    """The text of a page whose names stand in the margin, as running words."""
    return " ".join(" ".join(line[margin:] for line in text.splitlines()).split())


def plain(text):
    return " ".join(text.replace("`", "").split())


@every_definition
@every_width
def test_a_page_holds_every_fact_whole_and_fits_the_screen(definition, width):
    text = page(bound_to(definition), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.count("\n") <= MOST[width]
    facts, _, picture = text.partition("\n\n")[2].partition("\n\n")
    margin = len(re.match(r"\S+\s+", facts)[0])
    words = flowing(facts, margin)
    it, sections = Explanation(bound_to(definition)), definition.sections
    stated = [sections.formula, sections.gradient, sections.properties, sections.use, sections.avoid]
    stated += [*it.domains.values(), *definition.references, *it.through]
    stated += [", ".join(definition.aliases), *(f"{library} {name}" for library, name in definition.peers.items())]
    stated += [parameter.describe() for parameter in definition.parameters]
    stated += [f"{name} = {spell(value)}" for name, value in it.bound.parameters.items()]
    stated += [pairing.why for pairing in it.pairings] + [risk.why for risk in it.risks]
    for fact in stated:
        assert plain(fact) in words, fact
    assert "…" not in facts
    assert plain(sections.summary) in plain(text)
    assert "slope" in picture
    assert len(picture.splitlines()) >= 12


@every_definition
def test_every_name_and_alias_is_explained(definition):
    kind = "loss" if isinstance(definition, Loss) else "activation"
    for spelling in (definition.name, *definition.aliases):
        assert find(spelling, kind)[0].name == definition.name
        assert find(spelling.upper().replace("_", "-"), kind)[0].name == definition.name


@pytest.mark.parametrize(
    ("spec", "words"), [("huber:delta=0.5", "delta = 0.5"), ("leaky_relu:slope=0.2", "slope = 0.2")]
)
def test_parameters_are_honoured(lossctl, spec, words):
    found = lossctl("explain", spec)
    assert words in found.out
    assert f"• {spec}" in found.out  # the legend of the curve


def test_a_domain_that_depends_on_parameters_is_that_of_these_parameters(lossctl):
    assert "log-probabilities" in lossctl("explain", "nll:log=true").out
    assert lossctl("explain", "elu:alpha=0.5", "--json").json["range"] == "a finite number > -0.5"


def test_a_name_that_is_both_is_the_loss_and_says_so(lossctl):
    loss = lossctl("explain", "exponential")
    assert loss.out.startswith("exponential  loss")
    assert "--kind activation means the activation exp" in loss.err
    other = lossctl("explain", "exponential", "--kind", "activation")
    assert other.out.startswith("exp  activation")
    assert "note" not in lossctl("explain", "huber").err
    assert find("exp")[0].name == "exp"  # the name of one goes before an alias of the other


def test_a_name_goes_before_an_alias_whichever_kind_it_is(monkeypatch):
    monkeypatch.setitem(losses._names, "tanh", "mse")
    bound, note = find("tanh")
    assert bound.name == "tanh"
    assert "--kind loss means the loss mse" in worded(note)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hubr"], "huber"),
        (["sigmod"], "sigmoid"),
        (["huber:dleta=1"], "delta"),
        (["huber", "--kind", "activation"], "unknown activation"),
        (["tanh", "--kind", "loss"], "unknown loss"),
    ],
)
def test_what_nobody_knows_is_a_usage_error_with_a_hint(lossctl, arguments, words):
    found = lossctl("explain", *arguments)
    assert found.status == 2
    assert words in found.err
    assert not found.out


def test_the_list_names_every_loss_and_activation_once_by_family(lossctl, monkeypatch):
    monkeypatch.setenv("COLUMNS", "800")
    lines = [line.split(maxsplit=1) for line in lossctl("explain").out.splitlines() if line.startswith(" ")]
    assert sorted(lines) == sorted(
        [family, ", ".join(member.name for member in members)]
        for kind in KINDS
        for family, members in families(kind).items()
    )


def test_the_list_fits_two_screens(lossctl, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert len(lossctl("explain").out.splitlines()) <= 48


@pytest.mark.parametrize("kind", KINDS)
def test_a_family_has_a_line_on_each_of_its_members(lossctl, monkeypatch, kind):
    monkeypatch.setenv("COLUMNS", "200")
    for family, members in families(kind).items():
        if family in losses or family in activations:
            continue  # which LightGBM calls a loss
        title, *lines = lossctl("explain", family).out.splitlines()
        assert title == f"{family} {'losses' if kind == 'loss' else 'activations'}"
        assert [plain(line) for line in lines] == [f"{member.name} {member.summary}" for member in members]


@every_width
def test_the_pairings_and_risks_are_all_shown(width):
    text = renderers.get("table").render(paired(), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    words = " ".join(text.split())
    margin = flowing(text.partition("\n")[2], max(len(it.task) for it in PAIRINGS) + 2)
    for it in (*PAIRINGS, *RISKS):
        assert it.why in margin
        assert f"{', '.join(it.activations)} → {', '.join(it.losses) or 'any loss'}" in margin
    assert words.count("risky") == len(RISKS)


@every_definition
def test_the_json_twin_is_strict_and_whole(lossctl, definition):
    kind = "loss" if isinstance(definition, Loss) else "activation"
    found = lossctl("explain", definition.name, "--kind", kind, "--json").json
    sections = definition.sections
    assert found["schema_version"] == 1
    assert (found["kind"], found["name"], found["family"]) == (kind, definition.name, definition.family)
    slope = "gradient" if kind == "loss" else "derivative"
    assert [found[key] for key in ("formula", slope, "properties", "use", "avoid")] == [
        sections.formula, sections.gradient, sections.properties, sections.use, sections.avoid,
    ]  # fmt: skip
    assert found["peers"] == definition.peers
    assert found["aliases"] == list(definition.aliases)
    assert [it["name"] for it in found["parameters"]] == [it.name for it in definition.parameters]
    panels = found["curve"]["panels"]
    assert [panel["y"]["title"] for panel in panels][1:] == ["slope"]
    assert all(len(series["x"]) == len(series["y"]) > 50 for panel in panels for series in panel["series"])


def test_json_says_the_range_of_a_parameter_in_numbers(lossctl):
    (delta,) = lossctl("explain", "huber:delta=2", "--json").json["parameters"]
    assert (delta["value"], delta["default"], delta["low"], delta["high"]) == (2.0, 1.0, 0.0, None)
    assert delta["low_open"]
    zero = lossctl("explain", "mape", "--json").json["parameters"][0]
    assert zero["choices"] == ["error", "max1"]


def test_the_list_and_the_pairings_have_json_twins(lossctl):
    listed = lossctl("explain", "--json").json
    names = [it["name"] for kind in ("losses", "activations") for family in listed[kind] for it in family["members"]]
    assert sorted(names) == sorted(it.name for it in definitions())
    paired = lossctl("explain", "pairings", "--json").json
    assert [it["task"] for it in paired["pairings"]] == [it.task for it in PAIRINGS]
    assert [it["why"] for it in paired["risks"]] == [it.why for it in RISKS]


def test_color_is_asked_for_and_changes_no_letter(lossctl):
    bare, painted = lossctl("explain", "mse").out, lossctl("explain", "mse", "--color", "always").out
    assert "\x1b" not in bare
    assert "\x1b[1m" in painted
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert [line.rstrip() for line in stripped.splitlines()] == bare.splitlines()


def test_completion_offers_losses_activations_and_the_pairings():
    from lossctl.cli.commands.explain import complete

    names = [it.name for it in definitions() if it.name.startswith("s")] + ["statistics"]
    assert sorted(name for name, _ in complete("s")) == sorted(names)
    assert ("pairings", "Which output activation goes with which loss.") in complete("")
    assert len(complete("")) == len(list(definitions())) + 2


def test_the_page_of_statistics_is_explained_as_help_shows_it(lossctl):
    page = lossctl("explain", "statistics")
    assert (page.status, page.out) == (0, lossctl("help", "statistics").out)
    assert "\x1b[" in lossctl("explain", "Statistics", "--color", "always").out
    for asked, words in ((["--json"], "--json is for losses"), (["--kind", "loss"], "--kind is for the name")):
        refused = lossctl("explain", "statistics", *asked)
        assert (refused.status, refused.out) == (2, "")
        assert words in refused.err


def test_the_shell_is_told_the_names(plain_environment):
    import subprocess

    environment = plain_environment(_LOSSCTL_COMPLETE="complete_bash", COMP_WORDS="lossctl explain hub", COMP_CWORD="2")
    done = subprocess.run([sys.executable, "-m", "lossctl"], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["huber"]


# --- what a docstring states -----------------------------------------------------------------------------------------


def test_a_loss_that_says_little_is_explained_as_far_as_it_goes():
    def bare(label, prediction):
        """Squares."""
        return np.square(prediction - label)

    made = Loss(bare, label=REAL, prediction=REAL)
    text = page(BoundLoss(made, made.settings({})), 80)
    assert text.startswith("bare  loss, tests\nSquares.\n\nlabel       a finite number\n")
    assert "formula" not in text
    assert "identity, leaky_relu" in text  # what fits is derived from the domains
    assert "declares no gradient" in text


# --- golden ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("spec", SHOWN)
def test_a_page_is_the_one_looked_at(golden, spec, width):
    golden(GOLDEN / f"{spec.replace(':', '-')}-{width}.txt", page(find(spec)[0], width))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pairings_are_those_looked_at(golden, width):
    golden(GOLDEN / f"pairings-{width}.txt", renderers.get("table").render(paired(), Style(width=width)))


def test_an_unknown_kind_of_name_is_no_loss():
    with pytest.raises(UsageError, match="unknown loss or activation"):
        find("nothing_like_it_at_all")
