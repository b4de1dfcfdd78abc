"""Clusters may be periods of dates: those that the calendar of the column's time zone has, wherever it is stored."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library
from lossctl.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2024, 3, 30, 20, tzinfo=UTC)
"""Some hours before an hour is left out in Berlin."""
PERIODS = {"hour": "%F %H", "day": "%F", "week": "%G %V", "month": "%Y %m", "weekday": "%u"}
WRITTEN = {
    "isoformat": lambda times: [time.isoformat() for time in times],
    "without an offset": lambda times: [f"{time:%Y-%m-%d %H:%M:%S}" for time in times],
    "day first": lambda times: [f"{time:%d.%m.%Y %H:%M}" for time in times],
    "timestamp": lambda times: pa.array(times, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Europe/Berlin")),
    "dictionary": lambda times: pa.array([time.isoformat() for time in times]).dictionary_encode(),
}


def rows(steps, way):
    times = [(BEGIN + timedelta(hours=step)).astimezone(BERLIN) for step in steps]
    rng = np.random.default_rng(len(steps))
    numbers = {name: rng.normal(size=len(steps)) for name in ("y", "p", "q")}
    return times, {"ts": WRITTEN[way](times), **numbers}


@settings(max_examples=8, deadline=None)
@given(
    steps=st.lists(st.integers(0, 2000), min_size=3, max_size=30),
    way=st.sampled_from([*WRITTEN]),
    unit=st.sampled_from([*PERIODS]),
    engine=st.sampled_from(["serial", "threads"]),
)
def test_a_period_is_a_cluster_as_a_column_of_periods_is(steps, way, unit, engine):
    times, columns = rows(steps, way)
    columns["period"] = [time.strftime(PERIODS[unit]) for time in times]
    columns["y"][:], columns["p"][:] = np.round(columns["y"]), np.round(columns["p"])
    table = pa.table(columns)
    asked = {"loss": "mae", "label": "y", "prediction": ["p", "q"], "engine": engine}
    ours, theirs = (library.compare(table, **asked, cluster=by).results[0] for by in (f"ts:{unit}", "period"))
    assert (ours.clusters, ours.value) == (len({*columns["period"]}), theirs.value)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_a_join_carries_it_along_from_either_side(side):
    times, columns = rows(range(0, 400, 7), "timestamp")
    ids = np.arange(len(times))
    sides = {"predictions": {"id": ids, "p": columns["p"]}, "labels": {"id": ids[::-1], "y": columns["y"]}}
    sides[side]["ts"] = columns["ts"]
    report = library.evaluate(sides["predictions"], "mae", labels=sides["labels"], ids="id", cluster="ts:day")
    assert report.results[0].n_clusters == len({time.date() for time in times})
    assert report.inputs["cluster"] == ["ts:day"]
    other = {"id": ids, "p": columns["q"]}
    comparison = library.compare(
        sides["predictions"], "mae", others={"b": other}, labels=sides["labels"], ids="id", cluster="ts:day"
    )
    assert comparison.results[0].clusters == report.results[0].n_clusters


@pytest.mark.parametrize(("way", "said"), [
    ("timestamp", "in the time zone of the column, Europe/Berlin"), ("without an offset", None),
    ("isoformat", "as the clock shows them that is written, such as '2024-03-30T21:00:00+01:00'"),
])  # fmt: skip
@pytest.mark.parametrize("asked", ["by", "cluster"])
def test_the_time_zone_of_periods_is_said_once(way, said, asked):
    _, columns = rows(range(60), way)
    report = library.evaluate(pa.table(columns), "mae", label="y", prediction="p", **{asked: "ts:day"})
    assert [note for note in report.notes if "dates of 'ts'" in note] == ([f"dates of 'ts': {said}"] if said else [])


def test_a_column_of_that_very_name_comes_first_and_quantiles_are_no_clusters():
    _, columns = rows(range(12), "isoformat")
    named = pa.table({**columns, "ts:day": ["a", "b"] * 6})
    assert library.evaluate(named, "mae", label="y", prediction="p", cluster="ts:day").results[0].n_clusters == 2
    for cluster, what in (("y:10", "no.* move together for being of one quantile"), ("ts:dya", "no unit 'dya'")):
        with pytest.raises(UsageError, match=what):
            library.evaluate(pa.table(columns), "mae", label="y", prediction="p", cluster=cluster)


def test_a_baseline_keeps_periods(lossctl, tmp_path):
    _, columns = rows(range(80), "isoformat")
    lines = [",".join(map(str, row)) for row in zip(range(80), *columns.values(), strict=True)]
    data, saved = write_lines(tmp_path / "rows.csv", "id,ts,y,p,q", *lines), tmp_path / "b.json"
    asked = ["-y", "y", "-p", "p", "-l", "mae"]
    kept = lossctl("baseline", "save", data, *asked, "--id", "id", "--cluster", "ts:day", "-o", saved)
    assert kept.status == 0, kept.err
    gate = ["[[gate]]", 'name = "g"', 'loss = "mae"', f'baseline = "{saved}"', "max_increase = 0.1"]
    config = write_lines(tmp_path / "c.toml", 'cluster = "ts:day"', *gate)
    done = lossctl("check", data, *asked[:4], "--config", config)
    assert (done.status, done.out[:6]) == (0, "PASS g"), done.err


def test_buckets_of_too_many_clusters_are_called_so(lossctl, tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.sums.clusters.MOST", 6)
    _, columns = rows(range(60), "isoformat")
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    data = write_lines(tmp_path / "rows.csv", "ts,y,p,q", *lines)
    asked = [data, "-y", "y", "-p", "p", "-p", "q", "-l", "mae", "--cluster", "ts", "--engine", "serial"]
    for command in ("eval", "compare"):
        done = lossctl(command, *asked)
        assert (
            "clusters: too many to keep one by one in memory, so hashed into 4,096 buckets, each a cluster" in done.out
        )
        assert command == "eval" or " buckets; " in done.out
        assert "clusters: too many" not in lossctl(command, *asked[:-4], "--cluster", "ts:week", "-q").out
