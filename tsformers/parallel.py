"""The same small task for many series, in this process or, where that pays, in several."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from time import perf_counter
from typing import Any

import joblib
import scipy.linalg  # noqa: F401  its BLAS must be loaded for quiet() to find it
from threadpoolctl import threadpool_limits
from tqdm import tqdm

WORTH_PROCESSES = 8.0  # seconds of work left that pay for starting processes and importing statsmodels in each
CHUNKS_PER_PROCESS = 4


def each(
    work: Callable[[Any], Any], items: Sequence[Any], n_jobs: int, title: str, verbose: bool | None = None
) -> list[Any]:
    """``work(item)`` for each item, in order: here, or in processes once the work left turns out to be worth it.

    Args:
        work: a pure function that can be sent to another process.
        items: what it is given, one after the other.
        n_jobs: processes, in joblib's counting (-1: one a processor); the answers do not depend on it.
        title: stands before the progress bar.
        verbose: show the bar; None = on a terminal.

    Returns:
        The answers.

    Example:
        >>> each(abs, [-1, 2, -3], 1, "sizes")
        [1, 2, 3]
    """
    done: list[Any] = []
    silent = None if verbose is None else not verbose
    with quiet(), tqdm(total=len(items), desc=title, disable=silent, leave=False, delay=1) as bar:
        processes, returns = workers(n_jobs)
        began = perf_counter()
        for item in items:
            if len(done) == 1:
                began = perf_counter()  # the first item has paid for imports
            mean = (perf_counter() - began) / max(len(done) - 1, 1)
            if processes > 1 and len(done) > 1 and mean * (len(items) - len(done)) > WORTH_PROCESSES:
                break
            done.append(work(item))
            bar.update()
        rest = items[len(done) :]
        size = max(1, len(rest) // (processes * CHUNKS_PER_PROCESS))
        chunks = (rest[i : i + size] for i in range(0, len(rest), size))
        calls = (joblib.delayed(work_chunk)(work, chunk, os.getpid()) for chunk in chunks)
        for answers in joblib.Parallel(processes, return_as=returns)(calls) if rest else ():
            done += answers
            bar.update(len(answers))
    return done


def work_chunk(work: Callable[[Any], Any], items: Sequence[Any], home: int) -> list[Any]:
    """``work`` on a chunk; another process than ``home`` has warnings of its own to silence (threads share ours)."""
    with nullcontext() if os.getpid() == home else quiet():
        return [work(item) for item in items]


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings from inside the fits, what matters of them is said in one warning at the end; and one BLAS thread.

    Threads gain nothing on matrices of ten rows, and waiting for each other on a busy machine they cost twentyfold.
    Importing statsmodels puts "always" before every filter for its own warnings; hence the silent ``showwarning`` too,
    which ``catch_warnings`` puts back.
    """
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.showwarning = lambda *_, **__: None
        yield


def workers(n_jobs: int) -> tuple[int, str]:
    """Processes joblib would start here (one inside a worker of somebody else's), and how its engine gives answers."""
    backend, _ = joblib.parallel.get_active_backend()
    returns = "generator" if getattr(backend, "supports_return_generator", False) else "list"
    return 1 if backend.nesting_level else joblib.effective_n_jobs(n_jobs), returns
