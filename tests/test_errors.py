"""Ends of messages: names that were meant, and the first of many."""

import pytest

from tsformers.errors import did_you_mean, first_names


@pytest.mark.parametrize(
    ("name", "offered", "expected"),
    [
        ("horizont", ["horizon", "windows"], "did you mean 'horizon'?"),
        ("Nile", ["nile", "electricity"], "did you mean 'nile'?"),
        ("crps", ["crps_samples_of_draws", "mae"], "did you mean 'crps_samples_of_draws'?"),
        ("zzz", ["horizon", "windows"], "there are horizon, windows"),
        ("zzz", [], "there are none to choose from"),
    ],
)
def test_close_names_are_proposed_and_else_all_are_listed(name, offered, expected):
    assert did_you_mean(name, offered) == expected


def test_a_shorter_text_may_stand_for_the_list():
    assert did_you_mean("zzz", ["horizon"], otherwise="see the page") == "see the page"


def test_five_names_are_shown_and_more_are_hinted_at():
    assert first_names(["a", 7]) == "'a', 7"
    assert first_names(range(5)) == "0, 1, 2, 3, 4"
    assert first_names(range(6)) == "0, 1, 2, 3, 4, ..."
