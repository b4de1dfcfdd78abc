"""Predictions of several numbers beside a label of one: parts by name or by position, levels, members."""

import itertools
import json
import math
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl import compare, evaluate, get_loss
from lossctl.domain import SIGNS
from lossctl.errors import DataError, LossctlError, Undecided, UsageError
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import losses
from lossctl.inference.names import level_of
from lossctl.inference.parts import in_parts
from lossctl.inference.roles import Model

N = 50
rng = np.random.default_rng(15)
Y = rng.normal(size=N)
MEMBERS = rng.normal(size=(N, 5))
MEAN, SCALE = rng.normal(size=N), rng.uniform(0.5, 2.0, N)
IN_PARTS = [definition for definition in losses if example_of(definition.name).parts]
BESIDE_A_NUMBER = [definition for definition in losses if example_of(definition.name).of_number]
every_loss_with_parts = pytest.mark.parametrize("definition", IN_PARTS, ids=lambda it: it.name)
every_loss_beside_a_number = pytest.mark.parametrize("definition", BESIDE_A_NUMBER, ids=lambda it: it.name)


def points(definition):
    """A loss with the levels it needs, and legal rows."""
    bound = example_of(definition.name).tried(3)
    return bound, *bound.sample(np.random.default_rng(3), N, 3)


def table(label, prediction, names):
    return {
        "y": label,
        **{name: np.ascontiguousarray(column) for name, column in zip(names, prediction.T, strict=True)},
    }


@every_loss_beside_a_number
def test_a_file_gives_what_python_gives_however_the_columns_are_held(definition, tmp_path):
    bound, label, prediction = points(definition)
    names = bound.parts or ("a", "b", "c")
    columns = table(label, prediction, names)
    value = bound.value(label, prediction).mean()
    for weighted in (columns, columns | {"l": prediction.tolist()}):
        asked = {"prediction": ",".join(names)} if weighted is columns else {"prediction": "l"}
        report = evaluate(pa.table(weighted), str(bound), label="y", **asked, gradient=True)
        assert report.value == pytest.approx(value, rel=1e-13)
        slope = bound.gradient(label, prediction) / N
        assert report.results[0].gradient.grad_l2 == pytest.approx(np.sqrt((slope**2).sum()), rel=1e-12)
    text = tmp_path / "p.jsonl"
    text.write_text(
        "".join(json.dumps({"y": y, "p": p.tolist()}) + "\n" for y, p in zip(label, prediction, strict=True))
    )
    parquet = tmp_path / "p.parquet"
    pq.write_table(pa.table(columns), parquet, row_group_size=7)
    assert evaluate(text, str(bound), label="y", prediction="p").value == pytest.approx(value, rel=1e-13)
    for engine in ("serial", "threads", "processes"):
        report = evaluate(parquet, str(bound), label="y", prediction=",".join(names), engine=engine, samples=3)
        assert report.value == pytest.approx(value, rel=1e-13)
        row = int(bound.value(label, prediction).argmax())
        assert report.results[0].samples[0].prediction == tuple(prediction[row].tolist())


@every_loss_beside_a_number
def test_labels_are_numbers_though_they_look_like_classes(definition):
    """No row of a prediction is taken for one class, and nothing is said of classes."""
    bound, label, prediction = points(definition)
    label = np.where(label > 0, 1.0, 0.0)
    names = [f"p_{place}" for place in range(prediction.shape[1])][::-1]
    report = evaluate(table(label, prediction, names), str(bound), label="y", prediction=",".join(names), samples=2)
    assert report.value == pytest.approx(bound.value(label, prediction).mean(), rel=1e-13)
    assert report.inputs["classes"] is None
    assert not any("class" in note for note in report.notes)
    assert "truth" not in str(report)
    text = {**table(label, prediction, names), "y": [f"{number:g}" for number in label]}
    assert evaluate(text, str(bound), label="y", prediction=",".join(names)).value == report.value


