"""The configuration: which file it is, which value comes first, and what is wrong with it and where."""

import json
import re
import sys

import jsonschema_rs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st

from lossctl.cli.app import app
from lossctl.cli.command import SETTLED, commands
from lossctl.cli.configuration import Configuration, nearest
from lossctl.cli.help import whole
from lossctl.cli.nearest import LARGEST
from lossctl.cli.precedence import Settled
from lossctl.cli.schema import configuration_schema, words_of
from lossctl.cli.settings import every_setting, settings_of
from lossctl.cli.written_gates import toml
from lossctl.errors import UsageError

TREE = typer.main.get_command(app)
NAMES = {"gradcheck": ["mse"], "schema": ["config"], "baseline": ["show"]}
"""What a command line must name."""
SCHEMA = configuration_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", every_setting())
def test_a_key_says_what_it_sets_of_every_command_that_takes_it(name):
    words = {
        entry.name: whole(options[name].words) for entry in commands if name in (options := settings_of(entry.run))
    }
    assert SCHEMA["properties"][name]["description"] == words_of(name)
    if len({*words.values()}) == 1:
        assert words_of(name) in words.values()
    for command, said in words.items():
        assert said in words_of(name)
        assert len({*words.values()}) == 1 or re.search(rf"\b{command}(, \w+)*: {re.escape(said)}", words_of(name))


def parsed(name, *flags):
    """What a command is given by a command line, and what was said elsewhere."""
    above = typer.Context(TREE, info_name="lossctl", help_option_names=["-h", "--help"])
    line = [*NAMES.get(name, []), *map(str, flags)]
    context = TREE.get_command(None, name).make_context(name, line, parent=above)
    return {key: getattr(value, "value", value) for key, value in context.params.items()}, context.meta.get(
        SETTLED, Settled()
    )


def some(setting, place=0):
    """A value that an option takes, of several."""
    if setting.choices:
        return setting.choices[place % len(setting.choices)]
    return {bool: True, str: f"word{place}", int: int(setting.low or 0) + place + 1, float: place + 0.5}[setting.kind]


def flags_of(setting, value):
    return (
        [setting.flag] * value
        if "quiet" in setting.name
        else [setting.flag]
        if value is True
        else [f"{setting.flag}={value}"]
    )


def test_every_long_option_can_be_set_but_for_what_says_what_to_do():
    for entry in commands:
        options = [option for option in TREE.get_command(None, entry.name).params if option.param_type_name == "option"]
        flags = {next(flag for flag in option.opts if flag.startswith("--")) for option in options}
        assert flags - {setting.flag for setting in settings_of(entry.run).values()} - {"--help"} <= {
            "--config", "--isolated", "--init", "--list", "--show-settings",
        }  # fmt: skip


@pytest.mark.parametrize("name", [entry.name for entry in commands])
def test_a_file_and_a_variable_set_what_a_flag_does_and_give_way_to_it(name, here, monkeypatch):
    said_otherwise = {"json", "from_logits", "scheduler"}  # see the next tests
    settings = [one for key, one in settings_of(commands.get(name).run).items() if key not in said_otherwise]
    choices = [[some(setting, place) for setting in settings] for place in range(3)]
    lines = [
        [flag for setting, value in zip(settings, values, strict=True) for flag in flags_of(setting, value)]
        for values in choices
    ]
    of_flag, of_variable, of_file = (parsed(name, *line)[0] for line in lines)
    pairs = zip(settings, choices[2], strict=True)
    (here / "lossctl.toml").write_text("".join(f"{one.flag[2:]} = {toml(value)}\n" for one, value in pairs))
    values, elsewhere = parsed(name)
    assert values == of_file
    assert elsewhere.origins == {one.parameter: f"lossctl.toml:{line}" for line, one in enumerate(settings, 1)}
    for setting, value in zip(settings, choices[1], strict=True):
        monkeypatch.setenv(setting.variable, "1" if value is True else str(value))
    values, elsewhere = parsed(name)
    assert values == of_variable
    assert elsewhere.origins == {setting.parameter: setting.variable for setting in settings}
    values, elsewhere = parsed(name, *lines[0])
    assert (values, elsewhere.origins) == (of_flag, {})
    values, elsewhere = parsed(name, "--isolated", *lines[0])
    assert (values, elsewhere.configuration) == ({**of_flag, "isolated": True}, None)


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ("json", "--format=csv"),
        ("format", "--json"),
        ("activation", "--from-logits"),
        ("from_logits", "--activation=exp"),
    ],
)
def test_a_flag_puts_away_what_the_file_says_to_the_contrary(said, flag, here):
    value = True if said in {"json", "from_logits"} else "tanh"
    (here / "lossctl.toml").write_text(f"{said} = {toml(value)}\n")
    alone, _ = parsed("eval", "--isolated", flag)
    values, elsewhere = parsed("eval", flag)
    assert ({**values, "isolated": True}, elsewhere.origins) == (alone, {})


