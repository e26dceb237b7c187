"""Seeds and devices of training."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from tsformers.errors import TsformersError
from tsformers.messages import Setting


def find_device(name: str | torch.device | None) -> torch.device:
    """The device to compute on.

    Args:
        name: "auto" is the first CUDA device, else the CPU; other names and devices as in torch; None: the CPU.

    Returns:
        The device.

    Raises:
        ValueError: torch knows no such device, or this machine has none.

    Example:
        >>> find_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise TsformersError(
            Setting("device", str(name)), f" cannot be used ({reason}); choose 'auto' or 'cpu'"
        ) from error


@contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """A block with its own random state; that of the caller is restored after it.

    Args:
        seed: None: fresh entropy.
        device: on which random numbers are drawn, besides the CPU.

    Example:
        >>> before = torch.get_rng_state()
        >>> with seeded(1, torch.device("cpu")):
        ...     draw = torch.rand(())
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else [], device_type="cuda"):
        torch.default_generator.manual_seed(int(seed))
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(int(seed))
        yield


class RandomState:
    """A random state that is entered several times and goes on where it was left; the caller's is restored each time.

    Args:
        seed: None: fresh entropy.
        device: on which random numbers are drawn, besides the CPU.

    Example:
        >>> state = RandomState(1, torch.device("cpu"))
        >>> with state.entered():
        ...     first = torch.rand(())
        >>> with state.entered():
        ...     second = torch.rand(())
        >>> with seeded(1, torch.device("cpu")):
        ...     torch.equal(torch.rand(2), torch.stack([first, second]))
        True
    """

    def __init__(self, seed: int | None, device: torch.device) -> None:
        self.device = device
        with seeded(seed, device):
            self._keep()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A block in this random state."""
        on_cuda = self.device.type == "cuda"
        with torch.random.fork_rng(devices=[self.device] if on_cuda else [], device_type="cuda"):
            torch.set_rng_state(self._cpu)
            if self._cuda is not None:
                torch.cuda.set_rng_state(self._cuda, self.device)
            yield
            self._keep()

    def _keep(self) -> None:
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
