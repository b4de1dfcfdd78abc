"""A limit passed beyond doubt fails, whatever a single row carries; what that row alone puts above it is no pass."""

from dataclasses import replace

import numpy as np
import pytest

import lossctl
from lossctl.comparison.gate import Gate, Measurement, decide
from lossctl.sums.estimate import Estimate

RANDOM = np.random.default_rng(13)
N = 200
LABEL = np.exp(RANDOM.normal(size=N))
FACTOR = np.exp(RANDOM.normal(0.0, 0.1, size=N))
LOSSES = (
    "mae",
    "mse",
    "rmse",
    "msle",
    "rmsle",
    "huber",
    "log_cosh",
    "mape",
    "poisson_deviance",
    "l1",
    "nrmse",
    "wmape",
)


def state(loss, prediction, limit, **gate):
    asked = {"name": "g", "loss": loss, "max": limit, **gate}
    (verdict,) = lossctl.check_gates(asked, {"label": LABEL, "prediction": prediction}).verdicts
    return verdict


def value(loss, prediction):
    (result,) = lossctl.evaluate({"label": LABEL, "prediction": prediction}, loss).results
    return result.value


@pytest.mark.parametrize("loss", LOSSES)
def test_whatever_one_row_carries_far_above_fails_and_within_passes(loss):
    far, good = LABEL * FACTOR, LABEL * FACTOR
    far[np.argmin(LABEL)] *= 3.0  # one row beside many
    limit = 1.05 * value(loss, far)
    worse = LABEL * FACTOR**4
    worse[np.argmin(LABEL)] *= 9.0
    assert state(loss, far, limit).state == "pass"
    assert state(loss, worse, limit).state == "fail"
    good[7] = 1e9  # and one that is far beyond all
    verdict = state(loss, good, limit)
    least = value(loss, good) / 20.0
    if loss in {"msle", "rmsle", "mape"} and least <= limit:  # a logarithm makes little of it
        assert verdict.state == "inconclusive"
        assert state(loss, good, limit, on_inconclusive="fail").exit_status == 4
    else:
        assert verdict.state == "fail"
        assert verdict.p < 0.05


def test_one_row_alone_that_is_not_beyond_all_chance_is_inconclusive():
    # 99 rows of 1 and one of 100: the mean is 1.99, and without that row it is 1
    data = {"label": np.zeros(100), "prediction": [*[1.0] * 99, 100.0]}
    gate = {"name": "g", "loss": "mae", "max": 1.5}
    assert lossctl.check_gates(gate, data).verdict == "inconclusive"
    assert lossctl.check_gates({**gate, "max": 1.99}, data).verdict == "pass"  # the mean itself
    assert lossctl.check_gates({**gate, "max": 1.99, "pass_if": "proven"}, data).verdict == "inconclusive"
    assert lossctl.check_gates({**gate, "max": 1.01}, data).verdict == "inconclusive"
    (line,) = lossctl.check_gates({**gate, "max": 0.99}, data).lines  # of which none differs from another
    assert "at least 1.00 > 0.99 without the row that carries 99 % of the sum of squares" in line


def estimate_of(rows):
    squares = (rows - rows.mean()) ** 2
    share = float(squares.max() / squares.sum()) if squares.any() else 0.0
    error = float(np.sqrt(squares.sum() / (N - 1) / N))
    down = rows.mean() - rows.min() > rows.max() - rows.mean()
    return Estimate(float(rows.mean()), error, N - 1.0, N, float(N), None, share, pulled_down=bool(down))


TAILED = RANDOM.lognormal(0.0, 1.5, size=(400, N)) - np.exp(1.5**2 / 2.0)


@pytest.mark.parametrize(
    ("kind", "rows", "expected"),
    [
        ("max", RANDOM.normal(size=(400, N)) ** 2, 1.0),
        ("max", RANDOM.standard_t(3, size=(400, N)) ** 2, 3.0),
        ("max", RANDOM.lognormal(0.0, 1.0, size=(400, N)), np.exp(0.5)),
        ("max", np.where(RANDOM.random((400, N)) < 1e-3, 1000.0, 1.0), 1.999),
        ("max_increase", TAILED, 0.0),
        ("max_increase", -TAILED, 0.0),  # few rows on which it is much better, of which most files have too few
        ("max_increase", RANDOM.standard_t(3, size=(400, N)), 0.0),
    ],
    ids=["normal", "t3", "log-normal", "rare", "much-worse", "much-better", "differences-t3"],
)
def test_a_claim_that_is_true_fails_in_five_of_a_hundred_files_at_most(kind, rows, expected):
    failed = []
    for row in rows:
        estimate = estimate_of(row)
        chance = min(expected / estimate.value, 1.0) if kind == "max" else 1.0
        claim = Measurement("mae", "p", {}, estimate, expected, estimate.value, chance=chance)
        failed.append(decide([(Gate("g", kind, expected), claim)])[0].state == "fail")
    assert np.mean(failed) < 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / len(failed))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_without_the_row_that_carries_most_it_is_as_if_that_were_not_there(power):
    rows = np.sort(np.exp(2.0 * RANDOM.normal(size=N)))
    whole, others = rows.mean(), rows[:-1]
    estimate = estimate_of(rows)
    if power == 2.0:  # the root of the mean, about which it is a straight line
        root, slope = np.sqrt(whole), 0.5 / np.sqrt(whole)
        estimate = replace(estimate, value=root, standard_error=estimate.standard_error * slope)
    measured = Measurement("mae", "p", {}, estimate, 0.0, estimate.value, power=power)
    bound = others.mean() - 1.6525857 * others.std(ddof=1) / np.sqrt(N - 1)  # t at 0.95 of 198 degrees of freedom
    assert measured.without == pytest.approx(others.mean() ** (1.0 / power))
    assert measured.least(0.95) == pytest.approx(max(bound, 0.0) ** (1.0 / power))


