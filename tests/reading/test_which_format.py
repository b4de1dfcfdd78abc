"""Of which format a file is: by its name, its first bytes, or what is said."""

import inspect
import re
import sys
from pipes import fed

import pyarrow as pa
import pytest
from figures import digits
from stored import ASKED, ON_DISK, compress, stored_as

import lossctl
from lossctl.reading.format import Reading, formats
from lossctl.reading.location import SUFFIXES as COMPRESSIONS
from lossctl.reading.recognition import mention_of

BUILT_IN = [found for found in formats if type(found).__module__.startswith(formats.package)]


@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_format_may_be_forced_on_any_name(found, everything, expected, tmp_path):
    for suffix in (".dat", "", ".csv", ".parquet", ".jsonl"):
        path = tmp_path / f"rows{suffix}"
        path.write_bytes(stored_as(found, everything))
        assert digits(lossctl.evaluate(path, **ASKED, label="y", reading=Reading(format=found.name))) == expected


@pytest.mark.parametrize("found", [it for it in ON_DISK if it.magic], ids=lambda found: found.name)
def test_a_format_with_a_mark_of_its_own_is_known_without_a_suffix(found, everything, expected, tmp_path):
    path = tmp_path / "rows.of.data"
    path.write_bytes(stored_as(found, everything))
    assert digits(lossctl.evaluate(path, **ASKED, label="y")) == expected


@pytest.mark.parametrize("found", [it for it in ON_DISK if it.magic], ids=lambda found: found.name)
@pytest.mark.parametrize("other", ON_DISK, ids=lambda other: other.name)
def test_a_name_that_belies_its_content_is_an_error_that_names_both(found, other, everything, tmp_path, lossctl):
    if found is other:
        return
    path = tmp_path / f"rows{other.suffixes[0]}"
    path.write_bytes(stored_as(found, everything))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert f"named {other.name} but holds {found.name}" in done.err
    assert f"-F {found.name}" in done.err


@pytest.mark.parametrize("other", ON_DISK, ids=lambda other: other.name)
@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_wrong_format_forced_is_an_error_and_no_bug(found, other, everything, tmp_path, lossctl):
    if found is other or {found.name, other.name} == {"json", "jsonl"}:  # each reads the other
        return
    path = tmp_path / "rows"
    path.write_bytes(stored_as(found, everything))
    done = lossctl("eval", path, "-l", "mse", "-y", "y", "-p", "p", "-F", other.name)
    assert done.status in {2, 3}, done.err
    assert str(path) in done.err or "column" in done.err


def test_a_format_that_does_not_exist_suggests_near_ones(tmp_path, lossctl):
    (tmp_path / "rows.csv").write_text("y,p\n1,2\n")
    done = lossctl("eval", tmp_path / "rows.csv", "-F", "parqet")
    assert (done.status, done.out) == (2, "")
    assert "parquet" in done.err
    assert lossctl("eval", tmp_path / "rows.csv", "-F", "memory").status == 2


def test_an_unknown_suffix_says_how_to_go_on(tmp_path, lossctl):
    (tmp_path / "rows.dat").write_text("y,p\n1,2\n3,4,5\n")
    done = lossctl("eval", tmp_path / "rows.dat", "-l", "mse")
    assert done.status == 3
    assert "-F csv" in done.err
    (tmp_path / "rows.dat").write_text("y,p\n1,2\n")
    assert lossctl("eval", tmp_path / "rows.dat", "-l", "mse", "-F", "csv", "-f", "value").out == "1.0\n"


@pytest.mark.parametrize("found", [it for it in ON_DISK if not it.text], ids=lambda found: found.name)
def test_a_binary_format_inside_a_compression_says_so(found, everything, tmp_path, lossctl):
    path = tmp_path / f"rows{found.suffixes[0]}.gz"
    path.write_bytes(compress(stored_as(found, everything), ".gz"))
    done = lossctl("eval", path, "-l", "mse")
    assert done.status == 3
    assert found.name in done.err
    assert "ecompress" in done.err


@pytest.mark.parametrize("compressed", ["", *COMPRESSIONS])
@pytest.mark.parametrize("found", ON_DISK, ids=lambda found: found.name)
def test_a_pipe_says_what_it_holds_or_is_asked_to(found, compressed, tmp_path, lossctl):
    """A pipe has no suffix: what can be told by the first bytes is, and nothing is measured wrongly."""
    if compressed and not found.text:
        return
    table = pa.table({"y": [1.0, 3.0], "p": [2.0, 5.0]})
    with fed(tmp_path / "pipe", stored_as(found, table, compressed)) as pipe:
        done = lossctl("eval", pipe, "-l", "mse", "-f", "value", "-q")
    if found.name == "tsv":
        assert done.status in {2, 3}
        assert "-d" in done.err or "-F" in done.err
    else:
        assert (done.status, done.out) == (0, "2.5\n"), done.err


@pytest.mark.parametrize("found", BUILT_IN, ids=lambda found: found.name)
def test_a_built_in_format_is_found_by_what_its_module_has_of_its_suffixes_and_its_magic(found):
    text = inspect.getsource(sys.modules[type(found).__module__]).encode()
    for mark in (*found.suffixes, *filter(None, [found.magic])):
        assert re.search(mention_of(mark), text)
