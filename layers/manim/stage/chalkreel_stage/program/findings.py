"""What is wrong with a program's picture: words over words, out of the frame, too small, gone too soon.

Looks at the end of each play and wait. Words meet when a letter's box meets another one's: outer boxes alone would
tell of every label beside a slanted line. Things in space are not looked at unless they are fixed in the frame.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim import (
    Code,
    DecimalNumber,
    MarkupText,
    Mobject,
    MovingCamera,
    Paragraph,
    Scene,
    SingleStringMathTex,
    Text,
    ThreeDCamera,
    VMobject,
    config,
)

from .session import Session
from .timeline import Mark

WORDS = (Text, MarkupText, Paragraph, SingleStringMathTex, DecimalNumber)

VISIBLE = 0.15
"""Opacity from which on words count."""

TOLERANCE = 0.02
"""Frame units by which boxes may touch: two pixels at 720p, the width of antialiased edges."""

SMALLEST = 0.025
"""Font size as part of the frame's height: 18 pixels at 720p. What the stage lays out itself has 3.2 % at least."""

EM = 9.96264 / 960
"""Frame units of a font size of 1: ten points of TeX, in units of 1/72 inch, by Manim's scale."""

CHARACTERS_PER_SECOND = 28.0
"""Letters that are read in a second at the most: 300 words a minute of 5.6 characters. Nothing slower is a fault."""

LEAST_S = 0.5

MOST_FINDINGS = 200

SHARE = 0.1
"""Part of the time so far that looking may take; what can't be looked at within it is told as not measured."""


@dataclass
class Unit:
    """Words that belong together."""

    mobject: Mobject
    boxes: np.ndarray
    """Of its letters: left, bottom, right, top; shape (n, 4)."""
    order: int
    """When it is drawn; what comes later lies above."""

    @property
    def box(self) -> np.ndarray:
        """Of all of it."""
        return np.concatenate([self.boxes[:, :2].min(axis=0), self.boxes[:, 2:].max(axis=0)])


@dataclass
class Seen:
    """How long words are on screen."""

    mobject: Mobject
    text: str
    name: str
    since: int
    line: int | None


class Findings:
    """Findings of a scene; each pair and each word counts once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[tuple, dict[str, Any]] = {}
        self._seen: dict[int, Seen] = {}
        self._before = 0
        self._looked = 0
        self._why_not: str | None = None
        self._began = time.monotonic()
        self._spent = 0.0

    def inspect(self, scene: Scene) -> None:
        """Looks at the scene as it stands."""
        if self._why_not is not None:
            return
        began = time.monotonic()
        if self._spent > max(2.0, SHARE * (began - self._began)):
            self._why_not = "it would take too long"
            return
        try:
            self._inspect(scene)
        except Exception as error:  # Whatever a program has made of its mobjects, its film goes on.
            self._why_not = f"{type(error).__name__}: {error}"[:200]
        self._spent += time.monotonic() - began

    def counts(self) -> dict[str, Any]:
        """Numbers of findings, or why there are none."""
        if self._why_not is not None or not self._looked:
            return {"measured": False, "reason": self._why_not or "nothing was drawn that could be measured"}
        kinds = [finding["kind"] for finding in self._found.values()]
        names = {"overlap": "overlaps", "outside": "outside", "too_small": "too_small", "too_short": "too_short"}
        return {"measured": True, **{plural: kinds.count(kind) for kind, plural in names.items()}}

    def report(self, frames: int) -> list[dict[str, Any]]:
        """The findings: `kind`, `text` (the words that `kind` is said of), `first_frame`, `line`."""
        found = sorted(self._found.values(), key=lambda finding: finding["mark"].first_frame)
        return [
            {
                "kind": finding["kind"],
                "text": finding["mark"].text,
                "first_frame": min(max(finding["mark"].first_frame, 0), max(frames - 1, 0)),
                "line": finding["line"],
            }
            for finding in found[:MOST_FINDINGS]
        ]

    def _inspect(self, scene: Scene) -> None:
        in_space = isinstance(scene.camera, ThreeDCamera)
        fixed = set(getattr(scene.camera, "fixed_in_frame_mobjects", ())) if in_space else None
        units, covers = _on_screen(scene, fixed)
        if in_space and not units:
            return
        self._looked += 1
        left, bottom, right, top = _frame(scene)
        zoom = (top - bottom) / config.frame_height
        for unit in units:
            if unit.box[0] > right or unit.box[2] < left or unit.box[1] > top or unit.box[3] < bottom:
                continue
            # A camera that has come nearer leaves things outside on purpose.
            out = max(left - unit.box[0], unit.box[2] - right, bottom - unit.box[1], unit.box[3] - top)
            if out > TOLERANCE and zoom > 0.98:
                self._add("outside", _name(unit), unit)
            size = _font_size(unit)
            if size is not None and size < SMALLEST * (top - bottom) - 1e-6:
                self._add("too_small", _name(unit), unit)
        for i, unit in enumerate(units):
            for other in units[i + 1 :]:
                if _meet(unit, other, covers):
                    self._add("overlap", f"{_name(unit)} and {_name(other)}", unit, other)
        self._time(units)

    def _time(self, units: list[Unit]) -> None:
        now = self._session.footage.frames
        present = {id(unit.mobject): unit for unit in units}
        for key in [key for key in self._seen if key not in present]:
            seen = self._seen.pop(key)
            needed = max(len(seen.text.replace(" ", "")) / CHARACTERS_PER_SECOND, LEAST_S)
            # What was removed before this play began is not in its pictures.
            last = (
                now if any(id(item) in self._session.began_with for item in seen.mobject.get_family()) else self._before
            )
            lasted = (last - seen.since) / self._session.fps
            if lasted < needed:
                self._put(("too_short", key), "too_short", f"{seen.name} ({lasted:.1f} s)", seen.since, seen.line)
        for key, unit in present.items():
            if key not in self._seen and not isinstance(unit.mobject, DecimalNumber):
                text = _text(unit.mobject)
                self._seen[key] = Seen(unit.mobject, text, _name(unit), self._before, self._session.line())
        self._before = now

    def _add(self, kind: str, text: str, *units: Unit) -> None:
        key = (kind, *sorted(id(unit.mobject) for unit in units))
        self._put(key, kind, text, max(self._session.footage.frames - 1, 0), self._session.line())

    def _put(self, key: tuple, kind: str, text: str, frame: int, line: int | None) -> None:
        if key not in self._found:
            mark = Mark(frame, 1, text)
            # A picture that is held before it moves it on.
            self._session.timeline.findings.append(mark)
            self._found[key] = {"kind": kind, "mark": mark, "line": line}


def _frame(scene: Scene) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of what the camera sees."""
    camera = scene.camera
    if isinstance(camera, MovingCamera):
        centre, width, height = camera.frame.get_center(), camera.frame.width, camera.frame.height
    else:
        centre = getattr(camera, "frame_center", np.zeros(3))
        width, height = camera.frame_width, camera.frame_height
    return centre[0] - width / 2, centre[1] - height / 2, centre[0] + width / 2, centre[1] + height / 2


