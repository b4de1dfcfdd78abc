"""What text means, in every text format: names, separators, nulls, encodings, line ends."""

import contextlib
import json
from pipes import fed

import pytest
from figures import digits, run
from stored import ON_DISK, TEXT, by_hand, compress, narrow

from lossctl.errors import DataError
from lossctl.reading.format import NULLS, formats

# --- text: names, separators, nulls, encodings -----------------------------------------------------------------------


def test_every_text_format_can_be_written_by_hand():
    assert set(TEXT) == {found.name for found in ON_DISK if found.text}


ROW = {"y": 1.0, "p": 2.0, "w": 1.0}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize(
    ("word", "role", "at"),
    [
        pytest.param(word, ("y", "p", "w")[(turn + place) % 3], at, id=f"{word!r}-{at}")
        for turn, word in enumerate([*NULLS, None])
        for place, at in enumerate([0, 1, 2, None])
    ],
)
def test_a_missing_number_is_spelled_alike_in_every_text_format(name, word, role, at, tmp_path):
    """Every word in every row and in every column, in turn."""
    places = [at] if at is not None else [0, 1]
    rows = [ROW | ({role: word} if place in places else {}) for place in range(3)]
    path = by_hand(tmp_path, name, rows)
    result = run(path, {"loss": "mse", "weight": "w"}, nulls="drop", samples=0).results[0]
    assert (result.value, result.n, result.n_null) == (1.0, 3 - len(places), len(places))
    with pytest.raises(DataError, match=rf"row {places[0] + 1}: column '{role}' is null"):
        run(path, {"loss": "mse", "weight": "w"})


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("word", ["N.A.", "nil", "-", "Null", "none", "?"])
def test_other_words_are_no_missing_number_unless_said_so(name, word, tmp_path, lossctl):
    path = by_hand(tmp_path, name, [ROW, ROW | {"p": word}, ROW])
    done = lossctl("eval", path, "-l", "mse", "--nulls", "drop")
    assert done.status == 3
    assert f"row 2: column 'p' holds {word!r}, which is not a number" in done.err
    said = lossctl("eval", path, "-l", "mse", "--nulls", "drop", f"--null-values=x,{word}", "-f", "json")
    assert said.json["inputs"]["nulls"] == {"p": 1}
    path = by_hand(tmp_path, name, [ROW, ROW | {"p": "NA"}, ROW])
    done = lossctl("eval", path, "-l", "mse", "--nulls", "drop", f"--null-values={word}")
    assert done.status == 3, "the words given stand instead of the list"
    assert "'NA'" in done.err


