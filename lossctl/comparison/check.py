"""Gates on data: measured in as few passes as they allow, decided together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lossctl.arguments import checked
from lossctl.comparison.declared import SETTINGS, declared, ensure_loss
from lossctl.comparison.gate import Gate, Measurement, OnInconclusive, Verdict, decide
from lossctl.comparison.judge import Claim
from lossctl.comparison.runs import Asked, Run, in_runs, names_of, reason_of, takes_eps
from lossctl.comparison.trust import remedy
from lossctl.comparison.verdicts import Verdicts
from lossctl.errors import LossctlError, UsageError
from lossctl.evaluation.evaluate import Classes, Label, Names, requested, several, specs_of
from lossctl.evaluation.prepared import check_words
from lossctl.evaluation.running import Progress, Running
from lossctl.functions.activation import BoundActivation
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.definition import split_specs
from lossctl.inference.request import ClassWeight, Nulls
from lossctl.reading.format import Reading
from lossctl.reduction import OverColumns, WeightNorm
from lossctl.words import counted, did_you_mean

TOGETHER = "not judged, each group is"
"""What is said of all rows where a gate is about groups."""


@checked("gates", "loss", "activation")
def check_gates(
    gates: Gate | Mapping[str, Any] | Sequence[Gate | Mapping[str, Any]],
    source: Any = None,
    *,
    loss: str | BoundLoss | Sequence[str | BoundLoss] | None = None,
    label: Names | None = None,
    prediction: Names | None = None,
    weight: str | None = None,
    by: Names | None = None,
    cluster: Names | None = None,
    activation: str | BoundActivation | None = None,
    from_logits: bool = False,
    reduction: str | None = None,
    weight_norm: WeightNorm | None = None,
    columns: OverColumns | None = None,
    class_weight: ClassWeight | None = None,
    compat: str | None = None,
    nulls: Nulls = "error",
    ignore_label: Label | Sequence[Label] = (),
    mask_null: bool = False,
    where: str | None = None,
    limit: int | None = None,
    engine: str | Running = "threads",
    threads: int | None = None,
    scheduler: str | None = None,
    classes: Classes = (),
    eps: float | None = None,
    normalize_rows: bool = False,
    clip_rounding: bool = False,
    reading: Reading | None = None,
    labels: Any = None,
    ids: Names | None = None,
    join: str = "strict",
    on_inconclusive: OnInconclusive | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Decide gates: whether claims about losses hold, in as few passes as they allow.

    What cannot be measured (no row, no such file, column, model or group, a value that is no number) is an ``error``,
    never a pass, and the other gates are judged all the same. Gates that fail where they are proven wrong are adjusted
    for their number (Holm 1979). What is not described below is as for `lossctl.evaluate`: of the data, for gates that
    do not say it themselves, and how they are read, for all of them.

    Args:
        gates: each a `Gate`, or a mapping with the keys that a gate has in a configuration, such as
            ``{"name": "no-worse", "loss": "bce", "max_increase": "1%"}``.
        source: the data of gates that name no file, as for `lossctl.evaluate`.
        on_inconclusive: what every gate that is neither proven right nor wrong counts as, whatever it says itself.

    Returns:
        The verdicts, in the order of the gates; ``exit_code`` is what ``lossctl check`` exits with.

    Raises:
        UsageError: there is no gate, one cannot be understood or has no data, or two are called the same.
    """
    running = Running.of(engine, threads, scheduler, progress)
    defaults = {
        "label": label, "prediction": prediction, "weight": weight, "by": by, "cluster": cluster,
        "activation": activation, "from_logits": from_logits, "reduction": reduction, "nulls": nulls,
        "weight_norm": weight_norm, "columns": columns, "class_weight": class_weight, "compat": compat,
        "ignore_label": ignore_label, "mask_null": mask_null, "where": where, "limit": limit, "classes": classes,
        "eps": eps, "normalize_rows": normalize_rows, "clip_rounding": clip_rounding, "labels": labels, "ids": ids,
        "join": join, "file": source,
    }  # fmt: skip
    listed = [gates] if isinstance(gates, Gate | Mapping) else gates
    understood = [gate if isinstance(gate, Gate) else declared(gate) for gate in listed]
    ensure_apart(understood)
    if on_inconclusive is not None:
        understood = [replace(gate, on_inconclusive=on_inconclusive) for gate in understood]
    return checked_in_runs(
        [_asked(place, gate, defaults, loss) for place, gate in enumerate(understood)], reading, running
    )


