"""A label that says that there is none is left out and counted, and is neither a null nor a missing prediction.

Values of 07 and 33 were made with mpmath: −log softmax over the rows that are kept, −log of .9, .8, .6 and .9
(pytorch/pytorch#75181, chemprop/chemprop#1303). All others are exact fractions, or the run without those rows.
"""

import json
import math
import pickle
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from figures import bits
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joined import FORMATS, store

import lossctl
from lossctl.evaluation.planner import make_plan
from lossctl.functions.lookup import example_of, get_loss
from lossctl.functions.loss import losses
from lossctl.inference.request import Request
from lossctl.reading.files import open_source
from lossctl.reading.format import Reading
from lossctl.reading.missing import equal

TOKENS = pa.table({"y": [0, -100, 2], "a": [2.0, 0.0, 0.2], "b": [1.0, 5.0, 0.3], "c": [0.1, 1.0, 3.0]})
NOT_ANNOTATED = pa.table({"y": [1, -1, 0], "z": [2.5, 0.3, -1.0]})
TASKS = pa.table({"a": [1, 0, None], "b": [None, 1, 0], "pa": [0.9, 0.2, 0.5], "pb": [0.5, 0.6, 0.1]})
ALONE = [("serial", 1), ("threads", 2), ("processes", 2)]


