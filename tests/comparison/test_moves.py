"""The rows that moved most, both ways: those of NumPy, whole, from any place and with any engine."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl as library
from lossctl.comparison.moves import cells_of

N = 300
MOST = 3


@pytest.fixture(scope="module")
def table():
    """Two models, rows that tie, nulls and weights of 0."""
    rng = np.random.default_rng(8)
    y = rng.normal(size=N).round(1)
    p, q = (y + rng.normal(size=N)).round(1), (y + rng.normal(size=N)).round(1)
    return pa.table({
        "id": [f"r{row}" for row in range(N)], "y": y, "p": p, "q": pa.array(q, mask=np.arange(N) % 50 == 7),
        "w": (np.arange(N) % 40 > 0) * 2.0, "g": rng.choice(["a", "b"], N), "note": [f"ü{row}" for row in range(N)],
    })  # fmt: skip


@pytest.fixture(scope="module")
def files(table, tmp_path_factory):
    """The table in row groups of two files."""
    folder = tmp_path_factory.mktemp("moves")
    for name, start in (("a", 0), ("b", 170)):
        rows = table.slice(start, 170 if name == "a" else None)
        pq.write_table(rows, folder / f"{name}.parquet", row_group_size=23)
    return [folder / "a.parquet", folder / "b.parquet"]


def expected(table, chosen, most=MOST):
    """The places of the rows that moved most, worse first, of those chosen: by size, then by place."""
    y, p, q = (np.asarray(table[name].to_numpy(zero_copy_only=False), float) for name in "ypq")
    moved = (q - y) ** 2 - (p - y) ** 2
    rows = np.flatnonzero(chosen & ~np.isnan(q) & (table["w"].to_numpy() > 0))
    worse = [row for row in rows[np.argsort(-moved[rows], kind="stable")][:most] if moved[row] > 0]
    better = [row for row in rows[np.argsort(moved[rows], kind="stable")][:most] if moved[row] < 0]
    return [*worse, *better], moved


ASKED = {"label": "y", "prediction": ["p", "q"], "weight": "w", "nulls": "drop", "samples": MOST}


@pytest.mark.parametrize(("engine", "threads"), [("serial", 1), ("threads", 3), ("processes", 2)])
def test_the_rows_are_those_of_numpy_with_any_engine(table, files, engine, threads):
    comparison = library.compare(files, ["mse", "mae"], **ASKED, by="g", engine=engine, threads=threads)
    groups = np.array(table["g"].to_pylist())
    for one in comparison.results[:2]:
        rows, moved = expected(table, groups == one.group["g"])
        assert [(str(move.file), move.row) for move in one.samples] == [
            (str(files[int(row >= 170)]), row % 170 + 1) for row in rows
        ]
        for move, row in zip(one.samples, rows, strict=True):
            cells = table.slice(row, 1).to_pylist()[0]
            assert move.columns == cells
            assert (move.label, move.baseline_prediction, move.prediction) == (cells["y"], cells["p"], cells["q"])
            assert move.difference == move.loss - move.baseline_loss == moved[row]
    other = library.compare(files, ["mse", "mae"], **ASKED, by="g", engine="serial")
    assert repr(comparison.results) == repr(other.results)


@settings(max_examples=15, deadline=None)
@given(most=st.integers(1, 6), limit=st.none() | st.integers(1, N), where=st.booleans())
def test_the_rows_are_those_that_were_chosen(table, most, limit, where):
    chosen = np.array(table["g"].to_pylist()) == "a" if where else np.ones(N, np.bool_)
    chosen &= np.cumsum(chosen) <= (limit or N)
    condition = 'g == "a"' if where else None
    asked = {**ASKED, "samples": most, "where": condition, "limit": limit}
    if not expected(table, chosen)[0]:
        return
    comparison = library.compare(table, "mse", **asked)
    assert [move.row - 1 for move in comparison.results[0].samples] == expected(table, chosen, most)[0]


@pytest.mark.parametrize("how", ["strict", "order"])
def test_rows_of_a_file_a_model_have_their_key_and_all_columns(table, how):
    other = table.select(["id", "q", "note"]).rename_columns(["id", "p", "remark"])
    other = other if how == "order" else other.take(np.random.default_rng(2).permutation(N))
    ids = [] if how == "order" else "id"
    first = table.drop_columns("q")
    asked = {name: value for name, value in ASKED.items() if name != "prediction"}
    comparison = library.compare(first, "mse", **asked, others={"q": other}, ids=ids, join=how)
    rows, _ = expected(table, np.ones(N, np.bool_))
    for move, row in zip(comparison.results[0].samples, rows, strict=True):
        cells = first.slice(row, 1).to_pylist()[0]
        assert move.row == row + 1
        assert move.key == ({} if how == "order" else {"id": cells["id"]})
        assert move.columns == {**cells, "p (q)": table["q"][int(row)].as_py(), "remark": cells["note"]}


def test_rows_of_vectors_and_of_what_json_has_not_are_told(lossctl, tmp_path):
    rng = np.random.default_rng(4)
    p, q = rng.dirichlet(np.ones(6), 40), rng.dirichlet(np.ones(6), 40)
    days = pa.array(np.arange(40), pa.timestamp("ns"))
    more = {"day": days, "price": pa.array(np.arange(40)).cast(pa.decimal128(21, 2)), "blob": [b"\xff"] * 40}
    columns = {"y": rng.integers(0, 6, 40), "p": p.tolist(), "q": q.tolist(), **more}
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    command = [
        "compare",
        tmp_path / "v.parquet",
        "-y",
        "y",
        "-p",
        "p",
        "-p",
        "q",
        "--samples",
        2,
        "-l",
        "cross_entropy",
    ]
    shown, told = lossctl(*command, "-f", "plain"), lossctl(*command, "--json")
    assert (shown.status, told.status) == (0, 0), shown.err + told.err
    samples = told.json["results"][0]["samples"]
    assert "rows that moved most" in shown.out
    assert [one["difference"] > 0 for one in samples] == [True, True, False, False]
    assert samples[0]["columns"]["day"].startswith("1970-01-01 00:00:00.0000000")
    assert samples[0]["prediction"] == q[samples[0]["row"] - 1].tolist()


def test_samples_are_shown_or_refused(lossctl, tmp_path):
    pq.write_table(pa.table({"y": [0.0, 1.0], "p": [0.5, 1.0], "q": [0.0, 1.0]}), tmp_path / "v.parquet")
    command = ["compare", tmp_path / "v.parquet", "-p", "p", "-p", "q", "-l", "mse"]
    for name in ("csv", "value"):
        refused = lossctl(*command, "--samples", 1, "-f", name)
        assert (refused.status, "--samples is not shown" in refused.err) == (2, True)
    assert "samples" not in lossctl(*command, "--json").json["results"][0]
    assert len(lossctl(*command, "--samples", 5, "--json").json["results"][0]["samples"]) == 1


NOT_OF_PYTHON = {
    "far date": pa.array([2**31 - 1], pa.date32()),
    "far time": pa.array([10**15], pa.timestamp("s", "UTC")),
    "far span": pa.array([2**62], pa.duration("s")),
    "no zone": pa.array([0], pa.timestamp("s", "Mars/Olympus")),
    "not UTF-8": pa.array([b"caf\xe9"]).view(pa.string()),
    "two fields of one name": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
}


@pytest.mark.lowest
@pytest.mark.parametrize("kind", NOT_OF_PYTHON)
def test_a_cell_that_python_cannot_hold_is_told_as_arrow_shows_it(kind):
    cell = NOT_OF_PYTHON[kind]
    inside = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), cell)
    record = pa.record_batch({"it": cell, "list": inside, "struct": pa.StructArray.from_arrays([cell], ["f"])})
    cells = cells_of(record, 0)
    assert [*cells] == ["it", "list", "struct"]
    for text in cells.values():
        assert isinstance(text, str)
        assert text
        assert "\n" not in text
