"""Frames → clip. The frames that a program draws are the film's; a picture is held where words take longer.

Programs end in an empty screen more often than not, so a picture is never held after a movement that only takes away:
frames of such a movement are withheld, compressed, until it is known whether words still run. If they do, the picture
from before the movement is held first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..frames.clip import Clip
from ..frames.fullness import Fullest

MOST_WITHHELD = 256 * 1024 * 1024
"""Bytes of compressed frames. A second of a 4k picture at 60 frames takes about 20 MB."""


class FilmLimit(BaseException):
    """The film has reached its longest length. No Exception, so that a program's own handlers let it pass."""


class Blank:
    """A clip that is not written, of a program that is run dry."""

    def __init__(self) -> None:
        self.frames = 0

    def write(self, pixels: np.ndarray, count: int = 1) -> None:
        """Counts."""
        self.frames += count

    def close(self) -> int:
        """Frames that were counted."""
        return self.frames


@dataclass(frozen=True)
class Hold:
    """A picture that was held: `frames` of it, from `first_frame` on."""

    first_frame: int
    frames: int


class Footage:
    """What was drawn so far."""

    def __init__(self, clip: Clip | Blank, limit: int, wrote: Callable[[int], None]) -> None:
        """`limit` is the longest length in frames, 0 for none; `wrote` is told the number of frames."""
        self.drawn = 0
        """Frames that the program drew itself."""
        self.holds: list[Hold] = []
        self.fullest = Fullest()
        self.is_writing = False
        """Whether a frame is on its way into the clip."""
        self._clip = clip
        self._limit = limit
        self._wrote = wrote
        self._last: np.ndarray | None = None
        self._withheld: list[tuple[bytes, int]] | None = None
        self._size = 0
        self._waiting = 0

    @property
    def frames(self) -> int:
        """Frames of the film so far, the withheld ones included."""
        return self._clip.frames + self._waiting

    @property
    def is_empty(self) -> bool:
        """Whether there is no picture yet."""
        return self._last is None

    @property
    def withholds(self) -> bool:
        """Whether the picture before a movement that takes away can still be held."""
        return self._withheld is not None

    def write(self, frame: np.ndarray, count: int) -> None:
        """Appends `count` frames that look like `frame` (RGBA bytes). Raises FilmLimit."""
        room = self._limit - self.frames if self._limit else count
        count, too_long = min(count, max(room, 0)), count > room
        self.is_writing = True
        try:
            self._write(frame, count)
        finally:
            self.is_writing = False
        self._wrote(self.frames)
        if too_long:
            raise FilmLimit

    def _write(self, frame: np.ndarray, count: int) -> None:
        self.drawn += count
        if self._withheld is None:
            self._clip.write(frame, count)
            self._last = frame
        elif count:
            packed = zlib.compress(np.ascontiguousarray(frame).data, 1)
            self._withheld.append((packed, count))
            self._shape = frame.shape
            self._waiting += count
            self._size += len(packed)
            if self._size > MOST_WITHHELD:
                self.release()

    def stands(self) -> None:
        """A movement has come to its end; after one that only takes away, there is less to be seen than before."""
        if self._last is not None and self._withheld is None and isinstance(self._clip, Clip):
            self.fullest.offer(self._clip.frames - 1, self._last)

    def withhold(self) -> None:
        """What follows only takes away. Without any picture so far there is nothing to hold."""
        if self._withheld is None and self._last is not None:
            self._withheld, self._size = [], 0

    def release(self) -> None:
        """What follows shows something: the withheld frames are written as they came."""
        withheld, self._withheld, self._waiting = self._withheld, None, 0
        for packed, count in withheld or ():
            frame = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self._shape)
            self._clip.write(frame, count)
            self._last = frame

    def hold(self, count: int) -> Hold:
        """Holds the last picture that showed something for `count` frames; where it came to stand. Raises FilmLimit."""
        hold = Hold(self._clip.frames, count)
        if count <= 0 or self._last is None:
            return Hold(hold.first_frame, 0)
        room = self._limit - self.frames if self._limit else count
        hold = Hold(self._clip.frames, min(count, max(room, 0)))
        self.is_writing = True
        try:
            self._clip.write(self._last, hold.frames)
            self.holds.append(hold)
            self.release()
        finally:
            self.is_writing = False
        self._wrote(self.frames)
        if count > room:
            raise FilmLimit
        return hold

    def close(self) -> int:
        """Finishes the clip; its frames. Raises ClipError."""
        self.release()
        if self.fullest.told() is None:
            self.stands()
        return self._clip.close()
