"""A forecaster against the seasonal naive one on the last horizon: what is compared, and what is said."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.evaluation.against_naive import MOST_SERIES, NaiveComparison, compare_with_naive
from tsformers.messages import message_of
from tsformers.scoring import quantile_loss, seasonal_scale

WEEK = np.array([0, 30, 5, 60, 10, 90, 20.0])


def growing(n=56, names="a"):
    """Weekly seasons on a rising line: a season before is too low."""
    days = pd.date_range("2024-01-01", periods=n)
    return pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": days, "y": 5.0 * np.arange(n) + np.resize(WEEK, n)}) for name in names]
    )


class Shifted:
    """A plug-in without settings: the last value and ``shift``."""

    def __init__(self, horizon, shift):
        self.horizon, self.shift, self.seen = horizon, shift, []

    def fit(self, data, **roles):
        self.panel_ = tsf.Panel.from_frame(data, **roles)
        self.seen.append(self.panel_.lengths.tolist())
        return self

    def predict(self, data=None, *, future=None, static=None, n_samples=100, seed=None):
        panel = self.panel_ if data is None else self.panel_.like(data)
        values = np.repeat(panel.y[panel.ends - 1] + self.shift, n_samples * self.horizon).reshape(
            panel.n_series, n_samples, -1
        )
        return tsf.Forecast(panel.ids, panel.future_times(self.horizon), values, grid=panel.grid, schema=panel.schema)


def network(**settings):
    return tsf.LRU(horizon=7, context_length=14, max_steps=1, seed=0, verbose=False, **settings)


def test_losses_are_those_of_a_forecast_without_the_last_window():
    panel = tsf.Panel.from_frame(growing(names="ab"))
    found = compare_with_naive(tsf.Theta(horizon=7, seed=0).fit(panel), panel, (0.1, 0.5), seed=3)
    before = panel.until(panel.ends - 7)
    truth, past = panel.padded(7), panel.padded(56)[:, :-7]
    expected = []
    for kind in (tsf.Theta, tsf.SeasonalNaive):
        answer = kind(horizon=7, seed=0).fit(before).predict(n_samples=1000, seed=3)
        loss = quantile_loss(truth, answer.quantile([0.1, 0.5]), [0.1, 0.5], axis=1).mean(axis=(1, 2)) / 2
        expected.append((loss / seasonal_scale(past, 7)).mean())
    np.testing.assert_allclose([found.loss, found.naive], expected)
    assert not found.worse and (found.n_series, found.of) == (2, 2)
    start = "compared with SeasonalNaive on the last 7 steps: the pinball loss of Theta is "
    assert str(found) == f"{start}{100 * (1 - found.loss / found.naive):.2g} % lower"


def test_a_plug_in_that_is_worse_is_warned_of():
    panel = tsf.Panel.from_frame(growing())
    fitted = Shifted(7, -1000.0).fit(panel)
    found = compare_with_naive(fitted, panel)
    assert found.worse
    warning = found.warning()
    assert str(warning).startswith("SeasonalNaive is better than Shifted on the last 7 steps")
    assert "or choose SeasonalNaive(horizon=7)" in str(warning) and " --" not in str(warning)
    assert "or choose --model SeasonalNaive" in message_of(warning, "shell")
    assert fitted.seen == [[56]]  # a copy was fitted again


def test_one_large_series_does_not_decide():
    small, large = growing(names="a"), growing(names="b")
    large["y"] *= 1e6
    losses = [
        compare_with_naive(Shifted(7, 3.0).fit(panel), panel).loss
        for panel in (tsf.Panel.from_frame(pd.concat([small, large])), tsf.Panel.from_frame(growing(names="ab")))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_of_many_series_some_are_chosen_by_the_seed():
    frame = growing(names=[f"s{i:03}" for i in range(MOST_SERIES + 20)])
    frame["y"] += np.random.default_rng(0).normal(size=len(frame))
    panel = tsf.Panel.from_frame(frame)
    fitted = Shifted(7, 0.0).fit(panel)
    first, again, other = (compare_with_naive(fitted, panel, n_samples=5, seed=seed) for seed in (0, 0, 1))
    assert (first.n_series, first.of) == (MOST_SERIES, MOST_SERIES + 20)
    assert first == again and first.loss != other.loss
    assert f"of {MOST_SERIES} of {MOST_SERIES + 20} series (chosen at random)" in str(first)


def test_a_network_is_compared_on_a_window_that_it_did_not_train_on(monkeypatch):
    panel = tsf.Panel.from_frame(growing(84))
    fitted = network().fit(panel)
    monkeypatch.setattr(tsf.LRU, "fit", lambda *_, **__: pytest.fail("a network must not be fitted again"))
    found = compare_with_naive(fitted, panel)
    assert found.n_series == 1 and np.isfinite([found.loss, found.naive]).all()


def test_the_last_window_of_a_network_is_in_validation_exactly_where_no_training_target_lies_in_it():
    from tsformers.data.cutoffs import cutoffs, validation_length

    frame = pd.concat([growing(n, name) for n, name in ((21, "a"), (27, "b"), (28, "c"), (60, "d"))])
    panel = tsf.Panel.from_frame(frame)
    fitted = network().fit(panel)
    packed = fitted.covariates_.pack(panel, multivariate=False)
    series, rows = cutoffs(packed, 14, 7, validation_length(7, 1))
    last = [int(rows[series == i].max()) + 7 <= panel.ends[i] - 7 for i in range(4)]
    assert fitted.last_window_validated(panel).tolist() == last == [False, False, True, True]
    assert not network(validation_windows=0).fit(panel).last_window_validated(panel).any()


def test_a_network_that_has_trained_on_the_last_window_is_not_compared():
    panel = tsf.Panel.from_frame(growing(84))
    found = compare_with_naive(network(validation_windows=0).fit(panel), panel)
    assert str(found) == "not compared with SeasonalNaive: the network was trained on the last 7 rows of every series"
    scaled = tsf.Pipeline([tsf.Scale()], network()).fit(panel)
    assert "have learned from the last 7 rows" in compare_with_naive(scaled, panel).reason


def test_a_network_with_covariates_and_bounds_is_compared():
    frame = growing(84).assign(price=np.arange(84) % 3 + 0.5)
    panel = tsf.Panel.from_frame(frame, known=["price"])
    found = compare_with_naive(tsf.Pipeline([tsf.Bounded(lower=0)], network()).fit(panel), panel)
    assert (found.model, found.n_series) == ("LRU", 1)


def test_the_bound_of_a_model_is_put_around_the_naive_one_too():
    panel = tsf.Panel.from_frame(growing().assign(y=lambda frame: frame["y"] - 300))
    free, bound = Shifted(7, 0.0), tsf.Pipeline([tsf.Bounded(lower=0)], Shifted(7, 0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tsf.DataWarning)
        naive = [compare_with_naive(model.fit(panel), panel).naive for model in (free, bound)]
    assert naive[0] != naive[1]


def test_multivariate_networks_are_compared_on_all_series():
    panel = tsf.Panel.from_frame(growing(84, "abc"))
    assert compare_with_naive(network(multivariate=True).fit(panel), panel).n_series == 3


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (lambda: growing(13), "no series has 7 rows before its last 7"),
        (lambda: growing().assign(y=1.0), "no series has a value in its last 7 rows and changes before them"),
        (lambda: growing().assign(y=lambda f: f["y"].where(f["ds"] < "2024-02-19")), "no series has a value"),
    ],
)
def test_without_rows_that_tell_there_is_no_comparison(frame, reason):
    panel = tsf.Panel.from_frame(frame())
    found = compare_with_naive(Shifted(7, 0.0).fit(panel), panel)
    assert found.reason.startswith(reason) and not found.worse and found.n_series == 0


def test_the_seasonal_naive_model_is_not_compared_with_itself():
    panel = tsf.Panel.from_frame(growing())
    assert compare_with_naive(tsf.SeasonalNaive(horizon=7).fit(panel), panel).reason == "it is the model itself"


def test_a_model_that_fails_without_the_last_window_is_not_compared():
    class Fails(Shifted):
        def fit(self, data, **roles):
            if self.seen:
                raise ValueError("too few rows")
            return super().fit(data, **roles)

    panel = tsf.Panel.from_frame(growing())
    assert compare_with_naive(Fails(7, 0.0).fit(panel), panel).reason == "without the last 7 rows: too few rows"


def test_a_loss_of_zero_of_the_naive_one_is_said_in_words():
    found = NaiveComparison(model="Theta", horizon=7, n_series=1, of=1, loss=1.0, naive=0.0)
    assert found.worse and "larger than 0, its own" in str(found)
