"""A mixture of count models with exponential forgetting: its one-step likelihoods, its state, its distribution.

Each component is a forgetting 1 - d and a shape r. Of the first family the count of a row is negative binomial with
mean s l (s of the place in the season, l the level); of the second a row is 0 with probability 1 - p, else 1 + a
negative binomial number (Teunter, Syntetos & Babai's updating of p in each row, of sizes in rows above 0). Level, p and
size are ratios of discounted sums, and begin as one row with the mean of all. Their doubt widens the distribution:

    1/r' = 1/r + v (1 + 1/r),   v = (1/m + 1/r) / n   (n: discounted number of rows)
"""

import math

import numpy as np

from tsformers.jit import compiled_nogil

KEPT = np.array([1.0, 0.98, 0.95, 0.9, 0.8, 0.6])  # d: what a row keeps of its weight when the next one comes
SHAPES = np.array([0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e9])  # of counts; the last is Poisson
SIZE_SHAPES = np.array([0.3, 1.0, 3.0, 10.0, 1e9])  # of sizes
N_COUNTS = len(KEPT) * len(SHAPES)
N_COMPONENTS = N_COUNTS + len(KEPT) * len(SIZE_SHAPES)
WIDE = 1  # of SHAPES: what rows that follow no rule have, such as days on which a shop is closed
OUTLIERS = 0.01  # their share
LEAST_MEAN = 1e-9
LEAST_WEIGHT = 0.003  # of a component that is used


@compiled_nogil()
def log_pmf(k: float, mean: float, shape: float) -> float:
    """Logarithm of the negative binomial probability of ``k`` (0, 1, ...); variance ``mean + mean**2 / shape``."""
    mean = max(mean, LEAST_MEAN)
    if shape > 1e7 * mean + 1e6:
        return k * math.log(mean) - mean - math.lgamma(k + 1)
    return (
        math.lgamma(k + shape)
        - math.lgamma(shape)
        - math.lgamma(k + 1)
        + shape * math.log(shape / (shape + mean))
        + k * math.log(mean / (shape + mean))
    )


@compiled_nogil()
def doubted(mean: float, shape: float, rows: float) -> float:
    """The shape with the doubt of the mean in it, which ``rows`` rows have estimated."""
    spread = 1 / shape
    doubt = (1 / max(mean, LEAST_MEAN) + spread) / rows
    return 1 / (spread + doubt * (1 + spread))


@compiled_nogil()
def start(y: np.ndarray, sums: np.ndarray) -> None:
    """Discounted sums (D, 6) before the first row: counts, rows, rows above 0, rows, sizes less 1, rows above 0."""
    total, rows, above = 0.0, 0.0, 0.0
    for value in y:
        if not np.isnan(value):
            total += value
            rows += 1
            above += value > 0
    for d in range(len(sums)):
        sums[d, 0], sums[d, 1] = total / max(rows, 1), 1.0
        sums[d, 2], sums[d, 3] = above / max(rows, 1), 1.0
        sums[d, 4], sums[d, 5] = (total - above) / max(above, 1), 1.0


@compiled_nogil()
def take_in(value: float, scale: float, sums: np.ndarray) -> None:
    """One row that is observed, of a place of the season with this scale."""
    for d in range(len(sums)):
        kept = KEPT[d]
        sums[d, 0] = kept * sums[d, 0] + value
        sums[d, 1] = kept * sums[d, 1] + scale
        sums[d, 2] = kept * sums[d, 2] + (1.0 if value > 0 else 0.0)
        sums[d, 3] = kept * sums[d, 3] + 1
        if value > 0:
            sums[d, 4] = kept * sums[d, 4] + value - 1
            sums[d, 5] = kept * sums[d, 5] + 1


@compiled_nogil()
def log_likelihoods(y: np.ndarray, scales: np.ndarray, out: np.ndarray) -> None:
    """One-step log-likelihoods (K,) of all components; ``scales`` (m,) by place of the season."""
    sums = np.empty((len(KEPT), 6))
    start(y, sums)
    for k in range(len(out)):
        out[k] = 0.0
    for t in range(len(y)):
        value = y[t]
        if np.isnan(value):
            continue
        scale = scales[t % len(scales)]
        for d in range(len(KEPT)):
            level = sums[d, 0] / sums[d, 1]
            mean = level * scale
            wild = log_pmf(value, mean, doubted(level, SHAPES[WIDE], sums[d, 1]))
            for r in range(len(SHAPES)):
                chance = log_pmf(value, mean, doubted(level, SHAPES[r], sums[d, 1]))
                out[d * len(SHAPES) + r] += wild + math.log(OUTLIERS + (1 - OUTLIERS) * math.exp(chance - wild))
            chance = min(max(sums[d, 2] / sums[d, 3], 1e-12), 1 - 1e-12)
            size = sums[d, 4] / sums[d, 5]
            at = N_COUNTS + d * len(SIZE_SHAPES)
            for r in range(len(SIZE_SHAPES)):
                if value == 0:
                    out[at + r] += math.log(1 - chance)
                else:
                    shape = doubted(size, SIZE_SHAPES[r], sums[d, 5])
                    out[at + r] += math.log(chance) + log_pmf(value - 1, size, shape)
        take_in(value, scale, sums)


