"""The periods of dates are those of Python's calendar, however the dates are stored."""

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.reading.periods import PERIODS, WEEKDAYS, periods

CALENDAR = {
    "hour": lambda time: f"{time:%Y-%m-%d %H}:00",
    "day": lambda time: time.date().isoformat(),
    "week": lambda time: "{}-W{:02}".format(*time.isocalendar()),
    "month": lambda time: time.date().isoformat()[:7],
    "quarter": lambda time: f"{time.year:04}-Q{(time.month + 2) // 3}",
    "year": lambda time: f"{time.year:04}",
    "weekday": lambda time: WEEKDAYS[time.weekday()],
}
MOMENT = dt.datetime.fromisoformat
BACK = MOMENT("2024-10-27T01:30:00.000005")
"""An hour in which the clocks of Berlin go back."""
ZONE = "Europe/Berlin"
DATES = {
    "date32": lambda times: pa.array([time.date() for time in times], pa.date32()),
    "date64": lambda times: pa.array([time.date() for time in times], pa.date64()),
    **{
        f"timestamp[{unit}]": lambda times, unit=unit: pa.array(times).cast(pa.timestamp(unit), safe=False)
        for unit in ("s", "ms", "us", "ns")
    },
    "zoned": lambda times: pa.array([time.replace(tzinfo=dt.UTC) for time in times], pa.timestamp("us", ZONE)),
    "dictionary": lambda times: pa.array([time.date() for time in times]).dictionary_encode(),
    "text": lambda times: pa.array([time.isoformat() for time in times]),
    "text with offsets": lambda times: pa.array([f" {time.isoformat(' ')}+02:00" for time in times]),
    "text of days": lambda times: pa.array([time.date().isoformat() for time in times]),
}
MIDNIGHT = {"date32", "date64", "dictionary", "text of days"}


@pytest.mark.parametrize("kind", DATES)
@settings(max_examples=10)
@given(
    times=st.lists(
        st.datetimes(MOMENT("1700-01-02"), MOMENT("2037-12-30")),
        min_size=1,
        max_size=20,
    ),
    near=st.lists(st.integers(-800, 800), max_size=20),
)
def test_every_date_is_in_the_period_that_the_calendar_says(kind, times, near):
    """From 2038 on Arrow knows no summer time."""
    times = [
        *times,
        *(BACK + dt.timedelta(hours=hours) for hours in near),
    ]
    shown = times
    if kind in MIDNIGHT:
        shown = [dt.datetime.combine(time.date(), dt.time()) for time in times]
    elif kind == "zoned":
        shown = [time.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(ZONE)) for time in times]
    cells = DATES[kind](times)
    for unit in PERIODS:
        assert periods(cells, unit, "d").to_pylist() == [CALENDAR[unit](time) for time in shown], unit
