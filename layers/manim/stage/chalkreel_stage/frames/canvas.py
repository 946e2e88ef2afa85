"""The picture on screen, drawn by Manim's Cairo camera, and the transitions from one picture to the next.

A still picture is drawn once. Only what moves is drawn per frame: strokes by Manim's animations (Write, Create),
blocks of text by uncovering the finished picture behind a soft edge, what slides or grows as a layer that was drawn
once. Cairo does each of these in a millisecond or two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cairo
import numpy as np
from manim import Animation, Camera, Mobject, VMobject, config
from manim.utils.rate_functions import smooth

from .. import theme
from .clip import Clip
from .painting import Painting
from .stills import Stills

Band = tuple[float, float, float, float]
"""Left, bottom, right, top of one line of ink, in frame units."""

Rate = Callable[[float], float]
"""How far a movement is (0 to 1) at a part of its time (0 to 1)."""


Overlay = Callable[[int, np.ndarray, int], tuple[np.ndarray, int]]
"""The picture of a frame with what lies over it, and for how many frames, at most that many, it stays."""

Path = Callable[[float], tuple[float, float, float, float]]
"""Scale, shift to the right, shift upwards and opacity of a layer at a part of its way (0 to 1)."""


@dataclass(frozen=True)
class Moving:
    """A layer that moves: as it was drawn once, the centre it is scaled about (frame units), and its path."""

    layer: np.ndarray
    centre: tuple[float, float]
    path: Path


@dataclass(frozen=True)
class View:
    """What the camera sees: its centre, and how many times larger than life."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0

    def towards(self, other: View, part: float) -> View:
        """The view on the way: the zoom grows evenly by factors."""
        zoom = self.zoom * (other.zoom / self.zoom) ** part
        # The centre moves with what the frame shows, so that nothing swings out of it.
        size, first, last = 1 / zoom, 1 / self.zoom, 1 / other.zoom
        way = part if abs(first - last) < 1e-9 else (size - first) / (last - first)
        return View(self.x + (other.x - self.x) * way, self.y + (other.y - self.y) * way, zoom)


