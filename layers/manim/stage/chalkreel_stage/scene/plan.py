"""Plans a whole scene before its first frame: which elements share a page or a place, and for how long.

Actions are counted over the scene; an element's action is the `show` or `transform` that brings it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..elements.equation import Equation
from ..elements.maker import Maker
from ..layout.blocks import Area, Block, Piece, Slot
from ..layout.pagination import paginate
from ..screen.morph import alike
from ..storyboard.types import ActionCase, Beat, Element, Transform


@dataclass
class _Entry:
    """An element and the actions between which it is there."""

    event: int
    element: Element
    until: int | None = None
    family: list[Any] = field(default_factory=list)
    """Contents of the elements of its kind that it came from, its own, and those that it turns into, in order of time;
    shared by all of them, and empty when there is but one."""

    @property
    def kind(self) -> str:
        """What it is."""
        return self.element.kind.kind

    @property
    def content(self) -> Any:
        """What it shows: an `Axes`, a `Table`, …"""
        return self.element.kind.value


_Section = list[list[_Entry]]
"""Places of a page, each with the entries that follow each other in it."""

FIGURES = ("axes", "image", "drawing", "graph", "chart", "space")


def planned(beats: Sequence[Beat], maker: Maker, area: Area, centred: bool) -> dict[int, list[Block]]:
    """The blocks of each action that brings an element, placed on their pages; `centred` on a card."""
    blocks: list[Block] = []
    for section in _sections(beats):
        pieces: list[Piece] = []
        for place in section:
            members = [_pieces(entry, maker, centred) for entry in place]
            members = [member for member in members if member]
            if len(members) > 1:
                pieces.append(Slot(members))
            elif members:
                pieces += members[0]
        blocks += paginate(pieces, area, blocks[-1].page + 1 if blocks else 0)
    _derivations(blocks)
    events: dict[int, list[Block]] = {}
    for block in blocks:
        events.setdefault(block.event, []).append(block)
    return events


def _derivations(blocks: Sequence[Block]) -> None:
    """A formula that is made of the one above it comes out of that."""
    for above, block in pairwise(blocks):
        there = above.piece is not None and above.piece.until > block.event and above.event < block.event
        if (
            above.page == block.page
            and there
            and isinstance(block.piece, Equation)
            and isinstance(above.piece, Equation)
        ):
            old, new = above.placed().parts, block.placed().parts
            if len(old) == len(new) == 1 and alike(old[0].acts[0].mobject, new[0].acts[0].mobject):
                block.follows = above


def _pieces(entry: _Entry, maker: Maker, centred: bool) -> list[Piece]:
    pieces = maker.pieces(entry.element, entry.event, centred, entry.family)
    for piece in pieces:
        if entry.until is not None:
            piece.until = entry.until
    return pieces


def _sections(beats: Sequence[Beat]) -> list[_Section]:
    """What is shown between two moments at which nothing but the heading is there."""
    sections: list[_Section] = [[]]
    standing: dict[str, _Entry] = {}
    event = -1
    for beat in beats:
        for action in beat.actions:
            event += 1
            match action:
                case ActionCase(show=Element() as element):
                    entry = _Entry(event, element)
                    _find_place(sections[-1], entry)
                    standing[element.id] = entry
                case ActionCase(transform=Transform(from_=old, into=element)):
                    entry = _Entry(event, element)
                    before = standing.pop(old, None)
                    if before is None:
                        _find_place(sections[-1], entry)
                    else:
                        before.until = event
                        _follow(sections[-1], before, entry)
                    standing[element.id] = entry
                case ActionCase(remove=str(name)):
                    gone = standing.pop(name, None)
                    if gone:
                        gone.until = event
                        if not standing:
                            sections.append([])
                case "clear":
                    for entry in standing.values():
                        entry.until = event
                    standing.clear()
                    sections.append([])
    return sections


def _follow(section: _Section, before: _Entry, entry: _Entry) -> None:
    """`entry` takes the place of `before`; of the same kind, they are drawn to one measure."""
    for place in section:
        if before in place:
            if entry.element.placement:
                section.append([entry])
            else:
                place.append(entry)
            break
    if entry.kind == before.kind == "code":
        entry.family = [before.content, entry.content]
    if entry.kind == before.kind and entry.kind in FIGURES:
        if not before.family:
            before.family.append(before.content)
        before.family.append(entry.content)
        entry.family = before.family


def _find_place(section: _Section, entry: _Entry) -> None:
    """In the flow, the place of something of its sort that has gone; else a new one."""
    if not entry.element.placement:
        for place in section:
            last = place[-1]
            sort = (last.kind in FIGURES) == (entry.kind in FIGURES)
            if sort and last.until is not None and not last.element.placement and last.until < entry.event:
                place.append(entry)
                return
    section.append([entry])
