"""Where a page stands while not all of it is there: what has come takes the middle, and makes room for what comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..layout.blocks import Area, Block
from ..storyboard.types import ActionCase, Beat

LEAST = 0.2
"""Distance below which nothing moves, in frame units."""

Offset = tuple[float, float]
"""How far to the right and upwards, in frame units."""


def offsets(beats: Sequence[Beat], events: Mapping[int, list[Block]], area: Area) -> dict[tuple[int, int], Offset]:
    """By beat and page: how far all of the page is moved from its place, so that what is there stands in the middle.

    None where the author says where things stand, or what the camera sees.
    """
    actions = [action for beat in beats for action in beat.actions]
    if any(isinstance(action, ActionCase) and (action.move or action.camera) for action in actions):
        return {}
    blocks = [block for some in events.values() for block in some]
    placements = [
        (block, block.piece.placement) for block in blocks if block.piece is not None and block.piece.placement
    ]
    if any(placement.at for _, placement in placements):
        return {}
    ends, count = [], 0
    for beat in beats:
        count += len(beat.actions)
        ends.append(count)
    found: dict[tuple[int, int], Offset] = {}
    for page in {block.page for block in blocks}:
        mine = [block for block in blocks if block.page == page]
        last: Offset | None = None
        placed = any(block.page == page for block, _ in placements)
        for beat, end in enumerate(ends):
            here = [b for b in mine if b.event < end and (b.piece is None or b.piece.until >= end)]
            if not here:
                continue
            # In the end things stand in the regions that their author gave them.
            whole = placed and all(block.event < end for block in mine)
            wanted = (0.0, 0.0) if whole else _middle(here, area)
            if last is not None and max(abs(wanted[0] - last[0]), abs(wanted[1] - last[1])) < LEAST:
                wanted = last
            elif max(map(abs, wanted)) < LEAST:
                wanted = (0.0, 0.0)
            found[beat, page] = last = wanted
    return found


def _middle(blocks: list[Block], area: Area) -> Offset:
    """What moves them together into the middle; two fifths of the free height above look centred."""
    left, right = min(b.x for b in blocks), max(b.x + b.width for b in blocks)
    top, bottom = max(b.y for b in blocks), min(b.y - b.height for b in blocks)
    free = max(area.height - (top - bottom), 0.0)
    wide = max(area.width - (right - left), 0.0)
    return area.left + wide / 2 - left, area.top - 0.4 * free - top
