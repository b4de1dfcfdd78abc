"""``lossctl samples``: the per-sample table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from lossctl.cli import command
from lossctl.cli.command import Entry, Voice, commands
from lossctl.errors import UsageError
from lossctl.words import split

if TYPE_CHECKING:
    import pyarrow as pa

    from lossctl.evaluation.measure import Measured
    from lossctl.reading import format as formats_contract

Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="File to write, format by suffix: .csv, .tsv, .jsonl, .parquet, .arrow, .arrows. Default: CSV on stdout.",
        rich_help_panel=command.OUTPUT,
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "-f",
        "--format",
        metavar="NAME",
        help="Format on stdout: csv, tsv, jsonl, parquet, arrow or arrows.",
        rich_help_panel=command.OUTPUT,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=1,
        metavar="K",
        help="Only the K rows with the largest loss, worst first.",
        rich_help_panel=command.OUTPUT,
    ),
]


def samples(  # noqa: C901  (each flag is a branch)
    files: command.Files = None,
    input_format: command.InputFormat = None,
    delimiter: command.Delimiter = None,
    no_header: command.NoHeader = False,
    null_values: command.NullValues = None,
    labels: command.LabelFile = None,
    ids: command.Ids = None,
    join: command.Join = "strict",
    label: command.Label = None,
    prediction: command.Prediction = None,
    weight: command.Weight = None,
    classes: command.Classes = None,
    loss: command.Losses = None,
    activation: command.ActivationName = None,
    from_logits: command.FromLogits = False,
    eps: command.Eps = None,
    normalize_rows: command.NormalizeRows = False,
    nulls: command.NullRows = command.NullPolicy.error,
    output: Output = None,
    form: Format = "csv",
    top: Top = None,
    quiet: command.Quiet = 0,
    engine: command.EngineName = None,
    threads: command.Threads = None,
    scheduler: command.Scheduler = None,
    verbose: command.Verbose = False,  # noqa: ARG001  (read by cli.main)
) -> None:
    """Write the loss and gradient of each row.

    The row's own columns stand beside them.
    With several losses, --top ranks by the first of the first model. Rows are numbered from 1, header lines not
    counted. Rows dropped for a null or a weight of 0 are left out, their number is said.
    """
    import os
    import sys

    from lossctl.cli.output import refuse, replacing
    from lossctl.evaluation.evaluate import input_files, several
    from lossctl.evaluation.samples import every_row, worst_rows
    from lossctl.inference.request import Request
    from lossctl.reading.format import Mixed, format_for, formats

    files = files or ["-"]
    running = command.running(files, labels, engine, threads, scheduler)
    voice = Voice(quiet)
    target = formats.get(form) if output is None else format_for(output)
    if output is None and not target.text and sys.stdout.isatty():
        raise UsageError(f"--format {form}: not for a terminal", "Pipe it on, or name a file: -o PATH.")
    command.check_join(files, labels, ids, join)
    inputs = input_files(files, labels) if output is not None else ()
    if output is not None:
        refuse(output, inputs)
    reading = command.reading(input_format, delimiter, null_values, no_header=no_header)
    request = Request(
        loss=loss or [],
        label=several(label),
        prediction=several(prediction),
        weight=weight,
        classes=split(classes),
        activation=activation,
        from_logits=from_logits,
        eps=eps,
        normalize_rows=normalize_rows,
        nulls=nulls.value,
    )
    found = command.prepared(
        voice,
        files,
        request,
        reading,
        labels=labels,
        ids=split(ids),
        join=join,
        others=True,
    )
    source, plan = found.source, found.plan
    for bound in dict.fromkeys(bound for _, bound in plan.losses):
        if bound.activation is not None:
            voice.note(f"{bound}: gradients are with respect to the {bound.wrt}")

    def finish(total: "Measured") -> None:
        dropped = int(total.null.sum() + total.unweighted.sum())
        if dropped:
            voice.note(f"{dropped:,} of {total.rows:,} rows left out: a null or a weight of 0")

    def pieces(*, verbatim: bool) -> "Iterator[pa.RecordBatch]":
        if top is None:
            return every_row(source, plan, finish, verbatim=verbatim)
        return worst_rows(source, plan, top, finish, running, verbatim=verbatim)

    # Text is written as it was read; other formats keep types, unless a carried column turns out to have several.
    if output is None:
        with open(os.devnull if quiet > 1 else sys.stdout.fileno(), "wb", closefd=quiet > 1) as file:
            _write(file, target, pieces(verbatim=not target.typed))
        return
    for verbatim in (not target.typed, True):
        try:
            with replacing(output, inputs) as beside:
                rows = _write(beside, target, pieces(verbatim=verbatim))
        except Mixed:
            if verbatim or source.once:
                raise
        else:
            voice.note(f"wrote {output}: {rows:,} rows")
            return


def _write(file: BinaryIO, target: "formats_contract.Format", pieces: "Iterator[pa.RecordBatch]") -> int:
    """Write the pieces as they come; how many rows there were."""
    writer: formats_contract.Writer | None = None
    rows = 0
    try:
        for piece in pieces:
            if writer is None:
                writer = target.writer(file, piece.schema)
            writer.write_batch(piece)
            rows += piece.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


commands.add(
    "samples",
    Entry("samples", samples, "Example: lossctl samples preds.csv -l huber --top 100 -o worst.parquet"),
)
