"""Columns and rows as they come: nulls, names, classes, vectors, types, files in parts."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import write_lines
from transcripts import close


def test_nulls_dropped_are_counted(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p,g", "1,2,a", ",3,a", "2,,b", "nan,NA,b", "5,5,b")
    done = lossctl("eval", file, "-l", "mse", "--nulls", "drop", "-f", "json")
    (result,) = done.json["results"]
    assert (result["value"], result["n"], result["n_null"]) == (0.5, 2, 3)
    assert done.json["inputs"]["nulls"] == {"y": 2, "p": 2}
    assert (done.json["inputs"]["rows"], done.json["inputs"]["rows_used"]) == (5, 2)
    assert "5 read, 2 used, 3 dropped" in lossctl("eval", file, "-l", "mse", "--nulls", "drop").out
    by = lossctl("eval", file, "-l", "mse", "--nulls", "drop", "--by", "g", "-f", "json").json["results"]
    assert [(it["group"]["g"], it["n"], it["n_null"]) for it in by] == [("a", 1, 1), ("b", 1, 2)]


def test_eps_0_gives_an_honest_infinity(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p", "1,0", "0,0.25")
    floored = lossctl("eval", file, "-l", "bce", "-f", "json").json["results"][0]
    assert floored["n_clipped"] == 1
    assert floored["value"] == close((-math.log(2.0**-52) - math.log(0.75)) / 2)
    assert lossctl("eval", file, "-l", "bce", "--eps", "0", "-f", "value").out == "inf\n"
    honest = lossctl("eval", file, "-l", "bce", "--eps", "0", "-f", "json").json["results"][0]
    assert (honest["value"], honest["n_infinite"], honest["n_clipped"]) == (None, 1, 0)
    assert honest["nonfinite"]["value"] == "Infinity"


def test_text_labels_of_a_binary_loss_are_named_by_classes(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p", "no,0.25", "yes,0.5")
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert lossctl("eval", file, "-l", "bce", "--classes", "no,yes", "-f", "json").values == [close(expected)]
    swapped = (-math.log(0.25) - math.log(0.5)) / 2
    assert lossctl("eval", file, "-l", "bce", "--classes", "yes,no", "-f", "json").values == [close(swapped)]


def test_the_note_about_a_chosen_loss_names_the_loss_shown(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p", "no,0.25", "yes,0.5")
    done = lossctl("eval", file, "--classes", "no,yes", "-f", "json")
    assert [result["loss"] for result in done.json["results"]] == ["bce"]
    assert "; loss: bce, chosen" in done.err


def test_text_labels_find_their_column_by_suffix_or_classes(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p_cat,p_dog", "dog,0.25,0.75", "cat,0.5,0.5")
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    for flags in ([], ["--classes", "dog,cat"], ["--classes", "cat,dog"]):
        done = lossctl("eval", file, "-l", "cross_entropy", "-p", "p_*", *flags, "-f", "json")
        assert done.values == [close(expected)]
    file = write_lines(tmp_path / "bare.csv", "y,a,b", "dog,0.25,0.75", "cat,0.5,0.5")
    done = lossctl("eval", file, "-l", "cross_entropy", "-p", "a,b", "--classes", "cat,dog", "-f", "json")
    assert done.values == [close(expected)]


@pytest.mark.parametrize(
    ("pattern", "model", "columns"),
    [
        ("mine=p_1", "mine", ["p_1"]),
        ("/^p_1$/", "p_1", ["p_1"]),
        ("#2", "p_10", ["p_10"]),
        ("all=p_*", "all", ["p_1", "p_2", "p_10"]),
        ("p_*", "p_*", ["p_1", "p_2", "p_10"]),
        (r"/p_\d+/", r"/p_\d+/", ["p_1", "p_2", "p_10"]),
        ("p_2,p_1", "p_2,p_1", ["p_2", "p_1"]),
        ("p_[12]", "p_[12]", ["p_1", "p_2"]),
        ("a=b", "a=b", ["a=b"]),
    ],
)
def test_a_prediction_is_named_globbed_matched_or_numbered(lossctl, tmp_path, pattern, model, columns):
    file = write_lines(tmp_path / "data.csv", "y,p_10,p_2,p_1,t,u,v,a=b", "1,10,2,1,0,0,0,3")
    labels = [] if len(columns) == 1 else ["-y", ",".join(["t", "u", "v"][: len(columns)])]
    done = lossctl("eval", file, "-l", "mse", "-p", pattern, *(labels or ["-y", "y"]), "-f", "json")
    assert done.status == 0
    assert done.json["inputs"]["models"] == {model: columns}


def test_numbered_classes_keep_their_natural_order(lossctl, tmp_path):
    names = [f"p_{at}" for at in range(11)]
    shuffled = sorted(names)
    assert shuffled != names
    row = {name: "0.75" if name == "p_2" else "0.25" if name == "p_10" else "0" for name in names}
    file = write_lines(
        tmp_path / "data.csv", ",".join(["y", *shuffled]), ",".join(["2", *(row[it] for it in shuffled)])
    )
    done = lossctl("eval", file, "-l", "cross_entropy", "-p", "p_*", "-f", "json")
    assert done.json["inputs"]["models"] == {"p_*": names}
    assert done.values == [close(-math.log(0.75))]


VECTORS = [[0.25, 0.75], [0.5, 0.5], [0.875, 0.125]]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2)],
    ids=str,
)
def test_a_column_of_lists_is_a_vector_prediction(lossctl, tmp_path, kind):
    file, twin = tmp_path / "lists.parquet", tmp_path / "columns.parquet"
    pq.write_table(pa.table({"y": [1, 0, 0], "v": pa.array(VECTORS, kind)}), file)
    pq.write_table(pa.table({"y": [1, 0, 0], **dict(zip("ab", np.transpose(VECTORS), strict=True))}), twin)
    flags = ["-l", "cross_entropy", "--grad", "--samples", "3", "-f", "json"]
    done, same = lossctl("eval", file, "-p", "v", *flags), lossctl("eval", twin, "-p", "v=a,b", *flags)
    assert done.status == 0
    assert done.json["results"] == same.json["results"]
    target = tmp_path / "rows.parquet"
    assert lossctl("samples", file, "-p", "v", "-l", "cross_entropy", "-o", target).status == 0
    assert pq.read_table(target)["gradient"].to_pylist() == [[0, -1 / 0.75], [-2, 0], [-1 / 0.875, 0]]


def test_normalize_rows_divides_by_the_sum_and_nothing_else_does(lossctl, tmp_path):
    file = write_lines(tmp_path / "data.csv", "y,p_a,p_b", "a,2,2", "b,1,3")
    command = ["eval", file, "-l", "cross_entropy", "-p", "p_*", "-f", "json"]
    assert lossctl(*command).status == 3
    done = lossctl(*command, "--normalize-rows")
    assert done.values == [close((-math.log(0.5) - math.log(0.75)) / 2)]
    assert done.json["settings"]["normalize_rows"] is True


WHOLE, QUARTERS = [0.0, 1.0, 1.0, 0.0, 1.0], [0.25, 0.5, 1.0, 0.0, 0.75]


@pytest.mark.parametrize(
    ("kind", "prediction"),
    [
        (pa.bool_(), WHOLE[::-1]),
        (pa.int8(), WHOLE[::-1]),
        (pa.uint8(), WHOLE[::-1]),
        (pa.int64(), WHOLE[::-1]),
        (pa.float16(), QUARTERS),
        (pa.float32(), QUARTERS),
        (pa.decimal128(10, 4), QUARTERS),
        (pa.decimal256(40, 4), QUARTERS),
        (pa.dictionary(pa.int32(), pa.float64()), QUARTERS),
        (pa.dictionary(pa.int8(), pa.float64()), QUARTERS),
    ],
    ids=lambda it: str(it) if isinstance(it, pa.DataType) else "",
)
def test_storage_changes_no_digit(lossctl, tmp_path, kind, prediction):
    def column(values, kind):
        if pa.types.is_dictionary(kind):
            return pa.array(values).dictionary_encode().cast(kind)
        if pa.types.is_decimal(kind):
            return pa.array([Decimal(str(value)) for value in values], kind)
        if pa.types.is_float16(kind):
            return pa.array(np.array(values, dtype=np.float16))
        return pa.array(values).cast(kind)

    def report(kind):
        path = tmp_path / "data.parquet"
        columns = {
            "y": column(WHOLE, kind),
            "p": column(prediction, kind),
            "w": column([1.0, 1.0, 0.0, 1.0, 1.0], kind),
        }
        pq.write_table(pa.table(columns), path)
        done = lossctl("eval", path, "-l", "bce,mse,huber", "-w", "w", "--grad", "--samples", "3", "-f", "json")
        assert done.status == 0, done.err
        return done.json

    assert report(kind) == report(pa.float64())


def test_quoted_line_ends_in_a_file_of_several_shards_change_nothing(lossctl, tmp_path):
    rows, width = 60_000, 200
    rng = np.random.default_rng(1)
    label, prediction = rng.integers(0, 100, rows) / 8, rng.integers(0, 100, rows) / 8
    note = "x" * (width // 2) + "\n" + "x" * (width // 2)
    quoted, plain = tmp_path / "quoted.csv", tmp_path / "plain.csv"
    with quoted.open("w") as text:
        text.write("y,p,note\n")
        text.writelines(f'{y},{p},"{note}"\n' for y, p in zip(label.tolist(), prediction.tolist(), strict=True))
    with plain.open("w") as text:
        text.write("y,p\n")
        text.writelines(f"{y},{p}\n" for y, p in zip(label.tolist(), prediction.tolist(), strict=True))
    assert quoted.stat().st_size > 9 << 20
    command = ["-l", "mse,huber", "--samples", "20", "-f", "json"]
    done = lossctl("eval", quoted, *command)
    assert done.status == 0
    assert done.json["results"] == lossctl("eval", plain, *command).json["results"]
    target = tmp_path / "worst.parquet"
    assert lossctl("samples", quoted, "-l", "mse", "--top", "20", "-o", target).status == 0
    worst = pq.read_table(target)
    assert worst["row"].to_pylist() == [it["row"] for it in done.json["results"][0]["samples"]]
    assert set(worst["note"].to_pylist()) == {note}


@pytest.mark.parametrize(
    "content",
    [
        b"y,p\r\n1,2\r\n3,5\r\n",
        b"\xef\xbb\xbfy,p\n1,2\n3,5\n",
        b'\xef\xbb\xbf"y","p"\r\n"1","2"\r\n3,5',
        b"y,p\n1,2\n3,5",
        b"y,p\n\n1,2\n\n3,5\n\n",
        b"\ny,p\n1,2\n3,5\n",
    ],
    ids=["CRLF", "BOM", "BOM and quotes", "no last line end", "blank lines", "blank first line"],
)
def test_spellings_of_one_csv_mean_the_same(lossctl, tmp_path, content):
    file = tmp_path / "data.csv"
    file.write_bytes(content)
    done = lossctl("eval", file, "-l", "mse", "-f", "json")
    assert done.status == 0
    assert done.values == [2.5]


def test_several_files_are_one_data_set(lossctl, sample_data, tmp_path, answer):
    lines = (sample_data / "regression.csv").read_text().splitlines()
    parts = [
        write_lines(tmp_path / f"part_{at}.csv", lines[0], *lines[at * 200 + 1 : at * 200 + 201]) for at in range(3)
    ]
    done = lossctl("eval", *parts, "-l", "huber", "-f", "json")
    assert done.values == [answer("regression.csv", "huber", "prediction")["value"]]
    assert done.json["inputs"]["files"] == [str(part) for part in parts]


@pytest.mark.parametrize("flags", [["--engine", "serial"], ["--threads", "1"], ["--threads", "7"]])
def test_engine_and_threads_change_no_digit(lossctl, tmp_path, flags):
    file = tmp_path / "data.parquet"
    rng = np.random.default_rng(3)
    pq.write_table(pa.table({"y": rng.normal(size=9000), "p": rng.normal(size=9000)}), file, row_group_size=700)
    command = ["eval", file, "-l", "mse,log_cosh", "--grad", "--samples", "4", "-f", "json"]
    assert lossctl(*command, *flags).out == lossctl(*command).out
