"""Which value an option has, and who says so: a flag before a variable, that before the file, that before the default.

Imported where something is set.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from typer._click.globals import get_current_context  # Typer has no name for it

from lossctl.cli.command import SETTLED, is_typed, tell
from lossctl.cli.configuration import Configuration, nearest, read
from lossctl.cli.nearest import PREFIX, variables
from lossctl.dataclass import dataclass
from lossctl.errors import LossctlError, UsageError, option, options_in, worded
from lossctl.words import near, split

if TYPE_CHECKING:
    from lossctl.cli.settings import Setting

CONFIG, ISOLATED = PREFIX + "CONFIG", PREFIX + "ISOLATED"
"""Variables that say of the configuration what ``--config`` and ``--isolated`` do."""
RIVALS = {"json": "form", "form": "json", "activation": "from_logits", "from_logits": "activation"}
"""Parameters that say the same thing: what says one of them puts away the other from what is asked later."""


@dataclass(frozen=True)
class Settled:
    """What is said elsewhere than on the command line."""

    configuration: Configuration | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """What options of the command are, by parameter."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Which variable, or file and line, says so, by parameter."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """What the options are called there, by parameter."""
    others: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """What is said of options that other commands have, by key, and where."""

    about_data: tuple[str, ...] = ()
    """The parameters among them that say how data are read and measured."""

    @property
    def note(self) -> str:
        """What of how data are measured is not said on the command line, and where it is; empty where all is."""
        by_origin: dict[str, list[str]] = {}
        for parameter in self.about_data:
            by_origin.setdefault(self.origins[parameter].partition(":")[0], []).append(_flag_of(parameter))
        return "; ".join(f"{origin} sets {', '.join(flags)}" for origin, flags in by_origin.items())

    def is_of_file(self, parameter: str) -> bool:
        """Whether the configuration has set an option of the command."""
        return parameter in self.origins and not self.origins[parameter].startswith(PREFIX)

    def effective(self, settings: Mapping[str, "Setting"]) -> dict[str, tuple[Any, str]]:
        """What every option of the command that runs is, and what has set it; and what is set of other options."""
        context = get_current_context()
        said = dict(self.others)
        for name, setting in settings.items():
            value = context.params.get(setting.parameter, setting.default)
            origin = self.origins.get(setting.parameter) or ("flag" if is_typed(setting.parameter) else "default")
            said[name] = (getattr(value, "value", value), origin)
        return {name: said[name] for name in sorted(said)}

    def place(self, error: LossctlError) -> None:
        """Have an error that is about an option which is set elsewhere say so: where, and by which key."""
        what, hint = error.parts
        about = sorted(options_in(what) & self.origins.keys())
        if not options_in(what) and isinstance(error, UsageError):
            about = [parameter for parameter in self.origins if self._is_quoted(parameter, what)]
            named = [parameter for parameter in about if re.search(rf"\b({self.keys[parameter]}|{parameter})", what)]
            about = named or about
        if len(about) == 1:
            (parameter,) = about
            key = self.keys[parameter]
            said = worded(
                what, lambda name, values: _spelled(key if name == parameter else name, values, name in about)
            )
            head = self.origins[parameter] if re.match(rf"{key}\b", said) else f"{self.origins[parameter]}: {key}"
            error.parts = f"{head}: {said}", hint
        others = (options_in(error.message) & self.origins.keys()) - {*about[:1]}
        error.elsewhere = tuple(f"{_flag_of(other)} is set by {self.origins[other]}." for other in sorted(others))
        if self.note and get_current_context().info_name != "check":  # which is about the configuration
            error.elsewhere += (f"{self.note}; --isolated goes without.",)

    def _is_quoted(self, parameter: str, what: str) -> bool:
        """Whether what is wrong quotes the value of an option, or says its name and its value."""
        value = self.values[parameter]
        pieces = [str(piece) for piece in (value if isinstance(value, list) else [value])]
        pieces += [piece.rpartition("=")[2] for piece in pieces] + [part for piece in pieces for part in split(piece)]
        if parameter in {"loss", "activation"}:
            return any(repr(piece) in what or what.startswith(piece.partition(":")[0] + ":") for piece in pieces)
        named = re.search(rf"\b({self.keys[parameter]}|{parameter})\b", what) is not None
        return any(repr(piece) in what or (named and piece in what) for piece in pieces)


def _spelled(name: str, values: list[str], ours: bool) -> str:  # noqa: FBT001
    """An option in a message: as a configuration has it where it is from there, else as it was."""
    if not ours:
        return option(**{name: values if len(values) > 1 else values[0]}) if values else option(name)
    shown = [value if re.fullmatch(r"[\d.eE+-]+|\w+", value) else repr(value) for value in values]
    return " ".join([name, *(shown if values not in (["True"], ["False"]) else [])])


def _flag_of(parameter: str) -> str:
    from lossctl.cli.flags import flag  # noqa: PLC0415  (where something is wrong)

    return flag(parameter, [])


