"""Waiting for what is elsewhere: never longer than asked, never deaf to a signal, and asking at most once more, aloud.

The clients of stores wait inside of C++, where Python hears no signal, and some of them for a quarter of an hour. So
each question is asked in a thread of its own, which is left behind when it takes too long or a signal comes.
"""

import contextlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lossctl.dataclass import dataclass
from lossctl.errors import option, origin
from lossctl.reading.readable import Readable
from lossctl.words import printable

if TYPE_CHECKING:
    from concurrent.futures import Future

Answer = TypeVar("Answer")

PIECE = 1 << 23
"""Bytes to ask for at a time: that many must come within the time."""
LISTING = 20
"""How many times as long the names in a folder may take: a million of them are a thousand answers."""
LINGER = 0.1
"""Seconds that a thread stays for the next question."""
RIGHT = "Is the address right, and may you read there?"
CUT = "the answer was cut short"
CUT_SHORT = r"curlCode: 18\b|artial file|bytes missing|response stream|ContentLength|TransferEncoding|payload is not"
GARBLED = "aiohttp.http_exceptions"
UNRESOLVED = "the name of the server does not resolve"
KNOWN = (
    (CUT_SHORT, CUT, True),
    (r"curlCode: 7\b|ould ?n[o']t connect|onnection refused|Connect call failed", "connection refused", False),
    (r"curlCode: 6\b|ould ?n[o']t resolve|ame or service not known", UNRESOLVED, False),
    (r"curlCode: 5[256]\b|Disconnected|Reset|Connection reset|BrokenPipe", "the server hung up", True),
    (r"ACCESS_DENIED|PERMISSION_DENIED|UNAUTHENTICATED", "the server denies access (401 or 403)", False),
    (
        r"curlCode: [18]\b|CURL error \[[18]\]|^Bad(Status|Http)|^InvalidHeader",
        "what answers is no such server",
        False,
    ),
    (r"TooManyRedirects|Redirect\w*Error|curlCode: 47\b", "the server redirects to where nothing can be read", False),
    (r"Status\(UNAVAILABLE", "the server is unavailable", True),
    (r"SLOW_DOWN|SERVICE_UNAVAILABLE", "the server answers 503 Service Unavailable", True),
)
"""What clients say of what went wrong, how it is said here, and whether it may be well a moment later."""
LATE = r"curlCode: 28\b|Timeout was reached|^\w*TimeoutError"
"""How they say that they have waited long enough."""
STATUS = r"(?i)\bhttp[ _](?:status|code|error)(?: code)?[ :=]*(\d{3})\b"


def _log(text: str) -> None:
    import logging  # noqa: PLC0415  (hardly ever needed)

    logging.getLogger("lossctl").warning(printable(text))


@dataclass
class Patience:
    """How this process waits for what is elsewhere."""

    seconds: float = 30.0
    tell: Callable[[str], None] = _log
    """Hears of what is asked for once more."""


patience = Patience()


class Unreached(OSError):
    """What is elsewhere could not be had: why, in words for people."""

    def __init__(self, why: str, hint: str = "", *, passing: bool = False) -> None:
        super().__init__(why)
        self.why, self.hint, self.passing = why, hint, passing
        """What to do about it, and whether it may be well a moment later."""

    def __str__(self) -> str:
        return self.why


class _Askers:
    """Threads that end with the process at the latest, and answer one call after the other.

    To start a thread for each takes longer than to ask: who starts it waits until it runs.
    """

    def __init__(self) -> None:
        self.told, self.calls, self.free = threading.Condition(), deque[Callable[[], None]](), 0
        """How many have nothing to do, beside those for whom there are calls."""

    def begin(self, call: Callable[[], None]) -> None:
        """Have a call made, at once."""
        with self.told:
            if self.free > 0:  # it may be less, where a signal came between these lines
                self.free -= 1
                self.calls.append(call)
                self.told.notify()
                return
        threading.Thread(target=self._answer, args=(call,), name="lossctl waits", daemon=True).start()

    def _answer(self, call: Callable[[], None] | None) -> None:
        while call is not None:
            call()
            del call  # and what it holds
            call = self._following()

    def _following(self) -> Callable[[], None] | None:
        """The next call; ``None`` where none comes soon."""
        with self.told:
            self.free += 1
            if self.told.wait_for(lambda: self.calls, LINGER):
                return self.calls.popleft()
            self.free -= 1
            return None


