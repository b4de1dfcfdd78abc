"""Models in a file each: matched by key or in order, the same numbers as of one file; labels in two must agree."""

import decimal
import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined import FORMATS, store

import lossctl as library
from lossctl.comparison.files import prepare_models
from lossctl.comparison.naming import names_of
from lossctl.errors import Undecided
from lossctl.inference.request import Request

N = 120


@pytest.fixture(scope="module")
def whole():
    """Three models on the same rows, with all that may be asked of rows."""
    rng = np.random.default_rng(14)
    y = rng.normal(size=N)
    return pa.table({
        "id": [f"r{row:03}" for row in range(N)], "y": y,
        "p": y + rng.normal(size=N), "q": y + rng.normal(size=N) / 2, "r": y + rng.standard_t(3, N),
        "w": rng.integers(0, 5, N) / 4, "g": rng.choice(["x", "y", "ü,z"], N), "user": rng.integers(0, 20, N),
    })  # fmt: skip


def one_model(whole, column, *more, seed=None):
    """A file of one model, whose predictions are called ``p`` as in all others; its rows in another order."""
    table = whole.select(["id", column, *more]).rename_columns(["id", "p", *more])
    return table if seed is None else table.take(np.random.default_rng(seed).permutation(N))


def told(comparison):
    """Everything that is said of differences, to the last bit."""
    return [repr(one) for one in (*comparison.results, *comparison.overall)]


ASKED = {"loss": ["mse", "rmse"], "label": "y", "weight": "w", "by": "g", "cluster": "user"}
SHARED = ("w", "g", "user")


@pytest.mark.parametrize(
    ("suffix", "other", "apart"),
    [*zip(FORMATS, [*FORMATS[1:], ".csv"], itertools.cycle([(), ("w",), ("g", "user"), SHARED]), strict=False)],
)
def test_files_of_a_model_each_are_one_file_bit_for_bit(whole, tmp_path, suffix, other, apart):
    held = [name for name in SHARED if name not in apart]
    main = store(tmp_path / f"main{suffix}", one_model(whole, "p", "y", *held))
    first = store(tmp_path / f"first{other}", one_model(whole, "q", "y", *SHARED, seed=1))
    second = store(tmp_path / f"second{suffix}", one_model(whole, "r", seed=2))
    apart = library.compare(main, **ASKED, others=[first, second], ids="id")
    models = ["main=p", "first=q", "second=r"]
    assert told(apart) == told(library.compare(whole, **ASKED, prediction=models))
    assert apart.inputs["join"]["matched"] == N
    assert not any("has another" in note for note in apart.notes)


@pytest.mark.parametrize("how", ["strict", "inner", "order"])
@pytest.mark.parametrize(
    ("name", "role", "cell"),
    [("w", "weight", 9.0), ("g", "by", "z"), ("user", "by", 99), ("user", "cluster", 99), ("g", "where", "z")],
)
def test_where_files_say_otherwise_of_rows_the_first_counts_and_a_note_says_how_many(whole, how, name, role, cell):
    rows = np.arange(N) if how != "inner" else np.flatnonzero(np.arange(N) % 3)
    cells, wrong = whole[name].to_pylist(), [25, 40, 41]
    other = {row: cell if row in wrong else cells[row] for row in range(N)}
    changed = whole.set_column(whole.schema.get_field_index(name), name, pa.array([*other.values()]))
    asked = {role: name if role != "where" else "g != 'nowhere'", "loss": "mse", "label": "y", "join": how}
    asked |= {} if how == "order" else {"ids": "id"}
    seed = None if how == "order" else 3
    left, right = one_model(whole, "p", name, "y"), one_model(changed.take(rows), "q", name)
    right = right if seed is None else right.take(np.random.default_rng(seed).permutation(len(rows)))
    comparison = library.compare(left, others={"q": right}, baseline="p", **asked)
    plain = library.compare(left, others={"q": right.drop_columns(name)}, baseline="p", **asked)
    assert told(comparison) == told(plain)
    (note,) = set(comparison.notes) - set(plain.notes)
    place = "row 26" if how == "order" else "r025"
    assert f"has another in 3 of {len(rows)} rows, such as of {place}: " in note
    assert note.startswith(f"{name!r} is that of ")
    gate = {"name": "it", "loss": "mse", "max_increase": 9.0, "baseline": left}
    asked = {key: value for key, value in asked.items() if key != "loss"}
    assert note.partition(": ")[2].partition(" has ")[2] in " ".join(library.check_gates(gate, right, **asked).notes)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (["2024-01-01", "2024-02-03"], pa.array([19723, 19756], pa.date32())),
        (["2024-01-01", "2024-02-03 04:05"], pa.array([1704067200, 1706933100], pa.timestamp("s"))),
        (["1.50", "2"], [1.5, 2.0]),
        (["True", "false"], [True, False]),
        (["a", "b"], pa.array(["a", "b"]).dictionary_encode()),
    ],
    ids=str,
)
def test_a_group_written_otherwise_in_another_format_is_the_same(mine, theirs):
    rows = {"id": ["r", "s"], "y": [1.0, 2.0], "p": [1.0, 3.0]}
    tables = [pa.table({**rows, "g": cells}) for cells in (mine, theirs)]
    for left, right in itertools.permutations(tables):
        comparison = library.compare(left, "mse", others=[right], ids="id", by="g")
        assert not any("has another" in note for note in comparison.notes)


