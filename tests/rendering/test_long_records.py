"""What is written column by column is what dictionaries come to, sign for sign."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.arrow import in_arrow, in_numpy, words_in_arrow
from lossctl.document import Document, strict
from lossctl.records import Columns, Records, Same, Some
from lossctl.rendering.long_records import shortest
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.renderers import delimited, records

FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1e-4, 9.999999999999999e-5, 1e10, 9999999999.999998, 17.0, 5e-324])
WORDS = st.none() | st.text() | st.sampled_from(["a,b", 'q"', "new\nline", "7", "\ufeff", "\x7f", "é\u2028"])


@st.composite
def parts(draw):
    n = draw(st.integers(1, 4))
    many = lambda one: st.lists(one, min_size=n, max_size=n)  # noqa: E731
    numbers, present = np.array(draw(many(FLOATS))), np.array(draw(many(st.booleans())))
    present[-1] = True
    by_key = {
        "loss": Same(draw(st.text() | st.integers() | FLOATS)),
        "parameters": Same({"delta": draw(FLOATS)}),
        "group": Columns(n, {"g": words_in_arrow(draw(many(WORDS))), "h": words_in_arrow(draw(many(WORDS)))}),
        "n": np.array(draw(many(st.integers(-(2**63), 2**63 - 1)))),
        "value": numbers,
        "low": in_arrow(numbers, np.array(draw(many(st.booleans())))),
        "constant": draw(many(FLOATS | st.lists(FLOATS, max_size=3).map(tuple))),
        "slope": Some(np.array(draw(many(FLOATS))), present),
    }
    return Columns(n, by_key)


@given(st.lists(parts(), min_size=1, max_size=2))
@settings(max_examples=60)
def test_json_by_columns_is_that_of_dictionaries(many):
    table = Records(tuple(many))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "MANY", 1)
        document = Document("", record=lambda: {"results": table}, rows=lambda: table)
        text = renderers.get("json").render(document, Style())
        lines = renderers.get("jsonl").render(document, Style())
    rows = [strict(row) for row in table]
    assert text.partition('"results": ')[2] == json.dumps({"": rows}, indent=2, ensure_ascii=False)[8:] + "\n"
    assert lines == "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@given(st.lists(parts(), min_size=1, max_size=2), st.sampled_from(["csv", "tsv"]))
@settings(max_examples=40)
def test_delimited_text_by_columns_is_that_of_dictionaries(many, name):
    table = Records(tuple(_flat(part) for part in many))
    texts = []
    for most in (1, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited, "MANY", most)
            texts.append(renderers.get(name).render(Document("", rows=lambda: table), Style()))
    assert texts[0] == texts[1]


def _flat(part):
    """Records without dictionaries inside."""
    groups = part.by_key["group"].by_key
    return Columns(
        part.n, {**groups, **{key: part.by_key[key] for key in part.by_key if key not in {"group", "parameters"}}}
    )


@given(st.lists(FLOATS | st.floats(1e-6, 1e12).map(lambda size: float(f"{size:.3g}")), min_size=1))
@settings(max_examples=200)
def test_doubles_are_written_as_python_writes_them(values):
    assert shortest(np.array(values)).to_pylist() == [repr(value) for value in values]


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_numbers_go_to_arrow_and_back(values):
    missing = np.array([value is None for value in values])
    array = in_arrow(np.array([value or 0 for value in values]), missing)
    assert array.to_pylist() == values
    assert in_numpy(array.fill_null(0)).tolist() == [value or 0 for value in values]
    assert math.isnan(in_arrow(np.array([math.nan]))[0].as_py())
