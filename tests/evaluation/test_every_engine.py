"""Neither engine nor threads can change a digit of a report, and every engine keeps the contract.

Reports are compared by the ``repr`` of each result: equal to the last bit, with -0.0 and NaN told apart.
"""

import functools
import itertools
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from figures import bits
from stored import write_groups
from waiting import HANGS, until
from ways import INSTALLED, LARGE, WAYS, WORKERS, run

import lossctl
from lossctl.evaluation.engine import connected
from lossctl.evaluation.engines import cluster

pytestmark = pytest.mark.usefixtures("at_the_cluster")

SAMPLES = Path(__file__).parents[2] / "sample_data"

RUNS = {
    "regression": {"loss": ["mse", "rmse", "mae", "huber", "log_cosh", "msle", "l2"], "label": "y", "weight": "weight",
                   "by": "segment", "gradient": True, "samples": 3},
    "binary": {"loss": ["bce", "focal", "mse"], "label": "label", "prediction": ["p_a", "p_b"], "weight": "weight",
               "by": "segment", "gradient": True, "samples": 3},
    "classes": {"loss": ["cross_entropy", "nll"], "prediction": "p_*", "gradient": True, "samples": 3},
    "counts": {"loss": ["poisson"], "by": ["region", "prediction:4"], "gradient": True, "samples": 3},
    "logits": {"loss": ["bce", "focal"], "prediction": "logit", "from_logits": True, "gradient": True, "samples": 3},
    "scores": {"loss": ["hinge", "squared_hinge", "exponential"], "gradient": True, "samples": 3},
    "clicks": {"loss": ["bce", "mse"], "prediction": ["p_main", "p_new"], "by": "segment", "cluster": "user"},
    "clicks_main": {"loss": ["bce"], "cluster": ["user", "segment"], "ci": 0.9},
    "clicks_worse": {"loss": ["bce"], "gradient": True},
}  # fmt: skip
"""For each sample file, everything a run can be asked for."""


@functools.cache
def serial_of(name, suffix):
    """What the serial engine says of a sample file."""
    return run(SAMPLES / f"{name}.{suffix}", RUNS[name], engine="serial")


# --- engines and threads ---------------------------------------------------------------------------------------------


@pytest.mark.lowest
@pytest.mark.parametrize(
    ("name", "suffix", "engine", "threads"),
    [
        (name, ("csv", "parquet")[(at + turn) % 2], engine, threads)
        for at, name in enumerate(RUNS)
        for turn, (engine, threads) in enumerate(WAYS)
    ],
)
def test_sample_data_give_the_same_bits_on_every_engine(name, suffix, engine, threads):
    """Every file on every engine; text and Parquet take turns, and are the same in `test_every_format`."""
    path = SAMPLES / f"{name}.{suffix}"
    serial = serial_of(name, suffix)
    found = run(path, RUNS[name], engine=engine, threads=threads)
    assert found.to_dict() == serial.to_dict()
    assert bits(found) == bits(serial)


def test_every_sample_file_is_run():
    assert {path.stem for path in SAMPLES.glob("*.csv")} == set(RUNS)


@pytest.mark.parametrize(("engine", "threads"), WAYS)
def test_many_row_groups_give_the_same_bits_on_every_engine(large, answer, engine, threads):
    found = run(large, LARGE, gradient=True, samples=4, engine=engine, threads=threads)
    assert found.results == answer.results
    assert bits(found) == bits(answer)


@pytest.fixture(scope="module")
def series(many_scales, tmp_path_factory):
    """Some of the rows in row groups of unlike sizes."""
    sizes = [1, 1200, 900, 3, 500, 396]
    return write_groups(many_scales.slice(0, 3000), tmp_path_factory.mktemp("series") / "rows.parquet", sizes)


COMPARED = {
    "clusters": {"cluster": "g", "weight": "w"},
    "buckets of clusters": {"cluster": "y", "by": "g"},
    "series": {"lags": 3, "by": "g"},
}


@functools.cache
def serial_differences(path, way):
    return differences(path, way, engine="serial")


def differences(path, way, **more):
    asked = {"loss": "rmse", "label": "y", "prediction": ["p", "q"], **COMPARED[way]}
    comparison = lossctl.compare(path, **asked, **more)
    return [repr(one) for one in (*comparison.results, *comparison.overall)]


