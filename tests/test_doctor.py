"""``lossctl doctor``: the right task and command line; each finding on data that have it, and that nearly have it."""

import itertools
import json
import math
import shlex
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lossctl.cli.app import run
from lossctl.doctor.diagnosis import diagnose
from lossctl.doctor.finding import Case, Severity, area_under_curve, checks, rank_correlation, top_share
from lossctl.errors import DataError, UsageError
from lossctl.inference.facts import IDS
from lossctl.rendering.renderer import Style
from lossctl.sums.distribution import Distribution
from lossctl.sums.sketch import NEVER, Sketch, hash_numbers, hash_words

GOLDEN = Path(__file__).parent / "doctor"
N = 200


# ---- small data sets


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def binary(n=N, seed=1):
    """Labels of 0 and 1 with honest probabilities, rounded as a file has them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, n)
    return {"y": (rng.random(n) < sigmoid(z)).astype(float), "p": np.clip(np.round(sigmoid(z), 6), 1e-6, 1 - 1e-6)}


def regression(n=N, seed=2):
    rng = np.random.default_rng(seed)
    y = np.round(rng.normal(10, 4, n), 4)
    return {"y": y, "p": np.round(y + rng.normal(0, 1, n), 4)}


def counts(n=N, seed=3):
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(0.5, 0.7, n))
    return {"y": rng.poisson(rate).astype(float), "p": rate}


def classes(n=N, k=3, seed=4, scale=2.0):
    """Class codes with honest rows of probabilities in columns p_0, p_1, …"""
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(0, scale, (n, k)))
    y = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, k - 1)
    return {"y": y.astype(float)} | {f"p_{at}": p[:, at] for at in range(k)}


def matrix(data):
    return np.column_stack([data[name] for name in data if name.startswith("p_")])


def columns(data, p):
    return {name: values for name, values in data.items() if not name.startswith("p_")} | {
        f"p_{at}": p[:, at] for at in range(p.shape[1])
    }


def changed(data, **new):
    return data | new


def at(values, row, value):
    made = np.array(values, dtype=object if isinstance(value, str) or value is None else None)
    made[row] = value
    return made


def words(codes, names):
    return np.array(names, dtype=object)[np.asarray(codes, dtype=int)]


VECTOR = ("-y", "y", "-p", "p_*")
SCALAR = ("-y", "y", "-p", "p")


def case(data, *arguments, vector=False):
    return data, (*(VECTOR if vector else SCALAR), *arguments)


def hot(codes, k=3):
    return np.eye(k)[np.asarray(codes, dtype=int)]


def capped(data, worst):
    """The regression with one huge error, or a row's worth of it taken back."""
    return changed(data, p=at(data["p"], 7, data["y"][7] + worst))


def never_second(n=N, rows=40):
    """Three classes of which the second is never picked, in so many rows its label."""
    data = classes(n)
    p = matrix(data)
    p[:, 1] = 0.5 * np.minimum(p[:, 0], p[:, 2])
    y = p[:, [0, 2]].argmax(axis=1) * 2.0
    y[:rows] = 1.0
    return columns(data | {"y": y}, p / p.sum(axis=1, keepdims=True))


def in_unit(data):
    return changed(data, y=2 * data["y"] - 1)


def few_wrong(n=N, wrong=1, worst=1e-9):
    y = np.arange(n) % 2.0
    p = np.abs(y - np.linspace(1e-4, 2e-4, n))
    p[:wrong] = np.abs(y[:wrong] - 1 + worst)
    return {"y": y, "p": p}


def _ids(twice):
    return changed(regression(), id=np.array([*range(N - 1), 5 if twice else N - 1]))


def _codes(k=4, hit=0.8):
    rng = np.random.default_rng(5)
    y = rng.integers(0, k, N)
    return {"y": y.astype(float), "p": np.where(rng.random(N) < hit, y, rng.integers(0, k, N)).astype(float)}


