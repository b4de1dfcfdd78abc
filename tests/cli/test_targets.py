"""What is written to files: whole or not at all, never over an input, and into what is no file."""

import fcntl
import os
import stat
import subprocess
import sys

import pytest
from stored import narrow, write, write_lines
from transcripts import ESCAPE
from waiting import HANGS

# --- formats ---------------------------------------------------------------------------------------------------------


def test_output_writes_files_by_suffix_and_leaves_nothing_else(lossctl, sample_data, tmp_path):
    paths = [tmp_path / f"out.{suffix}" for suffix in ("json", "jsonl", "csv", "tsv", "md", "txt")]
    flags = [flag for path in paths for flag in ("-o", path)]
    done = lossctl("eval", sample_data / "regression.csv", "-l", "huber", "-f", "json", *flags)
    assert done.status == 0
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    assert (tmp_path / "out.json").read_text() == done.out
    assert all(f"wrote {path}" in done.err for path in paths)
    assert all("huber" in path.read_text() and ESCAPE not in path.read_text() for path in paths)


# --- targets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize("link", ["", "symbolic", "hard"])
def test_an_output_never_goes_over_an_input(lossctl, tmp_path, command, link):
    file = write_lines(tmp_path / "data.csv", "y,p", "1,2", "2,3")
    target = tmp_path / "other.csv" if link else file
    if link == "symbolic":
        target.symlink_to(file)
    elif link == "hard":
        target.hardlink_to(file)
    before, names = file.read_bytes(), sorted(tmp_path.iterdir())
    done = lossctl(command, file, "-l", "mse", "-o", target)
    assert (done.status, done.out) == (2, "")
    assert "is an input" in done.err
    assert (file.read_bytes(), sorted(tmp_path.iterdir())) == (before, names)


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize(
    ("name", "words"),
    [("out.foo", ".csv"), ("out", ".csv"), ("nowhere/out.csv", "no such directory"), ("folder.csv", "is a directory")],
)
def test_an_output_that_cannot_be_is_a_usage_error(lossctl, sample_data, tmp_path, command, name, words):
    (tmp_path / "folder.csv").mkdir()
    done = lossctl(command, sample_data / "regression.csv", "-l", "mse", "-o", tmp_path / name)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert words in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_failed_run_leaves_the_old_target_as_it_was(lossctl, tmp_path, suffix, monkeypatch):
    narrow(monkeypatch, 1 << 14)
    file = tmp_path / "data.csv"
    file.write_bytes(b"y,p\n" + b"1.5,0.25\n" * 12_000 + b"1.5,\n")
    target = tmp_path / f"out{suffix}"
    target.write_text("old")
    done = lossctl("samples", file, "-l", "mse", "-o", target, "-q")
    assert (done.status, done.out) == (3, "")
    assert "row 12,001" in done.err
    assert "Traceback" not in done.err
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", target.name}


@pytest.mark.parametrize("place", ["directory", "glob", "url", "labels", "labels directory"])
@pytest.mark.parametrize("command", ["eval", "samples"])
def test_an_output_never_goes_over_an_input_however_it_was_named(lossctl, tmp_path, place, command):
    data, labels = (
        write(tmp_path / "d" / "rows.csv", "id,y,p\n1,1,2\n"),
        write(tmp_path / "l" / "rows.csv", "id,y\n1,1\n"),
    )
    if command == "eval":
        data, labels = data.rename(data.with_suffix(".json")), labels.rename(labels.with_suffix(".json"))
    joined = ["--labels", labels, "--id", "id", "-p", "p"]
    victim, arguments = {
        "directory": (data, [tmp_path / "d"]),
        "glob": (data, [f"{tmp_path}/d/*"]),
        "url": (data, [f"file://{data}"]),
        "labels": (labels, [data, *joined]),
        "labels directory": (labels, [data, "--labels", tmp_path / "l", *joined[2:]]),
    }[place]
    before = victim.read_bytes()
    done = lossctl(command, *arguments, "-F", "csv", "-l", "mse", "-o", victim)
    assert victim.read_bytes() == before
    assert (done.status, done.out) == (2, "")
    assert "is an input" in done.err


@pytest.mark.parametrize("command", ["eval", "samples"])
def test_an_output_never_goes_over_what_stdin_reads(plain_environment, tmp_path, command):
    file = write_lines(tmp_path / "data.csv", "y,p", "1,2", "2,3")
    before = file.read_bytes()
    with file.open("rb") as stdin:
        words = [command, "-", "-l", "mse", "-o", str(file)]
        done = subprocess.run(
            [sys.executable, "-m", "lossctl", *words],
            stdin=stdin,
            capture_output=True,
            text=True,
            env=plain_environment(),
            timeout=HANGS,
        )
    assert (done.returncode, done.stdout, file.read_bytes()) == (2, "", before)
    assert "is an input" in done.stderr


