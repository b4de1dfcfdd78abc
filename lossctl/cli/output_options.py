"""Options of what is written: in which format, where, and how it looks (see `lossctl.cli.options`)."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lossctl.cli.choices import completing
from lossctl.cli.command import Color, Voice, progress_bar, style_of
from lossctl.dataclass import dataclass
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.rendering.renderer import Renderer, Style

output_option = partial(typer.Option, rich_help_panel="Output")

Quiet = Annotated[
    int,
    output_option("-q", "--quiet", count=True, help="No notes; twice: nothing but the exit status."),
]


@dataclass(frozen=True)
class Output:
    """What is written where."""

    form: Annotated[
        str | None,
        output_option(
            "-f",
            "--format",
            metavar="NAME",
            help="Format: {renderers}. Default: for people.",
            autocompletion=completing("renderers"),
        ),
    ] = None
    json: Annotated[bool, output_option("--json", help="Short for --format json: strict JSON.")] = False
    output: Annotated[
        list[str] | None,
        output_option(
            "-o", "--output", metavar="PATH", help="Write a file too, format by suffix; {report_suffixes}. Repeatable."
        ),
    ] = None
    precision: Annotated[
        int | None,
        output_option(
            "--precision",
            min=1,
            max=17,
            metavar="N",
            help="Significant digits in tables. Default: what the standard error warrants, which has two; else 6.",
        ),
    ] = None
    color: Annotated[Color, output_option("--color", help="When to colour.")] = Color.auto
    no_progress: Annotated[bool, output_option("--no-progress", help="No progress bar.")] = False
    quiet: Quiet = 0

    @property
    def voice(self) -> Voice:
        """Where words go."""
        return Voice(self.quiet, self.color)

    @property
    def style(self) -> "Style":
        """How to write for the terminal there is."""
        return style_of(self.color, self.precision)

    @property
    def is_json(self) -> bool:
        """Whether the result is to be one object of JSON."""
        return self.json or self.form == "json"

    def renderer(self, usual: str) -> "Renderer":
        """What writes the result.

        Args:
            usual: the name of what writes it where none is asked for.

        Raises:
            UsageError: nothing has that name, or two are asked for.
        """
        from lossctl.rendering.renderer import renderers

        if self.json and self.form not in {None, "json"}:
            raise UsageError(f"--json and --format {self.form} ask for two formats", "Give one.")
        return renderers.get("json" if self.json else self.form or usual)

    def progress(self, files: list[str]) -> "AbstractContextManager[Callable[[int], None]]":
        """See `progress_bar`."""
        return progress_bar(files, wanted=not (self.no_progress or self.quiet))


def ensure_shown(
    asked: dict[str, bool], shown: "list[Renderer]", unshown: Mapping[str, Collection[str]], hints: Mapping[str, str]
) -> None:
    """Check that each flag that is asked for changes what at least one format shows.

    Args:
        asked: by flag, whether it is.
        shown: the formats, that of the screen first.
        unshown: by flag, the names of formats that leave it out.
        hints: by flag, what to do; where there is none, what always helps.
    """
    for flag in [flag for flag, wanted in asked.items() if wanted]:
        if all(renderer.name in unshown[flag] for renderer in shown):
            hint = hints.get(flag, "Leave it out, or take another format.")
            raise UsageError(f"{flag} is not shown by --format {shown[0].name}", hint)
