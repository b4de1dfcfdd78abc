"""A worker of this machine reads the file that the process that opened it has open, and no other."""

import os
import pickle
import shutil
import subprocess
import sys

import pytest

from lossctl.reading import stamped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system shows no open files")


@pytest.mark.parametrize("moment", ["before", "between", "never"])
def test_a_number_that_another_file_takes_meanwhile_is_not_taken_for_it(tmp_path, monkeypatch, moment):
    path, other = tmp_path / "own.csv", tmp_path / "other.csv"
    path.write_bytes(b"y,p\n1,2\n")
    other.write_bytes(b"y,p\n3,4\n")
    first, _ = stamped.open_first(str(path))
    sent, shown = pickle.loads(pickle.dumps(first)), first.keeper.handle.descriptor

    def closed():
        with other.open("rb") as file:
            os.dup2(file.fileno(), shown)

    def stat(name, *rest, look=os.stat, **how):
        status = look(name, *rest, **how)
        if moment == "between" and str(name).startswith("/proc/"):
            closed()
        return status

    if moment == "before":
        closed()
    monkeypatch.setattr(stamped.os, "stat", stat)
    with stamped.open_again(str(path), sent) as file:
        assert file.read() == b"y,p\n1,2\n"


INSIDE = """
import os, pickle, sys
from pathlib import Path
from lossctl.reading import stamped
path, own, stamp = *map(Path, sys.argv[1:]), pickle.load(sys.stdin.buffer)
before = os.stat(path)
if own.name == "copy":
    os.rename(own, path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
elif own.name == "none":
    path.unlink()
try:
    print(stamped.open_again(str(path), stamp).read().decode())
except OSError as error:
    print(type(error).__name__)
"""
"""Opens a file that another process has open, where it is the same one, a copy of its time of change, or none."""


@pytest.mark.parametrize(("own", "told"), [("same", "y,p"), ("copy", "y,p"), ("none", "FileNotFoundError")])
def test_a_container_with_the_name_of_its_machine_has_files_of_its_own(tmp_path, own, told):
    """It opens them by name, and they may be copies, as on another machine; none is no change of the file."""
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*enter, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs leave to make a container")
    path, other = tmp_path / "rows.csv", tmp_path / own
    path.write_text("y,p")
    other.write_text("y,p")
    stamp, opened = stamped.open_first(str(path))
    done = subprocess.run(
        [*enter, sys.executable, "-c", INSIDE, path, other], input=pickle.dumps(stamp), capture_output=True, check=False
    )
    opened.close()
    assert (done.stdout.decode(), done.stderr.decode()) == (f"{told}\n", "")
