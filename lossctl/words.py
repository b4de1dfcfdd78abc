"""Words for people: names that look alike, counts, percentages; and the door that all text for people passes."""

import difflib
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import accumulate, takewhile

LINE = 4000
"""How many signs of a line are shown to people."""
NAME = 200
"""How many signs of a name are shown where names stand below each other."""
MANY = 40
"""How many names are listed where none is near."""
MANY_DIGITS = 10**40
"""Integers from here on are shown by their size."""
ROOM_TO_SAY = 40
"""What it takes to say how many signs are left out."""
FILES = 3
"""How many files a title names."""
_ADDRESS = r"(?is)^([a-z][a-z0-9+.-]*://)(?:[^/?#]*@)?([^?#]*).*"
_UNSEEN = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
"""Signs that Python calls printable and that nobody sees: joiners, fillers, selectors of variants."""


def split(text: str | None) -> tuple[str, ...]:
    """The names in a comma list."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def called(name: str) -> str:
    """A column in the middle of a sentence."""
    return name if name.strip() else "the column without a name"


def in_quotes(name: str) -> str:
    """A column in quotes, and what that is where there is nothing in them."""
    return repr(name) if name.strip() else f"{name!r} ({called(name)})"


def normal(name: str) -> str:
    """The form in which names are compared: case, ``-``, ``_`` and spaces do not matter."""
    return name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")


def near(name: str, known: list[str], cutoff: float = 0.5) -> list[str]:
    """The three known names most like ``name``, or fewer: those one slip away in their order, then others, best first.

    Of long ones, only the beginning is looked at.
    """
    form = normal(name[:NAME])
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(normal(candidate[:NAME]), candidate)
    alike = difflib.get_close_matches(form, list(by_form), n=max(len(by_form), 1), cutoff=cutoff)
    slips = {other for other in alike if _one_slip(form, other)}
    best = [*(other for other in by_form if other in slips), *(other for other in alike if other not in slips)]
    best.sort(key=lambda other: other != form)
    return [by_form[other] for other in best[:3]]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts ``p_2`` before ``p_10``."""
    # Digits are compared by how many there are: a number may have more than Python makes an integer of.
    if name.isdecimal():  # as of many groups
        digits = name.lstrip("0")
        return ((0, len(digits), digits),)
    parts = (part.lstrip("0") if part.isdecimal() else part for part in re.split(r"(\d+)", name) if part)
    return tuple((0, len(part), part) if not part or part.isdecimal() else (1, 0, part) for part in parts)


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint naming the near ones, or all when none is near and they are few."""
    close = near(name, known)
    if close:
        return f"Did you mean {' or '.join(repr(word) if ' ' in word else word for word in close)}?"
    return f"Known: {', '.join(known)}." if 0 < len(known) <= MANY else ""


def percent(part: float, whole: float) -> str:
    """A share for people."""
    return f"{100 * part / whole:.3g} %"


def either(words: Sequence[str]) -> str:
    """A choice: ``a``, ``a or b``, ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def said(value: object) -> str:
    """What came instead of what was needed: a plain value as Python writes it, anything else by its type and shape.

    >>> said("x"), said({1: 2}), said(None)
    ("'x' (a str)", 'a dict', 'None')
    """
    kind = type(value).__name__
    shape, dtype = (getattr(value, name, None) for name in ("shape", "dtype"))
    if isinstance(shape, tuple) and dtype is not None and shape:
        return f"{kind} of shape {shape} and dtype {dtype}"
    if isinstance(value, int) and abs(value) >= MANY_DIGITS:
        return f"an integer of {value.bit_length():,} bits"
    if value is None or isinstance(value, int | float):
        return str(value)
    if isinstance(value, str | bytes):
        return f"{value[:NAME]!r} (a {kind})"
    return f"a {kind}"


def titled(what: str, files: Sequence[str]) -> str:
    """What something is, and of which files, as far as there are few; of an address what lets nobody in.

    >>> titled("losses", ["a.csv", "https://me:secret@example.org/b.csv?key=1"])
    'losses of a.csv, https://example.org/b.csv'
    """
    named = [re.sub(_ADDRESS, r"\1\2", "stdin" if file == "-" else file) for file in files[:FILES]]
    more = f", … ({len(files):,} files)" if len(files) > FILES else ""
    return f"{what} of {', '.join(named)}{more}" if named else what


