"""One formula turns into another: glyphs that both have move, the others come and go."""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
from manim import VGroup, VMobject

from ..frames.canvas import Canvas, Rate
from ..typesetting.outlines import glyph_shape


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
    canvas: Canvas, base: np.ndarray, old: VGroup, new: VGroup, after: np.ndarray, count: int, rate: Rate
) -> None:
    """Writes `count` frames on `base`; the picture is then `after`."""
    matched = pairs(old, new)
    stay_old, stay_new = {i for i, _ in matched}, {j for _, j in matched}
    moving = [new[j].copy() for _, j in matched]
    starts, ends = [old[i].points.copy() for i, _ in matched], [new[j].points.copy() for _, j in matched]
    going = [glyph.copy() for i, glyph in enumerate(old) if i not in stay_old]
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


def _strengths(glyph: VMobject) -> tuple[float, float]:
    return glyph.get_fill_opacity(), glyph.get_stroke_opacity()


def _set(glyph: VMobject, full: tuple[float, float], strength: float) -> None:
    glyph.set_fill(opacity=full[0] * strength, family=False)
    glyph.set_stroke(opacity=full[1] * strength, family=False)
