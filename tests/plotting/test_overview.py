"""The chart of series as they were read."""

import numpy as np

from tsformers.plotting.overview import Series, overview_chart


def test_each_series_has_a_panel_and_runs_of_missing_steps_are_shaded():
    days = np.arange("2024-01-01", "2024-01-11", dtype="M8[D]").astype("M8[ns]")
    values = np.array([1.0, np.nan, np.nan, 2.0, 3.0, np.nan, 4.0, 5.0, 6.0, np.nan])
    figure = overview_chart([Series("a", days, values), Series("b", np.arange(3), np.ones(3))], "Europe/Berlin")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    shaded = [len(shapes.get_paths()) for shapes in figure.axes[0].collections]
    assert shaded == [3] and not figure.axes[1].collections
