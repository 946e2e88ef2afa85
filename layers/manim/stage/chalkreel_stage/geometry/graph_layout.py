"""Where the nodes of a graph stand: in the unit square, x to the right and y upwards."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

Edges = list[tuple[int, int]]
"""Numbers of the nodes they join."""

STEPS = 300
"""Steps of the spring layout; beyond, nothing is seen to move."""


def arrange(layout: str | None, count: int, edges: Edges, directed: bool) -> np.ndarray:
    """Positions of shape (count, 2) by the layout of that name; none means what suits the graph."""
    edges = [(a, b) for a, b in edges if a != b]
    if layout not in ("circular", "layered", "tree", "grid", "spring"):
        layout = _suiting(count, edges, directed)
    if count == 1:
        return np.array([[0.5, 0.5]])
    if layout == "circular":
        angles = np.pi / 2 - 2 * np.pi * np.arange(count) / count
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif layout == "grid":
        columns = math.ceil(math.sqrt(count * 1.6))
        points = np.array([(i % columns, -(i // columns)) for i in range(count)], dtype=float)
    elif layout in ("layered", "tree"):
        points = _layered(count, edges, directed)
    else:
        points = _spring(count, edges)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.where(high - low < 1e-9, 1.0, high - low)
    return np.where(high - low < 1e-9, 0.5, (points - low) / size)


def _suiting(count: int, edges: Edges, directed: bool) -> str:
    joined = _reached(count, edges) == count
    if joined and len({tuple(sorted(edge)) for edge in edges}) == count - 1 and count > 2:
        return "tree"
    if directed and not _has_cycle(count, edges):
        return "layered"
    return "circular" if count <= 7 else "spring"


def _reached(count: int, edges: Edges) -> int:
    seen, waiting = {0}, deque([0])
    while waiting:
        here = waiting.popleft()
        for a, b in edges:
            for other in (b,) if a == here else (a,) if b == here else ():
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return len(seen)


def _has_cycle(count: int, edges: Edges) -> bool:
    return _order(count, edges) is None


def _order(count: int, edges: Edges) -> list[int] | None:
    """Nodes so that all edges go forwards; none when they go round."""
    into = [0] * count
    for _, b in edges:
        into[b] += 1
    waiting = deque(i for i in range(count) if not into[i])
    order = []
    while waiting:
        here = waiting.popleft()
        order.append(here)
        for a, b in edges:
            if a == here:
                into[b] -= 1
                if not into[b]:
                    waiting.append(b)
    return order if len(order) == count else None


def _layered(count: int, edges: Edges, directed: bool) -> np.ndarray:
    """Rows from above: each node one below the lowest that leads to it, each row ordered by what is above."""
    order = _order(count, edges) if directed else None
    layer = [0] * count
    if order is not None:
        for here in order:
            for a, b in edges:
                if a == here:
                    layer[b] = max(layer[b], layer[a] + 1)
    else:
        # Steps from the first node, whichever way the edges go; what can't be reached starts anew.
        far: dict[int, int] = {}
        for start in range(count):
            if start in far:
                continue
            far[start], waiting = 0, deque([start])
            while waiting:
                here = waiting.popleft()
                for a, b in edges:
                    for other in (b,) if a == here else (a,) if b == here else ():
                        if other not in far:
                            far[other] = far[here] + 1
                            waiting.append(other)
        layer = [far[i] for i in range(count)]
    rows = [[i for i in range(count) if layer[i] == level] for level in range(max(layer) + 1)]
    across = np.zeros(count)
    for _ in range(6):
        for row in [*rows, *rows[::-1]]:
            middle = {}
            for i in row:
                near = [across[a if b == i else b] for a, b in edges if i in (a, b)]
                middle[i] = float(np.mean(near)) if near else across[i]
            row.sort(key=lambda i: (middle[i], i))
            for place, i in enumerate(row):
                across[i] = (place + 0.5) / len(row)
    return np.array([(across[i], -layer[i]) for i in range(count)], dtype=float)


def _spring(count: int, edges: Edges) -> np.ndarray:
    """Edges pull, all nodes push (Fruchterman and Reingold, 1991). The start is fixed, so the result is too."""
    angles = 2.399963 * np.arange(count)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.sqrt((np.arange(count) + 0.5) / count)[:, None]
    ideal = 1.6 / math.sqrt(count)
    pulls = np.array(edges, dtype=int).reshape(-1, 2)
    for step in range(STEPS):
        way = points[:, None] - points[None]
        distance = np.maximum(np.hypot(way[..., 0], way[..., 1]), 1e-3)
        force = (way * (ideal**2 / distance**2)[..., None]).sum(axis=1) - points * 0.05
        if len(pulls):
            along = points[pulls[:, 0]] - points[pulls[:, 1]]
            pull = along * (np.hypot(along[:, 0], along[:, 1]) / ideal)[:, None]
            np.add.at(force, pulls[:, 0], -pull)
            np.add.at(force, pulls[:, 1], pull)
        size = np.maximum(np.hypot(force[:, 0], force[:, 1]), 1e-9)
        points = points + force / size[:, None] * np.minimum(size, 0.12 * (1 - step / STEPS) + 1e-3)[:, None]
    return points
