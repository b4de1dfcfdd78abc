"""``lossctl`` and ``python -m lossctl``: signals are answered before anything else is loaded.

Of ``python -m lossctl`` Python looks in the working directory for what it needs before it comes here; where that is not
to be trusted, run ``lossctl``, or ``python -P -m lossctl``.
"""

import gc
import os
import sys


def _leave_the_directory() -> None:
    """Look for no module in the working directory: what lies there is data, whatever it is called.

    An empty entry of PYTHONPATH, such as a colon at its end leaves, means the directory and is seldom meant; one that
    names it is.
    """
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        return
    named = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if sys.flags.safe_path or here in map(os.path.abspath, named):
        return
    library = os.path.dirname(os.__file__)
    first = sys.path.index(library) if library in sys.path else 0  # what comes before Python's own modules
    sys.path[:first] = [entry for entry in sys.path[:first] if entry not in {"", here}]
    if "PYTHONPATH" in os.environ:
        os.environ["PYTHONPATH"] = os.pathsep.join(named)  # for workers


_leave_the_directory()

from lossctl.cli import signals  # noqa: E402  (now it is safe to)


def main() -> None:
    """The entry point of the ``lossctl`` script."""
    signals.answer()
    gc.set_threshold(1 << 18)  # what is imported stays: looking for garbage in it took a tenth of a short run
    from lossctl.cli.app import main as run  # noqa: PLC0415  (takes a tenth of a second)

    run()


# Python asks the system for room for frames, 16 kB at a time, and gives it back when the last frame there returns: at
# an edge with every call, a twentieth of a short run. What is called by one that asks for more has room beside it.
if sys.implementation.name == "cpython" and sys.version_info < (3, 15):  # of others it is not known
    main.__code__ = main.__code__.replace(co_stacksize=1 << 16)


if __name__ == "__main__":
    main()
