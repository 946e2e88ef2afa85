"""`chalkreel-voice`: speaks with Piper's neural voices, for the caller at the other end of its socket.

Models are loaded when they are first asked for, and kept; requests are answered one after the other. It reads models
and writes the sound files that are asked for, and nothing else.

One JSON document a line. Requests:

- `{"op": "speak", "id", "model", "text", "length_scale", "out"}`: `model` is the path of an `.onnx` file with its
  `.onnx.json` beside it, `length_scale` is 1 at the voice's own pace and 2 at half of it, `out` is the path of the WAV
  file to write;
- `{"op": "cancel", "id"}` and `{"op": "quit"}`; the end of the stream means quit.

Answers: `ready` (`piper`, `import_s`), then for each request one of `done` (`id`, `seconds`, `words`: for each word of
the text, by white space, the milliseconds at which it begins and ends; empty when the model doesn't say; no file is
written when nothing can be spoken, and `seconds` is 0) and `failed` (`id`, `kind`: `error` or `cancelled`, `message`);
`refused` (`message`) for a line that is no request.

Piper is licensed under the GPL, version 3 or later. This file imports it, so it is a program of its own: Chalkreel
starts it and speaks to it over its socket, and links nothing of it.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import socket
import sys
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
from piper.config import PiperConfig, SynthesisConfig
from piper.voice import PiperVoice

SENTENCE_PAUSE = 0.2
"""Seconds of silence between two sentences, at the voice's own pace."""

MOST_MODELS = 2
"""Models in memory at a time: some 150 MB each."""

THREADS = min(2, os.cpu_count() or 1)
"""A second thread makes a sentence half again as fast for a seventh more CPU; more bring little."""

LONGEST_LINE = 4 << 20


def main() -> int:
    """Serves until the caller goes or says quit; 2 when there is no socket."""
    try:
        caller = socket.socket(fileno=int(os.environ.get("CHALKREEL_STAGE_FD", "3")))
        os.set_inheritable(caller.fileno(), False)
    except (OSError, ValueError) as error:
        print(f"chalkreel-voice: no socket to serve: {error}", file=sys.stderr)
        return 2
    # What libraries print is no part of the protocol.
    os.dup2(2, 1)
    # It would write a folder of its own, and has nobody to tell.
    onnxruntime.disable_telemetry_events()
    server = Server(caller)
    try:
        server.send({"event": "ready", "piper": _version(), "import_s": round(time.process_time(), 3)})
        threading.Thread(target=server.read, daemon=True).start()
        server.serve()
    except OSError:
        pass
    return 0


def _version() -> str:
    from importlib.metadata import version

    return version("piper-tts")


class Refused(ValueError):
    """A line that is no request; the message says why."""


class Cancelled(Exception):
    """The request was cancelled while it was worked on."""


@dataclass(frozen=True)
class Speak:
    """A request to speak."""

    id: str
    model: str
    text: str
    length_scale: float
    out: str


def parse(line: bytes) -> Speak | str | None:
    """A request: what to speak, the id of one to cancel, or None to quit. Raises Refused."""
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refused("not an object")
    op = body.get("op")
    if op == "quit":
        return None
    name = body.get("id")
    if not isinstance(name, str) or not name:
        raise Refused("a request needs an id")
    if op == "cancel":
        return name
    if op != "speak":
        raise Refused(f"no such op: {op!r}")
    model, text, out = (body.get(key) for key in ("model", "text", "out"))
    scale = body.get("length_scale", 1.0)
    if not all(isinstance(value, str) and value for value in (model, text, out)):
        raise Refused("model, text and out are texts")
    if not isinstance(scale, (int, float)) or not 0.1 <= scale <= 10:
        raise Refused("length_scale is a number from 0.1 to 10")
    return Speak(name, str(model), str(text), float(scale), str(out))