def test_several_gates_are_held_together_whatever_is_trusted():
    estimate = Estimate(2.0, 0.1, 99.0, 100, 100.0, None, 0.3)  # 2 − 0.1·√(0.3/0.99) is 1.9450
    claims = [(Gate("g", "max", 1.8), Measurement("mae", "p", {}, estimate, 1.8, 2.0)) for _ in range(3)]
    alone, together = decide(claims[:1])[0], decide(claims)
    assert alone.state == "fail"  # t₀.₉₅ of 98 is 1.6606, and 1.9450 − 1.6606·0.1·√((1 − 0.3/0.99)·100/98) is 1.8049
    assert alone.measured.least(0.95) == pytest.approx(1.8049, abs=2e-4)
    assert {verdict.state for verdict in together} == {"inconclusive"}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_one_row_alone_puts_above_the_limit_never_passes(loss):
    limit = 1.05 * value(loss, LABEL * FACTOR)
    place = int(np.argmin(LABEL))
    others = {"label": np.delete(LABEL, place), "prediction": np.delete(LABEL * FACTOR, place)}
    (without,) = lossctl.evaluate(others, loss).results
    states = set()
    for times in (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 1e3, 1e6):
        broken = LABEL * FACTOR
        broken[place] *= times
        verdict = state(loss, broken, limit, on_inconclusive="fail")
        if verdict.measured.value > limit and verdict.measured.estimate.doubted:
            assert without.value <= limit
            states.add(verdict.exit_status)
    assert 4 in states
    assert states <= {1, 4}


@pytest.mark.parametrize(("rows", "status"), [(1, 4), (2, 4), (3, 4), (4, 4), (12, 1)])
def test_a_few_rows_that_are_as_far_off_are_no_pass_either(rows, status):
    # n − k rows of 1 and k of 100, held against 1.05
    data = {"label": np.zeros(1000), "prediction": [*[1.0] * (1000 - rows), *[100.0] * rows]}
    gate = {"name": "g", "loss": "mae", "max": 1.05, "on_inconclusive": "fail"}
    assert lossctl.check_gates(gate, data).exit_code == status


def by_hand(before, now, loss):
    """On which side of 0 the interval of the mean difference of the rows lies, the outermost left out."""
    rows = now**2 - before**2 if loss in {"mse", "rmse"} else np.abs(now) - np.abs(before)
    others = np.delete(rows, np.argmax(np.abs(rows - rows.mean())))
    reach = 1.9720 * others.std(ddof=1) / np.sqrt(len(others))  # t at 0.975 of 198 degrees of freedom
    return int(others.mean() - reach > 0.0) - int(others.mean() + reach < 0.0)


@pytest.mark.parametrize("loss", ["mae", "mse", "rmse"])
@pytest.mark.parametrize("change", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("row", [-2.5, 2.5])
def test_models_differ_where_all_rows_say_so_and_those_without_the_one_that_carries_most(loss, change, row):
    random = np.random.default_rng(17)
    before = 4.0 + 0.3 * random.normal(size=N)
    now = before - change + 0.3 * random.normal(size=N)
    now[0] = before[0] + row
    for turned, words in ((1, ("better", "worse")), (-1, ("worse", "better"))):
        models = {"a": before, "b": now} if turned == 1 else {"a": now, "b": before}
        (one,) = lossctl.compare({"label": np.zeros(N), **models}, loss, prediction=["a", "b"], label="label").results
        assert one.estimate.doubted == "share"
        by_others = by_hand(before, now, loss)
        interval = [turned * end for end in (one.ci_low, one.ci_high)]
        by_all = int(min(interval) > 0.0) - int(max(interval) < 0.0)
        with_it = np.sign(row) == by_others  # else there may be more that weigh against it
        shown = by_others == by_all != 0 and with_it
        assert one.verdict == (words[by_others > 0] if shown else "not trusted")
        assert shown == (change == 0.2 and row < 0.0)
