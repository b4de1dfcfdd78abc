"""`lossctl check`: verdicts, exit status, and a configuration to begin with."""

import csv
import json
import math
import random
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import lossctl as library
from lossctl.arguments import ELSEWHERE
from lossctl.comparison.declared import KEYS, SETTINGS, declared

ROWS = [(i % 2, 0.4 + 0.2 * (i % 2), 0.3 + 0.4 * (i % 2) + i % 7 / 100, i % 3) for i in range(60)]
PREDS = "y,p_old,p,g\n" + "".join(f"{y},{p_old},{p},{g}\n" for y, p_old, p, g in ROWS)
BCE = sum(-math.log(p if y else 1.0 - p) for y, _, p, _ in ROWS) / len(ROWS)
HEAD = 'label = "y"\npred = ["p_old", "p"]\n'
PASS = '[[gate]]\nname = "fine"\nfile = "preds.csv"\nloss = "bce"\nmax_increase = 0\n'
FAIL = '[[gate]]\nname = "low"\nfile = "preds.csv"\nloss = "bce"\nmodel = "p"\nmax = 0.1\n'
ERROR = '[[gate]]\nname = "gone"\nfile = "nowhere.csv"\nloss = "bce"\nmax = 9\n'
OPEN = FAIL.replace("low", "open").replace("max = 0.1", f'max = {BCE}\npass_if = "proven"\n')
STRICT = OPEN.replace("open", "strict") + 'on_inconclusive = "fail"\n'
WRONG = PASS.replace("loss", "lss")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "preds.csv").write_text(PREDS)
    return tmp_path


@pytest.mark.parametrize(
    ("gates", "flags", "status", "words"),
    [
        ([PASS], [], 0, ["PASS fine"]),
        ([PASS, OPEN], [], 0, ["PASS fine", "INCONCLUSIVE open"]),
        ([PASS, OPEN], ["--on-inconclusive", "fail"], 4, ["PASS fine", "INCONCLUSIVE open"]),
        ([STRICT], [], 4, ["INCONCLUSIVE strict"]),
        ([STRICT], ["--on-inconclusive", "warn"], 0, ["INCONCLUSIVE strict"]),
        ([PASS, FAIL, STRICT], [], 1, ["PASS fine", "FAIL low", "INCONCLUSIVE strict"]),
        ([ERROR, FAIL, PASS, STRICT], [], 3, ["ERROR gone", "FAIL low", "PASS fine", "INCONCLUSIVE strict"]),
        ([PASS, FAIL], ["--only", "fine"], 0, ["PASS fine"]),
        ([PASS, WRONG], [], 2, []),
        ([], [], 2, []),
        ([PASS], ["--only", "fin"], 2, []),
        ([PASS], ["preds.csv"], 2, []),
        ([PASS, PASS], [], 2, []),
    ],
    ids=range(13),
)
def test_the_exit_status_is_that_of_the_worst_and_all_are_printed(lossctl, here, gates, flags, status, words):
    (here / "lossctl.toml").write_text(HEAD + "".join(gates))
    done = lossctl("check", *flags)
    assert done.status == status, done.err
    assert [" ".join(line.split(":")[0].split()[:2]) for line in done.out.splitlines()] == words
    if status != 2:
        record = lossctl("check", *flags, "--json")
        assert (record.status, record.json["exit_code"]) == (status, status)


def test_files_on_the_line_are_those_of_gates_that_name_none(lossctl, here):
    (here / "lossctl.toml").write_text(HEAD + PASS.replace('file = "preds.csv"\n', ""))
    assert lossctl("check").status == 2
    assert lossctl("check", "preds.csv").status == 0


@pytest.mark.parametrize(("flag", "own"), [("--label=y", 'label = "y"'), ("--loss=mse", ""), ("--by=g", 'by = "g"')])
def test_a_flag_that_every_gate_says_itself_is_refused(lossctl, here, flag, own):
    (here / "lossctl.toml").write_text(HEAD + PASS + own + "\n")
    done = lossctl("check", flag)
    assert (done.status, done.out) == (2, "")
    assert f"{flag.partition('=')[0]} would change nothing: every gate says it itself" in done.err
    (here / "lossctl.toml").write_text(HEAD + PASS + own + '\n[[gate]]\nname = "rows"\nfile = "preds.csv"\nmin_n = 1\n')
    assert lossctl("check", flag).status == 0


