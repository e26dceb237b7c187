"""Blend: closed-form forecasts weighed by a small network, pre-trained on synthetic series and trained on the panel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Self, Unpack

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.seasons import cycles
from tsformers.data.blocks.appended_rows import appended
from tsformers.data.blocks.forecast_blocks import NUMBERS_AT_ONCE, checked_quantiles, gathered, joined, summarised
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import warn_of_silent_series
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.distributions.recalibration import LevelMap
from tsformers.errors import TsformersError, did_you_mean
from tsformers.forecasters.blend.bases.contexts import BASES, Contexts
from tsformers.forecasters.blend.batches import Units, network_batch
from tsformers.forecasters.blend.covariates import Response, Rows, without_covariates
from tsformers.forecasters.blend.explain import explain, plot_weights
from tsformers.forecasters.blend.fitting import Series, Sight, response_of, trained_member
from tsformers.forecasters.blend.linear_map import LinearMap
from tsformers.forecasters.blend.member import Member, answered, untrained
from tsformers.forecasters.blend.pretrained import fresh_network, shipped_network
from tsformers.forecasters.blend.stream import stream
from tsformers.forecasters.blend.training import Run
from tsformers.forecasters.blend.windows import longest_context, shortest_context
from tsformers.forecasters.fitted_settings import FREE, check_unchanged, remember_settings
from tsformers.forecasters.local.absurd import absurd_rows, warn_of_absurd_rows
from tsformers.keywords import PREDICT, NoKeywords, refuse_unknown
from tsformers.messages import Setting
from tsformers.nn.heads.quantile import LEVELS
from tsformers.storage.training_panel import training_panel
from tsformers.training.randomness import find_device
from tsformers.training.threads import limited_threads
from tsformers.validation import Above, AtLeast, check_draws, check_settings

SERIES_AT_ONCE = 4096
LEAST_SPREAD = 1e-6  # of a constant series, as a share of its value


class Weights(NamedTuple):
    """What the median of a forecast is made of."""

    forecasts: np.ndarray  # (N, K, H) of the bases, in the caller's units
    weights: np.ndarray  # (N, H, K), summing to 1 along K
    available: np.ndarray  # (N, K) bool


@dataclass(kw_only=True, repr=False, eq=False)
class Blend(BaseEstimator):
    """Weighs closed-form forecasts step by step by a small network, which also says how sure each of them is.

    The bases are nineteen cheap forecasts: naive ones, exponential smoothing with fixed weights, Theta, a rank-one
    seasonal shape, the same at a second period, a linear map (``BASES``). A network of 80,000 parameters reads the
    features of a series, among them the errors of every base in its last rows, and gives weights and quantiles for each
    step. It was trained on synthetic series when the package was made, and is trained on the windows of the panel in
    ``fit``, for seconds. Then the levels of its quantiles are recalibrated on windows that were kept from training
    (``Conformal`` does the same for any forecaster).

    Guaranteed, up to rounding: all series multiplied by a positive number have their forecasts multiplied by it;
    without training (``max_steps=0``) this holds series by series, and a series alone has the forecast that it has in a
    panel. In training a series counts by the root of its size, between scores that count all alike and those that add
    up errors.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it, and a second one (a week above a day, a year above a week),
            from the frequency.
        max_steps: of training on the panel; 0: the weights that come with the package, nothing is trained, ``fit`` only
            keeps the last rows. 1,500 is thorough.
        members: networks that are trained with other random numbers and other windows, and averaged.
        bases: names of the bases that take part, see ``tsformers.forecasters.blend.bases.contexts.BASES``; None: all.
        batch_size: windows in a step of training.
        learning_rate: the largest of the run, of a cosine.
        weight_decay: as in AdamW.
        early_stopping_patience: checks of the validation windows without improvement before the run ends; a full run
            has 20 of them. None: it runs to its last step. The best weights are restored, also those before training.
        device: "auto" is the first CUDA device, else the CPU.
        verbose: progress bar; None: where stderr is a terminal.
        seed: of ``fit``; None: fresh entropy. ``predict`` draws nothing.

    Returns:
        After ``fit``: ``members_`` (networks and their level maps), ``history_`` (member, step,
        train_loss, validation_loss, seconds), ``periods_``, ``panel_``.

    Raises:
        ValueError: a setting is out of its range; or, after ``fit``, was changed without fitting again.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 5})
        >>> Blend(horizon=3, season_length=5, max_steps=0).fit(frame).predict().median.round(1)
        array([[0., 1., 2.]])

    Source: stacking by features: Montero-Manso, Athanasopoulos, Hyndman & Talagala (2020), FFORMA; recalibration:
        Romano, Patterson & Candes (2019).
    """

    horizon: Annotated[int, AtLeast(1)]
    season_length: Annotated[int, AtLeast(1)] | None = None
    max_steps: Annotated[int, AtLeast(0)] = 400
    members: Annotated[int, AtLeast(1)] = 1
    bases: Sequence[str] | None = None
    batch_size: Annotated[int, AtLeast(1)] = 128
    learning_rate: Annotated[float, Above(0)] = 1e-3
    weight_decay: Annotated[float, AtLeast(0)] = 0.01
    early_stopping_patience: Annotated[int, AtLeast(1)] | None = 10
    device: str | torch.device | None = "auto"
    verbose: bool | None = None
    seed: Annotated[int, AtLeast(0)] | None = None

    covariate_roles: ClassVar[tuple[str, ...]] = ("known", "past")

    save = storage.save
    explain = explain
    plot_weights = plot_weights
    stream = stream

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Train on the windows of all series; with ``max_steps=0`` only keep their last rows.

        Series too short to be trained on are forecast by the weights that come with the package.

        Args:
            data: a long frame or a Panel.
            y: not used; scikit-learn's tools pass it.
            **roles: the keywords of ``Panel.from_frame``.

        Returns:
            The forecaster itself. Ctrl-C ends the training of a network early and keeps its best weights so far.

        Raises:
            ValueError: a setting is out of its range.
            DataError: what ``Panel.from_frame`` refuses.
        """
        warn_unused_covariates(self, roles)
        self.check()
        panel = training_panel(data, y, roles)
        self.periods_: tuple[int, int] = self._periods(panel)
        self.settings_: dict[str, object] = remember_settings(self, FREE - {"max_steps"})
        self.response_: Response | None = None
        self.history_ = pd.DataFrame(columns=["member", "step", "train_loss", "validation_loss", "seconds"])
        found: list[tuple[Member | None, pd.DataFrame]] = []
        if self.max_steps:
            values = self._values(panel, stacklevel=3)
            with limited_threads():
                self.response_ = response_of(panel, values, self._sight(), self._run(0))
                series = Series(self._rows(panel, values), panel.offsets, panel.ends)
                found = [trained_member(series, self._sight(), self._run(number)) for number in range(self.members)]
            histories = [history.assign(member=number) for number, (_, history) in enumerate(found)]
            self.history_ = pd.concat(histories, ignore_index=True)
        trained = [member for member, _ in found if member is not None]
        self.members_: list[Member] = trained or [untrained(shipped_network().to(find_device(self.device)))]
        self.panel_: Panel = panel.tail(longest_context(*self.periods_))
        return self

    def _run(self, number: int) -> Run:
        """How the network of one member is trained."""
        title = f"Blend {number + 1} of {self.members}" if self.members > 1 else "Blend"
        own = self.max_steps, self.batch_size, self.learning_rate, self.weight_decay, self.early_stopping_patience
        seed = None if self.seed is None else (self.seed, number)
        return Run(*own, self.verbose, title, seed, find_device(self.device))

    def _periods(self, panel: Panel) -> tuple[int, int]:
        known = cycles(panel.grid)
        if self.season_length and self.season_length != known[0]:
            known = (self.season_length,)
        return known[0], known[1] if len(known) > 1 else 0

    def _values(self, panel: Panel, stacklevel: int) -> np.ndarray:
        """Targets (R,), isolated absurd values as missing."""
        rows = absurd_rows(panel, tuple(period for period in self.periods_ if period))
        warn_of_absurd_rows(type(self).__name__, panel, rows, stacklevel=stacklevel + 1)
        values = np.where(panel.in_history, panel.y, np.nan)
        values[rows] = np.nan
        return values

    def _rows(self, panel: Panel, values: np.ndarray) -> Rows:
        return without_covariates(values) if self.response_ is None else self.response_.rows(panel, values)

    @property
    def uses_covariates(self) -> bool:
        """Whether covariates are read: not without training."""
        return self.max_steps > 0

    def _sight(self) -> Sight:
        """What is asked of a context, and by which bases it is answered."""
        return Sight(self.horizon, *self.periods_, np.isin(BASES, BASES if self.bases is None else list(self.bases)))

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
            data: other or longer series, of three rows or more each; ids may be new.
            future: rows after the ends with the known covariates, if the model was trained with some.
            static: statics of the series of ``data``.
            n_samples: not used: the forecast holds quantiles.
            seed: not used.
            quantiles: levels of the answer, interpolated between the 23 levels of the network; None: these.

        Returns:
            Quantiles at 23 levels from 0.01 to 0.99, or at those asked for. Of whole numbers of 0 or more no quantile
            is below 0.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: a setting was changed since ``fit``, other than those of training, ``seed``, ``verbose`` and
                ``device``.
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
        check_is_fitted(self, "panel_")
        check_unchanged(self)
        check_draws(n_samples, seed)
        levels = None if quantiles is None else checked_quantiles(quantiles)
        panel = (self.panel_ if data is None else self.panel_.like(data, static)).with_future(future, self.horizon)
        warn_of_silent_series(panel, self.horizon, stacklevel=4)
        rows, times = self._rows(panel, self._values(panel, stacklevel=4)), panel.future_times(self.horizon)
        size = max(1, min(SERIES_AT_ONCE, NUMBERS_AT_ONCE // (len(LEVELS) * self.horizon)))

        def blocks() -> Iterator[Forecast]:
            for start in range(0, panel.n_series, size):
                at = slice(start, start + size)
                found = self.quantiles_after(rows, panel.offsets[:-1][at], panel.ends[at])
                yield Forecast(panel.ids[at], times[at], found, levels=LEVELS, grid=panel.grid, schema=panel.schema)

        yield from blocks() if levels is None else gathered(summarised(block, levels) for block in blocks())

    def predict_at(
        self, data: Frame | Panel, rows_after_cutoff: np.ndarray, *, n_samples: int = 100, seed: int | None = None
    ) -> np.ndarray:
        """Forecast the same series from many cutoffs at once, as ``predict`` does from one.

        Args:
            data: series whose last rows count as the future; the targets after a cutoff are not read.
            rows_after_cutoff: (W,) how many rows at the end of each series come after each cutoff.
            n_samples: not used: the forecast holds quantiles.
            seed: not used.

        Returns:
            Quantiles (W, N, Q, H) at 23 levels, in the caller's units.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            ValueError: a setting was changed since ``fit``.
        """
        check_is_fitted(self, "panel_")
        check_unchanged(self)
        panel = self.panel_.like(data)
        found = []
        for after in rows_after_cutoff:
            part = panel.until(panel.ends - after, self.horizon)
            rows = self._rows(part, self._values(part, stacklevel=3))
            found.append(self.quantiles_after(rows, part.offsets[:-1], part.ends))
        return np.stack(found)

    def update(self, rows: Frame | Panel) -> Self:
        """Take in rows after the end of each series, without training: ``predict()`` follows the new end.

        Args:
            rows: a frame with the columns of that of ``fit``, or a Panel; of some or all of its series. Steps in
                between that are not given are missing values.

        Returns:
            The forecaster itself.

        Raises:
            DataError: a row that is not after the end of its series, or a series that was not in the data of ``fit``.
        """
        check_is_fitted(self, "panel_")
        check_unchanged(self)
        self.panel_ = appended(self.panel_, self.panel_.like(rows)).tail(longest_context(*self.periods_))
        return self

    def quantiles_after(self, rows: Rows, starts: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Quantiles (N, Q, H) of what follows rows ``starts[i]:stop[i]`` of ``rows``, in the caller's units."""
        sight, device = self._sight(), find_device(self.device)
        contexts = sight.contexts(rows.values, *bounded(rows.values, starts, stop, longest_context(*self.periods_)))
        with limited_threads():
            answers = []
            for member in self.members_:
                batch, units = network_batch(sight.inputs(contexts, member.linear), contexts, rows, self.horizon)
                answers.append(answered(member.to(device), batch).quantiles)
            answer = np.mean(answers, axis=0)
            short = np.flatnonzero(contexts.stop - contexts.first < shortest_context(self.periods_[0]))
            if len(short):
                few = batch.rows(torch.from_numpy(short))
                answer[short] = answered(untrained(self.members_[0].shipped), few).quantiles
        ahead = rows.response[stop[:, None] + np.arange(self.horizon)] if self.response_ is not None else 0.0
        return in_units(answer, units, ahead, counted(rows.values + rows.response, contexts))

    def weighed(
        self, data: Frame | Panel | None = None, *, future: Frame | None = None, static: Frame | None = None
    ) -> tuple[Panel, "Weights"]:
        """The base forecasts of each series and their weights, see ``explain``."""
        check_is_fitted(self, "panel_")
        check_unchanged(self)
        panel = self.panel_ if data is None else self.panel_.like(data, static)
        panel = panel.with_future(future, self.horizon)
        rows, sight = self._rows(panel, self._values(panel, stacklevel=4)), self._sight()
        longest = longest_context(*self.periods_)
        contexts = sight.contexts(rows.values, *bounded(rows.values, panel.offsets[:-1], panel.ends, longest))
        answers = []
        with limited_threads():
            for member in self.members_:
                found = sight.inputs(contexts, member.linear)
                batch, _ = network_batch(found, contexts, rows, self.horizon)
                answers.append(answered(member, batch).weights)
        return panel, Weights(found.forecasts, np.mean(answers, axis=0), found.available)

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        check_settings(self)
        for name in self.bases or ():
            if name not in BASES:
                raise TsformersError(
                    f"there is no base {name!r} in ", Setting("bases"), f"; {did_you_mean(name, BASES)}"
                )
        if self.bases is not None and not len(self.bases):
            raise TsformersError(Setting("bases"), f" must name one base or more, such as {BASES[0]!r}")

    def learned(self) -> dict[str, Any]:
        """What ``fit`` has learned, ready to be serialised."""
        check_is_fitted(self, "panel_")
        check_unchanged(self)
        members = [
            {
                "weights": {name: tensor.cpu() for name, tensor in member.network.state_dict().items()},
                "shipped": {name: tensor.cpu() for name, tensor in member.shipped.state_dict().items()},
                "share": member.share,
                "linear": None if member.linear is None else member.linear.weight,
                "levels": None if member.levels is None else member.levels._asdict(),
            }
            for member in self.members_
        ]
        names = ("panel_", "periods_", "settings_", "history_")
        response = None if self.response_ is None else self.response_.learned()
        return {name: getattr(self, name) for name in names} | {"members_": members, "response_": response}

    def relearn(self, learned: dict[str, Any]) -> None:
        """Take over what ``learned`` gave."""
        for name in ("panel_", "settings_", "history_"):
            setattr(self, name, learned[name])
        season, second = learned["periods_"]
        self.periods_ = (int(season), int(second))
        self.members_ = []
        response = learned["response_"]
        self.response_ = None if response is None else Response.relearned(response)
        device = find_device(self.device)
        for held in learned["members_"]:
            networks = []
            for name in ("weights", "shipped"):
                wide = held[name].get("past.weight"), held[name].get("known.weight")
                network = fresh_network(0, *(0 if part is None else part.shape[1] for part in wide))
                network.load_state_dict(held[name])
                networks.append(network.to(device).eval())
            linear = None if held["linear"] is None else LinearMap(held["linear"])
            levels = None if held["levels"] is None else LevelMap(**held["levels"])
            self.members_.append(Member(networks[0], networks[1], float(held["share"]), linear, levels))


def bounded(values: np.ndarray, starts: np.ndarray, stop: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last row of contexts: ``longest`` rows up to the last observed value, and what is missing after it.

    Args:
        values: (R,) rows, NaN = missing.
        starts: (N,) first row of each series.
        stop: (N,) one past the last row before each cutoff.
        longest: rows at most.

    Returns:
        (N,) each.

    Example:
        >>> bounded(np.array([1.0, 2.0, 3.0, np.nan]), np.array([0]), np.array([4]), 2)
        (array([1]), array([4]))
    """
    if not len(starts):
        return starts, stop
    low, high = int(starts.min()), int(stop.max())
    row = np.where(np.isfinite(values[low:high]), np.arange(low, high), -1)
    last = np.maximum.accumulate(row)[np.maximum(stop - 1 - low, 0)] + 1  # one past the last value before each cutoff
    return np.maximum(starts, np.where(last > starts, last, stop) - longest), stop


def counted(values: np.ndarray, contexts: Contexts) -> np.ndarray:
    """(N,) bool: all values of a context are whole numbers of 0 or more."""
    wrong = np.isfinite(values) & ((values < 0) | (values != np.round(values)))
    total = np.concatenate([[0], np.cumsum(wrong)])
    return total[contexts.stop] == total[contexts.first]


def in_units(answer: np.ndarray, units: Units, ahead: np.ndarray | float, counts: np.ndarray) -> np.ndarray:
    """Quantiles in the caller's units; those of counts are 0 or more.

    Args:
        answer: (N, Q, H) in units of the scale from the centre.
        units: of the contexts.
        ahead: (N, H) response to known covariates, in the caller's units; 0 without any.
        counts: (N,) whether a context holds whole numbers of 0 or more.

    Returns:
        (N, Q, H), rising along Q.
    """
    scale = np.where(units.constant, LEAST_SPREAD * np.abs(units.centre[:, 0]), units.scale)
    values = answer * scale[:, None, None] + (units.centre + ahead)[:, None]
    values[counts] = np.maximum(values[counts], 0.0)
    return np.maximum.accumulate(values, axis=1)
