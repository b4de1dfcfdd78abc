"""How delimited text may be written: quotes, comments, what stands above the header, encodings, marks in numbers."""

import contextlib
import itertools
import re
import shlex
from pipes import fed

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import compress, narrow

from lossctl.errors import UsageError
from lossctl.reading import line_ends
from lossctl.reading.dialect import Dialect
from lossctl.reading.format import Reading
from lossctl.reading.line_ends import LineEnds

BCE = 0.27977656357934225
"""-(ln 0.9 + ln 0.8 + ln 0.6) / 3, by mpmath: labels 1, 0, 1 and predictions 0.9, 0.2, 0.6."""
ROWS = [("1", "0.9"), ("0", "0.2"), ("1", "0.6")]
EVAL = ("-y", "y", "-p", "p", "-l", "bce", "-f", "value", "-q")
PLACES = ["gz", "pipe", "ranges"]


@pytest.fixture
def told(tmp_path, lossctl, monkeypatch):
    """What the program says of a text that stands somewhere, or comes through a pipe."""

    def call(text, place, *flags, suffix=".csv", encoding="utf-8", ask=EVAL):
        body = text if isinstance(text, bytes) else text.encode(encoding)
        path = tmp_path / f"rows{suffix}{'.gz' * (place == 'gz')}"
        if place == "ranges":
            narrow(monkeypatch, 7)
        if place != "pipe":
            path.write_bytes(compress(body, ".gz") if place == "gz" else body)
        with fed(path, body) if place == "pipe" else contextlib.nullcontext(path) as source:
            return lossctl("eval", source, *ask, *flags)

    return call


# --- quotes ----------------------------------------------------------------------------------------------------------


def signs_of(text, delimiter, quote, comment):
    """Where lines end outside quotes, where text first follows a closing quote, and how the text ends: sign by sign."""
    ends, misplaced, state = [], None, "line"
    for place, sign in enumerate(text):
        before = state
        if state == "quoted":
            state = "closed" if sign == quote else state
            continue
        if state == "comment":
            state = "line" if sign == "\n" else state
        elif (state == "closed" and sign == quote) or (state in {"line", "cell"} and sign == quote):
            state = "quoted"
        elif state == "line" and sign == comment:
            state = "comment"
        else:
            if state == "closed" and sign not in f"{delimiter}\r\n" and misplaced is None:
                misplaced = place
            state = {"\n": "line", "\r": "cell", delimiter: "cell"}.get(sign, "bare")
        if sign == "\n" and before != "quoted":
            ends.append(place + 1)
    return ends, misplaced, state == "quoted"


@pytest.mark.parametrize(("quote", "comment"), [('"', None), ("'", None), ('"', "#"), ("'", "#")])
@given(text=st.text("a,\"'#\n\r", max_size=40), cuts=st.lists(st.integers(0, 40), max_size=3), block=st.integers(1, 9))
@settings(max_examples=120)
def test_quotes_and_comments_are_what_reading_sign_by_sign_says(quote, comment, text, cuts, block):
    expected, misplaced, inside = signs_of(text, ",", quote, comment)
    data = text.encode()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_ends, "BLOCK", block)
        whole, last = LineEnds(",", quote, comment), LineEnds(",", quote, comment)
        assert (whole.all(data).tolist(), whole.misplaced, whole.inside) == (expected, misplaced, inside)
        at_once = LineEnds(",", quote, comment)
        assert (at_once.last(data), at_once.misplaced) == (max(expected, default=0), misplaced)
        for start, stop in itertools.pairwise(places):
            within = [end - start for end in expected if start < end <= stop]
            assert last.last(data[start:stop]) == max(within, default=0)
        assert last.inside == inside
    if comment is not None:
        lines = [text[start:stop] for start, stop in itertools.pairwise([0, *expected, len(text)])]
        kept = "".join(line for line in lines if not line.startswith(comment))
        assert Dialect(",", quote, comment).without_comments(data).decode() == kept


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", [1, 3, 5])
@pytest.mark.parametrize(
    "wrong", ['"Hello he said\t1\t0.9\nhe "x" said"\t0\t0.2\n', '"a"b\t1\t0.9\n', '"a" \t1\t0.9\n', '"a"b"c"\t1\t0.9\n']
)
def test_text_behind_a_closing_quote_is_an_error_with_its_row(told, place, row, wrong):
    before = ["a\t1\t0.5\n", '"b\n"\t1\t0.5\n', "c\t1\t0.5\n", '"d\n\nd"\t1\t0.5\n'][: row - 1]
    done = told("text\ty\tp\n" + "".join(before) + wrong + "ok\t1\t0.5\n", place, suffix=".tsv")
    assert (done.status, done.out) == (3, ""), done.err
    assert f"row {row}: after the closing quote of " in done.err
    assert "--quote none" in done.err


