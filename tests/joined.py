"""Files to be joined."""

import gzip

import pyarrow as pa
from stored import stored

FORMATS = [".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".arrows", ".csv.gz"]


def store(path, columns):
    """A table in the format of the suffix."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    body = stored(table, path.name.removesuffix(".gz"), chunk=7)
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path
