"""Bad input: one screen that says what is wrong, where, and what to do; nothing on stdout, nothing written."""

import os
import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

USAGE, DATA = 2, 3
BOTH = ("csv", "parquet")


@dataclass(frozen=True)
class Case:
    """Something wrong, the command line that meets it, and what has to be said."""

    name: str
    content: object
    """Columns by name; text or bytes of a CSV; a function that makes the file ``data`` in a folder; or nothing."""
    arguments: str
    """``FILE`` is the file made."""
    status: int
    words: tuple[str, ...]
    formats: tuple[str, ...] = BOTH
    remedy: bool = True
    """Whether there is something to do that the first line does not say already."""


def columns(**values):
    return values


def folder(path):
    path.mkdir()


def truncated(path):
    pq.write_table(pa.table({"y": [*range(5000)], "p": [*range(5000)]}), path)
    os.truncate(path, path.stat().st_size // 2)


def rubbish_in_the_middle(path):
    pq.write_table(pa.table({"y": [*range(5000)], "p": [*range(5000)]}), path)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff" * 4000)


PAIR = columns(y=[1.0, 2.0, 3.0], p=[1.5, 2.5, 2.0])
EVEN = columns(y=["a", "b"], p_a=[0.5, 0.25], p_b=[0.5, 0.75])
MSE, BCE, CE = "FILE -l mse", "FILE -l bce", "FILE -l cross_entropy -p p_*"
CSV, PARQUET = ("csv",), ("parquet",)

CASES = [
    # The file.
    Case("missing file", None, MSE, DATA, ("no such file",), remedy=False),
    Case("directory without files", folder, MSE, DATA, ("no files in this directory",)),
    Case("empty file", b"", MSE, DATA, ("the file is empty",), remedy=False),
    Case("header only", "y,p\n", MSE, DATA, ("no data rows",), CSV, remedy=False),
    Case("no rows", columns(y=pa.array([], pa.float64()), p=pa.array([], pa.float64())), MSE, DATA, ("no data rows",),
         PARQUET, remedy=False),
    Case("truncated Parquet", truncated, MSE, DATA, ("cannot be read",), PARQUET),
    Case("damaged Parquet", rubbish_in_the_middle, MSE, DATA, ("cannot be read",), PARQUET),
    Case("binary rubbish", bytes(range(256)) * 20, MSE, DATA, ("not text",), CSV),
    Case("bytes that are no text", b"y,p\n1,2\n3,\xff\xfe\n", MSE, DATA, ("row 2", "'p'", "not a number"), CSV),
    Case("binary rubbish under the name of Parquet", bytes(range(256)) * 20, MSE, DATA, ("cannot be read",), PARQUET),
    Case("Parquet under the name of CSV", b"PAR1" + bytes(100), MSE, DATA, ("named csv but holds parquet",), CSV),
    Case("UTF-16", "y,p\n1,2\n".encode("utf-16"), MSE, DATA, ("UTF-16", "UTF-8"), CSV),
    Case("Latin-1 header", "größe,y,p\n1,1,2\n".encode("latin-1"), MSE, DATA, ("not UTF-8",), CSV),
    # The rows.
    Case("short row", "y,p\n1,2\n3\n4,5\n", MSE, DATA, ("row 2", "1 field", "2"), CSV),
    Case("long row", "y,p\n1,2\n3,4,5\n", MSE, DATA, ("row 2", "3 fields", "2"), CSV),
    Case("text in a column of numbers", "y,p\n1,2\n3,abc\n", MSE, DATA, ("row 2", "'p'", "'abc'", "not a number"), CSV),
    Case("text in a label", "y,p\n1,2\nabc,3\n", MSE, DATA, ("row 2", "'y'", "'abc'", "not a number"), CSV),
    Case("a column of text as label", columns(y=["1", "abc"], p=[1.0, 2.0]), MSE, DATA,
         ("'y'", "row 2", "not a number"), PARQUET),
    Case("a column of text as prediction", columns(y=pa.array([1.0, 2.0]), p=["1", "abc"]), MSE, DATA,
         ("'p'", "row 2", "not a number"), PARQUET),
    Case("a column of text as weight", columns(y=pa.array([1.0, 2.0]), p=[1.0, 2.0], w=["a", "b"]), f"{MSE} -w w",
         DATA, ("'w'", "row 1", "not a number"), PARQUET),
    Case("a column of structures as prediction", columns(y=[1.0], p=[{"a": "one"}]), f"{MSE} -y y -p p", USAGE,
         ("'p'", "numbers"), PARQUET, remedy=False),
    Case("null in a label", columns(y=[1.0, None, None], p=[1.0, 2.0, 3.0]), MSE, DATA,
         ("row 2", "'y'", "null", "2 in", "--nulls drop")),
    Case("null in a prediction", columns(y=[1.0, 2.0, 3.0], p=[1.0, None, 3.0]), MSE, DATA,
         ("row 2", "'p'", "null", "--nulls drop")),
    Case("null in a weight", columns(y=[1.0, 2.0], p=[1.0, 2.0], w=[None, 1.0]), f"{MSE} -w w", DATA,
         ("row 1", "'w'", "null", "--nulls drop")),
    Case("null in a text label", columns(y=["a", None, "b"], p_a=[0.5] * 3, p_b=[0.5] * 3), CE, DATA,
         ("row 2", "'y'", "null", "--nulls drop")),
    Case("only nulls", columns(y=[1.0, None], p=[None, 2.0]), f"{MSE} --nulls drop", DATA,
         ("none of the 2 rows", "2 have a null"), remedy=False),
    Case("NaN", columns(y=[1.0, 2.0], p=[1.0, float("nan")]), MSE, DATA, ("row 2", "'p'", "NaN", "--nulls drop")),
    Case("inf", columns(y=[1.0, 2.0], p=[1.0, float("inf")]), MSE, DATA, ("row 2", "'p'", "inf", "mse", "finite"),
         remedy=False),
    Case("minus inf in a label", columns(y=[1.0, float("-inf")], p=[1.0, 2.0]), MSE, DATA,
         ("row 2", "'y'", "-inf", "finite"), remedy=False),
    Case("list of another length", columns(y=[0.0, 1.0], v=[[0.5, 0.5], [0.5, 0.25, 0.25]]),
         "FILE -l cross_entropy -p v", DATA, ("row 2", "'v'", "2", "3"), PARQUET, remedy=False),
    # The domains.
    Case("probability 1.2", columns(y=[1.0, 0.0], p=[0.5, 1.2]), BCE, DATA, ("row 2", "'p'", "1.2", "bce", "[0, 1]")),
    Case("logits as probabilities", columns(y=[1.0, 0.0], p=[3.5, -2.0]), BCE, DATA,
         ("row 1", "'p'", "3.5", "--from-logits", "2 in")),
    Case("logits as rows of probabilities", columns(y=["a", "b"], p_a=[0.5, 3.0], p_b=[0.5, -2.0]), CE, DATA,
         ("row 2", "--from-logits")),
    Case("simplex row summing to 0.9", columns(y=["a", "b"], p_a=[0.5, 0.5], p_b=[0.5, 0.4]), CE, DATA,
         ("row 2", "p_a, p_b", "0.9", "sum to 1", "--normalize-rows")),
    Case("class label out of range", columns(y=[0, 2, 1], p_0=[0.5] * 3, p_1=[0.5] * 3), CE, DATA,
         ("row 2", "'y'", "is 2", "0..1")),
    Case("class label that is no integer", columns(y=[0.0, 0.5], p_0=[0.5, 0.5], p_1=[0.5, 0.5]), CE, DATA,
         ("row 2", "'y'", "0.5", "integer")),
    Case("unknown class name", columns(y=["a", "c"], p_a=[0.5, 0.5], p_b=[0.5, 0.5]), CE, DATA,
         ("row 2", "'y'", "is 'c'", "classes a, b", "--classes")),
    Case("unknown class of two", columns(y=["no", "si"], p=[0.5, 0.5]), f"{BCE} --classes no,yes", DATA,
         ("row 2", "'y'", "is 'si'", "no, yes")),
    Case("hinge labels 0 and -1", columns(y=[1, 0, -1], p=[0.5, 1.0, 0.25]), "FILE -l hinge", DATA,
         ("row 3", "'y'", "-1", "0", "Use -1 and 1")),
    Case("hinge label 2", columns(y=[1, 2], p=[0.5, 1.0]), "FILE -l hinge", DATA, ("row 2", "'y'", "is 2", "-1 or 1"),
         remedy=False),
    Case("binary label 2", columns(y=[1, 2], p=[0.5, 1.0]), "FILE -l focal", DATA, ("row 2", "'y'", "is 2", "0 or 1"),
         remedy=False),
    Case("negative weight", columns(y=[1.0, 2.0], p=[1.0, 2.0], w=[1.0, -1.0]), f"{MSE} -w w", DATA,
         ("row 2", "'w'", "-1", ">= 0"), remedy=False),
    Case("infinite weight", columns(y=[1.0, 2.0], p=[1.0, 2.0], w=[1.0, float("inf")]), f"{MSE} -w w", DATA,
         ("row 2", "'w'", "inf", "finite"), remedy=False),
    Case("weights all zero", columns(y=[1.0, 2.0], p=[1.0, 2.0], w=[0.0, 0.0]), f"{MSE} -w w", DATA,
         ("none of the 2 rows", "weight of 0"), remedy=False),
    Case("mape with zeros", columns(y=[1.0, 0.0, 0.0], p=[1.0, 2.0, 3.0]), "FILE -l mape", DATA,
         ("row 2", "'y'", "is 0", "mape", "2 in", "zero=max1")),
    Case("msle at -1", columns(y=[1.0, 2.0], p=[1.0, -1.0]), "FILE -l msle", DATA,
         ("row 2", "'p'", "is -1", "msle", "> -1"), remedy=False),
    Case("poisson prediction 0", columns(y=[1.0, 2.0], p=[1.0, 0.0]), "FILE -l poisson", DATA,
         ("row 2", "'p'", "is 0", "poisson", "> 0", "--from-logits")),
    Case("poisson label -1", columns(y=[1.0, -1.0], p=[1.0, 2.0]), "FILE -l poisson", DATA,
         ("row 2", "'y'", "is -1", ">= 0"), remedy=False),
    # The question.
    Case("unknown loss", PAIR, "FILE -l hubr", USAGE, ("'hubr'", "huber")),
    Case("unknown parameter", PAIR, "FILE -l huber:detla=2", USAGE, ("huber", "'detla'", "delta")),
    Case("parameter of a loss without any", PAIR, "FILE -l mse:delta=2", USAGE, ("mse", "'delta'", "no parameter")),
    Case("parameter out of range", PAIR, "FILE -l huber:delta=-2", USAGE, ("huber", "delta", "> 0", "-2"),
         remedy=False),
    Case("parameter that is no number", PAIR, "FILE -l huber:delta=abc", USAGE, ("delta", "'abc'"), remedy=False),
    Case("parameter given twice", PAIR, "FILE -l huber:delta=1,delta=2", USAGE, ("delta", "twice"), remedy=False),
    Case("no loss", PAIR, "FILE -l ,", USAGE, ("loss",), remedy=False),
    Case("missing prediction", columns(y=[1.0], prediction_a=[2.0]), f"{MSE} -p predictoin_a", USAGE,
         ("'predictoin_a'", "prediction_a")),
    Case("missing label", columns(target=[1.0], p=[2.0]), f"{MSE} -y tagret", USAGE,
         ("'tagret'", "Did you mean target")),
    Case("missing weight", columns(y=[1.0], p=[2.0], weight=[1.0]), f"{MSE} -w wieght", USAGE,
         ("'wieght'", "Did you mean weight")),
    Case("missing group", columns(y=[1.0], p=[2.0], segment=["a"]), f"{MSE} --by segmnt", USAGE,
         ("'segmnt'", "Did you mean segment")),
    Case("glob without a match", EVEN, "FILE -l cross_entropy -p q_*", USAGE, ("'q_*'", "p_a")),
    Case("pattern that is none", PAIR, f"{MSE} -p /(/", USAGE, ("'/(/'", "regular expression"), remedy=False),
    Case("column number too high", PAIR, f"{MSE} -p #3", USAGE, ("#3", "#1 to #2"), remedy=False),
    Case("one column as label and prediction", PAIR, f"{MSE} -y y -p y", USAGE, ("'y'", "both label and prediction"),
         remedy=False),
    Case("several label columns", columns(y=[1.0], label=[1.0], p=[1.0]), MSE, USAGE, ("y, label", "-y")),
    Case("several prediction columns", columns(y=[1.0], p=[1.0], score=[1.0]), MSE, USAGE, ("p, score", "-p")),
    Case("no label column", columns(a=[1.0], b=[2.0], p=[1.0]), MSE, USAGE, ("label", "-y b -p p")),
    Case("one name for two models", PAIR, f"{MSE} -p p -p p", USAGE, ("'p'", "-p first=COL")),
    Case("two columns of one name", "y,p,p\n1,2,3\n", f"{MSE} -p p", USAGE, ("two columns", "'p'", "Rename"), CSV),
    Case("classes that do not match the columns", EVEN, f"{CE} --classes a,b,c", USAGE, ("3 classes", "2"),
         remedy=False),
    Case("a scalar loss of a vector label", columns(y_a=[1.0], y_b=[1.0], p=[1.0]), f"{MSE} -y y_*", USAGE, ("mse",),
         remedy=False),
    Case("bce of text labels", columns(y=["no", "yes", "maybe"], p=[0.5, 0.5, 0.5]), BCE, DATA,
         ("row 1", "'y'", "not a number", "--classes")),
    Case("unknown reduction", PAIR, f"{MSE} --reduction avg", USAGE, ("'avg'", "root-mean")),
    Case("unknown format", PAIR, f"{MSE} -f yaml", USAGE, ("'yaml'", "json")),
    Case("unknown engine", PAIR, f"{MSE} --engine spark", USAGE, ("'spark'", "threads")),
    Case("unknown flag", PAIR, f"{MSE} --los mae", USAGE, ("--los", "--help")),
    Case("unknown null policy", PAIR, f"{MSE} --nulls skip", USAGE, ("--nulls", "'skip'", "drop")),
    Case("flag without its value", PAIR, "FILE -l", USAGE, ("-l", "argument")),
    Case("eps out of range", columns(y=[1.0], p=[0.5]), f"{BCE} --eps 0.9", USAGE, ("eps", "0.9"), remedy=False),
    Case("eps where there is no logarithm", PAIR, f"{MSE} --eps 0", USAGE, ("--eps", "logarithm"), remedy=False),
    Case("from-logits of a loss without activation", PAIR, f"{MSE} --from-logits", USAGE, ("mse",)),
    Case("gate on a loss not measured", PAIR, f"{MSE} --fail-above huber=1", USAGE, ("--fail-above", "huber", "mse")),
    Case("gate on an unknown loss", PAIR, f"{MSE} --fail-above hubr=1", USAGE, ("'hubr'", "huber")),
    Case("gate on one of several", PAIR, "FILE -l mse,mae --fail-above 1", USAGE, ("--fail-above", "mse=1")),
    Case("gate without a number", PAIR, f"{MSE} --fail-above mse=low", USAGE, ("--fail-above", "'low'", "LOSS=VALUE")),
    Case("gate on nan", PAIR, f"{MSE} --fail-above nan", USAGE, ("--fail-above", "nan"), remedy=False),
]  # fmt: skip


def text_of(value):
    return "" if value is None else str(value)


def make(content, path):
    """Write the content of a case as a CSV or Parquet file."""
    if content is None:
        return
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table(content), path)
    else:
        rows = zip(*content.values(), strict=True)
        path.write_text("\n".join([",".join(content), *(",".join(map(text_of, row)) for row in rows), ""]))


