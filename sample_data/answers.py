"""Work out the right answers for the sample data, independently of lossctl.

Reads the CSV files with the standard library, takes every number as the double nearest to its text and
evaluates the textbook formulas with mpmath at 50 digits. Neither lossctl nor numpy is used.

    python answers.py            write answers.json next to this script
    python answers.py --check    exit 1 if answers.json differs from a recomputation
"""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

from mpmath import mp, mpf

HERE = Path(__file__).resolve().parent
ANSWERS = HERE / "answers.json"
mp.dps = 50

RECIPE = (
    "mpmath at 50 digits from the CSV text, each number and loss parameter taken as its nearest double; "
    "results rounded to the nearest double. value: sum(w*l)/sum(w), w = 1 without weights; its square root "
    "for rmse and rmsle; sum(w*l) for l1 and l2. standard_error: mean L: "
    "SE^2 = n/(n-1) * sum(w^2*(l-L)^2) / sum(w)^2; root: SE(mean) / (2*sqrt(mean)); sum: "
    "SE^2 = n/(n-1) * sum((w*l - mean(w*l))^2). gradient: norms over all rows i and columns k of "
    "w_i*g_ik/sum(w), g the derivative of the row loss with respect to the prediction."
)
SUMS = {"l1", "l2"}
ROOTS = {"rmse", "rmsle"}
CLASS_COLUMNS = ["p_bird", "p_cat", "p_dog"]
REGRESSION = [
    "mse",
    "rmse",
    "l2",
    "mae",
    "l1",
    "msle",
    "rmsle",
    "mape",
    "huber",
    "huber:delta=0.5",
    "log_cosh",
]
BINARY = ["bce", "focal", "focal:gamma=2,alpha=none", "bce:pos_weight=3", "bce:label_smoothing=0.1", "mse"]

Row = dict[str, str]
Params = dict[str, str]


def number(text: str) -> mpf:
    return mpf(float(text))


def nearest_double(x: mpf) -> float:
    return float(mp.nstr(x, 40))


def parse(spec: str) -> tuple[str, Params]:
    """The name and the options of a loss: huber:delta=0.5 is huber with {"delta": "0.5"}."""
    name, _, options = spec.partition(":")
    return name, dict(option.split("=") for option in options.split(",") if option)


def regression_loss(name: str, params: Params, y: mpf, p: mpf) -> mpf:
    e = p - y
    if name in ("mse", "rmse", "l2"):
        return e**2
    if name in ("mae", "l1"):
        return abs(e)
    if name in ("msle", "rmsle"):
        return (mp.log(1 + p) - mp.log(1 + y)) ** 2
    if name == "mape":
        return 100 * abs(e) / abs(y)
    if name == "huber":
        delta = number(params.get("delta", "1"))
        return e**2 / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2)
    if name == "log_cosh":
        return mp.log(mp.cosh(e))
    raise ValueError(name)


def class_balance(alpha: str, y: mpf) -> mpf:
    """The alpha_t of the focal loss."""
    if alpha == "none":
        return mpf(1)
    return number(alpha) if y == 1 else 1 - number(alpha)


def binary_loss(name: str, params: Params, y: mpf, p: mpf) -> mpf:
    if name == "bce":
        smoothing = number(params.get("label_smoothing", "0"))
        pos_weight = number(params.get("pos_weight", "1"))
        target = y * (1 - smoothing) + smoothing / 2
        return -pos_weight * target * mp.log(p) - (1 - target) * mp.log(1 - p)
    gamma, alpha = number(params.get("gamma", "2")), params.get("alpha", "0.25")
    p_true = p if y == 1 else 1 - p
    return -class_balance(alpha, y) * (1 - p_true) ** gamma * mp.log(p_true)


def margin_loss(name: str, params: Params, y: mpf, score: mpf) -> mpf:
    if name == "exponential":
        return mp.exp(-y * score)
    short = max(mpf(0), number(params.get("margin", "1")) - y * score)
    return short**2 if name == "squared_hinge" else short


def poisson_loss(params: Params, y: mpf, p: mpf) -> mpf:
    constant = mp.loggamma(y + 1) if params.get("full") == "lgamma" else mpf(0)
    return p - y * mp.log(p) + constant


def class_loss(name: str, params: Params, row: Row) -> mpf:
    smoothing = number(params.get("label_smoothing", "0"))
    if name == "nll":
        return -mp.log(number(row["p_" + row["label"]]))
    total = mpf(0)
    for column in CLASS_COLUMNS:
        target = int(column == "p_" + row["label"]) * (1 - smoothing) + smoothing / len(CLASS_COLUMNS)
        total -= target * mp.log(number(row[column]))
    return total


def row_loss(question: dict[str, Any], row: Row) -> mpf:
    name, params = parse(question["loss"])
    if name in ("cross_entropy", "nll"):
        return class_loss(name, params, row)
    y, p = number(row[question["label"]]), number(row[question["prediction"][0]])
    if question["from_logits"]:
        p = 1 / (1 + mp.exp(-p))
    if name in ("bce", "focal"):
        return binary_loss(name, params, y, p)
    if name in ("hinge", "squared_hinge", "exponential"):
        return margin_loss(name, params, y, p)
    if name == "poisson":
        return poisson_loss(params, y, p)
    return regression_loss(name, params, y, p)