@compiled_nogil()
def mixture_weights(y: np.ndarray, scales: np.ndarray, seasonal: bool, out: np.ndarray) -> None:
    """Posterior probabilities (K,) of the components, all alike before; small ones are 0.

    With a season only the first family takes part, which knows seasons.
    """
    log_likelihoods(y, scales, out)
    last = N_COUNTS if seasonal else len(out)
    best, total = -np.inf, 0.0
    for k in range(last):
        best = max(best, out[k])
    for k in range(len(out)):
        out[k] = math.exp(out[k] - best) if k < last else 0.0
        total += out[k]
    rest = 0.0
    for k in range(len(out)):
        out[k] = out[k] / total if out[k] / total >= LEAST_WEIGHT else 0.0
        rest += out[k]
    for k in range(len(out)):
        out[k] /= rest
    for k in range(N_COUNTS):
        if k % len(SHAPES) != WIDE:
            out[k - k % len(SHAPES) + WIDE] += OUTLIERS * out[k]
            out[k] *= 1 - OUTLIERS


@compiled_nogil()
def state_at_end(y: np.ndarray, scales: np.ndarray, first: int, sums: np.ndarray) -> None:
    """Discounted sums (D, 6) after all rows."""
    start(y, sums)
    for t in range(len(y)):
        if not np.isnan(y[t]):
            take_in(y[t], scales[(first + t) % len(scales)], sums)


@compiled_nogil()
def component(k: int, sums: np.ndarray, scale: float, ahead: float) -> tuple[float, float, float]:
    """Chance of a row above 0 (1 in the first family), mean and shape of the negative binomial number, of one step."""
    if k < N_COUNTS:
        d, r = k // len(SHAPES), k % len(SHAPES)
        level, rows = sums[d, 0] / sums[d, 1], 1 / (1 / sums[d, 1] + (1 - KEPT[d]) ** 2 * ahead)
        return 1.0, level * scale, doubted(level, SHAPES[r], rows)
    d, r = (k - N_COUNTS) // len(SIZE_SHAPES), (k - N_COUNTS) % len(SIZE_SHAPES)
    size, rows = sums[d, 4] / sums[d, 5], 1 / (1 / sums[d, 5] + (1 - KEPT[d]) ** 2 * ahead)
    return sums[d, 2] / sums[d, 3], size, doubted(size, SIZE_SHAPES[r], rows)


@compiled_nogil()
def mixture_mean(weights: np.ndarray, sums: np.ndarray, scale: float) -> float:
    """Mean of one step."""
    total = 0.0
    for k in range(len(weights)):
        if weights[k] > 0:
            chance, mean, _ = component(k, sums, scale, 0.0)
            total += weights[k] * (mean if k < N_COUNTS else chance * (1 + mean))
    return total


@compiled_nogil()
def span(mean: float, shape: float) -> tuple[float, float]:
    """Counts outside of which a negative binomial number lies once in a million times, or less."""
    deviation = math.sqrt(mean + mean * mean / shape)
    return max(0.0, math.floor(mean - 9 * deviation)), math.ceil(mean + 8 * deviation + 14 * (mean / shape + 1))


@compiled_nogil()
def add_negative_binomial(
    weight: float, shift: int, mean: float, shape: float, values: np.ndarray, widths: np.ndarray, mass: np.ndarray
) -> None:
    """Add a component to the masses of bins, which begin at ``values``; neighbouring bins of width 1 by recursion."""
    low, high = span(mean, shape)
    ratio = mean / (shape + mean)
    before, chance = -2.0, 0.0
    for j in range(len(values)):
        k = values[j] - shift + 0.5 * (widths[j] - 1)
        if k < low:
            continue
        if k > high:
            break
        chance = chance * (before + shape) / k * ratio if k == before + 1 else math.exp(log_pmf(k, mean, shape))
        before = k
        mass[j] += weight * chance * widths[j]


