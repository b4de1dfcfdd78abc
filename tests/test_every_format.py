"""One table, every format, equal reports: how numbers are stored cannot change a digit."""

import contextlib
import datetime as dt
import decimal
import io
import itertools
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from figures import ROUNDED, digits
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError, LossctlError
from lossctl.evaluation.batch import scalar_column
from lossctl.reading import footer as parting
from lossctl.reading.format import NULLS, Reading, Wanted, format_for, formats, open_location, open_source
from lossctl.reading.location import SUFFIXES as COMPRESSIONS
from lossctl.reading.location import locate

SAMPLES = Path(__file__).parent.parent / "sample_data"
ON_DISK = [found for found in formats if found.suffixes]
SUFFIXES = [(found, suffix) for found in ON_DISK for suffix in found.suffixes]

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


def run(source, asked, **more):
    return lossctl.evaluate(source, **{"gradient": True, "samples": 3, **asked, **more})


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
def test_vectors_survive_every_format_that_holds_lists(stored, tmp_path):
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


# --- every format, compressed in every way, in every place -----------------------------------------------------------

STORED = [
    pytest.param(found, suffix, compressed, id=f"{suffix}{compressed}"[1:])
    for found in ON_DISK
    for suffix in found.suffixes
    for compressed in ("", *(COMPRESSIONS if found.text else ()))
]
ASKED = {"loss": ["mse", "log_cosh"], "prediction": ["p", "q"], "weight": "w", "by": "g", "gradient": True}
NASTY = ["plain", "a,b", 'say "x"', "two\nlines", "tab\there", "über", "NA", "null", "1", "007", " x ", None, "1e5"]


def compress(body, name):
    """Bytes compressed as the suffix says."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, COMPRESSIONS[name]) as file:
        file.write(body)
    return sink.getvalue().to_pybytes()


def stored_as(found, table, compressed=""):
    """The bytes of a table in a format."""
    file = io.BytesIO()
    writer = found.writer(file, table.schema)
    for batch in table.to_batches(max_chunksize=50):
        writer.write_batch(batch)
    writer.close()
    return compress(file.getvalue(), compressed) if compressed else file.getvalue()


def narrow(monkeypatch, n):
    """Cut text into pieces of about ``n`` bytes, whatever format it is of."""
    for name, module in list(sys.modules.items()):
        if name.startswith("lossctl.") and hasattr(module, "RANGE"):
            monkeypatch.setattr(module, "RANGE", n)


@contextlib.contextmanager
def fed(path, body):
    """A named pipe through which the bytes come."""
    os.mkfifo(path)

    def feed():
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:
            pipe.write(body)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield str(path)
    finally:
        # If nobody opened the pipe, somebody must, or the feeder waits for ever.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        feeder.join()


@pytest.fixture(scope="module")
def everything():
    """Numbers of every size and text of every kind."""
    rng = np.random.default_rng(8)
    rows = 13 * 24
    numbers = {name: rng.normal(size=rows) * 10.0 ** rng.integers(-30, 30, rows) for name in ("y", "p", "q")}
    return pa.table({**numbers, "w": rng.integers(0, 9, rows) / 8, "g": pa.array(NASTY * 24)})


@pytest.fixture(scope="module")
def expected(everything):
    return digits(lossctl.evaluate(everything, **ASKED, label="y"))


def parts(table):
    """Three parts of a table and names whose natural order is theirs."""
    cuts = [0, 70, 71, table.num_rows]
    return {
        f"part-{at}": table.slice(a, b - a) for at, (a, b) in zip((2, 10, 100), itertools.pairwise(cuts), strict=True)
    }


def path_of(found, suffix, compressed, table, folder, request):
    path = folder / f"rows{suffix}{compressed}"
    path.write_bytes(stored_as(found, table, compressed))
    return contextlib.nullcontext(path)


def several_of(found, suffix, compressed, table, folder, request):
    for name, part in parts(table).items():
        (folder / f"{name}{suffix}{compressed}").write_bytes(stored_as(found, part, compressed))
    return contextlib.nullcontext([folder / f"{name}{suffix}{compressed}" for name in parts(table)])


def glob_of(found, suffix, compressed, table, folder, request):
    several_of(found, suffix, compressed, table, folder, request)
    return contextlib.nullcontext(f"{folder}/part-*{suffix}{compressed}")


def directory_of(found, suffix, compressed, table, folder, request):
    several_of(found, suffix, compressed, table, folder, request)
    (folder / "_SUCCESS").write_bytes(b"")
    return contextlib.nullcontext(str(folder))


def fifo_of(found, suffix, compressed, table, folder, request):
    return fed(folder / f"rows{suffix}{compressed}", stored_as(found, table, compressed))


def s3_of(found, suffix, compressed, table, folder, request):
    key = f"every/{folder.name}/rows{suffix}{compressed}"
    return contextlib.nullcontext(request.getfixturevalue("bucket").put(key, stored_as(found, table, compressed)))


def http_of(found, suffix, compressed, table, folder, request):
    path = f"/every/{folder.name}/rows{suffix}{compressed}"
    return contextlib.nullcontext(request.getfixturevalue("web").put(path, stored_as(found, table, compressed)))


PLACES = [path_of, several_of, glob_of, directory_of, fifo_of, s3_of, http_of]
FAR = [s3_of, http_of]
"""Where a second suffix of a format proves nothing that the first does not."""


@pytest.mark.parametrize(
    ("found", "suffix", "compressed", "place"),
    [
        pytest.param(*stored.values, place, id=f"{stored.id}-{place.__name__.removesuffix('_of')}")
        for stored in STORED
        for place in PLACES
        if place not in FAR or stored.values[1] == stored.values[0].suffixes[0]
    ],
)
def test_format_compression_and_place_change_no_bit(
    found, suffix, compressed, place, everything, expected, tmp_path, request, monkeypatch
):
    narrow(monkeypatch, 4096)
    with place(found, suffix, compressed, everything, tmp_path, request) as source:
        assert digits(lossctl.evaluate(source, **ASKED, label="y")) == expected


BOTH_PIPES = """
import sys
from lossctl.cli.app import run
for place in ("-", sys.argv[1]):
    status = run(["eval", place, *sys.argv[2:]])
    assert status == 0, status
