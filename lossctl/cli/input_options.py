"""Options of what is read: how files are, and which labels they are joined with (see `lossctl.cli.options`)."""

from collections.abc import Iterable
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lossctl.cli.choices import completing
from lossctl.cli.command import Voice, given, is_typed
from lossctl.cli.completers import complete_keys, complete_null_words
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError
from lossctl.words import size_of, split

if TYPE_CHECKING:
    from lossctl.reading.format import Reading

OF_READING = {"input_format": "format", "no_header": "header", "null_values": "column_nulls", "no_verify": "verify"}
"""Which fields of a `lossctl.Reading` options are that are not called like them."""
input_option = partial(typer.Option, rich_help_panel="Input")


@dataclass(frozen=True)
class Input:
    """How to read files that do not say it themselves."""

    input_format: Annotated[
        str | None,
        input_option(
            "-F",
            "--input-format",
            metavar="NAME",
            help="Format: {formats}. Else known by suffix and first bytes.",
            autocompletion=completing("formats"),
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        input_option("-d", "--delimiter", metavar="CHAR", help="What separates the cells of delimited text."),
    ] = None
    no_header: Annotated[bool, input_option("--no-header", help="The first line is data; columns are #1, #2, …")] = (
        False
    )
    null_values: Annotated[
        list[str] | None,
        input_option(
            "--null-values",
            metavar="[COL=]A,B",
            help="What a missing number looks like; instead of nothing, NA, N/A, #N/A, null, NULL, None, NaN, nan in "
            "text. With COL=, in that column alone. Repeatable.",
            autocompletion=complete_null_words,
        ),
    ] = None
    quote: Annotated[
        str,
        input_option("--quote", metavar="CHAR", help="What a cell may stand in: \" or ', or none; in delimited text."),
    ] = '"'
    decimal: Annotated[
        str, input_option("--decimal", metavar="CHAR", help="Decimal mark: . or a comma; of delimited text.")
    ] = "."
    thousands: Annotated[
        str | None,
        input_option("--thousands", metavar="CHAR", help="Sign between groups of three digits; in delimited text."),
    ] = None
    comment: Annotated[
        str | None,
        input_option("--comment", metavar="CHAR", help="How a line begins that is none, such as #; in delimited text."),
    ] = None
    skip_rows: Annotated[
        int,
        input_option(
            "--skip-rows", metavar="N", min=0, help="How many lines stand above the header; of delimited text."
        ),
    ] = 0
    encoding: Annotated[
        str | None,
        input_option("--encoding", metavar="NAME", help="How text is encoded, such as latin-1. Default: UTF-8."),
    ] = None
    max_line: Annotated[
        str | None,
        input_option("--max-line", metavar="SIZE", help="How long a line of text may be, such as 512M. Default: 256M."),
    ] = None

    timeout: Annotated[
        float,
        input_option(
            "--timeout", metavar="SECONDS", help="How long a store or server may take; for each answer, of up to 8 MiB."
        ),
    ] = 30.0
    no_verify: Annotated[bool, input_option("--no-verify", help="Do not check the checksums of Parquet's pages.")] = (
        False
    )

    def reading(self, voice: Voice | None = None) -> "Reading":
        """The same as the library takes it; the voice tells what a store is asked for once more.

        Raises:
            UsageError: ``--max-line`` is no size, or ``--timeout`` no time.
        """
        from lossctl.reading.format import NULLS, Reading
        from lossctl.reading.waiting import patience

        if voice is not None:
            patience.tell = voice.warn

        words = _null_words(self.null_values or ())
        reading = Reading(
            self.input_format,
            self.delimiter,
            not self.no_header,
            words.pop("", NULLS),
            words,
            quote=self.quote,
            comment=self.comment,
            skip_rows=self.skip_rows,
            encoding=self.encoding,
            decimal=self.decimal,
            thousands=self.thousands,
            timeout=self.timeout,
            verify=not self.no_verify,
            optional=tuple(OF_READING.get(one.name, one.name) for one in fields(self) if not is_typed(one.name)),
        )
        if self.max_line is None:
            return reading
        size = size_of(self.max_line)
        if size is None:
            raise UsageError(f"--max-line {self.max_line!r} is no size", "Such as 512M, 1G, or a number of bytes.")
        return replace(reading, max_line=size)


def _null_words(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The words of ``A,B`` and ``COL=A,B`` by column; those of no column are under the empty name."""
    words: dict[str, tuple[str, ...]] = {}
    for text in given:
        column, sign, listed = text.rpartition("=")
        name, listed = (column, listed) if column else ("", sign + listed)
        words[name] = (*words.get(name, ()), *(part.strip() for part in listed.split(",")))
    return words


def key_columns(ids: str | None) -> tuple[str, ...]:
    """The columns of a key as they are typed; an empty word is the one without a name."""
    return split(ids) or (() if ids is None else ("",))


@dataclass(frozen=True)
class Join:
    """Labels from another file, and how they are matched."""

    labels: Annotated[
        list[str] | None,
        input_option("--labels", metavar="FILE", help="File with the labels; matched by --id, or in order."),
    ] = None
    ids: Annotated[
        str | None,
        input_option(
            "--id",
            metavar="COL[=COL][,COL]",
            help="Key columns of a row; NAME=OTHER where the labels call it OTHER.",
            autocompletion=complete_keys,
        ),
    ] = None
    join: Annotated[
        str,
        input_option(
            "--join",
            metavar="{joins}",
            help="What must match; every key in both files, keys in both only, or every prediction, or, without --id, "
            "rows in order.",
            autocompletion=completing("joins"),
        ),
    ] = "strict"

    def asked(self, files: list[str], *, models: bool = False) -> dict[str, Any]:
        """The arguments of `lossctl.evaluate`.

        Args:
            files: those of the predictions.
            models: whether each is of a model of its own, so that rows are matched without labels, too.

        Raises:
            UsageError: ``--id`` or ``--join`` without ``--labels``, or stdin on both sides.
        """
        if "-" in files and "-" in (self.labels or ()):
            raise UsageError("stdin can be read only once")
        if not self.labels and not models and any(given(self)):
            raise UsageError("--id and --join need --labels FILE, the file to join with")
        return {"labels": self.labels, "ids": key_columns(self.ids), "join": self.join}
