"""A backtest as one HTML page that needs nothing else: tables, fans, CRPS by step ahead, calibration."""

import importlib.util
import platform
from collections.abc import Iterable, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

import tsformers.evaluation.figures as charts
from tsformers import __version__
from tsformers.data.dataframes import stamps
from tsformers.evaluation.results import Findings, loss

SHOWN_WINDOWS = 10  # columns of a table of scores by window
SHOWN_FAILURES = 50
SMALL = 1e-3  # a column of smaller numbers is written with exponents
NOTHING = "\N{EN DASH}"
PACKAGES = ("numpy", "pandas", "torch", "statsmodels", "gluonts", "joblib")
STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f6f7f9; color: #1c2430; font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 56px; }
h1 { font-size: 28px; margin: 0 0 4px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 10px; }
h3 { font-size: 15px; margin: 18px 0 6px; overflow-wrap: anywhere; }
h3 .quiet { font-weight: 400; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 20px; font-size: 13.5px; margin-bottom: 6px; }
.legend svg { vertical-align: middle; margin-right: 7px; }
section { background: #fff; border: 1px solid #e1e5ea; border-radius: 10px; padding: 18px 20px; margin-top: 18px; }
p { margin: 8px 0; max-width: 88ch; }
.quiet { color: #5a6572; font-size: 13.5px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 14px 5px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid #edf0f3; }
th { white-space: normal; font-weight: 600; color: #45505d; border-bottom: 2px solid #cfd6de; vertical-align: bottom; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.text { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 16ch; }
tr.best td { background: #eef6fb; font-weight: 600; }
dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 3px 18px; margin: 0; font-size: 14px; }
dt { color: #5a6572; }
dd { margin: 0; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; margin: 6px auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 14px; }
.up { color: #00664a; } .down { color: #a33c00; }
code { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
"""


def write_report(result: Findings, path: str | Path, title: str | None = None) -> Path:
    """Write the page; it holds its own pictures and style, and asks no other place for anything.

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
    """The page as text; without matplotlib it has tables only, and says so.

    Args:
        result: of a backtest.
        title: heading; None = "Backtest".

    Returns:
        HTML.
    """
    name = escape(title or "Backtest")
    parts = [_heading(result, name), _ranking(result), _settings(result)]
    if result.tables["forecasts"].empty:
        parts.append("<section><p>No window was finished, so there is nothing to draw.</p></section>")
    elif importlib.util.find_spec("matplotlib") is None:
        parts.append(
            "<section><p>Pictures need matplotlib: <code>pip install 'tsformers[plot]'</code>, then write this report "
            "again.</p></section>"
        )
    else:
        parts += [_fans(result), _quality(result)]
    parts += [_metrics(result), _failures(result), _left_out(result), _colophon(result)]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{name}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, parts))
        + "\n</main>\n</body>\n</html>\n"
    )


def _heading(result: Findings, name: str) -> str:
    settings = result.settings
    words = (
        f"{_counted(len(result.models), 'model')} on {_counted(result.panel.n_series, 'series', 'series')}, "
        f"{_counted(settings.windows, 'window')} of {_counted(settings.horizon, 'step')}; "
        f"finished {result.when[:16].replace('T', ' ')} UTC"
    )
    return f'<header><h1>{name}</h1><p class="quiet">{escape(words)}</p></header>'


def _ranking(result: Findings) -> str:
    table, metrics = result.ranking(), result.settings.metrics
    columns = [_numbers(table[metric]) for metric in metrics]
    columns += [
        [_percent(skill) for skill in table["skill"]],
        *(table[name].astype(str).tolist() for name in ("windows", "failures")),
    ]
    columns += [[_seconds(value) for value in table[name]] for name in ("fit_seconds", "predict_seconds")]
    rows = [[str(rank), escape(model)] for rank, model in enumerate(table["model"], start=1)]
    rows = [[*row, *cells] for row, cells in zip(rows, zip(*columns, strict=True), strict=True)]
    header = ["", "model", *map(escape, metrics), "skill", "windows", "failed", "fit", "predict"]
    first, reference = escape(metrics[0]), escape(result.reference)
    note = (
        f"Ranked by mean {first} over series and windows. Skill is how much smaller {first} is than that of "
        f"{reference}, as the geometric mean over series of the ratio of the two: positive is better, whatever "
        "the scale of a series."
    )
    return _section("Ranking", _table(header, rows, best=0, texts=(1,)) + f'<p class="quiet">{note}</p>')


def _settings(result: Findings) -> str:
    settings, panel = result.settings, result.panel
    rows = panel.ends - panel.offsets[:-1]
    span = stamps(np.array([panel.times[panel.offsets[:-1]].min(), panel.times[panel.ends - 1].max()]), panel.schema)
    refit = "at every cutoff" if settings.refit else "once, at the first cutoff"
    if not isinstance(settings.refit, bool):
        refit = f"at every {settings.refit}. cutoff"
    lengths = f"{rows.min():,}" if rows.min() == rows.max() else f"{rows.min():,} to {rows.max():,}"
    facts = {
        "data": f"{_counted(panel.n_series, 'series', 'series')} of {lengths} rows, "
        f"{int(np.isnan(panel.y).sum()):,} missing values",
        "time": f"{_day(span[0])} to {_day(span[1])} {panel.schema.tz or ''}".rstrip() + f", frequency {panel.freq}",
        "covariates": ", ".join([*panel.schema.known, *panel.schema.past, *map(str, panel.static.columns)]) or "none",
        "windows": f"{settings.windows}, {_counted(settings.step, 'step')} apart, horizon {settings.horizon}",
        "fitted": refit,
        "draws": f"{settings.n_samples} a series and window, seed {settings.seed}",
    } | result.described
    items = "".join(f"<dt>{escape(name)}</dt><dd>{_clip(text)}</dd>" for name, text in facts.items())
    return _section("Settings", f"<dl>{items}</dl>")


def _fans(result: Findings) -> str:
    parts = []
    for words, series in _examples(result):
        figure = charts.fans(result, series)
        name = escape(str(result.panel.ids[series]))
        if figure is not None:
            parts.append(
                f"<h3>{name} <span class='quiet'>{words}</span></h3>{charts.picture(figure, f'fans of {name}')}"
            )
    failed = result.tables["failures"]
    missing = failed.loc[failed["window"] == result.settings.windows - 1, "model"]
    note = f"Failed in the last window: {', '.join(missing)}." if len(missing) else ""
    return _section("Forecasts of the last window", _quiet(escape(note)) + "".join(parts))


def _examples(result: Findings) -> list[tuple[str, int]]:
    """Up to three series worth a look: where the leading model does best against another, as usual, and worst."""
    rows = result.tables["scores"]
    rows = rows[rows["metric"] == result.settings.metrics[0]]
    each = loss(rows.set_index(["series", "model"])["value"], result.settings.metrics[0])
    wide = each.groupby(level=["series", "model"]).mean().unstack("model")
    order = [model for model in result.ranking()["model"] if model in wide]
    if len(order) > 1:
        rival = result.reference if result.reference in order[1:] else order[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (wide[order[0]] / wide[rival]).dropna().sort_values(kind="stable")
        if len(ratio) > 3:
            leader, other = escape(order[0]), escape(rival)
            kinds = [f"where {leader} does {how} against {other}" for how in ("best", "as well as usual", "worst")]
            return [(words, int(ratio.index[i])) for words, i in zip(kinds, (0, len(ratio) // 2, -1), strict=True)]
    there = np.unique(result.tables["forecasts"]["series"])
    chosen = there[np.unique(np.linspace(0, len(there) - 1, 3).round().astype(int))]
    return [("", int(series)) for series in chosen]


def _quality(result: Findings) -> str:
    """CRPS by step ahead, promised against found coverage, and where the truth fell."""
    pictures, notes = [], []
    if result.settings.horizon > 1 and np.isfinite(charts.crps_by_step(result).to_numpy(dtype=np.float64)).any():
        pictures.append(charts.picture(charts.step_chart(result), "mean CRPS of every model by step ahead"))
        notes.append(
            "CRPS by step ahead: each series is divided by the mean CRPS that the reference, "
            f"{escape(result.reference)}, has on it, so that all series count alike; lower is better."
        )
    below = ""
    if result.tables["forecasts"]["pit"].notna().any():
        pictures.append(charts.picture(charts.reliability_chart(result), "promised against found coverage, by model"))
        below = charts.picture(charts.pit_chart(result), "histograms of PIT values, by model")
        notes.append(
            "Coverage: on the diagonal, intervals hold the truth as often as they promise; below it a model is too "
            "sure of itself, above it too cautious. A histogram should be flat: a U is too narrow, a hill too wide, a "
            "slope is biased."
        )
    content = f'{_legend(result.models)}<div class="pair">{"".join(pictures)}</div>{below}{"".join(map(_quiet, notes))}'
    return _section("Error by step ahead, and calibration", content) if pictures else ""


def _legend(models: Sequence[str]) -> str:
    """Which line is whose, for the pictures below."""
    entries = []
    for position, model in enumerate(models):
        colour, dashes = charts.style(position)
        line = f'stroke="{colour}" stroke-width="2.4" stroke-dasharray="{" ".join(f"{2.4 * d:g}" for d in dashes)}"'
        drawn = f'<svg width="36" height="8" aria-hidden="true"><line x1="0" y1="4" x2="36" y2="4" {line}/></svg>'
        entries.append(f"<span>{drawn}{escape(model)}</span>")
    return f'<div class="legend">{"".join(entries)}</div>'


def _metrics(result: Findings) -> str:
    return _section(
        "Scores by window",
        "".join(f"<h3>{escape(metric)}</h3>{_by_window(result, metric)}" for metric in result.settings.metrics),
    )


def _by_window(result: Findings, metric: str) -> str:
    rows = result.tables["scores"]
    rows = rows[rows["metric"] == metric].dropna(subset="value")
    if rows.empty:
        return "<p>No scores.</p>"
    grouped = rows.groupby("model")["value"]
    spread = pd.DataFrame({"mean": grouped.mean(), "median": grouped.median(), "90 %": grouped.quantile(0.9)})
    windows = rows.groupby(["model", "window"])["value"].mean().unstack("window")
    shown = windows.iloc[:, -SHOWN_WINDOWS:]
    last = rows.groupby("window")["cutoff"].max().loc[list(shown.columns)]
    header = [
        "model",
        "mean",
        "median",
        "90 %",
        *(escape(_day(cutoff)).replace("-", "\N{NON-BREAKING HYPHEN}") for cutoff in last),
    ]
    table = pd.concat([spread, shown], axis=1).reindex(
        [model for model in result.ranking()["model"] if model in spread.index]
    )
    cells = np.reshape(_numbers(pd.Series(table.to_numpy().ravel())), table.shape)
    body = [[escape(str(model)), *line] for model, line in zip(table.index, cells.tolist(), strict=True)]
    note = f"The last {SHOWN_WINDOWS} of {windows.shape[1]} windows." if windows.shape[1] > SHOWN_WINDOWS else ""
    return _table(header, body) + _quiet(note)


def _failures(result: Findings) -> str:
    table = result.tables["failures"]
    if table.empty:
        return ""
    rows = [
        [escape(str(row.model)), escape(_day(row.cutoff)), _clip(str(row.error), 600)]
        for row in table.head(SHOWN_FAILURES).itertuples()
    ]
    note = f"The first {SHOWN_FAILURES} of {len(table)}." if len(table) > SHOWN_FAILURES else ""
    return _section("Failures", _table(["model", "cutoff", "error"], rows, texts=(2,)) + _quiet(note))


def _left_out(result: Findings) -> str:
    table = result.tables["left_out"]
    if table.empty:
        return ""
    id_col = result.panel.schema.id_col
    groups = [(name, part) for name, part in table.groupby(["model", id_col], sort=False)]
    rows = [
        [escape(str(model)), escape(str(series)), str(len(part))] for (model, series), part in groups[:SHOWN_FAILURES]
    ]
    note = "These models could not forecast these series and left them out; their scores are means over the rest."
    note += f" The first {SHOWN_FAILURES} of {len(groups)}." if len(groups) > SHOWN_FAILURES else ""
    return _section("Left out", _table(["model", "series", "windows"], rows, texts=(1,)) + _quiet(note))


def _colophon(result: Findings) -> str:
    found = [f"tsformers {__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return _quiet(escape(f"{_seconds(result.seconds)} for this call. {', '.join(found)}."))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _quiet(words: str) -> str:
    return f'<p class="quiet">{words}</p>' if words else ""


def _table(
    header: Sequence[str], rows: Iterable[Sequence[str]], best: int | None = None, texts: Sequence[int] = ()
) -> str:
    """Cells are HTML already; those of the columns ``texts`` are set as text."""
    kinds = [' class="text"' if place in texts else "" for place in range(len(header))]
    head = "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, header, strict=True))
    body = "".join(
        f"<tr{' class=best' if place == best else ''}>"
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _numbers(values: pd.Series) -> list[str]:
    """Numbers of one column with as many decimals as four digits of its largest, or two of its smallest, need."""
    array = values.to_numpy(dtype=np.float64)
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    decimals = 0
    if len(sizes) and sizes.max() < SMALL:
        return [f"{value:.3g}" if np.isfinite(value) else NOTHING for value in array]
    if len(sizes):
        decimals = int(np.clip(max(3 - np.floor(np.log10(sizes.max())), 1 - np.floor(np.log10(sizes.min()))), 0, 6))
    return [f"{value:,.{decimals}f}" if np.isfinite(value) else NOTHING for value in array]


def _percent(share: float) -> str:
    if not np.isfinite(share):
        return NOTHING
    text = f"{100 * share:+.1f} %".replace("-", "\N{MINUS SIGN}")
    return f'<span class="{"up" if share > 0 else "down"}">{text}</span>' if share else "0 %"


def _seconds(value: float) -> str:
    if value >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _day(stamp: object) -> str:
    """A time without the parts that say nothing."""
    if not isinstance(stamp, pd.Timestamp):
        return str(stamp)
    midnight = stamp == stamp.normalize()
    return f"{stamp:%Y-%m-%d}" if midnight else f"{stamp:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _clip(text: str, most: int = 400) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
