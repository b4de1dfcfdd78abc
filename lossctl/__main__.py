"""``lossctl`` and ``python -m lossctl``: signals are answered before anything else is loaded.

Of ``python -m lossctl`` Python looks in the working directory for what it needs before it comes here; where that is not
to be trusted, run ``lossctl``, or ``python -P -m lossctl``.
"""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    del sys.path[0]  # what lies in the working directory is data, whatever it is called

from lossctl.cli import signals


def main() -> None:
    """The entry point of the ``lossctl`` script."""
    signals.answer()
    from lossctl.cli.app import main as run  # noqa: PLC0415  (takes a tenth of a second)

    run()


if __name__ == "__main__":
    main()
