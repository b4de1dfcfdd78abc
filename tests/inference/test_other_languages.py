"""Tables as spreadsheets of other countries write them: decimal commas, points between thousands, names of roles."""

import shlex

import pytest

import lossctl as library
from lossctl.errors import LossctlError

LABELS = [2110.5, 1909.5, 904.5, 1105.5]
FORECASTS = [2006.0, 2800.0, 800.0, 1400.0]
MAE = (104.5 + 890.5 + 104.5 + 294.5) / 4


def german(number):
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def table(tmp_path, names, times=1):
    path = tmp_path / "absatz.csv"
    rows = [
        f"S0{1 + (at > 1)};0{at + 1}.01.2024;{german(LABELS[at])};{german(FORECASTS[at])};1,5{at}" for at in range(4)
    ]
    path.write_text("\n".join([f"Filiale;Datum;{';'.join(names)};Preis", *(rows * times)]) + "\n")
    return path


@pytest.mark.parametrize("typed", [(), ("--decimal", ","), ("--decimal=,",), ("--thousands", ".", "--decimal", ",")])
@pytest.mark.parametrize("times", [1, 30])
def test_numbers_with_points_and_commas_have_a_line_that_measures_them(lossctl, tmp_path, typed, times):
    path = table(tmp_path, ("Ist", "Prognose"), times)
    done = lossctl("eval", path, "-d", ";", "-l", "mae", "-f", "json", *typed)
    if len(typed) < 3:
        assert done.status == 2
        (line,) = [line for line in done.err.splitlines() if line.startswith("  lossctl")]
        assert line.count("--decimal") == line.count("--thousands") == 1
        done = lossctl(*shlex.split(line)[1:])
    assert [(each["loss"], each["value"]) for each in done.json["results"]] == [("mae", pytest.approx(MAE))]


@pytest.mark.parametrize("names", [("Menge", "Wert"), ("Wert", "Menge")])
def test_of_few_rows_without_names_words_are_no_labels_of_prices(lossctl, tmp_path, names):
    done = lossctl("eval", table(tmp_path, names), "-d", ";", "--decimal", ",", "--thousands", ".")
    assert done.status == 2
    assert "-y Filiale" not in done.err
    assert "-l bce" not in done.err


@pytest.mark.parametrize(
    ("label", "forecast"),
    [
        ("Ist", "Prognose"),
        ("Istwert", "Vorhersage"),
        ("Umsatz_Ist", "Umsatz_Prognose"),
        ("réel", "prévision"),
        ("Real", "Pronóstico"),
        ("real", "previsão"),
        ("valor_real", "prediccion"),
        ("reale", "previsione"),
        ("werkelijk", "voorspelling"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_labels_and_forecasts_are_known_by_their_names(label, forecast, turned):
    pairs = {label: LABELS, forecast: FORECASTS}
    rows = {"price": [1.5, 2.5, 2.0, 1.75], **{name: pairs[name] for name in sorted(pairs, reverse=turned)}}
    report = library.evaluate(rows, "mape")
    expected = 100 * sum(abs(p - y) / y for y, p in zip(LABELS, FORECASTS, strict=True)) / 4
    assert report.value == pytest.approx(expected)


def test_what_is_real_is_no_label_beside_what_is_fake():
    rows = {"label": ["real", "fake"] * 10, "real": [0.75, 0.25] * 10, "fake": [0.25, 0.75] * 10}
    assert library.evaluate(rows, "cross_entropy").value == pytest.approx(0.28768207245178085)
    with pytest.raises(LossctlError):
        library.evaluate({"real": [0.75, 0.25] * 10, "fake": [0.25, 0.75] * 10}, "mse")
