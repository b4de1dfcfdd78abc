"""A logit of -inf is a probability of exactly 0, one of inf of exactly 1: legal as those are, and floored like them."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from stored import ON_DISK
from ways import FEW

import lossctl
from lossctl.domain import PROBABILITY
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses
from lossctl.row_domains import SIMPLEX, inside

MOST = -math.log(2.0**-52)
"""What a probability of 0 costs under the usual floor."""

OF_ROWS = [(loss.name, "softmax") for loss in losses if example_of(loss.name).prediction_domain == SIMPLEX]
OF_ROWS.remove(("rps", "softmax"))  # of ordered classes, where one more is a step more
OF_ROWS += [("nll:log=true", "log_softmax"), ("cosine_proximity", "softmax"), ("kl_divergence:reverse=true", "softmax")]

OF_ONE = [
    str(example_of(loss.name))
    for loss in losses
    if inside(PROBABILITY, (bound := example_of(loss.name)).prediction_domain) and not (bound.rows or bound.unlabelled)
]
"""Every loss that takes any probability, beside a label."""


def masked(shape, seed):
    """Logits of which some, but not the first of a row, are −inf, and a label that none of these is."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0.0, 30.0, shape)
    logit[rng.random(shape) < 0.4] = -np.inf
    logit[:, 0] = rng.normal(0.0, 3.0, len(logit))
    soft = np.where(np.isinf(logit), 0.0, rng.random(shape) + 0.01)
    return logit, soft / soft.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("spec", "activation"), OF_ROWS)
@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_an_impossible_class_that_is_not_the_label_might_as_well_not_be_there(spec, activation, seed, k):
    bound = lossctl.get_loss(spec).through(activation)
    logit, soft = masked((3, k), seed)
    for row in range(3):
        kept = np.isfinite(logit[row])
        if kept.sum() < 2:
            continue
        for label in (soft[row : row + 1], soft[row].argmax(keepdims=True)):
            if label.ndim not in bound.label_domain.dimensions:
                continue
            rest = label[:, kept] if label.ndim == 2 else np.flatnonzero(kept) == label[0]
            rest = rest if label.ndim == 2 else rest.argmax(keepdims=True)
            value = bound.value(label, logit[row : row + 1])
            gradient = bound.gradient(label, logit[row : row + 1])[0]
            assert value == pytest.approx(bound.value(rest, logit[row : row + 1, kept]), rel=1e-14, abs=1e-16)
            slope = bound.gradient(rest, logit[row : row + 1, kept])[0]
            assert gradient[kept] == pytest.approx(slope, rel=1e-13, abs=1e-16)
            assert not gradient[~kept].any()
            if "reverse" not in spec:  # which floors labels, of which there are 0s
                assert bound.clipped(label, logit[row : row + 1]) is None


@pytest.mark.parametrize("spec", ["cross_entropy", "nll", "nll:log=true"])
def test_an_impossible_class_that_is_the_label_costs_the_floor_and_is_counted(spec):
    source = {"y": [1, 0], "p": np.array([[0.0, -np.inf, 0.0], [0.0, -np.inf, 0.0]])}
    asked = {"label": "y", "prediction": "p", "from_logits": True}
    (result,) = lossctl.evaluate(source, spec, gradient=True, **asked).results
    assert result.value == pytest.approx((MOST + math.log(2)) / 2, rel=1e-15)
    assert (result.n_clipped, result.n_infinite) == (1, 0)
    assert result.gradient.row_max == pytest.approx(math.sqrt(1.5), rel=1e-15)  # p − y = (½, −1, ½), never a silent 0
    (result,) = lossctl.evaluate(source, spec, eps=0.0, **asked).results
    assert (result.value, result.n_clipped, result.n_infinite) == (math.inf, 0, 1)


