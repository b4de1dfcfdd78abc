"""Named pipes that are fed."""

import contextlib
import os
import threading


@contextlib.contextmanager
def fed(path, body):
    """A named pipe through which the bytes come."""
    os.mkfifo(path)

    def feed():
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:
            pipe.write(body)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield str(path)
    finally:
        # If nobody opened the pipe, somebody must, or the feeder waits for ever.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        feeder.join()
