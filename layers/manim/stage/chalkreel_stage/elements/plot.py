"""Axes with curves: a light grid, numbers outside of the plane, labels of curves where they cover nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from manim import Dot, Group, Line, Mobject, Polygon, VGroup, VMobject

from .. import theme
from ..audit import Box, Stroke, ink
from ..geometry.arrows import arrow, beziers, head, head_outline, head_size
from ..geometry.axis import Axis
from ..geometry.curves import Curve, Plane, follow
from ..geometry.labels import SPACE, FreeSpace, Legend, label, put
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter

LEAST_PLANE = (2.2, 1.5)
"""Least width and height of the plane, in frame units."""

WIDEST, HIGHEST = 2.2, 1.3
"""Most that the width is of the height, and the height of the width."""

At = Callable[[float, float], np.ndarray]
"""Where a point in the axes' own units lies in the block, in frame units."""

Ends = tuple[np.ndarray, np.ndarray]
"""Of a straight line, in frame units."""


class Plot(Piece):
    """An axes element."""

    is_figure = True
    largest = theme.FIGURE_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        axes: types.Axes,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
        family: Sequence[types.Axes],
    ) -> None:
        """`family` are all forms of these axes, in order of time; none when there is but this one.

        Raises StoryboardError.
        """
        family = family or [axes]
        self.element, self.event = element, event
        self.axes, self.setter, self.look, self.warnings = axes, setter, look, warnings
        self.x, self.y = Axis.of(axes.x), Axis.of(axes.y)
        self.curves = [self._curve(curve) for curve in axes.curves]
        # Labels keep clear of all that will ever be in this plane, so that they need not move.
        coming = [curve for other in family for curve in other.curves if curve not in axes.curves]
        self.coming = [curve for i, curve in enumerate(coming) if curve not in coming[:i]]
        self.others = [self._curve(curve, tell=False) for curve in self.coming]
        self.captions = [one.caption for one in family]
        self.shades = theme.shades(
            [one.curves for one in family], lambda curve: theme.legible(curve.colour, look), look
        )

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        block_height = min(height, max(5.5 * level, 3.4))
        block_width = min(width, block_height * WIDEST)
        block_height = min(block_height, block_width * HIGHEST)
        around = Figure(self, block_width, block_height).around
        # Larger than there is room for rather than a plane in which nothing can be seen.
        block_height = max(block_height, around.top + around.bottom + LEAST_PLANE[1])
        block_width = max(block_width, around.left + around.right + LEAST_PLANE[0])
        make = Figure(self, block_width, block_height).make
        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)

    def _curve(self, curve: types.Curve, tell: bool = True) -> Curve:
        plane = Plane(self.x.low, self.x.high, self.y.low, self.y.high)
        try:
            return follow(curve.kind, plane)
        except StoryboardError as error:
            if tell:
                self.warnings.append(f"a curve of element {self.element} is left out: {error}")
            return Curve()


@dataclass
class Frame:
    """Where the plane lies in the block: edges of the block's room around it."""

    left: float
    right: float
    top: float
    bottom: float
    under: float


