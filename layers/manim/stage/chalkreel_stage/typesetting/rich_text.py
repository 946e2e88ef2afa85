"""Rich text → Typst source, with everything the author wrote as string literals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from .. import theme
from ..storyboard.types import Formula, Span
from .outlines import mobject
from .typesetter import Sheet, TypesetError, Typesetter, literal, verbatim


def formula(typst: str, block: bool = False) -> str:
    """Typst source of a formula; its mathematics can't break out of it."""
    return f'#math.equation(block: {str(block).lower()}, eval({verbatim(typst)}, mode: "math"))'


def inline(spans: Sequence[Span], look: theme.Theme, checked: FormulaCheck) -> str:
    """Typst source of rich text."""
    out = []
    for span in spans:
        match span:
            case Span(math=Formula(typst=typst, latex=latex)):
                out.append(formula(typst) if checked.compiles(typst) else code_span(latex, look))
            case Span(strong=str(text)):
                out.append(f"#strong[#{literal(text)}]")
            case Span(emphasis=str(text)):
                out.append(f"#emph[#{literal(text)}]")
            case Span(code=str(text)):
                out.append(code_span(text, look))
            case Span(plain=str(text)):
                out.append(f"#{literal(text)}")
    return "".join(out)


def code_span(value: str, look: theme.Theme) -> str:
    """Typst source of a stretch of code in a text."""
    fonts = ", ".join(f'"{name}"' for name in theme.CODE_FONTS)
    return f'#text(font: ({fonts}), size: 0.92em, fill: rgb("{look.code}"), ligatures: false)[#{literal(value)}]'


class FormulaCheck:
    """Which formulas compile; each is tried once, and a bad one is a warning, not the end of its paragraph."""

    def __init__(self, setter: Typesetter, warnings: list[str]) -> None:
        self._setter, self._warnings = setter, warnings
        self._known: dict[str, bool] = {}

    def warn(self, message: str) -> None:
        """Adds a warning, once."""
        if message not in self._warnings:
            self._warnings.append(message)

    def compiles(self, typst: str) -> bool:
        """Whether Typst can set the formula."""
        if typst not in self._known:
            try:
                self._setter.sheet(formula(typst), theme.TEXT, "#ffffff")
                self._known[typst] = bool(typst.strip())
            except TypesetError as error:
                self._known[typst] = False
                self._warnings.append(f"a formula could not be set and is shown as written: {error}")
        return self._known[typst]


def length(spans: Sequence[Span]) -> int:
    """Characters, roughly, as they take time to read."""
    return sum(len(span.math.typst if span.math else span.value) for span in spans)


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


RIGHT_TO_LEFT = "#set text(dir: rtl)\n"
"""Typst source before a text that is written from right to left."""


def leftwards(spans: Sequence[Span]) -> bool:
    """Whether the text begins with a letter of a script that is written from right to left."""
    for span in spans:
        for letter in span.plain or span.strong or span.emphasis or "":
            direction = unicodedata.bidirectional(letter)
            if direction in ("R", "AL"):
                return True
            if direction == "L":
                return False
    return False


_WORD = re.compile(r"[^ \u2e80-\uffdc]{1,18} ?|[\u2e80-\uffdc] ?| ")


def words(spans: Sequence[Span]) -> list[Span]:
    """The spans cut after each space, CJK letter, or 18 letters without either; a formula stays whole."""
    cut: list[Span] = []
    for span in spans:
        if span.math:
            cut.append(span)
        else:
            cut += [Span(**{span.kind: piece}) for piece in _WORD.findall(span.value)]
    return cut