b, r, c, m = binary(), regression(), counts(), classes()
TABLE = {
    "text-predictions": [
        case(changed(b, p=words(b["y"], ["no", "yes"]))),
        case(changed(b, y=words(b["y"], ["no", "yes"]))),
    ],
    "text-among-numbers": [
        case(changed(r, y=at(r["y"].astype(str), 3, "?"))),
        case(changed(b, y=words(b["y"], ["1", "x"]))),
    ],
    "no-rows-left": [
        case(changed(r, w=np.zeros(N)), "-w", "w"),
        case(changed(r, w=at(np.zeros(N), 0, 1.0)), "-w", "w"),
    ],
    "negative-weights": [
        case(changed(r, w=at(np.ones(N), 4, -0.5)), "-w", "w"),
        case(changed(r, w=at(np.ones(N), 4, 0.5)), "-w", "w"),
    ],
    "infinite": [case(changed(r, p=at(r["p"], 5, np.inf))), case(changed(r, p=at(r["p"], 5, 1e3)))],
    "lists-of-other-lengths": [
        case({"y": m["y"], "p": [list(row[: 2 if at == 9 else 3]) for at, row in enumerate(matrix(m))]}),
        case({"y": m["y"], "p": [list(row) for row in matrix(m)]}),
    ],
    "class-names-with-commas": [
        case(changed(b, y=words(b["y"], ["No, thanks", "Yes"]))),
        case(changed(b, y=words(b["y"], ["No thanks", "Yes"]))),
    ],
    "nulls": [case(changed(r, p=at(r["p"], 5, None))), case(r)],
    "duplicate-ids": [case(_ids(True)), case(_ids(False))],
    "zero-weights": [
        case(changed(r, w=at(np.ones(N), 4, 0.0)), "-w", "w"),
        case(changed(r, w=at(np.ones(N), 4, 1e-9)), "-w", "w"),
    ],
    "constant-label": [case(changed(b, y=np.ones(N))), case(changed(b, y=at(np.ones(N), 3, 0.0)))],
    "constant-predictions": [
        case(changed(b, p=np.full(N, 0.5))),
        case(changed(b, p=at(np.full(N, 0.5), 3, 0.51))),
    ],
    "logits": [case(changed(b, p=np.log(b["p"] / (1 - b["p"])))), case(b)],
    "log-rates": [case(changed(c, p=np.log(c["p"]))), case(c)],
    "outside-unit-interval": [case(changed(b, p=at(b["p"], 8, 1.0000002))), case(changed(b, p=at(b["p"], 8, 1.0)))],
    "percentages": [case(changed(b, p=100 * b["p"])), case(b)],
    "rows-do-not-sum-to-one": [
        case(columns(m, 0.9 * matrix(m)), vector=True),
        case(columns(m, np.round(matrix(m), 4)), vector=True),
    ],
    "rows-that-sum-to-zero": [
        case(columns(m, np.vstack([np.zeros((1, 3)), 0.9 * matrix(m)[1:]])), vector=True),
        case(columns(m, 0.9 * matrix(m)), vector=True),
    ],
    "swapped": [case({"y": b["p"], "p": b["y"]}), case({"y": np.round(b["p"]), "p": b["y"]})],
    "one-column-for-many-classes": [
        case({"y": words(m["y"], ["a", "b", "c"]), "p": m["p_0"]}),
        case({"y": words(m["y"] > 0, ["a", "b"]), "p": m["p_0"]}),
    ],
    "classes-in-sorted-order": [
        case({"y": words(m["y"], ["a", "b", "c"]), "p": [list(row) for row in matrix(m)]}),
        case({"y": words(m["y"], ["a", "b", "c"]), "p": [list(row) for row in matrix(m)]}, "--classes", "a,b,c"),
    ],
    "second-class-in-sorted-order": [
        case(changed(b, y=words(b["y"], ["no", "yes"]))),
        case(changed(b, y=words(b["y"], ["no", "yes"])), "--classes", "no,yes"),
    ],
    "unknown-classes": [
        case(changed(m, y=at(m["y"], 6, 3.0)), vector=True),
        case(changed(m, y=at(m["y"], 6, 2.0)), vector=True),
    ],
    "classes-counted-from-one": [
        case({"y": m["y"] + 1, "p": [list(row) for row in matrix(m)]}),
        case({"y": m["y"], "p": [list(row) for row in matrix(m)]}),
    ],
    "columns-in-another-order": [
        case(columns(m, matrix(m)[:, [1, 2, 0]]), vector=True),
        case(columns(m, np.roll(matrix(m), 1, axis=0)), vector=True),  # the rows of others: no order helps
    ],
    "probabilities-for-a-margin": [
        case(in_unit(b), "-l", "hinge"),
        case(in_unit(changed(b, p=np.log(b["p"] / (1 - b["p"])))), "-l", "hinge"),
    ],
    "coded-labels": [case(in_unit(b)), case(b)],
    "another-scale": [
        case(changed(r, y=np.exp(r["y"]) + 50)),
        case(changed(r, y=np.exp(r["y"]))),
    ],
    "outside-the-asked-loss": [case(r, "-l", "poisson"), case(c, "-l", "poisson")],
    "zero-labels": [case(changed(r, y=at(r["y"], 2, 0.0)), "-l", "mape"), case(changed(r, y=at(r["y"], 2, 0.0)))],
    "leak": [case(changed(r, p=r["y"])), case(changed(r, p=np.round(r["y"] + 0.01, 4)))],
    "perfect-predictions": [case(changed(b, p=b["y"])), case(changed(b, p=at(b["y"], 0, 1 - b["y"][0])))],
    "hard-predictions": [
        case(changed(b, p=np.round(b["p"]))),
        case(changed(b, p=at(np.round(b["p"]), 0, 0.75))),
    ],
    "hard-predictions of rows": [
        case(columns(m, hot(matrix(m).argmax(axis=1))), vector=True),
        case(columns(m, 0.9 * hot(matrix(m).argmax(axis=1)) + 0.1 / 3), vector=True),
    ],
    "heavy-tail of a relative loss": [
        case(capped(r, 100.0)),
        case({"y": np.exp(np.linspace(0, 9, N)), "p": 1.1 * np.exp(np.linspace(0, 9, N))}),
    ],
    "unknown-classes of one column": [
        case({"y": words(b["y"], ["no", "maybe"]), "p": b["p"]}, "--classes", "no,yes"),
        case({"y": words(b["y"], ["no", "yes"]), "p": b["p"]}, "--classes", "no,yes"),
    ],
    "unknown-classes of numbers": [
        case(changed(b, y=b["y"] + 1), "--classes", "1,3"),
        case(changed(b, y=b["y"] + 1), "--classes", "1,2"),
    ],
    "unknown-classes where the prediction is null": [
        case(changed(b, y=at(words(b["y"], ["no", "yes"]), 4, "maybe"), p=at(b["p"], 4, None)), "--classes", "no,yes"),
        case(changed(b, y=words(b["y"], ["no", "yes"]), p=at(b["p"], 4, None)), "--classes", "no,yes"),
    ],
    "class-codes-as-predictions": [case(_codes()), case(changed(_codes(), p=_codes()["p"] + 0.25))],
    "inverted": [case(changed(b, p=1 - b["p"])), case(changed(b, p=np.roll(b["p"], 1)))],
    "certain-and-wrong": [
        case(changed(b, y=at(b["y"], 0, 1.0), p=at(b["p"], 0, 0.0))),
        case(changed(b, y=at(b["y"], 0, 0.0), p=at(b["p"], 0, 0.0))),
    ],
    "saturated": [
        case(changed(b, y=at(b["y"], 0, 1.0), p=at(b["p"], 0, 1.0))),
        case(changed(b, y=at(b["y"], 0, 1.0), p=at(b["p"], 0, 0.9999999))),
    ],
    "classes-never-predicted": [case(never_second(), vector=True), case(never_second(rows=5), vector=True)],
    "classes-without-rows": [
        case(changed(m, y=np.minimum(m["y"], 1)), vector=True),
        case(changed(m, y=at(np.minimum(m["y"], 1), 0, 2.0)), vector=True),
    ],
    "heavy-tail": [case(capped(r, 100.0)), case(capped(r, 5.0))],
    "few-rows-carry-the-loss": [case(few_wrong()), case(few_wrong(wrong=N))],
}
"""For each finding data that have it, and data that nearly have it, with the arguments."""
ELSEWHERE = {"ids-not-all-checked"}
"""Findings that need more data than a file of a test has: examined below."""


