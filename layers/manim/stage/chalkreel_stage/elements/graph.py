"""Graphs: nodes as rounded boxes with their labels, edges behind them, labels of edges beside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from manim import Group, RoundedRectangle, VGroup, VMobject

from .. import theme
from ..audit import Box, Stroke, ink, whole
from ..geometry.arrows import beziers, head
from ..geometry.graph_layout import arrange
from ..geometry.labels import FreeSpace, label, put
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter

APART = 0.3
"""Least distance of two nodes, in frame units."""


MOST_NODES = 80
"""Nodes that a page has room for at the floor of legibility."""

BENDS = tuple(sign * 0.25 * k for k in range(1, 17) for sign in (1, -1))
"""How far the middle of an edge may stand off its straight way, in frame units, in the order in which it is tried."""

CLEAR = 0.1
"""Distance that an edge keeps from nodes that are none of its ends, in frame units."""

STEPS = 65
"""Points on an edge."""

LOOP = 4.6
"""Part of a circle that an edge from a node to itself is, in radians."""

LOOP_HEIGHT = 0.38
"""How far such an edge stands out from its node, in frame units."""

SIDES = ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0))
"""Where such an edge may stand."""

LEAST = 2.4
"""Least height of a graph, in frame units."""


FEW, FEW_GROW = 6, 1.4
"""Nodes up to which labels are larger, and by how much."""


class Graph(Piece):
    """A graph element."""

    is_figure = True
    largest = theme.FIGURE_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        value: types.Graph,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
    ) -> None:
        """Raises StoryboardError."""
        self.element, self.event = element, event
        self._setter, self._look, self._warnings = setter, look, warnings
        names = [node.id for node in value.nodes]
        if not names:
            raise StoryboardError("the graph has no nodes")
        if len(names) > MOST_NODES:
            raise StoryboardError(f"more than {MOST_NODES} nodes do not fit on a page")
        self._labels = [node.label or node.id for node in value.nodes]
        self._names = names
        self._edges: list[tuple[int, int, str]] = []
        for edge in value.edges:
            a, b = edge.from_, edge.to
            if a in names and b in names:
                self._edges.append((names.index(a), names.index(b), edge.label))
            else:
                warnings.append(f"an edge of element {element} is left out: there is no node {b if a in names else a}")
        self._directed = value.directed
        ends = [(a, b) for a, b, _ in self._edges]
        self._places = arrange(value.layout, len(names), ends, self._directed)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        block_height = max(min(height, max(5.5 * level, 3.2)), LEAST)
        block_width = min(width, block_height * (2.0 if len(self._names) < 16 else 2.4))
        few = FEW_GROW if len(self._names) <= FEW else 1.0
        make = _DrawnGraph(self, block_width, block_height, theme.LABELS * max(level, 1.0) * few).make
        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)


class _DrawnGraph:
    """A graph drawn to a size."""

    def __init__(self, graph: Graph, width: float, height: float, size: float) -> None:
        """`size` is the largest that labels of nodes may have."""
        self._size = size
        self._graph, self._width, self._height = graph, width, height
        self._look = graph._look

    def make(self) -> Drawn:
        """Draws it, its top left corner at the origin."""
        graph, look = self._graph, self._look
        size, sheets = self._sheets(graph._labels)
        sizes = _sizes(sheets)
        centres = self._apart(sizes)
        if centres is None:
            graph._warnings.append(f"nodes of element {graph.element} are numbered: there is no room for their labels")
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
        room = FreeSpace(plane, tracks)
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
                why = f"label {text!r} of element {graph.element} is left out: no place is free for it"
                graph._warnings.append(why)
                continue
            item = put(sheet, spot, f"{graph.element}: edge {text} {a + 1} {b + 1}", boxes)
            labels.add(item)
            regions.setdefault(text, ink(f"{graph.element}: edge {text}", item, None))
        if len(labels):
            edges.append(Act("dissolve", labels, 0.5))
        if edges:
            parts.append(Part(edges, 15 + len(acts)))
        strokes = [
            Stroke(f"{graph.element}: edge from {a + 1} to {b + 1}", track)
            for (a, b, _), track in zip(graph._edges, tracks, strict=True)
        ]
        boxes += whole(graph.element, "graph", Group(*nodes, *acts))
        return Drawn(parts, boxes, regions, strokes=strokes)

    def _sheets(self, texts: list[str]) -> tuple[float, list[Sheet]]:
        """Labels of the nodes, smaller when there are many."""
        graph, size = self._graph, self._size
        while True:
            widest = max(1.2, min(2.6 * max(size / theme.LABELS, 1.0), 0.6 * self._width / max(1.0, len(texts) ** 0.5)))
            sheets = [label(graph._setter, text, size, self._look.text, widest) for text in texts]
            area = sum((s.width + 0.7) * (s.height + 0.5) for s in sheets)
            if area < 0.55 * self._width * self._height or size <= theme.TEXT_FLOOR:
                return size, sheets
            size = max(size * 0.92, theme.TEXT_FLOOR)

    def _apart(self, sizes: np.ndarray) -> np.ndarray | None:
        """Centres of the nodes: as arranged, then pushed apart until none touches another; none without room."""
        low = np.array([0.0, -self._height]) + sizes / 2 + 0.02
        high = np.array([self._width, 0.0]) - sizes / 2 - 0.02
        looped = list({a for a, b, _ in self._graph._edges if a == b})
        low[looped] += LOOP_HEIGHT
        high[looped] -= LOOP_HEIGHT
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
        centres = np.clip(centres, low, np.maximum(low, high))
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
        track = self._loop(a, centres, sizes) if a == b else self._way(a, b, centres, sizes, bent)
        colour = self._look.muted
        if not self._graph._directed:
            return VGroup(_path(track, colour)), track
        whole = float(np.hypot(*np.diff(track, axis=0).T).sum())
        back = _behind(track, min(0.16, whole / 2))
        tip = np.array([*track[-1], 0.0])
        line = np.array([*track[: back[0]], back[1]])
        size = 0.2 if a == b else 0.24
        return VGroup(_path(line, colour), head(tip, np.array([*back[1], 0.0]), colour, size)), track

    def _way(self, a: int, b: int, centres: np.ndarray, sizes: np.ndarray, bent: bool) -> np.ndarray:
        """Points on an edge of two nodes: straight, or bent as little as need be to pass by all others."""
        whole = centres[b] - centres[a]
        side = np.array([-whole[1], whole[0]]) / max(float(np.hypot(*whole)), 1e-9)
        t = np.linspace(0.0, 1.0, STEPS)[:, None]

        def tracks() -> Iterator[np.ndarray]:
            # A sister that goes the other way keeps to the other side.
            aside = 0.16 * side if bent else np.zeros(2)
            start, end = _border(centres[a], centres[b], sizes[a]), _border(centres[b], centres[a], sizes[b])
            yield start + aside + t * (end - start)
            for bend in BENDS:
                middle = (centres[a] + centres[b]) / 2 + 2 * bend * side
                start, end = _border(centres[a], middle, sizes[a]), _border(centres[b], middle, sizes[b])
                yield (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t * t * end

        return self._freest(tracks(), (a, b), centres, sizes)

    def _loop(self, a: int, centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Points on an edge from a node to itself, at the side where its other edges are far."""
        others = [centres[q if p == a else p] - centres[a] for p, q, _ in self._graph._edges if p != q and a in (p, q)]
        ways = [other / max(float(np.hypot(*other)), 1e-9) for other in others]
        sides = sorted(SIDES, key=lambda out: round(max((float(way @ out) for way in ways), default=0.0), 6))
        angles, radius = np.linspace(-LOOP / 2, LOOP / 2, STEPS)[:, None], 0.16 / math.sin(LOOP / 2)

        def tracks() -> Iterator[np.ndarray]:
            for out in map(np.array, sides):
                across = np.array([out[1], -out[0]])
                # Its ends stand on the node, the rest of the circle outside of it.
                middle = centres[a] + out * (sizes[a] / 2 - 0.015 - radius * math.cos(LOOP / 2))
                yield middle + radius * (np.cos(angles) * out + np.sin(angles) * across)

        return self._freest(tracks(), (a, a), centres, sizes)

    def _freest(
        self, tracks: Iterable[np.ndarray], ends: tuple[int, int], centres: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """The first way that meets nothing, else the one that meets least."""
        best, least = np.zeros((0, 2)), STEPS + 1
        for track in tracks:
            met = self._met(track, ends, centres, sizes)
            if met < least:
                best, least = track, met
            if not met:
                break
        return best

    def _met(self, track: np.ndarray, ends: tuple[int, int], centres: np.ndarray, sizes: np.ndarray) -> int:
        """How many points of an edge lie in nodes, nearer to others than is pleasant, or outside of the block."""
        gaps = np.full(len(centres), CLEAR)
        gaps[list(ends)] = -0.03
        inside = (np.abs(track[:, None] - centres[None]) < (sizes / 2 + gaps[:, None])[None]).all(axis=2).any(axis=1)
        low, high = np.array([0.0, -self._height]), np.array([self._width, 0.0])
        return int((inside | (track < low).any(axis=1) | (track > high).any(axis=1)).sum())


def _path(track: np.ndarray, colour: str) -> VMobject:
    line = VMobject(stroke_color=colour, stroke_width=3, fill_opacity=0)
    line.points = beziers(np.column_stack([track, np.zeros(len(track))]))
    return line


def _behind(track: np.ndarray, way: float) -> tuple[int, np.ndarray]:
    """The point that far before the track's end, and how many points come before it."""
    for i in range(len(track) - 2, -1, -1):
        if float(np.hypot(*(track[-1] - track[i]))) >= way:
            step = track[i + 1] - track[i]
            near = float(np.hypot(*(track[-1] - track[i + 1])))
            part = (way - near) / max(float(np.hypot(*step)), 1e-9)
            return i + 1, track[i + 1] - min(part, 1.0) * step
    return 1, track[0]


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
    return centre + way * min(reach, 0.95)
