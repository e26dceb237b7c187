"""Base forecasts of many series, and the features that weigh them: ragged contexts in, one compiled pass each."""

from typing import NamedTuple

import numpy as np

from tsformers.errors import DataError
from tsformers.forecasters.blend.bases.forecasts import Room, complete, gated_bases, make_room, plain_bases
from tsformers.forecasters.blend.bases.layout import BASES, CENTRE, DYNAMIC, FEATURES, GATED, LEVEL_SHAPE, SHAPES
from tsformers.forecasters.blend.bases.shapes import BOUND, scale_of, shape_features
from tsformers.jit import compiled_nogil

__all__ = ["BASES", "CENTRE", "FEATURES", "Contexts", "Inputs", "inputs"]

K, N_GATED, N_SHAPES = len(BASES), len(GATED), len(SHAPES)
ORIGINS = 2  # inside the context
LEAST_ROWS = 2  # before an origin inside the context
ROOMS = FEATURES.index("room_1")  # columns of the features
KNOWN = FEATURES.index(f"{GATED[0]}_known_1")


class Contexts(NamedTuple):
    """Histories to forecast from: rows ``first[i]:stop[i]`` of one shared array; they may overlap."""

    y: np.ndarray  # (R,) float64, NaN = missing
    first: np.ndarray  # (N,) int64
    stop: np.ndarray  # (N,) int64
    seasons: np.ndarray  # (N,) int64, m >= 1
    second: np.ndarray  # (N,) int64, second period, 0 = none


class Inputs(NamedTuple):
    """What the network weighs, and by what."""

    forecasts: np.ndarray  # (N, K, H) float64, in the caller's units; not available: a copy of base "ses"
    available: np.ndarray  # (N, K) bool
    scale: np.ndarray  # (N,) float64, above 0
    constant: np.ndarray  # (N,) bool: all values the same, or none
    features: np.ndarray  # (N, F) float32 within -8 to 8


class _Origin(NamedTuple):
    """Room for the forecasts inside the context."""

    forecasts: np.ndarray  # (K, H)
    available: np.ndarray  # (K,)
    chosen: np.ndarray  # (K,) bases that are computed there


@compiled_nogil()
def error_features(truth: np.ndarray, s: float, origin: int, at: _Origin, out: np.ndarray) -> None:
    """Errors of the bases at an origin inside, the ``truth`` (held,) there, into ``out``; zeros where it is missing.

    log(1 + mean |e| / s) and asinh(mean e / s) of each base, e = truth - forecast.
    """
    count = 0
    for h in range(len(truth)):
        count += not np.isnan(truth[h])
    if count == 0:
        return
    for k in range(K):
        size, bias = 0.0, 0.0
        if at.available[k]:
            for h in range(len(truth)):
                error = truth[h] - at.forecasts[k, h]
                if not np.isnan(error):
                    size += abs(error) / s / count
                    bias += error / s / count
        out[origin * K + k] = np.log1p(size)
        out[(ORIGINS + origin) * K + k] = np.arcsinh(bias)
    for k in range(N_GATED):
        out[KNOWN + origin * N_GATED + k] = at.available[DYNAMIC + k]
    out[ROOMS + origin] = 1.0


@compiled_nogil()
def finish_features(y: np.ndarray, periods: tuple[int, int], s: float, horizon: int, room: Room,
                    available: np.ndarray, row: np.ndarray) -> None:  # fmt: skip
    """Fill in what is available and the shape of ``y`` beside the error features of ``row`` (F,), within bounds."""
    for k in range(N_GATED):
        row[KNOWN + ORIGINS * N_GATED + k] = available[DYNAMIC + k]
    shape_features(y, periods, s, horizon, room, row[len(row) - N_SHAPES :])
    for f in range(len(row)):
        row[f] = min(max(row[f], -BOUND), BOUND)


@compiled_nogil()
def without_values(chosen: np.ndarray, forecasts: np.ndarray, available: np.ndarray) -> None:
    """Forecast 0 where nothing is there."""
    for k in range(K):
        available[k] = chosen[k] and k < DYNAMIC
        for h in range(forecasts.shape[1]):
            forecasts[k, h] = 0.0


@compiled_nogil()
def make_rooms(contexts: Contexts, horizon: int, chosen: np.ndarray) -> tuple[Room, _Origin]:
    """Room for the longest context, and for the forecasts of the ``chosen`` bases inside."""
    longest, season = 1, 1
    for i in range(len(contexts.first)):
        longest = max(longest, contexts.stop[i] - contexts.first[i])
        season = max(season, contexts.seasons[i], contexts.second[i])
    return make_room(longest, season), _Origin(np.empty((K, horizon)), np.empty(K, dtype=np.bool_), chosen)


