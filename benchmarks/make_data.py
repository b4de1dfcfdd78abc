"""Write a Parquet file of labels and predictions: ``python benchmarks/make_data.py 20000000 preds.parquet``."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 1_000_000


def main(rows: int, path: str) -> None:
    """Labels are normal, errors have heavy tails; the seed is fixed."""
    rng = np.random.default_rng(7)
    schema = pa.schema([("label", pa.float64()), ("pred", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, ROW_GROUP):
            n = min(ROW_GROUP, rows - start)
            label = rng.normal(size=n)
            pred = label + 0.5 * rng.standard_t(3, size=n)
            writer.write_table(pa.table({"label": label, "pred": pred}, schema), row_group_size=ROW_GROUP)


if __name__ == "__main__":
    main(int(float(sys.argv[1])), sys.argv[2])
