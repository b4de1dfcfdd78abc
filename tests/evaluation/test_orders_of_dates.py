"""Dates of text are grouped by periods in the order in which they are written, or it is asked."""

import datetime as dt
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lossctl

WRITTEN = {
    "points": "{0.day}.{0.month}.{0.year}",
    "points, two digits": "{0:%d.%m.%Y}",
    "points, time": "{0:%d.%m.%Y} 14:30",
    "day first": "{0:%d/%m/%Y}",
    "day first, short": "{0.day}/{0.month}/{0.year}",
    "day first, dashes": "{0:%d-%m-%Y}T09:15:00",
    "month first": "{0:%m/%d/%Y}",
    "year first": "{0.year}/{0.month}/{0.day}",
}
DAYS = st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), min_size=1, max_size=12)


def months(path, cells, **asked):
    path.write_text("d,y,p\n" + "".join(f"{cell},1,2\n" for cell in cells))
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", by="d:month", **asked)
    return {result.group["d"]: result.n for result in report.results}, report


@pytest.mark.parametrize("way", WRITTEN)
@settings(max_examples=12)
@given(days=DAYS)
def test_dates_are_read_as_they_are_written(way, days, tmp_path):
    slashed = way.startswith(("day", "month"))
    assume(not slashed or any(day.day > 12 for day in days))
    counts, report = months(tmp_path / "rows.csv", [WRITTEN[way].format(day) for day in days])
    assert counts == Counter(f"{day:%Y-%m}" for day in days)
    assert any("first" in note for note in report.notes) == (way != "year first")


@given(days=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=5))
@settings(max_examples=8)
def test_what_does_not_tell_day_from_month_is_refused_and_years_are_not(days, tmp_path):
    cells = [f"{day:02}/{month:02}/2024" for day, month in days]
    with pytest.raises(lossctl.DataError, match="do not tell day from month"):
        months(tmp_path / "rows.csv", cells)
    report = lossctl.evaluate(tmp_path / "rows.csv", "mae", label="y", prediction="p", by="d:year")
    assert [(result.group["d"], result.n) for result in report.results] == [("2024", len(days))]


def test_one_row_far_below_tells_it_for_all(tmp_path):
    cells = [*["01/02/2024"] * 70_000, "31/01/2024"]
    assert months(tmp_path / "rows.csv", cells)[0] == {"2024-01": 1, "2024-02": 70_000}


def test_dates_in_two_orders_are_refused_wherever_they_stand(tmp_path):
    for cells in (["31/12/2025", "12/31/2025"], ["31/12/2025", *["01/02/2025"] * 70_000, "12/31/2025"]):
        with pytest.raises(lossctl.DataError, match="12/31/2025"):
            months(tmp_path / "rows.csv", cells)
