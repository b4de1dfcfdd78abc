"""Where a system lacks what only some have, the same numbers come out, and the same files."""

import os
import signal
import stat
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.cli import output
from lossctl.reading import stamp

pytestmark = pytest.mark.lowest

ROWS = pa.table({"y": [float(i % 7) for i in range(2_000)], "p": [float(i % 5) for i in range(2_000)]})
SQUARES = sum((i % 7 - i % 5) ** 2 for i in range(2_000)) / 2_000


@pytest.fixture
def poor(monkeypatch):
    """A system without what Windows has not."""
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("pread", "uname", "fchown", "fchmod", "O_NOCTTY", "sched_getaffinity", "fork"):
        monkeypatch.delattr(os, name, raising=False)
    for name in ("pthread_sigmask", "SIGKILL", "SIGHUP"):
        monkeypatch.delattr(signal, name, raising=False)
    monkeypatch.setattr(stamp, "machine", stamp.machine.__wrapped__)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_files_are_read_by_threads_and_replaced_where_there_is_nothing_but_what_windows_has(
    lossctl, tmp_path, poor, threads
):
    file, report = tmp_path / "rows.parquet", tmp_path / "report.json"
    pq.write_table(ROWS, file, row_group_size=100)
    report.write_text("before")
    done = lossctl("eval", file, "-l", "mse", "--threads", threads, "-o", report, "-f", "value")
    assert (done.status, float(done.out)) == (0, SQUARES)
    assert f'"value": {SQUARES}' in report.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "rows.parquet"]


def test_the_pipes_of_windows_which_all_have_one_number_are_not_held_to_be_one(monkeypatch):
    nameless = os.stat_result((stat.S_IFIFO, *[0] * 9))
    monkeypatch.setattr(os, "fstat", lambda descriptor: nameless)
    output._refuse_inputs(nameless, "stdout", ("-",))


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/{}/fd"])
def test_a_descriptor_is_known_by_its_path(monkeypatch, folder):
    folder = folder.format(os.getpid())
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    monkeypatch.setattr(os.path, "islink", lambda path: False)
    assert output._descriptor(f"{folder}/1") == 1
    assert output._descriptor("/elsewhere/1") is None


def test_folders_are_parted_as_the_system_parts_them(monkeypatch):
    from lossctl.reading import expand, location

    monkeypatch.setattr(os, "sep", "\\")
    assert location._hive_keys(r"C:\data\year=2026\rows.csv") == (("year", "2026"),)
    assert expand._hidden(r"parts\_temporary\rows.csv")
    assert not expand._hidden(r"parts\rows.csv")