@pytest.mark.parametrize("how", ["strict", "inner", "order"])
def test_rows_are_matched_as_the_join_says(whole, how):
    rows = np.arange(N) if how != "inner" else np.flatnonzero(np.arange(N) % 3)
    fewer = np.arange(N) if how != "inner" else np.arange(10, N)
    left = one_model(whole, "p", "y")
    others = {"q": one_model(whole, "q").take(rows), "r": one_model(whole, "r").take(fewer)}
    ids = [] if how == "order" else "id"
    comparison = library.compare(left, "mse", others=others, baseline="p", ids=ids, join=how)
    kept = whole.take(np.intersect1d(rows, fewer))
    assert told(comparison) == told(library.compare(kept, "mse", label="y", prediction=["p", "q", "r"]))
    models = comparison.inputs["join"]["models"]
    assert comparison.inputs["join"]["matched"] == kept.num_rows
    assert [models[name]["unmatched"] for name in ("p", "q", "r")] == [N - kept.num_rows, 0, 0]


@pytest.mark.parametrize(
    ("change", "join", "words"),
    [
        (lambda t: t.slice(1), "strict", ["1 rows of baseline are not in", "r000", "join='inner'"]),
        (lambda t: t.slice(1), "order", ["120 rows", "119 rows"]),
        (lambda t: pa.concat_tables([t, t.slice(5, 1)]), "inner", ["1 id more than once", "r005"]),
        (lambda t: t, "left", ["join='left'", "join='inner'"]),
    ],
)
def test_rows_that_do_not_match_are_an_error_that_names_them(whole, change, join, words):
    ids = [] if join == "order" else "id"
    with pytest.raises(library.LossctlError) as refused:
        library.compare(one_model(whole, "p", "y"), "mse", others=change(one_model(whole, "q")), ids=ids, join=join)
    assert all(word in str(refused.value) for word in words), refused.value


TYPES = {
    "integers": lambda label: pa.array(label, pa.int8()),
    "floats": lambda label: pa.array(label, pa.float32()),
    "text": lambda label: pa.array([str(y) for y in label]),
    "decimal text": lambda label: pa.array([f"{y}.0" for y in label]),
    "decimals": lambda label: pa.array([decimal.Decimal(y) for y in label]),
    "truths": lambda label: pa.array([y == 1 for y in label]),
    "nulls": lambda label: pa.array([None] * len(label), pa.float64()),
}


