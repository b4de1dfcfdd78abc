"""In what relative errors are reported: percent, or as a ratio."""

from typing import Annotated

from lossctl.domain import Words

WHOLE = {"percent": 100.0, "ratio": 1.0}
"""What an error as large as its label comes to."""
Unit = Annotated[str, Words(tuple(WHOLE))]
