"""At 80 columns, what models differ by is one table, however long their names are."""

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl.rendering.renderer import Style, renderers


@pytest.mark.parametrize("letters", [1, 10, 16, 24, 60])
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
