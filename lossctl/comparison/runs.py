"""Which gates are measured in one pass, and that pass: a gate by itself where it cannot be had with others."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from lossctl import errors
from lossctl.comparison.baseline import Baseline, load
from lossctl.comparison.declared import SETTINGS
from lossctl.comparison.gate import Gate
from lossctl.comparison.judge import Claim, claims, of_all_rows
from lossctl.comparison.skill import surely
from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, UsageError
from lossctl.evaluation.assembly import assemble
from lossctl.evaluation.evaluate import several
from lossctl.evaluation.independence import with_doubts
from lossctl.evaluation.pooled import APART, pooled
from lossctl.evaluation.prepared import Prepared, measured, prepare
from lossctl.evaluation.report import Report
from lossctl.evaluation.running import Running
from lossctl.evaluation.scores import Scores
from lossctl.functions.definition import split_specs
from lossctl.functions.lookup import meanings
from lossctl.inference.request import Request
from lossctl.reading.format import Reading, formats
from lossctl.reading.location import STDIN, SUFFIXES

NAMED = r"([^=/,]+)="
"""How a prediction begins that says what its model is called."""
STORED = ".json"
"""What the name of a baseline ends in that was saved."""
Against = tuple[Literal["model", "file", "stored"], Any]
"""What an increase is held against: a model (the first is ``None``), a data set, what was saved of one."""


@dataclass(frozen=True)
class Asked:
    """A gate, and everything that says what it is held against."""

    place: int
    """Which of the gates it is."""
    gate: Gate
    source: Any
    request: Request
    """Without what depends on the gates that are measured together."""
    labels: Any
    ids: tuple[str, ...]
    join: str

    @cached_property
    def against(self) -> Against | None:
        """What its increase is held against; ``None`` where it is about no increase."""
        if self.gate.kind != "max_increase":
            return None
        baseline = self.gate.settings.get("baseline")
        names = names_of(self.request.prediction)
        if baseline is None:
            return "model", names[0] if names else None
        if not isinstance(baseline, str):
            return "file", baseline
        columns = [re.sub(NAMED, "", spec) for spec in self.request.prediction]
        if baseline in names or baseline in columns:
            return "model", baseline if baseline in names else names[columns.index(baseline)]
        if not is_path(baseline):
            return "model", baseline
        return "stored" if baseline.endswith(STORED) else "file", baseline

    @property
    def pipes(self) -> tuple[str, ...]:
        """Those of its files that can be read only once."""
        sources = (self.source, self.labels, self.gate.settings.get("baseline"))
        paths = [path for source in sources if _are_paths(source) for path in several(source)]
        return tuple(path for path in paths if path == STDIN or _is_pipe(path))

    @property
    def data(self) -> tuple[Any, ...]:
        """What is equal for gates that one pass could measure, by and baseline apart."""
        alone = self.gate.loss if self.request.clip_rounding else None  # it clips for all losses
        return _identity(self.source), _identity(self.labels), self.ids, self.join, repr(self.request), alone

    @property
    def named(self) -> bool | None:
        """Whether it names its loss; ``None`` where it is the same for any."""
        return None if self.gate.loss is None and self.gate.kind == "min_n" else self.gate.loss is not None


@dataclass
class Run:
    """A pass, and the gates that are measured in it."""

    gates: list[Asked]
    by: tuple[str, ...]
    against: Against | None

    @classmethod
    def of(cls, asked: Asked) -> "Run":
        """A run for one gate."""
        return cls([asked], asked.gate.by, asked.against)

    def takes(self, asked: Asked) -> bool:
        """Whether a gate can be measured in the same pass."""
        if asked.data != self.gates[0].data or (asked.gate.by and self.by and asked.gate.by != self.by):
            return False
        if len({gate.named for gate in (asked, *self.gates)} - {None}) > 1:
            return False
        names = names_of(asked.request.prediction)
        ordinary = [against for against in (self.against, asked.against) if against is not None]
        if all(kind == "model" and (name is None or name in names) for kind, name in ordinary):
            return len({name for _, name in ordinary}) < 2
        return self.against is not None and asked.against is not None and _same(self.against, asked.against)

    def add(self, asked: Asked) -> None:
        """Measure a gate that it takes, too."""
        self.gates.append(asked)
        self.by = self.by or asked.gate.by
        self.against = self.against or asked.against

    def __call__(self, reading: Reading | None, running: Running) -> tuple[list[list[Claim]], list[Claim], Report]:
        """What was measured for each of its gates, what of all groups together, and the report of the pass.

        Raises:
            LossctlError: as for `lossctl.evaluate`; a gate that is about nothing that was measured is no error.
        """
        prepared = self._prepared(reading)
        plan = prepared.plan
        if self.kept is None:  # else it was said when that was saved
            plan = with_doubts(plan, prepared.source, prepared.sides)
        running = running if not self.request.skill else running.half
        plan, folded = measured(prepared.source, plan, running)
        with np.errstate(all="ignore"):
            report = assemble(plan, folded.total, folded.passed)
            scores = Scores(plan, folded.total)
            if self.kept is not None:
                self.kept.ensure_comparable(report, str(self.against and self.against[1]))
            listed = [list(self._claims(asked, scores, report)) for asked in self.gates]
            whole = [claim for asked in self.gates for claim in self._of_all_rows(asked, scores, report)]
        once = any(asked.pipes for asked in self.gates)
        *listed, whole = surely([*listed, whole], prepared.source, plan, report, running, once=once)
        return listed, whole, report

    @cached_property
    def kept(self) -> Baseline | None:
        """What was saved of an earlier run, where an increase is held against that."""
        return load(self.against[1]) if self.against is not None and self.against[0] == "stored" else None

    @property
    def request(self) -> Request:
        """What is asked for in the pass."""
        losses = [asked.gate.loss for asked in self.gates if asked.gate.loss is not None]
        return replace(
            self.gates[0].request,
            loss=tuple(split_specs(dict.fromkeys(losses))),
            eps=self.gates[0].request.eps if any(map(takes_eps, losses)) or not losses else None,
            by=self.by,
            paired=any(asked.against is not None and asked.against[0] != "stored" for asked in self.gates),
            skill=any(asked.gate.kind == "min_skill" for asked in self.gates),
            judged=True,
        )

    def _prepared(self, reading: Reading | None) -> Prepared:
        """The data set, whose first model is the baseline."""
        first, request = self.gates[0], self.request
        kind, baseline = self.against or ("model", None)
        if kind == "file":
            return _beside(baseline, first, request, reading)
        if self.kept is not None:
            request = _told_apart(request, self.kept, str(baseline))
        if kind == "model" and baseline is not None and request.prediction:
            return _opened(first, replace(request, prediction=_first(baseline, request.prediction)), reading)
        prepared = _opened(first, request, reading)
        models = prepared.plan.roles.models
        if kind != "model" or baseline in {None, models[0].name}:
            return prepared
        specs = {model.name: f"{model.name}={','.join(model.columns)}" for model in models}
        before = specs.pop(baseline, baseline)
        return _opened(first, replace(request, prediction=(before, *specs.values())), reading)

    def _claims(self, asked: Asked, scores: Scores, report: Report) -> Iterator[Claim]:
        """What was measured of one gate; a reason where it is about nothing that was."""
        gate = asked.gate
        try:
            listed = [*claims(gate, scores, report, self._kept_for(gate))]
            listed = _in_order(listed, names_of(asked.request.prediction))
        except LossctlError as wrong:
            listed = [(gate, reason_of(wrong, asked))]
        yield from listed or [(gate, f"nothing was measured: {_nobody(scores)}{_other_file(asked)}")]

    def _of_all_rows(self, asked: Asked, scores: Scores, report: Report) -> Iterator[Claim]:
        """What was measured of one gate of all rows together; nothing where that cannot be had."""
        with contextlib.suppress(LossctlError):
            yield from of_all_rows(asked.gate, scores, report, self._kept_for(asked.gate))

    def _kept_for(self, gate: Gate) -> Baseline | None:
        """What a gate is held against of an earlier run."""
        return self.kept if gate.kind == "max_increase" else None


def _in_order(listed: list[Claim], names: Sequence[str]) -> list[Claim]:
    """Claims with the models in the order in which they were named, whichever is first for another gate."""
    order = {name: place for place, name in enumerate(names)}
    if any(isinstance(measured, str) or measured.model not in order for _, measured in listed):
        return listed
    return sorted(listed, key=lambda claim: order[getattr(claim[1], "model", "")])


def _nobody(scores: Scores) -> str:
    """Why there is no model that a gate is about."""
    first = scores.plan.models[0].name
    if len(scores.plan.models) > 1:
        return f"model {first!r} is the baseline itself"
    return f"there is no model but the baseline, {first!r}"


def _other_file(asked: Asked) -> str:
    """What to do where several files were measured as one data set; empty where one was."""
    return f". Is each of the files a model? Then {_one_by_one(asked)}" if len(_files(asked)) > 1 else ""


def _one_by_one(asked: Asked) -> str:
    """How files of a model each are checked."""
    first = _files(asked)[0]
    return f'say baseline = "{first}", and check the others' if asked.against else "check one at a time"


def _files(asked: Asked) -> tuple[str, ...]:
    """The files that are measured as one data set; none of data in memory."""
    return several(asked.source) if _are_paths(asked.source) else ()


def takes_eps(loss: str) -> bool:
    """Whether a loss has a floor under probabilities."""
    return any("eps" in bound.parameters for bound in meanings(loss))


def in_runs(gates: Sequence[Asked]) -> list[Run]:
    """The passes that it takes to measure gates: as few as what they are about allows.

    Raises:
        UsageError: several would read what can be read only once.
    """
    runs: list[Run] = []
    for asked in sorted(gates, key=lambda asked: asked.against is None):  # those that say what is first come first
        run = next((run for run in runs if run.takes(asked)), None)
        if run is None:
            runs.append(Run.of(asked))
        else:
            run.add(asked)
    for path in {path for run in runs for path in run.gates[0].pipes}:
        sharing = [run for run in runs if path in run.gates[0].pipes]
        if len(sharing) > 1:
            names = " and ".join(repr(run.gates[0].gate.name) for run in sharing[:2])
            raise UsageError(f"{path} can be read only once, and gates {names} need a pass each", "Save it to a file.")
    return runs


def reason_of(error: LossctlError, asked: Asked) -> str:
    """Why nothing was measured of a gate, in one line, with options as a configuration has them."""
    begin = f"gate {asked.gate.name!r}: "
    words = ". ".join(errors.worded(part.removeprefix(begin), setting) for part in error.parts if part)
    if len(_files(asked)) > 1:
        words = words.replace(APART, f"for models of the same rows, {_one_by_one(asked)}")
    return words.removesuffix(".")


def setting(name: str, values: list[str]) -> str:
    """An option as a configuration has it."""
    key = next((key for key, argument in SETTINGS.items() if argument == name), name)
    shown = [value.lower() if value in {"True", "False"} else f'"{value}"' for value in values]
    listed = ", ".join(shown)
    return key if not values else f"{key} = {listed}" if len(values) == 1 else f"{key} = [{listed}]"


def names_of(prediction: Sequence[str]) -> list[str]:
    """What models are called, as far as what was asked for says it."""
    named = (re.match(NAMED, spec) for spec in prediction)
    return [spec if met is None else met[1] for met, spec in zip(named, prediction, strict=True)]


def _first(baseline: str, prediction: Sequence[str]) -> tuple[str, ...]:
    """Models with the baseline first, which is added where it is none of them."""
    names = names_of(prediction)
    if baseline not in names:
        return baseline, *prediction
    place = names.index(baseline)
    return prediction[place], *prediction[:place], *prediction[place + 1 :]


def is_path(text: str) -> bool:
    """Whether a baseline names a file rather than a model: it has a slash, or ends like the name of one."""
    if "/" in text or os.sep in text or text.endswith(STORED):
        return True
    stem = text.removesuffix(next((suffix for suffix in SUFFIXES if text.endswith(suffix)), ""))
    return stem != text or any(stem.endswith(tuple(one.suffixes)) for one in formats if one.suffixes)


def _same(one: Against, other: Against) -> bool:
    return one[0] == other[0] and _identity(one[1]) == _identity(other[1])


def _identity(source: Any) -> Any:
    """What tells a data set from others."""
    return several(source) if _are_paths(source) else id(source)


def _are_paths(source: Any) -> bool:
    paths = source if isinstance(source, list | tuple) else [source]
    return source is None or all(isinstance(path, str | os.PathLike) for path in paths)


def _is_pipe(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # elsewhere, or not there
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _told_apart(request: Request, kept: Baseline, title: str) -> Request:
    """The request with rows told apart as they were for a baseline.

    Raises:
        UsageError: it asks for other clusters.
    """
    cluster = tuple(kept.inputs["cluster"])
    if request.cluster and tuple(request.cluster) != cluster:
        what = f"cluster is {', '.join(request.cluster)}, and {title} was saved with {', '.join(cluster)}"
        raise UsageError(what, "Leave it out, or save the baseline anew.")
    return replace(request, ids=tuple(kept.inputs["id"]), cluster=cluster)


def _opened(asked: Asked, request: Request, reading: Reading | None) -> Prepared:
    prepared = prepare(asked.source, request, reading, labels=asked.labels, ids=asked.ids, join=asked.join)
    if not request.paired or len(_files(asked)) < 2:
        return prepared
    plan = prepared.plan  # of which models are compared, so that nothing has been said of files
    remark = pooled(prepared.source, plan.roles.label if asked.labels is None else ())
    return replace(prepared, plan=plan.grouped_by(plan.roles.by, (*plan.roles.notes, remark)))


def _beside(baseline: Any, asked: Asked, request: Request, reading: Reading | None) -> Prepared:
    """A data set of two files matched by key, of which the first is the baseline; the other model keeps its name."""
    from lossctl.comparison.files import prepare_models

    names = ("", *names_of(request.prediction))
    bare = tuple(re.sub(NAMED, "", spec) for spec in request.prediction)
    return prepare_models(
        [baseline, asked.source],
        replace(request, prediction=bare),
        reading,
        names=names if len(names) == 2 else (),
        labels=asked.labels,
        ids=asked.ids,
        join=asked.join,
    )
