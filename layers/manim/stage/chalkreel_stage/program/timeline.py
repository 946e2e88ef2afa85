"""When words begin and end: segments that tile the film, chapters, captions.

A segment begins with the words that are spoken in it, and doesn't end before they do: what is missing is held.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .footage import Footage, Hold

CHARACTERS_PER_SECOND = 14.0
"""How fast words are spoken when nobody says it: 150 English words a minute of 5.6 characters, spaces included."""


@dataclass(frozen=True)
class Speech:
    """Words that are being spoken."""

    ask: int
    text: str
    source: str
    first_frame: int
    seconds: float
    words: tuple[tuple[int, float], ...]
    """Where words begin: index of the first character, and seconds from the beginning."""
    lang: str | None
    caption: str | None
    estimated: bool
    """Whether nobody has spoken them, so that the length is a guess."""

    def at(self, character: int) -> float:
        """Seconds from the beginning until the character at this index, between the words around it."""
        end = max(len(self.text), 1)
        points = [(0, 0.0), *self.words, (end, self.seconds)]
        before, after = points[0], points[-1]
        for point in points:
            if point[0] <= character:
                before = point
            else:
                after = point
                break
        width = after[0] - before[0]
        if width <= 0:
            return before[1]
        return before[1] + (after[1] - before[1]) * (character - before[0]) / width


@dataclass
class Segment:
    """A part of the film."""

    first_frame: int
    kind: str
    name: str | None
    speech: Speech | None = None


@dataclass
class Mark:
    """Something with a place in the film: a chapter, a caption, a finding."""

    first_frame: int
    frames: int
    text: str


Ask = Callable[[str, dict[str, Any]], tuple[int, float, tuple[tuple[int, float], ...], bool]]
"""Text and particulars → number of the question, seconds, words, and whether it is an estimate."""


class Timeline:
    """What is said when. All places are frames of the film."""

    def __init__(self, footage: Footage, fps: int, ask: Ask, draw: Callable[[int], None]) -> None:
        """`draw` appends so many frames of the scene as it stands, for words before the first picture."""
        self.segments = [Segment(0, "start", None)]
        self.chapters: list[Mark] = []
        self.captions: list[Mark] = []
        self.findings: list[Mark] = []
        self._footage = footage
        self._fps = fps
        self._ask = ask
        self._draw = draw

    @property
    def now(self) -> int:
        """Frames of the film so far."""
        return self._footage.frames

    @property
    def speaking(self) -> Speech | None:
        """The words of the present segment, whether they still run or not."""
        return self.segments[-1].speech

    def remaining(self) -> float:
        """Seconds until the present words end, 0 when they have."""
        return self.missing() / self._fps

    def missing(self) -> int:
        """Frames until the present words end."""
        speech = self.speaking
        if speech is None:
            return 0
        # A hundredth of a frame is the rounding of a length, not a picture.
        end = speech.first_frame + math.ceil(speech.seconds * self._fps - 0.01)
        return max(end - self.now, 0)

    def border(self, kind: str, name: str | None) -> Segment:
        """Ends the present segment, words included, and begins another one."""
        self.finish()
        last = self.segments[-1]
        if last.first_frame == self.now and last.speech is None:
            last.kind, last.name = kind, name or last.name
            return last
        self.segments.append(Segment(self.now, kind, name))
        return self.segments[-1]

    def speak(self, text: str, source: str, kind: str, name: str | None = None, **details: Any) -> Speech:
        """Begins a segment with words."""
        segment = self.border(kind, name)
        if self._footage.withholds:
            self._footage.release()
        ask, seconds, words, estimated = self._ask(
            text, {"source": source, "name": segment.name, "first_frame": self.now, **details}
        )
        segment.speech = Speech(
            ask, text, source, self.now, seconds, words, details.get("lang"), details.get("caption"), estimated
        )
        return segment.speech

    def chapter(self, name: str) -> None:
        """A chapter begins."""
        if self.chapters and self.chapters[-1].first_frame == self.now:
            self.chapters[-1].text = name
        else:
            self.chapters.append(Mark(self.now, 0, name))

    def finish(self) -> None:
        """Holds a picture until the present words have ended."""
        self.hold(self.missing())

    def hold(self, frames: int) -> None:
        """Holds the last picture that showed something; what came after it moves on."""
        if frames <= 0:
            return
        if self._footage.is_empty:
            self._draw(frames)
            return
        hold = self._footage.hold(frames)
        self._moved(hold)

    def _moved(self, hold: Hold) -> None:
        for mark in (*self.chapters, *self.captions, *self.findings):
            if mark.first_frame > hold.first_frame:
                mark.first_frame += hold.frames
            elif mark.first_frame + mark.frames > hold.first_frame:
                mark.frames += hold.frames

    def report(self, end: int) -> dict[str, Any]:
        """Segments, chapters and captions of a film of `end` frames."""
        begins = [segment.first_frame for segment in self.segments] + [end]
        segments = []
        for segment, after in zip(self.segments, begins[1:], strict=True):
            if after <= segment.first_frame:
                continue
            speech = segment.speech
            segments.append(
                {
                    "first_frame": segment.first_frame,
                    "frames": after - segment.first_frame,
                    "kind": segment.kind,
                    "name": segment.name,
                    "ask": speech.ask if speech else None,
                    "text": speech.text if speech else "",
                    "caption": speech.caption if speech else None,
                    "lang": speech.lang if speech else None,
                    "source": speech.source if speech else None,
                    "estimated": bool(speech and speech.estimated),
                    "speech_frames": math.ceil(speech.seconds * self._fps - 0.01) if speech else 0,
                }
            )
        return {
            "segments": segments,
            "chapters": [
                {"first_frame": mark.first_frame, "name": mark.text} for mark in self.chapters if mark.first_frame < end
            ],
            "captions": [
                {
                    "first_frame": mark.first_frame,
                    "frames": max(1, min(mark.frames, end - mark.first_frame)),
                    "text": mark.text,
                }
                for mark in self.captions
                if mark.first_frame < end
            ],
        }
