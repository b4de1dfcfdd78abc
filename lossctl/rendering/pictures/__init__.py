"""The ways to write charts: text, pages, pictures, numbers."""
