"""What all local models have in common, on a model of three lines."""

import json
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers import parallel
from tsformers.forecasters.local.base import LocalForecaster

MODELS = [tsf.SeasonalNaive, tsf.HoltWinters, tsf.AutoETS, tsf.AutoARIMA, tsf.Theta]
STARTS: list[int] = []


@dataclass(kw_only=True, repr=False, eq=False)
class Walk(LocalForecaster):
    """A random walk with the spread of the first differences; refuses series that begin with 13."""

    unlucky: float = 13.0

    def fit_one(self, y, season):
        if y[0] == self.unlucky:
            raise ValueError("unlucky")
        if y[0] == 7:
            return {"sigma": float("nan")}
        return {"sigma": float(np.nanstd(np.diff(y))), "season": season}

    def simulate(self, params, y, start, horizon, n_samples, rng):
        STARTS.append(start)
        if y[-1] == 99:
            raise ValueError("no number follows 99")
        return y[-1] + np.cumsum(rng.normal(0, params["sigma"], (n_samples, horizon)), axis=1)


def frame_of(*series, ids=None, freq="D", begins="2024-01-01"):
    ids = ids or [chr(97 + i) for i in range(len(series))]
    parts = [
        pd.DataFrame(
            {"unique_id": name, "ds": pd.date_range(begins, periods=len(y), freq=freq), "y": np.asarray(y, float)}
        )
        for name, y in zip(ids, series, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def three(rng):
    return frame_of(*(np.cumsum(rng.normal(size=n)) + 10 for n in (30, 40, 35)))


@pytest.mark.parametrize("model", MODELS)
def test_settings_survive_clone_and_repr(model):
    one = model(horizon=3, season_length=4, n_jobs=1, seed=5, verbose=False)
    assert clone(one).get_params() == one.get_params()
    assert "horizon=3" in repr(one)
    assert one.set_params(horizon=9).horizon == 9


@pytest.mark.parametrize("model", MODELS)
def test_predict_before_fit_is_refused(model):
    with pytest.raises(NotFittedError):
        model(horizon=3).predict()


@pytest.mark.parametrize(
    "wrong",
    [{"horizon": 0}, {"horizon": 2.5}, {"horizon": True}, {"season_length": 0}, {"season_length": 4.0}, {"n_jobs": 0}],
)
@pytest.mark.parametrize("model", MODELS)
def test_settings_out_of_range_are_named(model, wrong, three):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        model(**{"horizon": 3, **wrong}).fit(three)


def test_a_setting_changed_after_fit_is_refused_by_predict_and_save(three, tmp_path):
    model = tsf.HoltWinters(horizon=4, seed=0).fit(three)
    first = model.predict().samples
    for name, value in {"trend": None, "season_length": 3, "damped": not model.damped}.items():
        was = getattr(model, name)
        model.set_params(**{name: value})
        for refused in (model.predict, lambda: model.save(tmp_path / "m")):
            with pytest.raises(ValueError, match=f"{name} was {was!r} at fit and is {value!r} now.* set it back, or"):
                refused()
        model.set_params(**{name: was})
    np.testing.assert_array_equal(model.predict().samples, first)
    model.set_params(trend=None).fit(three).predict()


@pytest.mark.parametrize("model", [tsf.HoltWinters, tsf.SeasonalNaive, tsf.Theta])
def test_a_horizon_changed_after_fit_is_used_before_and_after_loading(model, three, tmp_path):
    fitted = model(horizon=4, seed=0).fit(three)
    longer = fitted.set_params(horizon=7, n_jobs=1, verbose=False, seed=5).predict()
    assert longer.samples.shape == (3, 100, 7)
    np.testing.assert_array_equal(longer.samples, model(horizon=7, seed=5).fit(three).predict().samples)
    fitted.save(tmp_path / "m")
    np.testing.assert_array_equal(tsf.load(tmp_path / "m").predict().samples, longer.samples)
    with pytest.raises(ValueError, match="horizon must be a whole number"):
        fitted.set_params(horizon=0).predict()


def test_draws_of_a_series_do_not_depend_on_the_others(three):
    together = Walk(horizon=5, seed=1).fit(three).predict()
    alone = Walk(horizon=5, seed=1).fit(three[three.unique_id == "b"]).predict()
    np.testing.assert_array_equal(together.samples[1], alone.samples[0])
    assert not np.array_equal(
        together.samples[0] - together.samples[0, :1], together.samples[1] - together.samples[1, :1]
    )


def test_the_seed_of_predict_overrides_that_of_the_model(three):
    model = Walk(horizon=5, seed=1).fit(three)
    first = model.predict().samples
    np.testing.assert_array_equal(first, model.predict(seed=1).samples)
    assert not np.array_equal(first, model.predict(seed=2).samples)
    fresh = Walk(horizon=5).fit(three)
    assert not np.array_equal(fresh.predict().samples, fresh.predict().samples)


def test_numpys_global_state_is_left_alone(three):
    before = np.random.get_state()[1].copy()
    Walk(horizon=5).fit(three).predict()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_threads_give_the_same_numbers_as_one(three, monkeypatch):
    here = tsf.HoltWinters(horizon=4, seed=0, n_jobs=1).fit(three)
    many = frame_of(*[three.y[three.unique_id == name].to_numpy() for name in "abcabc"])
    expected = tsf.HoltWinters(horizon=4, seed=0, n_jobs=1).fit(many).predict().samples
    monkeypatch.setattr(parallel, "WORTH_THREADS", 0.0)
    used = []
    pool = parallel.joblib.Parallel
    monkeypatch.setattr(parallel.joblib, "Parallel", lambda *a, **k: used.append(a) or pool(*a, **k))
    model = tsf.HoltWinters(horizon=4, seed=0, n_jobs=2).fit(many)
    np.testing.assert_array_equal(model.predict().samples, expected)
    assert len(used) == 2, "one pool for fit, one for predict"
    np.testing.assert_array_equal(expected[:3], here.predict().samples)


def test_small_work_starts_no_process(three, monkeypatch):
    monkeypatch.setattr(parallel.joblib, "Parallel", None)
    assert Walk(horizon=2, n_jobs=2).fit(three).predict().samples.shape == (3, 100, 2)


def test_one_warning_names_the_series_that_cannot_be_fitted_and_why():
    y = np.arange(9.0)
    bad = frame_of(
        [13, 1, 2, 5], [5, 5, 5, 5], [7, 8, 9, 1], [3], 4 + y**2, ids=["unlucky", "flat", "nan", "one", "good"]
    )
    with pytest.warns(UserWarning) as caught:
        model = Walk(horizon=2, seed=0).fit(bad)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "4 of 5 series" in text and caught[0].filename == __file__
    for words in ("'unlucky' (unlucky)", "'flat' (constant)", "'one' (one value only)", "'nan' (the fitted parameters"):
        assert words in text
    assert set(model.fallbacks_) == {"unlucky", "flat", "nan", "one"}
    forecast = model.predict()
    np.testing.assert_array_equal(forecast.samples[list(forecast.ids).index("flat")], 5.0)
    np.testing.assert_array_equal(forecast.samples[list(forecast.ids).index("one")], 3.0)


def test_a_long_list_of_bad_series_is_cut():
    bad = frame_of(*[[1, 1, 1]] * 8, ids=[f"s{i}" for i in range(8)])
    with pytest.warns(UserWarning, match="8 of 8 .* 's4' .constant. and 3 more"):
        Walk(horizon=2).fit(bad)


def test_a_series_that_falls_back_is_forecast_as_the_seasonal_naive_model_does(rng):
    y = np.r_[13, 12 + rng.normal(size=30)]
    with pytest.warns(UserWarning, match="unlucky"):
        fallen = Walk(horizon=9, seed=3).fit(frame_of(y)).predict()
    naive = tsf.SeasonalNaive(horizon=9, seed=3).fit(frame_of(y)).predict()
    np.testing.assert_array_equal(fallen.samples, naive.samples)


def test_a_bad_series_does_not_change_the_forecast_of_the_others(three):
    alone = Walk(horizon=3, seed=0).fit(three).predict()
    with pytest.warns(UserWarning, match="'bad'"):
        beside = Walk(horizon=3, seed=0).fit(pd.concat([three, frame_of([13, 4, 2], ids=["bad"])])).predict()
    np.testing.assert_array_equal(beside.samples[[0, 1, 3]], alone.samples)


def test_a_history_that_the_model_cannot_continue_falls_back_at_predict_with_a_warning(three):
    model = Walk(horizon=3, seed=0).fit(three)
    with pytest.warns(UserWarning, match="could not be continued.*'a' .no number follows 99") as caught:
        forecast = model.predict(frame_of([50, 60, 99], [1, 2, 3]))
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(np.isfinite(forecast.samples), True)


@pytest.mark.parametrize("model", MODELS[1:])
def test_unknown_ids_are_refused_by_name(model, three):
    fitted = model(horizon=2).fit(three)
    with pytest.raises(tsf.DataError, match=r"'z'.*SeasonalNaive"):
        fitted.predict(frame_of([1, 2, 3], [4, 5, 6], ids=["a", "z"]))


def test_series_may_come_in_another_selection_and_length(three):
    model = Walk(horizon=3, seed=0).fit(three)
    longer = pd.concat([three[three.unique_id == "c"], frame_of([9, 9], ids=["c"], begins="2024-02-05")])
    forecast = model.predict(longer)
    assert list(forecast.ids) == ["c"] and forecast.times[0, 0] == np.datetime64("2024-02-07")
    assert abs(forecast.samples[0, :, 0].mean() - 9) < 1


@pytest.mark.parametrize("freq", ["h", "D", "B", "W-FRI", "ME", "QS"])
def test_the_start_of_another_history_is_counted_in_grid_steps(three, freq):
    times = pd.date_range("2024-01-01", periods=30, freq=freq)
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.arange(30.0) ** 2})
    model = Walk(horizon=1).fit(frame)
    for start in (0, 7, 29):
        STARTS.clear()
        model.predict(frame.iloc[start:])
        assert [start] == STARTS


