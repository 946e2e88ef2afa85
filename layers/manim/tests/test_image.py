"""Pictures as they come: turned, with sixteen bits, with a palette, transparent, too large, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chalkreel_stage import theme
from chalkreel_stage.elements.image import KEPT, Image, ImageError
from chalkreel_stage.typesetting.typesetter import Typesetter
from PIL import Image as Pillow

SETTER = Typesetter(None)


def shown(path: Path, width: float = 12.0, height: float = 6.0) -> tuple[np.ndarray | None, float, float]:
    """The pixels that are kept, and the width and height at which they are shown."""
    made = Image("e", 0, path, "", SETTER, theme.DARK)
    block = made.measure(1.0, width, height)
    assert block.width <= width + 1e-6 and block.height <= height + 1e-6
    return made._pixels, block.width, block.height


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    picture = Pillow.new("RGB", (80, 40), "red")
    picture.paste("blue", (0, 0, 40, 40))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    pixels, width, height = shown(tmp_path / "a.jpg")
    assert pixels.shape[:2] == (80, 40) and height / width == pytest.approx(2.0)
    assert pixels[5, 20, 2] > 200 and pixels[75, 20, 0] > 200


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    Pillow.fromarray(np.full((9, 9), 32768, dtype=np.uint16)).save(tmp_path / "a.png")
    pixels, _, _ = shown(tmp_path / "a.png")
    assert abs(int(pixels[4, 4, 0]) - 127) <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_of_png_is_read(tmp_path: Path, mode: str) -> None:
    Pillow.new(mode, (2000, 30)).save(tmp_path / "a.png")
    pixels, _, _ = shown(tmp_path / "a.png")
    assert pixels.shape[2] == 4 and max(pixels.shape[:2]) == KEPT


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 3000), (3000, 1), (5000, 4000)])
def test_every_size_is_shown(tmp_path: Path, size: tuple[int, int]) -> None:
    Pillow.new("RGB", size).save(tmp_path / "a.png")
    _, width, height = shown(tmp_path / "a.png")
    assert max(width, height) >= 0.9


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    Pillow.new("1", (20000, 10000)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="too many"):
        shown(tmp_path / "a.png")


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n broken", b"<svg", b"<?xml version='1.0'?><html/>"]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError):
        shown(tmp_path / "a.png")


def test_a_drawing_reads_no_other_file(tmp_path: Path) -> None:
    Pillow.new("RGB", (9, 9)).save(tmp_path / "b.png")
    other = f'<image href="file://{tmp_path}/b.png" width="9" height="9"/>'
    (tmp_path / "a.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{other}</svg>')
    with pytest.raises(ImageError, match="nothing"):
        shown(tmp_path / "a.svg")


def levels(count: int, last: str) -> str:
    """A drawing of ten of ten of ten … of `last`, for so many levels."""
    groups = [f'<g id="r0">{last}</g>']
    for level in range(1, count + 1):
        groups.append(f'<g id="r{level}">' + f'<use xlink:href="#r{level - 1}"/>' * 10 + "</g>")
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'
    return f'<svg {space}><defs>{"".join(groups)}</defs><use href="#r{count}"/></svg>'


def test_a_drawing_that_swells_is_refused_before_it_does(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(levels(8, '<rect width="5" height="5"/>'))
    with pytest.raises(ImageError, match="elements"):
        shown(tmp_path / "a.svg")


def test_a_drawing_that_uses_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(levels(1, '<rect width="5" height="5"/><use href="#r1"/>'))
    with pytest.raises(ImageError, match="elements"):
        shown(tmp_path / "a.svg")


def test_a_drawing_may_use_its_parts_again(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(levels(2, '<rect width="5" height="5"/>'))
    shown(tmp_path / "a.svg")