@pytest.mark.parametrize("suffix", FORMATS)
def test_padding_is_left_out_and_counted_whatever_the_format(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", TOKENS)
    asked = ["eval", path, "-y", "y", "-p", "a,b,c", "-l", "cross_entropy", "--from-logits"]
    done = lossctl(*asked, "--ignore-label=-100", "--json")
    assert done.values == pytest.approx([0.26874498860301912], rel=4e-15)
    (result,) = done.json["results"]
    assert (result["n"], result["n_ignored"], result["n_null"]) == (2, 1, 0)
    assert done.json["inputs"]["ignored"] == {"-100": 1}
    assert "rows: 3 read, 2 used, 0 dropped, ignored 1 (label -100)\n" in lossctl(*asked, "--ignore-label=-100").out
    for words in ("-100", "y=-100"):
        done = lossctl(*asked, f"--null-values={words}", "--nulls", "drop", "--json")
        assert done.values == pytest.approx([0.26874498860301912], rel=4e-15)
        assert done.json["inputs"]["nulls"] == {"y": 1}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_prediction_that_looks_like_no_label_is_a_prediction(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", NOT_ANNOTATED)
    asked = ["eval", path, "-y", "y", "-p", "z", "-l", "bce", "--from-logits", "--json"]
    for words in (["--ignore-label=-1"], ["--null-values=y=-1", "--nulls", "drop"]):
        done = lossctl(*asked, *words)
        assert done.values == pytest.approx([0.19607571090538623], rel=4e-15)
        assert done.json["results"][0]["n"] == 2


TYPES = {
    "int64": lambda cells: pa.array(cells, pa.int64()),
    "int8": lambda cells: pa.array(cells, pa.int8()),
    "float32": lambda cells: pa.array(cells, pa.float32()),
    "decimal": lambda cells: pa.array([None if cell is None else Decimal(cell) for cell in cells], pa.decimal128(9, 2)),
    "text": lambda cells: pa.array([None if cell is None else f" {cell}.0" for cell in cells], pa.string()),
    "dictionary": lambda cells: pa.array(cells, pa.int64()).dictionary_encode(),
    "runs": lambda cells: pa.RunEndEncodedArray.from_arrays([*range(1, len(cells) + 1)], pa.array(cells, pa.int64())),
}
LABELS = st.lists(st.sampled_from([0, 1, 3, -1, -100, None]), min_size=1, max_size=9)


@settings(max_examples=20)
@given(LABELS, st.sampled_from([*TYPES]), st.sampled_from(["error", "drop"]), st.booleans(), st.data())
@example([1, -100, -1], "float32", "error", True, None)
def test_what_is_ignored_might_as_well_not_be_there(labels, kind, nulls, weighted, data):
    n, absurd = len(labels), [math.nan, math.inf, None, 1e308]
    gone = [label in {-100, -1} for label in labels]
    odd = [absurd[place % 4] if out else 0.25 * place for place, out in enumerate(gone)]
    weights = [absurd[(place + 1) % 4] if out else 1.0 + place % 3 for place, out in enumerate(gone)]
    groups = data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n)) if data else ["a"] * n
    rows = [*zip(labels, odd, weights, groups, strict=True)]
    table, kept = (
        pa.table({"y": TYPES[kind](y), "p": pa.array(p, pa.float64()), "w": pa.array(w, pa.float64()), "g": g})
        for y, p, w, g in (
            [[row[place] for row in part] for place in range(4)]
            for part in (rows, [row for row, out in zip(rows, gone, strict=True) if not out])
        )
    )
    asked = {"loss": ["mse", "mae"], "label": "y", "prediction": "p", "by": "g", "nulls": nulls, "gradient": True}
    asked |= {"weight": "w"} if weighted else {}

    def tried(source, **more):
        try:
            return lossctl.evaluate(source, **asked, **more)
        except lossctl.DataError as error:
            return error

    report, without = tried(table, ignore_label=[-100, "-1.0", 77]), tried(kept) if not all(gone) else None
    if not isinstance(without, lossctl.Report):
        assert isinstance(report, lossctl.DataError)
        return
    assert report.inputs["ignored"] == {"-100": labels.count(-100), "-1.0": labels.count(-1), "77": 0}
    ours, theirs = ({(r.loss, *r.group.values()): r for r in found.results} for found in (report, without))
    for key, result in theirs.items():
        got = ours[key]
        assert repr((got.value, got.standard_error, got.n, got.n_null, got.gradient)) == repr(
            (result.value, result.standard_error, result.n, result.n_null, result.gradient)
        )
    for (_, group), result in ours.items():
        assert result.n_ignored == sum(out for out, own in zip(gone, groups, strict=True) if own == group)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        (["no", "?", "yes"], {"classes": "no,yes"}),
        (["0", "?", "1"], {}),
        ([False, None, True], {"nulls": "drop"}),
        (["false", "?", "true"], {}),
    ],
)
def test_a_word_among_labels_is_ignored_whether_these_are_names_numbers_or_truths(suffix, labels, asked, tmp_path):
    path = store(tmp_path / f"rows{suffix}", {"y": labels, "p": [0.25, 7.0, 0.5]})
    report = lossctl.evaluate(path, "bce", label="y", prediction="p", ignore_label="?", **asked)
    assert report.value == pytest.approx((math.log(2) - math.log(0.75)) / 2, rel=4e-15)
    assert report.inputs["ignored"] == {"?": int("?" in labels)}


def test_an_integer_is_told_from_its_neighbours_beyond_2_53():
    table = pa.table({"y": pa.array([2**53 + 1, 2**53, -(2**63)]), "p": [1.0, 2.0**53, 1.0]})
    report = lossctl.evaluate(table, "mae", label="y", prediction="p", ignore_label=[2**53 + 1, -(2**63)])
    assert (report.value, report.inputs["ignored"]) == (0.0, {str(2**53 + 1): 1, str(-(2**63)): 1})


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("out", "asked"),
    [
        (2**53, {"ignore_label": 2**53}),
        (2**53 + 1, {"ignore_label": f"{2**53 + 1}.0"}),
        (2**53, {"reading": Reading(column_nulls={"y": (str(2**53),)}), "nulls": "drop"}),
        (2**53, {"reading": Reading(nulls=(str(2**53),)), "nulls": "drop"}),
    ],
)
def test_an_integer_is_told_from_its_neighbours_in_every_format(suffix, out, asked, tmp_path):
    path = store(tmp_path / f"rows{suffix}", {"y": [2**53, 2**53 + 1], "p": [2**53 - 1, 2**53 - 1]})
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", **asked)
    assert (report.results[0].n, report.value) == (1, 2.0 if out == 2**53 else 1.0)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_a_label_in_a_list_of_one_is_ignored_as_one_that_stands_alone(suffix, tmp_path):
    labels = ["[-100]", "[1]", "[3]"] if suffix == ".csv" else [[-100], [1], [3]]
    path = store(tmp_path / f"rows{suffix}", {"y": labels, "p": [0.0, 2.0, 3.5]})
    report = lossctl.evaluate(path, "mae", label="y", prediction="p", ignore_label=-100)
    assert (report.value, report.results[0].n, report.inputs["ignored"]) == (0.75, 2, {"-100": 1})


