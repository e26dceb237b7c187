"""Parts that cannot be used are refused by name and place."""

import math

import pytest
import torch

from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("log_initial", lambda x: x[:, :1], r"log_initial has shape \(2, 1\).*\(B, K\).*K = 3"),
        ("log_initial", lambda x: x[0, 0], "log_initial has shape"),
        ("log_transition", lambda x: x[:, :4], r"log_transition has shape \(2, 4, 3, 3\).*T = 6"),
        ("log_transition", lambda x: x[..., :2], "log_transition has shape"),
        ("log_transition", lambda x: x[0, 0, 0], "log_transition has shape"),
        ("log_continue", lambda x: x[:, :, :2], r"log_continue has shape \(2, 6, 2, 4\).*\(B, T, K, D\)"),
        ("log_continue", lambda x: x[..., :0], "log_continue has shape"),
        ("log_emission", lambda x: x[0, 0], "log_emission has shape"),
        ("log_emission", lambda x: torch.cat([x, x[:1]]), r"log_continue has shape \(2, 6, 3, 4\).*B = 3"),
        ("log_emission", lambda x: x[:, :1], r"log_continue has shape \(2, 6, 3, 4\).*T = 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(draw, name, change, message):
    parts = draw(2, 6, 3, 4)
    with pytest.raises(ValueError, match=message):
        hsmm.forward_backward(**parts | {name: change(parts[name])})


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("log_emission", (1, 2, 0), math.nan, r"log_emission is nan at \(1, 2, 0\)"),
        ("log_emission", (1, 0, 0), INF, r"log_emission is inf at \(1, 0, 0\)"),
        ("log_initial", (0, 1), math.nan, r"log_initial is nan at \(0, 1\)"),
        ("log_transition", (1, 3, 0, 2), math.nan, r"log_transition is nan at \(1, 3, 0, 2\)"),
        ("log_continue", (0, 4, 1, 2), 0.25, r"log_continue is 0.25 at \(0, 4, 1, 2\).*at most 0"),
        ("log_continue", (0, 4, 1, 2), math.nan, "log_continue is nan"),
        ("log_initial", (1,), -INF, "log_initial of sample 1 is -inf for all regimes"),
    ],
)
def test_values_that_are_not_log_probabilities_are_refused_with_their_place(draw, name, place, value, message):
    parts = draw(2, 6, 3, 4)
    parts[name][place] = value
    for function in (hsmm.forward_backward, hsmm.log_likelihood, hsmm.viterbi, hsmm.sample):
        with pytest.raises(ValueError, match=message):
            function(**parts)


def test_transitions_and_durations_of_the_first_step_are_not_read(draw, wanting, path):
    parts = draw(2, 6, 3, 4)
    expected = hsmm.forward_backward(**parts)
    parts["log_transition"][:, 0] = math.nan
    parts["log_continue"][:, 0] = math.nan
    parts = wanting(parts)
    answer = hsmm.forward_backward(**parts)
    answer.log_likelihood.sum().backward()
    assert torch.equal(answer.regime_count, expected.regime_count)
    assert all(not parts[name].grad[:, 0].any() for name in ("log_transition", "log_continue"))


def test_other_misuse_is_refused(draw):
    parts = draw(2, 6, 3, 4)
    with pytest.raises(TypeError, match=r"torch\.float32, torch\.float64"):
        hsmm.forward_backward(**parts | {"log_initial": parts["log_initial"].float()})
    with pytest.raises(ValueError, match="n_samples is 0"):
        hsmm.sample(**parts, n_samples=0)
    with pytest.raises(ValueError, match="one duration must be possible"):
        hsmm.hazards(torch.full((3,), -INF))
    with pytest.raises(ValueError, match="one duration must be possible"):
        hsmm.hazards(torch.tensor([0.0, math.nan]))
    with pytest.raises(ValueError, match="positive"):
        hsmm.durations(torch.tensor([0.1, -1.0]))
