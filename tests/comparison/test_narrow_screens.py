"""At 80 columns, what models differ by is one table, however long their names are; what it lacks is named below it."""

import re

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl.document import Table
from lossctl.rendering.renderer import Style, renderers


@pytest.mark.parametrize("letters", [1, 16, 60])
@pytest.mark.parametrize("by", [[], ["date"]])
def test_both_ends_of_an_interval_stand_in_one_table(letters, by):
    random = np.random.default_rng(5)
    label = random.normal(size=60)
    old, new = "o" * letters, "n" * letters
    frame = pd.DataFrame({"y": label, old: label + random.normal(size=60), new: label + random.normal(size=60) ** 3})
    frame["date"] = np.repeat(["2025-01", "2025-02"], 30)
    comparison = lossctl.compare(frame, "mse", label="y", prediction=[old, new], by=by)
    text = renderers.get("table").render(comparison.document(), Style(width=80))
    (line,) = (line for line in text.splitlines() if "change" in line and "│" in line)
    assert "ci low" in line
    assert "ci high" in line
    assert len(line) <= 80


@pytest.mark.parametrize(("by", "doubted"), [([], False), (["date"], True)])
def test_a_column_for_which_there_is_no_room_is_named_and_the_share_of_one_row_goes_first(by, doubted):
    random = np.random.default_rng(6)
    label = random.normal(size=80)
    frame = pd.DataFrame({"y": label, "a": label + random.normal(size=80), "b": label + random.normal(size=80)})
    frame["date"] = np.repeat(["2025-01", "2025-02"], 40)
    frame.loc[0, "b"] += 99.0 * doubted
    document = lossctl.compare(frame, "mse", label="y", prediction=["a", "b"], by=by).document()
    tables = [part for section in document.sections() for part in section if isinstance(part, Table)]
    for width in (60, 80, 110):
        text = renderers.get("table").render(document, Style(width=width))
        heads = [re.split(r"\s*│\s*", line.strip("│ ")) for line in text.splitlines() if "│ loss" in line]
        told = re.findall(r"no room at (\d+) columns for: (.+?)\n\n", text, re.DOTALL)
        absent = [re.split(r",\s+", names) for _, names in told]
        shown = [title for head in heads for title in head]
        known = {column.brief or column.title: column.title for table in tables for column in table.columns}
        titles = {known.get(title, title) for title in shown} | {one for names in absent for one in names}
        assert titles == {column.title for table in tables for column in table.columns}, width
        assert {int(columns) for columns, _ in told} <= {width}
        assert all("top share" in names or names == ["ci low", "ci high"] for names in absent)
    assert tables[-1].columns[-1].title == "top share"


@pytest.mark.parametrize("letters", [1, 16, 60])
@pytest.mark.parametrize("size", [1.0, 1e5])
def test_what_models_are_is_shown_before_how_sure_their_difference_is(letters, size):
    random = np.random.default_rng(5)
    label = size * random.normal(size=60)
    old, new = "o" * letters, "n" * letters
    frame = {"y": label, old: label + size * random.normal(size=60), new: label + size * random.normal(size=60)}
    comparison = lossctl.compare(frame, "mse", label="y", prediction=[old, new])
    text = renderers.get("table").render(comparison.document(), Style(width=80))
    (line,) = (line for line in text.splitlines() if "change" in line and "│" in line)
    assert all(name in line or brief in line for name, brief in ((old, "baseline"), (new, "value")))
    assert ("ci low" in line) == ("ci high" in line)
