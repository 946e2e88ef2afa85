"""Pages: which blocks stand together, at which scale, and where. Planned before anything is drawn.

A section is what is shown between two `clear`s. It becomes one page at the largest scale at which everything
fits, down to the floor of legibility. What doesn't fit even then is spread over several pages at a comfortable
scale, and what is longer than a page (a list, a text, a table, a program, a formula) goes on on the next.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from manim import Mobject

from .. import theme
from ..audit import Box, Stroke
from ..frames.painting import faded
from ..typesetting.typeset import Sheet

SPREAD_LEVEL = 0.9
"""Scale of pages when a section needs more than one."""

Kind = Literal["uncover", "dissolve", "write", "create", "grow", "slide", "none"]

NEVER = 1 << 30
"""End of what is never taken away."""


@dataclass
class Act:
    """One movement: what enters, how, and how long it takes when there is time (seconds)."""

    kind: Kind
    mobject: Mobject
    seconds: float
    under: bool = False
    """Whether it lies under what is there of its block already."""


@dataclass
class Part:
    """Acts that belong together, with their share of the beat."""

    acts: list[Act]
    weight: float = 1.0
    key: str = ""
    """What it depicts; parts of two elements with the same key look the same. Empty: like no other."""
    name: str = ""
    """Its label, by which a highlight can name it; empty when it can't."""


@dataclass
class Drawn:
    """What a block consists of, its top left corner at the origin."""

    parts: list[Part]
    boxes: list[Box]
    """Its ink, for the audit."""
    regions: dict[str, list[Box]] = field(default_factory=dict)
    """Where the things are that a highlight can name: lines, curves, nodes, bars."""
    sheets: list[tuple[Sheet, float, float]] = field(default_factory=list)
    """Text in which a highlight can find words, with its left and top edge."""
    strokes: list[Stroke] = field(default_factory=list)
    """Its lines that no words may lie on, for the audit."""


@dataclass
class Block:
    """A measured piece of a page. Lengths in frame units."""

    element: str
    event: int
    """The action it belongs to, counted over the scene."""
    width: float
    height: float
    gap: float
    """Least distance to the block above."""
    make: Callable[[], Drawn]
    """Draws it with its top left corner at the origin, and lists its boxes of ink."""
    centred: bool = False
    x: float = 0.0
    y: float = 0.0
    page: int = -1
    piece: Piece | None = None
    children: list[Block] = field(default_factory=list)
    """Blocks that stand in this one, at `x` and `y` from its top left corner; only they are drawn."""
    _made: Drawn | None = field(default=None, repr=False)

    def placed(self) -> Drawn:
        """Its parts and boxes where they stand on the page; made on the first call."""
        if self._made is None:
            self._made = self.make()
            if self.piece and self.piece.opacity < 1.0:
                for part in self._made.parts:
                    for act in part.acts:
                        act.mobject = faded(act.mobject, self.piece.opacity)
            self._shift(self.x, self.y)
        return self._made

    def shift(self, right: float, up: float) -> None:
        """Puts it elsewhere, also what was made of it."""
        self.x, self.y = self.x + right, self.y + up
        if self._made is not None:
            self._shift(right, up)

    def _shift(self, right: float, up: float) -> None:
        drawn = self._made
        assert drawn is not None
        for part in drawn.parts:
            for act in part.acts:
                act.mobject.shift([right, up, 0.0])
        drawn.boxes = [box.shifted(right, up) for box in drawn.boxes]
        drawn.strokes = [stroke.shifted(right, up) for stroke in drawn.strokes]
        drawn.regions = {name: [b.shifted(right, up) for b in boxes] for name, boxes in drawn.regions.items()}
        drawn.sheets = [(sheet, x + right, y + up) for sheet, x, y in drawn.sheets]


class Piece(ABC):
    """Something to lay out whose size depends on scale and width."""

    element: str
    event: int
    beside = False
    """Whether it is a figure, which may stand in a column of its own next to the rest."""
    poised = False
    """Whether it stands in the middle of a page that it has for itself."""
    lined = False
    """Whether its regions are lines, which a highlight lays a band behind; around others goes a frame."""
    until: int = NEVER
    """The action that takes it away."""
    scale = 1.0
    opacity = 1.0
    placement: dict[str, Any] | None = None

    @abstractmethod
    def measure(self, level: float, width: float, height: float) -> Block:
        """The block at scale `level` in a column of that width on a page of that height."""

    def divided(self, count: int) -> list[Piece]:
        """Some `count` (at least 2) smaller pieces that together show the same; none when it can't be divided.

        Or one piece that says the same in another form, which can be.
        """
        return []


