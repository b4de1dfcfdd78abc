"""What a text may be that stands where a number is wanted, and what to do about it."""

import re
from collections.abc import Sequence

from lossctl.errors import DataError, option
from lossctl.reading.cells import BadRow, shown

CURRENCY = r"(?:[$€£¥₹₽₩¢]|(?:USD|EUR|GBP|CHF|JPY|CNY)\b)"
COMMA = rf"say {option(decimal=',')}"
NUMBER = r"(?i)[-+]?(?:\d+\.?\d*|\.\d+|inf|infinity)(?:e[-+]?\d+)?"
TRUTH = f"Write truths as 1 and 0; labels that are names need {option(classes='no,yes')}."
LOOKS: tuple[tuple[str, str], ...] = (
    (r"\(\s*[-+]?[\d.,]+\s*\)", "Parentheses are no minus here: write (1) as -1."),
    (r".*[\[(].*\.\.\..*[\])].*", "NumPy shortened the list: write it whole, as a list of numbers or a column each."),
    (
        r"\[[^\[\]]*\d,\d[^\[\]]*\]",
        f"For a list with decimal commas {COMMA}; else write it as [0.9, 0.1], or a column each.",
    ),
    (r"(?:\w+\()?[\[(].*[\])]\)?", "A list in a cell is read where all are, as [0.9, 0.1]; else write a column each."),
    (r"(?:\w+)?\{.*\}", "Braces are not read: write a list as [0.9, 0.1], or a column each."),
    (
        r"[-+]?(?=[\d.]*[\d])[\d.]+(?:\s*[|;/]\s*[-+]?[\d.]+){2,}|[-+]?[\d.]+\s*[|;]\s*[-+]?[\d.]+",
        "Several numbers in a cell stand in brackets, as [0.9, 0.1]; else write a column each.",
    ),
    (r"[-+]?[\d.,]+\s*[%‰]", "A percentage is no number here: write 90% as 0.9."),
    (
        rf"[-+]?\s*{CURRENCY}\s*[-+]?[\d.,' ]+|[-+]?[\d.,' ]+\s*{CURRENCY}",
        "Leave out the sign of the currency: a number is digits alone.",
    ),
    (
        r"[-+]?\d{1,3}(?:\.\d{3})+,\d*",
        f"For a decimal comma and points between thousands {COMMA} {option(thousands='.')}.",
    ),
    (
        r"[-+]?\d{1,3}(?:\.\d{3}){2,}",
        f"For points between thousands {COMMA} {option(thousands='.')}.",
    ),
    (
        r"[-+]?[1-9]\d{0,2},\d{3}",
        f"For a thousands separator say {option(thousands=',')}; for a decimal comma {COMMA}.",
    ),
    (r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", f"For a thousands separator say {option(thousands=',')}."),
    (
        r"[-+]?\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d*)?",
        "Leave out the commas: groups of three digits are read.",
    ),
    (r"[-+]?\d{1,3}(?:[ \u00a0\u202f'’_]\d{3})+,\d*", f"For a decimal comma {COMMA}, and {{thousands}} as well."),
    (r"[-+]?\d{1,3}(?:[ \u00a0\u202f'’_]\d{3})+(?:\.\d*)?", "For a thousands separator say {thousands}."),
    (r"[-+]?(?:\d*,\d+|\d+,)(?:[eE][-+]?\d+)?", f"For a decimal comma {COMMA}."),
    (r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?", f"The decimal mark is a comma, as {option('decimal')} says: this is a point."),
    (
        r"\d{4}[-/.]\d\d?[-/.]\d\d?.*|\d\d?[-/.]\d\d?[-/.]\d{4}.*|\d\d?:\d\d(?::\d\d)?.*",
        "A date or time is no number: write it as one, such as days or seconds since a day of your choice.",
    ),
    (r"[-+]?\d+/\d+", "Write a fraction as a decimal number, such as 0.5."),
    (r"[\u2212\u2012\u2013\u2014\ufe63\uff0d]\s*[\d.,]+(?:[eE]\S+)?", "Write the minus as -, the hyphen."),
    (r"[-+]?[\d.,]+\s*[-+]", "Write the sign in front of the number."),
    (r"[-+]?[\d.]+[dD][-+]?\d+", "Write the exponent with an e, as 1e-5."),
    (r"[-+]?\u221e", "Write infinity as inf."),
    (r"=.*", "A formula: save its values instead."),
    (r"'.*'", f"If cells stand in single quotes, say {option(quote=chr(39))}."),
    (r'".*"', "A quote opens a cell only at its beginning: leave out what stands before it."),
    (r"0[xX][0-9a-fA-F]+|[01]+b", "Write it with decimal digits."),
    (r"(?i:true|false|yes|no|[tfyn])", TRUTH),
    (
        r"\W*|(?i:n\.?/?a\.?|nil|none|null|nan|missing|unknown|undefined|not available|#[\w/]+[!?]?|\\n|<\w+>)",
        f"If it means a missing number, say so with {option('null_values')}.",
    ),
    (r"#\s.*", f"If that line is a comment, say {option(comment='#')}."),
)
"""How a text looks, and what is said of it; the first that fits is."""
TEXT = bytes([*b"\t\r\n\f", *range(32, 256)])
"""What text consists of, in whatever encoding that has a byte a sign."""
MARKED = (b"<", b"%PDF", b"%!PS", b"{\\rtf", b"version https://git-lfs", b"HEADER RECORD*", b"!<arch>")
"""How text begins that may be of a kind that is not read."""
FOREIGN = rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*"
"""A word with letters past ASCII."""
WORD = (
    f"If it means a missing number, say so with {option('null_values')}. "
    f"Only labels may be names of classes, with {option('classes')}."
)


def hint_for(text: str, column: str = "") -> str:
    """What to do about a text where a number is wanted, by what it looks like; in a column of that name, if any."""
    stripped = text.strip()
    if column and stripped == column.strip():
        return "A second header: leave that line out, or give files that were written after each other one by one."
    if stripped != text.strip(" \t\r\n") and re.fullmatch(NUMBER, stripped):
        return "Leave out what stands around the number: it is no plain space."
    for pattern, hint in LOOKS:
        if re.fullmatch(pattern, stripped, re.DOTALL):
            sign = next((sign for sign in stripped if not (sign.isalnum() or sign in "+-.,")), "")
            sign = " " if sign.isspace() else "'" if sign == "\u2019" else sign
            return hint.replace("{thousands}", option(thousands=sign))
    if re.fullmatch(r"[-+]?\d[\d.,]*\s*[^\W\d]+", stripped):
        return "Leave out the unit: a number is digits alone."
    return WORD


def ragged_hint(line: str, delimiter: str, more: int) -> str:
    """What to do about a row of other cells than the header, by how it looks; ``more`` is how many it has too many."""
    sign = line.lstrip()[:1]
    if sign in {"#", "%"}:
        return f"If that line is a comment, say {option(comment=sign)}."
    if more == 1 and line.rstrip().endswith(delimiter):
        return f"Leave out the {delimiter!r} at the ends of the rows, or write one behind the header."
    if more > 0 and re.search(r"[\[(][^\])]*" + re.escape(delimiter), line):
        return "A list in a cell that holds the separator stands in double quotes."
    if more > 0 and re.search(rf"(?:^|{re.escape(delimiter)})\s*'[^']*{re.escape(delimiter)}[^']*'", line):
        return f"If cells stand in single quotes, say {option(quote=chr(39))}."
    return "Mend the row; a field that holds the separator stands in double quotes."


def not_a_number(row: int, column: str, text: str) -> BadRow:
    """The error for a cell that should be a number, with what it may be instead."""
    return BadRow(row, f"column {column!r} holds {shown(text)}, which is not a number", hint_for(text, column))


def is_name(text: str) -> bool:
    """Whether a text looks like nothing but a word, which may be the name of a class."""
    return re.fullmatch(NUMBER, text.strip()) is None and hint_for(text) in {WORD, TRUTH}


def naming_hint(words: Sequence[str]) -> str:
    """What to do about labels that are names where codes or numbers are wanted.

    Args:
        words: different labels, in any order.
    """
    listed = 1 < len(words) <= 12 and not any("," in word or not word.strip() for word in words)
    names = ",".join(sorted(words)) if listed else "no,yes"
    return f"If these are the names of the classes, say so, in the order of their codes: {option(classes=names)}."


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file hold none that no text does."""
    return not head[:512].translate(None, TEXT)


def may_be_foreign(head: bytes) -> bool:
    """Whether a file may be of a kind that is not read, by its first bytes: nearly no text is."""
    return not is_text(head) or head.lstrip().startswith(MARKED)


def ensure_narrow(title: str, head: bytes) -> None:
    """Check that the signs of a text have no two bytes or four; a `DataError` that says its encoding where they do."""
    wide = _wide_encoding(head)
    if wide is not None:
        called = wide.upper()
        raise DataError(f"{title}: the text is {called}", f"Convert it to UTF-8, or say {option(encoding=wide)}.")


def _wide_encoding(head: bytes) -> str | None:
    """The encoding of a text whose signs have two bytes or four, by its mark or where its zeros are."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first = head[:64]
    for name, zeros in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(first) > 3 and not any(first[zeros::2]) and all(first[1 - zeros :: 2]):
            return name
    return None


def not_utf8(title: str, text: bytes) -> DataError:
    """The error for text that is not UTF-8: what it may be, by its bytes."""
    if any(byte < 32 and byte not in b"\t\r\n\f" for byte in text):
        return DataError(f"{title}: not UTF-8 text", f"Is it another format under the name of {title}?")
    return DataError(f"{title}: not UTF-8 text", encoding_hint(text))


def encoding_hint(text: bytes) -> str:
    """What to say of bytes that are not UTF-8: which encoding they may have, and how the first of them reads in it."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        text = text[max(error.start - 16, 0) : error.start + 16]
    word = next(iter(re.findall(FOREIGN, text)), b"")
    name, called = ("cp1252", "Windows-1252") if re.search(rb"[\x80-\x9f]", word) else ("latin-1", "Latin-1")
    shown = word.decode(name, "replace")
    return f"It may be {called}, where it reads {shown!r}: then say {option(encoding=name)}; else convert it to UTF-8."
