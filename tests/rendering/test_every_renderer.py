"""Every output format, character by character.

The texts in ``golden/`` are what each renderer makes of one small report at widths 80 and 120. After a change that is
meant, look at the difference and write them anew:

    pytest tests/rendering/test_every_renderer.py --write-golden
"""

import csv
import functools
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import lossctl
from lossctl.document import Column, Document, Entries, Heading, Line, Notes, Piece, Table, phrase
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.renderers.records import indented

pytestmark = pytest.mark.lowest

RENDERERS = [renderer for renderer in renderers if renderer.name != "junit"]
"""All but that which has decisions alone, of which a report has none (see test_decisions)."""
GOLDEN = Path(__file__).parent / "golden"
WIDTHS = (80, 120)
SOURCE = {
    "label": [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0],
    "model_a": [0.1, 0.8, 0.0, 0.3, 0.9, 0.5, 0.25, 0.125],
    "model_b": [0.5, 0.5, 0.5, 0.5, None, 0.5, 0.5, 0.5],
    "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 1.0, 0.0, 4.0],
    "segment": ["desktop", "mobile", "mobile", "desktop", "mobile", "", "mobile", "desktop"],
}


def small(**more):
    """Two losses of two models in three groups, with weights, a null, a clipped row, gradients and worst rows."""
    asked = {
        "loss": ["bce", "huber:delta=0.5"], "prediction": ["model_a", "model_b"], "weight": "weight", "by": "segment",
        "gradient": True, "samples": 2, "skill": True, "nulls": "drop", **more,
    }  # fmt: skip
    report = lossctl.evaluate(pa.table(SOURCE), **asked)
    return replace(report, warnings=("model_a: rows that do not sum to 1: 3 rows, first table: row 2",))


def one():
    """A report of one number, for what cannot say more."""
    return small(loss="bce", prediction="model_a", by=None)


@functools.cache
def report_for(renderer):
    """The small report, or the one number where that is all a format can say."""
    try:
        renderer.render(small().document(), Style())
    except lossctl.LossctlError:
        return one()
    return small()


def versioned(text):
    """The text without the version of the package, which changes with every release, and without style and script."""
    bare = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", re.sub(r"'sha256-[^']*'", "'HASH'", text), flags=re.DOTALL)
    return re.sub(r'("lossctl": )"[^"]*"', r'\1"VERSION"', re.sub(r"(?<=lossctl )\d[\d.]+(?=[\"<])", "VERSION", bare))


@functools.cache
def golden_files():
    """Path and text of every golden file."""
    return list(_golden_files())


def _golden_files():
    for renderer in RENDERERS:
        for width in WIDTHS:
            text = renderer.render(report_for(renderer).document(), Style(width=width))
            yield GOLDEN / f"{renderer.name}-{width}.txt", versioned(text)


@pytest.fixture(params=RENDERERS, ids=lambda renderer: renderer.name)
def renderer(request):
    return request.param


