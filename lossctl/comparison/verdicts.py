"""What was decided of the gates of one invocation: words, JSON and exit status, all from one value."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from lossctl.comparison.gate import STRICTER, Gate, Measurement, State, Verdict
from lossctl.comparison.wording import plain, rounded, signed
from lossctl.dataclass import dataclass
from lossctl.document import Column, Document, Line, Outcome, Piece, Table, Tone
from lossctl.evaluation.tables import ALL
from lossctl.sums.estimate import Estimate
from lossctl.words import titled

WORDS: Mapping[State, str] = {
    "pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE", "error": "ERROR", "info": "INFO",
}  # fmt: skip
TONES: Mapping[State, Tone] = {
    "pass": "good", "fail": "bad", "inconclusive": "doubtful", "error": "bad", "info": "",
}  # fmt: skip
DECIDED: Mapping[State, str] = {
    "error": "in error", "fail": "failed", "inconclusive": "inconclusive", "pass": "passed",
}  # fmt: skip
"""What is said of how many, in the order in which they matter."""
WORST = ("error", "fail", "inconclusive", "pass")


@dataclass(frozen=True)
class Verdicts:
    """What was decided of all gates."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    overall: tuple[Verdict, ...] = ()
    """What was measured of all rows together where a gate is about groups, of which nothing is decided."""

    @property
    def exit_code(self) -> int:
        """The exit status: 3 where something could not be measured, else 1 where a gate failed, else 4, else 0.

        4 is of a gate that is inconclusive and must not be.
        """
        statuses = {verdict.exit_status for verdict in self.verdicts}
        return next((status for status in (3, 1, 4) if status in statuses), 0)

    @property
    def verdict(self) -> str:
        """The worst of the verdicts: ``error``, ``fail``, ``inconclusive`` or ``pass``."""
        states = {verdict.state for verdict in self.verdicts}
        return next((state for state in WORST if state in states), "pass")

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each, with the inequality in full."""
        return tuple(self._line(verdict) for verdict in self.verdicts)

    def _line(self, verdict: Verdict) -> str:
        return line(verdict, several=self._several(verdict), whole=self._whole)

    def _head(self, verdict: Verdict) -> str:
        return head(verdict, several=self._several(verdict), whole=self._whole)

    @cached_property
    def _whole(self) -> str:
        """What stands for all rows together where there are groups; in parentheses where one is called so."""
        taken = any(one.measured is not None and ALL in one.measured.group.values() for one in self.verdicts)
        return f"({ALL})" if taken else ALL

    @property
    def _shown(self) -> list[tuple[Verdict, str]]:
        """All verdicts with their lines, before those on groups what all rows together come to."""
        before = {_subject(one): one for one in self.overall}
        shown = []
        for verdict in self.verdicts:
            whole = before.pop(_subject(verdict), None)
            shown += [verdict] if whole is None else [whole, verdict]
        return [(verdict, self._line(verdict)) for verdict in shown]

    @property
    def _said(self) -> Iterator[tuple[Verdict, str]]:
        """As `_shown`, of gates that have the same error one line, which names them."""
        alike: dict[str, list[Verdict]] = {}
        for verdict, _ in self._shown:
            if verdict.state == "error" and verdict.measured is None:
                alike.setdefault(verdict.reason, []).append(verdict)
        for verdict, words in self._shown:
            same = alike.get(verdict.reason, []) if verdict.state == "error" and verdict.measured is None else []
            if len(same) < 2:
                yield verdict, words
            elif verdict is same[0]:
                names = ", ".join(map(self._head, same))
                yield verdict, f"{WORDS[verdict.state]} {names}: {verdict.reason}"

    def _several(self, verdict: Verdict) -> bool:
        """Whether a gate is about several models."""
        return len(self._models.get(id(verdict.gate), ())) > 1

    @cached_property
    def _models(self) -> Mapping[int, set[str]]:
        """The models that each gate is about."""
        models: dict[int, set[str]] = {}
        for one in self.verdicts:
            if one.measured is not None:
                models.setdefault(id(one.gate), set()).add(one.measured.model)
        return models

    def beside(self, document: Document) -> Document:
        """The document of what was judged, with the verdicts in its record."""
        record = document.record
        return replace(document, record=lambda: {**record(), **self._verdicts()}, outcomes=self.outcomes)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was decided, for formats that carry decisions."""
        return tuple(_outcome(one, self._line(one), self._head(one)) for one in self.verdicts)

    def document(self) -> Document:
        """The verdicts, described: a row and an object for each."""
        return Document(
            title=self._title,
            sections=lambda: [tuple(Line(_toned(*pair)) for pair in self._said)],
            record=self._record,
            pages=lambda: [(self._table(),)],
            rows=lambda: (_row(facts) for facts in self._facts()),
            items=self._facts,
            notes=self.notes,
            warnings=self.warnings,
            outcomes=self.outcomes,
            schema="check",
        )

    @property
    def _title(self) -> str:
        """How many hold, and of which files."""
        states = Counter(one.state for one in self.verdicts)
        decided = ", ".join(f"{states[state]} {words}" for state, words in DECIDED.items() if states[state])
        files = [*dict.fromkeys(file for one in self.verdicts if (file := _file(one.gate)) is not None)]
        return ": ".join(filter(None, [decided, titled("gates", files)]))

    def to_dict(self) -> dict[str, Any]:
        """The verdicts as strict JSON has them."""
        return self.document().to_dict()

    def _record(self) -> dict[str, Any]:
        return {**self._verdicts(), "notes": self.notes, "warnings": self.warnings}

    def _verdicts(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "gates": self._facts(),
            **({"overall": [_facts(one, self._line(one)) for one in self.overall]} if self.overall else {}),
        }

    def _facts(self) -> list[dict[str, Any]]:
        return [_facts(*pair) for pair in zip(self.verdicts, self.lines, strict=True)]

    def _table(self) -> Table:
        """A row for each, for a page: what was decided, of what, and the inequality in full."""
        columns = (
            Column("verdict", "name"),
            Column("gate", "name"),
            Column("measured, and the limit", "text"),
            Column("n", "count"),
        )
        rows = []
        for verdict, words in self._shown:
            name = self._head(verdict)
            inequality = words.removeprefix(f"{WORDS[verdict.state]} {name}: ")
            n = None if verdict.measured is None else verdict.measured.estimate.n
            rows.append([_piece(verdict), name, inequality, n])
        return Table.of(columns, rows, folds=True)


