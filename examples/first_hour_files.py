"""Writes the three files of docs/first_hour.md into the current folder: sales, a meter and a monitoring export.

python examples/first_hour_files.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd


def main() -> None:
    """Write sales.csv, meter.csv, web.json and web_today.json; the same bytes at each run."""
    rng = np.random.default_rng(7)
    write_sales(Path("sales.csv"), rng)
    write_meter(Path("meter.csv"), rng)
    write_monitoring(Path("web.json"), Path("web_today.json"), rng)
    print("wrote sales.csv, meter.csv, web.json and web_today.json")


def write_sales(path: Path, rng: np.random.Generator) -> None:
    """A sheet of daily sales, one column a shop, under a title; no shop opens on Sundays."""
    days = pd.date_range("2024-01-01", "2024-06-30")
    week = np.array([1.0, 0.9, 0.95, 1.0, 1.3, 1.6, 0.0])[days.dayofweek]
    lines = ["Sales by shop, in euros", "", "Date,Harbour,Market,Station"]
    for day, factor in zip(days, week, strict=True):
        sold = factor * np.array([820.0, 1450.0, 610.0]) * rng.gamma(40, 1 / 40, 3)
        lines.append(",".join([f"{day:%d/%m/%Y}", *("" if factor == 0 else f"{value:.2f}" for value in sold)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_meter(path: Path, rng: np.random.Generator) -> None:
    """A meter's hourly readings on the clock on the wall, with decimal commas, over the end of summer time."""
    hours = pd.date_range("2024-09-01", "2024-11-15", freq="h", tz="Europe/Berlin", inclusive="left")
    daily = 0.4 + 0.5 * np.exp(-((hours.hour.to_numpy() - 19) ** 2) / 12) + 0.25 * (hours.hour.to_numpy() == 7)
    used = daily * rng.gamma(30, 1 / 30, len(hours))
    cells = [f"{value:.3f}".replace(".", ",") for value in used]
    rows = [f"{hour:%d.%m.%Y %H:%M};{cell}" for hour, cell in zip(hours, cells, strict=True)]
    path.write_text("\r\n".join(["Zeitpunkt;Verbrauch", *rows]) + "\r\n", encoding="utf-8-sig")


def write_monitoring(past: Path, today: Path, rng: np.random.Generator) -> None:
    """Answers of a monitoring server to a range query: requests a second, by the minute, of two instances."""
    start = 1717200000  # 1 June 2024, 00:00 UTC
    minutes = np.arange(4 * 1440)
    results: dict[Path, list[dict[str, object]]] = {past: [], today: []}
    for instance, level in (("web-1:9090", 120.0), ("web-2:9090", 80.0)):
        rate = level * (1 + 0.3 * np.sin(2 * np.pi * minutes / 1440)) + level * 0.03 * rng.standard_normal(len(minutes))
        if instance == "web-2:9090":
            rate[3 * 1440 + 600 : 3 * 1440 + 612] *= 0.2  # twelve minutes of trouble on the last day
        values = [[start + 60 * int(k), f"{value:.3f}"] for k, value in zip(minutes, rate, strict=True)]
        metric = {"__name__": "http_requests", "instance": instance}
        results[past].append({"metric": metric, "values": values[: 3 * 1440]})
        results[today].append({"metric": metric, "values": values[3 * 1440 :]})
    for path, result in results.items():
        answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        path.write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