def finding(name):
    """The finding of an entry, which may say more: ``finding of what``."""
    return name.partition(" ")[0]


def write(path, data):
    table = pa.table({name: pa.array(list(values)) for name, values in data.items()})
    if any(pa.types.is_list(column.type) for column in table.schema):
        path = path.with_suffix(".parquet")
        pq.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path)
    return path


@pytest.fixture
def doctor(lossctl, tmp_path):
    def call(data, *arguments):
        path = data if isinstance(data, Path) else write(tmp_path / "data file.csv", data)
        return lossctl("doctor", path, *arguments, "--json")

    return call


def named(outcome, *severities):
    return {it["name"] for it in outcome.json["findings"] if not severities or it["severity"] in severities}


def follow(lossctl, outcome):
    """The statuses of the command lines suggested."""
    statuses = []
    for line in outcome.json["commands"]:
        program, *arguments = shlex.split(line)
        assert program == "lossctl"
        statuses.append(lossctl(*arguments).status)
    return statuses


# ---- findings


def test_every_finding_has_data_that_have_it_and_data_that_nearly_do():
    assert {finding(name) for name in TABLE} | ELSEWHERE == set(checks.names())
    assert all(len(pair) == 2 for pair in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_is_made_where_it_is_so(doctor, name):
    data, arguments = TABLE[name][0]
    outcome = doctor(data, *arguments)
    assert outcome.status == 0, outcome.err
    assert finding(name) in named(outcome)


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_is_not_made_where_it_is_nearly_so(doctor, name):
    data, arguments = TABLE[name][1]
    outcome = doctor(data, *arguments)
    assert outcome.status == 0, outcome.err
    assert finding(name) not in named(outcome)


@pytest.mark.parametrize(("name", "which"), [*itertools.product(TABLE, (0, 1))])
def test_the_command_line_runs_unless_a_finding_says_that_none_can(doctor, lossctl, name, which):
    data, arguments = TABLE[name][which]
    outcome = doctor(data, *arguments)
    statuses = follow(lossctl, outcome)
    assert outcome.json["runs"] == (bool(statuses) and not any(it["stops"] for it in outcome.json["findings"]))
    assert statuses == [0 if outcome.json["runs"] else 3] * len(statuses)


@pytest.mark.parametrize("name", TABLE)
def test_strict_fails_on_warnings_and_errors_only(lossctl, doctor, tmp_path, name):
    data, arguments = TABLE[name][0]
    outcome = doctor(data, *arguments)
    path = next(tmp_path.iterdir())
    assert lossctl("doctor", path, *arguments, "--strict", "-qq").status == bool(named(outcome, "error", "warning"))


@pytest.mark.parametrize("name", TABLE)
def test_a_finding_says_what_to_do(doctor, name):
    data, arguments = TABLE[name][0]
    for found in doctor(data, *arguments).json["findings"]:
        assert found["what"]
        assert found["advice"].endswith(("?", "."))
        assert (found["count"] is None) == (found["row"] is None)
        assert found["severity"] in list(Severity)
    assert checks.get(finding(name)).summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "count", "row"),
    [
        ("infinite", 1, 6),
        ("nulls", 1, 6),
        ("negative-weights", 1, 5),
        ("outside-unit-interval", 1, 9),
        ("duplicate-ids", 1, N),
        ("unknown-classes", 1, 7),
        ("lists-of-other-lengths", 1, 10),
        ("rows-that-sum-to-zero", 1, 1),
        ("zero-labels", 1, 3),
        ("leak", N, 1),
    ],
)
def test_the_evidence_is_a_count_and_the_first_row(doctor, name, count, row):
    data, arguments = TABLE[name][0]
    (found,) = [it for it in doctor(data, *arguments).json["findings"] if it["name"] == name]
    assert (found["count"], found["row"]) == (count, row)


