"""Everything on one page: blocks above each other, figures beside or below the words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import theme
from .blocks import Area, Block, Piece, measured, stacked


def one_page(pieces: list[Piece], area: Area, levels: Sequence[float]) -> list[Block]:
    """All on one page at the largest of the scales at which that is possible; none when it isn't at any."""
    figures = [piece for piece in pieces if piece.is_figure]
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


def fits(blocks: list[Block], area: Area) -> bool:
    """Whether the blocks, above each other, are no larger than the area."""
    return stacked(blocks) <= area.height + 1e-6 and all(block.width <= area.width + 1e-6 for block in blocks)


def _stack(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    blocks = [measured(piece, level, area.width, area.height) for piece in pieces]
    if not fits(blocks, area):
        return []
    place(blocks, area)
    return blocks


def _columns(pieces: list[Piece], area: Area, level: float) -> list[Block]:
    """The figures in a column beside everything else."""
    figures = [piece for piece in pieces if piece.is_figure]
    if len(figures) == len(pieces) or len(figures) > 2 or level < 0.7:
        return []
    gutter = 0.04 * area.width
    narrow = Area(area.left, area.top, 0.42 * area.width, area.height)
    wide = Area(area.left + narrow.width + gutter, area.top, area.width - narrow.width - gutter, area.height)
    blocks = {id(p): measured(p, level, narrow.width, narrow.height) for p in pieces if not p.is_figure}
    column = list(blocks.values())
    if not fits(column, narrow):
        return []
    height = (wide.height - theme.GAP * (len(figures) - 1)) / len(figures)
    asides = [measured(figure, 1.0, wide.width, height) for figure in figures]
    if not fits(asides, wide):
        return []
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
