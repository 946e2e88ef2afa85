"""Manim's Cairo camera with a still picture kept beside it, and the ways things enter and leave that picture.

A still picture is drawn once. Only what moves is drawn per frame: strokes by Manim's animations (Write, Create),
blocks of text by uncovering the finished picture behind a soft edge, which Cairo does in a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cairo
import numpy as np
from manim import Animation, Camera, Mobject, config
from manim.utils.rate_functions import smooth

from . import theme
from .clip import Clip

Band = tuple[float, float, float, float]
"""Left, bottom, right, top of one line of ink, in frame units."""


class Canvas:
    """The picture that is on screen and the clip that records it."""

    def __init__(
        self, clip: Clip, width: int, height: int, fps: int, background: str, wrote: Callable[[int], None]
    ) -> None:
        """`width`, `height` in pixels; `wrote` is told the number of frames so far after every frame."""
        self.frame_width = theme.FRAME_HEIGHT * width / height
        config.frame_height, config.frame_width = theme.FRAME_HEIGHT, self.frame_width
        config.pixel_width, config.pixel_height, config.frame_rate = width, height, fps
        self._camera = Camera(
            pixel_width=width,
            pixel_height=height,
            frame_height=theme.FRAME_HEIGHT,
            frame_width=self.frame_width,
            frame_rate=fps,
            background_color=background,
        )
        self._clip, self._wrote = clip, wrote
        self._width, self._height = width, height
        self.empty = self._camera.background.copy()
        self.still = self.empty.copy()
        self._scratch = self.empty.copy()

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._clip.frames

    def draw(self, base: np.ndarray, mobjects: Sequence[Mobject]) -> np.ndarray:
        """A new picture: `base` with `mobjects` upon it."""
        return self._drawn(base, mobjects).copy()

    def hold(self, count: int) -> None:
        """Writes the still picture `count` times."""
        while count > 0:
            part = min(count, 30)
            self._clip.write(self.still, part)
            self._wrote(self._clip.frames)
            count -= part

    def dissolve(self, after: np.ndarray, count: int) -> None:
        """Goes over to `after` in `count` frames."""
        self._blend(after, count, lambda context, alpha: context.paint_with_alpha(alpha))

    def uncover(self, after: np.ndarray, bands: Sequence[Band], count: int) -> None:
        """Goes over to `after` in `count` frames, each band from left to right, one band after another."""
        if not bands:
            self.dissolve(after, count)
            return
        lengths = [right - left + 1.0 for left, _, right, _ in bands]
        whole = sum(lengths)
        scale = self._height / theme.FRAME_HEIGHT

        def paint(context: cairo.Context, alpha: float) -> None:
            done = alpha * whole
            for (left, bottom, right, top), length in zip(bands, lengths, strict=True):
                part = min(max(done / length, 0.0), 1.0)
                done -= length
                if part <= 0.0:
                    break
                x0 = (left + self.frame_width / 2) * scale - 2
                x1 = (right + self.frame_width / 2) * scale + 2
                y0 = (theme.FRAME_HEIGHT / 2 - top) * scale - 2
                y1 = (theme.FRAME_HEIGHT / 2 - bottom) * scale + 2
                # The soft edge is one frame unit wide and lies wholly outside at both ends.
                edge = x0 - scale + (x1 - x0 + scale) * part
                gradient = cairo.LinearGradient(edge, 0, edge + scale, 0)
                gradient.add_color_stop_rgba(0, 1, 1, 1, 1)
                gradient.add_color_stop_rgba(1, 1, 1, 1, 0)
                context.save()
                context.rectangle(int(x0), int(y0), int(x1 - x0) + 2, int(y1 - y0) + 2)
                context.clip()
                context.mask(gradient)
                context.restore()

        self._blend(after, count, paint)

    def animate(self, animations: Sequence[Animation], count: int) -> None:
        """Plays the animations at once, in `count` frames; their mobjects are part of the picture afterwards."""
        mobjects = [animation.mobject for animation in animations]
        if count > 1:
            finals = [mobject.copy() for mobject in mobjects]
            for animation in animations:
                animation.begin()
            for i in range(1, count):
                for animation in animations:
                    animation.interpolate(i / count)
                self._put(self._drawn(self.still, mobjects))
            for animation in animations:
                animation.finish()
            for mobject, final in zip(mobjects, finals, strict=True):
                mobject.become(final)
        self.still = self.draw(self.still, mobjects)
        if count > 0:
            self._put(self.still)

    def _blend(self, after: np.ndarray, count: int, paint: Callable[[cairo.Context, float], None]) -> None:
        if count > 1:
            target = self._scratch
            surface = cairo.ImageSurface.create_for_data(target.data, cairo.FORMAT_ARGB32, self._width, self._height)
            source = cairo.ImageSurface.create_for_data(after.data, cairo.FORMAT_ARGB32, self._width, self._height)
            context = cairo.Context(surface)
            for i in range(1, count):
                np.copyto(target, self.still)
                surface.mark_dirty()
                context.set_source_surface(source)
                paint(context, smooth(i / count))
                surface.flush()
                self._put(target)
        self.still = after
        if count > 0:
            self._put(self.still)

    def _drawn(self, base: np.ndarray, mobjects: Sequence[Mobject]) -> np.ndarray:
        self._camera.set_frame_to_background(base)
        self._camera.capture_mobjects(list(mobjects))
        return self._camera.pixel_array

    def _put(self, pixels: np.ndarray) -> None:
        self._clip.write(pixels)
        self._wrote(self._clip.frames)
