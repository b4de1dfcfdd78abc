"""Whatever bytes or tables come in, a result or a LossctlError comes out: the fuzzer's corpus and generated data."""

import gzip
import importlib.util
import io
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.cli.app import run
from lossctl.reading.format import format_for

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
EXITS = {0, 2, 3}


def _harness():
    spec = importlib.util.spec_from_file_location("fuzz_readers", CORPUS.parent / "fuzz_readers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


harness = _harness()


def outcome(path, *arguments, **asked):
    """The report or the LossctlError of the library; the command line must end in kind."""
    try:
        found = lossctl.evaluate(path, asked.pop("loss", None), **asked)
    except lossctl.LossctlError as error:
        found = error
    assert str(found).strip()
    assert run(["eval", str(path), "-q", "-q", *arguments]) in EXITS
    return found


# --- the corpus -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_an_input_of_the_fuzzer_gives_a_result_or_an_error_with_words(name):
    harness.check((CORPUS / name).read_bytes())


def test_the_seeds_in_the_corpus_cover_every_format_and_every_way_in():
    chosen = [harness.choices(path.read_bytes()) for path in CORPUS.iterdir()]
    assert {suffix for suffix, *_ in chosen} == {*harness.SUFFIXES, *harness.LATER}
    assert {wrap for _, wrap, *_ in chosen} == set(harness.WRAPS)
    assert {how for *_, how, _ in chosen} == {"evaluate", "samples", "worst", "join"}


# --- bytes ------------------------------------------------------------------------------------------------------------

NAMES = [f"rows{suffix}{wrap}" for suffix in (*harness.SUFFIXES, *harness.LATER) for wrap in ("", ".gz")]


@given(name=st.sampled_from(NAMES), content=st.binary(max_size=200))
def test_any_bytes_under_any_name_give_a_result_or_an_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    outcome(path)


@given(choices=st.tuples(*[st.integers(0, 255)] * 3), content=st.binary(max_size=300))
def test_any_bytes_with_any_options_give_a_result_or_an_error(choices, content):
    harness.check(bytes(choices) + content)


CELLS = st.one_of(
    st.sampled_from(
        ["0", "1", "0.5", "NA", "nan", "1e400", "-1e400", "inf", "", '"', '""', '"1"', "a", "1,2", "é", "\0"]
    ),
    st.text(max_size=6),
)


@settings(max_examples=80)
@given(
    header=st.lists(st.sampled_from(["y", "p", "w", "g", "", "p", '"y"', "é", "1"]), min_size=1, max_size=5),
    rows=st.lists(st.lists(CELLS, max_size=5), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    asked=st.sampled_from([{}, {"by": "g"}, {"weight": "w", "nulls": "drop"}, {"label": "#1", "prediction": "#2"}]),
)
def test_any_text_that_looks_like_csv_gives_a_result_or_an_error(tmp_path, header, rows, end, encoding, asked):
    path = tmp_path / "rows.csv"
    text = end.join(",".join(row) for row in [header, *rows])
    path.write_bytes(text.encode(encoding, "ignore"))
    outcome(path, loss="mse", **asked)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.sampled_from([10**400])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=80)
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["y", "p", "g", "\ud800"]), JSON, max_size=4), max_size=5),
    ascii_=st.booleans(),
    by=st.sampled_from([None, "g"]),
    nulls=st.sampled_from(["error", "drop"]),
)
def test_any_json_lines_give_a_result_or_an_error(tmp_path, rows, ascii_, by, nulls):
    import json

    path = tmp_path / "rows.jsonl"
    text = "\n".join(json.dumps(row, ensure_ascii=ascii_) for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    outcome(path, "-l", "mse", "--nulls", nulls, *(["--by", by] if by else []), loss="mse", by=by, nulls=nulls)


# --- mutated files ----------------------------------------------------------------------------------------------------


def _files():
    table = pa.table(
        {
            "y": [0.0, 1.0, 1.0, 0.0] * 3,
            "p": [0.25, None, 0.5, 0.75] * 3,
            "g": pa.array(["a", "b", None, "übel"] * 3).dictionary_encode(),
            "v": pa.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]] * 3),
            "s": ["x", "", "yy", "zzz"] * 3,
        }
    )
    made = {}
    for suffix in harness.SUFFIXES:
        sink = io.BytesIO()
        if suffix == ".parquet":
            pq.write_table(table, sink, row_group_size=5)
        else:
            writer = format_for(suffix).writer(sink, table.schema)
            for batch in table.to_batches(max_chunksize=5):
                writer.write_batch(batch)
            writer.close()
        made[f"rows{suffix}"] = sink.getvalue()
    text = made["rows.csv"]
    return made | {"rows.csv.gz": gzip.compress(text, mtime=0), "rows.jsonl.gz": gzip.compress(made["rows.jsonl"])}


