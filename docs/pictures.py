"""Draw the pictures of the documents: docs/table.svg and docs/plot.svg.

``python docs/pictures.py`` writes them; ``--into FOLDER`` writes them elsewhere. The same versions of Rich, Altair and
vl-convert draw the same bytes. With ``--report`` it draws docs/report.png as well, which takes Playwright and a
Chromium of the system, and has the fonts of the machine.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
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
PAGE = 1240
"""Pixels of a page whose tables are whole."""
SHOWN = ("mse", "mae", "huber:delta=0.5", "log_cosh")
REPORT = "sample_data/clicks.csv -p base=p_main -p new=p_new -l bce --by segment --cluster user"


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


def report() -> bytes:
    """How two models differ, on the page that ``lossctl report`` writes of a sample file."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (the other pictures need no browser)

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder, "report.html")
        command = [sys.executable, "-m", "lossctl", "report", *REPORT.split(), "-q", "-o", str(page)]
        subprocess.run(command, cwd=ROOT, check=True)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        screen = browser.new_page(viewport={"width": PAGE, "height": PAGE}, device_scale_factor=1.5)
        screen.goto(page.as_uri())
        heading, notes = screen.get_by_role("heading", name="Differences"), screen.get_by_text("interval of the change")
        top, bottom = (end.bounding_box()["y"] - 12 for end in (heading, notes))
        return screen.screenshot(full_page=True, clip={"x": 0, "y": top, "width": PAGE, "height": bottom - top})


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[sys.argv.index("--into") + 1]) if "--into" in sys.argv else ROOT / "docs"
    more = {"report.png": report} if "--report" in sys.argv else {}
    for name, picture in {"table.svg": table, "plot.svg": plot, **more}.items():
        (folder / name).write_bytes(picture())
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
