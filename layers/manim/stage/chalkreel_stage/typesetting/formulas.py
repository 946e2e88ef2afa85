"""Formulas in words and by themselves: stretches of what the native library set, and where they stand on a sheet.

Typst keeps room for a formula within words: a box of its width, height and depth, filled with a colour that stands for
the formula. Where that box comes out on the sheet, the formula's own outlines are drawn, on the words' baseline and in
the words' colour, which the box has for its edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .native import Formula, FormulaError, typeset

SIZE = 1.12
"""Size of a formula beside words of size 1: KaTeX's letters are smaller than Inter's at the same size."""

COLOURS = 0x20000
"""How many stretches a sheet's colours can tell apart."""

_FIRST = 0xFC0000
_KEY = re.compile(r'fill: rgb\("(#f[cd][0-9a-f]{4})"\), stroke: 0\.001pt')


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some of a formula's ink, between two places where a line may end. Lengths in em of the formula."""

    formula: Formula
    first: int
    last: int
    """Its items are `formula.items[first:last]`."""
    left: float
    right: float


@dataclass(frozen=True, eq=False)
class Placed:
    """A stretch on a sheet."""

    stretch: Stretch
    x: float
    """Frame units from the sheet's left edge to the stretch's own."""
    y: float
    """Frame units from the sheet's top edge to the baseline, downwards."""
    em: float
    """Frame units of one em of the formula."""
    colour: str


def stretches(formula: Formula) -> list[Stretch]:
    """The formula cut wherever a line may end."""
    cuts = sorted({0, *(cut for cut in formula.breaks if 0 < cut < len(formula.items)), len(formula.items)})
    pieces = [(a, b) for a, b in zip(cuts, cuts[1:], strict=False) if b > a] or [(0, len(formula.items))]
    # A stretch begins where its ink does; the room before it ends the one before.
    lefts = [min((item.x for item in formula.items[a:b]), default=0.0) for a, b in pieces]
    lefts[0] = 0.0
    rights = [*lefts[1:], formula.width]
    return [
        Stretch(formula, a, b, left, max(right, left))
        for (a, b), left, right in zip(pieces, lefts, rights, strict=True)
    ]


class Registry:
    """Which colour stands for which stretch."""

    def __init__(self) -> None:
        self._stretches: dict[str, Stretch] = {}
        self._known: dict[tuple[str, bool], list[str]] = {}

    def markup(self, latex: str, display: bool = False) -> list[str]:
        """Typst source of each stretch of a formula. Raises FormulaError."""
        formula = typeset(latex, display)
        keys = self._known.get((latex, display))
        if keys is None:
            keys = []
            for stretch in stretches(formula):
                key = f"#{_FIRST + len(self._stretches) % COLOURS:06x}"
                self._stretches[key] = stretch
                keys.append(key)
            self._known[latex, display] = keys
        return [_box(self._stretches[key], key) for key in keys]

    def on(self, source: str) -> dict[str, Stretch]:
        """What the colours in a Typst source stand for."""
        return {key: self._stretches[key] for key in _KEY.findall(source)}


def _box(stretch: Stretch, key: str) -> str:
    width, formula = (stretch.right - stretch.left) * SIZE, stretch.formula
    depth = max(formula.depth, 0.0) * SIZE
    height = max(formula.height, 0.0) * SIZE + depth
    if height < 1e-3 or stretch.last == stretch.first:
        return f"#h({width:.5f}em)"
    return (
        f"#context box(width: {width:.5f}em, height: {height:.5f}em, baseline: {depth:.5f}em, "
        f'fill: rgb("{key}"), stroke: 0.001pt + text.fill)'
    )


def is_drawable(latex: str) -> bool:
    """Whether something of a formula can be drawn."""
    try:
        return bool(typeset(latex).items)
    except FormulaError:
        return False


_STEP = re.compile(r"\\begin\{[^}]*\}|\\end\{[^}]*\}|\\\\(?:\s*\[[^\]]*\])?|\\.|[{}]", re.DOTALL)
_OUTER = re.compile(r"\s*\\begin\{([a-zA-Z]+\*?)\}(.*)\\end\{\1\}\s*", re.DOTALL)
_LINED = re.compile(r"(align|aligned|gather|gathered|split|eqnarray|multline|flalign|equation)\*?")


def latex_lines(latex: str) -> list[str]:
    """The lines of a formula: cut at each double backslash that stands in no inner environment or group."""
    outer = _OUTER.fullmatch(latex)
    if outer and not _LINED.fullmatch(outer[1]):
        return [latex.strip()] if latex.strip() else []
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


def joined(lines: list[str]) -> str:
    """The formula of some lines."""
    if len(lines) == 1:
        return lines[0].replace("&", "") if _alone(lines[0]) else lines[0]
    kind = "aligned" if any(_alone(line) for line in lines) else "gathered"
    return f"\\begin{{{kind}}}" + " \\\\ ".join(lines) + f"\\end{{{kind}}}"


def _alone(line: str) -> bool:
    """Whether a line has an `&` of its own, and not only in an environment within it."""
    return "&" in re.sub(r"\\begin\{.*\\end\{[^}]*\}|\\&", "", line, flags=re.DOTALL)


def unaligned(line: str) -> str:
    """A line without the places at which it is aligned with others."""
    if "\\begin" in line:
        return f"\\begin{{aligned}}{line}\\end{{aligned}}" if _alone(line) else line
    return re.sub(r"(?<!\\)&", "", line)


def named_parts(formula: Formula) -> Iterator[tuple[str, list[int]]]:
    """Names of parts, and numbers of the items in them: what the author named, and `fraction 1`, `row 2`, `term 3` …"""
    counts: dict[str, int] = {}
    for number, part in enumerate(formula.parts):
        if part.kind == "whole":
            continue
        counts[part.kind] = counts.get(part.kind, 0) + 1
        items = formula.within(number)
        if items:
            yield f"{part.kind} {counts[part.kind]}", items
            if part.name:
                yield part.name, items
