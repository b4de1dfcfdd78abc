"""Which columns that are one prediction are a forecast of a number: by their names, where labels are no classes."""

import numpy as np

from lossctl.domain import FloatArray, distinct
from lossctl.inference.layout_planner import LayoutPlanner
from lossctl.inference.names import level_of
from lossctl.inference.parts import forecast_of
from lossctl.inference.roles import Model
from lossctl.reading.cells import BadRow, elements, floats

SUM_ERROR = 1e-3
"""How far rows of probabilities may be from 1."""


def forecasts(planner: LayoutPlanner) -> bool:
    """Whether predictions that are vectors are forecasts of a number: by their names, or by labels that are no classes.

    They are none where labels are the classes that names may say too, beside rows that sum to 1.

    Raises:
        DataError: there are no rows.
    """
    models, request = [model for model in planner.roles.models if model.width], planner.request
    if not models or planner.label_width or planner.text or request.classes or request.ignore_label:
        return False
    try:
        labels = floats(elements(planner.head.column(planner.roles.label[0])))
        labels = distinct(labels[np.isfinite(labels)])
        if (labels % 1.0 != 0).any():
            return True
        return all(_told(planner, model, labels) for model in models)
    except (BadRow, TypeError, ValueError):
        return False  # what cannot be read is said when its turn comes


def _told(planner: LayoutPlanner, model: Model, labels: FloatArray) -> bool:
    """Whether the columns of a model are named for a forecast, and not for the classes of whole numbers."""
    if forecast_of(model.columns) is None:
        return False
    levels = filter(None, map(level_of, model.columns))
    classes = {*labels.tolist()} <= {*range(model.width), *(round(100 * level) for level in levels)}
    rows = np.column_stack([floats(planner.head.column(name)) for name in model.columns])
    return not (classes and bool((np.abs(rows.sum(axis=1) - 1.0) <= SUM_ERROR).all()))
