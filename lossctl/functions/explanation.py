"""What is known of a loss or an activation, all of it read from its definition and its pairings."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lossctl.arguments import checked, ensure_fields
from lossctl.dataclass import dataclass
from lossctl.domain import Interval, Listed, Words
from lossctl.errors import UsageError, option
from lossctl.functions.activation import Activation, BoundActivation, activations, get_activation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.compat import Agreement, agreements
from lossctl.functions.definition import Kind, read_spec
from lossctl.functions.docstring import Sections
from lossctl.functions.lookup import example_of
from lossctl.functions.loss import Loss, losses
from lossctl.functions.pairing import PAIRINGS, RISKS, Pairing, Risk, pairings_of, risks_of
from lossctl.functions.parameter import Parameter, Value, in_json
from lossctl.registry import unknown
from lossctl.row_domains import inside
from lossctl.words import normal

KINDS: tuple[Kind, ...] = ("loss", "activation")


@dataclass(frozen=True)
class Explanation:
    """A loss or an activation with its parameters, and what is known of it."""

    bound: BoundLoss | BoundActivation

    def __post_init__(self) -> None:
        ensure_fields(self)

    @property
    def definition(self) -> Loss | Activation:
        """The definition of the loss or activation."""
        return self.bound.definition

    @property
    def kind(self) -> Kind:
        """Whether it is a loss or an activation."""
        return self.bound.kind

    @property
    def sections(self) -> Sections:
        """What its docstring states, by kind of fact."""
        return self.definition.sections

    @property
    def domains(self) -> dict[str, str]:
        """Which numbers go in, and which come out, in English."""
        return {role: domain.describe() for role, domain in self.bound.domains.items()}

    @property
    def parameters(self) -> list[tuple[Parameter, Value]]:
        """Its parameters with their effective values."""
        return [(parameter, self.bound.parameters[parameter.name]) for parameter in self.definition.parameters]

    @property
    def reduction(self) -> str | None:
        """How rows become the reported number; an activation has none."""
        return self.bound.reduction

    @property
    def through(self) -> list[str]:
        """The activations a loss has a form for, where the first is natural: what ``--from-logits`` means."""
        natural = isinstance(self.definition, Loss) and self.definition.natural_activation is not None
        return list(self.definition.pairs) if isinstance(self.definition, Loss) and natural else []

    @property
    def agreements(self) -> list[Agreement]:
        """How other libraries and lossctl agree on a loss, of those that have it."""
        return list(agreements(self.definition)) if isinstance(self.definition, Loss) else []

    @property
    def pairings(self) -> list[Pairing]:
        """The tasks and partners it is known to fit."""
        return pairings_of(self.definition.name)

    @property
    def risks(self) -> list[Risk]:
        """The partners that it should not go with."""
        return risks_of(self.definition.name)

    @property
    def legal(self) -> list[str]:
        """The names of partners whose numbers fit: activations whose range a loss takes, losses that take the range."""
        if isinstance(self.bound, BoundLoss):
            return [
                activation.name
                for activation in activations
                if inside(get_activation(activation.name).range, self.bound.output_domain)
            ]
        return [loss.name for loss in losses if inside(self.bound.range, example_of(loss.name).prediction_domain)]

    @property
    def otherwise(self) -> tuple[str, str, list[str]] | None:
        """Where its spellings mean another loss: with how many prediction columns, which loss, and which spellings."""
        if not isinstance(self.bound, BoundLoss) or self.bound.definition.other_width is None:
            return None
        loss, spellings = self.bound.definition.other_width
        if not spellings:
            return None
        return ("one prediction column" if self.bound.rows else "several prediction columns"), loss, list(spellings)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for strict JSON."""
        definition, sections = self.definition, self.sections
        slope = "gradient" if self.kind == "loss" else "derivative"
        facts: dict[str, Any] = {
            "kind": self.kind,
            "name": definition.name,
            "spec": str(self.bound),
            "family": definition.family,
            "summary": sections.summary,
            "formula": sections.formula,
            slope: sections.gradient,
            **self.domains,
            "parameters": [_parameter(parameter, value) for parameter, value in self.parameters],
            "properties": sections.properties,
            "use": sections.use,
            "avoid": sections.avoid,
            "notes": sections.notes,
            "example": sections.example,
            "pairings": [asdict(pairing) for pairing in self.pairings],
            "risks": [asdict(risk) for risk in self.risks],
            "legal": self.legal,
            "aliases": list(definition.aliases),
            "peers": definition.peers,
            "references": list(definition.references),
        }
        if self.kind == "loss":
            facts |= {"reduction": self.reduction, "through": self.through, "otherwise": None}
            facts["agreements"] = [one.to_dict() for one in self.agreements]
            if self.otherwise is not None:
                columns, loss, spellings = self.otherwise
                facts["otherwise"] = {"columns": columns, "loss": loss, "spellings": spellings}
        return facts


