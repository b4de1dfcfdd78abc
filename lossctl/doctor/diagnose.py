"""What the columns of a data set look like, which pairing fits them, and what is suspicious: in one pass."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from lossctl.arguments import checked
from lossctl.doctor.diagnosis import Diagnosis, ModelTask, Reported
from lossctl.doctor.finding import Case, Evidence, Finding, Severity, findings
from lossctl.doctor.gather import gather
from lossctl.doctor.shell import eval_command, spelled
from lossctl.doctor.survey import described, suggestion, survey
from lossctl.errors import DataError, UsageError
from lossctl.evaluation.complaints import told
from lossctl.evaluation.evaluate import Classes, Label, Names, labels_of, several, specs_of
from lossctl.evaluation.fold import fold
from lossctl.evaluation.running import Progress, Running
from lossctl.evaluation.traversal import Traversal
from lossctl.functions.bound_loss import BoundLoss, get_loss
from lossctl.functions.definition import split_specs
from lossctl.inference.facts import Facts, no_facts
from lossctl.inference.fit import Fit, Settings, fit
from lossctl.inference.layout import Layout, LayoutPlanner
from lossctl.inference.request import Request
from lossctl.inference.roles import choose, find, titled
from lossctl.reading.columns import Column
from lossctl.reading.files import ensure_heeded, narrowed, open_source, warnings_of
from lossctl.reading.format import NULLS, Reading, Source
from lossctl.reading.inferred_types import is_number
from lossctl.words import shell_word, split

ID_NAMES = ("id",)


@checked("loss")
def diagnose(
    source: Any,
    loss: str | Sequence[str] | None = None,
    *,
    label: Names | None = None,
    prediction: Names | None = None,
    weight: str | None = None,
    ids: Names | None = None,
    classes: Classes = (),
    ignore_label: Label | Sequence[Label] = (),
    reading: Reading | None = None,
    command: str | Sequence[str] | None = None,
    engine: str | Running = "threads",
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Look at the columns of a data set, in one pass and bounded memory.

    Nulls, infinities and values outside domains are found, not refused.

    Args:
        source: what `lossctl.evaluate` takes.
        loss: losses the user has in mind; what they need is checked too.
        label, prediction, weight, classes, ignore_label, reading, engine, threads, scheduler, progress: as for
            `lossctl.evaluate`.
        ids: columns that identify a row; a column named ``id`` when left out.
        command: words of a command line that say what to read, quoted, to be repeated in those suggested; the paths
            when left out.

    Raises:
        UsageError: an unknown column, loss or engine.
        DataError: the data cannot be read, or hold no rows.
    """
    running = Running.of(engine, threads, scheduler, progress)
    asked = tuple(get_loss(spec) for spec in split_specs(specs_of(loss)))
    opened = open_source(source, reading)
    ensure_heeded(reading, opened)
    words = _paths(source) if command is None else several(command)
    request = Request(
        (),
        label=several(label),
        prediction=several(prediction),
        weight=weight,
        classes=tuple(split(classes) if isinstance(classes, str) else map(str, classes)),
        ignore_label=labels_of(ignore_label),
    )
    missing = _undetected(opened.columns, request)
    if missing is not None:
        return _columns_only(opened, request, missing, words, running)
    layout = _layout(opened, request, several(ids))
    columns = layout.wanted()
    folded = fold(narrowed(opened, columns.names), columns, partial(gather, layout), no_facts(layout), running)
    facts, passed = folded.total, folded.passed
    if not facts.rows:
        raise DataError(f"{' '.join(opened.files) or 'the table'}: no data rows")
    fits = [fit(facts, layout, index) for index in range(len(layout.models))]
    cases = [Case(facts, layout, index, model_fit, asked) for index, model_fit in enumerate(fits)]
    reported = tuple(_findings(cases, passed))
    commands = _commands(facts, layout, fits, request, asked, words)
    return Diagnosis(
        files=opened.files,
        rows=facts.rows,
        rows_used=facts.used,
        rows_ignored=facts.ignored,
        ignored=layout.ignored,
        roles=tuple(described(facts, layout)),
        models=tuple(_task(model.name, model_fit) for model, model_fit in zip(layout.models, fits, strict=True)),
        commands=commands,
        runs=bool(commands) and not any(finding.stops for finding in reported),
        findings=reported,
        notes=(*warnings_of(opened), *layout.roles.notes, *told(facts.seen, passed, "no double")),
    )


def _paths(source: Any) -> tuple[str, ...]:
    """The paths of a source, as a shell takes them; none of a table in memory."""
    paths = source if isinstance(source, list | tuple) else [source]
    return tuple(shell_word(os.fspath(path)) for path in paths if isinstance(path, str | os.PathLike))


def _undetected(columns: Sequence[Column], request: Request) -> str | None:
    """What is not known of the roles, where names do not tell it; ``None`` where they do.

    Raises:
        UsageError: a column that the user named is not there or does not suit its role.
    """
    try:
        choose(columns, label=request.label, prediction=request.prediction, weight=request.weight)
    except UsageError as wrong:
        if request.label and request.prediction:
            raise
        for role, patterns in (("label", request.label), ("prediction", request.prediction)):
            for pattern in patterns:
                find(titled(pattern, columns)[1] if role == "prediction" else pattern, columns, role)
        if request.weight is not None:
            find(request.weight, columns, "weight")
        return wrong.what
    return None


