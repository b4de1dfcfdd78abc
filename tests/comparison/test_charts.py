"""The pictures of a comparison show what its tables say, in every format.

The texts in ``drawings/`` are drawings at widths 80 and 120: after a change that is meant, look at the difference and
write them anew with ``--write-golden``.
"""

import html
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deceiving import EVIL, leaked

import lossctl
from lossctl.document import Axis, Chart, Panel, Series
from lossctl.rendering.picture import draw, image_writers, writers

ROOT = Path(__file__).parents[2]
CLICKS = "sample_data/clicks.csv"
DRAWINGS = Path(__file__).parent / "drawings"


def compared(source=CLICKS, loss="bce", **options):
    from lossctl.comparison.compare import compare

    return compare(source, loss, plot=True, **options)


def table(rows=400, **columns):
    """Two models of real labels; ``columns`` take the place of what is drawn at random."""
    random = np.random.default_rng(5)
    label = random.normal(size=rows)
    models = {"a": label + random.normal(size=rows), "b": label + 0.9 * random.normal(size=rows)}
    return {"y": label, **models, **columns}


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("width", [80, 120])
def test_a_drawing_of_differences_is_what_it_was(golden, width):
    (chart,) = compared(cluster="user", by="segment").charts
    text = draw(chart, width=width, height=14, color=False)
    assert max(map(len, text.splitlines())) <= width
    golden(DRAWINGS / f"clicks-{width}.txt", text)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (CLICKS, {"cluster": "user"}),
        (
            "sample_data/binary.csv",
            {"prediction": ["p_a", "p_b"]},
        ),  # tablet: a row carries much, and it is better without
    ],
)
def test_a_picture_has_the_differences_of_the_results_with_their_verdicts_and_all_rows(source, options):
    comparison = compared(source, by="segment", loss=["bce", "focal"], **options)
    listed = [*comparison.overall, *comparison.results]
    assert len(comparison.charts) == 2
    for chart, loss in zip(comparison.charts, ("bce", "focal:gamma=2"), strict=True):
        mine = [one for one in listed if one.loss.startswith(loss.partition(":")[0])]
        forest, rows = chart.panels
        drawn = {
            forest.y.names[round(y)]: (series.name == "not trusted", x, *ends)
            for series in forest.series
            for x, y, ends in zip(series.x, series.y, series.ends, strict=False)
        }
        assert forest.y.names == (*sorted({*drawn} - {"all"}, reverse=True), "all")
        assert drawn == {
            one.group.get("segment", "all"): (one.verdict == "not trusted", one.difference, one.ci_low, one.ci_high)
            for one in mine
        }
        assert forest.x.low <= min(0.0, *(one.ci_low for one in mine))
        assert forest.x.high >= max(0.0, *(one.ci_high for one in mine))
        (bars,) = [series for series in rows.series if series.mark == "bars"]
        assert sum(bars.y) + bars.beyond == mine[0].n


def test_a_picture_names_the_files_of_all_models():
    files = ["sample_data/clicks_main.csv", "sample_data/clicks_worse.csv"]
    (chart,) = compared(files[0], others=files[1:], ids="id").charts
    assert chart.subject == ", ".join(files)
    assert compared().charts[0].subject == CLICKS


def test_bars_count_the_differences_of_rows():
    columns = table()
    (chart,) = compared(columns, "mse", label="y", prediction=["a", "b"]).charts
    (bars,) = [series for series in chart.panels[1].series if series.mark == "bars"]
    moved = (columns["b"] - columns["y"]) ** 2 - (columns["a"] - columns["y"]) ** 2
    assert bars.y == tuple(np.histogram(moved, bins=bars.x)[0])


def test_no_digit_of_a_picture_depends_on_threads_or_cuts(tmp_path):
    columns = table(3000)
    lines = [f"{y},{a},{b}\n" for y, a, b in zip(columns["y"], columns["a"], columns["b"], strict=True)]
    for name, part in (("1", lines[:7]), ("2", lines[7:2000]), ("3", lines[2000:])):
        (tmp_path / f"{name}.csv").write_text("y,a,b\n" + "".join(part))
    asked = {"label": "y", "prediction": ["a", "b"]}
    (whole,) = compared(columns, "mae", **asked).charts
    (parts,) = compared(str(tmp_path / "*.csv"), "mae", engine="threads", threads=3, **asked).charts
    assert parts.panels[1] == whole.panels[1]


