"""What is not read is named for what it is, with something to do about it that can work."""

import gzip
import io
import re
import sqlite3
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.reading.foreign import KINDS, SUFFIXED, foreign_kind
from lossctl.reading.format import formats
from lossctl.reading.recognition import separator_of

BODIES = {
    "an old Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "a Python pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.",
    "a PyTorch file": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
    "Avro": b"Obj\x01\x04\x16avro.schema",
    "ORC": b"ORC\x0a\x0b\0\x12",
    "Feather of version 1": b"FEA1" + b"\0" * 20,
    "safetensors": b'\x40\0\0\0\0\0\0\0{"a":{}}',
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an HTML page": b"\n<!doctype HTML>\n<html><title>Log in</title>",
    "an XML document": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
    "an image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4",
    "a RAR archive": b"Rar!\x1a\x07\x01\0",
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\1IM",
    "a program": b"\x7fELF\x02\x01\x01\0",
    "R data": b"RDX3\nX\n\0\0\0\3",
    "a DuckDB database": b"\1\2\3\4\5\6\7\x08DUCK\0\0",
}


def database(tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("create table t (y, p)")
    connection.close()
    return (tmp_path / "x.db").read_bytes()


def archived():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("rows.csv"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize("what", [*BODIES, "an SQLite database", "a tar archive"])
def test_a_file_of_a_kind_that_is_not_read_is_named_under_any_name(what, tmp_path, lossctl):
    body = BODIES.get(what) or (archived() if "tar" in what else database(tmp_path))
    names = ["rows", "rows.csv", "rows.txt", "rows.json", "rows.parquet", "rows.npz", "rows.data"]
    for name in [*names, *(f"{name}.gz" for name in names[:3])]:
        path = tmp_path / name
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        for forced in ([], ["-F", "csv"], ["-F", "parquet"]):
            done = lossctl("eval", path, "-y", "y", "-p", "p", "-l", "mse", *forced)
            assert (done.status, done.out) == (3, ""), done
            if name.endswith(".gz") and forced == ["-F", "parquet"]:
                continue
            assert f"{path}: {what}" in done.err
            assert not re.search(r"-F|Rename", done.err), "advice that cannot work"
            assert len(done.err.splitlines()) == 2


def test_every_kind_has_a_name_and_a_hint_and_every_beginning_is_told_from_text():
    for kind in KINDS:
        assert kind.name
        assert kind.hint
        re.compile(kind.beginning)
    for suffixes, (name, hint) in SUFFIXED.items():
        assert name
        assert hint
        assert not {suffix for format_ in formats for suffix in format_.suffixes} & set(suffixes)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=30))
def test_no_text_is_taken_for_a_kind_that_is_not_read(text):
    for beginning in ("", "ORC,", "MZ,", "GGUF,", "BM,", "ID3,", "PARE,", "version,", "CDF,"):
        known = foreign_kind(f"{beginning}{text}\n1,2\n".encode())
        assert known is None or text.lstrip().startswith(("<", "%PDF-", "%!PS-", "{\\rtf", "!<arch>"))


@pytest.mark.parametrize("suffix", [suffixes[0] for suffixes in SUFFIXED])
def test_what_begins_in_no_way_of_its_own_is_told_by_its_suffix_and_how_to_read_it_all_the_same(
    suffix, tmp_path, lossctl
):
    (tmp_path / f"rows{suffix}").write_bytes(b"y,p\n1,1.5\n2,2.5\n")
    told = lossctl("eval", tmp_path / f"rows{suffix}", "-l", "mae")
    assert told.status == 3
    assert f": not read, as files with the suffix {suffix} are " in told.err
    assert "-F csv" in told.err
    done = lossctl("eval", tmp_path / f"rows{suffix}", "-F", "csv", "-y", "y", "-p", "p", "-l", "mae", "-f", "value")
    assert (done.status, done.out) == (0, "0.5\n"), done.err


