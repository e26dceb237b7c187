"""Simulated systems keep their laws, and give the kind of data that is known of them."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from tsformers import hsmm, simulate

GENERATORS = {
    "bouncing_ball": (simulate.bouncing_ball, ["position", "velocity"]),
    "three_mode": (simulate.three_mode, ["x0", "x1", "count"]),
    "switching_autoregression": (simulate.switching_autoregression, ["expected", "count"]),
}
ALLOWED = [{6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2}]


def wide(frame, column):
    return frame[column].to_numpy().reshape(frame.unique_id.nunique(), -1)


def whole_segments(regime, count):
    """Regime, duration and successor of every segment that begins and ends within its series; (N, T) each."""
    ended = count[:, 1:] == 1
    kept = ended & (count[:, :-1] < np.arange(1, count.shape[1]))  # not the one under way at the first step shown
    return regime[:, :-1][kept], count[:, :-1][kept], regime[:, 1:][kept]


def as_often(counts, weights):
    """Whether counts fit the weights: none is off by more than 5 standard errors."""
    p = np.asarray(weights) / np.sum(weights)
    return (np.abs(counts / counts.sum() - p) <= 5 * np.sqrt(p * (1 - p) / counts.sum())).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_one_seed_is_one_frame_and_latent_columns_are_only_added(name):
    generate, hidden = GENERATORS[name]
    frame, again, other = generate(12, 30, seed=3), generate(12, 30, seed=3), generate(12, 30, seed=4)
    pd.testing.assert_frame_equal(frame, again, check_exact=True)
    assert not frame.y.equals(other.y)
    latent = generate(12, 30, seed=np.random.default_rng(3), latent=True)
    assert latent.columns.tolist() == ["unique_id", "ds", "y", "regime", *hidden]
    pd.testing.assert_frame_equal(latent[frame.columns], frame, check_exact=True)
    assert frame.unique_id.nunique() == 12 and frame.regime.dtype == frame.ds.dtype == np.int64
    pd.testing.assert_frame_equal(frame, frame.sort_values(["unique_id", "ds"], kind="stable"))
    assert (wide(frame, "ds") == np.arange(30)).all()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(("n_series", "length"), [(0, 5), (5, 0)])
def test_nothing_to_draw_is_refused(name, n_series, length):
    with pytest.raises(ValueError, match="both must be at least 1"):
        GENERATORS[name][0](n_series, length)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(1, 20), st.floats(0.05, 0.9))
def test_a_ball_keeps_its_speed_and_turns_only_beyond_a_wall(seed, low, width, share):
    high, fastest = low + width, share * width
    frame = simulate.bouncing_ball(20, 120, low=low, high=high, max_speed=fastest, noise=0.0, latent=True, seed=seed)
    y, x, v = (wide(frame, column) for column in ("y", "position", "velocity"))
    assert (y == x).all()
    assert (np.abs(v) == np.abs(v[:, :1])).all() and (np.abs(v) <= fastest).all()
    np.testing.assert_array_equal(x[:, 1:], x[:, :-1] + v[:, :-1])
    assert (wide(frame, "regime") == (v >= 0)).all()
    beyond = ((x > high) & (np.roll(v, 1, 1) > 0)) | ((x < low) & (np.roll(v, 1, 1) < 0))
    np.testing.assert_array_equal(np.sign(v[:, 1:]) != np.sign(v[:, :-1]), beyond[:, 1:])
    assert (x >= low - fastest).all() and (x <= high + fastest).all()
    tenths = (x[:, 0] - low) / width * 10
    np.testing.assert_allclose(tenths, np.rint(tenths), atol=1e-9)
    assert tenths.min() > -0.5 and tenths.max() < 9.5


def test_balls_are_of_the_kind_in_the_shared_data(shared):
    """200 balls of 100 and 150 steps there; ours 1,000. Distributions by Kolmogorov and Smirnov, moments by eye."""
    theirs = pd.read_parquet(shared / "data" / "segmentation" / "bouncing_ball.parquet")
    theirs = theirs.rename(columns={"state": "regime"})[lambda frame: frame.ds < 100]
    ours = simulate.bouncing_ball(1000, 100, seed=0)
    figures = []
    for frame in (theirs, ours):
        y, regime = wide(frame, "y"), wide(frame, "regime")
        steady = (regime[:, 2:] == regime[:, 1:-1]) & (regime[:, 1:-1] == regime[:, :-2])
        figures.append(
            {
                "speed": np.abs((y[:, 20] - y[:, 0]) / 20)[(regime[:, :20] == regime[:, :1]).all(1)],
                "start": y[:, 0],
                "share": regime.mean(1),
                "noise": np.diff(y, 2, axis=1)[steady].std() / np.sqrt(6),
                "range": (y.min(), y.max()),
            }
        )
    for name in ("speed", "start", "share"):
        assert ks_2samp(figures[0][name], figures[1][name]).pvalue > 0.001, name
    assert figures[0]["noise"] == pytest.approx(figures[1]["noise"], rel=0.03)
    np.testing.assert_allclose(figures[0]["range"], figures[1]["range"], atol=0.3)
    assert figures[1]["noise"] == pytest.approx(0.1, rel=0.02)


@pytest.fixture(scope="module")
def modes():
    """A three-mode system and 1,000 series of it."""
    system = simulate.three_mode_system(seed=5)
    return system, system.draw(1000, 200, latent=True, seed=6)


def test_segments_last_only_the_allowed_times_as_often_as_they_should(modes):
    """Segments that begin in the first 180 of 200 steps all end within the series: none is missed for its length."""
    _, frame = modes
    regime, count = wide(frame, "regime"), wide(frame, "count")
    for k, allowed in enumerate(ALLOWED):
        begins = np.argwhere((count[:, :180] == 1) & (regime[:, :180] == k))
        lasting = [np.argmax(np.r_[count[i, t + 1 :], 1] == 1) + 1 for i, t in begins]
        values, counts = np.unique(lasting, return_counts=True)
        assert values.tolist() == [*allowed] and as_often(counts, [*allowed.values()])


def test_the_next_regime_follows_the_switch_matrix_and_the_first_is_any(modes):
    system, frame = modes
    regime = wide(frame, "regime")
    before, _, after = whole_segments(regime, wide(frame, "count"))
    for k in range(3):
        assert as_often(np.bincount(after[before == k], minlength=3), system.switch[k])
    assert as_often(np.bincount(regime[:, 0], minlength=3), [1, 1, 1])
    np.testing.assert_allclose(system.switch, [[0.1, 0.2, 0.7], [0.3, 0.5, 0.2], [0.3, 0.3, 0.4]])


def test_states_shrink_turn_and_drift_with_the_regime_in_force(modes):
    system, frame = modes
    for k, degrees in enumerate((0.0, 22.5, 45.0)):
        np.testing.assert_allclose(system.dynamics[k].T @ system.dynamics[k], 0.99**2 * np.eye(2), atol=1e-12)
        angles = np.rad2deg(np.abs(np.angle(np.linalg.eigvals(system.dynamics[k]))))
        np.testing.assert_allclose(angles, degrees, atol=1e-9)
    assert not system.drift[0].any() and set(system.level) <= {0.0, 1.0, 2.0}
    x = np.stack([wide(frame, "x0"), wide(frame, "x1")], axis=2)
    z = wide(frame, "regime")
    moved = np.einsum("ntij,ntj->nti", system.dynamics[z[:, 1:]], x[:, :-1]) + system.drift[z[:, 1:]]
    shocks = (x[:, 1:] - moved) / 0.1
    seen = (wide(frame, "y") - (system.readout[z] * x).sum(2) - system.level[z]) / 0.2
    for residual in (shocks, seen, (x[:, 0] - [2.0, 0.0]) / 0.1):
        bound = 5 / np.sqrt(residual.size)
        assert abs(residual.mean()) < bound and abs(residual.var() - 1) < 2 * bound


def test_runs_of_modes_are_of_the_kind_in_the_shared_data(shared, modes):
    """Labels tell runs, not segments: a mode may follow itself. Runs within the series, of 200 and of 1,000 series."""
    theirs = pd.read_parquet(shared / "data" / "segmentation" / "three_mode_system.parquet")
    runs = []
    for regime in (wide(theirs, "state"), wide(modes[1], "regime")):
        changes = [np.r_[0, np.flatnonzero(np.diff(row)) + 1] for row in regime]
        lasting = [np.diff(begins)[1:] for begins in changes]
        which = [row[begins][1:-1] for row, begins in zip(regime, changes, strict=True)]
        runs.append((np.concatenate(which), np.concatenate(lasting)))
    for k in range(3):
        assert ks_2samp(*(lasting[which == k] for which, lasting in runs)).pvalue > 0.001
    shares = [np.bincount(which) / len(which) for which, _ in runs]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.05)


def test_a_smoother_that_knows_the_system_and_the_states_finds_its_regimes():
    """Densities of the states alone; the reference for such data is 0.995, with a spread of 0.014 between series."""
    system = simulate.three_mode_system(seed=1)
    frame = system.draw(40, 180, latent=True, seed=2)
    x = np.stack([wide(frame, "x0"), wide(frame, "x1")], axis=2)
    moved = np.einsum("kij,ntj->ntki", system.dynamics, x[:, :-1]) + system.drift
    density = np.zeros((40, 180, 3))
    density[:, 1:] = -((x[:, 1:, None] - moved) ** 2).sum(3) / (2 * 0.1**2)
    with np.errstate(divide="ignore"):
        durations = torch.tensor(np.log(system.durations))
    parts = {
        "log_initial": torch.full((3,), 1 / 3, dtype=torch.float64).log(),
        "log_transition": torch.tensor(system.switch).log(),
        "log_continue": hsmm.hazards(durations),
        "log_emission": torch.tensor(density),
    }
    truth = torch.tensor(wide(frame, "regime"))
    assert float((hsmm.forward_backward(**parts).regime.argmax(2) == truth).double().mean()) >= 0.98
    assert float((hsmm.viterbi(**parts).regime == truth).double().mean()) >= 0.98


def test_an_autoregression_is_its_expectation_and_noise_and_starts_at_rest():
    frame = simulate.switching_autoregression(2000, 300, means=(1.0, -2.0), latent=True, seed=0)
    y, expected, z = (wide(frame, column) for column in ("y", "expected", "regime"))
    shocks = (y - expected) / np.array([0.3, 1.0])[z]
    assert abs(shocks.mean()) < 5 / np.sqrt(shocks.size) and abs(shocks.var() - 1) < 8 / np.sqrt(shocks.size)
    lags = [1.0 + 0.9 * (y[:, 1:-1] - 1.0), -2.0 + 1.2 * (y[:, 1:-1] + 2.0) - 0.8 * (y[:, :-2] + 2.0)]
    np.testing.assert_allclose(expected[:, 2:], np.where(z[:, 2:] == 0, *lags), atol=1e-12)
    assert ks_2samp(y[:, 0], y[:, -1]).pvalue > 0.001
    _, lasting, after = whole_segments(z, wide(frame, "count"))
    assert lasting.min() == 20 and lasting.max() == 60 and set(after) == {0, 1}


def test_an_autoregression_of_one_regime_is_an_ordinary_one():
    """An AR(1) with coefficient 0.8: variance 1 / (1 - 0.64), autocorrelation 0.8; errors of some 1 in 100."""
    frame = simulate.switching_autoregression(2000, 100, coefficients=[[0.8]], means=[0], noise=[1], durations=[[1.0]])
    y = wide(frame, "y")
    assert set(frame.regime) == {0}
    assert y.var() == pytest.approx(1 / 0.36, rel=0.05)
    assert (y[:, 1:] * y[:, :-1]).mean() / y.var() == pytest.approx(0.8, abs=0.02)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 7), st.integers(1, 6), st.integers(1, 40), st.integers(0, 10_000))
def test_counts_grow_by_one_and_segments_end_where_their_law_allows(regimes, counts, n_series, length, seed):
    random = np.random.default_rng(seed)
    durations = random.dirichlet(np.ones(counts), regimes) * (random.random((regimes, counts)) < 0.5)
    durations[:, -1] += durations.sum(1) == 0
    durations /= durations.sum(1, keepdims=True)
    switch = random.dirichlet(np.ones(regimes), regimes)
    regime, count = simulate.semi_markov(n_series, length, switch, durations, random)
    assert regime.shape == count.shape == (n_series, length)
    grown = count[:, 1:] == count[:, :-1] + 1
    assert (count[:, 0] == 1).all() and (grown | (count[:, 1:] == 1)).all()
    assert (regime[:, 1:] == regime[:, :-1])[grown & (count[:, 1:] > 1)].all()
    ended = count[:, 1:] == 1
    assert (durations[regime[:, :-1][ended], count[:, :-1][ended] - 1] > 0).all()
    assert (count <= counts).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coefficients": [[1.0], [0.5]]}, r"coefficients of regime 0 are \[1.0\]"),
        ({"coefficients": [[0.5], [0.5, 0.6]]}, "coefficients of regime 1"),
        ({"means": [0.0]}, "coefficients are of 2 regimes"),
        ({"noise": [1.0, -1.0]}, "noise is"),
        ({"switch": [[0.5, 0.5], [0.5, 0.6]]}, "switch is"),
        ({"durations": [[0.5, 0.5], [-1.0, 2.0]]}, "durations is"),
    ],
)
def test_autoregressions_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        simulate.switching_autoregression(2, 10, **settings)


@pytest.mark.parametrize("settings", [{"low": 10.0}, {"max_speed": 0.0}, {"max_speed": 11.0}, {"noise": -1.0}])
def test_balls_that_cannot_be_are_refused(settings):
    with pytest.raises(ValueError, match="they must be low < high"):
        simulate.bouncing_ball(2, 10, **settings)


def test_each_series_of_a_mixture_follows_one_autoregression_throughout():
    frame = simulate.arma_mixture(400, 100, seed=0)
    pd.testing.assert_frame_equal(frame, simulate.arma_mixture(400, 100, seed=0), check_exact=True)
    y, regime = wide(frame, "y"), wide(frame, "regime")
    assert (regime == np.repeat(np.arange(3), 400)[:, None]).all()
    for k, truth in enumerate([(-0.25, 0.52), (0.34, 0.27), (1.5, -0.75)]):
        mine = y[regime[:, 0] == k]
        lags = np.stack([mine[:, 1:-1].ravel(), mine[:, :-2].ravel()], axis=1)
        found, square, *_ = np.linalg.lstsq(lags, mine[:, 2:].ravel(), rcond=None)
        np.testing.assert_allclose(found, truth, atol=0.02)
        assert (square[0] / len(lags)) ** 0.5 == pytest.approx(0.27, rel=0.01)
    assert y[:, :2].std() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(ValueError, match=r"noise is -1 and start 0.5; both must be 0 or more"):
        simulate.arma_mixture(1, 5, noise=-1)
