"""The command line: wiring and words, nothing that a library user would miss."""
