"""An object from class to probability is a vector: its keys are classes, as the names of columns are."""

import json
import math
import re

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import read_back, stored, write_lines

import lossctl as library
from lossctl.reading.formats import jsonlines

VALUE = 0.27977656357934225
"""The mean of −log of 0.9, 0.8 and 0.6, by mpmath; the shape is that of github.com/duckdb/duckdb/issues/7015."""
LABELS = ("spam", "ham", "spam")
ROWS = ({"spam": 0.9, "ham": 0.1}, {"ham": 0.8, "spam": 0.2}, {"spam": 0.6, "ham": 0.4})


def struct(rows):
    return pa.array(rows)


def map_of(rows, key=None):
    key = key or (pa.string() if all(isinstance(name, str) for row in rows if row for name in row) else pa.int16())
    return pa.array([None if row is None else [*row.items()] for row in rows], pa.map_(key, pa.float64()))


def pairs(rows, order=("label", "score")):
    return pa.array(
        [None if row is None else [dict(zip(order, pair, strict=True)) for pair in row.items()] for row in rows]
    )


SHAPES = {
    "struct": struct,
    "map": map_of,
    "map of views": lambda rows: map_of(rows, pa.string_view()),
    "map of dictionaries": lambda rows: map_of(rows).cast(
        pa.map_(pa.dictionary(pa.int32(), pa.string()), pa.float64())
    ),
    "pairs": pairs,
    "large list of pairs": lambda rows: pa.array(pairs(rows).to_pylist(), pa.large_list(pairs(rows).type.value_type)),
    "pairs, number first": lambda rows: pa.array(
        [None if row is None else [{"p": number, "class": name} for name, number in row.items()] for row in rows]
    ),
}
HELD = [
    (shape, place)
    for shape in SHAPES
    for place in ("table", "frame", ".parquet", ".arrow", ".arrows", ".jsonl")
    if not (place == ".jsonl" and "map" in shape) and not (shape == "map of views" and place == ".parquet")
]


def held(cells, labels, place, folder):
    """A table of labels and objects in a place."""
    table = pa.table({"y": labels, "p": cells})
    if place == "table":
        return table
    if place == "frame":
        return table.to_pandas(types_mapper=pd.ArrowDtype)
    path = folder / f"rows{place}"
    path.write_bytes(stored(table, place, chunk=2))
    return path


@pytest.mark.parametrize(("shape", "place"), HELD)
def test_an_object_is_the_vector_of_its_keys(tmp_path, shape, place):
    source = held(SHAPES[shape](ROWS), LABELS, place, tmp_path)
    report = library.evaluate(source, "cross_entropy", label="y", prediction="p", gradient=True)
    assert report.value == pytest.approx(VALUE, rel=1e-15)
    assert sorted(report.inputs["models"]["p"]) == ["p.ham", "p.spam"]


KEYS = st.sampled_from(["a", "b.c", "very good", "-1", "2", "01", "x,y", "C++", "class=3", "ü", "p[0]", "1.5"])


@settings(max_examples=40)
@given(
    st.lists(KEYS, min_size=2, max_size=5, unique=True),
    st.sampled_from(["struct", "map", "pairs"]),
    st.sampled_from(["p", "p1", "out_2", "p.q"]),
    st.data(),
)
def test_any_key_may_be_a_class(keys, shape, name, data):
    rows = []
    for _ in range(4):
        order = data.draw(st.permutations(keys))
        rows.append({key: (keys.index(key) + 1) / 16 for key in order})
    label = [data.draw(st.sampled_from(keys)) for _ in rows]
    table = pa.table({"y": label, name: SHAPES[shape](rows)})
    report = library.evaluate(table, "nll", label="y", prediction=name, classes=keys, normalize_rows=True)
    total = sum(range(1, len(keys) + 1))
    expected = -math.fsum(math.log((keys.index(word) + 1) / total) for word in label) / 4
    assert report.value == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("shape", ["struct", "map", "pairs"])
@pytest.mark.parametrize("numeral", [str, "{:02}".format, "{}.0".format, "class{}".format])
def test_keys_that_are_numbers_are_compared_as_numbers(shape, numeral):
    rows = [{numeral(7): 0.1, numeral(5): 0.9}, {numeral(5): 0.2, numeral(7): 0.8}]
    table = pa.table({"y": [5, 7], "p1": SHAPES[shape](rows)})
    report = library.evaluate(table, "cross_entropy", label="y", prediction="p1")
    assert report.value == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2, rel=1e-14)


