"""The document of a report: its tables, its worst rows, and notes on what they were made of."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, compress, repeat
from typing import Any, get_type_hints

import numpy as np

from lossctl.dataclass import dataclass
from lossctl.document import (
    BEST,
    Approximate,
    Cells,
    Column,
    Document,
    Estimates,
    Line,
    Notes,
    Phrase,
    Piece,
    Section,
    Spelled,
    Table,
    phrase,
)
from lossctl.domain import BoolArray, FloatArray
from lossctl.evaluation.result import RESULTS, ROWS, SKILL, WHOLE, BestConstant, Gradient, Result, Shown
from lossctl.evaluation.results import NONE, Results
from lossctl.evaluation.worst_rows import worst_rows
from lossctl.functions.lookup import get_loss
from lossctl.functions.parameter import Value, spell
from lossctl.inference.patterns import named_in_short
from lossctl.records import entries
from lossctl.words import called, counted

ALL = "all"
"""What stands for a group where there is a result of all of them; in parentheses where a group is called so."""


Name = tuple[Column, Sequence[Any]]
"""A column that tells results apart, and its cells."""
KINDS = (RESULTS, SKILL, WHOLE, ROWS)
EVERY = object()
"""What stands for the word of a group in a result of all groups."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What the rows of tables are of: all results of a loss of a model, behind that of all groups; then of the next."""

    parts: tuple[Results, ...]
    """Of one block each."""
    names: Sequence[Name]
    best: BoolArray
    """Which have the smallest value of their loss and group, where several models are compared."""

    @classmethod
    def of(cls, results: Results, overall: Results = NONE) -> "Rows":
        """Those of some results, and of the ones over all groups of the same losses and models."""
        above = {key: (part, best) for key, part, best in _marked(overall)}
        pairs = []
        for key, part, best in _marked(results):
            pairs += [above.pop(key), (part, best)] if key in above else [(part, best)]
        parts = tuple(part for part, _ in pairs)
        losses, models = (
            [word for part in parts for word in repeat(part.blocks[0].same(field), part.groups.n)]
            for field in ("loss", "model")
        )
        groups = {}
        for name, column in results.groups.by_key.items():
            words = [*entries(column, results.groups.n)]
            groups[name] = [word for part in parts for word in (words if part.groups.by_key else [EVERY])]
        return cls(parts, naming(losses, models, groups), np.concatenate([best for _, best in pairs]))

    def column(self, field: str) -> list[Any]:
        """A field of each."""
        return [value for part in self.parts for value in entries(part.blocks[0].columns[field], part.groups.n)]

    def estimates(self, field: str, deviation: str) -> Estimates:
        """A field that is a number, with the standard errors that another has."""
        return Estimates.of(self.column(field), self.column(deviation), self.best if field == "value" else None)


def sections(
    results: Results, inputs: Mapping[str, Any], settings: Mapping[str, Any], overall: Results = NONE
) -> Iterator[Section]:
    """The tables of a report, a section each; then the worst rows; then notes on what they were made of.

    Args:
        results: a row of each table.
        inputs: `Report.inputs`.
        settings: `Report.settings`.
        overall: those of all groups together, each before the groups that it is of.
    """
    rows = Rows.of(results, overall)
    yield from ((table,) for table in tables(rows, inputs))
    if any(rows.column("samples")):
        for place, result in enumerate(chain.from_iterable(rows.parts)):
            if result.samples:
                yield (worst_rows(result, _worst(result, rows.names, place), inputs),)
    yield (Notes((*marks(rows, inputs), *footer(overall or results, inputs, settings))),)


def tables(rows: Rows, inputs: Mapping[str, Any], kinds: Collection[str] = KINDS) -> Iterator[Table]:
    """The tables of a report, of those kinds; ``inputs`` are as for `sections`."""
    blocks = [part.blocks[0].columns for part in rows.parts]
    wrt = {gradient.wrt for gradient in rows.column("gradient") if gradient is not None}
    for kind, title, part, holder in (
        (RESULTS, "", None, Result),
        (SKILL, "against the best constant prediction (skill: 1 − value / its loss)", "best_constant", BestConstant),
        (
            WHOLE,
            f"gradient of the reported value with respect to the {' or '.join(sorted(wrt))}",
            "gradient",
            Gradient,
        ),
        (ROWS, "gradient of a row", "gradient", Gradient),
    ):
        figures = rows.column(part) if part else []
        measured = [each is not None for each in figures]
        if kind not in kinds or (part and not any(measured)):
            continue
        columns = [column for column, _ in rows.names]
        cells: list[Cells] = [[*compress(words, measured)] if part else words for _, words in rows.names]
        for field, shown in _shown(holder):
            if shown.table == kind and shown.when(blocks, inputs):
                holders = [*compress(figures, measured)]
                values: Cells = [getattr(each, field) for each in holders] if part else rows.column(field)
                columns.append(Column(shown.title, shown.kind, tone=shown.tone, spare=_spare(values, shown)))
                if shown.deviation:
                    values = rows.estimates(field, shown.deviation)
                elif shown.error:
                    errors = [getattr(each, shown.error) for each in holders]
                    values = [
                        Approximate(value) if off > 0 else value for value, off in zip(values, errors, strict=True)
                    ]
                cells.append(values)
        yield Table(tuple(columns), cells, title)


