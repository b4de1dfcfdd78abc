"""``lossctl compare``: how the losses of models differ from those of the first, on the same rows."""

from typing import Annotated, Any

import typer

from lossctl.cli.command import command
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    Input,
    Join,
    LossOptions,
    Output,
    ReductionName,
    RunningOptions,
    listed,
    output_option,
)
from lossctl.errors import UsageError

UNSHOWN = ("csv", "tsv", "value", "junit")
"""Formats that have a row, a number or a verdict for each difference, and no room for samples."""
Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=]FILE...",
        help="A file a model, the first the baseline with the labels; rows matched by --id. Also URLs, globs, "
        "directories, or - for stdin. Where several --pred name models, all are together one data set.",
        show_default=False,
    ),
]
Anytime = Annotated[
    int | None,
    output_option(
        "--anytime",
        metavar="N",
        min=0,
        help="Intervals that hold at every n at once; tightest at N, 0 is the n of the file.",
    ),
]
Lags = Annotated[
    int,
    output_option(
        "--lags",
        metavar="H",
        help="Rows are a series in file order, and each moves with the H before it: the test of Diebold and Mariano.",
    ),
]
Samples = Annotated[
    int,
    output_option(
        "--samples",
        min=0,
        metavar="N",
        help="The N rows that got worse most, and the N that got better; in JSON with all of their columns.",
    ),
]
Level = Annotated[float, output_option("--ci", metavar="LEVEL", help="Level of the confidence intervals.")]


@command("compare", "lossctl compare preds.csv -p base=p_a -p new=p_b -l bce --cluster user")
def compare(
    *,
    files: Models = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    lags: Lags = 0,
    losses: LossOptions,
    reduction: ReductionName = None,
    samples: Samples = 0,
    ci: Level = 0.95,
    anytime: Anytime = None,
    output: Output,
    running: RunningOptions,
) -> None:
    """Compare models with the first, row by row.

    Prints differences with confidence intervals, and what was found in a sentence.
    """
    import sys
    from dataclasses import replace

    from lossctl.cli.output import refuse, show, write_report
    from lossctl.comparison.compare import compare as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.renderer import for_path

    files, several = files or ["-"], columns.prediction is not None and len(columns.prediction) > 1
    apart = len(files) > 1 and not several
    files, names = _named(files) if apart else (files, [])
    how = running.over(files, join, joined=apart)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    written = [(path, for_path(path)) for path in output.output or ()]
    if samples and all(renderer.name in UNSHOWN for renderer in (shown, *dict(written).values())):
        raise UsageError(f"--samples is not shown by --format {shown.name}", "Leave it out, or take another format.")
    inputs = input_files(files, join.labels) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    with output.progress(files) as progress:
        comparison = measure(
            files[0] if apart else files,
            **_others(files, names) if apart else {},
            **losses.asked(),
            **columns.asked(),
            **join.asked(files, models=apart),
            by=listed(by),
            cluster=listed(cluster),
            lags=lags,
            reduction=reduction,
            samples=samples,
            ci=ci,
            anytime=anytime or anytime == 0,
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
        )
    if several and len(files) > 1:
        voice.note("the files are together one data set, because several --pred name its models")
    for note in comparison.notes:
        voice.note(note)
    for warning in comparison.warnings:
        voice.warn(warning)
    for path, renderer in written:
        write_report(path, renderer.render(comparison.document(), style), inputs, voice)
    show(comparison.document(), shown, style, voice)


def _named(files: list[str]) -> tuple[list[str], list[str]]:
    """The paths of ``NAME=FILE`` or ``FILE``, and the names, empty where none is given; a file called so is one."""
    import os
    import re

    split = [None if os.path.exists(file) else re.fullmatch(r"([^=/\\:]+)=(.+)", file, re.DOTALL) for file in files]
    pairs = [(file, "") if met is None else (met[2], met[1]) for file, met in zip(files, split, strict=True)]
    return [path for path, _ in pairs], [name for _, name in pairs]


def _others(files: list[str], names: list[str]) -> dict[str, Any]:
    """The models of files but the first, as the library takes them, and what that is called."""
    from lossctl.comparison.naming import names_of

    if not any(names):
        return {"others": files[1:]}
    first, *others = names_of(files, names)
    return {"others": dict(zip(others, files[1:], strict=True)), "baseline": first}
