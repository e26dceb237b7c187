"""TorchForecaster: one network for all series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, Self, Unpack

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tsformers import storage
from tsformers.contracts import Wrap
from tsformers.data.blocks.forecast_blocks import checked_quantiles, gathered, joined, summarised
from tsformers.data.covariates import Covariates
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.data.window_scaling import Scaler
from tsformers.data.windows import Packed
from tsformers.errors import TsformersError
from tsformers.forecasters.fitted_settings import check_unchanged, remember_settings
from tsformers.forecasters.neural.prediction import draw, draw_in_parts
from tsformers.forecasters.neural.validation import (
    check_like,
    check_same_wrap,
    check_scaler,
    check_support,
    choose_context,
    drop_short,
    forecastable,
    validated_series,
)
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Option
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.make import HEADS
from tsformers.storage.training_panel import training_panel
from tsformers.training.config import Plan
from tsformers.training.context_length import default_validation
from tsformers.training.randomness import find_device, seeded
from tsformers.training.threads import limited_threads
from tsformers.training.train import Groups, train
from tsformers.validation import Above, AtLeast, OneOf, check_draws, check_settings

Likelihood = Annotated[str, OneOf(tuple(HEADS))] | DistributionOutput


@dataclass(kw_only=True, repr=False, eq=False)
class TorchForecaster(BaseEstimator):
    """Trains one network on windows of all series; a subclass makes the network in ``build``.

    Windows are scaled by their own context, missing values are masked, covariates come in the units learned in ``fit``
    (``covariates.Covariates``). The same network forecasts any series whose history is as long as the context.

    A forecaster of your own is a network and a subclass with one method, ``build``: see ``examples/own_forecaster.py``.

    Args:
        horizon: H, steps to forecast.
        context_length: T, steps the network sees; None: twice the horizon or twice the season (of hours, twice the
            week), the longer of the two (see ``context_length.preferred_context``), shortened so that the shortest
            series of at least two horizons can be used. Where the median series would not need that, a warning says
            so, and ``fit(..., short="drop")`` drops the short series.
        max_steps: batches at most.
        max_epochs: passes over all windows at most, if that is less; None: ``max_steps`` alone decides.
        batch_size: windows in a batch.
        learning_rate: the largest of the run.
        weight_decay: as in AdamW; 0 is Adam.
        schedule: "cosine" (a short rise, then down to zero), "constant", or "halving": two epochs at the full rate,
            which each further epoch halves; checks are then made once per epoch, and patience counts epochs.
        gradient_clip: largest norm of a gradient; inf: no clipping.
        early_stopping_patience: checks of the validation windows without improvement before the run ends; a full run
            has 20 of them. None: it runs to its last step, and the best weights are restored all the same.
        validation_windows: how many last windows of each series long enough are validation windows; 0: none, and the
            last weights stay; None: 64 in all, as far as they take up no more than a tenth of the median series, at
            least one of each series.
        validation_stride: rows from one validation window to the next, and every check reads them all; None: one
            horizon, and checks read 512 of them at most.
        device: "auto" is the first CUDA device, else the CPU.
        likelihood: "normal", "student_t", "negative_binomial" (counts; scaler "mean_abs" or None), "quantile" (the
            forecast holds quantiles), "quantile_function" (learned the same way; draws come from the quantile function
            interpolated between them), "squared_error" (the mean is trained on squared errors alone, and a normal
            distribution around it on their residuals), or an object with GluonTS's ``DistributionOutput`` interface
            (where its support is not the real line, scaler "mean_abs" or None).
        scaler: of each window: "mean_abs", "standard", "robust" or None, see ``window_scaling.scale``.
        multivariate: True: the series are the channels of one series; they must end together, and statics are unused.
        verbose: progress bar; None: where stderr is a terminal.
        seed: of ``fit`` and ``predict``; None: fresh entropy. The random state of the caller is unchanged.

    Returns:
        After ``fit``: ``network_``, ``history_`` (step, train_loss, validation_loss, seconds), ``context_length_``.

    Raises:
        ValueError: at ``fit``, a setting is out of range; later, one was changed that only a new fit can use.
        DataError: series too short, covariates that differ from those of ``fit``, ...

    Example:
        >>> from tsformers.forecasters.neural import DistributionNetwork, TorchForecaster
        >>> from tsformers.nn import NormalHead
        >>> class LevelNetwork(DistributionNetwork):
        ...     def __init__(self, horizon):
        ...         super().__init__()
        ...         self.horizon, self.head = horizon, NormalHead(1, 1)
        ...     def forward(self, window):
        ...         mean = window.past.mean(1, keepdim=True).expand(-1, self.horizon, -1)
        ...         return self.head(mean, None, window.scale)
        >>> @dataclass(kw_only=True, repr=False, eq=False)
        ... class Level(TorchForecaster):
        ...     def build(self, channels, past_x, known_x, calendar):
        ...         return LevelNetwork(self.horizon)
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0)})
        >>> Level(horizon=4, max_steps=10, seed=0, verbose=False).fit(frame).predict(n_samples=50).samples.shape
        (1, 50, 4)
    """

    horizon: Annotated[int, AtLeast(1)]
    context_length: Annotated[int, AtLeast(1)] | None = None
    max_steps: Annotated[int, AtLeast(1)] = 1000
    max_epochs: Annotated[int, AtLeast(1)] | None = None
    batch_size: Annotated[int, AtLeast(1)] = 64
    learning_rate: Annotated[float, Above(0)] = 1e-3
    weight_decay: Annotated[float, AtLeast(0)] = 0.0
    schedule: Literal["cosine", "constant", "halving"] = "cosine"
    gradient_clip: Annotated[float, Above(0)] = 1.0
    early_stopping_patience: Annotated[int, AtLeast(1)] | None = 10
    validation_windows: Annotated[int, AtLeast(0)] | None = None
    validation_stride: Annotated[int, AtLeast(1)] | None = None
    device: str | torch.device | None = "auto"
    likelihood: Likelihood = "student_t"
    scaler: Scaler | None = "standard"
    multivariate: bool = False
    verbose: bool | None = None
    seed: Annotated[int, AtLeast(0)] | None = None

    uses_covariates: ClassVar[bool] = True  # a subclass whose network reads none says False

    save = storage.save

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> nn.Module:
        """The network, untrained; see ``contracts.Network``. T and H are ``self.context_length_`` and ``self.horizon``.

        Args:
            channels: C.
            past_x: P, past covariates: the first columns of ``window.past_x``.
            known_x: K, known columns: the rest of them, and all of ``window.future_x``.
            calendar: how many of the K are calendar features; they come first.
        """
        raise NotImplementedError

    def groups(self, network: nn.Module) -> Groups:
        """Parameter groups of the optimiser; a subclass may give some of them an ``lr`` of their own."""
        return [{"params": list(network.parameters())}]

    def choose_network(
        self, fresh: Callable[[], tuple[nn.Module, Groups]], packed: Packed, plan: Plan
    ) -> tuple[nn.Module, pd.DataFrame | None]:
        """The network to be trained, and None; a subclass may compare several random restarts.

        Args:
            fresh: a network with new random weights at each call, and its parameter groups.
            packed: what it is trained on.
            plan: steps, rates, validation windows.

        Returns:
            The network, and its history where it has been trained already.
        """
        return fresh()[0], None

    def fit(
        self,
        data: Frame | Panel,
        y: Any = None,
        *,
        warm_start: bool = False,
        wrap: Wrap | None = None,
        **roles: Unpack[Roles],
    ) -> Self:
        """Train on ``data``.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            warm_start: resume training from the weights of the last fit, if there was one, with its context length and
                units of covariates; ``history_`` is continued too.
            wrap: a network around the network, learned together with it (``contracts.Wrap``): ``AutocorrelatedErrors``.
            **roles: the keywords of ``Panel.from_frame``; ``short="drop"`` drops series too short for a window, and
                has ``predict`` leave out what it cannot forecast.

        Returns:
            The forecaster itself. Ctrl-C ends training early, after one last check unless it is pressed again, and
            keeps the best weights so far; without validation windows, the last.

        Raises:
            ValueError: a setting is out of range, or was changed before a warm start (those of training, ``seed``,
                ``verbose`` and ``device`` may be); or a warm start with another ``wrap``.
            DataError: series too short for context and horizon, and what ``Panel.from_frame`` refuses.
            FloatingPointError: training diverged.
        """
        warn_unused_covariates(self, roles)
        self.check()
        resumed = warm_start and hasattr(self, "network_")
        if resumed:
            check_unchanged(self)
            check_same_wrap(self, wrap)
        panel = training_panel(data, y, roles)
        short = roles.get("short", "error")
        context = self.context_length_ if resumed else self.context_length
        if context is None:
            context = choose_context(self, panel, short)
        panel = drop_short(self, panel, context, short)
        if resumed:
            check_like(self, panel)
        check_support(panel, self.likelihood)
        covariates = self.covariates_ if resumed else Covariates.learn(panel)
        sizes = covariates.columns(panel, multivariate=self.multivariate)
        device = find_device(self.device)
        packed = covariates.pack(panel, multivariate=self.multivariate).to(device)
        if not resumed:
            self.__dict__.pop("network_", None)  # a fit that fails from here on leaves no half-fitted model
        self.context_length_: int = context
        self.short_: str = short
        self.covariates_: Covariates = covariates  # build may read it
        self.settings_: dict[str, object] = remember_settings(self)
        with limited_threads(), seeded(self.seed, device):
            plan = self._plan(context, panel)
            network: Any
            history: pd.DataFrame | None = None
            if resumed:
                network = self.network_.to(device)
            else:
                network, history = self.choose_network(lambda: self._fresh(sizes, packed, wrap), packed, plan)
            if history is None:
                rng = np.random.default_rng(self.seed)
                history = train(network, packed, plan, rng, self._groups(network, wrap)).history
        if resumed and len(self.history_):
            history = continued_history(self.history_, history)
        self.network_: Any = network
        self.wrap_: Wrap | None = wrap
        self.history_: pd.DataFrame = history
        self.sizes_: tuple[int, int, int, int] = sizes
        self.panel_: Panel = panel.tail(context)
        return self

    def predict(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
        **unknown: Unpack[NoKeywords],
    ) -> Forecast:
        """Forecast what follows the end of each series of ``data`` (None: of the data of ``fit``).

        Args:
            data: other or longer series with the covariates of ``fit``; only the last ``context_length_`` rows of each
                are read. Ids may be new, unless ``multivariate``.
            future: rows after the ends with the known covariates, if the model has some.
            static: statics of the series of ``data``.
            n_samples: S draws of each series; a model with quantiles gives those in their place.
            seed: None: the constructor's.
            quantiles: levels; the answer is the means of the draws and their quantiles at these levels, computed a
                batch of windows at a time: the same bits, without memory for all draws (``multivariate`` draws all
                series at once nevertheless). None: draws.

        Returns:
            Draws, or quantiles at the network's levels. After ``fit(..., short="drop")``, of the series that can be
            forecast; a warning names the others.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: a setting was changed since ``fit``, other than those of training, ``seed``, ``verbose`` and
                ``device``.
            DataError: a history too short, or without a value in the context; covariates that differ.
        """
        refuse_unknown(unknown, "predict", PREDICT)
        asked: dict[str, Any] = {"future": future, "static": static, "n_samples": n_samples, "seed": seed}
        return joined(self.predict_blocks(data, quantiles=quantiles, **asked))

    def predict_blocks(
        self,
        data: Frame | Panel | None = None,
        *,
        future: Frame | None = None,
        static: Frame | None = None,
        n_samples: int = 100,
        seed: int | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> Iterator[Forecast]:
        """What ``predict`` gives, in blocks of series; see ``forecast_blocks``."""
        check_is_fitted(self, "network_")
        check_unchanged(self)
        check_draws(n_samples, seed)
        if data is None and static is not None:
            raise TsformersError(
                Option("static"), " describes the series of ", Option("data"), "; leave it out, or pass both"
            )
        levels = None if quantiles is None else checked_quantiles(quantiles)
        panel = self.panel_ if data is None else self.panel_.like(data, static, self.short_)
        check_like(self, panel)
        panel = forecastable(self, panel).with_future(future, self.horizon)
        warn_of_silent_series(panel, self.horizon, stacklevel=4)
        blocks = self._drawn_blocks(panel, n_samples, seed)
        yield from blocks if levels is None else gathered(summarised(block, levels) for block in blocks)

    def _drawn_blocks(self, panel: Panel, n_samples: int, seed: int | None) -> Iterator[Forecast]:
        packed = self.covariates_.pack_future(panel, self.context_length_, self.horizon, multivariate=self.multivariate)
        every, times = torch.arange(len(packed.ends)), panel.future_times(self.horizon)
        for part, values in draw_in_parts(self, packed, panel.ids, every, packed.ends, n_samples, seed):
            here = slice(None) if self.multivariate else part
            yield Forecast(
                panel.ids[here],
                times[here],
                np.ascontiguousarray(values[0].transpose(2, 0, 1) if self.multivariate else values[..., 0]),
                levels=self.network_.levels,
                grid=panel.grid,
                schema=panel.schema,
                joint=self.multivariate,
            )

    def predict_at(
        self, data: Frame | Panel, rows_after_cutoff: np.ndarray, *, n_samples: int = 100, seed: int | None = None
    ) -> np.ndarray:
        """Forecast the same series from many cutoffs at once, as ``predict`` does from one.

        Args:
            data: series with the covariates of ``fit``, whose last rows count as the future; the targets after a cutoff
                are not read.
            rows_after_cutoff: (W,) how many rows at the end of each series come after each cutoff, ``horizon`` or more.
            n_samples: S draws of each series; a model with quantiles gives those in their place.
            seed: None: the constructor's.

        Returns:
            Draws or quantiles (W, N, S, H), in the caller's units.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: a cutoff leaves too few rows on either side; a setting was changed since ``fit``.
            DataError: covariates that differ from those of ``fit``.
        """
        check_is_fitted(self, "network_")
        check_unchanged(self)
        panel = self.panel_.like(data)
        check_like(self, panel)
        lengths = panel.lengths.max(keepdims=True) if self.multivariate else panel.lengths
        if rows_after_cutoff.min() < self.horizon or rows_after_cutoff.max() > lengths.min() - self.context_length_:
            raise ValueError(
                f"rows_after_cutoff must leave {self.horizon} rows after and {self.context_length_} rows before each "
                f"cutoff of series of {lengths.min()} rows; it goes from {rows_after_cutoff.min()} to "
                f"{rows_after_cutoff.max()}"
            )
        packed = self.covariates_.pack(panel, multivariate=self.multivariate)
        cutoffs = (
            packed.ends - torch.from_numpy(rows_after_cutoff.astype(np.int64))[:, None]
        )  # (W, N), of a multivariate (W, 1)
        series = torch.arange(cutoffs.shape[1]).expand(len(rows_after_cutoff), -1)
        values = draw(self, packed, panel.ids, series.flatten(), cutoffs.flatten(), n_samples, seed)  # (W N, S, H, C)
        return (
            np.moveaxis(values, 3, 1) if self.multivariate else values[..., 0].reshape(*series.shape, -1, self.horizon)
        )

    def last_window_validated(self, panel: Panel) -> np.ndarray:
        """Which series of ``fit`` kept their last ``horizon`` rows from training, as validation windows.

        Args:
            panel: the data of ``fit``.

        Returns:
            (N,) bool.
        """
        check_is_fitted(self, "network_")
        return validated_series(self, panel, self._plan)

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised.

        Raises:
            ValueError: a setting was changed since ``fit``, and what was learned does not belong to it.
        """
        check_is_fitted(self, "network_")
        check_unchanged(self)
        return {
            "sizes": self.sizes_,
            "settings": self.settings_,
            "wrap": self.wrap_,
            "short": self.short_,
            "context_length": self.context_length_,
            "covariates": self.covariates_._asdict(),
            "history": self.history_,
            "panel": self.panel_,
            "weights": {name: tensor.cpu() for name, tensor in self.network_.state_dict().items()},
        }

    def relearn(self, learned: dict[str, Any]) -> None:
        """Take over what ``learned`` gave."""
        self.sizes_, self.context_length_ = tuple(learned["sizes"]), learned["context_length"]
        self.settings_, self.short_ = learned["settings"], learned["short"]
        self.covariates_ = Covariates(**learned["covariates"])
        self.history_, self.panel_ = learned["history"], learned["panel"]
        device = find_device(self.device)
        self.wrap_ = learned.get("wrap")
        with seeded(0, device):  # the random weights are replaced below
            self.network_ = self._built(self.sizes_, 1 if self.multivariate else self.panel_.n_series, self.wrap_)
        self.network_.load_state_dict(learned["weights"])
        self.network_.to(device).eval()

    def check(self) -> None:
        """The settings are in range; a subclass adds rules between its settings.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        check_settings(self)
        check_scaler(self.likelihood, self.scaler)

    def _plan(self, context: int, panel: Panel) -> Plan:
        own = {name: getattr(self, name) for field in fields(Plan) if (name := field.name) != "context_length"}
        if self.validation_windows is None:
            lengths = panel.lengths.max(keepdims=True) if self.multivariate else panel.lengths
            own["validation_windows"] = default_validation(lengths, self.validation_stride or self.horizon)
        return Plan(context_length=context, **own)

    def _fresh(self, sizes: tuple[int, int, int, int], packed: Packed, wrap: Wrap | None) -> tuple[nn.Module, Groups]:
        network = self._built(sizes, len(packed.ends), wrap).to(packed.y.device)
        return network, self._groups(network, wrap)

    def _groups(self, network: Any, wrap: Wrap | None) -> Groups:
        return self.groups(network) if wrap is None else [*self.groups(network.network), *network.groups()]

    def _built(self, sizes: tuple[int, int, int, int], n_series: int, wrap: Wrap | None) -> Any:
        network = self.build(*sizes)
        return network if wrap is None else wrap.wrap(network, n_series, sizes[0])


def continued_history(before: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """The history of a run that was resumed: steps and seconds count from the first run on.

    Args:
        before: of the runs before, not empty.
        history: of the last run.

    Returns:
        Both, one below the other.

    Example:
        >>> run = pd.DataFrame({"step": [5, 10], "seconds": [1.0, 2.0]})
        >>> continued_history(run, run)["step"].tolist()
        [5, 10, 15, 20]
    """
    if not len(history):
        return before
    last = before.iloc[-1]
    history = history.assign(step=history["step"] + int(last["step"]), seconds=history["seconds"] + last["seconds"])
    return pd.concat([before, history], ignore_index=True)
