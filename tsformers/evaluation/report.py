"""A backtest as one self-contained HTML page: ranking, fan charts, CRPS by step ahead, calibration."""

import importlib.util
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

import tsformers.evaluation.figures as figures
from tsformers import __version__
from tsformers.data.dataframes import stamps
from tsformers.evaluation.formatting import (
    NOTHING,
    format_column,
    format_count,
    format_duration,
    format_percent,
    format_share,
    format_time,
    shorten,
)
from tsformers.evaluation.results import Findings, as_loss
from tsformers.evaluation.skill import RATIO_RANGE

if TYPE_CHECKING:
    from markupsafe import Markup

SHOWN_WINDOWS = 10  # columns of a table of scores by window
SHOWN_FAILURES = 50
PACKAGES = ("numpy", "pandas", "torch", "statsmodels", "gluonts", "joblib")
TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class RankingRow:
    """One model in the ranking."""

    model: str
    scores: tuple[str, ...]
    skill: str
    skill_class: Literal["up", "down", ""]
    median_skill: str
    win_rate: str
    windows: str
    failures: str
    fit: str
    predict: str


@dataclass(frozen=True)
class Table:
    """Cells as text; the columns ``texts`` are set as text, the others as numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class FanPicture:
    """The forecasts of one series by all models, and why this series was chosen."""

    series: str
    why: str
    picture: "Markup"


@dataclass(frozen=True)
class LegendKey:
    """The line of one model in the charts."""

    model: str
    colour: str
    dashes: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What ``report.html.jinja`` shows: text that the template escapes, and pictures."""

    title: str
    subtitle: str
    metrics: tuple[str, ...]
    reference: str
    ranking: list[RankingRow]
    skill: Table | None
    settings: dict[str, str]
    no_pictures: Literal["", "no forecasts", "no matplotlib"]
    fans: list[FanPicture]
    fans_note: str
    legend: list[LegendKey]
    charts: list["Markup"]
    has_steps: bool  # the first chart is CRPS by step ahead
    histograms: "Markup | Literal['']"
    windows: dict[str, Table | None]  # by metric; None = no scores
    failures: Table | None
    left_out: Table | None
    versions: str


def write_report(result: Findings, path: str | Path, title: str | None = None) -> Path:
    """Write the page; it holds its own pictures and style, and loads nothing from elsewhere.

    Args:
        result: of a backtest.
        path: of the file; its folder is made when missing.
        title: heading; None = "Backtest".

    Returns:
        The path.
    """
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(render(result, title), encoding="utf-8")
    return place


