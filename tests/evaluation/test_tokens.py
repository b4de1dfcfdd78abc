"""Lists of log-probabilities of tokens: rows of any length, without a label, nulls in them left out on demand."""

import json
import math
import shlex

import pyarrow as pa
import pytest

from lossctl import UsageError, compare, evaluate

ROWS = [[None, -0.5, -1.25], [-2.0], [-0.25, None, -0.75, -3.0], [-1.0, -0.125]]
OTHERS = [[-1.0, -0.25, -1.5], [-0.5], [-0.75, -2.0, -0.5, -1.0], [-0.25, -0.25]]


@pytest.fixture
def tokens(tmp_path):
    lines = (json.dumps({"doc": f"d{row % 2}", "logprobs": row_of, "other": other}) for row, (row_of, other) in CELLS)
    (tmp_path / "tokens.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "tokens.jsonl"


CELLS = tuple(enumerate(zip(ROWS, OTHERS, strict=True)))


def test_nulls_in_lists_are_left_out_and_counted(tokens):
    there = [number for row in ROWS for number in row if number is not None]
    report = evaluate(str(tokens), "perplexity:log=true", prediction="logprobs", mask_null=True)
    assert report.results[0].value == pytest.approx(math.exp(-sum(there) / len(there)), rel=1e-14)
    assert report.inputs["masked"] == {"logprobs": 2}
    assert (report.results[0].n, report.inputs["nulls"]) == (4, {})


def test_the_error_for_a_null_in_a_list_names_the_way_to_leave_it_out(lossctl, tokens):
    told = lossctl("eval", tokens, "-l", "ppl:log=true", "-p", "logprobs")
    assert told.status == 3
    assert "--mask-null" in told.err
    done = lossctl("eval", tokens, "-l", "ppl:log=true", "-p", "logprobs", "--mask-null")
    assert done.status == 0
    assert "numbers of lists: 2 without (2 in logprobs)" in done.out


def test_what_has_no_label_shows_none(lossctl, tokens):
    asked = (tokens, "-l", "surprisal:log=true", "-p", "other")
    assert "label" not in lossctl("eval", *asked, "--samples", "2").out
    (result,) = lossctl("eval", *asked, "--samples", "2", "--json").json["results"]
    assert [row["label"] for row in result["samples"]] == [None, None]
    moved = lossctl("compare", tokens, "-l", "surprisal:log=true", "-p", "logprobs", "-p", "other", "--mask-null")
    assert moved.status == 0
    assert not {"label", "truth", "nan"} & {*moved.out.split()}
    moved = lossctl("compare", *asked, "-p", "logprobs", "--mask-null", "--samples", "2", "--json").json
    assert {move["label"] for result in moved["results"] for move in result["samples"]} == {None}


def test_lists_are_drawn_and_proven_whatever_their_lengths(lossctl, tokens):
    drawn = lossctl("plot", tokens, "-l", "surprisal:log=true", "-p", "other")
    assert drawn.status == 0, drawn.err
    assert "predictions and labels" not in drawn.out
    proven = lossctl("gradcheck", "surprisal:log=true", tokens, "-p", "other", "--json")
    (gradient,) = [entry for entry in json.loads(proven.out)["checks"] if "compared" in entry]
    assert {point["label"] for point in gradient["worst"]} == {None}
    assert (gradient["compared"], gradient["unresolved"]) == (sum(map(len, OTHERS)), 0)


def test_a_label_beside_losses_without_one_is_left_aside_with_a_word(lossctl, tokens):
    done = lossctl("eval", tokens, "-l", "ppl:log=true", "-p", "other", "-y", "doc")
    assert done.status == 0
    assert "no label counts for perplexity: doc is left aside" in done.err
    assert lossctl("eval", tokens, "-l", "ppl:log=true", "-p", "other", "-y", "dog").status == 2


def test_perplexity_of_classes_is_told_to_be_that_of_cross_entropy():
    table = {"label": [0, 1], "p0": [0.5, 0.25], "p1": [0.5, 0.75]}
    with pytest.raises(UsageError) as told:
        evaluate(table, "perplexity")
    assert "reduction='exp-mean'" in told.value.hint
    value = evaluate(table, "cross_entropy", label="label", prediction="p0,p1", reduction="exp-mean").value
    assert value == pytest.approx((0.5 * 0.75) ** -0.5)


@pytest.mark.parametrize("command", ["eval", "samples", "plot", "gradcheck"])
@pytest.mark.parametrize("asked", [[], ["--nulls", "drop"]], ids=["plain", "dropped"])
def test_whoever_copies_the_line_of_a_refusal_of_first_tokens_without_a_probability_measures_the_others(
    command, asked, lossctl, tmp_path
):
    path = tmp_path / "first.jsonl"
    path.write_text("".join(json.dumps({"doc": doc, "lp": [None, -1.5, -0.25]}) + "\n" for doc in range(3)))
    loss = ["surprisal:log=true"] if command == "gradcheck" else ["-l", "surprisal:log=true"]
    refused = lossctl(command, *loss, path, "-p", "lp", *asked)
    assert refused.status == 3
    line = shlex.split(refused.err.splitlines()[-1])
    assert line[-1] == "--mask-null"
    done = lossctl(*line[1:])
    assert done.status == 0, done.err
    if command == "eval":
        assert lossctl(*line[1:], "-f", "value").out.strip() == repr((1.5 + 0.25) / 2)


def test_doctor_proposes_tokens_with_what_leaves_out_those_without_a_probability(lossctl, tmp_path):
    for name, rows in (
        ("lists", [[None, -1.5], [-0.5, -0.25]]),
        ("numbers", [-1.5, None]),
        ("whole", [[-1.5], [-2.0]]),
    ):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"logprob": row}) + "\n" for row in rows))
        said = lossctl("doctor", path, "--json").json
        (command,) = said["commands"]
        flag = {"lists": " --mask-null", "numbers": " --nulls=drop", "whole": ""}[name]
        assert command == f"lossctl eval {path} -p logprob -l surprisal:log=true{flag}"
        assert lossctl(*shlex.split(command)[1:]).status == 0
        assert lossctl("eval", path).err.rstrip().endswith(command)


def test_a_part_of_lists_is_no_column_and_it_is_said_how_their_nulls_are_left_out(lossctl, tokens):
    for part in ("[1:]", "[1:3]"):
        refused = lossctl("eval", tokens, "-l", "ppl:log=true", "-p", f"logprobs{part}")
        assert refused.status == 2
        assert "-p logprobs;" in refused.err
        assert "--mask-null" in refused.err


def test_beside_a_loss_with_a_label_one_without_says_that_none_counts():
    report = evaluate({"y": [1, 0], "p": [0.5, 0.25]}, ["bce", "perplexity"], label="y", prediction="p")
    assert [note for note in report.notes if "no label counts" in note] == ["no label counts for perplexity"]
    assert report.results[1].value == pytest.approx(8.0**0.5)


@pytest.mark.parametrize("loss", ["surprisal:log=true", "perplexity:log=true"])
def test_texts_are_told_to_be_other_tokens_whatever_their_weight(loss):
    apart = pa.array([[-1.0, -2.0], [-3.0]] * 3)
    table = {"p": pa.array([[-1.0], [-2.0]] * 3), "q": apart, "w": [1e308] * 6}
    (one,) = compare(table, loss, prediction=["p", "q"], weight="w").results
    assert one.doubt.startswith("the same texts are ")
