"""Classes that have an order, told from their names: low, medium, high."""

from collections.abc import Iterator, Sequence

from lossctl.functions.bound_loss import BoundLoss
from lossctl.words import normal

SCALES = tuple(
    tuple(tuple(map(normal, step.split("/"))) for step in scale.split(", "))
    for scale in (
        "very low/lowest, low/lower, medium/mid/middle/moderate/normal/average, high/higher, very high/highest",
        "xxs, xs, s, m, l, xl, xxl",
        "tiny, small, medium/mid/middle, large/big, huge",
        "none/no/absent/healthy, minimal/trace/slight, mild, moderate, severe, critical/extreme/proliferative",
        "never, rarely/seldom, sometimes/occasionally, often/frequently, usually, always",
        "terrible/awful/very bad/very poor, bad/poor, fair/average/ok/okay, good, very good/great, excellent",
        "strongly disagree, disagree, neutral/neither, agree, strongly agree",
        "very negative, negative, neutral, positive, very positive",
        "first, second, third, fourth, fifth",
        "bronze, silver, gold, platinum",
        "young, middle/middle aged, old",
        "easy, medium, hard",
    )
)
"""Names of steps from the first to the last, each with others for it."""


def in_order(classes: Sequence[str]) -> tuple[str, ...] | None:
    """Names of classes in the order that they tell; ``None`` where they tell none."""
    for scale in SCALES:
        place = {name: index for index, step in enumerate(scale) for name in step}
        places = [place.get(normal(name)) for name in classes]
        known = [index for index in places if index is not None]
        if len({*known}) == len(classes) > 1:
            return tuple(classes[index] for index in sorted(range(len(classes)), key=known.__getitem__))
    return None


def out_of_order(bound: BoundLoss, classes: Sequence[str] | None, *, said: bool) -> Iterator[str]:
    """Why a loss of ordered classes may take them in another order than theirs.

    Args:
        bound: the loss.
        classes: their names in the order in which they are taken; ``None`` where they are codes.
        said: whether the user named them in that order.
    """
    if not bound.definition.ordered or classes is None or len(classes) < 3:
        return
    told, taken = in_order(classes), f"{bound.title} takes the classes in the order {', '.join(classes)}"
    if told is not None and tuple(classes) not in {told, told[::-1]}:
        yield f"{taken}, but their names say {', '.join(told)}: name the classes in that order"
    elif told is None and not said and not all(name.isdecimal() for name in classes):
        yield f"{taken}: name the classes where theirs is another"
