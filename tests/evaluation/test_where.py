"""Rows are chosen alike in every format, by every engine: as plain Python chooses them."""

import datetime as dt
import operator
import struct
import zoneinfo
from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import ON_DISK, narrow, stored, stored_as

import lossctl
from lossctl.reading.holding import holding
from lossctl.reading.where import parsed

SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
WORDS = ("mobile", "web", "tv", "é")
N = 230


def _row(row):
    day = dt.date(2024, 1, 1) + dt.timedelta(days=row)
    return {
        "y": row % 7 / 4,
        "p": row % 5 / 8,
        "segment": None if row % 11 == 3 else WORDS[row * 5 % 4],
        "n": None if row % 13 == 5 else row // 3 - 20,
        "unit price": None if row % 17 == 2 else (row * 37 % 101) / 4,
        "day": str(day),
    }


ROWS = [_row(row) for row in range(N)]
TABLE = pa.Table.from_pylist(ROWS)
ASKED = {"label": "y", "prediction": "p", "threads": 1}
ENGINES = [("threads", 3), ("processes", 2)]


def _compared(name, sign, value, shown):
    return f"{shown} {sign} {_said(value)}", lambda row: None if row[name] is None else SIGNS[sign](row[name], value)


def _said(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _among(name, values, negated, shown):
    def holds(row):
        return None if row[name] is None else (row[name] in values) is not negated

    return f"{shown} {'not ' * negated}in ({', '.join(map(_said, values))})", holds


def _missing(name, negated, shown):
    return f"{shown} is {'not ' * negated}null", lambda row: (row[name] is None) is not negated


def _not(inner):
    text, holds = inner
    return f"not ({text})", lambda row: None if holds(row) is None else not holds(row)


def _both(word, decisive):
    def join(pair):
        (first, one), (second, other) = pair

        def holds(row):
            truths = {one(row), other(row)}
            return decisive if decisive in truths else None if None in truths else not decisive

        return f"({first}) {word} ({second})", holds

    return join


COLUMNS = [
    ("segment", "segment", st.sampled_from([*WORDS, "", "n"]).filter(bool)),
    ("n", "n", st.one_of(st.integers(-30, 70), st.sampled_from([0.5, -3.0, 1e9]))),
    ("unit price", "`unit price`", st.sampled_from([0, 0.25, 3, 12.75, 25.0, 30])),
    ("day", "day", st.sampled_from(["2024-01-01", "2024-02-29", "2024-05-17", "2025-01-01"])),
]


@st.composite
def _leaf(draw):
    name, shown, values = draw(st.sampled_from(COLUMNS))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return _missing(name, draw(st.booleans()), shown)
    if kind == 1:
        return _among(name, draw(st.lists(values, min_size=1, max_size=3)), draw(st.booleans()), shown)
    return _compared(name, draw(st.sampled_from([*SIGNS])), draw(values), shown)


CONDITIONS = st.recursive(
    _leaf(),
    lambda inner: st.one_of(
        inner.map(_not),
        st.tuples(inner, inner).map(_both("and", decisive=False)),
        st.tuples(inner, inner).map(_both("or", decisive=True)),
    ),
    max_leaves=5,
)


def _chosen(holds, limit=None):
    return [row for row, cells in enumerate(ROWS) if holds(cells) is True][:limit]


def _mse(rows):
    errors = [(Fraction(ROWS[row]["p"]) - Fraction(ROWS[row]["y"])) ** 2 for row in rows]
    return float(sum(errors) / len(errors))


def _worst(rows):
    return 1 + max(rows, key=lambda row: ((ROWS[row]["p"] - ROWS[row]["y"]) ** 2, -row))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """The table in every format; dates are dates where a format has them."""
    folder, files = tmp_path_factory.mktemp("where"), {}
    days = pa.array([dt.date.fromisoformat(row["day"]) for row in ROWS])
    typed = TABLE.set_column(5, "day", days)
    for found in ON_DISK:
        table = typed if found.name in {"parquet", "arrow", "orc"} else TABLE
        files[found.name] = folder / f"a{found.suffixes[0]}"
        files[found.name].write_bytes(stored_as(found, table))
    return files


@settings(max_examples=25)
@given(condition=CONDITIONS, limit=st.sampled_from([None, None, 1, 7, 1000]))
def test_the_rows_chosen_are_those_of_plain_python_in_every_format(paths, condition, limit):
    text, holds = condition
    rows = _chosen(holds, limit)
    for path in (*map(str, paths.values()), TABLE):
        if not rows:
            with pytest.raises(lossctl.DataError, match=f"none of {N} rows is chosen"):
                lossctl.evaluate(path, "mse", **ASKED, where=text)
            continue
        report = lossctl.evaluate(path, "mse", **ASKED, where=text, limit=limit, samples=1)
        (result,) = report.results
        assert (result.n, result.value) == (len(rows), _mse(rows)), (path, text)
        assert result.samples[0].row == _worst(rows)
        assert report.inputs["rows_chosen"] == len(rows)


def in_formats(paths):
    """Limits with formats: all of these under one, and one under each."""
    return [(60, paths.values()), (None, [paths["csv"]]), (1, [paths["jsonl"]]), (5, [paths["parquet"]])]


@pytest.mark.parametrize(("engine", "threads"), ENGINES)
def test_no_bit_depends_on_the_engine(paths, engine, threads, monkeypatch):
    narrow(monkeypatch, 2000)
    text = 'segment in ("mobile", "web") and not n < -10 or `unit price` is null'
    for limit, found in in_formats(paths):
        for path in found:
            run = {**ASKED, "where": text, "limit": limit, "samples": 3}
            expected = lossctl.evaluate(path, "huber", **run, engine="serial").to_dict()["results"]
            report = lossctl.evaluate(path, "huber", **{**run, "threads": threads}, engine=engine)
            assert report.to_dict()["results"] == expected, (path, limit)


@pytest.mark.parametrize("command", ["eval", "samples", "plot", "doctor", "gradcheck"])
def test_every_command_takes_the_chosen_rows_alone(lossctl, tmp_path, command):
    """Of rows that are not chosen nothing matters: no null, no text that is no probability, nothing after the limit."""
    path = tmp_path / "a.csv"
    good = "".join(f"{row % 2},0.{row % 8 + 1},a\n" for row in range(20))
    path.write_text(f"y,p,g\n7,,b\n{good}0,5,b\n1,9,a\n")
    names = ["bce"] if command == "gradcheck" else []
    loss = ["-l", "bce"] if command in {"eval", "samples", "plot"} else []
    outcome = lossctl(command, *names, str(path), "-y", "y", "-p", "p", *loss, "--where", 'g == "a"', "--limit", "20")
    assert outcome.status == 0, outcome
    assert "null" not in outcome.err
    assert "only the first 20 chosen rows" in outcome.out + outcome.err
    if command == "samples":
        assert [line.split(",")[0] for line in outcome.out.splitlines()[1:]] == [str(row) for row in range(2, 22)]


def test_row_numbers_in_errors_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y,p,g\n" + "0,0.5,b\n" * 30 + "0,0.5,a\n" + "0,7,a\n")
    with pytest.raises(lossctl.DataError, match=r"row 32: .*\(1 in the first 32 rows\)"):
        lossctl.evaluate(path, "bce", **ASKED, where='g == "a"')


def test_row_groups_whose_bounds_exclude_the_condition_are_not_read(tmp_path):
    """Their bytes may be anything."""
    path = tmp_path / "a.parquet"
    days = pa.array([dt.date.fromisoformat(row["day"]) for row in ROWS])
    pq.write_table(TABLE.set_column(5, "day", days), path, row_group_size=23, compression="none", use_dictionary=False)
    footer = pq.read_metadata(path)
    body = bytearray(path.read_bytes())
    for group in range(5):
        for place in range(footer.num_columns):
            column = footer.row_group(group).column(place)
            body[column.data_page_offset : column.data_page_offset + column.total_compressed_size] = bytes(
                column.total_compressed_size
            )
    path.write_bytes(body)
    for text in ("n >= 19", 'day > "2024-04-25"', "n in (20, 25) or n > 30.5", 'not (day <= "2024-04-25" or n < 3)'):
        rows = _chosen(eval_in_python(text))
        report = lossctl.evaluate(path, "mse", **ASKED, where=text, samples=1)
        assert (report.inputs["rows"], report.results[0].n, report.value) == (N, len(rows), _mse(rows))
        assert report.results[0].samples[0].row == _worst(rows)


def eval_in_python(text):
    """What the four texts above mean."""
    return {
        "n >= 19": lambda row: row["n"] is not None and row["n"] >= 19,
        'day > "2024-04-25"': lambda row: row["day"] > "2024-04-25",
        "n in (20, 25) or n > 30.5": lambda row: row["n"] is not None and (row["n"] in {20, 25} or row["n"] > 30.5),
        'not (day <= "2024-04-25" or n < 3)': lambda row: (
            row["day"] > "2024-04-25" and row["n"] is not None and row["n"] >= 3
        ),
    }[text]


@pytest.mark.parametrize("how", ["strict", "inner", "order"])
def test_after_a_join_columns_of_either_side_choose(tmp_path, how):
    left, right = tmp_path / "p.csv", tmp_path / "y.csv"
    left.write_text("id,p,g\n" + "".join(f"{row},{ROWS[row]['p']},{row % 3}\n" for row in range(N)))
    right.write_text("id,y,segment\n" + "".join(f"{row},{ROWS[row]['y']},{ROWS[row]['segment']}\n" for row in range(N)))
    rows = [row for row in range(N) if ROWS[row]["segment"] == "web" and row % 3 > 0 and row >= 50]
    key = {} if how == "order" else {"ids": "id"}
    asked = 'segment == "web" and g > 0' + (" and id >= 50" if key else "")
    rows = rows if key else [row for row in range(N) if ROWS[row]["segment"] == "web" and row % 3 > 0]
    report = lossctl.evaluate(left, "mse", **ASKED, labels=right, join=how, **key, where=asked, samples=1)
    assert (report.results[0].n, report.value) == (len(rows), _mse(rows))
    assert report.results[0].samples[0].row == _worst(rows)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ('segmnt == "web"', "character 1: no column 'segmnt'", "segment"),
        ("segment == web", "character 12: no column 'web'", 'quoted: "web"'),
        ("segment > 3", "character 11: column 'segment' holds text", 'Quote it: "3"'),
        ("segment == true", "holds text, and true is a truth", 'Quote it: "true"'),
        ('n == "true"', "character 6: column 'n' holds numbers", "Leave the quotes out: true"),
        ('n == "nan"', "character 6: column 'n' holds numbers", "found with is null"),
        ("n == nan", "character 6: no column 'nan'", "found with is null"),
        ("n < inf", "character 5: no column 'inf'", "1e999"),
        ('segment in ("a", "\udcff")', "character 19: '\\udcff' is no character", "UTF-8"),
        ("n in [1, 2]", "character 6: '[' cannot be read", "in (1, 2)"),
        ("n > 1_000", "character 5: '1' cannot be read", "No letter or _ belongs to a number"),
        ("n > 1 and " * 900 + "zz > 1", "where '…n > 1 and ", ""),
        ("n > 1 and " * 900 + "zz > 1", "zz > 1', character 9001: no column 'zz'", ""),
        ('n < 5 or n == "5"', "character 15: column 'n' holds numbers", "Leave the quotes out: 5"),
        ("n > 3 && n < 5", "character 7: '&&' cannot be read", "Write and"),
        ("n == null", "character 6: a value must come, not 'null'", "is null"),
        ("n >", "character 4: a value must come, not the end", ""),
        ("n", "a comparison must come", ""),
        ("(n > 3", "')' must come, not the end", ""),
        ("1 < 2", "comparison of two values", "column"),
        ("", "a column must come", ""),
        ("segment == 'web", "cannot be read", "opened and never closed"),
        ('segment == ""', "an empty text is null", "segment is null"),
        ("n == segment", "cannot be compared: number and text", ""),
        ("__import__('os')", "character 11: a comparison must come", ""),
        ("(" * 200 + "n > 1", "levels deep", ""),
    ],
)
def test_what_is_no_condition_is_said_with_its_place(text, what, hint):
    with pytest.raises(lossctl.UsageError) as wrong:
        lossctl.evaluate(TABLE, "mse", **ASKED, where=text)
    assert what in wrong.value.what
    assert hint in wrong.value.hint


