"""Unsupervised segmentation: REDSDS beside its published scores and two simpler models.

    python examples/redsds_segmentation.py                           # the ball, quick; too short for a good fit
    python examples/redsds_segmentation.py three_mode --steps 10000  # three modes, 10,000 batches of 32
    python examples/redsds_segmentation.py bees --steps 8000 --hmm   # bees, beside a hidden Markov model

Three data sets of the paper: a ball between two walls (regime: the direction in which it moves), a switching system of
three modes with known durations, and dancing bees (waggle, turn left, turn right). Models are trained without labels.
Scores compare regimes with labels over all test steps: accuracy after the best assignment of regimes to labels,
normalised mutual information, adjusted Rand index.

``--restarts 4`` trains four random restarts for a third of the steps each and continues with the best; ``--geometric``
adds REDSDS without explicit durations, ``--hmm`` a Gaussian hidden Markov model (needs hmmlearn).

Simulated data are drawn anew from the published description; ``--system`` chooses among systems of three modes, and
``--stored`` takes the 200 series that ``tsformers datasets`` lists. Of the bees, three labelled dances are available:
two are for training and one is scored, each in turn (the paper trains on five and scores one).
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

import tsformers as tsf
from tsformers import simulate
from tsformers.cli.parsing import assignments
from tsformers.forecasters.redsds import TemperatureAnnealing, Widths
from tsformers.jobs.build import build

PUBLISHED = {
    "bouncing_ball": {"SNLDS": (0.97, 0.82, 0.89), "ED-SDS": (0.94, 0.70, 0.79), "RED-SDS": (0.97, 0.81, 0.88)},
    "three_mode": {"SNLDS": (0.82, 0.63, 0.67), "ED-SDS": (0.97, 0.88, 0.93), "RED-SDS": (0.98, 0.95, 0.95)},
    "bees": {"SNLDS": (0.44, 0.10, 0.10), "ED-SDS": (0.56, 0.28, 0.27), "RED-SDS": (0.73, 0.48, 0.53)},
    "bees of two": {"SNLDS": (0.63, 0.05, 0.07), "ED-SDS": (0.79, 0.31, 0.36), "RED-SDS": (0.91, 0.60, 0.68)},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "bouncing_ball": {
        "n_regimes": 2,
        "context_length": 99,
        "scaler": None,
        "start_floor": -13.0,  # in the paper's code, not in the paper; without it regimes collapse in long training
    },
    "three_mode": {
        "n_regimes": 3,
        "context_length": 179,
        "scaler": None,
        "min_duration": 5,
        "widths": Widths(embedding=8),  # the paper: 4, which is too narrow
        "annealing": TemperatureAnnealing(duration_temperature=10.0),
    },
    "bees": {
        "n_regimes": 3,
        "context_length": 119,
        "scaler": None,
        "d_state": 8,
        "min_duration": 20,
        "max_duration": 50,
        "transition": "linear",
        "emission": "linear",
        "switch_input": "xy",
        "widths": Widths(embedding=16),
        "state_scale": 0.02,
        "emission_scale": 0.02,
        "annealing": TemperatureAnnealing(
            duration_temperature=10.0, switch_temperature=100.0, switch_temperature_end=10.0
        ),
        "learning_rate": 1e-3,  # the paper: 2e-4
        "multivariate": True,
    },
}
STORED = {"bouncing_ball": ("bouncing_ball", 100), "three_mode": ("three_mode_system", 180)}  # data set, steps scored
WAGGLE = 2  # label of the bees; 0 and 1 are the turns
GAP = 120  # missing steps between two dances, so that no window contains both


class Task(NamedTuple):
    """Training and test data: long frames with a column ``regime``."""

    train: pd.DataFrame
    test: pd.DataFrame


def stored(name: str) -> Task:
    """The stored series; of the test series as many steps as the paper scores."""
    dataset, length = STORED[name]
    frame = tsf.load_dataset(dataset, extra=["state", "split"]).rename(columns={"state": "regime"})
    train, test = (frame[frame["split"] == split].drop(columns="split") for split in ("train", "test"))
    return Task(train, test[test["ds"] < length])


def simulated(name: str, n_series: int, system: int, seed: int) -> Task:
    """Series of the paper's lengths; test series have a seed of their own."""
    if name == "bouncing_ball":
        return Task(*(simulate.bouncing_ball(n, 100, seed=seed + k) for k, n in enumerate((n_series, 1000))))
    modes = simulate.three_mode_system(seed=system)
    return Task(*(modes.draw(n, 180, seed=seed + k) for k, n in enumerate((n_series, 500))))


def dances(two: bool) -> Iterator[Task]:
    """Each dance in turn is scored, the other two are joined with a gap; ``two``: both turns have one label."""
    frame = tsf.load_dataset("bees_modes", extra=["mode"]).rename(columns={"mode": "regime"})
    if two:
        frame["regime"] = (frame["regime"] == WAGGLE).astype(int)
    frame[["dance", "unique_id"]] = frame["unique_id"].str.split("/", expand=True)
    for scored in frame["dance"].unique():
        others = frame[frame["dance"] != scored]
        lengths = others.groupby("dance")["ds"].max() + 1 + GAP
        train = others.assign(ds=others["ds"] + others["dance"].map(lengths.cumsum() - lengths))
        test = frame[frame["dance"] == scored]
        yield Task(*(part[["unique_id", "ds", "y", "regime"]] for part in (train, test)))


