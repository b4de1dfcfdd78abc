"""Small files elsewhere that who reads them opens: nobody waits for a store to know what is in each of a thousand.

Such a file is one shard. Its bytes can be asked for ahead of its turn, so that one waits for many at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Shard, Wanted
from lossctl.reading.room import Place, Room
from lossctl.reading.stamp import Stamp, same
from lossctl.reading.stamped import fetched
from lossctl.reading.stores import REFUSALS, unreadable
from lossctl.reading.waiting import Unreached, awaited, begun, patience

if TYPE_CHECKING:
    from concurrent.futures import Future

ANSWERS = 3
"""How often a store is asked for a file: before its bytes, for them, and after them."""


class Opening(Protocol):
    """What opens a file."""

    def shards(self, stamps: dict[str, Stamp]) -> Iterable[Shard]:
        """Its shards; the dictionary has, or is given, what it was when it was opened first.

        Raises:
            LossctlError: it cannot be opened, or does not fit to others.
        """


@dataclass(frozen=True)
class Unopened:
    """A shard: all of a small file elsewhere."""

    file: str
    nbytes: int
    opening: Opening = field(compare=False, repr=False)
    stamps: dict[str, Stamp] = field(compare=False, repr=False)
    """What the files of the data set were when they were opened first."""
    ahead: "list[tuple[Place, Future[Stamp]]]" = field(default_factory=list, compare=False, repr=False)
    """Its bytes, where they have been asked for, and their place."""
    index: int = 0

    @property
    def stamp(self) -> Stamp | None:
        """What it was when it was opened first, if it was."""
        return self.stamps.get(self.file)

    def note(self, stamp: Stamp) -> None:
        """Keep in mind what it was when it was opened first, by a worker elsewhere."""
        self.stamps.setdefault(self.file, stamp)

    def fetch(self, room: Room) -> None:
        """Ask for its bytes, without waiting for them: for what it is at once, and for the rest when there is room."""
        if not self.ahead:
            place = room.place(self.nbytes)
            self.ahead.append((place, begun(lambda: fetched(self.file, self.stamp, place.wait))))

    def forget(self) -> None:
        """Need no bytes that were asked for, and not read."""
        while self.ahead:
            self.ahead.pop()[0].leave()

    def read(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Its rows.

        Raises:
            BadRow: a row cannot be read.
            LossctlError: it cannot be opened or read, or does not fit to others.
        """
        stamp = self._fetched() if self.ahead else self.stamp
        stamps = {} if stamp is None else {self.file: stamp}
        rows = 0
        for shard in self.opening.shards(stamps):
            self.note(stamps[self.file])
            try:
                for batch in shard.read(wanted):
                    yield batch
                    rows += batch.num_rows
            except BadRow as bad:
                raise BadRow(rows + bad.row, bad.what, bad.hint) from None

    def _fetched(self) -> Stamp | None:
        """What was asked for; what failed and may pass is asked for anew, in turn and aloud."""
        place, answer = self.ahead.pop()
        place.hurry()
        try:
            stamp = awaited(answer, patience.seconds, ANSWERS)
            return same(self.file, self.stamp, stamp)
        except Unreached as refusal:
            if not refusal.passing:
                raise unreadable(self.file, refusal) from None
            return self.stamp
        except REFUSALS as error:
            raise unreadable(self.file, error) from None
        finally:
            place.leave()

    def __getstate__(self) -> dict[str, Any]:
        known = {} if self.stamp is None else {self.file: self.stamp}
        return {**self.__dict__, "stamps": known, "ahead": []}


def unopened(shard: Any) -> Unopened | None:
    """The small file elsewhere of which a shard gives the rows; ``None`` where it is another."""
    while not isinstance(shard, Unopened):
        shard = getattr(shard, "inner", None)
        if shard is None:
            return None
    return shard
