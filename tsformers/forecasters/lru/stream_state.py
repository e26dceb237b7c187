"""The state of a stream of LRU: what it needs of the past of each series."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class StreamState:
    """The state of all series, packed: B rows of the network, and M lanes, the channels of row after row."""

    states: list[Tensor]  # of each block, (B, ...)
    features: Tensor  # (B, D) of the last step
    statics: Tensor  # (B, S)
    units: np.ndarray  # (M, 4): location, scale, statistic of the scale, smallest scale
    count: np.ndarray  # (M,) observed values
    last: np.ndarray  # (M,) the last of them
    place: np.ndarray  # (M,) of the oldest value in the ring
    ring: np.ndarray  # (M, p) the last p values, missing ones replaced by the one before
    position: np.ndarray  # (M,) of the last step on the time grid
    phase: np.ndarray  # (M,) offset of the series between two points of the grid

    def lanes(self) -> tuple[np.ndarray, ...]:
        """The arrays that the kernels read and update."""
        return self.units, self.count, self.last, self.place, self.ring

    def arrays(self) -> dict[str, np.ndarray]:
        """The parts that are arrays, by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def join(cls, parts: "list[StreamState]") -> "StreamState":
        """One state of all rows, part after part."""
        if len(parts) == 1:
            return parts[0]
        states = [torch.cat(same) for same in zip(*(part.states for part in parts), strict=True)]
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
        features, statics = (torch.cat([getattr(part, name) for part in parts]) for name in TENSORS)
        return cls(states, features, statics, **arrays)

    def pick(self, rows: np.ndarray) -> "StreamState":
        """Copies of some rows, each of one lane."""
        at = torch.from_numpy(rows).to(self.features.device)
        arrays = {name: part[rows] for name, part in self.arrays().items()}
        return StreamState([state[at] for state in self.states], self.features[at], self.statics[at], **arrays)


TENSORS = ("features", "statics")
ARRAYS = tuple(field.name for field in fields(StreamState) if field.type is np.ndarray)
