"""``lossctl compare``: how the losses of models differ from those of the first, on the same rows."""

from typing import Annotated, Any

import typer

from lossctl.cli.command import Without, command
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import (
    By,
    Cluster,
    Columns,
    LossOptions,
    Order,
    Reducing,
    RunningOptions,
    ensure_grouped,
    listed,
)
from lossctl.cli.output_options import Output, ensure_shown, output_option
from lossctl.cli.result_options import Anytime, Lags, Level

ROWS = ("csv", "tsv", "value", "junit")
"""Formats that have a row, a number or a verdict for each difference, and no room for more."""
UNSHOWN = {"--samples": ROWS, "--plot": (*ROWS, "jsonl")}
PICTURED = ("html",)
"""Formats that are a page, and have the pictures unasked."""
HINTS = {"--plot": "Leave it out, take another format, or write a picture: -o x.svg."}
Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=]FILE...",
        help="A file a model, the first the baseline with the labels; rows matched by --id. Also URLs, globs, "
        "directories, or - for stdin. Where several --pred name models, all are together one data set.",
        show_default=False,
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
Samples = Annotated[
    int,
    output_option(
        "--samples",
        min=0,
        metavar="N",
        help="The N rows that moved most each way; in JSON with all of their columns.",
    ),
]
HEIGHT = 14
"""Lines of a panel in characters; pictures have their own."""


@command("compare", "lossctl compare preds.csv -p base=p_a -p new=p_b -l bce --cluster user")
def compare(
    *,
    files: Models = None,
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
    samples: Samples = 0,
    ci: Level = 0.95,
    anytime: Anytime = None,
    plot: Plot = False,
    written: Written = None,
    output: Annotated[Output, Without("output")],
    running: RunningOptions,
) -> None:
    """Compare models with the first, row by row.

    Prints differences with confidence intervals, and what was found in a sentence.
    """
    import sys
    from dataclasses import replace

    from lossctl.cli.output import refuse, replacing, show, write_report
    from lossctl.comparison.compare import compare as measure
    from lossctl.evaluation.evaluate import input_files
    from lossctl.rendering.picture import image_writers
    from lossctl.rendering.renderer import for_path

    files, several = files or ["-"], columns.prediction is not None and len(columns.prediction) > 1
    apart = len(files) > 1 and not several
    files, names = named_files(files) if apart else (files, [])
    how = running.over(files, join, joined=apart)
    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    images = image_writers() if written else {}
    drawn = [(path, images[suffix]) for path in written or () for suffix in images if path.lower().endswith(suffix)]
    reports = [(path, for_path(path, images)) for path in written or () if path not in dict(drawn)]
    ensure_shown({"--samples": samples > 0, "--plot": plot}, [shown, *dict(reports).values()], UNSHOWN, HINTS)
    ensure_grouped(by, {"--sort": sort, "--top": top})
    pages = {renderer.name for renderer in (shown, *dict(reports).values())}.intersection(PICTURED)
    inputs = input_files(files, join.labels) if written else ()
    for path in written or ():
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
            **reducing.asked(),
            samples=samples,
            ci=ci,
            anytime=anytime or anytime == 0,
            plot=plot or bool(drawn or pages),
            engine=replace(how, progress=progress),
            reading=source.reading(voice),
        )
    if sort is not None or top is not None:
        comparison = comparison.arranged(str(sort or "name"), top)
    if several and len(files) > 1:
        voice.note("the files are together one data set, because several --pred name its models")
    voice.remark(comparison.notes, comparison.warnings)
    for path, writer in drawn:
        with replacing(path, inputs) as file:
            file.write(writer.write(comparison.charts, width=style.width, height=HEIGHT, color=False))
        voice.note(f"wrote {path}")
    whole, bare = comparison.document(), (comparison if plot else replace(comparison, rows=())).document()
    for path, renderer in reports:
        document = whole if renderer.name in PICTURED else bare
        write_report(path, renderer.render(document, style), inputs, voice)
    show(whole if shown.name in PICTURED else bare, shown, style, voice)


def named_files(files: list[str]) -> tuple[list[str], list[str]]:
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
