"""How much better than the best constants models are, and what is to be said where that is not known."""

import math
import sys
from collections.abc import Iterable, Iterator

from lossctl.evaluation.best_constant import Solution, best_constants, may_be_below_zero
from lossctl.evaluation.measured import Measured
from lossctl.evaluation.plan import Plan
from lossctl.evaluation.result import BestConstant, Result
from lossctl.functions.bound_loss import BoundLoss
from lossctl.words import counted, gathered

SMALLEST = sys.float_info.min
"""The loss of the best constant below which no skill is reported: a ratio to it says nothing."""


class Skills:
    """The best constants of each loss of each model, in the order of the groups.

    Args:
        plan: what was measured.
        total: the sums of all rows, with those of the labels.
    """

    def __init__(self, plan: Plan, total: Measured) -> None:
        if total.labels is None:
            raise TypeError("best constants take the labels")
        points = total.labels.points()
        solved: dict[tuple[BoundLoss, int], list[Solution]] = {}
        self._solutions: dict[tuple[str, BoundLoss], list[Solution]] = {}
        for (model, bound), part in zip(plan.losses, total.parts, strict=True):
            key = bound.through(None), model.width
            if key not in solved:
                solved[key] = best_constants(*key, points, part.moments.result(), plan.layout.label_width)
            self._solutions[model.name, bound] = solved[key]

    def beside(self, value: float, model: str, bound: BoundLoss, group: int) -> BestConstant:
        """The best constant of a group beside the value of a model; the skill is NaN where a ratio says nothing.

        That is where the loss of the constant is about 0, and of a loss that has no 0 to count from.
        """
        solution = self._solutions[model, bound][group]
        measured = solution.loss >= SMALLEST and not may_be_below_zero(bound)
        skill = 1.0 - value / solution.loss if measured else math.nan
        return BestConstant(solution.constant, solution.loss, skill, solution.relative_error)

    def notes(self) -> Iterator[str]:
        """On which scale the constants are, and that they are approximate."""
        for bound in dict.fromkeys(bound for _, bound in self._solutions if bound.activation is not None):
            yield f"{bound.name}: its best constant is on the scale of the loss, after the {bound.activation}"
        every = (solution for solutions in self._solutions.values() for solution in solutions)
        error = max((solution.relative_error for solution in every), default=0.0)
        if error:
            yield (
                "more different labels than are kept: they were rounded by up to "
                f"{error:.1g} of themselves to find the best constants, which are approximate"
            )

    def warnings(self, results: Iterable[Result]) -> Iterator[str]:
        """Why a skill is missing, once for all groups of all losses that lack it for one reason."""
        pairs: list[tuple[str, str]] = []
        for (model, bound), solutions in self._solutions.items():
            reasons = [f"no best constant: {solution.unknown}" for solution in solutions if solution.unknown]
            for result in results:
                if result.model == model and result.loss == str(bound) and result.best_constant is not None:
                    reasons += _lacking(bound, result.best_constant.constant_loss)
            for reason in dict.fromkeys(reasons):
                where = f" ({counted(reasons.count(reason), 'group')})" if len(solutions) > 1 else ""
                pairs.append((f"{bound} of {model}", f"{reason}{where}"))
        return gathered(pairs)


def _lacking(bound: BoundLoss, reference: float) -> Iterator[str]:
    """Why there is no skill beside a constant with some loss."""
    if 0 <= reference < SMALLEST:
        yield "no skill: a constant is as good as it gets, its loss is 0"
    elif reference < 0 or (reference >= SMALLEST and may_be_below_zero(bound)):
        why = "the loss of the best constant is negative" if reference < 0 else "the loss can be below 0"
        hint = ", use poisson:full=lgamma" if bound.name == "poisson" else ""
        yield f"no skill: {why}{hint}"
