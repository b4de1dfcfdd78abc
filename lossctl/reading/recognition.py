"""What a file is: by its name, by how it begins, or as the reader says."""

import re
from collections import Counter

from lossctl.errors import DataError, option
from lossctl.reading.format import Format, Reading, formats, suffixes
from lossctl.reading.location import LOOK, SUFFIXES, Location
from lossctl.reading.look_alikes import encoding_hint, ensure_narrow, is_text, may_be_foreign

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
SEPARATORS = ("\t", ";", ",", "|")
"""What may separate the cells of text that does not say it, the least ambiguous first."""
QUOTED = r'"[^"]*"'
JSON = rb'(?:\xef\xbb\xbf|\s)*+(?:\[\s*+)?\{\s*+"(?:[^"\\]|\\.)*+"\s*+:'
"""How JSON begins, of which no cells of delimited text are made."""
ARRAY = rb"(?:\xef\xbb\xbf|\s)*\[\s*(?:[\[{\]]|$)"


def bare_name(path: str) -> str:
    """A path in lower case, without the query of a URL and the suffix of a compression."""
    name = path.partition("?")[0].lower()
    return name.removesuffix(next((suffix for suffix in (*SUFFIXES, ".zip") if name.endswith(suffix)), ""))


def format_of(location: Location, reading: Reading) -> Format:
    """The format of one file, by its suffix and its first bytes, or as the reader says.

    Of a ZIP archive with one member, that is what is read from now on.

    Raises:
        DataError: it is unreadable, or of no known format.
        UsageError: the format asked for does not exist.
    """
    forced = None if reading.format is None else formats.get(reading.format)
    if location.compression is None and location.head().startswith(ZIP):
        format_ = forced or format_by_suffix(location.path)
        if format_ is not None and not (format_.text or format_.magic):
            return format_  # such archives are its files
        _enter(location)
        if location.member is None:
            if forced is not None:
                hint = f"Say what it is: {option(format='npz')}."
                raise DataError(f"{location.title}: read as {forced.name}, but holds npz", hint)
            return formats.get("npz")
    if forced is None:
        return _recognised(location, reading)
    if forced.text or (forced.magic and not location.beginning().startswith(forced.magic)):
        head = location.beginning(LOOK)
        _refuse_foreign(location.title, head)
        _ensure_cells(location.title, head, forced)
    return forced


def format_by_suffix(path: str) -> Format | None:
    """The format that a name tells; ``None`` where it tells none."""
    name = bare_name(path)
    mention = mention_of(name[name.rfind(".") :])
    return formats.first(lambda candidate: name.endswith(candidate.suffixes), mention=mention)


def mention_of(suffix_or_magic: str | bytes) -> bytes:
    """How the module of a built-in format has one of its suffixes, or the first four bytes of its magic: as a pattern.

    To import what opens all the others takes longer than to read a short file.
    """
    if isinstance(suffix_or_magic, str):
        return b'"%b"' % re.escape(suffix_or_magic.encode(errors="replace"))
    return b'magic = .*b"%b' % re.escape(repr(suffix_or_magic[:4])[2:-1].encode())


def _enter(location: Location) -> None:
    """From now on read the one member of a ZIP archive; nothing where all are arrays of NumPy.

    Raises:
        DataError: it has several or none, or it is encrypted.
    """
    named = location.path.lower().endswith(".zip")
    members = location.members()
    arrays = all(member.name.endswith(".npy") for member in members)
    if members and arrays and not (named and len(members) == 1):
        return
    if len(members) != 1 or members[0].encrypted:
        from lossctl.reading.foreign import archive_refusal  # noqa: PLC0415  (few runs need it)

        raise archive_refusal(location.title, members)
    location.compression, location.member = "zip", members[0].name


def _recognised(location: Location, reading: Reading) -> Format:
    """The format of a file, by its suffix and first bytes; a `DataError` where they disagree or neither tells."""
    head = location.beginning()
    if not head:
        raise DataError(f"{location.title}: the file is empty")
    by_suffix = format_by_suffix(location.member or location.path)
    by_magic = formats.first(
        lambda candidate: bool(candidate.magic) and head.startswith(candidate.magic),
        built_in=by_suffix is not None,
        mention=mention_of(head),
    )
    if by_magic is not None and by_suffix is not None and by_magic is not by_suffix:
        hint = f"Rename it, or force the format: {option(format=by_magic.name)}."
        raise DataError(f"{location.title}: named {by_suffix.name} but holds {by_magic.name}", hint)
    format_ = by_magic or by_suffix
    if by_magic is not None or (format_ is not None and not (format_.text or format_.magic)):
        return by_magic or formats.get(by_suffix.name if by_suffix else "")
    head = location.beginning(LOOK)
    _refuse_foreign(location.title, head)
    if by_suffix is not None:
        _ensure_cells(location.title, head, by_suffix)
        return by_suffix
    from lossctl.reading.foreign import foreign_by_name  # noqa: PLC0415  (few runs need it)

    foreign = None if location.pipe else foreign_by_name(location.title, bare_name(location.member or location.path))
    if foreign is not None:
        raise foreign
    return _by_content(location, head, reading)


