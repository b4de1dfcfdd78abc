"""Groups by the periods of dates and by the quantiles of numbers: those of Python's calendar, and of exact ranks."""

import csv
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from stored import ON_DISK, stored_as
from ways import WAYS

import lossctl
from lossctl.reading.periods import PERIODS
from lossctl.sums import distribution


def groups(source, by, **more):
    """The number of rows of each group, in the order of the report."""
    report = lossctl.evaluate(source, "mae", label="y", prediction="p", by=by, **{"engine": "serial", **more})
    return {tuple(result.group.values()): result.n for result in report.results}


def table(**columns):
    rows = len(next(iter(columns.values())))
    return pa.table({"y": np.arange(float(rows)), "p": np.zeros(rows), **columns})


ORDERED = {
    "hour": ["2023-12-31 23:00", "2024-03-04 09:00", "2024-03-04 10:00", "2024-10-06 00:00"],
    "day": ["2023-12-31", "2024-03-04", "2024-10-06"],
    "week": ["2023-W52", "2024-W10", "2024-W40"],
    "month": ["2023-12", "2024-03", "2024-10"],
    "quarter": ["2023-Q4", "2024-Q1", "2024-Q4"],
    "year": ["2023", "2024"],
    "weekday": ["Monday", "Sunday"],
}


@pytest.mark.parametrize("unit", PERIODS)
def test_groups_of_dates_come_in_the_order_of_time(unit):
    dates = ["2024-10-06", "2024-03-04T10:59:59", "2023-12-31 23:00", "2024-03-04T09:00", None]
    assert [*groups(table(d=dates), f"d:{unit}")] == [*((word,) for word in ORDERED[unit]), (None,)]


def test_a_note_says_whether_quantiles_are_exact_and_how_many_groups_there_are(monkeypatch):
    source = table(v=[1, 1, 1, 1, 2, 3.0], n=pa.nulls(6, pa.float64()))
    asked = {"loss": "mae", "label": "y", "prediction": "p", "engine": "serial"}
    notes = lossctl.evaluate(source, by="v:10,v:2,n:4", **asked).notes
    assert notes == (
        "deciles of 'v': exact; 3 groups only, as equal numbers stay together",
        "halves of 'v': exact",
        "quartiles of 'n': it has no numbers",
    )
    monkeypatch.setattr(distribution, "MOST", 4)
    (note,) = lossctl.evaluate(table(v=np.arange(1.0, 99)), by="v:3", **asked).notes
    assert note.startswith("tertiles of 'v': approximate, ")


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """Rows in every format: some without a label, some of weight 0, some without a day or a price."""
    rng = np.random.default_rng(2)
    days = [None if row % 50 == 3 else f"2024-0{1 + row % 5}-1{row % 7}" for row in range(400)]
    columns = {
        "y": [None if row % 40 == 7 else float(row % 9) for row in range(400)],
        "p": rng.normal(4, 2, 400).round(2),
        "w": [float(row % 5) for row in range(400)],
        "date": days,
        "price": [None if row % 60 == 5 else value for row, value in enumerate(rng.lognormal(3, 1, 400).round(2))],
        "id": [f"k{row}" for row in range(400)],
    }
    folder = tmp_path_factory.mktemp("sales")
    for kind in ON_DISK:
        (folder / f"sales{kind.suffixes[0]}").write_bytes(stored_as(kind, pa.table(columns)))
    return folder, pa.table(columns)


ASKED = {
    "loss": ["mse", "mae"], "label": "y", "prediction": "p", "weight": "w", "nulls": "drop",
    "by": ["date:month", "price:10", "date:weekday"], "where": "w < 4",
}  # fmt: skip


def test_every_format_engine_and_join_has_the_same_groups(sales):
    folder, rows = sales
    expected = lossctl.evaluate(rows, **ASKED).to_dict()["results"]
    assert expected[0]["group"].keys() == {"date:month", "price", "date:weekday"}
    paths = sorted(folder.iterdir())
    ways = [way for way in WAYS if way[0] != "dask"]  # which has them in test_every_engine.py
    for place, path in enumerate(paths):
        engine, threads = ways[place % len(ways)]
        assert lossctl.evaluate(path, **ASKED, engine=engine, threads=threads).to_dict()["results"] == expected, path
    predictions, labels = rows.select(["p", "w", "date", "id"]), rows.select(["y", "price", "id"])
    for join in ({"ids": "id"}, {"join": "order"}):
        assert lossctl.evaluate(predictions, **ASKED, labels=labels, **join).to_dict()["results"] == expected
    frame = rows.to_pandas().assign(date=lambda frame: pd.to_datetime(frame.date))
    assert lossctl.evaluate(frame, **ASKED).to_dict()["results"] == expected


def test_quantiles_are_of_the_rows_that_are_measured():
    source = pa.table({
        "y": [1.0, 2.0, None, 4.0, 5.0, 6.0], "p": [0.0] * 6, "w": [1.0, 1, 1, 0, 9, 1], "v": [1.0, 2, 99, 98, 4, 8]
    })  # fmt: skip
    assert [*groups(source, "v:2", weight="w", nulls="drop").values()] == [2, 2]
    assert [*groups(source, "v:2", weight="w", where="v < 8")] == [("[1, 4)",), ("[4, 4]",)]
    assert [*groups(source, "v:2", weight="w", limit=2)] == [("[1, 2)",), ("[2, 2]",)]


