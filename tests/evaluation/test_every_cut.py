"""Neither shards, files, format nor the order of rows can change a digit of a report."""

import csv
import itertools
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from figures import digits
from hypothesis import given
from hypothesis import strategies as st
from stored import write_groups
from ways import LARGE, run

import lossctl
from lossctl.evaluation import measure
from lossctl.evaluation.engine import engines
from lossctl.reading import memory
from lossctl.reading.formats import delimited
from lossctl.sums import digits as sums

pytestmark = pytest.mark.usefixtures("at_the_cluster")


@pytest.mark.parametrize("sizes", [[], [1], [80_000], [1, 1, 1], [65_536]], ids=str)
def test_row_groups_cannot_change_a_digit(many_scales, answer, tmp_path, sizes):
    path = write_groups(many_scales, tmp_path / "rows.parquet", sizes)
    assert digits(run(path, LARGE, gradient=True, samples=4)) == digits(answer)


def test_one_file_is_the_same_as_its_rows_in_ten(many_scales, answer, tmp_path):
    paths = []
    for at in range(10):
        cut = slice(at * 11_111, None if at == 9 else (at + 1) * 11_111)
        paths.append(
            write_groups(many_scales.slice(cut.start, None if at == 9 else 11_111), tmp_path / f"{at}.parquet", [500])
        )
    found = run(paths, LARGE, gradient=True, samples=4)
    assert digits(found, without=["samples"]) == digits(answer, without=["samples"])
    for one, other in zip(found.results, answer.results, strict=True):
        rows = [replace(it, file=None, row=int(Path(it.file).stem) * 11_111 + it.row) for it in one.samples]
        assert rows == list(other.samples)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_cannot_change_a_digit(many_scales, answer, seed):
    order = np.random.default_rng(seed).permutation(many_scales.num_rows)
    found = run(many_scales.take(order), LARGE, gradient=True, samples=4)
    assert digits(found, without=["samples"]) == digits(answer, without=["samples"])
    assert [[it.value for it in one.samples] for one in found.results] == [
        [it.value for it in one.samples] for one in answer.results
    ]


def test_neither_the_blocks_of_a_kernel_nor_those_of_a_sum_can_change_a_digit(many_scales, answer, monkeypatch):
    monkeypatch.setattr(measure, "BLOCK", 1 << 12)
    monkeypatch.setattr(sums, "BLOCK", 1 << 10)
    assert digits(run(many_scales, LARGE, gradient=True, samples=4)) == digits(answer)


def as_frame(table):
    return table.to_pandas()


def as_mapping(table):
    return {name: table[name].to_numpy() for name in table.column_names}


def as_chunks(table):
    return pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1, 27_777), table.slice(27_778)])


@pytest.mark.parametrize("made", [pa.Table.combine_chunks, as_frame, as_mapping, as_chunks], ids=lambda it: it.__name__)
def test_a_table_in_memory_is_the_same_as_a_file(many_scales, answer, made, monkeypatch):
    assert digits(run(made(many_scales), LARGE, gradient=True, samples=4)) == digits(answer)
    monkeypatch.setattr(memory, "ROWS", 34_321)
    assert digits(run(made(many_scales), LARGE, gradient=True, samples=4)) == digits(answer)


@pytest.mark.parametrize("size", [1 << 14, 1 << 17, 1 << 23])
def test_csv_is_the_same_as_parquet_of_the_same_doubles(many_scales, tmp_path, monkeypatch, size):
    """Every double is written in its shortest exact form and read back as itself."""
    part = many_scales.slice(0, 4000)
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(part.column_names)
        writer.writerows(zip(*(part[name].to_pylist() for name in part.column_names), strict=True))
    monkeypatch.setattr(delimited, "RANGE", size)
    expected = run(part, LARGE, gradient=True, samples=4, engine="serial")
    for engine in engines:
        assert digits(run(path, LARGE, gradient=True, samples=4, engine=engine.name, threads=2)) == digits(expected)


