"""How bash, zsh and fish ask what a word may become, and how they are answered.

Each script hands over the line and draws what it gets: a first line that says what else to do (``files``: names of
files too; ``nospace``: the word goes on), then a line for each word. Names of files are the shell's own business.
"""

import re
from collections.abc import Callable
from typing import Final

from lossctl.dataclass import dataclass
from lossctl.words import printable


@dataclass(frozen=True)
class Line:
    """A command line with a cursor."""

    before: tuple[str, ...]
    """The words before that under the cursor, without the program, as the program would get them."""
    current: str
    """The word under the cursor, up to it."""
    after: tuple[str, ...] = ()
    kept: str = ""
    """What of the current word the shell keeps, as it is typed: bash replaces what follows a ``:`` or ``=`` alone."""
    quote: str = ""
    """The quote that is open at the cursor."""


@dataclass(frozen=True)
class Offer:
    """What a word may become."""

    items: tuple[tuple[str, str], ...]
    """Whole words, and what each is."""
    files: bool = False
    """Whether it may be the name of a file."""

    @property
    def typeable(self) -> list[tuple[str, str]]:
        """The words that can be drawn and typed on one line, with one line about each."""
        drawable = ((text, " ".join(about.split())) for text, about in self.items if text and printable(text) == text)
        return [(text, about) for text, about in drawable if not re.search(r"[\n\t]", text)]

    @property
    def directives(self) -> str:
        """What a shell is to do besides."""
        goes_on = self.items and all(text.endswith(("=", ":")) for text, _ in self.items)
        return " ".join([*(["files"] if self.files else []), *(["nospace"] if goes_on else [])])


@dataclass(frozen=True)
class Typed:
    """A word as it is typed."""

    raw: str
    text: str
    """As a program gets it."""
    quote: str = ""
    """The quote that is open at its end."""


def typed(line: str) -> list[Typed]:
    """The words of a line; the last is empty where the line ends between words."""
    words, raw, text, quote, place = [], "", "", "", 0
    while place < len(line):
        sign, after = line[place], line[place + 1 : place + 2]
        place += 1
        if not quote and sign.isspace():
            words += [Typed(raw, text)] if raw else []
            raw, text = "", ""
            continue
        raw += sign
        if sign == "\\" and after and (not quote or (quote == '"' and after in '"\\$`')):
            raw, text, place = raw + after, text + after, place + 1
        elif sign == quote:
            quote = ""
        elif not quote and sign in "'\"":
            quote = sign
        else:
            text += sign
    return [*words, Typed(raw, text, quote)]


def _of_bash(arguments: list[str]) -> Line:
    """The line up to the cursor, what of it bash replaces, the rest."""
    line, replaced, rest = arguments
    _, *before, current = typed(line)
    kept = current.raw.removesuffix(replaced)
    behind = [word.text for word in typed(rest)] if rest[:1].isspace() else [word.text for word in typed(rest)][1:]
    words = tuple(word.text for word in before)
    return Line(words, current.text, tuple(filter(None, behind)), kept, current.quote)


def _of_zsh(arguments: list[str]) -> Line:
    """The number of the current word, what of it is before the cursor, and all words."""
    number, current, *words = arguments
    return Line(tuple(words[1 : int(number) - 1]), current, tuple(words[int(number) :]))


def _of_fish(arguments: list[str]) -> Line:
    """How many words are before the current one, what of that is before the cursor, and all words."""
    number, current, *words = arguments
    last = typed(current)[-1] if current else Typed("", "")
    return Line(tuple(words[1 : int(number)]), last.text, tuple(words[int(number) + bool(current) :]))


def _for_bash(line: Line, offer: Offer) -> str:
    """Words quoted as the current one is; bash does not see what they mean."""
    kept = typed(line.kept)[-1].text if line.kept else ""
    words = [_quoted(text[len(kept) :], line.quote) for text, _ in offer.typeable]
    return "\n".join([offer.directives, *words]) + "\n"


def _quoted(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("'", "'\\''")
    signs = r'(["\\$`])' if quote else r"([^\w@%+=:,./-])"
    return re.sub(signs, r"\\\1", text)


def _with_words(_: Line, offer: Offer) -> str:
    """Words and what they are."""
    return "\n".join([offer.directives, *("\t".join(item) for item in offer.typeable)]) + "\n"


SHELLS: Final[dict[str, tuple[Callable[[list[str]], Line], Callable[[Line, Offer], str]]]] = {
    "bash": (_of_bash, _for_bash),
    "zsh": (_of_zsh, _with_words),
    "fish": (_of_fish, _with_words),
}
"""By name: how to read what a shell asks, and how to write the answer."""

BASH = r"""
_lossctl_completion() {
    local line directives
    COMPREPLY=()
    {
        IFS= read -r directives
        while IFS= read -r line; do COMPREPLY+=("$line"); done
    } < <(
        _LOSSCTL_COMPLETE=bash "$1" "${COMP_LINE:0:COMP_POINT}" "$2" "${COMP_LINE:COMP_POINT}" 2>/dev/null </dev/null
    )
    [[ $directives == *nospace* ]] && compopt -o nospace
    [[ $directives == *files* ]] && compopt -o default
    return 0
}
complete -o nosort -F _lossctl_completion lossctl
"""

ZSH = r"""
#compdef lossctl

_lossctl_completion() {
    local -a answer values shown ending
    local line status_=1
    answer=("${(@f)$(
        _LOSSCTL_COMPLETE=zsh ${~words[1]} "$CURRENT" "${(Q)PREFIX}" "${(@Q)words}" 2>/dev/null </dev/null
    )}")
    [[ $answer[1] == *nospace* ]] && ending=(-S '')
    for line in "${(@)answer[2,-1]}"; do
        [[ -n $line ]] || continue
        values+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  }")
    done
    (( $#values )) && compadd -l "${ending[@]}" -V lossctl -d shown -a -- values && status_=0
    if [[ $answer[1] == *files* ]]; then
        [[ $PREFIX == --*=* ]] && compset -P 1 '*='
        _files && status_=0
    fi
    return status_
}

if [[ $funcstack[1] == _lossctl ]]; then
    _lossctl_completion "$@"
else
    compdef _lossctl_completion lossctl
fi
"""

FISH = r"""
function __lossctl_ask
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -lx _LOSSCTL_COMPLETE fish
    set -g __lossctl_line (commandline | string collect)
    set -g __lossctl_answer (command $before[1] (count $before) "$current" (commandline -op) 2>/dev/null </dev/null)
end
function __lossctl_wants_files
    __lossctl_ask
    string match -q '*files*' -- "$__lossctl_answer[1]"
end
function __lossctl_complete
    test "$__lossctl_line" = (commandline | string collect); or __lossctl_ask
    printf '%s\n' $__lossctl_answer[2..-1]
    set -g __lossctl_line
end
complete --command lossctl --no-files --keep-order --arguments '(__lossctl_complete)'
complete --command lossctl --condition __lossctl_wants_files --force-files
"""

SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""What each of them is to run when it starts."""
