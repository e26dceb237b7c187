"""GluonTS forecast objects from arrays and to arrays; pandas periods from offset aliases and back."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
OURS = "tsformers"  # key in the `info` of a GluonTS forecast, for what a period and a text id cannot express


class Part(NamedTuple):
    """One GluonTS forecast as arrays: (D, S, H) values of its D dimensions, its stamps, and what ``write`` added."""

    values: np.ndarray
    levels: tuple[float, ...] | None
    times: np.ndarray
    freq: str | int
    name: Any
    about: dict[str, Any]


def period_alias(freq: str) -> str:
    """The pandas period that holds one stamp of an offset alias.

    Args:
        freq: offset alias such as "h", "ME", "MS", "QS-OCT", "W-FRI", "2D", "B".

    Returns:
        Period alias: months whatever the anchor in them, quarters and years by the month they end in.

    Raises:
        ValueError: pandas has no period of that kind (half months, business hours, custom holidays).

    Example:
        >>> [period_alias(freq) for freq in ("15min", "ME", "2MS", "QS-FEB", "YE-MAR", "W-FRI")]
        ['15min', 'M', '2M', 'Q-OCT', 'Y-MAR', 'W-FRI']
    """
    offset = to_offset(freq)
    base, _, anchor = offset.rule_code.partition("-")
    count = str(offset.n) if offset.n > 1 else ""
    kind = base.removeprefix("B") if len(base) > 1 else base
    if kind in ("ME", "MS"):
        return f"{count}M"
    if kind in ("QE", "QS", "YE", "YS"):
        last = MONTHS.index(anchor)
        if kind[1] == "S":  # named by the month it begins with: ends two (eleven) months later
            last = (last + (2 if kind[0] == "Q" else 11)) % 12
        if kind[0] == "Q":
            last = last % 3 + 9  # the same quarters, named by the latest of their four anchors
        return f"{count}{kind[0]}-{MONTHS[last]}"
    if base in ("W", "D", "B", "h", "min", "s", "ms", "us", "ns"):
        return f"{count}{offset.rule_code}"
    raise ValueError(f"pandas has no period for frequency {freq!r}, which GluonTS needs; use to_frame() instead")


def offset_alias(period: str) -> str:
    """The offset alias of a period's stamps: its first day, or for weeks the day it is named after.

    Args:
        period: ``freqstr`` of a pandas period.

    Returns:
        The offset alias.

    Example:
        >>> [offset_alias(period) for period in ("h", "M", "2Q-DEC", "Y-MAR", "W-FRI")]
        ['h', 'MS', '2QS-JAN', 'YS-APR', 'W-FRI']
    """
    base, _, anchor = period.partition("-")
    count, kind = base[:-1], base[-1]
    if kind == "M" and not anchor:
        return f"{count}MS"
    if kind in "QYA" and anchor:
        return f"{count}{'Q' if kind == 'Q' else 'Y'}S-{MONTHS[(MONTHS.index(anchor) + 1) % 12]}"
    return period


def write(
    name: Any,
    times: np.ndarray,
    values: np.ndarray,
    levels: tuple[float, ...] | None,
    about: Any,
    mean: np.ndarray | None = None,
) -> Any:
    """One series' forecast as a GluonTS object.

    Args:
        name: its id; ``item_id`` is its text.
        times: (H,) stamps, UTC where ``about["schema"].tz`` is set.
        values: (S, H) draws or quantiles.
        levels: of the quantiles; None = draws.
        about: "freq", "schema", "joint" and "counts" of the forecast; kept in ``info``.
        mean: (H,) of quantiles, under GluonTS's key "mean"; None = left out.

    Returns:
        ``SampleForecast`` or ``QuantileForecast``.

    Raises:
        ValueError: no period for the frequency.

    Example:
        >>> write("a", np.array([7]), np.ones((2, 1)), None, {"freq": 1}).start_date
        Period('1970-01-08', 'D')
    """
    kinds = _gluonts()
    head = {
        "start_date": _first_period(times[0], about),
        "item_id": str(name),
        "info": {OURS: {**about, "name": name, "times": times}},
    }
    if levels is None:
        return kinds.SampleForecast(samples=values, **head)
    keys = [str(level) for level in levels]
    if mean is not None:
        keys, values = [*keys, "mean"], np.concatenate([values, mean[None]])
    return kinds.QuantileForecast(forecast_arrays=values, forecast_keys=keys, **head)


def read(part: Any) -> Part:
    """One GluonTS forecast as arrays.

    Args:
        part: ``SampleForecast`` or ``QuantileForecast``, of one or several dimensions.

    Returns:
        Its values, levels, stamps, frequency and name; ``about`` is empty for a forecast that ``write`` did not make.

    Raises:
        ValueError: another kind of object.

    Example:
        >>> read(write("a", np.array([7]), np.ones((2, 1)), None, {"freq": 1})).values.shape
        (1, 2, 1)
    """
    kinds = _gluonts()
    if isinstance(part, kinds.SampleForecast):
        array, levels = np.atleast_3d(part.samples), None
    elif isinstance(part, kinds.QuantileForecast):
        held = sorted((kinds.Quantile.parse(key).value, i) for i, key in enumerate(part.forecast_keys) if key != "mean")
        if held:
            rows, levels = [i for _, i in held], tuple(level for level, _ in held)
        else:  # a mean alone: one draw, which has that mean
            rows, levels = [part.forecast_keys.index("mean")], None
        array = np.atleast_3d(part.forecast_array)[rows]
    else:
        raise ValueError(f"a GluonTS SampleForecast or QuantileForecast is needed; got {type(part).__name__}")
    about = (part.info or {}).get(OURS, {})
    times = about.get("times")
    if times is None or len(times) != array.shape[1]:
        times = _period_stamps(part.start_date, array.shape[1])
    freq = about.get("freq", offset_alias(part.start_date.freqstr))
    return Part(np.moveaxis(array, 2, 0), levels, times, freq, about.get("name", part.item_id), about)


def _gluonts() -> Any:
    """GluonTS's forecast objects; its warning about JSON libraries on import is suppressed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            import gluonts.model.forecast as kinds
        except ModuleNotFoundError as error:
            raise ImportError(
                "forecast objects of GluonTS need gluonts; install it with: pip install 'tsformers[gluonts]'"
            ) from error
    return kinds


def _first_period(stamp: Any, about: dict[str, Any]) -> pd.Period:
    """The period of a stamp on the caller's own clock; integer time counts days after 1970-01-01."""
    freq = about["freq"]
    if isinstance(freq, int):
        return pd.Period(ordinal=int(stamp) // freq, freq="D")
    moment = pd.Timestamp(stamp)
    tz = about["schema"].tz if "schema" in about else None
    if tz is not None:
        moment = moment.tz_localize("UTC").tz_convert(tz).tz_localize(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # business-day periods: pandas warns, GluonTS needs them
        return pd.Period(moment, freq=period_alias(freq))


def _period_stamps(first: pd.Period, horizon: int) -> np.ndarray:
    """Stamps of ``horizon`` periods from ``first`` on: their first moments, for weeks their last days."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        stamps = pd.period_range(first, periods=horizon, freq=first.freq).to_timestamp(how="start")
    if "W-" in first.freqstr:
        stamps = stamps + pd.Timedelta(days=6)
    return stamps.to_numpy().astype("datetime64[ns]")
