"""The latest decisions: as many as a picture needs, without those that have no time."""

from tsformers.anomaly.decisions import Decision
from tsformers.streaming.latest_decisions import LatestDecisions


def test_only_the_latest_with_a_place_in_time_are_kept():
    latest = LatestDecisions(3, times=lambda times: [t * 10 for t in times])
    for t, status in enumerate(("tested", "tested", "invalid", "missing", "ahead")):
        latest(Decision("a", t, 1.5, status=status))
    assert latest.frame()[["ds", "status"]].to_numpy().tolist() == [[30, "missing"]]
    assert LatestDecisions(times=len).frame().empty
