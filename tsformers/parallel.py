"""One task for each of many series, in this process or in several where that is faster."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from time import perf_counter
from typing import Any

import joblib
import scipy.linalg  # noqa: F401  its BLAS must be loaded before quiet() limits it
from threadpoolctl import threadpool_limits

from tsformers.progress import PATIENCE, progress

WORTH_PROCESSES = 8.0  # seconds of remaining work above which processes are started (each imports the package)
WORTH_THREADS = 0.2  # and threads
CHUNKS_PER_PROCESS = 4


def each(
    work: Callable[[Any], Any],
    items: Sequence[Any],
    n_jobs: int | None,
    title: str,
    verbose: bool | None = None,
    threads: bool = False,
) -> list[Any]:
    """``work(item)`` for each item, in order: in this process, or in several once enough work is left (8 s).

    Args:
        work: a pure function that can be pickled.
        items: its arguments.
        n_jobs: processes, as in joblib (-1: one per processor); the answers do not depend on it.
        title: label of the progress bar.
        verbose: show the bar; None = on a terminal.
        threads: the work releases the interpreter's lock: threads, in place of processes.

    Returns:
        The answers.

    Example:
        >>> each(abs, [-1, 2, -3], 1, "sizes")
        [1, 2, 3]
    """
    done: list[Any] = []
    with quiet(), progress(len(items), verbose, title, unit="series", delay=PATIENCE) as bar:
        processes, returns = workers(n_jobs)
        began = perf_counter()
        for item in items:
            if len(done) == 1:
                began = perf_counter()  # the first item has paid for imports
            mean = (perf_counter() - began) / max(len(done) - 1, 1)
            worth = WORTH_THREADS if threads else WORTH_PROCESSES
            if processes > 1 and len(done) > 1 and mean * (len(items) - len(done)) > worth:
                break
            done.append(work(item))
            bar.update()
        rest = items[len(done) :]
        size = max(1, len(rest) // (processes * CHUNKS_PER_PROCESS))
        chunks = (rest[i : i + size] for i in range(0, len(rest), size))
        calls = (joblib.delayed(work_chunk)(work, chunk, os.getpid()) for chunk in chunks)
        how = {"backend": "threading"} if threads else {}
        for answers in joblib.Parallel(processes, return_as=returns, **how)(calls) if rest else ():
            done += answers
            bar.update(len(answers))
    return done


def work_chunk(work: Callable[[Any], Any], items: Sequence[Any], home: int) -> list[Any]:
    """``work`` for each item of a chunk; under its own ``quiet`` in another process than ``home`` (threads share it).

    Args:
        work: as in ``each``.
        items: the chunk.
        home: id of the process that called ``each``.

    Returns:
        The answers.

    Example:
        >>> work_chunk(abs, [-1, 2], os.getpid())
        [1, 2]
    """
    with nullcontext() if os.getpid() == home else quiet():
        return [work(item) for item in items]


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings of single fits, which are summed up in one warning at the end, and use one BLAS thread.

    More threads gain nothing on matrices of ten rows and slow a busy machine down twentyfold. Importing statsmodels
    puts "always" before every filter for its own warnings; hence the empty ``showwarning`` too, which
    ``catch_warnings`` restores.

    Example:
        >>> with quiet():
        ...     warnings.warn("did not converge")
    """
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.showwarning = lambda *_, **__: None
        yield


def workers(n_jobs: int | None) -> tuple[int, str]:
    """How many processes joblib would start here, and how its backend returns answers.

    Args:
        n_jobs: as in ``each``.

    Returns:
        The number of processes, 1 inside another joblib worker; and "generator" or "list".

    Example:
        >>> workers(1)
        (1, 'generator')
    """
    backend, _ = joblib.parallel.get_active_backend()
    returns = "generator" if getattr(backend, "supports_return_generator", False) else "list"
    return 1 if backend.nesting_level else joblib.effective_n_jobs(n_jobs), returns
