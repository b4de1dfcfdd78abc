"""One table, every format, equal reports: how numbers are stored cannot change a digit."""

import io
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from figures import digits, run
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import ON_DISK, SUFFIXES, stored_as

import lossctl
from lossctl.reading import footer as parting
from lossctl.reading.files import open_location, open_source
from lossctl.reading.format import Reading, Wanted, format_for, formats
from lossctl.reading.location import locate

SAMPLES = Path(__file__).parents[2] / "sample_data"

RUNS = {
    "regression": {"loss": ["mse", "mae", "huber"], "label": "y", "weight": "weight", "by": "segment"},
    "binary": {"loss": ["bce", "focal"], "label": "label", "prediction": ["p_a", "p_b"], "by": "segment"},
    "classes": {"loss": ["cross_entropy"], "prediction": "p_*"},
    "counts": {"loss": ["poisson"], "by": "region"},
    "logits": {"loss": ["bce"], "prediction": "logit", "from_logits": True},
    "scores": {"loss": ["hinge", "exponential"]},
}


def open_path(path):
    return open_location(locate(str(path)), Reading())


def write(found, path, table):
    """A file by the format's own writer, some rows at a time."""
    with open(path, "wb") as file:
        writer = found.writer(file, table.schema)
        for batch in table.to_batches(max_chunksize=100):
            writer.write_batch(batch)
        writer.close()
    return str(path)


@pytest.fixture(params=SUFFIXES, ids=lambda pair: pair[1])
def stored(request, tmp_path):
    """A function that writes a table in one format and gives the path."""
    found, suffix = request.param

    def store(table):
        return write(found, tmp_path / f"rows{suffix}", table)

    return store


# --- every format ----------------------------------------------------------------------------------------------------


@pytest.mark.lowest
@pytest.mark.parametrize("name", RUNS)
def test_sample_data_are_the_same_in_every_format(name, stored):
    table = pq.read_table(SAMPLES / f"{name}.parquet")
    expected = digits(run(SAMPLES / f"{name}.csv", RUNS[name]))
    assert digits(run(SAMPLES / f"{name}.parquet", RUNS[name])) == expected
    assert digits(run(table, RUNS[name])) == expected
    assert digits(run(stored(table), RUNS[name])) == expected


@pytest.mark.lowest
def test_any_double_survives_every_format(stored):
    rng = np.random.default_rng(4)
    odd = [
        0.1,
        1e23,
        5e-324,
        2.2250738585072014e-308,
        1e300,
        -0.0,
        123456789012345680.0,
        math.pi,
        1 / 3,
        9007199254740993.0,
    ]
    values = np.concatenate([odd, rng.normal(size=500) * 10.0 ** rng.integers(-300, 150, 500)])
    table = pa.table({"label": np.zeros(len(values)), "prediction": values})
    asked = {"loss": "mae", "samples": len(values)}
    assert digits(run(stored(table), asked)) == digits(run(table, asked))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@given(count=st.integers(1, 40), together=st.sampled_from([1, 2000, 10_000, 1 << 23]), cut=st.integers(1, 9))
@settings(max_examples=25)
def test_small_parts_are_taken_together_and_none_is_lost(tmp_path, suffix, count, together, cut):
    table = pa.table({"label": np.arange(count * cut) * 0.1, "prediction": np.ones(count * cut)})
    path = tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, path, row_group_size=cut)
    else:
        pyarrow.feather.write_feather(table, path, chunksize=cut, compression="uncompressed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parting, "TOGETHER", together)
        shards = list(open_source(path).shards())
        assert digits(run(path, {"loss": "mse", "samples": 3})) == digits(run(table, {"loss": "mse", "samples": 3}))
    assert [member for shard in shards for member in shard.members] == list(range(count))
    assert [shard.index for shard in shards] == list(range(len(shards)))
    each = path.stat().st_size / count
    assert len(shards) == -(-count // min(max(together // each, 1), count))
    assert sum(shard.nbytes for shard in shards) <= path.stat().st_size


def test_row_groups_of_many_rows_stand_alone_however_few_bytes_they_have(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"label": np.zeros(4000), "prediction": np.ones(4000)}), path, row_group_size=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parting, "TOGETHER", 1 << 23)
        for rows, count in ((10, 40), (100, 40), (1000, 4), (1 << 20, 1)):
            patch.setattr(parting, "ROWS", rows)
            assert len(list(open_source(path).shards())) == count