def _parameter(parameter: Parameter, value: Value) -> dict[str, Any]:
    domain = parameter.domain
    legal: dict[str, Any] = {"type": "boolean"}
    if isinstance(domain, Words):
        legal = {"type": "choice", "choices": list(domain.allowed)}
    elif isinstance(domain, Interval):
        legal = {"type": "number", **_bounds(domain)}
    elif isinstance(domain, Listed):
        legal = {"type": "list", "alone": domain.alone, **_bounds(domain.each)}
    return {
        "name": parameter.name,
        **in_json({"value": value, "default": parameter.default}),
        "optional": parameter.optional,
        "required": parameter.required,
        "meaning": parameter.meaning,
        "legal": parameter.describe(),
        **legal,
    }


def _bounds(domain: Interval) -> dict[str, Any]:
    bounds = asdict(domain)
    for end in ("low", "high"):
        bounds[end] = None if abs(bounds[end]) == float("inf") else bounds[end]
    return bounds


def find(spec: str, kind: Kind | None = None) -> tuple[BoundLoss | BoundActivation, str]:
    """The loss or activation that a text such as ``huber:delta=0.5`` names, and a note where it could be both.

    A name goes before an alias, and a loss before an activation.

    Args:
        spec: a name or alias, and parameters after a colon.
        kind: which of the two, where the name could be either.

    Raises:
        UsageError: nothing is called that, or a parameter is wrong.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of definition", f"Known: {', '.join(KINDS)}.")
    name, _ = read_spec(spec)
    plain = normal(name)
    named = {"loss": plain in map(normal, losses.names()), "activation": plain in map(normal, activations.names())}
    known = {"loss": name in losses, "activation": name in activations}
    if kind is None and not any(known.values()):
        spellings = [*losses.spellings(), *activations.spellings(), *families("loss"), *families("activation")]
        wrong = unknown("loss or activation", name, spellings, losses.others())
        raise wrong if wrong.parts[1] else UsageError(wrong.parts[0], "lossctl explain lists them.")
    order = sorted(KINDS, key=lambda candidate: (not named[candidate], not known[candidate]))
    chosen = kind or order[0]
    bound = example_of(spec) if chosen == "loss" else get_activation(spec)
    if not all(known.values()):
        return bound, ""
    other_kind = "activation" if chosen == "loss" else "loss"
    meant = (activations if other_kind == "activation" else losses).get(name).name
    return bound, f"{name}: this is the {chosen}; {option(kind=other_kind)} means the {other_kind} {meant}"


@checked()
def explain(spec: str | BoundLoss | BoundActivation, kind: Kind | None = None) -> Explanation:
    """What is known of the loss or activation that a text such as ``huber:delta=0.5`` names.

    Args:
        spec: a name or alias, and parameters after a colon; or a loss or an activation.
        kind: ``loss`` or ``activation``, where the name could be either; a loss goes before an activation.

    Raises:
        UsageError: nothing is called that, there is no such kind, or a parameter is wrong.
    """
    if isinstance(spec, BoundLoss | BoundActivation):
        return Explanation(spec)
    bound, _ = find(spec, kind)
    return Explanation(bound)


def definitions() -> Iterator[Loss | Activation]:
    """Every loss, then every activation."""
    yield from losses
    yield from activations


def families(kind: Kind) -> dict[str, list[Loss | Activation]]:
    """The losses or the activations by family."""
    by_family: dict[str, list[Loss | Activation]] = {}
    for definition in definitions():
        if isinstance(definition, Loss) == (kind == "loss"):
            by_family.setdefault(definition.family, []).append(definition)
    return dict(sorted(by_family.items()))


def family_of(name: str) -> str | None:
    """The family of that name; ``None`` where there is none, or a loss or an activation is called that."""
    if name in losses or name in activations:
        return None
    return next((family for kind in KINDS for family in families(kind) if normal(family) == normal(name)), None)


def catalogue(only: str = "") -> dict[str, Any]:
    """Every loss and activation by family, or those of one, ready for strict JSON."""

    def of(kind: Kind) -> list[dict[str, Any]]:
        return [
            {"family": family, "members": [{"name": member.name, "summary": member.summary} for member in members]}
            for family, members in families(kind).items()
            if only in {"", family}
        ]

    return {"losses": of("loss"), "activations": of("activation")}


def matches() -> dict[str, Any]:
    """Which output activation goes with which loss, and which does not, ready for strict JSON."""
    return {"pairings": [asdict(pairing) for pairing in PAIRINGS], "risks": [asdict(risk) for risk in RISKS]}
