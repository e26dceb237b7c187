"""Covariates of a network: standardised, with calendar features and one-hot encoded statics, packed as tensors."""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from tsformers.calendar.features import n_time_features, time_features
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import stamps
from tsformers.data.intake.one_hot import levels_of, one_hot
from tsformers.data.panel import Panel
from tsformers.data.windows import Packed, pack_rows
from tsformers.errors import DataError
from tsformers.messages import Setting


class Covariates(NamedTuple):
    """Units and levels of covariates, learned in ``fit`` and used again in ``predict``.

    Numbers (past, known, static) are centred on their mean and divided by their standard deviation (1 where that is
    zero); a missing one becomes 0, the mean. Other statics are one-hot encoded (100 levels at most, in sorted order);
    a level that was not in ``fit``, or a missing one, is a row of zeros.

    Args:
        past: mean and deviation of each past covariate, (2, P).
        known: the same for known covariates, (2, K).
        static: for each static column its mean and deviation, or its levels.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": [0, 1], "y": [1.0, 2.0], "rain": [3.0, 5.0]})
        >>> Covariates.learn(Panel.from_frame(frame)).past
        array([[4.],
               [1.]])
    """

    past: np.ndarray
    known: np.ndarray
    static: dict[str, tuple[float, float] | list[str]]

    @classmethod
    def learn(cls, panel: Panel) -> Self:
        """Means, deviations and levels of the history of ``panel``.

        Args:
            panel: of ``fit``.

        Returns:
            The covariates' units and levels.

        Raises:
            DataError: a static column has more than 100 levels.
        """
        history = panel.in_history
        static: dict[str, tuple[float, float] | list[str]] = {}
        for name, column in panel.static.items():
            if pd.api.types.is_numeric_dtype(column):
                mean, deviation = _units(column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None])[:, 0]
                static[str(name)] = (float(mean), float(deviation))
                continue
            static[str(name)] = levels_of(column)
        return cls(_units(panel.past[history]), _units(panel.known[history]), static)

    def columns(self, panel: Panel, *, multivariate: bool) -> tuple[int, int, int, int]:
        """Channels C, past covariates P, known columns K, and how many of these are calendar features."""
        calendar = n_time_features(panel.grid)
        repeats = panel.n_series if multivariate else 1
        statics = (
            0 if multivariate else sum(len(entry) if isinstance(entry, list) else 1 for entry in self.static.values())
        )
        known = calendar + repeats * self.known.shape[1] + statics
        return repeats, repeats * self.past.shape[1], known, calendar

    def pack(self, panel: Panel, *, multivariate: bool) -> Packed:
        """All rows of ``panel`` for training.

        With ``multivariate`` the series become the channels of one series aligned at their common end; rows
        before a series starts are missing. Covariates of all series are concatenated too; statics, which would be
        constant, are left out.

        Args:
            panel: the one of ``learn``, or one with the same roles.
            multivariate: see above.

        Returns:
            The rows as tensors.

        Raises:
            DataError: the series of a multivariate panel do not end together.
        """
        if multivariate:
            check_common_end(panel)
            return self._pack_block(panel, int(panel.lengths.max()), 0, multivariate=True)
        known = np.concatenate([_calendar(panel.times, panel), _standardised(panel.known, self.known)], axis=1)
        past = _standardised(panel.past, self.past)
        return pack_rows(panel.y[:, None], panel.offsets, past, known, self._static_rows(panel), panel.ends)

    def pack_future(self, panel: Panel, context_length: int, horizon: int, *, multivariate: bool) -> Packed:
        """The last ``context_length`` rows of each history and the ``horizon`` rows that follow, for prediction.

        Args:
            panel: with the known covariates of the rows to forecast, if there are any.
            context_length: T.
            horizon: H.
            multivariate: as in ``pack``.

        Returns:
            ``T + H`` rows a series (or in all, if multivariate), of which ``ends`` are T; the targets to forecast
            are missing.

        Raises:
            DataError: the series of a multivariate panel do not end together.
        """
        if multivariate:
            check_common_end(panel)
        return self._pack_block(panel, context_length, horizon, multivariate=multivariate)

    def _pack_block(self, panel: Panel, before: int, after: int, *, multivariate: bool) -> Packed:
        """``before`` rows up to the end of each history, and ``after`` rows from there."""
        rows = panel.ends[:, None] + np.arange(-before, after)  # (N, L)
        inside = (rows >= panel.offsets[:-1, None]) & (rows < panel.offsets[1:, None])
        rows = np.clip(rows, 0, len(panel.times) - 1)
        y = np.where(inside & (np.arange(-before, after) < 0), panel.y[rows], np.nan)
        past = np.where(inside[..., None], _standardised(panel.past, self.past)[rows], 0)
        known = np.where(inside[..., None], _standardised(panel.known, self.known)[rows], 0)
        longest = int(panel.lengths.argmax())
        clock = panel.select(np.array([longest])) if multivariate else panel
        times = panel.times[rows][longest : longest + 1] if multivariate else panel.times[rows]
        if after:
            times[:, before:] = clock.future_times(after)
        calendar = _calendar(times, panel)  # (N or 1, L, M)
        n, length = y.shape
        if multivariate:
            sides = (y.T, past.swapaxes(0, 1).reshape(length, -1), known.swapaxes(0, 1).reshape(length, -1))
            bounds, static = np.array([0, length]), None
        else:
            sides = (y.reshape(-1, 1), past.reshape(n * length, -1), known.reshape(n * length, -1))
            bounds, static = np.arange(n + 1) * length, self._static_rows(panel)
        known_x = np.concatenate([calendar.reshape(len(sides[0]), -1), sides[2]], axis=1)
        return pack_rows(sides[0], bounds, sides[1], known_x, static, bounds[1:] - after)

    def _static_rows(self, panel: Panel) -> np.ndarray:
        """Statics of each series, (N, S)."""
        columns = [np.zeros((panel.n_series, 0), dtype=np.float32)]
        for name, entry in self.static.items():
            column = panel.static[name]
            if isinstance(entry, list):
                columns.append(one_hot(column, entry))
            else:
                numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None]
                columns.append(_standardised(numbers, np.array(entry)[:, None]))
        return np.concatenate(columns, axis=1)


