"""A file that changes while it is read is read as it was when it was opened first, or is an error that says so.

Every reading of a file of this machine is a call of ``os.pread``: the file is changed before or after one of them.
Where Arrow would read by itself it is given a file that reads by these calls and checks nothing, as Arrow does.
"""

import contextlib
import gc
import itertools
import os
import sys
import threading

import pyarrow as pa
import pytest
from stored import ON_DISK, arrays_as, compress, narrow, stored_as

import lossctl as library
from lossctl.reading import stamp, stamped
from lossctl.reading.files import open_source
from lossctl.reading.format import Wanted, formats
from lossctl.reading.location import SUFFIXES as COMPRESSIONS

ROWS = 120


def table(error, *, quoted=False):
    """Predictions that are all wrong by the same: their mean squared error is its square."""
    label = [row % 4 / 2 for row in range(ROWS)]
    columns = {"y": label, "p": [value + error for value in label], "id": [1000 + row for row in range(ROWS)]}
    columns |= {"g": ["a\nb"] * ROWS} if quoted else {}
    return pa.table(columns)


BEFORE = {format_.name: stored_as(format_, table(1.0)) for format_ in ON_DISK}
# The columns in another order: the header of one file with the rows of another would not go unnoticed.
AFTER = {format_.name: stored_as(format_, table(2.0).select(["p", "y", "id"])) for format_ in ON_DISK}
for name in ("npy", "npz"):
    BEFORE[name], AFTER[name] = (arrays_as(name, it) for it in (table(1.0), table(2.0).select(["p", "y", "id"])))
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