"""


@pytest.mark.parametrize(
    ("found", "compressed"),
    [
        pytest.param(it, more, id=f"{it.name}{more}")
        for it in ON_DISK
        for more in ("", *(COMPRESSIONS if it.text else ()))
    ],
)
def test_stdin_and_process_substitution_change_no_bit(found, compressed, everything, tmp_path, plain_environment):
    path = tmp_path / "rows"
    path.write_bytes(stored_as(found, everything, compressed))
    flags = f"-F {found.name} -y y -p p -p q -w w --by g -l mse,log_cosh --grad -f jsonl -q"
    script = f'cat "$1" | "$2" -c "$3" <(cat "$1") {flags}'
    command = ["bash", "-c", script, "bash", path, sys.executable, BOTH_PIPES]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60)
    assert done.stderr == ""
    report = lossctl.evaluate(everything, **ASKED, label="y").to_dict()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    rounded = {"standard_error", *ROUNDED}  # once a batch, and a pipe has other batches
    keys = [key for key in lines[0] if key in report["results"][0] and key not in rounded]
    assert {"value", "grad_linf", "group", "n"} <= set(keys)
    wanted = [{key: result[key] for key in keys} for result in report["results"]]
    assert [{key: line[key] for key in keys} for line in lines] == wanted * 2


@pytest.mark.parametrize("compressed", COMPRESSIONS)
def test_compressed_files_may_be_several_joined_to_one(compressed, tmp_path):
    """As ``cat a.gz b.gz``, bgzip and pigz make them."""
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(b"".join(compress(text, compressed) for text in (b"y,p\n1,2", b"\n3,", b"5\n", b"0,0\n")))
    assert run(path, {"loss": "mse"}).results[0].n == 3
    assert run(path, {"loss": "mse"}).value == 5 / 3


@pytest.mark.parametrize("compressed", COMPRESSIONS)
@pytest.mark.parametrize("text", [b"y,p\n" + b"1,2\n3,5\n" * 40, b'{"y":1,"p":2}\n' * 40], ids=["csv", "jsonl"])
def test_a_compressed_file_cut_off_anywhere_is_never_measured(text, compressed, tmp_path):
    whole = compress(text, compressed)
    path = tmp_path / f"rows.{'csv' if text.startswith(b'y') else 'jsonl'}{compressed}"
    path.write_bytes(whole)
    run(path, {"loss": "mse"})
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(LossctlError):
            run(path, {"loss": "mse"})


@pytest.mark.parametrize("compressed", [".gz", ".bz2"])
def test_a_damaged_file_whose_compression_has_checksums_is_never_measured_wrongly(compressed, tmp_path):
    whole = compress(b"y,p\n" + b"".join(b"%d,%d\n" % (at, at + at % 7) for at in range(60)), compressed)
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(whole)
    right = digits(run(path, {"loss": "mse"}))
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with contextlib.suppress(LossctlError):
            assert digits(run(path, {"loss": "mse"})) == right, "such as a flag or a time in the header"


def test_compression_is_known_by_its_first_bytes_whatever_the_name(tmp_path):
    text = b"y,p\n1,2\n3,5\n"
    (tmp_path / "plain.csv.gz").write_bytes(text)
    assert run(tmp_path / "plain.csv.gz", {"loss": "mse"}).value == 2.5
    for compressed in COMPRESSIONS:
        (tmp_path / "rows.csv").write_bytes(compress(text, compressed))
        assert run(tmp_path / "rows.csv", {"loss": "mse"}).value == 2.5
        (tmp_path / f"ROWS.CSV{compressed.upper()}").write_bytes(compress(text, compressed))
        assert run(tmp_path / f"ROWS.CSV{compressed.upper()}", {"loss": "mse"}).value == 2.5


@pytest.mark.parametrize("name", ["BZh", "BZh9_loss", "(\xb5/\xfd", "PAR1", "ARROW1", "{y"])
def test_text_that_begins_like_something_else_is_still_text(name, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"{name},p\n1,2\n3,5\n", encoding="utf-8")
    if name in {"PAR1", "ARROW1"}:
        with pytest.raises(DataError, match="-F"):
            run(path, {"loss": "mse", "label": name})
    reading = Reading(format="csv")
    assert run(path, {"loss": "mse", "label": name, "reading": reading}).value == 2.5


@pytest.mark.parametrize("compressed", ["", *COMPRESSIONS])
@pytest.mark.parametrize("n", [16, 61, 300, 1500])
def test_quoted_line_ends_are_found_in_files_pipes_and_compressed_text(n, compressed, tmp_path, monkeypatch):
    rng = np.random.default_rng(n)
    words = ["", "x", "a\nb", '"', '""', '"\n"', ",\n,", "\r\n", "long " * 20 + "\n" + "long " * 20, "1\n2,3\n"]
    table = pa.table({
        "note": rng.choice(words, 150), "y": rng.normal(size=150), "p": rng.normal(size=150),
        "g": rng.choice(words, 150),
    })  # fmt: skip
    asked = {"loss": ["mse", "mae"], "by": "g"}
    right = digits(run(table, asked))
    narrow(monkeypatch, n)
    body = stored_as(formats.get("csv"), table, compressed)
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(body)
    assert digits(run(path, asked)) == right
    with fed(tmp_path / "pipe", body) as pipe:
        assert digits(run(pipe, asked)) == right
    with fed(tmp_path / "other", body) as pipe:
        wrong = {"loss": "mse", "label": "note"}
        with pytest.raises(DataError, match=r"row \d+: column 'note' "):
            run(pipe, wrong)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv.zst", ".jsonl", ".jsonl.bz2", "", ".arrows"])
@pytest.mark.parametrize("at", [1, 2, 77, 300])
def test_a_bad_row_is_placed_in_whatever_is_read_in_pieces(suffix, at, tmp_path, monkeypatch, lossctl):
    narrow(monkeypatch, 200)
    values = [0.5] * 300
    values[at - 1] = None
    table = pa.table({"y": [1.0] * 300, "p": values})
    found = format_for(f"x{suffix.removesuffix('.gz').removesuffix('.zst').removesuffix('.bz2') or '.csv'}")
    compressed = "." + suffix.rpartition(".")[2] if suffix.count(".") > 1 else ""
    body = stored_as(found, table, compressed)
    with fed(tmp_path / "rows", body) if not suffix else contextlib.nullcontext(tmp_path / f"rows{suffix}") as path:
        if suffix:
            path.write_bytes(body)
        done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"{path}: row {at}: column 'p' is null" in done.err


# --- what is said to be of which format ------------------------------------------------------------------------------


@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_format_may_be_forced_on_any_name(found, everything, expected, tmp_path):
    for suffix in (".dat", "", ".csv", ".parquet", ".jsonl"):
        path = tmp_path / f"rows{suffix}"
        path.write_bytes(stored_as(found, everything))
        assert digits(lossctl.evaluate(path, **ASKED, label="y", reading=Reading(format=found.name))) == expected


@pytest.mark.parametrize("found", [it for it in ON_DISK if it.magic], ids=lambda found: found.name)
def test_a_format_with_a_mark_of_its_own_is_known_without_a_suffix(found, everything, expected, tmp_path):
    path = tmp_path / "rows.of.data"
    path.write_bytes(stored_as(found, everything))
    assert digits(lossctl.evaluate(path, **ASKED, label="y")) == expected


@pytest.mark.parametrize("found", [it for it in ON_DISK if it.magic], ids=lambda found: found.name)
@pytest.mark.parametrize("other", ON_DISK, ids=lambda other: other.name)
def test_a_name_that_belies_its_content_is_an_error_that_names_both(found, other, everything, tmp_path, lossctl):
    if found is other:
        return
    path = tmp_path / f"rows{other.suffixes[0]}"
    path.write_bytes(stored_as(found, everything))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"named {other.name} but holds {found.name}" in done.err
    assert f"-F {found.name}" in done.err


@pytest.mark.parametrize("other", ON_DISK, ids=lambda other: other.name)
@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_wrong_format_forced_is_an_error_and_no_bug(found, other, everything, tmp_path, lossctl):
    if found is other:
        return
    path = tmp_path / "rows"
    path.write_bytes(stored_as(found, everything))
    done = lossctl("eval", path, "-l", "mse", "-y", "y", "-p", "p", "-F", other.name)
    assert done.status in {2, 3}, done.err
    assert str(path) in done.err or "column" in done.err


def test_a_format_that_does_not_exist_suggests_near_ones(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-F", "parqet")
    assert (done.status, done.out) == (2, "")
    assert "parquet" in done.err
    assert lossctl("eval", tmp_path / "rows.csv", "-F", "memory").status == 2


def test_an_unknown_suffix_says_how_to_go_on(tmp_path, lossctl):
    (tmp_path / "rows.dat").write_text("y,p\n1,2\n")
    done = lossctl("eval", tmp_path / "rows.dat", "-l", "mse")
    assert done.status == 3
    assert "-F csv" in done.err
    assert lossctl("eval", tmp_path / "rows.dat", "-l", "mse", "-F", "csv", "-f", "value").out == "1.0\n"


@pytest.mark.parametrize("found", [it for it in ON_DISK if not it.text], ids=lambda found: found.name)
def test_a_binary_format_inside_a_compression_says_so(found, everything, tmp_path, lossctl):
    path = tmp_path / f"rows{found.suffixes[0]}.gz"
    path.write_bytes(compress(stored_as(found, everything), ".gz"))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert found.name in done.err
    assert "ecompress" in done.err


@pytest.mark.parametrize("compressed", ["", *COMPRESSIONS])
@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_pipe_says_what_it_holds_or_is_asked_to(found, compressed, tmp_path, lossctl):
    """A pipe has no suffix: what can be told by the first bytes is, and nothing is measured wrongly."""
    if compressed and not found.text:
        return
    table = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]})
    with fed(tmp_path / "pipe", stored_as(found, table, compressed)) as pipe:
        done = lossctl("eval", pipe, "-l", "mse", "-f", "value", "-q")
    if found.name == "tsv":
        assert done.status in {2, 3}
        assert "-d" in done.err or "-F" in done.err
    else:
        assert (done.status, done.out) == (0, "2.5\n"), done.err


# --- text: names, separators, nulls, encodings -----------------------------------------------------------------------


def delimited(rows, sign):
    return "".join(sign.join("" if cell is None else str(cell) for cell in line) + "\n" for line in [
        rows[0], *(row.values() for row in rows)
    ])  # fmt: skip


TEXT = {
    "csv": lambda rows: delimited(rows, ","),
    "tsv": lambda rows: delimited(rows, "\t"),
    "jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
}
"""Rows written by hand: words that stand for nothing are words in each."""


def by_hand(tmp_path, name, rows):
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}"
    path.write_text(TEXT[name](rows), encoding="utf-8")
    return path


def test_every_text_format_can_be_written_by_hand():
    assert set(TEXT) == {found.name for found in ON_DISK if found.text}


ROW = {"y": 1.0, "p": 2.0, "w": 1.0}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("word", [*NULLS, None], ids=repr)
@pytest.mark.parametrize("role", ["y", "p", "w"])
@pytest.mark.parametrize("at", [0, 1, 2, None])
def test_a_missing_number_is_spelled_alike_in_every_text_format(name, word, role, at, tmp_path):
    places = [at] if at is not None else [0, 1]
    rows = [ROW | ({role: word} if place in places else {}) for place in range(3)]
    path = by_hand(tmp_path, name, rows)
    result = run(path, {"loss": "mse", "weight": "w"}, nulls="drop", samples=0).results[0]
    assert (result.value, result.n, result.n_null) == (1.0, 3 - len(places), len(places))
    with pytest.raises(DataError, match=rf"row {places[0] + 1}: column '{role}' is null"):
        run(path, {"loss": "mse", "weight": "w"})


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("word", ["N.A.", "nil", "-", "Null", "none", "?"])
def test_other_words_are_no_missing_number_unless_said_so(name, word, tmp_path, lossctl):
    path = by_hand(tmp_path, name, [ROW, ROW | {"p": word}, ROW])
    done = lossctl("eval", path, "-l", "mse", "--nulls", "drop")
    assert done.status == 3
    assert f"row 2: column 'p' holds {word!r}, which is not a number" in done.err
    said = lossctl("eval", path, "-l", "mse", "--nulls", "drop", f"--null-values=x,{word}", "-f", "json")
    assert said.json["inputs"]["nulls"] == {"p": 1}
    path = by_hand(tmp_path, name, [ROW, ROW | {"p": "NA"}, ROW])
    done = lossctl("eval", path, "-l", "mse", "--nulls", "drop", f"--null-values={word}")
    assert done.status == 3, "the words given stand instead of the list"
    assert "'NA'" in done.err


@pytest.mark.parametrize("name", TEXT)
def test_text_means_what_it_says_in_every_text_format(name, tmp_path):
    """Namibia is NA, and somebody's name is Null: the words are missing numbers, never missing text."""
    words = [
        "NA",
        "null",
        "None",
        "nan",
        "N/A",
        "2024-01-05",
        "2024-01-05 10:00:00",
        "12:30",
        "007",
        "1.50",
        "true",
        "",
    ]
    path = by_hand(tmp_path, name, [{"y": 1.0, "p": 1.0 + at, "g": word} for at, word in enumerate(words)])
    report = run(path, {"loss": "mse", "by": "g"})
    assert {result.group["g"] for result in report.results} == {word or None for word in words}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("words", [
    ["2024-01-05", "2024-01-06"], ["2024-01-05 10:00:00"], ["2024-01-05T10:00:00Z"], ["12:30:00"], ["NA"],
    ["007", "01"],
], ids=lambda words: words[0])  # fmt: skip
def test_a_column_of_text_that_looks_like_something_else_groups_as_it_is_written(name, words, tmp_path):
    path = by_hand(tmp_path, name, [{"y": 1.0, "p": 1.0 + at, "g": word} for at, word in enumerate(words * 3)])
    report = run(path, {"loss": "mse", "by": "g"})
    assert {result.group["g"] for result in report.results} == set(words)


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "-" + "9" * 320])
@pytest.mark.parametrize("at", [0, 1])
def test_a_number_that_overflows_is_not_finite(name, number, at, tmp_path, lossctl):
    rows = [dict(ROW), dict(ROW), dict(ROW)]
    rows[at]["p"] = "BIG"
    path = by_hand(tmp_path, name, rows)
    path.write_text(path.read_text().replace('"BIG"', number).replace("BIG", number))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"row {at + 1}: column 'p' is {'-' * number.startswith('-')}inf; mse needs a finite number" in done.err


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("number", ["1e-400", "-1e-400", "0." + "0" * 400 + "1"])
def test_a_number_that_underflows_is_zero(name, number, tmp_path):
    path = by_hand(tmp_path, name, [ROW | {"p": "SMALL"}])
    path.write_text(path.read_text().replace('"SMALL"', number).replace("SMALL", number))
    assert run(path, {"loss": "mse"}).value == 1.0


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("compressed", ["", ".gz"])
def test_a_byte_order_mark_is_no_part_of_the_text(name, compressed, tmp_path, lossctl):
    body = b"\xef\xbb\xbf" + TEXT[name]([ROW, ROW]).encode()
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}{compressed}"
    path.write_bytes(compress(body, compressed) if compressed else body)
    assert run(path, {"loss": "mse", "label": "y"}).results[0].n == 2
    with fed(tmp_path / "pipe", path.read_bytes()) as pipe:
        done = lossctl("eval", pipe, "-F", name, "-l", "mse", "-f", "value", "-q")
    assert (done.status, done.out) == (0, "1.0\n")


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("compressed", ["", ".gz"])
def test_utf_16_is_recognised_or_read(name, encoding, compressed, tmp_path, lossctl):
    mark = b"\xfe\xff" if encoding.endswith("be") else b"\xff\xfe" if encoding.endswith("le") else b""
    body = mark + TEXT[name]([ROW, ROW]).encode(encoding)
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}{compressed}"
    path.write_bytes(compress(body, compressed) if compressed else body)
    done = lossctl("eval", path, "-l", "mse", "-f", "value", "-q")
    assert (done.status, done.out) == (0, "1.0\n") or (
        done.status == 3 and "UTF-16" in done.err and "UTF-8" in done.err
    )