def test_an_empty_row_group_says_nothing_of_how_long_lists_are(tmp_path):
    path, width = tmp_path / "rows.parquet", 1000
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(6000 * width)), width).cast(pa.list_(pa.float64()))
    table = pa.table({"label": np.zeros(6000), "prediction": lists})
    with pq.ParquetWriter(path, table.schema) as writer:
        for part in (table.slice(0, 0), table):
            writer.write_table(part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parting, "TOGETHER", 1 << 30)
        (shard,) = open_source(path).shards()
    batches = list(shard.read(Wanted(frozenset({"label", "prediction"}), frozenset())))
    assert sum(batch.num_rows for batch in batches) == 6000
    assert max(batch.nbytes for batch in batches) < 1 << 23


@pytest.mark.lowest
def test_text_survives_every_format(stored):
    words = [
        "plain",
        "a,b",
        'say "x"',
        "two\nlines",
        "tab\there",
        "übergröße",
        "NA",
        "null",
        "nan",
        "1",
        " x ",
        "",
        None,
        "ß|",
    ]
    table = pa.table({"label": np.arange(28.0), "prediction": np.arange(28.0) ** 1.1, "g": pa.array(words * 2)})
    found, expected = (run(source, {"loss": "mse", "by": "g"}) for source in (stored(table), table))
    assert [result.group["g"] for result in found.results] == [result.group["g"] for result in expected.results]
    assert digits(found) == digits(expected)


@pytest.mark.lowest
def test_nulls_are_met_in_every_format(stored):
    label = pa.array([1.0, None, 3.0, float("nan"), 5.0])
    table = pa.table(
        {"label": label, "prediction": pa.array([1.5, 2.0, None, 4.0, 5.5]), "w": [1.0, 1.0, 1.0, None, 2.0]}
    )
    asked = {"loss": "mse", "weight": "w", "nulls": "drop"}
    path = stored(table)
    assert digits(run(path, asked)) == digits(run(table, asked))
    assert run(path, asked).results[0].n_null == 3
    with pytest.raises(lossctl.LossctlError, match=r"row 2.*null"):
        run(path, {**asked, "nulls": "error"})


@pytest.mark.lowest
def test_vectors_survive_every_format_that_holds_lists(stored):
    rng = np.random.default_rng(5)
    flat = pa.array(rng.normal(size=300 * 12))
    table = pa.table({"label": rng.integers(0, 12, 300), "prediction": pa.FixedSizeListArray.from_arrays(flat, 12)})
    path = stored(table)
    if next(column.kind for column in open_path(path).columns if column.name == "prediction") != "list":
        return
    asked = {"loss": "cross_entropy", "from_logits": True}
    assert digits(run(path, asked)) == digits(run(table, asked))


def test_the_format_of_a_file_is_known_by_its_suffix_in_any_case():
    for found, suffix in SUFFIXES:
        assert format_for(f"some/rows{suffix}") is format_for(f"rows{suffix.upper()}") is found
    assert len({suffix for _, suffix in SUFFIXES}) == len(SUFFIXES)


@given(wanted=st.sets(st.sampled_from(["label", "p", "g", "other"])), others=st.booleans())
def test_a_shard_reads_the_columns_it_is_asked_for(wanted, others, tmp_path):
    table = pa.table({"other": [1, 2], "g": ["x", "y"], "p": [0.5, 1.5], "label": [1, 0]})
    texts = frozenset(wanted & {"g"})
    asked = Wanted(frozenset(wanted) - texts, texts, others)
    sources = [open_path(write(found, tmp_path / f"rows{found.suffixes[0]}", table)) for found in ON_DISK]
    for source in [*sources, open_source(table)]:
        assert {column.name: column.kind for column in source.columns} == {
            "other": "number", "g": "text", "p": "number", "label": "number",
        }  # fmt: skip
        names = set(table.column_names) if others else wanted
        for shard in source.shards():
            assert all(set(batch.schema.names) == names for batch in shard.read(asked) if names)


def test_shards_are_small_and_can_be_sent_elsewhere(stored):
    import pickle

    table = pa.table({"label": np.arange(1000.0), "prediction": np.arange(1000.0)})
    asked = Wanted(frozenset({"label", "prediction"}), frozenset())
    source = open_path(stored(table))
    for shard in source.shards():
        sent = pickle.dumps(shard)
        assert len(sent) < 2000 or source.once, "only of what is read once a shard holds the rows"
        assert [batch.num_rows for batch in pickle.loads(sent).read(asked)] == [it.num_rows for it in shard.read(asked)]