def test_a_date_that_is_none_is_said(paths):
    with pytest.raises(lossctl.UsageError, match="'yesterday' is nothing that a column of type date32"):
        lossctl.evaluate(paths["parquet"], "mse", **ASKED, where='day > "yesterday"')


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_1(limit):
    with pytest.raises(lossctl.UsageError, match="limit must be 1 or more"):
        lossctl.evaluate(TABLE, "mse", **ASKED, limit=limit)


def test_numbers_are_exact_where_doubles_are_not(tmp_path):
    large = 2**53
    for kind in (pa.int64(), pa.uint64(), pa.decimal128(20, 0)):
        ids = pa.array([large, large + 1, large + 2], pa.int64()).cast(kind)
        table = pa.table({"y": [0.0, 0.0, 0.0], "p": [1.0, 2.0, 3.0], "id": ids})
        path = tmp_path / "a.csv"
        path.write_text("y,p,id\n" + "".join(f"0,{row + 1},{large + row}\n" for row in range(3)))
        for source in (table, path):
            assert lossctl.evaluate(source, "mse", **ASKED, where=f"id == {large + 1}").value == 4.0
            assert lossctl.evaluate(source, "mse", **ASKED, where=f"id > {large + 1}").value == 9.0


@pytest.mark.parametrize("digits", [308, 309, 400, 5000])
def test_a_number_with_more_digits_than_any_is_past_all(digits):
    table = TABLE.append_column("d", TABLE["n"].cast(pa.decimal128(20, 0)))
    many = [row for row in range(N) if ROWS[row]["n"] is not None]
    for name in ("n", "d", "y"):
        report = lossctl.evaluate(table, "mse", **ASKED, where=f"-{'9' * digits} < {name} < {'9' * digits}")
        assert report.results[0].n == (N if name == "y" else len(many))


