"""How long do training windows take, beside GluonTS's loader, and predict, beside the time of the network?"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from gluonts.dataset.common import ListDataset
from gluonts.dataset.loader import TrainDataLoader
from gluonts.transform import AddObservedValuesIndicator, Chain, ExpectedNumInstanceSampler, InstanceSplitter
from torch import Tensor, nn

from benchmarks.timing import Row, compare, take_turns
from tsformers.data.window_scaling import scale
from tsformers.data.windows import Window, cut, pack_rows
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.testing import make_plan
from tsformers.training.batches import Windows

SERIES, STEPS, BATCH, BATCHES = 1_000, 1_000, 256, 50
CONTEXT, HORIZON = 96, 24


class Level(nn.Module):
    """A network of almost no cost: noise around the last value."""

    levels = None

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Parameter(torch.ones(()))

    def loss(self, window: Window) -> Tensor:
        """Anything with a gradient."""
        return (window.future - self.spread).square().mean(dim=(1, 2))

    def sample(self, window: Window, n_samples: int) -> Tensor:
        """Noise of the right shape."""
        noise = torch.randn(len(window.past), n_samples, *window.future.shape[1:])
        return window.past[:, None, -1:] + self.spread * noise


@dataclass(kw_only=True, repr=False, eq=False)
class LevelForecaster(TorchForecaster):
    """A forecaster with a network of almost no cost."""

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> Level:
        """The network; its sizes do not matter."""
        return Level()


def gluonts_batches(y: np.ndarray) -> Iterator[dict[str, Tensor]]:
    """Windows of GluonTS's loader, stacked into tensors with ``np.stack``."""
    dataset = ListDataset([{"start": "2020-01-01", "target": row} for row in y], freq="h")
    splitter = InstanceSplitter(
        target_field="target",
        is_pad_field="is_pad",
        start_field="start",
        forecast_start_field="forecast_start",
        instance_sampler=ExpectedNumInstanceSampler(num_instances=1.0, min_past=CONTEXT, min_future=HORIZON),
        past_length=CONTEXT,
        future_length=HORIZON,
        time_series_fields=["observed_values"],
    )
    chain = Chain([AddObservedValuesIndicator(target_field="target", output_field="observed_values"), splitter])
    fields = ("past_target", "future_target", "past_observed_values", "future_observed_values")

    def stack(items: list[dict[str, np.ndarray]]) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in fields}

    return iter(TrainDataLoader(dataset, transform=chain, batch_size=BATCH, stack_fn=stack))


def run() -> Iterator[Row]:
    """Batches of training windows, then the fixed cost of a prediction."""
    y = np.random.default_rng(0).normal(size=(SERIES, STEPS))
    plan = make_plan(CONTEXT, HORIZON, batch_size=BATCH)
    ours = Windows(pack_rows(y.reshape(-1, 1), np.arange(SERIES + 1) * STEPS), plan, np.random.default_rng(0)).batches()
    theirs = gluonts_batches(y)
    what = f"{BATCHES} batches of {BATCH} windows from {SERIES:,} series x {STEPS:,} steps"
    mine, peer = take_turns(lambda: list(islice(ours, BATCHES)), lambda: list(islice(theirs, BATCHES)), repeats=5)
    yield compare(what, mine, "GluonTS TrainDataLoader", peer, ">= 20x")
    yield from predict_overhead()


def predict_overhead() -> Iterator[Row]:
    """``predict`` without the time of the network, for the series of ``fit`` and for a new frame, against 5 ms."""
    stamps = pd.date_range("2024-01-01", periods=400, freq="h")
    frame = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": np.arange(400.0) % 24})
    model = LevelForecaster(horizon=HORIZON, context_length=CONTEXT, max_steps=2, seed=0).fit(frame)
    packed = pack_rows(frame[["y"]].to_numpy(), [0, len(frame)])
    window = scale(cut(packed, torch.tensor([0]), packed.ends, CONTEXT, HORIZON), "standard")
    network, kept, new = take_turns(
        lambda: model.network_.sample(window, 100), model.predict, lambda: model.predict(frame), repeats=20
    )
    yield compare("predict() without the network", kept - network, "allowed", 5e-3, ">= 1x")
    yield compare("predict(new_df) without the network", new - network, "allowed", 5e-3, ">= 1x")
