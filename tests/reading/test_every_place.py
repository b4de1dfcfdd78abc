"""Every format, compressed in every way, in every place: equal reports."""

import contextlib
import itertools
import json
import subprocess
import sys
from pipes import fed

import numpy as np
import pyarrow as pa
import pytest
from figures import ROUNDED, digits, run
from stored import ASKED, ON_DISK, SUFFIXES, compress, narrow, stored_as
from waiting import HANGS

import lossctl
from lossctl.errors import DataError, LossctlError
from lossctl.reading.format import Reading, format_for, formats
from lossctl.reading.location import SUFFIXES as COMPRESSIONS

STORED = [
    pytest.param(found, suffix, compressed, id=f"{suffix}{compressed}"[1:])
    for found in ON_DISK
    for suffix in found.suffixes
    for compressed in ("", *(COMPRESSIONS if found.text else ()))
]


def parts(table):
    """Three parts of a table and names whose natural order is theirs."""
    cuts = [0, 70, 71, table.num_rows]
    return {
        f"part-{at}": table.slice(a, b - a) for at, (a, b) in zip((2, 10, 100), itertools.pairwise(cuts), strict=True)
    }


def path_of(found, suffix, compressed, table, folder, request):
    path = folder / f"rows{suffix}{compressed}"
    path.write_bytes(stored_as(found, table, compressed))
    return contextlib.nullcontext(path)


def several_of(found, suffix, compressed, table, folder, request):
    for name, part in parts(table).items():
        (folder / f"{name}{suffix}{compressed}").write_bytes(stored_as(found, part, compressed))
    return contextlib.nullcontext([folder / f"{name}{suffix}{compressed}" for name in parts(table)])


def glob_of(found, suffix, compressed, table, folder, request):
    several_of(found, suffix, compressed, table, folder, request)
    return contextlib.nullcontext(f"{folder}/part-*{suffix}{compressed}")


def directory_of(found, suffix, compressed, table, folder, request):
    several_of(found, suffix, compressed, table, folder, request)
    (folder / "_SUCCESS").write_bytes(b"")
    return contextlib.nullcontext(str(folder))


def fifo_of(found, suffix, compressed, table, folder, request):
    return fed(folder / f"rows{suffix}{compressed}", stored_as(found, table, compressed))


def s3_of(found, suffix, compressed, table, folder, request):
    key = f"every/{folder.name}/rows{suffix}{compressed}"
    return contextlib.nullcontext(request.getfixturevalue("bucket").put(key, stored_as(found, table, compressed)))


def http_of(found, suffix, compressed, table, folder, request):
    path = f"/every/{folder.name}/rows{suffix}{compressed}"
    return contextlib.nullcontext(request.getfixturevalue("web").put(path, stored_as(found, table, compressed)))


PLACES = [path_of, several_of, glob_of, directory_of, fifo_of, s3_of, http_of]

FAR = [s3_of, http_of]
"""Where a second suffix of a format proves nothing that the first does not."""


def worth(stored, place):
    """Whether a way to store proves something in a place that others there do not.

    Compression is undone between the place and the format: every suffix meets every compression and each of these
    every place, but not all three each other. They do so in turn, in two of the places each.
    """
    found, suffix, compressed = stored.values
    if compressed:
        turn = [suffix for _, suffix in SUFFIXES].index(suffix) + 2 * list(COMPRESSIONS).index(compressed)
        return (PLACES.index(place) - turn) % len(PLACES) in {0, 3}
    return place not in FAR or suffix == found.suffixes[0]


@pytest.mark.parametrize(
    ("found", "suffix", "compressed", "place"),
    [
        pytest.param(*stored.values, place, id=f"{stored.id}-{place.__name__.removesuffix('_of')}")
        for stored in STORED
        for place in PLACES
        if worth(stored, place)
    ],
)
def test_format_compression_and_place_change_no_bit(
    found, suffix, compressed, place, everything, expected, tmp_path, request, monkeypatch
):
    narrow(monkeypatch, 4096)
    with place(found, suffix, compressed, everything, tmp_path, request) as source:
        assert digits(lossctl.evaluate(source, **ASKED, label="y")) == expected


BOTH_PIPES = """
import os, subprocess, sys
from lossctl.cli.app import run
paths, flags = sys.argv[1].split(":"), sys.argv[2:]
for path in paths:
    for stdin in (True, False):
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as feeder:
            pipe = feeder.stdout.fileno()
            if stdin:
                os.dup2(pipe, 0)
            status = run(["eval", "-" if stdin else f"/dev/fd/{pipe}", *flags])
            assert status == 0, (path, status)
"""


@pytest.mark.parametrize("found", ON_DISK, ids=lambda it: it.name)
def test_stdin_and_process_substitution_change_no_bit(found, everything, tmp_path, plain_environment):
    """Of every format, compressed in every way, in one process: what differs from run to run is what it is fed."""
    paths = [tmp_path / f"rows{compressed}" for compressed in ("", *(COMPRESSIONS if found.text else ()))]
    for path in paths:
        path.write_bytes(stored_as(found, everything, path.suffix))
    flags = f"-F {found.name} -y y -p p -p q -w w --by g -l mse,log_cosh --grad -f jsonl -q".split()
    command = [sys.executable, "-c", BOTH_PIPES, ":".join(map(str, paths)), *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=plain_environment(), timeout=HANGS)
    assert done.stderr == ""
    report = lossctl.evaluate(everything, **ASKED, label="y").to_dict()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    rounded = {"standard_error", *ROUNDED}  # once a batch, and a pipe has other batches
    keys = [key for key in lines[0] if key in report["results"][0] and key not in rounded]
    assert {"value", "grad_linf", "group", "n"} <= set(keys)
    wanted = [{key: result[key] for key in keys} for result in report["results"]]
    assert [{key: line[key] for key in keys} for line in lines] == wanted * 2 * len(paths)


