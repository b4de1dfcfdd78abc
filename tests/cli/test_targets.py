"""What is written to files: whole or not at all, and never over an input."""

import pytest
from stored import narrow, write, write_lines
from transcripts import ESCAPE

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
