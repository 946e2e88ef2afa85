"""How a scene uses its screen: how much of it, how long it stands still while words are spoken, what stands alone.

Nothing of this is an error as overlaps are; it says where a film is dull, or hard to look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..audit import Box
from ..layout.blocks import Area, Block
from .shown import Shown

Span = tuple[int, int]
"""First frame, and the one after the last."""


@dataclass
class Use:
    """Notes what is on the screen; `report` says how well it was used."""

    fps: int
    area: Area
    """What the heading leaves."""
    has_heading: bool
    card: bool
    used: list[float | None] = field(default_factory=list)
    """For each beat the part of the area that the box around all that is shown at its end takes; none for nothing."""
    marks: list[float] = field(default_factory=list)
    """Distances of frames of highlights to the nearest ink inside of them, in frame units."""
    strays: list[str] = field(default_factory=list)
    """Labels that stand outside of the cells that they belong in."""
    measures: list[int] = field(default_factory=list)
    """Letters in the longest line of each text that has several."""
    _empty: list[Span] = field(default_factory=list)
    _since: int | None = 0
    """From when on nothing but the heading was shown."""
    _seen: set[int] = field(default_factory=set)

    def comes(self, block: Block, frame: int) -> None:
        """A block begins to come."""
        if self._since is not None:
            self._empty.append((self._since, frame))
            self._since = None
        if id(block) not in self._seen:
            self._seen.add(id(block))
            self.strays += block.placed().strays
            self.measures += block.placed().measures

    def empties(self, frame: int) -> None:
        """Nothing but the heading is left."""
        self._since = frame if self._since is None else self._since

    def looks(self, boxes: Sequence[Box]) -> None:
        """A beat ends with these boxes of ink, without the heading's."""
        if not boxes:
            self.used.append(None)
            return
        right, bottom = self.area.left + self.area.width, self.area.top - self.area.height
        width = min(max(b.right for b in boxes), right) - max(min(b.left for b in boxes), self.area.left)
        height = min(max(b.top for b in boxes), self.area.top) - max(min(b.bottom for b in boxes), bottom)
        whole = self.area.width * self.area.height
        self.used.append(round(max(width, 0.0) * max(height, 0.0) / whole, 3) if whole > 0 else None)

    def framed(self, frame: Box, shown: Iterable[Shown]) -> None:
        """A highlight's frame stands around ink of these."""
        gaps = []
        for s in shown:
            for item in s.mobject.family_members_with_points():
                (left, bottom), (right, top) = item.points[:, :2].min(axis=0), item.points[:, :2].max(axis=0)
                inside = min(left - frame.left, frame.right - right, bottom - frame.bottom, frame.top - top)
                # What reaches out is another part, or the panel behind.
                if frame.left < (left + right) / 2 < frame.right and frame.bottom < (bottom + top) / 2 < frame.top:
                    gaps.append(float(inside))
        gaps = [gap for gap in gaps if gap > -0.1]
        if gaps:
            self.marks.append(round(min(gaps), 3))

    def report(self, beats: Sequence[int], spoken: Sequence[int], changes: Sequence[Span]) -> dict[str, Any]:
        """What was measured.

        `beats` are frames of each beat, `spoken` those of them in which words are heard, `changes` when the picture
        changed.
        """
        whole = sum(beats)
        if self._since is not None and self._since < whole:
            self._empty.append((self._since, whole))
            self._since = None
        starts = [sum(beats[:i]) for i in range(len(beats))]
        words = [(start, start + count) for start, count in zip(starts, spoken, strict=True) if count > 0]
        still, at = 0, 0
        for first, last in _between(changes, whole):
            heard = sum(max(0, min(last, b) - max(first, a)) for a, b in words)
            if heard > still:
                still, at = heard, first
        alone = 0 if self.card or not self.has_heading else max((b - a for a, b in self._empty), default=0)
        first = min((a for a, _ in changes), default=whole)
        return {
            "used": self.used,
            "still_s": round(still / self.fps, 2),
            "still_at_s": round(at / self.fps, 2),
            "first_s": round(first / self.fps, 2),
            "heading_alone_s": round(alone / self.fps, 2),
            "mark_distance": min(self.marks, default=None),
            "strays": self.strays[:20],
            "letters": [min(self.measures), max(self.measures)] if self.measures else None,
        }


def _between(changes: Sequence[Span], whole: int) -> list[Span]:
    """The runs of frames in which nothing changes."""
    out, last = [], 0
    for first, end in changes:
        if first > last:
            out.append((last, first))
        last = max(last, end)
    return [*out, (last, whole)] if last < whole else out


def orphans(blocks: Sequence[Block]) -> list[str]:
    """Lists whose last item stands alone on a page of its own."""
    pages: dict[str, dict[int, int]] = {}
    for block in blocks:
        if block.piece is not None and block.piece.is_item:
            pages.setdefault(block.element, {}).setdefault(block.page, 0)
            pages[block.element][block.page] += 1
    return [name for name, of in pages.items() if len(of) > 1 and of[max(of)] == 1]
