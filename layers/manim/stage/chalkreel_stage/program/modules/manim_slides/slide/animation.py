"""Animations from one slide's pictures to the next one's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from manim import LEFT, AnimationGroup, FadeIn, FadeOut, Mobject


def _each(mobjects: Sequence[Mobject] | Mobject | None) -> list[Mobject]:
    if mobjects is None:
        return []
    return [mobjects] if isinstance(mobjects, Mobject) else list(mobjects)


class Wipe(AnimationGroup):
    """What is there leaves to one side while what comes follows it."""

    def __init__(
        self,
        current: Sequence[Mobject] | Mobject | None = None,
        future: Sequence[Mobject] | Mobject | None = None,
        shift: np.ndarray = LEFT,
        fade_in_kwargs: Mapping[str, Any] | None = None,
        fade_out_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        comes = [FadeIn(mobject, shift=shift, **(fade_in_kwargs or {})) for mobject in _each(future)]
        goes = [FadeOut(mobject, shift=shift, **(fade_out_kwargs or {})) for mobject in _each(current)]
        super().__init__(*comes, *goes, **kwargs)


class Zoom(AnimationGroup):
    """What is there comes nearer and fades while what comes grows out of it; `out` the other way round."""

    def __init__(
        self,
        current: Sequence[Mobject] | Mobject | None = None,
        future: Sequence[Mobject] | Mobject | None = None,
        scale: float = 4.0,
        out: bool = False,
        fade_in_kwargs: Mapping[str, Any] | None = None,
        fade_out_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        small, large = (scale, 1.0 / scale) if out else (1.0 / scale, scale)
        comes = [FadeIn(mobject, scale=small, **(fade_in_kwargs or {})) for mobject in _each(future)]
        goes = [FadeOut(mobject, scale=large, **(fade_out_kwargs or {})) for mobject in _each(current)]
        super().__init__(*comes, *goes, **kwargs)
