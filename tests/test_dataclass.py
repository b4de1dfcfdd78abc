"""Frozen dataclasses with shared methods do what those that Python generates do."""

import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, field, replace
from itertools import pairwise
from typing import Any

import pytest

from lossctl.dataclass import dataclass


@dataclass(frozen=True)
class Kept:
    x: float
    name: str


def both(*, eq: bool = True, frozen: bool = True) -> list[Any]:
    """The same class, made by Python and by us."""
    made = []
    for make in (dataclasses.dataclass, dataclass):

        @make(frozen=frozen, eq=eq)
        class Point:
            x: float
            names: tuple[str, ...] = ()
            counts: dict[str, int] = field(default_factory=dict, compare=False)
            hidden: int = field(default=0, repr=False)
            why: str = field(kw_only=True, default="")

            def __post_init__(self) -> None:
                if self.x < 0:
                    raise ValueError(self.x)

        made.append(Point)
    return made


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1.0,), {}),
    ((1.0, ("a",)), {"counts": {"b": 2}, "why": "so"}),
    ((), {"x": 2.0, "hidden": 3}),
    ((1.0, ("a",), {}, 4), {}),
    ((), {}),
    ((-1.0,), {}),
    ((1.0,), {"x": 1.0}),
    ((1.0,), {"y": 1.0}),
    ((), {"names": ("a",)}),
    ((1.0, (), {}, 0, "so"), {}),
]


def outcome(cls: Any, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        point = cls(*values, **named)
    except (TypeError, ValueError) as error:
        return type(error)
    changed = replace(point, x=7.0)
    return repr(point), repr(changed), dataclasses.asdict(point), dataclasses.astuple(changed), vars(point)


@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_a_class_takes_shows_and_replaces_what_one_of_pythons_does(
    values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    python, ours = (outcome(cls, values, named) for cls in both())
    assert ours == python


@pytest.mark.parametrize("eq", [True, False])
def test_instances_are_equal_and_hashed_like_pythons(eq: bool) -> None:
    for cls in both(eq=eq):
        points = [cls(1.0), cls(1.0, counts={"a": 1}), cls(1.0, ("a",)), cls(1.0, hidden=1)]
        assert [first == second for first, second in pairwise(points)] == ([True, False, False] if eq else [False] * 3)
        assert len({*points}) == (3 if eq else 4)
        assert points[0] != (1.0, (), 0, "")


def test_instances_outlive_a_pickle_and_match_patterns() -> None:
    point = pickle.loads(pickle.dumps(Kept(1.0, "a")))
    assert (point, hash(point)) == (Kept(1.0, "a"), hash(Kept(1.0, "a")))
    match point:
        case Kept(x, name="a"):
            assert x == 1.0
        case _:
            raise AssertionError(point)


def test_nothing_can_be_assigned_or_deleted() -> None:
    for cls in both():
        point = cls(1.0)
        with pytest.raises(FrozenInstanceError, match="'x'"):
            point.x = 2.0
        with pytest.raises(FrozenInstanceError, match="'x'"):
            del point.x
        assert point.x == 1.0


def test_what_is_not_frozen_can_be_changed_and_has_no_hash() -> None:
    for cls in both(frozen=False):
        point = cls(1.0)
        point.x = 2.0
        assert (point, repr(point)) == (cls(2.0), repr(cls(2.0)))
        with pytest.raises(TypeError, match="unhashable"):
            hash(point)


def test_what_is_wrong_with_arguments_is_said() -> None:
    (_, cls) = both()
    for values, named, words in (
        ((), {}, "lacks x"),
        ((1.0,), {"y": 2, "z": 3}, "does not know y, z"),
        ((1.0,), {"x": 2}, "has twice x"),
        ((1.0, (), {}, 0, ""), {}, "takes 4 positional arguments, not 5"),
    ):
        with pytest.raises(TypeError, match=words):
            cls(*values, **named)


def test_the_arguments_of_a_class_are_told_as_pythons_are() -> None:
    python, ours = (inspect.signature(cls) for cls in both())
    assert [(each.name, each.kind, each.annotation) for each in ours.parameters.values()] == [
        (each.name, each.kind, each.annotation) for each in python.parameters.values()
    ]
    for name in ("x", "names", "hidden", "why"):
        assert ours.parameters[name].default == python.parameters[name].default
    assert (ours.parameters["counts"].default, ours.return_annotation) == (..., None)

    class Given(Kept):
        def __init__(self, name: str) -> None:
            super().__init__(0.0, name)

    assert [*inspect.signature(Given).parameters] == ["name"]


@pytest.mark.parametrize("make", [dataclasses.dataclass, dataclass])
def test_a_subclass_is_made_by_either_and_is_frozen_too(make: Any) -> None:
    @make(frozen=True)
    class More(Kept):
        unit: str = "m"

    assert repr(More(1.0, "a")).endswith("More(x=1.0, name='a', unit='m')")
    assert (More(1.0, "a"), hash(More(1.0, "a"))) == (More(1.0, "a", "m"), hash(More(1.0, "a", unit="m")))
    for name in ("x", "unit"):
        with pytest.raises(FrozenInstanceError):
            setattr(More(1.0, "a"), name, 2.0)


def test_a_subclass_that_is_no_dataclass_has_attributes_of_its_own() -> None:
    for base in both():

        class Counting(base):  # type: ignore[misc]
            pass

        counting = Counting(1.0)
        counting.total = 2
        del counting.total
        with pytest.raises(FrozenInstanceError):
            counting.x = 2.0
