"""What the footer of a Parquet file says of the cells of a row group: their bounds, to pass over what cannot match."""

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lossctl.reading.holding import SIGNS, moment, stored
from lossctl.reading.where import Among, Comparison, Condition, Joined, Name, Value

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Bounds = tuple[Any, Any]
"""The least and the greatest cell."""
Known = Callable[[str, Sequence[Value]], tuple[Bounds, list[Any]] | None]
"""For a column and some values, the bounds of its cells, and the values as they are held against these."""
UNITS = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}


def bounds_in(file: "pq.ParquetFile", group: int) -> Known:
    """What tells the bounds of columns in a row group of an open file."""
    metadata, schema = file.metadata.row_group(group), file.schema_arrow
    places: dict[str, list[int]] = {}
    for place in range(metadata.num_columns):
        places.setdefault(file.schema.column(place).path, []).append(place)

    def bounds_of(name: str, values: Sequence[Value]) -> tuple[Bounds, list[Any]] | None:
        if len(places.get(name, ())) != 1:
            return None
        column = metadata.column(places[name][0])
        statistics = column.statistics if column.is_stats_set else None
        if statistics is None or not statistics.has_min_max:
            return None
        times = _time(json.loads(statistics.logical_type.to_json()), schema, name)
        known: tuple[Bounds, list[Any]] | None
        if times is not None:
            moments = [moment(str(value.value), times, value.place) for value in values]
            whole = pa.int32() if pa.types.is_date32(times) else pa.int64()
            known = (statistics.min_raw, statistics.max_raw), [scalar.cast(whole).as_py() for scalar in moments]
        else:
            known = _comparable(statistics, [value.value for value in values])
        if known is None or known[0][0] > known[0][1]:  # whoever wrote these did not mean bounds
            return None
        return known

    return bounds_of


def _comparable(statistics: Any, values: list[Any]) -> tuple[Bounds, list[Any]] | None:
    """The bounds of numbers or text, and values of the same kind; ``None`` where they are something else."""
    physical = statistics.physical_type
    if physical not in {"BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY"}:
        return None
    if statistics.logical_type.type not in {"NONE", "INT", "STRING"}:
        return None
    if statistics.logical_type.type == "STRING":  # bounds may be cut within a character; bytes are in order as text is
        if not all(isinstance(value, str) for value in values):
            return None
        return (statistics.min_raw, statistics.max_raw), [value.encode() for value in values]
    low, high = statistics.min, statistics.max
    if not isinstance(low, int | float) or math.isnan(low) or math.isnan(high):
        return None
    if any(isinstance(value, str) for value in values):
        return None
    kind = {"FLOAT": pa.float32(), "DOUBLE": pa.float64()}.get(physical, pa.int64())
    return (low, high), [stored(value, kind) for value in values]


def _time(logical: dict[str, Any], schema: pa.Schema, name: str) -> pa.DataType | None:
    """The type of Arrow's of what the bounds of a column of dates or times count; ``None`` for other columns."""
    if logical.get("Type") == "Date":
        return pa.date32()
    if logical.get("Type") != "Timestamp" or logical.get("timeUnit") not in UNITS or name not in schema.names:
        return None
    kind = schema.field(name).type
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    return pa.timestamp(UNITS[logical["timeUnit"]], zone)


def excluded(condition: Condition, bounds_of: Known) -> bool:
    """Whether a condition holds for no row of some, by the bounds of their columns.

    Args:
        condition: what is asked of rows.
        bounds_of: for a column and some values, the bounds of its cells and the values likewise; ``None`` where they
            are not known. Nulls are not counted: no comparison chooses them.
    """
    match condition:
        case Joined():
            return (any if condition.every else all)(excluded(part, bounds_of) for part in condition.parts)
        case Comparison(left=Name() as left, right=Value() as value):
            known = bounds_of(left.name, [value])
            return known is not None and _outside(*known[0], condition.sign, known[1][0])
        case Among():
            known = bounds_of(condition.name.name, condition.values)
            if known is None:
                return False
            (low, high), values = known
            if condition.negated:
                return bool(low == high and low in values)
            return all(_outside(low, high, "==", value) for value in values)
    return False


def _outside(low: Any, high: Any, sign: str, value: Any) -> bool:
    """Whether no cell from ``low`` to ``high`` is in a relation to a value."""
    if sign == "==":
        return bool(value < low or value > high)
    if sign == "!=":
        return bool(low == value == high)
    return not SIGNS[sign](low if sign in {"<", "<="} else high, value)
