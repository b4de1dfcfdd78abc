"""Nobody names a column: what is measured is what arithmetic gives, and so is every way on that is proposed."""

import shlex

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import Undecided

WORDS = ("setosa", "versicolor", "virginica", "New York")
SEVERAL = {"label", "prediction"}


def evaluate(source, loss=None, **options):
    return lossctl.evaluate(source, loss, **options)


def asked(source, **options):
    """What is measured, one value a model, or that of each way on; and whether it was asked."""
    try:
        return [[result.value for result in evaluate(source, **options).results]], False
    except Undecided as question:
        return [measured(source, way, **options) for way in question.ways], True


def measured(source, way, **options):
    """The values of a way on, as a user would ask for it."""
    for name, value in way:
        options[name] = [*options.get(name, ()), value] if name in SEVERAL else value
    return [result.value for result in evaluate(source, **options).results]


def ways_of(source, **options):
    with pytest.raises(Undecided) as question:
        evaluate(source, **options)
    return question.value.ways


def cross_entropy(logits, label):
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(label)), label]))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def classes_of(seed, k, n=60):
    rng = np.random.default_rng(seed)
    label = np.append(np.arange(k), rng.integers(0, k, n - k))
    return label, [rng.normal(0, 1, (n, k)) + scale * np.eye(k)[label] for scale in (2.0, 1.2)]


