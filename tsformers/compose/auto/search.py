"""The search of Auto: candidates one after another while there is time, then weights, then fits to all data."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tsformers.compose.auto.budget import Budget, now
from tsformers.compose.auto.candidates import MANDATORY, NAIVE, ZERO_SHOT, Candidate, are_counts
from tsformers.compose.auto.fitting import fitted_copy, is_per_series
from tsformers.compose.auto.judgement import Judgement, leaderboard
from tsformers.compose.auto.trials import Trial, tried
from tsformers.compose.auto.windows import HeldOutWindows
from tsformers.data.panel import Panel
from tsformers.distributions.recalibration import LevelMap
from tsformers.errors import DataWarning
from tsformers.training.time_limit import OutOfTime, limited

STOPPED = "skipped: interrupted before it was tried"
PATIENCE = 1.0  # seconds that a fit to all data may take after Ctrl-C
LATE = 0.03  # share of the limit by which a fit to all data may end late
AT_ONCE = 0.2  # seconds of a fit to all data that is done however late it is
UNJUDGED = "not validated: no series is long enough"


@dataclass(eq=False)
class Search:
    """The trials of one panel, and the members fitted so far; a warm start resumes them.

    Args:
        panel: all data.
        held: the held-out windows; None: no series is long enough.
        budget: the time.
        of: what ``fingerprint`` gives of data and settings.
        trials: in the order of the candidates.
        members: fitted to all data, by name.
        refits: seconds of these fits.
        warnings: of these fits, by name.
        interrupted: by Ctrl-C.
    """

    panel: Panel
    held: HeldOutWindows | None
    budget: Budget
    of: str
    trials: list[Trial] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    refits: dict[str, float] = field(default_factory=dict)
    warnings: dict[str, list[Warning]] = field(default_factory=dict)
    interrupted: bool = False

    def validate(self, entries: Sequence[tuple[str, Candidate]], bar: Any) -> None:
        """Try each candidate that has not been validated before.

        Args:
            entries: names in the list of candidates, and the candidates.
            bar: of progress.
        """
        before = {trial.entry: trial for trial in self.trials if trial.validated}
        self.trials = []
        for entry, candidate in entries:
            trial = before.get(entry)
            if trial is None:
                trial = self._tried(entry, candidate)
            self.trials.append(trial)
            bar.update()
            bar.set_postfix(model=trial.name)

    def _tried(self, entry: str, candidate: Candidate) -> Trial:
        if self.held is None:
            return Trial(entry, candidate, UNJUDGED)
        if self.interrupted:
            return Trial(entry, candidate, STOPPED)
        reserved = np.inf if entry in MANDATORY else self._reserved()
        try:
            trial = tried(entry, candidate, self.held, self.panel, self.budget, reserved)
        except KeyboardInterrupt:
            self.interrupted = True
            return Trial(entry, candidate, STOPPED)
        if trial.values is not None and are_counts(self.panel):
            trial.values = trial.values.clip(min=0)
        return trial

    def _reserved(self) -> float:
        """Seconds that the fits of the members chosen so far will take."""
        if not self.budget.limited:
            return 0.0
        valid = self.valid
        weights = self.weights(valid)
        return sum(trial.refit for trial in valid if weights.get(trial.name) and trial.name not in self.members)

    @property
    def valid(self) -> list[Trial]:
        """The validated candidates."""
        return [trial for trial in self.trials if trial.validated]

    @property
    def judgement(self) -> Judgement | None:
        """Scores relative to the seasonal naive forecaster; None where it was not validated."""
        for trial in self.trials:
            if trial.entry == NAIVE and trial.values is not None and self.held is not None:
                return Judgement(self.held, trial.values)
        return None

    def weights(self, trials: Sequence[Trial]) -> dict[str, float]:
        """Weights of candidates by name, those above 0.

        Args:
            trials: validated ones.

        Returns:
            Weights that sum to one; where nothing could be validated, that of the zero-shot or the naive model.
        """
        judgement = self.judgement
        if judgement is None or not trials:
            names = [trial.name for trial in self.trials]
            return {ZERO_SHOT if ZERO_SHOT in names else NAIVE: 1.0}
        found = judgement.weights(trials)
        return {trial.name: float(weight) for trial, weight in zip(trials, found, strict=True) if weight > 0}

    def refit(self) -> dict[str, float]:
        """Fit the members to all data; one that fails or has no time left is left out, and the others weighed anew.

        Returns:
            Weights by name.
        """
        while True:
            weights = self.weights(self.valid)
            missing = [trial for trial in self.trials if trial.name in weights and trial.name not in self.members]
            if not missing:
                return weights
            for trial in missing:
                reason = self._refitted(trial)
                if reason:
                    trial.status, trial.values = reason, None
                    if trial.entry == NAIVE:
                        raise RuntimeError(f"{NAIVE} {reason}")
                    break

    def _refitted(self, trial: Trial) -> str:
        """Why a candidate is not fitted to all data; "" where it is."""
        free = trial.entry in MANDATORY or not (self.budget.limited or self.interrupted)
        patience = PATIENCE if self.interrupted else max(self.budget.left + LATE * self.budget.limit, AT_ONCE)
        if not free and trial.refit > patience:
            return f"dropped: its fit to all data would take about {trial.refit:.0f} s"
        began = now()
        try:
            with limited(np.inf if free else max(self.budget.left, 0.0)):
                member, caught = fitted_copy(trial.candidate.model, self.panel)
        except OutOfTime:
            return f"dropped: its fit to all data was stopped after {now() - began:.0f} s"
        except KeyboardInterrupt:
            if trial.entry in MANDATORY:
                raise
            self.interrupted = True
            return "dropped: its fit to all data was interrupted"
        except Exception as error:  # a member that fails does not sink the others
            return f"failed on all data: {error or type(error).__name__}"
        self.members[trial.name], self.warnings[trial.name] = member, caught
        self.refits[trial.name] = now() - began
        return ""

    def fallback(self) -> Any:
        """A model for series that no member can forecast: the zero-shot one, else the seasonal naive one.

        Returns:
            Fitted to all data.
        """
        entries = {trial.entry: trial for trial in self.trials}
        for entry in (ZERO_SHOT, NAIVE):
            trial = entries.get(entry)
            if trial is not None and (trial.name in self.members or not self._refitted(trial)):
                return self.members[trial.name]
        raise RuntimeError(f"{NAIVE} cannot be fitted to these data")

    def heard(self, names: Iterable[str]) -> list[Warning]:
        """What the members warned of in their fits to all data, each text once; not the series that a network drops.

        Args:
            names: of members.

        Returns:
            Warnings.
        """
        found: dict[str, Warning] = {}
        for name in names:
            for each in self.warnings.get(name, ()):
                if is_per_series(self.members[name]) or isinstance(each, DataWarning):
                    found.setdefault(str(each), each)
        return [*found.values()]

    def answer(self, weights: dict[str, float]) -> tuple[LevelMap | None, Any]:
        """The conformal step of the weighted mean, and the leaderboard.

        Args:
            weights: of the members by name.

        Returns:
            The map of levels, None where there is none; and the frame.
        """
        judgement, values, levels = self.judgement, None, None
        if judgement is not None:
            valid = self.valid
            mixed = judgement.mixed(valid, np.array([weights.get(trial.name, 0.0) for trial in valid]))
            levels = judgement.recalibration(mixed)
            values = judgement.recalibrated(mixed, levels)
        return levels, leaderboard(self.trials, weights, self.refits, judgement, values)


def fingerprint(panel: Panel, *settings: Any) -> str:
    """A hash of data and settings, by which a warm start knows that they are the same.

    Args:
        panel: the data.
        *settings: with a repr that says what they are.

    Returns:
        Hexadecimal digits.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.Series([1.0, 2.0]))
        >>> fingerprint(panel, 1) == fingerprint(panel, 1), fingerprint(panel, 1) == fingerprint(panel, 2)
        (True, False)
    """
    digest = hashlib.sha256(repr((settings, [*panel.ids], [*panel.schema.known], panel.freq)).encode())
    for array in (panel.offsets, panel.ends, panel.times, panel.y, panel.past, panel.known):
        digest.update(array.tobytes())
    digest.update(panel.static.to_csv().encode())
    return digest.hexdigest()
