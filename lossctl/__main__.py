"""``python -m lossctl``."""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    del sys.path[0]  # what lies in the working directory is data, whatever it is called

from lossctl.cli.app import main

main()