@pytest.mark.parametrize("compressed", COMPRESSIONS)
def test_compressed_files_may_be_several_joined_to_one(compressed, tmp_path):
    """As ``cat a.gz b.gz``, bgzip and pigz make them."""
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(b"".join(compress(text, compressed) for text in (b"y,p\n1,2", b"\n3,", b"5\n", b"0,0\n")))
    assert run(path, {"loss": "mse"}).results[0].n == 3
    assert run(path, {"loss": "mse"}).value == 5 / 3


@pytest.mark.parametrize("compressed", COMPRESSIONS)
@pytest.mark.parametrize("text", [b"y,p\n" + b"1,2\n3,5\n" * 40, b'{"y":1,"p":2}\n' * 40], ids=["csv", "jsonl"])
def test_a_compressed_file_cut_off_anywhere_is_never_measured(text, compressed, tmp_path):
    whole = compress(text, compressed)
    path = tmp_path / f"rows.{'csv' if text.startswith(b'y') else 'jsonl'}{compressed}"
    path.write_bytes(whole)
    run(path, {"loss": "mse"})
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(LossctlError):
            run(path, {"loss": "mse"})


@pytest.mark.parametrize("compressed", [".gz", ".bz2"])
def test_a_damaged_file_whose_compression_has_checksums_is_never_measured_wrongly(compressed, tmp_path):
    whole = compress(b"y,p\n" + b"".join(b"%d,%d\n" % (at, at + at % 7) for at in range(60)), compressed)
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(whole)
    right = digits(run(path, {"loss": "mse"}))
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with contextlib.suppress(LossctlError):
            assert digits(run(path, {"loss": "mse"})) == right, "such as a flag or a time in the header"


def test_compression_is_known_by_its_first_bytes_whatever_the_name(tmp_path):
    text = b"y,p\n1,2\n3,5\n"
    (tmp_path / "plain.csv.gz").write_bytes(text)
    assert run(tmp_path / "plain.csv.gz", {"loss": "mse"}).value == 2.5
    for compressed in COMPRESSIONS:
        (tmp_path / "rows.csv").write_bytes(compress(text, compressed))
        assert run(tmp_path / "rows.csv", {"loss": "mse"}).value == 2.5
        (tmp_path / f"ROWS.CSV{compressed.upper()}").write_bytes(compress(text, compressed))
        assert run(tmp_path / f"ROWS.CSV{compressed.upper()}", {"loss": "mse"}).value == 2.5


@pytest.mark.parametrize("name", ["BZh", "BZh9_loss", "(\xb5/\xfd", "PAR1", "ARROW1", "{y"])
def test_text_that_begins_like_something_else_is_still_text(name, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(f"{name},p\n1,2\n3,5\n", encoding="utf-8")
    if name in {"PAR1", "ARROW1"}:
        with pytest.raises(DataError, match="format="):
            run(path, {"loss": "mse", "label": name})
    reading = Reading(format="csv")
    assert run(path, {"loss": "mse", "label": name, "reading": reading}).value == 2.5


PIECES = [16, 61, 300, 1500]


@pytest.mark.parametrize(
    ("n", "compressed"),
    [
        *((n, "") for n in PIECES),
        *((n, compressed) for at, compressed in enumerate(COMPRESSIONS) for n in PIECES[at % 2 :: 2]),
    ],
)
def test_quoted_line_ends_are_found_in_files_pipes_and_compressed_text(n, compressed, tmp_path, monkeypatch):
    rng = np.random.default_rng(n)
    words = ["", "x", "a\nb", '"', '""', '"\n"', ",\n,", "\r\n", "long " * 20 + "\n" + "long " * 20, "1\n2,3\n"]
    table = pa.table({
        "note": rng.choice(words, 150), "y": rng.normal(size=150), "p": rng.normal(size=150),
        "g": rng.choice(words, 150),
    })  # fmt: skip
    asked = {"loss": ["mse", "mae"], "by": "g"}
    right = digits(run(table, asked))
    narrow(monkeypatch, n)
    body = stored_as(formats.get("csv"), table, compressed)
    path = tmp_path / f"rows.csv{compressed}"
    path.write_bytes(body)
    assert digits(run(path, asked)) == right
    with fed(tmp_path / "pipe", body) as pipe:
        assert digits(run(pipe, asked)) == right
    with fed(tmp_path / "other", body) as pipe:
        wrong = {"loss": "mse", "label": "note"}
        with pytest.raises(DataError, match=r"row \d+: column 'note' "):
            run(pipe, wrong)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv.zst", ".jsonl", ".jsonl.bz2", "", ".arrows"])
@pytest.mark.parametrize("at", [1, 2, 77, 300])
def test_a_bad_row_is_placed_in_whatever_is_read_in_pieces(suffix, at, tmp_path, monkeypatch, lossctl):
    narrow(monkeypatch, 200)
    values = [0.5] * 300
    values[at - 1] = None
    table = pa.table({"y": [1.0] * 300, "p": values})
    found = format_for(f"x{suffix.removesuffix('.gz').removesuffix('.zst').removesuffix('.bz2') or '.csv'}")
    compressed = "." + suffix.rpartition(".")[2] if suffix.count(".") > 1 else ""
    body = stored_as(found, table, compressed)
    with fed(tmp_path / "rows", body) if not suffix else contextlib.nullcontext(tmp_path / f"rows{suffix}") as path:
        if suffix:
            path.write_bytes(body)
        done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"{path}: row {at}: column 'p' is null" in done.err
