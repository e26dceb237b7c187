"""Figures of a report: fan charts, CRPS by step ahead, calibration; matplotlib is imported when one is drawn."""

import base64
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tsformers.evaluation.results import Findings
from tsformers.plotting.axes import off_screen
from tsformers.plotting.fan import Fan, fan_chart

if TYPE_CHECKING:
    from markupsafe import Markup

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")  # Okabe and Ito
DASHES = ((), (5, 2), (1, 1.5), (6, 2, 1, 2))  # in widths of the line; () = solid
COVERAGES = np.linspace(0.05, 0.95, 19)
PIT_BINS = 10
GREY = "#888888"


def fans(result: Findings, series: int) -> Any:
    """The last forecasts of one series by every model, beside the actuals; all on one scale.

    Args:
        result: of a backtest.
        series: position in ``result.panel.ids``.

    Returns:
        A matplotlib Figure, or None where no model forecast the series.
    """
    panel, schema, rows = result.panel, result.panel.schema, result.part("forecasts", series=series)
    last = rows[rows["window"] == rows["window"].max()]
    pairs = symmetric_pairs(result.settings.quantiles)
    column = dict(zip(result.settings.quantiles, result.settings.quantile_columns, strict=True))
    horizon = result.settings.horizon
    drawn = []
    for model in result.models:
        own = last[last["model"] == model]
        if own.empty:
            continue
        back = (result.settings.windows - 1 - int(own["window"].iloc[0])) * result.settings.step
        stop = int(panel.ends[series]) - back
        past = slice(max(int(panel.offsets[series]), stop - horizon - max(3 * horizon, 24)), stop - horizon)
        middle = "q0.5" if "q0.5" in own else "mean"
        bands = [own[[column[low], column[high]]].to_numpy().T for low, high in pairs]
        drawn.append(
            Fan(
                title=escape_dollars(model),
                times=panel.times[stop - horizon : stop],
                median=own[middle].to_numpy(),
                bands=np.array(bands).reshape(len(pairs), 2, horizon),
                past_times=panel.times[past],
                past=panel.y[past],
                actual=own[schema.target_col].to_numpy(),
            )
        )
    if not drawn:
        return None
    with off_screen():
        figure = fan_chart(drawn, [high - low for low, high in pairs], schema.tz)
    columns = min(2, len(drawn))
    lines = -(-len(drawn) // columns)
    figure.set_size_inches(10, 0.5 + 2.6 * lines)
    figure.get_layout_engine().set(h_pad=0.1)
    cells = figure.add_gridspec(lines, columns)
    ends = np.array([axes.get_ylim() for axes in figure.axes])
    for cell, axes in zip(cells, figure.axes, strict=False):
        axes.set_subplotspec(cell)
        axes.set_ylim(ends[:, 0].min(), ends[:, 1].max())
    return figure


def symmetric_pairs(quantiles: tuple[float, ...]) -> list[tuple[float, float]]:
    """Levels that bound central intervals, widest first.

    Args:
        quantiles: increasing levels.

    Returns:
        Pairs of levels that add up to one.

    Example:
        >>> symmetric_pairs((0.1, 0.25, 0.5, 0.9))
        [(0.1, 0.9)]
    """
    partner = {round(level, 12): level for level in quantiles}
    return [
        (level, partner[round(1 - level, 12)]) for level in quantiles if level < 0.5 and round(1 - level, 12) in partner
    ]


def crps_by_step(result: Findings) -> pd.DataFrame:
    """Mean CRPS by step ahead, each series divided by the reference's mean CRPS on it: one column a model.

    Args:
        result: of a backtest.

    Returns:
        Rows 1 to H; series on which the reference has a CRPS of zero are left out. All NaN where none is left.

    Example:
        >>> from tsformers import SeasonalNaive, backtest
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 7})
        >>> crps_by_step(backtest(SeasonalNaive(horizon=4), df, windows=2)).mean().round(9)
        model
        SeasonalNaive    1.0
        dtype: float64
    """
    rows = result.part("forecasts", ["model", "series", "crps"])
    step = np.tile(np.arange(1, result.settings.horizon + 1), len(rows) // result.settings.horizon)
    base = rows[rows["model"] == result.reference].groupby("series")["crps"].mean()
    ratio = rows["crps"].to_numpy() / rows["series"].map(base.where(base > 0)).to_numpy(dtype=np.float64)
    wide = pd.Series(ratio).groupby([pd.Series(step, name="step"), rows["model"]]).mean().unstack("model")
    return wide.reindex(columns=[model for model in result.models if model in wide])


def step_chart(result: Findings) -> Any:
    """CRPS by step ahead, one line a model."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes()
    table = crps_by_step(result)
    for position, model in enumerate(result.models):
        if model in table:
            _line(axes, position, table.index, table[model], marked=len(table) <= 24)
    axes.axhline(1, color=GREY, linewidth=0.8, zorder=1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step ahead")
    axes.set_ylabel("CRPS, average of the reference = 1")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, result.settings.horizon + 0.5)
    return figure


def coverage_by_level(pit: np.ndarray) -> np.ndarray:
    """Share of PIT values inside the central interval of each of ``COVERAGES``; NaN is left out.

    Args:
        pit: PIT values, any shape.

    Returns:
        One share a coverage.

    Example:
        >>> coverage_by_level(np.linspace(0, 1, 1001))[[0, 9, 18]].round(2)
        array([0.05, 0.5 , 0.95])
    """
    distance = np.sort(2 * np.abs(pit[~np.isnan(pit)] - 0.5))
    return np.searchsorted(distance, COVERAGES + 1e-12, side="right") / max(len(distance), 1)


def reliability_chart(result: Findings) -> Any:
    """Empirical against nominal coverage of central intervals; on the diagonal they agree."""
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=1)
    for position, pit in enumerate(_pits(result).values()):
        if len(pit):
            _line(axes, position, COVERAGES, coverage_by_level(pit), marked=True)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="nominal coverage", ylabel="empirical coverage")
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return figure


def pit_chart(result: Findings) -> Any:
    """PIT histograms of all models; flat for calibrated forecasts."""
    from matplotlib.figure import Figure

    pits = {model: pit for model, pit in _pits(result).items() if len(pit)}
    columns = min(4, max(len(pits), 1))
    lines = -(-max(len(pits), 1) // columns)
    figure = Figure(figsize=(max(2.5 * columns, 4), 0.4 + 2.1 * lines), layout="constrained")
    top = 0.0
    for place, (model, pit) in enumerate(pits.items(), start=1):
        axes = figure.add_subplot(lines, columns, place)
        heights, edges = np.histogram(pit, bins=PIT_BINS, range=(0, 1))
        share = heights * PIT_BINS / len(pit)
        colour = COLOURS[list(result.models).index(model) % len(COLOURS)]
        axes.bar(edges[:-1], share, width=1 / PIT_BINS, align="edge", color=colour, alpha=0.75, edgecolor="white")
        axes.axhline(1, color="#333333", linewidth=1, linestyle="--")
        axes.set_title(escape_dollars(model if len(model) <= 28 else f"{model[:27]}…"), fontsize="medium", loc="left")
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.spines[["top", "right"]].set_visible(False)
        top = max(top, share.max())
    for axes in figure.axes:
        axes.set_ylim(0, 1.08 * max(top, 1))
    figure.supxlabel("PIT: forecast probability below the actual", fontsize="medium")
    figure.supylabel("density", fontsize="medium")
    return figure


def picture(figure: Any, description: str) -> "Markup":
    """A figure as an HTML image that holds its own data.

    Args:
        figure: of matplotlib.
        description: the alternative text; it is escaped here.

    Returns:
        An ``img`` element.

    Example:
        >>> from matplotlib.figure import Figure
        >>> picture(Figure(), "Sales & returns")[:48]
        Markup('<img alt="Sales &amp; returns" src="data:image/s')
    """
    import matplotlib
    from markupsafe import Markup

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tsformers"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has letters that matplotlib's font lacks
        figure.savefig(stream, format="svg", metadata={"Date": None})
    data = base64.b64encode(stream.getvalue().encode()).decode()
    return Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(description, data)


def escape_dollars(text: object) -> str:
    r"""Text that matplotlib draws as it is: dollar signs do not enclose formulas.

    Args:
        text: as the user wrote it.

    Returns:
        The text with its dollar signs escaped.

    Example:
        >>> print(escape_dollars("a$b"))
        a\$b
    """
    return str(text).replace("$", r"\$")


def _pits(result: Findings) -> dict[str, np.ndarray]:
    rows = result.part("forecasts", ["model", "pit"]).dropna(subset="pit")
    return {model: rows.loc[rows["model"] == model, "pit"].to_numpy(dtype=np.float64) for model in result.models}


def style(position: int) -> tuple[str, tuple[float, ...]]:
    """Colour and dashes of the model at this position; no two of the first 28 share both.

    Args:
        position: in the order given.

    Returns:
        A colour, and lengths of dashes and gaps in widths of the line; none = solid.

    Example:
        >>> style(1)
        ('#D55E00', (5, 2))
    """
    return COLOURS[position % len(COLOURS)], DASHES[position % len(DASHES)]


def _axes() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.9), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _line(axes: Any, position: int, x: Any, y: Any, marked: bool) -> None:
    colour, dashes = style(position)
    line = {"linestyle": (0, dashes)} if dashes else {}
    axes.plot(x, y, color=colour, linewidth=1.7, marker="o" if marked else None, markersize=3.5, **line)
