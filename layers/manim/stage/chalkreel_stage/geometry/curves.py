"""What a plot shows, in the axes' own units: lines, points, areas and arrows, cut to the plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from .expression import Array, ExpressionError, evaluate, strokes

SAMPLES = 400
"""Points of a curve: at 1080p, one for every three pixels of a plot."""

ARROWS = (15, 9)
"""Arrows of a vector field, across and up: enough to see it, few enough to tell them apart."""


@dataclass(frozen=True)
class Plane:
    """Ranges of the axes."""

    left: float
    right: float
    low: float
    high: float

    @property
    def ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of x and y."""
        return (self.left, self.right), (self.low, self.high)


@dataclass
class Curve:
    """One curve, ready to be drawn."""

    lines: list[Array] = field(default_factory=list)
    dots: Array = field(default_factory=lambda: np.zeros((0, 2)))
    areas: list[Array] = field(default_factory=list)
    arrows: list[tuple[Array, Array, float]] = field(default_factory=list)
    """From, to, and strength from 0 to 1."""
    heads: list[tuple[Array, Array]] = field(default_factory=list)
    """Arrow heads on lines: where, and a point behind."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not (self.lines or len(self.dots) or self.areas or self.arrows)

    @property
    def outline(self) -> list[Array]:
        """What labels keep clear of."""
        dots = [dot[None, :] for dot in self.dots]
        return [*self.lines, *dots, *self.areas, *(np.stack([a, b]) for a, b, _ in self.arrows)]


def follow(kind: dict[str, Any], plane: Plane) -> Curve:
    """The curve. Raises ExpressionError, ValueError, KeyError or TypeError when it is none."""
    name, value = next(iter(kind.items()))
    if name == "function":
        return Curve(lines=_graph(value, plane, plane.left, plane.right))
    if name == "parametric":
        t = np.linspace(float(value["from"]), float(value["to"]), SAMPLES)
        points = np.stack([evaluate(value["x"]["postfix"], t), evaluate(value["y"]["postfix"], t)], axis=1)
        return Curve(lines=cut(points, plane))
    if name == "points":
        return Curve(lines=cut(_points(value), plane))
    if name == "dots":
        points = _points(value)
        inside = [all(low <= v <= high for v, (low, high) in zip(p, plane.ranges, strict=True)) for p in points]
        return Curve(dots=points[np.array(inside, dtype=bool)] if len(points) else points)
    if name == "arrow":
        start, end = _points([value["from"], value["to"]])
        inside = [all(low <= v <= high for v, (low, high) in zip(p, plane.ranges, strict=True)) for p in (start, end)]
        if all(inside):
            return Curve(arrows=[(start, end, 1.0)])
        # What is left of it on the plane; the head only where it really ends.
        return Curve(lines=cut(np.array([start, end]), plane), heads=[(end, start)] if inside[1] else [])
    if name == "area":
        start, end = max(float(value["from"]), plane.left), min(float(value["to"]), plane.right)
        lines = _graph(value["function"], plane, start, end) if start < end else []
        zero = min(max(0.0, plane.low), plane.high)
        areas = [
            np.array([[line[0][0], zero], *line, [line[-1][0], zero]]) for line in _capped(value, plane, start, end)
        ]
        return Curve(lines=lines, areas=areas)
    if name == "vectors":
        return _vectors(value, plane)
    if name == "streamlines":
        return _streamlines(value, plane)
    raise ExpressionError(f"the stage draws no {name}")


def _points(value: list[dict[str, Any]]) -> Array:
    return np.array([[float(p["x"]), float(p["y"])] for p in value]).reshape(-1, 2)


def _graph(expression: dict[str, Any], plane: Plane, start: float, end: float) -> list[Array]:
    def function(x: Array) -> Array:
        return evaluate(expression["postfix"], x)

    return strokes(function, start, end, plane.low, plane.high, SAMPLES)


def _capped(value: dict[str, Any], plane: Plane, start: float, end: float) -> list[Array]:
    """The graph with what is above or below the plane pressed to its edge, in pieces where it has values."""
    if not start < end:
        return []
    x = np.linspace(start, end, SAMPLES // 2)
    y = np.clip(evaluate(value["function"]["postfix"], x), plane.low, plane.high)
    good = np.isfinite(y)
    breaks = np.flatnonzero(np.diff(good.astype(int))) + 1
    runs = np.split(np.arange(len(x)), breaks)
    return [np.stack([x[run], y[run]], axis=1) for run in runs if len(run) > 1 and good[run[0]]]


def _field(value: dict[str, Any], x: Array, y: Array) -> Array:
    """Both components, shape (n, 2); 0 where there is none."""
    at = {"x": x, "y": y}
    out = np.stack([evaluate(value["x"]["postfix"], at), evaluate(value["y"]["postfix"], at)], axis=-1)
    return np.where(np.isfinite(out), out, 0.0)


def _vectors(value: dict[str, Any], plane: Plane) -> Curve:
    columns, rows = ARROWS
    cell = np.array([(plane.right - plane.left) / columns, (plane.high - plane.low) / rows])
    xs = plane.left + cell[0] * (np.arange(columns) + 0.5)
    ys = plane.low + cell[1] * (np.arange(rows) + 0.5)
    grid = np.array([(x, y) for x in xs for y in ys])
    field = _field(value, grid[:, 0], grid[:, 1])
    size = np.hypot(field[:, 0], field[:, 1])
    largest = float(size.max(initial=0.0))
    if largest <= 0:
        return Curve()
    arrows = []
    for point, vector, length in zip(grid, field, size, strict=True):
        strength = float(length / largest)
        # The root keeps the small ones visible; the longest fills nine tenths of its cell.
        way = vector / cell
        way = way / max(float(np.hypot(*way)), 1e-12) * cell * 0.9 * max(strength**0.5, 0.15)
        if length > 1e-9 * largest:
            arrows.append((point - way / 2, point + way / 2, strength))
    return Curve(arrows=arrows)


def _streamlines(value: dict[str, Any], plane: Plane) -> Curve:
    """Lines through evenly spread seeds; a line ends where another one has been (after Jobard and Lefer)."""
    size = np.array([plane.right - plane.left, plane.high - plane.low])
    origin = np.array([plane.left, plane.low])
    cells = np.array([32, 20])
    owner = np.full(cells, -1)

    def slope(p: Array) -> Array:
        at = origin + p * size
        vector = _field(value, at[None, 0], at[None, 1])[0] / size
        length = float(np.hypot(*(vector * (16, 9))))
        return vector / length if length > 1e-12 else np.zeros(2)

    lines, heads = [], []
    seeds = [((i + 0.5) / 12, (j + 0.5) / 8) for i in range(12) for j in range(8)]
    seeds.sort(key=lambda s: ((s[0] - 0.5) ** 2 + (s[1] - 0.5) ** 2, s))
    for number, seed in enumerate(seeds):
        if owner[tuple((np.array(seed) * cells).astype(int))] >= 0:
            continue
        halves = [_trace(np.array(seed), step, slope, owner, number) for step in (-0.09, 0.09)]
        line = np.array([*halves[0][:0:-1], *halves[1]])
        if len(line) < 8:
            continue
        for p in line:
            owner[tuple(np.minimum((p * cells).astype(int), cells - 1))] = number
        points = origin + line * size
        lines.append(points)
        middle = len(points) // 2
        heads.append((points[middle], points[middle - 2]))
    return Curve(lines=lines, heads=heads)


def _trace(start: Array, step: float, slope: Any, owner: Array, number: int) -> list[Array]:
    """Runge and Kutta's middle-point rule in the unit square, until it leaves or meets another line."""
    line, p = [start], start
    for _ in range(260):
        q = p + slope(p + slope(p) * step / 2) * step
        if not (0 <= q[0] < 1 and 0 <= q[1] < 1) or float(np.hypot(*(q - p))) < 1e-6:
            break
        if owner[tuple((q * owner.shape).astype(int))] not in (-1, number):
            break
        if len(line) > 20 and float(np.hypot(*(q - start))) < abs(step) / 40:
            line.append(start)
            break
        line.append(q)
        p = q
    return line


def cut(points: Array, plane: Plane) -> list[Array]:
    """Straight lines from point to point, cut to the plane (Liang and Barsky)."""
    lines: list[list[Array]] = []
    for a, b in pairwise(points):
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            continue
        start, end = 0.0, 1.0
        for axis, (low, high) in enumerate(plane.ranges):
            step = b[axis] - a[axis]
            if step == 0.0:
                if not low <= a[axis] <= high:
                    start, end = 1.0, 0.0
                continue
            enter, leave = sorted(((low - a[axis]) / step, (high - a[axis]) / step))
            start, end = max(start, enter), min(end, leave)
        if start >= end:
            continue
        p, q = a + start * (b - a), a + end * (b - a)
        if lines and np.allclose(lines[-1][-1], p):
            lines[-1].append(q)
        else:
            lines.append([p, q])
    return [np.array(line) for line in lines]
