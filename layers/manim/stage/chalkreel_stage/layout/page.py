"""Everything on one page: blocks above each other, figures beside or below the words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from .. import theme
from .blocks import Area, Block, Piece, measured, stacked

MOST_STRETCH = 2.5
"""By how much of themselves the gaps between the things of a page grow at most when it has room."""

MUCH_MORE = 1.25
"""How many times more of a page an arrangement must use to be preferred to one that is usual."""

LONG_LIST = 6
"""Items of a list from which on it may stand in two columns."""

LEAST_COLUMN = 0.22
"""Part of the width that words beside a figure have at least."""


def one_page(pieces: list[Piece], area: Area, levels: Sequence[float], grows: bool = False) -> list[Block]:
    """All on one page at the largest of the scales at which that is possible; none when it isn't at any.

    When it `grows`, a page with room is set larger than the first of the scales.
    """
    figures = [piece for piece in pieces if piece.is_figure]
    templates = (_stack, _halves)
    if figures and len(pieces) > 1:
        # Several figures like to stand side by side, a single one beside or among the words.
        templates = (_columns, _rows, _stack) if len(figures) > 1 else (_columns, _stack, _rows)
        # On an upright page there is more room above each other.
        templates = (_rows, _stack, _columns) if area.height > 1.1 * area.width else templates
    for level in levels:
        pages: list[list[Block]] = []
        for template in templates:
            blocks = template(pieces, area, level)
            if blocks and not (grows and level == levels[0]):
                return blocks
            if blocks:
                pages.append(_grown(template, pieces, area, blocks))
        if pages:
            return _fullest(pages, area)
    return []


def _fullest(pages: list[list[Block]], area: Area) -> list[Block]:
    """The first of the pages, or one that uses much more of the area."""
    best, used = pages[0], _used(pages[0], area)
    for page in pages[1:]:
        if (more := _used(page, area)) > MUCH_MORE * used:
            best, used = page, more
    return best


def _used(blocks: list[Block], area: Area) -> float:
    """The part of the area that the box around the blocks takes."""
    width = max(b.x + b.width for b in blocks) - min(b.x for b in blocks)
    height = max(b.y for b in blocks) - min(b.y - b.height for b in blocks)
    return width * height / (area.width * area.height)


def _grown(
    template: Callable[[list[Piece], Area, float], list[Block]], pieces: list[Piece], area: Area, blocks: list[Block]
) -> list[Block]:
    """The page at the largest scale that suits what is on it.

    Words that are large enough stay as they are, all of their kind, while the rest grows.
    """
    bounds = [piece.largest for piece in pieces]
    if len({piece.event for piece in pieces}) == 1:
        for piece in pieces:
            piece.largest = max(piece.largest, piece.largest_alone)
    good = 1.0
    for level in theme.LARGER:
        if all(piece.largest <= good for piece in pieces):
            break
        larger = template(pieces, area, level)
        full = {type(piece) for piece, block in zip(pieces, larger, strict=False) if block.crowded}
        if full:
            for piece in pieces:
                piece.largest = min(piece.largest, good) if type(piece) in full else piece.largest
            larger = template(pieces, area, level)
        if not larger or any(block.crowded for block in larger):
            break
        blocks, good = larger, level
    for piece, bound in zip(pieces, bounds, strict=True):
        piece.largest = bound
    return blocks


def fits(blocks: list[Block], area: Area) -> bool:
    """Whether the blocks, above each other, are no larger than the area."""
    return stacked(blocks) <= area.height + 1e-6 and all(block.width <= area.width + 1e-6 for block in blocks)


def _stack(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    blocks = [measured(piece, level, area.width, area.height) for piece in pieces]
    if not fits(blocks, area):
        return []
    place(blocks, area)
    return blocks


def _halves(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """Words in two columns, when none needs more than half of the width; the parts of an element stay together."""
    if any(piece.is_figure for piece in pieces):
        return []
    blocks = [measured(piece, level, area.width, area.height) for piece in pieces]
    half = 0.47 * area.width
    # Formulas alone follow from each other more often than not, and are read downwards.
    if any(block.width > half for block in blocks) or all(block.centred for block in blocks):
        return []
    long = len(blocks) >= LONG_LIST and all(block.piece is not None and block.piece.is_item for block in blocks)
    # Between two elements or items of a long list, and not within formulas whose equals signs stand below each other.
    cuts = [
        i
        for i, (a, b) in enumerate(pairwise(blocks), 1)
        if (a.element != b.element and (a.anchor is None or b.anchor is None)) or (long and b.starts)
    ]
    cut = min(cuts, key=lambda i: max(stacked(blocks[:i]), stacked(blocks[i:])), default=0)
    left, right = blocks[:cut], blocks[cut:]
    if not cut or max(stacked(left), stacked(right)) > area.height:
        return []
    place(left, Area(area.left, area.top, half, area.height))
    place(right, Area(area.left + area.width - half, area.top, half, area.height))
    if long:
        # Columns of one list begin at one height.
        top = max(left[0].y, right[0].y)
        for column in (left, right):
            lower = top - column[0].y
            for block in column:
                block.y += lower
    return blocks


def _columns(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """The figures in a column beside everything else."""
    figures = [piece for piece in pieces if piece.is_figure]
    if len(figures) == len(pieces) or len(figures) > 2 or level < 0.7:
        return []
    gutter = 0.04 * area.width
    # A formula that is too wide for its column may have a little more.
    for most in (0.42 * area.width, 0.52 * area.width):
        blocks = {id(p): measured(p, level, most, area.height) for p in pieces if not p.is_figure}
        column = list(blocks.values())
        if not any(block.crowded and block.centred for block in column):
            break
    if not fits(column, Area(area.left, area.top, most, area.height)):
        return []
    # The words take the width that they need, the figures all that is left.
    needed = max(max(block.width for block in column), LEAST_COLUMN * area.width)
    height = (area.height - theme.GAP * (len(figures) - 1)) / len(figures)
    room = area.width - needed - gutter
    beside = Area(area.left, area.top, room, area.height)
    # Figures fill their column, however large the words are.
    for size in (theme.DRAWING_GROWS, theme.FIGURE_GROWS, 1.0):
        asides = [measured(figure, size, room, height) for figure in figures]
        if fits(asides, beside):
            break
    else:
        return []
    widest = max(block.width for block in asides)
    left = area.left + (area.width - needed - gutter - widest) / 2
    narrow = Area(left, area.top, needed, area.height)
    wide = Area(left + needed + gutter, area.top, widest, area.height)
    place(column, narrow)
    place(asides, wide)
    blocks |= {id(figure): aside for figure, aside in zip(figures, asides, strict=True)}
    return [blocks[id(piece)] for piece in pieces]


def _rows(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """Words above, figures in a grid below them."""
    figures = [piece for piece in pieces if piece.is_figure]
    words = [measured(piece, level, area.width, area.height) for piece in pieces if not piece.is_figure]
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
    return [next(waiting_cells) if piece.is_figure else next(waiting_words) for piece in pieces]


def place(blocks: list[Block], area: Area) -> None:
    """Puts the blocks above each other into the area."""
    free = area.height - stacked(blocks)
    gaps = sum(block.gap for block in blocks[1:])
    # Spare room opens the gaps, the rest stands above and below; two fifths above looks centred.
    stretch = 1.0 + min(MOST_STRETCH, 0.6 * free / gaps) if gaps > 0 and free > 0 else 1.0
    free -= gaps * (stretch - 1.0)
    # What begins at the left has one edge, so that together it stands in the middle.
    widest = max((block.width for block in blocks if not block.centred), default=area.width)
    edge = area.left + max(area.width - widest, 0.0) / 2
    y = area.top - max(free, 0.0) * 0.4
    for i, block in enumerate(blocks):
        if i:
            y -= block.gap * stretch
        block.x = area.left + (area.width - block.width) / 2 if block.centred else edge
        block.y = y
        y -= block.height
    _align(blocks, area)


def _align(blocks: list[Block], area: Area) -> None:
    """Formulas that follow each other have their equals signs below each other, where there is room."""
    run: list[Block] = []
    for block in (*blocks, None):
        if block is not None and block.anchor is not None:
            run.append(block)
            continue
        left = max((one.anchor or 0.0 for one in run), default=0.0)
        right = max((one.width - (one.anchor or 0.0) for one in run), default=0.0)
        if len(run) > 1 and left + right <= area.width:
            sign = area.left + (area.width - left - right) / 2 + left
            for one in run:
                one.x = sign - (one.anchor or 0.0)
        run = []
