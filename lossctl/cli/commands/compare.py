"""``lossctl compare``: how the losses of models differ from those of the first, on the same rows."""

from typing import Annotated

from lossctl.cli.command import command
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    Files,
    Input,
    Join,
    LossOptions,
    Output,
    ReductionName,
    RunningOptions,
    listed,
    output_option,
)

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
Level = Annotated[float, output_option("--ci", metavar="LEVEL", help="Level of the confidence intervals.")]


@command("compare", "lossctl compare preds.csv -p base=p_a -p new=p_b -l bce --cluster user")
def compare(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    lags: Lags = 0,
    losses: LossOptions,
    reduction: ReductionName = None,
    ci: Level = 0.95,
    anytime: Anytime = None,
    output: Output,
    running: RunningOptions,
) -> None:
    """Compare models with the first, row by row.

    Prints differences with confidence intervals, and a sentence that says what was found.
    """
    import sys
    from dataclasses import replace

    from lossctl.cli.output import refuse, show, write_report
    from lossctl.comparison.compare import compare as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.renderer import for_path

    files = files or ["-"]
    how = running.over(files, join)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    written = [(path, for_path(path)) for path in output.output or ()]
    inputs = input_files(files, join.labels) if written else ()
    for path, _ in written:
        refuse(path, inputs)
    with output.progress(files) as progress:
        comparison = measure(
            files,
            **losses.asked(),
            **columns.asked(),
            **join.asked(files),
            by=listed(by),
            cluster=listed(cluster),
            lags=lags,
            reduction=reduction,
            ci=ci,
            anytime=anytime or anytime == 0,
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
        )
    for note in comparison.notes:
        voice.note(note)
    for warning in comparison.warnings:
        voice.warn(warning)
    for path, renderer in written:
        write_report(path, renderer.render(comparison.document(), style), inputs, voice)
    show(comparison.document(), shown, style, voice)
