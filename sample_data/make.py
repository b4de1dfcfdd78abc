"""Make the sample data: small, invented files, each as CSV and as Parquet of the same doubles.

regression  house prices (in 100 000) and a model's estimates, with a few gross errors
binary      customers who left (1) or stayed (0), with the probabilities of two models;
            p_a is overconfident, p_b is better calibrated
logits      the raw outputs of a binary classifier, before the sigmoid
classes     photos of birds, cats and dogs with three probabilities that sum to 1
counts      service calls a day in four regions and the predicted rates
scores      the signed scores of a maximum-margin classifier
clicks      advertisements shown to 150 users, with the probabilities of two models: p_new is better than p_main;
            the rows of a user move together
clicks_main, clicks_worse
            the same rows as two builds predict them: main, and a change that made it worse

    python make.py            write the files next to this script
    python make.py --check    exit 1 if the files differ from what would be written
"""

import argparse
import csv
import io
import math
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
SEED = 20240613

Row = list[str]


def sigmoid(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def clip(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def draw_poisson(rng: random.Random, rate: float) -> int:
    """One Poisson count: how many uniform factors keep the product above exp(-rate)."""
    limit, product, count = math.exp(-rate), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def regression(rng: random.Random) -> list[Row]:
    rows = [["id", "segment", "y", "prediction", "weight"]]
    level = {"north": 1.1, "south": 1.35, "west": 1.6}
    gross = set(rng.sample(range(1, 601), 18))  # 3 % of the rows
    for i in range(1, 601):
        segment = rng.choice(list(level))
        price = clip(math.exp(rng.gauss(level[segment], 0.45)), 1.0 + 0.2 * rng.random(), 12.0)
        error = rng.gauss(0.0, 0.4)
        if i in gross:
            error = rng.choice([-1.0, 1.0]) * rng.uniform(3.0, 8.0)
        if price + error < 0.2:  # no model estimates a price below zero
            error = -error
        weight = rng.uniform(0.5, 3.0)
        rows.append([str(i), segment, f"{price:.4f}", f"{price + error:.4f}", f"{weight:.3f}"])
    return rows


def binary(rng: random.Random) -> list[Row]:
    rows = [["id", "segment", "weight", "label", "p_a", "p_b"]]
    level = {"mobile": -1.1, "desktop": -1.6, "tablet": -1.4}
    for i in range(1, 801):
        segment = rng.choices(list(level), weights=[5, 3, 2])[0]
        truth = rng.gauss(level[segment], 1.4)
        label = int(rng.random() < sigmoid(truth))
        p_a = clip(sigmoid(2.2 * truth + rng.gauss(0.0, 0.9)), 0.001, 0.999)
        p_b = clip(sigmoid(truth + rng.gauss(0.0, 0.35)), 0.001, 0.999)
        weight = rng.uniform(0.5, 3.0)
        rows.append([str(i), segment, f"{weight:.3f}", str(label), f"{p_a:.5f}", f"{p_b:.5f}"])
    return rows


def logits(rng: random.Random) -> list[Row]:
    rows = [["label", "logit"]]
    for _ in range(400):
        logit = clip(rng.gauss(0.0, 4.5), -12.0, 12.0)
        label = int(rng.random() < sigmoid(0.6 * logit))
        rows.append([str(label), f"{logit:.4f}"])
    return rows


def classes(rng: random.Random) -> list[Row]:
    names = ["bird", "cat", "dog"]
    rows = [["label", *(f"p_{name}" for name in names)]]
    for _ in range(300):
        label = rng.choices(names, weights=[2, 4, 4])[0]
        scores = [math.exp(rng.gauss(1.8 if name == label else 0.0, 1.2)) for name in names]
        millionths = [max(1, round(1e6 * score / sum(scores))) for score in scores]
        largest = millionths.index(max(millionths))
        millionths[largest] += 1_000_000 - sum(millionths)
        rows.append([label, *(f"{m / 1e6:.6f}" for m in millionths)])
    return rows


def counts(rng: random.Random) -> list[Row]:
    rows = [["region", "label", "prediction"]]
    level = {"a": 1.2, "b": 2.5, "c": 4.5, "d": 8.0}
    for _ in range(400):
        region = rng.choice(list(level))
        rate = level[region] * math.exp(rng.gauss(0.0, 0.25))
        count = min(draw_poisson(rng, rate), 20)
        rows.append([region, str(count), f"{rate * math.exp(rng.gauss(0.0, 0.2)):.4f}"])
    return rows


def scores(rng: random.Random) -> list[Row]:
    rows = [["label", "score"]]
    for _ in range(300):
        label = rng.choice([-1, 1])
        rows.append([str(label), f"{1.1 * label + rng.gauss(0.0, 1.1):.4f}"])
    return rows


def impressions() -> list[Row]:
    """The rows that the files of clicks have in common: id, user, segment, label, and what main, new and worse say."""
    rng, rows = random.Random(SEED), []
    level = {"mobile": -0.9, "desktop": -1.4}
    for user in range(1, 151):
        segment = rng.choices(list(level), weights=[3, 2])[0]
        habit = rng.gauss(level[segment], 1.0)
        blind = rng.gauss(0.0, 0.45)  # what main does not know of this user
        for _ in range(rng.randint(2, 14)):
            truth = habit + rng.gauss(0.0, 0.9)
            label = int(rng.random() < sigmoid(truth))
            main = truth + blind + rng.gauss(0.0, 0.8)
            new = truth + 0.5 * blind + rng.gauss(0.0, 0.5)
            worse = 1.5 * main + rng.gauss(0.0, 0.6)
            said = (f"{clip(sigmoid(z), 0.001, 0.999):.5f}" for z in (main, new, worse))
            rows.append([str(len(rows) + 1), f"u{user:03d}", segment, str(label), *said])
    return rows


def clicks(_: random.Random) -> list[Row]:
    return [["id", "user", "segment", "label", "p_main", "p_new"], *(row[:6] for row in impressions())]


def clicks_main(_: random.Random) -> list[Row]:
    return [["id", "user", "segment", "label", "p"], *(row[:5] for row in impressions())]


def clicks_worse(_: random.Random) -> list[Row]:
    return [["id", "user", "segment", "label", "p"], *([*row[:4], row[6]] for row in impressions())]


MAKERS = [regression, binary, logits, classes, counts, scores, clicks, clicks_main, clicks_worse]


def csv_text(rows: list[Row]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def column(texts: Row) -> pa.Array:
    """The texts as int64, else as float64, else as strings."""
    for parse, kind in ((int, pa.int64()), (float, pa.float64())):
        try:
            return pa.array([parse(text) for text in texts], kind)
        except ValueError:
            continue
    return pa.array(texts, pa.string())


def table(text: str) -> pa.Table:
    header, *rows = csv.reader(io.StringIO(text))
    return pa.table({name: column([row[k] for row in rows]) for k, name in enumerate(header)})


def write(name: str, text: str) -> None:
    (HERE / f"{name}.csv").write_bytes(text.encode())
    pq.write_table(table(text), HERE / f"{name}.parquet", compression="snappy")


def differences(name: str, text: str) -> list[str]:
    """The files of this name that are missing or hold something else."""
    wrong = []
    csv_file, parquet_file = HERE / f"{name}.csv", HERE / f"{name}.parquet"
    if not csv_file.exists() or csv_file.read_bytes() != text.encode():
        wrong.append(csv_file.name)
    if not parquet_file.exists() or not pq.ParquetFile(parquet_file).read().equals(table(text)):
        wrong.append(parquet_file.name)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the sample data files.")
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 on a difference")
    check = parser.parse_args().check
    wrong = []
    for number, maker in enumerate(MAKERS):
        text = csv_text(maker(random.Random(SEED + number)))
        if check:
            wrong += differences(maker.__name__, text)
        else:
            write(maker.__name__, text)
    for name in wrong:
        print(f"{name} differs from what make.py makes", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