class Figure:
    """A plot drawn to a size."""

    def __init__(self, plot: Plot, width: float, height: float, legend: bool = False) -> None:
        """`legend` puts labels into a legend although the axes don't ask for one."""
        self._plot, self._width, self._height = plot, width, height
        self._look, self._setter = plot.look, plot.setter
        self._with_legend = legend or plot.axes.legend
        self._boxes: list[Box] = []
        self._strokes: list[Stroke] = []
        self._unplaced = False
        x, y, muted = plot.x, plot.y, self._look.muted
        self._numbers_x = [label(self._setter, x.number(v), theme.TICKS, muted) for v in x.ticks]
        self._numbers_y = [label(self._setter, y.number(v), theme.TICKS, muted) for v in y.ticks]
        self._name_x = label(self._setter, x.label, theme.LABELS, self._look.text, width * 0.7) if x.label else None
        self._name_y = label(self._setter, y.label, theme.LABELS, self._look.text, width * 0.5) if y.label else None
        self._caption = plot.axes.caption
        self._below = label(self._setter, self._caption, theme.LABELS, muted, width) if self._caption else None
        self._legend = self._entries()
        captions = [label(self._setter, text, theme.LABELS, muted, width).height for text in plot.captions if text]
        self._below_height = max(captions, default=0.0)
        self.around = self._frame()

    def make(self) -> Drawn:
        """Draws it, its top left corner at the origin; with a legend when not every label finds a free place."""
        drawn = self._make()
        if self._unplaced and not self._with_legend:
            return Figure(self._plot, self._width, self._height, legend=True)._make()
        return drawn

    def _make(self) -> Drawn:
        plot, x, y, muted, frame = self._plot, self._plot.x, self._plot.y, self._look.muted, self.around
        name_x, name_y, below, legend = self._name_x, self._name_y, self._below, self._legend
        plane_width = self._width - frame.left - frame.right
        plane_height = self._height - frame.top - frame.bottom

        def at(px: float, py: float) -> np.ndarray:
            right = (px - x.low) / (x.high - x.low) * plane_width
            down = (y.high - py) / (y.high - y.low) * plane_height
            return np.array([frame.left + right, -frame.top - down, 0.0])

        grid = VGroup()
        for v in x.ticks:
            grid.add(Line(at(v, y.low), at(v, y.high), stroke_width=1.5, color=self._look.grid))
        for v in y.ticks:
            grid.add(Line(at(x.low, v), at(x.high, v), stroke_width=1.5, color=self._look.grid))
        zero_x, zero_y = min(max(0.0, x.low), x.high), min(max(0.0, y.low), y.high)
        grid.add(*(Line(*ends, stroke_width=3, color=muted) for ends in self._rules(at)))
        labels = Group()
        self._numbers(labels, at, frame)
        if name_x:
            beside = name_x.width < 1.6
            px = self._width - frame.right + SPACE if beside else frame.left + (plane_width - name_x.width) / 2
            middle = at(x.high, zero_y)[1] + name_x.height / 2
            # Beside the axis it must not reach into what stands above or below the plane.
            middle = min(max(middle, -self._height + frame.bottom + name_x.height), -frame.top)
            py = middle if beside else -self._height + frame.bottom - frame.under + name_x.height
            self._put(labels, name_x, px, py, "x label")
        if name_y:
            px = min(max(0.0, at(zero_x, y.high)[0] - name_y.width / 2), self._width - name_y.width)
            self._put(labels, name_y, px, 0.0, "y label")
        if below:
            self._put(labels, below, (self._width - below.width) / 2, -self._height + self._below_height, "caption")
        if legend:
            top = -self._height + frame.bottom - frame.under
            shown = {curve.label for curve in plot.axes.curves}
            labels.add(legend.make(frame.left, top, plot.element, self._boxes, shown))
        key = repr((plot.axes.x, plot.axes.y, self._caption))
        parts = [Part([Act("dissolve", Group(grid, labels), 0.8)], 20, key)]
        left, right = frame.left, self._width - frame.right
        bottom, top = -self._height + frame.bottom, -frame.top
        self._boxes.append(Box(f"{plot.element}: plane", left, bottom, right, top, holds=plot.element))
        regions = self._curves(parts, at, Box("plane", left + 0.05, bottom + 0.05, right - 0.05, top - 0.05))
        return Drawn(parts, self._boxes, regions, strokes=self._strokes)

    def _entries(self) -> Legend | None:
        plot = self._plot
        if not self._with_legend:
            return None
        entries = [
            (curve.label, plot.shades[theme.key(curve)], bool(len(drawn.dots)))
            for curve, drawn in zip([*plot.axes.curves, *plot.coming], [*plot.curves, *plot.others], strict=True)
            if curve.label and not drawn.empty
        ]
        if not entries:
            return None
        legend = Legend(entries, self._width - 0.6, 0.4 * self._height, self._setter, self._look.text)
        if legend.left_out:
            warning = f"the legend of element {plot.element} has no room for {legend.left_out} of its labels"
            plot.warnings += [warning] if warning not in plot.warnings else []
        return legend

    def _frame(self) -> Frame:
        name_x, name_y, legend = self._name_x, self._name_y, self._legend
        left = max((n.width for n in self._numbers_y), default=0.0) + SPACE
        last = self._numbers_x[-1].width / 2
        right = max(name_x.width + SPACE if name_x and name_x.width < 1.6 else 0.0, last)
        top = name_y.height + 0.12 if name_y else self._numbers_y[-1].height / 2
        under = self._numbers_x[0].height + SPACE
        if name_x and name_x.width >= 1.6:
            under += name_x.height + 0.05
        bottom = (
            under
            + (legend.height + SPACE if legend else 0.0)
            + (self._below_height + SPACE if self._below_height else 0.0)
        )
        return Frame(left, right, top, bottom, under)

    def _put(self, group: Group, sheet: Sheet, px: float, py: float, name: str, font: float = theme.LABELS) -> None:
        item = mobject(sheet).shift([px, py, 0])
        group.add(item)
        self._boxes.extend(ink(f"{self._plot.element}: {name}", item, font))

    def _numbers(self, group: Group, at: At, frame: Frame) -> None:
        x, y = self._plot.x, self._plot.y
        last_right = -math.inf
        for v, sheet in zip(x.ticks, self._numbers_x, strict=True):
            start = at(v, y.low)[0] - sheet.width / 2
            if start > last_right + 0.12 and start >= -0.01 and start + sheet.width <= self._width + 0.01:
                top = -self._height + frame.bottom - SPACE / 2
                self._put(group, sheet, start, top, f"x = {x.number(v)}", theme.TICKS)
                last_right = start + sheet.width
        last_top = -math.inf
        for v, sheet in zip(y.ticks, self._numbers_y, strict=True):
            middle = at(x.low, v)[1]
            if middle - sheet.height / 2 > last_top - 0.05:
                left = frame.left - SPACE - sheet.width
                self._put(group, sheet, left, middle + sheet.height / 2, f"y = {y.number(v)}", theme.TICKS)
                last_top = middle + sheet.height / 2

    def _curves(self, parts: list[Part], at: At, plane: Box) -> dict[str, list[Box]]:
        plot = self._plot
        everything = [*plot.curves, *plot.others]
        outlines = [np.array([at(*p) for p in line]) for curve in everything for line in curve.outline]
        rules = [np.array(line) for line in self._rules(at)]
        room = FreeSpace(plane, [*outlines, *rules, *(head for curve in everything for head in _heads(curve, at))])
        self._strokes += [Stroke(f"{plot.element}: axis", rule[:, :2]) for rule in rules]
        regions: dict[str, list[Box]] = {}
        keys = theme.keys(plot.axes.curves)
        for i, (curve, drawn) in enumerate(zip(plot.axes.curves, plot.curves, strict=True)):
            if drawn.empty:
                continue
            colour, text = plot.shades[theme.key(curve)], curve.label
            acts = _acts(drawn, at, colour, self._look)
            lines = [np.array([at(*p) for p in line]) for line in drawn.outline if len(line) > 1]
            name = f"{plot.element}: curve {text or i + 1}"
            self._strokes += [Stroke(name, line[:, :2]) for line in (*lines, *_heads(drawn, at), *_rims(drawn, at))]
            if text:
                whole = Group(*(act.mobject for act in acts))
                regions[text] = ink(f"{plot.element}: curve {text}", whole, None)
            if text and not self._with_legend:
                sheet = label(self._setter, text, theme.LABELS, colour)
                spot = room.beside(sheet.width, sheet.height, self._track(drawn, at))
                if spot is None:
                    self._unplaced = True
                else:
                    item = put(sheet, spot, f"{plot.element}: {text}", self._boxes)
                    acts.append(Act("dissolve", item, 0.4))
            parts.append(Part(acts, 30, keys[i], text))
        for curve, drawn in zip(plot.coming, plot.others, strict=True):
            # What will come needs room for its label too, or all labels would have to move then.
            if curve.label and not drawn.empty and not self._with_legend:
                sheet = label(self._setter, curve.label, theme.LABELS, self._look.text)
                self._unplaced |= room.beside(sheet.width, sheet.height, self._track(drawn, at)) is None
        return regions

    def _rules(self, at: At) -> tuple[Ends, Ends]:
        """Both axes, each from its lower to its upper end."""
        x, y = self._plot.x, self._plot.y
        zero_x, zero_y = min(max(0.0, x.low), x.high), min(max(0.0, y.low), y.high)
        return (at(x.low, zero_y), at(x.high, zero_y)), (at(zero_x, y.low), at(zero_x, y.high))

    @staticmethod
    def _track(drawn: Curve, at: At) -> np.ndarray:
        return np.concatenate([np.array([at(*p) for p in line]) for line in drawn.outline])


