"""States are sums: a true zero, an associative and pure ``+``, and no digit that depends on how rows are cut."""

import copy
import itertools
import math
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
from hostile import SEEDS, bits, cells_of, hostile, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.evaluation.batch import validate
from lossctl.evaluation.clock import Clock
from lossctl.evaluation.measure import lift, nothing
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.planner import make_plan
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.reduction import MEAN, ROOT_MEAN
from lossctl.sums.clusters import Clusters, Keyed
from lossctl.sums.evidence import Measure, Pair
from lossctl.sums.exact import ExactSum
from lossctl.sums.extremes import Extremes
from lossctl.sums.gradients import Gradients
from lossctl.sums.histogram import BINS, Histogram
from lossctl.sums.moments import Moments
from lossctl.sums.problems import Problem, Problems
from lossctl.sums.series import Series, Stretch
from lossctl.sums.state import Groups, Rows, Summation
from lossctl.sums.worst import Worst


def same_state(one, other):
    """Whether two states hold the same sums (an exact sum may hold them in other digits)."""
    if isinstance(one, ExactSum):
        return one == other
    if isinstance(one, Histogram):
        return cells_of(one) == cells_of(other)
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same_state(getattr(one, part.name), getattr(other, part.name)) for part in fields(one)
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same_state, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_state(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return one == other


# --- worst rows ------------------------------------------------------------------------------------------------------


def sloped(label, prediction):
    return prediction - label


@given(
    value=st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf]), min_size=1, max_size=40),
    most=st.integers(1, 8),
    groups=st.integers(1, 3),
    dropped=st.booleans(),
    seed=SEEDS,
)
def test_the_worst_rows_are_the_first_of_the_sorted_ones(value, most, groups, dropped, seed):
    rng = np.random.default_rng(seed)
    value = np.array(value)
    n = len(value)
    group = rng.integers(0, groups, n) if groups > 1 else None
    position = np.sort(rng.choice(3 * n, n, replace=False)) if dropped else None
    label, prediction = rng.normal(size=n), rng.normal(size=n)
    rows = rows_of(value, None, group, groups, position=position, label=label, prediction=prediction)
    found = Worst.lift(rows, most, sloped)
    numbers = np.arange(n) if position is None else position
    code = np.zeros(n, dtype=int) if group is None else group
    for at in range(groups):
        expected = sorted((-value[i], numbers[i], label[i], prediction[i]) for i in np.flatnonzero(code == at))[:most]
        kept = [(-found.value[i], found.row[i], found.label[i], found.prediction[i]) for i in found.of(at)]
        assert kept == expected
        assert all(found.gradient[i] == found.prediction[i] - found.label[i] for i in found.of(at))


def test_worst_rows_keep_vectors_whole():
    prediction = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    rows = rows_of(np.array([1.0, 4.0, 2.0, 4.0]), label=np.zeros((4, 3)), prediction=prediction)
    found = Worst.lift(rows, 2, sloped)
    assert found.row.tolist() == [1, 3]
    assert found.prediction.tolist() == [[3, 4, 5], [9, 10, 11]]


# --- findings --------------------------------------------------------------------------------------------------------


def test_findings_count_all_and_show_the_first():
    key, other = ("error", "p", "a probability"), ("null", "p", "null")
    early, late = (
        Problems({key: Problem(2, 3, "1.5")}),
        Problems({key: Problem(5, 0, "7"), other: Problem(1, 4, "null")}),
    )
    both = early + late.shift(10)
    assert list(both.of("error")) == [("p", "a probability", Problem(7, 3, "1.5"))]
    assert list(both.of("null")) == [("p", "null", Problem(1, 14, "null"))]


# --- every state -----------------------------------------------------------------------------------------------------

PLANS = {
    "one loss": {"loss": ["huber"]},
    "losses, models, weights, groups, gradients, worst rows": {
        "loss": ["mse", "bce", "rmse"], "prediction": ["p", "q"], "weight": "w", "by": ["g", "h"], "gradient": True,
        "samples": 3, "nulls": "drop",
    },
    "vectors": {
        "loss": ["cross_entropy"], "label": ["class"], "prediction": ["m=z_*"], "by": ["g"], "gradient": True,
        "samples": 2, "from_logits": True, "nulls": "drop",
    },
    "wide vectors": {"loss": ["mse"], "label": ["v"], "prediction": ["u"], "gradient": True, "samples": 2},
}  # fmt: skip


