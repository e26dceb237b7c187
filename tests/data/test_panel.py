import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.grid import parse
from tsformers.data.panel import Panel

LETTERS = st.characters(codec="utf-8", exclude_characters="\0")  # at which pandas.factorize cuts strings off
FREQS = ["15min", "h", "D", "B", "W-FRI", "MS", "ME", "QS-JAN", "YE-DEC", 1, 5]


@st.composite
def frames(draw):
    """A long frame with gaps, of a frequency and zone, and that frequency."""
    freq, tz = draw(st.sampled_from(FREQS)), draw(st.sampled_from([None, "Europe/Berlin", "America/New_York"]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    parts = []
    for name in draw(st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=4, unique=True)):
        n = draw(st.integers(5, 40))
        start = pd.Timestamp("2024-03-01") + pd.Timedelta(days=draw(st.integers(0, 40)))
        grid = np.arange(n) * freq - 20 if isinstance(freq, int) else pd.date_range(start, periods=n, freq=freq, tz=tz)
        kept = rng.random(n) < 0.8
        kept[[0, 1, 2, 3, -1]] = True
        y = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
        y[0] = 1.0
        parts.append(pd.DataFrame({"unique_id": name, "ds": grid, "y": y, "price": rng.normal(size=n)})[kept])
    return pd.concat(parts, ignore_index=True), freq


def in_order(frame):
    return frame.sort_values(["unique_id", "ds"], ignore_index=True)


@given(frames())
@settings(max_examples=40, deadline=None)
def test_a_frame_comes_back_up_to_order_and_filled_gaps(drawn):
    frame, freq = drawn
    back = Panel.from_frame(frame, freq=freq, known=["price"]).to_frame()
    met = back.merge(frame[["unique_id", "ds"]], on=["unique_id", "ds"])
    pd.testing.assert_frame_equal(in_order(met), in_order(frame))
    gaps = (
        back.merge(frame[["unique_id", "ds"]], on=["unique_id", "ds"], how="left", indicator=True)["_merge"]
        == "left_only"
    )
    assert back.loc[gaps.to_numpy(), ["y", "price"]].isna().all(axis=None)
    again = Panel.from_frame(back, freq=freq, known=["price"]).to_frame()
    pd.testing.assert_frame_equal(again, back)


@given(frames(), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(drawn, seed):
    frame, freq = drawn
    one = Panel.from_frame(frame, freq=freq)
    other = Panel.from_frame(frame.sample(frac=1, random_state=seed), freq=freq)
    assert one.ids.equals(other.ids)
    for name in ("offsets", "ends", "times", "y", "past"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@given(frames(), st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_the_future_continues_the_grid_without_a_gap(drawn, horizon):
    frame, freq = drawn
    panel = Panel.from_frame(frame, freq=freq)
    schema, later = panel.schema, panel.future_times(horizon)
    stamps = pd.DatetimeIndex(later[0]) if later.dtype.kind == "M" else later[0]
    if schema.tz is not None:
        stamps = stamps.tz_localize("UTC").tz_convert(schema.tz)
    first = frame[frame["unique_id"] == panel.ids[0]]
    longer = pd.concat([first, pd.DataFrame({"unique_id": panel.ids[0], "ds": stamps, "y": 0.0, "price": 0.0})])
    assert Panel.from_frame(longer, freq=freq).lengths[0] == panel.lengths[0] + horizon


@pytest.fixture
def panel():
    days = pd.date_range("2024-01-01", periods=5)
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 5), "ds": [*days, *days], "y": np.arange(10.0)})
    return Panel.from_frame(frame.assign(price=np.arange(10.0), rain=2.0).drop(index=[5, 6]), known=["price"])


def test_a_panel_comes_back_unchanged(panel):
    assert Panel.from_frame(panel) is panel


def test_series_of_three_rows_and_of_one_are_taken():
    days = pd.date_range("2024-01-01", periods=3)
    panel = Panel.from_frame(pd.DataFrame({"unique_id": [*"aaab"], "ds": [*days, days[0]], "y": 1.0}))
    assert panel.lengths.tolist() == [3, 1] and panel.n_series == 2


def test_select_takes_series_in_any_order(panel):
    part = panel.select(np.array([1, 0]))
    assert part.ids.tolist() == ["b", "a"] and part.y.tolist() == [7, 8, 9, 0, 1, 2, 3, 4]
    assert part.offsets.tolist() == [0, 3, 8] and part.ends.tolist() == [3, 8]
    assert panel.select(np.array([False, True])).ids.tolist() == ["b"]


def test_until_leaves_nothing_of_the_future_but_known_covariates(panel):
    part = panel.until(panel.ends - 2, horizon=1)
    assert part.lengths.tolist() == [3, 1] and part.offsets.tolist() == [0, 4, 6]
    np.testing.assert_array_equal(part.y, [0, 1, 2, np.nan, 7, np.nan])
    np.testing.assert_array_equal(part.past[:, 0], [2, 2, 2, np.nan, 2, np.nan])
    assert part.known[:, 0].tolist() == [0, 1, 2, 3, 7, 8]
    assert part.with_future(None, 1) is part
    with pytest.raises(DataError, match="need their future values"):
        part.with_future(None, 2)


def test_until_does_not_touch_the_panel_it_came_from(panel):
    before = panel.y.copy()
    panel.until(panel.ends - 2, horizon=2)
    np.testing.assert_array_equal(panel.y, before)


def test_a_series_cut_down_to_nothing_has_no_future_times(panel):
    with pytest.raises(DataError, match="series 'b' has no row"):
        panel.until(panel.ends - np.array([0, 3])).future_times(1)


def test_until_refuses_ends_outside_the_history(panel):
    for ends in (panel.ends + 1, panel.offsets[:-1] - 1):
        with pytest.raises(ValueError, match="ends must lie within the histories"):
            panel.until(ends)


def test_tail_keeps_the_end_of_each_history_and_what_is_known_after_it(panel):
    part = panel.until(panel.ends - 1, horizon=1).tail(2)
    np.testing.assert_array_equal(part.y, [2, 3, np.nan, 7, 8, np.nan])
    assert part.ends.tolist() == [2, 5] and part.known[:, 0].tolist() == [2, 3, 4, 7, 8, 9]


def test_padded_fills_in_front(panel):
    np.testing.assert_array_equal(panel.padded(4), [[1, 2, 3, 4], [np.nan, 7, 8, 9]])


def test_to_frame_hands_out_the_history_alone(panel):
    assert panel.until(panel.ends - 1, horizon=1).to_frame()["y"].tolist() == [0, 1, 2, 3, 7, 8]


def test_like_reads_other_series_under_the_same_roles(panel):
    frame = panel.to_frame()
    columns = ["rain", "y", "price", "ds", "unique_id"]
    other = panel.like(frame[columns].assign(unique_id=frame["unique_id"] + "2"))
    assert other.ids.tolist() == ["a2", "b2"] and other.schema == panel.schema
    np.testing.assert_array_equal(other.known, panel.known)
    assert panel.like(frame.iloc[:1]).freq == "D"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.drop(columns="price"),
            r"covariates differ from those of fit: the frame lacks \['price'\]; pass exactly",
        ),
        (lambda frame: frame.assign(wind=1.0), r"covariates differ from those of fit: the frame also has \['wind'\]"),
        (lambda frame: frame.rename(columns={"rain": "wind"}), r"lacks \['rain'\] and also has \['wind'\]"),
        (
            lambda frame: frame.assign(ds=frame["ds"].dt.day),
            "'ds' of the frame holds whole numbers, the data of fit held times",
        ),
        (
            lambda frame: frame.assign(ds=frame["ds"].dt.tz_localize("UTC")),
            "holds times in time zone UTC, the data of fit held times without a time zone",
        ),
        (
            lambda frame: frame.assign(ds=pd.date_range("2024", periods=8, freq="h")),
            "off the grid of fit's freq='D'.*looks like 'h'; pass resample='D'",
        ),
        (
            lambda frame: frame.assign(unique_id="a", ds=pd.date_range("2024", periods=8, freq="W")),
            "steps by 'W-SUN' from row 0 on, not by fit's freq='D'",
        ),
        (lambda frame: frame.assign(y=np.nan), "all NaN"),
        (
            lambda frame: Panel.from_frame(frame),
            r"the panel's past covariates are \['price', 'rain'\], those of fit \['rain'\]",
        ),
        (
            lambda frame: Panel.from_frame(
                frame, known=["price"], static=pd.DataFrame({"s": [1, 2]}, index=["a", "b"])
            ),
            "static covariates",
        ),
        (
            lambda frame: Panel.from_frame(
                frame.assign(ds=frame["ds"] + (frame["ds"] - frame["ds"].min())), known=["price"]
            ),
            "freq are '2D'",
        ),
    ],
)
def test_like_refuses_what_differs_from_fit(panel, change, message):
    with pytest.raises(DataError, match=message):
        panel.like(change(panel.to_frame()))


