"""Early stopping: the best weights so far, and the patience."""

import math

from torch import Tensor, nn


class BestWeights:
    """Remembers the weights with the lowest validation loss."""

    def __init__(self, network: nn.Module, patience: int | None) -> None:
        self.network, self.patience = network, patience
        self.loss, self.waited = math.inf, 0
        self.weights: dict[str, Tensor] | None = None

    def no_better(self, loss: float) -> bool:
        """Notes one check; True when patience is at its end."""
        if math.isnan(loss):  # nothing is held back
            return False
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.weights = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        else:
            self.waited += 1
        return self.patience is not None and self.waited >= self.patience

    def kept(self, step: int) -> str:
        """In words, what a run that ended at ``step`` leaves."""
        if self.weights is not None:
            return "the best weights so far are kept"
        return "the last weights are kept, none were validated" if step else "the network has learned nothing yet"

    def restore(self) -> None:
        """Puts the best weights back."""
        if self.weights is not None:
            self.network.load_state_dict(self.weights)
        self.network.eval()
