"""RGBA pictures → planes of BT.709 for the encoder, by the native library: only the rows that changed."""

from __future__ import annotations

import ctypes

import av
import numpy as np

from ..library import library


def changed_rows(now: np.ndarray, before: np.ndarray) -> tuple[int, int] | None:
    """The rows in which two pictures differ: the first, and the one after the last, both even; none if they are equal.

    Both are RGBA bytes of the same shape (height, width, 4), without gaps.
    """
    height, width = now.shape[:2]
    rows = library.chalkreel_changed(now.ctypes.data, before.ctypes.data, width, height)
    return (rows >> 32, rows & 0xFFFFFFFF) if rows else None


class Planes:
    """The planes of a frame in yuv420p, to be written into."""

    def __init__(self, frame: av.VideoFrame) -> None:
        """`frame` has an even width and height."""
        self._frame = frame
        self._planes = [(plane.buffer_ptr, plane.line_size) for plane in frame.planes]

    def convert(self, pixels: np.ndarray, copy: np.ndarray, first: int, end: int) -> None:
        """Writes the rows `first` up to, not with, `end`, both even, and copies them to `copy`."""
        width = pixels.shape[1]
        starts = [start + stride * (first >> (plane > 0)) for plane, (start, stride) in enumerate(self._planes)]
        done = library.chalkreel_convert(
            pixels[first:].ctypes.data,
            copy[first:].ctypes.data,
            width,
            end - first,
            (ctypes.c_void_p * 3)(*starts),
            (ctypes.c_uint32 * 3)(*(stride for _, stride in self._planes)),
        )
        if not done:
            raise ValueError(f"a picture of {pixels.shape} could not be converted")
