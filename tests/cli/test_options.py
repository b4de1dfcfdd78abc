"""Every option of every command does something or is refused: the tree of commands is walked, none is left out."""

import itertools
import re
import subprocess
import sys

import pytest
import typer

from lossctl.cli.app import app
from lossctl.cli.choices import CHOICES
from lossctl.cli.command import commands, given
from lossctl.cli.help import ABOUT_THE_RUN
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import Columns, LossOptions, Reducing, RunningOptions
from lossctl.cli.output_options import Output
from lossctl.cli.settings import every_setting, settings_of
from lossctl.evaluation.engine import engines
from lossctl.evaluation.join import HOW
from lossctl.functions.compat import PEERS
from lossctl.functions.loss import REDUCTIONS
from lossctl.reading.format import formats, is_written
from lossctl.rendering.picture import writers
from lossctl.rendering.renderer import renderers

GROUPS = (Input, Join, Columns, LossOptions, Reducing, Output, RunningOptions)
SAMPLE = 'id,y,p,q,w,g\n1,0.5,0.25,0.5,1,a\n2,1,0.75,0.5,0,b\n3,2,"2.5",1,1,a\n4,NaN,1,1,1,b\n'
LABELS = "id,y\n1,9\n2,8\n3,7\n4,6\n"
ASKED = ["-y", "y", "-p", "p"]
GATES = """
[[gate]]
name = "a"
max = 1
pass_if = "proven"
[[gate]]
name = "b"
min_n = 3
"""
LINES = {
    "eval": ["{}", *ASKED, "-l", "mse"],
    "compare": ["{}", *ASKED, "-p", "q", "-l", "mse"],
    "baseline": ["save", "{}", *ASKED, "-l", "mse", "--id", "id", "-o", "{}.json"],
    "samples": ["{}", *ASKED, "-l", "mse"],
    "plot": ["{}", *ASKED, "-l", "mse"],
    "doctor": ["{}", *ASKED],
    "report": ["{}", *ASKED, "-l", "mse"],
    "gradcheck": ["mse", "{}", *ASKED],
    "check": ["{}", *ASKED, "-l", "mse", "--config", "{}.toml"],
    "explain": ["huber"],
    "schema": ["config"],
    "help": ["exit-codes"],
    "plot NAME": ["mse"],
    "gradcheck NAME": ["mse", "--draws", "2"],
}
"""A line of each command, and of those that take a name instead of files."""
VALUES = {
    "--config": "{}.toml", "--only": "a", "--on-inconclusive": "fail",
    "--activation": "tanh", "--anytime": 9, "--by": "g", "--ci": 0.9, "--classes": "a,b", "--cluster": "g",
    "--color": "always",
    "--comment": 3, "--decimal": ",",
    "--delimiter": ";", "--draws": 3, "--encoding": "utf-16", "--quote": "none", "--skip-rows": 1, "--thousands": 5,
    "--engine": "serial", "--eps": 0.1, "--fail-above": 0, "--format": "tsv", "--from": 1, "--id": "q",
    "--ignore-label": 1, "--limit": 1, "--sort": "n", "--where": "q < 1",
    "--input-format": "tsv", "--join": "inner", "--kind": "activation", "--label": 1, "--labels": "{}.labels.csv",
    "--lags": 1, "--loss": "huber", "--max-line": 4, "--null-values": 0.5, "--nulls": "drop", "--output": "{}.txt",
    "--precision": 1,
    "--pred": "w", "--reduction": "sum", "--samples": 2, "--scheduler": "tcp://127.0.0.1:1", "--seed": 8,
    "--threads": 2, "--timeout": 5, "--to": 2,
    "--top": 1, "--weight": "w", "--class-weight": "2,1", "--weight-norm": "n", "--columns": "sum",
    "--compat": "lightgbm",
}  # fmt: skip
"""What to give to an option that takes a value."""
REPEATING = {"doctor", "report"}
"""Commands that spell out a line to copy."""
UNSEEN = {
    "gradcheck NAME --precision": "numbers are listed only where they are wrong",
    "--engine": "no digit depends on it",
    "--threads": "no digit depends on it",
    **{f"{name} --timeout": "there is nobody to wait for" for name in LINES if name not in REPEATING},
    **{f"{name} --no-verify": "no text has one that could go unchecked" for name in LINES if name not in REPEATING},
    "--no-progress": "there is a bar on a terminal only",
    "--verbose": "is of bugs",
    "--config": "what it sets is tried for itself",
    "--isolated": "there is nothing to leave out",
    **{
        f"{name} --compat": "mse of a row is the same there"
        for name in ("samples", "plot", "gradcheck", "check", "baseline")
    },
    "check --precision": "verdicts have the digits that their standard errors warrant",
}
"""What need not be seen where an option is honoured, and why."""
TREE = typer.main.get_command(app)


