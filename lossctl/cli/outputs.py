"""What each command writes as JSON: the schemas that ``lossctl schema`` prints are made of this."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from lossctl.checks.record import FORM, OutcomeRecord
from lossctl.comparison.gate import FailIf, OnInconclusive, PassIf
from lossctl.comparison.record import (
    BASELINE_LINE,
    DIFFERENCE,
    GATE,
    REPORT,
    BaselineRecord,
    ComparisonRecord,
    Decisions,
)
from lossctl.dataclass import dataclass
from lossctl.doctor.diagnosis import Reported
from lossctl.doctor.record import DIAGNOSIS
from lossctl.document import SCHEMA_VERSION
from lossctl.evaluation.record import RESULT
from lossctl.functions.record import ACTIVATION, LOSS, Catalogue, Fact, Listed, Match, Matches
from lossctl.rendering.record import CURVE, ChartPoint, ChartsRecord
from lossctl.reporting.record import DOSSIER
from lossctl.schema import DIALECT, Finite, Member, Object, Schema, Schemas, identity, object_of

VERSIONED: Mapping[str, Member] = {
    "schema_version": Member(Literal[SCHEMA_VERSION], "Goes up where a field changes its meaning or goes away."),
    "lossctl": Member(str, "The version of lossctl that wrote it."),
}
"""What every JSON object begins with."""


class ListedGate(TypedDict):
    """A gate of the configuration."""

    name: str
    """What it is called."""
    claim: str
    """What it claims, in words."""
    file: str | None
    """The predictions that it names; null where they are those of the command."""
    confidence: Finite
    """Of the bounds, which are of one side."""
    fail_if: FailIf
    """Whether it fails only where that is proven, or by the number alone."""
    pass_if: PassIf
    """Whether it passes wherever it does not fail, or only where that is proven."""
    on_inconclusive: OnInconclusive
    """What it counts as where it is neither."""


class ListedGates(TypedDict):
    """The gates of the configuration, of which nothing is measured."""

    gates: list[ListedGate]
    """The gates, in the order of the configuration."""


class EffectiveSetting(TypedDict):
    """A setting of a command, and what has set it."""

    setting: str
    """Its name, as a configuration has it."""
    value: Any
    """What it is: text, a number, true or false, a list of these; null where nothing is set."""


_FROM = {"from": Member(str, "What has set it: flag, default, a variable, or a file and the line in it.")}
SETTING = Object(
    "EffectiveSetting",
    EffectiveSetting.__doc__ or "",
    {**object_of(EffectiveSetting).members, **_FROM},
)
SETTING_LINE = Object(
    "SettingLine",
    EffectiveSetting.__doc__ or "",
    {**SETTING.members, "value": Member(str, "What it is, as TOML has it; empty where nothing is set.")},
)


class EffectiveSettings(TypedDict):
    """Every setting of lossctl check, and what has set it."""

    configuration: str | None
    """The configuration; null where there is none."""
    gates: int
    """How many gates it has."""
    settings: list[Annotated[dict[str, Any], SETTING]]
    """The settings, by name."""


class SampleLine(TypedDict):
    """A row of a file; beside these fields its loss and gradient, and its own columns.

    Of several losses and models each has their names behind its own, such as loss_mse_new.
    """

    file: NotRequired[str]
    """The file it is in, where there are several."""
    row: int
    """Its number in the file, from 1; header lines do not count."""


@dataclass(frozen=True)
class Output:
    """Something that is written as JSON."""

    command: str
    """What writes it, as a user would type it."""
    holds: Any
    """Its type: an object, or what is made of such."""

    @property
    def about(self) -> Object | None:
        """The object; ``None`` where it is a list, or one of several objects."""
        if isinstance(self.holds, Object):
            return self.holds
        return object_of(self.holds) if isinstance(self.holds, type) else None

    @property
    def is_line(self) -> bool:
        """Whether it is one of many lines."""
        return "jsonl" in self.command


SAMPLE_LINE = object_of(SampleLine, others=Any)


def _explained(about: Object) -> Any:
    """What is known of a loss or an activation, with its curve."""
    whole = Object(about.title, about.words, {**VERSIONED, **about.members, "curve": CURVE})
    return Annotated[dict[str, Any], whole]


OUTPUTS: Mapping[str, Output] = {
    "eval": Output("lossctl eval -f json", REPORT),
    "eval-line": Output("lossctl eval -f jsonl", RESULT),
    "samples": Output("lossctl samples -f json", list[Annotated[dict[str, Any], SAMPLE_LINE]]),
    "samples-line": Output("lossctl samples -f jsonl", SAMPLE_LINE),
    "compare": Output("lossctl compare -f json", ComparisonRecord),
    "compare-line": Output("lossctl compare -f jsonl", DIFFERENCE),
    "report": Output("lossctl report -f json", DOSSIER),
    "check": Output("lossctl check -f json", Decisions),
    "check-line": Output("lossctl check -f jsonl", GATE),
    "check-list": Output("lossctl check --list -f json", ListedGates),
    "check-list-line": Output("lossctl check --list -f jsonl", ListedGate),
    "check-settings": Output("lossctl check --show-settings -f json", EffectiveSettings),
    "check-settings-line": Output("lossctl check --show-settings -f jsonl", SETTING_LINE),
    "baseline": Output("lossctl baseline save -o PATH.json", BaselineRecord),
    "baseline-line": Output("lossctl baseline show -f jsonl", BASELINE_LINE),
    "doctor": Output("lossctl doctor -f json", DIAGNOSIS),
    "doctor-line": Output("lossctl doctor -f jsonl", Reported),
    "explain": Output("lossctl explain NAME -f json", _explained(LOSS) | _explained(ACTIVATION)),
    "explain-line": Output("lossctl explain NAME -f jsonl", Fact),
    "explain-list": Output("lossctl explain -f json", Catalogue),
    "explain-list-line": Output("lossctl explain -f jsonl", Listed),
    "explain-pairings": Output("lossctl explain pairings -f json", Matches),
    "explain-pairings-line": Output("lossctl explain pairings -f jsonl", Match),
    "plot": Output("lossctl plot -f json", ChartsRecord),
    "plot-line": Output("lossctl plot -f jsonl", ChartPoint),
    "gradcheck": Output("lossctl gradcheck -f json", OutcomeRecord),
    "gradcheck-line": Output("lossctl gradcheck -f jsonl", FORM),
}
"""By the name of its schema; that of a line is called like that of the whole, with ``-line`` behind."""


def output_schema(name: str) -> Schema:
    """The schema of an output.

    Raises:
        KeyError: there is none of that name.
    """
    output, schemas = OUTPUTS[name], Schemas()
    about = output.about
    if about is None:
        whole = schemas.of(output.holds)
    else:
        members = about.members if output.is_line else {**VERSIONED, **about.members}
        whole = schemas.object(Object(about.title, about.words, members, about.together, about.others))
    definitions = {title: schemas.definitions[title] for title in sorted(schemas.definitions)}
    return {
        "$schema": DIALECT,
        "$id": identity(name),
        "title": output.command,
        **whole,
        **({"$defs": definitions} if definitions else {}),
    }
