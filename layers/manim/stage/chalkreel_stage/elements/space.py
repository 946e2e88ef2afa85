"""Spaces in three dimensions: faces and lines sorted by depth, seen by a camera that can go round them.

Manim's own three-dimensional camera takes tenths of a second for a surface of a thousand faces, one mobject each. Here
a space is one painting: numpy turns and sorts the faces, Cairo fills them, and a frame takes some 10 ms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cairo
import numpy as np
from manim import Group

from .. import theme
from ..audit import Box, ink
from ..frames.painting import Painting, bgr
from ..geometry.axis import Axis
from ..geometry.expression import Array
from ..geometry.labels import SPACE, Legend, label
from ..geometry.solids import COARSE, FINE, ROUND, Shape, build
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter

DISTANCE = 5.0
"""Distance of the camera in radii of what it sees: near enough for a little perspective."""

FURTHEST = 3.0
"""How far beyond the end of its axis a name may stand, in frame units."""

LIGHT = np.array([-0.45, 0.62, 0.64])
"""Where light comes from, as seen by the camera: left, above, before."""


@dataclass
class _DrawnSolid:
    fine: Shape
    coarse: Shape
    colour: str
    opacity: float
    name: str


class Space(Piece):
    """A space element."""

    is_figure = True
    largest = theme.FIGURE_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        value: types.Space,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
        family: Sequence[types.Space],
        orbits: bool,
    ) -> None:
        """`family` are all forms of this space, in order of time; none when there is but this one.

        `orbits` when the camera is to go round. Raises StoryboardError.
        """
        family = family or [value]
        self.element, self.event = element, event
        self.setter, self.look = setter, look
        self.caption = value.caption
        self.phi = math.radians(value.phi if value.phi is not None else 65.0)
        self.theta = math.radians(value.theta if value.theta is not None else -45.0)
        self.axes = [Axis.of(axis) for axis in _axes(value)]
        self.things: list[_DrawnSolid] = []

        def own(solid: types.Solid) -> str | None:
            style = solid.style or types.Style()
            return theme.legible(style.fill or style.colour, look, 1.6)

        shades = theme.shades([form.solids for form in family], own, look)
        for solid in value.solids:
            opacity = solid.style.opacity if solid.style else None
            try:
                self.things.append(
                    _DrawnSolid(
                        self._within(build(solid.kind, FINE)),
                        self._within(build(solid.kind, COARSE)),
                        shades[theme.key(solid)],
                        opacity if opacity is not None else 1.0,
                        solid.label,
                    )
                )
            except StoryboardError as error:
                warnings.append(f"a solid of element {element} is left out: {error}")
        round_ones = any(solid.kind.kind in ROUND for form in family for solid in form.solids)
        # A legend has the same places for the same names, whichever of the family it belongs to.
        self.names = [(thing.name, thing.colour, False) for thing in self.things if thing.name]
        named = {name for name, _, _ in self.names}
        for solid in (solid for other in family for solid in other.solids):
            if solid.label and solid.label not in named:
                named.add(solid.label)
                self.names.append((solid.label, shades[theme.key(solid)], False))
        self.moves = orbits
        """Whether the camera goes round."""
        self._hull = self._points(family)
        self._fit((self._hull.min(axis=0), self._hull.max(axis=0)), round_ones)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        legend = Legend(self.names, width, 0.4 * height, self.setter, self.look.text) if self.names else None
        below = label(self.setter, self.caption, theme.LABELS, self.look.muted, width) if self.caption else None
        under = (legend.height + SPACE if legend else 0.0) + (below.height + SPACE if below else 0.0)
        names = [label(self.setter, axis.label, theme.LABELS, self.look.text) for axis in self.axes if axis.label]
        side = max((max(s.width, s.height) for s in names), default=0.0) + (0.2 if names else 0.0)
        room_height = max(min(height, max(5.8 * level, 3.2)) - under - 2 * side, 1.0)
        low, high = self._seen()
        wide, tall = map(float, high - low)
        scale = min((width - 2 * side) / wide, room_height / tall)
        picture = (wide * scale + 2 * side, tall * scale + 2 * side)
        # Where the middle of the space lies in its picture.
        origin = (-float(low[0]) * scale + side, -float(high[1]) * scale - side)
        block_width = max(picture[0], below.width if below else 0.0, legend.width if legend else 0.0)

        def make() -> Drawn:
            left = (block_width - picture[0]) / 2
            view = SpaceView(self, *picture, scale, origin, names).shift([left, 0, 0])
            boxes = [Box(self.element, left, -picture[1], left + picture[0], 0.0, theme.LABELS if names else None)]
            regions: dict[str, list[Box]] = {}
            words, y = Group(), -picture[1] - SPACE
            shown = {thing.name for thing in self.things}
            if legend:
                words.add(legend.make((block_width - legend.width) / 2, y, self.element, boxes, shown))
                y -= legend.height + SPACE
                for thing in self.things:
                    regions[thing.name] = [b for b in boxes if b.name == f"{self.element}: legend {thing.name}"]
            if below:
                caption = mobject(below).shift([(block_width - below.width) / 2, y, 0])
                boxes += ink(f"{self.element}: caption", caption, theme.LABELS)
                words.add(caption)
            acts = [Act("dissolve", view, 1.0)]
            if len(words):
                acts.append(Act("dissolve", words, 0.4))
            return Drawn([Part(acts, 40)], boxes, regions)

        block_height = picture[1] + under
        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)

    def _within(self, shape: Shape) -> Shape:
        """Without what lies outside of the axes by more than a little."""
        if not self.axes:
            return shape
        low = np.array([axis.low for axis in self.axes])
        high = np.array([axis.high for axis in self.axes])
        low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
        faces = []
        for face in shape.faces:
            middle = face.mean(axis=1)
            faces.append(face[((middle >= low) & (middle <= high)).all(axis=1)])
        lines = []
        for line in shape.lines:
            inside = ((line >= low) & (line <= high)).all(axis=1)
            runs = np.split(np.arange(len(line)), np.flatnonzero(np.diff(inside.astype(int))) + 1)
            lines += [line[run] for run in runs if len(run) > 1 and inside[run[0]]]
        return Shape(faces, lines, shape.tip if len(lines) == len(shape.lines) else None)

    def _points(self, family: Sequence[types.Space]) -> Array:
        """Corners of all that is, was or will be in this space. Raises StoryboardError when there are none."""
        points = [thing.fine.points for thing in self.things]
        for other in family:
            if other.axes:
                ends = [[axis.min for axis in _axes(other)], [axis.max for axis in _axes(other)]]
                points.append(np.array([[ends[i][0], ends[j][1], ends[k][2]] for i, j, k in np.ndindex(2, 2, 2)]))
            for solid in other.solids:
                try:
                    points.append(self._within(build(solid.kind, COARSE)).points)
                except StoryboardError:
                    continue  # It was, or will be, told where it is drawn.
        whole = np.concatenate(points) if points else np.zeros((0, 3))
        if not len(whole):
            raise StoryboardError("the space is empty")
        return whole

    def _fit(self, extent: tuple[Array, Array], round_ones: bool) -> None:
        """Scales of the axes, the middle, and how far it reaches from there (in radii of what is seen)."""
        low, high = extent
        size = np.maximum(high - low, 1e-9)
        scales = np.full(3, 1.0 / float(size.max()))
        if self.axes and not round_ones and float(size.max() / size.min()) > 2.0:
            # A surface of another height than width fills a box of pleasant sides.
            scales = np.array([1.0, 1.0, 0.65]) / size
        self.middle, half = (low + high) / 2, size * scales / 2
        radius = float(np.linalg.norm(half))
        self.scales = scales / radius

    def _seen(self) -> tuple[Array, Array]:
        """Lower left and upper right end of what is seen, from every side when the camera is to go round."""
        ends = [self.axis(i)[1] for i in range(len(self.axes))]
        points = np.concatenate([self._hull, *([np.array(ends)] if ends else [])])
        sides = self.theta + np.linspace(0, 2 * np.pi, 36, endpoint=False) if self.moves else [self.theta]
        seen = np.concatenate([self.turned(points, float(theta))[:, :2] for theta in sides])
        low, high = seen.min(axis=0), seen.max(axis=0)
        return low, np.maximum(high, low + 1e-3)

    def axis(self, i: int) -> tuple[list[float], list[float]]:
        """Both ends of an axis; its upper one lies a little beyond its range, where its name has room."""
        start = [min(max(0.0, axis.low), axis.high) for axis in self.axes]
        end = list(start)
        start[i], end[i] = self.axes[i].low, self.axes[i].high + 0.12 * (self.axes[i].high - self.axes[i].low)
        return start, end

    def turned(self, points: Array, theta: float) -> Array:
        """Right, up, and towards the camera, of points of shape (…, 3)."""
        p = (points - self.middle) * self.scales
        sin_p, cos_p, sin_t, cos_t = math.sin(self.phi), math.cos(self.phi), math.sin(theta), math.cos(theta)
        right = np.array([-sin_t, cos_t, 0.0])
        up = np.array([-cos_p * cos_t, -cos_p * sin_t, sin_p])
        towards = np.array([sin_p * cos_t, sin_p * sin_t, cos_p])
        seen = np.stack([p @ right, p @ up, p @ towards], axis=-1)
        seen[..., :2] *= (DISTANCE / (DISTANCE - seen[..., 2]))[..., None]
        return seen


class SpaceView(Painting):
    """A space as seen from somewhere."""

    def __init__(
        self, space: Space, width: float, height: float, scale: float, origin: tuple[float, float], names: list[Sheet]
    ) -> None:
        super().__init__(width, height)
        self.theta = space.theta
        self.coarse = False
        """Whether fewer faces will do, for this is one of many frames."""
        self._space, self._scale, self._origin, self._width0 = space, scale, origin, width
        self._height0 = height
        self._names = [[item.points[:, :2] for item in mobject(s)] for s in names]
        self._sizes = [(sheet.width, sheet.height) for sheet in names]

    @property
    def turned(self) -> float:
        """How far the camera has gone round since the beginning, in radians."""
        return self.theta - self._space.theta

    def paint(self, context: cairo.Context) -> None:
        """See Painting."""
        space = self._space
        factor = float(self.points[1][0] - self.points[0][0]) / self._width0
        context.translate(float(self.points[0][0]), float(self.points[0][1]))
        context.scale(factor, factor)
        context.translate(*self._origin)
        scale = self._scale
        items: list[tuple[float, Any]] = []
        for line, colour, width in self._rules():
            seen = space.turned(line, self.theta) * scale
            for a, b in pairwise(seen):
                items.append((float(a[2] + b[2]) / 2, ("line", a, b, bgr(colour), width, 1.0)))
        for thing in space.things:
            self._faces(items, thing)
        items.sort(key=lambda item: item[0])
        context.set_line_join(cairo.LINE_JOIN_ROUND)
        context.set_line_cap(cairo.LINE_CAP_ROUND)
        for _, (kind, a, b, colour, width, opacity) in items:
            context.set_source_rgba(*colour, opacity)
            if kind == "line":
                context.set_line_width(width)
                context.move_to(a[0], a[1])
                context.line_to(b[0], b[1])
                context.stroke()
                continue
            context.move_to(*a[0])
            for corner in a[1:]:
                context.line_to(*corner)
            context.close_path()
            if b is None:
                context.fill()
                continue
            context.fill_preserve()
            # The rim hides the seam between two faces and shows the mesh.
            context.set_source_rgba(*b, opacity)
            context.set_line_width(width)
            context.stroke()
        self._letters(context)

    def _rules(self) -> list[tuple[Array, str, float]]:
        """A grid on the floor, and the axes."""
        space, look = self._space, self._space.look
        if not space.axes:
            return []
        x, y, z = space.axes
        rules = []
        floor = z.low
        for tick in x.ticks:
            rules.append((_way([tick, y.low, floor], [tick, y.high, floor]), look.grid, 0.018))
        for tick in y.ticks:
            rules.append((_way([x.low, tick, floor], [x.high, tick, floor]), look.grid, 0.018))
        for i in range(3):
            rules.append((_way(*space.axis(i), 24), look.muted, 0.032))
        return rules

    def _faces(self, items: list[tuple[float, Any]], thing: _DrawnSolid) -> None:
        space, shape = self._space, thing.coarse if self.coarse else thing.fine
        paper, colour = space.look.background, thing.colour
        shades = [np.array(bgr(theme.mix(paper, colour, 0.42))), np.array(bgr(colour))]
        bright = np.array(bgr(theme.mix(colour, "#ffffff", 0.38)))
        for faces in shape.faces:
            if not len(faces):
                continue
            seen = space.turned(faces, self.theta) * self._scale
            normal = np.cross(seen[:, 2] - seen[:, 0], seen[:, 3] - seen[:, 1])
            size = np.linalg.norm(normal, axis=1)
            shine = np.abs(normal @ LIGHT) / np.maximum(size, 1e-12)
            depth = seen[:, :, 2].mean(axis=1)
            fill = shades[0] + (shades[1] - shades[0]) * np.minimum(shine / 0.75, 1.0)[:, None]
            fill = fill + (bright - fill) * np.maximum((shine - 0.75) / 0.25, 0.0)[:, None]
            rim = fill * 0.86
            flat = seen[:, :, :2].tolist()
            items += [
                (d, ("face", f, tuple(r), tuple(c), 0.012, thing.opacity))
                for d, f, c, r in zip(depth.tolist(), flat, fill.tolist(), rim.tolist(), strict=True)
            ]
        for line in shape.lines:
            seen = space.turned(line, self.theta) * self._scale
            shade = bgr(colour)
            for a, b in pairwise(seen):
                items.append((float(a[2] + b[2]) / 2 + 0.01, ("line", a, b, shade, 0.05, thing.opacity)))
            if shape.tip is not None:
                tip, way = seen[-1], seen[-1][:2] - seen[-2][:2]
                way = way / max(float(np.hypot(*way)), 1e-9)
                side = np.array([-way[1], way[0]])
                corners = [tip[:2] + way * 0.1, tip[:2] - way * 0.2 + side * 0.13, tip[:2] - way * 0.2 - side * 0.13]
                items.append(
                    (float(tip[2]) + 0.02, ("face", [c.tolist() for c in corners], None, shade, 0, thing.opacity))
                )

    def _letters(self, context: cairo.Context) -> None:
        """The names of the axes beyond their ends, upright."""
        space = self._space
        context.set_source_rgba(*bgr(space.look.text), 1.0)
        # A camera that goes round would make names jump.
        shapes = [] if space.moves else [thing.coarse for thing in space.things]
        points = [face.mean(axis=1) for shape in shapes for face in shape.faces if len(face)]
        points += [line for shape in shapes for line in shape.lines]
        ink = space.turned(np.concatenate([np.zeros((0, 3)), *points]), self.theta)[:, :2] * self._scale
        named = [i for i, axis in enumerate(space.axes) if axis.label]
        for i, glyphs, (width, height) in zip(named, self._names, self._sizes, strict=True):
            x, y = space.turned(np.array(space.axis(i)), self.theta)[:, :2] * self._scale
            way = np.array([y[0] - x[0], y[1] - x[1]])
            way = way / max(float(np.hypot(*way)), 0.3)
            left, top = self._beyond(y, way, width, height, ink)
            for outline in glyphs:
                last = None
                for a, b, c, d in outline.reshape(-1, 4, 2) + np.array([left, top]):
                    if last is None or not np.allclose(a, last, atol=1e-6):
                        context.move_to(*a)
                    context.curve_to(*b, *c, *d)
                    last = d
                context.fill()

    def _beyond(self, end: Array, way: Array, width: float, height: float, ink: Array) -> tuple[float, float]:
        """Left and top edge of an axis' name: beyond its end, and further out as long as it would lie on a solid."""
        spots = []
        for further in np.arange(0.0, FURTHEST, 0.1):
            left = end[0] + way[0] * (width / 2 + 0.12 + further) - width / 2
            top = end[1] + way[1] * (height / 2 + 0.08 + further) + height / 2
            right, bottom = left + width, top - height
            low_x, high_y = -self._origin[0], -self._origin[1]
            inside = (
                left >= low_x and right <= low_x + self._width0 and top <= high_y and bottom >= high_y - self._height0
            )
            if spots and not inside:
                break
            spots.append((left, top))
            if not len(ink):
                break
            x, y = ink.T
            if not ((x > left - 0.1) & (x < right + 0.1) & (y > bottom - 0.1) & (y < top + 0.1)).any():
                return left, top
        return spots[0]


def _axes(space: types.Space) -> list[types.Axis]:
    """All three; none when it shows none."""
    return [space.axes.x, space.axes.y, space.axes.z] if space.axes else []


def _way(start: list[float], end: list[float], steps: int = 8) -> Array:
    a, b = np.array(start), np.array(end)
    return a + (b - a) * np.linspace(0, 1, steps + 1)[:, None]
