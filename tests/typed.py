"""Command lines that lossctl proposes, as what Python code would say."""

import shlex


def arguments_of(command):
    """The arguments of `lossctl.evaluate` that a command line about a table gives."""
    words, asked = iter(shlex.split(command)[2:]), {"label": [], "prediction": []}
    for word in words:
        flag, _, value = word.partition("=")
        if flag in {"-y", "-p"}:
            asked["label" if flag == "-y" else "prediction"].append(next(words))
        elif flag == "-l":
            asked["loss"] = next(words)
        else:
            asked[flag.removeprefix("--").replace("-", "_")] = value or True
    return asked
