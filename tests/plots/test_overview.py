"""Pictures of a file: every row is counted once, whatever the cut."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deceiving import EVIL, leaked
from waiting import HANGS

from lossctl import get_loss
from lossctl.evaluation import histograms


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


@pytest.mark.parametrize("number", [0.0, 1.0, -2.5, 1e-12, 3e300, 5e-324])
def test_one_number_is_a_bar_among_empty_cells(number):
    grid = histograms.cells(number, number)
    assert np.isfinite(grid.edges).all()
    (place,), (inside,) = grid.place(np.array([number]))
    assert inside
    assert grid.count >= 10
    assert grid.edges[place] <= number <= grid.edges[place + 1]


def test_models_are_drawn_to_one_scale_where_that_hides_none(lossctl, tmp_path):
    y = np.arange(50.0)
    for factors, common in (((1.0, 1.5, 0.6), True), ((1.0, 100.0), False)):
        columns = {f"m{index}": factor * y for index, factor in enumerate(factors)}
        pq.write_table(pa.table({"y": y, **columns}), tmp_path / "x.parquet")
        names = [word for name in columns for word in ("-p", name)]
        panels = numbers_of(lossctl, tmp_path / "x.parquet", "-y", "y", *names, "-l", "mse")["predictions and labels"]
        ends = {(panel[axis]["low"], panel[axis]["high"]) for panel in panels["panels"] for axis in "xy"}
        assert (len(ends) == 1) == common


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
    done = subprocess.run(command, input=file.read_bytes(), capture_output=True, timeout=HANGS)
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


SVG = {
    "svg", "title", "g", "path", "text", "tspan", "rect", "line", "defs", "clipPath", "linearGradient", "stop", "style",
}  # fmt: skip
"""Elements of a picture, none of which runs anything."""
PAGE = {
    "html", "head", "title", "meta", "style", "body", "div", "script", "a", "header", "h1", "main", "section", "figure",
    "figcaption", "ul", "li", "p", "svg", "desc", "circle", "footer",
}  # fmt: skip
"""Elements of a page, of which the scripts are ours."""
ENDS = "</script></style></text><script>alert(1)</script><img src=x onerror=alert(1)>]]>&#x1b;"
HOSTILE = f"{ENDS}{EVIL}\\' + alert(1) + '"
"""What ends a script, an attribute, a string of an expression; signs that command a terminal; and the rest."""


class Elements(HTMLParser):
    """The elements of a page, and how many scripts it has."""

    def __init__(self):
        super().__init__()
        self.seen = Counter()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += 1
        assert not any(name.startswith("on") or name in {"src", "href"} for name, word in attrs if word != "#main")


def test_names_from_a_file_command_neither_a_terminal_nor_a_page(lossctl, tmp_path):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    bad = f"{HOSTILE}{'long' * 40}"
    names = [f"a{HOSTILE}", f"b{HOSTILE}"]
    table = {"y": [names[0], names[1]] * 2, f"p{bad}": [0.5, 0.25, 0.75, 0.5], f"q{bad}": [0.5, 0.5, 0.25, 0.5]}
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    pages = [tmp_path / f"x{suffix}" for suffix in (".html", ".svg", ".vl.json", ".txt")]
    flags = [flag for page in pages for flag in ("-o", page)]
    # As vectors of two classes, so that a map of classes is drawn too.
    model = f"{bad.replace('=', '')}=/script/"
    command = ["-l", "cross_entropy", "-y", "y", "-p", model, "--classes", ",".join(names), "--normalize-rows"]
    done = lossctl("plot", tmp_path / "x.parquet", *command, *flags, "-f", "table")
    assert done.status == 0, done.err
    page, picture, numbers, text = (page.read_text() for page in pages)
    for shown in (done.out, done.err, text):
        assert leaked(shown) == set()
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "alert(1)" in page
    elements = Elements()
    elements.feed(page)
    assert set(elements.seen) <= PAGE | SVG
    assert elements.seen["script"] == page.count("<script"), "no name begins one"
    assert "\x1b" not in page
    root = ET.fromstring(picture)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "title",
        "g",
        "path",
        "text",
        "rect",
        "defs",
        *SVG,
    }
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    assert leaked("".join(root.itertext())) == set()
    assert leaked(json.loads(numbers)["config"].__repr__()) == set()