@pytest.mark.parametrize("odd", [1e3, 1e200, np.inf])
def test_nothing_off_the_axis_goes_unsaid(odd):
    far = table(group=np.array(["tiny"] * 4 + ["web", "shop"] * 198))
    far["b"][:4] = [odd, -odd / 3, odd / 7, 1.0]
    for loss in ("mae", "mse"):
        try:
            comparison = compared(far, loss, label="y", prediction=["a", "b"], by="group")
        except lossctl.DataError:
            assert odd == np.inf
            continue
        (chart,) = comparison.charts
        forest, rows = chart.panels
        names = {"all", "shop", "tiny", "web"}
        shown = {
            forest.y.names[round(y)]
            for series in forest.series
            if series.mark == "intervals"
            for y, ends in zip(series.y, series.ends, strict=True)
            if forest.x.low <= ends[0] and ends[1] <= forest.x.high
        }
        assert {"shop", "web"} <= shown
        for name in names - shown:
            assert any(note.startswith(f"{name}: ") for note in chart.notes), name
        (bars,) = [series for series in rows.series if series.mark == "bars"]
        assert sum(bars.y) + bars.beyond == 400
        assert bool(bars.beyond) == any("beyond the axes" in note for note in chart.notes)
        assert all(name in draw(chart, width=80, height=14, color=False) for name in names)


def test_groups_beyond_the_first_thirty_are_counted():
    many = table(group=np.repeat([f"g{number}" for number in range(50)], 8))
    (chart,) = compared(many, "mae", label="y", prediction=["a", "b"], by="group").charts
    assert len(chart.panels[0].y.names) == 31
    assert "20 groups more: the table has them" in chart.notes


def test_names_that_differ_at_their_end_are_told_apart_where_room_is_short():
    axis = Axis("", -0.5, 1.5, tuple(f"the very same long beginning of a name {number}" for number in (1, 2)))
    series = Series("s", "intervals", (0.0, 1.0), (0.0, 1.0), ends=((-1.0, 1.0), (0.5, 1.5)))
    text = draw(Chart("c", (Panel("", Axis("x", -2.0, 2.0), axis, (series,)),)), width=60, height=14, color=False)
    assert "name 1┤" in text
    assert "name 2┤" in text


ENDS = [(-1.0, 1.0), (float("nan"), float("nan")), (-5.0, 9.0), (-9.0, -4.0)]


def forest(ends, count=1):
    """As many intervals with these ends; the number of the last lies beyond the axis, whose ends are -2 and 2."""
    middle = 0.25 if ends[0] != -9.0 else -6.0
    series = Series("s", "intervals", (middle,) * count, tuple(map(float, range(count))), ends=(ends,) * count)
    names = tuple(f"group {number:02}" for number in range(count))
    return Chart("c", (Panel("", Axis("x", -2.0, 2.0), Axis("", -0.5, count - 0.5, names), (series,)),))


@pytest.mark.lowest
@pytest.mark.parametrize("ends", ENDS)
def test_an_interval_is_a_line_with_its_number_and_arrows_where_it_leaves_the_axis(ends):
    (line,) = [line for line in draw(forest(ends), width=60, height=14, color=False).splitlines() if "group" in line]
    assert ("•" in line) == (ends[0] != -9.0)
    assert ("◂" in line) == (ends[0] < -2.0)
    assert ("▸" in line) == (ends[1] > 2.0)
    assert ("─•─" in line) == (ends in {ENDS[0], ENDS[2]})


@pytest.mark.parametrize("height", [9, 12, 14, 15])
def test_every_interval_has_a_line_of_its_own_beside_another_panel_too(height):
    panel = Panel("", Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0), (Series("s", "line", (0.0, 1.0), (0.0, 1.0)),))
    for count in range(1, 17):
        chart = forest(ENDS[0], count)
        for width, drawn in ((60, chart), (120, replace(chart, panels=(*chart.panels, panel)))):
            lines = draw(drawn, width=width, height=height, color=False).splitlines()
            named = [line for line in lines if "─•─" in line]
            assert [line.split("┤")[0].strip() for line in named] == [f"group {n:02}" for n in reversed(range(count))]


@pytest.mark.lowest
def test_every_format_draws_every_interval():
    pytest.importorskip("altair")
    charts = [forest(ends) for ends in ENDS]
    content = writers.get("vega-lite").write(charts, width=80, height=14, color=False)
    rows = values(json.loads(content, parse_constant=pytest.fail))
    drawn = {(row["low"], row["high"]) for row in rows if "low" in row}
    assert drawn == {(-1.0, 1.0), (None, None), (-5.0, 9.0), (-9.0, -4.0)}


def values(spec):
    """The rows of every data set inside a specification."""
    if isinstance(spec, dict):
        for name, one in spec.items():
            yield from one if name == "values" and one and isinstance(one[0], dict) else values(one)
    elif isinstance(spec, list):
        for one in spec:
            yield from values(one)


