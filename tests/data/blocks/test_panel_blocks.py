"""Blocks of a panel are views of its series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers.data.blocks.panel_blocks import panel_block, row_blocks, series_at
from tsformers.data.panel import Panel
from tsformers.testing import make_frame

PANEL = Panel.from_frame(make_frame(5, 20).assign(price=1.0), known=["price"])


@given(st.integers(1, 120))
def test_row_blocks_are_the_whole_panel_and_hold_no_more_rows_than_asked(rows):
    blocks = list(row_blocks(PANEL, rows))
    assert np.concatenate([part.y for _, part in blocks]).tolist() == PANEL.y.tolist()
    assert [start for start, _ in blocks] == np.cumsum([0, *(part.n_series for _, part in blocks[:-1])]).tolist()
    assert all(len(part.y) <= rows or part.n_series == 1 for _, part in blocks)


def test_a_block_is_a_view():
    part = panel_block(PANEL, 1, 3)
    assert np.shares_memory(part.y, PANEL.y)
    assert np.shares_memory(part.known, PANEL.known)


@pytest.mark.parametrize("positions", [[1, 2, 3], [4], [3, 1], [0, 2, 4]])
def test_series_are_those_of_select(positions):
    part, expected = series_at(PANEL, np.array(positions)), PANEL.select(np.array(positions))
    assert part.ids.equals(expected.ids)
    assert part.offsets.tolist() == expected.offsets.tolist()
    assert part.ends.tolist() == expected.ends.tolist()
    assert part.y.tolist() == expected.y.tolist()
    assert part.static.index.equals(expected.static.index)
    assert part.future_times(3).tolist() == expected.future_times(3).tolist()
