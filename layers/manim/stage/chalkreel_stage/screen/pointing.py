"""Pointing at what the words speak of, at that word: over the picture, whatever else happens in it.

Each thing has a quiet look in the theme's accent: of a list and of bars the others step back, a curve is thicker, a
formula's part takes the accent's colour, a row, a cell or a line has a soft ground, a node and a mark have a ring,
words are underlined. It is drawn once, laid over each frame from the word's on, and goes when the words have ended, or
at once when what it points at changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import cairo
import numpy as np
from manim import Circle, Line, Mobject, Rectangle, RoundedRectangle, VMobject

from .. import theme
from ..audit import Box, Stroke
from ..elements.table import Table
from ..frames.canvas import View
from ..layout.blocks import Block, Part
from ..storyboard.types import Cue, Element
from .screen import Screen
from .shown import Shown

IN_S, OUT_S = 0.2, 0.25
"""Length of the movements by which a look comes and goes, in seconds."""

DROPPED_S = 0.1
"""The same when what it points at changes or goes."""

VEIL = 0.55
"""How far the others step back behind the ground's colour."""

GROUND = 0.22
"""Opacity of a soft ground."""

_LINES = re.compile(r"\s*(\d+)(?:\s*[-–]\s*(\d+))?\s*")


def name_of(element: Element, block: Block, part: Part) -> str:
    """How a cue names a part of what is drawn, as `item 3`; empty when it has no name of its own."""
    value = element.kind.value
    match element.kind.kind:
        case "bullets":
            return block.piece.part if block.piece else ""
        case "axes":
            return _numbered("curve", part.key, theme.keys(value.curves))
        case "drawing":
            return _numbered("shape", part.key, theme.keys(value.shapes))
        case "chart":
            return _numbered("bar", part.key, [f"{i} {bar.label} {bar.value}" for i, bar in enumerate(value.bars)])
        case "number_line":
            return _numbered("mark", part.key, [f"{mark.at} {mark.label}" for mark in value.marks])
        case "table":
            row = block.placed().parts.index(part) + (0 if value.header else 1)
            return f"row {row}" if row else ""
    return ""


COUNTED: dict[str, dict[str, str]] = {
    "bullets": {"item": "items"},
    "axes": {"curve": "curves"},
    "drawing": {"shape": "shapes"},
    "chart": {"bar": "bars"},
    "number_line": {"mark": "marks"},
    "table": {"row": "rows", "cell": "rows"},
    "graph": {"node": "nodes", "edge": "edges"},
}
"""Of which kinds of elements cues count parts: the word, and the field that they are counted in."""


def _exists(element: Element, part: str) -> bool:
    """Whether an element has a part, as far as its parts are counted."""
    words = COUNTED.get(element.kind.kind)
    word, _, number = part.partition(" ")
    first = number.split(" ")[0]
    if words is None or not part:
        return True
    return word in words and first.isdigit() and 1 <= int(first) <= len(getattr(element.kind.value, words[word]))


def _numbered(word: str, key: str, keys: Sequence[str]) -> str:
    return f"{word} {keys.index(key) + 1}" if key and key in keys else ""


@dataclass
class _Layer:
    """A look as it was drawn once, where it lies in the picture, and what it shows of."""

    pixels: np.ndarray
    x: int
    y: int
    view: View
    only: str | None
    """The element that the camera is near."""
    about: list[tuple[Shown, Mobject, float, float]]


@dataclass
class Point:
    """A thing that is pointed at from one frame of the clip on, until another."""

    cue: Cue
    start: int
    end: int
    layer: _Layer | None = None
    tried: bool = False
    coming: bool = False
    """Whether something of its element was coming when it was spoken of, which is looked at of itself."""
    dropped: int | None = None
    """The frame at which what it points at had changed."""


