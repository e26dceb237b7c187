"""statsforecast in a Python that may lack tsformers, for ``benchmarks.local`` and ``examples/classical_results.py``.

    python statsforecast_worker.py times SERIES.npy SEASON HORIZON
    python statsforecast_worker.py quantiles MODEL SERIES.npz ANSWER.npz SEASON HORIZON

``times`` answers a line such as ``AutoETS 12`` with ``done`` when the first twelve series are fitted and forecast with
intervals. ``quantiles`` writes quantiles (N, 11, H) at .025, .1, ..., .9, .975 and the seconds of the processor.
"""

import sys
import time
import warnings

import numpy as np

COVERAGES = (95, 80, 60, 40, 20)


def times(path: str, season: int, horizon: int) -> None:
    """Answer each line, or the error in one line."""
    from statsforecast import models

    y = np.load(path)
    for line in sys.stdin:
        name, count = line.split()
        try:
            for series in y[: int(count)]:
                getattr(models, name)(season_length=season).forecast(series, horizon, level=[80, 95])
        except Exception as error:
            print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
        else:
            print("done", flush=True)


def quantiles(name: str, source: str, target: str, season: int, horizon: int) -> None:
    """Forecast all series, after a first one that compiles the kernels; a failure is the last value."""
    from statsforecast import models

    with np.load(source) as held:
        series = [held[key] for key in held.files]

    def forecast(y: np.ndarray) -> np.ndarray:
        try:
            found = getattr(models, name)(season_length=season).forecast(y, horizon, level=[*COVERAGES])
        except Exception:
            return np.full((11, horizon), y[-1])
        low = [found[f"lo-{share}"] for share in COVERAGES]
        high = [found[f"hi-{share}"] for share in COVERAGES[::-1]]
        return np.array([*low, found["mean"], *high])

    forecast(series[0])
    began = time.process_time()
    answers = [forecast(y) for y in series]
    seconds = time.process_time() - began
    np.savez(target, quantiles=np.array(answers), seconds=seconds)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] == "times":
        times(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        quantiles(*sys.argv[2:5], int(sys.argv[5]), int(sys.argv[6]))
