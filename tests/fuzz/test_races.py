"""Files that somebody changes at random moments: what comes out is of one file as it was, or an error that says so.

Seeded; ``FUZZ_RUNS`` says how often (``FUZZ_RUNS=5000`` takes some minutes).
"""

import os
import random
import threading
from functools import partial

import pyarrow as pa
import pytest
from stored import stored_as

import lossctl as library
from lossctl.reading import stamp, stamped
from lossctl.reading.format import formats

RUNS = int(os.environ.get("FUZZ_RUNS", "40"))
ROWS = 3000
PAUSE = 0.002
"""Seconds between two changes."""


def bodies(kind):
    """Two files in a format; their columns stand in another order, and their losses are 1 and 4."""
    text, _, compression = kind.partition(".")
    for names, error in ((["y", "p", "g"], 1.0), (["p", "g", "y"], 2.0)):
        label = [row % 4 / 2 for row in range(ROWS)]
        columns = {"y": label, "p": [value + error for value in label], "g": ["a\nb" if text == "csv" else "c"] * ROWS}
        body = stored_as(formats.get(text), pa.table(columns).select(names))
        yield pa.compress(body, compression, asbytes=True) if compression else body


KINDS = {kind: tuple(bodies(kind)) for kind in ("csv", "tsv", "jsonl", "parquet", "arrow", "arrows", "csv.gzip")}


def rename(path, body, chance):
    other = path.with_name("other")
    other.write_bytes(body)
    os.replace(other, path)


def overwrite(path, body, chance):
    with path.open("r+b") as file:
        file.write(body)


def truncate(path, body, chance):
    os.truncate(path, chance.randrange(len(body)))


def append(path, body, chance):
    with path.open("ab") as file:
        file.write(body[-chance.randrange(1, 100) :])


@pytest.fixture
def restless(monkeypatch):
    """Change a file again and again, from a random moment after it was opened first."""
    opened, changing = stamped.open_first, threading.Event()
    monkeypatch.setattr(stamped, "REST", 0.01)

    def open_first(path, known=None):
        stamped = opened(path, known)
        changing.set()
        return stamped

    monkeypatch.setattr("lossctl.reading.location.open_first", open_first)

    def run(seed, path, way, versions, read):
        chance, done = random.Random(seed), threading.Event()

        def change():
            changing.wait()
            done.wait(chance.random() * 4 * PAUSE)
            turn = 0
            while not done.is_set():
                turn += 1
                way(path, versions[turn % 2], chance)
                done.wait(PAUSE)

        changing.clear()
        changer = threading.Thread(target=change)
        changer.start()
        try:
            return read()
        finally:
            changing.set()
            done.set()
            changer.join()

    return run


def test_what_is_read_in_a_race_is_of_one_file_or_an_error(tmp_path, restless):
    ends = {"whole": 0, "changed": 0}
    for seed in range(RUNS):
        chance = random.Random(seed)
        kind, way = chance.choice([*KINDS]), chance.choice([rename, rename, overwrite, truncate, append])
        engine, files = chance.choice(["serial", "threads"]), chance.choice([1, 1, 2])
        path = tmp_path / f"rows.{kind.replace('gzip', 'gz')}"
        path.write_bytes(KINDS[kind][0])
        asked = {"label": "y", "prediction": "p", "engine": engine, "threads": None if engine == "serial" else 2}
        read = partial(library.evaluate, [path] * files, "mse", **asked)
        try:
            report = restless(seed, path, way, KINDS[kind], read)
        except stamp.Changed as changed:
            assert changed.what.startswith(f"{path}: was changed while it was read: "), (seed, kind, way)  # noqa: PT017
            ends["changed"] += 1
        else:
            (result,) = report.results
            assert (result.value, result.n) == (1.0, files * ROWS), (seed, kind, way, engine)
            ends["whole"] += 1
    assert all(ends.values()), ends
