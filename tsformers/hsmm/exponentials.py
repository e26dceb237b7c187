"""Exponentials without branches, for compiled loops that are to be vectorised; importing this module loads numba."""

from typing import Any, no_type_check

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from tsformers.jit import compiled_nogil

ROUND = 6755399441055744.0  # 1.5 * 2 ** 52: adding it rounds to an integer, which is then in the lowest bits
LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
SMALLEST_EXPONENT = -708.0  # below, exp has no normal number: 0
compiled = compiled_nogil("contract")


@intrinsic
@no_type_check
def _power_of_two(typing: Any, rounded: float) -> Any:
    """2 to the integer in the lowest bits of ``rounded``."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.shl(builder.bitcast(arguments[0], ir.IntType(64)), ir.Constant(ir.IntType(64), 52))
        return builder.bitcast(builder.add(bits, ir.Constant(ir.IntType(64), 1023 << 52)), ir.DoubleType())

    return types.float64(types.float64), code


@compiled
@no_type_check
def _reduced(x: float) -> tuple[float, float]:
    """``n`` in the lowest bits, and ``expm1(x - n log 2)``."""
    rounded = x * LOG2_E + ROUND
    n = rounded - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = 1.0 / 479001600 + r * (1.0 / 6227020800)
    p = 1.0 / 39916800 + r * p
    p = 1.0 / 3628800 + r * p
    p = 1.0 / 362880 + r * p
    p = 1.0 / 40320 + r * p
    p = 1.0 / 5040 + r * p
    p = 1.0 / 720 + r * p
    p = 1.0 / 120 + r * p
    p = 1.0 / 24 + r * p
    p = 1.0 / 6 + r * p
    p = 0.5 + r * p
    return rounded, r + r * r * p


@compiled
@no_type_check
def exponential(x: float) -> float:
    """``exp(x)`` for x up to 709, relative error below 1e-15; 0 below -708.

    Example:
        >>> round(exponential(1.0), 12)
        2.718281828459
    """
    rounded, p = _reduced(x)
    scale = _power_of_two(rounded)
    return 0.0 if x < SMALLEST_EXPONENT else scale + scale * p


@compiled
@no_type_check
def one_less(x: float) -> float:
    """``1 - exp(x)`` for x <= 0, relative error below 1e-15.

    Example:
        >>> round(one_less(-1e-9) * 1e9, 6)
        1.0
    """
    rounded, p = _reduced(x)
    scale = _power_of_two(rounded)
    return 1.0 if x < SMALLEST_EXPONENT else (1.0 - scale) - scale * p
