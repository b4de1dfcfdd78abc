"""A configuration to begin with: what is seen of a file, and gates that hold for it as it is."""

import itertools
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.cli.command import Voice
from lossctl.cli.limits import above, limits_told
from lossctl.cli.nearest import OWN
from lossctl.cli.output import write_report
from lossctl.cli.written_gates import written
from lossctl.comparison.declared import SETTINGS
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.cli.configuration import Configuration
    from lossctl.comparison.verdicts import Verdicts
    from lossctl.evaluation.report import Report
    from lossctl.evaluation.running import Running

MANY = 12
"""Of more groups than these none has a gate of its own."""
FIRST = "--id COL makes the first of two the baseline of gates on the other"
"""What is said of several files that are measured as one table."""


def begin(
    files: Sequence[str] | None,
    how: Mapping[str, Any],
    typed: Mapping[str, Any],
    running: "Running",
    voice: Voice,
    baseline: str | None = None,
    configuration: "Configuration | None" = None,
) -> None:
    """Write a configuration whose gates hold for files as they are, or add these to one that there is.

    Args:
        files: the predictions.
        how: arguments of `lossctl.evaluate`.
        typed: those of them that the command line says, by the keys of a configuration.
        running: how to run.
        voice: what says that it was written.
        baseline: the file of an earlier model, to be held against.
        configuration: what is there already.

    Raises:
        UsageError: no file is named, there is a configuration that gates cannot be added to, or it is not sure what the
            columns are.
        DataError: the file cannot be read, or holds nothing that a gate could be about.
    """
    from lossctl.evaluation.evaluate import evaluate, input_files
    from lossctl.evaluation.pooled import APART

    if not files:
        raise UsageError("--init needs the FILE whose gates are to be written", "lossctl check --init preds.csv")
    for path in input_files(list(files)):
        if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
            raise UsageError(f"--init: {path} can be read only once", "Save it to a file first.")
    before = _before(files, configuration)
    rest = {name: value for name, value in how.items() if name != "loss"}
    report = evaluate(list(files), how["loss"] or None, **rest, engine=running)
    for note in report.notes:
        voice.note(note if how["labels"] is not None else note.replace(APART, FIRST))
    told = _told(files, how)
    text, left_out = _held(files, report, {**how, **told}, {**typed, **_spelled(told)}, running, baseline, before)
    write_report(OWN, text if before is None else _below(text), input_files(list(files)), voice)
    if left_out:
        voice.note(left_out)
    voice.note("lossctl check runs its gates" + (", the earlier ones too" if before is not None else ""))


def _before(files: Sequence[str], configuration: "Configuration | None") -> "Configuration | None":
    """The configuration that gates are added to, where one is there.

    Raises:
        UsageError: it has gates of these files, or does not count here.
    """
    if not os.path.lexists(OWN):
        return None
    if configuration is None or configuration.path != OWN:
        raise UsageError(f"{OWN}: is there already", "Edit it, or move it away.")
    if any(_places(gate.get("file")) == _places(_file(files)) for gate in configuration.gates):
        what = f"{OWN}: is there already, with gates of {', '.join(files)}"
        raise UsageError(what, "Edit it, or move it away; of another file, gates are added to it.")
    return configuration


def _places(file: Any) -> list[str]:
    """Where the file of a gate is, or its files; empty where it names none."""
    return [os.path.realpath(path) for path in ([file] if isinstance(file, str) else file or ())]


def _below(added: str) -> str:
    """The configuration that is there, byte by byte, and more below it that ends its lines as that does.

    Raises:
        UsageError: that cannot be read as one.
    """
    with open(OWN, encoding="utf-8", newline="") as file:
        text = file.read()
    ending = "\r\n" if "\r\n" in text else "\n"
    text += ("" if text.endswith("\n") or not text else ending) + added.replace("\n", ending)
    try:
        tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError:
        what = f"{OWN}: is there already, with its gates in one list, gate = […], that none can be added to"
        raise UsageError(what, "Begin each with [[gate]].") from None
    return text


def _told(files: Sequence[str], how: Mapping[str, Any]) -> dict[str, Any]:
    """What losses need that nobody named and that the data tell, such as ``from_logits``; as arguments."""
    from lossctl.evaluation.evaluate import requested, several
    from lossctl.evaluation.prepared import open_alone, open_joined
    from lossctl.inference.infer import complete

    joining = {"labels": how["labels"], "ids": several(how["ids"]), "join": how["join"]}
    request = requested(**{name: value for name, value in how.items() if name not in {*joining, "reading"}})
    if how["labels"] is None:
        source = open_alone([*files], request, how["reading"])
    else:
        joined = open_joined([*files], request, how["reading"], **joining)
        source, request = joined.source, joined.request
    known, asked = vars(complete(source, request).request), vars(request)
    names = {*SETTINGS.values()} - {"label", "prediction"}
    return {name: value for name, value in known.items() if name in names and value != asked[name]}