def strict(text):
    """JSON without NaN and Infinity."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


# --- every renderer --------------------------------------------------------------------------------------------------


def test_a_report_looks_as_it_did(golden):
    for path, text in golden_files():
        golden(path, text)


def test_there_is_no_golden_file_too_many():
    assert {path.name for path in GOLDEN.glob("*.txt")} == {path.name for path, _ in golden_files()}


SURROUNDINGS = [
    {"COLUMNS": "40", "LINES": "5"},
    {"NO_COLOR": "1"},
    {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TTY_COMPATIBLE": "1"},
    {"TERM": "dumb"},
    {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "200"},
    {"GITHUB_ACTIONS": "true", "CI": "1"},
    {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
]


@pytest.mark.parametrize("color", [False, True], ids=["plain", "colour"])
def test_surroundings_change_nothing(renderer, color, monkeypatch):
    style, report = Style(width=100, color=color), report_for(renderer)
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "GITHUB_ACTIONS", "CI"):
        monkeypatch.delenv(name, raising=False)
    expected = renderer.render(report.document(), style)
    for surroundings in SURROUNDINGS:
        with monkeypatch.context() as patch:
            for name, value in surroundings.items():
                patch.setenv(name, value)
            assert renderer.render(report.document(), style) == expected, surroundings


def test_text_ends_with_one_line_end_and_no_line_with_a_blank(renderer):
    for width in (40, *WIDTHS):
        text = renderer.render(report_for(renderer).document(), Style(width=width))
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert not any(line.endswith(" ") for line in text.split("\n"))


def test_without_colour_there_is_no_escape(renderer):
    assert "\x1b" not in renderer.render(report_for(renderer).document(), Style())


def test_colour_is_only_colour(renderer):
    report = report_for(renderer)
    coloured = renderer.render(report.document(), Style(color=True))
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).split("\n"))
    assert plain == renderer.render(report.document(), Style())


def test_rendering_leaves_the_report_alone(renderer):
    report = report_for(renderer)
    before = repr(report)
    renderer.render(report.document(), Style())
    assert repr(report) == before


def test_every_format_can_say_numbers_that_are_not_finite(renderer):
    """An overflow, one row (no standard error), nothing else."""
    report = infinite()
    if renderer.name == "value":
        assert renderer.render(report.document(), Style()) == "inf\n"
        return
    text = renderer.render(report.document(), Style())
    assert "inf" in text.lower()
    assert "nan" in text.lower()


def infinite():
    """A report with an infinite value, no standard error, and gradients out of reach."""
    return lossctl.evaluate(
        {"label": [1.0, -1.0], "prediction": [-1000.0, 2.0]}, "exponential", gradient=True, samples=2
    )


def test_worst_rows_of_vectors_can_be_said(renderer):
    columns = {f"z_{at}": [0.5 * at, -1.0, 2.0] for at in range(9)}
    report = lossctl.evaluate(
        {"class": [0, 8, 3], **columns},
        "cross_entropy",
        label="class",
        prediction="m=z_*",
        from_logits=True,
        gradient=True,
        samples=2,
    )
    text = renderer.render(report.document(), Style(precision=6))
    assert f"{report.value:.5g}" in text


# --- machines --------------------------------------------------------------------------------------------------------


def test_json_is_strict_and_whole():
    for report in (small(), one(), infinite()):
        assert strict(renderers.get("json").render(report.document(), Style())) == strict(json.dumps(report.to_dict()))


def test_json_names_what_is_not_finite():
    (result,) = strict(renderers.get("json").render(infinite().document(), Style()))["results"]
    assert result["value"] is None
    assert result["nonfinite"]["value"] == "Infinity"
    assert result["standard_error"] is None
    assert result["nonfinite"]["standard_error"] == "NaN"
    assert result["samples"][0]["nonfinite"]["value"] == "Infinity"


def test_json_floats_read_back_as_themselves():
    report = small()
    for found, result in zip(
        strict(renderers.get("json").render(report.document(), Style()))["results"], report.results, strict=True
    ):
        assert found["value"] == result.value
        assert found["samples"] == strict(json.dumps(result.to_dict()["samples"]))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12))
@settings(max_examples=30)
def test_json_is_indented_as_python_does(value):
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("holder", [lambda number: {"a": number}, lambda number: [[number]], lambda number: number])
def test_json_has_no_number_that_is_none(holder):
    with pytest.raises(ValueError, match="not JSON compliant"):
        indented(holder(math.inf))


def test_json_lines_hold_one_result_each():
    for report in (small(), infinite()):
        lines = renderers.get("jsonl").render(report.document(), Style()).splitlines()
        assert [strict(line) for line in lines] == report.to_dict()["results"]


@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_delimited_floats_read_back_as_themselves(name, delimiter):
    for report in (small(), infinite()):
        text = renderers.get(name).render(report.document(), Style(precision=2))
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        assert len(rows) == len(report.results)
        for row, result in zip(rows, report.results, strict=True):
            plain = result.to_dict()
            for field in set(plain) - {"samples", "parameters", "group"}:
                if isinstance(plain[field], float):
                    assert repr(float(row[field])) == repr(plain[field])
                else:
                    assert row[field] == str(plain[field])
            assert {column: row[column] for column in result.group} == {
                column: word or "" for column, word in result.group.items()
            }


@pytest.mark.parametrize("by", ["model", "n", "value", "loss", "reduction"])
@pytest.mark.parametrize("form", ["csv", "tsv", "frame"])
def test_a_group_column_may_be_called_like_a_figure(form, by):
    """Neither the group nor the figure may be lost."""
    source = {"label": [0.0, 1.0, 2.0], "prediction": [1.0, 1.5, 2.0], by: pa.array(["left", "right", "left"])}
    report = lossctl.evaluate(source, "mse", by=by)
    if form == "frame":
        frame = report.to_frame()
        columns, rows = list(frame.columns), [[str(cell) for cell in row] for row in frame.to_numpy().tolist()]
    else:
        text = renderers.get(form).render(report.document(), Style())
        columns, *rows = csv.reader(io.StringIO(text), delimiter={"csv": ",", "tsv": "\t"}[form])
    assert len(set(columns)) == len(columns)
    for row, result in zip(rows, report.results, strict=True):
        assert result.group[by] in row
        assert {"mse", "prediction", "mean"} <= set(row)
        assert str(result.n) in row
        assert repr(result.value) in row


def test_the_bare_value_is_the_shortest_text_of_the_double():
    report = one()
    assert float(renderers.get("value").render(report.document(), Style())) == report.value
    with pytest.raises(lossctl.LossctlError):
        renderers.get("value").render(small().document(), Style())


# --- people ----------------------------------------------------------------------------------------------------------

LONG = [
    "a name that goes on and on, " * 4,
    "W" * 90,
    "größer 東京都千代田区" * 4,
    "x|y|z",
    "[bold]no markup[/bold] :smile:",
    "",
]


def long_names():
    """Several models and two group-by columns, with names that no table has room for."""
    n = 24
    source = {
        "label": [float(at % 3) for at in range(n)],
        "first_model_with_a_rather_long_name": [at * 0.4 for at in range(n)],
        "second": [1e-7 * at for at in range(n)],
        "weight": [0.1 + at for at in range(n)],
        "a column with a name": pa.array([LONG[at % 6] for at in range(n)]),
        "region": pa.array([("north", "south")[at % 2] for at in range(n)]),
    }
    return lossctl.evaluate(
        source,
        ["mse", "huber:delta=0.123456789", "log_cosh"],
        label="label",
        prediction=["first_model_with_a_rather_long_name", "second"],
        weight="weight",
        by=["a column with a name", "region"],
        gradient=True,
        samples=1,
    )


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_of_a_table_is_wider_than_the_width(width):
    for report in (small(), long_names(), infinite()):
        text = renderers.get("table").render(report.document(), Style(width=width))
        assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize("name", ["table", "plain", "markdown"])
@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_are_never_cut_to_fit(name, width):
    """A name may be folded; a number that lost its last digits or its exponent would be another number."""
    for report in (small(), long_names()):
        style = Style(width=width, precision=6)
        words = re.findall(r"[^\s|│]+", renderers.get(name).render(report.document(), style))
        numbers = {float(word.rstrip("*")) for word in words if re.fullmatch(r"[-\d.e+]*\d\*?", word)}
        for result in report.results:
            figures = [result.value, result.standard_error, result.sum_weight, result.effective_n]
            gradient = result.gradient
            if gradient is not None:
                figures += [gradient.grad_l2, gradient.grad_l1, gradient.grad_linf]
                figures += [gradient.row_mean, gradient.row_rms, gradient.row_max]
            assert {float(f"{figure:.6g}") for figure in figures if not math.isnan(figure)} <= numbers


@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_never_squeezed_out_of_a_table(width):
    """A number without its loss, model and group is worth nothing: a name may be folded, but it stands there."""
    for report in (small(), long_names()):
        lines = renderers.get("table").render(report.document(), Style(width=width)).split("\n\n")[0].splitlines()
        rows = [line[1:-1].split("│") for line in lines if line.startswith("│")]
        columns = [re.sub(r"\s", "", "".join(cells)) for cells in zip(*rows, strict=True)]
        for result in report.results:
            for name in (result.loss.partition(":")[0], result.model, *result.group.values()):
                assert any(re.sub(r"\s", "", name or "(null)") in column for column in columns), name


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("ab_猫é", min_size=1, max_size=70), min_size=1, max_size=4), st.integers(60, 200))
def test_a_name_is_folded_only_where_there_is_no_room(names, width):
    columns = (Column("model", "name"), Column("group", "name"), Column("value", "number"))
    table = Table.of(columns, [[name, "all", 1.0] for name in names])
    lines = renderers.get("table").render(Document("", lambda: [(table,)]), Style(width=width)).splitlines()
    needed = sum(map(len, ("group", "value"))) + max(map(cell_len, ["model", *names])) + len("││││") + 6
    assert (len(lines) > len(names) + 4) == (needed > width)


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120])
def test_a_number_stands_on_the_line_of_its_name(width):
    numbers = {f"the_class_{index}{'_long' * index}": 10.0**-index for index in range(5)}
    table = Table.of(
        (Column("row", "count", key=True), Column("prediction", "entries"), Column("gradient", "entries")),
        [[row, Entries(tuple(numbers.items()), "…"), Entries(tuple(numbers.items()))] for row in (1, 2)],
    )
    text = renderers.get("table").render(Document("", lambda: [(table,)]), Style(width=width))
    for name, number in numbers.items():
        assert len(re.findall(rf"\b{name} {number:.3g}\b", text)) == 4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc猫é", min_size=1, max_size=12), min_size=1, max_size=40), st.integers(30, 120))
def test_a_note_that_is_folded_cannot_be_taken_for_two(words, width):
    document = Document("", lambda: [(Notes((" ".join(words), "next")),)])
    first, *others, last = renderers.get("table").render(document, Style(width=width)).splitlines()
    assert all(line.startswith("  ") for line in others)
    assert last == "next"
    assert max(map(cell_len, (first, *others))) <= width
    assert " ".join(map(str.strip, (first, *others))) == " ".join(words)


@pytest.mark.parametrize(("name", "line"), [("table", "a <b>"), ("plain", "a <b>"), ("markdown", r"## a \<b>")])
def test_a_heading_stands_on_a_line_of_its_own(name, line):
    document = Document("", lambda: [(Heading("a <b>"),), (Line("below"),)])
    assert renderers.get(name).render(document, Style()).splitlines() == [line, "", "below"]


def test_precision_is_the_number_of_significant_digits():
    report = one()
    for precision in (3, 6, 12, 17):
        text = renderers.get("table").render(report.document(), Style(width=120, precision=precision))
        assert f" {report.value:.{precision}g} " in text


def test_names_are_text_and_not_markup():
    text = renderers.get("plain").render(long_names().document(), Style())
    assert "[bold]no markup[/bold] :smile:" in text


def tables_in(text):
    """The rows of each Markdown table, as cells."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [
        [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in block.splitlines() if line.startswith("|")]
        for block in blocks
    ]


