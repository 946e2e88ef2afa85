"""Scenes that speak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalkreel_stage.program.session import current
from manim import Scene

from .tracker import VoiceoverTracker, without_marks


def text_of_ssml(ssml: str) -> str:
    """The words of SSML, its marks as bookmarks."""
    marked = re.sub(r"<mark\s+name\s*=\s*(['\"])(.*?)\1\s*/>", r"<bookmark mark='\2'/>", ssml)
    return re.sub(r"<(?!/?bookmark)[^>]*>", "", marked)


class VoiceoverScene(Scene):
    """A scene with blocks that speak: `with self.voiceover(text="…") as tracker:`."""

    current_tracker: VoiceoverTracker | None = None
    speech_service: Any = None
    create_subcaption = True
    create_script = False

    def set_speech_service(self, speech_service: Any = None, create_subcaption: bool = True, **named: Any) -> None:
        """The service is kept and not asked: the caller's voices speak."""
        self.speech_service = speech_service
        self.create_subcaption = create_subcaption

    init_voiceover = set_speech_service

    def add_voiceover_text(
        self, text: str, subcaption: str | None = None, lang: str | None = None, **named: Any
    ) -> VoiceoverTracker:
        """Words begin here; how long they take. A voiceover that still runs is waited for."""
        session = current()
        if session is None:
            raise RuntimeError("a voiceover needs a scene that is being rendered")
        self._let_end()
        plain, marks = without_marks(str(text))
        language = lang or getattr(self.speech_service, "lang", None)
        speech = session.voiceover(plain, language if isinstance(language, str) else None, subcaption)
        self.current_tracker = VoiceoverTracker(self, speech, marks)
        return self.current_tracker

    def add_voiceover_ssml(self, ssml: str, **named: Any) -> VoiceoverTracker:
        """The words of SSML; what it says about the voice is left to the caller's."""
        return self.add_voiceover_text(text_of_ssml(ssml), **named)

    def add_wrapped_subcaption(self, subcaption: str, duration: float, **named: Any) -> None:
        """A subcaption; lines are broken by whoever shows it."""
        self.add_subcaption(" ".join(subcaption.split()), duration=duration)

    def wait_for_voiceover(self) -> None:
        """Waits until the words have ended."""
        if self.current_tracker is not None:
            self._let_end()

    def _let_end(self) -> None:
        session = current()
        if session is None or session.timeline.missing() <= 0:
            return
        if session.footage.withholds:
            # What was on screen went away while the words still run: it stays until they end.
            session.timeline.finish()
        else:
            self.wait(session.timeline.remaining())
        # A fraction of a frame that Manim rounds down.
        session.timeline.finish()

    def safe_wait(self, duration: float) -> None:
        """Waits, if it is for more than a frame."""
        session = current()
        if duration > 1 / (session.fps if session is not None else 15):
            self.wait(duration)

    def wait_until_bookmark(self, mark: str) -> None:
        """Waits until the bookmark is reached."""
        if self.current_tracker is None:
            raise RuntimeError(f"no voiceover has begun, so there is no bookmark {mark!r}")
        self.safe_wait(self.current_tracker.time_until_bookmark(mark))

    @contextmanager
    def voiceover(self, text: str | None = None, ssml: str | None = None, **named: Any) -> Iterator[VoiceoverTracker]:
        """A block that lasts at least as long as its words. Raises ValueError without any."""
        if text is None and ssml is None:
            raise ValueError("Please specify either a voiceover text or SSML string.")
        yield self.add_voiceover_text(text, **named) if text is not None else self.add_voiceover_ssml(ssml, **named)
        self.wait_for_voiceover()
