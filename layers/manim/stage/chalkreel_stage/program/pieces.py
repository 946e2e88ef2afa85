"""Ink of a formula, in the pieces of which TeX composes it and which dvisvgm writes one by one.

The typesetter has one outline where TeX has several: for long arrows, for delimiters and braces beyond a certain size,
for dots in a column. It has several where TeX has a ligature. Programs count pieces (`formula[0][7]`), so both are made
here what they are in TeX. Sizes in em are those of Computer Modern's `cmex10` and `cmsy10`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..typesetting.native import Item

Piece = tuple[np.ndarray, Item]
"""Cubic Bézier points as in `Item.points`, and the ink that they are of."""

LIGATED = (0, 1, 2, 3, 10, 11, 12)
"""Numbers of the fonts whose originals have ligatures: the typewriter and the mathematical italic have none."""

MEMBER = 0x2208

SIZE_4 = 17
BRACE_ENDS = range(0x23A7, 0x23AD)

LIGATURES = ("ffi", "ffl", "ff", "fi", "fl")

LETTER_F = (0.2, 0.36)
"""From one `f` to the next letter in a word, in em, in all of these fonts."""

STRAIGHT_WIDTH, NORM_WIDTH = (0.0415, 0.0435), (0.26, 0.27)
"""In em: the line of a straight delimiter is a little wider than a rule (0.04); a norm has two."""

STRAIGHT, EXTENSION, END, BRACE_EXTENSION = 0.6, 0.6, 1.8, 0.3
"""Heights in em of a straight delimiter's piece, of what is repeated in others, of their ends, and within a brace."""

LEAST_TALL = 3.3
"""TeX has no delimiter of this height, in em: those of one piece are lower, those of several are higher."""

LAPPED = 0.016
"""By how much the parts of a brace lap over each other here, in em."""

BRACE_END = 0.467
"""From a horizontal brace's end, or its middle, to where its straight part begins, in em."""

BAR_STEP = 0.5556
"""What each repeated bar adds to a long arrow, in em."""

LAP = 0.012
"""By how much pieces that were cut lap over each other, in em: edges that only meet show a faint line between them."""

SEGMENTS = 6
"""Straight lines for a curve that is cut."""


def pieces(items: Sequence[Item]) -> list[Piece]:
    """The pieces of all ink, in TeX's order."""
    found: list[Piece] = []
    index = 0
    while index < len(items):
        letters = _ligature(items, index)
        if letters > 1:
            joined = np.concatenate([item.points for item in items[index : index + letters]])
            found.append((joined, items[index]))
        else:
            item = items[index]
            if item.code == MEMBER and index + 1 < len(items) and _is_struck(item, items[index + 1]):
                # TeX writes the stroke of `\\notin` first.
                found.append((items[index + 1].points, items[index + 1]))
                letters = 2
            before = items[index - 1] if index else None
            found += [(part, item) for part in _parts(item, item.points, before)]
        index += letters
    return found


def _is_struck(sign: Item, stroke: Item) -> bool:
    return stroke.code == ord("/") and abs(stroke.x - sign.x) < 0.4 * sign.scale


def _ligature(items: Sequence[Item], at: int) -> int:
    """How many pieces of ink from here are one ligature; 1 for none."""
    first = items[at]
    if first.font not in LIGATED or first.code != ord("f"):
        return 1
    word = "f"
    for before, item in zip(items[at:], items[at + 1 : at + 3], strict=False):
        same = (item.font, item.y, item.scale, item.group, item.colour) == (
            first.font,
            first.y,
            first.scale,
            first.group,
            first.colour,
        )
        step = (item.x - before.x) / first.scale
        if not same or not LETTER_F[0] < step < LETTER_F[1] or not 32 < item.code < 127:
            break
        word += chr(item.code)
    return next((len(known) for known in LIGATURES if word.startswith(known)), 1)


def _parts(item: Item, points: np.ndarray, before: Item | None) -> list[np.ndarray]:
    if not len(points):
        return []
    if item.curves is None:
        split = GLYPHS.get(item.code) if item.font != SIZE_4 else None
        return split(points) if split is not None else [points]
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    width, height = (right - left) / item.scale, (high - low) / item.scale
    if min(width, height) <= 1e-6:
        # A strut.
        return []
    straight = STRAIGHT_WIDTH[0] < width < STRAIGHT_WIDTH[1] or NORM_WIDTH[0] < width < NORM_WIDTH[1]
    if straight and height > 0.7:
        return _cut(points, _between(points, max(round(height / STRAIGHT), 1)), axis=1)
    if before is not None and before.font == SIZE_4 and before.code in BRACE_ENDS and 0.1 < width < 0.14:
        # Between a brace's end and its middle.
        count = max(round((height - LAPPED) / BRACE_EXTENSION), 0)
        return _cut(points, _between(points, count), axis=1) if count else []
    if height > LEAST_TALL and width < 1:
        return _tall(points, height, item.scale)
    if len(points) > 16 and width > 0.9 and 0.45 < height < 0.6:
        return _wide(points, width, item.scale)
    return [points]


