"""Numbers in sentences, with the digits that their standard errors warrant."""

from lossctl.rendering.digits import Figure, written


def signed(value: float, error: float) -> str:
    """A number with its sign, in the digits that its standard error warrants."""
    text = rounded(abs(value), error)
    return text if not float(text) else f"{'−' if value < 0 else '+'}{text}"


def rounded(value: float, error: float) -> str:
    """A number in the digits that its standard error warrants, six where it has none."""
    return written([Figure(value, error if error > 0 else None)])[0]


def plain(value: float) -> str:
    """A limit as it was given."""
    return f"{value:.15g}"
