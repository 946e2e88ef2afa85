"""The heading of a scene, and the title of a card."""

from __future__ import annotations

import numpy as np
from manim import Group, Line

from .. import theme
from ..audit import Box, ink
from ..layout.blocks import Act, Area
from ..storyboard.types import Span
from ..typesetting.outlines import mobject
from ..typesetting.rich_text import RIGHT_TO_LEFT, leftwards
from ..typesetting.typesetter import Sheet, Typesetter, literal

_PREAMBLE = "#set par(leading: 0.22em)"


def heading(
    text: str,
    card: bool,
    more: bool,
    frame_width: float,
    frame_height: float,
    setter: Typesetter,
    look: theme.Theme,
    logo: tuple[float, float] | None = None,
) -> tuple[list[Act], list[Box], Area]:
    """The acts that bring it, its boxes, and what it leaves for the body; `more` when a card has other elements.

    `logo` is the width and height of a picture in the upper corner where no line begins.
    """
    inner_width = frame_width * (1 - 2 * theme.MARGIN)
    inner_height = frame_height * (1 - 2 * theme.MARGIN)
    left, top = -inner_width / 2, inner_height / 2
    under = logo[1] + theme.GAP if logo else 0.0
    if not text:
        return [], [], Area(left, top - under, inner_width, inner_height - under, frame_height)
    beside = logo[0] + theme.GAP if logo else 0.0
    size = theme.TITLE if card else theme.HEADING
    limit = inner_height * ((0.45 if more else 0.7) if card else 0.25)
    while True:
        sheet = _title(text, size, (inner_width - beside) * (0.86 if card else 1.0), card, setter, look)
        # A title card of one line is worth a smaller size, down to 0.7 units.
        lines = 1 if size > 0.7 else 3
        fits = sheet.height <= (min(limit, lines * 1.4 * size) if card else limit)
        if (fits and sheet.width <= inner_width - beside) or size <= theme.TEXT_FLOOR:
            break
        size = max(size * 0.92, theme.TEXT_FLOOR)
    if card:
        x = -sheet.width / 2
        y = min(inner_height * 0.15 + sheet.height / 2 if more else sheet.height / 2 + 0.25, top)
        line_y = y - sheet.height - 0.22
        line = Line([-1.1, line_y, 0], [1.1, line_y, 0], stroke_width=6, color=look.accent)
    else:
        # It begins where its script does.
        from_right = leftwards([Span(plain=text)])
        x, y = (-left - sheet.width if from_right else left), top
        line_y, start = y - sheet.height - 0.10, -left - 0.9 if from_right else left
        line = Line([start, line_y, 0], [start + 0.9, line_y, 0], stroke_width=6, color=look.accent)
    words = mobject(sheet).shift([x, y, 0])
    body_top = min(line_y - (0.5 if card else 0.35), top - under)
    area = Area(left, body_top, inner_width, body_top + inner_height / 2, frame_height)
    boxes = ink("the heading", Group(words, line), size)
    return [Act("uncover", words, 1.0 if card else 0.7), Act("create", line, 0.5)], boxes, area


def _title(text: str, size: float, width: float, card: bool, setter: Typesetter, look: theme.Theme) -> Sheet:
    body = f"#strong[#{literal(text)}]"
    natural = setter.sheet(body, size, look.text, None, theme.TEXT_FONTS, _PREAMBLE)
    if natural.width <= width:
        return natural
    if not card:
        body = RIGHT_TO_LEFT + body if leftwards([Span(plain=text)]) else body
        return setter.sheet(body, size, look.text, width, theme.TEXT_FONTS, _PREAMBLE)
    body = f"#align(center)[{body}]"
    best = setter.sheet(body, size, look.text, width, theme.TEXT_FONTS, _PREAMBLE)
    # Lines of like length: the narrowest column that needs no further line.
    for narrower in np.arange(0.95, 0.5, -0.05):
        sheet = setter.sheet(body, size, look.text, width * narrower, theme.TEXT_FONTS, _PREAMBLE)
        if sheet.height > best.height + 0.01 or float(mobject(sheet).width) > sheet.width:
            break
        best = sheet
    return best