class Server:
    """One caller's requests. A thread reads them, so that one that waits or is worked on can be cancelled."""

    def __init__(self, caller: socket.socket) -> None:
        self._caller = caller
        self._sending = threading.Lock()
        self._waiting: queue.Queue[Speak | None] = queue.Queue()
        self._open: set[str] = set()
        self._cancelled: set[str] = set()

    def send(self, answer: dict[str, Any]) -> None:
        """Raises OSError when the caller has gone."""
        with self._sending:
            self._caller.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    def read(self) -> None:
        """Reads requests until there are no more."""
        try:
            stream = self._caller.makefile("rb")
            while line := stream.readline(LONGEST_LINE):
                try:
                    asked = parse(line)
                except Refused as error:
                    self.send({"event": "refused", "message": str(error)[:500]})
                    continue
                if asked is None:
                    break
                if isinstance(asked, str):
                    # One that is answered already is not remembered.
                    if asked in self._open:
                        self._cancelled.add(asked)
                    continue
                self._open.add(asked.id)
                self._waiting.put(asked)
        except OSError:
            pass
        # A sentence that is being spoken is of use to nobody any more.
        os._exit(0)

    def serve(self) -> None:
        """Answers requests, in order. Raises OSError when the caller has gone."""
        while (asked := self._waiting.get()) is not None:
            try:
                seconds, words = speak(asked, lambda name=asked.id: name in self._cancelled)
                answer = {"event": "done", "id": asked.id, "seconds": round(seconds, 4), "words": words}
            except Cancelled:
                answer = {"event": "failed", "id": asked.id, "kind": "cancelled", "message": "cancelled"}
            except Exception as error:  # whatever Piper or the model raises is this request's failure alone
                message = f"{type(error).__name__}: {error}"[:500]
                answer = {"event": "failed", "id": asked.id, "kind": "error", "message": message}
            self._open.discard(asked.id)
            self._cancelled.discard(asked.id)
            self.send(answer)


def speak(asked: Speak, is_cancelled: Any) -> tuple[float, list[list[int]]]:
    """Writes the sound; its seconds, and the words' times in milliseconds.

    Raises Cancelled, and whatever Piper raises.
    """
    if is_cancelled():
        raise Cancelled
    voice = load(asked.model)
    # Two brackets would begin phonemes.
    text = asked.text.replace("[[", "[")
    settings = SynthesisConfig(length_scale=asked.length_scale * _own_scale(voice))
    sounds: list[numpy.ndarray] = []
    groups: list[Group] = []
    is_timed = True
    at = 0
    rate = voice.config.sample_rate
    pause = int(SENTENCE_PAUSE * asked.length_scale * rate)
    for chunk in voice.synthesize(text, settings, include_alignments=True):
        if is_cancelled():
            raise Cancelled
        if sounds:
            sounds.append(numpy.zeros(pause, numpy.int16))
            at += pause
        sound = chunk.audio_int16_array
        alignments = chunk.phoneme_alignments
        if alignments is None:
            is_timed = False
        else:
            groups.extend(groups_of([(part.phoneme, int(part.num_samples)) for part in alignments], at))
        sounds.append(sound)
        at += len(sound)
    if not at:
        return 0.0, []
    with wave.open(asked.out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numpy.concatenate(sounds).tobytes())
    if not is_timed:
        return at / rate, []
    spoken = [said_alone(voice, word) for word in text.split()]
    return at / rate, [[round(begin * 1000 / rate), round(end * 1000 / rate)] for begin, end in times(spoken, groups)]


def _own_scale(voice: PiperVoice) -> float:
    return float(voice.config.length_scale or 1.0)


@functools.lru_cache(maxsize=MOST_MODELS)
def load(path: str) -> PiperVoice:
    """A voice that tells how long each phoneme lasts, if its model can.

    Raises OSError, ValueError and what onnxruntime raises.
    """
    config = PiperConfig.from_dict(json.loads(Path(path + ".json").read_text(encoding="utf-8")))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    # Threads that wait for work would take a core from whatever is drawn meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Memory planned for the length of each sentence would be kept for all of them.
    options.enable_mem_pattern = False
    model = with_durations(Path(path).read_bytes())
    return PiperVoice(session=Session(model, sess_options=options, providers=["CPUExecutionProvider"]), config=config)


