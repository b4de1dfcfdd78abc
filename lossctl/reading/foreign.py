"""Kinds of files that are not read, by how they begin: each is named for what it is, with what to do about it."""

import re
from collections.abc import Sequence

from lossctl.dataclass import dataclass
from lossctl.errors import DataError, option
from lossctl.reading.archives import Member
from lossctl.reading.look_alikes import is_text, may_be_foreign

AS_TABLE = "Write it again as CSV or Parquet, with the program or library that made it."
EXCEL = "Save the sheet as CSV: in Excel, File > Save As > CSV UTF-8; or pandas, read_excel(…).to_csv(…)."
UNPACK = "Unpack it, and name the file in it."
ARRAYS = "Save predictions and labels rather than the model: as CSV, Parquet or .npz."
PICKLE = "Reading one may run anything, so it is never done: write the table as Parquet or CSV where it was made."


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    name: str
    beginning: str
    """A regular expression of how such files begin, a byte a sign."""
    hint: str
    binary: bool = False
    """Whether text may begin so too; then something has to follow that no text holds."""


KINDS = (
    Kind("a Git LFS pointer, not the file it stands for", r"version https://git-lfs\.github\.com/", "git lfs pull"),
    Kind(
        "an HTML page",
        r"(?i:\s*(?:<!--.{0,400}?-->\s*)?<(?:!doctype\s+html|html|head|body|script|meta)\b)",
        "Perhaps a page that asks to log in, or an error, in place of the file: open the address in a browser.",
    ),
    Kind(
        "an XML document",
        r"\s*<(?:\?xml|Error>)",
        "From a store it is often an error in place of the file; else write its rows as CSV.",
    ),
    Kind("a PDF document", r"%PDF-", "Ask for the numbers themselves, as CSV."),
    Kind("an RTF document", r"\{\\rtf", "Save it as plain text."),
    Kind("PostScript", r"%!PS-", "Ask for the numbers themselves, as CSV."),
    Kind("Feather of version 1", r"FEA1", "Write it again as version 2, or as Parquet."),
    Kind("an old Office document, such as an Excel workbook (.xls)", r"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", EXCEL),
    Kind(
        "an Excel workbook of the oldest kind (.xls)",
        r"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00",
        EXCEL,
        binary=True,
    ),
    Kind("HDF5", r"\x89HDF\r\n\x1a\n", "Write a table of it as Parquet: pandas, read_hdf(…).to_parquet(…)."),
    Kind("NetCDF", r"CDF[\x01\x02\x05]", AS_TABLE),
    Kind(
        "an SQLite database",
        r"SQLite format 3\x00",
        "Write a query as CSV: sqlite3 -csv -header FILE 'select …' > rows.csv",
    ),
    Kind("a DuckDB database", r".{8}DUCK", "Write a query as a file: copy (select …) to 'rows.parquet'."),
    Kind("a PyTorch file", r"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", ARRAYS),
    Kind("a Python pickle", r"\x80[\x01-\x05]", PICKLE),
    Kind("Avro", r"Obj\x01", AS_TABLE),
    Kind("ORC", r"ORC", "Write it again as Parquet: pandas, read_orc(…).to_parquet(…).", binary=True),
    Kind("Parquet whose footer is encrypted", r"PARE", "Decrypt it where the key is.", binary=True),
    Kind("safetensors", r".{5}\x00{3}\{\s*\"", ARRAYS),
    Kind("GGUF, a model", r"GGUF", ARRAYS, binary=True),
    Kind("a MATLAB file", r"MATLAB [5-7]\.[0-9] MAT-file", AS_TABLE),
    Kind("an SPSS file", r"\$FL[23]@\(#\)", AS_TABLE),
    Kind("a Stata file", r"<stata_dta>|[\x6c-\x77][\x01\x02]\x01\x00", AS_TABLE),
    Kind("a SAS file", r"\x00{12}\xc2\xea\x81\x60|HEADER RECORD\*{7}LIBRARY HEADER", AS_TABLE),
    Kind(
        "R data",
        r"RD[AX][23]\n|[XAB]\n\x00\x00\x00[\x02\x03]\x00",
        "Write it as CSV: write.csv(…, row.names = FALSE); or as Parquet, with the package arrow.",
    ),
    Kind("a tar archive", r".{257}ustar", UNPACK),
    Kind("a 7z archive", r"7z\xbc\xaf\x27\x1c", UNPACK),
    Kind("a RAR archive", r"Rar!\x1a\x07", UNPACK),
    Kind("a Unix archive", r"!<arch>\n", UNPACK),
    Kind("a ZIP archive in another file", r"PK\x03\x04|PK\x05\x06", UNPACK),
    Kind(
        "compressed twice, or in a way that is not read",
        r"\x1f[\x8b\x9d]|BZh[1-9]1AY&SY|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|\xfd7zXZ\x00|\xff\x06\x00\x00sNaPpY",
        "Decompress the file first.",
    ),
    Kind("LZMA of the old kind", r"\x5d\x00\x00[\x01-\x80]\x00", "Decompress it: xz -d", binary=True),
    Kind(
        "an image",
        r"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|BM.{4}\x00{4}|II\*\x00|MM\x00\*|.{4}ftyp(?:avif|heic)",
        "Name the file with the numbers.",
    ),
    Kind(
        "sound or video", r"RIFF.{4}(?:WAVE|AVI )|OggS|fLaC|ID3[\x02-\x04]|.{4}ftyp|\x1aE\xdf\xa3", "Name another file."
    ),
    Kind("a program", r"\x7fELF|MZ|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", "Name the file with the numbers.", binary=True),
)
"""The first that fits is."""

