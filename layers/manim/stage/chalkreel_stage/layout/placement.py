"""Positions that the storyboard asks for.

An element stands where it is wanted if it covers nothing there, else at the nearest free place. When a page has no room
for all of its placed elements at any legible scale, they join the flow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .. import theme
from ..storyboard.types import Placement
from .blocks import Area, Block, Piece, Slot, measured
from .page import one_page

UNITS_WIDE = 14.22
"""Width of the frame in which the storyboard gives positions."""

GAP = 0.25
"""Least distance of two placed elements, in frame units."""

WIDE_LEVEL = 0.75
"""Scale down to which what flows keeps to the wide rooms of a page."""


@dataclass(frozen=True)
class Rect:
    """Taken room, from one action to another."""

    left: float
    top: float
    width: float
    height: float
    since: int = 0
    until: int = 1 << 30

    def meets(self, other: Rect, gap: float = GAP) -> bool:
        """Whether both are there at once and come closer than `gap`."""
        return (
            self.since < other.until
            and other.since < self.until
            and self.left < other.left + other.width + gap - 1e-6
            and other.left < self.left + self.width + gap - 1e-6
            and self.top > other.top - other.height - gap + 1e-6
            and other.top > self.top - self.height - gap + 1e-6
        )


def wanted(placement: Placement, width: float, height: float, area: Area, frame_width: float) -> tuple[float, float]:
    """Left and top edge of a block of that size where the storyboard wants it, moved into the area."""
    at, region = placement.at, placement.region or "center"
    if at is not None:
        x = at.x * frame_width / UNITS_WIDE - width / 2
        y = at.y * area.frame_height / theme.FRAME_HEIGHT + height / 2
    else:
        x = area.left + (area.width - width) * (0.0 if "left" in region else 1.0 if "right" in region else 0.5)
        y = area.top - (area.height - height) * (0.0 if "top" in region else 1.0 if "bottom" in region else 0.5)
    if not (math.isfinite(x) and math.isfinite(y)):
        x, y = 0.0, 0.0
    x = min(max(x, area.left), area.left + max(area.width - width, 0.0))
    y = max(min(y, area.top), area.top - max(area.height - height, 0.0))
    return x, y


def nearest(rect: Rect, taken: Sequence[Rect], area: Area) -> tuple[float, float] | None:
    """The free place of that size nearest to where `rect` is; none when there is none."""
    against = [other for other in taken if rect.since < other.until and other.since < rect.until]
    xs = {rect.left, area.left, area.left + area.width - rect.width}
    ys = {rect.top, area.top, area.top - area.height + rect.height}
    for other in against:
        xs |= {other.left - rect.width - GAP, other.left + other.width + GAP, other.left}
        ys |= {other.top + rect.height + GAP, other.top - other.height - GAP, other.top}
    spots = [
        (x, y)
        for x in xs
        for y in ys
        if area.left - 1e-6 <= x <= area.left + area.width - rect.width + 1e-6
        and area.top - area.height + rect.height - 1e-6 <= y <= area.top + 1e-6
    ]
    spots.sort(key=lambda spot: ((spot[0] - rect.left) ** 2 + (spot[1] - rect.top) ** 2, spot))
    for x, y in spots:
        if not any(Rect(x, y, rect.width, rect.height, rect.since, rect.until).meets(other) for other in against):
            return x, y
    return None


def arranged(pieces: list[Piece], area: Area) -> list[Block]:
    """Everything on one page, placed pieces near their places and the others in the largest room left.

    None when that is not possible at any legible scale.
    """
    groups = _grouped(pieces)
    for level in theme.LEVELS:
        for figure in (1.0, 0.8, 0.62, 0.45):
            blocks = _try(groups, area, level, figure)
            if blocks:
                larger = _larger(groups, area, figure) if level == theme.LEVELS[0] else []
                return larger or blocks
            if not any(piece.is_figure for piece in groups):
                break
    return []


def _larger(groups: list[Piece], area: Area, figure: float) -> list[Block]:
    """The same at the largest scale above the usual one that suits all of it; none when there is none."""
    best: list[Block] = []
    for level in theme.LARGER:
        if all(piece.largest < level for piece in groups):
            break
        blocks = _try(groups, area, level, figure)
        if not blocks or any(block.crowded for block in blocks):
            break
        best = blocks
    return best


def _grouped(pieces: list[Piece]) -> list[Piece]:
    """Pieces of one placed element go together, and words that want the same region at the same time are stacked."""
    groups: list[Piece] = []
    stacks: dict[str, list[Slot]] = {}
    for piece in pieces:
        if not piece.placement:
            groups.append(piece)
            continue
        region = "" if piece.placement.at else str(piece.placement.region)
        words = not piece.is_figure and not isinstance(piece, Slot)
        stack = next((s for s in stacks.get(region, []) if s.event < piece.until and piece.event < s.until), None)
        same = next((s for some in stacks.values() for s in some if s.members[0][-1].event == piece.event), None)
        stack = same or (stack if region else None)
        if words and stack is not None:
            stack.members[0].append(piece)
            stack.until = max(stack.until, piece.until)
            continue
        side = 0.0 if "left" in region else 1.0 if "right" in region else 0.5
        group = piece if isinstance(piece, Slot) else Slot([[piece]], side if region else None)
        groups.append(group)
        if words and isinstance(group, Slot):
            stacks.setdefault(region, []).append(group)
    return groups


def _try(groups: list[Piece], area: Area, level: float, figure: float) -> list[Block]:
    taken: list[Rect] = []
    placed: dict[int, Block] = {}
    frame_width = area.width / (1 - 2 * theme.MARGIN)
    for piece in groups:
        if not piece.placement:
            continue
        region = piece.placement.region or ""
        width, height = area.width, area.height
        if "left" in region or "right" in region:
            width *= 0.48
        if piece.is_figure:
            height *= figure * (0.5 if "top" in region or "bottom" in region else 1.0)
        if piece.is_figure and piece.placement.at is not None:
            width *= 0.6
        block = measured(piece, level, width, height)
        if block.width > area.width + 1e-6 or block.height > area.height + 1e-6:
            return []
        x, y = wanted(piece.placement, block.width, block.height, area, frame_width)
        spot = nearest(Rect(x, y, block.width, block.height, piece.event, piece.until), taken, area)
        if spot is None:
            return []
        block.x, block.y = spot
        taken.append(Rect(*spot, block.width, block.height, piece.event, piece.until))
        placed[id(piece)] = block
    flow = [piece for piece in groups if not piece.placement]
    if flow:
        blocks = _flow(flow, area, taken, level)
        if not blocks:
            return []
        placed |= {id(piece): block for piece, block in zip(flow, blocks, strict=True)}
    return [placed[id(piece)] for piece in groups]


def _flow(flow: list[Piece], area: Area, taken: list[Rect], level: float) -> list[Block]:
    since, until = min(piece.event for piece in flow), max(piece.until for piece in flow)
    against = [rect for rect in taken if rect.since < until and since < rect.until]
    free = free_areas(area, against)[:8]
    wide = [room for room in free if room.width > 0.6 * area.width and room.height > 0.4 * area.height]
    # What flows goes over the page's width, a little smaller rather than into a corner of it.
    for room in wide if wide and level > WIDE_LEVEL else free:
        blocks = one_page(flow, room, (level,))
        if blocks:
            return blocks
    return []


def free_areas(area: Area, taken: Sequence[Rect]) -> list[Area]:
    """Free rectangles of the area, the largest first."""
    right, bottom = area.left + area.width, area.top - area.height
    xs = sorted({area.left, right} | {r.left - GAP for r in taken} | {r.left + r.width + GAP for r in taken})
    ys = sorted({area.top, bottom} | {r.top + GAP for r in taken} | {r.top - r.height - GAP for r in taken})
    xs = [x for x in xs if area.left <= x <= right]
    ys = [y for y in ys if bottom <= y <= area.top]
    found = []
    for i, left in enumerate(xs):
        for end in xs[i + 1 :]:
            if end - left < 2.0:
                continue
            for j, low in enumerate(ys):
                for top in ys[j + 1 :]:
                    room = Rect(left, top, end - left, top - low)
                    if top - low >= 0.4 and not any(
                        room.meets(Rect(r.left, r.top, r.width, r.height), 0.0) for r in taken
                    ):
                        found.append(Area(left, top, end - left, top - low))
    # A little wider counts more than a little higher: words like width.
    found.sort(key=lambda room: -(room.width**1.2 * room.height))
    return found