LINES = [
    ["plot", "huber"],
    ["gradcheck", "huber", "--draws", "3"],
    ["explain", "huber"],
    ["explain"],
    ["help", "columns"],
    ["schema", "config"],
]
PICTURED = {
    "scheduler",
    "json",
    "format",
    "color",
    "output",
    "precision",
    "quiet",
    "verbose",
    "no_progress",
    "draws",
    "seed",
    "from",
    "to",
}
"""What is about how something is shown, or the shapes of losses."""


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_what_is_set_for_data_changes_nothing_of_what_has_none(line, lossctl, here):
    settings = {name: ways[0] for name, ways in every_setting().items() if name not in PICTURED}
    without = lossctl(*line, "-q")
    (here / "lossctl.toml").write_text("".join(f"{name} = {toml(some(way))}\n" for name, way in settings.items()))
    assert lossctl(*line, "-q") == without


def test_what_is_set_for_all_commands_is_not_refused_as_out_of_place(lossctl, here):
    (here / "rows.csv").write_text("y,p\n1,2\n2,2.5\n")
    line = ["rows.csv", "-y", "y", "-p", "p", "-l", "mse", "-q"]
    without = {name: lossctl(name, *line).out for name in ("eval", "samples")}
    (here / "lossctl.toml").write_text('threads = 2\nid = "id"\nsort = "n"\ntop = 3\ndraws = 5\nkind = "loss"\n')
    assert lossctl("eval", *line, "--engine", "serial").out == without["eval"]
    (here / "lossctl.toml").write_text("grad = true\nsamples = 1\nskill = true\n")
    assert lossctl("eval", *line, "-f", "value").out == "0.625\n"
    (here / "lossctl.toml").write_text("threads = 2\n")
    assert lossctl("samples", *line).out == without["samples"]
    pq.write_table(pa.table({"y": [1.0, 2.0], "p": [2.0, 2.5]}), here / "rows.parquet")
    (here / "lossctl.toml").write_text('delimiter = ";"\nnull-values = ["price=x"]\nskip_rows = 1\nquote = "none"\n')
    assert lossctl("eval", "rows.parquet", *line[1:], "-f", "value").out == "0.625\n"
    assert lossctl("eval", "rows.parquet", *line[1:], "-d", ";").status == 2


def test_the_traceback_of_a_bug_may_be_asked_for_once_and_for_all(lossctl, here, monkeypatch):
    def find(*_):
        raise ZeroDivisionError("of a bug")

    monkeypatch.setattr("lossctl.functions.explanation.find", find)
    (here / "lossctl.toml").write_text("verbose = true\n")
    crash = lossctl("explain", "mse").err
    assert "Traceback" in crash
    assert crash.splitlines()[-3:-2] == ["ZeroDivisionError: of a bug"]
    assert "Traceback" not in lossctl("explain", "mse", "--isolated").err


def test_what_is_set_elsewhere_is_said_where_it_is_measured_with_and_where_it_is_wrong(lossctl, here):
    (here / "rows.csv").write_text("y,p\n1,2\n2,2.5\n")
    (here / "lossctl.toml").write_text('label = "y"\nprecision = 3\n\nactivation = "tahn"\n')
    done = lossctl("eval", "rows.csv", "-p", "p", "-l", "mse")
    assert done.status == 2
    assert "lossctl.toml sets -y, --activation" in done.err
    (here / "lossctl.toml").write_text("# floor\neps = 0.1\n")
    done = lossctl("eval", "rows.csv", "-y", "y", "-p", "p", "-l", "mse", "-q")
    assert done.err.splitlines()[0].startswith("error: lossctl.toml:2: eps: none of the losses")


