"""Segmentation by REDSDS: a regime for every step, and how much longer it is expected to last."""

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

import tsformers.forecasters.redsds.segmentation as segmentation
from tsformers.errors import DataError
from tsformers.forecasters.redsds.network import marginalise
from tsformers.forecasters.redsds.segmentation import expected_ahead, remaining_steps
from tsformers.testing import make_frame


def test_a_segmentation_has_a_row_for_every_step_under_the_callers_names(model, frame):
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
    torch.manual_seed(5)  # the answer is deterministic
    alone = fitted.segment(frame[frame["unique_id"] == "s2"])
    rows = expected[expected["unique_id"] == "s2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone, rtol=1e-4, atol=1e-5)


def test_series_shorter_and_longer_than_the_context_and_new_ones_are_segmented(fitted):
    short, long = make_frame(1, 5), make_frame(1, 500).assign(unique_id="new")
    answer = fitted.segment(pd.concat([short, long], ignore_index=True))
    assert answer.groupby("unique_id").size().to_dict() == {"new": 500, "s0": 5}
    assert np.isfinite(answer["expected_remaining"]).all()


def test_many_series_are_segmented_in_groups_and_none_is_lost(fitted, frame, monkeypatch):
    expected = fitted.segment(frame)
    monkeypatch.setattr(segmentation, "MAX_STEPS", 64)
    pd.testing.assert_frame_equal(expected, fitted.segment(frame), rtol=1e-4, atol=1e-5)
    groups = segmentation.similar_lengths(torch.tensor([2, 0, 1, 3]), torch.tensor([3, 40, 2, 70]))
    assert [group.tolist() for group in groups] == [[2, 0], [1], [3]]


def test_steps_without_a_value_and_missing_rows_have_a_regime(fitted, frame):
    holes = frame.copy()
    holes.loc[10:14, "y"] = np.nan
    holes = holes.drop(index=range(20, 23))
    answer = fitted.segment(holes)
    assert len(answer) == len(frame)
    assert answer["regime"].isin([0, 1]).all()


def test_channels_of_a_multivariate_model_share_their_regimes(model, frame):
    last = frame.groupby("unique_id")["ds"].transform("max")
    together = frame.assign(ds=frame["ds"] + (frame["ds"].max() - last))  # series end at the same day
    fitted = model(multivariate=True).fit(together)
    assert fitted.predict(n_samples=7).samples.shape == (3, 7, 4)
    answer = fitted.segment(together)
    assert len(answer) == len(together)
    assert (answer.groupby("ds")["regime"].nunique() == 1).all()
    assert len(fitted.plot_segments(together, ids=["s1"]).axes) == 1


def test_what_cannot_be_segmented_is_refused(model, fitted, frame):
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


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.integers(0, 3))
@settings(deadline=None)
def test_expected_remaining_steps_are_the_mean_of_the_longer_durations(weights, zeros):
    probabilities = np.array([0.0] * zeros + weights) / sum(weights)
    steps = np.arange(1, len(probabilities) + 1)
    longer = [probabilities[steps >= c].sum() for c in steps]
    expected = [((steps - c) * probabilities)[steps >= c].sum() / longer[c - 1] for c in steps]
    np.testing.assert_allclose(expected_ahead(torch.tensor(probabilities)).numpy(), expected, atol=1e-9)


def test_expected_remaining_weighs_the_ages_that_the_chosen_regime_may_have(network, series):
    net = network(n_regimes=2, max_duration=3).double().eval()
    with torch.no_grad():
        sequences, encoded = net.read(series(np.random.default_rng(0).normal(size=(2, 6))))
        posterior = marginalise(encoded.factors)
        chosen = posterior.regime.argmax(-1)
        found, lasting = remaining_steps(net, sequences, encoded, posterior, chosen)
    for b, t in itertools.product(range(2), range(6)):
        k = int(chosen[b, t])
        ages = (posterior.regime_count[b, t, k] / posterior.regime[b, t, k]).numpy()
        rho, steps = lasting[k].numpy(), np.arange(1, 4)
        left = [((steps - c) * rho)[steps >= c].sum() / rho[steps >= c].sum() for c in steps]
        assert float(found[b, t]) == pytest.approx(float(ages @ left), rel=1e-9)


def test_a_geometric_regime_ends_with_the_probability_of_its_step(network, series):
    net = network(durations="geometric", recurrent=False).double().eval()
    with torch.no_grad():
        sequences, encoded = net.read(series([[0.1, 0.2, 0.3]]))
        posterior = marginalise(encoded.factors)
        found, _ = remaining_steps(net, sequences, encoded, posterior, torch.zeros(1, 3, dtype=torch.long))
        stay = float(encoded.factors.log_transition[0, 1, 0, 0].exp())
    np.testing.assert_allclose(found[0].numpy(), stay / (1 - stay))