class Session(onnxruntime.InferenceSession):
    """Gives back after each sentence what it needed for it: memory stays as it was, however long a sentence was."""

    _after = onnxruntime.RunOptions()
    _after.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, output_names: Any, input_feed: Any, run_options: Any = None) -> Any:
        """See onnxruntime."""
        return super().run(output_names, input_feed, run_options or self._after)


# Durations.


def with_durations(model: bytes) -> bytes:
    """The ONNX model with its durations as one more output, or as it is when they can't be told from the rest.

    VITS rounds the durations of phonemes up, by the only `Ceil` in the graph. Protocol buffers that follow each other
    are merged when they are read, and repeated fields are joined: a graph with one more output needs some bytes at the
    end, and no copy of ONNX's own library (numbers of fields from onnx.proto: ModelProto.graph 7; GraphProto.node 1,
    output 12; NodeProto.output 2, op_type 4; ValueInfoProto.name 1).
    """
    durations: set[bytes] = set()
    outputs: set[bytes] = set()
    for graph in _values(model, 7):
        for node in _values(graph, 1):
            if b"Ceil" in map(bytes, _values(node, 4)):
                durations.update(map(bytes, _values(node, 2)))
        for output in _values(graph, 12):
            outputs.update(map(bytes, _values(output, 1)))
    if len(durations) != 1 or durations <= outputs:
        return model
    return model + _field(7, _field(12, _field(1, durations.pop())))


def _values(message: bytes | memoryview, wanted: int) -> Iterator[memoryview]:
    """The fields of that number that hold bytes. Raises ValueError when this is no protocol buffer."""
    view = memoryview(message)
    at = 0
    while at < len(view):
        key, at = _number(view, at)
        kind = key & 7
        if kind == 0:
            _, at = _number(view, at)
        elif kind == 1:
            at += 8
        elif kind == 2:
            length, at = _number(view, at)
            if key >> 3 == wanted:
                yield view[at : at + length]
            at += length
        elif kind == 5:
            at += 4
        else:
            raise ValueError("the model is no ONNX file")


