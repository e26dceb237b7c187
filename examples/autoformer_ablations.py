"""Ablations of Autoformer: without auto-correlation, without decomposition in its layers, without both, map alone.

    python examples/autoformer_ablations.py  # on one small series that statsmodels ships
    tsformers backtest examples/autoformer_ablations.toml --plugin examples/autoformer_ablations.py  # on M4 hourly

The second command makes the table in docs/results/autoformer_defaults.md.
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


class Zeros(nn.Module):
    """Replaces an auto-correlation: its output is zero."""

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Zeros of the shape of the queries."""
        return torch.zeros_like(queries)

    def correlation(self, queries: Tensor, keys: Tensor) -> Tensor:
        """No correlation at any lag."""
        return torch.zeros(queries.shape[:2])


class NoTrend(nn.Module):
    """Replaces a decomposition: all of the input is seasonal part, the trend is zero."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The input, and zeros of its shape."""
        return x, torch.zeros_like(x)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutCorrelation(tsf.Autoformer):
    """Layers process each step alone; steps are connected by the moving average and the linear map."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network without auto-correlations."""
        return without(super().build(channels, past_x, known_x, calendar), "attention", Zeros)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutDecomposition(tsf.Autoformer):
    """Layers do not separate trend and season; the first decomposition, of the context, stays."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network without decompositions in its layers."""
        return without(super().build(channels, past_x, known_x, calendar), "decompose", NoTrend)


@dataclass(kw_only=True, repr=False, eq=False)
class WithoutBoth(WithoutCorrelation):
    """A linear map with a network that processes each step alone."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network without auto-correlations and decompositions."""
        return without(super().build(channels, past_x, known_x, calendar), "decompose", NoTrend)


@dataclass(kw_only=True, repr=False, eq=False)
class MapAlone(tsf.Autoformer):
    """The closed-form map alone, with a distribution around it; the output of the stack is zero."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network; its stack is initialised at zero and not trained."""
        network = super().build(channels, past_x, known_x, calendar)
        network.stack.requires_grad_(False)
        return network


def without(network: AutoformerNetwork, name: str, replacement: type[nn.Module]) -> Any:
    """The network with each part of its layers replaced whose name ends in ``name``."""
    for layer in network.modules():
        if isinstance(layer, EncoderLayer | DecoderLayer):
            for part in [key for key, _ in layer.named_children() if key.endswith(name)]:
                setattr(layer, part, replacement())
    return network


FORECASTERS = {
    "WithoutCorrelation": WithoutCorrelation,
    "WithoutDecomposition": WithoutDecomposition,
    "WithoutBoth": WithoutBoth,
    "MapAlone": MapAlone,
}


def main() -> None:
    """Monthly carbon dioxide at Mauna Loa, one year ahead, 20 training steps."""
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
