"""Temperature annealing of REDSDS: high temperatures keep every regime in use until it has learned something."""

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from tsformers.validation import AtLeast, Between

KICK_IN_SHARE = 0.05  # of the steps: temperatures stay where they start
END_SHARE = 0.6  # of the steps: temperatures have reached their ends

Temperature = Annotated[float, Between(0, math.inf, open="both")]


class TemperatureSchedule(NamedTuple):
    """One temperature during training.

    ``start`` up to step ``kick_in``, then ``start * rate ** ((step - kick_in) / every)``, not below ``end``.

    Example:
        >>> TemperatureSchedule(10.0, 1.0, 0.5, 100, 1000).at(1200)
        2.5

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """

    start: float = 1.0
    end: float = 1.0
    rate: float = 0.99
    every: float = 50.0
    kick_in: float = 1000.0

    def at(self, step: int) -> float:
        """The temperature of a training step.

        Args:
            step: from 0.

        Returns:
            The temperature.

        Example:
            >>> TemperatureSchedule(8.0, 2.0, 0.5, 10, 0).at(10)
            4.0

        Source: Ansari et al. (2021), RED-SDS, section 3.3.
        """
        if step < self.kick_in:
            return self.start
        return max(self.end, self.start * self.rate ** ((step - self.kick_in) / self.every))


@dataclass(frozen=True, kw_only=True)
class TemperatureAnnealing:
    """How REDSDS flattens its distributions of switches and durations at the start of training.

    A temperature above 1 flattens the distribution, which keeps all regimes in use until each has learned something.

    Args:
        switch_temperature: temperature of the switch probabilities at the start; 1: none.
        switch_temperature_end: temperature of the switch probabilities at the end.
        duration_temperature: temperature of the duration probabilities at the start.
        duration_temperature_end: temperature of the duration probabilities at the end.
        kick_in: steps before temperatures fall; None: a twentieth of ``max_steps``.
        rate: factor of a temperature over ``every`` steps; None: such that the end is reached after three fifths of
            ``max_steps``.
        every: steps over which a temperature is multiplied by ``rate``.

    Example:
        >>> switch, duration = TemperatureAnnealing(duration_temperature=10.0).schedules(max_steps=1000)
        >>> switch.at(0), duration.at(0), duration.at(600)
        (1.0, 10.0, 1.0)

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """

    switch_temperature: Temperature = 1.0
    switch_temperature_end: Temperature = 1.0
    duration_temperature: Temperature = 1.0
    duration_temperature_end: Temperature = 1.0
    kick_in: Annotated[int, AtLeast(0)] | None = None
    rate: Annotated[float, Between(0, 1, open="low")] | None = None
    every: Annotated[int, AtLeast(1)] = 50

    def schedules(self, max_steps: int) -> tuple[TemperatureSchedule, TemperatureSchedule]:
        """The schedules of switches and of durations in a training of so many steps.

        Args:
            max_steps: of the training.

        Returns:
            That of switches, and that of durations.

        Example:
            >>> TemperatureAnnealing(kick_in=10, rate=0.5, every=1).schedules(max_steps=100)[0].kick_in
            10

        Source: Ansari et al. (2021), RED-SDS, section 3.3.
        """
        return (
            self._schedule(self.switch_temperature, self.switch_temperature_end, max_steps),
            self._schedule(self.duration_temperature, self.duration_temperature_end, max_steps),
        )

    def _schedule(self, start: float, end: float, max_steps: int) -> TemperatureSchedule:
        kick_in = KICK_IN_SHARE * max_steps if self.kick_in is None else self.kick_in
        rate = self.rate
        if rate is None:
            falling = max(END_SHARE * max_steps - kick_in, 1.0)
            rate = min(end / start, 1.0) ** (self.every / falling)
        return TemperatureSchedule(start, end, rate, self.every, kick_in)
