"""Frames → one H.264 clip.

Every clip of a film is written with the same settings by the same encoder, so clips share their parameter sets and
can be joined by stream copy. No B-frames: the first packet has time 0 and no edit list is needed. The group of
pictures is closed and at most two seconds long. Manim's own writer (a file per animation, joined afterwards) is not
used: it converts and encodes each repeat of a still frame anew.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

KEYFRAME_S = 2
"""Longest distance of two keyframes, in seconds."""

TICKS = 512
"""Ticks of the clip's clock in one frame, so that every frame has an integer time at any whole rate."""

ENCODER = {
    "preset": "veryfast",
    "tune": "animation",
    "crf": "20",
    "x264-params": "bframes=0:open-gop=0:scenecut=0",
}
"""Settings of libx264. The handler encodes cards and intros with the same, or they could not be joined to clips."""

_BT709 = 1  # ITU-T H.273: primaries, transfer and matrix all have number 1 for BT.709.


class ClipError(RuntimeError):
    """The clip does not hold the frames that were written."""


class Clip:
    """A clip being written. The file has its name only once it is whole."""

    def __init__(self, out: Path, width: int, height: int, fps: int) -> None:
        """`width` and `height` in pixels, both even; `fps` in whole frames per second."""
        self.frames = 0
        self._out = out
        self._partial = out.with_name(out.name + ".part")
        self._packets = 0
        self._time_base = Fraction(1, fps)
        self._width, self._height = width, height
        self._container = av.open(
            str(self._partial), "w", format="mp4", options={"video_track_timescale": str(fps * TICKS)}
        )
        stream = self._container.add_stream("libx264", rate=fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.time_base = self._time_base
        context = stream.codec_context
        context.time_base = self._time_base
        context.gop_size = KEYFRAME_S * fps
        context.max_b_frames = 0
        context.color_primaries = _BT709
        context.color_trc = _BT709
        context.colorspace = _BT709
        context.color_range = ColorRange.MPEG.value
        # Two encoder threads work while Python draws the next frame.
        context.thread_count = 2
        context.options = dict(ENCODER)
        self._stream = stream
        self._reformatter = VideoReformatter()

    def write(self, pixels: np.ndarray, count: int = 1) -> None:
        """Appends `count` frames that look like `pixels`: RGBA bytes, shape (height, width, 4)."""
        if count <= 0:
            return
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(pixels, format="rgba"),
            self._width,
            self._height,
            "yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        # The stream's own time base changes to the container's when the header is written.
        frame.time_base = self._time_base
        for _ in range(count):
            frame.pts = self.frames
            self.frames += 1
            self._mux(self._stream.encode(frame))

    def close(self) -> int:
        """Finishes the file, checks its count and gives it its name; frames written. Raises ClipError."""
        self._mux(self._stream.encode())
        self._container.close()
        if self._packets != self.frames:
            raise ClipError(f"{self.frames} frames went in and {self._packets} came out of the encoder")
        os.replace(self._partial, self._out)
        return self.frames

    def _mux(self, packets: list[av.Packet]) -> None:
        self._packets += len(packets)
        for packet in packets:
            self._container.mux(packet)