def check_common_end(panel: Panel) -> None:
    """Refuse a panel whose series do not all end at the same time.

    Args:
        panel: to be forecast as one multivariate series.

    Raises:
        DataError: names a series that ends elsewhere, and both ends.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a", "b"], "ds": [0, 1, 1], "y": 1.0})
        >>> check_common_end(Panel.from_frame(frame, freq=1))
    """
    ends = panel.times[panel.ends - 1]
    early = np.flatnonzero(ends < ends.max())
    if len(early):
        first, last = stamps(np.array([ends[early[0]], ends.max()]), panel.schema)
        raise DataError(
            Setting("multivariate", True),
            f" needs series that end together: series {plain(panel.ids[early[0]])!r} ends at {first}, others "
            f"at {last}; cut the others there, or append rows with {panel.schema.target_col} = NaN to it",
        )


def _units(values: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each column, (2, P); 0 and 1 where a column has no values."""
    observed = ~np.isnan(values)
    n = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, values, 0).sum(axis=0) / n
    deviation = np.sqrt(np.square(np.where(observed, values - mean, 0)).sum(axis=0) / n)
    return np.stack([mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 1.0)])


def _standardised(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(..., P) in units of (2, P); missing values are 0."""
    return np.nan_to_num((values - units[0]) / units[1], nan=0.0).astype(np.float32)


def _calendar(times: np.ndarray, panel: Panel) -> np.ndarray:
    """Calendar features (..., M) of stamps; those of each different stamp are computed once."""
    code, unique = pd.factorize(times.ravel())
    features = time_features(unique, panel.grid).astype(np.float32)
    return features[code].reshape(*times.shape, -1) if features.shape[1] else np.zeros((*times.shape, 0), np.float32)
