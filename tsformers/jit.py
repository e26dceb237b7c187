"""Numba's options, written once: machine code cached on disk, or without a cache where no folder can be written."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")

JIT: Any = njit  # untyped: the option _nrt, though old, is not in its signature


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """``function`` as machine code, under strict IEEE rules: the same numbers from every caller.

    Without counting references to arrays, which would cost more than the rest (ten times, where named tuples of twenty
    arrays go from function to function): so it must make no arrays, and its caller keeps those it passes in.

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
    return _first_possible(function, {"cache": True, "_nrt": False}, {"cache": True}, {})


def compiled_nogil(*fastmath: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator for array kernels that run in threads: without the interpreter's lock, arrays may be made.

    Division by zero gives what numpy gives, not an exception.

    Args:
        *fastmath: LLVM's fast-math flags, what the compiler may assume beyond IEEE rules: "contract" (a product and a
            sum in one step), "reassoc" (sums in any order), "nsz" (no signed zeros), "nnan" (no NaN).

    Returns:
        The decorator; the machine code is kept as by ``compiled``.

    Example:
        >>> @compiled_nogil("contract")
        ... def product_sum(a, b, c):
        ...     return a * b + c
        >>> product_sum(2.0, 3.0, 4.0)
        10.0
    """
    options = {"nogil": True, "error_model": "numpy"} | ({"fastmath": set(fastmath)} if fastmath else {})
    return lambda function: _first_possible(function, options | {"cache": True}, options)


def inlined(function: Callable[P, T]) -> Callable[P, T]:
    """``function``, written out wherever compiled code calls it: named tuples of twenty arrays are slow to hand over.

    Args:
        function: as for ``compiled``.

    Returns:
        The function, for compiled callers.

    Example:
        >>> @inlined
        ... def double(x):
        ...     return 2 * x
        >>> compiled(lambda x: double(double(x)))(3)
        12
    """
    options = {"inline": "always"}
    return _first_possible(function, options | {"_nrt": False}, options)


def _first_possible(function: Callable[P, T], *choices: dict[str, Any]) -> Callable[P, T]:
    for options in choices[:-1]:
        try:
            return JIT(**options)(function)
        except (KeyError, RuntimeError):  # no such option in this numba; or no folder for the cache can be written
            continue
    return JIT(**choices[-1])(function)
