"""``lossctl schema``: what a file of lossctl's may hold, for editors and other programs."""

from pathlib import Path
from typing import Annotated

import typer

from lossctl.cli.command import Voice, command
from lossctl.cli.output_options import Quiet
from lossctl.errors import UsageError
from lossctl.words import did_you_mean

SCHEMAS = {"config": Path(__file__).resolve().parents[1] / "lossctl.schema.json"}
"""The schemas that are shipped."""

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Of what: config, which is lossctl.toml.",
        autocompletion=lambda incomplete: [name for name in SCHEMAS if name.startswith(incomplete)],
    ),
]


@command("schema", "lossctl schema config > lossctl.schema.json")
def schema(
    *,
    name: Name,
    quiet: Quiet = 0,
) -> None:
    """Print a JSON Schema.

    An editor that knows TOML takes it from the first line of lossctl.toml: #:schema lossctl.schema.json
    """
    if name not in SCHEMAS:
        raise UsageError(f"there is no schema of {name!r}", did_you_mean(name, [*SCHEMAS]))
    Voice(quiet).result(SCHEMAS[name].read_text(encoding="utf-8"))
