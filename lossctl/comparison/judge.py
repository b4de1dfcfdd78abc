"""From what was measured to verdicts: which results a gate is about, and what they are held against."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lossctl.comparison.baseline import Baseline
from lossctl.comparison.gate import Gate, Measurement
from lossctl.comparison.kept import Against, held_against
from lossctl.comparison.wording import at, spelled
from lossctl.errors import DataError, UsageError, option
from lossctl.evaluation.best_constant import may_be_below_zero
from lossctl.evaluation.report import Report
from lossctl.evaluation.scores import Scores
from lossctl.functions.bound_loss import BoundLoss
from lossctl.functions.lookup import meant
from lossctl.sums.estimate import Estimate
from lossctl.words import counted, did_you_mean

Claim = tuple[Gate, Measurement | str]
MANY = 12
"""Of more groups than these not all are named."""


def claims(gate: Gate, scores: Scores, report: Report, baseline: Baseline | None = None) -> Iterator[Claim]:
    """What was measured of a gate, one for each model and group that it is about.

    Args:
        gate: what is claimed.
        scores: the sums of the run, with evidence.
        report: of the same run, with skill where the gate is about it.
        baseline: what an increase is held against, where that is no model of the run.

    Raises:
        UsageError: the gate names a loss, model or group-by column that was not measured.
    """
    by = scores.plan.roles.by
    if gate.by and gate.by not in {tuple(map(str, by)), scores.plan.roles.group_names}:
        raise UsageError(f"gate {gate.name!r} is by {', '.join(gate.by)}, which was not grouped by")
    if by and not gate.by:
        scores = scores.pooled()
    places = list(_places(gate, scores, apart=baseline is not None))
    groups = [group for group in scores.groups if _is_of(gate, scores.named(group))]
    if not groups:
        asked = spelled(gate.only)
        known = [spelled(scores.named(group)) for group in scores.groups]
        hint = did_you_mean(asked, known)
        yield gate, f"there is no group {asked}, and nothing was measured" + (f". {hint}" if hint else "")
    for place in places:
        for group in groups:
            yield gate, _measured(gate, scores, report, place, group, baseline)
    gone = _gone(gate, scores, places, baseline) if baseline is not None and groups else []
    if gone:
        more = f"; and {len(gone) - MANY:,} more" if len(gone) > MANY else ""
        listed = "; ".join(map(spelled, gone[:MANY])) + more
        yield gate, f"nothing was measured of {counted(len(gone), 'group')} of the baseline: no row is left at {listed}"


def _gone(gate: Gate, scores: Scores, places: Iterable[int], baseline: Baseline) -> Sequence[Mapping[str, str | None]]:
    """The groups that a gate is about and that the baseline has, of which the run has no row."""
    losses = {str(scores.losses[place][1]) for place in places}
    names = scores.plan.roles.group_names if gate.by else ()
    left = {tuple(scores.named(group).items()) for group in scores.groups}
    kept = {tuple(one.group.items()): one.group for one in baseline.results if one.loss in losses}
    return [group for key, group in kept.items() if tuple(group) == names and key not in left and _is_of(gate, group)]


def of_all_rows(
    gate: Gate, scores: Scores, report: Report, baseline: Baseline | None = None
) -> Iterator[tuple[Gate, Measurement]]:
    """What was measured of all rows together where a gate is about each group by itself; one for each model.

    Arguments and errors as for `claims`.
    """
    if gate.by and not gate.only and len(scores.groups) > 1:
        for _, measured in claims(replace(gate, by=()), scores, report, baseline):
            if isinstance(measured, Measurement):
                yield gate, measured


def measured_in(report: Report, gate: Gate) -> Iterator[Measurement]:
    """What a report says of a bound on a loss that is held against the value alone.

    Raises:
        UsageError: the gate is of a loss, model or group that is not in the report, or does not say of which.
        DataError: a value is no number.
    """
    specs = list(dict.fromkeys(result.loss for result in report.results))
    _ensure_model(gate, [*dict.fromkeys(result.model for result in report.results)])
    wanted = _named_losses(gate, specs)
    chosen = [
        result
        for result in report.results
        if result.loss in wanted and gate.model in {None, result.model} and _is_of(gate, result.group)
    ]
    if not chosen:
        raise UsageError(f"{_title(gate)}: there is no group {spelled(gate.only)}")
    for result in chosen:
        if math.isnan(result.value):
            where = "".join(f" {name}={word}" for name, word in result.group.items())
            what = f"{_title(gate)}: {result.loss}{where} is not a number"
            raise DataError(what, "Nothing was measured, which is never a pass.")
        units = result.effective_n if result.n_clusters is None else float(result.n_clusters)
        error = result.standard_error
        estimate = Estimate(result.value, error, units - 1.0, result.n, units, result.n_clusters, math.nan)
        yield Measurement(result.loss, result.model, result.group, estimate, gate.limit, result.value)


def _title(gate: Gate) -> str:
    """What messages call a gate."""
    return f"gate {gate.name!r}" if gate.name else option("fail_above")


def _ensure_model(gate: Gate, models: list[str]) -> None:
    if gate.model is not None and gate.model not in models:
        what = f"{_title(gate)}: there is no model {gate.model!r}"
        raise UsageError(what, did_you_mean(gate.model, models) or f"Models: {', '.join(models)}.")


def _named_losses(gate: Gate, specs: list[str]) -> set[str]:
    """Those of some losses that a gate is about."""
    if gate.loss is None:
        specs = specs[:1] if gate.kind == "min_n" else specs
        if len(specs) > 1:
            if gate.name:
                what = f"gate {gate.name!r} needs a single loss, or the name of one"
                raise UsageError(what, f"Known: {', '.join(specs)}.")
            hint = f"Say which: {option(fail_above=f'{specs[0]}={gate.limit!r}')}."
            raise UsageError(f"{option('fail_above')} VALUE needs a single loss", hint)
        return {*specs}
    try:
        wanted = {*meant(gate.loss, specs)}
    except UsageError as wrong:
        raise wrong.about(_title(gate)) from None
    if not wanted:
        what = f"{_title(gate)}: no result of {gate.loss!r}: no such loss was measured"
        raise UsageError(what, did_you_mean(gate.loss, specs))
    return wanted


def _places(gate: Gate, scores: Scores, *, apart: bool) -> Iterator[int]:
    """The losses of models that a gate is about; the baseline is none of them, unless it is ``apart``."""
    losses = scores.losses
    models = [model.name for model in scores.plan.models]
    _ensure_model(gate, models)
    wanted = _named_losses(gate, list(dict.fromkeys(str(bound) for _, bound in losses)))
    compared = gate.kind == "max_increase" and not apart
    for place, (model, bound) in enumerate(losses):
        named = gate.model is None or gate.model == model.name
        if str(bound) in wanted and named and not (compared and model.name == models[0]):
            yield place


def _is_of(gate: Gate, group: Mapping[str, str | None]) -> bool:
    return all(group.get(name) == word for name, word in gate.only.items())


def _measured(
    gate: Gate, scores: Scores, report: Report, place: int, group: int, baseline: Baseline | None
) -> Measurement | str:
    """What a gate is held against in one group of one model; or why there is nothing."""
    model, bound = scores.losses[place]
    named = scores.named(group)
    total = scores.totals[place][group]
    value = total.value(bound.reduced) if total.n else math.nan
    if gate.kind == "min_n":
        short = Estimate(gate.limit - total.n, 0.0, 1.0, total.n, float(total.n), None, 0.0)
        return Measurement(str(bound), model.name, named, short, 0.0, value)
    if not total.n:
        return "nothing was measured: no row is left"
    if gate.kind == "max_increase":
        return (
            _increase(gate, scores, place, group) if baseline is None else _over(baseline, gate, scores, place, group)
        )
    estimate = scores.value(place, group)
    if gate.kind == "max":
        factor = bound.reduced.row_factor(0.5)
        power = 1.0 if factor is None else -math.log2(factor)  # of an exponential a straight line lies below it
        chance = _chance(bound, value, gate.limit, power) if estimate.doubted and factor is not None else 1.0
        return Measurement(str(bound), model.name, named, estimate, gate.limit, value, chance=chance, power=power)
    listed = report.results if named or not report.overall else report.overall
    constants = [
        result.best_constant
        for result in listed
        if (result.loss, result.model, dict(result.group)) == (str(bound), model.name, named) and result.best_constant
    ]
    constant = constants[0].constant_loss if constants else math.nan
    if not math.isfinite(constant) or (math.isnan(constants[0].skill) and not math.isnan(value)):
        return "there is no skill: the loss of the best constant is not known, not finite or not above 0"
    limit = (1.0 - gate.limit) * constant
    power = math.nan if bound.reduced.bends else 1.0
    return Measurement(str(bound), model.name, named, estimate, limit, value, constant=constant, power=power)


def _chance(bound: BoundLoss, value: float, expected: float, power: float) -> float:
    """How likely a loss has at least a value if it is expected to be as given; 1 where nobody knows.

    A mean of numbers that are never below 0 is c times what is expected with a probability of 1/c at most, whatever
    these are like (Markov's inequality); it is a power of the loss.
    """
    if not power > 0.0 or not 0.0 < value < math.inf or may_be_below_zero(bound):
        return 1.0
    return min(math.pow(max(expected, 0.0) / value, power), 1.0)


def _increase(gate: Gate, scores: Scores, place: int, group: int) -> Measurement | str:
    """As `_measured`, of an increase over the baseline."""
    model, bound = scores.losses[place]
    number = next((number for number, (_, second) in scores.pairs if second == place), None)
    if number is None:
        return "there is no baseline to hold it against"
    first, _ = scores.plan.pairs[number]
    baseline = scores.totals[first][group].value(bound.reduced)
    estimate = scores.difference(number, group, _ratio(gate, baseline))
    pair = scores.evidence.pairs[number]
    if not (pair.better[group] or pair.worse[group] or math.isnan(estimate.value)):
        estimate = estimate.of_the_same()
    return Measurement(
        str(bound),
        model.name,
        scores.named(group),
        estimate,
        _most(gate, baseline, same=estimate.same),
        scores.totals[place][group].value(bound.reduced),
        baseline=baseline,
        power=math.nan if bound.reduced.bends else 1.0,
    )


def _ratio(gate: Gate, baseline: float) -> float:
    """What a baseline is multiplied with for the increase that is claimed to be at most 0 more than that."""
    return 1.0 + (gate.limit if baseline >= 0 else -gate.limit) if gate.percent else 1.0


def _most(gate: Gate, baseline: float, *, same: bool) -> float:
    """What an increase is held against, where a part of the baseline is in it already unless it is of the ``same``."""
    if not gate.percent:
        return gate.limit
    return gate.limit * abs(baseline) if same and math.isfinite(baseline) else 0.0


def _over(baseline: Baseline, gate: Gate, scores: Scores, place: int, group: int) -> Measurement | str:
    """As `_increase`, over what was kept of an earlier run."""
    model, bound = scores.losses[place]
    named = scores.named(group)
    kept = baseline.find(str(bound), model.name, named)
    if kept is None:
        return f"the baseline has no {bound} of {model.name}{at(named)}: it has {', '.join(baseline.titles)}"
    before = kept.total.value(kept.reduced)
    against = held_against(kept, scores, place, group, _ratio(gate, before))
    estimate = replace(against.estimate.of_the_same() if against.certain else against.estimate, bucketed=True)
    return Measurement(
        str(bound),
        model.name,
        named,
        estimate,
        _most(gate, against.before, same=estimate.same),
        against.now,
        baseline=against.before,
        share=against.share,
        power=math.nan if bound.reduced.bends else 1.0,
        note=_moved(against, scores.totals[place][group].n, kept.total.n),
    )


def _moved(against: Against, now: int, before: int) -> str:
    """What is to be said where some buckets do not hold the rows that they did; empty where all do.

    Args:
        against: how a later result stands to the kept one.
        now, before: how many rows each is of.
    """
    if not against.moved:
        return ""
    rows = (
        f"{now:,} rows, {before:,} in the baseline"
        if now != before
        else f"{now:,} rows, some changed since the baseline"
    )
    buckets, moved = against.estimate.clusters or 0, against.moved
    if not against.share:
        changed = f"{moved:,} of {counted(buckets, 'bucket')}"
        return f"{rows}: {changed} hold other rows, so all rows are compared, unpaired"
    same = f"{buckets:,} of {counted(buckets + moved, 'bucket')}"
    return f"{rows}: compared on {against.estimate.n:,}, in the {same} that hold the same rows"
