"""What is asked of rows: comparisons of columns, joined by and, or and not, read by a small parser of their own.

::

    condition   either ("or" either)*                      or, and, not, in, is, null in any case
    either      part ("and" part)*
    part        "not" part | "(" condition ")" | comparison
    comparison  operand (SIGN operand)+                    == = != <> < <= > >=, also in chains: 0 < price <= 10
              | name ["not"] "in" "(" value ("," value)* ")"
              | name "is" ["not"] "null"
    operand     name | value
    name        a word, a path such as out.p, or `anything in backticks`
    value       a number, true, false, or text in " or '

In quotes and backticks these themselves are written twice.

A quoted word on the left of a sign or of ``in`` or ``is`` is a name as well, unless a name stands on the right.
A ``not`` is pushed down to the comparisons: with nulls, which are chosen by none, it means there what it means above.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from lossctl.dataclass import dataclass
from lossctl.errors import UsageError, option
from lossctl.words import encodable

NAME = r"\#\d+|[^\W\d]\w*(?:\.\w+)*"
TOKEN = re.compile(
    rf"""(?:
        (?P<number>[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w))
      | (?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')
      | `(?P<name>(?:[^`]|``)+)`
      | (?P<word>{NAME})
      | (?P<sign>==|!=|<>|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
SPACE = re.compile(r"\s*")
DEEPEST = 100
"""How deep parentheses may be nested."""
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
SPELLED = {"=": "==", "<>": "!="}
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})
DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2})[-/.\d]*(?:[T ]\d{1,2}:[:\d.]+Z?)?")
"""What is no number, and may be a date that nobody quoted."""
ELSEWHERE = {"&&": "and", "||": "or", "&": "and", "|": "or", "!": "not", "~": "not"}
"""What others write for words of ours."""
SHOWN = 60
"""How much of a condition is shown before and behind what is wrong with it."""


@dataclass(frozen=True)
class Name:
    """A column."""

    name: str
    place: int
    """Where it stands in the text, from 1."""
    quoted: bool = False
    """Whether it may as well be text."""


@dataclass(frozen=True)
class Value:
    """A number, or text."""

    value: str | int | float
    place: int


Operand = Name | Value


def written(name: str) -> str:
    """The name of a column as it stands in a condition.

    >>> written("price"), written("unit price"), written("in")
    ('price', '`unit price`', '`in`')
    """
    plain = re.fullmatch(NAME, name) is not None and name.lower() not in KEYWORDS
    return name if plain else "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Comparison:
    """A column beside a value or another column."""

    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Among:
    """A column that is, or is not, one of some values."""

    name: Name
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Missing:
    """A column that is, or is not, null."""

    name: Name
    negated: bool = False


@dataclass(frozen=True)
class Joined:
    """Conditions of which all must hold, or any."""

    parts: "tuple[Condition, ...]"
    every: bool


Condition = Comparison | Among | Missing | Joined


def opposite(condition: Condition) -> Condition:
    """What holds where a condition does not, and nothing is null."""
    match condition:
        case Comparison():
            return replace(condition, sign=OPPOSITE[condition.sign])
        case Among() | Missing():
            return replace(condition, negated=not condition.negated)
        case Joined():
            return Joined(tuple(map(opposite, condition.parts)), not condition.every)


def names_in(condition: Condition) -> frozenset[str]:
    """The columns that a condition is about."""
    match condition:
        case Comparison():
            return frozenset(side.name for side in (condition.left, condition.right) if isinstance(side, Name))
        case Among() | Missing():
            return frozenset({condition.name.name})
        case Joined():
            return frozenset().union(*map(names_in, condition.parts))


def parsed(text: str) -> Condition:
    """The condition that a text says; names are not looked up yet.

    Raises:
        UsageError: it says none; with the place.
    """
    if encodable(text) != text:
        place = next(place for place, sign in enumerate(text, 1) if encodable(sign) != sign)
        raise wrong(text, f"{text[place - 1]!r} is no character", place, "Conditions are read as UTF-8.")
    return _Parser(text).whole()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.depth = text, 0
        self.tokens = [*self._split()]
        self.next = 0

    def _split(self) -> Iterator[_Token]:
        begin = _after_space(self.text, 0)
        while begin < len(self.text):
            met = TOKEN.match(self.text, begin)
            if met is None or met.lastgroup is None:
                sign = next((sign for sign in ELSEWHERE if self.text.startswith(sign, begin)), "")
                hint = f"Write {ELSEWHERE[sign]}." if sign else ""
                hint = hint or _date_hint(self.text, begin) or _unread(self.text[begin])
                raise self._wrong(f"{sign or self.text[begin]!r} cannot be read", begin + 1, hint)
            yield _Token(met.lastgroup, met[met.lastgroup], begin + 1)
            begin = _after_space(self.text, met.end())
        yield _Token("end", "", len(self.text) + 1)

    def _wrong(self, what: str, place: int, hint: str = "") -> UsageError:
        return wrong(self.text, what, place, hint or 'Such as segment == "mobile" and price > 10.')

    def _word(self) -> str:
        """The keyword or sign that comes next; nothing where something else does."""
        token = self.tokens[self.next]
        word = token.text.lower()
        if token.kind == "word" and word in KEYWORDS:
            return word
        return SPELLED.get(token.text, token.text) if token.kind == "sign" else ""

    def _take(self, *words: str) -> str:
        """The word that comes next where it is one of some, which is then passed; else nothing."""
        word = self._word()
        if word not in words:
            return ""
        self.next += 1
        return word

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(f"{word!r} must come")

    def _unexpected(self, what: str) -> UsageError:
        token = self.tokens[self.next]
        met = "the end" if token.kind == "end" else repr(token.text)
        hint = ""
        if self._word() == "null":
            hint = "A null is found with is null."
        return self._wrong(f"{what}, not {met}", token.place, hint or _date_hint(self.text, token.place - 1))

    def whole(self) -> Condition:
        condition = self._any()
        if self.tokens[self.next].kind != "end":
            raise self._unexpected("'and', 'or' or the end must come")
        return condition

    def _any(self) -> Condition:
        return self._joined(self._all, "or", every=False)

    def _all(self) -> Condition:
        return self._joined(self._part, "and", every=True)

    @staticmethod
    def _or_alone(parts: list[Condition], *, every: bool) -> Condition:
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), every)

    def _joined(self, part: "Callable[[], Condition]", word: str, *, every: bool) -> Condition:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return self._or_alone(parts, every=every)

    def _part(self) -> Condition:
        place = self.tokens[self.next].place
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._wrong(f"more than {DEEPEST} levels deep", place)
        try:
            if self._take("not"):
                return opposite(self._part())
            if self._take("("):
                condition = self._any()
                self._expect(")")
                return condition
            return self._comparison()
        finally:
            self.depth -= 1

    def _comparison(self) -> Condition:
        left = self._operand("a column must come")
        if self._take("is"):
            negated = bool(self._take("not"))
            self._expect("null")
            return Missing(self._as_name(left), negated)
        place = self.tokens[self.next].place
        negated = bool(self._take("not"))
        if negated or self._word() == "in":
            self._expect("in")
            self._expect("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._expect(")")
            return Among(self._as_name(left), tuple(values), negated)
        links: list[Condition] = []
        while sign := self._take(*OPPOSITE):
            right = self._operand("a value must come")
            links.append(self._link(left, sign, right, place))
            left = right
        if not links:
            raise self._unexpected("a comparison must come: ==, !=, <, <=, >, >=, in or is null")
        return self._or_alone(links, every=True)

    def _link(self, left: Operand, sign: str, right: Operand, place: int) -> Comparison:
        """One comparison: of two words in quotes the first is a name, and a name stands on the left."""
        sides = [side for side in (left, right) if isinstance(side, Name) and not side.quoted]
        if not sides:
            if isinstance(left, Name):
                left, right = replace(left, quoted=False), _text(right)
            elif isinstance(right, Name):
                right = replace(right, quoted=False)
            else:
                hint = "One side must be a column; a name that is a number stands in backticks."
                raise self._wrong("a comparison of two values", place, hint)
        left, right = _text(left), _text(right)
        return Comparison(left, sign, right) if isinstance(left, Name) else Comparison(right, MIRRORED[sign], left)

    def _as_name(self, operand: Operand) -> Name:
        if isinstance(operand, Value):
            raise self._wrong(f"{operand.value!r} is no column", operand.place)
        return replace(operand, quoted=False)

    def _value(self) -> Value:
        operand = self._operand("a value must come")
        value = _text(operand)
        if isinstance(value, Name):
            raise self._wrong(f"{value.name!r} is no value", value.place, f'Text is quoted: "{value.name}".')
        return value

    def _operand(self, what: str) -> Operand:
        token = self.tokens[self.next]
        word = self._word()
        if token.kind in {"sign", "end"} or (word in KEYWORDS and word not in {"true", "false"}):
            raise self._unexpected(what)
        self.next += 1
        if word in {"true", "false"}:
            return Value(word == "true", token.place)
        if token.kind == "number":
            digits = token.text.replace("−", "-")
            number = float(digits)
            whole = digits.lstrip("+-").isdecimal() and abs(number) < float("inf")
            return Value(int(digits) if whole else number, token.place)
        if token.kind == "text":
            quote = token.text[0]
            return Name(token.text[1:-1].replace(quote * 2, quote), token.place, quoted=True)
        return Name(token.text.replace("``", "`") if token.kind == "name" else token.text, token.place)


