"""The choice of the context length and of the number of validation windows."""

import numpy as np

from tsformers.training.context_length import default_context, default_validation


def test_panels_of_few_series_have_more_validation_windows_of_each_but_no_more_than_a_tenth():
    assert default_validation(np.full(8, 6000), 30) == 8
    assert default_validation(np.full(8, 600), 30) == 2
    assert default_validation(np.array([60]), 4) == 1
    assert default_validation(np.full(767, 84), 12) == 1


def test_the_default_context_is_long_where_it_can_be_and_never_too_long_to_train():
    assert default_context(np.array([1000]), 24, [24]) == 48
    assert default_context(np.array([1000]), 24, [24, 168]) == 336
    assert default_context(np.array([1000]), 24, [96, 672]) == 192
    assert default_context(np.array([10000]), 24, [1440, 10080]) == 48
    assert default_context(np.array([1000, 5]), 24, [24]) == 48  # fit refuses the short one by name
    assert default_context(np.array([3]), 4, [7]) == 1
