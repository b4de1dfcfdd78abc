"""A sketch is the same however the rows are cut."""

import numpy as np
import pytest

from lossctl.sums.sketch import NEVER, Sketch, hash_numbers, hash_words


@pytest.mark.parametrize("most", [3, 1000])
def test_a_sketch_is_the_same_however_the_rows_are_cut(most):
    numbers = np.random.default_rng(0).integers(0, 40, 200).astype(float)[:, None]
    whole = Sketch.of(most, hash_numbers(numbers), np.arange(200), numbers)
    for cut in (0, 1, 77, 199, 200):
        parts = [Sketch.of(most, hash_numbers(it), np.arange(len(it)), it) for it in (numbers[:cut], numbers[cut:])]
        added = parts[0] + parts[1].shift(cut)
        for name in ("hashes", "counts", "first", "again", "numbers"):
            assert np.array_equal(getattr(added, name), getattr(whole, name)), name
    for value, count, first, again in zip(whole.numbers[:, 0], whole.counts, whole.first, whole.again, strict=True):
        places = np.flatnonzero(numbers[:, 0] == value)
        assert (count, first) == (len(places), places[0])
        assert again == (places[1] if len(places) > 1 else NEVER)


def test_words_are_told_apart_column_by_column():
    one = hash_words([["a", "ab", "", None], ["bc", "c", "x", "x"]])
    assert len(set(one.tolist())) == 4
    assert np.array_equal(one, hash_words([["a", "ab", "", None], ["bc", "c", "x", "x"]]))
