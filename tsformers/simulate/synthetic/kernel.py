"""The loop over series: each from its own stream of random numbers, so that other series change nothing."""

import math

from tsformers.jit import compiled
from tsformers.simulate.synthetic import values
from tsformers.simulate.synthetic.events import make_holes
from tsformers.simulate.synthetic.latent import fill_latent
from tsformers.simulate.synthetic.streams import Array, chance, log_normal, whole

additive, multiplicative, positive, counts = values.additive, values.multiplicative, values.positive, values.counts
zero_inflated, intermittent, bounded, sales = values.zero_inflated, values.intermittent, values.bounded, values.sales
walk, night, bursts, epidemic = values.walk, values.night, values.bursts, values.epidemic
FARTHEST = 20.0  # ranges of the context that a future value may lie outside it


@compiled
def observe(random: Array, y: Array, family: int, season: int, second: int) -> None:
    """The values of one family; the latent sum is in ``y``."""
    if family == 0:
        additive(random, y)
    elif family == 1:
        multiplicative(random, y)
    elif family == 2:
        positive(random, y)
    elif family <= 4:
        counts(random, y, family == 4)
    elif family == 5:
        zero_inflated(random, y)
    elif family == 6:
        intermittent(random, y)
    elif family == 7:
        bounded(random, y)
    else:
        observe_special(random, y, family, season, second)


@compiled
def observe_special(random: Array, y: Array, family: int, season: int, second: int) -> None:
    """The families with rules of their own."""
    if family == 8:
        sales(random, y, season, second if season == 7 else season if season == 52 or season == 12 else 0)
    elif family == 9:
        walk(random, y)
    elif family == 10:
        night(random, y, season)
    elif family == 11:
        bursts(random, y)
    else:
        epidemic(random, y, max(season, 4))


@compiled
def begin_and_end(random: Array, y: Array) -> None:
    """A few series of sales are zero before a launch or after their end."""
    n = len(y)
    if chance(random, 0.04):
        y[: whole(random, n)] = 0.0
    if chance(random, 0.025):
        y[whole(random, n) :] = 0.0


@compiled
def mean_size(y: Array) -> float:
    """The mean absolute value."""
    total = 0.0
    for v in y:
        total += abs(v)
    return total / len(y)


@compiled
def measure(random: Array, y: Array, rounded: bool) -> None:
    """A log-normal unit; some are rounded to one to four digits of a typical value."""
    unit = log_normal(random, 2.0, 2.5)
    for t in range(len(y)):
        y[t] *= unit
    typical = mean_size(y)
    if rounded and typical > 0:
        grid = 10.0 ** (math.floor(math.log10(typical)) - whole(random, 4))
        for t in range(len(y)):
            y[t] = round(y[t] / grid) * grid


@compiled
def bound_future(y: Array, n: int, counted: bool) -> None:
    """Values after the context stay within 20 of its ranges; counts stay whole, and may come after zeros alone."""
    low, high = y[0], y[0]
    for t in range(n):
        low, high = min(low, y[t]), max(high, y[t])
    reach = FARTHEST * (high - low + 0.05 * max(abs(low), abs(high)))
    if counted:
        reach = math.floor(reach) + FARTHEST
    elif high == low:
        reach += FARTHEST * mean_size(y)
    floor = max(low - reach, 0.0) if low >= 0 else low - reach
    for t in range(n, len(y)):
        y[t] = min(max(y[t], floor), high + reach)


@compiled
def fill_series(
    keys: Array,
    first: Array,
    stop: Array,
    seasons: Array,
    second: Array,
    families: Array,
    y: Array,
    future: Array,
    random: Array,
    work: Array,
    profiles: Array,
) -> None:
    """Contexts into ``y[first:stop]``, and the rows after them into ``future``."""
    horizon = future.shape[1]
    for i in range(len(first)):
        n, family = stop[i] - first[i], families[i]
        random[0] = keys[i]
        x = work[0, : n + horizon]
        if family < 9 or family == 11:
            fill_latent(random, x, work[1, : n + horizon], profiles, seasons[i], second[i])
        observe(random, x, family, seasons[i], second[i])
        counted = 3 <= family <= 6 or family == 8
        if counted:
            begin_and_end(random, x)
        else:
            measure(random, x, chance(random, 0.35))
        bound_future(x, n, counted)
        for t in range(n):
            y[first[i] + t] = x[t]
        for t in range(horizon):
            future[i, t] = x[n + t]
        if chance(random, 0.05):
            make_holes(random, y[first[i] : stop[i]])
