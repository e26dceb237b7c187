"""REDSDS: regimes with durations of their own, found in series and carried on into the future."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self, Unpack

import numpy as np
import pandas as pd
from torch import nn

import tsformers.forecasters.redsds.segmentation as parts
from tsformers.contracts import Wrap
from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel, Roles
from tsformers.data.windows import Packed
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.redsds.annealing import Annealing
from tsformers.forecasters.redsds.generative import Design
from tsformers.forecasters.redsds.network import REDSDSNetwork
from tsformers.nn.heads.base import DistributionOutput
from tsformers.training.config import Plan
from tsformers.training.train import Groups, best_restart

KICK_IN, COOLED = 0.05, 0.6  # shares of the steps: temperatures begin to fall, and have fallen
COUNTS = (
    "n_regimes", "d_state", "max_duration", "min_duration", "transition_hidden", "d_embedding", "d_feedforward",
    "d_recurrent", "d_posterior", "d_control", "control_hidden", "annealing_every", "n_init",
)  # fmt: skip
CHOICES = {
    "durations": ("explicit", "geometric"),
    "switch_input": ("x", "y", "xy"),
    "transition": ("linear", "mlp"),
    "emission": ("linear", "mlp"),
    "embedder": ("gru", "transformer"),
    "begin": ("sample", "argmax"),
    "likelihood": ("normal",),
}
ABOVE_ZERO = (
    "state_scale", "emission_scale", "switch_temperature", "switch_temperature_end", "duration_temperature",
    "duration_temperature_end",
)  # fmt: skip
OPTIONAL: dict[str, tuple[Callable[[Any], bool], str]] = {  # numbers, or None
    "start_floor": (math.isfinite, "be a finite log-density, such as -13.0"),
    "annealing_kick_in": (lambda steps: steps >= 0, "be 0 steps or more"),
    "annealing_rate": (lambda rate: 0 < rate <= 1, "lie above 0 and be 1 at most"),
}


@dataclass(kw_only=True, repr=False, eq=False)
class REDSDS(TorchForecaster):
    """Finds regimes that last for a while, tells when they change, and forecasts by going through them.

    A regime decides how a hidden continuous state moves; the state shows in the values. How long each regime lasts is
    a law of its own, learned beside the rest, and where it leads when it ends may depend on the state. Training
    maximises a bound on the likelihood of whole windows, context and future together: states are drawn from a
    posterior that reads all values, regimes and their ages are summed out exactly. Held-back windows are judged by the
    same bound, which knows of context and future alike; the best weights are those with the best bound.

    ``segment`` tells the regime of every step, ``regimes_`` what each regime is like, ``usage_`` how much of the data
    each has held while training went on. Forecasts are draws of regimes, ages, states and values together, so that the
    draws of a series are paths. Known covariates and calendar features are controls of regimes, durations and states;
    past covariates help to read the context. Missing values are told as missing. Series share their weights; with
    ``multivariate`` they are channels that show one state.

    Args:
        n_regimes: K.
        d_state: M, numbers in the continuous state.
        max_duration: D, longest duration in steps.
        min_duration: shortest.
        durations: "explicit", or "geometric": no law of durations, each step may lead on (a switching state-space
            model, for comparison).
        recurrent: where a regime leads depends on what ``switch_input`` says; False: on the regime alone.
        switch_input: the state "x" before the switch, the values "y", or both, "xy".
        transition: how states move in a regime, "linear" or by a network with a hidden layer, "mlp".
        residual: a regime says by how much the state moves, so that before training it stays where it is; False, as
            published: where it moves to. True has brought better forecasts, and worse regimes.
        emission: how values show states, "linear" or "mlp".
        transition_hidden: width of the hidden layer of ``transition="mlp"``.
        emission_hidden: widths of the two hidden layers of ``emission="mlp"``.
        embedder: what reads the values for the posterior: gated units in both directions, "gru", or a "transformer".
        d_embedding: width of either direction; of the transformer, of the values and of their positions.
        d_feedforward: width inside the transformer.
        d_recurrent: width of the recurrent part that draws the states.
        d_posterior: width of the hidden layer between that and the law of a state.
        d_control: features made of the known columns.
        control_hidden: width of the hidden layer that makes them.
        state_scale: standard deviation of the first state at the start of training.
        emission_scale: standard deviation of values around what the state shows, at the start; units of the window.
        start_floor: log-density below which the first step of a window does not fall: where a series begins may then
            cost little, and the loss is no bound any more. None: there is none. The authors' code has one, near -13,
            from machine epsilon in the place of zero; long training has kept regimes better with it.
        switch_temperature: by how much the laws of switches are flattened at first; above 1, regimes stay alive until
            each has learned something.
        switch_temperature_end: and in the end.
        duration_temperature: the same of durations.
        duration_temperature_end: and in the end.
        annealing_kick_in: steps before temperatures begin to fall; None: a twentieth of ``max_steps``.
        annealing_rate: factor of a temperature over ``annealing_every`` steps; None: such that it has fallen after
            three fifths of ``max_steps``.
        annealing_every: see there.
        begin: forecasts begin in a regime and an age drawn from their posterior, "sample", or in the likeliest,
            "argmax".
        n_init: trainings from different beginnings, of which the one with the best bound is kept: which regimes are
            found depends on where training begins.
        init_steps: steps of each of them, after which the best goes on for ``max_steps``; None: each takes all
            ``max_steps``, and that is it. Too few tell little.

    Note:
        ``horizon``, ``context_length`` and all settings of training: see ``TorchForecaster``. The law of values given
        states is normal; ``likelihood`` can be nothing else.

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

    n_regimes: int = 3
    d_state: int = 4
    max_duration: int = 20
    min_duration: int = 1
    durations: Literal["explicit", "geometric"] = "explicit"
    recurrent: bool = True
    switch_input: Literal["x", "y", "xy"] = "x"
    transition: Literal["linear", "mlp"] = "mlp"
    residual: bool = False
    emission: Literal["linear", "mlp"] = "mlp"
    transition_hidden: int = 32
    emission_hidden: tuple[int, int] = (8, 32)
    embedder: Literal["gru", "transformer"] = "gru"
    d_embedding: int = 4
    d_feedforward: int = 16
    d_recurrent: int = 16
    d_posterior: int = 32
    d_control: int = 16
    control_hidden: int = 32
    state_scale: float = 0.5
    emission_scale: float = 0.5
    start_floor: float | None = None
    switch_temperature: float = 1.0
    switch_temperature_end: float = 1.0
    duration_temperature: float = 1.0
    duration_temperature_end: float = 1.0
    annealing_kick_in: int | None = None
    annealing_rate: float | None = None
    annealing_every: int = 50
    begin: Literal["sample", "argmax"] = "sample"
    n_init: int = 1
    init_steps: int | None = None
    max_steps: int = 2000
    batch_size: int = 32
    learning_rate: float = 5e-3
    weight_decay: float = 1e-5
    gradient_clip: float = 10.0
    early_stopping_patience: int | None = None
    likelihood: str | DistributionOutput = "normal"

    segment = parts.segment
    plot_segments = parts.plot_segments
    plot_durations = parts.plot_durations

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> REDSDSNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Ansari et al. (2021), RED-SDS, section 3.
        """
        own = {field.name: getattr(self, field.name) for field in fields(Design)}
        design = Design(**own | {"emission_hidden": tuple(self.emission_hidden)})
        switch, duration = (
            self._annealing(getattr(self, name), getattr(self, f"{name}_end"))
            for name in ("switch_temperature", "duration_temperature")
        )
        return REDSDSNetwork((channels, past_x, known_x), self.horizon, design, switch, duration, self.begin)

    def choose_network(
        self, fresh: Callable[[], tuple[nn.Module, Groups]], packed: Packed, plan: Plan
    ) -> tuple[nn.Module, pd.DataFrame | None]:
        """The best of ``n_init`` networks; see ``TorchForecaster.choose_network``.

        Source: none; the restarts of mixture models.
        """
        if self.n_init == 1:
            return super().choose_network(fresh, packed, plan)
        short = plan if self.init_steps is None else replace(plan, max_steps=self.init_steps, max_epochs=None)
        network, history, interrupted = best_restart(iter(fresh, None), self.n_init, packed, short, self.seed)
        if interrupted or self.init_steps is None:
            return network, history
        self._inner(network).begin_anew()
        return network, None

    def fit(
        self, data: Frame | Panel, *, warm_start: bool = False, wrap: Wrap | None = None, **roles: Unpack[Roles]
    ) -> Self:
        """Train on ``data``, then describe the regimes that were found.

        Args:
            data: as in ``TorchForecaster.fit``.
            warm_start: as there.
            wrap: as there; what the network sees then is not the series, so that there is nothing to segment, and no
                ``regimes_``.
            **roles: as there.

        Returns:
            The forecaster itself, with ``regimes_`` (one row a regime: share of the steps; mean of its duration law;
            mean of its runs in the segmentation; mean and standard deviation of the changes of y in it, in the
            caller's units; ``durations``, the probabilities of 1 .. D steps; ``matrix``, how the state moves, of
            ``transition="linear"``) and ``usage_`` (step, and the share of each regime since the step before).

        Raises:
            ValueError: as there.
            DataError: as there.

        Source: Ansari et al. (2021), RED-SDS, section 3.
        """
        panel = Panel.from_frame(data, **roles)
        super().fit(panel, warm_start=warm_start, wrap=wrap, short=roles.get("short", "error"))
        self.__dict__.pop("regimes_", None)
        network = self._inner(self.network_)
        self.usage_: pd.DataFrame = pd.DataFrame(
            [(step, *share) for step, share in network.usage_records()],
            columns=["step", *map(str, range(self.n_regimes))],
        )
        self.found_: dict[str, np.ndarray] = {} if wrap is not None else parts.describe(self, panel)
        if wrap is None:
            self.regimes_: pd.DataFrame = parts.as_frame(self.found_)
        parts.warn_if_collapsed(self.usage_)
        return self

    def learned(self) -> dict[str, object]:
        """What ``fit`` learned, as plain values."""
        return super().learned() | {"regimes": self.found_, "usage": self.usage_}

    def relearn(self, learned: dict[str, Any]) -> None:
        """Takes up what ``learned`` gave."""
        super().relearn(learned)
        self.found_, self.usage_ = learned["regimes"], learned["usage"]
        network = self._inner(self.network_)
        network.usage = [(int(row[0]), list(row[1:])) for row in self.usage_.to_numpy().tolist()]
        if self.found_:
            self.regimes_ = parts.as_frame(self.found_)

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.

        Source: the ranges in which the formulas of the paper are defined.
        """
        super().check()
        hidden = tuple(self.emission_hidden) if isinstance(self.emission_hidden, tuple | list) else ()
        counts = {name: getattr(self, name) for name in COUNTS} | {
            f"emission_hidden[{i}]": value for i, value in enumerate(hidden)
        }
        counts |= {} if self.init_steps is None else {"init_steps": self.init_steps}
        for name, value in counts.items():
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
        if len(hidden) != 2:
            raise ValueError(f"emission_hidden must be two widths, such as (8, 32), not {self.emission_hidden!r}")
        for name, known in CHOICES.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
        for name in ABOVE_ZERO:
            value = getattr(self, name)
            if not isinstance(value, float | int | np.number) or not 0 < value < np.inf:
                raise ValueError(f"{name} must be a number above 0, not {value!r}")
        if self.min_duration > self.max_duration:
            raise ValueError(
                f"min_duration={self.min_duration} is longer than max_duration={self.max_duration}; "
                "make it that at most"
            )
        for name, (fine, words) in OPTIONAL.items():
            value = getattr(self, name)
            number = isinstance(value, float | int | np.number) and not isinstance(value, bool)
            if value is not None and not (number and fine(value)):
                raise ValueError(f"{name}={value!r} must {words}, or None")

    @staticmethod
    def _inner(network: Any) -> REDSDSNetwork:
        """The network itself, also where something is wrapped around it."""
        return network if isinstance(network, REDSDSNetwork) else network.network

    def _annealing(self, start: float, end: float) -> Annealing:
        kick_in = KICK_IN * self.max_steps if self.annealing_kick_in is None else self.annealing_kick_in
        rate = self.annealing_rate
        if rate is None:
            falling = max(COOLED * self.max_steps - kick_in, 1.0)
            rate = min(end / start, 1.0) ** (self.annealing_every / falling)
        return Annealing(start, end, rate, self.annealing_every, kick_in)
