"""From 2^53 on most integers are no doubles: errors of them are exact, and where they are rounded it is said."""

import json
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joined import store
from stored import narrow, read_back
from ways import INSTALLED

import lossctl
from lossctl.cli.app import run

TYPES = {
    "int64": (pa.int64(), -(2**63), 2**63 - 1),
    "uint64": (pa.uint64(), 0, 2**64 - 1),
    "decimal128": (pa.decimal128(38, 0), -(2**105), 2**105),
    "decimal256": (pa.decimal256(76, 0), -(2**105), 2**105),
}
NANOSECONDS = 1_700_000_000_000_000_001
STORED = [(kind, suffix) for kind in TYPES for suffix in (".parquet", ".arrow")] + [
    (kind, suffix) for kind in ("int64", "uint64") for suffix in (".csv", ".jsonl")
]

WEIGHTS = st.integers(1, 2**64 - 1) | st.sampled_from([2**53, 2**53 + 1, 2**60, 2**63, 3])


@st.composite
def pairs(draw, kind):
    """Labels and predictions of a type, most of them near each other."""
    _, low, high = TYPES[kind]
    anywhere = st.integers(low, high) | st.integers(2**53 - 2, 2**53 + 3)
    near = st.integers(-3, 3) | st.integers(-(10**9), 10**9)
    drawn = draw(st.lists(st.tuples(anywhere, near, st.none() | anywhere), min_size=1, max_size=5))
    return [
        (label, min(max(label + step, low), high) if other is None else other)
        for label, step, other in drawn
    ]  # fmt: skip


def mean(values):
    exact = [Fraction(value) for value in values]
    return float(sum(exact) / len(exact))


def errors_of(rows):
    return [float(prediction - label) for label, prediction in rows]


def table_of(rows, kind):
    labels, predictions = zip(*rows, strict=True)
    return pa.table({"y": pa.array(labels, kind), "p": pa.array(predictions, kind)})


def check(source, rows, losses=("mae", "mse", "huber", "mape:zero=max1")):
    """Each row's error is the difference of the integers, rounded once."""
    report = lossctl.evaluate(source, losses, label="y", prediction="p", gradient=True, samples=1)
    errors = errors_of(rows)
    rates = [100 * (abs(error) / max(abs(float(label)), 1.0)) for error, (label, _) in zip(errors, rows, strict=True)]
    bends = [0.5 * error * error if abs(error) <= 1 else abs(error) - 0.5 for error in errors]
    expected = [mean(map(abs, errors)), mean(error * error for error in errors), mean(bends), mean(rates)]
    assert [result.value for result in report.results] == expected
    steepest = max(errors, key=abs)
    assert report.results[1].samples[0].gradient in {2 * steepest, -2 * steepest}
    signs = [(error > 0) - (error < 0) for error in errors]
    assert report.results[0].gradient.grad_l1 == pytest.approx(mean(map(abs, signs)))
    assert not [warning for warning in report.warnings if "2^53" in warning]


@pytest.mark.parametrize(("kind", "suffix"), STORED)
@settings(max_examples=6)
@given(data=st.data())
def test_an_error_of_integers_is_exact_in_every_format(tmp_path, kind, suffix, data):
    rows = data.draw(pairs(kind))
    check(store(tmp_path / f"rows{suffix}", table_of(rows, TYPES[kind][0])), rows)


@settings(max_examples=20)
@given(rows=pairs("decimal256"), quoted=st.booleans())
@example(rows=[(NANOSECONDS, NANOSECONDS + 1), (3, 5)], quoted=True)
def test_an_error_of_integers_in_text_is_exact_however_long_they_are(tmp_path, rows, quoted):
    path = tmp_path / "rows.jsonl"
    lines = [{"y": label, "p": prediction} for label, prediction in rows]
    written = [{key: str(value) for key, value in line.items()} for line in lines] if quoted else lines
    path.write_text("".join(json.dumps(line) + "\n" for line in written))
    check(path, rows)
    path = tmp_path / "rows.csv"
    path.write_text("y,p\n" + "".join(f'"{label}", {prediction}\n' if quoted else f"{label},{prediction}\n"
                                      for label, prediction in rows))  # fmt: skip
    check(path, rows)


