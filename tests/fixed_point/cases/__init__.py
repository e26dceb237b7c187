"""All cases, by kind of thing."""

from fixed_point.cases import (
    anomaly,
    blocks,
    clustering,
    commands,
    compose,
    corners,
    evaluation,
    fdr,
    frames,
    jobs,
    local,
    networks,
    preprocessing,
    redsds,
    saved,
    scoring,
    segments,
)
from fixed_point.registry import CASES

__all__ = [
    "CASES", "anomaly", "blocks", "clustering", "commands", "compose", "corners", "evaluation", "fdr", "frames", "jobs",
    "local", "networks", "preprocessing", "redsds", "saved", "scoring", "segments",
]  # fmt: skip