# ---- real data sets


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
def test_a_real_model_is_recognised_without_a_false_alarm(doctor, lossctl, tmp_path, name):
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


def test_a_real_model_spoiled_is_suspicious(doctor, tmp_path):
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


# ---- tasks and commands


@pytest.mark.parametrize(
    ("data", "arguments", "task", "flags"),
    [
        (in_unit(b), SCALAR, "binary classification", ["-l", "bce", "--classes=-1,1"]),
        (changed(b, y=b["y"] + 1), SCALAR, "binary classification", ["-l", "bce", "--classes=1,2"]),
        (
            changed(b, y=words(b["y"], ["no", "yes"])),
            SCALAR,
            "binary classification",
            ["-l", "bce", "--classes=no,yes"],
        ),
        (changed(b, y=[bool(it) for it in b["y"]]), SCALAR, "binary classification", ["-l", "bce"]),
        (in_unit(changed(b, p=6 * b["p"] - 3)), SCALAR, "max-margin classification", ["-l", "hinge"]),
        (changed(b, y=b["p"].clip(0.1)), SCALAR, "bounded regression", ["-l", "mse"]),
        (changed(r, y=np.exp(r["y"]), p=np.exp(r["p"])), SCALAR, "positive regression", ["-l", "msle"]),
        (changed(c, p=np.log(c["p"])), SCALAR, "counts", ["-l", "poisson", "--from-logits"]),
        (
            columns(m, 100 * matrix(m)),
            VECTOR,
            "multi-class classification",
            ["-l", "cross_entropy", "--normalize-rows"],
        ),
        (columns(m, np.log(matrix(m))), VECTOR, "multi-class classification", ["-l", "cross_entropy", "--from-logits"]),
        (
            {"y": m["y"] + 1, "p": [list(row) for row in matrix(m)]},
            SCALAR,
            "multi-class classification",
            ["-l", "cross_entropy", "--classes=1,2,3"],
        ),
        (
            columns({f"y_{at}": column for at, column in enumerate(hot(m["y"]).T)}, matrix(m)),
            ("-y", "y_*", "-p", "p_*"),
            "multi-class classification",
            ["-l", "cross_entropy"],
        ),
        (
            {"y_0": b["y"], "y_1": binary(seed=9)["y"], "p_0": b["p"], "p_1": binary(seed=9)["p"]},
            ("-y", "y_*", "-p", "p_*"),
            "multi-label classification",
            ["-l", "bce"],
        ),
        (
            {"y_0": r["y"], "y_1": 2 * r["y"], "p_0": r["p"], "p_1": 2 * r["p"]},
            ("-y", "y_*", "-p", "p_*"),
            "unbounded regression",
            ["-l", "mse"],
        ),
    ],
)
def test_the_task_decides_the_command_line_and_it_runs(doctor, lossctl, data, arguments, task, flags):
    outcome = doctor(data, *arguments)
    assert outcome.json["models"][0]["task"] == task
    assert shlex.split(outcome.json["commands"][0])[-len(flags) :] == flags
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def test_columns_with_odd_names_are_quoted(doctor, lossctl):
    data = {"the label": b["y"], "-p;$HOME": b["p"], "w't": np.ones(N)}
    outcome = doctor(data, "-y", "the label", "--pred=-p;$HOME", "-w", "w't")
    assert outcome.status == 0
    assert follow(lossctl, outcome) == [0]


