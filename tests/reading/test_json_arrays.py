"""A JSON array of objects is read like one object a line, however it is laid out, cut, compressed and brought."""

import io
import json
from pipes import fed

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored import compress, narrow

import lossctl
from lossctl.errors import DataError
from lossctl.reading import json_arrays
from lossctl.reading.cells import BadRow
from lossctl.reading.json_arrays import ArrayLines

VALUE = 0.27977656357934225
"""Of the rows below: -(log 0.9 + log 0.8 + log 0.6) / 3, with mpmath."""
ROWS = [{"y": 1, "p": 0.9, "t": 'a "},{" [\\'}, {"y": 0, "p": 0.2, "t": "é\\\\"}, {"y": 1, "p": 0.6, "t": "\n"}]
ASKED = {"loss": "bce", "label": "y", "prediction": "p"}

CELLS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text('a"\\,[]{}é\n', max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('b"\\]', max_size=2), inner, max_size=2),
    max_leaves=5,
)
SPACES = st.sampled_from(["", " ", "\n", "\r\n\t "])
SEPARATORS = st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":\t")])


def lines_of(text, n):
    """The whole lines that come of a text read ``n`` bytes at a time, as objects, and whether it was refused."""
    file, out = ArrayLines(io.BytesIO(text)), b""
    try:
        while block := file.read(n):
            out += block
    except BadRow:
        return [json.loads(line) for line in out.split(b"\n")[:-1] if line.strip()], True
    return [json.loads(line) for line in out.split(b"\n") if line.strip()], False


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["k", 'a"b']), CELLS, min_size=1, max_size=2), max_size=4),
    indent=st.sampled_from([None, 1]),
    separators=SEPARATORS,
    before=SPACES,
    after=SPACES,
    ascii_only=st.booleans(),
    n=st.sampled_from([1, 3, 7, 64, 1 << 16]),
    cut=st.floats(0, 1, exclude_max=True),
)
def test_an_array_of_any_layout_gives_its_elements_a_line_each(
    rows, indent, separators, before, after, ascii_only, n, cut
):
    array = json.dumps(rows, indent=indent, separators=separators, ensure_ascii=ascii_only)
    text = f"{before}{array}{after}".encode()
    assert lines_of(text, n) == (rows, False)
    whole = len(before) + len(array.encode())
    some, refused = lines_of(text[: len(before) + 1 + int(cut * (whole - len(before) - 1))], n)
    assert refused, "it was cut"
    assert some == rows[: len(some)]


@pytest.mark.parametrize(
    ("text", "rows", "words"),
    [
        ('[{"a":1},{"a":2}', 2, "not closed"),
        ('[{"a":1},{"a":', 1, "not closed"),
        ('[{"a":1},{"a":"', 1, "a quote is never closed"),
        ('[{"a":1},{"a":2}]{', 2, "after the end of the array"),
        ('[{"a":1}{"a":2}]', 1, "no comma before an element"),
        ('[{"a":1},,{"a":2}]', 1, "a comma with nothing before it"),
        ('[,{"a":1}]', 0, "a comma with nothing before it"),
        ('[{"a":1},]', 1, "a comma after the last element"),
        ('[{"a":1}}', 1, "in place of ]"),
        ('[{"a":1},2]', 1, "is no object"),
        ('[{"a":1},"x"]', 1, "is no object"),
        ("[1,2]", 0, "is no object"),
        ("[[1,2],[3,4]]", 0, "is a list"),
        ('[{"a":1},{"a":"x\ny"}]', 1, "a line ends inside a string"),
    ],
)
@pytest.mark.parametrize("n", [1, 1000])
def test_a_broken_array_is_told_at_the_row_where_it_breaks(text, rows, words, n):
    file, out = ArrayLines(io.BytesIO(text.encode())), b""
    refused = False
    while not refused:
        try:
            out += file.read(n)
        except BadRow as bad:
            refused = words in bad.what and bad.row == 0
    assert len([line for line in out.split(b"\n")[:-1] if line.strip()]) == rows
    with pytest.raises(BadRow, match=words):
        file.read(n)


