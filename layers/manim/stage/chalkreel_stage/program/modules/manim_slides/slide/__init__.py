"""Slides: scenes that are cut by `next_slide`."""

from __future__ import annotations

import textwrap
from collections.abc import MutableMapping, Sequence, ValuesView
from typing import Any

import numpy as np
from chalkreel_stage.program.session import current
from manim import LEFT, Mobject, Scene, ThreeDScene, config

from .animation import Wipe, Zoom

__all__ = ["Slide", "ThreeDSlide"]


class Slide(Scene):
    """A scene of slides. Loops, playback rates and reversing concern presenting alone, and change nothing in a film."""

    disable_caching = False
    flush_cache = False
    skip_reversing = False
    max_duration_before_split_reverse = 4.0
    num_processes = None
    output_folder = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("output_folder", None)
        super().__init__(*args, **kwargs)
        self._canvas: dict[str, Mobject] = {}
        self._wait_between = 0.0
        self.wait_between_looping_slides = False
        self._slides = 1

    @property
    def _frame_width(self) -> float:
        return config.frame_width

    @property
    def _frame_height(self) -> float:
        return config.frame_height

    @property
    def canvas(self) -> MutableMapping[str, Mobject]:
        """What stays from slide to slide."""
        return self._canvas

    def add_to_canvas(self, **objects: Mobject) -> None:
        """Names what stays."""
        self._canvas.update(objects)

    def remove_from_canvas(self, *names: str) -> None:
        """What stays no longer."""
        for name in names:
            self._canvas.pop(name)

    @property
    def canvas_mobjects(self) -> ValuesView[Mobject]:
        """What stays."""
        return self.canvas.values()

    @property
    def mobjects_without_canvas(self) -> Sequence[Mobject]:
        """What is on screen and doesn't stay."""
        return [mobject for mobject in self.mobjects if mobject not in self.canvas_mobjects]

    @property
    def wait_time_between_slides(self) -> float:
        """Seconds at the end of each slide."""
        return self._wait_between

    @wait_time_between_slides.setter
    def wait_time_between_slides(self, seconds: float) -> None:
        self._wait_between = max(seconds, 0.0)

    def next_slide(self, *args: Any, notes: str = "", dedent_notes: bool = True, **kwargs: Any) -> None:
        """The next slide begins; `notes` are the words to it."""
        session = current()
        if session is None:
            return
        if self._wait_between > 0 and not session.footage.is_empty:
            self.wait(self._wait_between)
        self.renderer.file_writer.next_section("slide", "", bool(kwargs.get("skip_animations")))
        if not session.footage.is_empty:
            self._slides += 1
        name = args[0] if args and isinstance(args[0], str) else kwargs.get("name")
        words = " ".join((textwrap.dedent(notes) if dedent_notes else notes).split())
        session.section(str(name) if name else f"Slide {self._slides}", "slide", words or None)

    def next_section(self, *args: Any, **kwargs: Any) -> None:
        """The next slide begins."""
        self.next_slide(*args, **kwargs)

    def start_loop(self) -> None:
        """Older programs: a slide that loops."""
        self.next_slide(loop=True)

    def end_loop(self) -> None:
        """Older programs: the end of a slide that loops."""
        self.next_slide()

    def start_skip_animations(self) -> None:
        """What follows is not drawn."""
        self.renderer.file_writer.next_section("slide", "", True)

    def stop_skip_animations(self) -> None:
        """What follows is drawn again."""
        self.renderer.file_writer.next_section("slide", "", False)

    def wipe(
        self,
        current: Sequence[Mobject] | Mobject | None = None,
        future: Sequence[Mobject] | Mobject | None = None,
        direction: np.ndarray = LEFT,
        return_animation: bool = False,
        **kwargs: Any,
    ) -> Wipe | None:
        """Plays a Wipe by the frame's width or height."""
        shift = np.asarray(direction) * np.array([self._frame_width, self._frame_height, 0.0])
        animation = Wipe(current or [], future or [], shift=shift, **kwargs)
        return animation if return_animation else self.play(animation)

    def zoom(
        self,
        current: Sequence[Mobject] | Mobject | None = None,
        future: Sequence[Mobject] | Mobject | None = None,
        return_animation: bool = False,
        **kwargs: Any,
    ) -> Zoom | None:
        """Plays a Zoom."""
        animation = Zoom(current or [], future or [], **kwargs)
        return animation if return_animation else self.play(animation)


class ThreeDSlide(Slide, ThreeDScene):
    """Slides in space."""
