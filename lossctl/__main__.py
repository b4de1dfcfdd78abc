"""``python -m lossctl``."""

from lossctl.cli.app import main

main()
