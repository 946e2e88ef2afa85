"""One storyboard scene: beats → pages → steps → frames.

All beats are known before the first frame is drawn, so pages are planned first. Then each beat's movements get
their share of the beat's frames: never more than there are, and what is left is held still.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from manim import Create, Line, Mobject, VGroup, Write
from manim.utils.rate_functions import smooth

from . import theme
from .audit import Audit, Box
from .canvas import Band, Canvas
from .clip import Clip
from .elements import Maker
from .layout import Act, Area, Block, Piece, paginate
from .ledger import Ledger, slots
from .text import ink
from .typeset import Sheet, Typesetter, literal, mobject

FADE_S = 0.3
"""Length of the fade at the end of a scene, in seconds; never more than a third of the last beat."""

LEAVE_S = 0.35
"""How long it takes to clear a page, in seconds."""


@dataclass
class Leave:
    """Elements go: those of that name, or everything but the heading."""

    element: str | None
    seconds: float = LEAVE_S


@dataclass
class Step:
    """Movements that share a slot of the beat."""

    weight: float
    acts: list[tuple[Block | None, Act] | Leave] = field(default_factory=list)


@dataclass
class Standing:
    """Something on screen."""

    element: str | None
    """None for the heading, which stays."""
    mobject: Mobject
    block: Block | None


class Scene:
    """Renders one scene."""

    def __init__(self, request: dict[str, Any], setter: Typesetter, wrote: Callable[[int], None]) -> None:
        """`request` as in the protocol's `render`; `wrote` is told the frames so far. Raises ValueError, KeyError."""
        self._scene = request["scene"]
        self._fps = int(request["fps"])
        self._width, self._height = int(request["width"]), int(request["height"])
        if self._width % 2 or self._height % 2:
            raise ValueError("width and height must be even: the clip is in 4:2:0")
        self._beats = self._scene["beats"]
        self._frames = [int(beat["frames"]) for beat in request["beats"]]
        if len(self._beats) != len(self._frames):
            raise ValueError(f"{len(self._frames)} beat lengths for {len(self._beats)} beats")
        film = request.get("film", {})
        language = str(film.get("language", "en"))
        setter.language = language[:2].lower() if re.match(r"[A-Za-z]{2}(-|$)", language) else "en"
        self._setter = setter
        self._look = theme.named(str(film.get("theme", "dark")))
        self._out = Path(request["out"])
        self._wrote = wrote
        self.warnings: list[str] = []
        self._audit = Audit()
        self._standing: list[Standing] = []
        self._shown: set[str] = set()
        self._heading_boxes: list[Box] = []

    def render(self) -> dict[str, Any]:
        """Writes the clip; the fields of the `done` event but for `event` and `id`."""
        began = time.monotonic()
        clip = Clip(self._out, self._width, self._height, self._fps)
        self._canvas = Canvas(clip, self._width, self._height, self._fps, self._look.background, self._wrote)
        self._card = self._scene.get("kind") == "title_card"
        heading, area = self._heading()
        events = self._plan(area)
        ledger = Ledger(self._frames)
        page = -1
        event = 0
        for i, beat in enumerate(self._beats):
            steps: list[Step] = [heading] if i == 0 and heading else []
            pending: list[Leave] = []
            for action in beat["actions"]:
                kind = action if isinstance(action, str) else next(iter(action))
                if kind == "clear":
                    pending.append(Leave(None))
                elif kind == "remove":
                    pending.append(Leave(str(action["remove"])))
                elif kind == "show":
                    for block in events.get(event, []):
                        if page not in (-1, block.page) and not any(leave.element is None for leave in pending):
                            pending.append(Leave(None))
                        page = block.page
                        for part in block.placed()[0]:
                            steps.append(Step(part.weight, [*pending, *((block, act) for act in part.acts)]))
                            pending = []
                    event += 1
                else:
                    self.warnings.append(f"the stage knows no action {kind}")
            if pending:
                steps.append(Step(1.0, list(pending)))
            first = self._canvas.frames
            self._play(self._merged(steps), self._frames[i], last=i + 1 == len(self._beats))
            self._inspect()
            ledger.finish_beat(first, self._canvas.frames)
        frames = clip.close()
        if frames != ledger.total:
            raise ValueError(f"the clip has {frames} frames, the beats {ledger.total}")
        return {
            "frames": frames,
            "beats": ledger.beats,
            "audit": self._audit.counts(),
            "warnings": list(dict.fromkeys(self.warnings + self._audit.sentences())),
            "render_s": round(time.monotonic() - began, 3),
        }

    # Planning

    def _plan(self, area: Area) -> dict[int, list[Block]]:
        """The blocks of each `show`, placed on their pages."""
        maker = Maker(self._setter, self._look, self.warnings)
        sections: list[list[Piece]] = [[]]
        event = 0
        for beat in self._beats:
            for action in beat["actions"]:
                if action == "clear":
                    sections.append([])
                elif isinstance(action, dict) and "show" in action:
                    sections[-1] += maker.pieces(action["show"], event, self._card)
                    event += 1
        blocks: list[Block] = []
        for section in sections:
            first_page = blocks[-1].page + 1 if blocks else 0
            blocks += paginate(section, area, first_page)
        events: dict[int, list[Block]] = {}
        for block in blocks:
            events.setdefault(block.event, []).append(block)
        return events

    def _heading(self) -> tuple[Step | None, Area]:
        """The step that brings the heading, and what it leaves for the body."""
        inner_width = self._canvas.frame_width * (1 - 2 * theme.MARGIN)
        inner_height = theme.FRAME_HEIGHT * (1 - 2 * theme.MARGIN)
        left, top = -inner_width / 2, inner_height / 2
        text = str(self._scene.get("heading", "")).strip()
        if not text:
            return None, Area(left, top, inner_width, inner_height)
        shows = any(isinstance(a, dict) and "show" in a for beat in self._beats for a in beat["actions"])
        size = theme.TITLE if self._card else theme.HEADING
        limit = inner_height * ((0.45 if shows else 0.7) if self._card else 0.25)
        while True:
            sheet = self._title(text, size, inner_width * (0.86 if self._card else 1.0))
            # A title card of one line is worth a smaller size, down to 0.7 units.
            lines = 1 if size > 0.7 else 3
            fits = sheet.height <= (min(limit, lines * 1.4 * size) if self._card else limit)
            if (fits and sheet.width <= inner_width) or size <= theme.TEXT_FLOOR:
                break
            size = max(size * 0.92, theme.TEXT_FLOOR)
        if self._card:
            x = -sheet.width / 2
            y = min(inner_height * 0.15 + sheet.height / 2 if shows else sheet.height / 2 + 0.25, top)
            line_y = y - sheet.height - 0.22
            line = Line([-1.1, line_y, 0], [1.1, line_y, 0], stroke_width=6, color=self._look.accent)
        else:
            x, y = left, top
            line_y = y - sheet.height - 0.10
            line = Line([left, line_y, 0], [left + 0.9, line_y, 0], stroke_width=6, color=self._look.accent)
        group = mobject(sheet).shift([x, y, 0])
        body_top = line_y - (0.5 if self._card else 0.35)
        area = Area(left, body_top, inner_width, body_top + inner_height / 2)
        self._heading_boxes = ink("the heading", VGroup(group, line), size)
        seconds = 1.0 if self._card else 0.7
        step = Step(0.0, [(None, Act("uncover", group, seconds)), (None, Act("create", line, 0.5))])
        return step, area

    def _title(self, text: str, size: float, width: float) -> Sheet:
        body = f"#strong[#{literal(text)}]"
        preamble = "#set par(leading: 0.22em)"
        natural = self._setter.sheet(body, size, self._look.text, None, theme.TEXT_FONTS, preamble)
        if natural.width <= width:
            return natural
        if not self._card:
            return self._setter.sheet(body, size, self._look.text, width, theme.TEXT_FONTS, preamble)
        body = f"#align(center)[{body}]"
        best = self._setter.sheet(body, size, self._look.text, width, theme.TEXT_FONTS, preamble)
        # Lines of like length: the narrowest column that needs no further line.
        for narrower in np.arange(0.95, 0.5, -0.05):
            sheet = self._setter.sheet(body, size, self._look.text, width * narrower, theme.TEXT_FONTS, preamble)
            if sheet.height > best.height + 0.01 or float(mobject(sheet).width) > sheet.width:
                break
            best = sheet
        return best

    @staticmethod
    def _merged(steps: Sequence[Step]) -> list[Step]:
        """Steps without a weight of their own join the next."""
        merged: list[Step] = []
        waiting: list[Any] = []
        for step in steps:
            if step.weight > 0:
                merged.append(Step(step.weight, waiting + step.acts))
                waiting = []
            else:
                waiting = waiting + step.acts
        if waiting:
            merged.append(Step(1.0, waiting))
        return merged

    # Drawing

    def _play(self, steps: list[Step], frames: int, last: bool) -> None:
        """Writes one beat: exactly `frames` frames."""
        tail = min(round(FADE_S * self._fps), frames // 3) if last else 0
        for step, slot in zip(steps, slots(frames - tail, [s.weight for s in steps]), strict=True):
            wanted = [act.seconds if isinstance(act, Leave) else act[1].seconds for act in step.acts]
            wanted = [
                0.0 if isinstance(act, Leave) and not self._leaving(act) and not self._later(step, n) else seconds
                for n, (act, seconds) in enumerate(zip(step.acts, wanted, strict=True))
            ]
            moving = min(slot, round(sum(wanted) * self._fps))
            for act, count in zip(step.acts, slots(moving, wanted), strict=True):
                if isinstance(act, Leave):
                    self._leave(act, count)
                else:
                    self._enter(*act, count)
            self._canvas.hold(slot - moving)
        if not steps:
            self._canvas.hold(frames - tail)
        if tail:
            self._canvas.dissolve(self._canvas.empty.copy(), tail)

    @staticmethod
    def _later(step: Step, n: int) -> bool:
        """Whether something enters in this step before act `n`, so that the act may have something to remove."""
        return any(not isinstance(act, Leave) for act in step.acts[:n])

    def _leaving(self, leave: Leave) -> list[Standing]:
        return [s for s in self._standing if s.element is not None and leave.element in (None, s.element)]

    def _leave(self, leave: Leave, count: int) -> None:
        going = self._leaving(leave)
        if not going:
            if leave.element is not None and leave.element not in self._shown:
                self.warnings.append(f"element {leave.element} is removed but was never shown")
            return
        self._standing = [s for s in self._standing if s not in going]
        after = self._canvas.draw(self._canvas.empty, [s.mobject for s in self._standing])
        self._canvas.dissolve(after, count)

    def _enter(self, block: Block | None, act: Act, count: int) -> None:
        if block:
            self._shown.add(block.element)
        self._standing.append(Standing(block.element if block else None, act.mobject, block))
        if act.kind == "uncover":
            after = self._canvas.draw(self._canvas.still, [act.mobject])
            self._canvas.uncover(after, bands(act.mobject), count)
        elif act.kind == "write":
            self._canvas.animate([Write(act.mobject, rate_func=smooth)], count)
        elif act.kind == "create":
            self._canvas.animate([Create(act.mobject, rate_func=smooth)], count)
        else:
            self._canvas.dissolve(self._canvas.draw(self._canvas.still, [act.mobject]), count)

    def _inspect(self) -> None:
        boxes = list(self._heading_boxes)
        for block in {id(s.block): s.block for s in self._standing if s.block}.values():
            boxes += block.placed()[1]
        self._audit.inspect(boxes, self._canvas.frame_width)


def bands(group: Mobject) -> list[Band]:
    """Lines of ink from top to bottom: what overlaps vertically is one line."""
    boxes = []
    for item in group.family_members_with_points():
        low, high = np.min(item.points, axis=0), np.max(item.points, axis=0)
        boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    boxes.sort(key=lambda box: -box[3])
    lines: list[Band] = []
    for left, bottom, right, top in boxes:
        if lines and top > lines[-1][1] + 0.02:
            a, b, c, d = lines[-1]
            lines[-1] = (min(a, left), min(b, bottom), max(c, right), max(d, top))
        else:
            lines.append((left, bottom, right, top))
    return lines
