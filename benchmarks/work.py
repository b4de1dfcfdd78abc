"""What the benchmark times: command lines of lossctl, and what each is held against, with the largest good ratio."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data import GROUPS, LARGER, SMALLER

HERE = Path(__file__).parent
LOSSCTL = (sys.executable, "-m", "lossctl")
PEERS = {
    "duckdb": "DuckDB",
    "polars": "Polars",
    "duckdb-same": "DuckDB, the same answer",
    "polars-same": "Polars, the same but no compensated sum",
    "pandas": "pandas, scikit-learn",
    "numpy": "NumPy",
    "arrow": "Arrow, reading alone",
}
TYPES = ("float32", "int8", "decimal")
BESIDE = "Beside the tools a user would pick instead"
FOUR = "mse,mae,huber,log_cosh"


@dataclass(frozen=True)
class Program:
    """A command line, and what the table calls it."""

    name: str
    command: tuple[str, ...]
    same: bool = True
    """Whether it is asked what ours is, so that their answers must agree."""


@dataclass(frozen=True)
class Rivals:
    """Programs that do the same kind of work."""

    programs: tuple[Program, ...]
    target: float | None = None
    """The largest good ratio of our wall time to that of the fastest of them."""


@dataclass(frozen=True)
class Line:
    """Some work, done by the program that is judged and by those it is held against."""

    title: str
    ours: Program
    rivals: tuple[Rivals, ...]
    seconds: float | None = None
    """The largest good wall time."""
    groups: int | None = None
    """How many groups it keeps, of which each has its share of memory."""

    @property
    def programs(self) -> tuple[Program, ...]:
        """All that run, in the order of the table."""
        return (self.ours, *(program for rivals in self.rivals for program in rivals.programs))


MEMORY = {
    "huber": ("huber",),
    "huber by 1,000 groups": ("huber", "--by", "group"),
    "four losses and their gradient norms": (FOUR, "--grad"),
    "huber, the 100 worst rows": ("huber", "--samples", "100"),
    "huber of three models": ("huber", "-p", "f1", "-p", "prob"),
}


def lossctl(
    path: str,
    loss: str,
    *options: str,
    label: str = "label",
    pred: str = "pred",
    command: str = "eval",
    printed: str = "json",
) -> Program:
    asked = ("-l", loss, "-y", label, "-p", pred, *options, "-f", printed, "-q")
    return Program("lossctl" if command == "eval" else f"lossctl {command}", (*LOSSCTL, command, path, *asked))


def named(name: str, program: Program) -> Program:
    return Program(name, program.command)


def python(code: str) -> Program:
    return Program(f"`python -c '{code}'`", (sys.executable, "-c", code))


def peers(tools: str, work: str, path: str) -> tuple[Program, ...]:
    script = str(HERE / "peers.py")
    names = {"exp": "NumPy, exp alone", "read-exp": "Arrow and NumPy, read and exp"}
    return tuple(
        Program(names.get(work, PEERS[tool]), (sys.executable, script, tool, work, path)) for tool in tools.split()
    )


def call(tool: str, name: str, path: str) -> Program:
    """A function that is called in a process which has its columns in memory; scikit-learn has no huber."""
    command = (sys.executable, str(HERE / "calls.py"), tool, path)
    return Program(name, command, same=tool not in {"scikit-learn", "exp"})


def uncompiled(program: Program) -> Program:
    """The same without the compiled sums."""
    return Program("lossctl, sums by NumPy", ("env", "LOSSCTL_SUMS=numpy", *program.command))


def counted(rows: int) -> str:
    """A number of rows in words."""
    return f"{rows / 1e6:g} M" if rows >= 1_000_000 else f"{rows:,}"


def both(work: str, path: str, bare: float | None, same: float | None, *, beside: str = "") -> tuple[Rivals, Rivals]:
    """The bare average, and what comes closest to all that lossctl answers; other tools for the bare average alone."""
    return (
        Rivals(peers(f"duckdb polars {beside}", work, path), bare),
        Rivals(peers("duckdb-same polars-same", work, path), same),
    )


def sections(files: Mapping[str, str], rows: int) -> dict[str, list[Line]]:
    """All that is timed, by the heading it stands under."""
    parquet = f"{counted(rows)} rows of Parquet"
    against = tools(files, rows)
    sums = [
        Line(line.title, uncompiled(line.ours), (Rivals((named("lossctl, compiled", line.ours),), 1.5),))
        for line in (*against, *calls(files, rows))
    ]
    return {
        BESIDE: against,
        "From Python, columns in memory": calls(files, rows),
        "Many groups": many_groups(files, rows),
        "Without the compiled sums": sums,
        "Beside imports and reading alone, on all cores": floors(files, rows),
        "Shapes of files, beside a plain file of the same rows": shapes(files, rows),
        f"Rows of 1,000 classes, {wide(rows)} of them": vectors(files),
        f"Two models compared, beside evaluating both, {parquet}": paired(files),
        "Start": start(files),
    }


def wide(rows: int) -> str:
    """How many rows the files of many columns have."""
    return counted(max(rows // 200, 1))


def tools(files: Mapping[str, str], rows: int) -> list[Line]:
    """Whole processes beside those of DuckDB and Polars."""
    plain, csv, parquet = files["plain.parquet"], files["plain.csv"], f"{counted(rows)} rows of Parquet"
    lines = [
        Line(f"huber, {parquet}", lossctl(plain, "huber"), both("huber", plain, 1.1, 0.75)),
        Line(
            f"mse, {counted(max(rows // 4, 1))} rows of CSV",
            lossctl(csv, "mse"),
            both("mse", csv, 1.05, 0.9, beside="pandas"),
        ),
        Line(
            f"four losses and gradient norms (the others: four averages), {parquet}",
            lossctl(plain, FOUR, "--grad"),
            both("four", plain, 1.0, 0.6),
        ),
        Line(
            f"huber by {GROUPS:,} groups, {parquet}",
            lossctl(plain, "huber", "--by", "group"),
            both("groups", plain, 1.0, 0.7),
        ),
    ]
    if large := files.get("large.parquet"):
        title = f"huber, {counted(LARGER * rows)} rows of Parquet"
        lines.insert(1, Line(title, lossctl(large, "huber"), both("huber", large, 1.0, 0.6)))
    return lines


def calls(files: Mapping[str, str], rows: int) -> list[Line]:
    """A call from Python beside those of other libraries; none reads a file."""
    plain = files["plain.parquet"]
    rivals = (
        Rivals((call("scikit-learn", "scikit-learn, mean_squared_error", plain),), 0.2),
        Rivals((call("numpy", "NumPy, mean of the formula", plain),), 1.3),
        Rivals((call("numpy-blocks", "NumPy, block by block in the cache", plain),)),
    )
    lines = [Line(f'evaluate(table, "huber"), {counted(rows)} rows', call("lossctl", "lossctl", plain), rivals)]
    for name, of in {"logit": ", from_logits=True", "prob": ""}.items():
        lists = files[f"{name}_list.parquet"]
        floor = Rivals((call("exp", "NumPy, exp alone of as many numbers", lists),), 2.0)
        title = f'evaluate(table, "cross_entropy"{of}), {wide(rows)} rows of 1,000 classes'
        lines.append(Line(title, call("classes", "lossctl", lists), (floor,)))
    return lines


def many_groups(files: Mapping[str, str], rows: int) -> list[Line]:
    """Groups by the hundred thousand, each of which takes its time and its memory."""
    few = max(rows // SMALLER, 1)
    wanted = {"many_groups.parquet": (few // 20, 1.5), "most_groups.parquet": (few, 6.0)}
    lines = []
    for name, (groups, seconds) in wanted.items():
        plain = Program("lossctl, no groups", lossctl(files[name], "huber").command, same=False)
        ours = lossctl(files[name], "huber", "--by", "group", printed="csv")
        title = f"huber by {counted(groups)} groups, {counted(few)} rows of Parquet"
        rivals = (Rivals((plain,)), *both("groups", files[name], None, None))
        lines.append(Line(title, ours, rivals, seconds, groups))
    return lines


def floors(files: Mapping[str, str], rows: int) -> list[Line]:
    """Beside Arrow, which only reads."""
    sizes = {"plain.parquet": rows, "large.parquet": LARGER * rows}
    return [
        Line(
            f"huber, {counted(count)} rows of Parquet",
            lossctl(files[name], "huber"),
            (Rivals(peers("arrow", "read", files[name])),),
        )
        for name, count in sizes.items()
        if name in files
    ]


def shapes(files: Mapping[str, str], rows: int) -> list[Line]:
    """The same rows, cut or typed otherwise."""

    def shape(title: str, name: str, beside: str, like: str) -> Line:
        other = named(beside, lossctl(files[like], "huber"))
        return Line(title, lossctl(files[name], "huber"), (Rivals((other,)),))

    words = lossctl(files["categories.parquet"], "bce", "--classes", "no,yes", pred="prob")
    codes = lossctl(files["plain.parquet"], "bce", label="y01", pred="prob")
    return [
        shape("one row group", "one_group.parquet", "plain file", "plain.parquet"),
        shape("5,000 row groups", "tiny_groups.parquet", "plain file", "plain.parquet"),
        shape(f"2 of 1,000 columns, {wide(rows)} rows", "wide.parquet", "2 columns", "narrow.parquet"),
        *(shape(f"{kind} columns", f"{kind}.parquet", "float64", "float64.parquet") for kind in TYPES),
        Line("labels in a dictionary of words", words, (Rivals((named("0 and 1", codes),)),)),
    ]


def vectors(files: Mapping[str, str]) -> list[Line]:
    """Predictions of a thousand classes, as lists and as columns."""
    lines = []
    for name, options in {"logit": ["--from-logits"], "prob": []}.items():
        lists, apart = files[f"{name}_list.parquet"], files[f"{name}_columns.parquet"]
        told = " ".join(["cross_entropy", *options])
        ours = lossctl(lists, "cross_entropy", *options, pred=name)
        floor, reading = peers("numpy", "exp", lists), peers("numpy", "read-exp", lists)
        lines += [
            Line(f"{told}, a column of lists", ours, (Rivals((*floor, *reading)),)),
            Line(
                f"{told}, 1,000 columns",
                lossctl(apart, "cross_entropy", *options, pred="c*"),
                (Rivals((named("a column of lists", ours), *floor)),),
            ),
        ]
    return lines


def paired(files: Mapping[str, str]) -> list[Line]:
    """``compare`` beside ``eval`` of both models."""
    return [
        Line(
            title,
            compared(command="compare"),
            (Rivals((named("lossctl eval", compared(command="eval")),), 1.6),),
        )
        for title, compared in comparisons(files["pairs.parquet"])
    ]


def comparisons(path: str) -> list[tuple[str, Callable[..., Program]]]:
    """What is asked of both models of a file, by ``eval`` and by ``compare``."""
    return [
        ("mse", partial(lossctl, path, "mse", "-p", "b", pred="a")),
        ("rmse", partial(lossctl, path, "rmse", "-p", "b", pred="a")),
        ("bce", partial(lossctl, path, "bce", "-p", "prob_b", pred="prob_a", label="y01")),
        ("mse, weights", partial(lossctl, path, "mse", "-p", "b", "--weight", "weight", pred="a")),
        ("mse by 10 groups", partial(lossctl, path, "mse", "-p", "b", "--by", "group", pred="a")),
        ("mse, 1 M clusters", partial(lossctl, path, "mse", "-p", "b", "--cluster", "user", pred="a")),
    ]


def start(files: Mapping[str, str]) -> list[Line]:
    """What a command costs before it does anything."""
    bare = Program("lossctl", (*LOSSCTL, "--version"))
    imports = Rivals((python("import numpy, pyarrow.csv, typer"),), 1.3)
    return [
        Line("`lossctl --version`", bare, (Rivals((python("pass"),), 150 / 16),)),
        Line("`lossctl eval` of 1,000 rows of CSV", lossctl(files["small.csv"], "mse"), (imports,)),
    ]