def _subject(verdict: Verdict) -> tuple[str, str, str]:
    """The gate, loss and model that it is about."""
    measured = verdict.measured
    return (verdict.gate.name, measured.loss, measured.model) if measured is not None else (verdict.gate.name, "", "")


def _outcome(verdict: Verdict, words: str, name: str) -> Outcome:
    if verdict.state == "info":
        raise TypeError(f"nothing was decided: {words}")
    facts = _facts(verdict, words)
    told = {name: facts[name] for name in _TOLD if facts.get(name) not in {None, ""} and facts[name] == facts[name]}
    if verdict.gate.percent:
        told["limit"] = f"{plain(100.0 * verdict.gate.limit)} %"
    told |= {f"group {column}": word for column, word in facts["group"].items()}
    if not verdict.gate.name and verdict.measured is not None:
        name = (
            _title(verdict, verdict.measured, several=verdict.measured.model in words) + f" <= {verdict.gate.limit!r}"
        )
    return Outcome(name, verdict.state, words, verdict.exit_status != 0, file=facts["file"] or "", properties=told)


_TOLD = (
    "loss", "model", "n", "clusters", "buckets", "value", "baseline", "constant_loss", "standard_error", "lower",
    "upper", "limit", "confidence", "adjusted_confidence", "p", "top_share", "reason",
)  # fmt: skip
"""What of a verdict formats carry as properties."""


def _toned(verdict: Verdict, said: str) -> tuple[Piece, ...]:
    word = WORDS[verdict.state]
    return _piece(verdict), Piece(said.removeprefix(word))


def _piece(verdict: Verdict) -> Piece:
    """The word of a verdict, in its colour: a pass above the limit is not as good as one below."""
    return Piece(WORDS[verdict.state], "doubtful" if verdict.is_unproven else TONES[verdict.state])