@pytest.mark.parametrize("place", PLACES)
def test_text_that_does_not_quote_is_read_so(told, place):
    text = 'text\ty\tp\n"Hello he said\t1\t0.9\nhe "x" said"\t0\t0.2\n"\t1\t0.6\n'
    assert float(told(text, place, "--quote", "none", suffix=".tsv").out) == BCE
    text = "'te,xt',y,'p'\n'a,\n\"',1,'0.9'\n'it''s',0,0.2\n\",1,0.6\n"
    assert float(told(text, place, "--quote", "'").out) == BCE


def test_quotes_in_the_header_are_held_to_the_same(told):
    done = told('"y"a,p\n1,0.9\n', "path")
    assert (done.status, "the first line cannot be read" in done.err, "--quote none" in done.err) == (3, True, True)
    assert float(told('y,p,4" nails\n1,0.9,a\n0,0.2,b\n1,0.6,c\n', "path").out) == BCE


# --- above the header ------------------------------------------------------------------------------------------------

BODY = "".join(f"{label},{prediction}\n" for label, prediction in ROWS)
ABOVE = {
    "sep line": ("sep=;\n" + "y;p\n" + BODY.replace(",", ";"), []),
    "sep line in quotes": ('\ufeff"SEP=|"\r\n' + "y|p\n" + BODY.replace(",", "|"), []),
    "sep line said again": ("sep=;\ny;p\n" + BODY.replace(",", ";"), ["-d", ";"]),
    "comments": ('# model 7, fold 2\n#,"\n\ny,p\n' + BODY, ["--comment", "#"]),
    "comments between": ('#,"\ny,p\n1,0.9\n#,"\n#x\n0,0.2\n1,0.6\n#"', ["--comment", "#"]),
    "skipped": ('Report "7\n\ny,p\n' + BODY, ["--skip-rows", "2"]),
    "skipped blank": ("\nReport\ny,p\n" + BODY, ["--skip-rows", "2"]),
    "skipped and commented": ("Report\n% x\ny,p\n" + BODY, ["--skip-rows", "1", "--comment", "%"]),
    "spaces": (" y ,  p \n" + BODY, []),
    "spaces before quotes": ('"t", "y" , "p"\n' + "".join(f"a,{line}\n" for line in BODY.splitlines()), []),
    "R": ('"y","p"\n' + "".join(f'"{row}",{line}\n' for row, line in enumerate(BODY.splitlines())), []),
    "R with names": (
        "y\tp\n" + "".join(f"{n} x\t{a}\t{b}\n" for n, (a, b) in zip("abc", ROWS, strict=True)),
        ["-d", "\\t"],
    ),
    "R without quotes": (
        "y;p\n" + "".join(f"{row};{line}\n" for row, line in enumerate(BODY.replace(",", ";").splitlines(), 1)),
        ["-d", ";"],
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", ABOVE)
def test_what_stands_above_the_rows_is_no_row(told, place, case):
    text, flags = ABOVE[case]
    done = told(text, place, *flags)
    assert (done.status, done.out) == (0, f"{BCE!r}\n"), done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# model 7, fold 2\n# exported\ny,p\n1,1\n", "the first line looks like a comment: '# model 7, fold 2'"),
        ("Report: 7\n\ny,p\n1,1\n", "the first line has a single field, and the second 2: 'Report: 7'"),
        ("Report\ny,p\n1,1\n", "the first line has a single field, and the second 2: 'Report'"),
    ],
)
def test_a_line_above_the_header_is_told_from_one(told, text, words):
    done = told(text, "path")
    assert done.status == 3
    assert words in done.err
    assert told(text, "path", "--comment" if "#" in text else "--skip-rows", "#" if "#" in text else "1").status == 0


