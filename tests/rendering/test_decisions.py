"""What was decided, as CI services read it: annotations of GitHub, test cases of JUnit."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.document import Document, Outcome
from lossctl.errors import UsageError
from lossctl.rendering.renderer import Style, renderers

STATES = ("pass", "fail", "inconclusive", "error")
OUTCOMES = tuple(
    Outcome(f"gate-{state}", state, f"{state.upper()} gate-{state}: 0.2 > 0.1", fails, "preds.csv", {"value": 0.2})
    for state, fails in zip(STATES, (False, True, False, True), strict=True)
)
COMMAND = re.compile(r"::(notice|warning|error) ((?:\w+=[^,:\r\n]*,?)*)::([^\r\n]*)")
"""A workflow command with its properties and its message, as the runner of GitHub reads a line."""
hostile = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["a::b", "x,y=z", "100 %", "%0A::error::", "two\nlines\r", "]]>", "<b>&", "\x00\x1b[31m"]
)


def read_command(line):
    """Level, properties and message of an annotation, as the runner reads them."""
    level, properties, message = COMMAND.fullmatch(line).groups()

    def plain(text):
        for sign, code in (("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"), ("%", "%25")):
            text = text.replace(code, sign)
        return text

    pairs = (part.partition("=") for part in properties.split(","))
    return level, {name: plain(value) for name, _, value in pairs}, plain(message)


def drawn(name, outcomes):
    return renderers.get(name).render(Document("gates", outcomes=tuple(outcomes)), Style())


def test_each_decision_is_an_annotation_of_its_level():
    lines = drawn("github", OUTCOMES).splitlines()
    assert [read_command(line) for line in lines if line] == [
        (level, {"file": "preds.csv", "title": outcome.name}, outcome.words)
        for level, outcome in zip(("notice", "error", "warning", "error"), OUTCOMES, strict=True)
    ]


def test_what_is_inconclusive_and_must_not_be_is_an_error_everywhere():
    outcome = Outcome("g", "inconclusive", "INCONCLUSIVE g", fails=True)
    assert read_command(drawn("github", [outcome]).splitlines()[0])[0] == "error"
    assert ET.fromstring(drawn("junit", [outcome])).find(".//failure") is not None


@given(hostile, hostile, hostile)
def test_no_name_and_no_message_ends_an_annotation(name, words, file):
    lines = drawn("github", [Outcome(name, "fail", words, fails=True, file=file)]).rstrip("\n").split("\n")
    assert len(lines) == 1
    level, properties, _ = read_command(lines[0])
    assert level == "error"
    assert {*properties} <= {"file", "title"}


def test_a_test_case_is_what_was_decided():
    suite = ET.fromstring(drawn("junit", OUTCOMES)).find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [outcome.name for outcome in OUTCOMES]
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["skipped"], ["error"]]
    assert [child.get("message") for case in cases for child in case] == [one.words for one in OUTCOMES[1:]]
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties == {f"{outcome.name}: value": "0.2" for outcome in OUTCOMES}


SCHEMA = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "time"}),
    "testsuite": (
        ["properties", "testcase", "system-out", "system-err"],
        {"name", "tests", "failures", "errors", "skipped", "timestamp", "hostname", "time"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "testcase": ({"failure", "error", "skipped"}, {"classname", "name", "time"}),
    "failure": (set(), {"message", "type"}),
    "error": (set(), {"message", "type"}),
    "skipped": (set(), {"message"}),
    "system-out": (set(), set()),
    "system-err": (set(), set()),
}
"""Which elements an element may hold, a list in this order, and its attributes: the common part of the schemas that
Ant's task and the plug-in of Jenkins go by, in which all attributes here are known and those that are required are."""


@pytest.mark.parametrize("states", [OUTCOMES, OUTCOMES[:1], OUTCOMES[2:]])
def test_a_report_has_the_elements_and_attributes_that_schemas_of_junit_know(states):
    root = ET.fromstring(drawn("junit", states))
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = SCHEMA[element.tag]
        tags = [child.tag for child in element]
        assert {*tags} <= {*children}
        assert {*element.attrib} == attributes
        if isinstance(children, list):
            assert tags == sorted(tags, key=children.index)
    suite = root.find("testsuite")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))


@given(hostile, hostile)
def test_any_name_and_message_makes_well_formed_xml(name, words):
    outcome = Outcome(name, "fail", words, fails=True, properties={name: words})
    case = ET.fromstring(drawn("junit", [outcome])).find(".//testcase")
    assert case.find("failure") is not None


def test_the_time_of_a_report_is_that_of_a_repeated_build(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert 'timestamp="1970-01-02T00:00:00"' in drawn("junit", OUTCOMES)


def test_without_a_decision_there_is_no_report():
    with pytest.raises(UsageError, match="no gate"):
        drawn("junit", [])
