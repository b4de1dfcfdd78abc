"""Numbers inside structs are found and named by their paths; those in lists of objects are said to be none."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.errors import LossctlError, Undecided

LOGS = np.random.default_rng(0).gamma(1, 2, (30, 12))


def write(rows, path):
    if path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("key", ["id", "idx", "request_id"])
@pytest.mark.parametrize("first", [[None], []])
def test_log_probabilities_inside_structs_are_named_by_their_path(tmp_path, ending, key, first):
    rows = [
        {key: at, "logprobs": {"tokens": ["t"] * 12, "token_logprobs": first + (-row).tolist(), "text_offset": [0, 7]}}
        for at, row in enumerate(LOGS)
    ]
    path = write(rows, tmp_path / f"answers.{ending}")
    with pytest.raises(Undecided) as question:
        lossctl.evaluate(path, None)
    (way,) = question.value.ways
    assert dict(way)["prediction"] == "logprobs.token_logprobs"
    assert lossctl.evaluate(path, **dict(way)).value == pytest.approx(LOGS.mean())
    assert "logprobs.token_logprobs" in lossctl.diagnose(path).commands[0]
    report = lossctl.evaluate(path, "perplexity:log=true", mask_null=True)
    assert report.value == pytest.approx(np.exp(LOGS.mean()))


def test_labels_and_predictions_inside_structs_are_told_by_their_names(tmp_path):
    rng = np.random.default_rng(1)
    p, label = rng.uniform(0.1, 0.9, 40), rng.integers(0, 2, 40)
    rows = [{"y": int(y), "output": {"text": "x", "prob": float(q)}} for y, q in zip(label, p, strict=True)]
    report = lossctl.evaluate(write(rows, tmp_path / "answers.jsonl"), None)
    assert report.value == pytest.approx(-np.mean(np.where(label == 1, np.log(p), np.log1p(-p))))


@pytest.mark.parametrize("key", ["id", "idx", "request_id", "Unnamed: 0", "n_tokens"])
def test_what_tells_rows_apart_is_no_prediction_because_nothing_else_is_left(key):
    with pytest.raises(LossctlError):
        lossctl.evaluate({key: -np.arange(30), "text": ["a"] * 30}, "perplexity:log=true")


@pytest.mark.parametrize("loss", [None, "perplexity", "surprisal:log=true"])
@pytest.mark.parametrize("more", [{}, {"bytes": [1], "top_logprobs": [{"token": "x", "logprob": -1.0}]}])
def test_log_probabilities_in_lists_of_objects_are_refused_with_what_makes_lists_of_them(loss, more):
    content = [{"token": "t", "logprob": -1.5, **more}] * 3
    chat = {"id": "a", "logprobs": {"content": content}}
    for row, path in (
        (chat, ".logprobs.content[]?.logprob"),
        ({"id": 1, "choices": [{"index": 0, **chat}]}, ".choices[]?.logprobs.content[]?.logprob"),
        ({"outputs": [{"cumulative_logprob": -4.5, "logprobs": content}]}, ".outputs[]?.logprobs[]?.logprob"),
        (
            {"prompt_token_ids": [1, 7], "prompt_logprobs": [None, {"7": {"logprob": -1.5, "rank": 1, "text": "t"}}]},
            ".prompt_logprobs[]? | select(.) | to_entries[0].value.logprob",
        ),
    ):
        with pytest.raises(LossctlError, match="list of objects") as error:
            lossctl.evaluate(pa.Table.from_pylist([row] * 9), loss)
        assert f"[{path}]" in error.value.hint
