"""Program text: coloured by Pygments, set by Typst in a panel. Lines that are too long wrap under themselves."""

from __future__ import annotations

from manim import Group, Rectangle, RoundedRectangle, VMobject
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String
from pygments.util import ClassNotFound

from .. import theme
from ..audit import Box, ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter, literal

PADDING = 0.3
"""Distance of text and panel, in frame units."""

LEADING = 0.28
"""Distance of two lines, in font sizes."""

Line = list[tuple[str, str]]
"""Pieces of text, each with its colour."""

_NBSP = "\u00a0"


class Program(Piece):
    """A code element, or some of its lines."""

    has_lines = True
    centred_alone = True
    largest = theme.CODE_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        lines: list[Line],
        setter: Typesetter,
        look: theme.Theme,
        highlighted: frozenset[int] = frozenset(),
        first: int = 1,
    ) -> None:
        """`lines` are lists of (text, colour); `highlighted` are numbers of lines, `first` that of the first one."""
        self.element, self.event = element, event
        self._lines, self._setter, self._look = lines, setter, look
        self._highlighted, self._first = highlighted, first

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        size = max(theme.CODE * level, theme.TEXT_FLOOR)
        least_height = len(self._lines) * size * (1.15 + LEADING)
        if least_height > 2 * height:
            # Far too long for a page, so it is divided before any of it is set.
            return Block(self.element, self.event, width, least_height, theme.GAP, lambda: Drawn([], []))
        sheets = [self._sheet(line, size, width - 2 * PADDING) for line in self._lines]
        leading = LEADING * size
        text_width = max((sheet.width for sheet in sheets), default=0.0)
        panel_width = min(max(text_width + 2 * PADDING, 0.5 * width), width)
        panel_height = sum(sheet.height for sheet in sheets) + leading * (len(sheets) - 1) + 2 * PADDING

        def make() -> Drawn:
            panel = RoundedRectangle(
                corner_radius=0.12,
                width=panel_width,
                height=panel_height,
                stroke_width=0,
                fill_color=self._look.panel,
                fill_opacity=1.0,
            ).move_to([panel_width / 2, -panel_height / 2, 0])
            back, text, regions, y = Group(panel), Group(), {}, -PADDING
            for i, sheet in enumerate(sheets):
                number = self._first + i
                name, half = f"{self.element}: line {number}", leading / 2
                line = Box(name, 0.1, y - sheet.height - half, panel_width - 0.1, y + half)
                regions[str(number)] = [line]
                if number in self._highlighted:
                    back.add(*self._marked(line))
                text.add(mobject(sheet).shift([PADDING, y, 0]))
                y -= sheet.height + leading
            seconds = min(0.4 + 0.22 * len(self._lines), 3.0)
            shown = tuple("".join(part for part, _ in line) for line in self._lines)
            acts = [Act("dissolve", back, 0.3), Act("uncover", text, seconds, lines=shown)]
            parts = [Part(acts, 20 + 20 * len(self._lines))]
            return Drawn(parts, ink(self.element, Group(panel), size), regions)

        # Lines that wrap are hard to read as lines.
        crowded = any(sheet.height > 1.7 * size for sheet in sheets)
        gap = theme.GAP * level
        return Block(self.element, self.event, panel_width, panel_height, gap, make, crowded=crowded)

    def _marked(self, line: Box) -> list[VMobject]:
        """A band behind a highlighted line, and a bar at its left."""
        height, y = line.top - line.bottom, (line.top + line.bottom) / 2
        colour = self._look.accent
        band = Rectangle(
            width=line.right - line.left, height=height, stroke_width=0, fill_color=colour, fill_opacity=0.16
        )
        bar = Rectangle(width=0.06, height=height, stroke_width=0, fill_color=colour, fill_opacity=1.0)
        return [band.move_to([(line.left + line.right) / 2, y, 0]), bar.move_to([line.left + 0.03, y, 0])]

    def _sheet(self, line: Line, size: float, width: float) -> Sheet:
        body = self._line(line) or f"#{literal(_NBSP)}"
        # As typed: JetBrains Mono would draw `->` as an arrow.
        plain = "#set text(ligatures: false, features: (calt: 0))\n"
        natural = self._setter.sheet(body, size, self._look.text, None, theme.CODE_FONTS, plain)
        if natural.width <= width:
            return natural
        wrapping = plain + f"#set par(leading: {LEADING}em, hanging-indent: 2em)"
        return self._setter.sheet(body, size, self._look.text, width, theme.CODE_FONTS, wrapping)

    @staticmethod
    def _line(line: Line) -> str:
        out = []
        start = True
        for text, colour in line:
            bare = text.lstrip(" ") if start else text
            shown = _NBSP * (len(text) - len(bare)) + bare.replace("  ", _NBSP + " ")
            start = start and not bare
            if shown:
                out.append(f'#text(fill: rgb("{colour}"))[#{literal(shown)}]')
        return "".join(out)

    def divided(self, count: int) -> list[Piece]:
        """See Piece: cut at an empty line when one is near."""
        if len(self._lines) < 2:
            return []
        count = min(count, len(self._lines))
        size = len(self._lines) / count
        empty = [i for i, line in enumerate(self._lines) if not line and 0 < i < len(self._lines) - 1]
        parts, start = [], 0
        for k in range(1, count):
            edge = round(k * size)
            near = min(empty, key=lambda i, edge=edge: abs(i - edge), default=-1)
            # Not later than planned, or the part would no longer fit.
            gap = start < near <= edge and edge - near <= size / 5
            end = near if gap else edge
            if end > start:
                parts.append(self._part(start, end))
                start = end + 1 if gap else end
        return [*parts, self._part(start, len(self._lines))]

    def _part(self, start: int, end: int) -> Program:
        first = self._first + start
        return Program(
            self.element, self.event, self._lines[start:end], self._setter, self._look, self._highlighted, first
        )


def coloured(text: str, language: str, look: theme.Theme) -> list[Line]:
    """Lines of (text, colour). A language that Pygments doesn't know is plain text."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False) if language else TextLexer(stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    lines: list[Line] = [[]]
    for token, value in lex(text.expandtabs(4), lexer):
        colour = look.syntax[_class(token)]
        for i, piece in enumerate(value.split("\n")):
            if i:
                lines.append([])
            if piece:
                lines[-1].append((piece, colour))
    while len(lines) > 1 and not any(part.strip() for part, _ in lines[-1]):
        lines.pop()
    return lines


def _class(token: object) -> str:
    if token in Comment:
        return "comment"
    if token in Keyword.Type or token in Name.Class or token in Name.Builtin.Pseudo:
        return "type"
    if token in Keyword or token in Operator.Word:
        return "keyword"
    if token in String:
        return "string"
    if token in Number:
        return "number"
    if token in Name.Function or token in Name.Builtin or token in Name.Decorator:
        return "function"
    if token in Operator or token in Punctuation:
        return "operator"
    return "name"