@pytest.mark.parametrize("name", TEXT)
def test_bytes_that_are_no_utf_8_are_no_bug(name, tmp_path, lossctl):
    path = by_hand(tmp_path, name, [ROW | {"g": "GR"}, ROW | {"g": "x"}])
    path.write_bytes(path.read_bytes().replace(b"GR", b"Gr\xf6\xdfe"))
    for flags in (["--by", "g"], []):
        assert lossctl("eval", path, "-l", "mse", *flags).status in {0, 3}
    for suffix in (".csv", ".jsonl", ".parquet"):
        assert lossctl("samples", path, "-l", "mse", "-o", tmp_path / f"out{suffix}").status in {0, 3}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize(
    ("old", "new"), [("\n", "\r\n"), ("\n", "\n\n"), ("\n", "\r\n\r\n")], ids=["CRLF", "blank", "both"]
)
@pytest.mark.parametrize("end", ["", "more"])
def test_line_ends_of_every_kind_mean_the_same(name, old, new, end, tmp_path, monkeypatch):
    rows = [{"y": float(at), "p": 1.0 + at * 1.5} for at in range(100)]
    path = by_hand(tmp_path, name, rows)
    right = digits(run(path, {"loss": "mse"}))
    text = path.read_text().replace(old, new)
    path.write_bytes((text + new * 3 if end else text.rstrip()).encode())
    assert digits(run(path, {"loss": "mse"})) == right
    narrow(monkeypatch, 64)
    assert digits(run(path, {"loss": "mse"})) == right


