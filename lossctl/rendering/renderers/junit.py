"""Decisions as JUnit's XML, which every CI service reads: a test case for each, in the order that schemas ask for."""

import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lossctl.document import Document, Outcome
from lossctl.errors import UsageError
from lossctl.rendering.renderer import Style, renderers
from lossctl.words import printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUITE = "lossctl"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


class JUnit:
    """One suite."""

    name = "junit"
    suffixes: tuple[str, ...] = (".xml",)

    def render(self, document: Document, style: Style) -> str:  # noqa: ARG002
        """A test case for each decision: one that is inconclusive is skipped, with the reason, unless it must not be.

        Raises:
            UsageError: nothing was decided.
        """
        from xml.etree import ElementTree as ET

        outcomes = document.outcomes
        if not outcomes:
            raise UsageError("the junit format is for decisions, and there is no gate here", "Ask for another format.")
        states = [_state(outcome) for outcome in outcomes]
        counts = {"tests": len(outcomes), "failures": states.count("failure"), "errors": states.count("error")}
        told = {name: str(number) for name, number in counts.items()}
        suites = ET.Element("testsuites", {"name": SUITE, **told, "time": "0"})
        suite = ET.SubElement(
            suites,
            "testsuite",
            {
                "name": SUITE,
                **told,
                "skipped": str(states.count("skipped")),
                "timestamp": _now(),
                "hostname": "localhost",
                "time": "0",
            },
        )
        properties = ET.SubElement(suite, "properties")
        for outcome in outcomes:
            for name, value in outcome.properties.items():
                ET.SubElement(
                    properties, "property", {"name": _text(f"{outcome.name}: {name}"), "value": _text(str(value))}
                )
        for outcome, state in zip(outcomes, states, strict=True):
            _case(suite, outcome, state)
        ET.SubElement(suite, "system-out").text = _text("\n".join(outcome.words for outcome in outcomes))
        ET.SubElement(suite, "system-err")
        ET.indent(suites)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: "Element", outcome: Outcome, state: str) -> None:
    from xml.etree import ElementTree as ET

    attributes = {"classname": _text(outcome.file or "gates"), "name": _text(outcome.name), "time": "0"}
    case = ET.SubElement(suite, "testcase", attributes)
    if state in {"failure", "error"}:
        kind = {"message": _text(outcome.words), "type": outcome.state}
        ET.SubElement(case, state, kind).text = _text(outcome.words)
    elif state == "skipped":
        ET.SubElement(case, "skipped", {"message": _text(outcome.words)})


def _state(outcome: Outcome) -> str:
    """What a test case of a decision holds; ``passed`` for nothing."""
    if outcome.state == "error":
        return "error"
    return "failure" if outcome.fails else {"pass": "passed", "inconclusive": "skipped"}.get(outcome.state, "failure")


def _now() -> str:
    """When the suite was run, in UTC, which schemas want without a zone; who repeats a build sets the time."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = int(seconds) if seconds.isdecimal() else int(time.time())
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", "\n".join(printable(line, 1 << 16) for line in text.split("\n")))


renderers.add(JUnit.name, JUnit())