_askers = [_Askers()]
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _askers.__setitem__(0, _Askers()))  # threads do not survive it


def begun(call: Callable[[], Answer]) -> "Future[Answer]":
    """The answer that a call will have, made in a thread that ends with the process at the latest."""
    from concurrent.futures import Future  # noqa: PLC0415  (needed for what is elsewhere alone)

    answer: Future[Answer] = Future()

    def make() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
            answer.set_exception(error)

    _askers[0].begin(make)
    return answer


def within(call: Callable[[], Answer], seconds: float) -> Answer:
    """The answer to a call, made in a thread that is left behind if none comes in time.

    Raises:
        Unreached: none came.
    """
    return awaited(begun(call), seconds)


def awaited(answer: "Future[Answer]", seconds: float, times: int = 1) -> Answer:
    """An answer that was asked for, or several together, each of which may take so many seconds.

    Raises:
        Unreached: it does not come.
    """
    try:
        return answer.result(times * seconds)
    except TimeoutError:
        if answer.done():  # it is the call's own
            raise
        raise _late(seconds) from None


def _late(seconds: float) -> Unreached:
    return Unreached(f"no answer within {seconds:g} seconds", f"A slow one needs more time: {option('timeout')}.")


def asked(path: str, call: Callable[[], Answer], *, times: int = 1, again: bool = True) -> Answer:
    """The answer to a call for something elsewhere, made once more where what went wrong may pass.

    Args:
        path: what is asked for.
        call: the question; asked a second time, it must begin anew.
        times: how many times as long as usual it may take.
        again: whether it may be asked a second time.

    Raises:
        FileNotFoundError: there is no such thing.
        Unreached: there is no answer, or it is a refusal.
        Exception: what the call raises that is none of these.
    """
    try:
        return within(call, times * patience.seconds)
    except Exception as error:  # noqa: BLE001  (clients raise what they like)
        refusal = _refusal(error)
        if not (again and isinstance(refusal, Unreached) and refusal.passing):
            raise refusal from None
        patience.tell(f"{path}: {refusal}; asked once more")
    return asked(path, call, times=times, again=False)


