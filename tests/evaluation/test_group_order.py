"""Many groups are matched and sorted all at once, as they are one by one."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.arrow import words_in_arrow
from lossctl.evaluation.group_keys import NONE, WHOLE, Keys, merged
from lossctl.evaluation.group_order import in_order, natural_order
from lossctl.words import natural

ALPHABET = [*"ab -._0123457"]
USUAL = [None, "", "user_7", "user_07", "user_10", "2024-01-09"]
SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.lists(st.text(max_size=4) | st.sampled_from(["9" * 18, "9" * 19]), max_size=1))
@settings(max_examples=50)
def test_many_words_are_sorted_as_each_is_read(seed, others):
    rng = np.random.default_rng(seed)
    many = ["".join(rng.choice(ALPHABET, rng.integers(13))) for _ in range(rng.integers(60))]
    words = [*dict.fromkeys(rng.permutation(np.array([*USUAL, *many, *others], dtype=object)).tolist())]
    order = natural_order(words_in_arrow(words))
    if order is not None:
        pairs = [(word is None, natural(word or ""), word or "", place) for place, word in enumerate(words)]
        assert order.tolist() == [place for *_, place in sorted(pairs)]
    else:
        assert any(word and (not word.isascii() or len(word) > 12) for word in words)


@given(SEEDS)
@settings(max_examples=10)
def test_integers_are_sorted_as_their_numerals(seed):
    rng = np.random.default_rng(seed)
    numbers = np.unique([*rng.integers(-(2**63), 2**63 - 1, 50, endpoint=True), *rng.integers(-20, 20, 50)])
    numbers = rng.permutation([-(2**63), 2**63 - 1, *numbers[1:-1]])
    order = np.argsort(in_order(numbers)).tolist()
    assert order == sorted(range(len(numbers)), key=lambda place: natural(str(numbers[place])))


def keys_of(groups, number):
    """The names of groups, columns of integers where all words of one are."""
    columns = [list(column) for column in zip(*groups, strict=True)] if groups else [[]] * number
    whole = [all(isinstance(word, int) for word in column) for column in columns]
    return Keys(
        tuple(
            pa.array(column, pa.int64())
            if ints
            else words_in_arrow([None if word is None else str(word) for word in column])
            for column, ints in zip(columns, whole, strict=True)
        ),
        len(groups),
    )


@given(st.data(), st.integers(1, 3), st.booleans())
@settings(max_examples=40)
def test_names_of_two_parts_are_matched_by_their_words(data, number, nulls):
    whole = st.integers(-3, 3) | st.sampled_from([10**15, -(2**63), 2**63 - 1])
    word = whole | st.none() if nulls else data.draw(st.sampled_from([whole, st.integers(-(2**63), -(2**63) + 6)]))
    sides = [
        data.draw(st.lists(st.tuples(*[word] * number), unique=True, max_size=12), label=side)
        for side in ("left", "right")
    ]
    left, right = (keys_of(groups, number) for groups in sides)
    together, index = merged(left, right)
    assert [*together][: len(left)] == [*left]
    assert len({*together}) == len(together)
    assert [together[int(place)] for place in index] == [*right]
    assert merged(left, left)[0] == left
    assert ([*NONE], [*WHOLE]) == ([], [()])
