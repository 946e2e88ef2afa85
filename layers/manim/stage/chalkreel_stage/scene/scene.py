"""One storyboard scene: beats → pages → steps → frames.

All beats are known before the first frame is drawn, so pages are planned first. Then each beat's movements get
their share of the beat's frames: never more than there are, and what is left is held still.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

from .. import theme
from ..elements.maker import Maker
from ..frames.canvas import Canvas
from ..frames.clip import Clip
from ..frames.ledger import Ledger
from ..layout.blocks import Act, Block
from ..screen.highlights import Marker
from ..screen.reading import Reading
from ..screen.screen import Screen
from ..storyboard.reader import read_scene
from ..storyboard.types import (
    ActionCase,
    Beat,
    Camera,
    CameraChangeCase,
    Element,
    Highlight,
    Move,
    SceneKindCase,
    Transform,
)
from ..typesetting.typesetter import Typesetter
from .heading import heading
from .plan import planned
from .steps import Operation, Step, Timing, entering, leaving, merged, play

FADE_S = 0.3
"""Length of the fade at the end of a scene, in seconds; never more than a third of the last beat."""

UNHIGHLIGHT_S = 0.25
"""Length of the fade by which the highlights of a beat go when the next beat begins, in seconds."""


class Scene:
    """Renders one scene."""

    def __init__(self, request: dict[str, Any], setter: Typesetter, wrote: Callable[[int], None]) -> None:
        """`request` as in the protocol's `render`; `wrote` is told the frames so far.

        Raises StoryboardError when the scene is not as its types say, ValueError when the request is none.
        """
        self.warnings: list[str] = []
        self._scene = read_scene(request["scene"], self.warnings)
        if isinstance(self._scene.kind, SceneKindCase):
            raise ValueError(
                "the worker renders no Manim program: chalkreel_stage.program does, in a process of its own"
            )
        self._fps = int(request["fps"])
        self._width, self._height = int(request["width"]), int(request["height"])
        if self._width % 2 or self._height % 2:
            raise ValueError("width and height must be even: the clip is in 4:2:0")
        self._beats = self._scene.beats
        self._frames = [int(beat["frames"]) for beat in request["beats"]]
        if len(self._beats) != len(self._frames):
            raise ValueError(f"{len(self._frames)} beat lengths for {len(self._beats)} beats")
        film = request.get("film", {})
        setter.set_language(str(film.get("language", "en")))
        self._setter = setter
        self._look = theme.named(str(film.get("theme", "dark")))
        assets = request.get("assets")
        self._assets = {str(k): str(v) for k, v in assets.items()} if isinstance(assets, dict) else {}
        self._out = Path(request["out"])
        self._wrote = wrote

    def render(self) -> dict[str, Any]:
        """Writes the clip; the fields of the `done` event but for `event` and `id`."""
        began = time.monotonic()
        clip = Clip(self._out, self._width, self._height, self._fps)
        canvas = Canvas(clip, self._width, self._height, self._fps, self._look.background, self._wrote)
        marker = Marker(self._setter, self._look, canvas.frame_width, canvas.frame_height, self.warnings)
        self._screen = Screen(canvas, self._look, marker, self.warnings)
        actions = [action for beat in self._beats for action in beat.actions]
        card = self._scene.kind in ("title_card", "outro")
        acts, self._screen.fixed, self._area = heading(
            self._scene.heading.strip(),
            card,
            any(isinstance(action, ActionCase) and action.show for action in actions),
            canvas.frame_width,
            canvas.frame_height,
            self._setter,
            self._look,
        )
        orbits = any(isinstance(action, ActionCase) and _orbits(action) for action in actions)
        maker = Maker(self._setter, self._look, self.warnings, self._assets, orbits)
        self._events = planned(self._beats, maker, self._area, card)
        brought = [element for action in actions if isinstance(action, ActionCase) and (element := _brought(action))]
        blocks = [block for blocks in self._events.values() for block in blocks]
        self._screen.reading = Reading(self._screen.audit, self._fps, brought, blocks)
        self._exits: dict[str, str] = {}
        self._page, self._event = -1, -1
        # The frame of the clip at which the beat of each action begins.
        begins = accumulate(self._frames[:-1], initial=0)
        self._moments = [at for beat, at in zip(self._beats, begins, strict=True) for _ in beat.actions]
        self._ends = sum(self._frames) - round(FADE_S * self._fps)
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
            going = min(round(UNHIGHLIGHT_S * self._fps), frames // 4)
            screen.clear_highlights(going)
            left -= going
        tail = min(round(FADE_S * self._fps), left // 3) if last else 0
        # One frame is kept, so that each beat ends with all that it brings, however short it is.
        kept = 1 if left - tail > 1 else 0
        play(screen, steps, left - tail - kept, self._fps)
        screen.canvas.hold(kept)
        self._audited = screen.inspect()
        if last and screen.reading:
            screen.reading.ends(screen.canvas.frames)
        if tail:
            screen.canvas.dissolve(screen.canvas.empty.copy(), tail)

    # Actions → steps

    def _steps(self, beat: Beat) -> list[Step]:
        steps: list[Step] = []
        for action in beat.actions:
            self._event += 1
            match action:
                case "clear":
                    steps.append(Step(0.0, [leaving(None, dict(self._exits))]))
                case ActionCase(remove=str(name)):
                    steps.append(Step(0.0, [leaving(name, dict(self._exits))]))
                case ActionCase(show=Element() as element):
                    steps += self._show(element)
                case ActionCase(transform=Transform() as change):
                    steps += self._transform(change)
                case ActionCase(highlight=Highlight() as highlight):
                    steps += self._highlight(highlight)
                case ActionCase(dim=str(name)):
                    steps.append(Step(8.0, [self._dim(name)]))
                case ActionCase(move=Move() as move):
                    steps.append(self._move(move))
                case ActionCase(camera=Camera() as camera):
                    steps.append(self._camera(camera))
        return steps

    def _show(self, element: Element) -> list[Step]:
        timing = Timing.of(element.timing)
        self._exits[element.id] = timing.exit
        return self._entrances(self._events.get(self._event, []), timing)

    def _entrances(self, blocks: list[Block], timing: Timing) -> list[Step]:
        exits = dict(self._exits)
        steps: list[Step] = []
        whole = sum(act.seconds for block in blocks for part in block.placed().parts for act in part.acts) or 1.0
        for block in blocks:
            if self._page not in (-1, block.page):
                steps.append(Step(0.0, [leaving(None, exits)], timing.start if not steps else None, turns=True))
            self._page = block.page
            for part in block.placed().parts:
                operations = [entering(block, act, timing, part.key, act.seconds / whole) for act in part.acts]
                start = timing.start if not any(step.start is not None for step in steps) else None
                first = part is block.placed().parts[0]
                latest, need = (self._latest(block), self._need(block)) if first else (None, 0)
                steps.append(Step(part.weight, operations, start, latest=latest, need=need))
        return steps

    def _latest(self, block: Block) -> int | None:
        """The frame of the present beat by which a block must begin to come, if it goes with a later beat."""
        until = block.piece.until if block.piece else None
        goes = self._ends if until is None or until >= len(self._moments) else self._moments[until]
        now = self._moments[self._event]
        if goes <= now or self._screen.reading is None:
            return None
        return max(goes - now - self._need(block), 0)

    def _need(self, block: Block) -> int:
        """Frames that a block must stand to be read."""
        return math.ceil(self._screen.reading.need(block) * self._fps) if self._screen.reading else 0

    def _transform(self, change: Transform) -> list[Step]:
        """The blocks on the present page come out of what is there; what is new in them enters after that."""
        element, old = change.into, change.from_
        timing = Timing.of(element.timing)
        self._exits[element.id] = timing.exit
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

    def _highlight(self, highlight: Highlight) -> list[Step]:
        timing = Timing.of(highlight.timing)
        target, part, colour = highlight.target, highlight.part, highlight.colour
        rate = timing.rate_of_entering
        point = Operation(0.45, lambda screen, count: screen.highlight(target, part, colour, count, rate))
        operations = [point]
        if timing.seconds is not None and timing.seconds > 1.0:
            operations.append(Operation(timing.seconds - 0.8, lambda screen, count: screen.canvas.hold(count)))
            operations.append(Operation(0.35, lambda screen, count: screen.clear_highlights(count)))
        return [Step(14.0, operations, timing.start)]

    @staticmethod
    def _dim(target: str) -> Operation:
        rate = Timing().rate
        return Operation(0.4, lambda screen, count: screen.dim(target, count, rate))

    def _move(self, move: Move) -> Step:
        timing, target, event = Timing.of(move.timing), move.target, self._event

        def run(screen: Screen, count: int) -> None:
            page = {block.page for block in screen.blocks(target)}
            taken = [
                block
                for blocks in self._events.values()
                for block in blocks
                if block.element != target and block.page in page and (block.piece is None or block.piece.until > event)
            ]
            screen.move(target, move.to, taken, self._area, count, timing.rate)

        return Step(14.0, [Operation(timing.seconds or 0.9, run)], timing.start)

    @staticmethod
    def _camera(camera: Camera) -> Step:
        timing = Timing.of(camera.timing)
        rate = timing.rate
        match camera.change:
            case CameraChangeCase(zoom_to=str(target)):
                seconds = timing.seconds or 1.1
                operation = Operation(seconds, lambda screen, count: screen.zoom(target, count, rate))
            case CameraChangeCase(orbit=float(degrees)):
                seconds = timing.seconds or min(max(abs(degrees) / 40.0, 1.5), 6.0)
                operation = Operation(seconds, lambda screen, count: screen.orbit(degrees, count, rate))
            case _:
                operation = Operation(timing.seconds or 0.9, lambda screen, count: screen.back(count, rate))
        return Step(20.0, [operation], timing.start)


def _brought(action: ActionCase) -> Element | None:
    """The element that it brings."""
    return action.show or (action.transform.into if action.transform else None)


def _orbits(action: ActionCase) -> bool:
    """Whether it sends the camera round a space."""
    change = action.camera.change if action.camera else None
    return isinstance(change, CameraChangeCase) and change.orbit is not None


def _heading_step(acts: list[Act]) -> Step:
    return Step(0.0, [entering(None, act, Timing()) for act in acts])


def _kept(screen: Screen, old: str, blocks: list[Block]) -> bool:
    had = {s.key for s in screen.of(old) if s.key}
    return any(part.key in had for block in blocks for part in block.placed().parts)
