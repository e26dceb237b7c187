"""What tells one backtest from another."""

import numpy as np
import pytest

import tsformers as tsf
from tsformers.data.panel import Panel
from tsformers.evaluation.run_identity import describe, differences, fingerprint
from tsformers.forecasters.redsds import Widths
from tsformers.forecasters.seasonal_naive import SeasonalNaive

from .conftest import Walk, frame

RUN = {"format": 1, "settings": {"windows": 2}, "data": "d", "models": {"m": {"class": "mine.Walk", "spread": "1.0"}}}


def described(**model):
    return RUN | {"models": {"m": RUN["models"]["m"] | model}}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (RUN, []),
        (RUN | {"format": 2}, ["it was written in format 1, this version writes 2"]),
        (RUN | {"settings": {"windows": 2, "short": "drop"}}, ["short was None, now drop"]),
        (RUN | {"data": "e"}, ["the data differ"]),
        (described(spread="2.0"), ["spread of model 'm' was 1.0, now 2.0"]),
        (described(**{"class": "yours.Walk"}), ["model 'm' was mine.Walk, now yours.Walk"]),
        (RUN | {"models": {"other": {"class": "mine.Walk"}}}, []),
    ],
)
def test_every_difference_is_named(other, expected):
    assert differences(RUN, other) == expected


def test_a_class_of_ours_may_have_moved_to_another_module():
    old, new = (described(**{"class": f"tsformers.forecasters.{module}.LRU"}) for module in ("lru", "lru.forecaster"))
    assert differences(old, new) == []


def test_the_fingerprint_changes_with_every_part_of_the_data():
    df = frame(price=1.0)
    panels = [
        Panel.from_frame(df),
        Panel.from_frame(df, known=["price"]),
        Panel.from_frame(df.assign(y=df["y"].where(df.index > 0))),
        Panel.from_frame(df.assign(ds=df["ds"] + 1)),
        Panel.from_frame(df.assign(unique_id="x" + df["unique_id"])),
    ]
    assert len({fingerprint(panel) for panel in panels}) == len(panels)
    assert fingerprint(panels[0]) == fingerprint(Panel.from_frame(df.sample(frac=1, random_state=0)))


def test_settings_without_effect_on_numbers_are_not_described():
    assert describe(SeasonalNaive(horizon=4, verbose=True)) == describe(SeasonalNaive(horizon=4))
    assert describe(Walk(spread=2.0)) != describe(Walk())
    assert len(describe(Walk(spread=np.ones(1000)))["spread"]) < 40


def test_a_run_of_the_former_version_is_the_same_run_under_todays_names():
    model = tsf.REDSDS(horizon=4, widths=Widths(control=8))
    today = describe(model)
    former = {{"widths.control": "d_control"}.get(key, key): text for key, text in today.items()}
    former |= {"class": "tsformers.forecasters.redsds.REDSDS", "preset": "None"}
    page = {"format": 1, "settings": {}, "data": "", "models": {"a": today}}
    assert differences(page | {"models": {"a": former}}, page) == []
    assert differences(page | {"models": {"a": former | {"d_control": "9"}}}, page) == [
        "widths.control of model 'a' was 9, now 8"
    ]
