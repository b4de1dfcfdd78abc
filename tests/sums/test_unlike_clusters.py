"""Clusters of unlike sizes count as fewer, and are not trusted where that is what false alarms come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossctl
from lossctl.sums.state import added


@pytest.mark.parametrize(
    ("sizes", "trusted"),
    [
        ([8] * 5, True),  # Σ share² − 1/G = 0
        ([8, 9, 7, 8, 8], True),  # 322/1600 − 1/5 = 0.00125
        ([12, 11, 5, 6, 6], False),  # 362/1600 − 1/5 = 0.026
        ([40, 4, 4, 4, 4, 4], False),
        ([4] * 40 + [8] * 10, True),  # 1280/57600 − 1/50 = 0.0022
    ],
)
def test_clusters_are_trusted_as_far_as_their_sizes_are_alike(sizes: list[int], *, trusted: bool) -> None:
    user = np.repeat(np.arange(len(sizes)), sizes)
    own = np.where(np.arange(len(sizes)) % 2, 1.0, -1.0)[user]  # so that no cluster stands out
    source = {"label": np.zeros(len(user)), "a": np.full(len(user), 9.0), "b": 9.0 + own, "user": user}
    (result,) = lossctl.compare(source, "mae", label="label", prediction=["a", "b"], cluster="user").results
    assert ("unlike sizes" not in result.doubt) is trusted


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.booleans())
def test_entries_at_the_same_place_are_added_up_in_any_order(index: list[int], in_order: bool) -> None:
    places = np.array(sorted(index) if in_order else index)
    values = np.arange(2 * len(places)).reshape(2, -1)
    expected = [np.bincount(places, row, 10).tolist() for row in values]
    assert added(values, places, 10).tolist() == expected