def _held(
    files: Sequence[str],
    report: "Report",
    how: Mapping[str, Any],
    typed: Mapping[str, Any],
    running: "Running",
    baseline: str | None,
    before: "Configuration | None",
) -> tuple[str, str]:
    """The first way to write a configuration in which every gate holds; of what is there before, only what is added.

    And what is to be said of a gate that is left out, for it does not hold; empty where there is none.

    Raises:
        DataError: there is none.
    """
    from lossctl.comparison.check import check_gates

    reason = ""
    for roles in (_roles(report), {}):
        by_value: dict[str, str] = {}
        for _ in range(2):
            gates = [*_gates(files, report, by_value, _own_groups(report, how))]
            verdicts = check_gates(gates, **{**how, **roles}, engine=running)
            estimates = [(one.gate.name, one.measured.estimate) for one in verdicts.verdicts if one.measured]
            doubted = {name: one.doubt for name, one in estimates if one.doubted}
            if verdicts.verdict == "pass" and doubted.keys() <= by_value.keys():
                example, tried = _example(files, report, {**how, **roles}, running, baseline)
                verdict = tried.verdict
                if example is not None and baseline is not None and verdict == "pass":
                    gates, example = [*gates, example], None
                settings, told = {**typed, **_spelled(roles)}, limits_told(verdicts.verdicts)
                named = _apart(before, files, [*gates, *([] if example is None else [example])])
                text = "".join(
                    written(gates, settings, example, told, by_value, named, before, fails=verdict == "fail")
                )
                is_due = baseline is not None or verdict == "fail"
                return text, _left_out(tried, None if example is None else named[example["name"]]) if is_due else ""
            reason = next((one for one in verdicts.lines if not one.startswith("PASS")), reason)
            by_value = doubted
    raise DataError(f"--init: no gate holds for {files[0]}: {reason}")


def _left_out(tried: "Verdicts", name: str | None) -> str:
    """What to say of a gate that was tried and does not hold: which it is, why, and what to do; empty where it holds.

    Args:
        tried: what came of it.
        name: what it is called in the file, where it is behind ``#``; ``None`` where it is not.
    """
    against = [(one, words) for one, words in zip(tried.verdicts, tried.lines, strict=True) if one.state != "pass"]
    if not against:
        return ""
    (first, words), *others = sorted(against, key=lambda pair: pair[0].state != "fail")
    why = words.partition(" ")[2].removeprefix(first.gate.name).lstrip(" :")
    more = f", and {len(others):,} more" if others else ""
    if name is None:
        return f"no gate has {first.gate.settings['baseline']} as its baseline: {why}{more}"
    does, remedy = ("fails", "mend the model or raise max_increase, and ") if first.state == "fail" else ("is open", "")
    return (
        f"gate {name!r} {does} as the files are now, and is behind #: {why}{more}. To run it, {remedy}take the # away"
    )


