"""What pages are made of.

A piece can be measured at any scale and width. That gives a block of a known size, which is put somewhere and then
drawn: parts, which hold acts, which hold mobjects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from manim import Mobject

from .. import theme
from ..audit import Box, Stroke
from ..frames.painting import faded
from ..storyboard.types import Placement
from ..typesetting.typesetter import Sheet

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
    lines: tuple[str, ...] = ()
    """What its submobjects show, one each: lines of a program, by which two versions of it are compared."""


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
    strays: list[str] = field(default_factory=list)
    """Labels that stand outside of the cells that they belong in."""
    measures: list[int] = field(default_factory=list)
    """Letters in the longest line of each text that has several lines."""


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
    crowded: bool = False
    """Whether a smaller scale suits it better: its lines are short, or it was made smaller to fit."""
    anchor: float | None = None
    """Where its first equals sign stands, from its left edge: those of formulas in a row stand below each other."""
    starts: bool = False
    """Whether it is an item of a list that is in no other item."""
    follows: Block | None = None
    """The formula that this one is made of: its glyphs come from there, and it stays, dimmed."""
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
    is_figure = False
    """Whether it may stand in a column of its own next to the text."""
    centred_alone = False
    """Whether it is centred on a page that it has for itself."""
    has_lines = False
    """Whether its regions are lines, which a highlight lays a band behind; around others goes a frame."""
    is_item = False
    """Whether it is one of a list's items."""
    until: int = NEVER
    """The action that takes it away."""
    part = ""
    """Which part of its element it is, as a cue names it: `item 3`."""
    largest = 1.0
    """Scale up to which it grows on a page that has room."""
    largest_alone = 1.0
    """The same for a page that it has for itself."""
    scale = 1.0
    opacity = 1.0
    placement: Placement | None = None

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
        self.is_figure = all(piece.is_figure for member in members for piece in member)
        self.largest = max(piece.largest for member in members for piece in member)

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
            crowded=any(block.crowded for stack in stacks for block in stack),
        )
        for stack in stacks:
            # Figures stay where they are, whatever their captions; all else is centred upon what it follows.
            y = 0.0 if self.is_figure or len(stacks) == 1 else (stacked(stack) - whole.height) / 2
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
    frame_height: float = theme.FRAME_HEIGHT


def measured(piece: Piece, level: float, width: float, height: float) -> Block:
    """The piece measured at the scale that its style asks for."""
    block = piece.measure(min(level, max(piece.largest, 1.0)) * piece.scale, width, height)
    block.piece = piece
    return block


def short_lines(level: float, size: float, natural: float, width: float) -> bool:
    """Whether text of that natural width, made larger than usual, wraps for it, or has lines of too few letters."""
    if level <= 1.0 or natural <= width:
        return False
    return natural <= level * width or width < theme.LEAST_LETTERS * theme.LETTER * size


def stacked(blocks: list[Block]) -> float:
    """Height of the blocks above each other."""
    return sum(block.height for block in blocks) + sum(block.gap for block in blocks[1:])


def shares(things: Sequence[Any], count: int) -> list[Sequence[Any]]:
    """The things in `count` runs of about the same number, none of them empty."""
    count = min(count, len(things))
    edges = [round(i * len(things) / count) for i in range(count + 1)]
    return [things[start:end] for start, end in pairwise(edges)]
