"""No temporary file outlives a run."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import ROWS, parquet_bytes, write
from waiting import HANGS

COMMANDS, FORMS = [["eval"], ["samples"], ["samples", "--top", "1"]], ["parquet", "arrow", "csv.gz"]


@pytest.mark.parametrize(
    ("command", "form", "good"),
    [
        pytest.param(
            command, form, not (at + of) % 2, id=f"{' '.join(command)}-{form}-{('good', 'bad')[(at + of) % 2]}"
        )
        for at, command in enumerate(COMMANDS)
        for of, form in enumerate(FORMS)
    ],
)
def test_no_temporary_file_is_left(piped, tmp_path, command, form, good):
    table = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0 if good else None]})
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink)
    elif form == "arrow":
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        sink.write(pa.compress(ROWS.encode() if good else b"y,p\n1,\n", "gzip", asbytes=True))
    folder = tmp_path / "tmp"
    folder.mkdir()
    status, _, err = piped(sink.getvalue().to_pybytes(), *command, "-", "-l", "mse", TMPDIR=str(folder))
    assert status == (0 if good else 3), err
    assert list(folder.iterdir()) == []


def test_damaged_parquet_on_stdin_leaves_no_temporary_file(piped, tmp_path):
    body = parquet_bytes(pa.table({"y": [1.0], "p": [2.0]}))
    status, out, err = piped(body[:-20], "eval", "-", "-l", "mse", TMPDIR=str(tmp_path))
    assert (status, out) == (3, "")
    assert err.startswith("error: stdin: ")
    assert "lossctl-" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_library_leaves_no_temporary_file_at_its_end(plain_environment, tmp_path):
    script = (
        "import lossctl, os, subprocess, sys; os.mkfifo(sys.argv[2])\n"
        "feeder = subprocess.Popen(['cp', sys.argv[1], sys.argv[2]])\n"
        "print(lossctl.evaluate(sys.argv[2], 'mse').value); feeder.wait()\n"
    )
    path = write(tmp_path / "a.parquet", pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]}))
    folder = tmp_path / "tmp"
    folder.mkdir()
    command = [sys.executable, "-c", script, path, tmp_path / "pipe"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=plain_environment(TMPDIR=str(folder)), timeout=HANGS
    )
    assert (done.returncode, done.stdout) == (0, "2.5\n"), done.stderr
    assert list(folder.iterdir()) == []
