"""Parts of formulas as programs for Manim up to 0.19 count and name them.

There a text names every part that contains it, and each string of `substrings_to_isolate` or `tex_to_color_map` divides
a formula into submobjects. Since 0.20 a text names what is equal to it, and such strings divide nothing: `formula[2]`
breaks off. What those versions have stays theirs: only where they have nothing is the older meaning taken.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import manim
from manim.mobject.text.tex_mobject import MathTexPart

from .session import current

ISOLATING = {"substrings_to_isolate", "tex_to_color_map"}
FORMULAS = {"MathTex", "Tex", "TexMobject", "TextMobject", "OldTex", "OldTexText", "TexText"}
GONE = {"get_parts_by_tex", "index_of_part_by_tex"}
"""Methods that only an older Manim has."""

_told: set[int | None] = set()
"""Lines of the program at which a text's older meaning was told."""

_counts_pieces: bool | None = None
"""Whether the program counts the pieces between isolated strings; None until a formula asks."""


def install() -> None:
    """Gives MathTex what it had. Once in a process."""
    kind = manim.MathTex
    for name in ("set_color_by_tex", "set_opacity_by_tex", "set_color_by_tex_to_color_map"):
        setattr(kind, f"_exact_{name}", getattr(kind, name))
    kind._exact_get_part_by_tex = kind.get_part_by_tex
    kind.get_part_by_tex = _get_part_by_tex
    kind.get_parts_by_tex = _get_parts_by_tex
    kind.index_of_part_by_tex = _index_of_part_by_tex
    kind.set_color_by_tex = _set_color_by_tex
    kind.set_opacity_by_tex = _set_opacity_by_tex
    kind.set_color_by_tex_to_color_map = _set_color_by_tex_to_color_map
    kind._break_up_by_substrings = _broken_up(kind._break_up_by_substrings)
    kind.__getitem__ = _getitem(kind.__getitem__)


# Parts by their text.


def _get_parts_by_tex(
    self: manim.MathTex, tex: str, substring: bool = True, case_sensitive: bool = True
) -> manim.VGroup:
    """All parts that contain a text, or are equal to it."""

    def has(part: Any) -> bool:
        whole, wanted = (part.tex_string, tex) if case_sensitive else (part.tex_string.lower(), tex.lower())
        return wanted in whole if substring else wanted == whole

    return manim.VGroup(*(part for part in _parts(self) if has(part)))


def _get_part_by_tex(self: manim.MathTex, tex: str, **named: Any) -> Any:
    """The part that is a text; where there is none, the first that contains it."""
    found = self._exact_get_part_by_tex(tex)
    if found is None:
        found = next(iter(_containing(self, tex, **named)), None)
    return found


def _index_of_part_by_tex(self: manim.MathTex, tex: str, **named: Any) -> int:
    parts = _get_parts_by_tex(self, tex, **named)
    if not len(parts):
        raise ValueError(f"no part of the formula contains {tex!r}")
    return self.submobjects.index(parts[0])


def _set_color_by_tex(self: manim.MathTex, tex: str, color: Any, **named: Any) -> manim.MathTex:
    self._exact_set_color_by_tex(tex, color)
    for part in _containing(self, tex, **named):
        part.set_color(color)
    return self


def _set_opacity_by_tex(
    self: manim.MathTex, tex: str, opacity: float = 0.5, remaining_opacity: float | None = None, **named: Any
) -> manim.MathTex:
    self._exact_set_opacity_by_tex(tex, opacity, remaining_opacity)
    for part in _containing(self, tex, **named):
        part.set_opacity(opacity)
    return self


def _set_color_by_tex_to_color_map(
    self: manim.MathTex, texs_to_color_map: dict[Any, Any], **named: Any
) -> manim.MathTex:
    if texs_to_color_map is self.tex_to_color_map:
        # Of a formula that is being made: its texts are isolated.
        return self._exact_set_color_by_tex_to_color_map(texs_to_color_map)
    for texts, color in texs_to_color_map.items():
        for tex in (texts,) if isinstance(texts, str) else texts:
            self.set_color_by_tex(tex, color, **named)
    return self


def _containing(formula: manim.MathTex, tex: Any, **named: Any) -> list[Any]:
    """The parts that contain a text where none is equal to it."""
    if not isinstance(tex, str) or not tex or any(text == tex for text, _ in formula.matched_strings_and_ids):
        return []
    found = list(_get_parts_by_tex(formula, tex, **named))
    session = current()
    if found and session is not None and session.line() not in _told:
        _told.add(session.line())
        session.warn(
            f"no part of the formula is `{tex}`, and present Manims find none; `{found[0].tex_string.strip()}`, which"
            " contains it, stands in, as in Manim 0.19"
        )
    return found


# Parts by their number.


def _is_whole(formula: manim.MathTex) -> bool:
    """Whether the formula has isolated strings that are no submobjects of their own, and its parts are all there."""
    parts = [part.tex_string for part in formula.submobjects if isinstance(part, MathTexPart)]
    return bool(formula._substring_matches) and parts == formula.tex_strings


