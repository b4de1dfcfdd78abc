"""Draw the pictures of the documents: docs/table.svg and docs/plot.svg.

``python docs/pictures.py`` writes them; ``--into FOLDER`` writes them elsewhere. The same versions of Rich, Altair and
vl-convert draw the same bytes.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

import lossctl
from lossctl.functions.lookup import get_loss
from lossctl.plots.curves import curves
from lossctl.rendering.picture import writers
from lossctl.rendering.renderer import Style, renderers

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 76
SHOWN = ("mse", "mae", "huber:delta=0.5", "log_cosh")


def table() -> bytes:
    """What ``lossctl eval`` prints of a sample file."""
    command = "lossctl eval sample_data/binary.csv -l bce,focal -p p_a -p p_b --grad"
    report = lossctl.evaluate(
        str(ROOT / "sample_data" / "binary.csv"),
        ["bce", "focal"],
        label="label",
        prediction=["p_a", "p_b"],
        gradient=True,
    )
    text = renderers.get("table").render(report.document(), Style(width=WIDTH, color=True))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text), soft_wrap=True)
    # The fonts of whoever looks: a picture fetches nothing.
    form = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("font-family: arial", "font-family: arial, sans-serif")
    return console.export_svg(title=command, unique_id="table", code_format=form).encode()


def plot() -> bytes:
    """The shapes of four losses."""
    return writers.get("svg").write(curves([get_loss(spec) for spec in SHOWN]), width=80, height=15, color=False)


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[sys.argv.index("--into") + 1]) if "--into" in sys.argv else ROOT / "docs"
    for name, picture in {"table.svg": table, "plot.svg": plot}.items():
        (folder / name).write_bytes(picture())
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
