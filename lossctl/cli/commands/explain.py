"""``lossctl explain``: what a loss or an activation is, on one screen."""

from typing import Annotated

import typer

from lossctl.cli.command import Without, command, is_typed
from lossctl.cli.completers import complete_names
from lossctl.cli.options import KindOf, Output
from lossctl.errors import UsageError

PAIRINGS = "pairings"


def complete(incomplete: str) -> list[tuple[str, str]]:
    """Everything that can be explained, for shell completion."""
    pairings = [(PAIRINGS, "Which output activation goes with which loss.")]
    return [*complete_names(incomplete), *(it for it in pairings if it[0].startswith(incomplete))]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="A loss or an activation, such as huber:delta=0.5, or pairings; left out, the list of all.",
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
    elsewhere, and its curve. Without a name, lists all there are; with pairings, which output activation goes with
    which loss.
    """
    from lossctl.cli.output import show
    from lossctl.functions.explanation import Explanation, find
    from lossctl.functions.tables import explained, listed, paired
    from lossctl.words import normal

    if kind is not None and is_typed("kind") and (name is None or normal(name) == PAIRINGS):
        raise UsageError("--kind is for the name of a loss or an activation", "Name one, or leave it out.")
    voice, style, renderer = output.voice, output.style, output.renderer("table")
    if name is None:
        show(listed(), renderer, style, voice)
        return
    if normal(name) == PAIRINGS:
        show(paired(), renderer, style, voice)
        return
    from lossctl.plots.curves import curve

    bound, note = find(name, None if kind is None else kind.value)
    if note:
        voice.note(note)
    show(explained(Explanation(bound), curve(bound)), renderer, style, voice)