def _refuse_foreign(title: str, head: bytes) -> None:
    """Raise a `DataError` where the first bytes of a file are those of a kind that is not read."""
    if may_be_foreign(head):
        from lossctl.reading.foreign import refuse_foreign  # noqa: PLC0415  (few runs need it)

        refuse_foreign(title, head)


def _ensure_cells(title: str, head: bytes, format_: Format) -> None:
    """Raise a `DataError` where text that should be delimited is JSON."""
    if format_.text and not format_.typed and re.match(JSON, head):
        hint = f"Rename it, or say what it is: {option(format='json')}."
        raise DataError(f"{title}: read as {format_.name}, but holds JSON", hint)


def _by_content(location: Location, head: bytes, reading: Reading) -> Format:
    """The format of text whose name does not tell it; a `DataError` where its first lines do not tell it either."""
    from lossctl.reading.json_arrays import begins  # noqa: PLC0415  (few runs need it)

    if location.pipe and not head.strip():
        head = location.beginning(1 << 16)
    if begins(head) == b"{":
        return formats.get("jsonl")
    if re.match(ARRAY, head):
        return formats.get("json")
    if location.pipe or reading.delimiter is not None:
        return formats.get("csv")
    lines = _lines(location, head, reading)
    sign = separator_of(lines)
    if sign == ",":
        return formats.get("csv")
    if sign is None and _is_column(lines):
        return formats.get("csv")
    if sign is None:
        raise DataError(f"{location.title}: unknown format", _undecided(lines))
    if sign == "\t":
        return formats.get("tsv")
    from lossctl.reading.formats.delimited import separated_by  # noqa: PLC0415  (formats import what opens them)

    return separated_by(sign)


def _lines(location: Location, head: bytes, reading: Reading) -> list[str]:
    """The first whole lines of text; a `DataError` where it is none."""
    if reading.encoding is None:
        ensure_narrow(location.title, head)
    try:
        text = head.decode(reading.encoding or "utf-8-sig", "ignore" if reading.encoding else "strict")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 3:
            if not is_text(head):
                raise _no_text(location) from None
            raise DataError(f"{location.title}: unknown format, and not UTF-8 text", encoding_hint(head)) from None
        text = head[: error.start].decode("utf-8-sig")
    if "\0" in text:
        raise _no_text(location)
    lines = text.splitlines()[reading.skip_rows :]
    if len(head) == LOOK and len(lines) > 1:
        lines.pop()
    comment = reading.comment
    return [line for line in lines if line.strip() and not (comment and line.startswith(comment))]


def _no_text(location: Location) -> DataError:
    return DataError(f"{location.title}: of no known format, and no text", f"Known suffixes: {', '.join(suffixes())}.")


def separator_of(lines: list[str]) -> str | None:
    """What separates the cells of lines: what stands equally often in each; ``None`` where nothing does.

    >>> separator_of(["y;p", "1;0,5", "0;0,25"]), separator_of(["y p", "1 0.5"]), separator_of(["a,b", "c"])
    (';', ' ', None)
    """
    bare = [re.sub(QUOTED, "", line) for line in lines]
    spaced = [] if any("  " in line.strip(" ") for line in bare) else [" "]
    for sign in (*SEPARATORS, *spaced):
        counts = Counter(line.strip(" ").count(sign) for line in bare)
        if len(counts) == 1 and 0 not in counts:
            return sign
    return None


def _is_column(lines: list[str]) -> bool:
    """Whether lines are a single column of numbers or of words, as NumPy writes one, with or without a name above."""
    from lossctl.reading.inferred_types import is_number  # noqa: PLC0415  (few runs need it)

    if len(lines) < 2 or any(sign in line for line in lines for sign in SEPARATORS):
        return False
    return all(map(is_number, lines[1:])) or all(len(line.split()) == 1 for line in lines)


def _undecided(lines: list[str]) -> str:
    """What to try where nothing tells how cells are separated."""
    widths = {len(line.split()) for line in lines}
    if len(widths) == 1 and widths != {1}:
        return "Its columns seem to stand apart by several spaces: make one of them, with tr -s ' '."
    known = f"Known suffixes: {', '.join(suffixes())}."
    return (
        f"{known} Or force a format: {option(format='csv')}, and what separates its cells with {option('delimiter')}."
    )
