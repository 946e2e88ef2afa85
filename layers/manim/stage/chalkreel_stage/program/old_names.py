"""Names of older Manims, as programs still have them: each means what replaced it, with a warning."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import manim
import numpy as np

from .session import current


def _warn(old: str, new: str) -> None:
    _tell(f"{old} is a name of an older Manim; {new} stands in")


def _tell(sentence: str) -> None:
    session = current()
    if session is not None:
        session.warn(sentence)


RENAMED = {
    "ShowCreation": "Create",
    "TextMobject": "Tex",
    "TexMobject": "MathTex",
    "TexText": "Tex",
    "OldTex": "MathTex",
    "OldTexText": "Tex",
    "ParametricSurface": "Surface",
    "ParametricCurve": "ParametricFunction",
    "WiggleOutThenIn": "Wiggle",
    "CircleIndicate": "Circumscribe",
    "ShowPassingFlashAround": "Circumscribe",
    "ShowCreationThenDestruction": "ShowPassingFlash",
    "ShowCreationThenDestructionAround": "Circumscribe",
    "ShowCreationThenFadeAround": "Circumscribe",
    "FadeInFromPoint": "FadeIn",
    "GrowFromSide": "GrowFromEdge",
}

METHODS = {
    manim.CoordinateSystem: {
        "get_graph": "plot",
        "get_implicit_curve": "plot_implicit_curve",
        "get_parametric_curve": "plot_parametric_curve",
        "get_line_graph": "plot_line_graph",
    },
    manim.Mobject: {"scale_in_place": "scale", "rotate_in_place": "rotate"},
}

CODE = {
    "code": "code_string",
    "file_name": "code_file",
    "insert_line_no": "add_line_numbers",
    "line_no_from": "line_numbers_from",
    "style": "formatter_style",
}
"""Arguments of Code before 0.19."""

CODE_PARAGRAPH = {
    "font": "font",
    "font_size": "font_size",
    "line_spacing": "line_spacing",
    "stroke_width": "stroke_width",
}
CODE_BACKGROUND = {
    "margin": "buff",
    "corner_radius": "corner_radius",
    "background_stroke_width": "stroke_width",
    "background_stroke_color": "stroke_color",
}
CODE_DROPPED = ("line_no_buff", "indentation_chars", "generate_html_file", "warn_missing_font")
CODE_PARTS = {"background_mobject": "background", "code": "code_lines"}

NUMPY = {"float": float, "int": int, "bool": bool, "complex": complex, "object": object, "str": str, "math": math}
"""What numpy had under these names until 1.24 and 2.0."""


def install() -> None:
    """Adds them to Manim and numpy. Names that are there already stay as they are."""
    for old, new in RENAMED.items():
        if not hasattr(manim, old):
            setattr(manim, old, _renamed(old, getattr(manim, new)))
    for old, made in _animations().items():
        if not hasattr(manim, old):
            setattr(manim, old, made)
    for kind, methods in METHODS.items():
        for old, new in methods.items():
            # Mobject answers any get_… and set_… of its own, so that what counts is the class.
            if not any(old in base.__dict__ for base in kind.__mro__) and hasattr(kind, new):
                setattr(kind, old, _method(kind, old, new))
    height, width = manim.config.frame_height, manim.config.frame_width
    sizes = {"HEIGHT": height, "WIDTH": width, "Y_RADIUS": height / 2, "X_RADIUS": width / 2}
    for name, value in sizes.items():
        if not hasattr(manim, f"FRAME_{name}"):
            setattr(manim, f"FRAME_{name}", value)
    if not hasattr(manim.MovingCameraScene, "camera_frame"):
        manim.MovingCameraScene.camera_frame = property(_camera_frame)
    _code()
    _sector()
    _numpy()
    _run_times()


def _camera_frame(scene: manim.MovingCameraScene) -> manim.Mobject:
    _warn("camera_frame", "camera.frame")
    return scene.camera.frame


def _renamed(old: str, kind: type) -> type:
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        _warn(old, kind.__name__)
        kind.__init__(self, *arguments, **named)

    return type(old, (kind,), {"__init__": __init__, "__doc__": kind.__doc__, "__module__": "manim"})


def _animations() -> dict[str, Callable[..., Any]]:
    """Animations that took a direction where FadeIn and FadeOut take a shift."""

    def old_fade_in(mobject: manim.Mobject, direction: Any = manim.DOWN, **named: Any) -> manim.FadeIn:
        _warn("FadeInFrom", "FadeIn(…, shift=…)")
        return manim.FadeIn(mobject, shift=-np.asarray(direction), **named)

    def old_fade_in_from_down(*mobjects: manim.Mobject, **named: Any) -> manim.FadeIn:
        _warn("FadeInFromDown", "FadeIn(…, shift=UP)")
        return manim.FadeIn(*mobjects, shift=manim.UP, **named)

    def old_fade_in_from_large(mobject: manim.Mobject, scale_factor: float = 2, **named: Any) -> manim.FadeIn:
        _warn("FadeInFromLarge", "FadeIn(…, scale=…)")
        return manim.FadeIn(mobject, scale=scale_factor, **named)

    def old_fade_out(mobject: manim.Mobject, direction: Any = manim.DOWN, **named: Any) -> manim.FadeOut:
        _warn("FadeOutAndShift", "FadeOut(…, shift=…)")
        return manim.FadeOut(mobject, shift=np.asarray(direction), **named)

    def old_fade_out_down(*mobjects: manim.Mobject, **named: Any) -> manim.FadeOut:
        _warn("FadeOutAndShiftDown", "FadeOut(…, shift=DOWN)")
        return manim.FadeOut(*mobjects, shift=manim.DOWN, **named)

    def created_then_gone(mobject: manim.VMobject, **named: Any) -> manim.Succession:
        _warn("ShowCreationThenFadeOut", "Succession(Create(…), FadeOut(…))")
        return manim.Succession(manim.Create(mobject), manim.FadeOut(mobject), **named)

    return {
        "FadeInFrom": old_fade_in,
        "FadeInFromDown": old_fade_in_from_down,
        "FadeInFromLarge": old_fade_in_from_large,
        "FadeOutAndShift": old_fade_out,
        "FadeOutAndShiftDown": old_fade_out_down,
        "ShowCreationThenFadeOut": created_then_gone,
    }


def _method(kind: type, old: str, new: str) -> Callable[..., Any]:
    @functools.wraps(getattr(kind, new))
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        _warn(f".{old}", f".{new}")
        return getattr(self, new)(*arguments, **named)

    return method


def _code() -> None:
    real = manim.Code.__init__

    @functools.wraps(real)
    def __init__(self: manim.Code, *arguments: Any, **named: Any) -> None:
        own = set(named) & {*CODE, *CODE_PARAGRAPH, *CODE_BACKGROUND, *CODE_DROPPED}
        if own:
            _tell(f"Code takes {', '.join(sorted(own))} in an older Manim; its present arguments stand in")
        for name in own:
            value = named.pop(name)
            if name in CODE:
                named.setdefault(CODE[name], value)
            elif name in CODE_PARAGRAPH:
                paragraph = {CODE_PARAGRAPH[name]: value, **(named.get("paragraph_config") or {})}
                named["paragraph_config"] = paragraph
            elif name in CODE_BACKGROUND:
                behind = {CODE_BACKGROUND[name]: value, **(named.get("background_config") or {})}
                named["background_config"] = behind
        if isinstance(named.get("language"), str):
            named["language"] = named["language"].lower()
        style = named.get("formatter_style")
        if isinstance(style, str) and not _is_style(style):
            _tell(f"Code has no style “{style}”; the style “vim” stands in")
            named["formatter_style"] = "vim"
        real(self, *arguments, **named)

    manim.Code.__init__ = __init__
    for old, new in CODE_PARTS.items():
        if not hasattr(manim.Code, old):
            setattr(manim.Code, old, property(_part(old, new)))


def _sector() -> None:
    """A sector had two radii until Manim 0.19; it is the ring's part that has them now."""
    real = manim.Sector.__init__

    @functools.wraps(real)
    def __init__(self: manim.Sector, *arguments: Any, **named: Any) -> None:
        radii = {name: named.pop(name) for name in ("outer_radius", "inner_radius") if name in named}
        if not radii:
            real(self, *arguments, **named)
            return
        _tell(f"Sector takes {' and '.join(sorted(radii))} in an older Manim; radius stands in")
        if radii.get("inner_radius"):
            manim.AnnularSector.__init__(self, *arguments, **{"outer_radius": 1, **radii}, **named)
            return
        if "outer_radius" in radii:
            named.setdefault("radius", radii["outer_radius"])
        real(self, *arguments, **named)

    manim.Sector.__init__ = __init__


