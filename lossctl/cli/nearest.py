"""Whether there is a configuration, and where: asked at every start, so that nothing else need be imported for it."""

import os
import re
from collections.abc import Iterator

OWN, SHARED = "lossctl.toml", "pyproject.toml"
PREFIX = "LOSSCTL_"
"""How variables of the environment begin that set options."""
NO_OPTIONS = frozenset({"LOSSCTL_SUMS"})
"""Variables that say something else."""
LARGEST = 1 << 20
"""Bytes of a configuration; what is longer is something else."""
_MENTIONED = (
    rb"""(?m)\btool["']?\s*(?:\.|=\s*\{[^\n]*)\s*["']?lossctl|^\s*(?:lossctl|"lossctl"|'lossctl')\s*(?:\.|=\s*\{)"""
)
"""What a shared file has somewhere that has our table."""


def variables() -> dict[str, str]:
    """The variables of the environment that may set an option; one that is empty counts as not set."""
    return {
        name: text for name, text in os.environ.items() if name.startswith(PREFIX) and text and name not in NO_OPTIONS
    }


def something_is_set() -> bool:
    """Whether a variable or a configuration may set something."""
    return bool(variables()) or any(True for _ in candidates())


def candidates() -> Iterator[str]:
    """The files that may be the configuration, the nearest first, relative to the working directory.

    From there up to the root of its repository, which has ``.git`` in it; where there is none, in the working directory
    alone. In each folder ``lossctl.toml`` comes first, then ``pyproject.toml``, where it may have our table.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return
    for folder in _upwards(here):
        for name in (OWN, SHARED):
            path = os.path.join(folder, name)
            # Our own that cannot be read, be it a link to nowhere, is an error; the other may be somebody else's.
            if os.path.lexists(path) if name == OWN else os.path.isfile(path) and _is_mentioned(path):
                yield os.path.relpath(path, here)


def _upwards(folder: str) -> list[str]:
    """A folder and those above it, up to the root of its repository."""
    folders = [folder]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            return [folder]
        folders.append(above)
    return folders


def _is_mentioned(path: str) -> bool:
    """Whether a shared file may have our table; where it cannot be read, it is somebody else's."""
    try:
        with open(path, "rb") as file:
            return re.search(_MENTIONED, file.read(LARGEST)) is not None
    except OSError:
        return False
