"""REDSDS: regimes with durations of their own, found in series and continued into the future."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
from torch import nn

import tsformers.forecasters.redsds.regimes as regimes
from tsformers.contracts import Wrap
from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.data.windows import Packed
from tsformers.errors import TsformersError
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.redsds.annealing import TemperatureAnnealing
from tsformers.forecasters.redsds.architecture import Design, Widths
from tsformers.forecasters.redsds.network import REDSDSNetwork
from tsformers.forecasters.redsds.segmentation import segment
from tsformers.messages import Either, Setting
from tsformers.storage.former_format import REDSDS_CLASSES, REDSDS_SETTINGS
from tsformers.storage.training_panel import training_panel
from tsformers.training.config import Plan
from tsformers.training.train import Groups, best_restart
from tsformers.validation import Above, AtLeast, Between, replaced_settings


def remedy(setting: str) -> Either:
    """What to write for a setting of a settings class, in Python, in job files and on the command line.

    Example:
        >>> remedy("annealing.rate").text("python")
        'write annealing=TemperatureAnnealing(rate=...) of tsformers.forecasters.redsds'
        >>> remedy("annealing.rate").text("shell"), remedy("annealing.rate").text("job")
        ('write --set annealing.rate=...', 'write annealing.rate = ...')
    """
    holder, _, name = setting.partition(".")
    held = f"{holder}={REDSDS_CLASSES[holder]}({name}=...)"
    return Either(
        f"write {held} of tsformers.forecasters.redsds", f"write --set {setting}=...", f"write {setting} = ..."
    )


@replaced_settings(**{former: remedy(setting) for former, setting in REDSDS_SETTINGS.items()})
@dataclass(kw_only=True, repr=False, eq=False)
class REDSDS(TorchForecaster):
    """Finds regimes that last for a while, reports when they change, and forecasts by continuing them.

    A switching state-space model with explicit durations. A regime decides how a latent continuous state moves; the
    values are emissions of the state. The duration of each regime has a distribution of its own, and which regime
    follows may depend on the state. Training maximises the evidence lower bound of whole windows, context and future
    together: states are drawn from a variational posterior that reads all values, regimes and their ages are
    marginalised exactly. Validation windows are scored by the same bound; the best weights are those with the best
    bound.

    ``segment`` gives the regime of every step, ``regimes_`` describes each regime, ``usage_`` records the share of the
    data that each had during training. Forecasts are joint draws of regimes, ages, states and values, so that the draws
    of a series are paths. Known covariates and calendar features are controls of regimes, durations and states; past
    covariates are inputs of the posterior. Missing values enter as missing. Series share their weights; with
    ``multivariate`` they are channels that share one state.

    Args:
        n_regimes: K.
        d_state: M, dimensions of the continuous state.
        max_duration: D, longest duration in steps.
        min_duration: shortest duration in steps.
        durations: "explicit", or "geometric": no duration distribution, any step may be the last of its regime (a
            switching state-space model, for comparison).
        recurrent: the next regime depends on ``switch_input``; False: on the current regime alone.
        switch_input: input of the switch probabilities: the state "x" before the switch, the values "y", or both, "xy".
        transition: how states move in a regime, "linear" or by a network with a hidden layer, "mlp".
        residual: a regime gives the change of the state, so that an untrained one leaves it where it is; False, as
            published: it gives the next state. True has brought better forecasts, and worse regimes.
        emission: values given states, "linear" or "mlp".
        embedder: what embeds the values for the posterior: a bidirectional GRU, "gru", or a "transformer".
        widths: of the layers.
        state_scale: standard deviation of the first state before training.
        emission_scale: standard deviation of values given states before training; units of the window.
        start_floor: lower limit of the log-density of the first step of a window: a poorly explained first value then
            costs little, and the loss is no longer a bound. None: no limit. The authors' code has one, near -13, from
            machine epsilon in the place of zero; with it, long training has kept more regimes in use.
        annealing: temperature annealing of switches and durations; the default is none.
        begin: forecasts continue from a regime and an age drawn from their posterior, "sample", or from the most
            probable ones, "argmax".
        n_init: random restarts, of which the one with the best bound is kept: which regimes are found depends on the
            initial weights.
        init_steps: training steps of each restart; the best is then trained for ``max_steps``. None: each takes all
            ``max_steps``, and no further training follows. Too few steps do not rank restarts reliably.

    Note:
        ``horizon``, ``context_length`` and all settings of training: see ``TorchForecaster``. The distribution of
        values given states is normal; ``likelihood`` can be nothing else. Fields of ``widths`` and ``annealing`` are
        tables in job files (``[models.NAME.widths]``) and dotted on the command line (``--set widths.embedding=8``).

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> model.predict(n_samples=50).samples.shape
        (1, 50, 2)
        >>> len(model.segment(frame)), list(model.regimes_)
        (60, ['regime', 'share', 'mean_duration', 'mean_run', 'drift', 'spread', 'durations'])

    Source: Ansari, Benidis, Kurle, Turkmen, Soh, Smola, Wang & Januschowski (2021), Deep Explicit Duration Switching
        Models for Time Series, NeurIPS.
    """

    n_regimes: Annotated[int, AtLeast(1)] = 3
    d_state: Annotated[int, AtLeast(1)] = 4
    max_duration: Annotated[int, AtLeast(1)] = 20
    min_duration: Annotated[int, AtLeast(1)] = 1
    durations: Literal["explicit", "geometric"] = "explicit"
    recurrent: bool = True
    switch_input: Literal["x", "y", "xy"] = "x"
    transition: Literal["linear", "mlp"] = "mlp"
    residual: bool = False
    emission: Literal["linear", "mlp"] = "mlp"
    embedder: Literal["gru", "transformer"] = "gru"
    widths: Widths = Widths()  # noqa: RUF009  (frozen)
    state_scale: Annotated[float, Between(0, math.inf, open="both")] = 0.5
    emission_scale: Annotated[float, Between(0, math.inf, open="both")] = 0.5
    start_floor: Annotated[float, Between(-math.inf, math.inf, open="both")] | None = None
    annealing: TemperatureAnnealing = TemperatureAnnealing()  # noqa: RUF009  (frozen)
    begin: Literal["sample", "argmax"] = "sample"
    n_init: Annotated[int, AtLeast(1)] = 1
    init_steps: Annotated[int, AtLeast(1)] | None = None
    max_steps: Annotated[int, AtLeast(1)] = 2000
    batch_size: Annotated[int, AtLeast(1)] = 32
    learning_rate: Annotated[float, Above(0)] = 5e-3
    weight_decay: Annotated[float, AtLeast(0)] = 1e-5
    gradient_clip: Annotated[float, Above(0)] = 10.0
    early_stopping_patience: Annotated[int, AtLeast(1)] | None = None
    likelihood: Literal["normal"] = "normal"

    segment = segment
    plot_segments = regimes.plot_segments
    plot_durations = regimes.plot_durations

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> REDSDSNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Ansari et al. (2021), RED-SDS, section 3.
        """
        switch, duration = self.annealing.schedules(self.max_steps)
        columns = channels, past_x, known_x
        return REDSDSNetwork(columns, self.horizon, self.design(), switch, duration, self.begin)

    def design(self) -> Design:
        """The parts of the network and their sizes.

        Example:
            >>> REDSDS(horizon=2).design().widths.embedding
            4

        Source: Ansari et al. (2021), RED-SDS, section 3.
        """
        return Design(**{field.name: getattr(self, field.name) for field in fields(Design)})

    def choose_network(
        self, fresh: Callable[[], tuple[nn.Module, Groups]], packed: Packed, plan: Plan
    ) -> tuple[nn.Module, pd.DataFrame | None]:
        """The best of ``n_init`` networks; see ``TorchForecaster.choose_network``.

        Source: the random restarts of mixture models.
        """
        if self.n_init == 1:
            return super().choose_network(fresh, packed, plan)
        short = plan if self.init_steps is None else replace(plan, max_steps=self.init_steps, max_epochs=None)
        network, history, interrupted = best_restart(iter(fresh, None), self.n_init, packed, short, self.seed)
        if interrupted or self.init_steps is None:
            return network, history
        self._inner(network).reset_annealing()
        return network, None

    def fit(
        self,
        data: Frame | Panel,
        y: Any = None,
        *,
        warm_start: bool = False,
        wrap: Wrap | None = None,
        **roles: Unpack[Roles],
    ) -> Self:
        """Train on ``data``, then describe the regimes that were found.

        Args:
            data: as in ``TorchForecaster.fit``.
            y: not used; scikit-learn's tools pass it.
            warm_start: as there.
            wrap: as there; the input of the network then is not the series, so that there are no segments and no
                ``regimes_``.
            **roles: as there.

        Returns:
            The forecaster itself, with ``regimes_`` (one row a regime: share of the steps; mean of its durations;
            mean of its runs in the segmentation; mean and standard deviation of the changes of y in it, in the
            caller's units; ``durations``, the probabilities of 1 .. D steps; ``matrix``, how the state moves, of
            ``transition="linear"``) and ``usage_`` (step, and the share of each regime since the step before).

        Raises:
            ValueError: as there.
            DataError: as there.

        Source: Ansari et al. (2021), RED-SDS, section 3.
        """
        warn_unused_covariates(self, roles)
        panel = training_panel(data, y, roles)
        super().fit(panel, warm_start=warm_start, wrap=wrap, short=roles.get("short", "error"))
        self.__dict__.pop("regimes_", None)
        network = self._inner(self.network_)
        self.usage_: pd.DataFrame = pd.DataFrame(
            [(step, *share) for step, share in network.usage_records()],
            columns=["step", *map(str, range(self.n_regimes))],
        )
        self.found_: dict[str, np.ndarray] = {} if wrap is not None else regimes.describe(self, panel)
        if wrap is None:
            self.regimes_: pd.DataFrame = regimes.as_frame(self.found_)
        regimes.warn_if_collapsed(self.usage_, self.found_.get("rows"))
        return self

    def learned(self) -> dict[str, object]:
        """What ``fit`` learned, as serialisable values."""
        return super().learned() | {"regimes": self.found_, "usage": self.usage_}

    def relearn(self, learned: dict[str, Any]) -> None:
        """Takes up what ``learned`` gave."""
        super().relearn(learned)
        self.found_, self.usage_ = learned["regimes"], learned["usage"]
        network = self._inner(self.network_)
        network.usage = [(int(row[0]), list(row[1:])) for row in self.usage_.to_numpy().tolist()]
        if self.found_:
            self.regimes_ = regimes.as_frame(self.found_)

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        super().check()
        if self.min_duration > self.max_duration:
            raise TsformersError(
                Setting("min_duration", self.min_duration),
                " is longer than ",
                Setting("max_duration", self.max_duration),
                "; make it that at most",
            )

    @staticmethod
    def _inner(network: Any) -> REDSDSNetwork:
        """The network itself, also where something is wrapped around it."""
        return network if isinstance(network, REDSDSNetwork) else network.network
