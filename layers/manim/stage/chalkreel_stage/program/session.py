"""What is known of the program that runs, and what happens when it plays, speaks and begins a section.

There is one session in a process. Modules that programs import (`modules/`) reach it by `current`.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import protocol
from .failures import TimeLimit
from .footage import FilmLimit, Footage
from .narration import SPEAKING, Narration
from .timeline import CHARACTERS_PER_SECOND, Mark, Speech, Timeline

if TYPE_CHECKING:
    from manim import Mobject, Scene

    from .channel import Channel
    from .source import Source

MOST_WARNINGS = 100

PATIENCE = 5
"""How often a program may catch that a limit is reached and go on."""

MOST_ASKED = 2000
"""Questions about speech in one program: two hours of film with one every four seconds. What is more is estimated."""

LONGEST_WORDS = 20_000
"""Characters in one question: about 20 minutes of speech."""


@dataclass
class Due:
    """Words of a part that has begun but has no picture yet."""

    kind: str
    name: str | None
    text: str | None
    """None: the narration is looked up by the name."""


class Session:
    """A program that runs."""

    def __init__(self, asked: protocol.Run, channel: Channel) -> None:
        self.asked = asked
        self.fps = asked.fps
        self.warnings: list[dict[str, Any]] = []
        self.source: Source | None = None
        self.narration = Narration("docstring")
        self.scene: Scene | None = None
        self.expects_scene = False
        """Whether the next scene that is made is the one that was asked for; all others draw nothing."""
        self.give_up: Callable[[BaseException], None] | None = None
        """Ends the program where it stands; never returns."""
        self._expired: TimeLimit | None = None
        self._limits_met = 0
        self.moved = time.monotonic()
        """When there was a new frame, or an answer."""
        self.is_asking = False
        self.inspect: Callable[[Scene], None] | None = None
        """Looks at the picture after each play."""
        self._channel = channel
        self._asks = 0
        self._due: Due | None = Due("start", None, None)
        self._subcaptions: list[tuple[int, str]] = []
        self._shown: dict[int, Mobject] = {}
        self.began_with: dict[int, Mobject] = {}
        """What was visible when the present play began, by `id`."""
        self.footage: Footage
        self.timeline: Timeline

    def begin(self, footage: Footage, draw: Callable[[int], None]) -> None:
        """The clip is open; `draw` appends frames of the scene as it stands."""
        self.footage = footage
        self.timeline = Timeline(footage, self.fps, self._ask, draw)

    def warn(self, text: str, line: int | None = None) -> None:
        """A warning for the author, told once. `line` is the program's present one unless given."""
        line = line or self.line()
        known = {(warning["text"], warning["line"]) for warning in self.warnings}
        if (text, line) not in known and len(self.warnings) < MOST_WARNINGS:
            self.warnings.append({"text": text[:500], "line": line})

    def warn_once(self, text: str) -> None:
        """A warning of the whole program: told at the first line that gives rise to it."""
        if all(warning["text"] != text[:500] for warning in self.warnings):
            self.warn(text)

    def line(self) -> int | None:
        """The line of the program that is running, the deepest one."""
        frame = sys._getframe()
        while frame is not None:
            if self.source is not None and frame.f_code.co_filename == self.source.name:
                return frame.f_lineno
            frame = frame.f_back
        return None

    def tell(self, event: dict[str, Any]) -> None:
        """Tells the caller. Raises OSError when that can't be."""
        self._channel.send(event)

    def tell_frames(self, frames: int) -> None:
        """Tells the caller how far it is; what can't be told is not missed."""
        with contextlib.suppress(OSError):
            self._channel.send({"event": "frames", "id": self.asked.id, "frames": frames})

    # What the program does.

    def before_play(self, scene: Scene) -> None:
        """Animations are compiled, and begin now."""
        self._begin_words()
        self._due_subcaptions()
        self.began_with = now = self._visible(scene)
        added = any(key not in self._shown for key in now)
        if not added and (_takes_away(scene) or (_waits(scene) and len(now) < len(self._shown))):
            self.footage.withhold()
        elif added or not _waits(scene):
            self.footage.release()

    def after_play(self, scene: Scene) -> None:
        """Its last frame is written."""
        self._shown = self._visible(scene)
        self.footage.stands()
        if self.inspect is not None:
            self.inspect(scene)

    def section(self, name: str | None, kind: str = "section", words: str | None = None) -> None:
        """A section or a slide begins. `words` are its own, if it has some."""
        self._finish_due()
        if name:
            self.timeline.chapter(name)
        source = self.narration.source
        if words and source not in ("notes", "docstring"):
            self._leave_out(words)
            words = None
        if source == "sidecar" or words:
            self._due = Due(kind, name, words)
        elif source == "notes":
            self.timeline.border(kind, name)

    def say(self, words: str) -> None:
        """A comment `# say:` was reached."""
        if not words:
            return
        if self.narration.source == "comment":
            self.timeline.speak(words, "comment", "say")
        else:
            self._leave_out(words)

    def say_comment(self, words: str) -> None:
        """What a comment `# say:` calls; nothing while the program is imported."""
        if self.scene is not None:
            self.say(words)

    def voiceover(self, text: str, lang: str | None, caption: str | None) -> Speech:
        """A block of manim_voiceover begins."""
        return self.timeline.speak(text, "voiceover", "voiceover", lang=lang, caption=caption)

    def subcaption(self, text: str, first_frame: int, frames: int) -> None:
        """A subcaption: spoken where the program has no other words, and a caption where it has."""
        if self.narration.source == "subcaption":
            self._subcaptions.append((first_frame, text))
            self._subcaptions.sort(key=lambda due: due[0])
            self._due_subcaptions()
        elif self.narration.source != "voiceover" or not self.timeline.missing():
            # While a block of a voiceover speaks, its own words are the captions.
            self.timeline.captions.append(Mark(max(first_frame, 0), max(frames, 1), text))

    def end(self) -> None:
        """The program has ended: words that are due are spoken over the last picture."""
        self._begin_words()
        for _, text in self._subcaptions:
            self.timeline.speak(text, "subcaption", "subcaption")
        self._subcaptions = []
        self.timeline.finish()
        beginning = self.narration.beginning
        if beginning and all(segment.speech is None for segment in self.timeline.segments):
            why = f"{SPEAKING[self.narration.source]}, though it comes to none of them"
            self.warn(f"the docstring is not spoken, since {why}: {beginning[:200]}")
        for part in self.narration.left_over():
            where = f"the section “{part.name}”" if part.name else "a section that the program doesn't have"
            self.warn(f"narration for {where} is not spoken: {part.text[:200]}")

    def write(self, frame: Any, count: int) -> None:
        """Appends frames of the program. Raises FilmLimit and TimeLimit."""
        self.check_time()
        try:
            self.footage.write(frame, count)
        except FilmLimit as limit:
            self._meet(limit)
        self.check_time()

    def check_time(self) -> None:
        """Raises TimeLimit when one was reached."""
        if self._expired is not None:
            self._meet(self._expired)

    def expire(self, limit: TimeLimit) -> None:
        """A limit of time is reached. Raises it, unless a frame is on its way: the clip would lose count."""
        self._expired = limit
        if self.give_up is None or not self.footage.is_writing:
            self._meet(limit)

    def _meet(self, limit: BaseException) -> None:
        self._limits_met += 1
        if self._limits_met > PATIENCE and self.give_up is not None:
            self.give_up(limit)
        raise limit

    # How it comes about.

    def _leave_out(self, words: str) -> None:
        self.warn(f"these words are not spoken, since {SPEAKING[self.narration.source]}: {words[:200]}")

    def _begin_words(self) -> None:
        due, self._due = self._due, None
        if due is None:
            return
        if due.text is not None:
            text, source = due.text, "notes"
        elif self.narration.source == "sidecar":
            text, source = self.narration.of_section(due.name), "sidecar"
        else:
            text, source = self.narration.beginning, "docstring"
            if self.narration.source != "docstring":
                text = ""
        if text:
            self.timeline.speak(text, source, due.kind, due.name)
        elif due.kind != "start":
            self.timeline.border(due.kind, due.name)

    def _finish_due(self) -> None:
        """A part that had no picture of its own is spoken before the next one begins."""
        if self._due is not None and (self._due.kind != "start" or not self.footage.is_empty):
            self._begin_words()

    def _due_subcaptions(self) -> None:
        # Within a tenth of a second: a subcaption in the middle of an animation comes with the next one.
        while self._subcaptions and self._subcaptions[0][0] <= self.footage.frames + self.fps // 10:
            _, text = self._subcaptions.pop(0)
            self.timeline.speak(text, "subcaption", "subcaption")

    def _ask(self, text: str, details: dict[str, Any]) -> tuple[int, float, tuple[tuple[int, float], ...], bool]:
        self._asks += 1
        guess = max(len(text) / CHARACTERS_PER_SECOND, 0.5)
        if not self.asked.speak or self._asks > MOST_ASKED or len(text) > LONGEST_WORDS:
            if self.asked.speak:
                most = f"at most {MOST_ASKED:,} times, {LONGEST_WORDS:,} characters each"
                self.warn(f"not spoken, since a program can speak {most}: {text[:80]}")
            return self._asks, guess, (), True
        event = {"event": "say", "id": self.asked.id, "ask": self._asks, "text": text}
        self.is_asking = True
        try:
            self._channel.send({**event, "lang": None, "caption": None, **details})
            said = self._channel.said(self.asked.id, self._asks, self.asked.limits.say_s or 3600.0)
        except OSError:
            said = None
        finally:
            self.is_asking, self.moved = False, time.monotonic()
        if said is None or said.seconds is None:
            why = said.error if said is not None else "no answer came"
            self.warn(f"not spoken ({why}): {text[:80]}")
            return self._asks, guess, (), True
        return self._asks, said.seconds, said.words, False

    def _visible(self, scene: Scene) -> dict[int, Mobject]:
        frame = getattr(scene.camera, "frame", None)
        items = scene.get_mobject_family_members()
        return {id(item): item for item in items if item is not frame and _is_visible(item)}


