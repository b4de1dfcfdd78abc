"""``lossctl check``: the gates of the configuration, decided; and the configuration itself, shown or begun."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.cli.command import Action, command, is_typed
from lossctl.cli.input_options import Input, Join, key_columns
from lossctl.cli.options import By, Cluster, Columns, Files, LossOptions, Reducing, RunningOptions, listed
from lossctl.cli.output_options import Output, output_option
from lossctl.errors import DataError, UsageError
from lossctl.words import did_you_mean

if TYPE_CHECKING:
    from lossctl.cli.configuration import Configuration
    from lossctl.cli.precedence import Settled
    from lossctl.comparison.gate import Gate
    from lossctl.comparison.verdicts import Verdicts
    from lossctl.document import Document


class Counts(StrEnum):
    """What a gate counts as that is neither proven right nor wrong."""

    passing = "pass"
    warn = "warn"
    fail = "fail"


Only = Annotated[
    list[str] | None,
    output_option("--only", metavar="NAME", help="Only the gate of that name. Repeatable."),
]
Inconclusive = Annotated[
    Counts | None,
    output_option(
        "--on-inconclusive",
        help="What a gate counts as that is neither proven right nor wrong; whatever it says itself. Default: warn.",
    ),
]
Listing = Annotated[bool, output_option("--list", help="Name the gates and what they claim; measure nothing."), Action]
Showing = Annotated[
    bool, output_option("--show-settings", help="Show every setting and what has set it; measure nothing."), Action
]
Init = Annotated[
    bool,
    output_option("--init", help="Write a lossctl.toml, or add to it; its gates hold for FILE as it is now."),
    Action,
]


@command("check", "lossctl check preds.csv")
def check(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    losses: LossOptions,
    reducing: Reducing,
    only: Only = None,
    on_inconclusive: Inconclusive = None,
    listing: Listing = False,
    show_settings: Showing = False,
    init: Init = False,
    output: Output,
    running: RunningOptions,
) -> None:
    """Check the gates of the configuration.

    Exits with 1 where one fails, 3 where something could not be measured; lossctl help config says more.
    """
    import sys

    from lossctl.cli.output import show
    from lossctl.cli.precedence import settled_here

    elsewhere, voice = settled_here(), output.voice
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    actions = {"--list": listing, "--show-settings": show_settings, "--init": init}
    wanted = [flag for flag, is_wanted in actions.items() if is_wanted]
    if len(wanted) > 1:
        raise UsageError(f"{wanted[0]} and {wanted[1]} are two things to do", "Give one.")
    how = {
        **losses.asked(),
        **columns.asked(),
        "labels": join.labels,
        "ids": key_columns(join.ids),  # for baselines, too
        "join": join.join,
        "by": listed(by),
        "cluster": listed(cluster),
        **reducing.asked(),
        "reading": source.reading(voice),
    }
    if init:
        from lossctl.cli.nearest import OWN
        from lossctl.cli.start import begin

        if elsewhere.configuration is not None and elsewhere.configuration.path != OWN:
            raise UsageError(f"{elsewhere.configuration.path}: is there already", "Begin another with --isolated.")
        if elsewhere.configuration is not None and elsewhere.configuration.gates:
            _gates(elsewhere, [])  # to which others can be added only if they can be understood
        baseline = None
        if files and _are_models(files, join):
            baseline, files = _baseline_and_file(files, join, "lossctl check --init")
        begin(files, how, _typed(), running.over(files or [], join), voice, baseline, elsewhere.configuration)
    elif show_settings:
        show(_settings(elsewhere), shown, output.style, voice)
    else:
        gates = _gates(elsewhere, only or [])
        if listing:
            show(_listed(gates), shown, output.style, voice)
            return
        if on_inconclusive is not None and not elsewhere.is_of_file("on_inconclusive"):
            gates = [replace(gate, on_inconclusive=on_inconclusive.value) for gate in gates]
        verdicts = _decided(gates, files or [], how, join, output, running)
        show(verdicts.document(), shown, output.style, voice)
        raise typer.Exit(verdicts.exit_code)


def _decided(
    gates: "Sequence[Gate]",
    files: list[str],
    how: dict[str, Any],
    join: Join,
    output: Output,
    running: RunningOptions,
) -> "Verdicts":
    """The verdicts on gates, which are written to files, too."""
    from lossctl.cli.output import refuse, write_report
    from lossctl.comparison.check import check_gates
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.renderer import for_path

    _ensure_heeded(gates, files)
    if _are_models(files, join):
        gates, files = _apart(gates, files, join)
    if not any(gate.settings.get(key) for gate in gates for key in ("labels", "baseline")):
        join.asked(files)
    if is_typed("eps") and how["eps"] is not None and not _any_takes_eps(gates, how["loss"]):
        raise UsageError("--eps: none of the losses takes a logarithm of a probability", "Leave it out.")
    paths = [*files, *(path for gate in gates for path in _paths(gate))]
    written = [(path, for_path(path)) for path in output.output or ()]
    others = [path for gate in gates for key in ("labels", "baseline") for path in _paths(gate, key)]
    inputs = _readable(input_files, [*paths, *others, *(join.labels or ())]) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    with output.progress(paths) as progress:
        engine = replace(running.over(paths, join), progress=progress)
        try:
            verdicts = check_gates(gates, files or None, **how, engine=engine)
        except UsageError as wrong:
            raise _placed(wrong, gates) from None
    output.voice.remark(verdicts.notes, verdicts.warnings)
    for path, renderer in written:
        write_report(path, renderer.render(verdicts.document(), output.style), inputs, output.voice)
    return verdicts


def _are_models(files: Sequence[str], join: Join) -> bool:
    """Whether files are a model each, which a key or an order says by which their rows are matched."""
    return len(files) > 1 and not join.labels and ((bool(join.ids) and is_typed("ids")) or is_typed("join"))


def _baseline_and_file(files: Sequence[str], join: Join, command: str) -> tuple[str, list[str]]:
    """The first of two files of a model each, and the other.

    Raises:
        UsageError: there are several candidates.
    """
    from lossctl.words import shell_word

    if len(files) > 2:
        how = f"--id {shell_word(join.ids)}" if join.ids else f"--join {join.join}"
        lines = "; ".join(f"{command} {shell_word(files[0])} {shell_word(file)} {how}" for file in files[1:])
        raise UsageError(f"{len(files)} files of a model each: check one at a time against the first", f"{lines}.")
    return files[0], [files[1]]


def _apart(gates: "Sequence[Gate]", files: list[str], join: Join) -> "tuple[Sequence[Gate], list[str]]":
    """Gates and files where these are a model each, of which the first is the baseline of increases that name none.

    Raises:
        UsageError: no gate is about such an increase, or there are several candidates.
    """
    held = [gate.kind == "max_increase" and not {"file", "baseline"} & {*gate.settings} for gate in gates]
    if not any(held):
        what = "--id and --join match a file a model, and no gate is a max_increase that names no baseline and no file"
        raise UsageError(what, "Leave them out for files that are together one data set.")
    baseline, file = _baseline_and_file(files, join, "lossctl check")
    return [
        replace(gate, settings={**gate.settings, "baseline": baseline}) if is_held else gate
        for gate, is_held in zip(gates, held, strict=True)
    ], file


def _ensure_heeded(gates: "Sequence[Gate]", files: Sequence[str]) -> None:
    """Check that what is typed is for a gate, none of which it changes where they say it themselves.

    Raises:
        UsageError: every gate says it itself.
    """
    from lossctl.cli.settings import settings_of
    from lossctl.comparison.declared import SETTINGS

    hint = "Leave one of them out."
    if files and all("file" in gate.settings for gate in gates):
        raise UsageError(f"{files[0]} would not be read: every gate names its own file", hint)
    arguments = {**SETTINGS, "by": "by"}
    said = {key: [argument in gate.settings for gate in gates] for key, argument in arguments.items()}
    said["loss"] = [gate.loss is not None for gate in gates]
    for key, setting in settings_of(check).items():
        if all(said.get(key, [False])) and is_typed(setting.parameter):
            raise UsageError(f"{setting.flag} would change nothing: every gate says it itself", hint)


def _any_takes_eps(gates: "Sequence[Gate]", usual: Sequence[str]) -> bool:
    from lossctl.comparison.runs import takes_eps
    from lossctl.functions.definition import split_specs

    named = [gate.loss for gate in gates if gate.loss is not None]
    return any(map(takes_eps, (*named, *map(str, split_specs(usual)))))


def _placed(wrong: UsageError, gates: "Sequence[Gate]") -> UsageError:
    """An error about a gate, with the place of that in front, and with options as a configuration has them."""
    from lossctl.cli.precedence import settled_here
    from lossctl.comparison.runs import setting
    from lossctl.errors import worded

    configuration = settled_here().configuration
    names = [] if configuration is None else [gate.get("name") for gate in configuration.gates]
    for gate in gates:
        if configuration is not None and wrong.parts[0].startswith(f"gate {gate.name!r}"):
            what, hint = (worded(part, setting) for part in wrong.parts)
            return UsageError(what, hint).about(configuration.place("", names.index(gate.name)))
    return wrong


def _readable(files_of: "Callable[[str], tuple[str, ...]]", paths: Sequence[str]) -> tuple[str, ...]:
    """The files that paths stand for; that there is none is an error of the gate."""
    files: list[str] = []
    for path in paths:
        with contextlib.suppress(DataError):
            files += files_of(path)
    return tuple(files)


def _typed() -> dict[str, Any]:
    """What the command line says of the data, by key."""
    from lossctl.cli.precedence import settled_here
    from lossctl.cli.settings import ABOUT_DATA, settings_of

    settings = settings_of(check)
    said = settled_here().effective(settings)
    return {
        name: said[name][0]
        for name, setting in settings.items()
        if setting.panel in ABOUT_DATA and is_typed(setting.parameter) and name != "loss"
    }


def _gates(elsewhere: "Settled", only: Sequence[str]) -> "list[Gate]":
    """The gates of the configuration, or those of some names.

    Raises:
        UsageError: there is no configuration, no gate, or none of that name; or one cannot be understood.
    """
    from lossctl.comparison.check import ensure_apart

    configuration = elsewhere.configuration
    begin = "lossctl check --init FILE writes one to begin with."
    if configuration is None:
        raise UsageError("there is no configuration, neither lossctl.toml nor [tool.lossctl] in pyproject.toml", begin)
    if not configuration.gates:
        raise UsageError(f"{configuration.path}: has no gate, and nothing would be measured", begin)
    usual = elsewhere.values.get("on_inconclusive") if elsewhere.is_of_file("on_inconclusive") else None
    gates = [_gate(configuration, number, usual) for number in range(len(configuration.gates))]
    try:
        ensure_apart(gates)
    except UsageError as wrong:
        raise wrong.about(configuration.path) from None
    names = [gate.name for gate in gates]
    for name in only:
        if name not in names:
            raise UsageError(f"no gate is called {name!r}", did_you_mean(name, names))
    return [gate for gate in gates if not only or gate.name in only]


def _gate(configuration: "Configuration", number: int, usual: str | None) -> "Gate":
    """A gate of the configuration, with the paths that it names beside that."""
    from lossctl.cli.settings import settings_of
    from lossctl.comparison.declared import LISTS, SETTINGS, declared
    from lossctl.comparison.runs import is_path

    def beside(key: str, value: Any) -> Any:
        paths = value if isinstance(value, list) else [value]
        if key not in {"file", "labels", "baseline"} or not all(isinstance(path, str) for path in paths):
            return value
        moved = [path if key == "baseline" and not is_path(path) else configuration.beside(path) for path in paths]
        return moved if isinstance(value, list) else moved[0]

    own, given = settings_of(check), {}
    for key, value in configuration.gates[number].items():
        name = key.replace("-", "_")
        try:
            read = own[name].read(value) if name in SETTINGS and name not in LISTS else value
        except ValueError as wrong:
            raise UsageError(f"{configuration.place(key, number)}: {name} {wrong}") from None
        given[key] = beside(name, read)
    if usual is not None and not {"on_inconclusive", "on-inconclusive"} & {*given}:
        given["on_inconclusive"] = usual
    return declared(given, lambda key: f"{configuration.place(key, number)}: ", paths=True)


def _paths(gate: "Gate", key: str = "file") -> list[str]:
    """The files that a gate names."""
    named = gate.settings.get(key, ())
    return [named] if isinstance(named, str) else [*named]


def _listed(gates: "Sequence[Gate]") -> "Document":
    """The gates and what they claim."""
    from lossctl.document import Column, Document, Table

    items = [
        {
            "name": gate.name,
            "claim": gate.claim,
            "file": ", ".join(_paths(gate)) or None,
            "confidence": gate.confidence,
            "fail_if": gate.fail_if,
            "pass_if": gate.pass_if,
            "on_inconclusive": gate.on_inconclusive,
        }
        for gate in gates
    ]
    columns = (Column("gate", "name"), Column("claim", "text"), Column("file", "name", missing="FILE"))
    rows = [[item["name"], item["claim"], item["file"]] for item in items]
    return Document(
        title="gates",
        sections=lambda: [(Table.of(columns, rows),)],
        record=lambda: {"gates": items},
        rows=lambda: items,
        schema="check-list",
    )


def _settings(elsewhere: "Settled") -> "Document":
    """Every setting, and what has set it."""
    from lossctl.cli.settings import settings_of
    from lossctl.document import Column, Document, Notes, Table

    said = elsewhere.effective(settings_of(check))
    items = [{"setting": name, "value": value, "from": origin} for name, (value, origin) in said.items()]
    columns = (Column("setting", "name"), Column("value", "text"), Column("from", "text"))
    rows = [[item["setting"], _written(item["value"]), item["from"]] for item in items]
    gates = () if elsewhere.configuration is None else elsewhere.configuration.gates
    path = None if elsewhere.configuration is None else elsewhere.configuration.path
    return Document(
        title="settings",
        sections=lambda: [(Table.of(columns, rows),), (Notes((f"configuration: {path or 'none'}",)),)],
        record=lambda: {"configuration": path, "gates": len(gates), "settings": items},
        rows=lambda: [{**item, "value": _written(item["value"])} for item in items],
        schema="check-settings",
    )


def _written(value: Any) -> str:
    from lossctl.cli.written_gates import toml

    return "" if value is None else toml(value)