def test_a_file_whose_name_begins_with_a_dash_is_named_so_that_the_command_line_runs(lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "-preds.csv", b)
    outcome = lossctl("doctor", "--json", "--", "-preds.csv")
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def test_columns_that_begin_with_a_dash_are_suggested_so_that_the_command_line_runs(doctor, lossctl):
    outcome = doctor({"-truth": b["y"], "-score": b["p"]})
    assert named(outcome) == {"columns-not-recognised"}
    assert follow(lossctl, outcome) == [0]


def test_labels_of_rows_without_a_prediction_are_no_third_class_of_two(doctor, lossctl):
    outcome = doctor({"y": [0.0, 1.0, 2.0], "p": [0.0, None, 0.0]})
    assert outcome.json["runs"]
    assert follow(lossctl, outcome) == [0]


def test_labels_of_rows_without_a_prediction_say_whether_classes_count_from_one(doctor, lossctl):
    outcome = doctor({"y": [0.0, 1.0, 2.0], "p": [None, [0.5, 0.5], [0.5, 0.5]]})
    assert "classes-counted-from-one" not in named(outcome)
    assert outcome.json["runs"] == (follow(lossctl, outcome) == [0])


@pytest.mark.parametrize("labels", [(0.0, 1.0), (-1.0, 1.0)])
def test_percentages_are_found_whatever_the_two_labels_are(doctor, labels):
    outcome = doctor({"y": np.where(b["y"] == 1, labels[1], labels[0]), "p": np.round(100 * b["p"], 2)})
    assert "percentages" in named(outcome, "error")
    assert not outcome.json["runs"]


def test_class_names_that_no_flag_can_spell_are_said_to_stop_eval(doctor):
    for odd in ("No, thanks", "No "):
        outcome = doctor(changed(b, y=words(b["y"], [odd, "Yes"])))
        assert not outcome.json["runs"], odd


def test_how_a_file_is_read_is_part_of_the_command_line(lossctl, tmp_path):
    path = tmp_path / "data.txt"
    path.write_text(
        "".join(f"{y:g};{p}\n" for y, p in zip(b["y"], b["p"], strict=True)).replace("1;", "1;", 1) + "1;?\n"
    )
    outcome = lossctl(
        "doctor", path, "-F", "csv", "-d", ";", "--no-header", "--null-values", "?", "-y", "#1", "-p", "#2", "--json"
    )
    assert outcome.status == 0
    assert named(outcome) == {"nulls"}
    assert follow(lossctl, outcome) == [0]


def test_losses_that_are_asked_for_are_kept_where_they_fit(doctor, lossctl):
    outcome = doctor(r, *SCALAR, "-l", "huber:delta=2,mae,bce")
    assert shlex.split(outcome.json["commands"][0])[-2:] == ["-l", "huber:delta=2.0,mae"]
    assert named(outcome) == {"outside-the-asked-loss"}
    assert follow(lossctl, outcome) == [0]


