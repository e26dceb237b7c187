"""How much memory do forecasts of many series need beyond their table and panel? 100,000 series of 100 rows."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.panel import frame
from benchmarks.timing import Row, compare

HORIZON, LEVELS, N_SAMPLES, ALLOWED = 24, (0.1, 0.5, 0.9), 1000, 500.0
GOAL = "at least 1x: 500 MiB"
CASES = tuple((model, suffix) for model in ("SeasonalNaive", "Theta") for suffix in ("parquet", "csv"))


def run() -> Iterator[Row]:
    """Fit, 1,000 draws, three quantiles and the file, each model in a process of its own (and Theta's workers)."""
    for model, suffix in CASES:
        command = [sys.executable, "-P", "-m", "benchmarks.size", model, suffix]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak, workers, seconds = json.loads(done.stdout.splitlines()[-1])
        what = f"{model}, fit and forecast to {suffix}, 100,000 series x 100 rows"
        yield compare(what, peak, "allowed", ALLOWED, GOAL, "MiB")
        yield Row(
            what, seconds, "", None, None, f"none; {os.getloadavg()[2]:.0f} processes were running on the machine"
        )
        if workers:
            yield Row(f"{what}: its worker processes", workers, "", None, None, "", "MiB")


def measure(model: str, suffix: str) -> tuple[float, float, float]:
    """Peak MiB beyond what the process held with the table and the panel in memory, that of its workers, and seconds.

    Workers are other processes: the sum of the most that each held, its interpreter and libraries included.
    """
    from time import perf_counter

    import tsformers as tsf
    from tsformers.data.blocks.answer_frames import answer_frames
    from tsformers.data.blocks.forecast_blocks import forecast_blocks
    from tsformers.data.files.write import write_table

    table = frame()
    panel = tsf.Panel.from_frame(table)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from what is held now
    before, began = memory("VmRSS"), perf_counter()
    fitted = getattr(tsf, model)(horizon=HORIZON, seed=0, verbose=False).fit(panel)
    blocks = forecast_blocks(fitted, quantiles=LEVELS, n_samples=N_SAMPLES)
    with TemporaryDirectory() as folder:
        write_table(answer_frames(blocks, LEVELS, text=suffix == "csv"), Path(folder) / f"answer.{suffix}")
    seconds = perf_counter() - began
    assert len(table) == len(panel.y)  # both were held to the end
    return memory("VmHWM") - before, memory_of_workers(), seconds


def memory_of_workers() -> float:
    """MiB that the processes started by this one held at most, summed; 0 where there are none."""
    texts = (path.read_text(encoding="ascii", errors="replace") for path in Path("/proc").glob("[0-9]*/status"))
    fields = (dict(line.split(":", 1) for line in text.splitlines() if ":" in line) for text in texts)
    own = str(os.getpid())
    peaks = [each["VmHWM"] for each in fields if each["PPid"].strip() == own and "VmHWM" in each]
    return sum(int(peak.split()[0]) for peak in peaks) / 1024


def memory(field: str) -> float:
    """MiB of a field of this process: "VmRSS" is what it holds, "VmHWM" the most that it held."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
