"""``lossctl doctor``: what the columns look like, which pairing fits, and what is suspicious."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from lossctl.cli.command import Without, command
from lossctl.cli.completers import complete_keys
from lossctl.cli.input_options import Input, Join, key_columns
from lossctl.cli.options import Columns, Files, Losses, RunningOptions, column_option
from lossctl.cli.output_options import Output, output_option
from lossctl.words import shell_word

Ids = Annotated[
    str | None,
    column_option(
        "--id",
        metavar="COL[=COL][,COL]",
        help="Columns that identify a row; with --labels, in both files, NAME=OTHER where the labels call it OTHER. "
        "Left out: a column named id, or the key that both share.",
        autocompletion=complete_keys,
    ),
]
Strict = Annotated[bool, output_option("--strict", help="Exit 1 when a finding is an error or a warning.")]


@command("doctor", "lossctl doctor preds.csv")
def doctor(
    *,
    files: Files = None,
    source: Input,
    join: Annotated[Join, Without("ids")],
    ids: Ids = None,
    columns: Columns,
    loss: Losses = None,
    strict: Strict = False,
    output: Annotated[Output, Without("output", "precision")],
    running: RunningOptions,
) -> None:
    """Look at the columns before you evaluate them.

    Says in one pass what each column holds, which task that is, which loss and activation fit, with the command line to
    copy, and what is suspicious: logits taken for probabilities, swapped columns, leaks, duplicate ids and the like.
    Nulls and illegal values are found, not refused.
    """
    import sys

    from lossctl.cli.output import show
    from lossctl.doctor.diagnose import diagnose

    files = files or ["-"]
    joined = join.asked(files)
    how = running.over(files, join)
    voice, renderer = output.voice, output.renderer("table" if sys.stdout.isatty() else "plain")
    with output.progress(files) as progress:
        found = diagnose(
            files,
            loss or (),
            **columns.asked(),
            **{**joined, "ids": key_columns(ids)},
            reading=source.reading(voice),
            command=repeated(files, source, join, columns),
            engine=replace(how, progress=progress),
        )
    if not output.is_json:
        for note in found.notes:
            voice.note(note)
    show(found.document(), renderer, output.style, voice)
    if strict and found.suspicious:
        raise typer.Exit(1)


def repeated(files: list[str], source: Input, join: Join, columns: Columns) -> list[str]:
    """What a suggested command line repeats of which rows are read, and how, as a shell takes it."""
    return [*_repeated(files, source), *_joined(join), *_chosen(columns)]


def _chosen(columns: Columns) -> list[str]:
    """Which rows a suggested command line is about, as a shell takes it."""
    where = [] if columns.where is None else [f"--where={shell_word(columns.where)}"]
    return where + ([] if columns.limit is None else [f"--limit={columns.limit}"])


def _repeated(files: list[str], source: Input) -> list[str]:
    """What a suggested command line repeats of how its files are read, as a shell takes it."""
    words = [shell_word(f"./{path}" if path.startswith("-") else path) for path in files if path != "-"]
    words += ["-F", shell_word(source.input_format)] if source.input_format is not None else []
    words += ["-d", shell_word(source.delimiter)] if source.delimiter is not None else []
    words += ["--no-header"] if source.no_header else []
    words += ["--no-verify"] if source.no_verify else []
    words += [shell_word(f"--null-values={text}") for text in source.null_values or ()]
    for flag, value, usual in (
        ("--quote", source.quote, '"'),
        ("--decimal", source.decimal, "."),
        ("--thousands", source.thousands, None),
        ("--comment", source.comment, None),
        ("--skip-rows", source.skip_rows, 0),
        ("--encoding", source.encoding, None),
        ("--max-line", source.max_line, None),
        ("--timeout", source.timeout, 30.0),
    ):
        words += [shell_word(f"{flag}={value}")] if value != usual else []
    return words


def _joined(join: Join) -> Iterator[str]:
    """What it repeats of where the labels are; the key is added by who knows it."""
    for path in join.labels or ():
        yield shell_word(f"--labels={path}")
    if join.join != "strict":
        yield shell_word(f"--join={join.join}")
