"""A file that changes while it is read is read as it was when it was opened first, or is an error that says so.

Every reading of a file of this machine is a call of ``os.pread``: the file is changed before or after one of them.
"""

import contextlib
import os
import threading

import pyarrow as pa
import pytest
from stored import compress, narrow, stored_as

import lossctl as library
from lossctl.reading import stamp
from lossctl.reading.format import formats
from lossctl.reading.location import SUFFIXES as COMPRESSIONS

ROWS = 120


def table(error, *, quoted=False):
    """Predictions that are all wrong by the same: their mean squared error is its square."""
    label = [row % 4 / 2 for row in range(ROWS)]
    columns = {"y": label, "p": [value + error for value in label], "id": [1000 + row for row in range(ROWS)]}
    columns |= {"g": ["a\nb"] * ROWS} if quoted else {}
    return pa.table(columns)


BEFORE = {format_.name: stored_as(format_, table(1.0)) for format_ in formats}
# The columns in another order: the header of one file with the rows of another would not go unnoticed.
AFTER = {format_.name: stored_as(format_, table(2.0).select(["p", "y", "id"])) for format_ in formats}
BEFORE["csv of quotes"] = stored_as(formats.get("csv"), table(1.0, quoted=True))
AFTER["csv of quotes"] = stored_as(formats.get("csv"), table(2.0, quoted=True))
for text, suffix in (*(("csv", suffix) for suffix in COMPRESSIONS), ("jsonl", ".gz")):
    BEFORE[text + suffix], AFTER[text + suffix] = (compress(body[text], suffix) for body in (BEFORE, AFTER))


def rename(path, body):
    """Another file takes the name, of the same size and the same time of change where it can."""
    status, other = path.stat(), path.with_name("other")
    other.write_bytes(body)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, path)


def overwrite(path, body):
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.write(body[:size].ljust(size, b"\n"))