def _tall(points: np.ndarray, height: float, scale: float) -> list[np.ndarray]:
    """A parenthesis or bracket from its top to its bottom; what stands on a floor or under a ceiling has one end."""
    low, high = points[:, 1].min(), points[:, 1].max()
    wide = np.ptp(points[:, 0])
    is_round = len(np.unique(points[::4, 0].round(4))) > 4
    ends = []
    for at in (high, low):
        near = points[np.abs(points[:, 1] - at) < 0.1 * scale]
        ends.append(np.ptp(near[:, 0]) > 0.7 * wide or is_round)
    top, bottom = (END if end else 0.0 for end in ends)
    count = max(round((height - top - bottom) / EXTENSION), 0)
    middle = np.linspace(high - top * scale, low + bottom * scale, count + 1)
    if not count:
        return _cut(points, middle[:1], axis=1)
    return _cut(points, middle[0 if top else 1 : None if bottom else -1], axis=1)


def _wide(points: np.ndarray, width: float, scale: float) -> list[np.ndarray]:
    left, right = points[:, 0].min(), points[:, 0].max()
    kind = _wide_kind(points)
    if kind == "brace":
        middle, end = (left + right) / 2, BRACE_END * scale
        if width / 2 - 2 * BRACE_END < 0.02:
            cuts = [(left + middle) / 2, middle, (middle + right) / 2]
        else:
            cuts = [left + end, middle - end, middle, middle + end, right - end]
        return _cut(points, cuts, axis=0)
    if kind == "both":
        count = max(int((width - 1.222) / BAR_STEP), 0)
        return _cut(points, np.linspace(left, right, count + 3)[1:-1], axis=0)
    if kind is not None:
        count = max(int((width - 1.0) / BAR_STEP), 0)
        head = 0.65 * scale
        if kind == "right":
            cuts = np.linspace(left, right - head, count + 2)[1:]
        else:
            cuts = np.linspace(left + head, right, count + 2)[:-1]
        return _cut(points, cuts, axis=0)
    return [points]


def _wide_kind(points: np.ndarray) -> str | None:
    """What a wide drawing is, by where it is high: a brace has its point in the middle, an arrow its head at an end."""
    left, right = points[:, 0].min(), points[:, 0].max()
    low, high = points[:, 1].min(), points[:, 1].max()
    polygon = np.concatenate(_polygons(points))

    def heights(of: float, to: float) -> tuple[float, float]:
        share = (polygon[:, 0] - left) / (right - left)
        near = polygon[(share >= of) & (share <= to)]
        return (near[:, 1].min(), near[:, 1].max()) if len(near) else (0.0, 0.0)

    middle, reach = heights(0.42, 0.58), 0.3 / (right - left)
    first, last = heights(0, reach), heights(1 - reach, 1)
    tall = high - low
    if np.ptp(middle) > 0.2 * tall:
        return "brace"
    heads = [np.ptp(end) > 0.7 * tall for end in (first, last)]
    return {(True, True): "both", (False, True): "right", (True, False): "left"}.get((heads[0], heads[1]))


# Cutting.


def _between(points: np.ndarray, count: int) -> np.ndarray:
    """Where to cut an outline into so many pieces of one height."""
    return np.linspace(points[:, 1].min(), points[:, 1].max(), count + 1)[1:-1]


def _cut(points: np.ndarray, cuts: Sequence[float] | np.ndarray, *, axis: int) -> list[np.ndarray]:
    """What lies between the cuts: from left to right, or from top to bottom."""
    if not len(cuts):
        return [points]
    borders = [-math.inf, *sorted(float(cut) for cut in cuts), math.inf]
    polygons = _polygons(points)
    parts = []
    for low, high in itertools.pairwise(borders):
        kept = [_clipped(_clipped(polygon, axis, low - LAP, 1), axis, high + LAP, -1) for polygon in polygons]
        curves = [_curves(polygon) for polygon in kept if len(polygon) > 2]
        if curves:
            parts.append(np.concatenate(curves))
    return parts if axis == 0 else parts[::-1]


