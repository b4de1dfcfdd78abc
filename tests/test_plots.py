"""Plots: the numbers are those of the definitions and of the data, and every way to write them shows them.

The texts in ``drawings/`` are drawings at widths 80 and 120. After a change that is meant, look at the
difference and write them anew:

    python tests/test_plots.py
"""

import functools
import html
import json
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plotext import uncolorize

from lossctl import get_activation, get_loss
from lossctl.checks.contract import sampled
from lossctl.domain import CLASSES, REAL, SIGNS, SIMPLEX, VECTOR
from lossctl.functions.activation import activations
from lossctl.functions.loss import BoundLoss, Loss, losses
from lossctl.plots.curves import curve, curves, sweeps
from lossctl.rendering.chart import draw, limits, writers

DRAWINGS = Path(__file__).parent / "drawings"
WIDTHS = (80, 120)
DRAWN = {
    "errors": ["mse", "mae", "huber:delta=0.5", "log_cosh"],
    "probabilities": ["bce", "focal"],
    "margins": ["hinge", "squared_hinge"],
    "activations": ["relu", "elu:alpha=2", "sigmoid"],
    "rows": ["cross_entropy", "cosine_proximity"],
}
ROOT = Path(__file__).parents[1]


def bound(spec):
    return get_loss(spec) if spec.partition(":")[0] in losses else get_activation(spec)


def drawing(name, width):
    charts = curves([bound(spec) for spec in DRAWN[name]])
    return "\n".join(draw(chart, width=width, height=14, color=False) for chart in charts)


def drawings():
    """Path and text of every drawing kept."""
    for name in DRAWN:
        for width in WIDTHS:
            yield DRAWINGS / f"{name}-{width}.txt", drawing(name, width)


@pytest.fixture(params=losses, ids=lambda it: it.name)
def definition(request):
    return request.param


@pytest.fixture(params=activations, ids=lambda it: it.name)
def activation(request):
    return request.param


def at(sweep, x):
    """Labels and predictions of a sweep at points of its axis."""
    return np.repeat(sweep.label, len(x), axis=0), sweep.path.prediction(np.asarray(x))


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_a_curve_of_a_loss_is_its_value_and_its_slope_is_its_gradient_along_the_axis(definition, seed):
    chosen = get_loss(definition.name) if seed is None else sampled(definition, seed)
    value, slope = curve(chosen).panels
    for sweep, drawn, sloped in zip(sweeps(chosen), value.series, slope.series, strict=True):
        label, prediction = at(sweep, drawn.x)
        np.testing.assert_array_equal(drawn.y, chosen.value(label, prediction))
        along = chosen.gradient(label, prediction) * sweep.path.velocity(np.asarray(drawn.x))
        np.testing.assert_array_equal(sloped.y, along if along.ndim == 1 else along.sum(axis=1))
        assert sloped.x == drawn.x
        assert np.isfinite(drawn.y).all()
        assert len(drawn.x) > 300


def test_the_slope_is_the_derivative_of_the_curve(definition):
    chosen = get_loss(definition.name)
    for sweep, drawn in zip(sweeps(chosen), curve(chosen).panels[1].series, strict=True):
        x, y = np.asarray(drawn.x), np.asarray(drawn.y)
        smooth = np.abs(np.gradient(y, x)) < 1e3
        step = 1e-6
        up, down = (
            chosen.value(*at(sweep, np.clip(x + side, sweep.path.low, sweep.path.high))) for side in (step, -step)
        )
        found = (up - down) / (2 * step)
        kinked = np.abs(found - y) > 1e-4 * np.maximum(np.abs(y), 1.0)
        assert (kinked & smooth).sum() <= 3, "more points than a kink and its sides"


def test_a_curve_of_an_activation_is_its_value_and_its_derivative(activation):
    chosen = get_activation(activation.name)
    (value,), (slope,) = (panel.series for panel in curve(chosen).panels)
    z = np.asarray(value.x)
    if activation.rows:
        scores = np.stack([z, np.zeros_like(z)], axis=1)
        np.testing.assert_array_equal(value.y, chosen.value(scores)[:, 0])
        first = np.tile([1.0, 0.0], (len(z), 1))
        np.testing.assert_array_equal(slope.y, chosen.pullback(scores, first)[:, 0])
    else:
        np.testing.assert_array_equal(value.y, chosen.value(z))
        np.testing.assert_array_equal(slope.y, chosen.derivative(z))
    assert z[0] < 0 < z[-1]


