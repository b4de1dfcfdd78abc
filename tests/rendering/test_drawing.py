"""Pictures of vectors: what is drawn lies in the picture, axes have round numbers, and what is seen is said."""

import math
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from lossctl.document import FAR, Axis, Panel, Series
from lossctl.rendering.drawing import WIDTH, drawn, ticks
from lossctl.rendering.panel_words import described

ENDS = st.tuples(st.floats(-FAR, FAR), st.floats(-FAR, FAR)).filter(lambda ends: ends[0] < ends[1])
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
AXIS = Axis("x", -1.0, 1.0)


@given(ends=ENDS | st.tuples(st.integers(-(10**7), 10**7), st.floats(1e-3, 1e7)).map(lambda pair: (pair[0], sum(pair))))
def test_ticks_are_round_numbers_within_the_axis_and_each_says_where_it_is(ends):
    low, high = map(float, ends)
    marks = ticks(Axis("x", low, high))
    values = [value for value, _ in marks]
    width = high / 2 - low / 2
    assert all(low - 1e-6 * width <= value <= high + 1e-6 * width for value in values)
    assert values == sorted(set(values))
    if width > 1e-12 * max(abs(low), abs(high)):
        assert 3 <= len(values) <= 10
        assert len({text for _, text in marks}) == len(marks)
        assert all(abs(float(text) / 2 - value / 2) <= 1e-2 * width for value, text in marks)


@given(
    mark=st.sampled_from(["line", "points", "bars", "intervals", "heat"]),
    numbers=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=6),
    ends=ENDS,
)
def test_whatever_is_drawn_lies_in_the_picture(mark, numbers, ends):
    x, y, z = zip(*numbers, strict=True)
    axis, names = Axis("x", *ends), tuple(f"name {place}" for place in range(len(x)))
    edges = tuple(sorted(value if math.isfinite(value) else 0.0 for value in x))
    places = tuple(map(float, range(len(x))))
    series = {
        "line": Series("s", "line", x, y),
        "points": Series("s", "points", x, y),
        "bars": Series("s", "bars", edges, tuple(abs(value) if math.isfinite(value) else 0.0 for value in y[1:])),
        "intervals": Series("s", "intervals", edges, places, ends=tuple(zip(y, z, strict=True))),
        "heat": Series("s", "heat", edges, edges, tuple((place,) * (len(x) - 1) for place in range(len(x) - 1))),
    }[mark]
    up = Axis("y", -0.5, len(x) - 0.5, names) if mark == "intervals" else axis
    picture = drawn(Panel("p", axis, up, (series,)), ("s",), "heading")
    root = ET.fromstring(ET.tostring(picture))
    _, _, width, height = map(float, root.get("viewBox").split())
    assert width == WIDTH
    for element in root.iter():
        for name, limit in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("cy", height)):
            assert -1e-3 <= float(element.get(name, 0)) <= limit
        for number in re.findall(r"-?[\d.]+|nan|inf", element.get("d", "")):
            assert abs(float(number)) <= 3 * max(width, height)


def test_what_a_panel_shows_is_said_in_words():
    curve = Series("mse", "line", (-1.0, 0.0, 1.0), (1.0, 0.0, 2.0))
    assert described(Panel("p", Axis("error", -1.0, 1.0), Axis("loss", 0.0, 2.0), (curve,))) == (
        "across: error, -1 to 1; up: loss, 0 to 2. mse: from 1 at -1 to 2 at 1; lowest 0 at 0, highest 2 at 1."
    )
    bars = Series("rows", "bars", (0.0, 1.0, 2.0), (5.0, 6.0))
    assert described(Panel("", AXIS, AXIS, (bars,))).endswith("rows: bars, the highest 6 from 1 to 2.")
    names = Axis("group", -0.5, 1.5, ("b", "a"))
    intervals = Series("95 %", "intervals", (0.5, -0.5), (1.0, 0.0), ends=((0.25, 0.75), (math.nan, math.nan)))
    assert described(Panel("", AXIS, names, (intervals,))).endswith("up: group, b, a. a: 0.5, 0.25 to 0.75. b: -0.5.")
    classes = Axis("class", -0.5, 1.5, ("cat", "dog"))
    heat = Series("p", "heat", (-0.5, 0.5, 1.5), (-0.5, 0.5, 1.5), ((1, 2), (7, 0)))
    words = "p: 10 rows, most of them, 7, at cat across and dog up."
    assert described(Panel("", classes, classes, (heat,))).endswith(words)