def table_of(rng, n):
    """Rows with ties, nulls, weights of 0, warnings and more groups than any part of them has."""
    label = rng.integers(0, 2, n).astype(float)
    p, q = np.round(rng.random(n), 1), rng.random(n)
    names = np.array(["a", "b", "", "c", "d"])
    columns = {
        "label": label,
        "p": pa.array(
            [None if hole else x for x, hole in zip(p.tolist(), rng.random(n) < 0.05, strict=True)], pa.float64()
        ),
        "q": q,
        "w": rng.choice([0.0, 0.5, 1.0, 2.7], n),
        "g": pa.array(names[rng.integers(0, 5, n)]),
        "h": pa.array(rng.integers(0, 2, n)),
        "class": rng.integers(0, 3, n),
        "u": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=n * 20)), 20),
        "v": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=n * 20)), 20),
    }
    columns |= {f"z_{at}": rng.normal(scale=4, size=n) for at in range(3)}
    return pa.table(columns)


class nearly(float):  # noqa: N801  (reads as a word)
    """A number equal to those that differ from it in the last digits only."""

    __hash__ = None

    def __eq__(self, other):
        return math.isclose(self, other, rel_tol=1e-11, abs_tol=1e-15) or (math.isnan(self) and math.isnan(other))

    def __repr__(self):
        return f"about {float(self):.6g}"


def measured(plan, table):
    """The state of a table in one piece."""
    found = nothing(plan)
    for batch in table.combine_chunks().to_batches():
        found = found + lift(plan, validate(batch, plan), Clock())
    return found


def summary(state: Measured, spread=bits):
    """Everything a report is made of, group by name, with floats to the last bit.

    Squares and gradients are rounded where rows are lifted together: figures made of them have a ``spread``.
    """
    rounded = ("l2", "l1", "row_mean", "row_rms")
    found = [bits((state.rows, [(kind, list(state.problems.of(kind))) for kind in ("error", "warning", "null")]))]
    for part in state.parts:
        totals = part.moments.result()
        figures = None if part.gradients is None else part.gradients.result(totals, MEAN)
        for at, key in enumerate(state.keys):
            worst, gradient = part.worst, None if figures is None else figures[at]
            rows = [] if worst is None else worst.of(at)
            found.append(
                (
                    key,
                    int(state.null[at]),
                    int(state.unweighted[at]),
                    int(part.clipped[at]),
                    replace(totals[at], value_squares=0),
                    spread(totals[at].standard_error(MEAN)),
                    None if gradient is None else bits(replace(gradient, **dict.fromkeys(rounded, 0.0))),
                    None if gradient is None else [spread(getattr(gradient, name)) for name in rounded],
                    [bits((int(worst.row[i]), worst.value[i].tolist(), worst.gradient[i].tolist())) for i in rows],
                )
            )
    return found[:1] + sorted(found[1:], key=repr)


@pytest.fixture(scope="module", params=PLANS)
def plan(request):
    table = table_of(np.random.default_rng(0), 50)
    return make_plan(open_source(table), Request(**{"label": ["label"], "prediction": ["q"], **PLANS[request.param]}))


@given(seed=SEEDS, n=st.integers(2, 60), cuts=st.lists(st.floats(0, 1), max_size=8))
@settings(max_examples=40)
def test_how_rows_are_cut_cannot_change_a_digit(plan, seed, n, cuts):
    table = table_of(np.random.default_rng(seed), n)
    whole = measured(plan, table)
    edges = [0, *sorted(int(cut * n) for cut in cuts), n]
    parts = [measured(plan, table.slice(a, b - a)) for a, b in itertools.pairwise(edges)]
    assert summary(sum(parts, nothing(plan)), nearly) == summary(whole, nearly)


@given(seed=SEEDS, shuffle=SEEDS, n=st.integers(2, 40))
@settings(max_examples=25)
def test_the_order_of_rows_changes_no_value(plan, seed, shuffle, n):
    table = table_of(np.random.default_rng(seed), n)
    order = np.random.default_rng(shuffle).permutation(n)
    one, other = (summary(measured(replace(plan, samples=0), it), nearly) for it in (table, table.take(order)))
    assert one[1:] == other[1:]


