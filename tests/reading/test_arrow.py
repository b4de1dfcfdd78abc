"""Arrow files, streams and Feather: types, categories, and samples as a stream."""

import contextlib
import io
import json
import subprocess
import sys
from pipes import fed

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from figures import ROUNDED, digits, run
from stored import ASKED, ON_DISK, read_back, store, stored_as
from waiting import HANGS

import lossctl
from lossctl.reading.format import format_for


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
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=HANGS)
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
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=HANGS)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) == run(path, {"loss": "mse"}).value
