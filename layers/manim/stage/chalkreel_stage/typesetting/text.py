"""Paragraphs and list items, in Typst, with everything the author wrote as string literals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from manim import Mobject

from .. import theme
from ..audit import Box
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares
from .typeset import Sheet, TypesetError, Typesetter, literal, mobject, verbatim


def formula(typst: str, block: bool = False) -> str:
    """Typst source of a formula; its mathematics can't break out of it."""
    return f'#math.equation(block: {str(block).lower()}, eval({verbatim(typst)}, mode: "math"))'


def inline(spans: list[dict[str, Any]], look: theme.Theme, checked: Checked) -> str:
    """Typst source of rich text."""
    out = []
    for span in spans:
        kind, value = next(iter(span.items()))
        if kind == "math":
            typst = value.get("typst", "")
            out.append(formula(typst) if checked.good(typst) else code_span(value.get("latex", typst), look))
        elif kind == "strong":
            out.append(f"#strong[#{literal(value)}]")
        elif kind == "emphasis":
            out.append(f"#emph[#{literal(value)}]")
        elif kind == "code":
            out.append(code_span(value, look))
        else:
            out.append(f"#{literal(str(value))}")
    return "".join(out)


def code_span(value: str, look: theme.Theme) -> str:
    """Typst source of a stretch of code in a text."""
    fonts = ", ".join(f'"{name}"' for name in theme.CODE_FONTS)
    return f'#text(font: ({fonts}), size: 0.92em, fill: rgb("{look.code}"), ligatures: false)[#{literal(value)}]'


class Checked:
    """Which formulas compile; each is tried once, and a bad one is a warning, not the end of its paragraph."""

    def __init__(self, setter: Typesetter, warnings: list[str]) -> None:
        self._setter, self._warnings = setter, warnings
        self._known: dict[str, bool] = {}

    def tell(self, message: str) -> None:
        """Adds a warning, once."""
        if message not in self._warnings:
            self._warnings.append(message)

    def good(self, typst: str) -> bool:
        """Whether Typst can set the formula."""
        if typst not in self._known:
            try:
                self._setter.sheet(formula(typst), theme.TEXT, "#ffffff")
                self._known[typst] = bool(typst.strip())
            except TypesetError as error:
                self._known[typst] = False
                self._warnings.append(f"a formula could not be set and is shown as written: {error}")
        return self._known[typst]


def length(spans: list[dict[str, Any]]) -> int:
    """Characters, roughly, as they take time to read."""
    return sum(len(v) if isinstance(v, str) else len(v.get("typst", "")) for s in spans for v in s.values())


def fitting(setter: Typesetter, body: str, size: float, colour: str, width: float) -> tuple[Sheet, float]:
    """The sheet wrapped at `width` and its font size, which shrinks to the floor where something can't break."""
    while True:
        sheet = setter.sheet(body, size, colour, width)
        if reach(sheet) <= width + 0.02 or size <= theme.TEXT_FLOOR:
            return sheet, size
        size = max(size * 0.9, theme.TEXT_FLOOR)


@lru_cache(maxsize=4096)
def reach(sheet: Sheet) -> float:
    """Right edge of the sheet's ink, which may lie beyond its width."""
    return max((float(m.points[:, 0].max()) for m in mobject(sheet).get_family() if len(m.points)), default=0.0)


def ink(name: str, group: Mobject, font: float | None) -> list[Box]:
    """The box of a mobject's ink; none when it is blank."""
    points = [item.points for item in group.get_family() if len(item.points)]
    if not points:
        return []
    left, bottom = np.min([p[:, :2].min(axis=0) for p in points], axis=0)
    right, top = np.max([p[:, :2].max(axis=0) for p in points], axis=0)
    return [Box(name, float(left), float(bottom), float(right), float(top), font)]


def whole(element: str, what: str, group: Mobject) -> list[Box]:
    """The box of all of a figure's ink: its own parts may stand within, and nothing else."""
    return [replace(box, holds=element) for box in ink(f"{element}: {what}", group, None)]


