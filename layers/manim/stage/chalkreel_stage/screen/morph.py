"""One formula turns into another, or a program into its next version: what both have moves, the rest comes and goes."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from manim import Mobject, VGroup, VMobject

from ..frames.canvas import Canvas, Moving, Rate
from ..typesetting.outlines import glyph_shape
from .shown import Shown

SURE = 0.6
"""Part of a formula's glyphs that another has, from which on it is made of that."""

LEAST_SAME = 4
"""Least number of these glyphs."""


def pairs(old: VGroup, new: VGroup) -> list[tuple[int, int]]:
    """Numbers of glyphs that look the same: those in the same order first, then what is left."""
    before, after = [glyph_shape(g) for g in old], [glyph_shape(g) for g in new]
    matched = [
        (block.a + k, block.b + k)
        for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        for k in range(block.size)
    ]
    used_old, used_new = {a for a, _ in matched}, {b for _, b in matched}
    for j, look in enumerate(after):
        if j in used_new:
            continue
        i = next((i for i, other in enumerate(before) if i not in used_old and other == look), None)
        if i is not None:
            matched.append((i, j))
            used_old.add(i)
    return [(i, j) for i, j in matched if len(old[i].points) == len(new[j].points)]


def morph(
    canvas: Canvas,
    base: np.ndarray,
    old: VGroup,
    new: VGroup,
    after: np.ndarray,
    count: int,
    rate: Rate,
    keeps: bool = False,
) -> None:
    """Writes `count` frames on `base`; the picture is then `after`. When it `keeps` the old one, that is on `base`."""
    matched = pairs(old, new)
    stay_old, stay_new = {i for i, _ in matched}, {j for _, j in matched}
    moving = [new[j].copy() for _, j in matched]
    starts, ends = [old[i].points.copy() for i, _ in matched], [new[j].points.copy() for _, j in matched]
    going = [] if keeps else [glyph.copy() for i, glyph in enumerate(old) if i not in stay_old]
    coming = [glyph.copy() for j, glyph in enumerate(new) if j not in stay_new]
    full_going, full_coming = [_strengths(g) for g in going], [_strengths(g) for g in coming]
    for i in range(1, count):
        part = rate(i / count)
        for glyph, start, end in zip(moving, starts, ends, strict=True):
            glyph.points = start + (end - start) * part
        # What goes is away before what comes is there, so that they are never read together.
        for glyph, full in zip(going, full_going, strict=True):
            _set(glyph, full, max(0.0, 1 - 2 * part))
        for glyph, full in zip(coming, full_coming, strict=True):
            _set(glyph, full, max(0.0, 2 * part - 1))
        canvas.show(canvas.draw(base, [*going, *coming, *moving]))
    canvas.still = after
    canvas.hold(min(count, 1))


def alike(old: Mobject, new: Mobject) -> bool:
    """Whether one formula is surely made of another: most of its glyphs, and not just two or three."""
    if not (isinstance(old, VGroup) and isinstance(new, VGroup)):
        return False
    same = len(pairs(old, new))
    return same >= LEAST_SAME and same >= SURE * max(len(new), 0.7 * len(old))


def revise(
    canvas: Canvas,
    base: np.ndarray,
    going: Sequence[Shown],
    fresh: Sequence[Shown],
    after: np.ndarray,
    count: int,
    rate: Rate,
) -> None:
    """A program turns into its next version: lines that both have move, others go and come; the rest dissolves."""
    old, new = next(s for s in going if s.lines), next(s for s in fresh if s.lines)
    blocks = SequenceMatcher(None, old.lines, new.lines, autojunk=False).get_matching_blocks()
    kept = {block.b + k: block.a + k for block in blocks for k in range(block.size)}
    # Lines that move alike are one layer.
    ways: dict[tuple[float, float], list[Mobject]] = {}
    for j, i in kept.items():
        a, b = _corner(old.mobject.submobjects[i]), _corner(new.mobject.submobjects[j])
        if a is not None and b is not None:
            ways.setdefault((round(a[0] - b[0], 3), round(a[1] - b[1], 3)), []).append(new.mobject.submobjects[j])
    gone = [line for i, line in enumerate(old.mobject.submobjects) if i not in kept.values()]
    come = [line for j, line in enumerate(new.mobject.submobjects) if j not in kept]
    moving = [
        Moving(canvas.layer([s.mobject for s in going if s is not old]), (0.0, 0.0), lambda p: (1, 0, 0, 2 - 2 * p)),
        Moving(canvas.layer([s.mobject for s in fresh if s is not new]), (0.0, 0.0), lambda p: (1, 0, 0, 2 * p)),
        Moving(canvas.layer(gone), (0.0, 0.0), lambda p: (1, 0, 0, 1 - 2 * p)),
        *(
            Moving(canvas.layer(lines), (0.0, 0.0), lambda p, x=x, y=y: (1, x * (1 - p), y * (1 - p), 1))
            for (x, y), lines in ways.items()
        ),
        Moving(canvas.layer(come), (0.0, 0.0), lambda p: (1, 0, 0, 2 * p - 1)),
    ]
    canvas.glide(base, moving, after, count, rate)


def _corner(item: Mobject) -> tuple[float, float] | None:
    """Left and top edge of the ink; none when there is none."""
    points = [m.points for m in item.get_family() if len(m.points)]
    if not points:
        return None
    return float(min(p[:, 0].min() for p in points)), float(max(p[:, 1].max() for p in points))


def _strengths(glyph: VMobject) -> tuple[float, float]:
    return glyph.get_fill_opacity(), glyph.get_stroke_opacity()


def _set(glyph: VMobject, full: tuple[float, float], strength: float) -> None:
    glyph.set_fill(opacity=full[0] * strength, family=False)
    glyph.set_stroke(opacity=full[1] * strength, family=False)
