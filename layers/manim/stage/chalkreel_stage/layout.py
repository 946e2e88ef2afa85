"""Pages: which blocks stand together, at which scale, and where. Planned before anything is drawn.

A section is what is shown between two `clear`s. It becomes one page at the largest scale at which everything
fits, down to the floor of legibility. What doesn't fit even then is spread over several pages at a comfortable
scale, and a list, a text or a program longer than a page goes on on the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from manim import Mobject

from . import theme
from .audit import Box

SPREAD_LEVEL = 0.9
"""Scale of pages when a section needs more than one."""


@dataclass
class Act:
    """One movement: what enters, how, and how long it takes when there is time (seconds)."""

    kind: Literal["uncover", "dissolve", "write", "create"]
    mobject: Mobject
    seconds: float


@dataclass
class Part:
    """Acts that belong together, with their share of the beat."""

    acts: list[Act]
    weight: float = 1.0


@dataclass
class Block:
    """A measured piece of a page. Lengths in frame units."""

    element: str
    event: int
    """The `show` it belongs to, counted over the scene."""
    width: float
    height: float
    gap: float
    """Least distance to the block above."""
    make: Callable[[], tuple[list[Part], list[Box]]]
    """Draws it with its top left corner at the origin, and lists its boxes of ink."""
    centred: bool = False
    x: float = 0.0
    y: float = 0.0
    page: int = -1
    _made: tuple[list[Part], list[Box]] | None = field(default=None, repr=False)

    def placed(self) -> tuple[list[Part], list[Box]]:
        """Its parts and boxes where they stand on the page; made on the first call."""
        if self._made is None:
            parts, boxes = self.make()
            for part in parts:
                for act in part.acts:
                    act.mobject.shift([self.x, self.y, 0.0])
            self._made = (
                parts,
                [
                    Box(b.name, b.left + self.x, b.bottom + self.y, b.right + self.x, b.top + self.y, b.font)
                    for b in boxes
                ],
            )
        return self._made


class Piece(ABC):
    """Something to lay out whose size depends on scale and width."""

    element: str
    event: int
    beside = False
    """Whether it may stand in a column of its own next to the rest."""

    @abstractmethod
    def measure(self, level: float, width: float, height: float) -> Block:
        """The block at scale `level` in a column of that width on a page of that height."""

    def halves(self) -> list[Piece]:
        """Two smaller pieces that together show the same; none when it can't be divided."""
        return []


@dataclass(frozen=True)
class Area:
    """A rectangle of the frame: left and top edge, size."""

    left: float
    top: float
    width: float
    height: float


def paginate(pieces: list[Piece], area: Area, first_page: int) -> list[Block]:
    """Blocks in order, placed, with their page numbers from `first_page` on."""
    if not pieces:
        return []
    columns = _columns(pieces, area, first_page)
    if columns:
        return columns
    for level in theme.LEVELS:
        blocks = [piece.measure(level, area.width, area.height) for piece in pieces]
        if _stacked(blocks) <= area.height:
            _place(blocks, area, first_page)
            return blocks
    return _spread(pieces, area, first_page)


def _columns(pieces: list[Piece], area: Area, page: int) -> list[Block]:
    """One plot beside everything else, when both fit in half the width each."""
    besides = [piece for piece in pieces if piece.beside]
    if len(besides) != 1 or len(pieces) < 2:
        return []
    gutter = 0.04 * area.width
    narrow = Area(area.left, area.top, 0.42 * area.width, area.height)
    wide = Area(area.left + narrow.width + gutter, area.top, area.width - narrow.width - gutter, area.height)
    for level in theme.LEVELS[:-1]:
        blocks = {id(p): p.measure(level, narrow.width, narrow.height) for p in pieces if not p.beside}
        column = list(blocks.values())
        if _stacked(column) <= narrow.height and all(block.width <= narrow.width + 1e-6 for block in column):
            _place(column, narrow, page)
            aside = besides[0].measure(1.0, wide.width, wide.height)
            _place([aside], wide, page)
            blocks[id(besides[0])] = aside
            return [blocks[id(piece)] for piece in pieces]
    return []


def _spread(pieces: list[Piece], area: Area, page: int) -> list[Block]:
    done: list[Block] = []
    current: list[Block] = []
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop(0)
        block = piece.measure(SPREAD_LEVEL, area.width, area.height)
        if block.height > area.height:
            halves = piece.halves()
            if halves:
                waiting[:0] = halves
                continue
            for level in theme.LEVELS:
                block = piece.measure(level, area.width, area.height)
                if block.height <= area.height:
                    break
        if current and _stacked([*current, block]) > area.height:
            _place(current, area, page)
            done += current
            current = []
            page += 1
        current.append(block)
    _place(current, area, page)
    return done + current


def _stacked(blocks: list[Block]) -> float:
    return sum(block.height for block in blocks) + sum(block.gap for block in blocks[1:])


def _place(blocks: list[Block], area: Area, page: int) -> None:
    free = area.height - _stacked(blocks)
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
        block.page = page
        y -= block.height