def head(verdict: Verdict, *, several: bool, whole: str) -> str:
    """What a verdict is on: the gate, and which model and group; arguments as for `line`."""
    measured = verdict.measured
    places = [measured.model] if several and measured is not None else []
    places += [] if measured is None else ["null" if word is None else word for word in measured.group.values()]
    places += [whole] if verdict.state == "info" else []
    return verdict.gate.name + (f" [{' '.join(places)}]" if places else "")


def line(verdict: Verdict, *, several: bool = False, whole: str = ALL) -> str:
    """The verdict in one line: the inequality in full.

    Args:
        verdict: what was decided.
        several: whether it takes the name of the model to tell it from others.
        whole: what stands for all rows together where there are groups.
    """
    gate, measured = verdict.gate, verdict.measured
    if not gate.name and measured is not None:
        return _unnamed(verdict, measured, several=several)
    begin = f"{WORDS[verdict.state]} {head(verdict, several=several, whole=whole)}"
    if measured is None:
        return f"{begin}: {verdict.reason}"
    if gate.kind == "min_n":
        sign = {"pass": " >= ", "info": ", limit "}.get(verdict.state, " < ")
        reason = f": {verdict.reason}" if verdict.reason else ""
        return f"{begin}: n = {measured.estimate.n:,}{sign}{gate.limit:,.0f}{reason}"
    return f"{begin}: {_inequality(verdict, measured)}" + (f"; {measured.note}" if measured.note else "")


def _unnamed(verdict: Verdict, measured: Measurement, *, several: bool) -> str:
    """The verdict on a bound that was given by itself, with every digit."""
    sign = "<=" if verdict.state == "pass" else ">"
    title = _title(verdict, measured, several=several)
    return f"{WORDS[verdict.state]} {title} {measured.value!r} {sign} {verdict.gate.limit!r}"


def _title(verdict: Verdict, measured: Measurement, *, several: bool) -> str:
    """What a bound that was given by itself is about."""
    group = [f"{name}={word}" for name, word in measured.group.items()]
    return " ".join([measured.loss, *([measured.model] if several or verdict.gate.model else []), *group])


def _inequality(verdict: Verdict, measured: Measurement) -> str:
    """What was measured, and how it stands to the limit."""
    gate, estimate = verdict.gate, measured.estimate
    error = estimate.standard_error
    shown = [rounded(measured.value, error)]
    if measured.baseline is not None:
        change = measured.value - measured.baseline if _is_moved(gate, estimate) else estimate.value
        shown = [f"{rounded(measured.value, error)} − {rounded(measured.baseline, error)} = {signed(change, error)}"]
    if not (math.isnan(error) or gate.fail_if == "point"):
        shown.append(f"± {rounded(error, error)}")
    return " ".join(shown) + _bound(verdict, measured)


def _bound(verdict: Verdict, measured: Measurement) -> str:
    """How the bound, or the value, stands to the limit; as far as the numbers go that were printed before it."""
    gate, estimate = verdict.gate, measured.estimate
    error = estimate.standard_error
    beyond = 0.0  # what of the limit is in the estimate
    if _is_moved(gate, estimate):
        beyond = gate.limit * abs(measured.baseline or 0.0)
    limit = _limit(gate, measured.limit + beyond, error)
    sign = ">" if verdict.state == "fail" else "<="
    if verdict.state in {"inconclusive", "error", "info"}:
        return f", limit {limit}: {verdict.reason}{_without(verdict, measured)}"
    if gate.fail_if == "point" and gate.pass_if != "proven":
        return f" {sign} {limit}"
    if verdict.state == "pass" and gate.pass_if == "proven":
        return f", at most {_signed_or(measured, estimate.upper(gate.confidence) + beyond, error)} <= {limit}"
    bound = measured.least(verdict.confidence)
    if verdict.state == "fail" and estimate.doubted and not bound > measured.limit:
        likely = f"{max(100.0 * measured.chance, 0.1):.2g} %"
        return f" {sign} {limit}, so high by chance in {likely} of files at most, though {estimate.doubt}"
    if math.isnan(bound) or (estimate.doubted and verdict.state == "pass" and not verdict.is_unproven):
        return f" {sign} {limit}"
    if verdict.is_unproven:
        least = _signed_or(measured, bound + beyond, error) + _raised(verdict)
        return f" is above {limit}, but not proven: at least {least}; {STRICTER}"
    without = f" without the {estimate.unit} that carries {100 * estimate.top_share:.0f} % of the sum of squares"
    said = without if verdict.state == "fail" and estimate.doubted else ""
    return f", at least {_signed_or(measured, bound + beyond, error)}{_raised(verdict)} {sign} {limit}{said}"