class Slot(Piece):
    """A place for elements that follow each other in it: each is a list of pieces, stacked."""

    def __init__(self, members: list[list[Piece]], side: float | None = None) -> None:
        """`side` is where narrower blocks stand: 0 left to 1 right; none means as each of them wants."""
        self._side = side
        first = members[0][0]
        self.element, self.event, self.placement = first.element, first.event, first.placement
        self.until = max(piece.until for member in members for piece in member)
        self.members = members
        self.beside = all(piece.beside for member in members for piece in member)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        stacks = [[measured(piece, level, width, height) for piece in member] for member in self.members]
        whole = Block(
            self.element,
            self.event,
            max(block.width for stack in stacks for block in stack),
            max(stacked(stack) for stack in stacks),
            max(stack[0].gap for stack in stacks),
            lambda: Drawn([], []),
            centred=all(block.centred for stack in stacks for block in stack),
        )
        for stack in stacks:
            # Figures stay where they are, whatever their captions; all else is centred upon what it follows.
            y = 0.0 if self.beside or len(stacks) == 1 else (stacked(stack) - whole.height) / 2
            for i, block in enumerate(stack):
                y -= block.gap if i else 0.0
                side = self._side if self._side is not None else 0.5 if block.centred else 0.0
                block.x = (whole.width - block.width) * side
                block.y = y
                y -= block.height
                whole.children.append(block)
        return whole

    def divided(self, count: int) -> list[Piece]:
        """See Piece: without the slot."""
        return [piece for member in self.members for piece in member]


@dataclass(frozen=True)
class Area:
    """A rectangle of the frame: left and top edge, size."""

    left: float
    top: float
    width: float
    height: float


def measured(piece: Piece, level: float, width: float, height: float) -> Block:
    """The piece measured at the scale that its style asks for."""
    block = piece.measure(level * piece.scale, width, height)
    block.piece = piece
    return block


def paginate(pieces: list[Piece], area: Area, first_page: int) -> list[Block]:
    """Blocks in order, placed, with their page numbers from `first_page` on."""
    if not pieces:
        return []
    return [part for block in _paginated(pieces, area, first_page) for part in _opened(block)]


def _opened(block: Block) -> list[Block]:
    if not block.children:
        return [block]
    for child in block.children:
        child.x, child.y, child.page = child.x + block.x, child.y + block.y, block.page
    return [part for child in block.children for part in _opened(child)]


def _paginated(pieces: list[Piece], area: Area, first_page: int) -> list[Block]:
    if any(piece.placement for piece in pieces):
        from .placement import arranged  # It measures with this module's own means.

        blocks = arranged(pieces, area)
        if blocks:
            for block in blocks:
                block.page = first_page
            return blocks
    blocks = one_page(pieces, area, theme.LEVELS)
    if blocks:
        for block in blocks:
            block.page = first_page
    else:
        blocks = _spread(pieces, area, first_page)
    pages = [block.page for block in blocks]
    for block in blocks:
        if pages.count(block.page) == 1 and block.piece and block.piece.poised:
            block.x = area.left + (area.width - block.width) / 2
    return blocks


def one_page(pieces: list[Piece], area: Area, levels: Sequence[float]) -> list[Block]:
    """All on one page at the largest of the scales at which that is possible; none when it isn't at any."""
    figures = [piece for piece in pieces if piece.beside]
    templates = (_stack,)
    if figures and len(pieces) > 1:
        # Several figures like to stand side by side, a single one beside or among the words.
        templates = (_columns, _rows, _stack) if len(figures) > 1 else (_columns, _stack, _rows)
    for level in levels:
        for template in templates:
            blocks = template(pieces, area, level)
            if blocks:
                return blocks
    return []


def _fits(blocks: list[Block], area: Area) -> bool:
    return stacked(blocks) <= area.height + 1e-6 and all(block.width <= area.width + 1e-6 for block in blocks)


