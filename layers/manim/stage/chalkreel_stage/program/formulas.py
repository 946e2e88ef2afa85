"""TeX's classes without TeX: Tex, MathTex and everything that is made of them is set by the native typesetter.

A formula goes straight from the typesetter to mobjects, with no file on the way: what Manim takes for the
path of an SVG is the key of a formula. Its submobjects are one piece of ink each, in the order in which latex and
dvisvgm write them.

A formula that comes again in a program is not set again. There is no cache over programs and jobs, since there is
nothing to gain: of the 10 ms that a MathTex takes (300 formulas of programs, warm), 0.4 are the typesetter's; the
others are Manim's own, for colours and parts, which no cache of formulas saves.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import manim
import numpy as np
from manim.mobject.svg.svg_mobject import SVGMobject, VMobjectFromSVGPath
from manim.mobject.text import tex_mobject
from manim.utils import tex_file_writing

from .pieces import pieces
from .session import current

try:
    from ..typesetting import native
except OSError:
    # It is built by `make tools`; without it Manim looks for a TeX.
    native = None

if TYPE_CHECKING:
    from manim.utils.tex import TexTemplate

EM = 9.96264
"""Units of Manim's SVGs in an em: ten points of TeX in units of 1/72 inch."""

WIDEST_SOURCE = 12.0
"""Frame units that the source of a formula which can't be set may take, at font size 48."""

MATHS = re.compile(
    r"(align|alignat|aligned|equation|eqnarray|flalign|gather|gathered|multline|displaymath|math|split|cases|array"
    r"|[pbBvV]?matrix|smallmatrix)\*?"
)
"""Environments whose contents are a formula. In all others, and in none, it is text."""

SPECIAL = re.compile(r"\\special\{dvisvgm:raw (?:<g id='[^']*'>|</g>)\}")

PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%(?=[ \t]*\S)")
"""A percent sign that is not at the end of a line and has no backslash of its own."""

PLAIN_PACKAGES = frozenset(
    (
        "amsmath",
        "amssymb",
        "amsfonts",
        "amsthm",
        "mathtools",
        "mathrsfs",
        "babel",
        "inputenc",
        "fontenc",
        "xcolor",
        "color",
        "graphicx",
        "geometry",
        "bm",
        "physics",
        "braket",
        "siunitx",
        "dsfont",
        "setspace",
        "tipa",
        "relsize",
        "textcomp",
        "calligra",
        "wasysym",
        "ragged2e",
        "xspace",
        "microtype",
        "standalone",
        "preview",
        "ctex",
        "xeCJK",
        "CJKutf8",
        "esvect",
        "esint",
        "cancel",
        "mathdots",
        "empheq",
        "hyperref",
        "lmodern",
        "soul",
        "ulem",
    )
)
"""Packages that a template may name without changing what is drawn here, or whose commands are known here."""

_formulas: dict[Path, Any] = {}
"""What was set, by what Manim takes for its path."""


def install(formulas: str) -> str | None:
    """Puts the typesetter in TeX's place; with `latex` only without a TeX: then the answer says what is missing."""
    missing = [name for name in ("latex", "dvisvgm") if formulas == "latex" and not shutil.which(name)]
    if native is None or (formulas == "latex" and not missing):
        return None
    tex_mobject.tex_to_svg_file = tex_file_writing.tex_to_svg_file = manim.tex_to_svg_file = _key
    SVGMobject.init_svg_mobject = _made(SVGMobject.init_svg_mobject)
    if missing:
        return f"formulas are set without TeX although MANIM_TEX is latex: there is no {' and no '.join(missing)}"
    return None


class Glyph(VMobjectFromSVGPath):
    """A piece of ink whose points are known. For each colour one is made as Manim makes it, others are its copies."""

    def __init__(self, colour: str) -> None:
        super().__init__(_NO_PATH, should_subdivide_sharp_curves=True, should_remove_null_curves=True)
        self.set_style(stroke_width=0, stroke_color=None, fill_color=colour, fill_opacity=1.0)

    def generate_points(self) -> Glyph:
        """They are given to the copies."""
        return self

    init_points = generate_points

    def of(self, points: np.ndarray) -> Glyph:
        """A copy with these points, shape (4n, 3)."""
        made = Glyph.__new__(Glyph)
        for name, value in self.__dict__.items():
            copied = isinstance(value, np.ndarray | list | dict)
            made.__dict__[name] = value.copy() if copied else value
        made.points = points
        return made


@functools.lru_cache(maxsize=64)
def _pen(colour: str) -> Glyph:
    return Glyph(colour)


class _NoPath:
    """Stands where Manim keeps the path that it has read."""

    def approximate_arcs_with_quads(self) -> None:
        """There are no arcs."""

    def __deepcopy__(self, memo: object) -> _NoPath:
        return self


_NO_PATH = _NoPath()


def _key(expression: str, environment: str | None = None, tex_template: TexTemplate | None = None) -> Path:
    """What Manim takes for the path of the formula's SVG. Sets the formula, once for all that are equal."""
    template = tex_template or manim.config["tex_template"]
    preamble = _preamble(template)
    name = hashlib.sha256(repr((expression, environment, preamble)).encode()).hexdigest()[:16]
    path = Path(f"/formulas/{name}.svg")
    if path not in _formulas:
        _formulas[path] = _set(expression, environment, preamble)
    return path


