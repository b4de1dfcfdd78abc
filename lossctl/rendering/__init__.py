"""A result becomes text, a picture, or HTML in a notebook."""