def row_gradient(question: dict[str, Any], row: Row) -> mpf:
    """The only component that is not zero; for cross_entropy that of the true class."""
    if question["loss"] == "cross_entropy":
        return -1 / number(row["p_" + row["label"]])
    y, p = number(row[question["label"]]), number(row[question["prediction"][0]])
    if question["loss"] == "bce":
        return (p - y) / (p * (1 - p))
    return max(mpf(-1), min(mpf(1), p - y))  # huber with delta = 1


def wants_gradient(question: dict[str, Any]) -> bool:
    if question["by"] or question["from_logits"]:
        return False
    return (question["loss"], question["prediction"]) in [
        ("huber", ["prediction"]),
        ("bce", ["p_a"]),
        ("cross_entropy", CLASS_COLUMNS),
    ]


def reduce(name: str, losses: list[mpf], weights: list[mpf]) -> tuple[mpf, mpf]:
    """The reported value and its standard error."""
    n = len(losses)
    products = [w * loss for w, loss in zip(weights, losses, strict=True)]
    total, weight = mp.fsum(products), mp.fsum(weights)
    if name in SUMS:
        squares = mp.fsum((product - total / n) ** 2 for product in products)
        return total, mp.sqrt(squares * n / (n - 1))
    mean = total / weight
    squares = mp.fsum((w * (loss - mean)) ** 2 for w, loss in zip(weights, losses, strict=True))
    error = mp.sqrt(squares * n / (n - 1)) / weight
    if name in ROOTS:
        return mp.sqrt(mean), error / (2 * mp.sqrt(mean))
    return mean, error


def gradient_norms(gradients: list[mpf], weights: list[mpf]) -> dict[str, float]:
    weight = mp.fsum(weights)
    parts = [abs(w * g / weight) for w, g in zip(weights, gradients, strict=True)]
    norms = {"l2": mp.sqrt(mp.fsum(part**2 for part in parts)), "l1": mp.fsum(parts), "linf": max(parts)}
    return {name: nearest_double(norm) for name, norm in norms.items()}


def answer(question: dict[str, Any], group: str | None, rows: list[Row]) -> dict[str, Any]:
    losses = [row_loss(question, row) for row in rows]
    weights = [number(row[question["weight"]]) if question["weight"] else mpf(1) for row in rows]
    value, error = reduce(parse(question["loss"])[0], losses, weights)
    result = {
        **question,
        "group": group,
        "n": len(rows),
        "value": nearest_double(value),
        "standard_error": nearest_double(error),
    }
    if wants_gradient(question):
        result["gradient"] = gradient_norms([row_gradient(question, row) for row in rows], weights)
    return result


def ask(
    file: str,
    loss: str,
    prediction: list[str],
    label: str = "label",
    weight: str | None = None,
    by: str | None = None,
    from_logits: bool = False,
) -> dict[str, Any]:
    return {
        "file": file,
        "loss": loss,
        "label": label,
        "prediction": prediction,
        "weight": weight,
        "by": by,
        "from_logits": from_logits,
    }


def questions() -> list[dict[str, Any]]:
    asked = []
    for weight in (None, "weight"):
        asked += [ask("regression.csv", loss, ["prediction"], "y", weight) for loss in REGRESSION]
        for loss in ("mse", "huber"):
            asked.append(ask("regression.csv", loss, ["prediction"], "y", weight, "segment"))
    for column in ("p_a", "p_b"):
        for weight in (None, "weight"):
            asked += [ask("binary.csv", loss, [column], weight=weight) for loss in BINARY]
        asked.append(ask("binary.csv", "bce", [column], weight="weight", by="segment"))
    asked += [ask("logits.csv", loss, ["logit"], from_logits=True) for loss in ("bce", "focal")]
    for loss in ("cross_entropy", "cross_entropy:label_smoothing=0.1", "nll"):
        asked.append(ask("classes.csv", loss, CLASS_COLUMNS))
    asked += [ask("counts.csv", loss, ["prediction"]) for loss in ("poisson", "poisson:full=lgamma", "mse")]
    for loss in ("hinge", "hinge:margin=0.5", "squared_hinge", "exponential"):
        asked.append(ask("scores.csv", loss, ["score"]))
    return asked


def read(file: str) -> list[Row]:
    with open(HERE / file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def answers() -> list[dict[str, Any]]:
    found = []
    for question in questions():
        rows, by = read(question["file"]), question["by"]
        if by is None:
            found.append(answer(question, None, rows))
            continue
        for group in sorted({row[by] for row in rows}):
            found.append(answer(question, group, [row for row in rows if row[by] == group]))
    return found


def answers_text() -> str:
    """Strict JSON, one answer a line."""
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in answers())
    return f'{{"recipe": {json.dumps(RECIPE)},\n"answers": [\n{lines}\n]}}\n'


def main() -> int:
    parser = argparse.ArgumentParser(description="Work out the answers for the sample data.")
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 on a difference")
    check = parser.parse_args().check
    text = answers_text()
    if not check:
        ANSWERS.write_bytes(text.encode())
        return 0
    if ANSWERS.exists() and ANSWERS.read_bytes() == text.encode():
        return 0
    print("answers.json differs from a recomputation", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
