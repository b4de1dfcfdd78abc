"""A baseline: what an earlier model came to, kept without its predictions, so that a later one is held against it.

The rows are in 1,024 buckets by their hashed keys. The same rows fall into the same buckets again, so the sums of a
bucket, less those that were kept, are sums of differences of rows: the paired interval, with 1,023 degrees of freedom.
"""

import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from lossctl.comparison.kept import Kept, bare_total, with_sums
from lossctl.comparison.stored import KIND, read, results_of, written
from lossctl.dataclass import dataclass
from lossctl.document import Cells, Column, Document, Estimates, Notes, Table
from lossctl.domain import FloatArray
from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.prepared import Prepared, measured
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import Running
from lossctl.evaluation.scores import Scores
from lossctl.evaluation.tables import ALL
from lossctl.version import __version__
from lossctl.words import free

SETTINGS = ("label", "weight", "class_weight", "cluster", "classes", "where", "limit")
"""What of the inputs changes a number, or which rows it is of."""
OWN = {"losses", "ci"}
"""What of the settings is said of each result, or changes no number."""

OWN_TITLES = {"loss", "model", "n", "buckets", "value", "standard_error", "nonfinite"}
"""What else is in a row, beside the columns that it is grouped by."""


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
        names = dict.fromkeys((*self.settings, *report.settings))
        pairs += [(name, self.settings.get(name), report.settings.get(name)) for name in names if name not in OWN]
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
            schema="baseline",
        )

    def to_dict(self) -> dict[str, Any]:
        """What the file holds."""
        return {"kind": KIND, **self.document().to_dict()}

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
        values, errors = (
            [getattr(kept.estimate, field) for kept in self.results] for field in ("value", "standard_error")
        )
        cells: list[Cells] = [
            [kept.loss for kept in self.results],
            [kept.model for kept in self.results],
            *(
                [kept.group.get(name, word) for kept in self.results]
                for name, word in zip(by, [ALL, *[""] * len(by)], strict=False)
            ),
            Estimates.of(values, errors),
            Estimates.of(errors, errors),
            [kept.total.n for kept in self.results],
            [len(kept.buckets.key) for kept in self.results],
        ]
        yield (Table(columns, cells),)
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
        return {
            "kind": KIND,
            "lossctl": self.lossctl,
            "inputs": self.inputs,
            "settings": self.settings,
            **written(self.results),
        }

    def _rows(self) -> list[dict[str, Any]]:
        names = self.inputs["by"]
        titles: dict[str, str] = {}
        for name in names:
            titles[name] = free(name, {*OWN_TITLES, *names, *titles.values()}, "by_") if name in OWN_TITLES else name
        return [
            {
                "loss": kept.loss,
                "model": kept.model,
                **{titles[name]: word for name, word in kept.group.items()},
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
    settings = {name: value for name, value in report.settings.items() if name not in OWN}
    told_apart = {"id": list(roles.ids), "cluster": [*map(str, roles.cluster)]}
    return Baseline(tuple(results), {**inputs, **told_apart}, settings, __version__)


def _refused(scores: Scores, place: int, group: int, what: str, hint: str) -> DataError:
    """The error for a result that cannot be kept."""
    model, bound = scores.losses[place]
    title = " ".join([str(bound), model.name, *(f"{name}={word}" for name, word in scores.named(group).items())])
    return DataError(f"{title}: {what}", hint)


def _holds(kept: FloatArray, numbers: FloatArray, exponent: int) -> bool:
    """Whether doubles hold numbers times a power of two, all but a millionth of the largest."""
    with np.errstate(invalid="ignore"):
        lost = np.abs(np.ldexp(kept, -exponent) - numbers)
    return bool(np.isfinite(kept).all() and lost.max(initial=0.0) <= 1e-6 * np.abs(numbers).max(initial=0.0))


def _kept(scores: Scores, place: int, group: int) -> Kept:
    model, bound = scores.losses[place]
    total = scores.totals[place][group]
    value = total.value(bound.reduced)
    if not math.isfinite(value) or not total.n:
        what = f"it is {value:g}" if total.n else "no row is left"
        raise _refused(scores, place, group, what, "Nothing can be held against that.")
    grouped = scores.by_cluster(group, place)
    if grouped is None:
        raise TypeError("a baseline is of rows in buckets")
    weighted = scores.plan.measures[place].weighted
    scaled = (*grouped.sums, *([grouped.weight] if weighted else []))
    with np.errstate(over="ignore"):
        sums = tuple(np.ldexp(numbers, exponent) for numbers, exponent in scaled)
    if not all(_holds(kept, *told) for kept, told in zip(sums, scaled, strict=True)):
        what = "sums of its rows are too large or too small for doubles"
        hint = "Leave it out, or give labels and predictions, or weights, in another unit."
        raise _refused(scores, place, group, what, hint)
    buckets = with_sums(grouped.totals, sums)
    bare = bare_total(total.n, total.sum_weight, total.sum_value, total.beside.sums, total.beside.spans)
    return Kept(
        str(bound),
        bound.reduction,
        bound.wrt,
        model.name,
        scores.named(group),
        bare,
        buckets,
    )


def load(path: str) -> Baseline:
    """A baseline from its file.

    Raises:
        DataError: it cannot be read, or is none; says where.
    """
    record = read(path)
    try:
        results, inputs, settings = results_of(record), dict(record["inputs"]), dict(record["settings"])
        return Baseline(results, inputs, settings, str(record["lossctl"]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ZeroDivisionError) as error:
        what = f"{path}: is a damaged baseline: {type(error).__name__}: {error}"
        raise DataError(what, "Save it anew.") from None


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value is False else str(value)