def met(case, suffix, lossctl, folder):
    """What the command line says to a case, asked to write a file too."""
    path, target = folder / f"data.{suffix}", folder / "out.json"
    make(case.content, path)
    arguments = [str(path) if word == "FILE" else word for word in case.arguments.split()]
    done = lossctl("eval", "-o", target, *arguments)
    assert {it.name for it in folder.iterdir()} <= {path.name}, "nothing is written"
    return done


PAIRS = [pytest.param(case, suffix, id=f"{case.name}-{suffix}") for case in CASES for suffix in case.formats]
WITH_REMEDY = [
    pytest.param(case, suffix, id=f"{case.name}-{suffix}") for case in CASES if case.remedy for suffix in case.formats
]


@pytest.mark.parametrize(("case", "suffix"), PAIRS)
def test_bad_input_is_one_screen_that_says_what_and_where(lossctl, tmp_path, case, suffix):
    done = met(case, suffix, lossctl, tmp_path)
    assert done.status == case.status, done.err
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") < 12
    assert all(len(line) < 300 for line in done.err.splitlines())
    assert [word for word in case.words if word not in done.err] == [], done.err
    for leak in ("Traceback", "bug in lossctl", "np.", "pyarrow", "<class", "Errno"):
        assert leak not in done.err
    if any(re.match(r"row \d", word) for word in case.words):
        assert f"data.{suffix}: row " in done.err