def test_rows_are_not_appended_to_the_file_that_they_are_read_from(plain_environment, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p", "1,2", "2,3")
    before = file.read_bytes()
    with file.open("ab") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "lossctl", "samples", str(file), "-l", "mse"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=plain_environment(),
            timeout=HANGS,
        )
    assert (done.returncode, file.read_bytes()) == (2, before)
    assert b"stdout: is an input" in done.stderr


@pytest.mark.parametrize(("number", "name"), [(1, "stdout"), (2, "stderr")])
def test_an_output_never_replaces_the_file_that_a_stream_goes_to(lossctl, sample_data, tmp_path, number, name):
    target, before = tmp_path / "out.csv", os.dup(number)
    with target.open("wb") as file:
        os.dup2(file.fileno(), number)
        try:
            done = lossctl("eval", sample_data / "regression.csv", "-l", "mse", "-o", target)
        finally:
            os.dup2(before, number)
            os.close(before)
    assert done.status == 2
    assert f"is where {name} goes" in done.err + target.read_text()


# --- what a target is ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["eval", "samples"])
def write_to(request, lossctl, sample_data):
    """Run a command that writes a whole report, or one that writes rows as they come, with a target."""

    def call(target):
        return lossctl(request.param, sample_data / "regression.csv", "-l", "mse", "-q", "-o", target)

    return call


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_target_keeps_its_mode(write_to, tmp_path, mode):
    target = write(tmp_path / "out.csv", "old")
    target.chmod(mode)
    assert write_to(target).status == 0
    assert (stat.S_IMODE(target.stat().st_mode), target.read_text() == "old") == (mode, False)


@pytest.mark.parametrize("before", ["old", None])
def test_a_link_to_a_target_stays_a_link(write_to, tmp_path, before):
    target, link = tmp_path / "out.csv", tmp_path / "link.csv"
    if before is not None:
        target.write_text(before)
    link.symlink_to(target.name)
    assert write_to(link).status == 0
    assert os.readlink(link) == target.name
    assert target.read_text() not in {"old", ""}
    assert {path.name for path in tmp_path.iterdir()} == {target.name, link.name}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_target_keeps_its_owner(write_to, tmp_path):
    target = write(tmp_path / "out.csv", "old")
    os.chown(target, 12345, 23456)
    target.chmod(0o600)
    assert write_to(target).status == 0
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 23456, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_target_whose_owner_cannot_be_kept_is_an_error(write_to, tmp_path, monkeypatch):
    def deny(*arguments):
        raise PermissionError(1, "Operation not permitted")

    target = write(tmp_path / "out.csv", "old")
    os.chown(target, 12345, 23456)
    monkeypatch.setattr(os, "fchown", deny)
    done = write_to(target)
    assert (done.status, target.read_text(), len(list(tmp_path.iterdir()))) == (3, "old", 1)
    assert "belongs to others" in done.err


def test_a_named_pipe_is_written_into(write_to, tmp_path):
    target, plain = tmp_path / "out.csv", tmp_path / "plain.csv"
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 1 << 20)  # all of it fits
    with open(reader, "rb") as through:
        assert write_to(target).status == write_to(plain).status == 0
        assert through.read() == plain.read_bytes()
    assert target.is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {target.name, plain.name}


def test_a_device_behind_a_link_is_written_into(lossctl, sample_data, tmp_path):
    terminal, device = os.openpty()
    link = tmp_path / "out.csv"
    link.symlink_to(os.ttyname(device))
    done = lossctl("eval", sample_data / "regression.csv", "-l", "mse", "-q", "-f", "csv", "-o", link)
    os.set_blocking(terminal, False)
    written = os.read(terminal, 1 << 16).decode()
    for descriptor in (terminal, device):
        os.close(descriptor)
    assert (done.status, link.is_symlink()) == (0, True)
    assert written.splitlines() == done.out.splitlines()


def test_a_descriptor_is_written_into_where_it_stands(lossctl, sample_data, tmp_path):
    """As of ``-o /dev/stdout >> log.csv``: a file of that name would lose what is in it."""
    log = write(tmp_path / "log.csv", "before\n")
    with log.open("ab") as file:
        words = ["samples", sample_data / "regression.csv", "-l", "mse", "-q", "-f", "csv"]
        done = lossctl(*words, "-o", f"/dev/fd/{file.fileno()}")
    assert done.status == 0
    assert log.read_text() == "before\n" + lossctl(*words).out
