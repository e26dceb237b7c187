"""Where a benchmark ran: machine, processor, versions, threads and commit, for the file of its results."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
OURS = ("tsformers", "numpy", "torch", "numba", "pandas", "scipy")
PEERS = ("statsmodels", "gluonts", "properscoring", "online-fdr", "river", "neuralforecast")


def limit_threads(threads: int | None) -> None:
    """Set the thread count of all numerical libraries; takes effect only before numpy and torch are imported.

    Args:
        threads: for all of them. None: variables in the user's environment are kept, the others take the value of
            ``OMP_NUM_THREADS``, or 1 where that is not set either.
    """
    default = os.environ.get("OMP_NUM_THREADS", "1").split(",")[0]
    for name in THREAD_VARIABLES:
        if threads is not None:
            os.environ[name] = str(threads)
        else:
            os.environ.setdefault(name, default)


def describe_machine() -> dict[str, Any]:
    """Everything that a time depends on beside its benchmark; values are serialisable."""
    torch = sys.modules.get("torch")  # not imported only for this
    return {
        "machine": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "threads": {
            **{name: os.environ.get(name) for name in THREAD_VARIABLES},
            "torch": torch.get_num_threads() if torch else None,
        },
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in (*OURS, *PEERS)},
        "commit": _commit(),
    }


def _processor() -> str:
    """The model's name from Linux, or what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The checked-out commit, with "-dirty" where files differ from it; None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
