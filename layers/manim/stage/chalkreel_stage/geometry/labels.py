"""Labels of figures: set in one size, and put where they cover nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from manim import Dot, Group, Mobject, RoundedRectangle, VGroup

from .. import theme
from ..audit import Box, ink
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter, literal

SPACE = 0.14
"""Distance of labels from what they label, in frame units."""


def label(setter: Typesetter, text: str, size: float, colour: str, width: float | None = None) -> Sheet:
    """A label; wrapped and centred when it is wider than `width`."""
    size = max(size, theme.TEXT_FLOOR)
    sheet = setter.sheet(f"#{literal(text)}", size, colour)
    if width is not None and sheet.width > width:
        sheet = setter.sheet(f"#align(center)[#{literal(text)}]", size, colour, max(width, 0.3))
    return sheet


class FreeSpace:
    """What is taken in a figure: points of lines, boxes of text. Finds what is free."""

    def __init__(self, plane: Box, lines: Iterable[np.ndarray] = ()) -> None:
        """Labels stay within `plane`; `lines` are polylines of shape (n, 2 or 3)."""
        self.plane = plane
        dense = [dense_line(line)[:, :2] for line in lines if len(line)]
        self._points = np.concatenate(dense) if dense else np.zeros((0, 2))
        self._edges = np.zeros((0, 4))
        self._failed: list[tuple[float, float]] = []

    def free(self, box: Box, gap: float = 0.06) -> bool:
        """Whether nothing is in the box or nearer than `gap`."""
        plane, points = self.plane, self._points
        if box.left < plane.left or box.right > plane.right or box.bottom < plane.bottom or box.top > plane.top:
            return False
        inside = (
            (points[:, 0] > box.left - gap)
            & (points[:, 0] < box.right + gap)
            & (points[:, 1] > box.bottom - gap)
            & (points[:, 1] < box.top + gap)
        )
        if inside.any():
            return False
        taken = self._edges
        meets = (
            (taken[:, 0] < box.right + gap)
            & (taken[:, 2] > box.left - gap)
            & (taken[:, 1] < box.top + gap)
            & (taken[:, 3] > box.bottom - gap)
        )
        return not meets.any()

    def beside(self, width: float, height: float, track: np.ndarray, without: Sequence[np.ndarray] = ()) -> Box | None:
        """The first free box beside the points of `track`, from the last on, else the nearest anywhere.

        Rather not inside of one of the polygons `without`, of shape (n, 2).
        """
        for shunned in (without, ()) if len(without) else ((),):
            for distance in (0.12, 0.3, 0.5):
                for k in range(len(track) - 1, -1, -max(1, len(track) // 40)):
                    for box in _around(float(track[k][0]), float(track[k][1]), width, height, distance):
                        if self.free(box) and not any(_inside(box, polygon) for polygon in shunned):
                            return self.take(box)
        return self.anywhere(width, height, track[-1])

    def at(self, width: float, height: float, x: float, y: float) -> Box | None:
        """The box centred there when it is free, else the nearest."""
        box = Box("label", x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return self.take(box) if self.free(box) else self.beside(width, height, np.array([[x, y]]))

    def anywhere(self, width: float, height: float, near: np.ndarray) -> Box | None:
        """The free box nearest to a point."""
        # Room only ever gets less: what had none has none later either.
        if any(width >= w and height >= h for w, h in self._failed):
            return None
        plane = self.plane
        xs = np.arange(plane.left, plane.right - width + 1e-9, 0.15)
        ys = np.arange(plane.bottom, plane.top - height + 1e-9, 0.12)
        spots = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        far = np.hypot(spots[:, 0] + width / 2 - near[0], spots[:, 1] + height / 2 - near[1])
        spots = spots[np.argsort(far, kind="stable")]
        for left, bottom, right, top in self._edges:
            gap = 0.06
            clear = (spots[:, 0] >= right + gap) | (spots[:, 0] + width <= left - gap)
            spots = spots[clear | (spots[:, 1] >= top + gap) | (spots[:, 1] + height <= bottom - gap)]
        for x, y in spots:
            box = Box("label", float(x), float(y), float(x) + width, float(y) + height)
            if self.free(box):
                return self.take(box)
        self._failed.append((width, height))
        return None

    def take(self, box: Box) -> Box:
        """Marks the box as taken."""
        self._edges = np.vstack([self._edges, [box.left, box.bottom, box.right, box.top]])
        return box


def _inside(box: Box, polygon: np.ndarray) -> bool:
    """Whether the box's middle is in the polygon: a ray from it crosses its outline an odd number of times."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    a, b = polygon, np.roll(polygon, -1, axis=0)
    crossing = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(crossing, b[:, 1] - a[:, 1], 1.0)
    return bool(np.count_nonzero(crossing & (x < a[:, 0] + (y - a[:, 1]) / rise * (b[:, 0] - a[:, 0]))) % 2)


