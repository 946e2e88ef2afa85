"""How long what is shown stands, against how long it takes to read.

The planner leaves as much time by the same rule (`planner-wasm/src/film/reading.rs`), from what it estimates that words
take; here it is measured on the frames that the voices really left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..audit import Audit
from ..layout.blocks import Block
from ..storyboard.types import Element, RichText

FIND_S = 1.5
"""Seconds to find what has come."""

UNIT_S = 0.25
"""Seconds for each word, cell, line of a program or group of signs in a formula."""

PICTURE = 8
"""Units of a picture: it is looked at about as long as a short sentence."""

GROUP = 3
"""Signs of a formula that are read as one group."""

LETTERS_OF_WORD = 2
"""Letters of a script without spaces that are read as one word."""

UNSPACED = "\u3040"
"""Scripts from here on have no spaces between words."""

PART = 0.9
"""Of the time that reading takes, what has to be there: beats are whole frames, and what grows is read as it comes."""

LAYOUT = frozenset(
    {
        "left",
        "right",
        "begin",
        "end",
        "quad",
        "qquad",
        "text",
        "mathrm",
        "mathbf",
        "mathbb",
        "mathcal",
        "displaystyle",
        "big",
        "Big",
        "frac",
        "dfrac",
        "sqrt",
        "operatorname",
    }
)
"""Commands of LaTeX that show nothing by themselves."""

_DEFINES = re.compile(r"\s*\\(?:re|provide)?newcommand\*?|\s*\\DeclareMathOperator\*?")
_SIGN = re.compile(r"\\([A-Za-z]+)|\\.|[0-9][0-9.]*|[^{}^_&\s]")


def seconds(element: Element) -> float:
    """How long an element must stand."""
    return FIND_S + UNIT_S * _units(element)


def _units(element: Element) -> int:
    what, value = element.kind.kind, element.kind.value
    match what:
        case "text" | "callout":
            return _words(value)
        case "bullets":
            return sum(_words(item.text) for item in value.items)
        case "equation":
            return _groups(value.formula.latex)
        case "code":
            return sum(1 for line in value.text.splitlines() if line.strip())
        case "table":
            cells = [*value.header, *(cell for row in value.rows for cell in row.cells)]
            return sum(max(min(_words(cell), 1), _words(cell) // 2) for cell in cells)
        case "chart":
            return max(PICTURE, 2 * len(value.bars))
        case "graph":
            return max(PICTURE, len(value.nodes))
        case "image":
            return PICTURE + len(value.caption.split())
        case "placeholder":
            return len(value.label.split())
        case _:
            return PICTURE


def _words(text: RichText) -> int:
    count = 0
    for span in text.spans:
        if span.math is not None:
            count += _groups(span.math.latex)
            continue
        words = span.plain or span.strong or span.emphasis or span.code or ""
        unspaced = sum(c >= UNSPACED for c in words)
        count += sum(any(c.isalnum() and c < UNSPACED for c in word) for word in words.split())
        count += -(-unspaced // LETTERS_OF_WORD)
    return count


def _groups(latex: str) -> int:
    signs = sum(name not in LAYOUT for name in (match[1] for match in _SIGN.finditer(_written(latex))))
    return -(-signs // GROUP)


def _written(latex: str) -> str:
    """A formula without the macros that stand before it."""
    while match := _DEFINES.match(latex):
        at, depth, braces = match.end(), 0, 0
        while at < len(latex) and braces < 2:
            depth += {"{": 1, "}": -1}.get(latex[at], 0)
            at += 1
            if depth == 0 and latex[at - 1] == "}":
                braces += 1
        latex = latex[at:]
    return latex


@dataclass
class _Stay:
    block: Block
    since: int
    """The frame at which it began to come."""


class Reading:
    """Notes when blocks come and go, and tells the audit of elements that went too soon."""

    def __init__(self, audit: Audit, fps: int, elements: Iterable[Element], blocks: Iterable[Block]) -> None:
        """`elements` are those of the scene, and `blocks` what they are drawn as: one for each page of them."""
        self._audit, self._fps = audit, fps
        self._needs: Mapping[str, float] = {element.id: seconds(element) for element in elements}
        self._heights: dict[str, float] = {}
        for block in blocks:
            self._heights[block.element] = self._heights.get(block.element, 0.0) + block.height
        self._stays: dict[int, _Stay] = {}

    def need(self, block: Block) -> float:
        """Seconds that a block must stand: of an element that goes over several pages, its share."""
        whole = self._heights.get(block.element, block.height)
        share = min(block.height / whole, 1.0) if whole > 0 else 1.0
        # Whoever reads a list finds its next page where the last one was.
        return self._needs.get(block.element, FIND_S) * share

    def comes(self, block: Block, frame: int) -> None:
        """A part of a block comes; the first one counts."""
        self._stays.setdefault(id(block), _Stay(block, frame))

    def goes(self, blocks: Iterable[Block | None], frame: int) -> None:
        """Blocks go."""
        for block in blocks:
            stay = self._stays.pop(id(block), None)
            if stay is None or block is None or block.element not in self._needs:
                continue
            need = self.need(block)
            lasted = (frame - stay.since) / self._fps
            if lasted + 1 / self._fps < PART * need:
                self._audit.too_short[block.element] = (lasted, need)

    def ends(self, frame: int) -> None:
        """The scene ends, and all goes."""
        self.goes([stay.block for stay in list(self._stays.values())], frame)
