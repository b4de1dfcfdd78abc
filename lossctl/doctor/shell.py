"""Command lines that can be pasted into a shell."""

from collections.abc import Sequence

from lossctl.errors import worded
from lossctl.inference.fit import Fit
from lossctl.inference.request import Settings
from lossctl.words import shell_word

SHORT = {"label": "-y", "pred": "-p", "weight": "-w"}
"""Short flags of columns; the long form takes values that begin with a dash."""
NAMED = {"label": "label", "prediction": "pred", "ids": "id", "join": "join", "labels": "labels", "by": "by"}
"""The long flags of the settings whose value is a word by itself."""


def spelled(flag: str, value: str) -> list[str]:
    """A flag of a column and its value as a shell takes them."""
    return (
        [f"--{flag}={shell_word(value)}"]
        if value.startswith("-")
        else [SHORT.get(flag, f"--{flag}"), shell_word(value)]
    )


def eval_command(shared: Sequence[str], predictions: Sequence[str], losses: Sequence[str], fit: Fit) -> str:
    """The complete command line: shell words, to be copied.

    Args:
        shared: words for the input and the label, quoted.
        predictions: a pattern for each model.
        losses: the losses, as a user types them.
        fit: the task and pairing of these models.
    """
    words = ["lossctl", "eval", *shared]
    for pattern in predictions:
        words += spelled("pred", pattern)
    words += ["-l", shell_word(",".join(losses))]
    return " ".join([*words, *flags(fit.settings)])


def words_of(way: Settings) -> list[str]:
    """What to ask for as words of a command line, quoted."""
    words: list[str] = []
    for name, value in way:
        if name in NAMED:
            words += spelled(NAMED[name], str(value))
        elif name == "header":
            words.append("--no-header")
        else:
            words += ["-l", shell_word(str(value))] if name == "loss" else flags(((name, value),))
    return words


def flags(settings: Settings) -> list[str]:
    """Fields of a request as flags of the command line, quoted."""
    named = ((f"--{name.replace('_', '-')}", value) for name, value in settings)
    return [shell_word(flag if value is True else f"{flag}={value}") for flag, value in named]


def with_flags(text: str) -> str:
    """A text with its options as flags."""

    def flag(name: str, values: Sequence[str]) -> str:
        said = map(_value, [] if values == ["True"] else values)  # a flag that is there has no value
        return " ".join([f"--{NAMED.get(name, name).replace('_', '-')}", *said])

    return worded(text, flag)


def _value(value: str) -> str:
    """A value as a shell takes it; a sign is quoted, to be told from the sentence."""
    return shell_word(value) if any(map(str.isalnum, value)) or "'" in value else f"'{value}'"
