"""Training and validation windows: how many there are, and in which order they come."""

import numpy as np
import torch

import tsformers.training.batches as batches
from tsformers.data.windows import pack_rows
from tsformers.testing import make_plan
from tsformers.training.batches import Windows


def packed(rows=80, seed=0):
    y = np.sin(np.arange(rows) / 3) + 0.1 * np.random.default_rng(seed).normal(size=rows)
    return pack_rows(y[:, None], [0, rows])


def test_very_many_windows_are_drawn_with_replacement(monkeypatch):
    monkeypatch.setattr(batches, "MOST_PERMUTED", 10)
    windows = Windows(packed(), make_plan(batch_size=64), np.random.default_rng(0))
    batch = next(windows.batches())
    assert len(batch.past) == 64
    assert len(batch.past[:, 0, 0].unique()) < 64


def test_validation_windows_are_few_and_always_the_same(monkeypatch):
    monkeypatch.setattr(batches, "MOST_VALIDATED", 5)
    plan = make_plan(batch_size=2, validation_windows=8)
    windows = Windows(packed(), plan, np.random.default_rng(0))
    first, again = (torch.cat([batch.future for batch in windows.validation()]) for _ in range(2))
    assert len(first) == 5
    assert torch.equal(first, again)


def test_with_a_stride_every_validation_window_is_read(monkeypatch):
    monkeypatch.setattr(batches, "MOST_VALIDATED", 5)
    plan = make_plan(batch_size=64, validation_windows=9, validation_stride=1)
    windows = Windows(packed(), plan, np.random.default_rng(0))
    assert windows.cutoffs.max() + 2 == 80 - 10  # nine windows of two targets, one row apart, take ten rows
    futures = torch.cat([batch.future[..., 0] for batch in windows.validation()])
    assert torch.equal(futures, windows.packed.y[70:, 0].unfold(0, 2, 1))