@every_loss_with_parts
def test_a_part_outside_its_domain_is_named_with_its_column_and_row(definition):
    bound, label, prediction = points(definition)
    for place, (part, domain) in enumerate(bound.prediction_domain.domains):
        for bad in (np.inf, domain.low - 0.2 if math.isfinite(domain.low) else -np.inf):
            wrong = prediction.copy()
            wrong[7, place] = bad
            with pytest.raises(DataError, match=rf"{part} {bad:.4g}.* at index 7 must be"):
                bound.value(label, wrong)
            names = [f"column_{other}" for other in bound.parts]
            with pytest.raises(DataError, match=rf"row 8: column 'column_{part}' is .*{part} that is") as told:
                evaluate(table(label, wrong, names), str(bound), label="y", prediction=",".join(names))
            assert "1 in the first" in str(told.value)
            with pytest.raises(DataError, match=rf"row 8: column 'l\[{place}\]' is .*{part} that is"):
                evaluate({"y": label, "l": wrong.tolist()}, str(bound), label="y", prediction="l")


def test_ends_that_cross_are_an_error_of_their_row():
    ends = np.column_stack([MEAN - SCALE, MEAN + SCALE])
    ends[3] = ends[3, ::-1]
    with pytest.raises(DataError, match=r"row 4: columns 'lo, hi' are .*lower <= upper"):
        evaluate(table(Y, ends, ["lo", "hi"]), "interval", label="y", prediction="lo,hi")
    with pytest.raises(DataError, match="index 3 must be a row with lower <= upper"):
        get_loss("interval").value(Y, ends)


@pytest.mark.parametrize(
    ("names", "parts", "order"),
    [
        ("mu sigma", "mean scale", "mu sigma"),
        ("sigma mu", "mean scale", "mu sigma"),
        ("pred_std pred", "mean scale", "pred pred_std"),
        ("y_var y_hat", "mean scale", "y_hat y_var"),
        ("a std", "mean scale", "a std"),
        ("LogSigma loc", "mean scale", "loc LogSigma"),
        ("upper lower", "lower upper", "lower upper"),
        ("q95 q05", "lower upper", "q05 q95"),
        ("arima-hi-90 arima-lo-90", "lower upper", "arima-lo-90 arima-hi-90"),
        ("yhat_upper yhat_lower", "lower upper", "yhat_lower yhat_upper"),
        ("second first", "first second", "first second"),
        ("b a", "mean scale", "b a"),
        ("std sd", "mean scale", "std sd"),
        ("b a", "first second", "b a"),
    ],
)
def test_columns_are_in_the_order_of_the_parts_that_their_names_tell_else_as_they_were_named(names, parts, order):
    model, note = in_parts(Model("m", tuple(names.split()), 2), parts.split())
    assert model.columns == tuple(order.split())
    by_position = names in {"b a", "std sd"}
    assert note.endswith("by position" if by_position else "as the columns are named")
    assert all(f"{part} is {name}" in note for part, name in zip(parts.split(), order.split(), strict=True))


@given(st.integers(1, 99))
def test_every_percentage_is_the_level_of_a_column_that_is_named_for_it(percent):
    level = percent / 100
    for name in (f"q{percent:02}", f"P{percent:02}", f"y_q{level:.2f}", f"pct_{percent:02}", f"{level:.2f}"):
        assert level_of(name) == level
        assert level_of(name, alone=True) == level
    for end, outside in (("lo", 1 - level), ("upper", 1 + level)) if percent > 9 else ():
        for name in (f"y-{end}-{percent}", f"{end}{percent}", f"ci_{percent}_{end}", f"{end}_ci_{percent}%"):
            assert level_of(name) == level_of(name, alone=True) == pytest.approx(outside / 2)
    for name in (f"m{percent}", f"p_{percent}x", f"class{percent}", "q0", "q100", f"pq{percent}", f"{percent}"):
        assert level_of(name) is None


def test_levels_are_those_that_the_columns_are_named_for_in_any_order():
    data = table(Y, MEMBERS[:, :3], ["q90", "q10", "q50"])
    report = evaluate(data, "quantiles", label="y", prediction="q90,q10,q50")
    assert report.results[0].loss == "quantiles:tau=0.9/0.1/0.5"
    assert report.value == get_loss("quantiles:tau=0.9/0.1/0.5").value(Y, MEMBERS[:, :3]).mean()
    assert report.notes == ("q90,q10,q50: tau is 0.9/0.1/0.5, as the columns are named",)
    assert report["quantiles"].parameters == {"tau": (0.9, 0.1, 0.5)}
    assert json.loads(json.dumps(report.to_dict()))["results"][0]["parameters"] == {"tau": [0.9, 0.1, 0.5]}
    assert report.to_frame()["parameters"][0] == "tau=0.9/0.1/0.5"


