"""What describes itself as a document, and so as JSON, as text and in a notebook."""

from abc import ABC, abstractmethod
from typing import Any

from lossctl.document import Document
from lossctl.rendering.renderer import Style, renderers


class Described(ABC):
    """Whatever has a document: shown by its parts, in every form."""

    @abstractmethod
    def document(self) -> Document:
        """All that there is to show."""

    def to_dict(self) -> dict[str, Any]:
        """What ``-f json`` writes, with the version of its schema: strict JSON.

        A number that is not finite is ``None``, and ``nonfinite`` names it.
        """
        return self.document().to_dict()

    def __str__(self) -> str:
        """What ``-f plain`` prints: tables as aligned text, whatever the width."""
        return renderers.get("plain").render(self.document(), Style()).rstrip("\n")

    def _repr_html_(self) -> str:
        from lossctl.rendering.page import fragment  # noqa: PLC0415  (where a notebook asks for it)

        return fragment(self.document())