def _raised(verdict: Verdict) -> str:
    """That a bound is further off than that of the gate alone; empty where it is not."""
    confidence, alone = verdict.confidence, verdict.gate.confidence
    return "" if confidence == alone else f" (at {100.0 * confidence:.4g} %, as one of several gates)"


def _without(verdict: Verdict, measured: Measurement) -> str:
    """What a number that is not trusted is without the row or cluster that carries most; empty where nobody knows."""
    estimate = measured.estimate
    if verdict.state != "inconclusive" or estimate.doubted != "share" or math.isnan(measured.without):
        return ""
    beyond = verdict.gate.limit * abs(measured.baseline or 0.0) if _is_moved(verdict.gate, estimate) else 0.0
    number = measured.without + beyond
    return f"; without it {_signed_or(measured, number, abs(number) / 10.0)}"


def _is_moved(gate: Gate, estimate: Estimate) -> bool:
    """Whether the estimate is an increase less what is allowed."""
    return gate.percent and gate.limit != 0.0 and not estimate.same


def _limit(gate: Gate, limit: float, error: float) -> str:
    """What a value is held against: as it was given, and what that comes to."""
    if gate.percent:
        return f"{rounded(limit, error)} ({plain(100.0 * gate.limit)} %)"
    return f"{rounded(limit, error)} (skill {plain(gate.limit)})" if gate.kind == "min_skill" else plain(gate.limit)


def _signed_or(measured: Measurement, value: float, error: float) -> str:
    return rounded(value, error) if measured.baseline is None else signed(value, error)


def _facts(verdict: Verdict, words: str) -> dict[str, Any]:
    """The verdict in numbers, strings and dictionaries."""
    gate, measured = verdict.gate, verdict.measured
    facts: dict[str, Any] = {
        "name": gate.name,
        "verdict": verdict.state,
        "exit_code": verdict.exit_status,
        "file": _file(gate),
        "kind": gate.kind,
        "limit": gate.limit,
        "percent": gate.percent,
        "fail_if": gate.fail_if,
        "pass_if": gate.pass_if,
        "on_inconclusive": gate.on_inconclusive,
        "confidence": gate.confidence,
        "adjusted_confidence": verdict.confidence,
        "p": verdict.p,
        "reason": verdict.reason,
        "line": words,
    }
    if measured is None:
        return {**facts, "loss": gate.loss, "model": gate.model, "group": dict(gate.only)}
    estimate = measured.estimate
    least = measured.least(verdict.confidence)
    told = {
        **facts,
        "loss": measured.loss,
        "model": measured.model,
        "group": dict(measured.group),
        "n": estimate.n,
        "clusters": None if estimate.bucketed else estimate.clusters,
        **({"buckets": estimate.clusters} if estimate.bucketed else {}),
        "value": measured.value,
        "baseline": measured.baseline,
        "constant_loss": measured.constant,
    }
    if gate.kind == "min_n":  # a number of rows has no error
        return told
    return {
        **told,
        "claim": estimate.value,
        "claim_limit": measured.limit,
        "standard_error": estimate.standard_error,
        "lower": estimate.lower(verdict.confidence) if math.isnan(least) else least,
        "upper": estimate.upper(gate.confidence),
        "top_share": estimate.top_share,
    }


def _file(gate: Gate) -> str | None:
    """The predictions that a gate is about; ``None`` where they are in several files, or in memory."""
    file = gate.settings.get("file")
    paths = file if isinstance(file, list | tuple) else [file]
    return str(paths[0]) if len(paths) == 1 and isinstance(paths[0], str | os.PathLike) else None


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    group = facts.pop("group")
    return {**facts, "group": " ".join(f"{name}={word}" for name, word in group.items())}
