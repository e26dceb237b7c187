import json

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.calendar.grid import parse
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder
from tsformers.storage.folder import MODEL
from tsformers.testing import make_frame


def of_format_1(code):
    """Encoded values as format 1 wrote them: panels and forecasts held the name of their frequency."""
    if isinstance(code, list):
        return [of_format_1(item) for item in code]
    if not isinstance(code, dict):
        return code
    code = {key: of_format_1(item) for key, item in code.items()}
    if code.get("$") == "record" and "grid" in code["v"]:
        grid = code["v"].pop("grid")
        code["v"]["freq"] = None if grid is None else grid["v"]["freq"]
    return code


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_a_panel_of_format_1_has_the_grid_of_its_frequency_and_zone(tz):
    frame = make_frame(2, 20).assign(ds=lambda f: f["ds"].dt.tz_localize(tz))
    panel, encoder = tsf.Panel.from_frame(frame), Encoder()
    code = of_format_1(json.loads(json.dumps(encoder.value(panel, ()))))
    back = Decoder(encoder.arrays, {}, 1).value(code)
    assert "freq" in code["v"] and back.grid == panel.grid == parse("D", tz)
    np.testing.assert_array_equal(back.y, panel.y)


@pytest.mark.parametrize("freq", [None, 1, "ME"])
def test_a_forecast_of_format_1_has_the_grid_of_its_frequency(freq):
    forecast, encoder = tsf.Forecast(pd.Index(["a"]), np.array([[7, 8]]), np.ones((1, 3, 2)), freq=freq), Encoder()
    back = Decoder(encoder.arrays, {}, 1).value(of_format_1(encoder.value(forecast, ())))
    assert back.grid == forecast.grid and back.freq == freq


def test_a_decomposition_of_format_1_kept_the_name_and_the_zone_of_its_frequency(tmp_path):
    panel = tsf.Panel.from_frame(make_frame(2, 40))
    fitted = tsf.TrendSeasonalDecomposition().fit(panel)
    fitted.save(tmp_path / "model")
    page = json.loads((tmp_path / "model" / MODEL).read_text())
    page["format"], page["learned"] = 1, of_format_1(page["learned"])
    page["learned"]["grid_"] = {"$": "tuple", "v": ["D", None]}
    (tmp_path / "model" / MODEL).write_text(json.dumps(page))
    loaded = tsf.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(panel).y, fitted.transform(panel).y)
