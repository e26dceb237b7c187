"""Scores of forecasts as array functions; NaN in y is not scored. ``tsf.score`` makes a table of them."""

from tsformers.scoring.comparison import diebold_mariano
from tsformers.scoring.crps import (
    brier_score,
    crps_normal,
    crps_quantile_function,
    crps_quantiles,
    crps_samples,
    log_score,
)
from tsformers.scoring.multivariate import crps_sum, energy_score, variogram_score
from tsformers.scoring.point import (
    mae,
    mape,
    mase,
    mse,
    nd,
    nrmse,
    owa,
    rmse,
    rmsse,
    smape,
)
from tsformers.scoring.quantile import coverage, interval_score, msis, pit, quantile_loss, weighted_quantile_loss
from tsformers.scoring.reference import naive2, seasonal_scale

__all__ = [
    "brier_score",
    "coverage",
    "crps_normal",
    "crps_quantile_function",
    "crps_quantiles",
    "crps_samples",
    "crps_sum",
    "diebold_mariano",
    "energy_score",
    "interval_score",
    "log_score",
    "mae",
    "mape",
    "mase",
    "mse",
    "msis",
    "naive2",
    "nd",
    "nrmse",
    "owa",
    "pit",
    "quantile_loss",
    "rmse",
    "rmsse",
    "seasonal_scale",
    "smape",
    "variogram_score",
    "weighted_quantile_loss",
]
