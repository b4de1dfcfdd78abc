"""A worker of this machine reads the file that the process that opened it has open, and no other."""

import os
import pickle
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