def test_the_start_of_another_history_is_counted_over_a_change_of_clocks():
    times = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.arange(60.0) ** 2})
    model = Walk(horizon=1).fit(frame)
    STARTS.clear()
    model.predict(frame.iloc[40:])
    assert STARTS == [41]  # by the wall clock


def test_the_model_is_drawn_across_missing_last_values(rng):
    y = np.cumsum(rng.normal(size=50))
    model = Walk(horizon=2, seed=0).fit(frame_of(y))
    gap = frame_of(np.r_[y, [np.nan] * 8])
    spread = model.predict(gap, n_samples=2000).samples[0].std(axis=0)
    sigma = model.params_[0]["sigma"]
    np.testing.assert_allclose(spread, sigma * np.sqrt([9, 10]), rtol=0.08)


def test_missing_first_values_shift_nothing(rng):
    y = rng.normal(size=20)
    STARTS.clear()
    late = Walk(horizon=2, seed=0).fit(frame_of(np.r_[[np.nan] * 3, y], begins="2023-12-29")).predict()
    np.testing.assert_array_equal(late.samples, Walk(horizon=2, seed=0).fit(frame_of(y)).predict().samples)
    assert STARTS == [0, 0]


def test_a_series_without_an_observed_value_is_named_with_a_remedy(three):
    model = Walk(horizon=2).fit(three)
    panel = tsf.Panel.from_frame(frame_of([np.nan, np.nan, 1], [1, 2, 3]))
    with pytest.raises(tsf.DataError, match="'a' holds no observed value"):
        model.predict(panel.until(panel.ends - 1))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_answers_short_flat_and_gappy_series(model, rng):
    rows = np.arange(40)
    gappy = 10 + np.sin(rows * 2 * np.pi / 7) + rng.normal(size=40) * 0.1
    gappy[[3, 4, 20, 39]] = np.nan
    frame = frame_of(
        [4.0], [1, 2], np.full(30, 2.5), gappy, rng.normal(size=40) - 5, ids=["one", "two", "flat", "gap", "neg"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        forecast = model(horizon=5, seed=0).fit(frame).predict(n_samples=50)
    where = {name: i for i, name in enumerate(forecast.ids)}
    assert forecast.samples.shape == (5, 50, 5)
    np.testing.assert_array_equal(forecast.samples[where["one"]], 4.0)
    np.testing.assert_array_equal(forecast.samples[where["flat"]], 2.5)
    assert abs(forecast.mean[where["gap"]] - 10).max() < 3


@pytest.mark.parametrize("model", MODELS)
def test_a_saved_model_predicts_the_same_bits(model, three, tmp_path):
    fitted = model(horizon=4, seed=2).fit(three)
    fitted.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict().samples, fitted.predict().samples)
    again = three.iloc[5:]
    np.testing.assert_array_equal(loaded.predict(again).samples, fitted.predict(again).samples)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["arrays.safetensors", "model.json"]
    json.loads((tmp_path / "m" / "model.json").read_text())


@pytest.mark.parametrize("model", MODELS)
def test_no_model_looks_ahead(model, three):
    fitted = model(horizon=4, seed=2).fit(three)
    panel = tsf.Panel.from_frame(three)
    cut = panel.ends - 6
    changed = three.copy()
    after = changed.groupby("unique_id").cumcount(ascending=False) < 6
    changed.loc[after, "y"] = 1e6
    other = tsf.Panel.from_frame(changed)
    np.testing.assert_array_equal(fitted.predict(panel.until(cut)).samples, fitted.predict(other.until(cut)).samples)


@pytest.mark.parametrize("model", MODELS)
def test_predicting_the_training_frame_is_predicting(model, three):
    fitted = model(horizon=4, seed=2).fit(three)
    np.testing.assert_array_equal(fitted.predict(three).samples, fitted.predict().samples)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=6, deadline=None)