@pytest.mark.parametrize("path", ["y", "out.y", "out.in.y"])
@pytest.mark.parametrize("first", [[None, 3], [None, None], [None, 3.5]])
def test_a_list_that_begins_with_a_null_may_come_first(first, path, tmp_path):
    rows = [{"y": labels, "p": [1, 1]} for labels in (first, [7, None], [2, 4])]
    for key in reversed(path.split(".")[:-1]):
        rows = [{key: row} for row in rows]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = lossctl.evaluate(
        file, "mae", label=path, prediction=f"{path[:-1]}p", mask_null=True, nulls="drop", samples=3
    )
    errors = [abs(label - 1) for label in (*first, 7, 2, 4) if label is not None]
    assert report.value == sum(errors) / len(errors)
    assert report.results[0].n == (2 if first == [None, None] else 3)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_prediction_that_is_taken_for_null_as_a_label_is_warned_of(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", NOT_ANNOTATED)
    asked = [path, "-y", "y", "-p", "z", "-l", "bce", "--from-logits", "--nulls", "drop"]
    warning = "z: 1 prediction null, which -1 means in every column; where only a label of that is missing, give it as"
    for command in ("eval", "samples"):
        assert warning in lossctl(command, *asked, "--null-values=-1").err
        for words in ("--null-values=y=-1", "--ignore-label=-1", "--null-values=-100"):
            assert "every column" not in lossctl(command, *asked, words).err


def test_labels_left_out_of_their_rows_are_no_rows(lossctl, tmp_path):
    path = store(tmp_path / "rows.csv", {"a": [1, -1], "b": [-1, 0], "pa": [0.5, 0.5], "pb": [0.5, 0.5]})
    found = lossctl("samples", path, "-y", "a,b", "-p", "pa,pb", "-l", "bce", "--ignore-label=-1")
    assert "note: 2 labels ignored: label -1\n" in found.err


@pytest.mark.parametrize("kind", [pa.decimal128(20, 0), pa.decimal256(40, 2), pa.string(), pa.uint64()])
def test_equal_is_to_the_last_digit_whatever_the_type(kind):
    cells = pa.array([f"{2**53 + step}" for step in range(3)] + [None]).cast(kind)
    assert equal(cells, f"{2**53 + 1}.00").tolist() == [False, True, False, False]
    assert equal(cells, " −7").tolist() == [False] * 4


def test_who_meets_a_label_that_may_say_that_there_is_none_is_told_how_to_leave_it_out(lossctl, tmp_path):
    for table, asked in ((TOKENS, ["-p", "a,b,c", "-l", "cross_entropy"]), (NOT_ANNOTATED, ["-p", "z", "-l", "bce"])):
        done = lossctl("eval", store(tmp_path / "rows.csv", table), "-y", "y", "--from-logits", *asked)
        flag = re.search(r"If it says that there is no label, leave it out: (--ignore-label -\d+)\.", done.err)[1]
        assert lossctl("eval", tmp_path / "rows.csv", "-y", "y", "--from-logits", *asked, *flag.split()).status == 0


@pytest.mark.parametrize("word", ["nan", "", " NaN"])
def test_no_label_at_all_is_no_label_to_ignore(word):
    with pytest.raises(lossctl.UsageError, match="is a missing number, not a label"):
        lossctl.evaluate(NOT_ANNOTATED, "mse", label="y", prediction="z", ignore_label=word)


def test_where_every_label_is_ignored_nothing_is_measured():
    with pytest.raises(lossctl.DataError, match=r"none of the 3 rows can be measured: .* 3 an ignored label"):
        lossctl.evaluate(NOT_ANNOTATED, "mse", label="y", prediction="z", ignore_label=[1, 0, -1])


def test_samples_doctor_and_gradcheck_leave_out_what_is_ignored(lossctl, tmp_path):
    path = store(tmp_path / "rows.csv", NOT_ANNOTATED)
    asked = [path, "-y", "y", "-p", "z", "--ignore-label=-1,5"]
    for top in ([], ["--top", "3"]):
        done = lossctl("samples", *asked, "-l", "mse", *top)
        assert sorted(line.split(",")[0] for line in done.out.split()[1:]) == ["1", "3"]
        assert "1 of 3 rows ignored: label -1\nnote: 0 of 3 rows ignored: label 5\n" in done.err
    done = lossctl("gradcheck", "mse", *asked)
    assert (done.status, "1 of 3 rows ignored: label -1" in done.err) == (0, True)
    done = lossctl("doctor", *asked, "--json")
    assert (done.json["rows_used"], done.json["rows_ignored"]) == (2, 1)
    (command,) = done.json["commands"]
    assert "--ignore-label=-1,5" in command
    assert float(lossctl(*command.split()[1:], "-f", "value").out) == pytest.approx(0.19607571090538623, rel=4e-15)


def test_labels_of_another_file_are_ignored_there(tmp_path):
    left = store(tmp_path / "p.csv", {"id": [1, 2, 3], "p": [1.0, 9.0, 4.0]})
    for suffix in FORMATS:
        right = store(tmp_path / f"y{suffix}", {"id": [3, 2, 1], "y": ["1", "none yet", "0"]})
        report = lossctl.evaluate(left, "mae", labels=right, ids="id", prediction="p", ignore_label="none yet")
        assert (report.value, report.results[0].n_ignored) == (2.0, 1)


# --- single labels of several ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_mean_is_over_the_labels_that_are_there(suffix, tmp_path, lossctl):
    path = store(tmp_path / f"rows{suffix}", TASKS)
    done = lossctl("eval", path, "-y", "a,b", "-p", "pa,pb", "-l", "bce", "--mask-null", "--json")
    assert done.values == pytest.approx([0.23617255159896326], rel=4e-15)
    assert (done.json["results"][0]["n"], done.json["results"][0]["n_cells"]) == (3, 4)
    assert done.json["inputs"]["masked"] == {"a": 1, "b": 1}


CELL = st.none() | st.just(-9) | st.integers(-3, 3)
ROW = st.tuples(st.lists(CELL, min_size=3, max_size=3), st.lists(st.integers(-4, 4), min_size=3, max_size=3),
                st.sampled_from([0.1, 1.0, 3.0, 1e-300]), st.sampled_from("ab"))  # fmt: skip


def exactly(values, weights):
    """The mean of fractions, rounded once."""
    return float(sum(map(Fraction.__mul__, values, weights), Fraction()) / sum(weights))


@settings(max_examples=25)
@given(st.lists(ROW, min_size=1, max_size=8), st.booleans(), st.booleans(), st.booleans())
@example([([1, None, None], [2, 0, 0], 0.1, "a"), ([0, 0, 1], [0, 0, 0], 0.1, "a")], True, False, False)
def test_a_masked_mean_is_the_exact_mean_over_cells_rounded_once(rows, weighted, grouped, lists):
    labels, predictions, weights, groups = (list(column) for column in zip(*rows, strict=True))
    columns = {"y": pa.array(labels, pa.list_(pa.int64())), "p": pa.array(predictions, pa.list_(pa.int64()))}
    names = {"label": "y", "prediction": "p"}
    if not lists:
        columns = {f"{role}{k}": pa.array([row[k] for row in cells], pa.int64()) for k in range(3)
                   for role, cells in (("y", labels), ("p", predictions))}  # fmt: skip
        names = {"label": ["y0", "y1", "y2"], "prediction": "p0,p1,p2"}
    table = pa.table({**columns, "w": weights, "g": groups})
    asked = {**names, "mask_null": True, "ignore_label": -9, "nulls": "drop", "gradient": True, "skill": True}
    asked |= {"weight": "w"} if weighted else {}
    asked |= {"by": "g"} if grouped else {}
    used = [[k for k in range(3) if row[k] not in {None, -9}] for row in labels]
    if not any(used):
        with pytest.raises(lossctl.DataError, match="can be measured"):
            lossctl.evaluate(table, "mse", **asked)
        return
    report = lossctl.evaluate(table, ["mse", "mae", "rmse", "l2"], **asked)
    for result in report.results:
        inside = [i for i, group in enumerate(groups) if not grouped or group == result.group["g"]]
        kept = [i for i in inside if used[i]]
        assert result.n_ignored == sum(row == [-9] * 3 for row in (labels[i] for i in inside))
        assert (result.n, result.n + result.n_null + result.n_ignored) == (len(kept), len(inside))
        if not kept:
            continue
        weight = {i: Fraction(weights[i]) if weighted else Fraction(1) for i in kept}
        power = 1 if result.loss == "mae" else 2
        error = {(i, k): Fraction(predictions[i][k] - labels[i][k]) for i in kept for k in used[i]}
        cells = {place: abs(gap) ** power for place, gap in error.items()}
        each = [weight[i] for i, _ in cells]
        total = sum(map(Fraction.__mul__, cells.values(), each), Fraction())
        mean = total / sum(each)
        expected = {"rmse": math.sqrt(mean), "l2": float(total)}.get(result.loss, float(mean))
        near = pytest.approx(expected, rel=4e-16, abs=0)
        assert result.value == (near if result.loss == "rmse" else expected)
        assert result.n_cells == len(cells)
        scale = Fraction(1) if result.loss == "l2" else 1 / sum(each)
        if result.loss in {"mse", "mae", "l2"}:
            slope = [
                abs(gap * 2 if power == 2 else (gap > 0) - (gap < 0)) * w
                for gap, w in zip(error.values(), each, strict=True)
            ]
            assert result.gradient.grad_l1 == pytest.approx(float(sum(slope, Fraction()) * scale), rel=1e-14, abs=0)
        if result.loss in {"mse", "mae"} and len(kept) > 1:  # a row is drawn as a whole: its cells vary together
            spread = [weight[i] * sum(cells[i, k] - mean for k in used[i]) for i in kept]
            variance = Fraction(len(kept), len(kept) - 1) * sum(gap**2 for gap in spread) / sum(each) ** 2
            assert result.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12, abs=0)
        if result.loss == "mse" and result.best_constant.constant_loss > 0:
            known = [[i for i in kept if k in used[i]] for k in range(3)]
            means = [
                exactly([Fraction(labels[i][k]) for i in rows], [weight[i] for i in rows]) if rows else math.nan
                for k, rows in enumerate(known)
            ]
            assert result.best_constant.constant == pytest.approx(means, rel=1e-12, nan_ok=True)