@pytest.mark.parametrize("names", ["a b c", "q1 q2 q3", "q10 q10.0 q50"])
def test_levels_that_nothing_tells_are_asked_for_and_none_is_invented(names):
    data = table(Y, MEMBERS[:, :3], names.split())
    with pytest.raises(UsageError, match=r"needs tau, a number for each of the 3 columns") as told:
        evaluate(data, "quantiles", label="y", prediction=names.replace(" ", ","))
    assert "quantiles:tau=T1/T2/T3" in told.value.hint
    assert "order of the columns" in told.value.hint


@settings(max_examples=8)
@given(
    st.permutations(["Arima", "Arima-lo-95", "Arima-lo-80", "Arima-hi-80", "Arima-hi-95"])
    | st.permutations(["q0.1", "mean", "q0.9"])
    | st.permutations(["p10", "yhat", "p90", "p25"])
)
def test_levels_that_some_names_tell_are_offered_in_the_order_of_the_columns(names):
    levels = {"Arima-lo-95": 0.025, "Arima-lo-80": 0.1, "Arima-hi-80": 0.9, "Arima-hi-95": 0.975}
    levels |= {"q0.1": 0.1, "q0.9": 0.9, "p10": 0.1, "p25": 0.25, "p90": 0.9}
    data, pinball = table(Y, MEMBERS[:, : len(names)], names), []
    for place, name in enumerate(names):
        tau, rest = levels.get(name, 0.5), Y - MEMBERS[:, place]
        pinball.append(np.mean(np.maximum(tau * rest, (tau - 1.0) * rest)))
    columns = {"label": "y", "prediction": ",".join(names)}
    with pytest.raises(Undecided, match=r"no name says it of (Arima|mean|yhat)\b") as question:
        evaluate(data, "quantiles", **columns)
    together, alone = (dict(way) for way in question.value.ways)
    told = [value for name, value in zip(names, pinball, strict=True) if name in levels]
    assert evaluate(data, together["loss"], **columns).value == pytest.approx(np.mean(pinball))
    assert evaluate(data, alone["loss"], label="y", prediction=alone["prediction"]).value == pytest.approx(
        np.mean(told)
    )
    assert not evaluate(data, together["loss"], **columns).warnings
    spread = "/".join(f"{(place + 1) / (len(names) + 2):.3g}" for place in range(len(names)))
    assert "are named for" in evaluate(data, f"quantiles:tau={spread}", **columns).warnings[0]


@pytest.mark.parametrize(
    ("spec", "columns", "words"),
    [
        ("gaussian_nll", 3, "2 columns, mean and scale, not of 3"),
        ("interval", 1, "2 columns, lower and upper, not of 1"),
        ("crps_ensemble", 1, "two or more columns"),
        ("quantiles:tau=0.1/0.9", 3, "tau lists 2 numbers, the prediction has 3 columns"),
        ("quantiles:tau=0.5", 3, "tau lists 1 number, the prediction has 3 columns"),
    ],
)
def test_another_number_of_columns_is_refused_with_what_is_needed(spec, columns, words):
    names = ["a", "b", "c"][:columns]
    with pytest.raises(UsageError, match=words):
        evaluate(table(Y, MEMBERS[:, :columns], names), spec, label="y", prediction=",".join(names))
    with pytest.raises(UsageError, match=words):
        get_loss(spec).value(Y, MEMBERS[:, :columns] if columns > 1 else Y)


@every_loss_beside_a_number
def test_several_label_columns_are_refused(definition):
    bound, label, prediction = points(definition)
    with pytest.raises(UsageError, match="one label column"):
        bound.value(np.column_stack([label] * prediction.shape[1]), prediction)


def test_losses_of_classes_and_of_numbers_are_not_measured_of_the_same_labels():
    data = table(np.ones(N), np.full((N, 2), 0.5), ["a", "b"])
    with pytest.raises(UsageError, match="cross_entropy takes labels for classes, and crps_ensemble for numbers"):
        evaluate(data, "crps_ensemble,cross_entropy", label="y", prediction="a,b")
    with pytest.raises(UsageError, match="neither the labels nor the losses know classes"):
        evaluate(data, "crps_ensemble", label="y", prediction="a,b", classes=["1", "2"])


