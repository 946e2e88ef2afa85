"""Shapes in one system of coordinates, scaled together; their labels stand where they cover nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from manim import Annulus, BraceBetweenPoints, Circle, DashedLine, Dot, Ellipse, Group, Line, Mobject, Polygon, VMobject

from .. import theme
from ..audit import Box, Stroke, ink, whole
from ..frames.painting import faded
from ..geometry.arrows import arrow
from ..geometry.labels import FreeSpace, label, put
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..storyboard.types import Point, Shape, ShapeKind
from ..typesetting.typesetter import Typesetter

LARGEST_UNIT = 1.6
"""Frame units that one unit of the drawing takes at most, so that a lone small shape is not blown up."""

At = Callable[[Point], np.ndarray]
"""Where a point in the drawing's own units lies in the block, in frame units."""

BORDER = 0.5
"""Room around the shapes for their labels, in frame units."""


class Drawing(Piece):
    """A drawing element."""

    is_figure = True
    largest = theme.DRAWING_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        value: types.Drawing,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
        family: Sequence[types.Drawing],
    ) -> None:
        """`family` are all forms of this drawing, in order of time; none when there is but this one.

        Raises StoryboardError.
        """
        family = family or [value]
        self.element, self.event = element, event
        self._setter, self._look, self._warnings = setter, look, warnings
        self._shapes = [shape for shape in value.shapes if self._sound(shape)]
        forms = [[shape for shape in form.shapes if _extent(shape) is not None] for form in family]
        self._shades = theme.shades(forms, self._own, look)
        others = [shape for form in forms for shape in form if shape not in self._shapes]
        self._everything = [*self._shapes, *others]
        extents = [extent for extent in map(_extent, self._everything) if extent is not None]
        if not extents:
            raise StoryboardError("the drawing has no shapes")
        self._low = np.min([low for low, _ in extents], axis=0)
        self._high = np.max([high for _, high in extents], axis=0)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece: as large as need be for every label to find a free place, if there is room."""
        for factor in (1.0, 2.0, 4.0):
            largest = factor * LARGEST_UNIT * max(level, 1.0) ** 2
            unit, block_width, block_height = self._size(width, min(height, max(5.5 * level, 2.4)), largest)
            self._unplaced: list[str] = []
            drawn = self._make(unit, block_width, block_height)
            if not self._unplaced and not drawn.strays:
                break

        def make() -> Drawn:
            self._unplaced = []
            drawn = self._make(unit, block_width, block_height)
            for text in self._unplaced:
                self._warnings.append(f"label {text!r} of element {self.element} is left out: no place is free for it")
            return drawn

        gap, crowded = theme.GAP * level, bool(drawn.strays)
        return Block(self.element, self.event, block_width, block_height, gap, make, centred=True, crowded=crowded)

    def _size(self, width: float, height: float, largest: float) -> tuple[float, float, float]:
        """Frame units in one of the drawing's, width and height; `largest` is the most that the first may be."""
        size = np.maximum(self._high - self._low, 1e-9)
        texts = [shape.label for shape in self._everything]
        widest = max((label(self._setter, text, theme.LABELS, "#ffffff").width for text in texts if text), default=0.0)
        # Room for a label at either side, as long as that doesn't cost the shapes theirs.
        border = max(BORDER, min(widest + 0.25, 0.16 * width))
        room = (max(width - 2 * border, 0.5), max(height - 2 * BORDER, 0.5))
        unit = min(room[0] / size[0], room[1] / size[1], largest)
        # Something tiny is still to be seen.
        if unit == largest and float(size.max()) * unit < 2.0:
            unit = min(room[0] / size[0], room[1] / size[1], 2.0 / float(size.max()))
        block_width = min(width, max(size[0] * unit + 2 * border, 3.6 if widest else 0.0))
        return float(unit), float(block_width), float(size[1] * unit + 2 * BORDER)

    def _sound(self, shape: Shape) -> bool:
        if _extent(shape) is not None:
            return True
        self._warnings.append(f"a shape of element {self.element} is left out: it has no size")
        return False

    def _make(self, unit: float, width: float, height: float) -> Drawn:
        middle = (self._low + self._high) / 2

        def at(point: Point) -> np.ndarray:
            x, y = (point.x - middle[0]) * unit, (point.y - middle[1]) * unit
            return np.array([width / 2 + x, y - height / 2, 0.0])

        drawn = Drawn([], [])
        everything = [self._figure(shape, at, unit) for shape in self._everything]
        all_strokes = [line for figure in everything for line in _outline(figure)]
        polygons = [np.array(figure.get_vertices())[:, :2] for figure in everything if isinstance(figure, Polygon)]
        room = FreeSpace(Box("plane", 0.0, -height, width, 0.0), all_strokes)
        figures: list[Mobject] = []
        keys = theme.keys(self._everything)
        for i, (shape, figure) in enumerate(zip(self._everything, everything, strict=True)):
            kind = shape.kind.kind
            acts: list[Act] = []
            # What will come only has its label's place kept free, so that nothing need move then.
            if figure is not None and i < len(self._shapes):
                figures.append(figure)
                drawn.strokes += [Stroke(f"{self.element}: shape {i + 1}", line) for line in _outline(figure)]
                acts.append(Act("grow" if kind in ("dot", "arrow") else "create", figure, 0.8))
                if kind in ("brace", "dashed_line"):
                    acts[0].kind = "uncover"
            text = shape.label
            if text:
                colour = self._look.text if _closed(kind) else self._shades[theme.key(shape)]
                sheet = label(self._setter, text, theme.LABELS, colour, width * 0.6)
                spot = self._spot(shape, kind, figure, at, room, sheet.width, sheet.height, polygons)
                here = spot is not None and figure is not None and i < len(self._shapes)
                if here and kind == "rectangle" and not _within(spot, figure):
                    drawn.strays.append(f"{self.element}: {text}")
                if spot is None:
                    self._unplaced.append(text)
                elif i < len(self._shapes):
                    item = put(sheet, spot, f"{self.element}: {text}", drawn.boxes)
                    acts.append(Act("dissolve", item, 0.35))
                if acts:
                    together = Group(*(act.mobject for act in acts))
                    drawn.regions[text] = ink(f"{self.element}: shape {text}", together, None)
            strength = shape.style.opacity if shape.style else None
            if strength is not None and figure is not None and 0 <= strength < 1:
                figure.become(faded(figure, strength))
            if acts:
                drawn.parts.append(Part(acts, 16, keys[i], text))
        # The shapes are one box: their labels may stand inside of it.
        drawn.boxes += whole(self.element, "shapes", Group(*figures))
        return drawn

    def _own(self, shape: Shape) -> str | None:
        """The colour that its author gives it."""
        style = shape.style or types.Style()
        return theme.legible(style.colour, self._look, 1.6) or theme.legible(style.fill, self._look, 1.6)

    def _figure(self, shape: Shape, at: At, unit: float) -> VMobject | None:
        """The shape without its label; none for a label alone."""
        kind, colour = shape.kind.kind, self._shades[theme.key(shape)]
        fill = theme.colour(shape.style.fill if shape.style else None, self._look)
        look: dict[str, Any] = {"stroke_color": colour, "stroke_width": 4.0}
        if _closed(kind):
            look |= {"fill_color": fill or colour, "fill_opacity": 0.55 if fill else 0.14}
        match shape.kind:
            case ShapeKind(polygon=tuple(corners)):
                return Polygon(*map(at, corners), **look)
            case ShapeKind(circle=types.Circle(center=center, radius=radius)):
                return Circle(radius=radius * unit, **look).move_to(at(center))
            case ShapeKind(ellipse=types.Extent() as extent):
                size = {"width": extent.width * unit, "height": extent.height * unit}
                return Ellipse(**size, **look).move_to(at(extent.center))
            case ShapeKind(rectangle=types.Extent() as extent):
                middle, half = at(extent.center), np.array([extent.width * unit / 2, extent.height * unit / 2, 0])
                signs = ((-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0))
                return Polygon(*(middle + sign * half for sign in map(np.array, signs)), **look)
            case ShapeKind(annulus=types.Annulus(center=center, inner=inner, outer=outer)):
                return Annulus(inner_radius=inner * unit, outer_radius=outer * unit, **look).move_to(at(center))
            case ShapeKind(dot=Point() as point):
                return Dot(at(point), radius=0.09, color=colour)
            case ShapeKind(arrow=types.Stroke() as way):
                return arrow(at(way.from_), at(way.to), colour, 4.5)
            case ShapeKind(line=types.Stroke() as way):
                return Line(at(way.from_), at(way.to), stroke_width=4.0, color=colour)
            case ShapeKind(dashed_line=types.Stroke() as way):
                return DashedLine(at(way.from_), at(way.to), dash_length=0.14, stroke_width=3.5, color=colour)
            case ShapeKind(brace=types.Stroke() as way):
                # On the left-hand side of the way, as the storyboard says.
                return BraceBetweenPoints(at(way.to), at(way.from_), color=colour, sharpness=2.0, buff=0.08)
        return None

    def _spot(
        self,
        shape: Shape,
        kind: str,
        figure: Mobject | None,
        at: At,
        room: FreeSpace,
        w: float,
        h: float,
        polygons: list[np.ndarray],
    ) -> Box | None:
        value = shape.kind.value
        if figure is None:
            x, y, _ = at(value)
            return room.at(w, h, float(x), float(y))
        if kind == "annulus":
            x, y, _ = at(value.center)
            middle = Box("label", x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            hole = figure.width * value.inner / value.outer
            if math.hypot(w, h) < 0.9 * hole and room.free(middle):
                return room.take(middle)
            return room.beside(w, h, figure.get_all_points())
        if _closed(kind):
            x, y, _ = np.mean([at(p) for p in value], axis=0) if kind == "polygon" else at(value.center)
            middle = Box("label", x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            fits = w < figure.width * 0.8 and h < figure.height * 0.8
            if fits and room.free(middle, 0.04):
                return room.take(middle)
            top = figure.get_top()
            return room.beside(w, h, np.array([figure.get_right(), figure.get_bottom(), top]))
        if kind == "brace":
            start, end = at(value.from_), at(value.to)
            way = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
            out = (start + end) / 2 + np.array([-way[1], way[0], 0.0]) * (
                0.45 + abs(way[1]) * w / 2 + abs(way[0]) * h / 2
            )
            return room.at(w, h, float(out[0]), float(out[1]))
        if kind in ("line", "dashed_line"):
            start, end = at(value.from_), at(value.to)
            # A side's length stands outside of what it is a side of.
            return room.beside(w, h, np.array([start, end, (start + end) / 2]), polygons)
        return room.beside(w, h, np.array([at(value.to if kind == "arrow" else value)]))


def _within(spot: Box, figure: Mobject) -> bool:
    """Whether a label's place is inside of its shape."""
    x, y = (spot.left + spot.right) / 2, (spot.bottom + spot.top) / 2
    (left, bottom, _), (right, top, _) = figure.get_corner([-1, -1, 0]), figure.get_corner([1, 1, 0])
    return bool(left < x < right and bottom < y < top)


def _closed(kind: str) -> bool:
    return kind in ("polygon", "circle", "ellipse", "annulus", "rectangle")


def _outline(figure: Mobject | None) -> list[np.ndarray]:
    """Polylines along the strokes of a shape."""
    if figure is None:
        return []
    lines = []
    for item in figure.family_members_with_points():
        a, b, c, d = item.points[:, :2].reshape(-1, 4, 1, 2).swapaxes(0, 1)
        t = np.linspace(0.0, 1.0, 5)[:, None]
        lines += list((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t**3 * d)
    return lines


def _extent(shape: Shape) -> tuple[np.ndarray, np.ndarray] | None:
    """Lower left and upper right corner in the drawing's own units; none when it has no size."""
    match shape.kind:
        case ShapeKind(polygon=tuple(corners)):
            points = np.array([_xy(corner) for corner in corners]).reshape(-1, 2)
        case ShapeKind(dot=Point() as point) | ShapeKind(label=Point() as point):
            points = _xy(point)[None]
        case ShapeKind(circle=types.Circle(center=center, radius=radius)):
            points = _around(center, 2 * radius, 2 * radius)
        case ShapeKind(annulus=types.Annulus(center=center, outer=outer)):
            points = _around(center, 2 * outer, 2 * outer)
        case ShapeKind(ellipse=types.Extent() as extent) | ShapeKind(rectangle=types.Extent() as extent):
            points = _around(extent.center, extent.width, extent.height)
        case _:
            points = np.array([_xy(shape.kind.value.from_), _xy(shape.kind.value.to)])
    if not len(points) or not np.isfinite(points).all():
        return None
    return points.min(axis=0), points.max(axis=0)


def _around(center: Point, width: float, height: float) -> np.ndarray:
    """Two opposite corners of a rectangle; none when it has no size."""
    half = np.array([width, height]) / 2
    return np.array([_xy(center) - half, _xy(center) + half]) if (half > 0).all() else np.zeros((0, 2))


def _xy(point: Point) -> np.ndarray:
    return np.array([point.x, point.y])