def truncate(path, body):
    os.truncate(path, len(body) // 3)


def append(path, body):
    with open(path, "ab") as file:
        file.write(body)


def remove(path, body):
    path.unlink()


IN_PLACE = {overwrite: "it was written to", truncate: "it was cut from ", append: "it grew from "}
"""Ways to change a file itself, and how the error words them."""
WAYS = (*IN_PLACE, rename, remove)
"""The last two leave the file alone that was opened."""


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Store a file in several parts."""

    def store(kind, name="rows"):
        narrow(monkeypatch, len(BEFORE[kind]) // 2)
        path = tmp_path / f"{name}.{kind.removesuffix(' of quotes')}"
        path.write_bytes(BEFORE[kind])
        return path

    return store


@pytest.fixture
def at(monkeypatch):
    """Change a file at a moment: before (even) or after (odd) one of its readings; how many moments there were."""
    pread = os.pread

    @contextlib.contextmanager
    def changing(path, moment=None, change=None, body=b""):
        count, inode = 0, path.stat().st_ino

        def passing(descriptor):
            nonlocal count
            if os.fstat(descriptor).st_ino == inode:
                if count == moment:
                    change(path, body)
                count += 1

        def read(descriptor, *asked):
            passing(descriptor)
            read = pread(descriptor, *asked)
            passing(descriptor)
            return read

        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", read)
            yield lambda: count

    return changing


@pytest.mark.parametrize("way", [*IN_PLACE, rename])
@pytest.mark.parametrize("kind", BEFORE)
def test_a_file_that_changes_at_any_moment_is_read_as_it_was_or_is_an_error(stored, at, kind, way):
    def run():
        return library.evaluate(path, "mse", label="y", prediction="p", engine="serial")

    path = stored(kind)
    with at(path) as count:
        run()
    for moment in range(count()):
        path.write_bytes(BEFORE[kind])
        with at(path, moment, way, AFTER[kind]):
            if way is rename:
                assert [(result.value, result.n) for result in run().results] == [(1.0, ROWS)]
                continue
            with pytest.raises(stamp.Changed) as raised:
                run()
        assert raised.value.what.startswith(f"{path}: was changed while it was read: {IN_PLACE[way]}"), moment


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["csv of quotes", "parquet"])
def test_a_file_that_changes_while_workers_read_it_is_read_as_it_was_or_is_an_error(
    stored, monkeypatch, tmp_path, kind, way
):
    """It changes when the first worker reads it: what a fork inherits stays open, other files are opened by name."""
    parent, pread = threading.get_native_id(), os.pread
    path, other = stored(kind), stored(kind, "other")

    def read(descriptor, *asked):
        if threading.get_native_id() != parent and os.fstat(descriptor).st_ino == inode:
            with contextlib.suppress(FileExistsError):
                (tmp_path / "changed").touch(exist_ok=False)
                way(path, AFTER[kind])
        return pread(descriptor, *asked)

    monkeypatch.setattr(os, "pread", read)
    for engine in ("threads", "processes"):
        for files in ([path], [other, path]):
            (tmp_path / "changed").unlink(missing_ok=True)
            path.write_bytes(BEFORE[kind])
            inode = path.stat().st_ino
            try:
                report = library.evaluate(files, "mse", label="y", prediction="p", engine=engine, threads=2)
            except stamp.Changed as changed:
                assert changed.what.startswith(f"{path}: was changed while it was read: ")  # noqa: PT017
                assert way in IN_PLACE or (engine, files) == ("processes", [other, path])
            else:
                assert way not in IN_PLACE
                assert [(result.value, result.n) for result in report.results] == [(1.0, ROWS * len(files))]
            assert (tmp_path / "changed").exists()


def commands(path, labels, other):
    """Command lines that read a file: with others, before them and after."""
    roles = ["-y", "y", "-p", "p"]
    return {
        "eval": ["eval", path, *roles, "-l", "huber", "--grad", "--samples", "2", "--skill", "-f", "json"],
        "first of two": ["eval", path, other, *roles, "-l", "huber", "-f", "json"],
        "second of two": ["eval", other, path, *roles, "-l", "huber", "-f", "json"],
        "predictions": ["eval", path, "-p", "p", "--labels", labels, "--id", "id", "-l", "huber", "-f", "json"],
        "labels": ["eval", other, "-p", "p", "--labels", path, "--id", "id", "-y", "y", "-l", "huber", "-f", "json"],
        "both": ["eval", path, "-p", "p", "--labels", path, "--id", "id", "-y", "y", "-l", "huber", "-f", "json"],
        "samples": ["samples", path, *roles, "-l", "huber", "-f", "jsonl"],
        "worst": ["samples", other, path, *roles, "-l", "huber", "--top", "5", "-f", "jsonl"],
        "plot": ["plot", path, *roles, "-l", "huber", "--json"],
        "plot of two": ["plot", other, path, *roles, "-l", "huber", "--json"],
        "doctor": ["doctor", other, path, *roles, "-f", "json"],
        "columns": ["doctor", other, path, "-y", "nothing", "-f", "json"],
        "gradcheck": ["gradcheck", "huber", other, path, *roles, "-f", "json"],
    }


@pytest.mark.parametrize("name", commands("", "", ""))
def test_every_command_reads_a_file_as_it_was_or_says_that_it_changed(lossctl, stored, at, name):
    """Each at three moments for each way to change a file; the formats take turns."""
    for turn, (way, kind) in enumerate(zip(WAYS, ["csv", "parquet", "jsonl", "csv.gz", "csv of quotes"], strict=True)):
        path, labels, other = stored(kind), stored(kind, "labels"), stored(kind, "other")
        command = [*commands(path, labels, other)[name], *(["--engine", "serial"] if name != "samples" else [])]
        with at(path) as count:
            whole = lossctl(*command)
        for moment in {turn % 2, count() // 2 + turn % 2, count() - 1 - turn % 2}:
            path.write_bytes(BEFORE[kind])
            with at(path, moment, way, AFTER[kind]):
                done = lossctl(*command)
            outcome = kind, way.__name__, moment, done
            if done.status == whole.status:
                assert done == whole, outcome
                continue
            assert done.status == 3, outcome
            assert f"{path}: was changed while it was read: " in done.err, outcome
            assert whole.out.startswith(done.out) if name == "samples" else not done.out, outcome