def gaps(n=160):
    rng = np.random.default_rng(5)
    columns = {f"p{k}": rng.uniform(0.01, 0.99, n) for k in range(4)}
    for k in range(4):
        cells = rng.integers(0, 2, n)
        columns[f"y{k}"] = pa.array(cells, mask=rng.random(n) < 0.4)
    return pa.table({**columns, "w": rng.lognormal(size=n), "g": rng.choice(list("abc"), n)})


GAPS = {"loss": ["bce", "mse", "l2", "rmse"], "label": [f"y{k}" for k in range(4)], "prediction": "p0,p1,p2,p3",
        "weight": "w", "by": "g", "mask_null": True, "nulls": "drop", "gradient": True, "samples": 2}  # fmt: skip


@pytest.mark.parametrize(("engine", "threads"), ALONE)
def test_masked_means_are_the_same_bits_on_every_engine(engine, threads, tmp_path):
    path = store(tmp_path / "rows.parquet", gaps())
    assert bits(lossctl.evaluate(path, engine=engine, threads=threads, **GAPS)) == bits(
        lossctl.evaluate(path, engine="serial", **GAPS)
    )


def test_a_plan_that_masks_travels():
    request = Request(["bce"], ("a", "b"), ("pa,pb",), mask_null=True, ignore_label=("-1",))
    plan = make_plan(open_source(TASKS), request)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_without_gaps_nothing_changes_but_what_is_counted():
    table = pa.table({"a": [1, 0], "b": [0, 1], "pa": [0.5, 0.25], "pb": [0.25, 0.5]})
    asked = {"label": ["a", "b"], "prediction": "pa,pb", "gradient": True}
    bounds = {name: get_loss(str(example_of(name)), columns=2) for name in losses.names()}
    names = (name for name, bound in bounds.items() if not bound.rows and not bound.unlabelled)
    for loss in (str(example_of(name)) for name in names):
        try:
            plain = lossctl.evaluate(table, loss, **asked).results[0]
        except lossctl.LossctlError:
            continue  # such as mape, whose labels are not 0
        masked = lossctl.evaluate(table, loss, mask_null=True, **asked).results[0]
        assert masked.value == pytest.approx(plain.value, rel=1e-15)
        assert masked.standard_error == pytest.approx(plain.standard_error, rel=1e-12, abs=1e-300)
        assert masked.gradient.grad_l2 == pytest.approx(plain.gradient.grad_l2, rel=1e-14)
        assert masked.gradient.row_mean == pytest.approx(plain.gradient.row_mean, rel=1e-14)
        assert (masked.n, masked.n_cells) == (2, 4)


