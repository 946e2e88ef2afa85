"""Arrows with their heads, and polylines as Manim draws them."""

from __future__ import annotations

import numpy as np
from manim import Line, Polygon, VGroup


def arrow(start: np.ndarray, end: np.ndarray, colour: str, width: float) -> VGroup:
    """A straight arrow whose head never is longer than half of it."""
    way, size = float(np.hypot(*(end - start)[:2])), head_size(start, end)
    back = end - (end - start) / max(way, 1e-9) * size * 0.8
    return VGroup(Line(start, back, stroke_width=width, color=colour), head(end, start, colour, size))


def head_size(start: np.ndarray, end: np.ndarray) -> float:
    """Length of the head of an arrow between two points, in frame units."""
    return min(0.26, 0.5 * float(np.hypot(*(end - start)[:2])))


def head(tip: np.ndarray, behind: np.ndarray, colour: str, size: float) -> Polygon:
    """An arrow head of that length."""
    return Polygon(*head_outline(tip, behind, size)[:3], stroke_width=0, fill_color=colour, fill_opacity=1.0)


def head_outline(tip: np.ndarray, behind: np.ndarray, size: float) -> np.ndarray:
    """The outline of an arrow head, shape (4, 3): the first corner comes again as the last."""
    way = (tip - behind)[:2]
    way = way / max(float(np.hypot(*way)), 1e-9)
    side = np.array([-way[1], way[0]])
    points = [tip[:2], tip[:2] - way * size + side * size * 0.42, tip[:2] - way * size - side * size * 0.42]
    return np.array([[*p, 0.0] for p in (*points, points[0])])


def beziers(line: np.ndarray) -> np.ndarray:
    """A polyline as Manim's cubic points."""
    a, b = line[:-1], line[1:]
    return np.stack([a, a + (b - a) / 3, a + (b - a) * 2 / 3, b], axis=1).reshape(-1, 3)