LATE = {
    "ci": 2,
    "lags": -1,
    "loss": ["mse", "huber:delta=-1"],
    "eps": 3.0,
    "reduction": "median",
    "where": "x ===",
    "activation": "tahn",
    "weight": "nowhere",
    "label": "nowhere",
    "pred": ["a=nowhere"],
    "by": "user,nowhere",
    "cluster": "nowhere",
    "format": "docx",
    "delimiter": "abc",
    "encoding": "latin-99",
    "quote": "ab",
    "engine": "gpu",
}
"""Values that are of the right type, and refused where they are used."""


@pytest.mark.parametrize("key", LATE)
@pytest.mark.parametrize("where", ["file", "variable"])
def test_a_value_that_is_refused_late_is_placed_as_one_that_is_refused_at_once(
    lossctl, here, monkeypatch, key, where, sample_data
):
    value = LATE[key]
    if where == "file":
        (here / "lossctl.toml").write_text(f"# a comment\n\n{key} = {json.dumps(value)}\n")
    else:
        monkeypatch.setenv(f"LOSSCTL_{key.upper()}", "\n".join(value) if isinstance(value, list) else str(value))
    done = lossctl("compare", sample_data / "clicks.csv", "-q")
    place = "lossctl.toml:3" if where == "file" else f"LOSSCTL_{key.upper()}"
    assert (done.status, done.err.splitlines()[0][: len(place) + len(key) + 9]) == (2, f"error: {place}: {key}")
    flag = {"label": "-y", "pred": "-p", "weight": "-w"}.get(key, f"--{key}")
    typed = lossctl("compare", sample_data / "clicks.csv", "-q", flag, value[-1] if isinstance(value, list) else value)
    assert place not in typed.err or key in {"loss", "by"}


@pytest.mark.parametrize(
    ("files", "where", "path"),
    [
        ({"lossctl.toml": "ci = 0.1"}, ".", "lossctl.toml"),
        ({".git/HEAD": "", "lossctl.toml": "ci = 0.5"}, "a/b", "../../lossctl.toml"),
        ({".git/HEAD": "", "lossctl.toml": "ci = 0.5", "a/lossctl.toml": "ci = 0.6"}, "a/b", "../lossctl.toml"),
        ({".git/HEAD": "", "lossctl.toml": "", "a/pyproject.toml": "[tool.x]"}, "a/b", "../../lossctl.toml"),
        ({".git/HEAD": "", "lossctl.toml": "", "a/pyproject.toml": "[tool.lossctl]"}, "a/b", "../pyproject.toml"),
        ({".git/HEAD": "", "a/pyproject.toml": "[tool]\nlossctl.ci = 0.5"}, "a/b", "../pyproject.toml"),
        ({".git/HEAD": "", "a/pyproject.toml": "tool = {lossctl = {ci = 0.5}}"}, "a", "pyproject.toml"),
        ({".git/HEAD": "", "a/lossctl.toml": "", "a/pyproject.toml": "[tool.lossctl]"}, "a", "lossctl.toml"),
        ({"lossctl.toml": "", "a/.git": "gitdir: elsewhere"}, "a/b", None),
        ({"a/b/lossctl.toml": ""}, "a/b", "lossctl.toml"),
        ({".git/HEAD": "", "a/pyproject.toml": "tool = 3 # lossctl"}, "a", None),
    ],
    ids=str,
)
def test_the_nearest_configuration_counts_up_to_the_root_of_the_repository(files, where, path, tmp_path, monkeypatch):
    (tmp_path / "top" / where).mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / name).write_text(text)
    monkeypatch.chdir(tmp_path / "top" / where)
    configuration = nearest()
    assert (configuration and configuration.path) == path


