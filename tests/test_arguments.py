"""What is given from Python is what was asked for, or an error that says what came, never what NumPy or Arrow raise."""

import decimal
import fractions
import inspect
import io
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.functions.activation import activations
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses

pytestmark = pytest.mark.lowest

NO_ARRAYS = {
    "text": (["a", "b", "c"], "dtype <U1"),
    "digits": (["1", "2", "3"], "dtype <U1"),
    "bytes": (np.array([b"a", b"b", b"c"]), r"dtype \|S1"),
    "a word": ("abc", "'abc'"),
    "nothing": (None, "not None"),
    "objects": (np.array([object()] * 3), "holds a object at index 0"),
    "a gap": ([1.0, None, 0.0], "missing at index 1"),
    "pandas' gap": (pd.Series([1, pd.NA, 0], dtype=object), "missing at index 1"),
    "text among numbers": (np.array([1.0, 0.0, "a"], dtype=object), r"holds 'a' \(a str\) at index 2"),
    "lists in a series": (pd.Series([[1.0], [0.0], [1.0]]), "holds a list at index 0"),
    "ragged": ([[1.0], [1.0, 2.0], [1.0]], "rows of different lengths"),
    "complex": (np.ones(3, dtype=complex), "dtype complex128"),
    "dates": (np.array(["2020", "2021", "2022"], "M8[s]"), r"dtype datetime64\[s\]"),
    "durations": (np.ones(3, "m8[s]"), r"dtype timedelta64\[s\]"),
    "records": (np.zeros(3, [("a", float)]), "dtype"),
    "a dict": ({"a": [1.0]}, "a dict"),
    "a set": ({1.0, 0.5}, "a set"),
    "a generator": ((number for number in (1.0, 0.0, 1.0)), "a generator"),
    "a frame of text": (pd.DataFrame({"a": ["x", "y", "z"]}), "holds 'x'"),
    "Arrow's text": (pa.array(["a", "b", "c"]), "dtype object"),
    "a number": (1.0, "single numbers such as 1.0"),
    "a number of no dimensions": (np.array(1.0), "not"),
    "three dimensions": (np.zeros((3, 2, 2)), r"shape \(3, 2, 2\) and dtype float64"),
    "no columns": (np.zeros((3, 0)), r"shape \(3, 0\)"),
    "masked": (np.ma.masked_array([1.0, 0.0, 1.0], [False, True, False]), "masked at index 1"),
    "masked in rows": (np.ma.masked_equal([[1, 2], [1, 0], [1, 2]], 0), r"\(1, 1\)"),
    "rounded": (np.array([2**53 + 1, 0, 1]), "holds 9007199254740993 at index 0"),
    "rounded too": (np.array([0, 1, 2**64 - 1], np.uint64), "holds 18446744073709551615 at index 2"),
    "rounded objects": (np.array([0, 2**70 + 1, 0], object), "holds 1180591620717411303425 at index 1"),
    "rounded in a list": ([2**63 + 1, -1, 0], "holds 9223372036854775809 at index 0"),
    "too large": ([10**400, 0, 1], "integer of 1,329 bits at index 0"),
    "a file that is shut": (io.StringIO(), "a StringIO"),
}  # fmt: skip
"""What came instead of an array of three numbers, and what the message says of it."""

SAME = {
    "a list": list,
    "integers": lambda values: np.array(values, int),
    "unsigned": lambda values: np.array(values, np.uint8),
    "booleans": lambda values: np.array(values, bool),
    "half": lambda values: np.array(values, np.float16),
    "other byte order": lambda values: np.array(values, ">f8"),
    "objects": lambda values: np.array([decimal.Decimal(1), fractions.Fraction(0), True][: len(values)], object),
    "a mask that hides nothing": np.ma.masked_array,
    "a series": pd.Series,
    "an index": pd.Index,
    "nullable": lambda values: pd.Series(values, dtype="Float64"),
    "of Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.float64())),
    "sparse": lambda values: pd.Series(pd.arrays.SparseArray(values)),
    "categories": lambda values: pd.Series(values, dtype="category"),
    "Arrow's": pa.array,
    "in chunks": lambda values: pa.chunked_array([values[:1], values[1:]]),
}
"""Ways to give the same three numbers."""


