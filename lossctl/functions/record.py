"""What the JSON of a loss, an activation, and of the lists of them holds."""

from typing import Annotated, Any, Literal, TypedDict

from lossctl.domain import Interval, Outside
from lossctl.functions.docstring import Sections
from lossctl.functions.pairing import Pairing, Risk
from lossctl.functions.parameter import Parameter, Value
from lossctl.schema import Member, Object, members_of, optional

_PARAMETER, _BOUNDS, _SECTIONS = members_of(Parameter), members_of(Interval), members_of(Sections)
PARAMETER = Object(
    "Parameter",
    "One parameter of a loss or an activation.",
    {
        "name": _PARAMETER["name"],
        "value": Member(Value, "The effective value."),
        "default": _PARAMETER["default"],
        "optional": _PARAMETER["optional"],
        "required": _PARAMETER["required"],
        "meaning": _PARAMETER["meaning"],
        "legal": Member(str, "Which values are legal, in words."),
        "type": Member(Literal["boolean", "choice", "number", "list"], "What it is; a list has a number a column."),
        "choices": Member(list[str], "What there is to choose from.", required=False),
        "alone": Member(bool, "Whether a single number is legal for a list.", required=False),
        **{
            name: Member(float | None if name in {"low", "high"} else bool, member.words, required=False)
            for name, member in _BOUNDS.items()
        },
        **optional({"hole": members_of(Outside)["hole"]}),
    },
    together=(tuple(_BOUNDS),),
)


class LibraryAgreement(TypedDict):
    """Whether another library gives the number that lossctl gives."""

    library: str
    """The library."""
    calls: str
    """What it calls the loss."""
    compat: str | None
    """The word by which its conventions are chosen; null for a library that has none."""
    agrees: bool | None
    """Whether its number is the same with nothing set, except of data that where tells of; null if nobody knows."""
    settings: dict[str, Any]
    """What is to be set for its number, by name."""
    where: list[str]
    """Of what data alone that makes a difference, as far as it does not always."""
    rest: str
    """What no option does."""
    note: str
    """What else is to be known to have its number."""


class Otherwise(TypedDict):
    """Where some spellings of a loss mean another."""

    columns: str
    """With how many prediction columns, in words."""
    loss: str
    """The other loss."""
    spellings: list[str]
    """The spellings."""


class _Definition(TypedDict):
    kind: str
    """Whether it is a loss or an activation."""
    name: str
    """Its name."""
    spec: str
    """As a user would type it, such as huber:delta=0.5."""
    family: str
    """What it is a kind of; of a plug-in, its package."""
    parameters: list[Any]
    """Its parameters."""
    pairings: list[Pairing]
    """The tasks and partners that it fits."""
    risks: list[Risk]
    """The partners that it should not go with."""
    legal: list[str]
    """The partners whose numbers fit: activations of a loss, losses of an activation."""
    aliases: list[str]
    """Exact synonyms of its name."""
    peers: dict[str, str]
    """What other libraries call it, by library, with what is different about it."""
    references: list[str]
    """Where the formula comes from."""


def _of_kind(title: str, kind: Any, slope: str, domains: dict[str, str], others: dict[str, Member]) -> Object:
    """What is known of a loss or an activation."""
    members, parameters = members_of(_Definition), list[Annotated[dict[str, Any], PARAMETER]]
    facts = {slope if name == "gradient" else name: member for name, member in _SECTIONS.items()}
    own = {"kind": Member(kind, members["kind"].words), "parameters": Member(parameters, members["parameters"].words)}
    words = {name: Member(str, what) for name, what in domains.items()}
    return Object(title, f"What is known of {title.lower()}.", {**members, **own, **facts, **words, **others})


class _Loss(TypedDict):
    reduction: str
    """How rows become the reported value."""
    through: list[str]
    """The activations that it has a form for, first the one that is natural for it."""
    otherwise: Otherwise | None
    """Where some of its spellings mean another loss; null where none do."""
    agreements: list[LibraryAgreement]
    """Whether the libraries that have it give the same number."""


LOSS = _of_kind(
    "Loss",
    Literal["loss"],
    "gradient",
    {"label": "Which labels are legal, in words.", "prediction": "Which predictions are legal, in words."},
    members_of(_Loss),
)
ACTIVATION = _of_kind(
    "Activation", Literal["activation"], "derivative", {"range": "Which numbers come out, in words."}, {}
)


class Fact(TypedDict):
    """A fact of a loss or an activation, in words."""

    name: str
    """The loss or activation, as a user would type it."""
    fact: str
    """What the fact is of: summary, formula, gradient, parameter, aliases and others."""
    text: str
    """The fact."""


class Entry(TypedDict):
    """A loss or an activation in a list."""

    name: str
    """Its name."""
    summary: str
    """What it is, in one line."""


class Family(TypedDict):
    """Losses or activations of one kind."""

    family: str
    """What they are called together."""
    members: list[Entry]
    """Which there are."""


class Catalogue(TypedDict):
    """Every loss and activation by family, or those of one family."""

    losses: list[Family]
    """The losses."""
    activations: list[Family]
    """The activations."""


class Listed(TypedDict):
    """A loss or an activation."""

    kind: Literal["loss", "activation"]
    """Which of the two it is."""
    family: str
    """What it is a kind of."""
    name: str
    """Its name."""
    summary: str
    """What it is, in one line."""


class Matches(TypedDict):
    """Which output activation goes with which loss, and which does not."""

    pairings: list[Pairing]
    """What goes together, by task."""
    risks: list[Risk]
    """What does not."""


class Match(TypedDict):
    """Activations and losses that go together, or do not."""

    task: str
    """What they are for; risky where they do not go together."""
    activations: str
    """Their names, with blanks between them; empty where none is needed."""
    losses: str
    """Their names, likewise; empty for any."""
    why: str
    """Why they do, or do not."""
