"""Temperature and KL annealing of REDSDS."""

from typing import NamedTuple


class Annealing(NamedTuple):
    """A temperature that falls while training goes on.

    ``start`` up to step ``kick_in``, then ``start * rate ** ((step - kick_in) / every)``, not below ``end``.

    Example:
        >>> Annealing(10.0, 1.0, 0.5, 100, 1000).at(1200)
        2.5

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """

    start: float = 1.0
    end: float = 1.0
    rate: float = 0.99
    every: float = 50.0
    kick_in: float = 1000.0

    def at(self, step: int) -> float:
        """The temperature of a step.

        Source: Ansari et al. (2021), RED-SDS, section 3.3.
        """
        if step < self.kick_in:
            return self.start
        return max(self.end, self.start * self.rate ** ((step - self.kick_in) / self.every))
