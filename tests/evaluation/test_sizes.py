"""Sizes nobody expects: columns, cells, names, rows, row groups and files."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from figures import digits, result
from stored import FORMATS, rows, stored

import lossctl
from lossctl.evaluation import plain_batches, steady
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.prepared import run as carry_out
from lossctl.evaluation.running import SERIAL
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.reading.format import format_for


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".arrow"])
def test_ten_thousand_columns_are_a_prediction_like_any_other(tmp_path, suffix):
    k = 10_000
    path = tmp_path / f"rows{suffix}"
    columns = {"y": [0, 5000, k - 1]} | {f"p_{at}": [1 / k] * 3 for at in range(k)}
    path.write_bytes(stored(pa.table(columns), suffix))
    report = lossctl.evaluate(path, "cross_entropy", prediction="p_*", gradient=True)
    assert report.value == pytest.approx(np.log(k), rel=1e-12)
    assert lossctl.evaluate(path, "mse", prediction="p_7000").results[0].n == 3


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("at", [0, 2])
def test_a_cell_of_a_megabyte_is_a_cell(lossctl, tmp_path, suffix, at):
    words = ["short", "", "line\nend"]
    words[at] = 'x, "y"\n\t' * (1 << 17)
    path, target = tmp_path / f"rows{suffix}", tmp_path / "out.arrow"
    table = pa.table({"word": words, "y": [1.0, 2.0, 3.0], "p": [1.5, 2.5, 2.0]})
    path.write_bytes(stored(table, suffix))
    assert lossctl("eval", path, "-l", "mae", "-f", "value").out == "0.6666666666666666\n"
    assert lossctl("samples", path, "-l", "mae", "-q", "-o", target).status == 0
    assert pa.ipc.open_file(target).read_all()["word"].to_pylist() == words
    assert lossctl("eval", path, "-l", "mae", "--by", "word", "-q", "-f", "json").status == 0


def test_a_name_of_a_megabyte_is_a_name(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"y,p,{'x' * (1 << 20)}\n1,2,3\n4,5,6\n")
    assert result(path) == (2, 1.0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_row_is_a_data_set(lossctl, tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(rows(1), suffix))
    ended = lossctl("eval", path, "-l", "mse", "-f", "json", "-q", "--grad", "--samples", 5)
    assert ended.status == 0
    (found,) = ended.json["results"]
    assert found["n"] == 1
    assert found["value"] >= 0


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_row_groups_of_one_row_and_of_none_change_no_digit(tmp_path, suffix):
    table, path = rows(50), tmp_path / f"rows{suffix}"
    whole = digits(lossctl.evaluate(table, ["mse", "huber"], by="word", gradient=True))
    sink = io.BytesIO()
    writer = format_for(suffix).writer(sink, table.schema)
    for batch in table.to_batches(max_chunksize=1):
        writer.write_batch(batch.slice(0, 0))
        writer.write_batch(batch)
    writer.close()
    path.write_bytes(sink.getvalue())
    for engine in ("serial", "threads"):
        report = lossctl.evaluate(path, ["mse", "huber"], by="word", gradient=True, engine=engine)
        assert digits(report) == whole


def _doubled(table, times, **asked):
    """The sums over a table that comes 2^times times, and the plan."""
    source = open_source(table)
    plan = make_plan(source, Request(loss=["mse"], **asked))
    total = fold_rows(source, plan, lift, nothing(plan), SERIAL).total
    for _ in range(times):
        total = total + total
    return total, plan


def test_counts_beyond_two_to_the_31_are_exact():
    table = pa.table({"y": [1.0, 2.0, None], "p": [1.5, 2.0, 1.0], "w": [1.0, 0.0, 1.0], "g": ["a", "b", "a"]})
    total, _ = _doubled(table, 40, weight="w", by=("g",), nulls="drop", gradient=True)
    assert isinstance(total, Measured)
    assert total.rows == 3 << 40
    counts = dict(zip(total.keys, zip(total.null.tolist(), total.unweighted.tolist(), strict=True), strict=True))
    assert counts == {("a",): (1 << 40, 0), ("b",): (0, 1 << 40)}


def test_the_value_and_n_of_more_than_two_to_the_31_rows_are_exact(monkeypatch):
    table = pa.table({"y": [1.0, 2.0, 4.0], "p": [1.5, 2.0, 3.0]})
    source = open_source(table)
    plan = make_plan(source, Request(loss=["mse"], gradient=True))
    once = carry_out(source, plan, SERIAL).results[0]
    doubled = _doubled(table, 33, gradient=True)[0]
    monkeypatch.setattr(steady, "is_plain", lambda batch: False)
    monkeypatch.setattr(plain_batches, "lift", lambda plan, batch, clock: doubled)
    many = carry_out(source, plan, SERIAL).results[0]
    assert many.n == 3 << 33
    assert many.value == once.value == pytest.approx(1.25 / 3)
    assert many.standard_error == pytest.approx(once.standard_error * np.sqrt(2 / 3 * 3 / (3 << 33)), rel=1e-6)


def test_row_numbers_go_beyond_two_to_the_31():
    table = pa.table({"y": [1.0, 2.0], "p": [1.5, 9.0]})
    total, _ = _doubled(table, 32)
    last, _ = _doubled(pa.table({"y": [1.0], "p": [99.0]}), 0, samples=1)
    padded = replace(last.shift(total.rows), rows=last.rows)
    assert [int(row) for row in padded.parts[0].worst.row] == [total.rows]
    assert total.rows == 1 << 33


def test_a_thousand_files_of_ten_rows_are_one_data_set(tmp_path):
    files, table = 1000, rows(10)
    text = stored(table, ".csv")
    for at in range(files):
        (tmp_path / f"part-{at}.csv").write_bytes(text)
    report = lossctl.evaluate(str(tmp_path), "mse")
    assert report.results[0].n == 10 * files
    assert report.value == pytest.approx(lossctl.evaluate(table, "mse").value, rel=1e-12)


def test_json_lines_of_a_report_survive_whatever_a_name_holds(lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('y,"p\n\u2028\u202e{}",g\n1,2,"\x1b[31m"\n', encoding="utf-8")
    ended = lossctl("eval", path, "-y", "y", "-p", "#2", "--by", "g", "-l", "mse", "-f", "jsonl", "-q")
    assert ended.status == 0
    assert json.loads(ended.out)["group"] == {"g": "\x1b[31m"}
