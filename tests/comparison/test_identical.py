"""Two files of the same predictions: nothing differs, whatever is asked of them, and no gate fails."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl as library

REALS = st.sampled_from([0.0, -0.0, 1.0, -2.5, 0.1, 1e-300, 1e160, -1e308])
SHARES = st.sampled_from([0.0, 1.0, 0.5, 0.1, 1e-300])
LOSSES = {
    "mse": REALS, "rmse": REALS, "mae": REALS, "huber": REALS, "log_cosh": REALS, "l2": REALS, "mape:zero=max1": REALS,
    "bce": SHARES, "bce:eps=0": SHARES, "focal": SHARES,
}  # fmt: skip
GATES = [
    {"max_increase": limit, "fail_if": how, "pass_if": passing, "on_inconclusive": "warn"}
    for limit in (0.0, "0%", "1%", 0.5)
    for how in ("proven", "point")
    for passing in ("not failed", "proven")
]


@st.composite
def asked(draw):
    """Rows, and what is asked of them."""
    loss = draw(st.sampled_from([*LOSSES]))
    n = draw(st.integers(1, 7))

    def column(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    label = st.sampled_from([0.0, 1.0]) if LOSSES[loss] is SHARES else REALS
    rows = {"id": [*range(n)], "y": column(label), "p": column(LOSSES[loss])}
    how = {"loss": loss, "label": "y"}
    if draw(st.booleans()):
        rows["w"], how["weight"] = column(st.sampled_from([0.0, 1.0, 0.1, 1e300])), "w"
        rows["w"][0] = 1.0
    if draw(st.booleans()):
        rows["g"], how["by"] = column(st.sampled_from("ab")), "g"
    if draw(st.booleans()):
        rows["user"], how["cluster"] = column(st.integers(0, 2)), "user"
    if draw(st.booleans()):
        rows["p"] = [rows["p"][0], *column(st.none() | LOSSES[loss])[1:]]
        how["nulls"] = "drop"
    how["reduction"] = draw(st.sampled_from([None, "sum", "mean", "root-mean"]))
    return pa.table(rows), {name: value for name, value in how.items() if value is not None}


@settings(max_examples=40, deadline=None)
@given(
    asked=asked(),
    join=st.sampled_from(["strict", "inner", "order"]),
    turn=st.randoms(use_true_random=False),
    more=st.sampled_from([{}, {"anytime": True}, {"samples": 2}]),
)
def test_files_of_the_same_predictions_differ_by_nothing(asked, join, turn, more):
    table, how = asked
    order = turn.sample(range(table.num_rows), table.num_rows) if join != "order" else range(table.num_rows)
    other = table.select(["id", "p", "y"]).take([*order])
    ids = [] if join == "order" else "id"
    comparison = library.compare(table, **how, others=other, prediction="p", ids=ids, join=join, **more)
    for one in (*comparison.results, *comparison.overall):
        if one.n:
            assert (one.difference, one.relative, one.standard_error) == (0.0, 0.0, 0.0)
            assert (one.ci_low, one.ci_high, one.tied, one.better, one.worse) == (0.0, 0.0, 1.0, 0.0, 0.0)
            assert (one.verdict, one.doubt, one.samples) == ("no evidence", "", ())
    assert all(
        "are the same on" in said and "row by row" in said for said in comparison.sentences if "n = 0" not in said
    )
    assert not any("not trusted" in warning for warning in comparison.warnings if "g=" not in warning)


@settings(max_examples=25, deadline=None)
@given(asked=asked())
def test_no_gate_fails_of_the_same_predictions(asked):
    table, how = asked
    table = table.append_column("q", table["p"])
    gates = [{**gate, "name": f"gate {place}", "baseline": "p"} for place, gate in enumerate(GATES)]
    verdicts = library.check_gates(gates, table, **how, prediction=["p", "q"])
    assert [verdict.state for verdict in verdicts.verdicts if verdict.state == "fail"] == []


def test_losses_that_are_infinite_in_both_are_the_same():
    rows = {"y": [1.0, 1.0, 0.0, 1.0], "p": [0.0, 0.0, 0.5, 0.0], "g": ["a", "a", "b", "b"]}
    comparison = library.compare({**rows, "q": rows["p"]}, "bce:eps=0", label="y", prediction=["p", "q"], by="g")
    assert [(one.difference, one.verdict) for one in comparison.results] == [(0.0, "no evidence")] * 2
    other = library.compare({**rows, "q": [0.0, 0.5, 0.5, 0.0]}, "bce:eps=0", label="y", prediction=["p", "q"], by="g")
    assert [one.verdict for one in other.results] == ["not trusted", "no evidence"]
