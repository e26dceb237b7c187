"""The base sequences gamma_j, and the sums of exponentials that approximate them in constant memory."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float

SLOW, FAST, HARMONIC, DEPENDENT = 0, 1, 2, 3  # shapes; the kernels and ``gamma`` know them by these numbers
CONSTANTS = (0.07720838, 0.4374901658, 0.07720838, 0.139307)  # they normalise the infinite series
LEAST_TOLERANCE = 1e-11  # what float64 leaves of the sums of exponentials
REACH = 1e9  # ages up to which the tolerance is kept; beyond it the sums lie below gamma
EULER = 0.57721566490153286


def gamma(shape: int, j: Float[np.ndarray, " J"]) -> Float[np.ndarray, " J"]:
    """The base sequence of a family of procedures, normalised over all j; it never rises.

    SLOW (LORD, LOND, alpha-spending): ``0.0772 ln(max(j, 2)) / (j exp(sqrt(ln j)))``. FAST (SAFFRON, ADDIS,
    alpha-investing): ``0.4375 j^-1.6``. HARMONIC (LOND, any dependence): SLOW over ``1 + 1/2 + ... + 1/j``. DEPENDENT
    (LORD, any dependence): ``0.1393 / (j ln(max(j, 2))^3)``.

    Args:
        shape: SLOW, FAST, HARMONIC or DEPENDENT.
        j: indices from 1.

    Returns:
        One value for each index.

    Example:
        >>> gamma(SLOW, np.array([1.0, 2.0, 100.0])).round(7)
        array([0.0535168, 0.0116382, 0.0004158])

    Source: Ramdas, Yang, Wainwright & Jordan (2017); Ramdas, Zrnic, Wainwright & Jordan (2018); Javanmard & Montanari
    (2018).
    """
    log = np.log(np.maximum(j, 2))
    if shape == FAST:
        return CONSTANTS[FAST] * j**-1.6
    if shape == DEPENDENT:
        return CONSTANTS[DEPENDENT] / (j * log**3)
    slow = CONSTANTS[SLOW] * log / (j * np.exp(np.sqrt(np.log(j))))
    return slow / harmonic(j) if shape == HARMONIC else slow


def harmonic(j: Float[np.ndarray, " J"]) -> Float[np.ndarray, " J"]:
    """``1 + 1/2 + ... + 1/j``, to rounding.

    Example:
        >>> harmonic(np.array([1.0, 4.0])).round(4)
        array([1.    , 2.0833])
    """
    far = np.maximum(j, 32) ** 2
    series = np.log(np.maximum(j, 32)) + EULER + 0.5 / np.maximum(j, 32) - 1 / (12 * far) + 1 / (120 * far**2)
    exact = np.cumsum(1 / np.arange(1, 33))
    return np.where(j < 32, exact[np.minimum(j, 32).astype(np.int64) - 1], series - 1 / (252 * far**3))


def normaliser(shape: int, gamma_size: int | None) -> float:
    """The factor of ``gamma``: 1, or what makes its first ``gamma_size`` terms sum to 1.

    Args:
        shape: as for ``gamma``.
        gamma_size: None: the infinite series.

    Returns:
        The factor.

    Example:
        >>> round(normaliser(FAST, 1) * 0.4374901658, 6)
        1.0
    """
    if gamma_size is None:
        return 1.0
    return float(1 / gamma(shape, np.arange(1, gamma_size + 1, dtype=np.float64)).sum())


@lru_cache(maxsize=32)
def exponential_sum(shape: int, tolerance: float, reach: float = REACH) -> tuple[np.ndarray, np.ndarray]:
    """Gains a and rates b with ``gamma(j) (1 - tolerance) <= sum_m a_m exp(-b_m (j - 1)) <= gamma(j)``.

    One running value for each m then replaces the list of all past rejections. ``j^-s`` is
    ``integral v^s exp(-j v) / Gamma(s) d(ln v)``; SLOW is a mixture of such powers, because ``exp(-sqrt(x))`` is one of
    ``exp(-x s)`` under the Levy density. The trapezoid rule over ``ln v`` converges exponentially in its step, and the
    step is refined until the error, measured on a grid of ages, is within the tolerance.

    Args:
        shape: SLOW or FAST.
        tolerance: relative, at least ``LEAST_TOLERANCE``.
        reach: the largest j at which it must hold; beyond it the sum stays below gamma.

    Returns:
        Gains and rates; a rate of 1,000 counts at j = 1 alone. Their number grows with ``ln(reach / tolerance)``.

    Example:
        >>> gains, rates = exponential_sum(FAST, 1e-9)
        >>> j = np.array([1.0, 1000.0])
        >>> bool((abs((gains * np.exp(-rates * (j[:, None] - 1))).sum(1) / gamma(FAST, j) - 1) < 1e-9).all())
        True
    """
    reach = max(reach, 1e3)
    ages = np.unique(np.round(np.r_[np.arange(1.0, 500.0), np.geomspace(500, reach, 1500)]))
    exact = gamma(shape, ages)
    step = math.pi**2 / (5 - math.log(tolerance))
    while True:
        nodes = np.arange(math.log(tolerance / (20 * reach)), math.log(5 - math.log(tolerance)), step)
        gains, rates = _nodes(shape, nodes, step)
        ratio = _along(gains, rates, ages) / exact
        if shape == SLOW:  # where max(j, 2) makes a kink, one more term corrects it
            gains, rates = np.append(gains, exact[0] * (1 - ratio[0])), np.append(rates, 1e3)
            ratio[0] = 1.0
        if ratio.max() - ratio.min() < 0.8 * tolerance:
            gains = gains / (ratio.max() + 0.1 * tolerance)
            gains.setflags(write=False)
            rates.setflags(write=False)
            return gains, rates
        step *= 0.95


def _nodes(shape: int, u: Float[np.ndarray, " M"], step: float) -> tuple[np.ndarray, np.ndarray]:
    v = np.exp(u)
    if shape == FAST:
        return CONSTANTS[FAST] * step / math.gamma(1.6) * np.exp(1.6 * u - v), v
    w = np.linspace(math.log(1e-4), math.log(400), 1200)
    s = np.exp(w)
    levy = s**-1.5 * np.exp(-0.25 / s) / (2 * math.sqrt(math.pi))
    slope = levy * (0.25 / s**2 - 1.5 / s)  # its derivative: the factor ln(j), by parts
    log_factorial = np.array([math.lgamma(1 + power) for power in s])
    mixed = np.exp(s * u[:, None] - log_factorial - v[:, None]) @ (slope * s) * (w[1] - w[0])
    return CONSTANTS[SLOW] * step * v * mixed, v


def _along(gains: np.ndarray, rates: np.ndarray, ages: np.ndarray) -> np.ndarray:
    return np.exp(-rates * (ages[:, None] - 1)) @ gains
