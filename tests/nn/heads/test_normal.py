"""Normal and squared-error heads."""

import pytest
import torch

from tsformers.nn.heads.make import make_head


def test_the_normal_head_recovers_mean_and_deviation(fitted):
    y = 3 + 0.5 * torch.randn(1000)
    predicted = fitted(make_head("normal", 4, 1), y)
    assert predicted.mean.item() == pytest.approx(y.mean().item(), abs=0.01)
    assert predicted.stddev.item() == pytest.approx(y.std().item(), abs=0.01)


def test_squared_errors_fit_the_centre_and_residuals_the_deviation_alone(rng):
    torch.manual_seed(0)
    features, centre = torch.randn(64, 5, 4, requires_grad=True), torch.nn.Parameter(torch.randn(64, 5, 2))
    future = torch.from_numpy(rng.normal(size=(64, 5, 2))).float()
    head = make_head("squared_error", 4, 2)
    loss = -head(features, centre).log_prob(future)
    torch.testing.assert_close(loss, (future - centre).square())
    loss.mean().backward()
    torch.testing.assert_close(centre.grad, 2 * (centre.detach() - future) / future.numel())
    assert features.grad is None
    predicted = torch.distributions.Normal(centre.detach(), head(features, centre).scale)
    wanted = torch.autograd.grad(-predicted.log_prob(future).mean(), head.deviation.weight)[0]
    torch.testing.assert_close(head.deviation.weight.grad, wanted)
    assert bool((wanted != 0).any())


@pytest.mark.parametrize("n_samples", [1, 2, 7, 40])
def test_draws_around_a_centre_of_squared_errors_come_in_pairs(n_samples):
    torch.manual_seed(0)
    centre = torch.randn(3, 5, 2)
    draws = make_head("squared_error", 4, 2)(torch.randn(3, 5, 4), centre).sample((n_samples,))
    assert draws.shape == (n_samples, 3, 5, 2)
    if n_samples % 2 == 0:
        torch.testing.assert_close(draws.mean(0), centre, rtol=0, atol=1e-5)
    assert bool((draws != centre).all())