def render(result: Findings, title: str | None = None) -> str:
    """The page as text; without matplotlib it has tables only, and a note that names the missing package.

    Args:
        result: of a backtest.
        title: heading; None = "Backtest".

    Returns:
        HTML.

    Example:
        >>> from tsformers import SeasonalNaive, backtest
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> page = render(backtest(SeasonalNaive(horizon=4), df, windows=2), title="Sales & returns")
        >>> "<h1>Sales &amp; returns</h1>" in page
        True
    """
    from jinja2 import Environment, StrictUndefined

    source = (resources.files("tsformers.evaluation") / TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(page=prepare_page(result, title)) + "\n"


def prepare_page(result: Findings, title: str | None = None) -> Page:
    """Everything that the page shows, numbers formatted and pictures drawn.

    Args:
        result: of a backtest.
        title: heading; None = "Backtest".

    Returns:
        What the template reads.
    """
    settings = result.settings
    without: Literal["", "no forecasts", "no matplotlib"] = ""
    if result.tables["seconds"].empty:
        without = "no forecasts"
    elif importlib.util.find_spec("matplotlib") is None:
        without = "no matplotlib"
    steps = not without and settings.horizon > 1 and _is_finite_anywhere(figures.crps_by_step(result))
    pits = not without and bool(result.part("forecasts", ["pit"])["pit"].notna().any())
    charts = [figures.picture(figures.step_chart(result), "mean CRPS of every model by step ahead")] if steps else []
    if pits:
        charts.append(
            figures.picture(figures.reliability_chart(result), "nominal against empirical coverage, by model")
        )
    return Page(
        title=title or "Backtest",
        subtitle=f"{format_count(len(result.models), 'model')} on "
        f"{format_count(result.panel.n_series, 'series', 'series')}, {format_count(settings.windows, 'window')} of "
        f"{format_count(settings.horizon, 'step')}; finished {result.when[:16].replace('T', ' ')} UTC",
        metrics=settings.metrics,
        reference=result.reference,
        ranking=_ranking(result),
        skill=_skill(result),
        settings=_settings(result),
        no_pictures=without,
        fans=[] if without else _fans(result),
        fans_note=_failed_in_last_window(result),
        legend=_legend(result.models),
        charts=charts,
        has_steps=steps,
        histograms=figures.picture(figures.pit_chart(result), "histograms of PIT values, by model") if pits else "",
        windows={metric: _by_window(result, metric) for metric in settings.metrics},
        failures=_failures(result),
        left_out=_left_out(result),
        versions=_versions(result),
    )


def _ranking(result: Findings) -> list[RankingRow]:
    table = result.ranking()
    scores = zip(*(format_column(table[metric]) for metric in result.settings.metrics), strict=True)
    return [
        RankingRow(
            model=row["model"],
            scores=cells,
            skill=format_percent(row["skill"]),
            skill_class=("up" if row["skill"] > 0 else "down") if np.isfinite(row["skill"]) and row["skill"] else "",
            median_skill=format_percent(row["median_skill"]),
            win_rate=format_share(row["win_rate"]),
            windows=str(row["windows"]),
            failures=str(row["failures"]),
            fit=format_duration(row["fit_seconds"]),
            predict=format_duration(row["predict_seconds"]),
        )
        for row, cells in zip(table.to_dict("records"), scores, strict=True)
    ]


def _skill(result: Findings) -> Table | None:
    """Intervals of the skill, how many ratios were clipped, and tests against the best; None without any skill."""
    table = result.skills()
    if not np.isfinite(table["skill"]).any() or len(table) < 2:
        return None
    rows = [
        [
            row["model"],
            format_percent(row["skill"]),
            _interval(row["skill_low"], row["skill_high"]),
            format_percent(row["median_skill"]),
            format_share(row["win_rate"]),
            f"{row['series']:,}",
            f"{row['clipped']:,}",
            f"{row['p_value']:.3f}" if np.isfinite(row["p_value"]) else NOTHING,
        ]
        for row in table.to_dict("records")
    ]
    clipped, ratios = int(table["clipped"].sum()), int(table["series"].sum())
    low, high = RATIO_RANGE
    return Table(
        header=["model", "skill", "95 % interval", "median", "win rate", "series", "clipped", "p, against the best"],
        rows=rows,
        note=f"{clipped:,} of {format_count(ratios, 'ratio')} were outside [{low:g}, {high:g}] and were clipped to it. "
        "Intervals: bootstrap over series. Median: of the series' ratios, not clipped. Win rate: share of series on "
        f"which the model is better than {result.reference}, ties half. p: Diebold-Mariano test over windows against "
        f"{table['model'].iloc[0]}, two-sided; it needs two windows, and few windows find large differences only.",
    )


def _interval(low: float, high: float) -> str:
    return f"{format_percent(low)} to {format_percent(high)}" if np.isfinite(low) else NOTHING


def _settings(result: Findings) -> dict[str, str]:
    """Data, windows and models, each described in one text."""
    settings, panel = result.settings, result.panel
    rows = panel.ends - panel.offsets[:-1]
    span = stamps(np.array([panel.times[panel.offsets[:-1]].min(), panel.times[panel.ends - 1].max()]), panel.schema)
    refit = "at every cutoff" if settings.refit else "once, at the first cutoff"
    if settings.refit == "local":
        refit = "local models at every cutoff, others once, at the first"
    elif not isinstance(settings.refit, bool):
        refit = f"at every {settings.refit}. cutoff"
    lengths = f"{rows.min():,}" if rows.min() == rows.max() else f"{rows.min():,} to {rows.max():,}"
    facts = {
        "data": f"{format_count(panel.n_series, 'series', 'series')} of {lengths} rows, "
        f"{int(np.isnan(panel.y).sum()):,} missing values",
        "time": f"{format_time(span[0])} to {format_time(span[1])} {panel.schema.tz or ''}".rstrip()
        + f", frequency {panel.freq}",
        "covariates": ", ".join([*panel.schema.known, *panel.schema.past, *map(str, panel.static.columns)]) or "none",
        "windows": f"{settings.windows}, {format_count(settings.step, 'step')} apart, horizon {settings.horizon}"
        + (f", at most {settings.history_rows:,} rows before a cutoff" if settings.history_rows else ""),
        "fitted": refit,
        "draws": f"{settings.n_samples} a series and window, seed {settings.seed}",
    }
    return {name: shorten(text) for name, text in (facts | result.described).items()}


def _fans(result: Findings) -> list[FanPicture]:
    drawn = []
    for why, series in _examples(result):
        figure, name = figures.fans(result, series), str(result.panel.ids[series])
        if figure is not None:
            drawn.append(FanPicture(name, why, figures.picture(figure, f"fans of {name}")))
    return drawn


def _failed_in_last_window(result: Findings) -> str:
    failed = result.tables["failures"]
    missing = failed.loc[failed["window"] == result.settings.windows - 1, "model"]
    return f"Failed in the last window: {', '.join(missing)}." if len(missing) else ""


def _examples(result: Findings) -> list[tuple[str, int]]:
    """Up to three series worth a look: where the leading model does best against another, as usual, and worst."""
    rows = result.part("scores", ["model", "series", "metric", "value"])
    rows = rows[rows["metric"] == result.settings.metrics[0]]
    each = as_loss(rows.set_index(["series", "model"])["value"], result.settings.metrics[0])
    wide = each.groupby(level=["series", "model"]).mean().unstack("model")
    order = [model for model in result.ranking()["model"] if model in wide]
    if len(order) > 1:
        rival = result.reference if result.reference in order[1:] else order[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (wide[order[0]] / wide[rival]).dropna().sort_values(kind="stable")
        if len(ratio) > 3:
            kinds = [f"where {order[0]} does {how} against {rival}" for how in ("best", "as well as usual", "worst")]
            return [(why, int(ratio.index[i])) for why, i in zip(kinds, (0, len(ratio) // 2, -1), strict=True)]
    forecast = np.unique(result.part("scores", ["series"])["series"])
    chosen = forecast[np.unique(np.linspace(0, len(forecast) - 1, 3).round().astype(int))]
    return [("", int(series)) for series in chosen]


def _legend(models: Sequence[str]) -> list[LegendKey]:
    styles = map(figures.style, range(len(models)))
    return [
        LegendKey(model, colour, " ".join(f"{2.4 * dash:g}" for dash in dashes))
        for model, (colour, dashes) in zip(models, styles, strict=True)
    ]


def _by_window(result: Findings, metric: str) -> Table | None:
    rows = result.part("scores", ["model", "window", "metric", "value", "cutoff"])
    rows = rows[rows["metric"] == metric].dropna(subset="value")
    if rows.empty:
        return None
    grouped = rows.groupby("model")["value"]
    spread = pd.DataFrame({"mean": grouped.mean(), "median": grouped.median(), "90 %": grouped.quantile(0.9)})
    windows = rows.groupby(["model", "window"])["value"].mean().unstack("window")
    shown = windows.iloc[:, -SHOWN_WINDOWS:]
    last = rows.groupby("window")["cutoff"].max().loc[list(shown.columns)]
    cutoffs = [format_time(cutoff).replace("-", "\N{NON-BREAKING HYPHEN}") for cutoff in last]
    table = pd.concat([spread, shown], axis=1).reindex(
        [model for model in result.ranking()["model"] if model in spread.index]
    )
    cells = np.reshape(format_column(pd.Series(table.to_numpy().ravel())), table.shape)
    return Table(
        header=["model", "mean", "median", "90 %", *cutoffs],
        rows=[[str(model), *line] for model, line in zip(table.index, cells.tolist(), strict=True)],
        note=f"The last {SHOWN_WINDOWS} of {windows.shape[1]} windows." if windows.shape[1] > SHOWN_WINDOWS else "",
    )


def _failures(result: Findings) -> Table | None:
    table = result.tables["failures"]
    if table.empty:
        return None
    return Table(
        header=["model", "cutoff", "error"],
        rows=[
            [str(row.model), format_time(row.cutoff), shorten(str(row.error), 600)]
            for row in table.head(SHOWN_FAILURES).itertuples()
        ],
        texts=(2,),
        note=f"The first {SHOWN_FAILURES} of {len(table)}." if len(table) > SHOWN_FAILURES else "",
    )


def _left_out(result: Findings) -> Table | None:
    table = result.tables["left_out"]
    if table.empty:
        return None
    counts = table.groupby(["model", "series"], sort=False, observed=True).size()
    note = "These models could not forecast these series and left them out; their scores are means over the rest."
    note += f" The first {SHOWN_FAILURES} of {len(counts)}." if len(counts) > SHOWN_FAILURES else ""
    shown = counts.iloc[:SHOWN_FAILURES]
    models, series = (shown.index.get_level_values(level) for level in range(2))
    names = result.panel.ids[series]
    rows = [[str(cell) for cell in row] for row in zip(models, names, shown, strict=True)]
    return Table(["model", "series", "windows"], rows, texts=(1,), note=note)


def _versions(result: Findings) -> str:
    found = [f"tsformers {__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{format_duration(result.seconds)} for this call. {', '.join(found)}."


def _is_finite_anywhere(table: pd.DataFrame) -> bool:
    return bool(np.isfinite(table.to_numpy(dtype=np.float64)).any())