@settings(max_examples=10)
@given(rows=pairs("int64"))
def test_an_error_of_integers_in_memory_is_exact(rows):
    labels, predictions = map(list, zip(*rows, strict=True))
    check({"y": np.array(labels), "p": np.array(predictions)}, rows)
    check({"y": labels, "p": predictions}, rows)
    check(pd.DataFrame({"y": pd.array(labels, "Int64"), "p": pd.array(predictions, "Int64")}), rows)


def test_integers_that_share_no_type_are_exact_in_lists():
    rows = [(2**63 + 1, 2**63 + 2), (-1, -3)]
    labels, predictions = map(list, zip(*rows, strict=True))
    check({"y": labels, "p": predictions}, rows)


@pytest.mark.parametrize("engine", [engine.name for engine in INSTALLED])
def test_an_error_of_integers_is_exact_by_every_engine(request, tmp_path, engine):
    scheduler = request.getfixturevalue("cluster").scheduler_address if engine == "dask" else None
    rows = [(NANOSECONDS + step, NANOSECONDS + 2 * step) for step in range(20)]
    path = store(tmp_path / "rows.parquet", table_of(rows, pa.int64()))
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", engine=engine, scheduler=scheduler)
    assert report.value == mean(map(abs, errors_of(rows)))
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", weight="y", engine=engine, scheduler=scheduler)
    assert [warning.partition(", first")[0] for warning in report.warnings] == [
        "y: integers beyond 2^53 are rounded to doubles: 20 rows"
    ]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_groups_weights_vectors_and_nulls_keep_errors_exact(tmp_path, suffix):
    rows = [(NANOSECONDS, NANOSECONDS + 1), (NANOSECONDS, NANOSECONDS + 3), (NANOSECONDS + 1, NANOSECONDS + 6)]
    labels, predictions = ([*numbers, None] for numbers in zip(*rows, strict=True))
    columns = {"y": labels, "p": predictions, "g": ["a", "b", "a", "b"], "w": [1, 0, 3, 1], "z": [1.5, 2.5, -0.5, 0.0]}
    columns["q"] = columns["z"]
    path = store(tmp_path / f"rows{suffix}", columns)
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", weight="w", by="g", nulls="drop", samples=2)
    assert {result.group["g"]: result.value for result in report.results if result.n} == {"a": 4.0}
    assert [sample.value for sample in report.results[0].samples] == [5.0, 1.0]
    report = lossctl.evaluate(path, "mae", label=["y", "z"], prediction="p,q", nulls="drop", gradient=True)
    assert report.value == 1.5
    assert report.results[0].gradient.grad_l1 == 0.5


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_errors_of_the_labels_that_a_row_has_are_exact(tmp_path, suffix, lists):
    label = [[2**53 + 1, None], [2**53 + 3, 7], [5, 2**62 + 1], [2**53, 2**53 + 5]]
    prediction = [[2**53, 5], [2**53, 5], [4, 2**62], [2**60, 2**53]]
    columns = {"y0": [row[0] for row in label], "y1": [row[1] for row in label]}
    columns |= {f"p{place}": [row[place] for row in prediction] for place in range(2)}
    if lists:
        listed = str if suffix == ".csv" else list
        columns = {"y": [listed(row).replace("None", "NA") if suffix == ".csv" else row for row in label],
                   "p": [*map(listed, prediction)]}  # fmt: skip
    names = {"label": "y", "prediction": "p"} if lists else {"label": ["y0", "y1"], "prediction": "p0,p1"}
    path = store(tmp_path / f"rows{suffix}", {**columns, "w": [2.0, 1.0, 0.5, 1.0]})
    asked = {**names, "weight": "w", "mask_null": True, "ignore_label": 2**53, "samples": 4, "gradient": True}
    report = lossctl.evaluate(path, ["mae", "mse"], **asked)
    errors, weights = [1, 3, 2, 1, 1, 5], [2.0, 1.0, 1.0, 0.5, 0.5, 1.0]
    for result, power in zip(report.results, (1, 2), strict=True):
        total = sum(Fraction(weight) * error**power for error, weight in zip(errors, weights, strict=True))
        assert result.value == float(total / Fraction(sum(weights)))
        means = {4: 5.0**power, 2: (3.0**power + 2.0**power) / 2, 1: 1.0, 3: 1.0}
        assert {sample.row: sample.value for sample in result.samples} == means
    assert report.results[1].gradient.grad_linf == 2 * 5 * 1.0 / sum(weights)
    assert not report.warnings