# --- delimited text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "\\t", " ", ":"])
@pytest.mark.parametrize("name", ["csv", "tsv"])
@pytest.mark.parametrize("place", ["path", "gz", "pipe"])
def test_any_character_may_separate_cells(delimiter, name, place, tmp_path, lossctl, monkeypatch):
    sign = delimiter.replace("\\t", "\t")
    text = sign.join(["y", "p", f'"no{sign}te"']) + "\n"
    text += "".join(sign.join([str(at), str(at + 2), f'"a{sign}b,\nc"']) + "\n" for at in range(50))
    narrow(monkeypatch, 100)
    body = compress(text.encode(), ".gz") if place == "gz" else text.encode()
    path = tmp_path / f"rows.{name}{'.gz' * (place == 'gz')}"
    if place != "pipe":
        path.write_bytes(body)
    with fed(path, body) if place == "pipe" else contextlib.nullcontext(path) as source:
        done = lossctl("samples", source, "-l", "mse", "-d", delimiter, "-f", "jsonl", "-q")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["loss"] for row in rows] == [4.0] * 50
    assert {row[f"no{sign}te"] for row in rows} == {f"a{sign}b,\nc"}


@pytest.mark.parametrize("delimiter", ["", ",,", "é", '"', "\n", "ab"])
def test_a_delimiter_that_is_no_single_character_is_a_usage_error(delimiter, tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "-d", delimiter)
    assert (done.status, done.out) == (2, "")
    assert "delimiter" in done.err


@pytest.mark.parametrize("head", ["", "\ufeff", "\n\n"], ids=["plain", "BOM", "blank lines"])
@pytest.mark.parametrize("place", ["path", "gz", "pipe", "several"])
def test_without_a_header_columns_are_numbers(head, place, tmp_path, lossctl, monkeypatch):
    narrow(monkeypatch, 8)
    body = (head + "1,2,a\n3,5,b\n0,0,a\n").encode()
    path = tmp_path / f"rows.csv{'.gz' * (place == 'gz')}"
    if place != "pipe":
        path.write_bytes(compress(body, ".gz") if place == "gz" else body)
    with fed(path, body) if place == "pipe" else contextlib.nullcontext(path) as source:
        files = [source] * (2 if place == "several" else 1)
        done = lossctl("eval", *files, "--no-header", "-y", "#1", "-p", "#2", "--by", "#3", "-l", "mse", "-f", "json")
    assert done.status == 0, done.err
    assert done.json["inputs"]["models"] == {"#2": ["#2"]}
    assert [(it["group"], it["value"]) for it in done.json["results"]] == [({"#3": "a"}, 0.5), ({"#3": "b"}, 4.0)]


def test_without_a_header_the_first_line_is_a_row(tmp_path, lossctl):
    path = tmp_path / "rows.tsv"
    path.write_text("1\t2\n3\toops\n")
    done = lossctl("eval", path, "--no-header", "-y", "#1", "-p", "#2", "-l", "mse")
    assert done.status == 3
    assert "row 2: column '#2' holds 'oops'" in done.err
    done = lossctl("samples", path, "--no-header", "-y", "#1", "-p", "#1", "-l", "mse")
    assert done.status == 2
    path.write_text("1\t2\n")
    done = lossctl("samples", path, "--no-header", "-y", "#1", "-p", "#2", "-l", "mse", "-q")
    assert done.out.replace('"', "").splitlines() == ["row,loss,gradient,#1,#2", "1,1,2,1,2"]


# --- JSON Lines ------------------------------------------------------------------------------------------------------