@compiled_nogil()
def bin_widths(low: float, core_low: float, core_high: float, high: float, most: int) -> np.ndarray:
    """Ends (4, 2) of four ranges of counts and the width of the bins in each: alone below 64, coarse, fine, coarse."""
    ranges = np.empty((4, 2))
    ranges[0, 0] = max(low, min(64.0, high + 1) if low == 0 else low)
    ranges[1, 0] = max(ranges[0, 0], core_low)
    ranges[2, 0] = max(ranges[1, 0], core_high + 1)
    ranges[3, 0] = max(ranges[2, 0], high + 1)
    ranges[0, 1] = 1.0
    for part in range(1, 4):
        finest = most if part == 2 else most // 8
        ranges[part, 1] = max(1.0, math.ceil((ranges[part, 0] - ranges[part - 1, 0]) / finest))
    return ranges


@compiled_nogil()
def bins(weights: np.ndarray, sums: np.ndarray, scale: float, ahead: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """First counts and widths of bins that hold all of the mixture, about ``most`` where all but outliers lie."""
    low, high, core_low, core_high = np.inf, 0.0, np.inf, 0.0
    for k in range(len(weights)):
        if weights[k] > 0:
            _, mean, shape = component(k, sums, scale, ahead)
            one_low, one_high = span(mean, shape)
            one_low = one_low if k < N_COUNTS else 0.0
            low, high = min(low, one_low), max(high, one_high + 1)
            if k >= N_COUNTS or k % len(SHAPES) != WIDE:
                core_low, core_high = min(core_low, one_low), max(core_high, one_high + 1)
    if core_high == 0.0:
        core_low, core_high = low, high
    ranges = bin_widths(low, core_low, core_high, high, most)
    n, first = 0, low
    for part in range(4):
        n += int((ranges[part, 0] - first) / ranges[part, 1]) + 1
        first = ranges[part, 0]
    values, widths, at, first = np.empty(n), np.empty(n), 0, low
    for part in range(4):
        while first < ranges[part, 0]:
            values[at] = first
            widths[at] = min(ranges[part, 1], ranges[part, 0] - first)
            first += widths[at]
            at += 1
    return values[:at], widths[:at]


@compiled_nogil()
def mixture_draws(
    weights: np.ndarray, sums: np.ndarray, scale: float, ahead: float, most: int, out: np.ndarray
) -> None:
    """Quantiles (S,) of one step at the levels (i + 1/2) / S, ascending."""
    values, widths = bins(weights, sums, scale, ahead, most)
    mass = np.zeros(len(values))
    for k in range(len(weights)):
        if weights[k] > 0:
            chance, mean, shape = component(k, sums, scale, ahead)
            if k < N_COUNTS:
                add_negative_binomial(weights[k], 0, mean, shape, values, widths, mass)
            else:
                mass[0] += weights[k] * (1 - chance)
                add_negative_binomial(weights[k] * chance, 1, mean, shape, values, widths, mass)
    total = 0.0
    for j in range(len(mass)):
        total += mass[j]
    at, below = 0, 0.0
    for i in range(len(out)):
        level = (i + 0.5) / len(out) * total
        while at < len(mass) - 1 and below + mass[at] < level:
            below += mass[at]
            at += 1
        inside = (level - below) / mass[at] if mass[at] > 0 else 0.0
        out[i] = values[at] + math.floor(min(max(inside, 0.0), 1 - 1e-12) * widths[at])


@compiled_nogil()
def common_share(weights: np.ndarray, sums: np.ndarray) -> float:
    """Share of the variance of a step that is doubt of the mean, which all steps have in common."""
    mean, common, total = mixture_mean(weights, sums, 1.0), 0.0, 0.0
    for k in range(len(weights)):
        if weights[k] > 0:
            chance, one, shape = component(k, sums, 1.0, 0.0)
            if k < N_COUNTS:
                d, r = k // len(SHAPES), k % len(SHAPES)
                doubt = (one + one * one / SHAPES[r]) / sums[d, 1]
                variance = one + one * one / shape
            else:
                d, r = (k - N_COUNTS) // len(SIZE_SHAPES), (k - N_COUNTS) % len(SIZE_SHAPES)
                size = 1 + one
                doubt = chance * (1 - chance) / sums[d, 3] * size * size
                doubt += chance * chance * (one + one * one / SIZE_SHAPES[r]) / sums[d, 5]
                variance = chance * (one + one * one / shape) + chance * (1 - chance) * size * size
                one = chance * size
            common += weights[k] * ((one - mean) ** 2 + doubt)
            total += weights[k] * ((one - mean) ** 2 + max(variance, doubt))
    return common / total if total > 0 else 0.0
