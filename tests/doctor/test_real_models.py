"""Models of real data sets are recognised without a false alarm."""

import shlex

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from suspicious import SCALAR, VECTOR, changed, follow, named


def out_of_sample(model, x, y, method):
    return cross_val_predict(make_pipeline(StandardScaler(), model), x, y, cv=5, method=method)


def several(y, scores):
    return {"y": y} | {f"p_{at}": scores[:, at] for at in range(scores.shape[1])}


def of_classes(load, method):
    x, y = load(return_X_y=True)
    return several(y, out_of_sample(LogisticRegression(max_iter=2000), x, y, method))


def of_cancer(method):
    x, y = load_breast_cancer(return_X_y=True)
    scores = out_of_sample(LogisticRegression(max_iter=2000), x, y, method)
    return {"y": y, "p": scores if scores.ndim == 1 else scores[:, 1]}


def of_diabetes(model, label, method="predict"):
    x, y = load_diabetes(return_X_y=True)
    return {"y": label(y), "p": out_of_sample(model, x, label(y), method)}


def few(y):
    """Counts of 0 to 12, from the progression of diabetes."""
    return np.floor((y - y.min()) / 25)


REAL = {
    "diabetes": (lambda: of_diabetes(LinearRegression(), np.asarray), "unbounded regression", "mse", SCALAR),
    "diabetes counts": (lambda: of_diabetes(PoissonRegressor(), few), "counts", "poisson", SCALAR),
    "breast cancer": (lambda: of_cancer("predict_proba"), "binary classification", "bce", SCALAR),
    "iris": (lambda: of_classes(load_iris, "predict_proba"), "multi-class classification", "cross_entropy", VECTOR),
    "wine": (lambda: of_classes(load_wine, "predict_proba"), "multi-class classification", "cross_entropy", VECTOR),
    "digits": (lambda: of_classes(load_digits, "predict_proba"), "multi-class classification", "cross_entropy", VECTOR),
}

LOGITS = {
    "breast cancer": (lambda: of_cancer("decision_function"), "binary classification", "bce", SCALAR),
    "iris": (lambda: of_classes(load_iris, "decision_function"), "multi-class classification", "cross_entropy", VECTOR),
    "wine": (lambda: of_classes(load_wine, "decision_function"), "multi-class classification", "cross_entropy", VECTOR),
    "digits": (
        lambda: of_classes(load_digits, "decision_function"),
        "multi-class classification",
        "cross_entropy",
        VECTOR,
    ),
    "log-probabilities": (
        lambda: of_classes(load_wine, "predict_log_proba"),
        "multi-class classification",
        "cross_entropy",
        VECTOR,
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_model_is_recognised_without_a_false_alarm(doctor, lossctl, name):
    make, task, loss, arguments = REAL[name]
    data = make()
    outcome = doctor(data, *arguments, "--strict")
    assert outcome.status == 0, named(outcome)
    assert not named(outcome, "error", "warning")
    (model,) = outcome.json["models"]
    assert (model["task"], model["losses"][0]) == (task, loss)
    assert "--from-logits" not in outcome.json["commands"][0]
    assert follow(lossctl, outcome) == [0]


@pytest.mark.parametrize("name", LOGITS)
def test_scores_of_a_real_model_are_recognised_as_logits(doctor, lossctl, name):
    make, task, loss, arguments = LOGITS[name]
    outcome = doctor(make(), *arguments, "--strict")
    assert outcome.status == 0, named(outcome)
    assert outcome.json["models"][0]["task"] == task
    assert named(outcome) >= {"logits"}
    assert shlex.split(outcome.json["commands"][0])[-3:] == ["-l", loss, "--from-logits"]
    assert follow(lossctl, outcome) == [0]


def test_the_loss_of_logits_is_that_of_the_probabilities(doctor, lossctl):
    values = []
    for method in ("predict_proba", "decision_function"):
        (line,) = doctor(of_classes(load_wine, method), *VECTOR).json["commands"]
        values += [float(lossctl(*shlex.split(line)[1:], "-f", "value").out)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_a_real_model_spoiled_is_suspicious(doctor):
    data = of_cancer("predict_proba")
    assert "inverted" in named(doctor(changed(data, p=1 - data["p"]), *SCALAR))
    assert doctor(changed(data, p=1 - data["p"]), *SCALAR, "--strict").status == 1


@pytest.mark.lowest
@pytest.mark.parametrize("file", ["binary", "classes", "counts", "logits", "regression", "scores"])
def test_the_sample_files_hold_nothing_suspicious(lossctl, sample_data, file):
    roles = {"binary": ("-y", "label", "-p", "p_a", "-p", "p_b", "-w", "weight"), "classes": ("-p", "p_*")}
    outcome = lossctl("doctor", sample_data / f"{file}.csv", *roles.get(file, ()), "--strict", "--json")
    assert outcome.status == 0, named(outcome)
    assert follow(lossctl, outcome) == [0]
