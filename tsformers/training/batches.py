"""Training and validation windows in batches."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from tsformers.data.cutoffs import cutoffs, validation_cutoffs, validation_length
from tsformers.data.windows import Packed, Window, cut
from tsformers.errors import TsformersError
from tsformers.messages import Setting
from tsformers.training.config import Plan

MOST_PERMUTED = 10_000_000  # windows; with more of them an epoch is drawn with replacement
MOST_VALIDATED = 512  # windows read at each check, unless validation_stride asks for all
FITTED_AT_ONCE = 512  # windows in a batch from which a closed form is fitted


class Windows:
    """The training windows of packed series in random order, and the validation windows; each is cut when it is used.

    Args:
        packed: where to cut, on the device of the network.
        plan: sizes, and how many windows are kept for validation.
        rng: shuffles; an epoch is a permutation (drawn with replacement above 10 million windows).

    Raises:
        ValueError: there is no window to train on.

    Example:
        >>> from tsformers.data.windows import pack_rows
        >>> packed = pack_rows(np.arange(12.0)[:, None], [0, 12])
        >>> from tsformers.testing import make_plan
        >>> windows = Windows(packed, make_plan(context_length=4, horizon=2, batch_size=4), np.random.default_rng(0))
        >>> len(windows), windows.n_validation, next(windows.batches()).past.shape
        (5, 1, torch.Size([4, 4, 1]))
    """

    def __init__(self, packed: Packed, plan: Plan, rng: np.random.Generator) -> None:
        self.packed, self.plan, self.rng = packed, plan, rng
        sizes, kept = (plan.context_length, plan.horizon), (plan.validation_windows, plan.validation_stride)
        self.series, self.cutoffs = cutoffs(packed, *sizes, validation_rows=validation_length(plan.horizon, *kept))
        if len(self) == 0:
            raise TsformersError(
                f"no window of {plan.context_length} + {plan.horizon} rows has an observed value in its context and in "
                "its targets; set a smaller ",
                Setting("context_length"),
                ", or fill some of the missing values",
            )
        self.validation_series, self.validation_cutoffs = validation_cutoffs(packed, *sizes, *kept)
        if self.n_validation > MOST_VALIDATED and plan.validation_stride is None:
            chosen = np.sort(rng.choice(self.n_validation, MOST_VALIDATED, replace=False))
            some = torch.from_numpy(chosen).to(packed.offsets.device)
            self.validation_series, self.validation_cutoffs = (
                self.validation_series[some],
                self.validation_cutoffs[some],
            )

    def __len__(self) -> int:
        return len(self.cutoffs)

    @property
    def n_validation(self) -> int:
        """How many windows are kept for validation."""
        return len(self.validation_cutoffs)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass."""
        return math.ceil(len(self) / self.plan.batch_size)

    def batches(self) -> Iterator[Window]:
        """Batches without end, epoch after epoch, in the caller's units."""
        size = self.plan.batch_size
        while True:
            if len(self) > MOST_PERMUTED:
                yield self._cut(self.series, self.cutoffs, self.rng.integers(len(self), size=size))
                continue
            order = self.rng.permutation(len(self))
            for start in range(0, len(self), size):
                yield self._cut(self.series, self.cutoffs, order[start : start + size])

    def validation(self) -> Iterator[Window]:
        """The validation windows, always in the same order."""
        for start in range(0, self.n_validation, self.plan.batch_size):
            index = np.arange(start, min(start + self.plan.batch_size, self.n_validation))
            yield self._cut(self.validation_series, self.validation_cutoffs, index)

    def some(self, most: int) -> Iterator[Window]:
        """Up to ``most`` windows to train on, chosen at random, in larger batches."""
        chosen = np.arange(len(self))
        if len(self) > most:
            chosen = np.sort(self.rng.choice(len(self), most, replace=False))
        for start in range(0, len(chosen), FITTED_AT_ONCE):
            yield self._cut(self.series, self.cutoffs, chosen[start : start + FITTED_AT_ONCE])

    def _cut(self, series: Tensor, rows: Tensor, index: np.ndarray) -> Window:
        chosen = torch.from_numpy(index).to(series.device)
        return cut(self.packed, series[chosen], rows[chosen], self.plan.context_length, self.plan.horizon)
