"""The command line: wires the commands; owns the exit status, signals and broken pipes."""

import contextlib
import functools
import gc
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NoReturn, cast

import typer
from typer import _completion_shared  # the only way to scripts other than Typer's
from typer._click.exceptions import ClickException  # named typer.TyperException, but only since 0.28
from typer.core import TyperGroup

from lossctl.cli import signals, streams
from lossctl.cli.command import Color, Config, Entry, Isolated, colored, commands, tell
from lossctl.cli.flags import ELSEWHERE, worded
from lossctl.cli.help import TRACEBACK, Command, Helped
from lossctl.cli.shells import SCRIPTS, SHELLS
from lossctl.errors import DataError, LossctlError, Undecided, UsageError
from lossctl.version import __version__
from lossctl.words import shell_word

# Nothing here multiplies matrices, and the threads of NumPy's linear algebra would spin on a core while it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

INTERRUPTED, BROKEN_PIPE, BUG = 130, 141, 70
USAGE = UsageError.status
MARKUP: Final = "markdown"
WIDEST = 1000
"""Columns and lines of the largest screen."""


def _version(wanted: bool) -> None:  # noqa: FBT001  (Typer calls it so)
    if wanted:
        from lossctl.sums.compiled import kernels  # noqa: PLC0415  (few runs ask)

        print(f"lossctl {__version__} (sums: {'NumPy' if kernels is None else 'compiled'})")
        raise typer.Exit