def test_a_suffix_of_a_picture_writes_one_and_the_terminal_stays_as_it_was(lossctl, tmp_path):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    assert sorted(image_writers()) == [".png", ".svg", ".vl.json"]
    usual = lossctl("compare", CLICKS, "-l", "bce")
    done = lossctl("compare", CLICKS, "-l", "bce", "-o", tmp_path / "x.svg", "-o", tmp_path / "x.vl.json")
    assert (done.status, done.out) == (0, usual.out), done.err
    assert [done.err.count(f"wrote {tmp_path / name}") for name in ("x.svg", "x.vl.json")] == [1, 1]
    assert "vega-lite" in json.loads((tmp_path / "x.vl.json").read_text())["$schema"]
    picture = (tmp_path / "x.svg").read_text()
    for part in ("p_new − p_main on bce: sample_data/clicks.csv", "better", "worse", "−0.0513"):
        assert part in html.unescape(picture)
    assert float(ET.fromstring(picture).get("width")) + 40 <= 500  # the page has a margin and a button


def test_a_picture_is_drawn_below_the_tables_and_in_json_on_request(lossctl):
    plain = lossctl("compare", CLICKS, "-l", "bce", "--plot").out
    assert plain.index("how sure") < plain.index("better · difference · worse") < plain.index("\nci: ")
    assert plain.count("p_new is better than p_main") == 1
    shown = lossctl("compare", CLICKS, "-l", "bce", "--plot", "--json").json
    assert [chart["title"] for chart in shown["charts"]] == ["p_new − p_main on bce"]
    assert "charts" not in json.loads(lossctl("compare", CLICKS, "-l", "bce", "--json").out)


@pytest.mark.parametrize("form", ["csv", "value", "jsonl", "junit"])
def test_a_format_without_room_for_a_picture_is_refused(lossctl, form):
    done = lossctl("compare", CLICKS, "-l", "bce", "--plot", "-f", form)
    assert (done.status, done.out) == (2, "")
    assert f"--plot is not shown by --format {form}" in done.err
    assert lossctl("compare", CLICKS, "-l", "bce", "-o", "x.foo").err.count(".svg") == 1


def test_a_difference_that_is_no_number_is_said_and_not_drawn():
    columns = {
        "y": [1, 0, 1, 1, 0, 1, 1, 0],
        "a": [0.5, 0.5, 0.4, 0.4, 0.2, 0.2, 0.0, 0.5],
        "b": [0.2, 0.0, 0.0, 0.1, 0.3, 0.3, 0.0, 0.4],
        "g": ["all", "all", None, None, "x", "x", "z", "z"],
    }
    comparison = compared(columns, "bce:eps=0", label="y", prediction=["a", "b"], by="g")
    (chart,) = comparison.charts
    assert chart.panels[0].y.names == ("(null)", "z", "x", "all", "(all)")
    drawn = {y for series in chart.panels[0].series if series.mark == "intervals" for y in series.y}
    assert drawn == {2.0, 3.0}
    for words in (
        "(all): the difference is not a number",
        "z: the difference is not a number",
        "(null): the difference is inf",
    ):
        assert any(note.startswith(words) for note in chart.notes), words
    assert "nan %" not in str(comparison)
    assert json.loads(json.dumps(comparison.to_dict(), allow_nan=False))["charts"]


def test_identical_models_and_a_single_row_are_drawn():
    for columns in (table(b=table()["a"]), table(1)):
        (chart,) = compared(columns, "mse", label="y", prediction=["a", "b"]).charts
        text = draw(chart, width=80, height=14, color=False)
        (line,) = [line for line in text.splitlines() if "all┤" in line]
        assert "•" in line
        assert "┼" not in line


def test_names_in_a_picture_of_differences_command_neither_a_terminal_nor_a_page(lossctl, tmp_path):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    hostile = f"</script></text><script>alert(1)</script>{EVIL}\\' + alert(1) + '\"{'long' * 30}"
    columns = {"y": [1.0, 2.0, 3.0, 4.0] * 3, f"a{hostile}": [1.5] * 12, f"b{hostile}": [2.0, 2.5] * 6}
    groups = {f"g{hostile}": [f"{name}{hostile}" for name in "xyz" for _ in range(4)]}
    pq.write_table(pa.table({**columns, **groups}), tmp_path / "x.parquet")
    asked = ["-l", "mae", "-y", "y", "-p", "#2", "-p", "#3", "--by", "#4", "--plot", "-f", "table"]
    done = lossctl("compare", tmp_path / "x.parquet", *asked, "-o", tmp_path / "x.svg", "-o", tmp_path / "x.vl.json")
    assert done.status == 0, done.err
    assert leaked(done.out) == leaked(done.err) == set()
    assert max(map(len, done.out.splitlines())) <= 80
    picture = (tmp_path / "x.svg").read_text()
    root = ET.fromstring(picture)
    assert leaked("".join(root.itertext())) == set()
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    json.loads((tmp_path / "x.vl.json").read_text(), parse_constant=pytest.fail)
