"""The models that cases train and that ``saved/`` keeps. Where a setting is renamed, it is adapted here alone."""

from typing import Any

from sklearn.cluster import KMeans

import tsformers as tsf
from fixed_point.data import tiny
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths

QUIET = {"n_jobs": 1, "verbose": False, "seed": 0}


def paper(horizon: int = 4, **settings: Any) -> Any:
    """Autoformer as published."""
    return tsf.Autoformer.paper(horizon, **settings)


def paper_toy() -> Any:
    """The published Autoformer with a width and a length that train in a moment."""
    return paper(context_length=16, d_model=16, d_ff=32, max_epochs=1, max_steps=6, batch_size=8, seed=0, verbose=False)


def gru(**settings: Any) -> Any:
    """LRU with gated units in the place of linear recurrences."""
    return tsf.LRU(cell="gru", **settings)


def annealed(**settings: Any) -> Any:
    """REDSDS with temperatures that fall and with widths of its own."""
    annealing = TemperatureAnnealing(
        switch_temperature=10.0,
        switch_temperature_end=1.5,
        duration_temperature=5.0,
        duration_temperature_end=2.0,
        kick_in=1,
        rate=0.9,
        every=2,
    )
    widths = Widths(
        transition=12,
        emission=(6, 10),
        embedding=3,
        feedforward=9,
        recurrent=8,
        posterior=11,
        control=5,
        control_hidden=7,
    )
    return tsf.REDSDS(**redsds_size(), annealing=annealing, widths=widths, **settings)


def rated(**settings: Any) -> Any:
    """REDSDS with temperatures whose times and rate follow from the steps."""
    annealing = TemperatureAnnealing(switch_temperature=4.0, every=1)
    return tsf.REDSDS(**redsds_size(max_steps=8), annealing=annealing, **settings)


def redsds_size(**other: Any) -> dict[str, Any]:
    """Settings of a REDSDS that trains for a moment."""
    return tiny(n_regimes=2, d_state=2, max_duration=6, max_steps=4) | other


def autoformer(**settings: Any) -> Any:
    """Autoformer at the size of a toy."""
    return tsf.Autoformer(**tiny(d_model=16, d_ff=32, n_heads=2, moving_average=5) | settings)


def lru_size(**other: Any) -> dict[str, Any]:
    """Settings of an LRU that trains for a moment."""
    return tiny(d_model=8, d_state=8) | other


def lru(**settings: Any) -> Any:
    """LRU at the size of a toy."""
    return tsf.LRU(**lru_size(**settings))


def linear(**settings: Any) -> Any:
    """Linear, trained for a moment."""
    return tsf.Linear(**tiny(**settings))


def naive(horizon: int = 4, **settings: Any) -> Any:
    """SeasonalNaive in this process."""
    return tsf.SeasonalNaive(horizon=horizon, **QUIET | settings)


def holt_winters(horizon: int = 4, **settings: Any) -> Any:
    """HoltWinters in this process."""
    return tsf.HoltWinters(horizon=horizon, **QUIET | settings)


def theta(horizon: int = 4, **settings: Any) -> Any:
    """Theta in this process."""
    return tsf.Theta(horizon=horizon, **QUIET | settings)


def mixture(**settings: Any) -> Any:
    """MixSeq of autoregressions."""
    return tsf.MixSeq(2, backbone="ar", **{"seed": 0, "n_init": 2, "verbose": False} | settings)


def transformer_mixture(**settings: Any) -> Any:
    """MixSeq of Transformers, trained for a moment."""
    small = {"context_length": 16, "d_model": 8, "n_layers": 1, "pretrain_steps": 3, "max_steps": 4, "batch_size": 8}
    return tsf.MixSeq(2, **small | {"seed": 0, "verbose": False} | settings)


def by_features(**settings: Any) -> Any:
    """K-means on features."""
    return tsf.ByFeatures(KMeans(2, random_state=0, n_init=2), **settings)


def detector(forecaster: Any = None, control: Any = None, **settings: Any) -> Any:
    """A detector with few draws and a short memory."""
    small = {"p_value": "predictive", "n_samples": 20, "context_length": 30, "verbose": False}
    return tsf.AnomalyDetector(
        naive() if forecaster is None else forecaster,
        tsf.fdr.LORD(alpha=0.2, decay=0.9) if control is None else control,
        **small | settings,
    )
