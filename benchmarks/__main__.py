"""Times beside those of a named peer, measured in one process: ``python -m benchmarks [NAME ...]``.

Each file with a function ``run`` is a benchmark and answers one question. Numerical libraries get one thread, unless
the environment (``OMP_NUM_THREADS``) or ``--threads`` says otherwise: on a busy machine threads wait for each other,
and two of them can be slower than one by a factor of 100.
"""

import argparse
import sys

from benchmarks.machine import limit_threads


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmarks, all by default; the exit code is 1 where one failed, 2 for a name not known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times beside those of a named peer.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; default: all")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and their questions")
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads of numerical libraries; default: 1")
    chosen = parser.parse_args(arguments)
    limit_threads(chosen.threads)
    from benchmarks import runner  # imports numpy, which reads its thread count once

    benchmarks = runner.find_benchmarks()
    unknown = [name for name in chosen.names if name not in benchmarks]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(benchmarks)}")
    if chosen.list:
        for name, question in benchmarks.items():
            print(f"{name:<15} {question}")
        return 0
    failed = runner.run_benchmarks(chosen.names or list(benchmarks))
    if failed:
        print(f"{len(failed)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of threads")
    return number


if __name__ == "__main__":
    sys.exit(main())
