"""REDSDS as a forecaster: forecasts, random restarts, covariates, refused settings."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import tsformers as tsf
from tsformers.errors import DataError
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths
from tsformers.forecasters.redsds.network import REDSDSNetwork
from tsformers.testing import check_forecaster, make_frame


@pytest.mark.parametrize(
    "settings",
    [
        {"durations": "geometric", "transition": "linear"},
        {"recurrent": False, "emission": "linear", "begin": "argmax"},
        {"switch_input": "xy", "min_duration": 2, "scaler": "mean_abs"},
        {
            "embedder": "transformer",
            "annealing": TemperatureAnnealing(duration_temperature=10.0, switch_temperature=3.0),
        },
    ],
)
def test_every_form_keeps_the_contract_of_forecasters(model, settings):
    check_forecaster(model(**settings), make_frame(n_series=2, rows=40))


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


def test_usage_is_recorded_during_training_and_continued_by_a_warm_start(model, frame):
    fitted = model(max_steps=30).fit(frame)
    assert fitted.usage_["step"].tolist() == [20, 30]
    np.testing.assert_allclose(fitted.usage_[["0", "1"]].sum(axis=1), 1, atol=1e-5)
    fitted.fit(frame, warm_start=True)
    assert fitted.usage_["step"].iloc[-1] == 60


def test_covariates_are_controls(model, frame):
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
        (
            {"annealing": TemperatureAnnealing(switch_temperature=0.0)},
            r"annealing.switch_temperature must be a number in \(0, inf\)",
        ),
        ({"emission_scale": -1.0}, r"emission_scale must be a number in \(0, inf\), not -1.0"),
        ({"widths": Widths(emission=(8,))}, "widths.emission must be 2 values, each a whole number of 1 or more"),
        ({"widths": Widths(emission=(8, 0))}, r"widths.emission\[1\] must be a whole number of 1 or more, not 0"),
        ({"widths": None}, "widths must be Widths, not None"),
        (
            {"annealing": TemperatureAnnealing(kick_in=-1)},
            "annealing.kick_in must be a whole number of 0 or more or None",
        ),
        ({"start_floor": -np.inf}, r"start_floor must be a number in \(-inf, inf\) or None, not -inf"),
        ({"start_floor": "low"}, "start_floor must be a number"),
        ({"init_steps": 2.0}, "init_steps must be a whole number of 1 or more or None, not 2.0"),
        (
            {"annealing": TemperatureAnnealing(rate="slow")},
            r"annealing.rate must be a number in \(0, 1\] or None, not 'slow'",
        ),
        ({"n_init": 0}, "n_init must be a whole number of 1 or more"),
        ({"init_steps": 0}, "init_steps must be a whole number of 1 or more or None, not 0"),
        ({"annealing": TemperatureAnnealing(rate=1.5)}, r"annealing.rate must be a number in \(0, 1\]"),
        ({"recurrent": "yes"}, "recurrent must be True or False, not 'yes'"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(model, frame, settings, message):
    with pytest.raises(ValueError, match=message):
        model(**settings).fit(frame)


def test_the_best_restart_is_trained_from_the_first_step_of_the_schedule(model, frame, monkeypatch):
    built = []
    build = tsf.REDSDS.build
    monkeypatch.setattr(tsf.REDSDS, "build", lambda self, *sizes: built.append(build(self, *sizes)) or built[-1])
    several = model(n_init=3, init_steps=2, max_steps=5, validation_windows=0).fit(frame)
    assert len(built) == 3
    assert sum(several.network_ is each for each in built) == 1
    assert int(several.network_.step) == several.history_["step"].iloc[-1] == several.usage_["step"].iloc[-1] == 5
    several.set_params(max_steps=2).fit(frame, warm_start=True)
    assert len(built) == 3
    assert int(several.network_.step) == 7


def test_without_init_steps_the_best_of_full_trainings_is_kept(model, frame, monkeypatch):
    taken = []
    loss = REDSDSNetwork.loss
    monkeypatch.setattr(
        REDSDSNetwork, "loss", lambda self, window: (taken.append(self.training), loss(self, window))[1]
    )
    best = model(n_init=3, max_steps=4, validation_windows=0).fit(frame)
    assert sum(taken) == 12
    assert int(best.network_.step) == best.history_["step"].iloc[-1] == 4


def test_random_restarts_differ_and_the_answer_is_repeatable(model, frame):
    one, several, again = (model(n_init=n, init_steps=1).fit(frame).segment(frame) for n in (1, 4, 4))
    pd.testing.assert_frame_equal(several, again)
    assert list(one) == list(several)


def test_ctrl_c_while_restarts_are_compared_leaves_a_fitted_model(model, frame, monkeypatch):
    def press(self, window, loss=REDSDSNetwork.loss):
        if self.training and int(self.step) == 2:
            raise KeyboardInterrupt
        return loss(self, window)

    monkeypatch.setattr(REDSDSNetwork, "loss", press)
    with pytest.warns(UserWarning, match="training was interrupted after step 2"):
        fitted = model(n_init=3, init_steps=4).fit(frame)
    assert fitted.history_["step"].tolist() == [1, 2]
    assert len(fitted.segment(frame)) == len(frame)


def test_diverged_training_raises_with_the_remedy(model, frame):
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        model(learning_rate=1e30, max_steps=20).fit(frame)


def test_a_clone_has_every_setting_and_nothing_learned(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "regimes_")


def test_two_alternating_levels_become_two_regimes(model):
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


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ({"d_embedding": 8}, r"write widths=Widths\(embedding=...\) of tsformers.forecasters.redsds$"),
        ({"annealing_kick_in": 5}, r"write annealing=TemperatureAnnealing\(kick_in=...\)"),
    ],
)
def test_former_settings_are_refused_with_todays_named(model, former, today):
    with pytest.raises(TypeError, match=f"REDSDS has no setting '{next(iter(former))}' any more; {today}"):
        model(**former)
    with pytest.raises(ValueError, match=f"REDSDS has no setting '{next(iter(former))}' any more; {today}"):
        model().set_params(**former)