@pytest.mark.parametrize(("engine", "threads"), [(engine.name, 2) for engine in INSTALLED])
@pytest.mark.parametrize("way", COMPARED)
def test_differences_have_the_same_bits_on_every_engine(series, way, engine, threads, monkeypatch):
    monkeypatch.setattr("lossctl.sums.clusters.MOST", 500)  # workers elsewhere have the usual bound, and no more rows
    if engine == "dask" and way == "buckets of clusters":
        pytest.skip("workers elsewhere keep more clusters one by one")
    assert differences(series, way, engine=engine, threads=threads) == serial_differences(series, way)


def test_the_answer_is_the_correctly_rounded_one(many_scales, answer):
    """The reference of the tests around, against `math.fsum`."""
    loss = lossctl.get_loss("huber")
    value = loss.value(many_scales["y"].to_numpy(), many_scales["p"].to_numpy()) * many_scales["w"].to_numpy()
    group, weight = many_scales["g"].to_numpy(), many_scales["w"].to_numpy()
    found = {result.group["g"]: result for result in answer.results if (result.loss, result.model) == (str(loss), "p")}
    for name in np.unique(group):
        mine = group == name
        assert found[name].n == mine.sum()
        assert found[name].value == pytest.approx(math.fsum(value[mine]) / math.fsum(weight[mine]), rel=3e-16, abs=0)


# --- the contract of an engine ---------------------------------------------------------------------------------------


class Trouble(Exception):
    """What goes wrong in these tests."""


@pytest.fixture(params=INSTALLED, ids=lambda engine: engine.name)
def engine(request):
    with connected(request.param, None, None) as ready:
        yield ready


@pytest.mark.parametrize("workers", WORKERS)
def test_an_engine_keeps_the_order(engine, workers):
    assert list(engine.map(lambda x: x * x, range(100), workers)) == [x * x for x in range(100)]
    assert list(engine.map(str, [], workers)) == []


def test_a_slow_item_is_not_overtaken(engine, tmp_path):
    """With two workers the first item cannot end before the second has; results still come first item first."""
    second_done, several = tmp_path / "done", engine.name != "serial"

    def work(item):
        if item == 1:
            second_done.touch()
        elif item == 0 and several:
            until(second_done.exists)
        return item

    assert list(engine.map(work, range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", WORKERS)
def test_what_the_function_raises_comes_in_its_turn(engine, workers):
    def work(item):
        if item in {3, 5}:
            raise Trouble(item)
        return item

    results = engine.map(work, range(10), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Trouble, match="3"):
        next(results)


@pytest.mark.parametrize("workers", WORKERS)
def test_what_the_items_raise_comes_in_its_turn(engine, workers):
    """The second file is missing: what is wrong with the first must be said first, on every engine."""

    def items():
        yield from (0, 1)
        raise Trouble

    results = engine.map(lambda x: x, items(), workers)
    assert next(results) == 0
    assert next(results) == 1
    with pytest.raises(Trouble):
        next(results)


def test_the_first_thing_wrong_is_the_one_that_is_said(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("label,prediction\n1,2\n2,x\n")
    said = set()
    for engine, threads in WAYS:
        with pytest.raises(lossctl.LossctlError) as error:
            lossctl.evaluate([bad, tmp_path / "missing.csv"], "mse", engine=engine, threads=threads)
        said.add(str(error.value))
    assert len(said) == 1


@pytest.mark.parametrize("workers", WORKERS)
def test_an_engine_runs_ahead_by_a_bounded_number_of_items(engine, workers):
    taken = []

    def items():
        for item in itertools.count():
            taken.append(item)
            yield item

    results = engine.map(lambda x: x, items(), workers)
    bundle = cluster.BUNDLE if engine.name == "dask" else 1  # shards a task
    for got in range(50):
        assert next(results) == got
        assert len(taken) <= got + 1 + bundle * (2 * workers + 1)


def test_who_stops_asking_stops_the_work(engine, tmp_path):
    """Closing the results hands out no more, and cancels what has not begun, which takes a cluster a moment."""
    gate, begun = tmp_path / "open", tmp_path / "begun"
    begun.mkdir()

    def work(item):
        (begun / f"{item}").touch()
        if item:
            until(gate.exists)
        return item

    results = engine.map(work, range(1000), 2)
    assert next(results) == 0
    if hasattr(results, "close"):
        results.close()
    gate.touch()
    del results
    for thread in threading.enumerate():
        if thread.name.startswith("lossctl"):
            thread.join(HANGS)
            assert not thread.is_alive()
    assert len(list(begun.iterdir())) <= 5


def test_no_thread_outlives_a_run(large):
    run(large, LARGE, threads=7)
    for thread in threading.enumerate():
        if thread.name.startswith("lossctl"):
            thread.join(HANGS)
            assert not thread.is_alive()