def test_each_of_several_models_is_examined(doctor, lossctl):
    data = b | {"z": np.log(b["p"] / (1 - b["p"])), "q": 1 - b["p"]}
    outcome = doctor(data, "-y", "y", "-p", "p", "-p", "q", "-p", "z")
    assert [it["predictions"] for it in outcome.json["models"]] == ["probabilities", "probabilities", "logits"]
    assert {(it["name"], it["model"]) for it in outcome.json["findings"]} == {("inverted", "q"), ("logits", "z")}
    assert [shlex.split(line).count("-p") for line in outcome.json["commands"]] == [2, 1]
    assert follow(lossctl, outcome) == [0, 0]


def test_columns_of_models_are_put_in_one_order_by_their_names_as_eval_does(lossctl, sample_data):
    models = ("-p", "p_*", "-p", "other=p_dog,p_cat,p_bird")
    outcome = lossctl("doctor", sample_data / "classes.csv", *models, "--json", "--strict")
    assert outcome.status == 0, named(outcome)
    assert follow(lossctl, outcome) == [0]


def test_what_models_share_is_said_once(doctor):
    data = b | {"q": b["p"], "w": at(np.ones(N), 4, 0.0)}
    findings = doctor(data, "-y", "y", "-p", "p", "-p", "q", "-w", "w").json["findings"]
    assert [it["name"] for it in findings] == ["zero-weights"]


def test_columns_without_a_known_name_are_shown_with_what_they_could_be(doctor, lossctl):
    data = {"key": np.arange(N), "outcome": b["y"], "risk": b["p"], "site": words(np.arange(N) % 3, ["a", "b", "c"])}
    outcome = doctor(data)
    assert outcome.status == 0
    assert {it["name"]: it["could_be"][0] for it in outcome.json["columns"]} == {
        "key": "id",
        "outcome": "label",
        "risk": "prediction",
        "site": "label",
    }
    assert named(outcome) == {"columns-not-recognised"}
    assert outcome.json["commands"] == []  # the label may be either
    assert follow(lossctl, doctor(data, "-y", "outcome")) == [0]
    assert doctor(data, "--strict").status == 1


def test_a_suggested_examination_finds_the_columns_of_the_classes(lossctl, sample_data):
    outcome = lossctl("doctor", sample_data / "classes.csv", "--json")
    (line,) = outcome.json["commands"]
    again = lossctl(*shlex.split(line)[1:], "--json")
    assert again.json["models"][0]["task"] == "multi-class classification"
    assert follow(lossctl, again) == [0]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-y", "nosuch", "-p", "p"), 2),
        (("-y", "y", "-p", "nosuch"), 2),
        (("-y", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-w", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-l", "nosuch"), 2),
        (("-y", "y", "-p", "p", "--engine", "nosuch"), 2),
        (("-y", "y", "-p", "p", "-F", "parquet"), 3),
        (("-y", "p", "-p", "p"), 2),
    ],
)
def test_errors_end_as_those_of_eval(lossctl, tmp_path, arguments, status):
    path = write(tmp_path / "data.csv", b)
    assert lossctl("doctor", path, *arguments).status == status


def test_a_file_without_rows_is_an_error(lossctl, tmp_path):
    for header in ("y,p\n", "a,b\n"):
        (tmp_path / "none.csv").write_text(header)
        assert lossctl("doctor", tmp_path / "none.csv").status == 3


COLUMNS = {
    "yes or no": st.sampled_from([0.0, 1.0]),
    "signs": st.sampled_from([-1.0, 1.0]),
    "codes": st.integers(0, 3),
    "counts": st.integers(0, 30),
    "probabilities": st.floats(0, 1),
    "percentages": st.floats(0, 100),
    "numbers": st.floats(-100, 100),
    "anything": st.floats(),
    "words": st.sampled_from(["a", "b", "c"]),
    "one": st.just(1.0),
    "nothing": st.none(),
}


@given(st.data(), st.sampled_from(list(COLUMNS)), st.sampled_from(list(COLUMNS)), st.integers(1, 40), st.integers(1, 3))
def test_no_columns_make_it_stumble_and_its_command_line_runs_or_it_says_why_not(data, label, prediction, n, k):
    def column(kind, size):
        values = data.draw(st.lists(st.one_of(COLUMNS[kind], COLUMNS[kind], st.none()), min_size=size, max_size=size))
        return pa.array(values, pa.string() if kind == "words" else pa.float64())

    drawn = {"y": column(label, n), **{f"p{at}": column(prediction, n) for at in range(k)}}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/data.parquet"
        pq.write_table(pa.table(drawn), path)
        found = diagnose(path, label=["y"], prediction=["p*"], command=[path])
        json.dumps(found.to_dict(), allow_nan=False)
        statuses = [run([*shlex.split(line)[1:], "-qq"]) for line in found.commands]
    if found.runs:
        assert statuses == [0]
    else:
        assert not any(status == 0 for status in statuses)
        assert found.findings or not found.commands