def test_smoothing_makes_every_class_count():
    # Smoothed labels are (0.9 + 0.1/2, 0.1/2): by hand 0.05 of the floor.
    bound = lossctl.get_loss("cross_entropy:label_smoothing=0.1").through("softmax")
    label, logit = np.array([0]), np.array([[3.0, -np.inf]])
    assert bound.value(label, logit) == pytest.approx(0.05 * MOST, rel=1e-15)
    assert bound.gradient(label, logit)[0] == pytest.approx([0.05, -0.05], rel=1e-15)
    assert bound.clipped(label, logit).tolist() == [True]


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("eps", [2.0**-52, 0.0])
def test_an_infinite_logit_is_a_probability_of_0_or_1(name, eps):
    loss = lossctl.get_loss(name)
    loss = loss.flooring(eps) if "eps" in loss.parameters else loss
    scored = loss.through("sigmoid")
    label = loss.label_domain.convert(np.array([0.0, 1.0, 0.0, 1.0]))
    if loss.label_domain.illegal(label) is not None:
        label = np.array([0.5, 1.0, 0.5, 1.0])
    logit, probability = np.array([-np.inf, -np.inf, np.inf, np.inf]), np.array([0.0, 0.0, 1.0, 1.0])
    assert scored.value(label, logit).tolist() == loss.value(label, probability).tolist()
    far = scored.gradient(label, np.clip(logit, -1e300, 1e300))
    assert scored.gradient(label, logit).tolist() == far.tolist()
    clipped, as_probability = scored.clipped(label, logit), loss.clipped(label, probability)
    assert (clipped is None) == (as_probability is None)
    assert clipped is None or clipped.tolist() == as_probability.tolist()


@pytest.mark.parametrize(
    ("row", "shown"), [([-np.inf, -np.inf], "-inf, -inf"), ([np.inf, 0.0], "inf, 0")], ids=["none", "above"]
)
@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_a_row_without_a_possible_class_is_an_error_that_names_it(row, shown, activation):
    spec = "nll:log=true" if activation == "log_softmax" else "cross_entropy"
    source = {"y": [0, 0], "p": np.array([[0.0, 1.0], row])}
    with pytest.raises(lossctl.DataError, match=rf"row 2: column 'p' is \({shown}\).* -inf \(impossible classes\)"):
        lossctl.evaluate(source, spec, label="y", prediction="p", activation=activation)


@pytest.mark.parametrize("activation", ["identity", "tanh", "exp", "softplus", "relu"])
def test_where_no_probability_is_meant_an_infinity_is_illegal(activation):
    with pytest.raises(lossctl.DataError, match=r"-inf.*finite number"):
        lossctl.evaluate({"y": [0.5], "p": [-np.inf]}, "mse", label="y", prediction="p", activation=activation)


CASE = {"y": [0, 2], "a": [1.5, 0.1], "b": [-np.inf, -np.inf], "c": [0.2, 0.7]}
VALUE = 0.33924820215943892
"""By mpmath's log-sum-exp over the finite logits."""


@pytest.mark.parametrize(
    "found", [found for found in ON_DISK if found.name not in {"json", "jsonl"}], ids=lambda found: found.name
)
def test_in_every_format(tmp_path, found):
    path = store(tmp_path / f"rows{found.suffixes[0]}", pa.table(CASE))
    report = lossctl.evaluate(path, "cross_entropy", label="y", prediction="a,b,c", from_logits=True)
    assert report.value == pytest.approx(VALUE, rel=1e-15)


@pytest.mark.parametrize("word", ["-Infinity", '"-inf"', '"-Infinity"'])
def test_in_every_spelling_of_json(tmp_path, word):
    rows = "".join(
        f'{{"y": {y}, "a": {a}, "b": {word}, "c": {c}}}\n' for y, a, _, c in zip(*CASE.values(), strict=True)
    )
    path = tmp_path / "rows.jsonl"
    path.write_text(rows, encoding="utf-8")
    report = lossctl.evaluate(path, "cross_entropy", label="y", prediction="a,b,c", from_logits=True)
    assert report.value == pytest.approx(VALUE, rel=1e-15)


@pytest.mark.parametrize(("engine", "threads"), [way for way in FEW if way[0] != "dask"])
def test_in_every_way_with_everything(engine, threads):
    asked = {"label": "y", "prediction": "a,b,c", "from_logits": True, "gradient": True, "samples": 1, "skill": True}
    report = lossctl.evaluate(pa.table(CASE), "cross_entropy", engine=engine, threads=threads, **asked)
    (result,) = report.results
    assert result.value == pytest.approx(VALUE, rel=1e-15)
    assert result.samples[0].prediction == (0.1, -math.inf, 0.7)
    assert all(math.isfinite(figure) for figure in (result.gradient.grad_l2, result.gradient.row_rms, result.skill))
