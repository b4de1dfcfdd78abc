"""What is known of losses, activations and their pairings, each on one screen."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lossctl.document import Chart
from lossctl.functions.definition import Parameter, Value, spell
from lossctl.functions.explanation import KINDS, Explanation, families
from lossctl.functions.pairing import PAIRINGS, RISKS, Pairing, Risk
from lossctl.rendering.picture import draw
from lossctl.rendering.renderer import Style
from lossctl.rendering.terminal import drawn, prose

LINES = 50
"""How many lines a screen has."""
HEIGHTS = (12, 11, 10, 9)
"""How many lines a panel of a chart may have: the most that fit the screen, else the least that show a curve."""
Row = tuple[str, str | Text]


def explained(explanation: Explanation, chart: Chart, style: Style) -> str:
    """One loss or activation: its facts, then its curve."""
    title = Text.assemble(
        (str(explanation.bound), "bold"), (f"  {explanation.kind}, {explanation.definition.family}", "dim")
    )
    facts = drawn(style, title, prose(explanation.sections.summary), "", _grid(_facts(explanation)), "")
    room = LINES - facts.count("\n")
    pictures = (draw(chart, width=style.width, height=height, color=style.color) for height in HEIGHTS)
    picture = ""
    for picture in pictures:
        if picture.count("\n") <= room:
            break
    return facts + picture.rstrip("\n") + "\n"


def _grid(rows: Iterator[Row] | Sequence[Row]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, prose(text) if isinstance(text, str) else text)
    return grid


def _facts(it: Explanation) -> Iterator[Row]:
    facts, definition = it.sections, it.definition
    rows: list[Row] = [("formula", facts.formula), ("gradient" if it.kind == "loss" else "derivative", facts.gradient)]
    rows += [(role, words) for role, words in it.domains.items()]
    rows += [("parameter", _parameter(parameter, value)) for parameter, value in it.parameters]
    rows += [("reduction", it.reduction)] if it.reduction not in {None, "mean"} else []
    rows += [("from logits", f"{it.through[0]}")] if it.through else []
    rows += [("properties", facts.properties), ("use it", facts.use), ("avoid it", facts.avoid), ("note", facts.notes)]
    rows += [("goes with", _partners(definition.name, pairing)) for pairing in it.pairings]
    rows += [] if it.pairings else [("fits", ", ".join(it.legal))]
    rows += [("risk", _risk(definition.name, risk)) for risk in it.risks]
    rows += [("aliases", ", ".join(definition.aliases))]
    if it.otherwise is not None:
        columns, other, spellings = it.otherwise
        rows.append(("", f"with {columns}, {' and '.join(spellings)} mean{'s' * (len(spellings) == 1)} {other}"))
    rows += [("elsewhere", _peers(definition.peers)), ("reference", "; ".join(definition.references))]
    yield from (row for row in rows if row[1])


def _parameter(parameter: Parameter, value: Value) -> Text:
    words = f"  {parameter.describe()}"
    words += f"; default {spell(parameter.default)}" if value != parameter.default else " (the default)"
    return Text.assemble((f"{parameter.name} = {spell(value)}", "bold"), words)


def _partners(name: str, pairing: Pairing) -> Text:
    others = pairing.activations if name in pairing.losses else pairing.losses
    return Text.assemble((", ".join(others) or "any loss", "bold"), f"  {pairing.task}: {pairing.why}")


def _risk(name: str, risk: Risk) -> Text:
    after = name in risk.losses
    others = risk.activations if after else risk.losses
    return Text.assemble(("after " if after else "before ") + " or ".join(others), f": {risk.why}")


def _peers(peers: dict[str, str]) -> Text:
    found = Text()
    for at, (library, name) in enumerate(peers.items()):
        found.append("; " if at else "").append(library, style="bold").append(f" {name}")
    return found


def listed(style: Style) -> str:
    """Every loss and activation by family, one line each."""
    parts: list[Any] = []
    for kind in KINDS:
        for family, members in families(kind).items():
            parts.append(Text(f"{family} {'losses' if kind == 'loss' else 'activations'}", style="bold"))
            parts.append(Padding(_grid([(it.name, it.summary) for it in members]), (0, 0, 0, 2)))
    return drawn(style, *parts)


def paired(style: Style) -> str:
    """Which output activation goes with which loss, and which pairs to look out for."""
    good = [(it.task, _pair(it.activations, it.losses, it.why)) for it in PAIRINGS]
    bad = [("risky", _pair(it.activations, it.losses, it.why)) for it in RISKS]
    return drawn(style, Text("output activation → loss", style="bold"), _grid([*good, *bad]))


def _pair(activations: tuple[str, ...], losses: tuple[str, ...], why: str) -> Text:
    return Text.assemble((f"{', '.join(activations)} → {', '.join(losses) or 'any loss'}", "bold"), f"\n{why}")
