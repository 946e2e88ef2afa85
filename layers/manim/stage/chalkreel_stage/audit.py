"""What is wrong with a picture: boxes that overlap, boxes outside the safe frame, text too small to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from . import theme

TOLERANCE = 0.02
"""Frame units by which boxes may touch: under two pixels at 720p, the width of antialiased edges."""


@dataclass(frozen=True)
class Box:
    """A named rectangle of ink, in frame units, the origin at the frame's centre."""

    name: str
    left: float
    bottom: float
    right: float
    top: float
    font: float | None = None
    """Font size of the text inside; none where there is no text."""
    about: str | None = None
    """Element that this highlight points at and so may touch."""
    holds: str | None = None
    """Element whose other parts may stand within this one: labels inside of shapes."""

    def shifted(self, right: float, up: float) -> Box:
        """The same box elsewhere."""
        return replace(
            self, left=self.left + right, bottom=self.bottom + up, right=self.right + right, top=self.top + up
        )


@dataclass
class Audit:
    """Findings of a whole scene; each pair and each box counts once, however long it is on screen."""

    overlaps: set[tuple[str, str]] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    too_small: set[str] = field(default_factory=set)

    def inspect(self, boxes: Iterable[Box], frame_width: float) -> dict[str, int]:
        """Adds what is wrong with the boxes that are on screen together; the counts of these alone."""
        boxes = list(boxes)
        overlaps, outside, too_small = set(), set(), set()
        for i, box in enumerate(boxes):
            margin = theme.MARGIN if box.about is None else theme.MARK_MARGIN
            half_width = frame_width * (0.5 - margin) + TOLERANCE
            half_height = theme.FRAME_HEIGHT * (0.5 - margin) + TOLERANCE
            if box.left < -half_width or box.right > half_width or box.bottom < -half_height or box.top > half_height:
                outside.add(box.name)
            if box.font is not None and box.font < theme.TEXT_FLOOR - 1e-6:
                too_small.add(box.name)
            for other in boxes[i + 1 :]:
                if _points_at(box, other) or _points_at(other, box):
                    continue
                if (
                    min(box.right, other.right) - max(box.left, other.left) > TOLERANCE
                    and min(box.top, other.top) - max(box.bottom, other.bottom) > TOLERANCE
                ):
                    overlaps.add((box.name, other.name))
        self.overlaps |= overlaps
        self.outside |= outside
        self.too_small |= too_small
        return {"overlaps": len(overlaps), "outside": len(outside), "too_small": len(too_small)}

    def counts(self) -> dict[str, int]:
        """As reported in the `done` event."""
        return {"overlaps": len(self.overlaps), "outside": len(self.outside), "too_small": len(self.too_small)}

    def sentences(self) -> list[str]:
        """The findings as warnings."""
        return (
            [f"{a} and {b} overlap" for a, b in sorted(self.overlaps)]
            + [f"{name} leaves the safe frame" for name in sorted(self.outside)]
            + [f"the text of {name} is smaller than legible" for name in sorted(self.too_small)]
        )


def _points_at(mark: Box, target: Box) -> bool:
    """Whether `mark` may touch `target`: it is about its element, or holds its parts."""
    element = mark.about or mark.holds
    return element is not None and (target.name == element or target.name.startswith(element + ": "))
