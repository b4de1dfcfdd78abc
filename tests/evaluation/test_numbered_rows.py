"""Numbers of rows that pandas writes of itself are a key only where they can be nothing else; else it is asked."""

import shlex
from pipes import fed

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library
from lossctl.errors import DataError, Undecided
from lossctl.evaluation.shared_keys import chosen_key
from lossctl.reading.files import open_source

NAMES = st.sampled_from(["", "Unnamed: 0", "index", "__index_level_0__", "row.names"])
STARTS = {"from 0": range(6), "from 1": range(1, 7), "of a part": [114, 62, 33, 107, 7, 100], "shifted": range(40, 46)}


PAIRS = {
    "name": NAMES,
    "starts": st.tuples(*[st.sampled_from([*STARTS])] * 2),
    "turned": st.tuples(*[st.one_of(st.just([*range(6)]), st.permutations(range(6)))] * 2),
    "fewer": st.sampled_from([0, 0, 0, 2]),
}
"""Of two files the numbers of the rows and their order, and how many the second lacks."""


def sides(starts, turned, fewer):
    left, right = (np.array(STARTS[start])[order] for start, order in zip(starts, turned, strict=True))
    return left, right[fewer:]


def is_key(left, right, how):
    """Whether numbers can be nothing but a key, by how they came to be."""
    counted = any([*side] in ([*range(len(side))], [*range(1, len(side) + 1)]) for side in (left, right))
    whole, part = {*left} == {*right}, {*left} >= {*right}
    return [*left] == [*right] or (not counted and (whole if how == "strict" else part))


@settings(max_examples=40)
@given(**PAIRS, how=st.sampled_from(["strict", "inner", "left"]), text=st.booleans())
def test_a_key_without_a_name_is_taken_where_it_can_be_nothing_else(name, starts, turned, fewer, how, text):
    left, right = sides(starts, turned, fewer)
    right_words = [*map(str, right)] if text else right
    sources = open_source({name: left, "pred": left + 0.5}), open_source({name: right_words, "y": right * 1.0})
    choice = chosen_key(*sources, (name,), how)
    assert choice == ((name, "because it has the same values on both sides") if is_key(left, right, how) else None)


@settings(max_examples=6)
@given(**PAIRS)
def test_else_it_is_asked_with_the_order_first(name, starts, turned, fewer):
    """A label is the number of its row, a prediction that and 0.5; in order, the error is that of the places."""
    left, right = sides(starts, turned, fewer)
    predictions, labels = {name: left, "pred": left + 0.5}, {name: right, "y": right.astype(float)}
    asked = {"labels": labels, "loss": "mae"}
    if is_key(left, right, "strict"):
        assert library.evaluate(predictions, **asked).value == 0.5
        return
    with pytest.raises(Undecided) as told:
        library.evaluate(predictions, **asked)
    values = {
        next(iter(dict(way).items())): library.evaluate(predictions, **asked, **dict(way)).value
        for way in told.value.ways
    }
    in_order = {("join", "order"): np.mean(np.abs(left + 0.5 - right))} if not fewer else {}
    assert values == in_order | ({("ids", name): 0.5} if {*left} == {*right} else {})
    assert [*values][:1] == [*in_order, *values][:1], "the order comes first"


@settings(max_examples=3)
@given(name=NAMES, turned=st.permutations(range(6)), start=st.sampled_from(["from 0", "of a part"]))
def test_files_of_models_are_matched_by_it_likewise(name, turned, start):
    numbers = np.array(STARTS[start])
    first = {name: numbers, "y": numbers * 1.0, "pred": numbers + 0.5}
    second = {name: numbers[turned], "pred": numbers[turned] - 1.0}
    if turned == sorted(turned) or start == "of a part":
        assert library.compare(first, "mae", others=[second]).results[0].difference == 0.5
    else:
        with pytest.raises(Undecided, match="may only count the rows"):
            library.compare(first, "mae", others=[second])


@pytest.mark.parametrize("join", ["strict", "inner", "left"])
def test_every_line_to_copy_works_and_says_by_what_rows_were_matched(lossctl, tmp_path, join):
    files = [
        write_lines(tmp_path / "p.csv", ",pred", "0,10", "1,20", "2,30"),
        "--labels",
        write_lines(tmp_path / "y.csv", ",y", "2,11", "0,22", "1,33"),
    ]
    done = lossctl("eval", *files, "-l", "mae", *([] if join == "strict" else ["--join", join]), "-q")
    assert (done.status, done.out) == (2, "")
    lines = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    outs = [lossctl(*line) for line in lines]
    assert [out.status for out in outs] == [0, 0], outs
    assert ["by row order: 3 rows" in outs[0].out, f"{join} by the column without a name: 3" in outs[1].out] == [
        True
    ] * 2
    assert [lossctl(*line, "-f", "value").out for line in lines] == ["2.0\n", f"{(12 + 13 + 19) / 3!r}\n"]


def test_what_is_read_only_once_is_asked_about(lossctl, tmp_path):
    labels = write_lines(tmp_path / "y.csv", ",y", "1,1", "0,2")
    with fed(tmp_path / "p.csv", b",pred\n0,1\n1,2\n") as predictions:
        done = lossctl("eval", predictions, "--labels", labels, "-l", "mae")
    assert done.status == 2
    assert "only then: --join order" in done.err
    assert "tells them apart: --id ''" in done.err


@pytest.mark.parametrize("own", [True, False], ids=["labels beside", "labels elsewhere"])
@pytest.mark.parametrize("name", ["id", "sample_id", ""])
def test_ids_that_tell_of_another_order_are_believed_of_files_of_models_too(own, name):
    """Errors of 0 and 0.5 by the ids; in order, the second would have others."""
    numbers = np.array(STARTS["of a part"])
    turned = numbers[[2, 0, 1, 5, 3, 4]]
    labels = {name: numbers, "y": numbers * 1.0}
    first, second = (
        {**(labels if own else {name: numbers}), "pred": numbers * 1.0},
        {name: turned, "pred": turned + 0.5},
    )
    asked = {"others": [second], **({} if own else {"labels": labels})}
    with pytest.raises(DataError, match=r"the rows are in another order: .* hold the same values, but '114' and '33'"):
        library.compare(first, "mae", **asked, join="order")
    assert library.compare(first, "mae", **asked, ids=name).results[0].difference == 0.5
    again = {name: numbers, "pred": numbers + 0.5}
    assert library.compare(first, "mae", **asked | {"others": [again]}, join="order").results[0].difference == 0.5
