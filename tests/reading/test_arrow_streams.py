"""An Arrow stream says where it ends; one that does not may be half of what was sent."""

import io
from pipes import fed

import pyarrow as pa
import pyarrow.ipc
import pytest

import lossctl

BATCHES, ROWS = 3, 10
TABLE = pa.table({"y": [0.0] * BATCHES * ROWS, "p": [0.0] * BATCHES * ROWS, "g": ["a", "b"] * (BATCHES * ROWS // 2)})
"""The bytes before the end of a message are zeros, as the marker's are."""


def stream(batches, **options):
    """A stream of so many batches, and how much of it stands before the marker of its end."""
    file = io.BytesIO()
    writer = pa.ipc.new_stream(file, TABLE.schema, options=pa.ipc.IpcWriteOptions(**options))
    for batch in TABLE.to_batches(max_chunksize=ROWS)[:batches]:
        writer.write_batch(batch)
    writer.close()
    return file.getvalue(), len(file.getvalue()) - (4 if options.get("use_legacy_format") else 8)


def evaluated(path):
    return lossctl.evaluate(path, "mse", label="y", prediction="p", engine="serial").results[0].n


FORMS = [{}, {"use_legacy_format": True}, {"compression": "zstd"}]


@pytest.mark.parametrize("way", ["file", "pipe"])
@pytest.mark.parametrize("options", FORMS, ids=str)
@pytest.mark.parametrize("batches", range(BATCHES + 1))
def test_a_stream_without_its_end_is_refused_wherever_it_is_cut(tmp_path, batches, options, way):
    whole, before = stream(batches, **options)
    for body, cut in ((whole, False), (whole[:before], True)):
        path = tmp_path / f"{cut}.arrows"
        if way == "pipe":
            with fed(path, body) as piped:
                outcome = refused(piped)
        else:
            path.write_bytes(body)
            outcome = refused(path)
        if cut:
            assert f"breaks off after {batches * ROWS} rows" in outcome
        elif batches:
            assert outcome == batches * ROWS
        else:
            assert "no data rows" in outcome


def refused(path):
    """What is said of a file, or how many rows it has where it is not refused."""
    try:
        return evaluated(path)
    except lossctl.DataError as error:
        return str(error)
