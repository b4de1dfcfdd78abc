"""``lossctl baseline``: keep what a model came to, so that a later one is held against it without its predictions."""

from enum import StrEnum
from typing import Annotated

import typer

from lossctl.cli.command import command, given, is_typed, prepared, refuse_given
from lossctl.cli.input_options import Input, Join, key_columns
from lossctl.cli.options import By, Cluster, Columns, Files, LossOptions, Reducing, RunningOptions, listed
from lossctl.cli.output_options import Output
from lossctl.errors import UsageError


class Action(StrEnum):
    """What to do with a baseline."""

    save = "save"
    show = "show"


What = Annotated[
    Action, typer.Argument(metavar="save|show", help="Measure files and keep what comes of it, or show what was kept.")
]


@command("baseline", "lossctl baseline save preds.parquet -l bce --id id -o baselines/main.json")
def baseline(
    *,
    action: What,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    by: By = None,
    cluster: Cluster = None,
    losses: LossOptions,
    reducing: Reducing,
    output: Output,
    running: RunningOptions,
) -> None:
    """Keep what a model came to, for later ones to be held against.

    A gate with this file as its baseline compares the same rows, of which no predictions are kept: only exact sums,
    over all rows and in 1,024 buckets of hashed ids, or of clusters. Rows that came, went or changed since are
    left out with their bucket; where these are too many, a gate does not pass.
    """
    import sys
    from dataclasses import replace

    from lossctl.cli.output import refuse, show, write_report
    from lossctl.comparison.baseline import load, measure_baseline
    from lossctl.evaluation.evaluate import input_files
    from lossctl.evaluation.independence import doubts
    from lossctl.inference.request import Request

    voice, style = output.voice, output.style
    shown = output.renderer("table" if sys.stdout.isatty() else "plain")
    if action is Action.show:
        because = "is for save: what is shown was measured before"
        refuse_given(source, join, columns, losses, reducing, running, because=because)
        others = {"by": by, "cluster": cluster, "output": output.output}
        if any(value and is_typed(name) for name, value in others.items()):
            raise UsageError("baseline show takes a file and how to show it, nothing else")
        if not files or len(files) > 1:
            raise UsageError("baseline show takes one file, made by baseline save")
        show(load(files[0]).document(), shown, style, voice)
        return
    files = files or ["-"]
    targets = output.output or []
    if len(targets) != 1 or not targets[0].endswith(".json"):
        raise UsageError("baseline save needs -o PATH.json, one file to keep the baseline in")
    ids = key_columns(join.ids)
    if not ids:
        raise UsageError("baseline save needs --id COL, the columns that identify a row", "A later run has them too.")
    inputs = input_files(files, join.labels)
    refuse(targets[0], inputs)
    request = Request(
        **losses.asked(),
        **columns.asked(),
        **reducing.asked(),
        by=listed(by) or (),
        cluster=listed(cluster) or ids,
        ids=ids,
        judged=True,
    )
    if not join.labels and "--join" in given(join):
        raise UsageError("--join needs --labels FILE, the file to join with")
    joined = join.asked(files) if join.labels else {}
    ready = prepared(voice, files, request, source.reading(voice), **joined)
    for doubt in doubts(ready.plan, ready.source, ready.sides):
        voice.note(doubt)
    with output.progress(files) as progress:
        kept = measure_baseline(ready, replace(running.over(files, join), progress=progress))
    write_report(targets[0], kept.to_json(), inputs, voice)
    show(kept.document(), shown, style, voice)
