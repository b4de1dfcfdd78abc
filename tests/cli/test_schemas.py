"""The schemas of all JSON: what each command writes is as they say, and nothing else is."""

import copy
import json
import re
import subprocess
import sys

import jsonschema_rs
import pytest
from schemas import FOLDER, closed, faults, schema, validator

from lossctl.cli.outputs import OUTPUTS, output_schema
from lossctl.document import SCHEMA_VERSION, Document
from lossctl.rendering.renderer import Style, renderers
from lossctl.schema import Member, Object, Schemas

NAMES = [*OUTPUTS, "config"]
ROWS = ["id,g,y,p,q,w", *(f"{n},{'ab'[n % 2]},{n % 5},{n % 3},{n % 7},{1 + n % 2}" for n in range(40))]
CODES = "y,z,a,b\n" + "".join(f"{n % 2},{n % 3},{(n % 9) / 10},{1 - (n % 9) / 10}\n" for n in range(40))
GATES = """
[[gate]]
name = "loss"
max = 100
loss = "mse"
by = "g"

[[gate]]
name = "rows"
min_n = 3
"""
ASKED = ["rows.csv", "-y", "y", "-p", "p"]
MEASURED = [*ASKED, "-l", "mse,huber:delta=0.5"]
COMPARED = [*MEASURED, "-p", "q", "--by", "g", "--samples", "2"]
LINES = {
    "eval": [
        ["eval", *MEASURED, "--by", "g", "--grad", "--skill", "--samples", "2", "--ci", "0.9", "--profile"],
        ["eval", *MEASURED, "--fail-above", "mse=9", "-w", "w", "--where", "y < 9", "--limit", "30", "--by", "g"],
        ["eval", *MEASURED, "--by", "g", "--top", "1", "--cluster", "q"],
        ["eval", *ASKED, "-l", "mse", "--labels", "rows.csv", "--id", "id", "--compat", "keras", "-w", "w"],
        ["eval", "codes.csv", "-y", "z", "-p", "a,b", "-l", "cross_entropy", "--normalize-rows", "--ignore-label", "2"],
    ],
    "samples": [["samples", *MEASURED, "--top", "3"]],
    "compare": [
        ["compare", *COMPARED, "--plot"],
        ["compare", "a=rows.csv", "b=rows.csv", "-y", "y", "-p", "p", "--id", "id"],
    ],
    "report": [
        ["report", *COMPARED, "-w", "w"],
        ["report", *MEASURED, "--fail-above", "mse=99", "--by", "g", "--samples", "0"],
    ],
    "check": [
        ["check", *ASKED, "-l", "mse", "--config", "lossctl.toml", "--by", "g"],
        ["check", "rows.csv", "-y", "nothing"],
    ],
    "check-list": [["check", "--list", "--config", "lossctl.toml"]],
    "check-settings": [["check", "--show-settings", "--config", "lossctl.toml"]],
    "baseline": [["baseline", "show", "kept.json"]],
    "doctor": [["doctor", "rows.csv", "-y", "y", "-p", "p,q"], ["doctor", *ASKED], ["doctor", "words.csv"]],
    "explain": [["explain", "huber:delta=2"], ["explain", "elu"], ["explain", "tweedie_deviance"]],
    "explain-list": [["explain"], ["explain", "robust"]],
    "explain-pairings": [["explain", "pairings"]],
    "plot": [["plot", "mse", "sigmoid"], ["plot", *ASKED, "-l", "mse"]],
    "gradcheck": [["gradcheck", "huber", "--draws", "1"], ["gradcheck", "huber", *ASKED]],
}  # fmt: skip
"""Command lines that write each output."""
FREE = {
    "samples": r"\d+/.*", "samples-line": r"(?!row$|file$).*", "check-settings": "settings/.*/value",
    "eval": "settings/compat/set/.*", "explain": "agreements/.*/settings/.*",
    "compare": "(results|overall)/.*/(key|columns)/.*", "compare-line": ".*/(key|columns)/.*",
    "baseline-line": "g",
    "report": "worst_rows/rows(/.*)?|explain/.*/settings/.*|compare/(results|overall)/.*/(key|columns)/.*",
}  # fmt: skip
"""Where values may be anything: they come from the data, or are those of any option."""


