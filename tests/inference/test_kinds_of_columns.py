"""Masks, weights, places, quantiles, models and log-probabilities get the role that they have, or are asked."""

import shlex

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import Undecided

N = 40
RNG = np.random.default_rng(3)
BITS = (np.arange(N) % 3 > 0).astype(float)
P = np.where(np.arange(N) % 2 > 0, 0.9, 0.2) - np.linspace(0, 0.1, N)
VALUES = RNG.normal(100, 10, N)
LOGARITHMS = [*(-RNG.gamma(1, 2, N - 2)), -50.0, -800.0]
"""Two of them are of probabilities below the floor of other losses, one below the smallest double."""


def ways_of(data, **asked):
    """What is proposed, each with what it measures."""
    with pytest.raises(Undecided) as told:
        lossctl.evaluate(data, None, **asked)
    measured = []
    for way in told.value.ways:
        columns = {role: [value for name, value in way if name == role] for role in ("label", "prediction")}
        chosen = {**asked, **dict(way), **{role: names for role, names in columns.items() if names}}
        measured.append((chosen, [result.value for result in lossctl.evaluate(data, **chosen).results]))
    return told.value, measured


def losses_of(data, **asked):
    """The losses that are taken, or else proposed."""
    try:
        return {result.loss for result in lossctl.evaluate(data, None, **asked).results}
    except Undecided as told:
        return {dict(way)["loss"] for way in told.ways}


MASKS = ("mask", "loss_mask", "attention mask", "isMasked", "valid")
WEIGHTS = ("sample_weight", "w", "exposure")
THINGS = ("store", "Store No", "hour", "campaign", "zip_code", "doc_pos")


@pytest.mark.parametrize("name", [*MASKS, "is_pad", *WEIGHTS])
@pytest.mark.parametrize(
    "others", [{"p": P}, {"risk": P}, {"risk": P, "clicked": 1 - BITS}, {"units": VALUES, "fc": VALUES + 1}]
)
def test_a_mask_or_weight_is_no_label(name, others):
    with pytest.raises(Undecided) as told:
        lossctl.evaluate({name: BITS, **others}, None)
    assert name not in {value for way in told.value.ways for role, value in way if role == "label"}


@pytest.mark.parametrize("name", THINGS)
def test_the_number_of_a_thing_place_or_time_is_proposed_as_a_label_only_where_nothing_else_is(name):
    data = {name: np.arange(N) % 5.0, "claims": RNG.poisson(3, N) + 0.0, "pred_rate": 0.5 + RNG.random(N)}
    for asked in ({}, {"loss": "poisson"}):
        with pytest.raises(Undecided) as told:
            lossctl.evaluate(data, **{"loss": None, **asked})
        assert {value for way in told.value.ways for role, value in way if role == "label"} == {"claims"}


@settings(max_examples=12, deadline=None)
@given(
    mask=st.sampled_from([*MASKS, "is_pad", "padding"]),
    name=st.sampled_from(["logprob", "token_logprob", "log_p", "logProb_a"]),
    numbers=st.lists(st.floats(-1e4, 0), min_size=2, max_size=12),
    first=st.booleans(),
)
def test_log_probabilities_beside_a_mask_are_measured_to_the_last_rare_token(mask, name, numbers, first):
    kept = np.arange(len(numbers)) % 2 == int(first)
    bits = ~kept if "pad" in mask.lower() else kept
    data = {"pos": np.arange(len(numbers)) % 2.0 + 2, name: numbers, mask: bits.astype(float)}
    told, ways = ways_of(data)
    assert "log-probabilities" in told.what
    assert [values for _, values in ways] == [[pytest.approx(-np.array(numbers)[kept].mean(), rel=1e-12)]]


@pytest.mark.parametrize("name", ["logprob", "nll"])
@pytest.mark.parametrize(
    "others",
    [{}, {"token_id": np.arange(N) * 7.0}, {"label": np.arange(N) * 7.0}, {"label": ["a", "b", "c", "d"] * 10}],
)
def test_log_probabilities_without_a_yes_or_no_are_measured_as_the_message_says(name, others):
    numbers = np.array(LOGARITHMS) if name == "logprob" else -np.array(LOGARITHMS)
    with pytest.raises(Undecided) as told:
        lossctl.evaluate({**others, name: numbers}, None, prediction=name)
    if name == "logprob":
        way = dict(told.value.ways[0]) if told.value.ways else {"loss": "surprisal:log=true"}
        assert way["loss"] in str(told.value) or told.value.ways
        report = lossctl.evaluate({**others, name: numbers}, way["loss"], prediction=name)
        assert report.value == pytest.approx(-np.mean(LOGARITHMS), rel=1e-15)
    elif "label" not in others or others["label"][0] != "a":
        assert f"label='zeros' prediction='{name}' loss='mae'" in str(told.value)
        report = lossctl.evaluate({name: numbers, "zeros": np.zeros(N)}, "mae", label="zeros", prediction=name)
        assert report.value == pytest.approx(-np.mean(LOGARITHMS), rel=1e-15)


