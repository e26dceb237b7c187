"""Every score, as arrays and as tables."""

import numpy as np

import tsformers as tsf
from fixed_point.data import even
from fixed_point.models import QUIET, linear
from fixed_point.registry import case

s = tsf.scoring
LEVELS = (0.1, 0.25, 0.5, 0.9)
METRICS = [
    "crps", "crps_fair", "log_score", "pit", "wql", "mae", "mape", "smape", "nd", "mse", "rmse", "nrmse", "mase",
    "rmsse", "msis", "owa", "quantile_0.9", "coverage_80", "interval_80", "coverage_95",
]  # fmt: skip
JOINT = ["crps_sum", "energy_score", "variogram_score"]
OF_QUANTILES = [name for name in METRICS if name not in ("crps_fair", "log_score")]


def numbers():
    """Values (N, H) with some missing, draws (N, S, H), and a history (N, T)."""
    rng = np.random.default_rng(0)
    y = 5 + rng.normal(size=(4, 6))
    y[0, 1] = y[2, 3] = np.nan
    return y, 5 + rng.normal(size=(4, 15, 6)), 5 + rng.normal(size=(4, 30)) + np.sin(np.arange(30) * 2 * np.pi / 7)


@case("scores of draws")
def draws():
    y, x, _ = numbers()
    whole = np.nan_to_num(y, nan=5.0)
    holes = x.copy()
    holes[1, 3, 2] = np.nan
    return {
        "crps": s.crps_samples(y, x, axis=1),
        "crps fair": s.crps_samples(y, x, axis=1, estimator="fair"),
        "crps, members lacking": s.crps_samples(y, holes, axis=1, nan_members="omit"),
        "brier": s.brier_score(y, x, [4.0, 5.0, 6.0], axis=1),
        "brier, members lacking": s.brier_score(y, holes, 5.0, axis=1, nan_members="omit"),
        "log_score": s.log_score(y, x, axis=1),
        "pit": s.pit(y, x, axis=1),
        "crps_sum": s.crps_sum(y, x),
        "energy": s.energy_score(whole.T, x.transpose(2, 1, 0)),
        "energy fair": s.energy_score(whole.T, x.transpose(2, 1, 0), estimator="fair"),
        "variogram": s.variogram_score(whole.T, x.transpose(2, 1, 0)),
        "variogram 1": s.variogram_score(whole.T, x.transpose(2, 1, 0), p=1.0, weights=np.ones((4, 4)) / 16),
    }


@case("scores of quantiles and laws")
def quantiles():
    y, x, history = numbers()
    q = np.quantile(x, LEVELS, axis=1).transpose(1, 2, 0)
    lower, upper = q[..., 0], q[..., -1]
    return {
        "crps_normal": s.crps_normal(y, 5.0, 1.5),
        "crps_quantiles": s.crps_quantiles(y, q, LEVELS),
        "crps_quantile_function": s.crps_quantile_function(y, q, LEVELS),
        "quantile_loss": s.quantile_loss(y, q, LEVELS),
        "wql": s.weighted_quantile_loss(y, q, LEVELS),
        "wql by row": s.weighted_quantile_loss(y, q, LEVELS, axis=1),
        "coverage": s.coverage(y, lower, upper),
        "coverage by row": s.coverage(y, lower, upper, axis=1),
        "interval": s.interval_score(y, lower, upper, 0.2),
        "msis": s.msis(y, lower, upper, history, 7, 0.2),
        "msis by row": s.msis(y, lower, upper, history, 7, 0.2, axis=1),
    }


@case("scores of points")
def points():
    y, x, history = numbers()
    guess, found = np.median(x, axis=1), {}
    for axis in (None, 0, 1):
        for name in ("mae", "mse", "rmse", "mape", "smape", "nd", "nrmse"):
            found[f"{name} {axis}"] = getattr(s, name)(y, guess, axis=axis)
        for name in ("mase", "rmsse"):
            found[f"{name} {axis}"] = getattr(s, name)(y, guess, history, 7, axis=axis)
        found[f"owa {axis}"] = s.owa(y, guess, s.naive2(history, 6, 7), history, 7, axis=axis)
    found["naive2"] = [s.naive2(history, 6, 7), s.naive2(history, 6), s.naive2(history[:, :9], 3, 7)]
    found["scale"] = [s.seasonal_scale(history, 7), s.seasonal_scale(history, 1, 2)]
    return found


@case("tsf.score", trained=True)
def tables():
    frame = even()
    ahead = frame.groupby("unique_id").cumcount(ascending=False) < 4
    past = frame[~ahead]
    forecast = tsf.SeasonalNaive(horizon=4, **QUIET).fit(past).predict(n_samples=20, seed=0)
    joint = linear(multivariate=True).fit(past).predict(n_samples=20, seed=0)
    levels = linear(likelihood="quantile").fit(past).predict()
    holes = frame.assign(y=frame["y"].where(frame.index % 7 > 0))
    collected = {"joint": tsf.score(joint, frame, frame, JOINT), "draws joint": bool(joint.joint)}
    for by in (None, "unique_id", "horizon"):
        collected[f"draws by {by}"] = tsf.score(forecast, frame, frame, METRICS, by=by)
        collected[f"quantiles by {by}"] = tsf.score(levels, frame, past, OF_QUANTILES, by=by)
        collected[f"holes by {by}"] = tsf.score(forecast, holes, past, METRICS, by=by, season_length=1)
    collected["of an array"] = tsf.score(forecast, np.full((3, 4), 12.0))
    return collected
