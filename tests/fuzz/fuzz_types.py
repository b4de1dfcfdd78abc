"""Every command over a column of every Arrow type, in every role: a result or an error with words.

Run it with ``python tests/fuzz/fuzz_types.py`` for all of them, or with ``--runs 200 --seed 1`` for some.
A command line that broke the contract is printed with what it broke; the exit status is then 1.
"""

import argparse
import contextlib
import datetime as dt
import random
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import forked
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.reading.format import formats, is_written

NUMBERS = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float32(), pa.float64()),
)
FAR = [-(2**63) + 1, None, 2**63 - 1]
ROLES = ("-y", "y", "-p", "p", "-l", "bce", "-q")


def columns() -> Iterator[tuple[str, pa.Array]]:  # noqa: C901  (a list of types)
    """Three rows of every type, most with a null."""
    for kind in NUMBERS:
        yield str(kind), pa.array([0, 1, 1], kind)
    yield "float16", pa.array(np.array([0, 1, 1], np.float16))
    yield "bool", pa.array([True, False, None])
    yield "null", pa.nulls(3)
    for kind in (pa.decimal32(5, 1), pa.decimal64(10, 1), pa.decimal128(30, 1), pa.decimal256(60, 1)):
        yield str(kind), pa.array([Decimal("1.5"), None, Decimal("-2.5")], kind)
    yield "decimal of hundreds", pa.array([Decimal(1500), None, Decimal(-2500)], pa.decimal128(30, -2))
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield str(kind), pa.array(["a", None, 'b"\r\n,c'], kind)
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)):
        yield str(kind), pa.array([b"\xff\x00", None, b"bb"], kind)
    for unit in ("s", "ms", "us", "ns"):
        yield f"timestamp {unit}", pa.array([0, None, 1_700_000_000]).cast(pa.timestamp(unit))
        yield f"duration {unit}", pa.array([0, None, 1_700_000_000]).cast(pa.duration(unit))
    yield "timestamp far", pa.array(FAR).cast(pa.timestamp("s"))
    for zone in ("Europe/Berlin", "Mars/Olympus"):
        yield f"timestamp {zone[:4]}", pa.array([0, None, 1_700_000_000]).cast(pa.timestamp("s", zone))
    yield "date32", pa.array([0, None, 20_000], pa.int32()).cast(pa.date32())
    yield "date32 far", pa.array([2**31 - 1, None, 1 - 2**31], pa.int32()).cast(pa.date32())
    yield "date64", pa.array([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)], pa.date64())
    for kind in (pa.time32("s"), pa.time64("ns")):
        yield str(kind), pa.array([dt.time(1), None, dt.time(2)], kind)
    yield "interval", pa.array([(1, 2, 3), None, (0, 0, 0)], pa.month_day_nano_interval())
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_view(pa.float64())):
        yield str(kind), pa.array([[1.0, 2.0], None, [3.0]], kind)
    yield "list of two", pa.array([[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]])
    yield "fixed list", pa.array([[1.0, 2.0], None, [3.0, None]], pa.list_(pa.float64(), 2))
    yield "fixed list of none", pa.array([[], None, []], pa.list_(pa.float64(), 0))
    for name, values in (
        ("text", [["a", "b"], None, ["c"]]),
        ("lists", [[[1]], None, [[2, 3]]]),
        ("bytes", [[b"\xff"], None, [b"c"]]),
    ):
        yield f"list of {name}", pa.array(values)
    yield "list of null", pa.array([[None]] * 3, pa.list_(pa.null()))
    yield "struct", pa.array([{"a": 1, "b": "x"}, None, {"a": 2, "b": None}])
    yield "struct of bytes", pa.array([{"a": b"\xff"}, None, {"a": b"x"}])
    yield "struct of nan", pa.array([{"a": float("nan")}, None, {"a": float("inf")}])
    yield "struct of nothing", pa.array([{}, None, {}], pa.struct([]))
    yield "map", pa.array([[("k", 1)], None, [("j", 2)]], pa.map_(pa.string(), pa.int32()))
    for name, values in (("text", ["a", None, "b"]), ("numbers", [1, None, 2]), ("bytes", [b"\xff", None, b"b"])):
        yield f"dictionary of {name}", pa.array(values).dictionary_encode()
    yield "dictionary with null", pa.array([1.0, None, 0.0]).dictionary_encode(null_encoding="encode")
    yield "dictionary of lists", pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([[1.0, 2.0], [3.0, 4.0]]))
    yield "dictionary of times", pa.array([0, None, 5]).cast(pa.timestamp("s")).dictionary_encode()
    yield "run-end numbers", pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, None])
    yield "run-end text", pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])
    kinds = pa.array([0, 1, 0], pa.int8())
    yield "sparse union", pa.UnionArray.from_sparse(kinds, [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])])
    parts = [pa.array([1, 2]), pa.array(["a"])]
    yield "dense union", pa.UnionArray.from_dense(kinds, pa.array([0, 0, 1], pa.int32()), parts)
    yield "uuid", pa.array([bytes(16), None, bytes(15) + b"\1"], pa.uuid())
    yield "json", pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}', None, "2"]))
    yield "bool8", pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8()))
    yield "tensor", pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(6.0).reshape(3, 2))
    yield "opaque", pa.ExtensionArray.from_storage(pa.opaque(pa.float64(), "a", "b"), pa.array([1.0, None, 2.0]))


