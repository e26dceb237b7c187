"""The commands models list and show."""

import io

import pandas as pd


def test_a_model_shows_its_settings_and_their_defaults(run):
    code, out, _ = run("models", "show", "SeasonalNaive")
    frame = pd.read_csv(io.StringIO(out), keep_default_na=False).set_index("setting")
    assert (
        code == 0 and frame.loc["horizon", "default"] == "required" and frame.loc["season_length", "default"] == "None"
    )