def _parts(formula: manim.MathTex) -> list[Any]:
    if _is_whole(formula):
        divided = _divided(formula)
        if divided is not None:
            return divided
    return [part for part in formula.submobjects if hasattr(part, "tex_string")]


def _divided(formula: manim.MathTex) -> list[MathTexPart] | None:
    """The pieces of a formula, isolated strings and what is between them; None when their ink is not known."""
    groups, found = formula.id_to_vgroup_dict, []
    if any(name not in groups for _, name in formula.matched_strings_and_ids):
        return None
    for text, name, isolated in _strings(formula):
        texts, owners, at = [], {}, 0
        for number, (part, part_name) in enumerate(isolated):
            start = text.index(part, at)
            texts += [text[at:start], part]
            at = start + len(part)
            owners |= {id(ink): 2 * number + 1 for ink in groups[part_name].submobjects}
        texts.append(text[at:])
        pieces: list[list[Any]] = [[] for _ in texts]
        slot = 0
        for ink in groups[name].submobjects:
            # What follows an isolated string and is not its own is of the text after it.
            slot = owners.get(id(ink), slot + slot % 2)
            pieces[slot].append(ink)
        for piece, inks in zip(texts, pieces, strict=True):
            if piece:
                part = MathTexPart()
                part.tex_string = piece
                part.add(*inks)
                found.append(part)
    return found


def _strings(formula: manim.MathTex) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each string with the name of its group, and the isolated ones within it."""
    isolated = set(formula._substring_matches)
    own: list[tuple[str, str, list[tuple[str, str]]]] = []
    for match in formula.matched_strings_and_ids:
        if match in isolated:
            own[-1][2].append(match)
        else:
            own.append((*match, []))
    yield from own


def _divide(formula: manim.MathTex) -> bool:
    """Makes the pieces of a formula its submobjects. Whether it did."""
    divided = _divided(formula) if _is_whole(formula) else None
    if divided is None:
        return False
    others = [other for other in formula.submobjects if not isinstance(other, MathTexPart)]
    formula.submobjects = [*divided, *others]
    session = current()
    if session is not None:
        session.warn_once(
            "the program counts the parts between isolated strings of a formula, which Manim has not done since 0.20;"
            " they are counted as in Manim 0.19"
        )
    return True


def _broken_up(real: Any) -> Any:
    @functools.wraps(real)
    def break_up_by_substrings(self: manim.MathTex) -> manim.MathTex:
        global _counts_pieces
        real(self)
        session = current()
        if _counts_pieces is None and session is not None and session.source is not None:
            _counts_pieces = counts_pieces(session.source.tree)
        if _counts_pieces:
            _divide(self)
        return self

    return break_up_by_substrings


def _getitem(real: Any) -> Any:
    @functools.wraps(real)
    def __getitem__(self: manim.MathTex, key: Any) -> Any:
        global _counts_pieces
        count = len(self)
        if isinstance(key, slice):
            lacks = not range(*key.indices(count))
        else:
            lacks = isinstance(key, Integral) and not -count <= key < count
        if lacks and _divide(self):
            # All further formulas are counted like this one.
            _counts_pieces = True
        return real(self, key)

    return __getitem__


# What a program's source says.


def counts_pieces(tree: ast.AST) -> bool:
    """Whether a program has methods of older Manims, or numbers of parts that only those have."""
    if any(isinstance(node, ast.Attribute) and node.attr in GONE for node in ast.walk(tree)):
        return True
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return any(_goes_beyond(scope) for scope in scopes)


def _goes_beyond(scope: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a formula is asked for more parts than its strings are. In a class it is an attribute of `self`."""
    made: dict[str, list[int | None]] = {}
    wanted = ast.Name if isinstance(scope, ast.FunctionDef) else ast.Attribute
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, wanted):
                    made.setdefault(ast.unparse(target), []).append(_strings_of(node.value))
    for node in ast.walk(scope):
        if isinstance(node, ast.Subscript):
            name = ast.unparse(node.value) if isinstance(node.value, wanted) else None
            counts = made.get(name, [None]) if name else [_strings_of(node.value)]
            if all(count is not None for count in counts) and _is_beyond(node.slice, max(counts)):
                return True
    return False


def _strings_of(value: ast.expr) -> int | None:
    """Of how many strings a formula with isolated ones is made; None for anything else."""
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name):
            isolating = any(keyword.arg in ISOLATING for keyword in value.keywords)
            texts = [ast.unparse(argument) for argument in value.args]
            known = not any(isinstance(argument, ast.Starred) for argument in value.args) and "{{" not in "".join(texts)
            return len(texts) if isolating and known and value.func.id in FORMULAS else None
        if not isinstance(value.func, ast.Attribute):
            return None
        value = value.func.value
    return None


def _is_beyond(key: ast.expr, count: int) -> bool:
    def number(node: ast.expr | None) -> int | None:
        try:
            value = ast.literal_eval(node) if node is not None else None
        except ValueError:
            return None
        return value if isinstance(value, int) else None

    if isinstance(key, ast.Slice):
        low, high = number(key.lower), number(key.upper)
        return (low is not None and low >= count) or (high is not None and high > count)
    at = number(key)
    return at is not None and not -count <= at < count
