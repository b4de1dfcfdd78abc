"""A report of one result as a bare number."""

from lossctl.errors import UsageError
from lossctl.evaluation.report import Report
from lossctl.rendering.renderer import Style, renderers


class BareValue:
    """The number and nothing else."""

    name = "value"
    suffixes: tuple[str, ...] = ()

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002
        """The shortest text that reads back as the same double.

        Raises:
            UsageError: the report has several results.
        """
        if len(report.results) != 1:
            raise UsageError(
                f"a bare value needs one result, not {len(report.results)} results",
                "Ask for one loss of one model without groups, or for another format.",
            )
        return f"{report.value!r}\n"


renderers.add(BareValue.name, BareValue())