def jsonl(tmp_path, *lines):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("literal", ["NaN", "null", '"NaN"', '""'])
@pytest.mark.parametrize("at", [0, 1])
def test_json_lines_may_hold_what_python_writes_for_a_missing_number(literal, at, tmp_path):
    lines = ['{"y": 1, "p": 2}', '{"y": 1, "p": 3}']
    lines.insert(at, f'{{"y": 1, "p": {literal}}}')
    result = run(jsonl(tmp_path, *lines), {"loss": "mse"}, nulls="drop").results[0]
    assert (result.value, result.n_null) == (2.5, 1)


@pytest.mark.parametrize(("literal", "word"), [("Infinity", "inf"), ("-Infinity", "-inf")])
def test_json_lines_may_hold_an_infinity_that_is_told(literal, word, tmp_path, lossctl):
    done = lossctl("eval", jsonl(tmp_path, '{"y": 1, "p": 2}', f'{{"y": 1, "p": {literal}}}'), "-l", "mse")
    assert done.status == 3
    assert f"row 2: column 'p' is {word}" in done.err


def test_a_key_that_is_missing_is_a_null_and_order_does_not_matter(tmp_path):
    path = jsonl(tmp_path, '{"y": 1, "p": 2}', '{"p": 5, "y": 3}', '{"y": 1}', "{}", '{"p": 1, "new": [1], "y": 1}')
    result = run(path, {"loss": "mse"}, nulls="drop").results[0]
    assert (result.n, result.n_null, result.value) == (3, 2, 5 / 3)
    with pytest.raises(DataError, match="row 3: column 'p' is null"):
        run(path, {"loss": "mse"})


def test_whole_numbers_and_fractions_may_alternate_in_json_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    lines = [json.dumps({"y": at, "p": at + 1, "note": at, "g": at % 2}) for at in range(30)]
    more = [json.dumps({"y": at + 0.5, "p": at + 1, "note": at + 0.5, "g": at % 2}) for at in range(30)]
    report = run(jsonl(tmp_path, *lines, *more), {"loss": "mse", "by": "g"})
    assert [(result.group["g"], result.value) for result in report.results] == [("0", 0.625), ("1", 0.625)]


def test_vectors_in_json_lines_may_begin_with_whole_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    lines = ['{"y": 0, "p": [1, 0, 0]}'] * 10 + ['{"y": 1, "p": [0.25, 0.5, 0.25]}'] * 10
    report = run(jsonl(tmp_path, *lines), {"loss": "cross_entropy"})
    assert report.results[0].n == 20


@pytest.mark.parametrize("word", ['"NA"', "NaN", "1e400", "null"])
def test_vectors_that_begin_with_whole_numbers_keep_their_fractions(word, tmp_path):
    """Also where something else in the file asks for the slow way: a wrong number must not come of it."""
    path = jsonl(tmp_path, f'{{"y": 0, "p": [2, 0], "w": {word}}}', '{"y": 1, "p": [0.25, 0.75], "w": 1}')
    asked = {"loss": "cross_entropy", "from_logits": True}
    right = run({"y": np.array([0.0, 1.0]), "p": np.array([[2.0, 0.0], [0.25, 0.75]])}, asked)
    assert digits(run(path, asked)) == digits(right)


def test_vectors_beside_a_missing_number_are_read_by_the_slow_way_too(tmp_path):
    lines = [
        '{"y": 0, "p": [1, 0], "w": 1}',
        '{"y": 1, "p": [0.5, 0.5], "w": NaN}',
        '{"y": 1, "p": [0.25, 0.75], "w": 1}',
    ]
    asked = {"loss": "cross_entropy", "weight": "w"}
    result = run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0]
    assert (result.n, result.n_null) == (2, 1)
    lines[1] = '{"y": 1, "p": [0.5, NaN], "w": 1}'
    assert run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0].n_null == 1
    lines[1] = '{"y": 1, "p": [0.5, null], "w": 1}'
    assert run(jsonl(tmp_path, *lines), asked, nulls="drop").results[0].n_null == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1, 2]", "not a JSON object"),
        ("3", "not a JSON object"),
        ('{"y": 1, "p": 2', "not JSON"),
        ('{"y": 1, "p": "many"}', "'many', which is not a number"),
        ('{"y": 1, "p": true}', "not a number"),
        ('{"y": 1, "p": [1]}', "not a number"),
        ('{"y": 1, "p": {"q": 1}}', "not a number"),
    ],
)
def test_a_line_that_is_wrong_is_placed_and_quoted(line, words, tmp_path, lossctl, monkeypatch):
    good = ['{"y": 1, "p": 2}'] * 40
    monkeypatch.setattr("lossctl.reading.formats.jsonlines.HEAD", 64)
    narrow(monkeypatch, 64)
    done = lossctl("eval", jsonl(tmp_path, *good, line, *good), "-l", "mse")
    assert done.status == 3
    assert "row 41: " in done.err
    assert words in done.err