def counted(n: int, word: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def figures(value: float, digits: int = 4) -> str:
    """A number in some digits, and in as many as it has before its point.

    >>> figures(1593230.0), figures(-34900.4), figures(0.123456), figures(12.0), figures(2e20)
    ('1,593,230', '-34,900', '0.1235', '12', '2e+20')
    """
    return f"{value:,.0f}" if 10**digits <= abs(value) < 1e15 else f"{value:.{digits}g}"


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


def free(name: str, taken: Container[str], prefix: str = "", suffix: str = "") -> str:
    """The name, with a prefix or suffix as often as it takes to be none of those that are taken."""
    while name in taken:
        name = prefix + name + suffix
    return name


def encodable(text: str) -> str:
    r"""Text, which may be the name of a file, with bytes that are not UTF-8 escaped: ``\udcff`` for the byte 255."""
    return text.encode(errors="backslashreplace").decode()


def quoted(cell: str, delimiter: str) -> str:
    """A cell of delimited text, in quotes where a reader would stumble over it: a lone carriage return ends lines."""
    if not any(sign in cell for sign in (delimiter, '"', "\r", "\n", "\ufeff")):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def gathered(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A line for each of what is said, with the first of what it is said of and how many others there are.

    >>> list(gathered([("a", "is odd"), ("b", "is odd"), ("b", "is late")]))
    ['a and 1 other: is odd', 'b: is late']
    """
    subjects: dict[str, dict[str, None]] = {}
    for subject, what in pairs:
        subjects.setdefault(what, {})[subject] = None
    for what, (first, *others) in subjects.items():
        more = f" and {counted(len(others), 'other')}" if others else ""
        yield f"{first}{more}: {what}"


def printable(text: str, most: int = LINE) -> str:
    r"""Text from anywhere as it may be shown: the door to every terminal, and to all text for people.

    It cannot command a terminal, break a line, turn the direction of writing or hide a sign: such signs are escaped.
    Where it is longer than ``most`` signs, its middle is left out, which is said. What is printable stays as it is.

    >>> printable("a\x1b[31m")
    'a\\x1b[31m'
    """
    if len(text) <= most:
        if text.isprintable() and (text.isascii() or re.search(_UNSEEN, text) is None):
            return text
        shown = "".join(map(_visible, text))
        if len(shown) <= most:
            return shown
    room = (most - ROOM_TO_SAY) // 3
    head, tail = _fitting(text[: 2 * room], 2 * room), _fitting(text[: -room - 1 : -1], room)[::-1]
    left_out = len(text) - len(head) - len(tail)
    return f"{''.join(head)} … {left_out:,} characters left out … {''.join(tail)}"


def all_printable(texts: Sequence[str], most: int = LINE) -> Sequence[str]:
    """What `printable` makes of each; they are looked at all at once, since hardly any is changed."""
    whole = "".join(texts)
    plain = whole.isprintable() and (whole.isascii() or re.search(_UNSEEN, whole) is None)
    if plain and max(map(len, texts), default=0) <= most:
        return texts
    return [printable(text, most) for text in texts]


def shortened(text: str, most: int) -> str:
    """Printable text of at most so many signs: names that differ at their ends do so without their middle.

    >>> shortened("gradient_boosted_v1", 12), shortened("short", 12)
    ('gradie…ed_v1', 'short')
    """
    if len(text) <= most:
        return text
    tail = max(most - 1, 0) // 2
    return text[: max(most - 1 - tail, 0)] + "…" + text[len(text) - tail :]


def shell_word(word: str) -> str:
    """A word as a shell takes it; what cannot be shown is escaped, so that it cannot command the terminal."""
    if printable(word, len(word)) == word:
        import shlex  # noqa: PLC0415  (few runs need it)

        return shlex.quote(word)
    plain = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{''.join(sign if _visible(sign) == sign else _bytes(sign) for sign in plain)}'"


def _one_slip(one: str, other: str) -> bool:
    """Whether one sign is wrong, missing or too many, or two have changed places; or nothing is."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    left, right = one[same:], other[same:]
    swapped = right[1:2] + right[:1] + right[2:]
    return left[1:] in {right, right[1:]} or left in {right[1:], swapped}


def _visible(sign: str) -> str:
    shown = sign.isprintable() and re.match(_UNSEEN, sign) is None
    return sign if shown else sign.encode("unicode_escape").decode("ascii")


def _bytes(sign: str) -> str:
    """The bytes of a sign, in octal, which every shell reads alike; of half a file name's sign, the byte it was."""
    errors = "surrogateescape" if "\udc80" <= sign <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", errors))


def _fitting(text: str, room: int) -> list[str]:
    """The first signs, visible, as many as there is room for."""
    signs = list(map(_visible, text))
    ends = accumulate(map(len, signs))
    return [sign for sign, end in zip(signs, ends, strict=True) if end <= room]
