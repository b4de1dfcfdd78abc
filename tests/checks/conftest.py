"""What is made to be checked is known to the test that makes it alone."""

import pytest

from lossctl.functions.activation import activations
from lossctl.functions.loss import losses


@pytest.fixture(autouse=True)
def leave_no_stranger():
    for registry in (losses, activations):
        registry.names()
    known = [(registry, dict(registry._items), dict(registry._names)) for registry in (losses, activations)]
    yield
    for registry, items, names in known:
        registry._items, registry._names = items, names
