"""Items of lists, with their markers."""

from __future__ import annotations

from collections.abc import Sequence

from .. import theme
from ..layout.blocks import Block, Piece, shares, short_lines
from ..storyboard.types import Bullet, Span
from ..typesetting.rich_text import RIGHT_TO_LEFT, FormulaCheck, fitting, inline, leftwards, length, reach, words
from ..typesetting.typesetter import Typesetter, literal
from .text import uncovering


class Item(Piece):
    """One item of a list."""

    is_item = True
    largest = theme.TEXT_GROWS
    largest_alone = theme.LONE_LIST_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        item: Bullet,
        first: bool,
        setter: Typesetter,
        look: theme.Theme,
        checked: FormulaCheck,
        marked: bool = True,
        spans: Sequence[Span] | None = None,
    ) -> None:
        """`spans` are the part of the item's text that this shows; none means all of it."""
        self.element, self.event = element, event
        self._item, self._first, self._marked = item, first, marked
        self._spans = item.text.spans if spans is None else spans
        self._setter, self._look, self._checked = setter, look, checked

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        depth = min(self._item.level, 4)
        size = max(theme.TEXT * level * (0.92 if depth else 1.0), theme.TEXT_FLOOR)
        spans, number = self._spans, self._item.number
        mark = f"{number}." if number is not None else ("•" if depth % 2 == 0 else "–")
        marker = f'text(fill: rgb("{self._look.accent}"), weight: "semibold")[#{literal(mark if self._marked else "")}]'
        # Two digits and their dot; more take what they need.
        column = "0.85em" if number is None else "1.8em" if number < 100 else "auto"
        # One step of nesting is as wide as a numbered item's marker and its gap.
        indent = 1.25 * depth
        body = (
            f"#pad(left: {indent}em, grid(columns: ({column}, 1fr), column-gutter: 0.25em, {marker}, "
            f"[{inline(spans, self._look, self._checked)}]))"
        )
        from_right = leftwards(spans)
        if from_right:
            body = RIGHT_TO_LEFT + body.replace("pad(left:", "pad(right:", 1)
        sheet, size = fitting(self._setter, body, size, self._look.text, width)
        seconds = min(0.4 + 0.018 * length(spans), 1.6)
        gap = theme.GAP * level * (1.0 if self._first else 0.62 if depth == 0 else 0.4)
        room = width - (indent + (1.1 if number is None else 2.05)) * size
        whole = (
            level > self.scale and self._setter.sheet(inline(spans, self._look, self._checked), size, "#ffffff").width
        )
        return Block(
            self.element,
            self.event,
            width if from_right else min(reach(sheet), width),
            sheet.height,
            gap,
            uncovering(self.element, sheet, size, seconds, length(spans)),
            starts=depth == 0 and self._marked,
            crowded=bool(whole) and short_lines(level / self.scale, size, whole, room),
        )

    def divided(self, count: int) -> list[Piece]:
        """See Piece: only the first part has a marker."""
        cut = words(self._spans)
        if len(cut) < 2:
            return []
        return [
            Item(
                self.element,
                self.event,
                self._item,
                self._first and i == 0,
                self._setter,
                self._look,
                self._checked,
                self._marked and i == 0,
                part,
            )
            for i, part in enumerate(map(list, shares(cut, count)))
        ]
