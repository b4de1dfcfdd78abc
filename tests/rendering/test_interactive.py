"""What draws pictures in a page is kept among the caches of the user, and whole wherever it is taken from."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from lossctl.rendering import interactive

SCRIPT = "window.vegaEmbed = null; // é\n"


@pytest.fixture
def made(monkeypatch, tmp_path):
    """How often it is put together; the folder of caches is one of the test."""
    calls = []

    def javascript_bundle():
        calls.append(1)
        return SCRIPT

    monkeypatch.setitem(
        sys.modules, "vl_convert", SimpleNamespace(__version__="1.2", javascript_bundle=javascript_bundle)
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return calls


def kept(tmp_path):
    return tmp_path / "lossctl" / "vega-1.2.js"


def test_it_is_put_together_once_and_nothing_else_is_left(made, tmp_path):
    first, second = interactive.library(), interactive.library()
    assert first == second == SCRIPT + interactive.WHOLE
    assert len(made) == 1
    assert [*kept(tmp_path).parent.iterdir()] == [kept(tmp_path)]
    assert kept(tmp_path).parent.stat().st_mode & 0o077 == 0 or sys.platform == "win32"


@pytest.mark.parametrize("bytes_", [b"", b"window.vega", b"\xff\xfe//", SCRIPT.encode()[:-3]], ids=repr)
def test_half_of_it_is_never_taken(made, tmp_path, bytes_):
    kept(tmp_path).parent.mkdir()
    kept(tmp_path).write_bytes(bytes_)
    assert interactive.library() == interactive.library() == SCRIPT + interactive.WHOLE
    assert len(made) == 1


@pytest.mark.parametrize("there", ["file", "folder", "nowhere", "home", "relative", "zero"])
def test_where_nothing_can_be_kept_it_is_made_each_time(made, tmp_path, monkeypatch, there):
    if there == "file":
        kept(tmp_path).parent.write_text("in the way")
    elif there == "folder":
        kept(tmp_path).mkdir(parents=True)
    elif there == "home":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as where nobody has a home
    else:
        monkeypatch.setattr("os.path.expanduser", lambda path: path)
        places = {"nowhere": "/dev/null/x", "relative": "caches", "zero": "x" * 300}
        monkeypatch.setenv("XDG_CACHE_HOME", places[there])
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert interactive.library() == interactive.library() == SCRIPT + interactive.WHOLE
    assert len(made) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
@pytest.mark.parametrize("whose", ["writable by all", "of another", "linked to one of another"])
def test_what_others_can_write_becomes_no_part_of_a_page(made, tmp_path, monkeypatch, whose):
    interactive.library()
    evil = f"alert(1){interactive.WHOLE}"
    place = tmp_path / "evil.js" if "linked" in whose else kept(tmp_path)
    place.write_text(evil, encoding="utf-8")
    if "linked" in whose:
        kept(tmp_path).unlink()
        kept(tmp_path).symlink_to(place)
    if whose == "writable by all":
        place.chmod(0o666)
    else:
        monkeypatch.setattr("os.geteuid", lambda: place.stat().st_uid + 1)
    assert interactive.library() == SCRIPT + interactive.WHOLE
    if "linked" in whose:
        assert place.read_text(encoding="utf-8") == evil, "the link is replaced, and not what it leads to"


def test_processes_that_keep_it_at_once_all_have_the_whole(made, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        scripts = {*pool.map(lambda _: interactive.library(), range(40))}
    assert scripts == {SCRIPT + interactive.WHOLE}
    assert [*kept(tmp_path).parent.iterdir()] == [kept(tmp_path)]


def test_the_same_bytes_come_from_the_cache(made, monkeypatch):
    script = "a\r\nb\rc\n"
    monkeypatch.setattr(sys.modules["vl_convert"], "javascript_bundle", lambda: script)
    assert {interactive.library(), interactive.library()} == {script + interactive.WHOLE}
