"""What a configuration may set: the long options of all commands, as their declarations say.

Imported where there is something to set, and by nothing that ``--help`` needs.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from typer.models import OptionInfo

from lossctl.cli.command import Action, commands
from lossctl.dataclass import dataclass
from lossctl.words import either, said

PATHS = ("FILE", "PATH")
"""What the metavar of an option says whose values are names of files."""
ABOUT_DATA = ("Columns", "Loss", "Input")
"""The panels of options that say how data are read and measured."""
TRUTHS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
"""What a variable says of an option that takes no value."""
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Setting:
    """A long option, as a configuration sets it."""

    name: str
    """Its key: the long flag without dashes, and with ``_`` between words."""
    parameter: str
    """The parameter that takes it."""
    kind: type
    """``bool``, ``int``, ``float`` or ``str``."""
    many: bool
    """Whether it can be given several times."""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    metavar: str = ""
    words: str = ""
    panel: str = ""
    default: Any = None

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return "LOSSCTL_" + self.name.upper()

    @property
    def is_path(self) -> bool:
        """Whether its value names a file."""
        return any(word in self.metavar for word in PATHS)

    @property
    def is_listed(self) -> bool:
        """Whether its value is a comma list, which may be written as a list."""
        return not self.many and self.kind is str and "," in self.metavar

    def read(self, value: Any) -> Any:
        """What the option is given for a value of a configuration.

        Raises:
            ValueError: it is not of the right type, or none of what there is to choose from.
        """
        if isinstance(value, list) and (self.many or self.is_listed):
            values = [self._one(each) for each in value]
            return values if self.many else ",".join(values)
        one = self._one(value)
        return [one] if self.many else one

    def read_variable(self, text: str) -> Any:
        """What the option is given for the text of a variable; of what can be given several times, a line each.

        Raises:
            ValueError: as for `read`.
        """
        if self.many:
            return [self._of_text(line) for line in text.splitlines() if line.strip()]
        return self._of_text(text)

    def _of_text(self, text: str) -> Any:
        if self.kind is bool:
            if text.strip().lower() not in TRUTHS:
                raise ValueError(f"must be 1 or 0, not {text!r}")
            return TRUTHS[text.strip().lower()]
        if self.kind is str:
            return self._one(text)
        try:
            return self._one(self.kind(text))
        except ValueError:
            raise ValueError(f"must be {self._described()}, not {text!r}") from None

    def _one(self, value: Any) -> Any:
        if self.kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64:
            value = float(value)
        if type(value) is not self.kind or (isinstance(value, int) and abs(value) >= 1 << 64):
            raise ValueError(f"must be {self._described()}, not {said(value)}")
        if self.choices and value not in self.choices:
            raise ValueError(f"must be {either(self.choices)}, not {value!r}")
        if isinstance(value, int | float) and not self._low <= value <= self._high:
            raise ValueError(f"must be {self._described()}, not {value}")
        return value

    @property
    def _low(self) -> float:
        return -math.inf if self.low is None else self.low

    @property
    def _high(self) -> float:
        return math.inf if self.high is None else self.high

    def _described(self) -> str:
        if self.choices:
            return either(self.choices)
        listed = ", or a list of such" if self.many or self.is_listed else ""
        low = "" if self.low is None else f", {self.low:g} or more"
        return KINDS[self.kind] + (low if self.high is None else f" from {self.low:g} to {self.high:g}") + listed


def settings_of(run: Callable[..., None]) -> dict[str, Setting]:
    """What of a command can be set, by key."""
    made = (_setting(parameter) for parameter in inspect.signature(run).parameters.values())
    return {setting.name: setting for setting in made if setting is not None}


@functools.cache
def every_setting() -> dict[str, tuple[Setting, ...]]:
    """What can be set, by key: once for each way in which commands take it."""
    ways: dict[str, dict[Setting, None]] = {}
    for entry in commands:
        for name, setting in settings_of(entry.run).items():
            ways.setdefault(name, {})[setting] = None
    return {name: tuple(ways[name]) for name in sorted(ways)}


def setting_of(name: str, own: Mapping[str, Setting]) -> Setting | None:
    """What a key sets: an option of a command, of its own ones, else of another, which are imported to be asked."""
    return own[name] if name in own else next(iter(every_setting().get(name, ())), None)


def _setting(parameter: inspect.Parameter) -> Setting | None:
    """The setting that a parameter is; ``None`` where it is an argument, or says what to do."""
    if get_origin(parameter.annotation) is not Annotated:
        return None
    hint, *notes = get_args(parameter.annotation)
    option = next((note for note in notes if isinstance(note, OptionInfo)), None)
    if option is None or Action in notes:
        return None
    flag = next((word for word in (option.default, *(option.param_decls or ())) if str(word).startswith("--")), None)
    if flag is None:
        return None
    parts = [part for part in get_args(hint) if part is not NoneType] if get_args(hint) else [hint]
    kind = parts[0] if get_origin(hint) is not list else hint
    many = get_origin(kind) is list
    kind = get_args(kind)[0] if many else kind
    choices = tuple(str(member.value) for member in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()
    kind = str if choices else kind
    if kind not in KINDS:
        return None
    return Setting(
        flag.removeprefix("--").replace("-", "_"),
        parameter.name,
        kind,
        many,
        choices,
        0 if option.count else option.min,
        option.max,
        option.metavar or "",
        option.help or "",
        option.rich_help_panel if isinstance(option.rich_help_panel, str) else "",
        getattr(parameter.default, "value", parameter.default),
    )
