"""What becomes of the pages on their way to the site. `make site` builds it, and fails on a link that leads nowhere."""

import re
import runpy
from html import unescape
from pathlib import Path

import pytest

from lossctl.functions.activation import activations
from lossctl.functions.explanation import Explanation, find
from lossctl.functions.loss import losses

pytest.importorskip("mkdocs", reason="needs the packages of the site")
ROOT = Path(__file__).parent.parent
DEFINED = [(it.name, kind) for kind, held in (("loss", losses), ("activation", activations)) for it in held]


@pytest.fixture(scope="module")
def hooks():
    return runpy.run_path(str(ROOT / "docs" / "site_pages.py"))


@pytest.mark.parametrize(
    ("formula", "html"),
    [
        ("e^z", "e<sup>z</sup>"),
        ("1 + e^−|z|", "1 + e<sup>−|z|</sup>"),
        ("p_k = e^(z_k − max z) / Σ_j z", "p<sub>k</sub> = e<sup>z<sub>k</sub> − max z</sup> / Σ<sub>j</sub> z"),
        ("max_{j≠y} ŷ_j, where w = ``pos_weight``", "max<sub>j≠y</sub> ŷ<sub>j</sub>, where w = ``pos_weight``"),
        ("`gamma_nll`: y^(2−p)/((1−p)(2−p))", "`gamma_nll`: y<sup>2−p</sup>/((1−p)(2−p))"),
    ],
)
def test_what_is_raised_or_lowered_in_a_formula_stands_so(hooks, formula, html):
    assert hooks["raised"](formula) == html


@pytest.mark.parametrize(("name", "kind"), DEFINED)
def test_every_formula_keeps_its_signs_and_has_none_of_typing_left(hooks, name, kind):
    facts = Explanation(find(name, kind)[0]).sections
    for formula in filter(None, (facts.formula, facts.gradient)):
        html = hooks["raised"](formula)
        prose = re.sub(r"(`+).+?\1", "", html)
        assert not re.search(r"[_^{]\w", prose), prose
        shown = unescape(re.sub(r"</?su[bp]>", "", html))
        assert re.sub(r"[_^(){}]", "", shown) == re.sub(r"[_^(){}]", "", formula)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ('<script src="https://example.org/x.js">', True),
        ('<link rel="preconnect" href="//fonts.example.org">', True),
        ("<img alt=x src=http://example.org/x.png>", True),
        ("@import 'https://example.org/x.css'", True),
        ('src: url("//example.org/x.woff2")', True),
        ('<a href="https://example.org">', False),
        ('<script src="assets/x.js">', False),
        ("mask: url('data:image/svg+xml;charset=utf-8,<svg xmlns=\"http://www.w3.org/2000/svg\">')", False),
    ],
)
def test_what_a_browser_would_fetch_from_elsewhere_is_seen(hooks, text, foreign):
    assert bool(hooks["FOREIGN"].search(text)) is foreign


class Pages:
    """The pages of a site, by name."""

    def __init__(self, *names):
        self.names = names

    def get_file_from_path(self, name):
        return name if name in self.names else None


@pytest.mark.parametrize(
    ("source", "link", "on_the_site"),
    [
        ("README.md", "[a page](docs/ci.md#a-workflow)", "[a page](ci.md#a-workflow)"),
        ("docs/ci.md", "[the project](../README.md#install)", "[the project](index.md#install)"),
        ("README.md", "![a picture](docs/table.svg)", "![a picture](table.svg)"),
        ("docs/ci.md", "[`a file`](../action.yml)", "`a file`"),
        ("docs/ci.md", "[elsewhere](https://example.org/docs/ci.md)", "[elsewhere](https://example.org/docs/ci.md)"),
        ("docs/ci.md", "[below](#the-gates)", "[below](#the-gates)"),
        ("docs/ci.md", "[nowhere](../nowhere.md)", "[nowhere](../nowhere.md)"),
    ],
)
def test_a_link_to_what_there_is_leads_to_the_page_on_the_site_or_is_none(hooks, source, link, on_the_site):
    pages = Pages("index.md", "ci.md", "table.svg")
    assert hooks["linked"](link, source, pages, None) == on_the_site


def test_a_file_that_is_no_page_is_linked_in_the_repository_where_that_is_named(hooks):
    link = hooks["linked"]("[a file](../action.yml)", "docs/ci.md", Pages(), "https://example.org/lossctl")
    assert link == "[a file](https://example.org/lossctl/blob/main/action.yml)"