def _on_screen(scene: Scene, fixed: set[Mobject] | None) -> tuple[list[Unit], list[tuple[int, np.ndarray]]]:
    """Words on screen, and boxes of what covers others, with when it is drawn. `fixed`: only these count."""
    units: list[Unit] = []
    covers: list[tuple[int, np.ndarray]] = []
    known: set[int] = set()
    for order, mobject in enumerate(_walk(scene.mobjects)):
        if id(mobject) in known or (fixed is not None and mobject not in fixed):
            continue
        known.add(id(mobject))
        if isinstance(mobject, WORDS):
            boxes = [_box(item) for item in mobject.get_family() if _shows(item)]
            if boxes:
                units.append(Unit(mobject, np.array(boxes), order))
        elif isinstance(mobject, VMobject) and len(mobject.points) and mobject.get_fill_opacity() > 0.9:
            covers.append((order, _box(mobject)))
    return units, covers


def _walk(mobjects: list[Mobject]) -> Iterator[Mobject]:
    """Words, each as a whole, and all other mobjects one by one."""
    for mobject in mobjects:
        yield mobject
        if not isinstance(mobject, WORDS):
            yield from _walk(mobject.submobjects)


def _shows(item: Mobject) -> bool:
    return (
        isinstance(item, VMobject)
        and len(item.points) > 0
        and max(item.get_fill_opacity(), item.get_stroke_opacity() if item.get_stroke_width() > 0 else 0) >= VISIBLE
    )


def _box(item: Mobject) -> np.ndarray:
    return np.concatenate([item.points[:, :2].min(axis=0), item.points[:, :2].max(axis=0)])


def _meet(one: Unit, other: Unit, covers: list[tuple[int, np.ndarray]]) -> bool:
    if not _boxes_meet(one.box, other.box[None]).any():
        return False
    same = np.allclose(one.box, other.box, atol=TOLERANCE)
    if same and _text(one.mobject) == _text(other.mobject):
        # A copy on its own original, as before it moves away.
        return False
    for box in one.boxes:
        hits = _boxes_meet(box, other.boxes)
        for hit in other.boxes[hits]:
            common = np.concatenate([np.maximum(box[:2], hit[:2]), np.minimum(box[2:], hit[2:])])
            low, high = sorted((one.order, other.order))
            if not any(low < order < high and _covers(cover, common) for order, cover in covers):
                return True
    return False


def _boxes_meet(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    # Strokes such as a minus are thinner than the tolerance.
    thin = np.minimum(TOLERANCE, 0.5 * (others[:, 3] - others[:, 1]))
    return (width > TOLERANCE) & (height > thin)


def _covers(cover: np.ndarray, box: np.ndarray) -> bool:
    return bool((cover[:2] <= box[:2] + TOLERANCE).all() and (cover[2:] >= box[2:] - TOLERANCE).all())


def _font_size(unit: Unit) -> float | None:
    """In frame units; None where it can't be told."""
    if isinstance(unit.mobject, Paragraph | Code):
        return None
    try:
        size = float(unit.mobject.font_size) * EM
    except (ZeroDivisionError, ValueError):
        return None
    return size if size > 0 and np.isfinite(size) else None


def _text(mobject: Mobject) -> str:
    """The words of a mobject as its author wrote them, on one line; empty when they can't be told."""
    if isinstance(mobject, Paragraph):
        # Code adds these letters to its first and last line, and takes their outlines away when all is in its place.
        return " ".join(re.sub(r" pA\d+$", "", mobject.lines_text.original_text, flags=re.M).split())
    if isinstance(mobject, MarkupText):
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", mobject.original_text)).split())
    for name in ("original_text", "tex_string", "text"):
        value = getattr(mobject, name, None)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    number = getattr(mobject, "number", None)
    return "" if number is None else f"{number:g}" if isinstance(number, int | float) else str(number)


def _name(unit: Unit) -> str:
    text = _text(unit.mobject)
    return f"“{text[:40]}{'…' if len(text) > 40 else ''}”" if text else f"a {type(unit.mobject).__name__}"
