"""From the problems with the data to the error that says so."""

from collections.abc import Iterator

from lossctl.errors import DataError, Ways, option
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.traversal import Traversal
from lossctl.inference.rounding import advice, said
from lossctl.reading.format import Source
from lossctl.reading.selection import no_rows, where_of
from lossctl.sums.problems import Problem, Problems
from lossctl.words import counted

TOKENS = f"The first token of a text often has no probability: leave nulls out of lists with {option(mask_null=True)}."
"""What to do about nulls in lists."""
MANY = 4
"""From how many columns on what is to be said of each is said once."""


def complain(plan: Plan, problems: Problems, traversal: Traversal) -> None:
    """Raise the error for problems that the plan does not allow, if there are any.

    Args:
        plan: what is allowed.
        problems: all that were met so far, in rows counted from the first of the data set.
        traversal: the pass so far, which knows where rows are.

    Raises:
        DataError: nulls under ``error``, or values outside a domain: what, where, how many so far, what to do.
    """
    if not problems.by_key:
        return
    complaints = [
        *_nulls(plan, problems, traversal.read),
        *_lengths(plan, problems),
        *_illegal(plan, traversal.source, problems),
        *_exclusive(problems),
    ]
    if complaints:
        what, problem, hint = min(complaints, key=lambda complaint: complaint[1].row)
        others = len(complaints) - 1
        more = f"; {others} other problem{'s' if others > 1 else ''} found" if others else ""
        error = DataError(
            f"{traversal.place(problem.row)}: {what} ({problem.count:,} in the first {traversal.read:,} rows{more})",
            hint,
        )
        error.ways = _ways(plan, traversal.source, masked=hint.startswith(TOKENS))
        raise error


def _ways(plan: Plan, source: Source, *, masked: bool) -> Ways:
    """How to take logarithms of probabilities, or these, as they are, and to leave out nulls in lists if those stop."""
    from lossctl.evaluation.remedies import Remedies  # noqa: PLC0415  (what it needs is for those alone)

    losses = Remedies(plan, source).by_logarithm()
    way = ((("loss", losses),) if losses else ()) + ((("mask_null", True),) if masked else ())
    return (way,) if way else ()


def _nulls(plan: Plan, problems: Problems, rows: int) -> Iterator[tuple[str, Problem, str]]:
    if plan.nulls == "error":
        for column, _, problem in problems.of("null"):
            hint = f"Leave such rows out with {option(nulls='drop')}."
            if column in _lists(plan):
                hint = TOKENS if problem.count >= rows else f"{TOKENS[:-1]}, or such rows with {option(nulls='drop')}."
            cells = column in plan.roles.label and plan.layout.label_width and not plan.layout.mask_null
            if cells and not any(bound.rows for model in plan.models for bound in model.losses):
                alone = option(mask_null=True)
                hint = f"Leave such labels out of their rows with {alone}, or the rows with {option(nulls='drop')}."
            if plan.layout.masked and column not in plan.roles.label:
                hint += " A number under a label that is left out may be any, but must be one."
            yield f"column {column!r} is null or NaN", problem, hint


def _lists(plan: Plan) -> list[str]:
    """The columns of lists, each of any length, that may not hold a null."""
    ragged = plan.layout.ragged and not plan.layout.mask_null
    return [model.columns[0] for model in plan.models if ragged and model.width and len(model.columns) == 1]


def _lengths(plan: Plan, problems: Problems) -> Iterator[tuple[str, Problem, str]]:
    for column, _, problem in problems.of("length"):
        width = plan.layout.width_of(column) or 1
        told = "" if column == plan.roles.weight else ", as in the first row"
        yield f"column {column!r} is {problem.value}; must be a list of {counted(width, 'number')}{told}", problem, ""


