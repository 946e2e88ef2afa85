"""What a space shows, as flat faces and lines in three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..storyboard.errors import StoryboardError
from ..storyboard.types import (
    Cuboid,
    Expression,
    Point3,
    SolidKind,
    SpaceCurve,
    SpaceStroke,
    Sphere,
    Surface,
    Torus,
    Upright,
)
from .expression import Array, evaluate

FINE, COARSE = 40, 22
"""Faces along each side of a surface: of a still picture, and of one of many in a movement."""

ROUND = ("sphere", "cylinder", "cone", "cuboid", "torus")
"""Solids that would not be themselves if the axes had different scales."""


@dataclass
class Shape:
    """Faces of shape (n, corners, 3), with as many corners each as the array has; lines of shape (n, 3)."""

    faces: list[Array] = field(default_factory=list)
    lines: list[Array] = field(default_factory=list)
    tip: Array | None = None
    """Direction of an arrow's head, at the end of the only line."""

    @property
    def points(self) -> Array:
        """All corners, shape (n, 3)."""
        parts = [face.reshape(-1, 3) for face in self.faces] + self.lines
        return np.concatenate(parts) if parts else np.zeros((0, 3))


def build(kind: SolidKind, mesh: int) -> Shape:
    """The solid, with `mesh` faces along each side. Raises StoryboardError when it is none."""
    match kind:
        case SolidKind(curve=SpaceCurve() as curve):
            t = np.linspace(curve.from_, curve.to, 10 * mesh)
            points = np.stack([evaluate(axis.postfix, t) for axis in (curve.x, curve.y, curve.z)], axis=1)
            good = np.isfinite(points).all(axis=1)
            runs = np.split(np.arange(len(t)), np.flatnonzero(np.diff(good.astype(int))) + 1)
            return Shape(lines=[points[run] for run in runs if len(run) > 1 and good[run[0]]])
        case SolidKind(surface=Surface() as surface):
            return _surface((surface.x, surface.y, surface.z), surface, mesh)
        case SolidKind(arrow=SpaceStroke() as arrow):
            start, end = _point(arrow.from_), _point(arrow.to)
            if np.allclose(start, end):
                raise StoryboardError("an arrow needs two ends")
            return Shape(lines=[start + (end - start) * np.linspace(0, 1, 12)[:, None]], tip=end - start)
        case SolidKind(cuboid=Cuboid() as cuboid):
            return Shape(faces=[_cuboid(_point(cuboid.center), _point(cuboid.size))])
        case SolidKind(sphere=Sphere() as sphere):
            return _sphere(_point(sphere.center), sphere.radius, mesh)
        case SolidKind(torus=Torus() as torus):
            return _torus(_point(torus.center), torus.major, torus.minor, mesh)
        case SolidKind(cylinder=Upright() as cylinder):
            return Shape(faces=_upright(cylinder, False, mesh))
        case SolidKind(cone=Upright() as cone):
            return Shape(faces=_upright(cone, True, mesh))
    raise AssertionError(f"no code builds a solid of kind {kind.kind}")


def _point(point: Point3) -> Array:
    return np.array([point.x, point.y, point.z])


def _surface(axes: tuple[Expression, Expression, Expression], ends: Surface, mesh: int) -> Shape:
    def at(u: Array, v: Array) -> Array:
        return np.stack([evaluate(axis.postfix, {"u": u, "v": v}) for axis in axes], axis=-1)

    faces = _mesh(at, (ends.u_from, ends.u_to), (ends.v_from, ends.v_to), mesh, mesh)
    return Shape(faces=[faces[np.isfinite(faces).all(axis=(1, 2))]])


def _sphere(centre: Array, radius: float, mesh: int) -> Shape:
    def at(u: Array, v: Array) -> Array:
        return centre + radius * np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], axis=-1)

    return Shape(faces=[_mesh(at, (0, 2 * np.pi), (0, np.pi), mesh, max(10, mesh // 2))])


def _torus(centre: Array, major: float, minor: float, mesh: int) -> Shape:
    def at(u: Array, v: Array) -> Array:
        far = major + minor * np.cos(v)
        return centre + np.stack([far * np.cos(u), far * np.sin(u), minor * np.sin(v)], axis=-1)

    return Shape(faces=[_mesh(at, (0, 2 * np.pi), (0, 2 * np.pi), mesh, max(10, mesh // 2))])


def _mesh(at: Callable[[Array, Array], Array], us: tuple, vs: tuple, across: int, along: int) -> Array:
    u, v = np.meshgrid(np.linspace(*us, across + 1), np.linspace(*vs, along + 1), indexing="ij")
    p = at(u, v)
    return np.stack([p[:-1, :-1], p[1:, :-1], p[1:, 1:], p[:-1, 1:]], axis=2).reshape(-1, 4, 3)


def _cuboid(centre: Array, size: Array) -> Array:
    """Six sides, each in several faces, so that sorting by depth is right also where solids meet."""
    sides = []
    steps = np.linspace(-0.5, 0.5, 7)
    u, v = np.meshgrid(steps, steps, indexing="ij")
    for axis in range(3):
        for end in (-0.5, 0.5):
            p = np.empty((*u.shape, 3))
            p[..., axis] = end
            p[..., (axis + 1) % 3], p[..., (axis + 2) % 3] = u, v
            p = centre + p * size
            sides.append(np.stack([p[:-1, :-1], p[1:, :-1], p[1:, 1:], p[:-1, 1:]], axis=2).reshape(-1, 4, 3))
    return np.concatenate(sides)


def _upright(solid: Upright, pointed: bool, mesh: int) -> list[Array]:
    base, radius, height = _point(solid.base), solid.radius, solid.height

    def side(u: Array, v: Array) -> Array:
        far = radius * (1 - v) if pointed else np.full_like(v, radius)
        return base + np.stack([far * np.cos(u), far * np.sin(u), v * height], axis=-1)

    def disc(level: float) -> Callable[[Array, Array], Array]:
        def at(u: Array, v: Array) -> Array:
            return base + np.stack([radius * v * np.cos(u), radius * v * np.sin(u), np.full_like(u, level)], axis=-1)

        return at

    around = (0, 2 * np.pi)
    faces = [_mesh(side, around, (0, 1), mesh, 8), _mesh(disc(0.0), around, (0, 1), mesh, 3)]
    if not pointed:
        faces.append(_mesh(disc(height), around, (0, 1), mesh, 3))
    return faces
