"""Detectors made from files: procedures as an operator names them, and models that are refused."""

import pytest

import tsformers as tsf
from tsformers.errors import JobError
from tsformers.fdr import LOND, LORD, SAFFRON
from tsformers.streaming.detectors import ControlChoice, FitSettings, choose_procedure, fit_and_save, fit_detector


def test_a_procedure_keeps_what_is_left_open():
    current = LORD(alpha=0.2, decay=0.9)
    assert choose_procedure(ControlChoice(), current) is current
    assert choose_procedure(ControlChoice(alpha=0.1), current) == LORD(alpha=0.1, decay=0.9)
    assert choose_procedure(ControlChoice(name="LORD", decay=0.8), current) == LORD(alpha=0.2, decay=0.8)
    assert choose_procedure(ControlChoice(name="SAFFRON"), current) == SAFFRON(alpha=0.2)
    assert choose_procedure(ControlChoice(name="LOND", alpha=0.3), current) == LOND(alpha=0.3)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ControlChoice(name="LORDY"), "there is no procedure 'LORDY'; did you mean 'LORD'"),
        (ControlChoice(name="AlphaInvesting", decay=0.9), "AlphaInvesting has no decay; leave --decay out"),
    ],
)
def test_a_procedure_that_cannot_be_had_is_refused(choice, message):
    with pytest.raises(JobError, match=message):
        choose_procedure(choice, SAFFRON())


def test_a_detector_is_fitted_with_the_settings_given(place, tmp_path):
    settings = FitSettings(
        forecaster={"horizon": 4, "season_length": 24},
        detector={"refresh": 2, "p_value": "predictive"},
        control=ControlChoice(alpha=0.1, decay=0.9),
        seed=3,
    )
    detector = fit_detector(str(place / "history.csv"), "SeasonalNaive", settings)
    assert (detector.refresh, detector.seed, detector.control) == (2, 3, SAFFRON(alpha=0.1, decay=0.9))
    assert detector.forecaster_.season_length == 24
    with pytest.raises(JobError, match="--save keeps it; name a folder"):
        fit_and_save(str(place / "history.csv"), "SeasonalNaive", None, settings)
    tsf.SeasonalNaive(horizon=4).fit(detector.panel).save(tmp_path / "f")
    with pytest.raises(JobError, match="is fitted and takes no --set"):
        fit_detector(str(place / "history.csv"), str(tmp_path / "f"), settings)


@pytest.mark.parametrize("role", ["id_col", "time_col", "target_col"])
@pytest.mark.parametrize("name", ["level", "row", "status"])
def test_a_detector_whose_decisions_would_lose_a_column_is_refused_before_the_file_is_read(role, name):
    with pytest.raises(tsf.DataError, match=f"column '{name}' of the data has the name of a column of the decisions"):
        fit_detector("no such file.csv", "SeasonalNaive", FitSettings(forecaster={"horizon": 1}, roles={role: name}))
