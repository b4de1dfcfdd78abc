"""Numbers that rounding put beyond an end are clipped to it on request, counted, and advised about as what they are."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import store
from stored import ON_DISK
from ways import FEW

import lossctl as library
from lossctl.domain import EXTENDED, REAL
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses

CASE = {"y": [1.0, 0.0, 1.0], "p": [1.0000000000000002, -1e-17, 0.6]}
VALUE = 0.17027520792199689
"""−log 0.6 / 3, by mpmath."""

ROOM = {np.float16: 2.0**-8, np.float32: 2.0**-21, np.float64: 2.0**-50}
"""4 units in the last place of 1, by type."""

BOUNDED = [
    (loss.name, role)
    for loss in losses
    for role, domain in example_of(loss.name).domains.items()
    if not domain.rows and np.isfinite(domain.closed(1)).any()
]
"""Every side of a loss of numbers that has an end of its own."""


def run(source, loss="bce", **more):
    return library.evaluate(source, loss, label="y", prediction="p", **more)


@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_the_case_in_every_format(tmp_path, found):
    path = store(tmp_path / f"rows{found.suffixes[0]}", pa.table(CASE))
    with pytest.raises(library.DataError, match=r"row 1.*\nThat is rounding: clip_rounding=True"):
        run(path)
    report = run(path, clip_rounding=True)
    assert report.value == pytest.approx(VALUE, rel=1e-15)
    assert report.results[0].n_rounded == 2
    assert report.inputs["rounded"] == {"p": {"to": "[0, 1]", "rows": 2}}


@pytest.mark.parametrize(("engine", "threads"), [way for way in FEW if way[0] != "dask"])
def test_counts_are_the_same_for_any_way_to_run(engine, threads):
    table = pa.table({"y": CASE["y"] * 50, "p": CASE["p"] * 50, "g": ["a", "b", "a"] * 50})
    report = run(table, by="g", clip_rounding=True, engine=engine, threads=threads)
    assert [(result.group["g"], result.n_rounded) for result in report.results] == [("a", 50), ("b", 50)]
    assert report.inputs["rounded"]["p"]["rows"] == 100


def test_there_are_losses_with_ends():
    assert {name for name, _ in BOUNDED} >= {"bce", "focal", "poisson"}


@pytest.mark.parametrize(("name", "role"), BOUNDED)
@pytest.mark.parametrize("kind", ROOM)
@settings(max_examples=5)
@given(share=st.floats(0, 1), above=st.booleans())
def test_what_is_rounding_follows_the_type_of_the_column(name, role, kind, share, above):
    bound = example_of(name)
    domain, other = bound.domains[role], "prediction" if role == "label" else "label"
    low, high = domain.closed(1)
    end = high if (above and np.isfinite(high)) or not np.isfinite(low) else low
    beyond = kind(end) + kind(share * ROOM[kind]) * (1 if end == high else -1)
    at_end = kind(end)
    legal = bound.domains[other].convert(np.array([1.0]))
    source = {role: np.array([beyond]), other: legal}
    asked = {"label": "label", "prediction": "prediction", "clip_rounding": True}
    clipped = library.evaluate(source, name, **asked).results[0]
    assert clipped.value == library.evaluate({**source, role: np.array([at_end])}, name, **asked).value
    assert clipped.n_rounded == (beyond != at_end)
    far = np.array([end + 3 * ROOM[kind] * (1 if end == high else -1)])
    with pytest.raises(library.DataError):
        library.evaluate({**source, role: far.astype(kind)}, name, **asked)


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "kl_divergence"])
def test_rows_of_probabilities_are_clipped_cell_by_cell(loss):
    rows = np.array([[1.0 + 2**-52, -1e-17, 0.0], [0.25, 0.75, -1e-18], [0.5, 0.25, 0.25]])
    label = np.eye(3) if loss == "kl_divergence" else np.array([0, 1, 2])
    names = {"label": "y", "prediction": "p"}
    with pytest.raises(library.DataError, match="That is rounding"):
        library.evaluate({"y": label, "p": rows}, loss, **names)
    report = library.evaluate({"y": label, "p": rows}, loss, clip_rounding=True, **names)
    assert report.value == library.evaluate({"y": label, "p": np.clip(rows, 0, 1)}, loss, **names).value
    assert report.results[0].n_rounded == 2


def test_a_soft_label_is_clipped_too_and_a_weight_is_not():
    source = {"y": np.array([1.0 + 2**-52, -(2.0**-60)]), "p": np.array([0.5, 0.5]), "w": np.array([1.0, -1e-17])}
    report = run(source, clip_rounding=True)
    assert report.inputs["rounded"] == {"y": {"to": "[0, 1]", "rows": 2}}
    assert report.value == pytest.approx(np.log(2), rel=1e-15)
    with pytest.raises(library.DataError, match="'w' is -1e-17"):
        run(source, weight="w", clip_rounding=True)


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ([1.0 + 2**-52, 0.5], "That is rounding: clip_rounding=True"),
        ([1.0 + 1e-5, 0.5], "and less than a score"),
        ([1.0 + 2**-52, 2.5], "Are these scores before the sigmoid"),
        ([-3.0, 0.5], "Are these scores before the sigmoid"),
    ],
)
def test_the_advice_fits_the_values(values, advice):
    with pytest.raises(library.DataError) as failure:
        run({"y": [1.0, 0.0], "p": values})
    assert advice in failure.value.hint


def test_rows_that_are_nearly_probabilities_are_not_taken_for_scores():
    for row in ([1.00001, 0.0], [1.0, -1e-6]):
        with pytest.raises(library.DataError) as failure:
            library.evaluate({"y": [0], "p": np.array([row])}, "cross_entropy", label="y", prediction="p")
        assert "less than a score" in failure.value.hint
        assert "normalize_rows=True" in failure.value.hint


def test_rows_that_miss_1_are_advised_about_as_before():
    with pytest.raises(library.DataError, match="normalize_rows=True rescales them"):
        library.evaluate({"y": [0], "p": np.array([[0.5, 0.4]])}, "cross_entropy", label="y", prediction="p")


@pytest.mark.parametrize("loss", ["mse", "hinge"])
def test_a_loss_without_ends_says_that_it_has_none(loss):
    with pytest.raises(library.UsageError, match="clip_rounding=True: none of the losses has ends"):
        run({"y": [1.0], "p": [0.5]}, loss, clip_rounding=True)
    assert REAL.closed(1) == EXTENDED.closed(1) == (-np.inf, np.inf)


def test_every_command_says_how_many(lossctl, tmp_path):
    path = store(tmp_path / "rows.csv", pa.table(CASE))
    columns = ["-y", "y", "-p", "p", "--clip-rounding"]
    assert "2 of p clipped to [0, 1]" in lossctl("eval", path, *columns).out
    assert json.loads(lossctl("eval", path, *columns, "--json").out)["results"][0]["n_rounded"] == 2
    assert ",n_rounded," in lossctl("eval", path, *columns, "-f", "csv").out
    for command in (["samples"], ["gradcheck", "bce"]):
        assert "2 rows of 'p' clipped to [0, 1]" in lossctl(*command, path, *columns).err
    assert "2 rows of 'p' clipped to [0, 1]" in lossctl("plot", path, *columns).out
    diagnosis = lossctl("doctor", path, "-y", "y", "-p", "p").out
    assert "-l bce --clip-rounding" in diagnosis
    assert "--from-logits" not in diagnosis
