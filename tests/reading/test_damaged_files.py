"""Damaged files, files that change, files that cannot be read, pipes that dawdle: an error, never a wrong number."""

import bz2
import contextlib
import errno
import gzip
import os
import threading
from pipes import unread

import pyarrow as pa
import pytest
from figures import result
from stored import FORMATS, rows, stored
from waiting import until

import lossctl
from lossctl.reading import location, stores
from lossctl.reading.formats import delimited, jsonlines

# --- damaged files ---------------------------------------------------------------------------------------------------

ROWS = 12

COMPRESSED = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda text: pa.compress(text, "zstd", asbytes=True),
    ".lz4": lambda text: pa.compress(text, "lz4", asbytes=True),
}


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv.gz", ".csv.bz2", ".csv.zst", ".csv.lz4", ".jsonl.gz"])
def test_a_file_cut_anywhere_is_an_error(tmp_path, suffix):
    inner, _, packing = suffix[1:].partition(".")
    whole = stored(rows(ROWS), f".{inner}")
    if packing:
        whole = COMPRESSED[f".{packing}"](whole)
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(whole)
    assert result(path)[0] == ROWS
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert isinstance(result(path), lossctl.LossctlError), length


def test_an_arrow_stream_cut_anywhere_is_an_error_or_its_whole_batches(tmp_path):
    whole, path = stored(rows(ROWS), ".arrows"), tmp_path / "rows.arrows"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = result(path)
        assert isinstance(found, lossctl.LossctlError) or found[0] in {4, 8, 12}, length


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_text_cut_anywhere_is_an_error_or_the_rows_that_are_there(tmp_path, suffix):
    whole, path = stored(rows(ROWS), suffix), tmp_path / f"rows{suffix}"
    header = suffix == ".csv"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found, lines = result(path), whole[:length].count(b"\n") - header
        if isinstance(found, lossctl.LossctlError):
            assert lines < 1 or not whole[:length].endswith(b"\n"), length
        elif whole[:length].endswith(b"\n"):
            assert found[0] == lines
        else:
            assert found[0] in {lines, lines + 1}, length


@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".parquet"])
def test_a_damaged_offset_or_text_is_never_followed(tmp_path, suffix):
    whole = bytearray(stored(rows(40), suffix, chunk=40))
    path, crashes = tmp_path / f"rows{suffix}", []
    for at in range(0, len(whole), 5):
        for value in (0x7F, 0xFF):
            damaged = bytes(whole[:at]) + bytes([value]) + bytes(whole[at + 1 :])
            path.write_bytes(damaged)
            try:
                lossctl.evaluate(path, "mse", by="word", nulls="drop")
            except lossctl.LossctlError:
                pass
            except Exception as error:  # noqa: BLE001  (all of them are wanted)
                crashes.append((at, value, repr(error)[:120]))
    assert crashes == []


# --- files that change -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_shards(monkeypatch):
    """Text in shards of a few rows."""
    for module in (delimited, jsonlines):
        monkeypatch.setattr(module, "RANGE", 256)


def change(path, how, other):
    """What somebody else does to a file in the middle of a run."""
    content = path.read_bytes()
    if how == "emptied":
        path.write_bytes(b"")
    elif how == "cut":
        cut = content.rfind(b"\n", 0, len(content) // 2) + 1 if path.suffix in {".csv", ".jsonl"} else len(content) // 2
        os.truncate(path, cut)
    elif how == "replaced":
        beside = path.with_name("beside")
        beside.write_bytes(other)
        beside.replace(path)
    elif how == "rewritten":
        path.write_bytes(other)
    elif how == "removed":
        path.unlink()
    elif how == "appended":
        with path.open("ab") as file:
            file.write(content[-100:])


@pytest.mark.parametrize("how", ["emptied", "cut", "replaced", "rewritten", "removed", "appended"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_a_file_that_changes_in_the_middle_of_a_run_is_an_error_or_changes_nothing(
    tmp_path, small_shards, suffix, how, engine
):
    path = tmp_path / f"rows{suffix}"
    old, new = stored(rows(400), suffix, chunk=40), stored(rows(120, seed=1), suffix, chunk=40)
    path.write_bytes(old)
    expected = result(path)
    path.write_bytes(new)
    other = result(path)
    path.write_bytes(old)
    done = []

    def progress(nbytes):
        if not done:
            done.append(nbytes)
            change(path, how, new)

    found = result(path, progress=progress, engine=engine, threads=None if engine == "serial" else 1)
    assert done
    assert isinstance(found, lossctl.LossctlError) or found in (expected, other), (found, expected, other)


# --- files that cannot be read ---------------------------------------------------------------------------------------


def test_a_file_that_raises_when_read_is_an_error(lossctl):
    ended = lossctl("eval", "/proc/self/mem", "-F", "csv", "-l", "mse")
    assert ended.status == 3
    assert ended.err.startswith("error: /proc/self/mem: cannot be read: ")


def test_a_file_without_permission_is_an_error(lossctl, tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_text("y,p\n1,2\n")
    path.chmod(0)

    def refusing(name, *arguments, **named):
        # root may read everything
        if name == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return open(name, *arguments, **named)

    monkeypatch.setattr(stores, "open", refusing, raising=False)
    monkeypatch.setattr(location, "open", refusing, raising=False)
    ended = lossctl("eval", path, "-l", "mse")
    assert (ended.status, ended.out, ended.err) == (3, "", f"error: {path}: permission denied\n")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_is_named(lossctl, tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored(rows(3).drop_columns(["p"]), suffix))
    ended = lossctl("eval", path, "-l", "mse", "-y", "y", "-p", "p")
    assert (ended.status, ended.out) == (2, "")
    assert "no column 'p'" in ended.err


def test_a_column_missing_from_a_later_file_names_both_files(lossctl, tmp_path):
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    first.write_bytes(stored(rows(3), ".parquet"))
    second.write_bytes(stored(rows(3).drop_columns(["p"]), ".parquet"))
    ended = lossctl("eval", first, second, "-l", "mse")
    assert ended.status == 3
    assert str(first) in ended.err
    assert str(second) in ended.err
    assert "'p'" in ended.err


# --- pipes that dawdle -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [*FORMATS, ".csv.gz", ".csv.zst"])
def test_a_pipe_that_gives_one_byte_first_is_recognised_all_the_same(tmp_path, suffix):
    inner, _, packing = suffix[1:].partition(".")
    whole = stored(rows(ROWS), f".{inner}")
    whole = COMPRESSED[f".{packing}"](whole) if packing else whole
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(whole)
    expected = result(path)
    reader, writer = os.pipe()

    def feed():
        with contextlib.suppress(BrokenPipeError):
            for part in (whole[:1], whole[1:5], whole[5:]):
                os.write(writer, part)
                until(lambda: not unread(writer))
        os.close(writer)

    feeding = threading.Thread(target=feed)
    feeding.start()
    reading = lossctl.reading.format.Reading(format="tsv") if suffix == ".tsv" else None
    found = result(f"/dev/fd/{reader}", reading=reading)
    os.close(reader)
    feeding.join()
    location.clean()
    assert found == expected
