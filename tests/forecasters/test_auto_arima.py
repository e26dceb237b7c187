"""AutoARIMA: numbers of R, coverage, exact data, missing rows, units and regressors."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import DataWarning

QUIET = {"seed": 0, "n_jobs": 1, "verbose": False}
# Season, and orders and AICc of forecast::auto.arima in R: as published, or as its port statsforecast 2.1.1 computes
OF_R = {
    "USAccDeaths": (12, 857.32, (0, 1, 1), (0, 1, 1)),
    "austourists": (4, 293.75, (1, 0, 0), (1, 1, 0)),
    "airmiles": (1, 375.30, (0, 2, 1), (0, 0, 0)),
    "AirPassengers": (12, 1018.17, (2, 1, 1), (0, 1, 0)),
    "nhtemp": (1, 187.76, (0, 1, 1), (0, 0, 0)),
    "WWWusage": (1, 514.55, (1, 1, 1), (0, 0, 0)),
    "Nile": (1, 1267.51, (1, 1, 1), (0, 0, 0)),
    "lynx": (1, 1876.95, (2, 0, 2), (0, 0, 0)),
    "ausbeer": (4, 1783.51, None, None),
    "ldeaths": (12, 847.95, None, None),
    "austa": (1, -14.46, (0, 1, 1), (0, 0, 0)),
    "oil": (1, 511.01, (0, 1, 0), (0, 0, 0)),
    "lh": (1, 65.30, (1, 0, 0), (0, 0, 0)),
    "debitcards": (12, 389.75, (3, 0, 0), (0, 1, 1)),
}


def frame_of(y, freq="D", **columns):
    times = pd.date_range("2000-01-03", periods=len(y), freq=freq)
    return pd.DataFrame({"unique_id": "a", "ds": times, "y": y, **columns})


def panel_of(rows, freq="D"):
    frames = [frame_of(y, freq).assign(unique_id=f"s{i:02d}") for i, y in enumerate(rows)]
    return pd.concat(frames, ignore_index=True)


def predicted(model, frame, n_samples=200, **roles):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return model.fit(frame, **roles).predict(n_samples=n_samples)


def arma(rng, rows, phi=(), theta=(), season=1, seasonal=0.0):
    """An ARMA process with mean 0 and an autoregression of a season ago."""
    e = rng.normal(size=rows + 200)
    w = np.zeros(rows + 200)
    for t in range(20, rows + 200):
        w[t] = (
            e[t] + sum(f * w[t - 1 - i] for i, f in enumerate(phi)) + sum(g * e[t - 1 - i] for i, g in enumerate(theta))
        )
        w[t] += seasonal * w[t - season]
    return w[200:]


@pytest.mark.parametrize("name", OF_R)
def test_classic_series_have_the_information_criterion_of_r(name, shared):
    season, aicc, order, seasonal = OF_R[name]
    tables = [
        pd.read_parquet(shared / "data" / "classics" / f"classics_{kind}.parquet") for kind in ("dated", "indexed")
    ]
    y = np.concatenate([table.y[table.unique_id == name] for table in tables])
    params = tsf.AutoARIMA(horizon=1).fit_one(y, season)
    assert params["aicc"] <= aicc + 0.5
    if order:
        assert params["order"] == order and params["seasonal_order"][:3] == seasonal


@pytest.mark.parametrize("name", ["nhtemp", "austourists", "USAccDeaths", "presidents"])
def test_classic_likelihoods_are_those_of_statsmodels(name, shared):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    table = pd.read_parquet(shared / "data" / "classics" / "classics_dated.parquet")
    y = table.y[table.unique_id == name].to_numpy()
    season = {"nhtemp": 1, "USAccDeaths": 12}.get(name, 4)
    params = tsf.AutoARIMA(horizon=1).fit_one(y, season)
    (p, d, q), (sp, seasonal_d, sq, m) = params["order"], params["seasonal_order"]
    w = y if not seasonal_d else y[season:] - y[:-season]
    w = np.diff(w, d) - params["intercept"] * (season if seasonal_d else 1)
    theirs = SARIMAX(w, order=(p, 0, q), seasonal_order=(sp, 0, sq, m), concentrate_scale=True)
    theirs.ssm.tolerance = 0
    coefficients = np.r_[params["ar"], params["ma"], params["seasonal_ar"], params["seasonal_ma"]]
    assert params["loglik"] == pytest.approx(theirs.loglike(coefficients), abs=1e-6 * len(y))


KINDS = {
    "autoregression": lambda rng, n: arma(rng, n, (0.7,)),
    "moving average": lambda rng, n: arma(rng, n, (), (0.6,)),
    "walk": lambda rng, n: rng.normal(size=n).cumsum(),
    "walk with drift": lambda rng, n: rng.normal(0.5, 1.0, n).cumsum(),
    "seasonal walk": lambda rng, n: rng.normal(size=(-(-n // 4), 4)).cumsum(axis=0).ravel()[:n],
}


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("rows", [40, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_of_80_percent_hold_80_percent_of_their_own_kinds(kind, rows, missing):
    """Each step of 50 series; with 30 of 100 rows missing, the last one observed."""
    rng = np.random.default_rng([len(kind), rows])
    y = np.array([KINDS[kind](rng, rows + 4) for _ in range(50)])
    past = y[:, :rows].copy()
    past[:, 1:-1][rng.random((50, rows - 2)) < missing] = np.nan
    model = tsf.AutoARIMA(horizon=4, season_length=4 if "season" in kind else 1, **QUIET)
    lower, upper = np.moveaxis(predicted(model, panel_of(past, "QS")).interval(0.8), 1, 0)
    assert 0.7 <= ((y[:, rows:] >= lower) & (y[:, rows:] <= upper)).mean() <= 0.9


@pytest.mark.parametrize(("start", "slope"), [(5.0, 2.0), (1000.0, -3.0), (-40.0, 0.1), (1e-6, 1e-9)])
@pytest.mark.parametrize("missing", [False, True])
def test_a_line_is_continued(start, slope, missing):
    y = start + slope * np.arange(52)
    past = np.where(missing & (np.arange(48) % 5 == 2), np.nan, y[:48])
    forecast = predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(past, "MS"))
    np.testing.assert_allclose(forecast.median[0], y[48:], atol=1e-6 * abs(slope))
    assert np.ptp(forecast.samples[0], axis=0).max() < 1e-4 * abs(slope)


def test_a_line_with_a_season_and_a_parabola_are_continued():
    t = np.arange(56)
    for y in (50 + 2.0 * t + np.tile([5.0, -3.0, 1.0, -3.0], 14), 3 + 0.5 * t + 0.25 * t**2):
        forecast = predicted(tsf.AutoARIMA(horizon=8, **QUIET), frame_of(y[:48], "QS"))
        np.testing.assert_allclose(forecast.median[0], y[48:], atol=1e-6)
        assert not tsf.AutoARIMA(horizon=8, **QUIET).fit(frame_of(y[:48], "QS")).fallbacks_


def test_the_variance_of_a_random_walk_is_the_analytic_one():
    y = np.cumsum(np.random.default_rng(1).normal(size=60))
    model = tsf.AutoARIMA(horizon=9, season_length=1, **QUIET).fit(frame_of(y))
    assert model.params_[0]["order"] == (0, 1, 0) and not model.params_[0]["constant"]
    low, high = model.predict(n_samples=20_000).interval(0.8)[0]
    known = 1.2816 * np.sqrt(np.mean(np.diff(y) ** 2) * np.arange(1, 10))
    assert ((high - low) / 2 >= 0.98 * known).all()  # other models near it add at most some percent
    assert ((high - low) / 2 <= 1.08 * known).all()


def test_the_median_is_that_of_the_distribution(rng):
    y = arma(rng, 100, (0.7,)) + 20
    model = tsf.AutoARIMA(horizon=6, season_length=1, **QUIET).fit(frame_of(y))
    spread = model.predict(n_samples=4000).samples[0].std(axis=0)
    one, other = model.predict(n_samples=100, seed=1), model.predict(n_samples=100, seed=2)
    assert (np.abs(one.mean - other.mean)[0] < 0.02 * spread).all()


@pytest.mark.parametrize("factor", [2.0**-30, 2.0**30])
def test_powers_of_two_change_no_bit(factor, rng):
    y = 100 + arma(rng, 80, (0.5,), season=4, seasonal=0.3).cumsum()
    one = predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(y, "QS")).samples
    np.testing.assert_array_equal(
        predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(y * factor, "QS")).samples, one * factor
    )


@pytest.mark.parametrize("seed", range(3))
def test_decimal_units_and_other_origins_change_nothing_that_is_seen(seed):
    rng = np.random.default_rng(seed)
    y = (
        arma(rng, 90, (0.5,)) + 3,
        rng.normal(size=90).cumsum(),
        rng.normal(size=90) + 3 * np.cos(np.arange(90) * np.pi / 2),
    )[seed]
    before = predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(y, "QS")).samples
    for factor in (1e-9, 1e3, 1e9):
        after = predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(y * factor, "QS")).samples / factor
        np.testing.assert_allclose(after, before, atol=1e-3 * y.std())
    for origin in (-10_000.0, 10_000.0):
        after = predicted(tsf.AutoARIMA(horizon=4, **QUIET), frame_of(y + origin, "QS")).samples - origin
        np.testing.assert_allclose(after, before, atol=0.02 * y.std())


@pytest.mark.parametrize("walk", [False, True])
@pytest.mark.parametrize("kind", ["at random", "all but one in seven"])
def test_missing_rows_leave_the_coverage(walk, kind):
    """Known distributions: noise around 100, or a walk from its last value, both of standard deviation 1."""
    from scipy.stats import norm

    rng = np.random.default_rng(11)
    y = 100 + (rng.normal(size=(20, 281)).cumsum(axis=1) if walk else rng.normal(size=(20, 281)))
    gone = rng.random((20, 281)) < 0.6 if kind == "at random" else np.tile(np.arange(281) % 7 > 0, (20, 1))
    gone[:, [0, -1]] = False
    y[gone] = np.nan
    forecast = predicted(tsf.AutoARIMA(horizon=5, season_length=1, **QUIET), panel_of(y))
    lower, upper = np.moveaxis(forecast.interval(0.8), 1, 0)
    mean, sd = (y[:, -1:], np.sqrt(np.arange(1, 6))) if walk else (100.0, 1.0)
    assert 0.68 <= (norm.cdf(upper, mean, sd) - norm.cdf(lower, mean, sd)).mean() <= 0.92


@pytest.mark.parametrize("closed", [(6,), (5, 6)])
def test_a_closed_weekday_has_a_sane_forecast_and_leaves_the_others_as_they_are(closed):
    days = pd.date_range("2024-01-01", periods=140)
    truth = np.array([100, 110, 120, 130, 150, 200, 150])
    y = truth[days.day_of_week] + np.random.default_rng(0).normal(0, 5, 140)
    frame = pd.DataFrame({"unique_id": "shop", "ds": days, "y": y})[~days.day_of_week.isin(closed)]
    model = tsf.AutoARIMA(horizon=7, **QUIET)
    forecast = predicted(model, frame, freq="D")
    place = model.panel_.future_times(7)[0].astype("M8[D]").astype(int) % 7 - 4  # 1970-01-01 was a Thursday
    place %= 7
    seen = ~np.isin(place, closed)
    np.testing.assert_allclose(forecast.median[0][seen], truth[place][seen], atol=12)
    assert (forecast.interval(0.8)[0, 1] - forecast.interval(0.8)[0, 0])[seen].max() < 30
    assert (np.abs(forecast.median[0][~seen] - np.delete(truth, closed).mean()) < 10).all()
    assert forecast.interval(0.9)[0, 1].max() < 300 and forecast.interval(0.9)[0, 0].min() > 0


def test_predict_is_predict_of_the_data_of_fit_and_of_longer_ones(rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 30) + rng.normal(size=120) * 0.1
    frame = frame_of(y, "QS")
    model = tsf.AutoARIMA(horizon=4, **QUIET).fit(frame[:100])
    np.testing.assert_array_equal(model.predict().samples, model.predict(frame[:100]).samples)
    assert model.params_[0]["seasonal_order"][1] == 1
    for part in (frame[:101], frame[:103], frame, frame[70:], frame[111:118]):
        last = part.index[-1] + 1
        expected = 50 + np.tile([10.0, -5, 2, -7], 2)[last % 4 :][:4]
        np.testing.assert_allclose(model.predict(part).mean[0], expected, atol=1.5)
    with pytest.warns(UserWarning, match="3 rows are fewer than the differences of the model need"):
        model.predict(frame.tail(3))
    whole = model.predict(frame).samples
    np.testing.assert_array_equal(model.update(frame[100:]).predict().samples, whole)


def regression(rng, rows, beta=3.0):
    price = rng.normal(size=rows)
    return price, 100 + beta * price + rng.normal(size=rows).cumsum() * 0.5


def test_known_covariates_move_the_forecast(rng):
    price, y = regression(rng, 104)
    frame = frame_of(y, price=price)
    model = tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame[:100], known=["price"])
    future = frame[100:].drop(columns="y")
    forecast = model.predict(future=future)
    np.testing.assert_allclose(forecast.mean[0] - 3 * price[100:], y[99] - 3 * price[99], atol=0.6)
    higher = model.predict(future=future.assign(price=future.price + 10))
    np.testing.assert_allclose(higher.mean[0] - forecast.mean[0], 30, atol=1.5)
    # far from all that was seen, the coefficient's uncertainty counts
    assert (np.ptp(higher.samples[0], axis=0) > np.ptp(forecast.samples[0], axis=0)).all()


def test_coefficients_and_likelihood_with_regressors_are_those_of_statsmodels(rng):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    price, y = regression(rng, 120)
    params = tsf.AutoARIMA(horizon=1).fit_one(y, 1, price[:, None])
    p, d, q = params["order"]
    theirs = SARIMAX(np.diff(y, d), np.diff(price, d), order=(p, 0, q), trend="c" if params["constant"] else "n")
    fit = theirs.fit(disp=False)
    assert params["loglik"] == pytest.approx(fit.llf, abs=1e-3)
    assert params["regression"][0] == pytest.approx(fit.params[int(params["constant"])], abs=1e-3)


@pytest.mark.parametrize(("factor", "origin"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 1000.0)])
def test_unit_and_origin_of_a_covariate_change_nothing(factor, origin, rng):
    price, y = regression(rng, 84)
    forecasts = []
    for x in (price, price * factor + origin):
        frame = frame_of(y, price=x)
        model = tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame[:80], known=["price"])
        forecasts.append(model.predict(future=frame[80:].drop(columns="y")).samples)
    np.testing.assert_allclose(*forecasts, atol=1e-5)


def test_columns_that_say_nothing_are_left_out_with_a_warning(rng):
    price, y = regression(rng, 84)
    frame = frame_of(y, price=price, constant=5.0, twice=2 * price - 1)
    with pytest.warns(DataWarning, match=r"'constant' \(in 1 of 1\), 'twice' \(in 1 of 1\)"):
        model = tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame[:80], known=["price", "constant", "twice"])
    alone = tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame[:80], known=["price"])
    future = frame[80:].drop(columns="y")
    np.testing.assert_allclose(model.predict(future=future).samples, alone.predict(future=future).samples, atol=1e-6)


def test_other_covariates_are_said_to_be_of_no_use(rng):
    price, y = regression(rng, 40)
    frame = frame_of(y, price=price)
    with pytest.warns(DataWarning, match=r"known covariates only; past=\['price'\] is not used: leave it out"):
        model = tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame, past=["price"])
    np.testing.assert_array_equal(
        model.predict().samples, tsf.AutoARIMA(horizon=4, season_length=1, **QUIET).fit(frame_of(y)).predict().samples
    )


def test_without_covariates_nothing_changes(rng):
    y = regression(rng, 80)[1]
    params = tsf.AutoARIMA(horizon=1).fit_one(y, 1)
    with_none = tsf.AutoARIMA(horizon=1).fit_one(y, 1, np.empty((80, 0)))
    assert params["aicc"] == with_none["aicc"] and params["order"] == with_none["order"]


def test_hours_have_a_season_of_a_day(rng):
    y = 10 + 5 * np.sin(np.arange(240) * 2 * np.pi / 24) + rng.normal(size=240) * 0.3
    params = tsf.AutoARIMA(horizon=24).fit_one(y, 24)
    assert params["seasonal_order"][1::2] == (1, 24)
    draws = tsf.AutoARIMA(horizon=24).simulate(params, y, 0, 24, 100, np.random.default_rng(0))
    np.testing.assert_allclose(draws.mean(axis=0), 10 + 5 * np.sin(np.arange(24) * np.pi / 12), atol=1.0)


def test_limits_of_the_orders_hold(rng):
    y = np.cumsum(rng.normal(size=150)) + 5 * np.sin(np.arange(150) * np.pi / 2)
    params = tsf.AutoARIMA(horizon=1, max_p=1, max_seasonal=0, max_order=1, max_d=0).fit_one(y, 4)
    p, d, q = params["order"]
    assert d == 0 and p + q <= 1 and params["seasonal_order"][::2] == (0, 0)


@pytest.mark.parametrize("wrong", [{"max_p": -1}, {"max_seasonal": 4}, {"max_order": 99}, {"max_d": 3}])
def test_limits_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        tsf.AutoARIMA(horizon=2, **wrong).fit(frame_of(np.arange(20.0)))


def test_too_few_values_are_named():
    with pytest.raises(ValueError, match="5 values, AutoARIMA needs"):
        tsf.AutoARIMA(horizon=1).fit_one(np.arange(5.0) ** 2, 1)


def test_statsmodels_is_not_imported():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, tsformers as tsf\n"
        "y = np.random.default_rng(0).normal(size=60).cumsum()\n"
        "m = tsf.AutoARIMA(horizon=2)\n"
        "m.simulate(m.fit_one(y, 4), y, 0, 2, 4, np.random.default_rng(0))\n"
        "assert 'statsmodels' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_closed_day_within_the_horizon_does_not_spoil_the_others(rng):
    """Sundays lack; a backtest's horizon has one, without covariates."""
    days = pd.date_range("2024-01-01", periods=126)
    price = rng.choice([8.0, 10.0], 126)
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": 200 - 15 * price + rng.normal(0, 2, 126), "price": price})
    panel = tsf.Panel.from_frame(frame[days.dayofweek < 6], known=["price"])
    cut = panel.until(panel.ends - 7, 7)
    model = tsf.AutoARIMA(horizon=7, seed=0).fit(panel.until(panel.ends - 7))
    forecast = model.predict(cut)
    open_days = np.isfinite(panel.y[-7:])
    assert np.abs(forecast.median[0] - panel.y[-7:])[open_days].max() < 8
