"""When the words of a voiceover come, and how long it still takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chalkreel_stage.program.session import current

if TYPE_CHECKING:
    from chalkreel_stage.program.timeline import Speech
    from manim import Scene

AUDIO_OFFSET_RESOLUTION = 10_000_000

MARK = re.compile(r"<bookmark\s+mark\s*=\s*['\"]([^'\"]*)['\"]\s*/?>(?:\s*</bookmark>)?")


def without_marks(text: str) -> tuple[str, dict[str, int]]:
    """The text as it is spoken, its spaces single, and the bookmarks: name to index of the character that follows."""
    plain, marks, end = "", {}, 0
    for found in [*MARK.finditer(text), None]:
        piece = re.sub(r"\s+", " ", text[end : found.start() if found else len(text)])
        # The space on one side of a bookmark is enough.
        plain += piece.lstrip() if plain.endswith(" ") or not plain else piece
        if found:
            marks[found[1]] = len(plain)
            end = found.end()
    return plain.rstrip(), marks


class VoiceoverTracker:
    """Times of one voiceover, in seconds."""

    def __init__(self, scene: Scene, speech: Speech, marks: dict[str, int]) -> None:
        self.scene = scene
        self.duration = speech.seconds
        self.start_t = scene.renderer.time
        self.end_t = self.start_t + self.duration
        self.data: dict[str, Any] = {"input_text": speech.text}
        self.content = speech.text
        self.bookmark_distances = dict(marks)
        self.bookmark_times = {mark: self.start_t + speech.at(index) for mark, index in marks.items()}
        self._from = {mark: speech.at(index) for mark, index in marks.items()}
        self._first_frame = speech.first_frame

    def _elapsed(self) -> float:
        session = current()
        return (session.timeline.now - self._first_frame) / session.fps if session is not None else 0.0

    def get_remaining_duration(self, buff: float = 0.0) -> float:
        """Seconds until its end, at least one frame: Manim takes no shorter times."""
        return max(self.duration - self._elapsed() + buff, self._frame())

    def time_until_bookmark(self, mark: str, buff: float = 0, limit: float | None = None) -> float:
        """Seconds until the bookmark, at least one frame. Raises an Exception for one that isn't in the text."""
        if mark not in self._from:
            raise Exception(f"There is no <bookmark mark='{mark}' />")
        left = max(self._from[mark] - self._elapsed() + buff, self._frame())
        return left if limit is None else min(limit, left)

    def _frame(self) -> float:
        session = current()
        return 1 / session.fps if session is not None else 1 / 15