def _spare(values: Cells, shown: Shown) -> bool:
    """Whether a column carries nothing: counts of nothing, or one word, which the notes have."""
    return not any(values) if shown.kind == "count" else shown.kind == "name" and len(set(values)) == 1


@cache
def _shown(holder: type) -> list[tuple[str, Shown]]:
    """The fields that tables show, by name, in the order of the tables."""
    hints = get_type_hints(holder, include_extras=True)
    declared = [(name, shown) for name, hint in hints.items() for shown in getattr(hint, "__metadata__", ())]
    return sorted(declared, key=lambda field: not field[1].first)


def _marked(results: Results) -> Iterator[tuple[tuple[str, str], Results, BoolArray]]:
    """The results of each loss and model, by both, and which of them have the smallest value of their loss and group.

    All that have it do; none does where it is not finite or all have it, and NaN is none.
    """
    by_loss: dict[str, list[FloatArray]] = {}
    for block in results.blocks:
        by_loss.setdefault(block.same("loss"), []).append(block.numbers("value"))
    smallest = {}
    for loss, values in by_loss.items():
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        smallest[loss] = np.where(np.isfinite(low) & (low < high), low, math.nan)
    for block in results.blocks:
        loss, model = block.same("loss"), block.same("model")
        yield (loss, model), results.having([block]), block.numbers("value") == smallest[loss]


def naming(losses: Sequence[str], models: Sequence[str], groups: Mapping[str, Sequence[Any]]) -> list[Name]:
    """The columns that tell results apart; where room is short and names suffice, the notes have the parameters.

    Args:
        losses: of each result, as a user would type it.
        models: likewise the name of its model.
        groups: the words of its group, by the columns that are grouped by; `EVERY` where it is of all groups.
    """
    known = {*losses}
    suffices = len({_name(loss) for loss in known}) == len(known)
    titles = {loss: Piece(loss, brief=_name(loss) if suffices else None) for loss in known}
    names: list[Name] = [(Column("loss", "name"), [titles[loss] for loss in losses])]
    if len({*models}) > 1:
        names.append((Column("model", "name"), models))
    whole = f"({ALL})" if any(ALL in words for words in groups.values()) else ALL
    for name, words in groups.items():
        names.append((Column(name, "name", missing="(null)"), [whole if word is EVERY else word for word in words]))
        whole = ""
    return names


def _name(loss: str) -> str:
    return loss.partition(":")[0]


def named(names: Sequence[Name], place: int) -> Phrase:
    """What tells a result apart, by its place."""
    words = (column.missing if cells[place] is None else cells[place] for column, cells in names)
    return phrase(*(word for each in words for word in (", ", each)))[1:]


def _worst(result: Result, names: Sequence[Name], place: int) -> Phrase:
    root = ", each before the root is taken" if result.reduction == "root-mean" else ""
    return phrase("worst rows of ", named(names, place), root)


def marks(rows: Rows, inputs: Mapping[str, Any]) -> Iterator[str]:
    """What marks mean in tables of these rows: only where there is one."""
    if rows.best.any():
        of = " of its loss in its group" if inputs["by"] else " of its loss"
        yield f"marked {BEST}: the smallest value{of}, be it by chance"


