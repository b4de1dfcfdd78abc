"""A column of any type that Arrow has, in any role: a result, or an error that names it; never a bug."""

import datetime as dt
import decimal
import uuid

import numpy as np
import pyarrow as pa

N = 3
NUMBERS = [pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal32(5, 1), pa.decimal64(10, 1), pa.decimal128(30, 1), pa.decimal256(60, 1), pa.decimal128(30, -2)]
WORDS = [pa.string(), pa.large_string(), pa.string_view()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary(2), pa.binary_view()]
TIMES = [
    *(kind(unit) for kind in (pa.timestamp, pa.duration) for unit in ("s", "ns")),
    pa.timestamp("s", "Europe/Berlin"),
    pa.timestamp("s", "Mars/Olympus"),
    pa.time64("ns"),
    pa.date64(),
]
LISTS = [pa.list_, pa.large_list, pa.list_view, lambda kind: pa.list_(kind, 2)]


def columns():
    """A column of each type, most of them with a null."""
    yield from (pa.array([0, 1, 1], kind) for kind in NUMBERS)
    yield pa.array(np.array([0, 1, 1], np.float16))
    yield from (pa.array([decimal.Decimal(1500), None, decimal.Decimal(-200)], kind) for kind in DECIMALS[2:])
    yield from (pa.array([decimal.Decimal("1.5"), None, decimal.Decimal(-2)], kind) for kind in DECIMALS[:2])
    yield from (pa.array(["a", None, 'b"\n,c'], kind) for kind in WORDS)
    yield from (pa.array([b"\xff\x00", None, b"bb"], kind) for kind in BYTES)
    yield from (pa.array([0, None, 86_400_000], pa.int64()).cast(kind) for kind in TIMES)
    yield pa.array([-(2**63) + 1, None, 2**63 - 1], pa.int64()).cast(pa.timestamp("s"))
    yield pa.array([2**31 - 1, None, -(2**31) + 1], pa.int32()).cast(pa.date32())
    yield pa.array([dt.time(1), None, dt.time(2)], pa.time32("s"))
    yield pa.array([(1, 2, 3), None, (0, 0, 0)], pa.month_day_nano_interval())
    yield pa.array([True, False, None])
    yield pa.nulls(N)
    yield from (pa.array([[0.5, 0.5], [0.25, 0.75], None], kind(pa.float64())) for kind in LISTS)
    yield pa.array([[], None, []], pa.list_(pa.float64(), 0))
    for cells in (
        [["a", "b"], None, ["c"]],
        [[[1]], None, [[2, 3]]],
        [[None], [None], None],
        [[b"\xff"], None, [b"c"]],
    ):
        yield pa.array(cells)
    for cells in ([{"a": 1, "b": "x"}, None, {"a": 2}], [{"a": b"\xff"}, None, {}], [{"a": float("nan")}, None, {}]):
        yield pa.array(cells)
    yield pa.array([{}, None, {}], pa.struct([]))
    yield pa.array([[("k", 1)], None, [("j", 2)]], pa.map_(pa.string(), pa.int32()))
    places = pa.array([0, 1, 0])
    for cells in (["a", None], [1, None], [[1.0, 2.0], [3.0, 4.0]], [b"\xff", b"b"], [{"a": 1}, None]):
        yield pa.DictionaryArray.from_arrays(places, pa.array(cells))
    for cells in ([1.0, None], ["a", "b"], [[0.5, 0.5], None]):
        yield pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(cells))
    tags = pa.array([0, 1, 0], pa.int8())
    yield pa.UnionArray.from_sparse(tags, [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])])
    yield pa.UnionArray.from_dense(tags, pa.array([0, 0, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a"])])
    tensor = pa.fixed_shape_tensor(pa.float64(), (2, 1))
    for kind, cells in (
        (pa.uuid(), pa.array([uuid.UUID(int=1).bytes, None, uuid.UUID(int=2).bytes], pa.binary(16))),
        (pa.json_(), pa.array(['{"a":1}', None, "2"])),
        (pa.bool8(), pa.array([1, None, 0], pa.int8())),
        (
            tensor,
            pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2)),
        ),
        (pa.opaque(pa.float64(), "cells", "somebody"), pa.array([1.0, None, 2.0])),
    ):
        yield pa.ExtensionArray.from_storage(kind, cells)


ROLES = (
    ["eval", "-y", "y", "-p", "p", "-l", "bce", "--by", "x"],
    ["eval", "-y", "y", "-p", "x", "-l", "mse", "--nulls", "drop", "--grad", "--skill", "--samples", "2"],
    ["eval", "-y", "x", "-p", "p", "-l", "mse", "--nulls", "drop"],
    ["eval", "-y", "y", "-p", "x", "-l", "cross_entropy", "--nulls", "drop"],
    ["eval", "-y", "x", "-p", "p", "-l", "bce", "--classes", "a,b", "--nulls", "drop"],
    ["eval", "-y", "y", "-p", "p", "-l", "bce", "-w", "x", "--nulls", "drop"],
    ["doctor"],
    ["doctor", "-y", "x", "-p", "p"],
    ["doctor", "-y", "y", "-p", "p", "--id", "x"],
    ["gradcheck", "mse", "-y", "x", "-p", "p", "--nulls", "drop"],
    ["eval", "-y", "y", "-p", "p", "-l", "bce", "--id", "x"],
    ["eval", "-y", "y", "-p", "p", "-l", "bce", "--id", "x", "--join", "inner"],
)


def test_any_type_in_any_role_is_a_result_or_an_error_that_names_it(lossctl, tmp_path):
    """Types and roles take turns."""
    for place, column in enumerate(columns()):
        path = tmp_path / f"rows{place}.arrow"
        table = pa.table({"y": pa.array([0, 1, 1]), "p": pa.array([0.2, 0.7, 0.9]), "x": column})
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
        role = ROLES[place % len(ROLES)]
        joined = ["--labels", path] if "--id" in role and "doctor" not in role else []
        told = lossctl(*role, path, *joined)
        assert told.status in {0, 2, 3}, (column.type, role, told.err)
        assert "Traceback" not in told.err
        if told.status == 3:
            assert any(name in told.err for name in ("'x'", path.name, "error: 1 id more than once")), (
                column.type,
                role,
                told.err,
            )
