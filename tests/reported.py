"""Situations that people reported of other tools: files as they have them, what is asked of them, what is right."""

import json
import shlex
from dataclasses import dataclass

import pyarrow as pa
import pytest
from joined import store

FORMS = {"eval": "json", "samples": "jsonl", "doctor": "json"}


@dataclass(frozen=True)
class Reported:
    """One of them.

    Args:
        source: where it was reported.
        files: the files by name: text, bytes, or a table.
        asked: command lines, each with what is right: the values of the losses, rows of which each holds at least these
            cells, parts of a diagnosis, or words of an error.
    """

    name: str
    source: str
    files: dict
    asked: dict

    def hold(self, lossctl, folder):
        """Hold the program to what is right."""
        for name, content in self.files.items():
            if isinstance(content, pa.Table):
                store(folder / name, content)
            else:
                (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        for line, expected in self.asked.items():
            words = shlex.split(line)
            done = lossctl(*words, "-f", FORMS[words[0]], "-q")
            if isinstance(expected, str):
                assert (done.status, done.out) == (3, ""), line
                assert expected in done.err, line
                continue
            assert done.status == 0, (line, done.err)
            if words[0] == "samples":
                rows = [json.loads(row) for row in done.out.splitlines()]
                assert [row | cells for row, cells in zip(rows, expected, strict=True)] == rows, line
            elif isinstance(expected, dict):
                assert done.json | expected == done.json, line
            else:
                assert done.values == pytest.approx(expected, rel=1e-15, abs=0), line
