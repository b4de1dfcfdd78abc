"""NumPy's files: an array of any type and order is read as NumPy reads it, and nothing in it is run."""

import io
import pickle
import zipfile
from pipes import fed

import numpy as np
import pyarrow as pa
import pytest
from figures import digits
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError
from lossctl.reading.files import open_source
from lossctl.reading.format import Wanted
from lossctl.reading.formats import npy, npz

NUMBERS = ["?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d"]
ORDERS = st.sampled_from(["<", ">"])
SAVED = {"stored": np.savez, "deflated": np.savez_compressed}


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def small(monkeypatch, n):
    """Cut files into shards of about ``n`` bytes."""
    for module in (npy, npz):
        monkeypatch.setattr(module, "SHARD", n)
    monkeypatch.setattr(npy, "BATCH", 7)


def error(path, **asked):
    with pytest.raises(DataError) as caught:
        lossctl.evaluate(path, "mse", **({"label": "y", "prediction": "p"} | asked))
    return str(caught.value)


def columns_of(path):
    """The columns that are read of a file, by name, a list each."""
    shards = list(open_source(path).shards())
    batches = [batch for shard in shards for batch in shard.read(Wanted(frozenset(), frozenset(), others=True))]
    return pa.Table.from_batches(batches).to_pydict()


@given(
    kind=st.sampled_from([*NUMBERS, "U3", "S2"]),
    order=ORDERS,
    fortran=st.booleans(),
    seed=st.integers(0, 99),
    rows=st.integers(1, 20),
    shard=st.sampled_from([1, 40, 1 << 20]),
)
def test_an_array_of_any_type_and_order_is_read_as_numpy_reads_it(kind, order, fortran, seed, rows, shard, tmp_path):
    numbers = np.random.default_rng(seed).integers(0, 2 if kind == "?" else 100, (rows, 3))
    array = numbers.astype(np.dtype(kind).newbyteorder(order))
    array = np.asfortranarray(array) if fortran else array
    expected = [[cell.decode() if kind == "S2" else cell for cell in column] for column in array.T.tolist()]
    np.save(tmp_path / "rows.npy", array)
    np.save(tmp_path / "fields.npy", np.rec.fromarrays([*array.T], names="y,p,w"))
    np.savez(tmp_path / "rows.npz", y=array[:, 0], p=array[:, 1], w=array[:, 2])
    with pytest.MonkeyPatch.context() as patch:
        small(patch, shard)
        assert columns_of(tmp_path / "rows.npy") == dict(zip(("#1", "#2", "#3"), expected, strict=True))
        for name in ("fields.npy", "rows.npz"):
            assert columns_of(tmp_path / name) == dict(zip("ypw", expected, strict=True))


@pytest.mark.parametrize("engine", ["threads", "processes"])
@pytest.mark.parametrize("save", SAVED)
@pytest.mark.parametrize("fortran", [False, True])
def test_vectors_of_an_archive_are_the_same_for_any_engine(fortran, save, engine, tmp_path, monkeypatch):
    small(monkeypatch, 4000)
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(4), 500)
    columns = {
        "y": rng.integers(0, 4, 500),
        "p": np.asfortranarray(p) if fortran else p,
        "g": np.array(["é", "b"] * 250),
    }
    SAVED[save](tmp_path / "rows.npz", **columns)
    asked = {"loss": "cross_entropy", "label": "y", "prediction": "p", "by": "g"}
    expected = digits(lossctl.evaluate(columns, **asked))
    assert digits(lossctl.evaluate(tmp_path / "rows.npz", **asked, engine=engine)) == expected
    with fed(tmp_path / "pipe", (tmp_path / "rows.npz").read_bytes()) as pipe:
        assert digits(lossctl.evaluate(pipe, **asked, engine=engine)) == expected


def test_fields_may_be_text_lists_and_aligned(tmp_path):
    kind = np.dtype([("y", "u1"), ("g", "U2"), ("b", "S3"), ("p", ">f4", (2,))], align=True)
    rows = np.zeros(4, kind)
    rows["y"], rows["g"], rows["b"], rows["p"] = [0, 1, 1, 0], ["é", "b"] * 2, [b"x", "ü".encode()] * 2, [0.25, 0.75]
    np.save(tmp_path / "rows.npy", rows)
    report = lossctl.evaluate(tmp_path / "rows.npy", "cross_entropy", label="y", prediction="p", by=["g", "b"])
    assert [tuple(result.group.values()) for result in report.results] == [("b", "ü"), ("é", "x")]
    assert report.results[0].value == pytest.approx((-np.log(0.25) - np.log(0.75)) / 2, rel=1e-15)


def test_one_column_is_called_like_the_first_of_a_file_without_a_header(tmp_path, lossctl):
    np.save(tmp_path / "rows.npy", np.array([1.0, 2.0]))
    done = lossctl("eval", tmp_path / "rows.npy", "-y", "#2", "-p", "#1", "-l", "mse")
    assert done.status == 2
    assert "the data have columns #1 to #1" in done.err


