"""Work in processes: threads and warnings inside it, and afterwards."""

import math
import warnings

import joblib
import pytest
from threadpoolctl import threadpool_info

from tsformers import parallel
from tsformers.parallel import each, quiet, workers


def square(x):
    warnings.warn("a single fit did not converge", UserWarning, stacklevel=1)
    return x * x


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_answers_come_in_order_whatever_the_number_of_processes(monkeypatch, n_jobs):
    monkeypatch.setattr(parallel, "WORTH_PROCESSES", 0.0)
    roots = each(math.sqrt, range(40), n_jobs, "roots", verbose=False)  # other processes cannot import this file
    assert roots == [math.sqrt(x) for x in range(40)]


def test_warnings_inside_are_suppressed_and_those_after_are_not():
    with quiet():
        square(1)
    with pytest.warns(UserWarning, match="did not converge"):
        square(1)


def test_a_worker_of_another_pool_starts_no_processes():
    assert workers(2)[0] == 2
    inside = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(workers)(2) for _ in range(2))
    assert [n for n, _ in inside] == [1, 1]


def test_inside_the_fits_blas_has_one_thread_and_afterwards_what_it_had():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with parallel.quiet():
        assert set(threads()) == {1}
        warnings.warn("not shown", UserWarning, stacklevel=1)
    assert threads() == before
