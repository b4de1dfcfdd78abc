"""Neither engine, threads, shards, files, format nor the order of rows can change a digit of a report.

Reports are compared by the ``repr`` of each result: equal to the last bit, with -0.0 and NaN told apart.
"""

import csv
import io
import itertools
import json
import math
import string
import sys
import threading
import time
import tracemalloc
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from figures import bits, digits
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.evaluation.engine import connected, engines
from lossctl.evaluation.engines import cluster
from lossctl.reading.formats import delimited, jsonlines, memory

SAMPLES = Path(__file__).parent.parent / "sample_data"
WORKERS = (1, 2, 7)
INSTALLED = [engine for engine in engines if engine.name != "dask" or find_spec("distributed")]
WAYS = [(engine.name, threads) for engine in INSTALLED for threads in WORKERS]
FEW = [(name, threads) for name, threads in WAYS if name != "dask" or threads == 2]
"""The ways for tests of hundreds of tiny shards: each costs milliseconds on a cluster."""

RUNS = {
    "regression": {"loss": ["mse", "rmse", "mae", "huber", "log_cosh", "msle", "l2"], "label": "y", "weight": "weight",
                   "by": "segment", "gradient": True, "samples": 3},
    "binary": {"loss": ["bce", "focal", "mse"], "label": "label", "prediction": ["p_a", "p_b"], "weight": "weight",
               "by": "segment", "gradient": True, "samples": 3},
    "classes": {"loss": ["cross_entropy", "nll"], "prediction": "p_*", "gradient": True, "samples": 3},
    "counts": {"loss": ["poisson"], "by": "region", "gradient": True, "samples": 3},
    "logits": {"loss": ["bce", "focal"], "prediction": "logit", "from_logits": True, "gradient": True, "samples": 3},
    "scores": {"loss": ["hinge", "squared_hinge", "exponential"], "gradient": True, "samples": 3},
}  # fmt: skip
"""For each sample file, everything a run can be asked for."""

LARGE = {"loss": ["huber", "log_cosh", "rmse"], "label": "y", "prediction": ["p", "q"], "weight": "w", "by": "g"}


@pytest.fixture(scope="module", autouse=True)
def at_the_cluster(request):
    """Runs on Dask go to one cluster of two processes, which is what Dask is configured for meanwhile."""
    if not find_spec("distributed"):
        yield
        return
    import cloudpickle
    import dask

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    with dask.config.set({"scheduler-address": request.getfixturevalue("cluster").scheduler_address}):
        yield
    cloudpickle.unregister_pickle_by_value(module)


def run(source, asked, **more):
    return lossctl.evaluate(source, **{**asked, **more})


@pytest.fixture(scope="module")
def table():
    """300 000 rows over many scales: a plain float sum of them depends on its order in the eleventh digit."""
    rng = np.random.default_rng(11)
    n = 300_001
    label = rng.normal(size=n)
    return pa.table(
        {
            "y": label,
            "p": label + rng.standard_t(2, size=n) * 10.0 ** rng.integers(-6, 4, n),
            "q": label + rng.normal(scale=0.3, size=n),
            "w": rng.lognormal(size=n),
            "g": pa.array(np.array([f"group {at}" for at in range(23)])[np.minimum(rng.geometric(0.2, n) - 1, 22)]),
        }
    )


def write_groups(table, path, sizes):
    """A Parquet file with row groups of these sizes, the last taking the rest."""
    with pq.ParquetWriter(path, table.schema) as writer:
        at = 0
        for size in [*sizes, table.num_rows]:
            part = table.slice(at, size)
            if part.num_rows:
                writer.write_table(part, row_group_size=part.num_rows)
            at += size
    return str(path)


@pytest.fixture(scope="module")
def large(table, tmp_path_factory):
    """The table in eight row groups, one of a single row."""
    sizes = [70_000, 1, 65_536, 16_384, 16_383, 99_999, 1000]
    return write_groups(table, tmp_path_factory.mktemp("large") / "rows.parquet", sizes)