@pytest.mark.parametrize("word", ["a|b", "two\nlines", "a\\|b", "`code`", "| --- |"], ids=repr)
def test_markdown_tables_keep_their_columns_whatever_a_group_is_called(word):
    source = {
        "label": [0.0, 1.0, 2.0],
        "prediction": [0.5, 1.5, 1.0],
        "a|b": pa.array([word, "plain", word]),
    }
    report = lossctl.evaluate(source, ["mse", "mae"], by="a|b", gradient=True, samples=1)
    tables = tables_in(renderers.get("markdown").render(report.document(), Style(width=40)))
    assert len(tables) == 3 + len(report.results)
    for table in tables:
        assert {len(row) for row in table} == {len(table[0])}
        assert all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in table[1])
    for table in tables[:3]:
        assert len(table) == 2 + len(report.results) + len(report.overall)


@pytest.mark.parametrize("name", ["table", "plain", "markdown"])
def test_a_name_in_the_data_cannot_command_the_terminal(name):
    source = {
        "label": [0.0, 1.0],
        "prediction": [0.5, 1.5],
        "g": pa.array(["\x1b[2J\x1b]0;title\x07evil", "b\x08\x9b31m"]),
    }
    text = renderers.get(name).render(lossctl.evaluate(source, "mse", by="g").document(), Style())
    assert not set(text) & {"\x1b", "\x07", "\x08", "\x9b"}