@settings(max_examples=20)
@given(
    st.sampled_from(["{m}_{c}", "{c}_{m}", "prob_{m}_{c}", "{m}.{c}", "{m}_{c}_score", "P({c}) {m}"]),
    st.sampled_from([("old", "new"), ("m1", "m2"), ("rf", "xgb")]),
    st.integers(2, 4),
    st.sampled_from(["words", "codes", "{} class", "Iris-{}"]),
    st.sampled_from(["y", "species"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_columns_of_classes_of_several_models_are_these_models(form, models, k, kind, name, probable, random):
    label, logits = classes_of(k, k)
    coded = kind == "codes" and (name == "y" or probable)
    names = [*map(str, range(k))] if coded else WORDS[:k]
    spelled = label if coded else [("{}" if kind in {"words", "codes"} else kind).format(names[at]) for at in label]
    columns = {
        form.format(m=model, c=each): (softmax(rows) if probable else rows)[:, place]
        for model, rows in zip(models, logits, strict=True)
        for place, each in enumerate(names)
    }
    order = random.sample([*columns], len(columns))
    source = {"y" if coded else name: spelled, **{column: columns[column] for column in order}}
    if coded and not probable:
        return  # numbered: below
    values, question = asked(source)
    expected = [cross_entropy(rows, label) for rows in logits]
    assert sorted(values[0]) == pytest.approx(sorted(expected), rel=1e-9)
    assert question != probable
    assert len(values) == 1


@pytest.mark.parametrize("form", ["setosa {}", "{}", "p_{}", "{} prob", "Score({})"])
@pytest.mark.parametrize("frame", ["Iris-{}", "{} (class)", "class_{}"])
def test_classes_may_be_called_by_a_word_more_in_labels_than_in_columns(form, frame):
    label, (logits, _) = classes_of(3, 3)
    names = ("cat", "dog", "eel")
    source = {form.format(name): softmax(logits)[:, place] for place, name in enumerate(names)}
    report = evaluate({**source, "animal": [frame.format(names[at]) for at in label]})
    assert report.value == pytest.approx(cross_entropy(logits, label), rel=1e-9)
    assert frame.format("dog") in " ".join(report.notes)


@pytest.mark.parametrize("stem", ["ens_", "member_", "sample", "draw", "m", "model_", "f"])
@pytest.mark.parametrize(("size", "whole"), [(5, False), (12, False), (12, True)])
@pytest.mark.parametrize("name", ["obs", "price"])
def test_numbered_columns_are_an_ensemble_or_models_never_one_of_them(stem, size, whole, name):
    told = stem in {"ens_", "member_", "sample", "draw"}
    if whole and not told:
        return
    rng = np.random.default_rng(size)
    label = rng.poisson(9, 80).astype(float) if whole else rng.normal(10, 3, 80)
    members = label[:, None] + rng.normal(0, 1, (80, size))
    pairs = np.abs(members[:, :, None] - members[:, None, :]).mean(axis=(1, 2))
    crps = float(np.mean(np.abs(members - label[:, None]).mean(axis=1) - pairs / 2))
    error = np.abs(members - label[:, None])
    huber = np.where(error <= 1, error**2 / 2, error - 0.5)
    models = [*(error**2).mean(axis=0), *error.mean(axis=0), *huber.mean(axis=0)]
    values, question = asked({name: label, **{f"{stem}{at}": members[:, at] for at in range(size)}})
    assert question
    expected = [[crps], models] if told else [models, [crps]]
    if size > 8:
        expected = [[crps]]
    assert len(values) == len(expected)
    for value, wanted in zip(values, expected, strict=True):
        assert sorted(value) == pytest.approx(sorted(wanted), rel=1e-9)


@pytest.mark.parametrize("stem", ["z", "z_", "out", "score_of_"])
def test_numbered_scores_beside_codes_are_one_vector(stem):
    label, (logits, _) = classes_of(5, 4)
    values, _ = asked({"y": label, **{f"{stem}{at}": logits[:, at] for at in range(4)}})
    assert values == [[pytest.approx(cross_entropy(logits, label), rel=1e-9)]]


def test_features_beside_a_prediction_are_no_ensemble():
    rng = np.random.default_rng(1)
    label = rng.normal(10, 3, 80)
    guess = label + rng.normal(0, 1, 80)
    values, _ = asked({"y": label, **{f"x{at}": rng.normal(0, 1, 80) for at in range(5)}, "est": guess})
    assert [value[0] for value in values] == [pytest.approx(np.mean((guess - label) ** 2))]


def test_what_is_the_largest_of_scores_in_every_row_is_no_label():
    label, (logits, _) = classes_of(15, 3)
    scores = {f"RawFormulaVal:Class={at}": logits[:, at] for at in range(3)}  # CatBoost's columns
    values, question = asked({"Label": label, **scores, "Class": logits.argmax(axis=1)})
    assert (values, question) == ([[pytest.approx(cross_entropy(logits, label))]], True)


@pytest.mark.parametrize(
    ("point", "lower", "upper", "alphas"),
    [
        ("AutoARIMA", "AutoARIMA-lo-80", "AutoARIMA-hi-80", [0.2]),  # Nixtla
        ("mean", "mean_ci_lower", "mean_ci_upper", [0.1, 0.05]),  # statsmodels
        (".fcst", ".fcst_lower", ".fcst_upper", [0.1, 0.05]),
        ("mean", "lower", "upper", [0.1, 0.05]),
    ],
)
def test_intervals_are_proposed_after_the_points_that_they_are_about(point, lower, upper, alphas):
    rng = np.random.default_rng(2)
    label = rng.normal(10, 3, 80)
    guess = label + rng.normal(0, 1, 80)
    low, high = guess - 1.3, guess + 1.3
    values, question = asked({"unique_id": ["a"] * 80, "y": label, point: guess, lower: low, upper: high})
    missed = np.maximum(low - label, 0) + np.maximum(label - high, 0)
    assert question
    assert values[0][0] == pytest.approx(np.mean((guess - label) ** 2))
    assert values[1:] == [[pytest.approx(np.mean(high - low + 2 / alpha * missed))] for alpha in alphas]


def test_intervals_of_several_models_are_those_of_each():
    rng = np.random.default_rng(2)
    label = rng.normal(10, 3, 80)
    source, expected = {"ds": [f"2022-01-{at:02}" for at in range(80)], "y": label}, []
    for model, half in (("AutoARIMA", 1.3), ("AutoETS", 0.9)):
        source |= {f"{model}-lo-80": label - half, f"{model}-hi-80": label + half}
        expected.append(2 * half)
    assert asked(source)[0] == [pytest.approx(expected)]


def test_classes_that_no_label_has_or_that_codes_are_told_by_position_have_their_columns():
    label, logits = classes_of(11, 3)
    names, models = ("cat", "dog", "eel"), ("old", "new")
    columns = {
        f"{model}_{name}": softmax(rows)[:, at]
        for model, rows in zip(models, logits, strict=True)
        for at, name in enumerate(names)
    }
    expected = [pytest.approx(cross_entropy(rows, label)) for rows in logits]
    assert asked({"target": label, **columns})[0] == [expected]
    seldom = np.minimum(label, 1)  # no eel
    expected = [pytest.approx(cross_entropy(rows, seldom)) for rows in logits]
    assert asked({"kind": [names[at] for at in seldom], **columns}) == ([expected], False)


def test_ensembles_of_several_models_are_those_of_each():
    rng = np.random.default_rng(12)
    label = rng.normal(10, 3, 60)
    members = [label[:, None] + rng.normal(0, scale, (60, 5)) for scale in (1.0, 2.0)]
    source, expected = {"obs": label}, []
    for name, rows in zip(("gfs", "ecmwf"), members, strict=True):
        source |= {f"{name}_member{at}": rows[:, at] for at in range(5)}
        pairs = np.abs(rows[:, :, None] - rows[:, None, :]).mean(axis=(1, 2))
        expected.append(np.mean(np.abs(rows - label[:, None]).mean(axis=1) - pairs / 2))
    assert asked(source)[0] == [pytest.approx(expected)]


def test_models_that_only_their_numbers_tell_are_proposed_together_and_none_is_a_label():
    rng = np.random.default_rng(13)
    label = (rng.random(60) < 0.5) * 1
    guesses = {name: np.clip(0.7 * label + rng.uniform(0, 0.3, 60), 0.01, 0.99) for name in ("lgbm", "xgb")}
    values, _ = asked({"churned": label, **guesses})
    expected = [-np.mean(np.where(label == 1, np.log(p), np.log1p(-p))) for p in guesses.values()]
    assert values == [pytest.approx(expected), [pytest.approx(expected[0])], [pytest.approx(expected[1])]]


def test_features_alone_are_proposed_for_nothing():
    rng = np.random.default_rng(14)
    features = {name: rng.normal(5, 1, 60) for name in ("sepal_len", "sepal_width", "petal_len")}
    assert ways_of({"species": ["a", "b", "c"] * 20, **features}) == ()
    assert ways_of({"target": np.arange(60) % 3, **features}) == ()
    assert ways_of({"target": rng.normal(50, 3, 60), **features}) == ()


@pytest.mark.parametrize("named", ["", "y_"])
@pytest.mark.parametrize("models", [("old",), ("old", "new")])
def test_columns_of_labels_of_several_models_are_these_models(named, models):
    rng = np.random.default_rng(4)
    label = rng.random((80, 3)) < 0.4
    tags, source, expected = ("action", "drama", "horror"), {}, []
    source |= {f"{named}{tag}": label[:, at] * 1.0 for at, tag in enumerate(tags)}
    for model in models:
        p = rng.uniform(0.1, 0.9, (80, 3))
        source |= {f"{model}_{tag}": p[:, at] for at, tag in enumerate(tags)}
        expected.append(-np.mean(np.where(label, np.log(p), np.log1p(-p))))
    assert asked(source) == ([pytest.approx(expected)], False)


@pytest.mark.parametrize(("column", "sign"), [("sum_logprob", 1), ("loglik", 1), ("ll_a", 1), ("total_nll", -1)])
@pytest.mark.parametrize("count", ["n_tokens", "num_tokens", "token_count", "seqLen"])
def test_sums_over_tokens_are_no_predictions_and_their_means_are_weighted(column, sign, count):
    rng = np.random.default_rng(6)
    many = rng.integers(5, 60, 70)
    sums = -rng.gamma(many, 2.2)
    source = {"doc": np.arange(70), count: many}
    for options in ({}, {"loss": "perplexity"}) if sign > 0 else ({},):
        assert ways_of({**source, column: sign * sums}, **options) == ()
    way, *others = ways_of({**source, "mean_logprob": sums / many})
    assert not others
    value = measured({**source, "mean_logprob": sums / many}, way)
    assert value == [pytest.approx(np.exp(-sums.sum() / many.sum()))]


def test_rows_of_probabilities_have_no_label_among_them_and_labels_elsewhere_are_their_codes():
    label, (logits, _) = classes_of(7, 4)
    rows = {f"#{at + 1}": softmax(logits)[:, at] for at in range(4)}
    assert ways_of(rows) == ()
    with pytest.raises(Undecided, match="sum to 1"):
        evaluate({"image": [f"i{at}" for at in range(60)], **rows})
    report = evaluate(rows, labels={"#1": label}, join="order")
    assert report.value == pytest.approx(cross_entropy(logits, label), rel=1e-9)


@pytest.mark.parametrize("loss", [None, "zero_one", "bce"])
def test_words_that_were_decided_lead_to_the_columns_that_they_were_decided_from_or_are_measured(loss):
    label, (logits, _) = classes_of(8, 3)
    names = np.array(WORDS[:3])
    source = {name: softmax(logits)[:, at] for at, name in enumerate(names)}
    source |= {"kind": names[label], "called": names[logits.argmax(axis=1)]}
    asked = {"label": "kind", "prediction": "called"}
    wrong = pytest.approx(np.mean(logits.argmax(axis=1) != label))
    assert evaluate(source, "zero_one", **asked).value == wrong
    if loss != "zero_one":
        first, *others = map(dict, ways_of(source, **asked, **({} if loss is None else {"loss": loss})))
        value = evaluate(source, first.get("loss", loss), label="kind", prediction=first["prediction"]).value
        assert value == pytest.approx(cross_entropy(logits, label))
        assert others == ([{"loss": "zero_one"}] if loss is None else [])
        alone = {"kind": source["kind"], "called": source["called"]}
        with pytest.raises(Undecided, match="words"):
            evaluate(alone, loss, **asked)


def test_doctor_and_eval_agree_on_lists_of_log_probabilities():
    lists = pa.table({"doc": np.arange(40), "logprobs": [[-0.5, -1.5]] * 39 + [[-2.0]]})
    (way,) = ways_of(lists)
    told = lossctl.diagnose(lists)
    assert measured(lists, way) == [pytest.approx((39 * 2 + 2) / 79)]
    assert [shlex.split(line)[-2:] for line in told.commands] == [["-l", dict(way)["loss"]]]
    assert {str(finding.severity) for finding in told.findings} == {"note"}


@pytest.mark.parametrize("command", ["eval", "compare", "samples", "doctor"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("guess", "label"), [("SalePrice", "SalePrice"), ("prob", "y"), ("estimate", "price")])
def test_predictions_and_their_labels_in_two_files_are_asked_about_with_the_finished_line(
    lossctl, tmp_path, command, turned, guess, label
):
    if turned and command != "eval":
        return
    rng = np.random.default_rng(9)
    truth = (rng.random(40) < 0.5) * 1 if guess == "prob" else rng.integers(10, 99, 40)
    near = rng.uniform(0.2, 0.8, 40) if guess == "prob" else truth + rng.normal(0, 3, 40)
    paths = [tmp_path / "submission.csv", tmp_path / "solution.csv"]
    for path, name, values in zip(paths, (guess, label), (near, truth), strict=True):
        order = range(40) if name == label else range(39, -1, -1)
        path.write_text("\n".join([f"Id,{name}", *(f"{at},{values[at]}" for at in order)]) + "\n")
    done = lossctl(command, *(paths[::-1] if turned else paths))
    assert done.status == 2
    (line,) = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    if command == "eval":
        value = lossctl(*line, "-f", "json").values[0]
        bce = -np.mean(np.where(truth == 1, np.log(near), np.log1p(-near))) if guess == "prob" else None
        assert value == pytest.approx(np.mean((near - truth) ** 2) if bce is None else bce)
    else:
        assert lossctl(*line).status == 0
        assert line[0] == ("eval" if command == "compare" else command)


def written(path, columns):
    names, cells = [*columns], np.column_stack([*columns.values()]).tolist()
    lines = (",".join("" if np.isnan(cell) else f"{cell:.12g}" for cell in row) for row in cells)
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


@pytest.mark.parametrize("names", [["SalePrice"], ["cat", "dog"]], ids=len)
def test_two_files_of_predictions_are_not_taken_for_labels(lossctl, tmp_path, names):
    rng = np.random.default_rng(9)
    for name in ("a", "b"):
        rows = rng.dirichlet(np.ones(2), 30) if names[1:] else rng.normal(size=(30, 1))
        written(tmp_path / f"{name}.csv", {"Id": np.arange(30), **dict(zip(names, rows.T, strict=True))})
    for command in ("eval", "compare"):
        done = lossctl(command, tmp_path / "a.csv", tmp_path / "b.csv")
        assert (done.status, "holds the labels" in done.err) == (2, False)


@pytest.mark.parametrize("kind", ["one-hot", "nulls", "other key"])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_files_without_telling_names_whole_numbers_are_the_labels(lossctl, tmp_path, kind, turned):
    rng = np.random.default_rng(9)
    truth, near, known = rng.permutation(np.arange(40) % 2), rng.uniform(0.2, 0.8, 40).round(6), np.ones(40, bool)
    guesses, labels = {"target": near}, {"target": truth}
    if kind == "one-hot":
        guesses, labels = {"no": 1 - near, "yes": near}, {"no": 1 - truth, "yes": truth}
    elif kind == "nulls":
        known[::9] = False
        labels = {"target": np.where(known, truth, np.nan)}
    key = "passenger_id" if kind == "other key" else "PassengerId"
    if kind == "other key":
        guesses, labels = {"prob": near}, {"Survived": truth}
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    written(paths[0], {"PassengerId": np.arange(900, 940), **guesses})
    written(paths[1], {key: np.arange(900, 940), **labels})
    done = lossctl("eval", *(paths[::-1] if turned else paths))
    line, *_ = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    bce = -np.where(truth == 1, np.log(near), np.log1p(-near))[known].mean()
    assert lossctl(*line, "-f", "json").values == [pytest.approx(bce)]


def test_a_loss_that_is_named_gives_way_to_that_of_a_line_to_copy(lossctl, tmp_path):
    path = tmp_path / "tokens.jsonl"
    path.write_text('{"doc": 1, "logprobs_a": [-1.0, -2.0], "logprobs_b": [-0.5, -0.5]}\n' * 3)
    done = lossctl("eval", path, "-l", "perplexity")
    (line,) = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl")]
    assert lossctl(*line, "-f", "json").values == pytest.approx([np.exp(1.5), np.exp(0.5)])


def forecasts(seed, models, levels, crossing):
    """Counts, a forecast of each model and the ends of its intervals, as Nixtla calls them."""
    rng = np.random.default_rng(seed)
    label = rng.poisson(9.0, 60) * 1.0
    source = {"unique_id": ["store 1", "store 2", "store 3"] * 20, "y": label}
    for model in models:
        source[model] = label + rng.normal(0.4, 2.0, 60) + 20.0
        source["y"] = label + 20.0
        for level in levels:
            for end, sign in (("lo", -1.0), ("hi", 1.0)):
                noise = rng.normal(0.0, crossing, 60)
                source[f"{model}-{end}-{level}"] = source[model] + sign * level / 20.0 + noise
    return source


@settings(max_examples=6)
@given(
    st.integers(0, 9),
    st.sampled_from([("AutoARIMA",), ("AutoARIMA", "SeasonalNaive")]),
    st.sampled_from([(80,), (80, 95), (50, 80, 90)]),
    st.sampled_from(["mae", "rmse", "quantiles", "interval", None]),
)
def test_forecasts_beside_their_intervals_are_offered_for_the_loss_that_was_named(seed, models, levels, loss):
    crossing = 3.0 if loss == "quantiles" and len(levels) > 1 else 0.0
    source = forecasts(seed, models, levels, crossing)
    if loss is None:
        way = dict(ways_of(source)[0])
        assert way["loss"] == "mse,mae,huber"
        assert way["prediction"] in models
        return
    ways = ways_of(source, loss=loss)
    errors = [source["y"] - source[model] for model in models]
    if loss in {"mae", "rmse"}:
        expected = [np.mean(np.abs(error)) if loss == "mae" else np.sqrt(np.mean(error**2)) for error in errors]
        assert measured(source, ways[0], loss=loss) == pytest.approx(expected)
    elif loss == "interval":
        assert {dict(way)["prediction"].partition("-")[0] for way in ways} == {*models}
    else:
        pinball = []
        for level in levels:
            for end, tau in (("lo", 0.5 - level / 200), ("hi", 0.5 + level / 200)):
                rest = source["y"] - source[f"{models[0]}-{end}-{level}"]
                pinball.append(np.mean(np.maximum(tau * rest, (tau - 1) * rest)))
        assert measured(source, ways[0], loss=loss)[0] == pytest.approx(np.mean(pinball))


@pytest.mark.parametrize(
    ("words", "names"), [(3, ("p10", "p50", "p90")), (5, ("q0.1", "q0.25", "q0.5", "q0.75", "q0.9"))]
)
def test_quantiles_are_no_classes_of_words_and_models_beside_them_are_offered(words, names):
    rng = np.random.default_rng(words)
    label = rng.poisson(9.0, 60) * 1.0
    guess = label + rng.normal(0.0, 2.0, 60)
    source = {"store": [f"store_{at % words}" for at in range(60)], "sales": label}
    source |= {"model_a": guess, "model_b": guess + 1.0}
    source |= {name: guess + 4.0 * at for at, name in enumerate(names)}
    ways = ways_of(source)
    assert not [way for way in ways if ("label", "store") in way]
    assert pytest.approx(np.mean(np.abs(guess - label))) in measured(source, ways[0])
    assert dict(ways[-1])["loss"] == "quantiles"
    assert measured(source, ways_of(source, loss="mae")[0], loss="mae") == pytest.approx(
        [np.mean(np.abs(guess + shift - label)) for shift in (0.0, 1.0)]
    )


@pytest.mark.parametrize("form", ["pred_0.{}", "yhat 0.{}", "{}0%", "y_pred_{}0%"])
def test_levels_behind_any_word_are_quantiles_where_each_has_its_opposite_and_none_models(form):
    rng = np.random.default_rng(5)
    level = rng.normal(100, 10, 60)
    label, columns = level + rng.normal(size=60), {1: level - 1.3, 5: level, 9: level + 1.3}
    source = {"y": label, **{form.format(digit): column for digit, column in columns.items()}}
    first, every = ways_of(source)
    assert dict(first)["prediction"] == form.format(5)
    errors = [(digit / 10, label - column) for digit, column in columns.items()]
    pinball = np.mean([np.maximum(tau * error, (tau - 1) * error) for tau, error in errors])
    assert measured(source, every) == [pytest.approx(pinball)]


@pytest.mark.parametrize("words", [("NEGATIVE", "POSITIVE"), (0, 1)], ids=str)
@pytest.mark.parametrize("decided", ["pred_label", "predicted_class"])
def test_the_confidence_in_a_decision_is_asked_about_and_a_probability_is_none(words, decided):
    rng = np.random.default_rng(5)
    truth = rng.permutation(np.arange(60) % 2)
    probability = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, 60), 0.01, 0.99)
    made = (probability > 0.5) * 1
    source = {"label": np.take(words, truth), decided: np.take(words, made), "pred_score": probability}
    bce = -np.where(truth == 1, np.log(probability), np.log1p(-probability)).mean()
    assert asked(source) == ([[pytest.approx(bce)]], False)
    ways_of({**source, "pred_score": np.maximum(probability, 1 - probability)})


@settings(max_examples=8)
@given(st.booleans(), st.sampled_from(["one-hot", "several", "codes"]), st.integers(0, 3))
def test_two_arrays_without_names_are_asked_about_and_that_of_0_and_1_is_the_label(turned, kind, seed):
    rng = np.random.default_rng(seed)
    codes, p = rng.integers(0, 3, 40), rng.dirichlet(np.ones(3), 40)
    bits = rng.random((40, 3)) < 0.4 if kind == "several" else np.eye(3)[codes]
    arrays = [codes.tolist() if kind == "codes" else (bits * 1.0).tolist(), p.tolist()]
    source = dict(zip(("arr_0", "arr_1"), arrays[::-1] if turned else arrays, strict=True))
    surprise = -np.where(bits, np.log(p), np.log1p(-p))
    expected = surprise.mean() if kind == "several" else -np.log(p[np.arange(40), codes]).mean()
    value, *others = np.ravel(asked(source)[0])
    assert value == pytest.approx(expected)
    assert not others


@pytest.mark.parametrize("asked_for", [{}, {"ids": ["patient", "visit"]}])
@pytest.mark.parametrize("command", ["compare", "eval"])
def test_every_word_that_may_be_the_outcome_is_offered_in_lines_that_run_with_the_key_that_they_need(
    lossctl, tmp_path, command, asked_for
):
    rng = np.random.default_rng(8)
    p, order = rng.random((2, 80)), rng.permutation(80)
    keys = {"patient": np.repeat([f"P{row}" for row in range(40)], 2), "visit": np.tile([1, 2], 40)}
    outcomes = {
        "site": np.take(["north", "east", "west"], rng.integers(0, 3, 80)),
        "sex": np.take(["M", "F"], rng.integers(0, 2, 80)),
        "back": np.take(["No", "Yes"], (rng.random(80) < p[0]) * 1),
    }
    files = {"risks": keys | {"risk_a": p[0], "risk_b": p[1]}, "outcomes": keys | outcomes}
    for name, columns in files.items():
        turned = [np.asarray(column)[order if name == "outcomes" else ...] for column in columns.values()]
        rows = zip(*turned, strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    flags = [word for value in asked_for.values() for word in ("--id", ",".join(value))]
    done = lossctl(command, tmp_path / "risks.csv", "--labels", tmp_path / "outcomes.csv", *flags)
    offered = [shlex.split(line)[1:] for line in done.err.splitlines() if line.startswith("  lossctl ")]
    outcomes = [words[words.index("-y") + 1] for words in offered]
    assert (outcomes[0], {*outcomes}) == ("back", {"back", "sex"})
    for words in offered:
        assert words.count("-y") == words.count("--id") == 1
        assert lossctl(*words).status == 0


def test_of_words_beside_named_predictions_yes_and_no_come_first():
    rng = np.random.default_rng(9)
    p = rng.random((2, 60))
    d = {"sex": np.take(["M", "F"], rng.integers(0, 2, 60)), "back": np.take(["No", "Yes"], (p[0] > 0.5) * 1)}
    ways = ways_of(pa.table(d | {"a": p[0], "b": p[1]}), prediction=["a", "b"], loss="bce")
    assert dict(ways[0])["label"] == "back"