@pytest.fixture(scope="module")
def answer(large):
    """What the serial engine says of it."""
    return run(large, LARGE, gradient=True, samples=4, engine="serial")


# --- engines and threads ---------------------------------------------------------------------------------------------


@pytest.mark.lowest
@pytest.mark.parametrize(("engine", "threads"), WAYS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", RUNS)
def test_sample_data_give_the_same_bits_on_every_engine(name, suffix, engine, threads):
    path = SAMPLES / f"{name}.{suffix}"
    serial = run(path, RUNS[name], engine="serial")
    assert run(path, RUNS[name], engine=engine, threads=threads).to_dict() == serial.to_dict()
    assert bits(run(path, RUNS[name], engine=engine, threads=threads)) == bits(serial)


def test_every_sample_file_is_run():
    assert {path.stem for path in SAMPLES.glob("*.csv")} == set(RUNS)


@pytest.mark.parametrize(("engine", "threads"), WAYS)
def test_many_row_groups_give_the_same_bits_on_every_engine(large, answer, engine, threads):
    found = run(large, LARGE, gradient=True, samples=4, engine=engine, threads=threads)
    assert found.results == answer.results
    assert bits(found) == bits(answer)


def test_the_answer_is_the_correctly_rounded_one(table, answer):
    """The reference of the tests around, against `math.fsum`."""
    loss = lossctl.get_loss("huber")
    value = loss.value(table["y"].to_numpy(), table["p"].to_numpy()) * table["w"].to_numpy()
    group, weight = table["g"].to_numpy(), table["w"].to_numpy()
    found = {result.group["g"]: result for result in answer.results if (result.loss, result.model) == (str(loss), "p")}
    for name in np.unique(group):
        mine = group == name
        assert found[name].n == mine.sum()
        assert found[name].value == pytest.approx(math.fsum(value[mine]) / math.fsum(weight[mine]), rel=3e-16, abs=0)


# --- shards, files, order, formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[], [1], [150_000], [1, 1, 1], [65_536] * 4], ids=str)
def test_row_groups_cannot_change_a_digit(table, answer, tmp_path, sizes):
    path = write_groups(table, tmp_path / "rows.parquet", sizes)
    assert digits(run(path, LARGE, gradient=True, samples=4)) == digits(answer)


def test_one_file_is_the_same_as_its_rows_in_ten(table, answer, tmp_path):
    paths = []
    for at in range(10):
        cut = slice(at * 31_111, None if at == 9 else (at + 1) * 31_111)
        paths.append(
            write_groups(table.slice(cut.start, None if at == 9 else 31_111), tmp_path / f"{at}.parquet", [500])
        )
    found = run(paths, LARGE, gradient=True, samples=4)
    assert digits(found, without=["samples"]) == digits(answer, without=["samples"])
    for one, other in zip(found.results, answer.results, strict=True):
        rows = [replace(it, file=None, row=int(Path(it.file).stem) * 31_111 + it.row) for it in one.samples]
        assert rows == list(other.samples)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_cannot_change_a_digit(table, answer, seed):
    order = np.random.default_rng(seed).permutation(table.num_rows)
    found = run(table.take(order), LARGE, gradient=True, samples=4)
    assert digits(found, without=["samples"]) == digits(answer, without=["samples"])
    assert [[it.value for it in one.samples] for one in found.results] == [
        [it.value for it in one.samples] for one in answer.results
    ]


def as_frame(table):
    return table.to_pandas()


def as_mapping(table):
    return {name: table[name].to_numpy() for name in table.column_names}


def as_chunks(table):
    return pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1, 77_777), table.slice(77_778)])


@pytest.mark.parametrize("made", [pa.Table.combine_chunks, as_frame, as_mapping, as_chunks], ids=lambda it: it.__name__)
def test_a_table_in_memory_is_the_same_as_a_file(table, answer, made, monkeypatch):
    assert digits(run(made(table), LARGE, gradient=True, samples=4)) == digits(answer)
    monkeypatch.setattr(memory, "ROWS", 54_321)
    assert digits(run(made(table), LARGE, gradient=True, samples=4)) == digits(answer)


