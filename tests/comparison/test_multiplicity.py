"""Holm's adjustment of gates and the false discovery rates of tables are those of statsmodels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

import lossctl
from lossctl.comparison.difference import with_false_discovery
from lossctl.comparison.gate import Gate, Measurement, decide
from lossctl.sums.estimate import Estimate

P = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.05])), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def difference():
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=20) for name in ("y", "a", "b")}
    return lossctl.compare(columns, "mse", label="y", prediction=["a", "b"]).results[0]


@given(p=P, unknown=st.integers(0, 2))
@settings(max_examples=20)
def test_false_discovery_rates_are_those_of_benjamini_and_hochberg(difference, p, unknown):
    listed = [replace(difference, p=each) for each in [*p, *[math.nan] * unknown]]
    q = [one.q for one in with_false_discovery(listed)]
    assert q[: len(p)] == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)
    assert all(map(math.isnan, q[len(p) :]))


def claim(statistic, freedom=200.0, **settings):
    """A claim whose left side is so many standard errors above its limit."""
    estimate = Estimate(float(statistic), 1.0, freedom, int(freedom) + 1, freedom + 1, None, 0.01)
    gate = Gate("g", "max", 0.0, **settings)
    return gate, Measurement("mse", "m", {}, estimate, 0.0, float(statistic))


@pytest.mark.parametrize(("seed", "confidence"), [(1, 0.8), (2, 0.95), (3, 0.99)])
def test_gates_fail_where_holm_rejects(seed, confidence):
    statistics = np.random.default_rng(seed).normal(1.5, 1.5, size=40)
    verdicts = decide([claim(statistic, confidence=confidence) for statistic in statistics])
    p = [verdict.p for verdict in verdicts]
    rejected = multipletests(p, alpha=1 - confidence, method="holm")[0]
    failed = [verdict.state == "fail" for verdict in verdicts]
    assert failed == rejected.tolist()
    assert 0 < sum(failed) < sum(each < 1 - confidence for each in p)  # which is more than by chance


def test_gates_that_pass_where_proven_or_fail_by_their_value_are_not_adjusted_for():
    alone = decide([claim(1.8)])[0]
    others = [claim(0.0, fail_if="point"), claim(-9.0, fail_if="point", pass_if="proven")]
    assert alone.state == "fail"
    assert decide([claim(1.8), *others])[0] == alone
    assert decide([claim(1.8), *[claim(0.0)] * 9])[0].state == "pass"
    proven = [claim(-1.8, pass_if="proven") for _ in range(10)]
    assert {verdict.state for verdict in decide(proven)} == {"pass"}
