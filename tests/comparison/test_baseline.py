"""What is kept of an earlier run, and how a later one stands to it: against NumPy, and a comparison of files."""

import functools
import json
import math
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.comparison.baseline import baseline_of, load, measure_baseline
from lossctl.comparison.kept import held_against
from lossctl.document import versioned
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.prepared import measured, prepare
from lossctl.evaluation.running import Running
from lossctl.evaluation.scores import Scores
from lossctl.inference.request import Request
from lossctl.reading.hashing import coded
from lossctl.sums.student import quantile

MASK = (1 << 64) - 1


@functools.cache
def bucket_of(text):
    """The first ten bits of the hash of a text, by the definition: FNV-1a, mixed by the finaliser of MurmurHash3."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & MASK
    return (value ^ value >> 33) >> 54


def rows(n, seed=0):
    random = np.random.default_rng(seed)
    label = random.normal(size=n)
    return pd.DataFrame({
        "id": [f"row {index}" for index in random.permutation(n)],
        "user": random.integers(0, 40, n),
        "y": label,
        "p": label + random.normal(size=n),
        "q": label + random.normal(1.1, size=n),
        "w": random.uniform(0.5, 2.0, n),
        "g": random.choice(["a", "b"], n),
    })  # fmt: skip


def run(frame, *, column="p", loss="mse", **more):
    """The plan of a run that tells rows apart, its scores and its report."""
    asked = {"ids": ("id",), "cluster": ("id",), "label": ("y",), "prediction": (f"m={column}",), **more}
    prepared = prepare(frame, Request(loss=tuple(loss.split(",")), judged=True, **asked))
    plan, folded = measured(prepared.source, prepared.plan, Running("serial"))
    return prepared, Scores(plan, folded.total), assemble(plan, folded.total, folded.passed)


def kept(frame, path=None, **more):
    """What is kept of a run, through its file where there is a path."""
    baseline = measure_baseline(run(frame, **more)[0], Running("serial"))
    if path is None:
        return baseline
    path.write_text(baseline.to_json())
    return load(str(path))


def against(baseline, frame, *, ratio=1.0, **more):
    """How each result of a later run stands to a baseline."""
    _, scores, report = run(frame, **more)
    baseline.ensure_comparable(report, "it")
    for view in [scores.pooled(), scores] if scores.plan.roles.by else [scores]:
        for place, (model, bound) in enumerate(view.losses):
            for group in view.groups:
                result = baseline.find(str(bound), model.name, view.named(group))
                yield held_against(result, view, place, group, ratio)


@pytest.mark.parametrize("reduction", ["mean", "root-mean", "sum"])
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("cluster", ["id", "user"])
@pytest.mark.parametrize("ratio", [1.0, 1.02])
def test_the_error_is_that_of_differences_by_bucket(tmp_path, reduction, weight, cluster, ratio):
    frame = rows(3000)
    asked = {"reduction": reduction, "weight": weight, "cluster": (cluster,)}
    (one,) = against(kept(frame, tmp_path / "kept.json", **asked), frame, column="q", ratio=ratio, **asked)
    w = frame.w.to_numpy() if weight else np.ones(len(frame))
    before, now = ((frame[name] - frame.y).to_numpy() ** 2 for name in ("p", "q"))

    def moves(loss):
        mean = (w * loss).sum() / w.sum()
        if reduction == "sum":
            return (w * loss).sum(), w * loss - (w * loss).mean()
        slope = 1.0 if reduction == "mean" else 0.5 / math.sqrt(mean)
        return (mean if reduction == "mean" else math.sqrt(mean)), slope * w * (loss - mean) / w.sum()

    (first, u), (second, v) = moves(before), moves(now)
    sums = pd.Series(v - ratio * u).groupby([bucket_of(str(word)) for word in frame[cluster]]).sum()
    count = len(sums)
    assert one.estimate.value == pytest.approx(second - ratio * first, rel=1e-12)
    assert one.estimate.standard_error == pytest.approx(math.sqrt(count / (count - 1) * (sums**2).sum()), rel=1e-9)
    assert (one.estimate.clusters, one.estimate.freedom, one.moved, one.certain) == (count, count - 1, 0, False)


def test_hashes_are_those_of_the_definition_in_every_type_and_format():
    def buckets(column):
        hashes, index = coded(column, "id")
        return (hashes[index] >> np.uint64(54)).tolist()

    words = ["", "a", "row 17", "Ωß", "x" * 300, "7"]
    assert buckets(pa.array(words)) == [bucket_of(word) for word in words]
    numbers = pa.array([7, -3, 7])
    for column in (
        numbers,
        numbers.cast(pa.string()),
        numbers.dictionary_encode(),
        numbers.cast(pa.uint64(), safe=False)[:1],
    ):
        assert buckets(column)[0] == bucket_of("7")


def test_the_same_rows_in_another_order_and_format_differ_by_nothing(tmp_path):
    frame = rows(2000)
    asked = {"loss": "mse,mae,rmse", "by": ("g",), "weight": "w"}
    baseline = kept(frame, tmp_path / "kept.json", **asked)
    frame.sample(frac=1.0, random_state=1).to_parquet(tmp_path / "later.parquet", row_group_size=300)
    found = [*against(baseline, str(tmp_path / "later.parquet"), **asked)]
    assert len(found) == 9
    assert all(one.certain and (one.estimate.value, one.estimate.standard_error) == (0.0, 0.0) for one in found)


SPELLED = [
    (["0", "1", "2.5", "-3"], ["0.0", "1.0", "2.50", "-3.0"], True),
    (["10", "20", "30", "1000"], ["1e1", "2E1", "30.", "1e3"], True),
    (["0", "7", "8", "9"], ["0", "007", "8", "9"], False),
    (["a", "7", "8", "9"], ["a", "7.0", "8.0", "9.0"], True),
    ([str(2**53), "7", "8", "9"], [f"{2**53}.0", "7", "8", "9"], False),
]


@pytest.mark.parametrize(("ids", "others", "same"), SPELLED)
@pytest.mark.parametrize("cluster", ["id", "user"])
def test_ids_are_the_same_rows_as_they_are_to_a_join(ids, others, same, cluster):
    rows = {"y": [0.0, 1.0, 2.0, 3.0], "p": [0.5, 1.5, 2.0, 3.5], "user": ids}
    asked = {"cluster": (cluster,)}
    baseline = kept(pa.table({**rows, "id": ids}), **asked)
    (one,) = against(baseline, pa.table({**rows, "id": others, "user": others}), **asked)
    assert (one.certain and not one.moved) is same
    if {*ids, *others}.isdisjoint({"a"}):  # of words that are not all numbers a join matches those that are the same
        sides = [pa.table({**rows, "id": column}) for column in (ids, others)]
        try:
            matched = lossctl.compare(sides[0], "mse", others=sides[1], ids="id", label="y", prediction="p").results
        except lossctl.DataError:
            matched = ()
        assert bool(matched) is same


CHANGES = {
    "rows less": lambda frame, k: frame.iloc[k:],
    "rows more": lambda frame, k: pd.concat([frame, frame.iloc[:k].assign(id=[f"new {n}" for n in range(k)])]),
    "rows twice": lambda frame, k: pd.concat([frame, frame.iloc[:k]]),
    "other rows": lambda frame, k: frame.assign(id=frame.id.where(frame.index >= k, "other " + frame.id)),
    "other labels": lambda frame, k: frame.assign(y=frame.y.where(frame.index >= k, frame.p + 9.0)),
    "other weights": lambda frame, k: frame.assign(w=frame.w.where(frame.index >= k, frame.w * 3.0)),
}
"""What may happen to the first k rows between two runs."""


def by_bucket(frame, column, chosen=None, power=2):
    """Σw, Σwℓ and n by bucket, of the rows whose ids are chosen, ℓ being a power of the error."""
    part = frame if chosen is None else frame[frame.id.isin(chosen)]
    w, loss = part.w.to_numpy(), (part[column] - part.y).abs().to_numpy() ** power
    return pd.DataFrame({"w": w, "wl": w * loss, "n": 1.0}).groupby([*map(bucket_of, part.id)]).sum()


def paired(before, now):
    """The difference of two means of the same rows, its standard error and degrees of freedom, of sums by bucket."""
    means = [part.wl.sum() / part.w.sum() for part in (before, now)]
    u, v = ((part.wl - mean * part.w) / part.w.sum() for part, mean in zip((before, now), means, strict=True))
    return means[1] - means[0], math.sqrt(len(u) / (len(u) - 1) * ((v - u) ** 2).sum()), len(u) - 1


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("moved", [1, 40])
def test_where_rows_moved_the_others_are_in_pairs(change, moved):
    frame = rows(1500)
    later = CHANGES[change](frame, moved)
    (one,) = against(kept(frame, weight="w"), later, column="q", weight="w")
    buckets = {bucket_of(word) for word in {*frame.id[:moved]} | ({*later.id} - {*frame.id})}
    if change == "rows more":
        buckets = {bucket_of(word) for word in {*later.id} - {*frame.id}}
    before, now = (by_bucket(*run).drop(index=[*buckets], errors="ignore") for run in ((frame, "p"), (later, "q")))
    value, error, freedom = paired(before, now)
    assert one.moved == len(buckets)
    assert one.share == pytest.approx(before.n.sum() / max(len(frame), len(later)), rel=1e-12)
    assert (one.estimate.value, one.estimate.standard_error) == pytest.approx((value, error), rel=1e-9)
    assert (one.estimate.freedom, one.estimate.n) == (freedom, before.n.sum())


def test_where_most_rows_moved_both_values_are_of_all_and_buckets_move_them_alike():
    frame, later = rows(3000), CHANGES["other rows"](rows(3000), 2000)
    (one,) = against(kept(frame, weight="w"), later, column="q", weight="w")
    before, now = by_bucket(frame, "p"), by_bucket(later, "q")
    keys = before.index.union(now.index)
    value, error, _ = paired(*(part.reindex(keys, fill_value=0.0) for part in (before, now)))
    assert (one.share, one.certain) == (0.0, False)
    assert (one.estimate.value, one.estimate.standard_error) == pytest.approx((value, error), rel=1e-9)


@pytest.mark.parametrize("reduction", ["sum", "root-mean"])
def test_what_a_sum_grew_by_is_meant_of_all_rows_that_may_be_the_same(reduction):
    frame = rows(1500)
    (one,) = against(kept(frame, reduction=reduction), frame.iloc[40:], column="q", reduction=reduction)
    (whole,) = against(kept(frame.iloc[40:], reduction=reduction), frame.iloc[40:], column="q", reduction=reduction)
    assert one.share < 1.0
    assert one.estimate.value == pytest.approx(whole.estimate.value, rel=0.1)
    assert one.estimate.value == pytest.approx(one.now - one.before, rel=1e-9)


@pytest.mark.parametrize("change", CHANGES)
def test_what_fails_on_the_rows_that_are_the_same_never_passes_for_rows_that_moved(tmp_path, change):
    states = []
    for seed, (moved, worse) in enumerate([(1, -0.05), (1, 0.1), (60, -0.08), (60, 0.03), (400, -0.1)]):
        frame = rows(900, seed)
        frame["q"] = frame.p + (frame.p - frame.y) * (worse + np.random.default_rng(seed).uniform(-0.5, 0.5, 900))
        later = CHANGES[change](frame, moved).drop(columns="p")
        kept(frame, tmp_path / "kept.json", loss="mae", weight="w")
        gate = {"loss": "mae", "max_increase": 0.0, "baseline": str(tmp_path / "kept.json")}
        gates = [{**gate, "name": "proven"}, {**gate, "name": "point", "fail_if": "point"}]
        asked = {"label": "y", "prediction": "q", "weight": "w", "ids": "id"}
        checked = lossctl.check_gates(gates, later, **asked)
        verdicts = checked.verdicts
        for verdict, outcome in zip(verdicts, checked.outcomes, strict=True):
            count = verdict.measured.estimate.clusters
            assert (outcome.properties["buckets"], "clusters" in outcome.properties) == (count, False)
            assert (f"{len(later):,} rows, {len(frame)} in the baseline" in outcome.words) == (len(later) != len(frame))
            part, n = verdict.measured.share, verdict.measured.estimate.n
            assert (f"compared on {n:,}, in the {count} of " in outcome.words) == (0 < part < 1)
            assert ("all rows are compared, unpaired" in outcome.words) == (part == 0)
        common = {*frame.id[moved:]}
        value, error, freedom = paired(by_bucket(frame, "p", common, 1), by_bucket(later, "q", common, 1))
        bounds = value - quantile(0.9, freedom) * error, value
        assert all(one.state != "pass" or bound <= 0.0 for one, bound in zip(verdicts, bounds, strict=True))
        states += [one.state for one in verdicts]
    assert {"pass", "fail"} <= {*states}, states


GROUPS = st.lists(
    st.sets(st.sampled_from([("a", 1), ("a", 2), ("b", 1), ("c", None)]), min_size=1), min_size=2, max_size=2
)


@example([{("a", 1), ("c", None)}, {("a", 1)}], {})
@given(GROUPS, st.sampled_from([{}, {"g": "a"}, {"g": "a", "h": "1"}]))
@settings(max_examples=5)
def test_a_group_that_the_baseline_alone_has_or_the_run_alone_is_an_error_that_names_it(tmp_path_factory, drawn, only):
    path = tmp_path_factory.mktemp("kept") / "kept.json"
    before, now = (
        pd.DataFrame([(f"{g}{h}{n}", g, h, n % 2, 0.5) for g, h in sorted(groups, key=str) for n in range(3)])
        .set_axis(["id", "g", "h", "y", "p"], axis=1)
        .astype({"h": "Int64"})
        for groups in drawn
    )
    kept(before, path, loss="mse", prediction=("p",), by=("g", "h"))
    gate = {"name": "it", "loss": "mse", "max_increase": 0.5, "baseline": str(path), "only": only, "by": ["g", "h"]}
    checked = lossctl.check_gates(gate, now, label="y", prediction="p")
    asked = [
        {(g, "null" if h is None else str(h)) for g, h in groups if only.items() <= {"g": g, "h": str(h)}.items()}
        for groups in drawn
    ]
    passed = {
        tuple("null" if word is None else word for word in one.measured.group.values())
        for one in checked.verdicts
        if one.state == "pass"
    }
    assert passed == asked[0] & asked[1]
    reasons = " ".join(one.reason for one in checked.verdicts if one.state == "error")
    assert checked.exit_code == (3 if asked[0] ^ asked[1] or not asked[1] else 0)
    for g, h in (asked[0] ^ asked[1]) if asked[1] else ():
        assert re.search(f"g={g}.* h={h}", reasons)
    if asked[1] and asked[0] - asked[1]:
        assert f"{len(asked[0] - asked[1])} group" in reasons


@pytest.mark.parametrize(
    ("now", "word"),
    [
        ({"nulls": "drop"}, "nulls"),
        ({"label": ("q",)}, "label"),
        ({"weight": "w"}, "weight"),
        ({"cluster": ("user",)}, "cluster"),
    ],
)
def test_what_is_not_comparable_is_refused_by_name(now, word):
    frame = rows(50)
    with pytest.raises(DataError, match=word):
        [*against(kept(frame), frame, **now)]


def test_a_baseline_needs_ids_and_a_finite_value():
    frame = rows(20)
    with pytest.raises(UsageError, match="ids"):
        measure_baseline(run(frame, ids=(), cluster=())[0], Running("serial"))
    with pytest.raises(DataError, match="inf"):
        kept(frame.assign(p=np.where(frame.index == 3, np.inf, frame.p)), loss="mae")


@pytest.mark.parametrize("weight", [0, -1000, 980, 1015])
@pytest.mark.parametrize("scale", [0, -600, -530, -300, 300, 505, 511, 600])
@pytest.mark.parametrize("loss", ["mse", "rmse", "mae"])
def test_what_is_kept_at_the_ends_of_the_doubles_is_as_sure_as_it_was_or_refused(tmp_path, loss, scale, weight):
    """Labels, predictions and weights times powers of two change nothing but these of a baseline."""
    frame, by = rows(200), 2 * scale if loss == "mse" else scale
    usual = kept(frame, loss=loss, weight="w").results[0].estimate
    scaled = {name: np.ldexp(frame[name], scale) for name in "yp"} | {"w": np.ldexp(frame.w, weight)}
    try:
        found = kept(frame.assign(**scaled), tmp_path / "main.json", loss=loss, weight="w").results[0].estimate
    except DataError as error:
        refused = str(error)
    else:
        for name in ("value", "standard_error"):
            expected = np.ldexp(getattr(usual, name), by)
            assert getattr(found, name) == pytest.approx(expected, rel=1e-5, abs=1e-323)
        return
    assert (scale, weight) != (0, 0)
    assert re.search("it is inf|too large or too small for doubles", refused)


@pytest.mark.parametrize("off", [1e-154, 1e-156, 3e-158])
def test_a_row_that_is_off_by_next_to_nothing_is_no_reason_to_refuse_the_others(off):
    frame = rows(300)
    exact = frame.assign(p=frame.y)
    assert kept(exact.assign(y=0.0, p=np.where(frame.index == 3, off, 0.0)), loss="mse").results
    assert kept(exact.assign(y=0.0, p=0.0), loss="mse").results


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_an_error_that_names_it(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("kept") / "kept.json"
    record = json.loads(kept(rows(30)).to_json())
    target = record
    while isinstance(target, dict | list) and target:
        keys = [*target] if isinstance(target, dict) else [*range(len(target))]
        key = data.draw(st.sampled_from(keys))
        if not isinstance(target[key], dict | list) or data.draw(st.booleans()):
            target[key] = data.draw(st.sampled_from([None, -1, 2.5, "x", [], {}, "zzp-3", 10**400, True]))
            break
        target = target[key]
    path.write_text(json.dumps(record))
    try:
        versioned(load(str(path)).document().record())  # which may be of other types than any schema allows
    except LossctlError as wrong:
        error = wrong
    else:
        return  # what was changed is told of no row
    assert str(path) in str(error)


def test_a_file_of_which_no_row_is_left_is_an_error(lossctl, tmp_path):
    (tmp_path / "p.csv").write_text("id,y,p\n1,1,\n2,,1\n")
    asked = ("-l", "mse", "--id", "id", "--nulls", "drop", "-o", tmp_path / "main.json")
    done = lossctl("baseline", "save", tmp_path / "p.csv", "-y", "y", "-p", "p", *asked)
    assert done.status == 3
    assert "none of the 2 rows can be measured" in done.err


@pytest.mark.parametrize("name", ["loss", "n", "nonfinite"])
def test_a_group_is_in_a_row_beside_what_else_is_called_so(name):
    frame = rows(20).rename(columns={"g": name})
    _, scores, report = run(frame, by=(name,))
    lines = baseline_of(scores, report).document().lines()
    assert {line["loss"] for line in lines} == {"mse"}
    grouped = [line for line in lines if f"by_{name}" in line]
    assert {line[f"by_{name}"] for line in grouped} == {"a", "b"}
    assert sum(line["n"] for line in grouped) == 20


def test_save_and_show(lossctl, tmp_path):
    rows(200).to_csv(tmp_path / "preds.csv", index=False)
    asked = [
        "baseline",
        "save",
        tmp_path / "preds.csv",
        "-y",
        "y",
        "-p",
        "p",
        "-l",
        "mse,mae",
        "--id",
        "id",
        "--by",
        "g",
    ]
    done = lossctl(*asked, "-o", tmp_path / "main.json", "-q")
    assert done.status == 0, done.err
    assert lossctl("baseline", "show", tmp_path / "main.json").out == done.out
    assert lossctl(*asked, "-qq").status == 2
    assert lossctl("baseline", "show", tmp_path / "preds.csv").status == 3
    assert lossctl("baseline", "show", tmp_path / "main.json", "-l", "mse").status == 2
    assert (tmp_path / "main.json").stat().st_size < 120_000
