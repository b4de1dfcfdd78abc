"""Numbers and lists of numbers that are written as text: what is read, and what is told of the rest."""

import json
import re
import shlex
import sys

import pyarrow as pa
import pytest
from figures import digits, run
from hypothesis import given
from hypothesis import strategies as st
from stored import compress, narrow, stored_as

import lossctl as library
from lossctl.errors import DataError
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Reading, formats
from lossctl.reading.written import written_lists, written_numbers

BCE = 0.27977656357934225
"""-(ln 0.9 + ln 0.8 + ln 0.6) / 3, by mpmath."""
MAE = ("-y", "y", "-p", "p", "-l", "mae", "-f", "value", "-q")


@pytest.fixture
def mae(tmp_path, lossctl):
    """The mean absolute error of the cells of a label and a prediction, written as CSV with semicolons."""

    def call(labels, predictions, *flags, compressed=""):
        lines = ["y;p;t", *(f"{label};{prediction};x" for label, prediction in zip(labels, predictions, strict=True))]
        body = "\n".join(lines).encode()
        path = tmp_path / f"rows.csv{compressed}"
        path.write_bytes(compress(body, compressed) if compressed else body)
        return lossctl("eval", path, "-d", ";", *MAE, *flags)

    return call


# --- marks in numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", ["", ".gz"])
@pytest.mark.parametrize(
    ("cells", "flags"),
    [
        (["1299,5", "2000", "-0,25", "1e3"], ["--decimal", ","]),
        (["1,299.5", "2,000", "-0.25", "1000"], ["--thousands", ","]),
        (["1.299,5", "2.000", "-0,25", "1.000,"], ["--thousands", ".", "--decimal", ","]),
        (["1 299.5", " 2000 ", "-.25", "+1 000"], ["--thousands", " "]),
        (["1\u202f299,5", "2\u202f000,0", "-,25", "1\u202f000"], ["--thousands", " ", "--decimal", ","]),
        (["1'299.5", "2'000", "-0.25", "1'000.0e0"], ["--thousands", "'"]),
    ],
)
def test_marks_in_numbers_are_read_as_said(mae, monkeypatch, compressed, cells, flags):
    narrow(monkeypatch, 20)
    done = mae(cells, ["1300", "1999", "0", "1000"], *flags, compressed=compressed)  # .5 + 1 + .25 + 0
    assert (done.status, done.out) == (0, "0.4375\n"), done.err


@pytest.mark.parametrize("cell", ["1,29", "12,99.5", "1,2345", ",123", "1,,000", "1,000,00", "1.000,000"])
def test_digits_that_are_no_groups_of_three_are_no_number(mae, cell):
    done = mae(["1,000", cell], ["1", "2"], "--thousands", ",")
    assert (done.status, done.out) == (3, "")
    assert f"row 2: column 'y' holds {cell!r}" in done.err


def test_a_column_with_groups_of_digits_is_carried_along_as_written(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text('y,p,t\n1,2,"1,299"\n3,4,"2,000"\n')
    done = lossctl("samples", tmp_path / "rows.csv", *MAE[:6], "--thousands", ",", "-f", "jsonl", "-q")
    assert [json.loads(line)["t"] for line in done.out.splitlines()] == ["1,299", "2,000"]
    done = lossctl("eval", tmp_path / "rows.csv", "-y", "y", "-p", "t", *MAE[4:], "--thousands", ",")
    assert done.out == f"{(1298 + 1997) / 2!r}\n"


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(10**15), 10**15)), min_size=1))
def test_every_number_that_is_written_with_marks_is_read_to_the_last_digit(numbers):
    plain = [None if number is None else repr(number) for number in numbers]
    grouped = ["NA" if number is None else f"{number:,}" for number in numbers]
    expected = [None if number is None else float(number) for number in numbers]
    exact = [number is None or float(f"{number:,}".replace(",", "")) == number for number in numbers]
    assert written_numbers(pa.array(plain, pa.string()), "p").to_pylist() == expected
    swapped = [cell if cell == "NA" else cell.translate(str.maketrans(",.", ".,")) for cell in grouped]
    read = written_numbers(pa.array(swapped), "p", decimal=",", thousands=".").to_pylist()
    assert [value for value, same in zip(read, exact, strict=True) if same] == [
        value for value, same in zip(expected, exact, strict=True) if same
    ]


# --- what is told ----------------------------------------------------------------------------------------------------