SUFFIXED = {
    (".pkl", ".pickle", ".joblib"): ("Python pickles", PICKLE),
    (".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".h5", ".keras"): ("models or tensors", ARRAYS),
    (".tfrecord", ".tfrecords"): ("TFRecord", AS_TABLE),
    (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers"): ("spreadsheets", EXCEL),
    (".sas7bdat", ".xpt", ".dta", ".sav", ".rds", ".rda", ".rdata", ".mat"): ("data of statistics programs", AS_TABLE),
    (".avro", ".orc", ".sqlite", ".db", ".duckdb", ".pb"): ("data of other programs", AS_TABLE),
    (".yaml", ".yml", ".toml", ".ini", ".md", ".py", ".ipynb", ".log"): (
        "no data files",
        "Name the file with the numbers.",
    ),
}
"""What files are called so that do not begin in a way of their own, and what to do about it."""

INSIDE = (
    ("an Excel workbook", r"xl/workbook\.(?:xml|bin)", EXCEL),
    ("an OpenDocument file", r"META-INF/manifest\.xml", EXCEL),
    ("an Apple Numbers document", r"Index/.*\.iwa", EXCEL),
    ("a Word document", r"word/document\.xml", "Ask for the numbers themselves, as CSV."),
    ("a PowerPoint document", r"ppt/presentation\.xml", "Ask for the numbers themselves, as CSV."),
    ("a PyTorch file", r"(?:[^/]*/)?data\.pkl", ARRAYS),
    ("a Keras model", r"model\.weights\.h5", ARRAYS),
    ("a Java archive", r"META-INF/MANIFEST\.MF", "Name the file with the numbers."),
)
"""What a ZIP archive is, by the name of one of its members."""
SHOWN = 4


def foreign_kind(head: bytes) -> Kind | None:
    """What a file is that is not read, by its first bytes; ``None`` where nothing tells."""
    if not may_be_foreign(head):
        return None
    binary = not is_text(head)
    signs = head.decode("latin-1")
    return next(
        (kind for kind in KINDS if (binary or not kind.binary) and re.match(kind.beginning, signs, re.DOTALL)), None
    )


def refuse_foreign(title: str, head: bytes) -> None:
    """Raise a `DataError` where the first bytes of a file are those of a kind that is not read."""
    kind = foreign_kind(head)
    if kind is not None:
        raise DataError(f"{title}: {kind.name}, which is not read", kind.hint)


def foreign_by_name(title: str, name: str) -> DataError | None:
    """The error for a file whose name says that it is of a kind that is not read; ``None`` where it does not."""
    known = next((pair for pair in SUFFIXED.items() if name.endswith(pair[0])), None)
    if known is None:
        return None
    suffixes, (what, hint) = known
    suffix = next(suffix for suffix in suffixes if name.endswith(suffix))
    named = f"If it is a table all the same, name its format, such as {option(format='csv')}."
    return DataError(f"{title}: not read, as files with the suffix {suffix} are {what}", f"{hint} {named}")


def archive_refusal(title: str, members: Sequence[Member]) -> DataError:
    """The error for a ZIP archive that is not one file of a known format: what it is, by its members."""
    for what, pattern, hint in INSIDE:
        if any(re.fullmatch(pattern, member.name) for member in members):
            return DataError(f"{title}: {what}, which is not read", hint)
    if not members:
        return DataError(f"{title}: a ZIP archive that holds no file")
    if len(members) == 1:
        return DataError(f"{title}: a ZIP archive whose file {members[0].name!r} is encrypted", "Unpack it first.")
    names = ", ".join(repr(member.name) for member in members[:SHOWN])
    more = f" and {len(members) - SHOWN:,} more" if len(members) > SHOWN else ""
    return DataError(
        f"{title}: a ZIP archive with {len(members):,} members: {names}{more}",
        "One is read where it stands alone: unpack the archive, and name the files that belong together.",
    )
