"""The documents of a loss or an activation, of the list of all, and of their pairings."""

from collections.abc import Iterator, Sequence
from typing import Any

from lossctl.document import Chart, Document, Facts, Line, Part, Phrase, Piece, Words, phrase, prose
from lossctl.functions.compat import Agreement
from lossctl.functions.explanation import KINDS, Explanation, catalogue, families, matches
from lossctl.functions.metrics import OUT_OF_REACH
from lossctl.functions.pairing import PAIRINGS, RISKS, Pairing, Risk
from lossctl.functions.parameter import Parameter, Value, spell
from lossctl.words import either

Row = tuple[str, Words]


def explained(explanation: Explanation, curve: Chart, example: str = "") -> Document:
    """One loss or activation: its facts, then its curve. A row is a fact.

    Args:
        explanation: what is known of it.
        curve: its chart.
        example: how to get the number of another library.
    """
    bound, family = explanation.bound, explanation.definition.family
    title = phrase(Piece(str(bound), "strong"), Piece(f"  {explanation.kind}, {family}", "faint"))
    summary = explanation.sections.summary
    facts = tuple(_facts(explanation, example))
    return Document(
        title=str(bound),
        sections=lambda: [(Line(title), Line(prose(summary))), (Facts(facts),), (curve,)],
        record=lambda: {**explanation.to_dict(), "curve": curve.to_dict()},
        rows=lambda: [
            {"name": str(bound), "fact": fact, "text": "".join(piece.text for piece in phrase(words))}
            for fact, words in (("summary", prose(summary)), *facts)
        ],
        schema="explain",
    )


def _facts(explanation: Explanation, example: str) -> Iterator[Row]:
    sections, definition = explanation.sections, explanation.definition
    slope = "gradient" if explanation.kind == "loss" else "derivative"
    rows: list[Row] = [("formula", prose(sections.formula)), (slope, prose(sections.gradient))]
    rows += explanation.domains.items()
    rows += [("parameter", _parameter(parameter, value)) for parameter, value in explanation.parameters]
    rows += [("reduction", explanation.reduction)] if explanation.reduction not in {None, "mean"} else []
    rows += [("from logits", explanation.through[0])] if explanation.through else []
    rows += [
        ("properties", prose(sections.properties)),
        ("use it", prose(sections.use)),
        ("avoid it", prose(sections.avoid)),
        ("note", prose(sections.notes)),
    ]
    rows += [("goes with", _partners(definition.name, pairing)) for pairing in explanation.pairings]
    rows += [] if explanation.pairings else [("fits", ", ".join(explanation.legal))]
    rows += [("risk", _risk(definition.name, risk)) for risk in explanation.risks]
    rows += [("aliases", ", ".join(definition.aliases))]
    if explanation.otherwise is not None:
        columns, loss, spellings = explanation.otherwise
        rows.append(("", f"with {columns}, {' and '.join(spellings)} mean{'s' * (len(spellings) == 1)} {loss}"))
    rows += [("elsewhere", _peers(definition.peers)), *_agreements(explanation.agreements, example)]
    rows += [("reference", prose("; ".join(definition.references)))]
    yield from ((name, words) for name, words in rows if any(piece.text for piece in phrase(words)))


def _parameter(parameter: Parameter, value: Value) -> Phrase:
    default = f"default {spell(parameter.default)}" if value != parameter.default else "the default"
    default = "must be given" if parameter.required else default
    legal = "; ".join(filter(None, (parameter.meaning, parameter.describe())))
    return phrase(Piece(f"{parameter.name} = {spell(value)}", "strong"), f"  ({default})  {legal}")


def _partners(name: str, pairing: Pairing) -> Phrase:
    partners = pairing.outputs if name in pairing.losses else ", ".join(pairing.losses)
    return phrase(Piece(partners or "any loss", "strong"), f"  {pairing.task}: {pairing.why}")


def _risk(name: str, risk: Risk) -> str:
    follows = name in risk.losses
    partners = risk.activations if follows else risk.losses
    return f"{'after' if follows else 'before'} {' or '.join(partners)}: {risk.why}"


def _peers(peers: dict[str, str]) -> Phrase:
    names: list[Words] = []
    for index, (library, name) in enumerate(peers.items()):
        names += ["; " * bool(index), Piece(library, "strong"), f" {name}"]
    return phrase(*names)


def _agreements(agreements: list[Agreement], example: str) -> Iterator[Row]:
    """Whose number a loss has, what is to be set for that of others, and what nothing is for."""
    known = [one for one in agreements if one.peer and not one.differs]
    same = ", ".join(one.title for one in known if one.by_default and not one.settings)
    bare = [one for one in known if one.by_default and one.settings]
    where = either([*dict.fromkeys(part for one in bare for part in one.where)])
    mostly = f"{', '.join(one.title for one in bare)}, but of {where}" if bare else ""
    yield "same number", "; ".join(filter(None, (same, mostly)))
    ways = [f"{one.peer} sets {one.listed}" for one in known if one.settings]
    yield "compat", "; ".join([*ways, *([f"such as {example}"] if example and ways else [])])
    yield "no option", "; ".join(f"{one.title}: {one.rest}" for one in agreements if one.rest)


def listed(family: str = "") -> Document:
    """Every loss and activation by family, a row each; of one family with a line on each.

    Args:
        family: which to list; all, by their names, where it is empty.
    """
    section: list[Part] = []
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        known = {name: members for name, members in families(kind).items() if family in {"", name}}
        plural = "losses" if kind == "loss" else "activations"
        if known:
            section.append(Line(Piece(f"{family} {plural}".lstrip(), "strong")))
        if family:
            section += [
                Facts(tuple((member.name, prose(member.summary)) for member in members), indent=2)
                for members in known.values()
            ]
        else:
            facts = ((name, ", ".join(member.name for member in members)) for name, members in known.items())
            section.append(Facts(tuple(facts), indent=2))
        rows += [
            {"kind": kind, "family": name, "name": member.name, "summary": member.summary}
            for name, members in known.items()
            for member in members
        ]
    if not family:
        pages = "Each has a page: lossctl explain NAME; a family a line on each: lossctl explain FAMILY."
        section += [Line(Piece(pages)), Line(prose(f"Out of reach of predictions alone: {'; '.join(OUT_OF_REACH)}."))]
    return Document(
        "losses and activations",
        lambda: [tuple(section)],
        record=lambda: catalogue(family),
        rows=lambda: rows,
        schema="explain-list",
    )


def paired() -> Document:
    """Which output activation goes with which loss, and which pairs to look out for; a row each."""
    good = [(pairing.task, _partnership(pairing)) for pairing in PAIRINGS]
    bad = [("risky", _partnership(risk)) for risk in RISKS]
    title = "output activation → loss"
    return Document(
        title,
        lambda: [(Line(Piece(title, "strong")), Facts((*good, *bad)))],
        record=matches,
        rows=lambda: [*_match_rows(PAIRINGS), *_match_rows(RISKS)],
        schema="explain-pairings",
    )


def _partnership(match: Pairing | Risk) -> Phrase:
    outputs = match.outputs if isinstance(match, Pairing) else ", ".join(match.activations)
    title = f"{outputs} → {', '.join(match.losses) or 'any loss'}"
    return (Piece(title, "strong", ends=True), Piece(match.why))


def _match_rows(matches: Sequence[Pairing | Risk]) -> Iterator[dict[str, Any]]:
    for match in matches:
        task = match.task if isinstance(match, Pairing) else "risky"
        activations, losses = " ".join(match.activations), " ".join(match.losses)
        yield {"task": task, "activations": activations, "losses": losses, "why": match.why}
