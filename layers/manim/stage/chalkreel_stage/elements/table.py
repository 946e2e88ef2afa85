"""Tables: columns get what they need as far as there is room, cells wrap, and what is too large is divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from manim import Group, Line, VGroup

from .. import theme
from ..audit import Box, ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares
from ..storyboard.errors import StoryboardError
from ..storyboard.types import Span
from ..typesetting.outlines import mobject
from ..typesetting.rich_text import FormulaCheck, fitting, inline, length, words
from ..typesetting.typesetter import Sheet, Typesetter

PAD_X = 0.18
"""Room at each side of a cell's text, in frame units."""

PAD_Y = 0.09
LOOSEST = 2.5
"""By how much the room around the text of cells grows at most on a page that has room."""
LEAST = 1.15
"""Least width of a column whose text must wrap, in frame units, if no word of it needs more."""

MOST_COLUMNS = 32
"""Columns beyond which no page has room for a legible letter in each."""

MOST_CELLS = 120
"""Cells whose boxes the audit looks at one by one; beyond, the rows."""

Row = list[Sequence[Span]]
"""Spans of each cell."""


@dataclass(frozen=True)
class _Cell:
    sheet: Sheet
    size: float


class Table(Piece):
    """A table, or some of its rows and columns."""

    has_lines = True
    largest = theme.TEXT_GROWS
    largest_alone = theme.LONE_LIST_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        header: Row,
        rows: list[Row],
        align: list[str],
        setter: Typesetter,
        look: theme.Theme,
        checked: FormulaCheck,
    ) -> None:
        """Rows may be shorter than the widest one. Raises StoryboardError."""
        self.element, self.event = element, event
        self._columns = max([len(header), *(len(row) for row in rows)], default=0)
        if not self._columns:
            raise StoryboardError("the table has no cells")
        self._header = [*header, *([[]] * (self._columns - len(header)))] if header else []
        self._rows = [[*row, *([[]] * (self._columns - len(row)))] for row in rows]
        self._align = [*align, *(["left"] * (self._columns - len(align)))]
        self._setter, self._look, self._checked = setter, look, checked
        self._crowded = False
        self.is_whole = True
        """Whether it is all of its element, so that its rows and columns are the element's."""
        self.edges: list[float] = []
        """Where its columns begin, and its right edge, from its left edge."""
        self._room = 0.0

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece. Wider than `width` when the columns don't fit at all."""
        size = max(theme.TEXT * 0.9 * level, theme.TEXT_FLOOR)
        loose = min(1.0 + 3.0 * max(level / self.scale - 1.0, 0.0), LOOSEST)
        pad_x, pad_y = PAD_X * loose, PAD_Y * loose
        self._room = width - 2 * pad_x
        rows = [self._header, *self._rows] if self._header else self._rows
        least_height = len(rows) * (size * 1.15 + 2 * pad_y)
        if least_height > 2 * height or self._columns > MOST_COLUMNS:
            # Far too large for a page, so it is divided before any of it is set.
            self._crowded = self._columns > MOST_COLUMNS
            return Block(self.element, self.event, width, 2 * least_height, theme.GAP, lambda: Drawn([], []))
        bodies = [[self._body(cell, i == 0 and bool(self._header)) for cell in row] for i, row in enumerate(rows)]
        natural = [
            max(self._setter.sheet(row[c], size, self._look.text).width if row[c] else 0.0 for row in bodies)
            + 2 * pad_x
            for c in range(self._columns)
        ]
        least = [
            min(natural[c], max(LEAST, max(self._longest(row[c], size) for row in rows) + 2 * pad_x))
            for c in range(self._columns)
        ]
        widths = _shared(natural, least, width)
        self._crowded = widths is None
        if widths is None and self._columns <= 2 and level > theme.LEVELS[-1]:
            # Columns that can hardly be divided any more are rather set smaller.
            return self.measure(theme.LEVELS[-1], width, height)
        if widths is None:
            whole = sum(least) + 0.1
            return Block(self.element, self.event, max(whole, width + 0.1), size, theme.GAP, lambda: Drawn([], []))
        cells: list[list[_Cell | None]] = []
        for row in bodies:
            made: list[_Cell | None] = []
            for column, body in enumerate(row):
                made.append(self._cell(body, size, widths[column] - 2 * pad_x, self._align[column]) if body else None)
            cells.append(made)
        heights = [max((c.sheet.height for c in row if c), default=size) + 2 * pad_y for row in cells]
        whole_width = sum(widths)

        def make() -> Drawn:
            return self._make(cells, widths, heights, pad_x)

        # Not so large that cells wrap.
        crowded = sum(natural) > width
        gap = theme.GAP * level
        return Block(self.element, self.event, whole_width, sum(heights), gap, make, centred=True, crowded=crowded)

    def divided(self, count: int) -> list[Piece]:
        """See Piece: by columns when even the least widths don't fit, else by rows or words, each with the header."""
        if self._columns > 2 and (self._crowded or len(self._rows) < 2):
            middle = (self._columns + 1) // 2
            # The first column says what a row is about, so it comes again.
            halves = ([*range(middle)], [0, *range(middle, self._columns)])
            return [self._only(columns, self._rows) for columns in halves]
        if len(self._rows) < 2:
            if not self._crowded:
                return self._by_words(count)
            return [self._only([0], self._rows), self._only([1], self._rows)] if self._columns > 1 else self._written()
        everything = [*range(self._columns)]
        return [self._only(everything, list(rows)) for rows in shares(self._rows, count)]

    def _only(self, columns: list[int], rows: list[Row]) -> Table:
        made = Table(
            self.element,
            self.event,
            [self._header[c] for c in columns] if self._header else [],
            [[row[c] for c in columns] for row in rows],
            [self._align[c] for c in columns],
            self._setter,
            self._look,
            self._checked,
        )
        made.is_whole = False
        return made

    def _by_words(self, count: int) -> list[Piece]:
        """A single row that is too high, with some of the words of each of its cells in each piece."""
        cut = [words(cell) for row in self._rows for cell in row]
        if max(map(len, cut), default=0) < 2:
            return []
        parts = [[*map(list, shares(cell, count))] if cell else [] for cell in cut]
        everything = [*range(self._columns)]
        return [
            self._only(everything, [[part[k] if k < len(part) else [] for part in parts]])
            for k in range(max(map(len, parts)))
        ]

    def _written(self) -> list[Piece]:
        """The same with formulas that are too wide for the page as their authors wrote them, which can be wrapped."""
        why = "is too wide for the frame at a legible size and is shown as written"
        self._checked.warn(f"a formula in table {self.element} {why}")

        def shown(spans: Sequence[Span]) -> list[Span]:
            return [self._coded(span) if self._too_wide(span) else span for span in spans]

        header, rows = [shown(cell) for cell in self._header], [[shown(cell) for cell in row] for row in self._rows]
        return [Table(self.element, self.event, header, rows, self._align, self._setter, self._look, self._checked)]

    def _too_wide(self, span: Span) -> bool:
        body = self._body([span], True) if span.math else ""
        return bool(body) and self._setter.sheet(body, theme.TEXT_FLOOR, self._look.text).width > self._room

    @staticmethod
    def _coded(span: Span) -> Span:
        return Span(code=span.math.latex) if span.math else span

    def _longest(self, spans: Sequence[Span], size: float) -> float:
        """Width of the longest word, or formula, of a cell."""
        longest = max(words(spans), key=lambda word: length([word]), default=None)
        if longest is None:
            return 0.0
        bare = longest if longest.math else Span(**{longest.kind: longest.value.strip()})
        body = self._body([bare], True)
        return self._setter.sheet(body, size, self._look.text).width if body else 0.0

    def _body(self, spans: Sequence[Span], strong: bool) -> str:
        if not length(spans):
            return ""
        body = inline(spans, self._look, self._checked)
        return f"#strong[{body}]" if strong else body

    def _cell(self, body: str, size: float, inner: float, align: str) -> _Cell:
        natural = self._setter.sheet(body, size, self._look.text)
        if natural.width <= inner + 1e-3:
            return _Cell(natural, size)
        side = align if align in ("center", "right") else "left"
        return _Cell(*fitting(self._setter, f"#align({side})[{body}]", size, self._look.text, inner))

    def _make(self, cells: list[list[_Cell | None]], widths: list[float], heights: list[float], pad_x: float) -> Drawn:
        drawn = Drawn([], [])
        lines, y = VGroup(), 0.0
        self.edges = [0.0, *accumulate(widths)]
        whole, each = sum(widths), len(cells) * len(widths) <= MOST_CELLS
        for r, (row, height) in enumerate(zip(cells, heights, strict=True)):
            head = r == 0 and bool(self._header)
            group, x, font = Group(), 0.0, theme.TEXT
            boxes: list[Box] = []
            for c, (cell, width) in enumerate(zip(row, widths, strict=True)):
                if cell:
                    free = width - 2 * pad_x - cell.sheet.width
                    part = {"center": 0.5, "right": 1.0}.get(self._align[c], 0.0)
                    left, top = x + pad_x + max(free, 0.0) * part, y - (height - cell.sheet.height) / 2
                    item = mobject(cell.sheet).shift([left, top, 0])
                    group.add(item)
                    boxes += ink(f"{self.element}: row {r + 1}, column {c + 1}", item, cell.size)
                    drawn.sheets.append((cell.sheet, left, top))
                    font = min(font, cell.size)
                x += width
            drawn.boxes += boxes if each else ink(f"{self.element}: row {r + 1}", group, font)
            drawn.regions[str(r + 1 - bool(self._header))] = [
                Box(f"{self.element}: row {r + 1}", 0, y - height, whole, y)
            ]
            y -= height
            strength, colour = (3.0, self._look.accent) if head else (1.5, self._look.grid)
            rule = Line([0, y, 0], [whole, y, 0], stroke_width=strength, color=colour)
            if r + 1 < len(cells):
                (group if head else lines).add(rule)
            acts = [Act("uncover", group, 0.35 if head else 0.3)]
            drawn.parts.append(Part(acts, 10 + sum(1 for cell in row if cell)))
        drawn.boxes.append(Box(f"{self.element}: all", 0.0, y, whole, 0.0, holds=self.element))
        if len(lines):
            drawn.parts[0].acts.append(Act("dissolve", lines, 0.3))
        return drawn


def _shared(natural: list[float], least: list[float], width: float) -> list[float] | None:
    """Widths of the columns: the narrow ones as they are, the wide ones share the rest. None when it can't be."""
    if sum(natural) <= width:
        return natural
    if sum(least) > width:
        return None
    widths = list(least)
    rest = width - sum(widths)
    # Each wide column gets more in proportion to what it lacks.
    while rest > 1e-6:
        lacking = [max(n - w, 0.0) for n, w in zip(natural, widths, strict=True)]
        whole = sum(lacking)
        if whole <= 1e-6:
            break
        shares = [min(lack, rest * lack / whole) for lack in lacking]
        widths = [w + s for w, s in zip(widths, shares, strict=True)]
        rest -= sum(shares)
    return widths
