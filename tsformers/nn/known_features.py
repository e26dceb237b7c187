"""Functions of known columns and of the calendar, from which a ridge regression chooses: numpy, no torch."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

KNOT_SHARES = (0.08, 0.3, 0.5, 0.7, 0.92)  # of the values of a column below each knot of its spline
MIN_VALUES = 4  # different values that a column has at least, if it has a spline
MAX_PAIRED = 12  # columns; of more no products are made
MARGIN = 0.1  # of the range of a column: how far beyond it the spline is continued

FIELDS = {  # how many steps each calendar feature has, by the number of features; 0: it is not read
    1: (11,),
    2: (0, 52),
    3: (6, 0, 365),
    4: (23, 6, 0, 365),
    5: (59, 23, 6, 0, 365),
    6: (0, 59, 23, 6, 0, 365),
}

Rows = Float[np.ndarray, "*b K"]


class Parts(NamedTuple):
    """Factors of the features of some rows."""

    wide: np.ndarray  # (U, A) of the calendar, for features of the calendar alone, of each different time
    narrow: np.ndarray  # (U, I) of the calendar, for interactions; the first is 1
    time: np.ndarray  # (...) which of the U times each row has
    basis: np.ndarray  # (..., J) splines of the columns, each multiplied by all of ``narrow``
    pairs: np.ndarray  # (..., Q) products of two columns


class KnownFeatures(NamedTuple):
    """Features of the known columns of a row: calendar, splines of the columns, and their interactions.

    The calendar gives harmonics of the day, weekdays and harmonics of the year, with their products. A column with
    four different values or more has a linear spline with knots at quantiles, another one is read as it is. Each
    function of a column is also multiplied by the main functions of the calendar, and each column by each other.

    Args:
        calendar: how many of the K columns are those of ``calendar.features.time_features``; they come first.
        used: the other columns that vary, as positions among the K.
        limits: (2, V) smallest and largest value read of each, a little beyond those that were observed.
        knots: (V, 5) knots of each; NaN where it has fewer.

    Example:
        >>> known = np.random.default_rng(0).normal(size=(100, 2))
        >>> features = learn_features(known, 0)
        >>> features.matrix(known).shape  # a linear spline of six parts of each, and a product
        (100, 13)

    Source: Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, section 5.2; harmonics of the
        calendar: Young, Pedregal & Tych (1999), Dynamic harmonic regression.
    """

    calendar: int
    used: Int64[np.ndarray, " V"]
    limits: Float[np.ndarray, "2 V"]
    knots: Float[np.ndarray, "V J"]

    def parts(self, known: Rows) -> Parts:
        """The factors of the features, from which ``response`` is computed without the features themselves.

        Source: Hastie, Tibshirani & Friedman (2009), section 5.2.
        """
        rows, time = different_times(known[..., : self.calendar])
        x = np.clip(known[..., self.used], *self.limits)
        bent = np.nonzero(~np.isnan(self.knots))
        hinges = np.maximum(x[..., bent[0]] - self.knots[bent], 0.0)
        n = x.shape[-1] if x.shape[-1] <= MAX_PAIRED else 0
        first, second = np.triu_indices(n, k=1)
        basis = np.concatenate([x, hinges], axis=-1)
        return Parts(*clock(rows), time, basis, x[..., first] * x[..., second])

    def matrix(self, known: Rows) -> Float[np.ndarray, "*b P"]:
        """The features of each row.

        Source: Hastie, Tibshirani & Friedman (2009), section 5.2.
        """
        wide, narrow, time, basis, pairs = self.parts(known)
        products = basis[..., :, None] * narrow[time][..., None, :]
        return np.concatenate([wide[time], products.reshape(*time.shape, -1), pairs], axis=-1)

    def response(self, known: Rows, coefficients: Float[np.ndarray, " P"]) -> Float[np.ndarray, "*b"]:
        """``matrix(known) @ coefficients``, without the matrix.

        Source: Hastie, Tibshirani & Friedman (2009), section 5.2.
        """
        wide, narrow, time, basis, pairs = self.parts(known)
        a, i, j = wide.shape[-1], narrow.shape[-1], basis.shape[-1]
        of_calendar, of_products, of_pairs = np.split(coefficients, [a, a + i * j])
        slopes = (narrow @ of_products.reshape(j, i).T)[time]
        return (wide @ of_calendar)[time] + (basis * slopes).sum(-1) + pairs @ of_pairs


def learn_features(known: Float[np.ndarray, "R K"], calendar: int) -> KnownFeatures:
    """Which columns vary, and the knots of their splines.

    Args:
        known: rows to learn from.
        calendar: how many of the columns are calendar features; they come first.

    Returns:
        The features.

    Example:
        >>> known = np.stack([np.arange(9.0), np.ones(9)], axis=1)
        >>> features = learn_features(known, 0)
        >>> features.used, features.knots
        (array([0]), array([[0.64, 2.4 , 4.  , 5.6 , 7.36]]))

    Source: Hastie, Tibshirani & Friedman (2009), section 5.2.
    """
    low, high = known.min(0), known.max(0)
    used = np.array([k for k in range(calendar, known.shape[1]) if high[k] > low[k]], dtype=np.int64)
    knots = np.full((len(used), len(KNOT_SHARES)), np.nan)
    for v, k in enumerate(used):
        if len(np.unique(known[:, k])) >= MIN_VALUES:
            inner = np.unique(np.quantile(known[:, k], KNOT_SHARES))
            inner = inner[(inner > low[k]) & (inner < high[k])]
            knots[v, : len(inner)] = inner
    margin = MARGIN * (high - low)[used]
    return KnownFeatures(calendar, used, np.stack([low[used] - margin, high[used] + margin]), knots)


def different_times(calendar: Rows) -> tuple[Float[np.ndarray, "U M"], Int64[np.ndarray, "*b"]]:
    """The different rows of calendar features, day of month aside, and which of them each row is.

    Example:
        >>> rows, time = different_times(np.array([[-0.5], [0.5], [-0.5]]))
        >>> rows.ravel(), time
        (array([-0.5,  0.5]), array([0, 1, 0]))

    Source: textbook.
    """
    n = calendar.shape[-1]
    if n == 0:
        return np.zeros((1, 0)), np.zeros(calendar.shape[:-1], dtype=np.int64)
    fields = np.array(FIELDS[n])
    code = np.rint((calendar + 0.5) * fields).astype(np.int64) @ np.where(
        fields > 0, np.cumprod([1, *fields[:-1] + 1]), 0
    )
    _, first, time = np.unique(code, return_index=True, return_inverse=True)
    return calendar.reshape(-1, n)[first], time.reshape(calendar.shape[:-1])


def clock(calendar: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Functions of calendar features: all of them (..., A), and those for interactions with other columns (..., I).

    Args:
        calendar: columns of ``calendar.features.time_features``; how many they are says which.

    Returns:
        Harmonics of day and year, weekdays, products; and 1 with the main ones.

    Example:
        >>> noon_of_a_monday = np.array([[12 / 23 - 0.5, -0.5, 0.0, 0.0]])
        >>> [part.shape for part in clock(noon_of_a_monday)]
        [(1, 86), (1, 12)]

    Source: Young, Pedregal & Tych (1999), Dynamic harmonic regression.
    """
    n = calendar.shape[-1]
    one = np.ones((*calendar.shape[:-1], 1))
    if n == 0:
        return one[..., :0], one
    if n == 1:  # month
        year = harmonics(calendar[..., 0] * 11 / 12, 5)
        return year, np.concatenate([one, year[..., :2]], axis=-1)
    if n == 2:  # day of month, week
        year = harmonics(calendar[..., 1] * 52 / 52.18, 5)
        return year, np.concatenate([one, year[..., :4]], axis=-1)
    weekday = np.rint((calendar[..., -3] + 0.5) * 6)[..., None]
    year = harmonics(calendar[..., -1] * 365 / 365.25, 3)
    days, weekend = (weekday == np.arange(1, 7)).astype(np.float64), (weekday >= 5).astype(np.float64)
    if n == 3:
        return np.concatenate([days, year], axis=-1), np.concatenate([one, weekend, year[..., :2]], axis=-1)
    hours = (calendar[..., n - 4] + 0.5) * 23 / 24
    if n >= 5:
        hours = hours + (calendar[..., n - 5] + 0.5) * 59 / 60 / 24
    day = harmonics(hours, 6)
    main = day[..., :8]
    products = [
        (main[..., :, None] * other[..., None, :]).reshape(*main.shape[:-1], -1) for other in (days, year[..., :2])
    ]
    wide = np.concatenate([day, days, year[..., :4], *products], axis=-1)
    return wide, np.concatenate([one, main, weekend, year[..., :2]], axis=-1)


def harmonics(turns: Float[np.ndarray, "*b"], order: int) -> Float[np.ndarray, "*b A"]:
    """Cosine and sine of 1, ..., ``order`` times an angle given in turns.

    Example:
        >>> harmonics(np.array([0.25]), 2).round(3) + 0.0
        array([[ 0.,  1., -1.,  0.]])

    Source: Fourier; textbook.
    """
    angle = 2 * np.pi * turns[..., None] * np.arange(1, order + 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(*turns.shape, -1)