@settings(max_examples=25, deadline=None)
@given(
    label=st.lists(st.integers(0, 1), min_size=1, max_size=9),
    kinds=st.tuples(st.sampled_from([kind for kind in TYPES if kind != "nulls"]), st.sampled_from([*TYPES])),
    wrong=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_labels_of_two_files_agree_whatever_their_types_or_are_an_error(label, kinds, wrong, order):
    n = len(label)
    rows = order.sample(range(n), n)
    told_else = [1 - y if wrong else y for y in label]
    other = {"id": range(n), "p": [0.5] * n, "y": TYPES[kinds[1]](told_else)}
    first = {"id": range(n), "p": [0.25] * n, "y": TYPES[kinds[0]](label)}
    asked = {"loss": "mse", "label": "y", "prediction": "p", "others": [pa.table(other).take(rows)], "ids": "id"}
    if not wrong or kinds[1] == "nulls":
        assert library.compare(pa.table(first), **asked).results[0].n == n
        return
    with pytest.raises(library.DataError, match=f"{n} of {n} labels 'y' differ") as refused:
        library.compare(pa.table(first), **asked)
    assert all(f"{row}: " in refused.value.what for row in range(min(n, 3)))


@pytest.mark.parametrize("mine", ["strings", "lists"])
def test_labels_that_are_words_or_lists_agree_or_not(mine):
    label = {"strings": ["cat", "dog", "emu"], "lists": [[0, 1], [1, 1], [0, 0]]}[mine]
    loss, prediction = ("cross_entropy", np.full((3, 3), 1 / 3)) if mine == "strings" else ("bce", np.full((3, 2), 0.5))
    named = {"classes": ["cat", "dog", "emu"]} if mine == "strings" else {}
    first = pa.table({"id": [1, 2, 3], "y": label, "p": prediction.tolist()})
    floats = first if mine == "strings" else first.set_column(1, "y", first["y"].cast(pa.list_(pa.float64())))
    asked = {"label": "y", "prediction": "p", "ids": "id", **named}
    assert library.compare(first, loss, **asked, others=[floats.take([2, 0, 1])]).results[0].tied == 1.0
    swapped = first.set_column(1, "y", first["y"].take([1, 0, 2]))
    with pytest.raises(library.DataError, match="2 of 3 labels 'y' differ"):
        library.compare(first, loss, **asked, others=[swapped])


@pytest.mark.parametrize(
    ("asked", "columns", "chosen"),
    [
        ({}, "score", "score"),
        ({"prediction": "p"}, "score", "score"),
        ({"prediction": "mine"}, "mine", "mine"),
        ({"prediction": "new=mine"}, "mine", "mine"),
    ],
)
def test_predictions_may_have_another_name_in_another_file(whole, asked, columns, chosen):
    other = one_model(whole, "q").rename_columns(["id", columns])
    comparison = library.compare(one_model(whole, "p", "y"), "mse", **asked, others=other)
    name = "new" if "=" in asked.get("prediction", "") else "candidate"
    assert comparison.inputs["models"] == {"baseline": ["p"], name: [chosen]}
    right = library.compare(whole, "mse", label="y", prediction=["p", "q"])
    assert comparison.difference == right.difference


def test_classes_go_by_their_names_in_each_file():
    rng = np.random.default_rng(3)
    y, p, q = rng.choice(["cat", "dog", "emu"], 60), rng.dirichlet(np.ones(3), 60), rng.dirichlet(np.ones(3), 60)
    first = {"id": range(60), "y": y, **{f"p_{name}": p[:, at] for at, name in enumerate(("cat", "dog", "emu"))}}
    turned = {"id": range(60), **{f"q_{name}": q[:, at] for name, at in (("emu", 2), ("cat", 0), ("dog", 1))}}
    code = np.searchsorted(["cat", "dog", "emu"], y)
    expected = np.mean(np.log(p[range(60), code]) - np.log(q[range(60), code]))
    assert library.compare(first, others=[turned]).difference == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("sources", "given_names", "names"),
    [
        (["runs/main.parquet", "runs/pr.csv.gz"], [], ("main", "pr")),
        (["a/preds.csv", "b/preds.csv"], [], ("a/preds.csv", "b/preds.csv")),
        (["a.csv", "a.csv"], [], ("a", "a (2)")),
        (["a.csv", "b.csv"], ["", "new"], ("a", "new")),
        ([{}, {}], [], ("baseline", "candidate")),
        ([{}, {}, {}], ["", "candidate 2"], ("baseline", "candidate 2", "candidate 2 (2)")),
        (["-", "s3://bucket/x/new.parquet"], [], ("stdin", "new")),
        (["./.csv", "b"], [], (".csv", "b")),
    ],
)
def test_models_are_called_like_their_files(sources, given_names, names):
    assert names_of(sources, given_names) == names


