"""What becomes of the pages on their way to the site: hooks of MkDocs, which mkdocs.yml names.

A page is one file for the site, ``lossctl help`` and who reads the source. So what only a site can do is done here:
pages of the project that stand above this folder, links to files that are no pages, formulas, and what each public name
of the library is. A site that would fetch anything from elsewhere is not built.
"""

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
LOG = logging.getLogger("mkdocs.hooks.site_pages")
ABOVE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the project that stand above this folder, and what the site calls them."""
LIBRARY = "\n## Public names\n\n::: lossctl\n"
"""What the page on Python ends with: every public name by its docstring."""
COMMENT = re.compile(r"<!--.*?-->\n", re.DOTALL)
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<text>!?\[(?:[^]`]|`[^`]*`)+\])\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
FORMULA = re.compile(r"^(\*\*(?:Formula|Gradient|Derivative):\*\*) (.*)$", re.MULTILINE)
RAISED = re.compile(
    r"(?P<code>`+).+?(?P=code)|(?P<sign>[_^])(?:\((?P<round>[^()]*)\)|\{(?P<curly>[^{}]*)\}|(?P<word>−?(?:\|\w+\||[^\W_]+)))"
)
FOREIGN = re.compile(
    r"""<(?:link|script|img|iframe|source)\b[^>]*?(?:href|src)=["']?(?:https?:)?//|(?:url\(|@import\s)\s*["']?(?:https?:)?//"""
)
"""What a browser would fetch from another host."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages that stand above the folder."""
    for path, name in ABOVE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make of a page what the site shows."""
    source = next((path for path, name in ABOVE.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")
    page.meta.setdefault("hide", ["navigation"] if page.is_homepage else [])
    parts = FENCED.split(COMMENT.sub("\n", markdown))
    parts[::2] = [typeset(linked(part, source, files, config.repo_url)) for part in parts[::2]]
    return "".join(parts) + (LIBRARY if page.file.src_uri == "python.md" else "")


def linked(text: str, source: str, files: Files, repository: str | None) -> str:
    """A text of a source with its links as on the site; a file that is no page is in the repository, or no link."""

    def replaced(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["target"]))
        name = ABOVE.get(path, path.removeprefix("docs/"))
        if files.get_file_from_path(name) is not None:
            return f"{link['text']}({name}{link['anchor'] or ''})"
        if not (ROOT / path).exists():
            return link[0]  # an error, which MkDocs tells
        return f"{link['text']}({repository}/blob/main/{path})" if repository else link["text"][1:-1]

    return LINK.sub(replaced, text)


def typeset(text: str) -> str:
    """A text whose formulas have what is raised or lowered in them as such, and a style of their own."""
    return FORMULA.sub(lambda formula: f"{formula[1]} {raised(formula[2])}\n{{ .formula }}", text)


def raised(formula: str) -> str:
    """A formula as HTML: ``e^(−z_k)`` with the power raised and the index lowered; what is code stays as it is."""

    def set_off(part: re.Match[str]) -> str:
        if part["code"]:
            return part[0]
        tag = "sub" if part["sign"] == "_" else "sup"
        return f"<{tag}>{raised(part['round'] or part['curly'] or part['word'])}</{tag}>"

    return RAISED.sub(set_off, formula)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001  (by their names)
    """Warn, which is an error where the build is strict, of what a page would fetch from elsewhere.

    The theme has a dialog to search in that says to no screen reader what it is.
    """
    if foreign := FOREIGN.search(output):
        LOG.warning("%s fetches from elsewhere: %s", page.file.src_uri, foreign[0])
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"')


def on_post_build(config: MkDocsConfig) -> None:
    """Likewise, of style sheets."""
    for sheet in Path(config.site_dir).rglob("*.css"):
        if foreign := FOREIGN.search(sheet.read_text(encoding="utf-8")):
            LOG.warning("%s fetches from elsewhere: %s", sheet.name, foreign[0])
