"""Make files that the benchmark reads, once for each number of rows: ``python benchmarks/data.py ROWS FILE …``."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

CACHE = Path(__file__).parent / "data"
SEED = 7
ROW_GROUP = 1_000_000
GROUPS = 1_000
CLASSES = 1_000
USERS = 1_000_000
FEW_GROUPS = 10
LARGER = 5
"""How many times the plain file makes the large one."""
SMALLER = 10
"""How many times smaller the files of many groups are."""

Maker = Callable[[int, Path], Iterator[pa.Table]]
MAKERS: dict[str, tuple[Maker, int]] = {}


def file(name: str, row_group: int = ROW_GROUP) -> Callable[[Maker], Maker]:
    """Register what yields the tables of a file, from the number of rows and the folder."""

    def register(maker: Maker) -> Maker:
        MAKERS[name] = maker, row_group
        return maker

    return register


def pieces(rows: int, size: int = ROW_GROUP) -> Iterator[tuple[np.random.Generator, int]]:
    """For each piece of some rows a generator of its own, and how many rows it has."""
    for at, start in enumerate(range(0, rows, size)):
        yield np.random.default_rng([SEED, at]), min(size, rows - start)


@file("plain.parquet")
def plain(rows: int, _: Path) -> Iterator[pa.Table]:
    """Labels are normal, errors have heavy tails, probabilities are calibrated."""
    for rng, n in pieces(rows):
        label, prob = rng.normal(size=n), rng.uniform(0.001, 0.999, n)
        yield pa.table(
            {
                "label": label,
                "pred": label + 0.5 * rng.standard_t(3, n),
                "prob": prob,
                "y01": (rng.random(n) < prob).astype(np.int8),
                "f1": label + rng.normal(size=n),
                "group": rng.integers(0, GROUPS, n, dtype=np.int32),
            }
        )


def again(name: str, columns: list[str] | None = None) -> Callable[[int, Path], Iterator[pa.Table]]:
    """Some columns of a file that was made before."""

    def read(rows: int, folder: Path) -> Iterator[pa.Table]:
        source = pq.ParquetFile(make(name, rows, folder))
        for group in range(source.num_row_groups):
            yield source.read_row_group(group, columns)

    return read


@file("plain.csv")
def quarter(rows: int, folder: Path) -> Iterator[pa.Table]:
    """The first quarter of the plain file."""
    left = max(rows // 4, 1)
    for table in again("plain.parquet")(rows, folder):
        yield table.slice(0, left)
        left -= min(left, len(table))


def grouped(rows_of_each: int) -> Maker:
    """A tenth of the rows, in groups of so many on average, in any order."""

    def draw(rows: int, folder: Path) -> Iterator[pa.Table]:
        few = max(rows // SMALLER, 1)
        rng = np.random.default_rng([SEED, rows_of_each])
        order = rng.permutation(few).astype(np.int32) // rows_of_each
        at = 0
        for table in again("plain.parquet", ["label", "pred"])(rows, folder):
            part = table.slice(0, few - at)
            yield part.append_column("group", pa.array(order[at : at + len(part)]))
            at += len(part)
            if at == few:
                return

    return draw


file("many_groups.parquet")(grouped(20))
file("most_groups.parquet")(grouped(1))


@file("small.csv")
def small(_: int, folder: Path) -> Iterator[pa.Table]:
    """A thousand rows: what a command costs before it does anything."""
    yield next(plain(1_000, folder))


@file("large.parquet")
def large(rows: int, folder: Path) -> Iterator[pa.Table]:
    """The row groups of the plain file, again and again."""
    for _ in range(LARGER):
        yield from again("plain.parquet")(rows, folder)


@file("one_group.parquet", row_group=1 << 62)
def one_group(rows: int, folder: Path) -> Iterator[pa.Table]:
    """All rows in one row group."""
    yield pa.concat_tables(again("plain.parquet", ["label", "pred"])(rows, folder))


@file("tiny_groups.parquet", row_group=0)
def tiny_groups(rows: int, folder: Path) -> Iterator[pa.Table]:
    """The same rows in five thousand row groups."""
    (whole,) = one_group(rows, folder)
    size = max(rows // 5_000, 1)
    for start in range(0, rows, size):
        yield whole.slice(start, size)


@file("categories.parquet")
def categories(rows: int, folder: Path) -> Iterator[pa.Table]:
    """Labels as pandas writes a Categorical: a dictionary of words."""
    for table in again("plain.parquet", ["y01", "prob"])(rows, folder):
        words = pa.DictionaryArray.from_arrays(table["y01"].combine_chunks(), pa.array(["no", "yes"]))
        yield pa.table({"label": words, "prob": table["prob"]})


@file("float64.parquet")
def whole_numbers(rows: int, _: Path) -> Iterator[pa.Table]:
    """Whole numbers from -100 to 100, which every type below can say."""
    for rng, n in pieces(rows):
        label, error = rng.integers(-90, 91, n), rng.integers(-10, 11, n)
        yield pa.table({"label": label.astype(np.float64), "pred": (label + error).astype(np.float64)})


def typed(kind: pa.DataType) -> Maker:
    """The whole numbers in another type."""

    def cast(rows: int, folder: Path) -> Iterator[pa.Table]:
        for table in again("float64.parquet")(rows, folder):
            yield table.cast(pa.schema([("label", kind), ("pred", kind)]))

    return cast


TYPES = {"float32": pa.float32(), "int8": pa.int8(), "decimal": pa.decimal128(9, 2)}
for _name, _kind in TYPES.items():
    file(f"{_name}.parquet")(typed(_kind))


@file("narrow.parquet", row_group=ROW_GROUP // 100)
def narrow(rows: int, folder: Path) -> Iterator[pa.Table]:
    """The rows of the wide file, with two columns."""
    for table in wide(rows, folder):
        yield table.select(["label", "pred"])


@file("wide.parquet", row_group=ROW_GROUP // 100)
def wide(rows: int, _: Path) -> Iterator[pa.Table]:
    """Two columns that are used and 998 that are not."""
    for rng, n in pieces(max(rows // 200, 1), ROW_GROUP // 100):
        label = rng.normal(size=n)
        features = rng.normal(size=(998, n)).astype(np.float32)
        yield pa.table(
            {"label": label, "pred": label + rng.normal(size=n)} | {f"f{at}": it for at, it in enumerate(features)}
        )


@file("pairs.parquet")
def pairs(rows: int, _: Path) -> Iterator[pa.Table]:
    """Two models whose errors have most in common, of numbers and of probabilities; users, weights, few groups."""
    for rng, n in pieces(rows):
        label, prob, error = rng.normal(size=n), rng.uniform(0.01, 0.99, n), rng.standard_t(3, n)
        yield pa.table(
            {
                "label": label,
                "a": label + 0.5 * error,
                "b": label + 0.5 * (error + 0.2 * rng.normal(size=n)),
                "y01": (rng.random(n) < prob).astype(np.int8),
                "prob_a": prob,
                "prob_b": 1.0 / (1.0 + (1.0 / prob - 1.0) * np.exp(0.3 * rng.normal(size=n))),
                "user": rng.integers(0, USERS, n),
                "weight": rng.lognormal(0.0, 0.5, n),
                "group": rng.integers(0, FEW_GROUPS, n, dtype=np.int32),
            }
        )


def vectors(name: str) -> Maker:
    """Scores of a thousand classes and a label drawn from their softmax: ``logit`` or ``prob``, one list a row."""

    def draw(rows: int, _: Path) -> Iterator[pa.Table]:
        for rng, n in pieces(max(rows // 200, 1), ROW_GROUP // 100):
            logit = rng.normal(scale=2.0, size=(n, CLASSES))
            label = (logit + rng.gumbel(size=(n, CLASSES))).argmax(axis=1).astype(np.int32)
            label[0] = 0  # few rows leave no doubt either that labels count from 0
            odds = np.exp(logit - logit.max(axis=1, keepdims=True))
            values = logit if name == "logit" else odds / odds.sum(axis=1, keepdims=True)
            yield pa.table(
                {
                    "label": label,
                    name: pa.ListArray.from_arrays(
                        np.arange(0, n * CLASSES + 1, CLASSES, dtype=np.int32), values.ravel()
                    ),
                }
            )

    return draw


def apart(name: str) -> Maker:
    """The same rows with a column for each class."""

    def spread(rows: int, folder: Path) -> Iterator[pa.Table]:
        for table in again(f"{name}_list.parquet")(rows, folder):
            matrix = pc.list_flatten(table[name]).to_numpy().reshape(len(table), CLASSES)
            yield pa.table({"label": table["label"]} | {f"c{at}": matrix[:, at] for at in range(CLASSES)})

    return spread


for _name in ("logit", "prob"):
    file(f"{_name}_list.parquet", row_group=ROW_GROUP // 100)(vectors(_name))
    file(f"{_name}_columns.parquet", row_group=ROW_GROUP // 100)(apart(_name))


def make(name: str, rows: int, folder: Path) -> Path:
    """Write a file, unless it is there."""
    path = folder / name
    if path.exists():
        return path
    print(f"making {path}", file=sys.stderr)
    maker, row_group = MAKERS[name]
    unfinished = path.with_suffix(".part")
    writer: pq.ParquetWriter | pa.csv.CSVWriter | None = None
    for table in maker(rows, folder):
        if path.suffix == ".csv":
            writer = writer or pa.csv.CSVWriter(unfinished, table.schema)
            writer.write_table(table)
        else:
            writer = writer or pq.ParquetWriter(unfinished, table.schema)
            writer.write_table(table, row_group_size=row_group or len(table))
    if writer is not None:
        writer.close()
    unfinished.rename(path)
    return path


def paths(rows: int, *, large: bool = False) -> dict[str, Path]:
    """Where each file is, or will be."""
    return {name: CACHE / str(rows) / name for name in MAKERS if name != "large.parquet" or large}


def main() -> None:
    """Make what is missing of the files that are named."""
    rows, *names = sys.argv[1:]
    folder = CACHE / rows
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        make(name, int(rows), folder)
    os.sync()  # what is still being written would slow down the first runs


if __name__ == "__main__":
    main()
