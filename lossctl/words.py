"""Words for people: names that look alike, counts, percentages, text that can be printed."""

import difflib
import re


def split(text: str | None) -> tuple[str, ...]:
    """The names in a comma list."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def normal(name: str) -> str:
    """The form in which names are compared: case, ``-``, ``_`` and spaces do not matter."""
    return name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")


def near(name: str, known: list[str], most: int = 3, cutoff: float = 0.5) -> list[str]:
    """The known names that look most like ``name``, best first."""
    by_form = {normal(candidate): candidate for candidate in reversed(known)}
    forms = difflib.get_close_matches(normal(name), list(by_form), n=most, cutoff=cutoff)
    return [by_form[form] for form in forms]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts ``p_2`` before ``p_10``."""
    # Digits are compared by how many there are: a number may have more than Python makes an integer of.
    parts = (part.lstrip("0") if part.isdecimal() else part for part in re.split(r"(\d+)", name) if part)
    return tuple((0, len(part), part) if not part or part.isdecimal() else (1, 0, part) for part in parts)


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint naming the near ones, or all when none is near and they are few."""
    close = near(name, known)
    if close:
        return f"Did you mean {' or '.join(repr(word) if ' ' in word else word for word in close)}?"
    return f"Known: {', '.join(known)}." if 0 < len(known) <= 40 else ""


def percent(part: float, whole: float) -> str:
    """A share for people."""
    return f"{100 * part / whole:.3g} %"


def counted(n: int, word: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def printable(text: str) -> str:
    """Text, which may come from a file, with what could command a terminal or break a line escaped."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def in_bytes(n: int) -> str:
    """A size: ``256 MiB``, or ``1,000 bytes`` where it is no whole number of a unit."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if n and n % (1 << power) == 0:
            return f"{n >> power:,} {unit}"
    return counted(n, "byte")


def size_of(text: str) -> int | None:
    """How many bytes a size means, such as ``512M``, ``512 MiB`` or ``1000``; ``None`` where it is none."""
    size = re.fullmatch(r"(\d{1,18}) ?(?:([KMG])?(?:I?B)?|BYTES?)", text.strip().upper(), re.ASCII)
    return int(size[1]) << {None: 0, "K": 10, "M": 20, "G": 30}[size[2]] if size else None
