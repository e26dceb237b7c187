"""The bound on the evidence, and where it touches it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from tsformers.clustering.mixseq.e_step import posterior
from tsformers.clustering.mixseq.evidence import elbo, kl


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_the_bound_is_below_the_evidence_and_touches_it_at_the_posterior(n_clusters, seed):
    rng = np.random.default_rng(seed)
    log_densities = rng.normal(0, 30, (7, n_clusters))
    prior, q = rng.dirichlet(np.ones(n_clusters)), rng.dirichlet(np.full(n_clusters, 0.3), 7)
    truth = np.array([logsumexp(row, b=prior) for row in log_densities])
    assert (elbo(log_densities, q, prior) <= truth + 1e-9).all()
    exact, evidence = posterior(log_densities, prior)
    np.testing.assert_allclose(evidence, truth, atol=1e-9)
    np.testing.assert_allclose(elbo(log_densities, exact, prior), truth, atol=1e-6)
    assert (kl(q, prior) >= -1e-12).all()
