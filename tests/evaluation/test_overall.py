"""Groups beside all rows: one pass gives both, in the order that is asked for, and nothing is counted twice."""

import csv
import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.rendering.renderer import Style, renderers

ROWS = 60


def table_of(seed, groups):
    """Rows with nulls and weights, in groups some of which may have nothing left."""
    rng = np.random.default_rng(seed)
    prediction = np.where(rng.random(ROWS) < 0.1, np.nan, 10.0 ** rng.integers(-9, 9, ROWS))
    return pa.table(
        {
            "label": rng.integers(0, 5, ROWS).astype(float),
            "prediction": pa.array(prediction, from_pandas=True),
            "w": rng.choice([0.0, 0.1, 3.0], ROWS),
            "g": rng.integers(0, groups, ROWS),
            "h": rng.integers(0, 2, ROWS),
        }
    )


def figures(result, *, rounded):
    """What is known of a result without its group: exactly, or in the digits that do not depend on how rows are cut."""
    plain = {name: value for name, value in result.to_dict().items() if name not in {"group", "samples"}}
    nearly = {name for name in plain if name == "standard_error" or name.startswith(("grad_", "row_", "top1_"))}
    return {name: value for name, value in plain.items() if (name in nearly) == rounded}


@settings(max_examples=8)
@given(
    seed=st.integers(0, 999),
    groups=st.sampled_from([1, 3, 9]),
    weight=st.sampled_from([None, "w"]),
    by=st.sampled_from(["g", ["g", "h"]]),
)
def test_all_groups_together_are_all_rows(seed, groups, weight, by):
    asked = {
        "loss": ["mse", "rmse", "mae", "wmape", "nrmse"], "weight": weight, "gradient": True, "skill": True,
        "nulls": "drop", "engine": "serial",
    }  # fmt: skip
    table = table_of(seed, groups)
    apart, whole = (lossctl.evaluate(table, **asked, by=names) for names in (by, None))
    assert len(apart.overall) == len(whole.results)
    for pooled, result in zip(apart.overall, whole.results, strict=True):
        assert figures(pooled, rounded=False) == figures(result, rounded=False)
        assert figures(pooled, rounded=True) == pytest.approx(figures(result, rounded=True), rel=1e-9, nan_ok=True)
    assert not whole.overall


@pytest.mark.parametrize("loss", ["dice", "dice:smooth=2", "tversky:alpha=0.3,beta=0.7", "fmeasure:beta=2"])
def test_a_row_moves_the_value_of_all_groups_by_its_part_in_that(loss):
    """These divide by what depends on predictions, so a row's part in the value of its group is another number."""
    rng = np.random.default_rng(5)
    numbers = {
        "label": rng.integers(0, 2, ROWS),
        "prediction": rng.random(ROWS),
        "w": rng.choice([0.0, 0.5, 2.0], ROWS),
    }
    table = pa.table({**numbers, "g": rng.integers(0, 3, ROWS)})
    asked = {"loss": loss, "weight": "w", "gradient": True, "label": "label", "prediction": "prediction"}
    (whole,), (pooled,) = lossctl.evaluate(table, **asked).results, lossctl.evaluate(table, **asked, by="g").overall
    assert pooled.gradient == whole.gradient


def grouped(**more):
    source = {
        "label": [0.0] * 6,
        "prediction": [1.0, 3.0, 2.0, 2.0, 2.0, 5.0],
        "other": [9.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        "g": pa.array(["b", "c", "a", "a", "a", "b"]),
    }
    return lossctl.evaluate(source, "mae", by="g", prediction=["prediction", "other"], **more)


def names(report, model="prediction"):
    return [result.group["g"] for result in report.results if result.model == model]


@pytest.mark.parametrize(("sort", "order"), [("name", "abc"), ("value", "bca"), ("n", "abc")])
@pytest.mark.parametrize("top", [None, 1, 2, 9])
def test_groups_stand_in_the_order_asked_for_the_same_for_every_model(sort, order, top):
    """The means of a, b and c are 2, 3 and 3; they have 3, 2 and 1 rows."""
    report = grouped().arranged(sort, top)
    assert names(report) == names(report, "other") == list(order)[:top]
    assert report.overall == grouped().overall


def test_groups_without_a_value_come_last():
    source = {"label": [1.0, 1.0, 1.0], "prediction": [None, 2.0, 3.0], "g": pa.array(["a", "b", "c"])}
    report = lossctl.evaluate(source, "mae", by="g", nulls="drop").arranged("value")
    assert names(report) == ["c", "b", "a"]
    assert math.isnan(report.results[-1].value)


def test_groups_that_are_not_shown_are_counted_in_every_format_that_can_say_it():
    report = grouped().arranged("value", 1)
    assert "groups: 1 of 3 shown, the first by value of mae of prediction" in str(report)
    shown = report.to_dict()["inputs"]["groups"]
    assert (shown["measured"], shown["shown"]) == (3, 1)
    assert len(report.to_frame()) == 2


def test_all_stands_first_for_people_and_apart_for_machines():
    report = grouped()
    lines = renderers.get("plain").render(report.document(), Style()).splitlines()
    assert [line.split()[2] for line in lines[1:9]] == ["all", "a", "b", "c"] * 2
    record = report.to_dict()
    assert [result["n"] for result in record["overall"]] == [6, 6]
    assert sum(result["n"] for result in record["results"]) == 12
    lines = renderers.get("csv").render(report.document(), Style()).splitlines()
    assert sum(int(row["n"]) for row in csv.DictReader(lines)) == 12
    items = [*map(json.loads, renderers.get("jsonl").render(report.document(), Style()).splitlines())]
    assert sum(item["n"] for item in items) == report.to_frame()["n"].sum() == 12


def test_a_group_that_is_called_all_is_not_taken_for_all_of_them():
    source = {"label": [1.0, 2.0], "prediction": [2.0, 2.0], "g": pa.array(["all", "b"])}
    lines = str(lossctl.evaluate(source, "mae", by="g")).splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["(all)", "all", "b"]


def test_order_without_groups_is_refused():
    source = {"label": [1.0], "prediction": [2.0]}
    with pytest.raises(lossctl.UsageError, match="no groups"):
        lossctl.evaluate(source, "mae").arranged("value")
    with pytest.raises(lossctl.UsageError, match="no order"):
        grouped().arranged("vlaue")


@pytest.mark.parametrize(("width", "columns"), [(80, {"ignored", "reduction"}), (200, set())])
def test_a_column_that_carries_nothing_is_left_out_where_that_saves_a_table(width, columns):
    names = ["label", "prediction", "last", "weight_of_the_row", "segment"]
    source = {name: [1.0, 123456.789] for name in names[:-1]} | {"segment": pa.array(["desktop", "mobile"])}
    report = lossctl.evaluate(
        source, "mse", prediction=names[1:3], weight=names[3], by="segment", reduction="sum", ignore_label=-100
    )
    text = renderers.get("table").render(report.document(), Style(width=width))
    assert text.count("╭") == 1
    assert {title for title in ("ignored", "reduction") if f"{title} │" not in text} == columns
    assert "mse: reduction=sum" in text, "what the column would have said"
