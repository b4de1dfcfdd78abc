"""What is written in a machine format is read back whole by other readers than ours, whatever is in it."""

import csv
import io
import json
import math
from collections import Counter
from dataclasses import fields

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stored import FORMATS

import lossctl
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.result import BestConstant, Gradient, Result
from lossctl.evaluation.samples import every_row
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.reading.format import format_for
from lossctl.reading.writing import CheckedWriter
from lossctl.rendering.renderer import Style, renderers

SIGNS = ["\r", "\n", "\r\n", '"', '""', ",", "\t", ";", "'", " ", "\ufeff", "\u2028", "\x85", "\x1c", "\x0b", "\\", "a",
         "é", "\U0001f600", "\x1b[31m", "=1+1", "#", "nan", "NA"]  # fmt: skip
texts = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map("".join)

FIGURES = [field.name for part in (Result, Gradient, BestConstant) for field in fields(part)]


def separated(text, sign):
    """The rows of delimited text, by Python's csv; Arrow must see the same number of cells."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True))
    parsing = pa.csv.ParseOptions(delimiter=sign, newlines_in_values=True)
    names = [str(place) for place in range(len(rows[0]))]
    options = pa.csv.ReadOptions(column_names=names)
    types = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    table = pa.csv.read_csv(io.BytesIO(text.encode()), options, parsing, types)
    assert [list(row.values()) for row in table.to_pylist()] == rows
    return rows


@settings(max_examples=40)
@example(names=["loss", "by_loss", "parameters", "model"], cells=["a\rmse,,p", "b"], gradient=False)
@example(names=["by_by_loss", "loss", "by_loss", "grad_l2"], cells=["a", "b"], gradient=True)
@given(
    names=st.lists(
        st.sampled_from([*FIGURES, *(f"by_{name}" for name in FIGURES)]) | texts, unique=True, min_size=1, max_size=4
    ).filter(lambda names: not {"y", "p"} & {*names}),
    cells=st.lists(texts, unique=True, min_size=1, max_size=4),
    gradient=st.booleans(),
)
def test_groups_are_read_back_whatever_they_and_their_columns_are_called(names, cells, gradient):
    n = len(cells)
    columns = [pa.array(cells[place:] + cells[:place]) for place in (index % n for index in range(len(names)))]
    table = pa.table([pa.array([0.0] * n), pa.array([float(row) for row in range(n)]), *columns], ["y", "p", *names])
    report = lossctl.evaluate(table, "mae", label="y", prediction="p", by=names, gradient=gradient, engine="serial")
    expected = {tuple(column[row].as_py() for column in columns): float(row) for row in range(n)}
    document = report.document()
    for form, sign in (("csv", ","), ("tsv", "\t")):
        header, *rows = separated(renderers.get(form).render(document, Style()), sign)
        assert len({*header}) == len(header)
        places = range(3, 3 + len(names))  # behind loss, parameters and model
        assert all(
            title == name if name not in FIGURES else title.strip("by_") == name.strip("by_")
            for title, name in zip(header[3:], names, strict=False)
        )
        found = {tuple(row[place] for place in places): row for row in rows}
        assert {key: float(row[header.index("value")]) for key, row in found.items()} == expected
        assert {row[header.index("loss")] for row in rows} == {"mae"}
    objects = [json.loads(line) for line in renderers.get("jsonl").render(document, Style()).split("\n")[:-1]]
    assert objects == json.loads(renderers.get("json").render(document, Style()))["results"]
    assert {tuple(item["group"][name] for name in names): item["value"] for item in objects} == expected


numbers = st.floats(width=64) | st.sampled_from([math.nan, math.inf, -math.inf, 0.1, 5e-324])
cells_of = st.sampled_from([texts | st.just("") | st.none(), numbers | st.none(), st.integers(-(2**63), 2**63 - 1),
                            st.booleans(), st.lists(numbers | st.none(), max_size=2)])  # fmt: skip
OURS = ["row", "loss", "gradient"]


READ = {
    ".parquet": lambda body: pq.ParquetFile(pa.BufferReader(body)).read(),  # a data set cannot have a name twice
    ".arrow": lambda body: pa.ipc.open_file(body).read_all(),
    ".arrows": lambda body: pa.ipc.open_stream(body).read_all(),
}


def written(table, suffix):
    """The per-sample table of a table, in a format."""
    source = open_source(table)
    plan = make_plan(source, Request(loss=["mae"], label=["y"], prediction=["p"]))
    target, file, writer = format_for(suffix), io.BytesIO(), None
    for piece in every_row(source, plan, lambda *_: None, several_types=not target.typed):
        writer = writer or CheckedWriter(target, file, piece.schema)
        writer.write_batch(piece)
    writer.close()
    return file.getvalue()


def same(one, other):
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and one == other


@settings(max_examples=40)
@example(names=["x", "x", "x"], draw=None, unique=False)
@given(
    names=st.lists(
        st.sampled_from([*OURS, "lossctl_loss", "lossctl_lossctl_loss", "lossctl_row", "nonfinite", "x"]) | texts,
        min_size=1, max_size=4,
    ).filter(lambda names: not {"y", "p"} & {*names}),
    draw=st.data(),
    unique=st.booleans(),
)  # fmt: skip
def test_samples_are_read_back_whatever_columns_hold_and_are_called(names, draw, unique):
    names = list(dict.fromkeys(names)) if unique else names
    columns = [
        draw.draw(st.lists(draw.draw(cells_of), min_size=2, max_size=2)) if draw else [place, place]
        for place in range(len(names))
    ]
    own = [pa.array([0.0, 1.0]), pa.array([1.0, 5.0]), *map(pa.array, columns)]
    table = pa.Table.from_arrays(own, ["y", "p", *names])
    ours = [[1, 2], [1.0, 4.0], [1.0, 1.0]]
    for suffix, read in READ.items():
        body = pa.py_buffer(written(table, suffix))
        found = read(body)
        assert found.column_names[3:] == table.column_names
        assert len({*found.column_names[:3]} - {*table.column_names}) == 3
        everything = [*ours, *table.columns]
        for column, cells in zip(found.columns, everything, strict=True):
            assert same(column.to_pylist(), cells if isinstance(cells, list) else cells.to_pylist())
    for suffix, sign in ((".csv", ","), (".tsv", "\t")):
        header, *rows = separated(written(table, suffix).decode(), sign)
        assert header == [*found.column_names]
        for place, cells in enumerate([*ours, [0.0, 1.0], [1.0, 5.0], *columns]):
            for row, cell in zip(rows, cells, strict=True):
                text = row[place]
                if isinstance(cell, float):
                    assert same(float(text), cell)
                elif isinstance(cell, list):
                    assert same(json.loads(text), cell)
                else:
                    assert text == ("" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell))
    if max(Counter(names).values()) > 1:
        with pytest.raises(lossctl.LossctlError, match="two columns called"):
            written(table, ".jsonl")
        return
    objects = [
        json.loads(line, parse_constant=pytest.fail) for line in written(table, ".jsonl").decode().split("\n")[:-1]
    ]
    words = "nonfinite" if "nonfinite" not in names else "lossctl_nonfinite"
    for row, item in enumerate(objects):
        assert [*item][: len(found.column_names)] == found.column_names
        finite = {name: item[name] for name in found.column_names}
        restored = [_restored(finite[name], item.get(words, {}).get(name)) for name in found.column_names]
        assert same(restored, [column[row] for column in [*ours, [0.0, 1.0], [1.0, 5.0], *columns]])


def _restored(cell, word):
    """A cell of JSON with the words for what is not finite in the place of null."""
    if isinstance(cell, list) and word is not None:
        return [_restored(*pair) for pair in zip(cell, word, strict=True)]
    return cell if word is None else float(word)


AWKWARD = {
    "uuid": pa.array([bytes(16), None], pa.uuid()), "bool8": pa.array([1, None], pa.bool8()),
    "interval": pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
    "bytes": pa.array([b"\xff", None], pa.large_binary()), "json": pa.array(["{}", None], pa.json_()),
    "far date": pa.array([2**31 - 1, None], pa.date32()),
    "no zone": pa.array([0, None], pa.timestamp("s", "Mars/Olympus")),
    "no zone in lists": pa.array([[0], None], pa.list_(pa.timestamp("s", "Mars/Olympus"))),
    "union": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
    "empty struct": pa.array([{}, None], pa.struct([])),
    "lists by number": pa.DictionaryArray.from_arrays(pa.array([0, None]), pa.array([[1.5]])),
    "bytes by number": pa.array([b"\xff", None]).dictionary_encode(),
}  # fmt: skip


@pytest.mark.lowest
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_column_of_any_type_is_written_or_refused_by_name(suffix):
    for kind, column in AWKWARD.items():
        table = pa.table({"y": [0.0, 0.0], "p": [1.0, 2.0], "it": column})
        try:
            words = written(table, suffix)
        except lossctl.DataError as refusal:
            words = repr(refusal).encode() if suffix == ".parquet" or kind.startswith("no zone") else b""
        assert b"it" in words, kind


@pytest.mark.parametrize(("command", "form"), [("eval", "-o"), ("samples", "-o"), ("samples", "-f")])
def test_a_file_whose_name_is_not_utf_8_is_named_in_every_output(form, command, tmp_path, lossctl):
    paths = [tmp_path / "b.csv", tmp_path / "\udcff.csv"]
    for path in paths:
        path.write_text("y,p\n0,1\n")
    target = tmp_path / "out.jsonl"
    asked = ["-o", target] if form == "-o" else ["-f", "jsonl"]
    done = lossctl(command, *paths, "-l", "mae", *(["--samples", "2"] if command == "eval" else []), *asked)
    assert done.status == 0, done.err
    body = target.read_text(encoding="utf-8") if form == "-o" else done.out
    assert body.count(r"\udcff") == 1
    assert all(json.loads(line) for line in body.splitlines())