def _acts(drawn: Curve, at: At, colour: str, look: theme.Theme) -> list[Act]:
    """The curve's mobjects and how they enter."""
    acts: list[Act] = []
    if drawn.areas:
        areas = [
            Polygon(*(at(*p) for p in area), stroke_width=0, fill_color=colour, fill_opacity=0.32)
            for area in drawn.areas
        ]
        acts.append(Act("uncover", VGroup(*areas), 1.2))
    if drawn.arrows:
        arrows = VGroup()
        for a, b, strength in drawn.arrows:
            shade = theme.mix(look.muted, colour, min(1.0, 0.25 + strength))
            # One alone is a vector to look at; many are a texture.
            arrows.add(arrow(at(*a), at(*b), shade, 5.0 if len(drawn.arrows) == 1 else 3.0))
        acts.append(Act("dissolve", arrows, 0.9))
    if drawn.lines:
        thin = bool(drawn.heads)
        path = VMobject(stroke_color=colour, stroke_width=2.6 if thin else 4.5, fill_opacity=0)
        path.points = np.concatenate([beziers(np.array([at(*p) for p in line])) for line in drawn.lines])
        acts.append(Act("uncover" if thin else "create", path, 1.4))
    if drawn.heads:
        heads: list[Mobject] = [head(at(*tip), at(*behind), colour, 0.16) for tip, behind in drawn.heads]
        acts.append(Act("dissolve", VGroup(*heads), 0.5))
    if len(drawn.dots):
        dots = VGroup(*(Dot(at(*p), radius=_radius(drawn), color=colour) for p in drawn.dots))
        acts.append(Act("uncover", dots, 0.8))
    return acts


def _radius(drawn: Curve) -> float:
    """Of a curve's dots, in frame units."""
    return 0.09 if len(drawn.dots) < 60 else 0.06


def _rims(drawn: Curve, at: At) -> list[np.ndarray]:
    """A square in each dot, corners at its rim."""
    corners = _radius(drawn) * np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [1, 0, 0]])
    return [at(*p) + corners for p in drawn.dots]


def _heads(drawn: Curve, at: At) -> list[np.ndarray]:
    """Outlines of arrow heads, both of a field's arrows and of stream lines."""
    field = [head_outline(at(*b), at(*a), head_size(at(*a), at(*b))) for a, b, _ in drawn.arrows]
    return [*field, *(head_outline(at(*tip), at(*behind), 0.16) for tip, behind in drawn.heads)]
