"""Named things: aliases, did-you-mean, built-ins and plug-ins found on first look-up.

There is no central list. Built-ins are the modules of a folder, plug-ins are entry points; both are imported the
first time somebody asks, and register themselves while they are imported. Of a built-in only the modules are whose
text has its name, and plug-ins are read where no built-in is meant.
"""

import functools
import importlib
import pkgutil
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from lossctl.errors import UsageError
from lossctl.words import MANY, did_you_mean, near, normal

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

T = TypeVar("T")


@functools.cache
def _entry_points() -> "EntryPoints":
    """The entry points of every installed package, read once."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (which brings the parser of e-mails)

    return cast("EntryPoints", entry_points())


def entry_points_of(group: str) -> "EntryPoints":
    """Those of a group, unloaded."""
    return _entry_points().select(group=group)


def _text_of(module: pkgutil.ModuleInfo) -> bytes:
    """The source of a module; nothing where it has none."""
    finder: Any = module.module_finder
    try:
        return Path(finder.path, f"{module.name}.py").read_bytes()
    except (AttributeError, OSError):
        return b""


LIKE = 0.61
"""From how alike on a name is suggested for another."""


def unknown(
    kind: str, name: str, spellings: Sequence[str], others: Mapping[str, tuple[str, str]], names: Sequence[str] = ()
) -> UsageError:
    """The error for a name that nothing has: where such a thing is, names that are like it, or all there are.

    Args:
        kind: the word for what was looked for.
        name: what was asked for.
        spellings: every name and alias.
        others: what `others` of a `Registry` gives.
        names: what to list where nothing is like it.
    """
    if normal(name) in others:
        what, way = others[normal(name)]
        return UsageError(f"{name} {what}", way)
    close = near(name, [*spellings, *others], cutoff=LIKE)
    if not close:
        return UsageError(f"unknown {kind} {name!r}", f"Known: {', '.join(names)}." if 0 < len(names) <= MANY else "")
    if close[0] in others:  # a name that is not refused in turn
        what, way = others[close[0]]
        return UsageError(f"unknown {kind} {name!r}", f"Did you mean {close[0]}? It {what}. {way}")
    return UsageError(f"unknown {kind} {name!r}", did_you_mean(name, [word for word in close if word not in others]))


class Registry(Generic[T]):
    """Items of one kind by name and alias.

    Args:
        kind: the word for an item in messages, such as ``loss``.
        package: the folder whose modules hold the built-ins, as a dotted name.
        group: the entry-point group of plug-ins.
        others: gives what people look for here that is elsewhere: what each is and the way there, by `normal` names.
            It is asked where a name is not known.
    """

    def __init__(
        self, kind: str, package: str, *, group: str, others: Callable[[], Mapping[str, tuple[str, str]]] = dict
    ) -> None:
        self.kind = kind
        self.others = others
        self.package = package
        self.group = group
        self._items: dict[str, T] = {}
        self._names: dict[str, str] = {}
        self._aliases: list[str] = []
        self._builtins_loaded = self._loaded = False
        self._lock = threading.RLock()

    def add(self, name: str, item: T, aliases: tuple[str, ...] = ()) -> None:
        """Register an item.

        Raises:
            ValueError: the name or an alias already means something else.
        """
        for spelling in (name, *aliases):
            holder = self._names.get(normal(spelling), name)
            if holder != name:
                raise ValueError(f"{self.kind} name {spelling!r} is taken by {holder!r}")
        for spelling in (name, *aliases):
            self._names[normal(spelling)] = name
        self._items[name] = item
        self._aliases += aliases

    def get(self, name: str) -> T:
        """The item of that name or alias.

        Raises:
            UsageError: nothing is called that; the message suggests near names, or where such a thing is.
        """
        self._load_module(name)
        if normal(name) not in self._names:
            self._load()
        try:
            return self._items[self._names[normal(name)]]
        except KeyError:
            raise self.unknown(name) from None

    def unknown(self, name: str) -> UsageError:
        """The error for a name that nothing here has."""
        return unknown(self.kind, name, self.spellings(), self.others(), self.names())

    def names(self) -> list[str]:
        """Every name, sorted; aliases left out."""
        self._load()
        return sorted(self._items)

    def spellings(self) -> list[str]:
        """Every name and alias."""
        self._load()
        return [*self._items, *(alias for alias in self._aliases if alias not in self._items)]

    def first(self, suits: Callable[[T], bool], *, built_in: bool = False, mention: bytes = b"") -> T | None:
        """The first item that suits, a built-in rather than a plug-in; ``None`` where none does.

        Args:
            suits: whether an item does.
            built_in: whether no plug-in is meant.
            mention: a pattern; of the built-ins only those modules are looked into whose text has it.
        """
        for load in (functools.partial(self._load_builtins, mention), self._load)[: 1 if built_in else 2]:
            load()
            for _, item in sorted(self._items.items()):
                if suits(item):
                    return item
        return None

    def __iter__(self) -> Iterator[T]:
        return iter([self._items[name] for name in self.names()])

    def __contains__(self, name: str) -> bool:
        self._load_module(name)
        if normal(name) not in self._names:
            self._load()
        return normal(name) in self._names

    def _modules(self) -> list[pkgutil.ModuleInfo]:
        return list(pkgutil.iter_modules(importlib.import_module(self.package).__path__))

    def _load_module(self, name: str) -> None:
        """Import the modules that may have the item, if nobody has: called like it, or with its name in their text.

        That is a matter of time alone: what is not found so is found when all are imported.
        """
        with self._lock:
            if normal(name) in self._names:
                return
            word = re.escape(name.strip().encode(errors="replace"))
            mention = re.compile(rb"^def " + word + rb"\(|\"" + word + rb"\"", re.MULTILINE)
            for module in sorted(self._modules(), key=lambda module: normal(module.name) != normal(name)):
                if normal(module.name) == normal(name) or mention.search(_text_of(module)):
                    importlib.import_module(f"{self.package}.{module.name}")
                    if normal(name) in self._names:
                        return

    def _load_builtins(self, mention: bytes = b"") -> None:
        """Import the built-ins, the first time; but for a mention, those alone whose text has it."""
        with self._lock:
            if not self._builtins_loaded:
                self._builtins_loaded = not mention
                for module in self._modules():
                    text = _text_of(module) if mention else b""
                    if not text or re.search(mention, text):
                        importlib.import_module(f"{self.package}.{module.name}")

    def _load(self) -> None:
        """Import the built-ins and the plug-ins, the first time; a plug-in that fails is a warning."""
        with self._lock:
            self._load_builtins()
            if self._loaded:
                return
            self._loaded = True
            for point in entry_points_of(self.group):
                try:
                    point.load()
                except Exception as error:  # noqa: BLE001  (a stranger's package must not take lossctl down)
                    warnings.warn(f"plug-in {point.name!r} ({point.value}) failed to load: {error}", stacklevel=2)