STORED = {
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "int8": pa.int8(),
    "short decimals": pa.decimal128(20, 0),
    "decimals": pa.decimal128(38, 15),
    "long decimals": pa.decimal256(76, 55),
}
NEAR = [0, 1, 7, 2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, 2**63, 2**64 - 1]


@settings(max_examples=50)
@given(
    pairs=st.lists(st.tuples(*[st.sampled_from([None, *NEAR])] * 2), min_size=1, max_size=8),
    kinds=st.tuples(*[st.sampled_from([*STORED, "text"])] * 2),
    sign=st.sampled_from([*SIGNS]),
)
def test_two_columns_are_compared_to_their_last_digit(pairs, kinds, sign):
    sides, columns = [*zip(*pairs, strict=True)], []
    for side, kind in zip(sides, kinds, strict=True):
        most = {"int8": 2**7, "int64": 2**63}.get(kind, 2**64)
        cells = [cell if cell is None or cell < most else 7 for cell in side]
        held = pa.array([None if cell is None else str(cell) for cell in cells])
        columns.append((cells, held if kind == "text" else pa.array(cells, STORED[kind])))
    (left, one), (right, two) = columns
    condition, record = parsed(f"a {sign} b"), pa.record_batch([one, two], ["a", "b"])
    chosen = holding(condition, record, {"a": "number", "b": "number"})
    expected = [None not in cells and SIGNS[sign](*cells) for cells in zip(left, right, strict=True)]
    assert chosen.tolist() == expected


