"""Batches of which no state is made come to what they would by states, bit by bit."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError
from lossctl.evaluation import steady
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.running import SERIAL
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.sums import compiled
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
WEIGHTS = [None, pytest.param("w", marks=pytest.mark.skipif(compiled.kernels is None, reason="not compiled here"))]


def facts(total):
    """What a state says."""
    parts = [(part.moments.n.tolist(), repr(part.moments.result()), part.clipped.tolist()) for part in total.parts]
    counts = [one.tolist() for one in (total.null, total.unweighted, total.ignored, total.cells)]
    return total.rows, parts, counts, total.problems.by_key


def summed_both_ways(table, loss, weight):
    source = open_source(table)
    plan = make_plan(source, Request(loss=loss, nulls="drop", label="y", prediction=("p",), weight=weight))
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


@pytest.mark.parametrize("weight", WEIGHTS)
def test_blocks_of_a_batch_come_to_what_all_its_rows_do(weight):
    rng = np.random.default_rng(2)
    rows = {"p": np.sort(rng.normal(size=150_000)), "y": rng.normal(size=150_000), "w": rng.random(150_000)}
    one, other = summed_both_ways(pa.table(rows), ["huber", "mse"], weight)
    assert one == other


VECTORS = {
    "null": [[None, 0.5, 0.25], [0.5, 0.25, 0.25]],
    "an impossible class": [[-np.inf, 0.5, 0.25], [0.5, -np.inf, 0.25]],
    "the floor": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "no row that sums to 1": [[0.5, 0.5, 0.5], [0.5, 0.25, 0.25]],
    "no number": [[np.nan, 0.5, 0.5], [0.5, np.inf, 0.25]],
    "one of another length": [[0.5, 0.5], [0.5, 0.25, 0.25]],
}


@settings(max_examples=40)
@given(
    events=st.lists(st.sampled_from([None, *VECTORS]), min_size=1, max_size=5),
    asked=st.sampled_from(
        [("cross_entropy", {}), ("cross_entropy", {"from_logits": True}), ("brier", {}), ("mse", {})]
    ),
    soft=st.booleans(),
    seed=st.integers(0, 99),
)
def test_vectors_come_to_what_states_of_their_batches_do(events, asked, soft, seed):
    rng, (loss, how) = np.random.default_rng(seed), asked
    kind = pa.list_(pa.float64())
    lists = [VECTORS.get(event, rng.dirichlet(np.ones(3), 5).tolist()) for event in [None, *events, None]]
    soft = soft or loss == "mse"
    labels = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] if soft else [0.0, 1.0] for _ in lists]
    batches = [
        pa.record_batch({"p": pa.array(each, kind), "y": pa.array((own * 3)[: len(each)], kind if soft else None)})
        for each, own in zip(lists, labels, strict=True)
    ]
    source = open_source(pa.Table.from_batches(batches))
    plan = make_plan(source, Request(loss=[loss], nulls="drop", label="y", prediction=("p",), **how))
    assert steady.asks_for_sums(plan)
    outcomes = []
    for fold in (steady.fold_sums, lambda *given: fold_rows(*given[:2], lift, nothing(plan), given[2])):
        try:
            outcomes.append(facts(fold(source, plan, SERIAL).total))
        except DataError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


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


@pytest.mark.parametrize(("loss", "prediction"), [("huber", [0.5, 2.0]), ("crps_ensemble", [[0.5, 2.0], [2.0, 0.5]])])
def test_as_many_states_are_made_of_a_part_however_many_batches_it_has(loss, prediction, monkeypatch):
    added = []
    monkeypatch.setattr(
        Summation, "add", lambda self, state, add=Summation.add: (added.append(state), add(self, state))
    )
    batch = pa.record_batch({"p": prediction, "y": [1.0, 0.0]})
    for batches in (2, 200):
        added.clear()
        lossctl.evaluate(pa.Table.from_batches([batch] * batches), loss, label="y", prediction="p", engine="serial")
        assert len(added) == 2