FILES = _files()
ASKED = [
    ("-l", "mse", {"loss": "mse", "nulls": "drop", "by": "g"}),
    ("-l", "mse", {"loss": "mse", "nulls": "drop", "by": "s", "samples": 2, "gradient": True}),
    ("-l", "brier", {"loss": "cross_entropy", "label": "y", "prediction": "v"}),
]


@st.composite
def mutated(draw):
    """The name of a valid file, and its bytes with some flipped, cut, doubled or taken out."""
    name = draw(st.sampled_from(sorted(FILES)))
    content = bytearray(FILES[name])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(["cut", "flip", "set", "double", "remove", "zero"])):
            case "cut":
                del content[at:]
            case "flip" if content:
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if content:
                content[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 10, 34]))
            case "double":
                content[at:at] = content[at : at + length]
            case "remove":
                del content[at : at + length]
            case _:
                content[at : at + 4] = bytes(min(4, len(content) - at))
    return name, bytes(content)


@settings(max_examples=400)
@given(file=mutated(), asked=st.sampled_from(ASKED))
def test_a_damaged_file_gives_a_result_or_an_error(tmp_path, file, asked):
    name, content = file
    path = tmp_path / name
    path.write_bytes(content)
    outcome(path, *asked[:2], "--nulls", "drop", **asked[2])


@settings(max_examples=60)
@given(file=mutated(), command=st.sampled_from([["samples"], ["samples", "--top", "2"]]))
def test_the_per_sample_table_of_a_damaged_file_is_whole_or_an_error(tmp_path, file, command):
    name, content = file
    path, target = tmp_path / name, tmp_path / "out.arrows"
    target.unlink(missing_ok=True)
    path.write_bytes(content)
    status = run([*command, str(path), "-l", "mse", "--nulls", "drop", "-q", "-q", "-o", str(target)])
    assert status in EXITS
    assert target.exists() == (status == 0)
    if status == 0:
        pa.ipc.open_stream(target.read_bytes()).read_all().validate(full=True)
    assert {it.name for it in tmp_path.iterdir()} <= {name, "out.arrows"} | set(FILES)


# --- generated tables -------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.none(), st.sampled_from([0.0, 1.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7e308, 0.5]), st.floats()
)
KINDS = {
    "float64": (pa.float64(), NUMBERS),
    "float32": (pa.float32(), st.floats(width=32) | st.none()),
    "float16": (pa.float16(), st.floats(width=16).map(np.float16) | st.none()),
    "int8": (pa.int8(), st.integers(-128, 127) | st.none()),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.none()),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1) | st.none()),
    "bool": (pa.bool_(), st.booleans() | st.none()),
    "null": (pa.null(), st.none()),
    "decimal": (pa.decimal128(38, 2), st.decimals(-(10**6), 10**6, places=2) | st.none()),
    "string": (pa.string(), st.sampled_from(["", "a", "b", "1", "nan", "é\n", '"']) | st.none()),
    "large_string": (pa.large_string(), st.sampled_from(["", "a", "0"]) | st.none()),
    "binary": (pa.binary(), st.binary(max_size=3) | st.none()),
    "date": (pa.date32(), st.dates() | st.none()),
    "timestamp": (pa.timestamp("us"), st.integers(-(2**62), 2**62) | st.none()),
    "duration": (pa.duration("s"), st.integers(-(2**40), 2**40) | st.none()),
    "list": (pa.list_(pa.float64()), st.lists(NUMBERS, max_size=3) | st.none()),
    "large_list": (pa.large_list(pa.int32()), st.lists(st.integers(0, 9) | st.none(), max_size=2) | st.none()),
    "pair": (pa.list_(pa.float32(), 2), st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=2) | st.none()),
    "nothing": (pa.list_(pa.float32(), 0), st.just([]) | st.none()),
    "words": (pa.list_(pa.string()), st.lists(st.text(max_size=2), max_size=2) | st.none()),
    "struct": (pa.struct([("a", pa.int64())]), st.fixed_dictionaries({"a": st.integers(0, 9)}) | st.none()),
    "map": (pa.map_(pa.string(), pa.int64()), st.just([("a", 1)]) | st.none()),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""]) | st.none()),
    "numbered": (pa.dictionary(pa.int32(), pa.float64()), st.sampled_from([0.0, 1.0]) | st.none()),
}
TITLES = st.sampled_from(["", " ", *"y p q g w label prediction é p_a p_b #1 y,p * a=b".split()])


