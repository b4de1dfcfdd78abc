"""Files without a label, or without predictions: no column is offered for what is not there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import UsageError

THINGS = ("store", "store_nbr", "fold", "item", "product", "day")


@settings(max_examples=5)
@given(
    st.lists(st.sampled_from(THINGS), min_size=1, max_size=3, unique=True),
    st.sampled_from(["prediction", "forecast", "yhat", "score"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
)
def test_of_keys_and_predictions_no_key_is_the_label(things, name, worded, unit, seed):
    rng = np.random.default_rng(seed)
    keys = {thing: rng.integers(1, 9, 80) for thing in things}
    keys = {thing: np.char.add("k", codes.astype(str)) if worded else codes for thing, codes in keys.items()}
    source = {"id": np.arange(80), **keys, name: rng.random(80) if unit else rng.gamma(3, 50, 80)}
    with pytest.raises(UsageError, match="no column looks like the label") as told:
        lossctl.evaluate(source, None)
    assert not told.value.ways
    assert "labels are with labels" in told.value.hint


def test_a_thing_that_predictions_are_near_to_is_the_label_all_the_same():
    rng = np.random.default_rng(1)
    day = rng.integers(1, 40, 80)
    with pytest.raises(UsageError) as told:
        lossctl.evaluate({"id": np.arange(80), "day": day, "forecast": day + rng.normal(0, 2, 80)}, None)
    assert {dict(way)["label"] for way in told.value.ways} == {"day"}


@pytest.mark.parametrize("figures", [("loss", "val_loss"), ("train_loss",), ("loss", "accuracy", "val_acc", "lr")])
@pytest.mark.parametrize("loss", [None, "mse"])
def test_a_log_of_a_training_has_no_predictions(figures, loss):
    falling = np.exp(-np.arange(20) / 8)
    source = {"epoch": np.arange(20), **{name: falling + place for place, name in enumerate(figures)}}
    with pytest.raises(UsageError, match="of a training, step by step") as told:
        lossctl.evaluate(source, loss)
    assert not told.value.ways
    label = np.arange(20) % 3 + falling
    assert lossctl.evaluate({**source, "y": label, "pred": label + 1}, "mse").value == pytest.approx(1)


@pytest.mark.parametrize("loss", ["bce", "focal"])
def test_a_loss_of_logarithms_of_decisions_is_measured_with_a_warning(loss):
    label = np.arange(40) % 2
    made = np.where(np.arange(40) % 8, label, 1 - label)
    named = {"label": "y", "prediction": "p"}
    assert any(
        "decisions, not probabilities" in one
        for one in lossctl.evaluate({"y": label, "p": made}, loss, **named).warnings
    )
    assert not lossctl.evaluate({"y": label, "p": np.abs(made - 0.1)}, loss, **named).warnings