@given(scale=st.floats(1e-3, 1e6), shift=st.floats(0, 1e3))
def test_forecasts_move_with_scale_and_shift(model, scale, shift):
    rng = np.random.default_rng(1)
    y = 30 + np.cumsum(rng.normal(size=40))
    kwargs = {"seasonal": "add"} if model is tsf.HoltWinters else {}
    if model in (tsf.AutoETS, tsf.HoltWinters):
        shift = 0.0  # multiplicative errors move with the scale only; the optimiser of the other stops where it likes
    plain = model(horizon=3, season_length=1, seed=0, **kwargs).fit(frame_of(y)).predict()
    moved = model(horizon=3, season_length=1, seed=0, **kwargs).fit(frame_of(scale * (y + shift))).predict()
    np.testing.assert_allclose(moved.mean, scale * (plain.mean + shift), rtol=0.02)


def test_warning_filters_of_the_caller_are_unchanged(three):
    before = list(warnings.filters)
    Walk(horizon=2).fit(three).predict()
    assert warnings.filters == before


def test_covariates_are_carried_but_not_used(three):
    plain = Walk(horizon=2, seed=0).fit(three).predict()
    priced = three.assign(price=1.0, visitors=2.0)
    with pytest.warns(tsf.DataWarning, match="Walk takes no covariates"):
        model = Walk(horizon=2, seed=0).fit(priced, known=["price"])
    np.testing.assert_array_equal(model.predict().samples, plain.samples)
    short = pd.DataFrame({"unique_id": ["a"], "ds": [pd.Timestamp("2024-01-31")], "price": [1.0]})
    with pytest.raises(tsf.DataError):
        model.predict(future=short)