@dataclass
class Pointer:
    """Lays over a scene's frames what its words speak of."""

    screen: Screen
    fps: int
    elements: Mapping[str, Element]
    points: list[Point] = field(default_factory=list)

    def expect(self, cues: Iterable[Cue], first: int, frames: int) -> None:
        """The cues of a beat that begins with frame `first`; those without a time are none."""
        for cue in cues:
            if cue.kind == "point" and cue.start_ms is not None and cue.end_ms is not None:
                start = min(round(cue.start_ms * self.fps / 1000), frames)
                end = min(round(cue.end_ms * self.fps / 1000), frames)
                if end > start:
                    self.points.append(Point(cue, first + start, first + end))

    def over(self, frame: int, pixels: np.ndarray, most: int) -> tuple[np.ndarray, int]:
        """The picture of a frame with what is pointed at, and for how many frames, `most` at most, it stays."""
        while self.points and frame >= self.points[0].end:
            self._missed(self.points.pop(0))
        if not self.points:
            return pixels, most
        point = self.points[0]
        if frame < point.start:
            return pixels, min(most, point.start - frame)
        if point.layer is None and not self._make(point):
            return pixels, min(most, point.end - frame) if point.tried else 1
        layer = point.layer
        assert layer is not None
        if point.dropped is None and not self._stands(layer):
            point.dropped = frame
        strength, steady = self._strength(point, frame)
        if strength <= 0.0:
            return pixels, min(most, steady)
        return self._laid(layer, pixels, strength), min(most, steady)

    def finish(self) -> None:
        """The scene has ended: tells what was never pointed at."""
        for point in self.points:
            self._missed(point)
        self.points = []

    def _missed(self, point: Point) -> None:
        if point.layer is None and not point.coming:
            what = (
                f"{point.cue.part!r} of element {point.cue.target}" if point.cue.part else f"element {point.cue.target}"
            )
            why = "can't be told from the rest" if point.tried else "was not on the screen when it was spoken of"
            self.screen.warnings.append(f"{what} is not pointed at: it {why}")

    def _strength(self, point: Point, frame: int) -> tuple[float, int]:
        """How much of the look is seen, and for how many frames it is as much."""
        whole = point.end - point.start
        coming, going = (min(max(round(seconds * self.fps), 1), whole // 2 or 1) for seconds in (IN_S, OUT_S))
        came = (frame - point.start + 1) / coming
        left = (point.end - frame) / going
        if point.dropped is not None:
            gone = max(round(DROPPED_S * self.fps), 1)
            fade = 1.0 - (frame - point.dropped + 1) / gone
            return min(came, left, max(fade, 0.0), 1.0), 1 if fade > 0.0 else point.end - frame
        steady = point.end - going - frame if came >= 1.0 else 1
        return min(came, left, 1.0), max(steady, 1)

    def _stands(self, layer: _Layer) -> bool:
        there = self.screen.shown
        same = self.screen.canvas.view == layer.view and self.screen.only == layer.only
        return same and all(
            any(s is one for one in there)
            and s.mobject is mobject
            and s.block is not None
            and (s.block.x, s.block.y) == (x, y)
            for s, mobject, x, y in layer.about
        )

    def _laid(self, layer: _Layer, pixels: np.ndarray, strength: float) -> np.ndarray:
        picture = pixels.copy()
        rows, columns = picture.shape[:2]
        surface = cairo.ImageSurface.create_for_data(picture.data, cairo.FORMAT_ARGB32, columns, rows)
        own = layer.pixels
        source = cairo.ImageSurface.create_for_data(own.data, cairo.FORMAT_ARGB32, own.shape[1], own.shape[0])
        context = cairo.Context(surface)
        context.set_source_surface(source, layer.x, layer.y)
        context.rectangle(layer.x, layer.y, own.shape[1], own.shape[0])
        context.clip()
        context.paint_with_alpha(strength)
        surface.flush()
        return picture

    # Looks

    def _make(self, point: Point) -> bool:
        """Draws the look of a point, once all that it shows of is there; false as long as it is not."""
        if point.tried:
            return False
        target, part = point.cue.target, (point.cue.part or "").strip()
        element = self.elements.get(target)
        mine = self.screen.of(target)
        if element is None or not mine or (self.screen.only is not None and self.screen.only != target):
            return False
        point.coming = point.coming or (_exists(element, part) and not all(s.complete for s in mine))
        look = Look(self.screen, element, mine)
        found = look.of(part)
        if found is None:
            # A page of it may still come.
            return False
        items, about = found
        if not all(s.complete for s in about):
            return False
        point.tried = True
        drawn = self._drawn(items)
        if drawn is None:
            return False
        pixels, x, y = drawn
        held = [(s, s.mobject, s.block.x, s.block.y) for s in about if s.block is not None]
        point.layer = _Layer(pixels, x, y, self.screen.canvas.view, self.screen.only, held)
        if look.edges:
            self.screen.inspect(look.edges)
        return True

    def _drawn(self, items: Sequence[Mobject]) -> tuple[np.ndarray, int, int] | None:
        """The mobjects alone, and where they lie; none when they can't be seen."""
        pixels = self.screen.canvas.layer(items)
        inked = pixels.view(np.uint32)[:, :, 0] != 0
        rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
        if not len(rows):
            return None
        y, x = int(rows[0]), int(columns[0])
        # Rows of a surface of Cairo are whole words, as these are: four bytes a pixel.
        return np.ascontiguousarray(pixels[y : rows[-1] + 1, x : columns[-1] + 1]), x, y


Found = tuple[list[Mobject], list[Shown]] | None
"""What is drawn over the picture, and of what it shows."""


class Look:
    """How a part of an element is pointed at."""

    def __init__(self, screen: Screen, element: Element, shown: Sequence[Shown]) -> None:
        self._screen, self._element, self._shown = screen, element, shown
        self._theme = screen.look
        self._blocks = screen.blocks(element.id)
        self.edges: list[Box] = []
        """What lies outside of the thing's own ink, for the audit."""

    def of(self, part: str) -> Found:
        """The look of a part, or of the whole when it is empty; none when there is no such part on the screen."""
        if not part:
            return self._framed()
        word, _, number = part.partition(" ")
        match self._element.kind.kind, word:
            case ("bullets", "item") | ("chart", "bar"):
                return self._unveiled(part)
            case ("axes", "curve") | ("drawing", "shape"):
                return self._bold(part)
            case "number_line", "mark":
                return self._mark(part)
            case "table", ("row" | "cell"):
                return self._cell(part, [int(n) for n in number.split() if n.isdigit()])
            case "graph", ("node" | "edge") if number.isdigit():
                return self._node(int(number)) if word == "node" else self._edge(int(number))
            case "code", _:
                return self._lines(part)
            case "equation", _:
                return self._signs(part)
        return self._words(part)

    def _named(self, part: str) -> list[tuple[Block, Part, list[Shown]]]:
        """The drawn parts of that name, with what of them is on the screen."""
        found = []
        for block in self._blocks:
            for one in block.placed().parts:
                if name_of(self._element, block, one) == part:
                    shown = [s for s in self._shown if any(act.mobject is s.undimmed for act in one.acts)]
                    if len(shown) < len(one.acts):
                        return []
                    found.append((block, one, shown))
        return found

    def _unveiled(self, part: str) -> Found:
        """The others step back."""
        mine = self._named(part)
        if not mine:
            return None
        others: list[Box] = []
        for block in self._blocks:
            for one in block.placed().parts:
                name = name_of(self._element, block, one)
                if (
                    not name
                    or name == part
                    or not any(act.mobject is s.undimmed for act in one.acts for s in self._shown)
                ):
                    continue
                others += [box for act in one.acts for box in _ink(act.mobject)]
        about = [s for _, _, shown in mine for s in shown]
        if not others:
            return [_coloured(s.mobject, self._theme.accent) for s in about], about
        return [_ground(box, self._theme.background, VEIL, 0.04) for box in others], about

    def _bold(self, part: str) -> Found:
        """Lines are thicker, with a glow; areas are fuller, dots glow; words alone have the accent's colour."""
        mine = self._named(part)
        if not mine:
            return None
        about = [s for _, _, shown in mine for s in shown]
        figures = [act.mobject for _, one, _ in mine for act in one.acts if act.kind != "dissolve"]
        if not figures:
            return [_coloured(s.mobject, self._theme.accent) for s in about], about
        glows: list[Mobject] = []
        items: list[Mobject] = []
        for s in about:
            drawn = any(s.undimmed is figure for figure in figures)
            for item in s.mobject.get_family():
                if not isinstance(item, VMobject) or not len(item.points):
                    continue
                copy = _alone(item)
                width = float(item.get_stroke_width())
                if width > 0 and item.get_stroke_opacity() > 0:
                    glows.append(_glow(item, str(item.get_stroke_color()), width * 3.0))
                    copy.set_stroke(width=width * 1.6)
                elif 0 < item.get_fill_opacity() < 1:
                    copy.set_fill(opacity=min(1.0, item.get_fill_opacity() * 1.5))
                elif drawn:
                    glows.append(_glow(item, str(item.get_fill_color()), 14.0))
                items.append(copy)
        return [*glows, *items], about

    def _mark(self, part: str) -> Found:
        mine = self._named(part)
        if not mine:
            return None
        about = [s for _, _, shown in mine for s in shown]
        dot = about[0].mobject.get_family()
        points = next((item.points for item in dot if len(item.points)), None)
        if points is None:
            return None
        x, y = (points.min(axis=0) + points.max(axis=0))[:2] / 2
        ring = Circle(radius=0.19, stroke_color=self._theme.accent, stroke_width=5.0, fill_opacity=0)
        return [ring.move_to([x, y, 0])], about

    def _cell(self, part: str, numbers: list[int]) -> Found:
        """A soft ground under a row or a cell. Of a table that goes over pages, rows are counted anew on each."""
        block = self._blocks[0]
        table = block.piece
        if len(self._blocks) != 1 or not isinstance(table, Table) or not table.is_whole:
            return None
        row = numbers[0] if numbers else 0
        region = block.placed().regions.get(str(row))
        parts = block.placed().parts
        index = row - (0 if self._element.kind.value.header else 1)
        if not region or not 0 <= index < len(parts):
            return None
        about = [s for s in self._shown if any(act.mobject is s.undimmed for act in parts[index].acts)]
        if not about:
            return None
        box = region[0]
        if len(numbers) > 1:
            edges = table.edges
            if not 1 <= numbers[1] < len(edges):
                return None
            left = box.left
            box = Box(box.name, left + edges[numbers[1] - 1], box.bottom, left + edges[numbers[1]], box.top)
        ground = _ground(box, self._theme.accent, GROUND, -0.03)
        return [ground, *self._within(about, [box])], about

    def _lines(self, part: str) -> Found:
        """A soft ground under lines of a program, and a bar at their left."""
        numbers: list[int] = []
        for piece in part.split(","):
            match = _LINES.fullmatch(piece)
            if not match:
                return self._framed() if not numbers else None
            first, last = int(match[1]), int(match[2] or match[1])
            numbers += range(first, min(last, first + 500) + 1)
        items: list[Mobject] = []
        about: list[Shown] = []
        for block in self._blocks:
            boxes = [box for number in numbers for box in block.placed().regions.get(str(number), [])]
            mine = [s for s in self._shown if s.block is block]
            # The panel, and the text upon it.
            if not boxes or len(mine) < 2:
                continue
            for box in boxes:
                items.append(_ground(box, self._theme.accent, GROUND, 0.0))
                bar = Box(box.name, box.left, box.bottom, box.left + 0.06, box.top)
                items.append(_ground(bar, self._theme.accent, 1.0, 0.0))
            items += self._within(mine[1:], boxes)
            about += mine
        return (items, about) if about else None

    def _signs(self, part: str) -> Found:
        """A part of a formula in the accent's colour."""
        for block in self._blocks:
            boxes = block.placed().regions.get(part) or self._screen.marker.words(block, part)
            mine = [s for s in self._shown if s.block is block]
            if boxes and mine:
                signs = self._within(mine, boxes)
                if signs:
                    return [_coloured(sign, self._theme.accent) for sign in signs], mine
        return None

    def _node(self, number: int) -> Found:
        block, about = self._blocks[0], [s for s in self._shown if s.block is self._blocks[0]]
        prefix = f"{self._element.id}: node {number} "
        box = next((box for box in block.placed().boxes if box.name.startswith(prefix)), None)
        nodes = about[:1] if block.placed().parts and about else []
        # Edges lie under the nodes, and may come first in the picture.
        nodes = [s for s in about if any(act.mobject is s.undimmed for act in block.placed().parts[0].acts)] or nodes
        if box is None or not nodes:
            return None
        width, height = box.right - box.left, box.top - box.bottom
        ring = RoundedRectangle(
            corner_radius=min(width, height) / 2 * 0.98,
            width=width,
            height=height,
            stroke_color=self._theme.accent,
            stroke_width=9.0,
            fill_color=self._theme.accent,
            fill_opacity=0.35,
        ).move_to([(box.left + box.right) / 2, (box.bottom + box.top) / 2, 0])
        inner = Box(box.name, box.left + 0.1, box.bottom + 0.05, box.right - 0.1, box.top - 0.05)
        label = [item for item in self._within(nodes, [inner]) if item.get_stroke_width() == 0]
        return [ring, *label], nodes

    def _edge(self, number: int) -> Found:
        value = self._element.kind.value
        ids = [node.id for node in value.nodes]
        if not 1 <= number <= len(value.edges):
            return None
        edge = value.edges[number - 1]
        if edge.from_ not in ids or edge.to not in ids:
            return None
        name = f"{self._element.id}: edge from {ids.index(edge.from_) + 1} to {ids.index(edge.to) + 1}"
        for block in self._blocks:
            stroke: Stroke | None = next((one for one in block.placed().strokes if one.name == name), None)
            parts = block.placed().parts
            about = [s for s in self._shown if any(act.mobject is s.undimmed for act in parts[-1].acts)]
            if stroke is not None and about:
                line = VMobject(stroke_color=self._theme.accent, stroke_width=7.0, fill_opacity=0)
                line.set_points_as_corners(np.column_stack([stroke.points, np.zeros(len(stroke.points))]))
                return [line], about
        return None

    def _words(self, part: str) -> Found:
        """Words are underlined."""
        for block in self._blocks:
            boxes = self._screen.marker.words(block, part)
            mine = [s for s in self._shown if s.block is block]
            if boxes and mine:
                items: list[Mobject] = []
                for box in boxes:
                    y = box.bottom - 0.07
                    items.append(Line([box.left, y, 0], [box.right, y, 0], stroke_width=5.0, color=self._theme.accent))
                return items, mine
        return self._region(part)

    def _region(self, part: str) -> Found:
        """A frame around what has that name in a figure."""
        for block in self._blocks:
            if part in block.placed().regions:
                mine = [s for s in self._shown if s.block is block]
                return self._frame(part, mine)
        return None

    def _framed(self) -> Found:
        return self._frame(None, list(self._shown))

    def _frame(self, part: str | None, mine: list[Shown]) -> Found:
        screen, name = self._screen, self._element.id
        others = [box for b in screen.blocks() if b.element != name for box in b.placed().boxes] + screen.fixed
        marks = screen.marker.marks(name, part, None, mine, self._blocks, others)
        self.edges = [box for mark in marks for box in mark.boxes]
        return [mark.mobject for mark in marks], mine

    @staticmethod
    def _within(shown: Sequence[Shown], boxes: Sequence[Box]) -> list[VMobject]:
        """Copies of the glyphs and rules whose middle lies in one of the boxes."""
        found = []
        for item in (item for s in shown for item in s.mobject.get_family()):
            if isinstance(item, VMobject) and len(item.points):
                (left, bottom), (right, top) = item.points[:, :2].min(axis=0), item.points[:, :2].max(axis=0)
                x, y = (left + right) / 2, (bottom + top) / 2
                if any(b.left - 0.02 <= x <= b.right + 0.02 and b.bottom - 0.02 <= y <= b.top + 0.02 for b in boxes):
                    found.append(_alone(item))
        return found


def _glow(item: VMobject, colour: str, width: float) -> VMobject:
    glow = VMobject(stroke_color=colour, stroke_opacity=0.4, fill_opacity=0)
    glow.set_stroke(width=width)
    glow.points = item.points.copy()
    return glow


def _alone(item: VMobject) -> VMobject:
    """A copy without what is in it."""
    copy = item.copy()
    copy.submobjects = []
    return copy


def _coloured(item: Mobject, colour: str) -> Mobject:
    copy = item.copy()
    for one in copy.get_family():
        if isinstance(one, VMobject) and len(one.points):
            if one.get_fill_opacity() > 0:
                one.set_fill(colour, family=False)
            if one.get_stroke_width() > 0:
                one.set_stroke(colour, family=False)
    return copy


def _ink(mobject: Mobject) -> list[Box]:
    points = [item.points for item in mobject.get_family() if len(item.points)]
    if not points:
        return []
    left, bottom = np.min([p[:, :2].min(axis=0) for p in points], axis=0)
    right, top = np.max([p[:, :2].max(axis=0) for p in points], axis=0)
    return [Box("", float(left), float(bottom), float(right), float(top))]


def _ground(box: Box, colour: str, opacity: float, pad: float) -> Rectangle:
    """A filled rectangle over a box."""
    width, height = box.right - box.left + 2 * pad, box.top - box.bottom + 2 * pad
    ground = Rectangle(
        width=max(width, 0.02), height=max(height, 0.02), stroke_width=0, fill_color=colour, fill_opacity=opacity
    )
    return ground.move_to([(box.left + box.right) / 2, (box.bottom + box.top) / 2, 0])
