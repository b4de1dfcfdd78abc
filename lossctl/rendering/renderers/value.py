"""A document that comes down to one number as that number."""

from lossctl.document import Document
from lossctl.errors import UsageError
from lossctl.rendering.renderer import Style, renderers


class BareValue:
    """The number and nothing else."""

    name = "value"
    suffixes: tuple[str, ...] = ()

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """The shortest text that reads back as the same double.

        Raises:
            UsageError: the document has no number, or several.
        """
        if len(document.values) != 1:
            one = "Ask for one loss of one model without groups, or for another format."
            hint = one if document.values else "Ask for another format."
            raise UsageError(f"a bare value needs one result, not {len(document.values)} results", hint)
        return f"{document.values[0]!r}\n"


renderers.add(BareValue.name, BareValue())