def test_keys_of_a_map_may_be_integers():
    table = pa.table({"y": [5, 7], "p": map_of([{7: 0.1, 5: 0.9}, {5: 0.2, 7: 0.8}])})
    report = library.evaluate(table, "cross_entropy", label="y", prediction="p")
    assert report.value == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2, rel=1e-14)


def test_labels_may_be_objects_too():
    """KL(0.25, 0.75 ‖ 0.5, 0.5) twice, by hand: log 2 − H."""
    soft = [{"a": 0.25, "b": 0.75}, {"b": 0.75, "a": 0.25}]
    table = pa.table({"y": struct(soft), "p": map_of([{"b": 0.5, "a": 0.5}, {"a": 0.5, "b": 0.5}])})
    report = library.evaluate(table, "kl_divergence", label="y", prediction="p")
    assert report.value == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), rel=1e-14)


@pytest.mark.parametrize("shape", ["struct", "map", "pairs"])
def test_columns_of_numbers_or_of_objects_are_told_apart_by_the_labels(shape):
    with pytest.raises(library.LossctlError, match=r"'bird'.*one of the classes spam, ham"):
        library.evaluate(pa.table({"y": ["bird"], "p": SHAPES[shape](ROWS[:1])}), "nll", label="y", prediction="p")


@pytest.mark.parametrize(("place", "engine"), [(".parquet", "threads"), (".arrow", "processes"), (".jsonl", "serial")])
@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"spam": 0.5}, "row 4: column 'p.ham' is null"),
        (
            {"spam": 0.5, "ham": 0.25, "bird": 0.25},
            "row 4: column 'p' has the key 'bird', which the first row does not",
        ),
        (None, "row 4: column 'p.spam' is null"),
    ],
    ids=["missing", "other", "null"],
)
def test_a_row_with_other_keys_is_named(tmp_path, monkeypatch, place, engine, odd, words):
    monkeypatch.setattr(jsonlines, "HEAD", 150)
    shape = pairs if place == ".jsonl" else map_of
    source = held(shape([*ROWS, odd, ROWS[0]]), [*LABELS, "spam", "spam"], place, tmp_path)
    asked = {"loss": "cross_entropy", "label": "y", "prediction": "p", "engine": engine}
    with pytest.raises(library.LossctlError, match=re.escape(words)):
        library.evaluate(source, **asked)
    if odd is None or len(odd) == 1:
        (result,) = library.evaluate(source, **asked, nulls="drop").results
        assert (result.n, result.n_null) == (4, 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"y": "spam", "p": {"spam": 0.5}}', "row 41: column 'p.ham' is null"),
        ('{"y": "spam", "p": {"spam": 0.5, "ham": 0.25, "bird": 0.25}}', "row 41: column 'p' has the key 'bird'"),
        ('{"y": "spam", "p": {"spam": 0.5, "ham": 0.5, "ham": 0.5}}', "row 41: key 'ham' stands twice"),
        ('{"y": "spam", "p": {"spam": 0.5, "ham": "high"}}', "row 41: column 'p.ham' holds 'high'"),
        ('{"y": "spam", "p": [0.5, 0.5]}', "row 41: column 'p' holds [0.5, 0.5]"),
        ('{"y": "spam", "p": 0.5}', "row 41: column 'p' holds 0.5"),
        ('{"y": "spam", "p": {"spam": 0.5, "ham": 0.5}, "q": {"new": 1}}', None),
    ],
)
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_no_key_of_a_later_line_is_dropped_in_silence(lossctl, tmp_path, monkeypatch, line, words, command):
    monkeypatch.setattr(jsonlines, "HEAD", 100)
    rows = [json.dumps({"y": LABELS[0], "p": ROWS[0]})] * 40
    path = write_lines(tmp_path / "rows.jsonl", *rows, line, *rows)
    done = lossctl(command, path, "-y", "y", "-p", "p", "-l", "cross_entropy")
    if words is None:
        assert done.status == (0 if command == "eval" else 3), done.err  # samples would lose the column
    else:
        assert done.status == 3
        assert words in done.err, done.err


