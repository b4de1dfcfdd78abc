"""Scores that are the confidence in a decision beside them, as text classification pipelines write: label and score."""

from typing import TYPE_CHECKING

from lossctl.errors import Undecided, option
from lossctl.inference.choice import Proposal
from lossctl.inference.names import LABELS, is_guess, plain_name

if TYPE_CHECKING:
    from lossctl.inference.candidates import Candidate
    from lossctl.inference.side import Side

SCORES = frozenset({"score", "confidence", "conf", "prob", "proba", "probability", "certainty"})
"""What such scores are called."""
ROUNDING = 1e-6
"""What the largest of the probabilities of k classes may miss 1/k by."""


def ensure_no_confidence(side: "Side", proposals: list[Proposal]) -> None:
    """Check that a score beside two columns of the same words is not the confidence in those of one of them.

    It is where it is never below that of a guess, and tells no word from another.

    Args:
        side: the columns.
        proposals: what is proposed, likeliest first.

    Raises:
        Undecided: it is; with what to do.
    """
    score = proposals[0].prediction.columns[0] if proposals else ""
    words = [column.name for column in side.free if column.kind == "text"]
    called = [name for name in words if plain_name(name) == "label"]
    if plain_name(score) not in SCORES or len(proposals[0].prediction.columns) > 1 or not called or len(words) < 2:
        return
    decision, numbers = side.look.candidate(called[0]), side.look.candidate(score)
    if decision is None or numbers is None or len(decision.classes) < 2 or not numbers.content.numbers.n:
        return
    truths = [each for each in map(side.look.candidate, words) if each is not None and each.name != decision.name]
    truths = [each for each in truths if _same(each, decision) and not is_guess(each.name)]
    values, k = numbers.content.numbers, len(decision.classes)
    if not truths or values.low < 1 / k - ROUNDING or values.high > 1 or side.look.tells(score, decision.name):
        return
    truth = min(truths, key=lambda each: not any(plain_name(each.name) in names for names in LABELS))
    what = f"{score!r} looks like the confidence in {decision.name!r}, a decision, and {truth.name!r} like the label"
    listed = sorted(map(str, decision.content.words.counts or ()))
    if k > 2:
        hint = f"Losses of {k} classes need a probability of each: have the pipeline write all of them (top_k=None)."
    else:
        classes = option(classes=",".join(listed))
        flags = f"{option(label=truth.name)} {option(prediction='p')} {option(loss='bce')} {classes}"
        hint = (
            f"Add a column p, {score!r} where {decision.name!r} is {listed[1]!r} and 1 − {score!r} elsewhere, "
            f"and say {flags}."
        )
    raise Undecided(what, hint)


def _same(column: "Candidate", other: "Candidate") -> bool:
    """Whether two columns of words have the same classes, or one those of the other but for some."""
    return len(column.classes) > 1 and (column.classes <= other.classes or column.classes >= other.classes)
