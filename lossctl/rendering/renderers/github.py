"""Documents for the log of a GitHub workflow: decisions as annotations, and the whole as text below them.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Mapping

from lossctl.document import Document, Outcome
from lossctl.rendering.renderer import Style, renderers
from lossctl.words import printable

LEVELS: Mapping[str, str] = {"pass": "notice", "fail": "error", "inconclusive": "warning", "error": "error"}
LONGEST = 4000
"""How many signs of a message are shown: GitHub cuts longer ones."""


class GitHub:
    """Workflow commands, then plain text."""

    name = "github"
    suffixes: tuple[str, ...] = ()

    def render(self, document: Document, style: Style) -> str:
        """A line for each decision; then tables, without colour."""
        annotations = "".join(f"{_annotation(outcome)}\n" for outcome in document.outcomes)
        return annotations + renderers.get("plain").render(document, Style(precision=style.precision))


def _annotation(outcome: Outcome) -> str:
    level = "error" if outcome.fails else LEVELS[outcome.state]
    file = f"file={_property(outcome.file)}," if outcome.file else ""
    return f"::{level} {file}title={_property(outcome.name)}::{_message(printable(outcome.words, LONGEST))}"


def _message(text: str) -> str:
    """Text that ends no command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text that ends no property either."""
    return _message(printable(text)).replace(":", "%3A").replace(",", "%2C")


renderers.add(GitHub.name, GitHub())
