"""Explanations of an Autoformer: the parts of its forecast, and the periods of its encoder."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tsformers.errors import DataError
from tsformers.forecasters.autoformer.explain import peaks
from tsformers.forecasters.autoformer.forecaster import Autoformer
from tsformers.testing import make_frame

TINY = {"horizon": 4, "d_model": 8, "n_heads": 2, "d_ff": 16, "max_steps": 4, "seed": 0, "verbose": False}


def tiny(**changes):
    return Autoformer(**(TINY | {"context_length": 14} | changes))


def seasonal_frame(rng, n_series=3, rows=300, season=24):
    shape = rng.normal(size=(n_series, season))
    t = np.arange(rows)
    parts = [
        pd.DataFrame(
            {"unique_id": f"s{i}", "ds": t, "y": 100 * i + 10 * row[t % season] + 0.05 * t + rng.normal(size=rows)}
        )
        for i, row in enumerate(shape)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("max_steps", [2, 40])
def test_on_data_of_period_24_the_heaviest_lag_is_a_multiple_of_24(rng, max_steps):
    model = Autoformer(horizon=24, context_length=96, d_model=16, d_ff=32, max_steps=max_steps, seed=1, verbose=False)
    periods = model.fit(seasonal_frame(rng)).periods()
    heaviest = periods.groupby("unique_id").first()
    assert set(heaviest.index) == {"s0", "s1", "s2"}
    assert (heaviest["lag"] % 24 == 0).all()
    np.testing.assert_allclose(periods.groupby("unique_id")["weight"].sum(), 1)
    assert periods["lag"].between(1, 48).all()
    assert (periods.groupby("unique_id")["weight"].diff().dropna() <= 0).all()


def test_on_data_of_period_10_it_is_not(rng):
    model = Autoformer(horizon=10, context_length=100, d_model=16, d_ff=32, max_steps=2, seed=1, verbose=False)
    heaviest = model.fit(seasonal_frame(rng, season=10)).periods().groupby("unique_id").first()
    assert (heaviest["lag"] % 10 == 0).all()


def test_the_parts_of_the_context_sum_to_the_series_and_those_of_the_forecast_to_its_mean():
    frame = make_frame(n_series=3, rows=60).dropna()
    model = tiny(likelihood="squared_error").fit(frame)
    parts = model.decompose()
    assert parts.columns.tolist() == ["unique_id", "ds", "part", "trend", "seasonal"]
    context, forecast = (parts[parts["part"] == name] for name in ("context", "forecast"))
    total = (context["trend"] + context["seasonal"]).to_numpy()
    actual = frame.merge(context[["unique_id", "ds"]])["y"].to_numpy()
    np.testing.assert_allclose(total, actual, rtol=1e-5)
    expected = model.predict(n_samples=2).to_frame(())  # antithetic pairs: their mean is the centre
    np.testing.assert_allclose(forecast["trend"] + forecast["seasonal"], expected["mean"], rtol=1e-5)
    assert forecast["ds"].tolist() == expected["ds"].tolist()
    assert forecast["unique_id"].tolist() == expected["unique_id"].tolist()


@pytest.mark.parametrize("likelihood", ["student_t", "quantile", "normal"])
@pytest.mark.parametrize("multivariate", [False, True])
def test_a_level_changes_the_trend_alone(rng, likelihood, multivariate):
    frame = seasonal_frame(rng, rows=60)
    model = tiny(likelihood=likelihood, multivariate=multivariate).fit(frame)
    before, after = model.decompose(), model.decompose(frame.assign(y=frame["y"] + 1e4))
    np.testing.assert_allclose(after["trend"], before["trend"] + 1e4, rtol=1e-6)
    np.testing.assert_allclose(after["seasonal"], before["seasonal"], atol=1e-2)


def test_other_data_come_back_under_their_own_names_and_frame_type():
    frame = pl.from_pandas(
        make_frame(n_series=2, rows=60).rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"})
    )
    model = tiny().fit(frame, id_col="shop", time_col="day", target_col="sold")
    parts, periods = model.decompose(frame.head(40)), model.periods(frame.head(40))
    assert isinstance(parts, pl.DataFrame)
    assert parts.columns == ["shop", "day", "part", "trend", "seasonal"]
    assert parts["day"].dtype == frame["day"].dtype
    assert len(parts) == 14 + 4
    assert periods.columns == ["shop", "lag", "weight"]


def test_a_channel_that_begins_late_has_no_parts_before_it_begins():
    frame = pd.DataFrame(
        {"unique_id": ["a"] * 40 + ["b"] * 9, "ds": [*range(40), *range(31, 40)], "y": np.arange(49.0)}
    )
    parts = tiny(multivariate=True).fit(frame).decompose()
    assert parts.groupby(["unique_id", "part"]).size().to_dict() == {
        ("a", "context"): 14, ("a", "forecast"): 4, ("b", "context"): 9, ("b", "forecast"): 4
    }  # fmt: skip
    late = parts[(parts["unique_id"] == "b") & (parts["part"] == "context")]
    assert late["ds"].tolist() == list(range(31, 40))
    np.testing.assert_allclose(late["trend"] + late["seasonal"], np.arange(40.0, 49.0), rtol=1e-5)


def test_known_covariates_are_required_as_in_predict():
    frame = make_frame(n_series=1, rows=60).assign(price=1.0)
    model = tiny().fit(frame, known=["price"])
    with pytest.raises(DataError, match="price"):
        model.decompose()
    days = pd.date_range(frame["ds"].max(), periods=5, freq="D")[1:]
    future = pd.DataFrame({"unique_id": frame["unique_id"].iloc[0], "ds": days, "price": 0.5})
    assert len(model.decompose(future=future)) == 18


def test_explaining_changes_neither_model_nor_forecast():
    model = tiny().fit(make_frame(n_series=2, rows=60))
    before = model.predict().values
    model.periods()
    model.decompose()
    np.testing.assert_array_equal(model.predict().values, before)
    assert not model.network_._forward_pre_hooks


def test_the_figure_shows_value_trend_season_and_periods(rng):
    model = Autoformer(**(TINY | {"context_length": 96, "horizon": 24})).fit(seasonal_frame(rng, n_series=4))
    figure = model.plot_decomposition()
    assert [axes.get_title(loc="left") for axes in figure.axes][::3] == ["s0", "s1", "s2"]
    parts, periods = model.decompose(), model.periods()
    level, season, bars = model.plot_decomposition(ids="s3").axes
    own = parts[parts["unique_id"] == "s3"]
    np.testing.assert_allclose(level.lines[2].get_ydata(), own["trend"])
    np.testing.assert_allclose(season.lines[0].get_ydata(), own["seasonal"].head(96))
    segments = np.array(bars.collections[0].get_segments())
    np.testing.assert_allclose(segments[:, 1, 1], periods.loc[periods["unique_id"] == "s3", "weight"])
    assert figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="'nobody' is not in the data"):
        model.plot_decomposition(ids=["nobody"])


def test_an_autocorrelation_without_a_peak_has_no_period():
    lags, weights = peaks(np.array([1.0, 0.5, 0.1, -0.2, 0.1, 0.5]))
    assert len(lags) == len(weights) == 0
    assert len(peaks(np.array([1.0]))[0]) == 0


def test_periods_have_the_columns_of_joined_ids(rng):
    frame = seasonal_frame(rng, n_series=2, rows=60, season=6)
    frame = frame.assign(shop="n", item=frame["unique_id"].map({"s0": 7, "s1": 8})).drop(columns="unique_id")
    periods = tiny().fit(frame, id_col=["shop", "item"]).periods()
    assert [*periods.columns] == ["shop", "item", "lag", "weight"] and set(periods["item"]) == {7, 8}