@given(seed=SEEDS, sizes=st.tuples(*[st.integers(0, 12)] * 3))
@settings(max_examples=25)
def test_states_add_up_like_numbers(plan, seed, sizes):
    """Associative, with a zero on either side, and without touching what is added."""
    rng = np.random.default_rng(seed)
    a, b, c = (measured(plan, table_of(rng, n)) for n in sizes)
    before = copy.deepcopy((a, b, c))
    assert summary((a + b) + c) == summary(a + (b + c))
    assert summary(nothing(plan) + a) == summary(a) == summary(a + nothing(plan))
    assert all(map(same_state, before, (a, b, c)))


def lifted(kind, rng, n, groups, start=0):
    """A state of some random rows, many of them equal."""
    group = rng.integers(0, groups, n)
    value = hostile(rng.choice(["plain", "wide", "whole range", "equal"]), rng, n)
    label, prediction, gradient = (rng.choice([-1.0, 0.0, 2.0], n) for _ in range(3))
    weight = rng.uniform(0.1, 3.0, n)
    rows = Rows(value, weight, Groups(group, groups), np.arange(start, start + n), label, prediction, gradient)
    match kind:
        case "exact sum":
            return ExactSum.of(value, Groups(group, groups))
        case "moments":
            return Moments.lift(rows)
        case "gradients":
            return Gradients.lift(rows)
        case "histogram":
            return Histogram.of(np.abs(gradient), Groups(group, groups))
        case "worst":
            return Worst.lift(replace(rows, value=np.round(rng.random(n), 1)), 3, sloped)
        case "extremes":
            return Extremes.zero(1, DIRECTIONS).lift([np.round(value, 1), label], rows.groups)
        case "clusters" | "buckets":
            keys = np.unique(rng.integers(0, 1 << 63, 9, dtype=np.uint64) if kind == "buckets" else KEYS)
            columns = [(value, weight, None), (prediction, None, None)]
            return Clusters.lift(Keyed(rng.integers(0, len(keys), n), keys), rows.groups, columns)
        case "pair":
            return Pair.lift(rows, replace(rows, value=np.round(rng.random(n), 1)), MEASURE)
        case "series":
            return Series.lift(Stretch.of(None, [(value, None)]), rows.groups, 2)
    raise ValueError(kind)


DIRECTIONS = [[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]]
KEYS = np.array([3, 1 << 40, 1 << 62, (1 << 62) + 1], dtype=np.uint64)
MEASURE = Measure(ROOT_MEAN, cells=False, weighted=True)
ZEROS = {
    "exact sum": ExactSum.zero,
    "moments": lambda groups: Moments.zero(groups, weighted=True),
    "gradients": Gradients.zero,
    "histogram": lambda _: Histogram(),
    "worst": lambda _: Worst.zero(3),
    "extremes": lambda groups: Extremes.zero(groups, DIRECTIONS),
    "clusters": lambda groups: Clusters.zero(groups, 2),
    "buckets": lambda groups: Clusters.zero(groups, 2),
    "pair": lambda groups: Pair.zero(groups, MEASURE),
    "series": lambda groups: Series.zero(groups, 1, 2, grouped=True),
}


@pytest.fixture(autouse=True)
def few_clusters_at_most(monkeypatch):
    """Such that some states have more, and some come to that when they are added up."""
    monkeypatch.setattr("lossctl.sums.clusters.MOST", 6)


@pytest.mark.parametrize("kind", ZEROS)
@given(seed=SEEDS, groups=st.integers(1, 4), sizes=st.tuples(*[st.integers(1, 30)] * 3))
@settings(max_examples=25)
def test_every_state_is_associative_with_a_zero_and_pure(kind, seed, groups, sizes):
    rng = np.random.default_rng(seed)
    starts = np.cumsum([0, *sizes])
    a, b, c = (lifted(kind, rng, n, groups, start) for n, start in zip(sizes, starts, strict=False))
    before = copy.deepcopy((a, b, c))
    zero = ZEROS[kind](groups)
    assert same_state((a + b) + c, a + (b + c))
    assert same_state(zero + a, a)
    assert same_state(a + zero, a)
    if kind not in {"worst", "series"}:
        assert same_state(a + b, b + a)
    assert all(map(same_state, before, (a, b, c)))


