"""Switching systems and autoregressions."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ks_2samp

from tsformers import hsmm, simulate

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


def test_states_shrink_rotate_and_drift_by_the_current_regime(modes):
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
    noise = (wide(frame, "y") - (system.readout[z] * x).sum(2) - system.level[z]) / 0.2
    for residual in (shocks, noise, (x[:, 0] - [2.0, 0.0]) / 0.1):
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


def test_an_autoregression_is_its_expectation_plus_noise_and_stationary_from_its_start():
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
def test_impossible_autoregressions_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        simulate.switching_autoregression(2, 10, **settings)
