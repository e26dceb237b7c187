"""How candidates and their weighted mean do on the held-out windows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.compose.auto.trials import Trial
from tsformers.compose.auto.weights import Scored, greedy_weights, losses_of, scores_of
from tsformers.compose.auto.windows import HeldOutWindows
from tsformers.distributions.recalibration import LevelMap, level_map, pit_values, remapped
from tsformers.nn.heads.quantile import LEVELS
from tsformers.scoring.averages import ratio

DECILES = np.flatnonzero(np.isin(LEVELS, [round(0.1 * k, 1) for k in range(1, 10)]))
ENDS = {"coverage_80": (0.1, 0.9), "coverage_95": (0.025, 0.975)}
PRIOR_SHARE = 0.5  # of trained Blends in the answer, beside the chosen weights
FAR = 1.25  # times the best score: a Blend that does worse has no such share
METRICS = ("score", "wql", "scaled_crps", "mase", *ENDS)


class Judgement:
    """Scores on the held-out windows, relative to the seasonal naive forecaster.

    Args:
        held: the windows.
        reference: (W, m, 23, H) quantiles of the seasonal naive forecaster, which also stand in where a candidate has
            none.
    """

    def __init__(self, held: HeldOutWindows, reference: np.ndarray) -> None:
        self.held, self.reference = held, reference
        self.observed = np.isfinite(held.truth)
        self.scored = _scored(held, self.observed)
        self.losses = losses_of(self.cells(reference)[None], self.scored)[0]

    def cells(self, values: np.ndarray) -> np.ndarray:
        """The quantiles of the observed cells.

        Args:
            values: (W, m, 23, H).

        Returns:
            (C, 23).
        """
        return np.ascontiguousarray(np.moveaxis(self.filled(values), 2, 3)[self.observed])

    def filled(self, values: np.ndarray) -> np.ndarray:
        """The quantiles, with those of the seasonal naive forecaster where there are none.

        Args:
            values: (W, m, 23, H).

        Returns:
            The same shape.
        """
        return np.where(np.isfinite(values), values, self.reference)

    def weights(self, trials: Sequence[Trial]) -> np.ndarray:
        """Weights of candidates; never worse than the seasonal naive forecaster, if it is among them.

        Half of the weight goes to trained Blends, see ``with_prior``.

        Args:
            trials: K validated candidates.

        Returns:
            (K,) summing to one.
        """
        candidates = np.stack([self.cells(values_of(trial)) for trial in trials])
        found = greedy_weights(candidates, self.scored, self.losses, max(self.held.n_scored, 1))
        alone = scores_of(losses_of(candidates, self.scored), self.losses)
        found = with_prior(found, alone, np.array([is_trained_blend(trial.candidate.model) for trial in trials]))
        mixed = scores_of(losses_of(np.tensordot(found, candidates, axes=1)[None], self.scored), self.losses)[0]
        if mixed > 1.0:
            return np.eye(len(trials))[int(alone.argmin())]
        return found

    def score(self, values: np.ndarray) -> float:
        """The geometric mean of weighted quantile loss and scaled CRPS relative to the seasonal naive forecaster.

        Args:
            values: (W, m, 23, H).

        Returns:
            Below 1 where it is better.
        """
        return float(scores_of(losses_of(self.cells(values)[None], self.scored), self.losses)[0])

    def mixed(self, trials: Sequence[Trial], weights: np.ndarray) -> np.ndarray:
        """The weighted mean of the candidates' quantiles.

        Args:
            trials: K validated candidates.
            weights: (K,).

        Returns:
            (W, m, 23, H).
        """
        total = np.zeros_like(self.reference)
        for trial, weight in zip(trials, weights, strict=True):
            if weight:
                total += weight * self.filled(values_of(trial))
        return total

    def recalibration(self, values: np.ndarray) -> LevelMap | None:
        """The pooled conformal step of quantiles; None where it would make them worse than the seasonal naive ones.

        Args:
            values: (W, m, 23, H).

        Returns:
            The map of levels.
        """
        found = level_map(self._pit(values), np.array(LEVELS))
        after = self.score(self.recalibrated(values, found))
        return found if np.isfinite(after) and after <= max(1.0, self.score(values)) else None

    def recalibrated(self, values: np.ndarray, levels: LevelMap | None) -> np.ndarray:
        """Quantiles read at the levels of a map.

        Args:
            values: (W, m, 23, H).
            levels: the map; None: as they are.

        Returns:
            The same shape.
        """
        if levels is None:
            return values
        flat = values.reshape(-1, *values.shape[2:])
        return remapped(flat, np.array(LEVELS), levels).reshape(values.shape)

    def _pit(self, values: np.ndarray) -> np.ndarray:
        flat = values.reshape(-1, *values.shape[2:])
        return pit_values(self.held.truth.reshape(len(flat), -1), flat, np.array(LEVELS))

    def metrics(self, values: np.ndarray) -> dict[str, float]:
        """A row of the leaderboard.

        Args:
            values: (W, m, 23, H).

        Returns:
            Numbers by ``METRICS``: the weighted quantile loss and the scaled CRPS are of the nine deciles.
        """
        quantiles, y = self.cells(values), self.scored.y
        nine = Scored(y, self.scored.by_size, self.scored.by_scale, np.array(LEVELS)[DECILES])
        wql, scaled = losses_of(np.ascontiguousarray(quantiles[:, DECILES])[None], nine)[0]
        median = quantiles[:, LEVELS.index(0.5)]
        found = {"score": self.score(values), "wql": float(wql), "scaled_crps": float(scaled)}
        found["mase"] = float((np.abs(y - median) * self.scored.by_scale).sum())
        for name, (low, high) in ENDS.items():
            inside = (quantiles[:, LEVELS.index(low)] <= y) & (y <= quantiles[:, LEVELS.index(high)])
            found[name] = float(inside.mean()) if len(y) else np.nan
        return found


def is_trained_blend(model: Any) -> bool:
    """Whether a candidate is a Blend that is trained on the panel.

    Example:
        >>> from tsformers import Blend, Theta
        >>> [is_trained_blend(model) for model in (Blend(horizon=3), Blend(horizon=3, max_steps=0), Theta(horizon=3))]
        [True, False, False]
    """
    return type(model).__name__ == "Blend" and model.max_steps > 0


def with_prior(weights: np.ndarray, scores: np.ndarray, favoured: np.ndarray) -> np.ndarray:
    """Weights of which one half goes to favoured candidates in equal parts, but for those that do much worse.

    The choice among candidates that differ little on a few windows is noise. On the development panels the mean of
    chosen weights and of trained Blends was better than either.

    Args:
        weights: (K,) summing to one.
        scores: (K,) of each candidate, the lower the better.
        favoured: (K,) bool.

    Returns:
        (K,) summing to one.

    Example:
        >>> with_prior(np.array([1.0, 0.0]), np.array([0.8, 0.9]), np.array([False, True]))
        array([0.5, 0.5])
        >>> with_prior(np.array([1.0, 0.0]), np.array([0.8, 1.2]), np.array([False, True]))
        array([1., 0.])
    """
    near = favoured & (scores <= FAR * scores.min())
    return (1 - PRIOR_SHARE) * weights + PRIOR_SHARE * near / near.sum() if near.any() else weights


def values_of(trial: Trial) -> np.ndarray:
    """The forecasts of a validated candidate.

    Args:
        trial: a validated one.

    Returns:
        (W, m, 23, H).

    Example:
        >>> from tsformers.compose.auto.candidates import Candidate
        >>> values_of(Trial("a", Candidate("a", None), values=np.ones((1, 1, 23, 1)))).shape
        (1, 1, 23, 1)
    """
    assert trial.values is not None, "a candidate without forecasts of the windows has no weight"
    return trial.values


def _scored(held: HeldOutWindows, observed: np.ndarray) -> Scored:
    """What each observed cell counts in the two losses."""
    y = held.truth[observed]
    steps = observed.sum(axis=2)  # (W, m)
    known = np.isfinite(held.scale)
    n_windows = max(int(((steps > 0) & known).sum()), 1)
    share = ratio(np.ones(steps.shape), steps * n_windows * np.where(known, held.scale, np.inf))
    by_scale = np.broadcast_to(np.nan_to_num(share)[..., None], held.truth.shape)[observed]
    size = float(np.abs(y).sum())
    return Scored(y, np.full(len(y), 1 / size if size > 0 else 1.0), np.ascontiguousarray(by_scale), np.array(LEVELS))


def leaderboard(
    trials: Sequence[Trial],
    weights: dict[str, float],
    refits: dict[str, float],
    judgement: Judgement | None,
    answer: np.ndarray | None,
) -> pd.DataFrame:
    """One row a candidate, the answer first and the average with equal weights as a control.

    Args:
        trials: all candidates.
        weights: of the members by name.
        refits: seconds of the fits to all data by name.
        judgement: None where nothing was validated.
        answer: (W, m, 23, H) quantiles of the answer.

    Returns:
        Columns model, score, wql, scaled_crps, mase, coverage_80, coverage_95, weight, validation, refit, status.
    """
    empty = dict.fromkeys(METRICS, np.nan)
    rows = []
    if judgement is not None and answer is not None:
        valid = [trial for trial in trials if trial.validated]
        equal = judgement.mixed(valid, np.full(len(valid), 1 / len(valid)))
        rows.append({"model": "Auto", **judgement.metrics(answer), "weight": 1.0, "status": "the answer"})
        rows.append({"model": "equal weights", **judgement.metrics(equal), "weight": 0.0, "status": "control"})
    for trial in trials:
        found = judgement.metrics(trial.values) if judgement is not None and trial.values is not None else empty
        times = {"validation": trial.validation, "refit": refits.get(trial.name, np.nan)}
        weight = weights.get(trial.name, 0.0)
        rows.append({"model": trial.name, **found, "weight": weight, **times, "status": trial.status})
    columns = ["model", *METRICS, "weight", "validation", "refit", "status"]
    return pd.DataFrame(rows, columns=columns)
