"""Detectors made from files: procedures as an operator names them, and models that are refused."""

import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import JobError
from tsformers.fdr import LOND, LORD, SAFFRON
from tsformers.streaming.detectors import ControlChoice, FitSettings, choose_procedure, make_detector


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
        (ControlChoice(name="AlphaInvesting", decay=0.9), "AlphaInvesting has no decay; leave decay= out"),
    ],
)
def test_a_procedure_that_cannot_be_had_is_refused(choice, message):
    with pytest.raises(JobError, match=message):
        choose_procedure(choice, SAFFRON())


@pytest.mark.filterwarnings("ignore:.*isolated value")
def test_a_detector_is_fitted_with_the_settings_given(place, tmp_path):
    settings = FitSettings(
        forecaster={"horizon": 4, "season_length": 24},
        detector={"refresh": 2, "p_value": "predictive"},
        control=ControlChoice(alpha=0.1, decay=0.9),
        seed=3,
    )
    detector, prefit = make_detector("SeasonalNaive", settings)
    history = pd.read_csv(place / "history.csv", parse_dates=["ds"])
    assert not prefit and detector.fit(history) is detector
    assert (detector.refresh, detector.seed, detector.control) == (2, 3, SAFFRON(alpha=0.1, decay=0.9))
    assert detector.forecaster_.season_length == 24
    tsf.SeasonalNaive(horizon=4).fit(detector.panel).save(tmp_path / "f")
    with pytest.raises(JobError, match="is fitted and takes no settings"):
        make_detector(str(tmp_path / "f"), settings)
    assert make_detector(str(tmp_path / "f"), FitSettings())[1]


def test_a_folder_does_not_hide_a_class_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SeasonalNaive").mkdir()
    detector, prefit = make_detector("SeasonalNaive", FitSettings(forecaster={"horizon": 1}))
    assert not prefit and type(detector.forecaster).__name__ == "SeasonalNaive"