@settings(max_examples=15, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=2, unique=True), wide=st.booleans())
def test_any_names_of_models_and_columns_will_do(names, wide):
    title, name = names
    columns = [name, f"{name},=/2"] if wide else [name]
    values = {"id": [1, 2], "y": ["no", "yes"], **{column: [0.5, 0.5] for column in columns}}
    if {"id", "y"} & {*columns}:
        return
    loss, pattern = "cross_entropy" if wide else "bce", "/^(?!(id|y)$)/"
    request = Request(loss=[loss], label=["y"], prediction=[pattern], classes=["no", "yes"])
    prepared = prepare_models([values, values], request, names=["", title], ids=["id"])
    assert [model.name for model in prepared.plan.models][1:] == [title]
    assert [model.width for model in prepared.plan.models] == [2 * wide] * 2


def test_the_key_is_told_or_asked_for(whole):
    first, other = one_model(whole, "p", "y"), one_model(whole, "q", seed=3)
    assert library.compare(first, "mse", others=other).inputs["join"]["id"] == ["id"]
    two = {"a": range(N), "b": range(N)}
    first_of_two, other_of_two = (pa.table({**two, "y": whole["y"], "p": whole[name]}) for name in "pq")
    for files, ways in (
        ((first, other.drop_columns("id")), ["join='order'"]),
        ((first_of_two, other_of_two), ["ids='a'", "ids='b'"]),
    ):
        with pytest.raises(library.LossctlError, match="need ids") as undecided:
            library.compare(files[0], "mse", label="y", prediction="p", others=files[1])
        assert all(way in str(undecided.value) for way in ways)


def test_labels_may_be_in_a_file_of_their_own(whole, tmp_path):
    labels = store(tmp_path / "labels.csv", whole.select(["id", "y", "g", "user"]))
    files = [store(tmp_path / f"{name}.csv", one_model(whole, name, seed=5)) for name in "pq"]
    asked = {"loss": "mse", "by": "g", "cluster": "user"}
    comparison = library.compare(files[0], **asked, others=files[1], labels=labels, ids="id")
    order = np.random.default_rng(5).permutation(N)
    right = library.compare(whole.take(order), **asked, label="y", prediction=["p", "q"])
    assert told(comparison) == told(right)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_takes_a_file_a_model_unless_several_are_named(whole, tmp_path, lossctl, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "main.csv", one_model(whole, "p", "y"))
    store(tmp_path / "pr.csv", one_model(whole, "q", seed=4))
    store(tmp_path / "new=pr.csv", one_model(whole, "r", seed=4))
    apart = lossctl("compare", "main.csv", "new=pr.csv", "other=pr.csv", "-l", "mse", "--json")
    assert apart.status == 0, apart.err
    assert [one["model"] for one in apart.json["results"]] == ["new=pr", "other"]
    assert "a file a model" in apart.err
    store(tmp_path / "a.csv", whole)
    together = lossctl("compare", "a.csv", "a.csv", "-p", "p", "-p", "q", "-l", "mse", "--json")
    assert [(one["model"], one["n"]) for one in together.json["results"]] == [("q", 2 * N)]
    assert "together one data set" in together.err


def test_stdin_is_one_file_and_not_two(lossctl):
    twice = lossctl("compare", "-", "-", "-l", "mse")
    assert (twice.status, "stdin can be read only once" in twice.err) == (2, True)