def write_files(folder: Path) -> list[Path]:
    """A file of every type in every format that holds it."""
    files = []
    for name, column in columns():
        table = pa.table({"y": [0, 1, 1], "p": [0.2, 0.7, 0.9], "x": column})
        stem = name.replace(" ", "_").replace("/", "_")
        for suffix, write in (("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream), ("parquet", pq.ParquetWriter)):
            path = folder / f"{stem}.{suffix}"
            try:
                with write(str(path), table.schema) as writer:
                    writer.write_table(table)
                files.append(path)
            except (pa.ArrowException, OSError):  # Parquet does not have them all
                with contextlib.suppress(OSError):
                    path.unlink()
    return files


def command_lines(path: str, out: str) -> Iterator[list[str]]:
    """The column ``x`` in every role of every command."""
    drop = ["--nulls", "drop"]
    for name in (format_.name for format_ in formats if is_written(format_)):
        yield ["samples", path, *ROLES, "-f", name]
        yield ["samples", path, *ROLES, "--top", "2", "-f", name, "-o", out]
    yield ["eval", path, *ROLES, "--by", "x", "-f", "json"]
    yield ["eval", path, *ROLES, "-w", "x", *drop]
    for label, prediction, loss in (
        ("y", "x", "mse"),
        ("x", "p", "mse"),
        ("y", "x", "cross_entropy"),
        ("x", "x", "cross_entropy"),
    ):
        yield ["eval", path, "-q", "-y", label, "-p", prediction, "-l", loss, *drop]
    yield ["eval", path, "-q", "-y", "x", "-p", "p", "-l", "bce", "--classes", "a,b", *drop]
    yield ["eval", path, "-q", "-y", "y", "-p", "x", "-l", "mse", *drop, "--samples", "2", "--grad", "--skill"]
    yield ["doctor", path, "--json"]
    yield ["doctor", path, "-y", "x", "-p", "p"]
    yield ["doctor", path, "-y", "y", "-p", "x"]
    yield ["plot", path, "-y", "y", "-p", "x", "-l", "mse", *drop]
    yield ["plot", path, "-y", "x", "-p", "p", "-l", "mse", *drop, "--json"]
    yield ["gradcheck", "mse", path, "-y", "x", "-p", "p", *drop]
    for command, how in (("eval", "strict"), ("eval", "inner"), ("samples", "left")):
        yield [command, path, "-q", "--labels", path, "--id", "x", "-y", "y", "-p", "p", "-l", "bce", "--join", how]


def main() -> int:
    """Try the command lines and print those that broke the contract."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, help="how many command lines; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the choice")
    parser.add_argument("--keep", help="a folder for the files, to type a command line again")
    asked = parser.parse_args()
    forked.load()
    broken = forked.Broken()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(asked.keep or scratch)
        folder.mkdir(exist_ok=True)
        lines = [line for path in write_files(folder) for line in command_lines(path.name, "out")]
        if asked.runs:
            lines = random.Random(asked.seed).sample(lines, asked.runs)
        for line in lines:
            ended = forked.run(line, cwd=str(folder))
            for fault in ended.faults():
                broken.add(ended, fault, line[1])
    print(f"{len(lines):,} command lines")
    return broken.told()


if __name__ == "__main__":
    raise SystemExit(main())
