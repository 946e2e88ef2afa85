"""Sheets → Manim mobjects, and where the glyphs of one sheet stand in another."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from xml.etree import ElementTree as ET

import numpy as np
from manim import Group, Mobject, VGroup, VMobject
from PIL import Image

from ..frames.painting import Picture
from .formulas import Placed
from .typesetter import POINTS, Sheet, TypesetError

_COMMAND = re.compile(r"([A-Za-z])|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate)\(([^)]*)\)")

_HREF = "{http://www.w3.org/1999/xlink}href"


@lru_cache(maxsize=4096)
def _outline(data: str) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, _path(data)))


def _path(data: str) -> np.ndarray:
    """Cubic Bézier points of an SVG path, shape (4n, 2): anchor, handle, handle, anchor."""
    points: list[tuple[float, float]] = []
    tokens = _COMMAND.findall(data)
    x = y = start_x = start_y = 0.0
    i = 0
    command = ""

    def take(count: int) -> list[float]:
        nonlocal i
        values = [float(tokens[i + k][1]) for k in range(count)]
        i += count
        return values

    def line(to_x: float, to_y: float) -> None:
        dx, dy = (to_x - x) / 3, (to_y - y) / 3
        points.extend([(x, y), (x + dx, y + dy), (x + 2 * dx, y + 2 * dy), (to_x, to_y)])

    while i < len(tokens):
        if tokens[i][0]:
            command = tokens[i][0]
            i += 1
        base_x, base_y = (x, y) if command.islower() else (0.0, 0.0)
        kind = command.upper()
        if kind == "M":
            dx, dy = take(2)
            x, y = base_x + dx, base_y + dy
            start_x, start_y = x, y
            command = "l" if command == "m" else "L"
        elif kind == "L":
            dx, dy = take(2)
            line(base_x + dx, base_y + dy)
            x, y = base_x + dx, base_y + dy
        elif kind == "H":
            (dx,) = take(1)
            line(base_x + dx, y)
            x = base_x + dx
        elif kind == "V":
            (dy,) = take(1)
            line(x, base_y + dy)
            y = base_y + dy
        elif kind == "C":
            a, b, c, d, e, f = take(6)
            points.extend([(x, y), (base_x + a, base_y + b), (base_x + c, base_y + d), (base_x + e, base_y + f)])
            x, y = base_x + e, base_y + f
        elif kind == "Q":
            a, b, e, f = take(4)
            qx, qy, ex, ey = base_x + a, base_y + b, base_x + e, base_y + f
            points.extend(
                [
                    (x, y),
                    (x + 2 / 3 * (qx - x), y + 2 / 3 * (qy - y)),
                    (ex + 2 / 3 * (qx - ex), ey + 2 / 3 * (qy - ey)),
                    (ex, ey),
                ]
            )
            x, y = ex, ey
        elif kind == "Z":
            if abs(x - start_x) > 1e-9 or abs(y - start_y) > 1e-9:
                line(start_x, start_y)
            x, y = start_x, start_y
        else:
            raise TypesetError(f"a path command that Typst does not write: {command}")
    return np.array(points, dtype=float).reshape(-1, 2)


def _matrix(transform: str | None) -> np.ndarray:
    result = np.eye(3)
    for name, inner in _TRANSFORM.findall(transform or ""):
        v = [float(n) for n in _NUMBER.findall(inner)]
        step = np.eye(3)
        if name == "matrix":
            step[:2] = [[v[0], v[2], v[4]], [v[1], v[3], v[5]]]
        elif name == "translate":
            step[:2, 2] = [v[0], v[1] if len(v) > 1 else 0.0]
        elif name == "scale":
            step[0, 0], step[1, 1] = v[0], v[-1]
        else:
            angle = np.deg2rad(v[0])
            step[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        result = result @ step
    return result


def mobject(sheet: Sheet, each_glyph: bool = False) -> Group:
    """The sheet's ink, its top left corner at the origin. One mobject per run of glyphs, or per glyph.

    A VGroup, unless there are pictures in it: those of colour emoji.
    """
    items: list[Mobject] = []
    for placed in sheet.placed:
        items += _formula(placed, each_glyph)
    if not sheet.svg:
        return VGroup(*items)
    root = ET.fromstring(sheet.svg)
    symbols: dict[str, ET.Element] = {}
    for element in root.iter():
        if element.tag.endswith("}symbol") and len(element):
            symbols["#" + element.get("id", "")] = element[0]

    def place(outline: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        flat = outline @ matrix[:2, :2].T + matrix[:2, 2]
        points = np.zeros((len(flat), 3))
        points[:, 0] = flat[:, 0] / POINTS
        points[:, 1] = -flat[:, 1] / POINTS
        return points

    def add(points: np.ndarray, fill: str | None, stroke: str | None, stroke_points: float) -> None:
        if not len(points):
            return
        # Manim draws a stroke width of 1 as a hundredth of a frame unit.
        items.append(_ink(points, fill, stroke, stroke_points / POINTS * 100))

    def picture(data: str, matrix: np.ndarray, width: float, height: float) -> None:
        pixels = _pixels(data)
        if pixels is None:
            return
        item = Picture(pixels, 1.0, 1.0)
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
        item.points = place(corners, matrix)
        items.append(item)

    def walk(parent: Iterable[ET.Element], matrix: np.ndarray) -> None:
        run: list[np.ndarray] = []
        run_fill: str | None = None
        for element in parent:
            tag = element.tag.rsplit("}", 1)[-1]
            if tag in ("defs", "symbol", "clipPath"):
                continue
            local = matrix @ _matrix(element.get("transform"))
            if tag == "g":
                walk(element, local)
            elif tag == "use":
                symbol = symbols.get(element.get(_HREF, ""))
                if symbol is None:
                    continue
                at = np.eye(3)
                at[:2, 2] = [float(element.get("x", "0")), float(element.get("y", "0"))]
                data = symbol.get("d", "")
                if not data:
                    walk([symbol], local @ at)
                    continue
                points = place(np.array(_outline(data)).reshape(-1, 2), local @ at)
                fill, stroke = _colour(element.get("fill")), _colour(element.get("stroke"))
                width = float(element.get("stroke-width", "1"))
                if each_glyph or stroke:
                    add(points, fill, stroke, width)
                else:
                    if run and fill != run_fill:
                        add(np.concatenate(run), run_fill, None, 0.0)
                        run = []
                    run.append(points)
                    run_fill = fill
            elif tag == "image":
                width, height = float(element.get("width", "0")), float(element.get("height", "0"))
                at = np.eye(3)
                at[:2, 2] = [float(element.get("x", "0")), float(element.get("y", "0"))]
                picture(element.get(_HREF, element.get("href", "")), local @ at, width, height)
            elif tag == "path" and element.get("fill", "") in sheet.formulas:
                corners = place(_path(element.get("d", "")), local)
                stretch = sheet.formulas[element.get("fill", "")]
                formula = stretch.formula
                (left, bottom), (_, top) = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
                em = float(top - bottom) / (max(formula.height, 0.0) + max(formula.depth, 0.0))
                baseline = -float(top) + max(formula.height, 0.0) * em
                colour = _colour(element.get("stroke")) or "#ffffff"
                items.extend(_formula(Placed(stretch, float(left), baseline, em, colour), each_glyph))
            elif tag == "path":
                stroke = _colour(element.get("stroke"))
                width = float(element.get("stroke-width", "1")) * float(np.sqrt(abs(np.linalg.det(local[:2, :2]))))
                add(place(_path(element.get("d", "")), local), _colour(element.get("fill")), stroke, width)
        if run:
            add(np.concatenate(run), run_fill, None, 0.0)

    walk(root, np.eye(3))
    return (VGroup if all(isinstance(item, VMobject) for item in items) else Group)(*items)


def _formula(placed: Placed, each_glyph: bool) -> list[Mobject]:
    """A formula's ink: one mobject for each piece, or for each run of one colour."""
    stretch, made = placed.stretch, []
    run: list[np.ndarray] = []
    colour = placed.colour

    def add(points: list[np.ndarray], fill: str) -> None:
        made.append(_ink(np.concatenate(points), fill, None, 0.0))

    for item in stretch.formula.items[stretch.first : stretch.last]:
        flat = item.points
        if not len(flat):
            continue
        points = np.zeros((len(flat), 3))
        points[:, 0] = placed.x + (flat[:, 0] - stretch.left) * placed.em
        points[:, 1] = flat[:, 1] * placed.em - placed.y
        own = item.colour or placed.colour
        if run and (each_glyph or own != colour):
            add(run, colour)
            run = []
        run.append(points)
        colour = own
    if run:
        add(run, colour)
    return made