@pytest.mark.parametrize("compressed", ["", ".gz", ".xz"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_wherever_rows_are(compressed, indent, tmp_path, lossctl):
    body = json.dumps(ROWS, indent=indent).encode()
    body = compress(body, compressed) if compressed else body
    path = tmp_path / f"rows.json{compressed}"
    path.write_bytes(body)
    values = ["eval", "-y", "y", "-p", "p", "-l", "bce", "-f", "value", "-q"]
    for more in ([], ["-F", "jsonl"], ["-F", "json"], ["--labels", path, "--id", "t"]):
        assert float(lossctl(*values, path, *more).out) == VALUE
    with fed(tmp_path / "pipe", body) as pipe:
        assert float(lossctl(*values, pipe).out) == VALUE
    assert float(lossctl(*values, path, path).out) == VALUE
    lines = tmp_path / "lines.json"
    lines.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert float(lossctl(*values, lines).out) == VALUE


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_an_array_of_many_pieces_is_measured_like_its_lines(engine, tmp_path, monkeypatch):
    narrow(monkeypatch, 4096)
    monkeypatch.setattr(json_arrays, "BLOCK", 1000)
    rows = [{"y": row % 2, "p": (row % 97 + 1) / 99, "g": "ab"[row % 2]} for row in range(2000)]
    (tmp_path / "rows.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    array, lines = (
        lossctl.evaluate(tmp_path / name, **ASKED, by="g", engine=engine) for name in ("rows.json", "rows.jsonl")
    )
    assert [result.value for result in array.results] == [result.value for result in lines.results]
    cells = [json.dumps(row) for row in rows]
    for broken, words in (
        ([*cells[:1233], cells[1233].replace(": 0.", ': "x0.'), *cells[1234:]], "row 1,234: not JSON"),
        ([*cells[:1233], '{"y": 1, "p": "x", "g": "a"}', *cells[1234:]], "row 1,234: column 'p' holds 'x'"),
        ([*cells[:1233], cells[1233] + cells[1234], *cells[1235:]], "row 1,235: not JSON: no comma"),
        ([*cells[:1233], "7", *cells[1234:]], "row 1,234: an element of the array is no object"),
    ):
        (tmp_path / "broken.json").write_text(f"[{','.join(broken)}]")
        with pytest.raises(DataError, match=words):
            lossctl.evaluate(tmp_path / "broken.json", **ASKED, engine=engine)
    (tmp_path / "broken.json").write_text(f"[{','.join(cells)}")
    with pytest.raises(DataError, match="row 2,001: the array is not closed"):
        lossctl.evaluate(tmp_path / "broken.json", **ASKED, engine=engine)


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ('{"y":{"0":1,"1":0},"p":{"0":0.9,"1":0.2}}', "holds columns, not rows", 'orient="records", lines=True'),
        ('{"0":{"y":1,"p":0.9},"1":{"y":0,"p":0.2}}', 'orient="index"', 'orient="records"'),
        ('{"columns":["y","p"],"index":[0],"data":[[1,0.9]]}', 'orient="split"', 'orient="records"'),
        ('{"schema":{"fields":[]},"data":[{"y":1}]}', 'orient="table"', 'orient="records"'),
        ('{"predictions":[{"y":1,"p":0.9}],"model":"m"}', "under the key 'predictions'", "jq -c '.predictions[]'"),
        ('{"y":[1,0],"p":[0.9,0.2]}', "holds columns, not rows", "-F jsonl"),
        ('{\n "y": {\n "0": 1\n },\n "p": {\n "0": 0.9\n }\n}\n', "holds columns, not rows", 'orient="records"'),
        ('{"y":{"0":' + "1" * 5_000_000 + "}}", "holds columns, not rows", 'orient="records"'),
        ('{\n "y": 1,\n "p": 0.9\n}\n{\n "y": 1,\n "p": 0.9\n}\n', "not one JSON object a line", "jq -c"),
        ("[]", "no rows", ""),
        ("[[1,0.9]]", "is a list", "array of objects"),
    ],
)
def test_json_that_holds_no_rows_is_named_for_what_it_is(text, words, hint, tmp_path, lossctl):
    (tmp_path / "rows.json").write_text(text)
    done = lossctl("eval", tmp_path / "rows.json", "-y", "y", "-p", "p", "-l", "bce")
    assert (done.status, done.out) == (3, "")
    assert words in done.err
    assert hint in done.err
    assert "-F csv" not in done.err


def test_one_object_is_a_row_where_its_cells_are(tmp_path, lossctl):
    nested = '{"y": 1, "p": 0.9, "detections": [{"x": 1}, {"x": 2}], "q": {"0": 1}}'
    for name, text in (
        ("a.json", '{"y": 1, "p": 0.9}'),
        ("c.json", nested),
        ("b.jsonl", '{"y": [1, 0], "p": [0.9, 0.1]}'),
    ):
        (tmp_path / name).write_text(text)
        done = lossctl("eval", tmp_path / name, "-y", "y", "-p", "p", "-l", "bce", "-f", "value", "-q")
        assert float(done.out) == pytest.approx(0.10536051565782628, rel=1e-15)  # -log 0.9


@pytest.mark.parametrize("name", ["a.json", "b.jsonl", "c"])
@pytest.mark.parametrize(
    "entries",
    ['{"label": "yes", "score": 0.9}, {"label": "no", "score": 0.1}', '{"p": 1, "k": "yes"}, {"p": 0, "k": "no"}'],
)
def test_one_object_with_the_scores_of_classes_is_a_row(entries, name, tmp_path, lossctl):
    (tmp_path / name).write_text(f'{{"y": "yes", "p": [{entries}]}}\n')
    done = lossctl("eval", tmp_path / name, "-y", "y", "-p", "p", "-l", "cross_entropy", "-f", "value", "-q")
    assert float(done.out) == pytest.approx(0 if "1," in entries else 0.10536051565782628, rel=1e-15)  # -log 0.9


def test_elements_of_an_array_are_bounded_like_lines(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([*ROWS, {"y": 1, "p": 1, "t": "x" * 5000}], indent=1))
    with pytest.raises(DataError, match="row 4: the line is longer than"):
        lossctl.evaluate(path, **ASKED, reading=lossctl.reading.format.Reading(max_line=1000))
    path.write_text('[{"y":1,"p":' + "[" * 200 + "]" * 200 + "}]")
    with pytest.raises(DataError, match="nested more than 64 levels"):
        lossctl.evaluate(path, **ASKED)
    path.write_text('[{"y":1,"p":0.5,"p":0.6}]')
    with pytest.raises(DataError, match="twice"):
        lossctl.evaluate(path, **ASKED)


def test_an_array_that_is_written_is_json(tmp_path, lossctl):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    out = tmp_path / "out.json"
    assert lossctl("samples", tmp_path / "rows.jsonl", "-l", "bce", "-o", out).status == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [{key: row[key] for key in ROWS[0]} for row in written] == ROWS