NESTED = {
    "tags": ["a", "b"], "empty": [], "meta": {"who": "x", "deep": {"n": 1}}, "many": [{"k": 1}, {"k": 2}],
    "word": 'ü "q"\n', "flag": True, "none": None, "day": "2024-01-05", "big": 9007199254740993,
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("slow", [False, True], ids=["", "beside NaN"])
def test_nested_columns_of_json_lines_are_kept(suffix, slow, tmp_path, lossctl):
    rows = [{"y": 1.0, "p": 2.0, **NESTED}, {"y": 1.0, "p": 3.0, **NESTED, "tags": None}]
    odd = [{"y": 1.0, "p": math.nan, **NESTED}] if slow else []
    path = jsonl(tmp_path, *map(json.dumps, [*rows, *odd]))
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", path, "-l", "mse", "-o", target, "--nulls", "drop")
    assert done.status == 0, done.err
    assert [{name: row[name] for name in rows[0]} for row in read_back(target)] == rows


def test_nested_columns_are_json_in_the_cells_of_delimited_text(tmp_path, lossctl):
    path = jsonl(tmp_path, json.dumps({"y": 1, "p": 2, **NESTED}))
    assert lossctl("samples", path, "-l", "mse", "-o", tmp_path / "out.csv").status == 0
    (row,) = read_back(tmp_path / "out.csv")
    for name in ("tags", "meta", "many", "empty"):
        assert json.loads(row[name]) == NESTED[name]
    assert row["word"] == NESTED["word"]


def read_back(path):
    """The rows of a file, by other readers than ours."""
    import csv

    if path.suffix in {".csv", ".tsv"}:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return table_of(path).to_pylist()


def table_of(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    reader = pa.ipc.open_stream if path.suffix == ".arrows" else pa.ipc.open_file
    with pa.OSFile(str(path)) as file:
        return reader(file).read_all()


# --- Arrow and Feather -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize("name", ["rows.feather", "rows.arrow", "rows.ipc", "rows"])
def test_feather_of_version_2_is_arrow(inside, name, everything, expected, tmp_path):
    path = tmp_path / name
    pyarrow.feather.write_feather(everything, str(path), compression=inside, chunksize=100)
    assert digits(lossctl.evaluate(path, **ASKED, label="y")) == expected
    with fed(tmp_path / "pipe", path.read_bytes()) as pipe:
        assert digits(lossctl.evaluate(pipe, **ASKED, label="y")) == expected


@pytest.mark.parametrize("name", ["rows.feather", "rows.arrow", "rows"])
def test_feather_of_version_1_is_told(name, tmp_path, lossctl):
    path = tmp_path / name
    path.write_bytes(b"FEA1" + bytes(64) + b"FEA1")
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert "Feather" in done.err
    assert "version 1" in done.err


@pytest.mark.parametrize("inside", ["lz4", "zstd"])
def test_arrow_streams_may_be_compressed_inside(inside, everything, expected, tmp_path):
    path = tmp_path / "rows.arrows"
    with pa.ipc.new_stream(path, everything.schema, options=pa.ipc.IpcWriteOptions(compression=inside)) as writer:
        writer.write_table(everything, max_chunksize=70)
    assert digits(lossctl.evaluate(path, **ASKED, label="y")) == expected


@pytest.mark.lowest
@pytest.mark.parametrize("kind", [
    pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string()), pa.large_string(),
    pa.string_view(),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".parquet"])
@pytest.mark.parametrize("command", [["eval"], ["samples"], ["samples", "--top", "3"]], ids=" ".join)
def test_text_of_any_arrow_type_is_label_group_and_column(kind, suffix, command, tmp_path, lossctl):
    words = ["no", "yes", "yes", None, "no", "yes"]
    plain = pa.table({"y": words, "p": [0.25, 0.5, 0.75, 0.5, 0.125, 0.875], "g": words, "id": list("abcdef")})
    typed = plain.set_column(0, "y", as_kind(words, kind)).set_column(2, "g", as_kind(words, kind))
    paths = [tmp_path / f"{name}{suffix}" for name in ("plain", "typed")]
    for path, table in zip(paths, (plain, typed), strict=True):
        store(table, path)
    flags = ["-l", "bce", "--classes", "no,yes", "--nulls", "drop", "-q"]
    flags += ["--by", "g", "-f", "jsonl"] if command == ["eval"] else ["-f", "jsonl"]
    right, done = (lossctl(*command, path, *flags) for path in paths)
    assert right.status == 0
    assert (done.status, done.out, done.err) == (right.status, right.out, right.err)


def as_kind(words, kind):
    if pa.types.is_dictionary(kind):
        return pa.array(words, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(words, kind)


def store(table, path, rows=4):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
        return
    new = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


@pytest.mark.parametrize("place", ["path", "pipe", "several"])
def test_a_stream_may_begin_with_batches_that_are_empty(place, tmp_path):
    batch = pa.record_batch({"y": [1.0, 3.0], "p": [2.0, 5.0]})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        for some in (batch.slice(0, 0), batch.slice(0, 0), batch, batch.slice(0, 0), batch):
            writer.write_batch(some)
    path = tmp_path / "rows.arrows"
    with fed(path, sink.getvalue()) if place == "pipe" else contextlib.nullcontext(path) as source:
        if place != "pipe":
            path.write_bytes(sink.getvalue())
        report = run([source] * (2 if place == "several" else 1), {"loss": "mse"})
    assert (report.results[0].n, report.value) == (8 if place == "several" else 4, 2.5)


@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("source", [".arrows", ".parquet"])
def test_categories_that_differ_from_part_to_part_are_kept(source, suffix, tmp_path, lossctl):
    """As pandas writes them: every batch and row group may have a dictionary of its own."""
    path, target = tmp_path / f"in{source}", tmp_path / f"out{suffix}"
    words = ["a", "b", "b", "c", "d", "a", "e", "d"]
    if source == ".parquet":
        pq.write_table(
            pa.table({"y": [1.0] * 8, "p": [2.0] * 8, "g": pa.array(words).dictionary_encode()}), path, row_group_size=3
        )
    else:
        batches = [
            pa.record_batch({"y": [1.0] * 2, "p": [2.0] * 2, "g": pa.array(words[at : at + 2]).dictionary_encode()})
            for at in range(0, 8, 2)
        ]
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    done = lossctl("samples", path, "-l", "mse", "-o", target)
    assert done.status == 0, done.err
    assert [row["g"] for row in read_back(target)] == words
    done = lossctl("samples", path, "-l", "mse", "--top", "8", "-o", target)
    assert done.status == 0, done.err
    assert [row["g"] for row in read_back(target)] == words


@pytest.mark.parametrize("source", [".csv", ".parquet", ".jsonl"])
def test_samples_as_a_stream_into_eval_lose_nothing(source, plain_environment, tmp_path, everything):
    path = tmp_path / f"rows{source}"
    path.write_bytes(stored_as(format_for(path.name), everything.drop_columns("w")))
    flags = "-y y -p p -l mse,log_cosh -q"
    script = f'"$1" -m lossctl samples "$2" {flags} -f arrows | "$1" -m lossctl eval - {flags} --by g --grad -f json'
    command = ["bash", "-o", "pipefail", "-c", script, "bash", sys.executable, path]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    asked = {"loss": ["mse", "log_cosh"], "label": "y", "prediction": "p", "by": "g"}
    rounded = dict.fromkeys(("standard_error", *ROUNDED))  # once a batch, and a stream has other batches
    found, expected = (
        [{**result, **rounded} for result in results]
        for results in (json.loads(done.stdout)["results"], run(path, asked, samples=0).to_dict()["results"])
    )
    assert found == expected


@pytest.mark.parametrize("form", [found.name for found in ON_DISK])
def test_samples_go_through_a_pipe_in_every_format(form, plain_environment, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("y,p\n0.1,0.2\n0.3,0.7\n")
    script = f'"$1" -m lossctl samples "$2" -l mse -q -f {form} | "$1" -m lossctl eval - -F {form} -l mse -q -f value'
    command = ["bash", "-o", "pipefail", "-c", script, "bash", sys.executable, path]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) == run(path, {"loss": "mse"}).value


# --- columns that are only carried along -----------------------------------------------------------------------------

DAY, MOMENT = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 23, 59, 58, 123456)  # noqa: DTZ001
CARRIED = {
    "string": pa.array(["a", 'b,"c"\n', None]),
    "large_string": pa.array(["a", "ü", None], pa.large_string()),
    "string_view": pa.array(["a", "a text longer than twelve bytes", None], pa.string_view()),
    "dictionary": pa.array(["a", "b", None]).dictionary_encode(),
    "binary": pa.array([b"a", b"\xff\x00", None]),
    "large_binary": pa.array([b"a", b"\xff\x00", None], pa.large_binary()),
    "fixed_binary": pa.array([b"ab", b"\xff\x00", None], pa.binary(2)),
    "bool": pa.array([True, False, None]),
    "null": pa.nulls(3),
    "int8": pa.array([1, -128, None], pa.int8()),
    "int64": pa.array([2**53 + 1, -(2**63), None]),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float16": pa.array(np.array([1.5, -0.25, 0.0], dtype=np.float16)),
    "float32": pa.array([1.5, -0.1, None], pa.float32()),
    "float64": pa.array([0.1, math.inf, None]),
    "decimal": pa.array([decimal.Decimal("1.10"), decimal.Decimal("-99999999.99"), None], pa.decimal128(12, 2)),
    "decimal256": pa.array([decimal.Decimal("1.10"), decimal.Decimal("-99999999.99"), None], pa.decimal256(50, 2)),
    "date32": pa.array([DAY, dt.date(1, 1, 1), None]),
    "date64": pa.array([DAY, dt.date(1, 1, 1), None], pa.date64()),
    "time32": pa.array([dt.time(1, 2, 3), None, None], pa.time32("s")),
    "time64": pa.array([dt.time(1, 2, 3, 4), None, None], pa.time64("us")),
    "timestamp": pa.array([MOMENT, None, MOMENT], pa.timestamp("us")),
    "timestamp ns": pa.array([1709251198123456789, None, 0], pa.timestamp("ns")),
    "timestamp with zone": pa.array([MOMENT, None, MOMENT], pa.timestamp("us", "UTC")),
    "duration": pa.array([dt.timedelta(days=1, microseconds=5), None, None], pa.duration("us")),
    "list": pa.array([["a"], [], None]),
    "list of lists": pa.array([[[1], []], [], None]),
    "large list": pa.array([[1], [], None], pa.large_list(pa.int64())),
    "fixed list": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int64(), 2)),
    "struct": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": None}, None]),
    "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "struct of times": pa.array([{"t": MOMENT, "d": decimal.Decimal("1.5")}, None, None]),
}  # fmt: skip


