"""The compiled sums and those of NumPy are the same bits; where nothing was compiled there is nothing to hold."""

import ast
import contextlib
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hostile import SEEDS, SPREADS, cells_of, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import evaluate
from lossctl.errors import DataError
from lossctl.sums import compiled
from lossctl.sums.centred import sum_and_squares
from lossctl.sums.digits import BLOCK
from lossctl.sums.evidence import signs
from lossctl.sums.exact import ExactSum
from lossctl.sums.extremes import Outermost
from lossctl.sums.gradients import Gradients
from lossctl.sums.moments import Moments
from lossctl.sums.numbering import found
from lossctl.sums.passing import Passing
from lossctl.sums.products import exact_products
from lossctl.sums.state import Groups, Rows

KERNELS = compiled.kernels
pytestmark = pytest.mark.skipif(KERNELS is None, reason="the sums are not compiled here")


def both(work):
    """What some work comes to with the compiled sums, and without."""
    results = []
    for kernels in (KERNELS, None):
        compiled.kernels = kernels
        try:
            results.append(work())
        finally:
            compiled.kernels = KERNELS
    return results


def facts(total):
    return total.exact(), total.infinite.tolist()


def rows(values, weight, groups):
    return Rows(values, weight, groups, None, values, values, None)


def lifted_facts(rows):
    return gradient_facts(Gradients.lift(replace(rows, gradient=np.where(np.isnan(rows.value), 0.0, rows.value))))


def gradient_facts(lifted):
    """The sums over gradients, as plain numbers."""
    sums = [facts(total) for total in (lifted.absolute, lifted.squares, lifted.norm, lifted.norm_squares)]
    largest = [part.tolist() for part in (lifted.largest, lifted.exponent, lifted.largest_norm)]
    return sums, largest, cells_of(lifted.histogram)


@pytest.mark.parametrize("kind", SPREADS)
@given(seed=SEEDS, n=st.integers(0, 90), number=st.sampled_from([0, 1, 2, 7, 40]), odd=st.booleans())
@settings(max_examples=6)
def test_sums_squares_and_products_are_the_same_bits(kind, seed, n, number, odd):
    same(kind, seed, n, number, odd=odd)


@pytest.mark.parametrize("kind", ["wide", "near overflow"])
@pytest.mark.parametrize("number", [0, 3])
def test_so_they_are_of_more_rows_than_a_block_has(kind, number):
    same(kind, number, 2 * BLOCK + 3, number, odd=True)