ZONE = "Europe/Berlin"
MIDNIGHT = dt.datetime.fromisoformat("2024-01-01")
NOON = dt.datetime.fromisoformat("2024-01-01 12:00:00.500")
AT = {
    pa.date32(): MIDNIGHT,
    pa.date64(): MIDNIGHT,
    pa.timestamp("s"): NOON.replace(microsecond=0),
    pa.timestamp("ns"): NOON,
    pa.timestamp("us", "UTC"): NOON.replace(tzinfo=dt.UTC),
    pa.timestamp("ms", ZONE): NOON.replace(tzinfo=zoneinfo.ZoneInfo(ZONE)),
}
"""What cells of each type hold here."""


@pytest.mark.parametrize("one", AT, ids=str)
@pytest.mark.parametrize("two", AT, ids=str)
def test_dates_and_times_of_all_types_are_compared_to_their_last_digit(one, two):
    """Where one has a zone the other is in it."""
    left, right = AT[one], AT[two]
    left = left.replace(tzinfo=left.tzinfo or right.tzinfo)
    right = right.replace(tzinfo=right.tzinfo or left.tzinfo)
    cells = [pa.array([AT[kind], None]).cast(pa.timestamp("ns", getattr(kind, "tz", None))) for kind in (one, two)]
    record = pa.record_batch([cell.cast(kind) for cell, kind in zip(cells, (one, two), strict=True)], ["a", "b"])
    for sign, holds in SIGNS.items():
        chosen = holding(parsed(f"a {sign} b"), record, {"a": "other", "b": "other"})
        assert chosen.tolist() == [holds(left, right), False], sign


def test_what_is_no_time_is_not_compared_with_one():
    table = pa.table({"y": [0.0], "p": [1.0], "day": [dt.date(2024, 1, 1)], "time": [dt.time(1)], "tags": [["a"]]})
    for text in ("day < time", 'tags == "a"', "tags == time", "day != tags"):
        with pytest.raises(lossctl.UsageError, match=r"where.* (cannot be|is not) compared"):
            lossctl.evaluate(table, "mse", **ASKED, where=text)


