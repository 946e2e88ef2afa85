"""Rich text → Typst source, with everything the author wrote as string literals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from .. import theme
from ..storyboard.types import Formula, Span
from . import native
from .outlines import mobject
from .typesetter import Sheet, Typesetter, literal


def inline(spans: Sequence[Span], look: theme.Theme, checked: FormulaCheck) -> str:
    """Typst source of rich text."""
    out = []
    for number, span in enumerate(spans):
        match span:
            case Span(math=Formula(latex=latex)):
                if not checked.compiles(latex):
                    out.append(code_span(latex, look))
                    continue
                # A line may end beside a box, but not between a formula and the letters that stand close to it.
                before, after = _end(spans[:number]), _begin(spans[number + 1 :])
                out.append(f"{_JOIN * _close(before)}{checked.markup(latex)}{_JOIN * _close(after)}")
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


_JOIN = "#sym.wj"


def _end(spans: Sequence[Span]) -> str:
    return spans[-1].value[-1:] if spans and not spans[-1].math else ""


def _begin(spans: Sequence[Span]) -> str:
    return spans[0].value[:1] if spans and not spans[0].math else ""


def _close(letter: str) -> bool:
    return bool(letter) and not letter.isspace() and letter < "\u2e80"


class FormulaCheck:
    """Which formulas can be drawn; a bad one is a warning, not the end of its paragraph."""

    def __init__(self, setter: Typesetter, warnings: list[str]) -> None:
        self._setter, self._warnings = setter, warnings
        self._known: dict[str, bool] = {}

    def warn(self, message: str) -> None:
        """Adds a warning, once."""
        if message not in self._warnings:
            self._warnings.append(message)

    def compiles(self, latex: str) -> bool:
        """Whether something of the formula can be drawn."""
        if latex not in self._known:
            try:
                formula = native.typeset(latex)
                self._known[latex] = bool(formula.items)
                if formula.missing:
                    self.warn(f"no font has the letters {formula.missing} of the formula `{_short(latex)}`")
            except native.FormulaError as error:
                self._known[latex] = False
                self.warn(f"the formula `{_short(latex)}` can't be drawn and is shown as written: {error}")
        return self._known[latex]

    def markup(self, latex: str, display: bool = False) -> str:
        """Typst source of a formula that compiles."""
        return self._setter.inline(latex, display)


def _short(latex: str) -> str:
    words = " ".join(latex.split())
    return words if len(words) <= 80 else words[:79] + "…"


_UNSEEN = re.compile(r"\\(?:begin|end)\{[^}]*\}|\\[A-Za-z]+|[{}_^&\\\s]")


def length(spans: Sequence[Span]) -> int:
    """Characters, roughly, as they take time to read."""
    return sum(len(_UNSEEN.sub("", span.math.latex)) + 1 if span.math else len(span.value) for span in spans)


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
    """The spans cut after each space, CJK letter, or 18 letters without either; a formula stays whole.

    Where a word is cut, a line may end.
    """
    cut: list[Span] = []
    for span in spans:
        if span.math:
            cut.append(span)
        else:
            pieces = (piece + "\u200b" if len(piece) == 18 else piece for piece in _WORD.findall(span.value))
            cut += [Span(**{span.kind: piece}) for piece in pieces]
    return cut
