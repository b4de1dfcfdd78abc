"""A configuration to begin with: what is seen of a file, and gates that hold for it as it is."""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.cli.command import Voice
from lossctl.cli.nearest import OWN
from lossctl.cli.output import write_report
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.evaluation.report import Report
    from lossctl.evaluation.running import Running

MARGIN = 0.05
"""How far above what is measured the limits begin."""
HEAD = """\
# Gates of lossctl: `lossctl check` exits with 1 where one fails. What can stand here: lossctl help config.
"""
TAIL = """
# A loss must not grow beyond that of an earlier model: of another column, or of another file with the same rows.
# [[gate]]
# name = "no-worse"
# file = {file}
# loss = {loss}
# baseline = "p_old"          # or "main.parquet", or "main.json" of lossctl baseline save
# max_increase = "1%"         # of the baseline; or a number
# by = "segment"              # each group is held against it
# cluster = "user"            # rows of one user count as one
"""


def begin(
    files: Sequence[str] | None,
    how: Mapping[str, Any],
    typed: Mapping[str, Any],
    running: "Running",
    voice: Voice,
) -> None:
    """Write a configuration whose gates hold for files as they are.

    Args:
        files: the predictions.
        how: arguments of `lossctl.evaluate`.
        typed: those of them that the command line says, by the keys of a configuration.
        running: how to run.
        voice: what says that it was written.

    Raises:
        UsageError: no file is named, there is a configuration, or it is not sure what the columns are.
        DataError: the file cannot be read, or holds nothing that a gate could be about.
    """
    from lossctl.evaluation.evaluate import evaluate, input_files

    if not files:
        raise UsageError("--init needs the FILE whose gates are to be written", "lossctl check --init preds.csv")
    for path in input_files(list(files)):
        if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
            raise UsageError(f"--init: {path} can be read only once", "Save it to a file first.")
    if os.path.lexists(OWN):
        raise UsageError(f"{OWN}: is there already", "Edit it, or move it away.")
    rest = {name: value for name, value in how.items() if name != "loss"}
    report = evaluate(list(files), how["loss"] or None, **rest, engine=running)
    for note in report.notes:
        voice.note(note)
    text = _held(files, report, how, typed, running)
    write_report(OWN, text, input_files(list(files)), voice)
    voice.note("lossctl check runs its gates")


def _held(
    files: Sequence[str], report: "Report", how: Mapping[str, Any], typed: Mapping[str, Any], running: "Running"
) -> str:
    """The first way to write a configuration in which every gate holds.

    Raises:
        DataError: there is none.
    """
    from lossctl.comparison.check import check_gates

    reason = ""
    for roles in (_roles(report), {}):
        by_value: frozenset[str] = frozenset()
        for _ in range(2):
            gates = [*_gates(files, report, by_value)]
            verdicts = check_gates(gates, **{**how, **roles}, engine=running)
            if verdicts.verdict == "pass":
                return "".join(_written(gates, {**typed, **_spelled(roles)}))
            reason = next(one for one in verdicts.lines if not one.startswith("PASS"))
            by_value = frozenset(one.gate.name for one in verdicts.verdicts if one.state == "inconclusive")
    raise DataError(f"--init: no gate holds for {files[0]}: {reason}")


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


def _spelled(roles: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the keys of a configuration."""
    return {{"prediction": "pred"}.get(name, name): [*columns] for name, columns in roles.items()}


def _gates(files: Sequence[str], report: "Report", by_value: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Gates a little above what was measured.

    Args:
        files: the predictions.
        report: what was measured of them.
        by_value: the names of those whose bounds are not to be trusted, so that numbers alone decide.
    """
    file = files[0] if len(files) == 1 else [*files]
    for loss in dict.fromkeys(result.loss for result in report.results):
        name = f"{loss.partition(':')[0]}-not-above"
        limit = _above(max(result.value for result in report.results if result.loss == loss))
        doubtful = {"fail_if": "point"} if name in by_value else {}
        yield {"name": name, "file": file, "loss": loss, "max": limit, **doubtful}
    yield {"name": "enough-rows", "file": file, "min_n": min(result.n for result in report.results)}


def _above(value: float) -> float:
    """A number of few digits a little above a value."""
    if not math.isfinite(value):
        raise DataError(f"--init: the loss is {value}, which no gate can hold", "lossctl doctor says more.")
    wanted = value + MARGIN * abs(value)
    if not wanted:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(wanted))) - 2)
    return float(f"{math.ceil(wanted / step) * step:.3g}")


def _written(gates: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Iterator[str]:
    """The text of a configuration."""
    yield HEAD
    for name, value in settings.items():
        yield f"{name} = {toml(value)}\n"
    for gate in gates:
        yield "\n[[gate]]\n"
        for name, value in gate.items():
            comment = {
                "max": "  # a little above what it was when this was written",
                "fail_if": "  # few rows carry most of the error, so that bounds are not to be trusted",
            }.get(name, "")
            yield f"{name} = {toml(value)}{comment}\n"
    yield TAIL.format(file=toml(gates[0]["file"]), loss=toml(gates[0]["loss"]))


def toml(value: Any) -> str:
    """A value as TOML has it.

    Raises:
        UsageError: it is text that no TOML can hold.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UsageError(f"{value!r} is not UTF-8, and no TOML can hold it")
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
