"""Neither the type of a column nor the layout of an array can change a digit."""

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from figures import digits, run
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.reading.cells import scalar_column

# --- how numbers are stored ------------------------------------------------------------------------------------------

WHOLE = [0, 1, 1, 0, 5, 100, 127, 3, 0, 1]

HALVES = [0.0, 0.5, -1.25, 1024.0, 0.125, 3.0, -2.0, 7.5, 1.0, 0.0]

CENTS = [0.1, 0.29, 1.15, -2.675, 12345.67, 0.07, 99.99, 1e-3, 0.3, 1234567.891]


@given(
    digits=st.lists(st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-(2**54), 2**54) | st.none(), min_size=1),
    scale=st.integers(-3, 38),
    skipped=st.integers(0, 3),
)
def test_a_decimal_is_read_as_the_nearest_double(digits, scale, skipped):
    with decimal.localcontext(prec=80):
        exact = [None if it is None else decimal.Decimal(it).scaleb(-scale) for it in digits]
        array = pa.array(exact, pa.decimal128(38, scale))[skipped:]
    values, null = scalar_column(array)
    missing = np.zeros(len(array), np.bool_) if null is None else null
    expected = [0.0 if it is None else float(it) for it in exact[skipped:]]  # Python rounds correctly
    assert np.where(missing, 0.0, values).tolist() == expected
    assert missing.tolist() == [it is None for it in exact[skipped:]]


def decimals(values, kind):
    return pa.array([decimal.Decimal(repr(value)) for value in values], kind)


TYPES = {
    **{str(kind): (WHOLE, pa.array(WHOLE, kind)) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(),
        pa.float32(), pa.float64(),
    )},
    "bool": ([0, 1, 1, 0, 1] * 2, pa.array([False, True, True, False, True] * 2)),
    "halves in float16": (HALVES, pa.array(np.array(HALVES, dtype=np.float16))),
    "halves in float32": (HALVES, pa.array(HALVES, pa.float32())),
    "float32": (np.float32(CENTS).astype(float).tolist(), pa.array(np.float32(CENTS))),
    "decimal128": (CENTS, decimals(CENTS, pa.decimal128(20, 4))),
    "decimal128 of 38 digits": (CENTS, decimals(CENTS, pa.decimal128(38, 10))),
    "decimal256": (CENTS, decimals(CENTS, pa.decimal256(60, 10))),
    "dictionary": (CENTS, pa.array(CENTS).dictionary_encode()),
    "dictionary of integers": (WHOLE, pa.array(WHOLE, pa.int16()).dictionary_encode()),
}  # fmt: skip


@pytest.mark.parametrize("role", ["label", "prediction", "weight"])
@pytest.mark.parametrize("name", TYPES)
def test_the_type_of_a_column_cannot_change_a_digit(name, role, tmp_path):
    values, stored_as = TYPES[name]
    if role == "weight":
        values, keep = np.abs(values).tolist(), pa.array([value >= 0 for value in values])
    else:
        keep = pa.array([True] * len(values))
    others = {
        column: np.linspace(0.3, 2.7, len(values)) for column in ("label", "prediction", "weight") if column != role
    }
    asked = {"loss": ["mse", "huber"], "weight": "weight"}
    expected = digits(run(pa.table({**others, role: pa.array(np.array(values, dtype=float))}).filter(keep), asked))
    table = pa.table({**others, role: stored_as}).filter(keep)
    assert digits(run(table, asked)) == expected
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    assert digits(run(path, asked)) == expected


@pytest.mark.parametrize("value", [pa.float32(), pa.float16(), pa.int8()], ids=str)
@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, lambda it: pa.list_(it, 2)], ids=["list", "large", "fixed"])
def test_the_type_of_a_list_cannot_change_a_digit(kind, value, tmp_path):
    vectors = [[1, 2], [3, 4], [0, 7], [5, 5]]
    table = pa.table(
        {"label": pa.array(vectors, kind(value)), "prediction": pa.array([[2, 2], [0, 1], [9, 9], [4, 6]], kind(value))}
    )
    plain = {"label": np.array(vectors, dtype=float), "prediction": np.array([[2.0, 2], [0, 1], [9, 9], [4, 6]])}
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    expected = digits(run(plain, {"loss": "mse"}))
    for source in (table, path, table.slice(0, 1), table.slice(1)):
        if isinstance(source, pa.Table) and source.num_rows < 4:
            cut = slice(0, 1) if source.num_rows == 1 else slice(1, None)
            part = {name: values[cut] for name, values in plain.items()}
            assert digits(run(source, {"loss": "mse"})) == digits(run(part, {"loss": "mse"}))
        else:
            assert digits(run(source, {"loss": "mse"})) == expected


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64()], ids=str)
@pytest.mark.parametrize("holes", [False, True], ids=["full", "with nulls"])
def test_groups_may_be_a_dictionary_of_any_index(index, holes):
    """Also one that has as many words as its index can count."""
    most = {"int8": 128, "uint8": 256}.get(str(index), 300)
    codes = [None if holes and at % 50 == 0 else at for at in range(most)]
    words = [f"group {at:03}" for at in range(most)]
    dictionary = pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(words))
    columns = {"label": np.zeros(most), "prediction": np.arange(float(most))}
    asked = {"loss": "mae", "by": "g"}
    plain = pa.array([None if code is None else words[code] for code in codes])
    assert digits(run(pa.table({**columns, "g": dictionary}), asked)) == digits(
        run(pa.table({**columns, "g": plain}), asked)
    )


@pytest.mark.lowest
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_text_may_be_of_any_text_type(kind):
    columns = {"label": np.zeros(4), "prediction": np.arange(4.0)}
    words = ["a", None, "b", "a"]
    asked = {"loss": "mae", "by": "g"}
    expected = digits(run(pa.table({**columns, "g": pa.array(words)}), asked))
    assert digits(run(pa.table({**columns, "g": pa.array(words, pa.string()).cast(kind)}), asked)) == expected


# --- tables in memory ------------------------------------------------------------------------------------------------


def test_a_masked_array_keeps_its_mask():
    """What is masked is a null; the number underneath must never be measured."""
    label = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    source = {"label": label, "prediction": np.array([1.0, 100.0, 4.0])}
    assert run(source, {"loss": "mse"}, nulls="drop").value == 0.5
    with pytest.raises(lossctl.LossctlError, match="null"):
        run(source, {"loss": "mse"})


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_layout_of_an_array_cannot_change_a_digit(order, step):
    rng = np.random.default_rng(1)
    label, prediction = rng.normal(size=(60, 9)), rng.normal(size=(60, 9))
    expected = digits(run({"label": label[::step].copy(), "prediction": prediction[::step].copy()}, {"loss": "mse"}))
    laid = {
        "label": np.asarray(label, order=order)[::step],
        "prediction": np.asarray(prediction, order=order)[::step],
    }
    assert digits(run(laid, {"loss": "mse"})) == expected
    narrow = {name: values[:, 0] for name, values in laid.items()}
    plain = {name: values[:, 0].copy() for name, values in laid.items()}
    assert digits(run(narrow, {"loss": "mse"})) == digits(run(plain, {"loss": "mse"}))