@pytest.mark.parametrize("run", [1, 3, 600, 5000])
def test_so_they_are_of_rows_in_the_order_of_their_groups(run):
    values = hostile("wide", np.random.default_rng(run), 3 * BLOCK // 2)
    code = np.arange(len(values)) // run % 40
    weight = np.random.default_rng(run).uniform(0.5, 2.0, len(values))
    for weights in (None, weight):
        one, other = both(lambda weights=weights: Moments.lift(rows(values, weights, Groups(code, 40))).result())
        assert repr(one) == repr(other)


def same(kind, seed, n, number, *, odd):
    rng = np.random.default_rng(seed)
    values = hostile(kind, rng, n)
    n = len(values)
    if odd and n:
        values[rng.integers(0, n, 3)] = [np.inf, -np.inf, np.nan]
    groups = Groups(rng.integers(0, number, n), number) if number else None
    total, numpys = both(lambda: ExactSum.of(values, groups))
    assert facts(total) == facts(numpys)
    finite = np.where(np.isfinite(values), values, 0.0)
    one, other = both(lambda: exact_products(finite, finite[::-1].copy(), groups))
    assert facts(one) == facts(other)
    one, other = both(lambda: [facts(total) for total in sum_and_squares(values, groups)])
    assert one == other
    for weight in (None, rng.uniform(0.5, 2.0, n), np.abs(hostile(kind, rng, n))[:n] + 5e-324):
        one, other = both(lambda weight=weight: Moments.lift(rows(values, weight, groups)).result())
        assert repr(one) == repr(other)
        if n:
            one, other = both(lambda weight=weight: lifted_facts(rows(values, weight, groups)))
            assert one == other


@pytest.mark.parametrize("weighted", [False, True])
@given(seed=SEEDS, cuts=st.lists(st.integers(0, 3 * BLOCK), max_size=4), scale=st.integers(-300, 300))
@settings(max_examples=15)
def test_gradients_that_pass_batch_by_batch_are_those_of_all_rows(weighted, seed, cuts, scale):
    rng = np.random.default_rng(seed)
    gradient = np.ldexp(rng.standard_normal(3 * BLOCK) ** 7, scale) * (rng.random(3 * BLOCK) < 0.9)
    weight = rng.uniform(0.5, 2.0, 3 * BLOCK) if weighted else None

    def passed():
        if (passing := Passing.of(weighted=weighted)) is None:
            return None
        for piece in np.split(np.arange(len(gradient)), sorted(cuts)):  # each a batch, after one that does not count
            own = None if weight is None else weight[piece]
            passing.add(8.0 * gradient[piece], own)
            passing.forget()
            passing.add(gradient[piece], own)
            assert passing.fine()
            passing.end()
        return gradient_facts(Gradients.passed(passing))

    lifted, numpys = both(lambda: Gradients.lift(replace(rows(gradient, weight, None), gradient=gradient)))
    assert gradient_facts(lifted) == gradient_facts(numpys)
    assert both(passed) == [gradient_facts(lifted), None if weighted else gradient_facts(lifted)]


def test_many_rows_of_a_group_are_carried_before_they_overflow():
    values = np.full(1 << 18, 1.7e300)
    groups = Groups(np.repeat([0, 2], 1 << 17), 3)
    total, numpys = both(lambda: ExactSum.of(values, groups))
    assert facts(total) == facts(numpys)
    assert total.exact() == [Fraction(1.7e300) * (1 << 17), 0, Fraction(1.7e300) * (1 << 17)]
    spread = np.tile([1e100, 3e100], 1 << 17)
    squares, numpys = both(lambda: [facts(total) for total in sum_and_squares(spread, groups)])
    assert squares == numpys


@given(
    kind=st.sampled_from(["i1", "i2", "i4", "i8", "u1", "u2", "u4"]),
    values=st.lists(st.integers(0, 40), max_size=60),
    low=st.sampled_from([0, 3, -5]),
    size=st.sampled_from([41, 4000]),
    looked=st.booleans(),
)
def test_whole_numbers_of_every_width_are_the_same_groups(kind, values, low, size, looked):
    low = max(low, 0) if kind.startswith("u") else low
    numbers = (np.array(values, dtype=np.int64) + low).astype(kind)
    table = np.arange(size)[::-1].copy() % 17 if looked else None

    def groups():
        used, groups = found(numbers, low, size, table)
        return used.tolist(), groups.code.tolist(), groups.number, groups.counts.tolist()

    one, other = both(groups)
    assert one == other
    places = [value if table is None else int(table[value]) for value in values]
    assert [one[0][code] for code in one[1]] == places
    assert one[0] == sorted(set(places))


@given(
    seed=SEEDS,
    n=st.sampled_from([1, 2, 40, 5000]),
    groups=st.sampled_from([None, 1, 3, 100]),
    scores=st.sampled_from(["hostile", "few", "equal"]),
    parts=st.integers(1, 3),
    weighted=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_same_rows_are_outermost_whatever_ties(seed, n, groups, scores, parts, weighted):
    rng = np.random.default_rng(seed)
    tied = {"hostile": hostile("wide", rng, n), "few": rng.integers(-1, 2, n) + 0.0, "equal": np.zeros(n)}[scores]
    columns = [rng.integers(0, 3, n) + 0.0, tied]
    moved = rng.integers(-3, 4, n) + 0.0
    if scores == "hostile":
        tied[rng.random(n) < 0.01] = np.inf
        moved[rng.random(n) < 0.01] = np.nan
    directions = [[0.0, 1.0], [0.0, -1.0]] if not weighted else [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    codes = None if groups is None else rng.integers(0, groups, n)

    def outermost():
        found = Outermost(directions, groups or 1)
        for rows in np.array_split(np.arange(n), parts):
            own = None if codes is None else Groups(codes[rows], groups)
            found.add([column[rows] for column in columns], own, moved[rows] if weighted else None)
        kept = found.result()
        return kept.score.tolist(), kept.point.tolist()

    one, other = both(outermost)
    assert one == other


@given(seed=SEEDS, n=st.integers(0, 60), groups=st.sampled_from([None, 1, 5]))
def test_as_many_numbers_of_a_group_are_below_0_and_above(seed, n, groups):
    rng = np.random.default_rng(seed)
    values = rng.choice([-np.inf, -1.0, -0.0, 0.0, 2.0, np.nan], n)
    own = None if groups is None else Groups(rng.integers(0, groups, n), groups)
    one, other = both(lambda: [counts.tolist() for counts in signs(values, own)])
    assert one == other
    assert [sum(counts) for counts in one] == [(values < 0).sum(), (values > 0).sum()]


ROOT = Path(__file__).parents[2]
STUBS = {
    entry.name: entry
    for entry in ast.parse((ROOT / "lossctl/sums/_kernels.pyi").read_text()).body
    if isinstance(entry, ast.FunctionDef)
}
OF_TYPE = {
    "FloatArray": np.ones(1),
    "IntArray": np.zeros(1, np.int64),
    "npt.NDArray[np.integer[Any]]": np.zeros(1, np.int8),
    "npt.NDArray[np.uint8]": np.zeros(1, np.uint8),
    "tuple[FloatArray, ...]": (np.ones(1),),
    "int": 0,
    "float": 0.0,
    "None": None,
}


def test_stubs_name_what_is_compiled():
    assert [*STUBS] == [name for name in vars(KERNELS) if not name.startswith("__")]


@pytest.mark.parametrize("name", STUBS)
def test_so_many_arguments_of_such_types_are_taken_as_the_stubs_say(name):
    kinds = [ast.unparse(argument.annotation).split(" | ") for argument in STUBS[name].args.posonlyargs]
    for taken in itertools.product(*kinds):
        with contextlib.suppress(ValueError):  # arrays of other lengths than belong together
            getattr(KERNELS, name)(*(OF_TYPE[kind] for kind in taken))


@pytest.mark.parametrize("name", STUBS)
def test_what_is_refused_keeps_no_array(name):
    own = [OF_TYPE[ast.unparse(argument.annotation).split(" | ")[0]] for argument in STUBS[name].args.posonlyargs]
    arrays = [value for value in OF_TYPE.values() if isinstance(value, np.ndarray)]
    arrays += OF_TYPE["tuple[FloatArray, ...]"]
    before = [sys.getrefcount(array) for array in arrays]
    for place in range(len(own)):
        with pytest.raises((TypeError, ValueError)):
            getattr(KERNELS, name)(*own[:place], "no array and no number", *own[place + 1 :])
    assert [sys.getrefcount(array) for array in arrays] == before


def of_sizes(*, weight=None, digits=120, counts=64, slots=1 << 11, largest=2):
    """Arguments of `sizes`, arrays by how long they are."""
    integers = (np.zeros(n, np.int64) for n in (digits, counts))
    return np.ones(3), weight, *integers, np.zeros(slots, np.uint8), np.zeros(largest)


def of_units(*, code=(0,), start=0, top=0, units=8, room=256, kept=0):
    """Arguments of `gathered`, arrays by how long they are."""
    own = np.zeros(units, np.int64), np.empty(room), np.empty(room, np.int64)
    return np.ones(1), np.array(code), start, top, *own, kept


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("total", (np.ones(3), np.zeros(59, np.int64), np.zeros(3, np.int64)), ValueError),
        ("total", (np.ones(3, np.float32), np.zeros(60, np.int64), np.zeros(3, np.int64)), TypeError),
        ("total", (np.ones(6)[::2], np.zeros(60, np.int64), np.zeros(3, np.int64)), (BufferError, ValueError)),
        ("total", ([1.0], np.zeros(60, np.int64), np.zeros(3, np.int64)), TypeError),
        ("largest", (np.ones(3, np.int64),), TypeError),
        ("largest", (np.ones(3, np.dtype(np.float64).newbyteorder()),), TypeError),
        ("centred", (np.ones(3), 0.0, np.zeros(60, np.int64)), ValueError),
        ("uncentred", (np.zeros(120, np.int64), 0.0, 3, np.zeros(60, np.int64)), ValueError),
        ("mean", (np.empty(0),), ValueError),
        ("histogram", (np.ones(3), np.zeros(63, np.int64), np.zeros(1 << 11, np.uint8)), ValueError),
        ("histogram", (np.ones(3), np.zeros(64, np.int64), np.zeros(3, np.uint8)), ValueError),
        ("tally", (np.ones(3, np.int64), 1, np.zeros(2, np.int64)), ValueError),
        ("tally", (np.ones(3, np.int64), 63, np.zeros(3, np.int64)), ValueError),
        ("weighted", (np.ones(3), np.ones(2), np.zeros(240, np.int64)), ValueError),
        ("weighted", (np.ones(3), np.ones(3), np.zeros(60, np.int64)), ValueError),
        ("span", (np.empty(0),), ValueError),
        ("spans_by", (np.ones(1), np.array([1]), np.zeros(1), np.zeros(1)), ValueError),
        ("spans_by", (np.ones(1), np.array([0]), np.zeros(1), np.zeros(2)), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),), np.array([0, 1]), np.zeros(1), np.zeros(1), 0, 1, 1), ValueError),
        ("outermost", (np.ones(2), (np.ones(1),), None, np.zeros(1), np.zeros(1), 0, 1, 1), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),), None, np.zeros(1), np.zeros(2), 0, 1, 1), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),), None, np.zeros(1), np.zeros(1), 0, 1, 2), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),), None, np.zeros(1), np.zeros(1), 1, 1, 1), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),), None, np.zeros(1), np.zeros(1), sys.maxsize, 1, 1), ValueError),
        ("outermost", (np.ones(2), (np.ones(2),) * 9, None, np.zeros(1), np.zeros(9), 0, 1, 1), ValueError),
        ("outermost", (np.ones(2), (), None, np.zeros(1), np.zeros(0), 0, 1, 1), ValueError),
        ("outermost", (np.ones(2), [np.ones(2)], None, np.zeros(1), np.zeros(1), 0, 1, 1), ValueError),
        ("signs_by", (np.ones(1), np.array([1]), np.zeros(2, np.int64)), ValueError),
        ("signs_by", (np.ones(2), np.array([0]), np.zeros(2, np.int64)), ValueError),
        ("terms", (np.ones(3), np.ones(3), np.zeros(23)), ValueError),
        ("terms", (np.ones(3), np.ones(2), np.zeros(24)), ValueError),
        ("sizes", of_sizes(digits=180), ValueError),
        ("sizes", of_sizes(weight=np.ones(3)), ValueError),
        ("sizes", of_sizes(weight=np.ones(2), digits=180), ValueError),
        ("sizes", of_sizes(counts=64 << 8), ValueError),
        ("sizes", of_sizes(slots=3), ValueError),
        ("sizes", of_sizes(largest=1), ValueError),
        ("gathered", of_units(code=np.array([0, 1])), ValueError),
        ("gathered", of_units(code=np.array([1])), ValueError),
        ("gathered", of_units(code=np.array([-1])), ValueError),
        ("gathered", of_units(start=2), ValueError),
        ("gathered", of_units(start=-1), ValueError),
        ("gathered", of_units(top=401), ValueError),
        ("gathered", of_units(top=-401), ValueError),
        ("gathered", of_units(units=9), ValueError),
        ("gathered", of_units(room=255), ValueError),
        ("gathered", of_units(kept=257), ValueError),
        ("gathered", of_units(kept=-1), ValueError),
        ("spread", (np.zeros(8, np.int64), 0, 1, np.zeros(7, np.int64)), ValueError),
        ("spread", (np.zeros(9, np.int64), 0, 1, np.zeros(8, np.int64)), ValueError),
        ("spread", (np.zeros(8, np.int64), 0, 3, np.zeros(8, np.int64)), ValueError),
        ("spread", (np.zeros(8, np.int64), 401, 1, np.zeros(8, np.int64)), ValueError),
        ("numbered", (np.array([2]), 0, None, np.zeros(1, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.array([-1]), 0, None, np.zeros(1, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.array([1]), 0, np.array([0]), np.zeros(1, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.array([0]), 0, np.array([2]), np.zeros(1, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.array([0]), 0, None, np.zeros(2, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.zeros(2, "V0"), 0, None, np.zeros(2, np.int64), np.zeros(2, np.int64)), ValueError),
        ("numbered", (np.array([0.0]), 0, None, np.zeros(1, np.int64), np.zeros(2, np.int64)), ValueError),
        (
            "sums_by",
            (
                np.ones(1),
                np.ones(2),
                np.array([0]),
                0,
                5,
                np.zeros(40, np.int64),
                np.ones(20480),
                np.zeros(20480, np.int64),
            ),
            ValueError,
        ),
        (
            "sums_by",
            (np.ones(1), None, np.array([1]), 0, 1, np.zeros(8, np.int64), np.ones(4096), np.zeros(4096, np.int64)),
            ValueError,
        ),
        (
            "sums_by",
            (np.ones(1), None, np.array([0]), 0, 1, np.zeros(8, np.int64), np.ones(1), np.zeros(1, np.int64)),
            ValueError,
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, arguments, error):
    with pytest.raises(error):
        getattr(KERNELS, name)(*arguments)


@given(level=st.integers(0, 59), exponent=st.integers(-410, 410), n=st.integers(1, 1 << 24))
def test_squares_out_of_reach_of_digits_are_left_as_they_are(level, exponent, n):
    own, total = np.zeros(120, np.int64), np.zeros(120, np.int64)
    own[[level, 60 + level // 2]] = n
    before, number = own.copy(), 2.0**exponent
    if KERNELS.uncentred(own, number, n, total):
        first, squares = (ExactSum.of_digits(part).exact()[0] for part in before.reshape(2, 60))
        about = Fraction(number)
        expected = [first, squares + about * (2 * first - n * about)]
        assert [ExactSum.of_digits(part).exact()[0] for part in total.reshape(2, 60)] == expected
    else:
        assert (own == before).all()
        assert not total.any()


@given(seed=SEEDS, room=st.integers(0, 3), most=st.integers(0, 255))
def test_slots_that_are_not_of_the_counts_are_no_room(seed, room, most):
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, most, 1 << 11, dtype=np.uint8, endpoint=True)
    behind = np.zeros(64 << 8, np.int64)  # where counts of these slots would be
    values = np.exp2(rng.uniform(-3.0, 3.0, 5))
    there = [0 < slots[octave] <= room for octave in values.view(np.int64) >> 52]
    unused = [slots[octave] == 0 for octave in values.view(np.int64) >> 52]
    fits = KERNELS.histogram(values, behind[: 64 * room], slots)
    assert not behind[64 * room :].any()
    assert not fits or all(one or other for one, other in zip(there, unused, strict=True))
    assert not fits or behind.sum() == len(values)


def test_a_run_without_the_compiled_sums_prints_the_same_and_says_so(sample_data):
    outputs = []
    for sums, word in (("", "compiled"), ("numpy", "NumPy")):
        environment = {**os.environ, "LOSSCTL_SUMS": sums}

        def run(*words, environment=environment):
            done = subprocess.run([sys.executable, "-m", "lossctl", *words], env=environment, capture_output=True)
            assert done.returncode == 0, done.stderr
            return done.stdout.decode()

        assert f"(sums: {word})" in run("--version")
        outputs.append(json.loads(run("eval", str(sample_data / "regression.csv"), "-l", "huber", "--grad", "--json")))
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("by", [None, "g"])
def test_a_negative_mean_of_weights_that_overflow_has_no_root_either_way(by):
    rng = np.random.default_rng(0)
    data = {"p": rng.uniform(4.0, 6.0, 3000) * 1e8, "g": rng.integers(0, 5, 3000)}
    data |= {"y": data["p"], "w": rng.uniform(0.1, 3.0, 3000) * 1e305}

    def refused():
        with pytest.raises(DataError, match="negative mean has no root"):
            evaluate(data, "poisson", label="y", prediction="p", weight="w", by=by, reduction="root-mean")

    both(refused)
