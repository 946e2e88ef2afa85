"""One storyboard scene: beats → pages → steps → frames.

All beats are known before the first frame is drawn, so pages are planned first. Then each beat's movements get
their share of the beat's frames: never more than there are, and what is left is held still.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import theme
from ..elements.maker import Maker
from ..frames.canvas import Canvas
from ..frames.clip import Clip
from ..frames.ledger import Ledger
from ..layout.blocks import Act, Block
from ..screen.highlights import Marker
from ..screen.screen import Screen
from ..typesetting.typesetter import Typesetter
from .heading import heading
from .plan import planned
from .steps import Operation, Step, Timing, entering, leaving, merged, play

FADE_S = 0.3
"""Length of the fade at the end of a scene, in seconds; never more than a third of the last beat."""

UNPOINT_S = 0.25
"""How long the highlights of a beat take to go when the next begins, in seconds."""


class Scene:
    """Renders one scene."""

    def __init__(self, request: dict[str, Any], setter: Typesetter, wrote: Callable[[int], None]) -> None:
        """`request` as in the protocol's `render`; `wrote` is told the frames so far. Raises ValueError, KeyError."""
        self._scene = request["scene"]
        if isinstance(self._scene.get("kind"), dict) and "manim" in self._scene["kind"]:
            raise ValueError(
                "a Manim scene is somebody's program: chalkreel_stage.raw renders it, in a process of its own"
            )
        self._fps = int(request["fps"])
        self._width, self._height = int(request["width"]), int(request["height"])
        if self._width % 2 or self._height % 2:
            raise ValueError("width and height must be even: the clip is in 4:2:0")
        self._beats = self._scene["beats"]
        self._frames = [int(beat["frames"]) for beat in request["beats"]]
        if len(self._beats) != len(self._frames):
            raise ValueError(f"{len(self._frames)} beat lengths for {len(self._beats)} beats")
        film = request.get("film", {})
        setter.speak(str(film.get("language", "en")))
        self._setter = setter
        self._look = theme.named(str(film.get("theme", "dark")))
        assets = request.get("assets")
        self._assets = {str(k): str(v) for k, v in assets.items()} if isinstance(assets, dict) else {}
        self._out = Path(request["out"])
        self._wrote = wrote
        self.warnings: list[str] = []

    def render(self) -> dict[str, Any]:
        """Writes the clip; the fields of the `done` event but for `event` and `id`."""
        began = time.monotonic()
        clip = Clip(self._out, self._width, self._height, self._fps)
        canvas = Canvas(clip, self._width, self._height, self._fps, self._look.background, self._wrote)
        marker = Marker(self._setter, self._look, canvas.frame_width, self.warnings)
        self._screen = Screen(canvas, self._look, marker, self.warnings)
        card = self._scene.get("kind") in ("title_card", "outro")
        acts, self._screen.fixed, self._area = heading(
            str(self._scene.get("heading") or "").strip(),
            card,
            any(isinstance(a, dict) and "show" in a for beat in self._beats for a in beat["actions"]),
            canvas.frame_width,
            self._setter,
            self._look,
        )
        maker = Maker(self._setter, self._look, self.warnings, self._assets, '"orbit"' in json.dumps(self._beats))
        self._events = planned(self._beats, maker, self._area, card)
        self._exits: dict[str, str] = {}
        self._page, self._event = -1, -1
        ledger, audits = Ledger(self._frames), []
        for i, beat in enumerate(self._beats):
            steps = [_heading_step(acts)] if i == 0 and acts else []
            steps += self._steps(beat)
            first = canvas.frames
            self._beat(merged(steps), self._frames[i], last=i + 1 == len(self._beats))
            audits.append(self._audited)
            ledger.finish_beat(first, canvas.frames)
        frames = clip.close()
        if frames != ledger.total:
            raise ValueError(f"the clip has {frames} frames, the beats {ledger.total}")
        return {
            "frames": frames,
            "beats": ledger.beats,
            "audit": self._screen.audit.counts(),
            "beat_audits": audits,
            "warnings": list(dict.fromkeys(self.warnings + self._screen.audit.sentences())),
            "render_s": round(time.monotonic() - began, 3),
        }

    def _beat(self, steps: list[Step], frames: int, last: bool) -> None:
        """Writes one beat: exactly `frames` frames."""
        screen, left = self._screen, frames
        if screen.marks:
            going = min(round(UNPOINT_S * self._fps), frames // 4)
            screen.unpoint(going)
            left -= going
        tail = min(round(FADE_S * self._fps), left // 3) if last else 0
        # One frame is kept, so that each beat ends with all that it brings, however short it is.
        kept = 1 if left - tail > 1 else 0
        play(screen, steps, left - tail - kept, self._fps)
        screen.canvas.hold(kept)
        self._audited = screen.inspect()
        if tail:
            screen.canvas.dissolve(screen.canvas.empty.copy(), tail)

    # Actions → steps

    def _steps(self, beat: dict[str, Any]) -> list[Step]:
        steps: list[Step] = []
        for action in beat["actions"]:
            self._event += 1
            kind, value = (action, None) if isinstance(action, str) else next(iter(action.items()))
            if kind == "clear":
                steps.append(Step(0.0, [leaving(None, dict(self._exits))]))
            elif kind == "remove":
                steps.append(Step(0.0, [leaving(str(value), dict(self._exits))]))
            elif kind == "show":
                steps += self._show(value)
            elif kind == "transform":
                steps += self._transform(value)
            elif kind == "highlight":
                steps += self._highlight(value)
            elif kind == "dim":
                steps.append(Step(8.0, [self._dim(str(value))]))
            elif kind == "move":
                steps.append(self._move(value))
            elif kind == "camera":
                steps.append(self._camera(value))
            else:
                self.warnings.append(f"the stage knows no action {kind}")
        return steps

    def _show(self, element: dict[str, Any]) -> list[Step]:
        timing = Timing.of(element.get("timing"))
        self._exits[str(element.get("id", ""))] = timing.exit
        return self._entrances(self._events.get(self._event, []), timing)

    def _entrances(self, blocks: list[Block], timing: Timing) -> list[Step]:
        exits = dict(self._exits)
        steps: list[Step] = []
        whole = sum(act.seconds for block in blocks for part in block.placed().parts for act in part.acts) or 1.0
        for block in blocks:
            if self._page not in (-1, block.page):
                steps.append(Step(0.0, [leaving(None, exits)], timing.start if not steps else None))
            self._page = block.page
            for part in block.placed().parts:
                operations = [entering(block, act, timing, part.key, act.seconds / whole) for act in part.acts]
                start = timing.start if not any(step.start is not None for step in steps) else None
                steps.append(Step(part.weight, operations, start))
        return steps

    def _transform(self, value: dict[str, Any]) -> list[Step]:
        """The blocks on the present page come out of what is there; what is new in them enters after that."""
        element, old = value["into"], str(value.get("from"))
        timing = Timing.of(element.get("timing"))
        self._exits[str(element.get("id", ""))] = timing.exit
        blocks = self._events.get(self._event, [])
        here = [block for block in blocks if block.page == self._page]
        if not here:
            return self._entrances(blocks, timing)
        later = [block for block in blocks if block.page != self._page]
        rest: list[Operation] = []
        seconds = 1.1 if timing.seconds is None else timing.seconds

        def run(screen: Screen, count: int) -> None:
            if not screen.of(old):
                for block in here:
                    for part in block.placed().parts:
                        for act in part.acts:
                            screen.enter(block, act, 0, timing.rate_of_entering, part.key)
                screen.canvas.hold(count)
                return
            first = screen.canvas.frames
            kept = _kept(screen, old, here)
            part = count if not kept else min(count, round(0.3 * self._fps))
            fresh = screen.become(old, here, part, timing.rate_of_entering)
            left = count - (screen.canvas.frames - first)
            whole = sum(act.seconds for _, act, _ in fresh) or 1.0
            for block, act, key in fresh:
                share = min(left - (screen.canvas.frames - first - part), round(left * act.seconds / whole))
                entering(block, act, timing, key).run(screen, max(share, 0))
            screen.canvas.hold(count - (screen.canvas.frames - first))

        rest.append(Operation(seconds, run, enters=True))
        weight = sum(part.weight for block in here for part in block.placed().parts)
        return [Step(max(weight, 10.0), rest, timing.start), *self._entrances(later, timing)]

    def _highlight(self, value: dict[str, Any]) -> list[Step]:
        timing = Timing.of(value.get("timing"))
        target, part, colour = str(value["target"]), value.get("part"), value.get("colour")
        rate = timing.rate_of_entering
        point = Operation(0.45, lambda screen, count: screen.point(target, part, colour, count, rate))
        operations = [point]
        if timing.seconds is not None and timing.seconds > 1.0:
            operations.append(Operation(timing.seconds - 0.8, lambda screen, count: screen.canvas.hold(count)))
            operations.append(Operation(0.35, lambda screen, count: screen.unpoint(count)))
        return [Step(14.0, operations, timing.start)]

    @staticmethod
    def _dim(target: str) -> Operation:
        rate = Timing().rate
        return Operation(0.4, lambda screen, count: screen.dim(target, count, rate))

    def _move(self, value: dict[str, Any]) -> Step:
        timing, target, event = Timing.of(value.get("timing")), str(value["target"]), self._event
        to = value.get("to") or {}

        def run(screen: Screen, count: int) -> None:
            page = {block.page for block in screen.blocks(target)}
            taken = [
                block
                for blocks in self._events.values()
                for block in blocks
                if block.element != target and block.page in page and (block.piece is None or block.piece.until > event)
            ]
            screen.move(target, to, taken, self._area, count, timing.rate)

        return Step(14.0, [Operation(timing.seconds or 0.9, run)], timing.start)

    def _camera(self, value: dict[str, Any]) -> Step:
        timing, change = Timing.of(value.get("timing")), value["change"]
        kind, what = (change, None) if isinstance(change, str) else next(iter(change.items()))
        rate = timing.rate
        if kind == "zoom_to":
            seconds = timing.seconds or 1.1
            operation = Operation(seconds, lambda screen, count: screen.zoom(str(what), count, rate))
        elif kind == "back":
            operation = Operation(timing.seconds or 0.9, lambda screen, count: screen.back(count, rate))
        elif kind == "orbit":
            degrees = float(what)
            seconds = timing.seconds or min(max(abs(degrees) / 40.0, 1.5), 6.0)
            operation = Operation(seconds, lambda screen, count: screen.orbit(degrees, count, rate))
        else:
            self.warnings.append(f"the stage knows no camera change {kind}")
            operation = Operation(0.0, lambda screen, count: screen.canvas.hold(count))
        return Step(20.0, [operation], timing.start)


def _heading_step(acts: list[Act]) -> Step:
    return Step(0.0, [entering(None, act, Timing()) for act in acts])


def _kept(screen: Screen, old: str, blocks: list[Block]) -> bool:
    had = {s.key for s in screen.of(old) if s.key}
    return any(part.key in had for block in blocks for part in block.placed().parts)