def _stack(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    blocks = [measured(piece, level, area.width, area.height) for piece in pieces]
    if not _fits(blocks, area):
        return []
    place(blocks, area)
    return blocks


def _columns(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """The figures in a column beside everything else."""
    figures = [piece for piece in pieces if piece.beside]
    if len(figures) == len(pieces) or len(figures) > 2 or level < 0.7:
        return []
    gutter = 0.04 * area.width
    narrow = Area(area.left, area.top, 0.42 * area.width, area.height)
    wide = Area(area.left + narrow.width + gutter, area.top, area.width - narrow.width - gutter, area.height)
    blocks = {id(p): measured(p, level, narrow.width, narrow.height) for p in pieces if not p.beside}
    column = list(blocks.values())
    if not _fits(column, narrow):
        return []
    height = (wide.height - theme.GAP * (len(figures) - 1)) / len(figures)
    asides = [measured(figure, 1.0, wide.width, height) for figure in figures]
    if not _fits(asides, wide):
        return []
    place(column, narrow)
    place(asides, wide)
    blocks |= {id(figure): aside for figure, aside in zip(figures, asides, strict=True)}
    return [blocks[id(piece)] for piece in pieces]


def _rows(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """Words above, figures in a grid below them."""
    figures = [piece for piece in pieces if piece.beside]
    words = [measured(piece, level, area.width, area.height) for piece in pieces if not piece.beside]
    used = stacked(words) + (theme.GAP * level if words else 0.0)
    rest = area.height - used
    best: tuple[float, list[Block], float, float, int] | None = None
    for columns in range(1, len(figures) + 1):
        rows = math.ceil(len(figures) / columns)
        cell_width = (area.width - theme.GAP * (columns - 1)) / columns
        cell_height = (rest - theme.GAP * (rows - 1)) / rows
        if cell_height < 1.2 or cell_width < 2.0:
            continue
        cells = [measured(figure, level, cell_width, cell_height) for figure in figures]
        if all(c.width <= cell_width + 1e-6 and c.height <= cell_height + 1e-6 for c in cells):
            smallest = min(cell.width * cell.height for cell in cells)
            if best is None or smallest > best[0]:
                best = (smallest, cells, cell_width, cell_height, columns)
    if best is None or not all(block.width <= area.width + 1e-6 for block in words):
        return []
    _, cells, cell_width, cell_height, columns = best
    place(words, Area(area.left, area.top, area.width, stacked(words)))
    for i, cell in enumerate(cells):
        row, column = divmod(i, columns)
        in_row = min(columns, len(cells) - row * columns)
        left = area.left + (area.width - in_row * cell_width - (in_row - 1) * theme.GAP) / 2
        cell.x = left + column * (cell_width + theme.GAP) + (cell_width - cell.width) / 2
        cell.y = area.top - used - row * (cell_height + theme.GAP) - (cell_height - cell.height) / 2
    waiting_words, waiting_cells = iter(words), iter(cells)
    return [next(waiting_cells) if piece.beside else next(waiting_words) for piece in pieces]


def _spread(pieces: list[Piece], area: Area, page: int) -> list[Block]:
    """Over as many pages as it takes; each is as full as it can be at a comfortable scale."""
    done: list[Block] = []
    current: list[Piece] = []
    blocks: list[Block] = []
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop(0)
        alone = measured(piece, SPREAD_LEVEL, area.width, area.height)
        if not _fits([alone], area):
            # As many as there are pages, all alike, rather than full ones and a rest.
            parts = piece.divided(max(2, math.ceil(alone.height / area.height)))
            if parts:
                for part in parts:
                    part.until, part.scale, part.opacity = piece.until, piece.scale, piece.opacity
                waiting[:0] = parts
                continue
        levels = (SPREAD_LEVEL,) if current else (SPREAD_LEVEL, *theme.LEVELS[2:])
        together = one_page([*current, piece], area, levels)
        if not together and current:
            done, page, current = done + blocks, page + 1, []
            together = one_page([piece], area, (SPREAD_LEVEL, *theme.LEVELS[2:]))
        if not together:
            # Nothing makes it fit: it stands alone at the floor, and the audit tells.
            together = [measured(piece, theme.LEVELS[-1], area.width, area.height)]
            place(together, area)
        current.append(piece)
        blocks = together
        for block in blocks:
            block.page = page
    return done + blocks


def stacked(blocks: list[Block]) -> float:
    """Height of the blocks above each other."""
    return sum(block.height for block in blocks) + sum(block.gap for block in blocks[1:])


def place(blocks: list[Block], area: Area) -> None:
    """Puts the blocks above each other into the area."""
    free = area.height - stacked(blocks)
    gaps = sum(block.gap for block in blocks[1:])
    # Spare room opens the gaps a little, the rest stands above and below; two fifths above looks centred.
    stretch = 1.0 + min(0.8, 0.5 * free / gaps) if gaps > 0 and free > 0 else 1.0
    free -= gaps * (stretch - 1.0)
    y = area.top - max(free, 0.0) * 0.4
    for i, block in enumerate(blocks):
        if i:
            y -= block.gap * stretch
        block.x = area.left + ((area.width - block.width) / 2 if block.centred else 0.0)
        block.y = y
        y -= block.height


def shares(things: Sequence[Any], count: int) -> list[Sequence[Any]]:
    """The things in `count` runs of about the same number, none of them empty."""
    count = min(count, len(things))
    edges = [round(i * len(things) / count) for i in range(count + 1)]
    return [things[start:end] for start, end in pairwise(edges)]
