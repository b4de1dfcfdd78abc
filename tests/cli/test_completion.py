"""What shells complete: bash, zsh and fish themselves where they are installed, else the program that they ask."""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv
from typer._completion_shared import get_completion_script
from waiting import HANGS

from lossctl.cli import completion
from lossctl.cli.app import wired
from lossctl.cli.command import commands
from lossctl.cli.completion import FILES
from lossctl.cli.shells import SCRIPTS, SHELLS, Line, Offer, typed
from lossctl.functions.loss import losses
from lossctl.reading.periods import PERIODS
from lossctl.words import printable

ODD = ["y", "p one", "p two", "we:ight", 'co"l', "d$x", "it's", "key"]
"""Names of columns of which shells take signs for their own."""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pa.table({name: ["north", "south"] if name == "key" else [0.0, 1.0] for name in ODD})
    pq.write_table(table, "odd.parquet")
    return tmp_path


@pytest.fixture
def offered(lossctl, monkeypatch):
    """What a line offers, whose last word is being typed, and whether names of files are."""

    def offered(*words):
        monkeypatch.setenv("_LOSSCTL_COMPLETE", "zsh")
        done = lossctl(str(len(words) + 1), words[-1], "lossctl", *words)
        assert (done.status, done.err) == (0, "")
        directives, *lines = done.out.splitlines()
        return [line.partition("\t")[0] for line in lines], "files" in directives

    return offered


ARGUMENTS = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
PRINTED = {
    "bash": 'lossctl() { if [[ $_LOSSCTL_COMPLETE ]]; then command lossctl "$@"; else printf "<%s>" "$@" .; fi; }',
    "zsh": 'lossctl() { if [[ $_LOSSCTL_COMPLETE ]]; then command lossctl "$@"; else printf "<%s>" "$@" .; fi; }',
    "fish": "function lossctl; printf '<%s>' $argv .; end",
}
"""What shows the words of a line that is run, in place of the program."""
ON_A_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
PREPARED = {"zsh": "unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; "}
JOINED = ["eval", "odd.parquet", "--labels", "odd.parquet"]
TYPED = [
    ("lossctl eval od\t", ["eval", "odd.parquet"]),
    ('lossctl eval "od\t', ["eval", "odd.parquet"]),
    ("lossctl eval odd.parquet --labels=od\t", ["eval", "odd.parquet", "--labels=odd.parquet"]),
    ("lossctl eval --eps od\t", ["eval", "--eps", "od"]),
    ("lossctl eval odd.parquet --pred=m=y,we:\t", ["eval", "odd.parquet", "--pred=m=y,we:ight"]),
    ('lossctl eval odd.parquet -p "p o\t', ["eval", "odd.parquet", "-p", "p one"]),
    ("lossctl eval -l mse --fail-above \t1", ["eval", "-l", "mse", "--fail-above", "mse=1"]),
    (f"lossctl {' '.join(JOINED)} --id=key=we:\t", [*JOINED, "--id=key=we:ight"]),
    ("lossctl eval odd.parquet -w d\t", ["eval", "odd.parquet", "-w", "d$x"]),
    ("lossctl eval odd.parquet --where 'y == 0 or `p o\t", ["eval", "odd.parquet", "--where", "y == 0 or `p one`"]),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_is_typed(shell, odd, plain_environment):
    program = shutil.which(shell)
    script = Path(sys.executable).parent / "lossctl"
    if program is None or not script.exists():
        pytest.skip(f"{shell} or the script of lossctl is not installed")
    (odd / "completion").write_text(SCRIPTS[shell].strip() + "\n")
    path = f"{script.parent}:/usr/bin:/bin"
    environment = plain_environment(PATH=path, HOME=str(odd), TERM="dumb" if shell == "bash" else "xterm")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, program, *ARGUMENTS[shell]],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    try:
        _write(ours, f"{PREPARED.get(shell, '')}. ./completion; {PRINTED[shell]}; lossctl ready\n")
        _until(ours, ["ready"])
        for line, words in TYPED:
            _write(ours, line + "\n")
            _until(ours, words)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _write(terminal, text):
    os.write(terminal, text.encode())


def _until(terminal, words):
    """Read until a program has got some words, which must be these."""
    shown, begun = "", time.monotonic()
    while not (ran := re.findall(r"((?:<[^<>]*>)+)<\.>", shown)):
        assert time.monotonic() - begun < HANGS, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 1 << 16).decode(errors="replace")
    assert ran == ["".join(f"<{word}>" for word in words)]