# --- tables in memory ------------------------------------------------------------------------------------------------


def test_a_run_leaves_its_source_as_it_was():
    table = pq.read_table(SAMPLES / "binary.parquet")
    frame, arrays = table.to_pandas(), {name: np.array(table[name].to_pylist()) for name in table.column_names}
    before = frame.copy(), {name: values.copy() for name, values in arrays.items()}
    run(frame, RUNS["binary"])
    run(arrays, RUNS["binary"])
    assert frame.equals(before[0])
    assert all(np.array_equal(arrays[name], before[1][name]) for name in arrays)
    assert all(values.flags.writeable for values in arrays.values())


# --- what stands at the beginning and the end of a file --------------------------------------------------------------


def test_a_file_replaced_between_two_runs_is_read_anew(tmp_path):
    for found in ON_DISK:
        path = tmp_path / f"rows{found.suffixes[0]}"
        for rows in (3, 5, 4):
            write(found, path, pa.table({"label": np.zeros(rows), "prediction": np.arange(float(rows))}))
            assert run(path, {"loss": "mae"}).results[0].n == rows


def test_writers_leave_the_file_open():
    for found in ON_DISK:
        file = io.BytesIO()
        writer = found.writer(file, pa.schema([("x", pa.float64())]))
        writer.write_batch(pa.record_batch({"x": [1.0]}))
        writer.close()
        assert not file.closed
        assert file.getvalue()


def test_a_batch_of_wide_rows_is_small_however_well_they_compress(tmp_path):
    """A thousand zeros a row are a few bytes in the file and 8 kB in memory."""
    rows, k = 20_000, 1_000
    values = np.zeros(rows * k)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values), k)
    pq.write_table(pa.table({"a.b": np.zeros(rows), "v": lists}), tmp_path / "lists.parquet")
    columns = {f"c{at}": values[:rows] for at in range(k)} | {"unused": ["x" * 2_000] * rows}
    pq.write_table(pa.table(columns), tmp_path / "columns.parquet")
    for name, wanted, least, most in (
        ("lists", {"a.b", "v"}, 256, 5e6),
        ("lists", {"a.b"}, rows, 5e6),
        ("columns", set(columns) - {"unused"}, 2_000, 2e7),
        ("columns", {"c1", "c2"}, rows, 5e6),
    ):
        batches = [
            batch
            for shard in open_path(tmp_path / f"{name}.parquet").shards()
            for batch in shard.read(Wanted(frozenset(wanted), frozenset()))
        ]
        assert sum(batch.num_rows for batch in batches) == rows
        assert batches[0].num_rows >= least
        assert max(batch.nbytes for batch in batches) <= most


@pytest.mark.parametrize("command", ["eval", "samples", "doctor"])
@pytest.mark.parametrize("name", [found.name for found in ON_DISK])
def test_what_is_said_of_text_is_refused_where_no_file_is_text(lossctl, tmp_path, name, command):
    found, path = formats.get(name), tmp_path / f"rows{formats.get(name).suffixes[0]}"
    path.write_bytes(stored_as(found, pa.table({"y": [1.0, 2.0], "p": [1.5, 2.0]})))
    asked = [] if command == "doctor" else ["-l", "mse"]
    for words, heeded in (
        (["-d", ";"], not found.typed),
        (["--no-header"], not found.typed),
        (["--encoding", "utf-8"], found.text),
    ):
        done = lossctl(command, path, *asked, *words)
        assert (f"{words[0]} is for text, and {name} says itself how it is read" in done.err) != heeded, words
        assert heeded or (done.status, done.out) == (2, "")


def test_what_is_said_of_text_may_be_said_of_labels_alone(lossctl, tmp_path):
    path, labels = tmp_path / "rows.parquet", tmp_path / "labels.csv"
    pq.write_table(pa.table({"k": [1, 2], "p": [1.5, 2.0]}), path)
    labels.write_text("k;y\n1;1\n2;2\n")
    done = lossctl("eval", path, "--labels", labels, "--id", "k", "-d", ";", "-l", "mse", "-f", "value")
    assert (done.status, done.out) == (0, "0.125\n")
