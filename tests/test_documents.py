"""What the documents say is what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lossctl
from lossctl.cli.command import commands
from lossctl.functions.activation import activations
from lossctl.functions.loss import losses
from lossctl.functions.pairing import PAIRINGS, RISKS

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_generated_pages_are_current():
    done = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda it: it.name)
def test_links_between_documents_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", lossctl.__all__)
def test_public_names_are_documented(name):
    assert (getattr(lossctl, name).__doc__ or "").strip()


def test_every_loss_and_command_is_in_the_documents():
    page, flags = (ROOT / "docs" / "losses.md").read_text(), (ROOT / "docs" / "cli.md").read_text()
    for definition in losses:
        assert f"\n## {definition.name}\n" in page
    for entry in commands:
        assert f"## `lossctl {entry.name}`" in flags


def test_every_activation_pairing_and_risk_is_in_the_documents():
    page = (ROOT / "docs" / "activations.md").read_text()
    for definition in activations:
        assert f"\n## {definition.name}\n" in page
    for it in (*PAIRINGS, *RISKS):
        assert f"| {it.why} |" in page


@pytest.mark.parametrize("page", ["losses.md", "activations.md", "json.md"])
def test_links_within_the_generated_pages_lead_to_a_heading(page):
    text = (ROOT / "docs" / page).read_text()
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", text):
        assert re.search(
            rf"^##+ {anchor}$", (ROOT / "docs" / (target or page)).read_text(), re.MULTILINE | re.IGNORECASE
        )


def test_the_architecture_page_names_every_module():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for module in (ROOT / "lossctl").glob("*.py"):
        if not module.name.startswith("__"):
            assert module.stem in text, module.name


def test_a_promise_names_a_test_that_there_is():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "security.md").read_text())
    assert len(named) > 20
    for path, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), (path, name)
