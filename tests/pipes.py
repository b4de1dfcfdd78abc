"""Pipes: named ones that are fed, and what nobody has read from one yet."""

import contextlib
import fcntl
import os
import struct
import termios
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


def unread(pipe):
    """How many bytes nobody has read from a pipe yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