def _columns_only(
    source: Source,
    request: Request,
    missing: str,
    command: Sequence[str],
    running: Running,
) -> Diagnosis:
    """The diagnosis of data whose columns play no known roles: which columns there are, and what each could be.

    Raises:
        DataError: there are no rows.
    """
    rows, columns = survey(source, running)
    if not rows:
        raise DataError(f"{' '.join(source.files) or 'the table'}: no data rows")
    words = [
        word for flag, name in suggestion(columns, request.label, request.prediction) for word in spelled(flag, name)
    ]
    commands = (" ".join(["lossctl", "doctor", *command, *words]),) if words else ()
    advice = "Say which columns are which with -y and -p."
    reported = Reported("columns-not-recognised", Severity.error, "", missing, advice, stops=True)
    return Diagnosis(
        files=source.files,
        rows=rows,
        rows_used=0,
        rows_ignored=0,
        ignored=tuple(request.ignore_label),
        roles=(),
        models=(),
        commands=commands,
        runs=False,
        findings=(reported,),
        columns=columns,
        notes=warnings_of(source),
    )


def _layout(source: Source, request: Request, ids: Sequence[str]) -> Layout:
    """Which columns play which role, which identify a row, which predictions hold text; all before the pass."""
    planner = LayoutPlanner(source, request)
    layout = planner.layout(rows=any(model.width for model in planner.roles.models))
    text = {name: _no_number(planner, name) for model in layout.models for name in model.columns}
    unread = [model.name for model in layout.models if any(text[name] is not None for name in model.columns)]
    if layout.text and layout.classes is None and _no_number(planner, layout.roles.label[0]) is None:
        layout = replace(layout, class_labels="codes")  # numbers that are written as text
    chosen = tuple(name for pattern in ids for name in find(pattern, source.columns, "id"))
    if not chosen:
        used = {*layout.roles.needed}
        names = [column.name for column in source.columns if column.name not in used]
        chosen = tuple(name for name in names if name.lower() in ID_NAMES)[:1]
    example = next((word for word in text.values() if word is not None), "")
    return replace(layout, ids=chosen, unread=frozenset(unread), unread_text=example)


def _no_number(planner: LayoutPlanner, column: str) -> str | None:
    """The first cell of a column of text that is no number; ``None`` where all are numbers, as far as was looked."""
    if planner.kinds[column] != "text":
        return None
    words = [word for word in planner.head.column(column).to_pylist() if word is not None and word not in NULLS]
    return next((word for word in words if not is_number(word)), None if words else "")


def _findings(cases: Sequence[Case], passed: Traversal) -> Iterator[Reported]:
    """The findings that have evidence, worst first; what models share is reported once."""
    reported: dict[tuple[str, str], tuple[Evidence, Finding, Case]] = {}
    for case in cases:
        for finding in findings:
            evidence = finding.look(case)
            if evidence is not None:
                key = finding.name, evidence.what if finding.shared else case.name
                reported.setdefault(key, (evidence, finding, case))
    order = list(Severity)
    for evidence, finding, case in sorted(reported.values(), key=lambda entry: order.index(entry[1].severity)):
        problem = evidence.problem
        file, row = (None, None) if problem is None else passed.locate(problem.row)
        count = None if problem is None else problem.count
        model = case.name if len(cases) > 1 and not finding.shared else ""
        yield Reported(
            finding.name,
            finding.severity,
            model,
            evidence.what,
            evidence.advice,
            finding.stops,
            count,
            file,
            row,
            evidence.sample,
            evidence.standard_error,
        )


def _commands(
    facts: Facts,
    layout: Layout,
    fits: Sequence[Fit | None],
    request: Request,
    asked: Sequence[BoundLoss],
    command: Sequence[str],
) -> tuple[str, ...]:
    """Command lines to copy, each for the models that the same loss and flags fit.

    Args:
        facts: what the pass saw.
        layout: the roles of the columns.
        fits: the task and pairing of each model.
        request: what the user named.
        asked: the losses the user has in mind.
        command: words that say what to read.
    """
    roles = layout.roles
    shared = list(command)
    for name in request.label or roles.label:
        shared += spelled("label", name)
    if roles.weight is not None:
        shared += spelled("weight", roles.weight)
    if request.classes:
        shared.append(shell_word(f"--classes={','.join(request.classes)}"))
    if request.ignore_label:
        shared.append(shell_word(f"--ignore-label={','.join(request.ignore_label)}"))
    needed = {*roles.needed}
    if any(kind == "null" and column in needed for kind, column, _ in facts.seen.by_key):
        shared += ["--nulls", "drop"]
    patterns = list(request.prediction) or [model.name for model in roles.models]
    grouped: dict[tuple[str, Settings], list[int]] = {}
    for index, model_fit in enumerate(fits):
        if model_fit is not None:
            grouped.setdefault((model_fit.loss, model_fit.settings), []).append(index)
    commands = []
    for (loss, _), indices in grouped.items():
        chosen = fits[indices[0]]
        if chosen is not None:
            fitting = [str(bound) for bound in asked if bound.name in chosen.pairing.losses]
            zeros = _zeros(facts, layout)
            losses = ["mape:zero=max1" if spec == "mape" and zeros else spec for spec in fitting] or [loss]
            commands.append(eval_command(shared, [patterns[index] for index in indices], losses, chosen))
    return tuple(commands)


def _zeros(facts: Facts, layout: Layout) -> bool:
    return facts.met("label zero", layout.roles.label[0]) is not None


def _task(model: str, fit: Fit | None) -> ModelTask:
    if fit is None:
        return ModelTask(model, None, None)
    pairing = fit.pairing
    return ModelTask(model, pairing.task, str(fit.scale), pairing.activations, pairing.losses, fit.why)