def ensure_apart(gates: Sequence[Gate]) -> None:
    """Check that there are gates, each with a name of its own.

    Raises:
        UsageError: there is none, or two are called the same.
    """
    if not gates:
        raise UsageError("there is no gate, and nothing would be measured")
    names = [gate.name for gate in gates]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two gates are called {twice!r}", "Give each a name of its own.")


def _asked(place: int, gate: Gate, defaults: Mapping[str, Any], loss: Any) -> Asked:
    """A gate with all that it does not say itself.

    Raises:
        UsageError: it has no data, or a setting or loss that there is not.
    """
    unknown = [name for name in gate.settings if name not in defaults and name != "baseline"]
    if unknown:
        what = f"gate {gate.name!r}: there is no setting {unknown[0]!r}"
        raise UsageError(what, did_you_mean(unknown[0], [*SETTINGS.values()]))
    asked = {**defaults, **gate.settings}
    if asked["file"] is None:
        raise UsageError(f"gate {gate.name!r} names no file, and none is given", 'Say file = "preds.csv".')
    if gate.loss is None and gate.kind != "min_n":
        usual = split_specs(specs_of(loss))
        if len(usual) > 1:
            raise UsageError(f"gate {gate.name!r} is about one loss, and there are {len(usual)}", "Say which: loss = …")
        gate = replace(gate, loss=str(usual[0]) if usual else None)
    if gate.loss is not None:
        ensure_loss(f"gate {gate.name!r}", gate.loss)
        if "eps" in gate.settings and not takes_eps(gate.loss):
            raise UsageError(f"gate {gate.name!r}: {gate.loss} has no eps, which is a floor under probabilities")
    by = gate.by or several(asked["by"])
    request = requested(**{name: asked[name] for name in defaults.keys() - {"by", "labels", "ids", "join", "file"}})
    try:
        check_words(request, None)
    except UsageError as wrong:
        raise wrong.about(f"gate {gate.name!r}") from None
    gate = replace(gate, by=by, settings={**gate.settings, "file": asked["file"]})
    whole = Asked(place, gate, asked["file"], request, asked["labels"], several(asked["ids"]), asked["join"])
    names = names_of(request.prediction)
    if gate.model in names and whole.against is not None and whole.against[0] == "file":
        request = replace(request, prediction=(request.prediction[names.index(gate.model)],))
    return replace(whole, request=request)


def checked_in_runs(gates: Sequence[Asked], reading: Reading | None, running: Running) -> Verdicts:
    """Measure gates in as few passes as they allow, and decide them together; errors as for `check_gates`."""
    claims: dict[int, list[Claim]] = {}
    overall: list[Verdict] = []
    notes: dict[str, None] = {}
    warnings: dict[str, None] = {}
    waiting = in_runs(gates)
    while waiting:
        run = waiting.pop(0)
        try:
            listed, whole, report = run(reading, running)
        except LossctlError as wrong:
            if len(run.gates) > 1 and not run.gates[0].pipes:  # whose fault it is shows where each is by itself
                waiting[:0] = [Run.of(asked) for asked in run.gates]
            else:
                claims |= {asked.place: [(asked.gate, reason_of(wrong, asked))] for asked in run.gates}
            continue
        claims |= {asked.place: made for asked, made in zip(run.gates, listed, strict=True)}
        overall += [
            Verdict(gate, "info", measured, gate.confidence, math.nan, TOGETHER)
            for gate, measured in whole
            if not isinstance(measured, str)
        ]
        notes |= dict.fromkeys(report.notes)
        warnings |= dict.fromkeys(report.warnings)
    verdicts = decide([claim for place in sorted(claims) for claim in claims[place]])
    return Verdicts(tuple(verdicts), (*notes, *_ways_on(verdicts)), tuple(warnings), tuple(overall))


def _ways_on(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What would make bounds trusted that are not, once for each reason."""
    doubtful: dict[str, list[tuple[Verdict, Measurement]]] = {}
    for verdict in verdicts:
        measured = verdict.measured
        if measured is not None and (verdict.state == "inconclusive" or measured.estimate.tokens is not None):
            doubtful.setdefault(measured.estimate.doubted, []).append((verdict, measured))
    for reason, ((first, measured), *others) in doubtful.items():
        if reason:
            more = f" and {counted(len(others), 'other')}" if others else ""
            words = " ".join("null" if word is None else word for word in measured.group.values())
            where = f" [{words}]" if words else ""
            number = "" if reason == "tokens" else '; fail_if = "point" goes by the number alone'
            yield f"{first.gate.name}{where}{more}, not trusted: {remedy(measured.estimate, measured.loss)}{number}"