@pytest.mark.parametrize("model", MODELS)
def test_update_is_predicting_from_all_rows(model, three):
    place = three.groupby("unique_id").cumcount()
    fitted = model(horizon=4, seed=2).fit(three[place < 25])
    expected = fitted.predict(three).samples
    at_once = fitted.update(three[place >= 25]).predict()
    np.testing.assert_array_equal(at_once.samples, expected)
    rows = model(horizon=4, seed=2).fit(three[place < 25])
    for row in range(25, place.max() + 1):
        rows.update(three[place == row])
    np.testing.assert_allclose(rows.predict().samples, expected, rtol=1e-6)
    assert rows.panel_.n_series == 3 and (rows.panel_.lengths == [30, 40, 35]).all()


@pytest.mark.parametrize("model", MODELS)
def test_steps_that_update_is_not_given_are_missing(model, three):
    place = three.groupby("unique_id").cumcount()
    fitted = model(horizon=4, seed=2).fit(three[place < 20])
    holes = three.assign(y=three.y.where(place.between(20, 24, inclusive="both").eq(False)))
    expected = fitted.predict(holes).samples
    np.testing.assert_array_equal(fitted.update(three[place >= 25]).predict().samples, expected)


def test_update_refuses_rows_of_the_history_and_before_fit(three):
    with pytest.raises(NotFittedError):
        Walk(horizon=2).update(three)
    with pytest.raises(tsf.DataError, match="is not after the end of its history"):
        Walk(horizon=2).fit(three).update(three)


def test_an_updated_model_is_saved_with_its_rows(three, tmp_path):
    place = three.groupby("unique_id").cumcount()
    model = tsf.Theta(horizon=3, seed=1).fit(three[place < 25]).update(three[place >= 25])
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(tsf.load(tmp_path / "m").predict().samples, model.predict().samples)


def test_a_forecast_that_leaves_the_size_of_the_data_falls_back_by_name(three):
    class Wild(Walk):
        def simulate(self, params, y, start, horizon, n_samples, rng):
            return super().simulate(params, y, start, horizon, n_samples, rng) * (1e9 if y[0] < three.y[0] else 1)

    model = Wild(horizon=3, seed=0).fit(three)
    with pytest.warns(UserWarning, match="could not be continued.*leaves the size of the data: (up|down) to"):
        forecast = model.predict()
    assert np.abs(forecast.samples).max() < 1e3