@pytest.mark.parametrize("name", TEXT)
def test_text_means_what_it_says_in_every_text_format(name, tmp_path):
    """Namibia is NA, and somebody's name is Null: the words are missing numbers, never missing text."""
    words = [
        "NA",
        "null",
        "None",
        "nan",
        "N/A",
        "2024-01-05",
        "2024-01-05 10:00:00",
        "12:30",
        "007",
        "1.50",
        "true",
        "",
    ]
    path = by_hand(tmp_path, name, [{"y": 1.0, "p": 1.0 + at, "g": word} for at, word in enumerate(words)])
    report = run(path, {"loss": "mse", "by": "g"})
    assert {result.group["g"] for result in report.results} == {word or None for word in words}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("words", [
    ["2024-01-05", "2024-01-06"], ["2024-01-05 10:00:00"], ["2024-01-05T10:00:00Z"], ["12:30:00"], ["NA"],
    ["007", "01"],
], ids=lambda words: words[0])  # fmt: skip
def test_a_column_of_text_that_looks_like_something_else_groups_as_it_is_written(name, words, tmp_path):
    path = by_hand(tmp_path, name, [{"y": 1.0, "p": 1.0 + at, "g": word} for at, word in enumerate(words * 3)])
    report = run(path, {"loss": "mse", "by": "g"})
    assert {result.group["g"] for result in report.results} == set(words)


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "-" + "9" * 320])
@pytest.mark.parametrize("at", [0, 1])
def test_a_number_that_overflows_is_not_finite(name, number, at, tmp_path, lossctl):
    rows = [dict(ROW), dict(ROW), dict(ROW)]
    rows[at]["p"] = "BIG"
    path = by_hand(tmp_path, name, rows)
    path.write_text(path.read_text().replace('"BIG"', number).replace("BIG", number))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"row {at + 1}: column 'p' is {'-' * number.startswith('-')}inf; mse needs a finite number" in done.err


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("number", ["1e-400", "-1e-400", "0." + "0" * 400 + "1"])
def test_a_number_that_underflows_is_zero(name, number, tmp_path):
    path = by_hand(tmp_path, name, [ROW | {"p": "SMALL"}])
    path.write_text(path.read_text().replace('"SMALL"', number).replace("SMALL", number))
    assert run(path, {"loss": "mse"}).value == 1.0


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("compressed", ["", ".gz"])
def test_a_byte_order_mark_is_no_part_of_the_text(name, compressed, tmp_path, lossctl):
    body = b"\xef\xbb\xbf" + TEXT[name]([ROW, ROW]).encode()
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}{compressed}"
    path.write_bytes(compress(body, compressed) if compressed else body)
    assert run(path, {"loss": "mse", "label": "y"}).results[0].n == 2
    with fed(tmp_path / "pipe", path.read_bytes()) as pipe:
        done = lossctl("eval", pipe, "-F", name, "-l", "mse", "-f", "value", "-q")
    assert (done.status, done.out) == (0, "1.0\n")


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("compressed", ["", ".gz"])
def test_utf_16_is_recognised_or_read(name, encoding, compressed, tmp_path, lossctl):
    mark = b"\xfe\xff" if encoding.endswith("be") else b"\xff\xfe" if encoding.endswith("le") else b""
    body = mark + TEXT[name]([ROW, ROW]).encode(encoding)
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}{compressed}"
    path.write_bytes(compress(body, compressed) if compressed else body)
    done = lossctl("eval", path, "-l", "mse", "-f", "value", "-q")
    assert (done.status, done.out) == (0, "1.0\n") or (
        done.status == 3 and "UTF-16" in done.err and "UTF-8" in done.err
    )


@pytest.mark.parametrize("name", TEXT)
def test_bytes_that_are_no_utf_8_are_no_bug(name, tmp_path, lossctl):
    path = by_hand(tmp_path, name, [ROW | {"g": "GR"}, ROW | {"g": "x"}])
    path.write_bytes(path.read_bytes().replace(b"GR", b"Gr\xf6\xdfe"))
    for flags in (["--by", "g"], []):
        assert lossctl("eval", path, "-l", "mse", *flags).status in {0, 3}
    for suffix in (".csv", ".jsonl", ".parquet"):
        assert lossctl("samples", path, "-l", "mse", "-o", tmp_path / f"out{suffix}").status in {0, 3}


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize(
    ("old", "new"), [("\n", "\r\n"), ("\n", "\n\n"), ("\n", "\r\n\r\n")], ids=["CRLF", "blank", "both"]
)
@pytest.mark.parametrize("end", ["", "more"])
def test_line_ends_of_every_kind_mean_the_same(name, old, new, end, tmp_path, monkeypatch):
    rows = [{"y": float(at), "p": 1.0 + at * 1.5} for at in range(100)]
    path = by_hand(tmp_path, name, rows)
    right = digits(run(path, {"loss": "mse"}))
    text = path.read_text().replace(old, new)
    path.write_bytes((text + new * 3 if end else text.rstrip()).encode())
    assert digits(run(path, {"loss": "mse"})) == right
    narrow(monkeypatch, 64)
    assert digits(run(path, {"loss": "mse"})) == right


