"""The file of a baseline: JSON, in which exact numbers are hexadecimal; nothing in it is ever run."""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lossctl.comparison.kept import Kept, bare_total, with_sums
from lossctl.comparison.wording import rounded
from lossctl.document import SCHEMA_VERSION
from lossctl.errors import DataError, UsageError
from lossctl.sums.clusters import KEPT, KEPT_BITS, Totals

KIND = "lossctl baseline"


def read(path: str) -> dict[str, Any]:
    """What the file of a baseline says.

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
    return record


def written(results: Sequence[Kept]) -> dict[str, Any]:
    """Results as the file has them: what those of a group have alike is said once."""
    groups = list(dict.fromkeys(tuple(kept.group.items()) for kept in results))
    first = {group: next(kept for kept in results if tuple(kept.group.items()) == group) for group in groups}
    return {
        "groups": [_group(first[group]) for group in groups],
        "results": [_result(kept, groups.index(tuple(kept.group.items()))) for kept in results],
    }


def results_of(record: Mapping[str, Any]) -> tuple[Kept, ...]:
    """The results that a file has; a damaged one raises any error of Python's about values and types."""
    groups = [_read_group(group) for group in record["groups"]]
    return tuple(_read_result(result, groups) for result in record["results"])


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
    numbers = kept.reduced.columns
    values, *others = kept.buckets.sums[:numbers]
    weights = kept.buckets.sums[numbers:]
    further = {
        "sums_beside": [_hex(total) for total in kept.total.beside.sums],
        "spans": [span.hex() for span in kept.total.beside.spans],
        "bucket_values_beside": [[value.hex() for value in column.tolist()] for column in others],
    }
    return {
        "loss": kept.loss,
        "reduction": kept.reduction,
        "wrt": kept.wrt,
        "model": kept.model,
        "group": group,
        "value": rounded(kept.estimate.value, kept.estimate.standard_error),
        "sum_weight": _hex(kept.total.sum_weight),
        "sum_value": _hex(kept.total.sum_value),
        "bucket_values": [value.hex() for value in values.tolist()],
        "bucket_weights": [weight.hex() for weight in weights[0].tolist()] if weights else None,
        **(further if others else {}),
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
    columns = [result["bucket_values"], *result.get("bucket_values_beside", ()), result["bucket_weights"]]
    sums = tuple(np.array([float.fromhex(word) for word in column]) for column in columns if column is not None)
    if any(len(column) != len(buckets.key) or not np.isfinite(column).all() for column in sums):
        raise ValueError("a bucket has no sum")
    beside = [_unhex(total) for total in result.get("sums_beside", ())]
    spans = [float.fromhex(span) for span in result.get("spans", ())]
    total = bare_total(int(buckets.n.sum()), _unhex(result["sum_weight"]), _unhex(result["sum_value"]), beside, spans)
    loss, reduction, wrt, model = (str(result[name]) for name in ("loss", "reduction", "wrt", "model"))
    kept = Kept(loss, reduction, wrt, model, group, total, with_sums(buckets, sums))
    try:
        numbers = kept.reduced.columns
    except UsageError as wrong:
        raise ValueError(wrong.what) from None
    if total.sum_weight <= 0 or numbers != len(beside) + 1 or len(sums) not in {numbers, numbers + 1}:
        raise ValueError("a result has no weight, or other numbers than its loss")
    return kept


def _hex(exact: Fraction) -> str:
    """An exact number whose denominator is a power of two: a whole one in hexadecimal, times a power of two."""
    return f"{exact.numerator:x}p-{exact.denominator.bit_length() - 1}"


def _unhex(text: str) -> Fraction:
    number, _, power = text.partition("p-")
    exponent = int(power)
    if not 0 <= exponent <= 5000 or len(number) > 5000:
        raise ValueError(f"{text[:40]!r} is no number")
    return Fraction(int(number, 16), 1 << exponent)
