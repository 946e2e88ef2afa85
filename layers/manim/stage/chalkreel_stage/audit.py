"""What is wrong with a picture: boxes that overlap, boxes outside the safe frame, text too small to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass
class Audit:
    """Findings of a whole scene; each pair and each box counts once, however long it is on screen."""

    overlaps: set[tuple[str, str]] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    too_small: set[str] = field(default_factory=set)

    def inspect(self, boxes: Iterable[Box], frame_width: float) -> None:
        """Adds what is wrong with the boxes that are on screen together."""
        boxes = list(boxes)
        half_width = frame_width * (0.5 - theme.MARGIN) + TOLERANCE
        half_height = theme.FRAME_HEIGHT * (0.5 - theme.MARGIN) + TOLERANCE
        for i, box in enumerate(boxes):
            if box.left < -half_width or box.right > half_width or box.bottom < -half_height or box.top > half_height:
                self.outside.add(box.name)
            if box.font is not None and box.font < theme.TEXT_FLOOR - 1e-6:
                self.too_small.add(box.name)
            for other in boxes[i + 1 :]:
                if (
                    min(box.right, other.right) - max(box.left, other.left) > TOLERANCE
                    and min(box.top, other.top) - max(box.bottom, other.bottom) > TOLERANCE
                ):
                    self.overlaps.add((box.name, other.name))

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
