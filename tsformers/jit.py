"""Compilation that asks for a cache on disk and does without where there is no place for one."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")

JIT: Any = njit  # untyped: the option _nrt, though old, is not in its signature


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """``function`` as machine code, under strict IEEE rules: the same numbers from every caller.

    Without counting references to arrays, which would cost more than the rest (ten times, where named tuples of twenty
    arrays go from function to function): so it must make no arrays, and its caller keeps those it is given.

    Args:
        function: plain loops over numbers, arrays and named tuples of them.

    Returns:
        The compiled function; the machine code is kept beside the source, or in the user's cache.

    Example:
        >>> @compiled
        ... def double(x):
        ...     return 2 * x
        >>> double(3)
        6
    """
    for options in ({"cache": True, "_nrt": False}, {"cache": True}, {}):
        try:
            return JIT(**options)(function)
        except (KeyError, RuntimeError):  # no such option in this numba; or no folder for the cache can be written
            continue
    return JIT(function)


def inlined(function: Callable[P, T]) -> Callable[P, T]:
    """``function``, written out wherever compiled code calls it: named tuples of twenty arrays are slow to hand over.

    Example:
        >>> @inlined
        ... def double(x):
        ...     return 2 * x
        >>> compiled(lambda x: double(double(x)))(3)
        12
    """
    for options in ({"_nrt": False}, {}):
        try:
            return JIT(inline="always", **options)(function)
        except KeyError:
            continue
    return JIT(function)