def _number(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise ValueError("the model is no ONNX file")
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _field(number: int, value: bytes) -> bytes:
    def encoded(n: int) -> bytes:
        parts = bytearray()
        while n > 127:
            parts.append(n & 127 | 128)
            n >>= 7
        return bytes([*parts, n])

    return encoded(number << 3 | 2) + encoded(len(value)) + value


# Words.


@dataclass(frozen=True)
class Group:
    """Phonemes between two spaces, and the samples at which they begin and end."""

    phonemes: str
    begin: int
    end: int


_UNHEARD = re.compile(r"[^\w]|[ˈˌː_]", re.UNICODE)
"""Stress, length and punctuation: they differ with what stands beside a word."""


def heard(phonemes: str) -> str:
    """Those phonemes that are the word's own."""
    return _UNHEARD.sub("", phonemes)


def groups_of(phonemes: Sequence[tuple[str, int]], at: int) -> list[Group]:
    """The groups of one sentence. `phonemes` are each with its samples; the first begins at sample `at`."""
    groups: list[Group] = []
    now, begin = "", at
    for phoneme, samples in phonemes:
        if phoneme in (" ", "^", "$"):
            if heard(now):
                groups.append(Group(now, begin, at))
            now = ""
        elif not now:
            begin = at
            now = phoneme
        else:
            now += phoneme
        at += samples
    if heard(now):
        groups.append(Group(now, begin, at))
    return groups


_alone: dict[tuple[str, str], tuple[str, ...]] = {}


def said_alone(voice: PiperVoice, word: str) -> tuple[str, ...]:
    """The groups of a word that stands alone: several for a number, none for a dash."""
    key = voice.config.espeak_voice, word
    if key not in _alone:
        if len(_alone) > 20_000:
            _alone.clear()
        sentences = ("".join(sentence) for sentence in voice.phonemize(word))
        _alone[key] = tuple(group for sentence in sentences for group in map(heard, sentence.split()) if group)
    return _alone[key]


MOST_SHARED = 3
"""Words that are spoken as one: "of the"."""


def times(words: Sequence[tuple[str, ...]], groups: Sequence[Group]) -> list[tuple[int, int]]:
    """When each word begins and ends, in samples. `words` are their groups when each stands alone.

    As many groups as expected belong to the words in order. Otherwise (a number that is read another way within a
    sentence, two words spoken as one) words and groups are matched by their phonemes, at least cost.
    """
    end = groups[-1].end if groups else 0
    if sum(map(len, words)) == len(groups):
        parts = _in_order(words)
    else:
        parts = _matched(words, [heard(group.phonemes) for group in groups])
    found: list[tuple[int, int]] = []
    for begin, stop, place, of in parts:
        if begin == stop:
            # Nothing is heard of it: it takes no time, where the next word begins.
            at = groups[begin].begin if begin < len(groups) else end
            found.append((at, at))
            continue
        first, last = groups[begin].begin, groups[stop - 1].end
        # Words that are spoken as one share its time.
        length = last - first
        found.append((first + length * place // of, first + length * (place + 1) // of))
    return found


def _in_order(words: Sequence[tuple[str, ...]]) -> list[tuple[int, int, int, int]]:
    parts, at = [], 0
    for word in words:
        parts.append((at, at + len(word), 0, 1))
        at += len(word)
    return parts


def _matched(words: Sequence[tuple[str, ...]], groups: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """For each word its groups (from, to), and its place among the words that share them (place, of)."""
    count, most = len(words), len(groups)
    # The words before this one and the groups before that one, at least cost, and the step that leads there.
    best: list[dict[int, tuple[float, tuple[int, int]]]] = [{} for _ in range(count + 1)]
    best[0][0] = (0.0, (0, 0))
    expected, shift = 0, 12 + abs(most - sum(map(len, words)))
    for number in range(count):
        for at, (cost, _) in list(best[number].items()):
            if abs(at - expected) > shift:
                continue
            for taken_words, taken_groups in _steps(words[number], count - number, most - at):
                said = "".join("".join(word) for word in words[number : number + taken_words])
                step = _distance(said, "".join(groups[at : at + taken_groups])) + 0.5 * (taken_words - 1)
                there = best[number + taken_words]
                if at + taken_groups not in there or cost + step <= there[at + taken_groups][0]:
                    there[at + taken_groups] = (cost + step, (taken_words, taken_groups))
        expected += len(words[number])
    if most not in best[count]:
        # They can't be matched: each word gets its share.
        return [(number * most // count, (number + 1) * most // count, 0, 1) for number in range(count)]
    parts: list[tuple[int, int, int, int]] = []
    number, at = count, most
    while number:
        _, (taken_words, taken_groups) = best[number][at]
        parts.extend((at - taken_groups, at, place, taken_words) for place in reversed(range(taken_words)))
        number, at = number - taken_words, at - taken_groups
    return parts[::-1]


def _steps(word: tuple[str, ...], words: int, groups: int) -> Iterator[tuple[int, int]]:
    """So many words are so many groups."""
    for taken in range(min(groups, len(word) + 2) + 1):
        yield 1, taken
    if groups:
        for shared in range(2, min(words, MOST_SHARED) + 1):
            yield shared, 1


@functools.lru_cache(maxsize=100_000)
def _distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements from one to the other."""
    row = list(range(len(other) + 1))
    for number, a in enumerate(one, 1):
        before, row[0] = row[0], number
        for at, b in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (a != b))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