def test_like_puts_the_past_covariates_of_a_panel_in_order():
    frame = pd.DataFrame({"unique_id": "a", "ds": [0, 1, 2], "y": 1.0, "rain": 2.0, "wind": 3.0})
    panel = Panel.from_frame(frame)
    other = panel.like(Panel.from_frame(frame[["unique_id", "ds", "y", "wind", "rain"]]))
    assert other.schema.past == ("rain", "wind") and other.past[0].tolist() == [2.0, 3.0]


def test_like_remembers_static_covariates_of_the_series_it_knows():
    frame = pd.DataFrame({"unique_id": [*"aabb"], "ds": [0, 1, 0, 1], "y": 1.0})
    sizes = pd.DataFrame({"unique_id": ["a", "b"], "size": [1, 2]})
    panel = Panel.from_frame(frame, static=sizes)
    assert panel.like(frame[frame["unique_id"] == "b"]).static["size"].tolist() == [2.0]
    with pytest.raises(DataError, match=r"series \['c'\] were not in fit.*pass static= with the columns \['size'\]"):
        panel.like(frame.replace("b", "c"))
    assert panel.like(frame.replace("b", "c"), static=sizes.replace("b", "c")).static["size"].tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match="the static frame has no column 'size', which fit had"):
        panel.like(frame, static=sizes.rename(columns={"size": "width"}))