# --- delimited text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "\\t", " ", ":"])
@pytest.mark.parametrize("name", ["csv", "tsv"])
@pytest.mark.parametrize("place", ["path", "gz", "pipe"])
def test_any_character_may_separate_cells(delimiter, name, place, tmp_path, lossctl, monkeypatch):
    sign = delimiter.replace("\\t", "\t")
    text = sign.join(["y", "p", f'"no{sign}te"']) + "\n"
    text += "".join(sign.join([str(at), str(at + 2), f'"a{sign}b,\nc"']) + "\n" for at in range(50))
    narrow(monkeypatch, 100)
    body = compress(text.encode(), ".gz") if place == "gz" else text.encode()
    path = tmp_path / f"rows.{name}{'.gz' * (place == 'gz')}"
    if place != "pipe":
        path.write_bytes(body)
    with fed(path, body) if place == "pipe" else contextlib.nullcontext(path) as source:
        done = lossctl("samples", source, "-l", "mse", "-d", delimiter, "-f", "jsonl", "-q")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["loss"] for row in rows] == [4.0] * 50
    assert {row[f"no{sign}te"] for row in rows} == {f"a{sign}b,\nc"}


@pytest.mark.parametrize("delimiter", ["", ",,", "é", '"', "\n", "ab"])
def test_a_delimiter_that_is_no_single_character_is_a_usage_error(delimiter, tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "-d", delimiter)
    assert (done.status, done.out) == (2, "")
    assert "delimiter" in done.err


@pytest.mark.parametrize("head", ["", "\ufeff", "\n\n"], ids=["plain", "BOM", "blank lines"])
@pytest.mark.parametrize("place", ["path", "gz", "pipe", "several"])
def test_without_a_header_columns_are_numbers(head, place, tmp_path, lossctl, monkeypatch):
    narrow(monkeypatch, 8)
    body = (head + "1,2,a\n3,5,b\n0,0,a\n").encode()
    path = tmp_path / f"rows.csv{'.gz' * (place == 'gz')}"
    if place != "pipe":
        path.write_bytes(compress(body, ".gz") if place == "gz" else body)
    with fed(path, body) if place == "pipe" else contextlib.nullcontext(path) as source:
        files = [source] * (2 if place == "several" else 1)
        done = lossctl("eval", *files, "--no-header", "-y", "#1", "-p", "#2", "--by", "#3", "-l", "mse", "-f", "json")
    assert done.status == 0, done.err
    assert done.json["inputs"]["models"] == {"#2": ["#2"]}
    assert [(it["group"], it["value"]) for it in done.json["results"]] == [({"#3": "a"}, 0.5), ({"#3": "b"}, 4.0)]


def test_without_a_header_the_first_line_is_a_row(tmp_path, lossctl):
    path = tmp_path / "rows.tsv"
    path.write_text("1\t2\n3\toops\n")
    done = lossctl("eval", path, "--no-header", "-y", "#1", "-p", "#2", "-l", "mse")
    assert done.status == 3
    assert "row 2: column '#2' holds 'oops'" in done.err
    done = lossctl("samples", path, "--no-header", "-y", "#1", "-p", "#1", "-l", "mse")
    assert done.status == 2
    path.write_text("1\t2\n")
    done = lossctl("samples", path, "--no-header", "-y", "#1", "-p", "#2", "-l", "mse", "-q")
    assert done.out.replace('"', "").splitlines() == ["row,loss,gradient,#1,#2", "1,1,2,1,2"]


# --- what stands at the beginning and the end of a file --------------------------------------------------------------


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"\n\n", b"\r\n"], ids=["plain", "BOM", "LF LF", "CRLF"])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\n\n\n"], ids=["nothing", "LF", "CRLF", "empty lines"])
def test_what_surrounds_the_rows_of_a_csv_does_not_matter(head, tail, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(head + b"label,prediction\n1,2\n3,5" + tail)
    assert run(path, {"loss": "mse"}).value == 2.5


def test_a_csv_may_end_its_lines_as_old_macs_did(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"label,prediction\r1,2\r3,5\r")
    assert run(path, {"loss": "mse"}).value == 2.5
