"""Of several columns that could be the label the one that the predictions follow is proposed, and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import Undecided

OTHERS = {
    "price": lambda rng, n: rng.normal(9.9, 0.5, n).round(2),
    "promo": lambda rng, n: rng.integers(0, 2, n),
    "holiday": lambda rng, n: rng.random(n) < 0.1,
    "stock": lambda rng, n: rng.integers(0, 500, n),
    "temp": lambda rng, n: rng.normal(15, 5, n),
}
FORECASTS = {
    "quantiles": {"p10": -12.0, "p50": 0.0, "p90": 12.0},
    "levels": {"0.05": -15.0, "0.95": 15.0},
    "ends": {"lower": -10.0, "upper": 10.0},
    "point": {"forecast": 0.0},
    "prophet": {"yhat": 0.0, "yhat_lower": -10.0, "yhat_upper": 10.0},
    "models": {"model_a": 0.0, "model_b": 1.0},
    "learners": {"lgbm": 0.0, "XGBoost": 1.0},
    "gluonts": {"mean": 0.0, "0.1": -11.0, "0.5": 0.0, "0.9": 11.0},
    "timesfm": {"timesfm": 0.0, "timesfm-q-0.1": -11.0, "timesfm-q-0.9": 11.0},
    "statsmodels": {"mean": 0.0, "obs_ci_lower": -18.0, "obs_ci_upper": 18.0},
    "fable": {".mean": 0.0},
    "percent": {"forecast_10": -11.0, "forecast_50": 0.0, "forecast_90": 11.0},
}


def labels_of(source, **options):
    with pytest.raises(Undecided) as question:
        lossctl.evaluate(source, None, **options)
    return [dict(way)["label"] for way in question.value.ways]


@settings(max_examples=14)
@given(
    st.sampled_from([*FORECASTS]),
    st.sampled_from(["sales", "revenue", "qty"]),
    st.sampled_from([1.0, 1000.0]),
    st.booleans(),
    st.integers(0, 99),
    st.randoms(use_true_random=False),
)
def test_the_label_is_the_column_that_forecasts_follow(kind, name, scale, whole, seed, random):
    rng, n = np.random.default_rng(seed), 90
    truth = rng.normal(100, 20, n) * scale
    guess = truth + rng.normal(0, 9, n) * scale
    label = truth.round() if whole else truth
    columns = {name: label, **{other: draw(rng, n) for other, draw in OTHERS.items()}}
    columns |= {column: guess + shift * scale for column, shift in FORECASTS[kind].items()}
    order = random.sample([*columns], len(columns))
    labels = labels_of({column: columns[column] for column in order})
    assert {*labels} == {name}


@pytest.mark.parametrize("lag", ["lag_7", "last_week", "sales_prev", "rolling_mean"])
def test_what_was_before_is_no_label_where_forecasts_follow_it_closer(lag):
    rng = np.random.default_rng(3)
    label = rng.normal(100, 20, 90)
    guess = label + rng.normal(0, 9, 90)
    source = {lag: guess + rng.normal(0, 1, 90), "sales": label, "p10": guess - 12, "p50": guess, "p90": guess + 12}
    assert {*labels_of(source)} == {"sales"}


@pytest.mark.parametrize(
    "parts",
    [
        {"yhat": 0, "yhat_lower": -10, "yhat_upper": 10, "trend": 1, "weekly": 40},
        {"AutoARIMA": 0, "AutoARIMA-lo-90": -15, "AutoARIMA-hi-90": 15},
        {"mean": 0, "0.1": -11, "0.5": 0.5, "0.9": 11},
    ],
)
def test_a_forecast_alone_has_no_label_among_its_parts(parts):
    rng = np.random.default_rng(6)
    guess = rng.normal(100, 20, 90)
    assert labels_of({name: guess + shift + rng.normal(0, 0.1, 90) for name, shift in parts.items()}) == []


@pytest.mark.parametrize("name", ["acc", "acc_norm", "exact_match", "residual"])
def test_how_good_a_row_is_is_no_prediction(name):
    rng = np.random.default_rng(7)
    source = {"doc_id": np.arange(60), "target": rng.integers(0, 2, 60), name: rng.integers(0, 2, 60) * 1.0}
    assert labels_of(source) == []


def test_scores_of_either_sign_have_the_yes_or_no_that_they_tell():
    rng = np.random.default_rng(4)
    score = rng.normal(0, 2, 200)
    clicked = rng.random(200) < 1 / (1 + np.exp(-score))
    others = {"age": rng.integers(18, 90, 200), "member": rng.integers(0, 2, 200)}
    assert {*labels_of({**others, "clicked": clicked, "score": score})} == {"clicked"}


def test_a_yes_or_no_is_no_label_of_a_forecast_of_numbers_above_100():
    rng = np.random.default_rng(5)
    assert labels_of({"promo": rng.integers(0, 2, 90), "forecast": rng.normal(500, 30, 90)}) == []


def test_a_yes_or_no_is_asked_of_no_numbers_above_100_beside_it():
    rng = np.random.default_rng(6)
    units = rng.normal(500, 30, 90)
    source = {"promo": rng.integers(0, 2, 90), "units": units, "planned": units + rng.normal(0, 9, 90)}
    assert "promo" not in labels_of(source)


@settings(max_examples=6)
@given(
    st.sampled_from([("No", "Yes"), ("M", "F"), ("alive", "dead")]),
    st.sampled_from([("risk_a", "risk_b"), ("prob",), ("p_a", "p_b", "p_c"), ("logit",)]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_of_columns_of_words_the_one_that_probabilities_follow_is_the_label(words, models, inverse, random):
    rng = np.random.default_rng(8)
    truth, n = rng.permutation(np.arange(160) % 2), 160
    scores = {name: 1.2 * (truth - 0.5) + rng.normal(0, 1, n) for name in models}
    scores = {name: z if name == "logit" else 1 / (1 + np.exp(-z)) for name, z in scores.items()}
    others = {"sex": rng.choice(["A", "B"], n), "site": rng.choice(["n", "s", "w"], n), "age": rng.integers(1, 8, n)}
    columns = {"outcome_x": np.take(words, 1 - truth if inverse else truth), **others, **scores}
    source = {name: columns[name] for name in random.sample([*columns], len(columns))}
    try:
        ways = [{"label": lossctl.evaluate(source, None).to_dict()["columns"]["label"]}]
    except Undecided as question:
        ways = [dict(way) for way in question.ways]
    assert {*np.ravel([way.get("label", "outcome_x") for way in ways])} == {"outcome_x"}
    assert "sex" not in str([way.get("label") for way in ways])


@pytest.mark.parametrize("words", [("no", "yes"), (0, 1)], ids=str)
@pytest.mark.parametrize(("made", "score"), [("pred", "pred_prob"), ("y_pred", "y_pred_proba"), ("flag", "risk_score")])
def test_decisions_made_of_a_score_are_never_the_only_label_of_it(made, score, words):
    rng = np.random.default_rng(9)
    p = rng.random(90)
    truth, decided = rng.permutation(np.arange(90) % 2), (p > 0.4) * 1
    source = {"paid": np.take(words, truth), made: np.take(words, decided), score: p}
    assert "paid" in labels_of(source)
    assert made == "flag" or made not in labels_of(source)
