"""Terminals and environments: boxes and colours where somebody looks, nowhere else."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from transcripts import ESCAPE
from waiting import HANGS

# --- environment -----------------------------------------------------------------------------------------------------

SEVERAL = """
import sys
from lossctl.cli.app import run
file = sys.argv[1]
run(["--help"]); run(["eval", "--help"]); run(["samples", "-h"]); run(["eval"]); run(["--version"])
for form in ("plain", "table", "json", "csv", "markdown", "value"):
    run(["eval", file, "-l", "huber", "-f", form])
run(["eval", file, "-l", "hubr"]); run(["eval", "--nope"]); run(["samples", file, "-l", "huber", "--top", "2"])
"""


@pytest.mark.lowest
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"GITHUB_ACTIONS": "1"},
        {"GITHUB_ACTIONS": "1", "NO_COLOR": "1"},
        {"NO_COLOR": "1"},
        {"TERM": "dumb"},
        {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    ],
    ids=lambda environment: ",".join(f"{name}={value}" for name, value in environment.items()) or "nothing",
)
def test_what_is_piped_has_no_colour_in_any_environment(plain_environment, sample_data, environment):
    command = [sys.executable, "-c", SEVERAL, str(sample_data / "regression.csv")]
    done = subprocess.run(
        command, capture_output=True, text=True, env=plain_environment(**environment), timeout=HANGS, check=True
    )
    assert "huber" in done.stdout
    assert ESCAPE not in done.stdout
    assert ESCAPE not in done.stderr


def test_force_color_colours_a_piped_table_and_no_color_wins_over_it(lossctl, monkeypatch, sample_data):
    command = ["eval", sample_data / "regression.csv", "-l", "huber", "-f", "table"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ESCAPE in lossctl(*command).out
    assert ESCAPE not in lossctl(*command, "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in lossctl(*command).out
    assert ESCAPE in lossctl(*command, "--color", "always").out, "what is asked for wins over the environment"


@pytest.mark.parametrize("form", ["plain", "json", "jsonl", "csv", "tsv", "markdown", "value"])
def test_colour_is_for_tables_only(lossctl, sample_data, tmp_path, form):
    target = tmp_path / "out.txt"
    command = ["eval", sample_data / "regression.csv", "-l", "huber", "--color", "always", "-f", form, "-o", target]
    done = lossctl(*command)
    assert done.status == 0
    assert ESCAPE not in done.out + done.err + target.read_text()


# --- terminal --------------------------------------------------------------------------------------------------------


def on_terminal(arguments, environment, columns):
    """What a command writes to a terminal of some width, stdout and stderr together."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-m", "lossctl", *map(str, arguments)], stdin=end, stdout=end, stderr=end, env=environment
    )
    os.close(end)
    heard = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        heard += piece
    os.close(terminal)
    return running.wait(timeout=HANGS), heard.decode().replace("\r\n", "\n")


@pytest.mark.lowest
@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_boxed_table_that_fits_and_a_pipe_plain_text(
    plain_environment, process, sample_data, columns
):
    command = ["eval", sample_data / "binary.csv", "-l", "bce,focal:gamma=1.5", "-p", "p_a", "-p", "p_b"]
    command += ["--by", "segment", "-w", "weight", "--grad", "--samples", "1", "--no-progress"]
    status, heard = on_terminal(command, plain_environment(TERM="xterm"), columns)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", heard)
    assert status == 0
    assert ESCAPE not in bare
    assert bare != heard, "a terminal is coloured"
    assert "╭" in bare
    assert max(map(len, bare.splitlines())) <= columns
    piped = process(*command)
    assert "╭" not in piped.out
    assert ESCAPE not in piped.out
    numbers = re.findall(r"\d+\.\d{4,}", piped.out)
    assert len(numbers) > 100
    assert [number for number in numbers if number not in bare] == [], "no digit is lost to a narrow terminal"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_none(plain_environment, sample_data, environment):
    command = ["eval", sample_data / "regression.csv", "-l", "huber"]
    status, heard = on_terminal(command, plain_environment(**environment), 80)
    assert status == 0
    assert "╭" in heard
    assert ESCAPE not in heard
    status, heard = on_terminal(["eval", "--help"], plain_environment(**environment), 80)
    assert status == 0
    assert ESCAPE not in heard


def test_a_page_longer_than_the_terminal_goes_through_the_pager_and_a_short_one_does_not(plain_environment):
    environment = plain_environment(TERM="dumb", PAGER="sed 's/^/paged: /' | sed -n 1,2p")
    status, heard = on_terminal(["help", "columns"], environment, 80)
    assert (status, heard.count("\n")) == (0, 2)
    assert heard.startswith("paged: ")
    status, heard = on_terminal(["help", "digits"], environment, 80)
    assert status == 0
    assert "paged" not in heard
    assert "Digits" in heard


def test_a_page_is_shown_where_there_is_no_pager(plain_environment):
    status, heard = on_terminal(["help", "columns"], plain_environment(TERM="dumb", PAGER="/nowhere/pager"), 80)
    assert status == 0
    assert "Columns and cells" in heard
