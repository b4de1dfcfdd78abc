"""Files as people have them, whose columns nobody has named: of data of scikit-learn's, and of made-up numbers.

python tests/first_contact.py FOLDER    write them
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def write_all(folder: Path) -> None:
    """Write the files."""
    rng = np.random.default_rng(13)
    features, species = load_iris(return_X_y=True)
    names = load_iris().target_names
    probability = LogisticRegression(max_iter=500).fit(features, species).predict_proba(features)

    def csv(name: str, columns: dict, *, index: bool = False) -> None:
        pd.DataFrame(columns).to_csv(folder / name, index=index)

    price = np.exp(rng.normal(12, 0.4, 200)).round()
    csv("submission.csv", {"Id": np.arange(200), "SalePrice": (price * np.exp(rng.normal(0, 0.1, 200))).round(2)})
    csv("solution.csv", {"Id": np.arange(200), "SalePrice": price})
    named = {name: probability[:, place] for place, name in enumerate(names)}
    csv("predict_proba.csv", {"species": names[species], **named}, index=True)
    csv("predict_proba_numbered.csv", {**dict(enumerate(probability.T)), "y_true": species})
    hot = np.eye(3)[species]
    softmax = {f"softmax_{place}": probability[:, place] for place in range(3)}
    csv("keras.csv", {**{f"y_{place}": hot[:, place] for place in range(3)}, **softmax})
    scores = rng.normal(size=(60, 5))
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    lines = [
        json.dumps({"token": int(token), "logprobs": row.tolist()})
        for token, row in zip(rng.integers(0, 5, 60), logs, strict=True)
    ]
    (folder / "tokens.jsonl").write_text("\n".join(lines) + "\n")
    sales = rng.gamma(3, 50, 100).round(1)
    sales[[3, 50]] = np.nan
    dates = pd.date_range("2024-01-01", periods=100).astype(str)
    forecast = rng.gamma(3, 50, 100).round(1)
    csv("sales.csv", {"date": dates, "store": rng.integers(1, 4, 100), "sales": sales, "forecast": forecast})
    topics = (rng.random((80, 3)) < 0.4).astype(int)
    chance = np.clip(topics * 0.5 + rng.random((80, 3)) * 0.5, 0.01, 0.99)
    truth = {f"y_{topic}": topics[:, place] for place, topic in enumerate(["news", "sport", "art"])}
    guess = {f"p_{topic}": chance[:, place] for place, topic in enumerate(["news", "sport", "art"])}
    csv("multi_label.csv", {"id": np.arange(80), **truth, **guess})
    level = rng.normal(10, 2, 100)
    quantiles = {"q0.1": level - 1.3, "q0.5": level, "q0.9": level + 1.3}
    csv("quantiles.csv", {"y": level + rng.normal(size=100), **quantiles})
    cancer = load_breast_cancer()
    scaled = StandardScaler().fit_transform(cancer.data)
    model = LogisticRegression(max_iter=500).fit(scaled, cancer.target)
    risk = model.predict_proba(scaled)[:, 1].round(6).clip(1e-6, 1 - 1e-6)
    decisions = {"Predicted": model.predict(scaled), "y_proba": risk}
    csv("decisions.csv", {"target": cancer.target, **decisions}, index=True)
    csv("diagnosis.csv", {"diagnosis": np.array(["malignant", "benign"])[cancer.target], **decisions}, index=True)
    csv("unnamed.csv", {"survived": cancer.target, "risk": risk})
    csv("price_pred.csv", {"Price": price, "Price Pred": (price * 1.02).round(2)})


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
