"""Whether a condition can be asked of columns: that there are these, and that they hold what they are held against."""

from lossctl.reading.columns import Column, fields_in
from lossctl.reading.where import Among, Comparison, Condition, Joined, Missing, Name, Value, names_in, wrong
from lossctl.words import did_you_mean

NOT_WRITTEN = {
    **dict.fromkeys(("nan", "none", "na", "nat"), "A null or NaN is found with is null."),
    **dict.fromkeys(("inf", "infinity"), "A number past all others is written 1e999."),
}
"""What others write for values, and what is written here."""


def ensure_bound(text: str, condition: Condition, columns: tuple[Column, ...]) -> dict[str, str]:
    """The kind of each column that a condition is about.

    Raises:
        UsageError: there is no such column, there are two, or it is held against what it cannot be.
    """
    judge = _Judge(text, columns)
    judge.ensure(condition)
    return {name: judge.kinds[name] for name in names_in(condition)}


class _Judge:
    """Holds conditions against columns; every error is a `UsageError`."""

    def __init__(self, text: str, columns: tuple[Column, ...]) -> None:
        self.text = text
        self.kinds = {column.name: column.kind for column in reversed([*columns, *fields_in(columns)])}
        self.names = [column.name for column in columns]

    def ensure(self, condition: Condition) -> None:
        """Check a condition and its parts."""
        match condition:
            case Comparison(left=Name() as left, right=Value() as value):
                self._ensure_value(left, value)
            case Comparison(left=Name() as left, right=Name() as right):
                self._ensure_columns(left, right)
            case Among():
                for value in condition.values:
                    self._ensure_value(condition.name, value)
            case Missing():
                self._kind(condition.name)
            case Joined():
                for part in condition.parts:
                    self.ensure(part)

    def _kind(self, name: Name, hint: str = "") -> str:
        if name.name not in self.kinds:
            hint = NOT_WRITTEN.get(name.name.lower(), hint) or did_you_mean(name.name, [*self.kinds])
            raise wrong(self.text, f"no column {name.name!r}", name.place, hint)
        if self.names.count(name.name) > 1:
            raise wrong(self.text, f"two columns are called {name.name!r}", name.place, "Rename one.")
        return self.kinds[name.name]

    def _ensure_value(self, name: Name, value: Value) -> None:
        kind, number = self._kind(name), not isinstance(value.value, str)
        if kind in {"list", "object"}:
            what = f"column {name.name!r} holds {kind}s, which are not compared"
            raise wrong(self.text, what, name.place, "Only is null is asked of such.")
        if kind == "number" and not number:
            what = f"column {name.name!r} holds numbers, and {value.value!r} is text"
            raise wrong(self.text, what, value.place, self._unquoted(str(value.value)))
        if kind != "number" and number:
            cells = "text" if kind == "text" else "no numbers"
            said, sort = str(value.value).lower(), "a truth" if isinstance(value.value, bool) else "a number"
            what = f"column {name.name!r} holds {cells}, and {said} is {sort}"
            raise wrong(self.text, what, value.place, f'Quote it: "{said}".')
        if value.value == "":
            raise wrong(self.text, "an empty text is null", value.place, f"Write {name.name} is null.")

    def _ensure_columns(self, left: Name, right: Name) -> None:
        kind = self._kind(left)
        other = self._kind(right, f'Text is quoted: "{right.name}".' if kind != "number" else "")
        if kind != other or kind in {"list", "object"}:
            what = f"columns {left.name!r} and {right.name!r} cannot be compared: {kind} and {other}"
            raise wrong(self.text, what, left.place)

    def _unquoted(self, word: str) -> str:
        """What to do about a text beside a column of numbers."""
        if word in self.names:
            return f"A column is written without quotes: {word}, or in backticks."
        hint = NOT_WRITTEN.get(word.lower().lstrip("+-"), "")
        try:
            float(word)
        except ValueError:
            if word.lower() not in {"true", "false"}:
                return hint
        return hint or f"Leave the quotes out: {word}."