@pytest.mark.parametrize(
    "body",
    ["1,0.9,\n0,0.2,\n", "1,0,9\n0,0,2\n", "1,0,9\n", '"1",0,9\n"0",0,2\n', '1,0.9,"x"\n0,0.2,"y"\n'],
    ids=["ends in commas", "decimal commas", "one row", "quoted labels", "other cells"],
)
def test_a_cell_too_many_is_no_name_of_a_row(told, body):
    done = told("y,p\n" + body, "path")
    assert (done.status, done.out) == (3, ""), done.err
    assert "3 fields where the first line has 2" in done.err


FOLLOWED = {
    "semicolons": "y;p\n1;0.9\n0;0.2\n1;0.6\n",
    "decimal commas": "y;p\n1;0,9\n0;0,2\n1;0,6\n",
    "spaces": "y p\n1 0.9\n0 0.2\n1 0.6\n",
    "colons": "y:p\n1:0.9\n0:0.2\n1:0.6\n",
    "R": '"y" "p"\n"1" 1 0.9\n"2" 0 0.2\n"3" 1 0.6\n',
    "quoted tabs": '"y"\t"p"\n1\t0.9\n0\t0.2\n1\t0.6\n',
    "C": "// model 7\n// of today, whole\ny,p\n1,0.9\n0,0.2\n1,0.6\n",
    "a comment behind": "y,p\n1,0.9\n0,0.2\n1,0.6\n# end\n",
    "a comment between": "y,p\n1,0.9\n# end, nearly\n0,0.2\n1,0.6\n",
    "single quotes": "'y','p'\n'1','0.9'\n'0','0.2'\n'1','0.6'\n",
    "quoted cells": "y,p,t\n1,0.9,'a,b'\n0,0.2,'c,d'\n1,0.6,''\n",
    **{name: "y,p\n1,0.9\n0,0.2\n1,0.6\n".encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")},
}
"""Texts that are read when the hint of the error is followed to the letter, or those of two errors."""


@pytest.mark.parametrize("case", FOLLOWED)
def test_a_hint_that_is_followed_leads_to_the_value(told, case):
    said = []
    for _ in range(3):
        done = told(FOLLOWED[case], "path", *said)
        if not done.status:
            break
        flag, sign = re.search(r"(-d|--[a-z-]+) ('[^']*'|\"[^\"]*\"|[\w-]+)", done.err.split("\n", 1)[1]).groups()
        said += [flag, *shlex.split(sign)]
    assert (done.status, done.out) == (0, f"{BCE!r}\n"), done.err


def test_a_name_with_a_hash_is_a_name_where_comments_begin_otherwise(told):
    assert told("#t,y,p\n#1,1,0.9\n#2,0,0.2\n#3,1,0.6\n% end\n", "path", "--comment", "%").status == 0


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "suffix"), [("gz", ".csv"), ("pipe", ".csv"), ("ranges", ".csv"), ("pipe", ".jsonl")]
)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "shift_jis", "utf-8-sig"])
def test_text_of_another_encoding_is_read(told, place, suffix, encoding):
    word = "ソ表" if encoding == "shift_jis" else "é"
    rows = [f"{label},{prediction}" for label, prediction in ROWS * 5]
    text = f"y,{word}\n" + "\n".join(rows) + "\n"
    if suffix == ".jsonl":
        text = "".join(f'{{"y": {row.split(",")[0]}, "{word}": {row.split(",")[1]}}}\n' for row in rows)
    ask = ("-y", "y", "-p", word, "-l", "bce", "-f", "value", "-q", "-F", suffix[1:])
    done = told(text, place, "--encoding", encoding, suffix=suffix, encoding=encoding, ask=ask)
    assert (done.status, done.out) == (0, f"{BCE!r}\n"), done.err