@pytest.mark.parametrize("size", [1 << 15, 1 << 18, 1 << 23])
def test_csv_is_the_same_as_parquet_of_the_same_doubles(table, tmp_path, monkeypatch, size):
    """Every double is written in its shortest exact form and read back as itself."""
    part = table.slice(0, 10_000)
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
    n, k = 400, 40
    scores, soft = rng.normal(scale=3, size=(n, k)), rng.normal(size=(n, k))
    columns = {
        "u": scores,
        "v": rng.normal(size=(n, k)),
        "s": np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
        "t": np.exp(soft) / np.exp(soft).sum(axis=1, keepdims=True),
        "class": rng.integers(0, k, n),
        "w": rng.lognormal(size=n),
    }
    whole = {name: memory._column(name, values) for name, values in columns.items()}
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


# --- the edges of byte ranges ----------------------------------------------------------------------------------------

PLAIN = {"loss": ["mse", "huber"], "by": "t", "gradient": True, "samples": 3}


def text_of(rows, *, end="\n", last=True, header="label,prediction,t"):
    """CSV text; a cell is quoted where it must be."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(header.split(","))
    writer.writerows(rows)
    text = out.getvalue()
    return text if last else text[: -len(end)]


def unsplit(path, asked=PLAIN):
    """The answer with the file in one shard, held against the rows as Python's own reader sees them."""
    return lossctl.evaluate(path, **asked, engine="serial")


def as_python_reads(path):
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, zip(*[row for row in rows if row], strict=True), strict=True))
    return {name: pa.array(cells) if name == "t" else np.array(cells, dtype=float) for name, cells in columns.items()}


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "no line end at the end"])
@pytest.mark.parametrize("word", ["plain", "quoted, comma", 'a "quote"', "übergröße €", ""], ids=str)
def test_a_csv_may_be_cut_at_any_byte(end, last, word, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    rows = [(at % 7, at * 0.37, f"{word}{at % 3}") for at in range(60)]
    path.write_bytes(text_of(rows, end=end, last=last).encode())
    whole = digits(unsplit(path))
    assert whole == digits(run(as_python_reads(path), PLAIN))
    for size in (3, 7, 17, 64, 500, path.stat().st_size - 1, path.stat().st_size):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "no line end at the end"])
