"""Columns whose names say a class, which other tools took by position."""

import pytest
from reported import Reported

ENTROPY = 0.36354803967297761
"""−(ln 0.7 + ln 0.6 + ln 0.8) / 3 by mpmath: label k belongs to the column that says k."""
ROWS = "1,0.7,0.2,0.1\n2,0.3,0.6,0.1\n1,0.8,0.1,0.1\n"
REPORTED = Reported(
    "classes in the names of columns",
    "https://github.com/openml/automlbenchmark/pull/207, https://catboost.ai/docs/en/concepts/output-data_model-value-output.md",
    {
        "ok.csv": "y,p1,p2,p3\n" + ROWS,
        "under.csv": "y,prob_class1,prob_class2,prob_class3\n" + ROWS,
        "order.csv": "y,2_prob,0_prob,1_prob\n0,0.1,0.7,0.2\n1,0.1,0.3,0.6\n2,0.8,0.1,0.1\n",
        "catboost.tsv": "SampleId\tProbability:Class=1\tProbability:Class=2\tProbability:Class=3\tLabel\n"
        "0\t0.7\t0.2\t0.1\t1\n1\t0.3\t0.6\t0.1\t2\n2\t0.8\t0.1\t0.1\t1\n",
    },
    {
        "eval ok.csv -y y -p 'p?' -l cross_entropy": [ENTROPY],
        "eval under.csv -y y -p 'prob*' -l cross_entropy": [ENTROPY],
        "eval order.csv -y y -p '*_prob' -l cross_entropy": [ENTROPY],
        "eval catboost.tsv -y Label -p 'Probability*' -l cross_entropy": [ENTROPY],
        "doctor catboost.tsv -y Label -p 'Probability*'": {"rows": 3, "runs": True},
    },
)


@pytest.mark.parametrize("reported", [REPORTED], ids=lambda reported: reported.name)
def test_what_people_reported_comes_out_right(reported, lossctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reported.hold(lossctl, tmp_path)