COLUMNED = {"samples", "samples-line", "baseline-line"}
"""What has a field for each column."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, and gates about them."""
    path = tmp_path_factory.mktemp("data")
    (path / "rows.csv").write_text("\n".join(ROWS) + "\n")
    (path / "codes.csv").write_text(CODES)
    (path / "words.csv").write_text("one,two\nx,0.5\ny,0.25\nx,0.5\n")
    (path / "lossctl.toml").write_text(GATES)
    return path


@pytest.fixture(scope="module")
def known():
    """What was written before."""
    return {}


@pytest.fixture
def objects(folder, known, lossctl, monkeypatch):
    """The objects that an output is, as JSON; of lines the first and the last."""
    monkeypatch.chdir(folder)
    if not (folder / "kept.json").exists():
        done = lossctl(
            "baseline", "save", *ASKED, "-l", "mse,wmape", "--id", "id", "--by", "g", "-w", "w", "-o", "kept.json", "-q"
        )
        assert done.status == 0, done.err

    def written(name):
        lines, is_line = LINES[name.removesuffix("-line")], name.endswith("-line")
        form, unshown = ("jsonl", {"--plot"}) if is_line else ("json", set())
        done = [lossctl(*(word for word in line if word not in unshown), "-q", "-f", form) for line in lines]
        assert done[0].out, done[0].err
        texts = [one.out for one in done if one.out]
        ends = [line for text in texts for line in (text.split("\n")[0], text.split("\n")[-2])]
        return [json.loads(text) for text in (ends if is_line else texts)]

    def make(name):
        if name not in known:
            known[name] = written(name)
        return known[name]

    return make


def places(value, path=()):
    """The places in a value: of lists the first and the last entry."""
    keys = (
        {*range(len(value))} & {0, len(value) - 1}
        if isinstance(value, list)
        else [*value]
        if isinstance(value, dict)
        else []
    )
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


def changed(value, path, change):
    """A value that is changed at a place."""
    if not path:
        return change(value)
    new = copy.copy(value)
    new[path[0]] = changed(value[path[0]], path[1:], change)
    return new


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_schema_accepts_what_is_written_and_refuses_other_types_and_fields(name, objects):
    free = re.compile(FREE.get(name, "(?!)"))
    for value in objects(name):
        assert faults(name, value) == []
        for path in places(value):
            place = "/".join(map(str, path))
            if not free.fullmatch(place):
                assert not validator(name).is_valid(changed(value, path, lambda _: [{"no": "such"}])), place
                if isinstance(path[-1], str) and name not in COLUMNED:
                    odd = changed(value, path[:-1], lambda inside: {**inside, "unheard of": {"no": "such"}})
                    assert not validator(name).is_valid(odd), place


BY_NAME = {
    "nulls", "rounded", "masked", "ignored", "models", "group", "parameters", "set", "settings", "profile", "key",
    "columns", "peers", "nonfinite",
}  # fmt: skip
"""Objects whose fields are called as something in the data, or of any option."""
OPTIONAL = {
    "overall", "samples", "charts", "profile", "n_clusters", "buckets", "id", "file", "join", "groups", "units",
    "cluster", "where", "limit", "rows_chosen", "compat", "columns", "weight_norm", "labels", "labels_id",
    "predictions", "models", "unmatched_predictions", "unmatched_labels", "nonfinite", "rows", "class_weight",
    "choices", "alone", "hole", "worst_rows", "compare", "doctor",
}  # fmt: skip
"""What is left out where it does not apply."""


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_schema_refuses_what_lacks_a_field(name, objects):
    free = re.compile(FREE.get(name, "(?!)"))
    for value in objects(name):
        for path in places(value):
            *inside, key = path
            place = "/".join(map(str, path))
            if isinstance(key, str) and not BY_NAME.intersection(inside[-1:]) and not free.fullmatch(place):
                lacking = changed(value, inside, lambda whole, key=key: {k: v for k, v in whole.items() if k != key})
                assert key in OPTIONAL or not validator(name).is_valid(lacking), place


def test_a_baseline_that_an_earlier_version_kept_is_one(sample_data):
    assert faults("baseline", json.loads((sample_data / "gates" / "main.json").read_text())) == []


