"""Fan charts: they show the values of the forecast, keep no global state, and their tick labels do not overlap."""

import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel

HORIZON = 12


def long_frame(n, freq, rows=80, tz=None):
    times = (
        np.arange(rows) * freq if isinstance(freq, int) else pd.date_range("2024-03-25", periods=rows, freq=freq, tz=tz)
    )
    parts = [pd.DataFrame({"unique_id": f"s{i}", "ds": times, "y": np.sin(np.arange(rows) / 3) + i}) for i in range(n)]
    return pd.concat(parts, ignore_index=True)


def forecast_after(frame, freq, horizon=HORIZON, **parts):
    panel = Panel.from_frame(frame, freq=freq)
    draws = np.random.default_rng(0).normal(size=(panel.n_series, 50, horizon))
    return Forecast(panel.ids, panel.future_times(horizon), draws, freq=panel.freq, schema=panel.schema, **parts)


def drawn(axes, colour):
    (line,) = [line for line in axes.lines if line.get_color() == colour]
    return np.asarray(line.get_ydata(), dtype=float)


@pytest.mark.parametrize("freq", [1, "h", "15min", "D", "B", "W-FRI", "ME", "QS-JAN", "YE-DEC"])
@pytest.mark.parametrize("n", [1, 5])
def test_tick_labels_do_not_run_into_each_other(freq, n):
    frame = long_frame(n, freq)
    figure = forecast_after(frame, freq).plot(history=frame, ids=[f"s{i}" for i in range(n)])
    figure.draw_without_rendering()
    assert len(figure.axes) == n
    for axes in figure.axes:
        labels = [label for label in axes.get_xticklabels() if label.get_text()]
        boxes = [label.get_window_extent() for label in labels]
        inside = [box for box in boxes if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]
        assert len(inside) >= 2
        assert all(a.x1 < b.x0 for a, b in pairwise(inside))
        assert max(box.x1 for box in inside) <= figure.bbox.x1


def test_the_picture_shows_median_history_and_actuals():
    frame = long_frame(2, "h", rows=100)
    known = frame.groupby("unique_id").head(100 - HORIZON)
    forecast = forecast_after(known, "h")
    figure = forecast.plot(history=frame, ids=["s1"], context=30)
    (axes,) = figure.axes
    y = frame.loc[frame["unique_id"] == "s1", "y"].to_numpy()
    np.testing.assert_array_equal(drawn(axes, "#00507D"), forecast.median[1])
    np.testing.assert_array_equal(drawn(axes, "#333333"), y[-30 - HORIZON : -HORIZON])
    np.testing.assert_array_equal(drawn(axes, "#D55E00"), y[-HORIZON:])
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    lower, upper = forecast.interval(0.95)[1]
    assert (band.min(), band.max()) == (lower.min(), upper.max())
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "history",
        "actual",
        "median",
        "95 %",
        "80 %",
        "50 %",
    ]


def test_without_ids_the_first_four_series_are_drawn():
    frame = long_frame(6, 1)
    figure = forecast_after(frame, 1).plot(history=Panel.from_frame(frame))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["s0", "s1", "s2", "s3"]


@pytest.mark.parametrize("horizon", [1, 2])
def test_short_horizons_quantiles_and_missing_history_can_be_drawn(horizon):
    frame = long_frame(1, 1)
    ours = forecast_after(frame, 1, horizon=horizon)
    held = Forecast(ours.ids, ours.times, ours.quantile([0.1, 0.5, 0.9]), levels=(0.1, 0.5, 0.9), freq=1)
    for forecast in (ours, held):
        assert forecast.plot(levels=(0.8,))._repr_png_().startswith(b"\x89PNG")  # as notebooks ask for it
        forecast.plot(history=frame, levels=(), context=5).draw_without_rendering()


def test_gaps_break_the_line_and_a_zone_is_kept():
    frame = long_frame(1, "h", tz="Europe/Berlin").drop(index=[75])
    figure = forecast_after(frame, "h").plot(history=frame)
    assert np.isnan(drawn(figure.axes[0], "#333333")).sum() == 1
    assert "Europe/Berlin" in str(figure.axes[0].xaxis.get_major_locator().tz)


def test_what_cannot_be_drawn_is_refused():
    frame = long_frame(2, "h")
    forecast = forecast_after(frame, "h")
    with pytest.raises(ValueError, match="'nobody' is not in this forecast"):
        forecast.plot(ids=["nobody"])
    with pytest.raises(ValueError, match="history has none of the series"):
        forecast.plot(history=frame.assign(unique_id="other"))
    with pytest.raises(ValueError, match="count time differently"):
        forecast.plot(history=Panel.from_frame(long_frame(2, "h", tz="UTC")))
    with pytest.raises(ValueError, match="coverage"):
        forecast.plot(levels=(80.0,))


def test_a_missing_matplotlib_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'tsformers\[plot\]'"):
        forecast_after(long_frame(1, 1), 1).plot()
