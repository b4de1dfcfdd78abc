"""From bytes, wherever they are, to columns."""
