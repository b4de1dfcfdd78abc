"""What is drawn is bounded, whatever the numbers are and whatever a terminal is said to be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.document import FAR, Axis, Chart, Panel, Series
from lossctl.rendering.clipping import Box
from lossctl.rendering.picture import draw, shown

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LIMITS = st.tuples(*[st.floats(-FAR, FAR)] * 2).filter(lambda ends: ends[0] < ends[1])
LINES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


@given(LIMITS, LIMITS, LINES)
def test_a_line_is_drawn_within_its_box_and_through_all_its_points_there(across, up, line):
    box = Box(*across, *up)
    x, y = zip(*line, strict=True)
    drawn = [point for xs, ys in box.stretches(x, y) for point in zip(xs, ys, strict=True)]
    assert all(box.left <= x <= box.right and box.low <= y <= box.high for x, y in drawn)
    assert set(zip(*box.points(x, y), strict=True)) <= set(drawn)
    assert len(drawn) <= 2 * len(line)


def test_a_line_is_cut_where_it_crosses_the_edge():
    box = Box(0.0, 4.0, 0.0, 2.0)
    assert list(box.stretches((-2.0, 6.0), (-1.0, 3.0))) == [([0.0, 4.0], [0.0, 2.0])]
    peak = [([1.0, 1.25], [1.0, 2.0]), ([2.75, 3.0], [2.0, 1.0])]
    assert list(box.stretches((1.0, 2.0, 3.0), (1.0, 5.0, 1.0))) == peak
    assert list(box.stretches((1.0, 2.0), (3.0, 5.0))) == []
    assert list(box.stretches((1.0, 2.0), (1.0, 1.0))) == [([1.0, 2.0], [1.0, 1.0])]


@settings(max_examples=20)
@given(LIMITS, LIMITS, LINES, st.sampled_from(["line", "points"]), st.integers(-5, 10**9))
def test_any_numbers_are_drawn_on_any_screen(across, up, line, mark, width):
    x, y = zip(*sorted(line), strict=True)
    series = (Series("guide", "line", across, up, guide=True), Series("s", mark, x, y))
    chart = Chart("title", (Panel("", Axis("x", *across), Axis("y", *up), series),))
    lines = draw(chart, width=width, height=14, color=False).splitlines()
    assert max(map(len, lines)) <= min(max(width, 60), 1000)
    assert len(lines) < 30


@pytest.mark.lowest
@pytest.mark.parametrize("far", [1e5, 1e12, 1e300, 1.7e308])
@pytest.mark.parametrize("column", ["y", "p"])
def test_an_outlier_of_few_rows_is_drawn(lossctl, tmp_path, far, column):
    """Characters outside the axes were drawn too: 2.4 GB of them at 100,000."""
    cells = {"y": ["0", "1", "0.5", "0.7"], "p": ["0.5", "0.25", "0.5", "0.3"]}
    cells[column][2] = repr(far)
    rows = "\n".join(map(",".join, zip(cells["y"], cells["p"], strict=True)))
    (tmp_path / "x.csv").write_text(f"y,p\n{rows}\n")
    done = lossctl("plot", tmp_path / "x.csv", "-l", "mae")
    assert done.status == 0, done.err
    assert len(done.out) < 10_000


@pytest.mark.parametrize("size", ["10000000", "9" * 5000, "-1", "0", "²", "1e9", ""])
@pytest.mark.parametrize("command", [["--help"], ["samples", "--help"], ["explain", "huber"]], ids=" ".join)
def test_no_screen_is_too_large_or_nonsense(lossctl, monkeypatch, command, size):
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        monkeypatch.setenv(name, size)
    done = lossctl(*command)
    assert done.status == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 1000


def test_names_that_are_shown_alike_stay_apart():
    names = ["a\x1b", r"a\x1b", "x" * 3000 + "1" + "x" * 3000, "x" * 3000 + "2" + "x" * 3000]
    panel = Panel("", Axis("", 0, 1), Axis("", 0, 1), tuple(Series(name, "line", (0, 1), (0, 1)) for name in names))
    assert len(shown(Chart("", (panel,))).names) == 4