def _apart(before: "Configuration | None", files: Sequence[str], gates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What gates are called that are to stand beside those before: where one is called so, the file is in the name."""
    taken = {str(gate.get("name")) for gate in before.gates} if before is not None else set()
    names = [gate["name"] for gate in gates]
    if not taken & {*names}:
        return {name: name for name in names}
    stem = os.path.basename(files[0]).partition(".")[0]
    number = next(number for number in itertools.count(1) if not taken & {_of(stem, number, name) for name in names})
    return {name: _of(stem, number, name) for name in names}


def _of(stem: str, number: int, name: str) -> str:
    return f"{stem}-{name}" if number == 1 else f"{stem}-{number}-{name}"


def _example(
    files: Sequence[str], report: "Report", how: Mapping[str, Any], running: "Running", before: str | None
) -> tuple[dict[str, Any] | None, "Verdicts"]:
    """A gate on an increase that can be measured as the files are; ``None`` where there is none. And the last verdicts.

    It is over the file of an earlier model, or the first of several models, else over the file itself, in the place of
    which that of an earlier model is to be named.
    """
    from lossctl.comparison.check import check_gates
    from lossctl.comparison.runs import is_path

    models, file = [*report.inputs["models"]], files[0] if before is None else before
    baseline = models[0] if len(models) > 1 and before is None else file if is_path(file) else f"./{file}"
    gate = {"name": "no-worse", "file": _file(files), "loss": report.results[0].loss, "baseline": baseline}
    gate["max_increase"] = "1%"
    key, columns = _columns(files, report, how)
    known = baseline in models or how["ids"] or how["join"] == "order"
    matched = {} if known else {"id": key} if key else {"join": "order"}
    for example in ({**gate, **matched, **columns}, {**gate, **matched}):
        tried = check_gates([example], **how, engine=running)
        if tried.verdict != "error":
            return example, tried
    return None, tried


def _columns(files: Sequence[str], report: "Report", how: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    """The column that tells rows apart, and those to group and to cluster by, as far as the file has any."""
    from lossctl.evaluation.keys import tells_rows
    from lossctl.inference.look import Look
    from lossctl.reading.files import open_source
    from lossctl.sums.estimate import FEW_CLUSTERS

    look = Look(open_source([*files], how["reading"]))
    taken = {*report.inputs["label"], report.inputs["weight"]}.union(*report.inputs["models"].values())
    rows = sum(record.num_rows for record in look.records)
    left = [one for one in look.candidates if one.name not in taken and re.fullmatch(r"\w[\w .-]*", one.name)]
    keys = [one.name for one in left if tells_rows(one.name) and one.distinct in {None, rows}]
    several = [one for one in left if one.distinct is not None and 1 < one.distinct <= rows // 2]
    groups = [one.name for one in several if "group" in one.roles]
    many = [one for one in several if one.name not in groups and (one.distinct or 0) >= FEW_CLUSTERS]
    clusters = [one.name for one in many if one.kind == "text" or "id" in one.roles]
    chosen = {"by": groups, "cluster": clusters}
    return next(iter(keys), None), {name: names[0] for name, names in chosen.items() if names and not how[name]}


def _roles(report: "Report") -> dict[str, Any]:
    """The columns that were chosen, as arguments; none where a name could be read otherwise than as it is."""
    models = report.inputs["models"]
    columns = [*report.inputs["label"], *models, *(column for columns in models.values() for column in columns)]
    if not all(re.fullmatch(r"\w[\w .-]*", column) for column in columns):
        return {}
    specs = [
        ",".join(columns) if [name] == columns else f"{name}={','.join(columns)}" for name, columns in models.items()
    ]
    return {"label": tuple(report.inputs["label"]), "prediction": tuple(specs)}


def _spelled(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the keys of a configuration."""
    keys = {argument: key for key, argument in SETTINGS.items()}
    return {keys[name]: [*value] if isinstance(value, tuple) else value for name, value in arguments.items()}


def _own_groups(report: "Report", how: Mapping[str, Any]) -> list[dict[str, str]]:
    """The groups that can have gates of their own: few, of the same name in a later file, and not of nulls.

    A period of time is none, nor an interval between quantiles; and no TOML can name a null.
    """
    from lossctl.evaluation.evaluate import several

    groups = [*{tuple(result.group.items()): dict(result.group) for result in report.results if result.group}.values()]
    named = [{name: word for name, word in group.items() if word is not None} for group in groups]
    titles = {" ".join(group.values()) for group in named}
    plain = list(several(how["by"])) == [*report.inputs["by"]]
    return named if plain and named == groups and len(named) == len(titles) <= MANY else []


def _gates(
    files: Sequence[str], report: "Report", by_value: Collection[str], groups: Sequence[Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    """Gates a little above what was measured, one for each loss of each model, and group that has its own.

    Args:
        files: the predictions.
        report: what was measured of them.
        by_value: the names of those whose bounds are not to be trusted, so that numbers alone decide.
        groups: those that have gates of their own; where there are none, the worst group has the limit of all.
    """
    results, models = report.results, [*report.inputs["models"]]
    losses = [*dict.fromkeys(result.loss for result in results)]
    bare = [loss.partition(":")[0] for loss in losses]
    for loss, title in zip(losses, bare, strict=True):
        for model in models:
            values = [
                (result.value, result.group) for result in results if (result.loss, result.model) == (loss, model)
            ]
            words = (title if bare.count(title) == 1 else loss, *([model] if models[1:] else []))
            own = {"model": model} if models[1:] else {}
            if not values:  # a loss whose parameters go by the columns of another model
                continue
            for group in groups or [{}]:
                highest = max(value for value, where in values if group in ({}, where))
                name = "-".join((*words, *group.values(), "not-above"))
                only = {"only": dict(group)} if group else {}
                gate = {"name": name, "file": _file(files), "loss": loss, **own, **only, "max": above(highest)}
                yield {**gate, **({"fail_if": "point"} if name in by_value else {"on_inconclusive": "fail"})}
    yield {"name": "enough-rows", "file": _file(files), "min_n": min(result.n for result in results)}


def _file(files: Sequence[str]) -> str | list[str]:
    """What a gate says of its file, or files."""
    return files[0] if len(files) == 1 else [*files]