@st.composite
def tables(draw):
    """A table of up to five columns of any type and any name, some names twice."""
    n = draw(st.integers(0, 4))
    names = draw(st.lists(TITLES, max_size=5))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=len(names), max_size=len(names)))
    columns = [
        pa.array(draw(st.lists(KINDS[kind][1], min_size=n, max_size=n)), KINDS[kind][0], from_pandas=False)
        for kind in kinds
    ]
    return pa.Table.from_arrays(columns, names)


def _some(table):
    names = table.column_names
    return st.sampled_from(sorted({*names, "y", "p", "#1", "#2", "p_*", "y,p"}))


@settings(max_examples=300)
@given(data=st.data(), table=tables())
def test_any_table_gives_a_report_or_an_error_and_the_same_from_a_file(tmp_path, data, table):
    pick = _some(table)
    asked = {
        "loss": data.draw(st.sampled_from([None, "mse", "bce", "cross_entropy", ["mae", "poisson"], "hinge"])),
        "label": data.draw(st.none() | pick),
        "prediction": data.draw(st.none() | pick),
        "weight": data.draw(st.none() | pick),
        "by": data.draw(st.none() | pick),
        "nulls": data.draw(st.sampled_from(["error", "drop"])),
        "classes": data.draw(st.sampled_from([(), ("a", "b"), ("0", "1")])),
        "gradient": data.draw(st.booleans()),
        "samples": data.draw(st.integers(0, 2)),
        "normalize_rows": data.draw(st.booleans()),
    }
    outcomes = []
    for suffix in (None, ".arrow", ".arrows", ".parquet"):
        source = table
        if suffix is not None:
            source = str(tmp_path / f"rows{suffix}")
            with open(source, "wb") as file:
                try:
                    writer = format_for(suffix).writer(file, table.schema)
                    for batch in table.to_batches():
                        writer.write_batch(batch)
                    writer.close()
                except (pa.ArrowException, OSError):
                    continue  # Parquet has no such type
        try:
            outcomes.append([repr(result) for result in lossctl.evaluate(source, **asked).results])
        except lossctl.LossctlError as error:
            # A place tells columns of one name apart in a table, and not in a file; of some lists Arrow cannot read
            # back what it wrote.
            if suffix is None or not re.search("columns called|Expected all lists to be of size", str(error)):
                outcomes.append(error.status)
    assert all(found == outcomes[0] for found in outcomes), outcomes


@settings(max_examples=100)
@given(table=tables(), suffix=st.sampled_from(harness.SUFFIXES))
@example(table=pa.table({"y": [1.0], "p": [2.0], "e": pa.array([[]], pa.list_(pa.float32(), 0))}), suffix=".csv")
def test_the_command_line_takes_any_table_and_writes_all_of_it_or_nothing(tmp_path, table, suffix):
    source, target = tmp_path / "rows.arrows", tmp_path / f"out{suffix}"
    target.unlink(missing_ok=True)
    with pa.ipc.new_stream(source, table.schema) as writer:
        writer.write_table(table)
    status = run(["samples", str(source), "-l", "mae", "--nulls", "drop", "-q", "-q", "-o", str(target)])
    assert status in EXITS
    assert target.exists() == (status == 0)
    if status == 0:
        assert target.stat().st_size > 0
    assert not [it for it in tmp_path.iterdir() if it.name.startswith(".")]