def test_a_file_that_is_only_found_neither_writes_elsewhere_nor_trusts_others(lossctl, tmp_path, monkeypatch):
    (tmp_path / "stranger" / "in").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "stranger")
    line = ["eval", "rows.csv", "-y", "y", "-p", "p", "-l", "mse", "-q"]
    (tmp_path / "stranger" / "rows.csv").write_text("y,p\n1,2\n2,2.5\n")
    (tmp_path / "mine.json").write_text("mine")
    (tmp_path / "stranger" / "link.json").symlink_to("../mine.json")
    for value in ("../mine.json", str(tmp_path / "mine.json"), "link.json", "in/../../mine.json"):
        (tmp_path / "stranger" / "lossctl.toml").write_text(f"output = {toml(value)}\n")
        done = lossctl(*line)
        assert (done.status, (tmp_path / "mine.json").read_text()) == (2, "mine")
        assert "lossctl.toml:1: output leads out of the folder" in done.err
    (tmp_path / "stranger" / "lossctl.toml").write_text('output = ["in/r.json", "r.csv"]\n')
    assert lossctl(*line).status == 0
    assert (tmp_path / "stranger" / "in" / "r.json").exists()
    (tmp_path / "stranger" / "lossctl.toml").write_text('output = "../mine.json"\n')
    assert lossctl(*line, "--config", "lossctl.toml").status == 0
    assert (tmp_path / "mine.json").read_text() != "mine"
    (tmp_path / "stranger" / "lossctl.toml").write_text('scheduler = "tcp://127.0.0.1:1"\n')
    assert "no file that is only found names one" in lossctl(*line).err
    assert parsed("eval", "--config=lossctl.toml")[0]["scheduler"] == "tcp://127.0.0.1:1"


def test_paths_are_relative_to_the_file_that_names_them(lossctl, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "preds[1].csv").write_text("id,p\n1,1.5\n2,2\n")
    (tmp_path / "labels.csv").write_text("id,y\n1,1\n2,2\n")
    gate = '[[gate]]\nname = "x"\nfile = "preds*.csv"\nloss = "mse"\nmax = 1\n'
    (tmp_path / "lossctl.toml").write_text('labels = "labels.csv"\nid = "id"\nlabel = "y"\npred = "p"\n' + gate)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert lossctl("check").status == 0
    assert lossctl("--config", "../../lossctl.toml", "check").status == 0
    assert lossctl("check", "--config", tmp_path / "lossctl.toml").status == 0
    assert lossctl("check", "--isolated").status == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ci = = 3", "{}:1: is no TOML"),
        ("\n\nci = 0.9\nci = 0.8", "{}:4: is no TOML"),
        ('\nlable = "y"', "{}:2: unknown key 'lable'\nDid you mean label"),
        ('\nprediction = "p"', "{}:2: unknown key 'prediction'\nSay pred."),
        ("gates = []", "{}:1: unknown key 'gates'\nDid you mean gate"),
        ('null-values = "x"\nnull_values = "y"', "{}:2: 'null_values' says again what 'null-values' says"),
        ('ci = "many"', "{}:1: ci must be a number, not 'many'"),
        ("from_logits = 1", "{}:1: from_logits must be true or false, not 1"),
        ("precision = 99", "{}:1: precision must be a whole number from 1 to 17"),
        ('nulls = "skip"', "{}:1: nulls must be error or drop, not 'skip'"),
        ("[gate]\nname = 3", "{}:1: gate is no list of tables\nBegin each with [[gate]]."),
        ('[[gate]]\nname = "a"\nmax = 1\n[[gate]]\nname = "b"\n\nmx = 1', "{}:7: gate 'b' has no key 'mx'\nDid you"),
        ('[[gate]]\nname = "a"\nmax = 1\nnulls = "skip"', "{}:4: nulls must be error or drop"),
        ('[[gate]]\nname = "a"\nmax = 1\nonly.x = []', "{}:4: gate 'a': only must be"),
        ("[[gate]]\nmax = 1", "{}:1: a gate needs a name"),
        ('[[gate]]\nname = "a"\n\n[gate.only]\nx = "y"', "{}:1: gate 'a' claims nothing"),
        ('[[gate]]\nname = "a"\nmax = 1\n\nloss = "msee"', "{}:5: gate 'a': unknown loss 'msee'\nDid you mean mse"),
        ('[[gate]]\nname = "a"\nconfidence = 95\nmax = 1', "{}:3: gate 'a': confidence 95"),
        ('[[gate]]\nname = "a"\nmin_n = 0', "{}:3: gate 'a': min_n 0"),
        ("a = " + "[" * 5000, "{}: is nested too deeply"),
        ("x" * (LARGEST + 1), "{}: is too large for a configuration"),
        (b"\n# \xff", "{}:2: is not UTF-8"),
    ],
    ids=range(22),
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(text, words, lossctl, here):
    (here / "c.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = lossctl("check", "--list", "--config", "c.toml")
    assert (done.status, done.out) == (2, "")
    assert "error: " + words.format("c.toml") in done.err
    if b"gate]]" not in (here / "c.toml").read_bytes():
        assert lossctl("--config", "c.toml", "explain", "mse").err == done.err


def test_help_is_there_whatever_the_configuration_is(lossctl, here):
    (here / "lossctl.toml").write_text("= = =")
    assert lossctl("eval", "--help").status == 0
    assert lossctl("eval", "rows.csv").status == 2


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CI", "x", "LOSSCTL_CI: ci must be a number, not 'x'"),
        ("FROM_LOGITS", "maybe", "LOSSCTL_FROM_LOGITS: from_logits must be 1 or 0"),
        ("CONFIG", "nowhere.toml", "nowhere.toml: cannot be read"),
    ],
)
def test_a_variable_that_is_wrong_is_named(variable, value, words, lossctl, here, monkeypatch):
    monkeypatch.setenv(f"LOSSCTL_{variable}", value)
    done = lossctl("eval", "rows.csv")
    assert done.status == 2
    assert words in done.err