def _root(
    *,
    config: Config = None,
    isolated: Isolated = False,
    show_version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Evaluate loss functions on data files: named losses, per-sample values and gradient norms."""


class Commands(Mapping[str, Any]):
    """The commands by name, each imported and wired with its options when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        try:
            entry = commands.get(name)
        except UsageError:
            raise KeyError(name) from None
        if entry.name != name:  # spelled like an option of Python's, which is more than a shell's command may be
            raise KeyError(name)
        return wired(entry)

    def __iter__(self) -> Iterator[str]:
        return iter(commands.names())

    def __len__(self) -> int:
        return len(commands.names())


class Group(Helped, TyperGroup):
    """The program, whose commands wait to be asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is ever put in


@functools.cache
def wired(entry: Entry) -> Any:
    """A command as Click runs it, which takes longer to make than a small file to evaluate."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=MARKUP)
    alone.command(entry.name, cls=Command, epilog=entry.epilog)(entry.run)
    return typer.main.get_command(alone)


def build() -> typer.Typer:
    """The application."""
    if not colored(Color.auto):
        # Typer would colour its help under GITHUB_ACTIONS, and leave bold and dim under NO_COLOR.
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
    made = typer.Typer(
        name="lossctl",
        cls=Group,
        no_args_is_help=True,
        epilog="Example: lossctl eval preds.csv --loss huber",
        rich_markup_mode=MARKUP,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    _completion_shared._completion_scripts |= {shell: script.replace("%", "%%") for shell, script in SCRIPTS.items()}  # noqa: SLF001
    return made


app = build()


def _bound_screen() -> None:
    """Have nobody draw for a screen that there cannot be: what the environment says of it is only a claim."""
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):  # the last is Typer's
        try:
            size = int(os.environ.get(name, "1"))
        except ValueError:
            size = 0
        if size > WIDEST:
            os.environ[name] = str(WIDEST)
        elif size < 1:
            del os.environ[name]


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; nothing escapes."""
    fail = functools.partial(_fail, arguments)
    try:
        _bound_screen()
        status = _invoke(arguments)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except LossctlError as error:
        return fail(error.status, *_lines_of(error, arguments))
    except ClickException as wrong:
        message = _message(wrong)
        command = [word for word in arguments[:1] if word in Commands()]
        return fail(USAGE, message, f"Try {' '.join(['lossctl', *command])} --help.") if message else USAGE
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:
        return fail(DataError.status, f"{error.filename or 'output'}: {error.strerror}")
    except MemoryError:
        return fail(DataError.status, "too little memory")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as leaving:
        # Typer leaves with 1 where a pipe is broken; else only shell completion leaves so.
        completing = "_LOSSCTL_COMPLETE" in os.environ
        return BROKEN_PIPE if leaving.code == 1 and not completing else int(leaving.code or 0)
    except Exception as bug:  # noqa: BLE001  (a traceback is no message; -v shows it)
        if _wants_traceback(bug, arguments) and not signals.came():
            import traceback  # noqa: PLC0415

            tell(*traceback.format_exc().rstrip("\n").split("\n"))
        words = f"{type(bug).__name__}: {bug}".partition("\n")[0]
        advice = "Run it again with -v and report the traceback."
        return fail(BUG, f"bug in lossctl {__version__}: {words}", advice)
    finally:
        signals.clean()


def _wants_traceback(bug: Exception, arguments: list[str]) -> bool:
    """Whether the traceback of a bug was asked for; the note that says so of a configuration is taken off."""
    notes = getattr(bug, "__notes__", [])
    if TRACEBACK in notes:
        notes.remove(TRACEBACK)
        return True
    return any(re.fullmatch("-[qv]*v[qv]*|--verbose", word) for word in arguments)


def _invoke(arguments: list[str]) -> object:
    """Run a command, or tell a shell what may be typed."""
    shell = os.environ.get("_LOSSCTL_COMPLETE", "")
    if shell not in SHELLS:
        return app(arguments, prog_name="lossctl", standalone_mode=False)
    from lossctl.cli.completion import answer  # noqa: PLC0415  (once for a key, not for a run)

    return answer(cast("TyperGroup", typer.main.get_command(app)), shell, arguments)


def _lines_of(error: LossctlError, arguments: list[str]) -> list[str]:
    """What an error says; of what is open, with command lines to copy."""
    said = [*worded(error.message).split("\n"), *error.elsewhere, *_elsewhere(error, arguments)]
    if not error.ways:
        return said
    from lossctl.doctor.shell import words_of  # noqa: PLC0415  (where something is open)

    end = arguments.index("--") if "--" in arguments else len(arguments)
    before, after = arguments[:end], arguments[end:]
    commands = (
        " ".join(
            [
                "lossctl",
                *map(shell_word, _before(before, dict(way))),
                *words_of(way),
                *map(shell_word, after),
            ]
        )
        for way in error.ways
    )
    different = dict.fromkeys(commands)
    said = [worded(error.parts[0]), "Copy the one that is meant:"] if isinstance(error, Undecided) else said
    return [*said, *(f"  {command}" for command in different)]


def _elsewhere(error: LossctlError, arguments: list[str]) -> list[str]:
    """The line of another command that does what was meant: a figure that doctor has, or models in a file each."""
    from lossctl.cli.by_doctor import FIGURE, by_compare, by_doctor  # noqa: PLC0415  (where something is wrong)

    if not arguments or arguments[0] not in Commands():
        return []
    line, command = "", Commands()[arguments[0]]
    if FIGURE in error.message:
        line = by_doctor(arguments[1:], command, Commands()["doctor"])
    elif arguments[0] in {"eval", "report"} and "lossctl.evaluation.pooled" in sys.modules:
        from lossctl.evaluation.pooled import APART  # noqa: PLC0415  (likewise)

        line = by_compare(arguments[1:], command, Commands()["compare"]) if APART in error.message else ""
    return [f"  {line}"] if line else []


REPLACED = {
    "prediction": ("-p", "--pred"),
    "loss": ("-l", "--loss"),
    "join": ("--join", "--join"),
    "by": ("--by", "--by"),
    "where": ("--where", "--where"),
    "decimal": ("--decimal", "--decimal"),
    "thousands": ("--thousands", "--thousands"),
}
"""Settings of a way that stand in the place of what was typed, and their flags."""


def _before(arguments: list[str], way: dict[str, str | bool | float]) -> list[str]:
    """The words of a command line but those in whose place others are asked for."""
    words = arguments
    for name, flags in REPLACED.items():
        words = _without(words, flags) if name in way else words
    path = way.get("labels")
    if path is None:
        return words
    kept = [word for word in words if word != path]
    return ["eval" if word == "compare" else word for word in kept]  # one file is of one model


def _without(arguments: list[str], flags: tuple[str, str]) -> list[str]:
    """The words of a command line but those that follow the short or the long form of a flag."""
    words, kept = iter(arguments), []
    for word in words:
        if word in flags:
            next(words, None)
        elif not word.startswith((flags[0], f"{flags[1]}=")):
            kept.append(word)
    return kept


NO_NUMBER = r"is not a valid (int|float)\w*(?: range)?(?=\.$)"
"""What the parser says of a value, in the words of those who write programs."""


def _message(wrong: ClickException) -> str:
    """What is wrong with a command line; nothing where the help was shown instead."""
    flag, context = getattr(wrong, "option_name", None) or "", getattr(wrong, "ctx", None)
    ours = ELSEWHERE.get(flag.lower().replace("_", "-"), "")
    known = {name for parameter in context.command.params for name in parameter.opts} if context is not None else set()
    if ours.split(" ")[0] in known:
        return f"No such option: {flag}. It is {ours} here."
    return re.sub(NO_NUMBER, lambda met: f"is no {'whole ' * (met[1] == 'int')}number", wrong.format_message())


def _color_of(arguments: list[str]) -> Color:
    """When to colour, of a command line that may not be understood."""
    told = re.search(r"(?:^|\0)--color[=\0](always|never)(?=\0|$)", "\0".join(arguments))
    return Color(told[1]) if told else Color.auto


def _fail(arguments: list[str], status: int, what: str, *advice: str) -> int:
    if not signals.came():  # which broke what failed
        tell(f"error: {what}", *advice, when=_color_of(arguments))
    return status


def _warn(message: Warning | str, *_where: object, **_line: object) -> None:
    """Show a warning of Python's, which would name a line of ours, as one of our own."""
    tell(f"warning: {message}")


def _keep_memory() -> None:
    """Have the C library keep what is freed: every batch would ask for it again, and each page of it takes 0.5 µs."""
    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(AttributeError, ImportError, OSError, TypeError):  # glibc alone has it
        import ctypes  # noqa: PLC0415  (nobody else needs it)

        allocator = ctypes.CDLL(None)
        allocator.mallopt(mmap_threshold, 1 << 25)
        allocator.mallopt(trim_threshold, 1 << 27)


def main() -> NoReturn:
    """Run the command line of this process."""
    signals.answer()
    _keep_memory()
    warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's: what is not finite is counted and said
    warnings.showwarning = _warn
    streams.repair()
    status = signals.run(lambda: run(sys.argv[1:]))
    if "distributed" in sys.modules:
        gc.collect()  # Dask's queues hold semaphores in cycles, of which the interpreter would complain at exit
    signals.leave(status)


if __name__ == "__main__":
    main()