class Canvas:
    """The picture that is on screen and the clip that records it."""

    def __init__(
        self, clip: Clip | Stills, width: int, height: int, fps: int, background: str, wrote: Callable[[int], None]
    ) -> None:
        """`width`, `height` in pixels; `wrote` is told the number of frames so far after every frame."""
        self.frame_height = theme.frame_height(width, height)
        self.frame_width = self.frame_height * width / height
        config.frame_height, config.frame_width = self.frame_height, self.frame_width
        config.pixel_width, config.pixel_height, config.frame_rate = width, height, fps
        self._camera = Camera(
            pixel_width=width,
            pixel_height=height,
            frame_height=self.frame_height,
            frame_width=self.frame_width,
            frame_rate=fps,
            background_color=background,
        )
        self._clip, self._wrote = clip, wrote
        self.overlay: Overlay = lambda frame, pixels, most: (pixels, most)
        self._width, self._height = width, height
        self._view = View()
        self.empty = self._camera.background.copy()
        self.still = self.empty.copy()
        self._scratch = self.empty.copy()
        self._nothing = np.zeros_like(self.empty)
        self.changes: list[tuple[int, int]] = []
        """Runs of frames (first, and the one after the last) that differ from the frame before."""
        self._written: np.ndarray | None = self.still
        """The picture that the last frame shows; none when that was on its way to another."""

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._clip.frames

    @property
    def view(self) -> View:
        """What the camera sees."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view
        self._camera.frame_center = np.array([view.x, view.y, 0.0])
        self._camera.frame_width = self.frame_width / view.zoom
        self._camera.frame_height = self.frame_height / view.zoom
        self._camera.pixel_array_to_cairo_context = {}

    def draw(self, base: np.ndarray, mobjects: Sequence[Mobject]) -> np.ndarray:
        """A new picture: `base` with `mobjects` upon it."""
        return self._drawn(base, mobjects).copy()

    def layer(self, mobjects: Sequence[Mobject]) -> np.ndarray:
        """The mobjects alone, on nothing."""
        return self._drawn(self._nothing, mobjects).copy()

    def hold(self, count: int) -> None:
        """Writes the still picture `count` times."""
        while count > 0:
            picture, part = self.overlay(self.frames, self.still, min(count, 30))
            # What is laid over it is a picture of its own each time, and may look as the last one did.
            if picture is not self._written:
                if self._written is None or not np.array_equal(picture, self._written):
                    self._changed()
                self._written = picture
            self._clip.write(picture, part)
            self._wrote(self._clip.frames)
            count -= part

    def show(self, pixels: np.ndarray) -> None:
        """Writes one frame; the still picture stays as it is."""
        self._put(pixels)

    def dissolve(self, after: np.ndarray, count: int, rate: Rate = smooth) -> None:
        """Goes over to `after` in `count` frames."""
        self._blend(after, count, rate, lambda context, alpha: context.paint_with_alpha(min(max(alpha, 0.0), 1.0)))

    def uncover(self, after: np.ndarray, bands: Sequence[Band], count: int, rate: Rate = smooth) -> None:
        """Goes over to `after` in `count` frames, each band from left to right, one band after another."""
        if not bands:
            self.dissolve(after, count, rate)
            return
        lengths = [right - left + 1.0 for left, _, right, _ in bands]
        whole = sum(lengths)
        scale = self._height / self.frame_height * self._view.zoom

        def paint(context: cairo.Context, alpha: float) -> None:
            done = alpha * whole
            for (left, bottom, right, top), length in zip(bands, lengths, strict=True):
                part = min(max(done / length, 0.0), 1.0)
                done -= length
                if part <= 0.0:
                    break
                x0, y0 = self._pixel(left, top)
                x1, y1 = self._pixel(right, bottom)
                x0, y0, x1, y1 = x0 - 2, y0 - 2, x1 + 2, y1 + 2
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

        self._blend(after, count, rate, paint)

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

    def glide(
        self,
        base: np.ndarray,
        moving: Sequence[Moving],
        after: np.ndarray,
        count: int,
        rate: Rate = smooth,
    ) -> None:
        """Moves layers over `base` in `count` frames; the picture is then `after`."""
        if count > 1:
            sources, context = [self._surface(one.layer) for one in moving], cairo.Context(self._surface(self._scratch))
            scale = self._height / self.frame_height * self._view.zoom
            for i in range(1, count):
                np.copyto(self._scratch, base)
                context.get_target().mark_dirty()
                for one, source in zip(moving, sources, strict=True):
                    cx, cy = self._pixel(*one.centre)
                    size, right, up, opacity = one.path(rate(i / count))
                    context.save()
                    context.translate(cx + right * scale, cy - up * scale)
                    context.scale(max(size, 1e-3), max(size, 1e-3))
                    context.translate(-cx, -cy)
                    context.set_source_surface(source)
                    context.paint_with_alpha(min(max(opacity, 0.0), 1.0))
                    context.restore()
                context.get_target().flush()
                self._put(self._scratch)
        self.still = after
        if count > 0:
            self._put(self.still)

    def travel(self, to: View, after: np.ndarray, count: int, rate: Rate = smooth) -> None:
        """Moves the camera in `count` frames; `after` is the picture as seen from there.

        On the way the two pictures are scaled and go over into each other; both ends are sharp.
        """
        start = self._view
        if count > 1:
            first, last = self._surface(self.still), self._surface(after)
            context = cairo.Context(self._surface(self._scratch))
            for i in range(1, count):
                part = rate(i / count)
                view = start.towards(to, part)
                np.copyto(self._scratch, self.empty)
                context.get_target().mark_dirty()
                for source, seen, opacity in ((first, start, 1.0), (last, to, part)):
                    size = view.zoom / seen.zoom
                    scale = self._height / self.frame_height * view.zoom
                    context.save()
                    context.translate(
                        self._width / 2 + (seen.x - view.x) * scale, self._height / 2 - (seen.y - view.y) * scale
                    )
                    context.scale(size, size)
                    context.translate(-self._width / 2, -self._height / 2)
                    context.set_source_surface(source)
                    context.paint_with_alpha(min(max(opacity, 0.0), 1.0))
                    context.restore()
                context.get_target().flush()
                self._put(self._scratch)
        self.view = to
        self.still = after
        if count > 0:
            self._put(self.still)

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        scale = self._height / self.frame_height * self._view.zoom
        return self._width / 2 + (x - self._view.x) * scale, self._height / 2 - (y - self._view.y) * scale

    def _surface(self, pixels: np.ndarray) -> cairo.ImageSurface:
        return cairo.ImageSurface.create_for_data(pixels.data, cairo.FORMAT_ARGB32, self._width, self._height)

    def _blend(self, after: np.ndarray, count: int, rate: Rate, paint: Callable[[cairo.Context, float], None]) -> None:
        if count > 1:
            target = self._scratch
            surface, source = self._surface(target), self._surface(after)
            context = cairo.Context(surface)
            for i in range(1, count):
                np.copyto(target, self.still)
                surface.mark_dirty()
                context.set_source_surface(source)
                paint(context, rate(i / count))
                surface.flush()
                self._put(target)
        self.still = after
        if count > 0:
            self._put(self.still)

    def _drawn(self, base: np.ndarray, mobjects: Sequence[Mobject]) -> np.ndarray:
        self._camera.set_frame_to_background(base)
        run: list[VMobject] = []
        for item in (item for mobject in mobjects for item in mobject.get_family()):
            if isinstance(item, Painting):
                self._camera.capture_mobjects(run, include_submobjects=False)
                run = []
                item.on(self._camera.get_cairo_context(self._camera.pixel_array))
            elif len(item.points):
                run.append(item)
        if run:
            self._camera.capture_mobjects(run, include_submobjects=False)
        return self._camera.pixel_array

    def _changed(self) -> None:
        """The next frame differs from the last."""
        now = self.frames
        if self.changes and self.changes[-1][1] == now:
            self.changes[-1] = (self.changes[-1][0], now + 1)
        else:
            self.changes.append((now, now + 1))

    def _put(self, pixels: np.ndarray) -> None:
        self._changed()
        picture = self.overlay(self.frames, pixels, 1)[0]
        self._written = picture if pixels is self.still else None
        self._clip.write(picture)
        self._wrote(self._clip.frames)
