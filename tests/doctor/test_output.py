"""What doctor prints: strict JSON, golden pages, and nothing that commands a terminal."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from suspicious import TABLE, N, at, b, changed, m, write

from lossctl.doctor.diagnose import diagnose
from lossctl.rendering.renderer import Style, renderers

GOLDEN = Path(__file__).parent / "golden"


def test_the_json_is_strict_and_says_the_same(lossctl, tmp_path):
    data, arguments = TABLE["infinite"][0]
    path = write(tmp_path / "data.csv", data)
    told = lossctl("doctor", path, *arguments, "--json").json
    text = lossctl("doctor", path, *arguments).out
    assert told["schema_version"] == 1
    for found in told["findings"]:
        assert found["what"] in text
        assert found["advice"] in text
    assert all(line in text for line in told["commands"])


def test_quiet_twice_says_nothing_but_the_status(lossctl, tmp_path):
    path = write(tmp_path / "data.csv", TABLE["inverted"][0][0])
    outcome = lossctl("doctor", path, "--strict", "-qq")
    assert (outcome.status, outcome.out, outcome.err) == (1, "", "")


def test_a_column_cannot_command_the_terminal(lossctl, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("\x1b[31my,p\n" + "".join(f"{it % 2},0.{it + 1}\n" for it in range(8)))
    for arguments in ((), ("-y", "#1", "-p", "#2")):
        assert "\x1b" not in lossctl("doctor", path, *arguments).out


def test_the_name_of_a_class_cannot_command_the_terminal(lossctl, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("y,p\n" + "".join(f"\x1b[3{it % 2}m,0.{it + 1}\n" for it in range(8)))
    assert "\x1b" not in lossctl("doctor", path).out


def golden_files():
    """Path and text of every golden file: ``pytest tests/doctor --write-golden`` writes them."""
    data = changed(b, p=at(1 - b["p"], 3, None), id=np.arange(N) // 2)
    shown = {
        "findings": diagnose(data, label=["y"], prediction=["p"], command=["preds.csv"]),
        "columns": diagnose({f"x{name}": values for name, values in m.items()}, command=["preds.csv"]),
    }
    for (name, found), width in itertools.product(shown.items(), (80, 120)):
        yield GOLDEN / f"{name}-{width}.txt", renderers.get("table").render(found.document(), Style(width))
    yield GOLDEN / "findings-plain.txt", renderers.get("plain").render(shown["findings"].document(), Style(80))


@pytest.mark.lowest
def test_the_drawing_is_that_of_the_golden_files(golden):
    for path, text in golden_files():
        golden(path, text)


def test_nothing_drawn_is_wider_than_the_terminal_but_a_command_line():
    for path, text in golden_files():
        if "plain" not in path.name:
            width = int(path.stem.rpartition("-")[2])
            assert all(len(line) <= width or line.startswith("  lossctl ") for line in text.splitlines()), path.name
