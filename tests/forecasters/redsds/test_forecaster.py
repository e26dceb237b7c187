"""REDSDS as a forecaster: regimes it finds, what it says of them, what it refuses."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
import tsformers.forecasters.redsds.segmentation as parts
from tsformers.errors import DataError
from tsformers.forecasters.redsds.network import REDSDSNetwork
from tsformers.testing import check_forecaster, make_frame

SMALL = {
    "horizon": 4,
    "context_length": 16,
    "n_regimes": 2,
    "max_duration": 6,
    "max_steps": 3,
    "batch_size": 8,
    "seed": 0,
    "verbose": False,
}


def model(**settings):
    return tsf.REDSDS(**SMALL | settings)


@pytest.fixture(scope="module")
def frame():
    return make_frame(n_series=3, rows=60)


@pytest.fixture(scope="module")
def fitted(frame):
    return model().fit(frame)


@pytest.mark.parametrize(
    "settings",
    [
        {"durations": "geometric", "transition": "linear"},
        {"recurrent": False, "emission": "linear", "begin": "argmax"},
        {"switch_input": "xy", "min_duration": 2, "scaler": "mean_abs"},
        {"embedder": "transformer", "duration_temperature": 10.0, "switch_temperature": 3.0},
    ],
)
def test_the_laws_of_forecasters_hold_in_every_form(settings):
    check_forecaster(model(**settings), make_frame(n_series=2, rows=40))


def test_a_segmentation_has_a_row_for_every_step_in_the_callers_terms(frame):
    renamed = pl.DataFrame(frame.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"}))
    fitted = model().fit(renamed, id_col="shop", time_col="day", target_col="sales")
    answer = fitted.segment(renamed)
    assert isinstance(answer, pl.DataFrame)
    assert answer.columns == ["shop", "day", "regime", "probability", "expected_remaining"]
    assert answer["day"].to_list() == renamed["day"].to_list()
    assert answer["regime"].is_in([0, 1]).all()
    assert answer["probability"].is_between(0.5 - 1e-6, 1 + 1e-6).all()  # of two regimes, the likelier
    assert answer["expected_remaining"].is_between(0, 5).all()


@pytest.mark.parametrize("method", ["posterior", "viterbi"])
def test_neither_the_order_of_rows_nor_a_shift_changes_a_segmentation(fitted, frame, method):
    expected = fitted.segment(frame, method=method)
    shuffled = fitted.segment(frame.sample(frac=1, random_state=0), method=method)
    pd.testing.assert_frame_equal(expected, shuffled)
    moved = frame.assign(y=3 * frame["y"] + 100, ds=frame["ds"] + pd.Timedelta(days=365))
    pd.testing.assert_series_equal(expected["regime"], fitted.segment(moved, method=method)["regime"])


def test_a_series_is_segmented_alone_as_among_others_and_twice_alike(fitted, frame):
    expected = fitted.segment(frame)
    torch.manual_seed(5)  # chance plays no part
    alone = fitted.segment(frame[frame["unique_id"] == "s2"])
    rows = expected[expected["unique_id"] == "s2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone, rtol=1e-4, atol=1e-5)


def test_series_shorter_and_longer_than_the_context_and_new_ones_are_segmented(fitted):
    short, long = make_frame(1, 5), make_frame(1, 500).assign(unique_id="new")
    answer = fitted.segment(pd.concat([short, long], ignore_index=True))
    assert answer.groupby("unique_id").size().to_dict() == {"new": 500, "s0": 5}
    assert np.isfinite(answer["expected_remaining"]).all()


def test_many_series_are_looked_at_piece_by_piece_and_none_is_lost(fitted, frame, monkeypatch):
    expected = fitted.segment(frame)
    monkeypatch.setattr(parts, "MOST_STEPS", 64)
    pd.testing.assert_frame_equal(expected, fitted.segment(frame), rtol=1e-4, atol=1e-5)
    pieces = parts._together(torch.tensor([2, 0, 1, 3]), torch.tensor([3, 40, 2, 70]))
    assert [piece.tolist() for piece in pieces] == [[2, 0], [1], [3]]


def test_steps_without_a_value_and_missing_rows_have_a_regime(fitted, frame):
    holes = frame.copy()
    holes.loc[10:14, "y"] = np.nan
    holes = holes.drop(index=range(20, 23))
    answer = fitted.segment(holes)
    assert len(answer) == len(frame)
    assert answer["regime"].isin([0, 1]).all()


def test_what_comes_after_a_cutoff_does_not_change_the_forecast_from_there(fitted, frame):
    panel = tsf.Panel.from_frame(frame)
    expected = fitted.predict(panel.until(panel.ends - 5), seed=1)
    later = frame.copy()
    last = later.groupby("unique_id")["ds"].transform("max")
    later.loc[later["ds"] > last - pd.Timedelta(days=5), "y"] += 1000
    panel = tsf.Panel.from_frame(later)
    changed = fitted.predict(panel.until(panel.ends - 5), seed=1)
    assert np.array_equal(expected.values, changed.values)
    rolled = fitted.predict_at(panel, np.array([5]), seed=1)[0]
    assert np.array_equal(rolled, expected.values)


@pytest.mark.parametrize("residual", [False, True])
def test_regimes_are_described_and_survive_save_and_load(frame, tmp_path, residual):
    fitted = model(transition="linear", residual=residual, max_steps=25, duration_temperature=8.0).fit(frame)
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


def test_usage_is_recorded_as_training_goes_on_and_goes_on_with_a_warm_start(frame):
    fitted = model(max_steps=30).fit(frame)
    assert fitted.usage_["step"].tolist() == [20, 30]
    np.testing.assert_allclose(fitted.usage_[["0", "1"]].sum(axis=1), 1, atol=1e-5)
    fitted.fit(frame, warm_start=True)
    assert fitted.usage_["step"].iloc[-1] == 60


def test_a_regime_that_takes_all_is_told_with_the_remedy():
    usage = pd.DataFrame({"step": [100, 200], "0": [0.6, 0.001], "1": [0.4, 0.999]})
    with pytest.warns(UserWarning, match=r"regime 1 holds 99.9 % .* higher switch_temperature"):
        parts.warn_if_collapsed(usage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts.warn_if_collapsed(usage.head(1))
        parts.warn_if_collapsed(usage.assign(step=[1, 2]))
        parts.warn_if_collapsed(usage[["step", "0"]])


def test_runs_and_changes_are_counted_within_series_only(frame, monkeypatch):
    regime = np.array([0, 0, 1, 1, 1, 0, 1, 1])
    said = parts.Steps(regime, np.ones(8), np.ones(8), np.full((2, 6), 1 / 6))
    some = model().fit(frame)
    monkeypatch.setattr(parts, "look", lambda *_: said)
    table = pd.DataFrame({"unique_id": list("aaaabbbb"), "ds": [0, 1, 2, 3] * 2, "y": [0.0, 1, 3, 5, 9, 9, 4, np.nan]})
    found = parts.describe(some, tsf.Panel.from_frame(table))
    np.testing.assert_allclose(found["share"], [3 / 8, 5 / 8])
    np.testing.assert_allclose(found["mean_run"], [3 / 2, 5 / 3])
    np.testing.assert_allclose(found["drift"], [(1 + 0) / 2, (2 + 2 - 5) / 3])
    np.testing.assert_allclose(found["spread"], [np.std([1, 0]), np.std([2, 2, -5])])


def test_channels_of_a_multivariate_model_share_their_regimes(frame):
    last = frame.groupby("unique_id")["ds"].transform("max")
    together = frame.assign(ds=frame["ds"] + (frame["ds"].max() - last))  # series end at the same day
    fitted = model(multivariate=True).fit(together)
    assert fitted.predict(n_samples=7).samples.shape == (3, 7, 4)
    answer = fitted.segment(together)
    assert len(answer) == len(together)
    assert (answer.groupby("ds")["regime"].nunique() == 1).all()
    assert len(fitted.plot_segments(together, ids=["s1"]).axes) == 1


def test_covariates_are_controls(frame):
    rng = np.random.default_rng(0)
    frame = frame.assign(price=rng.normal(size=len(frame)), rain=rng.normal(size=len(frame)))
    static = pd.DataFrame({"unique_id": ["s0", "s1", "s2"], "size": [1.0, 2.0, 3.0]})
    fitted = model().fit(frame, known=["price"], static=static)
    later = pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": pd.date_range(rows["ds"].max(), periods=5)[1:], "price": 0.5})
            for name, rows in frame.groupby("unique_id")
        ]
    )
    one = fitted.predict(future=later, n_samples=5, seed=0)
    other = fitted.predict(future=later.assign(price=-3.0), n_samples=5, seed=0)
    assert not np.array_equal(one.values, other.values)
    assert len(fitted.segment(frame)) == len(frame)
    with pytest.raises(DataError, match="the frame lacks \\['rain'\\]"):
        fitted.segment(frame.drop(columns="rain"))


def test_pictures_show_series_and_durations(fitted, frame):
    figure = fitted.plot_segments(frame, ids=["s1", "s0"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["s1", "s0"]
    lines = figure.axes[0].get_lines()
    drawn = np.nanmax(np.stack([line.get_ydata() for line in lines]), axis=0)
    np.testing.assert_allclose(drawn, frame[frame["unique_id"] == "s1"]["y"])
    bars = fitted.plot_durations()
    assert [len(axes.patches) for axes in bars.axes] == [6, 6]
    assert bars.axes[0].get_title(loc="left").startswith("regime 0: ")
    with pytest.raises(ValueError, match="'nobody' is not there"):
        fitted.plot_segments(frame, ids="nobody")


def test_bad_questions_are_refused(fitted, frame):
    for ask in (lambda m: m.segment(frame), lambda m: m.plot_segments(frame), lambda m: m.plot_durations()):
        with pytest.raises(NotFittedError):
            ask(model())
    with pytest.raises(ValueError, match="method='best' is unknown; choose 'posterior' or 'viterbi'"):
        fitted.segment(frame, method="best")
    with pytest.raises(DataError, match="'y'"):
        fitted.segment(frame.assign(y="high"))
    changed = model().fit(frame).set_params(max_duration=9)
    with pytest.raises(ValueError, match="max_duration was 6 at fit and is 9 now"):
        changed.segment(frame)
    renamed = frame.rename(columns={"ds": "regime"})
    with pytest.raises(DataError, match="column 'regime' of the data has the name of a column of the answer"):
        model().fit(renamed, time_col="regime").segment(renamed)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_regimes": 0}, "n_regimes must be a whole number of 1 or more, not 0"),
        ({"d_state": 2.0}, "d_state must be a whole number"),
        ({"min_duration": 7}, "min_duration=7 is longer than max_duration=6"),
        ({"durations": "weibull"}, "durations='weibull' is unknown; choose one of 'explicit', 'geometric'"),
        ({"switch_input": "z"}, "switch_input='z' is unknown"),
        ({"transition": "cubic"}, "transition='cubic' is unknown"),
        ({"begin": "late"}, "begin='late' is unknown"),
        ({"likelihood": "student_t"}, "likelihood='student_t' is unknown; choose one of 'normal'"),
        ({"switch_temperature": 0.0}, "switch_temperature must be a number above 0"),
        ({"emission_scale": -1.0}, "emission_scale must be a number above 0"),
        ({"emission_hidden": (8,)}, "emission_hidden must be two widths"),
        ({"emission_hidden": (8, 0)}, r"emission_hidden\[1\] must be a whole number"),
        ({"annealing_kick_in": -1}, "annealing_kick_in=-1 must be 0 steps or more"),
        ({"start_floor": -np.inf}, "start_floor=-inf must be a finite log-density, such as -13.0, or None"),
        ({"start_floor": "low"}, "start_floor='low' must be a finite log-density"),
        ({"init_steps": 2.0}, "init_steps must be a whole number of 1 or more, not 2.0"),
        ({"annealing_rate": "slow"}, "annealing_rate='slow' must lie above 0"),
        ({"n_init": 0}, "n_init must be a whole number of 1 or more"),
        ({"init_steps": 0}, "init_steps must be a whole number of 1 or more, not 0"),
        ({"annealing_rate": 1.5}, "annealing_rate=1.5 must lie above 0"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(frame, settings, message):
    with pytest.raises(ValueError, match=message):
        model(**settings).fit(frame)


def test_the_best_of_several_networks_is_trained_from_the_beginning_of_the_schedule(frame, monkeypatch):
    begun = []
    build = tsf.REDSDS.build
    monkeypatch.setattr(tsf.REDSDS, "build", lambda self, *sizes: begun.append(build(self, *sizes)) or begun[-1])
    several = model(n_init=3, init_steps=2, max_steps=5, validation_windows=0).fit(frame)
    assert len(begun) == 3
    assert sum(several.network_ is each for each in begun) == 1
    assert int(several.network_.step) == several.history_["step"].iloc[-1] == several.usage_["step"].iloc[-1] == 5
    several.set_params(max_steps=2).fit(frame, warm_start=True)
    assert len(begun) == 3
    assert int(several.network_.step) == 7


def test_without_steps_of_their_own_the_best_of_whole_trainings_is_kept(frame, monkeypatch):
    taken = []
    loss = REDSDSNetwork.loss
    monkeypatch.setattr(
        REDSDSNetwork, "loss", lambda self, window: (taken.append(self.training), loss(self, window))[1]
    )
    best = model(n_init=3, max_steps=4, validation_windows=0).fit(frame)
    assert sum(taken) == 12
    assert int(best.network_.step) == best.history_["step"].iloc[-1] == 4


def test_several_starts_are_drawn_anew_and_the_answer_is_the_same_twice(frame):
    one, several, again = (model(n_init=n, init_steps=1).fit(frame).segment(frame) for n in (1, 4, 4))
    pd.testing.assert_frame_equal(several, again)
    assert list(one) == list(several)


def test_ctrl_c_while_starts_are_compared_leaves_a_fitted_model(frame, monkeypatch):
    def press(self, window, loss=REDSDSNetwork.loss):
        if self.training and int(self.step) == 2:
            raise KeyboardInterrupt
        return loss(self, window)

    monkeypatch.setattr(REDSDSNetwork, "loss", press)
    with pytest.warns(UserWarning, match="training was interrupted after step 2"):
        fitted = model(n_init=3, init_steps=4).fit(frame)
    assert fitted.history_["step"].tolist() == [1, 2]
    assert len(fitted.segment(frame)) == len(frame)


def test_training_that_diverges_is_told_with_the_remedy(frame):
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        model(learning_rate=1e30, max_steps=20).fit(frame)


def test_temperatures_have_fallen_after_three_fifths_of_the_steps_unless_told_otherwise():
    annealing = model(max_steps=1000)._annealing(10.0, 2.0)
    assert annealing.at(49) == 10.0
    assert annealing.at(300) == pytest.approx(10 * 0.2 ** (250 / 550))
    assert annealing.at(600) == pytest.approx(2.0)
    assert annealing.at(900) == 2.0
    told = model(annealing_rate=0.99, annealing_every=50, annealing_kick_in=1000)._annealing(10.0, 1.0)
    assert told.at(2000) == pytest.approx(10 * 0.99**20)


def test_a_clone_has_every_setting_and_nothing_learned(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "regimes_")


def test_two_levels_that_take_turns_are_told_apart():
    """Runs of 6 to 9 steps at 0 and at 5 with little noise: each level becomes a regime."""
    rng = np.random.default_rng(0)
    runs = rng.integers(6, 10, (40, 30))
    level = np.array([np.repeat(np.arange(30) % 2, each)[:120] for each in runs])
    y = 5.0 * level + rng.normal(0, 0.2, level.shape)
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(40), 120), "ds": np.tile(np.arange(120), 40), "y": y.ravel()}
    )
    fitted = model(horizon=2, context_length=58, max_duration=12, max_steps=250, batch_size=16).fit(frame)
    found = fitted.segment(frame)["regime"].to_numpy()
    agree = (found == level.ravel()).mean()
    assert max(agree, 1 - agree) > 0.95


@pytest.mark.slow
def test_the_bouncing_ball_is_segmented_as_published():
    """A minute or two; after 2,000 batches accuracy .96 and adjusted Rand index .84 were measured on such data."""
    from sklearn.metrics import adjusted_rand_score

    from tsformers.simulate.ball import bouncing_ball

    train, test = bouncing_ball(10_000, 100, seed=111), bouncing_ball(200, 100, seed=1)
    settings = {"horizon": 1, "context_length": 99, "n_regimes": 2, "max_steps": 1500, "validation_windows": 0}
    fitted = tsf.REDSDS(**settings, seed=0, verbose=False).fit(train.drop(columns="regime"))
    found = fitted.segment(test.drop(columns="regime"))["regime"].to_numpy()
    true = test.sort_values(["unique_id", "ds"])["regime"].to_numpy()
    agree = (found == true).mean()
    assert max(agree, 1 - agree) >= 0.85
    assert adjusted_rand_score(true, found) >= 0.5
