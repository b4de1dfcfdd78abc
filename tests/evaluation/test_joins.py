"""Labels in a file of their own, matched by key: the numbers are those of the joined file, from any place."""

import decimal
import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import digits
from joined import FORMATS, store
from stored import write_lines
from transcripts import JSON

import lossctl as library
from lossctl.records import entries

# --- the numbers -----------------------------------------------------------------------------------------------------


def unkeyed(report):
    """The results of a join but for the keys of the worst rows, which one file has not."""
    blocks = [
        block.having(samples=[tuple(replace(sample, id=None) for sample in samples) for samples in every])
        for block in report.table.blocks
        for every in [entries(block.columns["samples"], report.table.groups.n)]
    ]
    return digits(replace(report, table=report.table.having(blocks)))


@pytest.fixture(scope="module")
def whole():
    """A table to be taken apart: keys of two columns, a weight, groups, two models, labels."""
    rng = np.random.default_rng(5)
    n = 400
    return pa.table({
        "user": [f"u{at % 40:03}" for at in range(n)], "day": [at // 40 for at in range(n)],
        "p": rng.normal(size=n) * 10.0 ** rng.integers(-20, 20, n), "q": rng.normal(size=n),
        "w": rng.integers(0, 5, n) / 4, "g": rng.choice(["x", "y", "ü,z"], n),
        "y": rng.normal(size=n) * 10.0 ** rng.integers(-20, 20, n),
    })  # fmt: skip


ASKED = {"loss": ["mse", "log_cosh"], "label": "y", "prediction": ["p", "q"], "gradient": True, "samples": 5}


PAIRS = [*zip(FORMATS, FORMATS, strict=True), (".csv", ".parquet"), (".arrows", ".tsv")]
SIDES = itertools.cycle([[("left", "left"), ("right", "right")], [("left", "right"), ("right", "left")]])
"""Where weights and groups are: each on either side with every pair of formats, together or apart by turns."""


@pytest.mark.parametrize(
    ("one", "other", "weight", "by"),
    [(*pair, *sides) for pair, some in zip(PAIRS, SIDES, strict=False) for sides in some],
)
def test_a_join_equals_the_joined_file_bit_for_bit(whole, tmp_path, one, other, weight, by):
    left = ["user", "day", "p", "q", *(["w"] * (weight == "left")), *(["g"] * (by == "left"))]
    right = ["user", "day", "y", *(["w"] * (weight == "right")), *(["g"] * (by == "right"))]
    shuffled = np.random.default_rng(6).permutation(whole.num_rows)
    predictions = store(tmp_path / f"predictions{one}", whole.select(left))
    labels = store(tmp_path / f"labels{other}", whole.select(right).take(shuffled))
    asked = {**ASKED, "weight": "w", "by": "g"}
    report = library.evaluate(predictions, **asked, labels=labels, ids=["user", "day"])
    assert unkeyed(report) == digits(library.evaluate(whole, **asked))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_labels_does_not_matter(whole, seed):
    labels = whole.select(["user", "day", "y"])
    order = np.random.default_rng(seed).permutation(labels.num_rows)
    report = library.evaluate(whole.drop_columns("y"), **ASKED, labels=labels.take(order), ids=["user", "day"])
    assert unkeyed(report) == digits(library.evaluate(whole, **ASKED))


@pytest.mark.parametrize("kind", ["list", "large_list", "fixed_size_list"])
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".jsonl"])
def test_vectors_are_joined_as_they_are(tmp_path, kind, suffix):
    rng = np.random.default_rng(7)
    n, k = 50, 3
    rows = rng.dirichlet(np.ones(k), n)
    made = {"list": pa.list_(pa.float64()), "large_list": pa.large_list(pa.float64())}.get(
        kind, pa.list_(pa.float64(), k)
    )
    predictions = pa.table({"id": np.arange(n), "p": pa.array(rows.tolist(), made)})
    labels = pa.table({"id": np.arange(n)[::-1], "y": rng.integers(0, k, n)})
    right = predictions.append_column("y", labels["y"].take(np.arange(n)[::-1]))
    asked = {"loss": "cross_entropy", "gradient": True, "samples": 2}
    path = store(tmp_path / f"p{suffix}", predictions)
    assert unkeyed(library.evaluate(path, **asked, labels=labels, ids="id")) == digits(library.evaluate(right, **asked))
    labels = store(tmp_path / "l.csv", labels)
    assert unkeyed(library.evaluate(path, **asked, labels=labels, ids="id")) == digits(library.evaluate(right, **asked))


