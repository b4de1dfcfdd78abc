"""Rows that may move together: those that a column says are of one patient, user or session."""

import re
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from lossctl.dataclass import dataclass
from lossctl.errors import option
from lossctl.inference.names import is_key, is_numbering, plain_name
from lossctl.inference.sample import sampled
from lossctl.reading.cells import BadRow, text_of
from lossctl.reading.columns import Column
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.words import called

FEWEST = 10
"""How many there are at least of what rows are of: fewer are kinds of rows, or too few to tell anything of."""
OFTEN = 1.1
"""How many rows each has in the mean from which on that matters."""
_KEY = re.compile(r"_?(id|ids|idx|key|uid|uuid|guid|no|nr|num|number|code)$")
_WHO = frozenset({
    "account", "author", "client", "conversation", "customer", "device", "dialog", "dialogue", "doc", "document",
    "donor", "driver", "employee", "family", "household", "member", "participant", "passenger", "patient", "person",
    "player", "pupil", "respondent", "session", "speaker", "student", "subject", "thread", "user", "visitor",
})  # fmt: skip
"""What rows are often of, several of one, whose name alone says so."""
_KINDS = frozenset({
    "algorithm", "arm", "batch", "brand", "cat", "category", "checkpoint", "class", "color", "colour", "config",
    "country", "epoch", "experiment", "fold", "gender", "group", "job", "label", "lang", "language", "method", "model",
    "race", "region", "run", "seed", "sex", "split", "state", "status", "step", "system", "tag", "target", "task",
    "token", "type", "variant", "version", "vocab", "word",
})  # fmt: skip
"""What says of which kind a row is, and not of whom, though it be called an id."""


@dataclass(frozen=True)
class Repeating:
    """A column by which rows are of one thing, several of each."""

    column: str
    rows: int
    """How many rows there are, as far as was looked."""
    units: int
    """Of how many things they are."""
    whole: bool
    """Whether all rows were looked at."""

    @property
    def what(self) -> str:
        """What is so, in words."""
        looked = "" if self.whole else " that were looked at,"
        return f"rows of one {called(self.column)} repeat ({self.rows:,} rows{looked} of {self.units:,})"

    @property
    def remark(self) -> str:
        """What is so, and the way to take it into account."""
        return f"{self.what} and count as independent; {option(cluster=[self.column])} takes that into account"


def repeating(sources: Sequence[Source], apart: Collection[str]) -> Repeating | None:
    """The likeliest column that says which rows move together, told by name and by what is in it; ``None`` for none.

    Args:
        sources: where it is looked for, one after the other.
        apart: columns that have a role.
    """
    seen = {*apart}
    for source in sources:
        columns = [column for column in source.columns if column.name not in seen]
        for name in _called_so(columns):
            told = None if source.once else _told(source, name)
            if told is not None:
                return told
        seen |= {column.name for column in columns}
    return None


def _called_so(columns: Sequence[Column]) -> Iterator[str]:
    """The columns whose names say of whom rows are, then those that are called an id of something."""
    names = [column.name for column in columns if column.kind in {"number", "text"} and not is_numbering(column.name)]
    stems = {name: _KEY.sub("", plain_name(name)).rpartition("_")[2] for name in names}
    yield from (name for name in names if stems[name] in _WHO)
    yield from (name for name in names if is_key(name) and stems[name] not in _WHO | _KINDS)


def _told(source: Source, name: str) -> Repeating | None:
    """Whether rows are of several things each, as far as can be looked."""
    import pyarrow.compute as pc

    sample = sampled(narrowed(source, {name}), Wanted(frozenset(), frozenset({name})))
    try:
        words = pa.chunked_array([text_of(record.column(name), name) for record in sample.records], pa.string())
    except BadRow:
        return None
    words = words.drop_null()
    units = pc.count_distinct(words).as_py()
    if units < FEWEST or len(words) < OFTEN * units:
        return None
    return Repeating(name, len(words), units, sample.whole)
