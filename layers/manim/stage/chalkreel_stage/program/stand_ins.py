"""What isn't here: a card for a missing file, a warning for a missing font, a refusal for input()."""

from __future__ import annotations

import builtins
import functools
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import manim
import numpy as np
from manim.mobject.opengl.opengl_mobject import OpenGLMobject
from PIL import Image, ImageDraw, ImageFont

from . import formulas
from .failures import Refusal, without_opengl
from .session import current

CARD = (640, 360)
"""Pixels of the card for a missing picture."""

TEXT_PIXELS = (1920, 1080)
"""Surface on which Pango lays out a text: Manim's default. It is as large as the picture, which breaks and crops texts
of small pictures."""

GREY = (70, 78, 90, 255)


def install() -> None:
    """Replaces what asks for them. Once in a process."""
    manim.ImageMobject.__init__ = _image(manim.ImageMobject.__init__)
    manim.SVGMobject.get_file_path = _drawing(manim.SVGMobject.get_file_path)
    for kind in (manim.Text, manim.MarkupText):
        kind._text2svg = _at_full_size(kind._text2svg)
    builtins.input = _input
    OpenGLMobject.__init__ = _opengl
    logging.getLogger("manim").addHandler(_Warnings(logging.WARNING))


class _Warnings(logging.Handler):
    """Manim's own warnings become the program's."""

    def emit(self, record: logging.LogRecord) -> None:
        session = current()
        if session is None:
            return
        text = record.getMessage()
        if text.startswith("Font ") and " not in [" in text:
            # Manim says so at each text that is to have it.
            session.warn_once(f"the font “{text[5 : text.index(' not in [')]}” is not here; another one stands in")
            return
        if record.levelno < logging.ERROR and "too short for the current frame" in text:
            # What Manim does about it is right, and happens at every play of a fast program.
            return
        session.warn(" ".join(text.split())[:300])


def _at_full_size(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def text2svg(self: Any, *arguments: Any, **named: Any) -> Any:
        session, lost = current(), formulas.undrawn(self.text)
        if session is not None and lost:
            session.warn(f"no font here draws {', '.join(lost)} in a text; it is left out, and counts for no letter")
        config = manim.config
        size = config.pixel_width, config.pixel_height
        config.pixel_width, config.pixel_height = TEXT_PIXELS
        try:
            return real(self, *arguments, **named)
        finally:
            config.pixel_width, config.pixel_height = size

    return text2svg


def _image(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def __init__(self: manim.ImageMobject, filename_or_array: Any, *arguments: Any, **named: Any) -> None:
        session = current()
        if session is not None and isinstance(filename_or_array, str | PurePath):
            try:
                real(self, filename_or_array, *arguments, **named)
            except OSError as error:
                session.warn(_missing(filename_or_array, error))
                real(self, card(PurePath(filename_or_array).name), *arguments, **named)
            return
        real(self, filename_or_array, *arguments, **named)

    return __init__


def card(name: str) -> np.ndarray:
    """A grey card with a name on it: RGBA bytes."""
    image = Image.new("RGBA", CARD, GREY)
    pen = ImageDraw.Draw(image)
    pen.rectangle((4, 4, CARD[0] - 5, CARD[1] - 5), outline=(200, 205, 212, 255), width=3)
    font = ImageFont.load_default(size=36)
    pen.text((CARD[0] / 2, CARD[1] / 2), name[:30], fill=(235, 238, 242, 255), font=font, anchor="mm")
    return np.asarray(image)


def _drawing(real: Callable[..., Path]) -> Callable[..., Path]:
    @functools.wraps(real)
    def get_file_path(self: manim.SVGMobject) -> Path:
        try:
            return real(self)
        except OSError as error:
            session = current()
            if session is None or self.file_name is None:
                raise
            session.warn(_missing(self.file_name, error))
        with tempfile.NamedTemporaryFile("w", suffix=".svg", delete=False) as file:
            file.write(
                '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 90">'
                '<path d="M1 1H159V89H1ZM1 1L159 89M159 1L1 89" fill="none" stroke="#c8cdd4" stroke-width="2"/></svg>'
            )
        return Path(file.name)

    return get_file_path


def _missing(name: Any, error: OSError) -> str:
    if Path(str(name)).exists():
        return f"{PurePath(str(name)).name} can't be read: {error}"
    return f"{PurePath(str(name)).name} is not beside the program; a card stands in"


def _input(prompt: object = "") -> str:
    raise Refusal(
        "input", "the program asks for input(), and there is nobody to answer", "Put the value into the program."
    )


def _opengl(self: OpenGLMobject, *arguments: Any, **named: Any) -> None:
    raise without_opengl(type(self).__name__)
