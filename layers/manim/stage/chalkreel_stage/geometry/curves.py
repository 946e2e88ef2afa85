"""What a plot shows, in the axes' own units: lines, points, areas and arrows, cut to the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..storyboard.types import Area, CurveKind, Expression, Field, Parametric, Point
from ..storyboard.types import Stroke as Ends
from .expression import Array, evaluate, strokes

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


def follow(kind: CurveKind, plane: Plane) -> Curve:
    """The curve. Raises ExpressionError when one of its expressions is none."""
    match kind:
        case CurveKind(function=Expression() as function):
            return Curve(lines=_graph(function, plane, plane.left, plane.right))
        case CurveKind(parametric=Parametric() as way):
            t = np.linspace(way.from_, way.to, SAMPLES)
            points = np.stack([evaluate(way.x.postfix, t), evaluate(way.y.postfix, t)], axis=1)
            return Curve(lines=cut(points, plane))
        case CurveKind(points=tuple(given)):
            return Curve(lines=cut(_points(given), plane))
        case CurveKind(dots=tuple(given)):
            points = _points(given)
            inside = [_inside(point, plane) for point in points]
            return Curve(dots=points[np.array(inside, dtype=bool)] if len(points) else points)
        case CurveKind(arrow=Ends() as ends):
            start, end = _points([ends.from_, ends.to])
            inside = [_inside(start, plane), _inside(end, plane)]
            if all(inside):
                return Curve(arrows=[(start, end, 1.0)])
            # What is left of it on the plane; the head only where it really ends.
            return Curve(lines=cut(np.array([start, end]), plane), heads=[(end, start)] if inside[1] else [])
        case CurveKind(area=Area() as area):
            start, end = max(area.from_, plane.left), min(area.to, plane.right)
            lines = _graph(area.function, plane, start, end) if start < end else []
            zero = min(max(0.0, plane.low), plane.high)
            capped = _capped(area.function, plane, start, end)
            areas = [np.array([[line[0][0], zero], *line, [line[-1][0], zero]]) for line in capped]
            return Curve(lines=lines, areas=areas)
        case CurveKind(vectors=Field() as field_):
            return _vectors(field_, plane)
        case CurveKind(streamlines=Field() as field_):
            return _streamlines(field_, plane)
    raise AssertionError(f"no code follows a curve of kind {kind.kind}")


def _points(points: Sequence[Point]) -> Array:
    return np.array([[point.x, point.y] for point in points]).reshape(-1, 2)


def _inside(point: Array, plane: Plane) -> bool:
    return all(low <= v <= high for v, (low, high) in zip(point, plane.ranges, strict=True))


def _graph(expression: Expression, plane: Plane, start: float, end: float) -> list[Array]:
    def function(x: Array) -> Array:
        return evaluate(expression.postfix, x)

    return strokes(function, start, end, plane.low, plane.high, SAMPLES)


def _capped(function: Expression, plane: Plane, start: float, end: float) -> list[Array]:
    """The graph with what is above or below the plane pressed to its edge, in pieces where it has values."""
    if not start < end:
        return []
    x = np.linspace(start, end, SAMPLES // 2)
    y = np.clip(evaluate(function.postfix, x), plane.low, plane.high)
    good = np.isfinite(y)
    breaks = np.flatnonzero(np.diff(good.astype(int))) + 1
    runs = np.split(np.arange(len(x)), breaks)
    return [np.stack([x[run], y[run]], axis=1) for run in runs if len(run) > 1 and good[run[0]]]


def _field(field: Field, x: Array, y: Array) -> Array:
    """Both components, shape (n, 2); 0 where there is none."""
    at = {"x": x, "y": y}
    out = np.stack([evaluate(field.x.postfix, at), evaluate(field.y.postfix, at)], axis=-1)
    return np.where(np.isfinite(out), out, 0.0)


def _vectors(given: Field, plane: Plane) -> Curve:
    columns, rows = ARROWS
    cell = np.array([(plane.right - plane.left) / columns, (plane.high - plane.low) / rows])
    xs = plane.left + cell[0] * (np.arange(columns) + 0.5)
    ys = plane.low + cell[1] * (np.arange(rows) + 0.5)
    grid = np.array([(x, y) for x in xs for y in ys])
    field = _field(given, grid[:, 0], grid[:, 1])
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


def _streamlines(given: Field, plane: Plane) -> Curve:
    """Lines through evenly spread seeds; a line ends where another one has been (after Jobard and Lefer)."""
    size = np.array([plane.right - plane.left, plane.high - plane.low])
    origin = np.array([plane.left, plane.low])
    cells = np.array([32, 20])
    owner = np.full(cells, -1)

    def slope(p: Array) -> Array:
        at = origin + p * size
        vector = _field(given, at[None, 0], at[None, 1])[0] / size
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


def _trace(start: Array, step: float, slope: Callable[[Array], Array], owner: Array, number: int) -> list[Array]:
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
