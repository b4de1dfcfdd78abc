"""``lossctl samples``: the per-sample table."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

from lossctl.cli.choices import completing
from lossctl.cli.command import Voice, command, prepared
from lossctl.cli.input_options import Input, Join
from lossctl.cli.options import Columns, Files, LossOptions, RunningOptions
from lossctl.cli.output_options import Quiet, output_option
from lossctl.cli.signals import is_quiet
from lossctl.errors import LossctlError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from lossctl.cli.output import Sink
    from lossctl.evaluation.measured import Measured
    from lossctl.evaluation.plan import Plan
    from lossctl.evaluation.shared_samples import Written
    from lossctl.reading import format as formats_contract

Path = Annotated[
    str | None,
    output_option(
        "-o",
        "--output",
        metavar="PATH",
        help="File to write, format by suffix; {format_suffixes}. Default: stdout.",
    ),
]
Format = Annotated[
    str | None,
    output_option(
        "-f",
        "--format",
        metavar="NAME",
        help="Format: {written_formats}. The rows are a file and no report. Default: by the suffix of the file, CSV "
        "on stdout.",
        autocompletion=completing("written_formats"),
    ),
]
Top = Annotated[
    int | None,
    output_option("--top", min=1, metavar="K", help="Only the K rows with the largest loss, worst first."),
]


WIDE = 20
"""Numbers of a row from which on nobody reads them all."""


@command("samples", "lossctl samples preds.csv -l huber --top 100 -o worst.parquet")
def samples(
    *,
    files: Files = None,
    source: Input,
    join: Join,
    columns: Columns,
    losses: LossOptions,
    output: Path = None,
    form: Format = None,
    top: Top = None,
    quiet: Quiet = 0,
    running: RunningOptions,
) -> None:
    """Write the loss and gradient of each row.

    The row's own columns stand beside them.
    With several losses, --top ranks by the first of the first model. Rows are numbered from 1, header lines not
    counted. Rows dropped for a null, a weight of 0 or an ignored label are left out, their number is said.
    """
    from lossctl.cli.output import refuse, standard_output
    from lossctl.evaluation.evaluate import input_files
    from lossctl.evaluation.samples import worst_rows
    from lossctl.evaluation.shared_samples import shared_rows
    from lossctl.inference.request import Request
    from lossctl.reading.format import is_written_in_python

    files = files or ["-"]
    voice = Voice(quiet)
    target = _format(form, output)
    how = running.over(files, join, returned=top is None and not is_written_in_python(target))
    joined = join.asked(files)
    inputs = input_files(files, join.labels)
    if output is not None:
        refuse(output, inputs)
    request = Request(**losses.asked(), **columns.asked())
    ready = prepared(voice, files, request, source.reading(voice), **joined, others=True)
    data, plan = ready.source, ready.plan
    for bound in dict.fromkeys(bound for _, bound in plan.losses):
        if bound.activation is not None:
            voice.note(f"{bound}: gradients are with respect to the {bound.wrt}")

    width = max(model.width for model in plan.models)
    if output is None and width > WIDE:
        voice.note(
            f"each row has {width:,} numbers, and as many of the gradient; to look at, lossctl eval --samples "
            f"{top or 'N'} names the largest of the worst rows"
        )
    finish = partial(_finish, voice, plan)

    def pieces(*, verbatim: bool) -> "Iterator[pa.RecordBatch | Written]":
        if top is None:
            return shared_rows(data, plan, finish, how, target, verbatim=verbatim, several_types=not target.typed)
        return worst_rows(data, plan, top, finish, how, verbatim=verbatim, several_types=not target.typed)

    if output is not None:
        rows = _save(output, inputs, target, pieces, voice, once=data.once)
        voice.note(f"wrote {output}: {rows:,} rows")
        return
    with standard_output(inputs, wanted=quiet < 2) as sink:
        _write(sink, target, pieces(verbatim=not target.typed), voice)


def _finish(voice: Voice, plan: "Plan", total: "Measured", chosen: Iterable[str], warnings: Iterable[str]) -> None:
    """Say what was left out, and what is to be warned of."""
    from lossctl.evaluation.complaints import remarks, taken_for_null

    voice.remark((*chosen, *remarks(plan, total)), (*taken_for_null(plan, total.problems), *warnings))


def _save(
    path: str,
    inputs: tuple[str, ...],
    target: "formats_contract.Format",
    pieces: "Callable[..., Iterator[pa.RecordBatch | Written]]",
    voice: Voice,
    *,
    once: bool,
) -> int:
    """Write a file; how many rows there were.

    Text is written as it was read; other formats keep types, unless a carried column turns out to have several.
    """
    from lossctl.cli.output import replacing
    from lossctl.reading.format import Mixed

    try:
        with replacing(path, inputs) as sink:
            once = once or sink.stays
            return _write(sink, target, pieces(verbatim=not target.typed), voice)
    except Mixed:
        if not target.typed or once:
            raise
    with replacing(path, inputs) as sink:
        return _write(sink, target, pieces(verbatim=True), voice)


def _format(form: str | None, path: str | None) -> "formats_contract.Format":
    """The format asked for, else by the suffix of the file, else CSV.

    Raises:
        UsageError: there is none of that name or suffix, or a terminal cannot show it.
    """
    import sys

    from lossctl.reading.format import format_for, formats, is_written, not_written

    if path is not None and form is None:
        return format_for(path)
    target = formats.get(form or "csv")
    if not is_written(target):
        raise not_written(target)
    if path is not None:
        return target
    if not target.text and sys.stdout.isatty():
        raise UsageError(f"--format {form}: not for a terminal", "Pipe it on, or name a file: -o PATH.")
    return target


def _write(
    sink: "Sink", target: "formats_contract.Format", pieces: "Iterator[pa.RecordBatch | Written]", voice: Voice
) -> int:
    """Write the pieces as they come; how many rows there were.

    What cannot be finished gets no end marker. Text has none that could be missed, so its rows are counted on stderr.
    """
    from lossctl.evaluation.shared_samples import Written
    from lossctl.reading.writing import CheckedWriter

    writer: CheckedWriter | None = None
    rows = 0
    try:
        for piece in pieces:
            if writer is None:
                writer = CheckedWriter(target, cast("BinaryIO", sink), piece.schema)
            if isinstance(piece, Written):
                writer.append(piece.text)
            else:
                writer.write_batch(piece)
            rows += piece.num_rows
        if writer is not None:
            writer.close()
    except BaseException as why:
        sink.abandoned = True
        if sink.stays and sink.begun and target.text and not is_quiet(why):
            about = "" if isinstance(why, LossctlError) else "at least "  # a signal may come amid a piece
            voice.warn(f"{sink.title}: ends after {about}{rows:,} rows, which are not all")
        raise
    return rows
