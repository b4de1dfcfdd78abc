"""Plain eval measures what doctor's first command line says, or both ask."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from suspicious import softmax
from typed import arguments_of

import lossctl
from lossctl.errors import LossctlError, Undecided


def _vector(rng, n, label, scale):
    label = label.astype(float)
    scores = rng.normal(0, 2, (n, 3))
    rows = {"rows": softmax(scores), "logits": scores, "percent": 100 * softmax(scores)}[scale]
    return {"label": label, **{f"p_{place}": rows[:, place] for place in range(3)}}


KINDS = {
    "yes or no": lambda rng, n: {"y": rng.integers(0, 2, n).astype(float), "p": rng.random(n)},
    "logits": lambda rng, n: {"y": rng.integers(0, 2, n).astype(float), "p": rng.normal(0, 3, n)},
    "percentages": lambda rng, n: {"y": rng.integers(0, 2, n).astype(float), "p": 100 * rng.random(n)},
    "margins": lambda rng, n: {"y": 2.0 * rng.integers(0, 2, n) - 1, "p": rng.normal(0, 3, n)},
    "words": lambda rng, n: {"y": rng.choice(["no", "yes"], n), "p": rng.random(n)},
    "other words": lambda rng, n: {"y": rng.choice(["cat", "dog"], n), "p": rng.random(n)},
    "numbers": lambda rng, n: {"y": rng.normal(0, 3, n), "p": rng.normal(0, 3, n)},
    "positive": lambda rng, n: {"y": np.exp(rng.normal(0, 3, n)), "p": np.exp(rng.normal(0, 3, n))},
    "bounded": lambda rng, n: {"y": rng.random(n), "p": rng.random(n)},
    "counts": lambda rng, n: {"y": rng.poisson(2, n).astype(float), "p": rng.gamma(2, 1, n) + 0.01},
    "log rates": lambda rng, n: {"y": rng.poisson(2, n).astype(float), "p": rng.normal(0.2, 1, n)},
    "few numbers": lambda rng, n: {"y": rng.choice([1.0, 5.0, 9.0], n), "p": rng.normal(5, 3, n)},
    "two numbers": lambda rng, n: {"y": rng.choice([1.0, 5.0], n), "p": rng.normal(3, 3, n)},
    "classes": lambda rng, n: _vector(rng, n, rng.integers(0, 3, n), "rows"),
    "classes from 1": lambda rng, n: _vector(rng, n, rng.integers(1, 4, n), "rows"),
    "logits of classes": lambda rng, n: _vector(rng, n, rng.integers(0, 3, n), "logits"),
    "percentages of classes": lambda rng, n: _vector(rng, n, rng.integers(0, 3, n), "percent"),
    "labels beside each other": lambda rng, n: {
        **{f"y_{name}": rng.integers(0, 2, n).astype(float) for name in "ab"},
        **{f"p_{name}": rng.random(n) for name in "ab"},
    },
    "quantiles": lambda rng, n: {"y": rng.normal(size=n), "q0.1": np.full(n, -1.0), "q0.5": np.zeros(n)},
    "no names": lambda rng, n: {"height": rng.normal(size=n), "girth": rng.normal(size=n)},
    "a constant": lambda rng, n: {"y": np.ones(n), "p": rng.random(n)},
    "models": lambda rng, n: {"y": rng.normal(size=n), "pred_a": rng.normal(size=n), "pred_b": rng.normal(size=n)},
}


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    n=st.sampled_from([1, 2, 5, 30, 400]),
    seed=st.integers(0, 9),
    ordered=st.booleans(),
)
@example(kind="counts", n=100_000, seed=1, ordered=True)
@example(kind="logits", n=100_000, seed=1, ordered=True)
@example(kind="classes from 1", n=100_000, seed=1, ordered=True)
def test_plain_eval_measures_what_doctor_says_first_or_both_ask(kind, n, seed, ordered):
    data = KINDS[kind](np.random.default_rng(seed), n)
    if ordered:
        order = np.argsort(next(iter(data.values())), kind="stable")
        data = {name: values[order] for name, values in data.items()}
    told = lossctl.diagnose(data)
    report, error = _measured(data)
    if isinstance(error, Undecided):
        losses = [dict(way).get("loss") for way in error.ways]
        assert [arguments_of(command).get("loss") for command in told.commands][: len(losses)] == losses
        return
    if error is not None:  # nothing is measured, and doctor knows why
        assert told.findings or not told.commands
        return
    again = lossctl.evaluate(data, **arguments_of(told.commands[0]))
    assert [(result.loss, result.model, result.value) for result in report.results] == [
        (result.loss, result.model, result.value) for result in again.results
    ]


def _measured(data):
    """What plain eval measures, or how it refuses."""
    try:
        return lossctl.evaluate(data, None), None
    except LossctlError as error:
        return None, error
