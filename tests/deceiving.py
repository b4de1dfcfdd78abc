"""Names that would command a terminal, forge a line or hide what they are, and what must not be seen of them."""

import unicodedata

_IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point of Unicode 15 (DerivedCoreProperties.txt): what is not shown where it is not known."""
BLANK = {"\u2800", *(chr(code) for first, last in _IGNORABLE for code in range(first, last + 1))}
"""And the Braille pattern without dots."""
EVIL = "\x1b]0;PWN\x07\x1b[31m\r\nerror: forged\x9b2J\x85\u2028\u202e\u2066\u200b\u200e\u061c\u3164\ufe0f\x7f\t\x08"
"""What a file, a column, a group, a class or a key may be called."""
FORGED = "\nerror: forged"
EVERY = "".join(chr(plane << 16 | code) for plane in (0, 1, 14) for code in range(1 << 16))
"""Every sign of the planes that hold signs other than ideographs and private ones."""


def unseen(sign):
    """Whether a sign is none that people see as itself."""
    kind = unicodedata.category(sign)
    return kind[0] == "C" or kind in {"Zl", "Zp"} or (kind == "Zs" and sign != " ") or sign in BLANK


def leaked(text):
    """The signs of a text of several lines that must not reach people."""
    return {sign for sign in set(text) - {"\n"} if unseen(sign)}