@every_loss_with_parts
def test_no_activation_is_for_all_parts(definition):
    with pytest.raises(
        UsageError, match=f"no activation is for all of {' and '.join(example_of(definition.name).parts)}"
    ):
        example_of(definition.name).through("exp")


@pytest.mark.parametrize(
    ("spec", "names", "words"),
    [
        ("gaussian_nll", "mu sigma", "'sigma' is named for std, and is taken for var.*gaussian_nll:scale=std"),
        ("gaussian_nll:scale=std", "mu log_sigma", "is named for log_std, and is taken for std.*scale=log_std"),
        ("crps_gaussian", "mu variance", "is named for var, and is taken for std"),
        ("gaussian_nll", "lower upper", "the mean is 'lower', which is a name for a lower"),
        ("crps_ensemble", "mu sigma", "'mu' is named for a mean, and 'sigma' for a scale"),
        ("quantiles:tau=0.9/0.1", "q10 q90", "tau is 0.9/0.1, and q10, q90 are named for 0.1/0.9"),
        ("interval", "q10 q90", "the ends of 80 %.*interval:alpha=0.2"),
    ],
)
def test_columns_named_for_something_else_than_they_are_taken_for_are_a_warning(spec, names, words):
    first, second = names.split()
    data = {"y": Y, first: MEAN - 3.0, second: SCALE}
    report = evaluate(data, spec, label="y", prediction=f"{first},{second}")
    assert any(re.search(words, warning) for warning in report.warnings), report.warnings


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("gaussian_nll", "mu var"),
        ("gaussian_nll:scale=std", "pred_mean pred_std"),
        ("crps_gaussian", "loc scale"),
        ("interval", "q05 q95"),
        ("interval:alpha=0.2", "m-lo-80 m-hi-80"),
        ("quantiles", "q10 q90"),
        ("crps_ensemble", "m1 m2"),
        ("margin_ranking", "mu sigma"),
    ],
)
def test_columns_that_are_taken_for_what_they_are_named_for_are_not_doubted(spec, names):
    first, second = names.split()
    label = np.sign(Y) if spec == "margin_ranking" else Y
    data = {"y": label, first: MEAN - 3.0, second: SCALE}
    assert evaluate(data, spec, label="y", prediction=f"{first},{second}").warnings == ()


