"""``lossctl eval``: losses with standard errors, by model and group."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.choices import completing
from lossctl.cli.command import Voice, command
from lossctl.cli.completers import complete_gates, complete_groups
from lossctl.cli.options import (
    Columns,
    Files,
    Input,
    Join,
    LossOptions,
    Order,
    Output,
    RunningOptions,
    column_option,
    loss_option,
    output_option,
    running_option,
)
from lossctl.errors import DataError, UsageError
from lossctl.words import split

if TYPE_CHECKING:
    from lossctl.evaluation.report import Report
    from lossctl.evaluation.result import Result
    from lossctl.rendering.renderer import Renderer

By = Annotated[
    list[str] | None,
    column_option(
        "--by",
        metavar="COL[:UNIT][,COL]",
        help="Group by columns, such as date:month,price:10. Behind the colon hour, day, week, month, quarter, year or "
        "weekday of dates, of numbers how many quantile groups.",
        autocompletion=complete_groups,
    ),
]
Sort = Annotated[
    Order | None,
    output_option("--sort", help="Which groups first; by name, or those of the largest value or n. Default: name."),
]
Top = Annotated[
    int | None,
    output_option("--top", min=1, metavar="N", help="The first N groups only, in every format; gates judge all."),
]
ReductionName = Annotated[
    str | None,
    loss_option(
        "--reduction",
        metavar="{reductions}",
        help="How rows become one number; else the loss's own.",
        autocompletion=completing("reductions"),
    ),
]
Grad = Annotated[bool, output_option("--grad", help="Gradient norms too.")]
Samples = Annotated[int, output_option("--samples", min=0, metavar="N", help="The N worst rows of each result too.")]
Skill = Annotated[
    bool,
    output_option(
        "--skill",
        help="The best constant prediction too, and the skill; its loss, and 1 minus the ratio to it.",
    ),
]
Level = Annotated[
    float | None,
    output_option("--ci", metavar="LEVEL", help="Confidence intervals too, by Student's t; such as of 0.95."),
]
FailAbove = Annotated[
    list[str] | None,
    output_option(
        "--fail-above",
        metavar="[LOSS=]VALUE",
        help="Exit 1 when the loss is above the value; repeatable.",
        autocompletion=complete_gates,
    ),
]
Profile = Annotated[bool, running_option("--profile", help="Say where the time went, on stderr and in JSON.")]


UNSHOWN = {"value": ("--grad", "--samples", "--skill", "--ci"), "csv": ("--samples",), "tsv": ("--samples",)}
"""What a format leaves out: one number is one number, and a row of CSV is a result."""


@command("eval", "lossctl eval preds.csv -l mse,huber --by segment --fail-above mse=0.2")
def evaluate(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    sort: Sort = None,
    top: Top = None,
    losses: LossOptions,
    reduction: ReductionName = None,
    grad: Grad = False,
    samples: Samples = 0,
    skill: Skill = False,
    ci: Level = None,
    fail_above: FailAbove = None,
    output: Output,
    running: RunningOptions,
    profile: Profile = False,
) -> None:
    """Evaluate losses on the predictions in files.

    Prints losses with standard errors, by model and group, and says what it did.
    """
    import sys
    import time

    from lossctl.cli.output import refuse
    from lossctl.evaluation.evaluate import evaluate as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.evaluation.tables import profiled
    from lossctl.rendering.renderer import renderers

    files = files or ["-"]
    how = running.over(files, join)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    written = [(path, _renderer_for(path)) for path in output.output or ()]
    _ensure_shown(
        {"--grad": grad, "--samples": samples > 0, "--skill": skill, "--ci": ci is not None},
        [shown, *dict(written).values()],
    )
    inputs = input_files(files, join.labels) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    _ensure_grouped(by, {"--sort": sort, "--top": top})
    joined = join.asked(files)
    imported = time.process_time()
    gates = [_gate(text) for text in fail_above or ()]
    with output.progress(files) as progress:
        report = measure(
            files,
            **losses.asked(),
            **columns.asked(),
            **joined,
            by=[name for names in by or () for name in split(names) or ("",)],
            reduction=reduction,
            gradient=grad,
            samples=samples,
            skill=skill,
            ci=ci,
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
            profile=profile,
        )
    verdicts = [verdict for gate in gates for verdict in gate.judge(report)]
    report = _arranged(report, sort, top)
    begun = time.perf_counter()
    text = shown.render(report.document(), style)
    if report.profile is not None:
        rendered = time.perf_counter() - begun
        report = replace(report, profile={**report.profile, "import": imported, "render": rendered})
        text = shown.render(report.document(), style)  # with the time that it took to do so
    for note in report.notes:
        voice.note(note)
    for warning in report.warnings:
        voice.warn(warning)
    for path, renderer in written:
        _write(path, renderer.render(report.document(), style), inputs, voice)
    voice.result(text)
    if report.profile is not None:
        where = profiled(report.profile)
        voice.say(*renderers.get("table").render(where, replace(style, color=False)).rstrip().split("\n"))
    failed = [words for words, passed in verdicts if not passed]
    for words, passed in verdicts:
        voice.say(f"{'PASS' if passed else 'FAIL'} {words}")
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Gate:
    """A bound on a loss."""

    loss: str | None
    """``None`` for the only one there is."""
    bound: float

    def judge(self, report: "Report") -> list[tuple[str, bool]]:
        """For each result of the loss, the inequality in full and whether it holds.

        Raises:
            UsageError: no result is of that loss, or no loss is named where there are several.
            DataError: a value is no number.
        """
        names = list(dict.fromkeys(result.loss for result in report.results))
        if self.loss is None and len(names) > 1:
            hint = f"Say which: --fail-above {names[0]}={self.bound!r}."
            raise UsageError("--fail-above VALUE needs a single loss", hint)
        try:
            chosen = report.results if self.loss is None else report.of(self.loss)
        except UsageError as wrong:
            raise wrong.about(f"--fail-above {self.loss}") from None
        several = len({result.model for result in report.results}) > 1
        return [self._verdict(result, several=several) for result in chosen]

    def _verdict(self, result: "Result", *, several: bool) -> tuple[str, bool]:
        title = " ".join(
            [
                result.loss,
                *([result.model] if several else []),
                *(f"{name}={word}" for name, word in result.group.items()),
            ]
        )
        if result.value != result.value:
            raise DataError(f"--fail-above: {title} is not a number", "Nothing was measured, which is never a pass.")
        passed = result.value <= self.bound
        return f"{title} {result.value!r} {'<=' if passed else '>'} {self.bound!r}", passed


def _gate(text: str) -> Gate:
    """Read ``VALUE`` or ``LOSS=VALUE``; a parameter's ``=`` may stand before the last one."""
    name, _, bound = text.rpartition("=")
    try:
        number = float(bound)
    except ValueError:
        raise UsageError(f"--fail-above {text!r}: {bound!r} is not a number", "Write VALUE or LOSS=VALUE.") from None
    if number != number:  # noqa: PLR0124  (NaN)
        raise UsageError("--fail-above nan can neither hold nor fail")
    return Gate(name or None, number)


