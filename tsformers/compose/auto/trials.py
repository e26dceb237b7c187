"""The validation of one candidate on held-out windows, within the time that is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsformers.compose.auto.budget import MARGIN, Budget, now
from tsformers.compose.auto.candidates import Candidate, with_steps
from tsformers.compose.auto.fitting import fitted_copy, is_per_series, quantiles_of
from tsformers.compose.auto.windows import HeldOutWindows
from tsformers.data.panel import Panel
from tsformers.nn.heads.quantile import LEVELS
from tsformers.training.time_limit import OutOfTime, limited

DRAWS = 200
VALIDATED = "validated"
STEPS = (100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000)  # of a training that must be shorter than by default
SHARE = 0.7  # of the time left that one network may take, its refit included
LOCAL_SHARE = 0.5  # and a local model
COLD = 4.0  # compilation may take so many times the longest one so far
WARM_ROWS = 200  # of the first series, which pays for compilation
TELLING, MANY = 0.5, 8  # seconds of work, and series, from which a rate is believed
LEAST_COVERED = 0.5  # share of the scored windows that a candidate must forecast


class NoTime(Exception):
    """A candidate would not fit into the limit.

    Args:
        reason: for the leaderboard.

    Example:
        >>> str(NoTime("would take 80 s"))
        'would take 80 s'
    """


@dataclass(eq=False)
class Trial:
    """What became of a candidate.

    Args:
        entry: its name on the ladder, or in ``models=``.
        candidate: the forecaster that was tried.
        status: "validated", or why it was left out.
        values: (W, m, 23, H) quantiles of the scored windows, NaN where it has none.
        validation: seconds.
        refit: seconds, estimated.

    Example:
        >>> Trial("Theta", Candidate("Theta", None), "skipped: no time is left").validated
        False
    """

    entry: str
    candidate: Candidate
    status: str = VALIDATED
    values: np.ndarray | None = None
    validation: float = np.nan
    refit: float = 0.0

    @property
    def name(self) -> str:
        """That of the candidate."""
        return self.candidate.name

    @property
    def validated(self) -> bool:
        """Whether there are forecasts of the windows."""
        return self.status == VALIDATED


def tried(
    entry: str, candidate: Candidate, held: HeldOutWindows, panel: Panel, budget: Budget, reserved: float
) -> Trial:
    """A candidate on the held-out windows.

    Args:
        entry: its name in the list of candidates.
        candidate: the forecaster.
        held: the windows.
        panel: all data, on which it would be fitted again.
        budget: the time that is left.
        reserved: seconds of it that the refits of others will take; inf: the candidate is tried whatever time it takes.

    Returns:
        The trial; a candidate that fails or does not fit into the limit has its reason as status.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    trial, began = Trial(entry, candidate), now()
    try:
        if is_per_series(candidate.model):
            _each_series(trial, held, panel, budget, reserved)
        else:
            _one_for_all(trial, held, budget, reserved)
        _check(trial, held)
    except NoTime as reason:
        trial.status, trial.values = f"skipped: {reason}", None
    except Exception as error:  # a candidate that fails does not sink the others
        trial.status, trial.values = f"failed: {error or type(error).__name__}", None
    trial.validation = now() - began
    return trial


def _check(trial: Trial, held: HeldOutWindows) -> None:
    """Forecasts are finite, and there are enough of them."""
    observed = np.isfinite(held.truth)
    if trial.values is None or not observed.any():
        return
    covered = float(np.isfinite(trial.values[:, :, 0])[observed].mean())
    if covered < LEAST_COVERED:
        raise ValueError(f"it forecasts {100 * covered:.0f} % of the held-out values only")


def _each_series(trial: Trial, held: HeldOutWindows, panel: Panel, budget: Budget, reserved: float) -> None:
    """One model a series: chunk by chunk of the scored series, so that what the rest would take is known."""
    training, model = held.training(), trial.candidate.model
    free = np.isinf(reserved) or not budget.limited
    share = LOCAL_SHARE * (budget.left - reserved)
    due = np.inf if free else now() + share
    rows_left = int(training.lengths[held.scored].sum())
    if not free:
        _warm_up(model, training, held, rows_left + len(panel.y), budget, share)
    trial.values = np.full((*held.truth.shape[:2], len(LEVELS), held.truth.shape[2]), np.nan)
    fitting, rows = 0.0, 0
    for series in chunks(len(held.scored)):
        began = now()
        part = training.select(held.scored[series])
        fitted, _ = fitted_copy(model, part)
        between = now()
        _forecast(trial.values, fitted, held, series)
        ended = now()
        fitting, rows, rows_left = fitting + between - began, rows + len(part.y), rows_left - len(part.y)
        trial.refit = fitting / rows * len(panel.y)
        if ended - began > TELLING and (len(series) >= MANY or ended - began > MANY * TELLING):
            ahead = len(held.scored) - series[-1] - 1
            per_row, per_series = (between - began) / len(part.y), (ended - between) / len(series)
            seconds = MARGIN * (per_row * (rows_left + len(panel.y)) + per_series * ahead)
            if ended + seconds > due:
                raise NoTime(f"would take about {seconds:.0f} s more")
        elif ended + 2 * (ended - began) > due and rows_left:  # the next chunk is twice as large
            raise NoTime("no time is left")
    if now() + MARGIN * trial.refit > due:
        raise NoTime(f"its fit to all data would take about {trial.refit:.0f} s")


