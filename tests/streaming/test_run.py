"""Parts of a batch, which end where a state is due."""

from hypothesis import given
from hypothesis import strategies as st

from tsformers.streaming.run import MOST_ROWS, parts_of
from tsformers.streaming.source import Batch


@given(st.integers(0, 5000), st.integers(1, 3000), st.data())
def test_parts_cover_the_batch_and_end_where_a_state_is_due(rows, every, data):
    unsaved = data.draw(st.integers(0, every - 1))
    batch = Batch(range(rows), range(rows), range(rows))
    parts = [list(part) for part, *_ in parts_of(batch, every, unsaved)]
    assert [row for part in parts for row in part] == [*range(rows)]
    assert all(0 < len(part) <= MOST_ROWS for part in parts)
    for part in parts:
        unsaved += len(part)
        assert unsaved <= every
        unsaved %= every