TOLD = {
    "1,5": "--decimal ','", "-0,25": "--decimal ','", "1,299.5": "--thousands ','", "1,299,000": "--thousands ','",
    "1.299,5": "--decimal ',' --thousands '.'", "1.299.000": "--decimal ',' --thousands '.'",
    "1 299.5": "--thousands ' '", "1'299": """--thousands "'\"""", "1\u202f299.5": "--thousands ' '",
    "90%": "percentage", "12.5 %": "percentage", "$5": "currency", "5 €": "currency", "EUR 5.00": "currency",
    "2024-01-31": "date", "31.01.2024": "date", "12:30": "time", "2024-01-31T12:00:00Z": "date",
    "[0.1 ... 0.9]": "NumPy shortened", "[0.1, 0.9]": "A list in a cell", "5 kg": "unit", "0xff": "decimal digits",
    "-": "--null-values", "n.a.": "--null-values", "?": "--null-values", "missing": "--null-values",
    "True": "truths", "cat": "names of classes", "(1)": "no minus", "(1.5)": "no minus", "\u22121.5": "the hyphen",
    "1.5-": "in front", "1D-3": "with an e", "1/2": "fraction", "∞": "inf", "=A1": "formula", "{0.5,0.5}": "Braces",
    "0.5|0.5": "brackets", "0.1/0.2/0.7": "brackets", "1,00,000": "commas", "[0,5 0,5]": "decimal commas",
    "\\N": "--null-values", "<NA>": "--null-values", "'1'": "--quote", "# end": "--comment '#'",
    "\u00a01.5": "plain space",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        *((text, ".csv") for text in TOLD),
        *((text, suffix) for text in ("1,5", "cat") for suffix in (".jsonl", ".parquet")),
    ],
)
def test_a_text_is_told_what_it_looks_like(lossctl, tmp_path, text, suffix):
    path = tmp_path / f"rows{suffix}"
    table = pa.table({"y": ["1", "2", "3"], "p": ["0.5", text, "0.25"]})
    path.write_bytes(stored_as(formats.get(suffix[1:]), table))
    done = lossctl("eval", path, *MAE)
    assert (done.status, done.out) == (3, "")
    what, hint = done.err.strip().split("\n", 1)
    assert f"row 2: column 'p' holds {text!r}" in what
    assert TOLD[text] in hint.replace("\n  ", " ")


@pytest.mark.parametrize("text", ["1,5", "1,299.5", "90%", "cat"])
def test_doctor_tells_the_same(lossctl, tmp_path, text):
    path = tmp_path / "rows.parquet"
    path.write_bytes(stored_as(formats.get("parquet"), pa.table({"y": ["1", "0"], "p": ["0.5", text]})))
    done = lossctl("doctor", path, "-y", "y", "-p", "p", "-q")
    assert f"holds text such as {text!r}" in done.out
    assert TOLD[text] in " ".join(done.out.split())
    path.write_bytes(stored_as(formats.get("parquet"), pa.table({"y": ["1", "0"], "p": ["0.5", "0.25"]})))
    assert "binary classification" in lossctl("doctor", path, "-y", "y", "-p", "p", "-q").out


@pytest.mark.parametrize("text", [text for text, words in TOLD.items() if re.search("--(decimal|thousands)", words)])
def test_what_is_told_of_marks_works(mae, text):
    done = mae([text, text], ["0", "0"])
    told = re.findall(r"""(--\w+) ('.'|"'")""", done.err)
    said = [part for flag, sign in told for part in (flag, *shlex.split(sign))]
    assert mae([text, text], ["0", "0"], *said).status == 0, said


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("names", [("no", "yes"), ("cat", "dog"), ("False positive", "true positive")])
def test_labels_that_are_names_are_told_how_to_be_said(lossctl, tmp_path, suffix, names):
    path = tmp_path / f"rows{suffix}"
    table = pa.table({"y": [names[1], names[0], names[1]], "p": [0.9, 0.2, 0.6]})
    path.write_bytes(stored_as(formats.get(suffix[1:]), table))
    asked = ["eval", path, "-y", "y", "-p", "p", "-l", "bce", "-f", "value", "-q"]
    assert lossctl(*asked).out == f"{BCE!r}\n", "two names are two classes"
    assert lossctl(*asked, "--classes", ",".join(names)).out == f"{BCE!r}\n"
    more = pa.table({"y": [names[1], names[0], "neither"], "p": [0.9, 0.2, 0.6]})
    path.write_bytes(stored_as(formats.get(suffix[1:]), more))
    done = lossctl(*asked)
    assert done.status == 3
    assert f"row 1: column 'y' holds {names[1]!r}, which is not a number" in done.err
    assert re.search(r"--classes ('[^']+'|\S+)\.$", done.err.strip()) is not None, done.err
    assert "names of the classes" in done.err


# --- numbers as text in files with types -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl"])
@pytest.mark.parametrize("role", ["y", "p", "w", "all"])
def test_numbers_that_are_text_are_read_as_in_a_csv(tmp_path, suffix, role):
    cells = {"y": ["1", "0", "", "1"], "p": ["0.9", " 2e-1", "0.5", "+.6"], "w": ["1", "1.0", "3", "NA"]}
    cells |= {"y": ["1", "0", "1", "1"]} if role in {"p", "w"} else {}
    numbers = {"y": [1.0, 0.0, 1.0, 1.0], "p": [0.9, 0.2, 0.5, 0.6], "w": [1.0, 1.0, 3.0, 1.0]}
    table = pa.table(cells if role == "all" else numbers | {role: cells[role]})
    asked = {"loss": ["bce", "mse"], "label": "y", "prediction": "p", "weight": "w", "nulls": "drop", "samples": 0}
    results = []
    for form in (suffix, ".csv"):
        path = tmp_path / f"rows{form}"
        path.write_bytes(stored_as(formats.get(form[1:]), table))
        results.append(digits(library.evaluate(str(path), **asked)))
    assert results[0] == results[1]


