"""Pieces → pages. Planned before anything is drawn.

A section is what is shown between two `clear`s. It becomes one page at the largest scale at which everything
fits, down to the floor of legibility. What doesn't fit even then is spread over several pages at a comfortable
scale, and what is longer than a page (a list, a text, a table, a program, a formula) continues on the next.
"""

from __future__ import annotations

import math
from itertools import pairwise

from .. import theme
from .blocks import Area, Block, Piece, measured
from .page import fits, one_page, place
from .placement import arranged

SPREAD_LEVEL = 0.9
"""Scale of pages when a section needs more than one."""


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
    if any(piece.placement for piece in pieces) and not _in_the_middle(pieces):
        blocks = arranged(pieces, area)
        if any(block.crowded and block.piece is not None and block.piece.is_figure for block in blocks):
            # Rather elsewhere than so small that labels leave what they are in.
            flowing = one_page(pieces, area, theme.LEVELS, grows=True)
            blocks = blocks if not flowing or any(block.crowded for block in flowing) else flowing
        if blocks:
            for block in blocks:
                block.page = first_page
            return blocks
    blocks = one_page(pieces, area, theme.LEVELS, grows=True)
    if blocks:
        for block in blocks:
            block.page = first_page
    else:
        blocks = _spread(pieces, area, first_page)
    pages = [block.page for block in blocks]
    for block in blocks:
        if pages.count(block.page) == 1 and block.piece and block.piece.centred_alone:
            block.x = area.left + (area.width - block.width) / 2
    return blocks


def _in_the_middle(pieces: list[Piece]) -> bool:
    """Whether a single element is wanted in the middle, where it stands anyway."""
    regions = {piece.placement.region if piece.placement and not piece.placement.at else None for piece in pieces}
    return len({piece.event for piece in pieces}) == 1 and regions == {"center"}


def _spread(pieces: list[Piece], area: Area, page: int) -> list[Block]:
    """Over as many pages as it takes; each is as full as it can be at a comfortable scale."""
    pages: list[list[Piece]] = []
    current: list[Piece] = []
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop(0)
        alone = measured(piece, SPREAD_LEVEL, area.width, area.height)
        if not fits([alone], area):
            # As many as there are pages, all alike, rather than full ones and a rest.
            parts = piece.divided(max(2, math.ceil(alone.height / area.height)))
            if parts:
                for part in parts:
                    part.until, part.scale, part.opacity = piece.until, piece.scale, piece.opacity
                    part.part = piece.part
                waiting[:0] = parts
                continue
        if current and not one_page([*current, piece], area, (SPREAD_LEVEL,)):
            pages.append(current)
            current = []
        current.append(piece)
    pages.append(current)
    _keep_company(pages)
    for level in reversed(theme.LARGER):
        # All pages of a section are set alike.
        larger = [one_page(current, area, (level,)) for current in pages]
        if all(larger) and not any(block.crowded for blocks in larger for block in blocks):
            for number, blocks in enumerate(larger, page):
                for block in blocks:
                    block.page = number
            return [block for blocks in larger for block in blocks]
    done: list[Block] = []
    for number, current in enumerate(pages, page):
        blocks = one_page(current, area, (SPREAD_LEVEL, *theme.LEVELS[2:]))
        if not blocks:
            # Nothing makes it fit: it stands alone at the floor, and the audit tells.
            blocks = [measured(piece, theme.LEVELS[-1], area.width, area.height) for piece in current]
            place(blocks, area)
        for block in blocks:
            block.page = number
        done += blocks
    return done


def _keep_company(pages: list[list[Piece]]) -> None:
    """The last item of a list that would stand alone has half of those before it with it."""
    for before, page in pairwise(pages):
        if len(page) == 1 and page[0].is_item:
            same = [piece for piece in before if piece.is_item and piece.element == page[0].element]
            if len(same) == len(before):
                page[:0] = before[(len(before) + 1) // 2 :]
                del before[(len(before) + 1) // 2 :]
            elif len(same) > 1 and before[-1] is same[-1]:
                page.insert(0, before.pop())
