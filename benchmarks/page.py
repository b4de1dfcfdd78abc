"""A page whose figures stand between two markers, by section, each with the day and the versions of its run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

BEGIN, END = "<!-- figures: written by benchmarks/compare.py -->\n", "<!-- end of figures -->\n"
OTHER_DAY = "This table is of another run: "


def write(path: Path, head: str, sections: Mapping[str, str], titles: Sequence[str]) -> None:
    """Put sections into a page, in the order of all titles; those not run again stay, and say of when they are.

    Where all were run, nothing else stays.
    """
    old_head, old = read(path.read_text().partition(BEGIN)[2].partition(END)[0])
    kept = {
        title: body if OTHER_DAY in body else f"{OTHER_DAY}{old_head}\n\n{body}"
        for title, body in old.items()
        if title not in sections and not set(titles) <= set(sections)
    }
    whole = {**kept, **sections}
    order = [*(title for title in titles if title in whole), *(title for title in whole if title not in titles)]
    figures = [head, *(f"### {title}\n\n{whole[title].strip()}\n" for title in order)]
    put(path, BEGIN, "\n" + "\n".join(figures) + "\n", END)


def put(path: Path, begin: str, lines: str, end: str) -> None:
    """Put lines between two markers of a page."""
    before, _, rest = path.read_text().partition(begin)
    path.write_text(before + begin + lines + end + rest.partition(end)[2])


def read(figures: str) -> tuple[str, dict[str, str]]:
    """What stands before the first section, and the sections by title."""
    head, *parts = f"\n{figures}".split("\n### ")
    sections = {}
    for part in parts:
        title, _, body = part.partition("\n")
        sections[title] = body.strip()
    return head.strip(), sections
