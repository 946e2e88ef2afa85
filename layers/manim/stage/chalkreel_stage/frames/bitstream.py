"""Packets of H.264 as x264 writes them with the settings in `clip`: whose turn they are.

ITU-T H.264, 7.3.3 and 7.4.1. `frame_num` counts reference pictures from the last IDR picture on. x264 sees only
pictures that differ, so its numbers are put right once the repeats are between them.
"""

from __future__ import annotations

import re

_FRAME_NUM_BITS = 4
"""log2_max_frame_num of x264 with one reference picture."""

_START = b"\x00\x00\x01"
_IDR, _SLICE = 5, 1

_ESCAPED = re.compile(rb"\x00\x00\x03")
_TO_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class BitstreamError(ValueError):
    """A packet is not one of x264 with our settings."""


class Numbered:
    """A packet of one P picture that can be given any `frame_num`."""

    def __init__(self, packet: bytes) -> None:
        """`packet` has start codes. Raises BitstreamError unless it is one P slice, of the parameter set 0."""
        start = packet.find(_START)
        begin = start + len(_START)
        if start < 0 or packet.find(_START, begin) >= 0 or packet[begin] & 0x1F != _SLICE:
            raise BitstreamError("a packet is not one slice")
        self._head = packet[: begin + 1]
        self._slice = bytearray(_ESCAPED.sub(b"\x00\x00", packet[begin + 1 :]))
        self._bytes = min(len(self._slice), 8)
        bits = int.from_bytes(self._slice[: self._bytes], "big")
        at = 8 * self._bytes
        for wanted in (0, 5, 0):  # first_mb_in_slice, slice_type (P, as all of the picture), pic_parameter_set_id
            number, at = _exp_golomb(bits, at)
            if number != wanted:
                raise BitstreamError("a slice has another header")
        if at < _FRAME_NUM_BITS:
            raise BitstreamError("a slice is cut off")
        self._shift = at - _FRAME_NUM_BITS
        mask = ((1 << _FRAME_NUM_BITS) - 1) << self._shift
        self._without = bits & ~mask

    def with_number(self, number: int) -> bytes:
        """The packet as the picture `number` after the last IDR picture."""
        number %= 1 << _FRAME_NUM_BITS
        head = (self._without | number << self._shift).to_bytes(self._bytes, "big")
        self._slice[: self._bytes] = head
        return self._head + _TO_ESCAPE.sub(b"\x00\x00\x03", bytes(self._slice))


def without_signature(packet: bytes) -> bytes:
    """The packet of a keyframe with its picture alone. Raises BitstreamError when it has none."""
    start = packet.rfind(_START)
    if start < 0 or packet[start + len(_START)] & 0x1F != _IDR:
        raise BitstreamError("a packet is no keyframe in one slice")
    return b"\x00" + packet[start:]


def _exp_golomb(bits: int, at: int) -> tuple[int, int]:
    """ue(v), read from bit `at - 1` downwards, and where the next field begins. Raises BitstreamError."""
    zeros = 0
    while at > 0 and not bits >> (at - 1) & 1:
        zeros, at = zeros + 1, at - 1
    length = zeros + 1
    if length > at:
        raise BitstreamError("a slice has another header")
    return (bits >> (at - length) & ((1 << length) - 1)) - 1, at - length