def _ensure_grouped(by: list[str] | None, asked: dict[str, object]) -> None:
    """Check that there are groups where something is asked of them."""
    for flag in [flag for flag, value in asked.items() if value is not None and not by]:
        raise UsageError(f"{flag} is for groups", "Name columns to group by: --by COL.")


def _arranged(report: "Report", sort: Order | None, top: int | None) -> "Report":
    return report if sort is None and top is None else report.arranged(str(sort or "name"), top)


def _ensure_shown(asked: dict[str, bool], shown: "list[Renderer]") -> None:
    """Check that each flag that is asked for changes what at least one format shows."""
    for flag in [flag for flag, wanted in asked.items() if wanted]:
        if all(flag in UNSHOWN.get(renderer.name, ()) for renderer in shown):
            what = f"{flag} is not shown by --format {shown[0].name}"
            rows = "lossctl samples FILE writes the rows themselves, in any format." if flag == "--samples" else ""
            raise UsageError(what, rows or "Leave it out, or take another format.")


def _renderer_for(path: str) -> "Renderer":
    from lossctl.rendering.renderer import renderers

    for renderer in renderers:
        if renderer.suffixes and path.lower().endswith(renderer.suffixes):
            return renderer
    known = ", ".join(suffix for renderer in renderers for suffix in renderer.suffixes)
    raise UsageError(f"{path}: no output format has this suffix", f"Known: {known}.")


def _write(path: str, text: str, files: tuple[str, ...], voice: Voice) -> None:
    from lossctl.cli.output import replacing

    with replacing(path, files) as file:
        file.write(text.encode(errors="backslashreplace"))  # as stdout does
    voice.note(f"wrote {path}")
