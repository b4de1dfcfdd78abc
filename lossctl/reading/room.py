"""Room for what is asked for before its turn, so that it takes no more memory than it may."""

import threading
from collections import deque

from lossctl.reading.waiting import Unreached


class Room:
    """Room for the bytes of files, from when they are asked for to when they are read; the last of them may exceed it.

    Args:
        size: how many bytes.
    """

    def __init__(self, size: int) -> None:
        self.free, self.lock = size, threading.Lock()
        self.waiting: deque[Place] = deque()

    def place(self, nbytes: int) -> "Place":
        """A place for so many bytes, to wait for: they are given in order."""
        place = Place(self, nbytes)
        with self.lock:
            self.waiting.append(place)
            self.give(0)
        return place

    def give(self, freed: int) -> None:
        """Give places to those who wait, where so many bytes are free that were not; whoever calls has the lock."""
        self.free += freed
        while self.waiting and self.free > 0:
            self.waiting.popleft().take()

    def close(self) -> None:
        """Give none to those who still wait."""
        with self.lock:
            while self.waiting:
                self.waiting.popleft().told.set()


class Place:
    """A place for the bytes of a file, in a room.

    Who reads the file takes it at once, so that nobody waits for bytes that are read after those that he needs.
    """

    def __init__(self, room: Room, nbytes: int) -> None:
        self.room, self.nbytes, self.taken, self.told = room, nbytes, False, threading.Event()

    def take(self) -> None:
        """Have it; whoever calls has the lock of the room."""
        self.taken = True
        self.room.free -= self.nbytes
        self.told.set()

    def wait(self) -> None:
        """Wait for it.

        Raises:
            Unreached: nobody needs it any more.
        """
        self.told.wait()
        if not self.taken:
            raise Unreached("nobody needs it any more", passing=True)

    def hurry(self) -> None:
        """Have it before its turn."""
        with self.room.lock:
            if not self.told.is_set():
                self.room.waiting.remove(self)
                self.take()

    def leave(self) -> None:
        """Let others have it."""
        with self.room.lock:
            if not self.told.is_set():
                self.room.waiting.remove(self)
                self.told.set()
            elif self.taken:
                self.taken = False
                self.room.give(self.nbytes)
