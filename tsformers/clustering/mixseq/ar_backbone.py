"""The backbone "ar" of MixSeq: the choice of the order, the fit of a mixture of autoregressions, and its evidence."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsformers.clustering.mixseq.ar_mixture import ARMixture, feature_labels, lag_moments
from tsformers.clustering.mixseq.e_step import posterior
from tsformers.clustering.mixseq.evidence import Evidence, History, one_hot
from tsformers.clustering.mixseq.expectation_maximisation import fit_ar_mixture, initial_shares
from tsformers.clustering.scaled_series import ScaledSeries, require_series
from tsformers.errors import TrainingInterrupted
from tsformers.progress import progress

HIGHEST_ORDER = 8  # that is tried
MOST_COMPARED = 5000  # series on which orders are compared
COMPARED = 20  # iterations of each while orders are compared


@dataclass(frozen=True)
class Plan:
    """How a mixture of autoregressions is to be fitted; see ``MixSeq``."""

    order: int | None
    own_variance: bool
    n_init: int
    max_iter: int
    verbose: bool | None


def learn(
    scaled: ScaledSeries, weight: np.ndarray, n_clusters: int, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Any], History]:
    """Fit the mixture.

    Args:
        scaled: N series.
        weight: how much each counts, 1 on average.
        n_clusters: K.
        plan: settings of the fit.
        rng: of all draws.

    Returns:
        The parameters by name, and the history of the restart that led to them.

    Raises:
        DataError: fewer series than clusters.
    """
    order = plan.order or choose_order(scaled, weight, n_clusters, rng, plan.own_variance)
    moments = lag_moments(scaled, order)
    usable = moments.steps > 0
    require_series(usable, n_clusters, f"{order + 1} values in a row")
    moments, weight = moments.select(usable), weight[usable]
    found = None
    with progress(plan.n_init, plan.verbose, unit="restart") as bar:
        restarts = _counted(initial_shares(moments, weight, n_clusters, plan.n_init, rng), bar)
        try:
            for found in fit_ar_mixture(moments, weight, restarts, plan.max_iter, plan.own_variance):
                bar.set_postfix(elbo=f"{found[1]:.4g}")
        except KeyboardInterrupt:
            if found is None:
                raise
            warnings.warn("the fit was interrupted; the best mixture so far is kept", TrainingInterrupted, stacklevel=4)
    assert found is not None
    return found[0]._asdict(), found[2]


def evaluate(parameters: dict[str, Any], scaled: ScaledSeries, order: int | None = None) -> Evidence:
    """Evidence of a mixture on series.

    Args:
        parameters: of an ``ARMixture``.
        scaled: N series.
        order: values before the first that is scored; None: as many as the mixture has lags.

    Returns:
        Densities of the values that follow, and exact posteriors.

    Example:
        >>> y = np.random.default_rng(0).normal(size=(20, 40))
        >>> y[10:] = y[10:].cumsum(axis=1)
        >>> scaled = ScaledSeries(y.ravel(), np.arange(20) * 40, np.arange(1, 21) * 40, np.zeros(20, dtype=bool))
        >>> plan = Plan(order=1, own_variance=True, n_init=1, max_iter=50, verbose=False)
        >>> parameters, _ = learn(scaled, np.ones(20), 2, plan, np.random.default_rng(0))
        >>> labels = evaluate(parameters, scaled).q.argmax(1)
        >>> len({*labels[:10].tolist()}), len({*labels[10:].tolist()}), bool(labels[0] != labels[10])
        (1, 1, True)
    """
    mixture = ARMixture(**parameters)
    needed = mixture.coefficients.shape[1]
    moments = lag_moments(scaled, max(order or 0, needed), mixture.centre).lower(needed)
    log_densities = mixture.log_densities(moments)
    return Evidence(log_densities, posterior(log_densities, mixture.weights)[0], mixture.weights, moments.steps)


def permuted(parameters: dict[str, Any], clusters: np.ndarray) -> dict[str, Any]:
    """The same mixture with its clusters in another order."""
    return ARMixture(**parameters).select(clusters)._asdict()


def choose_order(
    scaled: ScaledSeries, weight: np.ndarray, n_clusters: int, rng: np.random.Generator, own_variance: bool
) -> int:
    """The order with the least BIC, of mixtures fitted to the same steps of up to 5000 series.

    Args:
        scaled: N series.
        weight: how much each counts.
        n_clusters: K.
        rng: chooses the series, and seeds k-means.
        own_variance: as in ``fit_ar_mixture``.

    Returns:
        p.

    Source: Schwarz (1978).
    """
    some = np.sort(rng.permutation(len(weight))[:MOST_COMPARED])
    scaled, weight = scaled.select(some), weight[some]
    full = lag_moments(scaled, highest_order(scaled))
    usable = full.steps > 0
    full, weight = full.select(usable), weight[usable]
    if n_clusters > len(weight):
        return 1
    total, found = float(weight @ full.steps), []
    for order in range(1, full.sums.shape[1] - 1):
        moments = full.lower(order)
        start = one_hot(feature_labels(moments, weight, n_clusters, rng), n_clusters)
        *_, (_, evidence, _) = fit_ar_mixture(moments, weight, iter([start]), COMPARED, own_variance)
        found.append(-2 * evidence + n_clusters * (order + 3) * np.log(total) / total)
    return 1 + int(np.argmin(found))


def highest_order(scaled: ScaledSeries) -> int:
    """The longest lag worth trying: 8 at most, a quarter of the median series, and nine series in ten are long enough.

    Args:
        scaled: N series.

    Returns:
        1 or more.

    Example:
        >>> rows = np.arange(0, 120, 20)
        >>> highest_order(ScaledSeries(np.zeros(120), rows, rows + 20, np.zeros(6, dtype=bool)))
        5
    """
    some = scaled.select(np.arange(0, len(scaled.starts), 1 + len(scaled.starts) // MOST_COMPARED))
    order = int(np.clip(np.median(some.stops - some.starts) // 4, 1, HIGHEST_ORDER))
    while order > 1 and np.mean(lag_moments(some, order).steps > order) < 0.9:
        order -= 1
    return order


def _counted(restarts: Iterator[np.ndarray], bar: Any) -> Iterator[np.ndarray]:
    """The restarts, each counted on a progress bar when it is finished."""
    for shares in restarts:
        yield shares
        bar.update()
