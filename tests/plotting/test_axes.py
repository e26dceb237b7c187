"""A chart is pyplot's current figure: savefig, show and notebooks mean it, and the command line needs no display."""

import os
import pickle
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsformers.data.forecast import Forecast
from tsformers.plotting.axes import MOST_OPEN, is_open, new_figure, off_screen

plt = pytest.importorskip("matplotlib.pyplot")

MAKE = (
    "import numpy, pandas; from tsformers.data.forecast import Forecast\n"
    "forecast = Forecast(pandas.Index(['a']), numpy.array([[1, 2]]), numpy.arange(4.0).reshape(1, 2, 2), freq=1)\n"
)
SCREEN = """
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas
class FigureManager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, **_):
        from matplotlib._pylab_helpers import Gcf
        print("shown", [len(manager.canvas.figure.axes) for manager in Gcf.get_all_fig_managers()])
FigureCanvas.manager_class = FigureManager
"""
NOTEBOOK = """
import sys, types
shown = []
IPython = types.ModuleType("IPython"); IPython.version_info = (9, 0); IPython.get_ipython = lambda: None
IPython.display = types.ModuleType("IPython.display")
IPython.display.display = lambda data, raw: shown.append(data["image/png"][:4])
sys.modules |= {"IPython": IPython, "IPython.display": IPython.display}
def cell(value, last=True):  # what IPython does after a cell: the value is displayed, then all figures of pyplot
    if last:
        value._ipython_display_()
    import matplotlib.pyplot as plt
    for number in plt.get_fignums():
        shown.append("pyplot")
    plt.close("all")
"""


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def python(code: str, folder: Path, **environment: str) -> list[str]:
    (folder / "screen.py").write_text(SCREEN)
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MPLBACKEND")}
    kept |= {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])} | environment
    done = subprocess.run([sys.executable, "-P", "-W", "error::UserWarning", "-c", code], cwd=folder, env=kept,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "script",
    [
        "import matplotlib.pyplot as plt\n" + MAKE + "figure = forecast.plot()\n",
        MAKE + "figure = forecast.plot()\nimport matplotlib.pyplot as plt\n",
    ],
    ids=["pyplot first", "pyplot later"],
)
def test_pyplot_saves_the_forecast(tmp_path, script):
    python(script + "plt.savefig('pyplot.png'); figure.savefig('figure.png')", tmp_path)
    picture = (tmp_path / "pyplot.png").read_bytes()
    assert len(picture) > 5000
    assert picture == (tmp_path / "figure.png").read_bytes()


def test_show_in_a_script_shows_the_forecast(tmp_path):
    code = MAKE + "forecast.plot()\nimport matplotlib.pyplot as plt; plt.show()"
    assert python(code, tmp_path, MPLBACKEND="module://screen") == ["shown [1]"]


@pytest.mark.parametrize("last", [True, False])
def test_a_notebook_displays_one_picture(tmp_path, last):
    code = NOTEBOOK + MAKE + f"figure = forecast.plot(); cell(figure, last={last}); print(shown)\n"
    code += "cell(figure); print(shown)"  # the value of a later cell, when pyplot has closed it
    found = python(code, tmp_path, MPLBACKEND="module://screen")
    assert found == ["['pyplot']", "['pyplot', b'\\x89PNG']"]


def test_ipython_without_a_screen_displays_one_picture(tmp_path):
    code = NOTEBOOK + MAKE + "forecast.plot()._ipython_display_(); print(shown)"
    assert python(code, tmp_path, MPLBACKEND="agg") == ["[b'\\x89PNG']"]


def test_a_backend_that_cannot_start_does_not_keep_a_chart_from_being_saved(tmp_path):
    python(MAKE + "forecast.plot().savefig('f.png')", tmp_path, MPLBACKEND="module://nothing_of_that_name")
    assert (tmp_path / "f.png").stat().st_size > 5000


def test_the_command_line_knows_no_pyplot(tmp_path):
    frame = pd.DataFrame({"unique_id": "a", "ds": range(9), "y": 1.0})
    frame.to_csv(tmp_path / "a.csv", index=False)
    code = (
        "import sys; from tsformers.cli.app import main\n"
        "arguments = 'forecast a.csv --model SeasonalNaive --horizon 2 --plot f.png --output out.csv'\n"
        "main(arguments.split()); print('matplotlib.pyplot' in sys.modules)"
    )
    assert python(code, tmp_path, MPLBACKEND="tkagg")[-1] == "False"
    assert (tmp_path / "f.png").stat().st_size > 5000


def test_many_charts_do_not_pile_up():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = [new_figure(2, 2) for _ in range(30)]
    assert [is_open(figure) for figure in figures] == [False] * (30 - MOST_OPEN) + [True] * MOST_OPEN
    assert figures[0]._repr_png_().startswith(b"\x89PNG")


def test_figures_of_the_caller_stay_open():
    own = plt.figure()
    for _ in range(16):
        new_figure(2, 2)
    assert is_open(own)


def test_a_chart_of_another_thread_is_unknown_to_pyplot():
    found = []
    thread = threading.Thread(target=lambda: found.append(new_figure(2, 2)))
    thread.start()
    thread.join()
    assert not is_open(found[0])
    assert plt.get_fignums() == []


def test_charts_off_screen_leave_the_current_figure_alone():
    current = plt.figure()
    with off_screen():
        assert not is_open(new_figure(2, 2))
    assert plt.gcf() is current
    assert is_open(new_figure(2, 2))


def test_a_chart_can_be_pickled():
    forecast = Forecast(pd.Index(["a"]), np.array([[1, 2]]), np.ones((1, 2, 2)), freq=1)
    assert pickle.loads(pickle.dumps(forecast.plot())).axes  # noqa: S301
