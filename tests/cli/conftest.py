"""Files that tests of command lines share."""

import pyarrow.parquet as pq
import pytest
from stored import rows


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of 40 000 rows."""
    path = tmp_path_factory.mktemp("many") / "rows.parquet"
    pq.write_table(rows(40_000), path)
    return path