def test_a_variable_that_sets_nothing_but_nearly_does_is_a_warning(lossctl, here, monkeypatch):
    monkeypatch.setenv("LOSSCTL_PRECISON", "3")
    monkeypatch.setenv("LOSSCTL_BUILD_NUMBER", "3")
    done = lossctl("explain", "mse", "-f", "json")
    assert done.err == "warning: LOSSCTL_PRECISON sets nothing. Did you mean LOSSCTL_PRECISION?\n"


def test_every_setting_is_shown_with_what_has_set_it(lossctl, here, monkeypatch):
    (here / "lossctl.toml").write_text('# mine\nlabel = "y"\nsamples = 5\nnulls = "drop"\n')
    monkeypatch.setenv("LOSSCTL_NULLS", "error")
    shown = lossctl("check", "--show-settings", "--json", "-w", "w").json
    origins = {setting["setting"]: (setting["value"], setting["from"]) for setting in shown["settings"]}
    assert origins["label"] == (["y"], "lossctl.toml:2")
    assert origins["samples"] == (5, "lossctl.toml:3")
    assert origins["nulls"] == ("error", "LOSSCTL_NULLS")
    assert origins["weight"] == ("w", "flag")
    assert origins["join"] == ("strict", "default")


GATE = {
    "name": st.sampled_from(["a", "b", " ", 3]),
    "file": st.sampled_from(["rows.csv", ["rows.csv"], "nowhere.csv", 1]),
    "loss": st.sampled_from(["mse", "mae", 1]),
    "max": st.sampled_from([0.5, 2, "x", True]),
    "max_increase": st.sampled_from([0.5, "1%", "1 percent", [1]]),
    "min_n": st.sampled_from([1, 0, 1.5]),
    "min_skill": st.sampled_from([0.1, 2]),
    "baseline": st.sampled_from(["p", "nowhere.csv", 2]),
    "by": st.sampled_from(["g", ["g"], 1, [1]]),
    "confidence": st.sampled_from([0.9, 1, 0]),
    "fail-if": st.sampled_from(["point", "maybe"]),
    "label": st.sampled_from(["y", ["y"], 1, True, "z"]),
    "ignore_label": st.sampled_from(["-1", -1, [-1, "x"], {"a": 1}]),
    "nulls": st.sampled_from(["drop", "no"]),
    "limit": st.sampled_from([1, 0, "1"]),
    "weigth": st.just("w"),
}
TOP = {
    "label": st.sampled_from(["y", ["y"], 1.5, False]),
    "pred": st.sampled_from(["p", ["p", "q"], [["p"]], {"a": 1}]),
    "null-values": st.sampled_from(["x", ["x", 3], [True]]),
    "classes": st.sampled_from(["a,b", ["a", "b"], True]),
    "ci": st.sampled_from([0.9, 1, "0.9"]),
    "precision": st.sampled_from([3, 0, 18, 2.5]),
    "from_logits": st.sampled_from([True, False, 1]),
    "color": st.sampled_from(["never", "blue"]),
    "quiet": st.sampled_from([1, -1]),
    "lable": st.just("y"),
    "verbose": st.just(True),
}
EVENTS: dict[str, list[str]] = {}
"""Under "now", which files are opened and what else is started, while somebody wants to know."""


def _hear(event, arguments):
    if "now" in EVENTS and event in {"open", "subprocess.Popen", "os.system", "os.exec", "exec", "socket.connect"}:
        EVENTS["now"].append(f"{event} {arguments[0]}")


sys.addaudithook(_hear)


