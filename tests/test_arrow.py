"""What goes to Arrow and back is the same, wherever in a longer array it stands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.arrow import in_arrow, in_numpy

pytestmark = pytest.mark.lowest
KINDS = [np.bool_, np.int8, np.uint64, np.int64, np.float32, np.float64]


@given(st.lists(st.integers(0, 1), max_size=40), st.integers(0, 20), st.integers(0, 20), st.sampled_from(KINDS))
def test_a_slice_of_numbers_or_truths_comes_back(numbers, first, length, kind):
    values = np.array(numbers, kind)
    back = in_numpy(in_arrow(values).slice(first, length))
    assert back.dtype == values.dtype
    assert back.tolist() == values[first : first + length].tolist()
