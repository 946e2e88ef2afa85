"""How full a picture is: what tells the film's poster, and the small picture of each scene, from the others."""

from __future__ import annotations

import numpy as np

CELLS = 32, 18
"""Columns and rows of cells. A line of words fills its cells, however thin its letters are."""

STANDS_OUT = 24
"""Levels of 255 by which ink differs from the ground: more than the edge of a letter, less than a panel's line."""


def fullness(picture: np.ndarray) -> float:
    """The share (0 to 1) of a picture's cells that have ink.

    `picture` has rows of RGB or RGBA bytes; its ground is what its corner shows.
    """
    step = max(picture.shape[0] // 360, 1)
    small = picture[::step, ::step, :3].astype(np.int16)
    ink = (np.abs(small - small[0, 0]) > STANDS_OUT).any(axis=2)
    columns, rows = CELLS
    high, wide = max(ink.shape[0] // rows, 1), max(ink.shape[1] // columns, 1)
    ink = ink[: ink.shape[0] // high * high, : ink.shape[1] // wide * wide]
    cells = ink.reshape(ink.shape[0] // high, high, ink.shape[1] // wide, wide).any(axis=(1, 3))
    return float(cells.mean())


class Fullest:
    """The fullest of the pictures that were offered."""

    def __init__(self) -> None:
        self._frame: int | None = None
        self._share = -1.0

    def offer(self, frame: int, picture: np.ndarray) -> None:
        """A picture in which nothing moves, and its frame; of two as full as each other the later is kept."""
        share = fullness(picture)
        if share >= self._share:
            self._frame, self._share = frame, share

    def told(self) -> dict[str, float] | None:
        """As in `done`: `frame` and `share`; none when there was no picture."""
        return None if self._frame is None else {"frame": self._frame, "share": round(self._share, 4)}