@pytest.mark.parametrize("shell", SHELLS)
def test_typer_shows_and_installs_our_scripts(shell):
    shown = get_completion_script(prog_name="lossctl", complete_var="_LOSSCTL_COMPLETE", shell=shell)
    assert shown == SCRIPTS[shell].strip()


@pytest.mark.parametrize("flag", ["-y", "-p", "-w", "--by", "--id"])
def test_columns_of_the_file_complete_a_role(flag, odd, offered):
    assert offered("eval", "odd.parquet", flag, "") == (ODD, False)
    assert offered("eval", "odd.parquet", "-l", "mse", flag, "p ") == (["p one", "p two"], False)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["-p", "y,p one,p"], ["y,p one,p two"]),
        (["-p", "m=k"], ["m=key"]),
        (["-p", "m=y,k"], ["m=y,key"]),
        (["-pk"], ["-pkey"]),
        (["--by=k"], ["--by=key"]),
        (["--null-values", "k"], ["key="]),
        (["--where", "y > 1 and k"], ["y > 1 and key"]),
        (["--where", "not (`p o"], ["not (`p one`"]),
        (['--where=key == "y" or `co'], ['--where=key == "y" or `co"l`']),
        (["--where", 'key == "p'], []),
        (["-l", "mse,mae", "--fail-above", "m"], ["mse=", "mae="]),
        (["-l", "mse,huber:d"], ["mse,huber:delta="]),
        (["-l", "focal:gamma=2,alp"], ["focal:gamma=2,alpha="]),
        (["-l", "focal:gamma=2,mse,alp"], []),
        (["-l", "poisson:full="], ["poisson:full=none", "poisson:full=stirling", "poisson:full=lgamma"]),
        (["-l", "quadr"], ["quadratic"]),
        (["--activation", "leaky_relu:"], ["leaky_relu:slope="]),
        (["-l", "mse", "--engine", "thr"], ["threads"]),
        (["--color", ""], ["auto", "always", "never"]),
        (["--", "-p", "-"], []),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_a_value_completes_to_what_it_may_be(words, names, odd, offered):
    assert offered("eval", "odd.parquet", *words)[0] == names


def test_the_column_to_group_by_completes_to_its_units(odd, offered):
    days = pa.array([19000, 19001], pa.int32()).cast(pa.date32())
    table = pa.table(
        {"day": days, "written": ["2024-01-01", None], "price": [1.5, 2.5], "prize": ["a", "b"], "a:b": days}
    )
    pq.write_table(table, "units.parquet")
    csv.write_csv(table, "units.csv")
    for path in ("units.parquet", "units.csv"):
        line = ["eval", path, "--by"]
        assert offered(*line, "d")[0] == ["day", *(f"day:{unit}" for unit in PERIODS)]
        assert offered(*line, "pri")[0] == ["price", "prize"]
        assert offered(*line, "price,written:w")[0] == ["price,written:week", "price,written:weekday"]
        assert offered(*line, "price:1")[0] == ["price:10", "price:100"]
        assert offered(*line, "prize:")[0] == []
        assert offered(*line, "a:b:y")[0] == ["a:b:year"]


def test_the_labels_have_columns_of_their_own(odd, offered):
    pq.write_table(pa.table({"key": ["north"], "truth": [1.0], "extra": [1]}), "labels.parquet")
    line = ["eval", "odd.parquet", "--labels", "labels.parquet"]
    assert offered(*line, "-y", "")[0] == ["key", "truth", "extra"]
    assert offered(*line, "-p", "")[0] == ODD
    assert offered(*line, "--id", "")[0] == ["key"]
    assert offered("eval", "labels.parquet", "odd.parquet", "-p", "t")[0] == ["truth"]


def test_behind_a_name_come_the_columns_of_the_file_that_is_meant(odd, offered):
    table = pa.table({"truth": [0.0, 1.0], "row": ["a", "b"], "day": pa.array([0, 1], pa.int32()).cast(pa.date32())})
    pq.write_table(table, "labels.parquet")
    for line in (["eval", "odd.parquet", "--labels", "labels.parquet"], ["compare", "odd.parquet", "labels.parquet"]):
        assert offered(*line, "--id", "key=")[0] == ["key=truth", "key=row", "key=day"]
        assert offered(*line, "--id", "y,p one=r")[0] == ["y,p one=row"]
        assert offered(*line, "--id=ke")[0] == ["--id=key="]
    line = ["eval", "odd.parquet", "--labels", "labels.parquet"]
    assert offered(*line, "-p", "new=p ")[0] == ["new=p one", "new=p two"]
    assert offered(*line, "-w", "")[0] == offered(*line, "--cluster", "")[0] == [*ODD, "truth", "row", "day"]
    assert offered(*line, "--by", "y,day:mo")[0] == ["y,day:month"]
    assert offered("compare", "old=odd.parquet", "new=labels.parquet", "--id", "key=r")[0] == ["key=row"]
    assert offered("compare", "old=odd.parquet", "new=labels.parquet", "-p", "p ")[0] == ["p one", "p two"]


