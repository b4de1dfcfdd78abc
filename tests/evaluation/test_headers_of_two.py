"""Of two files one may have a header and the other none, as NumPy and pandas write them; and one may be a column."""

import itertools

import pytest
from stored import write_lines

from lossctl.reading.files import open_source
from lossctl.reading.format import Reading

SIGNS = {".csv": ",", ".tsv": "\t", ".txt": " "}


@pytest.mark.parametrize(("left", "right"), [*itertools.pairwise([*SIGNS, ".csv"])])
@pytest.mark.parametrize("bare", ["predictions", "labels"])
def test_no_header_is_said_of_the_file_that_has_none(lossctl, tmp_path, left, right, bare):
    """Errors of 1/2, 1/4 and 0 in the second column."""
    rows = {"predictions": [("7", "0.5"), ("8", "0.75"), ("9", "1")], "labels": [("0",), ("1",), ("1",)]}
    heads = {"predictions": ("size", "guess"), "labels": ("survived",)}
    files = []
    for side, suffix in (("predictions", left), ("labels", right)):
        lines = [*([] if side == bare else [heads[side]]), *rows[side]]
        files.append(write_lines(tmp_path / f"{side}{suffix}", *map(SIGNS[suffix].join, lines)))
    asked = [files[0], "--labels", files[1], "--join", "order", "-l", "mae", "-f", "json"]
    done = lossctl("eval", *asked, "-p", "#2", "-y", "#1", "--no-header")
    assert done.status == 0, done.err
    assert (done.json["results"][0]["n"], done.values) == (3, [0.25])
    named = {"predictions": ["-p", "#2", "-y", "survived"], "labels": ["-p", "guess", "-y", "#1"]}[bare]
    assert lossctl("eval", *asked, *named, "--no-header").values == [0.25]
    done = lossctl("eval", *asked, "-p", "#2", "-y", "#1")
    assert done.status == 3
    assert "the first line" in done.err


@pytest.mark.parametrize("row", ["cat\ndog", "1\n2", "NA\n2", "nan\n2", "y,1\nz,2", "id,y\na,b", "1,y\n2,3"])
def test_what_may_be_a_row_is_one_where_no_header_is_said(lossctl, tmp_path, row):
    path = write_lines(tmp_path / "y.csv", *row.split())
    apart = open_source(path, Reading(header=False, apart=True))
    assert [column.name for column in apart.columns] == [
        f"#{place + 1}" for place in range(row.split()[0].count(",") + 1)
    ]
    single = write_lines(tmp_path / "rows.csv", "y,p", "1,2")
    assert lossctl("eval", single, "--no-header", "-y", "#1", "-p", "#2", "-l", "mae").status == 3


@pytest.mark.parametrize("head", [[], ["y"], ["the label"]])
def test_a_column_of_numbers_is_read_whatever_its_file_is_called(lossctl, tmp_path, head):
    path = write_lines(tmp_path / "y.out", *head, "1.000000000000000000e+00", "-0.5", "nan", "3")
    other = write_lines(tmp_path / "p.txt", *head, "2", "0.5", "1", "3")
    asked = ["--labels", path, "--join", "order", "-l", "mae", "-p", "#1", "-y", "#1", "--nulls", "drop", "-f", "value"]
    done = lossctl("eval", other, *asked, *([] if head else ["--no-header"]))
    assert (done.status, done.out) == (0, f"{2 / 3!r}\n"), done.err
    words = write_lines(tmp_path / "words.out", "1", "two words", "a")
    assert "unknown format" in lossctl("eval", words, "-l", "mae").err