def overwrite_by_stealth(path, body):
    """Its time of change is put back, as ``rsync --inplace --times`` does."""
    status = path.stat()
    overwrite(path, body)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def truncate(path, body):
    os.truncate(path, len(body) // 3)


def append(path, body):
    with open(path, "ab") as file:
        file.write(body)


def remove(path, body):
    path.unlink()


IN_PLACE = {
    overwrite: "it was written to",
    overwrite_by_stealth: "it was written to",
    truncate: "it was cut from ",
    append: "it grew from ",
}
"""Ways to change a file itself, and how the error words them."""
WAYS = (*IN_PLACE, rename, remove)
"""The last two leave the file alone that was opened."""


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Store a file in several parts."""

    def store(kind, name="rows"):
        narrow(monkeypatch, len(BEFORE[kind]) // 2)
        path = tmp_path / f"{name}.{kind.removesuffix(' of quotes')}"
        return write(path, BEFORE[kind])

    return store


class Unchecked(stamped.View):
    """What reads as Arrow does by itself."""

    def check(self):
        """Do not."""


def unchecked(view):
    return Unchecked(view.handle, view.stamp, view.path)


MOMENTS = itertools.count()


def write(path, body):
    """Write a file as if long ago, never twice at the same time."""
    path.write_bytes(body)
    os.utime(path, ns=(0, next(MOMENTS)))
    return path


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
            patch.setattr(stamped.View, "native", unchecked)
            yield lambda: count

    return changing


CHANGES = [*IN_PLACE, rename]


@pytest.mark.parametrize("turn", [0, 2])
@pytest.mark.parametrize("kind", BEFORE)
def test_a_file_that_changes_at_any_moment_is_read_as_it_was_or_is_an_error(stored, at, kind, turn):
    """Of every kind at every moment in two ways, which take turns: what notices one notices all of them."""

    def run():
        return library.evaluate(path, "mse", label="y", prediction="p", engine="serial")

    path = stored(kind)
    with at(path) as count:
        run()
    for moment in range(count()):
        write(path, BEFORE[kind])
        way = CHANGES[(moment + turn) % len(CHANGES)]
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
    """It changes when the first worker reads it; workers read what the run has open."""
    parent, pread = threading.get_native_id(), os.pread
    path, other = stored(kind), stored(kind, "other")
    inode = path.stat().st_ino

    def read(descriptor, *asked):
        if threading.get_native_id() != parent and os.fstat(descriptor).st_ino == inode:
            with contextlib.suppress(FileExistsError):
                (tmp_path / "changed").touch(exist_ok=False)
                way(path, AFTER[kind])
        return pread(descriptor, *asked)

    monkeypatch.setattr(os, "pread", read)
    monkeypatch.setattr(stamped.View, "native", unchecked)
    for engine in ("threads", "processes"):
        for ahead in ([], [other]):
            # A file of its own: a reader of the run before may not be done with what nobody waits for.
            path = write(stored(kind, f"{engine} {len(ahead)}"), BEFORE[kind])
            files, inode = [*ahead, path], path.stat().st_ino
            (tmp_path / "changed").unlink(missing_ok=True)
            try:
                report = library.evaluate(files, "mse", label="y", prediction="p", engine=engine, threads=2)
            except stamp.Changed as changed:
                assert changed.what.startswith(f"{path}: was changed while it was read: ")  # noqa: PT017
                # A forked worker opens by its name what was not open yet, such as a second file.
                assert way in IN_PLACE or (engine == "processes" and ahead)
            else:
                # The rest of a part that ends inside quotes is read in one go, maybe before the first worker begins
                # with the next part, for which nobody waits any more.
                assert way not in IN_PLACE or kind == "csv of quotes"
                assert [(result.value, result.n) for result in report.results] == [(1.0, ROWS * len(files))]
            assert (tmp_path / "changed").exists()


@pytest.mark.parametrize("way", WAYS)
def test_row_groups_that_arrow_reads_by_itself_are_those_of_the_file_as_it_was(stored, way):
    """It changes after the first batch, and what else Arrow would give then is an error, or of the file as it was."""
    path = stored("parquet")
    (shard, *_), wanted = [*open_source(path).shards()], Wanted(frozenset("yp"), frozenset())
    records = shard.read(wanted)
    rows = next(records).num_rows
    way(path, AFTER["parquet"])
    if way in IN_PLACE:
        with pytest.raises(stamp.Changed, match=f"{path}: was changed while it was read: {IN_PLACE[way]}"):
            [*records, *shard.read(wanted)]
    else:
        assert rows + sum(record.num_rows for record in records) == sum(part.num_rows for part in shard.read(wanted))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python reads for Arrow")
def test_python_reads_no_row_group(stored, monkeypatch):
    """However many there are: the footer alone, which the first look at a file leaves to the others."""
    path = stored("parquet")
    shards, wanted = [*open_source(path).shards()], Wanted(frozenset("yp"), frozenset())
    assert len(shards) > 1
    monkeypatch.setattr(os, "pread", None)
    assert sum(record.num_rows for shard in shards for record in shard.read(wanted)) == ROWS


def test_a_file_that_cannot_be_opened_again_is_read_by_what_has_it_open(stored, monkeypatch):
    """As one that may not be read any more, or where nothing shows open files."""

    def refused(path):
        raise PermissionError(path)

    monkeypatch.setattr(pa, "OSFile", refused)
    assert library.evaluate(stored("parquet"), "mse", label="y", prediction="p").value == 1.0


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
        "report": ["report", path, *roles, "-l", "huber", "--json"],
        "doctor": ["doctor", other, path, *roles, "-f", "json"],
        "columns": ["doctor", other, path, "-y", "nothing", "-f", "json"],
        "gradcheck": ["gradcheck", "huber", other, path, *roles, "-f", "json"],
    }


@pytest.mark.parametrize("name", commands("", "", ""))
def test_every_command_reads_a_file_as_it_was_or_says_that_it_changed(lossctl, stored, at, name):
    """Each at two moments for each way to change a file; the formats take turns."""
    kinds = ["csv", "arrow", "parquet", "jsonl", "csv.gz", "csv of quotes"]
    for turn, (way, kind) in enumerate(zip(WAYS, kinds, strict=True)):
        path, labels, other = stored(kind), stored(kind, "labels"), stored(kind, "other")
        command = [*commands(path, labels, other)[name], "--engine", "serial"]
        with at(path) as count:
            whole = lossctl(*command)
        for moment in {turn, count() - 1 - turn}:
            write(path, BEFORE[kind])
            with at(path, moment, way, AFTER[kind]):
                done = lossctl(*command)
            outcome = kind, way.__name__, moment, done
            if done.status == whole.status:
                assert done == whole, outcome
                continue
            assert done.status == 3, outcome
            assert f"{path}: was changed while it was read: " in done.err, outcome
            assert whole.out.startswith(done.out) if name == "samples" else not done.out, outcome


@pytest.mark.parametrize("way", IN_PLACE)
@pytest.mark.parametrize("kind", ["csv", "csv of quotes", "jsonl", "parquet", "arrow", "arrows", "csv.gz"])
def test_stdin_that_is_a_file_must_stay_what_it_is(lossctl, stored, monkeypatch, kind, way):
    path = stored(kind)
    once = stamped.Once.read

    def read(file, n=-1):
        text = once(file, n)
        way(path, AFTER[kind])
        return text

    monkeypatch.setattr(stamped.Once, "read", read)
    with path.open() as file:
        kept = os.dup(0)
        try:
            os.dup2(file.fileno(), 0)
            done = lossctl("eval", "-", "-y", "y", "-p", "p", "-l", "mse")
        finally:
            os.dup2(kept, 0)
            os.close(kept)
    assert (done.status, done.out) == (3, "")
    assert f"stdin: was changed while it was read: {IN_PLACE[way]}" in done.err


@pytest.mark.parametrize(("age", "waits"), [(0.0, 0.01), (0.004, 0.006), (0.02, None), (-5.0, None)])
def test_a_file_written_a_moment_ago_is_given_time_to_rest(stored, monkeypatch, age, waits):
    """The clock of the files stands still for some milliseconds: another writing would not show."""
    path, waited = stored("csv"), []
    monkeypatch.setattr(stamped, "REST", 0.01)
    monkeypatch.setattr(stamped.time, "time", lambda: 1000.0 + age)
    monkeypatch.setattr(stamped.time, "sleep", waited.append)
    os.utime(path, (1000, 1000))
    open_source(path)
    assert waited == ([] if waits is None else [pytest.approx(waits)])


def test_a_later_pass_reads_the_files_of_the_first(stored):
    """Only one file stays open by its source: the others are opened when their turn comes, in each pass."""
    other, path = stored("csv", "other"), stored("csv")
    source = open_source([other, path])
    assert len({shard.file for shard in source.shards()}) == 2
    rename(path, AFTER["csv"])
    with pytest.raises(stamp.Changed, match="another file has its name now"):
        [*source.shards()]
    path.unlink()
    with pytest.raises(stamp.Changed, match="it is gone"):
        [*source.shards()]


def test_few_files_are_kept_open_and_none_after_a_run(tmp_path):
    paths = [tmp_path / f"{number:03}.csv" for number in range(3 * stamp.MOST)]
    for path in paths:
        write(path, BEFORE["csv"])
    gc.collect()  # what earlier errors refer to is open
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    source = open_source([*paths])
    shards = [*source.shards()]
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + stamp.MOST
    rename(paths[0], AFTER["csv"])
    rename(paths[-1], AFTER["csv"])
    wanted = Wanted(frozenset("yp"), frozenset())
    assert sum(batch.num_rows for shard in shards[1:] for batch in shard.read(wanted)) > 0
    with pytest.raises(stamp.Changed, match="another file has its name now"):
        [*shards[0].read(wanted)]
    del source, shards
    gc.collect()
    assert not before or len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("kind", BEFORE)
def test_an_object_of_a_store_that_is_replaced_at_any_moment_is_whole_or_an_error(monkeypatch, stored, kind):
    """It is replaced before (even) or after (odd) one of the times it is opened, but for the first."""
    fsspec = pytest.importorskip("fsspec")
    store, name, open_one = fsspec.filesystem("memory"), stored(kind).name, stamped.open_binary

    def open_binary(path, **how):
        replace()
        file = open_one(path, **how)
        replace()
        return file

    def replace():
        nonlocal passed
        if passed == moment:
            store.pipe(name, AFTER[kind])
        passed += 1

    monkeypatch.setattr(stamped, "open_binary", open_binary)
    moment = passed = 1
    while passed >= moment:
        moment, passed = moment + 1, 0
        store.pipe(name, BEFORE[kind])
        try:
            report = library.evaluate(f"memory://{name}", "mse", label="y", prediction="p", engine="serial")
        except stamp.Changed as changed:
            assert changed.what.startswith(f"memory://{name}: was changed while it was read: it ")  # noqa: PT017
        else:
            assert [(result.value, result.n) for result in report.results] == [(1.0, ROWS)]
            assert passed <= moment + 1  # it was not opened again
    assert moment > 3