@pytest.mark.parametrize("first", [0, 1, 30, 59], ids="first quoted row {}".format)
def test_a_csv_with_line_ends_inside_quotes_may_be_cut_at_any_byte(end, last, first, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    words = ["two\nlines", "a\n\n,\nb", "plain", '"\n"', "x\n\ry"]
    rows = [(at % 7, at * 0.37, words[at % 5] if at >= first else "plain") for at in range(60)]
    path.write_bytes(text_of(rows, end=end, last=last).encode())
    whole = digits(unsplit(path))
    assert whole == digits(run(as_python_reads(path), PLAIN))
    for size in (64, 65, 77, 128, 200, 500, path.stat().st_size - 1):
        monkeypatch.setattr(delimited, "RANGE", size)
        for engine, threads in FEW:
            assert digits(run(path, PLAIN, engine=engine, threads=threads)) == whole, (size, engine, threads)


@pytest.mark.parametrize("word", ["x" * 1000, "line\n" * 200, "x" * 500 + "\n"], ids=["one line", "lines", "both"])
def test_a_row_may_be_longer_than_a_range(word, tmp_path, monkeypatch):
    """A range that no line begins in has no rows; a quoted cell may span many ranges."""
    path = tmp_path / "rows.csv"
    path.write_text(text_of([(1, 2, "a"), (2, 4, word), (0, 1, "b"), (3, 3, word)]))
    whole = digits(unsplit(path))
    for size in (50, 64, 300):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


def test_a_lone_quote_does_not_hide_an_open_one(tmp_path, monkeypatch):
    """Two quotes before an edge need not be a pair: an inch sign in a bare cell, and one that opens two lines."""
    path = tmp_path / "rows.csv"
    rows = ['0,0,5" pipe', '1,1,"x\n1,1,y"', *(f"{at},{at},z" for at in range(2, 20))]
    path.write_text("label,prediction,t\n" + "\n".join(rows) + "\n")
    whole = digits(unsplit(path))
    for size in range(12, 60):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


def test_a_line_end_inside_quotes_may_fall_on_the_edge_of_a_range(tmp_path, monkeypatch):
    """A file of Windows has two characters there, and Arrow's blocks may end between them."""
    path = tmp_path / "rows.csv"
    path.write_text(text_of([(at, at, "x\r\ny") for at in range(60)]), newline="")
    whole = digits(unsplit(path))
    for size in range(64, 90):
        monkeypatch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, threads=2)) == whole, size


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 0), (0, 0), (1, 0, 0)], ids="files {}".format)
def test_a_file_that_must_be_cut_again_leaves_the_next_ones_alone(order, tmp_path, monkeypatch):
    """Also where the next one is the same file again."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(text_of([(at, at * 1.5, "a\nb" if at % 3 else "c") for at in range(40)]))
    second.write_text(text_of([(at, at * 2.5, "c" if at % 5 else "d\ne") for at in range(40)]))
    files = [(first, second)[at] for at in order]
    whole = lossctl.evaluate(files, **PLAIN, engine="serial")
    assert sum(result.n for result in whole.results) == 2 * 40 * len(files)
    assert all(sample.row <= 40 for result in whole.results for sample in result.samples)
    monkeypatch.setattr(delimited, "RANGE", 64)
    for engine, threads in FEW:
        assert digits(run(files, PLAIN, engine=engine, threads=threads)) == digits(whole)


def test_a_bad_row_is_named_by_its_number_wherever_the_file_is_cut(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    for rows in ([(at, at, "a\nb") for at in range(50)], [(at, at, "ab") for at in range(50)]):
        for bad, what in (((3, "x", "c"), "'x'"), ((3, 4, "c", "d"), "4 fields")):
            path.write_text(text_of([*rows[:37], bad, *rows[37:]]))
            for size in (64, 100, 1 << 20):
                monkeypatch.setattr(delimited, "RANGE", size)
                for engine, threads in WAYS:
                    with pytest.raises(lossctl.LossctlError, match=f"rows.csv: row 38: .*{what}"):
                        run(path, PLAIN, engine=engine, threads=threads)


CELLS = st.text(alphabet=string.ascii_letters[:3] + ' ",\n\r\té', max_size=8)


@given(
    rows=st.lists(st.tuples(st.integers(-9, 9), st.floats(-1e6, 1e6), CELLS), min_size=1, max_size=25),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
    size=st.integers(64, 300),
    way=st.sampled_from(WAYS),
)
@settings(max_examples=150)
def test_any_small_csv_may_be_cut_at_any_byte(rows, end, last, quoting, size, way, tmp_path):
    assume(quoting != csv.QUOTE_MINIMAL or not any("\r" in cell for *_, cell in rows))  # Python would not quote it
    assume(not any("\r\n" in cell for *_, cell in rows))  # has a test of its own, above
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(["label", "prediction", "t"])
    writer.writerows(rows)
    text = out.getvalue().encode()
    path = tmp_path / "rows.csv"
    path.write_bytes(text if last else text[: -len(end)])
    label, prediction, word = zip(*rows, strict=True)
    in_memory = {"label": np.array(label, dtype=float), "prediction": np.array(prediction), "t": pa.array(word)}
    expected = digits(run(in_memory, PLAIN))
    assert digits(unsplit(path)) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "RANGE", size)
        assert digits(run(path, PLAIN, engine=way[0], threads=way[1])) == expected


@pytest.mark.parametrize("size", [13, 64, 1000])
def test_json_lines_may_be_cut_at_any_byte(size, tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    rows = [{"label": at % 7, "prediction": at * 0.37, "t": 'a\n"b"é'[: at % 7]} for at in range(60)]
    for end in ("\n", ""):
        path.write_text("\n".join(json.dumps(row) for row in rows) + end)
        monkeypatch.undo()
        whole = digits(unsplit(path))
        monkeypatch.setattr(jsonlines, "RANGE", size)
        for engine, threads in FEW:
            assert digits(run(path, PLAIN, engine=engine, threads=threads)) == whole


# --- the contract of an engine ---------------------------------------------------------------------------------------


class Trouble(Exception):
    """What goes wrong in these tests."""


@pytest.fixture(params=INSTALLED, ids=lambda engine: engine.name)
def engine(request):
    with connected(request.param, None, None) as ready:
        yield ready


def until(path):
    """Wait for a file that something, perhaps in another process, makes."""
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("workers", WORKERS)
def test_an_engine_keeps_the_order(engine, workers):
    assert list(engine.map(lambda x: x * x, range(100), workers)) == [x * x for x in range(100)]
    assert list(engine.map(str, [], workers)) == []


def test_a_slow_item_is_not_overtaken(engine, tmp_path):
    """With two workers the first item cannot end before the second has; results still come first item first."""
    second_done, several = tmp_path / "done", engine.name != "serial"

    def work(item):
        if item == 1:
            second_done.touch()
        elif item == 0 and several:
            until(second_done)
        return item

    assert list(engine.map(work, range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", WORKERS)
def test_what_the_function_raises_comes_in_its_turn(engine, workers):
    def work(item):
        if item in {3, 5}:
            raise Trouble(item)
        return item

    results = engine.map(work, range(10), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Trouble, match="3"):
        next(results)


@pytest.mark.parametrize("workers", WORKERS)
def test_what_the_items_raise_comes_in_its_turn(engine, workers):
    """The second file is missing: what is wrong with the first must be said first, on every engine."""

    def items():
        yield from (0, 1)
        raise Trouble

    results = engine.map(lambda x: x, items(), workers)
    assert next(results) == 0
    assert next(results) == 1
    with pytest.raises(Trouble):
        next(results)


def test_the_first_thing_wrong_is_the_one_that_is_said(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("label,prediction\n1,2\n2,x\n")
    said = set()
    for engine, threads in WAYS:
        with pytest.raises(lossctl.LossctlError) as error:
            lossctl.evaluate([bad, tmp_path / "missing.csv"], "mse", engine=engine, threads=threads)
        said.add(str(error.value))
    assert len(said) == 1


@pytest.mark.parametrize("workers", WORKERS)
def test_an_engine_runs_ahead_by_a_bounded_number_of_items(engine, workers):
    taken = []

    def items():
        for item in itertools.count():
            taken.append(item)
            yield item

    results = engine.map(lambda x: x, items(), workers)
    bundle = cluster.BUNDLE if engine.name == "dask" else 1  # shards a task
    for got in range(50):
        assert next(results) == got
        assert len(taken) <= got + 1 + bundle * (2 * workers + 1)


def test_who_stops_asking_stops_the_work(engine, tmp_path):
    """Closing the results cancels what has not begun."""
    gate, begun = tmp_path / "open", tmp_path / "begun"
    begun.mkdir()

    def work(item):
        (begun / f"{item}").touch()
        if item:
            until(gate)
        return item

    results = engine.map(work, range(1000), 2)
    assert next(results) == 0
    if hasattr(results, "close"):
        results.close()
    gate.touch()
    del results
    for thread in threading.enumerate():
        if thread.name.startswith("lossctl"):
            thread.join(10)
            assert not thread.is_alive()
    assert len(list(begun.iterdir())) <= 4


def test_no_thread_outlives_a_run(large):
    run(large, LARGE, threads=7)
    for thread in threading.enumerate():
        if thread.name.startswith("lossctl"):
            thread.join(10)
            assert not thread.is_alive()