def at_once(call: Callable[[], Answer]) -> Answer:
    """The answer to a call for something elsewhere, however long it takes; errors as for `asked`."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (likewise)
        raise _refusal(error) from None


def _refusal(error: Exception) -> Exception:
    """An error of a client, as one of those that `asked` names; itself where it is none."""
    import socket  # noqa: PLC0415  (needed for what is elsewhere alone)
    from http import HTTPStatus  # noqa: PLC0415  (likewise)

    if isinstance(error, Unreached):
        return error
    cause = origin(error)  # fsspec calls everything not found
    text = f"{type(cause).__name__}: {cause}"
    status = _status(cause, text)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return FileNotFoundError(str(cause))
    if status:
        phrase = next((f" {known.phrase}" for known in HTTPStatus if known == status), "")
        passing = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return Unreached(f"the server answers {status}{phrase}", "" if passing else RIGHT, passing=passing)
    if isinstance(cause, socket.gaierror):
        return Unreached(UNRESOLVED, RIGHT)
    if re.search(LATE, text):
        return _late(patience.seconds)
    for pattern, words, passing in KNOWN:
        if re.search(pattern, text):
            return Unreached(words, "" if passing else RIGHT, passing=passing)
    client = {type(one).__module__.partition(".")[0] for one in (error, cause)}
    return Unreached(f"{cause}".partition("\n")[0], RIGHT) if client & {"aiohttp", "ssl"} else error


def _status(cause: BaseException, text: str) -> int:
    """The status of HTTP that an error tells of; 0 where it tells of none."""
    if type(cause).__module__ == GARBLED:
        return 0  # aiohttp calls it a bad request
    named = re.search(STATUS, text)
    response = getattr(cause, "response", None)
    status = getattr(cause, "status", None) or getattr(response, "status_code", None) or (named and int(named[1]))
    return status if isinstance(status, int) and 400 <= status < 600 else 0


class FarFile(Readable):
    """A file elsewhere, of whose bytes each question is asked within the time; after an error it is opened anew.

    Args:
        path: what it is called.
        connect: opens it.
        ranges: whether any of its bytes can be asked for; else it is read once from its beginning, to an unknown end.
        alone: whether the thread that asks may be left behind itself: it asks at once, and never once more.

    Raises:
        FileNotFoundError: there is none.
        Unreached: there is no answer, or it is a refusal.
        ValueError: its bytes can only be had from the beginning.
    """

    def __init__(self, path: str, connect: Callable[[], Any], *, ranges: bool = True, alone: bool = False) -> None:
        self.path, self.connect, self.ranges, self.alone = path, connect, ranges, alone
        self.raw: Any = None
        self.turn = 0
        """Counts how often nobody wanted an answer any more."""
        self.position = 0
        self.size: int | None = self.ask(lambda raw: int(raw.seek(0, 2)) if ranges else None)

    def ask(self, question: Callable[[Any], Answer]) -> Answer:
        """The answer to a question about the open file; errors as for `asked`."""

        def put() -> Answer:
            turn, raw, self.raw = self.turn, self.raw, None  # what is being asked cannot be asked more, nor closed
            raw = self.connect() if raw is None else raw
            try:
                answer = question(raw)
            except BaseException:
                self._drop(raw)
                raise
            if turn == self.turn:
                self.raw = raw
            else:
                self._drop(raw)  # nobody waited so long
            return answer

        try:
            if self.alone:
                return at_once(put)
            return asked(self.path, put, again=self.ranges or self.position == 0)
        except BaseException:
            self.turn += 1
            raise

    @staticmethod
    def _drop(raw: Any) -> None:
        """Close what is of no use any more; that it may be broken changes nothing."""
        with contextlib.suppress(Exception):
            raw.close()

    def read(self, n: int = -1) -> bytes:
        """The next ``n`` bytes, fewer only at the end; all for -1.

        Raises:
            Unreached: they do not come.
        """
        if self.size is not None:
            left = max(self.size - self.position, 0)
            n = left if n < 0 else min(n, left)
        pieces: list[bytes] = []
        while n and (piece := self._piece(PIECE if n < 0 else min(n, PIECE))):
            pieces.append(piece)
            self.position += len(piece)
            n -= len(piece) if n > 0 else 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def whole(self) -> Any:
        """All of its bytes, by one answer, in a buffer of Arrow; errors as for `read`.

        Arrow uses memory again: new pages of the system take longer than the bytes of a store that is near, and blocks
        of Python would stay with the threads that ask.
        """
        import pyarrow as pa  # noqa: PLC0415  (needed for what is elsewhere alone)

        size = self.size or 0

        def question(raw: Any) -> Any:
            raw.seek(0)
            body, come = pa.allocate_buffer(size), 0
            with memoryview(body) as view:
                while come < size:
                    more = raw.readinto(view[come:])
                    if not more:
                        raise Unreached(CUT, passing=True)
                    come += more
            return body

        return self.ask(question)

    def _piece(self, n: int) -> bytes:
        position, ranges = self.position, self.ranges

        def question(raw: Any) -> bytes:
            if ranges:
                raw.seek(position)
            piece = bytes(raw.read(n))
            if ranges and not piece:
                raise Unreached(CUT, passing=True)
            return piece

        return self.ask(question)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, and return where it is."""
        if self.size is None:
            raise ValueError("a stream cannot go to a place")
        self.position = offset + {0: 0, 1: self.position, 2: self.size}[whence]
        return self.position

    def tell(self) -> int:
        """Where it is."""
        return self.position

    def seekable(self) -> bool:
        """Whether it can go to a place."""
        return self.size is not None

    def close(self) -> None:
        """Close it, unless somebody is still asking."""
        self.turn += 1
        raw, self.raw, self.closed = self.raw, None, True
        if raw is not None:
            raw.close()