def test_lists_keep_errors_exact():
    labels, predictions = [[2**60 + 1, 5], [7, 2**62 + 1]], [[2**60 + 4, 5], [7, 2**62]]
    kinds = pa.list_(pa.int64()), pa.list_(pa.decimal128(30, 0), 2), pa.large_list(pa.uint64())
    for kind in kinds:
        table = pa.table({"y": pa.array(labels, kind), "p": pa.array(predictions, kind)})
        assert lossctl.evaluate(table, "l1", label="y", prediction="p").value == 4.0
        report = lossctl.evaluate(table, "mse", label="y", prediction="p", activation="identity")
        assert [warning.partition(", first")[0] for warning in report.warnings] == [
            "y: integers beyond 2^53 are rounded to doubles: 2 rows",
            "p: integers beyond 2^53 are rounded to doubles: 1 row",
        ]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("width", [1, 2])
def test_lists_in_text_keep_errors_exact(tmp_path, suffix, width):
    labels, predictions = [[NANOSECONDS, 5], [7, 2**70 + 1]], [[NANOSECONDS + 3, 5.5], [7.5, 2**70]]
    rows = [
        {"id": f"i{row}", "y": label[:width], "p": prediction[:width], "z": row}
        for row, (label, prediction) in enumerate(zip(labels, predictions, strict=True))
    ]
    path = tmp_path / f"rows{suffix}"
    text = [",".join(rows[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in rows)]
    path.write_text("\n".join([*(text if suffix == ".csv" else map(json.dumps, rows)), ""]))
    expected = {1: [3.0, 0.5], 2: [1.75, 0.75]}[width]
    for joined in ({}, {"labels": path, "ids": "id"}):
        report = lossctl.evaluate(path, "mae", label="y", prediction="p", **joined)
        assert report.value == sum(expected) / 2
    for output in ("out.csv", "out.jsonl"):
        assert run(["samples", str(path), "-y", "y", "-p", "p", "-l", "mae", "-o", str(tmp_path / output), "-q"]) == 0
        assert [float(row["loss"]) for row in read_back(tmp_path / output)] == expected


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_where_text_is_cut_changes_no_digit(tmp_path, monkeypatch, suffix):
    rows = [(3, 2.25), (NANOSECONDS, NANOSECONDS + 1), (0.1, 0.3), (NANOSECONDS + 2, 1e300), (2**53 + 1, 0.5)] * 6
    path = tmp_path / f"rows{suffix}"
    lines = {
        ".csv": ["y,p\n", *(f"{label},{prediction}\n" for label, prediction in rows)],
        ".jsonl": [json.dumps({"y": label, "p": prediction}) + "\n" for label, prediction in rows],
    }
    path.write_text("".join(lines[suffix]))
    errors = [float(Fraction(p) - Fraction(y)) if isinstance(y, int) else p - y for y, p in rows]
    for size in (64, 200, 1 << 20):
        narrow(monkeypatch, size)
        assert lossctl.evaluate(path, "mae", label="y", prediction="p").value == mean(map(abs, errors))


@settings(max_examples=20)
@given(
    st.lists(st.integers(1, 2**64 - 1) | st.sampled_from([2**53, 2**53 + 1, 2**60, 2**63, 3]), min_size=1, max_size=6)
)
def test_integers_that_are_rounded_are_told_with_their_number_and_the_first(numbers):
    table = pa.table({"y": [0.5] * len(numbers), "p": [1.0] * len(numbers), "w": pa.array(numbers, pa.uint64())})
    report = lossctl.evaluate(table, "mae", label="y", prediction="p", weight="w")
    rounded = [row for row, number in enumerate(numbers) if int(float(number)) != number]
    told = [warning for warning in report.warnings if "2^53" in warning]
    if not rounded:
        assert not told
        return
    count = f"{len(rounded)} row{'s' if len(rounded) > 1 else ''}"
    first = f"first table: row {rounded[0] + 1}: {numbers[rounded[0]]}"
    assert told == [f"w: integers beyond 2^53 are rounded to doubles: {count}, {first}"]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([Decimal(2**120 + 2**60 + 1)], ["y"]),  # more digits than two doubles have
        ([Decimal("9007199254740993.5")], []),
        ([Decimal("9007199254740993.1")], ["y"]),
        ([Decimal("12345678.1")], []),
    ],
)
def test_decimals_are_told_where_two_doubles_do_not_hold_them(numbers, told):
    table = pa.table({"y": pa.array(numbers, pa.decimal256(60, 1)), "p": [1.0]})
    report = lossctl.evaluate(table, "mae", label="y", prediction="p")
    assert [warning.partition(":")[0] for warning in report.warnings] == told
    assert report.value == float(Fraction(numbers[0]) - 1)


