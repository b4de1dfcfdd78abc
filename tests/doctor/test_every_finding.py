"""Each finding is made on data that have it, and not on data that nearly have it."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from suspicious import ELSEWHERE, TABLE, N, finding, follow, named

import lossctl
from lossctl.doctor.finding import Severity
from lossctl.doctor.finding import findings as checks

# --- findings --------------------------------------------------------------------------------------------------------


def test_every_finding_has_data_that_have_it_and_data_that_nearly_do():
    assert {finding(name) for name in TABLE} | ELSEWHERE == set(checks.names())
    assert all(len(pair) == 2 for pair in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_is_made_where_it_is_so(doctor, name):
    data, arguments = TABLE[name][0]
    outcome = doctor(data, *arguments)
    assert outcome.status == 0, outcome.err
    assert finding(name) in named(outcome)


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_is_not_made_where_it_is_nearly_so(doctor, name):
    data, arguments = TABLE[name][1]
    outcome = doctor(data, *arguments)
    assert outcome.status == 0, outcome.err
    assert finding(name) not in named(outcome)


@pytest.mark.parametrize(("name", "which"), [*itertools.product(TABLE, (0, 1))])
def test_the_command_line_runs_unless_a_finding_says_that_none_can(doctor, lossctl, name, which):
    data, arguments = TABLE[name][which]
    outcome = doctor(data, *arguments)
    statuses = follow(lossctl, outcome)
    assert outcome.json["runs"] == (bool(statuses) and not any(it["stops"] for it in outcome.json["findings"]))
    assert statuses == [0 if outcome.json["runs"] else 3] * len(statuses)


@pytest.mark.parametrize("name", TABLE)
def test_strict_fails_on_warnings_and_errors_only(lossctl, doctor, tmp_path, name):
    data, arguments = TABLE[name][0]
    outcome = doctor(data, *arguments)
    path = next(tmp_path.iterdir())
    assert lossctl("doctor", path, *arguments, "--strict", "-qq").status == bool(named(outcome, "error", "warning"))


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_says_what_to_do(doctor, name):
    data, arguments = TABLE[name][0]
    for found in doctor(data, *arguments).json["findings"]:
        assert found["what"]
        assert found["advice"].endswith(("?", "."))
        assert (found["count"] is None) == (found["row"] is None)
        assert found["severity"] in list(Severity)
    assert checks.get(finding(name)).summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "count", "row"),
    [
        ("infinite", 1, 6),
        ("nulls", 1, 6),
        ("negative-weights", 1, 5),
        ("outside-unit-interval", 1, 9),
        ("duplicate-ids", 1, N),
        ("unknown-classes", 1, 7),
        ("lists-of-other-lengths", 1, 10),
        ("rows-that-sum-to-zero", 1, 1),
        ("zero-labels", 1, 3),
        ("few-below-zero", 1, 6),
        ("leak", N, 1),
    ],
)
def test_the_evidence_is_a_count_and_the_first_row(doctor, name, count, row):
    data, arguments = TABLE[name][0]
    (found,) = [it for it in doctor(data, *arguments).json["findings"] if it["name"] == name]
    assert (found["count"], found["row"]) == (count, row)


# --- the same for any cut --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["inverted", "leak", "nulls", "duplicate-ids", "heavy-tail", "columns-in-another-order"]
)
def test_the_diagnosis_does_not_depend_on_threads_or_on_how_the_rows_are_cut(lossctl, tmp_path, name):
    data, arguments = TABLE[name][0]
    data = {key: np.tile(np.asarray(values), 40) for key, values in data.items()}
    table = pa.table({key: pa.array(list(values)) for key, values in data.items()})
    whole, halves = tmp_path / "whole.parquet", [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    pq.write_table(table, whole, row_group_size=700)
    cut = 3001
    pq.write_table(table.slice(0, cut), halves[0])
    pq.write_table(table.slice(cut), halves[1], row_group_size=333)
    made = []
    for paths, *engine in (
        ([whole], "--engine", "serial"),
        *(([whole], "--threads", n) for n in (1, 2, 7)),
        (halves, "--threads", 2),
    ):
        outcome = lossctl("doctor", *paths, *arguments, *engine, "--json")
        told = outcome.json
        for found in told["findings"]:
            if found["file"] == str(halves[1]):
                found["row"] += cut
            del found["file"]
        del told["files"], told["commands"]
        made.append(told)
    assert name in {it["name"] for it in made[0]["findings"]}
    assert all(one == made[0] for one in made)


def test_rows_that_have_a_null_in_either_column_are_counted_once_each():
    nan = float("nan")
    table = {"y": [1.0, nan, nan, 4.0, 5.0, nan], "p": [1.0, 2.0, nan, nan, 5.0, 6.0]}
    (found,) = [one for one in lossctl.diagnose(table, label="y", prediction="p").findings if one.name == "nulls"]
    assert found.count == 4
