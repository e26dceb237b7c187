"""statsforecast for ``benchmarks.local``, in a Python that may lack tsformers: a model a line on standard input.

    python statsforecast_worker.py SERIES.npy SEASON HORIZON

The line ``AutoETS 12`` is answered with ``done`` when the first twelve series are fitted and forecast with intervals.
"""

import sys
import warnings

import numpy as np


def main(path: str, season: int, horizon: int) -> None:
    """Answer each line, or the error in one line."""
    from statsforecast import models

    warnings.simplefilter("ignore")
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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