def _ink(points: np.ndarray, fill: str | None, stroke: str | None, stroke_width: float) -> VMobject:
    """A mobject of these points. `stroke_width` in Manim's units.

    Manim takes 0.3 ms to make one, most of it for its colours: it is copied from one that has them.
    """
    model = _model(fill, stroke, stroke_width if stroke else 0.0)
    item = VMobject.__new__(VMobject)
    for name, value in vars(model).items():
        setattr(item, name, value.copy() if isinstance(value, np.ndarray | list | dict) else value)
    item.points = points
    item.is_ink = True
    return item


def is_ink(item: Mobject) -> bool:
    """Whether it is ink of words or formulas, and no drawing."""
    return getattr(item, "is_ink", False)


@lru_cache(maxsize=256)
def _model(fill: str | None, stroke: str | None, stroke_width: float) -> VMobject:
    return VMobject(
        fill_color=fill or stroke or "#ffffff",
        fill_opacity=1.0 if fill else 0.0,
        stroke_color=stroke or fill or "#ffffff",
        stroke_opacity=1.0 if stroke else 0.0,
        stroke_width=stroke_width,
    )


@lru_cache(maxsize=256)
def _pixels(data: str) -> np.ndarray | None:
    """The pixels of a `data:` picture that Typst wrote; none when it is no such picture."""
    head, _, body = data.partition(",")
    if not head.startswith("data:image/png;base64"):
        return None
    with Image.open(io.BytesIO(base64.b64decode(body))) as image:
        return np.asarray(image.convert("RGBA"))


