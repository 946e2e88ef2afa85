"""Measures a picture: ink that overlaps other ink, ink outside the safe frame, text too small to read.

How long things stand, and how far words stand out from their ground, is noted by the screen, and told here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from manim import Mobject

from . import theme

TOLERANCE = 0.02
"""Frame units by which boxes may touch: under two pixels at 720p, the width of antialiased edges."""


@dataclass(frozen=True)
class Box:
    """A named rectangle of ink, in frame units, the origin at the frame's centre."""

    name: str
    left: float
    bottom: float
    right: float
    top: float
    font: float | None = None
    """Font size of the text inside; none where there is no text."""
    about: str | None = None
    """Element that this highlight points at and so may touch."""
    holds: str | None = None
    """Element whose other parts may stand within this one: labels inside of shapes."""

    def shifted(self, right: float, up: float) -> Box:
        """The same box elsewhere."""
        return replace(
            self, left=self.left + right, bottom=self.bottom + up, right=self.right + right, top=self.top + up
        )


@dataclass(frozen=True, eq=False)
class Stroke:
    """A named line of ink that nothing but its own figure's frame may lie on: a curve, an edge, an arrow."""

    name: str
    points: np.ndarray
    """A polyline of shape (n, 2), in frame units, the origin at the frame's centre; n is at least 1."""

    def shifted(self, right: float, up: float) -> Stroke:
        """The same line elsewhere."""
        return Stroke(self.name, self.points + np.array([right, up]))

    @cached_property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        (left, bottom), (right, top) = self.points.min(axis=0), self.points.max(axis=0)
        return float(left), float(bottom), float(right), float(top)

    def meets(self, box: Box) -> bool:
        """Whether it comes further than the tolerance into the box."""
        low = np.array([box.left, box.bottom]) + TOLERANCE
        high = np.array([box.right, box.top]) - TOLERANCE
        left, bottom, right, top = self.edges
        if (low >= high).any() or left >= high[0] or right <= low[0] or bottom >= high[1] or top <= low[1]:
            return False
        # What of each piece lies between the box's edges, after Liang and Barsky.
        start = self.points[:-1] if len(self.points) > 1 else self.points
        step = np.diff(self.points, axis=0) if len(self.points) > 1 else np.zeros((1, 2))
        still = np.abs(step) < 1e-12
        slope = np.where(still, 1.0, step)
        a, b = (low - start) / slope, (high - start) / slope
        within = (low < start) & (start < high)
        enter = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(a, b)).max(axis=1)
        leave = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(a, b)).min(axis=1)
        return bool((np.maximum(enter, 0.0) < np.minimum(leave, 1.0)).any())


@dataclass(frozen=True)
class Faint:
    """Words whose colour doesn't stand out from what is behind them; colours as `#rrggbb`."""

    name: str
    colour: str
    ground: str

    def told(self) -> str:
        """In words, with a colour that would do."""
        ratio, enough = theme.contrast(self.colour, self.ground), theme.readable(self.colour, self.ground)
        return (
            f"the words of {self.name} are {self.colour} on {self.ground}, a contrast of {ratio:.1f} to 1, "
            f"where {theme.CONTRAST} to 1 can be read: {enough} would do"
        )


