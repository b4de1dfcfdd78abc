"""A part of a file that is too large for one worker: every slice has its rows, whoever read what before."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError
from lossctl.reading import footer
from lossctl.reading.files import open_source
from lossctl.reading.format import Wanted
from lossctl.reading.formats import parquet
from lossctl.reading.slices import slices

ONE = Wanted(frozenset({"y"}), frozenset())


@dataclass(frozen=True)
class Counting:
    """The numbers from 0 on in record batches of some sizes."""

    sizes: tuple[int, ...]
    file: str = "numbers"
    index: int = 0
    nbytes: int = 100

    def read(self, wanted):
        for start, size in zip(np.cumsum([0, *self.sizes]), self.sizes, strict=False):
            yield pa.record_batch({name: np.arange(start, start + size) for name in wanted.names})


@given(
    st.lists(st.integers(0, 9), max_size=6), st.integers(1, 12), st.lists(st.tuples(st.integers(0, 20), st.booleans()))
)
@settings(max_examples=40, deadline=None)
def test_a_slice_has_its_rows_whatever_was_read_before(sizes, most, asked):
    parts = [*slices(Counting(tuple(sizes)), sum(sizes), most, 3)]
    assert [part.index for part in parts] == [*range(3, 3 + len(parts))]
    order = [(place, whole) for place, whole in asked if place < len(parts)]
    for place, whole in [*order, *((place, True) for place in range(len(parts)))]:
        records = parts[place].read(ONE)
        if not whole:  # as where enough rows are read
            next(records, None)
            continue
        rows = [number.as_py() for record in records for number in record.column(0)]
        assert rows == [*range(place * most, min((place + 1) * most, sum(sizes)))]


@pytest.fixture
def giant(tmp_path, monkeypatch):
    """A row group of a hundred rows, where ten are many."""
    monkeypatch.setattr(footer, "ROWS", 10)
    monkeypatch.setattr(parquet, "LARGE", 10)
    label, error = np.arange(100.0), np.arange(100.0) % 7
    path = tmp_path / "giant.parquet"

    def written(**more):
        pq.write_table(pa.table({"y": label, "p": label + error, **more}), path, row_group_size=100)
        return path

    written.mse = float((error**2).sum()) / 100
    return written


@pytest.mark.parametrize(("engine", "threads"), [("serial", 1), ("threads", 2), ("processes", 2)])
def test_one_giant_row_group_is_shared_and_every_engine_agrees(giant, engine, threads):
    path = giant()
    assert len([*open_source(str(path)).shards()]) == footer.SLICES
    report = lossctl.evaluate(path, "mse", label="y", prediction="p", engine=engine, threads=threads, samples=2)
    (result,) = report.results
    assert (result.value, result.n, [sample.row for sample in result.samples]) == (giant.mse, 100, [7, 14])


def test_a_bad_row_of_a_giant_row_group_has_its_number(giant):
    weight = np.ones(100)
    weight[73] = -1
    path = giant(w=weight)
    with pytest.raises(DataError, match=r"row 74\b"):
        lossctl.evaluate(path, "mse", label="y", prediction="p", weight="w")
    report = lossctl.evaluate(path, "mse", label="y", prediction="p", weight="w", where="w > 0", limit=60)
    assert report.results[0].n == 60
