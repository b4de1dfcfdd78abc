"""What completes the value of an option: columns and classes of the file on the line, losses with their parameters.

What cannot be read at once completes to nothing: nobody waits for a key, and nothing is asked of stdin or a store.
"""

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from lossctl.words import normal, split

if TYPE_CHECKING:
    from lossctl.functions.definition import Definition
    from lossctl.reading.format import Source

Item = tuple[str, str]
"""A value, and what it is."""
PATIENCE = 2.0
"""Seconds until a file is given up."""
LONGEST_LINE = 1 << 22
"""Bytes of a line that a header may take."""
FEW = 4096
"""About how many rows are looked at for classes."""


def in_list(incomplete: str, names: Iterable[str]) -> Iterator[str]:
    """A comma list that goes on with one of the names, of which those that it has are left out."""
    names = list(names)
    yield from (name for name in names if name.startswith(incomplete))
    before, comma, last = incomplete.rpartition(",")
    if comma:
        taken = set(split(before))
        yield from (f"{before},{name}" for name in names if name.startswith(last) and name not in taken)


def complete_labels(ctx: typer.Context, incomplete: str) -> list[str]:
    """A comma list of columns of the file of the labels: that of ``--labels``, else the file on the line."""
    return [*in_list(incomplete, columns_of(ctx, ctx.params.get("labels") or files_of(ctx)))]


def complete_columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """A comma list of columns, of the file on the line or of that of ``--labels``."""
    return [*in_list(incomplete, _columns_of_all(ctx))]


def complete_keys(ctx: typer.Context, incomplete: str) -> list[str]:
    """A comma list of columns that both files have, and behind ``COL=`` those of the other: of labels, or a model."""
    own = columns_of(ctx, files_of(ctx))
    theirs = columns_of(ctx, ctx.params.get("labels") or files_of(ctx)[1:])
    if not theirs:
        return [*in_list(incomplete, own)]
    shared = [name for name in own if name in theirs]
    last = incomplete.rpartition(",")[2]
    pairs = (f"{name}={other}" for name in own if last.startswith(f"{name}=") for other in theirs)
    keys = [*in_list(incomplete, [*shared, *pairs])]
    return keys or [*in_list(incomplete, [f"{name}=" for name in own if name not in shared])]


def complete_groups(ctx: typer.Context, incomplete: str) -> list[str]:
    """A comma list of columns to group by, and of the one that is meant, its units."""
    names = _columns_of_all(ctx)
    last = incomplete.rpartition(",")[2]
    meant = [name for name in names if name.startswith(last) or last.startswith(f"{name}:")] if last else []
    units = _at_once(lambda: _units(ctx, meant[0])) if len(meant) == 1 else None
    return [*in_list(incomplete, [*names, *(f"{meant[0]}:{unit}" for unit in units or ())])]


def complete_clusters(ctx: typer.Context, incomplete: str) -> list[str]:
    """A comma list of columns whose rows count as one, and of the one that is meant, the periods of its dates."""
    return [word for word in complete_groups(ctx, incomplete) if not word.rpartition(":")[2].isdecimal()]


def _columns_of_all(ctx: typer.Context) -> list[str]:
    """The columns of the file on the line, and further ones of that of ``--labels``."""
    elsewhere = ctx.params.get("labels") or ()
    return [*dict.fromkeys((*columns_of(ctx, files_of(ctx)), *(columns_of(ctx, elsewhere) if elsewhere else ())))]


