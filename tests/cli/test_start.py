"""What a start costs and what a wrong number is told: Typer's own words, and nothing loaded that is not needed."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from test_examples import BUG, FENCE, OF_A_SHELL, STATUS, having, steps
from waiting import HANGS

from lossctl.cli.app import app, run, wired
from lossctl.cli.command import commands
from lossctl.cli.flags import ELSEWHERE

pytestmark = pytest.mark.lowest

SAMPLE = "sample_data/regression.csv"
EVERY_COMMAND = {
    "eval": ["eval", SAMPLE, "-l", "mse", "-q"],
    "samples": ["samples", SAMPLE, "-l", "mse", "-q"],
    "baseline": ["baseline", "show", "sample_data/gates/main.json"],
    "compare": ["compare", SAMPLE, "-p", "a=prediction", "-p", "b=prediction", "-l", "mse", "-q"],
    "plot": ["plot", "huber"],
    "gradcheck": ["gradcheck", "mse", "--draws", "50"],
    "doctor": ["doctor", SAMPLE],
    "report": ["report", SAMPLE, "-l", "mse", "-q"],
    "check": ["check", "--show-settings"],
    "explain": ["explain", "huber"],
    "schema": ["schema", "config"],
    "help": ["help", "columns"],
}
RUNS = {**EVERY_COMMAND, "inferred": ["eval", SAMPLE], "usage error": ["eval", "--threads", "many"]}
PYDANTIC = ("pydantic", "pydantic_core", "annotated_types")
COMMANDS, FORMATS = "lossctl.cli.commands.", "lossctl.reading.formats."
REPORT = (
    "import sys; from lossctl.cli.app import run; status = run(sys.argv[2:]); "
    f"names = sys.argv[1].split(','); home = {COMMANDS!r}; "
    "print('status', status, *[it for it in sys.modules if it in names or it.startswith(home)])"
)


def last_line(words, plain_environment, folder):
    """The last line that a new interpreter prints of a program with some arguments, run in a folder."""
    command, environment = [sys.executable, "-c", *words], plain_environment()
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, timeout=HANGS, check=True
    )
    return done.stdout.splitlines()[-1]


def loaded(arguments, names, plain_environment, sample_data):
    """The exit status of a command line run in a new interpreter, and which modules and commands it has loaded."""
    words = [REPORT, ",".join(names), *arguments]
    _, status, *modules = last_line(words, plain_environment, sample_data.parent).split()
    mine = {it for it in modules if it in names}
    return int(status), mine, {it.rpartition(".")[2] for it in modules} - mine


def test_every_command_is_run():
    assert set(EVERY_COMMAND) == set(commands.names())


IN_TURN = (
    "import json, sys; from lossctl.cli.app import run; "
    "statuses = [run(line) for line in json.loads(sys.argv[1])]; print(json.dumps([statuses, [*sys.modules]]))"
)


def loaded_by_all(lines, plain_environment, sample_data, folder=None):
    """The exit statuses of command lines run one after another in one new interpreter, and all that it has loaded."""
    words = [IN_TURN, json.dumps([*lines])]
    statuses, modules = json.loads(last_line(words, plain_environment, folder or sample_data.parent))
    return statuses, {*modules}


def test_no_run_loads_what_it_has_no_use_for(plain_environment, sample_data):
    statuses, modules = loaded_by_all(RUNS.values(), plain_environment, sample_data)
    assert statuses == [2 if name == "usage error" else 0 for name in RUNS]
    assert modules & {*PYDANTIC, "numpy.ma"} == set()


HEAVY = ("numpy", "pyarrow", "pandas", *PYDANTIC)


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_the_help_of_a_command_loads_that_command_and_nothing_heavy(name, plain_environment, sample_data):
    assert loaded([name, "--help"], HEAVY, plain_environment, sample_data) == (0, set(), {name})


def test_the_list_of_commands_loads_them_and_nothing_heavy(plain_environment, sample_data):
    assert loaded(["--help"], HEAVY, plain_environment, sample_data) == (0, set(), {*EVERY_COMMAND})


def test_the_version_loads_no_command_and_nothing_heavy(plain_environment, sample_data):
    assert loaded(["--version"], (*HEAVY, "rich.table"), plain_environment, sample_data) == (0, set(), set())


def test_numbers_for_a_script_wait_for_nothing_that_draws(plain_environment, sample_data):
    lines = [[*EVERY_COMMAND["eval"], "-f", form] for form in ("value", "csv", "json", "jsonl")]
    statuses, modules = loaded_by_all(lines, plain_environment, sample_data)
    assert statuses == [0] * len(lines)
    assert modules & {"rich", "plotext"} == set()
    assert {name for name in modules if name.startswith(COMMANDS)} == {f"{COMMANDS}eval"}


ELSEWHERE_NEEDED = (
    "lossctl.sums.evidence", "lossctl.sums.student", "lossctl.evaluation.scores", "xml.etree.ElementTree",
    "lossctl.evaluation.best_constant", "lossctl.evaluation.join", "lossctl.inference.fit", "lossctl.reading.where",
    "pyarrow.compute", "pyarrow.dataset", "importlib.metadata", "email", "lossctl.functions.metrics",
)  # fmt: skip
"""What tells how sure a value is, how good a model; joins, chooses rows, looks at columns, finds plug-ins, refuses."""


def test_losses_alone_wait_for_nothing_that_others_need(plain_environment, sample_data):
    arguments = [*EVERY_COMMAND["eval"], "-l", "huber:delta=2", "-f", "csv"]
    assert loaded(arguments, ELSEWHERE_NEEDED, plain_environment, sample_data) == (0, set(), {"eval"})


def test_no_file_of_the_sample_data_loads_pandas(plain_environment, sample_data, tmp_path):
    """It takes longer than most runs, and only `to_frame` needs it."""
    files = [file.name for ending in ("csv", "parquet") for file in sample_data.glob(f"*.{ending}")]
    lines = [["eval", f"sample_data/{name}"] for name in files]
    others = (["samples"], ["doctor"], ["plot"], ["report", "-o", str(tmp_path / "x.html")])
    lines += [[*words, f"sample_data/{name}.csv"] for name in ("classes", "regression") for words in others]
    for ending in (".csv", ".parquet"):
        main, worse = f"sample_data/clicks_main{ending}", f"sample_data/clicks_worse{ending}"
        for how in (["--id", "id"], ["--id", "user,id"], ["--join", "order"]):
            lines.append(["compare", main, worse, "-l", "bce", *how])
            lines.append(["eval", main, "--labels", worse, "-y", "label", "-p", "p", "-l", "bce", *how])
        clicks = [f"sample_data/clicks{ending}", "-l", "bce", "-y", "label", "--cluster", "user", "--where", "id > 9"]
        lines += [["eval", *clicks, "-p", "p_new"], ["compare", *clicks, "-p", "p_main", "-p", "p_new"]]
    statuses, modules = loaded_by_all(lines, plain_environment, sample_data)
    assert statuses.count(0) > len(lines) / 2
    assert (BUG in statuses, modules & {"pandas"}) == (False, set())


@having("console", words="$ lossctl ")
def test_no_line_of_the_documents_loads_pandas(page, plain_environment, sample_data, tmp_path):
    (tmp_path / "sample_data").symlink_to(sample_data)
    lines = []
    for language, file, text in FENCE.findall(page.read_text()):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text)
        typed = [command.removesuffix(STATUS) for _, command, _ in steps(text)] if language == "console" else []
        lines += [shlex.split(it)[1:] for it in typed if it.startswith("lossctl ") and not OF_A_SHELL.search(it)]
    statuses, modules = loaded_by_all(lines, plain_environment, sample_data, tmp_path)
    assert (BUG in statuses, modules & {"pandas"}) == (False, set())


def test_differences_for_a_script_wait_for_no_picture_no_plug_in_and_no_second_file(plain_environment, sample_data):
    statuses, modules = loaded_by_all([[*EVERY_COMMAND["compare"], "-f", "value"]], plain_environment, sample_data)
    pictures = {name for name in modules if name.startswith("lossctl.rendering.pictures")}
    others = {"importlib.metadata", "xml.etree.ElementTree", "lossctl.evaluation.join", "lossctl.comparison.files"}
    assert (statuses, pictures, modules & others) == ([0], set(), set())


def test_gates_and_names_of_models_load_no_other_command_no_other_format_and_no_plug_in(plain_environment, sample_data):
    lines = [["check", "--config", "sample_data/gates/lossctl.toml"], ["plot", "huber"]]
    lines.append(["compare", "sample_data/clicks_main.csv", "sample_data/clicks_worse.csv", "-l", "bce", "--id", "id"])
    statuses, modules = loaded_by_all(lines, plain_environment, sample_data)
    assert BUG not in statuses
    formats = {name for name in modules if name.startswith(FORMATS)}
    assert {name for name in modules if name.startswith(COMMANDS)} == {f"{COMMANDS}{line[0]}" for line in lines}
    assert (formats, modules & {"importlib.metadata"}) == ({f"{FORMATS}delimited"}, set())


OF_OTHER_FILES = {
    *(f"{FORMATS}{name}" for name in ("arrow", "json_array", "jsonlines", "npy", "npz", "parquet")),
    "lossctl.evaluation.tables", "lossctl.reading.text_writers",
    "concurrent.futures", "shlex", "tempfile", "zipfile",
    *(["glob"] if sys.version_info < (3, 13) else []),  # pathlib imports it since
}  # fmt: skip


def test_a_short_csv_loads_neither_other_formats_nor_what_finds_packages(plain_environment, sample_data):
    arguments = [*EVERY_COMMAND["eval"], "-y", "y", "-p", "prediction", "-f", "json"]
    statuses, modules = loaded_by_all([arguments], plain_environment, sample_data)
    assert (statuses, modules & {*OF_OTHER_FILES, "importlib.metadata", "email"}) == ([0], set())
    assert len([name for name in modules if name.startswith("lossctl.")]) <= 165


PATTERNS = (
    "import re, sys; from lossctl.cli.app import run; status = run(sys.argv[1:]); "
    "loaded = [module for name, module in sys.modules.items() if name.startswith('lossctl')]; "
    "print('status', status, *(name for module in loaded for name, it in vars(module).items() "
    "if isinstance(it, re.Pattern)))"
)


def test_no_module_compiles_a_pattern_before_it_is_used(plain_environment, sample_data):
    words = [PATTERNS, *EVERY_COMMAND["eval"], "-f", "json"]
    assert last_line(words, plain_environment, sample_data.parent) == "status 0"


def numeric_options():
    """Each option of each command that takes a number, by walking what Typer made of them."""
    tree = typer.main.get_command(app)
    for name, command in tree.commands.items():
        for option in command.params:
            kind = option.type.name.split()[0]
            if option.param_type_name == "option" and not option.count and kind in {"int", "integer", "float"}:
                yield name, option


NUMERIC = [pytest.param(name, option, id=f"{name} {option.opts[-1]}") for name, option in numeric_options()]


RANGED = [it for it in NUMERIC if getattr(it.values[1].type, "min", None) is not None]


def test_numeric_options_are_found():
    spelled = {f"{name} {option.opts[-1]}" for name, option in numeric_options()}
    assert {"eval --threads", "eval --eps", "samples --top", "plot --from", "gradcheck --seed"} <= spelled


@pytest.mark.parametrize("wrong", ["many", "", "1e", "0x10", "1,5", "½"])
@pytest.mark.parametrize(("command", "option"), NUMERIC)
def test_a_number_that_is_none_is_refused_in_plain_words(command, option, wrong, lossctl):
    flag = option.opts[-1]
    done = lossctl(command, f"{flag}={wrong}")
    assert (done.status, done.out) == (2, "")
    first, last = done.err.splitlines()
    assert first.startswith("error: Invalid value for ")
    assert flag in first
    assert first.endswith((f"'{wrong}' is no number.", f"'{wrong}' is no whole number."))
    assert "Input should" not in first
    assert last == f"Try lossctl {command} --help."


@pytest.mark.parametrize(("command", "option"), RANGED)
def test_a_number_out_of_range_is_told_the_range(command, option, lossctl):
    done = lossctl(command, f"{option.opts[-1]}={option.type.min - 1}")
    assert done.status == 2
    assert f"{option.type.min - 1} is not in the range " in done.err
    assert "Input should" not in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--what"], "No such option: --what"),
        (["eval", "--metric", "mse"], "No such option: --metric. It is --loss here."),
        (["evil"], "No such command 'evil'. Did you mean 'eval'?"),
        (["eval", "--quie"], "No such option: --quie (Possible options: --id, --quiet, --quote)"),
        (["eval", "--eps"], "Option '--eps' requires an argument."),
        (["gradcheck"], "Missing argument 'NAME'."),
        (["explain", "mse", "mae"], "Got unexpected extra argument(s) (mae)"),
        (["eval", "--color", "red"], "'red' is not one of 'auto', 'always', 'never'."),
    ],
    ids=" ".join,
)
def test_a_usage_error_of_typer_is_one_sentence_and_the_way_to_help(arguments, words, lossctl):
    done = lossctl(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")
    program = f"lossctl {arguments[0]}" if arguments[0] in EVERY_COMMAND else "lossctl"
    assert done.err.endswith(f"{words}\nTry {program} --help.\n")


@pytest.mark.parametrize(
    ("typed", "offered"), [("lossctl ", set(EVERY_COMMAND)), ("lossctl eval --loss hub", {"huber"})]
)
def test_a_shell_completes_commands_and_losses(typed, offered, plain_environment):
    environment = plain_environment(
        _LOSSCTL_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(typed.split(" ")) - 1)
    )
    command = [sys.executable, "-m", "lossctl"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert offered <= set(done.stdout.split())
    assert done.stderr == ""


def test_the_benchmark_of_the_start_runs_and_compares_installs(plain_environment, sample_data):
    script = Path(sys.executable).parent / "lossctl"
    if not script.exists():
        pytest.skip("lossctl is not installed as a script")
    command = [sys.executable, "benchmarks/start.py", "--runs", "1", script, script]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=plain_environment(),
        cwd=sample_data.parent,
        timeout=120,
        check=True,
    )
    *_, imports, evaluation, version, usage = done.stdout.splitlines()
    for line, title in (
        (imports, "import numpy"),
        (evaluation, "lossctl eval"),
        (version, "lossctl --v"),
        (usage, "lossctl --h"),
    ):
        assert line.startswith(title)
        assert line.count(" ms (") == 2


def test_what_flags_of_other_tools_are_called_here_is_a_flag_of_eval_and_they_are_none():
    own = {name for parameter in wired(commands.get("eval")).params for name in parameter.opts}
    assert {ours.split()[0] for ours in ELSEWHERE.values()} <= own
    assert {*ELSEWHERE} & own == set()


@pytest.mark.parametrize("command", ["eval", "doctor", "samples", "plot"])
def test_a_flag_of_another_tool_is_called_only_what_the_command_has(command, capsys):
    own = {name for parameter in wired(commands.get(command)).params for name in parameter.opts}
    for theirs, ours in ELSEWHERE.items():
        for spelled in (theirs, theirs.replace("-", "_").replace("__", "--", 1)):
            assert run([command, "FILE", spelled, "x"]) == 2
            assert (f"It is {ours} here." in capsys.readouterr().err) == (ours.split()[0] in own)
