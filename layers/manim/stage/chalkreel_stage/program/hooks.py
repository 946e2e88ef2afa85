"""Where Manim's scenes and renderers report to the session: frames, plays, sections, subcaptions.

Only the scene that was asked for is drawn. Scenes that a program renders by itself, at import or on the way, play
without drawing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import manim
import numpy as np
from manim.manager import Manager
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene
from manim.scene.scene_file_writer import SceneFileWriter

from .session import current

NOTHING = np.zeros((2, 2, 4), np.uint8)
"""The picture of a program that is run dry."""


class Writer(SceneFileWriter):
    """Writes to the session's footage alone: no files, no cache, no sound."""

    own = False
    scene: Scene

    def write_frame(self, frame: Any, repeat: int = 1) -> None:
        """Appends frames."""
        session = current()
        if not self.own or session is None:
            return
        session.write(frame, repeat)

    def begin_animation(self, allow_write: bool = False, *arguments: Any, **named: Any) -> None:
        """Animations are compiled."""
        session = current()
        if self.own and session is not None:
            # A program may have set another rate meanwhile, by which Manim would cut time.
            manim.config.frame_rate = session.fps
            session.check_time()
            if allow_write:
                session.before_play(self.scene)

    def end_animation(self, allow_write: bool = False, *arguments: Any, **named: Any) -> None:
        """The last frame is written."""
        session = current()
        if self.own and session is not None and allow_write:
            session.after_play(self.scene)

    def save_image(self, pixels: Any) -> None:
        """A scene without animations is drawn when it has ended."""

    def add_partial_movie_file(self, *arguments: Any) -> None:
        """There are none."""

    def is_already_cached(self, *arguments: Any) -> bool:
        """Nothing is."""
        return False

    def finish(self) -> None:
        """The clip is closed by whoever opened it."""

    def add_sound(self, *arguments: Any, **named: Any) -> None:
        """Clips are silent."""
        session = current()
        if session is not None:
            session.warn("add_sound: sounds of programs are left out, the film has its narration alone")


def install() -> None:
    """Replaces what reports. Once in a process."""
    CairoRenderer.init_scene = _init_scene(CairoRenderer.init_scene)
    Manager.play = _play(Manager.play)
    Manager.next_section = _next_section(Manager.next_section)
    Manager.add_subcaption = _add_subcaption
    manim.Camera.background_color = _background(manim.Camera.background_color, manim.config.background_color)
    for name in ("embed", "interactive_embed", "interact"):
        setattr(Scene, name, _nothing)


def _background(real: property, ours: manim.ManimColor) -> property:
    """The camera's background, which is also that of labels where the program has not set another one for them.

    Manim takes theirs from its configuration, where the theme's stands in place of black.
    """

    def set_background(self: manim.Camera, colour: Any) -> None:
        real.fset(self, colour)
        if manim.config.background_color == ours:
            manim.config.background_color = colour

    return property(real.fget, set_background)


def _nothing(*arguments: Any, **named: Any) -> None:
    """There is nobody to interact with, or nothing to draw."""


def _init_scene(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def init_scene(self: CairoRenderer, scene: Scene, *arguments: Any, **named: Any) -> None:
        self._file_writer_class = Writer
        real(self, scene, *arguments, **named)
        session = current()
        self.file_writer.scene = scene
        if session is not None and session.expects_scene:
            session.expects_scene = False
            session.scene = scene
            self.file_writer.own = True
            if not session.asked.draw:
                self.update_frame = _nothing
                self.get_frame = NOTHING.copy
        else:
            self._original_skipping_status = True

    return init_scene


def _is_own(scene: Scene) -> bool:
    return bool(getattr(scene.renderer.file_writer, "own", False))


def _play(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def play(
        self: Manager,
        *arguments: Any,
        subcaption: str | None = None,
        subcaption_duration: float | None = None,
        subcaption_offset: float = 0,
        **named: Any,
    ) -> None:
        session = current()
        if session is None or not subcaption or not _is_own(self.scene):
            real(self, *arguments, **named)
            return
        offset = round(float(subcaption_offset) * session.fps)
        first = session.footage.frames
        if session.narration.source == "subcaption":
            session.subcaption(str(subcaption), first + offset, 1)
            real(self, *arguments, **named)
            return
        real(self, *arguments, **named)
        length = session.footage.frames - first
        if subcaption_duration is not None:
            length = round(float(subcaption_duration) * session.fps)
        session.subcaption(str(subcaption), first + offset, length)

    return play


def _next_section(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def next_section(self: Manager, name: str = "unnamed", *arguments: Any, **named: Any) -> None:
        real(self, name, *arguments, **named)
        session = current()
        if session is not None and _is_own(self.scene):
            session.section(None if name == "unnamed" else str(name))

    return next_section


def _add_subcaption(self: Manager, content: str, duration: float = 1, offset: float = 0) -> None:
    session = current()
    if session is not None and _is_own(self.scene):
        first = session.footage.frames + round(float(offset) * session.fps)
        session.subcaption(str(content), first, round(float(duration) * session.fps))
