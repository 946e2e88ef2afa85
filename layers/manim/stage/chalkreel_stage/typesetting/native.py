"""LaTeX formulas → outlines, by the native library."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np

from ..library import library as _library


class FormulaError(ValueError):
    """A formula of which nothing can be drawn; the message is why."""


class Item(msgspec.Struct, array_like=True, frozen=True):
    """A piece of ink, in TeX's order. Lengths in em; the origin is the left end of the baseline, y points upwards."""

    font: int
    """Of the library's fonts; -1 for a rule, brace or line, whose curves are `curves`."""
    code: int
    x: float
    y: float
    scale: float
    part: int
    """Number of the innermost part it belongs to, in `Formula.parts`."""
    group: int
    """Number of its list of groups, in `Formula.groups`."""
    colour: str | None
    """Its author's colour, `#rrggbb`; none for that of what is around."""
    curves: list[float] | None = None

    @property
    def points(self) -> np.ndarray:
        """Cubic Bézier points in em from the formula's origin, shape (4n, 2): anchor, handle, handle, anchor."""
        shape = outline(self.font, self.code) if self.curves is None else np.array(self.curves).reshape(-1, 2)
        return shape * self.scale + (self.x, self.y)

    @property
    def look(self) -> tuple[object, ...]:
        """What it looks like, whatever its size and place: equal for two of the same shape."""
        if self.curves is None:
            return (self.font, self.code)
        return (-1, len(self.curves))


class Part(msgspec.Struct, frozen=True):
    """A part of a formula: see `formula::Kind` for the kinds."""

    kind: str
    parent: int
    name: str | None = None
    """By its author: `\\htmlId{name}{…}`."""


class Fault(msgspec.Struct, frozen=True):
    """Something that could not be read as it stands."""

    why: str
    """As part of a sentence: "the command `\\foo` is not known"."""
    about: str
    """The command it is about."""


class Formula(msgspec.Struct, frozen=True):
    """A formula that was set. Lengths in em."""

    width: float
    height: float
    depth: float
    items: list[Item]
    parts: list[Part]
    groups: list[list[str]]
    """Lists of names of groups of `\\special{dvisvgm:raw <g id='…'>}`, outermost first; the first is empty."""
    opened: list[str]
    """The names of all groups in the order in which they begin, those without ink as well."""
    breaks: list[int]
    """Before which items a line of words may end."""
    faults: list[Fault]
    missing: str
    """Letters that no font has, and that are not drawn."""
    error: str | None = None

    def within(self, part: int) -> list[int]:
        """Numbers of the items of a part and of all parts in it."""
        inside = {part}
        for number, other in enumerate(self.parts):
            if other.parent in inside:
                inside.add(number)
        return [number for number, item in enumerate(self.items) if item.part in inside]


_decode = msgspec.json.Decoder(Formula).decode
_encode = msgspec.json.Encoder().encode


def _taken(pointer: ctypes._Pointer, length: int) -> bytes:
    try:
        return ctypes.string_at(pointer, length)
    finally:
        _library.chalkreel_free(pointer, length)


def use_fonts(folder: str | None) -> None:
    """Names the folder of fonts for letters that KaTeX's fonts lack. Text fonts come first, then CJK, then signs."""
    paths = sorted(Path(folder).iterdir(), key=_rank) if folder else []
    names = _encode([os.fspath(path) for path in paths if path.suffix.lower() in (".ttf", ".otf", ".ttc")])
    _library.chalkreel_fonts(names, len(names))
    outline.cache_clear()
    typeset.cache_clear()
    typeset_text.cache_clear()


def _rank(path: Path) -> tuple[bool, bool, bool, str]:
    name = path.name
    return ("Emoji" in name, not name.startswith("NotoSans"), "Regular" not in name, name)


@lru_cache(maxsize=4096)
def outline(font: int, code: int) -> np.ndarray:
    """Cubic Bézier points of a letter in em, shape (4n, 2); none when no font has it."""
    length = ctypes.c_size_t()
    pointer = _library.chalkreel_outline(font, code, ctypes.byref(length))
    points = np.frombuffer(_taken(pointer, length.value), dtype="<f8").reshape(-1, 2)
    return points


@lru_cache(maxsize=1024)
def typeset(
    tex: str,
    display: bool = False,
    macros: tuple[tuple[str, str], ...] = (),
    preamble: str = "",
    strict: bool = False,
) -> Formula:
    """Sets a formula, given without its dollar signs.

    `display`: as a formula of its own, not within words. `macros`: names with their backslash, and bodies; `preamble`:
    source that defines some. `strict`: colours are xcolor's own, and `\\color{red}{x}` colours all that follows, as in
    LaTeX; otherwise colours can be read on every ground and that one colours `x`, as in lessons. Raises FormulaError
    when nothing of it can be drawn; what can't be read in part is told in `faults`.
    """
    request = _encode({"tex": tex, "display": display, "macros": macros, "preamble": preamble, "strict": strict})
    return _answer(request)


@lru_cache(maxsize=512)
def typeset_text(
    tex: str, environment: str = "", macros: tuple[tuple[str, str], ...] = (), preamble: str = ""
) -> Formula:
    """Sets words in lines, as TeX's text mode does: see `layers/manim/native/src/text_mode.rs`.

    `environment`: what is around it, as Manim has it: `center`, `flushleft`, `minipage}{9cm`; empty for none. The
    origin is the left end of the first line's baseline. Raises FormulaError. Parts are not told.
    """
    request = {"tex": tex, "macros": macros, "preamble": preamble, "strict": True, "environment": environment}
    return _answer(_encode(request))


def _answer(request: bytes) -> Formula:
    length = ctypes.c_size_t()
    pointer = _library.chalkreel_typeset(request, len(request), ctypes.byref(length))
    formula = _decode(_taken(pointer, length.value))
    if formula.error is not None:
        raise FormulaError(formula.error)
    return formula
