"""Displayed formulas: centred, written stroke by stroke; cut between their lines when too long for a page."""

from __future__ import annotations

import re

from manim import VGroup

from .. import theme
from ..audit import ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares
from ..storyboard.types import Span
from ..typesetting.outlines import mobject
from ..typesetting.rich_text import FormulaCheck, formula
from ..typesetting.typesetter import Sheet, TypesetError, Typesetter
from .text import Paragraph


class Equation(Piece):
    """A displayed formula, or some of its lines."""

    def __init__(
        self,
        element: str,
        event: int,
        typst: str,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
        latex: str = "",
    ) -> None:
        """`latex` is what its author wrote, shown where the formula itself can't be; empty means the Typst source."""
        self.element, self.event = element, event
        self._typst, self._latex = typst, latex or typst
        self._setter, self._look, self._warnings = setter, look, warnings
        self._lines = lines(typst)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece: shrinks to the width, then breaks, never below the floor. Too large when that isn't enough."""
        size = max(theme.EQUATION * level, theme.TEXT_FLOOR)
        sheet = self._sheet(size)
        # What can be divided between its lines is, rather than made small.
        fit = width / sheet.width if len(self._lines) > 1 else min(width / sheet.width, height / sheet.height)
        if fit < 1.0:
            size = max(size * fit * 0.999, theme.TEXT_FLOOR)
            sheet = self._sheet(size)
        if sheet.width > width:
            sheet, size = self._broken(max(theme.EQUATION * level, theme.TEXT_FLOOR), width, height)

        def make() -> Drawn:
            group = mobject(sheet, each_glyph=True)
            count = len(group)
            # Drawing by strokes costs time with every glyph, and past this many nobody follows the strokes.
            kind = "write" if count <= 90 and isinstance(group, VGroup) else "uncover"
            parts = [Part([Act(kind, group, min(0.7 + 0.035 * count, 2.2))], 14 + count)]
            return Drawn(parts, ink(self.element, group, size), sheets=[(sheet, 0.0, 0.0)])

        return Block(self.element, self.event, sheet.width, sheet.height, theme.GAP * level * 1.1, make, centred=True)

    def divided(self, count: int) -> list[Piece]:
        """See Piece: cut between lines; a single line is shown as its author wrote it, which can be wrapped."""
        parts = self._parts(count) if len(self._lines) > 1 else []
        if parts and all(FormulaCheck(self._setter, []).compiles(part._typst) for part in parts):
            return [*parts]
        warning = f"equation {self.element} is too large for the frame at a legible size and is shown as written"
        self._warnings += [warning] if warning not in self._warnings else []
        spans = [Span(code=self._latex)]
        checked = FormulaCheck(self._setter, self._warnings)
        return [Paragraph(self.element, self.event, spans, self._setter, self._look, checked)]

    def _parts(self, count: int) -> list[Equation]:
        written = latex_lines(self._latex)
        # What its author wrote is cut only where that gives the same lines.
        written = written if len(written) == len(self._lines) else [""] * len(self._lines)
        return [
            Equation(
                self.element,
                self.event,
                " \\ ".join(line for line, _ in part),
                self._setter,
                self._look,
                self._warnings,
                " \\\\ ".join(latex for _, latex in part if latex),
            )
            for part in shares([*zip(self._lines, written, strict=True)], count)
        ]

    def _sheet(self, size: float) -> Sheet:
        # `bounds` so that the sheet is as high as the formula's ink: fractions and sums reach beyond the line.
        return self._setter.sheet(
            formula(self._typst, block=True),
            size,
            self._look.text,
            preamble='#show math.equation: set text(top-edge: "bounds", bottom-edge: "bounds")',
        )

    def _broken(self, size: float, width: float, height: float) -> tuple[Sheet, float]:
        """Broken where it can be, in the largest size up to `size` in which it fits; as it is when in none."""
        body = f"#align(center)[{formula(f'display({self._typst})')}]"
        while True:
            try:
                sheet = self._setter.sheet(body, size, self._look.text, width, preamble="#set par(leading: 0.55em)")
            except TypesetError:
                return self._sheet(theme.TEXT_FLOOR), theme.TEXT_FLOOR
            within = float(mobject(sheet).width) <= width
            if within and sheet.height <= height:
                return sheet, size
            if size <= theme.TEXT_FLOOR:
                return sheet if within else self._sheet(size), size
            size = max(size * 0.88, theme.TEXT_FLOOR)


def lines(typst: str) -> list[str]:
    """The lines of a formula in Typst: cut at backslashes before a space that stand in no brackets or quotes."""
    cut, start, depth, i = [], 0, 0, 0
    while i < len(typst):
        letter = typst[i]
        if letter == '"':
            i += 1
            while i < len(typst) and typst[i] != '"':
                i += 2 if typst[i] == "\\" else 1
        elif letter == "\\":
            if depth == 0 and typst[i + 1 : i + 2].strip() == "":
                cut.append(typst[start:i])
                start = i + 1
            i += 1
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        i += 1
    return [line.strip() for line in (*cut, typst[start:]) if line.strip()]


_STEP = re.compile(r"\\begin\{[^}]*\}|\\end\{[^}]*\}|\\\\(?:\s*\[[^\]]*\])?|\\.|[{}]", re.DOTALL)
_OUTER = re.compile(r"\s*\\begin\{([a-zA-Z]+\*?)\}(.*)\\end\{\1\}\s*", re.DOTALL)


def latex_lines(latex: str) -> list[str]:
    """The lines of a formula in LaTeX: cut at each double backslash that stands in no inner environment or group."""
    outer = _OUTER.fullmatch(latex)
    inner = outer[2] if outer else latex
    cut, start, depth = [], 0, 0
    for step in _STEP.finditer(inner):
        if step[0] == "{" or step[0].startswith("\\begin"):
            depth += 1
        elif step[0] == "}" or step[0].startswith("\\end{"):
            depth -= 1
        elif step[0].startswith("\\\\") and depth == 0:
            cut.append(inner[start : step.start()])
            start = step.end()
    return [line.strip() for line in (*cut, inner[start:]) if line.strip()]