def _is_style(name: str) -> bool:
    from pygments.styles import get_style_by_name
    from pygments.util import ClassNotFound

    try:
        get_style_by_name(name)
    except ClassNotFound:
        return False
    return True


def _part(old: str, new: str) -> Callable[[manim.Code], Any]:
    def part(self: manim.Code) -> Any:
        _warn(f"Code.{old}", f"Code.{new}")
        return getattr(self, new)

    return part


def _numpy() -> None:
    real = getattr(np, "__getattr__", None)

    def __getattr__(name: str) -> Any:
        if name in NUMPY:
            _tell(f"np.{name} is a name of an older NumPy; Python's own {name} stands in")
            return NUMPY[name]
        if real is None:
            raise AttributeError(f"module 'numpy' has no attribute {name!r}")
        return real(name)

    np.__getattr__ = __getattr__


def _run_times() -> None:
    """A length of nothing was allowed once, and comes about where a voice is quicker than the author's was."""
    real = manim.Scene.validate_run_time.__func__

    @functools.wraps(real)
    def validate_run_time(cls: type[manim.Scene], run_time: float, *arguments: Any, **named: Any) -> float:
        if run_time <= 0:
            _tell(f"a length of {run_time:g} s can't be drawn; one frame stands in")
            run_time = 1 / manim.config.frame_rate
        return real(cls, run_time, *arguments, **named)

    manim.Scene.validate_run_time = classmethod(validate_run_time)