@pytest.mark.parametrize(("case", "suffix"), WITH_REMEDY)
def test_bad_input_is_told_what_to_do(lossctl, tmp_path, case, suffix):
    done = met(case, suffix, lossctl, tmp_path)
    first, _, rest = done.err.partition("\n")
    assert rest.strip(), f"no second line after {first!r}"


@pytest.mark.parametrize("name", ["link.csv", "other/link.csv"])
def test_a_link_to_nothing_says_where_it_leads_and_does_not_suggest_itself(lossctl, tmp_path, name):
    (tmp_path / "other").mkdir()
    (tmp_path / name).symlink_to("gone.csv")
    done = lossctl("eval", tmp_path / name)
    assert done.status == DATA
    assert done.err.splitlines() == [f"error: {tmp_path / name}: no such file", "It is a link to gone.csv."]


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_a_line_that_is_no_json_is_told_by_one_number(lossctl, tmp_path, broken):
    lines = ['{"y": 1, "p": 0.5}'] * 3
    lines[broken - 1] = '{"y": 1'
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    done = lossctl("eval", tmp_path / "in.jsonl", "-y", "y", "-p", "p", "-l", "bce")
    assert done.status == DATA
    assert re.findall(r"\brow \d+", done.err) == [f"row {broken}"]


def test_rows_without_columns_are_said_to_have_none(lossctl, tmp_path):
    (tmp_path / "in.jsonl").write_text("{}\n{}\n")
    done = lossctl("eval", tmp_path / "in.jsonl")
    assert done.status == USAGE
    assert done.err.endswith("The rows have no columns.\n")