def test_doctor_says_what_to_do_with_log_probabilities_in_flags():
    findings = lossctl.diagnose({"label": np.arange(N) * 7.0, "logprob": LOGARITHMS}).findings
    assert any("--pred logprob --loss surprisal:log=true" in finding.advice for finding in findings)


def test_no_log_probability_is_floored_by_what_is_proposed():
    _, ways = ways_of({"label": np.ones(N - 1), "logprob": LOGARITHMS[:-1]})
    assert ways[0][1] == [pytest.approx(-np.mean(LOGARITHMS[:-1]), rel=1e-15)]


NAMES = {
    "q{}": ("10", "50", "90"),
    "p{}": ("05", "50", "95"),
    "q0.{}": ("1", "5", "9"),
    "F-{}": ("lo-80", "median", "hi-80"),
}


@pytest.mark.parametrize("form", NAMES)
def test_quantiles_that_are_named_are_measured_together_or_by_mae_of_the_median(form):
    names = [form.format(level) for level in NAMES[form]]
    data = {"y": VALUES, **{name: VALUES + 3 * place - 2 for place, name in enumerate(names)}}
    _, ways = ways_of(data, prediction=[names[1]])
    assert [(way["loss"], way["prediction"], values) for way, values in ways] == [
        ("mae", [names[1]], [pytest.approx(1.0)])
    ]
    level = 0.05 if form == "p{}" else 0.1
    for asked in ([",".join(names)], [f"{names[0][0]}*"]):
        report = lossctl.evaluate(data, [], label="y", prediction=asked)
        assert report.results[0].loss == f"quantiles:tau={level}/0.5/{1 - level}"
        assert report.value == pytest.approx((2 * level + 0.5 + 4 * level) / 3)
    (ends,) = lossctl.evaluate(data, [], label="y", prediction=[f"{names[0]},{names[2]}"]).results
    assert ends.value == pytest.approx(6.0 if form == "F-{}" else 3 * level)
    for name, tau, cost in ((names[0], level, 2 * level), (names[2], 1 - level, 4 * level)):
        _, ways = ways_of(data, prediction=[name])
        assert [(way["loss"], values) for way, values in ways] == [(f"quantile:tau={tau:g}", [pytest.approx(cost)])]
    _, ways = ways_of(data, prediction=names)
    assert ways == []


MODELS = {
    "a yes or no": (np.arange(N) % 2.0, lambda p: p, "bce"),
    "signs": (np.arange(N) % 2 * 2.0 - 1, lambda p: p, "bce"),
    "words": (np.array(["no", "yes"])[np.arange(N) % 2], lambda p: p, "bce"),
    "logits": (np.arange(N) % 2.0, lambda p: np.log(p / (1 - p)), "bce"),
    "numbers": (VALUES, lambda p: 100 * p, "mse,mae,huber"),
}


@pytest.mark.parametrize("label", MODELS)
@pytest.mark.parametrize("pattern", ["model_*", "model_a,model_b", "#2-#3"])
def test_several_models_that_are_named_as_one_are_proposed_beside_each_other(label, pattern):
    truth, scale, loss = MODELS[label]
    data = {"target": truth, "model_a": scale(P), "model_b": scale(P**2)}
    _, ways = ways_of(data, prediction=[pattern])
    assert (ways[0][0]["loss"], ways[0][0]["prediction"]) == (loss, ["model_a", "model_b"])
    apart = {each: {**data, "p": data[each]} for each in ("model_a", "model_b")}
    each = [
        lossctl.evaluate(apart[name], **{**ways[0][0], "prediction": "p"}).results for name in ("model_a", "model_b")
    ]
    assert ways[0][1] == [result.value for pair in zip(*each, strict=True) for result in pair]


def test_a_command_line_to_copy_names_models_in_the_place_of_the_pattern(lossctl, tmp_path):
    path = tmp_path / "two.csv"
    pyarrow.csv.write_csv(pa.table({"y": np.arange(N) % 2, "model_a": P, "model_b": P**2}), path)
    for words in (["-p", "model_*"], ["-pmodel_*"], ["--pred=model_*"], ["--pred", "model_a,model_b"]):
        done = lossctl("eval", path, *words, "-f", "json")
        command = done.err.splitlines()[2]
        assert command.endswith("-f json -p model_a -p model_b -l bce")
        assert len(lossctl(*shlex.split(command)[1:]).json["results"]) == 2
    assert lossctl("doctor", path, "-p", "model_*", "--json").json["commands"] == [
        f"lossctl eval {path} -p model_a -p model_b -l bce"
    ]


