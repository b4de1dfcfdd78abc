"""Waiting for what another thread or process does, however busy the machine is."""

import time

HANGS = 120
"""Seconds after which something hangs: far more than anything takes."""


def until(true, running=None):
    """Wait for a state; a process that is to come to it must not end before."""
    deadline = time.monotonic() + HANGS
    while not true():
        assert running is None or running.poll() is None, running.communicate()
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.002)
