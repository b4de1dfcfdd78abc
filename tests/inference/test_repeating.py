"""Rows of one patient, user or session are said to repeat where it is asked how sure values are, and kinds are not."""

import numpy as np
import pytest
from stored import write_lines

import lossctl as library
from lossctl.inference.repeating import repeating
from lossctl.reading.files import open_source

N = 60
LABEL, GUESS = np.tile([0.0, 1.0], N // 2), np.linspace(0.2, 0.8, N)
VISITS = np.repeat(np.arange(20), 3)


def told(**columns):
    return repeating([open_source({"label": LABEL, "p": GUESS, **columns}, None, {})], {"label", "p"})


@pytest.mark.parametrize(
    "name", ["patient_id", "PatientID", "Patient No", "user", "session", "end_user_id", "question_id", "uuid", "id"]
)
@pytest.mark.parametrize("cells", [VISITS, VISITS.astype(str), VISITS[::-1] + 10**15, VISITS % 10], ids=len)
def test_a_column_that_says_of_whom_rows_are_is_told(name, cells):
    repeats = told(other=np.arange(N), **{name: cells})
    assert (repeats.column, repeats.rows, repeats.units, repeats.whole) == (name, N, len({*cells.tolist()}), True)


@pytest.mark.parametrize(("name", "cells"), [
    ("sex", VISITS % 2), ("model", VISITS), ("model_id", VISITS), ("fold_id", VISITS), ("class_id", VISITS),
    ("country_id", VISITS), ("token_id", VISITS), ("price", VISITS), ("visit", VISITS), ("target_id", VISITS),
    ("user", VISITS % 9), ("user_id", np.arange(N)), ("user_id", [*range(N - 5), *range(5)]), ("row", np.arange(N)),
    ("user_id", [None] * N), ("Unnamed: 0", VISITS),
])  # fmt: skip
def test_kinds_of_rows_few_of_whom_and_ids_of_single_rows_are_not(name, cells):
    assert told(**{name: cells}) is None


def test_whom_rows_are_of_comes_before_other_ids():
    assert told(ad_id=VISITS, visit_id=np.arange(N), patient=VISITS // 2).column == "patient"


@pytest.fixture
def cohort(tmp_path):
    lines = (
        f"{row},{of},{row % 3},{label:g},{p}" for row, of, label, p in zip(range(N), VISITS, LABEL, GUESS, strict=True)
    )
    return write_lines(tmp_path / "cohort.csv", "id,patient_id,visit,label,p", *lines)


SAID = "rows of one patient_id repeat (60 rows of 20) and count as independent; --cluster patient_id takes that into"
TWO = ("compare", "-p", "a=p", "-p", "b=p")


@pytest.mark.parametrize(("command", "said"), [
    (TWO, True), ((*TWO, "--cluster", "patient_id"), False), ((*TWO, "--lags", "2"), False),
    ((*TWO, "--by", "patient_id"), False), ((*TWO, "--where", "visit == 1"), False), (("eval",), False),
    (("eval", "--ci", "0.9"), True), (("eval", "--ci", "0.9", "--where", "visit < 1"), False),
    (("baseline", "save", "--id", "id", "-o", "b.json"), True),
    (("baseline", "save", "--id", "patient_id,visit", "-o", "b.json"), True),
    (("baseline", "save", "--id", "id", "--cluster", "patient_id", "-o", "b.json"), False),
], ids=lambda part: " ".join(part) if isinstance(part, tuple) else "")  # fmt: skip
def test_it_is_said_once_where_it_matters(lossctl, cohort, command, said, monkeypatch):
    monkeypatch.chdir(cohort.parent)
    done = lossctl(*command, "-l", "bce", cohort)
    assert done.status == 0, done.err
    assert done.err.count("repeat") == done.err.replace("\n", " ").count(SAID) == said


def test_gates_and_the_doctor_say_it(lossctl, cohort):
    gate = ["[[gate]]", 'name = "g"', 'loss = "bce"', "max = 1"]
    done = lossctl("check", cohort, "--config", write_lines(cohort.parent / "c.toml", *gate))
    assert done.err.count(SAID) == 1
    assert "repeating-rows" in lossctl("doctor", cohort).out
    assert "repeating-rows" not in lossctl("doctor", cohort, "--where", "visit == 1").out


@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_a_join_says_it_of_a_column_that_it_does_not_carry(side):
    ids = np.arange(N)
    sides = {"predictions": {"id": ids, "p": GUESS}, "labels": {"id": ids, "label": LABEL}}
    sides[side]["user_id"] = VISITS
    report = library.evaluate(sides["predictions"], "bce", labels=sides["labels"], ids="id", ci=0.95)
    assert [note for note in report.notes if "user_id" in note and "cluster" in note]
    clustered = library.evaluate(sides["predictions"], "bce", labels=sides["labels"], ids="id", cluster="user_id")
    assert clustered.results[0].n_clusters == 20


def test_a_file_a_model_says_it_of_any_of_them():
    sides = [{"id": np.arange(N), "p": GUESS, **more} for more in ({"label": LABEL}, {"user_id": VISITS})]
    comparison = library.compare(sides[0], "bce", others={"new": sides[1]}, ids="id")
    assert [note for note in comparison.notes if "user_id" in note and "cluster" in note]
