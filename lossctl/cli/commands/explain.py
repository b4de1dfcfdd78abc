"""``lossctl explain``: what a loss or an activation is, on one screen."""

from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import Without, command, is_typed, refuse_given
from lossctl.cli.completers import complete_names
from lossctl.cli.options import KindOf
from lossctl.cli.output_options import Output
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.document import Document
    from lossctl.functions.activation import BoundActivation
    from lossctl.functions.bound_loss import BoundLoss
    from lossctl.functions.explanation import Explanation

PAIRINGS, STATISTICS = "pairings", "statistics"
TITLES = {
    PAIRINGS: "Which output activation goes with which loss.",
    STATISTICS: "What standard errors, intervals, comparisons and gates say.",
}
"""What else there is to explain."""


def complete(incomplete: str) -> list[tuple[str, str]]:
    """Everything that can be explained, for shell completion."""
    return [*complete_names(incomplete), *(title for title in TITLES.items() if title[0].startswith(incomplete))]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="A loss or an activation, such as huber:delta=0.5, a family of them, pairings, or statistics; left out, "
        "the list of all.",
        autocompletion=complete,
        show_default=False,
    ),
]


@command("explain", "lossctl explain huber:delta=0.5")
def explain(
    *,
    name: Name = None,
    kind: KindOf = None,
    output: Annotated[Output, Without("output", "precision", "no_progress")],
) -> None:
    """Explain a loss or an activation.

    Shows its formula, gradient, domains and parameters, when to use it and when not, what it goes with, its names
    elsewhere, and its curve. Without a name, lists all there are; with the name of a family, a line on each of it; with
    pairings, which output activation goes with which loss; with statistics, what the numbers beside a loss say.
    """
    from lossctl.cli.output import show
    from lossctl.functions.explanation import family_of, find
    from lossctl.functions.tables import listed, paired
    from lossctl.words import normal

    if kind is not None and is_typed("kind") and (name is None or normal(name) in TITLES):
        raise UsageError("--kind is for the name of a loss or an activation", "Name one, or leave it out.")
    if name is not None and normal(name) == STATISTICS:
        from lossctl.cli.commands.help import page

        refuse_given(output, because="is for losses and activations, and statistics is a page", but=("color", "quiet"))
        page(output.voice, STATISTICS)
        return
    voice, style, renderer = output.voice, output.style, output.renderer("table")
    if name is None:
        show(listed(), renderer, style, voice)
        return
    family = family_of(name)
    if family is not None and kind is None:
        show(listed(family), renderer, style, voice)
        return
    if normal(name) == PAIRINGS:
        show(paired(), renderer, style, voice)
        return
    bound, note = find(name, None if kind is None else kind.value)
    if note:
        voice.note(note)
    show(screen(bound), renderer, style, voice)


def screen(bound: "BoundLoss | BoundActivation") -> "Document":
    """What is said of a loss or an activation."""
    from lossctl.functions.explanation import Explanation
    from lossctl.functions.tables import explained
    from lossctl.plots.curves import curve

    explanation = Explanation(bound)
    return explained(explanation, curve(bound), _example(explanation))


def _example(explanation: "Explanation") -> str:
    """A command line that gives the number of a library that makes another of the same rows."""
    setting = (one for one in explanation.agreements if one.settings and not one.differs)
    first = min(setting, key=lambda one: one.by_default, default=None)
    return "" if first is None else f"lossctl eval FILE -l {explanation.bound.name} --compat {first.peer}"
