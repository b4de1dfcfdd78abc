"""Small data sets that have a finding, and that nearly have it."""

import shlex

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

N = 200


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
logits = columns(m, np.log(matrix(m)) + 1.0)

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
    "impossible-classes": [
        case(changed(logits, p_1=at(logits["p_1"], 5, -np.inf)), vector=True),
        case(changed(logits, p_1=at(logits["p_1"], 5, -1e3)), vector=True),
    ],
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
    "several-readings": [
        case(changed(b, p=np.round(300 + 550 * b["p"]))),
        case(changed(b, p=np.log(b["p"] / (1 - b["p"])))),
    ],
    "log-rates": [case(changed(c, p=np.log(c["p"]))), case(c)],
    "outside-unit-interval": [case(changed(b, p=at(b["p"], 8, 1.0000002))), case(changed(b, p=at(b["p"], 8, 1.0)))],
    "beyond-by-rounding": [
        case(changed(b, p=at(b["p"], 5, 1.0 + 2.0**-52))),
        case(changed(b, p=at(b["p"], 5, 1.0))),
    ],
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
    "few-below-zero": [
        case(changed(r, y=r["y"] + 50, p=at(r["p"] + 50, 5, -10.0))),
        case(changed(r, y=at(r["y"] + 50, 7, -1.0), p=at(r["p"] + 50, 5, -10.0))),
    ],
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
