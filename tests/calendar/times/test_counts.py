import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.times.counts import parse_counts, prefix_of
from tsformers.calendar.timestamps import looks_like_times, read_times
from tsformers.errors import DataError
from tsformers.places import Places


@pytest.mark.parametrize(
    ("labels", "later"),
    [
        (["W0", "W1", "W12"], "W13"),
        (["w1", "w2"], "w3"),
        (["Week 1", "Week 2"], "Week 3"),
        (["d_1", "d_1941"], "d_1942"),
        (["W01", "W02", "W10"], "W11"),
    ],
)
def test_a_word_and_whole_numbers_count_and_come_back_with_their_word(labels, later):
    times = read_times(pd.Series(labels), "week", Places())
    assert times.integer
    assert times.form.write(times.counts, None).tolist() == labels
    assert times.form.write(times.counts[-1:] + 1, None).tolist() == [later]


@pytest.mark.parametrize("labels", [["W1", "X2"], ["W1", "W"], ["W001", "W02"], ["a", "b"]])
def test_other_labels_are_no_times(labels):
    assert prefix_of(np.array(labels, dtype=object)) is None
    with pytest.raises(DataError):
        read_times(pd.Series(labels), "week", Places())


def test_labels_do_not_make_a_column_of_ids_a_time():
    assert not looks_like_times(pd.Series(["P1", "P2", "P3"]), True)


def test_a_later_label_of_another_word_does_not_fit():
    assert parse_counts(np.array(["W7", "V8", 9], dtype=object), "W").bad.tolist() == [False, True, True]
