import pytest

from tsformers.calendar.grid import parse
from tsformers.calendar.seasons import clock_cycles, cycles, season_length


def test_seasons_are_those_of_the_table():
    seasons = {
        "s": 3600,
        "10s": 360,
        "min": 1440,
        "5min": 288,
        "10min": 144,
        "15min": 96,
        "30min": 48,
        "h": 24,
        "2h": 12,
        "6h": 4,
    }
    seasons |= {
        "5h": 1,
        "24h": 7,
        "D": 7,
        "2D": 1,
        "7D": 52,
        "B": 5,
        "W": 52,
        "W-FRI": 52,
        "2W-FRI": 26,
        "SMS": 24,
        "WOM-3FRI": 12,
    }
    seasons |= {
        "M": 12,
        "MS": 12,
        "ME": 12,
        "BME": 12,
        "2MS": 6,
        "Q": 4,
        "QS": 4,
        "QE-JAN": 4,
        "2QS": 2,
        "Y": 1,
        "YS": 1,
        "ms": 1,
        1: 1,
        7: 1,
    }
    assert {freq: season_length(parse(freq)) for freq in seasons} == seasons


@pytest.mark.parametrize(
    ("freq", "expected"),
    [("h", (24, 168)), ("15min", (96, 672)), ("5h", (1,)), ("s", (3600,)), ("D", (7,)), ("ME", (12,)), (1, (1,))],
)
def test_a_week_is_a_second_cycle_where_the_season_is_a_day(freq, expected):
    assert clock_cycles(parse(freq)) == expected


@pytest.mark.parametrize(
    ("freq", "expected"),
    [("30min", (48, 336)), ("h", (24, 168)), ("D", (7, 365)), ("24h", (7, 365)), ("2D", (1,)), ("W", (52,)), (1, (1,))],
)
def test_a_year_is_a_second_cycle_of_days(freq, expected):
    assert cycles(parse(freq)) == expected
