"""Single frames of a scene as pictures, for whoever wants to see it before it is rendered.

Nothing is encoded that nobody asked for: a scene costs what drawing it costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

LEVEL = 1
"""How hard zlib tries: at 6 a picture takes four times as long and is a tenth smaller."""


class Stills:
    """Takes frames as a clip does, and keeps the wanted ones."""

    def __init__(self, out: Path, wanted: Iterable[int]) -> None:
        """`wanted` are numbers of frames, from 0; each is left beside `out`, whose name it has with its own number."""
        self.frames = 0
        self._out = out
        self._wanted = sorted(set(wanted), reverse=True)

    def write(self, pixels: np.ndarray, count: int = 1) -> None:
        """Appends `count` frames that look like `pixels`: RGBA bytes, shape (height, width, 4)."""
        self.frames += max(count, 0)
        picture = None
        while self._wanted and self._wanted[-1] < self.frames:
            picture = _png(pixels) if picture is None else picture
            self._out.with_name(f"{self._out.name}-{self._wanted.pop()}.png").write_bytes(picture)

    def close(self) -> int:
        """Frames in all."""
        return self.frames


def _png(pixels: np.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels[:, :, :3]).save(out, format="PNG", compress_level=LEVEL)
    return out.getvalue()
