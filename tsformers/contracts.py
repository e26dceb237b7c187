"""The protocols of forecasters, preprocessors, networks, clusterers and procedures; structural: nobody must inherit."""

from collections.abc import Iterable
from typing import Any, Protocol, Self, Unpack, runtime_checkable

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel, Roles
from tsformers.data.windows import Window

State = dict[str, Any]  # serialisable as JSON


@runtime_checkable
class Forecaster(Protocol):
    """Law: reads nothing after the last row it is given; same seed, same bits."""

    horizon: int

    def fit(self, data: Frame | Panel, **roles: Unpack[Roles]) -> Self:
        """Learn from ``data``; roles are the keywords of ``Panel.from_frame``."""
        ...

    def predict(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
    ) -> Forecast:
        """Forecast the ``horizon`` steps after each series of ``data`` (None: of the data of ``fit``)."""
        ...


@runtime_checkable
class Rolling(Protocol):
    """An optional contract of forecasters. Law: from each cutoff it forecasts what ``predict`` forecasts from there."""

    def predict_at(
        self, data: Frame | Panel, rows_after_cutoff: np.ndarray, *, n_samples: int = 100, seed: int | None = None
    ) -> np.ndarray:
        """Draws (W, N, S, H) from W cutoffs, each with the last ``rows_after_cutoff`` rows of every series after it."""
        ...


@runtime_checkable
class Preprocessor(Protocol):
    """Law: the transformed truth, as a forecast, inverts to the truth."""

    def fit(self, panel: Panel) -> Self:
        """Learn what the transformation needs from the history of ``panel``."""
        ...

    def transform(self, panel: Panel) -> Panel:
        """The panel that the forecaster is fitted on."""
        ...

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The forecast in the caller's units; ``past`` is what ``transform`` was given, None the panel of ``fit``."""
        ...


@runtime_checkable
class Joint(Protocol):
    """An optional contract of preprocessors: learned together with the forecaster of the transformed panel."""

    def fit_with(self, panel: Panel, forecaster: Any, short: str = "error") -> Any:
        """Learn, and return a fitted copy of ``forecaster``, which forecasts the transformed panel."""
        ...


@runtime_checkable
class Wrap(Protocol):
    """A parameter that is learned together with a network, as a network that wraps it."""

    def wrap(self, network: nn.Module, n_series: int, channels: int) -> nn.Module:
        """A network that holds ``network`` under that name, and whose ``groups()`` are trained with it."""
        ...


@runtime_checkable
class Clusterer(Protocol):
    """Law: a series of ``fit`` keeps its label; the order of series changes nothing."""

    labels_: Any  # frame of id and cluster, one row a series

    def fit(self, data: Frame | Panel, **roles: Unpack[Roles]) -> Self:
        """Find clusters among the series of ``data``."""
        ...

    def predict(self, data: Frame | Panel | None = None) -> Any:
        """The cluster of each series of ``data`` (None: of the data of ``fit``), as a frame like ``labels_``."""
        ...


@runtime_checkable
class Network(Protocol):
    """Law: ``sample`` ignores ``window.future``; ``loss`` ignores missing values."""

    levels: tuple[float, ...] | None  # set: ``sample`` gives the quantiles at these levels, in place of draws

    def loss(self, window: Window) -> Float[Tensor, " B"]:
        """One number a window, to be minimised."""
        ...

    def sample(self, window: Window, n_samples: int) -> Float[Tensor, "B S H C"]:
        """Draws of the future, or its quantiles where ``levels`` is set."""
        ...


@runtime_checkable
class ClosedFormFit(Protocol):
    """An optional contract of networks: a part has a closed-form fit, before the rest is trained by gradient steps."""

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """Fit that part from one pass over the windows; a part that is fitted already is kept."""
        ...


@runtime_checkable
class Procedure(Protocol):
    """Law: the level of a test does not depend on its own p-value, and saving the state changes nothing."""

    state: State  # a procedure resumed from it gives the same levels

    def test(self, p: float) -> tuple[float, bool]:
        """The level at which ``p`` was tested, and whether it was rejected."""
        ...