def test_what_is_asked_about_models_in_one_file_is_answered_by_two_of_them(lossctl, tmp_path):
    rows = [
        "y_true,model_a,model_b",
        *(f"{row % 2},{0.3 + 0.005 * row:.3f},{0.7 - 0.004 * row:.3f}" for row in range(40)),
    ]
    (tmp_path / "two.csv").write_text("\n".join(rows))
    done = lossctl("compare", tmp_path / "two.csv")
    assert done.status == 2
    (line,) = [line for line in done.err.splitlines() if line.startswith("  lossctl")]
    assert line.endswith("-y y_true -p model_a -p model_b -l bce")
    assert lossctl(*line.split()[1:]).status == 0
    done = lossctl("compare", tmp_path / "two.csv", "-p", "model_*")
    assert done.status == 2
    (line,) = [line for line in done.err.splitlines() if line.startswith("  lossctl")]
    assert line.endswith("two.csv -p model_a -p model_b -l bce")
    assert lossctl(*line.split()[1:]).status == 0
    done = lossctl("compare", tmp_path / "two.csv", "-p", "model_*", "-l", "cross_entropy", "--normalize-rows")
    assert done.status == 2
    assert "-p base=COL -p new=COL" in done.err


@pytest.mark.parametrize(("first", "names"), [(0, ("y", "target")), (1, ("truth", "y_true")), (1, ("label", "label"))])
def test_two_files_that_hold_labels_of_their_own_are_compared_and_none_is_taken_for_the_labels(tmp_path, names, first):
    rng = np.random.default_rng(1)
    label, rows = rng.integers(0, 3, 40), rng.dirichlet([1, 1, 1], (2, 40))
    for name, file, stem, probabilities in zip(names, ("a", "b"), ("{}", "prob_{}"), rows, strict=True):
        columns = {stem.format(place): column for place, column in enumerate(probabilities.T)}
        store(tmp_path / f"{file}.csv", pa.table({**columns, name: label + first}))
    surprise = -np.log(rows[:, np.arange(40), label]).mean(axis=1)
    files = [str(tmp_path / f"{file}.csv") for file in "ab"]
    with pytest.raises(library.UsageError) as told:
        library.compare(files[0], others=[files[1]])
    assert told.value.ways
    for way in told.value.ways:
        asked = {name: value.split(",") if name == "classes" else value for name, value in way}
        compared = library.compare(files[0], asked.pop("loss", None), others=[files[1]], **asked)
        assert compared.results[0].difference == pytest.approx(surprise[1] - surprise[0])


def test_labels_of_another_name_in_another_order_tell_that_rows_do_not_match_in_order():
    label, p = np.arange(12) % 3.0 + 0.5, np.linspace(0, 3, 12)
    first, asked = {"y": label, "pred": p}, {"prediction": "pred", "join": "order"}
    second = {"target": label, "pred": p + 1}
    assert library.compare(first, "mse", others=[second], **asked).results[0].n == 12
    with pytest.raises(library.DataError, match=r"another order: 'y' of .* and 'target' of"):
        library.compare(first, "mse", others=[{**second, "target": np.roll(label, 1)}], **asked)


@pytest.mark.parametrize("k", [3, 70])
def test_arrays_of_a_column_a_class_are_compared_by_the_line_that_is_offered(k, tmp_path):
    rng = np.random.default_rng(k)
    codes, scores = rng.integers(0, k, 60), rng.normal(size=(60, k))
    scores[np.arange(60), codes] += 4
    files = [tmp_path / f"{name}.npy" for name in ("old", "new", "codes")]
    for path, array in zip(files, (scores, 1.5 * scores, codes), strict=True):
        np.save(path, array)
    asked = {"others": [files[1]], "labels": files[2], "join": "order"}
    with pytest.raises(Undecided) as told:
        library.compare(files[0], **asked)
    (way,) = told.value.ways
    (result,) = library.compare(files[0], **asked, **dict(way)).results
    losses = [np.log(np.exp(z).sum(axis=1)) - z[np.arange(60), codes] for z in (scores, 1.5 * scores)]
    assert [result.baseline, result.value] == pytest.approx([one.mean() for one in losses], rel=1e-12)