def test_powers_of_ten_in_text_are_not_integers_to_the_last_digit(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("y,p,w\n1e23,2e23,1e300\n0.5,1e22,123456789012345.6789\n")
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", weight="w")
    assert not [warning for warning in report.warnings if "2^53" in warning]


def test_best_constants_say_that_labels_are_rounded(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"y,p\n{NANOSECONDS},{NANOSECONDS + 1}\n3,4\n")
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", skill=True)
    assert report.value == 1.0
    assert any(re.match(r"y: integers beyond 2\^53 are rounded", warning) for warning in report.warnings)


MIXED = [(3, 2.25), (NANOSECONDS, NANOSECONDS + 1), (0.5, 0.25), (NANOSECONDS + 2, 1e17)] * 3
"""Labels and predictions, of which text has numerals in some parts and numbers in others."""


def written(tmp_path, suffix):
    lines = [{"id": f"i{row}", "y": label, "p": prediction} for row, (label, prediction) in enumerate(MIXED)]
    path = tmp_path / f"mixed{suffix}"
    text = [",".join(lines[0]), *(",".join(map(str, line.values())) for line in lines)]
    path.write_text("\n".join([*(text if suffix == ".csv" else map(json.dumps, lines)), ""]))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_rows_keep_exact_losses_beside_their_own_numbers(tmp_path, monkeypatch, suffix):
    narrow(monkeypatch, 100)
    path = written(tmp_path, suffix)
    losses = [float(abs(Fraction(prediction) - Fraction(label))) for label, prediction in MIXED]
    for output in ("out.csv", "out.jsonl", "out.parquet"):
        assert run(["samples", str(path), "-y", "y", "-p", "p", "-l", "mae", "-o", str(tmp_path / output), "-q"]) == 0
        rows = read_back(tmp_path / output)
        assert [float(row["loss"]) for row in rows] == losses
        assert [float(row["y"]) for row in rows] == [float(label) for label, _ in MIXED]
    assert [row["y"] for row in read_back(tmp_path / "out.csv")] == [str(label) for label, _ in MIXED]
    worst = ["--top", "3", "-o", str(tmp_path / "worst.parquet"), "-q"]
    assert run(["samples", str(path), "-y", "y", "-p", "p", "-l", "mae", *worst]) == 0
    assert [row["loss"] for row in read_back(tmp_path / "worst.parquet")] == sorted(losses)[:-4:-1]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_join_keeps_errors_exact(tmp_path, monkeypatch, suffix):
    narrow(monkeypatch, 100)
    path = written(tmp_path, suffix)
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", labels=path, ids="id")
    assert report.value == mean(abs(Fraction(prediction) - Fraction(label)) for label, prediction in MIXED)


def test_the_doctor_and_the_picture_of_a_file_say_that_they_round(tmp_path, capsys):
    path = str(written(tmp_path, ".csv"))
    told = f"y: integers beyond 2^53 are rounded to doubles: 6 rows, first {path}: row 2: {NANOSECONDS}"
    assert run(["doctor", path, "-y", "y", "-p", "p"]) == 0
    assert told in capsys.readouterr().err
    assert run(["samples", path, "-y", "y", "-p", "p", "-l", "mae", "-w", "y", "-o", str(tmp_path / "o.csv")]) == 0
    assert f"warning: {told}" in capsys.readouterr().err
    assert run(["plot", path, "-y", "y", "-p", "p", "-l", "mse,mae", "--activation", "identity"]) == 0
    assert "2^53 are rounded" in capsys.readouterr().out