@pytest.mark.parametrize("top", [[], ["--top", "9"]], ids=["all", "top"])
@pytest.mark.parametrize("source", [".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("kind", CARRIED)
def test_samples_keep_a_column_of_any_type(kind, source, top, tmp_path, lossctl):
    column = CARRIED[kind]
    table = pa.table(
        {"y": [1.0, None, 1.0, 1.0], "p": [4.0, 3.0, 3.0, 2.0], "it": pa.concat_arrays([column, column.slice(0, 1)])}
    )
    path = tmp_path / f"in{source}"
    try:
        store(table, path, rows=3)
    except pa.ArrowNotImplementedError:
        pytest.skip(f"{source} cannot hold a {kind}")
    column = table_of(path)["it"]
    cells = column.to_pylist()
    kept = [cells[0], cells[2], cells[3]]
    for suffix in (".parquet", ".arrow", ".arrows", ".csv", ".tsv", ".jsonl"):
        target = tmp_path / f"out{suffix}"
        done = lossctl("samples", path, "-l", "mse", "--nulls", "drop", "-o", target, *top)
        assert done.status == 0, f"{suffix}: {done.err}"
        rows = read_back(target)
        assert [float(row["loss"]) for row in rows] == [9.0, 4.0, 1.0]
        if suffix in {".arrow", ".arrows"} or (suffix == ".parquet" and source == ".parquet"):
            found = table_of(target)["it"]
            assert found.to_pylist() == kept
            assert found.type == column.type or str(column.type).startswith(
                ("dictionary", "string_view", "binary_view")
            )
        elif suffix == ".jsonl":
            plain = [cell if cell is None or isinstance(cell, bool | int | str) else ... for cell in kept]
            assert all(
                ours == theirs
                for ours, theirs in zip(plain, (row["it"] for row in rows), strict=True)
                if ours is not ...
            )
        elif suffix in {".csv", ".tsv"}:
            assert [row["it"] == "" for row in rows] == [cell is None for cell in kept]


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".arrow"])
def test_samples_keep_what_text_says(name, suffix, tmp_path, lossctl):
    """Postcodes keep their zeros, ids all their digits, dates their spelling."""
    words = {
        "postcode": ["00501", "01234"], "id": ["18446744073709551615", "12345678901234567890123"],
        "day": ["2024-01-05", "2024-01-06"],
        "when": ["2024-01-05T10:00:00Z", "2024-01-05 10:00:00"], "country": ["NA", "null"], "answer": ["True", "no"],
    }  # fmt: skip
    rows = [{"y": 1.0, "p": 2.0, **{key: cells[at] for key, cells in words.items()}} for at in range(2)]
    target = tmp_path / f"out{suffix}"
    done = lossctl("samples", by_hand(tmp_path, name, rows), "-l", "mse", "-o", target)
    assert done.status == 0, done.err
    found = {key: [row[key] for row in read_back(target)] for key in words}
    if not (suffix in {".jsonl", ".parquet", ".arrow"} and name in {"csv", "tsv"}):
        assert found == words
    else:  # what looks like a number may become one where types are kept, but no digit may be lost
        assert {key: found[key] for key in ("day", "when", "country", "answer")} == {
            key: words[key] for key in ("day", "when", "country", "answer")
        }
        assert list(map(str, found["id"])) == words["id"]
        assert list(map(str, found["postcode"])) == words["postcode"]


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("first", "later"),
    [(1, 0.5), (1, "many"), (0.5, "many"), ("2024-01-05", "never"), (True, "maybe"), (None, "x"), (1, 2**70)],
)
@pytest.mark.parametrize("top", [[], ["--top", "200"]], ids=["all", "top"])
def test_samples_survive_a_carried_column_that_changes_its_mind(
    name, suffix, first, later, top, tmp_path, lossctl, monkeypatch
):
    """What nobody asked about must not end a run because of what stood in the first megabyte."""
    for module in ("delimited", "jsonlines"):
        monkeypatch.setattr(f"lossctl.reading.formats.{module}.HEAD", 256)
    narrow(monkeypatch, 256)
    rows = [{"y": 1.0, "p": 2.0, "note": first}] * 50 + [{"y": 1.0, "p": 2.0, "note": later}] * 50
    path, target = by_hand(tmp_path, name, rows), tmp_path / f"out{suffix}"
    assert lossctl("eval", path, "-l", "mse", "-f", "value", "-q").out == "1.0\n"
    done = lossctl("samples", path, "-l", "mse", "-o", target, *top)
    assert done.status == 0, done.err
    cells = [row["note"] for row in read_back(target)]
    assert len(cells) == 100
    assert str(cells[99]) == str(later)
    assert str(cells[0]) in {str(first), "" if first is None else str(first).lower(), f"{first}.0"}


# --- how numbers are stored ------------------------------------------------------------------------------------------

WHOLE = [0, 1, 1, 0, 5, 100, 127, 3, 0, 1]
HALVES = [0.0, 0.5, -1.25, 1024.0, 0.125, 3.0, -2.0, 7.5, 1.0, 0.0]
CENTS = [0.1, 0.29, 1.15, -2.675, 12345.67, 0.07, 99.99, 1e-3, 0.3, 1234567.891]