@pytest.mark.parametrize("name", [it.name for it in losses if it.natural_activation])
def test_a_loss_can_be_drawn_over_its_pre_activation(name):
    chosen = get_loss(name).from_logits()
    value = curve(chosen).panels[0]
    assert "pre-activation z" in value.x.title
    assert all(f"after {chosen.activation}" in it.name for it in value.series)
    assert all(np.isfinite(it.y).all() for it in value.series)


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        ("huber", "error e = ŷ − y"),
        ("hinge", "margin y·f"),
        ("bce", "predicted probability ŷ"),
        ("poisson", "prediction ŷ"),
        ("mape", "prediction ŷ"),
        ("nll", "predicted probability of the true class"),
        ("nll:log=true", "predicted probability of the true class"),
        ("cosine_proximity", "angle between label and prediction (radians)"),
    ],
)
def test_the_axis_follows_from_the_domains(spec, title):
    assert curve(get_loss(spec)).panels[0].x.title == title


def stranger(function, label, prediction):
    """A loss that is in no registry."""
    definition = Loss(function, label=label, prediction=prediction)
    return BoundLoss(definition, ())


def test_only_what_depends_on_the_error_alone_is_drawn_over_the_error():
    def pinball(label, prediction):
        """Tilted."""
        return np.maximum(0.9 * (label - prediction), 0.1 * (prediction - label))

    def relative(label, prediction):
        """Symmetric and relative."""
        return np.abs(label - prediction) / (np.abs(label) + np.abs(prediction))

    assert curve(stranger(pinball, REAL, REAL)).panels[0].x.title == "error e = ŷ − y"
    drawn = curve(stranger(relative, REAL, REAL)).panels[0]
    assert drawn.x.title == "prediction ŷ"
    assert [it.name for it in drawn.series] == ["relative, y = 1"]


def test_only_a_loss_that_treats_both_signs_alike_is_drawn_over_the_margin():
    def lopsided(label, prediction):
        """Twice for the positive class."""
        return np.where(label > 0, 2.0, 1.0) * np.maximum(0.0, 1.0 - label * prediction)

    drawn = curve(stranger(lopsided, SIGNS, REAL)).panels[0]
    assert drawn.x.title == "prediction ŷ"
    assert [it.name for it in drawn.series] == ["lopsided, y = 1", "lopsided, y = -1"]


def test_losses_of_rows_that_nobody_foresaw_are_drawn_over_a_score():
    def crammer(label, prediction):
        """Margin of the true class."""
        return np.maximum(0.0, 1.0 + prediction[:, 1] - prediction[:, 0] + 0.0 * label)

    def brier(label, prediction):
        """Squared distance."""
        return ((label - prediction) ** 2).sum(axis=1)

    assert curve(stranger(crammer, CLASSES, VECTOR)).panels[0].x.title.startswith("score of the true class")
    drawn = curve(stranger(brier, SIMPLEX, SIMPLEX)).panels[0].series[0]
    np.testing.assert_allclose(drawn.y, 2 * (1 - np.asarray(drawn.x)) ** 2)


def test_a_loss_without_a_gradient_is_drawn_without_a_slope():
    def steps(label, prediction):
        """Counts."""
        return (np.abs(label - prediction) > 0.5).astype(float)

    chart = curve(stranger(steps, REAL, REAL))
    assert len(chart.panels) == 1
    assert "declares no gradient" in chart.notes[0]


def test_losses_share_a_chart_where_their_axes_agree():
    charts = curves([get_loss(spec) for spec in ("mse", "bce", "huber", "hinge", "focal")])
    assert [chart.names for chart in charts] == [
        ("mse", "huber"),
        ("bce, y = 1", "bce, y = 0", "focal, y = 1", "focal, y = 0"),
        ("hinge",),
    ]
    (together,) = curves([get_loss(spec) for spec in ("mse", "mape", "poisson")], labels=[2.0])
    assert together.names == ("mse, y = 2", "mape, y = 2", "poisson, y = 2")


def test_kinks_are_drawn_on_both_sides():
    slope = curve(get_loss("mae")).panels[1].series[0]
    near = [y for x, y in zip(slope.x, slope.y, strict=True) if abs(x) < 1e-6]
    assert near == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("spec", ["bce", "poisson", "exponential", "cross_entropy", "mape"])
