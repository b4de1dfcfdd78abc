"""A full disk leaves the old target and nothing else."""

import resource
import signal
import subprocess
import sys

import pytest
from stored import FORMATS
from waiting import HANGS


@pytest.fixture
def cramped(plain_environment, tmp_path):
    """Run a command line that may write files of so many bytes only, with temporary files in a folder of the test."""
    aside = tmp_path / "aside"
    aside.mkdir()

    def call(most, *arguments, **more):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        return subprocess.run(
            [sys.executable, "-m", "lossctl", *map(str, arguments)],
            capture_output=True,
            env=plain_environment(PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(aside)),
            preexec_fn=limit,
            timeout=HANGS,
            **more,
        )

    return call


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("most", [0, 100_000])
def test_a_full_disk_leaves_the_old_target_and_nothing_else(cramped, many, tmp_path, suffix, most):
    target = tmp_path / f"out{suffix}"
    target.write_bytes(b"old")
    ended = cramped(most, "samples", many, "-l", "mse", "-o", target)
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"error: " in ended.stderr
    assert b"cannot be written" in ended.stderr
    assert target.read_bytes() == b"old"
    assert {it.name for it in tmp_path.iterdir()} == {target.name, "aside"}


@pytest.mark.parametrize("suffix", [".json", ".csv", ".md"])
def test_a_full_disk_leaves_the_old_report(cramped, many, tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    target.write_bytes(b"old")
    ended = cramped(20, "eval", many, "-l", "mse", "-o", target)
    assert ended.returncode == 3
    assert b"cannot be written" in ended.stderr
    assert target.read_bytes() == b"old"
    assert {it.name for it in tmp_path.iterdir()} == {target.name, "aside"}


def test_a_full_disk_under_what_is_put_aside_is_an_error(cramped, many, tmp_path):
    ended = cramped(1000, "eval", "-", "-l", "mse", input=many.read_bytes())
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"Traceback" not in ended.stderr
    assert list((tmp_path / "aside").iterdir()) == []
