"""Checksums that a file carries are checked: damage that they cover is an error, never another number."""

import bz2
import gzip
import io
import lzma
import zipfile
from base64 import b64decode

import pyarrow.parquet as pq
import pytest
from figures import result
from hypothesis import given
from hypothesis import strategies as st
from stored import parquet_bytes, rows

import lossctl
from lossctl.reading.format import Reading
from lossctl.reading.location import SUFFIXES

ROWS = 60
TABLE = rows(ROWS).append_column("id", [[*range(ROWS)]]).append_column("list", [[[1.0, row] for row in range(ROWS)]])
TABLE = TABLE.set_column(0, "y", [[1e3, *TABLE["y"].to_pylist()[1:]]])  # the worst row is the first
PAGES = {"write_page_checksum": True, "row_group_size": 20}
REASON = "a page does not have the checksum it should: the file is damaged"
HINT = "Write it again, or copy it anew. It is read as it is with --no-verify."


def flipped(whole, place, bit=0):
    return b"".join([whole[:place], bytes([whole[place] ^ 1 << bit]), whole[place + 1 :]])


def pages_end(whole):
    """Where the footer of a Parquet file begins: its last 8 bytes say how long that is."""
    return len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")


def damaged(name, group=0, **options):
    """A Parquet file with a flipped bit at the end of a column, where the values are."""
    whole = parquet_bytes(TABLE, **{**PAGES, **options})
    chunks = pq.read_metadata(io.BytesIO(whole)).row_group(group).to_dict()["columns"]
    (chunk,) = [chunk for chunk in chunks if chunk["path_in_schema"].partition(".")[0] == name]
    start = chunk["dictionary_page_offset"] or chunk["data_page_offset"]
    return flipped(whole, start + chunk["total_compressed_size"] - 1)


@given(
    st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
    st.sampled_from(["1.0", "2.0"]),
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 7),
)
def test_a_bit_flipped_in_any_page_of_parquet_is_an_error_or_changes_nothing(
    tmp_path_factory, compression, version, dictionary, place, bit
):
    path = tmp_path_factory.getbasetemp() / "flipped-page.parquet"
    whole = parquet_bytes(TABLE, compression=compression, data_page_version=version, use_dictionary=dictionary, **PAGES)
    path.write_bytes(whole)
    expected = result(path)
    path.write_bytes(flipped(whole, int(4 + place * (pages_end(whole) - 4)), bit))
    outcome = result(path)
    assert outcome == expected or isinstance(outcome, lossctl.DataError), outcome


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("eval {} -l mse", "y"),
        ("eval {} -l mse --skill", "p"),
        ("eval {} -l mse --by word", "word"),
        ("samples {} -l mse", "list"),
        ("samples {} -l mse --top 2", "word"),
        ("plot {} -l mse", "p"),
        ("doctor {} -y y -p p", "id"),
        ("doctor {} --id word", "word"),
        ("gradcheck mse {}", "y"),
        ("eval {} --labels {} --id id -l mse -y id -p id", "id"),
    ],
)
def test_every_command_names_the_column_of_a_page_and_what_to_do(lossctl, tmp_path, command, name):
    path = tmp_path / "rows.parquet"
    path.write_bytes(damaged(name))
    done = lossctl(*(str(path) if word == "{}" else word for word in command.split()), "-q")
    assert (done.status, done.out) == (3, "")
    assert done.err == f"error: {path}: row group 1 of 3, column {name!r}: {REASON}\n{HINT}\n"


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_on_the_command_line_every_engine_words_an_error_alike(lossctl, tmp_path, engine):
    path = tmp_path / "rows.parquet"
    path.write_bytes(damaged("p"))
    done = lossctl("eval", str(path), "-l", "mse", "--engine", engine, "-q")
    assert (done.status, done.out) == (3, "")
    assert done.err == f"error: {path}: row group 1 of 3, column 'p': {REASON}\n{HINT}\n"


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_every_engine_meets_the_same_page(tmp_path, engine):
    path = tmp_path / "rows.parquet"
    path.write_bytes(damaged("p", 2))
    with pytest.raises(lossctl.DataError, match=rf"rows\.parquet: row group 3 of 3, column 'p': {REASON}"):
        lossctl.evaluate(path, "mse", engine=engine)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_without_verifying_the_value_is_that_of_the_bytes_that_are_there(tmp_path, version):
    path = tmp_path / "rows.parquet"
    path.write_bytes(damaged("p", compression="none", use_dictionary=False, data_page_version=version))
    there = pq.read_table(path, page_checksum_verification=False)  # pyarrow
    assert there["p"] != TABLE["p"]
    report = lossctl.evaluate(path, "mae", reading=Reading(verify=False))
    sound = lossctl.evaluate(there, "mae")
    assert report.value == sound.value


def test_columns_that_are_not_read_are_not_checked(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(damaged("word"))
    assert result(path) == result(TABLE)


# --- compressed text -------------------------------------------------------------------------------------------------

TEXT = b"y,p\n1,2\n3,5\n0.5,0.25\n8,8.5\n"


def zipped(text):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", text)
    return sink.getvalue()


CARRYING = {
    ".gz": gzip.compress(TEXT[:12]) + gzip.compress(TEXT[12:]),
    ".bz2": bz2.compress(TEXT[:12]) + bz2.compress(TEXT[12:]),
    ".zst": b64decode("KLUv/SQb2QAAeSxwCjEsMgozLDUKMC41LDAuMjUKOCw4LjUKtttfKQ=="),  # zstd 1.5.4 -c --check
    ".lz4": b64decode("BCJNGHRAvRsAAIB5LHAKMSwyCjMsNQowLjUsMC4yNQo4LDguNQqMVy/wAAAAAIxXL/A="),  # lz4 1.9.4 -c -BX
    ".xz": lzma.compress(TEXT),
    ".zip": zipped(TEXT),
}
"""Text with checksums, by suffix, the first two in two members."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_bit_flipped_anywhere_in_compressed_text_is_an_error_or_changes_nothing(tmp_path, suffix):
    whole, path = CARRYING[suffix], tmp_path / f"rows.csv{suffix}"
    path.write_bytes(whole)
    assert result(path) == (4, (1 + 4 + 0.0625 + 0.25) / 4)
    for place in range(len(whole)):
        path.write_bytes(flipped(whole, place, place % 8))
        outcome = result(path)
        assert outcome == (4, 1.328125) or isinstance(outcome, lossctl.LossctlError), (place, outcome)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_compressed_text_whose_checksum_was_cut_off_is_an_error(tmp_path, suffix):
    path = tmp_path / f"rows.csv{suffix}"
    for length in range(1, 5):
        path.write_bytes(CARRYING[suffix][:-length])
        assert isinstance(result(path), lossctl.LossctlError), length
