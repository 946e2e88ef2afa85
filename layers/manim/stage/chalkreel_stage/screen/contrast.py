"""Measures on the finished picture how far the colours of words stand out from what is behind them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from manim import Mobject

from .. import theme
from ..audit import Faint
from ..typesetting.outlines import is_ink

MOST = 4000
"""Runs of glyphs that are measured in a scene: more than 200 beats can bring."""

AROUND = 3
"""Pixels around a run that are looked at too: a thin rule is all ink within its own edges."""

OWN = 6
"""Levels of 255 within which a pixel has the colour of the words."""

LEAST_GROUND = 0.1
"""Where fewer pixels than this share have another colour than the words, the words are on their own colour."""


class Contrast:
    """Words are measured once, when they stand for the first time."""

    def __init__(self) -> None:
        self._seen: dict[int, Mobject] = {}

    def faint(self, name: str, item: Mobject, picture: np.ndarray, frame: tuple[float, float]) -> Iterable[Faint]:
        """Words in `item` that don't stand out. `picture` shows the whole frame of that width and height in units."""
        for run in item.get_family():
            if not is_ink(run) or id(run) in self._seen or len(self._seen) >= MOST:
                continue
            # The object is kept along with its id, which another one would get otherwise.
            self._seen[id(run)] = run
            opacity = float(run.get_fill_opacity())
            ground = _ground(run, picture, frame) if opacity > 0.0 else None
            if ground is None:
                continue
            shown = theme.mix(ground, run.get_fill_color().to_hex().lower()[:7], opacity)
            if theme.contrast(shown, ground) < theme.CONTRAST:
                yield Faint(name, shown, ground)


def _ground(run: Mobject, picture: np.ndarray, frame: tuple[float, float]) -> str | None:
    """The colour of most pixels behind and around a run; none when it is outside of the frame."""
    height, width = picture.shape[:2]
    low, high = run.points[:, :2].min(axis=0), run.points[:, :2].max(axis=0)
    left, right = ((x / frame[0] + 0.5) * width for x in (low[0], high[0]))
    top, bottom = ((0.5 - y / frame[1]) * height for y in (high[1], low[1]))
    rows = slice(max(int(top) - AROUND, 0), max(int(bottom) + AROUND + 1, 0))
    columns = slice(max(int(left) - AROUND, 0), max(int(right) + AROUND + 1, 0))
    pixels = picture[rows, columns, :3].reshape(-1, 3)
    if not len(pixels):
        return None
    own = np.array([int(run.get_fill_color().to_hex()[i : i + 2], 16) for i in (1, 3, 5)])
    others = pixels[(np.abs(pixels.astype(np.int16) - own) > OWN).any(axis=1)]
    behind = others if len(others) >= LEAST_GROUND * len(pixels) else pixels
    packed = behind.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    shades, counts = np.unique(packed, return_counts=True)
    return f"#{int(shades[counts.argmax()]):06x}"