def test_a_column_of_that_very_name_comes_first():
    source = pa.table({"y": [1.0, 2], "p": [0.0, 0], "price:10": ["a", "b"], "price": [1, 2], "d:day": ["x", "x"]})
    assert [*groups(source, "price:10")] == [("a",), ("b",)]
    assert [*groups(source, "d:day,price:2")] == [("x", "[1, 2)"), ("x", "[2, 2]")]
    labels = pa.table({"y": [1.0, 2], "k": ["r", "s"], "price:10": ["a", "b"]})
    joined = {"labels": labels, "ids": "k"}
    assert [*groups(pa.table({"p": [0.0, 0], "k": ["r", "s"], "price": [1, 2]}), "price:10", **joined)] == [
        ("a",),
        ("b",),
    ]


def test_what_stands_for_nothing_is_no_date_and_one_group(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text("y,p,d\n1,2,2024-03-05\n1,2,\n1,2,NA\n1,2,2024-03-31T23:59:59.999-05:00\n")
    assert groups(path, "d:month") == {("2024-03",): 2, (None,): 2}


WRONG = {
    "text:day": r"row 3: column 'text' holds 'soon', which is no date to group by day\n.*2024-03-05",
    "impossible:day": "row 2: column 'impossible' holds '2024-02-30', which is no date",
    "number:day": r"row 1: column 'number' of type double holds no dates to group by day\n.*number:10",
    "numeral:week": r"row 1: column 'numeral' holds '1.5', which is no date to group by week\n.*numeral:10",
    "time:day": r"column 'time' of type time64\[us\] holds no dates",
    "far:day": "row 2: column 'far' of type timestamp.* holds a date beyond the years 0 to 9999",
    "mars:day": "column 'mars' of type timestamp.* cannot be read as dates: .*Mars/Olympus",
    "list:day": "column 'list' of type list.* holds no dates",
    "list:4": "column 'list' of type list.* cannot be grouped by",
    "date:4": r"column 'date' of type date32\[day\] holds dates, which have no quantiles\n.*date:month",
    "written:4": r"column 'written' of type string holds dates, which have no quantiles\n.*written:month",
    "words:4": "row 1: column 'words' holds 'a', which is not a number",
    "date:dya": r"group 'date:dya': no unit 'dya'\nDid you mean day\?.* hour, day, week",
    "a:c": r"no column 'a:c' for the group\nDid you mean a:b\?",
    "date:days:day": "no column 'date:days'",
    "dat:day": r"no column 'dat' for the group\nDid you mean date\?",
    "date:": "no column 'date:'",
    **dict.fromkeys(["number:1", "number:0", "number:1001", "number:-4"], "from 2 to 1,000 quantile groups, not "),
}


@pytest.mark.parametrize("by", WRONG)
def test_what_has_no_such_groups_says_so(by):
    seconds = pa.array([0, 253_402_300_800, 0], pa.int64())
    source = table(
        text=["2024-01-01", "", "soon"],
        words=["a", "b", "c"],
        **{"a:b": ["a", "b", "c"]},
        impossible=["2024-02-29", "2024-02-30", ""],
        number=[1.5, 2.5, 3.5],
        numeral=["1.5", "2.5", "3.5"],
        time=pa.array([1, 2, 3], pa.time64("us")),
        far=seconds.cast(pa.timestamp("s")),
        mars=pa.array([1, 2, 3], pa.int64()).cast(pa.timestamp("s", "Mars/Olympus")),
        list=[[1.0], [2.0], [3.0]],
        date=pa.array([1, 2, 3], pa.int32()).cast(pa.date32()),
        written=["2024-01-01", None, "2024-01-03"],
    )
    with pytest.raises(lossctl.LossctlError) as wrong:
        groups(source, by)
    assert re.search(WRONG[by], str(wrong.value)), str(wrong.value)


def test_machine_formats_call_the_key_like_the_column_and_name_groups_as_tables_do(lossctl, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("y,p,date,price\n1,2,2024-03-05,5\n1,3,2024-03-31,10\n1,5,2024-04-01,20\n")
    asked = ["eval", path, "-l", "mse", "--by", "date:month,price:2"]
    keys = [{"date": "2024-03", "price": "[5, 20)"}, {"date": "2024-04", "price": "[20, 20]"}]
    done = lossctl(*asked, "-f", "json")
    assert [result["group"] for result in done.json["results"]] == keys
    assert done.json["inputs"]["by"] == ["date", "price"]
    assert done.json["inputs"]["units"] == {"date": "month", "price": "2"}
    assert done.json["notes"][-1] in done.err
    rows = [*csv.DictReader(lossctl(*asked, "-f", "csv").out.splitlines())]
    assert [{name: row[name] for name in keys[0]} for row in rows] == keys
    table = lossctl(*asked).out
    assert "by date:month, price:2" in table
    assert all(word in table for key in keys for word in key.values())
