"""Numbers that are averaged by tokens: sums over these are refused, whoever names them, and means are measured."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import compare, evaluate
from lossctl.errors import DataError, Undecided

TEXTS = st.tuples(st.integers(0, 99), st.sampled_from([8, 60]), st.floats(0.3, 6.0), st.floats(1.5, 40.0))


def texts(seed, n, mean, spread):
    """How many tokens each of n texts has, and the sum of their surprisals."""
    rng = np.random.default_rng(seed)
    many = rng.integers(2, 2 + np.ceil(4 * spread), n)
    return many, np.array([rng.gamma(2.0 * count, mean / 2.0) for count in many])


@settings(max_examples=8)
@given(
    TEXTS,
    st.sampled_from(["logprob", "loglikelihood", "sum_logprob", "score"]),
    st.sampled_from(["num_tokens", "length", "k"]),
    st.sampled_from(["perplexity:log=true", "surprisal:log=true", "surprisal:log=true,base=2"]),
    st.booleans(),
)
def test_sums_over_tokens_are_never_weighted_by_their_number_and_means_are(case, name, count, loss, several):
    many, sums = texts(*case)
    base = 2.0 if "base" in loss else np.e
    names = [name, f"{name}_b"] if several else [name]
    log = {each: -sums * (1.1 if each != name else 1.0) for each in names}
    data = {"doc": np.arange(len(many)), count: many}
    if len(many) > 8 or name == "sum_logprob":
        for measure in (evaluate, compare) if several else (evaluate,):
            with pytest.raises(Undecided, match="over the tokens of a row") as question:
                measure(data | log, loss, prediction=names, weight=count)
            assert f"mean = {name} / {count}" in question.value.hint
    means = {each: values / many for each, values in log.items()}
    titles = [f"mean_{each}={each}" for each in names]
    report = evaluate(data | means, loss, prediction=titles, weight=count)
    value = sums.sum() / many.sum() / np.log(base)
    expected = np.exp(value) if loss.startswith("perplexity") else value
    assert report.results[0].value == pytest.approx(expected, rel=1e-9)
    if "sum" not in name:
        assert evaluate(data | means, loss, prediction=names, weight=count).results[0].value == pytest.approx(expected)


def test_sums_of_a_row_are_measured_by_row_and_have_no_perplexity_beside_how_many_they_are():
    many, sums = texts(1, 60, 2.0, 20.0)
    data = {"logprob": -sums, "num_tokens": many}
    assert evaluate(data, "surprisal:log=true", prediction="logprob").value == pytest.approx(sums.mean())
    with pytest.raises(Undecided, match="sum"):
        evaluate(data, "perplexity:log=true", prediction="logprob")
    with pytest.raises(Undecided, match="sum"):  # whatever it is called
        evaluate(
            data | {"logprob": -sums - 30.0}, "perplexity:log=true", prediction="mean=logprob", weight="num_tokens"
        )


@pytest.mark.parametrize("weight", ["num_tokens", "w"])
@pytest.mark.parametrize("first", [0, 1])
def test_lists_are_not_weighted_by_their_length_again(weight, first):
    many, _ = texts(2, 30, 2.0, 9.0)
    lists = [[*([None] * first), *np.full(k, -0.5)] for k in many.tolist()]
    options = {"prediction": "lists", "mask_null": True}
    for count in (many, many + first):
        with pytest.raises(Undecided, match="counts once without it"):
            evaluate(pa.table({"lists": lists, weight: count}), "surprisal:log=true", weight=weight, **options)
    other = evaluate(pa.table({"lists": lists, weight: many * 3.0}), "surprisal:log=true", weight=weight, **options)
    assert other.value == pytest.approx(0.5)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("masked", [False, True])
def test_log_probabilities_that_stop_perplexity_have_the_line_that_takes_them(first, masked):
    many, _ = texts(3, 20, 2.0, 9.0)
    source = pa.table({"lp": [[*([None] * first), *np.full(k, -0.5)] for k in many.tolist()]})
    asked = {"prediction": "lp", "mask_null": masked}
    with pytest.raises(DataError) as told:
        evaluate(source, "perplexity", **asked)
    (way,) = map(dict, told.value.ways)
    assert evaluate(source, **asked | way).value == pytest.approx(np.exp(0.5))
