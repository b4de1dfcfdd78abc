"""A hint is a promise: obeyed where what it says of the data is so, it leads to the right value, or to another step."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

import lossctl as library

FLAG = re.compile(r"--(?:from-logits|normalize-rows)|(?:--[a-z-]+|-[yp])(?: (?:'[^']*'|[^\s;.,]+(?:[.,][^\s;.,]+)*))?")
STEPS = 4


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_loss(yes, p):
    return float(-np.log(np.where(yes, p, 1 - p)).mean())


def two_classes(low, high):
    def make(draws, n):
        yes, z = draws.random(n) < 0.5, draws.normal(0, 2, n)
        yes[:2], z[:2] = [False, True], [-3, 3]
        return pd.DataFrame({"y": np.where(yes, high, low), "p": z}), log_loss(yes, sigmoid(z))

    return make


def classes_of_probabilities(draws, n):
    yes, p = draws.random(n) < 0.5, draws.uniform(0.01, 0.99, n)
    yes[:2] = [False, True]
    return pd.DataFrame({"y": np.where(yes, 2, 1), "p": p}), log_loss(yes, p)


def no_label(draws, n):
    yes, p = draws.random(n) < 0.5, draws.uniform(0.01, 0.99, n)
    y = np.where(yes, 1, 0)
    y[:3] = [-1, 0, 1]
    return pd.DataFrame({"y": y, "p": p}), log_loss(y[y >= 0] == 1, p[y >= 0])


def logarithms(draws, n):
    p = draws.uniform(0.01, 0.9, n)
    return pd.DataFrame({"y": np.ones(n), "p": np.log(p)}), float(-np.log(p).mean())


def rows(of):
    def make(draws, n):
        z, code = draws.normal(0, 2, (n, 3)), draws.integers(0, 3, n)
        table = pd.DataFrame(of(z), columns=["p_a", "p_b", "p_c"])
        return table.assign(y=np.array(["a", "b", "c"])[code]), float(-log_softmax(z, axis=1)[range(n), code].mean())

    return make


def zeros(draws, n):
    y, p = draws.integers(1, 9, n).astype(float), draws.uniform(1, 9, n)
    y[1] = 0
    used = y != 0
    return pd.DataFrame({"net sales": y, "p": p}), float(100 * (abs(p - y)[used] / y[used]).mean())


def labels_each(draws, n):
    y, p = draws.random((n, 2)) < 0.5, draws.uniform(0.01, 0.99, (n, 2))
    y[:2], p[:2] = [[1, 1], [0, 0]], 0.9
    table = pd.DataFrame({"y_a": y[:, 0] * 1, "y_b": y[:, 1] * 1, "p_a": p[:, 0], "p_b": p[:, 1]})
    return table, log_loss(y, p)


def two_models(draws, n):
    y, errors = draws.normal(0, 1, n), draws.normal(0, 1, (n, 2))
    table = pd.DataFrame({"y": y, "p_a": y + errors[:, 0], "p_b": y + errors[:, 1]})
    return table, float((errors[:, 0] ** 2).mean())


SITUATIONS = {
    "-1 and 1 with logits": (two_classes(-1, 1), "-l bce -y y -p p --from-logits", ""),
    "-1 and 1, all open": (two_classes(-1, 1), "-l bce -y y -p p", ""),
    "-1 and 1 with logits, focal without its factors": (
        two_classes(-1, 1), "-l focal:gamma=0,alpha=none -y y -p p --from-logits", "",
    ),
    "1 and 2 with logits": (two_classes(1, 2), "-l bce -y y -p p", ""),
    "3 and 7 with logits": (two_classes(3, 7), "-l log_loss -y y -p p", ""),
    "0 and 1 with logits": (two_classes(0, 1), "-l bce -y y -p p", ""),
    "1 and 2 with probabilities": (classes_of_probabilities, "-l bce -y y -p p", ""),
    "-1 beside 0 and 1": (no_label, "-l bce -y y -p p", ""),
    "logarithms alone": (logarithms, "-l bce -y y -p p", "before the sigmoid"),
    "rows of logits": (rows(lambda z: z), "-l cross_entropy -y y -p p_*", ""),
    "rows of logarithms": (rows(lambda z: log_softmax(z, axis=1)), "-l nll -y y -p p_*", "some of the classes"),
    "rows of percentages": (rows(lambda z: 100 * softmax(z, axis=1)), "-l ce -y y -p p_*", ""),
    "rows of parts": (rows(lambda z: softmax(z, axis=1) / 3), "-l ce -y y -p p_*", "Are these scores"),
    "a model a class": (rows(lambda z: softmax(z, axis=1)), "-l ce -y y -p p_a -p p_b -p p_c", ""),
    "a model a class, named": (
        rows(lambda z: softmax(z, axis=1)), "-l ce -y y -p p_a -p p_b -p p_c --classes c,b,a", "",
    ),
    "a label of 0": (zeros, "-l mape -y #1 -p p", ""),
    "labels each by itself": (labels_each, "-l log_loss -y y_a,y_b -p p_a,p_b", ""),
    "models named as one": (two_models, "-l mse -y y -p p_*", ""),
}  # fmt: skip
"""What the data are and the loss of them, what is asked, and words of a sentence whose condition is not so."""


def obeyed(asked, hint, denied):
    """The command line with the flags that the hint names where what it says is so, or as it is."""
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", hint):
        named = FLAG.findall(sentence.partition("; one column a class")[0].partition(", or ")[0].rstrip("."))
        if not named or (denied and denied in sentence):
            continue
        words = shlex.split(" ".join(named))
        for flag in ("-l", "-y", "-p"):
            long = {"-l": "--loss"}.get(flag, flag)
            if long in words:
                while flag in asked:
                    place = asked.index(flag)
                    asked = asked[:place] + asked[place + 2 :]
        return [*asked, *words]
    return asked


@pytest.mark.parametrize("name", SITUATIONS)
@settings(
    max_examples=2, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(20, 60))
def test_whoever_obeys_the_hints_of_errors_gets_the_right_value(lossctl, tmp_path, name, seed, n):
    make, line, denied = SITUATIONS[name]
    table, expected = make(np.random.default_rng(seed), n)
    table.to_csv(tmp_path / "rows.csv", index=False)
    asked, hints = line.split(), []
    for _ in range(STEPS):
        done = lossctl("eval", tmp_path / "rows.csv", *asked, "-f", "json", "-q")
        if done.status == 0:
            break
        hints.append(done.err)
        asked = obeyed(asked, done.err.partition("\n")[2], denied)
    assert hints, "the question was in order"
    assert done.status == 0, "\n".join(hints)
    assert done.json["results"][0]["value"] == pytest.approx(expected, rel=1e-9), "\n".join([*hints, *asked])


@pytest.mark.parametrize("number", [2, 12, 13, 30])
def test_columns_that_a_hint_names_are_columns_and_the_others_are_counted(number):
    names = [f"model_{at}" for at in range(number)]
    with pytest.raises(library.UsageError) as told:
        library.evaluate({name: [0.0, 1.0] for name in ["y", *names]}, "mse", label="y", prediction="m=model_*")
    said = str(told.value)
    named = re.findall(r"'(model_\d+)'", said)
    assert named == names[: len(named)]
    assert (f"and {number - len(named)} more" in said) == (number > len(named))
    assert "…" not in said