def test_a_missing_file_suggests_a_near_name_and_none_that_is_far(lossctl, tmp_path):
    (tmp_path / "predictions.csv").write_text("y,p\n1,2\n")
    (tmp_path / "zeta.md").write_text("")
    done = lossctl("eval", tmp_path / "predictoins.csv")
    assert done.status == DATA
    assert "Did you mean" in done.err
    assert "predictions.csv" in done.err
    assert "zeta" not in done.err


def test_an_unreadable_file_is_said_so(lossctl, tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("y,p\n1,2\n")
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("root may read everything")
    done = lossctl("eval", file)
    assert (done.status, done.out) == (DATA, "")
    assert "permission denied" in done.err


@pytest.mark.parametrize("content", ["y;p\n1;2\n", "y\tp\n1\t2\n"], ids=["semicolons", "tabs"])
def test_another_separator_than_the_comma_is_recognised_as_the_trouble(lossctl, tmp_path, content):
    file = tmp_path / "data.csv"
    file.write_text(content)
    done = lossctl("eval", file, "-l", "mse")
    assert done.status in {USAGE, DATA}
    assert "separat" in done.err.lower() or "delimit" in done.err.lower()


# ---------------------------------------------------------------------------------------------------------- the place


PAD = b"x" * 200
GOOD = b"1.5,0.25," + PAD + b"\n"
ROWS = (17 << 20) // len(GOOD)
"""Rows of a CSV of three shards."""


def big_csv(path, wrong, at, good=GOOD):
    """A CSV of three shards with one other row, numbered from 1."""
    path.write_bytes(b"y,p,t\n" + good * (at - 1) + wrong + good * (ROWS - at))
    assert path.stat().st_size > 16 << 20
    return path


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (b"1.5,," + PAD, "'p' is null"),
        (b"1.5,oops," + PAD, "'oops'"),
        (b"1.5", "1 field"),
        (b"1.5,inf," + PAD, "is inf"),
        (b'1.5,,"a\nb"', "'p' is null"),
    ],
    ids=["null", "text", "short", "inf", "null beside a quoted line end"],
)
@pytest.mark.parametrize("at", [2, ROWS // 2, ROWS - 3])
def test_the_first_bad_row_of_a_csv_of_three_shards_is_exact(lossctl, tmp_path, wrong, words, at):
    file = big_csv(tmp_path / "data.csv", wrong + b"\n", at)
    done = lossctl("eval", file, "-l", "mse")
    assert (done.status, done.out) == (DATA, "")
    assert f"{file}: row {at:,}: " in done.err
    assert words in done.err


def test_the_first_bad_row_is_exact_where_every_row_has_quoted_line_ends(lossctl, tmp_path):
    good = b'1.5,0.25,"' + PAD[:100] + b"\n" + PAD[:100] + b'"\n'
    for wrong, words in ((b"1.5,,z\n", "'p' is null"), (b"1.5,oops,z\n", "'oops'"), (b"1.5\n", "1 field")):
        file = big_csv(tmp_path / "data.csv", wrong, ROWS - 5, good)
        done = lossctl("eval", file, "-l", "mse")
        assert f"{file}: row {ROWS - 5:,}: " in done.err
        assert words in done.err


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize(
    ("loss", "label", "prediction", "words"),
    [
        ("mse", 1.0, None, "'p' is null"),
        ("mse", 1.0, float("inf"), "is inf"),
        ("bce", 1.0, 1.2, "is 1.2"),
        ("bce", 0.5, float("nan"), "NaN"),
        ("hinge", -1.0, 0.5, "is -1"),
    ],
    ids=["null", "inf", "domain", "NaN", "exclusive labels"],
)
@pytest.mark.parametrize("at", [1, 1001, 2345])
def test_the_first_bad_row_of_three_row_groups_is_exact(lossctl, tmp_path, command, loss, label, prediction, words, at):
    file = tmp_path / "data.parquet"
    labels, predictions = [0.0] * 2500, [0.5] * 2500
    labels[at - 1 :: 100], predictions[at - 1 :: 100] = ([x] * len(labels[at - 1 :: 100]) for x in (label, prediction))
    if loss == "hinge" and at == 1:  # the second kind of label is what is wrong, whichever comes second
        at, words = 2, "is 0"
    pq.write_table(pa.table({"y": labels, "p": predictions}), file, row_group_size=1000)
    done = lossctl(command, file, "-l", loss, *(["--top", "3"] if command == "samples" else []))
    assert (done.status, done.out) == (DATA, "")
    assert f"{file}: row {at:,}: " in done.err
    assert words in done.err


@pytest.mark.parametrize("suffix", BOTH)
def test_of_several_files_the_one_with_the_bad_row_is_named(lossctl, tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in ("first", "second")]
    make(PAIR, paths[0])
    make(columns(y=[1.0, 2.0, 3.0], p=[1.0, None, 3.0]), paths[1])
    done = lossctl("eval", *paths, "-l", "mse")
    assert (done.status, done.out) == (DATA, "")
    assert done.err.startswith(f"error: {paths[1]}: row 2: ")


def test_of_several_files_with_many_row_groups_the_row_counts_within_its_file(lossctl, tmp_path):
    paths = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for path in paths:
        predictions = [0.5] * 2344 + [None if path == paths[1] else 0.5] + [0.5] * 100
        pq.write_table(pa.table({"y": [1.0] * len(predictions), "p": predictions}), path, row_group_size=1000)
    done = lossctl("eval", *paths, "-l", "mse")
    assert done.err.startswith(f"error: {paths[1]}: row 2,345: ")


def test_text_in_the_second_file_is_placed(lossctl, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("y,p\n1,2\n3,4\n")
    second.write_text("y,p\n1,2\n3,4\n5,six\n")
    done = lossctl("eval", first, second, "-l", "mse")
    assert done.status == DATA
    assert done.err.startswith(f"error: {second}: row 3: ")
    assert "'six'" in done.err


def test_a_second_file_that_is_missing_or_lacks_a_column_is_named(lossctl, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("y,p\n1,2\n")
    done = lossctl("eval", first, second, "-l", "mse")
    assert (done.status, done.out) == (DATA, "")
    assert done.err.startswith(f"error: {second}: no such file")
    second.write_text("y,q\n1,2\n")
    done = lossctl("eval", first, second, "-l", "mse")
    assert (done.status, done.out) == (DATA, "")
    assert done.err.startswith(f"error: {second}: no column 'p'")
    second.write_text("p,y\n2,1\n")
    done = lossctl("eval", first, second, "-l", "mse", "-f", "value")
    assert (done.status, done.out) == (0, "1.0\n"), "columns are matched by name, in any order"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_samples_of_bad_input_write_nothing(lossctl, tmp_path, suffix):
    file, target = tmp_path / "data.csv", tmp_path / f"out{suffix}"
    make(columns(y=[1.0, 2.0], p=[1.0, None]), file)
    done = lossctl("samples", file, "-l", "mse", "-o", target)
    assert (done.status, done.out) == (DATA, "")
    assert f"error: {file}: row 2: column 'p' is null" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_rows_of_weight_0_may_hold_anything(lossctl, tmp_path):
    file = tmp_path / "data.csv"
    make(columns(y=[1.0, 2.0, 0.0], p=[0.5, 7.0, None], w=[1.0, 0.0, 0.0]), file)
    done = lossctl("eval", file, "-l", "bce", "-w", "w", "-f", "json")
    assert done.status == 0
    assert done.json["results"][0]["n_zero_weight"] == 2


def test_a_header_among_the_rows_is_told_from_a_missing_number(lossctl, tmp_path):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\ny,p\n3,5\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse")
    assert done.status == 3
    assert "row 2: column 'y' holds 'y'" in done.err
    assert "A second header" in done.err
    assert "--null-values" not in done.err