@pytest.mark.parametrize("more", [{"mask_null": True}, {"ignore_label": -1}])
def test_every_loss_of_whole_rows_refuses_to_leave_a_label_out(more):
    table = {"a": [0.5], "b": [0.5], "pa": [0.25], "pb": [0.75]}
    for name in (found.name for found in losses if example_of(found.name).rows):
        with pytest.raises(lossctl.UsageError, match=rf"{next(iter(more))}.*{name}"):
            lossctl.evaluate(table, name, label=["a", "b"], prediction="pa,pb", **more)
    with pytest.raises(lossctl.UsageError, match="softmax makes every column depend on the others"):
        lossctl.evaluate(table, "bce", label=["a", "b"], prediction="pa,pb", activation="softmax", **more)


def test_to_mask_single_labels_is_for_several_of_them():
    with pytest.raises(lossctl.UsageError, match="is for labels of several numbers"):
        lossctl.evaluate(NOT_ANNOTATED, "mse", label="y", prediction="z", mask_null=True)


def test_a_missing_prediction_stays_missing_and_a_row_without_a_label_is_null():
    table = TASKS.set_column(2, "pa", pa.array([0.9, None, 0.5]))
    asked = {"label": ["a", "b"], "prediction": "pa,pb", "mask_null": True}
    with pytest.raises(lossctl.DataError, match="row 2: column 'pa' is null"):
        lossctl.evaluate(table, "bce", **asked)
    blank = TASKS.set_column(0, "a", pa.array([None, 0, 1], pa.int64()))
    with pytest.raises(lossctl.DataError, match="row 1: column 'a, b' is null"):
        lossctl.evaluate(blank, "bce", **asked)
    report = lossctl.evaluate(blank, "bce", nulls="drop", **asked)
    assert (report.results[0].n, report.results[0].n_cells, report.results[0].n_null) == (2, 4, 1)


