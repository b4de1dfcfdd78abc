"""Labels of another file matched by the order of the rows: on request only, and where both have as many."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from figures import digits
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import FORMATS, store
from stored import write_lines
from ways import FEW as ALL

import lossctl as library
from lossctl.errors import DataError, Undecided

ASKED = {"loss": ["mse", "log_cosh"], "prediction": ["p", "q"], "label": "y", "weight": "w", "by": "g", "samples": 3}
N = 60
FEW = [way for way in ALL if way[0] != "dask"]
"""What is joined is a table in memory, which others send to a cluster."""


@pytest.fixture(scope="module")
def whole():
    """A table to be taken apart, with nulls on both sides."""
    rng = np.random.default_rng(12)
    null = rng.random((2, N)) < 0.1
    return pa.table({
        "p": pa.array(rng.normal(size=N), mask=null[0]), "q": rng.normal(size=N), "g": rng.choice(["x", "y"], N),
        "w": rng.integers(0, 3, N) / 2, "y": pa.array(rng.normal(size=N), mask=null[1]),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "way"),
    [(one, other, FEW[at % len(FEW)]) for at, (one, other) in enumerate(zip(FORMATS, FORMATS[::-1], strict=True))],
)
def test_it_equals_the_joined_file_bit_for_bit(whole, tmp_path, one, other, way):
    predictions = store(tmp_path / f"predictions{one}", whole.select(["p", "q", "g"]))
    halves = [
        store(tmp_path / f"labels_{at}{other}", whole.select(["w", "y"]).slice(25 * at, (25, N)[at])) for at in (0, 1)
    ]
    running = {"nulls": "drop", "engine": way[0], "threads": way[1]}
    report = library.evaluate(predictions, **ASKED, labels=halves, join="order", **running)
    assert digits(report) == digits(library.evaluate(whole, **ASKED, nulls="drop"))
    assert report.inputs["join"]["how"] == "order"
    assert f"join: by row order: {N} rows" in str(report)


@pytest.mark.parametrize("more", ["predictions", "labels"])
@pytest.mark.parametrize("command", ["eval", "samples", "plot"])
def test_other_counts_are_a_data_error_that_tells_both(lossctl, tmp_path, more, command):
    counts = {"predictions": 3, "labels": 3, more: 4}
    predictions = write_lines(tmp_path / "predictions.csv", "p", *map(str, range(counts["predictions"])))
    labels = write_lines(tmp_path / "labels.csv", "y", *map(str, range(counts["labels"])))
    done = lossctl(command, predictions, "--labels", labels, "--join", "order", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert f"{counts['predictions']} rows in {predictions}, but {counts['labels']} rows in {labels}" in done.err


def test_it_is_refused_beside_a_key_and_proposed_without_one(lossctl, tmp_path):
    path = write_lines(tmp_path / "rows.csv", "id,y,p", "1,1,2")
    done = lossctl("eval", path, "--labels", path, "--join", "order", "--id", "id", "-l", "mse")
    assert done.status == 2
    assert "--join order" in done.err
    assert "--id" in done.err
    path = write_lines(tmp_path / "no key.csv", "y,p", "1,2")
    done = lossctl("eval", path, "--labels", path, "-l", "mse")
    assert done.status == 2
    assert "--join order" in done.err
    assert lossctl("eval", path, "--join", "order", "-l", "mse").status == 2


@pytest.mark.parametrize("flags", [[], ["--top", "2"]], ids=["all", "top"])
def test_samples_carry_the_columns_of_both(lossctl, tmp_path, flags):
    predictions = write_lines(tmp_path / "p.csv", "name,p,note", "a,1,x", "b,2,x", "c,5,x", "d,1,x")
    labels = write_lines(tmp_path / "l.csv", "y,note", "2,y", "NA,y", "2,y", "2,y")
    target = tmp_path / "out.jsonl"
    asked = ["--labels", labels, "--join", "order", "-l", "mse", "--nulls", "drop", "-o", target]
    assert lossctl("samples", predictions, *asked, *flags).status == 0
    rows = sorted((json.loads(line) for line in target.read_text().splitlines()), key=lambda row: row["row"])
    facts = [(row["row"], row["name"], row["loss"], row["note"], row["note (labels)"]) for row in rows]
    assert facts == [(1, "a", 1, "x", "y"), (3, "c", 9, "x", "y"), (4, "d", 1, "x", "y")][: 2 if flags else 3]


def test_fields_and_objects_are_joined_in_order(lossctl, tmp_path):
    """The mean of −log of 0.9 and 0.8."""
    rows = ['{"out": {"p": 0.9}, "c": {"a": 0.9, "b": 0.1}}', '{"out": {"p": 0.2}, "c": {"b": 0.8, "a": 0.2}}']
    predictions = write_lines(tmp_path / "p.jsonl", *rows)
    labels = write_lines(tmp_path / "l.jsonl", '{"out": {"y": 1, "word": "a"}}', '{"out": {"y": 0, "word": "b"}}')
    for flags in (["-y", "out.y", "-p", "out.p", "-l", "bce"], ["-y", "out.word", "-p", "c", "-l", "cross_entropy"]):
        done = lossctl("eval", predictions, "--labels", labels, "--join", "order", *flags, "-f", "json")
        assert done.status == 0, done.err
        assert done.json["results"][0]["value"] == pytest.approx(0.164252033486018, rel=1e-14)
        assert "note" not in done.err, done.err
        done = lossctl("samples", predictions, "--labels", labels, "--join", "order", *flags, "-f", "jsonl")
        assert json.loads(done.out.splitlines()[0]).keys() & {"out.y", "out.p", "out.word", "c.a"} == set()


@pytest.mark.parametrize("flags", [["--id", "meta.id"], ["--id", "meta.id", "--join", "left"]])
def test_a_key_may_be_a_field(lossctl, tmp_path, flags):
    """Errors of 1 and 3."""
    predictions = write_lines(tmp_path / "p.jsonl", '{"meta": {"id": "u", "p": 1}}', '{"meta": {"id": "v", "p": 2}}')
    labels = write_lines(tmp_path / "l.jsonl", '{"meta": {"id": "v", "y": 5}}', '{"meta": {"id": "u", "y": 2}}')
    asked = ["--labels", labels, *flags, "-y", "meta.y", "-p", "meta.p", "-l", "mae"]
    done = lossctl("eval", predictions, *asked, "-f", "value")
    assert (done.status, done.out) == (0, "2.0\n"), done.err
    done = lossctl("samples", predictions, *asked, "-f", "jsonl")
    row = json.loads(done.out.splitlines()[1])
    assert row["meta"] == {"id": "v", "p": 2}
    assert row["meta (labels)"] == {"id": "v", "y": 5}
    assert sorted(row) == ["gradient", "loss", "meta", "meta (labels)", "row"]


@pytest.mark.parametrize("flags", [["--id", "id"], ["--join", "order"]])
def test_a_glob_finds_no_column_of_the_labels(lossctl, tmp_path, flags):
    predictions = write_lines(tmp_path / "p.jsonl", '{"id": 1, "out": {"a": 0.75, "b": 0.25}}')
    labels = write_lines(tmp_path / "l.jsonl", '{"id": 1, "out": {"y": "a"}}')
    asked = ["--labels", labels, *flags, "-y", "out.y", "-p", "out.*", "-l", "cross_entropy", "-f", "json"]
    done = lossctl("eval", predictions, *asked)
    assert done.status == 0, done.err
    (result,) = done.json["results"]
    assert (result["model"], result["value"]) == ("out.*", pytest.approx(-math.log(0.75), rel=1e-15))


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(5)),
    names=st.sampled_from([("id", "id"), ("PassengerId", "PassengerId"), ("sample_id", "id"), ("uid", "key")]),
    words=st.booleans(),
)
def test_columns_that_tell_of_another_order_are_believed(tmp_path_factory, order, names, words):
    folder, turned = tmp_path_factory.mktemp("order"), np.array(order)
    values, keys = np.arange(5.0), np.array([f"r{row}" for row in range(5)]) if words else np.arange(5) + 1000
    predictions = store(folder / "p.csv", {names[0]: keys[turned], "pred": values[turned]})
    labels = store(folder / "y.parquet", {names[1]: keys, "y": values})
    asked = {"labels": labels, "loss": "mse"}
    if order == sorted(order):
        assert library.evaluate(predictions, **asked, join="order").value == 0
    else:
        with pytest.raises(DataError, match=f"the rows are in another order: '{names[0]}' of the predictions"):
            library.evaluate(predictions, **asked, join="order")
    if names[0] == names[1]:
        assert library.evaluate(predictions, **asked).value == 0
        return
    with pytest.raises(Undecided) as told:
        library.evaluate(predictions, **asked)
    assert dict(told.value.ways[0]) == {"ids": f"{names[0]}={names[1]}"}
    assert (dict(told.value.ways[-1]) == {"join": "order"}) == (order == sorted(order))
    for way in told.value.ways:
        assert library.evaluate(predictions, **asked, **dict(way)).value == 0


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "store_id", "id"])
def test_columns_that_tell_nothing_of_the_order_are_not_asked(name):
    own = [0, 0, 1, 1] if name == "store_id" else [7, 8, 9, 5] if name == "id" else [0, 1, 2, 3]
    predictions = {name: [2, 1, 0, 3], "pred": [1.0, 2, 3, 4]}
    labels = {name: own, "y": [1.0, 2, 3, 4]}
    assert library.evaluate(predictions, "mse", labels=labels, join="order").value == 0


DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]
SAID = {
    "words and dates": {"store": ["a", "b"] * 3, "date": np.repeat(DAYS, 2).tolist()},
    "words and typed dates": {"store": ["a", "b"] * 3, "date": np.repeat(np.array(DAYS, "M8[D]"), 2).tolist()},
    "numbers": {"store": [1, 2] * 3, "week": [7, 7, 8, 8, 9, 9]},
    "a feature of words": {"weather": ["sun", "rain", "snow", "fog", "rain", "sun"]},
    "a feature of numbers": {"price": [1.5, 2.5, 1.5, 3.25, 4.0, 4.0]},
}


@settings(max_examples=6, deadline=None)
@given(order=st.permutations(range(6)), kind=st.sampled_from([*SAID]), first=st.sampled_from(["predictions", "models"]))
def test_what_both_sides_say_of_a_row_is_the_same_or_rows_do_not_match_in_order(order, kind, first):
    """Predictions are the labels, and those of the second model 1 above them."""
    said, values = SAID[kind], np.arange(6.0) + 0.5
    turned = {name: np.array(column)[order].tolist() for name, column in said.items()}
    own, others = {**turned, "sales": values[order]}, {**said, "forecast": values}
    asked = {"label": "sales", "prediction": "forecast"}

    def measured(**matched):
        if first == "predictions":
            return library.evaluate(others, "mae", labels=own, **asked, **matched).value
        models = {"y": values, **others}, {**turned, "forecast": values[order] + 1}
        compared = library.compare(models[0], "mae", others=[models[1]], prediction="forecast", **matched)
        return compared.results[0].difference - 1

    if turned == said:
        assert measured(join="order") == (0 if order == sorted(order) else measured(join="order"))
    else:
        with pytest.raises(DataError, match="the rows are in another order"):
            measured(join="order")
    if "feature" in kind or first == "models":
        return
    assert measured(ids=[*said]) == 0
    with pytest.raises(Undecided) as told:
        measured()
    assert ({("join", "order")} & {pair for way in told.value.ways for pair in way} != set()) == (turned == said)


@pytest.mark.parametrize("seed", range(3))
def test_decisions_of_the_same_name_may_differ(seed):
    """Of 60 rows a third is decided otherwise."""
    rng = np.random.default_rng(seed)
    truth, p = rng.choice(["cat", "dog", "cow"], 60), rng.random(60)
    guess = np.where(np.arange(60) % 3, truth, rng.permutation(truth))
    labels = {"animal": truth.tolist(), "y": p}
    report = library.evaluate({"animal": guess.tolist(), "pred": p}, "mae", labels=labels, join="order")
    assert report.value == 0


@pytest.mark.parametrize("other", ["2025-01-{:02}", "2024-01-{:02}"])
@pytest.mark.parametrize("typed", [str, np.datetime64])
def test_rows_of_other_days_do_not_match_in_order(other, typed):
    days = [typed(f"2024-01-{day:02}") for day in range(1, 7)]
    labels = {"date": np.array(days).tolist(), "y": np.arange(6.0)}
    for shift in (0, 3):
        predictions = {"date": np.array([typed(other.format(day + shift)) for day in range(1, 7)]).tolist()}
        predictions["pred"] = np.arange(6.0)
        if predictions["date"] == labels["date"]:
            assert library.evaluate(predictions, "mae", labels=labels, join="order").value == 0
        else:
            with pytest.raises(DataError, match="the rows are not the same: 'date' of the predictions"):
                library.evaluate(predictions, "mae", labels=labels, join="order")


HOURS = [f"2025-10-20 {hour:02}:00:00" for hour in range(12)]
MAY_TELL = {
    "times of another name": ("timestamp", [f"{hour}+00:00" for hour in HOURS], "utc_time", HOURS[::-1]),
    "times that come again": ("timestamp", [*HOURS[:-1], HOURS[0]], "timestamp", HOURS[::-1]),
    "dates of other days": ("day", [hour[:10] for hour in HOURS], "date", ["2025-10-21"] * 12),
    "ids of another name": (
        "patient_id",
        [f"a{row}" for row in range(12)],
        "case_id",
        [f"A{row}" for row in range(12)],
    ),
}


@pytest.mark.parametrize("kind", [*MAY_TELL])
def test_the_order_is_never_offered_where_columns_of_both_may_tell_the_rows(kind):
    name, cells, other, others = MAY_TELL[kind]
    predictions, labels = {name: cells, "pred": [0.5 + row for row in range(12)]}, {other: others, "y": [*range(12)]}
    key = name if name == other else f"{name}={other}"
    with pytest.raises(library.errors.Undecided) as told:
        library.evaluate(predictions, "mae", labels=labels)
    assert not told.value.ways
    again = kind == "times that come again"
    assert f"ids={'COL' if again else key!r}".replace("'", "") in told.value.hint.replace("'", "")
    assert ("only timestamp could be it" in str(told.value)) == again
    assert "several columns" not in str(told.value)


def test_columns_of_other_names_that_hold_the_same_are_offered_and_the_order_only_with_what_it_needs():
    predictions, labels = {"case": [*"abcdef"], "pred": [1.5] * 6}, {"mrn": [*"fbcdea"], "y": [1] * 6}
    with pytest.raises(library.errors.Undecided) as told:
        library.evaluate(predictions, "mae", labels=labels)
    assert [dict(way)["ids"] for way in told.value.ways] == ["case=mrn"]
    assert library.evaluate(predictions, "mae", labels=labels, ids="case=mrn").value == 0.5
    with pytest.raises(library.errors.Undecided, match="right only where the rows stand in the same order") as told:
        library.evaluate({"pred": [1.5] * 6}, "mae", labels={"y": [1] * 6})
    assert told.value.ways == ((("join", "order"),),)


def test_a_column_that_rows_are_grouped_by_may_be_the_only_key():
    labels = {"timestamp": HOURS[::-1], "y": list(range(12))[::-1]}
    predictions = {"timestamp": HOURS, "pred": [0.5 + row for row in range(12)]}
    report = library.evaluate(predictions, "mae", labels=labels, by="timestamp:hour")
    assert {result.value for result in report.results} == {0.5}