@pytest.mark.parametrize("way", SAME)
def test_numbers_are_numbers_however_they_are_kept(way):
    # By hand: the errors of 1, 0, 1 against 0.5, 0.25, 0.5 are 0.5, 0.25, 0.5.
    y = SAME[way]([1.0, 0.0, 1.0])
    assert lossctl.get_loss("mae").value(y, [0.5, 0.25, 0.5]).tolist() == [0.5, 0.25, 0.5]
    assert lossctl.get_activation("relu").value(y).tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("what", NO_ARRAYS)
@pytest.mark.parametrize("place", ["label", "prediction"])
@pytest.mark.parametrize("name", ["mse", "cross_entropy"])
def test_what_is_no_array_of_numbers_is_refused_with_what_came(name, place, what):
    loss = lossctl.get_loss(name)
    right = {"label": [1.0, 0.0, 1.0], "prediction": np.full((3, 2), 0.5) if loss.rows else np.zeros(3)}
    came, words = NO_ARRAYS[what]
    for function in (loss.value, loss.gradient):
        with pytest.raises(lossctl.LossctlError, match=f"{name}: the {place} .*{words}"):
            function(**{**right, place: came})


@pytest.mark.parametrize("what", NO_ARRAYS)
@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_activations_refuse_the_same(name, what):
    activation, (came, words) = lossctl.get_activation(name), NO_ARRAYS[what]
    for call in (
        lambda: activation.value(came),
        lambda: activation.pullback(came, np.ones(3)),
        lambda: activation.pullback(np.ones(3), came),
    ):
        with pytest.raises(lossctl.LossctlError, match=f"{name}: (z|the upstream gradient) .*{words}"):
            call()


SHAPES = [(), (0,), (1,), (2,), (3,), (1, 1), (3, 1), (1, 3), (3, 2), (2, 2), (0, 2), (2, 0), (3, 3), (3, 2, 1)]


@given(st.sampled_from(losses.names()), st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_no_array_is_spread_over_another(name, label, prediction):
    loss = example_of(name)
    y, p = np.ones(label), np.full(prediction, 0.5)
    try:
        value = loss.value(y, p)
    except lossctl.LossctlError as error:
        told, of_shapes = str(error), isinstance(error, lossctl.UsageError)
    else:
        assert value.shape == prediction[:1] == label[:1]
        assert label == prediction or (loss.rows and len(label) == 1)
        return
    if of_shapes and all(len(shape) in {1, 2} and 0 not in shape[1:] for shape in (label, prediction)):
        assert f"the label is of shape {label}, the prediction of {prediction}" in told


@given(st.sampled_from(activations.names()), st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_no_gradient_is_spread_over_another(name, z, upstream):
    activation = lossctl.get_activation(name)
    try:
        pulled = activation.pullback(np.ones(z), np.ones(upstream))
    except lossctl.LossctlError:
        return
    assert pulled.shape == z == upstream


class Odd:
    """What is nothing that anybody asks for, and cannot be shown either."""

    def __repr__(self):
        raise RuntimeError

    __str__ = __repr__


ODD = (Odd(), 1j, b"y", {"y": 1}, {1}, len, io.StringIO(), 10**5000, [Odd()], ["y", None], pd.NA, np.datetime64("2020"))
TABLE = {"y": [0.0, 1.0], "p": [0.25, 0.75]}
FUNCTIONS = (
    (lossctl.evaluate, {"source": TABLE, "loss": "mse"}),
    (lossctl.diagnose, {"source": TABLE}),
    (lossctl.explain, {"spec": "mse"}),
    (lossctl.get_loss, {"spec": "mse"}),
    (lossctl.get_activation, {"spec": "tanh"}),
    (lossctl.Running, {}),
    (lossctl.Reading, {}),
    (lossctl.get_loss("bce").under, {}),
    (lossctl.get_loss("bce").flooring, {}),
    (lossctl.get_loss("bce").through, {}),
)
FREE = {"progress": len, "command": b"y"}
"""What an argument takes of these."""


@pytest.mark.parametrize(
    ("function", "fitting", "name"),
    [(function, fitting, name) for function, fitting in FUNCTIONS for name in inspect.signature(function).parameters],
    ids=lambda part: part if isinstance(part, str) else getattr(part, "__name__", ""),
)
def test_every_argument_of_another_type_is_a_usage_error(function, fitting, name):
    for value in ODD:
        if FREE.get(name) is value:
            continue
        with pytest.raises(lossctl.UsageError) as wrong:
            function(**{**fitting, name: value})
        assert str(wrong.value).strip()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": 5}, "5 is no loss"),
        ({"loss": ["mse", None]}, "None is no loss"),
        ({"by": object()}, "by must be text, a whole number, a list of which each is text or a whole number or None"),
        ({"threads": "x"}, "threads must be a whole number or None, not 'x'"),
        ({"nulls": None}, "nulls must be error or drop, not None"),
        ({"classes": 7}, "classes must be text, a list"),
        ({"classes": {"a", "b"}}, "not a set"),
        ({"weight": 1.5}, "weight must be text or None, not 1.5"),
        ({"samples": 2.0}, "samples must be a whole number, not 2.0"),
        ({"samples": True}, "samples must be a whole number, not True"),
        ({"gradient": "yes"}, "gradient must be True or False"),
        ({"eps": "0.1"}, "eps must be a number or None"),
        ({"reading": "csv"}, "reading must be a Reading or None"),
        ({"progress": "bar"}, "progress must be a function or None"),
        ({"label": b"y"}, "label must be text"),
    ],
    ids=lambda given: given if isinstance(given, str) else next(iter(given)),
)  # fmt: skip
def test_the_message_names_the_argument_and_what_it_takes(options, words):
    with pytest.raises(lossctl.UsageError) as wrong:
        lossctl.evaluate(TABLE, **{"loss": "mse", "label": "y", "prediction": "p", **options})
    assert words in str(wrong.value)
    assert wrong.value.status == 2


