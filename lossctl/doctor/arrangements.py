"""What columns are together beside a label and a prediction: quantiles, an ensemble, labels, a ranking, clusters.

No pass counts this: it is told from a sample of the rows, and each finding says of how many.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.doctor.diagnosis import Reported
from lossctl.doctor.finding import Severity
from lossctl.domain import FloatArray, distinct
from lossctl.inference.fit import ENOUGH
from lossctl.inference.names import is_index, is_query, level_of, levels_among
from lossctl.inference.parts import interval_end, interval_of, unsaid_of
from lossctl.inference.reader import Reader
from lossctl.inference.repeating import repeating
from lossctl.inference.sample import sampled
from lossctl.inference.suitable import GRADES
from lossctl.reading.cells import BadRow
from lossctl.reading.format import Source, Wanted
from lossctl.words import counted, natural, shell_word

ALIKE = 0.9
"""The correlation with their mean from which columns are near-equal."""
SHOWN = 12
"""How many columns a finding lists."""
MEMBERS = 64
"""How many columns of an ensemble are looked at."""


@dataclass(frozen=True)
class Arrangements:
    """What the columns of a data set are together, by what is known of their roles."""

    source: Source
    label: tuple[str, ...]
    """The label columns; none where they are not known."""
    classes: frozenset[str] = frozenset()
    """Columns that are the numbers of one vector of classes."""
    forecasts: tuple[tuple[str, ...], ...] = ()
    """The columns of each prediction that is a forecast of a number; where there is none, any may be."""
    known: frozenset[str] = frozenset()
    """All columns that have a role, and that which tells rows apart; none where they are not known."""

    def reported(self) -> Iterator[Reported]:
        """What is to be said of them."""
        known = set[str]()
        for names in self.forecasts or (None,):
            quantiles = self._quantiles(names)
            interval = [*self._of_interval(names)]
            if not interval or len(quantiles) > 2:  # else it says the same of the two
                yield from self._of_quantiles(quantiles)
            yield from interval
            known |= {*quantiles}
        yield from self._of_members(known)
        yield from self._of_labels()
        yield from self._of_queries()
        yield from self._of_repeating()

    # --- each kind

    def _quantiles(self, among: Sequence[str] | None) -> list[str]:
        """The columns that are named for quantiles, in the order of their levels; none where these are not clear.

        Args:
            among: of which columns; all that are free where left out.
        """
        levels = levels_among(self._free() if among is None else among)
        clear = len(levels) > 1 and len({*levels.values()}) == len(levels)
        return sorted(levels, key=lambda name: levels[name]) if clear else []

    def _of_quantiles(self, names: Sequence[str]) -> Iterator[Reported]:
        rows = self._rows([*names, *self.label]) if names and len(self.label) <= 1 else None
        if rows is None or not len(rows[0]):
            return
        values, looked = rows[0][:, : len(names)], rows[1]
        crossing = int((np.diff(values, axis=1) < 0).any(axis=1).sum())
        levels = ", ".join(f"{level_of(name):g}" for name in names)
        crosses = f"they cross in {counted(crossing, 'row')}" if crossing else "they do not cross"
        what = f"{_listed(names)} are quantiles by their names, {levels}: {crosses}"
        if self.label:
            shares = (rows[0][:, -1:] <= values).mean(axis=0).tolist()
            covered = ", ".join(f"{100 * share:.3g} %" for share in shares[:SHOWN])
            between = ((values[:, 0] <= rows[0][:, -1]) & (rows[0][:, -1] <= values[:, -1])).mean()
            width = (values[:, -1] - values[:, 0]).mean()
            what += f"; {covered} of the labels are not above them, {100 * between:.3g} % between first and last, "
            what += f"which are {width:.4g} apart in the mean"
        median = next((name for name in names if level_of(name) == 0.5), None)
        advice = "A quantile forecast is no number to be near: compare those shares with the levels. Together they are "
        advice += f"measured by quantiles: -p {shell_word(','.join(names))} -l quantiles."
        advice += f" The median {median!r} alone is measured by mae." if median else ""
        severity = Severity.warning if crossing else Severity.note
        yield Reported("quantiles", severity, "", f"{what} ({looked})", advice, stops=False)

    def _of_interval(self, among: Sequence[str] | None) -> Iterator[Reported]:
        """Two columns that are named for the ends of an interval, and for no more; arguments as for `_quantiles`."""
        names = [*among] if among else [column.name for column in self.source.columns if column.kind == "number"]
        ends = {end: [name for name in names if interval_end(name) == end] for end in ("lower", "upper")}
        if len(self.label) != 1 or any(len(each) != 1 for each in ends.values()):
            return
        (lower,), (upper,) = ends["lower"], ends["upper"]
        rows = self._rows([lower, upper, *self.label])
        if rows is None or not len(rows[0]) or {lower, upper} & {*self.label}:
            return
        low, high, label = rows[0].T
        crossing, held = int((high < low).sum()), 100 * ((low <= label) & (label <= high)).mean()
        what = f"{lower}, {upper} are the ends of an interval by their names: {held:.3g} % of the labels are in it, "
        what += f"its mean width is {(high - low).mean():.4g}"
        what += f"; they cross in {counted(crossing, 'row')}" if crossing else ""
        pair = f"-p {shell_word(f'{lower},{upper}')}"
        outside = interval_of((lower, upper))
        if outside:
            advice = f"Compare that share with {100 * (1 - outside):g} %, as they are named: {pair} "
            advice += f"-l interval:alpha={outside:g}."
        else:
            unsaid, _ = unsaid_of((lower, upper))
            advice = f"{unsaid[0].upper()}{unsaid[1:]}. Compare that share with it; alpha is the rest, such as 0.2 "
            advice += f"for 80 %: {pair} -l interval:alpha=…"
        severity = Severity.warning if crossing else Severity.note
        yield Reported("interval", severity, "", f"{what} ({rows[1]})", advice, stops=False)

    def _of_members(self, but: Collection[str]) -> Iterator[Reported]:
        families: dict[str, list[str]] = {}
        for name in self._free():
            numbered = re.fullmatch(r"(.*?)[\W_]*\d+", name)
            if numbered and numbered[1] and name not in {*but, *self.label, *self.classes}:
                families.setdefault(numbered[1], []).append(name)
        for family in families.values():
            names = sorted(family, key=natural)
            rows = self._rows(names[:MEMBERS]) if len(names) > 2 else None
            if rows is not None and (least := _least_alike(rows[0])) is not None and least >= ALIKE:
                what = f"{_listed(names)} are near-equal: a correlation of at least {least:.3g} with their mean"
                advice = "Members of an ensemble? Together they are measured by crps_ensemble: "
                advice += f"-p {shell_word(','.join(names))} -l crps_ensemble. " if len(names) <= SHOWN else ""
                advice += "Each can be measured as a model; their mean is not computed here."
                yield Reported("ensemble", Severity.note, "", f"{what} ({rows[1]})", advice, stops=False)

    def _of_labels(self) -> Iterator[Reported]:
        rows = self._rows(self.label) if len(self.label) > 1 else None
        if rows is not None and np.isin(rows[0], (0, 1)).all() and (rows[0].sum(axis=1) != 1).any():
            rates = rows[0].mean(axis=0).tolist()
            shown = ", ".join(f"{name} {rate:.3g}" for name, rate in [*zip(self.label, rates, strict=True)][:SHOWN])
            more = ", …" if len(rates) > SHOWN else ""
            advice = "A label that is rare or sure tells little of a model by its mean loss alone: compare the skill."
            what = f"base rates of the labels: {shown}{more} ({rows[1]})"
            yield Reported("base-rates", Severity.note, "", what, advice, stops=False)

    def _of_queries(self) -> Iterator[Reported]:
        names = [
            column.name for column in self.source.columns if is_query(column.name) and column.kind in {"number", "text"}
        ]
        if len(names) != 1 or len(self.label) != 1 or names[0] == self.label[0]:
            return
        wanted, grades, times = Wanted(frozenset(self.label), frozenset(names)), np.empty(0), Counter[str]()
        sample = sampled(self.source, wanted)
        for record in sample.records:
            reader = Reader(record)
            try:
                grades = distinct(np.append(grades, reader.numbers(self.label[0])[~reader.null]))
                times.update(reader.text(names[0]).drop_null().to_pylist())
            except BadRow:
                return
        graded = 1 < len(grades) <= GRADES and not np.any(grades % 1) and grades[0] >= 0
        if graded and len(times) * 2 <= times.total():
            what = (
                f"rows belong to {counted(len(times), 'list')} by {names[0]!r}, with grades from {grades[0]:g} to "
                f"{grades[-1]:g}: a ranking ({_looked(sample.rows, whole=sample.whole)})"
            )
            advice = "Rankings are not measured here, such as NDCG or MAP: each row is measured by itself."
            yield Reported("ranking", Severity.note, "", what, advice, stops=False)

    def _of_repeating(self) -> Iterator[Reported]:
        told = repeating((self.source,), self.known) if self.known else None
        if told is not None:
            advice = "They move together, so a standard error that takes each for itself is too small: "
            advice += f"--cluster {shell_word(told.column)} of eval, compare and gates takes those of one as one."
            yield Reported("repeating-rows", Severity.note, "", told.what, advice, stops=False)

    # --- what they look at

    def _free(self) -> list[str]:
        """The columns of numbers that are no label, no number of a vector and no index."""
        apart = {*self.label, *self.classes}
        return [
            column.name
            for column in self.source.columns
            if column.kind == "number" and column.name not in apart and not is_index(column.name)
        ]

    def _rows(self, names: Sequence[str]) -> tuple[FloatArray, str] | None:
        """The rows of a sample without a null in some columns, ``(n, k)``, and which; ``None`` of no numbers."""
        sample = sampled(self.source, Wanted(frozenset(names), frozenset()))
        parts = []
        for record in sample.records:
            reader = Reader(record)
            try:
                values = np.column_stack([reader.numbers(name) for name in names])
            except BadRow:
                return None
            parts.append(values[~reader.null])
        if not parts:
            return None
        rows = np.concatenate(parts)
        return rows, _looked(len(rows), whole=sample.whole)


def _least_alike(rows: FloatArray) -> float | None:
    """The least correlation of a column with the mean of all; ``None`` where there are too few rows, or no spread."""
    if len(rows) < ENOUGH or not np.isfinite(rows).all():
        return None
    mean = rows.mean(axis=1)
    if not mean.std() or not rows.std(axis=0).all():
        return None
    return min(float(np.corrcoef(column, mean)[0, 1]) for column in rows.T)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", … ({len(names)} columns)" if len(names) > SHOWN else "")


def _looked(rows: int, *, whole: bool) -> str:
    return f"in {counted(rows, 'row')}" + ("" if whole else " looked at")
