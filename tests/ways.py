"""Every way to run: engines and threads, and everything a run can be asked for."""

from importlib.util import find_spec

import lossctl
from lossctl.evaluation.engine import engines

WORKERS = (1, 2, 7)

INSTALLED = [engine for engine in engines if engine.name != "dask" or find_spec("distributed")]

WAYS = [(engine.name, threads) for engine in INSTALLED for threads in WORKERS]

FEW = [(name, threads) for name, threads in WAYS if name != "dask" or threads == 2]
"""The ways for tests of hundreds of tiny shards: each costs milliseconds on a cluster."""


def in_turn(items, turn, ways=FEW):
    """Each item with one way: over as many turns as there are ways, every item meets every way."""
    return [(item, *ways[(turn + at) % len(ways)]) for at, item in enumerate(items)]


LARGE = {"loss": ["huber", "log_cosh", "rmse"], "label": "y", "prediction": ["p", "q"], "weight": "w", "by": "g"}


def run(source, asked, **more):
    return lossctl.evaluate(source, **{**asked, **more})


COMMANDS = {
    "eval": ["-l", "huber,mae", "--grad", "--skill", "--by", "g", "--samples", "2"],
    "samples": ["-l", "huber", "--top", "5"],
    "compare": ["-l", "huber,rmse", "-p", "p=prediction", "-p", "q=prediction", "--by", "g", "--cluster", "g"],
    "doctor": [],
    "plot": ["-l", "huber"],
    "report": ["-l", "huber", "--by", "g", "-f", "json"],
    "gradcheck": [],
}
