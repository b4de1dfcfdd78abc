"""Batches of which no state is made come to what they would by states, bit by bit."""

import numpy as np
import pyarrow as pa
import pytest
from hostile import cells_of
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError
from lossctl.evaluation import steady
from lossctl.evaluation.fold import fold_rows
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.planner import make_plan
from lossctl.evaluation.running import SERIAL
from lossctl.evaluation.scores import Scores
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.sums import compiled
from lossctl.sums.gathered import Gathered
from lossctl.sums.state import Summation

EVENTS = {
    "null": {"p": [None, 0.5], "y": [0.0, 1.0], "w": [1.0, 2.0]},
    "a square that is no double": {"p": [0.25, 0.5], "y": [1e-170, 1.0], "w": [1.0, 2.0]},
    "slopes whose squares are no doubles": {"p": [1e-200, 0.0], "y": [0.0, 0.0], "w": [1.0, 2.0]},
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
    parts = [
        (own.n.tolist(), repr(own.result()), part.clipped[order].tolist(), slopes(part.gradients))
        for part in total.parts
        for own in [part.moments.taken(order)]
    ]
    counts = [one[order].tolist() for one in (total.null, total.unweighted, total.ignored, total.cells)]
    return total.rows, [keys[place] for place in order], parts, counts, total.problems.by_key


ASKED = [{"paired": True}, {"judged": True}, {"paired": True, "judged": True}]


def evident(plan, total):
    """How sure a state says that values are, and their differences."""
    scores = Scores(plan, total)
    pairs = [(pair.better.tolist(), pair.worse.tolist()) for pair in scores.evidence.pairs]
    estimates = [scores.difference(number, 0) for number in range(len(plan.pairs))]
    if plan.judged:
        estimates += [scores.value(place, 0) for place in range(len(plan.losses))]
    return repr((pairs, scores.of_pairs, estimates))


def compared_both_ways(table, losses, weight, asked):
    source = open_source(table)
    request = Request(loss=losses, nulls="drop", label="y", prediction=("p", "q"), weight=weight, **asked)
    plan = make_plan(source, request)
    assert steady.asks_for_sums(plan)
    totals = [
        steady.fold_sums(source, plan, SERIAL).total,
        fold_rows(source, plan, lift, nothing(plan), SERIAL).total,
    ]
    return [(facts(total), evident(plan, total)) for total in totals]


def slopes(gradients):
    """What a state says of gradients."""
    if gradients is None:
        return None
    sums = [total.exact() for total in (gradients.absolute, gradients.squares, gradients.norm, gradients.norm_squares)]
    largest = [part.tolist() for part in (gradients.largest, gradients.exponent, gradients.largest_norm)]
    return sums, largest, cells_of(gradients.histogram)


def summed_both_ways(table, loss, weight, by=(), *, gradient=False):
    source = open_source(table)
    asked = Request(loss=loss, nulls="drop", label="y", prediction=("p",), weight=weight, by=by, gradient=gradient)
    plan = make_plan(source, asked)
    assert steady.asks_for_sums(plan)
    return [
        facts(steady.fold_sums(source, plan, SERIAL).total),
        facts(fold_rows(source, plan, lift, nothing(plan), SERIAL).total),
    ]


@pytest.mark.parametrize("weight", WEIGHTS)
@settings(max_examples=30)
@given(
    events=st.lists(st.sampled_from([None, *EVENTS]), min_size=1, max_size=9),
    seed=st.integers(0, 99),
    gradient=st.booleans(),
)
def test_sums_and_problems_are_those_of_states_whatever_batches_hold(weight, events, seed, gradient):
    rng = np.random.default_rng(seed)
    kind = pa.schema({"p": pa.float64(), "y": pa.float64(), "w": pa.float64()})
    usual = [{"p": rng.random(5), "y": rng.integers(0, 2, 5).astype(float), "w": rng.random(5)} for _ in events]
    far = "a square that is no double" in events
    batches = [pa.record_batch(EVENTS.get(event, own), kind) for event, own in zip(events, usual, strict=True)]
    table = pa.Table.from_batches([*batches, pa.record_batch({"p": [0.1], "y": [0.0], "w": [2.0]}, kind)])
    for loss in (["mse", "mae", "huber"],) if far else (["mse", "bce", "mae", "huber"], ["bce"]):
        one, other = summed_both_ways(table, loss, weight, gradient=gradient)
        assert one == other


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_blocks_of_a_batch_come_to_what_all_its_rows_do(weight, gradient):
    rng = np.random.default_rng(2)
    rows = {"p": np.sort(rng.normal(size=150_000)), "y": rng.normal(size=150_000), "w": rng.random(150_000)}
    one, other = summed_both_ways(pa.table(rows), ["huber", "mse"], weight, gradient=gradient)
    assert one == other


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("asked", ASKED)
@settings(max_examples=15)
@given(events=st.lists(st.sampled_from([None, *EVENTS]), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_pairs_of_models_are_those_of_states_whatever_batches_hold(weight, asked, events, seed):
    rng = np.random.default_rng(seed)
    kind = pa.schema({"p": pa.float64(), "y": pa.float64(), "w": pa.float64(), "q": pa.float64()})
    batches = []
    for event in (*events, None):
        usual = {"p": rng.random(5), "y": rng.integers(0, 2, 5).astype(float), "w": rng.random(5)}
        own = EVENTS.get(event, usual)
        same = rng.random() < 0.3
        batches.append(pa.record_batch({**own, "q": own["p"] if same else rng.random(len(own["p"]))}, kind))
    table = pa.Table.from_batches(batches)
    far = "a square that is no double" in events
    for losses in (("mse", "rmse"), ("l1",)) if far else (("mse", "rmse", "l1"), ("bce",), ("mae",)):
        one, other = compared_both_ways(table, losses, weight, asked)
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
@pytest.mark.parametrize("asked", ASKED)
def test_blocks_of_a_batch_say_of_pairs_what_all_its_rows_do(weight, asked):
    rng = np.random.default_rng(4)
    rows = {"p": np.sort(rng.normal(size=70_000)), "y": rng.normal(size=70_000), "w": rng.random(70_000)}
    table = pa.table({**rows, "q": rng.normal(size=70_000) ** 3})
    one, other = compared_both_ways(table, ("huber", "rmse", "l1"), weight, asked)
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
    paired=st.booleans(),
    seed=st.integers(0, 99),
)
def test_vectors_come_to_what_states_of_their_batches_do(events, asked, soft, paired, seed):
    rng, (loss, how) = np.random.default_rng(seed), asked
    kind = pa.list_(pa.float64())
    lists = [VECTORS.get(event, rng.dirichlet(np.ones(3), 5).tolist()) for event in [None, *events, None]]
    soft = soft or loss == "mse"
    labels = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] if soft else [0.0, 1.0] for _ in lists]
    batches = [
        pa.record_batch(
            {
                "p": pa.array(each, kind),
                "q": pa.array(rng.dirichlet(np.ones(3), len(each)).tolist(), kind),
                "y": pa.array((own * 3)[: len(each)], kind if soft else None),
            }
        )
        for each, own in zip(lists, labels, strict=True)
    ]
    source = open_source(pa.Table.from_batches(batches))
    plan = make_plan(source, Request(loss=[loss], nulls="drop", label="y", prediction=("p", "q"), paired=paired, **how))
    assert steady.asks_for_sums(plan)
    outcomes = []
    for fold in (steady.fold_sums, lambda *given: fold_rows(*given[:2], lift, nothing(plan), given[2])):
        try:
            total = fold(source, plan, SERIAL).total
            outcomes.append((facts(total), evident(plan, total) if paired else None))
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


@pytest.mark.parametrize(
    ("loss", "prediction", "gradient"),
    [("huber", [0.5, 2.0], False), ("huber", [0.5, 2.0], True), ("crps_ensemble", [[0.5, 2.0], [2.0, 0.5]], False)],
)
def test_as_many_states_are_made_of_a_part_however_many_batches_it_has(loss, prediction, gradient, monkeypatch):
    added = []
    monkeypatch.setattr(
        Summation, "add", lambda self, state, add=Summation.add: (added.append(state), add(self, state))
    )
    batch = pa.record_batch({"p": prediction, "y": [1.0, 0.0]})
    for batches in (2, 200):
        added.clear()
        table = pa.Table.from_batches([batch] * batches)
        lossctl.evaluate(table, loss, label="y", prediction="p", gradient=gradient, engine="serial")
        assert len(added) == 2
