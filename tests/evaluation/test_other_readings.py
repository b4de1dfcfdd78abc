"""A refusal or a warning names the loss or the option that the columns are for; obeyed, it is right."""

import re
import shlex

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from lossctl import evaluate, get_loss
from lossctl.errors import DataError, UsageError
from lossctl.functions.loss import losses

rng = np.random.default_rng(11)
N, K = 60, 3
CODES = np.arange(N) % K
Z = rng.normal(0, 1.5, (N, K))
P = softmax(Z, axis=1)
SCORE = rng.normal(0, 2, N)
COLUMNS = ["p_0", "p_1", "p_2"]


def table(label, columns):
    return {"y": label, **dict(zip(COLUMNS, np.reshape(columns, (N, -1)).T, strict=False))}


def named(error):
    """The losses that a hint names."""
    return re.findall(r"loss='([^']*)'", error.hint)


@pytest.mark.parametrize("loss", [each for each in losses if each.other_width], ids=lambda loss: loss.name)
def test_a_loss_of_the_other_number_of_columns_is_named_and_takes_them(loss):
    other = loss.other_width[0]
    assert (get_loss(other).rows, get_loss(loss.name).rows) in {(True, False), (False, True)}
    if loss.name in loss.other_width[1] or get_loss(loss.name).of_number:
        return  # the same spelling is both, or the columns are no classes
    rows = get_loss(loss.name).rows
    data = table(CODES % 2, P[:, 0]) if rows else table(CODES, P)
    with pytest.raises(UsageError) as refused:
        evaluate(data, loss.name, label="y", prediction="p_0" if rows else "p_*")
    assert other in named(refused.value)
    value = evaluate(data, other, label="y", prediction="p_0" if rows else "p_*").value
    assert value == pytest.approx(np.mean(get_loss(other).value(data["y"], P[:, 0] if rows else P)))


@pytest.mark.parametrize("compat", [None, "torch"])
@pytest.mark.parametrize("rows", [P, log_softmax(Z, axis=1)], ids=["probabilities", "logarithms"])
def test_whether_rows_are_logarithms_is_said_and_obeyed(rows, compat):
    meant = -log_softmax(Z, axis=1)[range(N), CODES].mean()
    data, asked = table(CODES, rows), {"label": "y", "prediction": "p_*", "compat": compat}
    if (rows is P) == (compat is None):
        assert evaluate(data, "nll", **asked).value == pytest.approx(meant)
        return
    with pytest.raises(DataError) as refused:
        evaluate(data, "nll", **asked)
    (spec,) = named(refused.value)
    assert evaluate(data, spec, **asked).value == pytest.approx(meant)


@pytest.mark.parametrize(
    ("column", "log"),
    [(P[:, 0], "true"), (np.log(P[:, 0]), "false"), (-np.log(P[:, 0]), "true"), (-np.log(P[:, 0]), "false")],
)
@pytest.mark.parametrize("loss", ["surprisal", "perplexity:base=2"])
@pytest.mark.parametrize("lists", [False, True])
def test_what_tokens_have_instead_of_a_probability_is_said(column, log, loss, lists):
    spec = f"{loss}{',' if ':' in loss else ':'}log={log}"
    data = {"p": np.reshape(column, (-1, 2)).tolist() if lists else column}
    with pytest.raises(DataError) as refused:
        evaluate(data, spec, prediction="p")
    if column.max() > 1:
        assert "if these are −log p, turn their sign" in refused.value.hint
        return
    (other,) = named(refused.value)
    bits = -np.log2(P[:, 0]).mean()
    meant = 2**bits if "perplexity" in loss else bits * np.log(2)
    assert evaluate(data, other, prediction="p").value == pytest.approx(meant)


@pytest.mark.parametrize(
    ("loss", "activation", "labels", "warned"),
    [
        ("mse", "sigmoid", (-1, 1), True),
        ("huber", "sigmoid", (1, 2), True),
        ("mae", "tanh", (0, 2), True),
        ("mse", "sigmoid", (0, 1), False),
        ("mse", "tanh", (-1, 1), False),
        ("mse", "softplus", (-1, 1), False),
        ("mse", "sigmoid", (0.25, 0.5), False),
    ],
)
def test_two_labels_that_an_activation_never_comes_to_are_said_with_the_option_that_makes_them_0_and_1(
    loss, activation, labels, warned, lossctl, tmp_path
):
    path, second = tmp_path / "rows.csv", np.arange(N) % 2 == 1
    label = np.where(second, labels[1], labels[0])
    np.savetxt(path, np.column_stack([label, SCORE]), delimiter=",", header="y,score", comments="", fmt="%.17g")
    asked = ("eval", path, "-y", "y", "-p", "score", "-l", loss, "--activation", activation, "--format", "json")
    said = lossctl(*asked)
    hint = re.search(r"(--classes \S+) makes them 0 and 1", said.err)
    assert (hint is not None) == warned
    if hint:
        obeyed = lossctl(*asked, *shlex.split(hint[1]))
        assert "makes them 0 and 1" not in obeyed.err
        out = expit(SCORE) if activation == "sigmoid" else np.tanh(SCORE)
        meant = get_loss(loss).value(second.astype(float), out).mean()
        assert obeyed.json["results"][0]["value"] == pytest.approx(meant)


def test_columns_that_are_named_for_the_words_of_the_label_are_named_where_there_are_more_than_two():
    words = np.array(["cat", "dog", "owl"])[CODES]
    data = {"kind": words, "said": words, **dict(zip(("dog", "cat", "owl"), P.T, strict=True))}
    with pytest.raises(UsageError, match=r"(?s)are words, such as .*dog,cat,owl"):
        evaluate(data, None, label="kind", prediction="said")
