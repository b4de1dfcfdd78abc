"""A baseline: what an earlier model came to, kept without its predictions, so that a later one is held against it.

The rows are in 1,024 buckets by their hashed keys. The same rows fall into the same buckets again, so the sums of a
bucket, less those that were kept, are sums of differences of rows: the paired interval, with 1,023 degrees of freedom.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from lossctl.comparison.wording import rounded
from lossctl.document import SCHEMA_VERSION, Column, Document, Notes, Table, versioned
from lossctl.document import Estimate as Shown
from lossctl.domain import FloatArray
from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.evaluate import Prepared, measured
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import Running
from lossctl.evaluation.scores import Scores
from lossctl.evaluation.tables import ALL
from lossctl.functions.bound_loss import get_loss
from lossctl.reduction import Reduction
from lossctl.sums.clusters import KEPT, KEPT_BITS, Totals
from lossctl.sums.estimate import Estimate
from lossctl.sums.exact import ExactSum
from lossctl.sums.influence import Grouped, by_cluster, difference_of, of_buckets, on_difference, on_value
from lossctl.sums.moments import Total

KIND = "lossctl baseline"
SETTINGS = ("label", "weight", "cluster", "classes", "where", "limit")
"""What of the inputs changes a number, or which rows it is of."""


@dataclass(frozen=True)
class Kept:
    """One result of a baseline: the sums of a loss of a model in a group, over all its rows and by bucket."""

    loss: str
    reduction: str
    wrt: str
    model: str
    group: Mapping[str, str | None]
    total: Total
    """Of these the sums of squares are not known."""
    buckets: Totals
    """By ascending bucket, Σwℓ and, where rows have weights, Σw."""
    estimate: Estimate
    """The value, and how sure it is."""

    @property
    def reduced(self) -> Reduction:
        """What is made of its rows."""
        return get_loss(self.loss).under(self.reduction).reduced

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str | None], ...]]:
        """What a result of a later run must have alike."""
        return self.loss, tuple(self.group.items())

    @property
    def grouped(self) -> Grouped:
        """Its sums by bucket."""
        return by_cluster(self.buckets, [0], 1 if len(self.buckets.sums) > 1 else None)


@dataclass(frozen=True)
class Baseline:
    """What an earlier model came to."""

    results: tuple[Kept, ...]
    inputs: Mapping[str, Any]
    """Files, rows, and the columns of each role but the predictions."""
    settings: Mapping[str, Any]
    """What else changes a number."""
    lossctl: str
    """The version that wrote it."""

    @property
    def losses(self) -> tuple[str, ...]:
        """The losses of it, as a user types them."""
        return tuple(dict.fromkeys(kept.loss for kept in self.results))

    @property
    def titles(self) -> tuple[str, ...]:
        """What results there are."""
        return tuple(
            " ".join([kept.loss, "of", kept.model, *(f"{name}={word}" for name, word in kept.group.items())])
            for kept in self.results
        )

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models of it."""
        return tuple(dict.fromkeys(kept.model for kept in self.results))

    def find(self, loss: str, model: str, group: Mapping[str, str | None]) -> Kept | None:
        """The result that one of a later run is held against: of that model, or of the only one; ``None`` for none."""
        name = model if model in self.models or len(self.models) != 1 else self.models[0]
        key = loss, tuple(group.items())
        return next((kept for kept in self.results if kept.model == name and kept.key == key), None)

    def ensure_comparable(self, report: Report, title: str) -> None:
        """Check that a later run measured what this one did.

        Args:
            report: of that run.
            title: what messages call this baseline.

        Raises:
            DataError: something is not alike, which is named with both values.
        """
        pairs = [(name, self.inputs.get(name), report.inputs.get(name)) for name in SETTINGS]
        known = {**report.settings}
        known.pop("losses", None)
        pairs += [(name, value, known.get(name)) for name, value in self.settings.items()]
        for name, kept, now in pairs:
            if (kept or None) != (now or None):
                what = f"{title}: made with {name} {_said(kept)}, and this is with {_said(now)}"
                raise DataError(what, "They are not comparable: measure alike, or save the baseline anew.")

    def document(self) -> Document:
        """The baseline, described: a row and an object for each result."""
        return Document(
            title="baseline",
            sections=self._sections,
            record=self._record,
            rows=self._rows,
            items=self._rows,
            values=tuple(kept.estimate.value for kept in self.results),
            bare=True,
        )

    def to_dict(self) -> dict[str, Any]:
        """What the file holds."""
        return {"kind": KIND, **versioned(self._record()), "lossctl": self.lossctl}

    def to_json(self) -> str:
        """The text of the file, a line for each result and group."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    def _sections(self) -> Iterator[tuple[Any, ...]]:
        by = self.inputs["by"]
        columns = (
            Column("loss", "name"),
            Column("model", "name"),
            *(Column(name, "name", missing="(null)") for name in by),
            Column("value", "number", tone="strong"),
            Column("std. error", "number"),
            Column("n", "count"),
            Column("buckets", "count"),
        )
        rows = [
            [
                kept.loss,
                kept.model,
                *(kept.group.values() if kept.group else [ALL, *[""] * len(by)][: len(by)]),
                Shown(kept.estimate.value, kept.estimate.standard_error),
                Shown(kept.estimate.standard_error, kept.estimate.standard_error),
                kept.total.n,
                len(kept.buckets.key),
            ]
            for kept in self.results
        ]
        yield (Table(columns, rows),)
        inputs = self.inputs
        lines = [
            f"rows of {', '.join(inputs['files'])}: {inputs['rows_used']:,} of {inputs['rows']:,} used",
            f"columns: label {', '.join(inputs['label'])} | id {', '.join(inputs['id'])}"
            + (f" | cluster {', '.join(inputs['cluster'])}" if inputs["cluster"] != inputs["id"] else "")
            + (f" | weight {inputs['weight']}" if inputs["weight"] else "")
            + (f" | by {', '.join(inputs['by'])}" if inputs["by"] else ""),
            f"written by lossctl {self.lossctl}",
        ]
        yield (Notes(tuple(lines)),)

    def _record(self) -> dict[str, Any]:
        groups = list(dict.fromkeys(tuple(kept.group.items()) for kept in self.results))
        first = {group: next(kept for kept in self.results if tuple(kept.group.items()) == group) for group in groups}
        return {
            "inputs": self.inputs,
            "settings": self.settings,
            "groups": [_group(first[group]) for group in groups],
            "results": [_result(kept, groups.index(tuple(kept.group.items()))) for kept in self.results],
        }

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "loss": kept.loss,
                "model": kept.model,
                **kept.group,
                "n": kept.total.n,
                "buckets": len(kept.buckets.key),
                "value": kept.estimate.value,
                "standard_error": kept.estimate.standard_error,
            }
            for kept in self.results
        ]


def measure_baseline(prepared: Prepared, running: Running) -> Baseline:
    """Carry out a plan whose rows are told apart by ids, and keep what it comes to.

    Raises:
        UsageError: they are not.
        DataError: as for `lossctl.evaluate`, or a value is not finite.
    """
    plan = prepared.plan
    if not plan.roles.ids:
        raise UsageError(f"a baseline needs {option('ids')}, the columns that identify a row", "Such as id.")
    plan, folded = measured(prepared.source, plan, running)
    return baseline_of(Scores(plan, folded.total), assemble(plan, folded.total, folded.passed))


def baseline_of(scores: Scores, report: Report) -> Baseline:
    """The baseline of a run whose clusters are in the buckets of one.

    Args:
        scores: the sums of the run; of all groups, where it was grouped.
        report: of the same run.
    """
    views = [scores.pooled(), scores] if scores.plan.roles.by else [scores]
    results = [
        _kept(view, place, group) for view in views for place in range(len(view.losses)) for group in view.groups
    ]
    roles = scores.plan.roles
    inputs = {name: report.inputs.get(name) for name in ("files", "rows", "rows_used", "by", *SETTINGS)}
    settings = {name: value for name, value in report.settings.items() if name not in {"losses", "ci"}}
    return Baseline(
        tuple(results), {**inputs, "id": list(roles.ids), "cluster": list(roles.cluster)}, settings, version("lossctl")
    )


def _kept(scores: Scores, place: int, group: int) -> Kept:
    model, bound = scores.losses[place]
    total = scores.totals[place][group]
    if total.special is not None or not total.n:
        title = " ".join([str(bound), model.name, *(f"{name}={word}" for name, word in scores.named(group).items())])
        what = f"{title}: it is {total.value(bound.reduced):g}" if total.n else f"{title}: no row is left"
        raise DataError(what, "Nothing can be held against that.")
    grouped = scores.by_cluster(group, place)
    if grouped is None:
        raise TypeError("a baseline is of rows in buckets")
    weighted = scores.plan.measures[place].weighted
    sums = tuple(np.ldexp(*scaled) for scaled in (*grouped.sums, *([grouped.weight] if weighted else [])))
    buckets = _with_sums(grouped.totals, sums)
    bare = Total(total.n, total.sum_weight, total.sum_value, None, Fraction(0), Fraction(0), Fraction(0))
    return Kept(
        str(bound),
        bound.reduction,
        bound.wrt,
        model.name,
        scores.named(group),
        bare,
        buckets,
        _estimate(bare, bound.reduced, by_cluster(buckets, [0], 1 if weighted else None)),
    )


def _with_sums(buckets: Totals, sums: tuple[FloatArray, ...]) -> Totals:
    """The same buckets with sums that are doubles."""
    return replace(buckets, sums=sums, exact=(ExactSum.zero(len(buckets.key)),) * len(sums))


def _estimate(total: Total, reduction: Reduction, grouped: Grouped) -> Estimate:
    """A value from its sums over all rows and by bucket."""
    return of_buckets(total.value(reduction), on_value(total, reduction), total.n, grouped)


@dataclass(frozen=True)
class Against:
    """How a later result stands to one that was kept."""

    kept: Kept
    estimate: Estimate
    """Of the difference: the later less ``ratio`` times the kept."""
    certain: bool
    """Whether the sums of every bucket are the same."""
    moved: int
    """In how many buckets there are other rows than there were: then the error is not that of pairs."""


def held_against(kept: Kept, scores: Scores, place: int, group: int, ratio: float = 1.0) -> Against:
    """A result of a later run, whose clusters are in the same buckets, beside one that was kept.

    Args:
        kept: the earlier one.
        scores, place, group: the later one.
        ratio: what the earlier value is multiplied with.
    """
    reduction = scores.losses[place][1].reduced
    total, now = scores.totals[place][group], scores.by_cluster(group, place)
    before = kept.grouped
    value = total.value(reduction) - ratio * kept.total.value(reduction)
    if now is None or not math.isfinite(value):
        return Against(kept, Estimate(value, math.nan, 0.0, total.n, 0.0, 0, math.nan), certain=False, moved=0)
    moved = _moved(before, now)
    if moved:
        return Against(kept, _unpaired(kept, total, before, now, value, reduction, ratio), certain=False, moved=moved)
    difference = np.ldexp(*now.sums[0]) - np.ldexp(*before.sums[0])
    value = value if ratio != 1.0 else difference_of(kept.total, total, reduction)
    paired = Grouped(now.totals, now.weight, (before.sums[0], (difference, 0)))
    estimate = of_buckets(value, on_difference(kept.total, total, reduction, ratio), total.n, paired)
    return Against(kept, estimate, certain=not difference.any(), moved=0)


def _moved(before: Grouped, now: Grouped) -> int:
    """In how many buckets there are not the same rows."""
    keys, earlier, later = np.intersect1d(before.totals.key, now.totals.key, assume_unique=True, return_indices=True)
    same = np.ones(len(keys), dtype=np.bool_)
    for left, right in (
        (before.totals.n, now.totals.n),
        (before.totals.marks, now.totals.marks),
        (np.ldexp(*before.weight), np.ldexp(*now.weight)),
    ):
        same &= left[earlier] == right[later]
    return len(before.totals.key) + len(now.totals.key) - len(keys) - int(same.sum())


def _unpaired(
    kept: Kept, total: Total, before: Grouped, now: Grouped, value: float, reduction: Reduction, ratio: float
) -> Estimate:
    """The difference of values of other rows: errors add up, with Welch's degrees of freedom (Welch 1947)."""
    estimates = [_estimate(kept.total, reduction, before), _estimate(total, reduction, now)]
    first, second = (
        (factor * estimate.standard_error) ** 2 for factor, estimate in zip((ratio, 1.0), estimates, strict=True)
    )
    freedom = [estimate.freedom for estimate in estimates]
    squares = first + second
    welch = squares**2 / (first**2 / freedom[0] + second**2 / freedom[1]) if squares > 0 else min(freedom)
    later = estimates[1]
    return Estimate(
        value,
        math.sqrt(squares),
        welch,
        later.n,
        min(estimate.units for estimate in estimates),
        later.clusters,
        max(estimate.top_share for estimate in estimates),
    )