def _shape(item: Mobject) -> np.ndarray:
    """The corners of a glyph's outline, whatever its size and place, against its larger side."""
    points = item.points[:, :2]
    low, size = points.min(axis=0), max(float(np.ptp(points[:, 1])), float(np.ptp(points[:, 0])), 1e-6)
    curves = ((points - low) / size)[: len(points) // 4 * 4].reshape(-1, 4, 2)
    # At some sizes an outline is closed by a line without any length, at others it is not.
    return curves[np.ptp(curves, axis=1).max(axis=1) > 1e-3, 0]


def glyph_shape(item: Mobject) -> tuple[float, ...]:
    """What a glyph looks like, whatever its size and place: equal for two of the same shape and about the same size."""
    corners = _shape(item)
    some = np.round(corners[:: max(1, len(corners) // 6)], 1)
    return (float(len(corners)), *map(float, some.flatten()))


SAME = 0.05
"""How far points of the same glyph may lie apart at other sizes, against its larger side: outlines have whole units."""


def find(sheet: Sheet, part: Sheet) -> list[tuple[float, float, float, float]]:
    """Where the glyphs of `part` follow each other in `sheet`: left, bottom, right, top for each line; first match."""
    glyphs = [item for item in mobject(sheet, each_glyph=True) if len(item.points)]
    wanted = [item for item in mobject(part, each_glyph=True) if len(item.points)]
    have, shapes = [_shape(item) for item in glyphs], [_shape(item) for item in wanted]
    for start in range(len(have) - len(shapes) + 1) if shapes else ():
        there = zip(have[start : start + len(shapes)], shapes, strict=True)
        if all(len(a) == len(b) and (not len(a) or float(np.abs(a - b).max()) <= SAME) for a, b in there):
            return _lines(glyphs[start : start + len(shapes)])
    return []


def _lines(glyphs: list[Mobject]) -> list[tuple[float, float, float, float]]:
    lines: list[tuple[float, float, float, float]] = []
    for glyph in glyphs:
        (left, bottom), (right, top) = glyph.points[:, :2].min(axis=0), glyph.points[:, :2].max(axis=0)
        # Back to the left by more than a glyph means a new line.
        if lines and left > lines[-1][2] - 1.0:
            a, b, c, d = lines[-1]
            lines[-1] = (min(a, left), min(b, bottom), max(c, right), max(d, top))
        else:
            lines.append((float(left), float(bottom), float(right), float(top)))
    return [tuple(map(float, line)) for line in lines]


def _colour(value: str | None) -> str | None:
    return value[:7] if value and value.startswith("#") else None


def lines(group: Mobject) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right, top of each line of ink from top to bottom: what overlaps vertically is one line."""
    boxes = []
    for item in group.get_family():
        if len(item.points):
            low, high = np.min(item.points, axis=0), np.max(item.points, axis=0)
            boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    boxes.sort(key=lambda box: -box[3])
    found: list[tuple[float, float, float, float]] = []
    for left, bottom, right, top in boxes:
        if found and top > found[-1][1] + 0.02:
            a, b, c, d = found[-1]
            found[-1] = (min(a, left), min(b, bottom), max(c, right), max(d, top))
        else:
            found.append((left, bottom, right, top))
    return found