def _after_space(text: str, place: int) -> int:
    space = SPACE.match(text, place)
    return place if space is None else space.end()


def _date_hint(text: str, place: int) -> str:
    """What to do about a date without quotes that a place of a condition is within; nothing where none is there."""
    dates = (met[0] for met in DATE.finditer(text) if met.start() <= place < met.end())
    return next((f'Dates stand in quotes: "{date}".' for date in dates), "")


def _unread(sign: str) -> str:
    if sign in "\"'`":
        return f"Is a {sign} opened and never closed?"
    if sign in "[{":
        return "Values stand in parentheses: in (1, 2)."
    if sign.isdecimal():
        return "No letter or _ belongs to a number; a name that begins with a digit stands in backticks."
    return "A name with other signs than letters, digits and _ stands in backticks: `unit price` > 10."


def _text(operand: Operand) -> Operand:
    """A word in quotes as text."""
    return Value(operand.name, operand.place) if isinstance(operand, Name) and operand.quoted else operand


def wrong(text: str, what: str, place: int, hint: str = "") -> UsageError:
    """The error for something at a place of a condition."""
    begin = max(place - 1 - SHOWN, 0) if len(text) > 3 * SHOWN else 0
    end = begin + 2 * SHOWN if len(text) > 3 * SHOWN else len(text)
    around = "…" * (begin > 0) + text[begin:end] + "…" * (end < len(text))
    return UsageError(f"{option('where')} {around!r}, character {place}: {what}", hint)