def load(path: str) -> Baseline:
    """A baseline from its file.

    Raises:
        DataError: it cannot be read, or is none; says where.
    """
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", "Make it with `lossctl baseline save`.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON: {error}", "Make it with `lossctl baseline save`.") from None
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise DataError(f"{path}: is no baseline of lossctl", "Make it with `lossctl baseline save`.")
    if record.get("schema_version") != SCHEMA_VERSION:
        what = f"{path}: has schema {record.get('schema_version')!r}, and this lossctl reads {SCHEMA_VERSION}"
        raise DataError(what, "Save it anew.")
    try:
        groups = [_read_group(group) for group in record["groups"]]
        results = tuple(_read_result(result, groups) for result in record["results"])
        return Baseline(results, dict(record["inputs"]), dict(record["settings"]), str(record["lossctl"]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ZeroDivisionError) as error:
        what = f"{path}: is a damaged baseline: {type(error).__name__}: {error}"
        raise DataError(what, "Save it anew.") from None


def _group(kept: Kept) -> dict[str, Any]:
    """What all results of a group have alike: which buckets there are, how many rows each has, and their marks."""
    buckets = kept.buckets
    return {
        "group": dict(kept.group),
        "bucket": [int(key) >> (64 - KEPT_BITS) for key in buckets.key],
        "n": [int(n) for n in buckets.n],
        "marks": [f"{int(mark):016x}" for mark in buckets.marks],
    }


def _result(kept: Kept, group: int) -> dict[str, Any]:
    sums = kept.buckets.sums
    return {
        "loss": kept.loss,
        "reduction": kept.reduction,
        "wrt": kept.wrt,
        "model": kept.model,
        "group": group,
        "value": rounded(kept.estimate.value, kept.estimate.standard_error),
        "sum_weight": _hex(kept.total.sum_weight),
        "sum_value": _hex(kept.total.sum_value),
        "bucket_values": [value.hex() for value in sums[0].tolist()],
        "bucket_weights": [weight.hex() for weight in sums[1].tolist()] if len(sums) > 1 else None,
    }


def _read_group(group: Mapping[str, Any]) -> tuple[dict[str, str | None], Totals]:
    key = np.array(group["bucket"], dtype=np.uint64)
    n, marks = np.array(group["n"], dtype=np.float64), np.array([int(mark, 16) for mark in group["marks"]], np.uint64)
    if not len(key) == len(n) == len(marks) or (np.diff(key.astype(np.int64)) <= 0).any() or (key >= KEPT).any():
        raise ValueError("buckets are out of order")
    if (n < 1).any():
        raise ValueError("a bucket is empty")
    return dict(group["group"]), Totals(key << np.uint64(64 - KEPT_BITS), n, (), marks, bucketed=True, exact=())


def _read_result(result: Mapping[str, Any], groups: Sequence[tuple[dict[str, str | None], Totals]]) -> Kept:
    group, buckets = groups[result["group"]]
    columns = [result["bucket_values"], result["bucket_weights"]]
    sums = tuple(np.array([float.fromhex(word) for word in column]) for column in columns if column is not None)
    if any(len(column) != len(buckets.key) or not np.isfinite(column).all() for column in sums):
        raise ValueError("a bucket has no sum")
    total = Total(
        int(buckets.n.sum()),
        _unhex(result["sum_weight"]),
        _unhex(result["sum_value"]),
        None,
        Fraction(0),
        Fraction(0),
        Fraction(0),
    )
    if total.sum_weight <= 0:
        raise ValueError("a result has no weight")
    try:
        reduction = get_loss(str(result["loss"])).under(str(result["reduction"])).reduced
    except UsageError as wrong:
        raise ValueError(wrong.what) from None
    buckets = _with_sums(buckets, sums)
    grouped = by_cluster(buckets, [0], 1 if len(sums) > 1 else None)
    estimate = _estimate(total, reduction, grouped)
    return Kept(
        str(result["loss"]), str(result["reduction"]), str(result["wrt"]), str(result["model"]), group, total, buckets,
        estimate,
    )  # fmt: skip


def _hex(exact: Fraction) -> str:
    """An exact number whose denominator is a power of two: a whole one in hexadecimal, times a power of two."""
    return f"{exact.numerator:x}p-{exact.denominator.bit_length() - 1}"


def _unhex(text: str) -> Fraction:
    number, _, power = text.partition("p-")
    exponent = int(power)
    if not 0 <= exponent <= 5000 or len(number) > 5000:
        raise ValueError(f"{text[:40]!r} is no number")
    return Fraction(int(number, 16), 1 << exponent)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value is False else str(value)
