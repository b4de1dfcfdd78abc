"""Charts as the numbers they are made of, in strict JSON."""

import json
from collections.abc import Sequence
from importlib.metadata import version

from lossctl.rendering.chart import Chart
from lossctl.rendering.picture import writers

SCHEMA_VERSION = 1


class Numbers:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def write(self, charts: Sequence[Chart], *, width: int, height: int, color: bool) -> bytes:  # noqa: ARG002
        """The charts as they are; a number that is not finite is null."""
        whole = {
            "schema_version": SCHEMA_VERSION,
            "lossctl": version("lossctl"),
            "charts": [chart.to_dict() for chart in charts],
        }
        return (json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n").encode()


writers.add(Numbers.name, Numbers())
