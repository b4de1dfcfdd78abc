"""Reports for people: boxed tables, the same as plain aligned text, the same as Markdown.

Rich is imported when something is drawn: a number for a script should not wait for it.
"""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lossctl.evaluation.report import Report, Result
from lossctl.functions.bound_loss import get_loss
from lossctl.functions.definition import Value, spell
from lossctl.rendering.renderer import Style, renderers
from lossctl.rendering.terminal import console

if TYPE_CHECKING:
    from rich.table import Table

Cells = list[list[str]]
Header = list[tuple[str, bool]]
"""Names of columns, and whether they hold numbers."""
NAME_WIDTH = 16
"""How wide a column of names may be in a terminal before it is folded."""


class Tables:
    """Rich tables in one of three boxes.

    Args:
        name: the name of the format.
        suffixes: file names that ask for it.
        frame: the name of Rich's box; ``None`` for aligned text.
        narrow: whether to fit the width of a terminal.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], frame: str | None, *, narrow: bool) -> None:
        self.name, self.suffixes, self.frame, self.narrow = name, suffixes, frame, narrow

    def render(self, report: Report, style: Style) -> str:
        """Results, gradients, worst rows, then what they were made of."""
        text = io.StringIO()
        paper = console(text, style.width if self.narrow else 100_000, color=style.color and self.narrow)
        for title, header, cells in _tables(report, style.precision, brief=self.narrow):
            if title:
                paper.print(title)
            for some in self._fit(header, cells, paper.width):
                paper.print(self._table([header[at] for at in some], [[row[at] for at in some] for row in cells]))
                paper.print()
        for line in _footer(report):
            paper.print(f"- {line}" if self.frame == "MARKDOWN" else line, style="dim", soft_wrap=not self.narrow)
        lines = [line.rstrip() for line in text.getvalue().splitlines()]
        return "\n".join(line for line, before in zip(lines, ["", *lines], strict=False) if line or before) + "\n"

    def _fit(self, header: Header, cells: Cells, width: int) -> Iterator[list[int]]:
        """Which columns to show beside each other: names always, and as many numbers as fit with all their digits."""
        names = [at for at, (_, number) in enumerate(header) if not number]
        wide = {
            at: max(len(text) for text in (header[at][0], *(row[at] for row in cells))) + 3 for at in range(len(header))
        }
        numbers = [at for at in wide if at not in names]
        room = width - 1 - sum(min(wide[at], NAME_WIDTH + 3) for at in names)
        shown: list[int] = []
        for at in numbers:
            if shown and sum(wide[one] for one in shown) + wide[at] > room:
                yield names + shown
                shown = []
            shown.append(at)
        yield names + shown

    def _table(self, header: Header, cells: Cells) -> "Table":
        from rich import box  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        frame = getattr(box, self.frame) if self.frame else None
        table = Table(
            box=frame, padding=(0, 1) if self.frame else (0, 2, 0, 0), pad_edge=bool(self.frame), show_edge=True
        )
        for name, number in header:
            table.add_column(
                self._text(name),
                justify="right" if number else "left",
                overflow="fold",
                no_wrap=number,
                max_width=NAME_WIDTH if self.narrow and not number else None,
                style="bold" * (name == "value"),
            )
        rows = [[self._text(cell) for cell in row] for row in cells]
        if (
            rows and not self.narrow
        ):  # no cell is folded, so a column may be a single one of many lines: Rich takes 50 µs a cell
            rows = [["\n".join(column) for column in zip(*rows, strict=True)]]
        for row in rows:
            table.add_row(*row)
        return table

    def _text(self, cell: str) -> str:
        """A cell that can neither command the terminal nor end its row."""
        safe = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in cell)
        return safe.replace("|", "\\|") if self.frame == "MARKDOWN" else safe


def _tables(report: Report, precision: int, *, brief: bool) -> Iterator[tuple[str, Header, Cells]]:
    def number(value: float) -> str:
        return f"{value:.{precision}g}"

    def count(value: int) -> str:
        return f"{value:,}"

    results = report.results
    names = _naming(results, brief=brief)
    columns: list[tuple[str, Callable[[Result], str]]] = [
        ("value", lambda it: number(it.value)),
        ("std. error", lambda it: number(it.standard_error)),
        ("n", lambda it: count(it.n)),
    ]
    if any(result.reduction != "mean" or get_loss(result.loss).reduction != "mean" for result in results):
        columns.insert(1, ("reduction", lambda it: it.reduction))
    for title, counted in (
        ("null", "n_null"),
        ("zero weight", "n_zero_weight"),
        ("clipped", "n_clipped"),
        ("infinite", "n_infinite"),
    ):
        if any(getattr(result, counted) for result in results):
            columns.append((title, lambda it, counted=counted: count(getattr(it, counted))))  # type: ignore[misc]
    if report.inputs.get("weight"):
        columns += [
            ("Σw", lambda it: number(it.sum_weight)),
            ("eff. n", lambda it: number(it.effective_n)),
        ]
    header = [(name, False) for name, _ in names] + [(name, name != "reduction") for name, _ in columns]
    yield "", header, [[cell(it) for _, cell in (*names, *columns)] for it in results]
    yield from _skill(results, names, number)
    yield from _gradients(results, names, number)
    for result in results:
        if result.samples:
            yield _worst(result, names, number)


def _naming(results: Sequence[Result], *, brief: bool) -> list[tuple[str, Callable[[Result], str]]]:
    """The columns that tell results apart; ``brief`` drops parameters, which the footer has, where names suffice."""
    losses = {result.loss for result in results}
    if brief and len({_name(loss) for loss in losses}) == len(losses):
        names: list[tuple[str, Callable[[Result], str]]] = [("loss", lambda it: _name(it.loss))]
    else:
        names = [("loss", lambda it: it.loss)]
    if len({result.model for result in results}) > 1:
        names.append(("model", lambda it: it.model))
    return names + [(column, partial(_group_word, column)) for column in results[0].group]


def _name(loss: str) -> str:
    return loss.partition(":")[0]


def _group_word(column: str, result: Result) -> str:
    word = result.group[column]
    return "(null)" if word is None else word


def _skill(
    results: Sequence[Result], names: list[tuple[str, Callable[[Result], str]]], number: Callable[[float], str]
) -> Iterator[tuple[str, Header, Cells]]:
    measured = [(result, result.baseline) for result in results if result.baseline is not None]
    if measured:
        header = [(name, False) for name, _ in names] + [("best constant", True), ("its loss", True), ("skill", True)]
        cells = [
            [cell(it) for _, cell in names]
            + [
                "≈ " * (base.constant_error > 0) + _vector(base.constant, number),
                number(base.constant_loss),
                number(base.skill),
            ]
            for it, base in measured
        ]
        yield "against the best constant prediction (skill: 1 − value / its loss)", header, cells


def _vector(value: float | tuple[float, ...], number: Callable[[float], str]) -> str:
    """A number in full, or the first few of several in brief."""
    if not isinstance(value, tuple):
        return number(value)
    shown = " ".join(f"{part:.4g}" for part in value[:6])
    return f"{shown} …" if len(value) > 6 else shown


def _gradients(
    results: Sequence[Result], names: list[tuple[str, Callable[[Result], str]]], number: Callable[[float], str]
) -> Iterator[tuple[str, Header, Cells]]:
    measured = [result for result in results if result.gradient is not None]
    if not measured:
        return
    wrt = {result.gradient.wrt for result in measured if result.gradient is not None}
    what = " or ".join(sorted(wrt))
    for title, fields in (
        (f"gradient of the reported value with respect to the {what}", ("grad_l2", "grad_l1", "grad_linf")),
        ("gradient of a row", ("row_mean", "row_rms", "row_max", "top1_share")),
    ):
        header = [(name, False) for name, _ in names] + [
            (field.replace("_", " ").replace("top1", "top 1%"), True) for field in fields
        ]
        cells = [
            [cell(it) for _, cell in names]
            + [
                _share(getattr(it.gradient, field)) if field == "top1_share" else number(getattr(it.gradient, field))
                for field in fields
            ]
            for it in measured
        ]
        yield title, header, cells


def _share(value: float) -> str:
    return "nan" if math.isnan(value) else f"{100 * value:.3g} %"


def _worst(
    result: Result, names: list[tuple[str, Callable[[Result], str]]], number: Callable[[float], str]
) -> tuple[str, Header, Cells]:
    several = result.samples[0].file is not None
    title = f"worst rows of {', '.join(cell(result) for _, cell in names)}"
    header = [
        *([("file", False)] if several else []),
        *((name, True) for name in ("row", "loss", "label", "prediction", "gradient")),
    ]
    cells = [
        [
            *([it.file or ""] if several else []),
            f"{it.row:,}",
            number(it.value),
            _vector(it.label, number),
            _vector(it.prediction, number),
            _vector(it.gradient, number),
        ]
        for it in result.samples
    ]
    return title, header, cells


def _footer(report: Report) -> Iterator[str]:
    """Effective parameters, columns and counts: never hidden."""
    inputs, settings = report.inputs, report.settings
    for entry in settings["losses"]:
        pieces = [f"{name}={_brief(value)}" for name, value in entry["parameters"].items()]
        pieces += [] if entry["wrt"] == "prediction" else [f"on the {entry['wrt']}"]
        if pieces:
            yield f"{_name(entry['loss'])}: {', '.join(pieces)}"
    models = [
        ", ".join(columns) if len(columns) <= 6 else f"{columns[0]} … {columns[-1]} ({len(columns)} columns)"
        for columns in inputs["models"].values()
    ]
    roles = [f"label {', '.join(inputs['label'])}", f"prediction {'; '.join(models)}"]
    roles += [f"weight {inputs['weight']}"] if inputs["weight"] else []
    roles += [f"by {', '.join(inputs['by'])}"] if inputs["by"] else []
    yield "columns: " + " | ".join(roles)
    if "join" in inputs:
        it = inputs["join"]
        counts = (
            f"{it['matched']:,} matched, {it['unmatched_predictions']:,} predictions and {it['unmatched_labels']:,}"
        )
        yield f"join: {it['how']} by {', '.join(it['id'])}: {counts} labels without match"
    dropped = inputs["rows"] - inputs["rows_used"]
    line = f"rows: {inputs['rows']:,} read, {inputs['rows_used']:,} used, {dropped:,} dropped"
    reasons = [f"{count:,} null in {column}" for column, count in inputs["nulls"].items()]
    reasons += [f"{inputs['zero_weights']:,} of weight 0"] if inputs["zero_weights"] else []
    clipped = sum(result.n_clipped for result in report.results)
    yield line + (f" ({', '.join(reasons)})" if reasons else "") + (f", {clipped:,} clipped" if clipped else "")


def _brief(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else spell(value)


for made in (
    Tables("table", (), "ROUNDED", narrow=True),
    Tables("plain", (".txt",), None, narrow=False),
    Tables("markdown", (".md",), "MARKDOWN", narrow=False),
):
    renderers.add(made.name, made, ("md",) if made.name == "markdown" else ())
