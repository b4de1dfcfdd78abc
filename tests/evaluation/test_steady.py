"""Batches of which no state is made come to what they would by states, bit by bit."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.evaluation import steady
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.running import SERIAL
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.sums import compiled
from lossctl.sums.gathered import Gathered
from lossctl.sums.state import Summation

EVENTS = {
    "null": {"p": [None, 0.5], "y": [0.0, 1.0], "w": [1.0, 2.0]},
    "a square that is no double": {"p": [0.25, 0.5], "y": [1e-170, 1.0], "w": [1.0, 2.0]},
    "the floor": {"p": [0.0, 1.0], "y": [1.0, 0.0], "w": [1.0, 2.0]},
    "no error": {"p": [1.0, 0.0], "y": [1.0, 0.0], "w": [1.0, 2.0]},
    "no rows": {"p": [], "y": [], "w": []},
    "no weight": {"p": [0.5, 0.25], "y": [1.0, 0.0], "w": [0.0, 1.0]},
    "a light and a heavy row": {"p": [0.5, 0.25], "y": [1.0, 0.0], "w": [1e-300, 1e300]},
}
COMPILED = pytest.mark.skipif(compiled.kernels is None, reason="not compiled here")
GROUPS = {
    "near each other": lambda rng, n: rng.integers(0, 4, n),
    "farther with each batch": lambda rng, n: rng.integers(0, 4, n) + int(10 ** rng.uniform(0, 3)),
    "far from each other": lambda rng, n: rng.choice([-(2**63), 0, 2**63 - 1], n),
    "words": lambda rng, n: rng.choice(["a", "b", "", "c"], n),
    "words in a dictionary": lambda rng, n: pa.array(
        rng.choice(["a", "b", "", "c"], n), pa.string()
    ).dictionary_encode(),
    "few of many words": lambda rng, n: pa.DictionaryArray.from_arrays(
        rng.integers(0, 99, n), list(map(str, range(99)))
    ),
    "hardly twice the same": lambda rng, n: rng.choice(1000, n, replace=False) * 1000,
    "truths": lambda rng, n: rng.random(n) < 0.5,
}
WEIGHTS = [None, pytest.param("w", marks=COMPILED)]


def facts(total):
    """What a state says, its groups by name."""
    keys = [*total.keys]
    order = np.array(sorted(range(len(keys)), key=lambda place: str(keys[place])))
    moments = [(part.moments.taken(order), part.clipped[order]) for part in total.parts]
    parts = [(own.n.tolist(), repr(own.result()), clipped.tolist()) for own, clipped in moments]
    counts = [one[order].tolist() for one in (total.null, total.unweighted, total.ignored, total.cells)]
    return total.rows, [keys[place] for place in order], parts, counts, total.problems.by_key


def summed_both_ways(table, loss, weight, by=()):
    source = open_source(table)
    plan = make_plan(source, Request(loss=loss, nulls="drop", label="y", prediction=("p",), weight=weight, by=by))
    assert steady.asks_for_sums(plan)
    return [
        facts(steady.fold_sums(source, plan, SERIAL).total),
        facts(fold_rows(source, plan, lift, nothing(plan), SERIAL).total),
    ]


@pytest.mark.parametrize("weight", WEIGHTS)
@settings(max_examples=30)
@given(events=st.lists(st.sampled_from([None, *EVENTS]), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_sums_and_problems_are_those_of_states_whatever_batches_hold(weight, events, seed):
    rng = np.random.default_rng(seed)
    kind = pa.schema({"p": pa.float64(), "y": pa.float64(), "w": pa.float64()})
    usual = [{"p": rng.random(5), "y": rng.integers(0, 2, 5).astype(float), "w": rng.random(5)} for _ in events]
    far = "a square that is no double" in events
    batches = [pa.record_batch(EVENTS.get(event, own), kind) for event, own in zip(events, usual, strict=True)]
    table = pa.Table.from_batches([*batches, pa.record_batch({"p": [0.1], "y": [0.0], "w": [2.0]}, kind)])
    for loss in (["mse", "mae"],) if far else (["mse", "bce", "mae"], ["bce"]):
        one, other = summed_both_ways(table, loss, weight)
        assert one == other


@COMPILED
@pytest.mark.parametrize("by", [("g",), ("g", "h")])
@pytest.mark.parametrize("groups", GROUPS)
@settings(max_examples=15)
@given(events=st.lists(st.sampled_from([None, *EVENTS]), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_so_they_are_by_group_whatever_the_groups_are(groups, by, events, seed):
    rng = np.random.default_rng(seed)
    batches = []
    for event in [*events, None]:
        own = {"p": rng.random(9), "y": rng.integers(0, 2, 9).astype(float), "w": rng.random(9)}
        rows = EVENTS.get(event, own)
        n = len(rows["p"])
        batches.append(pa.record_batch({**rows, "g": GROUPS[groups](rng, n), "h": rng.integers(0, 2, n)}))
    table = pa.concat_tables([pa.table(batch) for batch in batches], promote_options="permissive")
    for loss in (["mse", "mae"],) if "a square that is no double" in events else (["mse", "bce", "mae"], ["bce"]):
        one, other = summed_both_ways(table, loss, None, by)
        assert one == other


@COMPILED
@pytest.mark.parametrize("groups", [3, 400, 30_000])
def test_the_sums_of_a_part_are_made_once_however_many_batches_and_groups_it_has(groups, monkeypatch):
    taken = []
    monkeypatch.setattr(
        Gathered, "result", lambda self, used, result=Gathered.result: (taken.append(len(used)), result(self, used))[1]
    )
    rng, n = np.random.default_rng(groups), 60_000
    rows = {"p": rng.normal(size=n), "y": rng.normal(size=n), "g": rng.integers(0, groups, n)}
    table = pa.Table.from_batches(pa.table(rows).to_batches(max_chunksize=20_000))
    one, other = summed_both_ways(table, ["mse"], None, ("g",))
    assert one == other
    assert taken == [len(np.unique(rows["g"]))]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_blocks_of_a_batch_come_to_what_all_its_rows_do(weight):
    rng = np.random.default_rng(2)
    rows = {"p": np.sort(rng.normal(size=150_000)), "y": rng.normal(size=150_000), "w": rng.random(150_000)}
    one, other = summed_both_ways(pa.table(rows), ["huber", "mse"], weight)
    assert one == other


def test_integers_that_are_no_doubles_are_measured_as_ever():
    table = pa.table({"p": [1, 2**53 + 1, 3], "y": [2, 2**53 + 2, 5], "w": [1.0, 1.0, 1.0]})
    one, other = summed_both_ways(pa.concat_tables([table[:1], table, table[:1]]), ["mse"], None)
    assert one == other


@pytest.mark.parametrize("asked", [{}, {"samples": 2}, {"gradient": True}, {"skill": True}])
def test_what_else_is_asked_for_changes_no_bit_of_a_value_or_its_error(asked):
    rng = np.random.default_rng(3)
    table = pa.table({"p": rng.normal(size=70_000) ** 3, "y": rng.normal(size=70_000)})
    result = lossctl.evaluate(table, "mse", label="y", prediction="p", **asked).results[0]
    alone = lossctl.evaluate(table, "mse", label="y", prediction="p").results[0]
    assert (result.value, result.standard_error) == (alone.value, alone.standard_error)


def test_as_many_states_are_made_of_a_part_however_many_batches_it_has(monkeypatch):
    added = []
    monkeypatch.setattr(
        Summation, "add", lambda self, state, add=Summation.add: (added.append(state), add(self, state))
    )
    batch = pa.record_batch({"p": [0.5, 2.0], "y": [1.0, 0.0]})
    for batches in (2, 200):
        added.clear()
        lossctl.evaluate(pa.Table.from_batches([batch] * batches), "huber", label="y", prediction="p", engine="serial")
        assert len(added) == 2
