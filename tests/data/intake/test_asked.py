"""What the caller asked for, in one form."""

import pytest

from tsformers import DataError
from tsformers.data.intake.asked import asked, names_of


def test_one_name_several_or_none_are_read_alike():
    assert names_of("shop") == ("shop",) and names_of(7) == (7,) and names_of(None) == ()
    assert names_of(name for name in ("a", "b")) == ("a", "b")
    assert asked(id_col="shop", known=None, past=[]).columns == ("shop",) and asked(past=[]).past == ()


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"id_col": "a", "time_col": "a"}, "'a' was named twice"),
        ({"known": ["y"]}, "'y' has a role already"),
        ({"past": ["p", "p"]}, "'p' has a role already"),
        ({"aggregate": "sum"}, "has no effect without resample="),
    ],
)
def test_a_column_has_one_role(roles, message):
    with pytest.raises(DataError, match=message):
        asked(**roles)
