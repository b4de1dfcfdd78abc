"""Programs for jq that are offered for what is not read do what is said of them."""

import json
import math
import re
import shlex
import shutil
import subprocess

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library
from lossctl.errors import LossctlError
from lossctl.reading import jq

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
LOGS = [[-0.5, -2.0, -0.25], [-1.0, -0.125]]
MEAN = 3.875 / 5


def completion(logs):
    return {"choices": [{"index": 0, "logprobs": {"token_logprobs": logs, "tokens": ["t"] * len(logs)}}]}


def echoed(logs):
    words = [None, *({f" {place}": each} for place, each in enumerate(logs))]
    return {"choices": [{"logprobs": {"token_logprobs": [None, *logs], "top_logprobs": words}}], "usage": {"n": 1}}


def without_any_first(logs):
    return {"choices": [{"logprobs": None}, *completion(logs)["choices"]]}


def by_number(logs):
    seven = ({str(7 + place): {"logprob": each, "rank": 1}} for place, each in enumerate(logs))
    tokens = [{**first, "3": {"logprob": -9.0}} for first in seven]
    return {"choices": [{"prompt_logprobs": [None, *tokens]}, {"prompt_logprobs": None}]}


def chat(logs):
    return {"choices": [{"logprobs": {"content": [{"token": "t", "logprob": each} for each in logs]}}]}


def oddly_named(logs):
    return {"it's": [{"a b": {"x.y": [{"token logprob": each} for each in logs]}}]}


@needs_jq
@pytest.mark.parametrize("row", [completion, echoed, without_any_first, by_number, chat, oddly_named])
def test_log_probabilities_of_answers_have_a_program_and_a_line_that_give_their_mean(row, tmp_path):
    path = write_lines(tmp_path / "answers.jsonl", *(json.dumps({"id": "a", **row(logs)}) for logs in LOGS))
    with pytest.raises(LossctlError) as told:
        library.evaluate(path, None)
    command = re.search(r"jq -c .*(?= makes of)", told.value.hint)[0]
    name, loss = re.search(r"prediction='?(\w+)'?.* loss='?([\w:=]+?)'?\.$", told.value.hint).groups()
    made = subprocess.run([*shlex.split(command), path], capture_output=True, check=True, text=True).stdout
    report = library.evaluate(write_lines(tmp_path / "made.jsonl", *made.splitlines()), loss, prediction=name)
    assert report.value == pytest.approx(MEAN)


@needs_jq
@settings(max_examples=10)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4), min_size=1, max_size=3)
)
def test_a_path_of_any_names_leads_to_what_stands_there(names):
    value, path = 7, ""
    for name in reversed(names):
        value = {name: value}
    for name in names:
        path = jq.inside(path, name)
    words = shlex.split(jq.column("values", path))
    done = subprocess.run(words, input=json.dumps(value), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {**value, "values": 7}


@pytest.mark.parametrize("sums", ["cumulative_logprob", "mean_logprob", "sum_logprob"])
@pytest.mark.parametrize("loss", [None, "perplexity:log=true"])
def test_log_probabilities_of_tokens_come_before_their_sums(sums, loss):
    rows = pa.table({"prompt": ["a", "b"], sums: [-2.75, -1.125], "logprobs": LOGS})
    if loss is None:
        with pytest.raises(LossctlError) as told:
            library.evaluate(rows, None)
        assert told.value.ways == ((("prediction", "logprobs"), ("loss", "surprisal:log=true")),)
    else:
        assert library.evaluate(rows, loss).value == pytest.approx(math.exp(MEAN))


@pytest.mark.parametrize("beside", [{"model": ["m", "m"]}, {"model": ["a", "b"]}, {}])
def test_lists_of_several_lengths_are_of_tokens_not_of_classes(beside):
    rows = pa.table({"id": [1, 2], **beside, "token_probs": [[math.exp(each) for each in logs] for logs in LOGS]})
    with pytest.raises(LossctlError, match="differ in length") as told:
        library.evaluate(rows, None)
    (way,) = told.value.ways
    assert library.evaluate(rows, **dict(way)).value == pytest.approx(MEAN)
    with pytest.raises(LossctlError) as told:
        library.evaluate(rows, None, prediction="token_probs")
    assert told.value.ways == ((("loss", "surprisal"),),)
    with pytest.raises(LossctlError, match="differ in length"):
        library.evaluate(rows.append_column("label", pa.array([0, 1])), None)


@pytest.mark.parametrize("written", [str, int, float])
@pytest.mark.parametrize("label", ["target", "label"])
@pytest.mark.parametrize("more", [{}, {"acc": [1.0, 0.0] * 15, "acc_norm": [1.0] * 30}])
def test_what_repeats_the_label_under_another_name_is_no_prediction(written, label, more):
    codes = [place % 3 for place in range(30)]
    rows = {label: [written(code) for code in codes], "doc.gold": codes, **more}
    for loss in (None, "mse"):
        with pytest.raises(LossctlError, match=r"'doc\.gold' holds the same") as told:
            library.evaluate(rows, loss)
        assert not told.value.ways
    assert ("'acc' and 'acc_norm' say how good a row is" in str(told.value)) == bool(more)
    assert library.evaluate(rows | {"pred": codes}, "mse", label="doc.gold").value == 0.0


@needs_jq
def test_log_likelihoods_of_choices_that_are_text_have_a_program_too(tmp_path):
    """Log-likelihoods log ¼ and log ¾ are the softmax of themselves."""
    shares = [str(math.log(0.25)), str(math.log(0.75))]
    rows = [{"target": str(place % 2), "doc": {"gold": place % 2}} for place in range(8)]
    lines = [json.dumps({**row, "filtered_resps": [[share, "False"] for share in shares], "acc": 1.0}) for row in rows]
    with pytest.raises(LossctlError) as told:
        library.evaluate(write_lines(tmp_path / "samples.jsonl", *lines), None)
    command = re.search(r"jq -c .*(?= makes)", str(told.value))[0]
    assert library.diagnose(tmp_path / "samples.jsonl").findings[0].advice.endswith(" --from-logits.")
    made = subprocess.run(shlex.split(command), input="\n".join(lines), capture_output=True, check=True, text=True)
    path = write_lines(tmp_path / "made.jsonl", *made.stdout.splitlines())
    report = library.evaluate(path, "cross_entropy", prediction="scores", from_logits=True)
    assert report.value == pytest.approx(-(math.log(0.25) + math.log(0.75)) / 2)
