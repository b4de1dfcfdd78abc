"""Every way to draw a chart shows the same numbers.

The texts in ``drawings/`` are drawings at widths 80 and 120. After a change that is meant, look at the
difference and write them anew:

    pytest tests/plots/test_drawings.py --write-golden
"""

import functools
import html
import json
import math
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest
from plotext import uncolorize
from waiting import HANGS

from lossctl import get_activation, get_loss
from lossctl.document import Axis, Chart, Panel, Series
from lossctl.functions.loss import losses
from lossctl.plots.curves import curves
from lossctl.rendering.picture import draw, writer_for, writers

DRAWINGS = Path(__file__).parent / "drawings"

WIDTHS = (80, 120)

DRAWN = {
    "errors": ["mse", "mae", "huber:delta=0.5", "log_cosh"],
    "probabilities": ["bce", "focal"],
    "margins": ["hinge", "squared_hinge"],
    "activations": ["relu", "elu:alpha=2", "sigmoid"],
    "rows": ["cross_entropy", "cosine_proximity"],
}

ROOT = Path(__file__).parents[2]


def bound(spec):
    return get_loss(spec) if spec.partition(":")[0] in losses else get_activation(spec)


def drawing(name, width):
    charts = curves([bound(spec) for spec in DRAWN[name]])
    return "\n".join(draw(chart, width=width, height=14, color=False) for chart in charts)


def every_chart(sample_data_folder=ROOT / "sample_data"):
    """Charts of each mark."""
    from lossctl.evaluation.planner import make_plan
    from lossctl.inference.request import Request
    from lossctl.plots.overview import overview
    from lossctl.reading.files import open_source

    found = list(curves([get_loss("huber"), get_loss("mse")]))
    for name, prediction in (("binary.csv", ["p_a", "p_b"]), ("regression.csv", []), ("classes.csv", ["p_*"])):
        source = open_source([str(sample_data_folder / name)])
        found += overview(source, make_plan(source, Request(loss=[], prediction=prediction)))
    return found


@pytest.mark.lowest
@pytest.mark.parametrize("width", [40, *WIDTHS, 200])
@pytest.mark.parametrize("color", [False, True])
def test_a_drawing_fits_the_terminal_and_names_every_series(width, color):
    for chart in every_chart():
        text = draw(chart, width=width, height=14, color=color)
        assert ("\x1b[" in text) == color
        lines = uncolorize(text).splitlines()
        body = [line for line in lines if line not in (chart.title, *chart.notes)]
        assert max(map(len, body)) <= width
        maps = [it for panel in chart.panels for it in panel.series if it.mark == "heat"]
        if not maps and width >= 80:
            for name in chart.names:
                assert name in text
            for panel in chart.panels:
                assert panel.x.title in text


def test_series_differ_without_colour():
    text = drawing("errors", 80)
    for glyph in "•×+○":
        assert text.count(glyph) > 20


def test_a_drawing_leaves_nothing_behind_and_touches_no_terminal(capfd):
    first = drawing("errors", 80)
    drawing("activations", 120)
    assert drawing("errors", 80) == first
    assert capfd.readouterr() == ("", "")


@pytest.mark.lowest
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_what_it_was(golden, name, width):
    golden(DRAWINGS / f"{name}-{width}.txt", drawing(name, width))


def spec_values(value):
    """Every data set inside a Vega-Lite specification."""
    if isinstance(value, dict):
        if isinstance(value.get("values"), list) and value["values"] and isinstance(value["values"][0], dict):
            yield value["values"]
        for name, one in value.items():
            yield from spec_values(one) if name != "datasets" else one.values()
    elif isinstance(value, list):
        for one in value:
            yield from spec_values(one)


