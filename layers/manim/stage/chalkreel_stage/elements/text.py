"""Text elements: paragraphs that wrap, and are cut between words when longer than a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import theme
from ..audit import ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares, short_lines
from ..storyboard.types import Span
from ..typesetting.outlines import lines, mobject
from ..typesetting.rich_text import RIGHT_TO_LEFT, FormulaCheck, fitting, inline, leftwards, length, words
from ..typesetting.typesetter import Sheet, Typesetter


class Paragraph(Piece):
    """A text element."""

    centred_alone = True
    largest = theme.TEXT_GROWS
    largest_alone = theme.LONE_TEXT_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        spans: Sequence[Span],
        setter: Typesetter,
        look: theme.Theme,
        checked: FormulaCheck,
        centred: bool = False,
        colour: str | None = None,
    ) -> None:
        self.element, self.event = element, event
        self._spans, self._setter, self._look, self._checked = spans, setter, look, checked
        self._centred, self._colour = centred, colour or look.text

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        size = max(theme.TEXT * level, theme.TEXT_FLOOR)
        body = inline(self._spans, self._look, self._checked)
        sheet, size, natural = self._sheet(body, size, width)
        seconds = min(0.5 + 0.018 * length(self._spans), 2.0)
        return Block(
            self.element,
            self.event,
            sheet.width,
            sheet.height,
            theme.GAP * level,
            uncovering(self.element, sheet, size, seconds, length(self._spans)),
            centred=self._centred,
            crowded=short_lines(level / self.scale, size, natural, width),
        )

    def _sheet(self, body: str, size: float, width: float) -> tuple[Sheet, float, float]:
        """Also the size, and the width that it would have in one line."""
        natural = self._setter.sheet(body, size, self._colour)
        if leftwards(self._spans) and not self._centred:
            return *fitting(self._setter, RIGHT_TO_LEFT + body, size, self._colour, width), natural.width
        if natural.width <= width:
            return natural, size, natural.width
        if self._centred:
            body = f"#align(center)[{body}]"
        return *fitting(self._setter, body, size, self._colour, width), natural.width

    def divided(self, count: int) -> list[Piece]:
        """See Piece: cut between words."""
        cut = words(self._spans)
        if len(cut) < 2:
            return []
        return [
            Paragraph(
                self.element, self.event, part, self._setter, self._look, self._checked, self._centred, self._colour
            )
            for part in map(list, shares(cut, count))
        ]


def uncovering(name: str, sheet: Sheet, size: float, seconds: float, letters: int) -> Callable[[], Drawn]:
    """Makes a block's single part: the sheet with its letters, uncovered line by line."""

    def make() -> Drawn:
        group = mobject(sheet)
        parts = [Part([Act("uncover", group, seconds)], 12 + letters)]
        widths = [right - left for left, _, right, _ in lines(group)]
        measures = [round(letters * max(widths) / sum(widths))] if len(widths) > 1 else []
        return Drawn(parts, ink(name, group, size), sheets=[(sheet, 0.0, 0.0)], measures=measures)

    return make
