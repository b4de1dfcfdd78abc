"""Files as people have them, of which other tools made something else."""

import uuid

import pyarrow as pa
import pytest
from joined import store
from reported import Reported

BCE = 0.27977656357934225
"""−(ln 0.9 + ln 0.8 + ln 0.6) / 3 by mpmath: labels 1, 0, 1 and predictions 0.9, 0.2, 0.6."""
MSE, MAE = (1.0 + 1.0) / 2, (0.5 + 1.0) / 2
Y, P = [1, 0, 1], [0.9, 0.2, 0.6]
COLUMNS = "-y y -p p -l bce"
IDS = [uuid.UUID(int=number) for number in (7 << 120, 2, 2**128 - 1)]
VIEWS = {"id": pa.array(["a", "b", "c"], pa.string_view()), "p": pa.array(P)}
WORDS = pa.array(["no", "yes"], pa.string_view())


def tensors(rows):
    flat = pa.array([number for row in rows for number in row])
    kind = pa.fixed_shape_tensor(pa.float64(), (2,))
    return pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(flat, 2))


def as_polars(columns):
    """The bytes of a file as Polars writes it: with views as words."""
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


REPORTED = [
    Reported(
        "decimal commas",
        "https://github.com/pola-rs/polars/issues/6698",
        {"in.csv": "y;p\n1,5;2,5\n10,25;9,25\n"},
        {
            "eval in.csv -d ';' -y y -p p -l mse": "For a decimal comma say --decimal ','",
            "eval in.csv -d ';' -y y -p p -l mse --decimal ,": [MSE],
            "doctor in.csv -d ';' --decimal ,": {"rows": 2, "runs": True},
        },
    ),
    Reported(
        "thousands separators",
        "https://github.com/tidyverse/readr/issues/799",
        {"in.csv": 'y,p\n"1,299.5","1,300.0"\n"2,000","1,999"\n'},
        {
            "eval in.csv -y y -p p -l mae": "For a thousands separator say --thousands ','",
            "eval in.csv -y y -p p -l mae --thousands ,": [MAE],
        },
    ),
    Reported(
        "Latin-1",
        "https://github.com/pola-rs/polars/issues/266",
        {
            "in.csv": "nom,y,p\né,1,0.9\na,0,0.2\nb,1,0.6\n".encode("latin-1"),
            "head.csv": "étiquette,p\n1,0.9\n0,0.2\n1,0.6\n".encode("latin-1"),
        },
        {
            f"samples in.csv {COLUMNS}": "It may be Latin-1, where it reads 'é': then say --encoding latin-1",
            "eval head.csv -y '#1' -p '#2' -l bce": "It may be Latin-1, where it reads 'étiquette'",
            f"samples in.csv {COLUMNS} --encoding latin-1": [{"nom": "é"}, {"nom": "a"}, {"nom": "b"}],
            "eval head.csv -y '#1' -p '#2' -l bce --encoding latin-1": [BCE],
        },
    ),
    Reported(
        "lines of comment above the header",
        "https://github.com/apache/datafusion/issues/10262",
        {"in.csv": "# model 7, fold 2\n# exported 2024\ny,p\n1,0.9\n0,0.2\n1,0.6\n"},
        {
            f"eval in.csv {COLUMNS}": "the first line looks like a comment",
            f"eval in.csv {COLUMNS} --comment '#'": [BCE],
            f"eval in.csv {COLUMNS} --skip-rows 2": [BCE],
        },
    ),
    Reported(
        "Excel's line that names the delimiter",
        "https://github.com/mechatroner/vscode_rainbow_csv/issues/108",
        {"in.csv": "sep=;\ny;p\n1;0.9\n0;0.2\n1;0.6\n"},
        {f"eval in.csv {COLUMNS}": [BCE], f"eval in.csv -d ';' {COLUMNS}": [BCE]},
    ),
    Reported(
        "R's names of rows, for which the header has no name",
        "https://github.com/Rdatatable/data.table/issues/763",
        {"in.csv": '"y","p"\n"1",1,0.9\n"2",0,0.2\n"3",1,0.6\n'},
        {f"eval in.csv {COLUMNS}": [BCE]},
    ),
    Reported(
        "quotes that are characters",
        "https://github.com/rewicks/ersatz/issues/1",
        {"in.tsv": 'text\ty\tp\n"Hello he said\t1\t0.9\nhe "x" said"\t0\t0.2\nok\t1\t0.6\n'},
        {
            f"eval in.tsv {COLUMNS}": "row 1: after the closing quote of",
            f"eval in.tsv {COLUMNS} --quote none": [BCE],
            f"samples in.tsv {COLUMNS} --quote none": [
                {"text": '"Hello he said'},
                {"text": 'he "x" said"'},
                {"text": "ok"},
            ],
        },
    ),
    Reported(
        "keys that are UUIDs",
        "https://github.com/apache/arrow/issues/46468, https://github.com/apache/arrow/issues/41962",
        {"in.parquet": pa.table({"id": pa.array([one.bytes for one in IDS], pa.uuid()), "y": Y, "p": P})},
        {
            f"samples in.parquet {COLUMNS}": [{"id": str(one)} for one in IDS],
            f"eval in.parquet --labels in.parquet --id id {COLUMNS}": [BCE],
            # −ln 0.8, −ln 0.9, −ln 0.6: groups in the order of their names.
            f"eval in.parquet {COLUMNS} --by id": [0.22314355131420976, 0.10536051565782630, 0.51082562376599068],
            "doctor in.parquet --id id -y y -p p": {"rows": 3, "runs": True},
        },
    ),
    Reported(
        "categories and enumerations of Polars",
        "https://github.com/narwhals-dev/narwhals/issues/3450, https://github.com/apache/arrow/issues/49368",
        {
            "in.arrow": as_polars(VIEWS | {"y": pa.DictionaryArray.from_arrays(pa.array(Y, pa.uint32()), WORDS)}),
            "enum.arrow": as_polars(
                VIEWS
                | {
                    "y": pa.array(["yes", "no", "yes"], pa.string_view()),
                    "g": pa.DictionaryArray.from_arrays(pa.array(Y, pa.uint8()), WORDS),
                }
            ),
        },
        {
            f"eval in.arrow {COLUMNS} --classes no,yes": [BCE],
            "doctor in.arrow -y y -p p": {"rows": 3, "runs": True},
            f"samples enum.arrow {COLUMNS} --classes no,yes": [
                {"id": name, "y": word, "g": word} for name, word in zip("abc", ("yes", "no", "yes"), strict=True)
            ],
        },
    ),
    Reported(
        "an object with one key twice",
        "https://github.com/duckdb/duckdb/issues/11152, https://github.com/bids-standard/bids-validator/issues/73",
        {"in.jsonl": '{"y":1,"p":0.9,"p":0.6}\n{"y":0,"p":0.2}\n'},
        {f"eval in.jsonl {COLUMNS}": "row 1: key 'p' stands twice in one object"},
    ),
    Reported(
        "lists in the cells of text",
        "https://github.com/salesforce/ml4ir/pull/102",
        {
            "in.csv": 'y,p\n0,"[0.9, 0.1]"\n1,"[0.2, 0.8]"\n0,"[0.6, 0.4]"\n',
            "numpy.csv": "y,p\n0,[0.9 0.1]\n1,[0.2 0.8]\n0,[0.6 0.4]\n",
        },
        {f"eval {name}.csv -y y -p p -l cross_entropy": [BCE] for name in ("in", "numpy")},
    ),
    Reported(
        "tensors, bytes that are booleans, runs",
        "https://github.com/ray-project/ray/pull/56284",
        {
            "tensor.parquet": pa.table({"y": [0, 1, 0], "p": tensors([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])}),
            "bool8.parquet": pa.table(
                {"y": pa.ExtensionArray.from_storage(pa.bool8(), pa.array(Y, pa.int8())), "p": P}
            ),
            "runs.feather": pa.table(
                {"y": Y, "p": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), pa.array(P))}
            ),
        },
        {
            "eval tensor.parquet -y y -p p -l cross_entropy": [BCE],
            f"eval bool8.parquet {COLUMNS}": [BCE],
            f"eval runs.feather {COLUMNS}": [BCE],
        },
    ),
]


@pytest.mark.parametrize("reported", REPORTED, ids=lambda reported: reported.name)
def test_what_people_reported_comes_out_right(reported, lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reported.hold(lossctl, tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_two_columns_of_one_name_both_stand_beside_the_rows(suffix, lossctl, tmp_path):
    # https://github.com/apache/datafusion/issues/24381
    path = tmp_path / f"in{suffix}"
    store(path, pa.Table.from_arrays([[1, 0], [0.9, 0.2], ["u", "v"], ["a", "b"]], ["y", "p", "x", "x"]))
    done = lossctl("samples", path, *COLUMNS.split(), "-f", "csv")
    assert [line.split(",")[-4:] for line in done.out.splitlines()] == [
        ["y", "p", "x", "x"],
        ["1", "0.9", "u", "a"],
        ["0", "0.2", "v", "b"],
    ]
    done = lossctl("samples", path, *COLUMNS.split(), "-f", "jsonl")
    assert (done.status, done.out) == (3, "")
    assert "two columns called 'x'" in done.err
