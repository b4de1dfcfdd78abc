"""What JSON Lines may hold, and what is said of a line that is wrong."""

import json
import math

import numpy as np
import pytest
from figures import digits, run
from stored import narrow, read_back

from lossctl.errors import DataError


def jsonl(tmp_path, *lines):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("literal", ["NaN", "null", '"NaN"', '""'])
@pytest.mark.parametrize("at", [0, 1])
def test_json_lines_may_hold_what_python_writes_for_a_missing_number(literal, at, tmp_path):
    lines = ['{"y": 1, "p": 2}', '{"y": 1, "p": 3}']
    lines.insert(at, f'{{"y": 1, "p": {literal}}}')
    result = run(jsonl(tmp_path, *lines), {"loss": "mse"}, nulls="drop").results[0]
    assert (result.value, result.n_null) == (2.5, 1)


@pytest.mark.parametrize(("literal", "word"), [("Infinity", "inf"), ("-Infinity", "-inf")])
def test_json_lines_may_hold_an_infinity_that_is_told(literal, word, tmp_path, lossctl):
    done = lossctl("eval", jsonl(tmp_path, '{"y": 1, "p": 2}', f'{{"y": 1, "p": {literal}}}'), "-l", "mse")
    assert done.status == 3
    assert f"row 2: column 'p' is {word}" in done.err


def test_a_key_that_is_missing_is_a_null_and_order_does_not_matter(tmp_path):
    path = jsonl(tmp_path, '{"y": 1, "p": 2}', '{"p": 5, "y": 3}', '{"y": 1}', "{}", '{"p": 1, "new": [1], "y": 1}')
    result = run(path, {"loss": "mse"}, nulls="drop").results[0]
    assert (result.n, result.n_null, result.value) == (3, 2, 5 / 3)
    with pytest.raises(DataError, match="row 3: column 'p' is null"):
        run(path, {"loss": "mse"})


def test_whole_numbers_and_fractions_may_alternate_in_json_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    lines = [json.dumps({"y": at, "p": at + 1, "note": at, "g": at % 2}) for at in range(30)]
    more = [json.dumps({"y": at + 0.5, "p": at + 1, "note": at + 0.5, "g": at % 2}) for at in range(30)]
    report = run(jsonl(tmp_path, *lines, *more), {"loss": "mse", "by": "g"})
    assert [(result.group["g"], result.value) for result in report.results] == [("0", 0.625), ("1", 0.625)]


def test_vectors_in_json_lines_may_begin_with_whole_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    lines = ['{"y": 0, "p": [1, 0, 0]}'] * 10 + ['{"y": 1, "p": [0.25, 0.5, 0.25]}'] * 10
    report = run(jsonl(tmp_path, *lines), {"loss": "cross_entropy"})
    assert report.results[0].n == 20


@pytest.mark.parametrize("word", ['"NA"', "NaN", "1e400", "null"])
def test_vectors_that_begin_with_whole_numbers_keep_their_fractions(word, tmp_path):
    """Also where something else in the file asks for the slow way: a wrong number must not come of it."""
    path = jsonl(tmp_path, f'{{"y": 0, "p": [2, 0], "w": {word}}}', '{"y": 1, "p": [0.25, 0.75], "w": 1}')
    asked = {"loss": "cross_entropy", "from_logits": True}
    right = run({"y": np.array([0.0, 1.0]), "p": np.array([[2.0, 0.0], [0.25, 0.75]])}, asked)
    assert digits(run(path, asked)) == digits(right)


def test_vectors_beside_a_missing_number_are_read_by_the_slow_way_too(tmp_path):
    lines = [
        '{"y": 0, "p": [1, 0], "w": 1}',
        '{"y": 1, "p": [0.5, 0.5], "w": NaN}',
        '{"y": 1, "p": [0.25, 0.75], "w": 1}',
    ]
    asked = {"loss": "cross_entropy", "weight": "w"}
    result = run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0]
    assert (result.n, result.n_null) == (2, 1)
    lines[1] = '{"y": 1, "p": [0.5, NaN], "w": 1}'
    assert run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0].n_null == 1
    lines[1] = '{"y": 1, "p": [0.5, null], "w": 1}'
    assert run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0].n_null == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1, 2]", "not a JSON object"),
        ("3", "not a JSON object"),
        ('{"y": 1, "p": 2', "not JSON"),
        ('{"y": 1, "p": "many"}', "'many', which is not a number"),
        ('{"y": 1, "p": true}', "not a number"),
        ('{"y": 1, "p": [1]}', "not a number"),
        ('{"y": 1, "p": {"q": 1}}', "not a number"),
    ],
)
def test_a_line_that_is_wrong_is_placed_and_quoted(line, words, tmp_path, lossctl, monkeypatch):
    good = ['{"y": 1, "p": 2}'] * 40
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    done = lossctl("eval", jsonl(tmp_path, *good, line, *good), "-l", "mse")
    assert done.status == 3
    assert "row 41: " in done.err
    assert words in done.err


NESTED = {
    "tags": ["a", "b"], "empty": [], "meta": {"who": "x", "deep": {"n": 1}}, "many": [{"k": 1}, {"k": 2}],
    "word": 'ü "q"\n', "flag": True, "none": None, "day": "2024-01-05", "big": 9007199254740993,
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("slow", [False, True], ids=["", "beside NaN"])
def test_nested_columns_of_json_lines_are_kept(suffix, slow, tmp_path, lossctl):
    rows = [{"y": 1.0, "p": 2.0, **NESTED}, {"y": 1.0, "p": 3.0, **NESTED, "tags": None}]
    odd = [{"y": 1.0, "p": math.nan, **NESTED}] if slow else []
    path = jsonl(tmp_path, *map(json.dumps, [*rows, *odd]))
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", path, "-l", "mse", "-o", target, "--nulls", "drop")
    assert done.status == 0, done.err
    assert [{name: row[name] for name in rows[0]} for row in read_back(target)] == rows


def test_nested_columns_are_json_in_the_cells_of_delimited_text(tmp_path, lossctl):
    path = jsonl(tmp_path, json.dumps({"y": 1, "p": 2, **NESTED}))
    assert lossctl("samples", path, "-l", "mse", "-o", tmp_path / "out.csv").status == 0
    (row,) = read_back(tmp_path / "out.csv")
    for name in ("tags", "meta", "many", "empty"):
        assert json.loads(row[name]) == NESTED[name]
    assert row["word"] == NESTED["word"]


@pytest.mark.parametrize(
    "cell",
    ["[null, 1]", '[null, null, "a"]', "[null, null]", "[[null, null]]", "[[null, 1]]", '{"k": [null, true]}'],
)
def test_a_list_that_begins_with_null_may_stand_beside_and_keeps_its_cells(cell, tmp_path, lossctl):
    # Arrow 26 infers the right types of such lists, and loses their nulls.
    (tmp_path / "rows.jsonl").write_text(f'{{"y": 1.0, "p": 0.5, "o": {cell}}}\n')
    done = lossctl("samples", tmp_path / "rows.jsonl", "-y", "y", "-p", "p", "-l", "mae", "-f", "jsonl", "-q")
    assert (done.status, json.loads(done.out or "{}").get("o")) == (0, json.loads(cell)), done.err