class Trap:
    """What runs where it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([Trap()], object), "Python objects, which are never read"),
        (np.zeros(2, [("y", object), ("p", float)]), "Python objects, which are never read"),
        (np.zeros(2, complex), "of NumPy's type complex128"),
        (np.zeros(2, np.longdouble), "of NumPy's type"),
        (np.zeros(2, "M8[s]"), "of NumPy's type datetime64"),
        (np.zeros(2, "V3"), "of NumPy's type"),
        (np.zeros(2, [("y", "f8"), ("p", [("q", "f8")])]), "field 'p': of NumPy's type"),
        (np.zeros(2, [("y", "f8"), ("p", "f8", (2, 2))]), "field 'p': of shape (2, 2)"),
        (np.array(1.0), "an array of shape ()"),
        (np.zeros((2, 3, 5)), "reshape(-1, 5) where the last axis is one softmax"),
        (np.zeros((2, 3, 1)), "reshape(2, 3)."),
        (np.zeros((2, 1, 1)), "reshape(-1)."),
        (np.zeros((2, 0)), "no columns"),
        (np.zeros((0, 2)), "no data rows"),
    ],
)
def test_an_array_that_makes_no_columns_is_named_for_what_it_is(array, words, tmp_path):
    np.save(tmp_path / "rows.npy", array)
    assert words in error(tmp_path / "rows.npy", label="#1", prediction="#2")
    if array.size:
        np.savez(tmp_path / "rows.npz", ok=np.zeros(2), bad=array)
        told = error(tmp_path / "rows.npz")
        assert "array 'bad'" in told
        assert words in told or "has fields" in told


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (saved(np.zeros((4, 2)))[:-1], "lacks 1 bytes"),
        (saved(np.zeros((4, 2))) * 2, "bytes behind an array of shape (4, 2)"),
        (saved(np.zeros((4, 2)))[:20], "header is damaged"),
        (saved(np.zeros((4, 2))).replace(b"(4, 2)", b"(4,-2)"), "header is damaged"),
        (saved(np.zeros((4, 2))).replace(b"(4, 2)", b"(1e9,)"), "header is damaged"),
        (saved(np.zeros((4, 2))).replace(b"'<f8'", b"'|O8'"), "never read"),
        (saved(np.zeros((4, 2))).replace(b"'<f8'", b"'|S0'"), "of NumPy's type"),
        (saved(np.zeros((4, 2))).replace(b"(4, 2), }", b"(4, 99999999999), }")[: 128 + 64], "a row takes"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{'descr'", "its header has more than"),
        (b"\x93NUMPY\x09\x00\xff\xff\xff\x7f", "begins otherwise"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"[" * 65535, "header is damaged"),
    ],
)
def test_a_damaged_array_is_an_error_with_words(body, words, tmp_path):
    (tmp_path / "rows.npy").write_bytes(body)
    assert words in error(tmp_path / "rows.npy", label="#1", prediction="#2")


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in members.items():
            archive.writestr(name.replace("_dot_", "."), body)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (zipped(y_dot_npy=saved(np.zeros(3)), p_dot_npy=saved(np.zeros(4))), "'y' has 3 rows, and 'p' 4"),
        (zipped(y_dot_npy=saved(np.zeros(3)), p=b"x"), "member 'p' is no array"),
        (zipped(y_dot_npy=saved(np.zeros(3)), p_dot_npy=pickle.dumps(1)), "array 'p': not an array"),
        (zipped(y_dot_npy=saved(np.zeros(3))[:-1], p_dot_npy=saved(np.zeros(3))), "cut: "),
        (zipped(y_dot_npy=saved(np.zeros(3)) + b"x", p_dot_npy=saved(np.zeros(3))), "more bytes than an array"),
        (zipped(), "holds no array"),
        (zipped(y_dot_npy=saved(np.zeros(3)))[:-30], "damaged ZIP archive"),
    ],
)
def test_a_damaged_archive_of_arrays_is_an_error_with_words(body, words, tmp_path):
    (tmp_path / "rows.npz").write_bytes(body)
    assert words in error(tmp_path / "rows.npz")


@pytest.mark.parametrize("save", SAVED)
def test_a_flipped_bit_of_an_archive_is_never_measured(save, tmp_path):
    rng = np.random.default_rng(2)
    SAVED[save](tmp_path / "rows.npz", y=rng.random(200), p=np.asfortranarray(rng.random((200, 2))))
    body = (tmp_path / "rows.npz").read_bytes()
    for place in range(300, len(body) - 400, 457):
        damaged = bytearray(body)
        damaged[place] ^= 16
        (tmp_path / "rows.npz").write_bytes(damaged)
        assert error(tmp_path / "rows.npz", prediction="y")


@pytest.mark.parametrize("name", ["npy", "npz"])
def test_what_is_only_read_is_refused_before_anything_is_done(name, tmp_path, lossctl):
    out = tmp_path / f"out.{name}"
    for asked in (["-o", out], ["-o", out, "-f", name], ["-f", name]):
        done = lossctl("samples", "nothing.csv", "-l", "mse", *asked)
        assert (done.status, done.out) == (2, "")
        assert f"{name} is read, not written" in done.err
        assert ".parquet" in done.err
    assert not out.exists()


def test_an_archive_of_arrays_says_what_it_is_and_which_array_is_no_text(tmp_path):
    path, asked = tmp_path / "rows.npz", {"label": "y", "prediction": "p", "loss": "mae"}
    np.savez(path, y=[1.0, 0], p=[0.5, 0.5], b=np.array([b"\xff", b"x"]))
    with pytest.raises(DataError, match=r"(?s)array 'b': bytes that are not UTF-8 text.*numpy\.char\.decode"):
        lossctl.evaluate(path, **asked)
    np.savez(path, y=[1.0, 0], p=[0.5, 0.5], b=np.char.decode(np.array([b"\xff", b"x"]), "latin-1"))
    assert lossctl.evaluate(path, **asked).value == 0.5
    with pytest.raises(DataError, match="read as csv, but holds npz"):
        lossctl.evaluate(path, **asked, reading=lossctl.Reading(format="csv"))
    assert lossctl.evaluate(path, **asked, reading=lossctl.Reading(format="npz")).value == 0.5
