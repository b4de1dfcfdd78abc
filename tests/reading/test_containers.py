"""Compressed and packed files: xz, and ZIP archives of one file; what is damaged, packed otherwise or a bomb."""

import io
import itertools
import lzma
import zipfile
from pipes import fed

import pytest
from stored import stored_as

import lossctl
from lossctl.errors import DataError
from lossctl.reading import archives
from lossctl.reading.format import formats

TEXT = b"y,p\n" + b"".join(b"%d,%d.5\n" % (row, row) for row in range(500))
METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}
ASKED = {"loss": "mae", "label": "y", "prediction": "p"}


def packed(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return file.getvalue()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["rows.csv", "a/b/rows.csv", "ünïcode.csv", "rows.txt"])
def test_a_zip_of_one_file_is_that_file(method, name, tmp_path, lossctl):
    noise = [("__MACOSX/._rows.csv", b"x"), ("a/", b""), ("a/.DS_Store", b"x")]
    body = packed((name, TEXT), *noise, method=METHODS[method])
    for called in ("rows.zip", "rows", "rows.csv"):
        (tmp_path / called).write_bytes(body)
        done = lossctl("eval", tmp_path / called, "-l", "mae", "-f", "value", "-q")
        assert (done.status, done.out) == (0, "0.5\n"), done.err
    with fed(tmp_path / "pipe", body) as pipe:
        assert lossctl("eval", pipe, "-l", "mae", "-f", "value", "-q").out == "0.5\n"


@pytest.mark.parametrize("name", [format_.name for format_ in formats if format_.suffixes and format_.name != "npz"])
def test_a_zip_may_hold_any_format(name, tmp_path):
    import numpy as np
    import pyarrow as pa

    table, file = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]}), io.BytesIO()
    if name == "npy":
        np.save(file, np.rec.fromarrays([[1.0, 3.0], [2.0, 5.0]], names="y,p"))
    body = file.getvalue() or stored_as(formats.get(name), table)
    (tmp_path / "rows.zip").write_bytes(packed((f"rows{formats.get(name).suffixes[0]}", body)))
    assert lossctl.evaluate(tmp_path / "rows.zip", **ASKED).value == 1.5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (packed(("a.csv", TEXT), ("b.csv", TEXT)), "a ZIP archive with 2 members: 'a.csv', 'b.csv'"),
        (packed(*((f"{at}.csv", TEXT) for at in range(9))), "9 members: '0.csv', '1.csv', '2.csv', '3.csv' and 5 more"),
        (packed(), "holds no file"),
        (packed(("a/", b"")), "holds no file"),
        (packed(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), "an Excel workbook"),
        (packed(("m/data.pkl", b""), ("m/version", b"")), "a PyTorch file"),
        (packed(("word/document.xml", b""), ("a", b"")), "a Word document"),
        (packed(("rows.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0")), "compressed twice"),
        (packed(("in.zip", packed(("rows.csv", TEXT)))), "a ZIP archive in another file"),
        (packed(("rows.csv", TEXT))[:-40], "damaged ZIP archive"),
    ],
)
def test_a_zip_that_is_not_one_file_is_named_for_what_it_is(body, words, tmp_path, lossctl):
    for name in ("rows.zip", "rows.xlsx", "rows.csv"):
        (tmp_path / name).write_bytes(body)
        done = lossctl("eval", tmp_path / name, "-l", "mae")
        assert (done.status, done.out) == (3, "")
        assert words in done.err
        assert "-F csv" not in done.err


def test_an_encrypted_zip_is_told(tmp_path, lossctl):
    body = bytearray(packed(("rows.csv", TEXT)))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "rows.zip").write_bytes(body)
    done = lossctl("eval", tmp_path / "rows.zip", "-l", "mae")
    assert done.status == 3
    assert "'rows.csv' is encrypted" in done.err


