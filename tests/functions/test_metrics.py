"""What is looked for among the losses and is none is named for what it is, with a way on that works."""

import pytest

from lossctl.errors import UsageError
from lossctl.functions.bound_loss import get_loss
from lossctl.functions.explanation import explain
from lossctl.functions.loss import losses
from lossctl.functions.metrics import METRICS
from lossctl.words import normal

ASKED_FOR = "r2 R² auc accuracy f1 precision recall ece brier mcc perplexity spearman map ndcg".split()


@pytest.mark.parametrize("name", ASKED_FOR)
def test_a_metric_that_is_no_loss_is_named_for_what_it_is(name):
    what, way = METRICS[normal(name)]
    for ask in (get_loss, explain):
        with pytest.raises(UsageError) as told:
            ask(name)
        assert told.value.parts == (f"{name} {what}", way)


def test_no_metric_hides_a_loss():
    assert [name for name in METRICS if name in losses] == []


def test_every_way_on_is_said_in_a_sentence():
    for what, way in METRICS.values():
        assert not what.endswith(".")
        assert way.endswith(".")


def test_a_near_name_of_a_metric_is_suggested():
    with pytest.raises(UsageError, match="Did you mean accuracy"):
        get_loss("acuracy")


def test_the_command_line_says_the_way_in_its_flags(lossctl, sample_data):
    done = lossctl("eval", sample_data / "regression.csv", "-l", "r2")
    assert done.status == 2
    assert "Say --loss mse --skill." in done.err
    assert lossctl("eval", sample_data / "regression.csv", "--loss", "mse", "--skill").status == 0
