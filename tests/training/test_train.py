"""Training on windows: what it restores, when it ends, and what it leaves alone."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import tsformers.training.train as training
from tsformers.data.windows import pack_rows
from tsformers.testing import make_plan
from tsformers.training.batches import Windows
from tsformers.training.randomness import seeded
from tsformers.training.train import best_restart, train

CPU = torch.device("cpu")


class Drift(nn.Linear):
    """A linear map of the context; ``at_step`` is called with the number of losses taken in training so far."""

    def __init__(self, context_length=4, horizon=2, at_step=None):
        super().__init__(context_length, horizon)
        self.at_step, self.taken = at_step, 0

    def loss(self, window):
        if self.training:
            self.taken += 1
            if self.at_step:
                self.at_step(self)
        error = (self(window.past[..., 0]) - window.future[..., 0]).square() * window.future_observed[..., 0]
        return error.mean(-1)


def packed(rows=80, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.sin(np.arange(rows) / 3) + 0.1 * rng.normal(size=rows)
    return pack_rows(np.where(rng.random(rows) < missing, np.nan, y)[:, None], [0, rows])


def trained(network=None, *, seed=0, data=None, **settings):
    plan = make_plan(**settings)
    with seeded(seed, CPU):
        network = network or Drift()
        history = train(network, data or packed(), plan, np.random.default_rng(seed)).history
    return network, history


def weights(network):
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def test_training_learns_and_writes_its_history():
    _, history = trained(max_steps=400, early_stopping_patience=None)
    assert list(history.columns) == ["step", "train_loss", "validation_loss", "seconds"]
    assert history["step"].tolist() == list(range(20, 401, 20))
    assert history["train_loss"].iloc[-1] < 0.5 * history["train_loss"].iloc[0]
    assert history["validation_loss"].min() < 0.5 * history["validation_loss"].iloc[0]
    assert history["seconds"].is_monotonic_increasing


def test_same_seed_same_weights_other_seed_other_weights():
    first, again, other = (weights(trained(seed=seed)[0]) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_random_state_and_threads_of_the_caller_are_left_alone():
    network = Drift()
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()
    trained(network)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])
    assert torch.get_num_threads() == before[2]


def test_the_best_weights_are_restored_and_a_run_without_improvement_ends_early():
    recorded = []

    def spoil(network):
        recorded.append(weights(network).clone())
        if network.taken == 21:  # after the check at step 20
            with torch.no_grad():
                network.weight.mul_(50)

    network, history = trained(
        Drift(at_step=spoil), max_steps=200, schedule="constant", learning_rate=1e-4, early_stopping_patience=3
    )
    best = history["validation_loss"].idxmin()
    assert history["step"].tolist() == [10, 20, 30, 40, 50]
    assert history["step"][best] == 20
    assert torch.equal(weights(network), recorded[20])  # before step 21


def test_without_patience_a_run_goes_to_its_last_step_and_the_best_weights_are_restored_all_the_same():
    def worsen(network):
        if network.taken > 20:
            with torch.no_grad():
                network.weight.mul_(1.5)

    network, history = trained(
        Drift(at_step=worsen), max_steps=40, schedule="constant", gradient_clip=1e9, early_stopping_patience=None
    )
    assert history["step"].iloc[-1] == 40
    assert weights(network).abs().max() < 10


def test_ctrl_c_keeps_the_best_weights_so_far():
    kept = []

    def press(network):
        if network.taken == 31:
            raise KeyboardInterrupt
        if network.taken % 3 == 1:  # checks come every third step
            kept.append(weights(network).clone())

    with pytest.warns(UserWarning, match="interrupted after step 30"):
        network, history = trained(Drift(at_step=press), early_stopping_patience=None)
    best = int(history["validation_loss"].idxmin())
    assert len(history) == 10
    assert torch.equal(weights(network), kept[best + 1] if best + 1 < len(kept) else weights(network))
    assert not network.training


def test_ctrl_c_before_the_first_check_keeps_the_weights_there_are():
    def press(_):
        raise KeyboardInterrupt

    network = Drift(at_step=press)
    before = weights(network)
    with pytest.warns(UserWarning, match="after step 0; the network has learned nothing yet"):
        _, history = trained(network)
    assert len(history) == 0
    assert torch.equal(before, weights(network))


@pytest.mark.parametrize(("windows", "words"), [(1, "best weights so far"), (0, "last weights are kept, none were")])
def test_ctrl_c_between_checks_validates_once_more_and_reports_what_is_kept(windows, words):
    recorded = []

    def press(network):
        recorded.append(weights(network))
        if network.taken == 6:
            raise KeyboardInterrupt

    network = Drift(at_step=press)
    with pytest.warns(UserWarning, match=f"interrupted after step 5; the {words}"):
        _, history = trained(network, max_steps=200, validation_windows=windows)
    assert history["step"].tolist() == [5]
    assert np.isfinite(history["train_loss"]).all()
    assert history["validation_loss"].isna().all() == (windows == 0)
    assert torch.equal(weights(network), recorded[5])


def test_ctrl_c_pressed_twice_ends_without_that_check(monkeypatch):
    def press(network):
        if network.taken == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "validation_loss", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.warns(UserWarning, match="after step 5; the last weights are kept, none were validated"):
        _, history = trained(Drift(at_step=press), max_steps=200)
    assert len(history) == 0


class Level(nn.Module):
    """A number fitted to 5, from a given initial value; ``pressed``: Ctrl-C at that loss in training."""

    def __init__(self, level, pressed=None):
        super().__init__()
        self.level, self.pressed, self.taken = nn.Parameter(torch.tensor(level)), pressed, 0

    def loss(self, window):
        self.taken += self.training
        if self.training and self.taken == self.pressed:
            raise KeyboardInterrupt
        return (self.level - window.future[:, 0, 0]).square()


def best_of(*networks, steps=20, windows=1):
    fives = pack_rows(np.full((30, 1), 5.0), [0, 30])
    plan = make_plan(2, 1, scaler=None, max_steps=steps, batch_size=64, learning_rate=1e-3, validation_windows=windows)
    restarts = ((network, [{"params": list(network.parameters())}]) for network in networks)
    return best_restart(restarts, len(networks), fives, plan, seed=0)


@pytest.mark.parametrize("windows", [0, 1])
def test_the_best_restart_is_that_of_the_lowest_loss_and_each_takes_all_steps(windows):
    networks = [Level(1.0), Level(4.0), Level(7.0)]
    best, history, interrupted = best_of(*networks, windows=windows)
    assert best is networks[1]
    assert history["step"].iloc[-1] == 20
    assert not interrupted
    assert [network.taken for network in networks] == [20, 20, 20]
    assert [network.level.item() != initial for network, initial in zip(networks, (1.0, 4.0, 7.0), strict=True)] == [
        True
    ] * 3


@pytest.mark.parametrize(("pressed", "chosen"), [((8, None), 0), ((None, 1), 0), ((None, 8), 1)])
def test_ctrl_c_while_restarts_are_compared_keeps_the_best_so_far_and_draws_no_more(pressed, chosen):
    networks = [Level(1.0, pressed[0]), Level(4.0, pressed[1]), Level(5.0)]
    with pytest.warns(UserWarning, match="training was interrupted"):
        best, history, interrupted = best_of(*networks)
    assert interrupted
    assert best is networks[chosen]
    assert history["step"].iloc[-1] == (pressed[chosen] or 21) - 1
    assert networks[2].taken == 0


def test_a_loss_that_is_not_finite_names_the_step_and_the_remedy():
    def explode(network):
        if network.taken == 7:
            with torch.no_grad():
                network.weight.fill_(math.inf)

    with pytest.raises(FloatingPointError, match=r"at step 7 .* lower learning_rate \(now 0\.05\)"):
        trained(Drift(at_step=explode))


def test_missing_values_are_masked():
    network, history = trained(data=packed(missing=0.3), max_steps=300)
    assert bool(torch.isfinite(weights(network)).all())
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]


def test_epochs_end_a_run_and_each_is_a_permutation():
    windows = Windows(packed(), make_plan(batch_size=16), np.random.default_rng(0))
    batches = windows.batches()
    for _ in range(2):
        starts = torch.cat([next(batches).past[:, 0, 0] for _ in range(windows.steps_per_epoch)])
        assert len(starts) == len(starts.unique()) == len(windows) == 73
    _, history = trained(batch_size=16, max_epochs=3)
    assert history["step"].iloc[-1] == 3 * windows.steps_per_epoch == 15


def test_without_validation_windows_the_last_weights_stay():
    _, history = trained(validation_windows=0)
    assert history["validation_loss"].isna().all()
    _, history = trained(data=packed(rows=7))
    assert history["validation_loss"].isna().all()
    assert history["step"].iloc[-1] == 60


def test_without_any_window_the_error_says_what_to_do():
    with pytest.raises(ValueError, match="set a smaller context_length"):
        trained(data=pack_rows(np.full((20, 1), np.nan), [0, 20]))


def test_with_halving_there_is_one_check_an_epoch():
    _, history = trained(batch_size=16, max_steps=10**6, max_epochs=4, schedule="halving")
    assert history["step"].tolist() == [5, 10, 15, 20]


def test_patience_counts_epochs_where_they_are_what_is_checked():
    network = Drift()
    _, history = trained(
        network, batch_size=16, max_epochs=9, schedule="halving", learning_rate=1e-12, early_stopping_patience=3
    )
    best = int(history["validation_loss"].argmin())
    assert len(history) == best + 4 < 9


def test_parameter_groups_may_learn_at_rates_of_their_own():
    network = Drift()
    before = network.weight.detach().clone(), network.bias.detach().clone()
    groups = [{"params": [network.weight]}, {"params": [network.bias], "lr": 0.0}]
    plan = make_plan(max_steps=5, batch_size=64, learning_rate=1e-3, validation_windows=0)
    train(network, packed(), plan, np.random.default_rng(0), groups)
    assert not torch.equal(before[0], network.weight)
    assert torch.equal(before[1], network.bias)


def test_nothing_is_printed_unless_asked_and_the_bar_goes_to_stderr(capfd):
    trained(max_steps=5)
    assert capfd.readouterr() == ("", "")
    trained(max_steps=5, verbose=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "5/5" in err
    trained(max_steps=5, verbose=False)
    assert capfd.readouterr() == ("", "")


def test_a_closed_form_fit_under_its_former_name_is_refused():
    class Former(Drift):
        def solve(self, windows, validation):
            raise AssertionError

    with pytest.raises(TypeError, match=r"Former\.solve is not called any more; rename it to fit_closed_form"):
        trained(Former(), max_steps=5)