@functools.cache
def written(suffix):
    """A chart of four losses in one format."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    from lossctl.rendering.picture import writer_for

    charts = curves([bound(spec) for spec in DRAWN["errors"]])
    return writer_for(f"x{suffix}").write(charts, width=80, height=14, color=False)


def test_a_svg_is_one():
    root = ET.fromstring(written(".svg"))
    assert root.tag.endswith("svg")
    text = "".join(root.itertext())
    for word in (*DRAWN["errors"], "loss of a row", "slope", "error e = ŷ − y"):
        assert word in text


def test_a_png_shows_something():
    data = written(".png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 700
    assert height > 300
    at_, pixels = 8, b""
    while at_ < len(data):
        (size,) = struct.unpack(">I", data[at_ : at_ + 4])
        if data[at_ + 4 : at_ + 8] == b"IDAT":
            pixels += data[at_ + 8 : at_ + 8 + size]
        at_ += size + 12
    assert len(set(zlib.decompress(pixels))) > 50, "blank"


@pytest.mark.lowest
def test_vega_lite_holds_the_same_numbers():
    spec = json.loads(written(".vl.json"), parse_constant=pytest.fail)
    assert "vega-lite" in spec["$schema"]
    found = {}
    for values in spec_values(spec):
        found.setdefault(values[0]["series"], []).append([(row["x"], row["y"]) for row in values])
    (chart,) = curves([bound(name) for name in DRAWN["errors"]])
    for name in chart.names:
        for panel in chart.panels:
            (series,) = [it for it in panel.series if it.name == name]
            assert list(zip(series.x, series.y, strict=True)) in found[name]


def test_a_page_works_without_a_network():
    page = written(".html").decode()
    assert 'src="http' not in page
    assert "huber:delta=0.5" in html.unescape(page)
    assert "tooltip" in page


def test_json_is_strict_and_holds_the_same_numbers(lossctl):
    done = lossctl("plot", "mse", "huber:delta=0.5", "--json")
    assert done.status == 0
    assert done.json["schema_version"] == 1
    (chart,) = done.json["charts"]
    (expected,) = curves([get_loss("mse"), get_loss("huber:delta=0.5")])
    assert chart == json.loads(json.dumps(expected.to_dict()))
    steep = lossctl("plot", "exponential", "--from", "-2000", "--to", "0", "--json")
    assert None in steep.json["charts"][0]["panels"][0]["series"][0]["y"]


def test_a_missing_extra_is_said(lossctl, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "altair", None)
    done = lossctl("plot", "mse", "-o", tmp_path / "x.svg")
    assert done.status == 2
    assert "pip install 'lossctl[plot]'" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.lowest
@pytest.mark.parametrize("suffix", [suffix for writer in writers for suffix in writer.suffixes])
def test_every_format_of_a_picture_is_written_by_its_suffix(lossctl, tmp_path, suffix):
    if suffix not in (".txt", ".json"):
        pytest.importorskip("altair")
        pytest.importorskip("vl_convert")
    file = ROOT / "sample_data" / "binary.csv"
    models = ["-p", "p_a", "-p", "p_b"]
    done = lossctl("plot", file, "-l", "bce", *models, "-o", tmp_path / f"x{suffix}")
    assert (done.status, done.out) == (0, ""), done.err
    assert f"wrote {tmp_path / f'x{suffix}'}" in done.err
    assert (tmp_path / f"x{suffix}").stat().st_size > 1000
    if suffix in (".html", ".svg", ".txt"):  # what is read by itself says of what it is
        written = html.unescape((tmp_path / f"x{suffix}").read_text())
        rows = map(str.split, lossctl("eval", file, "-l", "bce", *models, "-f", "plain").out.splitlines()[1:3])
        values = [
            f"{loss} of {model}: {value.rstrip('*')}, standard error {error}" for loss, model, value, error, _ in rows
        ]
        titles = ["<title>losses of rows: "] if suffix != ".txt" else ["losses of rows: "]
        assert [words for words in (*titles, file.name, *values) if words not in written] == []
    if suffix == ".svg":
        assert float(ET.fromstring(written).get("width")) + 40 <= 500  # the page has a margin and a button


@pytest.mark.parametrize("suffix", [".txt", ".svg"])
def test_long_names_that_differ_at_their_ends_stay_apart(suffix):
    if suffix == ".svg":
        pytest.importorskip("vl_convert")
    names = tuple(f"the_class_with_a_long_name_{index}" for index in range(3))
    edges, axis = (-0.5, 0.5, 1.5, 2.5), Axis("class", -0.5, 2.5, names)
    models = [f"{'gradient_boosted_' * 4}{version}" for version in ("v1", "v2")]
    panels = tuple(
        Panel(model, axis, axis, (Series(model, "heat", edges, edges, ((1, 2, 3),) * 3),)) for model in models
    )
    chart = Chart("c", panels, subject="file.csv")
    written = writer_for(f"x{suffix}").write([chart], width=60, height=14, color=False).decode()
    for ends in (*(rf"…\w*me_{index}" for index in range(3)), r"…\w*_v1", r"…\w*_v2"):
        assert re.search(ends, written), ends


@pytest.mark.parametrize("high", [4e-9, 4e5, 4e299])
def test_numbers_at_axes_are_whole_and_a_page_fits_500_pixels(high):
    pytest.importorskip("vl_convert")
    axis, edges = Axis("label", -high, high), (-high, 0.0, high)
    panels = tuple(Panel(name, axis, axis, (Series(name, "heat", edges, edges, ((1, 1), (1, 2))),)) for name in "ab")
    svg = writer_for("x.svg").write([Chart("c", panels, subject="f.csv")], width=80, height=14, color=False).decode()
    assert "…" not in svg
    assert float(ET.fromstring(svg).get("width")) + 40 <= 500


@pytest.mark.parametrize("names", [("mse", "huber:delta=0.5", "log_cosh"), ("bce", "focal")])
def test_a_page_of_shapes_fits_500_pixels(names):
    pytest.importorskip("vl_convert")
    svg = (
        writer_for("x.svg").write(curves([get_loss(name) for name in names]), width=80, height=14, color=False).decode()
    )
    assert float(ET.fromstring(svg).get("width")) + 40 <= 500


@pytest.mark.parametrize("highest", [1.0, 2.0, 3.0, 40.0])
def test_between_two_counts_is_no_tick(highest):
    bars = Series("s", "bars", (0.0, 1.0, 2.0), (highest, 0.0))
    panel = Panel("", Axis("x", 0.0, 2.0), Axis("rows", 0.0, 1.05 * highest), (bars,))
    drawn = draw(Chart("c", (panel,)), width=60, height=30, color=False)
    ticks = [line.partition("┤")[0].strip() for line in drawn.splitlines() if "┤" in line]
    assert ticks
    assert all(map(str.isdecimal, ticks))


def test_a_picture_is_shown_beside_the_file_where_a_format_is_asked_for(lossctl, tmp_path):
    file = ROOT / "sample_data" / "regression.csv"
    assert lossctl("plot", file, "-o", tmp_path / "x.txt").out == ""
    shown = lossctl("plot", file, "-o", tmp_path / "x.txt", "-f", "table").out
    assert shown == lossctl("plot", file).out
    assert shown == (tmp_path / "x.txt").read_text()


@pytest.mark.parametrize("width", [30, 80, 200])
@pytest.mark.parametrize("cells", [1, 7, 40, 41])
def test_a_cell_with_a_single_row_is_drawn_at_every_width(width, cells):
    edges = tuple(map(float, range(cells + 1)))
    for place in {0, cells // 2, cells - 1}:
        counts = tuple(tuple(int(x == place and y == place) for x in range(cells)) for y in range(cells))
        axis = Axis("x", 0.0, float(cells))
        chart = Chart("c", (Panel("", axis, axis, (Series("s", "heat", edges, edges, counts),)),))
        _, _, *body = draw(chart, width=width, height=14, color=False).splitlines()
        assert any("█" in line for line in body)


@pytest.mark.parametrize("far", [1e3, 1e9, math.inf])
def test_what_lies_beyond_an_axis_is_counted_in_every_chart(lossctl, tmp_path, far):
    rows = [(place % 7, place % 5 + 0.5) for place in range(300)] + [(1, far), (2, -far)]
    (tmp_path / "x.csv").write_text("y,pred\n" + "".join(f"{y},{p}\n" for y, p in rows))
    done = lossctl("plot", tmp_path / "x.csv", "-l", "mae")
    if far == math.inf:
        assert done.status == 3
        return
    assert done.out.count("2 rows beyond the axes") == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["hubr"], 2, "Did you mean huber"),
        (["mse", "preds.csv"], 2, "some names, some files"),
        (["nothere.csv"], 3, "no such file"),
        (["mse", "-p", "x"], 2, "--pred is for files"),
        (["mse", "-o", "x.foo"], 2, "Known:"),
        (["bce", "--label", "3"], 2, "label 3 must be a number in [0, 1]"),
        (["mse", "--label", "y"], 2, "not a number"),
        (["cosine_proximity", "--label", "1"], 2, "cannot be drawn"),
        (["mse", "--from", "3", "--to", "1"], 2, "nothing to draw"),
        (["mse", "--from", "nan"], 2, "cannot end at nan"),
        (["bce", "--from", "2", "--to", "4"], 2, "nothing to draw from 2 to 4\nThe axis is the predicted"),
        ([","], 2, "nothing named"),
        (["mse", "-d", ";"], 2, "--delimiter is for files"),
        (["huber:delta=-1"], 2, "delta must be"),
        (["mse", "--from-logits"], 2, "no natural activation"),
        ([ROOT / "sample_data" / "regression.csv", "--from", "1"], 2, "not for files"),
    ],
)
def test_a_wrong_question_is_answered(lossctl, arguments, status, words):
    done = lossctl("plot", *arguments)
    assert done.status == status
    assert words in done.err
    assert done.out == ""


def test_a_risky_pair_is_drawn_with_a_warning(lossctl):
    for pair in (("hinge", "--activation", "sigmoid"), ("kl_divergence:reverse=true", "--activation", "tanh")):
        done = lossctl("plot", *pair)
        assert done.status == 0
        assert f"warning: {pair[0].partition(':')[0]} after {pair[2]}: " in done.err


def test_help_loads_neither_numpy_nor_a_plotter():
    code = "import sys; from lossctl.cli.app import run; run(['plot', '--help']); "
    code += "print([it for it in ('numpy', 'pyarrow', 'plotext', 'altair') if it in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS)
    assert done.stderr.strip() == "[]"


def test_the_pictures_of_the_readme_are_drawn_alike_each_time(tmp_path):
    pytest.importorskip("vl_convert")
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        command = [sys.executable, ROOT / "docs" / "pictures.py", "--into", tmp_path / name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
        assert done.returncode == 0, done.stderr
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["plot.svg", "table.svg"]
    assert all(ET.fromstring(content).tag.endswith("svg") for content in made[0].values())
