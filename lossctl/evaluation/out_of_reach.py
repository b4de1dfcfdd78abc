"""Labels of two classes that an activation never comes to, held against what it comes to."""

from collections.abc import Iterator

import numpy as np

from lossctl.domain import Interval, distinct
from lossctl.errors import option
from lossctl.evaluation.plan import Plan
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.reading.cells import BadRow, elements, floats


def out_of_reach(planner: LayoutPlanner, plan: Plan) -> Iterator[str]:
    """What is to be said of losses of a number that is to be near its label, where no prediction can be near some.

    Only of labels that are two whole numbers, as far as the first rows tell, and of activations between two bounds.
    """
    layout = plan.layout
    if layout.text or layout.label_width or layout.classes is not None or not layout.roles.label:
        return
    bounds = {bound: bound.activation for _, bound in plan.losses if bound.activation is not None}
    for bound, activation in bounds.items():
        near = not bound.rows and bound.label_domain == bound.output_domain
        reach = activation.range
        if near and isinstance(reach, Interval) and np.isfinite([reach.low, reach.high]).all():
            classes = _two_classes(planner, layout.roles.label[0])
            if classes and not reach.low <= classes[0] < classes[1] <= reach.high:
                listed = ",".join(f"{number:g}" for number in classes)
                yield (
                    f"{bound.title} after {activation}: the labels are {' and '.join(listed.split(','))}, and the "
                    f"activation stays between {reach.low:g} and {reach.high:g}; if they are classes, "
                    f"{option(classes=listed)} makes them 0 and 1"
                )


def _two_classes(planner: LayoutPlanner, label: str) -> list[float]:
    """The two whole numbers that the labels of the first rows are; none where they are something else."""
    try:
        labels = distinct(floats(elements(planner.head.column(label))))
    except (BadRow, TypeError, ValueError):
        return []
    labels = labels[~np.isnan(labels)]
    return labels.tolist() if len(labels) == 2 and np.isfinite(labels).all() and not (labels % 1).any() else []
