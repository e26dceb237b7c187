"""Torch has one thread in training and sampling, unless the user has chosen another number."""

import numpy as np
import pytest
import torch

import tsformers as tsf
from tsformers.forecasters.linear import LinearNetwork
from tsformers.testing import make_frame
from tsformers.training import threads
from tsformers.training.threads import VARIABLES, limited_threads, training_threads


@pytest.fixture
def unstated(monkeypatch):
    """A process with three threads that nobody has chosen."""
    before = torch.get_num_threads()
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(3)
    monkeypatch.setattr(threads, "THREADS_AT_IMPORT", 3)
    yield
    torch.set_num_threads(before)


def test_without_a_choice_a_block_has_one_thread_and_the_number_is_restored(unstated):
    with limited_threads():
        assert torch.get_num_threads() == 1
        with limited_threads():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_the_number_is_restored_after_an_error(unstated):
    with pytest.raises(KeyboardInterrupt), limited_threads():
        raise KeyboardInterrupt
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("name", VARIABLES)
def test_a_number_in_the_environment_is_kept(unstated, monkeypatch, name):
    monkeypatch.setenv(name, "3")
    assert training_threads() == 3


def test_a_number_set_in_torch_is_kept(unstated):
    torch.set_num_threads(2)
    with limited_threads():
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_fit_and_predict_of_a_network_run_on_one_thread(unstated, monkeypatch):
    found = []

    def noted(method):
        def call(*arguments):
            found.append(torch.get_num_threads())
            return method(*arguments)

        return call

    for name in ("loss", "sample"):
        monkeypatch.setattr(LinearNetwork, name, noted(getattr(LinearNetwork, name)))
    model = tsf.Linear(horizon=2, context_length=8, max_steps=3, seed=0, verbose=False).fit(make_frame(2, 40))
    model.predict()
    assert np.unique(found).tolist() == [1] and torch.get_num_threads() == 3