def test_one_bad_series_leaves_the_others_as_they_are():
    days = pd.date_range("2024-01-01", periods=6)
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 6), "ds": [*days, *days], "y": np.arange(12.0)})
    alone = Panel.from_frame(frame.iloc[:6])
    frame.loc[6:10, "y"] = np.nan
    np.testing.assert_array_equal(Panel.from_frame(frame).select(np.array([0])).y, alone.y)


@pytest.mark.parametrize(
    ("name", "freq", "n_series"),
    [
        ("m5_store_dept", "D", 70),
        ("carparts", "MS", 2674),
        ("walmart_weekly", "W-FRI", 20),
        ("aus_tourism_quarterly", "QS-JAN", 304),
        ("pedestrian_hourly", "h", 4),
        ("vic_elec_halfhourly", "30min", 1),
        ("nn5_daily", "D", 111),
        ("wiki_pageviews_daily", "D", 21),
    ],
)
def test_the_frequency_of_real_data_is_inferred(shared, name, freq, n_series):
    path = next((shared / "data" / "forecasting").glob(f"{name}.*"))
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    panel = Panel.from_frame(frame[["unique_id", "ds", "y"]], short="drop")
    assert panel.freq == freq and panel.n_series == n_series


@pytest.mark.parametrize(
    ("role", "value"),
    [
        ("freq", "D"),
        ("known", ["price"]),
        ("static", pd.DataFrame({"unique_id": ["a", "b"], "size": 1.0})),
        ("id_col", "item"),
        ("time_col", "when"),
        ("target_col", "sold"),
    ],
)
def test_a_role_beside_a_panel_is_refused_because_it_would_be_ignored(panel, role, value):
    with pytest.raises(DataError, match=f"{role}= comes with a Panel, which has its roles already; give it to Panel"):
        Panel.from_frame(panel, **{role: value})
    if role == "static":
        with pytest.raises(DataError, match="static= comes with a Panel"):
            panel.like(panel, value)


def test_an_empty_role_beside_a_panel_is_accepted(panel):
    assert Panel.from_frame(panel, known=[], freq=None, id_col="unique_id", short="drop") is panel
    assert panel.like(panel) is panel


@pytest.mark.parametrize("how", ["dropped", "selected", "read anew"])
def test_future_rows_of_series_left_out_are_ignored(how):
    days = pd.date_range("2024-01-01", periods=5)
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 5), "ds": [*days, *days], "y": 1.0, "price": 2.0})
    future = pd.DataFrame({"unique_id": ["b", "a"], "ds": pd.Timestamp("2024-01-06"), "price": [3.0, 4.0]})
    if how == "selected":
        panel = Panel.from_frame(frame, known=["price"]).select(np.array([0]))
    else:
        frame.loc[frame["unique_id"] == "b", "y"] = np.nan
        with pytest.warns(UserWarning, match="dropped 1 series"):
            panel = Panel.from_frame(frame, known=["price"], short="drop")
        panel = panel.like(frame.iloc[:5]) if how == "read anew" else panel.tail(3).until(panel.tail(3).ends)
    assert panel.dropped.tolist() == ["b"]
    assert panel.with_future(future, 1).known[-1, 0] == 4.0
    assert panel.with_future(pd.concat([future, future.iloc[[0]]]), 1).known[-1, 0] == 4.0
    with pytest.raises(DataError, match="the future frame has series 'c' at row 0, which the data do not have"):
        panel.with_future(future.replace("b", "c"), 1)


def test_rows_know_their_series_and_whether_they_are_history():
    frame = pd.DataFrame({"unique_id": list("aab"), "ds": [1, 2, 2], "y": 1.0, "price": 5.0})
    panel = Panel.from_frame(frame, freq=1, known=["price"])
    assert panel.owner.tolist() == [0, 0, 1] and panel.in_history.all() and panel.owner is panel.owner
    future = pd.DataFrame({"unique_id": ["a", "b"], "ds": [3, 3], "price": 6.0})
    longer = panel.with_future(future, 1)
    assert longer.owner.tolist() == [0, 0, 0, 1, 1]
    assert longer.in_history.tolist() == [True, True, False, True, False]
    assert panel.select(np.array([1])).owner.tolist() == [0]
    with pytest.raises(ValueError, match="read-only"):
        panel.owner[0] = 7


def test_a_panel_carries_the_grid_of_its_frequency_and_zone():
    days = pd.date_range("2024-03-29", periods=5, tz="Europe/Berlin")
    panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": days, "y": 1.0}))
    assert panel.grid == parse("D", "Europe/Berlin") and panel.freq == "D"
    assert panel.like(pd.DataFrame({"unique_id": "b", "ds": days[:2], "y": 1.0})).grid == panel.grid
