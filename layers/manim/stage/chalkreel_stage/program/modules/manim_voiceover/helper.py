"""What programs take from manim_voiceover's helper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .tracker import without_marks


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Slices of `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def remove_bookmarks(text: str) -> str:
    """The text without its bookmarks."""
    return without_marks(text)[0]
