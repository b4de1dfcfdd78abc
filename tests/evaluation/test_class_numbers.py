"""Classes that are called by numbers are compared as whole numbers, however many digits they have."""

import math

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joined import store

import lossctl
from lossctl.reading.cells import class_number

NUMBERS = st.integers(-3, 12) | st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 2**62 + 1, 2**63 - 1, -(2**53) - 1])
SPELLINGS = (
    str,
    lambda number: f"{number:+d}",
    lambda number: f"{number:05d}",
    lambda number: f"{number}.0",
    lambda number: f"{number}.",
)


@settings(max_examples=25)
@given(NUMBERS, st.permutations(SPELLINGS), st.booleans())
@example(1, SPELLINGS[2:] + SPELLINGS[:2], True)
def test_two_names_of_one_number_are_refused_where_labels_are_numbers(number, spellings, asked):
    names = [spelled(number) for spelled in spellings[:2]]
    if names[0] == names[1]:
        names[1] = f"000{names[1]}" if number >= 0 else f"-000{-number}"
    source = {"y": [number, number], f"p_{names[0]}": [0.7, 0.7], f"p_{names[1]}": [0.3, 0.3]}
    more = {"classes": names} if asked else {}
    with pytest.raises(lossctl.UsageError, match=r"are the same number|has several columns"):
        lossctl.evaluate(source, "cross_entropy", label="y", prediction="p_*", **more)


@settings(max_examples=12)
@given(
    st.lists(NUMBERS, min_size=2, max_size=4, unique=True), st.sampled_from([".csv", ".jsonl", ".parquet", ".arrow"])
)
@example([2**53, 2**53 + 1], ".csv")
@example([2**53 + 1, 2**53], ".parquet")
@example([2**53, 5], ".jsonl")
def test_a_label_is_the_class_of_its_own_number(tmp_path, numbers, suffix):
    shares = [(1 + place) / (len(numbers) * (len(numbers) + 1) / 2) for place in range(len(numbers))]
    columns = {f"p {number}": [share] * len(numbers) for number, share in zip(numbers, shares, strict=True)}
    path = store(tmp_path / f"rows{suffix}", pa.table({"y": pa.array(numbers, pa.int64()), **columns}))
    report = lossctl.evaluate(path, "cross_entropy", label="y", prediction="p *")
    assert report.value == pytest.approx(-math.fsum(map(math.log, shares)) / len(numbers), rel=1e-14)
    assert report.results[0].n == len(numbers)
    strangers = pa.table({"y": pa.array([max(numbers) - 1 if max(numbers) - 1 not in numbers else 77]), **{
        name: column[:1] for name, column in columns.items()
    }})  # fmt: skip
    with pytest.raises(lossctl.DataError, match="must be one of the classes"):
        lossctl.evaluate(store(tmp_path / f"other{suffix}", strangers), "cross_entropy", label="y", prediction="p *")


@pytest.mark.parametrize("name", ["--1", "1-", "1.5", "1e3", "", "-", "١٢.x", "1" * 5000, "0x1"])
def test_what_is_no_whole_number_is_a_name(name):
    assert class_number(name) is None


def test_classes_and_columns_may_be_called_anything(lossctl, tmp_path):
    path = tmp_path / "rows.csv"
    digits = "1" * 5000
    path.write_text(f"label,p_a{digits},p_b{digits}\n0,.5,.5\n")
    asked = ["eval", path, "-l", "cross_entropy", "-q", "-p"]
    assert lossctl(*asked, "p_*").status == 0
    assert lossctl(*asked, f"p_a{digits},p_b{digits}", "--classes=--1,2").status == 0


def test_labels_of_which_only_the_row_is_illegal_are_shown_as_a_row():
    table = {"a": [1, 0], "b": [0, 1], "c": [1, 0], "pa": [0.5, 0.5], "pb": [0.25, 0.5], "pc": [0.25, 0.0]}
    with pytest.raises(
        lossctl.DataError, match=r"row 1: columns 'a, b, c' are \(1, 0, 1\), sum 2; cross_entropy needs"
    ):
        lossctl.evaluate(table, "cross_entropy", label=["a", "b", "c"], prediction="pa,pb,pc")