def _warm_up(model: Any, training: Panel, held: HeldOutWindows, rows: int, budget: Budget, share: float) -> None:
    """Compile, and skip a candidate whose single series is slow beyond hope."""
    if not COLD * budget.longest_start <= share:
        raise NoTime("no time is left")
    first, horizon = training.select(held.scored[:1]).tail(WARM_ROWS), held.truth.shape[2]
    before = first.until(first.ends - horizon, horizon) if len(first.y) > horizon else first
    times = [now()]
    for _ in range(2):
        fitted, _ = fitted_copy(model, first)
        times.append(now())
        quantiles_of(fitted, before, horizon, DRAWS)
        times.append(now())
    compiling = times[2] - times[0] - (times[4] - times[2])
    budget.longest_start = max(budget.longest_start, compiling)
    took = times[3] - times[2]
    seconds = MARGIN * took * rows / len(first.y)
    if took > TELLING and seconds > share:
        raise NoTime(f"would take about {seconds:.0f} s")


def chunks(n: int) -> Iterator[np.ndarray]:
    """Positions from 0 to n - 1, in chunks that double in size.

    Args:
        n: how many.

    Yields:
        Positions.

    Example:
        >>> [len(chunk) for chunk in chunks(10)]
        [2, 4, 4]
    """
    start, size = 0, 2
    while start < n:
        yield np.arange(start, min(start + size, n))
        start, size = start + size, 2 * size


def _forecast(values: np.ndarray, fitted: Any, held: HeldOutWindows, series: np.ndarray) -> None:
    for window in range(held.n_windows):
        here, panel = held.at(window, series)
        if len(here):
            values[window, here] = quantiles_of(fitted, panel, held.truth.shape[2], DRAWS)


def _one_for_all(trial: Trial, held: HeldOutWindows, budget: Budget, reserved: float) -> None:
    """One model of all series: a network is trained by as many steps as there is time for."""
    training = held.training()
    free = np.isinf(reserved) or not budget.limited
    if not free and not budget.allows(2 * budget.longest_before, reserved):
        raise NoTime("no time is left")
    began = now()
    try:
        fitted, _ = _trained(trial.candidate, training, np.inf if free else budget.left - reserved)
    except OutOfTime as speed:
        budget.longest_before = max(budget.longest_before, speed.before)
        trial.candidate = _shorter(trial.candidate, speed, SHARE * (budget.left - reserved))
        began = now()
        try:
            fitted, _ = _trained(trial.candidate, training, budget.left - reserved, judged=True)
        except OutOfTime:
            raise NoTime(f"its training was stopped after {now() - began:.0f} s") from None
    trial.refit = now() - began
    trial.values = np.full((*held.truth.shape[:2], len(LEVELS), held.truth.shape[2]), np.nan)
    _forecast(trial.values, fitted, held, np.arange(len(held.scored)))
    if not free and not budget.allows(trial.refit, reserved):
        raise NoTime(f"its fit to all data would take about {trial.refit:.0f} s")


def _trained(candidate: Candidate, training: Panel, seconds: float, judged: bool = False) -> tuple[Any, list[Warning]]:
    """A fitted copy; its training ends where it and a second one would take more than ``SHARE`` of the seconds left."""

    def judge(speed: OutOfTime, total: int) -> None:
        if both(candidate, speed, total) > SHARE * seconds:
            raise speed

    with limited(seconds / 2, None if judged or np.isinf(seconds) else judge):
        return fitted_copy(candidate.model, training)


def both(candidate: Candidate, speed: OutOfTime, steps: int) -> float:
    """Seconds of two trainings: without the held-out windows, and with all data.

    Args:
        candidate: a network; one of several ``members`` is trained as often.
        speed: of a training.
        steps: of each.

    Returns:
        Seconds.

    Example:
        >>> both(Candidate("LRU", None), OutOfTime(1.0, 0.0), 100)
        2.2
    """
    return 2 * MARGIN * int(getattr(candidate.model, "members", None) or 1) * speed.seconds(steps)


def _shorter(candidate: Candidate, speed: OutOfTime, seconds: float) -> Candidate:
    """The candidate with as many steps as can be taken twice."""
    least = STEPS[0] if candidate.steps else int(candidate.model.max_steps)
    steps = [each for each in STEPS if each < candidate.model.max_steps and both(candidate, speed, each) <= seconds]
    if not candidate.steps or not steps:
        raise NoTime(f"{least} steps, and as many with all data, would take {both(candidate, speed, least):.0f} s")
    return with_steps(candidate, max(steps))
