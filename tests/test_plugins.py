"""A package that adds a loss in one file is used like a built-in; a broken one takes nothing down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(target, *arguments, **variables):
    environment = {**os.environ, "PYTHONPATH": str(target), **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def number(target, loss):
    done = run(target, "-m", "lossctl", "eval", "sample_data/regression.csv", "-l", loss, "-f", "value", "-q")
    assert done.returncode == 0, done.stderr
    return float(done.stdout), done.stderr


def test_a_plug_in_loss_is_evaluated_by_the_command_line(plugin):
    small = number(plugin, "linear_exponential:slope=1e-4")[0]  # ½a²e² but for what is of the third order
    assert small == pytest.approx(number(plugin, "mse")[0] / 2e8, rel=1e-2)


def test_a_plug_in_loss_keeps_the_contract_and_suggests_itself(plugin):
    imports = "from lossctl.checks import check_loss, sampled_loss; from lossctl.functions.loss import losses"
    code = f"{imports}; print(check_loss(sampled_loss(losses.get('linex'), 4), 4))"
    assert run(plugin, "-c", code).stdout == "[]\n"
    wrong = run(plugin, "-m", "lossctl", "eval", "sample_data/regression.csv", "-l", "linxe")
    assert wrong.returncode == 2
    assert "Did you mean linex" in wrong.stderr


def test_a_plug_in_loss_is_explained_with_its_curve_and_what_fits_it(plugin):
    done = run(plugin, "-m", "lossctl", "explain", "linear_exponential:slope=2", COLUMNS="120")
    assert done.returncode == 0, done.stderr
    for words in (
        "linex:slope=2.0  loss, lossctl_linex",
        "e^{ae} − ae − 1, where e = ŷ − y and a = slope.",
        "slope = 2.0  (default 1.0)  a finite number other than 0",
        "elsewhere LINEX (as texts write it)",
        "• linex:slope=2.0",
        "slope",
    ):
        assert words in done.stdout
    facts = json.loads(run(plugin, "-m", "lossctl", "explain", "linex", "--json").stdout)
    assert facts["properties"].endswith("the best constant is −log(mean e^{−ay})/a.")
    assert "identity" in facts["legal"]


def test_a_plug_in_loss_is_listed_completed_documented_and_proved(plugin):
    listed = run(plugin, "-m", "lossctl", "explain").stdout
    assert ["lossctl_linex", "linex"] in [line.split() for line in listed.splitlines()]
    assert "  linex  Asymmetric error" in run(plugin, "-m", "lossctl", "explain", "lossctl_linex").stdout
    for command in ("explain", "gradcheck"):
        shell = {"_LOSSCTL_COMPLETE": "complete_bash", "COMP_WORDS": f"lossctl {command} linex", "COMP_CWORD": "2"}
        assert run(plugin, "-m", "lossctl", **shell).stdout.split() == ["linex"]
    code = "import runpy; print(runpy.run_path('docs/generate.py')['losses_page']())"
    page = run(plugin, "-c", code).stdout
    assert "\n## linex\n" in page
    assert "**Formula:** e^{ae} − ae − 1" in page
    for more in ([], ["sample_data/regression.csv"]):
        proved = run(plugin, "-m", "lossctl", "gradcheck", "linex:slope=0.2", *more)
        assert proved.returncode == 0, proved.stderr
        assert "PASS linex:slope=0.2" in proved.stdout


def test_a_broken_plug_in_is_a_warning_and_nothing_more(plugin, tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lossctl.losses]\nbroken = no_such_module_at_all\n")
    value, words = number(tmp_path, "mse")
    assert value > 0
    assert "broken" not in words  # nobody asked for what is not built in
    listed = run(tmp_path, "-m", "lossctl", "explain")
    assert "plug-in 'broken'" in listed.stderr
    assert "regression" in listed.stdout