def settled(run: Callable[..., None], typed: Collection[str], config: str | None, *, isolated: bool) -> Settled:
    """What variables and the configuration say of the options of a command.

    Args:
        run: the command.
        typed: the parameters that the command line says.
        config: the file that is to be read, rather than the one that is found.
        isolated: whether neither counts.

    Raises:
        UsageError: the file cannot be read, or says something that is none.
    """
    said = variables()
    if isolated or (config is None and _is_true(said.pop(ISOLATED, "0"))):
        if config is not None:
            raise UsageError("--isolated and --config contradict each other", "Give one.")
        return Settled()
    config = said.pop(CONFIG, None) if config is None else config
    configuration = nearest() if config is None else read(config)
    if not said and (configuration is None or not configuration.values):
        return Settled(configuration)
    return _merged(run, {*typed}, said, configuration)


def _is_true(text: str) -> bool:
    return text.strip().lower() not in {"0", "false", "no", "off", ""}


def _merged(
    run: Callable[..., None], taken: set[str], variables: Mapping[str, str], configuration: Configuration | None
) -> Settled:
    from lossctl.cli.settings import ABOUT_DATA, settings_of  # noqa: PLC0415  (where something is set)

    own = settings_of(run)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    about_data: list[str] = []
    others: dict[str, tuple[Any, str]] = {}
    said = [*_of_variables(own, variables)]
    for layer in (said, [*_of_file(own, configuration)] if configuration is not None else []):
        begun = {*taken}
        for setting, value, origin in layer:
            if setting.name not in own:
                others.setdefault(setting.name, (value, origin))
            elif setting.parameter not in begun and not (value and RIVALS.get(setting.parameter) in begun):
                values[setting.parameter], origins[setting.parameter] = value, origin
                taken.add(setting.parameter)
                about_data += [setting.parameter] if setting.panel in ABOUT_DATA else []
    keys = {parameter: setting.name for setting in own.values() if (parameter := setting.parameter) in origins}
    return Settled(configuration, values, origins, keys, others, tuple(about_data))


def settled_here() -> Settled:
    """What is said elsewhere of the command that runs."""
    context = get_current_context(silent=True)
    return Settled() if context is None else context.meta.get(SETTLED, Settled())


Said = Iterator[tuple["Setting", Any, str]]
"""An option, what it is set to, and by what."""


def _of_variables(own: Mapping[str, "Setting"], variables: Mapping[str, str]) -> Said:
    """What variables of the environment set; one that looks like a setting and is none is a warning."""
    from lossctl.cli.settings import every_setting, setting_of  # noqa: PLC0415  (where something is set)

    for variable, text in variables.items():
        name = variable.removeprefix(PREFIX).lower()
        setting = setting_of(name, own)
        if setting is None:
            if alike := near(name, [*every_setting()], cutoff=0.8):
                tell(f"warning: {variable} sets nothing. Did you mean {every_setting()[alike[0]][0].variable}?")
            continue
        try:
            yield setting, setting.read_variable(text), variable
        except ValueError as wrong:
            raise UsageError(f"{variable}: {name} {wrong}") from None


def _of_file(own: Mapping[str, "Setting"], configuration: Configuration) -> Said:
    """What a file sets.

    Raises:
        UsageError: a key that no command has an option for, or a value that is none.
    """
    from lossctl.cli.settings import every_setting, setting_of  # noqa: PLC0415  (where something is set)

    keys: dict[str, str] = {}
    for key, value in configuration.values.items():
        name, place = key.replace("-", "_"), configuration.place(key)
        setting = setting_of(name, own)
        if setting is None:
            from lossctl.comparison.declared import key_meant  # noqa: PLC0415  (where something is wrong)

            raise UsageError(f"{place}: unknown key {key!r}", key_meant(name, [*every_setting(), "gate"]))
        if name in keys:
            raise UsageError(f"{place}: {key!r} says again what {keys[name]!r} says", "Keep one.")
        keys[name] = key
        try:
            read = setting.read(value)
        except ValueError as wrong:
            raise UsageError(f"{place}: {name} {wrong}") from None
        if setting.is_path:
            read = [configuration.beside(path) for path in read] if setting.many else configuration.beside(read)
        if not configuration.is_named:
            _ensure_harmless(configuration, name, read, place)
        yield setting, read, place


def _ensure_harmless(configuration: Configuration, name: str, value: Any, place: str) -> None:
    """Check that a file which was only found, be it in a stranger's folder, neither writes elsewhere nor trusts others.

    Raises:
        UsageError: it does.
    """
    hint = f"Say it on the command line, or name the file: --config {configuration.path}."
    if name == "scheduler":
        raise UsageError(
            f"{place}: answers of a scheduler are trusted, so that no file that is only found names one", hint
        )
    if name == "output" and not all(configuration.holds(path) for path in value):
        raise UsageError(f"{place}: output leads out of the folder of a file that is only found", hint)
