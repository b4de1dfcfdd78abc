"""Text of Parquet that is not UTF-8: an error that names the column where it is used, and none where it is not."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.reading.cells import legible

ROWS = 40
WORDS = pa.array([b"caf\xe9", b"the"] * (ROWS // 2)).view(pa.string())
NUMBERS = pa.array([row % 7 / 8 for row in range(ROWS)])
COMMANDS = {
    "eval": ["-l", "mse"],
    "samples": ["-l", "mse", "-f", "csv"],
    "doctor": [],
    "plot": [],
    "check": ["--init", "-o", "lossctl.toml"],
    "report": ["-o", "report.md"],
}


@pytest.fixture
def run(lossctl, tmp_path, monkeypatch):
    def run(command, columns):
        pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
        return lossctl(command, "rows.parquet", *COMMANDS[command])

    monkeypatch.chdir(tmp_path)
    return run


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["name", "user", "segment"])
def test_a_column_that_nobody_asks_for_changes_nothing(run, command, name):
    done = run(command, {"y": NUMBERS, "pred": NUMBERS, name: WORDS})
    assert done.status == 0, done.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "columns",
    [
        {"label": WORDS, "pred": NUMBERS},
        {"label": WORDS, "pred": WORDS},
        {"label": WORDS, "p_cafe": NUMBERS, "p_the": NUMBERS},
    ],
)
def test_a_column_that_is_used_is_named(run, command, columns):
    done = run(command, columns)
    assert (done.status, "row 1: column 'label' holds text that is not UTF-8" in done.err) == (3, True), done.err


@pytest.mark.parametrize("words", [WORDS, pa.array(["café", "the"] * (ROWS // 2))], ids=["bytes", "words"])
@pytest.mark.parametrize("name", ["tags", "labels", "label"])
def test_lists_of_words_beside_a_label_are_no_label(run, name, words):
    lists = pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), words)
    done = run("report", {"y": NUMBERS, "pred": NUMBERS, name: lists})
    assert done.status == (0 if name == "tags" else 2), done.err


def test_groups_of_such_text_are_an_error_that_says_so(lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"y": NUMBERS, "pred": NUMBERS, "where": WORDS}), "rows.parquet")
    done = lossctl("eval", "rows.parquet", "-l", "mse", "--by", "where")
    assert (done.status, "column 'where' holds text that is not UTF-8" in done.err) == (3, True), done.err


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("view", [False, True])
def test_lists_of_such_text_are_made_legible_in_their_places(view, start):
    words = pa.array([b"a", b"\xff", b"c", None, b"e"]).view(pa.string())
    null = pa.array([False, True, False, False])
    if view:
        starts, sizes = (pa.array(numbers, pa.int32()) for numbers in ([2, 2, 0, 0], [3, 0, 1, 2]))
        lists = pa.ListViewArray.from_arrays(starts, sizes, words, mask=null.take(pa.array([3, 2, 1, 0])))
    else:
        lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 2, 5], pa.int32()), words, mask=null)
    known = [["a", "\ufffd"], None, [], ["c", None, "e"]]
    record = pa.record_batch({"words": lists.slice(start)})
    assert legible(record).column("words").to_pylist() == (known[::-1] if view else known)[start:]
