"""Highlights: a band behind words and lines, a frame around elements, a glow around curves and shapes.

None covers what it doesn't point at: bands lie behind the ink, frames take only the room that is free.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from manim import Mobject, RoundedRectangle, VGroup, VMobject

from .. import theme
from ..audit import TOLERANCE, Box
from ..layout.blocks import Block
from ..typesetting import native
from ..typesetting.formulas import Placed, Stretch
from ..typesetting.outlines import find
from ..typesetting.rich_text import code_span
from ..typesetting.typesetter import Sheet, Typesetter, literal
from .shown import Shown

PADS = (0.16, 0.12, 0.08, 0.05, 0.02)
"""Distances of a frame from what is in it, in frame units, the most pleasant first."""

NEAREST = 0.08
"""Distance below which a frame touches what it frames for the eye: a band behind is better, where one is to be seen."""

_LINES = re.compile(r"\s*(\d+)(?:\s*[-–]\s*(\d+))?\s*")


@dataclass
class Mark:
    """A highlight on screen."""

    element: str
    mobject: Mobject
    before: Shown | None
    """Drawn just before this, and so behind it; none means on top of everything."""
    boxes: list[Box] = field(default_factory=list)


class Marker:
    """Makes highlights in one theme."""

    def __init__(
        self, setter: Typesetter, look: theme.Theme, frame_width: float, frame_height: float, warnings: list[str]
    ) -> None:
        self._setter, self._look, self._warnings = setter, look, warnings
        self._half_width = frame_width * (0.5 - theme.MARK_MARGIN)
        self._half_height = frame_height * (0.5 - theme.MARK_MARGIN)

    def marks(
        self,
        element: str,
        part: str | None,
        wanted: str | None,
        shown: Sequence[Shown],
        blocks: Sequence[Block],
        others: Sequence[Box],
    ) -> list[Mark]:
        """The marks of an element of which `shown` and `blocks` are on screen; `others` is what else there is.

        Without a wanted colour it is the accent's, or a curve's own.
        """
        colour = wanted or self._look.accent
        if part is not None and part.strip():
            glow = [s for s in shown if s.key and _named(s, part)]
            found = self._glow(element, glow, wanted)
            if found:
                return found
            for block in blocks:
                behind = self._behind(block, shown)
                regions = self._regions(block, part)
                if regions:
                    if block.piece is not None and block.piece.has_lines:
                        return [self._band(element, region, colour, behind, 0.0) for region in regions]
                    own = block.placed().boxes
                    return [self._frame(element, r, colour, [*others, *_apart(own, r)], behind) for r in regions]
                words = self.words(block, part)
                if words:
                    return [self._band(element, word, colour, behind, 0.05) for word in words]
            of_lines = all(block.piece is not None and block.piece.has_lines for block in blocks)
            if part.strip()[:1].isdigit() and of_lines:
                # A line of another page: what is here is not meant.
                self._warnings.append(f"line {part} of element {element} is not on the screen and not highlighted")
                return []
            self._warnings.append(f"{part!r} is not found in element {element}, so all of it is highlighted")
        boxes = [box for block in blocks for box in block.placed().boxes]
        whole = Box(
            element,
            min(b.left for b in boxes),
            min(b.bottom for b in boxes),
            max(b.right for b in boxes),
            max(b.top for b in boxes),
        )
        bare = all(block.centred and not block.piece.is_figure for block in blocks if block.piece is not None)
        return [self._frame(element, whole, colour, others, shown[0] if shown and bare else None)]

    def _regions(self, block: Block, part: str) -> list[Box]:
        regions = block.placed().regions
        if part in regions:
            return regions[part]
        boxes: list[Box] = []
        for piece in part.split(","):
            match = _LINES.fullmatch(piece)
            if not match:
                return []
            first, last = int(match[1]), int(match[2] or match[1])
            for number in range(first, min(last, first + 2000) + 1):
                boxes += regions.get(str(number), [])
        return boxes

    def words(self, block: Block, part: str) -> list[Box]:
        """Where the part's glyphs stand in the block's text."""
        for sheet, x, y in block.placed().sheets:
            for wanted in self._settings(part):
                lines = find(sheet, wanted)
                if lines:
                    return [Box(block.element, a + x, b + y, c + x, d + y) for a, b, c, d in lines]
        return []

    def _settings(self, part: str) -> list[Sheet]:
        """The part set in every way in which it may stand in a text."""
        text = f"#{literal(part)}"
        sheets = []
        for display in (False, True):
            try:
                found = native.typeset(part, display)
            except native.FormulaError:
                continue  # It is no formula then.
            whole = Stretch(found, 0, len(found.items), 0.0, found.width)
            sheets.append(Sheet(b"", 1.0, 1.0, placed=(Placed(whole, 0.0, 0.0, 1.0, "#ffffff"),)))
        for body in (text, f"#strong[{text}]", f"#emph[{text}]", code_span(part, self._look)):
            sheets.append(self._setter.sheet(body, theme.TEXT, "#ffffff"))
        return sheets

    @staticmethod
    def _behind(block: Block, shown: Sequence[Shown]) -> Shown | None:
        """Before what a band of this block is drawn: its words, not its panel."""
        mine = [s for s in shown if s.block is block]
        acts = block.placed().parts[0].acts if block.placed().parts else []
        panel = len(acts) > 1 and acts[0].kind == "dissolve"
        return mine[1] if panel and len(mine) > 1 else mine[0] if mine else None

    def _band(self, element: str, box: Box, colour: str, before: Shown | None, pad: float) -> Mark:
        width, height = box.right - box.left + 2 * pad, box.top - box.bottom + 2 * pad
        band = RoundedRectangle(
            corner_radius=min(0.08, height / 3, width / 3),
            width=width,
            height=height,
            stroke_width=0,
            fill_color=colour,
            fill_opacity=0.3,
        ).move_to([(box.left + box.right) / 2, (box.top + box.bottom) / 2, 0])
        edge = Box(
            f"highlight of {element}", box.left - pad, box.bottom - pad, box.right + pad, box.top + pad, about=element
        )
        return Mark(element, band, before, [edge])

    def _frame(self, element: str, box: Box, colour: str, others: Sequence[Box], behind: Shown | None) -> Mark:
        for pad in PADS:
            left, right = max(box.left - pad, -self._half_width), min(box.right + pad, self._half_width)
            bottom, top = max(box.bottom - pad, -self._half_height), min(box.top + pad, self._half_height)
            edge = Box(f"highlight of {element}", left, bottom, right, top, about=element)
            if not any(
                min(right, o.right) - max(left, o.left) > -0.02 and min(top, o.top) - max(bottom, o.bottom) > -0.02
                for o in others
            ):
                break
        if pad < NEAREST and behind is not None:
            return self._band(element, box, colour, behind, 0.03)
        frame = RoundedRectangle(
            corner_radius=min(0.12, (right - left) / 4, (top - bottom) / 4),
            width=max(right - left - TOLERANCE, 0.05),
            height=max(top - bottom - TOLERANCE, 0.05),
            stroke_color=colour,
            stroke_width=4.0,
            fill_opacity=0,
        ).move_to([(left + right) / 2, (top + bottom) / 2, 0])
        return Mark(element, frame, None, [edge])

    @staticmethod
    def _glow(element: str, shown: Sequence[Shown], colour: str | None) -> list[Mark]:
        marks = []
        for s in shown:
            strokes = [
                m
                for m in s.mobject.get_family()
                if isinstance(m, VMobject) and len(m.points) and m.get_stroke_width() > 0
            ]
            if strokes:
                glow = VGroup()
                for m in strokes:
                    copy = VMobject(stroke_color=colour or m.get_stroke_color(), stroke_opacity=0.4, fill_opacity=0)
                    copy.set_stroke(width=float(m.get_stroke_width()) * 3.2)
                    copy.points = m.points.copy()
                    glow.add(copy)
                marks.append(Mark(element, glow, s))
        return marks


def _apart(boxes: Sequence[Box], region: Box) -> list[Box]:
    """The boxes that have no part in the region."""
    return [
        b
        for b in boxes
        if b.right <= region.left or b.left >= region.right or b.top <= region.bottom or b.bottom >= region.top
    ]


def _named(shown: Shown, part: str) -> bool:
    """Whether it is the part of a figure that has this label."""
    block = shown.block
    if block is None:
        return False
    for one in block.placed().parts:
        if one.name == part and any(act.mobject is shown.undimmed for act in one.acts):
            return True
    return False
