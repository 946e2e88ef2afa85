"""The clip: what is held decodes as it was to the last bit, and its bitstream is as ITU-T H.264 wants it."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from chalkreel_stage.frames import bitstream
from chalkreel_stage.frames.clip import KEYFRAME_S, Clip, ClipError
from chalkreel_stage.frames.pixels import changed_rows

WIDTH, HEIGHT, FPS = 320, 180, 15
DISTANCE = KEYFRAME_S * FPS

Runs = Sequence[tuple[int, int]]
"""Pictures by number, and for how many frames each stands."""

RUNS: dict[str, Runs] = {
    "one frame": [(0, 1)],
    "two frames": [(0, 1), (1, 1)],
    "movement alone": [(n, 1) for n in range(70)],
    "a short hold": [(0, 3), (1, 5), (2, 1)],
    "a hold past a keyframe": [(n, 1) for n in range(20)] + [(20, 25), (21, 1)],
    "a hold past many keyframes": [(0, 7), (1, 200), (2, 3)],
    "a hold that ends on a keyframe": [(0, DISTANCE), (1, DISTANCE)],
    "a last frame where a keyframe would be": [(0, DISTANCE + 1)],
    "a last movement where a keyframe would be": [(0, DISTANCE), (1, 1)],
    "back and forth": [(n % 2, 1 + n % 3) for n in range(40)],
    "sixteen repeats and more": [(0, 17), (1, 17), (2, 16), (3, 15)],
}


def picture(number: int) -> np.ndarray:
    """Words' worth of detail on a plain ground, another for each number."""
    pixels = np.full((HEIGHT, WIDTH, 4), (18, 20, 28, 255), np.uint8)
    lines = np.random.default_rng(number).integers(0, 2, (12, WIDTH // 4), np.uint8).repeat(4, 1).repeat(2, 0)
    top = 20 + 4 * (number % 30)
    pixels[top : top + 24, :, :3] = np.maximum(pixels[top : top + 24, :, :3], lines[..., None] * 220)
    return pixels


def written(out: Path, runs: Runs, draw: Callable[[int], np.ndarray] = picture) -> Path:
    clip = Clip(out, WIDTH, HEIGHT, FPS)
    for number, count in runs:
        clip.write(draw(number), count)
    assert clip.close() == sum(count for _, count in runs)
    return out


def shown(runs: Runs) -> list[int]:
    return [number for number, count in runs for _ in range(count)]


def planes(frame: av.VideoFrame) -> bytes:
    return frame.to_ndarray(format="yuv420p").tobytes()


def decoded(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        return [planes(frame) for frame in container.decode(video=0)]


@pytest.fixture(params=RUNS, ids=lambda name: name.replace(" ", "-"))
def runs(request: pytest.FixtureRequest) -> Runs:
    return RUNS[request.param]


class Bits:
    """Fields of a slice's header or a parameter set (7.2 and 9.1)."""

    def __init__(self, unit: bytes) -> None:
        data = unit[1:].replace(b"\0\0\3", b"\0\0")
        self.bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def u(self, count: int) -> int:
        self._at += count
        return int(self.bits[self._at - count : self._at] or "0", 2)

    def ue(self) -> int:
        zeros = self.bits.index("1", self._at) - self._at
        self._at += zeros
        return self.u(zeros + 1) - 1


@dataclass
class Slice:
    """What the header of a picture's only slice says."""

    is_key: bool
    is_reference: bool
    kind: int
    frame_num: int
    idr_pic_id: int | None


def units(sample: bytes) -> Iterator[bytes]:
    """NAL units of a sample, which have their length before them."""
    while sample:
        length = int.from_bytes(sample[:4], "big")
        assert 0 < length <= len(sample) - 4
        yield sample[4 : 4 + length]
        sample = sample[4 + length :]


def slices(path: Path) -> list[Slice]:
    """The slices of a clip; each sample has one, and before the first keyframe's there is x264's signature."""
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if not packet.size:
                continue
            inside = list(units(bytes(packet)))
            pictures = [unit for unit in inside if unit[0] & 31 in (1, 5)]
            others = [unit[0] & 31 for unit in inside if unit not in pictures]
            assert len(pictures) == 1 and (others == [] or (not found and others == [6]))
            unit = pictures[0]
            bits = Bits(unit)
            assert bits.ue() == 0, "first_mb_in_slice"
            kind = bits.ue()
            assert bits.ue() == 0, "pic_parameter_set_id"
            is_key = unit[0] & 31 == 5
            assert is_key == packet.is_keyframe
            found.append(Slice(is_key, bool(unit[0] >> 5 & 3), kind, bits.u(4), bits.ue() if is_key else None))
    return found


def test_every_frame_is_there_and_looks_as_it_was_drawn(tmp_path: Path, runs: Runs) -> None:
    frames = decoded(written(tmp_path / "clip.mp4", runs))
    numbers = shown(runs)
    assert len(frames) == len(numbers)
    for frame, number in zip(frames, numbers, strict=True):
        drawn = picture(number)[..., :3] @ np.array([0.2126, 0.7152, 0.0722]) * 219 / 255 + 16
        luma = np.frombuffer(frame[: WIDTH * HEIGHT], np.uint8).reshape(HEIGHT, WIDTH)
        assert np.abs(luma - drawn).mean() < 1.0


def test_what_is_held_decodes_to_the_last_bit(tmp_path: Path, runs: Runs) -> None:
    frames, at = decoded(written(tmp_path / "clip.mp4", runs)), 0
    for _, count in runs:
        assert len(set(frames[at : at + count])) == 1
        at += count


def test_the_bitstream_is_whole(tmp_path: Path, runs: Runs) -> None:
    found = slices(written(tmp_path / "clip.mp4", runs))
    assert found[0].is_key
    number, last_key = 0, 0
    for at, one in enumerate(found):
        # 7.4.3: each picture is a reference, so each counts; an IDR picture begins anew.
        number = 0 if one.is_key else (number + 1) % 16
        assert one.frame_num == number, f"frame {at}"
        assert one.is_reference and one.kind == (7 if one.is_key else 5)
        last_key = at if one.is_key else last_key
        assert at - last_key <= DISTANCE
    # 7.4.3: two IDR pictures in a row have other numbers, and another clip begins with one that has 0.
    if found[-1].is_key:
        assert len(found) == 1 and found[-1].idr_pic_id != 0
    assert not any(one.is_key and two.is_key for one, two in pairwise(found))


def test_a_keyframe_comes_every_two_seconds_at_most_and_no_more_often_than_needed(tmp_path: Path) -> None:
    found = slices(written(tmp_path / "clip.mp4", [(n, 1) for n in range(4 * DISTANCE)]))
    assert [at for at, one in enumerate(found) if one.is_key] == [0, DISTANCE, 2 * DISTANCE, 3 * DISTANCE]


def test_parameter_sets_are_equal_whatever_is_drawn(tmp_path: Path) -> None:
    sets = set()
    for number, runs in enumerate(RUNS.values()):
        with av.open(str(written(tmp_path / f"{number}.mp4", runs))) as container:
            sets.add(container.streams.video[0].codec_context.extradata)
    assert len(sets) == 1
    bits = Bits(next(unit for unit in parameter_sets(sets.pop()) if unit[0] & 31 == 7))
    assert bits.u(8) == 100, "High profile"
    bits.u(16)
    assert bits.ue() == 0, "seq_parameter_set_id"
    assert (bits.ue(), bits.ue(), bits.ue()) == (1, 0, 0), "4:2:0 in eight bits"
    bits.u(2)
    assert bits.ue() == 0, "log2_max_frame_num_minus4, as bitstream.py takes it"
    assert bits.ue() == 2, "pic_order_cnt_type: pictures are shown in the order in which they come"
    assert bits.ue() == 1, "max_num_ref_frames"


def parameter_sets(configuration: bytes) -> Iterator[bytes]:
    """The units in an `avcC` (ISO/IEC 14496-15)."""
    at = 5
    for mask in (31, 255):
        count, at = configuration[at] & mask, at + 1
        for _ in range(count):
            length = int.from_bytes(configuration[at : at + 2], "big")
            yield configuration[at + 2 : at + 2 + length]
            at += 2 + length


class OpenH264:
    """Cisco's decoder, which shares no code with ffmpeg's: `ISVCDecoder` of its `codec_api.h`, called from C."""

    INITIALIZE, UNINITIALIZE, DECODE_NO_DELAY, FLUSH = 0, 1, 3, 5

    class Parameters(ctypes.Structure):
        _fields_ = (
            ("file_name", ctypes.c_char_p),
            ("cpu_load", ctypes.c_uint),
            ("target_layer", ctypes.c_ubyte),
            ("concealment", ctypes.c_int),
            ("parse_only", ctypes.c_bool),
            ("video_size", ctypes.c_uint),
            ("video_type", ctypes.c_int),
        )

    class Info(ctypes.Structure):
        _fields_ = (
            ("status", ctypes.c_int),
            ("in_time", ctypes.c_ulonglong),
            ("out_time", ctypes.c_ulonglong),
            ("width", ctypes.c_int),
            ("height", ctypes.c_int),
            ("format", ctypes.c_int),
            ("strides", ctypes.c_int * 2),
            ("more", ctypes.c_ubyte * 64),
        )

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib").glob("*/libopenh264.so.?"))
        assert found, "the tests need OpenH264: `make test` installs it"
        self._library = ctypes.CDLL(str(found[-1]))
        self._decoder = ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))()
        assert self._library.WelsCreateDecoder(ctypes.byref(self._decoder)) == 0
        parameters = self.Parameters(None, 0, 255, 0, False, 8 + 8, 1)
        assert self._call(self.INITIALIZE, ctypes.byref(parameters)) == 0

    def _call(self, method: int, *arguments: object) -> int:
        function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(self._decoder[0][method])
        function.argtypes = None
        return function(ctypes.cast(self._decoder, ctypes.c_void_p), *arguments)

    def frames(self, unit: bytes) -> Iterator[bytes]:
        """The picture that is complete now, if any. Fails when the decoder complains or conceals anything."""
        yield from self._taken(self.DECODE_NO_DELAY, unit, ctypes.c_int(len(unit)))

    def rest(self) -> Iterator[bytes]:
        """Pictures that were held back to be put in order."""
        while frames := list(self._taken(self.FLUSH)):
            yield from frames

    def _taken(self, method: int, *arguments: object) -> Iterator[bytes]:
        data, info = (ctypes.POINTER(ctypes.c_ubyte) * 3)(), self.Info()
        state = self._call(method, *arguments, ctypes.byref(data), ctypes.byref(info))
        assert state == 0, f"OpenH264's DECODING_STATE is {state:#x}"
        if info.status == 1:
            planes = []
            for plane, stride in enumerate((info.strides[0], info.strides[1], info.strides[1])):
                width, height = (info.width, info.height) if plane == 0 else (info.width // 2, info.height // 2)
                planes.append(np.ctypeslib.as_array(data[plane], (height, stride))[:, :width].tobytes())
            yield b"".join(planes)

    def close(self) -> None:
        self._call(self.UNINITIALIZE)
        self._library.WelsDestroyDecoder(self._decoder)


def test_another_decoder_sees_the_same(tmp_path: Path, runs: Runs) -> None:
    path = written(tmp_path / "clip.mp4", runs)
    expected = [hashlib.sha256(frame).digest() for frame in decoded(path)]
    start, seen = b"\0\0\0\1", []
    decoder = OpenH264()
    with av.open(str(path)) as container:
        for unit in parameter_sets(container.streams.video[0].codec_context.extradata):
            assert not list(decoder.frames(start + unit))
        for packet in container.demux(video=0):
            if packet.size:
                picture = [unit for unit in units(bytes(packet)) if unit[0] & 31 != 6]
                seen += decoder.frames(start + picture[0])
    seen += decoder.rest()
    decoder.close()
    assert [hashlib.sha256(frame).digest() for frame in seen] == expected


def test_joined_clips_decode_as_each_alone(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{number}.mp4", runs) for number, runs in enumerate(RUNS.values())]
    alone = [frame for path in paths for frame in decoded(path)]
    names = tmp_path / "names.txt"
    names.write_text("".join(f"file '{path}'\n" for path in paths))
    packets, joined = 0, tmp_path / "joined.mp4"
    with av.open(str(names), format="concat", options={"safe": "0"}) as films, av.open(str(joined), "w") as out:
        stream = out.add_stream_from_template(films.streams.video[0])
        for packet in films.demux(video=0):
            if packet.size:
                packet.stream, packets = stream, packets + 1
                out.mux(packet)
    assert packets == len(alone)
    assert decoded(joined) == alone


def test_a_repeat_costs_next_to_nothing(tmp_path: Path) -> None:
    short = written(tmp_path / "short.mp4", [(0, DISTANCE)]).stat().st_size
    long = written(tmp_path / "long.mp4", [(0, 20 * DISTANCE)]).stat().st_size
    key = len(av_packets(tmp_path / "long.mp4")[0])
    repeats = 19 * DISTANCE
    assert long - short < 19 * key + repeats * 60


def av_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_only_rows_that_changed_are_converted(tmp_path: Path) -> None:
    """A picture that is changed a little at a time ends as one that is drawn at once."""
    canvas = picture(0)

    def step(number: int) -> np.ndarray:
        canvas[number * 7 : number * 7 + 5, 10:90, :3] = (200, 40 * (number % 5), 90)
        return canvas

    numbers = range(25)
    path = written(tmp_path / "steps.mp4", [(number, 1 + number % 2) for number in numbers], step)
    whole = written(tmp_path / "whole.mp4", [(0, 1)], lambda _: canvas)
    last, at_once = (np.frombuffer(decoded(one)[-1], np.uint8).astype(int) for one in (path, whole))
    assert np.abs(last - at_once).mean() < 0.5


def test_rows_that_differ() -> None:
    one, other = picture(0), picture(0)
    assert changed_rows(one, other) is None
    other[33, 5, 2] ^= 1
    assert changed_rows(one, other) == (32, 34)
    other[HEIGHT - 1, 0, 0] ^= 1
    assert changed_rows(one, other) == (32, HEIGHT)


def test_other_packets_are_refused() -> None:
    with pytest.raises(bitstream.BitstreamError):
        bitstream.Numbered(b"\0\0\0\1\x65\x88\x84")
    with pytest.raises(bitstream.BitstreamError):
        bitstream.Numbered(b"\0\0\0\1\x41\x9a\x21\0\0\1\x41\x9a\x21")
    with pytest.raises(bitstream.BitstreamError):
        bitstream.Numbered(b"\0\0\0\1\x41" + bytes(12))
    with pytest.raises(bitstream.BitstreamError):
        bitstream.without_signature(b"\0\0\0\1\x41\x9a\x21")


def test_emulation_bytes_are_put_where_the_number_needs_them() -> None:
    """With some numbers there are zero bytes in the header, which must not look like a start code."""
    packet = b"\0\0\0\1\x41\x9a\x00\x00\x03\x00\x00\x03\x01\x99"
    for number in range(16):
        changed = bitstream.Numbered(packet).with_number(number)
        inside = changed[4:]
        assert not any(code in inside for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
        bits = Bits(inside)
        assert (bits.ue(), bits.ue(), bits.ue(), bits.u(4)) == (0, 5, 0, number)
        assert bits.bits[11:] == Bits(packet[4:]).bits[11:]


def test_a_clip_whose_frames_went_astray_has_no_name(tmp_path: Path) -> None:
    clip = Clip(tmp_path / "clip.mp4", WIDTH, HEIGHT, FPS)
    clip.write(picture(0), 3)
    clip.frames += 1
    with pytest.raises(ClipError):
        clip.close()
    assert not (tmp_path / "clip.mp4").exists()
