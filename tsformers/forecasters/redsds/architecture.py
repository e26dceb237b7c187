"""The parts of a REDSDS network and their widths."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tsformers.validation import AtLeast

MIN_SCALE = 1e-6  # added to every standard deviation
Width = Annotated[int, AtLeast(1)]


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Widths of the layers of REDSDS.

    Args:
        transition: hidden layer of ``transition="mlp"``.
        emission: the two hidden layers of ``emission="mlp"``.
        embedding: either direction of the recurrent embedding of the values; of the transformer, the embedding of the
            values and that of their positions.
        feedforward: hidden layer of the transformer.
        recurrent: state of the causal recurrent part of the posterior.
        posterior: hidden layer between that state and the distribution of a latent state.
        control: features computed from the known columns.
        control_hidden: hidden layer that computes them.

    Example:
        >>> Widths(embedding=8).embedding
        8

    Source: Ansari et al. (2021), RED-SDS, section 4; the defaults are the published ones.
    """

    transition: Width = 32
    emission: tuple[Width, Width] = (8, 32)
    embedding: Width = 4
    feedforward: Width = 16
    recurrent: Width = 16
    posterior: Width = 32
    control: Width = 16
    control_hidden: Width = 32

    def __post_init__(self) -> None:
        """A list, as job files have it, becomes a tuple."""
        if isinstance(self.emission, list):
            object.__setattr__(self, "emission", tuple(self.emission))


@dataclass(frozen=True, kw_only=True)
class Design:
    """The parts of the model and their sizes; ``REDSDS`` documents them and has their defaults.

    Example:
        >>> from tsformers import REDSDS
        >>> REDSDS(horizon=2, n_regimes=4).design().n_regimes
        4

    Source: Ansari et al. (2021), RED-SDS, section 3.
    """

    n_regimes: int
    d_state: int
    min_duration: int
    max_duration: int
    durations: Literal["explicit", "geometric"]
    recurrent: bool
    switch_input: Literal["x", "y", "xy"]
    transition: Literal["linear", "mlp"]
    residual: bool
    emission: Literal["linear", "mlp"]
    embedder: Literal["gru", "transformer"]
    widths: Widths
    state_scale: float
    emission_scale: float
    start_floor: float | None
