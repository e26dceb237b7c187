"""Anomaly detection in a stream of real data, row by row, with a picture.

    python examples/streaming_anomalies.py  # prints the days with alarms, writes streaming_anomalies.png

Taxi rides in New York, every half hour, from the Numenta Anomaly Benchmark (licence MIT), which is looked for in the
folders of TSFORMERS_DATA. There are alarms in all five labelled windows: the marathon and the end of summer time (1 and
2 November), Thanksgiving (25 and 27 November), Christmas (24 and 25 December), New Year, and the blizzard (26 and 27
January); and one false alarm, on the morning of 20 October. Without the benchmark: three quarterly rates of the US
economy, which a dependency ships.
"""

from pathlib import Path

import pandas as pd

import tsformers as tsf
from tsformers.anomaly import alarm_chart

PICTURE = Path("streaming_anomalies.png")


def taxi_rides() -> tuple[pd.DataFrame, pd.DataFrame, tsf.AnomalyDetector]:
    """Rides until the middle of October 2014, the rides after it, and a detector with a weekly season."""
    rides = tsf.load_dataset("nab").query("unique_id == 'realKnownCause/nyc_taxi'").assign(unique_id="taxi rides")
    week = tsf.SeasonalNaive(horizon=48, season_length=7 * 48, seed=0)
    detector = tsf.AnomalyDetector(week, tsf.fdr.LORD(alpha=0.1, decay=0.99), p_value="conformal", refresh=12)
    return rides[rides["ds"] < "2014-10-15"], rides[rides["ds"] >= "2014-10-15"], detector


def rates() -> tuple[pd.DataFrame, pd.DataFrame, tsf.AnomalyDetector]:
    """Inflation, interest and unemployment before 2000, the ten years after it, and a detector of unusual changes."""
    macro = tsf.load_dataset("macrodata").sort_values("ds", kind="stable")
    chosen = macro[macro["unique_id"].isin(["infl", "tbilrate", "unemp"])]
    naive = tsf.SeasonalNaive(horizon=1, season_length=1, seed=0)
    detector = tsf.AnomalyDetector(naive, tsf.fdr.LORD(alpha=0.1, decay=0.99), p_value="predictive")
    return chosen[chosen["ds"] < "2000"], chosen[chosen["ds"] >= "2000"], detector


def main() -> None:
    """Print the days with alarms and draw the picture."""
    try:
        history, later, detector = taxi_rides()
    except (ValueError, OSError):
        print("The taxi rides are not found (see `tsformers datasets show nab`): rates of the US economy instead.")
        history, later, detector = rates()
    detector.fit(history)
    rows = later.to_dict("records")
    decisions = list(detector.stream(rows))  # rows of any iterable, such as a socket
    found = pd.DataFrame([{name: getattr(row, name) for name in row.__slots__} for row in decisions])
    alarms = found[found["anomaly"]].groupby(["unique_id", found["ds"].dt.date])["anomaly"].sum()
    print(f"{len(rows):,} rows, {detector.counts['alarms']} alarms, days with any:")
    print(alarms.rename("alarms").to_string())
    try:
        alarm_chart(found).savefig(PICTURE)
        print(f"The picture: {PICTURE}")
    except ImportError as reason:
        print(reason)


if __name__ == "__main__":
    main()
