"""Named things: aliases, did-you-mean, built-ins and plug-ins found on first look-up.

There is no central list. Built-ins are the modules of a folder, plug-ins are entry points; both are imported the
first time somebody asks, and register themselves while they are imported. Of a built-in whose module is called like
it, only that module is.
"""

import functools
import importlib
import pkgutil
import threading
import warnings
from collections.abc import Iterator
from importlib.metadata import EntryPoints, entry_points
from typing import Generic, TypeVar, cast

from lossctl.errors import UsageError
from lossctl.words import did_you_mean, normal

T = TypeVar("T")


@functools.cache
def _entry_points() -> EntryPoints:
    """Those of every installed package, looked for once."""
    return cast("EntryPoints", entry_points())


def entry_points_of(group: str) -> EntryPoints:
    """Those of a group, unloaded."""
    return _entry_points().select(group=group)


class Registry(Generic[T]):
    """Items of one kind by name and alias.

    Args:
        kind: the word for an item in messages, such as ``loss``.
        package: the folder whose modules hold the built-ins, as a dotted name.
        group: the entry-point group of plug-ins.
    """

    def __init__(self, kind: str, package: str, *, group: str) -> None:
        self.kind = kind
        self.package = package
        self.group = group
        self._items: dict[str, T] = {}
        self._names: dict[str, str] = {}
        self._found = False
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

    def get(self, name: str) -> T:
        """The item of that name or alias.

        Raises:
            UsageError: nothing is called that; the message suggests near names.
        """
        self._find_module(name)
        if normal(name) not in self._names:
            self._find()
        try:
            return self._items[self._names[normal(name)]]
        except KeyError:
            raise UsageError(f"unknown {self.kind} {name!r}", did_you_mean(name, self.names())) from None

    def names(self) -> list[str]:
        """Every name, sorted; aliases left out."""
        self._find()
        return sorted(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter([self._items[name] for name in self.names()])

    def __contains__(self, name: str) -> bool:
        self._find()
        return normal(name) in self._names

    def _modules(self) -> list[str]:
        return [module.name for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__)]

    def _find_module(self, name: str) -> None:
        """Import the module that is called like the item, if there is one and nobody has."""
        with self._lock:
            if normal(name) in self._names:
                return
            for module in self._modules():
                if normal(module) == normal(name):
                    importlib.import_module(f"{self.package}.{module}")

    def _find(self) -> None:
        with self._lock:
            if self._found:
                return
            self._found = True
            for module in self._modules():
                importlib.import_module(f"{self.package}.{module}")
            for point in entry_points_of(self.group):
                try:
                    point.load()
                except Exception as broken:  # noqa: BLE001  (a stranger's package must not take lossctl down)
                    warnings.warn(f"plug-in {point.name!r} ({point.value}) failed to load: {broken}", stacklevel=2)