@pytest.mark.parametrize(("encoding", "word"), [("latin-1", "Größe"), ("cp1252", "„Größe“")])
@pytest.mark.parametrize("head", [True, False], ids=["header", "row"])
def test_an_encoding_that_text_may_have_is_named(lossctl, tmp_path, encoding, word, head):
    text = f"{word},y,p\na,1,0.9\n" if head else f"t,y,p\n{word},1,0.9\n"
    (tmp_path / "rows.csv").write_bytes(text.encode(encoding))
    asked = ["samples", tmp_path / "rows.csv", "-y", "y", "-p", "p", "-l", "bce", "-q"]
    done = lossctl(*asked)
    assert (done.status, done.out) == (3, ""), done.err
    assert f"--encoding {encoding}" in done.err
    assert word in lossctl(*asked, "--encoding", encoding).out


def test_bytes_that_are_not_of_the_encoding_are_an_error(told):
    done = told("y,p,é\n1,0.9,a\n", "path", "--encoding", "ascii")
    assert (done.status, done.out, "ascii" in done.err) == (3, "", True)


# --- what is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"quote": "`"}, {"quote": ""}, {"comment": ""}, {"comment": "//"}, {"comment": '"'}, {"skip_rows": -1},
        {"decimal": ";"}, {"thousands": "."}, {"thousands": ",", "decimal": ","}, {"thousands": "00"},
        {"thousands": "-"}, {"encoding": "klingon"}, {"encoding": "hex"}, {"encoding": ""},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_said_of_text_is_a_usage_error(said):
    with pytest.raises(UsageError):
        Reading(**said)


SAID = {
    "--quote": "none", "--comment": "#", "--skip-rows": "1", "--decimal": ",", "--thousands": "'",
    "--encoding": "latin-1",
}  # fmt: skip


@pytest.mark.parametrize("flag", SAID)
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl"])
def test_what_is_said_of_text_is_refused_where_nothing_is_read_so(lossctl, tmp_path, flag, suffix):
    path = tmp_path / f"rows{suffix}"
    (tmp_path / "rows.csv").write_text("y,p\n1,0.9\n")
    assert lossctl("samples", tmp_path / "rows.csv", *EVAL[:6], "-q", "-o", path).status == 0
    done = lossctl("eval", path, *EVAL, flag, SAID[flag])
    heeded = flag == "--encoding" and suffix == ".jsonl"
    assert done.status == (0 if heeded else 2)
    assert heeded or f"{flag} is for text" in done.err


def test_more_rows_are_skipped_than_there_are_in_no_time(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n0,1\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "--skip-rows", 10**19)
    assert (done.status, done.out) == (3, ""), done.err


COMMAS = st.sampled_from([
    ("0.9 0.2 0.6", "", []), ("0,9 0,2 0,6", "", ["--decimal"]), ("0,900 0,200 0,600", "", ["--decimal"]),
    ("1.000,9 0,2 0,6", "", ["--decimal", "--thousands"]), ("0.9 0.2 0.6", ";a,b,c", []),
    ("1,900 1,200 1,600", "", []),
])  # fmt: skip
"""Three numbers, what stands behind them, and what is to be said beside what separates cells."""


@settings(max_examples=8, deadline=None)
@given(sign=st.sampled_from(";\t|"), quoted=st.booleans(), ways=COMMAS, end=st.sampled_from(["\n", "\r\n"]))
def test_what_separates_cells_is_said_together_with_how_numbers_are_written(sign, quoted, ways, end, lossctl, tmp_path):
    numbers, behind, flags = ways
    header = ['"y"', '"p"'] if quoted else ["y", "p"]
    header += ["tags"] * bool(behind)
    lines = [f"{y};{p}{behind}" for y, p in zip("101", numbers.split(), strict=True)]
    text = end.join([";".join(header), *lines, ""]).replace(";", sign)
    (tmp_path / "rows.csv").write_text(text, newline="")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "-q")
    assert done.status == 3
    said = shlex.split(done.err.split("If so, say ")[1].strip().removesuffix("."))
    assert [word for word in said if word.startswith("-")] == ["-d", *flags]
    again = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "-q", "-f", "value", *said)
    if numbers.startswith("1,"):  # thousands or a fraction: nobody but its author knows
        assert "--thousands" in again.err
    else:
        assert again.status == 0, again.err