@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_any_double_survives_the_way_through_text(values, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("label,prediction\n" + "".join(f"0,{value!r}\n" for value in values))
    found = lossctl.evaluate(path, "mae", samples=len(values))
    expected = lossctl.evaluate({"label": np.zeros(len(values)), "prediction": values}, "mae", samples=len(values))
    assert digits(found) == digits(expected)


WIDE = [
    {"loss": "mse", "label": "v", "prediction": "u"},
    {"loss": "cross_entropy", "label": "class", "prediction": "u", "from_logits": True},
    {"loss": "cross_entropy", "label": "class", "prediction": "s"},
    {"loss": "cross_entropy", "label": "t", "prediction": "s"},
    {"loss": "kl_divergence", "label": "t", "prediction": "s"},
    {"loss": "cosine_proximity", "label": "v", "prediction": "u"},
    {"loss": "huber", "label": "v", "prediction": "u", "activation": "sigmoid"},
    {"loss": "bce", "label": "t", "prediction": "u", "activation": "sigmoid"},
]


@pytest.mark.parametrize("samples", [0, 5], ids=["figures", "worst rows"])
@pytest.mark.parametrize("asked", WIDE, ids=lambda asked: "-".join(map(str, asked.values())))
def test_the_rows_that_travel_together_cannot_change_a_digit_of_a_vector(asked, samples):
    """NumPy sums a row of 40 columns in an order that depends on the layout of the array around it."""
    rng = np.random.default_rng(2)
    n, k = 150, 40
    scores, soft = rng.normal(scale=3, size=(n, k)), rng.normal(size=(n, k))
    columns = {
        "u": scores,
        "v": rng.normal(size=(n, k)),
        "s": np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
        "t": np.exp(soft) / np.exp(soft).sum(axis=1, keepdims=True),
        "class": rng.integers(0, k, n),
        "w": rng.lognormal(size=n),
    }
    whole = {name: memory._cells(values, name) for name, values in columns.items()}
    table = pa.table(whole)
    asked = {**asked, "weight": "w", "gradient": True, "samples": samples}
    expected = digits(run(table, asked))
    cuts = {
        "one row, then the rest": [0, 1, n],
        "each row by itself": list(range(n + 1)),
        "two and three rows": [*range(0, n, 5), n],
    }
    for title, edges in cuts.items():
        parts = pa.concat_tables([table.slice(a, b - a) for a, b in itertools.pairwise(edges)])
        assert digits(run(parts, asked)) == expected, title
    separate = pa.table(
        {f"u{at}": columns[asked["prediction"]][:, at] for at in range(k)}
        | {f"v{at}": columns[asked["label"]][:, at] for at in range(k) if asked["label"] != "class"}
        | {"class": columns["class"], "w": columns["w"]}
    )
    spread = {**asked, "prediction": f"{asked['prediction']}=u*"}
    spread["label"] = "class" if asked["label"] == "class" else "v*"
    if asked["label"] == "class":
        spread["classes"] = [f"{at}" for at in range(k)]
    assert digits(run(separate, spread)) == expected, "a column each"


def test_memory_follows_the_groups_that_occur_and_not_those_that_could():
    """A thousand users and a thousand items make a million pairs, of which four thousand rows hold four thousand."""
    rng = np.random.default_rng(7)
    names = np.array([f"name {at}" for at in range(1000)])
    users, items = rng.integers(0, 1000, (2, 4000))
    source = {
        "label": np.zeros(4000),
        "prediction": np.ones(4000),
        "u": pa.array(names[users]),
        "i": pa.array(names[items]),
    }
    tracemalloc.start()
    report = run(source, {"loss": "mse", "by": ["u", "i"]}, engine="serial")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(report.results) == len(set(zip(users.tolist(), items.tolist(), strict=True)))
    assert peak < 40e6
