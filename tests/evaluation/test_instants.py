"""Keys that are one instant match, whatever offset they are written with; a time without one is another matter."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from stored import write_lines

import lossctl as library
from lossctl.errors import DataError
from lossctl.reading.instants import in_one_form

BEGIN = datetime(2024, 10, 26, 20, tzinfo=UTC)
"""Some hours before the clocks of Berlin show an hour twice."""
ZONES = [UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]


TEXTS = {
    "isoformat": lambda time: time.isoformat(),
    "pandas": lambda time: time.isoformat(" "),
    "basic offset": lambda time: time.strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
    "Z": lambda time: time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    "BigQuery": lambda time: time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
}
TYPES = {f"timestamp[{unit}]": unit for unit in ("us", "ns")}
SUFFIXES = [".csv", ".jsonl", ".parquet", ".arrow"]


def column(times, way, zone):
    if way in TYPES:
        return pa.array(times, pa.timestamp(TYPES[way], "UTC")).cast(pa.timestamp(TYPES[way], str(zone or "UTC")))
    return pa.array([TEXTS[way](time.astimezone(zone)) for time in times])


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True),
    ways=st.tuples(*[st.sampled_from([*TEXTS, *TYPES])] * 2),
    zones=st.tuples(*[st.sampled_from(ZONES)] * 2),
    suffixes=st.tuples(*[st.sampled_from(SUFFIXES)] * 2),
    engine=st.sampled_from(["serial", "threads"]),
    files=st.booleans(),
)
def test_an_instant_is_one_key_in_every_zone_and_format(steps, ways, zones, suffixes, engine, files, tmp_path_factory):
    times = [BEGIN + timedelta(minutes=7.5 * step) for step in steps]
    zones = [ZONES[1] if way in TYPES and not isinstance(zone, ZoneInfo) else zone
             for way, zone in zip(ways, zones, strict=True)]  # fmt: skip
    sides = []
    for place, name in enumerate("py"):
        order = np.arange(len(steps))[:: 1 - 2 * place]
        cells = column([times[row] for row in order], ways[place], zones[place])
        table = pa.table({"ts": cells, name: np.array(steps, float)[order]})
        path = tmp_path_factory.mktemp("side") / f"{name}{suffixes[place]}"
        sides.append(store(path, table) if files else table)
    report = library.evaluate(sides[0], "mae", labels=sides[1], ids="ts", engine=engine)
    assert (report.value, report.results[0].n) == (0, len(steps))


def test_what_matches_in_another_zone_is_said_and_models_do_likewise():
    times = ["2025-03-01T00:00:00+01:00", "2025-03-01T01:00:00+01:00"]
    labels = {"ts": ["2025-03-01T00:00:00Z", "2025-02-28T23:00:00Z"], "y": [1.0, 0.0]}
    first, other = {"ts": times, "p": [0.0, 1.0]}, {"ts": labels["ts"], "p": [2.0, 1.0]}
    comparison = library.compare(first, "mae", others={"b": other}, ids="ts", labels=labels)
    assert comparison.results[0].difference == 1
    said = [note for note in comparison.notes if "equal times match, such as '2025-03-01T00:00:00+01:00' of" in note]
    assert len(said) == 2


@pytest.mark.parametrize("how", ["strict", "inner", "left"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_time_without_an_offset_is_no_instant(how, turned, mixed):
    local, instant = ["2025-03-01 00:00:00", "2025-03-01T01:00"], ["2025-03-01 00:00:00+01:00", "2025-03-01T00:00Z"]
    sides = [local[:1] + instant[1:] if mixed else local, instant][:: -1 if turned else 1]
    with pytest.raises(DataError) as told:
        library.evaluate(
            {"ts": sides[0], "p": [1.0, 2.0]}, "mae", labels={"ts": sides[1], "y": [1.0, 2.0]}, ids="ts", join=how
        )
    without = "the labels" if turned else "the predictions"
    assert f"'ts' has times without an offset from UTC in {without}, such as '2025-03-01 00:00:00'," in told.value.what
    assert "2025-03-01 00:00:00+01:00" in told.value.what


def test_two_rows_of_one_instant_are_one_key_twice():
    predictions = {"ts": ["2025-03-01T00:00+01:00", "2025-02-28T23:00Z"], "p": [1.0, 2.0]}
    with pytest.raises(DataError, match="1 id more than once in the predictions"):
        library.evaluate(predictions, "mae", labels={"ts": ["2025-02-28T23:00Z"], "y": [1.0]}, ids="ts", join="left")


def test_times_of_two_places_are_told_apart_by_place():
    zones = [("b", "2025-03-01T01:00+01:00"), ("l", "2025-03-01T00:00Z"), ("b", "2025-03-01T02:00+01:00")]
    there = {"city": [city for city, _ in zones], "ts": [time for _, time in zones], "p": [1.0, 2.0, 3.0]}
    here = {"city": ["l", "b", "b"], "ts": [f"2025-03-01 0{hour}:00:00Z" for hour in (0, 0, 1)], "y": [2.0, 1.0, 3.0]}
    assert library.evaluate(there, "mae", labels=here, ids=["city", "ts"]).value == 0


def test_rows_by_their_order_are_held_against_instants():
    here = {"ts": ["2025-03-01T01:00+01:00", "2025-03-01T02:00+01:00"], "p": [1.0, 2.0]}
    there = {"ts": ["2025-03-01T00:00Z", "2025-03-01T01:00Z"], "y": [1.0, 2.0]}
    assert library.evaluate(here, "mae", labels=there, join="order").value == 0
    with pytest.raises(DataError, match="another order"):
        library.evaluate(here, "mae", labels={name: cells[::-1] for name, cells in there.items()}, join="order")


def test_a_baseline_keeps_instants_not_how_they_are_written(lossctl, tmp_path):
    times = [BEGIN + timedelta(hours=hour) for hour in range(40)]
    for name, zone in (("old", ZONES[1]), ("new", UTC)):
        lines = [f"{time.astimezone(zone).isoformat()},{row % 2},{0.3 + row / 100}" for row, time in enumerate(times)]
        write_lines(tmp_path / f"{name}.csv", "ts,y,p", *lines)
    saved = tmp_path / "base.json"
    kept = lossctl("baseline", "save", tmp_path / "old.csv", "-l", "bce", "--id", "ts", "-o", saved)
    assert kept.status == 0, kept.err
    gate = ["[[gate]]", 'name = "g"', 'loss = "bce"', f'baseline = "{saved}"', "max_increase = 0.001"]
    config = write_lines(tmp_path / "c.toml", *gate)
    done = lossctl("check", tmp_path / "new.csv", "--config", config)
    assert done.status == 0
    assert "compared on" not in done.out, "every bucket has the same rows"


@pytest.mark.parametrize("word", [
    "2025-02-30T00:00Z", "2025-13-01T00:00Z", "2025-03-01T24:00Z", "2025-03-01T00:00+1", "2025-03-01", "12:00Z",
    "2025-03-01T00:00:00+24:00", "", "x2025-03-01T00:00Z",
])  # fmt: skip
def test_what_is_no_instant_stays_as_it_is_written(word):
    assert in_one_form(pa.array([word, "2025-03-01T00:00Z"])).to_pylist() == [word, "2025-03-01 00:00:00Z"]
