"""A gate on skill knows that the loss of the best constant is an estimate too, from the same rows."""

import math
import os
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.checks.contract import sampled_loss, sampled_points
from lossctl.errors import DataError
from lossctl.functions.loss import losses

ROWS = 120
RANDOM = np.random.default_rng(5)
USER, GROUP, WEIGHT = RANDOM.integers(0, 25, ROWS), RANDOM.choice(["a", "b"], ROWS), RANDOM.lognormal(0.0, 0.5, ROWS)
EVERY = np.ones(ROWS, dtype=bool)


def on_skill(source, loss, skill, **options):
    """What was measured of a gate on skill."""
    gate = {"name": "it", "loss": str(loss), "min_skill": skill, **options}
    verdicts = lossctl.check_gates(gate, source, label="y", prediction="p").verdicts
    return {tuple(one.measured.group.values()) if one.measured else (): one for one in verdicts}


def constant_of(source, loss, **options):
    """The best constant of all rows."""
    return lossctl.evaluate(source, loss, label="y", prediction="p", skill=True, **options).results[0].best_constant


def moved(value, weight, reduction):
    """By how much rows move what is reported, each by its own, to first order: docs/statistics.md."""
    if reduction == "sum":
        return weight * value - np.mean(weight * value)
    mean = np.sum(weight * value) / np.sum(weight)
    slope = 0.5 / math.sqrt(mean) if reduction == "root-mean" else 1.0
    return slope * weight * (value - mean) / np.sum(weight)


def expected(bound, source, constant, skill, weight, cluster):
    """The standard error of L − (1 − s)·L_c, and the largest share of its sum of squares."""
    same = np.broadcast_to(constant, source["p"].shape)
    losses_of = [bound.value(source["y"], source["p"]), bound.through(None).value(source["y"], same)]
    model, best = (moved(value, weight, bound.reduction) for value in losses_of)
    change = model - (1.0 - skill) * best
    change = change if cluster is None else np.array([change[cluster == one].sum() for one in np.unique(cluster)])
    squares = change**2
    count = len(change)
    return math.sqrt(count / (count - 1) * squares.sum()), squares.max() / squares.sum()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("reduction", "skill"), [("mean", 0.5), ("sum", 0.9), ("root-mean", -0.5)])
@pytest.mark.parametrize("loss", ["mse", "bce", "cross_entropy"])
def test_the_standard_error_is_that_of_the_loss_less_what_counts_of_the_constants(
    loss, reduction, skill, clustered, weighted
):
    bound = lossctl.get_loss(loss).under(reduction)
    label, prediction = sampled_points(bound, 1, ROWS, 3)
    source = {"y": label, "p": prediction, "w": WEIGHT, "user": USER}
    options = {"reduction": reduction, **({"weight": "w"} if weighted else {})}
    constant = constant_of(source, bound, **options)
    (one,) = on_skill(source, bound, skill, **options, **({"cluster": "user"} if clustered else {})).values()
    error, share = expected(
        bound, source, constant.constant, skill, WEIGHT if weighted else np.ones(ROWS), USER if clustered else None
    )
    assert one.measured.estimate.standard_error == pytest.approx(error, rel=1e-9)
    if not weighted or clustered or reduction != "sum":  # of which the row that carries most may not be found
        assert one.measured.estimate.top_share == pytest.approx(share, rel=1e-6)
    assert one.measured.limit == (1.0 - skill) * constant.constant_loss
    assert one.measured.estimate.value == one.measured.value


@pytest.mark.parametrize("definition", list(losses), ids=lambda it: it.name)
def test_so_it_is_of_every_loss_that_has_a_best_constant(definition):
    bound = sampled_loss(definition, 2)
    if bound.reduction not in {"mean", "sum", "root-mean"} or bound.unlabelled:
        pytest.skip("its formula is in test_reductions")
    label, prediction = sampled_points(bound, 2, ROWS, 3)
    source = {"y": label, "p": prediction}
    try:
        constant = constant_of(source, bound)
    except DataError:  # a negative mean has no root
        return
    (one,) = on_skill(source, bound, 0.25).values()
    if math.isnan(constant.skill):
        assert one.state == "error"
        return
    error, _ = expected(bound, source, constant.constant, 0.25, np.ones(ROWS), None)
    assert one.measured.estimate.standard_error == pytest.approx(error, rel=1e-9)


def test_behind_an_activation_the_constant_is_that_of_the_loss_itself():
    label, prediction = sampled_points(lossctl.get_loss("bce").from_logits(), 3, ROWS, 1)
    source = {"y": label, "p": prediction}
    constant = constant_of(source, "bce", from_logits=True).constant
    (one,) = on_skill(source, "bce", 0.3, from_logits=True).values()
    error, _ = expected(lossctl.get_loss("bce").from_logits(), source, constant, 0.3, np.ones(ROWS), None)
    assert one.measured.estimate.standard_error == pytest.approx(error, rel=1e-9)