@given(
    digits=st.lists(st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-(2**54), 2**54) | st.none(), min_size=1),
    scale=st.integers(-3, 38),
    skipped=st.integers(0, 3),
)
def test_a_decimal_is_read_as_the_nearest_double(digits, scale, skipped):
    with decimal.localcontext(prec=80):
        exact = [None if it is None else decimal.Decimal(it).scaleb(-scale) for it in digits]
        array = pa.array(exact, pa.decimal128(38, scale))[skipped:]
    values, null = scalar_column(array)
    missing = np.zeros(len(array), np.bool_) if null is None else null
    expected = [0.0 if it is None else float(it) for it in exact[skipped:]]  # Python rounds correctly
    assert np.where(missing, 0.0, values).tolist() == expected
    assert missing.tolist() == [it is None for it in exact[skipped:]]


def decimals(values, kind):
    return pa.array([decimal.Decimal(repr(value)) for value in values], kind)


TYPES = {
    **{str(kind): (WHOLE, pa.array(WHOLE, kind)) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(),
        pa.float32(), pa.float64(),
    )},
    "bool": ([0, 1, 1, 0, 1] * 2, pa.array([False, True, True, False, True] * 2)),
    "halves in float16": (HALVES, pa.array(np.array(HALVES, dtype=np.float16))),
    "halves in float32": (HALVES, pa.array(HALVES, pa.float32())),
    "float32": (np.float32(CENTS).astype(float).tolist(), pa.array(np.float32(CENTS))),
    "decimal128": (CENTS, decimals(CENTS, pa.decimal128(20, 4))),
    "decimal128 of 38 digits": (CENTS, decimals(CENTS, pa.decimal128(38, 10))),
    "decimal256": (CENTS, decimals(CENTS, pa.decimal256(60, 10))),
    "dictionary": (CENTS, pa.array(CENTS).dictionary_encode()),
    "dictionary of integers": (WHOLE, pa.array(WHOLE, pa.int16()).dictionary_encode()),
}  # fmt: skip


@pytest.mark.parametrize("role", ["label", "prediction", "weight"])
@pytest.mark.parametrize("name", TYPES)
def test_the_type_of_a_column_cannot_change_a_digit(name, role, tmp_path):
    values, stored_as = TYPES[name]
    if role == "weight":
        values, keep = np.abs(values).tolist(), pa.array([value >= 0 for value in values])
    else:
        keep = pa.array([True] * len(values))
    others = {
        column: np.linspace(0.3, 2.7, len(values)) for column in ("label", "prediction", "weight") if column != role
    }
    asked = {"loss": ["mse", "huber"], "weight": "weight"}
    expected = digits(run(pa.table({**others, role: pa.array(np.array(values, dtype=float))}).filter(keep), asked))
    table = pa.table({**others, role: stored_as}).filter(keep)
    assert digits(run(table, asked)) == expected
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    assert digits(run(path, asked)) == expected


@pytest.mark.parametrize("value", [pa.float32(), pa.float16(), pa.int8()], ids=str)
@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda it: pa.list_(it, 2)], ids=["list", "large", "fixed"])
def test_the_type_of_a_list_cannot_change_a_digit(kind, value, tmp_path):
    vectors = [[1, 2], [3, 4], [0, 7], [5, 5]]
    table = pa.table(
        {"label": pa.array(vectors, kind(value)), "prediction": pa.array([[2, 2], [0, 1], [9, 9], [4, 6]], kind(value))}
    )
    plain = {"label": np.array(vectors, dtype=float), "prediction": np.array([[2.0, 2], [0, 1], [9, 9], [4, 6]])}
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    expected = digits(run(plain, {"loss": "mse"}))
    for source in (table, path, table.slice(0, 1), table.slice(1)):
        if isinstance(source, pa.Table) and source.num_rows < 4:
            cut = slice(0, 1) if source.num_rows == 1 else slice(1, None)
            part = {name: values[cut] for name, values in plain.items()}
            assert digits(run(source, {"loss": "mse"})) == digits(run(part, {"loss": "mse"}))
        else:
            assert digits(run(source, {"loss": "mse"})) == expected


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64()], ids=str)
@pytest.mark.parametrize("holes", [False, True], ids=["full", "with nulls"])
def test_groups_may_be_a_dictionary_of_any_index(index, holes):
    """Also one that has as many words as its index can count."""
    most = {"int8": 128, "uint8": 256}.get(str(index), 300)
    codes = [None if holes and at % 50 == 0 else at for at in range(most)]
    words = [f"group {at:03}" for at in range(most)]
    dictionary = pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(words))
    columns = {"label": np.zeros(most), "prediction": np.arange(float(most))}
    asked = {"loss": "mae", "by": "g"}
    plain = pa.array([None if code is None else words[code] for code in codes])
    assert digits(run(pa.table({**columns, "g": dictionary}), asked)) == digits(
        run(pa.table({**columns, "g": plain}), asked)
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_text_may_be_of_any_text_type(kind):
    columns = {"label": np.zeros(4), "prediction": np.arange(4.0)}
    words = ["a", None, "b", "a"]
    asked = {"loss": "mae", "by": "g"}
    expected = digits(run(pa.table({**columns, "g": pa.array(words)}), asked))
    assert digits(run(pa.table({**columns, "g": pa.array(words, pa.string()).cast(kind)}), asked)) == expected


# --- tables in memory ------------------------------------------------------------------------------------------------


def test_a_masked_array_keeps_its_mask():
    """What is masked is a null; the number underneath must never be measured."""
    label = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    source = {"label": label, "prediction": np.array([1.0, 100.0, 4.0])}
    assert run(source, {"loss": "mse"}, nulls="drop").value == 0.5
    with pytest.raises(lossctl.LossctlError, match="null"):
        run(source, {"loss": "mse"})


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_layout_of_an_array_cannot_change_a_digit(order, step):
    rng = np.random.default_rng(1)
    label, prediction = rng.normal(size=(60, 9)), rng.normal(size=(60, 9))
    expected = digits(run({"label": label[::step].copy(), "prediction": prediction[::step].copy()}, {"loss": "mse"}))
    laid = {
        "label": np.asarray(label, order=order)[::step],
        "prediction": np.asarray(prediction, order=order)[::step],
    }
    assert digits(run(laid, {"loss": "mse"})) == expected
    narrow = {name: values[:, 0] for name, values in laid.items()}
    plain = {name: values[:, 0].copy() for name, values in laid.items()}
    assert digits(run(narrow, {"loss": "mse"})) == digits(run(plain, {"loss": "mse"}))


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


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"\n\n", b"\r\n"], ids=["plain", "BOM", "LF LF", "CRLF"])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\n\n\n"], ids=["nothing", "LF", "CRLF", "empty lines"])
def test_what_surrounds_the_rows_of_a_csv_does_not_matter(head, tail, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(head + b"label,prediction\n1,2\n3,5" + tail)
    assert run(path, {"loss": "mse"}).value == 2.5


def test_a_csv_may_end_its_lines_as_old_macs_did(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"label,prediction\r1,2\r3,5\r")
    assert run(path, {"loss": "mse"}).value == 2.5


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
        ("columns", set(columns) - {"unused"}, 4_000, 4e7),
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