def _set(expression: str, environment: str | None, preamble: str) -> Any:
    session = current()
    try:
        formula = _typeset(expression, environment, preamble)
    except native.FormulaError as error:
        if session is not None:
            session.warn(f"the formula {_short(expression)} can't be set here, and its source is shown: {error}")
        return _source(expression)
    for fault in formula.faults:
        if session is not None:
            session.warn(f"in the formula {_short(expression)}: {fault.why}")
    lost = _without_outline(formula)
    if lost and session is not None:
        session.warn(f"no font here has {lost!r} in {_short(expression)}")
    return formula


def _typeset(expression: str, environment: str | None, preamble: str) -> Any:
    name = environment.partition("}")[0].strip() if environment else ""
    if not MATHS.fullmatch(name):
        return native.typeset_text(_with_percents(expression), environment or "", preamble=preamble)
    bare = SPECIAL.sub("", expression)
    if "&" in bare or "\\\\" in bare or not name.startswith(("align", "equation", "displaymath", "math", "gather")):
        expression = f"\\begin{{{environment}}}{expression}\\end{{{name}}}"
    return native.typeset(expression, True, preamble=preamble, strict=True)


def _without_outline(formula: Any) -> str:
    """Letters that no font has, and those of which a font has a picture alone."""
    pictures = (item for item in formula.items if item.curves is None and item.code > 0x2000 and not len(item.points))
    return formula.missing + "".join(dict.fromkeys(chr(item.code) for item in pictures if _is_ink(chr(item.code))))


def _is_ink(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "SLN"


_drawn: dict[str, bool] = {}
"""Letters that were looked for in the fonts, and whether there is an outline."""


def undrawn(text: str) -> list[str]:
    """Letters of a text for which no font here has an outline: emoji are pictures, which Manim can't draw."""
    letters = dict.fromkeys(letter for letter in text if ord(letter) > 0x2000 and _is_ink(letter))
    if native is None:
        return []
    new = "".join(letter for letter in letters if letter not in _drawn)
    if new:
        lost = _without_outline(native.typeset(rf"\text{{{new}}}", False))
        _drawn.update((letter, letter not in lost) for letter in new)
    return [letter for letter in letters if not _drawn[letter]]


def _with_percents(text: str) -> str:
    """A text whose percent signs are drawn. TeX drops what follows one, which nobody means who writes 100%."""
    read = PERCENT.sub(r"\1\\%", text)
    session = current()
    if read != text and session is not None:
        session.warn(f"in the text {_short(text)}: a `%` begins a comment; it is read as `\\%`")
    return read


def _source(expression: str) -> Any:
    """The source in typewriter, inside of the same parts."""
    pieces, end = [], 0
    for special in [*SPECIAL.finditer(expression), None]:
        text = expression[end : special.start() if special else len(expression)]
        if text.strip():
            pieces.append(rf"\texttt{{{_escaped(' '.join(text.split()))}}}")
        if special:
            pieces.append(special[0])
            end = special.end()
    return native.typeset("".join(pieces) or r"\texttt{?}", True)


def _escaped(text: str) -> str:
    marks = {"\\": r"\textbackslash ", "{": r"\{", "}": r"\}", "^": r"\^{}", "~": r"\~{}"}
    return "".join(marks.get(letter, f"\\{letter}" if letter in "$&%#_" else letter) for letter in text)


def _short(expression: str) -> str:
    text = " ".join(SPECIAL.sub("", expression).split())
    return f"`{text[:80]}{'…' if len(text) > 80 else ''}`"


def _made(real: Callable[..., SVGMobject]) -> Callable[..., SVGMobject]:
    @functools.wraps(real)
    def init_svg_mobject(self: SVGMobject, use_svg_cache: bool) -> SVGMobject:
        formula = _formulas.get(self.file_name) if self.file_name is not None else None
        if formula is None:
            return real(self, use_svg_cache)
        self.id_to_vgroup_dict = groups = {"root": manim.VGroup(), **{name: manim.VGroup() for name in formula.opened}}
        ink: list[Glyph] = []
        for points, item in pieces(formula.items):
            # What is black takes the mobject's own colour.
            glyph = _pen(item.colour or "#000000").of(np.pad(points * EM, ((0, 0), (0, 1))))
            ink.append(glyph)
            groups["root"].add(glyph)
            for name in dict.fromkeys(formula.groups[item.group]):
                groups[name].add(glyph)
        self.add(*ink)
        return self

    return init_svg_mobject


# What a template says.

_PACKAGES = re.compile(r"\\usepackage\s*(?:\[[^\]]*\])?\s*\{([^}]*)\}")
_FONTS = re.compile(r"\\(?:setmainfont|setsansfont|setmathfont|setCJKmainfont|fontfamily)\b")


@functools.lru_cache(maxsize=64)
def _read_template(body: str) -> tuple[str, tuple[str, ...]]:
    """Where a template defines its macros, and sentences about what of it is left out."""
    before, _, rest = body.partition(r"\begin{document}")
    after = rest.partition(r"\end{document}")[0]
    packages = {name.strip() for found in _PACKAGES.finditer(before) for name in found[1].split(",")}
    told = [f"the package {name} of the TeX template is left out" for name in sorted(packages - PLAIN_PACKAGES) if name]
    if _FONTS.search(before):
        told.append("fonts of the TeX template are left out; formulas have Computer Modern")
    return f"{before}\n{after.replace('YourTextHere', '')}", tuple(told)


def _preamble(template: TexTemplate) -> str:
    preamble, told = _read_template(template.body)
    session = current()
    if session is not None:
        for sentence in told:
            session.warn(sentence)
    return preamble


def preload(texts: Sequence[str] = ("x",)) -> None:
    """Opens the typesetter's fonts, before programs are forked off."""
    if native is not None:
        native.use_fonts(os.environ.get("CHALKREEL_STAGE_FONTS"))
        for text in texts:
            native.typeset(text, True)
