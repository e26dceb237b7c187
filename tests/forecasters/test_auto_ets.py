"""AutoETS beside statsmodels' ETSModel, which it selects from, filters with and simulates."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.forecasters.auto_ets import Spec, admissible, filtered_model, shortlist

pytestmark = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")


class NoNoise:
    """A generator without noise: what it draws is the point forecast."""

    def standard_normal(self, shape):
        return np.zeros(shape)


def frame_of(y, freq="QS"):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=len(y), freq=freq), "y": y})


def seasonal_walk(rng, rows=60, season=4, level=50.0):
    shape = np.sin(np.arange(rows) * 2 * np.pi / season)
    return level + np.cumsum(rng.normal(size=rows)) + 8 * shape + rng.normal(size=rows)


def exhaustive(y, season):
    """The least AICc of the family by plain loops, and its name."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    found = {}
    for error in ("add", "mul") if y.min() > 0 else ("add",):
        for trend, damped in ((None, False), ("add", False), ("add", True)):
            for seasonal in [None, "add", "mul"] if y.min() > 0 else [None, "add"]:
                if (error, seasonal) != ("add", "mul"):
                    spec = (error, trend, damped, seasonal if season > 1 else None)
                    model = ETSModel(y, error, trend, damped, spec[3], seasonal_periods=season if spec[3] else None)
                    found[spec] = model.fit(disp=False).aicc
    return min(found, key=found.get), min(found.values())


