"""Who meets an interval that is not trusted is told what would make it so, and that does."""

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.comparison.baseline import measure_baseline
from lossctl.comparison.trust import remedy
from lossctl.evaluation.prepared import prepare
from lossctl.evaluation.running import Running
from lossctl.inference.request import Request
from lossctl.sums.estimate import Doubt, Estimate

NAN, INF = float("nan"), float("inf")
SURE = Estimate(1.0, 0.1, 99.0, 100, 100.0, None, 0.02)
DOUBTED = {
    "": SURE,
    "value": replace(SURE, value=NAN),
    "range": replace(SURE, value=INF),
    "few": replace(SURE, freedom=0.0),
    "error": replace(SURE, standard_error=NAN),
    "tokens": replace(SURE, tokens=(10.0, 12.0)),
    "unseen": replace(SURE, top_share=NAN),
    "sizes": replace(SURE, clusters=40, units=10.0),
    "share": replace(SURE, top_share=0.4),
    "early": replace(SURE, units=20.0, anytime=20.0),
}


@pytest.mark.parametrize("reason", get_args(Doubt))
def test_every_reason_there_is_has_a_way_on(reason):
    one = DOUBTED[reason]
    assert (one.doubted, bool(one.doubt), bool(remedy(one, "mse"))) == (reason, reason != "", reason != "")


def compared(rows, **asked):
    return lossctl.compare(rows, "mse", label="y", prediction=["a", "b"], **asked)


def wanted(warnings, unit):
    """How many the only warning says that it would take."""
    (text,) = (warning for warning in warnings if "not trusted" in warning)
    return int(re.search(rf"with about ([0-9,]+) {unit}s", text)[1].replace(",", ""))


@pytest.mark.parametrize("far", [4.0, 9.0])
def test_with_so_many_rows_like_the_others_it_is_trusted(far):
    errors = np.tile([1.0, -1.0, 0.5, -0.5], 50)
    rows = {"y": np.zeros(200), "a": np.zeros(200) + 9.0, "b": np.sqrt(81.0 + errors)}
    rows["b"][0] = np.sqrt(81.0 + far)
    count = wanted(compared(rows).warnings, "row")
    more = {name: np.concatenate([cells, np.resize(cells[4:], count - 200)]) for name, cells in rows.items()}
    assert [one.doubt for one in compared(more).results] == [""]


def test_with_so_many_clusters_like_these_it_is_trusted():
    sizes = [8, 2, 1, 4, 3] * 4
    user = np.repeat(np.arange(20), sizes)
    own = np.where(np.arange(20) % 2, 1.0, -1.0) / np.array(sizes)
    rows = {"y": np.zeros(len(user)), "a": np.zeros(len(user)) + 9.0, "b": np.sqrt(81.0 + own[user]), "user": user}
    times = -(-wanted(compared(rows, cluster="user").warnings, "cluster") // 20)
    more = {name: np.tile(cells, times) for name, cells in rows.items()}
    more["user"] = np.concatenate([user + 20 * turn for turn in range(times)])
    assert [one.doubt for one in compared(more, cluster="user").results] == [""]


def test_a_gate_that_is_inconclusive_says_what_would_decide_it():
    rows = {"y": [0.0] * 40, "a": [1.0] * 40, "b": [*[0.9, 1.1] * 19, 1.0, 90.0]}
    gate = {"name": "no-worse", "loss": "mse", "max_increase": 0}
    verdicts = lossctl.check_gates(gate, rows, label="y", prediction=["a", "b"])
    (note,) = (note for note in verdicts.notes if "not trusted" in note)
    assert verdicts.verdict == "inconclusive"
    assert note.startswith("no-worse, not trusted: with about ")
    assert 'fail_if = "point"' in note


@pytest.mark.parametrize("loss", ["perplexity", "surprisal:base=2.0"])
@pytest.mark.parametrize("way", ["a model beside it", "a file", "what was saved of it"])
def test_models_of_other_tokens_are_no_better_by_token(tmp_path, loss, way):
    # every text is as probable to both; in twice as many tokens each is likelier
    texts = [[0.25] * (1 + place % 3) for place in range(60)]
    finer = [[0.5] * 2 * len(text) for text in texts]
    rows = pa.table({"id": range(60), "a": texts, "b": finer})
    files = [str(tmp_path / name) for name in ("a.parquet", "b.parquet")]
    for file, name in zip(files, "ab", strict=True):
        pq.write_table(rows.select(["id", name]).rename_columns(["id", "p"]), file)
    gate = {"name": "by-token", "loss": loss, "max_increase": 0}
    asked, source = {"prediction": ["a", "b"]}, rows
    if way != "a model beside it":
        asked, source = {"prediction": "p", "ids": "id"}, files[1]
        gate["baseline"] = files[0]
    if way == "what was saved of it":
        gate["baseline"] = str(tmp_path / "main.json")
        prepared = prepare(
            files[0], Request(loss=(loss,), prediction=("p",), ids=("id",), cluster=("id",), judged=True)
        )
        (tmp_path / "main.json").write_text(measure_baseline(prepared, Running("serial")).to_json())
    by_number = lossctl.check_gates({**gate, "fail_if": "point"}, source, **asked)
    assert any("compares whole texts" in note for note in by_number.notes)
    verdicts = lossctl.check_gates(gate, source, **asked)
    assert verdicts.verdict == "inconclusive"
    assert "tokens" in verdicts.lines[0]
    by_text = f"surprisal:{loss.partition(':')[2]},per=row".replace(":,", ":")
    (note,) = (note for note in verdicts.notes if "not trusted" in note)
    assert f"{by_text} compares whole texts" in note
    if "baseline" not in gate:
        compared = lossctl.compare(source, loss, **asked)
        assert [one.verdict for one in compared.results] == ["not trusted"]
        whole = lossctl.compare(source, by_text, **asked)
        assert [(one.verdict, one.tied) for one in whole.results] == [("no evidence", 1.0)]
