"""The door that all text for people passes: nothing that comes through can command, hide or flood."""

import ast
import os
import pickle
import re
import subprocess
from pathlib import Path

import pytest
from deceiving import EVERY, EVIL, leaked, unseen
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.cli.flags import worded
from lossctl.errors import LossctlError, option
from lossctl.functions.loss import losses
from lossctl.words import LINE, NAME, all_printable, near, normal, printable, shell_word, titled

ANY = st.text(st.characters(exclude_categories=()))
"""Lone surrogates too."""
HOSTILE = st.lists(st.one_of(st.sampled_from([EVIL, *EVIL, "\ud800", "\udcff", "x" * 5000]), ANY)).map("".join)


WRITES = re.compile(
    r"print$|pprint|traceback\.print|(sys\.)?(__)?std(out|err)(__)?\.(write|buffer)|os\.write$|typer\.(echo|secho)"
)
"""What writes to a stream of the process."""


def kinds(error):
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_every_sign_is_shown_as_itself_or_escaped_in_ascii():
    text = printable(EVERY, 1 << 30)
    assert leaked(text) == set()
    assert "\n" not in text
    kept = set(text)
    assert all((sign in kept) != unseen(sign) for sign in EVERY)


@given(
    st.lists(st.sampled_from([EVERY, EVIL, "\u3164", "日本", "x" * 50, ""]) | st.text()), st.sampled_from([20, LINE])
)
def test_many_texts_are_as_printable_as_each(texts, most):
    assert [*all_printable(texts, most)] == [printable(text, most) for text in texts]


@given(HOSTILE, st.integers(80, 6000))
def test_what_is_printable_stays_and_what_is_too_long_says_what_is_left_out(text, most):
    shown = printable(text, most)
    assert len(shown) <= most
    assert leaked(shown) == set()
    assert "\n" not in shown
    assert printable(shown, most) == shown
    if not any(map(unseen, text)):
        head, said, tail = re.fullmatch(r"(.*?)(?: … ([\d,]+) characters left out … (.*))?", shown, re.DOTALL).groups()
        if len(text) <= most:
            assert shown == text
        else:
            assert text.startswith(head)
            assert text.endswith(tail)
            assert len(head) + int(said.replace(",", "")) + len(tail) == len(text)


@given(HOSTILE, HOSTILE)
def test_an_error_of_any_kind_is_two_printable_lines_in_every_language(what, hint):
    for kind in kinds(LossctlError):
        made = kind(f"{what}: {option(nulls='drop')}", f"{option('classes')} {hint}").about(what)
        for error in (made, pickle.loads(pickle.dumps(made))):
            for text in (str(error), worded(error.message), f"{error.what}\n{error.hint}"):
                assert leaked(text) == set()
                assert text.count("\n") == 1
            assert leaked(repr(error)) == set()
            assert "nulls='drop'" in str(error) or len(error.what) > LINE - NAME
            assert "--classes" in worded(error.message)


def test_a_file_cannot_hold_what_marks_an_option():
    """Nor can its name or a command line, so no name is worded as an option."""
    for sign in set(option(nulls=["a", "b"])) - set("nulls=ab"):
        with pytest.raises(UnicodeEncodeError):
            sign.encode()
        with pytest.raises(UnicodeEncodeError):
            os.fsencode(sign)


def test_a_shell_reads_a_quoted_word_as_it_is():
    signs = [chr(code) for code in range(1, 256)]
    words = ["", "plain", "it's", "a b", "$(x)`y`\\", "-x", "é\x1bf0", "\udcff0", EVIL, "\\x1b\x1b", *signs, *EVIL]
    line = f"printf '%s\\0' {' '.join(map(shell_word, words))}"
    assert leaked(line) == set()
    assert "\n" not in line
    heard = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout
    assert heard == b"".join(os.fsencode(word) + b"\0" for word in words)


def test_an_option_with_any_value_is_shown_on_a_line_and_quoted():
    error = LossctlError(option(prediction=["it's $(x)", EVIL]))
    assert leaked(worded(error.message) + str(error)) == set()
    assert worded(error.message) == f"-p 'it'\"'\"'s $(x)' -p {shell_word(EVIL)}"


def test_near_names_are_found_in_time_however_long_names_are():
    long = "a" * 5_000_000
    assert near(long, ["a" * 3_000_000, "mse"])[0] == "a" * 3_000_000


@pytest.mark.parametrize("name", ["mse", "mae", "bce", "huber", "log_loss"])
def test_a_slip_in_a_name_suggests_it_before_what_is_rarer_or_refused(name):
    slips = {name[:at] + name[at + 1 :] for at in range(1, len(name)) if len(name) > 3}
    slips |= {name[:at] + sign + name[at + 1 :] for at in range(1, len(name)) for sign in "xsq"}
    slips |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    others = losses.others()
    for slip in slips - {name}:
        if slip not in losses and normal(slip) not in others:
            first = near(slip, [*losses.spellings(), *others])[0]
            assert first in losses, slip
            assert str(losses.unknown(slip)).endswith("?"), slip


def test_names_that_are_one_slip_away_are_suggested_in_their_order_and_the_same_name_before_all():
    assert near("mss", ["mse", "msis", "mis", "mas"]) == ["mse", "msis", "mis"]
    assert near("mase", ["mse", "mae", "mase", "mape"])[0] == "mase"
    assert near("bec", ["mbe", "bce"])[0] == "bce"


def written(tree):
    """The functions in which something is written to a stream of the process, by name."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and WRITES.match(ast.unparse(node.func)):
                    yield function.name


def test_there_is_no_other_way_to_a_terminal():
    """Rows of samples, which a sink takes, are a file and not text for people."""
    ways = {"tell": "command.py", "result": "command.py", "_version": "app.py", "write": "output.py"}
    for path in Path(lossctl.__file__).parent.rglob("*.py"):
        for name in written(ast.parse(path.read_bytes())):
            assert ways.get(name) == path.name, f"{path.name}: {name}"


def test_a_title_names_a_few_files_and_lets_nobody_in():
    addresses = ["s3://user:pass@bucket/a.parquet?key=1#x", "HTTPS://host/b.csv", "odd?name@x.csv", "-", "e.csv"]
    expected = "losses of s3://bucket/a.parquet, HTTPS://host/b.csv, odd?name@x.csv, … (5 files)"
    assert titled("losses", addresses) == expected
    assert (titled("losses", addresses[3:]), titled("losses", [])) == ("losses of stdin, e.csv", "losses")
