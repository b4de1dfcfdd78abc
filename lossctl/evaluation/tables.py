"""The document of a report: its tables, its worst rows, and notes on what they were made of."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Protocol, get_type_hints

from lossctl.dataclass import dataclass
from lossctl.document import (
    BEST,
    Approximate,
    Column,
    Document,
    Estimate,
    Line,
    Notes,
    Phrase,
    Piece,
    Section,
    Spelled,
    Table,
    phrase,
)
from lossctl.evaluation.result import RESULTS, ROWS, SKILL, WHOLE, BestConstant, Gradient, Result, Shown
from lossctl.evaluation.worst_rows import worst_rows
from lossctl.functions.lookup import get_loss
from lossctl.functions.parameter import Value, spell
from lossctl.inference.roles import named_in_short
from lossctl.words import called, counted

ALL = "all"
"""What stands for a group where there is a result of all of them; in parentheses where a group is called so."""


class Named(Protocol):
    """What is known of one loss of one model in one group."""

    @property
    def loss(self) -> str:
        """The loss as a user would type it."""

    @property
    def model(self) -> str:
        """The name of the model."""

    @property
    def group(self) -> Mapping[str, str | None]:
        """The values of the group-by columns."""


@dataclass(frozen=True)
class Name:
    """A column that tells results apart: its heading, and its cell for a result."""

    column: Column
    of: Callable[[Any], Any]


def sections(
    results: Sequence[Result],
    inputs: Mapping[str, Any],
    settings: Mapping[str, Any],
    overall: Sequence[Result] = (),
) -> Iterator[Section]:
    """The tables of a report, a section each; then the worst rows; then notes on what they were made of.

    Args:
        results: a row of each table.
        inputs: `Report.inputs`.
        settings: `Report.settings`.
        overall: `Report.overall`, each before the groups that it is of.
    """
    names = naming(results)
    yield from ((table,) for table in tables(results, inputs, overall))
    for result in results:
        if result.samples:
            yield (worst_rows(result, _worst(result, names), inputs),)
    yield (Notes((*marks([*results, *overall], inputs), *footer(overall or results, inputs, settings))),)


KINDS = (RESULTS, SKILL, WHOLE, ROWS)


def tables(
    results: Sequence[Result],
    inputs: Mapping[str, Any],
    overall: Sequence[Result] = (),
    kinds: Collection[str] = KINDS,
) -> Iterator[Table]:
    """The tables of a report, of those kinds; the others are as for `sections`."""
    names, best = naming(results), _best([*results, *overall])
    before = {(result.loss, result.model): result for result in overall}
    listed: list[Result] = []
    for result in results:
        whole = before.pop((result.loss, result.model), None)
        listed += [result] if whole is None else [whole, result]
    wrt = {result.gradient.wrt for result in results if result.gradient is not None}
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
        pairs = [(result, getattr(result, part) if part else result) for result in listed]
        measured = [(result, figures) for result, figures in pairs if figures is not None]
        if measured and kind in kinds:
            chosen = [
                (field, shown) for field, shown in _shown(holder) if shown.table == kind and shown.when(results, inputs)
            ]
            columns = [name.column for name in names]
            for field, shown in chosen:
                spare = _spare([getattr(figures, field) for _, figures in measured], shown)
                columns.append(Column(shown.title, shown.kind, tone=shown.tone, spare=spare))
            rows = [
                [*(name.of(result) for name in names), *(_cell(figures, field, shown, best) for field, shown in chosen)]
                for result, figures in measured
            ]
            yield Table(tuple(columns), rows, title)


def _spare(values: Sequence[Any], shown: Shown) -> bool:
    """Whether a column carries nothing: counts of nothing, or one word, which the notes have."""
    return not any(values) if shown.kind == "count" else shown.kind == "name" and len(set(values)) == 1


@cache
def _shown(holder: type) -> list[tuple[str, Shown]]:
    """The fields that tables show, by name, in the order of the tables."""
    hints = get_type_hints(holder, include_extras=True)
    declared = [(name, shown) for name, hint in hints.items() for shown in getattr(hint, "__metadata__", ())]
    return sorted(declared, key=lambda field: not field[1].first)


def _cell(figures: object, field: str, shown: Shown, best: Collection[int]) -> Any:
    value = getattr(figures, field)
    if shown.deviation and value is not None:
        return Estimate(value, getattr(figures, shown.deviation), best=field == "value" and id(figures) in best)
    return Approximate(value) if shown.error and getattr(figures, shown.error) > 0 else value


def _best(results: Sequence[Result]) -> set[int]:
    """The ids of the results that have the smallest value of their loss and group, where several models are compared.

    All that have it are; none is where it is not finite or all have it, and NaN is none.
    """
    rivals: dict[Any, list[Result]] = {}
    for result in results:
        rivals.setdefault((result.loss, *result.group.items()), []).append(result)
    best = set()
    for compared in rivals.values():
        values = [result.value for result in compared if not math.isnan(result.value)]
        if len(values) > 1 and math.isfinite(min(values)) and min(values) < max(values):
            best |= {id(result) for result in compared if result.value == min(values)}
    return best


def naming(results: Sequence[Named]) -> list[Name]:
    """The columns that tell results apart; where room is short and names suffice, the notes have the parameters."""
    losses = {result.loss for result in results}
    suffices = len({_name(loss) for loss in losses}) == len(losses)
    titles = {loss: Piece(loss, brief=_name(loss) if suffices else None) for loss in losses}
    names = [Name(Column("loss", "name"), lambda result: titles[result.loss])]
    if len({result.model for result in results}) > 1:
        names.append(Name(Column("model", "name"), lambda result: result.model))
    groups = list(results[0].group) if results else []
    taken = any(ALL in result.group.values() for result in results)
    words = [f"({ALL})" if taken else ALL, *[""] * len(groups)]
    return names + [
        Name(Column(group, "name", missing="(null)"), partial(_group, group, word))
        for group, word in zip(groups, words, strict=False)
    ]


def _group(name: str, word: str, result: Named) -> str | None:
    return result.group[name] if result.group else word


def _name(loss: str) -> str:
    return loss.partition(":")[0]


def _worst(result: Result, names: Sequence[Name]) -> Phrase:
    title: Phrase = phrase("worst rows of ")
    for index, name in enumerate(names):
        word = name.of(result)
        title = phrase(title, ", " * bool(index), name.column.missing if word is None else word)
    return phrase(title, ", each before the root is taken" if result.reduction == "root-mean" else "")


def marks(results: Sequence[Result], inputs: Mapping[str, Any]) -> Iterator[str]:
    """What marks mean in tables of these results: only where there is one."""
    if _best(results):
        of = " of its loss in its group" if inputs["by"] else " of its loss"
        yield f"marked {BEST}: the smallest value{of}, be it by chance"


def footer(results: Sequence[Result], inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
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
    clipped = sum(result.n_clipped for result in results)
    clips = f", {clipped:,} clipped" if clipped else ""
    for column, rounded in inputs["rounded"].items():
        clips += f", {rounded['rows']:,} of {column} clipped to {rounded['to']}"
    line += f" ({', '.join(reasons)})" if reasons else ""
    if inputs["masked"]:
        line += f", {inputs['rows_ignored']:,} ignored" if inputs["rows_ignored"] else ""
        labelled = sum(
            result.n_cells for result in results if (result.loss, result.model) == (results[0].loss, results[0].model)
        )
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
    table = Table(columns, rows, folds=True, framed=False)
    return Document(
        "where the time went",
        lambda: [(table, Line("added up over workers; import is processor time"))],
        record=lambda: {"profile": seconds},
        rows=lambda: [{"phase": phase, "seconds": time} for phase, time in seconds.items()],
    )
