"""Engines that run the tasks of a backtest: this process, other processes, or a cluster, through joblib."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Literal

import joblib

Engine = Literal["local", "ray", "dask", "spark"]
ENGINES = ("local", "ray", "dask", "spark")


def run(call: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], engine: str, n_jobs: int) -> Iterator[Any]:
    """Results of ``call(*task)``, each as soon as it is ready, in any order.

    Args:
        call: a function that can be sent to other processes.
        tasks: its arguments, one tuple a call.
        engine: "local" (processes of this machine), "ray", "dask" or "spark".
        n_jobs: calls at a time, -1 = one a processor; 1 with "local" runs in this process.

    Yields:
        One result a task.

    Raises:
        ImportError: the engine's package is missing; the message names the extra that installs it.
        ValueError: no such engine.

    Example:
        >>> sorted(run(pow, [(2, 3), (2, 1)], "local", 1))
        [2, 8]
    """
    backend = _backend(engine)
    if engine == "local" and (n_jobs == 1 or len(tasks) < 2):
        yield from (call(*task) for task in tasks)
        return
    with backend(n_jobs):
        parallel = joblib.Parallel(return_as="generator_unordered" if engine == "local" else "list")
        yield from parallel(joblib.delayed(call)(*task) for task in tasks)


def _backend(engine: str) -> Callable[[int], AbstractContextManager[Any]]:
    """The configuration of joblib for an engine; called before any task, so that a missing package is named."""
    if engine == "local":
        return lambda n_jobs: joblib.parallel_config("loky", n_jobs=n_jobs)
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    try:
        if engine == "ray":
            from ray.util.joblib import register_ray  # type: ignore[import-not-found,unused-ignore]

            register_ray()
        elif engine == "spark":
            from joblibspark import register_spark  # type: ignore[import-not-found,unused-ignore]

            register_spark()
        else:
            import distributed  # noqa: F401

            return _dask
    except ImportError as error:
        raise _missing(engine) from error
    return lambda n_jobs: joblib.parallel_config(engine, n_jobs=n_jobs)


def _dask(n_jobs: int) -> AbstractContextManager[Any]:
    """The caller's own client, or one for this machine that is closed after the last task."""
    from distributed import Client, get_client

    stack = ExitStack()
    try:
        get_client()
    except ValueError:
        stack.enter_context(Client(n_workers=None if n_jobs < 1 else n_jobs, threads_per_worker=1))  # type: ignore[no-untyped-call,unused-ignore]
    stack.enter_context(joblib.parallel_config("dask"))
    return stack


def _missing(engine: str) -> ImportError:
    return ImportError(f"engine {engine!r} needs a package that is missing: pip install 'tsformers[{engine}]'")