@pytest.mark.parametrize("method", ["stored", "deflated"])
def test_a_flipped_bit_of_a_zip_or_of_xz_is_never_measured(method, tmp_path):
    bodies = {
        "rows.zip": (packed(("rows.csv", TEXT), method=METHODS[method]), 40, 500),
        "rows.csv.xz": (lzma.compress(TEXT, preset=0), 30, 400),
    }
    for name, (body, start, stop) in bodies.items():
        for place in range(start, stop, 60):
            damaged = bytearray(body)
            damaged[place] ^= 4
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(DataError, match=r"damaged|checked|cannot be read"):
                lossctl.evaluate(tmp_path / name, **ASKED)


def test_xz_may_be_of_several_streams_and_is_refused_where_it_is_cut(tmp_path):
    half = TEXT.index(b"\n", len(TEXT) // 2) + 1
    one, two = lzma.compress(TEXT[:half]), lzma.compress(TEXT[half:])
    path = tmp_path / "rows.csv.xz"
    for body in (one + two, one + b"\0" * 8 + two, one + two + b"\0" * 4):
        path.write_bytes(body)
        assert lossctl.evaluate(path, **ASKED).results[0].n == 500
    for body in (one[:-5], one + two[:30], (one + two)[:-1]):
        path.write_bytes(body)
        with pytest.raises(DataError, match="cut"):
            lossctl.evaluate(path, **ASKED)


def test_what_is_decompressed_comes_in_pieces_however_much_it_is(monkeypatch):
    zeros = b"\0" * (1 << 22)
    for file in (
        archives.Xz(io.BytesIO(lzma.compress(zeros, preset=1))),
        archives.open_member(io.BytesIO(packed(("z", zeros))), "z"),
    ):
        pieces = iter(lambda file=file: file.read(1 << 16), b"")
        assert sum(len(piece) <= 1 << 16 for piece in itertools.islice(pieces, 4)) == 4
        assert sum(map(len, pieces)) == len(zeros) - (4 << 16)
    monkeypatch.setattr(archives, "MEMORY", 1 << 20)
    with pytest.raises(archives.Damaged, match="takes more than 1 MiB to decompress"):
        archives.Xz(io.BytesIO(lzma.compress(zeros, preset=6))).read(1)


def test_a_zip_that_is_compressed_in_unbounded_memory_is_refused(tmp_path):
    (tmp_path / "rows.zip").write_bytes(packed(("rows.csv", TEXT), method=zipfile.ZIP_LZMA))
    with pytest.raises(DataError, match="unusual"):
        lossctl.evaluate(tmp_path / "rows.zip", **ASKED)


def test_a_compressed_pipe_is_known_by_what_it_holds_however_large_its_blocks_are():
    import bz2
    import gzip

    import numpy as np
    import pyarrow as pa

    from lossctl.reading.location import LOOK, Location
    from lossctl.reading.pipe import Pipe

    noise = b"[{" + np.random.default_rng(0).bytes(200_000)
    bodies = {
        "bz2": bz2.compress(noise),
        "gzip": gzip.compress(noise, 1),
        "xz": lzma.compress(noise, preset=0),
        "lz4": pa.compress(noise, "lz4", asbytes=True),
        "zstd": pa.compress(noise, "zstd", asbytes=True),
    }
    for compression, body in bodies.items():
        location = Location("-", compression, pipe=True, handle=Pipe(io.BytesIO(body)))
        assert location.beginning(LOOK) == noise[:LOOK], compression
        with location.open() as file:
            assert bytes(file.read(len(noise) + 1)) == noise
        location = Location("-", compression, pipe=True, handle=Pipe(io.BytesIO(body[:999])))
        with pytest.raises(DataError, match="stdin: cannot be read"):
            location.beginning(LOOK)


def test_a_zip_of_an_archive_of_arrays_says_to_unpack_it(tmp_path):
    (tmp_path / "rows.zip").write_bytes(packed(("rows.npz", packed(("y.npy", b"")))))
    with pytest.raises(DataError, match=r"(?s)npz inside a ZIP archive.*Unpack it"):
        lossctl.evaluate(tmp_path / "rows.zip", **ASKED)
