"""What stands here for the places that lossctl is published at has their form, and says what pyproject.toml says."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import lossctl

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = {
    "github-workflows": WORKFLOWS,
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "github-issue-forms": [path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.name != "config.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}


@pytest.mark.parametrize("schema", FORMS)
def test_every_file_is_such_by_the_schema_of_its_kind(schema):
    check = pytest.importorskip("check_jsonschema").main
    done = CliRunner().invoke(check, ["--builtin-schema", f"vendor.{schema}", *map(str, FORMS[schema])])
    assert done.exit_code == 0, done.output


def test_the_versions_of_python_that_are_promised_are_those_that_are_tested():
    promised = {word for word in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", word)}
    promised = {word.rpartition(" ")[2] for word in promised}
    jobs = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"]
    first = PROJECT["requires-python"].removeprefix(">=")
    assert set(jobs["tests"]["strategy"]["matrix"]["python"]) | {first} == promised
    assert set(jobs["elsewhere"]["strategy"]["matrix"]["python"]) == promised
    assert first in {step.get("with", {}).get("python-version") for step in jobs["whole"]["steps"]}


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_needs_and_runs_no_other_action_than_the_one_that_was_looked_at(path):
    text = path.read_text()
    for action in re.findall(r"uses: (?!\./)(.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    if path in WORKFLOWS:
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        assert "secrets." not in text


def test_the_version_is_the_one_that_is_installed_and_the_one_to_cite():
    assert importlib.metadata.version("lossctl") == lossctl.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == lossctl.__version__
