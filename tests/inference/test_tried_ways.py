"""Every way on that is offered goes on: it was tried before, with what it needs beside."""

import contextlib
import shlex

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import LossctlError, Undecided

SEVERAL = {"label", "prediction"}


def with_nulls(values, share, rng):
    return [None if rng.random() < share else value for value in values]


def columns_of(rng, n=40):
    """Columns as people have them, by a name."""
    truth = rng.normal(100, 20, n)
    bits = rng.integers(0, 2, n)
    return {
        "sales": truth,
        "clicked": bits.tolist(),
        "kind": [["no", "yes"][bit] for bit in bits],
        "forecast": with_nulls((truth + rng.normal(0, 9, n)).tolist(), 0.1, rng),
        "score": np.clip(0.7 * bits + rng.uniform(-0.1, 0.4, n), *((0.01, 0.99) if rng.random() < 0.5 else (-1, 2))),
        "p10": with_nulls((truth - 12).tolist(), 0.1, rng),
        "p50": truth,
        "p90": truth + 12,
        "token_logprobs": [[None, *(-rng.gamma(1, 2, 5))] for _ in range(n)],
        "logprobs_b": [[*(-rng.gamma(1, 2, 5)), None] for _ in range(n)],
        "lower": truth - 9,
        "upper": with_nulls((truth + 9).tolist(), 0.05, rng),
        "price": rng.normal(9.9, 0.5, n),
        "id": [*range(n)],
    }


NAMES = sorted(columns_of(np.random.default_rng(0), 2))
LOSSES = [
    None,
    "perplexity",
    "surprisal",
    "quantiles",
    "mae",
    "bce",
    "interval",
    "crps_gaussian",
    "perplexity:log=true",
]


@settings(max_examples=12)
@given(
    st.sets(st.sampled_from(NAMES), min_size=2, max_size=6),
    st.sampled_from(LOSSES),
    st.integers(0, 99),
    st.sampled_from([None, "user"]),
)
def test_every_way_that_is_offered_is_measured(names, loss, seed, cluster):
    columns = columns_of(np.random.default_rng(seed))
    source = {name: columns[name] for name in NAMES if name in names}
    source |= {"user": [f"u{row // 4}" for row in range(40)]} if cluster else {}
    for ask in (lossctl.evaluate, lossctl.compare):
        try:
            ask(source, loss, cluster=cluster)
        except LossctlError as question:
            for way in question.ways:
                asked = {"loss": loss, "cluster": cluster}
                for name, value in way:
                    asked[name] = [*asked.get(name, ()), value] if name in SEVERAL else value
                ask(source, **asked)


@pytest.mark.parametrize("ask", [lossctl.evaluate, lossctl.compare])
def test_rows_that_move_together_leave_a_question_as_it_is(ask):
    rng = np.random.default_rng(8)
    bits = rng.integers(0, 2, 40)
    source = {"clicked": bits, "seen": 1 - bits, "a": rng.uniform(size=40), "b": rng.uniform(size=40)}
    source["user"] = [f"u{row // 4}" for row in range(40)]
    with pytest.raises(Undecided) as question:
        ask(source, None, cluster="user")
    assert question.value.ways
    for way in question.value.ways:
        chosen = {role: [value for name, value in way if name == role] or None for role in ("label", "prediction")}
        report = ask(source, dict(way).get("loss"), cluster="user", **chosen)
        assert report.inputs["cluster"] == ["user"]


@pytest.mark.parametrize("digits", [1, 3, 7])
@pytest.mark.parametrize("command", ["eval", "doctor"])
def test_decimal_commas_are_told_and_the_line_says_so(lossctl, tmp_path, digits, command):
    path = tmp_path / "de.csv"
    label = np.random.default_rng(digits).normal(1000, 300, 40)
    rows = [";".join(f"{number:.{digits}f}" for number in (each, each + 1, each + 50)) for each in label]
    path.write_text("\n".join(["sales;p50;p90", *rows]).replace(".", ","))
    done = lossctl(command, path, "-d", ";")
    lines = [line for line in (done.out + done.err).splitlines() if line.startswith("  lossctl")]
    assert lines
    for line in lines:
        assert "--decimal" in line
        assert lossctl(*shlex.split(line)[1:]).status == 0, line


@pytest.mark.parametrize("cells", ["1,000", "3,14,15", "a,5", "12"])
def test_what_may_be_no_decimal_comma_is_not_taken_for_one(tmp_path, cells):
    path = tmp_path / "de.csv"
    path.write_text(f"a;b\n{cells};x\n{cells};z\n")
    with pytest.raises(LossctlError) as error:
        lossctl.evaluate(path, None, reading=lossctl.Reading(delimiter=";"))
    assert "decimal" not in str(error.value)


@pytest.mark.parametrize(
    ("names", "levels"),
    [
        (("forecast_10", "forecast_50", "forecast_90"), (0.1, 0.5, 0.9)),
        (("pred_05", "pred_95"), (0.05, 0.95)),
        (("q_01", "q_05", "q_95"), (0.01, 0.05, 0.95)),
        (("yhat25", "yhat50", "yhat75"), (0.25, 0.5, 0.75)),
    ],
)
def test_two_digits_behind_forecasts_are_levels_where_each_has_its_opposite(names, levels):
    rng = np.random.default_rng(5)
    label = rng.normal(100, 20, 80)
    rows = label[:, None] + 40 * (np.array(levels) - 0.5) + rng.normal(0, 9, (80, 1))
    errors = label[:, None] - rows
    expected = float(np.mean(np.maximum(np.multiply(levels, errors), (np.array(levels) - 1) * errors)))
    source = {"sales": label, "price": rng.normal(9, 1, 80), **dict(zip(names, rows.T, strict=True))}
    with pytest.raises(Undecided) as question:
        lossctl.evaluate(source, None)
    way = dict(question.value.ways[-1])
    assert lossctl.evaluate(source, **way).value == pytest.approx(expected)


def test_models_that_are_numbered_are_no_quantiles():
    rng = np.random.default_rng(6)
    label = rng.normal(100, 20, 80)
    with contextlib.suppress(Undecided):
        report = lossctl.evaluate({"y": label, "pred_10": label, "pred_11": label + 1}, None)
        assert [result.model for result in report.results[::3]] == ["pred_10", "pred_11"]


@pytest.mark.parametrize("truth", ["truth", "gold", "y_true"])
def test_the_confidence_in_a_decision_is_no_probability_of_a_label(truth):
    rng = np.random.default_rng(7)
    label = rng.integers(0, 2, 60)
    decision = np.where(rng.random(60) < 0.2, 1 - label, label)
    words = np.array(["neg", "pos"])
    score = rng.uniform(0.5, 1, 60)
    source = {truth: words[label], "label": words[decision], "score": score}
    with pytest.raises(Undecided, match="confidence in 'label'") as question:
        lossctl.evaluate(source, None)
    assert truth in question.value.hint
    probable = {"label": words[label], "score": np.clip(label + 0.0, 0.05, 0.95)}
    lossctl.evaluate({**probable, "region": np.array(["east", "west"])[label]}, None)
