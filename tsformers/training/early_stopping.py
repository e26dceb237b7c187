"""Early stopping: the best weights so far, and the patience."""

import math

from torch import Tensor, nn


class BestWeights:
    """Remembers the weights with the lowest validation loss.

    Args:
        network: whose weights.
        patience: checks without improvement after which a run ends; None: no end.

    Example:
        >>> network = nn.Linear(1, 1)
        >>> best = BestWeights(network, patience=2)
        >>> [best.out_of_patience(loss) for loss in (3.0, 1.0, 2.0, 4.0)]
        [False, False, False, True]
        >>> best.loss
        1.0
    """

    def __init__(self, network: nn.Module, patience: int | None) -> None:
        self.network, self.patience = network, patience
        self.loss, self.waited = math.inf, 0
        self.weights: dict[str, Tensor] | None = None

    def out_of_patience(self, loss: float) -> bool:
        """Records one check; True when patience is at its end.

        Args:
            loss: of the validation windows; NaN: there are none, so nothing is compared.
        """
        if math.isnan(loss):
            return False
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.weights = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        else:
            self.waited += 1
        return self.patience is not None and self.waited >= self.patience

    def kept(self, step: int) -> str:
        """In words, which weights a run that ended at ``step`` leaves."""
        if self.weights is not None:
            return "the best weights so far are kept"
        return "the last weights are kept, none were validated" if step else "the network has learned nothing yet"

    def restore(self) -> None:
        """Puts the best weights back and leaves the network in evaluation mode."""
        if self.weights is not None:
            self.network.load_state_dict(self.weights)
        self.network.eval()
