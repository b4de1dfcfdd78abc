"""What the documents show is what a reader gets who types it: every page is a session in a folder of its own."""

import contextlib
import doctest
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lossctl.cli.app import run

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
USAGE = {"cli.md"}
"""Pages whose lines show how a command is written, and are none."""
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SETTING_UP = ("$ make ", "$ python setup.py")
"""Commands that set up what the tests run in."""
STATUS = '; echo "exit status $?"'
BUG = 70
OF_A_SHELL = re.compile(r"[|&;<>$*?]")


def fences(page, *languages):
    return [fence for fence in FENCE.finditer(page.read_text()) if fence[1] in languages]


def having(*languages, words=""):
    pages = [page for page in PAGES if any(words in fence[3] for fence in fences(page, *languages))]
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


def steps(session):
    """Commands as they stand and as a shell gets them, and what is shown below each."""
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        typed, _, shown = step.partition("\n")
        command = typed
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            typed, command = f"{typed}\n{more}", command[:-1] + more.removeprefix("> ")
        yield typed, command, shown


@pytest.fixture
def typed(tmp_path, monkeypatch, plain_environment, capfd):
    """Type a command in a folder that holds the sample data: to a shell, where it is more than a program's."""
    environment = plain_environment(COLUMNS="80")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    Path("sample_data").symlink_to(ROOT / "sample_data")

    def call(command):
        alone = command.removesuffix(STATUS)
        program, *arguments = shlex.split(alone)
        plain = not OF_A_SHELL.search(re.sub("'[^']*'", "", alone))
        if plain and program == "lossctl":
            with contextlib.redirect_stderr(sys.stdout):
                status = run(arguments)
            assert status != BUG
            if alone != command:
                print("exit status", status)
        elif plain and program == "python" and Path(arguments[0]).exists():
            monkeypatch.setattr(sys, "argv", arguments)
            runpy.run_path(arguments[0], run_name="__main__")
        else:
            subprocess.run(["bash", "-c", command], env=environment, stderr=subprocess.STDOUT)
        return capfd.readouterr().out

    return call


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in USAGE and fences(page, "console")], ids=lambda page: page.name
)
def test_who_types_what_a_page_shows_gets_what_it_shows(page, typed, request):
    """In the order of the page: files that have a title are saved, then commands are run."""
    wrong = []

    def followed(fence):
        language, file, text = fence.groups()
        if file is not None:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(text)
        if language != "console" or text.startswith(SETTING_UP):
            return fence[0]
        session = ""
        for line, command, shown in steps(text):
            printed = typed(command) if shutil.which("jq") or not command.startswith("jq ") else shown
            session += f"$ {line}\n{printed}"
            if printed != shown:
                wrong.append((line, shown, printed))
        return fence[0].replace(text, session)

    answered = FENCE.sub(followed, page.read_text())
    if request.config.getoption("--write-golden"):
        page.write_text(answered)
        return
    for line, shown, printed in wrong:
        assert printed == shown, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_to_save_is_named_in_the_text(page):
    """In a terminal a fence has no title."""
    text = FENCE.sub("", page.read_text())
    for fence in FENCE.finditer(page.read_text()):
        assert fence[2] is None or f"`{fence[2]}`" in text


@having("pycon")
def test_python_in_the_documents_does_what_it_shows(page, monkeypatch):
    """Pages of losses and activations show what their docstrings do, which is tested with these."""
    monkeypatch.chdir(ROOT)
    session = "".join(fence[3] for fence in fences(page, "pycon"))
    examples = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0


@having("toml", words="[[gate]]")
def test_a_configuration_in_the_documents_is_one(page, lossctl, tmp_path):
    path = tmp_path / "lossctl.toml"
    for fence in fences(page, "toml"):
        path.write_text(fence[3])
        done = lossctl("check", "--list", "--config", path)
        assert done.status == 0, done.err
        assert all(gate["name"] in done.out for gate in tomllib.loads(fence[3])["gate"])


@having("yaml")
def test_a_workflow_in_the_documents_is_one_by_the_schema_of_github(page, tmp_path):
    files = [tmp_path / f"{number}.yml" for number, _ in enumerate(fences(page, "yaml"))]
    for file, fence in zip(files, fences(page, "yaml"), strict=True):
        file.write_text(fence[3])
    assert_schema("github-workflows", files)


def test_the_action_is_one_by_the_schema_of_github():
    assert_schema("github-actions", [ROOT / "action.yml"])


def assert_schema(name, files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
