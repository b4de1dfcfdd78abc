"""Keys match by what they say, strictly unless asked otherwise, and never silently."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from stored import write_lines
from transcripts import JSON

import lossctl as library
from lossctl.errors import DataError, Undecided, UsageError
from lossctl.evaluation import matching

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
    predictions = write_lines(tmp_path / "p.csv", "user,day,p", "a,1,1", "a,2,2", "b,1,3", "ab,1,9")
    labels = write_lines(tmp_path / "l.csv", "day,user,y", "1,ab,9", "1,b,3", "2,a,2", "1,a,0")
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
            write_lines(path, f"id,{column}", f"{key},1")
        else:
            write_lines(path, f'{{"id": {key}, "{column}": 1}}')
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
            return write_lines(path, *map(json.dumps, lines))
        return write_lines(
            path, *(sign.join(map(str, line)) for line in [lines[0], *(line.values() for line in lines)])
        )

    sources = written("left", "pw"), written("right", "y")
    asked = {"labels": sources[1], "ids": "id", "weight": "w", "nulls": "drop"}
    result = library.evaluate(sources[0], "mse", **asked).results[0]
    assert (result.n, result.n_null) == (1, 1)


# --- keys of two names -----------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["id", "user id", "a=b", "b", "a", "x=", "k", "y", "p"])


@settings(max_examples=25, deadline=None)
@given(
    names=st.tuples(NAMES, NAMES).filter(lambda names: names[0] != "p" and names[1] != "y"),
    spare=st.booleans(),
    how=st.sampled_from(["strict", "inner", "left"]),
)
def test_a_key_may_have_another_name_in_each(names, spare, how):
    left, right = names
    predictions = {left: ["u", "v", "w"], "p": [1.0, 2.0, 4.0]}
    labels = {right: ["w", "u", "v"], "y": [4.0, 2.0, 2.0]}
    if spare and left != right:
        labels |= {left: ["q", "q", "q"]} if left not in labels else {}
    asked = {"loss": "mae", "label": "y", "prediction": "p", "join": how}
    report = library.evaluate(predictions, labels=labels, ids=[left if left == right else f"{left}={right}"], **asked)
    assert report.value == 1 / 3
    joined = report.inputs["join"]
    assert (joined["id"], joined.get("labels_id", [left])) == ([left], [right])


@pytest.mark.parametrize(("key", "what", "hint"), [
    ("user_key", "no column 'user_key' for the id of the predictions", "user_id=user_key"),
    ("user_id", "no column 'user_id' for the id of the labels", "user_id=user_key"),
    ("user_key=user_id", "names the column of the labels first", "user_id=user_key"),
    ("#1", "is column 'user_id' of the predictions, but 'user_key' of the labels", "user_id=user_key"),
    (["user_id=user_key", "user_id=y"], "'user_id' is to match two columns", "once"),
    ("user_id=q", "no column 'q' for the id of the labels", "Known: user_key"),
    ("user_id=", "no column '' for the id of the labels", ""),
])  # fmt: skip
def test_a_wrong_key_is_an_error_with_the_one_to_copy(key, what, hint):
    predictions, labels = {"user_id": ["a", "b"], "p": [1.0, 2.0]}, {"user_key": ["b", "a"], "y": [2.0, 1.0]}
    with pytest.raises(UsageError) as told:
        library.evaluate(predictions, "mae", labels=labels, ids=key)
    assert what in told.value.what
    assert hint in told.value.hint
    if hint == "user_id=user_key":
        assert library.evaluate(predictions, "mae", labels=labels, ids="user_id=user_key").value == 0


@pytest.mark.parametrize("command", ["eval", "samples", "plot", "doctor", "baseline save", "check", "compare"])
def test_every_command_takes_a_key_of_two_names(lossctl, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    labels = write_lines(tmp_path / "l.csv", "k,y", *(f"{row},{row}" for row in range(9, -1, -1)))
    files = [write_lines(tmp_path / "a.csv", "pid,p", *(f"{row},{row + 1}" for row in range(10)))]
    if command == "compare":
        files.append(write_lines(tmp_path / "b.csv", "k,p", *(f"{row},{row}" for row in range(10))))
    gate = ["name = 'g'", "loss = 'mae'", "max = 2.0", "pass_if = 'not failed'"]
    config = write_lines(tmp_path / "c.toml", f"labels = '{labels}'", "id = 'pid=k'", "[[gate]]", *gate)
    flags = ["--config", config] if command == "check" else ["--labels", labels, "--id", "pid=k"]
    flags += ["-l", "mae"] * (command not in {"check", "doctor"}) + ["-o", "b.json"] * (command == "baseline save")
    done = lossctl(*command.split(), *files, *flags)
    assert done.status == 0, done.err


# --- numbers that are written in two ways ----------------------------------------------------------------------------

WRITTEN = [str, "{}.0".format, "{}.".format, "{:.3f}".format, "{:e}".format, float]
"""Ways to write a whole number below 10^6."""


@settings(max_examples=30, deadline=None)
@given(
    numbers=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6, unique=True),
    ways=st.tuples(st.sampled_from(WRITTEN), st.sampled_from(WRITTEN)),
)
def test_equal_numbers_are_one_key_however_they_are_written(numbers, ways):
    left, right = ([way(number) for number in order] for way, order in zip(ways, (numbers, numbers[::-1]), strict=True))
    values = np.arange(float(len(numbers)))
    report = library.evaluate({"id": left, "p": values}, "mae", labels={"id": right, "y": values[::-1]}, ids="id")
    assert report.value == 0
    said = [note for note in report.notes if "equal numbers match" in note]
    cells = [[pa.array(words).cast(pa.string()).to_pylist() for words in side] for side in ([left], [right])]
    assert bool(said) == ({*cells[0][0]} != {*cells[1][0]})


@pytest.mark.parametrize(("left", "right"), [
    (["007", "010"], ["7", "10"]), (["007", "123"], ["7.0", "123.0"]), (["1", "01"], ["1.0", "2.0"]),
    (["1.1", "1.10"], ["1.1", "1.100"]), (["1.0", "A"], ["1", "A"]), (["9007199254740993"], ["9007199254740992.0"]),
    (["9007199254740992"], ["9007199254740992.0"]), (["1e16"], ["10000000000000000"]), (["+1.0"], ["1"]),
    (["1.0 "], ["1"]), (["0x1.0"], ["1"]),
], ids=str)  # fmt: skip
def test_codes_and_numbers_that_may_be_rounded_are_no_equal_numbers(left, right):
    predictions = {"id": left, "p": np.zeros(len(left))}
    with pytest.raises(DataError, match="have no label"):
        library.evaluate(predictions, "mae", labels={"id": right, "y": np.zeros(len(right))}, ids="id")


def test_models_in_a_file_each_are_matched_by_equal_numbers():
    first = {"id": ["2", "1"], "y": [2.0, 1.0], "p": [2.0, 1.0]}
    other = {"key": ["1.0", "2.0"], "p": [2.0, 3.0]}
    comparison = library.compare(first, "mae", others={"b": other}, ids="id=key")
    assert comparison.results[0].difference == 1
    assert any("'2' of" in note and "'2.0' of" in note for note in comparison.notes)


def test_rows_by_their_order_are_held_against_equal_numbers():
    predictions, labels = {"id": ["2", "1"], "p": [2.0, 1.0]}, {"key": ["1.0", "2.0"], "y": [1.0, 2.0]}
    with pytest.raises(DataError, match="another order"):
        library.evaluate(predictions, "mae", labels=labels, join="order")


# --- what does not match ---------------------------------------------------------------------------------------------


def test_unmatched_keys_are_an_error_with_counts_and_three_examples(lossctl, tmp_path):
    predictions = write_lines(tmp_path / "p.csv", "id,p", *(f"{at},1" for at in range(100)))
    labels = write_lines(tmp_path / "l.csv", "id,y", *(f"{at},1" for at in range(95, 110)))
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
    predictions = write_lines(tmp_path / "p.csv", "id,p", *(f"k{at},1" for at in range(5000)))
    labels = write_lines(tmp_path / "l.csv", "id,y", "k4999,1")
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
    assert f"4 ids more than once in the {side}" in done.err
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
    predictions = write_lines(tmp_path / "p.csv", "id,p", "x,7", "a,1", "b,4", "z,7")
    labels = write_lines(tmp_path / "l.csv", "id,y", "b,2", "other,0", "a,2", "more,1", "most,1")
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
    predictions = write_lines(tmp_path / "p.csv", "id,p", "a,1", "x,7")
    labels = write_lines(tmp_path / "l.csv", "id,y", "a,2")
    done = lossctl("eval", predictions, "--labels", labels, "--id", "id", "--join", "left", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert "row 2: " in done.err
    assert "null" in done.err
    assert "--nulls drop" in done.err


@pytest.mark.parametrize("how", ["inner", "left"])
def test_a_join_that_matches_nothing_is_a_data_error(lossctl, tmp_path, how):
    predictions, labels = write_lines(tmp_path / "p.csv", "id,p", "a,1"), write_lines(tmp_path / "l.csv", "id,y", "b,1")
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


def _panel(names, models):
    """Ten days of two shops, and forecasts that are off by 1, 2, … each: of the shops in another order."""
    keys = {names[0]: np.repeat(["a", "b"], 10), names[1]: np.tile([f"2024-01-{day:02}" for day in range(1, 11)], 2)}
    sales = np.random.default_rng(4).uniform(10, 90, 20)
    turned = np.r_[10:20, 0:10]
    forecasts = {name: (sales + place)[turned] for place, name in enumerate(models, 1)}
    labels = {**keys, "y": sales}
    return {name: column[turned] for name, column in keys.items()} | forecasts, labels


@pytest.mark.parametrize("names", [("store", "date"), ("unique_id", "ds")])
@pytest.mark.parametrize("lacking", [0, 3])
def test_keys_of_several_columns_are_offered_and_those_of_fewer_rows_on_what_matches(names, lacking):
    predictions, labels = _panel(names, ["forecast"])
    predictions = {name: column[lacking:] for name, column in predictions.items()}
    with pytest.raises(Undecided) as told:
        library.evaluate(predictions, "mae", labels=labels)
    ((ids, *more),) = [[pair for pair in way if pair[0] in {"ids", "join"}] for way in told.value.ways]
    assert (ids, *more) == (("ids", ",".join(names)), *([("join", "inner")] if lacking else []))
    report = library.evaluate(predictions, "mae", labels=labels, ids=[*names], **dict(more))
    assert (report.value, report.results[0].n) == (pytest.approx(1), 20 - lacking)


@pytest.mark.parametrize("models", [["AutoARIMA", "SeasonalNaive", "NHITS"], ["mine", "yours"]])
def test_all_models_are_offered_beside_the_interval_of_one(models):
    predictions, labels = _panel(("unique_id", "ds"), models)
    interval = {f"{models[0]}-{end}-90": predictions[models[0]] + sign * 20 for end, sign in (("lo", -1), ("hi", 1))}
    with pytest.raises(Undecided) as told:
        library.evaluate(predictions | interval, None, labels=labels)
    first, *_, last = ([value for name, value in way if name == "prediction"] for way in told.value.ways)
    assert (first, last) == (models, [f"{models[0]}-*"])


def test_quantiles_are_offered_as_such_wherever_the_labels_are():
    predictions, labels = _panel(("store", "date"), ["q50"])
    predictions |= {"q10": predictions["q50"] - 9, "q90": predictions["q50"] + 9}
    with pytest.raises(Undecided) as told:
        library.evaluate(predictions, None, labels=labels)
    ways = [dict(way) for way in told.value.ways]
    assert [(way["ids"], way["prediction"], way["loss"]) for way in ways] == [
        ("store,date", "q50", "mae"),
        ("store,date", "q*", "quantiles"),
    ]


THREEFOLD = st.lists(st.tuples(*[st.sampled_from(["a", "b", "ab", "ba", "é"])] * 3), min_size=1, max_size=9)


def _in_pieces(rows, cut):
    columns = dict(zip("xyz", zip(*rows, strict=True), strict=True))
    table = pa.table(columns)
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)])


@given(THREEFOLD, THREEFOLD, st.integers(0, 9))
def test_keys_of_several_columns_match_where_all_do_and_those_that_repeat_are_told_as_they_come(left, right, cut):
    tables = _in_pieces(left, cut), _in_pieces(right, cut)
    for side, rows in (("predictions", left), ("labels", right)):
        repeated = [", ".join(key) for key in dict.fromkeys(rows) if rows.count(key) > 1]
        if repeated:
            with pytest.raises(DataError) as told:
                matching.match_by_key(*tables, ["x", "y", "z"], "left")
            assert f"more than once in the {side}, such as {'; '.join(repeated[:3])}\n" in str(told.value)
            return
    matched, counts, _ = matching.match_by_key(*tables, ["x", "y", "z"], "left")
    assert matched.to_pylist() == [
        {matching.LEFT: row, matching.RIGHT: right.index(key) if key in right else None} for row, key in enumerate(left)
    ]
    assert counts["unmatched_labels"] == len({*right} - {*left})
