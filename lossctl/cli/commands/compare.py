"""``lossctl compare``: how the losses of models differ from those of the first, on the same rows."""

from typing import TYPE_CHECKING, Annotated

from lossctl.cli.command import Without, command
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    Files,
    Input,
    Join,
    LossOptions,
    Order,
    Output,
    ReductionName,
    RunningOptions,
    ensure_grouped,
    listed,
    output_option,
)
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.rendering.renderer import Renderer

Anytime = Annotated[
    int | None,
    output_option(
        "--anytime",
        metavar="N",
        min=0,
        help="Intervals that hold at every n at once; tightest at N, 0 is the n of the file.",
    ),
]
Sort = Annotated[
    Order | None,
    output_option(
        "--sort", help="Which groups first; by name, or those of the largest difference (value) or n. Default: name."
    ),
]
Top = Annotated[
    int | None, output_option("--top", min=1, metavar="N", help="The first N groups only, in every format.")
]
Plot = Annotated[
    bool,
    output_option(
        "--plot", help="Draw the differences too; by group with their intervals, and row by row. A file: -o x.svg."
    ),
]
Written = Annotated[
    list[str] | None,
    output_option(
        "-o",
        "--output",
        metavar="PATH",
        help="Write a file too, format by suffix; {output_suffixes}. Repeatable.",
    ),
]
Level = Annotated[float, output_option("--ci", metavar="LEVEL", help="Level of the confidence intervals.")]
DRAWING = ("table", "plain", "markdown", "json")
"""The formats that show pictures, or what they are made of."""
HEIGHT = 14
"""Lines of a panel in characters; pictures have their own."""


@command("compare", "lossctl compare preds.csv -p base=p_a -p new=p_b -l bce --cluster user")
def compare(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    sort: Sort = None,
    top: Top = None,
    losses: LossOptions,
    reduction: ReductionName = None,
    ci: Level = 0.95,
    anytime: Anytime = None,
    plot: Plot = False,
    written: Written = None,
    output: Annotated[Output, Without("output")],
    running: RunningOptions,
) -> None:
    """Compare models with the first, row by row.

    Prints differences with confidence intervals, and a sentence that says what was found.
    """
    import sys
    from dataclasses import replace

    from lossctl.cli.output import refuse, replacing, show, write_report
    from lossctl.comparison.compare import compare as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.picture import image_writers
    from lossctl.rendering.renderer import for_path

    files = files or ["-"]
    how = running.over(files, join)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    images = image_writers()
    drawn = [(path, images[suffix]) for path in written or () for suffix in images if path.lower().endswith(suffix)]
    reports = [(path, for_path(path, images)) for path in written or () if path not in dict(drawn)]
    _ensure_drawn(plot, [shown, *dict(reports).values()])
    ensure_grouped(by, {"--sort": sort, "--top": top})
    inputs = input_files(files, join.labels) if written else ()
    for path in written or ():
        refuse(path, inputs)
    with output.progress(files) as progress:
        comparison = measure(
            files,
            **losses.asked(),
            **columns.asked(),
            **join.asked(files),
            by=listed(by),
            cluster=listed(cluster),
            reduction=reduction,
            ci=ci,
            anytime=anytime or anytime == 0,
            plot=plot or bool(drawn),
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
        )
    if sort is not None or top is not None:
        comparison = comparison.arranged(str(sort or "name"), top)
    for note in comparison.notes:
        voice.note(note)
    for warning in comparison.warnings:
        voice.warn(warning)
    for path, writer in drawn:
        with replacing(path, inputs) as file:
            file.write(writer.write(comparison.charts, width=style.width, height=HEIGHT, color=False))
        voice.note(f"wrote {path}")
    document = (comparison if plot else replace(comparison, rows=())).document()
    for path, renderer in reports:
        write_report(path, renderer.render(document, style), inputs, voice)
    show(document, shown, style, voice)


def _ensure_drawn(plot: bool, shown: "list[Renderer]") -> None:  # noqa: FBT001
    """Check that a format that is asked for has room for pictures."""
    if plot and not any(renderer.name in DRAWING for renderer in shown):
        what = f"--plot is not shown by --format {shown[0].name}"
        raise UsageError(what, "Leave it out, take another format, or write a picture: -o x.svg.")
