"""Program text: coloured by Pygments, set by Typst in a panel. Lines that are too long wrap under themselves."""

from __future__ import annotations

from manim import RoundedRectangle, VGroup
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String
from pygments.util import ClassNotFound

from . import theme
from .audit import Box
from .layout import Act, Block, Part, Piece
from .text import ink
from .typeset import Sheet, Typesetter, literal, mobject

PADDING = 0.3
"""Distance of text and panel, in frame units."""

_NBSP = "\u00a0"


class Program(Piece):
    """A code element, or some of its lines."""

    def __init__(
        self,
        element: str,
        event: int,
        language: str,
        lines: list[list[tuple[str, str]]],
        setter: Typesetter,
        look: theme.Theme,
    ) -> None:
        """`lines` are lists of (text, colour)."""
        self.element, self.event = element, event
        self._language, self._lines, self._setter, self._look = language, lines, setter, look

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        size = max(theme.CODE * level, theme.TEXT_FLOOR)
        sheet = self._sheet(size, width - 2 * PADDING)
        panel_width = min(max(sheet.width + 2 * PADDING, 0.5 * width), width)
        panel_height = sheet.height + 2 * PADDING

        def make() -> tuple[list[Part], list[Box]]:
            panel = RoundedRectangle(
                corner_radius=0.12,
                width=panel_width,
                height=panel_height,
                stroke_width=0,
                fill_color=self._look.panel,
                fill_opacity=1.0,
            ).move_to([panel_width / 2, -panel_height / 2, 0])
            text: VGroup = mobject(sheet).shift([PADDING, -PADDING, 0])
            seconds = min(0.4 + 0.22 * len(self._lines), 3.0)
            acts = [Act("dissolve", panel, 0.3), Act("uncover", text, seconds)]
            return [Part(acts, 20 + 20 * len(self._lines))], ink(self.element, VGroup(panel), size)

        return Block(self.element, self.event, panel_width, panel_height, theme.GAP * level, make)

    def _sheet(self, size: float, width: float) -> Sheet:
        body = "#linebreak()".join(self._line(line) for line in self._lines)
        # As typed: JetBrains Mono would draw `->` as an arrow.
        plain = "#set text(ligatures: false, features: (calt: 0))\n"
        preamble = plain + "#set par(leading: 0.28em)"
        natural = self._setter.sheet(body, size, self._look.text, None, theme.CODE_FONTS, preamble)
        if natural.width <= width:
            return natural
        wrapped = "\n\n".join(self._line(line) or f"#{literal(_NBSP)}" for line in self._lines)
        preamble = plain + "#set par(leading: 0.28em, spacing: 0.28em, hanging-indent: 2em)"
        return self._setter.sheet(wrapped, size, self._look.text, width, theme.CODE_FONTS, preamble)

    @staticmethod
    def _line(line: list[tuple[str, str]]) -> str:
        out = []
        start = True
        for text, colour in line:
            bare = text.lstrip(" ") if start else text
            shown = _NBSP * (len(text) - len(bare)) + bare.replace("  ", _NBSP + " ")
            start = start and not bare
            if shown:
                out.append(f'#text(fill: rgb("{colour}"))[#{literal(shown)}]')
        return "".join(out)

    def halves(self) -> list[Piece]:
        """See Piece: cut at the empty line nearest to the middle, or in the middle."""
        if len(self._lines) < 2:
            return []
        middle = len(self._lines) // 2
        empty = [i for i, line in enumerate(self._lines) if not line and 0 < i < len(self._lines) - 1]
        if empty:
            nearest = min(empty, key=lambda i: abs(i - middle))
            if abs(nearest - middle) <= len(self._lines) // 5:
                return [self._part(self._lines[:nearest]), self._part(self._lines[nearest + 1 :])]
        return [self._part(self._lines[:middle]), self._part(self._lines[middle:])]

    def _part(self, lines: list[list[tuple[str, str]]]) -> Program:
        return Program(self.element, self.event, self._language, lines, self._setter, self._look)


def coloured(text: str, language: str, look: theme.Theme) -> list[list[tuple[str, str]]]:
    """Lines of (text, colour). A language that Pygments doesn't know is plain text."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False) if language else TextLexer(stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    lines: list[list[tuple[str, str]]] = [[]]
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