@pytest.mark.parametrize("sign", ["\t", ",", ";", "|", " "])
@pytest.mark.parametrize("name", ["rows.txt", "rows.dat", "rows", "rows.out.gz"])
def test_text_of_any_name_is_read_where_its_lines_agree(sign, name, tmp_path, lossctl):
    text = f"y{sign}p\n" + "".join(f"{row}{sign}{row}.5\n" for row in range(900))
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    done = lossctl("eval", tmp_path / name, "-y", "y", "-p", "p", "-l", "mae", "-f", "value", "-q")
    assert (done.status, done.out) == (0, "0.5\n"), done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y   p\n1   2\n", "several spaces"),
        ("1\n2\n", "the first line holds numbers"),
        ("some words\nand a line more than that\n", "-d"),
        ("\0\1\2", "no text"),
        ("gr\xfc\xdfe,p\n1,2\n", "--encoding latin-1"),
    ],
)
def test_what_nothing_tells_says_what_to_try(text, words, tmp_path, lossctl):
    (tmp_path / "rows.txt").write_bytes(text.encode("latin-1"))
    done = lossctl("eval", tmp_path / "rows.txt", "-l", "mse")
    assert (done.status, done.out) == (3, "")
    assert words in done.err


@pytest.mark.parametrize("text", ['[{"y":1,"p":2}]', '\n[\n {\n "y": 1}]', '{"y":1,"p":2}\n{"y":1,"p":2}\n'])
def test_json_where_cells_should_be_is_told(text, tmp_path, lossctl):
    for name, forced in (("rows.csv", []), ("rows.tsv", []), ("rows.txt", ["-F", "csv"]), ("rows.json", ["-F", "tsv"])):
        (tmp_path / name).write_text(text)
        done = lossctl("eval", tmp_path / name, "-l", "mse", *forced)
        assert (done.status, done.out) == (3, "")
        assert "but holds JSON" in done.err
        assert "-F json" in done.err


@pytest.mark.parametrize("name", ["rows.txt", "rows"])
def test_json_and_what_has_a_mark_is_known_under_any_name(name, tmp_path, lossctl):
    for text in ('[{"y":1,"p":2.5}]', '{"y":1,"p":2.5}\n'):
        (tmp_path / name).write_text(text)
        assert lossctl("eval", tmp_path / name, "-l", "mae", "-f", "value", "-q").out == "1.5\n"


@given(
    st.lists(st.lists(st.sampled_from(["1", "0.5", '"a,b"', "x y"]), min_size=3, max_size=3), min_size=2, max_size=5)
)
def test_what_separates_cells_stands_equally_often_in_each_line(rows):
    for sign in ("\t", ";", ",", "|"):
        assert separator_of([sign.join(row) for row in rows]) == sign
    ragged = [";".join(row) for row in rows]
    assert separator_of([*ragged, "1"]) is None


def test_a_directory_takes_json_beside_other_files_for_what_tells_of_them(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    (tmp_path / "info.json").write_text('{"rows": 1}')
    assert lossctl("eval", tmp_path, "-l", "mae", "-f", "value", "-q").out == "1.0\n"
    (tmp_path / "rows.csv").unlink()
    (tmp_path / "info.json").write_text('{"y": 1, "p": 3}')
    assert lossctl("eval", tmp_path, "-l", "mae", "-f", "value", "-q").out == "2.0\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["rows", "rows.txt", "rows.csv", "rows.json", "rows.jsonl"])
def test_text_of_two_bytes_a_sign_says_an_option_that_reads_it(encoding, name, tmp_path, lossctl):
    text = '{"y": 1, "p": 0.5}\n' if "json" in name else "y,p\n1,0.5\n"
    (tmp_path / name).write_bytes(text.encode(encoding))
    asked = ("eval", tmp_path / name, "-y", "y", "-p", "p", "-l", "mae", "-f", "value", "-q")
    told = lossctl(*asked)
    assert (told.status, f"--encoding {encoding}." in told.err) == (3, True), told.err
    assert lossctl(*asked, "--encoding", encoding).out == "0.5\n"
