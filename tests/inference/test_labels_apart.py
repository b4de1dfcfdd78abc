"""A task that is written as one file, or as predictions and labels in two, is told alike and gives the same numbers."""

import re
import shlex

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stored import stored

import lossctl
from lossctl.errors import LossctlError, Undecided, UsageError

PETS = np.array(["bird", "cat", "dog"])


def _rows(rng, n, scale=1.0):
    scores = np.exp(rng.normal(0, 2, (n, 3)))
    return scale * scores / scores.sum(axis=1, keepdims=True)


def _named(names, rows):
    return dict(zip(names, rows.T, strict=True))


def _numbered(stem, rows):
    return _named([f"{stem}{place}" for place in range(rows.shape[1])], rows)


TASKS = {
    "columns named for words": lambda rng, n: ({"pet": rng.choice(PETS, n)}, _named(PETS, _rows(rng, n))),
    "proba_cat": lambda rng, n: ({"pet": rng.choice(PETS, n)}, _named([f"proba_{pet}" for pet in PETS], _rows(rng, n))),
    "codes": lambda rng, n: ({"label": rng.integers(0, 3, n)}, _numbered("softmax_", _rows(rng, n))),
    "codes from 1": lambda rng, n: ({"label": rng.integers(1, 4, n)}, _numbered("p", _rows(rng, n))),
    "codes and y_0": lambda rng, n: ({"target": rng.integers(0, 3, n)}, _numbered("y_", _rows(rng, n))),
    "one-hot": lambda rng, n: (
        _numbered("y_", np.eye(3)[rng.integers(0, 3, n)]),
        _numbered("softmax_", _rows(rng, n)),
    ),
    "logits of classes": lambda rng, n: ({"y": rng.integers(0, 3, n)}, _numbered("logit_", rng.normal(0, 3, (n, 3)))),
    "percentages": lambda rng, n: ({"y": rng.integers(0, 3, n)}, _numbered("p_", _rows(rng, n, 100))),
    "labels beside each other": lambda rng, n: (
        _named(["y_news", "y_art"], rng.integers(0, 2, (n, 2))),
        _named(["p_news", "p_art"], rng.random((n, 2))),
    ),
    "models": lambda rng, n: ({"y": rng.normal(size=n)}, _named(["pred_a", "pred_b"], rng.normal(size=(n, 2)))),
    "models by ending": lambda rng, n: ({"y": rng.integers(0, 2, n)}, _named(["a_prob", "b_prob"], rng.random((n, 2)))),
    "an ensemble": lambda rng, n: ({"y": rng.normal(size=n)}, _numbered("m", rng.normal(size=(n, 4)))),
    "quantiles": lambda rng, n: (
        {"y": rng.normal(size=n)},
        _named(["q0.1", "q0.5", "q0.9"], rng.normal(size=(n, 1)) + np.array([-1.3, 0, 1.3])),
    ),
    "yes or no": lambda rng, n: ({"churn": rng.choice(["no", "yes"], n)}, {"y_proba": rng.random(n)}),
    "two words": lambda rng, n: ({"label": rng.choice(["cat", "dog"], n)}, {"score": rng.normal(size=n)}),
    "decisions": lambda rng, n: (
        {"target": rng.integers(0, 2, n)},
        {"Predicted": rng.integers(0, 2, n), "y_proba": rng.random(n)},
    ),
    "decided words": lambda rng, n: ({"y": rng.choice(PETS, n)}, {"pred": rng.choice(PETS, n)}),
    "price": lambda rng, n: ({"Price": rng.gamma(3, 10, n)}, {"Price Pred": rng.gamma(3, 10, n)}),
    "counts": lambda rng, n: ({"y": rng.poisson(2, n)}, {"p": rng.gamma(2, 1, n)}),
    "no names": lambda rng, n: ({"survived": rng.integers(0, 2, n)}, {"risk": rng.random(n)}),
    "a ranking of labels": lambda rng, n: (
        {"qid": np.arange(n) // 10, "y": rng.integers(0, 4, n)},
        {"score": rng.normal(size=n)},
    ),
    "a ranking of predictions": lambda rng, n: (
        {"y": rng.integers(0, 4, n)},
        {"qid": np.arange(n) // 10, "score": rng.normal(size=n)},
    ),
    "groups of labels": lambda rng, n: (
        {"store": rng.choice(["east", "west"], n), "target": rng.gamma(3, 10, n), "usage": ["Public"] * n},
        {"forecast": rng.gamma(3, 10, n), "month": rng.integers(1, 13, n)},
    ),
    "an index without a name": lambda rng, n: (
        {"": np.arange(n), "y": rng.integers(0, 2, n)},
        {"p": rng.random(n)},
    ),
}
"""Labels and predictions, by what is made of them."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Writes a task as one file and as two, and gives how to ask for each."""
    folder = tmp_path_factory.mktemp("apart")

    def write(kind, n, seed, key, suffix=".csv"):
        rng = np.random.default_rng(seed)
        labels, predictions = TASKS[kind](rng, n)
        keys, turned = {key: np.arange(1000, 1000 + n)}, rng.permutation(n)
        files = {
            "one": {**keys, **labels, **predictions},
            "left": {**keys, **predictions},
            "turned": {name: np.asarray(values)[turned] for name, values in {**keys, **labels}.items()},
            "ordered": labels,
        }
        paths = {name: str(folder / f"{name}{suffix}") for name in files}
        for name, columns in files.items():
            (folder / f"{name}{suffix}").write_bytes(stored(pa.table(columns), f"{name}{suffix}", chunk=n))
        ways = [{"labels": paths["turned"]}, {"labels": paths["ordered"], "join": "order"}]
        return paths["one"], [(paths["left"], way) for way in ways], labels.keys(), predictions.keys()

    return write


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(sorted(TASKS)),
    n=st.sampled_from([2, 7, 60, 300]),
    seed=st.integers(0, 9),
    key=st.sampled_from(["id", "PassengerId"]),
    suffix=st.sampled_from([".csv", ".jsonl", ".parquet"]),
)
@example(kind="columns named for words", n=60, seed=1, key="id", suffix=".csv")
@example(kind="a ranking of labels", n=60, seed=1, key="id", suffix=".csv")
@example(kind="a ranking of predictions", n=60, seed=1, key="PassengerId", suffix=".csv")
@example(kind="quantiles", n=60, seed=1, key="id", suffix=".csv")
def test_one_file_and_two_give_the_same_columns_losses_notes_and_numbers(written, kind, n, seed, key, suffix):
    one, pairs, labels, predictions = written(kind, n, seed, key, suffix)
    alone, told = _measured(one), lossctl.diagnose(one)
    for source, way in pairs:
        apart, told_apart = _measured(source, **way), lossctl.diagnose(source, **way)
        if isinstance(alone, Undecided):
            # Which file a column is in may tell what one file leaves open; it never tells another thing.
            meant = [
                words for words in map(_asked, told.commands) if not {words[1]} & predictions | {words[3]} & labels
            ]
            proposed = [*map(_asked, told_apart.commands)]
            assert proposed[: len(meant)] == meant[: None if isinstance(apart, Undecided) else 1]
            continue
        assert _plain(apart) == _plain(alone)
        assert [*map(_asked, told_apart.commands)] == [*map(_asked, told.commands)]
        seen, seen_apart = ([(f.name, f.what, f.model) for f in told.findings] for told in (told, told_apart))
        assert seen_apart == seen


def _measured(source, **way):
    """What plain eval measures, or how it refuses."""
    try:
        return lossctl.evaluate(source, None, **way)
    except LossctlError as error:
        return error


def _plain(outcome):
    """An outcome without the names of files, and of the key."""
    if isinstance(outcome, LossctlError):
        return type(outcome), re.sub(r"^.*\.(csv|jsonl|parquet)", "FILE", outcome.what)
    results = [(result.loss, result.model, result.n, result.value) for result in outcome.results]
    return results, [re.sub(r"^id '\w+' chosen by name; ", "", note) for note in outcome.notes]


def _asked(command):
    """What a command line asks for, without what it reads."""
    words = shlex.split(command)
    return words[words.index("-y") :]


@pytest.mark.parametrize("kind", ["columns named for words", "labels beside each other", "models", "quantiles"])
def test_every_command_finds_labels_elsewhere_or_proposes_command_lines_that_work(lossctl, written, kind):
    command_line = lossctl
    for source, way in written(kind, 60, 1, "id")[1]:
        files = [source, *(word for name, value in way.items() for word in (f"--{name}", value))]
        loss = TAKEN.get(kind)
        for command in ("eval", "samples", "plot", "doctor", *([f"gradcheck {loss}"] if loss else [])):
            plain = ["-f", "json"] if command == "plot" else []
            done = command_line(*command.split(), *files, *plain)
            assert done.status == (0 if loss or command == "doctor" else 2), done.err
            lines = [line for line in (done.out + done.err).splitlines() if line.startswith("  lossctl")]
            assert lines or loss
            assert {command_line(*shlex.split(line)[1:], *plain).status for line in lines} <= {0}


TAKEN = {"columns named for words": "cross_entropy", "labels beside each other": "bce", "models": "mse"}
"""The losses of tasks of which everything can be told."""


@pytest.mark.parametrize("k", [1, 3])
def test_what_both_files_call_the_same_is_label_and_prediction_where_the_predictions_have_nothing_else(k):
    rng, names = np.random.default_rng(4), ["EAP", "HPL", "MWS"][:k]
    predictions = {"id": np.arange(50), **_named(names, _rows(rng, 50)[:, :k])}
    labels = {"id": np.arange(50), **_named(names, np.eye(3)[rng.integers(0, 3, 50)][:, :k]), "Usage": ["Public"] * 50}
    report = lossctl.evaluate(predictions, None, labels=labels)
    truth, guess = (np.column_stack([side[name] for name in names]) for side in (labels, predictions))
    expected = -np.log(np.where(truth, guess, 1 - guess if k == 1 else 1)).sum(axis=1).mean()
    assert report.value == pytest.approx(expected)
    features = {"age": rng.integers(20, 60, 50)}  # are in both as they are, and predict nothing
    assert lossctl.evaluate({**predictions, **features}, None, labels={**labels, **features}).value == report.value


def test_a_bad_cell_of_a_column_that_plays_no_role_stops_nobody(lossctl, tmp_path):
    (tmp_path / "p.csv").write_text("id,p,other\n" + "".join(f"{row},0.5,{row}\n" for row in range(300)) + "300,.5,x\n")
    (tmp_path / "l.csv").write_text("id,y\n" + "".join(f"{row},{row % 2}\n" for row in range(301)))
    for command in ("eval", "doctor"):
        done = lossctl(command, tmp_path / "p.csv", "--labels", tmp_path / "l.csv")
        assert done.status == 0, done.err


@pytest.mark.parametrize(("label", "prediction"), [("y_true", "y_pred"), ("target", "softmax"), ("label", "score")])
def test_files_in_the_place_of_each_other_are_an_error_that_says_so(label, prediction):
    rows = np.arange(20)
    labels, predictions = {"id": rows, label: rows % 2}, {"id": rows, prediction: rows / 20}
    assert lossctl.evaluate(predictions, None, labels=labels).results
    with pytest.raises(UsageError, match="Swap the files"):
        lossctl.evaluate(labels, None, labels=predictions)
    assert lossctl.evaluate(labels, "mse", labels=predictions, label=prediction, prediction=label).results


@pytest.mark.parametrize("loss", [None, "mae"])
def test_steps_in_time_of_two_files_are_proposed_together(loss):
    rows = np.random.default_rng(8).normal(50, 9, (20, 28))
    key = {"id": [f"item_{place}" for place in range(20)]}
    labels = key | {f"d_{1914 + step}": rows[:, step] for step in range(28)}
    source = key | {f"F{step + 1}": rows[:, step] + step for step in range(28)}
    with pytest.raises(Undecided) as question:
        lossctl.evaluate(source, loss, labels=labels, ids="id")
    (way,) = map(dict, question.value.ways)
    report = lossctl.evaluate(source, labels=labels, ids="id", **{"loss": "mae"} | way | {"loss": "mae"})
    assert report.value == pytest.approx(13.5)