def scores(true: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Accuracy after the best assignment, normalised mutual information, adjusted Rand index."""
    table = confusion_matrix(true, found)
    rows, columns = linear_sum_assignment(-table)
    accuracy = table[rows, columns].sum() / len(true)
    return accuracy, normalized_mutual_info_score(true, found), adjusted_rand_score(true, found)


def find(task: Task, settings: dict[str, Any], plot: str | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels and regimes of all test steps, and seconds of training; ``plot`` is the file of a picture, or None."""
    model = build("REDSDS", {"horizon": 1, "validation_windows": 0, **settings}, place="--set")
    began = time.perf_counter()
    model.fit(task.train.drop(columns="regime"))
    seconds = time.perf_counter() - began
    if plot is not None:
        model.plot_segments(task.test.drop(columns="regime")).savefig(plot, dpi=80)
    found = model.segment(task.test.drop(columns="regime")).merge(
        task.test[["unique_id", "ds", "regime"]], on=["unique_id", "ds"], suffixes=("", "_true")
    )
    if model.multivariate:  # channels share their regimes
        found = found[found["unique_id"] == found["unique_id"].iloc[0]]
    return found["regime_true"].to_numpy(), found["regime"].to_numpy(), seconds


def hidden_markov(task: Task, settings: dict[str, Any], seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The same from a Gaussian hidden Markov model of values and their changes."""
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError as error:
        raise SystemExit("--hmm needs hmmlearn; install it with: pip install hmmlearn") from error

    def inputs_of(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if settings.get("multivariate"):
            wide = frame.pivot(index="ds", columns="unique_id", values="y")
            labels = frame.drop_duplicates("ds").sort_values("ds")["regime"].to_numpy()
            parts = np.split(wide.to_numpy(), np.flatnonzero(np.diff(wide.index) > 1) + 1)
        else:
            ordered = frame.sort_values(["unique_id", "ds"])
            labels = ordered["regime"].to_numpy()
            parts = [rows["y"].to_numpy()[:, None] for _, rows in ordered.groupby("unique_id")]
        inputs = [np.concatenate([part, np.diff(part, axis=0, prepend=part[:1])], axis=1) for part in parts]
        return np.concatenate(inputs), np.array([len(part) for part in parts]), labels

    values, lengths, _ = inputs_of(task.train)
    most = min(len(lengths), 2000)  # series to train on
    model = GaussianHMM(settings["n_regimes"], covariance_type="full", n_iter=50, random_state=seed)
    began = time.perf_counter()
    model.fit(values[: lengths[:most].sum()], lengths[:most])
    seconds = time.perf_counter() - began
    values, lengths, labels = inputs_of(task.test)
    return labels, model.predict(values, lengths), seconds


def report(name: str, answers: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
    """Print one line a model: means over folds."""
    accuracy, nmi, ari = np.mean([scores(true, found) for true, found, _ in answers], axis=0)
    seconds = np.mean([seconds for *_, seconds in answers])
    print(f"{name}: accuracy {accuracy:.3f}, NMI {nmi:.3f}, ARI {ari:.3f}, trained in {seconds:.0f} s", flush=True)


def main() -> None:
    """Print the scores of each model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", choices=list(SETTINGS), default="bouncing_ball")
    parser.add_argument("--steps", type=int, default=100, help="batches of 32; the paper: 20000")
    parser.add_argument("--series", type=int, default=500, help="simulated series to train on")
    parser.add_argument("--seed", type=int, default=0, help="of data and training")
    parser.add_argument("--system", type=int, default=0, help="which system of three modes: seed of its parameters")
    parser.add_argument("--stored", action="store_true", help="the stored series in place of simulated ones")
    parser.add_argument("--fold", type=int, choices=(0, 1, 2), help="score only this dance")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting of REDSDS")
    parser.add_argument("--two", action="store_true", help="bees: two regimes, and one label for both turns")
    parser.add_argument("--restarts", type=int, default=1, help="random restarts")
    parser.add_argument("--geometric", action="store_true", help="also without explicit durations")
    parser.add_argument("--plot", help="file of a picture, such as ball.png")
    parser.add_argument("--hmm", action="store_true", help="also a Gaussian hidden Markov model")
    given = parser.parse_args()
    if given.name != "bees" and (given.two or given.fold is not None):
        parser.error("--two and --fold are options of bees")
    if given.name == "bees":
        tasks = list(dances(given.two))
        tasks = tasks if given.fold is None else [tasks[given.fold]]
    else:
        new = (given.name, given.series, given.system, given.seed)
        tasks = [stored(given.name) if given.stored else simulated(*new)]
    own = SETTINGS[given.name] | {"max_steps": given.steps, "seed": given.seed, "verbose": False}
    own |= {"n_init": given.restarts, "init_steps": max(1, given.steps // 3)}
    own |= ({"n_regimes": 2} if given.two else {}) | assignments(given.set)
    for model, (accuracy, nmi, ari) in PUBLISHED["bees of two" if given.two else given.name].items():
        print(f"{model}, as published: accuracy {accuracy:.2f}, NMI {nmi:.2f}, ARI {ari:.2f}")
    report("REDSDS", [find(task, own, given.plot) for task in tasks])
    if given.geometric:
        report("REDSDS, geometric durations", [find(task, own | {"durations": "geometric"}) for task in tasks])
    if given.hmm:
        report("Gaussian HMM of values and changes", [hidden_markov(task, own, given.seed) for task in tasks])


if __name__ == "__main__":
    main()
