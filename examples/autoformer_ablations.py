"""What carries Autoformer: the same model without auto-correlation, without decomposition in its layers, without both.

``tsformers backtest examples/autoformer_ablations.toml --plugin examples/autoformer_ablations.py`` compares them on M4
hourly; run on its own, this file does the same on a small panel that comes with a dependency.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import statsmodels.api as sm
import torch
from torch import Tensor, nn

import tsformers as tsf
from tsformers.forecasters.autoformer.layers import DecoderLayer, EncoderLayer
from tsformers.forecasters.autoformer.network import AutoformerNetwork


class Silence(nn.Module):
    """Stands where auto-correlation was, and says nothing."""

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Zeros of the shape of the queries."""
        return torch.zeros_like(queries)

    def correlation(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Zeros by lag: nothing repeats."""
        return torch.zeros(queries.shape[:2])


class Undivided(nn.Module):
    """Stands where a decomposition was: all of the series goes on, no trend is split off."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The series and zeros."""
        return x, torch.zeros_like(x)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutCorrelation(tsf.Autoformer):
    """Layers see each step alone; what joins the steps is the moving average and the linear map."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network, its auto-correlations taken out."""
        return without(super().build(channels, past_x, known_x, calendar), "attention", Silence)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutDecomposition(tsf.Autoformer):
    """Layers keep trend and season together; the first decomposition of the context stays."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network, the decompositions in its layers taken out."""
        return without(super().build(channels, past_x, known_x, calendar), "decompose", Undivided)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutBoth(WithoutCorrelation):
    """A linear map with a network that reads each step alone."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network, auto-correlations and decompositions taken out."""
        return without(super().build(channels, past_x, known_x, calendar), "decompose", Undivided)


@dataclass(kw_only=True, repr=False, eq=False)
class MapAlone(tsf.Autoformer):
    """The linear map, solved, with a law around it; the stack says nothing."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network; its stack begins at zero and is not trained."""
        network = super().build(channels, past_x, known_x, calendar)
        network.stack.requires_grad_(False)
        return network


def without(network: AutoformerNetwork, name: str, stand_in: type[nn.Module]) -> Any:
    """The network with each part of its layers whose name ends in ``name`` replaced."""
    for layer in network.modules():
        if isinstance(layer, EncoderLayer | DecoderLayer):
            for part in [key for key, _ in layer.named_children() if key.endswith(name)]:
                setattr(layer, part, stand_in())
    return network


FORECASTERS = {
    "WithoutCorrelation": WithoutCorrelation,
    "WithoutDecomposition": WithoutDecomposition,
    "WithoutBoth": WithoutBoth,
    "MapAlone": MapAlone,
}


def main() -> None:
    """Monthly carbon dioxide at Mauna Loa: a year ahead, with fits of a few steps."""
    co2 = sm.datasets.co2.load_pandas().data["co2"].resample("MS").mean().dropna()
    frame = pd.DataFrame({"unique_id": "co2", "ds": co2.index, "y": co2.to_numpy()})
    settings: dict[str, Any] = {
        "horizon": 12,
        "context_length": 48,
        "max_steps": 20,
        "d_model": 16,
        "d_ff": 32,
        "seed": 0,
        "verbose": False,
    }
    models = {name: model(**settings) for name, model in ({"Autoformer": tsf.Autoformer} | FORECASTERS).items()}
    result = tsf.backtest(models | {"naive": tsf.SeasonalNaive(horizon=12)}, frame, windows=4)
    print(result.summary())


if __name__ == "__main__":
    main()
