"""``lossctl schema``: what JSON of lossctl's holds, and what its configuration may, for editors and other programs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lossctl.cli.command import Voice, command
from lossctl.cli.output_options import Quiet
from lossctl.errors import UsageError
from lossctl.words import did_you_mean

FOLDER = Path(__file__).resolve().parents[1] / "schemas"
SCHEMAS = {name: FOLDER / f"{name}.json" for name in sorted(file.stem for file in FOLDER.glob("*.json"))}
"""The schemas that are shipped."""


def title_of(name: str) -> str:
    """What a schema is of."""
    title: str = json.loads(SCHEMAS[name].read_text(encoding="utf-8"))["title"]
    return title


def complete(incomplete: str) -> list[tuple[str, str]]:
    """The schemas, for shell completion."""
    return [(name, title_of(name)) for name in SCHEMAS if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="Of what: an output such as eval, a line of one such as eval-line, or config, which is lossctl.toml; left "
        "out, the list of all.",
        autocompletion=complete,
        show_default=False,
    ),
]


@command("schema", "lossctl schema eval > eval.schema.json")
def schema(
    *,
    name: Name = None,
    quiet: Quiet = 0,
) -> None:
    """Print a JSON Schema of an output, or of the configuration.

    lossctl help json says what stays as it is from version to version.
    An editor that knows TOML takes that of the configuration from the first line of lossctl.toml:
    #:schema lossctl.schema.json
    """
    voice = Voice(quiet)
    if name is None:
        width = max(map(len, SCHEMAS))
        lines = [f"  {name.ljust(width)}  {title_of(name)}" for name in SCHEMAS]
        voice.result("\n".join(["lossctl schema NAME, of these:", "", *lines]) + "\n")
        return
    if name not in SCHEMAS:
        raise UsageError(f"there is no schema of {name!r}", did_you_mean(name, [*SCHEMAS]))
    voice.result(SCHEMAS[name].read_text(encoding="utf-8"))
