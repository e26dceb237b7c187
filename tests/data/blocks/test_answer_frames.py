"""Blocks written one after another are the table of the whole forecast."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.blocks import answer_frames as module
from tsformers.data.blocks.answer_frames import answer_frames
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast

STARTS = ["2024-01-01", "2024-01-02 06:00", "2024-03-31 00:30", "2024-01-01 00:00:00.25"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(STARTS), min_size=1, max_size=6),
    st.sampled_from(["D", "h", "15min"]),
    st.sampled_from([None, "Europe/Berlin"]),
    st.sampled_from(["D", "s", "us", "ns"]),
    st.integers(1, 3),
)
def test_text_is_that_of_the_whole_table_whatever_the_blocks(starts, freq, tz, unit, size):
    times = np.stack([pd.date_range(start, periods=2, freq=freq).as_unit("ns").to_numpy() for start in starts])
    values = np.arange(len(starts) * 4.0).reshape(-1, 2, 2)
    whole = Forecast([f"s{i}" for i in range(len(starts))], times, values, schema=Schema(tz=tz, unit=unit))
    blocks = [whole.select(np.arange(i, min(i + size, len(starts)))) for i in range(0, len(starts), size)]
    frames = answer_frames(iter(blocks), (0.5,), text=True)
    text = "".join(frame.to_csv(index=False, header=k == 0) for k, frame in enumerate(frames))
    assert text == whole.to_frame((0.5,)).to_csv(index=False)
    found = pd.concat([*answer_frames(iter(blocks), (0.5,))], ignore_index=True)
    pd.testing.assert_frame_equal(found, whole.to_frame((0.5,)), check_exact=True)


def test_integer_times_stay_integers():
    whole = Forecast(["a", "b"], np.array([[1], [2]]), np.ones((2, 1, 1)))
    frames = [*answer_frames(iter([whole.select([0]), whole.select([1])]), (), text=True)]
    assert [frame["ds"].tolist() for frame in frames] == [[1], [2]]


def test_only_the_first_blocks_are_held():
    taken = []
    whole = Forecast(["a", "b", "c", "d"], np.arange(4)[:, None], np.ones((4, 1, 1)))

    def blocks():
        for i in range(4):
            taken.append(i)
            yield whole.select([i])

    with mock.patch.object(module, "NUMBERS_HELD", 1):
        frames = answer_frames(blocks(), ())
        next(frames)
        assert taken == [0, 1]
        assert len([*frames]) == 3


@pytest.mark.parametrize("blocks", [[], [Forecast(["a"], np.array([[1]]), np.ones((1, 1, 1)))]])
def test_no_block_makes_no_frame(blocks):
    assert len([*answer_frames(iter(blocks), ())]) == len(blocks)
