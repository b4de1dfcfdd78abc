"""The same cells, however Arrow stores them: a null is a null, wherever the storage keeps it."""

import itertools
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.reading.storage import plain, takeable


def runs(array):
    return pa.RunEndEncodedArray.from_arrays(pa.array(range(1, len(array) + 1), pa.int32()), array)


def dictionary(array):
    """Nulls stand among the words."""
    return pa.DictionaryArray.from_arrays(pa.array(range(len(array)), pa.int32()), array)


def both(array):
    """Every second null stands among the words, the others among the places."""
    places = [None if index % 2 and null else index for index, null in enumerate(array.is_null().to_pylist())]
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), array)


def extension(array):
    text = pa.types.is_string(array.type)
    kind = pa.json_(array.type) if text else pa.fixed_shape_tensor(array.type.value_type, (2,))
    return pa.ExtensionArray.from_storage(kind, array)


def sliced(array):
    """The middle of a longer array."""
    return pa.concat_arrays([array, array, array])[len(array) : 2 * len(array)]


LISTS = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view, lambda kind: pa.list_(kind, 2))
NUMBERS = st.integers(-4, 4).map(float)
CELLS = st.lists(st.none() | NUMBERS, min_size=1, max_size=6)
VECTORS = st.lists(st.none() | st.tuples(st.none() | NUMBERS, st.none() | NUMBERS), min_size=1, max_size=6)
WRAPPINGS = (runs, dictionary, both, extension, sliced)
STORED = st.sampled_from([(), *((one,) for one in WRAPPINGS), *itertools.permutations(WRAPPINGS, 2)]).filter(
    lambda wrappings: not {dictionary, both} <= {*wrappings}
)
"""From inside to outside. Arrow has no dictionary of dictionaries, and dies of some that one makes of other types."""


def wrapped(array, wrappings):
    """The array in each wrapping in turn, without those that Arrow does not have of it."""
    for wrapping in wrappings:
        try:
            array = wrapping(array)
        except (pa.ArrowException, TypeError, AttributeError):
            continue
    return array


def files(table, folder):
    """The table in memory, and in the files that keep its types."""
    yield table
    for name, new in (("table.arrow", pa.ipc.new_file), ("table.arrows", pa.ipc.new_stream)):
        try:
            with new(folder / name, table.schema) as writer:
                writer.write_table(table)
        except pa.ArrowException:
            continue  # Arrow cannot write all that it can hold
        yield folder / name


def hold(source, rows):
    """Hold the mean of squares against exact arithmetic, and the first null against its row; a row is numbers."""
    asked = {"label": "y", "prediction": "p"}
    missing = [None in row for row in rows]
    if any(missing):
        with pytest.raises(lossctl.DataError, match=rf"row {missing.index(True) + 1}: column 'p' is null"):
            lossctl.evaluate(source, "mse", **asked)
    used = [row for row, null in zip(rows, missing, strict=True) if not null]
    if used:
        squares = [Fraction(number) ** 2 for row in used for number in row]
        report = lossctl.evaluate(source, "mse", nulls="drop", **asked)
        assert report.value == float(sum(squares) / len(squares))
        assert report.results[0].n == len(used)


@settings(max_examples=30)
@given(CELLS, STORED)
@example([1.0, None, 3.0], [dictionary])
@example([None, 2.0, None], [both])
@example([1.0, None, 3.0], [runs])
@example([1.0, None, 3.0], [dictionary, extension])
def test_a_null_number_is_no_number_however_it_is_stored(tmp_path, cells, wrappings):
    column = wrapped(pa.array(cells, pa.float64()), wrappings)
    for source in files(pa.table({"y": [0.0] * len(cells), "p": column}), tmp_path):
        hold(source, [(cell,) for cell in cells])


