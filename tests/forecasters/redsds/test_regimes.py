"""What REDSDS reports of its regimes: the table, the charts, the warning."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
import tsformers.forecasters.redsds.regimes as regimes
import tsformers.forecasters.redsds.segmentation as segmentation
from tsformers.forecasters.redsds import TemperatureAnnealing


@pytest.mark.parametrize("residual", [False, True])
def test_regimes_are_described_and_survive_save_and_load(model, frame, tmp_path, residual):
    fitted = model(
        transition="linear", residual=residual, max_steps=25, annealing=TemperatureAnnealing(duration_temperature=8.0)
    ).fit(frame)
    table = fitted.regimes_
    assert table["share"].sum() == pytest.approx(1)
    assert np.stack(table["durations"]).shape == (2, 6)
    np.testing.assert_allclose(np.stack(table["durations"]).sum(1), 1)
    np.testing.assert_allclose(np.stack(table["durations"]) @ np.arange(1, 7), table["mean_duration"])
    weight = fitted.network_.model.transition.first.weight.detach().numpy().reshape(2, 8, -1)
    np.testing.assert_allclose(np.stack(table["matrix"]), weight[:, :4, :4] + residual * np.eye(4))
    share = fitted.segment(frame)["regime"].value_counts(normalize=True)
    np.testing.assert_allclose(table["share"], [share.get(k, 0.0) for k in (0, 1)])
    fitted.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    pd.testing.assert_frame_equal(loaded.regimes_, table)
    pd.testing.assert_frame_equal(loaded.usage_, fitted.usage_)
    pd.testing.assert_frame_equal(loaded.segment(frame), fitted.segment(frame))
    assert float(loaded.network_.duration_temperature) == float(fitted.network_.duration_temperature) < 8


def test_a_warning_names_a_regime_that_takes_all_steps_and_the_remedy():
    usage = pd.DataFrame({"step": [100, 200], "0": [0.6, 0.001], "1": [0.4, 0.999]})
    with pytest.warns(UserWarning, match=r"regime 1 holds 99.9 % .* higher temperature at the start"):
        regimes.warn_if_collapsed(usage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regimes.warn_if_collapsed(usage.head(1))
        regimes.warn_if_collapsed(usage.assign(step=[1, 2]))
        regimes.warn_if_collapsed(usage[["step", "0"]])


def test_runs_and_changes_are_counted_within_series_only(model, frame, monkeypatch):
    regime = np.array([0, 0, 1, 1, 1, 0, 1, 1])
    answer = segmentation.Steps(regime, np.ones(8), np.ones(8), np.full((2, 6), 1 / 6))
    some = model().fit(frame)
    monkeypatch.setattr(regimes, "segment_panel", lambda *_: answer)
    table = pd.DataFrame({"unique_id": list("aaaabbbb"), "ds": [0, 1, 2, 3] * 2, "y": [0.0, 1, 3, 5, 9, 9, 4, np.nan]})
    found = regimes.describe(some, tsf.Panel.from_frame(table))
    np.testing.assert_allclose(found["share"], [3 / 8, 5 / 8])
    np.testing.assert_allclose(found["mean_run"], [3 / 2, 5 / 3])
    np.testing.assert_allclose(found["drift"], [(1 + 0) / 2, (2 + 2 - 5) / 3])
    np.testing.assert_allclose(found["spread"], [np.std([1, 0]), np.std([2, 2, -5])])


def test_charts_show_series_and_durations(fitted, frame):
    figure = fitted.plot_segments(frame, ids=["s1", "s0"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["s1", "s0"]
    lines = figure.axes[0].get_lines()
    drawn = np.nanmax(np.stack([line.get_ydata() for line in lines]), axis=0)
    np.testing.assert_allclose(drawn, frame[frame["unique_id"] == "s1"]["y"])
    bars = fitted.plot_durations()
    assert [len(axes.patches) for axes in bars.axes] == [6, 6]
    assert bars.axes[0].get_title(loc="left").startswith("regime 0: ")
    with pytest.raises(ValueError, match="'nobody' is not in the data"):
        fitted.plot_segments(frame, ids="nobody")
