"""Typst source → measured sheets, in memory; `outlines` makes Manim mobjects of them.

Why not Manim's own `Typst` and `MathTypst`: they write two files per formula into the media folder and import the
SVG through svgelements, at 20 to 100 ms each. The same compiler, kept and fed from memory, takes 0.3 to 10 ms, and
gives the size of a block before any mobject is made, which is what planning pages needs. Typst sets words, tables
and code; formulas are the native library's, for which it keeps room: see `formulas`.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field

import typst

from .. import theme
from . import native
from .formulas import SIZE, Placed, Registry, Stretch

POINTS = 36.0
"""Typst points in one frame unit."""

_SIZE = re.compile(rb'<svg[^>]*?viewBox="0 0 ([0-9.e+-]+) ([0-9.e+-]+)"')

_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")

_BOLD_CJK = (
    "#show strong: it => {show regex("
    '"[\\u{2e80}-\\u{9fff}\\u{ac00}-\\u{d7af}\\u{f900}-\\u{faff}\\u{ff00}-\\u{ffef}]+"'
    "): it => context text(stroke: 0.035em + text.fill, it); it}\n"
)
"""The bold face of Noto Sans CJK is 20 MB, so a stroke stands in for it."""


class TypesetError(ValueError):
    """Source that Typst can't compile; the message is the compiler's."""


@dataclass(frozen=True)
class Sheet:
    """A compiled page cut to its contents."""

    svg: bytes
    width: float
    height: float
    formulas: dict[str, Stretch] = field(default_factory=dict, compare=False)
    """Formulas within words, by the colour that stands for each."""
    placed: tuple[Placed, ...] = ()
    """Formulas that stand by themselves."""


LONGEST_WORD = 18
"""Characters from which a word may break: German has words of 15, an address has no end."""

_WORD = re.compile(r"[^\w]*[^\W\d_]{1,30}(?:[-–'’][^\W\d_]{1,30})*[^\w]*")
"""A word of a language breaks where the language hyphenates it; anything else may break anywhere."""

_HYPHENATED = re.compile(rf"[^\W\d_]{{{LONGEST_WORD},}}")
_HYPHENATE = f'#show regex("\\\\p{{L}}{{{LONGEST_WORD},}}"): set text(hyphenate: true)\n'

_LONG = re.compile(rf"[^\s\u200b]{{{LONGEST_WORD},}}")


def literal(text: str) -> str:
    """`text` as a Typst string literal: nothing in it is markup. Very long words may break."""
    return verbatim(_LONG.sub(lambda word: _breakable(word[0]), text))


def verbatim(text: str) -> str:
    """`text` as a Typst string literal to the letter: what is source itself, and no words."""
    out = ['"']
    for character in text:
        if character in '"\\':
            out.append("\\" + character)
        elif ord(character) < 32 or ord(character) == 127:
            out.append(" ")
        else:
            out.append(character)
    out.append('"')
    return "".join(out)


def _breakable(word: str) -> str:
    """With zero-width spaces, but never inside of what joins or breaks by itself.

    Marks, joiners, right-to-left and Indic letters join; from U+2E80 on come scripts that break anywhere, and emoji.
    """
    if any("\u0300" <= c <= "\u036f" or "\u0590" <= c <= "\u109f" or c in "\u200d\ufe0f" for c in word):
        return word
    if any(c >= "\u2e80" for c in word) or _WORD.fullmatch(word):
        return word
    return "\u200b".join(word)


class Typesetter:
    """Compiles Typst source; keeps what it compiled by content."""

    def __init__(self, fonts: str | None) -> None:
        """`fonts` is a folder of fonts to use instead of the system's. Starts no thread, so a fork may follow."""
        found = typst.Fonts(
            include_system_fonts=fonts is None, include_embedded_fonts=True, font_paths=[fonts] if fonts else []
        )
        # Typst wants a root that exists. Documents can't read files there: all their text is a string literal.
        self._compiler = typst.Compiler(root=tempfile.gettempdir(), font_paths=found, ignore_system_fonts=True)
        self._sheets: dict[str, Sheet] = {}
        self._formulas = Registry()
        native.use_fonts(fonts)
        self.set_language("en")

    def set_language(self, language: str) -> None:
        """What is set from now on is in the language of that BCP 47 tag; English when it is none."""
        tag = re.fullmatch(r"([A-Za-z]{2})((?:-[A-Za-z0-9]{1,8})*)", language)
        self._language = tag[1].lower() if tag else "en"
        subtags = {part.upper() for part in tag[2].split("-")} if tag else set()
        self._forms, self._region = {"ja": "JP", "ko": "KR"}.get(self._language, "SC"), "none"
        # The fonts have the forms of every region, and take those of the text's language, not those of their own name.
        if self._language == "zh" and subtags & {"HK", "MO"}:
            self._forms, self._region = "HK", '"HK"'
        elif self._language == "zh" and subtags & {"TW", "HANT"}:
            self._forms, self._region = "TC", '"TW"'

    def sheet(
        self,
        body: str,
        size: float,
        colour: str,
        width: float | None = None,
        fonts: tuple[str, ...] = theme.TEXT_FONTS,
        preamble: str = "",
    ) -> Sheet:
        """Sets `body` at font size `size`, wrapped at `width` (none: as wide as it is). Lengths in frame units.

        Raises TypesetError.
        """
        page = "auto" if width is None else f"{width * POINTS:.3f}pt"
        source = (
            f"#set page(width: {page}, height: auto, margin: 0pt, fill: none)\n"
            f'#set text(font: {self._families(fonts)}, size: {size * POINTS:.3f}pt, fill: rgb("{colour}"), '
            f'lang: "{self._language}", region: {self._region}, hyphenate: false, '
            'top-edge: "ascender", bottom-edge: "descender")\n'
            "#set par(leading: 0.36em, spacing: 0.8em)\n"
            f"{_BOLD_CJK if _CJK.search(body) else ''}{_HYPHENATE if _HYPHENATED.search(body) else ''}"
            f"{preamble}\n{body}\n"
        )
        if source not in self._sheets:
            try:
                svg = self._compiler.compile(input=source.encode(), format="svg")
            except typst.TypstError as error:
                raise TypesetError(getattr(error, "message", str(error))) from error
            if isinstance(svg, list):
                svg = svg[0]
            match = _SIZE.search(svg)
            if match is None:
                raise TypesetError("the sheet has no size")
            width, height = float(match[1]) / POINTS, float(match[2]) / POINTS
            self._sheets[source] = Sheet(svg, width, height, self._formulas.on(body))
        return self._sheets[source]

    def formula(self, latex: str, size: float, colour: str) -> Sheet:
        """A formula by itself, in display style, beside words of font size `size` (frame units).

        As high as its ink: fractions and sums reach beyond the line. Raises native.FormulaError.
        """
        formula = native.typeset(latex, display=True)
        em = size * SIZE
        height, depth = formula.height * em, formula.depth * em
        whole = Stretch(formula, 0, len(formula.items), 0.0, formula.width)
        placed = Placed(whole, 0.0, height, em, colour)
        return Sheet(b"", formula.width * em, height + depth, placed=(placed,))

    def inline(self, latex: str, display: bool = False) -> str:
        """Typst source that keeps room for a formula within words, with places where a line may end.

        Raises native.FormulaError.
        """
        return "#sym.zws".join(self._formulas.markup(latex, display))

    def _families(self, names: tuple[str, ...]) -> str:
        """Typst source of a list of fonts, with the forms of Chinese characters that the film's language has."""
        return "(" + "".join(f'"{name.replace("CJK SC", f"CJK {self._forms}")}", ' for name in names) + ")"
