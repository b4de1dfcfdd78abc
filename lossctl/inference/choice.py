"""Columns that could play a role, and how that was told."""

from lossctl.dataclass import dataclass

BY_NAME = "by name"
LEFT = "because no other column is left"
QUANTILE = "as the median of quantiles"
SUM = "because their rows sum to 1"
CONFIDENCE = "beside decisions that were not made of it"
BESIDE = "beside decisions"
NUMBERED = "because they are numbered alike"
POINT = "as the point of the forecast"


@dataclass(frozen=True)
class Choice:
    """Columns for one role."""

    patterns: tuple[str, ...]
    """As a user would name them: of a label its columns or a glob, of predictions one pattern a model."""
    columns: tuple[str, ...]
    why: str = ""
    """How they were told; empty where the user named them."""
    near: bool = True
    """Whether predictions may be of their label by what is in them, as far as that tells anything."""
    sure: bool = True


@dataclass(frozen=True)
class Proposal:
    """Columns for both roles."""

    label: Choice
    prediction: Choice

    def names(self, other: "Proposal") -> bool:
        """Whether another names the same columns, for as many models."""
        ours, theirs = self.prediction, other.prediction
        same = ours.columns == theirs.columns and len(ours.patterns) == len(theirs.patterns)
        return same and self.label.columns == other.label.columns

    @property
    def sure(self) -> bool:
        """Whether nothing else could be meant."""
        return self.label.sure and self.prediction.sure
