"""Reports as strict JSON: the whole as one object, or one line a result."""

import json

from lossctl.evaluation.report import Report
from lossctl.rendering.renderer import Style, renderers


class Json:
    """One object."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002
        """The report, indented."""
        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class JsonLines:
    """One line a result."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def render(self, report: Report, style: Style) -> str:  # noqa: ARG002
        """The results, a line each."""
        results = report.to_dict()["results"]
        return "".join(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n" for result in results)


renderers.add(Json.name, Json())
renderers.add(JsonLines.name, JsonLines())