def test_worst_rows_remember_which_came_first():
    """The one state whose + is not commutative: among equals the first row is kept."""
    rows = rows_of(np.array([1.0]), label=np.array([0.0]), prediction=np.array([1.0]))
    first, second = Worst.lift(rows, 1, sloped), Worst.lift(rows, 1, sloped).shift(1)
    assert (first + second).row.tolist() == [0]


@pytest.mark.parametrize("kind", ZEROS)
@given(seed=SEEDS, groups=st.integers(1, 4), more=st.integers(0, 3))
@settings(max_examples=25)
def test_regrouping_moves_groups_and_changes_nothing(kind, seed, groups, more):
    rng = np.random.default_rng(seed)
    a, b = lifted(kind, rng, 20, groups), lifted(kind, rng, 20, groups, 20)
    index = rng.permutation(groups + more)[:groups]
    before = copy.deepcopy(a)

    def figures(state, at):
        match kind:
            case "exact sum":
                return state.exact()[at], state.result()[at]
            case "moments":
                return state.result()[at]
            case "gradients":
                parts = (state.absolute, state.squares, state.norm, state.norm_squares)
                return [part.exact()[at] for part in parts], state.largest[at], state.largest_norm[at]
            case "histogram":
                return {cell % (1 << BINS): count for cell, count in cells_of(state).items() if cell >> BINS == at}
            case "extremes":
                return state.score[at].tolist(), state.point[at].tolist()
            case "clusters" | "buckets":
                totals = state.result()[at]
                return totals.key.tolist(), totals.n.tolist(), [part.tolist() for part in totals.sums], totals.bucketed
            case "pair":
                outermost = state.extremes.score[at].tolist(), state.extremes.point[at].tolist()
                return state.moments.result()[at], state.better[at], state.worse[at], outermost
            case "series":
                return state.result()[at], state.pooled().result()
        return [(state.row[i], state.value[i], state.gradient[i]) for i in state.of(at)]

    moved = a.regroup(index, groups + more)
    assert all(figures(moved, index[at]) == figures(a, at) for at in range(groups))
    both = (a + b).regroup(index, groups + more)
    apart = a.regroup(index, groups + more) + b.regroup(index, groups + more)
    assert all(figures(both, at) == figures(apart, at) for at in range(groups + more))
    assert same_state(before, a)


@given(seed=SEEDS, groups=st.integers(1, 4), n=st.integers(1, 40))
@settings(max_examples=25)
def test_clusters_and_outermost_rows_of_all_are_those_of_the_rows_in_one_group(seed, groups, n):
    rng = np.random.default_rng(seed)
    value, weight = np.round(rng.normal(size=n), 1), rng.uniform(0.1, 3.0, n)
    parted, whole = Groups(rng.integers(0, groups, n), groups), Groups(np.zeros(n, dtype=np.int64), 1)
    outermost = Extremes.zero(1, DIRECTIONS)
    assert same_state(outermost.lift([value, weight], parted).pooled(), outermost.lift([value, weight], whole))
    keyed = Keyed(rng.integers(0, 9, n), np.arange(9, dtype=np.uint64) << np.uint64(56))
    columns = [(value, weight, None), (weight, None, None)]
    assert same_state(Clusters.lift(keyed, parted, columns).pooled(), Clusters.lift(keyed, whole, columns))


@dataclass
class Held:
    """A state that knows how much it holds."""

    places: frozenset
    copied: list

    @property
    def size(self):
        return len(self.places)

    def __add__(self, other):
        both = self.places | other.places
        self.copied.append(len(both))
        return Held(both, self.copied)


@given(states=st.integers(1, 200), same=st.booleans())
def test_states_of_the_same_groups_never_wait_and_those_of_others_are_copied_few_times(states, same):
    copied = []
    sums = Summation(Held(frozenset(), copied))
    for number in range(states):
        sums.add(Held(frozenset({0 if same else number}), copied))
        assert len(sums.stack) <= (1 if same else math.log2(states) + 2)
    assert sums.result().places == ({0} if same else {*range(states)})
    assert sum(copied) <= states * (2 if same else math.log2(states) + 4)
