"""The number of threads of torch in training and sampling: one, unless the user has chosen another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # where a user states a number for the whole process
THREADS_AT_IMPORT = torch.get_num_threads()


def training_threads() -> int:
    """The number of threads of torch while a network is trained or sampled.

    One, unless an environment variable (``OMP_NUM_THREADS``, ``MKL_NUM_THREADS``) or ``torch.set_num_threads`` states
    another number. The layers here are small: alone on a machine a second thread gains up to 1.7x with wide networks
    and nothing with narrow ones, and where another process wants the processor, threads that wait for each other make
    a training 4 to 10 times slower, at worst 80 times. The number of threads also changes the last bits of the weights.

    Returns:
        A number of 1 or more.

    Example:
        >>> training_threads() >= 1
        True
    """
    now = torch.get_num_threads()
    chosen = any(name in os.environ for name in VARIABLES) or now != THREADS_AT_IMPORT
    return now if chosen else 1


@contextmanager
def limited_threads() -> Iterator[None]:
    """A block in which torch has ``training_threads()`` threads; the caller's number is restored after it.

    Example:
        >>> before = torch.get_num_threads()
        >>> with limited_threads():
        ...     inside = torch.get_num_threads()
        >>> inside == training_threads(), torch.get_num_threads() == before
        (True, True)
    """
    before, wanted = torch.get_num_threads(), training_threads()
    if before == wanted:  # also inside another such block, which restores the number
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