def test_command_lines_of_doctor_for_models_or_logits_of_classes_run_with_nulls_too(lossctl, tmp_path):
    logits = {name: RNG.normal(0, 3, N) for name in ("s_a", "s_b", "s_c")}
    path = tmp_path / "three.csv"
    holes = pa.array(logits["s_a"], mask=np.arange(N) == 1)
    pyarrow.csv.write_csv(pa.table({"y": np.arange(N) % 2, **logits, "s_a": holes}), path)
    models, vector = lossctl("doctor", path, "-p", "s_*", "--json").json["commands"]
    evaluated = [lossctl(*shlex.split(command)[1:], "-f", "json").json for command in (models, vector)]
    assert [[result["loss"] for result in each["results"]] for each in evaluated] == [["bce"] * 3, ["cross_entropy"]]
    assert {result["n"] for each in evaluated for result in each["results"]} == {N - 1}


def test_labels_of_classes_are_columns_of_0_and_1_that_are_neither_a_mask_nor_a_place():
    bits, p = RNG.integers(0, 2, (N, 3)), RNG.uniform(0.1, 0.9, (N, 3))
    data = {name: bits[:, place] for place, name in enumerate("abc")}
    data |= {f"p_{place}": p[:, place] for place in range(3)} | {"fold": bits[:, 0], "loss_mask": bits[:, 1]}
    _, ways = ways_of(data, prediction=["p_*"])
    expected = -np.log(np.where(bits == 1, p, 1 - p)).mean()
    assert [(way["label"], way["loss"], values) for way, values in ways] == [
        (["a,b,c"], "bce", [pytest.approx(expected)])
    ]


TWO_CLASSES = [{"p_0": 1 - P, "p_1": P}, {"neg": 1 - 2 * P, "pos": 3 * P}, {"a": 1 - P, "b": P}]


@pytest.mark.parametrize("family", TWO_CLASSES)
def test_columns_of_two_classes_are_one_prediction(family):
    data = {"y": np.arange(N) % 2.0, **family}
    assert losses_of(data, prediction=",".join(family)) == {"cross_entropy"}


KNOWN = (("no", "yes"), ("neg", "pos"), ("ham", "spam"))
WORDS = (*KNOWN, ("fail", "pass"), ("bad", "good"), ("benign", "malignant"), ("cat", "dog"))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("named", [{}, {"loss": "bce"}])
def test_which_word_is_class_1_is_known_or_told_by_the_predictions_or_asked(words, named):
    """A word is known of which no one would say otherwise; else it takes more than chance."""
    known = words in KNOWN
    codes = np.arange(N) % 2
    for p, sure in ((P, True), (1 - P, known), (0.5 + 0.1 * np.sin(np.arange(N)), known)):
        data, asked = {"y": np.array(words)[codes], "p": p}, {"loss": None, **named}
        expected = -np.where(codes == 1, np.log(p), np.log1p(-p)).mean()
        if sure:
            report = lossctl.evaluate(data, **asked)
            assert report.value == pytest.approx(expected)
            assert words[1] in " ".join(report.notes)
            continue
        with pytest.raises(Undecided, match=r"which of the labels .* is class 1") as told:
            lossctl.evaluate(data, **asked)
        values = [lossctl.evaluate(data, **{"loss": None, **named, **dict(way)}).value for way in told.value.ways]
        assert pytest.approx(expected) in values
        assert len(values) == 2


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (1, 2)])
@pytest.mark.parametrize("logits", [False, True])
def test_brier_is_right_for_any_two_labels_and_says_how_to_name_them(labels, logits):
    codes = np.arange(N) % 2
    data = {"y": np.array(labels)[codes], "p": np.log(P / (1 - P)) if logits else P}
    asked = {"from_logits": True} if logits else {}
    if labels != (0, 1):
        with pytest.raises(lossctl.LossctlError, match=rf"classes='{labels[0]},{labels[1]}'"):
            lossctl.evaluate(data, "brier", **asked)
        asked["classes"] = list(map(str, labels))
    assert lossctl.evaluate(data, "brier", **asked).value == pytest.approx(np.mean((P - codes) ** 2))


def test_a_mask_that_nobody_names_is_said():
    data = {"label": BITS, "p": P, "loss_mask": BITS}
    assert any("every row counts, whatever 'loss_mask' says" in note for note in lossctl.evaluate(data, None).notes)
    assert not any("loss_mask" in note for note in lossctl.evaluate(data, None, where="loss_mask = 1").notes)


def test_losses_in_one_text_are_as_those_of_a_list():
    unlabelled, classes = ({"p": P}, "surprisal,perplexity"), ({"y": BITS, "p0": 1 - P, "p1": P}, "cross_entropy,brier")
    for data, losses in (unlabelled, classes):
        asked = {"prediction": [*data][-1] if data is unlabelled[0] else "p*"}
        together, apart = (lossctl.evaluate(data, given, **asked).results for given in (losses, losses.split(",")))
        assert [result.value for result in together] == [result.value for result in apart]
        assert len(together) == 2
