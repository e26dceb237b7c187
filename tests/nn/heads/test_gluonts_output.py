"""Objects with the interface of GluonTS as heads."""

import importlib.util
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.distributions import AffineTransform, Beta, Gamma, Normal, Poisson, TransformedDistribution

import tsformers as tsf
from tsformers import DataError
from tsformers.catalog import GLUONTS_OUTPUTS
from tsformers.nn.heads.make import make_head
from tsformers.nn.heads.output_support import behaviour


class Projected(nn.Module):
    def __init__(self, width, n):
        super().__init__()
        self.linear = nn.Linear(width, n)

    def forward(self, features):
        return self.linear(features).unbind(-1)


class PoissonOutput:
    """The smallest object with GluonTS's interface; the support is checked."""

    args_dim = {"rate": 1}  # noqa: RUF012

    def get_args_proj(self, in_features):
        return Projected(in_features, 1)

    def distribution(self, distr_args, loc=None, scale=None):
        return Poisson(nn.functional.softplus(distr_args[0]) * scale, validate_args=True)


class GammaOutput(PoissonOutput):
    def get_args_proj(self, in_features):
        return Projected(in_features, 2)

    def distribution(self, distr_args, loc=None, scale=None):
        shape, rate = (nn.functional.softplus(part) for part in distr_args)
        return Gamma(shape, rate / scale, validate_args=True)


def test_an_object_with_the_interface_of_gluonts_serves_as_a_head(fitted):
    scale = torch.full((1, 1, 1), 5.0)
    y = Poisson(torch.tensor(15.0)).sample((1000,)) / 5
    predicted = fitted(make_head(PoissonOutput(), 4, 1), y, scale=scale)
    assert predicted.mean.item() * 5 == pytest.approx(15, rel=0.02)
    y = Gamma(3.0, 2.0).sample((1000,))
    assert fitted(make_head(GammaOutput(), 4, 1), y).mean.item() == pytest.approx(1.5, rel=0.05)


def test_such_an_object_has_features_of_its_own_for_each_channel():
    predicted = make_head(PoissonOutput(), 4, 3)(torch.randn(2, 5, 4), None, torch.ones(2, 1, 3))
    assert predicted.sample((7,)).shape == (7, 2, 5, 3)
    assert predicted.mean[0, 0].unique().numel() == 3


def test_distributions_of_vectors_are_refused():
    class Vector(PoissonOutput):
        def distribution(self, distr_args, loc=None, scale=None):
            return torch.distributions.Independent(Normal(distr_args[0], 1.0), 1)

    with pytest.raises(ValueError, match="single values"):
        make_head(Vector(), 4, 1)(torch.zeros(2, 5, 4))


class AffineGamma(GammaOutput):
    """As GluonTS makes it: an affine transform of a distribution in its own units, which moves its bounds."""

    family = Gamma

    def distribution(self, distr_args, loc=None, scale=None):
        base = self.family(*(nn.functional.softplus(part) for part in distr_args))
        if loc is None and scale is None:
            return base
        return TransformedDistribution(base, [AffineTransform(0.0 if loc is None else loc, scale)])


class AffineBeta(AffineGamma):
    family = Beta


def test_a_half_line_is_scaled_but_not_moved_and_an_interval_neither(fitted):
    at = {"location": torch.full((1, 1, 1), -3.0), "scale": torch.full((1, 1, 1), 5.0)}
    drawn = fitted(make_head(AffineGamma(), 4, 1), Gamma(3.0, 2.0).sample((1000,)) / 5, **at).sample((9999,)) * 5
    assert drawn.min() >= 0
    assert drawn.mean().item() == pytest.approx(1.5, rel=0.1)
    drawn = fitted(make_head(AffineBeta(), 4, 1), Beta(2.0, 6.0).sample((1000,)) / 5, **at).sample((9999,)) * 5
    assert drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.mean().item() == pytest.approx(0.25, rel=0.1)


def test_an_output_that_ignores_scale_is_in_units_of_the_window():
    class Plain(PoissonOutput):
        def distribution(self, distr_args, loc=None, scale=None):
            return Normal(distr_args[0] * 0, 1.0)

    predicted = make_head(Plain(), 4, 1)(torch.zeros(2, 3, 4), torch.full((2, 3, 1), 7.0), torch.full((2, 1, 1), 100.0))
    assert predicted.mean.tolist() == torch.full((2, 3, 1), 7.0).tolist()
    assert predicted.sample((2000,)).std().item() == pytest.approx(1, rel=0.05)


def test_a_trial_leaves_the_random_state_as_it_was():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    behaviour(GammaOutput())
    assert torch.equal(torch.rand(3), expected)


