"""Storyboard elements → pieces to lay out. What it doesn't know becomes a labelled box and a warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manim import DashedVMobject, RoundedRectangle, VGroup

from . import theme
from .audit import Box
from .code import Program, coloured
from .layout import Act, Block, Part, Piece
from .plot import Plot
from .text import Checked, Item, Paragraph, formula, ink
from .typeset import Sheet, TypesetError, Typesetter, literal, mobject


@dataclass
class Maker:
    """Makes pieces in one theme; collects warnings."""

    setter: Typesetter
    look: theme.Theme
    warnings: list[str]

    def __post_init__(self) -> None:
        """Formulas are checked once per scene."""
        self._checked = Checked(self.setter, self.warnings)

    def pieces(self, element: dict[str, Any], event: int, centred: bool) -> list[Piece]:
        """The pieces of an element, in reading order; `centred` on a title card."""
        name = str(element.get("id", ""))
        kind, value = next(iter(element["kind"].items())) if isinstance(element.get("kind"), dict) else ("?", {})
        try:
            if kind == "text":
                colour = self.look.muted if centred else None
                return [Paragraph(name, event, value["spans"], self.setter, self.look, self._checked, centred, colour)]
            if kind == "bullets":
                return [
                    Item(name, event, item, i == 0, self.setter, self.look, self._checked)
                    for i, item in enumerate(value["items"])
                ]
            if kind == "equation":
                return [self._equation(name, event, value["formula"])]
            if kind == "code":
                lines = coloured(value["text"], value.get("language", ""), self.look)
                return [Program(name, event, value.get("language", ""), lines, self.setter, self.look)]
            if kind == "axes":
                return [Plot(name, event, value, self.setter, self.look, self.warnings)]
            if kind == "placeholder":
                return [Placeholder(name, event, value["label"], value.get("detail", ""), self.setter, self.look)]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self.warnings.append(f"element {name} ({kind}) is not as expected and is shown as a box: {error!r}")
            return [Placeholder(name, event, str(kind), "could not be drawn", self.setter, self.look)]
        self.warnings.append(f"element {name}: the stage draws no {kind}, so a box stands in its place")
        return [Placeholder(name, event, str(kind), "can't be drawn yet", self.setter, self.look)]

    def _equation(self, name: str, event: int, value: dict[str, Any]) -> Piece:
        if self._checked.good(value["typst"]):
            return Equation(name, event, value["typst"], self.setter, self.look, self.warnings)
        spans = [{"code": value.get("latex") or value["typst"]}]
        return Paragraph(name, event, spans, self.setter, self.look, self._checked)


class Equation(Piece):
    """A displayed formula: centred, written stroke by stroke."""

    def __init__(
        self, element: str, event: int, typst: str, setter: Typesetter, look: theme.Theme, warnings: list[str]
    ) -> None:
        self.element, self.event = element, event
        self._typst, self._setter, self._look, self._warnings = typst, setter, look, warnings

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece: shrinks to the width, then breaks into lines, then shrinks below the floor with a warning."""
        size = max(theme.EQUATION * level, theme.TEXT_FLOOR)
        sheet = self._sheet(size)
        if sheet.width > width:
            size = max(size * width / sheet.width * 0.999, theme.TEXT_FLOOR)
            sheet = self._sheet(size)
        if sheet.width > width:
            sheet = self._broken(size, width)
            if float(mobject(sheet).width) > width:
                natural = self._sheet(size)
                size *= width / natural.width * 0.99
                sheet = self._sheet(size)
                message = f"equation {self.element} is too wide for the frame at a legible size"
                if message not in self._warnings:
                    self._warnings.append(message)

        def make() -> tuple[list[Part], list[Box]]:
            group = mobject(sheet, each_glyph=True)
            count = len(group)
            # Drawing by strokes costs time with every glyph, and past this many nobody follows the strokes.
            kind = "write" if count <= 90 else "uncover"
            return (
                [Part([Act(kind, group, min(0.7 + 0.035 * count, 2.2))], 14 + count)],
                ink(self.element, group, size),
            )

        return Block(self.element, self.event, sheet.width, sheet.height, theme.GAP * level * 1.1, make, centred=True)

    def _sheet(self, size: float) -> Sheet:
        # `bounds` so that the sheet is as high as the formula's ink: fractions and sums reach beyond the line.
        return self._setter.sheet(
            formula(self._typst, block=True),
            size,
            self._look.text,
            preamble='#show math.equation: set text(top-edge: "bounds", bottom-edge: "bounds")',
        )

    def _broken(self, size: float, width: float) -> Sheet:
        body = f"#align(center)[{formula(f'display({self._typst})')}]"
        try:
            return self._setter.sheet(body, size, self._look.text, width)
        except TypesetError:
            return self._sheet(size)


class Placeholder(Piece):
    """A dashed box with a label."""

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
            body += f"#linebreak()#text(size: {small}em)[#{literal(self._detail[:300])}]"
        body = f"#align(center)[{body}]"
        box_width = min(0.6 * width if width > 8 else width, width)
        sheet = self._setter.sheet(body, size, self._look.muted, box_width - 0.6)
        box_height = max(sheet.height + 0.6, 1.6 * level)

        def make() -> tuple[list[Part], list[Box]]:
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
            group = VGroup(frame, text)
            return [Part([Act("dissolve", group, 0.6)], 25)], ink(self.element, VGroup(frame), size)

        return Block(self.element, self.event, box_width, box_height, theme.GAP * level, make, centred=True)
