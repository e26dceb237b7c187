"""Early stopping: patience, and the weights that are kept."""

import math

import torch
from torch import nn

from tsformers.training.early_stopping import BestWeights


def test_patience_counts_checks_since_the_best_and_a_better_one_starts_it_anew():
    best = BestWeights(nn.Linear(1, 1), patience=2)
    assert [best.out_of_patience(loss) for loss in (5.0, 6.0, 4.0, 4.0, 7.0)] == [False, False, False, False, True]
    endless = BestWeights(nn.Linear(1, 1), patience=None)
    assert not any(endless.out_of_patience(float(loss)) for loss in range(100))


def test_the_weights_of_the_best_check_are_copies():
    network = nn.Linear(1, 1, bias=False)
    best = BestWeights(network, None)
    for value, loss in ((1.0, 2.0), (2.0, 1.0), (3.0, 5.0)):
        torch.nn.init.constant_(network.weight, value)
        best.out_of_patience(loss)
    best.restore()
    assert network.weight.item() == 2.0 and not network.training


def test_what_is_kept_is_reported():
    best = BestWeights(nn.Linear(1, 1), 1)
    assert not best.out_of_patience(math.nan) and best.weights is None
    assert "nothing" in best.kept(0) and "none were validated" in best.kept(3)
    best.out_of_patience(1.0)
    assert best.kept(3) == "the best weights so far are kept"
