"""Documents as a page: one file that holds all it needs, and asks the network for nothing."""

from lossctl.document import Document
from lossctl.rendering.renderer import Style, renderers


class Html:
    """A page of HTML."""

    name = "html"
    suffixes: tuple[str, ...] = (".html", ".htm")

    def render(self, document: Document, style: Style) -> str:
        """The sections one below the other, with pictures, and tables that can be sorted."""
        from lossctl.rendering.page import page

        return page(document, style.precision)


renderers.add(Html.name, Html(), ("htm",))