@settings(max_examples=30)
@given(VECTORS, st.sampled_from(LISTS), STORED, STORED)
@example([(1.0, None), None, (3.0, 4.0)], LISTS[0], [dictionary], [])
@example([(1.0, 2.0), None, (3.0, None)], LISTS[2], [], [both])
@example([(1.0, 2.0), None, (3.0, None)], LISTS[4], [extension], [sliced])
def test_a_null_in_a_vector_is_no_number_however_it_is_stored(tmp_path, vectors, listed, inner, outer):
    flat = wrapped(pa.array([number for vector in vectors for number in vector or (9.0, 9.0)], pa.float64()), inner)
    # A null list may have cells all the same.
    mask = pa.array([vector is None for vector in vectors])
    kind = listed(flat.type)
    if pa.types.is_fixed_size_list(kind):
        lists = pa.FixedSizeListArray.from_arrays(flat, 2, mask=mask)
    else:
        large = pa.types.is_large_list(kind) or pa.types.is_large_list_view(kind)
        starts = pa.array(range(0, 2 * len(vectors) + 2, 2), pa.int64() if large else pa.int32())
        view = pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
        made = {False: pa.ListArray, True: pa.LargeListArray}[large]
        if view:
            made = {False: pa.ListViewArray, True: pa.LargeListViewArray}[large]
            sizes = pa.array([2] * len(vectors), starts.type)
            lists = made.from_arrays(starts[:-1], sizes, flat, mask=mask)
        else:
            lists = made.from_arrays(starts, flat, mask=mask)
    column = wrapped(lists, outer)
    rows = [(None,) if vector is None else vector for vector in vectors]
    if rows[0] == (None,):
        return  # how many numbers a vector has is told by the first
    zeros = pa.FixedSizeListArray.from_arrays(pa.array([0.0] * 2 * len(vectors)), 2)
    for source in files(pa.table({"y": zeros, "p": column}), tmp_path):
        hold(source, rows)


@settings(max_examples=30)
@given(st.lists(st.none() | st.sampled_from(["no", "yes"]), min_size=1, max_size=6), STORED, st.booleans())
@example(["no", None, "yes"], [dictionary], True)
def test_a_null_word_is_no_class_and_no_name_however_it_is_stored(words, wrappings, view):
    words = [*words, "yes"]
    column = wrapped(pa.array(words, pa.string_view() if view else pa.string()), wrappings)
    table = pa.table({"y": column, "p": [0.5] * len(words), "g": column})
    report = lossctl.evaluate(table, "bce", label="y", prediction="p", classes=["no", "yes"], nulls="drop", by="g")
    assert {result.group["g"]: result.n for result in report.results if result.n} == {
        word: words.count(word) for word in words if word is not None
    }
    assert sum(result.n_null for result in report.results) == words.count(None)


@settings(max_examples=30)
@given(VECTORS, STORED, st.booleans())
def test_what_is_made_takeable_is_the_same(vectors, wrappings, struct):
    lists = pa.array(vectors, pa.list_view(pa.float64()))
    array = pa.StructArray.from_arrays([lists], ["a"], mask=lists.is_null()) if struct else lists
    record = pa.record_batch({"x": wrapped(array, wrappings)})
    column = takeable(record).column(0)
    column.validate(full=True)
    assert column.take(pa.array(range(len(vectors)))).to_pylist() == record.column(0).to_pylist()
    assert plain(record.column(0)).to_pylist() == record.column(0).to_pylist()


def test_cells_of_known_extensions_are_what_they_stand_for():
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([5, None, 0], pa.int8()))
    report = lossctl.evaluate(
        {"y": pa.array([1.0, 1.0, 1.0]), "p": flags}, "mae", label="y", prediction="p", nulls="drop"
    )
    assert report.value == 0.5  # any number but 0 is true
    tensors = pa.FixedShapeTensorArray.from_storage(
        pa.fixed_shape_tensor(pa.float64(), (2,)), pa.array([[0.5, 0.5], None], pa.list_(pa.float64(), 2))
    )
    report = lossctl.evaluate(
        {"y": pa.array([0, 1]), "p": tensors}, "cross_entropy", label="y", prediction="p", nulls="drop"
    )
    assert report.results[0].n == 1


def test_numbers_that_only_a_stranger_can_read_are_not_measured():
    pandas = pytest.importorskip("pandas", reason="needs lossctl[pandas]")
    days = pandas.period_range("2020-01-01", periods=2)
    opaque = pa.ExtensionArray.from_storage(pa.opaque(pa.float64(), "money", "somebody"), pa.array([1.0, 2.0]))
    for source in (pandas.DataFrame({"y": days, "p": [0.0, 0.0]}), pa.table({"y": opaque, "p": [0.0, 0.0]})):
        with pytest.raises(lossctl.UsageError, match="'y' does not hold numbers"):
            lossctl.evaluate(source, "mae", label="y", prediction="p")


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float32, np.bool_])
def test_what_is_masked_in_a_matrix_is_null_whatever_its_type(kind):
    masked = np.ma.array([[1, 0], [1, 1]], mask=[[False, True], [False, False]], dtype=kind)
    hold({"y": np.zeros((2, 2)), "p": masked}, [(1.0, None), (1.0, 1.0)])


@pytest.mark.parametrize("column", [[10**400, 1], [1, [2]], [1 + 2j, 1]], ids=str)
def test_what_no_array_holds_is_refused(column):
    with pytest.raises(lossctl.UsageError, match=r"cannot make a table|does not hold numbers"):
        lossctl.evaluate({"y": np.array(column, dtype=object), "p": [0.0, 0.0]}, "mae", label="y", prediction="p")