def test_ensembles_are_compared_row_by_row_and_by_group():
    data = table(Y, MEMBERS, "abcde") | {"g": ["x", "y"] * (N // 2), "w": SCALE}
    asked = {"label": "y", "prediction": ["one=a,b,c", "two=d,e"], "weight": "w"}
    change = compare(data, "crps_ensemble:estimator=fair", **asked).results[0]
    fair = get_loss("crps_ensemble:estimator=fair")
    values = [np.average(fair.value(Y, part), weights=SCALE) for part in (MEMBERS[:, :3], MEMBERS[:, 3:])]
    assert change.difference == pytest.approx(values[1] - values[0], rel=1e-12)
    report = evaluate(data, "crps_ensemble", label="y", prediction="a,b,c", by="g")
    rows = get_loss("crps_ensemble").value(Y, MEMBERS[:, :3])
    assert [result.value for result in report.results] == [
        pytest.approx(rows[::2].mean()),
        pytest.approx(rows[1::2].mean()),
    ]


@every_loss_beside_a_number
def test_no_legal_numbers_give_nan(definition):
    """Also where differences are no doubles."""
    ends = [0.0, 1e-320, 1e-300, 1.0, np.nextafter(1.0, 2.0), 1e300, 1.7e308]
    ends = [sign * end for end in ends for sign in (1.0, -1.0)]
    label, first, second = np.array([*itertools.product(ends, repeat=3)]).T
    label = np.where(label < 0, -1.0, 1.0) if get_loss(definition.name).label_domain == SIGNS else label
    prediction = np.column_stack([first, second])
    for parameter in [definition.name, *choices(definition)]:
        bound = get_loss(parameter).tried(2)
        legal = np.ones(len(label), dtype=bool)
        for domain, numbers in ((bound.label_domain, label), (bound.prediction_domain, prediction)):
            illegal = domain.illegal(numbers)
            legal &= True if illegal is None else ~illegal
        assert not np.isnan(bound.value(label[legal], prediction[legal])).any(), parameter
        assert not np.isnan(bound.gradient(label[legal], prediction[legal])).any(), parameter


def choices(definition):
    """A loss with each word of each parameter."""
    return [
        f"{definition.name}:{parameter.name}={word}"
        for parameter in definition.parameters
        for word in parameter.words()
        if word != "none"
    ]


def test_forecasts_of_other_levels_are_not_compared():
    data = table(Y, MEMBERS, ["q10", "q90", "q05", "q95", "q50"])
    for other in ("q05,q95", "q10,q50,q90"):
        with pytest.raises(UsageError, match="say nothing of each other"):
            compare(data, "quantiles", label="y", prediction=["q10,q90", other])
    apart = evaluate(data, "quantiles", label="y", prediction=["q10,q90", "q05,q95"]).results
    assert [result.loss for result in apart] == ["quantiles:tau=0.1/0.9", "quantiles:tau=0.05/0.95"]


def test_the_normal_and_the_ensemble_score_agree_with_the_integral_that_defines_them():
    """∫ (F(x) − [x ≥ y])² dx by a fine sum."""
    x = np.linspace(-30.0, 30.0, 60_001)
    step = x[1] - x[0]
    for y, mean, scale in ((0.0, 0.0, 1.0), (2.0, -1.0, 0.7), (-3.0, 1.0, 2.0)):
        normal = 0.5 * (1.0 + np.vectorize(math.erf, otypes=[float])((x - mean) / scale / math.sqrt(2.0)))
        score = ((normal - (x >= y)) ** 2).sum() * step
        assert get_loss("crps_gaussian").value([y], [[mean, scale]])[0] == pytest.approx(score, abs=2e-3)
    for y, members in ((0.3, [0.0, 1.0, 4.0]), (-2.0, [1.0, 1.0]), (1.0, [1.0, -3.0, 2.0, 8.0])):
        empirical = (np.array(members)[:, None] <= x).mean(axis=0)
        score = ((empirical - (x >= y)) ** 2).sum() * step
        assert get_loss("crps_ensemble").value([y], [members])[0] == pytest.approx(score, abs=5e-3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), st.floats(-1e6, 1e6))
def test_the_fair_score_of_an_ensemble_is_the_mean_over_pairs_and_never_negative(members, y):
    pairs = [(abs(a - y) + abs(b - y) - abs(a - b)) / 2 for a, b in itertools.permutations(members, 2)]
    value = get_loss("crps_ensemble:estimator=fair").value([y], [members])[0]
    assert value >= 0
    assert value == pytest.approx(sum(pairs) / len(pairs), rel=1e-9, abs=1e-9)


def test_an_interval_costs_its_two_quantiles_over_half_of_alpha():
    ends = np.column_stack([MEAN - SCALE, MEAN + SCALE])
    both = get_loss("quantiles:tau=0.1/0.9").value(Y, ends) * 2
    np.testing.assert_allclose(get_loss("interval:alpha=0.2").value(Y, ends), both / 0.1, rtol=1e-12)


def test_a_number_where_a_loss_is_named_says_how_a_list_is_written():
    with pytest.raises(LossctlError, match=r"tau=0\.1/0\.9\."):
        evaluate({"y": Y, "a": Y, "b": Y}, "quantiles:tau=0.1,0.9", label="y", prediction="a,b")


def test_levels_of_a_model_in_another_file_are_those_of_the_first(tmp_path):
    rng = np.random.default_rng(4)
    label = rng.normal(size=30)
    for name, shift in (("main", 0.0), ("new", 0.3)):
        columns = {"y": label, **{f"q{level}": label + shift + level / 50 - 1 for level in (10, 50, 90)}}
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    asked = {"label": "y", "prediction": "q*", "join": "order"}
    found = lossctl.compare(tmp_path / "main.csv", "quantiles", others=[tmp_path / "new.csv"], **asked)
    alone = lossctl.evaluate(tmp_path / "new.csv", "quantile", label="y", prediction="q*").value
    assert found.to_dict()["results"][0]["value"] == pytest.approx(alone, rel=1e-15)
