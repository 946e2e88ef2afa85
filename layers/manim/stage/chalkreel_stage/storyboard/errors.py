"""The error that a storyboard causes, as opposed to a bug of the stage."""

from __future__ import annotations


class StoryboardError(ValueError):
    """A storyboard that is not as its types say, or of which nothing can be drawn; the message says where and why.

    It is the one exception that turns an element into a box. Any other is a bug of the stage and ends the render.
    """
