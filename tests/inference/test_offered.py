"""A loss of several numbers for one is offered the columns that are named for it, with what their names say."""

import shlex

import numpy as np
import pytest

rng = np.random.default_rng(3)
N = 120
Y = rng.normal(10, 3, N)
MEAN = Y + rng.normal(size=N)


def deviation(scale):
    return np.mean(np.log(scale) + 0.5 * ((MEAN - Y) / scale) ** 2)


def width_and_misses(alpha):
    """The mean interval score of MEAN ± 1."""
    low, high = MEAN - 1, MEAN + 1
    return np.mean(high - low + 2 / alpha * (np.maximum(low - Y, 0) + np.maximum(Y - high, 0)))


def written(path, names, columns):
    every = np.column_stack([Y, *columns])
    np.savetxt(path, every, delimiter=",", header=",".join(("y", *names)), comments="", fmt="%.17g")
    return path


def offered(lossctl, *arguments):
    """The lines that a refusal offers, and what the first of them comes to."""
    refused = lossctl("eval", *arguments)
    assert refused.status == 2, refused.err
    lines = [line.strip() for line in refused.err.splitlines() if line.startswith("  lossctl eval")]
    values = [lossctl(*shlex.split(line)[1:], "--format", "json") for line in lines]
    assert [value.status for value in values] == [0] * len(lines), values[0].err
    return refused.err, lines, [value.json["results"][0]["value"] for value in values]


SPREAD = np.exp(rng.normal(0, 0.1, N))
SCALES = [
    *((name, SPREAD) for name in ("sigma", "std", "sd", "scale", "pred_std", "stderr")),
    *((name, SPREAD**2) for name in ("var", "variance", "sigma2", "pred_var")),
    *((name, np.log(SPREAD)) for name in ("log_std", "LogSigma", "log_scale")),
]


@pytest.mark.parametrize(("name", "column"), SCALES, ids=[name for name, _ in SCALES])
def test_a_scale_is_what_its_name_says(name, column, lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("mu", name), (MEAN, column))
    said, lines, values = offered(lossctl, path, "-l", "gaussian_nll", *(["-p", "mu"] if name == "sigma" else []))
    assert "gaussian_nll needs a prediction of 2 columns, mean and scale" in said
    assert len(lines) == 1
    assert f"-p mu,{name}" in lines[0]
    assert values[0] == pytest.approx(deviation(SPREAD), rel=1e-12)


def test_what_a_scale_is_that_no_name_tells_is_asked_and_the_logarithm_of_a_variance_is_to_be_halved(lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("mu", "uncertainty"), (MEAN, SPREAD))
    _, lines, values = offered(lossctl, path, "-l", "gaussian_nll")
    assert [line.rpartition("=")[2] for line in lines] == ["std", "var", "log_std"]
    assert values[:2] == pytest.approx([deviation(SPREAD), deviation(np.sqrt(SPREAD))])
    path = written(tmp_path / "rows.csv", ("mu", "log_var"), (MEAN, 2 * np.log(SPREAD)))
    for asked in ([], ["-l", "gaussian_nll"], ["-l", "gaussian_nll", "-y", "y", "-p", "mu,log_var"]):
        refused = lossctl("eval", path, *(asked or ["-p", "mu,log_var"]))
        assert "alf of the logarithm of a variance" in refused.err


@pytest.mark.parametrize(
    ("names", "asked", "alphas"),
    [
        ("lo-80 hi-80", "interval", [0.2]),
        ("q05 q95", "winkler", [0.1]),
        ("p2.5 p97.5", "interval_score", [0.05]),
        ("yhat_lower yhat_upper", "interval", [0.2, 0.1, 0.05]),
        ("lower upper", "interval", [0.1, 0.05]),
        ("lower upper", "interval:alpha=0.3", [0.3]),
        ("lo-80 hi-80", "interval:alpha=0.3", [0.3]),
    ],
)
def test_an_interval_is_of_the_columns_that_are_its_ends(names, asked, alphas, lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("yhat", *names.split()), (MEAN, MEAN - 1, MEAN + 1))
    said, lines, values = offered(lossctl, path, "-l", asked)
    assert ("their names do not say" in said) == (len(alphas) > 1)
    assert all(f"-y y -p {','.join(names.split())}" in line for line in lines)
    assert values == pytest.approx([*map(width_and_misses, alphas)])


def test_quantiles_and_a_mean_with_its_deviation_are_offered_for_a_score_of_distributions(lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("q10", "q50", "q90"), (MEAN - 1, MEAN, MEAN + 1))
    assert [line.partition(" -y ")[2] for line in offered(lossctl, path, "-l", "crps")[1]] == [
        "y -p q10,q50,q90 -l quantiles"
    ]
    path = written(tmp_path / "rows.csv", ("mu", "sigma"), (MEAN, SPREAD))
    assert [line.partition(" -y ")[2] for line in offered(lossctl, path, "-l", "crps")[1]] == [
        "y -p mu,sigma -l crps_gaussian"
    ]


@pytest.mark.parametrize("loss", ["interval", "gaussian_nll", "crps_gaussian", "margin_ranking"])
def test_parts_that_no_column_is_named_for_are_asked_of_the_columns_there_are(loss, lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("pred", "other"), (MEAN, MEAN))
    refused = lossctl("eval", path, "-l", loss)
    assert refused.status == 2
    assert "Columns of numbers: y, pred, other." in refused.err


@pytest.mark.parametrize(
    ("pattern", "loss"), [("q10=0.1", "quantile:tau=0.1"), ("q10=.1,q90=0.9", "quantiles:tau=.1/0.9")]
)
def test_a_level_behind_a_column_is_refused_with_where_it_stands(pattern, loss, lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("q10", "q90"), (MEAN - 1, MEAN + 1))
    refused = lossctl("eval", path, "-y", "y", "-p", pattern, "-l", "pinball")
    assert refused.status == 2
    _, _, line = refused.err.partition("Levels are the loss's: ")
    assert line.strip().endswith(f"--loss {loss}.")
    assert lossctl("eval", path, "-y", "y", *shlex.split(line.strip().removesuffix("."))).status == 0


@pytest.mark.parametrize("figure", ["coverage", "sharpness", "auc"])
def test_a_figure_that_doctor_has_is_said_with_the_line_of_doctor_for_this_file(figure, lossctl, tmp_path):
    path = written(tmp_path / "rows.csv", ("yhat", "lower", "upper"), (MEAN, MEAN - 1, MEAN + 1))
    asked = ("-y", "y", "--pred=yhat")
    refused = lossctl("eval", path, "-l", figure, "--skill", *asked, "--ci=0.9" if figure == "auc" else "-q")
    line = refused.err.splitlines()[-1]
    assert line == f"  lossctl doctor {path} -y y --pred=yhat"
    told = lossctl(*shlex.split(line)[1:])
    assert told.status == 0
    assert "mean width is 2" in told.out
