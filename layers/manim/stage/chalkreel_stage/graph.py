"""Graphs: nodes as rounded boxes with their labels, edges behind them, labels of edges beside."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import ArcBetweenPoints, Group, Line, RoundedRectangle, VGroup

from . import theme
from .arrangement import arrange
from .audit import Box
from .labels import Room, label, put
from .layout import Act, Block, Drawn, Part, Piece
from .plot import head
from .text import ink
from .typeset import Sheet, Typesetter, mobject

APART = 0.3
"""Least distance of two nodes, in frame units."""


MOST_NODES = 80
"""Nodes that a page has room for at the floor of legibility."""

LEAST = 2.4
"""Least height of a graph, in frame units."""


class Graph(Piece):
    """A graph element."""

    beside = True

    def __init__(
        self,
        element: str,
        event: int,
        value: dict[str, Any],
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
    ) -> None:
        """Raises ValueError, KeyError or TypeError."""
        self.element, self.event = element, event
        self._setter, self._look, self._warnings = setter, look, warnings
        names = [str(node["id"]) for node in value["nodes"]]
        if not names:
            raise ValueError("the graph has no nodes")
        if len(names) > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES} nodes have no room on a page")
        self._labels = [str(node.get("label") or node["id"]) for node in value["nodes"]]
        self._names = names
        self._edges: list[tuple[int, int, str]] = []
        for edge in value.get("edges", []):
            a, b = str(edge["from"]), str(edge["to"])
            if a in names and b in names:
                self._edges.append((names.index(a), names.index(b), str(edge.get("label") or "")))
            else:
                warnings.append(f"an edge of {element} is left out: there is no node {b if a in names else a}")
        self._directed = bool(value.get("directed"))
        ends = [(a, b) for a, b, _ in self._edges]
        self._places = arrange(value.get("layout"), len(names), ends, self._directed)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        block_height = max(min(height, max(5.5 * level, 3.2)), LEAST)
        block_width = min(width, block_height * (2.0 if len(self._names) < 16 else 2.4))
        make = _Net(self, block_width, block_height).make
        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)


class _Net:
    """A graph drawn to a size."""

    def __init__(self, graph: Graph, width: float, height: float) -> None:
        self._graph, self._width, self._height = graph, width, height
        self._look = graph._look

    def make(self) -> Drawn:
        """Draws it, its top left corner at the origin."""
        graph, look = self._graph, self._look
        size, sheets = self._sheets(graph._labels)
        sizes = _sizes(sheets)
        centres = self._apart(sizes)
        if centres is None:
            graph._warnings.append(f"{graph.element} has more nodes than their labels have room, so they are numbered")
            size, sheets = self._sheets([str(i + 1) for i in range(len(sheets))])
            sizes = _sizes(sheets)
            centres = self._apart(sizes)
            centres = self._grid(sizes) if centres is None else centres
        nodes, boxes, regions = [], [], {}
        for i, (sheet, centre, extent) in enumerate(zip(sheets, centres, sizes, strict=True)):
            x, y = map(float, centre)
            shape = RoundedRectangle(
                corner_radius=min(extent) / 2 * 0.98,
                width=extent[0],
                height=extent[1],
                stroke_color=look.accent,
                stroke_width=3.5,
                fill_color=look.panel,
                fill_opacity=1.0,
            ).move_to([x, y, 0])
            node = Group(shape, mobject(sheet).shift([x - sheet.width / 2, y + sheet.height / 2, 0]))
            nodes.append(node)
            box = Box(f"{graph.element}: node {i + 1} {graph._labels[i]}", *_bounds(centre, extent), font=size)
            boxes.append(box)
            regions.setdefault(graph._labels[i], [box])
            regions.setdefault(graph._names[i], [box])
        parts = [Part([Act("uncover", Group(*nodes), min(0.6 + 0.12 * len(nodes), 2.0))], 20 + 2 * len(nodes))]
        pairs = {(a, b) for a, b, _ in graph._edges}
        tracks, acts = [], []
        for a, b, _ in graph._edges:
            drawn, track = self._edge(a, b, centres, sizes, graph._directed and (b, a) in pairs and a != b)
            tracks.append(track)
            acts.append(drawn)
        plane = Box("plane", 0.0, -self._height, self._width, 0.0)
        room = Room(plane, tracks)
        for box in boxes:
            room.take(box)
        edges: list[Act] = []
        if acts:
            lines = Group(*acts)
            edges.append(Act("uncover", lines, 1.0, under=True))
        labels = Group()
        for (a, b, text), track in zip(graph._edges, tracks, strict=True):
            if not text:
                continue
            sheet = label(graph._setter, text, theme.LABELS, look.text, 2.0)
            # From the middle of the edge outwards.
            around = sorted(
                track.tolist(), key=lambda p, t=track: -float(np.hypot(*(np.array(p) - t[len(t) // 2])[:2]))
            )
            spot = room.beside(sheet.width, sheet.height, np.array(around))
            if spot is None:
                graph._warnings.append(f"label {text!r} of {graph.element} found no free place")
                continue
            item = put(sheet, spot, f"{graph.element}: edge {text} {a + 1} {b + 1}", boxes)
            labels.add(item)
            regions.setdefault(text, ink(f"{graph.element}: edge {text}", item, None))
        if len(labels):
            edges.append(Act("dissolve", labels, 0.5))
        if edges:
            parts.append(Part(edges, 15 + len(acts)))
        return Drawn(parts, boxes, regions)

    def _sheets(self, texts: list[str]) -> tuple[float, list[Sheet]]:
        """Labels of the nodes, smaller when there are many."""
        graph, size = self._graph, theme.LABELS
        while True:
            widest = max(1.2, min(2.6, 0.6 * self._width / max(1.0, len(texts) ** 0.5)))
            sheets = [label(graph._setter, text, size, self._look.text, widest) for text in texts]
            area = sum((s.width + 0.7) * (s.height + 0.5) for s in sheets)
            if area < 0.55 * self._width * self._height or size <= theme.TEXT_FLOOR:
                return size, sheets
            size = max(size * 0.92, theme.TEXT_FLOOR)

    def _apart(self, sizes: np.ndarray) -> np.ndarray | None:
        """Centres of the nodes: as arranged, then pushed apart until none touches another; none without room."""
        low = np.array([0.0, -self._height]) + sizes / 2 + 0.02
        high = np.array([self._width, 0.0]) - sizes / 2 - 0.02
        margin = sizes.max(axis=0) / 2 + 0.02
        room = np.maximum(np.array([self._width, self._height]) - 2 * margin, 0.0)
        places = self._graph._places
        if len(places) > 12:
            # Many nodes are spread more evenly than their layout has them, or there is no room between some.
            ranks = places.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / (len(places) - 1)
            places = 0.5 * places + 0.5 * ranks
        centres = places * room + margin - [0.0, self._height]
        count = len(centres)
        # Nodes in one spot part in different directions.
        centres = centres + 1e-3 * np.stack([np.cos(np.arange(count)), np.sin(np.arange(count))], axis=1)
        half = (sizes[:, None] + sizes[None]) / 2
        for gap in (APART, 0.1):
            for _ in range(600):
                way = centres[None] - centres[:, None]
                lack = half + gap - np.abs(way)
                touching = (lack > 1e-3).all(axis=2) & ~np.eye(count, dtype=bool)
                if not touching.any():
                    return centres
                axis = lack.argmin(axis=2)
                push = np.where(np.arange(2) == axis[..., None], lack * np.where(way >= 0, -1.0, 1.0), 0.0)
                centres = centres + (push * touching[..., None]).sum(axis=1) * 0.3
                centres = np.clip(centres, low, np.maximum(low, high))
        columns = int(self._width / (float(sizes[:, 0].max()) + 0.1))
        fits = columns > 0 and -(-count // columns) * (float(sizes[:, 1].max()) + 0.1) <= self._height
        return self._grid(sizes) if fits else None

    def _grid(self, sizes: np.ndarray) -> np.ndarray:
        """In rows, each as high as its highest node: what always goes when there is room at all."""
        widest = float(sizes[:, 0].max()) + 0.1
        columns = max(1, int(self._width / widest))
        rows = -(-len(sizes) // columns)
        return np.array(
            [
                [(i % columns + 0.5) * self._width / columns, -(i // columns + 0.5) * self._height / rows]
                for i in range(len(sizes))
            ]
        )

    def _edge(self, a: int, b: int, centres: np.ndarray, sizes: np.ndarray, bent: bool) -> tuple[VGroup, np.ndarray]:
        """The edge and points on it."""
        colour = self._look.muted
        if a == b:
            x, y = centres[a] + [0.0, sizes[a][1] / 2]
            line = ArcBetweenPoints([x - 0.16, y, 0], [x + 0.16, y, 0], angle=-4.6, stroke_width=3, color=colour)
            points = np.array([line.point_from_proportion(t) for t in np.linspace(0, 1, 12)])
            group = VGroup(line)
            if self._graph._directed:
                group.add(head(points[-1], points[-2], colour, 0.2))
            return group, points
        start, end = _border(centres[a], centres[b], sizes[a]), _border(centres[b], centres[a], sizes[b])
        if bent:
            side = np.array([-(end - start)[1], (end - start)[0]])
            bend = side / max(float(np.hypot(*side)), 1e-9) * 0.16
            start, end = start + bend, end + bend
        first, last = np.array([*start, 0.0]), np.array([*end, 0.0])
        group = VGroup(Line(first, last, stroke_width=3, color=colour))
        if self._graph._directed:
            way = float(np.hypot(*(last - first)[:2]))
            back = last - (last - first) / max(way, 1e-9) * min(0.16, way / 2)
            group = VGroup(Line(first, back, stroke_width=3, color=colour), head(last, first, colour, 0.24))
        return group, np.linspace(first, last, 25)


def _sizes(sheets: list[Sheet]) -> np.ndarray:
    """Widths and heights of nodes with those labels."""
    return np.array([[max(s.width + 0.36, 0.62), max(s.height + 0.18, 0.62)] for s in sheets])


def _bounds(centre: np.ndarray, extent: np.ndarray) -> tuple[float, float, float, float]:
    low, high = centre - extent / 2, centre + extent / 2
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _border(centre: np.ndarray, towards: np.ndarray, extent: np.ndarray) -> np.ndarray:
    """Where the way to `towards` leaves the box around `centre`, a little beyond."""
    way = towards - centre
    half = extent / 2 + 0.05
    reach = min(half[k] / abs(way[k]) if abs(way[k]) > 1e-9 else np.inf for k in (0, 1))
    return centre + way * min(reach, 0.5)