def test_every_schema_is_one_by_its_own_schema():
    """As two programs see it."""
    files = [FOLDER / f"{name}.json" for name in NAMES]
    assert sorted(FOLDER.iterdir()) == sorted(files)
    for name in NAMES:
        jsonschema_rs.meta.validate(schema(name))
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


KEYWORDS = {
    "$schema", "$id", "$ref", "$defs", "title", "description", "type", "properties", "patternProperties", "required",
    "additionalProperties", "dependentRequired", "dependentSchemas", "items", "prefixItems", "minItems", "maxItems",
    "minProperties", "enum", "const", "anyOf", "oneOf", "default", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "pattern",
}  # fmt: skip


def parts(whole, named=False):
    """The schemas in a schema, itself among them; by name where they are the fields of an object."""
    if not named:
        yield whole
    for key, value in whole.items():
        if key == "dependentRequired" or (named and key == "nonfinite"):  # whose fields are told of already
            continue
        if isinstance(value, dict):
            yield from parts(
                value, not named and key in {"properties", "patternProperties", "$defs", "dependentSchemas"}
            )
        for each in value if isinstance(value, list) else ():
            if isinstance(each, dict):
                yield from parts(each)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_says_what_every_field_is_in_words_that_programs_know(name):
    whole = schema(name)
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert whole["$id"] == f"urn:lossctl:schema:{name}:{SCHEMA_VERSION}"
    for part in parts(whole):
        assert {*part} <= KEYWORDS
        for field, about in part.get("properties", {}).items():
            words = [way.get("description", "") for way in ([about] if "description" in about else about["anyOf"])]
            assert all(said.endswith((".", "…")) for said in words), field
        assert {*part.get("required", ())} <= {*part.get("properties", ())} or name == "config"


def test_what_is_shipped_is_made_of_the_classes_and_has_no_two_objects_of_one_name():
    known = {}
    for name in OUTPUTS:
        assert output_schema(name) == schema(name)
        for title, part in schema(name).get("$defs", {}).items():
            assert known.setdefault(title, part) == part


def test_two_objects_of_one_name_and_a_type_that_json_has_not_are_refused():
    schemas = Schemas()
    schemas.of(Object("Row", "A row.", {"n": Member(int)}))
    with pytest.raises(ValueError, match="Row"):
        schemas.of(Object("Row", "A row.", {"n": Member(str)}))
    with pytest.raises(TypeError):
        schemas.of(complex)


def test_what_may_be_of_several_types_is_so_with_the_limits_of_each():
    assert Schemas().of(int | str | None) == {"type": ["integer", "string", "null"], "minimum": 0}
    assert Schemas().of(list[int] | list[str])["anyOf"] == [
        {"type": "array", "items": {"type": "integer", "minimum": 0}}, {"type": "array", "items": {"type": "string"}},
    ]  # fmt: skip


def test_the_command_prints_what_is_shipped_and_lists_it(lossctl):
    listed = lossctl("schema")
    assert [line.split()[0] for line in listed.out.splitlines()[2:]] == sorted(NAMES)
    for name in NAMES:
        assert lossctl("schema", name).json == schema(name)
    wrong = lossctl("schema", "evl")
    assert wrong.status == 2
    assert "Did you mean eval" in wrong.err


def test_documents_that_are_not_as_their_schema_says_are_told_in_every_test(told):
    document = Document("title", record=lambda: {"charts": 3}, rows=lambda: [{"x": "wide"}], schema="plot")
    renderers.get("json").render(document, Style())
    renderers.get("jsonl").render(document, Style())
    document.to_dict()
    document.lines()
    assert {line.partition(":")[0] for line in told} == {"plot", "plot-line"}
    assert len(told) == len({*told}) * 2
    told.clear()


def test_schemas_are_open_to_fields_of_later_versions_and_closed_in_tests():
    value = {"losses": [], "activations": [], "schema_version": SCHEMA_VERSION, "lossctl": "9.9", "new": 1}
    assert jsonschema_rs.Draft202012Validator(schema("explain-list")).is_valid(value)
    assert faults("explain-list", value)
    assert closed(schema("explain-list"))["additionalProperties"] is False