@dataclass
class Audit:
    """Findings of a whole scene; each pair and each box counts once, however long it is on screen."""

    overlaps: set[tuple[str, str]] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    too_small: set[str] = field(default_factory=set)
    low_contrast: set[Faint] = field(default_factory=set)
    too_short: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Elements that went before they could be read: the seconds that they stood, and those that reading them takes."""

    def inspect(
        self,
        boxes: Iterable[Box],
        frame_width: float,
        strokes: Iterable[Stroke] = (),
        frame_height: float = theme.FRAME_HEIGHT,
    ) -> dict[str, int]:
        """Adds what is wrong with the boxes and lines that are on screen together; the counts of these alone."""
        boxes = list(boxes)
        overlaps, outside, too_small = set(), set(), set()
        frame = frame_width, frame_height
        for stroke in strokes:
            if _outside(*stroke.edges, frame, theme.MARGIN):
                outside.add(stroke.name)
            overlaps |= {(stroke.name, box.name) for box in boxes if not _points_at(box, stroke) and stroke.meets(box)}
        for i, box in enumerate(boxes):
            margin = theme.MARGIN if box.about is None else theme.MARK_MARGIN
            if _outside(box.left, box.bottom, box.right, box.top, frame, margin):
                outside.add(box.name)
            if box.font is not None and box.font < theme.TEXT_FLOOR - 1e-6:
                too_small.add(box.name)
            for other in boxes[i + 1 :]:
                if _points_at(box, other) or _points_at(other, box):
                    continue
                if (
                    min(box.right, other.right) - max(box.left, other.left) > TOLERANCE
                    and min(box.top, other.top) - max(box.bottom, other.bottom) > TOLERANCE
                ):
                    overlaps.add((box.name, other.name))
        self.overlaps |= overlaps
        self.outside |= outside
        self.too_small |= too_small
        return {"overlaps": len(overlaps), "outside": len(outside), "too_small": len(too_small)}

    def counts(self) -> dict[str, int]:
        """As reported in the `done` event."""
        return {
            "overlaps": len(self.overlaps),
            "outside": len(self.outside),
            "too_small": len(self.too_small),
            "too_short": len(self.too_short),
            "low_contrast": len(self.low_contrast),
        }

    def findings(self) -> list[dict[str, Any]]:
        """The same one by one: what it is, and the elements that it is about."""
        return (
            [_finding("overlap", a, b) for a, b in sorted(self.overlaps)]
            + [_finding("outside", name) for name in sorted(self.outside)]
            + [_finding("too_small", name) for name in sorted(self.too_small)]
            + [
                _finding("low_contrast", faint.name) | {"message": faint.told()}
                for faint in sorted(self.low_contrast, key=lambda faint: faint.name)
            ]
            + [
                _finding("too_short", name) | {"seconds": round(stood, 2), "needed": round(needed, 2)}
                for name, (stood, needed) in sorted(self.too_short.items())
            ]
        )

    def sentences(self) -> list[str]:
        """What is wrong with the pictures, as warnings; what goes too soon is counted alone."""
        return (
            [f"{a} and {b} overlap" for a, b in sorted(self.overlaps)]
            + [f"{name} leaves the safe frame" for name in sorted(self.outside)]
            + [f"the text of {name} is smaller than legible" for name in sorted(self.too_small)]
            + sorted(faint.told() for faint in self.low_contrast)
        )


def _finding(kind: str, *names: str) -> dict[str, Any]:
    return {"kind": kind, "elements": list(dict.fromkeys(name.split(": ")[0] for name in names))}


def _outside(left: float, bottom: float, right: float, top: float, frame: tuple[float, float], margin: float) -> bool:
    half_width, half_height = (side * (0.5 - margin) + TOLERANCE for side in frame)
    return left < -half_width or right > half_width or bottom < -half_height or top > half_height


def _points_at(mark: Box, target: Box | Stroke) -> bool:
    """Whether `mark` may touch `target`: it is about its element, or holds its parts."""
    element = mark.about or mark.holds
    return element is not None and (target.name == element or target.name.startswith(element + ": "))


def ink(name: str, group: Mobject, font: float | None) -> list[Box]:
    """The box of a mobject's ink; none when it is blank."""
    points = [item.points for item in group.get_family() if len(item.points)]
    if not points:
        return []
    left, bottom = np.min([p[:, :2].min(axis=0) for p in points], axis=0)
    right, top = np.max([p[:, :2].max(axis=0) for p in points], axis=0)
    return [Box(name, float(left), float(bottom), float(right), float(top), font)]


def whole(element: str, what: str, group: Mobject) -> list[Box]:
    """The box of all of a figure's ink: its own parts may stand within, and nothing else."""
    return [replace(box, holds=element) for box in ink(f"{element}: {what}", group, None)]
