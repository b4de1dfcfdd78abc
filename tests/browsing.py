"""A browser of this machine that opens pages as their readers do, and hears of whatever a page should not do."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from waiting import HANGS

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""What Chromium and its like are called; none is downloaded."""
BROWSER, SCREENSHOTS = "LOSSCTL_BROWSER", "LOSSCTL_SCREENSHOTS"
"""Variables: the program to use instead, and a folder in which pictures of all pages are left."""
WIDE, NARROW = 1280, 360
"""Pixels from side to side: of a desk, of a telephone."""
WITHIN = ("data:", "blob:")
"""What begins the addresses of what is in a page already."""
GRAVE = ("serious", "critical")
"""The impacts of findings of axe that no page may have."""

UNDRAWN = ".live:not(:has(svg))"
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Within which a page has heard of its new width."""


def program():
    """The path of a browser; ``None`` where there is none."""
    named = os.environ.get(BROWSER)
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Visit:
    """A page in a tab of its own, and what it did that no page should."""

    tab: object
    name: str
    axe: str
    """The program that looks for what keeps people from reading it."""
    complaints: list = field(default_factory=list)

    def go(self, address):
        """Open the page, which may ask for nothing but itself, nor complain."""

        def answer(route):
            if route.request.url == address:
                route.continue_()
            else:
                self.complaints.append(f"asks for {route.request.url[:200]}")
                route.abort()

        self.tab.route(lambda url: not url.startswith(WITHIN), answer)
        self.tab.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.tab.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.tab.on("dialog", self._dismiss)
        self.tab.goto(address)
        self.settle()
        return self

    def settle(self):
        """Wait until the pictures that answer to the mouse are drawn."""
        self.tab.locator(UNDRAWN).first.wait_for(state="detached", timeout=1_000 * HANGS)

    def _dismiss(self, dialog):
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def seen(self, width=WIDE, *, dark=False, printed=False):
        """The page under such conditions."""
        self.tab.emulate_media(color_scheme="dark" if dark else "light", media="print" if printed else "screen")
        self.tab.set_viewport_size({"width": width, "height": 900})
        self.tab.evaluate(TWO_FRAMES)
        self.settle()
        folder = os.environ.get(SCREENSHOTS)
        if folder:
            picture = f"{self.name}-{width}{'-dark' * dark}{'-print' * printed}.png"
            self.tab.screenshot(path=Path(folder, picture), full_page=True)
        return self

    @property
    def overhang(self):
        """How many pixels the whole is wider than the window; a table may scroll inside itself."""
        return self.tab.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")

    def barriers(self, *rules):
        """What axe says keeps some people from reading it, a line each; of all its rules, or of some."""
        if not self.tab.evaluate("'axe' in window"):
            self.tab.evaluate(self.axe)
        # it does not judge text on a gradient, which lies only at an edge where a table goes on
        self.tab.evaluate("document.querySelectorAll('.scroll').forEach(table => table.style.background = 'none')")
        options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
        violations = self.tab.evaluate("options => axe.run(options).then(result => result.violations)", options)
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in violations
            if violation["impact"] in GRAVE
            for node in violation["nodes"]
        ]