def test_each_group_has_its_own_constant_and_all_together_have_one():
    label = np.where(GROUP == "a", 0.0, 50.0) + RANDOM.normal(size=ROWS)
    prediction = label + RANDOM.normal(size=ROWS)
    source = {"y": label, "p": prediction, "g": GROUP}
    gates = [{"name": "by", "by": "g"}, {"name": "all"}, {"name": "more", "min_skill": 0.8}]
    gates = [{"loss": "mse", "min_skill": 0.4, **gate} for gate in gates]
    verdicts = lossctl.check_gates(gates, source, label="y", prediction="p").verdicts
    parts = [(GROUP == "a", 0.4), (GROUP == "b", 0.4), (EVERY, 0.4), (EVERY, 0.8)]
    for verdict, (rows, skill) in zip(verdicts, parts, strict=True):
        own = {"y": label[rows], "p": prediction[rows]}
        error, _ = expected(lossctl.get_loss("mse"), own, own["y"].mean(), skill, np.ones(rows.sum()), None)
        assert verdict.measured.estimate.standard_error == pytest.approx(error, rel=1e-9)


def test_where_labels_are_missing_rows_count_once_for_each_that_they_have():
    label, prediction = RANDOM.normal(size=(ROWS, 2)), RANDOM.normal(size=(ROWS, 2))
    out = RANDOM.random((ROWS, 2)) < 0.3
    out[out.all(axis=1)] = False
    table = pa.table(
        {"y0": pa.array(label[:, 0], mask=out[:, 0]), "y1": pa.array(label[:, 1], mask=out[:, 1])}
        | {f"p{place}": prediction[:, place] for place in (0, 1)}
    )
    gate = {"name": "it", "loss": "mse", "min_skill": 0.2, "mask_null": True}
    verdicts = lossctl.check_gates(gate, table, label=["y0", "y1"], prediction=["p=p0,p1"]).verdicts
    means = np.array([label[~out[:, place], place].mean() for place in (0, 1)])
    cells = (~out).sum(axis=1)
    parts = [np.where(out, 0.0, (label - other) ** 2).sum(axis=1) / cells for other in (prediction, means)]
    model, best = (moved(value, cells, "mean") for value in parts)
    error = math.sqrt(ROWS / (ROWS - 1) * np.sum((model - 0.8 * best) ** 2))
    assert verdicts[0].measured.estimate.standard_error == pytest.approx(error, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), loss=st.sampled_from(["mse", "mae", "rmse", "bce", "l2"]), size=st.floats(-9, 9))
@settings(max_examples=8)
def test_who_predicts_the_best_constant_never_fails_a_claim_of_no_skill(seed, loss, size):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, 60).astype(float) if loss == "bce" else 10.0**size * rng.normal(size=60)
    constant = constant_of({"y": label, "p": np.full(60, 0.5)}, loss).constant
    behind = {"activation": "sigmoid"} if loss == "bce" else {}
    prediction = math.log(constant / (1.0 - constant)) if behind else constant
    for fail_if in ("proven", "point"):
        (one,) = on_skill({"y": label, "p": np.full(60, prediction)}, loss, 0.0, fail_if=fail_if, **behind).values()
        assert one.state == "pass"


@pytest.mark.parametrize(("engine", "threads"), [("threads", 3), ("processes", 2)])
def test_no_way_to_run_changes_a_digit(engine, threads, tmp_path):
    label = RANDOM.normal(size=ROWS)
    source = {"y": label, "p": label + RANDOM.normal(size=ROWS), "w": WEIGHT, "g": GROUP, "user": USER}
    pq.write_table(pa.table(source), tmp_path / "rows.parquet", row_group_size=17)
    gates = [{"name": "rows", "weight": "w"}, {"name": "users", "cluster": "user", "by": "g"}]
    gates = [{"loss": "rmse", "min_skill": 0.1, **gate} for gate in gates]
    path, more = str(tmp_path / "rows.parquet"), {"label": "y", "prediction": "p"}
    serial = lossctl.check_gates(gates, path, **more, engine="serial").to_dict()
    assert repr(lossctl.check_gates(gates, path, **more, engine=engine, threads=threads).to_dict()) == repr(serial)


@pytest.mark.parametrize("chunk", [500, 100])
def test_of_what_can_be_read_only_once_nobody_knows_how_sure_it_is(chunk, tmp_path):
    """A pipe is read a second time as far as its first part goes: a stream of one chunk is known in full."""
    label = RANDOM.normal(size=500)
    table = pa.table({"y": label, "p": 3.0 * label})
    path = tmp_path / "pipe.arrows"
    os.mkfifo(path)

    def write():
        with open(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table, max_chunksize=chunk)

    gates = [{"name": "proven"}, {"name": "point", "fail_if": "point"}]
    gates = [{"loss": "mse", "min_skill": 0.5, **gate} for gate in gates]
    writer = threading.Thread(target=write)
    writer.start()
    proven, point = lossctl.check_gates(gates, str(path), label="y", prediction="p").verdicts
    writer.join()
    assert [proven.state, point.state] == ["fail" if chunk == 500 else "inconclusive", "fail"]
    assert ("save" in proven.measured.note) == (chunk < 500)
