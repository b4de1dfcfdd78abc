"""A look at the rows of a sample, taken when it is first asked for."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.domain import FloatArray, distinct
from lossctl.inference.candidates import Candidate, Contents, candidates, contents_of, readable
from lossctl.inference.reader import Reader
from lossctl.inference.sample import Sample, sampled
from lossctl.reading.cells import BadRow
from lossctl.reading.columns import unnested
from lossctl.reading.files import narrowed
from lossctl.reading.format import Source, Wanted
from lossctl.row_domains import SIMPLEX_ERROR

CELLS = 1 << 22
"""How many cells are looked at, of all columns together."""
MANY = 64
"""Columns up to which it is looked how they go together."""
SIGNIFICANT = 3.09
"""Standard errors from which a share is no accident: one in a thousand."""
RANKED = 10_000
"""How many rows are looked at for that."""

SLICE = 256
"""How many rows are compared before the next: columns that differ do so soon."""


def rows_of(records: Iterable[pa.RecordBatch], names: Sequence[str]) -> FloatArray | None:
    """The rows of some columns that have no null, ``(n, k)``; ``None`` where they hold no numbers."""
    parts = []
    for record in records:
        reader = Reader(record)
        try:
            values = reader.columns(names, len(names))
        except BadRow:
            return None
        parts.append(values[~reader.null])
    return np.concatenate(parts) if parts else None


class Look:
    """What is in the columns of a data set, by a sample of its rows.

    Args:
        source: the data set.
        names: the columns to look at; all where left out.
    """

    def __init__(self, source: Source, names: Collection[str] | None = None) -> None:
        self.source = source if names is None else narrowed(source, {*names})
        self.columns = [column for column in unnested(source.columns) if names is None or column.name in names]

    @cached_property
    def records(self) -> tuple[pa.RecordBatch, ...]:
        """The rows, with every column that could play a role."""
        return self._sample.records

    @property
    def whole(self) -> bool:
        """Whether these are all rows."""
        return self._sample.whole

    @cached_property
    def _sample(self) -> Sample:
        columns, wanted = readable(self.columns)
        return sampled(self.source, wanted, most=CELLS // max(len(columns), 1))

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The columns, with the roles that they could play."""
        columns, wanted = readable(self.columns)
        contents = sum((contents_of(wanted, record) for record in self.records), Contents(0, {}))
        return candidates(columns, contents)

    def rows(self, names: Sequence[str]) -> FloatArray | None:
        """The rows of some columns that have no null, ``(n, k)``; ``None`` where they hold no numbers."""
        return rows_of(self.records, names)

    def candidate(self, name: str) -> Candidate | None:
        """A column with what is in it; ``None`` where several have the name."""
        return next((candidate for candidate in self.candidates if candidate.name == name), None)

    def sum_to_one(self, names: Sequence[str]) -> bool:
        """Whether every row of some columns sums to 1, or to 100, or so do their exponentials."""
        rows = self.rows(names)
        if rows is None or not len(rows):
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            return any(map(_ones, (rows.sum(axis=1), rows.sum(axis=1) / 100, np.exp(rows).sum(axis=1))))

    def associations(self, names: Sequence[str]) -> dict[str, float]:
        """How well each column of numbers is told by another: the largest ∣correlation∣ of its ranks with theirs."""
        rows = self.rows(names) if 1 < len(names) <= MANY else None
        if rows is None or len(rows) < 2:
            return {}
        ranks = np.column_stack([np.unique(column, return_inverse=True)[1] for column in rows[:RANKED].T])
        with np.errstate(invalid="ignore", divide="ignore"):
            among = np.nan_to_num(np.abs(np.corrcoef(ranks, rowvar=False)))
        np.fill_diagonal(among, 0.0)
        return dict(zip(names, among.max(axis=0).tolist(), strict=True))

    def picks(self, label: str, names: Sequence[str]) -> bool:
        """Whether the largest of some columns is that of the label, by number or rank, oftener than by chance."""
        rows = self.rows((label, *names))
        return rows is not None and _picked(rows[:, 0], rows[:, 1:])

    def is_largest(self, code: str, names: Sequence[str]) -> bool:
        """Whether a column holds in every row which of some columns is the largest, from 0."""
        rows = self.rows((code, *names))
        return rows is not None and len(rows) > 1 and bool(np.all(rows[:, 1:].argmax(axis=1) == rows[:, 0]))

    def tells(self, score: str, decision: str) -> bool:
        """Whether numbers tell one of two decisions from the other by a threshold, as far as that can be told."""
        candidate, column = self.candidate(decision), self.candidate(score)
        if candidate is None or candidate.distinct != 2 or column is None or column.kind == "list":
            return True
        low, high = dict[str, float](), dict[str, float]()
        for record in self.records:
            reader = Reader(record)
            try:
                scores, words = reader.numbers(score), np.array(reader.text(decision).to_pylist(), dtype=object)
            except BadRow:
                return True
            for word in {*words.tolist()} - {None}:
                numbers = scores[(words == word) & ~reader.null]
                low[word] = min(low.get(word, np.inf), float(numbers.min(initial=np.inf)))
                high[word] = max(high.get(word, -np.inf), float(numbers.max(initial=-np.inf)))
        first, second = low
        return high[first] <= low[second] or high[second] <= low[first]

    def alike(self, label: Candidate, guess: Candidate, *, beside: bool = True) -> bool:
        """Whether a column holds what a prediction of a label would: lists, probabilities, or numbers near to it.

        Args:
            label: the label.
            guess: the column, of this data set.
            beside: whether the label stands beside it; numbers are taken for near where it does not.
        """
        if guess.kind == "list":
            return self._probable(guess.name) or (beside and label.kind == "number" and self._scores(label, guess.name))
        values = guess.content.numbers
        unit = bool(values.n) and not values.infinite and values.low >= 0 and values.high <= 1
        if label.kind == "text" or len(label.content.numbers.keys) <= 2:
            return unit and (len(values.keys) > 2 or bool(np.any(values.values % 1)))
        if not beside:
            return True
        rows = self.rows((label.name, guess.name))
        rows = None if rows is None else rows[np.isfinite(rows).all(axis=1)]
        return rows is not None and len(rows) > 1 and bool(np.mean((rows[:, 0] - rows[:, 1]) ** 2) < rows[:, 0].var())

    def _probable(self, name: str) -> bool:
        """Whether the lists of a column are probabilities, percentages, or logarithms of probabilities."""
        sums = [np.empty((0, 3))]
        for record in sampled(self.source, Wanted(frozenset({name}), frozenset())).records:
            lengths = pc.list_value_length(record.column(name)).drop_null()
            reader, width = Reader(record), int(lengths[0].as_py()) if len(lengths) else 1
            if not width:
                return False
            try:
                values = reader.columns([name], width)[~reader.null]
            except BadRow:
                return False
            with np.errstate(over="ignore", invalid="ignore"):
                sums.append(np.column_stack([values.sum(1), values.sum(1) / 100, np.exp(values).sum(1)]))
        rows = np.concatenate(sums)
        return bool(len(rows)) and any(map(_ones, rows.T))

    def _scores(self, label: Candidate, name: str) -> bool:
        """Whether the largest number of the lists of a column is that of a label of several classes, beyond chance."""
        wanted = Wanted(frozenset({label.name, name}), frozenset())
        for record in sampled(self.source, wanted).records:  # one batch tells as much as many
            lengths = pc.list_value_length(record.column(name)).drop_null()
            width, reader = int(lengths[0].as_py()) if len(lengths) else 0, Reader(record)
            if not 2 < len(label.classes) <= width or not label.is_coded(width):
                return False
            try:
                codes, rows = reader.numbers(label.name), reader.columns([name], width)
            except BadRow:
                return False
            return _picked(codes[~reader.null], rows[~reader.null])
        return False

    def differ_in_length(self, name: str) -> bool:
        """Whether a column holds lists of several lengths, none of most rows, as of tokens: no vectors of classes."""
        if [column.kind for column in self.columns if column.name == name] != ["list"]:
            return False
        lists = next(self._lists(name), None)  # of one file: in another they may be of other classes
        counts = Counter([] if lists is None else pc.list_value_length(lists).drop_null().to_pylist())
        return len(counts) > 1 and 2 * max(counts.values()) <= counts.total()

    def length(self, name: str) -> int:
        """How long the lists of a column are, by the first that is one; 0 where none is."""
        lists = next(self._lists(name), None)
        lengths = [] if lists is None else pc.list_value_length(lists.slice(0, SLICE)).drop_null().to_pylist()
        return int(lengths[0]) if lengths else 0

    def are_bits(self, name: str) -> bool:
        """Whether the lists of a column hold 0 and 1 and nothing else, both of them."""
        kept = {cell for record in self._lists(name) for cell in pc.unique(record.flatten()).to_pylist()}
        return {*map(float, kept - {None})} == {0.0, 1.0} and None not in kept

    def _lists(self, name: str) -> Iterator[pa.Array]:
        """The lists of a column."""
        for record in sampled(self.source, Wanted(frozenset({name}), frozenset())).records:
            yield record.column(record.schema.names.index(name))

    def has_null(self, name: str) -> bool:
        """Whether a column of numbers, or of lists of them, has a null."""
        for record in sampled(self.source, Wanted(frozenset({name}), frozenset())).records:
            column = record.column(name)
            numbers = column.flatten() if pa.types.is_nested(column.type) else column
            if column.null_count or pc.any(pc.is_null(numbers, nan_is_null=True)).as_py():
                return True
        return False

    def same(self, first: str, second: str) -> bool:
        """Whether two columns hold the same numbers, or a word for each of them, in every row that was looked at."""
        columns = [self.candidate(name) for name in (first, second)]
        if any(column is None or column.kind not in {"number", "text"} for column in columns):
            return False  # of others no rows are there
        pairs = {
            pair
            for record in self.records
            for pair in zip(record.column(first).to_pylist(), record.column(second).to_pylist(), strict=True)
        }
        single = len({left for left, _ in pairs}) == len({right for _, right in pairs}) == len(pairs)
        worded = any(column is not None and column.kind == "text" for column in columns)
        return bool(pairs) and (all(left == right for left, right in pairs) or (worded and single))

    def repeats(self, first: str, second: str) -> bool:
        """Whether a column holds in every row what another does, several values, as numbers or text: it tells no more.

        What is left out in one row is left out in the other.
        """
        columns = [self.candidate(name) for name in (first, second)]
        if any(column is None or column.kind not in {"number", "text"} for column in columns):
            return False
        different, start = set[object](), 0
        for record in self.records:
            for place in range(0, min(record.num_rows, RANKED - start), SLICE):
                rows = record.slice(place, SLICE)
                left, right = ([*map(_key, rows.column(name).to_pylist())] for name in (first, second))
                if left != right:
                    return False
                different |= {*left}
            start += record.num_rows
        return len(different - {None}) > 1


def _key(cell: object) -> object:
    """A cell as it is compared with that of another column: numbers by what they are, however they are written."""
    if isinstance(cell, bool | int | float):
        return None if np.isnan(cell) else float(cell)
    try:
        return float(str(cell)) if cell is not None else None
    except ValueError:
        return cell


def _ones(sums: FloatArray) -> bool:
    return bool(np.all(np.abs(sums - 1.0) <= SIMPLEX_ERROR))


def _picked(numbers: FloatArray, rows: FloatArray) -> bool:
    """Whether the largest number of rows is that of their label, by number or rank, oftener than by chance."""
    if not len(rows):
        return False
    largest, k = rows.argmax(axis=1), rows.shape[1]
    ordered = distinct(numbers)
    firsts = {0, 1, int(ordered[-1]) - k + 1, int(ordered[0])}
    readings = [numbers - first for first in firsts]
    readings += [np.searchsorted(ordered, numbers).astype(float)] if len(ordered) == k else []
    for codes in readings:
        chance = sum(np.mean(codes == place) * np.mean(largest == place) for place in range(k))
        error = np.sqrt(chance * (1.0 - chance) / len(rows))
        if np.mean(largest == codes) - chance > SIGNIFICANT * error:
            return True
    return False
