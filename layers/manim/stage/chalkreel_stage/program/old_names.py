"""Names of older Manims, as programs still have them: each means what replaced it, with a warning."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import manim
import numpy as np
from PIL.Image import Resampling

from . import old_formulas
from .failures import GONE, Refusal
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

ARGUMENTS: dict[tuple[type, str], dict[str, str | None]] = {
    (manim.Rotating, "__init__"): {"radians": "angle"},
    (manim.LaggedStartMap, "__init__"): {"AnimationClass": "animation_class"},
    (manim.DrawBorderThenFill, "__init__"): {"draw_border_animation_config": None, "fill_animation_config": None},
    (manim.ComplexValueTracker, "set_value"): {"z": "value"},
    (manim.Mobject, "rotate_about_origin"): {"axes": None},
    (manim.Mobject, "become"): {"copy_submobjects": None},
    (manim.Scene, "next_section"): {"type": "section_type"},
}
"""Arguments that have another name now, or none."""

RESAMPLING = {"lanczos": "LANCZOS", "antialias": "LANCZOS", "box": "BOX", "hamming": "HAMMING"}
"""Names that RESAMPLING_ALGORITHMS had."""

FRAMES = {
    manim.SurroundingRectangle: ("color", "buff", "corner_radius"),
    manim.BackgroundRectangle: ("color", "stroke_width", "stroke_opacity", "fill_opacity", "buff"),
}
"""What stood behind the one mobject that they are around, before they took several."""

LABEL = {"font_size": ("label_config", "font_size"), "label_color": ("label_config", "color")}
LABEL |= {"frame_fill_color": ("box_config", "color"), "frame_fill_opacity": ("box_config", "fill_opacity")}
"""Arguments of LabeledLine before 0.19, and where they are now."""

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
    for old, remedy in GONE.items():
        if old.endswith("Scene") and not hasattr(manim, old):
            setattr(manim, old, _gone(old, remedy))
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
    for (kind, method), names in ARGUMENTS.items():
        setattr(kind, method, _with_old_arguments(kind, method, names))
    for name, algorithm in RESAMPLING.items():
        manim.RESAMPLING_ALGORITHMS.setdefault(name, Resampling[algorithm])
    if not hasattr(manim, "TexTemplateFromFile"):
        manim.TexTemplateFromFile = _template_from_file
    if "wag" not in manim.Mobject.__dict__:
        manim.Mobject.wag = _wag
    for kind, places in FRAMES.items():
        kind.__init__ = _around_one(kind, places)
    manim.Rotating.__init__ = _rotating(manim.Rotating.__init__)
    manim.ManimColor.from_hex = _from_hex(manim.ManimColor.from_hex.__func__)
    old_formulas.install()
    _labeled_line()
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


def _gone(old: str, remedy: str) -> type:
    """A scene class without an heir, so that the other classes of its file can be played."""

    def __init__(self: manim.Scene, *arguments: Any, **named: Any) -> None:
        session, name = current(), type(self).__name__
        lines = session.source.lines if session is not None and session.source is not None else []
        begins = (number for number, line in enumerate(lines, 1) if line.startswith(f"class {name}("))
        raise Refusal("error", f"{name} is a {old}, which Manim doesn't have", remedy, next(begins, None))

    return type(old, (manim.Scene,), {"__init__": __init__, "__module__": "manim"})


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


def _with_old_arguments(kind: type, method: str, names: dict[str, str | None]) -> Callable[..., Any]:
    real = getattr(kind, method)
    title = kind.__name__ if method == "__init__" else f".{method}"

    @functools.wraps(real)
    def called(self: Any, *arguments: Any, **named: Any) -> Any:
        for old, new in names.items():
            if old in named:
                value = named.pop(old)
                _tell(f"{title} takes {old} in an older Manim; {f'{new} stands in' if new else 'it is left out'}")
                if new:
                    named.setdefault(new, value)
        return real(self, *arguments, **named)

    return called


def _rotating(real: Callable[..., None]) -> Callable[..., None]:
    """The axis came first, and then the angle."""

    @functools.wraps(real)
    def __init__(self: manim.Rotating, mobject: manim.Mobject, *arguments: Any, **named: Any) -> None:
        if arguments and np.ndim(arguments[0]):
            _tell("Rotating takes an axis before the angle in an older Manim; axis and angle stand in")
            named |= dict(zip(("axis", "angle", "about_point", "about_edge"), arguments, strict=False))
            arguments = ()
        real(self, mobject, *arguments, **named)

    return __init__


def _around_one(kind: type, places: tuple[str, ...]) -> Callable[..., None]:
    real = kind.__init__

    @functools.wraps(real)
    def __init__(self: manim.Mobject, *arguments: Any, **named: Any) -> None:
        if "mobject" in named:
            _tell(f"{kind.__name__} takes mobject in an older Manim; it is the first argument now")
            arguments = (named.pop("mobject"), *arguments)
        others = [index for index, argument in enumerate(arguments) if not isinstance(argument, manim.Mobject)]
        if others and others[0] > 0:
            behind = dict(zip(places, arguments[others[0] :], strict=False))
            _tell(f"{kind.__name__} takes {', '.join(behind)} by place in an older Manim; they are taken by name")
            arguments, named = arguments[: others[0]], {**behind, **named}
        real(self, *arguments, **named)

    return __init__


def _from_hex(real: Callable[..., Any]) -> Any:
    @functools.wraps(real)
    def from_hex(cls: type, *arguments: Any, **named: Any) -> Any:
        if "hex" in named:
            _tell("ManimColor.from_hex takes hex in an older Manim; hex_str stands in")
            named["hex_str"] = named.pop("hex")
        return real(cls, *arguments, **named)

    return classmethod(from_hex)


def _wag(
    self: manim.Mobject, direction: Any = manim.RIGHT, axis: Any = manim.DOWN, wag_factor: float = 1.0
) -> manim.Mobject:
    """Shifts points, the further the farther they are along an axis."""
    _tell(".wag is a method of an older Manim; what it did is done")
    for part in self.family_members_with_points():
        along = part.points @ np.asarray(axis, float)
        along -= along.min()
        share = (along / (along.max() or 1.0)) ** wag_factor
        part.points = part.points + share[:, None] * np.asarray(direction, float)
    return self


def _template_from_file(tex_filename: Any = "tex_template.tex", **named: Any) -> manim.TexTemplate:
    _warn("TexTemplateFromFile", "TexTemplate.from_file")
    return manim.TexTemplate.from_file(tex_filename, **named)


def _labeled_line() -> None:
    real = manim.LabeledLine.__init__

    @functools.wraps(real)
    def __init__(self: manim.LabeledLine, *arguments: Any, **named: Any) -> None:
        own = sorted(set(named) & {*LABEL, "label_frame"})
        if own:
            _tell(f"LabeledLine takes {', '.join(own)} in an older Manim; its present arguments stand in")
        for name in own:
            value = named.pop(name)
            group, key = LABEL.get(name, ("frame_config", "stroke_opacity"))
            value = float(value) if name == "label_frame" else value
            named[group] = {key: value, **(named.get(group) or {})}
        real(self, *arguments, **named)

    manim.LabeledLine.__init__ = __init__


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