def footer(results: Results, inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """Effective parameters, columns and counts: never hidden."""
    if "ci" in settings:
        freedom = "effective n − 1" if _weighted(inputs) or (inputs["masked"] and inputs["label"]) else "n − 1"
        freedom = "clusters − 1" if "cluster" in inputs else freedom
        yield f"ci: {100 * settings['ci']:.6g} % interval of each value, Student's t with {freedom} degrees of freedom"
    for entry in settings["losses"]:
        pieces = [f"{name}={_brief(value)}" for name, value in entry["parameters"].items()]
        usual = get_loss(entry["loss"]).reduction
        pieces += [] if entry["reduction"] == usual else [f"reduction={entry['reduction']}"]
        pieces += [f"columns={entry['columns']}"] if "columns" in entry else []
        pieces += [] if entry["wrt"] == "prediction" else [f"on the {entry['wrt']}"]
        if pieces:
            yield f"{_name(entry['loss'])}: {', '.join(pieces)}"
    yield from _alike(settings.get("compat"))
    labels = [f"label {named_in_short(inputs['label'])}"] if inputs["label"] else []
    roles = [*labels, f"prediction {'; '.join(map(named_in_short, inputs['models'].values()))}"]
    roles += [f"weight {inputs['weight']}"] if inputs["weight"] else []
    weights = inputs.get("class_weight", {}).items()
    roles += [f"class weights {', '.join(f'{name} {_brief(weight)}' for name, weight in weights)}"] if weights else []
    units = inputs.get("units", {})
    by = [f"{name.removesuffix(f':{units[name]}')}:{units[name]}" if name in units else name for name in inputs["by"]]
    roles += [f"by {', '.join(by)}"] if by else []
    roles += [f"cluster {', '.join(inputs['cluster'])}"] if "cluster" in inputs else []
    yield "columns: " + " | ".join(roles)
    yield from _bucketed(inputs.get("cluster_buckets"))
    yield from _joined(inputs.get("join"))
    groups = inputs.get("groups")
    if groups and groups["shown"] < groups["measured"]:
        yield f"groups: {groups['shown']:,} of {groups['measured']:,} shown, the first by {groups['by']}"
    ignored = ", ".join(f"{count:,} (label {label})" for label, count in inputs["ignored"].items())
    taken = inputs.get("rows_chosen", inputs["rows"])
    dropped = taken - inputs["rows_used"] - inputs["rows_ignored"]
    chosen = "" if inputs.get("where") is None else f" {taken:,} chosen by where,"
    line = f"rows: {inputs['rows']:,} read,{chosen} {inputs['rows_used']:,} used, {dropped:,} dropped"
    reasons = [f"{count:,} null in {column}" for column, count in inputs["nulls"].items()]
    reasons += [f"{inputs['zero_weights']:,} of weight 0"] if inputs["zero_weights"] else []
    clipped = sum(int(block.numbers("n_clipped").sum()) for block in results.blocks)
    clips = f", {clipped:,} clipped" if clipped else ""
    for column, rounded in inputs["rounded"].items():
        clips += f", {rounded['rows']:,} of {column} clipped to {rounded['to']}"
    line += f" ({', '.join(reasons)})" if reasons else ""
    if inputs["masked"]:
        line += f", {inputs['rows_ignored']:,} ignored" if inputs["rows_ignored"] else ""
        labelled = int(results.blocks[0].numbers("n_cells").sum())
        places = [f"{count:,} in {column}" for column, count in inputs["masked"].items() if count]
        without = f"{sum(inputs['masked'].values()):,} without" + (f" ({', '.join(places[:6])})" if places else "")
        yield line + clips
        if not inputs["label"]:
            yield f"numbers of lists: {without}"
            return
        yield f"labels: {labelled:,} in the rows used, {without}" + (f", ignored {ignored}" if ignored else "")
        return
    line += f", ignored {ignored}" if ignored else ""
    yield line + clips


def _bucketed(buckets: int | None) -> Iterator[str]:
    """Why there are fewer clusters than there are."""
    if buckets is not None:
        kept = f"too many to keep one by one in memory, so hashed into {buckets:,} buckets, each a cluster"
        yield f"clusters: {kept}; so many degrees of freedom lose nothing"


def _weighted(inputs: Mapping[str, Any]) -> bool:
    return bool(inputs["weight"] or inputs.get("class_weight"))


def _alike(compat: Mapping[str, Any] | None) -> Iterator[str]:
    """What was set so that numbers are those of a library, loss by loss."""
    if compat is None:
        return
    for loss, settings in compat["set"].items():
        pieces = ", ".join(f"{name}={_brief(value)}" for name, value in settings.items())
        yield f"compat {compat['peer']}: {loss}: {pieces or 'nothing to set'}"


def _joined(facts: Mapping[str, Any] | None) -> Iterator[str]:
    """What was matched: labels with predictions, and the files of several models."""
    if facts is None:
        return
    if "models" in facts:
        yield from _joined(facts.get("labels"))
        alone = ", ".join(f"{model['unmatched']:,} of {name}" for name, model in facts["models"].items())
        rest = "" if facts["how"] == "order" else f", without match {alone}"
        yield f"models: {_matched(facts)}{rest}"
        return
    alone = f"{facts['unmatched_predictions']:,} predictions and {facts['unmatched_labels']:,} labels without match"
    yield f"join: {_matched(facts)}" + ("" if facts["how"] == "order" else f", {alone}")


def _matched(facts: Mapping[str, Any]) -> str:
    if facts["how"] == "order":
        return f"by row order: {counted(facts['matched'], 'row')}"
    pairs = zip(facts["id"], facts.get("labels_id", facts["id"]), strict=True)
    names = (called(left) if left == right else f"{left}={right}" for left, right in pairs)
    return f"{facts['how']} by {', '.join(names)}: {facts['matched']:,} matched"


def _brief(value: Value | list[float]) -> str:
    if isinstance(value, list | tuple):
        return "/".join(map(_brief, value))
    return f"{value:.6g}" if isinstance(value, float) else spell(value)


def profiled(seconds: Mapping[str, float]) -> Document:
    """Where the time went, a row a phase.

    Args:
        seconds: by phase, added up over workers.
    """
    whole = sum(seconds.values())
    columns = (Column("phase"), Column("seconds", "number"), Column("share", "share"))
    shares = {phase: time / whole for phase, time in seconds.items()}
    rows = [
        [phase, Spelled(time, f"{time:.3f}"), Spelled(shares[phase], f"{100 * shares[phase]:.0f} %")]
        for phase, time in seconds.items()
    ]
    table = Table.of(columns, rows, folds=True, framed=False)
    return Document(
        "where the time went",
        lambda: [(table, Line("added up over workers; import is processor time"))],
        record=lambda: {"profile": seconds},
        rows=lambda: [{"phase": phase, "seconds": time} for phase, time in seconds.items()],
    )