def _is_visible(item: Mobject) -> bool:
    from manim import VMobject

    if not len(item.points):
        return False
    if not isinstance(item, VMobject):
        # Pictures and clouds of points have no such opacities.
        return True
    return item.get_fill_opacity() > 0 or (item.get_stroke_opacity() > 0 and item.get_stroke_width() > 0)


def _waits(scene: Scene) -> bool:
    from manim import Wait

    return all(isinstance(animation, Wait) for animation in scene.animations or ())


def _takes_away(scene: Scene) -> bool:
    """Whether all that moves goes."""
    frame = getattr(scene.camera, "frame", None)
    kinds = [_goes(animation, frame) for animation in scene.animations or ()]
    return True in kinds and False not in kinds


def _goes(animation: Any, frame: Any) -> bool | None:
    """Whether an animation takes something away; None when it does neither."""
    from manim import AnimationGroup, ShrinkToCenter, Wait

    if isinstance(animation, AnimationGroup):
        kinds = [_goes(part, frame) for part in animation.animations]
        return False if False in kinds else (True if True in kinds else None)
    if isinstance(animation, Wait) or (frame is not None and getattr(animation, "mobject", None) is frame):
        return None
    if animation.is_introducer():
        return False
    if animation.is_remover() or isinstance(animation, ShrinkToCenter):
        return True
    target = getattr(animation.mobject, "target", None)
    if animation.__class__.__name__ in ("_MethodAnimation", "MoveToTarget") and target is not None:
        family = [item for item in target.get_family() if len(item.points)]
        return bool(family) and not any(_is_visible(item) for item in family)
    return False


_session: Session | None = None


def current() -> Session | None:
    """The program that runs in this process; none while none does."""
    return _session


def set_current(session: Session | None) -> None:
    """Says which program runs."""
    global _session
    _session = session
