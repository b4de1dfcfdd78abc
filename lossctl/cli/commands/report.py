"""``lossctl report``: all that is known of a file of predictions, on one page."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.command import Voice, Without, command
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    LossOptions,
    Reducing,
    RunningOptions,
    ensure_grouped,
    listed,
)
from lossctl.cli.output_options import Output, output_option
from lossctl.cli.result_options import Anytime, FailAbove, Lags, Level, Sort, Top
from lossctl.errors import LossctlError, UsageError
from lossctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossctl.doctor.diagnosis import Diagnosis
    from lossctl.evaluation.plan import Plan
    from lossctl.evaluation.prepared import Prepared
    from lossctl.evaluation.running import Running
    from lossctl.inference.request import Request
    from lossctl.reading.format import Reading
    from lossctl.reading.stamp import Stamp
    from lossctl.rendering.renderer import Renderer
    from lossctl.reporting.dossier import Dossier

FORMATS = ("html", "markdown", "json", "table", "plain")
"""What a page may be written as: the others have a row or a number for each result, which eval writes."""
LOOKED_AT, LEAST = 1 << 17, 1 << 10
"""How many predicted numbers are looked at for findings, in the first rows, and of how many rows at least: it takes a
hundred times as long as to measure them."""
DECISIONS = "Not looked for: these are decisions, of which each is right or wrong, and nothing else is known of them."
"""Why there is no diagnosis of some rows."""
MOST_GROUPS = 2000
"""How many groups a page shows where nobody says."""
Subjects = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=]FILE...",
        help="Files, URLs, globs, directories, or - for stdin; together one data set. With names, NAME=FILE, a file a "
        "model: the first is the baseline with the labels, and rows are matched by --id.",
        show_default=False,
    ),
]
Pages = Annotated[
    list[str] | None,
    output_option(
        "-o",
        "--output",
        metavar="PATH",
        help="The page, format by suffix; .html, .md or .json. Repeatable. With --format, both.",
    ),
]
Format = Annotated[
    str | None,
    output_option(
        "-f",
        "--format",
        metavar="NAME",
        help=f"Format: {', '.join(FORMATS)}. Default: HTML, which is no text for a terminal.",
        autocompletion=lambda incomplete: [name for name in FORMATS if name.startswith(incomplete)],
    ),
]
Samples = Annotated[int, output_option("--samples", min=0, metavar="N", help="How many of the worst rows it has.")]
Skill = Annotated[
    bool,
    output_option(
        "--skill", help="The skill of large data, too; of others it is there, beside the best constant prediction."
    ),
]


@command("report", "lossctl report preds.csv -l huber --by segment -o report.html")
def report(
    *,
    files: Subjects = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    sort: Sort = None,
    top: Top = None,
    lags: Lags = 0,
    losses: LossOptions,
    reducing: Reducing,
    samples: Samples = 10,
    skill: Skill = False,
    ci: Level = 0.95,
    anytime: Anytime = None,
    fail_above: FailAbove = None,
    written: Pages = None,
    form: Format = None,
    output: Annotated[Output, Without("output", "form")],
    running: RunningOptions,
) -> None:
    """Write a page of losses, groups, differences, gradients, worst rows and findings."""
    import sys

    from lossctl.cli.commands.compare import named_files
    from lossctl.cli.commands.eval import gate_of, judged
    from lossctl.cli.commands.explain import screen
    from lossctl.cli.flags import worded
    from lossctl.cli.output import refuse, write_report
    from lossctl.cli.repeated import repeated_line
    from lossctl.evaluation.evaluate import input_files, requested
    from lossctl.evaluation.intervals import check_level
    from lossctl.functions.explanation import find
    from lossctl.rendering.renderer import for_path, pieces
    from lossctl.reporting.compose import Asked, compose

    files, names = named_files(files or ["-"])
    apart = len(files) > 1 and any(names)
    output = replace(output, form=form)
    voice, style = output.voice, output.style
    pages = [(path, _fit(for_path(path, among=FORMATS))) for path in written or ()]
    shown = _shown(output, written=bool(pages), screen=sys.stdout.isatty())
    ensure_grouped(by, {"--sort": sort, "--top": top})
    check_level(ci)
    inputs = input_files(files, join.labels) if pages else ()
    for path, _ in pages:
        refuse(path, inputs)
    gates = [gate_of(text, listed(by) or []) for text in fail_above or ()]
    how = running.over(files, join, joined=apart)
    request = requested(
        **losses.asked(),
        **columns.asked(),
        **reducing.asked(),
        by=listed(by),
        cluster=listed(cluster),
        judged=cluster is not None,
    )
    asked = Asked(ci, samples, skill, lags, anytime or anytime == 0)
    before = _stamps(input_files(files, join.labels))
    opened = partial(_prepared, files, names if apart else [], request, source.reading(voice), join)
    with output.progress(files) as progress:
        ready = opened()
        dossier = compose(ready, replace(how, progress=progress), asked, again=None if _piped(files, join) else opened)
    if gates:
        dossier = replace(dossier, verdicts=judged(gates, dossier.report))
    many = dossier.report.table.groups.n > MOST_GROUPS
    if by and (many or sort is not None or top is not None):
        dossier = dossier.arranged(str(sort or ("n" if many and top is None else "name")), top or MOST_GROUPS)
    plan = ready.plan
    diagnosis, unlooked = _diagnosed(files, source, join, columns, losses, how, voice, dossier, plan, apart=apart)
    _ensure_same(before)
    dossier = replace(
        dossier,
        diagnosis=diagnosis,
        unlooked=unlooked,
        explanations=tuple(screen(find(loss, "loss")[0]) for loss in dict.fromkeys(str(one) for _, one in plan.losses)),
        command=repeated_line(None if apart or join.labels else plan),
        versions=_versions(),
        wording=worded,
    )
    document = dossier.document()
    voice.remark(dossier.notes, dossier.warnings)
    for path, renderer in pages:
        write_report(path, pieces(renderer, document, style), inputs, voice)
    if shown is not None:
        for piece in pieces(shown, document, style):
            voice.result(piece)
    if dossier.verdicts is not None:
        voice.say(*dossier.verdicts.lines)
        raise typer.Exit(dossier.verdicts.exit_code)


def _fit(renderer: "Renderer") -> "Renderer":
    """The renderer, where it writes pages; a `UsageError` where it does not."""
    if renderer.name not in FORMATS:
        what = f"a report is a page, which {renderer.name} has no room for"
        raise UsageError(what, "Take html, markdown or json; lossctl eval writes the numbers in any format.")
    return renderer


def _shown(output: Output, *, written: bool, screen: bool) -> "Renderer | None":
    """What writes the page to stdout; ``None`` where it is for files alone.

    Raises:
        UsageError: it would be HTML on a terminal, or in a format that has no room for it.
    """
    if written and not (output.form or output.json):
        return None
    if screen and not (output.form or output.json):
        raise UsageError("a report is a page of HTML, and not for a terminal", "Write it to a file: -o report.html.")
    return _fit(output.renderer("html"))


def _prepared(files: list[str], names: list[str], request: "Request", reading: "Reading", join: Join) -> "Prepared":
    """The data set, opened: of one file a model where they have names."""
    from lossctl.evaluation.prepared import prepare

    joined = join.asked(files, models=bool(names))
    if not names:
        return prepare(files, request, reading, **joined, others=True)
    from lossctl.comparison.files import prepare_models
    from lossctl.comparison.naming import names_of

    called = names_of(files, names)
    return prepare_models(files, replace(request, paired=True), reading, names=called, **joined, others=True)


def _diagnosed(
    files: list[str],
    source: Input,
    join: Join,
    columns: Columns,
    losses: LossOptions,
    how: "Running",
    voice: Voice,
    dossier: "Dossier",
    plan: "Plan",
    *,
    apart: bool,
) -> "tuple[Diagnosis | None, str]":
    """What doctor finds, and of which rows that is or why there is none."""
    from lossctl.cli.commands.doctor import repeated
    from lossctl.cli.flags import worded
    from lossctl.doctor.diagnose import diagnose
    from lossctl.reading.stamp import Changed

    if apart:
        return None, "Not looked for: each model has a file of its own, and lossctl doctor FILE looks at one."
    if plan.layout.decided:
        return None, DECISIONS
    if _piped(files, join):
        return None, "Not looked for: what comes through a pipe is read once. lossctl doctor looks at it instead."
    most = max(LOOKED_AT // max(1, *(model.width for model in plan.models)), LEAST)
    few = dossier.report.inputs["rows"] <= most
    limit = columns.limit if few else most
    try:
        diagnosis = diagnose(
            files,
            losses.loss or (),
            **replace(columns, limit=limit).asked(),
            **join.asked(files),
            reading=source.reading(voice),
            command=repeated(files, source, join, columns),
            engine=how,
        )
    except Changed:
        raise
    except LossctlError as error:
        return None, f"Not looked for: {worded(error.parts[0])}"
    return diagnosis, "" if few else f"Of the first {most:,} rows; lossctl doctor looks at all of them."


def _piped(files: list[str], join: Join) -> bool:
    """Whether a file can be read only once: stdin, or what has a name and is no file."""
    import os

    return any(
        file == "-" or (os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)))
        for file in (*files, *(join.labels or ()))
    )


def _stamps(files: "Iterable[str]") -> "dict[str, Stamp]":
    """What files of this machine are now."""
    import os

    from lossctl.reading.stamp import stamp_by

    return {file: stamp_by(os.stat(file)) for file in files if os.path.isfile(file)}


def _ensure_same(before: "dict[str, Stamp]") -> None:
    """Refuse files that changed while they were read several times; a `Changed`."""
    import os

    from lossctl.reading.stamp import Changed, same, stamp_by

    for file, stamp in before.items():
        try:
            same(file, stamp, stamp_by(os.stat(file)))
        except OSError:
            raise Changed.of(file, "it is gone") from None


def _versions() -> dict[str, str]:
    """What the page is made with."""
    import platform
    from importlib.metadata import version

    made = {"lossctl": __version__, "Python": platform.python_version()}
    return {**made, "NumPy": version("numpy"), "Arrow": version("pyarrow")}