def complete_models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Columns of predictions, behind the name of a model too."""
    names = columns_of(ctx, files_of(ctx))
    model, equals, columns = incomplete.partition("=")
    named = (f"{model}={rest}" for rest in in_list(columns, names)) if equals else ()
    return [*dict.fromkeys((*in_list(incomplete, names), *named))]


def complete_condition(ctx: typer.Context, incomplete: str) -> list[str]:
    """Columns at the end of a condition, where no text is open."""
    from lossctl.reading.where import written

    ends = re.fullmatch(r"""((?:[^"'`]|"[^"]*"|'[^']*'|`[^`]*`)*?)(`[^`]*|\#?[\w.]*)""", incomplete)
    if ends is None:
        return []
    before, begun = ends.groups()
    names = _columns_of_all(ctx)
    return [f"{before}{written(name)}" for name in names if name.startswith(begun.removeprefix("`"))]


def complete_null_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Columns before the words that stand for nothing in them."""
    return [f"{name}=" for name in columns_of(ctx, files_of(ctx)) if f"{name}=".startswith(incomplete)]


def complete_classes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of classes, as the first labels say them."""
    return [*in_list(incomplete, _at_once(lambda: sorted(_labels(ctx))) or [])]


def complete_class_weights(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of classes, before their weights."""
    return [*in_list(incomplete, (f"{name}=" for name in _at_once(lambda: sorted(_labels(ctx))) or []))]


def complete_losses(incomplete: str) -> list[Item]:
    """Losses and their parameters, with what they are."""
    from lossctl.functions.loss import losses

    return [*_specs(incomplete, [*losses])]


def complete_activations(incomplete: str) -> list[Item]:
    """Activations and their parameters, with what they are."""
    from lossctl.functions.activation import activations

    return [*_specs(incomplete, [*activations])]


def complete_names(incomplete: str) -> list[Item]:
    """Losses and activations and their parameters, with what they are."""
    return [*dict((*complete_activations(incomplete), *complete_losses(incomplete))).items()]


def complete_gates(ctx: typer.Context, incomplete: str) -> list[str]:
    """The losses on the line, before what they must not exceed."""
    from lossctl.functions.definition import split_specs

    return [f"{loss}=" for loss in split_specs(ctx.params.get("loss") or ()) if loss.startswith(incomplete)]


def _specs(incomplete: str, definitions: "Sequence[Definition]") -> Iterator[Item]:
    """What the last item of a list of specifications may become: a name, a parameter, a value."""
    from lossctl.functions.definition import split_specs

    done, comma, last = incomplete.rpartition(",")
    spec, item = last, last.partition(":")[2]
    if ":" not in last:
        matching = [(it.name, it.summary) for it in definitions if it.name.startswith(last)]
        aliases = ((alias, it.summary) for it in definitions for alias in it.aliases if alias.startswith(last))
        yield from ((f"{done}{comma}{name}", summary) for name, summary in matching or aliases)
        spec, item = next(reversed(split_specs([done])), ""), last
    name, colon, settings = spec.partition(":")
    if not colon:
        return
    head, (key, equals, value) = incomplete.removesuffix(item), item.partition("=")
    taken = {setting.partition("=")[0] for setting in settings.removesuffix(item).split(",")}
    for parameter in (it for owner in definitions if _is_called(owner, name) for it in owner.parameters):
        if not equals and parameter.name.startswith(key) and parameter.name not in taken:
            yield f"{head}{parameter.name}=", parameter.meaning or parameter.describe()
        elif equals and parameter.name == key:
            yield from ((f"{head}{key}={word}", "") for word in parameter.words() if word.startswith(value))


def _is_called(definition: "Definition", name: str) -> bool:
    return normal(name) in map(normal, (definition.name, *definition.aliases))


def files_of(ctx: typer.Context) -> list[str]:
    """The files on the line."""
    return ctx.params.get("files") or ctx.params.get("subjects") or []


def columns_of(ctx: typer.Context, paths: Sequence[str]) -> list[str]:
    """The columns of the first of some files; none of what is no file, cannot be read, or takes long."""
    return _at_once(lambda: [column.name for column in _opened(ctx, paths).columns]) or []


def _at_once(read: Callable[[], list[str]]) -> list[str] | None:
    """What is read within two seconds, or ``None``."""
    read_by_then: list[list[str]] = []

    def attempt() -> None:
        try:
            read_by_then.append(read())
        except Exception:  # noqa: BLE001  (whatever is wrong with a file, the command itself says it)
            return

    reader = threading.Thread(target=attempt, daemon=True)
    reader.start()
    reader.join(PATIENCE)
    return read_by_then[0] if read_by_then else None


def _opened(ctx: typer.Context, paths: Sequence[str]) -> "Source":
    """The first of some files, opened as the options on the line say.

    Raises:
        LookupError: it is none, or one that cannot be read at once.
        LossctlError: it cannot be read.
    """
    from lossctl.reading.expand import expand
    from lossctl.reading.files import open_source
    from lossctl.reading.format import Reading

    path = os.path.expanduser(os.path.expandvars(next(iter(paths))))
    if not os.path.exists(path):
        path = path.partition("=")[2] or path  # NAME=FILE of compare
    if "://" in path:
        raise LookupError(path)
    first = expand(path)[0]
    if not os.path.isfile(first):  # a pipe, which is read once
        raise LookupError(first)
    reading = ctx.obj(ctx.params) if ctx.obj else Reading()
    return open_source(first, replace(reading, max_line=LONGEST_LINE))


def _units(ctx: typer.Context, column: str) -> list[str]:
    """In what units a column can be grouped by, as its first rows say.

    Raises:
        LookupError: it holds neither numbers nor dates.
        LossctlError: the file cannot be read.
    """
    from lossctl.inference.sample import sampled
    from lossctl.reading.cells import kind_of
    from lossctl.reading.format import Wanted
    from lossctl.reading.periods import PERIODS, are_dates

    source = _opened(ctx, files_of(ctx))
    if all(each.name != column for each in source.columns):
        source = _opened(ctx, ctx.params["labels"])
    if any(each.name == column and each.kind == "number" for each in source.columns):
        return ["4", "10", "100"]
    cells = [record.column(column) for record in sampled(source, Wanted(frozenset(), frozenset([column])), FEW).records]
    if any(kind_of(part.type) == "number" for part in cells) or not all(are_dates(part, column) for part in cells):
        raise LookupError(column)
    return [*PERIODS]


def _labels(ctx: typer.Context) -> set[str]:
    """The labels of the first rows.

    Raises:
        LookupError: no column is known to be the label.
        LossctlError: the file cannot be read.
    """
    from lossctl.inference.infer import complete_roles
    from lossctl.inference.patterns import find
    from lossctl.inference.request import Request
    from lossctl.inference.sample import sampled
    from lossctl.reading.format import Wanted

    source = _opened(ctx, ctx.params.get("labels") or files_of(ctx))
    request = Request([], tuple(ctx.params.get("label") or ()), tuple(ctx.params.get("prediction") or ()))
    label = request.label or complete_roles(source, request).request.label
    (column,) = (name for pattern in label for name in find(pattern, source.columns, "label"))
    sample = sampled(source, Wanted(frozenset(), frozenset([column])), FEW)
    cells = (cell for record in sample.records for cell in record.column(column).to_pylist())
    return {str(cell) for cell in cells if cell is not None}