class Paragraph(Piece):
    """A text element."""

    poised = True

    def __init__(
        self,
        element: str,
        event: int,
        spans: list[dict[str, Any]],
        setter: Typesetter,
        look: theme.Theme,
        checked: Checked,
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
        sheet, size = self._sheet(body, size, width)
        seconds = min(0.5 + 0.018 * length(self._spans), 2.0)
        return Block(
            self.element,
            self.event,
            sheet.width,
            sheet.height,
            theme.GAP * level,
            uncovering(self.element, sheet, size, seconds, 12 + length(self._spans)),
            centred=self._centred,
        )

    def _sheet(self, body: str, size: float, width: float) -> tuple[Sheet, float]:
        if leftwards(self._spans) and not self._centred:
            return fitting(self._setter, RIGHT_TO_LEFT + body, size, self._colour, width)
        natural = self._setter.sheet(body, size, self._colour)
        if natural.width <= width:
            return natural, size
        if self._centred:
            body = f"#align(center)[{body}]"
        return fitting(self._setter, body, size, self._colour, width)

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


class Item(Piece):
    """One item of a list."""

    def __init__(
        self,
        element: str,
        event: int,
        item: dict[str, Any],
        first: bool,
        setter: Typesetter,
        look: theme.Theme,
        checked: Checked,
        marked: bool = True,
    ) -> None:
        self.element, self.event = element, event
        self._item, self._first, self._marked = item, first, marked
        self._setter, self._look, self._checked = setter, look, checked

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        depth = min(int(self._item.get("level", 0)), 4)
        size = max(theme.TEXT * level * (0.92 if depth else 1.0), theme.TEXT_FLOOR)
        spans = self._item["text"]["spans"]
        number = self._item.get("number")
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
        if leftwards(spans):
            body = RIGHT_TO_LEFT + body.replace("pad(left:", "pad(right:", 1)
        sheet, size = fitting(self._setter, body, size, self._look.text, width)
        seconds = min(0.4 + 0.018 * length(spans), 1.6)
        gap = theme.GAP * level * (1.0 if self._first else 0.62 if depth == 0 else 0.4)
        return Block(
            self.element,
            self.event,
            width,
            sheet.height,
            gap,
            uncovering(self.element, sheet, size, seconds, 12 + length(spans)),
        )

    def divided(self, count: int) -> list[Piece]:
        """See Piece: only the first part has a marker."""
        cut = words(self._item["text"]["spans"])
        if len(cut) < 2:
            return []
        return [
            Item(
                self.element,
                self.event,
                {**self._item, "text": {"spans": part}},
                self._first and i == 0,
                self._setter,
                self._look,
                self._checked,
                self._marked and i == 0,
            )
            for i, part in enumerate(map(list, shares(cut, count)))
        ]


RIGHT_TO_LEFT = "#set text(dir: rtl)\n"
"""Typst source before a text that is written from right to left."""


def leftwards(spans: list[dict[str, Any]]) -> bool:
    """Whether the text begins with a letter of a script that is written from right to left."""
    for span in spans:
        kind, value = next(iter(span.items()))
        for letter in value if isinstance(value, str) and kind != "code" else "":
            direction = unicodedata.bidirectional(letter)
            if direction in ("R", "AL"):
                return True
            if direction == "L":
                return False
    return False


_WORD = re.compile(r"[^ \u2e80-\uffdc]{1,18} ?|[\u2e80-\uffdc] ?| ")


def words(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans cut after each space, CJK letter, or 18 letters without either; a formula stays whole."""
    cut: list[dict[str, Any]] = []
    for span in spans:
        kind, value = next(iter(span.items()))
        if isinstance(value, str):
            cut += [{kind: piece} for piece in _WORD.findall(value)]
        else:
            cut.append(span)
    return cut


def uncovering(name: str, sheet: Sheet, size: float, seconds: float, weight: float) -> Callable[[], Drawn]:
    """Makes a block's single part: the sheet, uncovered line by line."""

    def make() -> Drawn:
        group = mobject(sheet)
        parts = [Part([Act("uncover", group, seconds)], weight)]
        return Drawn(parts, ink(name, group, size), sheets=[(sheet, 0.0, 0.0)])

    return make