def test_class_columns_and_text_labels_are_joined(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,p_cat,p_dog", "1,0.25,0.75", "2,0.5,0.5")
    labels = write_lines(tmp_path / "l.csv", "id,animal", "2,cat", "1,dog")
    joined = write_lines(tmp_path / "j.csv", "id,p_cat,p_dog,animal", "1,0.25,0.75,dog", "2,0.5,0.5,cat")
    flags = ["-p", "p_*", "-l", "cross_entropy", "-f", "json", "-q"]
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", *flags)
    right = lossctl("eval", joined, "-y", "animal", *flags)
    assert (done.status, right.status) == (0, 0), done.err
    assert done.json["results"] == right.json["results"]


def test_a_vector_of_labels_is_joined(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,p_1,p_2", "1,0.25,0.75", "2,0.5,0.5")
    labels = write_lines(tmp_path / "l.csv", "id,t_1,t_2", "2,1,1", "1,0,1")
    joined = write_lines(tmp_path / "j.csv", "p_1,p_2,t_1,t_2", "0.25,0.75,0,1", "0.5,0.5,1,1")
    flags = ["-p", "p_*", "-y", "t_*", *JSON]
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", *flags)
    right = lossctl("eval", joined, *flags)
    assert (done.status, right.status) == (0, 0), done.err
    assert done.json["results"] == right.json["results"]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    "words", [["007", "7", "1.50"], ["true", "True", "TRUE"], ["2024-01-05", "2024-1-5", "x"], ["1", "2", "1"]]
)
def test_groups_of_a_join_are_written_as_in_the_file(lossctl, tmp_path, side, words):
    rows = [f"{at},{at * at},{word}" for at, word in enumerate(words)]
    plain = [f"{at},0" for at in range(len(words))]
    if side == "left":
        files = write_lines(tmp_path / "p.csv", "id,p,g", *rows), write_lines(tmp_path / "l.csv", "id,y", *plain)
    else:
        files = write_lines(tmp_path / "p.csv", "id,p", *plain), write_lines(tmp_path / "l.csv", "id,y,g", *rows)
    done = lossctl("eval", files[0], "--labels", files[1], "--id", "id", "--by", "g", *JSON)
    assert done.status == 0, done.err
    assert {result["group"]["g"] for result in done.json["results"]} == set(words)


# --- the question ----------------------------------------------------------------------------------------------------


def test_a_submission_and_its_solution_may_call_both_columns_the_same(lossctl, kaggle):
    expected = (0 + 0.25 + 1) / 3
    submission, solution = kaggle
    for flags in ([], ["-y", "target"], ["-p", "target"], ["-y", "target", "-p", "target"], ["-p", "mine=target"]):
        done = lossctl("eval", submission, "--labels", solution, "--id", "id", *flags, *JSON)
        assert (done.status, done.values) == (0, [expected]), (flags, done.err)
    grouped = lossctl("eval", submission, "--labels", solution, "--id", "id", "--by", "Usage", *JSON)
    assert [(it["group"], it["value"]) for it in grouped.json["results"]] == [
        ({"Usage": "Private"}, 0.0),
        ({"Usage": "Public"}, 0.625),
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_number_of_a_part_is_not_rounded_to_the_type_of_another(lossctl, tmp_path, order):
    """0.1 as a decimal, beside which another part has 32 bits."""
    parts = [pa.array([decimal.Decimal("0.1")], pa.decimal128(3, 1)), pa.array([0.5], pa.float32())][::order]
    for index, p in enumerate(parts):
        pq.write_table(pa.table({"id": [index], "p": p}), tmp_path / f"{index}.parquet")
    labels = write_lines(tmp_path / "labels.csv", "id,y", "0,0", "1,0")
    asked = ["--labels", labels, "--id", "id", "-l", "mae", "--reduction", "sum", "-f", "value"]
    assert lossctl("eval", tmp_path / "0.parquet", tmp_path / "1.parquet", *asked).out == "0.6\n"


@pytest.mark.parametrize("key", ["left row", "right row", "lossctl left row", "id"])
def test_a_join_adds_nothing_under_a_name_that_a_column_may_have(lossctl, tmp_path, key):
    one = write_lines(tmp_path / "a.csv", f"{key},y,y (labels),p", "1,7,8,2", "2,7,8,5")
    other = write_lines(tmp_path / "b.csv", f"{key},y,y (labels)", "2,3,9", "1,1,9")
    asked = [one, "--labels", other, "--id", key, "-y", "y", "-p", "p", "-l", "mse"]
    assert lossctl("eval", *asked, "-f", "value").out == "2.5\n"
    header = lossctl("samples", *asked, "-q").out.splitlines()[0]
    assert header.endswith(f"{key},y,y (labels),p,y (labels) (labels),y (labels) (labels) (labels)")


def test_a_column_in_both_files_groups_and_weighs_by_that_of_the_predictions(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,p,w,g", "1,2,1,left", "2,5,3,left")
    labels = write_lines(tmp_path / "l.csv", "id,y,w,g", "1,1,100,right", "2,3,100,right")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-w", "w", "--by", "g", *JSON)
    (result,) = done.json["results"]
    assert (result["group"], result["value"], result["sum_weight"]) == ({"g": "left"}, 3.25, 4.0)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("flag", "pattern"), [("--by", "seg*"), ("--by", "/^segment$/"), ("-w", "wei*"), ("--by", "segment,id")]
)
def test_groups_and_weights_of_either_file_may_be_patterns(lossctl, tmp_path, side, flag, pattern):
    more, none = ("id,p,weight,segment", ["1,2,1,a", "2,5,1,a"]), ("id,p", ["1,2", "2,5"])
    columns, rows = more if side == "left" else none
    predictions = write_lines(tmp_path / "p.csv", columns, *rows)
    columns, rows = more if side == "right" else none
    labels = write_lines(tmp_path / "l.csv", columns.replace("p", "y", 1), *rows)
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-y", "y", "-p", "p", flag, pattern, *JSON)
    assert done.status == 0, done.err
    assert set(done.values) == {0.0}


def test_several_models_and_globs_are_found_in_the_predictions(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,a,b", "1,2,3", "2,5,4")
    labels = write_lines(tmp_path / "l.csv", "id,y", "2,3", "1,1")
    flags = ["--labels", labels, "--id", "id", *JSON]
    assert lossctl("eval", predictions, "-p", "a", "-p", "other=b", *flags).values == [2.5, 2.5]
    assert lossctl("eval", predictions, "-p", "#2", *flags).values == [2.5]
    done = lossctl("eval", predictions, *flags)
    assert done.status == 2
    assert "a, b" in done.err
    assert "-p" in done.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--id", "idd"], ("'idd'", "Did you mean id")),
        (["--id", "key"], ("'key'", "labels")),
        (["--id", "id", "--join", "outer"], ("'outer'", "inner")),
        (["--id", "id", "-y", "taget"], ("'taget'", "target")),
        (["--id", "id", "-p", "prd"], ("'prd'", "prediction")),
        (["--id", "id", "--by", "segmnt"], ("'segmnt'", "segment")),
        (["--id", "id", "-w", "wieght"], ("'wieght'", "weight")),
        (["--id", "id", "-l", "hubr"], ("'hubr'", "huber")),
    ],
    ids=" ".join,
)
def test_a_wrong_question_about_a_join_is_a_usage_error(lossctl, tmp_path, flags, words):
    predictions = write_lines(tmp_path / "p.csv", "id,key,prediction,segment", "1,1,2,a")
    labels = write_lines(tmp_path / "l.csv", "id,target,weight", "1,1,1")
    done = lossctl("eval", predictions, "--labels", labels, *(["-l", "mse"] if "-l" not in flags else []), *flags)
    assert (done.status, done.out) == (2, "")
    assert [word for word in words if word not in done.err] == [], done.err


def test_a_key_or_a_join_without_labels_is_no_silent_nothing(lossctl, tmp_path):
    path = write_lines(tmp_path / "p.csv", "id,y,p", "1,1,2")
    assert lossctl("eval", path, "--join", "inner", "-l", "mse").status == 2


@pytest.mark.parametrize("missing", ["predictions", "labels"])
def test_a_file_of_a_join_that_is_missing_or_empty_is_named(lossctl, tmp_path, missing):
    made = {
        "predictions": write_lines(tmp_path / "p.csv", "id,p", "1,2"),
        "labels": write_lines(tmp_path / "l.csv", "id,y", "1,2"),
    }

    def command():
        return lossctl("eval", made["predictions"], "--labels", made["labels"], "--id", "id", "-l", "mse")

    assert command().status == 0
    for broken, words in (("", "empty"), ("id,p,y\n", "no data rows"), (None, "no such file")):
        made[missing].unlink()
        if broken is not None:
            made[missing].write_text(broken)
        done = command()
        assert (done.status, done.out) == (3, "")
        assert str(made[missing]) in done.err
        assert words in done.err


@pytest.mark.parametrize(("line", "words"), [("2,oops", "'oops', which is not a number"), ("2", "1 field")])
@pytest.mark.parametrize("broken", ["p", "l"])
def test_a_bad_row_of_either_file_is_placed_in_its_file(lossctl, tmp_path, line, words, broken):
    predictions = write_lines(tmp_path / "p.csv", "id,p", "1,2", line if broken == "p" else "2,3")
    labels = write_lines(tmp_path / "l.csv", "id,y", "1,2", line if broken == "l" else "2,3")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path / broken}.csv: row 2: " in done.err
    assert words in done.err