@pytest.mark.parametrize("shape", ["map", "pairs"])
def test_a_key_that_stands_twice_is_named(shape):
    rows = [[("a", 0.5), ("b", 0.5)], [("a", 0.5), ("a", 0.5), ("b", 0.0)]]
    twice = pa.array(rows, pa.map_(pa.string(), pa.float64()))
    if shape == "pairs":
        twice = pa.array([[{"k": key, "p": number} for key, number in row] for row in rows])
    with pytest.raises(library.LossctlError, match="row 2: column 'p' has the key 'a' twice"):
        library.evaluate(pa.table({"y": ["a", "b"], "p": twice}), "nll", label="y", prediction="p")


def test_an_object_of_a_second_file_with_another_class_is_refused(tmp_path):
    for name, rows in (("a", ROWS), ("b", [{"spam": 0.5, "ham": 0.25, "bird": 0.25}])):
        for suffix in (".parquet", ".jsonl"):
            table = pa.table({"y": LABELS[: len(rows)], "p": struct(rows)})
            (tmp_path / f"{name}{suffix}").write_bytes(stored(table, suffix))
    for suffix in (".parquet", ".jsonl"):
        files = [tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"]
        with pytest.raises(library.LossctlError, match=r"b\.\w+: row 1: column 'p' has the key 'bird'"):
            library.evaluate(files, "cross_entropy", label="y", prediction="p")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize("shape", ["struct", "pairs"])
def test_samples_carry_the_object_as_it_is(lossctl, tmp_path, suffix, shape):
    path, target = tmp_path / "rows.jsonl", tmp_path / f"out{suffix}"
    path.write_bytes(stored(pa.table({"y": LABELS, "p": SHAPES[shape](ROWS)}), ".jsonl"))
    done = lossctl("samples", path, "-y", "y", "-p", "p", "-l", "cross_entropy", "-o", target)
    assert done.status == 0, done.err
    names = ["gradient_p.ham", "gradient_p.spam", "loss", "p", "row", "y"]
    assert [sorted(row) for row in read_back(target)] == [names] * 3
    cells = [row["p"] for row in read_back(target)]
    assert [json.loads(cell) if suffix == ".csv" else cell for cell in cells] == SHAPES[shape](ROWS).to_pylist()


@pytest.mark.parametrize("shape", ["struct", "map", "pairs"])
def test_an_object_of_less_than_two_keys_is_no_vector(shape):
    with pytest.raises(library.LossctlError, match=r"one key only, 'a'|Name a field inside it: p\.a"):
        library.evaluate(pa.table({"y": ["a"], "p": SHAPES[shape]([{"a": 1.0}])}), "nll", label="y", prediction="p")


@pytest.mark.parametrize("shape", ["struct", "map", "pairs"])
@pytest.mark.parametrize(
    "others",
    [{"p.spam": [0.5] * 3}, {"p.spam": map_of(ROWS)}, {"p.x": map_of(ROWS), "p": [{"x.spam": 0.5, "ham": 0.5}] * 3}],
    ids=["number", "map", "map within"],
)
def test_a_key_whose_path_may_be_another_column_is_refused(shape, others):
    """Else that column would be taken in place of the key."""
    objects = SHAPES[shape](others.get("p", ROWS))
    for columns in ({"p": objects, **others}, {**others, "p": objects}):
        table = pa.table({"y": LABELS, **columns, "p": objects})
        with pytest.raises(library.LossctlError, match="may be another column too"):
            library.evaluate(table, "cross_entropy", label="y", prediction="p")


def test_an_object_whose_name_begins_like_another_is_that_object():
    for columns in ({"p": map_of(ROWS[::-1]), "p.q": map_of(ROWS)}, {"p.q": map_of(ROWS), "p": map_of(ROWS[::-1])}):
        table = pa.table({"y": LABELS, **columns})
        value = library.evaluate(table, "cross_entropy", label="y", prediction="p.q").value
        assert value == pytest.approx(VALUE, rel=1e-15)


def test_a_single_row_of_labelled_pairs_is_a_row(lossctl, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"y": "spam", "p": [{"label": "spam", "prob": 0.9}, {"label": "ham", "prob": 0.1}]}\n')
    done = lossctl("eval", path, "-y", "y", "-p", "p", "-l", "cross_entropy", "-f", "value")
    assert float(done.out) == pytest.approx(-math.log(0.9), rel=4e-15)
