"""Your own torch forecaster in one file: a GRU encodes the context, a Student-t head predicts each step of the horizon.

    python examples/own_forecaster.py  # scores of the last year, beside SeasonalNaive

In commands and job files, ``--plugin examples/own_forecaster.py`` makes it available as "GRU".
"""

from dataclasses import dataclass

import pandas as pd
import statsmodels.api as sm
from torch import nn
from torch.distributions import Distribution

import tsformers as tsf
from tsformers.data.windows import Window
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.nn import make_head


class GRUNetwork(DistributionNetwork):
    """A recurrent network; a linear layer maps its last state to one feature vector for each step of the horizon."""

    def __init__(self, channels: int, horizon: int, width: int, likelihood: str) -> None:
        super().__init__()
        self.read = nn.GRU(channels, width, batch_first=True)
        self.spread = nn.Linear(width, horizon * width)
        self.head = make_head(likelihood, width, channels)

    def forward(self, window: Window) -> Distribution:
        """The predictive distribution of the horizon, in the units of the window."""
        _, last = self.read(window.past)  # (1, B, D)
        features = self.spread(last[0]).unflatten(-1, (-1, last.shape[-1]))  # (B, H, D)
        return self.head(features, window.past[:, -1:], window.scale)


@dataclass(kw_only=True, repr=False, eq=False)
class GRU(TorchForecaster):
    """The base class has horizon, context_length, max_steps, likelihood, seed and more."""

    width: int = 32

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> GRUNetwork:
        """The network, untrained."""
        return GRUNetwork(channels, self.horizon, self.width, self.likelihood)


FORECASTERS = {"GRU": GRU}


def temperatures() -> pd.DataFrame:
    """Sea surface temperature of the eastern Pacific, monthly from 1950 to 2010."""
    wide = sm.datasets.elnino.load_pandas().data
    long = wide.melt(id_vars="YEAR", var_name="month", value_name="y")
    ds = pd.to_datetime(long["YEAR"].astype(int).astype(str) + "-" + long["month"], format="%Y-%b")
    return pd.DataFrame({"unique_id": "nino", "ds": ds, "y": long["y"]}).sort_values("ds", ignore_index=True)


def main() -> None:
    """Print scores of the last year."""
    frame = temperatures()
    last_year = frame["ds"] >= frame["ds"].max() - pd.DateOffset(months=11)
    train, test = frame[~last_year], frame[last_year]
    models = {
        "GRU": GRU(horizon=12, context_length=36, max_steps=300, seed=0),
        "SeasonalNaive": tsf.SeasonalNaive(horizon=12, seed=0),
    }
    scores = {}
    for name, model in models.items():
        forecast = model.fit(train).predict(n_samples=200)
        table = tsf.score(forecast, test, history=train, metrics=["crps", "mase", "coverage_80"])
        scores[name] = table.set_index("metric")["value"]
    print(pd.DataFrame(scores).T.round(3).to_string())


if __name__ == "__main__":
    main()
