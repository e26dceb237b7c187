"""What each regime of a fitted REDSDS is like: its table, its charts, and a warning where one has taken all steps."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning
from tsformers.forecasters.neural.validation import check_bare, check_like
from tsformers.forecasters.redsds.segmentation import Method, check_ready, segment_panel
from tsformers.forecasters.redsds.unused import MIN_STEPS, warn_of_unused
from tsformers.messages import Either, Setting
from tsformers.plotting.chosen import chosen_positions
from tsformers.plotting.regimes import Coloured, durations_chart, segments_chart

MAX_DESCRIBED = 1 << 18  # rows of the training data from which regimes are described
COLLAPSED = 0.99  # share of one regime from which on the others count as collapsed
SHOWN = 3  # series in a chart where the caller names none
HIGHER = Either(
    "annealing=TemperatureAnnealing(switch_temperature=10, duration_temperature=10)",
    "--set annealing.switch_temperature=10 --set annealing.duration_temperature=10",
    "annealing = {switch_temperature = 10, duration_temperature = 10}",
)


def describe(model: Any, panel: Panel) -> dict[str, np.ndarray]:
    """The columns of ``regimes_`` as arrays with K entries, from the first rows of the training data.

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    if not model.multivariate:
        enough = int(np.searchsorted(np.cumsum(panel.lengths), MAX_DESCRIBED)) + 1
        panel = panel.select(np.arange(min(enough, panel.n_series)))
    steps, k = segment_panel(model, panel), model.n_regimes
    owner = panel.owner[panel.in_history]
    rows = np.bincount(steps.regime, minlength=k)
    new = np.ones(len(owner), dtype=bool)
    new[1:] = (steps.regime[1:] != steps.regime[:-1]) | (owner[1:] != owner[:-1])
    runs = np.bincount(steps.regime[new], minlength=k)
    change = np.diff(panel.y[panel.in_history])
    fine = (owner[1:] == owner[:-1]) & np.isfinite(change)
    into, change = steps.regime[1:][fine], change[fine]
    count = np.maximum(np.bincount(into, minlength=k), 1)
    drift = np.bincount(into, weights=change, minlength=k) / count
    spread = np.sqrt(np.bincount(into, weights=(change - drift[into]) ** 2, minlength=k) / count)
    lasting = steps.durations / steps.durations.sum(1, keepdims=True)
    lengths = np.arange(1, lasting.shape[1] + 1)
    found = {
        "rows": rows,
        "share": rows / rows.sum(),
        "mean_duration": lasting @ lengths,
        "mean_run": rows / np.maximum(runs, 1),
        "drift": drift,
        "spread": spread,
        "durations": lasting,
    }
    if model.transition == "linear":
        weight = model.network_.model.transition.first.weight.detach().cpu().double().numpy()
        matrix = weight.reshape(k, 2 * model.d_state, -1)[:, : model.d_state, : model.d_state]
        found["matrix"] = matrix + np.eye(model.d_state) if model.residual else matrix
    return found


def as_frame(found: dict[str, np.ndarray]) -> pd.DataFrame:
    """The table of ``regimes_``: one row a regime; duration probabilities and matrices are arrays in their cells.

    Example:
        >>> as_frame({"share": np.array([0.4, 0.6]), "durations": np.ones((2, 1))})["regime"].tolist()
        [0, 1]

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    columns = {name: list(each) if each.ndim > 1 else each for name, each in found.items() if name != "rows"}
    return pd.DataFrame({"regime": np.arange(len(found["share"])), **columns})


def warn_if_collapsed(usage: pd.DataFrame, rows: np.ndarray | None = None) -> None:
    """A warning where regimes hold nearly no steps by the last record of ``usage_``, unless training was short.

    Args:
        usage: step, and the share of each regime.
        rows: (K,) steps of each regime in the segmentation of the training data, where there is one.

    Warns:
        DataWarning: one regime holds nearly all steps.
        DataWarning: or a regime has no step of the segmentation.

    Example:
        >>> warn_if_collapsed(pd.DataFrame({"step": [200], "0": [0.4], "1": [0.6]}))  # both keep mass

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """
    if not len(usage) or usage["step"].iloc[-1] < MIN_STEPS:
        return
    share = usage.iloc[-1, 1:].to_numpy(dtype=np.float64)
    if len(share) > 1 and share.max() > COLLAPSED:
        warnings.warn(
            DataWarning(
                f"regime {int(share.argmax())} holds {100 * share.max():.4g} % of all steps, the "
                "others have collapsed; set a higher temperature at the start, such as ",
                HIGHER,
                ", which keeps all in use until each has learned something, train for longer, or set a smaller ",
                Setting("n_regimes"),
            ),
            stacklevel=3,
        )
    elif rows is not None:
        warn_of_unused(rows, "the training data", stacklevel=4)  # the caller of fit


def plot_segments(
    model: Any, data: Frame | Panel, ids: Any = None, *, method: Method = "posterior", static: Frame | None = None
) -> Any:
    """A chart of each series, coloured by regime.

    Args:
        model: a fitted REDSDS.
        data: as in ``segment``.
        ids: the series to draw; None: the first three.
        method: as in ``segment``.
        static: as in ``segment``.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one; ``figure.savefig("f.png")`` keeps it.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an id is not in the data.
        DataError: as in ``segment``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> [axes.get_title(loc="left") for axes in model.plot_segments(frame).axes]
        ['a']

    Source: Ansari et al. (2021), RED-SDS, figure 2.
    """
    check_ready(model)
    panel = model.panel_.like(data, static)
    check_like(model, panel)
    positions = chosen_positions(ids, panel.ids, SHOWN)
    shown = panel if model.multivariate else panel.select(positions)
    regime = segment_panel(model, shown, method).regime
    history = shown.in_history
    times, y = shown.times[history], shown.y[history]
    bounds = np.concatenate([[0], np.cumsum(shown.lengths)])
    charts = []
    for name in panel.ids[positions]:
        i = int(shown.ids.get_loc(name))
        rows = slice(bounds[i], bounds[i + 1])
        charts.append(Coloured(str(name), times[rows], y[rows], regime[rows]))
    return segments_chart(charts, model.n_regimes, panel.schema.tz)


def plot_durations(model: Any) -> Any:
    """A chart of the duration distribution of each regime.

    Args:
        model: a fitted REDSDS.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> len(model.plot_durations().axes)
        2

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    check_is_fitted(model, "network_")
    check_bare(model, "describing regimes")
    table = model.regimes_
    return durations_chart(np.stack(table["durations"].tolist()), table["share"].to_numpy())
