"""A parameter without a default must be said; what shows or proves a loss has an example of it."""

import json
from typing import Annotated

import pytest

import lossctl
from lossctl.checks.contract import check_loss, sampled_loss
from lossctl.domain import NONZERO, POSITIVE, PROBABILITY, Interval, Listed, Outside, Words
from lossctl.errors import UsageError
from lossctl.functions.lookup import example_of, meant
from lossctl.functions.loss import losses
from lossctl.functions.parameter import Parameter, parameters_of

TABLE = {"y": [1.0, 4.0], "p": [2.0, 4.0]}
REQUIRED = [loss.name for loss in losses if any(parameter.required for parameter in loss.parameters)]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_loss_that_must_be_told_something_says_what_and_how(name):
    for ask in (lossctl.get_loss, lambda name: lossctl.evaluate(TABLE, name, label="y", prediction="p")):
        with pytest.raises(UsageError, match=f"^{name} needs ") as told:
            ask(name)
        for parameter in losses.get(name).parameters:
            if parameter.required:
                assert f"{name}:{parameter.name}=" in told.value.hint
                assert parameter.describe() in told.value.hint


@pytest.mark.parametrize("name", REQUIRED)
def test_an_example_stands_for_what_must_be_said(name):
    bound = example_of(name)
    assert check_loss(bound) == check_loss(sampled_loss(bound.definition, 3)) == []
    assert lossctl.get_loss(str(bound)) == bound
    facts = lossctl.explain(name).to_dict()
    assert [each["name"] for each in facts["parameters"] if each["required"]]
    assert all(each["meaning"] for each in facts["parameters"] if each["required"])
    assert json.loads(json.dumps(facts))["spec"] == str(bound)


def test_what_is_given_is_no_example():
    assert example_of("mase:scale=2") == lossctl.get_loss("mase:scale=2")
    with pytest.raises(UsageError, match="must be a finite number > 0"):
        example_of("mase:scale=0")


@pytest.mark.parametrize(
    "domain",
    [
        *(POSITIVE, NONZERO, PROBABILITY, Interval(3.0, 4.0, low_open=True), Interval(high=-2.0), Interval(low=7.0)),
        *(Outside(hole=(0.0, 1.0)), Outside(hole=(0.0, 5.0)), Words(("mean", "range")), Listed(PROBABILITY), None),
    ],
)
def test_every_kind_of_parameter_has_a_legal_example(domain):
    parameter = Parameter("size", None, domain, required=True)
    assert parameter.check(parameter.example) == parameter.example


def test_a_parameter_is_required_where_it_has_no_default_and_its_text_says_what_it_is():
    def kernel(label, prediction, *, width: Annotated[float, POSITIVE, "the width of a door"], height: bool = True): ...

    width, height = parameters_of(kernel)
    assert (width.required, width.meaning, height.required, height.meaning) == (True, "the width of a door", False, "")


def test_results_of_such_a_loss_are_found_by_its_bare_name():
    report = lossctl.evaluate(TABLE, ["mase:scale=2", "mae"], label="y", prediction="p")
    assert report["mase"].value == report["mase:scale=2"].value == 0.25
    assert meant("mase", ["mae", "mase:scale=2.0", "mase:scale=3.0"]) == ["mase:scale=2.0", "mase:scale=3.0"]
    assert meant("mase:scale=3", ["mae", "mase:scale=2.0", "mase:scale=3.0"]) == ["mase:scale=3.0"]


def test_the_commands_show_prove_complete_and_gate_it(lossctl, tmp_path):
    (tmp_path / "m.csv").write_text("y,p\n1,2\n4,4\n")
    explained = lossctl("explain", "mase")
    assert "scale = 1.0  (must be given)" in explained.out
    assert lossctl("gradcheck", "mase").status == 0
    refused = lossctl("eval", tmp_path / "m.csv", "-l", "mase")
    assert (refused.status, refused.out) == (2, "")
    assert "--loss mase:scale=1.0" in refused.err
    gated = lossctl("eval", tmp_path / "m.csv", "-l", "mase:scale=2", "--fail-above", "mase=0.1")
    assert gated.status == 1