def _polygons(points: np.ndarray) -> list[np.ndarray]:
    """Closed outlines as corners: curves become lines, straight ones stay what they are."""
    steps = np.linspace(0, 1, SEGMENTS, endpoint=False)[:, None]
    found = []
    for contour in _contours(points):
        corners = []
        for start, one, two, end in contour.reshape(-1, 4, 2):
            chord = end - start
            bend = max(abs(chord[0] * (handle - start)[1] - chord[1] * (handle - start)[0]) for handle in (one, two))
            at = steps if bend > 1e-9 else steps[:1]
            corners.append(
                (1 - at) ** 3 * start + 3 * at * (1 - at) ** 2 * one + 3 * at**2 * (1 - at) * two + at**3 * end
            )
        found.append(np.concatenate(corners))
    return found


def _contours(points: np.ndarray) -> list[np.ndarray]:
    """The closed curves of an outline."""
    curves = points.reshape(-1, 4, 2)
    ends = np.nonzero(np.abs(curves[:-1, 3] - curves[1:, 0]).max(axis=1) > 1e-6)[0] + 1
    return [part.reshape(-1, 2) for part in np.split(curves, ends) if len(part)]


def _clipped(polygon: np.ndarray, axis: int, border: float, side: int) -> np.ndarray:
    """The part of a polygon on one side of a straight border (Sutherland and Hodgman)."""
    if not len(polygon) or math.isinf(border):
        return polygon
    inside = (polygon[:, axis] - border) * side >= 0
    kept = []
    for index, corner in enumerate(polygon):
        earlier = polygon[index - 1]
        if inside[index] != inside[index - 1]:
            share = (border - earlier[axis]) / (corner[axis] - earlier[axis])
            kept.append(earlier + share * (corner - earlier))
        if inside[index]:
            kept.append(corner)
    return np.array(kept)


def _curves(polygon: np.ndarray) -> np.ndarray:
    """Straight cubic curves around a polygon, shape (4n, 2)."""
    following = np.roll(polygon, -1, axis=0)
    third = (following - polygon) / 3
    return np.stack([polygon, polygon + third, polygon + 2 * third, following], axis=1).reshape(-1, 2)


# Glyphs that TeX composes.


def _by_contours(axis: int, turned: bool = False) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Outlines that do not touch: from left to right (axis 0) or from top to bottom (1)."""

    def split(points: np.ndarray) -> list[np.ndarray]:
        groups: list[list[np.ndarray]] = []
        for contour in sorted(_contours(points), key=lambda part: -np.ptp(part[:, axis])):
            low, high = contour[:, axis].min(), contour[:, axis].max()
            for group in groups:
                whole = np.concatenate(group)
                if low >= whole[:, axis].min() - 1e-6 and high <= whole[:, axis].max() + 1e-6:
                    group.append(contour)
                    break
            else:
                groups.append([contour])
        parts = [np.concatenate(group) for group in groups]
        return sorted(parts, key=lambda part: (1 if axis == 0 else -1) * (-1 if turned else 1) * part[:, axis].mean())

    return split


def _by_cuts(*shares: float) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Cut at these shares of the width."""

    def split(points: np.ndarray) -> list[np.ndarray]:
        left, right = points[:, 0].min(), points[:, 0].max()
        return _cut(points, [left + share * (right - left) for share in shares], axis=0)

    return split


def _equals_below(points: np.ndarray) -> list[np.ndarray]:
    """What stands above an equals sign, and the sign with its two lines."""
    parts = _by_contours(1)(points)
    return [parts[0], np.concatenate(parts[1:])] if len(parts) > 2 else parts


GLYPHS: dict[int, Callable[[np.ndarray], list[np.ndarray]]] = {
    0x21A6: _by_cuts(0.08),
    0x21A9: _by_cuts(0.87),
    0x21AA: _by_cuts(0.13),
    0x27F5: _by_cuts(0.55),
    0x27F6: _by_cuts(0.45),
    0x27F7: _by_cuts(0.5),
    0x27F8: _by_cuts(0.55),
    0x27F9: _by_cuts(0.45),
    0x27FA: _by_cuts(0.5),
    0x27FC: _by_cuts(0.05, 0.45),
    0x22A8: _by_cuts(0.07),
    0x222C: _by_contours(0),
    0x222D: _by_contours(0),
    0x2245: _equals_below,
    0x2250: _equals_below,
    0x22EE: _by_contours(1),
    0x22F1: _by_contours(1),
}
"""By code: mapsto, hooks, long arrows, models, integrals, congruent, doteq, dots."""