def test_a_list_names_the_gates_and_reads_nothing(lossctl, here):
    (here / "lossctl.toml").write_text(HEAD + PASS + ERROR)
    (here / "preds.csv").unlink()
    done = lossctl("check", "--list", "--json")
    assert done.status == 0
    assert [(gate["name"], gate["claim"]) for gate in done.json["gates"]] == [
        ("fine", "increase of bce over the first model <= 0"),
        ("gone", "bce <= 9"),
    ]


def test_verdicts_are_written_to_files_too(lossctl, here):
    (here / "lossctl.toml").write_text(HEAD + PASS + FAIL)
    done = lossctl("check", "-o", "verdicts.json")
    assert done.status == 1
    record = json.loads((here / "verdicts.json").read_text())
    assert (record["verdict"], record["exit_code"]) == ("fail", 1)
    assert [gate["file"] for gate in record["gates"]] == ["preds.csv"] * 2
    assert lossctl("check", "-o", "preds.csv").status == 2
    assert (here / "preds.csv").read_text() == PREDS


FILES = (
    "binary.csv", "classes.parquet", "clicks.csv", "clicks_main.parquet", "counts.parquet", "logits.csv",
    "regression.csv", "scores.parquet",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_configuration_to_begin_with_holds_at_once_and_so_does_its_example(
    lossctl, sample_data, monkeypatch, name, tmp_path
):
    monkeypatch.chdir(tmp_path)
    done = lossctl("check", "--init", sample_data / name)
    if done.status == 2:  # what it is cannot be told, and the lines to copy say so
        done = lossctl(*done.err.splitlines()[2].split()[1:])
    assert done.status == 0, done.err
    checked = lossctl("check", "--json")
    assert (checked.status, checked.json["verdict"]) == (0, "pass")
    text = (tmp_path / "lossctl.toml").read_text()
    again = lossctl("check", "--init", sample_data / name)
    assert (again.status, (tmp_path / "lossctl.toml").read_text()) == (2, text)
    example = "no-worse" in {gate["name"] for gate in uncommented(lossctl, tmp_path).json["gates"]}
    assert example, text


def uncommented(lossctl, folder):
    """What comes of all gates, those that are commented too; no column of these may be missing."""
    written = folder / "lossctl.toml"
    written.write_text(re.sub(r"(?m)^# (?=\[\[gate|\w+ = )", "", written.read_text()))
    done = lossctl("check", "--json")
    assert done.status == 0, done.out or done.err
    return done


MODELS = {
    "a label and three numbers": ["three.csv", "-y", "y", "-p", "a", "-p", "old one=b", "-p", "c"],
    "rows of classes": ["classes.csv", "-y", "label", "-p", "a=a_*", "-p", "b=b_*", "-l", "cross_entropy"],
    "tokens": ["tokens.jsonl", "-p", "a", "-p", "b", "-l", "perplexity:log=true"],
    "two of a name": ["three.csv", "-y", "y", "-p", "a", "-p", "b", "-l", "huber:delta=1,huber:delta=2"],
    "quantiles": [
        "quantiles.csv",
        "-y",
        "y",
        "-p",
        "a=a10,a50,a90",
        "-p",
        "b=b10,b50,b90",
        "-l",
        "quantiles:tau=0.1/0.5/0.9",
    ],
}


@pytest.mark.parametrize("kind", MODELS)
def test_each_of_several_models_has_a_limit_of_its_own(lossctl, here, kind):
    draw = random.Random(13).gauss
    rows = [(y, *(y + draw(0, size) for size in (4, 1, 2))) for y in (draw(0, 9) for _ in range(60))]
    (here / "three.csv").write_text(
        "id,y,a,b,c\n" + "".join(f"{i},{','.join(map(str, r))}\n" for i, r in enumerate(rows))
    )
    head = "y,a10,a50,a90,b10,b50,b90\n"
    ends = [(y, *(one + d for one in (a, b) for d in (-1.3, 0, 1.3))) for y, a, b, _ in rows]
    (here / "quantiles.csv").write_text(head + "".join(f"{','.join(map(str, row))}\n" for row in ends))
    shares = [(i % 2, 0.5 + 0.4 * abs(math.sin(i)), 0.6 + 0.3 * abs(math.sin(i))) for i in range(60)]
    cells = [
        ("cat" if y else "dog", *(x for p in (a, b) for x in ((p, 1 - p) if y else (1 - p, p)))) for y, a, b in shares
    ]
    (here / "classes.csv").write_text(
        "label,a_cat,a_dog,b_cat,b_dog\n" + "".join(f"{','.join(map(str, row))}\n" for row in cells)
    )
    tokens = [
        {"a": [math.log(a)] * (3 + i % 4), "b": [math.log(b)] * (3 + i % 4)} for i, (_, a, b) in enumerate(shares)
    ]
    (here / "tokens.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in tokens))
    assert lossctl("check", "--init", *MODELS[kind], "-q").status == 0
    gates = [gate for gate in lossctl("check", "--json", "-q").json["gates"] if gate["kind"] == "max"]
    assert len({gate["model"] for gate in gates}) > 1
    for gate in gates:  # 5 % above, in three digits
        assert 1.05 <= gate["limit"] / gate["value"] < 1.065, gate["line"]
    uncommented(lossctl, here)


@pytest.mark.parametrize(
    ("files", "holds", "how"), [(["worse", "main"], True, "--id=id"), (["main", "worse"], False, "--join=order")]
)
def test_of_a_file_a_model_the_first_is_the_baseline(lossctl, sample_data, tmp_path, monkeypatch, files, holds, how):
    monkeypatch.chdir(tmp_path)
    before, now = (str(sample_data / f"clicks_{name}.csv") for name in files)
    done = lossctl("check", "--init", before, now, how)
    assert done.status == 0
    said = [line for line in done.err.splitlines() if line.startswith("note: gate 'no-worse' fails as the files are")]
    assert len(said) == (not holds)
    text = (tmp_path / "lossctl.toml").read_text()
    assert ("\nbaseline = " in text, "# baseline = " in text, "# This fails" in text) == (holds, not holds, not holds)
    checked = lossctl("check", "--json")
    assert (checked.status, {gate["file"] for gate in checked.json["gates"]}) == (0, {now})
    (tmp_path / "lossctl.toml").write_text(re.sub(r"(?m)^# (?=\[\[gate|\w+ = )", "", text))
    checked = lossctl("check")
    assert checked.status == (not holds)
    why = [line.removeprefix("FAIL no-worse ")[:30] for line in checked.out.splitlines() if line.startswith("FAIL")]
    assert all(words in line and "max_increase" in line for words, line in zip(why[:1], said, strict=True))


def test_a_baseline_that_a_file_cannot_be_held_against_is_told(lossctl, here):
    rows = PREDS.splitlines(keepends=True)
    for name, lines in (("main.csv", rows), ("pr.csv", rows[:-1])):
        (here / name).write_text("".join(f"{n or 'key'},{line}" for n, line in enumerate(lines)))
    done = lossctl("check", "--init", "main.csv", "pr.csv", "-y", "y", "-p", "p", "-l", "mae", "--id", "key")
    assert done.status == 0, done.err
    assert "note: no gate has main.csv as its baseline: 1 rows of main.csv are not in pr.csv" in done.err
    assert "baseline" not in (here / "lossctl.toml").read_text()


@pytest.mark.parametrize(("more", "told"), [((), True), (("--labels", "labels.csv", "--id", "key"), False)])
def test_several_files_are_told_how_the_first_is_the_baseline_where_it_can_be(lossctl, here, more, told):
    rows = [f"{n or 'key'},{line}" for n, line in enumerate(PREDS.splitlines(keepends=True))]
    (here / "a.csv").write_text("".join(rows))
    (here / "b.csv").write_text(rows[0] + "".join(f"x{row}" for row in rows[1:]))
    (here / "labels.csv").write_text(
        "key,truth\n" + "".join(f"{tens}{n},{n % 2}\n" for tens in ("", "x") for n in range(1, len(rows)))
    )
    label = () if more else ("-y", "y")
    done = lossctl("check", "--init", "a.csv", "b.csv", "-p", "p", "-l", "mae", *label, *more)
    assert done.status == 0, done.err
    assert ("--id COL makes the first of two the baseline" in done.err) == told


def test_a_configuration_to_begin_with_has_what_the_line_says(lossctl, here):
    (here / "preds.csv").write_text(PREDS.replace(",", ";"))
    done = lossctl("check", "--init", "preds.csv", "-d", ";", "-p", "base=p_old", "-p", "p", "--by", "g")
    assert done.status == 0, done.err
    checked = lossctl("check")
    assert checked.status == 0
    words = [line.split()[0] for line in checked.out.splitlines()]
    assert words == ["PASS"] * 3 * 2 + ["INFO", *["PASS"] * 3] * 2


@pytest.mark.parametrize(
    ("by", "words", "own"),
    [
        ("g", lambda row: [("a\n[[gate]]", "b")[row % 2]], True),
        ("g,h", lambda row: [str(row % 2), str(row // 2 % 2)], True),
        ("g", lambda row: [("a\n[[gate]]", "")[row % 2]], False),  # no TOML can name a null
        ("g", lambda row: [str(row % 13)], False),  # too many
        ("g:month", lambda row: [f"2025-0{1 + row % 2}-1{row % 7}"], False),  # other months in another file
        ("g,h", lambda row: [("a", "b c"), ("a b", "c")][row % 2], False),  # two gates would be called the same
    ],
    ids=range(6),
)
def test_each_group_has_a_limit_of_its_own_or_the_worst_is_named(lossctl, here, by, words, own):
    groups = {}
    with (here / "preds.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["y", "p", "g", "h"][: len(words(0)) + 2])
        for row in range(130):
            error = (row % 26 + 1) / 8
            table.writerow([0, error if row % 3 else -error, *words(row)])
            groups.setdefault(tuple(word[:7] if by == "g:month" else word for word in words(row)), []).append(error)
    done = lossctl("check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "--by", by, "-q")
    assert done.status == 0, done.err
    text = (here / "lossctl.toml").read_text()
    *limits, rows = tomllib.loads(text)["gate"]
    means = {group: sum(errors) / len(errors) for group, errors in groups.items()}
    wanted = means if own else {(): max(means.values())}
    limit = {tuple(gate.get("only", {}).values()): gate["max"] for gate in limits}
    assert limit.keys() == wanted.keys()
    assert all(1.05 <= limit[group] / mean < 1.065 for group, mean in wanted.items())
    assert rows["min_n"] == min(map(len, groups.values()))
    assert f"min_n = {rows['min_n']}  # as many rows as the smallest group, g=" in text
    assert ("in the worst group, g=" in text, "Each group has a limit of its own" in text) == (not own, own)
    assert not own or lossctl("check", "-q").status == 0


def test_a_limit_says_from_where_on_it_fails(lossctl, here):
    # of errors 1 and 3 alike often the mean is 2 and the standard error 1/√(n − 1); t₀.₉₅ of 99 is 1.6604
    rows = "".join(f"0,{1 + 2 * (row % 2)}\n" for row in range(100))
    (here / "preds.csv").write_text(f"y,p\n{rows}")
    assert lossctl("check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "-q").status == 0
    least = 2.1 + 1.6604 / math.sqrt(99)
    words = f"max = 2.1  # 5 % above what it was, 2.00; fails where proven, from about {least:.2f} on (13 % more)"
    assert words in (here / "lossctl.toml").read_text()


def test_without_a_configuration_there_is_a_way_to_one(lossctl, here):
    done = lossctl("check", "preds.csv")
    assert (done.status, done.out) == (2, "")
    assert "lossctl check --init FILE" in done.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('where = "y >"', "lossctl.toml:8: gate 'low': where"),
        ('activation = "tahn"', "lossctl.toml:8: gate 'low': unknown activation 'tahn'"),
    ],
)
def test_a_gate_that_cannot_be_measured_for_its_words_is_told_with_its_line(lossctl, here, more, words):
    (here / "lossctl.toml").write_text(HEAD + PASS + FAIL + more + "\n")
    done = lossctl("check", "-q")
    assert (done.status, done.out) == (2, "")
    assert f"error: {words}" in done.err


def test_the_sample_gates_tell_the_build_that_got_worse(lossctl, sample_data):
    done = lossctl("check", "--config", sample_data / "gates" / "lossctl.toml", "--json")
    assert done.status == 1
    verdicts = {gate["name"]: gate["verdict"] for gate in done.json["gates"]}
    assert [name for name, verdict in verdicts.items() if verdict != "pass"] == ["build-is-no-worse"]
    assert verdicts["build-is-no-worse"] == "fail"


def test_a_baseline_is_an_input_too(lossctl, here):
    (here / "main.csv").write_text(PREDS)
    gate = PASS + 'baseline = "main.csv"\npred = "p"\njoin = "order"\n'
    (here / "lossctl.toml").write_text('label = "y"\n' + gate)
    assert lossctl("check").status == 0
    (here / "main.csv").rename(here / "main.json.csv")
    (here / "lossctl.toml").write_text('label = "y"\n' + gate.replace("main.csv", "main.json.csv"))
    done = lossctl("check", "-o", "main.json.csv")
    assert (done.status, (here / "main.json.csv").read_text()) == (2, PREDS)


@pytest.fixture
def apart(here, sample_data):
    """Two models' predictions in a file each, the rows of the second in another order, and a gate on the increase."""
    import pandas as pd

    both = pd.read_csv(sample_data / "clicks.csv")
    for name in ("main", "new"):
        rows = both[["id", "user", "label", f"p_{name}"]].rename(columns={f"p_{name}": "p"})
        rows.iloc[:: 1 if name == "main" else -1].to_csv(f"{name}.csv", index=False)
    both.to_csv("both.csv", index=False)
    (here / "lossctl.toml").write_text('[[gate]]\nname = "no-regress"\nloss = "bce"\nmax_increase = "1%"\n')
    return here


def test_two_files_with_a_key_are_a_model_each_as_for_compare(lossctl, apart):
    assert lossctl("check", "main.csv", "new.csv", "--id", "id", "-q").out == lossctl("check", "both.csv", "-q").out
    assert lossctl("check", "new.csv", "main.csv", "--id", "id", "-q").status == 1
    more = lossctl("check", "main.csv", "new.csv", "new.csv", "--id", "id", "-q")
    assert (more.status, "one at a time" in more.err) == (2, True)
    pooled = lossctl("check", "main.csv", "new.csv", "-q")
    assert (pooled.status, 'baseline = "main.csv"' in pooled.out) == (3, True)
    (apart / "lossctl.toml").write_text('[[gate]]\nname = "low"\nloss = "bce"\nmax = 1\n')
    assert lossctl("check", "main.csv", "new.csv", "--id", "id", "-q").status == 2


def test_a_baseline_into_a_folder_that_is_not_there_says_how_to_make_it(lossctl, apart):
    done = lossctl("baseline", "save", "main.csv", "-l", "bce", "--id", "id", "-o", "base lines/main.json", "-q")
    assert (done.status, done.err.splitlines()[-1]) == (2, "Make it: mkdir -p 'base lines'")


def test_a_limit_that_is_a_part_of_the_baseline_is_a_percentage_in_junit(lossctl, apart):
    assert 'name="no-regress: limit" value="1 %"' in lossctl("check", "both.csv", "-q", "-f", "junit").out


def test_what_is_written_of_one_file_reaches_no_other_and_a_second_is_added(lossctl, here):
    key = "".join(f"{row},{row % 2},{0.3 + row % 4 / 10}\n" for row in range(60))
    (here / "solution.csv").write_text("key,y\n" + "".join(f"{row},{row % 2}\n" for row in range(60)))
    (here / "sub.csv").write_text("key,q\n" + re.sub(r"(?m)^(\d+),\d+,", r"\1,", key))
    (here / "other.csv").write_text("id,y_true,y_pred\n" + key)
    alone = lossctl("eval", "other.csv", "-q").out
    of_first = ["check", "--init", "sub.csv", "--labels", "solution.csv", "--id", "key"]
    assert lossctl(*of_first, "-q").status == 0
    first = (here / "lossctl.toml").read_text()
    assert {*tomllib.loads(first)} == {"gate"}
    assert lossctl("eval", "other.csv", "-q").out == alone
    done = lossctl("check", "--init", "other.csv", "--by", "id:2", "-q")
    assert done.status == 0, done.err
    text = (here / "lossctl.toml").read_text()
    assert text.startswith(first.rstrip())
    gates = tomllib.loads(text)["gate"]
    assert [gate["name"] for gate in gates[:2]] == ["bce-not-above", "enough-rows"]
    assert all(gate["name"].startswith("other-") and gate["by"] == ["id:2"] for gate in gates[2:])
    assert all(("labels" in gate) == (gate["file"] == "sub.csv") for gate in gates)
    assert lossctl("check", "-q").status == 0
    again = lossctl(*of_first, "-q")
    assert (again.status, (here / "lossctl.toml").read_text()) == (2, text)
    apart = lossctl("check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "-d", ",", "-q")
    assert apart.status == 2  # a sign between cells is of all gates
    assert 'delimiter = ","' in apart.err
    uncommented(lossctl, here)


@pytest.mark.parametrize(
    "before",
    [
        b"\xef\xbb\xbf# ours: \xc3\xa9\r\nprecision = 4  # four\r\n\r\n\r\n",
        b"# no end of the line",
        b'[[gate]] # keep\nname = "x"\nmax = 9\nloss="mae"\nfile="p.csv"\nby="g"\n[gate.only]\ng="a"',
        b"",
    ],
    ids=["signed, of Windows", "cut", "table in a gate", "empty"],
)
def test_a_configuration_that_gates_are_added_to_keeps_every_byte(lossctl, here, before):
    (here / "p.csv").write_text("y,p,g\n" + "".join(f"{row % 5},{row % 3},a\n" for row in range(40)))
    (here / "lossctl.toml").write_bytes(before)
    init = ["check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "-q"]
    assert lossctl(*init).status == 0
    after = (here / "lossctl.toml").read_bytes()
    assert after.startswith(before)
    added = after[len(before) :]
    assert added.count(b"\r\n") == (added.count(b"\n") if b"\r" in before else 0)
    assert len(tomllib.loads(after.decode("utf-8-sig"))["gate"]) == before.count(b"[[gate]]") + 2
    assert lossctl("check", "-q").status == 0
    again = lossctl("check", "--init", "./preds.csv", *init[3:])
    assert (again.status, (here / "lossctl.toml").read_bytes()) == (2, after)
    assert "is there already, with gates of ./preds.csv" in again.err


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ('gate = [{ name = "x", file = "p.csv", loss = "mae", max = 9 }]\n', "in one list, gate = […]"),
        ('[[gate]]\nname = "x"\nfile = 3\nmax = 9\n', "file must be text or a list of text, not 3"),
        ('[[gate]]\nname = "x"\nfiles = "p.csv"\nmax = 9\n', "gate 'x' has no key 'files'"),
    ],
)
def test_a_configuration_that_no_gate_can_be_added_to_stays_as_it_is(lossctl, here, before, said):
    (here / "lossctl.toml").write_text(before)
    done = lossctl("check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "-q")
    assert (done.status, (here / "lossctl.toml").read_text()) == (2, before)
    assert said in done.err


def test_an_error_that_a_configuration_leads_to_says_how_to_go_without(lossctl, here):
    (here / "lossctl.toml").write_text('labels = "solution.csv"\nid = "key"\n')
    (here / "solution.csv").write_text("key,y\n1,0\n")
    for words in (["eval", "preds.csv"], ["eval", "preds.csv", "--id", "g=key"], ["samples", "preds.csv", "-l", "mae"]):
        done = lossctl(*words, "-q")
        assert done.status in {2, 3}
        assert re.search(r"(?m)^lossctl.toml sets --labels.*; --isolated goes without\.$", done.err), done.err
    assert "--isolated" not in lossctl("eval", "preds.csv", "-l", "mae", "--isolated").err
    for wrong in ('lable = "y"', "label = 3.5", "label = [", "nulls = 7", 'scheduler = "tcp://x"'):
        (here / "lossctl.toml").write_text(wrong)
        done = lossctl("eval", "preds.csv", "-q")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("error: lossctl.toml:1:")
        assert ("--isolated goes without it." in done.err) == (wrong != "label = 3.5")


@pytest.mark.parametrize(
    ("off", "verdict", "status"), [(0.0, "PASS", 0), (1.5, "FAIL", 1), (300.0, "INCONCLUSIVE", 4), (1e9, "FAIL", 1)]
)
def test_a_gate_to_begin_with_stops_a_model_that_got_much_worse_and_a_broken_prediction(
    lossctl, here, off, verdict, status
):
    random = np.random.default_rng(13)
    rows = [(y, y + error) for y, error in random.normal(size=(300, 2))]
    written = "y,p\n" + "".join(f"{y},{p}\n" for y, p in rows)
    (here / "preds.csv").write_text(written)
    assert lossctl("check", "--init", "preds.csv", "-y", "y", "-p", "p", "-l", "mae", "-q").status == 0
    worse = [(y, y + (1.0 + off) * (p - y)) for y, p in rows] if off < 9 else [(0.0, off), *rows[1:]]
    (here / "preds.csv").write_text("y,p\n" + "".join(f"{y},{p}\n" for y, p in worse))
    done = lossctl("check", "-q")
    assert (done.out.split()[0], done.status) == (verdict, status)


WORDS = [(word, ours) for ours, words in ELSEWHERE.items() for word in (ours, *words.split())]


@pytest.mark.parametrize(("word", "argument"), WORDS, ids=str)
def test_a_key_by_the_name_of_an_argument_or_of_other_tools_says_that_which_is_meant(word, argument):
    key = {"prediction": "pred", "ids": "id"}.get(argument, argument)
    if word in {*KEYS, *SETTINGS} or key not in {*KEYS, *SETTINGS}:
        return
    with pytest.raises(library.UsageError) as told:
        declared({"name": "g", word: "y", "max": 1.0})
    assert told.value.parts == (f"gate 'g' has no key '{word}'", f"Say {key}.")


@pytest.mark.parametrize(
    "errors",
    [[0.5], [0.5, 0.25], [*[0.1] * 50, 9.0], [*np.linspace(0.1, 1.0, 200)]],
    ids=["one", "two", "heavy", "fine"],
)
def test_a_limit_by_its_number_alone_says_why_bounds_are_not_to_be_trusted(errors, lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"0.5,{0.5 + error!r}\n" for error in map(float, errors))
    Path("rows.csv").write_text(f"y,p\n{rows}")
    assert lossctl("check", "--init", "rows.csv", "-y", "y", "-p", "p", "-l", "mae").status == 0
    text = Path("lossctl.toml").read_text()
    said = re.findall(r'^fail_if = "point"  # bounds are not to be trusted: (.+)$', text, re.MULTILINE)
    gate = {"name": "g", "loss": "mae", "max": 1e9}
    (verdict,) = library.check_gates(gate, "rows.csv", label="y", prediction="p").verdicts
    doubt = verdict.measured.estimate.doubt
    assert said == ([doubt] if doubt else [])
