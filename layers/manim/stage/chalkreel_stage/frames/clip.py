"""Frames → one H.264 clip.

Every clip of a film is written with the same settings by the same encoder, so clips share their parameter sets and
can be joined by stream copy. No B-frames: the first packet has time 0 and no edit list is needed. The group of
pictures is closed and at most two seconds long. Manim's own writer (a file per animation, joined afterwards) is not
used: it converts and encodes each repeat of a still frame anew.

Only a picture that differs from the one before is converted and encoded. A repeat is a picture of skipped macroblocks
alone, some 30 bytes that x264 made once; it decodes to the last bit as the picture before. A picture that is held
past the next keyframe is a keyframe itself, whose packet is written again every two seconds.
"""

from __future__ import annotations

import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import msgspec
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from .bitstream import Numbered, without_signature
from .pixels import Planes, changed_rows

KEYFRAME_S = 2
"""Longest distance of two keyframes, in seconds."""

TICKS = 512
"""Ticks of the clip's clock in one frame, so that every frame has an integer time at any whole rate."""

SETTINGS = msgspec.json.decode(Path(__file__).with_name("encoder.json").read_bytes())
"""Settings of libx264. `stream` is what all clips, cards and intros share, or they could not be joined.

The handler reads the same file."""

ENCODER = {
    **SETTINGS["drawn"],
    "forced-idr": "1",
    # A packet for each picture at once, in one slice; which are keyframes is said for each picture.
    "x264-params": SETTINGS["stream"] + ":threads=1:keyint=infinite:rc-lookahead=0:sync-lookahead=0:mbtree=0",
}
"""Of a clip.

Measured over the pictures of seven lessons at 1280x720: 3.2 ms for each that differs, where crf 20 with two slices and
a look-ahead took 9.1 ms; files as large to 3 %, SSIM 0.9990 and 0.9995. Keyframes, which stand longest, are the finest.
"""

_BT709 = 1  # ITU-T H.273: primaries, transfer and matrix all have number 1 for BT.709.


class ClipError(RuntimeError):
    """The clip does not hold the frames that were written."""


def _set_up(context: av.VideoCodecContext, width: int, height: int, fps: int) -> None:
    context.width, context.height = width, height
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, fps)
    context.framerate = Fraction(fps)
    context.max_b_frames = 0
    context.color_primaries = _BT709
    context.color_trc = _BT709
    context.colorspace = _BT709
    context.color_range = ColorRange.MPEG.value
    context.thread_count = 1
    context.options = dict(ENCODER)


@lru_cache(maxsize=8)
def _repeat(width: int, height: int, fps: int) -> bytes:
    """A P picture of skipped macroblocks, as x264 makes it of two equal flat pictures."""
    context = av.CodecContext.create("libx264", "w")
    _set_up(context, width, height, fps)
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    packets = []
    for number in range(2):
        frame.pts, frame.time_base = number, Fraction(1, fps)
        packets += context.encode(frame)
    packets += context.encode()
    return bytes(packets[1])


class Clip:
    """A clip being written. The file has its name only once it is whole."""

    def __init__(self, out: Path, width: int, height: int, fps: int) -> None:
        """`width` and `height` in pixels, both even; `fps` in whole frames per second."""
        self.frames = 0
        self._out = out
        self._partial = out.with_name(out.name + ".part")
        self._width, self._height = width, height
        self._container = av.open(
            str(self._partial), "w", format="mp4", options={"video_track_timescale": str(fps * TICKS)}
        )
        self._stream = self._container.add_stream("libx264", rate=fps)
        _set_up(self._stream.codec_context, width, height, fps)
        self._time_base = self._stream.time_base = Fraction(1, fps)
        self._frame = av.VideoFrame(width, height, "yuv420p")
        self._frame.color_range = ColorRange.MPEG
        self._planes = Planes(self._frame)
        self._before = np.empty((height, width, 4), np.uint8)
        self._repeat = Numbered(_repeat(width, height, fps))
        self._distance = KEYFRAME_S * fps
        self._held = 0  # frames that look like the last picture and are not yet written, itself among them
        self._pictures = 0  # that x264 has seen
        self._since = 0  # frames since the last keyframe, itself among them; 0 before the first
        self._written = 0

    def write(self, pixels: np.ndarray, count: int = 1) -> None:
        """Appends `count` frames that look like `pixels`: RGBA bytes, shape (height, width, 4)."""
        if count <= 0:
            return
        pixels = np.ascontiguousarray(pixels)
        rows = changed_rows(pixels, self._before) if self.frames else (0, self._height)
        if rows is not None:
            self._flush()
            self._planes.convert(pixels, self._before, *rows)
        self._held += count
        self.frames += count

    def close(self) -> int:
        """Finishes the file, checks its count and gives it its name; frames written. Raises ClipError."""
        self._flush(is_last=True)
        if left := self._stream.encode():
            raise ClipError(f"the encoder has held back {len(left)} packets")
        self._container.close()
        if self._written != self.frames:
            raise ClipError(f"{self.frames} frames went in and {self._written} came out of the encoder")
        os.replace(self._partial, self._out)
        return self.frames

    def _flush(self, is_last: bool = False) -> None:
        """Writes the last picture and its repeats."""
        held, self._held = self._held, 0
        if not held:
            return
        # A keyframe at the end would follow the next clip's first, and two in a row must not have the same number.
        due = self._since + held - is_last > self._distance
        if not self._since or due:
            packet = self._encoded(is_key=True)
            if is_last and self.frames == 1:
                packet = self._encoded(is_key=True)
            self._put(packet, is_key=True)
            again = without_signature(packet)
        else:
            self._put(Numbered(self._encoded(is_key=False)).with_number(self._since))
        for left in range(held - 1, 0, -1):
            if self._since >= self._distance and not (is_last and left == 1):
                self._put(again, is_key=True)
            else:
                self._put(self._repeat.with_number(self._since))

    def _encoded(self, is_key: bool) -> bytes:
        frame = self._frame
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        frame.pts, frame.time_base = self._pictures, self._time_base
        self._pictures += 1
        packets = self._stream.encode(frame)
        if len(packets) != 1 or packets[0].is_keyframe is not is_key:
            raise ClipError("the encoder did not give one packet of the wanted kind for a picture")
        return bytes(packets[0])

    def _put(self, data: bytes, is_key: bool = False) -> None:
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._stream, self._time_base
        packet.pts = packet.dts = self._written
        packet.duration = 1
        packet.is_keyframe = is_key
        self._container.mux(packet)
        self._written += 1
        self._since = 1 if is_key else self._since + 1
