"""Tables stored in every format, and read back by other readers than ours."""

import csv
import io
import json
import lzma
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.reading.format import format_for, formats, is_written
from lossctl.reading.location import SUFFIXES as COMPRESSIONS

ON_DISK = [found for found in formats if found.suffixes and is_written(found)]

SUFFIXES = [(found, suffix) for found in ON_DISK for suffix in found.suffixes]

ASKED = {"loss": ["mse", "log_cosh"], "prediction": ["p", "q"], "weight": "w", "by": "g", "gradient": True}


def compress(body, name):
    """Bytes compressed as the suffix says."""
    if COMPRESSIONS[name] == "xz":
        return lzma.compress(body, preset=0)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, COMPRESSIONS[name]) as file:
        file.write(body)
    return sink.getvalue().to_pybytes()


def stored_as(found, table, compressed=""):
    """The bytes of a table in a format."""
    file = io.BytesIO()
    writer = found.writer(file, table.schema)
    for batch in table.to_batches(max_chunksize=50):
        writer.write_batch(batch)
    writer.close()
    return compress(file.getvalue(), compressed) if compressed else file.getvalue()


def arrays_as(name, table):
    """The bytes of a table of numbers and text without nulls as NumPy saves it, with names."""
    columns = {column: np.array(table[column].to_pylist()) for column in table.column_names}
    file = io.BytesIO()
    if name == "npz":
        np.savez_compressed(file, **columns)
    else:
        np.save(file, np.rec.fromarrays(list(columns.values()), names=list(columns)))
    return file.getvalue()


def narrow(monkeypatch, n):
    """Cut text into pieces of about ``n`` bytes, whatever format it is of."""
    for name, module in list(sys.modules.items()):
        if name.startswith("lossctl.") and hasattr(module, "RANGE"):
            monkeypatch.setattr(module, "RANGE", n)


def delimited(rows, sign):
    return "".join(sign.join("" if cell is None else str(cell) for cell in line) + "\n" for line in [
        rows[0], *(row.values() for row in rows)
    ])  # fmt: skip


TEXT = {
    "csv": lambda rows: delimited(rows, ","),
    "tsv": lambda rows: delimited(rows, "\t"),
    "jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "json": lambda rows: json.dumps(rows, indent=1),
}
"""Rows written by hand: words that stand for nothing are words in each."""


def by_hand(tmp_path, name, rows):
    path = tmp_path / f"rows{formats.get(name).suffixes[0]}"
    path.write_text(TEXT[name](rows), encoding="utf-8")
    return path


def read_back(path):
    """The rows of a file, by other readers than ours."""

    if path.suffix in {".csv", ".tsv"}:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return table_of(path).to_pylist()


def table_of(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    reader = pa.ipc.open_stream if path.suffix == ".arrows" else pa.ipc.open_file
    with pa.OSFile(str(path)) as file:
        return reader(file).read_all()


def store(table, path, rows=4):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
        return
    new = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def write_lines(path, *lines):
    path.write_bytes("\n".join([*lines, ""]).encode())
    return path


FORMATS = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows")


def rows(n, seed=0):
    """A table of n rows with a label, a prediction and a word."""
    rng = np.random.default_rng(seed)
    return pa.table({"y": rng.normal(size=n), "p": rng.normal(size=n), "word": [f"w{at % 7}" for at in range(n)]})


def stored(table, suffix, chunk=4):
    """The bytes of a table in a format, some rows at a time."""
    sink = io.BytesIO()
    writer = format_for(suffix).writer(sink, table.schema)
    for batch in table.to_batches(max_chunksize=chunk):
        writer.write_batch(batch)
    writer.close()
    return sink.getvalue()


ROWS = "y,p\n1,2\n3,5\n"


def write(path, text=ROWS):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, pa.Table):
        pq.write_table(text, path)
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet_bytes(table, **options):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


def write_groups(table, path, sizes):
    """A Parquet file with row groups of these sizes, the last taking the rest."""
    with pq.ParquetWriter(path, table.schema) as writer:
        at = 0
        for size in [*sizes, table.num_rows]:
            part = table.slice(at, size)
            if part.num_rows:
                writer.write_table(part, row_group_size=part.num_rows)
            at += size
    return str(path)
