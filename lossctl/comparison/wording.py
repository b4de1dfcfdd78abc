"""Groups and numbers in sentences; numbers with the digits that their standard errors warrant."""

from collections.abc import Mapping

from lossctl.rendering.digits import written


def signed(value: float, error: float) -> str:
    """A number with its sign, in the digits that its standard error warrants."""
    text = rounded(abs(value), error)
    return text if not float(text) else f"{'−' if value < 0 else '+'}{text}"


def rounded(value: float, error: float) -> str:
    """A number in the digits that its standard error warrants, six where it has none."""
    return written([value], [error])[0]


def plain(value: float) -> str:
    """A limit as it was given."""
    return f"{value:.15g}"


def spelled(group: Mapping[str, str | None]) -> str:
    """A group as somebody would type it.

    >>> spelled({"g": "a", "h": None})
    'g=a h=null'
    """
    return " ".join(f"{name}={'null' if word is None else word}" for name, word in group.items())


def at(group: Mapping[str, str | None]) -> str:
    """Where something is, to follow what it is about; empty for all rows.

    >>> at({"g": "a", "h": None})
    ' at g=a at h=null'
    """
    return "".join(f" at {spelled({name: word})}" for name, word in group.items())