def said(table):
    """A table as TOML."""
    gates = table.get("gate", [])
    lines = [f"{key} = {inline(value)}" for key, value in table.items() if key != "gate"]
    for gate in gates:
        lines += ["[[gate]]", *(f"{key} = {inline(value)}" for key, value in gate.items())]
    return "\n".join(lines) + "\n"


def inline(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(each)}" for key, each in value.items()) + "}"
    return toml(value)


def tables(keys, always=()):
    return st.fixed_dictionaries(
        {key: keys[key] for key in always}, optional={key: value for key, value in keys.items() if key not in always}
    )


@st.composite
def configurations(draw):
    few = draw(st.sets(st.sampled_from([*GATE]), max_size=4)) | {"name", "file"}
    some_keys = draw(st.sets(st.sampled_from([*TOP]), max_size=3))
    table = draw(tables({key: TOP[key] for key in some_keys}))
    gates = draw(st.lists(tables({key: GATE[key] for key in few}, ["name"]), max_size=2))
    return {**table, **({"gate": gates} if gates else {})}


@given(configurations())
def test_the_schema_accepts_what_is_accepted(table):
    """But for what no schema can say: two gates of one name, and which losses and groups there are."""
    lossctl_accepts = _is_accepted(table)
    assert VALIDATOR.is_valid(table) == lossctl_accepts


def _is_accepted(table):
    from lossctl.cli.commands.check import _gate
    from lossctl.cli.precedence import _of_file

    configuration = Configuration(
        "c", {key: value for key, value in table.items() if key != "gate"}, table.get("gate", [])
    )
    try:
        [*_of_file(settings_of(commands.get("check").run), configuration)]
        for number in range(len(configuration.gates)):
            _gate(configuration, number, None)
    except UsageError:
        return False
    return True


def test_the_schema_is_one_and_is_what_is_shipped(lossctl):
    jsonschema_rs.meta.validate(SCHEMA)
    assert lossctl("schema", "config").json == SCHEMA


TEXTS = st.one_of(
    configurations().map(said),
    st.builds(
        lambda table, cut, junk: said(table)[:cut] + junk, configurations(), st.integers(0, 200), st.text(max_size=9)
    ),
    st.text(alphabet="[]{}=.\"'#\n\\ agtenm1", max_size=40),
)


@given(TEXTS)
@example('[[gate]]\nname = "a"\nfile = "$(touch x)"\nloss = "mse"\nmax = 1\n')
@example('[[gate]]\nname = "a"\nfile = "rows.csv"\nlabel = "y"\npred = "p"\nloss = "mse"\nmax = 1\n')
@example(
    'where = "__import__(\'os\').system(\'true\')"\n[[gate]]\nname = "a"\nfile = "rows.csv"\nloss = "mse"\nmax = 1\n'
)
def test_any_text_is_an_error_with_its_place_or_runs_and_opens_what_it_names(lossctl, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("y,p,q,g\n1,2,2,a\n2,2.5,2,b\n")
    (tmp_path / "c.toml").write_text(text, encoding="utf-8", newline="")
    EVENTS["now"] = []
    try:
        done = lossctl("check", "--config", "c.toml", "--engine", "serial", "-q")
    finally:
        events = EVENTS.pop("now")
    files = {event.removeprefix("open ") for event in events if event.startswith("open ")}
    ours = {name for name in files if str(tmp_path) in name or not name.startswith("/")}
    assert {name for name in ours if not name.isdecimal()} <= {"c.toml", "rows.csv", "nowhere.csv", "$(touch x)"}
    assert [event for event in events if not event.startswith(("open ", "exec <code object <module>"))] == []
    assert done.status in {0, 1, 2, 3, 4}, done.err
    if done.status == 2:
        assert re.match(r"error: c\.toml(:\d+)?: |error: gate '|error: there is no gate", done.err), done.err


@pytest.mark.parametrize("kind", ["folder", "link"])
@pytest.mark.parametrize("command", ["eval", "check"])
def test_a_configuration_that_cannot_be_read_is_not_passed_over(lossctl, tmp_path, monkeypatch, kind, command):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n3,5\n")
    path = tmp_path / "lossctl.toml"
    path.mkdir() if kind == "folder" else path.symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    done = lossctl(command, "rows.csv", "-l", "mse")
    assert (done.status, done.out) == (2, "")
    assert "lossctl.toml: cannot be read" in done.err
