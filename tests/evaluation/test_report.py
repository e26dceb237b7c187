"""The report: one self-contained file that shows what the result holds and escapes every text."""

import base64
import importlib.util
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import tsformers.evaluation.figures as figures
import tsformers.evaluation.report as report
from tsformers.evaluation.formatting import NOTHING
from tsformers.evaluation.rolling import backtest
from tsformers.forecasters.seasonal_naive import SeasonalNaive

WICKED = "<script>alert(1)</script> & \"q\" 'a' $x^$ _y"
VOID = {"meta", "img", "line", "br"}


class Failing:
    horizon = 6

    def fit(self, data, **roles):
        raise RuntimeError(WICKED)

    def predict(self, data=None, **options):
        raise AssertionError


def frame(n_series=5, rows=60):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    parts = [
        pd.DataFrame({"unique_id": f"shop {i} <b>&$", "ds": days, "y": 10 * i + rng.normal(size=rows).cumsum()})
        for i in range(n_series)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def result():
    models = {
        "naive": SeasonalNaive(horizon=6),
        WICKED: SeasonalNaive(horizon=6, season_length=1),
        "_hidden": SeasonalNaive(horizon=6, season_length=3),
        "broken": Failing(),
    }
    return backtest(models, frame(), windows=3)


@pytest.fixture(scope="module")
def text(result):
    return report.render(result, title=WICKED)


class Page(HTMLParser):
    """Tags in balance, addresses, text and tables of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.tags, self.words, self.rows = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def images(page):
    return [base64.b64decode(a.partition("base64,")[2]).decode() for a in page.addresses]


def test_the_page_is_one_balanced_file_that_loads_nothing_from_elsewhere(result, tmp_path):
    place = result.to_html(tmp_path / "new" / "report.html", title="My run")
    text = place.read_text(encoding="utf-8")
    page = Page(text)
    assert page.addresses and all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    assert not re.search(r"https?://|@import|url\(", text)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "<title>My run</title>" in text


def test_the_users_text_is_never_markup(text):
    assert "<script>" not in text and "<b>" not in text
    words = "".join(Page(text).words)
    assert words.count(WICKED) >= 4  # title, ranking, settings, failures
    assert "shop 0 <b>&$" in words


def test_the_ranking_shows_the_summary(result, text):
    rows = Page(text).rows
    summary = result.summary()
    assert rows[0] == [
        "",
        "model",
        "crps",
        "mase",
        "coverage_80",
        "skill",
        "median",
        "win rate",
        "windows",
        "failed",
        "fit",
        "predict",
    ]
    for row, expected in zip(rows[1:5], summary.itertuples(), strict=True):
        assert row[1] == expected.model
        assert row[8:10] == [str(expected.windows), str(expected.failures)]
        if expected.windows:
            assert float(row[2]) == pytest.approx(expected.crps, rel=1e-3)
            assert float(row[5].replace("\N{MINUS SIGN}", "-").rstrip(" %")) == pytest.approx(
                100 * expected.skill, abs=0.06
            )
    assert rows[4][1:6] == ["broken", NOTHING, NOTHING, NOTHING, NOTHING]
    assert rows[4][10:] == [NOTHING, NOTHING]


def test_intervals_clipped_ratios_and_tests_are_shown(result, text):
    rows, table = Page(text).rows, result.skill_table()
    at = rows.index(
        ["model", "skill", "95 % interval", "median", "win rate", "series", "clipped", "p, against the best"]
    )
    assert [row[0] for row in rows[at + 1 : at + 5]] == table["model"].tolist() == result.summary()["model"].tolist()
    assert [int(row[6]) for row in rows[at + 1 : at + 5]] == table["clipped"].tolist()
    assert f"of {table['series'].sum()} ratios were outside [0.01, 100]" in text
    assert rows[at + 2][7] == f"{table['p_value'][1]:.3f}"


def test_a_report_of_one_model_has_no_table_of_skill():
    page = report.render(backtest(SeasonalNaive(horizon=6), frame(), windows=1))
    assert "<h2>Skill</h2>" not in page


def test_every_metric_has_its_table_by_window_and_failures_are_listed(result, text):
    rows = Page(text).rows
    by_window = [row for row in rows if row[0] == "naive" and len(row) == 4 + 3]
    assert len(by_window) == 3
    scores = result.scores[(result.scores["model"] == "naive") & (result.scores["metric"] == "crps")]
    expected = scores.groupby("cutoff")["value"].mean().tolist()
    assert [float(cell) for cell in by_window[0][4:]] == pytest.approx(expected, rel=1e-3)
    assert [row for row in rows if row[0] == "broken" and len(row) == 3] == [
        ["broken", f"2024-02-{day}", f"RuntimeError: {WICKED}"] for day in (11, 17, 23)
    ]


def test_there_is_a_fan_of_every_model_for_three_series_and_three_pictures_of_quality(text):
    pictures = images(Page(text))
    assert len(pictures) == 3 + 3
    for picture in pictures[:3]:
        assert all(name in picture for name in ("naive", "_hidden", "alert(1)"))
    assert "step ahead" in pictures[3] and "nominal coverage" in pictures[4] and "PIT" in pictures[5]


def test_fans_show_the_last_window_with_its_actuals_on_one_scale(result):
    figure = figures.fans(result, 2)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["naive", figures.escape_dollars(WICKED), "_hidden"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    actual = frame().query("unique_id.str.startswith('shop 2')")["y"].to_numpy()[-6:]
    for axes in figure.axes:
        assert any(np.array_equal(line.get_ydata(), actual) for line in axes.lines)


def test_crps_by_step_counts_series_alike_whatever_their_scale(result):
    table = figures.crps_by_step(result)
    assert table.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert table["naive"].mean() == pytest.approx(1)
    scaled = frame()
    scaled.loc[scaled["unique_id"].str.startswith("shop 1"), "y"] *= 1000
    models = {"naive": SeasonalNaive(horizon=6), "last": SeasonalNaive(horizon=6, season_length=1)}
    a, b = (figures.crps_by_step(backtest(models, data, windows=3)) for data in (frame(), scaled))
    np.testing.assert_allclose(a, b, rtol=1e-9)


def test_without_matplotlib_the_report_has_its_tables_and_names_the_missing_package(result, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else real(name))
    page = Page(report.render(result))
    assert page.addresses == []
    assert "Pictures need matplotlib" in "".join(page.words)
    assert [row[1] for row in page.rows[1:5]] == result.summary()["model"].tolist()


def test_a_backtest_in_which_all_failed_still_has_a_report():
    failed = backtest({"broken": Failing()}, frame(), windows=2)
    page = Page(report.render(failed))
    assert "No window was finished" in "".join(page.words)
    assert len([row for row in page.rows if row[0] == "broken"]) == 2


@pytest.mark.parametrize("kind", ["one step", "no quantiles", "zero errors", "integer time", "time zone", "missing"])
def test_odd_results_have_a_report_too(kind):
    df, horizon, options = frame(2, 40), 4, {}
    if kind == "one step":
        horizon = 1
    elif kind == "no quantiles":
        options = {"quantiles": ()}
    elif kind == "zero errors":
        df["y"] = 1.0
    elif kind == "integer time":
        df["ds"] = df.groupby("unique_id").cumcount()
    elif kind == "time zone":
        df["ds"] = df["ds"].dt.tz_localize("America/New_York")
    else:
        df.loc[df["ds"] > "2024-01-30", "y"] = np.nan
        df.loc[df["ds"] == df["ds"].max(), "y"] = 3.0
    result = backtest(SeasonalNaive(horizon=horizon), df, windows=2, **options)
    page = Page(report.render(result))
    assert len(page.addresses) >= 3
    assert "nan" not in "".join(page.words).lower()