def test_an_illegal_value_is_named_where_it_counts_and_nowhere_else():
    table = pa.table({"a": [None, 1], "b": [1, 0], "pa": [7.0, 0.5], "pb": [0.5, 0.5]})
    asked = {"label": ["a", "b"], "prediction": "pa,pb", "mask_null": True}
    assert lossctl.evaluate(table, "bce", **asked).value == pytest.approx(math.log(2), rel=1e-15)
    wrong = table.set_column(3, "pb", pa.array([1.5, 0.5]))
    with pytest.raises(lossctl.DataError, match=r"row 1: column 'pb' is 1\.5; bce needs"):
        lossctl.evaluate(wrong, "bce", **asked)


def test_masked_values_that_are_no_doubles_count_as_what_they_are():
    table = pa.table(
        {"a": [0.0, None, 0.0], "b": [None, 0.0, 0.0], "pa": [2e-200, 1.0, 2e-200], "pb": [1.0, 2e-200, 2e-200]}
    )
    for weight in (None, "w"):
        more = {} if weight is None else {"weight": "w"}
        source = table.append_column("w", pa.array([1e300, 1e300, 1e300]))
        report = lossctl.evaluate(source, "rmse", label=["a", "b"], prediction="pa,pb", mask_null=True, **more)
        assert report.value == pytest.approx(2e-200, rel=1e-15)