def test_what_means_missing_in_json_means_it_in_text_too(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"y": "1", "p": "0.9"}\n{"y": "-999", "p": "0.5"}\n{"y": 0, "p": "0.2"}\n')
    report = run(path, {"loss": "bce"}, nulls="drop", reading=Reading(nulls=("-999",)))
    assert (report.results[0].n, report.results[0].n_null) == (2, 1)


# --- lists in cells --------------------------------------------------------------------------------------------------

LISTS = {
    "JSON": "[{}, {}]", "NumPy": "[{} {}]", "NumPy in columns": "[{}\n {}]", "tuple": "({},{})",
    "spaces": " [ {} ,{} ] ", "trailing comma": "[{}, {},]", "tabs": "[{}\t{}]",
}  # fmt: skip
PAIRS = [("0.9", "0.1"), ("2e-1", "+.8"), ("0.6", "0.4")]


@pytest.mark.parametrize(("place", "suffix"), [("ranges", ".csv"), ("gz", ".csv"), ("ranges", ".jsonl")])
@pytest.mark.parametrize("form", LISTS)
def test_a_list_in_a_cell_is_a_vector(tmp_path, monkeypatch, form, suffix, place):
    table = pa.table({"y": [0, 1, 0], "p": [LISTS[form].format(*pair) for pair in PAIRS]})
    if place == "ranges":
        narrow(monkeypatch, 9)
    path = tmp_path / f"rows{suffix}{'.gz' * (place == 'gz')}"
    path.write_bytes(stored_as(formats.get(suffix[1:]), table, ".gz" if place == "gz" else ""))
    assert run(path, {"loss": "cross_entropy"}).value == pytest.approx(BCE, rel=1e-15)


@given(st.lists(st.one_of(st.none(), st.lists(st.floats(allow_nan=False), min_size=1, max_size=4)), max_size=5))
def test_every_list_is_read_to_the_last_digit(rows):
    for separator in (", ", " ", ","):
        words = [None if row is None else f"[{separator.join(map(repr, row))}]" for row in rows]
        assert written_lists(pa.array(words, pa.string()), "p").to_pylist() == rows


MODULES = {".csv": "delimited", ".jsonl": "jsonlines"}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("[0.1 ... 0.9]", "NumPy shortened"), ("[0.5, x]", "'x', which is not a number"),
        ("0.5", "not a list of numbers"), ("[[0.5, 0.5]]", "not a list"), ("[0.5, 0.5", "not a list"),
        ("[0.5, 0.2, 0.3]", "a list of 3"), ("[]", "null"), ("[0.5,,0.5]", "a list of 3"), ("[nan 0.5]", "null"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_cell_that_is_no_such_list_is_an_error_with_its_row(tmp_path, monkeypatch, cell, words, suffix):
    monkeypatch.setattr(sys.modules[f"lossctl.reading.formats.{MODULES[suffix]}"], "HEAD", 64)
    good, bad = (pa.table({"y": [0] * n, "p": [text] * n}) for n, text in ((20, "[0.5, 0.5]"), (1, cell)))
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(stored_as(formats.get(suffix[1:]), pa.concat_tables([good, bad, good])))
    with pytest.raises(DataError, match="row 21") as met:
        run(path, {"loss": "cross_entropy"})
    assert words in str(met.value)


def test_a_decimal_comma_holds_in_lists():
    for cell in ("[0,5 1,5]", "[0,5; 1,5]", "(0,5;1,5)", "[0.5, 1.5]", "[0.5 1.5]"):
        assert written_lists(pa.array([cell]), "p", decimal=",").to_pylist() == [[0.5, 1.5]], cell
    for cell, decimal in (("[0,5 1,5]", "."), ("[1, 2 3]", "."), ("[0,5, 1,5]", ","), ("[0.5,1.5]", ","), ("(1)", ".")):
        with pytest.raises(BadRow):
            written_lists(pa.array([cell]), "p", decimal=decimal)


def test_a_number_in_parentheses_is_no_list_of_one(mae):
    assert mae(["(1)", "(2)"], ["1", "2"]).status == 3


def test_hexadecimal_codes_are_carried_along_as_written(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p,code\n1,0.5,0x1\n0,0.5,0xFF\n")
    out = tmp_path / "out.jsonl"
    assert lossctl("samples", tmp_path / "rows.csv", "-y", "y", "-p", "p", "-l", "bce", "-o", out, "-q").status == 0
    assert [row["code"] for row in map(json.loads, out.read_text().splitlines())] == ["0x1", "0xFF"]


def test_lists_that_are_no_numbers_stay_text():
    with pytest.raises(BadRow, match="'\\[a\\]'"):
        written_lists(pa.array(["[0.5]", "[a]"]), "p")
