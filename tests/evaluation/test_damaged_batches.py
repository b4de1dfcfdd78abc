"""Rows that are damaged where no format can see it: every engine says the same of them, and no worker says anything."""

import pytest
from ways import FEW

import lossctl


@pytest.mark.parametrize(("engine", "threads"), [way for way in FEW if way[0] != "dask"])
def test_every_engine_names_the_file_and_the_column(engine, threads, damaged_stream, capfd):
    asked = {"label": "y", "prediction": "p", "engine": engine, "threads": threads}
    with pytest.raises(lossctl.DataError, match=r"rows\.arrows: column 't': cannot be read: .*[Oo]ffset"):
        lossctl.evaluate(damaged_stream, "mse", by="t", **asked)
    # What is not looked at does no harm.
    report = lossctl.evaluate(damaged_stream, "mse", **asked)
    assert (report.value, report.results[0].n) == (1.0, 300)
    assert "Traceback" not in capfd.readouterr().err