@compiled_nogil()
def all_contexts(contexts: Contexts, chosen: np.ndarray, chosen_inside: np.ndarray, answer: Inputs) -> None:
    """``inputs`` into the arrays of ``answer``; features stay zeros where nothing is known.

    The last ``held`` rows are held out twice, once, and not at all. The bases are called in one place, and not from
    deeper down: each level more would compile all of them again.
    """
    horizon, row = answer.forecasts.shape[2], np.empty(answer.features.shape[1])
    room, at = make_rooms(contexts, horizon, chosen_inside)
    for i in range(len(contexts.first)):
        first, stop = contexts.first[i], contexts.stop[i]
        while first < stop and np.isnan(contexts.y[first]):
            first += 1
        answer.scale[i], answer.constant[i] = 1.0, True
        if first == stop:
            without_values(chosen, answer.forecasts[i], answer.available[i])
            continue
        whole, periods, n = contexts.y[first:stop], (contexts.seasons[i], contexts.second[i]), stop - first
        s, answer.constant[i] = scale_of(whole, periods[0])
        answer.scale[i] = s
        row[:] = 0.0
        held = min(horizon, max(2, n // 4))
        for back in range(ORIGINS, -1, -1):
            inside = back > 0
            if inside and n - back * held < LEAST_ROWS:
                continue
            y, which = whole[: n - back * held], at.chosen if inside else chosen
            found = at.forecasts[:, :held] if inside else answer.forecasts[i][:, :horizon]  # slices both: one type
            available = at.available if inside else answer.available[i]
            positive = plain_bases(y, periods[0], which, room, found, available)
            gated_bases(y, periods, positive, which, room, found, available)
            complete(y, available, found)
            if inside:
                error_features(whole[len(y) : len(y) + held], s, back - 1, at, row)
        finish_features(whole, periods, s, horizon, room, answer.available[i], row)
        for f in range(len(row)):
            answer.features[i, f] = row[f]


def inputs(contexts: Contexts, horizon: int, *, chosen: np.ndarray | None = None, slow_errors: bool = True) -> Inputs:
    """Base forecasts of every context, what is available, and the features that weigh them.

    Each context is worked out alone, in float64, in one pass and two more at origins inside it. Missing values are
    skipped, never filled in. Nothing but the scale and the forecasts has the unit of the data.

    Args:
        contexts: the histories; one may be of one row, constant, or without a value (forecast 0).
        horizon: steps, H.
        chosen: (K,) which of ``BASES`` are computed; None: all. "linear" is never available here.
        slow_errors: whether "dynamic_theta" and "level_shape" are also computed at the origins inside the context;
            False: their error features are 0, and said to be unknown.

    Returns:
        The ``Inputs``, arrays of one row a context.

    Raises:
        DataError: a season is below 1, or a context lies outside the array.

    Example:
        >>> y = np.array([1.0, 2.0, 3.0, np.nan, 2.0, 3.0, 1.0])
        >>> one = np.array([0]), np.array([7]), np.array([3]), np.array([0])
        >>> found = inputs(Contexts(y, *one), 2)
        >>> found.forecasts.shape, found.features.shape == (1, len(FEATURES))
        ((1, 19, 2), True)
        >>> found.forecasts[0, BASES.index("last_season")]
        array([2., 3.])

    Source: Montero-Manso, Athanasopoulos, Hyndman & Talagala (2020) for the idea.
    """
    # writeable: an array that is read only would be another type, compiled for anew
    starts, stops, seasons, second = (np.require(part, np.int64, ["C", "W"]) for part in contexts[1:])
    packed = Contexts(np.require(contexts.y, np.float64, ["C", "W"]), starts, stops, seasons, second)
    if len(seasons) and seasons.min() < 1:
        raise DataError(f"a season is {seasons.min()}: give 1 for none, or more")
    if len(starts) and (starts.min() < 0 or stops.max() > len(packed.y)):
        raise DataError(f"a context lies outside the {len(packed.y)} rows")
    n, which = len(starts), np.ones(K, dtype=bool) if chosen is None else np.array(chosen, dtype=bool)
    inside = which.copy()
    if not slow_errors:
        inside[[DYNAMIC, LEVEL_SHAPE]] = False
    answer = Inputs(
        np.empty((n, K, horizon)), np.zeros((n, K), dtype=bool), np.empty(n), np.zeros(n, dtype=bool),
        np.zeros((n, len(FEATURES)), dtype=np.float32),
    )  # fmt: skip
    all_contexts(packed, which, inside, answer)
    return answer
