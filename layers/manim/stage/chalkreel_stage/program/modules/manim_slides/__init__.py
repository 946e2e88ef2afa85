"""manim_slides as programs know it; slides are parts of the film, and their notes its words."""

from .slide import Slide, ThreeDSlide

__all__ = ["Slide", "ThreeDSlide"]
__version__ = "5.5.1"