def test_an_absurd_cell_counts_as_missing_and_is_named(rng):
    y = 100 + np.cumsum(rng.normal(size=60))
    typo, hole = y.copy(), y.copy()
    typo[20], hole[20] = 9e6, np.nan
    with pytest.warns(tsf.DataWarning, match=r"1 isolated value .* 9e\+06 of series 'a' at 2024-01-21") as caught:
        model = Walk(horizon=3, seed=0).fit(frame_of(typo))
    assert caught[0].filename == __file__
    expected = Walk(horizon=3, seed=0).fit(frame_of(hole)).predict().samples
    np.testing.assert_array_equal(model.predict().samples, expected)


@pytest.mark.parametrize("row", [0, 59])
def test_an_absurd_first_or_last_cell_counts_as_missing(row, rng):
    y = 100 + np.cumsum(rng.normal(size=60))
    y[row] = -7777.5
    with pytest.warns(tsf.DataWarning, match="-7777.5 of series 'a'"):
        forecast = tsf.Theta(horizon=3, seed=0).fit(frame_of(y)).predict()
    assert np.abs(forecast.samples - 100).max() < 60


def test_models_with_regressors_get_those_of_the_history_and_after_it(three):
    seen = {}

    class Priced(Walk):
        uses_covariates = True

        def fit_one(self, y, season, x=None):
            seen["fit"] = x
            return super().fit_one(y, season)

        def simulate(self, params, y, start, horizon, n_samples, rng, x=None):
            seen["simulate"] = x
            return super().simulate(params, y, start, horizon, n_samples, rng)

    one = three[three.unique_id == "a"].assign(price=np.arange(30.0))
    future = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-31", periods=2), "price": [30.0, 31.0]})
    model = Priced(horizon=2, seed=0).fit(one, known=["price"])
    model.predict(future=future)
    np.testing.assert_array_equal(seen["fit"][:, 0], np.arange(30))
    np.testing.assert_array_equal(seen["simulate"][:, 0], np.arange(32))
    with pytest.raises(tsf.DataError):
        model.predict()
    Priced(horizon=2, seed=0).fit(one.drop(columns="price")).predict()
    assert seen == {"fit": None, "simulate": None}


def test_compiled_models_are_fitted_in_threads(three, monkeypatch):
    class Threaded(Walk):
        compiled = True

    used = []
    pool = parallel.joblib.Parallel
    monkeypatch.setattr(parallel, "WORTH_THREADS", 0.0)
    monkeypatch.setattr(parallel.joblib, "Parallel", lambda *a, **k: used.append(k) or pool(*a, **k))
    expected = Walk(horizon=2, seed=0, n_jobs=1).fit(three).predict().samples
    np.testing.assert_array_equal(Threaded(horizon=2, seed=0, n_jobs=2).fit(three).predict().samples, expected)
    assert [k["backend"] for k in used] == ["threading"] * 2


def test_a_long_season_that_is_there_is_removed_before_the_model_and_put_back(rng):
    class Remover(Walk):
        def removes_long_seasons(self):
            return True

        def fit_one(self, y, season):
            return {**super().fit_one(y, season), "season": season}

    wave = 100 + 30 * np.sin(2 * np.pi * np.arange(240) / 48)
    frame = frame_of(wave + rng.normal(0, 1, 240), freq="30min")
    rest = Remover(horizon=48, seed=0).fit(frame)
    assert rest.params_[0]["season"] == 1 and rest.params_[0]["sigma"] < 3
    assert np.abs(rest.predict().mean[0] - wave[:48]).max() < 15
    assert np.abs(rest.predict(frame[7:]).mean[0] - wave[:48]).max() < 15, "aligned in another history"
    walk = frame_of(100 + rng.normal(0, 1, 240).cumsum(), freq="30min")
    assert Remover(horizon=4).fit(walk).params_[0]["long_seasons"] == {}


def test_an_absurd_cell_is_named_once_and_again_only_for_other_data(rng):
    y = 100 + np.cumsum(rng.normal(size=60))
    y[20] = 9e6
    for model in (tsf.Theta, tsf.HoltWinters):
        with pytest.warns(tsf.DataWarning, match="9e"):
            fitted = model(horizon=3, seed=0).fit(frame_of(y))
        fitted.predict()
        fitted.predict(quantiles=[0.1, 0.5])
        with pytest.warns(tsf.DataWarning, match="9e") as caught:
            fitted.predict(frame_of(y[:50]))
        assert caught[0].filename == __file__ and len(caught) == 1