# ---- the same for any cut


@pytest.mark.parametrize(
    "name", ["inverted", "leak", "nulls", "duplicate-ids", "heavy-tail", "columns-in-another-order"]
)
def test_the_diagnosis_does_not_depend_on_threads_or_on_how_the_rows_are_cut(lossctl, tmp_path, name):
    data, arguments = TABLE[name][0]
    data = {key: np.tile(np.asarray(values), 40) for key, values in data.items()}
    table = pa.table({key: pa.array(list(values)) for key, values in data.items()})
    whole, halves = tmp_path / "whole.parquet", [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    pq.write_table(table, whole, row_group_size=700)
    cut = 3001
    pq.write_table(table.slice(0, cut), halves[0])
    pq.write_table(table.slice(cut), halves[1], row_group_size=333)
    made = []
    for paths, *engine in (
        ([whole], "--engine", "serial"),
        *(([whole], "--threads", n) for n in (1, 2, 7)),
        (halves, "--threads", 2),
    ):
        outcome = lossctl("doctor", *paths, *arguments, *engine, "--json")
        told = outcome.json
        for found in told["findings"]:
            if found["file"] == str(halves[1]):
                found["row"] += cut
            del found["file"]
        del told["files"], told["commands"]
        made.append(told)
    assert name in {it["name"] for it in made[0]["findings"]}
    assert all(one == made[0] for one in made)


@pytest.mark.parametrize("most", [3, 1000])
def test_a_sketch_is_the_same_however_the_rows_are_cut(most):
    numbers = np.random.default_rng(0).integers(0, 40, 200).astype(float)[:, None]
    whole = Sketch.of(most, hash_numbers(numbers), np.arange(200), numbers)
    for cut in (0, 1, 77, 199, 200):
        parts = [Sketch.of(most, hash_numbers(it), np.arange(len(it)), it) for it in (numbers[:cut], numbers[cut:])]
        added = parts[0] + parts[1].shift(cut)
        for name in ("hashes", "counts", "first", "again", "numbers"):
            assert np.array_equal(getattr(added, name), getattr(whole, name)), name
    for value, count, first, again in zip(whole.numbers[:, 0], whole.counts, whole.first, whole.again, strict=True):
        places = np.flatnonzero(numbers[:, 0] == value)
        assert (count, first) == (len(places), places[0])
        assert again == (places[1] if len(places) > 1 else NEVER)


def test_words_are_told_apart_column_by_column():
    one = hash_words([["a", "ab", "", None], ["bc", "c", "x", "x"]])
    assert len(set(one.tolist())) == 4
    assert np.array_equal(one, hash_words([["a", "ab", "", None], ["bc", "c", "x", "x"]]))


# ---- statistics


def case_of(data, *arguments):
    """The facts of one small data set."""
    from lossctl.doctor.diagnosis import _layout
    from lossctl.doctor.gather import gather
    from lossctl.evaluation.plan import Request
    from lossctl.inference.facts import no_facts
    from lossctl.inference.fit import fit
    from lossctl.reading.format import open_source

    source = open_source(data)
    layout, _ = _layout(source, Request((), ("y",), ("p",)), ())
    facts = sum((gather(layout, shard) for shard in source.shards()), no_facts(layout))
    return Case(facts, layout, 0, fit(facts, layout, 0))


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    data = changed(binary(500), p=np.round(binary(500)["p"], 1))  # with ties
    area, z = area_under_curve(case_of(data))
    assert area == pytest.approx(roc_auc_score(data["y"], data["p"]), rel=1e-12)
    ranked = stats.mannwhitneyu(data["p"][data["y"] == 1], data["p"][data["y"] == 0], use_continuity=False)
    assert z == pytest.approx(abs(stats.norm.isf(ranked.pvalue / 2)), rel=0.05)  # which corrects for ties


def test_the_rank_correlation_is_that_of_scipy():
    data = changed(regression(500), p=np.round(regression(500)["p"]))
    found, _ = rank_correlation(case_of(data))
    assert found == pytest.approx(stats.spearmanr(data["y"], data["p"]).statistic, rel=1e-12)


def test_the_rank_correlation_of_many_rows_is_estimated_from_a_sample():
    rng = np.random.default_rng(3)
    y = rng.normal(size=100_000)
    data = {"y": y, "p": y + rng.normal(size=len(y))}
    found, _ = rank_correlation(case_of(data))
    assert found == pytest.approx(stats.spearmanr(data["y"], data["p"]).statistic, abs=0.05)


@pytest.mark.parametrize("n", [1, 50, 100, 101, 1000])
def test_the_top_share_is_that_of_the_sorted_rows(n):
    losses = np.random.default_rng(n).exponential(size=n) ** 3
    kept = Distribution.of(losses)
    top = np.sort(losses)[::-1][: math.ceil(0.01 * n)]
    assert top_share(kept.values, kept.counts) == pytest.approx(top.sum() / losses.sum(), rel=1e-12)


def test_an_outlier_alone_does_not_invert_a_model(doctor):
    data = regression()
    data["p"][0], data["y"][0] = 1e9, -1e9
    assert np.corrcoef(data["y"], data["p"])[0, 1] < -0.9
    assert "inverted" not in named(doctor(data, *SCALAR))


def test_ids_beyond_the_bound_are_a_sample_and_it_is_said(monkeypatch):
    small = 100
    assert small < IDS
    for module in ("facts", "gathering"):
        monkeypatch.setattr(f"lossctl.{module}.IDS", small)
    monkeypatch.setattr(
        "lossctl.inference.facts.NOBODY", Sketch.of(small, np.empty(0, np.uint64), np.empty(0, np.int64))
    )
    data = changed(regression(1000), id=np.arange(1000))
    assert {it.name for it in diagnose(data).findings} == {"ids-not-all-checked"}
    data["id"] = np.arange(1000) // 2
    (found,) = diagnose(data).findings
    assert found.name == "duplicate-ids"
    assert "sample of 100 ids" in found.what


def test_the_library_takes_what_evaluate_takes():
    found = diagnose({"label": b["y"], "prediction": b["p"]})
    assert found.models[0].task == "binary classification"
    assert not found.suspicious
    assert found.commands == ("lossctl eval -y label -p prediction -l bce",)
    with pytest.raises(UsageError):
        diagnose({"label": b["y"], "prediction": b["p"]}, engine="nosuch")
    with pytest.raises(DataError):
        diagnose({"label": [], "prediction": []})


# ---- output


def test_the_json_is_strict_and_says_the_same(lossctl, tmp_path):
    data, arguments = TABLE["infinite"][0]
    path = write(tmp_path / "data.csv", data)
    told = lossctl("doctor", path, *arguments, "--json").json
    text = lossctl("doctor", path, *arguments).out
    assert told["schema_version"] == 1
    for found in told["findings"]:
        assert found["what"] in text
        assert found["advice"] in text
    assert all(line in text for line in told["commands"])


def test_quiet_twice_says_nothing_but_the_status(lossctl, tmp_path):
    path = write(tmp_path / "data.csv", TABLE["inverted"][0][0])
    outcome = lossctl("doctor", path, "--strict", "-qq")
    assert (outcome.status, outcome.out, outcome.err) == (1, "", "")


def test_a_column_cannot_command_the_terminal(lossctl, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("\x1b[31my,p\n" + "".join(f"{it % 2},0.{it + 1}\n" for it in range(8)))
    for arguments in ((), ("-y", "#1", "-p", "#2")):
        assert "\x1b" not in lossctl("doctor", path, *arguments).out


def test_the_name_of_a_class_cannot_command_the_terminal(lossctl, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("y,p\n" + "".join(f"\x1b[3{it % 2}m,0.{it + 1}\n" for it in range(8)))
    assert "\x1b" not in lossctl("doctor", path).out


def golden_files():
    """Path and text of every golden file: ``python tests/test_doctor.py`` writes them."""
    from lossctl.cli.commands.doctor import page

    data = changed(b, p=at(1 - b["p"], 3, None), id=np.arange(N) // 2)
    shown = {
        "findings": diagnose(data, label=["y"], prediction=["p"], command=["preds.csv"]),
        "columns": diagnose(m, command=["preds.csv"]),
    }
    for (name, found), width in itertools.product(shown.items(), (80, 120)):
        yield GOLDEN / f"{name}-{width}.txt", page(found, Style(width, color=False, precision=6), boxed=True)
    yield GOLDEN / "findings-plain.txt", page(shown["findings"], Style(80, color=False, precision=6), boxed=False)


@pytest.mark.lowest
def test_the_drawing_is_that_of_the_golden_files():
    for path, text in golden_files():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_nothing_drawn_is_wider_than_the_terminal_but_a_command_line():
    for path, text in golden_files():
        if "plain" not in path.name:
            width = int(path.stem.rpartition("-")[2])
            assert all(len(line) <= width or line.startswith("  lossctl ") for line in text.splitlines()), path.name


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for golden, words_ in golden_files():
        golden.write_text(words_, encoding="utf-8")