@pytest.mark.parametrize("level", [50.0, 0.0])
@pytest.mark.parametrize("season", [1, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_least_aicc_of_all_models_is_chosen(seed, season, level):
    y = seasonal_walk(np.random.default_rng(seed), 40, 4, level)
    params = tsf.AutoETS(horizon=4).fit_one(y, season)
    spec, aicc = exhaustive(y, season)
    assert params["spec"] == spec and params["criterion"] == pytest.approx(aicc)


@pytest.mark.parametrize("spec", [Spec(*s) for s in [("add", None, False, None), ("add", "add", True, "add")]]
    + [Spec("mul", "add", False, "mul"), Spec("mul", "add", True, "add"), Spec("mul", None, False, None)],
)  # fmt: skip
def test_without_noise_draws_are_the_forecast_of_statsmodels(spec, rng, monkeypatch):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    y = seasonal_walk(rng)
    monkeypatch.setattr("tsformers.forecasters.auto_ets.admissible", lambda *_: [spec])
    model = tsf.AutoETS(horizon=10)
    params = model.fit_one(y, 4)
    fitted = ETSModel(y, **spec._asdict(), seasonal_periods=4 if spec.seasonal else None).fit(disp=False)
    states = (params["level"], params["slope"], params["seasonals"])
    assert filtered_model(params, y, states).llf == pytest.approx(fitted.llf)
    paths = model.simulate(params, y, 0, 10, 2, NoNoise())
    np.testing.assert_allclose(
        paths[0], fitted.forecast(10), rtol=2e-2
    )  # the suggested initial states may fit better still


def test_the_mean_of_draws_is_near_the_forecast_of_statsmodels(rng):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    y = seasonal_walk(rng, 80, level=0.0)
    model = tsf.AutoETS(horizon=8, seed=0).fit(frame_of(y))
    spec = Spec(*model.params_[0]["spec"])
    expected = ETSModel(y, **spec._asdict(), seasonal_periods=4).fit(disp=False)
    np.testing.assert_allclose(model.predict(n_samples=20_000).mean[0], expected.forecast(8), atol=0.15)


def test_variance_of_simple_smoothing_is_the_analytic_one(rng, monkeypatch):
    monkeypatch.setattr("tsformers.forecasters.auto_ets.admissible", lambda *_: [Spec("add", None, False, None)])
    y = np.cumsum(rng.normal(size=120)) + rng.normal(size=120)
    model = tsf.AutoETS(horizon=10, season_length=1, seed=0).fit(frame_of(y))
    params = model.params_[0]
    expected = params["sigma"] * np.sqrt(1 + np.arange(10) * params["weights"][0] ** 2)
    np.testing.assert_allclose(model.predict(n_samples=20_000).samples[0].std(axis=0), expected, rtol=0.03)


def test_impossible_and_unstable_combinations_are_left_out():
    positive = admissible(np.arange(1.0, 41), 4)
    assert len(positive) == 15 and Spec("add", None, False, "mul") not in positive
    assert all(spec.error == "add" and spec.seasonal != "mul" for spec in admissible(np.arange(40.0), 4))
    assert not any(spec.seasonal for spec in admissible(np.arange(1.0, 8), 4))
    assert not any(spec.seasonal for spec in admissible(np.arange(1.0, 41), 1))


def test_long_seasons_are_shortlisted_and_the_right_model_is_among_them(rng):
    y = seasonal_walk(rng, 24 * 8, 24)
    chosen = shortlist(y, 24)
    assert len(chosen) == 4 and all(spec.seasonal for spec in chosen)
    params = tsf.AutoETS(horizon=4).fit_one(y, 24)
    assert Spec(*params["spec"]) in chosen and len(params["seasonals"]) == 24


def test_a_season_above_24_is_a_fixed_profile(rng):
    pattern = 5 * np.sin(np.arange(52) * 2 * np.pi / 52)
    y = 10 + np.tile(pattern, 5)[:-9] + rng.normal(size=251) * 0.2
    frame = frame_of(y, "W")
    model = tsf.AutoETS(horizon=9, seed=0).fit(frame)
    assert model.params_[0]["spec"][3] is None and len(model.params_[0]["profile"]) == 52
    np.testing.assert_allclose(model.predict().mean[0], 10 + pattern[-9:], atol=0.8)
    np.testing.assert_allclose(model.predict(frame.tail(30)).mean[0], 10 + pattern[-9:], atol=0.8)


def test_longer_and_other_histories_are_continued_without_refit(rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 20) + rng.normal(size=80) * 0.1
    frame = frame_of(y)
    model = tsf.AutoETS(horizon=4, seed=0).fit(frame[:60])
    for part in (frame[:61], frame[:63], frame, frame[40:], frame[57:59], frame[62:63]):
        last = part.index[-1] + 1
        expected = 50 + np.tile([10.0, -5, 2, -7], 2)[last % 4 :][:4]
        np.testing.assert_allclose(model.predict(part).mean[0], expected, atol=1.5)
    shifted = frame.assign(y=frame.y + 100)
    np.testing.assert_allclose(model.predict(shifted).mean, model.predict(frame).mean + 100, atol=3)


def test_values_a_multiplicative_model_cannot_take_fall_back_with_a_warning(rng, monkeypatch):
    monkeypatch.setattr("tsformers.forecasters.auto_ets.admissible", lambda *_: [Spec("mul", None, False, None)])
    frame = frame_of(seasonal_walk(rng))
    model = tsf.AutoETS(horizon=2, seed=0).fit(frame)
    with pytest.warns(UserWarning, match="could not be continued .* 'a'"):
        model.predict(frame.assign(y=frame.y - 100))


def test_too_short_a_series_falls_back_with_a_warning():
    with pytest.warns(UserWarning, match="'a' .6 rows, AutoETS needs 10"):
        tsf.AutoETS(horizon=2).fit(frame_of([1.0, 2, 3, 5, 4, 6]))


def test_intervals_of_80_percent_hold_about_80_percent(rng):
    shocks = rng.normal(size=(50, 84))
    y = np.cumsum(0.4 * shocks, axis=1) - 0.4 * shocks + shocks
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(50), 80), "ds": np.tile(np.arange(80), 50), "y": y[:, :80].ravel()}
    )
    lower, upper = np.moveaxis(
        tsf.AutoETS(horizon=4, seed=0, n_jobs=1).fit(frame).predict(n_samples=300).interval(0.8), 1, 0
    )
    assert ((y[:, 80:] >= lower) & (y[:, 80:] <= upper)).mean() == pytest.approx(0.8, abs=0.08)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="criterion='cv' is unknown; choose one of 'aicc', 'aic', 'bic'"):
        tsf.AutoETS(horizon=2, criterion="cv").fit(frame_of(np.arange(20.0)))


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_other_criteria_choose_by_themselves(criterion, rng):
    y = seasonal_walk(rng, 40)
    assert tsf.AutoETS(horizon=2, criterion=criterion).fit_one(y, 4)["criterion"] < np.inf