def test_a_standard_error_that_does_not_exist_is_said_to_be_nan():
    report = lossctl.evaluate({"label": [1.0], "prediction": [2.0]}, "mse")
    assert math.isnan(report.results[0].standard_error)
    assert "nan" in renderers.get("table").render(report.document(), Style())


WORDS = st.sampled_from(["a", "loss", "n = 1,163", "<= 0", "> -0.5", "(1 %)", "95 % ± 0.1", "clicks_worse", "é", "的"])


@given(words=st.lists(WORDS, min_size=1, max_size=30).map(" ".join), width=st.integers(30, 90), tone=st.booleans())
@pytest.mark.parametrize("part", [Line, lambda words: Line(words, 2), lambda words: Notes((words,))])
def test_folded_words_hang_and_no_line_ends_between_an_operator_and_its_number(part, words, width, tone):
    words = phrase(Piece(words[:3], "bad"), words[3:]) if tone and part is Line else words
    plain = "".join(piece.text for piece in phrase(words))
    document = Document("x", lambda: [(part(words),)])
    first, *others = renderers.get("table").render(document, Style(width=width)).splitlines()
    indent = len(first) - len(first.lstrip())
    assert all(len(line) - len(line.lstrip()) == indent + 2 for line in others)
    assert " ".join(line.strip() for line in [first, *others]) == plain
    assert all(cell_len(line) <= width for line in [first, *others])
    assert not any(line[-1] in "<=>±−" for line in [first, *others])
    assert not any(line.lstrip().startswith("%") for line in others)