def test_what_grows_without_bound_does_not_flatten_the_rest(spec):
    for panel in curve(get_loss(spec)).panels:
        size = panel.y.high - panel.y.low
        median = np.median(np.concatenate([it.y for it in panel.series]))
        assert panel.y.low <= median <= panel.y.high
        middle = np.concatenate([it.y[len(it.y) // 10 : -len(it.y) // 10] for it in panel.series])
        assert size <= 3.5 * np.ptp(middle)


def test_limits_leave_out_the_far_and_the_infinite():
    inf, nan = float("inf"), float("nan")
    low, high = limits([*np.linspace(0, 1, 100), 1e9, inf, nan, -inf])
    assert -1.1 < low <= 0
    assert 1 <= high < 2.1
    assert limits([]) < (0.5, 1.5)
    low, high = limits([3.0, 3.0])
    assert low < 3.0 < high


def every_chart(sample_data_folder=ROOT / "sample_data"):
    """Charts of each mark."""
    from lossctl.evaluation.plan import Request, make_plan
    from lossctl.plots.overview import overview
    from lossctl.reading.format import open_source

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
@pytest.mark.parametrize(("path", "text"), list(drawings()), ids=lambda it: it.name if isinstance(it, Path) else "")
def test_a_drawing_is_what_it_was(path, text):
    assert text == path.read_text()


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
    from lossctl.rendering.chart import writer_for

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
    assert width > 800
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
    done = lossctl("plot", ROOT / "sample_data" / "binary.csv", "-l", "bce", "-p", "p_a", "-o", tmp_path / f"x{suffix}")
    assert done.status == 0, done.err
    assert f"wrote {tmp_path / f'x{suffix}'}" in done.err
    assert (tmp_path / f"x{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["hubr"], 2, "Did you mean huber?"),
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


def test_a_file_without_rows_is_an_error(lossctl, tmp_path):
    (tmp_path / "x.csv").write_text("y,pred\n")
    done = lossctl("plot", tmp_path / "x.csv", "-l", "mse")
    assert done.status == 3
    assert "no data rows" in done.err


def numbers_of(lossctl, *arguments):
    done = lossctl("plot", *arguments, "--json")
    assert done.status == 0, done.err
    return {chart["title"]: chart for chart in done.json["charts"]}


@pytest.mark.lowest
def test_every_row_is_counted_once(lossctl, tmp_path):
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 5000))
    p[:7] = 1e6
    pq.write_table(pa.table({"y": y, "pred": p}), tmp_path / "x.parquet")
    charts = numbers_of(lossctl, tmp_path / "x.parquet", "-l", "mse,huber")
    for panel, chosen in zip(charts["losses of rows"]["panels"], ("mse", "huber"), strict=True):
        (series,) = panel["series"]
        value = get_loss(chosen).value(y, p)
        counts, _ = np.histogram(value, bins=series["x"])
        assert series["y"] == counts.tolist()
        assert sum(series["y"]) + series["beyond"] == 5000
        assert series["beyond"] >= 7
    cells = charts["predictions and labels"]["panels"][0]["series"][0]
    counts, _, _ = np.histogram2d(p, y, bins=[cells["y"], cells["x"]])
    assert cells["counts"] == counts.astype(int).tolist()
    assert counts.sum() + cells["beyond"] == 5000


def test_rounding_a_large_file_loses_no_row_and_moves_none(lossctl, tmp_path):
    rng = np.random.default_rng(1)
    y, p = rng.normal(size=(2, 150_000))
    pq.write_table(pa.table({"y": y, "pred": p}), tmp_path / "x.parquet", row_group_size=20_000)
    charts = numbers_of(lossctl, tmp_path / "x.parquet", "-l", "mae")
    (series,) = charts["losses of rows"]["panels"][0]["series"]
    assert series["y"] == np.histogram(np.abs(y - p), bins=series["x"])[0].tolist()
    cells = charts["predictions and labels"]["panels"][0]["series"][0]
    assert cells["counts"] == np.histogram2d(p, y, bins=[cells["y"], cells["x"]])[0].astype(int).tolist()


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("binary.csv", ["-p", "p_a", "-p", "p_b", "-w", "weight"]),
        ("regression.csv", []),
        ("classes.csv", ["-p", "p_*"]),
    ],
)
def test_neither_threads_nor_the_cut_into_files_changes_a_number(lossctl, tmp_path, sample_data, file, more):
    whole = numbers_of(lossctl, sample_data / file, *more, "--threads", 1)
    header, *rows = (sample_data / file).read_text().splitlines(keepends=True)
    for at_, cut in enumerate((rows[:57], rows[57:58], rows[58:])):
        (tmp_path / f"part{at_}.csv").write_text(header + "".join(cut))
    assert numbers_of(lossctl, sample_data / file, *more, "--threads", 2) == whole
    assert numbers_of(lossctl, *sorted(tmp_path.iterdir()), *more) == whole


def test_a_pipe_is_drawn_like_the_file(lossctl, sample_data):
    file = sample_data / "regression.csv"
    command = [sys.executable, "-m", "lossctl", "plot", "-", "-l", "huber", "--json"]
    done = subprocess.run(command, input=file.read_bytes(), capture_output=True, timeout=60)
    assert json.loads(done.stdout)["charts"] == lossctl("plot", file, "-l", "huber", "--json").json["charts"]


