"""Renders one scene class of somebody's own Manim program to a silent clip of an exact length.

Run as `python -m chalkreel_stage.raw`, a process of its own and never the warm worker: a program is not trusted, and
what it does to its process must hurt nobody else. What comes in: arguments (see `--help`). What goes out: the clip, and
on standard output the worker's answers `started`, `frames` and one of `done` and `failed`, one JSON object a line.
What the program prints goes to standard error. Exit code 0 when there is a clip, 1 when there is none, 2 for usage.

The picture has the size and rate asked for, whatever the program's own configuration says. A scene that is shorter than
its narration holds its last frame; of a longer one the rest is cut.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import metadata, protocol

FRAMES_EVERY_S = 0.25
"""Least time between two `frames` answers."""

TEX = ("latex", "xelatex", "lualatex", "pdflatex", "tex", "dvisvgm")
"""Programs of a TeX installation that Manim calls."""


class RawError(Exception):
    """Why there is no clip; the message is for the author."""


def main() -> int:
    """Renders; the exit code."""
    # Whatever is printed is no answer: answers go to a descriptor of their own.
    answers = os.dup(1)
    os.dup2(2, 1)
    asked = _arguments()
    metadata.answer_within(Path.cwd())

    def send(event: dict[str, Any]) -> None:
        data = protocol.line(event)
        while data:
            data = data[os.write(answers, data) :]

    send({"event": "started", "id": asked.id, "pid": os.getpid()})
    began = time.monotonic()
    try:
        drawn, warnings = _render(asked, send)
    except BaseException as error:  # Also SystemExit and the like: it is somebody's program.
        asked.out.with_name(asked.out.name + ".part").unlink(missing_ok=True)
        if not isinstance(error, RawError):
            traceback.print_exc()
        message = str(error) if isinstance(error, RawError) else f"{type(error).__name__}: {error}"
        kind = "memory" if isinstance(error, MemoryError) else "error"
        failed = {"event": "failed", "id": asked.id, "kind": kind, "signal": None, "exit": 1}
        send({**failed, "message": message[:2000], "trace": traceback.format_exc()[-4000:]})
        return 1
    beats, first = [], 0
    for count in asked.frames:
        beats.append({"first_frame": first, "frames": count})
        first += count
    done = {"event": "done", "id": asked.id, "frames": first, "beats": beats, "warnings": warnings, "drawn": drawn}
    # Nothing is measured of a program's own picture.
    send(
        {**done, "audit": {"overlaps": 0, "outside": 0, "too_small": 0}, "render_s": round(time.monotonic() - began, 3)}
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chalkreel-raw", description="Renders one Manim scene class to a silent clip."
    )
    parser.add_argument("--source", type=Path, required=True, help="the Python file")
    parser.add_argument("--class", dest="scene", required=True, help="name of the scene class in it")
    parser.add_argument("--out", type=Path, required=True, help="the clip to write (.mp4)")
    parser.add_argument("--width", type=int, required=True, help="in pixels, even")
    parser.add_argument("--height", type=int, required=True, help="in pixels, even")
    parser.add_argument("--fps", type=int, required=True, help="whole frames per second")
    parser.add_argument(
        "--frames", type=lambda text: [int(n) for n in text.split(",")], required=True, help="of each beat: 90,45,60"
    )
    parser.add_argument(
        "--theme", choices=("dark", "light"), default="dark", help="background unless the program sets one"
    )
    parser.add_argument("--id", default="raw", help="repeated in every answer")
    asked = parser.parse_args()
    if min(asked.width, asked.height, asked.fps, *asked.frames) < 1 or asked.width % 2 or asked.height % 2:
        parser.error("sizes must be even, and everything at least 1")
    return asked


def _render(asked: argparse.Namespace, send: Callable[[dict[str, Any]], None]) -> tuple[int, list[str]]:
    """Frames that the scene drew by itself, and warnings. Raises RawError, and whatever the program raises."""
    # What Manim writes besides (pictures of formulas) goes with this folder.
    with tempfile.TemporaryDirectory(prefix="chalkreel-raw-") as folder:
        try:
            return _rendered(asked, send, folder)
        except FileNotFoundError as error:
            if Path(str(error.filename or "")).name in TEX:
                raise RawError(_no_tex(error)) from error
            raise
        except (ValueError, RuntimeError) as error:
            # Manim says these when a TeX program is there but can't make what the next one needs.
            if "latex" in str(error).lower() or "dvisvgm" in str(error).lower():
                raise RawError(f"TeX failed: {error}") from error
            raise


def _rendered(asked: argparse.Namespace, send: Callable[[dict[str, Any]], None], folder: str) -> tuple[int, list[str]]:
    import manim
    from manim.renderer.cairo_renderer import CairoRenderer
    from manim.scene.scene_file_writer import SceneFileWriter
    from manim.utils.exceptions import EndSceneEarlyException

    from .. import theme
    from ..frames.clip import Clip

    total = sum(asked.frames)
    look = theme.named(asked.theme)
    clip = Clip(asked.out, asked.width, asked.height, asked.fps)
    last_frame: list[Any] = []
    told, cut = 0.0, False

    class Writer(SceneFileWriter):
        """Writes to the clip alone: no files per animation, no cache, no sound."""

        def write_frame(self, frame: Any, repeat: int = 1) -> None:
            nonlocal told, cut
            last_frame[:] = [frame]
            room = total - clip.frames
            clip.write(frame, min(repeat, room))
            if time.monotonic() - told >= FRAMES_EVERY_S:
                told = time.monotonic()
                send({"event": "frames", "id": asked.id, "frames": clip.frames})
            if repeat > room:
                cut = True
                raise EndSceneEarlyException

        def save_image(self, pixels: Any) -> None:
            """A scene without animations is its last picture."""
            last_frame[:] = [pixels]

        def add_partial_movie_file(self, *arguments: Any) -> None:
            """There are none."""

        def begin_animation(self, *arguments: Any, **named: Any) -> None:
            """No stream is opened."""

        def end_animation(self, *arguments: Any, **named: Any) -> None:
            """No stream is closed."""

        def is_already_cached(self, *arguments: Any) -> bool:
            """Nothing is."""
            return False

        def finish(self) -> None:
            """The clip is closed by whoever opened it."""

        def add_sound(self, *arguments: Any, **named: Any) -> None:
            """Clips are silent."""

    def settle() -> None:
        manim.config.update(
            {
                "pixel_width": asked.width,
                "pixel_height": asked.height,
                "frame_height": theme.FRAME_HEIGHT,
                "frame_width": theme.FRAME_HEIGHT * asked.width / asked.height,
                "frame_rate": asked.fps,
                "disable_caching": True,
                "progress_bar": "none",
                "preview": False,
                "verbosity": "WARNING",
                "renderer": "cairo",
                "media_dir": folder,
            }
        )

    manim.config.background_color = look.background
    settle()
    program = _program(asked.source)
    # Its own configuration may have changed what is asked for.
    settle()
    kind = getattr(program, asked.scene, None)
    own = isinstance(kind, type) and kind.__module__ == program.__name__
    if not (own and issubclass(kind, manim.Scene)):
        raise RawError(f"there is no scene class {asked.scene} in the program")
    # The scene makes its renderer itself, for it alone knows its camera.
    manim.scene.scene.CairoRenderer = functools.partial(CairoRenderer, file_writer_class=Writer)
    scene = kind()
    # It is raised when the clip is full.
    with contextlib.suppress(EndSceneEarlyException):
        scene.render()
    if not last_frame:
        scene.renderer.update_frame(scene)
        last_frame.append(scene.renderer.get_frame())
    drawn = clip.frames
    clip.write(last_frame[0], total - drawn)
    clip.close()
    if cut:
        return drawn, [f"scene {asked.scene} is longer than its narration and is cut after {total / asked.fps:.1f} s"]
    return drawn, []


def _no_tex(error: FileNotFoundError) -> str:
    missing = Path(str(error.filename)).name
    return (
        f"Tex and MathTex need a TeX installation, and there is none here ({missing} is missing); "
        "MathTypst and Typst set formulas without one"
    )


def _program(source: Path) -> ModuleType:
    """The program, run as a module of its own name. Raises RawError when it is no Python."""
    module = ModuleType("program")
    module.__file__ = str(source)
    sys.modules["program"] = module
    try:
        code = compile(source.read_text("utf-8"), source.name, "exec")
    except (SyntaxError, UnicodeDecodeError, OSError, ValueError) as error:
        raise RawError(f"the program can't be read: {error}") from error
    if not any(name.split(".")[0] == "manim" for name in code.co_names):
        # A fence in a lesson often holds the class alone.
        exec("from manim import *", module.__dict__)
    exec(code, module.__dict__)  # That is what this process is for.
    return module
