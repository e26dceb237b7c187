"""Record what the package answers today, or tell where it answers otherwise.

    python tests/fixed_point/record.py --write          models, hashes and answers are replaced
    python tests/fixed_point/record.py [--only TEXT]    one line for each case that differs; exit code 1 if any

On the machine that recorded (``answers.json`` names it) answers are equal to the last bit; elsewhere to 1e-9 relative,
those of trained networks to 1e-6. ``--write --only TEXT`` replaces the cases whose names hold TEXT and keeps others.
``--models`` with ``--write`` makes the saved models anew; without it they stay those of the former version.
"""

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this tree's tsformers, whatever is installed
sys.path.append(str(Path(__file__).resolve().parents[1]))

import numpy as np

from fixed_point import store
from fixed_point.cases import CASES
from fixed_point.saving import save_models


def found_by(only: str, show: bool) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, float], list[str]]:
    """Answers and seconds of all cases whose names hold ``only``, and those that raised."""
    found: dict[str, dict[str, np.ndarray]] = {}
    seconds: dict[str, float] = {}
    failed = []
    for name, case in CASES.items():
        if only in name:
            began = time.process_time()
            try:
                found[name] = case.run()
            except Exception as error:
                failed.append(name)
                print(f"{name}: {type(error).__name__}: {error}", flush=True)
                if show:
                    traceback.print_exc()
            seconds[name] = time.process_time() - began
    return found, seconds, failed


def write(only: str, models: bool, show: bool) -> int:
    """Replace the store, or the cases of it whose names hold ``only``."""
    if only and store.read_hashes()["machine"] != store.machine():
        print("another machine wrote the store; record all cases anew")
        return 1
    if models:
        save_models(store.SAVED)
    found, seconds, failed = found_by(only, show)
    if failed:
        print("nothing was written")
        return 1
    if only:
        page = store.read_hashes()
        kept = {name: arrays for name, arrays in store.read_arrays().items() if name not in found and name in CASES}
        slow = {name: 2.0 if page["cases"][name]["slow"] else 0.0 for name in kept}
        found, seconds = kept | found, slow | seconds
    store.write({name: found[name] for name in CASES if name in found}, seconds)
    size, arrays = store.ARRAYS.stat().st_size / 1e6, sum(map(len, found.values()))
    slowest = ", ".join(f"{name} {seconds[name]:.1f}" for name in sorted(seconds, key=lambda name: -seconds[name])[:8])
    print(f"{len(found)} cases, {arrays} arrays, {size:.2f} MB, {sum(seconds.values()):.0f} s")
    print(f"slowest: {slowest}")
    return 0


def compare(only: str, show: bool) -> int:
    """Tell what differs."""
    page = store.read_hashes()
    here = store.machine()
    same = here == page["machine"]
    if not same:
        others = [
            f"{key} {here.get(key)} for {value}" for key, value in page["machine"].items() if here.get(key) != value
        ]
        print(f"another machine ({'; '.join(others)}): compared within tolerances")
    found, seconds, failed = found_by(only, show)
    differing = len(failed)
    for name, ours in found.items():
        differing_lines = store.compare(name, ours, CASES[name].trained, same)
        differing += bool(differing_lines)
        if differing_lines:
            more = f" (and {len(differing_lines) - 1} more)" if len(differing_lines) > 1 else ""
            print(f"{name}: {differing_lines[0]}{more}", flush=True)
            if show:
                print(*(f"    {line}" for line in differing_lines), sep="\n")
    for name in page["cases"]:
        if only in name and name not in CASES:
            differing += 1
            print(f"{name}: is in the store and not among the cases")
    print(f"{len(seconds)} cases, {differing} differ, {sum(seconds.values()):.0f} s")
    return int(differing > 0)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--debug", action="store_true", help="every array that differs, and tracebacks")
    given = parser.parse_args()
    return write(given.only, given.models, given.debug) if given.write else compare(given.only, given.debug)


if __name__ == "__main__":
    sys.exit(main())
