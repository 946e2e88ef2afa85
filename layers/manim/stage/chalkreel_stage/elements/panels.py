"""Call-outs, and placeholders: boxes that stand in for what can't be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from manim import DashedVMobject, Group, Rectangle, RoundedRectangle

from .. import theme
from ..audit import ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares, short_lines
from ..storyboard.types import Span
from ..typesetting.outlines import mobject
from ..typesetting.rich_text import RIGHT_TO_LEFT, FormulaCheck, fitting, inline, leftwards, length, words
from ..typesetting.typesetter import Typesetter, literal

PADDING = 0.32
"""Distance of text and panel, in frame units."""

LEAST_WIDTH = 3.4
"""Of a placeholder's box, in frame units."""

BAR = 0.08
"""Width of a call-out's bar, in frame units."""


class Callout(Piece):
    """A remark on a panel, with a bar at its left."""

    centred_alone = True
    largest = theme.TEXT_GROWS
    largest_alone = theme.LONE_LIST_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        spans: Sequence[Span],
        setter: Typesetter,
        look: theme.Theme,
        checked: FormulaCheck,
    ) -> None:
        self.element, self.event = element, event
        self._spans, self._setter, self._look, self._checked = spans, setter, look, checked

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        size = max(theme.TEXT * 0.95 * level, theme.TEXT_FLOOR)
        body = inline(self._spans, self._look, self._checked)
        inner = width - 2 * PADDING - BAR
        natural = self._setter.sheet(body, size, self._look.text)
        sheet, from_right = natural, leftwards(self._spans)
        if natural.width > inner or from_right:
            body = RIGHT_TO_LEFT + body if from_right else body
            sheet, size = fitting(self._setter, body, size, self._look.text, inner)
        panel_width = min(sheet.width + 2 * PADDING + BAR, width)
        panel_height = sheet.height + 1.5 * PADDING

        def make() -> Drawn:
            panel = RoundedRectangle(
                corner_radius=0.1,
                width=panel_width,
                height=panel_height,
                stroke_width=0,
                fill_color=self._look.panel,
                fill_opacity=1.0,
            ).move_to([panel_width / 2, -panel_height / 2, 0])
            bar = Rectangle(
                width=BAR, height=panel_height, stroke_width=0, fill_color=self._look.accent, fill_opacity=1.0
            ).move_to([panel_width - BAR / 2 if from_right else BAR / 2, -panel_height / 2, 0])
            x, y = (PADDING if from_right else BAR + PADDING), -0.75 * PADDING
            text = mobject(sheet).shift([x, y, 0])
            seconds = min(0.5 + 0.018 * length(self._spans), 2.0)
            acts = [Act("dissolve", Group(panel, bar), 0.3), Act("uncover", text, seconds)]
            boxes = ink(self.element, Group(panel, text), size)
            return Drawn([Part(acts, 20 + length(self._spans))], boxes, sheets=[(sheet, x, y)])

        crowded = short_lines(level / self.scale, size, natural.width, inner)
        gap = theme.GAP * level
        return Block(self.element, self.event, panel_width, panel_height, gap, make, crowded=crowded)

    def divided(self, count: int) -> list[Piece]:
        """See Piece: cut between words."""
        cut = words(self._spans)
        if len(cut) < 2:
            return []
        return [
            Callout(self.element, self.event, list(part), self._setter, self._look, self._checked)
            for part in shares(cut, count)
        ]


class Placeholder(Piece):
    """A dashed box with a label."""

    largest = theme.TEXT_GROWS

    def __init__(
        self, element: str, event: int, label: str, detail: str, setter: Typesetter, look: theme.Theme
    ) -> None:
        self.element, self.event = element, event
        self._label, self._detail, self._setter, self._look = label, detail, setter, look

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        size = max(theme.TEXT * 0.9 * level, theme.TEXT_FLOOR)
        body = f"#strong[#{literal(self._label[:200])}]"
        if self._detail:
            small = max(0.85, theme.TEXT_FLOOR / size)
            body += f"#linebreak()#text(size: {small}em)[#{literal(self._detail[:160])}]"
        body = f"#align(center)[{body}]"
        # Narrower its words would stand one below the other; such a room is none for it.
        box_width = max(0.6 * width if width > 8 else width, LEAST_WIDTH)
        sheet, size = fitting(self._setter, body, size, self._look.muted, box_width - 0.6)
        box_height = max(sheet.height + 0.6, 1.6 * level)

        def make() -> Drawn:
            edge = RoundedRectangle(
                corner_radius=0.12,
                width=box_width - 0.04,
                height=box_height - 0.04,
                stroke_color=self._look.muted,
                stroke_width=2.5,
            )
            frame = DashedVMobject(edge, num_dashes=int(8 * (box_width + box_height)))
            frame.move_to([box_width / 2, -box_height / 2, 0])
            text = mobject(sheet).shift([0.3, -(box_height - sheet.height) / 2, 0])
            group = Group(frame, text)
            return Drawn([Part([Act("dissolve", group, 0.6)], 25)], ink(self.element, group, size))

        return Block(self.element, self.event, box_width, box_height, theme.GAP * level, make, centred=True)
