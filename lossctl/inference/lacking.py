"""Columns of 0 and 1, a label each, of which some have a prediction by their names, and others have none."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lossctl.errors import Undecided, option
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings, of_each_column
from lossctl.inference.choice import BY_NAME, Choice, Proposal
from lossctl.inference.classes import SHOWN, class_names
from lossctl.inference.names import is_figure_of_training, is_key, is_thing, plain_name
from lossctl.inference.proposals import Proposer
from lossctl.inference.request import Settings

Ways = Callable[[Proposal], Iterator[Settings]]
"""How to ask for what is proposed."""


def lacking_predictions(proposer: Proposer, ways: Ways) -> Undecided | None:
    """The question for labels beside each other that have not all a prediction; ``None`` where there are none.

    Args:
        proposer: knows the columns; nobody named a label.
        ways: how to ask for a proposal with the loss that fits.
    """
    labels = [column.name for column in proposer.truths.bits]
    decided = {column.name for column in proposer.guesses.bits}
    free = [column.name for column in proposer.guesses.free if column.kind == "number"]
    names = [name for name in proposer.named_prediction or free if name not in decided]
    if proposer.named_label or len(labels) < 3:
        return None
    predicted = _predicted(labels, names)
    without = [name for name in labels if name not in predicted]
    if not without or len(predicted) < 2:
        return None
    many = len(without) > 1
    listed = ", ".join(map(repr, without[:SHOWN])) + (", …" if len(without) > SHOWN else "")
    subject = f"labels {listed} have" if many else f"label {listed} has"
    what = f"{subject} no prediction, the other {len(predicted)} have"
    if proposer.truths.look.sum_to_one(labels):
        what = f"{what}; rows of all {len(labels)} sum to 1, as classes do, of which each needs one"
        return Undecided(what, f"Name the columns of all: {option(label='A,B,C')} {option(prediction='A,B,C')}.")
    label = Choice((proposer.truths.pattern(tuple(predicted)),), tuple(predicted), BY_NAME, sure=False)
    columns = tuple(predicted.values())
    prediction = Choice((proposer.guesses.pattern(columns),), columns, BY_NAME, sure=False)
    options = ways(Proposal(label, prediction))
    asked = split_specs(proposer.request.loss) if proposer.request.loss else ()
    named = [*map(_of_bits, asked)]
    if named and None not in named:
        loss: Settings = () if named == [*asked] else (("loss", ",".join(map(str, named))),)
        options = ((*(setting for setting in way if setting[0] != "loss"), *loss) for way in options)
    hint = f"Say which belong together: {option(label=','.join(predicted))} {option(prediction=','.join(columns))}."
    return Undecided(what, hint, tuple(options))


def log_of_training(proposer: Proposer) -> Undecided | None:
    """What is said of a file whose numbers are all figures of a training, step by step; ``None`` of others."""
    numbers = [column.name for column in proposer.guesses.free if column.kind == "number"]
    figures = [name for name in numbers if is_figure_of_training(name)]
    others = [name for name in numbers if name not in figures and not (is_thing(name) or is_key(name))]
    if others or proposer.apart or not any("loss" in plain_name(name) for name in figures):
        return None
    listed = ", ".join(map(repr, figures[:SHOWN])) + (", …" if len(figures) > SHOWN else "")
    what = f"{listed} {'are' if figures[1:] else 'is'} of a training, step by step: no predictions are there"
    return Undecided(what, "A loss is measured of a label and what was predicted for it, a row each: write those.")


def left_out(proposer: Proposer, chosen: Proposal) -> tuple[str, ...]:
    """What to say of labels that are named like those chosen, and have no prediction."""
    labels = [column.name for column in proposer.truths.bits if column.name not in chosen.prediction.columns]
    if proposer.named_label or len(chosen.label.columns) < 2 or not {*chosen.label.columns} < {*labels}:
        return ()
    if _predicted(labels, chosen.prediction.columns).keys() != {*chosen.label.columns}:
        return ()
    without = [repr(name) for name in labels if name not in chosen.label.columns]
    return (f"no prediction for {', '.join(without[:SHOWN])}{', …' if len(without) > SHOWN else ''}",)


def _of_bits(spec: str) -> str | None:
    """How to name a loss that is to take each of several columns by itself; ``None`` where it takes no 0 and 1."""
    if _takes_bits(spec):
        return spec
    rows = next((bound for bound in meanings(spec) if bound.rows), None)
    return None if rows is None else of_each_column(rows)


def _takes_bits(spec: str) -> bool:
    """Whether a loss takes 0 and 1 as labels, and as predictions, each by itself."""
    ends = np.array([0.0, 1.0])
    return all(
        not (bound.rows or bound.parts or bound.unlabelled)
        and bound.label_domain.illegal(ends) is None
        and bound.prediction_domain.illegal(ends) is None
        for bound in meanings(spec)
    )


def _predicted(labels: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The column of each label that has one, those that are named alike but for the label, of the most labels."""
    frames: dict[tuple[str, str], dict[str, str]] = {}
    for rests in class_names(labels):
        for label, rest in zip(labels, rests, strict=True):
            for name in names:
                front, word, behind = name.partition(rest)
                if word and not front[-1:].isalnum() and not behind[:1].isalnum():
                    frames.setdefault((front, behind), {}).setdefault(label, name)
    return max(frames.values(), key=len, default={})
