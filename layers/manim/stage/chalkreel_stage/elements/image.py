"""Pictures: PNG and JPEG by Pillow, SVG by Manim. Files come by the request's own list, from nowhere else."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from manim import Mobject, SVGMobject
from PIL import Image as Pillow
from PIL import ImageOps

from .. import theme
from ..audit import Box, ink
from ..frames.painting import Picture
from ..geometry.labels import SPACE, label
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Typesetter

PIXELS_PER_UNIT = 135.0
"""A picture's pixels in one frame unit at its own size: those of a frame of 1080 lines."""

MOST_ENLARGED = 4.0
"""How many times larger than its own size a small picture is shown."""

MOST_PIXELS = {"PNG": 80_000_000, "JPEG": 400_000_000}
"""Pixels of the largest picture that is decoded: 320 MB in memory for a PNG; a JPEG is decoded at a smaller scale."""

ORIENTATION = 0x0112
"""EXIF's tag for which side of a picture is up."""

KEPT = 1600
"""Pixels of the longer side that are kept: as many as a picture has on a frame of 1080 lines."""

MOST_SVG_BYTES = 2_000_000
MOST_SVG_PATHS = 3000
MOST_SVG_ELEMENTS = 10 * MOST_SVG_PATHS
"""Elements once every `use` stands for what it uses: eight levels of ten make a hundred million out of 2 KB."""

HREF = "{http://www.w3.org/1999/xlink}href"


class ImageError(ValueError):
    """A file that is no picture, or too large a one."""


class Image(Piece):
    """An image element."""

    is_figure = True
    largest = theme.FIGURE_GROWS

    def __init__(
        self, element: str, event: int, path: Path, caption: str, setter: Typesetter, look: theme.Theme
    ) -> None:
        """Raises ImageError."""
        self.element, self.event = element, event
        self._caption, self._setter, self._look = caption, setter, look
        self._pixels, self._drawing = None, None
        if path.suffix.lower() == ".svg" or _starts_as_svg(path):
            self._drawing = _drawing(path)
            self._size = (float(self._drawing.width), float(self._drawing.height))
        else:
            self._pixels, size = _pixels(path)
            longest, shortest = max(size), min(size)
            # Very small ones are enlarged, though not to a blur; a unit at least, so that they are seen at all.
            factor = min(MOST_ENLARGED, max(1.0, 4.0 * PIXELS_PER_UNIT / longest)) / PIXELS_PER_UNIT
            factor = max(factor, 1.0 / longest)
            self._size = (max(size[0] * factor, 0.02), max(size[1] * factor, 0.02))
            if shortest == longest == 1:
                self._size = (1.0, 1.0)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        below = label(self._setter, self._caption, theme.LABELS, self._look.muted, width) if self._caption else None
        under = below.height + SPACE if below else 0.0
        room_height = max(min(height, 5.5 * level) - under, 0.3)
        factor = min(width / self._size[0], room_height / self._size[1])
        if self._pixels is not None:
            factor = min(factor, 1.0) if max(self._size) * factor > 1.0 else factor
        shown = (self._size[0] * factor, self._size[1] * factor)
        block_width = max(shown[0], below.width if below else 0.0)

        def make() -> Drawn:
            left = (block_width - shown[0]) / 2
            picture: Mobject
            if self._pixels is not None:
                picture = Picture(self._pixels, *shown).shift([left, 0, 0])
            else:
                assert self._drawing is not None
                picture = self._drawing.copy().scale(factor)
                picture.move_to([left + shown[0] / 2, -shown[1] / 2, 0])
            boxes = [Box(self.element, left, -shown[1], left + shown[0], 0.0)]
            acts = [Act("dissolve", picture, 0.7)]
            if below:
                words = mobject(below).shift([(block_width - below.width) / 2, -shown[1] - SPACE, 0])
                boxes += ink(f"{self.element}: caption", words, theme.LABELS)
                acts.append(Act("dissolve", words, 0.3))
            return Drawn([Part(acts, 25)], boxes)

        return Block(self.element, self.event, block_width, shown[1] + under, theme.GAP * level, make, centred=True)


def _starts_as_svg(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"<svg", b"<?xml", b"<!DOCTYPE svg", b"<!--"))


def _pixels(path: Path) -> tuple[np.ndarray, tuple[int, int]]:
    """RGBA bytes, scaled down to what a frame can show, and the picture's own size."""
    limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
    try:
        with Pillow.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MOST_PIXELS[str(image.format)]:
                raise ImageError(f"{image.width} by {image.height} pixels are too many")
            turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            size = (image.height, image.width) if turned else image.size
            # JPEG can be decoded at a smaller scale at once.
            image.draft("RGB", (KEPT, KEPT))
            if image.mode.startswith("I"):
                # Sixteen bits a pixel; Pillow would cut them off instead of scaling them.
                image = Pillow.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
            if max(image.size) > KEPT:
                ratio = KEPT / max(image.size)
                reduced = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
                # Palettes can't be averaged.
                image = image.convert("RGBA") if image.mode in ("P", "PA", "LA", "1") else image
                image = image.resize(reduced, Pillow.Resampling.BOX, reducing_gap=2.0)
            # Cameras write which side is up, and leave it to others to turn the picture.
            return np.asarray(ImageOps.exif_transpose(image).convert("RGBA")), size
    except ImageError:
        raise
    except Exception as error:  # Pillow raises whatever its decoders do.
        raise ImageError(f"it is no PNG or JPEG picture that can be read: {error}") from error
    finally:
        Pillow.MAX_IMAGE_PIXELS = limit


def _elements(text: bytes) -> float:
    """Elements of an SVG once every `use` stands for what it uses; infinite when one uses itself."""
    root = ElementTree.fromstring(text)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    counted: dict[int, float] = {}

    def count(element: ElementTree.Element) -> float:
        if id(element) not in counted:
            # Whoever comes back here before it is counted goes round in a circle.
            counted[id(element)] = math.inf
            total = 1 + sum(count(child) for child in element)
            if element.tag.rpartition("}")[2] == "use":
                used = named.get((element.get(HREF) or element.get("href") or "").strip().removeprefix("#"))
                total += count(used) if used is not None else 0
            counted[id(element)] = total
        return counted[id(element)]

    return count(root)


def _drawing(path: Path) -> SVGMobject:
    if path.stat().st_size > MOST_SVG_BYTES:
        raise ImageError(f"an SVG of more than {MOST_SVG_BYTES} bytes is too large")
    text = path.read_bytes()
    if b"<!ENTITY" in text:
        raise ImageError("an SVG that defines entities is not read")
    try:
        elements = _elements(text)
    except Exception as error:  # Of the parser, or a nesting that is too deep.
        raise ImageError(f"it is no SVG that can be read: {error}") from error
    if elements > MOST_SVG_ELEMENTS:
        raise ImageError(f"with all that it uses, it has more than {MOST_SVG_ELEMENTS} elements")
    try:
        made = SVGMobject(str(path), height=None, width=None, use_svg_cache=False)
    except MemoryError:  # The scene's own end: what it left is no place to go on from.
        raise
    except Exception as error:  # svgelements raises whatever comes.
        raise ImageError(f"it is no SVG that can be read: {error}") from error
    count = len(made.family_members_with_points())
    if count > MOST_SVG_PATHS:
        raise ImageError(f"{count} paths are too many")
    if not count or not math.isfinite(made.width + made.height) or max(made.width, made.height) <= 0:
        raise ImageError("there is nothing in it that can be drawn")
    # Thin lines still have a size.
    made.scale(4.0 / max(made.width, made.height))
    return made