def _illegal(plan: Plan, source: Source, problems: Problems) -> Iterator[tuple[str, Problem, str]]:
    errors = [*problems.of("error")]
    if not errors:
        return
    from lossctl.evaluation.remedies import Remedies  # noqa: PLC0415  (what it needs is for those alone)

    remedies = Remedies(plan, source)
    for column, what, problem in errors:
        name, colon, domain = what.partition(": ")
        must = f"{name} needs {domain}" if colon else f"must be {what}"
        what_is = f"column{'s' if ', ' in column else ''} {column!r} {'are' if ', ' in column else 'is'}"
        hint = advice(problems, column, what) or remedies.of(column, what, problem)
        yield f"{what_is} {problem.value}; {must}", problem, hint


def _exclusive(problems: Problems) -> Iterator[tuple[str, Problem, str]]:
    by_column: dict[str, list[Problem]] = {}
    for column, value, problem in problems.of("exclusive"):
        by_column.setdefault(column, []).append(problem)
        if len(by_column[column]) > 1:
            what = f"column {column!r} is {value}, after {by_column[column][0].value} earlier; 0 means -1 only beside 1"
            yield what, problem, "Use -1 and 1, or 0 and 1."


def told(problems: Problems, traversal: Traversal, *kinds: str) -> Iterator[str]:
    """What is to be said of problems that stop nothing, of some kinds, each with its first row."""
    for kind in kinds:
        alike: dict[str, list[tuple[str, Problem]]] = {}
        for column, what, problem in problems.of(kind):
            alike.setdefault(what, []).append((column, problem))
        for what, columns in alike.items():
            several = len(columns) >= MANY
            for column, problem in [min(columns, key=lambda pair: pair[1].row)] if several else columns:
                rows = counted(max(problem.count for _, problem in columns) if several else problem.count, "row")
                others = f" and {counted(len(columns) - 1, 'other')}" if several else ""
                number = f"up to {rows} each" if several else rows
                value = f": {problem.value}" if kind == "no double" else ""
                yield f"{column}{others}: {what}: {number}, first {traversal.place(problem.row)}{value}"


def taken_for_null(plan: Plan, problems: Problems) -> Iterator[str]:
    """What is to be said of predictions that are null where a number means that in every column, also a label's."""
    numbers, label = ", ".join(plan.null_numbers), ", ".join(plan.roles.label)
    columns = {column for model in plan.models for column in model.columns}
    for column, _, problem in problems.of("null"):
        if numbers and column in columns:
            yield (
                f"{column}: {counted(problem.count, 'prediction')} null, which {numbers} means in every column; where "
                f"only a label of that is missing, give it as a word for null of {label} alone, or as a label to ignore"
            )


def remarks(plan: Plan, total: Measured) -> Iterator[str]:
    """What a pass left out, and why, and what it clipped, in words."""
    dropped = int(total.null.sum() + total.unweighted.sum())
    if dropped:
        yield f"{dropped:,} of {total.rows:,} rows left out: a null or a weight of 0"
    for label in plan.layout.ignored:
        number = total.problems.count("ignored", label)
        what = counted(number, "label") if plan.layout.masked else f"{number:,} of {total.rows:,} rows"
        yield f"{what} ignored: label {label}"
    yield from said(total.problems)


def ensure_measured(total: Measured, traversal: Traversal, plan: Plan) -> int:
    """How many rows counted.

    Raises:
        DataError: there were no rows, or none that counted.
    """
    files = traversal.source.files
    title = files[0] if len(files) == 1 else f"{len(files)} files" if files else "the table"
    if not total.rows:
        chosen = where_of(traversal.source) is not None and traversal.read
        raise no_rows(traversal.source, traversal.read) if chosen else DataError(f"{title}: no data rows")
    null, unweighted, ignored = (int(rows.sum()) for rows in (total.null, total.unweighted, total.ignored))
    used = total.rows - null - unweighted - ignored
    if not used:
        why = f"{null:,} have a null, {unweighted:,} a weight of 0" + f", {ignored:,} an ignored label" * bool(ignored)
        lists = null == total.rows and _lists(plan)
        error = DataError(f"{title}: none of the {total.rows:,} rows can be measured: {why}", TOKENS if lists else "")
        error.ways = _ways(plan, traversal.source, masked=True) if lists else ()
        raise error
    return used
