"""The long-horizon protocol: how it splits and scales, which windows it scores."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import JobError
from tsformers.reproduction.long_horizon import score_windows, split_dataset, split_frame

PUBLISHED = {  # all windows, then those of whole batches of 32
    ("national_illness", 36, 24): (6.213, 1.622, 6.587, 1.701),
    ("national_illness", 36, 36): (7.714, 1.906, 7.130, 1.884),
    ("national_illness", 36, 48): (7.851, 1.952, 6.575, 1.798),
    ("national_illness", 36, 60): (6.885, 1.788, 5.893, 1.677),
    ("exchange_rate_nominal", 96, 96): (0.081, 0.196, 0.081, 0.196),
    ("ETTh1", 96, 96): (1.294, 0.713, 1.295, 0.713),
}


def frame(parts=(60, 20, 40), series=3, seed=0):
    rng = np.random.default_rng(seed)
    names = np.repeat(["train", "validation", "test"], parts)
    frames = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": range(len(names)), "y": 5 * i + rng.normal(size=len(names)).cumsum()})
        for i in range(series)
    ]
    return pd.concat([each.assign(split=names) for each in frames], ignore_index=True)


@pytest.fixture(scope="module")
def split():
    return split_frame(frame(), "here", freq=1)


@pytest.mark.parametrize(("cell", "wanted"), PUBLISHED.items())
def test_the_last_value_repeated_gives_the_published_numbers(shared, monkeypatch, cell, wanted):
    """Splits, scaling, windows and errors at once; origin: Zeng et al. (2023) and the specification's own table."""
    monkeypatch.setenv("TSFORMERS_DATA", str(shared / "data"))
    name, context, horizon = cell
    data = split_dataset(name)
    model = tsf.SeasonalNaive(horizon=horizon, season_length=1, seed=0).fit(data.fitted_on)
    found = score_windows(model, data, context, n_samples=2)
    numbers = found.mse, found.mae, found.mse_32, found.mae_32
    assert tuple(round(number, 3) for number in numbers) == wanted


@pytest.mark.parametrize(
    ("name", "rows", "validation", "test"),
    [
        ("ETTh1", (8640, 2880, 2880), 2785, 2785),
        ("exchange_rate_nominal", (5311, 760, 1517), 665, 1422),
        ("national_illness", (676, 97, 193), 2, 98),
    ],
)
def test_borders_and_windows_are_those_of_the_papers(shared, monkeypatch, name, rows, validation, test):
    monkeypatch.setenv("TSFORMERS_DATA", str(shared / "data"))
    data = split_dataset(name)
    assert (data.train, data.validation, data.test) == rows
    assert data.panel.lengths.tolist() == [sum(rows)] * data.panel.n_series
    assert data.validation_windows(96) == validation and data.test - 96 + 1 == test


def test_the_training_part_alone_decides_the_units():
    rows = frame()
    before = split_frame(rows, "here", freq=1).panel.y.reshape(3, -1)
    later = rows.assign(y=rows["y"].where(rows["split"] == "train", 7.0))
    after = split_frame(later, "here", freq=1).panel.y.reshape(3, -1)
    np.testing.assert_array_equal(before[:, :60], after[:, :60])
    np.testing.assert_allclose(before[:, :60].mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(before[:, :60].std(axis=1, ddof=0), 1)


def test_fit_is_given_no_row_of_the_test_part(split):
    assert split.fitted_on.lengths.tolist() == [80] * 3
    np.testing.assert_array_equal(split.fitted_on.y.reshape(3, -1), split.panel.y.reshape(3, -1)[:, :80])


@dataclass
class Window:
    """Forecasts the mean of the context that it is given, and keeps it."""

    horizon: int = 6

    def predict(self, data, *, n_samples, seed):
        self.context = data.padded(10)
        values = np.repeat(self.context.mean(axis=1), self.horizon * n_samples).reshape(-1, n_samples, self.horizon)
        return tsf.Forecast(data.ids, data.future_times(self.horizon), values)


def test_every_window_is_scored_and_the_first_whole_batches_apart(split):
    y = split.panel.y.reshape(3, -1)
    squared, absolute = [], []
    for cutoff in range(80, 120 - 6 + 1):
        error = y[:, cutoff : cutoff + 6] - y[:, cutoff - 10 : cutoff].mean(axis=1, keepdims=True)
        squared.append(np.square(error).mean())
        absolute.append(np.abs(error).mean())
    found = score_windows(Window(), split, 10, n_samples=2)
    assert (found.windows, found.windows_32) == (35, 32) == (len(squared), 32)
    assert (found.mse, found.mae) == pytest.approx((np.mean(squared), np.mean(absolute)))
    assert (found.mse_32, found.mae_32) == pytest.approx((np.mean(squared[:32]), np.mean(absolute[:32])))
    assert found.crps == pytest.approx(found.mae) and found.coverage_80 == 0  # all its draws are alike


def test_windows_come_in_the_same_order_however_many_are_forecast_at_a_time(split, monkeypatch):
    whole = score_windows(Window(), split, 10, n_samples=2)
    monkeypatch.setattr("tsformers.reproduction.long_horizon.MOST_DRAWN", 100)
    assert score_windows(Window(), split, 10, n_samples=2) == whole


@pytest.mark.parametrize("multivariate", [False, True])
def test_a_network_forecasts_many_windows_at_once_and_is_scored_on_its_own_forecasts(split, multivariate):
    settings = {"max_steps": 20, "context_length": 10, "likelihood": "squared_error", "seed": 0}
    model = tsf.Linear(horizon=6, multivariate=multivariate, **settings).fit(split.fitted_on)
    found = score_windows(model, split, 10, n_samples=20)
    y, errors = split.panel.y.reshape(3, -1), []
    for cutoff in range(80, 115):
        forecast = model.predict(split.panel.until(split.panel.offsets[:-1] + cutoff), n_samples=2, seed=0)
        errors.append(forecast.mean - y[:, cutoff : cutoff + 6])
    assert found.mse == pytest.approx(np.square(errors).mean(), rel=1e-5)
    assert 0 < found.crps < found.mae and 0.2 < found.coverage_80 < 1


def test_quantiles_are_scored_as_quantiles(split):
    model = tsf.Linear(horizon=6, context_length=10, max_steps=20, likelihood="quantile", seed=0).fit(split.fitted_on)
    found = score_windows(model, split, 10)
    assert 0 < found.crps < found.mae and 0.2 < found.coverage_80 < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.replace({"split": {"validation": "train"}}), "must have rows of train, validation, test"),
        (lambda f: f.drop(index=119), "same times and the same parts"),
        (lambda f: f.drop(index=50), "same times and the same parts"),
        (lambda f: f.assign(split=f["split"].to_numpy()[::-1]), "in that order"),
    ],
)
def test_a_frame_that_the_protocol_cannot_split_is_refused(change, message):
    with pytest.raises(JobError, match=message):
        split_frame(change(frame()), "here", freq=1)


def test_a_horizon_longer_than_a_part_and_a_set_without_split_are_refused(split):
    with pytest.raises(JobError, match="horizon 21 exceeds the validation part of 20"):
        split.validation_windows(21)
    with pytest.raises(JobError, match="has no split of its own"):
        split_dataset("bees_changepoints")