def test_plot_and_gradcheck_see_the_labels_that_are_there(lossctl, tmp_path):
    path = store(tmp_path / "rows.csv", TASKS)
    asked = [path, "-y", "a,b", "-p", "pa,pb", "--mask-null"]
    assert "6 numbers agree with finite differences" in lossctl("gradcheck", "bce", *asked).out
    done = lossctl("plot", *asked, "-l", "bce", "--json")
    assert (done.status, "beyond the axes" in done.out) == (0, False)


def test_doctor_names_what_leaves_out_a_single_label(lossctl, tmp_path):
    path = store(tmp_path / "rows.csv", TASKS)
    found = lossctl("doctor", path, "-y", "a,b", "-p", "pa,pb", "--json").json["findings"]
    assert any("--mask-null" in finding["advice"] for finding in found)


def test_doctor_sees_the_labels_that_are_there_of_each_row(lossctl, tmp_path):
    label, prediction = (
        np.array([[1, -1], [0, 1], [-1, 0], [1, 1], [-1, -1], [0, -1]]),
        [0.75, 0.25, 0.5, 0.75, 9.0, 0.5],
    )
    table = {"a": label[:, 0], "b": label[:, 1], "pa": prediction, "pb": [0.5, 0.75, 0.25, 0.5, 9.0, 0.25]}
    path = store(tmp_path / "rows.csv", table)
    found = lossctl("doctor", path, "-y", "a,b", "-p", "pa,pb", "--ignore-label=-1", "--json").json
    assert (found["rows_used"], found["rows_ignored"], found["models"][0]["task"]) == (
        5,
        1,
        "multi-label classification",
    )
    (command,) = found["commands"]
    assert lossctl(*command.split()[1:], "--json").json["results"][0]["n_cells"] == 7


def test_who_meets_a_row_without_one_of_its_labels_is_told_both_ways():
    table = {"y": [[1.0, None], [0.0, 1.0]], "p": [[0.5, 0.25], [0.5, 0.25]]}
    for loss, ways in (("mse", ("mask_null=True", "nulls='drop'")), ("cosine_proximity", ("nulls='drop'",))):
        with pytest.raises(lossctl.DataError) as told:
            lossctl.evaluate(table, loss, label="y", prediction="p")
        assert tuple(re.findall(r"\w+=(?:True|'drop')", told.value.hint)) == ways
