"""A result becomes text or a picture."""
