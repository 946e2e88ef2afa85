"""Mobjects that Cairo paints as a whole: pictures, and spaces seen by a camera."""

from __future__ import annotations

from abc import ABC, abstractmethod

import cairo
import numpy as np
from manim import Mobject, VMobject


class Painting(Mobject, ABC):
    """A rectangle that knows how to paint itself; its points are its corners, so it shifts and scales as any other."""

    def __init__(self, width: float, height: float) -> None:
        """Its top left corner is at the origin. Lengths in frame units."""
        super().__init__()
        self.points = np.array([[0, 0, 0], [width, 0, 0], [width, -height, 0], [0, -height, 0]], dtype=float)
        self.strength = 1.0
        """Opacity, 0 to 1."""

    def generate_points(self) -> None:
        """Its points are set once it knows its size."""

    def __deepcopy__(self, memo: object) -> Painting:
        """What it shows is shared, for nobody changes it."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.points = self.points.copy()
        made.submobjects, made.updaters = [], []
        return made

    def on(self, context: cairo.Context) -> None:
        """Paints it. The context is in frame units, y upwards; red and blue are bgr, as in Manim's camera."""
        context.save()
        # Manim leaves the outline of what it drew last, which would be filled along with this.
        context.new_path()
        if self.strength < 1.0:
            context.push_group()
        self.paint(context)
        if self.strength < 1.0:
            context.pop_group_to_source()
            context.paint_with_alpha(self.strength)
        context.restore()

    @abstractmethod
    def paint(self, context: cairo.Context) -> None:
        """Paints it at full opacity."""


class Picture(Painting):
    """Pixels: RGBA bytes of shape (rows, columns, 4), not premultiplied."""

    def __init__(self, pixels: np.ndarray, width: float, height: float) -> None:
        super().__init__(width, height)
        alpha = pixels[:, :, 3:].astype(np.uint16)
        self._pixels = pixels.copy()
        self._pixels[:, :, :3] = (pixels[:, :, :3] * alpha + 127) // 255

    def paint(self, context: cairo.Context) -> None:
        """See Painting."""
        rows, columns = self._pixels.shape[:2]
        stride = cairo.ImageSurface.format_stride_for_width(cairo.FORMAT_ARGB32, columns)
        surface = cairo.ImageSurface.create_for_data(self._pixels.data, cairo.FORMAT_ARGB32, columns, rows, stride)
        corner, right, down = self.points[0], self.points[1] - self.points[0], self.points[3] - self.points[0]
        # Pixel coordinates to frame units.
        context.transform(
            cairo.Matrix(
                right[0] / columns,
                right[1] / columns,
                down[0] / rows,
                down[1] / rows,
                float(corner[0]),
                float(corner[1]),
            )
        )
        context.set_source_surface(surface)
        # Outside of the pixels their edge goes on, so that a scaled edge is not blurred into nothing.
        context.get_source().set_extend(cairo.EXTEND_PAD)
        context.get_source().set_filter(cairo.FILTER_GOOD)
        context.rectangle(0, 0, columns, rows)
        context.fill()


def faded(mobject: Mobject, strength: float) -> Mobject:
    """A copy of `mobject` with all its opacities times `strength`."""
    copy = mobject.copy()
    for item in copy.get_family():
        if isinstance(item, Painting):
            item.strength *= strength
        elif isinstance(item, VMobject):
            item.set_fill(opacity=item.get_fill_opacity() * strength, family=False)
            item.set_stroke(opacity=item.get_stroke_opacity() * strength, family=False)
    return copy


def bgr(colour: str) -> tuple[float, float, float]:
    """Red, green, blue of `#rrggbb` from 0 to 1, as `Painting.on`'s context takes them."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return blue, green, red
