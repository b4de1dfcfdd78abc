"""The command under test."""

from pathlib import Path

import pytest
from suspicious import write


@pytest.fixture
def doctor(lossctl, tmp_path):
    def call(data, *arguments):
        path = data if isinstance(data, Path) else write(tmp_path / "data file.csv", data)
        return lossctl("doctor", path, *arguments, "--json")

    return call
