"""What is written column by column is what dictionaries come to, sign for sign."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.arrow import filled, in_arrow, in_numpy, words_in_arrow
from lossctl.document import Document, strict
from lossctl.records import Columns, Records, Same, Some
from lossctl.rendering.long_records import shortest
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.renderers import delimited, records

SEEDS = st.integers(0, 2**32 - 1)
ODD = [0.0, -0.0, 1e-4, 9.999999999999999e-5, 1e10, 9999999999.999998, 17.0, 5e-324, math.nan, math.inf, -math.inf]
WORDS = [
    None,
    "",
    "a,b",
    "a\tb",
    'q"',
    "back\\slash",
    "new\nline",
    "\r",
    "\0",
    "7",
    "=7",
    "\ufeff",
    "\x7f",
    "é\u2028",
    "𝄞",
]


def doubles(rng, n):
    """Doubles of any bits, those that are written in a way of their own, and those of few digits."""
    bits = np.frombuffer(rng.bytes(8 * n), dtype=np.float64)
    anything = np.where(np.isnan(bits), math.nan, bits)  # no sum comes to a NaN that signals
    short = [float(f"{size:.3g}") for size in 10 ** rng.uniform(-6, 12, n)]
    return np.choose(rng.integers(3, size=n), [anything, rng.choice(ODD, n), short])


def words(rng, n):
    """One text that has to be quoted, or is none, among plain ones or texts of any signs."""
    odd, plain = WORDS[rng.integers(len(WORDS))], rng.random() < 0.5
    others = ["user_7" if plain else "".join(map(chr, rng.integers(0, 0xD800, rng.integers(4)))) for _ in range(n)]
    return [odd if rng.random() < 0.5 else other for other in others]


def parts(rng):
    n = int(rng.integers(1, 9))
    some = lambda: rng.random(n) < 0.5  # noqa: E731
    numbers, present = doubles(rng, n), some()
    present[-1] = True
    constants = [
        tuple(doubles(rng, 3)[: rng.integers(4)].tolist()) if many else number
        for many, number in zip(some(), numbers.tolist(), strict=True)
    ]
    by_key = {
        "loss": Same([words(rng, 1)[0] or "mse", int(rng.integers(-9, 9)), float(doubles(rng, 1)[0])][rng.integers(3)]),
        "parameters": Same({"delta": float(doubles(rng, 1)[0])}),
        "group": Columns(n, {name: words_in_arrow(words(rng, n)) for name in "gh"}),
        "n": rng.integers(-(2**63), 2**63 - 1, n, endpoint=True),
        "value": numbers,
        "low": in_arrow(numbers, some()),
        "constant": constants,
        "slope": Some(doubles(rng, n), present),
    }
    return Columns(n, by_key)


@given(SEEDS)
@settings(max_examples=25)
def test_text_by_columns_is_that_of_dictionaries(seed):
    rng = np.random.default_rng(seed)
    many = [parts(rng) for _ in range(rng.integers(1, 3))]
    table, flat = Records(tuple(many)), Records(tuple(map(_flat, many)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "MANY", 1)
        document = Document("", record=lambda: {"results": table}, rows=lambda: table)
        text = renderers.get("json").render(document, Style())
        lines = renderers.get("jsonl").render(document, Style())
        rows = [strict(row) for row in table]
        assert text.partition('"results": ')[2] == json.dumps({"": rows}, indent=2, ensure_ascii=False)[8:] + "\n"
        assert lines == "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        for name in ("csv", "tsv"):
            texts = []
            for most in (1, 1000):
                patch.setattr(delimited, "MANY", most)
                texts.append(renderers.get(name).render(Document("", rows=lambda: flat), Style()))
            assert texts[0] == texts[1]


def _flat(part):
    """Records without dictionaries inside."""
    groups = part.by_key["group"].by_key
    return Columns(
        part.n, {**groups, **{key: part.by_key[key] for key in part.by_key if key not in {"group", "parameters"}}}
    )


@given(SEEDS)
@settings(max_examples=10)
def test_doubles_are_written_as_python_writes_them(seed):
    values = doubles(np.random.default_rng(seed), 2000)
    assert shortest(values).to_pylist() == [repr(value) for value in values.tolist()]


@given(SEEDS)
@settings(max_examples=20)
def test_numbers_go_to_arrow_and_back(seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-(2**63), 2**63 - 1, 50, endpoint=True)
    missing = rng.random(50) < rng.choice([0, 0.5, 1])
    array = in_arrow(numbers, missing)
    assert array.to_pylist() == [None if gone else one for one, gone in zip(numbers.tolist(), missing, strict=True)]
    assert in_numpy(filled(array, 0)).tolist() == np.where(missing, 0, numbers).tolist()
    assert math.isnan(in_arrow(np.array([math.nan]))[0].as_py())