def test_classes_are_those_of_the_first_labels(offered, sample_data):
    path = str(sample_data / "classes.csv")
    assert offered("eval", path, "--classes", "")[0] == ["bird", "cat", "dog"]
    assert offered("eval", path, "-y", "label", "--classes", "dog,b")[0] == ["dog,bird"]


@pytest.mark.parametrize(
    "path", ["missing.csv", "broken.parquet", "https://example.org/x.csv", "-", "pipe", "long.csv"]
)
def test_what_cannot_be_read_at_once_completes_to_nothing(path, odd, offered):
    (odd / "broken.parquet").write_bytes((odd / "odd.parquet").read_bytes()[:100])
    (odd / "long.csv").write_bytes(b"x" * (5 << 20))
    os.mkfifo(odd / "pipe")
    for flag in ("-p", "--by", "--classes", "--id"):
        assert offered("eval", path, flag, "") == ([], False)
        assert offered("eval", "odd.parquet", "--labels", path, "-y", "") == ([], False)


NAMES_A_FILE = {"--config", "--labels", "--output"}


@pytest.mark.parametrize("name", commands.names())
def test_names_of_files_are_offered_where_files_are_named_alone(name, odd, offered):
    for option in wired(commands.get(name)).params:
        if option.param_type_name == "option" and not option.is_flag and not option.count:
            for flag in option.opts:
                assert offered(name, flag, "")[1] == (option.opts[-1] in NAMES_A_FILE), flag
    subject = {"explain": ["mse"], "gradcheck": ["mse"], "schema": ["config"], "baseline": ["show"]}.get(name, [])
    assert offered(name, *subject, "")[1] == (name not in {"explain", "help", "schema"})


def test_schemas_are_offered(offered):
    assert offered("schema", "eval") == (["eval", "eval-line"], False)


@pytest.mark.parametrize("name", losses.names())
def test_every_parameter_of_a_loss_is_offered(name, offered):
    parameters = [f"{name}:{parameter.name}=" for parameter in losses.get(name).parameters]
    assert offered("eval", "-l", f"{name}:")[0] == parameters
    assert offered("plot", f"{name}:")[0] == parameters


def test_flags_and_commands_are_offered_once(offered):
    assert set(offered("")[0]) == set(commands.names())
    flags, _ = offered("eval", "--skill", "-l", "mse", "--s")
    assert flags == ["--skip-rows", "--sort", "--samples", "--scheduler"]
    assert offered("nothing", "--")[0] == []


@settings(max_examples=50)
@given(
    st.text(min_size=1).filter(lambda name: printable(name) == name),
    st.sampled_from(["", "'", '"']),
)
def test_bash_gets_any_name_as_it_has_to_be_typed(name, quote):
    _, written = SHELLS["bash"]
    _, *words, _ = written(Line((), "", (), quote, quote), Offer(((name, ""),))).split("\n")
    assert [typed(quote + word + quote)[-1].text for word in words] == [name]
    if not quote:
        assert shlex.split(words[0], comments=True) == [name]


def test_bash_sees_what_stands_behind_the_cursor():
    read, _ = SHELLS["bash"]
    line = read(["lossctl eval -p a=we:", "", " odd.csv -l mse"])
    assert line == Line(("eval", "-p"), "a=we:", ("odd.csv", "-l", "mse"), "a=we:", "")


def test_what_a_metavar_calls_a_file_is_in_use():
    metavars = {option.metavar or "" for command in commands for option in wired(command).params}
    assert all(any(word in metavar for metavar in metavars) for word in FILES)


def test_nothing_but_words_is_written_whatever_is_printed_meanwhile(lossctl, monkeypatch):
    """As a plug-in may that is loaded."""
    offer = completion.offer
    monkeypatch.setattr(completion, "offer", lambda *asked: print("loading") or offer(*asked))
    monkeypatch.setenv("_LOSSCTL_COMPLETE", "zsh")
    done = lossctl("2", "eva", "lossctl", "eva")
    assert (done.status, [line.partition("\t")[0] for line in done.out.splitlines()]) == (0, ["", "eval"])
