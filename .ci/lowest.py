"""Print constraints.txt, but with the lowest versions that pyproject.toml allows for lossctl and its extras."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("plot", "dask", "remote")

project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
extras = [bound for extra in EXTRAS for bound in project["optional-dependencies"][extra]]
bounds = [re.match(r"([\w.-]+)(?:\[.*\])?>=([^,;\s]+)", bound) for bound in project["dependencies"] + extras]
lowest = {bound[1]: bound[2] for bound in bounds if bound}
if None in bounds:
    sys.exit("pyproject.toml: a dependency has no lowest version")
for line in (ROOT / "constraints.txt").read_text().splitlines():
    if line.partition("==")[0] not in lowest:
        sys.stdout.write(f"{line}\n")
for name, version in lowest.items():
    sys.stdout.write(f"{name}=={version}\n")