def test_a_null_of_either_file_is_met(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,p", "1,2", "2,", "3,1")
    labels = write_lines(tmp_path / "l.csv", "id,y", "3,NA", "2,3", "1,1")
    command = ["eval", predictions, "--labels", labels, "--id", "id"]
    done = lossctl(*command, "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert "'p' is null" in done.err
    done = lossctl(*command, *JSON, "--nulls", "drop")
    assert (done.values, done.json["inputs"]["nulls"]) == ([1.0], {"p": 1, "y": 1})


# --- places ----------------------------------------------------------------------------------------------------------


def test_both_sides_may_be_several_files_globs_and_directories(lossctl, tmp_path):
    for at in range(3):
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "l").mkdir(exist_ok=True)
        write_lines(tmp_path / "p" / f"{at}.csv", "id,p", f"{at},{at + 1}")
        write_lines(tmp_path / "l" / f"{at}.csv", "id,y", f"{2 - at},{2 - at}")
    for left, right in (("p", "l"), ("p/*.csv", "l/*.csv")):
        done = lossctl("eval", f"{tmp_path}/{left}", "--labels", f"{tmp_path}/{right}", "--id", "id", *JSON)
        assert (done.status, done.values) == (0, [1.0]), done.err
        assert len(done.json["inputs"]["join"]["labels"]) == 3
    labels = [it for at in range(3) for it in ("--labels", tmp_path / "l" / f"{at}.csv")]
    assert lossctl("eval", tmp_path / "p", *labels, "--id", "id", *JSON).values == [1.0]


@pytest.mark.parametrize("name", ["predictions", "labels"])
def test_parts_whose_numbers_have_other_types_are_joined(lossctl, tmp_path, name):
    for at, kind in enumerate((pa.float32(), pa.int8(), pa.float64())):
        for folder, column in (("predictions", "p"), ("labels", "y")):
            (tmp_path / folder).mkdir(exist_ok=True)
            number = pa.array([at + (folder == "labels")], kind if folder == name else pa.float64())
            key = pa.array([at], pa.int32() if at % 2 and folder == name else pa.int64())
            pq.write_table(pa.table({"id": key, column: number}), tmp_path / folder / f"{at}.parquet")
    done = lossctl("eval", tmp_path / "predictions", "--labels", tmp_path / "labels", "--id", "id", *JSON)
    assert (done.status, done.values) == (0, [1.0]), done.err


@pytest.mark.parametrize("name", ["predictions", "labels"])
def test_parts_whose_categories_differ_are_joined(lossctl, tmp_path, name):
    for folder, column in (("predictions", "p"), ("labels", "y")):
        (tmp_path / folder).mkdir()
        for at in range(3):
            key = pa.array([f"k{at}"])
            table = pa.table({"id": key.dictionary_encode() if folder == name else key, column: [1.0]})
            pq.write_table(table, tmp_path / folder / f"{at}.parquet")
    done = lossctl("eval", tmp_path / "predictions", "--labels", tmp_path / "labels", "--id", "id", *JSON)
    assert (done.status, done.values) == (0, [0.0]), done.err


@pytest.mark.parametrize("pipe", ["predictions", "labels"])
def test_either_side_may_come_through_a_pipe(plain_environment, kaggle, pipe):
    submission, solution = kaggle
    flags = "--id id -l mse -f value -q"
    first, second, fed = ("-", solution, submission) if pipe == "predictions" else (submission, "-", solution)
    command = ["bash", "-c", f'"$1" -m lossctl eval "$2" --labels "$3" {flags} < "$4"', "bash", sys.executable]
    done = subprocess.run([*command, first, second, fed], capture_output=True, text=True, env=plain_environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{1.25 / 3!r}\n", "")
    script = f'"$1" -m lossctl eval <(cat "$2") --labels <(gzip -c "$3") {flags}'
    command = ["bash", "-c", script, "bash", sys.executable, submission, solution]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{1.25 / 3!r}\n", "")


def test_keys_in_the_path_of_either_side_are_columns(lossctl, tmp_path):
    for split in ("a", "b"):
        for side, column in (("p", "p"), ("l", "y")):
            (tmp_path / side / f"split={split}").mkdir(parents=True)
            write_lines(tmp_path / side / f"split={split}" / "x.csv", f"id,{column}", f"1,{len(split)}")
    done = lossctl("eval", tmp_path / "p", "--labels", tmp_path / "l", "--id", "split,id", "--by", "split", *JSON)
    assert (done.status, done.values) == (0, [0.0, 0.0]), done.err


def test_reading_flags_hold_for_both_sides(lossctl, tmp_path):
    predictions, labels = write_lines(tmp_path / "p.txt", "1;2", "2;-"), write_lines(tmp_path / "l.txt", "2;9", "1;1")
    flags = ["-F", "csv", "-d", ";", "--no-header", "--null-values=-", "--nulls", "drop", "-y", "#2", "-p", "#2"]
    done = lossctl("eval", predictions, "--labels", labels, "--id", "#1", *flags, *JSON)
    assert (done.status, done.values) == (0, [1.0]), done.err
