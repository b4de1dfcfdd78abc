"""What the documents say is what the program does."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lossctl
from lossctl.cli.command import commands
from lossctl.functions.activation import activations
from lossctl.functions.loss import losses
from lossctl.functions.pairing import PAIRINGS, RISKS

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
TRANSCRIPT = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def transcripts():
    for page in PAGES:
        if page.name == "cli.md":
            continue  # usage lines, not sessions
        for at, block in enumerate(TRANSCRIPT.findall(page.read_text())):
            if "$ lossctl" in block:
                yield pytest.param(block, id=f"{page.name}-{at}")


@pytest.mark.parametrize("block", list(transcripts()))
def test_a_transcript_shows_what_a_reader_gets(block, tmp_path):
    coloring = ("FORCE_", "NO_COLOR", "GITHUB_")
    environment = {name: word for name, word in os.environ.items() if not name.startswith(coloring)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["COLUMNS"] = "80"
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command = command[:-1] + more.removeprefix("> ")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.stdout.rstrip() == shown.rstrip(), command


def test_the_workflow_and_the_action_are_such_by_the_schemas_of_github(tmp_path):
    workflow = tmp_path / "workflow.yml"
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    workflow.write_text(text)
    for schema, file in (("github-workflows", workflow), ("github-actions", ROOT / "action.yml")):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_python_in_the_readme_runs():
    failures, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried > 2
    assert failures == 0


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


@pytest.mark.parametrize("page", ["README.md", "docs/config.md"])
def test_a_configuration_in_the_documents_is_one(page, lossctl, tmp_path):
    blocks = re.findall(r"^```toml\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    path = tmp_path / "lossctl.toml"
    for block in blocks:
        path.write_text(block)
        done = lossctl("check", "--list", "--config", path)
        assert done.status == 0, done.err
        assert all(gate["name"] in done.out for gate in tomllib.loads(block)["gate"])
