"""Figures of simulated testing: rates against the share of anomalies, and power against false alarms."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

COLOURS = ("#0072B2", "#D55E00", "#009E73")  # blue, vermilion and green of Okabe and Ito; two procedures a colour
TITLES = {"power": "power", "fdr": "FDR", "decayed_fdr": "decayed FDR"}
DPI = 85  # small files


def draw(results: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw the figures of all experiments.

    Args:
        results: of ``Simulation.run``, at all targets.
        folder: an existing one.

    Returns:
        The files: one for each experiment with several shares of anomalies, and two for all others together.
    """
    written = []
    for name, figure in _figures(results):
        figure.savefig(folder / f"{name}.png", dpi=DPI)
        written.append(folder / f"{name}.png")
    return written


def _figures(results: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    shares = results.groupby("experiment", sort=False)["share"].transform("nunique")
    for name, own in results[shares > 1].groupby("experiment", sort=False):
        yield f"fdr_{name}", _against_share(own)
    others = results[shares == 1]
    if len(others):
        yield "fdr_curves", _curves(others, "fdr")
        yield "fdr_curves_decayed", _curves(others, "decayed_fdr")


def _against_share(results: pd.DataFrame) -> Any:
    """A panel a rate, a line a procedure; published rates are rings."""
    from matplotlib.figure import Figure  # slow to import

    figure = Figure(figsize=(11, 4), layout="constrained")
    panels = figure.subplots(1, 3)
    for panel, rate in zip(panels, TITLES, strict=True):
        for number, (name, own) in enumerate(results.groupby("procedure", sort=False)):
            x = own["share"].astype(float)
            panel.plot(x, own[rate], label=str(name), **_style(number))
            panel.plot(x, own[f"published_{rate}"], "o", mfc="none", color=_style(number)["color"])
        panel.set(xscale="log", ylim=(-0.02, 1.02), xlabel="share of anomalies", title=TITLES[rate])
    for panel in panels[1:]:
        panel.axhline(results["target"].iloc[0], color="#888888", lw=0.8)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False)
    return figure


def _curves(results: pd.DataFrame, rate: str) -> Any:
    """A panel an experiment: power against false alarms over all targets; a dot at the target nearest to 0.1."""
    from matplotlib.figure import Figure  # slow to import

    groups = list(results.groupby("experiment", sort=False))
    columns = min(4, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(2 + 2.7 * columns, 1 + 2.7 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (title, each) in zip(panels, groups, strict=False):
        for number, (name, own) in enumerate(each.groupby("procedure", sort=False)):
            style = _style(number) if own["near"].any() else {"color": "#444444", "ls": ":"}
            panel.plot(own[rate], own["power"], label=str(name), **style)
            panel.plot(own.loc[own["near"], rate], own.loc[own["near"], "power"], "o", color=style["color"], ms=4)
        panel.axvline(0.1, color="#888888", lw=0.8)
        panel.set(title=str(title).replace("_", " "), xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=TITLES[rate])
    for panel in panels[len(groups) :]:
        panel.set_axis_off()
    for panel in panels[::columns]:
        panel.set_ylabel("power")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=7, frameon=False)
    return figure


def _style(number: int) -> dict[str, Any]:
    """Of the n-th procedure: in the order of the file, a plain one is dashed and its decayed form solid."""
    return {"color": COLOURS[number // 2 % len(COLOURS)], "ls": "-" if number % 2 else "--", "lw": 1.6}
