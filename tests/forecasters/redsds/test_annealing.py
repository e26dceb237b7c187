"""Temperature schedules of REDSDS."""

import pytest

from tsformers.forecasters.redsds import TemperatureAnnealing


def test_by_default_temperatures_reach_their_ends_after_three_fifths_of_the_steps():
    schedule, none = TemperatureAnnealing(switch_temperature=10.0, switch_temperature_end=2.0).schedules(1000)
    assert schedule.at(49) == 10.0
    assert schedule.at(300) == pytest.approx(10 * 0.2 ** (250 / 550))
    assert schedule.at(600) == pytest.approx(2.0)
    assert schedule.at(900) == 2.0
    assert none.at(0) == none.at(1000) == 1.0


def test_given_steps_and_rate_decide_the_schedule():
    annealing = TemperatureAnnealing(duration_temperature=10.0, rate=0.99, every=50, kick_in=1000)
    assert annealing.schedules(1000)[1].at(2000) == pytest.approx(10 * 0.99**20)