def _around(x: float, y: float, width: float, height: float, distance: float) -> list[Box]:
    corners = (
        (x + distance, y - height / 2),
        (x - width - distance, y - height / 2),
        (x - width / 2, y + distance),
        (x - width / 2, y - distance - height),
        (x + distance, y + distance),
        (x - width - distance, y + distance),
        (x + distance, y - distance - height),
        (x - width - distance, y - distance - height),
    )
    return [Box("label", left, bottom, left + width, bottom + height) for left, bottom in corners]


def put(sheet: Sheet, spot: Box, name: str, boxes: list[Box]) -> Mobject:
    """The label at its spot; its ink joins `boxes`."""
    group = mobject(sheet).shift([spot.left, spot.top, 0])
    boxes.extend(ink(name, group, theme.LABELS))
    return group


def dense_line(line: np.ndarray, step: float = 0.05) -> np.ndarray:
    """Points on the polyline no further apart than `step`."""
    out = [line[:1]]
    for a, b in pairwise(line):
        count = max(1, min(math.ceil(float(np.hypot(*(b - a)[:2])) / step), 2000))
        out.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(out)


class Legend:
    """Labels with swatches in rows."""

    def __init__(
        self, entries: list[tuple[str, str, bool]], width: float, most: float, setter: Typesetter, text: str
    ) -> None:
        """`entries` are label, colour and whether it is drawn with dots; `text` is the colour of the words.

        What would make it higher than `most` is left out; `left_out` counts that.
        """
        self._items: list[tuple[float, float, Sheet, str, bool, str]] = []
        self.left_out = 0
        x, y, row = 0.0, 0.0, 0.0
        for i, (name, colour, dots) in enumerate(entries):
            sheet = label(setter, name, theme.LABELS, text, width - 0.6)
            if x and x + 0.55 + sheet.width > width:
                x, y, row = 0.0, y + row + 0.06, 0.0
            if y + max(row, sheet.height) > most and self._items:
                self.left_out = len(entries) - i
                break
            self._items.append((x, y, sheet, colour, dots, name))
            x += 0.55 + sheet.width + 0.4
            row = max(row, sheet.height)
        self.height = max((y + sheet.height for _, y, sheet, *_ in self._items), default=0.0)
        self.width = max((x + 0.55 + sheet.width for x, _, sheet, *_ in self._items), default=0.0)

    def make(self, left: float, top: float, element: str, boxes: list[Box], shown: set[str]) -> Group:
        """Draws those entries of it there that are shown; their ink joins `boxes`."""
        group = Group()
        for x, y, sheet, colour, dots, name in self._items:
            if name not in shown:
                continue
            middle = [left + x + 0.22, top - y - min(sheet.height, 0.42) / 2, 0]
            swatch: VGroup | Mobject = (
                Dot(middle, radius=0.08, color=colour)
                if dots
                else RoundedRectangle(
                    corner_radius=0.04, width=0.42, height=0.1, stroke_width=0, fill_color=colour, fill_opacity=1
                ).move_to(middle)
            )
            entry = Group(swatch, mobject(sheet).shift([left + x + 0.55, top - y, 0]))
            boxes.extend(ink(f"{element}: legend {name}", entry, theme.LABELS))
            group.add(entry)
        return group
