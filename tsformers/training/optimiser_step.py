"""One step of an optimiser: gradient, clipping, the check that all is finite, learning rate."""

import math

import torch
from torch import Tensor, nn


class Descent:
    """Steps of an optimiser whose learning rates follow a schedule and whose gradients are clipped.

    Args:
        optimiser: its groups hold the weights, and the largest learning rate of each.
        gradient_clip: largest norm of the gradient of all weights.
        remedy: what helps besides a lower learning rate where the loss is not finite, for the message.

    Example:
        >>> weight = nn.Parameter(torch.tensor([4.0]))
        >>> descent = Descent(torch.optim.SGD([weight], lr=1.0), gradient_clip=1.0, remedy="rescale the data")
        >>> descent.step(weight.square().sum()), weight.item()  # the gradient 8 is clipped to 1
        (16.0, 3.0)
        >>> descent.step(weight.square().sum(), rate=0.5), weight.item()
        (9.0, 2.5)
    """

    def __init__(self, optimiser: torch.optim.Optimizer, gradient_clip: float, remedy: str) -> None:
        self.optimiser, self.gradient_clip, self.remedy = optimiser, gradient_clip, remedy
        self.weights: list[Tensor] = [weight for group in optimiser.param_groups for weight in group["params"]]
        self.largest_rates: list[float] = [group["lr"] for group in optimiser.param_groups]
        self.taken = 0

    def step(self, loss: Tensor, rate: float = 1.0) -> float:
        """One step down.

        Args:
            loss: a number, with its graph.
            rate: the learning rates, as a share of the largest.

        Returns:
            The loss.

        Raises:
            FloatingPointError: the loss or the norm of its gradient is not finite.
        """
        self.taken += 1
        for group, largest in zip(self.optimiser.param_groups, self.largest_rates, strict=True):
            group["lr"] = largest * rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.weights, self.gradient_clip)
        value = loss.item()
        if not math.isfinite(value) or not math.isfinite(norm.item()):
            raise FloatingPointError(
                f"at step {self.taken} the loss is {value} and the norm of its gradient {norm.item()}; lower "
                f"learning_rate (now {self.optimiser.defaults['lr']:g}), or {self.remedy}"
            )
        self.optimiser.step()
        return value