def test_bounds_of_text_may_end_within_a_character(tmp_path):
    """As writers leave them that cut long text."""
    path, words = tmp_path / "a.parquet", ["Áé", "m", "ÿé", "z"]
    table = pa.table({"y": [0.0] * 4, "p": [1.0, 2.0, 3.0, 4.0], "word": words})
    pq.write_table(table, path, use_dictionary=False, compression="none")
    begin = -pq.read_metadata(path).serialized_size - 8
    body, footer = path.read_bytes()[:begin], path.read_bytes()[begin:]
    assert footer.count("ÿé".encode()) == 1
    path.write_bytes(body + footer.replace("ÿé".encode(), "ÿé".encode()[:3] + b"\xff"))
    for text, value in (('word == "m"', 4.0), ('word > "z"', 5.0), ('word in ("z", "a")', 16.0)):
        assert lossctl.evaluate(path, "mse", **ASKED, where=text).value == value


def test_bounds_that_are_none_leave_every_row_group_to_be_read(tmp_path):
    """NaN, or the greatest before the least."""
    path = tmp_path / "a.parquet"
    table = pa.table({"y": [0.0] * 3, "p": [1.0, 2.0, 3.0], "x": [-3.25, 1.5, 2.5]})
    pq.write_table(table, path, use_dictionary=False, compression="none")
    begin = -pq.read_metadata(path).serialized_size - 8
    body, footer = path.read_bytes()[:begin], path.read_bytes()[begin:]
    least = struct.pack("<d", -3.25)
    for written in (float("nan"), 9e9):
        path.write_bytes(body + footer.replace(least, struct.pack("<d", written)))
        assert lossctl.evaluate(path, "mse", **ASKED, where="x < 0").value == 1.0


@settings(max_examples=20)
@given(values=st.lists(st.sampled_from([*NEAR, 0.5, 1e300]), min_size=1, max_size=40), negated=st.booleans())
def test_one_of_many_numbers_is_as_many_comparisons(values, negated):
    for kind in (pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(20, 0), pa.string()):
        cells = [cell for cell in NEAR if cell < 2**63] if kind == pa.int64() else NEAR
        column = pa.array(cells, kind if pa.types.is_decimal(kind) else pa.uint64()).cast(kind, safe=False)
        record, kinds = pa.record_batch([column], ["a"]), {"a": "number"}
        asked = f"a {'not ' * negated}in ({', '.join(map(repr, values))})"
        each = (" and " if negated else " or ").join(f"a {'!=' if negated else '=='} {value!r}" for value in values)
        assert holding(parsed(asked), record, kinds).tolist() == holding(parsed(each), record, kinds).tolist()


@pytest.mark.parametrize("command", ["eval", "samples"])
@pytest.mark.parametrize(
    ("text", "rows"),
    [("n is null", 3), ("n is not null and n < 2.5", 2), ("not n in (1.5, 7)", 2), ("n == 12 or n is null", 4)],
)
def test_a_column_that_is_only_carried_along_is_read_as_any_other(lossctl, tmp_path, command, text, rows):
    """In the file it is text, with a decimal comma and words of its own for nulls."""
    path = tmp_path / "a.csv"
    cells = ["1,5", "2,25", "x", "7", "-", "", "12"]
    path.write_text("y;p;n\n" + "".join(f'0;1,5;"{cell}"\n' for cell in cells))
    said = ["-d", ";", "--decimal", ",", "--null-values=n=x,-,", "-l", "mse", "-y", "y", "-p", "p"]
    outcome = lossctl(command, str(path), *said, "--where", text)
    assert outcome.status == 0, outcome
    chosen = f"{rows} chosen by where" if command == "eval" else f"{rows} of 7 rows chosen"
    assert chosen in outcome.out + outcome.err


@pytest.mark.parametrize("suffix", ["csv"])
@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_what_comes_after_the_limit_does_no_harm(tmp_path, suffix, engine):
    """Not even a line that cannot be read."""
    path = tmp_path / f"a.{suffix}"
    rows = [f"0,{row}" if suffix == "csv" else f'{{"y": 0, "p": {row}}}' for row in range(40)]
    path.write_text("\n".join([*["y,p"] * (suffix == "csv"), *rows[:3], "", *rows[3:], "0,1,2,3", "0,1", ""]))
    for limit in (1, 4, 40):
        report = lossctl.evaluate(path, "mae", label="y", prediction="p", limit=limit, engine=engine)
        assert (report.inputs["rows"], report.value) == (limit, (limit - 1) / 2)
    with pytest.raises(lossctl.DataError, match="row 41"):
        lossctl.evaluate(path, "mae", label="y", prediction="p", limit=41, engine=engine)