def test_the_reliability_curve_is_that_of_scikit_learn(lossctl, sample_data):
    calibration = pytest.importorskip("sklearn.calibration")
    import pandas as pd

    frame = pd.read_csv(sample_data / "binary.csv")
    charts = numbers_of(lossctl, sample_data / "binary.csv", "-l", "bce", "-p", "p_a", "-p", "p_b")
    curve_, counts = charts["calibration of probabilities"]["panels"]
    for model in ("p_a", "p_b"):
        happened, said = calibration.calibration_curve(frame.label, frame[model], n_bins=10)
        (points,) = [it for it in curve_["series"] if it["name"] == model and it["mark"] == "points"]
        np.testing.assert_allclose(points["x"], said, rtol=1e-14)
        np.testing.assert_allclose(points["y"], happened, rtol=1e-14)
        (bars,) = [it for it in counts["series"] if it["name"] == model]
        assert sum(bars["y"]) == len(frame)
        assert [n for n in bars["y"] if n] == points["counts"][0]


def test_the_reliability_curve_counts_weights(lossctl, tmp_path):
    (tmp_path / "x.csv").write_text("label,prob,w\n1,0.5,3\n0,0.45,1\n1,0.9,1\n0,0.95,0\n")
    charts = numbers_of(lossctl, tmp_path / "x.csv", "-l", "bce", "-w", "w")
    (points,) = [it for it in charts["calibration of probabilities"]["panels"][0]["series"] if it["mark"] == "points"]
    # (3·0.5 + 0.45) / 4 and 3 / 4; then 0.9 and 1, the row of weight 0 left out.
    np.testing.assert_allclose(points["x"], [0.4875, 0.9])
    assert points["y"] == [0.75, 1.0]
    assert points["counts"] == [[2, 1]]


def test_classes_are_counted_by_true_and_likeliest(lossctl, sample_data):
    import pandas as pd

    frame = pd.read_csv(sample_data / "classes.csv")
    names = ["bird", "cat", "dog"]
    best = frame[[f"p_{name}" for name in names]].to_numpy().argmax(axis=1)
    true = frame.label.map(names.index).to_numpy()
    charts = numbers_of(lossctl, sample_data / "classes.csv", "-p", "p_*")
    panel = charts["predictions and labels"]["panels"][0]
    assert panel["x"]["names"] == names
    for up in range(3):
        for across in range(3):
            assert panel["series"][0]["counts"][up][across] == int(((best == up) & (true == across)).sum())
    top = charts["calibration of probabilities"]["panels"][1]["series"][0]
    assert sum(top["y"]) == len(frame)


def test_scores_are_drawn_after_their_activation(lossctl, sample_data):
    charts = numbers_of(lossctl, sample_data / "logits.csv", "-l", "bce", "--from-logits", "-p", "logit")
    panel = charts["predictions and labels"]["panels"][0]
    assert panel["x"]["title"] == "prediction logit after sigmoid"
    assert 0 <= panel["x"]["low"] < panel["x"]["high"] <= 1
    assert "calibration of probabilities" in charts


def test_regression_has_no_calibration(lossctl, sample_data):
    assert "calibration of probabilities" not in numbers_of(lossctl, sample_data / "regression.csv", "-l", "mse")


def test_bad_data_are_refused_as_in_eval(lossctl, tmp_path):
    (tmp_path / "x.csv").write_text("label,prob\n1,0.5\n0,1.5\n")
    plotted, measured = (lossctl(name, tmp_path / "x.csv", "-l", "bce", "-q") for name in ("plot", "eval"))
    assert (plotted.status, plotted.out) == (3, "")
    assert plotted.err == measured.err


def test_names_from_a_file_command_neither_a_terminal_nor_a_page(lossctl, tmp_path):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    bad = "</script><script>alert(1)</script>\x1b[31m\n\"'" + "long" * 40
    pq.write_table(pa.table({"y": [1.0, 2.0, 3.0, 4.0], bad: [1.5, 2.0, 2.0, 5.0]}), tmp_path / "x.parquet")
    pages = [tmp_path / f"x{suffix}" for suffix in (".html", ".svg", ".vl.json")]
    flags = [flag for page in pages for flag in ("-o", page)]
    done = lossctl("plot", tmp_path / "x.parquet", "-l", "mse", "-y", "y", "-p", "/script/", *flags)
    assert done.status == 0, done.err
    assert "\x1b" not in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "<script>alert" not in pages[0].read_text()
    ET.fromstring(pages[1].read_text())


def test_help_loads_neither_numpy_nor_a_plotter():
    code = "import sys; from lossctl.cli.app import run; run(['plot', '--help']); "
    code += "print([it for it in ('numpy', 'pyarrow', 'plotext', 'altair') if it in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_the_pictures_of_the_readme_are_drawn_alike_each_time(tmp_path):
    pytest.importorskip("vl_convert")
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        command = [sys.executable, ROOT / "docs" / "pictures.py", "--into", tmp_path / name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["plot.svg", "table.svg"]
    assert all(ET.fromstring(content).tag.endswith("svg") for content in made[0].values())


if __name__ == "__main__":
    for path, text in drawings():
        path.write_text(text)
