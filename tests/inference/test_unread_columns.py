"""Lists of objects are not read; who names a number in one, or has nothing else, is told that."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_lines

import lossctl as library
from lossctl.errors import UsageError

NAMES = st.sampled_from(["choices", "out", "a_b", "résumé", "two words"])


@settings(max_examples=8)
@given(outer=NAMES, inner=st.sampled_from(["logprobs", "x.y"]), place=st.sampled_from(["", "[0]", "[1]"]))
def test_a_path_into_a_list_of_objects_is_answered_with_what_to_do(tmp_path_factory, outer, inner, place):
    row = {"id": "a", outer: [{name: {"y": -1.0} for name in inner.split(".")}]}
    path = write_lines(tmp_path_factory.mktemp("nested") / "rows.jsonl", *[json.dumps(row)] * 2)
    with pytest.raises(UsageError, match="a list of objects") as told:
        library.evaluate(path, "perplexity:log=true", prediction=f"{outer}{place}.{inner}")
    assert "jq -c" in told.value.hint
    with pytest.raises(UsageError, match="numbers in it must stand in a column of their own") as told:
        library.evaluate(path, "perplexity:log=true")
    assert f"Columns: id, {outer}." in told.value.hint


def test_what_is_told_to_be_run_does_it(lossctl, tmp_path):
    """Perplexity of ½ and ½ is 2."""
    row = {"choices": [{"logprobs": [-0.6931471805599453, -0.6931471805599453]}]}
    path = write_lines(tmp_path / "rows.jsonl", json.dumps(row), json.dumps(row))
    command = lossctl("eval", path, "-l", "perplexity:log=true", "-p", "choices[0].logprobs").err
    program = command.partition("jq -c '")[2].partition("'")[0]
    assert program == ". + {values: .choices[0].logprobs}"
