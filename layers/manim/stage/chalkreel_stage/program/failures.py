"""An exception of a program → what happened, at which line, and what to do."""

from __future__ import annotations

import importlib.util
import re
import traceback
from pathlib import Path
from typing import Any

from .footage import FilmLimit
from .source import Source, Unreadable


class Refusal(Exception):
    """What can't be had here; `remedy` says what to do instead, and `line` where, when no line of the program runs."""

    def __init__(self, kind: str, message: str, remedy: str, line: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.remedy = remedy
        self.line = line


def without_opengl(name: str) -> Refusal:
    """A class that OpenGL alone draws."""
    remedy = "Use the classes without OpenGL in their names: Surface, VGroup, Dot …"
    return Refusal("opengl", f"{name}: OpenGL classes can't be drawn here", remedy)


class TimeLimit(BaseException):
    """A limit of time was reached. No Exception, so that a program's own handlers let it pass."""

    def __init__(self, kind: str, seconds: float) -> None:
        super().__init__(kind, seconds)
        self.kind = kind
        self.seconds = seconds


PRESENT = ("manim", "numpy", "scipy", "networkx", "PIL", "pygments", "svgelements", "manim_voiceover", "manim_slides")
"""What programs may import besides Python's own library."""


GONE = {
    "GraphScene": "GraphScene was taken out of Manim; use Scene with Axes(...), axes.plot and axes.get_area.",
    "ReconfigurableScene": "ReconfigurableScene was taken out of Manim; use Scene.",
    "SampleSpaceScene": "SampleSpaceScene was taken out of Manim; use Scene with SampleSpace.",
    "InteractiveScene": "InteractiveScene is of 3b1b's Manim; use Scene, or ThreeDScene.",
    "PiCreatureScene": "PiCreatureScene is of 3b1b's own films; use Scene.",
    "TeacherStudentsScene": "TeacherStudentsScene is of 3b1b's own films; use Scene.",
    "GlowDot": "GlowDot is of 3b1b's Manim; use Dot, or several with lower opacities.",
    "DotCloud": "DotCloud is of 3b1b's Manim; use PMobject or VGroup(*[Dot(point) for point in points]).",
    "BROWN": "Manim has no colour BROWN; use DARK_BROWN, LIGHT_BROWN or ManimColor('#8B4513').",
    "OLIVE": "Manim has no colour OLIVE; use GREEN_E or ManimColor('#808000').",
    "LIME": "Manim has no colour LIME; use PURE_GREEN or ManimColor('#00FF00').",
    "INDIGO": "Manim has no colour INDIGO; use DARK_BLUE, PURPLE_E or ManimColor('#4B0082').",
    "VIOLET": "Manim has no colour VIOLET; use PURPLE or ManimColor('#EE82EE').",
    "LAVENDER": "Manim has no colour LAVENDER; use PURPLE_A or ManimColor('#E6E6FA').",
    "CYAN": "Manim has no colour CYAN; use PURE_CYAN, TEAL or ManimColor('#00FFFF').",
    "MAGENTA": "Manim has no colour MAGENTA; use PURE_MAGENTA, PINK or ManimColor('#FF00FF').",
}
"""What has no heir: what to write instead."""


def describe(error: BaseException, source: Source | None, film_s: float) -> dict[str, Any]:
    """`kind`, `type`, `message`, `remedy`, `line`, `line_text` of an exception.

    `film_s` is the longest film in seconds.
    """
    line = _line(error, source) or (error.line if isinstance(error, Refusal) else None)
    text = source.line(line) if source and line else ""
    told = {"line": line, "line_text": text[:300], "type": type(error).__name__}
    if isinstance(error, NameError | ImportError) and str(error.name).startswith("OpenGL"):
        error = without_opengl(str(error.name))
    if isinstance(error, Refusal):
        return {**told, "kind": error.kind, "message": str(error), "remedy": error.remedy}
    if isinstance(error, Unreadable):
        told["line"] = error.line
        told["line_text"] = ""
        return {
            **told,
            "kind": "unreadable",
            "message": f"the program can't be read: {error}",
            "remedy": "Correct the line; `python -m py_compile` shows the same error.",
        }
    if isinstance(error, FilmLimit):
        return {
            **told,
            "kind": "film_limit",
            "message": f"the scene is longer than {film_s:g} s of film",
            "remedy": "End its loop, or split it into several scenes.",
        }
    if isinstance(error, TimeLimit) and error.kind == "stalled":
        return {
            **told,
            "kind": error.kind,
            "message": f"no new frame was drawn for {error.seconds:.0f} s",
            "remedy": "Compute less between two frames: smaller loops, fewer objects and animations at a time.",
        }
    if isinstance(error, TimeLimit):
        name = "processor time" if error.kind == "cpu_limit" else "time"
        return {
            **told,
            "kind": error.kind,
            "message": f"the scene took all {error.seconds:.0f} s of {name} that it may have",
            "remedy": "Draw less: surfaces of a lower resolution, fewer updaters, a lower quality, or split the scene.",
        }
    if isinstance(error, MemoryError):
        remedy = "Draw less at a time, or at a lower quality."
        return {**told, "kind": "memory", "message": "the program got no more memory", "remedy": remedy}
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return {**told, "kind": "error", "message": message[:2000], "remedy": _remedy(error)}


_IN_SPACE = "Derive the class from ThreeDScene: a plain Scene has no camera in space."
SCENES = {
    "frame": "Derive the class from MovingCameraScene: the camera of a plain Scene has no frame that moves.",
    "camera_frame": "Derive the class from MovingCameraScene, and write self.camera.frame.",
    "set_camera_orientation": _IN_SPACE,
    "begin_ambient_camera_rotation": _IN_SPACE,
    "move_camera": _IN_SPACE,
    "add_fixed_in_frame_mobjects": _IN_SPACE,
    "voiceover": "Derive the class from VoiceoverScene: from manim_voiceover import VoiceoverScene",
    "next_slide": "Derive the class from Slide: from manim_slides import Slide",
    "fix_in_frame": "That is 3b1b's Manim: write self.add_fixed_in_frame_mobjects(mobject) in a ThreeDScene.",
    "set_backstroke": "That is 3b1b's Manim: write set_stroke(color, width, background=True).",
    "get_graph": "Write axes.plot(…) instead of get_graph.",
}
"""Attributes that other scenes than the author's have, and what to do."""

FLAT = re.compile(
    r"from shape \((?:1,)?2,?\) into shape \((?:1,)?3,?\)"
    r"|shapes? (?:\(2,\) \(\d*,?3,?\)|\(\d*,?3,?\) \(2,\))|\(2,\) and \(3,\)"
)
"""How NumPy says that a point of two coordinates meets one of three."""

TEX = ("latex", "xelatex", "lualatex", "pdflatex", "tex", "dvisvgm")
"""Programs of a TeX installation that Manim calls."""


def _line(error: BaseException, source: Source | None) -> int | None:
    """The deepest line of the program itself."""
    if source is None:
        return None
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == source.name:
            found = frame.lineno
    return found


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        here = ", ".join(name for name in PRESENT if name in PRESENT[-2:] or importlib.util.find_spec(name))
        return f"There is no module {error.name} here; there are Python's own and {here}."
    if isinstance(error, NameError | ImportError) and error.name in GONE:
        return GONE[error.name]
    if isinstance(error, AttributeError):
        # Mobjects say what they have not in words alone.
        found = re.search(r"has no attribute '(\w+)'", str(error))
        name = error.name or (found[1] if found else "")
        if name in SCENES:
            return SCENES[name]
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error)) if isinstance(error, TypeError) else None
    if unknown:
        return f"Manim Community 0.22 takes no {unknown[1]} there: leave it out, or look up what it is called now."
    if isinstance(error, ValueError) and FLAT.search(str(error)):
        return "Points have three coordinates: write (3, 4, 0) and not (3, 4)."
    if isinstance(error, FileNotFoundError) and Path(str(error.filename or "")).name in TEX:
        return "Tex and MathTex need the native typesetter, which `make tools` builds, or a TeX installation."
    if isinstance(error, ValueError | RuntimeError) and re.search("latex|dvisvgm", str(error), re.I):
        return "Correct the formula: the TeX that is installed can't make a picture of it."
    if isinstance(error, FileNotFoundError):
        return "Put the file beside the program and name it by a path relative to it."
    if isinstance(error, SystemExit):
        return "Return from construct() instead of leaving the program."
    if isinstance(error, NameError | AttributeError | TypeError | ImportError):
        return "Compare the line with the documentation of Manim Community 0.22."
    return "Correct the line; the program ends there with plain Manim too."