def options(name):
    """The options of a command by long flag."""
    command = TREE.get_command(None, name.partition(" ")[0])
    return {
        next(flag for flag in it.opts if flag.startswith("--")): it
        for it in command.params
        if it.param_type_name == "option"
    }


EVERY = [pytest.param(line, flag, id=f"{line} {flag}") for line in LINES for flag in options(line)]


def test_every_command_has_a_line():
    assert {name.partition(" ")[0] for name in LINES} == set(TREE.list_commands(None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rows = tmp_path_factory.mktemp("options") / "rows.csv"
    rows.write_text(SAMPLE)
    (rows.parent / "rows.csv.labels.csv").write_text(LABELS)
    (rows.parent / "rows.csv.toml").write_text(GATES)
    return rows.parent


@pytest.fixture
def call(lossctl, folder):
    """Run a line of a command: how it ended, and the names of the files that it wrote, which are gone then."""
    before = {*folder.iterdir()}

    def run(name, *more):
        arguments = [*LINES[name], *map(str, more)]
        done = lossctl(name.partition(" ")[0], *(it.replace("{}", str(folder / "rows.csv")) for it in arguments))
        written = {*folder.iterdir()} - before
        for path in written:
            path.unlink()
        return done, sorted(path.name for path in written)

    return run


@pytest.fixture(scope="module")
def known():
    """What came of lines before, which many options are held against."""
    return {}


def spelled(name, flag):
    """The flag with its value."""
    return flag if options(name)[flag].is_flag or options(name)[flag].count else f"{flag}={VALUES[flag]}"


@pytest.mark.parametrize(("name", "flag"), EVERY)
def test_every_option_changes_something_or_is_refused(name, flag, call, known):
    drop = ["--nulls", "drop"] if "{}" in LINES[name] and "--nulls" in options(name) and flag != "--nulls" else []
    table = ["-f", "table"] if flag == "--color" else []
    line = (name, *drop, "-q", *table)
    without = known[line] = known.get(line) or call(*line)
    done = call(*line, spelled(name, flag))
    if {flag, f"{name} {flag}"} & UNSEEN.keys() and done[0].status != 2:
        assert done == without
    else:
        assert done != without


@pytest.mark.parametrize("name", ["plot", "gradcheck"])
def test_with_a_name_what_is_for_files_is_refused(name, call):
    honoured = {
        "plot": {"--label", "--activation", "--from-logits"},
        "gradcheck": {"--activation", "--from-logits", "--eps"},
    }
    fields = [field for group in (Input, Join, Columns, LossOptions, RunningOptions) for field in flags_of(group)]
    for flag in sorted({*fields} & {*options(name)} - honoured[name]):
        done, _ = call(f"{name} NAME", spelled(name, flag))
        assert (done.status, done.out) == (2, ""), flag
        assert f"{flag} is for files, and " in done.err


@pytest.mark.parametrize(("name", "flags"), [("plot", ["--from", "--to"]), ("gradcheck", ["--draws", "--seed"])])
def test_with_files_what_is_for_names_is_refused(name, flags, call):
    for flag in flags:
        done, _ = call(name, spelled(name, flag))
        assert (done.status, done.out) == (2, "")
        assert f"{flag} is for " in done.err
        assert "not for files" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plot", "tanh", "--label", "1"], "--label is for losses, and tanh is an activation"),
        (["plot", "tanh", "sigmoid", "--activation", "relu"], "--activation is for losses, and tanh is an activation"),
        (["explain", "--kind", "loss"], "--kind is for the name of"),
        (["explain", "pairings", "--kind", "loss"], "--kind is for the name of"),
        (["eval", "rows.csv", "--engine", "serial", "--threads", "2"], "--threads is for engines of several workers"),
        (["eval", "rows.csv", "--join", "inner"], "--id and --join need --labels"),
    ],
)
def test_an_option_that_has_nothing_to_do_is_refused(lossctl, arguments, words):
    done = lossctl(*arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize("form", renderers.names())
@pytest.mark.parametrize("flags", [["--grad"], ["--skill"], ["--samples", "1"]], ids=lambda it: it[0])
def test_every_format_shows_what_was_asked_for_or_it_is_refused(call, tmp_path, form, flags):
    drop = ["--nulls", "drop", "-q", *(["--fail-above", "9"] if form == "junit" else [])]
    without, asked = (call("eval", *drop, "-f", form, *more)[0] for more in ([], flags))
    assert without.status == 0
    if asked.status == 0:
        assert asked.out != without.out
        return
    assert (asked.status, asked.out) == (2, "")
    assert f"{flags[0]} is not shown by --format {form}" in asked.err
    beside = call("eval", *drop, "-f", form, *flags, "-o", tmp_path / "shown.json")[0]
    assert beside.status == 0
    shown, alone = (re.sub('timestamp="[^"]*"', "", done.out) for done in (beside, without))
    assert shown == alone, "a file shows it"


def test_the_format_of_samples_goes_before_the_suffix(lossctl, tmp_path):
    (tmp_path / "rows.csv").write_text(SAMPLE)
    asked = ["samples", tmp_path / "rows.csv", *ASKED, "-l", "mse", "--nulls", "drop", "-q"]
    assert lossctl(*asked, "-o", tmp_path / "out.data", "-f", "jsonl").status == 0
    assert (tmp_path / "out.data").read_text() == lossctl(*asked, "-f", "jsonl").out
    assert lossctl(*asked, "-o", tmp_path / "out.data").status == 2


def flags_of(group):
    """The long flags of a group."""
    return [*given(group(**{name: object() for name in group.__dataclass_fields__}))]


@pytest.mark.parametrize("group", GROUPS, ids=lambda it: it.__name__)
def test_an_option_of_a_group_is_the_same_on_every_command(group):
    named = [
        (name, flag, options(name)[flag])
        for name in TREE.list_commands(None)
        for flag in flags_of(group)
        if flag in options(name)
    ]
    own = {
        ("compare", "--output"),
        ("doctor", "--id"),
        ("plot", "--output"),
        ("report", "--output"),
        ("report", "--format"),
        ("samples", "--output"),
        ("samples", "--format"),
    }
    for flag, them in itertools.groupby(sorted(named, key=lambda it: it[1]), key=lambda it: it[1]):
        assert len({it.help for name, _, it in them if (name, flag) not in own}) == 1, flag


HELD = {
    "engines": engines.names,
    "formats": formats.names,
    "format_suffixes": lambda: [it.suffixes[0] for it in formats if is_written(it)],
    "written_formats": lambda: [it.name for it in formats if is_written(it)],
    "joins": lambda: HOW,
    "output_suffixes": lambda: {it.suffixes[0] for it in (*renderers, *writers) if it.suffixes},
    "picture_suffixes": lambda: [it.suffixes[0] for it in writers if it.suffixes],
    "peers": lambda: PEERS,
    "reductions": lambda: REDUCTIONS,
    "renderers": renderers.names,
    "report_suffixes": lambda: [it.suffixes[0] for it in renderers if it.suffixes],
}
"""What there really is to choose from."""


@pytest.mark.parametrize("choices", CHOICES)
def test_choices_are_those_there_are(choices):
    assert sorted({*CHOICES[choices]()}) == sorted(HELD[choices]())


@pytest.mark.parametrize("command", TREE.list_commands(None))
def test_help_says_what_there_is_to_choose_from(command, lossctl, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    shown = lossctl(command, "--help").out
    assert not re.search(r"\{[a-z_]+\}", shown)
    for option, choices in {"--input-format": "formats", "--engine": "engines", "--reduction": "reductions"}.items():
        if option in options(command):
            (line,) = [line for line in shown.splitlines() if line.startswith(f"│ {option} ")]
            assert all(re.search(rf"\b{word}\b", line) for word in HELD[choices]())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("lossctl eval -F ar", {"arrow", "arrows"}),
        ("lossctl eval --engine pro", {"processes"}),
        ("lossctl explain --format ma", {"markdown"}),
        ("lossctl eval --reduction ", {"mean", "sum", "root-mean", "exp-mean"}),
        ("lossctl plot x.csv --join ", {"strict", "inner", "left", "order"}),
    ],
)
def test_a_shell_completes_choices(typed, offered, plain_environment):
    environment = plain_environment(
        _LOSSCTL_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(typed.split(" ")) - 1)
    )
    done = subprocess.run(
        [sys.executable, "-m", "lossctl"], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (set(done.stdout.split()), done.stderr) == (offered, "")


@pytest.mark.parametrize("name", [name for name in LINES if "--json" in options(name)])
def test_json_is_short_for_the_format(name, call):
    more = ["--nulls", "drop", "-q"] if "{}" in LINES[name] and "--nulls" in options(name) else ["-q"]
    short, long = call(name, *more, "--json"), call(name, *more, "--format", "json")
    contradiction, _ = call(name, *more, "--json", "--format", "csv")
    assert short == long
    assert short[0].status == 0
    assert short[0].json["schema_version"] == 1
    assert (contradiction.status, contradiction.err) == (
        2,
        "error: --json and --format csv ask for two formats\nGive one.\n",
    )


@pytest.mark.parametrize(
    ("flag", "shown"), [("-v", True), ("--verbose", True), ("-qv", True), ("-vqq", True), ("-q", False)]
)
def test_the_traceback_of_a_bug_is_shown_where_it_is_asked_for(flag, shown, lossctl, monkeypatch):
    def find(*_):
        raise ZeroDivisionError("of a bug")

    monkeypatch.setattr("lossctl.functions.explanation.find", find)
    done = lossctl("explain", "mse", flag)
    assert done.status == 70
    assert ("Traceback" in done.err) is shown


def _takes_one(ways):
    return not any(way.many or way.kind is bool or way.name in {"quiet", "verbose"} for way in ways)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--ignore-label", "1", "--ignore-label", "2"], "--ignore-label A,B,C"),
        (["--class-weight", "0=2", "--class-weight", "1=3"], "--class-weight A=W,B=W"),
        (["--where", "y > 0", "--where", "y < 9"], "--where is given twice"),
        (["-w", "weight", "--weight", "y"], "--weight is given twice"),
        (["--compat", "keras", "--compat", "torch"], "--compat is given twice"),
        (["--ci", "0.9", "--ci", "0.95"], "--ci is given twice"),
    ],
)
def test_an_option_of_one_value_that_decides_the_number_is_not_forgotten_for_another(lossctl, sample_data, flags, told):
    done = lossctl("eval", sample_data / "regression.csv", *flags)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize("name", [name for name, ways in every_setting().items() if _takes_one(ways)])
def test_every_option_of_one_value_counts_or_is_refused_where_it_is_typed_twice(lossctl, name):
    entry = next(entry for entry in commands if name in settings_of(entry.run))
    setting = settings_of(entry.run)[name]
    value = {int: "3", float: "0.5"}.get(setting.kind, next(iter(setting.choices), "x"))
    done = lossctl(entry.name, *[setting.flag, value] * 2)
    assert (f"{setting.flag} is given twice" in done.err) == (setting.parameter not in ABOUT_THE_RUN), done.err


def test_of_an_option_that_decides_no_number_the_last_counts(lossctl, sample_data):
    flags = ["--threads", "1", "--threads", "2", "--precision", "3", "--precision", "4", "--by", "segment", "--by", "y"]
    assert lossctl("eval", sample_data / "regression.csv", "-l", "mse", *flags).status == 0
