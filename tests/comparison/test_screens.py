"""What a reader of a comparison sees: golden texts in ``screens/``, written anew with ``--write-golden``."""

import json
from pathlib import Path

import numpy as np
import pytest

from lossctl.comparison.compare import compare
from lossctl.comparison.tables import _chance
from lossctl.rendering.renderer import Style, renderers

ROOT = Path(__file__).parents[2]
SCREENS = Path(__file__).parent / "screens"
FORMS = [("table", 80), ("table", 120), ("plain", 80), ("markdown", 80)]


@pytest.fixture(scope="module")
def clicks():
    return compare(str(ROOT / "sample_data" / "clicks.csv"), "bce", cluster="user", by="segment")


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(11)
    label = random.normal(size=3000)
    models = {name: label + random.normal(size=3000) * spread for name, spread in (("a", 1), ("b", 0.8), ("c", 1.2))}
    group = random.choice(["web", "ios", "android", "tv"], size=3000, p=[0.6, 0.25, 0.1, 0.05])
    losses = ["mse", "mae", "huber", "log_cosh"]
    return compare({"y": label, **models, "group": group}, losses, label="y", prediction=["a", "b", "c"], by="group")


@pytest.mark.parametrize(("form", "width"), FORMS)
def test_a_comparison_looks_as_it_did(golden, clicks, form, width):
    text = renderers.get(form).render(clicks.document(), Style(width=width))
    golden(SCREENS / f"clicks-{form}-{width}.txt", text.replace(f"{ROOT}/", ""))
    if form == "table":
        assert max(map(len, text.splitlines())) <= width
        assert text.count("╭") == 2, "a table of each kind, none in two parts"


def test_a_page_begins_with_what_was_found_and_a_screen_ends_with_it(clicks):
    (sentence,) = clicks.sentences
    page, screen = (renderers.get(form).render(clicks.document(), Style()) for form in ("markdown", "plain"))
    assert page.startswith(f"{sentence}\n\n")
    assert screen.index(sentence) > screen.index("how sure")
    assert clicks._repr_html_().startswith(f'<div class="lossctl">\n<p>{sentence}</p>')


@pytest.mark.parametrize(
    ("p", "words"),
    [(1.0, "1.0"), (0.5, "0.50"), (0.001, "0.0010"), (0.00094, "9.4e-04"), (5.6e-6, "5.6e-06"), (0.0, "0")],
)
def test_a_chance_has_two_digits_and_an_exponent_below_one_in_a_thousand(p, words):
    assert _chance(p) == words


def test_many_differences_are_counted_instead_of_read_aloud(many):
    text = str(many)
    assert "better than" not in text
    assert "b against a, of 4 losses: 4 better." in text
    assert "c against a, of 4 losses: 4 worse." in text


def test_of_many_models_with_one_loss_each_the_loss_and_the_verdict_are_named():
    label = np.random.default_rng(3).normal(size=200)
    models = {f"m{spread}": label + 0.1 * spread * np.roll(label, spread) for spread in range(1, 10)}
    text = str(compare({"y": label, **models}, "mse", label="y", prediction=[*models]))
    for model in [*models][1:]:
        assert f"\n{model} against m1 on mse: worse.\n" in text


@pytest.mark.parametrize("sort", ["name", "value", "n"])
@pytest.mark.parametrize("top", [None, 2])
def test_groups_stand_in_the_order_asked_for_in_tables_and_pictures(many, sort, top):
    key = {"name": lambda one: one.group["group"], "value": lambda one: -one.difference, "n": lambda one: -one.n}[sort]
    first = [one for one in many.results if (one.loss, one.model) == (many.results[0].loss, "b")]
    wanted = [one.group["group"] for one in sorted(first, key=key)][:top]
    arranged = many.arranged(sort, top)
    assert [one.group["group"] for one in arranged.results] == wanted * 8
    assert all(one in many.results for one in arranged.results)
    assert arranged.overall == many.overall
    assert ("groups: 2 of 4 shown, the first by" in str(arranged)) == (top == 2)


def test_an_order_of_groups_is_for_groups(lossctl):
    done = lossctl("compare", ROOT / "sample_data" / "clicks.csv", "-l", "bce", "--top", 3)
    assert (done.status, done.out) == (2, "")
    assert "--top is for groups" in done.err


def test_intervals_that_hold_at_any_time_have_no_columns_of_chances(clicks):
    text = str(compare(str(ROOT / "sample_data" / "clicks.csv"), "bce", cluster="user", anytime=200))
    assert "holds at every n at once, tightest at 200 clusters" in text
    headings = text.partition("how sure")[2].splitlines()[1].split()
    assert "p" not in headings
    assert "p" in str(clicks).partition("how sure")[2].splitlines()[1].split()


COLUMNS = (
    "n clusters baseline value difference relative standard_error ci_low ci_high p q better worse tied correlation "
    "top_share verdict"
).split()


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_formats_for_machines_have_every_figure_unrounded(clicks, form):
    first = renderers.get(form).render(clicks.document(), Style(precision=2)).splitlines()
    names = list(json.loads(first[0])) if form == "jsonl" else first[0].split("," if form == "csv" else "\t")
    assert [name for name in names if name in COLUMNS] == COLUMNS
    assert repr(clicks.results[0].difference) in first[form != "jsonl"]