def _written(moment, form):
    """A moment as text, in a form that leaves out nothing of it."""
    forms = [
        f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%S}.000", f"{moment:%Y-%m-%d %H:%M:%S}.0",
        *([f"{moment:%Y-%m-%dT%H:%M}", f"{moment:%Y-%m-%d %H:%M}"] if not moment.second else []),
        *([f"{moment:%Y-%m-%d}"] if moment.time() == dt.time() else []),
    ]  # fmt: skip
    return forms[form % len(forms)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where files are written over and over."""
    return tmp_path_factory.mktemp("days")


MOMENTS = [MIDNIGHT + dt.timedelta(days=day, seconds=more) for day in range(4) for more in (0, 0, 3600, 3661)]


@settings(max_examples=20, deadline=None)
@given(
    forms=st.lists(st.integers(0, 11), min_size=len(MOMENTS), max_size=len(MOMENTS)),
    sign=st.sampled_from(["<", "<=", ">", ">="]),
    bound=st.sampled_from(MOMENTS),
    form=st.integers(0, 11),
)
def test_dates_that_are_text_are_in_the_order_of_time_however_they_are_written(folder, forms, sign, bound, form):
    values = [float(2**place) for place in range(len(MOMENTS))]
    days = [_written(moment, each) for moment, each in zip(MOMENTS, forms, strict=True)]
    table = pa.table({"y": values, "p": [0.0] * len(values), "day": days})
    (folder / "a.csv").write_bytes(stored(table, "a.csv", chunk=5))
    (folder / "a.parquet").write_bytes(stored(table, "a.parquet", chunk=3))
    compare = {"<": dt.datetime.__lt__, "<=": dt.datetime.__le__, ">": dt.datetime.__gt__, ">=": dt.datetime.__ge__}
    expected = sum(value for value, moment in zip(values, MOMENTS, strict=True) if compare[sign](moment, bound))
    for source in (table, folder / "a.csv", folder / "a.parquet"):
        asked = {**ASKED, "where": f'day {sign} "{_written(bound, form)}"', "reduction": "sum"}
        if expected:
            assert lossctl.evaluate(source, "mae", **asked).value == expected
            continue
        with pytest.raises(lossctl.DataError, match="none of 16 rows is chosen"):
            lossctl.evaluate(source, "mae", **asked)


@pytest.mark.parametrize("day", [
        "31.12.2023", "5.3.2024", "12/31/2023", "01-02-2024 10:00", "31.12.23", "05-Jan-2024", "5 January 2024",
        "2024/01/05", "2024-1-5", "2024.01.05", "Jan 5, 2024",
    ])  # fmt: skip
def test_dates_that_are_not_in_the_order_of_time_are_not_compared(day):
    for where, error in ((f'day > "{day}"', lossctl.UsageError), ('day <= "2024-03-05"', lossctl.DataError)):
        table = pa.table({"y": [0.0, 1.0], "p": [1.0, 0.0], "day": ["", day]})
        with pytest.raises(error, match=r"2024-03-05"):
            lossctl.evaluate(table, "mse", **ASKED, where=where)
    assert lossctl.evaluate(table, "mse", **ASKED, where=f'day == "{day}"').results[0].n == 1


@pytest.mark.parametrize("command", ["eval", "samples", "doctor", "plot"])
@pytest.mark.parametrize("named", [[], ["-y", "y", "-p", "p"]])
def test_a_condition_that_chooses_no_row_is_shown_by_every_command(lossctl, tmp_path, command, named):
    (tmp_path / "rows.csv").write_text("y,p,device\n1,2,mobile\n3,5,desktop\n")
    done = lossctl(command, tmp_path / "rows.csv", *named, "--where", 'device == "mobil"')
    assert done.status == 3
    assert 'is chosen\nIs it what was meant? --where is: device == "mobil".' in done.err


@pytest.mark.parametrize("date", ["2024-07-01", "2024-07", "01.07.2024", "2024/07/01", "2024-07-01T10:30:00"])
def test_a_date_without_quotes_is_told_to_stand_in_them(lossctl, tmp_path, date):
    (tmp_path / "rows.csv").write_text("y,p,date\n1,2,2024-07-02\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-l", "mse", "--where", f"date >= {date}")
    assert done.status == 2
    assert f'Dates stand in quotes: "{date}".' in done.err
