"""The version, said here: to ask what is installed brings the parser of e-mails, which takes a run 8 ms."""

__version__ = "0.1.0"
