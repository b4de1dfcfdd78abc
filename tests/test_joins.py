"""Labels in a file of their own: matched by key, strictly unless asked otherwise, and never silently."""

# ruff: noqa: PD011  (the values of an outcome, not of a frame)

import contextlib
import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import digits
from pandas import DataFrame

import lossctl as library
from lossctl.errors import DataError, UsageError
from lossctl.reading.format import format_for

JSON = ["-l", "mse", "-f", "json", "-q"]
FORMATS = [".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows", ".csv.gz"]


def store(path, columns):
    """A table in the format of the suffix."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    plain = str(path).removesuffix(".gz")
    with open(plain, "wb") as file:
        writer = format_for(plain).writer(file, table.schema)
        for batch in table.to_batches(max_chunksize=7):
            writer.write_batch(batch)
        writer.close()
    if plain != str(path):
        with open(plain, "rb") as file:
            path.write_bytes(gzip.compress(file.read()))
        os.unlink(plain)
    return path


def text(path, *lines):
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def kaggle(tmp_path):
    """A submission and its solution, the same column in both."""
    submission = text(tmp_path / "submission.csv", "id,target", "a,1", "b,2.5", "c,4")
    solution = text(tmp_path / "solution.csv", "id,target,Usage", "c,3,Public", "a,1,Private", "b,2,Public")
    return submission, solution


# --- the numbers -----------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("weight", ["left", "right"])
@pytest.mark.parametrize("by", ["left", "right"])
@pytest.mark.parametrize(
    ("one", "other"), [*zip(FORMATS, FORMATS, strict=True), (".csv", ".parquet"), (".arrows", ".tsv")]
)
def test_a_join_equals_the_joined_file_bit_for_bit(whole, tmp_path, one, other, weight, by):
    left = ["user", "day", "p", "q", *(["w"] * (weight == "left")), *(["g"] * (by == "left"))]
    right = ["user", "day", "y", *(["w"] * (weight == "right")), *(["g"] * (by == "right"))]
    shuffled = np.random.default_rng(6).permutation(whole.num_rows)
    predictions = store(tmp_path / f"predictions{one}", whole.select(left))
    labels = store(tmp_path / f"labels{other}", whole.select(right).take(shuffled))
    asked = {**ASKED, "weight": "w", "by": "g"}
    report = library.evaluate(predictions, **asked, labels=labels, ids=["user", "day"])
    assert digits(report) == digits(library.evaluate(whole, **asked))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_labels_does_not_matter(whole, seed):
    labels = whole.select(["user", "day", "y"])
    order = np.random.default_rng(seed).permutation(labels.num_rows)
    report = library.evaluate(whole.drop_columns("y"), **ASKED, labels=labels.take(order), ids=["user", "day"])
    assert digits(report) == digits(library.evaluate(whole, **ASKED))


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
    assert digits(library.evaluate(path, **asked, labels=labels, ids="id")) == digits(library.evaluate(right, **asked))
    labels = store(tmp_path / "l.csv", labels)
    assert digits(library.evaluate(path, **asked, labels=labels, ids="id")) == digits(library.evaluate(right, **asked))


def test_class_columns_and_text_labels_are_joined(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p_cat,p_dog", "1,0.25,0.75", "2,0.5,0.5")
    labels = text(tmp_path / "l.csv", "id,animal", "2,cat", "1,dog")
    joined = text(tmp_path / "j.csv", "id,p_cat,p_dog,animal", "1,0.25,0.75,dog", "2,0.5,0.5,cat")
    flags = ["-p", "p_*", "-l", "cross_entropy", "-f", "json", "-q"]
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", *flags)
    right = lossctl("eval", joined, "-y", "animal", *flags)
    assert (done.status, right.status) == (0, 0), done.err
    assert done.json["results"] == right.json["results"]


def test_a_vector_of_labels_is_joined(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p_1,p_2", "1,0.25,0.75", "2,0.5,0.5")
    labels = text(tmp_path / "l.csv", "id,t_1,t_2", "2,1,1", "1,0,1")
    joined = text(tmp_path / "j.csv", "p_1,p_2,t_1,t_2", "0.25,0.75,0,1", "0.5,0.5,1,1")
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
        files = text(tmp_path / "p.csv", "id,p,g", *rows), text(tmp_path / "l.csv", "id,y", *plain)
    else:
        files = text(tmp_path / "p.csv", "id,p", *plain), text(tmp_path / "l.csv", "id,y,g", *rows)
    done = lossctl("eval", files[0], "--labels", files[1], "--id", "id", "--by", "g", *JSON)
    assert done.status == 0, done.err
    assert {result["group"]["g"] for result in done.json["results"]} == set(words)


# --- the keys --------------------------------------------------------------------------------------------------------


KEYS = {
    "int64": pa.array([3, 1, 2]),
    "int8": pa.array([3, 1, 2], pa.int8()),
    "uint64": pa.array([3, 1, 2], pa.uint64()),
    "text": pa.array(["3", "1", "2"]),
    "large_string": pa.array(["3", "1", "2"], pa.large_string()),
    "string_view": pa.array(["3", "1", "2"], pa.string_view()),
    "dictionary": pa.array(["3", "1", "2"]).dictionary_encode(),
    "dictionary of int": pa.array([3, 1, 2]).dictionary_encode(),
}


@pytest.mark.lowest
@pytest.mark.parametrize("one", KEYS)
@pytest.mark.parametrize("other", ["int64", "text", "string_view", "dictionary"])
@pytest.mark.parametrize(
    "places", [(".parquet", ".parquet"), (".arrow", ".csv"), (".csv", ".arrows"), (".jsonl", ".csv")]
)
def test_keys_of_any_type_match_by_what_they_say(one, other, places, tmp_path):
    predictions = pa.table({"id": KEYS[one], "p": [30.0, 10.0, 20.0]})
    labels = pa.table({"id": KEYS[other], "y": [31.0, 12.0, 23.0]}).slice(1)
    labels = pa.concat_tables([labels, pa.table({"id": KEYS[other], "y": [31.0, 12.0, 23.0]}).slice(0, 1)])
    files = []
    for name, table, suffix in (("p", predictions, places[0]), ("l", labels, places[1])):
        try:
            files.append(store(tmp_path / f"{name}{suffix}", table))
        except pa.ArrowException:
            pytest.skip(f"no {suffix} of such a table")
    report = library.evaluate(files[0], "mae", labels=files[1], ids="id")
    assert report.value == 2.0


@pytest.mark.parametrize(
    "places", [(".parquet", ".parquet"), (".parquet", ".csv"), (".csv", ".csv"), (".jsonl", ".jsonl")]
)
def test_large_keys_keep_every_digit(places, tmp_path):
    """Hashes of 64 bits: neighbours that a double cannot tell apart."""
    keys = [2**64 - 1, 2**64 - 2, 2**63, 2**63 + 1, 2**53 + 1, 2**53]
    predictions = store(tmp_path / f"p{places[0]}", {"id": pa.array(keys, pa.uint64()), "p": np.arange(6.0)})
    labels = store(tmp_path / f"l{places[1]}", {"id": pa.array(keys[::-1], pa.uint64()), "y": np.arange(6.0)[::-1]})
    assert library.evaluate(predictions, "mae", labels=labels, ids="id").value == 0.0


@pytest.mark.parametrize("words", [
    ["00501", "501"], ["1", "1.0"], ["a", "A"], ["a", "a "], ["", "x"], ["NA", "x"], ["null", "nan"], ["é", "e\u0301"],
    ["1e3", "1000"], ["true", "True"], ["2024-01-05", "2024-01-05 00:00:00"], ["x" * 5000, "x" * 5001],
], ids=lambda words: words[0][:12])  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_keys_that_are_text_are_compared_as_they_are_written(words, suffix, tmp_path):
    if "" in words:
        return  # see the keys that are missing
    predictions = store(tmp_path / f"p{suffix}", {"id": words, "p": [1.0, 5.0]})
    labels = store(tmp_path / f"l{suffix}", {"id": words[::-1], "y": [6.0, 2.0]})
    assert library.evaluate(predictions, "mae", labels=labels, ids="id").value == 1.0


def test_a_key_that_is_a_date_matches(tmp_path):
    days = pa.array([19000, 19001, 19002], pa.int32()).cast(pa.date32())
    predictions = pa.table({"id": days, "p": [1.0, 2.0, 3.0]})
    labels = pa.table({"id": days.take([2, 0, 1]), "y": [3.0, 1.0, 2.0]})
    assert library.evaluate(predictions, "mae", labels=labels, ids="id").value == 0.0
    path = store(tmp_path / "l.csv", labels)
    assert library.evaluate(predictions, "mae", labels=path, ids="id").value == 0.0


def test_several_key_columns_match_as_a_whole(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "user,day,p", "a,1,1", "a,2,2", "b,1,3", "ab,1,9")
    labels = text(tmp_path / "l.csv", "day,user,y", "1,ab,9", "1,b,3", "2,a,2", "1,a,0")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "user,day", *JSON)
    assert done.values == [0.25]
    assert done.json["inputs"]["join"]["id"] == ["user", "day"]
    for separated in ("user, day", "day,user"):
        assert lossctl("eval", predictions, "--labels", labels, "--id", separated, *JSON).values == [0.25]
    alone = lossctl("eval", predictions, "--labels", labels, "--id", "user", *JSON)
    assert alone.status == 3
    assert "more than once" in alone.err


@pytest.mark.parametrize("pattern", ["#1", "i*", "/^id$/"])
def test_a_key_may_be_named_as_any_column_may(lossctl, kaggle, pattern):
    done = lossctl("eval", kaggle[0], "--labels", kaggle[1], "--id", pattern, *JSON)
    assert done.status in {0, 2}
    if done.status == 0:
        assert done.values == [(0 + 0.25 + 1) / 3]


@pytest.mark.parametrize("places", [(".jsonl", ".jsonl"), (".jsonl", ".csv"), (".parquet", ".jsonl")])
@pytest.mark.parametrize("pair", [(2**64 - 1, 2**64 - 2), (2**70, 2**70 + 1), (2**53, 2**53 + 1)])
def test_keys_that_only_a_double_would_take_for_one_do_not_match(places, pair, tmp_path):
    predictions, labels = tmp_path / f"p{places[0]}", tmp_path / f"l{places[1]}"
    for path, key, column in ((predictions, pair[0], "p"), (labels, pair[1], "y")):
        if path.suffix == ".parquet":
            store(path, {"id": [str(key)], column: [1.0]})
        elif path.suffix == ".csv":
            text(path, f"id,{column}", f"{key},1")
        else:
            text(path, f'{{"id": {key}, "{column}": 1}}')
    with pytest.raises(DataError, match="have no label"):
        library.evaluate(predictions, "mae", labels=labels, ids="id")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("side", ["p", "y", "w"])
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("word", ["NA", "nan", "", "N/A"])
def test_a_missing_number_is_spelled_in_a_join_as_elsewhere(suffix, side, at, word, tmp_path):
    sign = {".csv": ",", ".tsv": "\t"}.get(suffix)
    rows = {name: [1.0, 1.0] for name in "pyw"}
    rows[side][at] = word

    def written(name, columns):
        path = tmp_path / f"{name}{suffix}"
        lines = [{"id": row, **{column: rows[column][row] for column in columns}} for row in range(2)]
        if sign is None:
            return text(path, *map(json.dumps, lines))
        return text(path, *(sign.join(map(str, line)) for line in [lines[0], *(line.values() for line in lines)]))

    sources = written("left", "pw"), written("right", "y")
    asked = {"labels": sources[1], "ids": "id", "weight": "w", "nulls": "drop"}
    result = library.evaluate(sources[0], "mse", **asked).results[0]
    assert (result.n, result.n_null) == (1, 1)


# --- what does not match ---------------------------------------------------------------------------------------------


def test_unmatched_keys_are_an_error_with_counts_and_three_examples(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p", *(f"{at},1" for at in range(100)))
    labels = text(tmp_path / "l.csv", "id,y", *(f"{at},1" for at in range(95, 110)))
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert "95 predictions have no label" in done.err
    assert "10 labels have no prediction" in done.err
    assert "--join inner" in done.err
    assert "--join left" in done.err
    shown = [word for word in done.err.replace(";", " ").replace(",", " ").split() if word.isdecimal()]
    assert len(shown) == 2 + 3 + 3
    assert done.err.count("\n") < 4


def test_the_examples_of_what_does_not_match_are_the_first_and_the_same_in_every_run(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p", *(f"k{at},1" for at in range(5000)))
    labels = text(tmp_path / "l.csv", "id,y", "k4999,1")
    heard = {lossctl("eval", predictions, "--labels", labels, "--id", "id", "-l", "mse").err for _ in range(5)}
    assert len(heard) == 1
    assert "k0; k1; k2" in heard.pop()


@pytest.mark.parametrize("side", ["predictions", "labels"])
@pytest.mark.parametrize("how", ["strict", "inner", "left"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_repeated_keys_are_an_error_under_every_join(lossctl, tmp_path, side, how, suffix):
    keys = {"predictions": ["a", "b", "c", "d"], "labels": ["a", "b", "c", "d"]}
    keys[side] = ["a", "a", "a", "b", "b", "c", "c", "d", "d"]
    predictions = store(tmp_path / f"p{suffix}", {"id": keys["predictions"], "p": [1.0] * len(keys["predictions"])})
    labels = store(tmp_path / f"l{suffix}", {"id": keys["labels"], "y": [1.0] * len(keys["labels"])})
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "--join", how, "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert f"4 ids occur more than once in the {side}" in done.err
    assert "a; b; c" in done.err
    assert "d" not in done.err.partition("such as")[2].partition("\n")[0].replace("ids", "")


@pytest.mark.parametrize("how", ["strict", "inner", "left"])
@pytest.mark.parametrize("side", ["predictions", "labels", "both"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".arrow"])
@pytest.mark.parametrize("kind", ["number", "text"])
def test_a_key_that_is_missing_is_an_error_with_its_count(lossctl, tmp_path, side, suffix, how, kind):
    """Never a match of nothing with nothing."""
    good = [1, 2, 3] if kind == "number" else ["a", "b", "c"]
    bad = [*good[:2], None]
    made = {}
    for name, column in (("predictions", "p"), ("labels", "y")):
        keys = bad if side in {name, "both"} else good
        made[name] = store(tmp_path / f"{name}{suffix}", {"id": keys, column: [1.0, 2.0, 3.0]})
    done = lossctl("eval", made["predictions"], "--labels", made["labels"], "--id", "id", "--join", how, "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert "'id' is null in 1 row" in done.err
    assert ("labels" if side == "labels" else "predictions") in done.err


@pytest.mark.parametrize(
    ("how", "matched", "n", "value"), [("inner", 2, 2, 2.5), ("left", 2, 2, 2.5)], ids=["inner", "left"]
)
def test_a_join_that_drops_rows_records_what_it_dropped(lossctl, tmp_path, how, matched, n, value):
    predictions = text(tmp_path / "p.csv", "id,p", "x,7", "a,1", "b,4", "z,7")
    labels = text(tmp_path / "l.csv", "id,y", "b,2", "other,0", "a,2", "more,1", "most,1")
    command = ["eval", predictions, "--labels", labels, "--id", "id", "--join", how, "--nulls", "drop"]
    done = lossctl(*command, *JSON)
    assert done.values == [value]
    facts = done.json["inputs"]["join"]
    assert (facts["how"], facts["id"], facts["matched"]) == (how, ["id"], matched)
    assert (facts["unmatched_predictions"], facts["unmatched_labels"]) == (2, 3)
    assert facts["labels"] == [str(labels)]
    assert facts["predictions"] == [str(predictions)]
    (result,) = done.json["results"]
    assert (result["n"], result["n_null"]) == (n, 2 if how == "left" else 0)
    for form in ("plain", "table", "markdown"):
        (line,) = [it for it in lossctl(*command, "-l", "mse", "-f", form).out.splitlines() if "join" in it]
        assert how in line
        assert "2" in line
        assert "3 labels without match" in line


def test_a_left_join_without_a_label_is_a_null_like_others(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p", "a,1", "x,7")
    labels = text(tmp_path / "l.csv", "id,y", "a,2")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "--join", "left", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert "row 2: " in done.err
    assert "null" in done.err
    assert "--nulls drop" in done.err


@pytest.mark.parametrize("how", ["inner", "left"])
def test_a_join_that_matches_nothing_is_a_data_error(lossctl, tmp_path, how):
    predictions, labels = text(tmp_path / "p.csv", "id,p", "a,1"), text(tmp_path / "l.csv", "id,y", "b,1")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "--join", how, "--nulls", "drop", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("error: ")
    assert str(predictions) in done.err


def test_a_strict_join_is_counted_too(lossctl, kaggle):
    done = lossctl("eval", kaggle[0], "--labels", kaggle[1], "--id", "id", *JSON)
    facts = done.json["inputs"]["join"]
    assert (facts["how"], facts["matched"], facts["unmatched_predictions"], facts["unmatched_labels"]) == (
        "strict",
        3,
        0,
        0,
    )
    assert done.json["inputs"]["rows"] == 3
    assert done.json["inputs"]["files"], "the files that were read are named where they always are"
    plain = lossctl("eval", kaggle[0], "--labels", kaggle[1], "--id", "id", "-l", "mse").out
    assert "join: strict by id: 3 matched" in plain


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


def test_a_column_in_both_files_groups_and_weighs_by_that_of_the_predictions(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p,w,g", "1,2,1,left", "2,5,3,left")
    labels = text(tmp_path / "l.csv", "id,y,w,g", "1,1,100,right", "2,3,100,right")
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
    predictions = text(tmp_path / "p.csv", columns, *rows)
    columns, rows = more if side == "right" else none
    labels = text(tmp_path / "l.csv", columns.replace("p", "y", 1), *rows)
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-y", "y", "-p", "p", flag, pattern, *JSON)
    assert done.status == 0, done.err
    assert set(done.values) == {0.0}


def test_several_models_and_globs_are_found_in_the_predictions(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,a,b", "1,2,3", "2,5,4")
    labels = text(tmp_path / "l.csv", "id,y", "2,3", "1,1")
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
        ([], ("--id",)),
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
    predictions = text(tmp_path / "p.csv", "id,key,prediction,segment", "1,1,2,a")
    labels = text(tmp_path / "l.csv", "id,target,weight", "1,1,1")
    done = lossctl("eval", predictions, "--labels", labels, *(["-l", "mse"] if "-l" not in flags else []), *flags)
    assert (done.status, done.out) == (2, "")
    assert [word for word in words if word not in done.err] == [], done.err


def test_a_key_or_a_join_without_labels_is_no_silent_nothing(lossctl, tmp_path):
    path = text(tmp_path / "p.csv", "id,y,p", "1,1,2")
    assert lossctl("eval", path, "--join", "inner", "-l", "mse").status == 2


@pytest.mark.parametrize("missing", ["predictions", "labels"])
def test_a_file_of_a_join_that_is_missing_or_empty_is_named(lossctl, tmp_path, missing):
    made = {"predictions": text(tmp_path / "p.csv", "id,p", "1,2"), "labels": text(tmp_path / "l.csv", "id,y", "1,2")}

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
    predictions = text(tmp_path / "p.csv", "id,p", "1,2", line if broken == "p" else "2,3")
    labels = text(tmp_path / "l.csv", "id,y", "1,2", line if broken == "l" else "2,3")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert f"{tmp_path / broken}.csv: row 2: " in done.err
    assert words in done.err


def test_a_null_of_either_file_is_met(lossctl, tmp_path):
    predictions = text(tmp_path / "p.csv", "id,p", "1,2", "2,", "3,1")
    labels = text(tmp_path / "l.csv", "id,y", "3,NA", "2,3", "1,1")
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
        text(tmp_path / "p" / f"{at}.csv", "id,p", f"{at},{at + 1}")
        text(tmp_path / "l" / f"{at}.csv", "id,y", f"{2 - at},{2 - at}")
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
            text(tmp_path / side / f"split={split}" / "x.csv", f"id,{column}", f"1,{len(split)}")
    done = lossctl("eval", tmp_path / "p", "--labels", tmp_path / "l", "--id", "split,id", "--by", "split", *JSON)
    assert (done.status, done.values) == (0, [0.0, 0.0]), done.err


def test_reading_flags_hold_for_both_sides(lossctl, tmp_path):
    predictions, labels = text(tmp_path / "p.txt", "1;2", "2;-"), text(tmp_path / "l.txt", "2;9", "1;1")
    flags = ["-F", "csv", "-d", ";", "--no-header", "--null-values=-", "--nulls", "drop", "-y", "#2", "-p", "#2"]
    done = lossctl("eval", predictions, "--labels", labels, "--id", "#1", *flags, *JSON)
    assert (done.status, done.values) == (0, [1.0]), done.err


# --- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("top", [[], ["--top", "3"]], ids=["all", "top"])
def test_samples_of_a_join_keep_the_columns_of_both(lossctl, kaggle, tmp_path, suffix, top):
    submission, solution = kaggle
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", submission, "--labels", solution, "--id", "id", "-l", "mse", "-o", target, *top)
    assert done.status == 0, done.err
    rows = library_rows(target)
    assert [row["id"] for row in rows] == (["a", "b", "c"] if not top else ["c", "b", "a"])
    one = next(row for row in rows if row["id"] == "c")
    assert (float(one["loss"]), float(one["target"]), float(one["target (labels)"])) == (1.0, 4.0, 3.0)
    assert one["Usage"] == "Public"


def library_rows(path):
    from lossctl.reading.format import Wanted, open_source

    source = open_source(path)
    everything = Wanted(frozenset(), frozenset(), others=True)
    return [row for shard in source.shards() for batch in shard.read(everything) for row in batch.to_pylist()]


@pytest.mark.parametrize("how", ["inner", "left"])
def test_rows_of_a_join_are_numbered_as_in_the_predictions(lossctl, tmp_path, how):
    """A row number is of use only where there is a file to look it up in."""
    predictions = text(tmp_path / "p.csv", "id,p", "x,7", "a,1", "y,7", "b,9")
    labels = text(tmp_path / "l.csv", "id,y", "b,2", "a,2")
    flags = ["--labels", labels, "--id", "id", "--join", how, "--nulls", "drop", "-l", "mse", "-q"]
    done = lossctl("samples", predictions, *flags, "-f", "jsonl")
    assert [json.loads(line)["row"] for line in done.out.splitlines()] == [2, 4]
    done = lossctl("samples", predictions, *flags, "-f", "jsonl", "--top", "1")
    assert json.loads(done.out)["row"] == 4
    done = lossctl("eval", predictions, *flags, "-f", "json", "--samples", "1")
    assert done.json["results"][0]["samples"][0]["row"] == 4
    text(predictions, "id,p", "x,7", "a,1", "y,7", "b,inf")
    assert "row 4: " in lossctl("eval", predictions, *flags).err


@pytest.mark.lowest
def test_samples_of_a_join_carry_types_as_they_are(lossctl, tmp_path):
    predictions = tmp_path / "p.parquet"
    when = pa.array([1, 2], pa.timestamp("ns"))
    deep = pa.array([{"a": [1]}, None])
    pq.write_table(pa.table({"id": [1, 2], "p": [1.0, 2.0], "when": when, "deep": deep}), predictions)
    labels = tmp_path / "l.parquet"
    pq.write_table(pa.table({"id": [2, 1], "y": [0.0, 0.0], "name": pa.array(["b", "a"]).dictionary_encode()}), labels)
    target = tmp_path / "out.parquet"
    done = lossctl("samples", predictions, "--labels", labels, "--id", "id", "-l", "mse", "-o", target)
    assert done.status == 0, done.err
    found = pq.read_table(target)
    assert found["when"].combine_chunks().equals(when)
    assert found["deep"].to_pylist() == deep.to_pylist()
    assert found["name"].to_pylist() == ["a", "b"]


# --- the library -----------------------------------------------------------------------------------------------------


LEFT, RIGHT = {"id": ["a", "b"], "p": [1.0, 5.0]}, {"id": ["b", "a"], "y": [3.0, 1.0]}


@pytest.mark.lowest
@pytest.mark.parametrize("make", [dict, pa.table, DataFrame], ids=["mapping", "arrow", "pandas"])
@pytest.mark.parametrize("other", [dict, pa.table, DataFrame], ids=["mapping", "arrow", "pandas"])
def test_tables_in_memory_are_joined(make, other):
    left = {name: np.array(values) if make is dict else values for name, values in LEFT.items()}
    right = {name: np.array(values) if other is dict else values for name, values in RIGHT.items()}
    report = library.evaluate(make(left), "mse", labels=other(right), ids="id")
    assert report.value == 2.0
    assert report.inputs["join"]["matched"] == 2


def test_a_file_is_joined_with_a_table_in_memory(tmp_path):
    path = store(tmp_path / "p.csv", LEFT)
    assert library.evaluate(path, "mse", labels=pa.table(RIGHT), ids=["id"]).value == 2.0
    assert library.evaluate(pa.table(LEFT), "mse", labels=[store(tmp_path / "l.csv", RIGHT)], ids=("id",)).value == 2.0


def test_the_library_joins_as_it_is_told():
    labels = pa.table({"id": ["a", "z"], "y": [3.0, 1.0]})
    with pytest.raises(DataError, match=r"1 predictions? ha.* no label.* b"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id")
    assert library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="inner").value == 4.0
    left = library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="left", nulls="drop")
    assert (left.value, left.results[0].n_null) == (4.0, 1)
    with pytest.raises(UsageError, match="outer"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels, ids="id", join="outer")
    with pytest.raises(UsageError, match="id"):
        library.evaluate(pa.table(LEFT), "mse", labels=labels)


def test_messages_about_tables_in_memory_begin_with_words():
    for left, right in ((LEFT, {"id": [], "y": []}), ({"id": [], "p": []}, RIGHT)):
        with pytest.raises(DataError) as told:
            library.evaluate(pa.table(left), "mse", label="y", prediction="p", labels=pa.table(right), ids="id")
        assert str(told.value)[0].isalpha(), str(told.value)
    nothing = pa.table({"id": ["a", "b"], "p": [1.0, None]})
    with pytest.raises(DataError) as told:
        library.evaluate(nothing, "mse", labels=pa.table(RIGHT), ids="id")
    assert str(told.value)[0].isalpha(), str(told.value)


def test_a_join_leaves_its_sources_as_they_were():
    left, right = DataFrame(LEFT), DataFrame(RIGHT)
    before = left.copy(), right.copy()
    with contextlib.suppress(DataError):
        library.evaluate(left, "mse", labels=right, ids="id")
    assert left.equals(before[0])
    assert right.equals(before[1])
