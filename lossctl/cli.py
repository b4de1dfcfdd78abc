"""The command line: wires the commands; owns the exit status, signals and broken pipes."""

import os
import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import Annotated, NoReturn

import typer

from lossctl.command import commands
from lossctl.errors import LossctlError

INTERRUPTED, TERMINATED, BROKEN_PIPE, BUG = 130, 143, 141, 70


class Terminated(BaseException):
    """SIGTERM: unwinds the stack so that no half-written file is left."""


def _version(wanted: bool) -> None:  # noqa: FBT001  (Typer calls it so)
    if wanted:
        print(f"lossctl {version('lossctl')}")
        raise typer.Exit


def _root(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Evaluate loss functions on data files: named losses, per-sample values and gradient norms."""


def build() -> typer.Typer:
    """The application with every command there is."""
    made = typer.Typer(
        name="lossctl",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    for entry in commands:
        made.command(entry.name, epilog=entry.epilog, no_args_is_help=True)(entry.run)
    return made


app = build()


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  (what signal.signal calls)
    raise Terminated


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; nothing escapes."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        status = app(arguments, prog_name="lossctl", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except LossctlError as error:
        return _fail(str(error), error.status)
    except typer.TyperException as wrong:
        return _fail(f"{wrong.format_message()}\nTry lossctl --help.", max(wrong.exit_code, 2))
    except BrokenPipeError:
        return BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except Exception as bug:  # noqa: BLE001  (a traceback is no message; -v shows it)
        if "-v" in arguments or "--verbose" in arguments:
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        words = f"{type(bug).__name__}: {bug}".partition("\n")[0]
        return _fail(
            f"bug in lossctl {version('lossctl')}: {words}\nRun it again with -v and report the traceback.", BUG
        )


def _fail(message: str, status: int) -> int:
    try:
        print(f"error: {message}", file=sys.stderr)
    except BrokenPipeError:
        return BROKEN_PIPE
    return status


def main() -> NoReturn:
    """The entry point of the ``lossctl`` script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = BROKEN_PIPE
    # Straight out: threads still reading must not keep an interrupted program alive, and the interpreter must not
    # complain about a pipe that is gone.
    os._exit(status)


if __name__ == "__main__":
    main()