def test_a_scalar_of_numpys_is_what_python_calls_it():
    asked = {"samples": np.int64(1), "gradient": np.bool_(1), "threads": np.int32(1), "label": np.str_("y")}
    result = lossctl.evaluate(TABLE, "bce", prediction="p", eps=np.float32(0.25), **asked).results[0]
    assert [sample.row for sample in result.samples] == [1]
    assert lossctl.get_loss("bce").flooring(np.float64(0.25)).parameters["eps"] == 0.25


@pytest.mark.parametrize(
    "source",
    [5, None, b"a.csv", io.StringIO("y,p\n1,2\n"), [b"a.csv"], [5], ["a.csv", None], "a\0b.csv", [pathlib.Path("a\0b")],
     {1, 2}, pa.array([1.0]), np.zeros((2, 2)), Odd(), [Odd()], (name for name in "ab")],
    ids=lambda source: type(source).__name__,
)  # fmt: skip
def test_a_source_that_is_none_is_a_usage_error(source):
    for call in (lambda: lossctl.evaluate(source, "mse"), lambda: lossctl.diagnose(source)):
        with pytest.raises(lossctl.UsageError, match=r"path|cannot read"):
            call()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (None, "not 0-D: None"),
        (1.5, "not 0-D: 1.5"),
        ({"a": 1}, "not 0-D: a dict"),
        (np.zeros((2, 2, 2)), r"not 3-D: ndarray of shape \(2, 2, 2\) and dtype float64"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        ([[1.0], [1.0, 2.0]], "rows of different lengths"),
        (np.ones(2) * 1j, "dtype complex128, which Arrow cannot hold"),
        ([object(), 1], "Arrow cannot hold"),
        ([10**400, 1], "Arrow cannot hold"),
        (np.ma.masked_array([["a", "b"]] * 2, [[True, False]] * 2), "holds neither numbers"),
        ([0.5], "1 row, but 'y' has 2"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)
def test_a_mapping_of_what_is_no_column_is_a_usage_error(column, words):
    with pytest.raises(lossctl.UsageError, match=f"column 'p'.*{words}"):
        lossctl.evaluate({"y": [0.0, 1.0], "p": column}, "mse", label="y", prediction="p")


def test_integers_that_doubles_are_stay_themselves():
    # By hand: neighbours of 2**62 among the doubles are 2**10 apart above it.
    y = np.array([2**62, 2**62 + 2**10, -(2**63)])
    assert lossctl.get_loss("mae").value(y, np.array([2**62, 2**62, -(2**63)])).tolist() == [0.0, 1024.0, 0.0]


@pytest.mark.parametrize("name", ["\udcff", 10**5000, Odd()], ids=lambda name: type(name).__name__)
def test_a_name_that_cannot_be_written_names_no_column(name):
    with pytest.raises(lossctl.UsageError, match="a column cannot be called"):
        lossctl.evaluate({**TABLE, name: [1.0, 2.0]}, "mse", label="y", prediction="p")


FRAMES = {
    "integers beyond 64 bits": (pd.Series([2**70, 0, 1], dtype=object), [2.0**70, 0.0, 1.0]),
    "such with gaps": (pd.Series([2**70, None, 1], dtype=object), [2.0**70, None, 1.0]),
    "numbers of several types": (pd.Series([1, 0.5, decimal.Decimal("0.25")], dtype=object), [1.0, 0.5, 0.25]),
    "fractions": (pd.Series([fractions.Fraction(1, 4), 0, 1], dtype=object), [0.25, 0.0, 1.0]),
    "sparse": (pd.Series(pd.arrays.SparseArray([1.0, 0.0, 0.0])), [1.0, 0.0, 0.0]),
    "sparse integers": (pd.Series(pd.arrays.SparseArray([1, 0, 0])), [1.0, 0.0, 0.0]),
    "nullable": (pd.Series([1, None, 0], dtype="Int64"), [1.0, None, 0.0]),
    "nullable booleans": (pd.Series([True, None, False], dtype="boolean"), [1.0, None, 0.0]),
    "of Arrow": (pd.Series([1.5, None, 0.0], dtype=pd.ArrowDtype(pa.float64())), [1.5, None, 0.0]),
    "decimals of Arrow": (
        pd.Series([decimal.Decimal(1), None, decimal.Decimal(0)], dtype=pd.ArrowDtype(pa.decimal128(5, 1))),
        [1.0, None, 0.0],
    ),
    "categories": (pd.Series([1, 0, 1], dtype="category"), [1.0, 0.0, 1.0]),
    "text": (pd.Series(["1", None, "0.5"], dtype="string"), [1.0, None, 0.5]),
    "lists of one": (pd.Series([[1.0], [0.0], [0.5]]), [1.0, 0.0, 0.5]),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("make", [pd.DataFrame, dict], ids=["frame", "mapping"])
def test_columns_of_pandas_are_their_numbers(make, kind):
    column, numbers = FRAMES[kind]
    kept = [(number, weight) for number, weight in zip(numbers, (1.0, 2.0, 4.0), strict=True) if number is not None]
    table = make({"x": column, "p": [0.0] * 3, "w": [1.0, 2.0, 4.0]})
    report = lossctl.evaluate(table, "mae", label="x", prediction="p", weight="w", nulls="drop")
    assert report.value == sum(number * weight for number, weight in kept) / sum(weight for _, weight in kept)


ASIDE = {
    "dates": pd.date_range("2020", periods=2),
    "dates of a zone": pd.date_range("2020", periods=2, tz="UTC"),
    "durations": pd.to_timedelta([1, 2]),
    "periods": pd.period_range("2020", periods=2),
    "intervals": pd.interval_range(0, 2),
    "categories": pd.Categorical(["a", "b"]),
    "complex": np.ones(2) * 1j,
    "anything": pd.Series([1, "a"], dtype=object),
    "objects": [object(), object()],
    "matrices": pd.Series([np.zeros((2, 2))] * 2),
    "empty dictionaries": [{}, {}],
}


@pytest.mark.parametrize("kind", ASIDE)
def test_a_column_of_a_frame_that_plays_no_role_may_hold_anything(kind):
    frame = pd.DataFrame({"y": [0, 1], "p": [0.25, 0.75]}).assign(x=ASIDE[kind])
    assert lossctl.evaluate(frame, "mae", label="y", prediction="p").value == 0.25
    assert lossctl.diagnose(frame, label="y", prediction="p").rows == 2
    classes = kind == "categories"  # two words are the names of two classes
    for role in ("prediction", "weight") if classes else ("label", "prediction", "weight"):
        with pytest.raises(lossctl.LossctlError, match="'x'"):
            lossctl.evaluate(frame, "mae", **{"label": "y", "prediction": "p", role: "x"})


@pytest.mark.parametrize("kind", ["complex", "anything", "objects"])
def test_cells_that_cannot_be_held_are_no_groups(kind):
    frame = pd.DataFrame({"y": [0, 1], "p": [0.25, 0.75]}).assign(x=ASIDE[kind])
    with pytest.raises(lossctl.DataError, match=r"'x'.*cannot be grouped by"):
        lossctl.evaluate(frame, "mae", label="y", prediction="p", by="x")


def test_columns_of_one_name_are_carried_along_and_refused_where_used():
    # https://github.com/apache/datafusion/issues/24381
    expected = 0.16425203348601803  # −(log 0.9 + log 0.8) / 2 with 50 digits
    frame = pd.DataFrame([[1, 0.9, "u", "a"], [0, 0.2, "v", "b"]], columns=["y", "p", "x", "x"])
    assert lossctl.evaluate(frame, "bce", label="y", prediction="p").value == pytest.approx(expected, rel=1e-15)
    twice = frame.set_axis(["y", "p", "p", "x"], axis=1)
    for names in ({"label": "y", "prediction": "p"}, {"label": "y", "prediction": "x", "by": "p"}):
        with pytest.raises(lossctl.UsageError, match="two columns called 'p'"):
            lossctl.evaluate(twice, "bce", **names)
    with pytest.raises(lossctl.UsageError, match="two columns called '1'"):
        lossctl.evaluate({"y": [1.0], 1: [1.0], "1": [2.0]}, "mse", label="y", prediction="1")


def test_columns_are_named_as_pandas_names_them():
    levels = pd.MultiIndex.from_tuples([("out", "y"), ("out", "p")])
    frame = pd.DataFrame([[1.0, 0.5], [0.0, 0.5]], columns=levels)
    assert lossctl.evaluate(frame, "mae", label="('out', 'y')", prediction="('out', 'p')").value == 0.5
    assert lossctl.evaluate(pd.DataFrame([[1.0, 0.5], [0.0, 0.5]]), "mae", label=0, prediction=1).value == 0.5


def test_a_definition_of_another_type_is_refused_where_it_is_made():
    real = lossctl.get_loss("mse").label_domain
    for wrong in ({"label": 5}, {"prediction": "x"}, {"aliases": "quantile"}, {"references": 5}, {"reduction": "no"}):
        with pytest.raises(lossctl.UsageError):
            lossctl.loss(**{"label": real, "prediction": real, **wrong})(lambda y, p: y)
    with pytest.raises(lossctl.UsageError):
        lossctl.activation()(5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pred": "p"}, "Did you mean prediction?"),
        ({"grad": True}, "Did you mean gradient?"),
        ({"id": "k"}, "Did you mean ids?"),
        ({"sample_weight": "w"}, "Did you mean weight?"),
        ({"delimiter": ";"}, r"reading=Reading\(delimiter=…\)"),
        ({"null_values": "x"}, r"reading=Reading\(nulls=…\)"),
        ({"predicton": "p"}, "Did you mean prediction?"),
        ({"xyzzy": 1}, "Known: source, loss"),
    ],
)
def test_an_argument_of_an_unknown_name_is_led_to_the_one_that_is_meant(given, words):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{next(iter(given))}'. .*{words}"):
        lossctl.evaluate({"y": [1.0], "p": [2.0]}, "mse", **given)


def test_models_in_a_mapping_are_led_to_how_they_are_named():
    table = {"y": [1.0], "a": [2.0], "b": [4.0]}
    with pytest.raises(lossctl.UsageError) as told:
        lossctl.evaluate(table, "mse", label="y", prediction={"first": "a", "second": "b"})
    assert told.value.hint == "Models are named in a list: prediction=['a=forecast', 'b=other']."
    report = lossctl.evaluate(table, "mse", label="y", prediction=["first=a", "second=b"])
    assert [result.model for result in report.results] == ["first", "second"]


def test_a_table_of_another_library_is_led_to_what_arrow_makes_of_it():
    class DataFrame:
        def to_arrow(self):
            return pa.table({"y": [1.0], "p": [3.0]})

    with pytest.raises(lossctl.UsageError, match=r"to_arrow\(\)"):
        lossctl.evaluate(DataFrame(), "mse")
    assert lossctl.evaluate(DataFrame().to_arrow(), "mse", label="y", prediction="p").value == 4.0


def test_one_of_several_results_is_led_to_them_and_to_that_of_all_rows():
    report = lossctl.evaluate({"y": [1.0, 2.0], "p": [2.0, 4.0], "g": ["a", "b"]}, "mse", by="g")
    with pytest.raises(lossctl.UsageError, match=r"report\.of\('mse'\) lists them.*report\.overall"):
        report["mse"]
    assert [result.value for result in report.of("mse")] == [1.0, 4.0]
    assert report.overall[0].value == 2.5
