"""Which frames of the clip belong to which beat. Integers alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


class Ledger:
    """Beat i owns exactly its asked number of frames; what was really written is checked against that."""

    def __init__(self, frames: Sequence[int]) -> None:
        """`frames` of each beat, each at least 1. Raises ValueError."""
        if not frames or any(count < 1 for count in frames):
            raise ValueError("every beat needs at least one frame")
        self._asked = list(frames)
        self._beats: list[dict[str, int]] = []

    @property
    def total(self) -> int:
        """Frames of the whole clip."""
        return sum(self._asked)

    def finish_beat(self, first_frame: int, end_frame: int) -> None:
        """Enters a beat that was written as frames `first_frame` up to, not with, `end_frame`. Raises ValueError."""
        asked = self._asked[len(self._beats)]
        if end_frame - first_frame != asked:
            raise ValueError(f"beat {len(self._beats)} has {end_frame - first_frame} frames, not {asked}")
        self._beats.append({"first_frame": first_frame, "frames": asked})

    @property
    def beats(self) -> list[dict[str, int]]:
        """The entries so far."""
        return list(self._beats)


def slots(total: int, weights: Sequence[float]) -> list[int]:
    """Splits `total` frames by weight into whole numbers that sum to `total`."""
    whole = sum(weights)
    edges = [0]
    running = 0.0
    for weight in weights:
        running += weight
        edges.append(round(total * running / whole) if whole > 0 else 0)
    if weights:
        edges[-1] = total
    return [after - before for before, after in pairwise(edges)]