BINS = {"bins_lower_bound": -3.0, "bins_upper_bound": 3.0, "num_bins": 20}
OUTPUTS = {  # arguments, the least and the greatest value in the caller's units
    "NormalOutput": ({"beta": 0.5}, -np.inf, np.inf),
    "LaplaceOutput": ({}, -np.inf, np.inf),
    "StudentTOutput": ({}, -np.inf, np.inf),
    "GammaOutput": ({}, 0, np.inf),
    "BetaOutput": ({}, 0, 1),
    "PoissonOutput": ({}, 0, np.inf),
    "NegativeBinomialOutput": ({}, 0, np.inf),
    "TruncatedNormalOutput": ({"min": 0.0, "max": 2.0}, 0, 2),
    "GeneralizedParetoOutput": ({}, 0, np.inf),
    "BinnedUniformsOutput": (BINS, -np.inf, np.inf),
    "SplicedBinnedParetoOutput": (BINS | {"tail_percentile_gen_pareto": 0.05}, -np.inf, np.inf),
    "PiecewiseLinearOutput": ({"num_pieces": 4}, -np.inf, np.inf),
    "ISQFOutput": ({"num_pieces": 3, "qk_x": [0.1, 0.5, 0.9]}, -np.inf, np.inf),
    "ImplicitQuantileNetworkOutput": ({"output_domain": "positive"}, 0, np.inf),
}
BROKEN = ("TruncatedNormalOutput", "GeneralizedParetoOutput", "BinnedUniformsOutput")  # GluonTS 0.17 cannot make them


def made_by_gluonts(name):
    if any(importlib.util.find_spec(package) is None for package in ("gluonts", "lightning")):
        pytest.skip("gluonts.torch needs lightning: pip install 'tsformers[gluonts]' lightning")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gluonts.torch.distributions as theirs

    try:
        return getattr(theirs, name)(**OUTPUTS[name][0])
    except ValueError as error:
        assert name in BROKEN
        pytest.skip(f"GluonTS cannot make it: {str(error).splitlines()[0]}")


def test_the_catalog_names_the_outputs_that_are_tested():
    assert {*OUTPUTS} == {*GLUONTS_OUTPUTS}


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_of_gluonts_serves_as_a_head_and_keeps_its_support(name):
    output, (_, low, high) = made_by_gluonts(name), OUTPUTS[name]
    head = make_head(output, 4, 2)
    predicted = head(torch.randn(3, 5, 4), torch.full((3, 5, 2), -2.0), torch.full((3, 1, 2), 4.0))
    drawn = predicted.sample((50,))
    assert drawn.shape == (50, 3, 5, 2) and len(drawn.unique()) > 5
    assert low <= drawn.min() * 4 and drawn.max() * 4 <= high
    values = torch.full((3, 5, 2), 0.75 / 4 if high == 1 else 0.25)  # 0.75, or 1
    loss = -predicted.log_prob(values)
    assert loss.shape == (3, 5, 2) and loss.isfinite().all()
    loss.mean().backward()
    assert any(part.grad is not None and part.grad.any() for part in head.parameters())


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_of_gluonts_is_saved_with_its_model(name, tmp_path):
    output, (_, low, high) = made_by_gluonts(name), OUTPUTS[name]
    y = np.random.default_rng(0).integers(1, 9, 60).astype(float) / (10 if high == 1 else 1)
    frame = pd.DataFrame({"ds": pd.date_range("2024", periods=60), "y": y, "unique_id": "a"})
    model = tsf.Linear(horizon=3, likelihood=output, scaler="mean_abs", max_steps=5).fit(frame)
    model.save(tmp_path / "m")
    values = model.predict(n_samples=20, seed=0).values
    np.testing.assert_array_equal(tsf.load(tmp_path / "m").predict(n_samples=20, seed=0).values, values)
    assert low <= values.min() and values.max() <= high + 1e-6


def test_an_output_of_ones_own_is_refused_by_name_at_save(tmp_path):
    frame = pd.DataFrame({"ds": pd.date_range("2024", periods=40), "y": 1.0 + np.arange(40) % 3, "unique_id": "a"})
    model = tsf.Linear(horizon=3, likelihood=AffineGamma(), scaler="mean_abs", max_steps=2).fit(frame)
    assert (model.predict(n_samples=50).values >= 0).all()
    with pytest.raises(TypeError, match=r"likelihood is a .*AffineGamma, .*outputs that are saved are GluonTS's Beta"):
        model.save(tmp_path / "m")


def test_values_and_scalers_that_leave_the_support_are_refused():
    frame = pd.DataFrame({"ds": pd.date_range("2024", periods=40), "y": np.arange(40) - 1.0, "unique_id": "a"})
    for output, needs in ((AffineGamma(), "numbers from 0 to inf, neither"), (AffineBeta(), "numbers from 0 to 1")):
        with pytest.raises(DataError, match=f"needs {needs}.*series 'a' has y = -1 at ds = 2024-01-01"):
            tsf.Linear(horizon=3, likelihood=output, scaler="mean_abs").fit(frame)
        with pytest.raises(ValueError, match="scaler='standard' would move its bounds"):
            tsf.Linear(horizon=3, likelihood=output, scaler="standard").fit(frame)
